/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include <openssl/pem.h>
#include <stdio.h>

#include "pair.h"
#include "peers.h"
#include "tls/libssl.h"

static void expect_failure(const struct tls *tls, const char *words)
{
	EXPECT_TEXT(words, tls_libssl.info(tls).failure);
}

/* ---- who is who ------------------------------------------------------------------------------ */

static void expect_met(struct peers *p, const char *version)
{
	struct tls *client = p->tls[PEER_CLIENT], *server = p->tls[PEER_SERVER];

	EXPECT_TEXT(version, tls_libssl.info(client).version);
	EXPECT_TEXT(version, tls_libssl.info(server).version);
	EXPECT_TEXT("icscf.home1.net", tls_libssl.info(client).sni);
	EXPECT_TEXT("icscf.home1.net", tls_libssl.info(server).sni);
	EXPECT(!tls_libssl.info(client).resumed);
	EXPECT_EQ(1, sk_X509_num(SSL_get_peer_cert_chain(client->ssl))); /* no authority */
	EXPECT(tls_libssl.peer_is(client, SPAN("icscf.home1.net")));
	EXPECT(!tls_libssl.peer_is(client, SPAN("wic.home1.net")));
	EXPECT(tls_libssl.peer_is(server, SPAN("wic.home1.net")));
	EXPECT(!tls_libssl.peer_is(server, SPAN("icscf.home1.net")));
	peers_say(p, PEER_CLIENT, "OPTIONS");
	peers_say(p, PEER_SERVER, "200 OK");
}

TEST(tls_mutual, both_sides_know_each_other)
{
	struct peers *p = peers_new(TLS1_3_VERSION);

	peers_meet(p);
	expect_met(p, "TLSv1.3");
	p->version = TLS1_2_VERSION;
	peers_meet(p);
	expect_met(p, "TLSv1.2");
	peers_free(p);
}

TEST(tls_mutual, a_client_has_sent_its_hello_at_once)
{
	struct peers *p = peers_new(0);

	peers_connect(p, "icscf.home1.net");
	EXPECT(p->fake[PEER_CLIENT].tx_len > 0);
	EXPECT_EQ(0x16, p->fake[PEER_CLIENT].tx[0]);
	peers_free(p);
}

TEST(tls_mutual, nobody_is_known_before_the_handshake_is_done)
{
	struct peers *p = peers_new(0);

	peers_connect(p, "icscf.home1.net");
	for (int side = 0; side < PEER_SIDES; side++) {
		EXPECT(!tls_libssl.ready(p->tls[side]));
		EXPECT(!tls_libssl.peer_is(p->tls[side], SPAN("icscf.home1.net")));
		EXPECT_EQ(GW_AGAIN, tls_libssl.seal(p->tls[side], SPAN("early")).err);
	}
	peers_free(p);
}

TEST(tls_mutual, a_server_is_not_known_by_its_certificate_alone)
{
	struct peers *p = peers_new(TLS1_2_VERSION);
	struct tls *client;
	uint8_t to[8];

	peers_connect(p, "icscf.home1.net");
	client = p->tls[PEER_CLIENT];
	peers_carry(p, 100000);
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(p->tls[PEER_SERVER], to, sizeof(to)).err);
	peers_carry(p, 100000);
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(client, to, sizeof(to)).err);
	EXPECT(SSL_get0_peer_certificate(client->ssl) != NULL); /* its Finished is to come */
	EXPECT(!tls_libssl.peer_is(client, SPAN("icscf.home1.net")));
	peers_free(p);
}

static void expect_told(const char *name, const char *sni)
{
	struct peers *p = peers_new(0);
	enum gw_err err[PEER_SIDES];

	peers_connect(p, name);
	peers_handshake(p, 100000, err);
	EXPECT(tls_libssl.ready(p->tls[PEER_CLIENT]));
	EXPECT(tls_libssl.ready(p->tls[PEER_SERVER]));
	EXPECT_TEXT(sni, tls_libssl.info(p->tls[PEER_SERVER]).sni);
	EXPECT(tls_libssl.peer_is(p->tls[PEER_CLIENT], SPAN("icscf.home1.net")));
	EXPECT(!tls_libssl.peer_is(p->tls[PEER_CLIENT], span_text(name)));
	peers_free(p);
}

