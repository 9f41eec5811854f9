/* SPDX-License-Identifier: BSD-3-Clause */
#include "lease_world.h"

#include <stdlib.h>
#include <string.h>

#define IMPI 0x77u
#define NOW_US 1000000000ull
#define FAR_US (UINT64_MAX / 2)
#define WALL_S 1000000ull

static void broken(struct watch *watch, const char *why)
{
	if (watch->broken == NULL)
		watch->broken = why;
}

static void reached(struct watch *watch, unsigned cell)
{
	watch->reached[cell]++;
}

/* ---- names ---------------------------------------------------------------------------------- */

static struct handle flow_handle(unsigned who, uint8_t flow)
{
	return (struct handle){.worker = (uint16_t)(who + 1), .slot = flow, .generation = 1};
}

static struct handle binding_handle(unsigned who, uint8_t binding)
{
	return (struct handle){.worker = (uint16_t)(who + 1), .slot = binding, .generation = 2};
}

static struct lease_terms terms_of(const struct scenario *scenario, uint8_t token)
{
	const struct model_token *t = &scenario->token[token];

	return (struct lease_terms){
		.sub = (uint64_t)t->sub,
		.jti = t->jti,
		.iat_s = WALL_S + (uint64_t)(int64_t)(t->iat * MOMENT_S),
		.exp_s = WALL_S + (uint64_t)(int64_t)(t->exp * MOMENT_S),
		.exp_us = FAR_US,
	};
}

uint8_t world_token(const struct scenario *scenario, const struct lease_terms *terms)
{
	for (uint8_t i = 0; i < TOKENS_MAX; i++) {
		struct lease_terms one = terms_of(scenario, i);

		if (one.sub == terms->sub && one.jti == terms->jti && one.iat_s == terms->iat_s &&
		    one.exp_s == terms->exp_s)
			return i;
	}
	abort();
}

/* ---- rings ---------------------------------------------------------------------------------- */

static uint8_t note_kind(enum message_kind kind)
{
	return (uint8_t)(kind - MESSAGE_NONE);
}

static void ring_put(struct ring *ring, struct note note)
{
	if (ring->count == RING_MAX)
		abort(); /* the bounds of a scenario are too wide */
	ring->note[ring->count++] = note;
}

static bool ring_take(struct ring *ring, struct note *note)
{
	if (ring->count == 0)
		return false;
	*note = ring->note[0];
	memmove(ring->note, ring->note + 1, (RING_MAX - 1) * sizeof(*note));
	ring->note[--ring->count] = (struct note){0};
	return true;
}

static bool ring_has(const struct ring *ring, enum message_kind kind, uint32_t generation)
{
	for (uint8_t i = 0; i < ring->count; i++)
		if (ring->note[i].kind == note_kind(kind) && ring->note[i].generation == generation)
			return true;
	return false;
}

/* ---- the home worker ------------------------------------------------------------------------ */

static struct lease_call call_now(struct world *world)
{
	return (struct lease_call){NOW_US, WALL_S + (uint64_t)world->a.now * MOMENT_S,
				   &world->generations};
}

static void granted_is_right(struct world *world, struct watch *watch)
{
	const struct scenario *s = watch->scenario;
	const struct model_token *had = &s->token[world->a.had - 1];
	const struct model_token *token = &s->token[world_token(s, &world->lease.grant.terms)];

	if (world->a.had != 0 && had->sub != token->sub &&
	    (had->jti == token->jti || had->exp >= token->iat))
		broken(watch, "a grant to another user than the web site's last word allows");
}

