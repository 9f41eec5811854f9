/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include <openssl/x509v3.h>

#include "tls/peer.h"

/* Whom a certificate is for. They are not signed: who has, was looked at before. */

static void name_add(X509 *cert, const char *field, const char *value)
{
	EXPECT_EQ(1, X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), field, MBSTRING_UTF8,
						(const uint8_t *)value, -1, -1, 0));
}

/** names: as OpenSSL writes them, NULL for no subjectAltName; common: NULL for no CN. */
static X509 *certificate(const char *names, const char *common)
{
	X509 *cert = X509_new();
	X509_EXTENSION *made;

	name_add(cert, "O", "Home 1");
	if (common != NULL)
		name_add(cert, "CN", common);
	if (names == NULL)
		return cert;
	made = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, (char *)(uintptr_t)names);
	EXPECT_EQ(1, X509_add_ext(cert, made, -1));
	X509_EXTENSION_free(made);
	return cert;
}

static bool is(const char *names, const char *common, struct span name)
{
	X509 *cert = certificate(names, common);
	bool same = tls_peer_is(cert, name);

	X509_free(cert);
	return same;
}

static void expect_is(const char *names, const char *name)
{
	EXPECT(is(names, NULL, span_text(name)));
}

static void expect_not(const char *names, const char *name)
{
	EXPECT(!is(names, NULL, span_text(name)));
}

TEST(tls_peer, is_a_dns_name_in_any_case)
{
	expect_is("DNS:icscf.home1.net", "icscf.home1.net");
	expect_is("DNS:ICSCF.Home1.NET", "icscf.home1.net");
	expect_is("DNS:icscf.home1.net", "IcScF.hOmE1.nEt");
	expect_is("DNS:other.home1.net,email:x@home1.net,DNS:icscf.home1.net", "icscf.home1.net");
	expect_is("DNS:localhost", "localhost");
	expect_is("DNS:i_cscf-1.home1.net", "i_cscf-1.home1.net");
}

TEST(tls_peer, is_no_other_dns_name)
{
	expect_not("DNS:icscf.home1.net", "home1.net");
	expect_not("DNS:home1.net", "icscf.home1.net");
	expect_not("DNS:icscf.home1.net", "icscf.home1.ne");
	expect_not("DNS:icscf.home1.ne", "icscf.home1.net");
	expect_not("DNS:icscf.home1.net", "");
	expect_not("DNS:icscf.home1.net.", "icscf.home1.net");
	expect_not("email:x@home1.net,RID:1.2.3", "home1.net");
}

TEST(tls_peer, has_no_wildcard)
{
	expect_not("DNS:*.home1.net", "icscf.home1.net");
	expect_not("DNS:*", "home1");
	expect_not("DNS:*.home1.net", "*.home1.net");
	expect_not("URI:sip:*.home1.net", "icscf.home1.net");
	EXPECT(!is(NULL, "*.home1.net", SPAN("icscf.home1.net")));
}

TEST(tls_peer, is_the_host_of_a_sip_uri)
{
	expect_is("URI:sip:home1.net", "home1.net");
	expect_is("URI:SIP:Home1.net", "home1.NET");
	expect_is("URI:sip:home1.net:5061", "home1.net");
	expect_is("URI:sip:home1.net;transport=tls", "home1.net");
	expect_is("URI:sip:home1.net?Priority=urgent", "home1.net");
	expect_is("URI:sip:198.18.0.10:5061", "198.18.0.10");
	expect_is("URI:sip:[fd00:18::10]", "fd00:18::10");
	expect_is("URI:sip:[fd00:18::10]:5061;lr", "[fd00:18::10]");
	expect_is("DNS:icscf.home1.net,URI:sip:home1.net", "home1.net");
	expect_is("DNS:icscf.home1.net,URI:sip:home1.net", "icscf.home1.net");
}

TEST(tls_peer, is_not_the_host_of_a_user_or_of_another_scheme)
{
	expect_not("URI:sip:alice@home1.net", "home1.net");
	expect_not("URI:sip:home1.net;x=@other.net", "home1.net");
	expect_not("URI:sips:home1.net", "home1.net");
	expect_not("URI:https:home1.net", "home1.net");
	expect_not("URI:https://home1.net/", "home1.net");
	expect_not("URI:sip:", "home1.net");
	expect_not("URI:sip", "sip");
	expect_not("URI:sip:home1.net/x", "home1.net");
	expect_not("URI:sip:other.net;home1.net", "home1.net");
	expect_not("URI:sip:other.net?home1.net", "home1.net");
	expect_not("URI:sip:[fd00:18::10", "fd00:18::10");
	expect_not("URI:sip:[home1.net]", "home1.net");
	expect_not("URI:sip:[198.18.0.10]", "198.18.0.10");
	expect_not("URI:sip:[fd00:18::10]x", "fd00:18::10");
}

