/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include <hs.h>

#include "guest.h"
#include "member.h"

/* The wildcarded identities of web sites, as control would publish them. */

#define EXPRESSIONS 2
#define ROWS (BLOCK_SITE + 1)

static const char *const expressions[EXPRESSIONS] = {"\\Asip:web[0-9]+@ims\\.example\\z",
						     "\\Asip:user5[0-9][0-9]@ims\\.example\\z"};
static const unsigned int flags[EXPRESSIONS] = {HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH,
						HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH};
static const unsigned int ids[EXPRESSIONS] = {0, 1};
static struct hs_scratch *scratch[SIM_WORKERS_MAX + 1];
static struct pattern_database made = {.scratch = scratch, .workers = SIM_WORKERS_MAX};
static const struct pattern_row patterns[ROWS] = {
	[GUEST_SITE] = {.wildcard = SPAN("sip:web![0-9]+!@" DOMAIN),
			.literal = SPAN("sip:web!%5B0-9%5D+!@" DOMAIN),
			.prefix = SPAN("sip:web"),
			.suffix = SPAN("@" DOMAIN),
			.id = 0},
	[BLOCK_SITE] = {.wildcard = SPAN("sip:user!5[0-9][0-9]!@" DOMAIN),
			.literal = SPAN("sip:user!5%5B0-9%5D%5B0-9%5D!@" DOMAIN),
			.prefix = SPAN("sip:user"),
			.suffix = SPAN("@" DOMAIN),
			.id = 1},
};

static void part_free(struct snapshot_part *part)
{
	free(part);
}

struct snapshot_part *patterns_new(uint32_t sites)
{
	struct pattern_part *part = calloc(1, sizeof(*part));
	hs_compile_error_t *fault = NULL;

	if (made.database == NULL &&
	    hs_compile_multi(expressions, flags, ids, EXPRESSIONS, HS_MODE_BLOCK, NULL,
			     &made.database, &fault) != HS_SUCCESS)
		abort();
	for (uint32_t i = 0; i <= SIM_WORKERS_MAX; i++)
		if (scratch[i] == NULL &&
		    hs_alloc_scratch(made.database, &scratch[i]) != HS_SUCCESS)
			abort();
	*part = (struct pattern_part){.part.free = part_free,
				      .database = &made,
				      .row = patterns,
				      .count = sites};
	return &part->part;
}
