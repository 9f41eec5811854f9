/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "digest_table.h"

struct refusal {
	uint64_t until_us;
	uint32_t config, keys; /* generation and version of the rows it was made under */
	uint32_t epoch;	       /* of the table */
	enum gw_err why;
};

struct token_refused {
	struct digest_table *table;
	struct refusal *row; /* of each row of table */
	uint32_t epoch;	     /* what was put in an earlier one is forgotten */
};

struct token_refused *token_refused_new(uint32_t entries)
{
	struct token_refused *refused = malloc(sizeof(*refused));

	if (refused == NULL)
		return NULL;
	refused->table = digest_table_new(entries);
	refused->row = NULL;
	refused->epoch = 0;
	if (refused->table != NULL)
		refused->row = malloc((entries + (size_t)1) * sizeof(*refused->row));
	if (refused->row == NULL) {
		token_refused_free(refused);
		return NULL;
	}
	return refused;
}

void token_refused_free(struct token_refused *refused)
{
	if (refused == NULL)
		return;
	digest_table_free(refused->table);
	free(refused->row);
	free(refused);
}

/* Not the generation: that grows with each fetch, and whoever sends tokens can have keys fetched.
 */
static uint32_t keys_version(const struct snapshot *view)
{
	return view->keys != NULL ? view->keys->rows_version : 0;
}

enum gw_err token_refused_find(struct token_refused *refused, const struct token_digest *digest,
			       const struct snapshot *view, uint64_t now_us)
{
	uint32_t row = digest_table_find(refused->table, digest);
	const struct refusal *known;

	if (row == DIGEST_ROW_NONE)
		return GW_OK;
	known = &refused->row[row];
	if (now_us < known->until_us && known->config == view->config->part.generation &&
	    known->keys == keys_version(view) && known->epoch == refused->epoch)
		return known->why;
	digest_table_drop(refused->table, row);
	return GW_OK;
}

/* What is wrong with the token itself, wherever and whenever it is shown. */
static bool is_final(enum gw_err why)
{
	switch (why) {
	case GW_TOKEN_MALFORMED:
	case GW_TOKEN_JSON:
	case GW_TOKEN_TYP:
	case GW_TOKEN_ALG:
	case GW_TOKEN_CRIT:
	case GW_TOKEN_SIGNATURE:
	case GW_TOKEN_AUD:
	case GW_TOKEN_EXPIRED:
		return true;
	default:
		return false;
	}
}

void token_refused_put(struct token_refused *refused, const struct token_digest *digest,
		       const struct snapshot *view, uint64_t now_us, enum gw_err why)
{
	uint32_t row;

	if (!is_final(why))
		return;
	row = digest_table_take(refused->table, view->config->hash_key, digest);
	if (row == DIGEST_ROW_NONE)
		return;
	refused->row[row] = (struct refusal){.until_us = now_us + TOKEN_REFUSED_US,
					     .config = view->config->part.generation,
					     .keys = keys_version(view),
					     .epoch = refused->epoch,
					     .why = why};
}

void token_refused_forget(struct token_refused *refused)
{
	refused->epoch++;
}
