/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

#include <stdio.h>
#include <sys/socket.h>

/* Who may come in: limits before the 101 (PROTOCOL 2.1), and clients of load balancers. */

#define PROXY_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define PROXY_LOCAL PROXY_SIGNATURE "\x20\0\0\0"

static bool is_open(struct world *world, struct peer *wic)
{
	const char *answer;

	wic_text(world, wic, "\r\n\r\n");
	answer = wic_message(world, wic);
	return strcmp(answer, "\r\n") == 0 && !wic->ended;
}

/** What an upgrade is told, up to its empty line. */
static const char *upgrade_answer(struct world *world, struct peer *peer)
{
	wic_upgrade(world, peer, ORIGIN);
	return peer_text(peer);
}

/** An upgrade is refused like this, and the connection ends. */
static void expect_refused(struct world *world, const char *status, const char *retry_after)
{
	struct peer *peer = peer_connect(world);
	const char *text = upgrade_answer(world, peer);
	char line[64];

	snprintf(line, sizeof(line), "\r\nRetry-After: %s\r\n", retry_after);
	EXPECT_EQ(0, strncmp(text, status, strlen(status)));
	EXPECT(strstr(text, line) != NULL);
	EXPECT(strstr(text, "101") == NULL);
	EXPECT(peer->ended);
	peer_free(world, peer);
}

/* ---- addresses ------------------------------------------------------------------------------- */

TEST(upgrade, beyond_the_rate_of_its_address_is_told_429_and_when_to_come_again)
{
	struct world world = world_plan();
	struct peer *a, *b;

	world.upgrades = (struct rate_limit){1, 2};
	world_open(&world);
	a = wic_open(&world);
	b = wic_open(&world);
	expect_refused(&world, "HTTP/1.1 429", "1");
	EXPECT_EQ(1, world_errors(&world, GW_HTTP_RATE));
	EXPECT_EQ(1, world_count(&world, http_refused));
	EXPECT(is_open(&world, a));
	EXPECT(is_open(&world, b));
	peer_free(&world, a);
	peer_free(&world, b);
	world_close(&world);
}

TEST(upgrade, is_let_in_again_after_the_time_it_was_told)
{
	struct world world = world_plan();
	struct peer *a, *b;

	world.upgrades = (struct rate_limit){1, 1};
	world_open(&world);
	a = wic_open(&world);
	expect_refused(&world, "HTTP/1.1 429", "1");
	world_pass(&world, 1);
	b = wic_open(&world);
	peer_free(&world, a);
	peer_free(&world, b);
	world_close(&world);
}

TEST(upgrade, that_is_refused_for_what_it_says_costs_its_address_nothing)
{
	struct world world = world_plan();
	struct peer *peer, *good;

	world.upgrades = (struct rate_limit){1, 1};
	world_open(&world);
	for (int i = 0; i < 3; i++) {
		peer = peer_connect(&world);
		wic_upgrade(&world, peer, "https://evil.example");
		EXPECT_EQ(0, strncmp(peer_text(peer), "HTTP/1.1 403", 12));
		EXPECT(strstr(peer_text(peer), "Retry-After") == NULL);
		peer_free(&world, peer);
	}
	good = wic_open(&world);
	peer_free(&world, good);
	world_close(&world);
}

TEST(upgrade, beyond_the_connections_of_its_address_is_told_429_until_one_closes)
{
	struct world world = world_plan();
	struct peer *a, *b, *c;

	world.address_connections = 2;
	world_open(&world);
	a = wic_open(&world);
	b = wic_open(&world);
	expect_refused(&world, "HTTP/1.1 429", "5");
	expect_refused(&world, "HTTP/1.1 429", "5");
	EXPECT_EQ(2, world_errors(&world, GW_HTTP_RATE));
	peer_free(&world, a);
	c = wic_open(&world);
	EXPECT(is_open(&world, b));
	EXPECT(is_open(&world, c));
	EXPECT_EQ(4, worker_balance(world.worker[0]).counted); /* two, of an address and a WWSF */
	peer_free(&world, b);
	peer_free(&world, c);
	world_close(&world);
}

