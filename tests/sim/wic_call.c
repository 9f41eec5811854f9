/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "call.h"
#include "events.h"
#include "member.h"
#include "pool.h"
#include "wic.h"

/* The WIC's end of calls: its connection, its identity, and what it must never get. */

static struct wic *wic_of(const struct sim *sim, const struct call *c)
{
	return &sim->wics->wic[c->wic];
}

uint32_t wic_call_conn(const struct sim *sim, const struct call *c)
{
	return wic_of(sim, c)->number;
}

/** On another connection a dialog goes on when its identity is registered there again. */
bool wic_call_ready(struct sim *sim, const struct call *c)
{
	const struct wic *w = wic_of(sim, c);

	if (!wic_connected(sim->wics, c->wic, w->number) || w->closing || !visitor_is(w, c->sub))
		return false;
	return w->number == c->conn || (w->home_since_us > 0 && w->home_conn == w->number &&
					w->home_user == c->user && w->home_sub == c->sub);
}

bool wic_call_send(struct sim *sim, const struct call *c, uint32_t conn, struct span bytes)
{
	struct wic *w = wic_of(sim, c);

	if (w->conn == NULL || w->state != WIC_OPEN || w->silent || w->closing ||
	    (conn != 0 && conn != w->number))
		return false;
	wic_send(w, bytes);
	sim_arrived(sim, SIM_HOST_WICS);
	return true;
}

void wic_call_extras(struct sim *sim, const struct call *c, struct writer *out)
{
	wic_forge(wic_of(sim, c), out);
	if (sim_chance(sim, 5))
		text_add(out, "Authorization: Bearer eyJ0eXAiOiJhdCtqd3Qi.x.y\r\n");
	if (sim_chance(sim, 5))
		text_add(out, "P-Preferred-Identity: <sip:user%u@" DOMAIN ">\r\n", c->user);
}

void wic_call_contact(struct sim *sim, const struct call *c, struct writer *out)
{
	const struct wic *w = wic_of(sim, c);

	text_add(out, "Contact: <sip:");
	wic_contact_user(w, w->visit, out);
	text_add(out, "@w%u.invalid;transport=ws;ob>\r\n", w->index);
}

/** Its user's other browser has come between, or the operator has. */
static bool is_disturbed(const struct sim *sim, const struct call *c, uint64_t since_us)
{
	const struct pool *pool = sim->pool;

	if (member_disturbed_us(sim, c->user) >= since_us && sim->members != NULL)
		return true;
	if (pool == NULL || c->user < SIM_USERS)
		return false;
	return pool->changed_us >= since_us ||
	       pool->pair[c->user - SIM_USERS].disturbed_us >= since_us;
}

bool wic_call_here(const struct sim *sim, const struct call *c, uint64_t asked_us)
{
	return wic_connected(sim->wics, c->wic, c->conn) && !is_disturbed(sim, c, asked_us);
}

bool wic_call_at_home(const struct sim *sim, const struct call *c, uint64_t since_us,
		      uint64_t asked_us)
{
	const struct wic *w = wic_of(sim, c);

	return wic_connected(sim->wics, c->wic, w->number) && w->home_user == c->user &&
	       w->home_sub == c->sub && !is_disturbed(sim, c, since_us) && w->home_since_us > 0 &&
	       w->home_since_us < since_us && w->home_conn == w->number &&
	       w->home_here_us < asked_us;
}

/* ---- what it does ----------------------------------------------------------------------------
 */

void wic_call(struct wic *w)
{
	bool for_another =
		w->sub_here != 0 && w->sub_here != w->sub; /* who is not there any more */
	struct call *c =
		for_another ? NULL : call_new(w->sim, END_WIC, w->index, w->number, w->user);

	if (c == NULL)
		return;
	c->sub = w->sub;
	snprintf(c->to, sizeof(c->to), "sip:else%u@else.example", w->index);
	call_begin(w->sim, c);
}

