/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "scene.h"

/* ARP (RFC 826, 5227), as TCP.md 4.5 restricts it: only configured hops, only answers believed. */

static const struct scene_config plain = {0};
static const uint8_t intruder[6] = {2, 0x66, 0, 0, 0, 0x66};
static const uint8_t nobody[6] = {0};

/* An ARP packet from sender at mac; broadcast when target_mac is NULL. */
static void feed_arp(struct scene *s, const struct arp_packet *arp, const uint8_t *target_mac)
{
	struct envelope e = {.vlan = s->config.vlan};
	struct frame f;

	memcpy(e.dst, target_mac != NULL ? target_mac : eth_broadcast, 6);
	memcpy(e.src, arp->sender_mac, 6);
	frame_arp(&f, &e, arp);
	scene_feed(s, 0, 0, &f);
}

static struct arp_packet arp_of(bool reply, const char *sender, const uint8_t mac[6],
				const char *target)
{
	struct arp_packet arp = {.reply = reply, .sender = ip_of(sender), .target = ip_of(target)};

	memcpy(arp.sender_mac, mac, 6);
	return arp;
}

static bool was_asked(struct scene *s, const char *address)
{
	return scene_station_of(s, address)->asked > 0;
}

static bool reaches(struct scene *s, const char *peer, const uint8_t mac[6])
{
	struct flow flow = {OURS4, peer, 5070, 5060};
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

/* Broadcasts that say that address is ours (RFC 5227 2.3). */
static uint32_t announcements(const struct scene *s, const char *address)
{
	struct ip_address a = ip_of(address);
	uint32_t n = 0;
	struct seen seen;

	for (uint32_t i = 0; i < s->port[0]->sent_count; i++) {
		seen = scene_seen_at(s, 0, i);
		n += seen.kind == SEEN_ARP && memcmp(seen.eth.dst, eth_broadcast, 6) == 0 &&
		     ip_address_equal(&a, &seen.arp.sender) &&
		     ip_address_equal(&a, &seen.arp.target);
	}
	return n;
}

TEST(arp, answers_a_request_for_our_address_written_by_hand)
{
	struct scene *s = scene_ready(&plain);
	struct frame f;

	frame_hex(&f, "ffffffffffff 026600000066 0806"
		      "0001 0800 06 04 0001 026600000066 c6120042 000000000000 c6120001"
		      "000000000000000000000000000000000000"); /* padded to 60 bytes */
	scene_feed(s, 0, 0, &f);
	scene_turn(s);
	EXPECT_EQ(1, s->port[0]->sent_count);
	frame_hex(&f, "026600000066 020000000001 0806"
		      "0001 0800 06 04 0002 020000000001 c6120001 026600000066 c6120042");
	EXPECT(pipe_sent_frame(s->port[0], 0).len >= f.len);
	EXPECT_BYTES(f.bytes, pipe_sent_frame(s->port[0], 0).at, f.len);
	EXPECT_EQ(1, SCENE_COUNTER(s, net_arp_in));
	EXPECT_EQ(1, SCENE_COUNTER(s, net_arp_out));
	EXPECT_EQ(0, scene_all_errors(s));
	scene_free(s);
}

TEST(arp, answers_for_each_of_our_addresses_and_for_no_other)
{
	struct scene *s = scene_ready(&plain);
	struct arp_packet arp = arp_of(false, STRANGER4, intruder, SECOND4);

	feed_arp(s, &arp, NULL);
	scene_turn(s);
	EXPECT_EQ(1, s->port[0]->sent_count);
	arp.target = ip_of("198.18.0.3");
	feed_arp(s, &arp, NULL);
	arp.target = ip_of(OTHER_LINK4);
	feed_arp(s, &arp, NULL);
	scene_turn(s);
	EXPECT_EQ(1, s->port[0]->sent_count);
	EXPECT_EQ(2, scene_errors(s, GW_ARP_FOREIGN));
	scene_free(s);
}

TEST(arp, answers_a_probe_for_our_address_so_that_its_sender_finds_the_conflict)
{
	struct scene *s = scene_ready(&plain);
	struct arp_packet arp = arp_of(false, "0.0.0.0", intruder, OURS4);
	struct ip_address ours = ip_of(OURS4);
	struct seen seen;

	feed_arp(s, &arp, NULL);
	scene_turn(s);
	EXPECT(scene_seen(s, 0, SEEN_ARP, &seen) >= 1);
	EXPECT_BYTES(s->mac[0], seen.arp.sender_mac, 6);
	EXPECT_BYTES(ours.bytes, seen.arp.sender.bytes, 16);
	scene_free(s);
}

TEST(arp, refuses_a_malformed_packet)
{
	struct scene *s = scene_ready(&plain);
	struct frame f;

	frame_hex(&f, "ffffffffffff 026600000066 0806 0001 0800 06 04 0001 0266");
	scene_feed(s, 0, 0, &f); /* cut */
	frame_hex(&f, "ffffffffffff 026600000066 0806"
		      "0001 0800 06 04 0003 026600000066 c6120042 000000000000 c6120001");
	scene_feed(s, 0, 0, &f); /* neither request nor reply */
	frame_hex(&f, "ffffffffffff 026600000066 0806"
		      "0001 0800 08 04 0001 026600000066 c6120042 000000000000 c6120001");
	scene_feed(s, 0, 0, &f); /* hardware length 8 */
	scene_turn(s);
	EXPECT_EQ(3, scene_errors(s, GW_ARP));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(arp, asks_for_gateways_and_trusted_peers_on_the_link_at_start_and_for_nobody_else)
{
	struct scene *s = scene_new(&plain);
	struct station *far = scene_station(s, 0, FAR4, 0x50);
	struct station *stranger = scene_station(s, 0, STRANGER4, 0x66);

	scene_turns(s, 50);
	EXPECT(was_asked(s, GATEWAY4) && was_asked(s, PEER4));
	EXPECT(was_asked(s, GATEWAY6) && was_asked(s, PEER6));
	scene_run_ms(s, 5000);
	EXPECT_EQ(0, far->asked);
	EXPECT_EQ(0, stranger->asked);
	scene_free(s);
}

TEST(arp, asks_once_a_second_while_nobody_answers)
{
	struct scene *s = scene_new(&plain);
	struct station *peer = scene_station_of(s, PEER4);

	scene_bind(s, 0, OURS4, 5070);
	peer->silent = true;
	scene_run_ms(s, 10000);
	EXPECT(peer->asked >= 9 && peer->asked <= 11);
	EXPECT(!reaches(s, PEER4, peer->mac));
	peer->silent = false;
	scene_run_ms(s, 1500);
	EXPECT(reaches(s, PEER4, peer->mac));
	scene_free(s);
}

TEST(arp, sends_to_the_address_of_the_answer)
{
	struct scene *s = scene_ready(&plain);

	scene_bind(s, 0, OURS4, 5070);
	EXPECT(reaches(s, PEER4, scene_station_of(s, PEER4)->mac));
	EXPECT(reaches(s, FAR4, scene_station_of(s, GATEWAY4)->mac));
	scene_free(s);
}

TEST(arp, never_learns_from_a_request)
{
	struct scene *s = scene_new(&plain);
	struct arp_packet arp = arp_of(false, PEER4, intruder, OURS4);
	struct flow flow = {OURS4, PEER4, 5070, 5060};

	scene_station_of(s, PEER4)->silent = true;
	scene_bind(s, 0, OURS4, 5070);
	scene_turns(s, 10);
	feed_arp(s, &arp, NULL);
	scene_turns(s, 10);
	EXPECT_EQ(GW_NET_UNRESOLVED, scene_send(s, 0, &flow, SPAN("x")));
	scene_free(s);
}

static void check_not_learned(const struct arp_packet *arp)
{
	struct scene *s = scene_new(&plain);
	struct flow flow = {OURS4, PEER4, 5070, 5060};

	scene_station_of(s, PEER4)->silent = true; /* so that he is being asked for */
	scene_bind(s, 0, OURS4, 5070);
	scene_turns(s, 10);
	feed_arp(s, arp, s->mac[0]);
	scene_turns(s, 10);
	EXPECT_EQ(GW_NET_UNRESOLVED, scene_send(s, 0, &flow, SPAN("x")));
	scene_free(s);
}

TEST(arp, learns_neither_from_a_request_to_us_alone_nor_from_an_answer_to_somebody_else)
{
	struct arp_packet request = arp_of(false, PEER4, intruder, OURS4);
	struct arp_packet other = arp_of(true, PEER4, intruder, "198.18.0.3");

	check_not_learned(&request);
	check_not_learned(&other);
}

TEST(arp, does_not_believe_an_answer_to_a_question_that_was_not_asked)
{
	struct scene *s = scene_ready(&plain);
	struct arp_packet arp = arp_of(true, PEER4, intruder, OURS4);

	scene_bind(s, 0, OURS4, 5070);
	feed_arp(s, &arp, s->mac[0]);
	scene_turn(s);
	EXPECT(reaches(s, PEER4, scene_station_of(s, PEER4)->mac));
	scene_run_ms(s, 8000);
	EXPECT(reaches(s, PEER4, scene_station_of(s, PEER4)->mac));
	scene_free(s);
}

TEST(arp, adds_nobody_to_the_table_whom_it_was_not_told_of)
{
	struct scene *s = scene_ready(&plain);
	struct row_neighbour rows[32];
	uint32_t before = net_shared_neighbours(s->shared, 32, rows);
	char text[32];

	EXPECT_EQ(4, before);
	for (int i = 20; i < 220; i++) {
		struct arp_packet arp;

		snprintf(text, sizeof(text), "198.18.0.%d", i);
		arp = arp_of(i % 2 == 0, text, intruder, OURS4);
		feed_arp(s, &arp, i % 3 == 0 ? NULL : s->mac[0]);
	}
	scene_turns(s, 20);
	EXPECT_EQ(before, net_shared_neighbours(s->shared, 32, rows));
	scene_free(s);
}

TEST(arp, asks_the_address_it_knows_when_somebody_else_claims_a_neighbour)
{
	struct scene *s = scene_ready(&plain);
	struct station *peer = scene_station_of(s, PEER4);
	struct arp_packet arp = arp_of(false, PEER4, intruder, PEER4); /* gratuitous */
	struct seen seen;

	scene_bind(s, 0, OURS4, 5070);
	feed_arp(s, &arp, NULL);
	scene_turns(s, 3);
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_ARP, &seen));
	EXPECT(!seen.arp.reply);
	EXPECT_BYTES(peer->mac, seen.eth.dst, 6);
	EXPECT(ip_address_equal(&peer->address, &seen.arp.target));
	scene_run_ms(s, 5000);
	EXPECT(reaches(s, PEER4, peer->mac));
	EXPECT_EQ(0, alarms(s, GW_NEIGHBOUR_MOVED));
	scene_free(s);
}

