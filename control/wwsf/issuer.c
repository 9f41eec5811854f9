/* SPDX-License-Identifier: BSD-3-Clause */
#include "issuer.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "writer.h"

enum {
	ISSUER_PEM_MAX = 16 * 1024,  /* bytes; a P-256 key has 227 */
	ISSUER_COORDINATE = 32,	     /* bytes of x and of y on P-256, RFC 7518 section 6.2.1.2 */
	ISSUER_COORDINATE_TEXT = 44, /* base64 of it, with its padding */
	ISSUER_JTI = 16,	     /* random bytes */
};

struct issuer {
	struct issuer_config config;
	struct file pem; /* libjwt decodes the key at each token */
	char *jwks;	 /* jansson's */
};

/** An encrypted key would make OpenSSL ask on the terminal: it gets no password instead. */
static int issuer_no_password(char *password, int size, int writing, void *unused)
{
	(void)password, (void)size, (void)writing, (void)unused;
	return -1;
}

static EVP_PKEY *issuer_key_read(struct file pem)
{
	BIO *bio = BIO_new_mem_buf(pem.text, (int)pem.len);
	EVP_PKEY *key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, issuer_no_password, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static bool issuer_key_is_p256(const EVP_PKEY *key)
{
	char group[32];

	return EVP_PKEY_is_a(key, "EC") == 1 &&
	       EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
					      NULL) == 1 &&
	       strcmp(group, SN_X9_62_prime256v1) == 0;
}

/** The standard alphabet to the one of RFC 4648 section 5, without padding. */
static void issuer_base64_to_url(char *text)
{
	text[strcspn(text, "=")] = '\0';
	for (; *text != '\0'; text++) {
		if (*text == '+')
			*text = '-';
		if (*text == '/')
			*text = '_';
	}
}

/** Writes a coordinate of the public point in base64url. param: OSSL_PKEY_PARAM_EC_PUB_X or _Y. */
static bool issuer_coordinate(const EVP_PKEY *key, const char *param,
			      char text[ISSUER_COORDINATE_TEXT + 1])
{
	unsigned char bytes[ISSUER_COORDINATE];
	BIGNUM *number = NULL;
	bool padded;

	if (EVP_PKEY_get_bn_param(key, param, &number) != 1)
		return false;
	/* RFC 7518 section 6.2.1.2: always the full length, leading zeros included */
	padded = BN_bn2binpad(number, bytes, sizeof(bytes)) == sizeof(bytes);
	BN_free(number);
	if (!padded)
		return false;
	EVP_EncodeBlock((unsigned char *)text, bytes, sizeof(bytes));
	issuer_base64_to_url(text);
	return true;
}

/** The JWKS of a P-256 key, or NULL. */
static char *issuer_jwks_write(const EVP_PKEY *key, const char *kid)
{
	char x[ISSUER_COORDINATE_TEXT + 1], y[ISSUER_COORDINATE_TEXT + 1];
	json_t *set;
	char *text;

	if (!issuer_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, x) ||
	    !issuer_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, y))
		return NULL;
	set = json_pack("{s:[{s:s,s:s,s:s,s:s,s:s,s:s,s:s}]}", "keys", "kty", "EC", "crv", "P-256",
			"x", x, "y", y, "kid", kid, "alg", "ES256", "use", "sig");
	if (set == NULL)
		return NULL;
	text = json_dumps(set, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(set);
	return text;
}

static enum gw_err issuer_key_load(struct issuer *issuer, struct reason *reason)
{
	const char *path = issuer->config.signing_key;
	EVP_PKEY *key = issuer_key_read(issuer->pem);
	enum gw_err err = GW_CONFIG;

