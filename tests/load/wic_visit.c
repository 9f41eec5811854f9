/* SPDX-License-Identifier: BSD-3-Clause */
#include "wic.h"

/* What a visitor of a site that lends pairs has to see, and what never. */

enum { POSTHUMOUS_S = 2 }; /* both clocks have whole seconds */

/* ---- tokens -------------------------------------------------------------------------------- */

static bool issue_dishonestly(struct wic *w)
{
	struct wic_world *world = w->world;
	const struct rogue_ask ask = {
		.kind = w->visit.rogue,
		.site = world->site,
		.chance = &world->chance,
		.domain = world->options->domain,
		.visit = w->visit.number,
		.jti = world->jti,
		.now_s = world->now_s,
		.now_us = world->now_us,
		.min_grant_s = world->options->min_grant_s,
		.max_lifetime_s = world->options->max_lifetime_s,
	};

	w->pair = &w->issue.issue.pair;
	if (rogue_issue(&ask, &w->issue))
		return true;
	tally_count(world->tally, COUNT_ROGUE_NOBODY);
	return false;
}

bool wic_issue(struct wic *w)
{
	struct wic_world *world = w->world;

	if (w->visit.rogue != ROGUE_NONE)
		return issue_dishonestly(w);
	return site_issue(world->site, w->visit.pair, w->visit.number, world->jti, world->now_s,
			  &w->issue.issue);
}

/** Until then the visitor asks the site for no other token. */
static uint64_t steady_until(const struct wic *w)
{
	uint64_t reload_us = w->visit.reload_us;

	return reload_us != 0 && reload_us < w->refresh_us ? reload_us : w->refresh_us;
}

bool wic_accepted(struct wic *w, uint32_t granted_s)
{
	if (w->visit.number == 0)
		return true;
	if (w->asked_s + granted_s > w->token_exp_s) { /* PROTOCOL 6.3 */
		wic_fail(w, FAILURE_OUTLIVES, (int32_t)(w->asked_s + granted_s - w->token_exp_s));
		return false;
	}
	site_accepted(w->world->site, w->visit.pair, &w->issue.issue, steady_until(w));
	return true;
}

/* ---- the dishonest ------------------------------------------------------------------------- */

/** It says when the token of the one who has the pair ends (PROTOCOL 6.4). */
static bool retry_is_right(const struct wic *w, struct span value)
{
	uint32_t retry_s = 0;

	if (w->issue.retry_at_s == 0)
		return value.len == 0;
	return sip_seconds(value, &retry_s) && w->asked_s + retry_s <= w->issue.retry_at_s &&
	       w->world->now_s + retry_s + 1 >= w->issue.retry_at_s;
}

void wic_rogue_answered(struct wic *w, const struct sip_message *m)
{
	struct tally *tally = w->world->tally;
	struct span retry = sip_value(m, SIP_HEADER_RETRY_AFTER);
	uint32_t retry_s = 0;

	if (m->status < 300)
		tally_failure(tally, FAILURE_ROGUE_TAKEN, (int32_t)w->visit.rogue);
	else if (m->status != w->issue.status)
		tally_failure(tally, FAILURE_ROGUE_ANSWER, m->status);
	else if (!retry_is_right(w, retry))
		tally_failure(tally, FAILURE_ROGUE_RETRY,
			      sip_seconds(retry, &retry_s) ? (int32_t)retry_s : -1);
	else
		tally_count(tally,
			    (enum count)(COUNT_ROGUE_OVERLAP + w->visit.rogue - ROGUE_OVERLAP));
	wic_leave(w, EXIT_CLOSE, WIC_NEVER_US);
}

/* ---- others -------------------------------------------------------------------------------- */

void wic_count_stranger(struct wic *w, struct span contact_uri)
{
	uint8_t text[32];
	struct writer host;
	struct span at = span_from(contact_uri, span_find(contact_uri, '@') + 1);

	writer_init(&host, text, sizeof(text));
	wic_write_host(w, &host);
	if (w->visit.number != 0 && !span_starts(at, writer_span(&host)))
		tally_count(w->world->tally, COUNT_STRANGER);
}

bool wic_addressee_gone(const struct wic *w, enum wic_ask asked)
{
	const struct addressee *to = &w->addressee;
	const struct loan *loan;

	if (to->visit == 0 || (asked != ASK_MESSAGE && asked != ASK_OPTIONS))
		return false;
	loan = &w->world->site->loan[to->pair];
	if (loan->wic != NULL && loan->issued.visit == to->visit && loan->wic->page == to->page &&
	    loan->wic->state == WIC_OPEN)
		return false;
	tally_count(w->world->tally, COUNT_GONE);
	return true;
}

/** It is for the Contact of this page: user and host are of nobody else. */
void wic_check_request(struct wic *w, const struct sip_message *m)
{
	uint8_t text[64];
	struct writer contact;

	writer_init(&contact, text, sizeof(text));
	wic_write_contact_uri(w, &contact);
	if (w->visit.number != 0 && !span_starts(m->uri, writer_span(&contact)))
		tally_failure(w->world->tally, FAILURE_MISDELIVERED, m->method);
}

void wic_overhear(struct wic *w, struct span text)
{
	struct sip_message *m = &w->world->message;

	if (span_starts(text, SPAN("\r\n")) || sip_index(text, m) != GW_OK || !m->is_request)
		return;
	wic_check_request(w, m);
	if (w->world->now_s > w->token_exp_s + POSTHUMOUS_S)
		tally_failure(w->world->tally, FAILURE_POSTHUMOUS, m->method);
}