/** All that home has said goes into the rings; its timers are far away. */
static void home_said(struct world *world, struct watch *watch, const struct lease_said *said)
{
	for (uint32_t i = 0; i < said->count; i++) {
		const union lease_message *m = &said->message[i];
		struct note note = {.kind = note_kind(m->head.kind)};
		struct handle flow = m->granted.flow;

		if (m->head.kind == MESSAGE_LEASE_GRANTED) {
			note.generation = (uint8_t)m->granted.id.generation;
			note.ticket = (uint8_t)m->granted.ticket;
			granted_is_right(world, watch);
		} else if (m->head.kind == MESSAGE_LEASE_REFUSED) {
			flow = m->refused.flow;
			note.ticket = (uint8_t)m->refused.ticket;
		} else {
			flow = m->ended.flow;
			note.generation = (uint8_t)m->ended.id.generation;
			note.binding = (uint8_t)m->ended.binding.slot;
			note.ticket = m->ended.why;
		}
		note.flow = (uint8_t)flow.slot;
		ring_put(&world->a.down[flow.worker - 1], note);
	}
	world->lease.holder.until_us = FAR_US;
	world->lease.holder.terms.exp_us = FAR_US;
	world->lease.leaving.until_us = FAR_US;
	world->lease.grant.until_us = FAR_US;
	world->lease.asker.until_us = FAR_US;
}

static bool said_kind(const struct lease_said *said, enum message_kind kind)
{
	for (uint32_t i = 0; i < said->count; i++)
		if (said->message[i].head.kind == kind)
			return true;
	return false;
}

/** The matrix of PROTOCOL 6.4, written a second time. */
static enum model_verdict verdict_of(const struct model_token *x, const struct model_token *n,
				     bool same_flow)
{
	if (x->sub == n->sub && n->iat >= x->iat)
		return MODEL_GRANT;
	if (x->sub == n->sub)
		return same_flow ? MODEL_SAME_FLOW : MODEL_IN_USE;
	if (x->jti == n->jti)
		return MODEL_REPLAY;
	if (x->iat > n->exp) /* by the clock of their web site n is over */
		return MODEL_IN_USE;
	return n->iat > x->exp ? MODEL_OVER : MODEL_CONFLICT;
}

static enum model_verdict judge(const struct world *world, struct watch *watch,
				const struct message_lease_reserve *m)
{
	const struct scenario *s = watch->scenario;
	const struct lease *l = &world->lease;
	const struct {
		bool is;
		struct handle flow;
		const struct lease_terms *terms;
	} places[MODEL_PLACES] = {
		{l->holder.state != LEASE_NOBODY, l->holder.flow, &l->holder.terms},
		{l->grant.generation != 0, l->grant.flow, &l->grant.terms},
		{l->asker.waits, l->asker.flow, &l->asker.terms},
		{l->last.exp_s != 0, handle_none(), &l->last},
	};
	enum model_verdict worst = MODEL_GRANT;

	for (unsigned i = 0; i < MODEL_PLACES; i++) {
		enum model_verdict verdict;

		if (!places[i].is)
			continue;
		verdict = verdict_of(&s->token[world_token(s, places[i].terms)],
				     &s->token[world_token(s, &m->terms)],
				     handle_equal(places[i].flow, m->flow));
		reached(watch, CELL_VERDICT(verdict, i));
		worst = verdict > worst ? verdict : worst;
	}
	return worst;
}

static enum cell reserve_row(const struct lease *before, const struct lease_said *said)
{
	static const enum cell beside[] = {[LEASE_NOBODY] = ROW_RESERVE_GRANTED,
					   [LEASE_HELD] = ROW_RESERVE_BESIDE_HELD,
					   [LEASE_ENDING] = ROW_RESERVE_BESIDE_ENDING};

	if (said_kind(said, MESSAGE_LEASE_GRANTED))
		return before->grant.generation != 0 ? ROW_RESERVE_AGAIN
						     : beside[before->holder.state];
	if (said_kind(said, MESSAGE_LEASE_ENDED))
		return ROW_RESERVE_TELLS;
	if (before->leaving.generation != 0)
		return ROW_RESERVE_WAITS_LEAVING;
	return before->grant.generation != 0 ? ROW_RESERVE_WAITS_GRANT : ROW_RESERVE_WAITS_ENDING;
}

