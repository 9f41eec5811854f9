/* SPDX-License-Identifier: BSD-3-Clause */
#include "json.h"
#include "payload.h"
#include "token.h"
#include "writer.h"

/* A kid is opaque and at most so long (PROTOCOL 3.5 step 7). */
#define KID_MAX 256

/** The three parts of a compact serialisation (RFC 7515 3.1), still base64url. */
struct parts {
	struct span header, payload, signature;
	struct span signed_text; /* header "." payload */
};

/** What the JOSE header says. */
struct jose {
	enum jws_alg alg;
	struct span typ, kid;
	bool has_kid;
};

/* Takes the bytes before the first dot, and the dot. False without a dot. */
static bool part_take(struct span *in, struct span *part)
{
	*part = span_cut(*in, 0, span_find(*in, '.'));
	return span_skip(in, part->len + 1);
}

static enum gw_err parts_read(struct span token, uint32_t max_bytes, struct parts *parts)
{
	struct span rest = token;

	/* The byte past the limit: a longer token is refused before it is looked at. */
	if (span_at(token, max_bytes) >= 0 || span_at(token, VERIFY_TEXT_MAX) >= 0)
		return GW_TOKEN_MALFORMED;
	if (!part_take(&rest, &parts->header) || !part_take(&rest, &parts->payload) ||
	    rest.len == 0)
		return GW_TOKEN_MALFORMED;
	parts->signature = rest;
	parts->signed_text = span_cut(token, 0, parts->header.len + 1 + parts->payload.len);
	return GW_OK;
}

/* Decodes a part into room and checks that it is a JSON object. */
static enum gw_err object_read(struct span part, uint8_t *to, uint32_t room,
			       struct json_value *object)
{
	uint32_t len;
	enum gw_err err = token_base64url_decode(part, to, room, &len);

	if (err == GW_OK)
		err = json_read(span_of(to, len), object);
	if (err == GW_OK && object->type != JSON_OBJECT)
		err = GW_TOKEN_JSON;
	return err;
}

/* Reads an optional header member that has to be a string. */
static enum gw_err member_read(struct json_value header, struct span name, struct writer *strings,
			       struct span *text)
{
	struct json_value value;

	if (!json_member_find(header, name, &value))
		return GW_OK;
	if (value.type != JSON_STRING || !json_string_read(value.text, strings, text))
		return GW_TOKEN_JSON;
	return GW_OK;
}

/* Names compare byte for byte (RFC 7515 4.1.1); none, HMAC and the unknown have no row. */
static enum gw_err alg_read(struct span name, enum jws_alg *alg)
{
	static const char names[JWS_ALG_COUNT][6] = {
		[JWS_ES256] = "ES256", [JWS_ES384] = "ES384", [JWS_RS256] = "RS256",
		[JWS_PS256] = "PS256", [JWS_EDDSA] = "EdDSA",
	};

	for (uint32_t i = 0; i < JWS_ALG_COUNT; i++)
		if (span_equal(name, span_text(names[i]))) {
			*alg = (enum jws_alg)i;
			return GW_OK;
		}
	return GW_TOKEN_ALG;
}

/* Steps 3 to 5. jku, jwk, x5u and x5c are not even looked at (RFC 8725 3.10). */
static enum gw_err jose_read(struct json_value header, struct writer *strings, struct jose *jose)
{
	struct json_value ignored;
	struct span alg = {0};
	enum gw_err err;

	*jose = (struct jose){.typ = SPAN("JWT")};
	jose->has_kid = json_member_find(header, SPAN("kid"), &ignored);
	err = member_read(header, SPAN("alg"), strings, &alg);
	if (err == GW_OK)
		err = member_read(header, SPAN("typ"), strings, &jose->typ);
	if (err == GW_OK)
		err = member_read(header, SPAN("kid"), strings, &jose->kid);
	if (err == GW_OK && json_member_find(header, SPAN("crit"), &ignored))
		err = GW_TOKEN_CRIT; /* we implement no extension, so none may be critical */
	if (err == GW_OK && span_at(jose->kid, KID_MAX) >= 0)
		err = GW_TOKEN_KID;
	return err == GW_OK ? alg_read(alg, &jose->alg) : err;
}

