/* SPDX-License-Identifier: BSD-3-Clause */
#include "identity/pattern.h"
#include "internal.h"
#include "wall.h"

/*
 * What becomes of a token, step by step, for an operator who asks. The steps are those of the token
 * layer, with the state of the issuer's keys and the allocation of the identities, which it does
 * not know of.
 */

_Static_assert(TOKEN_STEPS + 1 <= GATEWAY_STEPS_MAX, "and the allocation");

static enum gw_err read(struct gateway *gw, struct span token)
{
	const struct snapshot *view = gw->time.view;
	enum gw_err err;

	gw->claims = (struct token_claims){0};
	err = token_read(token, view->config, view->keys, &gw->scratch, &gw->claims);
	return err == GW_OK && authorize_keys_missing(gw, gw->claims.issuer) ? GW_TOKEN_KEYS_DOWN
									     : err;
}

uint32_t gateway_explain_wwsf(struct gateway *gw, struct span origin, struct span token)
{
	const struct config_part *config = gw_config(gw);

	for (uint32_t i = 0; origin.len > 0 && i < config->origin_count; i++)
		if (span_equal(config->origin[i].origin, origin))
			return config->origin[i].wwsf;
	if (origin.len > 0 || read(gw, token) != GW_OK)
		return UINT32_MAX;
	for (uint32_t i = 0; i < config->wwsf_count; i++)
		if (config->wwsf[i].issuer == gw->claims.issuer)
			return i;
	return UINT32_MAX;
}

bool gateway_explain_job(struct gateway *gw, const struct gateway_explained *what,
			 struct verify_job *job)
{
	return read(gw, what->token) == GW_OK &&
	       token_job(&gw->claims, gw->time.view->keys, job) == GW_OK;
}

static void row_put(struct row_step *row, struct span name, enum gw_err err)
{
	memset(row, 0, sizeof(*row));
	name = span_cut(name, 0, sizeof(row->name) - 1);
	memcpy(row->name, name.at, name.len);
	row->err = err;
}

/** The same where nobody is registered: of the one identity of the site's wildcard. */
static enum gw_err wildcarded(const struct gateway *gw, uint32_t wwsf)
{
	const struct snapshot *view = gw->time.view;
	struct identity impu;

	if (identity_impu(gw->claims.impu[0], &impu) != GW_OK)
		return GW_TOKEN_CLAIM;
	return identity_wildcarded(view->patterns, view->pairs, gw->config.worker, wwsf, &impu);
}

/** Step 17, of the first pair that is not the site's. */
static enum gw_err allocation(const struct gateway *gw, uint32_t wwsf)
{
	const struct snapshot *view = gw->time.view;
	struct identity impi, impu;
	enum gw_err err = identity_impi(gw->claims.impi, &impi);

	if (view->config->wwsf[wwsf].mode == WWSF_WILDCARD)
		return wildcarded(gw, wwsf);
	for (uint32_t i = 0; err == GW_OK && i < gw->claims.impu_count; i++) {
		err = identity_impu(gw->claims.impu[i], &impu);
		if (err == GW_OK)
			err = identity_allocated(&view->config->wwsf[wwsf], view->pairs, &impi,
						 &impu);
		if (err == GW_OK && view->config->wwsf[wwsf].domain_count > 0 &&
		    pattern_of_another(view->patterns, gw->config.worker, wwsf, &impu))
			err = GW_IDENTITY_FOREIGN;
	}
	return err == GW_IDENTITY_SYNTAX ? GW_TOKEN_CLAIM : err;
}

uint32_t gateway_explain(struct gateway *gw, const struct gateway_explained *what,
			 enum gw_err signature, struct row_step rows[GATEWAY_STEPS_MAX])
{
	const struct snapshot *view = gw->time.view;
	const struct wwsf_config *site = register_wwsf(gw, what->wwsf);
	const struct token_use use = {
		.config = view->config,
		.revocations = view->revocations,
		.wwsf = what->wwsf,
		.method = site != NULL && site->mode == WWSF_WILDCARD ? SIP_INVITE : SIP_REGISTER,
		.now_s = wall_now_s(&gw->time),
	};
	struct token_step steps[TOKEN_STEPS];
	uint32_t n = token_explain(what->token, view->keys, &use, signature, &gw->scratch, steps);
	enum gw_err readable = read(gw, what->token); /* last: the claims lie in the scratch */

	for (uint32_t i = 0; i < n; i++) {
		bool key = span_equal(span_text(steps[i].row), SPAN("F10"));

		if (key && steps[i].err == GW_OK && readable != GW_OK) {
			row_put(&rows[i], span_text(steps[i].name), readable); /* F11 */
			return i + 1;
		}
		row_put(&rows[i], span_text(steps[i].name), steps[i].err);
	}
	if (rows[n - 1].err != GW_OK)
		return n;
	row_put(&rows[n], SPAN("allocation"), allocation(gw, what->wwsf));
	return n + 1;
}
