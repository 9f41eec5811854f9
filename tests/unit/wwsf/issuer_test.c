/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"

#include <stdio.h>
#include <unistd.h>

#include <jansson.h>
#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "issuer.h"

enum { NOW_S = 1795167000, COORDINATE = 32 };

/** A fresh key in a file of its own. */
struct key {
	char path[64];
	char *public_pem;
	EVP_PKEY *key;
};

static char *public_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long n;

	EXPECT_EQ(1, PEM_write_bio_PUBKEY(bio, key));
	n = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)n);
	BIO_free(bio);
	return copy;
}

static void key_make(struct key *key, const char *group, const char *password)
{
	FILE *file;
	int fd;

	snprintf(key->path, sizeof(key->path), "/tmp/wwsf-key.XXXXXX");
	fd = mkstemp(key->path);
	EXPECT(fd >= 0);
	key->key = EVP_EC_gen(group);
	EXPECT(key->key != NULL);
	file = fdopen(fd, "w");
	EXPECT_EQ(1,
		  PEM_write_PrivateKey(file, key->key, password == NULL ? NULL : EVP_aes_128_cbc(),
				       (const unsigned char *)password,
				       password == NULL ? 0 : (int)strlen(password), NULL, NULL));
	fclose(file);
	key->public_pem = public_pem(key->key);
}

static void key_remove(struct key *key)
{
	EXPECT_EQ(0, unlink(key->path));
	free(key->public_pem);
	EVP_PKEY_free(key->key);
}

static struct issuer *issuer_of(const struct key *key, const char *wwsf)
{
	const struct issuer_config config = {key->path, "waf-1", "https://waf.shop.example",
					     "sip:ep1.home1.net", wwsf};
	struct reason reason = {""};
	struct issuer *issuer = NULL;

	EXPECT_EQ(GW_OK, issuer_new(&config, &issuer, &reason));
	return issuer;
}

static char *token_of(const struct issuer *issuer, const char *impi)
{
	const struct issuer_claims claims = {
		.sub = "web-pool0042",
		.impi = impi,
		.impu = "sip:pool0042@home1.net",
		.now_s = NOW_S,
		.lifetime_s = 600,
		.scn = impi == NULL || impi[0] == '\0' ? NULL : "pool",
	};
	char *token = NULL;

	EXPECT_EQ(GW_OK, issuer_token(issuer, &claims, &token));
	return token;
}

/** What libjwt makes of a token, its signature checked; NULL when it refuses. */
static jwt_t *decoded(const char *token, const struct key *key)
{
	jwt_t *jwt = NULL;

	if (jwt_decode(&jwt, token, (const unsigned char *)key->public_pem,
		       (int)strlen(key->public_pem)) != 0)
		return NULL;
	return jwt;
}

TEST(issuer, signs_a_token_that_libjwt_verifies_and_reads)
{
	struct key key;
	struct issuer *issuer;
	char *token;
	jwt_t *jwt;

	key_make(&key, "P-256", NULL);
	issuer = issuer_of(&key, "shop");
	token = token_of(issuer, "pool0042@ims.home1.net");
	jwt = decoded(token, &key);
	EXPECT(jwt != NULL);
	EXPECT_EQ(JWT_ALG_ES256, jwt_get_alg(jwt));
	EXPECT_TEXT("JWT", jwt_get_header(jwt, "typ"));
	EXPECT_TEXT("waf-1", jwt_get_header(jwt, "kid"));
	EXPECT_TEXT("https://waf.shop.example", jwt_get_grant(jwt, "iss"));
	EXPECT_TEXT("sip:ep1.home1.net", jwt_get_grant(jwt, "aud"));
	EXPECT_TEXT("shop", jwt_get_grant(jwt, "wwsf"));
	EXPECT_TEXT("web-pool0042", jwt_get_grant(jwt, "sub"));
	EXPECT_TEXT("pool0042@ims.home1.net", jwt_get_grant(jwt, "impi"));
	EXPECT_TEXT("sip:pool0042@home1.net", jwt_get_grant(jwt, "impu"));
	EXPECT_TEXT("pool", jwt_get_grant(jwt, "scn"));
	EXPECT_EQ(NOW_S, jwt_get_grant_int(jwt, "iat"));
	EXPECT_EQ(NOW_S + 600, jwt_get_grant_int(jwt, "exp"));
	jwt_free(jwt);
	free(token);
	issuer_free(issuer);
	key_remove(&key);
}

