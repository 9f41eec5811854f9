/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base64url.h"
#include "token/token.h"
#include "writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct span types[] = {{(const uint8_t *)"at+jwt", 6}, {(const uint8_t *)"jwt", 3}};
static const struct issuer_config issuers[] = {{
	.iss = {(const uint8_t *)"i", 1},
	.audience = {(const uint8_t *)"a", 1},
	.algorithms = 1u << JWS_ES256,
	.typ = types,
	.typ_count = 2,
	.leeway_s = 30,
}};
static const struct wwsf_config wwsfs[] = {{.name = {(const uint8_t *)"w", 1}}};
static const struct config_part config = {
	.issuer = issuers,
	.issuer_count = 1,
	.wwsf = wwsfs,
	.wwsf_count = 1,
	.max_token_bytes = VERIFY_TEXT_MAX,
	.max_token_lifetime_s = 86400,
};
static const struct key_row key_rows[] = {{.key = {.alg = JWS_ES256, .id = 1, .len = 65}}};
static const struct key_part keys = {.row = key_rows, .count = 1};

/* Reads every byte of a span: the sanitizer says when it is not ours. */
static void touch(struct span s)
{
	volatile uint8_t byte;

	for (uint32_t i = 0; i < s.len; i++)
		byte = s.at[i];
	(void)byte;
}

static void check(struct span token)
{
	static struct token_scratch scratch;
	static struct verify_job job;
	static struct token_claims claims;
	const struct token_use use = {.config = &config, .method = SIP_REGISTER, .now_s = 1000000};

	if (token_read(token, &config, &keys, &scratch, &claims) != GW_OK)
		return;
	const struct span said[] = {
		claims.signed_text, claims.typ,	 claims.kid,   claims.sub, claims.jti,
		claims.impi,	    claims.wwsf, claims.scope, claims.scn, claims.client,
	};

	for (uint32_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		touch(said[i]);
	for (uint32_t i = 0; i < claims.impu_count; i++)
		touch(claims.impu[i]);
	if (!span_equal(claims.iss, issuers[0].iss))
		abort();
	(void)!token_job(&claims, &keys, &job);
	if (token_judge(&claims, &use) == GW_OK &&
	    (!claims.has_exp || !claims.audience_ok || claims.impi.len == 0))
		abort();
}

/* As it came; and, so that the fuzzer gets past base64url, with header and payload encoded here:
 * they are what lies before and behind the first line feed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t text[16 * 1024];
	struct span in = span_of(data, (uint32_t)size);
	uint32_t line = size > 0 ? span_find(in, '\n') : 0;
	struct writer out;

	check(in);
	if (size > 8 * 1024)
		return 0;
	writer_init(&out, text, sizeof(text));
	base64url_write(&out, span_cut(in, 0, line));
	writer_u8(&out, '.');
	base64url_write(&out, span_from(in, line + 1));
	writer_text(&out, ".AAAA");
	check(writer_span(&out));
	return 0;
}
