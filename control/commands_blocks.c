/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

/* Blocks of identities that are registered as one: the word of each block's home worker, and the
 * bindings of all. */

/** The row of that name that is there already, or NULL. */
static json_t *blocks_find(json_t *rows, const char *wwsf)
{
	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);

		if (strcmp(json_string_value(json_object_get(row, "wwsf")), wwsf) == 0)
			return row;
	}
	return NULL;
}

/** One of the same name that leaves beside one that stays is another pair of before: it is left
 * out. */
static bool blocks_say(const json_t *said)
{
	return json_is_true(json_object_get(said, "home")) &&
	       strcmp(json_string_value(json_object_get(said, "state")), "leaving") != 0;
}

static void blocks_add(json_t *rows, const json_t *said)
{
	static const char *const words[] = {"state",   "seconds",   "last_failure", "core_ended",
					    "again_s", "reg_event", "worker"};
	json_t *row = blocks_find(rows, json_string_value(json_object_get(said, "wwsf")));
	json_int_t bindings = json_integer_value(json_object_get(said, "bindings"));

	if (row == NULL) {
		row = json_deep_copy(said);
		json_object_del(row, "home");
		json_array_append_new(rows, row);
		return;
	}
	bindings += json_integer_value(json_object_get(row, "bindings"));
	json_object_set_new(row, "bindings", json_integer(bindings));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && blocks_say(said); i++)
		json_object_set(row, words[i], json_object_get(said, words[i]));
}

static json_t *blocks_end(const void *context, json_t *said_owned)
{
	const struct commands *c = context;
	json_t *rows = json_array(), *row;
	size_t i;

	for (i = 0; i < json_array_size(said_owned); i++)
		blocks_add(rows, json_array_get(said_owned, i));
	json_array_foreach(rows, i, row) {
		const char *wwsf = json_string_value(json_object_get(row, "wwsf"));

		json_object_set_new(row, "wildcard",
				    json_string(named_state(c->named, span_text(wwsf))));
	}
	json_decref(said_owned);
	return json_pack("{s:o}", "blocks", rows);
}

void command_run_blocks(struct cli_request *request, void *context)
{
	const struct commands *c = context;
	const struct fetch_order order = {.what = COMMAND_BLOCKS,
					  .end = blocks_end,
					  .context = context};

	fetch_start(c->fetch, request, &order);
}
