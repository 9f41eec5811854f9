/* SPDX-License-Identifier: BSD-3-Clause */
#include "homes.h"

/* What each web site's pool comes to on this worker, for `wicctl pools` and `wicctl wwsf`: by name,
 * since rows of the configuration change with a reload. */

/** The row of that name, made when it is new. The last one is for all that have no other. */
static struct row_pool *row_of(struct gateway *gw, struct span name)
{
	struct pool_counts *counts = &gw->pool_counts;
	struct row_pool *row;

	name = span_cut(name, 0, SITE_NAME_MAX);
	for (uint32_t i = 0; i < counts->count; i++)
		if (span_equal(span_text(counts->row[i].name), name))
			return &counts->row[i];
	if (counts->count == POOL_COUNTS_MAX)
		return &counts->row[POOL_COUNTS_MAX - 1];
	row = &counts->row[counts->count++];
	memcpy(row->name, name.at, name.len);
	return row;
}

void pool_count(struct gateway *gw, struct span site, enum pool_counted what)
{
	struct row_pool *row = row_of(gw, site);

	switch (what) {
	case POOL_COUNT_GRANTED:
		row->granted++;
		return;
	case POOL_COUNT_IN_USE:
		row->in_use++;
		return;
	case POOL_COUNT_CONFLICT:
		row->conflicts++;
		return;
	case POOL_COUNT_HELD:
		row->held++;
		return;
	case POOL_COUNT_RELEASED:
		row->held--;
		return;
	case POOL_COUNT_FORBIDDEN:
		row->forbidden++;
		return;
	}
}

uint32_t gateway_pool_rows(const struct gateway *gw, uint32_t *cursor, uint32_t max,
			   struct row_pool *rows)
{
	const struct pool_counts *counts = &gw->pool_counts;
	uint32_t n = 0;

	while (n < max && *cursor < counts->count)
		rows[n++] = counts->row[(*cursor)++];
	if (*cursor >= counts->count)
		*cursor = 0;
	return n;
}
