/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include <pthread.h>

#include "pair.h"

/** A configuration of n certificates that is refused, for this reason. */
static void expect_refused(struct tls_config config, int of, uint32_t certificate, const char *why)
{
	struct tls_context *made = NULL;
	struct tls_fault fault;

	EXPECT_EQ(GW_CONFIG, tls_libssl.context_new(&config, &fault, &made));
	EXPECT(made == NULL);
	EXPECT_EQ(of, fault.of);
	EXPECT_EQ(certificate, fault.certificate);
	EXPECT_TEXT(why, fault.why);
}

static void expect_setting_refused(struct tls_config setting, int of, const char *why)
{
	struct tls_certificate own = pem_make("DNS:ep1.home1.net", PEM_P256);

	setting.certificate = &own;
	setting.certificates = 1;
	expect_refused(setting, of, 0, why);
	pem_free(&own);
}

TEST(tls_context, refuses_a_key_that_does_not_fit_the_certificate)
{
	struct tls_certificate pem[] = {pem_make("DNS:a.example", PEM_P256),
					pem_make("DNS:b.example", PEM_P256)};
	struct span key = pem[0].key;

	pem[0].key = pem[1].key;
	pem[1].key = key;
	expect_refused((struct tls_config){.certificate = pem, .certificates = 2}, TLS_FAULT_KEY, 0,
		       "key does not belong to the certificate");
	pem_free(&pem[0]);
	pem_free(&pem[1]);
}

TEST(tls_context, says_which_certificate_it_refuses)
{
	struct tls_certificate pem[] = {pem_make("DNS:a.example", PEM_P256),
					{SPAN("not PEM"), SPAN("not PEM")}};
	struct tls_config config = {.certificate = pem, .certificates = 2};

	expect_refused(config, TLS_FAULT_CERTIFICATE, 1,
		       "certificate is not a chain of PEM certificates");
	pem[1].chain = pem[0].chain;
	expect_refused(config, TLS_FAULT_KEY, 1, "key is not a PEM private key without passphrase");
	pem_free(&pem[0]);
}

TEST(tls_context, refuses_a_chain_that_is_broken_behind_its_leaf)
{
	struct tls_certificate pem = pem_make("DNS:a.example", PEM_P256), broken = pem;

	broken.chain = pem_join(pem.chain, SPAN("-----BEGIN CERTIFICATE-----\nMIIB\n"));
	expect_refused((struct tls_config){.certificate = &broken, .certificates = 1},
		       TLS_FAULT_CERTIFICATE, 0, "certificate is not a chain of PEM certificates");
	free((void *)(uintptr_t)broken.chain.at);
	pem_free(&pem);
}

TEST(tls_context, sends_the_chain_behind_its_leaf)
{
	struct tls_certificate pem = pem_make("DNS:ep1.home1.net", PEM_P256),
			       other = pem_make("DNS:ca.example", PEM_P256), whole = pem;
	struct pair *p;

	whole.chain = pem_join(pem.chain, other.chain);
	p = pair_new((struct tls_config){.certificate = &whole, .certificates = 1});
	pair_meet(p);
	EXPECT_EQ(2, sk_X509_num(SSL_get_peer_cert_chain(p->client)));
	pair_free(p);
	free((void *)(uintptr_t)whole.chain.at);
	pem_free(&other);
	pem_free(&pem);
}

TEST(tls_context, does_not_ask_for_a_pass_phrase)
{
	struct tls_certificate pem = pem_make("DNS:a.example", PEM_P256), locked = pem;

	locked.key = pem_locked(pem.key);
	expect_refused((struct tls_config){.certificate = &locked, .certificates = 1},
		       TLS_FAULT_KEY, 0, "key is not a PEM private key without passphrase");
	free((void *)(uintptr_t)locked.key.at);
	pem_free(&pem);
}

TEST(tls_context, refuses_a_key_that_is_too_short)
{
	struct tls_certificate pem = pem_make("DNS:a.example", PEM_RSA_SHORT);

	expect_refused((struct tls_config){.certificate = &pem, .certificates = 1},
		       TLS_FAULT_CERTIFICATE, 0, "certificate: ee key too small");
	pem_free(&pem);
}

TEST(tls_context, refuses_two_certificates_of_the_same_names_and_kind)
{
	struct tls_certificate pem[] = {pem_make("DNS:a.example,DNS:b.example", PEM_P256),
					pem_make("DNS:B.example,DNS:a.example", PEM_P256)};

	expect_refused((struct tls_config){.certificate = pem, .certificates = 2},
		       TLS_FAULT_CERTIFICATE, 1,
		       "certificate: another has the same names and kind of key");
	pem_free(&pem[0]);
	pem_free(&pem[1]);
}

