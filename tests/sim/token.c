/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "base64url.h"
#include "sim.h"
#include "token/token.h"

/*
 * Tokens of the scripted web site. By default a signature is a keyed checksum, which the scripted
 * verifier checks: the order of events matters here, not P-256. With --openssl both are real.
 */

struct token_maker {
	struct verify_key key;
	EVP_PKEY *pair; /* NULL: checksums */
	EVP_PKEY *other;
};

/* ---- keys and signatures ----------------------------------------------------------------------
 */

static void checksum(const uint8_t key[16], struct span text, uint8_t signature[64])
{
	uint8_t tweaked[16];

	for (uint8_t i = 0; i < 8; i++) {
		uint64_t word;

		memcpy(tweaked, key, sizeof(tweaked));
		tweaked[0] ^= i;
		word = siphash(tweaked, text);
		memcpy(signature + 8 * i, &word, sizeof(word));
	}
}

struct token_maker *token_maker_new(bool openssl)
{
	struct token_maker *maker = calloc(1, sizeof(*maker));
	size_t len = 0;

	maker->key = (struct verify_key){.alg = JWS_ES256, .id = 1, .len = 65, .material = {4}};
	for (uint8_t i = 1; i < 65; i++)
		maker->key.material[i] = i;
	if (!openssl)
		return maker;
	maker->pair = EVP_EC_gen("P-256");
	maker->other = EVP_EC_gen("P-256");
	EVP_PKEY_get_octet_string_param(maker->pair, OSSL_PKEY_PARAM_PUB_KEY, maker->key.material,
					sizeof(maker->key.material), &len);
	maker->key.len = (uint32_t)len;
	return maker;
}

void token_maker_free(struct token_maker *maker)
{
	EVP_PKEY_free(maker->pair);
	EVP_PKEY_free(maker->other);
	free(maker);
}

const struct verify_key *token_maker_key(const struct token_maker *maker)
{
	return &maker->key;
}

/** R | S of an ECDSA signature in DER. */
static void raw_signature(const uint8_t *der, size_t len, uint8_t signature[64])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);

	BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature + 32, 32);
	ECDSA_SIG_free(sig);
}

void token_maker_sign(struct token_maker *maker, struct span text, bool forged,
		      uint8_t signature[64])
{
	uint8_t key[16], der[128];
	size_t len = sizeof(der);
	EVP_MD_CTX *ctx;

	if (maker->pair == NULL) {
		memcpy(key, maker->key.material, sizeof(key));
		key[15] ^= forged;
		checksum(key, text, signature);
		return;
	}
	ctx = EVP_MD_CTX_new();
	EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, forged ? maker->other : maker->pair);
	EVP_DigestSign(ctx, der, &len, text.at, text.len);
	EVP_MD_CTX_free(ctx);
	raw_signature(der, len, signature);
}

/* ---- tokens -----------------------------------------------------------------------------------
 */

void token_write_jti(uint32_t user, uint64_t exp_s, struct writer *out)
{
	text_add(out, "u%ue%llu", user, (unsigned long long)exp_s);
}

static void write_claims(struct writer *w, enum token_kind kind, uint32_t user, uint64_t exp_s)
{
	uint32_t named =
		kind == TOKEN_FOREIGN || kind == TOKEN_OTHER
			? (kind == TOKEN_OTHER ? (user + 1) % (SIM_USERS / 2) +
							 user / (SIM_USERS / 2) * (SIM_USERS / 2)
					       : (user + SIM_USERS / 2) % SIM_USERS)
		: kind == TOKEN_UNKNOWN ? user + 1000
					: user;
	uint32_t impi = kind == TOKEN_MIXED ? user ^ 1 : named;

	text_add(w, "{\"iss\":\"https://waf%u.example\",\"aud\":\"%s\",\"sub\":\"u%u\",",
		 user / (SIM_USERS / 2),
		 kind == TOKEN_AUDIENCE ? "sip:elsewhere.example" : "sip:ep." DOMAIN, user);
	text_add(w, "\"impi\":\"user%u@" DOMAIN "\",\"impu\":[\"sip:user%u@" DOMAIN "\"],", impi,
		 named);
	text_add(w, "\"iat\":%llu,\"exp\":%llu",
		 (unsigned long long)(exp_s > SIM_WALL_START + 3600 ? exp_s - 3600
								    : SIM_WALL_START - 200),
		 (unsigned long long)exp_s);
}

void token_seal(struct sim *sim, struct span claims, bool forged, struct writer *out)
{
	char header[] = "{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"k1\"}";
	uint32_t start = writer_len(out);
	uint8_t signature[64];

	header[sizeof(header) - 4] = (char)('0' + sim->rotation.signing);
	base64url_write(out, span_text(header));
	writer_u8(out, '.');
	base64url_write(out, claims);
	token_maker_sign(sim->maker, writer_since(out, start), forged, signature);
	writer_u8(out, '.');
	base64url_write(out, span_of(signature, sizeof(signature)));
}

