/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include <openssl/pem.h>

#include "pair.h"

/* Which certificate a client gets, by the name that it asks for. */

enum { FIRST, WILD, SHOP, SHOP_RSA, CERTIFICATES };

static struct tls_certificate hosts[CERTIFICATES];

static struct tls_config hosts_make(void)
{
	hosts[FIRST] = pem_make("DNS:ep1.home1.net,IP:198.18.0.10", PEM_P256);
	hosts[WILD] = pem_make("DNS:*.home1.net", PEM_P256);
	hosts[SHOP] = pem_make("DNS:shop.example,DNS:www.shop.example", PEM_P256);
	hosts[SHOP_RSA] = pem_make("DNS:www.shop.example,DNS:Shop.Example", PEM_RSA);
	return (struct tls_config){.certificate = hosts, .certificates = CERTIFICATES};
}

static void hosts_free(void)
{
	for (int i = 0; i < CERTIFICATES; i++)
		pem_free(&hosts[i]);
}

/** The number of the certificate that the client has got. */
static int got(struct pair *p)
{
	X509 *seen = SSL_get1_peer_certificate(p->client);
	BIO *pem = BIO_new(BIO_s_mem());
	char *text;
	long len;
	int i = 0;

	EXPECT(seen != NULL);
	EXPECT_EQ(1, PEM_write_bio_X509(pem, seen));
	len = BIO_get_mem_data(pem, &text);
	while (i < CERTIFICATES && !span_equal(hosts[i].chain, span_of(text, (uint32_t)len)))
		i++;
	BIO_free(pem);
	X509_free(seen);
	return i;
}

static void expect_host(const char *name, int certificate)
{
	struct pair *p = pair_new(hosts_make());

	pair_next(p, name);
	pair_meet(p);
	EXPECT_EQ(certificate, got(p));
	EXPECT_TEXT(name == NULL ? "" : name, tls_libssl.info(p->tls).sni);
	pair_free(p);
	hosts_free();
}

static void expect_unknown(const char *name)
{
	struct pair *p = pair_new(hosts_make());

	pair_next(p, name);
	EXPECT_EQ(GW_TLS_HANDSHAKE, pair_handshake(p, 100000));
	EXPECT_TEXT(
		"we refused: no certificate for that server name (sent alert unrecognized name)",
		tls_libssl.info(p->tls).failure);
	EXPECT_TEXT(name, tls_libssl.info(p->tls).sni);
	pair_free(p);
	hosts_free();
}

TEST(tls_host, is_the_first_for_who_names_none)
{
	expect_host(NULL, FIRST);
}

TEST(tls_host, is_found_by_its_exact_name_before_a_wildcard)
{
	expect_host("ep1.home1.net", FIRST);
	expect_host("shop.example", SHOP);
}

TEST(tls_host, is_found_in_any_case)
{
	expect_host("EP1.Home1.NET", FIRST);
	expect_host("WWW.SHOP.EXAMPLE", SHOP);
}

TEST(tls_host, has_a_wildcard_for_one_label)
{
	expect_host("ep2.home1.net", WILD);
	expect_host("EP2.HOME1.NET", WILD);
}

TEST(tls_host, has_no_wildcard_for_none_or_two)
{
	expect_unknown("home1.net");
	expect_unknown(".home1.net");
	expect_unknown("a.b.home1.net");
	expect_unknown("*.home1.net");
}

TEST(tls_host, is_refused_under_a_name_that_no_certificate_has)
{
	expect_unknown("other.example");
	expect_unknown("ep1.home1.net."); /* RFC 6066 section 3: without a trailing dot */
	expect_unknown("198.18.0.10");
	expect_unknown("op.example");
	expect_unknown("common.example"); /* the common name: not looked at (RFC 6125 6.4.4) */
}

static void expect_shop(uint16_t version, const char *key_kinds, int certificate)
{
	struct pair *p = pair_new(hosts_make());

	pair_next(p, "www.shop.example");
	SSL_set_max_proto_version(p->client, version);
	EXPECT_EQ(1, SSL_set1_sigalgs_list(p->client, key_kinds));
	pair_meet(p);
	EXPECT_EQ(certificate, got(p));
	pair_free(p);
	hosts_free();
}

TEST(tls_host, gives_the_certificate_that_the_client_can_check)
{
	expect_shop(TLS1_3_VERSION, "ECDSA+SHA256", SHOP);
	expect_shop(TLS1_3_VERSION, "RSA-PSS+SHA256", SHOP_RSA);
	expect_shop(TLS1_2_VERSION, "ECDSA+SHA256", SHOP);
	expect_shop(TLS1_2_VERSION, "RSA-PSS+SHA256", SHOP_RSA);
}

TEST(tls_host, without_names_serves_who_names_none)
{
	struct tls_certificate pem = pem_make("IP:198.18.0.10", PEM_P256);
	struct pair *p = pair_new((struct tls_config){.certificate = &pem, .certificates = 1});

	pair_next(p, NULL);
	pair_meet(p);
	pair_next(p, "ep1.home1.net");
	EXPECT_EQ(GW_TLS_HANDSHAKE, pair_handshake(p, 100000));
	pair_free(p);
	pem_free(&pem);
}

/** The ClientHello with one byte of its server_name extension changed: that many before the name.
 */
static void expect_malformed(int before)
{
	static const char name[] = "ep1.home1.net";
	struct pair *p = pair_new((struct tls_config){0});
	uint8_t to[1], *at;

	SSL_do_handshake(p->client);
	EXPECT(pair_carry(p, 100000));
	at = memmem(p->fake.rx, p->fake.rx_len, name, sizeof(name) - 1);
	EXPECT(at != NULL);
	at[-before] ^= 0xFF;
	EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.open(p->tls, to, 0).err);
	EXPECT(strstr(tls_libssl.info(p->tls).failure, "we refused: ") != NULL);
	pair_free(p);
}

TEST(tls_host, is_not_looked_for_in_a_malformed_extension)
{
	for (int before = 1; before <= 7; before++) /* lengths and kind of name */
		expect_malformed(before);
}

TEST_MAIN("tls_host", RUN(tls_host, is_the_first_for_who_names_none),
	  RUN(tls_host, is_found_by_its_exact_name_before_a_wildcard),
	  RUN(tls_host, is_found_in_any_case), RUN(tls_host, has_a_wildcard_for_one_label),
	  RUN(tls_host, has_no_wildcard_for_none_or_two),
	  RUN(tls_host, is_refused_under_a_name_that_no_certificate_has),
	  RUN(tls_host, gives_the_certificate_that_the_client_can_check),
	  RUN(tls_host, without_names_serves_who_names_none),
	  RUN(tls_host, is_not_looked_for_in_a_malformed_extension))
