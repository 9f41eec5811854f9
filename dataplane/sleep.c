/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

/* A worker's one blocking call: an epoll over its eventfd and the descriptors of its back ends. */

#define SLEEP_EVENTS (NET_BACK_ENDS + 1)

static bool sleep_watch(struct worker *w, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return fd < 0 || epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

enum gw_err sleep_open(struct worker *w)
{
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll_fd < 0 || !sleep_watch(w, mailbox_wake_fd(w->config.hub, w->config.index)))
		return GW_SYSTEM;
	for (uint32_t i = 0; i < NET_BACK_ENDS; i++)
		if (w->net[i] != NULL && !sleep_watch(w, net_wait_fd(w->net[i])))
			return GW_SYSTEM;
	return GW_OK;
}

void sleep_close(struct worker *w)
{
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	w->epoll_fd = -1;
}

/** What is left until until_us; zero when it has come. */
static struct timespec sleep_left(struct worker *w, uint64_t until_us)
{
	uint64_t now_us = w->config.env->now_us(w->config.env->context);
	uint64_t left_us = until_us > now_us ? until_us - now_us : 0;

	return (struct timespec){.tv_sec = (time_t)(left_us / 1000000),
				 .tv_nsec = (long)(left_us % 1000000) * 1000};
}

/** Rounded up: a sleeper that wakes too early would only turn around. */
static int sleep_ms(struct timespec left)
{
	uint64_t ms = (uint64_t)left.tv_sec * 1000 + ((uint64_t)left.tv_nsec + 999999) / 1000000;

	return ms < INT32_MAX ? (int)ms : INT32_MAX;
}

/** left NULL: no limit. Kernels before 5.11, and containers that do not know the call, have no fine
 * wait: without another the worker would turn and turn. */
static int sleep_poll(const struct worker *w, struct epoll_event events[SLEEP_EVENTS],
		      const struct timespec *left)
{
	int n = epoll_pwait2(w->epoll_fd, events, SLEEP_EVENTS, left, NULL);

	if (n >= 0 || errno == EINTR)
		return n;
	return epoll_wait(w->epoll_fd, events, SLEEP_EVENTS, left != NULL ? sleep_ms(*left) : -1);
}

void sleep_wait(struct worker *w, uint64_t until_us)
{
	int wake_fd = mailbox_wake_fd(w->config.hub, w->config.index);
	struct timespec left = sleep_left(w, until_us);
	struct epoll_event events[SLEEP_EVENTS];
	uint64_t count;
	int n;

	n = sleep_poll(w, events, until_us == UINT64_MAX ? NULL : &left);
	for (int i = 0; i < n; i++)
		if (events[i].data.fd == wake_fd && read(wake_fd, &count, sizeof(count)) < 0)
			errno = 0; /* somebody else has drained it */
}
