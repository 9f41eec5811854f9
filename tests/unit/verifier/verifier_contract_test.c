/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>

#include "test.h"
#include "signer.h"

/*
 * What every verifier driver has to do. Built once for each ops table: VERIFIER is the table. An
 * algorithm the driver cannot do is not asked of it, but ES256 it has to do.
 */

#define DEPTH 4
#define RSA_BITS 2048

static const struct verifier_ops *const ops = &VERIFIER;
static struct verifier *verifier;
static struct signer signers[JWS_ALG_COUNT], strangers[JWS_ALG_COUNT];
static struct verify_job jobs[DEPTH + 2];

static int driver_open(void **state)
{
	const struct verifier_config config = {.worker = 0, .depth = DEPTH};

	for (uint32_t alg = 0; alg < JWS_ALG_COUNT; alg++) {
		signer_init(&signers[alg], (enum jws_alg)alg, 1 + alg, RSA_BITS);
		signer_init(&strangers[alg], (enum jws_alg)alg, 101 + alg, RSA_BITS);
	}
	return ops->open(&config, &verifier) == GW_OK ? 0 : -1;
}

static int driver_close(void **state)
{
	ops->close(verifier);
	for (uint32_t alg = 0; alg < JWS_ALG_COUNT; alg++) {
		signer_fini(&signers[alg]);
		signer_fini(&strangers[alg]);
	}
	return 0;
}

/* Submits one job and polls until it is back. */
static enum gw_err verdict(struct verify_job *job)
{
	struct verify_job *one = job, *done = NULL;

	EXPECT_EQ(1, ops->submit(verifier, &one, 1));
	while (ops->poll(verifier, &done, 1) == 0)
		;
	EXPECT(done == job);
	return job->verdict;
}

/* Calls check for every algorithm of the driver. */
static void each_algorithm(void (*check)(enum jws_alg alg))
{
	for (uint32_t alg = 0; alg < JWS_ALG_COUNT; alg++)
		if (ops->can(verifier, (enum jws_alg)alg))
			check((enum jws_alg)alg);
}

TEST(verifier, can_do_es256)
{
	EXPECT(ops->name[0] != '\0');
	EXPECT(ops->can(verifier, JWS_ES256));
}

#define OPENSSL_DOES_ALL (strcmp(ops->name, "openssl") == 0)

TEST(verifier, openssl_can_do_every_algorithm)
{
	for (uint32_t alg = 0; alg < JWS_ALG_COUNT && OPENSSL_DOES_ALL; alg++)
		EXPECT(ops->can(verifier, (enum jws_alg)alg));
}

static void good_check(enum jws_alg alg)
{
	signer_job(&signers[alg], "header.payload", &jobs[0]);
	EXPECT_EQ(GW_OK, verdict(&jobs[0]));
	signer_job(&signers[alg], "", &jobs[0]);
	EXPECT_EQ(GW_OK, verdict(&jobs[0]));
}

TEST(verifier, finds_a_good_signature_good)
{
	each_algorithm(good_check);
}

static void text_check(enum jws_alg alg)
{
	signer_job(&signers[alg], "header.payload", &jobs[0]);
	jobs[0].text[13] ^= 1;
	EXPECT_EQ(GW_TOKEN_SIGNATURE, verdict(&jobs[0]));
	jobs[0].text[13] ^= 1;
	jobs[0].text_len--;
	EXPECT_EQ(GW_TOKEN_SIGNATURE, verdict(&jobs[0]));
}

TEST(verifier, refuses_another_text)
{
	each_algorithm(text_check);
}

static void bits_check(enum jws_alg alg)
{
	signer_job(&signers[alg], "header.payload", &jobs[0]);
	for (uint32_t i = 0; i < jobs[0].signature_len; i++) {
		jobs[0].signature[i] ^= (uint8_t)(1u << i % 8);
		EXPECT_EQ(GW_TOKEN_SIGNATURE, verdict(&jobs[0]));
		jobs[0].signature[i] ^= (uint8_t)(1u << i % 8);
	}
	EXPECT_EQ(GW_OK, verdict(&jobs[0]));
}