/** It belongs to an INVITE that has been there before. */
static bool is_rest(struct span message)
{
	return span_starts(message, SPAN("ACK ")) || span_starts(message, SPAN("CANCEL "));
}

/** A request inside a dialog goes to the registration's connection; the first of a call to that
 * which its Path named. */
static void check_flow(struct wic *w, struct call *c, struct span message)
{
	bool initial = !text_has(text_header(message, "To", 0), ";tag=");
	bool same = w->number == c->conn, known;

	/* by the Path of an identity that the connection had before, the call comes to the one that
	 * it has now, and its dialog goes where that one goes (D-36) */
	if (initial && same)
		c->home_user = w->home_user;
	known = wic_registered(w->sim->wics, w->index, w->number, c->user) ||
		(c->caller == END_CORE &&
		 wic_registered(w->sim->wics, w->index, w->number, c->home_user));
	if (w->sub_here != c->sub && w->sub_here != 0 && !is_rest(message))
		sim_broken(w->sim, "right-user", "wic %u.%u of v%u got what is for v%u: %.*s",
			   w->index, w->number, w->sub_here, c->sub, (int)span_find(message, '\r'),
			   (const char *)message.at);
	if (c->wic != w->index || (initial && !same) || (!same && !known))
		sim_broken(w->sim, "right-flow", "wic %u.%u got what is for user%u at %u.%u: %.*s",
			   w->index, w->number, c->user, c->wic, c->conn,
			   (int)span_find(message, '\r'), (const char *)message.at);
}

/** Who is not registered is not called. */
static void check_bound(struct wic *w, const struct call *c, struct span message)
{
	const struct exchange *x = &w->sim->calls->exchange[c->first];

	if (!span_starts(message, SPAN("INVITE ")) || c->caller != END_CORE ||
	    text_has(text_header(message, "To", 0), ";tag="))
		return;
	if (x->sent_us > wic_bound_until_us(w->sim->wics, w->index, w->number) + TIMER_LATE_US)
		sim_broken(w->sim, "bound-flows-only",
			   "wic %u.%u got INVITE x%u without a registration", w->index, w->number,
			   c->first);
	if (w->sim->events != NULL)
		watch_events_delivered(w->sim, &(struct event_called){c->wic, c->conn, c->user,
								      x->sent_us});
	if (x->sent_us > wic_authorised_until_us(w->sim->wics, w->index, w->number) + TIMER_LATE_US)
		sim_broken(w->sim, "registration-within-token",
			   "wic %u.%u got INVITE x%u after its last token", w->index, w->number,
			   c->first);
}

/** It is known when it comes for the first time. */
static bool is_sought(const struct sim *sim, const struct call *c, struct span message)
{
	const struct exchange *x = &sim->calls->exchange[c->first];

	return c->to_block && span_starts(message, SPAN("INVITE ")) &&
	       !text_has(text_header(message, "To", 0), ";tag=") &&
	       (c->sought || watch_block_forgotten(sim, x->delivered_us));
}

/** The call for an identity of the block has come to one of its WICs, and is that one's from now
 * on. */
static void find(struct wic *w, struct call *c)
{
	struct exchange *x = &w->sim->calls->exchange[c->first];

	c->sought = false;
	c->wic = w->index;
	c->conn = w->number;
	x->conn = w->number;
	watch_block_reached(w->sim, c->user, w->index, x->sent_us);
}

void wic_call_message(struct wic *w, struct call *c, struct span message)
{
	if (text_status(message) != 0) {
		if (c->wic != w->index)
			sim_broken(w->sim, "right-flow", "wic %u.%u got an answer of wic %u",
				   w->index, w->number, c->wic);
		else
			call_response(w->sim, c, END_WIC, message);
		return;
	}
	if (is_sought(w->sim, c, message))
		find(w, c);
	if (!span_starts(message, SPAN("CANCEL ")) && !span_starts(message, SPAN("ACK ")))
		check_bound(w, c, message);
	check_flow(w, c, message);
	if (!sim_failed(w->sim))
		call_request(w->sim, c, END_WIC, message, w->number);
}
