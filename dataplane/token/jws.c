/* SPDX-License-Identifier: BSD-3-Clause */
#include "base64url.h"
#include "json.h"
#include "jws.h"
#include "payload.h"
#include "pipeline.h"
#include "writer.h"

/* Takes the bytes before the first dot, and the dot. False without a dot. */
static bool part_take(struct span *in, struct span *part)
{
	*part = span_cut(*in, 0, span_find(*in, '.'));
	return span_skip(in, part->len + 1);
}

/* One that is longer than it may be is as malformed as one that is no base64url. */
static enum gw_err part_decode(struct span part, uint8_t *to, uint32_t room, uint32_t *len)
{
	return base64url_read(part, to, room, len) == BASE64URL_OK ? GW_OK : GW_TOKEN_MALFORMED;
}

/* The signature is decoded by token_job(); that it can be is seen here, in the room of strings. */
static enum gw_err signature_check(struct pipeline *p)
{
	uint8_t *room = p->scratch->strings;
	uint32_t ignored;

	return part_decode(p->claims->signature, room, sizeof(p->scratch->strings), &ignored);
}

enum gw_err jws_parts(struct pipeline *p)
{
	struct span rest = p->token;

	/* The byte past the limit: a longer token is refused before it is looked at. */
	if (span_at(rest, p->use->config->max_token_bytes) >= 0 ||
	    span_at(rest, VERIFY_TEXT_MAX) >= 0)
		return GW_TOKEN_MALFORMED;
	/* an empty signature is one (RFC 7515 A.5): that of alg none, which has a row of its own */
	if (!part_take(&rest, &p->header) || !part_take(&rest, &p->payload))
		return GW_TOKEN_MALFORMED;
	*p->claims =
		(struct token_claims){.signed_text = span_cut(p->token, 0,
							      p->header.len + 1 + p->payload.len),
				      .signature = rest};
	return signature_check(p);
}

/* Decodes a part into room and checks that it is a JSON object. */
static enum gw_err object_read(struct span part, uint8_t *to, uint32_t room,
			       struct json_value *object)
{
	uint32_t len;
	enum gw_err err = part_decode(part, to, room, &len);

	if (err == GW_OK)
		err = json_read(span_of(to, len), object);
	if (err == GW_OK && object->type != JSON_OBJECT)
		err = GW_TOKEN_JSON;
	return err;
}

/* Reads an optional header member that has to be a string. */
static enum gw_err member_read(struct json_value header, struct span name, struct writer *strings,
			       struct span *text, bool *there)
{
	struct json_value value;

	*there = json_member_find(header, name, &value);
	if (!*there)
		return GW_OK;
	if (value.type != JSON_STRING || !json_string_read(value.text, strings, text))
		return GW_TOKEN_JSON;
	return GW_OK;
}

/* jku, jwk, x5u and x5c are not even looked at (RFC 8725 3.10). */
enum gw_err jws_header(struct pipeline *p)
{
	struct token_claims *claims = p->claims;
	bool ignored;
	enum gw_err err =
		object_read(p->header, p->scratch->header, sizeof(p->scratch->header), &p->jose);

	if (err != GW_OK)
		return err;
	writer_init(&p->strings, p->scratch->strings, sizeof(p->scratch->strings));
	claims->typ = SPAN("JWT"); /* D-46 */
	err = member_read(p->jose, SPAN("alg"), &p->strings, &p->alg, &ignored);
	if (err == GW_OK)
		err = member_read(p->jose, SPAN("typ"), &p->strings, &claims->typ, &ignored);
	if (err == GW_OK)
		err = member_read(p->jose, SPAN("kid"), &p->strings, &claims->kid,
				  &claims->has_kid);
	return err;
}

enum gw_err jws_crit(struct pipeline *p)
{
	struct json_value ignored;

	return json_member_find(p->jose, SPAN("crit"), &ignored) ? GW_TOKEN_CRIT : GW_OK;
}

/* Names compare byte for byte (RFC 7515 4.1.1); none, HMAC and the unknown have no row. */
enum gw_err jws_algorithm(struct pipeline *p)
{
	static const char names[JWS_ALG_COUNT][6] = {
		[JWS_ES256] = "ES256", [JWS_ES384] = "ES384", [JWS_RS256] = "RS256",
		[JWS_PS256] = "PS256", [JWS_EDDSA] = "EdDSA",
	};

