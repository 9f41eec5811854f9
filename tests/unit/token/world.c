/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"
#include "world.h"

static const struct span types[] = {{(const uint8_t *)"at+jwt", 6}, {(const uint8_t *)"jwt", 3}};
struct issuer_config issuers[3];
struct wwsf_config wwsfs[3] = {
	[SHOP] = {.name = {(const uint8_t *)"shop", 4}, .issuer = 0},
	[TOYS] = {.name = {(const uint8_t *)"toys", 4}, .issuer = 1},
	[BOOKS] = {.name = {(const uint8_t *)"books", 5}, .issuer = 1},
};
static struct origin_config origins[2];
struct config_part config;
struct key_row key_rows[3];
struct key_part keys = {.row = key_rows, .count = 3};
struct revocation_part revocations;
enum sip_method method = SIP_REGISTER;
EVP_PKEY *private_keys[3];
static struct verifier *verifier;

static struct issuer_config issuer(const char *iss)
{
	return (struct issuer_config){
		.iss = span_text(iss),
		.audience = SPAN("sip:ep1.home1.net"),
		.algorithms = ES256_ONLY,
		.typ = types,
		.typ_count = 2,
		.leeway_s = 30,
	};
}

int world_open(void **state)
{
	static const char *const kids[] = {"waf-1", "two-a", "two-b"};
	static const uint32_t owners[] = {0, 1, 1};
	const struct verifier_config depth = {.depth = 1};

	issuers[0] = issuer("https://waf.example.com");
	issuers[1] = issuer("https://two.example.com");
	issuers[2] = issuer("https://keyless.example.com");
	origins[0] = (struct origin_config){SPAN("https://shop.example"), SHOP};
	origins[1] = (struct origin_config){SPAN("https://toys.example"), TOYS};
	config = (struct config_part){
		.issuer = issuers,
		.issuer_count = 3,
		.wwsf = wwsfs,
		.wwsf_count = 3,
		.origin = origins,
		.origin_count = 2,
		.max_token_bytes = VERIFY_TEXT_MAX,
		.max_token_lifetime_s = 3600,
	};
	for (uint32_t i = 0; i < 3; i++) {
		private_keys[i] = mint_key_new();
		key_rows[i].issuer = owners[i];
		key_rows[i].kid = span_text(kids[i]);
		mint_public(private_keys[i], i + 1, &key_rows[i].key);
	}
	return verifier_openssl.open(&depth, &verifier) == GW_OK ? 0 : -1;
}

int world_close(void **state)
{
	for (uint32_t i = 0; i < 3; i++)
		EVP_PKEY_free(private_keys[i]);
	verifier_openssl.close(verifier);
	return 0;
}

struct token_scratch scratch;
struct token_claims claims;
struct minted token;

static enum gw_err verdict(void)
{
	static struct verify_job job;
	struct verify_job *one = &job;
	enum gw_err err = token_job(&claims, &keys, &job);

	if (err != GW_OK)
		return err;
	EXPECT_EQ(1, verifier_openssl.submit(verifier, &one, 1));
	EXPECT_EQ(1, verifier_openssl.poll(verifier, &one, 1));
	return job.verdict;
}

enum gw_err outcome(struct span text, uint32_t wwsf)
{
	const struct token_use use = {.config = &config,
				      .revocations = &revocations,
				      .wwsf = wwsf,
				      .method = method,
				      .now_s = NOW};
	enum gw_err err = token_read(text, &config, &keys, &scratch, &claims);

	if (err == GW_OK)
		err = verdict();
	if (err == GW_OK)
		err = token_judge(&claims, &use);
	return err;
}

struct span token_span(void)
{
	return span_of(token.text, token.len);
}

enum gw_err signed_outcome(uint32_t key, const char *header, const char *payload, uint32_t wwsf)
{
	mint(private_keys[key], span_text(header), span_text(payload), &token);
	return outcome(token_span(), wwsf);
}

enum gw_err header_outcome(const char *header)
{
	return signed_outcome(0, header, GOOD_PAYLOAD, SHOP);
}

enum gw_err payload_outcome(const char *payload)
{
	return signed_outcome(0, GOOD_HEADER, payload, SHOP);
}

void token_parts(struct span parts[3])
{
	struct span rest = token_span();

	for (int i = 0; i < 3; i++) {
		parts[i] = span_cut(rest, 0, span_find(rest, '.'));
		rest = span_from(rest, parts[i].len + 1);
	}
}
