/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "tls/peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/** The next "length, bytes" of in. */
static bool text_next(struct span *in, struct span *text)
{
	uint8_t len;

	return span_u8(in, &len) && span_take(in, len, text);
}

static void alternative_push(GENERAL_NAMES *all, int type, struct span text)
{
	GENERAL_NAME *made = GENERAL_NAME_new();
	ASN1_STRING *string =
		ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);

	must(ASN1_STRING_set(string, text.at, (int)text.len) == 1);
	GENERAL_NAME_set0_value(made, type, string);
	must(sk_GENERAL_NAME_push(all, made) > 0);
}

/** A certificate with what is left of in: "kind, length, bytes" each. False: it has a CN. */
static bool certificate_fill(X509 *cert, struct span in)
{
	static const int types[] = {GEN_DNS, GEN_URI, GEN_IPADD};
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	bool common = false;
	struct span text;
	uint8_t kind;

	while (span_u8(&in, &kind) && text_next(&in, &text)) {
		if ((kind & 3) < 3)
			alternative_push(all, types[kind & 3], text);
		else if (X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), NID_commonName,
						    V_ASN1_UTF8STRING, text.at, (int)text.len, -1,
						    0) == 1)
			common = true;
	}
	if (sk_GENERAL_NAME_num(all) > 0)
		must(X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, 0) == 1);
	GENERAL_NAMES_free(all);
	return !common;
}

/** OpenSSL's word, which knows neither URIs nor that wildcards are none here. */
static bool openssl_says(X509 *cert, const char *name)
{
	return X509_check_host(cert, name, 0, X509_CHECK_FLAG_NO_WILDCARDS, NULL) == 1 ||
	       X509_check_ip_asc(cert, name, 0) == 1;
}

static bool has_uri(struct span in)
{
	struct span text;
	uint8_t kind;

	while (span_u8(&in, &kind) && text_next(&in, &text))
		if ((kind & 3) == 1)
			return true;
	return false;
}

/* "length, name", then what a certificate has. Where OpenSSL has a word for it, it is the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size), name;
	char sni[TLS_NAME_MAX + 1];
	bool is, no_common;
	X509 *cert;

	if (!text_next(&in, &name))
		return 0;
	cert = X509_new();
	no_common = certificate_fill(cert, in);
	is = tls_peer_is(cert, name);
	if (tls_peer_sni(name, sni)) {
		must(strlen(sni) == name.len && sni[0] != '.' && sni[0] != '[');
		if (no_common && !has_uri(in))
			must(is == openssl_says(cert, sni));
	}
	X509_free(cert);
	return 0;
}