static void home_reserve(struct world *world, struct watch *watch, unsigned who,
			 const struct note *note)
{
	struct message_lease_reserve m = {.impi = IMPI,
					  .flow = flow_handle(who, note->flow),
					  .ticket = note->ticket,
					  .terms = terms_of(watch->scenario, note->token)};
	enum model_verdict verdict = judge(world, watch, &m);
	struct lease before = world->lease;
	struct lease_call now = call_now(world);
	struct lease_said said;
	enum gw_err err = GW_OK;

	lease_reserve(&world->lease, &now, &m, &said);
	if (said.count > 0 && said.message[0].head.kind == MESSAGE_LEASE_REFUSED)
		err = said.message[0].refused.err;
	if (verdict >= MODEL_IN_USE) {
		if (said.count != 1 ||
		    err != (verdict == MODEL_REPLAY ? GW_TOKEN_JTI : GW_PAIR_IN_USE) ||
		    said.message[0].refused.conflict != (verdict != MODEL_IN_USE))
			broken(watch, "a verdict is not that of the matrix");
	} else {
		reached(watch, reserve_row(&before, &said));
		if (before.asker.waits)
			reached(watch, ROW_RESERVE_BUSY);
		if (before.asker.waits != (err == GW_LEASE_BUSY))
			broken(watch, "who waited before does not hear of it");
	}
	home_said(world, watch, &said);
}

static enum cell confirm_row(const struct lease *before, const struct lease *after,
			     const struct message_lease_confirm *m, const struct lease_said *said)
{
	enum lease_end why = said->count > 0 ? said->message[0].ended.why : LEASE_END_VOID;

	if (before->grant.generation != m->id.generation)
		return why == LEASE_END_VOID ? ROW_CONFIRM_VOID : ROW_CONFIRM_LATE;
	if (before->holder.state == LEASE_NOBODY)
		return ROW_CONFIRM_NOBODY;
	if (after->leaving.generation == 0)
		return ROW_CONFIRM_REFRESH;
	if (before->holder.state == LEASE_ENDING)
		return ROW_CONFIRM_ENDING;
	return why == LEASE_END_REPLACED ? ROW_CONFIRM_REPLACED : ROW_CONFIRM_BESIDE;
}

static void home_confirm(struct world *world, struct watch *watch, unsigned who,
			 const struct note *note)
{
	struct message_lease_confirm m = {.id = {IMPI, note->generation},
					  .flow = flow_handle(who, note->flow),
					  .binding = binding_handle(who, note->binding),
					  .contact = watch->scenario->contact[who]};
	struct lease before = world->lease;
	struct lease_call now = call_now(world);
	struct lease_said said;

	lease_confirm(&world->lease, &now, &m, &said);
	reached(watch, confirm_row(&before, &world->lease, &m, &said));
	for (uint32_t i = 0; i < said.count; i++)
		if (said.message[i].head.kind == MESSAGE_LEASE_ENDED &&
		    said.message[i].ended.why == LEASE_END_EXPIRED)
			reached(watch, ROW_CONFIRM_TELLS);
	if (before.grant.generation == note->generation)
		world->a.had = world_token(watch->scenario, &world->lease.holder.terms) + 1;
	else if (said.count == 0)
		broken(watch, "a confirm comes twice");
	home_said(world, watch, &said);
}

static void home_cancel(struct world *world, struct watch *watch, const struct note *note)
{
	struct message_lease_cancel m = {.id = {IMPI, note->generation}};
	bool is = world->lease.grant.generation == note->generation;
	struct lease_call now = call_now(world);
	struct lease_said said;

	lease_cancel(&world->lease, &now, &m, &said);
	reached(watch, is ? ROW_CANCEL_GRANT : ROW_CANCEL_IGNORED);
	if (is && said_kind(&said, MESSAGE_LEASE_GRANTED))
		reached(watch, ROW_CANCEL_FREES);
	home_said(world, watch, &said);
}

static enum cell release_row(const struct lease *before, const struct lease *after,
			     uint32_t generation)
{
	if (before->leaving.generation != 0 && after->leaving.generation == 0)
		return ROW_RELEASE_LEAVING;
	if (before->holder.state == LEASE_NOBODY || after->holder.state != LEASE_NOBODY)
		return ROW_RELEASE_IGNORED;
	if (before->holder.generation != generation)
		return ROW_RELEASE_BINDING;
	return before->holder.state == LEASE_HELD ? ROW_RELEASE_HELD : ROW_RELEASE_ENDING;
}

