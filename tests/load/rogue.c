/* SPDX-License-Identifier: BSD-3-Clause */
#include "rogue.h"

enum {
	ROGUE_TRIES = 64,
	STEADY_US = 2000000, /* the victim's token is the same until the answer is there */
	STEADY_S = 2,
	OLDER_S = 2
};

static const struct {
	uint16_t status;
	bool retry;
} kinds[] = {
#define ROGUE_ROW(id, status, retry) [ROGUE_##id] = {status, retry},
	ROGUE_LIST(ROGUE_ROW)
#undef ROGUE_ROW
};

/** The gateway has the last token of this pair, and will have no other one for a while. */
static bool is_steady(const struct loan *loan, const struct rogue_ask *ask)
{
	return loan->accepted.visit != 0 && loan->accepted.jti == loan->issued.jti &&
	       loan->accepted.visit == loan->issued.visit &&
	       loan->accepted.exp_s > ask->now_s + STEADY_S &&
	       loan->steady_us > ask->now_us + STEADY_US;
}

/** The token before it may be shown and be too old by nothing but that. */
static bool is_fresh(const struct loan *loan, const struct rogue_ask *ask)
{
	return loan->accepted.exp_s > ask->now_s + ask->min_grant_s + OLDER_S;
}

static const struct loan *victim(const struct rogue_ask *ask)
{
	for (uint32_t i = 0; i < ROGUE_TRIES; i++) {
		uint32_t row = chance_below(ask->chance, ask->site->pairs->count);
		const struct loan *loan = &ask->site->loan[row];

		if (is_steady(loan, ask) && (ask->kind != ROGUE_OLDER || is_fresh(loan, ask)))
			return loan;
	}
	return NULL;
}

static bool issue_of_victim(const struct rogue_ask *ask, struct rogue_issue *out)
{
	const struct loan *loan = victim(ask);
	struct issue *issue = &out->issue;

	if (loan == NULL)
		return false;
	issue->pair = loan->accepted.pair;
	out->retry_at_s = kinds[ask->kind].retry ? loan->accepted.exp_s : 0;
	if (ask->kind == ROGUE_REPLAY)
		issue->jti = loan->accepted.jti;
	if (ask->kind == ROGUE_OLDER) {
		issue->visit = loan->accepted.visit;
		issue->iat_s = loan->accepted.iat_s - 1 - chance_below(ask->chance, OLDER_S);
		issue->exp_s = issue->iat_s + ask->site->lifetime_s;
	}
	return true;
}

static struct span identity_write(char *text, size_t room, const char *scheme, uint32_t n,
				  const char *domain)
{
	int len = snprintf(text, room, "%s" ROGUE_FOREIGN_NAME "%u@%s", scheme, n, domain);

	return span_of(text, len > 0 && (size_t)len < room ? (uint32_t)len : 0);
}

/** As many again as the other site has are nobody's. */
static bool issue_of_others(const struct rogue_ask *ask, struct rogue_issue *out)
{
	uint32_t n = 1 + chance_below(ask->chance, 2 * ask->site->pairs->count);
	struct pair *pair = &out->issue.pair;

	pair->impi = identity_write(out->text[0], sizeof(out->text[0]), "", n, ask->domain);
	pair->impu = identity_write(out->text[1], sizeof(out->text[1]), "sip:", n, ask->domain);
	return pair->impi.len > 0 && pair->impu.len > 0;
}

static bool issue_of_own(const struct rogue_ask *ask, struct rogue_issue *out)
{
	const struct pairs *pairs = ask->site->pairs;
	uint32_t row = chance_below(ask->chance, pairs->count);

	out->issue.pair = pairs->pair[row];
	if (ask->kind == ROGUE_LONG)
		out->issue.exp_s =
			ask->now_s + ask->max_lifetime_s + 1 + chance_below(ask->chance, 3600);
	else
		out->issue.pair.impi = pairs->pair[(row + 1) % pairs->count].impi;
	return ask->kind == ROGUE_LONG || pairs->count > 1;
}

bool rogue_issue(const struct rogue_ask *ask, struct rogue_issue *out)
{
	*out = (struct rogue_issue){
		.issue = {.visit = ask->visit,
			  .jti = ask->jti,
			  .iat_s = ask->now_s,
			  .exp_s = ask->now_s + ask->site->lifetime_s},
		.status = kinds[ask->kind].status,
	};
	switch (ask->kind) {
	case ROGUE_LONG:
	case ROGUE_MIXED:
		return issue_of_own(ask, out);
	case ROGUE_FOREIGN:
		return issue_of_others(ask, out);
	default:
		return issue_of_victim(ask, out);
	}
}