TEST(tls_peer, is_an_address_by_its_bytes)
{
	expect_is("IP:198.18.0.10", "198.18.0.10");
	expect_is("IP:fd00:18::10", "fd00:18::10");
	expect_is("IP:fd00:18::10", "[fd00:18::10]");
	expect_is("IP:fd00:18::10", "FD00:0018:0:0::0010");
	expect_is("DNS:a.example,IP:fd00:18::1,IP:198.18.0.10", "198.18.0.10");
}

TEST(tls_peer, is_no_other_address)
{
	expect_not("IP:198.18.0.10", "198.18.0.11");
	expect_not("IP:198.18.0.10", "[198.18.0.10]");
	expect_not("IP:198.18.0.10", "198.18.0.010");
	expect_not("IP:198.18.0.10", "198.18.10");
	expect_not("IP:198.18.0.10", "::ffff:198.18.0.10");
	expect_not("IP:fd00:18::10", "fd00:18::11");
	expect_not("IP:fd00:18::10", "[fd00:18::10");
	expect_not("IP:fd00:18::10", "fd00:18::10]");
	expect_not("IP:fd00:18::10", "[");
	expect_not("IP:fd00:18::10", "[]");
	expect_not("IP:fd00:18::10", "fd00:18::10%lo");
}

TEST(tls_peer, is_an_address_only_where_the_certificate_has_it_as_one)
{
	expect_not("DNS:198.18.0.10", "198.18.0.10");
	EXPECT(!is(NULL, "198.18.0.10", SPAN("198.18.0.10")));
	EXPECT(!is(NULL, "fd00:18::10", SPAN("fd00:18::10")));
}

TEST(tls_peer, is_the_common_name_where_there_is_no_other)
{
	EXPECT(is(NULL, "ICSCF.home1.net", SPAN("icscf.HOME1.net")));
	EXPECT(is("email:x@home1.net", "icscf.home1.net", SPAN("icscf.home1.net")));
	EXPECT(!is(NULL, "icscf.home1.net", SPAN("home1.net")));
	EXPECT(!is(NULL, "scscf icscf.home1.net", SPAN("icscf.home1.net")));
	EXPECT(!is(NULL, NULL, SPAN("icscf.home1.net")));
	EXPECT(!is("DNS:a.example", "icscf.home1.net", SPAN("icscf.home1.net")));
	EXPECT(!is("URI:https://a.example", "icscf.home1.net", SPAN("icscf.home1.net")));
	EXPECT(!is("IP:198.18.0.10", "icscf.home1.net", SPAN("icscf.home1.net")));
}

TEST(tls_peer, is_the_last_of_several_common_names)
{
	X509 *cert = certificate(NULL, "first.home1.net");

	name_add(cert, "CN", "second.home1.net");
	name_add(cert, "OU", "third.home1.net");
	EXPECT(tls_peer_is(cert, SPAN("second.home1.net")));
	EXPECT(!tls_peer_is(cert, SPAN("first.home1.net")));
	EXPECT(!tls_peer_is(cert, SPAN("third.home1.net")));
	X509_free(cert);
}

/** With one subjectAltName of that type, its bytes as they are. */
static X509 *certificate_of_bytes(int type, struct span bytes)
{
	X509 *cert = certificate(NULL, NULL);
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	GENERAL_NAME *one = GENERAL_NAME_new();
	ASN1_STRING *text =
		ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);

	EXPECT_EQ(1, ASN1_STRING_set(text, bytes.at, (int)bytes.len));
	GENERAL_NAME_set0_value(one, type, text);
	EXPECT(sk_GENERAL_NAME_push(all, one) > 0);
	EXPECT_EQ(1, X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, 0));
	GENERAL_NAMES_free(all);
	return cert;
}

static bool bytes_are(int type, struct span bytes, struct span name)
{
	X509 *cert = certificate_of_bytes(type, bytes);
	bool same = tls_peer_is(cert, name);

	X509_free(cert);
	return same;
}

