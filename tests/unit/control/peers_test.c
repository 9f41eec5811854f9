/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/peers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../test.h"
#include "loaded.h"

enum { ASKED_MAX = 64 };

/** Peers under a clock of the test, and a name server that is the test. */
struct zone {
	struct loaded loaded;
	struct peers *peers;
	struct log *log;
	struct peers_question asked[ASKED_MAX];
	char name[ASKED_MAX][300];
	uint32_t count, cancelled;
	bool refuse; /* questions cannot be asked */
	uint64_t now_ms;
	struct peer_part *live;
	uint32_t published;
	enum gw_err publish_err;
};

static uint64_t zone_start(void *context, const struct peers_question *question)
{
	struct zone *z = context;

	assert_true(z->count < ASKED_MAX);
	if (z->refuse)
		return 0;
	z->asked[z->count] = *question;
	snprintf(z->name[z->count], sizeof(z->name[0]), "%s", question->name);
	return ++z->count;
}

static void zone_cancel(void *context, uint64_t id)
{
	((struct zone *)context)->cancelled++;
}

static uint64_t zone_now(void *context)
{
	return ((struct zone *)context)->now_ms;
}

static enum gw_err zone_publish(void *context)
{
	struct zone *z = context;

	z->published++;
	if (z->publish_err != GW_OK)
		return z->publish_err;
	if (z->live != NULL)
		z->live->part.free(&z->live->part);
	z->live = peers_part(z->peers);
	return GW_OK;
}

static struct zone zone;

#define HOP "sip:198.18.0.20;transport=tcp"

/** A configuration with this next hop, and mw.tls or not. */
static void begin_with(const char *hop, const char *tls)
{
	char *plain = folder_replace(loaded_minimal, HOP, hop);
	char *text = folder_replace(plain, "mw:\n", tls);
	struct log_config log = {.level = LOG_LEVEL_DEBUG, .rate = 1000};
	struct peers_config config = {
		.resolver = {zone_start, zone_cancel, &zone},
		.now_ms = zone_now,
		.publish = zone_publish,
		.context = &zone,
	};

	memset(&zone, 0, sizeof(zone));
	loaded_begin(&zone.loaded, text);
	free(text);
	free(plain);
	assert_non_null(zone.loaded.config);
	log.fd = open(folder_path(&zone.loaded.folder, "log"), O_RDWR | O_CREAT | O_APPEND, 0600);
	zone.now_ms = 1000000;
	config.log = zone.log = log_new(&log);
	zone.peers = peers_new(&config);
	peers_configure(zone.peers, zone.loaded.config);
}

static void begin(const char *hop)
{
	begin_with(hop, "mw:\n");
}

static void begin_tls(const char *hop)
{
	begin_with(hop,
		   "mw:\n  tls: {certificate: cert.pem, key: key.pem, authorities: cert.pem}\n");
}

static void end(void)
{
	peers_free(zone.peers);
	if (zone.live != NULL)
		zone.live->part.free(&zone.live->part);
	log_free(zone.log);
	loaded_end(&zone.loaded);
}

static void pass(uint64_t ms)
{
	zone.now_ms += ms;
	peers_tick(zone.peers);
}

/** The question asked last is this one. */
static void expect_asked(uint16_t type, const char *name)
{
	assert_true(zone.count > 0);
	EXPECT_EQ(type, zone.asked[zone.count - 1].type);
	EXPECT_TEXT(name, zone.name[zone.count - 1]);
}

static void answer(const struct peers_answer *answer)
{
	const struct peers_question *q = &zone.asked[zone.count - 1];

	q->done(q->context, answer);
}

static void say(uint32_t ttl_s, const struct span *rdata, uint32_t count)
{
	answer(&(struct peers_answer){.ttl_s = ttl_s, .rdata = rdata, .count = count});
}

static void say_nothing(void)
{
	say(60, NULL, 0);
}

static void say_failed(void)
{
	answer(&(struct peers_answer){.failed = true});
}

#define ADDRESS(last) span_of("\xc6\x12\x00" last, 4)
static void say_address(uint32_t ttl_s, struct span address)
{
	say(ttl_s, &address, 1);
}

