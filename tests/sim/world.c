/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_sim.h"

#include <stdio.h>
#include <stdlib.h>

#include "call.h"
#include "events.h"
#include "journal.h"
#include "message.h"
#include "guest.h"
#include "member.h"
#include "pool.h"
#include "tls/tls.h"

/*
 * The world: workers that turn and sleep as worker_run() has them do, scripted hosts that turn when
 * something arrives, and control. A worker that sleeps is turned again only when it is woken, when
 * something arrives for it, or when worker_next_us() says so.
 */

#define RING_BYTES (256 * 1024)
#define STEPS_MAX 5000000u /* some 100,000 are usual */
#define FAREWELL_US (300 * SECOND)
#define ROTATED_US (40 * SECOND) /* a flow key is kept until no request is under way with it */
/* and timer C. A link to a next hop that takes over at the very end is closed when it was idle */
#define AFTER_DRAIN_US (420 * SECOND)
#define CORE_LEAVES_US (5 * SECOND)

/* ---- workers ----------------------------------------------------------------------------------
 */

static void worker_event_turn(struct sim *sim, void *context, uint64_t ticket);

static void turn_in(struct sim *sim, struct sim_worker *w, uint64_t at_us)
{
	if (at_us >= w->turn_at || w->worker == NULL)
		return;
	w->turn_at = at_us;
	sim_at(sim, at_us, worker_event_turn, w, ++w->ticket);
}

static void worker_event_turn(struct sim *sim, void *context, uint64_t ticket)
{
	struct sim_worker *w = context;
	uint16_t index = (uint16_t)(w - sim->worker);
	uint64_t next;

	if (ticket != w->ticket || sim->now_us < w->turn_at || w->worker == NULL)
		return; /* it was moved to an earlier time, or it was another life */
	w->turn_at = UINT64_MAX;
	if (w->asleep)
		worker_sleep_end(w->worker);
	w->asleep = false;
	w->woken = false;
	if (worker_turn(w->worker)) {
		turn_in(sim, w, sim->now_us + sim_between(sim, 1, 2000));
	} else if (worker_sleep_begin(w->worker)) {
		w->asleep = true;
		next = worker_next_us(w->worker);
		if (next != UINT64_MAX)
			turn_in(sim, w, next > sim->now_us ? next : sim->now_us + 1);
	} else {
		turn_in(sim, w, sim->now_us + 1);
	}
	watch_worker(sim, index);
	if (sim->events != NULL)
		watch_events(sim, index);
	if (sim->pool != NULL)
		watch_pool(sim);
	if (sim->members != NULL)
		watch_block(sim, index);
}

/* ---- hosts and control ------------------------------------------------------------------------
 */

static void host_turn(struct sim *sim, void *context, uint64_t arg)
{
	struct sim_host *h = context;
	uint64_t next;

	(void)arg;
	h->turning = false;
	h->clock.now_us = sim->now_us;
	net_receive(h->core);
	net_run_ready(h->core);
	net_transmit(h->core);
	if (!net_idle(h->core)) {
		sim_arrived(sim, h->number);
		return;
	}
	next = net_next_deadline_us(h->core);
	if (next != UINT64_MAX && next < sim->now_us + SECOND)
		sim_at(sim, next, host_turn, h, 0);
}

/** The set has the sites' new key now, most times. */
static void fetch_ends(struct sim *sim, void *context, uint64_t arg)
{
	struct sim_rotation *r = &sim->rotation;

	(void)context;
	(void)arg;
	r->fetching = false;
	r->fetches++;
	if (sim_chance(sim, 80))
		r->known = r->signing;
	sim_note(sim, "fetch %u ends: keys up to k%u", r->fetches, r->known);
	parts_publish_keys(sim);
	for (uint16_t i = 0; i < sim->options.workers && !sim->down; i++)
		mailbox_nudge(sim->hub, i);
}

/** One fetch at a time; some take longer than a request waits. */
static void fetch(struct sim *sim, uint32_t issuer)
{
	if (issuer > (sim->members != NULL ? BLOCK_SITE : POOL_SITE))
		sim_broken(sim, "mailbox-message", "keys of issuer %u wanted", issuer);
	if (sim->rotation.fetching)
		return;
	sim->rotation.fetching = true;
	parts_publish_keys(sim);
	sim_at(sim, sim->now_us + sim_between(sim, 1000, sim_s(9)), fetch_ends, NULL, 0);
}

