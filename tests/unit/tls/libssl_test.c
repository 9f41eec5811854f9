/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include <openssl/err.h>

#include "pair.h"

#define LARGE 200000

static struct pair *start(void)
{
	return pair_new((struct tls_config){0});
}

static struct pair *start_ready(void)
{
	struct pair *p = start();

	EXPECT_EQ(GW_AGAIN, pair_handshake(p, 100000));
	EXPECT(tls_libssl.ready(p->tls));
	EXPECT_EQ(1, SSL_is_init_finished(p->client));
	return p;
}

static void expect_failure(const struct pair *p, const char *words)
{
	if (strstr(tls_libssl.info(p->tls).failure, words) == NULL)
		fail_msg("said: %s", tls_libssl.info(p->tls).failure);
}

static void client_sends(struct pair *p, struct span bytes)
{
	EXPECT_EQ(bytes.len, SSL_write(p->client, bytes.at, (int)bytes.len));
	while (pair_carry(p, 100000))
		;
}

static void expect_opened(struct pair *p, const char *text)
{
	uint8_t to[256];
	struct tls_result result = tls_libssl.open(p->tls, to, sizeof(to));

	EXPECT_EQ(GW_OK, result.err);
	EXPECT_EQ(strlen(text), result.n);
	EXPECT_BYTES(text, to, result.n);
}

static void expect_received(struct pair *p, const char *text)
{
	uint8_t to[256];

	while (pair_carry(p, 100000))
		;
	EXPECT_EQ(strlen(text), SSL_read(p->client, to, sizeof(to)));
	EXPECT_BYTES(text, to, strlen(text));
}

static uint8_t byte_at(uint32_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

TEST(tls_libssl, handshakes_and_tells_what_was_agreed)
{
	struct pair *p = start_ready();
	struct tls_info info = tls_libssl.info(p->tls);
	const uint8_t *alpn;
	unsigned int alpn_len;

	EXPECT_TEXT("TLSv1.3", info.version);
	EXPECT(strstr(info.cipher, "TLS_AES_") == info.cipher);
	EXPECT_TEXT("x25519", info.group);
	EXPECT_TEXT("ep1.home1.net", info.sni);
	EXPECT_TEXT("", info.failure);
	SSL_get0_alpn_selected(p->client, &alpn, &alpn_len);
	EXPECT_SPAN("http/1.1", span_of(alpn, alpn_len));
	EXPECT_EQ(X509_V_OK, SSL_get_verify_result(p->client));
	pair_free(p);
}

TEST(tls_libssl, is_not_ready_before_the_handshake_is_done)
{
	struct pair *p = start();
	uint8_t to[8];

	EXPECT(!tls_libssl.ready(p->tls));
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(p->tls, to, sizeof(to)).err);
	EXPECT_EQ(GW_AGAIN, tls_libssl.seal(p->tls, SPAN("early")).err);
	EXPECT_EQ(GW_AGAIN, tls_libssl.update(p->tls));
	EXPECT_EQ(GW_OK, tls_libssl.close(p->tls));
	EXPECT_EQ(0, p->fake.tx_len);
	EXPECT_TEXT("-", tls_libssl.info(p->tls).version);
	EXPECT_TEXT("", tls_libssl.info(p->tls).sni);
	pair_free(p);
}

TEST(tls_libssl, handshakes_byte_by_byte)
{
	struct pair *p = start();

	EXPECT_EQ(GW_AGAIN, pair_handshake(p, 1));
	EXPECT(tls_libssl.ready(p->tls));
	pair_free(p);
}

TEST(tls_libssl, handshakes_through_small_runs_and_a_small_send_buffer)
{
	struct pair *p = start();

	p->fake.rx_run = 3;
	p->fake.tx_run = 5;
	p->fake.tx_limit = 64;
	EXPECT_EQ(GW_AGAIN, pair_handshake(p, 100000));
	EXPECT(tls_libssl.ready(p->tls));
	pair_free(p);
}

