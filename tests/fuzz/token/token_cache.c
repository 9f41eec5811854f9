/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "token/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The memories of tokens beside a model of them: a list in the order of use. Each two bytes of the
 * input are a deed and a token, one of a few, so that the tables are full all the time; deeds also
 * publish another configuration or other keys, and let time pass.
 */

enum { ENTRIES = 5, TOKENS = 16 };

struct known {
	uint8_t token;
	uint32_t text;	   /* length of sub: an entry may be too long */
	bool stale;	   /* verified by a key that is no more: forgotten when it is asked for */
	uint64_t until_us; /* of a refusal */
	enum gw_err why;
};

/** Used last comes first. */
struct model {
	struct known row[ENTRIES];
	uint32_t count;
};

static struct issuer_config issuers[] = {{
	.iss = {(const uint8_t *)"i", 1},
	.audience = {(const uint8_t *)"a", 1},
	.algorithms = 1u << JWS_ES256,
}};
static struct key_row key_rows[] = {{.key = {.alg = JWS_ES256, .id = 1}}};
static struct config_part config;
static struct key_part keys;
static struct snapshot view;
static uint64_t now_us;

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static struct token_digest digest_of(uint8_t token)
{
	return token_digest(span_of(&token, 1));
}

static void model_drop(struct model *m, uint32_t at)
{
	m->count--;
	for (uint32_t i = at; i < m->count; i++)
		m->row[i] = m->row[i + 1];
}

/* Where token is; count when it is not there. */
static uint32_t model_find(const struct model *m, uint8_t token)
{
	uint32_t i = 0;

	while (i < m->count && m->row[i].token != token)
		i++;
	return i;
}

/* Puts a row first: the one of that token goes, and if need be the last one. */
static void model_put(struct model *m, struct known row)
{
	uint32_t at = model_find(m, row.token);

	if (at < m->count)
		model_drop(m, at);
	if (m->count == ENTRIES)
		m->count--;
	for (uint32_t i = m->count; i > 0; i--)
		m->row[i] = m->row[i - 1];
	m->row[0] = row;
	m->count++;
}

/* ---- deeds ---- */

static uint8_t letters[1024];

static void cache_put(struct token_cache *cache, struct model *m, uint8_t token)
{
	struct token_digest digest = digest_of(token);
	uint32_t text = token % 4 == 3 ? 600 : token;
	struct token_claims claims = {.alg = JWS_ES256,
				      .iss = issuers[0].iss,
				      .sub = span_of(letters, text),
				      .exp_s = token,
				      .has_exp = true};

	token_cache_put(cache, &digest, &config, &keys, &claims);
	model_put(m, (struct known){.token = token, .text = text});
	if (text > 448)
		model_drop(m, 0); /* whoever made room for it has gone all the same */
}

static void cache_find(struct token_cache *cache, struct model *m, uint8_t token)
{
	struct token_digest digest = digest_of(token);
	uint32_t at = model_find(m, token);
	struct token_claims claims;
	bool found = token_cache_find(cache, &digest, &config, &keys, &claims);

	expect(found == (at < m->count && !m->row[at].stale));
	if (!found && at < m->count)
		model_drop(m, at);
	if (!found)
		return;
	expect(claims.exp_s == token && claims.has_exp && !claims.has_iat && claims.issuer == 0);
	expect(span_equal(claims.sub, span_of(letters, m->row[at].text)));
	expect(span_equal(claims.iss, issuers[0].iss) && claims.jti.len == 0);
	model_put(m, m->row[at]);
}

static void refused_put(struct token_refused *refused, struct model *m, uint8_t token)
{
	static const enum gw_err why[] = {GW_TOKEN_SIGNATURE, GW_TOKEN_AUD, GW_TOKEN_KID,
					  GW_TOKEN_EXPIRED};
	struct token_digest digest = digest_of(token);
	struct known row = {.token = token,
			    .until_us = now_us + TOKEN_REFUSED_US,
			    .why = why[token % 4]};

	token_refused_put(refused, &digest, &view, now_us, row.why);
	if (row.why != GW_TOKEN_KID)
		model_put(m, row);
}

static void refused_find(struct token_refused *refused, struct model *m, uint8_t token)
{
	struct token_digest digest = digest_of(token);
	enum gw_err why = token_refused_find(refused, &digest, &view, now_us);
	uint32_t at = model_find(m, token);

	if (at == m->count) {
		expect(why == GW_OK);
	} else if (now_us >= m->row[at].until_us) {
		expect(why == GW_OK);
		model_drop(m, at);
	} else {
		expect(why == m->row[at].why);
		model_put(m, m->row[at]);
	}
}

/* Another configuration in which everything is as it was, or other key material. */
static void publish(uint8_t what, struct model *cached, struct model *refused)
{
	if (what % 2 == 0) {
		config.part.generation++;
	} else {
		keys.part.generation++;
		key_rows[0].key.id++;
		for (uint32_t i = 0; i < cached->count; i++)
			cached->row[i].stale = true;
	}
	for (uint32_t i = 0; i < refused->count; i++)
		refused->row[i].until_us = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct token_cache *cache = token_cache_new(ENTRIES);
	struct token_refused *refused = token_refused_new(ENTRIES);
	struct model cached = {0}, refusals = {0};

	config =
		(struct config_part){.issuer = issuers, .issuer_count = 1, .max_token_bytes = 8192};
	keys = (struct key_part){.row = key_rows, .count = 1};
	view = (struct snapshot){.config = &config, .keys = &keys};
	now_us = 1;
	for (size_t i = 0; i + 1 < size; i += 2) {
		uint8_t token = data[i + 1] % TOKENS;

		switch (data[i] % 6) {
		case 0:
			cache_put(cache, &cached, token);
			break;
		case 1:
			cache_find(cache, &cached, token);
			break;
		case 2:
			refused_put(refused, &refusals, token);
			break;
		case 3:
			refused_find(refused, &refusals, token);
			break;
		case 4:
			now_us += data[i + 1] * (TOKEN_REFUSED_US / 256);
			break;
		default:
			publish(data[i + 1], &cached, &refusals);
		}
	}
	token_cache_free(cache);
	token_refused_free(refused);
	return 0;
}
