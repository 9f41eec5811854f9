/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "net/neighbour.h"

#define SECOND 1000000ull
#define START (1000 * SECOND)
#define PROBE_S 30u
#define NETIF 3u

static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 0xa};
static const uint8_t mac_b[6] = {2, 0, 0, 0, 0, 0xb};
static const uint8_t mac_none[6];

/** A table with what it asks and tells: the last question and the last alarm, and how many. */
struct scene {
	struct neighbour_table *table;
	uint64_t now_us, next_us;
	uint32_t asks_all, asks_known;
	uint8_t asked_mac[6];
	struct ip_address asked;
	uint32_t alarms;
	enum gw_err alarm[4];
};

static void on_ask(void *context, enum neighbour_ask how, uint32_t netif,
		   const struct ip_address *address, const uint8_t mac[6])
{
	struct scene *scene = context;

	assert_int_equal(NETIF, netif);
	scene->asks_all += how == NEIGHBOUR_ASK_ALL;
	scene->asks_known += how == NEIGHBOUR_ASK_KNOWN;
	scene->asked = *address;
	memcpy(scene->asked_mac, mac, 6);
}

static void on_alarm(void *context, enum gw_err what, const struct ip_address *address)
{
	struct scene *scene = context;

	assert_in_range(scene->alarms, 0, 3);
	scene->alarm[scene->alarms++] = what;
}

static const struct neighbour_ops ops = {on_ask, on_alarm};

static struct ip_address hop(uint8_t last)
{
	return ip_address_v4((const uint8_t[]){198, 18, 0, last});
}

static void run(struct scene *scene)
{
	scene->next_us = neighbour_run(scene->table, &ops, scene, scene->now_us);
	EXPECT(scene->next_us > scene->now_us);
}

static void pass(struct scene *scene, uint64_t us)
{
	scene->now_us += us;
	run(scene);
}

static void want(struct scene *scene, uint8_t last, enum neighbour_want reason)
{
	struct ip_address address = hop(last);

	EXPECT_EQ(GW_OK,
		  neighbour_want(scene->table, NETIF, &address, reason, PROBE_S, scene->now_us));
}

static void answer(struct scene *scene, const uint8_t mac[6])
{
	struct ip_address address = hop(1);

	neighbour_answer(scene->table, &(struct neighbour_said){NETIF, &address, mac}, &ops, scene,
			 scene->now_us);
	run(scene);
}

static void claim(struct scene *scene, const uint8_t mac[6])
{
	struct ip_address address = hop(1);

	neighbour_claim(scene->table, &(struct neighbour_said){NETIF, &address, mac});
	run(scene);
}

static void expect_state(struct scene *scene, enum neighbour_state state, const uint8_t mac[6])
{
	struct ip_address address = hop(1);
	uint8_t seen[6] = {0};

	EXPECT_EQ(state, neighbour_find(scene->table, NETIF, &address, seen));
	EXPECT_BYTES(mac, seen, 6);
}

/** How many questions went to all, and to the MAC known, since the last time. */
static void expect_asks(struct scene *scene, uint32_t all, uint32_t known)
{
	EXPECT_EQ(all, scene->asks_all);
	EXPECT_EQ(known, scene->asks_known);
	scene->asks_all = scene->asks_known = 0;
}

static void expect_alarm(struct scene *scene, enum gw_err what)
{
	EXPECT_EQ(1, scene->alarms);
	EXPECT_EQ(what, scene->alarm[0]);
	scene->alarms = 0;
}

static struct scene scene_new(uint32_t capacity)
{
	struct scene scene = {.table = neighbour_table_new(capacity), .now_us = START};

	EXPECT(scene.table != NULL);
	return scene;
}

static void scene_end(struct scene *scene)
{
	EXPECT_EQ(0, scene->alarms);
	EXPECT_EQ(0, scene->asks_all);
	EXPECT_EQ(0, scene->asks_known);
	neighbour_table_free(scene->table);
}

