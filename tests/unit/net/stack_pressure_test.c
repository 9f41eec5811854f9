/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/stack.h"
#include "scene.h"

/* Back-pressure, and the bounds of net.h. */

static const struct scene_config plain = {0};
static const struct flow out = {OURS4, PEER4, 5070, 5060};
static const struct flow in = {PEER4, OURS4, 5060, 5070};

static struct scene *bound(const struct scene_config *config)
{
	struct scene *s = scene_ready(config);

	scene_bind(s, 0, OURS4, 5070);
	return s;
}

static enum gw_err send_number(struct scene *s, uint32_t i)
{
	uint8_t number[2] = {(uint8_t)(i >> 8), (uint8_t)i};

	return scene_send(s, 0, &out, span_of(number, 2));
}

/* Everything that was sent carries the numbers 0, 1, 2... */
static void check_order(const struct scene *s, uint32_t n)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < s->port[0]->sent_count; i++) {
		struct seen seen = scene_seen_at(s, 0, i);

		if (seen.kind != SEEN_UDP)
			continue;
		EXPECT_EQ(next, seen.udp.payload.at[0] << 8 | seen.udp.payload.at[1]);
		next++;
	}
	EXPECT_EQ(n, next);
}

static void check_takes(uint32_t takes)
{
	struct scene *s = bound(&plain);

	for (uint32_t i = 0; i < 100; i++)
		EXPECT_EQ(GW_OK, send_number(s, i));
	for (int i = 0; i < 200 && s->port[0]->sent_count < 100; i++) {
		s->port[0]->takes = takes;
		scene_work(s, 0);
	}
	check_order(s, 100);
	EXPECT_EQ(0, scene_all_errors(s));
	if (takes < 100)
		EXPECT(SCENE_COUNTER(s, net_tx_blocked) > 0);
	EXPECT_EQ(100, SCENE_COUNTER(s, net_tx_packets));
	scene_free(s);
}

TEST(pressure, keeps_order_and_loses_nothing_whatever_the_device_takes)
{
	check_takes(1);
	check_takes(7);
	check_takes(31);
	check_takes(64);
	check_takes(UINT32_MAX);
}

TEST(pressure, keeps_a_full_backlog_of_a_device_that_takes_nothing_and_refuses_more)
{
	struct scene *s = bound(&plain);
	uint32_t taken = 0;

	s->port[0]->takes = 0;
	while (taken < 2000 && send_number(s, taken) == GW_OK) {
		taken++;
		if (taken % 100 == 0)
			stack_transmit(s->worker[0].stack);
	}
	EXPECT_EQ(STACK_BACKLOG, taken);
	EXPECT_EQ(GW_NET_TX_FULL, send_number(s, taken));
	EXPECT_EQ(0, s->port[0]->sent_count);
	s->port[0]->takes = 7;
	scene_work(s, 0);
	EXPECT_EQ(7, s->port[0]->sent_count);
	for (uint32_t i = 0; i < 7; i++)
		EXPECT_EQ(GW_OK, send_number(s, taken + i));
	EXPECT_EQ(GW_NET_TX_FULL, send_number(s, taken + 7));
	s->port[0]->takes = UINT32_MAX;
	scene_turns(s, 20);
	check_order(s, taken + 7);
	scene_free(s);
}

TEST(pressure, sends_all_fragments_of_a_datagram_or_none)
{
	struct scene *s = bound(&plain);
	uint8_t data[3000] = {0};
	uint32_t taken = 0;

	s->port[0]->takes = 0;
	for (; taken < STACK_BACKLOG - 2; taken++)
		EXPECT_EQ(GW_OK, send_number(s, taken));
	EXPECT_EQ(GW_NET_TX_FULL, scene_send(s, 0, &out, span_of(data, sizeof(data))));
	s->port[0]->takes = UINT32_MAX;
	scene_turns(s, 20);
	EXPECT_EQ(0, scene_seen(s, 0, SEEN_FRAGMENT, NULL));
	check_order(s, taken);
	scene_free(s);
}

TEST(pressure, gives_a_full_backlog_back_at_the_end)
{
	struct scene *s = bound(&plain);

	s->port[0]->takes = 0;
	for (uint32_t i = 0; i < STACK_BACKLOG; i++)
		EXPECT_EQ(GW_OK, send_number(s, i));
	for (uint32_t i = 0; i < 300; i++)
		scene_feed_udp(s, &in, SPAN("x"));
	for (int i = 0; i < 10; i++)
		stack_receive(s->worker[0].stack); /* ready, never run */
	scene_free(s);
}

