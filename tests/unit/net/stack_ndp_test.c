/* SPDX-License-Identifier: BSD-3-Clause */
#include "scene.h"

/* Neighbour discovery (RFC 4861, 4862), as TCP.md 4.5 and 8.7 restrict it. */

#define NS 135
#define NA 136
#define RA 134
#define REDIRECT 137
#define NA_SOLICITED 0x40000000u
#define NA_OVERRIDE 0x20000000u

static const struct scene_config plain = {0};
static const uint8_t intruder[6] = {2, 0x66, 0, 0, 0, 0x66};

/* A neighbour discovery message: the target and raw options behind it. */
static void feed_ndp(struct scene *s, const struct icmp_form *form, const char *target,
		     struct span options)
{
	struct ip_address dst = ip_of(form->dst), t = ip_of(target);
	struct envelope e = {.vlan = s->config.vlan};
	struct icmp_form whole = *form;
	uint8_t body[256];
	struct writer w;
	struct frame f;

	if (whole.hop_limit == 0)
		whole.hop_limit = 255;
	writer_init(&w, body, sizeof(body));
	writer_bytes(&w, t.bytes, 16);
	writer_put(&w, options);
	memcpy(e.dst, s->mac[0], 6);
	if (ip_address_is_group(&dst))
		eth_group(&dst, e.dst);
	memcpy(e.src, intruder, 6);
	frame_icmp(&f, &e, &whole, writer_span(&w));
	scene_feed(s, 0, 0, &f);
}

#define SOURCE_MAC SPAN("\x01\x01\x02\x66\x00\x00\x00\x66")
#define TARGET_MAC SPAN("\x02\x01\x02\x66\x00\x00\x00\x66")
#define NOTHING span_of(NULL, 0)

static bool reaches(struct scene *s, const char *peer, const uint8_t mac[6])
{
	struct flow flow = {OURS6, peer, 5070, 5060};
	struct seen seen;

	scene_forget(s);
	if (scene_send(s, 0, &flow, SPAN("x")) != GW_OK)
		return false;
	stack_transmit(s->worker[0].stack);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_UDP, &seen));
	return memcmp(seen.eth.dst, mac, 6) == 0;
}

static uint32_t alarms(const struct scene *s, enum gw_err what)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->heard_count; i++)
		n += s->heard[i].kind == HEARD_ALARM && s->heard[i].err == what;
	return n;
}

static void check_advert(struct scene *s, const char *to)
{
	struct ip_address ours = ip_of(OURS6), dst = ip_of(to);
	struct seen seen;

	EXPECT_EQ(1, scene_seen(s, 0, SEEN_NDP, &seen));
	EXPECT(seen.ndp.advert && seen.ndp.solicited && seen.ndp.override && !seen.ndp.router);
	EXPECT_EQ(255, seen.ip.hop_limit);
	EXPECT(ip_address_equal(&ours, &seen.ip.src) && ip_address_equal(&dst, &seen.ip.dst));
	EXPECT(ip_address_equal(&ours, &seen.ndp.target));
	EXPECT(seen.ndp.has_mac);
	EXPECT_BYTES(s->mac[0], seen.ndp.mac, 6);
	EXPECT_BYTES(intruder, seen.eth.dst, 6);
}

TEST(ndp, answers_a_multicast_solicitation_written_by_hand)
{
	struct scene *s = scene_ready(&plain);
	struct frame f;

	frame_hex(&f, "3333ff000001 026600000066 86dd 60000000 0020 3a ff"
		      "fd000018000000000000000000000066 ff0200000000000000000001ff000001"
		      "87 00 7c39 00000000 fd000018000000000000000000000001 0101 026600000066");
	scene_feed(s, 0, 0, &f);
	scene_turn(s);
	EXPECT_EQ(0, scene_all_errors(s));
	check_advert(s, STRANGER6);
	EXPECT_EQ(1, SCENE_COUNTER(s, net_ndp_in));
	EXPECT_EQ(1, SCENE_COUNTER(s, net_ndp_out));
	scene_free(s);
}

TEST(ndp, answers_a_unicast_solicitation_that_brings_no_link_layer_address)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {STRANGER6, OURS6, NS, 0, 0, 0};

	feed_ndp(s, &form, OURS6, NOTHING);
	scene_turn(s);
	check_advert(s, STRANGER6); /* RFC 4861 7.2.4: to the frame's sender at least */
	scene_free(s);
}

