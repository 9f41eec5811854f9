/* SPDX-License-Identifier: BSD-3-Clause */
#include "token.h"

/* A jti longer than this is none (PROTOCOL 3.3). */
#define JTI_MAX 128

/** What a step looks at. */
struct judged {
	const struct token_claims *claims;
	const struct config_part *config;
	const struct issuer_config *issuer;
	uint32_t wwsf; /* index in config->wwsf */
	uint64_t now_s;
};

static bool is_absent(struct span claim)
{
	return claim.len == 0;
}

/* Step 9. RFC 7515 4.1.9: "application/" goes without saying. */
static enum gw_err judge_typ(const struct judged *j)
{
	struct span typ = j->claims->typ, prefix = SPAN("application/");

	if (span_equal_nocase(span_cut(typ, 0, prefix.len), prefix))
		typ = span_from(typ, prefix.len);
	for (uint32_t i = 0; i < j->issuer->typ_count; i++)
		if (span_equal_nocase(typ, j->issuer->typ[i]))
			return GW_OK;
	return GW_TOKEN_TYP;
}

/* Step 11; that iss is the record's is how the record was found. */
static enum gw_err judge_audience(const struct judged *j)
{
	return j->claims->audience_ok ? GW_OK : GW_TOKEN_AUD;
}

/* Step 12: passed at exp + leeway, to the second. */
static enum gw_err judge_expiry(const struct judged *j)
{
	bool live = j->claims->has_exp && j->now_s < j->claims->exp_s + j->issuer->leeway_s;

	return live ? GW_OK : GW_TOKEN_EXPIRED;
}

static enum gw_err judge_dates(const struct judged *j)
{
	const struct token_claims *claims = j->claims;
	uint64_t latest_s = j->now_s + j->issuer->leeway_s;

	if (!claims->has_iat)
		return GW_TOKEN_CLAIM;
	if (claims->iat_s > latest_s || (claims->has_nbf && claims->nbf_s > latest_s))
		return GW_TOKEN_TIME;
	if (claims->exp_s > claims->iat_s + j->config->max_token_lifetime_s)
		return GW_TOKEN_TIME;
	return GW_OK;
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
static enum gw_err judge_wwsf(const struct judged *j)
{
	struct span name = j->claims->wwsf;
	bool several = serves_several(j->config, j->claims->issuer);

	if (j->wwsf >= j->config->wwsf_count ||
	    j->config->wwsf[j->wwsf].issuer != j->claims->issuer)
		return GW_TOKEN_WWSF;
	if (is_absent(name) && several)
		name = j->claims->client;
	if (is_absent(name))
		return several ? GW_TOKEN_CLAIM : GW_OK;
	return names_wwsf(name, j->config, j->wwsf) ? GW_OK : GW_TOKEN_WWSF;
}

/* Step 15: scn may narrow to the mode of the WWSF and to nothing else. */
static enum gw_err judge_scenario(const struct judged *j)
{
	static const char *const scenario[] = {[WWSF_INDIVIDUAL] = "individual"};
	struct span scn = j->claims->scn;

	if (is_absent(scn) || span_equal(scn, span_text(scenario[j->config->wwsf[j->wwsf].mode])))
		return GW_OK;
	return GW_TOKEN_SCENARIO;
}

/* Step 16. WWSF_INDIVIDUAL: one impi, one impu or more (PROTOCOL 3.3). */
static enum gw_err judge_identities(const struct judged *j)
{
	const struct token_claims *claims = j->claims;
	bool complete =
		!is_absent(claims->sub) && !is_absent(claims->impi) && claims->impu_count > 0;

	if (!claims->claims_typed || !complete || span_at(claims->jti, JTI_MAX) >= 0)
		return GW_TOKEN_CLAIM;
	for (uint32_t i = 0; i < claims->impu_count; i++)
		if (is_absent(claims->impu[i]))
			return GW_TOKEN_CLAIM;
	return GW_OK;
}

enum gw_err token_judge(const struct token_claims *claims, const struct config_part *config,
			uint32_t wwsf, uint64_t now_s)
{
	/* In the order of PROTOCOL 3.5; the first that refuses names the failure. */
	static enum gw_err (*const steps[])(const struct judged *j) = {
		judge_typ,  judge_audience, judge_expiry,     judge_dates,
		judge_wwsf, judge_scenario, judge_identities,
	};
	const struct judged judged = {claims, config, &config->issuer[claims->issuer], wwsf, now_s};
	enum gw_err err = GW_OK;

	for (uint32_t i = 0; err == GW_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		err = steps[i](&judged);
	return err;
}
