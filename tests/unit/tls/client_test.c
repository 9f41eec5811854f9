/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include <openssl/err.h>

#include "peers.h"
#include "tls/libssl.h"

static struct peers *start_ready(uint16_t version)
{
	struct peers *p = peers_new(version);

	peers_meet(p);
	return p;
}

static void expect_failure(const struct tls *tls, const char *words)
{
	EXPECT_TEXT(words, tls_libssl.info(tls).failure);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

TEST(tls_client, handshakes_byte_by_byte)
{
	enum gw_err err[PEER_SIDES];

	for (uint32_t i = 0; i < PEERS_VERSIONS; i++) {
		struct peers *p = peers_new(peers_version[i]);

		peers_connect(p, "icscf.home1.net");
		peers_handshake(p, 1, err);
		EXPECT(tls_libssl.ready(p->tls[PEER_CLIENT]));
		EXPECT(tls_libssl.ready(p->tls[PEER_SERVER]));
		peers_free(p);
	}
}

TEST(tls_client, handshakes_through_small_runs_and_a_small_send_buffer)
{
	enum gw_err err[PEER_SIDES];

	for (uint32_t i = 0; i < PEERS_VERSIONS; i++) {
		struct peers *p = peers_new(peers_version[i]);

		peers_connect(p, "icscf.home1.net");
		for (int side = 0; side < PEER_SIDES; side++) {
			p->fake[side].rx_run = 3;
			p->fake[side].tx_run = 5;
			p->fake[side].tx_limit = 64;
		}
		peers_handshake(p, 100000, err);
		EXPECT(tls_libssl.ready(p->tls[PEER_CLIENT]));
		EXPECT(tls_libssl.ready(p->tls[PEER_SERVER]));
		peers_say(p, PEER_CLIENT, "OPTIONS");
		peers_free(p);
	}
}

TEST(tls_client, handshakes_after_a_hello_that_has_to_be_repeated)
{
	struct peers *p = peers_new(0);
	struct tls_config config = peers_config(p, PEER_SERVER);

	config.groups = "P-256";
	peers_context(p, PEER_SERVER, config);
	peers_meet(p);
	EXPECT_TEXT("secp256r1", tls_libssl.info(p->tls[PEER_CLIENT]).group);
	EXPECT_TEXT("TLSv1.3", tls_libssl.info(p->tls[PEER_CLIENT]).version);
	peers_say(p, PEER_CLIENT, "OPTIONS");
	peers_free(p);
}

static uint8_t byte_at(uint32_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

/** Every byte that from seals comes, once, in order, though its send buffer is small. */
static void stream_through(struct peers *p, enum peer_side from, uint32_t total, uint32_t a_step)
{
	enum peer_side to = from == PEER_CLIENT ? PEER_SERVER : PEER_CLIENT;
	uint8_t bytes[40000], got[4096];
	uint32_t sent = 0, received = 0, waited = 0;
	struct tls_result result;

	for (uint32_t i = 0; i < total; i++)
		bytes[i] = byte_at(i);
	while (received < total) {
		result = tls_libssl.seal(p->tls[from], span_of(bytes + sent, total - sent));
		EXPECT(result.err == GW_OK || result.err == GW_AGAIN);
		EXPECT_EQ(sent + result.n == total, result.err == GW_OK);
		sent += result.n;
		waited += result.err == GW_AGAIN;
		EXPECT(peers_carry(p, a_step));
		while ((result = tls_libssl.open(p->tls[to], got, sizeof(got))).err == GW_OK)
			for (uint32_t i = 0; i < result.n; i++)
				EXPECT_EQ(byte_at(received++), got[i]);
		EXPECT_EQ(GW_AGAIN, result.err);
	}
	EXPECT(waited > 0);
}

TEST(tls_client, sends_and_gets_every_byte_through_a_send_buffer_that_is_full)
{
	static const uint32_t limits[] = {22, 100, 278, 279, 4096, 16406};

	for (uint32_t v = 0; v < PEERS_VERSIONS; v++) {
		struct peers *p = start_ready(peers_version[v]);

		for (uint32_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
			for (int side = 0; side < PEER_SIDES; side++) {
				p->fake[side].tx_limit = limits[i];
				p->fake[side].tx_run = limits[i] / 3 + 1;
				stream_through(p, side, limits[i] < 100 ? 2000 : 40000, 777);
			}
		}
		peers_free(p);
	}
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void expect_closed_by(struct peers *p, enum peer_side by)
{
	enum peer_side other = by == PEER_CLIENT ? PEER_SERVER : PEER_CLIENT;
	uint8_t to[16];

	peers_meet(p);
	EXPECT_EQ(GW_OK, tls_libssl.seal(p->tls[by], SPAN("last")).err);
	EXPECT_EQ(GW_OK, tls_libssl.close(p->tls[by]));
	EXPECT_EQ(GW_TLS_CLOSED, tls_libssl.seal(p->tls[by], SPAN("late")).err);
	peers_carry(p, 100000);
	EXPECT_EQ(4, tls_libssl.open(p->tls[other], to, sizeof(to)).n);
	EXPECT_EQ(GW_TLS_CLOSED, tls_libssl.open(p->tls[other], to, sizeof(to)).err);
	expect_failure(p->tls[other], "");
	EXPECT_EQ(GW_OK, tls_libssl.close(p->tls[other]));
	peers_carry(p, 100000);
	EXPECT_EQ(GW_TLS_CLOSED, tls_libssl.open(p->tls[by], to, sizeof(to)).err);
}

TEST(tls_client, closes_and_is_closed)
{
	for (uint32_t i = 0; i < PEERS_VERSIONS; i++) {
		struct peers *p = peers_new(peers_version[i]);

		expect_closed_by(p, PEER_CLIENT);
		expect_closed_by(p, PEER_SERVER);
		peers_free(p);
	}
}

TEST(tls_client, says_closed_at_fin_after_what_came_before_it)
{
	for (uint32_t i = 0; i < PEERS_VERSIONS; i++) {
		struct peers *p = start_ready(peers_version[i]);
		uint8_t to[16];

		EXPECT_EQ(GW_OK, tls_libssl.seal(p->tls[PEER_SERVER], SPAN("last")).err);
		peers_carry(p, 100000);
		tls_libssl.fin(p->tls[PEER_CLIENT]);
		EXPECT_EQ(4, tls_libssl.open(p->tls[PEER_CLIENT], to, sizeof(to)).n);
		EXPECT_EQ(GW_TLS_CLOSED, tls_libssl.open(p->tls[PEER_CLIENT], to, sizeof(to)).err);
		peers_free(p);
	}
}

TEST(tls_client, fails_when_fin_comes_during_the_handshake)
{
	struct peers *p = peers_new(0);
	uint8_t to[16];

	peers_connect(p, "icscf.home1.net");
	peers_carry(p, 100000);
	tls_libssl.open(p->tls[PEER_SERVER], to, 0);
	peers_carry(p, 200);
	tls_libssl.fin(p->tls[PEER_CLIENT]);
	EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.open(p->tls[PEER_CLIENT], to, sizeof(to)).err);
	expect_failure(p->tls[PEER_CLIENT], "peer closed during the handshake");
	peers_free(p);
}

TEST(tls_client, refuses_what_is_not_tls)
{
	struct peers *p = peers_new(0);
	uint8_t to[16];

	peers_connect(p, "icscf.home1.net");
	fake_arrive(&p->fake[PEER_CLIENT], SPAN("SIP/2.0 400 Bad Request\r\n\r\n"));
	EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.open(p->tls[PEER_CLIENT], to, sizeof(to)).err);
	EXPECT(strstr(tls_libssl.info(p->tls[PEER_CLIENT]).failure,
		      "we refused: wrong version number") != NULL);
	peers_free(p);
}

TEST(tls_client, may_be_freed_at_every_step_of_a_handshake)
{
	for (uint32_t v = 0; v < PEERS_VERSIONS; v++)
		for (uint32_t step = 0; step < 12; step++) {
			struct peers *p = peers_new(peers_version[v]);
			uint8_t to[1];

			peers_connect(p, "icscf.home1.net");
			for (uint32_t i = 0; i < step; i++) {
				peers_carry(p, 300);
				tls_libssl.open(p->tls[PEER_SERVER], to, 0);
				tls_libssl.open(p->tls[PEER_CLIENT], to, 0);
			}
			peers_free(p);
		}
}

/* ---- reload ---------------------------------------------------------------------------------- */

TEST(tls_client, keeps_its_context_when_that_is_replaced)
{
	struct peers *p = start_ready(0);
	struct tls_certificate renewed = peers_issue(p, "DNS:new.home1.net");
	struct tls_config config = peers_config(p, PEER_CLIENT);

	config.certificate = &renewed;
	peers_context(p, PEER_CLIENT, config);
	peers_say(p, PEER_CLIENT, "OPTIONS");
	peers_say(p, PEER_SERVER, "200 OK");
	EXPECT(tls_libssl.peer_is(p->tls[PEER_SERVER], SPAN("wic.home1.net")));
	EXPECT(tls_libssl.peer_is(p->tls[PEER_CLIENT], SPAN("icscf.home1.net")));
	peers_meet(p);
	EXPECT(tls_libssl.peer_is(p->tls[PEER_SERVER], SPAN("new.home1.net")));
	peers_free(p);
	pem_free(&renewed);
}

TEST(tls_client, keeps_its_context_when_that_is_given_up)
{
	struct peers *p = peers_new(0);
	enum gw_err err[PEER_SIDES];

	peers_connect(p, "icscf.home1.net");
	for (int side = 0; side < PEER_SIDES; side++) {
		tls_libssl.context_free(p->context[side]);
		p->context[side] = NULL;
	}
	peers_handshake(p, 100000, err);
	EXPECT(tls_libssl.ready(p->tls[PEER_CLIENT]));
	EXPECT(tls_libssl.ready(p->tls[PEER_SERVER]));
	peers_free(p);
}

/* ---- what a peer may cost -------------------------------------------------------------------- */

/** own[side] with a chain behind it of bytes (DER), as TLS sends it, at most. */
static struct tls_certificate long_chain(const struct peers *p, enum peer_side side, uint32_t bytes)
{
	struct tls_certificate other = peers_issue(p, "DNS:padding.home1.net");
	struct tls_certificate made = {pem_join(p->own[side].chain, SPAN(" ")), p->own[side].key};
	uint32_t one = other.chain.len * 3 / 4; /* more than its DER */

	for (uint32_t n = 2 * one; n < bytes; n += one) {
		struct span longer = pem_join(made.chain, other.chain);

		free((void *)(uintptr_t)made.chain.at);
		made.chain = longer;
	}
	pem_free(&other);
	return made;
}

static void chain_handshake(struct peers *p, enum peer_side side, uint32_t bytes,
			    enum gw_err err[PEER_SIDES])
{
	struct tls_certificate shown = long_chain(p, side, bytes);
	struct tls_config config = peers_config(p, side);

	config.certificate = &shown;
	peers_context(p, side, config);
	peers_connect(p, "icscf.home1.net");
	peers_handshake(p, 100000, err);
	free((void *)(uintptr_t)shown.chain.at);
}

TEST(tls_client, takes_and_shows_a_chain_that_is_longer_than_a_hello)
{
	enum gw_err err[PEER_SIDES];

	for (uint32_t i = 0; i < PEERS_VERSIONS; i++)
		for (int side = 0; side < PEER_SIDES; side++) {
			struct peers *p = peers_new(peers_version[i]);

			chain_handshake(p, side, 32000, err);
			EXPECT(tls_libssl.ready(p->tls[PEER_CLIENT]));
			EXPECT(tls_libssl.ready(p->tls[PEER_SERVER]));
			peers_say(p, PEER_CLIENT, "OPTIONS");
			peers_free(p);
		}
}

TEST(tls_client, makes_no_room_for_a_chain_that_is_too_long_nor_does_a_server)
{
	enum gw_err err[PEER_SIDES];

	for (uint32_t i = 0; i < PEERS_VERSIONS; i++)
		for (int side = 0; side < PEER_SIDES; side++) {
			enum peer_side other = side == PEER_CLIENT ? PEER_SERVER : PEER_CLIENT;
			struct peers *p = peers_new(peers_version[i]);

			chain_handshake(p, side, 48000, err);
			EXPECT_EQ(GW_TLS_HANDSHAKE, err[other]);
			EXPECT(strstr(tls_libssl.info(p->tls[other]).failure,
				      "we refused: excessive message size") != NULL);
			peers_free(p);
		}
}

TEST(tls_client, makes_no_room_for_a_server_hello_that_is_too_long)
{
	struct peers *p = peers_new(0);
	uint8_t to[8];

	peers_connect(p, "icscf.home1.net");
	fake_arrive(&p->fake[PEER_CLIENT], SPAN("\x16\x03\x03\x00\x04\x02\x00\x80\x01"));
	EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.open(p->tls[PEER_CLIENT], to, sizeof(to)).err);
	expect_failure(p->tls[PEER_CLIENT], "we refused: excessive message size");
	peers_free(p);
}

