/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>

#define LONG_TURN_US 2000
#define TIMERS_PER_TURN 256
#define MESSAGES_PER_TURN 256
#define RESUMED_PER_TURN 64 /* as many signatures as go to the driver at a time */

/* ---- what the gateway asks of its worker ---------------------------------------------------- */

void worker_from_mw(struct worker *w, const struct mw_source *source, struct span bytes)
{
	if (worker_traces(w))
		tracing_mw(w, TRACE_FROM_CORE, source->transport, &source->peer, bytes);
	gateway_from_mw(w->gateway, source, bytes);
}

uint64_t worker_random(void *context)
{
	struct worker *w = context;

	return w->config.env->random(w->config.env->context);
}

static struct wic *env_wic(void *context, struct handle flow)
{
	return session_wic(context, flow);
}

static enum gw_err env_to_wic(void *context, struct handle flow, struct span bytes)
{
	return session_send(context, flow, bytes);
}

static enum gw_err env_to_mw(void *context, const struct mw_target *target, struct span bytes)
{
	struct worker *w = context;
	enum gw_err err = mw_request(w, target, bytes);

	if (worker_traces(w) && err == GW_OK)
		tracing_mw(w, TRACE_TO_CORE, target->transport, &target->address, bytes);
	return err;
}

static enum gw_err env_to_worker(void *context, uint16_t worker, struct span head,
				 struct span bytes)
{
	struct worker *w = context;
	enum gw_err err = mailbox_send(w->config.hub, w->config.index, worker, head, bytes);

	if (err != GW_OK) {
		counter_add(&w->counters.mailbox_full, 1);
		worker_count(w, err);
	}
	return err;
}

static enum gw_err env_to_source(void *context, const struct mw_source *source, struct span bytes)
{
	struct worker *w = context;
	struct message_reply reply = {
		.head = {MESSAGE_REPLY, (uint32_t)sizeof(reply) + bytes.len},
		.what = REPLY_SEND,
		.source = *source,
	};

	if (worker_traces(w))
		tracing_mw(w, TRACE_TO_CORE, source->transport, &source->peer, bytes);
	if (source->worker == w->config.index)
		return mw_respond(w, source, bytes);
	counter_add(&w->counters.reply_out, 1);
	return env_to_worker(w, source->worker, span_of(&reply, sizeof(reply)), bytes);
}

static bool env_hop_up(void *context, const struct mw_target *target)
{
	return mw_hop_up(context, target);
}

static void env_event(void *context, const struct message_event *event)
{
	struct message_event copy = *event;
	uint32_t behind =
		event->head.len > sizeof(copy) ? event->head.len - (uint32_t)sizeof(copy) : 0;

	worker_event_with(context, &copy, span_of(event + 1, behind));
}

struct verify_job *worker_job(void *context)
{
	struct worker *w = context;

	return slots_get_unzeroed(w->jobs);
}

static void job_put(struct worker *w, struct verify_job *job)
{
	if (!slots_put(w->jobs, job))
		counter_add(&w->counters.invariant_broken, 1);
}

void worker_submit(void *context, struct verify_job *job)
{
	struct worker *w = context;
	struct session *s =
		job->waiter == VERIFY_WAITER_FLOW ? slots_at(w->sessions, job->owner) : NULL;

	if (s != NULL) {
		s->job = slots_handle(w->jobs, job);
	} else if (job->waiter == VERIFY_WAITER_FLOW || handle_is_none(job->owner)) {
		job_put(w, job);
		return;
	}
	w->batch[w->batch_count++] = job;
}

/* ---- counting and telling ------------------------------------------------------------------- */

enum gw_err worker_count(struct worker *w, enum gw_err err)
{
	counter_add(&w->counters.errors[err], 1);
	return err;
}

void worker_event_with(struct worker *w, struct message_event *event, struct span trace)
{
	event->head = (struct message_head){MESSAGE_EVENT, (uint32_t)sizeof(*event) + trace.len};
	if (mailbox_send(w->config.hub, w->config.index, w->config.workers,
			 span_of(event, sizeof(*event)), trace) != GW_OK)
		counter_add(&w->counters.event_dropped, 1);
}

void worker_event(struct worker *w, struct message_event *event)
{
	worker_event_with(w, event, SPAN(""));
}

const struct counters *worker_counters(const struct worker *w)
{
	return &w->counters;
}

/* ---- one turn ------------------------------------------------------------------------------- */