TEST(ndp, answers_for_its_link_local_address)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {"fe80::66", "ff02::1:ff00:1", NS, 0, 0, 0};
	struct ip_address ours = ip_of("fe80::ff:fe00:1");
	struct seen seen;

	feed_ndp(s, &form, "fe80::ff:fe00:1", SOURCE_MAC);
	scene_turn(s);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_NDP, &seen));
	EXPECT(ip_address_equal(&ours, &seen.ip.src));
	EXPECT(ip_address_equal(&ours, &seen.ndp.target));
	scene_free(s);
}

TEST(ndp, does_not_answer_for_addresses_of_others)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {STRANGER6, "ff02::1:ff00:1", NS, 0, 0, 0};

	feed_ndp(s, &form, "fd00:18::2:0:1", SOURCE_MAC); /* the same group as ours */
	feed_ndp(s, &form, "fd00:18:1::1", SOURCE_MAC);
	scene_turn(s);
	EXPECT_EQ(0, s->port[0]->sent_count);
	EXPECT_EQ(2, scene_errors(s, GW_NDP_FOREIGN));
	scene_free(s);
}

TEST(ndp, takes_a_probe_for_our_address_as_a_conflict_and_defends_it_to_all_nodes)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {"::", "ff02::1:ff00:1", NS, 0, 0, 0};
	struct ip_address all = ip_of("ff02::1");
	struct endpoint at = endpoint_at(OURS6, 0);
	bool defended = false;

	feed_ndp(s, &form, OURS6, NOTHING);
	scene_turns(s, 5);
	EXPECT_EQ(1, alarms(s, GW_ADDRESS_CONFLICT));
	EXPECT(endpoint_same_host(&at, &scene_last(s, HEARD_ALARM)->peer));
	for (uint32_t i = 0; i < s->port[0]->sent_count; i++) {
		struct seen seen = scene_seen_at(s, 0, i);

		if (seen.kind != SEEN_NDP || !seen.ndp.advert)
			continue;
		EXPECT(ip_address_equal(&all, &seen.ip.dst));
		EXPECT(!seen.ndp.solicited); /* RFC 4861 7.2.4 */
		defended = true;
	}
	EXPECT(defended);
	scene_free(s);
}

TEST(ndp, takes_an_advertisement_of_our_address_as_a_conflict_once_a_second)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {OURS6, "ff02::1", NA, 0, NA_OVERRIDE, 0};

	for (int i = 0; i < 500; i++) {
		feed_ndp(s, &form, OURS6, TARGET_MAC);
		scene_turn(s);
	}
	EXPECT_EQ(1, alarms(s, GW_ADDRESS_CONFLICT));
	scene_free(s);
}

TEST(ndp, takes_an_advertisement_from_a_router_of_our_address_as_a_conflict)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {STRANGER6, "ff02::1", NA, 0, NA_OVERRIDE, 0};

	feed_ndp(s, &form, OURS6, TARGET_MAC);
	scene_turns(s, 3);
	EXPECT_EQ(1, alarms(s, GW_ADDRESS_CONFLICT));
	scene_free(s);
}

TEST(ndp, takes_a_solicitation_from_our_address_as_a_conflict)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {OURS6, "ff02::1:ff00:1", NS, 0, 0, 0};

	feed_ndp(s, &form, "fd00:18::2:0:1", SOURCE_MAC); /* he looks for somebody else */
	scene_turns(s, 3);
	EXPECT_EQ(1, alarms(s, GW_ADDRESS_CONFLICT));
	scene_free(s);
}

TEST(ndp, does_not_take_its_own_reflected_messages_for_a_conflict)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form probe = {"::", "ff02::1:ff00:1", NS, 0, 0, 255};
	struct icmp_form advert = {OURS6, "ff02::1", NA, 0, NA_OVERRIDE, 255};
	struct ip_address ours = ip_of(OURS6);
	struct envelope e = {.dst = {0x33, 0x33, 0, 0, 0, 1}};
	struct frame f;

	memcpy(e.src, s->mac[0], 6);
	frame_icmp(&f, &e, &advert, span_of(ours.bytes, 16));
	scene_feed(s, 0, 0, &f);
	frame_icmp(&f, &e, &probe, span_of(ours.bytes, 16));
	scene_feed(s, 0, 0, &f);
	scene_turns(s, 3);
	EXPECT_EQ(0, alarms(s, GW_ADDRESS_CONFLICT));
	EXPECT_EQ(2, scene_errors(s, GW_NDP_FOREIGN));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(ndp, asks_for_its_own_addresses_at_start)
{
	struct scene *s = scene_new(&plain);
	struct ip_address ours = ip_of(OURS6), group = ip_of("ff02::1:ff00:1");
	uint32_t probes = 0;

	scene_run_ms(s, 6000);
	for (uint32_t i = 0; i < s->port[0]->sent_count; i++) {
		struct seen seen = scene_seen_at(s, 0, i);

		if (seen.kind != SEEN_NDP || !ip_address_is_unspecified(&seen.ip.src))
			continue;
		EXPECT(!seen.ndp.advert && !seen.ndp.has_mac); /* RFC 4861 4.3 */
		if (!ip_address_equal(&ours, &seen.ndp.target))
			continue;
		EXPECT(ip_address_equal(&group, &seen.ip.dst)); /* RFC 4862 5.4.2 */
		probes++;
	}
	EXPECT(probes >= 1 && probes <= 3);
	scene_free(s);
}