TEST(tls_libssl, goes_on_with_a_handshake_after_the_send_buffer_was_full)
{
	struct pair *p = start();

	p->fake.tx_limit = 0;
	pair_handshake(p, 100000);
	EXPECT(!tls_libssl.ready(p->tls));
	p->fake.tx_limit = FAKE_BYTES;
	EXPECT_EQ(GW_AGAIN, pair_handshake(p, 100000));
	EXPECT(tls_libssl.ready(p->tls));
	pair_free(p);
}

TEST(tls_libssl, passes_bytes_both_ways)
{
	struct pair *p = start_ready();
	struct tls_result result;

	client_sends(p, SPAN("GET /sip HTTP/1.1"));
	expect_opened(p, "GET /sip HTTP/1.1");
	result = tls_libssl.seal(p->tls, SPAN("HTTP/1.1 101"));
	EXPECT_EQ(GW_OK, result.err);
	EXPECT_EQ(12, result.n);
	expect_received(p, "HTTP/1.1 101");
	pair_free(p);
}

TEST(tls_libssl, gives_no_more_than_there_is_room_for_and_keeps_the_rest)
{
	struct pair *p = start_ready();
	uint8_t to[8];

	client_sends(p, SPAN("0123456789"));
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(p->tls, to, 0).err);
	EXPECT_EQ(4, tls_libssl.open(p->tls, to, 4).n);
	EXPECT_BYTES("0123", to, 4);
	EXPECT_EQ(6, tls_libssl.open(p->tls, to, 8).n);
	EXPECT_BYTES("456789", to, 6);
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(p->tls, to, 8).err);
	pair_free(p);
}

TEST(tls_libssl, waits_for_a_whole_record)
{
	struct pair *p = start_ready();
	uint8_t to[8];

	EXPECT_EQ(5, SSL_write(p->client, "hello", 5));
	for (int i = 0; i < 5 + 5 + 1 + 16 - 1; i++) {
		EXPECT(pair_carry(p, 1));
		EXPECT_EQ(GW_AGAIN, tls_libssl.open(p->tls, to, sizeof(to)).err);
	}
	EXPECT(pair_carry(p, 1));
	EXPECT_EQ(5, tls_libssl.open(p->tls, to, sizeof(to)).n);
	pair_free(p);
}

/* Seals total bytes while the client takes what has left; every byte must come, once, in order. */
static void stream_through(struct pair *p, uint32_t total, uint32_t take_a_step)
{
	uint8_t *bytes = malloc(total), got[4096];
	uint32_t sent = 0, received = 0, stuck = 0;
	struct tls_result result;
	int n;

	for (uint32_t i = 0; i < total; i++)
		bytes[i] = byte_at(i);
	while (received < total && stuck < 3) {
		/* a copy: libssl must not count on the address */
		uint8_t *moved = malloc(total - sent + 1);

		memcpy(moved, bytes + sent, total - sent);
		result = tls_libssl.seal(p->tls, span_of(moved, total - sent));
		free(moved);
		EXPECT(result.err == GW_OK || result.err == GW_AGAIN);
		EXPECT_EQ(sent + result.n == total, result.err == GW_OK);
		if (result.err == GW_AGAIN && p->fake.tx_lie == 0)
			EXPECT_EQ(p->fake.tx_limit, p->fake.tx_len); /* so writable will come */
		sent += result.n;
		stuck = pair_carry(p, take_a_step) ? 0 : stuck + 1;
		while ((n = SSL_read(p->client, got, sizeof(got))) > 0)
			for (int i = 0; i < n; i++)
				EXPECT_EQ(byte_at(received++), got[i]);
	}
	EXPECT_EQ(total, received);
	free(bytes);
}

TEST(tls_libssl, sends_every_byte_through_a_full_send_buffer)
{
	static const uint32_t limits[] = {1, 21, 22, 23, 100, 278, 279, 4096, 16406, 65536};
	struct pair *p;

	for (uint32_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		p = start_ready();
		p->fake.tx_limit = limits[i];
		p->fake.tx_run = limits[i] / 3 + 1;
		stream_through(p, limits[i] < 100 ? 2000 : LARGE, 100000);
		pair_free(p);
	}
}