static void worker_reply(struct worker *w, const struct message_reply *reply, struct span bytes)
{
	if (reply->what == REPLY_RESPONSE)
		gateway_response(w->gateway, &reply->source, bytes);
	else if (mw_respond(w, &reply->source, bytes) != GW_OK)
		counter_add(&w->counters.mailbox_stale, 1);
}

static void worker_message(void *context, uint16_t from, struct span message)
{
	const void *at = message.at;
	const struct message_head *head = at;
	struct worker *w = context;

	(void)from;
	w->busy = true;
	switch (head->kind) {
	case MESSAGE_DELIVER:
		counter_add(&w->counters.deliver_in, 1);
		gateway_delivered(w->gateway, at,
				  span_from(message, sizeof(struct message_deliver)));
		return;
	case MESSAGE_DELIVER_HOME:
		counter_add(&w->counters.deliver_in, 1);
		gateway_delivered_home(w->gateway, at,
				       span_from(message, sizeof(struct message_deliver_home)));
		return;
	case MESSAGE_ATTACH:
	case MESSAGE_ATTACHED:
	case MESSAGE_DETACH:
	case MESSAGE_ENDED:
	case MESSAGE_BARRED:
		gateway_home_message(w->gateway, head);
		return;
	case MESSAGE_LEASE_RESERVE ... MESSAGE_LEASE_ENDED:
		gateway_lease_message(w->gateway, head);
		return;
	case MESSAGE_BLOCK_WAY:
		gateway_block_way(w->gateway, at);
		return;
	case MESSAGE_DELIVER_BLOCK:
		counter_add(&w->counters.deliver_in, 1);
		gateway_delivered_block(w->gateway, at,
					span_from(message, sizeof(struct message_deliver_block)));
		return;
	case MESSAGE_FORK_BRANCH ... MESSAGE_FORK_CANCEL:
		gateway_fork_message(w->gateway, head, message);
		return;
	case MESSAGE_REGISTRAR_ASK ... MESSAGE_REGISTRAR_ENDED:
		gateway_registrar_message(w->gateway, head, message);
		return;
	case MESSAGE_BLOCK:
		gateway_block(w->gateway, at, span_from(message, sizeof(struct message_block)));
		return;
	case MESSAGE_REPLY:
		worker_reply(w, at, span_from(message, sizeof(struct message_reply)));
		return;
	case MESSAGE_COMMAND:
		command_run(w, message);
		return;
	case MESSAGE_JOURNAL_AGAIN:
		gateway_journal_again(w->gateway);
		return;
	default:
		worker_count(w, GW_NOT_SUPPORTED);
	}
}

static void verdict(struct worker *w, const struct verify_job *job)
{
	if (job->waiter == VERIFY_WAITER_PARKED)
		gateway_parked_verdict(w->gateway, job->owner, job->verdict);
	else if (job->waiter == VERIFY_WAITER_COMMAND)
		command_verdict(w, job);
	else
		session_verdict(w, job->owner, slots_handle(w->jobs, job), job->verdict);
}

/** Signatures of this turn go to the driver together; what is done comes back. */
static void verifier_turn(struct worker *w)
{
	struct verify_job *done[VERIFY_BATCH];
	uint16_t taken = 0, n;

	if (w->batch_count > 0) {
		n = w->batch_count < VERIFY_BATCH ? (uint16_t)w->batch_count : VERIFY_BATCH;
		taken = w->config.verifier->submit(w->verifier, w->batch, n);
		counter_add(&w->counters.verify_jobs, taken);
		counter_add(&w->counters.verify_live, taken);
		w->batch_count -= taken;
		memmove(w->batch, w->batch + taken, w->batch_count * sizeof(w->batch[0]));
	}
	n = w->config.verifier->poll(w->verifier, done, VERIFY_BATCH);
	counter_sub(&w->counters.verify_live, n);
	for (uint16_t i = 0; i < n; i++) {
		verdict(w, done[i]);
		job_put(w, done[i]);
	}
	w->busy = w->busy || n > 0;
}

/** Parked requests whose keys, verdict or deadline have come go on. */
static void resume_turn(struct worker *w)
{
	struct gateway_resumed resumed;

	for (uint32_t n = 0; n < RESUMED_PER_TURN && gateway_resume(w->gateway, &resumed); n++) {
		w->busy = true;
		session_resumed(w, &resumed);
	}
}

/** REGISTERs whose pair's home worker has answered go on. */
static void lease_turn(struct worker *w)
{
	struct handle flow;

	while (gateway_leased(w->gateway, &flow)) {
		w->busy = true;
		session_leased(w, flow);
	}
}