TEST(upgrade, that_was_answered_101_is_never_dropped_for_a_limit)
{
	enum { LIMIT = 5, TRIES = 20 };
	struct world world = world_plan();
	struct peer *peer[TRIES];
	uint32_t in = 0;

	world.sizes.connections = TRIES;
	world.upgrades = (struct rate_limit){1, 8};
	world.address_connections = LIMIT;
	world.limits.connections = (struct rate_limit){1, 7};
	world.limits.max_connections = 6;
	world_open(&world);
	for (uint32_t i = 0; i < TRIES; i++) {
		const char *text;

		peer[i] = peer_connect(&world);
		text = upgrade_answer(&world, peer[i]);
		in += strncmp(text, "HTTP/1.1 101", 12) == 0;
		EXPECT((strncmp(text, "HTTP/1.1 101", 12) == 0) == !peer[i]->ended);
		peer_drop(peer[i], peer[i]->len);
	}
	EXPECT_EQ(LIMIT, in);
	EXPECT_EQ(TRIES - LIMIT, world_count(&world, http_refused));
	for (uint32_t i = 0; i < TRIES; i++) {
		EXPECT_EQ(!peer[i]->ended, is_open(&world, peer[i]));
		peer_free(&world, peer[i]);
	}
	world_close(&world);
}

TEST(upgrade, beyond_the_connections_of_its_worker_is_told_503_until_one_closes)
{
	struct world world = world_plan();
	struct peer *a, *b;

	world.max_connections = 1;
	world_open(&world);
	a = wic_open(&world);
	expect_refused(&world, "HTTP/1.1 503", "5");
	EXPECT_EQ(1, world_errors(&world, GW_CONN_LIMIT));
	EXPECT_EQ(2, worker_balance(world.worker[0]).counted);
	EXPECT(is_open(&world, a));
	peer_free(&world, a);
	b = wic_open(&world);
	peer_free(&world, b);
	world_close(&world);
}

/* ---- web sites ------------------------------------------------------------------------------- */

TEST(upgrade, beyond_the_rate_of_its_web_site_is_told_503)
{
	struct world world = world_plan();
	struct peer *a;

	world.limits.connections = (struct rate_limit){1, 1};
	world_open(&world);
	a = wic_open(&world);
	expect_refused(&world, "HTTP/1.1 503", "1");
	EXPECT_EQ(1, world_errors(&world, GW_HTTP_ORIGIN_LIMIT));
	EXPECT_EQ(2, worker_balance(world.worker[0]).counted); /* who was refused is not */
	peer_free(&world, a);
	world_close(&world);
}

TEST(upgrade, beyond_the_connections_of_its_web_site_is_told_503_also_after_a_reload)
{
	struct world world = world_plan();
	struct peer *a, *b;

	world.limits.max_connections = 1;
	world_open(&world);
	a = wic_open(&world);
	expect_refused(&world, "HTTP/1.1 503", "5");
	world_publish(&world, SITE_SERVED); /* the same site by name */
	expect_refused(&world, "HTTP/1.1 503", "5");
	EXPECT(is_open(&world, a));
	peer_free(&world, a);
	b = wic_open(&world);
	peer_free(&world, b);
	world_close(&world);
}

TEST(upgrade, beyond_the_rate_of_its_address_costs_its_web_site_nothing)
{
	struct world world = world_plan();
	struct peer *a, *b;

	world.upgrades = (struct rate_limit){1, 1};
	world.limits.connections = (struct rate_limit){1, 2};
	world_open(&world);
	a = wic_open(&world);
	for (int i = 0; i < 5; i++)
		expect_refused(&world, "HTTP/1.1 429", "1");
	world_pass(&world, 1);
	b = wic_open(&world);
	peer_free(&world, a);
	peer_free(&world, b);
	world_close(&world);
}

/* ---- load balancers -------------------------------------------------------------------------- */

static struct world balanced_plan(void)
{
	struct world world = world_plan();

	world.balanced = true;
	return world;
}

/** A header that names a client; endpoint as text. */
static struct span proxy_header(const char *client)
{
	static uint8_t bytes[64];
	struct endpoint e;
	struct writer w;

