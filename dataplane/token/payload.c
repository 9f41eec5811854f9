/* SPDX-License-Identifier: BSD-3-Clause */
#include "payload.h"

enum claim { ISS, SUB, AUD, EXP, IAT, NBF, JTI, AZP, CLIENT_ID, SCOPE, OTHER };

#define NAME(text) \
	{ \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}
static const struct span names[OTHER] = {
	[ISS] = NAME("iss"),	 [SUB] = NAME("sub"), [AUD] = NAME("aud"),
	[EXP] = NAME("exp"),	 [IAT] = NAME("iat"), [NBF] = NAME("nbf"),
	[JTI] = NAME("jti"),	 [AZP] = NAME("azp"), [CLIENT_ID] = NAME("client_id"),
	[SCOPE] = NAME("scope"),
};
#undef NAME

/* What a walk over the payload fills. */
struct payload {
	struct writer *strings;
	struct token_claims *claims;
	struct json_value audience;
	struct span azp;
};

static enum claim claim_id(struct span name)
{
	uint32_t id = 0;

	while (id < OTHER && !json_string_equal(name, names[id]))
		id++;
	return (enum claim)id;
}

static bool text_read(struct json_value value, struct writer *strings, struct span *text)
{
	return value.type == JSON_STRING && json_string_read(value.text, strings, text);
}

static bool date_read(struct json_value value, bool *has, uint64_t *date_s)
{
	*has = value.type == JSON_NUMBER;
	if (*has)
		*date_s = json_date(value.text);
	return *has;
}

/* Takes the next text of a claim that is one string or an array of them. *typed falls at anything
 * else. False at the end. */
static bool texts_next(struct json_value *claim, struct span *text, bool *typed)
{
	struct json_value element = *claim;

	if (claim->type == JSON_ARRAY) {
		if (!json_element_next(&claim->text, &element))
			return false;
	} else if (claim->type == JSON_STRING) {
		*claim = (struct json_value){.type = JSON_ARRAY}; /* nothing follows it */
	}
	*typed = element.type == JSON_STRING;
	*text = element.text;
	return *typed;
}

static bool impu_read(struct json_value claim, struct writer *strings, struct token_claims *claims)
{
	struct span text;
	bool typed = true;

	while (texts_next(&claim, &text, &typed)) {
		if (claims->impu_count == TOKEN_IMPU_MAX ||
		    !json_string_read(text, strings, &claims->impu[claims->impu_count]))
			return false;
		claims->impu_count++;
	}
	return typed;
}

/* False: the claim has another type than it should. */
static bool claim_read(struct payload *p, enum claim id, struct json_value value)
{
	struct token_claims *claims = p->claims;

	switch (id) {
	case ISS:
		return text_read(value, p->strings, &claims->iss);
	case SUB:
		return text_read(value, p->strings, &claims->sub);
	case AUD:
		p->audience = value;
		return true;
	case EXP:
		return date_read(value, &claims->has_exp, &claims->exp_s);
	case IAT:
		return date_read(value, &claims->has_iat, &claims->iat_s);
	case NBF:
		return date_read(value, &claims->has_nbf, &claims->nbf_s);
	case JTI:
		return text_read(value, p->strings, &claims->jti);
	case AZP:
		return text_read(value, p->strings, &p->azp);
	case CLIENT_ID:
		return text_read(value, p->strings, &claims->client);
	case SCOPE:
		return text_read(value, p->strings, &claims->scope);
	case OTHER:
		break;
	}
	return true;
}

struct json_value payload_registered(struct json_value object, struct writer *strings,
				     struct token_claims *claims)
{
	struct payload p = {strings, claims, {.type = JSON_NULL}, {0}};
	struct json_value value;
	struct span name;

	claims->claims_typed = true;
	while (json_member_next(&object.text, &name, &value))
		if (!claim_read(&p, claim_id(name), value))
			claims->claims_typed = false;
	if (p.azp.len > 0)
		claims->client = p.azp;
	return p.audience;
}

/* name is the one that is configured, or the usual one where none is. */
static bool is_named(struct span name, struct span configured, struct span usual)
{
	return json_string_equal(name, configured.len > 0 ? configured : usual);
}

void payload_profile(struct json_value object, const struct issuer_config *issuer,
		     struct writer *strings, struct token_claims *claims)
{
	struct json_value value;
	struct span name;
	bool typed = true;

	/* One claim may be mapped to several: each name is looked at. */
	while (json_member_next(&object.text, &name, &value)) {
		if (is_named(name, issuer->claim.impi, SPAN("impi")))
			typed &= text_read(value, strings, &claims->impi);
		if (is_named(name, issuer->claim.impu, SPAN("impu")))
			typed &= impu_read(value, strings, claims);
		if (is_named(name, issuer->claim.wwsf, SPAN("wwsf")))
			typed &= text_read(value, strings, &claims->wwsf);
		if (is_named(name, issuer->claim.scn, SPAN("scn")))
			typed &= text_read(value, strings, &claims->scn);
	}
	claims->claims_typed = claims->claims_typed && typed;
}

bool payload_audience(struct json_value audience, struct span wanted, struct writer *strings)
{
	struct span text;
	bool typed = true, found = false;

	while (texts_next(&audience, &text, &typed))
		found |= json_string_read(text, strings, &text) && span_equal(text, wanted);
	return typed && found;
}
