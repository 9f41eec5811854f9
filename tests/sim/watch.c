/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_sim.h"

#include <stdio.h>
#include <stdlib.h>

/* The invariants of a worker, of the mail and of the requests; and what is told when one breaks. */

#define NOTES 60
#define NOTE_MAX 220
#define FINAL_ANSWER_US (40 * SECOND)
#define FINAL_ANSWER_SLOW_US (130 * SECOND) /* each late verdict is given up at the next ping */

struct note {
	uint64_t at_us;
	char text[NOTE_MAX];
};

struct watch {
	bool broken;
	char what[NOTE_MAX];
	struct note note[NOTES];
	uint64_t notes;
};

struct watch *watch_new(void)
{
	return calloc(1, sizeof(struct watch));
}

void watch_free(struct watch *watch)
{
	free(watch);
}

static void note_print(const struct note *note, FILE *file, const char *before)
{
	fprintf(file, "%s%10.6f %s\n", before, (double)note->at_us / 1e6, note->text);
}

void sim_note(struct sim *sim, const char *format, ...)
{
	struct watch *w = sim->watch;
	struct note *note;
	va_list args;

	if (!sim->options.notes)
		return;
	note = &w->note[w->notes++ % NOTES];
	note->at_us = sim->now_us;
	va_start(args, format);
	vsnprintf(note->text, sizeof(note->text), format, args);
	va_end(args);
	if (sim->options.trace)
		note_print(note, stdout, "");
}

void sim_broken(struct sim *sim, const char *name, const char *format, ...)
{
	struct watch *w = sim->watch;
	va_list args;
	int n;

	if (w->broken)
		return;
	w->broken = true;
	n = snprintf(w->what, sizeof(w->what), "%s: ", name);
	va_start(args, format);
	vsnprintf(w->what + n, sizeof(w->what) - (size_t)n, format, args);
	va_end(args);
}

bool sim_failed(const struct sim *sim)
{
	return sim->watch->broken;
}

const char *sim_mode_flag(enum sim_mode mode)
{
	static const char *const flags[SIM_MODES] = {"", " --pool", " --wildcard", " --scenarios"};

	return flags[mode];
}

void watch_report(const struct sim *sim)
{
	const struct watch *w = sim->watch;
	uint64_t from = w->notes > NOTES ? w->notes - NOTES : 0;

	for (uint64_t i = from; i < w->notes && !sim->options.trace; i++)
		note_print(&w->note[i % NOTES], stderr, "  ");
	fprintf(stderr, "BROKEN at %.6f s: %s\n", (double)sim->now_us / 1e6, w->what);
	fprintf(stderr, "reproduce: sim --seed %llu --workers %u%s%s%s\n",
		(unsigned long long)sim->options.seed, sim->options.workers,
		sim->options.openssl ? " --openssl" : "", sim->options.events ? " --events" : "",
		sim_mode_flag(sim->options.mode));
}

/* ---- one worker -------------------------------------------------------------------------------
 */

static void gauge(struct sim *sim, uint16_t index, const char *name, uint64_t gauge, uint64_t pool)
{
	if (gauge != pool)
		sim_broken(sim, "gauge-equals-pool", "worker %u: %s counts %llu, its pool has %llu",
			   index, name, (unsigned long long)gauge, (unsigned long long)pool);
}

void watch_worker(struct sim *sim, uint16_t index)
{
	const struct worker *w = sim->worker[index].worker;
	const struct counters *c = worker_counters(w);
	struct worker_balance b = worker_balance(w);

	gauge(sim, index, "conn_live", counter_read(&c->conn_live), b.sessions);
	gauge(sim, index, "binding_live", counter_read(&c->binding_live), b.bindings);
	gauge(sim, index, "transaction_live", counter_read(&c->transaction_live), b.transactions);
	gauge(sim, index, "transaction_finished", counter_read(&c->transaction_finished),
	      b.finished);
	gauge(sim, index, "parked_live", counter_read(&c->parked_live), b.parked);
	gauge(sim, index, "lease_live", counter_read(&c->lease_live), b.leases);
	gauge(sim, index, "held_live", counter_read(&c->held_live), b.held);
	gauge(sim, index, "wildcard_live", counter_read(&c->wildcard_live), b.wildcards);
	gauge(sim, index, "reg_event_live", counter_read(&c->reg_event_live), b.reg_events);
	gauge(sim, index, "registrar_live", counter_read(&c->registrar_live), b.registrar);
	if (b.wildcards > b.sessions)
		sim_broken(sim, "guest-has-a-flow", "worker %u: %u users, %u connections", index,
			   b.wildcards, b.sessions);
	if (counter_read(&c->verify_live) > b.jobs)
		gauge(sim, index, "verify_live", counter_read(&c->verify_live), b.jobs);
	if (counter_read(&c->session_live) > b.sessions)
		gauge(sim, index, "session_live", counter_read(&c->session_live), b.sessions);
	if (b.bindings > b.sessions)
		sim_broken(sim, "binding-has-a-flow", "worker %u: %u bindings, %u connections",
			   index, b.bindings, b.sessions);
	if (counter_read(&c->invariant_broken) > 0 || counter_read(&c->errors[GW_INVARIANT]) > 0)
		sim_broken(sim, "invariant-broken", "worker %u counts one", index);
}

