/* SPDX-License-Identifier: BSD-3-Clause */
#include "registrar.h"

/*
 * What a refused request is told. One table for every reason; the exact reason goes to counters and
 * the log, never to the WIC (PROTOCOL 3.6).
 */

enum refusal_extra {
	EXTRA_NONE,
	EXTRA_CHALLENGE,     /* Bearer challenge: 401 for REGISTER, 407 otherwise (RFC 8898 2.2) */
	EXTRA_INVALID_TOKEN, /* the same with error="invalid_token" */
	EXTRA_INVALID_SCOPE, /* the same with error="invalid_scope" (RFC 8898 4) */
	EXTRA_RETRY,	     /* Retry-After */
	EXTRA_RETRY_PAIR,    /* the same: until the pair's token ends (F24) */
	EXTRA_RETRY_BARRED,  /* the same: until the core's probation is over */
	EXTRA_UNSUPPORTED,   /* the tags of Proxy-Require */
	EXTRA_REQUIRE,	     /* those of Require */
	EXTRA_MIN_EXPIRES,   /* limits.min_grant */
	EXTRA_EMERGENCY,     /* a body that says so (D-32) */
};

struct refusal {
	enum gw_err err;
	uint16_t status;
	enum refusal_extra extra;
};

#define RETRY_AFTER SPAN("Retry-After: 5\r\n")

static const struct refusal refusals[] = {
	{GW_TOKEN_NONE, 401, EXTRA_CHALLENGE},
	{GW_TOKEN_SEVERAL, 400, EXTRA_NONE},
	{GW_TOKEN_CARRIER, 400, EXTRA_NONE},
	{GW_TOKEN_SCHEME, 401, EXTRA_CHALLENGE},
	{GW_TOKEN_MALFORMED, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_JSON, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_TYP, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_ALG, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_CRIT, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_ISS, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_KID, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_KEYS_DOWN, 503, EXTRA_RETRY},
	{GW_TOKEN_SIGNATURE, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_AUD, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_EXPIRED, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_TIME, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_JTI, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_SCOPE, 401, EXTRA_INVALID_SCOPE},
	{GW_TOKEN_CLAIM, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_SHORT, 401, EXTRA_INVALID_TOKEN},
	{GW_TOKEN_WWSF, 403, EXTRA_NONE},
	{GW_TOKEN_SCENARIO, 403, EXTRA_NONE},
	{GW_IDENTITY_FOREIGN, 403, EXTRA_NONE},
	{GW_IDENTITY_MISMATCH, 403, EXTRA_NONE},
	{GW_IDENTITY_THIRD_PARTY, 403, EXTRA_NONE},
	{GW_PAIR_IN_USE, 403, EXTRA_RETRY_PAIR},
	{GW_LEASE_LIMIT, 503, EXTRA_RETRY},
	{GW_LEASE_BUSY, 503, EXTRA_RETRY},
	{GW_LEASE_VOID, 503, EXTRA_RETRY},
	{GW_REG_PROBATION, 503, EXTRA_RETRY_BARRED},
	{GW_REG_REJECTED, 403, EXTRA_NONE},
	{GW_DOMAIN, 403, EXTRA_NONE},
	{GW_NOT_REGISTERED, 403, EXTRA_NONE},
	{GW_FLOW_FORGED, 403, EXTRA_NONE},
	{GW_DIALOG_FOREIGN, 403, EXTRA_NONE},
	{GW_RATE, 503, EXTRA_RETRY},
	{GW_VERIFIER_FAILED, 503, EXTRA_RETRY},
	{GW_POOL_EMPTY, 503, EXTRA_RETRY},
	{GW_QUEUE_FULL, 503, EXTRA_RETRY},
	{GW_BINDING_LIMIT, 503, EXTRA_RETRY},
	{GW_BLOCK_DOWN, 503, EXTRA_RETRY},
	{GW_REGISTRAR_BUSY, 503, EXTRA_RETRY},
	{GW_REGISTRAR_ORDER, 500, EXTRA_NONE}, /* RFC 3261 10.3: the update is aborted */
	{GW_REGISTRAR_BRIEF, 423, EXTRA_MIN_EXPIRES},
	{GW_TRANSACTION_LIMIT, 503, EXTRA_RETRY},
	{GW_PARKED_LIMIT, 503, EXTRA_RETRY},
	{GW_REQUEST_PENDING, 500, EXTRA_RETRY}, /* RFC 3261 14.2 */
	{GW_TIMEOUT, 503, EXTRA_RETRY},
	{GW_STOPPING, 503, EXTRA_RETRY},
	{GW_MW_DOWN, 504, EXTRA_NONE},
	{GW_MW_TIMEOUT, 504, EXTRA_NONE},
	{GW_MW_TOO_BRIEF, 403, EXTRA_NONE},
	{GW_SIP_EMERGENCY, 380, EXTRA_EMERGENCY},
	{GW_SIP_EMERGENCY_FORBIDDEN, 403, EXTRA_NONE},
	{GW_DESTINATION, 403, EXTRA_NONE},
	{GW_DESTINATION_UNCLEAR, 403, EXTRA_NONE},
	{GW_SIP_VERSION, 505, EXTRA_NONE},
	{GW_SIP_URI_SCHEME, 416, EXTRA_NONE},
	{GW_SIP_MAX_FORWARDS, 483, EXTRA_NONE},
	{GW_SIP_LOOP, 482, EXTRA_NONE},
	{GW_SIP_EXTENSION, 420, EXTRA_UNSUPPORTED},
	{GW_SIP_REQUIRE, 420, EXTRA_REQUIRE},
	{GW_SIP_METHOD, 501, EXTRA_NONE},
	{GW_SIP_NO_TRANSACTION, 481, EXTRA_NONE},
	{GW_SIP_TOO_LONG, 513, EXTRA_NONE},
	{GW_SIP_HEADER, 400, EXTRA_NONE},
	{GW_SIP_HEADER_LONG, 400, EXTRA_NONE},
	{GW_SIP_HEADERS_MANY, 400, EXTRA_NONE},
	{GW_SIP_MISSING, 400, EXTRA_NONE},
	{GW_SIP_REPEATED, 400, EXTRA_NONE},
	{GW_SIP_CONTENT_LENGTH, 400, EXTRA_NONE},
	{GW_SIP_URI, 400, EXTRA_NONE},
	{GW_SIP_VIA, 400, EXTRA_NONE},
	{GW_SIP_CSEQ, 400, EXTRA_NONE},
	{GW_SIP_NUMBER, 400, EXTRA_NONE},
	{GW_SIP_ADDRESS, 400, EXTRA_NONE},
	{GW_SIP_CONTACT, 400, EXTRA_NONE},
	{GW_SIP_START_LINE, 400, EXTRA_NONE},
	{GW_SIP_EDITS_MANY, 400, EXTRA_NONE},
};

