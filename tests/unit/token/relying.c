/* SPDX-License-Identifier: BSD-3-Clause */
#include "relying.h"

#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "control/keys.h"
#include "token/token.h"
#include "verifier.h"

struct relying {
	struct arena *arena;
	struct problems *problems;
	struct key_ids *ids;
	struct verifier *verifier;
	struct span types[2];
	struct issuer_config issuer;
	struct wwsf_config wwsf;
	struct config_part config;
	struct key_part keys;
	struct token_scratch scratch;
	struct token_claims claims;
	struct verify_job job;
	uint8_t text[2 * VERIFY_TEXT_MAX];
};

static void config_fill(struct relying *r, uint32_t algorithms)
{
	r->types[0] = SPAN("at+jwt");
	r->types[1] = SPAN("jwt");
	r->issuer = (struct issuer_config){.iss = SPAN(RELYING_ISS),
					   .audience = SPAN(RELYING_AUD),
					   .algorithms = algorithms,
					   .typ = r->types,
					   .typ_count = 2,
					   .leeway_s = 30};
	r->wwsf = (struct wwsf_config){.name = SPAN("shop")};
	r->config = (struct config_part){.issuer = &r->issuer,
					 .issuer_count = 1,
					 .wwsf = &r->wwsf,
					 .wwsf_count = 1,
					 .max_token_bytes = VERIFY_TEXT_MAX,
					 .max_token_lifetime_s = 3600};
}

static void keys_fill(struct relying *r, const char *path, uint32_t algorithms)
{
	const struct keys_source source = {.path = path,
					   .file = "relying",
					   .line = 1,
					   .algorithms = algorithms};
	struct key_list list;
	struct key_row *row;

	keys_load(&source, r->arena, &list, r->problems);
	row = arena_get(r->arena, list.count * sizeof(*row));
	for (uint32_t i = 0; i < list.count; i++) {
		row[i] = (struct key_row){.kid = list.at[i].kid, .key = list.at[i].key};
		key_ids_number(r->ids, &row[i].key);
	}
	r->keys = (struct key_part){.row = row, .count = list.count};
}

struct relying *relying_new(const char *path, uint32_t algorithms)
{
	const struct verifier_config depth = {.depth = 1};
	struct relying *r = calloc(1, sizeof(*r));

	if (r == NULL || verifier_openssl.open(&depth, &r->verifier) != GW_OK)
		abort();
	r->arena = arena_new();
	r->problems = problems_new();
	r->ids = key_ids_new();
	config_fill(r, algorithms);
	keys_fill(r, path, algorithms);
	return r;
}

void relying_free(struct relying *relying)
{
	if (relying == NULL)
		return;
	verifier_openssl.close(relying->verifier);
	key_ids_free(relying->ids);
	problems_free(relying->problems);
	arena_free(relying->arena);
	free(relying);
}

uint32_t relying_keys(const struct relying *relying)
{
	return relying->keys.count;
}

bool relying_complains(const struct relying *relying, const char *words)
{
	for (uint32_t i = 0; i < problems_count(relying->problems); i++)
		if (strstr(problems_text(relying->problems, i), words) != NULL)
			return true;
	return false;
}

/* Steps 8: the signature that the claims have been read with. */
static enum gw_err verified(struct relying *r)
{
	struct verify_job *one = &r->job;
	enum gw_err err = token_job(&r->claims, &r->keys, &r->job);

	if (err != GW_OK)
		return err;
	if (verifier_openssl.submit(r->verifier, &one, 1) != 1)
		abort();
	while (verifier_openssl.poll(r->verifier, &one, 1) == 0)
		;
	return r->job.verdict;
}

/* Header "." payload: all before the second dot, or before the end. */
static struct span signed_part(struct span token)
{
	uint32_t first = span_find(token, '.');

	return span_cut(token, 0, first + 1 + span_find(span_from(token, first + 1), '.'));
}

/* The token with a payload that names the issuer and nothing else, in r->text. */
static struct span stand_in(struct relying *r, struct span token)
{
	struct span before = span_cut(token, 0, span_find(token, '.'));
	struct writer out;

	writer_init(&out, r->text, sizeof(r->text));
	writer_put(&out, before);
	writer_u8(&out, '.');
	base64url_write(&out, SPAN("{\"iss\":\"" RELYING_ISS "\"}"));
	writer_put(&out, span_from(token, signed_part(token).len));
	if (!writer_ok(&out))
		abort();
	return writer_span(&out);
}

/*
 * token_read() wants claims in the payload, and the tokens of RFCs and test files have other
 * things there. So it reads the token with claims put in the place of the payload, and then the
 * signature is asked of the bytes as they were.
 */
enum gw_err relying_jws(struct relying *relying, struct span token)
{
	struct span text = signed_part(token), payload = span_from(text, span_find(text, '.') + 1);
	uint8_t ignored[VERIFY_TEXT_MAX];
	uint32_t len;
	enum gw_err err;

	if (span_at(token, text.len) < 0)
		return token_read(token, &relying->config, &relying->keys, &relying->scratch,
				  &relying->claims);
	err = token_read(stand_in(relying, token), &relying->config, &relying->keys,
			 &relying->scratch, &relying->claims);
	if (err == GW_OK && base64url_read(payload, ignored, sizeof(ignored), &len) != BASE64URL_OK)
		err = GW_TOKEN_MALFORMED;
	relying->claims.signed_text = text;
	return err == GW_OK ? verified(relying) : err;
}

enum gw_err relying_whole(struct relying *relying, struct span token, uint64_t now_s)
{
	struct token_use use = {.config = &relying->config, .method = SIP_REGISTER, .now_s = now_s};
	enum gw_err err = token_read(token, &relying->config, &relying->keys, &relying->scratch,
				     &relying->claims);

	if (err == GW_OK)
		err = verified(relying);
	if (err == GW_OK)
		err = token_judge(&relying->claims, &use);
	return err;
}
