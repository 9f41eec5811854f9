/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"
#include "member.h"
#include "message.h"
#include "wic.h"

/* What must hold of the block and its members' bindings (PROTOCOL 8). */

#define TURN_US 100000	/* a message between workers has come, and a timer has run, by then */
#define TAKEN_US SECOND /* what was taken back has ended by then */
#define EVEN_US \
	(6 * SECOND) /* a REGISTER without an answer of its home worker is undone by then \
		      */
#define ASKED_US (5 * SECOND)
#define SILENT_US (40 * SECOND) /* a REGISTER without an answer is given up by then */

/* ---- bindings -------------------------------------------------------------------------------- */

static const struct member_token *token_of(const struct members *m, uint64_t hash)
{
	for (uint32_t i = m->tokens; hash != 0 && i-- > 0;)
		if (m->token[i].hash == hash)
			return &m->token[i];
	return NULL;
}

/** The token of that jti, 0 when it is none of the block's. Most are as the last time. */
static const struct member_token *token_at(struct members *m, const struct worker_registration *r,
					   struct member_seen *seen)
{
	if (seen->hash != r->jti) {
		seen->hash = r->jti;
		seen->token = token_of(m, r->jti);
	}
	return seen->token;
}

static bool is_taken(const struct sim *sim, uint64_t taken_us)
{
	return sim->now_us > taken_us + TAKEN_US;
}

static void check_end(struct sim *sim, const struct worker_registration *r,
		      const struct member_token *t)
{
	const struct members *m = sim->members;
	uint64_t end_us = (t->exp_s - SIM_WALL_START + 1) * SECOND;
	uint32_t number = (uint32_t)(t - m->token);

	if (sim->now_us > end_us + TURN_US || r->expires_us > end_us + TURN_US)
		sim_broken(sim, "registration-within-token", "m%u: user%u is there until %llu",
			   number, t->user, (unsigned long long)r->expires_us);
	if (t->revoked_us > 0 && is_taken(sim, t->revoked_us))
		sim_broken(sim, "taken-back-ends", "user%u by m%u, which is revoked", t->user,
			   number);
	if (!members_served(m) && is_taken(sim, m->changed_us))
		sim_broken(sim, "taken-back-ends", "user%u by m%u of a site that is not there",
			   t->user, number);
}

/** Counts the bindings of members that one worker has, and looks at each. */
static uint32_t check_bindings(struct sim *sim, uint16_t index)
{
	struct member_worker *w = &sim->members->worker[index];
	struct worker_registration r;
	uint32_t cursor = 0, bound = 0, n = 0;

	while (worker_registration(sim->worker[index].worker, &cursor, &r)) {
		const struct member_token *t =
			token_at(sim->members, &r, &w->seen[n++ % MEMBER_SEEN_MAX]);

		if (t == NULL || (r.lost && r.expires_us <= sim->now_us))
			continue;
		check_end(sim, &r, t);
		bound += !r.lost;
	}
	return bound;
}

/** Of each binding its home worker has a row, and of no other. */
static void check_rows(struct sim *sim)
{
	struct members *m = sim->members;
	uint32_t bound = 0, rows = 0;

	for (uint16_t i = 0; i < sim->options.workers; i++) {
		bound += m->worker[i].bound;
		rows += m->worker[i].rows;
	}
	if (bound == rows || sim->restarted_us > m->even_us)
		m->even_us = sim->now_us;
	if (sim->now_us > m->even_us + EVEN_US)
		sim_broken(sim, "row-and-binding", "%u rows of %u bindings for %llu us", rows,
			   bound, (unsigned long long)(sim->now_us - m->even_us));
}

/* ---- the block ------------------------------------------------------------------------------- */

/** Who says that it is up has been told so by the core, for that long. */
static void check_up(struct sim *sim, uint16_t index)
{
	const struct members *m = sim->members;
	const struct core_block *b = &m->block[m->pair];

	if (sim->now_us < m->changed_us + MEMBER_LATE_US)
		return; /* it may be the one of before */
	if (b->refused_us > 0 && sim->now_us > b->refused_us + MEMBER_LATE_US &&
	    core_disturbed_us(sim) < b->asked_us && b->life == sim->restarts)
		sim_broken(sim, "block-up-is-held", "worker %u takes block%u for up, refused %u",
			   index, m->pair, b->status);
	if (b->life != sim->restarts || b->gone || sim->now_us > b->said_until_us + MEMBER_LATE_US)
		sim_broken(sim, "block-up-is-held", "worker %u takes block%u for up", index,
			   m->pair);
}