TEST(verifier, refuses_a_signature_with_a_flipped_bit)
{
	each_algorithm(bits_check);
}

static void length_check(enum jws_alg alg)
{
	signer_job(&signers[alg], "header.payload", &jobs[0]);
	jobs[0].signature_len--;
	EXPECT_EQ(GW_TOKEN_SIGNATURE, verdict(&jobs[0]));
	jobs[0].signature_len += 2;
	EXPECT_EQ(GW_TOKEN_SIGNATURE, verdict(&jobs[0]));
	jobs[0].signature_len = 0;
	EXPECT_EQ(GW_TOKEN_SIGNATURE, verdict(&jobs[0]));
}

TEST(verifier, refuses_a_signature_of_the_wrong_length)
{
	each_algorithm(length_check);
}

static void stranger_check(enum jws_alg alg)
{
	for (int turn = 0; turn < 2; turn++) {
		signer_job(&signers[alg], "header.payload", &jobs[0]);
		EXPECT_EQ(GW_OK, verdict(&jobs[0]));
		jobs[0].key = strangers[alg].key;
		EXPECT_EQ(GW_TOKEN_SIGNATURE, verdict(&jobs[0]));
		signer_job(&strangers[alg], "header.payload", &jobs[0]);
		EXPECT_EQ(GW_OK, verdict(&jobs[0]));
	}
}

TEST(verifier, keeps_keys_apart_that_take_turns)
{
	each_algorithm(stranger_check);
}

TEST(verifier, refuses_r_or_s_outside_the_group)
{
	/* The order of P-256 (SEC 2 section 2.4.2). */
	static const uint8_t order[32] = {
		0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
		0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
	};

	for (uint32_t half = 0; half < 2; half++) {
		signer_job(&signers[JWS_ES256], "header.payload", &jobs[0]);
		memset(jobs[0].signature + 32 * half, 0, 32);
		EXPECT_EQ(GW_TOKEN_SIGNATURE, verdict(&jobs[0]));
		memcpy(jobs[0].signature + 32 * half, order, 32);
		EXPECT_EQ(GW_TOKEN_SIGNATURE, verdict(&jobs[0]));
	}
	memset(jobs[0].signature, 0, 64); /* CVE-2022-21449 */
	EXPECT_EQ(GW_TOKEN_SIGNATURE, verdict(&jobs[0]));
}

TEST(verifier, has_no_verdict_for_a_point_off_its_curve)
{
	signer_job(&signers[JWS_ES256], "header.payload", &jobs[0]);
	jobs[0].key.id = 201;
	jobs[0].key.material[64] ^= 1;
	EXPECT_EQ(GW_VERIFIER_FAILED, verdict(&jobs[0]));
	jobs[0].key.len = 33;
	EXPECT_EQ(GW_VERIFIER_FAILED, verdict(&jobs[0]));
}

TEST(verifier, has_no_verdict_for_a_weak_rsa_key)
{
	struct signer weak;

	if (!ops->can(verifier, JWS_RS256))
		return;
	signer_init(&weak, JWS_RS256, 202, 1024);
	signer_job(&weak, "header.payload", &jobs[0]);
	EXPECT_EQ(GW_VERIFIER_FAILED, verdict(&jobs[0]));
	signer_fini(&weak);
	signer_job(&signers[JWS_RS256], "header.payload", &jobs[0]);
	jobs[0].key.id = 203;
	jobs[0].key.len = jobs[0].key.modulus + 1;
	jobs[0].key.material[jobs[0].key.modulus] = 3;
	EXPECT_EQ(GW_VERIFIER_FAILED, verdict(&jobs[0]));
}