/* Step 6: iss is believed only so far as to pick the record that judges it. */
static enum gw_err issuer_find(struct span iss, const struct config_part *config, uint32_t *issuer)
{
	for (uint32_t i = 0; i < config->issuer_count; i++)
		if (span_equal(iss, config->issuer[i].iss)) {
			*issuer = i;
			return GW_OK;
		}
	return GW_TOKEN_ISS;
}

/**
 * Step 7: the issuer's key that kid names and that is for alg; without kid the issuer's only key. A
 * key of that name for another algorithm is F07, no key of that name F10, an issuer without any
 * key F11.
 */
static enum gw_err key_find(const struct key_part *keys, const struct jose *jose,
			    struct token_claims *claims)
{
	uint32_t known = 0, named = 0, fitting = 0;

	for (uint32_t i = 0; keys != NULL && i < keys->count; i++) {
		const struct key_row *row = &keys->row[i];

		if (row->issuer != claims->issuer)
			continue;
		known++;
		if (jose->has_kid && (row->kid.len == 0 || !span_equal(row->kid, jose->kid)))
			continue;
		named++;
		if (row->key.alg != claims->alg)
			continue;
		fitting++;
		claims->key = i;
	}
	if (known == 0)
		return GW_TOKEN_KEYS_DOWN;
	if (named == 0 || (!jose->has_kid && known > 1))
		return GW_TOKEN_KID;
	return fitting == 0 ? GW_TOKEN_ALG : GW_OK;
}

/* Steps 5 to 7, with what the payload says about its issuer. */
static enum gw_err key_choose(const struct jose *jose, const struct config_part *config,
			      const struct key_part *keys, struct token_claims *claims)
{
	enum gw_err err = issuer_find(claims->iss, config, &claims->issuer);

	if (err == GW_OK && (config->issuer[claims->issuer].algorithms & 1u << claims->alg) == 0)
		err = GW_TOKEN_ALG;
	if (err == GW_OK)
		err = key_find(keys, jose, claims);
	return err;
}

static enum gw_err header_read(struct span part, struct token_scratch *scratch,
			       struct writer *strings, struct jose *jose)
{
	struct json_value header;
	enum gw_err err = object_read(part, scratch->header, sizeof(scratch->header), &header);

	return err == GW_OK ? jose_read(header, strings, jose) : err;
}

/* Step 2 for the signature, which token_job() decodes: strings lend the room, empty as they are. */
static enum gw_err signature_check(struct span part, struct token_scratch *scratch)
{
	uint32_t ignored;

	return token_base64url_decode(part, scratch->strings, sizeof(scratch->strings), &ignored);
}

enum gw_err token_read(struct span token, const struct config_part *config,
		       const struct key_part *keys, struct token_scratch *scratch,
		       struct token_claims *claims)
{
	struct json_value payload, audience;
	struct writer strings;
	struct parts parts;
	struct jose jose;
	enum gw_err err = parts_read(token, config->max_token_bytes, &parts);

	writer_init(&strings, scratch->strings, sizeof(scratch->strings));
	if (err == GW_OK)
		err = signature_check(parts.signature, scratch);
	if (err == GW_OK)
		err = header_read(parts.header, scratch, &strings, &jose);
	if (err == GW_OK)
		err = object_read(parts.payload, scratch->payload, sizeof(scratch->payload),
				  &payload);
	if (err != GW_OK)
		return err;
	*claims = (struct token_claims){.alg = jose.alg,
					.typ = jose.typ,
					.kid = jose.kid,
					.signed_text = parts.signed_text,
					.signature = parts.signature};
	audience = payload_read(payload, &strings, claims);
	err = key_choose(&jose, config, keys, claims);
	if (err == GW_OK)
		claims->audience_ok =
			payload_audience(audience, config->issuer[claims->issuer].audience,
					 &strings);
	return err;
}

enum gw_err token_job(const struct token_claims *claims, const struct key_part *keys,
		      struct verify_job *job)
{
	struct writer text;

	writer_init(&text, job->text, sizeof(job->text));
	writer_put(&text, claims->signed_text);
	if (!writer_ok(&text) ||
	    token_base64url_decode(claims->signature, job->signature, sizeof(job->signature),
				   &job->signature_len) != GW_OK)
		return GW_TOKEN_SIGNATURE;
	job->text_len = writer_len(&text);
	job->key = keys->row[claims->key].key;
	job->verdict = GW_VERIFIER_FAILED;
	return GW_OK;
}
