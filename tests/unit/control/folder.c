/* SPDX-License-Identifier: BSD-3-Clause */
#include "folder.h"

#include <dirent.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"

/* A public key of RFC 7515 appendix A.3. */
static const char jwks[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k1\",\"use\":"
			   "\"sig\",\"alg\":\"ES256\","
			   "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
			   "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}\n";

const char *folder_path(const struct folder *folder, const char *name)
{
	static char paths[4][160];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder->path, name);
	return path;
}

void folder_write(const struct folder *folder, const char *name, const char *text)
{
	FILE *out = fopen(folder_path(folder, name), "w");

	assert_non_null(out);
	assert_int_equal(strlen(text), fwrite(text, 1, strlen(text), out));
	assert_int_equal(0, fclose(out));
}

char *folder_read(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = calloc(1, 65536);

	assert_non_null(in);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, in) > 0);
	fclose(in);
	return text;
}

char *folder_replace(const char *text, const char *from, const char *to)
{
	char *out = calloc(1, strlen(text) * 2 + strlen(to) * 64 + 1), *at = out;
	const char *hit;

	assert_non_null(strstr(text, from)); /* a replacement that replaces nothing tests nothing */
	while ((hit = strstr(text, from)) != NULL) {
		at += sprintf(at, "%.*s%s", (int)(hit - text), text, to);
		text = hit + strlen(from);
	}
	strcpy(at, text);
	return out;
}

static void folder_write_certificate(const struct folder *folder)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *leaf = X509_new();
	FILE *out;

	ASN1_INTEGER_set(X509_get_serialNumber(leaf), 1);
	X509_gmtime_adj(X509_getm_notBefore(leaf), 0);
	X509_gmtime_adj(X509_getm_notAfter(leaf), 3600);
	X509_set_pubkey(leaf, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(leaf), "CN", MBSTRING_ASC,
				   (const unsigned char *)"ep1.home1.net", -1, -1, 0);
	X509_set_issuer_name(leaf, X509_get_subject_name(leaf));
	assert_true(X509_sign(leaf, key, EVP_sha256()) > 0);
	out = fopen(folder_path(folder, "cert.pem"), "w");
	assert_int_equal(1, PEM_write_X509(out, leaf));
	fclose(out);
	out = fopen(folder_path(folder, "key.pem"), "w");
	assert_int_equal(1, PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL));
	fclose(out);
	X509_free(leaf);
	EVP_PKEY_free(key);
}

void folder_make(struct folder *folder)
{
	strcpy(folder->path, "/tmp/wicgate-test-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	folder_write_certificate(folder);
	folder_write(folder, "shop.jwks", jwks);
	folder_write(folder, "shop-pairs.csv", "alice@home1.net,sip:alice@home1.net\n");
}

static void folder_empty(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	char name[512];

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL) {
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(name);
	}
	closedir(folder);
	rmdir(path);
}

void folder_remove(struct folder *folder)
{
	folder_empty(folder_path(folder, "state"));
	folder_empty(folder->path);
}
