/* SPDX-License-Identifier: BSD-3-Clause */
#include "keys.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>

#include "base64url.h"
#include "file.h"

static const char *const algorithm_names[JWS_ALG_COUNT] = {
	[JWS_ES256] = "ES256", [JWS_ES384] = "ES384", [JWS_RS256] = "RS256",
	[JWS_PS256] = "PS256", [JWS_EDDSA] = "EdDSA",
};

bool keys_algorithm(const char *name, enum jws_alg *alg)
{
	for (unsigned i = 0; i < JWS_ALG_COUNT; i++) {
		if (strcmp(algorithm_names[i], name) == 0) {
			*alg = (enum jws_alg)i;
			return true;
		}
	}
	return false;
}

const char *keys_algorithm_name(enum jws_alg alg)
{
	return algorithm_names[alg];
}

static bool keys_same_material(const struct verify_key *a, const struct verify_key *b)
{
	return a->len == b->len && a->modulus == b->modulus &&
	       memcmp(a->material, b->material, a->len) == 0;
}

bool keys_revoked(const struct keys_filter *filter, struct span issuer, const struct key_list *keys,
		  uint32_t i)
{
	if (filter == NULL || filter->revoked == NULL)
		return false;
	for (uint32_t k = 0; k < keys->count; k++)
		if (keys_same_material(&keys->at[k].key, &keys->at[i].key) &&
		    filter->revoked(filter->context, issuer, keys->at[k].kid))
			return true;
	return false;
}

/* ---- members of a key; each reader returns why the key is not usable, or NULL --------------- */

/** Decodes the member name, without padding, into at most max bytes. */
static const char *keys_bytes(const json_t *jwk, const char *name, uint8_t *out, uint32_t max,
			      uint32_t *len)
{
	const char *text = json_string_value(json_object_get(jwk, name));

	*len = 0;
	if (text == NULL)
		return "a number of the key is missing";
	switch (base64url_read(span_text(text), out, max, len)) {
	case BASE64URL_OK:
		return NULL;
	case BASE64URL_LONG:
		return "a number of the key is too long";
	default:
		return "a number of the key is not base64url";
	}
}

/** The same for an unsigned number: without leading zero bytes (RFC 7518 section 2). */
static const char *keys_number(const json_t *jwk, const char *name, uint8_t *out, uint32_t max,
			       uint32_t *len)
{
	const char *why = keys_bytes(jwk, name, out, max, len);
	uint32_t zeros = 0;

	if (why != NULL)
		return why;
	while (zeros < *len && out[zeros] == 0)
		zeros++;
	memmove(out, out + zeros, *len - zeros);
	*len -= zeros;
	return NULL;
}

/** Lets libcrypto look at the public key: on the curve, a sound modulus. */
static bool keys_sound(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY_CTX *check = NULL;
	EVP_PKEY *key = NULL;
	bool sound = params != NULL && context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
		     EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) == 1;

	if (sound) {
		check = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
		sound = check != NULL && EVP_PKEY_public_check(check) == 1;
	}
	EVP_PKEY_CTX_free(check);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	return sound;
}

static const char *keys_ec(const json_t *jwk, struct verify_key *key)
{
	const char *curve = json_string_value(json_object_get(jwk, "crv"));
	bool p256 = curve != NULL && strcmp(curve, "P-256") == 0;
	uint32_t size = p256 ? 32 : 48, x, y;
	OSSL_PARAM_BLD *build;
	const char *why;
	bool sound;

	if (!p256 && (curve == NULL || strcmp(curve, "P-384") != 0))
		return "its curve is not used here";
	key->alg = p256 ? JWS_ES256 : JWS_ES384;
	key->material[0] = 0x04; /* uncompressed */
	why = keys_bytes(jwk, "x", key->material + 1, size, &x);
	if (why == NULL)
		why = keys_bytes(jwk, "y", key->material + 1 + size, size, &y);
	if (why != NULL)
		return why;
	if (x != size || y != size)
		return "a coordinate has not the length of its curve";
	key->len = 1 + 2 * size;
	build = OSSL_PARAM_BLD_new();
	sound = build != NULL &&
		OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1 &&
		OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, key->material,
						 key->len) == 1 &&
		keys_sound("EC", build);
	OSSL_PARAM_BLD_free(build);
	return sound ? NULL : "its point is not on the curve";
}

