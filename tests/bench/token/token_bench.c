/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mint.h"
#include "peers.h"
#include "token/token.h"
#include "verifier.h"

/*
 * From the Authorization value to the verdict: a token that is remembered, and one that is new,
 * whose signatures go to the openssl driver in batches as in a turn of a worker. Beside them what a
 * signature costs in OpenSSL alone, and a token in libjwt. Each round is every row once, so that
 * what else the machine does hits all of them; times are of CPU, the median of the rounds.
 */

enum { ROUNDS = 9, CACHED = 20000, FRESH = 512, BATCH = 32, ENTRIES = 1024 };

#define NOW 1795168000
#define PAYLOAD(jti) \
	"{\"iss\":\"https://" \
	"waf.example.com\",\"aud\":\"sip:ep1.home1.net\",\"sub\":\"anon-7f3c\"," \
	"\"wwsf\":\"shop\",\"impi\":\"pool0042@ims.home1.net\",\"impu\":\"sip:pool0042@home1." \
	"net\"," \
	"\"scope\":\"ims.register\",\"jti\":\"" jti "\",\"iat\":1795167000,\"nbf\":1795167000," \
	"\"exp\":1795170600}"

static const struct span types[] = {{(const uint8_t *)"at+jwt", 6}, {(const uint8_t *)"jwt", 3}};
static const struct issuer_config issuers[] = {{
	.iss = {(const uint8_t *)"https://waf.example.com", 23},
	.audience = {(const uint8_t *)"sip:ep1.home1.net", 17},
	.algorithms = 1u << JWS_ES256,
	.typ = types,
	.typ_count = 2,
	.leeway_s = 30,
	.scope_register = {(const uint8_t *)"ims.register", 12},
}};
static const struct wwsf_config wwsfs[] = {{.name = {(const uint8_t *)"shop", 4}}};
static const struct config_part config = {
	.issuer = issuers,
	.issuer_count = 1,
	.wwsf = wwsfs,
	.wwsf_count = 1,
	.max_token_bytes = VERIFY_TEXT_MAX,
	.max_token_lifetime_s = 86400,
};
static const struct token_use use = {.config = &config, .method = SIP_REGISTER, .now_s = NOW};
static struct key_row key_rows[] = {{.kid = {(const uint8_t *)"waf-1", 5}}};
static const struct key_part keys = {.row = key_rows, .count = 1};
static const struct snapshot view = {.config = &config, .keys = &keys};

/* What a worker has. */
static struct token_scratch scratch;
static struct verify_job jobs[BATCH];
static struct token_cache *cache, *asked;
static struct token_refused *refused;
static struct verifier *verifier;
static struct peers *peers;

static struct minted minted;
static char request[MINT_TOKEN_MAX + 512];
static struct sip_message message;

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_token: %s\n", what);
	exit(1);
}

/* A REGISTER with the token, indexed: what the pipeline starts from. */
static void request_make(void)
{
	int len = snprintf(request, sizeof(request),
			   "REGISTER sip:home1.net SIP/2.0\r\n"
			   "Via: SIP/2.0/WSS k3.invalid;branch=z9hG4bK1\r\n"
			   "From: <sip:alice@home1.net>;tag=a\r\n"
			   "To: <sip:alice@home1.net>\r\n"
			   "Call-ID: c1\r\n"
			   "CSeq: 1 REGISTER\r\n"
			   "Authorization: Bearer access_token=\"%.*s\"\r\n\r\n",
			   (int)minted.len, (const char *)minted.text);

	need(sip_index(span_of(request, (uint32_t)len), &message) == GW_OK, "no SIP message");
}

/* ---- the rows: each does so many tokens ---- */

static void cached(uint32_t count)
{
	struct token_claims claims;

	for (uint32_t i = 0; i < count; i++) {
		struct token_credential found = token_find(&message, &config);
		struct token_digest digest = token_digest(found.token);

		need(token_refused_find(refused, &digest, &view, 1) == GW_OK &&
			     token_cache_find(cache, &digest, &config, &keys, &claims) &&
			     token_judge(&claims, &use) == GW_OK,
		     "the token is not remembered");
	}
}

/* Until the signature: the token is looked for in vain. */
static void submit(struct verify_job *job)
{
	struct token_credential found = token_find(&message, &config);
	struct token_digest digest = token_digest(found.token);
	struct token_claims claims;

	digest.bytes[0] ^= 1; /* the same token, as if it were another */
	need(token_refused_find(refused, &digest, &view, 1) == GW_OK &&
		     !token_cache_find(cache, &digest, &config, &keys, &claims) &&
		     token_read(found.token, &config, &keys, &scratch, &claims) == GW_OK &&
		     token_job(&claims, &keys, job) == GW_OK,
	     "the token is not read");
	token_cache_put(asked, &digest, &config, &keys, &claims);
}