TEST(tls_mutual, a_server_is_told_a_name_and_no_address)
{
	expect_told("198.18.0.10", "");
	expect_told("[fd00:18::10]", "");
	expect_told("fd00:18::10", "");
	expect_told("not a name", "");
	expect_told("", "");
}

TEST(tls_mutual, a_server_that_is_called_otherwise_serves_all_the_same)
{
	expect_told("other.home1.net", "other.home1.net");
	expect_told("home1.net", "home1.net");
}

TEST(tls_mutual, a_server_of_several_names_shows_the_one_that_is_asked_for)
{
	struct peers *p = peers_new(0);
	struct tls_certificate both[] = {p->own[PEER_SERVER], peers_issue(p, "DNS:ibcf.home1.net")};
	struct tls_config config = peers_config(p, PEER_SERVER);
	enum gw_err err[PEER_SIDES];

	config.certificate = both;
	config.certificates = 2;
	peers_context(p, PEER_SERVER, config);
	peers_connect(p, "ibcf.home1.net");
	peers_handshake(p, 100000, err);
	EXPECT(tls_libssl.peer_is(p->tls[PEER_CLIENT], SPAN("ibcf.home1.net")));
	peers_connect(p, "neither.home1.net");
	peers_handshake(p, 100000, err);
	EXPECT(tls_libssl.peer_is(p->tls[PEER_CLIENT], SPAN("icscf.home1.net")));
	peers_free(p);
	pem_free(&both[1]);
}

TEST(tls_mutual, a_client_shows_its_first_certificate)
{
	struct peers *p = peers_new(0);
	struct tls_certificate both[] = {p->own[PEER_CLIENT], peers_issue(p, "DNS:z.home1.net")};
	struct tls_config config = peers_config(p, PEER_CLIENT);

	config.certificate = both;
	config.certificates = 2;
	peers_context(p, PEER_CLIENT, config);
	for (uint32_t i = 0; i < PEERS_VERSIONS; i++) {
		p->version = peers_version[i];
		peers_meet(p);
		EXPECT(tls_libssl.peer_is(p->tls[PEER_SERVER], SPAN("wic.home1.net")));
	}
	peers_free(p);
	pem_free(&both[1]);
}

TEST(tls_mutual, without_authorities_nobody_is_known_and_nobody_can_connect)
{
	struct pair *p = pair_new((struct tls_config){0});

	pair_meet(p);
	EXPECT(!tls_libssl.peer_is(p->tls, SPAN("common.example")));
	EXPECT(tls_libssl.connect(p->context, &p->fake.conn, SPAN("icscf.home1.net")) == NULL);
	pair_free(p);
}

/* ---- who is refused -------------------------------------------------------------------------- */

/** side is made to show shown; verdict is what the other side thinks of it. */
static void expect_refused(struct peers *p, enum peer_side side, struct tls_certificate shown,
			   const char *verdict, const char *alert)
{
	enum peer_side other = side == PEER_CLIENT ? PEER_SERVER : PEER_CLIENT;
	struct tls_config config = peers_config(p, side);
	char ours[TLS_FAILURE_MAX], theirs[TLS_FAILURE_MAX];
	enum gw_err err[PEER_SIDES];

	config.certificate = &shown;
	peers_context(p, side, config);
	snprintf(ours, sizeof(ours), "we refused: certificate verify failed: %s (sent alert %s)",
		 verdict, alert);
	snprintf(theirs, sizeof(theirs), "peer sent alert %s", alert);
	for (uint32_t i = 0; i < PEERS_VERSIONS; i++) {
		p->version = peers_version[i];
		peers_connect(p, "icscf.home1.net");
		peers_handshake(p, 100000, err);
		EXPECT_EQ(GW_TLS_HANDSHAKE, err[other]);
		EXPECT_EQ(GW_TLS_ALERT, err[side]);
		expect_failure(p->tls[other], ours);
		expect_failure(p->tls[side], theirs);
		EXPECT(!tls_libssl.ready(p->tls[other]));
		EXPECT(!tls_libssl.peer_is(p->tls[other], SPAN("icscf.home1.net")));
		EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.seal(p->tls[other], SPAN("x")).err);
		EXPECT_EQ(GW_TLS_ALERT, tls_libssl.seal(p->tls[side], SPAN("x")).err);
	}
}