TEST(arp, finds_a_gateway_that_has_moved_and_says_so)
{
	struct scene *s = scene_ready(&plain);
	struct station *gateway = scene_station_of(s, GATEWAY4);
	struct endpoint at = endpoint_at(GATEWAY4, 0);
	struct arp_packet arp;

	scene_bind(s, 0, OURS4, 5070);
	gateway->mac[5] = 0x77;
	arp = arp_of(false, GATEWAY4, gateway->mac, GATEWAY4);
	feed_arp(s, &arp, NULL);
	scene_run_ms(s, 8000);
	EXPECT_EQ(1, alarms(s, GW_NEIGHBOUR_MOVED));
	EXPECT(endpoint_same_host(&scene_last(s, HEARD_ALARM)->peer, &at));
	EXPECT(reaches(s, FAR4, gateway->mac));
	scene_free(s);
}

TEST(arp, finds_a_gateway_that_has_moved_without_a_word_by_its_probes)
{
	struct scene *s = scene_ready(&plain);
	struct station *gateway = scene_station_of(s, GATEWAY4);

	scene_bind(s, 0, OURS4, 5070);
	gateway->mac[5] = 0x77;
	scene_run_ms(s, 45000);
	EXPECT(alarms(s, GW_NEIGHBOUR_MOVED) == 1);
	EXPECT(reaches(s, FAR4, gateway->mac));
	scene_free(s);
}