	EXPECT(endpoint_parse(span_text(client), &e));
	writer_init(&w, bytes, sizeof(bytes));
	writer_put(&w, SPAN(PROXY_SIGNATURE));
	if (e.sa.sa_family == AF_INET) {
		writer_put(&w, SPAN("\x21\x11\0\x0c"));
		writer_bytes(&w, &e.v4.sin_addr, 4);
		writer_put(&w, SPAN("\xc6\x12\x00\x0a"));
	} else {
		writer_put(&w, SPAN("\x21\x21\0\x24"));
		writer_bytes(&w, &e.v6.sin6_addr, 16);
		writer_put(&w, SPAN("\xfd\0\0\x18\0\0\0\0\0\0\0\0\0\0\0\x10"));
	}
	writer_u16_be(&w, endpoint_port(&e));
	writer_u16_be(&w, 443);
	return writer_span(&w);
}

static struct peer *brought(struct world *world, const char *client)
{
	struct peer *peer = peer_connect(world);

	peer_put(world, peer, proxy_header(client));
	return peer;
}

static void expect_upgrade(struct world *world, struct peer *peer, const char *status)
{
	EXPECT_EQ(0, strncmp(upgrade_answer(world, peer), status, strlen(status)));
	peer_drop(peer, peer->len);
}

static const char *only_peer(struct world *world)
{
	static char text[ENDPOINT_TEXT_MAX];
	struct row_session row;
	uint32_t cursor = 0;

	EXPECT_EQ(1, session_rows(world->worker[0], &cursor, 1, &row));
	return endpoint_format(&row.peer, text);
}

TEST(balancer, names_the_client_that_lists_show)
{
	struct world world = balanced_plan();
	struct peer *peer;

	world_open(&world);
	peer = brought(&world, "198.51.100.7:40001");
	EXPECT_TEXT("198.51.100.7:40001", only_peer(&world));
	expect_upgrade(&world, peer, "HTTP/1.1 101");
	EXPECT(is_open(&world, peer));
	EXPECT_TEXT("198.51.100.7:40001", only_peer(&world));
	EXPECT_EQ(1, world_count(&world, proxy_headers));
	peer_free(&world, peer);
	world_close(&world);
}

TEST(balancer, brings_clients_that_are_counted_by_their_own_addresses)
{
	struct world world = balanced_plan();
	struct peer *a, *b, *c;

	world.address_connections = 1;
	world_open(&world);
	a = brought(&world, "198.51.100.7:40001");
	expect_upgrade(&world, a, "HTTP/1.1 101");
	b = brought(&world, "198.51.100.8:40001");
	expect_upgrade(&world, b, "HTTP/1.1 101");
	c = brought(&world, "198.51.100.7:40002");
	expect_upgrade(&world, c, "HTTP/1.1 429");
	peer_free(&world, a);
	peer_free(&world, b);
	peer_free(&world, c);
	world_close(&world);
}

TEST(balancer, brings_clients_of_one_ipv6_network_that_are_counted_together)
{
	struct world world = balanced_plan();
	struct peer *a, *b, *c;

	world.address_connections = 1;
	world_open(&world);
	a = brought(&world, "[2001:db8:0:1::7]:40001");
	expect_upgrade(&world, a, "HTTP/1.1 101");
	b = brought(&world, "[2001:db8:0:1:ffff::8]:40001");
	expect_upgrade(&world, b, "HTTP/1.1 429");
	c = brought(&world, "[2001:db8:0:2::7]:40001");
	expect_upgrade(&world, c, "HTTP/1.1 101");
	peer_free(&world, a);
	peer_free(&world, b);
	peer_free(&world, c);
	world_close(&world);
}

