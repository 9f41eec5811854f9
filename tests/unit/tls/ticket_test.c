/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "pair.h"

/* Resumption by tickets, with both versions. */

#define HOST "ep1.home1.net"

static const uint16_t versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
static const struct tls_config usual = {.tickets = 1, .ticket_life_s = 7200};

/** A new key before the others, as control does it. */
static void rotate(struct pair *p)
{
	static uint8_t count;

	memmove(&p->keys.key[1], &p->keys.key[0], (TICKET_KEYS_MAX - 1) * sizeof(p->keys.key[0]));
	memset(&p->keys.key[0], ++count, sizeof(p->keys.key[0]));
	if (p->keys.count < TICKET_KEYS_MAX)
		p->keys.count++;
	p->live = &p->keys;
}

/** A pair that has met once, with a ticket. */
static struct pair *met(struct tls_config config, uint16_t version)
{
	struct pair *p = pair_new(config);

	rotate(p);
	pair_next(p, HOST); /* with keys this time */
	SSL_CTX_set_max_proto_version(p->client_ctx, version);
	SSL_set_max_proto_version(p->client, version);
	pair_meet(p);
	EXPECT(!tls_libssl.info(p->tls).resumed);
	return p;
}

static bool resumes(struct pair *p, const char *name)
{
	bool resumed;

	pair_next(p, name);
	pair_meet(p);
	resumed = tls_libssl.info(p->tls).resumed;
	EXPECT_EQ(resumed, SSL_session_reused(p->client) == 1);
	return resumed;
}

#define FOR_VERSIONS(v) for (uint32_t v = 0; v < sizeof(versions) / sizeof(versions[0]); v++)

TEST(tls_ticket, resumes_again_and_again)
{
	FOR_VERSIONS(v)
	{
		struct pair *p = met(usual, versions[v]);

		for (int i = 0; i < 3; i++)
			EXPECT(resumes(p, HOST));
		pair_free(p);
	}
}

TEST(tls_ticket, resumes_at_another_worker_and_after_a_restart)
{
	FOR_VERSIONS(v)
	{
		struct pair *p = met(usual, versions[v]);

		pair_context(p, usual);
		EXPECT(resumes(p, HOST));
		pair_free(p);
	}
}

TEST(tls_ticket, opens_by_three_keys_and_not_by_the_fourth)
{
	FOR_VERSIONS(v)
	{
		struct pair *p = met(usual, versions[v]);
		SSL_SESSION *first = SSL_SESSION_dup(p->session);

		for (int i = 0; i < TICKET_KEYS_MAX - 1; i++) {
			rotate(p);
			SSL_SESSION_free(p->session);
			p->session = first;
			SSL_SESSION_up_ref(first);
			EXPECT(resumes(p, HOST));
		}
		rotate(p);
		SSL_SESSION_free(p->session);
		p->session = first;
		EXPECT(!resumes(p, HOST));
		pair_free(p);
	}
}

TEST(tls_ticket, is_renewed_when_its_key_is_not_the_newest)
{
	FOR_VERSIONS(v)
	{
		struct pair *p = met(usual, versions[v]);

		for (int i = 0; i < 2 * TICKET_KEYS_MAX; i++) {
			rotate(p);
			EXPECT(resumes(p, HOST));
		}
		pair_free(p);
	}
}

static struct tls_certificate two_names[2];

static struct tls_config two_hosts(void)
{
	struct tls_config config = usual;

	two_names[0] = pem_make("DNS:" HOST ",DNS:ep2.home1.net", PEM_P256);
	two_names[1] = pem_make("DNS:other.example", PEM_P256);
	config.certificate = two_names;
	config.certificates = 2;
	return config;
}

static void two_hosts_free(void)
{
	pem_free(&two_names[0]);
	pem_free(&two_names[1]);
}

TEST(tls_ticket, of_one_name_does_not_resume_under_another)
{
	static const char *const others[] = {"ep2.home1.net", "other.example", NULL};

	FOR_VERSIONS(v)
	for (int i = 0; i < 3; i++) {
		struct pair *p = met(two_hosts(), versions[v]);

		EXPECT(!resumes(p, others[i]));
		pair_free(p);
		two_hosts_free();
	}
}

TEST(tls_ticket, of_a_name_in_another_case_resumes)
{
	FOR_VERSIONS(v)
	{
		struct pair *p = met(usual, versions[v]);

		EXPECT(resumes(p, "EP1.home1.net"));
		pair_free(p);
	}
}

TEST(tls_ticket, resumes_under_a_renewed_certificate_but_not_under_one_of_other_names)
{
	FOR_VERSIONS(v)
	{
		struct tls_certificate renewed = pem_make("DNS:" HOST, PEM_P256);
		struct tls_certificate wider = pem_make("DNS:" HOST ",DNS:x.example", PEM_P256);
		struct tls_config config = usual;
		struct pair *p = met(usual, versions[v]);

		config.certificate = &renewed;
		config.certificates = 1;
		pair_context(p, config);
		EXPECT(resumes(p, HOST));
		config.certificate = &wider;
		pair_context(p, config);
		SSL_CTX_set_verify(p->client_ctx, SSL_VERIFY_NONE, NULL);
		EXPECT(!resumes(p, HOST));
		pair_free(p);
		pem_free(&renewed);
		pem_free(&wider);
	}
}

