/* SPDX-License-Identifier: BSD-3-Clause */
#include "runner.h"

#include <poll.h>
#include <time.h>

#define JITTER 64u /* turns of an empty loop */
#define LEAD_MAX 20000u
#define LEAD_STEP 16u

uint64_t runner_clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- above a stack -----------------------------------------------------------------------------
 */

static void send_on(struct runner *runner, const struct endpoint *local, const struct endpoint *to,
		    struct mill_word word)
{
	word.queue = MILL_QUEUES; /* nobody's: the order is no longer one queue's */
	word.hops -= word.hops > 0;
	atomic_fetch_add(&runner->begun, 1);
	if (stack_udp_send(runner->stack, local, to, span_of(&word, sizeof(word))) != GW_OK)
		atomic_fetch_add(&runner->ended, 1);
}

/** Numbers of one queue come in their order, some may be missing. */
static bool is_in_order(struct runner *runner, const struct mill_word *word)
{
	uint32_t last;

	if (word->queue == MILL_QUEUES)
		return true;
	if (word->queue > MILL_QUEUES)
		return false;
	last = runner->seen[word->queue];
	runner->seen[word->queue] = word->sequence;
	return word->sequence > last;
}

static void on_datagram(void *context, const struct endpoint *local, const struct endpoint *peer,
			struct span bytes)
{
	struct runner *runner = context;
	struct endpoint to = *local;
	struct mill_word word = {0};

	if (endpoint_port(local) != MILL_PORT + runner->worker ||
	    !span_copy(&bytes, &word, sizeof(word)) || !is_in_order(runner, &word))
		runner->broken++;
	endpoint_set_port(&to, (uint16_t)(MILL_PORT + mill_roll(&runner->random, MILL_WORKERS)));
	if (word.hops > 0)
		send_on(runner, local, &to, word);
	else if (mill_roll(&runner->random, 2) == 0)
		send_on(runner, local, &runner->peer, word);
	atomic_fetch_add(&runner->ended, 1);
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
}

static void on_broken(void *context, const struct net_broken *broken)
{
}

static const struct net_events events = {on_pong, on_captured, on_alarm, on_broken};

static uint64_t next_random(void *context)
{
	struct runner *runner = context;

	return mill_roll(&runner->random, UINT32_MAX);
}

/* ---- a worker ----------------------------------------------------------------------------------
 */

void runner_turn(struct runner *runner)
{
	uint64_t refused = 0;

	runner->clock.now_us = runner_clock_us();
	stack_receive(runner->stack);
	stack_run_ready(runner->stack);
	stack_transmit(runner->stack);
	for (uint32_t err = 0; err < GW_ERR_COUNT; err++)
		refused += counter_read(&runner->counters.errors[err]);
	atomic_store(&runner->refused, refused);
}

/**
 * Where a worker who is a little later would not sleep, and one who is a little earlier would, is
 * where the race is.
 */
static void runner_linger(struct runner *runner)
{
	uint32_t turns = runner->lead + mill_roll(&runner->random, JITTER);

	for (volatile uint32_t i = 0; i < turns; i++)
		;
}

static void runner_aim(struct runner *runner, bool slept)
{
	if (slept && runner->lead < LEAD_MAX)
		runner->lead += LEAD_STEP;
	if (!slept && runner->lead >= LEAD_STEP)
		runner->lead -= LEAD_STEP;
}

static void runner_sleep(struct runner *runner)
{
	uint64_t until_us = stack_sleep_begin(runner->stack), now_us = runner_clock_us();
	uint64_t left_us = until_us > now_us ? until_us - now_us : 0;
	struct timespec left = {.tv_sec = (time_t)(left_us / 1000000),
				.tv_nsec = (long)(left_us % 1000000) * 1000};
	struct pollfd fds[2] = {{.fd = stack_wait_fd(runner->stack), .events = POLLIN},
				{.fd = runner->stop_fd, .events = POLLIN}};

	runner->sleeps += left_us > 0;
	runner_aim(runner, left_us > 0);
	ppoll(fds, 2, until_us == UINT64_MAX ? NULL : &left, NULL);
	stack_sleep_end(runner->stack);
}

void *runner_run(void *context)
{
	struct runner *runner = context;

	while (!atomic_load(runner->stop)) {
		runner_turn(runner);
		if (!stack_idle(runner->stack))
			continue;
		runner_linger(runner);
		runner_sleep(runner);
	}
	return NULL;
}

enum gw_err runner_open(struct runner *runner, struct net_shared *shared)
{
	struct net_config config = {.worker = runner->worker,
				    .counters = &runner->counters,
				    .clock = &runner->clock,
				    .shared = shared,
				    .events = &events,
				    .context = runner,
				    .random = next_random};
	struct endpoint local = runner->ours;
	enum gw_err err;

	runner->clock.now_us = runner_clock_us();
	endpoint_set_port(&local, MILL_PORT + runner->worker);
	err = stack_new(&config, &runner->stack);
	if (err != GW_OK)
		return err;
	stack_peers(runner->stack, &runner->peer, 1);
	return stack_udp_bind(runner->stack, &local, &udp_ops, runner);
}