static void rotate(struct sim *sim, void *context, uint64_t arg)
{
	(void)context;
	(void)arg;
	if (sim->draining || sim->rotation.signing == SIM_KEYS_MAX)
		return;
	sim->rotation.signing++;
	sim_note(sim, "the sites sign with k%u", sim->rotation.signing);
	sim_at(sim, sim->now_us + sim_between(sim, sim_s(1), sim_s(60)), rotate, NULL, 0);
}

static void control_handle(void *context, uint16_t from, struct span message)
{
	const void *at = message.at;
	const struct message_head *head = at;
	struct sim *sim = context;

	if (head->len != message.len)
		sim_broken(sim, "mailbox-message", "a message of %u bytes says it has %u",
			   message.len, head->len);
	if (head->kind == MESSAGE_ANSWER) {
		const struct message_answer *answer = at;

		if (answer->id <= sim->control.answered[from])
			sim_broken(sim, "mailbox-order", "worker %u answers %u after %u", from,
				   answer->id, sim->control.answered[from]);
		sim->control.answered[from] = answer->id;
		if (answer->rows > ANSWER_ROWS_MAX)
			sim_broken(sim, "mailbox-message", "an answer of %u rows", answer->rows);
	} else if (head->kind == MESSAGE_EVENT) {
		const struct message_event *event = at;

		sim->control.events++;
		if (sim->options.trace)
			sim_note(sim, "  event %d from worker %u: %s %u", (int)event->what, from,
				 gw_err_name(event->err), event->status);
	} else if (head->kind == MESSAGE_JOURNAL) {
		journal_script_take(sim, at);
	} else if (head->kind == MESSAGE_KEYS_WANTED) {
		fetch(sim, ((const struct message_keys_wanted *)at)->issuer);
	} else if (head->kind != MESSAGE_PEER_WANTED && head->kind != MESSAGE_BLOCK_NAMED) {
		/* there is no DNS, the next hop serves; and nobody compiles a wildcard */
		sim_broken(sim, "mailbox-message", "kind %u for control", head->kind);
	}
}

static void control_turn(struct sim *sim, void *context, uint64_t arg)
{
	struct sim_control *c = &sim->control;
	uint16_t self = sim->options.workers;

	(void)context;
	(void)arg;
	c->scheduled = false;
	if (sim->down)
		return;
	if (c->asleep)
		mailbox_sleep_end(sim->hub, self);
	c->asleep = false;
	c->woken = false;
	mailbox_receive(sim->hub, self, 256, control_handle, sim);
	(void)snapshot_reclaim(sim->snapshots);
	c->asleep = mailbox_sleep_begin(sim->hub, self);
	if (!c->asleep) {
		c->scheduled = true;
		sim_at(sim, sim->now_us + 10, control_turn, NULL, 0);
	}
}

static void wake(void *context, uint16_t endpoint)
{
	struct sim *sim = context;

	if (endpoint < sim->options.workers && endpoint < SIM_WORKERS_MAX) {
		sim->worker[endpoint].woken = true;
		turn_in(sim, &sim->worker[endpoint], sim->now_us + sim_between(sim, 1, 500));
		return;
	}
	sim->control.woken = true;
	if (!sim->control.scheduled)
		sim_at(sim, sim->now_us + sim_between(sim, 1, 5000), control_turn, NULL, 0);
	sim->control.scheduled = true;
}

void sim_arrived(struct sim *sim, uint16_t number)
{
	struct sim_host *h = number == SIM_HOST_WICS ? &sim->wic_host : &sim->core_host;

	if (number < SIM_WORKERS_MAX) {
		turn_in(sim, &sim->worker[number], sim->now_us + sim_between(sim, 1, 300));
	} else if (!h->turning) {
		h->turning = true;
		sim_at(sim, sim->now_us + 1, host_turn, h, 0);
	}
}

static void command(struct sim *sim, uint16_t worker, enum command_kind what)
{
	struct message_command m = {
		.head = {MESSAGE_COMMAND, sizeof(m)},
		.id = ++sim->control.asked,
		.what = what,
		.max = sim_below(sim, 100),
	};

	if (sim->down)
		return;
	if (mailbox_send(sim->hub, sim->options.workers, worker, span_of(&m, sizeof(m)),
			 SPAN("")) != GW_OK)
		sim_note(sim, "control: ring to worker %u is full", worker);
}

