/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "core.h"

/* sip_core ADDRESS:PORT   the core on TCP, for gateway.py; prints "ready" and runs until killed */

#define BUFFER (8 * CORE_MESSAGE_MAX)
#define EVENTS 64

struct link {
	int fd;
	uint32_t in_len;
	uint8_t in[BUFFER];
};

static uint8_t answers[BUFFER];

static bool write_all(int fd, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes = span_from(bytes, (uint32_t)n);
	}
	return true;
}

/** Answers all that is whole. False: the connection is at its end. */
static bool serve(struct core *core, struct link *l)
{
	struct span rest = span_of(l->in, l->in_len);
	uint32_t before;
	struct writer out;

	do {
		before = rest.len;
		writer_init(&out, answers, sizeof(answers));
		if (!core_serve(core, &rest, &out) || !write_all(l->fd, writer_span(&out)))
			return false;
	} while (rest.len != before);
	memmove(l->in, rest.at, rest.len);
	l->in_len = rest.len;
	return l->in_len < BUFFER;
}

static void link_ready(struct core *core, struct link *l)
{
	ssize_t n = recv(l->fd, l->in + l->in_len, BUFFER - l->in_len, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	l->in_len += n > 0 ? (uint32_t)n : 0;
	if (n > 0 && serve(core, l))
		return;
	close(l->fd);
	free(l);
}

static void link_new(int epoll, int listener)
{
	struct link *l = calloc(1, sizeof(*l));
	struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = l}};

	if (l == NULL)
		return;
	l->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (l->fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, l->fd, &event) == 0)
		return;
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

static int listen_on(const struct address *local)
{
	int fd = socket(local->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, &local->any, local->len) == 0 && listen(fd, 64) == 0)
		return fd;
	close(fd);
	return -1;
}

static int run(struct core *core, int listener)
{
	struct epoll_event events[EVENTS], incoming = {.events = EPOLLIN, .data = {.ptr = NULL}};
	int epoll = epoll_create1(EPOLL_CLOEXEC), n;

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &incoming) != 0)
		return 1;
	puts("ready");
	fflush(stdout);
	while ((n = epoll_wait(epoll, events, EVENTS, -1)) >= 0 || errno == EINTR)
		for (int i = 0; i < n; i++)
			if (events[i].data.ptr == NULL)
				link_new(epoll, listener);
			else
				link_ready(core, events[i].data.ptr);
	return 1;
}

int main(int argc, char **argv)
{
	static struct core core;
	struct address local;
	int listener;

	if (argc != 2 || !address_with_port(argv[1], &local)) {
		fputs("usage: sip_core ADDRESS:PORT\n", stderr);
		return 2;
	}
	core.address = argv[1];
	listener = listen_on(&local);
	if (listener < 0) {
		perror(argv[1]);
		return 2;
	}
	return run(&core, listener);
}
