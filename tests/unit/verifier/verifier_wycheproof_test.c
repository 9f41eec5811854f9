/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>
#include <stdio.h>

#include "test.h"
#include "verifier.h"

/*
 * The verdicts of C2SP/wycheproof (tests/vectors/wycheproof), asked of the table VERIFIER. What is
 * merely acceptable has to be refused, and so has every signature of an encoding or a hash that is
 * not the algorithm's, however valid.
 */

/** Whose verdicts a file has: those of the algorithm, or those of one that is not ours. */
enum file_kind { FILE_OF_ALGORITHM, FILE_FOREIGN };

struct file {
	const char *name;
	enum jws_alg alg; /* asked for */
	enum file_kind kind;
	int ours; /* FILE_FOREIGN: the tcId that the file refuses because it is of alg; 0: none */
};

static const struct verifier_ops *const ops = &VERIFIER;
static struct verifier *verifier;
static uint32_t next_key_id = 1;

static int driver_open(void **state)
{
	const struct verifier_config config = {.depth = 1};

	return ops->open(&config, &verifier) == GW_OK ? 0 : -1;
}

static int driver_close(void **state)
{
	ops->close(verifier);
	return 0;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	assert_non_null(text);
	return text;
}

/* Writes the bytes that hex says; how many. More than room is a wrong vector file. */
static uint32_t hex_read(const char *hex, uint8_t *to, size_t room)
{
	size_t n = strlen(hex) / 2;
	unsigned int byte;

	EXPECT(n <= room);
	for (size_t i = 0; i < n; i++) {
		EXPECT_EQ(1, sscanf(hex + 2 * i, "%2x", &byte));
		to[i] = (uint8_t)byte;
	}
	return (uint32_t)n;
}

/* A group's public key. Wycheproof writes numbers with a leading zero where DER would. */
static void key_read(const json_t *group, enum jws_alg alg, struct verify_key *key)
{
	const json_t *public_key = json_object_get(group, "publicKey");
	const char *modulus;

	*key = (struct verify_key){.alg = alg, .id = next_key_id++};
	if (alg == JWS_ES256 || alg == JWS_ES384) {
		key->len = hex_read(text_of(public_key, "uncompressed"), key->material,
				    VERIFY_KEY_MAX);
	} else if (alg == JWS_EDDSA) {
		key->len = hex_read(text_of(public_key, "pk"), key->material, VERIFY_KEY_MAX);
	} else {
		modulus = text_of(public_key, "modulus");
		key->modulus = hex_read(modulus + (modulus[0] == '0' ? 2 : 0), key->material,
					VERIFY_KEY_MAX);
		key->len = key->modulus + hex_read(text_of(public_key, "publicExponent"),
						   key->material + key->modulus,
						   VERIFY_KEY_MAX - key->modulus);
	}
}

static enum gw_err verdict(const json_t *test, const struct verify_key *key)
{
	static struct verify_job job;
	struct verify_job *one = &job, *done = NULL;
	const char *signature = text_of(test, "sig");

	job = (struct verify_job){.key = *key};
	job.text_len = hex_read(text_of(test, "msg"), job.text, sizeof(job.text));
	if (strlen(signature) / 2 > sizeof(job.signature))
		return GW_TOKEN_SIGNATURE; /* no job can carry it */
	job.signature_len = hex_read(signature, job.signature, sizeof(job.signature));
	EXPECT_EQ(1, ops->submit(verifier, &one, 1));
	while (ops->poll(verifier, &done, 1) == 0)
		;
	return done->verdict;
}

/* RFC 8725 section 3.5 and PROTOCOL 12.1: an RSA exponent below 65537 makes no key of ours. */
static bool is_weak(const struct verify_key *key)
{
	return key->modulus > 0 && key->len < key->modulus + 3;
}

static long long id_of(const json_t *test)
{
	return json_integer_value(json_object_get(test, "tcId"));
}