/** One hop, asked for once and answered from mac_a. */
static struct scene scene_reachable(void)
{
	struct scene scene = scene_new(4);

	want(&scene, 1, NEIGHBOUR_WANT_GATEWAY);
	run(&scene);
	answer(&scene, mac_a);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	expect_asks(&scene, 1, 0);
	return scene;
}

/** The same hop, silent since: asked at PROBE_S, and three misses later. */
static struct scene scene_stale(void)
{
	struct scene scene = scene_reachable();

	pass(&scene, PROBE_S * SECOND);
	for (uint32_t i = 0; i < 3; i++)
		pass(&scene, SECOND);
	expect_state(&scene, NEIGHBOUR_STALE, mac_a);
	expect_alarm(&scene, GW_NEIGHBOUR_LOST);
	expect_asks(&scene, 1, 3);
	return scene;
}

/* ---- resolution --------------------------------------------------------------------------------
 */

TEST(neighbour, that_nobody_wants_is_not_in_the_table_and_is_not_asked_for)
{
	struct scene scene = scene_new(4);

	expect_state(&scene, NEIGHBOUR_NONE, mac_none);
	claim(&scene, mac_a);
	answer(&scene, mac_a);
	expect_state(&scene, NEIGHBOUR_NONE, mac_none);
	EXPECT_EQ(UINT64_MAX, scene.next_us);
	scene_end(&scene);
}

TEST(neighbour, that_is_new_is_asked_for_at_once_and_then_once_a_second)
{
	struct scene scene = scene_new(4);
	struct ip_address expected = hop(1);

	want(&scene, 1, NEIGHBOUR_WANT_PEER);
	expect_asks(&scene, 0, 0);
	run(&scene);
	EXPECT(ip_address_equal(&expected, &scene.asked));
	EXPECT_BYTES(mac_none, scene.asked_mac, 6);
	EXPECT_EQ(START + SECOND, scene.next_us);
	pass(&scene, SECOND - 1);
	expect_asks(&scene, 1, 0);
	pass(&scene, 1);
	expect_asks(&scene, 1, 0);
	expect_state(&scene, NEIGHBOUR_INCOMPLETE, mac_none);
	scene_end(&scene);
}

TEST(neighbour, has_failed_after_the_third_unanswered_question_and_is_asked_for_ever)
{
	struct scene scene = scene_new(4);

	want(&scene, 1, NEIGHBOUR_WANT_PEER);
	run(&scene);
	pass(&scene, SECOND);
	pass(&scene, SECOND);
	expect_state(&scene, NEIGHBOUR_INCOMPLETE, mac_none);
	pass(&scene, SECOND);
	expect_state(&scene, NEIGHBOUR_FAILED, mac_none);
	expect_asks(&scene, 4, 0);
	for (uint32_t i = 0; i < 1000; i++)
		pass(&scene, SECOND);
	expect_state(&scene, NEIGHBOUR_FAILED, mac_none);
	expect_asks(&scene, 1000, 0);
	scene_end(&scene);
}

TEST(neighbour, becomes_reachable_when_it_answers_without_an_alarm)
{
	struct scene scene = scene_reachable();

	EXPECT_EQ(scene.now_us + PROBE_S * SECOND, scene.next_us);
	scene_end(&scene);
}

TEST(neighbour, that_had_failed_becomes_reachable_when_it_answers)
{
	struct scene scene = scene_new(4);

	want(&scene, 1, NEIGHBOUR_WANT_PEER);
	for (uint32_t i = 0; i < 10; i++)
		pass(&scene, SECOND);
	expect_asks(&scene, 10, 0);
	answer(&scene, mac_a);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	scene_end(&scene);
}

