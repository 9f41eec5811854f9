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

void sleep_wait(struct worker *w, uint64_t until_us)
{
	int wake_fd = mailbox_wake_fd(w->config.hub, w->config.index);
	struct timespec left = sleep_left(w, until_us);
	struct epoll_event events[SLEEP_EVENTS];
	uint64_t count;
	int n;

	n = epoll_pwait2(w->epoll_fd, events, SLEEP_EVENTS, until_us == UINT64_MAX ? NULL : &left,
			 NULL);
	for (int i = 0; i < n; i++)
		if (events[i].data.fd == wake_fd && read(wake_fd, &count, sizeof(count)) < 0)
			errno = 0; /* somebody else has drained it */
}