static void control_asks(struct sim *sim, void *context, uint64_t arg)
{
	(void)context;
	(void)arg;
	command(sim, (uint16_t)sim_below(sim, sim->options.workers),
		(enum command_kind)sim_between(sim, COMMAND_CONNECTIONS, COMMAND_BINDINGS));
	if (!sim->draining)
		sim_at(sim, sim->now_us + sim_between(sim, 1, sim_s(10)), control_asks, NULL, 0);
}

static void reload(struct sim *sim, void *context, uint64_t arg)
{
	bool served = !sim->shape.disowns || !sim->wwsf_1_served || sim_chance(sim, 50);

	(void)context;
	(void)arg;
	if (sim_chance(sim, 30) && sim->now_us > sim->rotated_us + ROTATED_US) {
		sim->key_round++;
		sim->rotated_us = sim->now_us;
	}
	sim->disowned_once |= !served;
	sim_note(sim, "reload: flow key %u%s", sim->key_round, served ? "" : ", site 1 disowned");
	parts_publish(sim, served);
	if (!sim->draining)
		sim_at(sim, sim->now_us + sim_between(sim, 1000, sim_s(30)), reload, NULL, 0);
}

static void meddle(struct sim *sim, void *context, uint64_t arg)
{
	(void)context;
	(void)arg;
	if (sim->draining)
		return;
	if (sim->pool != NULL)
		pool_meddle(sim);
	else if (sim->members != NULL && (sim->guests == NULL || sim_chance(sim, 60)))
		members_meddle(sim);
	else if (sim->guests != NULL)
		guests_meddle(sim);
	sim_at(sim, sim->now_us + sim_between(sim, 1000, sim_s(15)), meddle, NULL, 0);
}

static void every_second(struct sim *sim, void *context, uint64_t arg)
{
	(void)context;
	(void)arg;
	watch_requests(sim);
	watch_calls(sim);
	if (sim->members != NULL)
		watch_block_kept(sim);
	sim_at(sim, sim->now_us + SECOND, every_second, NULL, 0);
	sim_arrived(sim, SIM_HOST_WICS);
	sim_arrived(sim, SIM_HOST_CORE);
}

/* ---- birth and death --------------------------------------------------------------------------
 */

static uint64_t env_now_us(void *context)
{
	return sim_now(context);
}

static uint64_t env_wall_us(void *context)
{
	return sim_wall_us(context);
}

static uint64_t env_random(void *context)
{
	return sim_random(context);
}

static void worker_start(struct sim *sim, uint16_t index)
{
	bool tight = sim->shape.tight;
	struct worker_config config = {
		.index = index,
		.workers = sim->options.workers,
		.epoch = sim->restarts * 100000 + 1 + (uint32_t)sim_below(sim, 1000),
		.sizes = {.connections = tight ? 6 : 32,
			  .bindings = tight ? 3 : 32,
			  .transactions = tight ? 8 : 256,
			  .max_message = SIM_MESSAGE_MAX,
			  .max_output = 16384,
			  .verify_jobs = tight ? 2 : 32,
			  .large_buffers = tight ? 24 : 64,
			  .parked = tight ? 2 : 16,
			  .held = tight ? 1 : 8,
			  .token_cache = tight ? 2 : 64,
			  .token_refused = tight ? 2 : 64,
			  .lease_tombstones = tight ? 8 : 64},
		.env = &sim->env,
		.hub = sim->hub,
		.snapshots = sim->snapshots,
		.net = {[NET_KERNEL] = &net_sim},
		.tls = &tls_clear,
		.verifier = sim->options.openssl       ? &verifier_openssl
			    : sim->shape.slow_verifier ? &verifier_sim_slow
						       : &verifier_sim,
	};
	struct sim_worker *w = &sim->worker[index];
	char why[128];

	if (worker_new(&config, why, sizeof(why), &w->worker) != GW_OK) {
		fprintf(stderr, "worker %u: %s\n", index, why);
		abort();
	}
	snapshot_online(sim->snapshots, index);
	w->turn_at = UINT64_MAX;
	turn_in(sim, w, sim->now_us + index);
}

/** TLS is left out: contexts of nothing. */
static void tls_start(struct sim *sim)
{
	struct tls_config config = {0};
	struct tls_fault fault;
	struct tls_part *part;

	if (tls_part_new(&tls_clear, &config, sim->options.workers, &fault, &part) != GW_OK ||
	    snapshot_publish(sim->snapshots, SNAPSHOT_TLS, &part->part) != GW_OK)
		abort();
}