/** Ends what an operator has taken back, a turn looks at some; what was taken over; and
 * whom the core has sent away. */
static void ended_turn(struct worker *w)
{
	struct gateway_ended ended;
	bool more;

	while (gateway_replaced(w->gateway, &ended))
		session_end(w, &ended);
	while (gateway_sent_away(w->gateway, &ended))
		session_end(w, &ended);
	while (gateway_revoked(w->gateway, &ended, &more))
		session_end(w, &ended);
	w->busy = w->busy || more;
}

static uint64_t worker_now_us(const struct worker *w)
{
	return w->config.env->now_us(w->config.env->context);
}

/** Takes this turn's time and view. The wall's is read last: should the system hold this thread up
 * between the two, tokens end too early and not too late. */
static struct gateway_time worker_look(struct worker *w)
{
	struct gateway_time time = {.view = &w->view, .now_us = worker_now_us(w)};

	time.wall_us = w->config.env->wall_us(w->config.env->context);
	w->clock.now_us = time.now_us;
	snapshot_view(w->config.snapshots, &w->view);
	return time;
}

static void worker_begin(struct worker *w)
{
	struct gateway_time time = worker_look(w);

	session_tls_context(w);
	gateway_turn(w->gateway, &time);
	back_end_peers(w);
}

uint16_t worker_home(const uint8_t hash_key[16], const struct message_journal *m, uint16_t workers)
{
	struct journal_names names;

	return journal_names(m, &names) ? (uint16_t)(gateway_hash(hash_key, names.impi) % workers)
					: 0;
}

enum gw_err worker_restore(struct worker *w, const struct message_journal *m)
{
	struct gateway_time time = worker_look(w);

	gateway_turn(w->gateway, &time);
	return gateway_restore(w->gateway, m);
}

/** What the log is told once: that a drain is done, and that an invariant broke in this turn. */
static void worker_tell(struct worker *w)
{
	uint64_t broken = counter_read(&w->counters.invariant_broken);
	struct message_event event = {.err = GW_INVARIANT, .what = EVENT_INVARIANT};

	if (broken != w->broken_told) {
		w->broken_told = broken;
		worker_event(w, &event);
	}
	if (w->draining && !w->drained && counter_read(&w->counters.conn_live) == 0) {
		w->drained = true;
		event = (struct message_event){.what = EVENT_DRAINED};
		worker_event(w, &event);
	}
}

static void worker_count_turn(struct worker *w, uint64_t us)
{
	counter_add(&w->counters.loop_turns, 1);
	counter_max(&w->counters.loop_longest_us, us);
	if (us >= LONG_TURN_US)
		counter_add(&w->counters.loop_long_turns, 1);
}

bool worker_turn(struct worker *w)
{
	uint64_t began_us;

	w->busy = false;
	worker_begin(w);
	began_us = w->clock.now_us;
	back_end_receive(w);
	mailbox_receive(w->config.hub, w->config.index, MESSAGES_PER_TURN, worker_message, w);
	w->busy |= gateway_timers(w->gateway, TIMERS_PER_TURN) > 0;
	if (w->draining)
		w->busy |= session_drain(w);
	session_tls_turn(w);
	back_end_run_ready(w); /* TLS, WebSocket, SIP, procedures: session.c, mw.c */
	verifier_turn(w);
	lease_turn(w);
	resume_turn(w);
	ended_turn(w);
	w->clock.now_us = worker_now_us(w); /* when segments leave, for RTTs (TCP.md 4.1, 6) */
	back_end_transmit(w);
	worker_tell(w);
	snapshot_quiescent(w->config.snapshots, w->config.index);
	worker_count_turn(w, worker_now_us(w) - began_us);
	return w->busy || w->batch_count > 0 || session_tls_waiting(w) ||
	       counter_read(&w->counters.verify_live) > 0 || !back_end_idle(w);
}

uint64_t worker_next_us(const struct worker *w)
{
	uint64_t next = gateway_next_us(w->gateway), net = back_end_next_us(w);

	return net < next ? net : next;
}

bool worker_sleep_begin(struct worker *w)
{
	snapshot_offline(w->config.snapshots, w->config.index);
	if (mailbox_sleep_begin(w->config.hub, w->config.index)) {
		counter_add(&w->counters.loop_sleeps, 1);
		return true;
	}
	snapshot_online(w->config.snapshots, w->config.index);
	return false;
}