TEST(neighbour, is_not_learned_before_it_was_asked_for)
{
	struct scene scene = scene_new(4);
	struct ip_address address = hop(1);

	want(&scene, 1, NEIGHBOUR_WANT_PEER);
	neighbour_answer(scene.table, &(struct neighbour_said){NETIF, &address, mac_a}, &ops,
			 &scene, scene.now_us);
	expect_state(&scene, NEIGHBOUR_INCOMPLETE, mac_none);
	run(&scene);
	expect_asks(&scene, 1, 0);
	scene_end(&scene);
}

TEST(neighbour, is_not_learned_from_a_claim)
{
	struct scene scene = scene_new(4);

	want(&scene, 1, NEIGHBOUR_WANT_PEER);
	run(&scene);
	claim(&scene, mac_b);
	expect_state(&scene, NEIGHBOUR_INCOMPLETE, mac_none);
	expect_asks(&scene, 1, 0); /* and it makes us ask no faster */
	scene_end(&scene);
}

TEST(neighbour, is_not_learned_from_an_answer_that_comes_three_seconds_late)
{
	struct scene scene = scene_new(4);
	struct ip_address address = hop(1);

	want(&scene, 1, NEIGHBOUR_WANT_PEER);
	run(&scene);
	neighbour_answer(scene.table, &(struct neighbour_said){NETIF, &address, mac_a}, &ops,
			 &scene, START + 3 * SECOND);
	expect_state(&scene, NEIGHBOUR_INCOMPLETE, mac_none);
	neighbour_answer(scene.table, &(struct neighbour_said){NETIF, &address, mac_a}, &ops,
			 &scene, START + 3 * SECOND - 1);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	expect_asks(&scene, 1, 0);
	scene_end(&scene);
}

TEST(neighbour, never_has_a_group_or_an_all_zero_hardware_address)
{
	static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
	static const uint8_t group[6] = {1, 0, 0x5e, 0, 0, 1};
	struct scene scene = scene_new(4);

	want(&scene, 1, NEIGHBOUR_WANT_PEER);
	run(&scene);
	answer(&scene, broadcast);
	answer(&scene, group);
	answer(&scene, mac_none);
	expect_state(&scene, NEIGHBOUR_INCOMPLETE, mac_none);
	answer(&scene, mac_a);
	claim(&scene, broadcast);
	claim(&scene, group);
	claim(&scene, mac_none);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	expect_asks(&scene, 1, 0);
	scene_end(&scene);
}

TEST(neighbour, is_another_one_on_another_interface_and_of_the_other_family)
{
	struct scene scene = scene_reachable();
	struct ip_address address = hop(1);
	uint8_t mac[6];

	EXPECT_EQ(NEIGHBOUR_NONE, neighbour_find(scene.table, NETIF + 1, &address, mac));
	neighbour_answer(scene.table, &(struct neighbour_said){NETIF + 1, &address, mac_b}, &ops,
			 &scene, scene.now_us);
	address.bytes[0] = 0xfd;
	EXPECT_EQ(NEIGHBOUR_NONE, neighbour_find(scene.table, NETIF, &address, mac));
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	scene_end(&scene);
}

/* ---- probes ------------------------------------------------------------------------------------
 */

TEST(neighbour, that_is_reachable_is_probed_at_its_known_address)
{
	struct scene scene = scene_reachable();

	pass(&scene, PROBE_S * SECOND - 1);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	expect_asks(&scene, 0, 0);
	pass(&scene, 1);
	expect_state(&scene, NEIGHBOUR_PROBE, mac_a); /* which is used meanwhile */
	EXPECT_BYTES(mac_a, scene.asked_mac, 6);
	expect_asks(&scene, 0, 1);
	answer(&scene, mac_a);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	EXPECT_EQ(scene.now_us + PROBE_S * SECOND, scene.next_us);
	scene_end(&scene);
}

TEST(neighbour, may_miss_two_probes)
{
	struct scene scene = scene_reachable();

	pass(&scene, PROBE_S * SECOND);
	pass(&scene, SECOND);
	pass(&scene, SECOND);
	expect_state(&scene, NEIGHBOUR_PROBE, mac_a);
	expect_asks(&scene, 0, 3);
	answer(&scene, mac_a);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	scene_end(&scene);
}

