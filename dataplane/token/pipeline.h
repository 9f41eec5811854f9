/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PIPELINE_H
#define PIPELINE_H

#include "json.h"
#include "token.h"

/**
 * A token on its way through PROTOCOL 3.5. Each step looks at what those before it have left here
 * and says why it refuses, or GW_OK; the table of them, in their order, is in pipeline.c.
 */
struct pipeline {
	/* given */
	struct span token;
	const struct key_part *keys;
	const struct token_use *use; /* reading looks at its config alone */
	struct token_scratch *scratch;
	struct token_claims *claims;	 /* what reading fills */
	const struct token_claims *said; /* what judging looks at */
	/* left by one step for another */
	struct writer strings;	     /* into scratch->strings */
	struct span header, payload; /* base64url */
	struct json_value jose;	     /* the header's object */
	struct span alg;
	struct json_value object; /* the payload's */
	struct json_value audience;
};

/* ---- reading: jws.c ---- */

/** Steps 1 and 2: length, three parts, and a signature that is base64url. F04. */
enum gw_err GW_MUST_CHECK jws_parts(struct pipeline *p);
/** Step 3: the header is a JSON object whose alg, typ and kid are strings. F04, F05. */
enum gw_err GW_MUST_CHECK jws_header(struct pipeline *p);
/** Step 4: no critical extension, as we have none. F08. */
enum gw_err GW_MUST_CHECK jws_crit(struct pipeline *p);
/** Step 5: an algorithm that we know; none and HMAC are unknown. F07. */
enum gw_err GW_MUST_CHECK jws_algorithm(struct pipeline *p);
/** The payload's syntax of step 10, since step 6 needs it; its registered claims are read. F04,
 * F05. */
enum gw_err GW_MUST_CHECK jws_payload(struct pipeline *p);
/** Step 6: picks the issuer, and reads the claims that it names. F09. */
enum gw_err GW_MUST_CHECK jws_issuer(struct pipeline *p);
/** Step 5 again, now that the issuer is known: its allow-list. F07. */
enum gw_err GW_MUST_CHECK jws_allowed(struct pipeline *p);
/** Step 7. F07, F10, F11. */
enum gw_err GW_MUST_CHECK jws_key(struct pipeline *p);

/* ---- judging: claims.c ---- */

/** Step 9. F06. */
enum gw_err GW_MUST_CHECK claims_typ(struct pipeline *p);
/** Step 11. F13. */
enum gw_err GW_MUST_CHECK claims_audience(struct pipeline *p);
/** Step 12. F14. */
enum gw_err GW_MUST_CHECK claims_expiry(struct pipeline *p);
/** Step 12. F15, F17. */
enum gw_err GW_MUST_CHECK claims_dates(struct pipeline *p);
/** Step 13. F16. */
enum gw_err GW_MUST_CHECK claims_jti(struct pipeline *p);
/** Step 14. F17, F19. */
enum gw_err GW_MUST_CHECK claims_wwsf(struct pipeline *p);
/** Step 15. F20. */
enum gw_err GW_MUST_CHECK claims_scenario(struct pipeline *p);
/** Step 15. F18. */
enum gw_err GW_MUST_CHECK claims_scope(struct pipeline *p);
/** Step 16. F17. */
enum gw_err GW_MUST_CHECK claims_identities(struct pipeline *p);

/** The issuer whose token is judged. */
static inline const struct issuer_config *pipeline_issuer(const struct pipeline *p)
{
	return &p->use->config->issuer[p->said->issuer];
}

#endif
