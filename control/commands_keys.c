/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"
#include "thumbprint.h"

static json_t *keys_issuer_row(const struct config_issuer *issuer, const struct jwks_view *view)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s}", "issuer", issuer->name.text,
			 "source", issuer->jwks.text, "state", jwks_state_name(view->state), "keys",
			 (json_int_t)view->keys->count, "age_s", (json_int_t)view->age_s,
			 "refresh_s", (json_int_t)view->refresh_s, "fetches",
			 (json_int_t)view->issuer.fetches, "error", view->error);
}

static json_t *keys_row(const struct publish_keys_from *from, const struct config_issuer *issuer,
			const struct key_list *keys, uint32_t i)
{
	const struct key_entry *entry = &keys->at[i];
	char print[THUMBPRINT_MAX];
	struct verify_key key = entry->key;

	key_ids_number(from->ids, &key);
	thumbprint(&key, print);
	/* kid is UTF-8: jansson has read it. Only keys for signatures are kept. */
	return json_pack("{s:s, s:s%, s:s, s:s, s:I, s:s, s:b}", "issuer", issuer->name.text, "kid",
			 entry->kid.len > 0 ? (const char *)entry->kid.at : "",
			 (size_t)entry->kid.len, "alg", keys_algorithm_name(key.alg), "use", "sig",
			 "id", (json_int_t)key.id, "thumbprint", print, "revoked",
			 (int)keys_revoked(from->revoked, span_text(issuer->name.text), keys, i));
}

void command_run_keys(struct cli_request *request, void *context)
{
	const struct commands *c = context;
	const struct publish_keys_from from = c->node->keys(c->node_context);
	json_t *issuers = json_array(), *keys = json_array();
	struct jwks_view view;

	for (uint32_t i = 0; i < from.config->issuers.count; i++) {
		const struct config_issuer *issuer = config_issuer(from.config, i);

		jwks_look(from.jwks, issuer, &view);
		json_array_append_new(issuers, keys_issuer_row(issuer, &view));
		for (uint32_t k = 0; k < view.keys->count; k++)
			json_array_append_new(keys, keys_row(&from, issuer, view.keys, k));
	}
	cli_reply(request, json_pack("{s:o, s:o}", "issuers", issuers, "keys", keys));
}