static void expect_wish_refused(struct pem_wish wish, const char *verdict, const char *alert)
{
	for (int side = 0; side < PEER_SIDES; side++) {
		struct peers *p = peers_new(0);
		struct tls_certificate shown;

		wish.names = "DNS:icscf.home1.net";
		wish.issuer = &p->authority;
		shown = pem_issue(&wish);
		expect_refused(p, side, shown, verdict, alert);
		pem_free(&shown);
		peers_free(p);
	}
}

TEST(tls_mutual, a_certificate_that_has_expired_is_refused)
{
	expect_wish_refused((struct pem_wish){.from_s = -7200, .until_s = -3600},
			    "certificate has expired", "certificate expired");
}

TEST(tls_mutual, a_certificate_that_is_not_valid_yet_is_refused)
{
	expect_wish_refused((struct pem_wish){.from_s = 3600, .until_s = 7200},
			    "certificate is not yet valid", "bad certificate");
}

static void expect_stranger_refused(enum peer_side side)
{
	struct peers *p = peers_new(0);
	struct tls_certificate stranger =
		pem_issue(&(struct pem_wish){.constraints = "critical,CA:TRUE"});
	struct tls_certificate shown =
		pem_issue(&(struct pem_wish){.names = "DNS:icscf.home1.net", .issuer = &stranger});

	expect_refused(p, side, shown, "unable to get local issuer certificate", "unknown CA");
	pem_free(&shown);
	shown = pem_make("DNS:icscf.home1.net", PEM_P256);
	expect_refused(p, side, shown, "self-signed certificate", "unknown CA");
	pem_free(&shown);
	pem_free(&stranger);
	peers_free(p);
}

TEST(tls_mutual, a_certificate_of_another_authority_or_of_its_own_is_refused)
{
	expect_stranger_refused(PEER_CLIENT);
	expect_stranger_refused(PEER_SERVER);
}

/** Of a certificate that own[side], no authority, has signed. */
static void expect_bold_refused(enum peer_side side, const char *constraints)
{
	struct peers *p = peers_new(0);
	struct tls_certificate between =
		pem_issue(&(struct pem_wish){.constraints = constraints, .issuer = &p->authority});
	struct tls_certificate shown =
		pem_issue(&(struct pem_wish){.names = "DNS:icscf.home1.net", .issuer = &between});
	struct tls_certificate whole = {pem_join(shown.chain, between.chain), shown.key};

	expect_refused(p, side, whole, "invalid CA certificate", "unknown CA");
	free((void *)(uintptr_t)whole.chain.at);
	pem_free(&shown);
	pem_free(&between);
	peers_free(p);
}

TEST(tls_mutual, a_certificate_that_no_authority_has_signed_is_refused)
{
	for (int side = 0; side < PEER_SIDES; side++) {
		expect_bold_refused(side, NULL);
		expect_bold_refused(side, "critical,CA:FALSE");
	}
}

static void pair_show(struct pair *p, const struct tls_certificate *shown)
{
	BIO *chain = BIO_new_mem_buf(shown->chain.at, (int)shown->chain.len),
	    *private = BIO_new_mem_buf(shown->key.at, (int)shown->key.len);
	X509 *cert = PEM_read_bio_X509(chain, NULL, NULL, NULL);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(private, NULL, NULL, NULL);

	EXPECT_EQ(1, SSL_use_cert_and_key(p->client, cert, key, NULL, 1));
	EVP_PKEY_free(key);
	X509_free(cert);
	BIO_free(private);
	BIO_free(chain);
}

