/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1 << 20 };

struct stream {
	struct stream_config config;
	int interrupts; /* a descriptor of Ctrl-C; -1: the next one ends us */
	bool headed, ended, failed;
	size_t len;
	char line[LINE_MAX_BYTES];
};

static void line_print(struct stream *s, const char *text, size_t len)
{
	json_t *line = json_loadb(text, len, 0, NULL);
	const json_t *message = json_object_get(line, "message");
	const json_t *trace = json_object_get(line, "trace");
	const char *error = json_string_value(json_object_get(line, "error"));
	const char *why = json_string_value(json_object_get(trace, "why"));

	s->ended = s->ended || why != NULL || error != NULL;
	s->failed = s->failed || error != NULL;
	if (s->config.json)
		printf("%.*s\n", (int)len, text);
	else if (error != NULL)
		fprintf(stderr, "wicctl: %s\n", error);
	else if (message != NULL)
		ladder_message(message, s->config.form, stdout);
	else if (why != NULL)
		printf("%lld messages, %lld lost: %s\n",
		       (long long)json_integer_value(json_object_get(trace, "messages")),
		       (long long)json_integer_value(json_object_get(trace, "lost")), why);
	else if (trace != NULL && !s->headed)
		ladder_head(stdout);
	s->headed = s->headed || trace != NULL;
	fflush(stdout);
	json_decref(line);
}

/** Prints the lines that are whole. */
static void lines_print(struct stream *s)
{
	size_t at = 0;
	char *stop;

	while ((stop = memchr(s->line + at, '\n', s->len - at)) != NULL) {
		line_print(s, s->line + at, (size_t)(stop - s->line) - at);
		at = (size_t)(stop - s->line) + 1;
	}
	s->len -= at;
	memmove(s->line, s->line + at, s->len);
}

static int interrupts_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/** The node is asked for the end; the next Ctrl-C does not wait for it. */
static void interrupted(struct stream *s)
{
	struct signalfd_siginfo info;
	sigset_t set;

	if (read(s->interrupts, &info, sizeof(info)) < 0)
		return;
	close(s->interrupts);
	s->interrupts = -1;
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	shutdown(s->config.fd, SHUT_WR);
}

/** False: the stream is over. */
static bool stream_read(struct stream *s)
{
	ssize_t n = recv(s->config.fd, s->line + s->len, sizeof(s->line) - s->len, 0);

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		if (s->len > 0)
			line_print(s, s->line, s->len); /* the last has no line end */
		return false;
	}
	s->len += (size_t)n;
	lines_print(s);
	return s->len < sizeof(s->line);
}

bool stream_print(const struct stream_config *config)
{
	struct stream *s = calloc(1, sizeof(*s));
	bool more = s != NULL, good;

	if (s == NULL)
		return false;
	s->config = *config;
	s->interrupts = interrupts_open();
	while (more) {
		struct pollfd fds[] = {{config->fd, POLLIN, 0}, {s->interrupts, POLLIN, 0}};

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents != 0)
			interrupted(s);
		if (fds[0].revents != 0)
			more = stream_read(s);
	}
	if (!s->ended)
		fputs("wicctl: the node has gone\n", stderr);
	good = s->ended && !s->failed;
	if (s->interrupts >= 0)
		close(s->interrupts);
	free(s);
	return good;
}