static void workers_start(struct sim *sim)
{
	sim->hub = mailbox_hub_new((uint16_t)(sim->options.workers + 1), RING_BYTES, wake, sim);
	simnet_enter(sim->net);
	sim->down = false;
	for (uint16_t i = 0; i < sim->options.workers; i++)
		worker_start(sim, i);
	journal_script_restore(sim);
	sim->control.asleep = false;
	sim->control.woken = false;
	sim->control.scheduled = true;
	sim_at(sim, sim->now_us, control_turn, NULL, 0);
}

static void workers_stop(struct sim *sim)
{
	for (uint16_t i = 0; i < sim->options.workers && !sim->down; i++) {
		struct sim_worker *w = &sim->worker[i];

		if (sim->pool != NULL)
			watch_pool_counted(sim, i);
		if (w->asleep)
			worker_sleep_end(w->worker);
		snapshot_offline(sim->snapshots, i);
		worker_free(w->worker);
		*w = (struct sim_worker){.ticket = w->ticket + 1};
	}
	if (!sim->down)
		mailbox_hub_free(sim->hub);
	sim->down = true;
}

static void gateway_rises(struct sim *sim, void *context, uint64_t arg)
{
	(void)context;
	(void)arg;
	sim->key_round += sim_below(sim, 4) == 0 ? 1 + sim_below(sim, 2) : 0;
	sim_note(sim, "the gateway is back: flow key %u", sim->key_round);
	parts_publish(sim, sim->wwsf_1_served);
	sim->restarted_us = sim->now_us;
	tls_start(sim);
	workers_start(sim);
}

/** The whole gateway: what it knew is lost but its keys, and its handles begin elsewhere. */
static void gateway_dies(struct sim *sim, void *context, uint64_t arg)
{
	(void)context;
	(void)arg;
	if (sim->draining)
		return;
	sim_note(sim, "the gateway dies");
	journal_script_last(sim);
	workers_stop(sim);
	sim->restarts++;
	sim->restarted_us = sim->now_us;
	sim_at(sim, sim->now_us + sim_between(sim, 1, sim_s(3)), gateway_rises, NULL, 0);
	sim_at(sim, sim->now_us + sim_between(sim, sim_s(10), sim_s(60)), gateway_dies, NULL, 0);
}

static void host_start(struct sim *sim, struct sim_host *h, uint16_t number)
{
	struct net_config config = {
		.worker = number,
		.limits = {.connections = 1000, .user_timeout_us = sim_s(60)},
		.clock = &h->clock,
	};

	h->number = number;
	if (net_open(&net_sim, &config, &h->core) != GW_OK)
		abort();
}

static void world_start(struct sim *sim)
{
	sim->sched = sched_new();
	sim->watch = watch_new();
	sim->shape = shape_draw(sim);
	sim->env = (struct worker_env){sim, env_now_us, env_wall_us, env_random};
	sim->calls = calls_new();
	sim->journal = journal_script_new();
	sim->pool = sim->shape.pool_pairs > 0 ? pool_new() : NULL;
	sim->guests = sim->shape.guests > 0 ? guests_new(sim) : NULL;
	sim->members = sim->shape.members > 0 ? members_new(sim) : NULL;
	sim->events = sim->shape.reg_event ? events_new(sim) : NULL;
	sim->request = table_new(SIM_REQUESTS_MAX * sizeof(*sim->request));
	sim->net = simnet_new(sim);
	simnet_enter(sim->net);
	sim->snapshots = snapshot_root_new(sim->options.workers);
	tls_start(sim);
	sim->maker = token_maker_new(sim->options.openssl);
	sim->rotation = (struct sim_rotation){.signing = 1, .known = 1};
	sim->key_round = 1;
	parts_publish(sim, true);
	workers_start(sim);
	host_start(sim, &sim->wic_host, SIM_HOST_WICS);
	host_start(sim, &sim->core_host, SIM_HOST_CORE);
	sim->core = core_new(sim);
	sim->wics = wics_new(sim);
	sim_at(sim, sim_between(sim, 0, sim_s(5)), control_asks, NULL, 0);
	sim_at(sim, sim_between(sim, 0, sim_s(30)), reload, NULL, 0);
	if (sim->shape.rotates)
		sim_at(sim, sim_between(sim, 0, sim_s(30)), rotate, NULL, 0);
	if (sim->shape.restarts)
		sim_at(sim, sim_between(sim, sim_s(10), sim_s(60)), gateway_dies, NULL, 0);
	if (sim->shape.pool_meddled)
		sim_at(sim, sim_between(sim, sim_s(5), sim_s(20)), meddle, NULL, 0);
	sim_at(sim, SECOND, every_second, NULL, 0);
}

