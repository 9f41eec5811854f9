/* SPDX-License-Identifier: BSD-3-Clause */
#include "base64url.h"
#include "member.h"
#include "wic.h"

/*
 * Members of the block: WICs that register with the gateway itself. What is known here of a binding
 * has two sides: that it surely is there, or that it may be.
 */

static struct membership *of(const struct wic *w)
{
	return &w->sim->members->of[w->index];
}

/* ---- tokens ---------------------------------------------------------------------------------- */

/** A good token is noted. Its number, or one that no token has. */
static uint32_t note(struct wic *w, struct request *r)
{
	struct members *m = w->sim->members;

	if (r->token != TOKEN_GOOD || m->tokens == MEMBER_TOKENS_MAX)
		return MEMBER_TOKENS_MAX;
	m->token[m->tokens] =
		(struct member_token){token_jti_hash(SPAN("https://waf3.example"), 'm', m->tokens),
				      r->exp_s, w->user, 0};
	r->member_token = m->tokens + 1;
	return m->tokens++;
}

/** Whom it names: To, as wic_sip.c has it; another one; or that one and another. */
static void write_names(struct wic *w, const struct request *r, struct writer *out)
{
	uint32_t named = r->token == TOKEN_FOREIGN   ? (w->user + SIM_USERS / 2) % SIM_USERS
			 : r->token == TOKEN_UNKNOWN ? w->user + 1000
			 : r->token == TOKEN_OTHER   ? BLOCK_LAST
						     : w->user;

	if (r->token == TOKEN_MIXED)
		return;
	text_add(out, "\"impu\":[");
	if (sim_chance(w->sim, 10))
		text_add(out, "\"sip:user%u@" DOMAIN "\",", BLOCK_LAST - 1);
	text_add(out, "\"sip:user%u@" DOMAIN "\"", named);
	if (sim_chance(w->sim, 10))
		text_add(out, ",\"sip:user%u@" DOMAIN "\"", BLOCK_LAST - 1);
	text_add(out, "],");
}

void member_token_write(struct wic *w, struct request *r, struct writer *out)
{
	uint8_t claims[512];
	struct writer c;

	if (r->token == TOKEN_GARBAGE) {
		writer_text(out, "eyJ0eXAiOiJhdCtqd3Qi.nothing.like.a.token");
		return;
	}
	writer_init(&c, claims, sizeof(claims));
	text_add(&c, "{\"iss\":\"https://waf3.example\",\"aud\":\"%s\",\"sub\":\"m%u\",",
		 r->token == TOKEN_AUDIENCE ? "sip:elsewhere.example" : "sip:ep." DOMAIN, w->index);
	write_names(w, r, &c);
	text_add(&c, "\"jti\":\"m%u\",\"iat\":%llu,\"exp\":%llu}", note(w, r),
		 (unsigned long long)(r->exp_s - 3600), (unsigned long long)r->exp_s);
	token_seal(w->sim, writer_span(&c), r->token == TOKEN_FORGED, out);
}

/* ---- what they do ---------------------------------------------------------------------------- */

bool member_acts(struct wic *w)
{
	if (!sim_chance(w->sim, 14))
		return false;
	if (sim_chance(w->sim, 60))
		wic_fetch(w);
	else if (of(w)->removing == 0)
		wic_remove_all(w);
	return true;
}

void member_disturb(struct sim *sim, uint32_t user)
{
	struct members *m = sim->members;

	m->disturbed_us[user - BLOCK_FIRST] = sim->now_us;
	for (uint32_t i = 0; i < SIM_WICS_MAX; i++)
		if (m->of[i].user == user)
			m->of[i].sure_us = m->of[i].young_us = m->of[i].first_us = 0;
}

/** Its REGISTER that removes all has its answer, or will have none. */
static void has_removed(struct wic *w)
{
	struct membership *m = of(w);

	if (m->removing == 0)
		return;
	member_disturb(w->sim, m->removing);
	w->sim->members->removing[m->removing - BLOCK_FIRST]--;
	m->removing = 0;
}

static void keep_ghost(struct membership *m)
{
	m->before[m->befores++ % GHOSTS_MAX] = m->now;
	m->now = (struct ghost){0};
}

void member_connects(struct wic *w)
{
	uint64_t gone_us = w->sim->now_us + MEMBER_LATE_US;
	struct membership *m = of(w);

	has_removed(w);
	m->sure_us = m->young_us = m->first_us = 0;
	if (!w->silent && m->now.until_us > gone_us)
		m->now.until_us = gone_us;
	if (m->now.user != 0)
		keep_ghost(m);
	if (w->number == 1 || sim_chance(w->sim, 15))
		w->user = w->users[sim_below(w->sim, SIM_IDENTITIES)];
}