TEST(issuer, leaves_out_claims_without_a_value)
{
	struct key key;
	struct issuer *issuer;
	char *token;
	jwt_t *jwt;

	key_make(&key, "P-256", NULL);
	issuer = issuer_of(&key, NULL);
	token = token_of(issuer, "");
	jwt = decoded(token, &key);
	EXPECT(jwt != NULL);
	EXPECT(jwt_get_grant(jwt, "wwsf") == NULL);
	EXPECT(jwt_get_grant(jwt, "impi") == NULL);
	EXPECT(jwt_get_grant(jwt, "scn") == NULL);
	jwt_free(jwt);
	free(token);
	issuer_free(issuer);
	key_remove(&key);
}

TEST(issuer, gives_every_token_its_own_jti_of_128_bits)
{
	struct key key;
	struct issuer *issuer;
	char *token[2];
	jwt_t *jwt[2];

	key_make(&key, "P-256", NULL);
	issuer = issuer_of(&key, NULL);
	for (int i = 0; i < 2; i++) {
		token[i] = token_of(issuer, NULL);
		jwt[i] = decoded(token[i], &key);
		EXPECT(jwt[i] != NULL);
		EXPECT_EQ(32, strlen(jwt_get_grant(jwt[i], "jti")));
	}
	EXPECT(strcmp(jwt_get_grant(jwt[0], "jti"), jwt_get_grant(jwt[1], "jti")) != 0);
	for (int i = 0; i < 2; i++) {
		jwt_free(jwt[i]);
		free(token[i]);
	}
	issuer_free(issuer);
	key_remove(&key);
}

/** The bytes of base64url without padding, 43 characters for a coordinate. */
static void coordinate_read(const char *text, unsigned char bytes[COORDINATE])
{
	unsigned char padded[48];
	char standard[45] = {0};

	EXPECT_EQ(43, strlen(text));
	for (int i = 0; i < 43; i++)
		standard[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	standard[43] = '=';
	EXPECT_EQ(33, EVP_DecodeBlock(padded, (const unsigned char *)standard, 44));
	memcpy(bytes, padded, COORDINATE);
}

/** Builds a public key of nothing but the x and y of a JWK. */
static EVP_PKEY *key_of_jwk(const json_t *jwk)
{
	unsigned char point[1 + 2 * COORDINATE] = {0x04}; /* uncompressed, SEC 1 section 2.3.3 */
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;

	coordinate_read(json_string_value(json_object_get(jwk, "x")), point + 1);
	coordinate_read(json_string_value(json_object_get(jwk, "y")), point + 1 + COORDINATE);
	OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
	OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
	params = OSSL_PARAM_BLD_to_param(build);
	EXPECT_EQ(1, EVP_PKEY_fromdata_init(context));
	EXPECT_EQ(1, EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params));
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(context);
	return key;
}

/** The JWKS of the issuer, checked but for its numbers. Borrowed from *set. */
static const json_t *jwk_of(const struct issuer *issuer, json_t **set)
{
	const json_t *jwk;

	*set = json_loads(issuer_jwks(issuer), JSON_REJECT_DUPLICATES, NULL);
	EXPECT(*set != NULL);
	EXPECT_EQ(1, json_array_size(json_object_get(*set, "keys")));
	jwk = json_array_get(json_object_get(*set, "keys"), 0);
	EXPECT_EQ(7, json_object_size(jwk)); /* and so no private member */
	EXPECT_TEXT("EC", json_string_value(json_object_get(jwk, "kty")));
	EXPECT_TEXT("P-256", json_string_value(json_object_get(jwk, "crv")));
	EXPECT_TEXT("waf-1", json_string_value(json_object_get(jwk, "kid")));
	EXPECT_TEXT("ES256", json_string_value(json_object_get(jwk, "alg")));
	EXPECT_TEXT("sig", json_string_value(json_object_get(jwk, "use")));
	return jwk;
}

/* 600 keys: about five of them have a coordinate with a leading zero byte, which must not be
 * dropped. */