/** The cipher of the next connection. */
static const char *next_cipher(struct pair *p)
{
	pair_next(p, HOST);
	pair_meet(p);
	return tls_libssl.info(p->tls).cipher;
}

TEST(tls_ticket, does_not_bring_back_a_cipher_that_a_reload_took_away)
{
	struct tls_config config = usual;
	struct pair *p;

	config.ciphers = "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-CHACHA20-POLY1305";
	p = met(config, TLS1_2_VERSION);
	EXPECT_TEXT("ECDHE-ECDSA-CHACHA20-POLY1305", next_cipher(p));
	EXPECT(tls_libssl.info(p->tls).resumed);
	config.ciphers = "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256";
	pair_context(p, config);
	EXPECT_TEXT("ECDHE-ECDSA-AES128-GCM-SHA256", next_cipher(p));
	EXPECT(!tls_libssl.info(p->tls).resumed);
	pair_free(p);
}

TEST(tls_ticket, that_was_changed_means_a_full_handshake)
{
	FOR_VERSIONS(v)
	{
		struct pair *p = met(usual, versions[v]);

		p->keys.key[0].hmac[0] ^= 1; /* the same as a ticket with another MAC */
		EXPECT(!resumes(p, HOST));
		pair_free(p);
	}
}

TEST(tls_ticket, is_not_made_without_keys)
{
	FOR_VERSIONS(v)
	{
		struct pair *p = pair_new(usual);

		SSL_set_max_proto_version(p->client, versions[v]);
		pair_meet(p);
		EXPECT_EQ(0, SSL_SESSION_has_ticket(SSL_get_session(p->client)));
		EXPECT(p->session == NULL || !resumes(p, HOST));
		pair_free(p);
	}
}

TEST(tls_ticket, is_not_made_where_none_is_configured)
{
	FOR_VERSIONS(v)
	{
		struct pair *p = pair_new((struct tls_config){0});

		rotate(p);
		pair_next(p, HOST);
		SSL_set_max_proto_version(p->client, versions[v]);
		pair_meet(p);
		EXPECT_EQ(0, SSL_SESSION_has_ticket(SSL_get_session(p->client)));
		pair_free(p);
	}
}

static int tickets_seen;

static int count_ticket(SSL *client, SSL_SESSION *session)
{
	tickets_seen++;
	return 0;
}

TEST(tls_ticket, comes_as_often_as_is_configured)
{
	for (uint8_t tickets = 1; tickets <= 2; tickets++) {
		struct pair *p =
			pair_new((struct tls_config){.tickets = tickets, .ticket_life_s = 60});

		rotate(p);
		SSL_CTX_sess_set_new_cb(p->client_ctx, count_ticket);
		pair_next(p, HOST);
		tickets_seen = 0;
		pair_meet(p);
		EXPECT_EQ(tickets, tickets_seen);
		pair_free(p);
	}
}

TEST(tls_ticket, says_how_long_it_lives)
{
	FOR_VERSIONS(v)
	{
		struct pair *p = met(usual, versions[v]);

		EXPECT_EQ(7200, SSL_SESSION_get_ticket_lifetime_hint(p->session));
		pair_free(p);
	}
}

TEST(tls_ticket, allows_no_early_data)
{
	struct pair *p = met(usual, TLS1_3_VERSION);

	EXPECT_EQ(0, SSL_SESSION_get_max_early_data(p->session));
	pair_free(p);
}

TEST_MAIN("tls_ticket", RUN(tls_ticket, resumes_again_and_again),
	  RUN(tls_ticket, resumes_at_another_worker_and_after_a_restart),
	  RUN(tls_ticket, opens_by_three_keys_and_not_by_the_fourth),
	  RUN(tls_ticket, is_renewed_when_its_key_is_not_the_newest),
	  RUN(tls_ticket, of_one_name_does_not_resume_under_another),
	  RUN(tls_ticket, of_a_name_in_another_case_resumes),
	  RUN(tls_ticket, resumes_under_a_renewed_certificate_but_not_under_one_of_other_names),
	  RUN(tls_ticket, does_not_bring_back_a_cipher_that_a_reload_took_away),
	  RUN(tls_ticket, that_was_changed_means_a_full_handshake),
	  RUN(tls_ticket, is_not_made_without_keys),
	  RUN(tls_ticket, is_not_made_where_none_is_configured),
	  RUN(tls_ticket, comes_as_often_as_is_configured), RUN(tls_ticket, says_how_long_it_lives),
	  RUN(tls_ticket, allows_no_early_data))