static struct refusal refusal_find(enum gw_err err)
{
	for (uint32_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].err == err)
			return refusals[i];
	return (struct refusal){err, 500, EXTRA_NONE};
}

uint16_t refusal_status(enum gw_err err)
{
	return refusal_find(err).status;
}

/** The home network that was asked, when it is one of ours. */
static struct span challenge_realm(const struct gateway *gw)
{
	const struct config_part *config = gw_config(gw);
	const struct realm_config *realm =
		request_realm(config, sip_uri_parse(gw->message.uri).host);

	return realm != NULL ? realm->domain : config->realm[0].domain;
}

/** What ends a challenge. */
static const char *const challenge_error[] = {
	[EXTRA_CHALLENGE] = "\r\n",
	[EXTRA_INVALID_TOKEN] = ",error=\"invalid_token\"\r\n",
	[EXTRA_INVALID_SCOPE] = ",error=\"invalid_scope\"\r\n",
};

static void write_challenge(struct gateway *gw, const struct wic *wic, bool is_register,
			    enum refusal_extra extra)
{
	static const struct issuer_config none;
	const struct config_part *config = gw_config(gw);
	uint32_t row = wic->wwsf < config->wwsf_count ? config->wwsf[wic->wwsf].issuer : 0;
	const struct issuer_config *issuer =
		row < config->issuer_count ? &config->issuer[row] : &none;
	struct span scope = is_register ? issuer->scope_register : issuer->scope_originate;

	writer_text(&gw->lines, is_register ? "WWW-Authenticate" : "Proxy-Authenticate");
	writer_text(&gw->lines, ": Bearer realm=\"");
	writer_put(&gw->lines, challenge_realm(gw));
	writer_text(&gw->lines, "\",authz_server=\"");
	writer_put(&gw->lines, issuer->authz_server);
	writer_text(&gw->lines, "\"");
	if (scope.len > 0) { /* what a token has to contain (RFC 8898 4) */
		writer_text(&gw->lines, ",scope=\"");
		writer_put(&gw->lines, scope);
		writer_text(&gw->lines, "\"");
	}
	writer_text(&gw->lines, challenge_error[extra]);
}

bool refusal_understands(struct span tag)
{
	return span_equal_nocase(tag, SPAN("path")) || span_equal_nocase(tag, SPAN("outbound")) ||
	       span_equal_nocase(tag, SPAN("sec-agree"));
}

