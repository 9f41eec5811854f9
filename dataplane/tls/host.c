/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "libssl.h"

static enum gw_err host_refuse(struct tls_fault *fault, int of, uint32_t i, const char *why)
{
	fault->of = of;
	fault->certificate = i;
	snprintf(fault->why, sizeof(fault->why), "%s", why);
	ERR_clear_error();
	return GW_CONFIG;
}

/* ---- names ---------------------------------------------------------------------------------- */

static void names_fini(struct tls_names *names)
{
	for (uint32_t i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct tls_names){0};
}

static int names_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/** NULL for what no server name can be equal to: it would hide what stands behind a NUL. */
static char *name_copy(struct span text)
{
	char *copy = text.len > 0 && text.len <= TLS_NAME_MAX ? malloc(text.len + 1) : NULL;

	for (uint32_t i = 0; copy != NULL && i < text.len; i++) {
		copy[i] = (char)ascii_lower(text.at[i]);
		if (copy[i] <= ' ' || copy[i] > '~') {
			free(copy);
			return NULL;
		}
	}
	if (copy != NULL)
		copy[text.len] = '\0';
	return copy;
}

static void names_add(struct tls_names *names, const GENERAL_NAME *general)
{
	const ASN1_STRING *text;
	char *copy;

	if (general->type != GEN_DNS)
		return;
	text = general->d.dNSName;
	copy = name_copy(span_of(ASN1_STRING_get0_data(text), (uint32_t)ASN1_STRING_length(text)));
	if (copy != NULL)
		names->name[names->count++] = copy;
}

/** A certificate for addresses only has none, and serves who names no server. */
static bool names_read(const X509 *leaf, struct tls_names *names)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	int count = all == NULL ? 0 : sk_GENERAL_NAME_num(all);

	names->name = calloc((size_t)count + 1, sizeof(char *));
	for (int i = 0; names->name != NULL && i < count; i++)
		names_add(names, sk_GENERAL_NAME_value(all, i));
	GENERAL_NAMES_free(all);
	if (names->name == NULL)
		return false;
	qsort(names->name, names->count, sizeof(char *), names_order);
	return true;
}

bool tls_names_equal(const struct tls_names *a, const struct tls_names *b)
{
	uint32_t i = 0;

	if (a->count != b->count)
		return false;
	while (i < a->count && strcmp(a->name[i], b->name[i]) == 0)
		i++;
	return i == a->count;
}

/* ---- certificates --------------------------------------------------------------------------- */

/* A key with a pass phrase is refused; the default would ask at the terminal. */
static int leaf_no_phrase(char *to, int room, int writing, void *unused)
{
	return -1;
}

static X509 *leaf_next(OSSL_LIB_CTX *lib, BIO *pem)
{
	X509 *read = X509_new_ex(lib, NULL);

	if (read != NULL && PEM_read_bio_X509(pem, &read, leaf_no_phrase, NULL) == NULL) {
		X509_free(read);
		return NULL;
	}
	return read;
}

static bool leaf_at_end(void)
{
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static bool leaf_read_chain(OSSL_LIB_CTX *lib, struct span pem, struct tls_leaf *read)
{
	BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
	X509 *next;

	ERR_clear_error();
	read->chain = sk_X509_new_null();
	read->leaf = bio == NULL ? NULL : leaf_next(lib, bio);
	if (read->chain == NULL || read->leaf == NULL) {
		BIO_free(bio);
		return false;
	}
	while ((next = leaf_next(lib, bio)) != NULL)
		if (sk_X509_push(read->chain, next) == 0)
			X509_free(next);
	BIO_free(bio);
	return leaf_at_end();
}

static bool leaf_read_key(OSSL_LIB_CTX *lib, struct span pem, struct tls_leaf *read)
{
	BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);

	ERR_clear_error();
	if (bio != NULL)
		read->key = PEM_read_bio_PrivateKey_ex(bio, NULL, leaf_no_phrase, NULL, lib, NULL);
	BIO_free(bio);
	return read->key != NULL;
}

