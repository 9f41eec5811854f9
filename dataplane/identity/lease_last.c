/* SPDX-License-Identifier: BSD-3-Clause */
#include "lease_last.h"

#include <stdlib.h>

#include "lease.h"

#define WAYS 8u
#define PAIRS_MAX_OF_LAST (1u << 30)

struct tomb {
	uint64_t impi, sub, jti;
	uint32_t iat_s, exp_s; /* exp_s 0: free */
};
_Static_assert(sizeof(struct tomb) == 32, "as docs/design.md has it");

struct lease_last {
	uint32_t mask; /* sets - 1 */
	struct tomb tomb[];
};

struct lease_last *lease_last_new(uint32_t pairs)
{
	struct lease_last *last;
	uint32_t sets = 1;

	if (pairs > PAIRS_MAX_OF_LAST)
		return NULL;
	while (sets * WAYS < pairs)
		sets *= 2;
	last = calloc(1, sizeof(*last) + (size_t)sets * WAYS * sizeof(last->tomb[0]));
	if (last != NULL)
		last->mask = sets - 1;
	return last;
}

void lease_last_free(struct lease_last *last)
{
	free(last);
}

/** The low bits say which worker: those above them spread over the sets. */
static struct tomb *set_of(struct lease_last *last, uint64_t impi)
{
	return &last->tomb[(impi >> 32 & last->mask) * WAYS];
}

static bool is_over(const struct tomb *t, uint64_t wall_s)
{
	return t->exp_s == 0 || wall_s >= (uint64_t)t->exp_s + LEASE_TOMBSTONE_S;
}

struct lease_terms lease_last_take(struct lease_last *last, uint64_t impi, uint64_t wall_s)
{
	struct tomb *t = set_of(last, impi);
	struct lease_terms terms = {0};

	for (uint32_t i = 0; i < WAYS; i++, t++) {
		if (t->exp_s == 0 || t->impi != impi)
			continue;
		if (!is_over(t, wall_s))
			terms = (struct lease_terms){.sub = t->sub,
						     .jti = t->jti,
						     .iat_s = t->iat_s,
						     .exp_s = t->exp_s};
		*t = (struct tomb){0};
		break;
	}
	return terms;
}

bool lease_last_put(struct lease_last *last, uint64_t impi, const struct lease_terms *terms,
		    uint64_t wall_s)
{
	struct tomb *t = set_of(last, impi), *victim = t;
	bool room;

	for (uint32_t i = 1; i < WAYS; i++)
		if (t[i].exp_s < victim->exp_s)
			victim = &t[i];
	room = is_over(victim, wall_s);
	*victim = (struct tomb){impi, terms->sub, terms->jti, (uint32_t)terms->iat_s,
				(uint32_t)terms->exp_s};
	return room;
}
