/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack_station.h"

#include <poll.h>
#include <time.h>

#include "test.h"

uint64_t stack_clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- what is above a stack ---------------------------------------------------------------------
 */

static void on_datagram(void *context, const struct endpoint *local, const struct endpoint *peer,
			struct span bytes)
{
	struct stack_station *station = context;
	uint16_t port = endpoint_port(local);
	uint32_t number = STACK_NUMBERS;

	if (bytes.len >= sizeof(number))
		memcpy(&number, bytes.at, sizeof(number));
	if (number >= STACK_NUMBERS ||
	    (port != STACK_COMMON_PORT && port != STACK_STEER_BASE + station->worker)) {
		station->strange++;
		return;
	}
	station->heard[number]++;
	station->refused += stack_udp_send(station->stack, local, peer, bytes) != GW_OK;
}

static void on_unreachable(void *context, const struct endpoint *peer)
{
}

static const struct udp_ops udp_ops = {on_datagram, on_unreachable};

static void on_pong(void *context, uint32_t id, enum gw_err err, uint32_t rtt_us)
{
}

static void on_captured(void *context, const struct captured *captured, struct span bytes)
{
}

static void on_alarm(void *context, enum gw_err what, const struct endpoint *about)
{
	struct stack_station *station = context;

	station->strange++;
}

static void on_broken(void *context, const struct net_broken *broken)
{
}

static const struct net_events events = {on_pong, on_captured, on_alarm, on_broken};

static uint64_t next_random(void *context)
{
	struct stack_station *station = context;

	return station->random = station->random * 6364136223846793005ull + 1442695040888963407ull;
}

/* ---- life --------------------------------------------------------------------------------------
 */

struct endpoint stack_endpoint(const char *text, uint16_t port)
{
	struct endpoint e = {0};

	EXPECT(endpoint_parse(span_text(text), &e));
	endpoint_set_port(&e, port);
	return e;
}

static void bind_port(struct stack_station *station, uint16_t port)
{
	struct endpoint v4 = stack_endpoint(STACK_OURS_4, port),
			v6 = stack_endpoint(STACK_OURS_6, port);

	EXPECT_EQ(GW_OK, stack_udp_bind(station->stack, &v4, &udp_ops, station));
	EXPECT_EQ(GW_OK, stack_udp_bind(station->stack, &v6, &udp_ops, station));
}

void stack_station_open(struct stack_station *station, uint16_t worker, struct net_shared *shared)
{
	struct endpoint peers[2] = {stack_endpoint(STACK_PEER_4, 0),
				    stack_endpoint(STACK_PEER_6, 0)};
	struct net_config config = {.worker = worker,
				    .counters = &station->counters,
				    .clock = &station->clock,
				    .shared = shared,
				    .events = &events,
				    .context = station,
				    .random = next_random};

	station->worker = worker;
	station->random = worker;
	station->clock.now_us = stack_clock_us();
	EXPECT_EQ(GW_OK, stack_new(&config, &station->stack));
	stack_peers(station->stack, peers, 2);
	bind_port(station, STACK_COMMON_PORT);
	bind_port(station, STACK_STEER_BASE + worker);
}

/* ---- turns and sleep ---------------------------------------------------------------------------
 */

void stack_station_turn(struct stack_station *station)
{
	station->clock.now_us = stack_clock_us();
	stack_receive(station->stack);
	stack_run_ready(station->stack);
	stack_transmit(station->stack);
}

/** As long as the stack allows: nothing but what it waits for ends this. */
static void station_sleep(struct stack_station *station)
{
	uint64_t until_us = stack_sleep_begin(station->stack), now_us = stack_clock_us();
	uint64_t left_us = until_us > now_us ? until_us - now_us : 0;
	struct timespec left = {.tv_sec = (time_t)(left_us / 1000000),
				.tv_nsec = (long)(left_us % 1000000) * 1000};
	struct pollfd fds[2] = {{.fd = stack_wait_fd(station->stack), .events = POLLIN},
				{.fd = station->stop_fd, .events = POLLIN}};

	station->sleeps += left_us > 0;
	station->wakes += ppoll(fds, 2, until_us == UINT64_MAX ? NULL : &left, NULL) > 0;
	stack_sleep_end(station->stack);
}

void *stack_station_run(void *context)
{
	struct stack_station *station = context;

	while (!atomic_load(station->stop)) {
		stack_station_turn(station);
		if (stack_idle(station->stack))
			station_sleep(station);
	}
	return NULL;
}