TEST(tls_libssl, sends_every_byte_when_the_peer_takes_little_at_a_time)
{
	struct pair *p = start_ready();

	p->fake.tx_limit = 8192;
	stream_through(p, LARGE, 333);
	pair_free(p);
}

TEST(tls_libssl, sends_every_byte_even_when_the_room_was_less_than_promised)
{
	struct pair *p = start_ready();

	p->fake.tx_limit = 1000;
	p->fake.tx_lie = 5000;
	stream_through(p, LARGE, 777);
	pair_free(p);
}

TEST(tls_libssl, fills_the_send_buffer_exactly_with_the_records_it_takes)
{
	struct pair *p = start_ready();
	uint8_t bytes[5000] = {0};
	struct tls_result result;

	p->fake.tx_limit = 4000;
	result = tls_libssl.seal(p->tls, span_of(bytes, sizeof(bytes)));
	EXPECT_EQ(GW_AGAIN, result.err);
	EXPECT_EQ(4000 - 22, result.n);
	EXPECT_EQ(4000, p->fake.tx_len);
	pair_free(p);
}

TEST(tls_libssl, refuses_tls_1_2_where_it_is_not_allowed)
{
	struct pair *p = pair_new((struct tls_config){.min_version = 0x0304});

	SSL_set_max_proto_version(p->client, TLS1_2_VERSION);
	EXPECT_EQ(GW_TLS_HANDSHAKE, pair_handshake(p, 100000));
	expect_failure(p, "we refused: unsupported protocol (sent alert protocol version)");
	EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.seal(p->tls, SPAN("x")).err);
	EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.update(p->tls));
	EXPECT_EQ(GW_OK, tls_libssl.close(p->tls));
	pair_free(p);
}

TEST(tls_libssl, speaks_tls_1_2)
{
	struct pair *p = start();

	SSL_set_max_proto_version(p->client, TLS1_2_VERSION);
	EXPECT_EQ(GW_AGAIN, pair_handshake(p, 100000));
	EXPECT(tls_libssl.ready(p->tls));
	EXPECT_TEXT("TLSv1.2", tls_libssl.info(p->tls).version);
	EXPECT_TEXT("x25519", tls_libssl.info(p->tls).group);
	EXPECT_EQ(GW_NOT_SUPPORTED, tls_libssl.update(p->tls));
	p->fake.tx_limit = 1000;
	stream_through(p, LARGE, 700);
	pair_free(p);
}

TEST(tls_libssl, refuses_a_client_without_a_common_group)
{
	struct pair *p = start();

	EXPECT_EQ(1, SSL_set1_groups_list(p->client, "P-384"));
	EXPECT_EQ(GW_TLS_HANDSHAKE, pair_handshake(p, 100000));
	expect_failure(p, "we refused: ");
	expect_failure(p, "(sent alert handshake failure)");
	pair_free(p);
}

TEST(tls_libssl, takes_the_group_it_is_configured_with)
{
	struct pair *p = pair_new((struct tls_config){.groups = "P-256"});

	EXPECT_EQ(GW_AGAIN, pair_handshake(p, 100000)); /* after a HelloRetryRequest */
	EXPECT(tls_libssl.ready(p->tls));
	EXPECT_TEXT("secp256r1", tls_libssl.info(p->tls).group);
	pair_free(p);
}

TEST(tls_libssl, refuses_a_server_name_the_certificate_is_not_for)
{
	struct pair *p = start();

	SSL_set_tlsext_host_name(p->client, "other.home1.net");
	EXPECT_EQ(GW_TLS_HANDSHAKE, pair_handshake(p, 100000));
	expect_failure(p, "(sent alert unrecognized name)");
	EXPECT_TEXT("other.home1.net", tls_libssl.info(p->tls).sni);
	pair_free(p);
}

TEST(tls_libssl, accepts_a_client_without_server_name_or_alpn)
{
	struct pair *p = start();

	SSL_set_tlsext_host_name(p->client, NULL);
	SSL_set_alpn_protos(p->client, NULL, 0);
	EXPECT_EQ(GW_AGAIN, pair_handshake(p, 100000));
	EXPECT(tls_libssl.ready(p->tls));
	EXPECT_TEXT("", tls_libssl.info(p->tls).sni);
	pair_free(p);
}