static void home_release(struct world *world, struct watch *watch, unsigned who,
			 const struct note *note)
{
	struct message_lease_release m = {.id = {IMPI, note->generation},
					  .binding = binding_handle(who, note->binding)};
	struct lease before = world->lease;
	struct lease_call now = call_now(world);
	struct lease_said said;

	lease_release(&world->lease, &now, &m, &said);
	reached(watch, release_row(&before, &world->lease, note->generation));
	if (said_kind(&said, MESSAGE_LEASE_GRANTED))
		reached(watch, ROW_RELEASE_FREES);
	if (said_kind(&said, MESSAGE_LEASE_ENDED))
		reached(watch, ROW_RELEASE_TELLS);
	home_said(world, watch, &said);
}

static bool home_takes(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	struct note note;

	if (!ring_take(&world->a.up[who], &note))
		return false;
	if (note.kind == note_kind(MESSAGE_LEASE_RESERVE))
		home_reserve(world, watch, who, &note);
	else if (note.kind == note_kind(MESSAGE_LEASE_CONFIRM))
		home_confirm(world, watch, who, &note);
	else if (note.kind == note_kind(MESSAGE_LEASE_CANCEL))
		home_cancel(world, watch, &note);
	else
		home_release(world, watch, who, &note);
	return true;
}

/* ---- time at home --------------------------------------------------------------------------- */

/** Somebody may still bind by this grant, or has and says so, or gives it back. */
static bool grant_is_alive(const struct world *world, uint32_t generation)
{
	for (unsigned i = 0; i < WINDOWS; i++) {
		const struct window *w = &world->a.window[i];

		for (uint8_t r = 0; r < w->unders; r++)
			if (w->under[r].generation == generation && w->under[r].sent == SENT_GRANT)
				return true;
		if (ring_has(&world->a.down[i], MESSAGE_LEASE_GRANTED, generation) ||
		    ring_has(&world->a.up[i], MESSAGE_LEASE_CONFIRM, generation) ||
		    ring_has(&world->a.up[i], MESSAGE_LEASE_CANCEL, generation))
			return true;
	}
	return false;
}

/** Somebody has this lease, or has had it and says that it is over. */
static bool lease_is_alive(const struct world *world, uint32_t generation)
{
	for (unsigned i = 0; i < WINDOWS; i++) {
		const struct window *w = &world->a.window[i];

		for (uint8_t b = 0; b < w->bounds; b++)
			if (w->bound[b].generation == generation)
				return true;
		if (ring_has(&world->a.down[i], MESSAGE_LEASE_ENDED, generation) ||
		    ring_has(&world->a.up[i], MESSAGE_LEASE_RELEASE, generation))
			return true;
	}
	return false;
}

static bool home_due(struct world *world, struct watch *watch, enum cell row)
{
	struct lease_call now = call_now(world);
	struct lease_said said;

	if (lease_next_us(&world->lease) != NOW_US)
		broken(watch, "home does not know when it has something to do");
	lease_due(&world->lease, &now, &said);
	reached(watch, row);
	home_said(world, watch, &said);
	return true;
}

static bool asker_waited(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	world->lease.asker.until_us = NOW_US;
	return world->lease.asker.waits && home_due(world, watch, ROW_TIME_ASKER);
}

static bool grant_void(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	uint32_t generation = world->lease.grant.generation;

	world->lease.grant.until_us = NOW_US;
	return generation != 0 && (watch->scenario->late || !grant_is_alive(world, generation)) &&
	       home_due(world, watch, ROW_TIME_GRANT);
}

static bool leaving_over(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	uint32_t generation = world->lease.leaving.generation;

	world->lease.leaving.until_us = NOW_US;
	return generation != 0 && (watch->scenario->late || !lease_is_alive(world, generation)) &&
	       home_due(world, watch, ROW_TIME_LEAVING);
}

static bool ending_over(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	uint32_t generation = world->lease.holder.generation;

	world->lease.holder.until_us = NOW_US;
	return world->lease.holder.state == LEASE_ENDING &&
	       (watch->scenario->late || !lease_is_alive(world, generation)) &&
	       home_due(world, watch, ROW_TIME_ENDING);
}

