/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include <time.h>

/* The pairs of the web sites, as they are live. */

static void pools_time(uint64_t unix_s, char text[32])
{
	time_t at = (time_t)unix_s;
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static json_t *pools_row(const struct config_wwsf *wwsf)
{
	static const char *const modes[] = {[CONFIG_MODE_INDIVIDUAL] = "individual",
					    [CONFIG_MODE_IMS_AUTH] = "ims-auth",
					    [CONFIG_MODE_POOL] = "pool"};
	struct pairs_about about = pairs_about(wwsf->pairs);
	bool made = pairs_table(wwsf->pairs)->kind == PAIRS_MADE;
	char loaded[32];

	pools_time(about.loaded_s, loaded);
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:I}", "wwsf", wwsf->name.text, "mode",
			 modes[wwsf->mode.value], "kind", made ? "generator" : "file", "pairs",
			 (json_int_t)about.count, "bytes", (json_int_t)about.bytes, "loaded",
			 loaded, "load_ms", (json_int_t)about.took_ms);
}

void command_run_pools(struct cli_request *request, void *context)
{
	const struct commands *c = context;
	const struct config *config = c->node->keys(c->node_context).config;
	json_t *rows = json_array();

	for (uint32_t w = 0; w < config->wwsf.count; w++) {
		const struct config_wwsf *wwsf = config_wwsf(config, w);

		if (wwsf->pairs != NULL)
			json_array_append_new(rows, pools_row(wwsf));
	}
	cli_reply(request, json_pack("{s:o}", "pools", rows));
}
