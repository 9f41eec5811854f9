/* SPDX-License-Identifier: BSD-3-Clause */
#include "site.h"

#include <stdlib.h>

bool site_init(struct site *site, const struct pairs *pairs, uint64_t lifetime_s)
{
	*site = (struct site){.pairs = pairs, .lifetime_s = lifetime_s};
	site->loan = calloc(pairs->count, sizeof(*site->loan));
	return site->loan != NULL;
}

void site_fini(struct site *site)
{
	free(site->loan);
	*site = (struct site){0};
}

/** PROTOCOL 6.4: the next one's iat is behind the end of the last one's token. */
static bool is_free(const struct loan *loan, uint64_t now_s)
{
	return loan->issued.visit == 0 || now_s > loan->issued.exp_s;
}

uint32_t site_lend(struct site *site, uint64_t visit, uint64_t now_s)
{
	for (uint32_t i = 0; i < site->pairs->count; i++) {
		uint32_t row = (site->next + i) % site->pairs->count;
		struct loan *loan = &site->loan[row];

		if (!is_free(loan, now_s))
			continue;
		site->next = row + 1;
		*loan = (struct loan){.uses = loan->uses + 1};
		/* the visitor has the time of a token to fetch one */
		loan->issued = (struct issue){.pair = site->pairs->pair[row],
					      .visit = visit,
					      .iat_s = now_s,
					      .exp_s = now_s + site->lifetime_s};
		return row;
	}
	return SITE_NONE;
}

bool site_is_lent(const struct site *site, uint32_t pair, uint64_t visit, uint64_t until_s)
{
	const struct issue *last = &site->loan[pair].issued;

	return last->visit == visit && last->exp_s >= until_s;
}

bool site_issue(struct site *site, uint32_t pair, uint64_t visit, uint64_t jti, uint64_t now_s,
		struct issue *out)
{
	struct loan *loan = &site->loan[pair];

	if (loan->issued.visit != visit)
		return false;
	loan->issued.jti = jti;
	loan->issued.iat_s = now_s;
	loan->issued.exp_s = now_s + site->lifetime_s;
	*out = loan->issued;
	return true;
}

void site_accepted(struct site *site, uint32_t pair, const struct issue *issue, uint64_t steady_us)
{
	struct loan *loan = &site->loan[pair];

	if (loan->issued.visit != issue->visit)
		return;
	loan->accepted = *issue;
	loan->steady_us = steady_us;
}

void site_gone(struct site *site, uint32_t pair, const struct wic *wic)
{
	struct loan *loan = &site->loan[pair];

	if (loan->wic != wic)
		return;
	loan->wic = NULL;
	loan->steady_us = UINT64_MAX;
}

static int ascending(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

struct site_uses site_uses(const struct site *site)
{
	uint32_t count = site->pairs->count;
	uint32_t *uses = calloc(count, sizeof(*uses));
	struct site_uses out = {0};

	if (uses == NULL || count == 0)
		goto free_uses;
	for (uint32_t i = 0; i < count; i++) {
		uses[i] = site->loan[i].uses;
		out.all += uses[i];
	}
	qsort(uses, count, sizeof(*uses), ascending);
	out.least = uses[0];
	out.median = uses[count / 2];
	out.most = uses[count - 1];
free_uses:
	free(uses);
	return out;
}