TEST(issuer, publishes_the_key_it_signs_with)
{
	for (int i = 0; i < 600; i++) {
		struct key key;
		struct issuer *issuer;
		EVP_PKEY *published;
		json_t *set;

		key_make(&key, "P-256", NULL);
		issuer = issuer_of(&key, NULL);
		published = key_of_jwk(jwk_of(issuer, &set));
		EXPECT_EQ(1, EVP_PKEY_eq(key.key, published));
		EVP_PKEY_free(published);
		json_decref(set);
		issuer_free(issuer);
		key_remove(&key);
	}
}

TEST(issuer, signs_what_the_published_key_verifies)
{
	struct key key, published = {.path = ""};
	struct issuer *issuer;
	char *token;
	json_t *set;
	jwt_t *jwt;

	key_make(&key, "P-256", NULL);
	issuer = issuer_of(&key, NULL);
	token = token_of(issuer, NULL);
	published.key = key_of_jwk(jwk_of(issuer, &set));
	published.public_pem = public_pem(published.key);
	jwt = decoded(token, &published);
	EXPECT(jwt != NULL);
	jwt_free(jwt);
	EVP_PKEY_free(published.key);
	free(published.public_pem);
	json_decref(set);
	free(token);
	issuer_free(issuer);
	key_remove(&key);
}

TEST(issuer, signs_nothing_that_another_key_verifies)
{
	struct key key, other;
	struct issuer *issuer;
	char *token;

	key_make(&key, "P-256", NULL);
	key_make(&other, "P-256", NULL);
	issuer = issuer_of(&key, NULL);
	token = token_of(issuer, NULL);
	EXPECT(decoded(token, &other) == NULL);
	free(token);
	issuer_free(issuer);
	key_remove(&other);
	key_remove(&key);
}

static void expect_key_refused(const struct key *key, const char *why)
{
	const struct issuer_config config = {key->path, "waf-1", "i", "a", NULL};
	struct reason reason = {""};
	struct issuer *issuer;

	EXPECT_EQ(GW_CONFIG, issuer_new(&config, &issuer, &reason));
	EXPECT(strstr(reason.text, key->path) == reason.text);
	EXPECT(strstr(reason.text, why) != NULL);
}

TEST(issuer, refuses_a_key_on_another_curve)
{
	struct key key;

	key_make(&key, "P-384", NULL);
	expect_key_refused(&key, "not a P-256 key");
	key_remove(&key);
}

TEST(issuer, refuses_an_encrypted_key_without_asking)
{
	struct key key;

	key_make(&key, "P-256", "secret");
	expect_key_refused(&key, "no unencrypted PEM private key");
	key_remove(&key);
}

TEST(issuer, refuses_a_file_without_a_private_key)
{
	struct key key;
	FILE *file;

	key_make(&key, "P-256", NULL);
	file = fopen(key.path, "w");
	fputs(key.public_pem, file);
	fclose(file);
	expect_key_refused(&key, "no unencrypted PEM private key");
	key_remove(&key);
}

TEST(issuer, names_a_key_file_that_is_not_there)
{
	const struct issuer_config config = {"/nonexistent.pem", "waf-1", "i", "a", NULL};
	struct reason reason = {""};
	struct issuer *issuer;

	EXPECT_EQ(GW_SYSTEM, issuer_new(&config, &issuer, &reason));
	EXPECT_TEXT("/nonexistent.pem: No such file or directory", reason.text);
}

TEST_MAIN("wwsf_issuer", RUN(issuer, signs_a_token_that_libjwt_verifies_and_reads),
	  RUN(issuer, leaves_out_claims_without_a_value),
	  RUN(issuer, gives_every_token_its_own_jti_of_128_bits),
	  RUN(issuer, publishes_the_key_it_signs_with),
	  RUN(issuer, signs_what_the_published_key_verifies),
	  RUN(issuer, signs_nothing_that_another_key_verifies),
	  RUN(issuer, refuses_a_key_on_another_curve),
	  RUN(issuer, refuses_an_encrypted_key_without_asking),
	  RUN(issuer, refuses_a_file_without_a_private_key),
	  RUN(issuer, names_a_key_file_that_is_not_there))
