/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#define LABEL_MAX 63 /* RFC 1035 section 2.3.4 */

/** Who a peer should be: len 0, a DNS name, else the address as certificates have it. */
struct peer_name {
	struct span dns;
	uint8_t address[16];
	uint32_t len;
};

/* ---- names ---------------------------------------------------------------------------------- */

static bool is_label_byte(uint8_t c)
{
	return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static bool is_dns_name(struct span text)
{
	uint32_t label = 0;

	if (text.len > TLS_NAME_MAX)
		return false;
	for (uint32_t i = 0; i < text.len; i++) {
		if (text.at[i] == '.' ? label == 0 : !is_label_byte(text.at[i]))
			return false;
		label = text.at[i] == '.' ? 0 : label + 1;
		if (label > LABEL_MAX)
			return false;
	}
	return label > 0;
}

/** The bytes of an address literal at to; 0: it is none. */
static uint32_t address_read(struct span text, uint8_t to[16])
{
	char copy[INET6_ADDRSTRLEN] = "";
	bool bracketed = span_at(text, 0) == '[' && span_at(text, text.len - 1) == ']';

	if (bracketed)
		text = span_cut(text, 1, text.len - 2);
	if (text.len >= sizeof(copy) || span_find(text, '\0') < text.len)
		return 0;
	(void)span_copy(&text, copy, text.len);
	if (inet_pton(AF_INET6, copy, to) == 1)
		return 16;
	return !bracketed && inet_pton(AF_INET, copy, to) == 1 ? 4 : 0;
}

/** False: text is neither. */
static bool name_read(struct span text, struct peer_name *name)
{
	name->dns = text;
	name->len = address_read(text, name->address);
	return name->len > 0 || is_dns_name(text);
}

/** text (of a certificate) says the same. */
static bool name_equals(const struct peer_name *name, struct span text)
{
	struct peer_name other;

	if (name->len == 0)
		return span_equal_nocase(name->dns, text);
	return name_read(text, &other) && other.len == name->len &&
	       memcmp(other.address, name->address, name->len) == 0;
}

bool tls_peer_sni(struct span name, char sni[TLS_NAME_MAX + 1])
{
	struct peer_name read;

	if (!name_read(name, &read) || read.len > 0)
		return false;
	memcpy(sni, name.at, name.len);
	sni[name.len] = '\0';
	return true;
}

/* ---- certificates --------------------------------------------------------------------------- */

static struct span string_bytes(const ASN1_STRING *string)
{
	return span_of(ASN1_STRING_get0_data(string), (uint32_t)ASN1_STRING_length(string));
}

/** Where the host of a URI "sip:host:port;parameters?headers" ends: an IPv6 address has colons. */
static uint32_t host_end(struct span uri)
{
	uint32_t end = span_at(uri, 0) == '[' ? span_find(uri, ']') : 0;

	while (end < uri.len && uri.at[end] != ':' && uri.at[end] != ';' && uri.at[end] != '?')
		end++;
	return end;
}

/* RFC 5922 section 7.1: a URI of another scheme, or of a user, is no identity of a domain. */
static bool uri_is(struct span uri, const struct peer_name *name)
{
	struct span scheme;

	if (!span_take(&uri, 4, &scheme) || !span_equal_nocase(scheme, SPAN("sip:")) ||
	    span_find(uri, '@') < uri.len)
		return false;
	return name_equals(name, span_cut(uri, 0, host_end(uri)));
}

static bool alternative_is(const GENERAL_NAME *alternative, const struct peer_name *name)
{
	switch (alternative->type) {
	case GEN_DNS:
		return name->len == 0 && name_equals(name, string_bytes(alternative->d.dNSName));
	case GEN_URI:
		return uri_is(string_bytes(alternative->d.uniformResourceIdentifier), name);
	case GEN_IPADD:
		return name->len > 0 && span_equal(span_of(name->address, name->len),
						   string_bytes(alternative->d.iPAddress));
	default:
		return false;
	}
}

static bool alternative_counts(const GENERAL_NAME *alternative)
{
	return alternative->type == GEN_DNS || alternative->type == GEN_URI ||
	       alternative->type == GEN_IPADD;
}

static bool common_name_is(const X509 *cert, const struct peer_name *name)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int last = -1, next;
	uint8_t *text = NULL;
	int len;
	bool same;

	while ((next = X509_NAME_get_index_by_NID(subject, NID_commonName, last)) >= 0)
		last = next;
	if (last < 0 || name->len > 0)
		return false;
	len = ASN1_STRING_to_UTF8(&text,
				  X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
	same = len >= 0 && name_equals(name, span_of(text, (uint32_t)len));
	OPENSSL_free(text);
	return same;
}

bool tls_peer_is(const X509 *cert, struct span text)
{
	int found;
	GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, &found, NULL);
	bool is = false, counts = all == NULL && found != -1; /* there, and not to be read */
	struct peer_name name;
	bool good = name_read(text, &name);

	for (int i = 0; good && all != NULL && i < sk_GENERAL_NAME_num(all); i++) {
		counts = counts || alternative_counts(sk_GENERAL_NAME_value(all, i));
		is = is || alternative_is(sk_GENERAL_NAME_value(all, i), &name);
	}
	if (good && !counts)
		is = common_name_is(cert, &name);
	GENERAL_NAMES_free(all);
	ERR_clear_error();
	return is;
}