TEST(arp, keeps_the_address_of_a_neighbour_that_is_silent_and_raises_an_alarm)
{
	struct scene *s = scene_ready(&plain);
	struct station *gateway = scene_station_of(s, GATEWAY4);

	scene_bind(s, 0, OURS4, 5070);
	gateway->silent = true;
	scene_run_ms(s, 45000);
	EXPECT_EQ(1, alarms(s, GW_NEIGHBOUR_LOST));
	EXPECT(reaches(s, FAR4, gateway->mac));
	gateway->silent = false;
	scene_run_ms(s, 10000);
	EXPECT_EQ(1, alarms(s, GW_NEIGHBOUR_FOUND));
	scene_free(s);
}

TEST(arp, probes_for_its_own_addresses_at_start_and_announces_them)
{
	struct scene *s = scene_new(&plain);
	uint32_t probes = 0;
	struct ip_address ours = ip_of(OURS4);

	scene_run_ms(s, 12000);
	for (uint32_t i = 0; i < s->port[0]->sent_count; i++) {
		struct seen seen = scene_seen_at(s, 0, i);

		if (seen.kind != SEEN_ARP || !ip_address_equal(&ours, &seen.arp.target))
			continue;
		EXPECT(!seen.arp.reply);
		EXPECT_BYTES(eth_broadcast, seen.eth.dst, 6);
		EXPECT_BYTES(nobody, seen.arp.target_mac, 6); /* RFC 5227 2.1.1: SHOULD */
		probes += ip_address_is_unspecified(&seen.arp.sender);
	}
	EXPECT(probes >= 1 && probes <= 3);
	EXPECT(announcements(s, OURS4) >= 1 && announcements(s, OURS4) <= 3);
	scene_free(s);
}