TEST(verifier, knows_a_key_again_after_many_others)
{
	struct signer many;

	signer_job(&signers[JWS_ES256], "header.payload", &jobs[0]);
	EXPECT_EQ(GW_OK, verdict(&jobs[0]));
	for (uint32_t i = 0; i < 200; i++) {
		signer_init(&many, JWS_ES256, 1000 + i, 0);
		signer_job(&many, "header.payload", &jobs[1]);
		EXPECT_EQ(GW_OK, verdict(&jobs[1]));
		signer_fini(&many);
	}
	EXPECT_EQ(GW_OK, verdict(&jobs[0]));
}

TEST(verifier, takes_no_more_than_its_depth_and_gives_each_back_once)
{
	struct verify_job *in[DEPTH + 2], *out[DEPTH + 2];
	uint32_t seen = 0, back = 0;

	for (uint32_t i = 0; i < DEPTH + 2; i++) {
		signer_job(&signers[JWS_ES256], "header.payload", &jobs[i]);
		jobs[i].text[0] ^= (uint8_t)(i % 2); /* every other one is bad */
		in[i] = &jobs[i];
	}
	EXPECT_EQ(DEPTH, ops->submit(verifier, in, DEPTH + 2));
	while (back < DEPTH) {
		uint16_t n = ops->poll(verifier, out, 1 + back % 3);

		for (uint16_t i = 0; i < n; i++) {
			uint32_t which = (uint32_t)(out[i] - jobs);

			EXPECT((seen & 1u << which) == 0);
			seen |= 1u << which;
			EXPECT_EQ(which % 2 == 0 ? GW_OK : GW_TOKEN_SIGNATURE, out[i]->verdict);
		}
		back += n;
	}
	EXPECT_EQ((1u << DEPTH) - 1, seen);
	EXPECT_EQ(0, ops->poll(verifier, out, DEPTH));
	EXPECT_EQ(1, ops->submit(verifier, in, 1)); /* room again */
	while (ops->poll(verifier, out, 1) == 0)
		;
}

TEST(verifier, leaves_the_threads_error_queue_alone)
{
	ERR_clear_error();
	signer_job(&signers[JWS_ES256], "header.payload", &jobs[0]);
	jobs[0].signature[0] ^= 1;
	EXPECT_EQ(GW_TOKEN_SIGNATURE, verdict(&jobs[0]));
	jobs[0].key.id = 204;
	jobs[0].key.material[64] ^= 1;
	EXPECT_EQ(GW_VERIFIER_FAILED, verdict(&jobs[0]));
	EXPECT_EQ(0, ERR_peek_error());
}

TEST(verifier, closes_with_jobs_under_way)
{
	const struct verifier_config config = {.depth = DEPTH};
	struct verifier *other;
	struct verify_job *one = &jobs[0];

	EXPECT_EQ(GW_OK, ops->open(&config, &other));
	signer_job(&signers[JWS_ES256], "header.payload", &jobs[0]);
	EXPECT_EQ(1, ops->submit(other, &one, 1));
	ops->close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(verifier, can_do_es256),
		RUN(verifier, openssl_can_do_every_algorithm),
		RUN(verifier, finds_a_good_signature_good),
		RUN(verifier, refuses_another_text),
		RUN(verifier, refuses_a_signature_with_a_flipped_bit),
		RUN(verifier, refuses_a_signature_of_the_wrong_length),
		RUN(verifier, keeps_keys_apart_that_take_turns),
		RUN(verifier, refuses_r_or_s_outside_the_group),
		RUN(verifier, has_no_verdict_for_a_point_off_its_curve),
		RUN(verifier, has_no_verdict_for_a_weak_rsa_key),
		RUN(verifier, knows_a_key_again_after_many_others),
		RUN(verifier, takes_no_more_than_its_depth_and_gives_each_back_once),
		RUN(verifier, leaves_the_threads_error_queue_alone),
		RUN(verifier, closes_with_jobs_under_way),
	};

	return cmocka_run_group_tests_name("verifier", tests, driver_open, driver_close);
}