TEST(tls_libssl, refuses_an_alpn_without_http_1_1)
{
	struct pair *p = start();

	SSL_set_alpn_protos(p->client, (const uint8_t *)"\x02h2", 3);
	EXPECT_EQ(GW_TLS_HANDSHAKE, pair_handshake(p, 100000));
	expect_failure(p, "(sent alert no application protocol)");
	pair_free(p);
}

TEST(tls_libssl, tells_the_alert_of_a_client_that_does_not_trust_us)
{
	struct pair *p = start();

	SSL_CTX_set_cert_store(p->client_ctx, X509_STORE_new());
	EXPECT_EQ(GW_TLS_ALERT, pair_handshake(p, 100000));
	EXPECT_TEXT("peer sent alert unknown CA", tls_libssl.info(p->tls).failure);
	pair_free(p);
}

TEST(tls_libssl, does_not_lay_its_refusal_on_a_warning_of_the_peer)
{
	struct pair *p = start();
	uint8_t to[8];

	SSL_set_max_proto_version(p->client, TLS1_2_VERSION);
	SSL_do_handshake(p->client);
	pair_carry(p, 100000);
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(p->tls, to, sizeof(to)).err);
	fake_arrive(&p->fake, SPAN("\x15\x03\x03\x00\x02\x01\x70")); /* unrecognized_name */
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(p->tls, to, sizeof(to)).err);
	fake_arrive(&p->fake, SPAN("\x16\x03\x03\x00\x04\x0e\x00\x00\x00")); /* not a client's */
	EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.open(p->tls, to, sizeof(to)).err);
	expect_failure(p, "we refused: unexpected message (sent alert unexpected_message)");
	pair_free(p);
}

TEST(tls_libssl, refuses_what_is_not_tls)
{
	struct pair *p = start();
	uint8_t to[8];

	fake_arrive(&p->fake, SPAN("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
	EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.open(p->tls, to, sizeof(to)).err);
	expect_failure(p, "we refused: http request");
	EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.open(p->tls, to, sizeof(to)).err);
	pair_free(p);
}

static void expect_too_long(struct pair *p)
{
	uint8_t to[8];

	fake_arrive(&p->fake, SPAN("\x16\x03\x01\x00\x04\x01\x00\x3f\xfd"));
	EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.open(p->tls, to, sizeof(to)).err);
	expect_failure(p, "we refused: excessive message size");
	pair_free(p);
}

TEST(tls_libssl, makes_no_room_for_a_client_hello_that_is_too_long)
{
	expect_too_long(start());
}

TEST(tls_libssl, makes_no_room_for_a_second_client_hello_that_is_too_long)
{
	struct pair *p = pair_new((struct tls_config){.groups = "P-256"});
	uint8_t to[8];

	SSL_do_handshake(p->client);
	EXPECT(pair_carry(p, 100000));
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(p->tls, to, sizeof(to)).err); /* HelloRetryRequest */
	fake_arrive(&p->fake, SPAN("\x14\x03\x03\x00\x01\x01"));
	expect_too_long(p);
}

TEST(tls_libssl, takes_a_client_hello_as_long_as_a_record)
{
	static uint8_t many[15000]; /* protocols that nobody speaks, and ours */
	struct pair *p = start();

	memset(many, 'x', sizeof(many));
	for (uint32_t i = 0; i + 100 <= sizeof(many); i += 100)
		many[i] = 99;
	memcpy(many, "\x08http/1.1\x5a", 10);
	EXPECT_EQ(0, SSL_set_alpn_protos(p->client, many, sizeof(many)));
	EXPECT_EQ(GW_AGAIN, pair_handshake(p, 100000));
	EXPECT(tls_libssl.ready(p->tls));
	pair_free(p);
}