TEST(arp, raises_an_alarm_when_another_station_answers_its_probe)
{
	struct scene *s = scene_new(&plain);

	scene_station(s, 0, OURS4, 0x99);
	scene_run_ms(s, 2000);
	EXPECT(alarms(s, GW_ADDRESS_CONFLICT) >= 1);
	scene_free(s);
}

TEST(arp, raises_one_alarm_a_second_when_somebody_uses_our_address_and_defends_it_now_and_then)
{
	struct scene *s = scene_ready(&plain);
	struct arp_packet arp = arp_of(false, OURS4, intruder, PEER4);
	struct endpoint at = endpoint_at(OURS4, 0);

	for (int i = 0; i < 500; i++) {
		feed_arp(s, &arp, NULL);
		scene_turn(s);
	}
	EXPECT_EQ(1, alarms(s, GW_ADDRESS_CONFLICT));
	EXPECT(endpoint_same_host(&at, &scene_last(s, HEARD_ALARM)->peer));
	EXPECT_EQ(1, announcements(s, OURS4));
	scene_turns(s, 1000);
	feed_arp(s, &arp, NULL);
	scene_turns(s, 2);
	EXPECT_EQ(2, alarms(s, GW_ADDRESS_CONFLICT));
	EXPECT_EQ(1, announcements(s, OURS4)); /* RFC 5227 2.4: once in ten seconds */
	scene_run_ms(s, 10000);
	feed_arp(s, &arp, NULL);
	scene_turns(s, 2);
	EXPECT_EQ(2, announcements(s, OURS4));
	scene_free(s);
}