TEST(pressure, one_blocked_device_does_not_hold_another_up)
{
	struct scene_config config = {.ports = 2};
	struct scene *s = scene_ready(&config);
	struct flow other = {OTHER_LINK4, OTHER_PEER4, 5070, 5060};

	scene_bind(s, 0, "0.0.0.0", 5070);
	s->port[0]->takes = 0;
	for (uint32_t i = 0; i < STACK_BACKLOG; i++)
		EXPECT_EQ(GW_OK, send_number(s, i));
	EXPECT_EQ(GW_OK, scene_send(s, 0, &other, SPAN("x")));
	scene_work(s, 0);
	EXPECT_EQ(1, scene_seen(s, 1, SEEN_UDP, NULL));
	scene_free(s);
}

/** A datagram to each port; on which the first that was heard had come. */
static uint32_t first_port_heard(struct scene *s)
{
	struct flow other = {OTHER_PEER4, OTHER_LINK4, 5060, 5070};
	struct envelope e = {.vlan = s->config.vlan};
	struct ip_address local;
	struct frame f;

	scene_forget(s);
	scene_feed_udp(s, &in, SPAN("x"));
	memcpy(e.dst, s->mac[1], sizeof(e.dst));
	memcpy(e.src, scene_station_of(s, OTHER_PEER4)->mac, sizeof(e.src));
	frame_udp(&f, &e, &other, SPAN("x"));
	scene_feed(s, 1, 0, &f);
	scene_work(s, 0);
	EXPECT_EQ(2, s->heard_count);
	local = ip_address_of(&s->heard[0].local);
	return ip_address_in(&local, &(struct ip_address){{[10] = 0xff, 0xff, 198, 19}}, 24);
}

TEST(pressure, begins_each_turn_with_another_port)
{
	struct scene_config config = {.ports = 2};
	struct scene *s = scene_ready(&config);
	uint32_t first;

	scene_bind(s, 0, "0.0.0.0", 5070);
	first = first_port_heard(s);
	EXPECT_EQ(1 - first, first_port_heard(s));
	EXPECT_EQ(first, first_port_heard(s));
	scene_free(s);
}

TEST(pressure, keeps_a_bounded_number_of_datagrams_for_run_ready_and_leaves_the_rest_to_the_device)
{
	struct scene *s = bound(&plain);

	for (uint32_t i = 0; i < 900; i++)
		scene_feed_udp(s, &in, SPAN("x"));
	for (int i = 0; i < 20; i++)
		stack_receive(s->worker[0].stack);
	EXPECT_EQ(0, s->heard_count);
	EXPECT(s->port[0]->rx_count[0] >= 900 - STACK_READY);
	scene_turns(s, 20);
	EXPECT_EQ(900, s->heard_count);
	scene_free(s);
}

TEST(pressure, receives_a_bounded_number_in_one_turn)
{
	struct scene *s = bound(&plain);

	for (uint32_t i = 0; i < 1000; i++)
		scene_feed_udp(s, &in, SPAN("x"));
	stack_receive(s->worker[0].stack);
	EXPECT(s->port[0]->rx_count[0] > 0);
	EXPECT(!stack_idle(s->worker[0].stack));
	scene_turns(s, 20);
	EXPECT_EQ(1000, s->heard_count);
	scene_free(s);
}

#define HELD 8192u

TEST(pressure, says_that_its_pool_is_empty_and_goes_on_when_packets_come_back)
{
	static struct rte_mbuf *held[HELD];
	struct scene *s = bound(&plain);
	struct icmp_form ping = {FOREIGN4, OURS4, 8, 0, 1, 0};
	struct frame f;
	uint32_t n = 0;

	while (n < HELD && (held[n] = packet_get(s->shared->pool[0])) != NULL)
		n++;
	EXPECT(n > 0 && n < HELD);
	EXPECT_EQ(GW_NET_NO_PACKET, send_number(s, 0));
	frame_icmp(&f, &s->in, &ping, SPAN("abcd"));
	scene_feed(s, 0, 0, &f);
	scene_feed_udp(s, &in, SPAN("hello"));
	frame_hex(&f, "ffffffffffff 026600000066 0806"
		      "0001 0800 06 04 0001 026600000066 c6120042 000000000000 c6120001");
	scene_feed(s, 0, 0, &f);
	scene_run_ms(s, 60000); /* probes cannot be sent either */
	EXPECT_EQ(1, scene_heard(s, HEARD_DATAGRAM));
	EXPECT(scene_errors(s, GW_NET_NO_PACKET) >= 2);
	EXPECT_EQ(0, s->port[0]->sent_count);
	while (n > 0)
		packet_put(held[--n]);
	scene_run_ms(s, 20000);
	scene_forget(s);
	EXPECT_EQ(GW_OK, send_number(s, 0));
	scene_work(s, 0);
	check_order(s, 1);
	scene_free(s);
}