TEST(ndp, asks_peers_in_their_solicited_node_group_with_its_own_mac)
{
	struct scene *s = scene_new(&plain);
	struct ip_address peer = ip_of(PEER6), group = ip_of("ff02::1:ff00:10");
	uint8_t group_mac[6] = {0x33, 0x33, 0xff, 0, 0, 0x10};
	uint32_t asked = 0;

	scene_turns(s, 20);
	for (uint32_t i = 0; i < s->port[0]->sent_count; i++) {
		struct seen seen = scene_seen_at(s, 0, i);

		if (seen.kind != SEEN_NDP || !ip_address_equal(&peer, &seen.ndp.target))
			continue;
		EXPECT(ip_address_equal(&group, &seen.ip.dst));
		EXPECT_BYTES(group_mac, seen.eth.dst, 6);
		EXPECT(seen.ndp.has_mac);
		EXPECT_BYTES(s->mac[0], seen.ndp.mac, 6);
		EXPECT_EQ(255, seen.ip.hop_limit);
		asked++;
	}
	EXPECT_EQ(1, asked);
	scene_free(s);
}

TEST(ndp, does_not_learn_from_an_unsolicited_override)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {PEER6, "ff02::1", NA, 0, NA_OVERRIDE, 0};
	struct icmp_form to_us = {PEER6, OURS6, NA, 0, NA_OVERRIDE | NA_SOLICITED, 0};

	scene_bind(s, 0, OURS6, 5070);
	feed_ndp(s, &form, PEER6, TARGET_MAC);
	feed_ndp(s, &to_us, PEER6, TARGET_MAC); /* says solicited, but nobody asked */
	scene_turn(s);
	EXPECT(reaches(s, PEER6, scene_station_of(s, PEER6)->mac));
	scene_run_ms(s, 8000);
	EXPECT(reaches(s, PEER6, scene_station_of(s, PEER6)->mac));
	EXPECT_EQ(0, alarms(s, GW_NEIGHBOUR_MOVED));
	scene_free(s);
}

TEST(ndp, does_not_learn_from_a_solicitation)
{
	struct scene *s = scene_new(&plain);
	struct icmp_form form = {PEER6, OURS6, NS, 0, 0, 0};
	struct flow flow = {OURS6, PEER6, 5070, 5060};

	scene_station_of(s, PEER6)->silent = true;
	scene_bind(s, 0, OURS6, 5070);
	scene_turns(s, 10);
	feed_ndp(s, &form, OURS6, SOURCE_MAC);
	scene_turns(s, 10);
	EXPECT_EQ(GW_NET_UNRESOLVED, scene_send(s, 0, &flow, SPAN("x")));
	scene_free(s);
}

TEST(ndp, does_not_learn_from_an_unsolicited_advertisement_while_it_asks)
{
	struct scene *s = scene_new(&plain);
	struct icmp_form form = {PEER6, OURS6, NA, 0, NA_OVERRIDE, 0};
	struct flow flow = {OURS6, PEER6, 5070, 5060};

	scene_station_of(s, PEER6)->silent = true;
	scene_bind(s, 0, OURS6, 5070);
	scene_turns(s, 10);
	feed_ndp(s, &form, PEER6, TARGET_MAC);
	scene_turns(s, 10);
	EXPECT_EQ(GW_NET_UNRESOLVED, scene_send(s, 0, &flow, SPAN("x")));
	scene_free(s);
}

