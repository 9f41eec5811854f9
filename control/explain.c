/* SPDX-License-Identifier: BSD-3-Clause */
#include "explain.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base64url.h"
#include "fetch.h"
#include "parts.h"
#include "writer.h"

enum { STEPS_MAX = 32 };

struct explain {
	struct cli_request *request;
	json_t *steps, *header, *claims;
};

/* ---- what the token says --------------------------------------------------------------------- */

/** The JSON object in a part of a token; NULL: none that can be shown. */
static json_t *part_read(struct span text)
{
	uint8_t *bytes = malloc(text.len + 1u);
	json_t *object = NULL;
	uint32_t len;

	if (bytes == NULL)
		return NULL;
	if (base64url_read(text, bytes, text.len, &len) == BASE64URL_OK)
		object = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
	OPENSSL_cleanse(bytes, text.len + 1u);
	free(bytes);
	return object;
}

/** A value as JSON text, so that nothing in it moves a terminal's cursor. */
static json_t *value_text(json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
	json_t *shown = json_string(text != NULL ? text : "");

	free(text);
	return shown;
}

static json_t *part_rows(json_t *object, const char *column)
{
	json_t *rows = json_array();

	for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i)) {
		json_t *name = json_string(json_object_iter_key(i));

		json_array_append_new(rows,
				      json_pack("{s:o, s:o}", column, value_text(name), "value",
						value_text(json_object_iter_value(i))));
		json_decref(name);
	}
	return rows;
}

/** Who reads over a shoulder must not be able to use what names the token. */
static void claims_hash_jti(json_t *claims, const uint8_t *hash_key)
{
	const char *jti = json_string_value(json_object_get(claims, "jti"));
	const char *iss = json_string_value(json_object_get(claims, "iss"));
	json_t *shown = json_string("[withheld]"); /* not a text: no token that is accepted */

	if (jti != NULL) {
		json_decref(shown);
		shown = fetch_hash(
			jti_hash(hash_key, span_text(iss != NULL ? iss : ""), span_text(jti)));
	}
	if (json_object_get(claims, "jti") != NULL)
		json_object_set(claims, "jti", shown);
	json_decref(shown);
}

static void explain_read(struct explain *explain, const struct explain_order *order)
{
	struct span token = order->token, header, payload;
	json_t *object, *claims;

	header = span_cut(token, 0, span_find(token, '.'));
	token = span_from(token, header.len + 1);
	payload = span_cut(token, 0, span_find(token, '.'));
	object = part_read(header);
	claims = part_read(payload);
	claims_hash_jti(claims, order->hash_key);
	explain->header = part_rows(object, "header");
	explain->claims = part_rows(claims, "claim");
	json_decref(object);
	json_decref(claims);
}

/* ---- what the worker says -------------------------------------------------------------------- */

static void explain_row(void *context, uint16_t worker, const void *bytes)
{
	struct explain *explain = context;
	struct row_step row;

	memcpy(&row, bytes, sizeof(row));
	row.name[sizeof(row.name) - 1] = '\0';
	json_array_append_new(explain->steps, json_pack("{s:s, s:s}", "step", row.name, "result",
							gw_err_text(row.err)));
}

static void explain_end(void *context, enum gw_err err)
{
	struct explain *explain = context;
	json_t *answer = json_pack("{s:o, s:o, s:o}", "steps", explain->steps, "header",
				   explain->header, "claims", explain->claims);

	if (err != GW_OK)
		json_object_set_new(answer, "steps",
				    json_pack("{s:s}", "error", "worker 0 has not answered"));
	cli_reply(explain->request, answer);
	free(explain);
}

/** Puts the body of the command in errand and starts it. */
static enum gw_err explain_send(struct errands *errands, struct errand *errand,
				const struct explain_order *order)
{
	const struct explain_ask ask = {(uint16_t)order->origin.len};
	uint32_t size = (uint32_t)sizeof(ask) + order->origin.len + order->token.len;
	uint8_t *body = malloc(size);
	struct writer w;
	enum gw_err err;

	if (body == NULL)
		return GW_NO_MEMORY;
	writer_init(&w, body, size);
	writer_bytes(&w, &ask, sizeof(ask));
	writer_put(&w, order->origin);
	writer_put(&w, order->token);
	errand->body = writer_span(&w);
	err = errands_start(errands, errand);
	OPENSSL_cleanse(body, size);
	free(body);
	return err;
}

void explain_start(struct errands *errands, struct cli_request *request,
		   const struct explain_order *order)
{
	uint32_t deadline_ms = cli_deadline_ms(request);
	struct explain *explain = calloc(1, sizeof(*explain));
	struct errand errand = {
		.what = COMMAND_EXPLAIN,
		.workers = 1,
		.row_size = sizeof(struct row_step),
		.rows_max = STEPS_MAX,
		.deadline_ms = deadline_ms - deadline_ms / 8, /* before the client is told "busy" */
		.context = explain,
		.row = explain_row,
		.end = explain_end,
	};

	if (explain == NULL) {
		cli_fail(request, "no memory");
		return;
	}
	explain->request = request;
	explain->steps = json_array();
	explain_read(explain, order);
	if (explain_send(errands, &errand, order) != GW_OK)
		explain_end(explain, GW_NO_MEMORY);
}
