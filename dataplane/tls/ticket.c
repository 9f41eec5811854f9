/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/core_names.h>
#include <openssl/rand.h>

#include "libssl.h"

#define TICKET_IV 16 /* bytes, of AES-256-CBC */

/* What libssl is told: see SSL_CTX_set_tlsext_ticket_key_evp_cb(). */
enum { TICKET_ERROR = -1, TICKET_UNKNOWN = 0, TICKET_OPENED = 1, TICKET_RENEW = 2 };

const struct ticket_part *tls_ticket_keys(const struct tls_context *context)
{
	const struct ticket_part *keys = context->keys == NULL ? NULL : *context->keys;

	return keys != NULL && keys->count > 0 ? keys : NULL;
}

static bool ticket_use_hmac(EVP_MAC_CTX *mac, const struct ticket_key *key)
{
	/* OpenSSL's parameters are writable, and not written here */
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->hmac,
					sizeof(key->hmac)),
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
		OSSL_PARAM_END,
	};

	return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

static int ticket_make(const struct tls_context *context, uint8_t *name, uint8_t *iv,
		       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	const struct ticket_part *keys = tls_ticket_keys(context);

	/* accept saw some, and keys do not go away: only an error in between comes here */
	if (keys == NULL || RAND_bytes_ex(context->lib, iv, TICKET_IV, 0) != 1 ||
	    EVP_EncryptInit_ex2(cipher, context->ticket_cipher, keys->key[0].aes, iv, NULL) != 1 ||
	    !ticket_use_hmac(mac, &keys->key[0]))
		return TICKET_ERROR;
	memcpy(name, keys->key[0].name, sizeof(keys->key[0].name));
	return TICKET_OPENED;
}

static int ticket_open(SSL *ssl, const uint8_t *name, const uint8_t *iv, EVP_CIPHER_CTX *cipher,
		       EVP_MAC_CTX *mac)
{
	const struct tls_context *context = ((const struct tls *)SSL_get_app_data(ssl))->context;
	const struct ticket_part *keys = tls_ticket_keys(context);
	/* RFC 8446 appendix C.4: clients use a ticket once, so each resumption brings another */
	bool fresh = SSL_version(ssl) == TLS1_3_VERSION;
	uint32_t i = 0;

	while (keys != NULL && i < keys->count &&
	       memcmp(name, keys->key[i].name, sizeof(keys->key[i].name)) != 0)
		i++;
	if (keys == NULL || i == keys->count)
		return TICKET_UNKNOWN;
	if (EVP_DecryptInit_ex2(cipher, context->ticket_cipher, keys->key[i].aes, iv, NULL) != 1 ||
	    !ticket_use_hmac(mac, &keys->key[i]))
		return TICKET_ERROR;
	return i == 0 && !fresh ? TICKET_OPENED : TICKET_RENEW;
}

int tls_ticket_key(SSL *ssl, uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
		   int making)
{
	const struct tls *tls = SSL_get_app_data(ssl);

	if (making)
		return ticket_make(tls->context, name, iv, cipher, mac);
	return ticket_open(ssl, name, iv, cipher, mac);
}