/** A worker has seen a host. */
static bool wanted(const char *name, uint16_t port, enum next_hop_transport transport)
{
	struct message_peer_wanted message = {
		.head = {MESSAGE_PEER_WANTED, sizeof(message)},
		.port = port,
		.transport = transport,
		.name_len = (uint32_t)strlen(name),
	};

	memcpy(message.name, name, strlen(name));
	return peers_message(zone.peers, span_of(&message, sizeof(message)));
}

/** What is published of the only name: "address:port transport priority weight", each. */
static const char *published(void)
{
	static const char *const names[] = {"udp", "tcp", "tls"};
	static char text[1024];
	uint32_t len = 0;

	peers_tick(zone.peers);
	assert_non_null(zone.live);
	EXPECT_EQ(1, zone.live->count);
	text[0] = '\0';
	for (uint32_t i = 0; i < zone.live->row[0].count; i++) {
		const struct peer_address *a = &zone.live->row[0].address[i];
		char address[ENDPOINT_TEXT_MAX];

		len += (uint32_t)snprintf(text + len, sizeof(text) - len, "%s%s %s %u %u",
					  i > 0 ? ", " : "", endpoint_format(&a->address, address),
					  names[a->transport], a->priority & 0xffff, a->weight);
	}
	return text;
}

TEST(peers, asks_nothing_for_a_next_hop_that_is_an_address)
{
	begin(HOP);
	pass(1000);
	EXPECT_EQ(0, zone.count);
	EXPECT_EQ(0, zone.published);
	end();
}

TEST(peers, asks_naptr_then_srv_then_the_address)
{
	static const struct span naptr[] = {
		{(const uint8_t *)"\0\x32\0\x32\1s\7SIP+D2U\0\4_sip\4_udp\5home1\3net", 38},
		{(const uint8_t *)"\0\x0a\0\x32\1s\7SIP+D2T\0\4_sip\4_tcp\5home1\3net", 38},
		{(const uint8_t *)"\0\x01\0\x32\1s\10SIPS+D2T\0\5_sips\4_tcp\5home1\3net", 40},
		{(const uint8_t *)"\0\x01\0\x32\1s", 6},
	};
	static const struct span srv[] = {
		{(const uint8_t *)"\0\x0a\0\x05\x13\xce\2s1\5home1\3net", 20},
		{(const uint8_t *)"\0\x14\0\x00\x13\xce\2s2\5home1\3net", 20},
		{(const uint8_t *)"\0\x14\0\x00\x13\xce\0", 7}, /* "." */
		{(const uint8_t *)"\0\x14\0", 3},
	};

	begin("sip:home1.net");
	expect_asked(PEERS_NAPTR, "home1.net");
	say(300, naptr, 4);
	expect_asked(PEERS_SRV, "_sip._udp.home1.net");
	say_nothing();
	expect_asked(PEERS_SRV, "_sip._tcp.home1.net");
	say(300, srv, 4);
	expect_asked(PEERS_A, "s1.home1.net");
	say_address(300, ADDRESS("\x1e"));
	expect_asked(PEERS_A, "s2.home1.net");
	say_address(300, ADDRESS("\x1f"));
	EXPECT_TEXT("198.18.0.30:5070 tcp 10 5, 198.18.0.31:5070 tcp 20 0", published());
	EXPECT_EQ(5, zone.count);
	end();
}

TEST(peers, asks_srv_of_both_transports_when_there_is_no_naptr)
{
	begin("sip:home1.net");
	say_nothing();
	expect_asked(PEERS_SRV, "_sip._udp.home1.net");
	say_nothing();
	expect_asked(PEERS_SRV, "_sip._tcp.home1.net");
	say_nothing();
	expect_asked(PEERS_A, "home1.net");
	say_address(300, ADDRESS("\x1e"));
	EXPECT_TEXT("198.18.0.30:5060 udp 0 0", published());
	end();
}

TEST(peers, asks_srv_of_the_transport_that_the_uri_names)
{
	begin("sip:home1.net;transport=tcp");
	expect_asked(PEERS_SRV, "_sip._tcp.home1.net");
	say_nothing();
	expect_asked(PEERS_A, "home1.net");
	say_address(300, ADDRESS("\x1e"));
	EXPECT_TEXT("198.18.0.30:5060 tcp 0 0", published());
	end();
}