TEST(neighbour, that_misses_three_probes_is_lost_with_an_alarm_and_keeps_its_address)
{
	struct scene scene = scene_stale();

	scene_end(&scene);
}

TEST(neighbour, that_is_lost_is_asked_for_once_a_second_and_after_a_minute_every_five)
{
	struct scene scene = scene_stale();

	for (uint32_t i = 0; i < 60; i++)
		pass(&scene, SECOND);
	expect_asks(&scene, 60, 0);
	EXPECT_EQ(scene.now_us + 5 * SECOND, scene.next_us);
	for (uint32_t i = 0; i < 60; i++)
		pass(&scene, SECOND);
	expect_asks(&scene, 12, 0);
	expect_state(&scene, NEIGHBOUR_STALE, mac_a);
	scene_end(&scene); /* and the alarm came once */
}

TEST(neighbour, that_was_lost_is_found_with_an_alarm)
{
	struct scene scene = scene_stale();

	answer(&scene, mac_a);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	expect_alarm(&scene, GW_NEIGHBOUR_FOUND);
	EXPECT_EQ(scene.now_us + PROBE_S * SECOND, scene.next_us);
	scene_end(&scene);
}

TEST(neighbour, that_was_lost_may_come_back_at_another_address_with_both_alarms)
{
	struct scene scene = scene_stale();

	answer(&scene, mac_b);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_b);
	EXPECT_EQ(2, scene.alarms);
	EXPECT_EQ(GW_NEIGHBOUR_FOUND, scene.alarm[0]);
	EXPECT_EQ(GW_NEIGHBOUR_MOVED, scene.alarm[1]);
	scene.alarms = 0;
	scene_end(&scene);
}

TEST(neighbour, that_was_lost_long_ago_is_asked_for_at_once_when_it_claims_its_address)
{
	struct scene scene = scene_stale();

	for (uint32_t i = 0; i < 60; i++)
		pass(&scene, SECOND);
	expect_asks(&scene, 60, 0);
	pass(&scene, 4 * SECOND); /* the next question is due in a second */
	answer(&scene, mac_a);	  /* too late for the last one: no more than a claim */
	expect_state(&scene, NEIGHBOUR_STALE, mac_a);
	expect_asks(&scene, 1, 0);
	claim(&scene, mac_a);
	expect_asks(&scene, 0, 0); /* not twice in a second */
	answer(&scene, mac_a);
	expect_alarm(&scene, GW_NEIGHBOUR_FOUND);
	scene_end(&scene);
}

TEST(neighbour, is_lost_again_after_it_was_found)
{
	struct scene scene = scene_stale();

	answer(&scene, mac_a);
	expect_alarm(&scene, GW_NEIGHBOUR_FOUND);
	pass(&scene, PROBE_S * SECOND);
	for (uint32_t i = 0; i < 3; i++)
		pass(&scene, SECOND);
	expect_state(&scene, NEIGHBOUR_STALE, mac_a);
	expect_alarm(&scene, GW_NEIGHBOUR_LOST);
	expect_asks(&scene, 1, 3);
	scene_end(&scene);
}

TEST(neighbour, misses_one_question_and_not_ten_when_its_owner_was_away_for_ten_seconds)
{
	struct scene scene = scene_reachable();

	pass(&scene, PROBE_S * SECOND);
	pass(&scene, 10 * SECOND);
	expect_state(&scene, NEIGHBOUR_PROBE, mac_a);
	expect_asks(&scene, 0, 2);
	answer(&scene, mac_a);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	scene_end(&scene);
}

/* ---- claims ------------------------------------------------------------------------------------
 */