TEST(ndp, follows_a_peer_that_has_moved)
{
	struct scene *s = scene_ready(&plain);
	struct station *peer = scene_station_of(s, PEER6);
	struct icmp_form form = {PEER6, "ff02::1", NA, 0, NA_OVERRIDE, 0};

	scene_bind(s, 0, OURS6, 5070);
	memcpy(peer->mac, intruder, 6);
	feed_ndp(s, &form, PEER6, TARGET_MAC);
	scene_run_ms(s, 8000);
	EXPECT_EQ(1, alarms(s, GW_NEIGHBOUR_MOVED));
	EXPECT(reaches(s, PEER6, peer->mac));
	scene_free(s);
}

TEST(ndp, asks_at_once_whether_a_peer_has_moved_that_asks_from_elsewhere)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {PEER6, OURS6, NS, 0, 0, 0};
	struct station *peer = scene_station_of(s, PEER6);
	struct ip_address address = ip_of(PEER6);
	uint32_t asked = 0;

	scene_run_ms(s, 5000); /* not in the time of start */
	scene_forget(s);
	feed_ndp(s, &form, OURS6, SOURCE_MAC);
	scene_turns(s, 3);
	for (uint32_t i = 0; i < s->port[0]->sent_count; i++) {
		struct seen seen = scene_seen_at(s, 0, i);

		asked += seen.kind == SEEN_NDP && !seen.ndp.advert &&
			 ip_address_equal(&address, &seen.ndp.target) &&
			 memcmp(peer->mac, seen.eth.dst, 6) == 0;
	}
	EXPECT_EQ(1, asked);
	scene_free(s);
}

TEST(ndp, ignores_an_advertisement_for_an_unknown_target)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {STRANGER6, OURS6, NA, 0, NA_OVERRIDE | NA_SOLICITED, 0};
	struct row_neighbour rows[32];

	feed_ndp(s, &form, STRANGER6, TARGET_MAC);
	scene_turns(s, 3);
	EXPECT_EQ(4, net_shared_neighbours(s->shared, 32, rows));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(ndp, refuses_a_packet_that_a_router_has_forwarded)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {STRANGER6, OURS6, NS, 0, 0, 254};

	feed_ndp(s, &form, OURS6, SOURCE_MAC);
	scene_turn(s);
	EXPECT_EQ(1, scene_errors(s, GW_NDP));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(ndp, refuses_options_of_length_zero_and_cut_ones)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {STRANGER6, OURS6, NS, 0, 0, 0};

	feed_ndp(s, &form, OURS6, SPAN("\x01\x00\x02\x66\x00\x00\x00\x66"));
	feed_ndp(s, &form, OURS6, SPAN("\x0e\x00"));
	feed_ndp(s, &form, OURS6, SPAN("\x01\x02\x02\x66\x00\x00\x00\x66"));
	feed_ndp(s, &form, OURS6, SPAN("\x01\x20\x02\x66\x00\x00\x00\x66"));
	scene_turn(s);
	EXPECT_EQ(4, scene_errors(s, GW_NDP));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(ndp, refuses_a_wrong_checksum)
{
	struct scene *s = scene_ready(&plain);
	struct frame f;

	frame_hex(&f, "3333ff000001 026600000066 86dd 60000000 0020 3a ff"
		      "fd000018000000000000000000000066 ff0200000000000000000001ff000001"
		      "87 00 7c3a 00000000 fd000018000000000000000000000001 0101 026600000066");
	scene_feed(s, 0, 0, &f);
	scene_turn(s);
	EXPECT_EQ(1, scene_errors(s, GW_ICMP_CHECKSUM));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(ndp, resolves_a_gateway_by_its_link_local_address)
{
	struct scene_config config = {.link_local_gateway = true};
	struct scene *s = scene_ready(&config);

	scene_bind(s, 0, OURS6, 5070);
	EXPECT(reaches(s, FAR6, scene_station_of(s, GATEWAY_LINK_LOCAL)->mac));
	scene_run_ms(s, 40000); /* and probes it */
	EXPECT_EQ(0, alarms(s, GW_NEIGHBOUR_LOST));
	EXPECT(reaches(s, FAR6, scene_station_of(s, GATEWAY_LINK_LOCAL)->mac));
	scene_free(s);
}

TEST(ndp, ignores_router_advertisements_and_redirects_and_counts_them)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form advert = {"fe80::66", "ff02::1", RA, 0, 0x40080e10, 0};
	struct icmp_form redirect = {"fe80::66", OURS6, REDIRECT, 0, 0, 0};

	scene_bind(s, 0, OURS6, 5070);
	/* CVE-2020-16898: a recursive DNS server option of even length */
	feed_ndp(s, &advert, "::",
		 SPAN("\x19\x04\x00\x00\x00\x00\x0e\x10"
		      "\x20\x01\x0d\xb8\x00\x00\x00\x00"
		      "\x00\x00\x00\x00\x00\x00\x00\x01"
		      "\x00\x00\x00\x00\x00\x00\x00\x00"));
	feed_ndp(s, &redirect, STRANGER6, TARGET_MAC);
	scene_turns(s, 3);
	EXPECT_EQ(2, scene_errors(s, GW_NDP_FOREIGN));
	EXPECT_EQ(0, s->port[0]->sent_count);
	EXPECT(reaches(s, FAR6, scene_station_of(s, GATEWAY6)->mac));
	scene_free(s);
}