TEST(peers, asks_for_tls_where_mw_has_it)
{
	static const struct span naptr[] = {
		{(const uint8_t *)"\0\x0a\0\x32\1s\7SIP+D2T\0\4_sip\4_tcp\5home1\3net", 38},
		{(const uint8_t *)"\0\x01\0\x32\1s\10SIPS+D2T\0\5_sips\4_tcp\5home1\3net", 40},
	};
	static const struct span srv = {(const uint8_t *)"\0\x0a\0\x05\x13\xc5\2s1\5home1\3net",
					20};

	begin_tls("sip:home1.net");
	say(300, naptr, 2);
	expect_asked(PEERS_SRV, "_sip._tcp.home1.net");
	say_nothing();
	expect_asked(PEERS_SRV, "_sips._tcp.home1.net");
	say(300, &srv, 1);
	expect_asked(PEERS_A, "s1.home1.net");
	say_address(300, ADDRESS("\x1e"));
	EXPECT_TEXT("198.18.0.30:5061 tls 10 5", published());
	end();
}

TEST(peers, asks_srv_of_tls_when_the_uri_names_it)
{
	begin_tls("sip:home1.net;transport=tls");
	expect_asked(PEERS_SRV, "_sips._tcp.home1.net");
	say_nothing();
	expect_asked(PEERS_A, "home1.net");
	say_address(300, ADDRESS("\x1e"));
	EXPECT_TEXT("198.18.0.30:5061 tls 0 0", published());
	end();
}

TEST(peers, asks_for_the_address_alone_when_the_uri_has_a_port)
{
	begin("sip:Home1.net:5080");
	expect_asked(PEERS_A, "home1.net");
	say_address(300, ADDRESS("\x1e"));
	EXPECT_TEXT("198.18.0.30:5080 udp 0 0", published());
	end();
}

TEST(peers, asks_again_when_the_ttl_is_over)
{
	begin("sip:home1.net:5060");
	say_address(100, ADDRESS("\x1e"));
	pass(99999);
	EXPECT_EQ(1, zone.count);
	pass(1);
	EXPECT_EQ(2, zone.count);
	say_address(0, ADDRESS("\x1f"));
	EXPECT_TEXT("198.18.0.31:5060 udp 0 0", published());
	pass(4999);
	EXPECT_EQ(2, zone.count); /* never sooner than after five seconds */
	pass(1);
	EXPECT_EQ(3, zone.count);
	say_address(86400, ADDRESS("\x1f"));
	pass(3600000); /* and never later than after an hour */
	EXPECT_EQ(4, zone.count);
	end();
}

TEST(peers, keeps_addresses_while_nobody_answers)
{
	begin("sip:home1.net:5060");
	say_address(60, ADDRESS("\x1e"));
	pass(60000);
	say_failed();
	EXPECT_TEXT("198.18.0.30:5060 udp 0 0", published());
	pass(30000);
	EXPECT_EQ(3, zone.count);
	say_nothing(); /* but not when it is said that there are none */
	EXPECT_TEXT("", published());
	end();
}

TEST(peers, says_that_a_name_has_no_address)
{
	begin(HOP);
	EXPECT(wanted("nobody.home1.net", 5060, NEXT_HOP_ANY));
	pass(200);
	EXPECT_EQ(0, zone.published); /* nobody knows yet */
	say_nothing();
	EXPECT_TEXT("", published());
	pass(29999);
	EXPECT_EQ(1, zone.count);
	pass(1);
	EXPECT_EQ(2, zone.count);
	end();
}

TEST(peers, looks_a_name_up_once_however_often_it_is_wanted)
{
	begin(HOP);
	EXPECT(wanted("s.home1.net", 5060, NEXT_HOP_TCP));
	EXPECT(wanted("S.home1.net", 5060, NEXT_HOP_TCP));
	EXPECT_EQ(1, zone.count);
	EXPECT(wanted("s.home1.net", 5060, NEXT_HOP_UDP));
	EXPECT(wanted("s.home1.net", 5061, NEXT_HOP_TCP));
	EXPECT_EQ(3, zone.count);
	end();
	EXPECT_EQ(3, zone.cancelled);
}