void worker_sleep_end(struct worker *w)
{
	if (!mailbox_asleep(w->config.hub, w->config.index))
		counter_add(&w->counters.loop_wakes, 1);
	mailbox_sleep_end(w->config.hub, w->config.index);
	snapshot_online(w->config.snapshots, w->config.index);
}

/** Offline for RCU, "asleep", one more look, then one epoll (DESIGN 5). */
static void worker_sleep(struct worker *w)
{
	uint64_t timers_us = gateway_next_us(w->gateway), net_us;

	if (!worker_sleep_begin(w))
		return;
	net_us = back_end_sleep_begin(w);
	if (!atomic_load_explicit(&w->stop, memory_order_acquire))
		sleep_wait(w, net_us < timers_us ? net_us : timers_us);
	back_end_sleep_end(w);
	worker_sleep_end(w);
}

void worker_run(struct worker *w)
{
	snapshot_online(w->config.snapshots, w->config.index);
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		bool busy = worker_turn(w);

		if (!busy && w->config.idle == WORKER_SLEEP)
			worker_sleep(w);
	}
	snapshot_offline(w->config.snapshots, w->config.index);
}

void worker_stop(struct worker *w)
{
	atomic_store_explicit(&w->stop, true, memory_order_seq_cst);
	mailbox_nudge(w->config.hub, w->config.index);
}

/* ---- birth and death ------------------------------------------------------------------------ */

static enum gw_err open_pools(struct worker *w)
{
	const struct worker_sizes *sizes = &w->config.sizes;
	uint16_t index = w->config.index;
	uint32_t epoch = w->config.epoch;

	w->large_size = sizes->max_message + WS_READER_SLACK;
	if (w->large_size < sizes->max_output)
		w->large_size = sizes->max_output;
	if (w->large_size < LARGE_BUFFER_MIN)
		w->large_size = LARGE_BUFFER_MIN;
	w->scratch_size = w->large_size + 32768;
	w->scratch = malloc(w->scratch_size);
	w->answer = malloc(w->scratch_size);
	w->batch = calloc(sizes->verify_jobs, sizeof(struct verify_job *));
	w->sessions = slots_new(index, sizes->connections, sizeof(struct session), epoch);
	w->links = slots_new(index, MW_LINKS_MAX, sizeof(struct mw_link), epoch);
	w->small = slots_new(index, sizes->connections, SMALL_BUFFER, epoch);
	w->large = slots_new(index, sizes->large_buffers, w->large_size, epoch);
	w->link_buffers = slots_new(index, 2 * MW_LINKS_MAX, w->large_size, epoch);
	w->jobs = slots_new(index, sizes->verify_jobs, sizeof(struct verify_job), epoch);
	if (!w->scratch || !w->answer || !w->batch || !w->sessions || !w->links || !w->small ||
	    !w->large || !w->link_buffers || !w->jobs)
		return GW_NO_MEMORY;
	return GW_OK;
}

static enum gw_err open_tls(struct worker *w, char *why, uint32_t why_len)
{
	w->tls = w->config.tls != NULL ? w->config.tls : &tls_libssl;
	session_tls_context(w);
	if (w->tls_context != NULL)
		return GW_OK;
	snprintf(why, why_len, "no TLS context is published for it");
	return GW_CONFIG;
}

static enum gw_err open_verifier(struct worker *w)
{
	struct verifier_config config = {w->config.index, w->config.sizes.verify_jobs};

	return w->config.verifier->open(&config, &w->verifier);
}

static enum gw_err open_gateway(struct worker *w)
{
	struct gateway_config config = {
		.worker = w->config.index,
		.workers = w->config.workers,
		.max_bindings = w->config.sizes.bindings,
		.max_transactions = w->config.sizes.transactions,
		.max_message = w->config.sizes.max_message,
		.max_parked = w->config.sizes.parked,
		.max_held = w->config.sizes.held,
		.verify_jobs = w->config.sizes.verify_jobs,
		.token_cache = w->config.sizes.token_cache,
		.token_refused = w->config.sizes.token_refused,
		.lease_tombstones = w->config.sizes.lease_tombstones,
		.epoch = w->config.epoch,
		.now_us = w->clock.now_us,
		.counters = &w->counters,
		.env = &w->gateway_env,
	};

	w->gateway_env = (struct gateway_env){
		.context = w,
		.random = worker_random,
		.wic = env_wic,
		.to_wic = env_to_wic,
		.to_mw = env_to_mw,
		.to_source = env_to_source,
		.to_worker = env_to_worker,
		.hop_up = env_hop_up,
		.event = env_event,
		.job = worker_job,
		.submit = worker_submit,
	};
	w->gateway = gateway_new(&config);
	return w->gateway != NULL ? GW_OK : GW_NO_MEMORY;
}