void member_in_doubt(struct wic *w)
{
	if (w->member)
		of(w)->sure_us = 0;
}

/** Until when a registration by r may last: workers read whole seconds of the clock. */
static uint64_t end_us(const struct request *r)
{
	return (r->exp_s - SIM_WALL_START + 1) * SECOND;
}

static void may_bind(struct wic *w, const struct request *r)
{
	struct membership *m = of(w);

	if (m->now.user != 0 && m->now.user != r->user)
		keep_ghost(m);
	if (m->now.user == 0)
		m->first_us = r->sent_us;
	else if (m->sure_until_us < w->sim->now_us) /* it may be another one */
		m->first_us = m->young_us = 0;
	m->now.user = r->user;
	m->now.conn = w->number;
	if (m->now.until_us < end_us(r))
		m->now.until_us = end_us(r);
	wic_accepted(w->sim->wics, w->index, w->number, r->user);
}

void member_asks(struct wic *w, const struct request *r)
{
	struct membership *m = of(w);

	if (r->kind == REQUEST_FETCH)
		return;
	m->sure_us = 0;
	if (r->kind == REQUEST_REGISTER && r->token == TOKEN_GOOD)
		may_bind(w, r);
	if (r->kind == REQUEST_DEREGISTER)
		m->young_us = m->first_us = 0;
	if (!r->all)
		return;
	m->removing = r->user;
	w->sim->members->removing[r->user - BLOCK_FIRST]++;
	member_disturb(w->sim, r->user);
}

/* ---- what comes of it ------------------------------------------------------------------------ */

/** Nothing else of it is under way: what the answer says is so. */
static void is_bound(struct wic *w, const struct request *r)
{
	uint64_t left_us = w->bound_until_us - w->sim->now_us;
	struct membership *m = of(w);

	m->now.until_us = w->bound_until_us + MEMBER_LATE_US;
	if (member_disturbed_us(w->sim, r->user) >= r->sent_us)
		return; /* another one's that removes all may have come behind it */
	if (m->young_us > 0 && m->sure_until_us < w->sim->now_us)
		m->young_us = m->first_us = 0; /* it may have ended meanwhile */
	if (m->young_us == 0 && m->first_us > 0) {
		m->young_us = w->sim->now_us;
		m->young_from_us = m->first_us;
	}
	m->user = r->user;
	m->sure_us = w->sim->now_us;
	m->sure_until_us = r->sent_us + left_us - SECOND;
}

/** A good token may be refused for what the operator has done, or for what the flow has. */
static void refused(struct wic *w, const struct request *r)
{
	const struct members *m = w->sim->members;
	bool fresh = r->exp_s > sim_wall(w->sim) + w->sim->shape.min_grant_s + 5;

	if (r->kind != REQUEST_REGISTER || r->token != TOKEN_GOOD || m->changed_us > 0 ||
	    m->revoked > 0)
		return;
	if ((r->status == 401 && fresh && !r->unknown_key) || (r->status == 403 && !w->mixed))
		sim_broken(w->sim, "good-token-accepted", "member %u.%u r%u got %u", w->index,
			   w->number, (unsigned)(r - w->sim->request), r->status);
}

static void settle(struct wic *w, const struct request *r)
{
	uint64_t bound_us = w->bound_until_us > w->sim->now_us ? w->bound_until_us : w->sim->now_us;
	struct membership *m = of(w);

	if (w->granted == r)
		is_bound(w, r);
	else if (r->status != 503 && r->status != 408 &&
		 m->now.until_us > bound_us + MEMBER_LATE_US)
		m->now.until_us = bound_us + MEMBER_LATE_US;
}

void member_answered(struct wic *w, const struct request *r, struct span message)
{
	if (r->all)
		has_removed(w);
	if (r->status < 300)
		watch_block_listed(w->sim, r, message);
	else
		refused(w, r);
	if (r->kind != REQUEST_FETCH && w->open == 0)
		settle(w, r);
}

uint64_t member_disturbed_us(const struct sim *sim, uint32_t user)
{
	const struct members *m = sim->members;
	uint64_t us;

	if (m == NULL || user < BLOCK_FIRST || user >= BLOCK_FIRST + BLOCK_USERS_MAX)
		return 0;
	us = m->disturbed_us[user - BLOCK_FIRST];
	if (!members_served(m) || m->removing[user - BLOCK_FIRST] > 0)
		return sim->now_us;
	return us > m->changed_us ? us : m->changed_us;
}

bool member_of(const struct sim *sim, uint32_t wic, uint32_t user)
{
	return wic_registered(sim->wics, wic, sim->wics->wic[wic].number, user);
}