TEST(tls_libssl, refuses_a_record_that_was_changed)
{
	struct pair *p = start_ready();
	uint8_t to[8];

	EXPECT_EQ(5, SSL_write(p->client, "hello", 5));
	pair_carry(p, 100000);
	p->fake.rx[p->fake.rx_len - 1] ^= 1;
	EXPECT_EQ(GW_TLS_RECORD, tls_libssl.open(p->tls, to, sizeof(to)).err);
	expect_failure(p, "(sent alert bad record mac)");
	EXPECT_EQ(GW_TLS_RECORD, tls_libssl.seal(p->tls, SPAN("x")).err);
	pair_free(p);
}

TEST(tls_libssl, says_closed_at_close_notify_and_can_still_send)
{
	struct pair *p = start_ready();
	uint8_t to[8];

	client_sends(p, SPAN("last"));
	SSL_shutdown(p->client);
	pair_carry(p, 100000);
	expect_opened(p, "last");
	EXPECT_EQ(GW_TLS_CLOSED, tls_libssl.open(p->tls, to, sizeof(to)).err);
	EXPECT_EQ(GW_TLS_CLOSED, tls_libssl.open(p->tls, to, sizeof(to)).err);
	EXPECT_TEXT("", tls_libssl.info(p->tls).failure);
	EXPECT_EQ(GW_OK, tls_libssl.seal(p->tls, SPAN("answer")).err);
	expect_received(p, "answer");
	pair_free(p);
}

TEST(tls_libssl, says_closed_at_fin_after_what_came_before_it)
{
	struct pair *p = start_ready();
	uint8_t to[8];

	client_sends(p, SPAN("last"));
	tls_libssl.fin(p->tls);
	expect_opened(p, "last");
	EXPECT_EQ(GW_TLS_CLOSED, tls_libssl.open(p->tls, to, sizeof(to)).err);
	pair_free(p);
}

TEST(tls_libssl, says_closed_at_fin_in_the_middle_of_a_record)
{
	struct pair *p = start_ready();
	uint8_t to[8];

	EXPECT_EQ(5, SSL_write(p->client, "hello", 5));
	EXPECT(pair_carry(p, 20));
	tls_libssl.fin(p->tls);
	EXPECT_EQ(GW_TLS_CLOSED, tls_libssl.open(p->tls, to, sizeof(to)).err);
	pair_free(p);
}

TEST(tls_libssl, fails_when_fin_comes_during_the_handshake)
{
	struct pair *p = start();
	uint8_t to[8];

	SSL_do_handshake(p->client);
	pair_carry(p, 50);
	tls_libssl.fin(p->tls);
	EXPECT_EQ(GW_TLS_HANDSHAKE, tls_libssl.open(p->tls, to, sizeof(to)).err);
	EXPECT_TEXT("peer closed during the handshake", tls_libssl.info(p->tls).failure);
	pair_free(p);
}

TEST(tls_libssl, sends_close_notify_once)
{
	struct pair *p = start_ready();
	uint8_t to[8];
	uint32_t sent;

	EXPECT_EQ(GW_OK, tls_libssl.close(p->tls));
	sent = p->fake.tx_len;
	EXPECT_EQ(5 + 1 + 2 + 16, sent);
	EXPECT_EQ(GW_OK, tls_libssl.close(p->tls));
	EXPECT_EQ(sent, p->fake.tx_len);
	EXPECT_EQ(GW_TLS_CLOSED, tls_libssl.seal(p->tls, SPAN("late")).err);
	pair_carry(p, 100000);
	EXPECT_EQ(0, SSL_read(p->client, to, sizeof(to)));
	EXPECT_EQ(SSL_RECEIVED_SHUTDOWN, SSL_get_shutdown(p->client) & SSL_RECEIVED_SHUTDOWN);
	pair_free(p);
}

TEST(tls_libssl, still_reads_after_its_own_close)
{
	struct pair *p = start_ready();

	EXPECT_EQ(GW_OK, tls_libssl.close(p->tls));
	client_sends(p, SPAN("meanwhile"));
	EXPECT_EQ(GW_OK, tls_libssl.close(p->tls));
	expect_opened(p, "meanwhile");
	pair_free(p);
}