TEST(arp, does_not_take_its_own_reflected_announcement_for_a_conflict)
{
	struct scene *s = scene_ready(&plain);
	struct arp_packet arp = arp_of(false, OURS4, s->mac[0], OURS4);

	feed_arp(s, &arp, NULL);
	scene_turns(s, 5);
	EXPECT_EQ(0, alarms(s, GW_ADDRESS_CONFLICT));
	EXPECT_EQ(0, s->port[0]->sent_count);
	scene_free(s);
}

TEST(arp, answers_or_counts_every_request_of_a_flood)
{
	struct scene *s = scene_ready(&plain);
	struct arp_packet arp = arp_of(false, STRANGER4, intruder, OURS4);

	for (int i = 0; i < 900; i++)
		feed_arp(s, &arp, NULL);
	scene_turns(s, 10);
	EXPECT_EQ(900, scene_seen(s, 0, SEEN_ARP, NULL) + scene_all_errors(s));
	EXPECT_EQ(900, SCENE_COUNTER(s, net_arp_in));
	scene_free(s);
}

/* Or whoever fills our ears would have a neighbour lost, and then answer in his place. */
TEST(arp, hears_a_neighbours_answer_through_a_flood)
{
	struct scene *s = scene_ready(&plain);
	struct station *peer = scene_station_of(s, PEER4);
	struct arp_packet claim = arp_of(false, PEER4, intruder, PEER4);
	struct arp_packet request = arp_of(false, STRANGER4, intruder, OURS4);
	struct arp_packet answer = arp_of(true, PEER4, peer->mac, OURS4);

	peer->silent = true;
	feed_arp(s, &claim, NULL);
	scene_turns(s, 2);
	EXPECT(was_asked(s, PEER4));
	for (uint32_t i = 0; i < 2000; i++) {
		feed_arp(s, &request, NULL);
		if (i % 200 == 199)
			scene_work(s, 0);
	}
	EXPECT(scene_errors(s, GW_ICMP_RATE) >= 900);
	feed_arp(s, &answer, s->mac[0]);
	scene_work(s, 0);
	scene_run_ms(s, 10000);
	EXPECT_EQ(0, alarms(s, GW_NEIGHBOUR_LOST));
	scene_free(s);
}

TEST_MAIN("net_stack_arp", RUN(arp, answers_a_request_for_our_address_written_by_hand),
	  RUN(arp, answers_for_each_of_our_addresses_and_for_no_other),
	  RUN(arp, answers_a_probe_for_our_address_so_that_its_sender_finds_the_conflict),
	  RUN(arp, refuses_a_malformed_packet),
	  RUN(arp, asks_for_gateways_and_trusted_peers_on_the_link_at_start_and_for_nobody_else),
	  RUN(arp, asks_once_a_second_while_nobody_answers),
	  RUN(arp, sends_to_the_address_of_the_answer), RUN(arp, never_learns_from_a_request),
	  RUN(arp, learns_neither_from_a_request_to_us_alone_nor_from_an_answer_to_somebody_else),
	  RUN(arp, does_not_believe_an_answer_to_a_question_that_was_not_asked),
	  RUN(arp, adds_nobody_to_the_table_whom_it_was_not_told_of),
	  RUN(arp, asks_the_address_it_knows_when_somebody_else_claims_a_neighbour),
	  RUN(arp, finds_a_gateway_that_has_moved_and_says_so),
	  RUN(arp, finds_a_gateway_that_has_moved_without_a_word_by_its_probes),
	  RUN(arp, keeps_the_address_of_a_neighbour_that_is_silent_and_raises_an_alarm),
	  RUN(arp, probes_for_its_own_addresses_at_start_and_announces_them),
	  RUN(arp, raises_an_alarm_when_another_station_answers_its_probe),
	  RUN(arp,
	      raises_one_alarm_a_second_when_somebody_uses_our_address_and_defends_it_now_and_then),
	  RUN(arp, does_not_take_its_own_reflected_announcement_for_a_conflict),
	  RUN(arp, answers_or_counts_every_request_of_a_flood),
	  RUN(arp, hears_a_neighbours_answer_through_a_flood))