TEST(neighbour, whose_address_is_claimed_by_itself_is_not_asked)
{
	struct scene scene = scene_reachable();

	claim(&scene, mac_a);
	answer(&scene, mac_a); /* to no question */
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	scene_end(&scene);
}

TEST(neighbour, whose_address_another_claims_is_asked_at_once_and_keeps_it_with_its_answer)
{
	struct scene scene = scene_reachable();

	pass(&scene, 5 * SECOND);
	claim(&scene, mac_b);
	expect_state(&scene, NEIGHBOUR_PROBE, mac_a);
	EXPECT_BYTES(mac_a, scene.asked_mac, 6);
	expect_asks(&scene, 0, 1);
	answer(&scene, mac_b); /* nobody asked that one */
	expect_state(&scene, NEIGHBOUR_PROBE, mac_a);
	answer(&scene, mac_a);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	answer(&scene, mac_b);
	claim(&scene, mac_b);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	expect_asks(&scene, 0, 0);
	pass(&scene, SECOND); /* and those were two more claims */
	expect_asks(&scene, 0, 1);
	answer(&scene, mac_a);
	scene_end(&scene);
}

TEST(neighbour, that_does_not_defend_its_address_for_a_second_loses_it_to_who_answers_all)
{
	struct scene scene = scene_reachable();

	pass(&scene, 5 * SECOND);
	claim(&scene, mac_b);
	expect_asks(&scene, 0, 1);
	pass(&scene, SECOND);
	expect_asks(&scene, 1, 0);
	expect_state(&scene, NEIGHBOUR_PROBE, mac_a);
	answer(&scene, mac_b);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_b);
	expect_alarm(&scene, GW_NEIGHBOUR_MOVED);
	EXPECT_EQ(scene.now_us + PROBE_S * SECOND, scene.next_us);
	scene_end(&scene);
}

TEST(neighbour, that_has_defended_its_address_is_asked_alone_at_its_next_probe)
{
	struct scene scene = scene_reachable();

	pass(&scene, 5 * SECOND);
	claim(&scene, mac_b);
	answer(&scene, mac_a);
	expect_asks(&scene, 0, 1);
	pass(&scene, PROBE_S * SECOND);
	pass(&scene, SECOND);
	expect_asks(&scene, 0, 2);
	scene_end(&scene);
}

TEST(neighbour, keeps_its_address_when_it_is_the_first_to_answer_the_question_to_all)
{
	struct scene scene = scene_reachable();

	pass(&scene, 5 * SECOND);
	claim(&scene, mac_b);
	pass(&scene, SECOND);
	expect_asks(&scene, 1, 1);
	answer(&scene, mac_a);
	answer(&scene, mac_b); /* the question is answered: this one is a claim again */
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	pass(&scene, SECOND);
	expect_asks(&scene, 0, 1);
	answer(&scene, mac_a);
	scene_end(&scene);
}

TEST(neighbour, that_is_being_probed_when_its_address_is_claimed_is_asked_with_all_next)
{
	struct scene scene = scene_reachable();

	pass(&scene, PROBE_S * SECOND);
	expect_asks(&scene, 0, 1);
	claim(&scene, mac_b);
	expect_asks(&scene, 0, 0);
	pass(&scene, SECOND);
	expect_asks(&scene, 1, 0);
	answer(&scene, mac_b);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_b);
	expect_alarm(&scene, GW_NEIGHBOUR_MOVED);
	scene_end(&scene);
}

TEST(neighbour, whose_address_is_claimed_and_where_nobody_answers_is_lost)
{
	struct scene scene = scene_reachable();

	pass(&scene, 5 * SECOND);
	claim(&scene, mac_b);
	pass(&scene, SECOND);
	pass(&scene, SECOND);
	expect_asks(&scene, 2, 1);
	pass(&scene, SECOND);
	expect_state(&scene, NEIGHBOUR_STALE, mac_a);
	expect_alarm(&scene, GW_NEIGHBOUR_LOST);
	expect_asks(&scene, 1, 0);
	scene_end(&scene);
}