TEST(tls_mutual, a_client_without_certificate_is_refused)
{
	struct tls_certificate authority = pem_make("DNS:ca.example", PEM_P256);

	for (uint32_t i = 0; i < PEERS_VERSIONS; i++) {
		struct pair *p = pair_new((struct tls_config){.authorities = authority.chain});

		SSL_set_max_proto_version(p->client, peers_version[i]);
		EXPECT_EQ(GW_TLS_HANDSHAKE, pair_handshake(p, 100000));
		expect_failure(p->tls, peers_version[i] == TLS1_3_VERSION
					       ? "we refused: peer did not return a certificate "
						 "(sent alert certificate required)"
					       : "we refused: peer did not return a certificate "
						 "(sent alert handshake failure)");
		EXPECT(!tls_libssl.peer_is(p->tls, SPAN("common.example")));
		pair_free(p);
	}
	pem_free(&authority);
}

TEST(tls_mutual, a_certificate_with_a_weak_key_is_refused)
{
	struct tls_certificate weak = pem_make("DNS:wic.home1.net", PEM_RSA_SHORT);
	struct pair *p = pair_new((struct tls_config){.authorities = weak.chain});

	SSL_set_security_level(p->client, 0);
	pair_show(p, &weak);
	EXPECT_EQ(GW_TLS_HANDSHAKE, pair_handshake(p, 100000));
	expect_failure(p->tls, "we refused: certificate verify failed: EE certificate key too weak "
			       "(sent alert bad certificate)");
	pair_free(p);
	pem_free(&weak);
}

TEST(tls_mutual, a_client_may_be_ready_before_it_is_refused)
{
	struct peers *p = peers_new(TLS1_3_VERSION);
	struct tls_certificate stranger = pem_make("DNS:wic.home1.net", PEM_P256);
	struct tls_config config = peers_config(p, PEER_CLIENT);
	struct tls *client, *server;
	uint8_t to[8];

	config.certificate = &stranger;
	peers_context(p, PEER_CLIENT, config);
	peers_connect(p, "icscf.home1.net");
	client = p->tls[PEER_CLIENT];
	server = p->tls[PEER_SERVER];
	peers_carry(p, 100000);
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(server, to, sizeof(to)).err);
	peers_carry(p, 100000);
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(client, to, sizeof(to)).err);
	EXPECT(tls_libssl.ready(client));
	EXPECT(tls_libssl.peer_is(client, SPAN("icscf.home1.net")));
	EXPECT_EQ(GW_OK, tls_libssl.seal(client, SPAN("OPTIONS")).err);
	peers_carry(p, 100000);
	EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.open(server, to, sizeof(to)).err);
	peers_carry(p, 100000);
	tls_libssl.fin(client);
	EXPECT_EQ(GW_TLS_ALERT, tls_libssl.open(client, to, sizeof(to)).err);
	expect_failure(client, "peer sent alert unknown CA");
	EXPECT_EQ(GW_TLS_ALERT, tls_libssl.seal(client, SPAN("late")).err);
	EXPECT_EQ(GW_OK, tls_libssl.close(client));
	peers_free(p);
	pem_free(&stranger);
}

/* ---- who is not refused ---------------------------------------------------------------------- */

static void meet_with(struct peers *p, enum peer_side side, struct tls_certificate shown)
{
	struct tls_config config = peers_config(p, side);

	config.certificate = &shown;
	peers_context(p, side, config);
	for (uint32_t i = 0; i < PEERS_VERSIONS; i++) {
		p->version = peers_version[i];
		peers_meet(p);
		EXPECT(tls_libssl.peer_is(p->tls[side == PEER_CLIENT ? PEER_SERVER : PEER_CLIENT],
					  SPAN("both.home1.net")));
	}
}