static bool holder_expires(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	const struct lease *l = &world->lease;

	world->lease.holder.terms.exp_us = NOW_US;
	return l->holder.state == LEASE_HELD && l->holder.terms.exp_s <= call_now(world).wall_s &&
	       home_due(world, watch, ROW_TIME_EXP);
}

/* ---- the worker of a window ----------------------------------------------------------------- */

static void window_says(struct world *world, unsigned who, enum message_kind kind, struct note note)
{
	note.kind = note_kind(kind);
	ring_put(&world->a.up[who], note);
}

static void under_add(struct window *w, struct under under)
{
	if (w->unders == UNDER_MAX)
		abort();
	w->under[w->unders++] = under;
}

static struct under under_take(struct window *w, unsigned which)
{
	struct under under = w->under[which];

	memmove(w->under + which, w->under + which + 1, (UNDER_MAX - 1 - which) * sizeof(under));
	w->under[--w->unders] = (struct under){0};
	return under;
}

/** The binding ends, and its worker says so. */
static void bound_end(struct world *world, unsigned who, unsigned which)
{
	struct window *w = &world->a.window[who];
	struct bound b = w->bound[which];

	memmove(w->bound + which, w->bound + which + 1, (UNDER_MAX - 1 - which) * sizeof(b));
	w->bound[--w->bounds] = (struct bound){0};
	window_says(world, who, MESSAGE_LEASE_RELEASE,
		    (struct note){.generation = b.generation, .binding = b.binding});
}

/** Its bindings keep the name of the flow that they were registered on. */
static void flow_end(struct window *w)
{
	w->flow++;
	w->asking = w->asking_token = 0;
}

static void window_ended(struct world *world, struct watch *watch, unsigned who,
			 const struct note *note)
{
	struct window *w = &world->a.window[who];

	for (uint8_t i = 0; i < w->bounds; i++) {
		struct bound b = w->bound[i];

		if (b.binding != note->binding || b.generation != note->generation)
			continue;
		bound_end(world, who, i);
		if (b.flow == w->flow && note->ticket != LEASE_END_EXPIRED)
			flow_end(w); /* closed with 1008 */
		reached(watch, ROW_ENDED_BINDING);
		return;
	}
	reached(watch, ROW_ENDED_IGNORED);
}

static void window_answered(struct world *world, struct watch *watch, unsigned who,
			    const struct note *note)
{
	struct window *w = &world->a.window[who];
	bool mine = w->asking != 0 && w->asking == note->ticket && w->flow == note->flow;
	bool granted = note->kind == note_kind(MESSAGE_LEASE_GRANTED);

	if (granted)
		reached(watch, mine ? ROW_GRANTED_USED : ROW_GRANTED_CANCELLED);
	else
		reached(watch, mine ? ROW_REFUSED_HEARD : ROW_REFUSED_UNHEARD);
	if (granted && !mine)
		window_says(world, who, MESSAGE_LEASE_CANCEL,
			    (struct note){.generation = note->generation});
	if (granted && mine)
		under_add(w,
			  (struct under){w->flow, note->generation, w->asking_token, SENT_GRANT});
	if (mine)
		w->asking = w->asking_token = 0;
}

static bool window_takes(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	struct note note;

	if (!ring_take(&world->a.down[who], &note))
		return false;
	if (note.kind == note_kind(MESSAGE_LEASE_ENDED))
		window_ended(world, watch, who, &note);
	else
		window_answered(world, watch, who, &note);
	return true;
}

static bool may_ask(const struct world *world, const struct watch *watch, unsigned who,
		    unsigned token)
{
	const struct window *w = &world->a.window[who];
	const struct model_token *t = &watch->scenario->token[token];

	for (uint8_t i = 0; i < w->unders; i++)
		if (w->under[i].flow == w->flow)
			return false; /* 500: one is under way */
	return w->asks > 0 && w->asking == 0 && (watch->scenario->shown[who] & 1u << token) != 0 &&
	       t->exp > world->a.now && t->iat <= world->a.now + AHEAD;
}

