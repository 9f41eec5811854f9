/* SPDX-License-Identifier: BSD-3-Clause */
#include "pattern.h"

#include <hs.h>

#include "pattern_table.h"

/** What a scan looks for. */
struct pattern_scan {
	uint32_t id;
	bool others; /* any but id */
	bool found;
};

/** Ends the scan when there is no more to find. */
static int pattern_matched(unsigned int id, unsigned long long from, unsigned long long to,
			   unsigned int flags, void *context)
{
	struct pattern_scan *scan = context;

	(void)from;
	(void)to;
	(void)flags;
	scan->found = (id == scan->id) != scan->others;
	return scan->found;
}

static bool pattern_scan(const struct pattern_database *database, uint16_t worker, struct span text,
			 struct pattern_scan *scan)
{
	hs_error_t err;

	if (database == NULL || worker > database->workers)
		return false;
	err = hs_scan(database->database, (const char *)text.at, text.len, 0,
		      database->scratch[worker], pattern_matched, scan);
	return err == HS_SCAN_TERMINATED && scan->found;
}

bool pattern_matches(const struct pattern_database *database, uint16_t worker, uint32_t id,
		     struct span text)
{
	struct pattern_scan scan = {.id = id};

	return pattern_scan(database, worker, text, &scan);
}

bool pattern_any(const struct pattern_database *database, uint16_t worker, struct span text)
{
	struct pattern_scan scan = {.id = UINT32_MAX, .others = true};

	return pattern_scan(database, worker, text, &scan);
}

static bool span_ends(struct span s, struct span suffix)
{
	return s.len >= suffix.len && span_equal(span_from(s, s.len - suffix.len), suffix);
}

/** The text of a wildcard, which is an ordinary user of a URI as well (PROTOCOL 1.4). */
static bool is_wildcard(const struct pattern_part *part, struct span impu)
{
	for (uint32_t i = 0; i < part->count; i++)
		if (span_equal(part->row[i].literal, impu))
			return true;
	return false;
}

static bool has_delimiters(struct span impu)
{
	uint32_t first = span_find(impu, '!');

	return span_find(span_from(impu, first + 1), '!') + first + 1 < impu.len;
}

/** The core has it in its wildcards too, where it has named any. */
static bool is_named(const struct pattern_row *r, uint16_t worker, struct span impu)
{
	for (uint32_t by = 0; by < BLOCK_NAMED_WAYS; by++)
		if (r->named[by] != NULL && !pattern_any(r->named[by], worker, impu))
			return false;
	return true;
}

bool pattern_row_has(const struct pattern_part *part, uint16_t worker, uint32_t row,
		     struct span impu)
{
	const struct pattern_row *r = &part->row[row];

	if (r->wildcard.len == 0 || !span_starts(impu, r->prefix) || !span_ends(impu, r->suffix))
		return false;
	if (has_delimiters(impu) && is_wildcard(part, impu))
		return false;
	return pattern_matches(part->database, worker, r->id, impu) && is_named(r, worker, impu);
}

bool pattern_has(const struct pattern_part *part, uint16_t worker, uint32_t wwsf,
		 const struct identity *impu)
{
	return part != NULL && wwsf < part->count &&
	       pattern_row_has(part, worker, wwsf, identity_span(impu));
}

struct span pattern_wildcard(const struct pattern_part *part, uint32_t wwsf)
{
	return part != NULL && wwsf < part->count ? part->row[wwsf].wildcard : SPAN("");
}

struct span pattern_uri(const struct pattern_part *part, uint32_t wwsf)
{
	return part != NULL && wwsf < part->count ? part->row[wwsf].literal : SPAN("");
}

bool pattern_of_another(const struct pattern_part *part, uint16_t worker, uint32_t wwsf,
			const struct identity *impu)
{
	struct pattern_scan scan = {.id = UINT32_MAX, .others = true};

	if (part == NULL)
		return false;
	if (pattern_wildcard(part, wwsf).len > 0)
		scan.id = part->row[wwsf].id;
	return pattern_scan(part->database, worker, identity_span(impu), &scan);
}

static bool is_in_pool(const struct pair_part *pairs, struct span impu)
{
	for (uint32_t i = 0; pairs != NULL && i < pairs->count; i++)
		if (identity_pooled(&pairs->table[i], SPAN(""), impu))
			return true;
	return false;
}

enum gw_err identity_wildcarded(const struct pattern_part *part, const struct pair_part *pairs,
				uint16_t worker, uint32_t wwsf, const struct identity *impu)
{
	if (is_in_pool(pairs, identity_span(impu)) || !pattern_has(part, worker, wwsf, impu))
		return GW_IDENTITY_FOREIGN;
	return GW_OK;
}