TEST(tls_mutual, a_certificate_may_be_for_one_side_and_serve_both)
{
	static const char *const usages[] = {NULL,
					     "serverAuth",
					     "clientAuth",
					     "critical,clientAuth",
					     "1.3.6.1.5.5.7.3.20",
					     "serverAuth,clientAuth"};

	for (uint32_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++)
		for (int side = 0; side < PEER_SIDES; side++) {
			struct peers *p = peers_new(0);
			struct tls_certificate shown =
				pem_issue(&(struct pem_wish){.names = "DNS:both.home1.net",
							     .usage = usages[i],
							     .issuer = &p->authority});

			meet_with(p, side, shown);
			pem_free(&shown);
			peers_free(p);
		}
}

static void expect_chain(enum peer_side side, bool root_is_known)
{
	struct peers *p = peers_new(0);
	struct tls_certificate between = pem_issue(
		&(struct pem_wish){.constraints = "critical,CA:TRUE", .issuer = &p->authority});
	struct tls_certificate shown =
		pem_issue(&(struct pem_wish){.names = "DNS:both.home1.net", .issuer = &between});
	struct tls_certificate whole = {pem_join(shown.chain, between.chain), shown.key};
	enum peer_side other = side == PEER_CLIENT ? PEER_SERVER : PEER_CLIENT;
	struct tls_config config = peers_config(p, other);

	if (!root_is_known)
		config.authorities = between.chain;
	peers_context(p, other, config);
	config = peers_config(p, side);
	config.certificate = root_is_known ? &whole : &shown;
	peers_context(p, side, config);
	peers_meet(p);
	free((void *)(uintptr_t)whole.chain.at);
	pem_free(&shown);
	pem_free(&between);
	peers_free(p);
}

TEST(tls_mutual, an_authority_may_sign_through_another)
{
	expect_chain(PEER_CLIENT, true);
	expect_chain(PEER_SERVER, true);
}

/** A server that shows a certificate with so many between it and the authority. */
static void deep_handshake(struct peers *p, int between, enum gw_err err[PEER_SIDES])
{
	struct tls_config config = peers_config(p, PEER_SERVER);
	struct tls_certificate above = p->authority, shown = {SPAN(""), SPAN("")}, next;
	struct span chain = pem_join(SPAN("\n"), SPAN("\n")), longer;

	for (int i = 0; i <= between; i++) {
		next = pem_issue(&(struct pem_wish){
			.names = "DNS:icscf.home1.net",
			.constraints = i < between ? "critical,CA:TRUE" : NULL,
			.issuer = &above,
		});
		longer = pem_join(next.chain, chain);
		free((void *)(uintptr_t)chain.at);
		chain = longer;
		if (i > 0)
			pem_free(&above);
		above = next;
	}
	shown = (struct tls_certificate){chain, above.key};
	config.certificate = &shown;
	peers_context(p, PEER_SERVER, config);
	peers_connect(p, "icscf.home1.net");
	peers_handshake(p, 100000, err);
	pem_free(&above);
	free((void *)(uintptr_t)chain.at);
}

TEST(tls_mutual, an_authority_may_sign_through_eight_others_and_no_more)
{
	struct peers *p = peers_new(0);
	enum gw_err err[PEER_SIDES];

	deep_handshake(p, 8, err);
	EXPECT(tls_libssl.ready(p->tls[PEER_CLIENT]));
	deep_handshake(p, 9, err);
	EXPECT_EQ(GW_TLS_HANDSHAKE, err[PEER_CLIENT]);
	expect_failure(p->tls[PEER_CLIENT], "we refused: certificate verify failed: certificate "
					    "chain too long (sent alert unknown CA)");
	peers_free(p);
}

TEST(tls_mutual, an_authority_is_trusted_without_who_has_signed_it)
{
	expect_chain(PEER_CLIENT, false);
	expect_chain(PEER_SERVER, false);
}

TEST(tls_mutual, each_of_several_authorities_is_trusted)
{
	struct peers *p = peers_new(0);
	struct tls_certificate other =
		pem_issue(&(struct pem_wish){.constraints = "critical,CA:TRUE"});
	struct tls_config config = peers_config(p, PEER_SERVER);
	struct span both = pem_join(other.chain, p->authority.chain);

	config.authorities = both;
	peers_context(p, PEER_SERVER, config);
	peers_meet(p);
	free((void *)(uintptr_t)both.at);
	pem_free(&other);
	peers_free(p);
}