TEST(peers, forgets_a_name_that_nobody_wants_for_an_hour)
{
	begin(HOP);
	EXPECT(wanted("s.home1.net", 5060, NEXT_HOP_TCP));
	say_address(3600, ADDRESS("\x1e"));
	pass(3600000);
	say_address(3600, ADDRESS("\x1e"));
	pass(1);
	EXPECT_EQ(0, zone.live->count);
	end();
}

TEST(peers, never_forgets_a_next_hop)
{
	begin("sip:home1.net:5060");
	for (uint32_t i = 0; i < 3; i++) {
		say_address(3600, ADDRESS("\x1e"));
		pass(3600000);
	}
	EXPECT_EQ(1, zone.live->count);
	end();
}

TEST(peers, keeps_no_more_names_than_it_has_rows_for)
{
	char name[32];

	begin(HOP);
	zone.refuse = true;
	for (uint32_t i = 0; i < PEERS_MAX + 5; i++) {
		snprintf(name, sizeof(name), "s%u.home1.net", i);
		EXPECT(wanted(name, 5060, NEXT_HOP_ANY));
	}
	pass(1);
	EXPECT_EQ(PEERS_MAX, zone.live->count);
	end();
}

TEST(peers, ignores_what_is_no_host_name)
{
	begin(HOP);
	EXPECT(wanted("s home1.net", 5060, NEXT_HOP_ANY));
	EXPECT(wanted("", 5060, NEXT_HOP_ANY));
	EXPECT_EQ(0, zone.count);
	end();
}

TEST(peers, leaves_other_messages_alone)
{
	struct message_head head = {MESSAGE_KEYS_WANTED, sizeof(head)};
	struct message_peer_wanted other = {.head = {MESSAGE_EVENT, sizeof(other)}};

	begin(HOP);
	EXPECT(!peers_message(zone.peers, span_of(&head, sizeof(head))));
	EXPECT(!peers_message(zone.peers, span_of(&other, sizeof(other))));
	end();
}

TEST(peers, publishes_again_what_could_not_be_published)
{
	begin("sip:home1.net:5060");
	say_address(60, ADDRESS("\x1e"));
	zone.publish_err = GW_QUEUE_FULL;
	pass(1);
	pass(1);
	EXPECT_EQ(2, zone.published);
	zone.publish_err = GW_OK;
	EXPECT_TEXT("198.18.0.30:5060 udp 0 0", published());
	pass(1);
	EXPECT_EQ(3, zone.published);
	end();
}

TEST(peers, takes_addresses_of_the_right_length_only_and_sixteen_at_most)
{
	struct span rdata[20];

	begin("sip:home1.net:5060");
	for (uint32_t i = 0; i < 20; i++)
		rdata[i] = i < 2 ? span_of("\x01\x02\x03\x04\x05", 3 + 2 * i) : ADDRESS("\x1e");
	say(60, rdata, 20);
	(void)published();
	EXPECT_EQ(PEER_ADDRESSES_MAX, zone.live->row[0].count);
	end();
}

TEST_MAIN("control_peers", RUN(peers, asks_nothing_for_a_next_hop_that_is_an_address),
	  RUN(peers, asks_naptr_then_srv_then_the_address),
	  RUN(peers, asks_srv_of_both_transports_when_there_is_no_naptr),
	  RUN(peers, asks_srv_of_the_transport_that_the_uri_names),
	  RUN(peers, asks_for_tls_where_mw_has_it),
	  RUN(peers, asks_srv_of_tls_when_the_uri_names_it),
	  RUN(peers, asks_for_the_address_alone_when_the_uri_has_a_port),
	  RUN(peers, asks_again_when_the_ttl_is_over),
	  RUN(peers, keeps_addresses_while_nobody_answers),
	  RUN(peers, says_that_a_name_has_no_address),
	  RUN(peers, looks_a_name_up_once_however_often_it_is_wanted),
	  RUN(peers, forgets_a_name_that_nobody_wants_for_an_hour),
	  RUN(peers, never_forgets_a_next_hop),
	  RUN(peers, keeps_no_more_names_than_it_has_rows_for),
	  RUN(peers, ignores_what_is_no_host_name), RUN(peers, leaves_other_messages_alone),
	  RUN(peers, publishes_again_what_could_not_be_published),
	  RUN(peers, takes_addresses_of_the_right_length_only_and_sixteen_at_most))