static enum gw_err open_net(struct worker *w, char *why, uint32_t why_len)
{
	const struct config_part *config = w->view.config;
	enum gw_err err = back_end_open(w);
	char text[ENDPOINT_TEXT_MAX];

	if (err == GW_OK)
		err = sleep_open(w);
	for (uint32_t i = 0; err == GW_OK && i < config->access_count; i++) {
		const struct listen_config *listen = &config->access[i];

		err = net_listen(w->net[listen->back_end], &listen->address, &session_ops, w);
		if (err != GW_OK)
			snprintf(why, why_len, "cannot listen on %s",
				 endpoint_format(&listen->address, text));
	}
	if (err == GW_OK) {
		err = mw_listen(w);
		if (err != GW_OK)
			snprintf(why, why_len, "cannot open the Mw ports at %s",
				 endpoint_format(&config->mw_address, text));
	}
	return err;
}

enum gw_err worker_new(const struct worker_config *config, char *why, uint32_t why_len,
		       struct worker **made)
{
	struct worker *w = aligned_alloc(64, (sizeof(*w) + 63) / 64 * 64);
	enum gw_err err = GW_NO_MEMORY;

	if (w == NULL)
		return err;
	memset(w, 0, sizeof(*w));
	w->config = *config;
	w->epoll_fd = -1;
	TAILQ_INIT(&w->tls_waiting);
	w->clock.now_us = config->env->now_us(config->env->context);
	snprintf(why, why_len, "out of memory");
	snapshot_view(config->snapshots, &w->view);
	err = open_pools(w);
	if (err == GW_OK)
		err = session_admit_open(w);
	if (err == GW_OK)
		err = tracing_open(w);
	if (err == GW_OK)
		err = open_tls(w, why, why_len);
	if (err == GW_OK)
		err = open_verifier(w);
	if (err == GW_OK)
		err = open_gateway(w);
	if (err == GW_OK)
		err = open_net(w, why, why_len);
	if (err != GW_OK) {
		worker_free(w);
		return err;
	}
	*made = w;
	return GW_OK;
}

void worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	snapshot_view(w->config.snapshots, &w->view);
	back_end_close(w);
	sleep_close(w);
	gateway_free(w->gateway);
	if (w->verifier != NULL)
		w->config.verifier->close(w->verifier);
	if (w->tls != NULL) {
		w->tls->context_free(w->tls_context);
		w->tls->context_free(w->mw_tls_context);
	}
	session_admit_close(w);
	tracing_close(w);
	slots_free(w->sessions);
	slots_free(w->links);
	slots_free(w->small);
	slots_free(w->large);
	slots_free(w->link_buffers);
	slots_free(w->jobs);
	free(w->batch);
	free(w->answer);
	free(w->scratch);
	free(w);
}

struct worker_balance worker_balance(const struct worker *w)
{
	return (struct worker_balance){
		.sessions = slots_live(w->sessions),
		.bindings = gateway_bindings(w->gateway),
		.leaving = gateway_leaving(w->gateway),
		.homes = gateway_homes(w->gateway),
		.leases = gateway_leases(w->gateway),
		.lease_waits = gateway_lease_waits(w->gateway),
		.transactions = gateway_transactions(w->gateway),
		.finished = gateway_finished(w->gateway),
		.parked = gateway_parked(w->gateway),
		.held = gateway_held(w->gateway),
		.wildcards = gateway_wildcards(w->gateway),
		.reg_events = gateway_reg_events(w->gateway),
		.blocks = gateway_blocks(w->gateway),
		.registrar = gateway_registrar(w->gateway),
		.links = slots_live(w->links),
		.jobs = slots_live(w->jobs),
		.counted = rates_live(w->addresses) + rates_live(w->sites),
		.small_buffers = slots_live(w->small),
		.large_buffers = slots_live(w->large) + slots_live(w->link_buffers),
	};
}

bool worker_registration(const struct worker *w, uint32_t *cursor,
			 struct worker_registration *registration)
{
	return gateway_registration(w->gateway, cursor, registration);
}

bool worker_block(const struct worker *w, uint32_t *cursor, struct row_block *block)
{
	return gateway_block_rows(w->gateway, cursor, 1, block) > 0;
}

bool worker_lease(const struct worker *w, uint32_t *cursor, struct worker_lease *lease)
{
	return gateway_lease(w->gateway, cursor, lease);
}