TEST(tls_libssl, sends_close_notify_when_there_is_room_again)
{
	struct pair *p = start_ready();
	uint8_t to[8];

	p->fake.tx_limit = 10;
	EXPECT_EQ(GW_AGAIN, tls_libssl.close(p->tls));
	EXPECT_EQ(GW_TLS_CLOSED, tls_libssl.seal(p->tls, SPAN("late")).err);
	pair_carry(p, 100000);
	EXPECT_EQ(GW_AGAIN, tls_libssl.close(p->tls));
	pair_carry(p, 100000);
	EXPECT_EQ(GW_OK, tls_libssl.close(p->tls));
	pair_carry(p, 100000);
	EXPECT_EQ(0, SSL_read(p->client, to, sizeof(to)));
	EXPECT_EQ(SSL_ERROR_ZERO_RETURN, SSL_get_error(p->client, 0));
	pair_free(p);
}

TEST(tls_libssl, does_not_close_over_a_record_that_is_on_its_way)
{
	struct pair *p = start_ready();
	struct tls_result result;

	p->fake.tx_limit = 10;
	EXPECT_EQ(0, tls_libssl.seal(p->tls, SPAN("record")).n);
	EXPECT_EQ(GW_AGAIN, tls_libssl.close(p->tls));
	EXPECT_EQ(GW_AGAIN, tls_libssl.update(p->tls));
	p->fake.tx_limit = 1000;
	result = tls_libssl.seal(p->tls, SPAN("record and more"));
	EXPECT_EQ(GW_OK, result.err);
	EXPECT_EQ(15, result.n);
	EXPECT_EQ(GW_OK, tls_libssl.close(p->tls));
	expect_received(p, "record");
	expect_received(p, " and more");
	pair_free(p);
}

TEST(tls_libssl, changes_its_keys)
{
	struct pair *p = start_ready();

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(GW_OK, tls_libssl.update(p->tls));
		EXPECT_EQ((5 + 5 + 1 + 16), p->fake.tx_len);
		EXPECT_EQ(GW_OK, tls_libssl.seal(p->tls, SPAN("new keys")).err);
		expect_received(p, "new keys");
	}
	pair_free(p);
}

TEST(tls_libssl, closes_behind_a_change_of_keys_that_had_no_room)
{
	struct pair *p = start_ready();
	uint8_t to[8];

	p->fake.tx_limit = 10;
	EXPECT_EQ(GW_OK, tls_libssl.update(p->tls));
	EXPECT_EQ(GW_AGAIN, tls_libssl.close(p->tls));
	EXPECT_EQ(GW_TLS_CLOSED, tls_libssl.seal(p->tls, SPAN("late")).err);
	p->fake.tx_limit = 1000;
	EXPECT_EQ(GW_OK, tls_libssl.close(p->tls));
	while (pair_carry(p, 100000))
		;
	EXPECT_EQ(0, SSL_read(p->client, to, sizeof(to)));
	EXPECT_EQ(SSL_ERROR_ZERO_RETURN, SSL_get_error(p->client, 0));
	pair_free(p);
}

TEST(tls_libssl, changes_its_keys_when_there_is_room_again)
{
	struct pair *p = start_ready();

	p->fake.tx_limit = 10;
	EXPECT_EQ(GW_OK, tls_libssl.update(p->tls));
	EXPECT_EQ(GW_AGAIN, tls_libssl.update(p->tls));
	EXPECT_EQ(GW_AGAIN, tls_libssl.seal(p->tls, SPAN("new keys")).err);
	p->fake.tx_limit = 1000;
	EXPECT_EQ(GW_OK, tls_libssl.seal(p->tls, SPAN("new keys")).err);
	expect_received(p, "new keys");
	EXPECT_EQ(GW_OK, tls_libssl.update(p->tls));
	pair_free(p);
}

TEST(tls_libssl, follows_the_key_updates_of_the_peer_and_answers_them)
{
	struct pair *p = start_ready();

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(1, SSL_key_update(p->client, SSL_KEY_UPDATE_REQUESTED));
		client_sends(p, SPAN("theirs"));
		expect_opened(p, "theirs");
		EXPECT_EQ(GW_OK, tls_libssl.seal(p->tls, SPAN("ours")).err);
		expect_received(p, "ours");
	}
	pair_free(p);
}