TEST(tls_peer, is_nobody_behind_a_nul_or_other_odd_characters)
{
	static const struct span odd[] = {
		SPAN("icscf.home1.net\0"),
		SPAN("icscf.home1.net\0.evil.example"),
		SPAN("icscf.home1.net "),
		SPAN("icscf.home1.net\n"),
		SPAN("icscf.home1.n\xc3\xa9t"),
		SPAN("icscf..home1.net"),
		SPAN(".icscf.home1.net"),
		SPAN("icscf.home1.net."),
		SPAN("."),
		SPAN(""),
	};

	EXPECT(bytes_are(GEN_DNS, SPAN("icscf.home1.net"), SPAN("icscf.home1.net")));
	for (uint32_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		EXPECT(!bytes_are(GEN_DNS, odd[i], SPAN("icscf.home1.net")));
		EXPECT(!bytes_are(GEN_DNS, odd[i], odd[i]));
		EXPECT(!bytes_are(GEN_DNS, SPAN("icscf.home1.net"), odd[i]));
	}
	EXPECT(!bytes_are(GEN_URI, SPAN("sip:icscf.home1.net\0.evil.example"),
			  SPAN("icscf.home1.net")));
	EXPECT(!bytes_are(GEN_IPADD, SPAN("\xc6\x12\x00\x0a"), SPAN("198.18.0.10\0")));
}

TEST(tls_peer, is_no_address_of_another_length)
{
	EXPECT(bytes_are(GEN_IPADD, SPAN("\xc6\x12\x00\x0a"), SPAN("198.18.0.10")));
	EXPECT(!bytes_are(GEN_IPADD, SPAN("\xc6\x12\x00"), SPAN("198.18.0.10")));
	EXPECT(!bytes_are(GEN_IPADD, SPAN("\xc6\x12\x00\x0a\xff\xff\xff\xff"),
			  SPAN("198.18.0.10")));
	EXPECT(!bytes_are(GEN_IPADD, SPAN(""), SPAN("198.18.0.10")));
}

TEST(tls_peer, is_not_the_common_name_beside_names_that_cannot_be_read)
{
	X509 *cert = certificate(NULL, "icscf.home1.net");
	ASN1_OCTET_STRING *broken = ASN1_OCTET_STRING_new();
	X509_EXTENSION *made;

	EXPECT_EQ(1, ASN1_OCTET_STRING_set(broken, (const uint8_t *)"\x30\x05\x82", 3));
	made = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, broken);
	EXPECT_EQ(1, X509_add_ext(cert, made, -1));
	EXPECT(!tls_peer_is(cert, SPAN("icscf.home1.net")));
	X509_EXTENSION_free(made);
	ASN1_OCTET_STRING_free(broken);
	X509_free(cert);
}

static void expect_long(uint32_t label, uint32_t len, bool good)
{
	char names[4 + 512] = "DNS:", *name = names + 4;

	for (uint32_t i = 0; i < len; i++)
		name[i] = i % (label + 1) == label ? '.' : 'x';
	EXPECT_EQ(good, is(names, NULL, span_of(name, len)));
}

TEST(tls_peer, is_a_name_of_255_characters_and_no_longer_one)
{
	expect_long(63, 255, true);
	expect_long(63, 257, false);
	expect_long(63, 63, true);
	expect_long(64, 64, false);
}

static void expect_sni(const char *name, bool told)
{
	char sni[TLS_NAME_MAX + 1] = "";

	EXPECT_EQ(told, tls_peer_sni(span_text(name), sni));
	EXPECT_TEXT(told ? name : "", sni);
}

TEST(tls_peer, is_told_its_name_when_that_is_one)
{
	expect_sni("icscf.home1.net", true);
	expect_sni("localhost", true);
	expect_sni("198.18.0.10", false);
	expect_sni("fd00:18::10", false);
	expect_sni("[fd00:18::10]", false);
	expect_sni("icscf.home1.net.", false);
	expect_sni("*.home1.net", false);
	expect_sni("", false);
}

TEST_MAIN("tls_peer", RUN(tls_peer, is_a_dns_name_in_any_case), RUN(tls_peer, is_no_other_dns_name),
	  RUN(tls_peer, has_no_wildcard), RUN(tls_peer, is_the_host_of_a_sip_uri),
	  RUN(tls_peer, is_not_the_host_of_a_user_or_of_another_scheme),
	  RUN(tls_peer, is_an_address_by_its_bytes), RUN(tls_peer, is_no_other_address),
	  RUN(tls_peer, is_an_address_only_where_the_certificate_has_it_as_one),
	  RUN(tls_peer, is_the_common_name_where_there_is_no_other),
	  RUN(tls_peer, is_the_last_of_several_common_names),
	  RUN(tls_peer, is_nobody_behind_a_nul_or_other_odd_characters),
	  RUN(tls_peer, is_no_address_of_another_length),
	  RUN(tls_peer, is_not_the_common_name_beside_names_that_cannot_be_read),
	  RUN(tls_peer, is_a_name_of_255_characters_and_no_longer_one),
	  RUN(tls_peer, is_told_its_name_when_that_is_one))