enum gw_err tls_leaf_read(OSSL_LIB_CTX *lib, const struct tls_config *config, uint32_t i,
			  struct tls_leaf *read, struct tls_fault *fault)
{
	const struct tls_certificate *row = &config->certificate[i];

	*read = (struct tls_leaf){0};
	if (!leaf_read_chain(lib, row->chain, read))
		return host_refuse(fault, TLS_FAULT_CERTIFICATE, i,
				   "certificate is not a chain of PEM certificates");
	if (!leaf_read_key(lib, row->key, read))
		return host_refuse(fault, TLS_FAULT_KEY, i,
				   "key is not a PEM private key without passphrase");
	if (X509_check_private_key(read->leaf, read->key) != 1)
		return host_refuse(fault, TLS_FAULT_KEY, i,
				   "key does not belong to the certificate");
	return names_read(read->leaf, &read->names) ? GW_OK : GW_NO_MEMORY;
}

static bool authorities_add(OSSL_LIB_CTX *lib, BIO *pem, X509_STORE *store)
{
	uint32_t count = 0;
	bool good = true;
	X509 *next;

	while (good && (next = leaf_next(lib, pem)) != NULL) {
		good = X509_STORE_add_cert(store, next) == 1;
		X509_free(next);
		count++;
	}
	return good && count > 0 && leaf_at_end();
}

enum gw_err tls_authorities_read(OSSL_LIB_CTX *lib, struct span pem, X509_STORE **read,
				 struct tls_fault *fault)
{
	BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
	X509_STORE *store = X509_STORE_new();
	enum gw_err err = GW_NO_MEMORY;

	ERR_clear_error();
	if (bio != NULL && store != NULL)
		err = authorities_add(lib, bio, store)
			      ? GW_OK
			      : host_refuse(fault, TLS_FAULT_AUTHORITIES, 0,
					    "not a list of PEM certificates");
	BIO_free(bio);
	if (err != GW_OK) {
		X509_STORE_free(store);
		return err;
	}
	*read = store;
	return GW_OK;
}

void tls_leaf_fini(struct tls_leaf *leaf)
{
	X509_free(leaf->leaf);
	EVP_PKEY_free(leaf->key);
	sk_X509_pop_free(leaf->chain, X509_free);
	names_fini(&leaf->names);
}

/* ---- hosts ---------------------------------------------------------------------------------- */

void tls_host_init(struct tls_host *host, SSL_CTX *ctx_owned, struct tls_leaf *leaf)
{
	host->ctx = ctx_owned;
	host->names = leaf->names;
	leaf->names = (struct tls_names){0};
}

void tls_host_fini(struct tls_host *host)
{
	SSL_CTX_free(host->ctx);
	names_fini(&host->names);
}

static bool names_have(const struct tls_names *names, struct span name)
{
	for (uint32_t i = 0; i < names->count; i++)
		if (span_equal_nocase(span_text(names->name[i]), name))
			return true;
	return false;
}

/** "*.home1.net" stands for one label before ".home1.net" (RFC 6125 6.4.3). */
static bool names_have_wildcard(const struct tls_names *names, struct span name)
{
	uint32_t dot = span_find(name, '.');

	if (dot == 0 || dot >= name.len)
		return false;
	for (uint32_t i = 0; i < names->count; i++) {
		struct span pattern = span_text(names->name[i]);

		if (span_starts(pattern, SPAN("*.")) &&
		    span_equal_nocase(span_from(pattern, 1), span_from(name, dot)))
			return true;
	}
	return false;
}

const struct tls_host *tls_host_find(const struct tls_host *hosts, uint32_t count, struct span name)
{
	if (span_starts(name, SPAN("*")))
		return NULL; /* a pattern is no name */
	for (uint32_t i = 0; i < count; i++)
		if (names_have(&hosts[i].names, name))
			return &hosts[i];
	for (uint32_t i = 0; i < count; i++)
		if (names_have_wildcard(&hosts[i].names, name))
			return &hosts[i];
	return NULL;
}
