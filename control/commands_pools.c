/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include <time.h>

/* The pairs of the web sites, as they are live, and what workers have counted of them. */

static void pools_time(uint64_t unix_s, char text[32])
{
	time_t at = (time_t)unix_s;
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

json_int_t commands_counted(const json_t *counted, const char *wwsf, const char *what)
{
	json_int_t sum = 0;

	for (size_t i = 0; i < json_array_size(counted); i++) {
		const json_t *row = json_array_get(counted, i);

		if (strcmp(json_string_value(json_object_get(row, "wwsf")), wwsf) == 0)
			sum += json_integer_value(json_object_get(row, what));
	}
	return sum;
}

static json_t *pools_row(const struct config_wwsf *wwsf, const json_t *counted)
{
	static const char *const modes[] = {[CONFIG_MODE_INDIVIDUAL] = "individual",
					    [CONFIG_MODE_IMS_AUTH] = "ims-auth",
					    [CONFIG_MODE_POOL] = "pool"};
	struct pairs_about about = pairs_about(wwsf->pairs);
	bool made = pairs_table(wwsf->pairs)->kind == PAIRS_MADE;
	char loaded[32];

	pools_time(about.loaded_s, loaded);
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I}", "wwsf",
			 wwsf->name.text, "mode", modes[wwsf->mode.value], "kind",
			 made ? "generator" : "file", "pairs", (json_int_t)about.count, "bytes",
			 (json_int_t)about.bytes, "loaded", loaded, "load_ms",
			 (json_int_t)about.took_ms, "held",
			 commands_counted(counted, wwsf->name.text, "held"), "granted",
			 commands_counted(counted, wwsf->name.text, "granted"), "in_use",
			 commands_counted(counted, wwsf->name.text, "in_use"), "conflicts",
			 commands_counted(counted, wwsf->name.text, "conflicts"));
}

/** The web sites with pairs, in the order of the configuration that is live by now. */
static json_t *pools_end(const void *context, json_t *counted_owned)
{
	const struct commands *c = context;
	const struct config *config = c->node->keys(c->node_context).config;
	json_t *rows = json_array();

	for (uint32_t w = 0; w < config->wwsf.count; w++) {
		const struct config_wwsf *wwsf = config_wwsf(config, w);

		if (wwsf->pairs != NULL)
			json_array_append_new(rows, pools_row(wwsf, counted_owned));
	}
	json_decref(counted_owned);
	return json_pack("{s:o}", "pools", rows);
}

void command_run_pools(struct cli_request *request, void *context)
{
	const struct commands *c = context;
	const struct fetch_order order = {.what = COMMAND_POOLS,
					  .end = pools_end,
					  .context = context};

	fetch_start(c->fetch, request, &order);
}