	for (uint32_t i = 0; i < JWS_ALG_COUNT; i++)
		if (span_equal(p->alg, span_text(names[i]))) {
			p->claims->alg = (enum jws_alg)i;
			return GW_OK;
		}
	return GW_TOKEN_ALG;
}

enum gw_err jws_payload(struct pipeline *p)
{
	enum gw_err err = object_read(p->payload, p->scratch->payload, sizeof(p->scratch->payload),
				      &p->object);

	if (err == GW_OK)
		p->audience = payload_registered(p->object, &p->strings, p->claims);
	return err;
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

/** Its keys are there, and none is left of them: another token may help, waiting does not. */
static bool keys_taken_back(const struct key_part *keys, uint32_t issuer)
{
	return keys != NULL && keys->issuer != NULL && issuer < keys->issuer_count &&
	       !keys->issuer[issuer].missing;
}

/**
 * Step 7: the issuer's key that kid names and that is for alg; without kid the issuer's only key. A
 * key of that name for another algorithm is F07, no key of that name F10, an issuer without any
 * key F11, unless all are revoked.
 */
static enum gw_err key_find(const struct key_part *keys, struct token_claims *claims)
{
	uint32_t known = 0, named = 0, fitting = 0;

	if (span_at(claims->kid, TOKEN_KID_MAX) >= 0)
		return GW_TOKEN_KID;
	for (uint32_t i = 0; keys != NULL && i < keys->count; i++) {
		const struct key_row *row = &keys->row[i];

		if (row->issuer != claims->issuer)
			continue;
		known++;
		if (claims->has_kid && (row->kid.len == 0 || !span_equal(row->kid, claims->kid)))
			continue;
		named++;
		if (row->key.alg != claims->alg)
			continue;
		fitting++;
		claims->key = i;
	}
	if (known == 0 && !keys_taken_back(keys, claims->issuer))
		return GW_TOKEN_KEYS_DOWN;
	if (named == 0 || (!claims->has_kid && known > 1))
		return GW_TOKEN_KID;
	return fitting == 0 ? GW_TOKEN_ALG : GW_OK;
}

enum gw_err jws_issuer(struct pipeline *p)
{
	const struct config_part *config = p->use->config;
	const struct issuer_config *issuer;
	enum gw_err err = issuer_find(p->claims->iss, config, &p->claims->issuer);

	if (err != GW_OK)
		return err;
	issuer = &config->issuer[p->claims->issuer];
	payload_profile(p->object, issuer, &p->strings, p->claims);
	p->claims->audience_ok = payload_audience(p->audience, issuer->audience, &p->strings);
	return GW_OK;
}

static enum gw_err check_allowed(const struct config_part *config,
				 const struct token_claims *claims)
{
	bool allowed = config->issuer[claims->issuer].algorithms & 1u << claims->alg;

	return allowed ? GW_OK : GW_TOKEN_ALG;
}

enum gw_err jws_allowed(struct pipeline *p)
{
	return check_allowed(p->use->config, p->claims);
}

enum gw_err jws_key(struct pipeline *p)
{
	return key_find(p->keys, p->claims);
}

enum gw_err jws_key_choose(const struct config_part *config, const struct key_part *keys,
			   struct token_claims *claims)
{
	enum gw_err err = issuer_find(claims->iss, config, &claims->issuer);

	if (err == GW_OK)
		err = check_allowed(config, claims);
	if (err == GW_OK)
		err = key_find(keys, claims);
	return err;
}

enum gw_err token_job(const struct token_claims *claims, const struct key_part *keys,
		      struct verify_job *job)
{
	struct writer text;

	writer_init(&text, job->text, sizeof(job->text));
	writer_put(&text, claims->signed_text);
	if (!writer_ok(&text) ||
	    base64url_read(claims->signature, job->signature, sizeof(job->signature),
			   &job->signature_len) != BASE64URL_OK)
		return GW_TOKEN_SIGNATURE;
	job->text_len = writer_len(&text);
	job->key = keys->row[claims->key].key;
	job->verdict = GW_VERIFIER_FAILED;
	return GW_OK;
}