/** A libssl client that shows a certificate to a mutual context, in both versions. */
static void pair_prepare(struct pair *p, uint16_t version)
{
	pair_next(p, "ep1.home1.net");
	SSL_set_max_proto_version(p->client, version);
	pair_show(p, &p->own);
}

TEST(tls_mutual, nobody_is_asked_for_a_protocol)
{
	struct tls_certificate own = pem_make("DNS:ep1.home1.net", PEM_P256);
	struct pair *p = pair_new((struct tls_config){.certificate = &own,
						      .certificates = 1,
						      .authorities = own.chain});
	const uint8_t *alpn;
	unsigned int alpn_len;

	pem_free(&p->own);
	p->own = own;
	for (uint32_t i = 0; i < PEERS_VERSIONS; i++) {
		pair_prepare(p, peers_version[i]);
		EXPECT_EQ(0, SSL_set_alpn_protos(p->client, (const uint8_t *)"\x02h2", 3));
		pair_meet(p);
		SSL_get0_alpn_selected(p->client, &alpn, &alpn_len);
		EXPECT_EQ(0, alpn_len);
	}
	pair_free(p);
}

TEST(tls_mutual, nobody_gets_a_ticket)
{
	struct tls_certificate own = pem_make("DNS:ep1.home1.net", PEM_P256);
	struct pair *p = pair_new((struct tls_config){.certificate = &own,
						      .certificates = 1,
						      .authorities = own.chain,
						      .tickets = 2,
						      .ticket_life_s = 3600});

	pem_free(&p->own);
	p->own = own;
	p->keys.count = 1;
	p->live = &p->keys;
	for (uint32_t i = 0; i < PEERS_VERSIONS; i++) {
		pair_prepare(p, peers_version[i]);
		pair_meet(p);
		EXPECT(p->session == NULL || !SSL_SESSION_has_ticket(p->session));
		EXPECT(!tls_libssl.info(p->tls).resumed);
	}
	pair_free(p);
}

TEST_MAIN("tls_mutual", RUN(tls_mutual, both_sides_know_each_other),
	  RUN(tls_mutual, a_client_has_sent_its_hello_at_once),
	  RUN(tls_mutual, nobody_is_known_before_the_handshake_is_done),
	  RUN(tls_mutual, a_server_is_not_known_by_its_certificate_alone),
	  RUN(tls_mutual, a_server_is_told_a_name_and_no_address),
	  RUN(tls_mutual, a_server_that_is_called_otherwise_serves_all_the_same),
	  RUN(tls_mutual, a_server_of_several_names_shows_the_one_that_is_asked_for),
	  RUN(tls_mutual, a_client_shows_its_first_certificate),
	  RUN(tls_mutual, without_authorities_nobody_is_known_and_nobody_can_connect),
	  RUN(tls_mutual, a_certificate_that_has_expired_is_refused),
	  RUN(tls_mutual, a_certificate_that_is_not_valid_yet_is_refused),
	  RUN(tls_mutual, a_certificate_of_another_authority_or_of_its_own_is_refused),
	  RUN(tls_mutual, a_certificate_that_no_authority_has_signed_is_refused),
	  RUN(tls_mutual, a_client_without_certificate_is_refused),
	  RUN(tls_mutual, a_certificate_with_a_weak_key_is_refused),
	  RUN(tls_mutual, a_client_may_be_ready_before_it_is_refused),
	  RUN(tls_mutual, a_certificate_may_be_for_one_side_and_serve_both),
	  RUN(tls_mutual, an_authority_may_sign_through_another),
	  RUN(tls_mutual, an_authority_may_sign_through_eight_others_and_no_more),
	  RUN(tls_mutual, an_authority_is_trusted_without_who_has_signed_it),
	  RUN(tls_mutual, each_of_several_authorities_is_trusted),
	  RUN(tls_mutual, nobody_is_asked_for_a_protocol), RUN(tls_mutual, nobody_gets_a_ticket))