static void client_updates(struct pair *p)
{
	EXPECT_EQ(1, SSL_key_update(p->client, SSL_KEY_UPDATE_NOT_REQUESTED));
	EXPECT_EQ(1, SSL_do_handshake(p->client));
	while (pair_carry(p, 100000))
		;
}

TEST(tls_libssl, follows_so_many_key_updates_and_no_more)
{
	struct pair *p = start_ready();
	uint8_t to[8];

	for (int i = 0; i < 32; i++)
		client_updates(p);
	client_sends(p, SPAN("theirs"));
	expect_opened(p, "theirs");
	client_updates(p);
	client_sends(p, SPAN("late"));
	EXPECT_EQ(GW_TLS_RECORD, tls_libssl.open(p->tls, to, sizeof(to)).err);
	expect_failure(p, "we refused: too many key updates");
	pair_free(p);
}

TEST(tls_libssl, follows_a_key_update_for_each_64_kib_for_ever)
{
	static uint8_t bytes[16384];
	struct pair *p = start_ready();

	for (int i = 0; i < 100; i++) {
		client_updates(p);
		for (int n = 0; n < 4; n++) {
			client_sends(p, span_of(bytes, sizeof(bytes)));
			EXPECT_EQ(sizeof(bytes), tls_libssl.open(p->tls, bytes, sizeof(bytes)).n);
		}
	}
	pair_free(p);
}

static uint32_t secrets;

static void count_secret(void *to, struct span line)
{
	EXPECT(to == &secrets);
	secrets += span_starts(line, SPAN("CLIENT_")) || span_starts(line, SPAN("SERVER_")) ||
		   span_starts(line, SPAN("EXPORTER_SECRET "));
}

TEST(tls_libssl, tells_its_secrets_only_where_it_is_configured_to)
{
	struct pair *p = start();

	secrets = 0;
	tls_libssl.key_log(p->context, count_secret, &secrets);
	pair_meet(p);
	EXPECT_EQ(0, secrets);
	pair_context(p, (struct tls_config){.key_log = true});
	pair_next(p, NULL); /* nobody has said whom to tell */
	pair_meet(p);
	EXPECT_EQ(0, secrets);
	tls_libssl.key_log(p->context, count_secret, &secrets);
	pair_next(p, NULL);
	pair_meet(p);
	EXPECT_EQ(5, secrets); /* handshake and traffic of both sides, exporter */
	pair_next(p, NULL);
	SSL_set_max_proto_version(p->client, TLS1_2_VERSION);
	pair_meet(p);
	EXPECT_EQ(6, secrets); /* CLIENT_RANDOM */
	pair_free(p);
}

TEST(tls_libssl, does_not_renegotiate)
{
	struct pair *p = start();
	uint8_t to[8];

	SSL_set_max_proto_version(p->client, TLS1_2_VERSION);
	pair_meet(p);
	EXPECT_EQ(1, SSL_renegotiate(p->client));
	EXPECT_EQ(-1, SSL_do_handshake(p->client));
	while (pair_carry(p, 100000))
		;
	EXPECT_EQ(GW_AGAIN, tls_libssl.open(p->tls, to, sizeof(to)).err);
	EXPECT(pair_carry(p, 100000)); /* a warning: no_renegotiation */
	EXPECT_EQ(-1, SSL_do_handshake(p->client));
	EXPECT_EQ(SSL_R_NO_RENEGOTIATION, ERR_GET_REASON(ERR_peek_last_error()));
	EXPECT_EQ(GW_OK, tls_libssl.seal(p->tls, SPAN("still here")).err);
	pair_free(p);
}

TEST(tls_libssl, may_be_freed_at_every_step_of_a_handshake)
{
	for (uint32_t step = 0; step < 6; step++) {
		struct pair *p = start();
		uint8_t to[1];

		for (uint32_t i = 0; i < step; i++) {
			SSL_do_handshake(p->client);
			pair_carry(p, 300);
			tls_libssl.open(p->tls, to, 0);
		}
		pair_free(p);
	}
}