static bool window_registers(struct world *world, struct watch *watch, unsigned who, unsigned token)
{
	struct window *w = &world->a.window[who];

	if (!may_ask(world, watch, who, token))
		return false;
	for (uint8_t i = 0; i < w->bounds; i++)
		if (w->bound[i].flow == w->flow && w->bound[i].token == token) {
			w->asks--;
			under_add(w, (struct under){w->flow, w->bound[i].generation, (uint8_t)token,
						    SENT_COVERED});
			return true;
		}
	w->asking = w->asks--;
	w->asking_token = (uint8_t)token;
	window_says(world, who, MESSAGE_LEASE_RESERVE,
		    (struct note){.flow = w->flow, .ticket = w->asking, .token = (uint8_t)token});
	return true;
}

static bool window_gives_up(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	struct window *w = &world->a.window[who];

	if (w->asking == 0)
		return false;
	w->asking = w->asking_token = 0;
	return true;
}

static bool window_flow_ends(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	struct window *w = &world->a.window[who];

	if (w->deaths == 0)
		return false;
	w->deaths--;
	flow_end(w);
	return true;
}

/** The binding that a REGISTER of this flow refreshes, or a new one. */
static struct bound *bound_of(struct window *w, const struct under *under)
{
	for (uint8_t i = 0; i < w->bounds; i++)
		if (w->bound[i].flow == under->flow)
			return &w->bound[i];
	if (w->bounds == UNDER_MAX)
		abort();
	w->bound[w->bounds] = (struct bound){.binding = under->generation, .flow = under->flow};
	return &w->bound[w->bounds++];
}

static bool still_covered(const struct window *w, const struct under *under)
{
	for (uint8_t i = 0; i < w->bounds; i++)
		if (w->bound[i].generation == under->generation)
			return true;
	return false;
}

static bool core_says_yes(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	struct window *w = &world->a.window[who];
	struct under under;
	struct bound *b;

	if (which >= w->unders)
		return false;
	under = under_take(w, which);
	if (under.sent == SENT_COVERED) {
		reached(watch, still_covered(w, &under) ? ROW_COVERED_BOUND : ROW_COVERED_UNDONE);
		return true;
	}
	if (under.sent == SENT_LATE || watch->scenario->token[under.token].exp <= world->a.now) {
		reached(watch, ROW_LATE_UNDONE);
		window_says(world, who, MESSAGE_LEASE_CANCEL,
			    (struct note){.generation = under.generation});
		return true;
	}
	b = bound_of(w, &under);
	b->generation = under.generation;
	b->token = under.token;
	window_says(world, who, MESSAGE_LEASE_CONFIRM,
		    (struct note){.generation = under.generation,
				  .flow = under.flow,
				  .binding = b->binding});
	return true;
}

static bool core_says_no(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	struct window *w = &world->a.window[who];
	struct under under;

	if (which >= w->unders)
		return false;
	under = under_take(w, which);
	if (under.sent != SENT_COVERED)
		window_says(world, who, MESSAGE_LEASE_CANCEL,
			    (struct note){.generation = under.generation});
	return true;
}

static bool deadline_passes(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	struct window *w = &world->a.window[who];

	if (which >= w->unders || w->under[which].sent != SENT_GRANT)
		return false;
	w->under[which].sent = SENT_LATE;
	return true;
}

static bool binding_ends(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	if (which >= world->a.window[who].bounds)
		return false;
	bound_end(world, who, which);
	return true;
}

/* ---- what happens to all -------------------------------------------------------------------- */

static bool message_lost(struct world *world, struct ring *ring, enum message_kind one,
			 enum message_kind other)
{
	struct note note;

	if (world->a.losses == 0 || !ring_take(ring, &note) ||
	    (note.kind != note_kind(one) && note.kind != note_kind(other)))
		return false;
	world->a.losses--;
	return true;
}

static bool lost_up(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	return message_lost(world, &world->a.up[who], MESSAGE_LEASE_CANCEL, MESSAGE_LEASE_RELEASE);
}

