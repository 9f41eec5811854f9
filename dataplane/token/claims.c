/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

/* A jti longer than this is none (PROTOCOL 3.3). */
#define JTI_MAX 128

static bool is_absent(struct span claim)
{
	return claim.len == 0;
}

static const struct wwsf_config *wwsf_of(const struct pipeline *p)
{
	return &p->use->config->wwsf[p->use->wwsf];
}

/* Step 9. RFC 7515 4.1.9: "application/" goes without saying. */
enum gw_err claims_typ(struct pipeline *p)
{
	struct span typ = p->said->typ, prefix = SPAN("application/");

	if (span_equal_nocase(span_cut(typ, 0, prefix.len), prefix))
		typ = span_from(typ, prefix.len);
	for (uint32_t i = 0; i < pipeline_issuer(p)->typ_count; i++)
		if (span_equal_nocase(typ, pipeline_issuer(p)->typ[i]))
			return GW_OK;
	return GW_TOKEN_TYP;
}

/* Step 11; that iss is the record's is how the record was found. */
enum gw_err claims_audience(struct pipeline *p)
{
	return p->said->audience_ok ? GW_OK : GW_TOKEN_AUD;
}

/* Step 12: passed at exp + leeway, to the second. */
enum gw_err claims_expiry(struct pipeline *p)
{
	uint64_t end_s = p->said->exp_s + pipeline_issuer(p)->leeway_s;

	return p->said->has_exp && p->use->now_s < end_s ? GW_OK : GW_TOKEN_EXPIRED;
}

/** PROTOCOL 6.3: the lifetime that was agreed for every pool. */
static bool outlives_pool(const struct pipeline *p)
{
	return p->use->wwsf < p->use->config->wwsf_count && wwsf_of(p)->mode == WWSF_POOL &&
	       p->said->exp_s > p->said->iat_s + p->use->config->max_pool_lifetime_s;
}

enum gw_err claims_dates(struct pipeline *p)
{
	const struct token_claims *claims = p->said;
	uint64_t latest_s = p->use->now_s + pipeline_issuer(p)->leeway_s;

	if (!claims->has_iat)
		return GW_TOKEN_CLAIM;
	if (claims->iat_s > latest_s || (claims->has_nbf && claims->nbf_s > latest_s))
		return GW_TOKEN_TIME;
	if (claims->exp_s > claims->iat_s + p->use->config->max_token_lifetime_s)
		return GW_TOKEN_TIME;
	return outlives_pool(p) ? GW_TOKEN_TIME : GW_OK;
}

enum gw_err claims_jti(struct pipeline *p)
{
	return token_is_revoked(p->said, p->use->config, p->use->revocations) ? GW_TOKEN_JTI
									      : GW_OK;
}

/* A WWSF goes by its name or by one of its origins. */
static bool names_wwsf(struct span name, const struct config_part *config, uint32_t wwsf)
{
	if (span_equal(name, config->wwsf[wwsf].name))
		return true;
	for (uint32_t i = 0; i < config->origin_count; i++)
		if (config->origin[i].wwsf == wwsf && span_equal(name, config->origin[i].origin))
			return true;
	return false;
}

static bool serves_several(const struct config_part *config, uint32_t issuer)
{
	uint32_t served = 0;

	for (uint32_t i = 0; i < config->wwsf_count; i++)
		served += config->wwsf[i].issuer == issuer;
	return served > 1;
}

/**
 * Step 14. Where the issuer serves one WWSF its tokens need not name it, and azp or client_id,
 * which name an OAuth client, are left alone; where it serves several they have to say which.
 */
enum gw_err claims_wwsf(struct pipeline *p)
{
	const struct config_part *config = p->use->config;
	bool several = serves_several(config, p->said->issuer);
	struct span name = p->said->wwsf;

	if (p->use->wwsf >= config->wwsf_count || wwsf_of(p)->issuer != p->said->issuer ||
	    token_wwsf_disabled(wwsf_of(p)->name, p->use->revocations))
		return GW_TOKEN_WWSF;
	if (is_absent(name) && several)
		name = p->said->client;
	if (is_absent(name))
		return several ? GW_TOKEN_CLAIM : GW_OK;
	return names_wwsf(name, config, p->use->wwsf) ? GW_OK : GW_TOKEN_WWSF;
}

/* Step 15: scn may narrow to the mode of the WWSF and to nothing else. */
enum gw_err claims_scenario(struct pipeline *p)
{
	static const char *const scenario[] = {[WWSF_INDIVIDUAL] = "individual",
					       [WWSF_IMS_AUTH] = "ims-auth",
					       [WWSF_POOL] = "pool",
					       [WWSF_WILDCARD] = "wildcard",
					       [WWSF_BLOCK] = "block"};
	struct span scn = p->said->scn;

	if (is_absent(scn) || span_equal(scn, span_text(scenario[wwsf_of(p)->mode])))
		return GW_OK;
	return GW_TOKEN_SCENARIO;
}

/* Whether name is one of the words of scope, which single spaces part (RFC 6749 3.3). */
static bool scope_has(struct span scope, struct span name)
{
	while (scope.len > 0) {
		struct span word = span_cut(scope, 0, span_find(scope, ' '));

		if (span_equal(word, name))
			return true;
		scope = span_from(scope, word.len + 1);
	}
	return false;
}

enum gw_err claims_scope(struct pipeline *p)
{
	const struct issuer_config *issuer = pipeline_issuer(p);
	struct span asked =
		p->use->method == SIP_REGISTER ? issuer->scope_register : issuer->scope_originate;

	return is_absent(asked) || scope_has(p->said->scope, asked) ? GW_OK : GW_TOKEN_SCOPE;
}

/* Whether the tokens of the web site must have a jti. Those of a pool and of a wildcard must
 * (PROTOCOL 3.3). */
static bool needs_jti(const struct wwsf_config *wwsf)
{
	return wwsf->jti_required || wwsf->mode == WWSF_POOL || wwsf->mode == WWSF_WILDCARD;
}

/* Whether the claims name as many identities as the mode wants. WWSF_INDIVIDUAL: one impi, one impu
 * or more; WWSF_POOL: one of each; WWSF_WILDCARD: one impu, an impi or none (PROTOCOL 3.3);
 * WWSF_BLOCK: an impu or more, the impi is the block's. WWSF_IMS_AUTH: any, or none (D-13). */
static bool has_identities(const struct token_claims *claims, enum wwsf_mode mode)
{
	bool private = !is_absent(claims->impi);

	switch (mode) {
	case WWSF_IMS_AUTH:
		return true;
	case WWSF_POOL:
		return private && claims->impu_count == 1;
	case WWSF_BLOCK:
		return claims->impu_count > 0;
	case WWSF_WILDCARD:
		return claims->impu_count == 1;
	default:
		return private && claims->impu_count > 0;
	}
}

/* Step 16. */
enum gw_err claims_identities(struct pipeline *p)
{
	const struct token_claims *claims = p->said;

	if (!claims->claims_typed || is_absent(claims->sub) || span_at(claims->jti, JTI_MAX) >= 0)
		return GW_TOKEN_CLAIM;
	if (!has_identities(claims, wwsf_of(p)->mode))
		return GW_TOKEN_CLAIM;
	if (needs_jti(wwsf_of(p)) && is_absent(claims->jti))
		return GW_TOKEN_CLAIM;
	for (uint32_t i = 0; i < claims->impu_count; i++)
		if (is_absent(claims->impu[i]))
			return GW_TOKEN_CLAIM;
	return GW_OK;
}
