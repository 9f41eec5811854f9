/* SPDX-License-Identifier: BSD-3-Clause */
#include "posix_world.h"
#include "test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FILLERS 4 /* more than a backlog of 0 takes */

struct posix_world {
	int listener; /* never accepts: the blackhole */
	int filler[FILLERS];
	int nobody; /* bound, not listening: it refuses, and nobody else gets the port */
	struct counters counters;
};

static uint64_t clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct endpoint endpoint_of(const char *text)
{
	struct endpoint e;

	EXPECT(endpoint_parse(span_text(text), &e));
	return e;
}

/* A socket bound to any port of host; its address goes to *at. */
static int bound_socket(int type, const char *host, struct endpoint *at)
{
	socklen_t len = sizeof(*at);
	int fd;

	*at = endpoint_of(host);
	fd = socket(at->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	EXPECT(fd >= 0);
	EXPECT_EQ(0, bind(fd, &at->sa, sizeof(at->v4)));
	EXPECT_EQ(0, getsockname(fd, &at->sa, &len));
	return fd;
}

/* A port that was free a moment ago, and is not the last: the tests use the next one too. */
static uint16_t free_port(const char *host)
{
	struct endpoint at;

	do
		close(bound_socket(SOCK_STREAM, host, &at));
	while (endpoint_port(&at) == UINT16_MAX);
	return endpoint_port(&at);
}

/* A listener whose queue is full drops every SYN. */
static void blackhole_open(struct posix_world *p, struct endpoint *at)
{
	p->listener = bound_socket(SOCK_STREAM, "127.0.0.1", at);
	EXPECT_EQ(0, listen(p->listener, 0));
	for (int i = 0; i < FILLERS; i++) {
		p->filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		EXPECT(p->filler[i] >= 0);
		if (connect(p->filler[i], &at->sa, sizeof(at->v4)) != 0)
			continue; /* under way, for ever */
	}
}

static void world_open(struct conn_world *w, const struct net_limits *limits)
{
	struct posix_world *p = calloc(1, sizeof(*p));

	EXPECT(p != NULL);
	w->context = p;
	w->ops = &net_posix;
	w->counters = &p->counters;
	for (uint16_t i = 0; i < CORES; i++) {
		struct net_config config = {.worker = i,
					    .epoch = 1000u * (i + 1u),
					    .limits = *limits,
					    .counters = i == SERVER ? &p->counters : NULL,
					    .clock = &w->clock[i]};

		w->clock[i].now_us = clock_us();
		EXPECT_EQ(GW_OK, net_open(w->ops, &config, &w->core[i]));
		w->v4[i] = endpoint_of(i == SERVER ? "127.0.0.1" : "127.0.0.2");
		w->v6[i] = endpoint_of("::1");
	}
	p->nobody = bound_socket(SOCK_STREAM, "127.0.0.1", &w->nobody);
	w->port = free_port("127.0.0.1");
	blackhole_open(p, &w->blackhole);
}

static void world_turn(struct conn_world *w)
{
	bool idle = true;

	for (int i = 0; i < CORES; i++) {
		if (w->core[i] == NULL)
			continue;
		w->clock[i].now_us = clock_us();
		net_receive(w->core[i]);
		net_run_ready(w->core[i]);
		net_transmit(w->core[i]);
		idle &= net_idle(w->core[i]);
	}
	if (idle)
		usleep(500);
}

static void world_close(struct conn_world *w)
{
	struct posix_world *p = w->context;

	for (int i = 0; i < CORES; i++)
		if (w->core[i] != NULL)
			net_close(w->core[i]);
	close(p->nobody);
	close(p->listener);
	for (int i = 0; i < FILLERS; i++)
		close(p->filler[i]);
	free(p);
}

const struct conn_world_ops posix_world = {.open = world_open,
					   .turn = world_turn,
					   .close = world_close};
