/* SPDX-License-Identifier: BSD-3-Clause */
#include "certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

/** No one is there to be asked for a passphrase. */
static int certificate_no_passphrase(char *text, int size, int writing, void *context)
{
	return 0;
}

static const char *certificate_check_pair(FILE *certificate, FILE *key)
{
	X509 *leaf = PEM_read_X509(certificate, NULL, certificate_no_passphrase, NULL);
	EVP_PKEY *private = PEM_read_PrivateKey(key, NULL, certificate_no_passphrase, NULL);
	const char *why = NULL;

	if (leaf == NULL)
		why = "certificate is not a PEM certificate";
	else if (private == NULL)
		why = "key is not a PEM private key without passphrase";
	else if (X509_check_private_key(leaf, private) != 1)
		why = "key does not belong to the certificate";
	EVP_PKEY_free(private);
	X509_free(leaf);
	ERR_clear_error();
	return why;
}

const char *certificate_check(const char *certificate, const char *key)
{
	FILE *leaf = fopen(certificate, "re"), *private = fopen(key, "re");
	const char *why;

	if (private != NULL)
		setvbuf(private, NULL, _IONBF, 0); /* no copy of the key stays in a buffer */
	if (leaf == NULL)
		why = "certificate cannot be read";
	else if (private == NULL)
		why = "key cannot be read";
	else
		why = certificate_check_pair(leaf, private);
	if (private != NULL)
		fclose(private);
	if (leaf != NULL)
		fclose(leaf);
	return why;
}