/* What a driver has to say of a test. */
static enum gw_err expected(const struct file *file, const json_t *test,
			    const struct verify_key *key)
{
	bool good = file->kind == FILE_FOREIGN ? id_of(test) == file->ours
					       : strcmp(text_of(test, "result"), "valid") == 0;

	if (is_weak(key))
		return GW_VERIFIER_FAILED;
	return good ? GW_OK : GW_TOKEN_SIGNATURE;
}

static void group_check(const struct file *file, const json_t *group, size_t *checked)
{
	struct verify_key key;
	const json_t *test;
	size_t i;

	key_read(group, file->alg, &key);
	json_array_foreach(json_object_get(group, "tests"), i, test)
	{
		if (verdict(test, &key) != expected(file, test, &key))
			fail_msg("%s, tcId %lld: %s", file->name, id_of(test),
				 text_of(test, "comment"));
		(*checked)++;
	}
}

static void file_check(const struct file *file)
{
	char path[1024];
	json_error_t error;
	size_t checked = 0, i;
	json_t *root;
	const json_t *group;

	if (!ops->can(verifier, file->alg))
		return;
	snprintf(path, sizeof(path), "%s/wycheproof/%s_test.json", VECTORS, file->name);
	root = json_load_file(path, 0, &error);
	assert_non_null(root);
	json_array_foreach(json_object_get(root, "testGroups"), i, group)
		group_check(file, group, &checked);
	EXPECT(checked > 0);
	EXPECT_EQ(json_integer_value(json_object_get(root, "numberOfTests")), checked);
	json_decref(root);
}

TEST(wycheproof, es256_verdicts_agree)
{
	EXPECT(ops->can(verifier, JWS_ES256));
	file_check(&(struct file){"ecdsa_secp256r1_sha256_p1363", JWS_ES256, FILE_OF_ALGORITHM, 0});
}

TEST(wycheproof, es384_verdicts_agree)
{
	file_check(&(struct file){"ecdsa_secp384r1_sha384_p1363", JWS_ES384, FILE_OF_ALGORITHM, 0});
}

TEST(wycheproof, rs256_verdicts_agree)
{
	file_check(&(struct file){"rsa_signature_2048_sha256", JWS_RS256, FILE_OF_ALGORITHM, 0});
}

TEST(wycheproof, ps256_verdicts_agree)
{
	file_check(&(struct file){"rsa_pss_2048_sha256_mgf1_32", JWS_PS256, FILE_OF_ALGORITHM, 0});
}

TEST(wycheproof, eddsa_verdicts_agree)
{
	file_check(&(struct file){"ed25519", JWS_EDDSA, FILE_OF_ALGORITHM, 0});
}

TEST(wycheproof, es256_in_der_is_refused)
{
	file_check(&(struct file){"ecdsa_secp256r1_sha256", JWS_ES256, FILE_FOREIGN, 0});
}

TEST(wycheproof, rs256_over_another_hash_is_refused)
{
	file_check(&(struct file){"rsa_signature_3072_sha384", JWS_RS256, FILE_FOREIGN, 222});
}

TEST(wycheproof, ps256_padded_as_rs256_is_refused)
{
	file_check(&(struct file){"rsa_signature_2048_sha256", JWS_PS256, FILE_FOREIGN, 257});
}

TEST(wycheproof, rs256_padded_as_ps256_is_refused)
{
	file_check(&(struct file){"rsa_pss_2048_sha256_mgf1_32", JWS_RS256, FILE_FOREIGN, 108});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(wycheproof, es256_verdicts_agree),
		RUN(wycheproof, es384_verdicts_agree),
		RUN(wycheproof, rs256_verdicts_agree),
		RUN(wycheproof, ps256_verdicts_agree),
		RUN(wycheproof, eddsa_verdicts_agree),
		RUN(wycheproof, es256_in_der_is_refused),
		RUN(wycheproof, rs256_over_another_hash_is_refused),
		RUN(wycheproof, ps256_padded_as_rs256_is_refused),
		RUN(wycheproof, rs256_padded_as_ps256_is_refused),
	};

	return cmocka_run_group_tests_name("wycheproof", tests, driver_open, driver_close);
}