TEST(neighbour, is_asked_once_a_second_under_a_flood_of_claims)
{
	struct scene scene = scene_reachable();
	uint32_t asks = 0;

	for (uint32_t i = 0; i < 10000; i++) { /* 10 s */
		pass(&scene, SECOND / 1000);
		claim(&scene, mac_b);
		answer(&scene, mac_b);
		if (scene.asks_known > 0) {
			asks++;
			answer(&scene, mac_a); /* as it does */
			expect_asks(&scene, 0, 1);
		}
		expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	}
	EXPECT_EQ(10, asks);
	scene_end(&scene);
}

/* ---- who is wanted -----------------------------------------------------------------------------
 */

TEST(neighbour, that_is_wanted_twice_is_one_row_and_loses_no_state)
{
	struct scene scene = scene_reachable();
	struct row_neighbour rows[4];

	want(&scene, 1, NEIGHBOUR_WANT_PEER);
	run(&scene);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	EXPECT_EQ(1, neighbour_rows(scene.table, 4, rows));
	scene_end(&scene);
}

TEST(neighbour, goes_when_the_last_reason_is_taken_away)
{
	struct scene scene = scene_reachable();

	want(&scene, 1, NEIGHBOUR_WANT_PING);
	neighbour_unwant(scene.table, NEIGHBOUR_WANT_GATEWAY);
	run(&scene);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	neighbour_unwant(scene.table, NEIGHBOUR_WANT_PING);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	run(&scene);
	expect_state(&scene, NEIGHBOUR_NONE, mac_none);
	EXPECT_EQ(UINT64_MAX, scene.next_us);
	pass(&scene, 100 * SECOND);
	scene_end(&scene);
}

TEST(neighbour, that_the_next_configuration_wants_too_keeps_its_state)
{
	struct scene scene = scene_reachable();

	neighbour_unwant(scene.table, NEIGHBOUR_WANT_GATEWAY);
	want(&scene, 1, NEIGHBOUR_WANT_GATEWAY);
	run(&scene);
	expect_state(&scene, NEIGHBOUR_REACHABLE, mac_a);
	EXPECT_EQ(START + PROBE_S * SECOND, scene.next_us);
	scene_end(&scene);
}

TEST(neighbour, that_comes_back_after_it_went_is_asked_for_anew)
{
	struct scene scene = scene_reachable();

	neighbour_unwant(scene.table, NEIGHBOUR_WANT_GATEWAY);
	run(&scene);
	want(&scene, 1, NEIGHBOUR_WANT_PEER);
	expect_state(&scene, NEIGHBOUR_INCOMPLETE, mac_none);
	answer(&scene, mac_b); /* of before the question: counts for nothing */
	expect_state(&scene, NEIGHBOUR_INCOMPLETE, mac_none);
	expect_asks(&scene, 1, 0);
	scene_end(&scene);
}

TEST(neighbour, finds_no_room_in_a_full_table)
{
	struct scene scene = scene_new(2);
	struct ip_address third = hop(3);

	want(&scene, 1, NEIGHBOUR_WANT_PEER);
	want(&scene, 2, NEIGHBOUR_WANT_PEER);
	EXPECT_EQ(GW_POOL_EMPTY, neighbour_want(scene.table, NETIF, &third, NEIGHBOUR_WANT_PING,
						PROBE_S, scene.now_us));
	want(&scene, 2, NEIGHBOUR_WANT_PING); /* that is no new row */
	run(&scene);
	expect_asks(&scene, 2, 0);
	scene_end(&scene);
}