	reason_set(reason, "%s: no unencrypted PEM private key in it", path);
	if (key == NULL)
		return GW_CONFIG;
	reason_set(reason, "%s: not a P-256 key, as ES256 needs", path);
	if (!issuer_key_is_p256(key))
		goto free_key;
	issuer->jwks = issuer_jwks_write(key, issuer->config.kid);
	reason_set(reason, "%s: cannot make a JWKS: kid is not UTF-8, or no public key", path);
	if (issuer->jwks != NULL)
		err = GW_OK;

free_key:
	EVP_PKEY_free(key);
	return err;
}

enum gw_err issuer_new(const struct issuer_config *config, struct issuer **made,
		       struct reason *reason)
{
	struct issuer *issuer = calloc(1, sizeof(*issuer));
	enum gw_err err;

	if (issuer == NULL) {
		reason_set(reason, "no memory");
		return GW_NO_MEMORY;
	}
	issuer->config = *config;
	err = file_load(config->signing_key, ISSUER_PEM_MAX, &issuer->pem, reason);
	if (err != GW_OK)
		goto free_issuer;
	err = issuer_key_load(issuer, reason);
	if (err != GW_OK)
		goto free_issuer;
	*made = issuer;
	return GW_OK;

free_issuer:
	issuer_free(issuer);
	return err;
}

void issuer_free(struct issuer *issuer)
{
	if (issuer == NULL)
		return;
	file_fini(&issuer->pem);
	free(issuer->jwks);
	free(issuer);
}

const char *issuer_jwks(const struct issuer *issuer)
{
	return issuer->jwks;
}

bool issuer_lifetime_read(struct span text, uint32_t max_s, uint32_t *lifetime_s)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		value = value * 10 + (text.at[i] - '0');
		if (value > max_s)
			return false;
	}
	if (value == 0)
		return false;
	*lifetime_s = (uint32_t)value;
	return true;
}

/** A grant that is left out when it has no value. True when there is nothing wrong. */
static bool issuer_grant(jwt_t *jwt, const char *name, const char *value)
{
	return value == NULL || value[0] == '\0' || jwt_add_grant(jwt, name, value) == 0;
}

static bool issuer_grant_jti(jwt_t *jwt)
{
	unsigned char bytes[ISSUER_JTI];
	char text[2 * ISSUER_JTI + 1];
	struct writer w;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	writer_init(&w, text, sizeof(text));
	writer_hex(&w, span_of(bytes, sizeof(bytes)));
	writer_u8(&w, '\0');
	return jwt_add_grant(jwt, "jti", text) == 0;
}

static bool issuer_fill(jwt_t *jwt, const struct issuer *issuer, const struct issuer_claims *claims)
{
	const struct issuer_config *config = &issuer->config;

	return jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)issuer->pem.text,
			   (int)issuer->pem.len) == 0 &&
	       jwt_add_header(jwt, "kid", config->kid) == 0 &&
	       issuer_grant(jwt, "iss", config->iss) && issuer_grant(jwt, "aud", config->aud) &&
	       issuer_grant(jwt, "wwsf", config->wwsf) && issuer_grant(jwt, "sub", claims->sub) &&
	       issuer_grant(jwt, "impi", claims->impi) && issuer_grant(jwt, "impu", claims->impu) &&
	       issuer_grant(jwt, "scn", claims->scn) && issuer_grant_jti(jwt) &&
	       jwt_add_grant_int(jwt, "iat", (long)claims->now_s) == 0 &&
	       jwt_add_grant_int(jwt, "exp", (long)(claims->now_s + claims->lifetime_s)) == 0;
}

enum gw_err issuer_token(const struct issuer *issuer, const struct issuer_claims *claims,
			 char **token)
{
	jwt_t *jwt = NULL;
	char *text = NULL;

	if (jwt_new(&jwt) != 0)
		return GW_NO_MEMORY;
	if (issuer_fill(jwt, issuer, claims))
		text = jwt_encode_str(jwt);
	jwt_free(jwt);
	if (text == NULL)
		return GW_SYSTEM;
	*token = text;
	return GW_OK;
}