TEST(pressure, has_no_packet_for_half_a_datagram)
{
	static struct rte_mbuf *held[HELD];
	struct scene *s = bound(&plain);
	uint8_t data[3000] = {0};
	uint32_t n = 0;

	while (n < HELD && (held[n] = packet_get(s->shared->pool[0])) != NULL)
		n++;
	packet_put(held[--n]);
	packet_put(held[--n]); /* two are left, three are needed */
	EXPECT_EQ(GW_NET_NO_PACKET, scene_send(s, 0, &out, span_of(data, sizeof(data))));
	scene_work(s, 0);
	EXPECT_EQ(0, scene_seen(s, 0, SEEN_FRAGMENT, NULL));
	EXPECT_EQ(n, packet_pool_live(s->shared->pool[0]));
	while (n > 0)
		packet_put(held[--n]);
	scene_free(s);
}

/* A device without a link sends nothing and gives nothing back: not all packets may end up there.
 */
TEST(pressure, finds_packets_for_one_device_when_all_others_keep_what_they_can)
{
	static const uint32_t kept = STACK_BACKLOG + 1024; /* and what the device's queue holds */
	static struct netif netif[NETIFS_MAX];
	struct net_shared_config config = {.netif = netif, .workers = 1, .neighbours = 8};
	struct net_shared *shared;

	for (config.netifs = 1; config.netifs <= NETIFS_MAX; config.netifs++) {
		shared = net_shared_new(&config);
		assert_non_null(shared);
		EXPECT(shared->pool[0]->count >= config.netifs * kept + STACK_BACKLOG);
		net_shared_free(shared);
	}
}

TEST(pressure, a_datagram_to_itself_needs_a_packet_and_room_too)
{
	struct scene *s = bound(&plain);
	static struct rte_mbuf *held[HELD];
	static const uint8_t data[PACKET_ROOM + 1];
	struct flow self = {OURS4, OURS4, 5070, 5070};
	uint32_t taken = 0, n = 0;

	while (taken < 5000 && scene_send(s, 0, &self, SPAN("x")) == GW_OK)
		taken++;
	EXPECT_EQ(STACK_READY, taken);
	EXPECT_EQ(GW_NET_TX_FULL, scene_send(s, 0, &self, SPAN("x")));
	scene_turns(s, 20);
	EXPECT_EQ(taken, s->heard_count);
	while (n < HELD && (held[n] = packet_get(s->shared->pool[0])) != NULL)
		n++;
	EXPECT_EQ(GW_NET_NO_PACKET, scene_send(s, 0, &self, SPAN("x")));
	while (n > 0)
		packet_put(held[--n]);
	EXPECT_EQ(GW_OK, scene_send(s, 0, &self, span_of(data, PACKET_ROOM)));
	EXPECT_EQ(GW_NET_TOO_BIG, scene_send(s, 0, &self, span_of(data, sizeof(data))));
	scene_free(s);
}

TEST_MAIN("net_stack_pressure",
	  RUN(pressure, keeps_order_and_loses_nothing_whatever_the_device_takes),
	  RUN(pressure, keeps_a_full_backlog_of_a_device_that_takes_nothing_and_refuses_more),
	  RUN(pressure, sends_all_fragments_of_a_datagram_or_none),
	  RUN(pressure, gives_a_full_backlog_back_at_the_end),
	  RUN(pressure, one_blocked_device_does_not_hold_another_up),
	  RUN(pressure, begins_each_turn_with_another_port),
	  RUN(pressure,
	      keeps_a_bounded_number_of_datagrams_for_run_ready_and_leaves_the_rest_to_the_device),
	  RUN(pressure, receives_a_bounded_number_in_one_turn),
	  RUN(pressure, says_that_its_pool_is_empty_and_goes_on_when_packets_come_back),
	  RUN(pressure, has_no_packet_for_half_a_datagram),
	  RUN(pressure, finds_packets_for_one_device_when_all_others_keep_what_they_can),
	  RUN(pressure, a_datagram_to_itself_needs_a_packet_and_room_too))