TEST(neighbour, takes_the_room_of_one_that_nobody_wants_any_more)
{
	struct scene scene = scene_new(2);

	want(&scene, 1, NEIGHBOUR_WANT_PEER);
	want(&scene, 2, NEIGHBOUR_WANT_GATEWAY);
	neighbour_unwant(scene.table, NEIGHBOUR_WANT_PEER);
	want(&scene, 3, NEIGHBOUR_WANT_PEER);
	expect_state(&scene, NEIGHBOUR_NONE, mac_none);
	run(&scene);
	expect_asks(&scene, 2, 0);
	scene_end(&scene);
}

static void expect_incomplete(struct scene *scene, uint8_t hops)
{
	uint8_t mac[6];

	for (uint8_t i = 0; i < hops; i++) {
		struct ip_address address = hop(i);

		EXPECT_EQ(NEIGHBOUR_INCOMPLETE, neighbour_find(scene->table, NETIF, &address, mac));
	}
}

TEST(neighbour, is_found_among_as_many_as_fit_while_others_come_and_go)
{
	struct scene scene = scene_new(100);
	struct row_neighbour rows[100];

	for (uint32_t round = 0; round < 50; round++) {
		for (uint8_t i = 0; i < 50; i++)
			want(&scene, (uint8_t)(100 + (round * 37 + i) % 150), NEIGHBOUR_WANT_PING);
		for (uint8_t i = 0; i < 50; i++)
			want(&scene, i, NEIGHBOUR_WANT_GATEWAY);
		EXPECT_EQ(100, neighbour_rows(scene.table, 100, rows));
		expect_incomplete(&scene, 50);
		neighbour_unwant(scene.table, NEIGHBOUR_WANT_PING);
		run(&scene);
		EXPECT_EQ(50, neighbour_rows(scene.table, 100, rows));
		expect_incomplete(&scene, 50); /* past the places of those that went */
		expect_asks(&scene, 50, 0);
		neighbour_unwant(scene.table, NEIGHBOUR_WANT_GATEWAY);
		run(&scene);
		EXPECT_EQ(0, neighbour_rows(scene.table, 100, rows));
	}
	scene_end(&scene);
}

TEST(neighbour, is_listed_with_its_state_and_whether_it_is_a_gateway)
{
	struct scene scene = scene_reachable();
	struct row_neighbour rows[2];
	struct ip_address address = hop(1);

	EXPECT_EQ(1, neighbour_rows(scene.table, 2, rows));
	EXPECT_EQ(AF_INET, rows[0].address.sa.sa_family);
	EXPECT_BYTES(ip_address_v4_bytes(&address), &rows[0].address.v4.sin_addr, 4);
	EXPECT_EQ(NETIF, rows[0].netif);
	EXPECT(rows[0].gateway);
	EXPECT_BYTES(mac_a, rows[0].mac, 6);
	EXPECT_TEXT("reachable", neighbour_state_text(rows[0].state));
	want(&scene, 1, NEIGHBOUR_WANT_PEER);
	neighbour_unwant(scene.table, NEIGHBOUR_WANT_GATEWAY);
	EXPECT_EQ(1, neighbour_rows(scene.table, 2, rows));
	EXPECT(!rows[0].gateway);
	EXPECT_EQ(0, neighbour_rows(scene.table, 0, rows));
	scene_end(&scene);
}

TEST(neighbour, has_a_name_for_every_state)
{
	EXPECT_TEXT("none", neighbour_state_text(NEIGHBOUR_NONE));
	EXPECT_TEXT("incomplete", neighbour_state_text(NEIGHBOUR_INCOMPLETE));
	EXPECT_TEXT("failed", neighbour_state_text(NEIGHBOUR_FAILED));
	EXPECT_TEXT("probe", neighbour_state_text(NEIGHBOUR_PROBE));
	EXPECT_TEXT("stale", neighbour_state_text(NEIGHBOUR_STALE));
}

TEST(neighbour, is_probed_once_a_second_at_most)
{
	struct scene scene = scene_new(1);
	struct ip_address address = hop(1);

	EXPECT_EQ(GW_OK, neighbour_want(scene.table, NETIF, &address, NEIGHBOUR_WANT_PEER, 0,
					scene.now_us));
	run(&scene);
	answer(&scene, mac_a);
	EXPECT_EQ(scene.now_us + SECOND, scene.next_us);
	expect_asks(&scene, 1, 0);
	scene_end(&scene);
}