static const char *keys_rsa(const json_t *jwk, struct verify_key *key)
{
	uint8_t exponent[16];
	uint32_t n, e, bits;
	const char *why = keys_number(jwk, "n", key->material, 512, &n);

	if (why == NULL)
		why = keys_number(jwk, "e", exponent, sizeof(exponent), &e);
	if (why != NULL)
		return why;
	bits = n * 8;
	for (uint32_t first = n > 0 ? key->material[0] : 0; first != 0 && first < 0x80; first <<= 1)
		bits--;
	if (bits < 2048)
		return "its RSA modulus is shorter than 2048 bits";
	if ((key->material[n - 1] & 1) == 0)
		return "its RSA modulus is even";
	if (e < 3 || (e == 3 && (exponent[0] << 16 | exponent[1] << 8 | exponent[2]) < 65537) ||
	    (exponent[e - 1] & 1) == 0)
		return "its RSA exponent is below 65537 or even";
	memcpy(key->material + n, exponent, e);
	key->modulus = n;
	key->len = n + e;
	return NULL;
}

/**
 * Whether an Ed25519 key is a point whose order divides 8: y is 0, 1, p - 1, p, p + 1 or one of the
 * two of order 8, the sign of x aside. With such a key anybody can sign, and RFC 8032 section 5.1.7
 * does not look for it.
 */