/* With the verdict: the request was indexed again meanwhile, and its token is looked for again. */
static void verdict(const struct verify_job *job, uint32_t number)
{
	struct token_credential found = token_find(&message, &config);
	struct token_digest digest = token_digest(found.token);
	struct token_claims claims;

	digest.bytes[0] ^= 1;
	need(job->verdict == GW_OK && token_cache_find(asked, &digest, &config, &keys, &claims),
	     "the signature is not good");
	memcpy(digest.bytes + 1, &number, sizeof(number)); /* an entry of its own */
	token_cache_put(cache, &digest, &config, &keys, &claims);
	need(token_judge(&claims, &use) == GW_OK, "the token is refused");
}

/* A batch through the driver, which is done when it is called again. */
static void drive(struct verify_job *done[BATCH])
{
	struct verify_job *lent[BATCH];
	uint16_t finished = 0;

	for (uint32_t k = 0; k < BATCH; k++)
		lent[k] = &jobs[k];
	need(verifier_openssl.submit(verifier, lent, BATCH) == BATCH, "driver full");
	while (finished < BATCH)
		finished += verifier_openssl.poll(verifier, done + finished,
						  (uint16_t)(BATCH - finished));
}

static void fresh(uint32_t count)
{
	struct verify_job *done[BATCH];

	for (uint32_t i = 0; i < count; i += BATCH) {
		for (uint32_t k = 0; k < BATCH; k++)
			submit(&jobs[k]);
		drive(done);
		for (uint32_t k = 0; k < BATCH; k++)
			verdict(done[k], i + k);
	}
}

/* The jobs that fresh() has left, without anything of ours about them. */
static void driver(uint32_t count)
{
	struct verify_job *done[BATCH];

	for (uint32_t i = 0; i < count; i += BATCH)
		drive(done);
	need(done[0]->verdict == GW_OK, "the signature is not good");
}

static void openssl(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		need(peers_openssl(peers), "OpenSSL refuses the token");
}

static void libjwt(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		need(peers_libjwt(peers), "libjwt refuses the token");
}

/* ---- measuring ---- */

enum { ROW_CACHED, ROW_FRESH, ROW_DRIVER, ROW_OPENSSL, ROW_LIBJWT, ROWS };

static const struct {
	const char *name;
	void (*run)(uint32_t count);
	uint32_t count;
} rows[ROWS] = {
	[ROW_CACHED] = {"token, remembered", cached, CACHED},
	[ROW_FRESH] = {"token, new, ES256, openssl driver", fresh, FRESH},
	[ROW_DRIVER] = {"openssl driver alone", driver, FRESH},
	[ROW_OPENSSL] = {"OpenSSL EVP_DigestVerify alone", openssl, FRESH},
	[ROW_LIBJWT] = {"libjwt jwt_decode", libjwt, FRESH},
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(double median[ROWS])
{
	static double ns[ROWS][ROUNDS];

	for (int round = 0; round < ROUNDS; round++)
		for (int row = 0; row < ROWS; row++) {
			double start = now_ns();

			rows[row].run(rows[row].count);
			ns[row][round] = (now_ns() - start) / rows[row].count;
		}
	for (int row = 0; row < ROWS; row++) {
		qsort(ns[row], ROUNDS, sizeof(ns[row][0]), compare);
		median[row] = ns[row][ROUNDS / 2];
	}
}

static void world_make(EVP_PKEY *key)
{
	const struct verifier_config depth = {.depth = BATCH};
	struct token_claims claims;
	struct token_digest digest;

	mint_public(key, 1, &key_rows[0].key);
	mint(key, SPAN("{\"typ\":\"JWT\",\"alg\":\"ES256\",\"kid\":\"waf-1\"}"),
	     SPAN(PAYLOAD("0Zr5b2n1")), &minted);
	minted.text[minted.len] = '\0';
	request_make();
	cache = token_cache_new(ENTRIES);
	asked = token_cache_new(BATCH);
	refused = token_refused_new(ENTRIES);
	need(cache != NULL && asked != NULL && refused != NULL &&
		     verifier_openssl.open(&depth, &verifier) == GW_OK,
	     "no memory");
	peers = peers_new(key, (const char *)minted.text);
	digest = token_digest(span_of(minted.text, minted.len));
	need(token_read(span_of(minted.text, minted.len), &config, &keys, &scratch, &claims) ==
		     GW_OK,
	     "the token is not read");
	token_cache_put(cache, &digest, &config, &keys, &claims);
}

int main(void)
{
	EVP_PKEY *key = mint_key_new();
	double ns[ROWS];

	world_make(key);
	measure(ns);
	printf("what | bytes of token | ns | times the driver's rate | times OpenSSL's | times "
	       "libjwt's\n");
	for (int row = 0; row < ROWS; row++)
		printf("%s | %u | %.0f | %.2f | %.2f | %.1f\n", rows[row].name, minted.len, ns[row],
		       ns[ROW_DRIVER] / ns[row], ns[ROW_OPENSSL] / ns[row],
		       ns[ROW_LIBJWT] / ns[row]);
	peers_free(peers);
	verifier_openssl.close(verifier);
	token_cache_free(cache);
	token_cache_free(asked);
	token_refused_free(refused);
	EVP_PKEY_free(key);
	return 0;
}