static void world_end(struct sim *sim)
{
	simnet_enter(sim->net);
	workers_stop(sim);
	net_close(sim->wic_host.core);
	net_close(sim->core_host.core);
	sim->core_host.core = NULL; /* nothing more is sent */
	sched_free(sim);
	wics_free(sim->wics);
	core_free(sim->core);
	simnet_free(sim->net);
	snapshot_root_free(sim->snapshots);
	token_maker_free(sim->maker);
	watch_free(sim->watch);
	calls_free(sim->calls);
	journal_script_free(sim->journal);
	pool_free(sim->pool);
	guests_free(sim->guests);
	members_free(sim->members);
	events_free(sim->events);
	table_free(sim->request, SIM_REQUESTS_MAX * sizeof(*sim->request));
}

static void run_until(struct sim *sim, uint64_t until_us)
{
	while (!sim_failed(sim) && sched_step(sim, until_us)) {
		watch_sleepers(sim);
		if (sim->steps > STEPS_MAX)
			sim_broken(sim, "comes-to-rest", "%u events and no end", STEPS_MAX);
	}
	sim->now_us = until_us > sim->now_us && !sim_failed(sim) ? until_us : sim->now_us;
}

/** Transactions whose WICs have gone end by their timers. */
static void come_to_rest(struct sim *sim)
{
	uint64_t until_us = sim->now_us + AFTER_DRAIN_US + sim->shape.timer_c_s * SECOND;

	do
		run_until(sim, sim->now_us + 5 * SECOND);
	while (!sim_failed(sim) && !watch_rests(sim) && sim->now_us < until_us);
}

static uint32_t leaving(const struct sim *sim)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < sim->options.workers; i++) {
		struct worker_balance b = worker_balance(sim->worker[i].worker);

		n += b.leaving + b.blocks;
	}
	return n;
}

/** What has lost its connection, and the block, are de-registered, and a core that answers lets
 * them go. */
static void say_farewell(struct sim *sim)
{
	uint64_t until_us = sim->now_us + FAREWELL_US;

	while (!sim_failed(sim) && leaving(sim) > 0 && sim->now_us < until_us)
		run_until(sim, sim->now_us + SECOND);
	if (!sim_failed(sim) && leaving(sim) > 0)
		sim_broken(sim, "farewells-end", "%u bindings and blocks are still about to leave",
			   leaving(sim));
}

static void drain(struct sim *sim)
{
	while (sim->down && !sim_failed(sim)) /* it is on its way back */
		run_until(sim, sim->now_us + SECOND);
	sim->draining = true;
	sim_note(sim, "drain");
	for (uint16_t i = 0; i < sim->options.workers; i++)
		command(sim, i, COMMAND_DRAIN);
	run_until(sim, sim->now_us + CORE_LEAVES_US);
	say_farewell(sim);
	core_drain(sim->core);
	come_to_rest(sim);
	if (!sim_failed(sim))
		watch_drained(sim);
	for (uint16_t i = 0; i < sim->options.workers && sim->pool != NULL; i++)
		watch_pool_counted(sim, i);
	if (sim->pool != NULL)
		watch_pool_drained(sim);
	if (sim->members != NULL)
		watch_block_drained(sim);
}

static bool run(const struct sim_options *options)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	bool held;

	sim->options = *options;
	sim_seed(sim,
		 (options->seed + (uint64_t)options->mode * UINT32_MAX) * 8 + options->workers);
	/* apart, so that a seed has the world that it always had */
	sim->wall_part_us =
		(uint32_t)((options->seed * 0x9e3779b97f4a7c15ull >> 32) * SECOND >> 32);
	sim_step_draw(sim);
	world_start(sim);
	run_until(sim, sim->shape.run_us);
	if (!sim_failed(sim))
		drain(sim);
	held = !sim_failed(sim);
	if (!held && options->notes)
		watch_report(sim);
	world_end(sim);
	free(sim);
	return held;
}

bool sim_run(const struct sim_options *options)
{
	struct sim_options noted = *options;

	noted.notes = true;
	if (options->trace || options->openssl) /* real keys are never the same twice */
		return run(&noted);
	if (run(options))
		return true;
	if (run(&noted))
		fprintf(stderr, "seed %llu broke something, and nothing when it was run again\n",
			(unsigned long long)options->seed);
	return false;
}