TEST(tls_client, makes_no_room_for_what_is_too_long_behind_the_server_hello_of_tls_1_2)
{
	struct peers *p = peers_new(TLS1_2_VERSION);
	uint32_t hello;
	uint8_t to[8];

	peers_connect(p, "icscf.home1.net");
	peers_carry(p, 100000);
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(p->tls[PEER_SERVER], to, sizeof(to)).err);
	hello = 5 + (uint32_t)(p->fake[PEER_SERVER].tx[3] << 8 | p->fake[PEER_SERVER].tx[4]);
	fake_arrive(&p->fake[PEER_CLIENT], span_of(p->fake[PEER_SERVER].tx, hello));
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(p->tls[PEER_CLIENT], to, sizeof(to)).err);
	fake_arrive(&p->fake[PEER_CLIENT], SPAN("\x16\x03\x03\x00\x04\x0c\x00\x80\x01"));
	EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.open(p->tls[PEER_CLIENT], to, sizeof(to)).err);
	expect_failure(p->tls[PEER_CLIENT], "we refused: excessive message size");
	peers_free(p);
}

static void server_updates(struct peers *p)
{
	uint8_t to[8];

	EXPECT_EQ(GW_OK, tls_libssl.update(p->tls[PEER_SERVER]));
	peers_carry(p, 100000);
	(void)tls_libssl.open(p->tls[PEER_CLIENT], to, sizeof(to));
}

