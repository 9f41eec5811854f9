/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <stdlib.h>

#include "digest_table.h"
#include "jws.h"

/* Text of an entry in bytes: what tokens of identity providers say is mostly half of it. */
#define TEXT_MAX 448

/* The texts that are kept of claims. signed_text and signature have done their work. */
static const size_t texts[] = {
	offsetof(struct token_claims, typ),   offsetof(struct token_claims, kid),
	offsetof(struct token_claims, iss),   offsetof(struct token_claims, sub),
	offsetof(struct token_claims, jti),   offsetof(struct token_claims, impi),
	offsetof(struct token_claims, wwsf),  offsetof(struct token_claims, scn),
	offsetof(struct token_claims, scope), offsetof(struct token_claims, client),
};

#define TEXTS (sizeof(texts) / sizeof(texts[0]))

/** A verified token in ten cache lines. */
struct entry {
	uint64_t profile;      /* what its claims were read by: see profile_of() */
	uint32_t config, keys; /* generations in which issuer and key are rows */
	uint32_t issuer, key, key_id;
	uint8_t alg, impu_count;
	bool has_kid, audience_ok, claims_typed, has_exp, has_iat, has_nbf;
	uint64_t exp_s, iat_s, nbf_s;
	uint16_t len[TEXTS + TOKEN_IMPU_MAX]; /* of the texts, one behind the other */
	uint8_t text[TEXT_MAX];
};

struct token_cache {
	struct digest_table *table;
	struct entry *entry; /* of each row of table */
};

struct token_cache *token_cache_new(uint32_t entries)
{
	struct token_cache *cache = malloc(sizeof(*cache));

	if (cache == NULL)
		return NULL;
	cache->table = digest_table_new(entries);
	cache->entry = NULL;
	if (cache->table != NULL)
		cache->entry = malloc((entries + (size_t)1) * sizeof(*cache->entry));
	if (cache->entry == NULL) {
		token_cache_free(cache);
		return NULL;
	}
	return cache;
}

void token_cache_free(struct token_cache *cache)
{
	if (cache == NULL)
		return;
	digest_table_free(cache->table);
	free(cache->entry);
	free(cache);
}

static uint64_t mix(const struct config_part *config, uint64_t hash, struct span text)
{
	uint64_t both[] = {hash, siphash(config->hash_key, text)};

	return siphash(config->hash_key, span_of(both, sizeof(both)));
}

/* Names the settings that claims depend on beside issuer and key: with others, the same token would
 * be read otherwise. */
static uint64_t profile_of(const struct config_part *config, uint32_t issuer)
{
	const struct issuer_config *row = &config->issuer[issuer];
	const struct span settings[] = {row->audience, row->claim.impi, row->claim.impu,
					row->claim.wwsf, row->claim.scn};
	uint64_t profile = config->max_token_bytes;

	for (uint32_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		profile = mix(config, profile, settings[i]);
	return profile;
}

static uint32_t keys_generation(const struct key_part *keys)
{
	return keys != NULL ? keys->part.generation : 0;
}

/* ---- texts ---- */

/* Text i < TEXTS + impu_count of claims. */
static struct span *text_at(struct token_claims *claims, uint32_t i)
{
	if (i >= TEXTS)
		return &claims->impu[i - TEXTS];
	return (struct span *)(void *)((uint8_t *)claims + texts[i]);
}

/* False: more text than an entry holds. */
static bool texts_keep(struct entry *e, const struct token_claims *claims)
{
	struct token_claims copy = *claims;
	struct writer out;

	writer_init(&out, e->text, sizeof(e->text));
	for (uint32_t i = 0; i < TEXTS + claims->impu_count; i++) {
		struct span text = *text_at(&copy, i);

		writer_put(&out, text);
		e->len[i] = (uint16_t)text.len;
	}
	return writer_ok(&out);
}

static void texts_find(const struct entry *e, struct token_claims *claims)
{
	struct span rest = span_of(e->text, sizeof(e->text));

	for (uint32_t i = 0; i < TEXTS + claims->impu_count; i++)
		(void)span_take(&rest, e->len[i], text_at(claims, i));
}

/* ---- entries ---- */

static void entry_claims(const struct entry *e, struct token_claims *claims)
{
	*claims = (struct token_claims){
		.issuer = e->issuer,
		.key = e->key,
		.alg = (enum jws_alg)e->alg,
		.has_kid = e->has_kid,
		.impu_count = e->impu_count,
		.audience_ok = e->audience_ok,
		.claims_typed = e->claims_typed,
		.has_exp = e->has_exp,
		.has_iat = e->has_iat,
		.has_nbf = e->has_nbf,
		.exp_s = e->exp_s,
		.iat_s = e->iat_s,
		.nbf_s = e->nbf_s,
	};
	texts_find(e, claims);
}

/* Brings an entry of before a reload up to date. False: today the token would be read otherwise. */
static bool entry_renew(struct entry *e, const struct config_part *config,
			const struct key_part *keys, struct token_claims *claims)
{
	if (jws_key_choose(config, keys, claims) != GW_OK ||
	    keys->row[claims->key].key.id != e->key_id ||
	    profile_of(config, claims->issuer) != e->profile)
		return false;
	e->issuer = claims->issuer;
	e->key = claims->key;
	e->config = config->part.generation;
	e->keys = keys_generation(keys);
	return true;
}

bool token_cache_find(struct token_cache *cache, const struct token_digest *digest,
		      const struct config_part *config, const struct key_part *keys,
		      struct token_claims *claims)
{
	uint32_t row = digest_table_find(cache->table, digest);
	struct entry *e;

	if (row == DIGEST_ROW_NONE)
		return false;
	e = &cache->entry[row];
	entry_claims(e, claims);
	if (keys != NULL && e->config == config->part.generation &&
	    e->keys == keys_generation(keys))
		return true;
	if (entry_renew(e, config, keys, claims))
		return true;
	digest_table_drop(cache->table, row);
	return false;
}

void token_cache_put(struct token_cache *cache, const struct token_digest *digest,
		     const struct config_part *config, const struct key_part *keys,
		     const struct token_claims *claims)
{
	uint32_t row = digest_table_take(cache->table, config->hash_key, digest);
	struct entry *e;

	if (row == DIGEST_ROW_NONE)
		return;
	e = &cache->entry[row];
	*e = (struct entry){
		.profile = profile_of(config, claims->issuer),
		.config = config->part.generation,
		.keys = keys_generation(keys),
		.issuer = claims->issuer,
		.key = claims->key,
		.key_id = keys->row[claims->key].key.id,
		.alg = (uint8_t)claims->alg,
		.impu_count = (uint8_t)claims->impu_count,
		.has_kid = claims->has_kid,
		.audience_ok = claims->audience_ok,
		.claims_typed = claims->claims_typed,
		.has_exp = claims->has_exp,
		.has_iat = claims->has_iat,
		.has_nbf = claims->has_nbf,
		.exp_s = claims->exp_s,
		.iat_s = claims->iat_s,
		.nbf_s = claims->nbf_s,
	};
	if (!texts_keep(e, claims))
		digest_table_drop(cache->table, row);
}