TEST(balancer, may_bring_more_addresses_than_are_known_at_a_time)
{
	enum { KNOWN = 32, BROUGHT = 40 };
	struct world world = balanced_plan();
	char client[32];
	struct peer *peer;

	world.sizes.connections = KNOWN / 2;
	world.upgrades = (struct rate_limit){1, 1};
	world_open(&world);
	for (int i = 0; i < BROUGHT; i++) {
		snprintf(client, sizeof(client), "198.51.100.%d:40001", i);
		peer = brought(&world, client);
		expect_upgrade(&world, peer, "HTTP/1.1 101");
		peer_free(&world, peer);
	}
	EXPECT(world_count(&world, upgrade_forgotten) >= BROUGHT - KNOWN);
	world_close(&world);
}

TEST(balancer, that_speaks_for_itself_is_the_peer)
{
	struct world world = balanced_plan();
	struct peer *peer;

	world_open(&world);
	peer = peer_connect(&world);
	peer_put(&world, peer, SPAN(PROXY_LOCAL));
	EXPECT_EQ(0, strncmp(only_peer(&world), world.ours, strlen(world.ours)));
	expect_upgrade(&world, peer, "HTTP/1.1 101");
	peer_free(&world, peer);
	world_close(&world);
}

TEST(balancer, may_send_its_header_byte_by_byte_and_the_client_behind_it_at_once)
{
	struct world world = balanced_plan();
	struct span header = proxy_header("198.51.100.7:40001");
	struct peer *peer;
	uint8_t bytes[1024];
	struct writer w;

	world_open(&world);
	peer = peer_connect(&world);
	for (uint32_t i = 0; i < header.len; i++)
		peer_put(&world, peer, span_cut(header, i, 1));
	expect_upgrade(&world, peer, "HTTP/1.1 101");
	peer_free(&world, peer);

	peer = peer_connect(&world);
	writer_init(&w, bytes, sizeof(bytes));
	writer_put(&w, header);
	writer_text(&w, "GET /sip HTTP/1.0\r\n\r\n");
	peer_put(&world, peer, writer_span(&w));
	peer_take(&world, peer);
	EXPECT_EQ(0, strncmp(peer_text(peer), "HTTP/1.1 400", 12));
	peer_free(&world, peer);
	world_close(&world);
}

static void expect_cut(struct span bytes)
{
	struct world world = balanced_plan();
	struct peer *peer;

	world_open(&world);
	peer = peer_connect(&world);
	peer_put(&world, peer, bytes);
	peer_take(&world, peer);
	EXPECT(peer->ended);
	EXPECT_EQ(0, peer->len); /* not a word */
	EXPECT_EQ(1, world_errors(&world, GW_PROXY_HEADER));
	EXPECT_EQ(0, world_count(&world, proxy_headers));
	EXPECT_EQ(1, world.told[EVENT_CONNECTION_CLOSE]);
	peer_free(&world, peer);
	world_close(&world);
}

TEST(balancer, that_leaves_the_header_out_is_cut)
{
	expect_cut(SPAN("GET /sip HTTP/1.1\r\nHost: ep1.home1.net\r\n\r\n"));
}

TEST(balancer, that_sends_a_header_of_version_1_is_cut)
{
	expect_cut(SPAN("PROXY TCP4 198.51.100.7 198.18.0.10 40001 443\r\n"));
}

TEST(balancer, that_names_no_client_on_tcp_is_cut)
{
	expect_cut(SPAN(PROXY_SIGNATURE "\x21\x00\0\0"));
}

TEST(balancer, that_does_not_finish_its_header_in_time_is_cut)
{
	struct world world = balanced_plan();
	struct peer *peer;

	world_open(&world);
	peer = peer_connect(&world);
	peer_put(&world, peer, span_cut(proxy_header("198.51.100.7:40001"), 0, 20));
	world_pass(&world, 9);
	peer_take(&world, peer);
	EXPECT(!peer->ended);
	world_pass(&world, 2);
	peer_take(&world, peer);
	EXPECT(peer->ended);
	EXPECT_EQ(1, world_errors(&world, GW_PROXY_HEADER));
	EXPECT_EQ(0, world_errors(&world, GW_TIMEOUT));
	peer_free(&world, peer);
	world_close(&world);
}