TEST(tls_client, changes_its_keys_and_follows_so_many_changes_and_no_more)
{
	struct peers *p = start_ready(TLS1_3_VERSION);
	uint8_t to[8];

	EXPECT_EQ(GW_OK, tls_libssl.update(p->tls[PEER_CLIENT]));
	peers_say(p, PEER_CLIENT, "new keys");
	for (int i = 0; i < 32; i++)
		server_updates(p);
	peers_say(p, PEER_SERVER, "theirs");
	server_updates(p);
	EXPECT_EQ(GW_OK, tls_libssl.seal(p->tls[PEER_SERVER], SPAN("late")).err);
	peers_carry(p, 100000);
	EXPECT_EQ(GW_TLS_RECORD, tls_libssl.open(p->tls[PEER_CLIENT], to, sizeof(to)).err);
	EXPECT(strstr(tls_libssl.info(p->tls[PEER_CLIENT]).failure,
		      "we refused: too many key updates") != NULL);
	peers_free(p);
}

static void server_tickets(struct peers *p, int n)
{
	SSL *server = p->tls[PEER_SERVER]->ssl;

	for (int i = 0; i < n; i++) {
		EXPECT_EQ(1, SSL_new_session_ticket(server));
		EXPECT_EQ(1, SSL_do_handshake(server));
	}
	peers_carry(p, 100000);
}