void token_write(struct sim *sim, enum token_kind kind, uint32_t user, uint64_t exp_s,
		 struct writer *out)
{
	uint8_t claims[512];
	struct writer w;

	if (kind == TOKEN_GARBAGE) {
		writer_text(out, "eyJ0eXAiOiJhdCtqd3Qi.nothing.like.a.token");
		return;
	}
	writer_init(&w, claims, sizeof(claims));
	write_claims(&w, kind, user, exp_s);
	if (sim->events != NULL) { /* the core may reject one */
		text_add(&w, ",\"jti\":\"");
		token_write_jti(user, exp_s, &w);
		text_add(&w, "\"");
	}
	text_add(&w, "}");
	token_seal(sim, writer_span(&w), kind == TOKEN_FORGED, out);
}

bool token_leaks(struct span message)
{
	/* Bearer, and how the header and the payload of every token here begin */
	return text_has(message, "Bearer") || text_has(message, "eyJ0eXAiOiJh") ||
	       text_has(message, "eyJpc3MiOiJodHRw");
}

/* ---- the scripted verifier --------------------------------------------------------------------
 */

#define VERIFIER_DEPTH 32

/*
 * Verdicts come after a drawn number of polls, in any order; some driver failures. Chance of its
 * own, drawn from what it is given: a driver does not know the world.
 */
struct verifier {
	struct verify_job *job[VERIFIER_DEPTH];
	uint32_t polls[VERIFIER_DEPTH];
	uint32_t jobs;
	uint64_t chance;
	bool slow; /* some verdicts come when the session has given them up */
};

static uint32_t draw(struct verifier *v, uint32_t n)
{
	v->chance = v->chance * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((v->chance >> 33) % n);
}

static enum gw_err verifier_open(const struct verifier_config *config, struct verifier **opened)
{
	*opened = calloc(1, sizeof(**opened));
	(*opened)->chance = config->worker;
	return GW_OK;
}

static enum gw_err verifier_open_slow(const struct verifier_config *config,
				      struct verifier **opened)
{
	(void)verifier_open(config, opened);
	(*opened)->slow = true;
	return GW_OK;
}

static bool verifier_can(const struct verifier *v, enum jws_alg alg)
{
	(void)v;
	return alg == JWS_ES256;
}

static uint16_t verifier_submit(struct verifier *v, struct verify_job *const jobs[], uint16_t n)
{
	uint16_t taken = 0;

	if (n > 0)
		v->chance ^= siphash(jobs[0]->key.material, span_of(jobs[0]->signature, 64));
	while (taken < n && v->jobs < VERIFIER_DEPTH && draw(v, 10) > 0) {
		/* a poll is a turn, about a millisecond here */
		v->polls[v->jobs] = v->slow && draw(v, 4) == 0 ? 2000 + draw(v, 40000)
				    : draw(v, 10) == 0	       ? draw(v, 200)
							       : draw(v, 5);
		v->job[v->jobs++] = jobs[taken++];
	}
	return taken;
}

static enum gw_err judge(struct verifier *v, const struct verify_job *job)
{
	uint8_t expected[64];

	if (draw(v, 150) == 0)
		return GW_VERIFIER_FAILED;
	checksum(job->key.material, span_of(job->text, job->text_len), expected);
	return job->signature_len == 64 && memcmp(expected, job->signature, 64) == 0
		       ? GW_OK
		       : GW_TOKEN_SIGNATURE;
}

static uint16_t verifier_poll(struct verifier *v, struct verify_job *done[], uint16_t max)
{
	uint16_t n = 0;

	for (uint32_t i = v->jobs; i-- > 0 && n < max;) {
		if (v->polls[i] > 0) {
			v->polls[i]--;
			continue;
		}
		v->job[i]->verdict = judge(v, v->job[i]);
		done[n++] = v->job[i];
		v->jobs--;
		v->job[i] = v->job[v->jobs];
		v->polls[i] = v->polls[v->jobs];
	}
	return n;
}

static void verifier_close(struct verifier *v)
{
	free(v);
}

const struct verifier_ops verifier_sim = {
	.name = "sim",
	.open = verifier_open,
	.can = verifier_can,
	.submit = verifier_submit,
	.poll = verifier_poll,
	.close = verifier_close,
};

const struct verifier_ops verifier_sim_slow = {
	.name = "sim-slow",
	.open = verifier_open_slow,
	.can = verifier_can,
	.submit = verifier_submit,
	.poll = verifier_poll,
	.close = verifier_close,
};

uint64_t token_jti_hash(struct span iss, char letter, uint32_t number)
{
	static const uint8_t key[16] = SIM_HASH_KEY;
	uint8_t text[16];
	struct writer w;

	writer_init(&w, text, sizeof(text));
	text_add(&w, "%c%u", letter, number);
	return jti_hash(key, iss, writer_span(&w));
}
