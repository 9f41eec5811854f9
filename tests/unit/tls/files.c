/* SPDX-License-Identifier: BSD-3-Clause */
#include "files.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void must(int ok)
{
	if (!ok)
		abort();
}

static X509 *certificate_make(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_EXTENSION *names =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:ep1.home1.net");

	must(cert != NULL && names != NULL);
	must(X509_set_version(cert, X509_VERSION_3));
	must(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1));
	must(X509_gmtime_adj(X509_getm_notBefore(cert), -3600) != NULL);
	must(X509_gmtime_adj(X509_getm_notAfter(cert), 86400) != NULL);
	must(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
					(const unsigned char *)"test", -1, -1, 0));
	must(X509_set_issuer_name(cert, X509_get_subject_name(cert)));
	must(X509_set_pubkey(cert, key));
	must(X509_add_ext(cert, names, -1));
	must(X509_sign(cert, key, EVP_sha256()) > 0);
	X509_EXTENSION_free(names);
	return cert;
}

static void pair_write(const char *certificate_path, const char *key_path, const char *locked_path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = certificate_make(key);
	FILE *file = fopen(certificate_path, "w");

	must(file != NULL && PEM_write_X509(file, cert));
	fclose(file);
	file = fopen(key_path, "w");
	must(file != NULL && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
	fclose(file);
	if (locked_path != NULL) {
		file = fopen(locked_path, "w");
		must(file != NULL && PEM_write_PKCS8PrivateKey(file, key, EVP_aes_128_cbc(),
							       "phrase", 6, NULL, NULL));
		fclose(file);
	}
	X509_free(cert);
	EVP_PKEY_free(key);
}

void files_make(struct files *f)
{
	FILE *file;

	snprintf(f->folder, sizeof(f->folder), "/tmp/tls-test-XXXXXX");
	must(mkdtemp(f->folder) != NULL);
	snprintf(f->certificate, sizeof(f->certificate), "%s/cert.pem", f->folder);
	snprintf(f->key, sizeof(f->key), "%s/key.pem", f->folder);
	snprintf(f->other_certificate, sizeof(f->other_certificate), "%s/cert2.pem", f->folder);
	snprintf(f->other_key, sizeof(f->other_key), "%s/key2.pem", f->folder);
	snprintf(f->locked_key, sizeof(f->locked_key), "%s/locked.pem", f->folder);
	snprintf(f->garbage, sizeof(f->garbage), "%s/garbage.pem", f->folder);
	pair_write(f->certificate, f->key, f->locked_key);
	pair_write(f->other_certificate, f->other_key, NULL);
	file = fopen(f->garbage, "w");
	must(file != NULL && fputs("not PEM\n", file) >= 0);
	fclose(file);
}

void files_remove(const struct files *f)
{
	unlink(f->certificate);
	unlink(f->key);
	unlink(f->other_certificate);
	unlink(f->other_key);
	unlink(f->locked_key);
	unlink(f->garbage);
	rmdir(f->folder);
}