static bool lost_down(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	return message_lost(world, &world->a.down[who], MESSAGE_LEASE_GRANTED,
			    MESSAGE_LEASE_REFUSED);
}

static bool time_passes(struct world *world, struct watch *watch, unsigned who, unsigned which)
{
	const struct scenario *s = watch->scenario;

	if (world->a.now >= s->end)
		return false;
	for (unsigned i = 0; i < WINDOWS; i++)
		for (uint8_t b = 0; b < world->a.window[i].bounds; b++)
			if (s->token[world->a.window[i].bound[b].token].exp + SLOW <
			    world->a.now + 2)
				return false;
	world->a.now += 2;
	return true;
}

const struct step_kind world_steps[] = {
	{"home takes a message of", home_takes, WINDOWS, 1},
	{"takes a message of home's:", window_takes, WINDOWS, 1},
	{"REGISTERs by token", window_registers, WINDOWS, TOKENS_MAX},
	{"waits no longer for home:", window_gives_up, WINDOWS, 1},
	{"loses its connection:", window_flow_ends, WINDOWS, 1},
	{"core: 200 to", core_says_yes, WINDOWS, UNDER_MAX},
	{"core: no, or nothing, to", core_says_no, WINDOWS, UNDER_MAX},
	{"the deadline of its grant passes:", deadline_passes, WINDOWS, UNDER_MAX},
	{"a binding ends:", binding_ends, WINDOWS, UNDER_MAX},
	{"home: 2 s of waiting are over", asker_waited, 1, 1},
	{"home: a grant is void", grant_void, 1, 1},
	{"home: who is leaving says nothing", leaving_over, 1, 1},
	{"home: who was told to end says nothing", ending_over, 1, 1},
	{"home: the holder's token ends", holder_expires, 1, 1},
	{"a message to home is lost:", lost_up, WINDOWS, 1},
	{"a message of home's is lost:", lost_down, WINDOWS, 1},
	{"time passes", time_passes, 1, 1},
};
const unsigned world_step_kinds = sizeof(world_steps) / sizeof(world_steps[0]);

void world_begin(struct world *world, const struct scenario *scenario)
{
	memset(world, 0, sizeof(*world));
	world->a.losses = scenario->losses;
	for (unsigned i = 0; i < WINDOWS; i++)
		world->a.window[i] = (struct window){.flow = 1,
						     .asks = scenario->asks[i],
						     .deaths = scenario->deaths[i]};
}

/* ---- what tells worlds apart ---------------------------------------------------------------- */

static uint8_t *key_handle(uint8_t *at, struct handle h)
{
	*at++ = (uint8_t)h.worker;
	*at++ = (uint8_t)h.slot;
	return at;
}

/** Places that are empty have no say: what was in them is not looked at. */
uint32_t world_key(const struct world *world, const struct scenario *scenario, uint8_t *key)
{
	const struct lease *l = &world->lease;
	uint8_t *at = key;

	memcpy(at, &world->a, sizeof(world->a));
	at += sizeof(world->a);
	*at++ = (uint8_t)world->generations;
	*at++ = l->holder.state;
	if (l->holder.state != LEASE_NOBODY) {
		*at++ = (uint8_t)l->holder.generation;
		at = key_handle(key_handle(at, l->holder.flow), l->holder.binding);
		*at++ = world_token(scenario, &l->holder.terms);
	}
	*at++ = (uint8_t)l->leaving.generation;
	if (l->leaving.generation != 0)
		at = key_handle(at, l->leaving.binding);
	*at++ = (uint8_t)l->grant.generation;
	if (l->grant.generation != 0) {
		at = key_handle(at, l->grant.flow);
		*at++ = world_token(scenario, &l->grant.terms);
	}
	*at++ = l->asker.waits;
	if (l->asker.waits) {
		at = key_handle(at, l->asker.flow);
		*at++ = (uint8_t)l->asker.ticket;
		*at++ = world_token(scenario, &l->asker.terms);
	}
	*at++ = l->last.exp_s != 0 ? world_token(scenario, &l->last) + 1 : 0;
	return (uint32_t)(at - key);
}
