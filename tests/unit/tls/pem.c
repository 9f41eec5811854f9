/* SPDX-License-Identifier: BSD-3-Clause */
#include "pem.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

static void must(int ok)
{
	if (!ok)
		abort();
}

static void certificate_extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *made;

	if (value == NULL)
		return;
	made = X509V3_EXT_conf_nid(NULL, NULL, nid, (char *)(uintptr_t)value);
	must(made != NULL && X509_add_ext(cert, made, -1));
	X509_EXTENSION_free(made);
}

static void certificate_name(X509_NAME *subject)
{
	static unsigned int made;
	char number[16];

	must(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
					(const unsigned char *)"common.example", -1, -1, 0));
	/* clients find who has signed by the subject */
	snprintf(number, sizeof(number), "%u", ++made);
	must(X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)number,
					-1, -1, 0));
}

static void certificate_sign(X509 *cert, const struct tls_certificate *issuer)
{
	BIO *chain = BIO_new_mem_buf(issuer->chain.at, (int)issuer->chain.len),
	    *private = BIO_new_mem_buf(issuer->key.at, (int)issuer->key.len);
	X509 *above = PEM_read_bio_X509(chain, NULL, NULL, NULL);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(private, NULL, NULL, NULL);

	must(above != NULL && key != NULL);
	must(X509_set_issuer_name(cert, X509_get_subject_name(above)));
	must(X509_sign(cert, key, EVP_sha256()) > 0);
	X509_free(above);
	EVP_PKEY_free(key);
	BIO_free(chain);
	BIO_free(private);
}

static X509 *certificate_make(EVP_PKEY *key, const struct pem_wish *wish)
{
	bool usual = wish->from_s == 0 && wish->until_s == 0;
	X509 *cert = X509_new();

	must(cert != NULL);
	must(X509_set_version(cert, X509_VERSION_3));
	must(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1));
	must(X509_gmtime_adj(X509_getm_notBefore(cert), usual ? -3600 : wish->from_s) != NULL);
	must(X509_gmtime_adj(X509_getm_notAfter(cert), usual ? 86400 : wish->until_s) != NULL);
	certificate_name(X509_get_subject_name(cert));
	must(X509_set_issuer_name(cert, X509_get_subject_name(cert)));
	must(X509_set_pubkey(cert, key));
	certificate_extend(cert, NID_basic_constraints, wish->constraints);
	certificate_extend(cert, NID_ext_key_usage, wish->usage);
	certificate_extend(cert, NID_subject_alt_name, wish->names);
	if (wish->issuer != NULL)
		certificate_sign(cert, wish->issuer);
	else
		must(X509_sign(cert, key, EVP_sha256()) > 0);
	return cert;
}

static struct span taken(BIO *bio)
{
	char *text;
	long len = BIO_get_mem_data(bio, &text);
	uint8_t *copy = malloc((size_t)len);

	must(len > 0 && copy != NULL);
	memcpy(copy, text, (size_t)len);
	BIO_free(bio);
	return span_of(copy, (uint32_t)len);
}

struct tls_certificate pem_issue(const struct pem_wish *wish)
{
	EVP_PKEY *key = wish->kind == PEM_P256 ? EVP_EC_gen("P-256")
					       : EVP_RSA_gen(wish->kind == PEM_RSA ? 2048 : 1024);
	X509 *cert = certificate_make(key, wish);
	BIO *chain = BIO_new(BIO_s_mem()), *private = BIO_new(BIO_s_mem());

	must(PEM_write_bio_X509(chain, cert));
	must(PEM_write_bio_PrivateKey(private, key, NULL, NULL, 0, NULL, NULL));
	X509_free(cert);
	EVP_PKEY_free(key);
	return (struct tls_certificate){taken(chain), taken(private)};
}

struct tls_certificate pem_make(const char *names, enum pem_kind kind)
{
	return pem_issue(&(struct pem_wish){.names = names, .kind = kind});
}

void pem_free(struct tls_certificate *pem)
{
	free((void *)(uintptr_t)pem->chain.at);
	free((void *)(uintptr_t)pem->key.at);
}

struct span pem_locked(struct span key)
{
	BIO *in = BIO_new_mem_buf(key.at, (int)key.len), *out = BIO_new(BIO_s_mem());
	EVP_PKEY *read = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);

	must(PEM_write_bio_PKCS8PrivateKey(out, read, EVP_aes_128_cbc(), "phrase", 6, NULL, NULL));
	EVP_PKEY_free(read);
	BIO_free(in);
	return taken(out);
}

struct span pem_join(struct span first, struct span second)
{
	BIO *both = BIO_new(BIO_s_mem());

	must(BIO_write(both, first.at, (int)first.len) == (int)first.len);
	must(BIO_write(both, second.at, (int)second.len) == (int)second.len);
	return taken(both);
}