TEST(tls_libssl, may_be_freed_with_a_record_on_its_way)
{
	struct pair *p = start_ready();

	p->fake.tx_limit = 10;
	EXPECT_EQ(GW_AGAIN, tls_libssl.seal(p->tls, SPAN("never arrives")).err);
	pair_free(p);
}

TEST_MAIN("tls_libssl", RUN(tls_libssl, handshakes_and_tells_what_was_agreed),
	  RUN(tls_libssl, is_not_ready_before_the_handshake_is_done),
	  RUN(tls_libssl, handshakes_byte_by_byte),
	  RUN(tls_libssl, handshakes_through_small_runs_and_a_small_send_buffer),
	  RUN(tls_libssl, goes_on_with_a_handshake_after_the_send_buffer_was_full),
	  RUN(tls_libssl, passes_bytes_both_ways),
	  RUN(tls_libssl, gives_no_more_than_there_is_room_for_and_keeps_the_rest),
	  RUN(tls_libssl, waits_for_a_whole_record),
	  RUN(tls_libssl, sends_every_byte_through_a_full_send_buffer),
	  RUN(tls_libssl, sends_every_byte_when_the_peer_takes_little_at_a_time),
	  RUN(tls_libssl, sends_every_byte_even_when_the_room_was_less_than_promised),
	  RUN(tls_libssl, fills_the_send_buffer_exactly_with_the_records_it_takes),
	  RUN(tls_libssl, refuses_tls_1_2_where_it_is_not_allowed), RUN(tls_libssl, speaks_tls_1_2),
	  RUN(tls_libssl, refuses_a_client_without_a_common_group),
	  RUN(tls_libssl, takes_the_group_it_is_configured_with),
	  RUN(tls_libssl, refuses_a_server_name_the_certificate_is_not_for),
	  RUN(tls_libssl, accepts_a_client_without_server_name_or_alpn),
	  RUN(tls_libssl, refuses_an_alpn_without_http_1_1),
	  RUN(tls_libssl, tells_the_alert_of_a_client_that_does_not_trust_us),
	  RUN(tls_libssl, does_not_lay_its_refusal_on_a_warning_of_the_peer),
	  RUN(tls_libssl, refuses_what_is_not_tls),
	  RUN(tls_libssl, makes_no_room_for_a_client_hello_that_is_too_long),
	  RUN(tls_libssl, makes_no_room_for_a_second_client_hello_that_is_too_long),
	  RUN(tls_libssl, takes_a_client_hello_as_long_as_a_record),
	  RUN(tls_libssl, refuses_a_record_that_was_changed),
	  RUN(tls_libssl, says_closed_at_close_notify_and_can_still_send),
	  RUN(tls_libssl, says_closed_at_fin_after_what_came_before_it),
	  RUN(tls_libssl, says_closed_at_fin_in_the_middle_of_a_record),
	  RUN(tls_libssl, fails_when_fin_comes_during_the_handshake),
	  RUN(tls_libssl, sends_close_notify_once),
	  RUN(tls_libssl, still_reads_after_its_own_close),
	  RUN(tls_libssl, sends_close_notify_when_there_is_room_again),
	  RUN(tls_libssl, does_not_close_over_a_record_that_is_on_its_way),
	  RUN(tls_libssl, changes_its_keys),
	  RUN(tls_libssl, closes_behind_a_change_of_keys_that_had_no_room),
	  RUN(tls_libssl, changes_its_keys_when_there_is_room_again),
	  RUN(tls_libssl, follows_the_key_updates_of_the_peer_and_answers_them),
	  RUN(tls_libssl, follows_so_many_key_updates_and_no_more),
	  RUN(tls_libssl, follows_a_key_update_for_each_64_kib_for_ever),
	  RUN(tls_libssl, tells_its_secrets_only_where_it_is_configured_to),
	  RUN(tls_libssl, does_not_renegotiate),
	  RUN(tls_libssl, may_be_freed_at_every_step_of_a_handshake),
	  RUN(tls_libssl, may_be_freed_with_a_record_on_its_way))
