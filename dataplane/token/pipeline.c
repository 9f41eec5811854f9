/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

typedef enum gw_err step_run(struct pipeline *p);

struct step {
	const char *name, *row; /* as wicctl explain prints them */
	step_run *run;
};

/* In the order of PROTOCOL 3.5: the first that refuses names the failure. */
static const struct step reading[] = {
	{"parts", "F04", jws_parts},
	{"header", "F05", jws_header},
	{"crit", "F08", jws_crit},
	{"algorithm known", "F07", jws_algorithm},
	{"payload", "F05", jws_payload},
	{"issuer", "F09", jws_issuer},
	{"algorithm of the issuer", "F07", jws_allowed},
	{"key", "F10", jws_key},
};
static const struct step judging[] = {
	{"typ", "F06", claims_typ},
	{"audience", "F13", claims_audience},
	{"expiry", "F14", claims_expiry},
	{"dates", "F15", claims_dates},
	{"jti", "F16", claims_jti},
	{"web site", "F19", claims_wwsf},
	{"scenario", "F20", claims_scenario},
	{"scope", "F18", claims_scope},
	{"identities", "F17", claims_identities},
};

#define READING (sizeof(reading) / sizeof(reading[0]))
#define JUDGING (sizeof(judging) / sizeof(judging[0]))

_Static_assert(READING + 1 + JUDGING == TOKEN_STEPS, "rows of token_explain()");

/** A list of what the steps say; row may be NULL. */
struct report {
	struct token_step *row;
	uint32_t count;
};

static void report_add(struct report *report, const char *name, const char *row, enum gw_err err)
{
	if (report->row != NULL)
		report->row[report->count++] = (struct token_step){name, row, err};
}

static enum gw_err run(const struct step *steps, uint32_t count, struct pipeline *p,
		       struct report *report)
{
	enum gw_err err = GW_OK;

	for (uint32_t i = 0; err == GW_OK && i < count; i++) {
		err = steps[i].run(p);
		report_add(report, steps[i].name, steps[i].row, err);
	}
	return err;
}

enum gw_err token_read(struct span token, const struct config_part *config,
		       const struct key_part *keys, struct token_scratch *scratch,
		       struct token_claims *claims)
{
	const struct token_use use = {.config = config};
	struct pipeline p = {
		.token = token, .keys = keys, .use = &use, .scratch = scratch, .claims = claims};
	struct report nobody = {0};

	return run(reading, READING, &p, &nobody);
}

enum gw_err token_judge(const struct token_claims *claims, const struct token_use *use)
{
	struct pipeline p = {.use = use, .said = claims};
	struct report nobody = {0};

	return run(judging, JUDGING, &p, &nobody);
}

uint32_t token_explain(struct span token, const struct key_part *keys, const struct token_use *use,
		       enum gw_err signature, struct token_scratch *scratch,
		       struct token_step steps[TOKEN_STEPS])
{
	struct token_claims claims;
	struct pipeline p = {.token = token,
			     .keys = keys,
			     .use = use,
			     .scratch = scratch,
			     .claims = &claims,
			     .said = &claims};
	struct report report = {.row = steps};
	enum gw_err err = run(reading, READING, &p, &report);

	if (err == GW_OK) {
		report_add(&report, "signature", "F12", signature);
		err = signature;
	}
	if (err == GW_OK)
		(void)run(judging, JUDGING, &p, &report);
	return report.count;
}