TEST(tls_client, keeps_no_ticket_and_takes_so_many_and_no_more)
{
	struct peers *p = start_ready(TLS1_3_VERSION);
	uint8_t to[8];

	server_tickets(p, 32);
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(p->tls[PEER_CLIENT], to, sizeof(to)).err);
	EXPECT_EQ(0, SSL_CTX_sess_number(p->context[PEER_CLIENT]->client));
	peers_say(p, PEER_SERVER, "theirs");
	server_tickets(p, 2);
	EXPECT_EQ(GW_TLS_RECORD, tls_libssl.open(p->tls[PEER_CLIENT], to, sizeof(to)).err);
	peers_free(p);
}

TEST(tls_client, does_not_renegotiate)
{
	struct peers *p = start_ready(TLS1_2_VERSION);
	SSL *server = p->tls[PEER_SERVER]->ssl;
	uint8_t to[8];

	SSL_clear_options(server, SSL_OP_NO_RENEGOTIATION);
	EXPECT_EQ(1, SSL_renegotiate(server));
	EXPECT_EQ(1, SSL_do_handshake(server)); /* HelloRequest */
	EXPECT(peers_carry(p, 100000));
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(p->tls[PEER_CLIENT], to, sizeof(to)).err);
	EXPECT_EQ(5 + 8 + 2 + 16, p->fake[PEER_CLIENT].tx_len); /* a warning: no_renegotiation */
	EXPECT_EQ(GW_OK, tls_libssl.seal(p->tls[PEER_CLIENT], SPAN("still here")).err);
	peers_free(p);
	ERR_clear_error();
}

TEST_MAIN("tls_client", RUN(tls_client, handshakes_byte_by_byte),
	  RUN(tls_client, handshakes_through_small_runs_and_a_small_send_buffer),
	  RUN(tls_client, handshakes_after_a_hello_that_has_to_be_repeated),
	  RUN(tls_client, sends_and_gets_every_byte_through_a_send_buffer_that_is_full),
	  RUN(tls_client, closes_and_is_closed),
	  RUN(tls_client, says_closed_at_fin_after_what_came_before_it),
	  RUN(tls_client, fails_when_fin_comes_during_the_handshake),
	  RUN(tls_client, refuses_what_is_not_tls),
	  RUN(tls_client, may_be_freed_at_every_step_of_a_handshake),
	  RUN(tls_client, keeps_its_context_when_that_is_replaced),
	  RUN(tls_client, keeps_its_context_when_that_is_given_up),
	  RUN(tls_client, takes_and_shows_a_chain_that_is_longer_than_a_hello),
	  RUN(tls_client, makes_no_room_for_a_chain_that_is_too_long_nor_does_a_server),
	  RUN(tls_client, makes_no_room_for_a_server_hello_that_is_too_long),
	  RUN(tls_client, makes_no_room_for_what_is_too_long_behind_the_server_hello_of_tls_1_2),
	  RUN(tls_client, changes_its_keys_and_follows_so_many_changes_and_no_more),
	  RUN(tls_client, keeps_no_ticket_and_takes_so_many_and_no_more),
	  RUN(tls_client, does_not_renegotiate))