void watch_block(struct sim *sim, uint16_t index)
{
	struct members *m = sim->members;
	const struct worker *worker = sim->worker[index].worker;
	uint32_t cursor = 0, homes = 0;
	struct row_block row;

	while (worker_block(worker, &cursor, &row)) {
		homes += row.home && row.state != ROW_BLOCK_LEAVING;
		if (row.state != ROW_BLOCK_UP)
			continue;
		m->up_us = sim->now_us;
		check_up(sim, index);
	}
	if (homes > 1)
		sim_broken(sim, "block-registered-once", "worker %u has it %u times", index, homes);
	m->worker[index].bound = check_bindings(sim, index);
	m->worker[index].rows = worker_balance(worker).registrar;
	check_rows(sim);
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/** It is asked for again, whatever the core has said. */
void watch_block_kept(struct sim *sim)
{
	const struct members *m = sim->members;
	const struct core_block *b = &m->block[m->pair];
	uint64_t since_us = later(later(b->heard_us, m->changed_us),
				  later(sim->restarted_us, core_disturbed_us(sim)));
	uint32_t wait_s = b->granted_s > m->retry_max_s ? b->granted_s : m->retry_max_s;

	if (!members_served(m) || sim->draining || sim->down || sim->shape.tight)
		return;
	if (b->odd_us >= b->heard_us || core_disturbed_us(sim) >= b->heard_us)
		wait_s += SILENT_US / SECOND;
	if (sim->now_us > since_us + sim_s(wait_s) + ASKED_US)
		sim_broken(sim, "block-is-kept", "block%u is not registered for %llu s", m->pair,
			   (unsigned long long)((sim->now_us - since_us) / SECOND));
}

void watch_block_drained(struct sim *sim)
{
	for (uint32_t i = 0; i < BLOCK_PAIRS; i++) {
		const struct core_block *b = &sim->members->block[i];

		if (b->live && b->until_us > sim->now_us && b->held_life == sim->restarts)
			sim_broken(sim, "block-ends", "the core holds block%u still", i);
	}
}

/* ---- who is bound ---------------------------------------------------------------------------- */

/** It has had a binding of user since since_us, all the time. */
static bool is_sure(const struct sim *sim, uint32_t wic, uint32_t user, uint64_t since_us)
{
	const struct membership *m = &sim->members->of[wic];
	const struct wic *w = &sim->wics->wic[wic];

	return m->sure_us > 0 && m->user == user && m->sure_us < since_us &&
	       m->sure_until_us > sim->now_us && wic_connected(sim->wics, wic, w->number) &&
	       !w->closing && m->sure_us > sim->members->changed_us &&
	       m->sure_us > sim->restarted_us && !sim->down && !sim->draining &&
	       members_served(sim->members);
}

static bool is_ghost(const struct ghost *g, uint32_t user, uint64_t since_us)
{
	return g->user == user && g->until_us + MEMBER_LATE_US > since_us;
}

/** It may have had one at some time since then. */
static bool may_be(const struct sim *sim, uint32_t wic, uint32_t user, uint64_t since_us)
{
	const struct membership *m = &sim->members->of[wic];

	for (uint32_t k = 0; k < GHOSTS_MAX; k++)
		if (is_ghost(&m->before[k], user, since_us))
			return true;
	return is_ghost(&m->now, user, since_us);
}

static bool may_be_bound(const struct sim *sim, uint32_t user, uint64_t since_us)
{
	for (uint32_t i = 0; i < sim->wics->count; i++)
		if (may_be(sim, i, user, since_us))
			return true;
	return false;
}

/** Somebody surely has one, and who else may have is sure too: a call may have gone to one whose
 * connection was about to end. */
static bool must_be_called(const struct sim *sim, uint32_t user, uint64_t since_us)
{
	bool any = false;

	for (uint32_t i = 0; i < sim->wics->count; i++) {
		if (is_sure(sim, i, user, since_us))
			any = true;
		else if (may_be(sim, i, user, since_us))
			return false;
	}
	return any;
}

/* ---- calls ----------------------------------------------------------------------------------- */

/** Since then every worker has known the block, and what it is. */
static bool is_known(const struct sim *sim, uint64_t since_us)
{
	const struct members *m = sim->members;

	return members_served(m) && m->changed_us + MEMBER_LATE_US < since_us && !sim->down &&
	       sim->restarted_us + MEMBER_LATE_US < since_us && !sim->shape.tight && !sim->draining;
}

void watch_block_called(struct sim *sim, uint32_t user, uint64_t sent_us, uint16_t status,
			bool reached)
{
	bool outside = !member_user(user);

	if (reached || !is_known(sim, sent_us))
		return;
	if (outside && status != 404)
		sim_broken(sim, "block-foreign-is-404", "a call for user%u got %u", user, status);
	if (outside)
		return;
	if ((status == 480 || status == 404 || status == 430 || status == 481) &&
	    must_be_called(sim, user, sent_us))
		sim_broken(sim, "block-member-is-called",
			   "a call for user%u got %u, and a member is there", user, status);
	if (!may_be_bound(sim, user, sent_us) && status != 480)
		sim_broken(sim, "block-absent-is-480", "a call for user%u got %u", user, status);
}

bool watch_block_forgotten(const struct sim *sim, uint64_t delivered_us)
{
	uint64_t all = 0;

	for (uint16_t i = 0; i < sim->options.workers && !sim->down; i++)
		all += counter_read(&worker_counters(sim->worker[i].worker)->block_way_forgotten);
	return all > 0 || delivered_us < sim->restarted_us;
}

/** The youngest binding is called: no other one that surely is there is younger. */
static void check_youngest(struct sim *sim, uint32_t user, uint32_t wic, uint64_t sent_us)
{
	const struct membership *mine = &sim->members->of[wic];

	if (!is_sure(sim, wic, user, sent_us) || mine->young_us == 0)
		return;
	for (uint32_t i = 0; i < sim->wics->count; i++)
		if (i != wic && is_sure(sim, i, user, sent_us) &&
		    sim->members->of[i].young_from_us > mine->young_us)
			sim_broken(sim, "block-youngest-is-called",
				   "member %u got what is for user%u, and member %u is younger",
				   wic, user, i);
}

void watch_block_reached(struct sim *sim, uint32_t user, uint32_t wic, uint64_t sent_us)
{
	if (!member_of(sim, wic, user))
		sim_broken(sim, "right-user", "member %u got what is for user%u", wic, user);
	check_youngest(sim, user, wic, sent_us);
}

/* ---- what members hear and say --------------------------------------------------------------- */

static bool may_be_listed(const struct sim *sim, const struct request *r, struct span contact)
{
	uint64_t wic = text_number(contact, "<sip:w", UINT64_MAX);
	const struct membership *m = wic < SIM_WICS_MAX ? &sim->members->of[wic] : NULL;
	uint64_t conn = text_number(span_from(contact, 6), "c", 0);

	if (m == NULL)
		return false;
	if (m->now.conn == conn && is_ghost(&m->now, r->user, r->sent_us))
		return true;
	for (uint32_t i = 0; i < GHOSTS_MAX; i++)
		if (m->before[i].conn == conn && is_ghost(&m->before[i], r->user, r->sent_us))
			return true;
	return false;
}

static bool is_listed(const struct sim *sim, uint32_t wic, struct span message)
{
	char own[32];
	struct writer w;

	writer_init(&w, own, sizeof(own));
	text_add(&w, "<sip:");
	wic_contact_user(&sim->wics->wic[wic], 0, &w);
	text_add(&w, "@%c", 0);
	for (uint32_t i = 0; i < text_count(message, "Contact"); i++)
		if (text_has(text_header(message, "Contact", i), own))
			return true;
	return false;
}

void watch_block_listed(struct sim *sim, const struct request *r, struct span message)
{
	uint32_t number = (uint32_t)(r - sim->request), n = text_count(message, "Contact");

	if (r->kind == REQUEST_REGISTER && r->sent_us > sim->members->up_us + MEMBER_LATE_US)
		sim_broken(sim, "block-down-is-silent", "r%u is accepted by a block that is down",
			   number);
	if (r->all && n > 0)
		sim_broken(sim, "lists-what-is-bound", "r%u removes all, and %u are left", number,
			   n);
	for (uint32_t i = 0; i < n; i++)
		if (!may_be_listed(sim, r, text_header(message, "Contact", i)))
			sim_broken(sim, "lists-what-is-bound", "r%u of user%u lists %.*s", number,
				   r->user, (int)text_header(message, "Contact", i).len,
				   (const char *)text_header(message, "Contact", i).at);
	for (uint32_t i = 0; i < sim->wics->count; i++)
		if (i != r->wic && is_sure(sim, i, r->user, r->sent_us) &&
		    !is_listed(sim, i, message))
			sim_broken(sim, "lists-what-is-bound", "r%u of user%u leaves member %u out",
				   number, r->user, i);
}

void watch_block_heard(struct sim *sim, const struct request *r)
{
	if (sim->wics->wic[r->wic].member && r->sent_us > sim->members->up_us + MEMBER_LATE_US)
		sim_broken(sim, "block-down-is-silent",
			   "r%u of a block that is down is at the core",
			   (unsigned)(r - sim->request));
}