void watch_sleepers(struct sim *sim)
{
	for (uint16_t i = 0; i < sim->options.workers && !sim->down; i++)
		if (sim->worker[i].asleep && !sim->worker[i].woken && !mailbox_empty(sim->hub, i))
			sim_broken(sim, "lost-wake-up", "worker %u sleeps over its mail", i);
	if (!sim->down && sim->control.asleep && !sim->control.woken &&
	    !mailbox_empty(sim->hub, sim->options.workers))
		sim_broken(sim, "lost-wake-up", "control sleeps over its mail");
}

bool watch_rests(const struct sim *sim)
{
	for (uint16_t i = 0; i < sim->options.workers; i++) {
		struct worker_balance b = worker_balance(sim->worker[i].worker);

		if ((b.sessions | b.bindings | b.leaving | b.homes | b.leases | b.lease_waits |
		     b.transactions | b.finished | b.parked | b.held | b.links | b.jobs |
		     b.small_buffers | b.large_buffers | b.counted | b.wildcards | b.reg_events |
		     b.blocks | b.registrar) != 0 ||
		    !mailbox_empty(sim->hub, i))
			return false;
	}
	return true;
}

void watch_drained(struct sim *sim)
{
	for (uint16_t i = 0; i < sim->options.workers; i++) {
		struct worker_balance b = worker_balance(sim->worker[i].worker);

		if ((b.sessions | b.bindings | b.leaving | b.homes | b.leases | b.lease_waits |
		     b.transactions | b.finished | b.parked | b.held | b.links | b.jobs |
		     b.small_buffers | b.large_buffers | b.counted | b.wildcards | b.reg_events |
		     b.blocks | b.registrar) != 0)
			sim_broken(sim, "pools-balance",
				   "worker %u after the drain: sessions %u bindings %u "
				   "leaving %u homes %u leases %u waits %u "
				   "transactions %u finished %u parked %u held %u "
				   "links %u jobs %u small %u large %u counted %u users %u "
				   "subscriptions %u blocks %u rows %u",
				   i, b.sessions, b.bindings, b.leaving, b.homes, b.leases,
				   b.lease_waits, b.transactions, b.finished, b.parked, b.held,
				   b.links, b.jobs, b.small_buffers, b.large_buffers, b.counted,
				   b.wildcards, b.reg_events, b.blocks, b.registrar);
		if (!mailbox_empty(sim->hub, i))
			sim_broken(sim, "pools-balance", "worker %u has mail after the drain", i);
	}
}

/* ---- requests ---------------------------------------------------------------------------------
 */

struct request *request_new(struct sim *sim, uint32_t *number)
{
	struct request *r;

	if (sim->requests == SIM_REQUESTS_MAX)
		return NULL;
	*number = sim->requests++;
	r = &sim->request[*number];
	*r = (struct request){.sent_us = sim->now_us, .sent_wall = sim_wall(sim)};
	return r;
}

/** A REGISTER whose connection has one Call-ID for all of them: "s3c1@w3.invalid". */
static struct request *register_of(struct sim *sim, struct span message, struct span id)
{
	uint64_t cseq = text_number(text_header(message, "CSeq", 0), "", UINT64_MAX);
	uint64_t wic = text_number(id, "s", UINT64_MAX);

	for (uint32_t i = sim->requests; i-- > 0;) {
		struct request *r = &sim->request[i];

		if (r->wic == wic && r->cseq == cseq && r->kind != REQUEST_MESSAGE)
			return r;
	}
	return NULL;
}

struct request *request_of(struct sim *sim, struct span message)
{
	struct span id = text_header(message, "Call-ID", 0);
	uint64_t number = text_number(span_cut(id, 0, 12), "r", UINT64_MAX);

	if (span_starts(id, SPAN("s")) && text_has(id, ".invalid"))
		return register_of(sim, message, id);
	return number < sim->requests && text_has(id, ".invalid") ? &sim->request[number] : NULL;
}

uint64_t request_left_s(const struct sim *sim, const struct request *r)
{
	bool before = sim_stepped(sim, r->sent_us) && sim->step.by_us > 0;
	uint64_t end_us = before ? sim_wall_before(sim, r->exp_s) : sim_wall_at(sim, r->exp_s);

	return end_us > r->sent_us ? (end_us - r->sent_us) / SECOND : 0;
}

static bool waits(const struct sim *sim, struct request *r)
{
	if (!r->abandoned && r->finals == 0 && !wic_connected(sim->wics, r->wic, r->conn))
		r->abandoned = true;
	return !r->abandoned && r->finals == 0;
}

void watch_requests(struct sim *sim)
{
	uint64_t limit = sim->shape.slow_verifier ? FINAL_ANSWER_SLOW_US : FINAL_ANSWER_US;
	bool first = true;

	for (uint32_t i = sim->open_from; i < sim->requests; i++) {
		struct request *r = &sim->request[i];

		if (!waits(sim, r)) {
			sim->open_from = first ? i + 1 : sim->open_from;
			continue;
		}
		first = false;
		if (sim->now_us - r->sent_us > limit)
			sim_broken(sim, "nothing-parked-for-ever",
				   "request r%u of wic %u has no final answer after %llu s", i,
				   r->wic,
				   (unsigned long long)((sim->now_us - r->sent_us) / SECOND));
	}
}