static bool keys_low_order(const uint8_t key[32])
{
	static const uint8_t low[][32] = {
		{0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00},
		{0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00},
		{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		{0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		{0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
		 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
		 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
		{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
		 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
		 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
	};

	for (size_t i = 0; i < sizeof(low) / sizeof(low[0]); i++)
		if (memcmp(key, low[i], 31) == 0 && (key[31] & 0x7f) == low[i][31])
			return true;
	return false;
}

static const char *keys_okp(const json_t *jwk, struct verify_key *key)
{
	const char *curve = json_string_value(json_object_get(jwk, "crv"));
	const char *why;

	if (curve == NULL || strcmp(curve, "Ed25519") != 0)
		return "its curve is not used here";
	key->alg = JWS_EDDSA;
	why = keys_bytes(jwk, "x", key->material, 32, &key->len);
	if (why == NULL && key->len != 32)
		why = "an Ed25519 key has 32 bytes";
	if (why == NULL && keys_low_order(key->material))
		why = "its point is of low order: anybody could sign";
	return why;
}

/** One algorithm for each key (RFC 8725 section 3.1). */
static const char *keys_bind(const json_t *jwk, uint32_t allowed, struct verify_key *key)
{
	const uint32_t rsa = 1u << JWS_RS256 | 1u << JWS_PS256;
	const json_t *member = json_object_get(jwk, "alg");
	uint32_t able = key->modulus > 0 ? rsa : 1u << key->alg;
	enum jws_alg alg;

	if (member != NULL) {
		if (!json_is_string(member) || !keys_algorithm(json_string_value(member), &alg))
			return "its alg is not used here";
		if ((able & 1u << alg) == 0)
			return "its alg is not one of its kty and crv";
		able = 1u << alg;
	}
	able &= allowed;
	if (able == 0)
		return "its issuer does not allow its algorithm";
	if (able == rsa)
		return "it names no alg and its issuer allows both RS256 and PS256";
	for (unsigned i = 0; i < JWS_ALG_COUNT; i++)
		if (able == 1u << i)
			key->alg = (enum jws_alg)i;
	return NULL;
}

static const char *keys_use(const json_t *jwk)
{
	const json_t *use = json_object_get(jwk, "use"), *ops = json_object_get(jwk, "key_ops");
	const char *text;

	if (use != NULL && (!json_is_string(use) || strcmp(json_string_value(use), "sig") != 0))
		return "its use is not sig";
	if (ops == NULL)
		return NULL;
	for (size_t i = 0; i < json_array_size(ops); i++) {
		text = json_string_value(json_array_get(ops, i));
		if (text != NULL && strcmp(text, "verify") == 0)
			return NULL;
	}
	return "its key_ops have no verify";
}

static const char *keys_kid(const json_t *jwk, struct arena *arena, struct span *kid)
{
	const json_t *member = json_object_get(jwk, "kid");
	size_t len = json_string_length(member);

	*kid = span_of(NULL, 0);
	if (member == NULL)
		return NULL;
	if (!json_is_string(member) || len == 0 || len > KEYS_KID_MAX)
		return "its kid is not a text of 1 to 256 bytes";
	*kid = span_of(arena_text(arena, json_string_value(member), len), (uint32_t)len);
	return NULL;
}

static const char *keys_material(const json_t *jwk, struct verify_key *key)
{
	const char *kty = json_string_value(json_object_get(jwk, "kty"));

	if (kty != NULL && strcmp(kty, "EC") == 0)
		return keys_ec(jwk, key);
	if (kty != NULL && strcmp(kty, "RSA") == 0)
		return keys_rsa(jwk, key);
	if (kty != NULL && strcmp(kty, "OKP") == 0)
		return keys_okp(jwk, key);
	return "its kty is not used here";
}

static const char *keys_one(const json_t *jwk, uint32_t allowed, struct arena *arena,
			    struct key_entry *entry)
{
	const char *why;

	*entry = (struct key_entry){0};
	if (!json_is_object(jwk))
		return "it is not an object";
	why = keys_use(jwk);
	if (why == NULL)
		why = keys_kid(jwk, arena, &entry->kid);
	if (why == NULL)
		why = keys_material(jwk, &entry->key);
	if (why == NULL)
		why = keys_bind(jwk, allowed, &entry->key);
	return why;
}

/* ---- the set ------------------------------------------------------------------------------- */

static bool keys_same(const struct verify_key *a, const struct verify_key *b)
{
	return a->alg == b->alg && keys_same_material(a, b);
}

static void keys_add(const struct keys_source *source, struct key_list *list, uint32_t number,
		     struct problems *problems)
{
	const struct key_entry *added = &list->at[list->count], *other;

	for (uint32_t i = 0; i < list->count; i++) {
		other = &list->at[i];
		if (!span_equal(other->kid, added->kid))
			continue;
		if (keys_same(&other->key, &added->key))
			return; /* a repetition says nothing new */
		if (added->kid.len == 0)
			continue;
		problems_add(problems, PROBLEM_ERROR, source->file, source->line,
			     "%s: key %u has the kid of another key", source->path, number);
		return;
	}
	list->count++;
}

static void keys_each(const struct keys_source *source, const json_t *keys, struct arena *arena,
		      struct key_list *list, struct problems *problems)
{
	size_t count = json_array_size(keys);
	const char *why;

	if (count > KEYS_MAX) {
		problems_add(problems, PROBLEM_ERROR, source->path, 1, "more than %d keys",
			     KEYS_MAX);
		return;
	}
	list->at = arena_get(arena, count * sizeof(*list->at));
	for (uint32_t i = 0; i < count; i++) {
		const json_t *jwk = json_array_get(keys, i);

		why = keys_one(jwk, source->algorithms, arena, &list->at[list->count]);
		if (why != NULL)
			problems_add(problems, PROBLEM_WARNING, source->file, source->line,
				     "%s: key %u left out: %s", source->path, i + 1, why);
		else
			keys_add(source, list, i + 1, problems);
		if (json_object_get(jwk, "d") != NULL)
			problems_add(
				problems, PROBLEM_WARNING, source->file, source->line,
				"%s: key %u is a private key, only its public part belongs here",
				source->path, i + 1);
	}
	if (list->count == 0)
		problems_add(problems, PROBLEM_ERROR, source->file, source->line,
			     "%s: no usable key", source->path);
}

void keys_read(const struct keys_source *source, struct span text, struct arena *arena,
	       struct key_list *list, struct problems *problems)
{
	const json_t *keys;
	json_error_t error;
	json_t *root;

	*list = (struct key_list){0};
	root = json_loadb((const char *)text.at, text.len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		/* the library's text quotes the input, which may be a key */
		problems_add(problems, PROBLEM_ERROR, source->path,
			     error.line > 0 ? (uint32_t)error.line : 1, "not strict JSON");
		return;
	}
	keys = json_object_get(root, "keys");
	if (json_is_array(keys))
		keys_each(source, keys, arena, list, problems);
	else
		problems_add(problems, PROBLEM_ERROR, source->path, 1,
			     "not a key set: no list \"keys\"");
	json_decref(root);
}

void keys_load(const struct keys_source *source, struct arena *arena, struct key_list *list,
	       struct problems *problems)
{
	struct span text;
	const char *why = file_read(source->path, KEYS_BYTES_MAX, arena, &text);

	*list = (struct key_list){0};
	if (why == NULL)
		keys_read(source, text, arena, list, problems);
	else
		problems_add(problems, PROBLEM_ERROR, source->file, source->line, "%s: %s",
			     source->path, why);
}

/* ---- ids ----------------------------------------------------------------------------------- */

enum { KEY_DIGEST = 32 };

struct key_id {
	uint32_t id;
	bool used; /* since key_ids_settle() */
	uint8_t digest[KEY_DIGEST];
};

struct key_ids {
	uint32_t count, room, last;
	struct key_id *at;
	uint32_t rows_version;
	uint8_t rows[KEY_DIGEST]; /* of the rows of that version */
};

struct key_ids *key_ids_new(void)
{
	return calloc(1, sizeof(struct key_ids));
}

void key_ids_free(struct key_ids *ids)
{
	if (ids == NULL)
		return;
	free(ids->at);
	free(ids);
}

static struct key_id *key_ids_add(struct key_ids *ids, const uint8_t digest[KEY_DIGEST])
{
	uint32_t room = ids->room == 0 ? 16 : ids->room * 2;
	struct key_id *added;

	if (ids->count == ids->room) {
		added = realloc(ids->at, room * sizeof(*added));
		if (added == NULL)
			abort(); /* as control/arena.h: some kilobytes */
		ids->at = added;
		ids->room = room;
	}
	added = &ids->at[ids->count++];
	*added = (struct key_id){.id = ++ids->last};
	memcpy(added->digest, digest, KEY_DIGEST);
	return added;
}

static struct key_id *key_ids_find(struct key_ids *ids, const uint8_t digest[KEY_DIGEST])
{
	for (uint32_t i = 0; i < ids->count; i++)
		if (memcmp(ids->at[i].digest, digest, KEY_DIGEST) == 0)
			return &ids->at[i];
	return key_ids_add(ids, digest);
}

void key_ids_number(struct key_ids *ids, struct verify_key *key)
{
	uint8_t text[3 + VERIFY_KEY_MAX], digest[KEY_DIGEST];
	struct key_id *known;

	/* with the place that parts n from e: parted elsewhere, the same bytes are another key */
	text[0] = (uint8_t)key->alg;
	text[1] = (uint8_t)(key->modulus >> 8);
	text[2] = (uint8_t)key->modulus;
	memcpy(text + 3, key->material, key->len);
	if (EVP_Digest(text, 3 + (size_t)key->len, digest, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* libcrypto without SHA-256 */
	known = key_ids_find(ids, digest);
	known->used = true;
	key->id = known->id;
}

/** Of all that decides which key checks a token: an id stands for material and algorithm. */
static void key_ids_digest(const struct key_row *rows, uint32_t count, uint8_t digest[KEY_DIGEST])
{
	EVP_MD_CTX *sum = EVP_MD_CTX_new();
	bool good = sum != NULL && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) == 1;

	for (uint32_t i = 0; good && i < count; i++) {
		const uint32_t about[] = {rows[i].issuer, rows[i].key.id, rows[i].kid.len};

		good = EVP_DigestUpdate(sum, about, sizeof(about)) == 1 &&
		       EVP_DigestUpdate(sum, rows[i].kid.at, rows[i].kid.len) == 1;
	}
	if (!good || EVP_DigestFinal_ex(sum, digest, NULL) != 1)
		abort(); /* as above */
	EVP_MD_CTX_free(sum);
}

uint32_t key_ids_settle(struct key_ids *ids, const struct key_row *rows, uint32_t count)
{
	uint8_t digest[KEY_DIGEST];
	uint32_t kept = 0;

	for (uint32_t i = 0; i < ids->count; i++) {
		if (!ids->at[i].used)
			continue;
		ids->at[kept] = ids->at[i];
		ids->at[kept++].used = false;
	}
	ids->count = kept;
	key_ids_digest(rows, count, digest);
	if (ids->rows_version == 0 || memcmp(digest, ids->rows, KEY_DIGEST) != 0)
		ids->rows_version++;
	memcpy(ids->rows, digest, KEY_DIGEST);
	return ids->rows_version;
}