/** A proxy has to understand nothing but what is taken out; a registrar more. */
static bool is_supported(enum sip_header id, struct span tag)
{
	return id == SIP_HEADER_REQUIRE ? refusal_understands(tag)
					: span_equal_nocase(tag, SPAN("sec-agree"));
}

static void write_unsupported(struct gateway *gw, enum sip_header id)
{
	const struct sip_message *m = &gw->message;
	const struct sip_field *f = sip_first(m, id);

	for (; f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, tag;

		while (sip_list_next(&rest, &tag)) {
			if (is_supported(id, tag))
				continue;
			writer_text(&gw->lines, "Unsupported: ");
			writer_put(&gw->lines, tag);
			writer_text(&gw->lines, "\r\n");
		}
	}
}

void refusal_unsupported(struct gateway *gw)
{
	write_unsupported(gw, SIP_HEADER_PROXY_REQUIRE);
}

/** D-12: the F-row, with which the texts of its errors begin, and no more. */
static void write_warning(struct gateway *gw, enum gw_err err)
{
	struct span row = span_cut(span_text(gw_err_text(err)), 0, 3);

	if (!gw_config(gw)->warn_reason || span_at(row, 0) != 'F' || span_at(row, 1) < '0' ||
	    span_at(row, 1) > '9')
		return;
	writer_text(&gw->lines, "Warning: 399 ");
	writer_put(&gw->lines, gw_config(gw)->node_name);
	writer_text(&gw->lines, " \"");
	writer_put(&gw->lines, row);
	writer_text(&gw->lines, "\"\r\n");
}

static void write_retry(struct gateway *gw, uint32_t seconds)
{
	writer_text(&gw->lines, "Retry-After: ");
	writer_decimal(&gw->lines, seconds);
	writer_text(&gw->lines, "\r\n");
}

static void write_min_expires(struct gateway *gw)
{
	writer_text(&gw->lines, "Min-Expires: ");
	writer_decimal(&gw->lines, gw_config(gw)->min_grant_s);
	writer_text(&gw->lines, "\r\n");
}

/** Writes the lines that the answer to gw->message has for err. */
static void write_extra(struct gateway *gw, const struct wic *wic, const struct refusal *refusal)
{
	if (refusal->extra >= EXTRA_CHALLENGE && refusal->extra <= EXTRA_INVALID_SCOPE)
		write_challenge(gw, wic, gw->message.method == SIP_REGISTER, refusal->extra);
	else if (refusal->extra == EXTRA_RETRY)
		writer_put(&gw->lines, RETRY_AFTER);
	else if (refusal->extra == EXTRA_RETRY_PAIR)
		write_retry(gw, wic->pool.retry_s);
	else if (refusal->extra == EXTRA_RETRY_BARRED)
		write_retry(gw, wic->barred_s);
	else if (refusal->extra == EXTRA_UNSUPPORTED)
		refusal_unsupported(gw);
	else if (refusal->extra == EXTRA_REQUIRE)
		write_unsupported(gw, SIP_HEADER_REQUIRE);
	else if (refusal->extra == EXTRA_MIN_EXPIRES)
		write_min_expires(gw);
	else if (refusal->extra == EXTRA_EMERGENCY)
		writer_text(&gw->lines, "Content-Type: application/3gpp-ims+xml\r\n");
	write_warning(gw, refusal->err);
}

enum gw_err gateway_refusal_write(struct gateway *gw, const struct wic *wic, enum gw_err err,
				  struct writer *out)
{
	struct refusal refusal = refusal_find(err);
	bool is_register = gw->message.method == SIP_REGISTER;
	uint64_t word = gw->env->random(gw->env->context);
	struct span tag, extra = SPAN(""), body = SPAN("");
	uint32_t mark;

	if (gw->message.method == SIP_ACK)
		return GW_SIP_MISSING; /* RFC 3261 17: never answered */
	writer_init(&gw->lines, gw->lines_memory, GATEWAY_LINES_MAX);
	writer_text(&gw->lines, "ep-");
	writer_hex(&gw->lines, span_of(&word, sizeof(word)));
	tag = writer_span(&gw->lines);
	mark = writer_len(&gw->lines);
	write_extra(gw, wic, &refusal);
	if (refusal.status == 401 && !is_register)
		refusal.status = 407; /* proxy role (RFC 8898 2.3) */
	if (writer_ok(&gw->lines))    /* thousands of unsupported tags would not fit */
		extra = request_lines(gw, mark);
	if (refusal.extra == EXTRA_EMERGENCY)
		body = emergency_body(gw);
	return sip_reply_write_body(&gw->message, refusal.status, tag, extra, body, out);
}