TEST(tls_context, refuses_unknown_groups_and_versions)
{
	expect_setting_refused((struct tls_config){.groups = "X25519:P-25"}, TLS_FAULT_GROUPS,
			       "\"X25519:P-25\": not a list of groups");
	expect_setting_refused((struct tls_config){.min_version = 0x0302}, TLS_FAULT_VERSION,
			       "\"min_version\": not TLS 1.2 or 1.3");
	expect_setting_refused((struct tls_config){.min_version = 0x0305}, TLS_FAULT_VERSION,
			       "\"min_version\": not TLS 1.2 or 1.3");
}

TEST(tls_context, refuses_authorities_that_are_not_certificates)
{
	struct tls_certificate pem = pem_make("DNS:ca.example", PEM_P256);
	struct span broken = pem_join(pem.chain, SPAN("-----BEGIN CERTIFICATE-----\nMIIB\n"));
	const struct span wrong[] = {SPAN("not PEM"), pem.key, broken};

	for (uint32_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_setting_refused((struct tls_config){.authorities = wrong[i]},
				       TLS_FAULT_AUTHORITIES, "not a list of PEM certificates");
	free((void *)(uintptr_t)broken.at);
	pem_free(&pem);
}

TEST(tls_context, refuses_settings_of_a_mutual_one_as_of_any)
{
	struct tls_certificate pem = pem_make("DNS:ca.example", PEM_P256);

	expect_setting_refused((struct tls_config){.authorities = pem.chain,
						   .groups = "X25519:P-25"},
			       TLS_FAULT_GROUPS, "\"X25519:P-25\": not a list of groups");
	pem_free(&pem);
}

#define SUITE "TLS_AES_128_GCM_SHA256:"

TEST(tls_context, refuses_ciphers_without_forward_secrecy_or_aead)
{
	static const struct {
		const char *ciphers, *why;
	} rows[] = {
		{SUITE "AES128-GCM-SHA256", "\"AES128-GCM-SHA256\": not ECDHE with an AEAD cipher"},
		{SUITE "ECDHE-RSA-AES128-SHA",
		 "\"ECDHE-RSA-AES128-SHA\": not ECDHE with an AEAD cipher"},
		{SUITE "DHE-RSA-AES128-GCM-SHA256",
		 "\"DHE-RSA-AES128-GCM-SHA256\": not ECDHE with an AEAD cipher"},
		{SUITE "ECDHE+AESGCM", "\"ECDHE+AESGCM\": no such cipher"},
		{SUITE "ECDHE-ECDSA-AES128-GCM-SHA256:RC4",
		 "\"RC4\": no such cipher"}, /* libssl would leave it out */
		{SUITE "NONSENSE", "\"NONSENSE\": no such cipher"},
		{"TLS_NONSENSE:ECDHE-RSA-AES128-GCM-SHA256", "\"TLS_NONSENSE\": no such cipher"},
		{"TLS_AES_128_GCM_SHA256", "\"TLS_AES_128_GCM_SHA256\": none for TLS 1.2"},
		{"ECDHE-RSA-AES128-GCM-SHA256",
		 "\"ECDHE-RSA-AES128-GCM-SHA256\": none for TLS 1.3"},
	};

	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_setting_refused((struct tls_config){.ciphers = rows[i].ciphers},
				       TLS_FAULT_CIPHERS, rows[i].why);
}

TEST(tls_context, refuses_lists_that_are_too_long)
{
	char list[2000];

	memset(list, 'A', sizeof(list) - 1);
	list[sizeof(list) - 1] = '\0';
	expect_setting_refused((struct tls_config){.ciphers = list}, TLS_FAULT_CIPHERS,
			       "\"AAAAAAAAAAAAAAAAAAAA\": too long");
	expect_setting_refused((struct tls_config){.groups = list}, TLS_FAULT_GROUPS,
			       "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
			       "AAA\": not a list of groups");
}

TEST(tls_context, needs_no_cipher_for_a_version_that_is_not_spoken)
{
	struct pair *p = pair_new(
		(struct tls_config){.ciphers = "TLS_AES_256_GCM_SHA384", .min_version = 0x0304});

	pair_meet(p);
	EXPECT_TEXT("TLS_AES_256_GCM_SHA384", tls_libssl.info(p->tls).cipher);
	pair_free(p);
}

TEST(tls_context, has_its_own_order_of_ciphers)
{
	struct pair *p = pair_new((struct tls_config){0});

	SSL_set_ciphersuites(p->client, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256");
	pair_meet(p);
	EXPECT_TEXT("TLS_AES_128_GCM_SHA256", tls_libssl.info(p->tls).cipher);
	pair_next(p, NULL);
	SSL_set_max_proto_version(p->client, TLS1_2_VERSION);
	SSL_set_cipher_list(p->client,
			    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256");
	pair_meet(p);
	EXPECT_TEXT("ECDHE-ECDSA-AES128-GCM-SHA256", tls_libssl.info(p->tls).cipher);
	pair_free(p);
}

TEST(tls_context, lives_until_its_last_connection_has_gone)
{
	struct pair *p = pair_new((struct tls_config){0});
	struct tls *second = tls_libssl.accept(p->context, &p->fake.conn);

	tls_libssl.context_free(p->context);
	p->context = NULL;
	tls_libssl.free(second);
	EXPECT_EQ(GW_AGAIN, pair_handshake(p, 100000));
	EXPECT(tls_libssl.ready(p->tls));
	pair_free(p);
}

TEST(tls_context, is_replaced_under_connections_that_keep_theirs)
{
	struct tls_certificate renewed = pem_make("DNS:ep1.home1.net", PEM_P256);
	struct pair *p = pair_new((struct tls_config){0});
	X509 *seen;

	EXPECT_EQ(GW_AGAIN, pair_handshake(p, 1)); /* part of it after the reload */
	pair_context(p, (struct tls_config){.certificate = &renewed, .certificates = 1});
	pair_meet(p);
	seen = SSL_get1_peer_certificate(p->client);
	EXPECT(seen != NULL);
	X509_free(seen);
	pair_next(p, "ep1.home1.net"); /* who trusts the old one only */
	EXPECT_EQ(GW_TLS_ALERT, pair_handshake(p, 100000));
	pair_free(p);
	pem_free(&renewed);
}

static void *make_elsewhere(void *unused)
{
	return pair_new((struct tls_config){0});
}

static void *use_and_free(void *pair)
{
	EXPECT_EQ(GW_AGAIN, pair_handshake(pair, 100000));
	EXPECT(tls_libssl.ready(((struct pair *)pair)->tls));
	pair_free(pair);
	return NULL;
}

static void *in_thread(void *(*run)(void *), void *argument)
{
	pthread_t thread;
	void *result;

	EXPECT_EQ(0, pthread_create(&thread, NULL, run, argument));
	EXPECT_EQ(0, pthread_join(thread, &result));
	return result;
}

/* OpenSSL cleans up random generators when a thread ends: none of a context that is gone. */
TEST(tls_context, may_be_made_in_one_thread_and_used_up_in_another)
{
	in_thread(use_and_free, in_thread(make_elsewhere, NULL));
	in_thread(use_and_free, pair_new((struct tls_config){0}));
	use_and_free(in_thread(make_elsewhere, NULL));
}

TEST(tls_context, frees_nothing_as_nothing)
{
	tls_libssl.context_free(NULL);
	tls_libssl.free(NULL);
	tls_clear.context_free(NULL);
	tls_clear.free(NULL);
}

TEST_MAIN("tls_context", RUN(tls_context, refuses_a_key_that_does_not_fit_the_certificate),
	  RUN(tls_context, says_which_certificate_it_refuses),
	  RUN(tls_context, refuses_a_chain_that_is_broken_behind_its_leaf),
	  RUN(tls_context, sends_the_chain_behind_its_leaf),
	  RUN(tls_context, does_not_ask_for_a_pass_phrase),
	  RUN(tls_context, refuses_a_key_that_is_too_short),
	  RUN(tls_context, refuses_two_certificates_of_the_same_names_and_kind),
	  RUN(tls_context, refuses_unknown_groups_and_versions),
	  RUN(tls_context, refuses_authorities_that_are_not_certificates),
	  RUN(tls_context, refuses_settings_of_a_mutual_one_as_of_any),
	  RUN(tls_context, refuses_ciphers_without_forward_secrecy_or_aead),
	  RUN(tls_context, refuses_lists_that_are_too_long),
	  RUN(tls_context, needs_no_cipher_for_a_version_that_is_not_spoken),
	  RUN(tls_context, has_its_own_order_of_ciphers),
	  RUN(tls_context, lives_until_its_last_connection_has_gone),
	  RUN(tls_context, is_replaced_under_connections_that_keep_theirs),
	  RUN(tls_context, may_be_made_in_one_thread_and_used_up_in_another),
	  RUN(tls_context, frees_nothing_as_nothing))