TEST(balancer, that_ends_in_its_header_is_cut)
{
	struct world world = balanced_plan();
	struct peer *peer;

	world_open(&world);
	peer = peer_connect(&world);
	peer_put(&world, peer, span_cut(proxy_header("198.51.100.7:40001"), 0, 20));
	EXPECT_EQ(0, shutdown(peer->fd, SHUT_WR));
	peer_take(&world, peer);
	EXPECT(peer->ended);
	EXPECT_EQ(1, world_errors(&world, GW_PROXY_HEADER));
	peer_free(&world, peer);
	world_close(&world);
}

TEST(balancer, gets_the_whole_time_of_an_upgrade_after_its_header)
{
	struct world world = balanced_plan();
	struct peer *peer;

	world_open(&world);
	peer = peer_connect(&world);
	world_pass(&world, 9);
	peer_put(&world, peer, proxy_header("198.51.100.7:40001"));
	world_pass(&world, 9);
	expect_upgrade(&world, peer, "HTTP/1.1 101");
	peer_free(&world, peer);
	world_close(&world);
}

TEST(balancer, that_nobody_named_is_not_believed)
{
	struct world world = world_plan();
	struct peer *peer;

	world_open(&world);
	peer = brought(&world, "198.51.100.7:40001");
	EXPECT_EQ(0, strncmp(only_peer(&world), world.ours, strlen(world.ours)));
	expect_upgrade(&world, peer, "HTTP/1.1 400");
	EXPECT_EQ(0, world_count(&world, proxy_headers));
	peer_free(&world, peer);
	world_close(&world);
}

TEST(balancer, is_cut_by_a_drain_while_it_sends_its_header)
{
	struct world world = balanced_plan();
	struct message_command drain = {.head = {MESSAGE_COMMAND, sizeof(drain)},
					.what = COMMAND_DRAIN};
	struct peer *peer;

	world_open(&world);
	peer = peer_connect(&world);
	peer_put(&world, peer, span_cut(proxy_header("198.51.100.7:40001"), 0, 20));
	command_run(world.worker[0], span_of(&drain, sizeof(drain)));
	peer_take(&world, peer);
	EXPECT(peer->ended);
	peer_free(&world, peer);
	world_close(&world);
}

TEST_MAIN("admit", RUN(balancer, may_bring_more_addresses_than_are_known_at_a_time),
	  RUN(upgrade, beyond_the_connections_of_its_worker_is_told_503_until_one_closes),
	  RUN(upgrade, beyond_the_rate_of_its_address_is_told_429_and_when_to_come_again),
	  RUN(upgrade, is_let_in_again_after_the_time_it_was_told),
	  RUN(upgrade, that_is_refused_for_what_it_says_costs_its_address_nothing),
	  RUN(upgrade, beyond_the_connections_of_its_address_is_told_429_until_one_closes),
	  RUN(upgrade, that_was_answered_101_is_never_dropped_for_a_limit),
	  RUN(upgrade, beyond_the_rate_of_its_web_site_is_told_503),
	  RUN(upgrade, beyond_the_connections_of_its_web_site_is_told_503_also_after_a_reload),
	  RUN(upgrade, beyond_the_rate_of_its_address_costs_its_web_site_nothing),
	  RUN(balancer, names_the_client_that_lists_show),
	  RUN(balancer, brings_clients_that_are_counted_by_their_own_addresses),
	  RUN(balancer, brings_clients_of_one_ipv6_network_that_are_counted_together),
	  RUN(balancer, that_speaks_for_itself_is_the_peer),
	  RUN(balancer, may_send_its_header_byte_by_byte_and_the_client_behind_it_at_once),
	  RUN(balancer, that_leaves_the_header_out_is_cut),
	  RUN(balancer, that_sends_a_header_of_version_1_is_cut),
	  RUN(balancer, that_names_no_client_on_tcp_is_cut),
	  RUN(balancer, that_does_not_finish_its_header_in_time_is_cut),
	  RUN(balancer, that_ends_in_its_header_is_cut),
	  RUN(balancer, gets_the_whole_time_of_an_upgrade_after_its_header),
	  RUN(balancer, that_nobody_named_is_not_believed),
	  RUN(balancer, is_cut_by_a_drain_while_it_sends_its_header))