TEST(neighbour, needs_room_for_one_row)
{
	EXPECT(neighbour_table_new(0) == NULL);
	neighbour_table_free(NULL);
}

TEST_MAIN("neighbour", RUN(neighbour, that_nobody_wants_is_not_in_the_table_and_is_not_asked_for),
	  RUN(neighbour, that_is_new_is_asked_for_at_once_and_then_once_a_second),
	  RUN(neighbour, has_failed_after_the_third_unanswered_question_and_is_asked_for_ever),
	  RUN(neighbour, becomes_reachable_when_it_answers_without_an_alarm),
	  RUN(neighbour, that_had_failed_becomes_reachable_when_it_answers),
	  RUN(neighbour, is_not_learned_before_it_was_asked_for),
	  RUN(neighbour, is_not_learned_from_a_claim),
	  RUN(neighbour, is_not_learned_from_an_answer_that_comes_three_seconds_late),
	  RUN(neighbour, never_has_a_group_or_an_all_zero_hardware_address),
	  RUN(neighbour, is_another_one_on_another_interface_and_of_the_other_family),
	  RUN(neighbour, that_is_reachable_is_probed_at_its_known_address),
	  RUN(neighbour, may_miss_two_probes),
	  RUN(neighbour, that_misses_three_probes_is_lost_with_an_alarm_and_keeps_its_address),
	  RUN(neighbour, that_is_lost_is_asked_for_once_a_second_and_after_a_minute_every_five),
	  RUN(neighbour, that_was_lost_is_found_with_an_alarm),
	  RUN(neighbour, that_was_lost_may_come_back_at_another_address_with_both_alarms),
	  RUN(neighbour, that_was_lost_long_ago_is_asked_for_at_once_when_it_claims_its_address),
	  RUN(neighbour, is_lost_again_after_it_was_found),
	  RUN(neighbour, misses_one_question_and_not_ten_when_its_owner_was_away_for_ten_seconds),
	  RUN(neighbour, whose_address_is_claimed_by_itself_is_not_asked),
	  RUN(neighbour,
	      whose_address_another_claims_is_asked_at_once_and_keeps_it_with_its_answer),
	  RUN(neighbour, that_does_not_defend_its_address_for_a_second_loses_it_to_who_answers_all),
	  RUN(neighbour, that_has_defended_its_address_is_asked_alone_at_its_next_probe),
	  RUN(neighbour, keeps_its_address_when_it_is_the_first_to_answer_the_question_to_all),
	  RUN(neighbour, that_is_being_probed_when_its_address_is_claimed_is_asked_with_all_next),
	  RUN(neighbour, whose_address_is_claimed_and_where_nobody_answers_is_lost),
	  RUN(neighbour, is_asked_once_a_second_under_a_flood_of_claims),
	  RUN(neighbour, that_is_wanted_twice_is_one_row_and_loses_no_state),
	  RUN(neighbour, goes_when_the_last_reason_is_taken_away),
	  RUN(neighbour, that_the_next_configuration_wants_too_keeps_its_state),
	  RUN(neighbour, that_comes_back_after_it_went_is_asked_for_anew),
	  RUN(neighbour, finds_no_room_in_a_full_table),
	  RUN(neighbour, takes_the_room_of_one_that_nobody_wants_any_more),
	  RUN(neighbour, is_found_among_as_many_as_fit_while_others_come_and_go),
	  RUN(neighbour, is_listed_with_its_state_and_whether_it_is_a_gateway),
	  RUN(neighbour, has_a_name_for_every_state),
	  RUN(neighbour, is_probed_once_a_second_at_most), RUN(neighbour, needs_room_for_one_row))