TEST(ndp, answers_or_counts_every_solicitation_of_a_flood)
{
	struct scene *s = scene_ready(&plain);
	struct icmp_form form = {STRANGER6, OURS6, NS, 0, 0, 0};

	for (int i = 0; i < 900; i++)
		feed_ndp(s, &form, OURS6, SOURCE_MAC);
	scene_turns(s, 10);
	EXPECT_EQ(900, scene_seen(s, 0, SEEN_NDP, NULL) + scene_all_errors(s));
	scene_free(s);
}

TEST(ndp, hears_a_neighbours_answer_through_a_flood)
{
	struct scene *s = scene_ready(&plain);
	struct station *peer = scene_station_of(s, PEER6);
	struct icmp_form claim = {PEER6, OURS6, NS, 0, 0, 0},
			 flood = {STRANGER6, OURS6, NS, 0, 0, 0};
	struct icmp_form answer = {PEER6, OURS6, NA, 0, NA_SOLICITED, 0};
	uint8_t option[8] = {2, 1};

	memcpy(option + 2, peer->mac, 6);
	peer->silent = true;
	feed_ndp(s, &claim, OURS6, SOURCE_MAC);
	scene_turns(s, 2);
	EXPECT(peer->asked > 0);
	for (uint32_t i = 0; i < 2000; i++) {
		feed_ndp(s, &flood, OURS6, SOURCE_MAC);
		if (i % 200 == 199)
			scene_work(s, 0);
	}
	EXPECT(scene_errors(s, GW_ICMP_RATE) >= 900);
	feed_ndp(s, &answer, PEER6, span_of(option, sizeof(option)));
	scene_work(s, 0);
	scene_run_ms(s, 10000);
	EXPECT_EQ(0, alarms(s, GW_NEIGHBOUR_LOST));
	scene_free(s);
}

TEST_MAIN("net_stack_ndp", RUN(ndp, answers_a_multicast_solicitation_written_by_hand),
	  RUN(ndp, answers_a_unicast_solicitation_that_brings_no_link_layer_address),
	  RUN(ndp, answers_for_its_link_local_address),
	  RUN(ndp, does_not_answer_for_addresses_of_others),
	  RUN(ndp, takes_a_probe_for_our_address_as_a_conflict_and_defends_it_to_all_nodes),
	  RUN(ndp, takes_an_advertisement_of_our_address_as_a_conflict_once_a_second),
	  RUN(ndp, takes_an_advertisement_from_a_router_of_our_address_as_a_conflict),
	  RUN(ndp, takes_a_solicitation_from_our_address_as_a_conflict),
	  RUN(ndp, does_not_take_its_own_reflected_messages_for_a_conflict),
	  RUN(ndp, asks_for_its_own_addresses_at_start),
	  RUN(ndp, asks_peers_in_their_solicited_node_group_with_its_own_mac),
	  RUN(ndp, does_not_learn_from_an_unsolicited_override),
	  RUN(ndp, does_not_learn_from_a_solicitation),
	  RUN(ndp, does_not_learn_from_an_unsolicited_advertisement_while_it_asks),
	  RUN(ndp, follows_a_peer_that_has_moved),
	  RUN(ndp, asks_at_once_whether_a_peer_has_moved_that_asks_from_elsewhere),
	  RUN(ndp, ignores_an_advertisement_for_an_unknown_target),
	  RUN(ndp, refuses_a_packet_that_a_router_has_forwarded),
	  RUN(ndp, refuses_options_of_length_zero_and_cut_ones), RUN(ndp, refuses_a_wrong_checksum),
	  RUN(ndp, resolves_a_gateway_by_its_link_local_address),
	  RUN(ndp, ignores_router_advertisements_and_redirects_and_counts_them),
	  RUN(ndp, answers_or_counts_every_solicitation_of_a_flood),
	  RUN(ndp, hears_a_neighbours_answer_through_a_flood))
