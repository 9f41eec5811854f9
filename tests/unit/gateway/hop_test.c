/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/internal.h"
#include "world.h"

/** A world of four next hops: one of priority 1, three of priority 2 with weights 1, 3 and 0. */
static void four_hops(void)
{
	world_start();
	world.config.next_hop_count = 4;
	world_reload();
}

/** Which of world.hop[] a target is. */
static uint32_t hop_of(const struct mw_target *target)
{
	for (uint32_t i = 0; i < WORLD_HOPS; i++)
		if (endpoint_same_host(&world.hop[i].address, &target->address))
			return i;
	fail_msg("no next hop");
	return 0;
}

static uint32_t chosen(void)
{
	struct mw_target target;

	EXPECT_EQ(GW_OK, target_next_hop(world.gw, &target));
	return hop_of(&target);
}

TEST(hops, of_the_best_priority_get_everything)
{
	four_hops();
	for (uint32_t i = 0; i < 100; i++)
		EXPECT_EQ(0, chosen());
}

TEST(hops, of_one_priority_share_by_weight)
{
	uint32_t got[WORLD_HOPS] = {0};

	four_hops();
	world.hop_down[0] = true;
	for (uint32_t i = 0; i < 6700; i++) /* shares of 17, 49 and 1 */
		got[chosen()]++;
	EXPECT_EQ(0, got[0]);
	EXPECT(got[1] > 1500 && got[1] < 1900);
	EXPECT(got[2] > 4700 && got[2] < 5100);
	EXPECT(got[3] > 50 && got[3] < 150);
}

TEST(hops, that_are_down_leave_their_share_to_the_others)
{
	four_hops();
	world.hop_down[0] = true;
	world.hop_down[2] = true;
	world.hop_down[3] = true;
	for (uint32_t i = 0; i < 100; i++)
		EXPECT_EQ(1, chosen());
}

TEST(hops, are_each_tried_once_and_the_best_first)
{
	struct mw_target target;
	uint32_t seen = 0;

	four_hops();
	EXPECT_EQ(GW_OK, target_next_hop(world.gw, &target));
	EXPECT_EQ(0, hop_of(&target));
	for (uint32_t i = 0; i < 3; i++) {
		EXPECT_EQ(GW_OK, target_another(world.gw, &target));
		seen |= 1u << hop_of(&target);
	}
	EXPECT_EQ(2 + 4 + 8, seen);
	EXPECT_EQ(GW_MW_DOWN, target_another(world.gw, &target));
}

TEST(hops, are_not_tried_again_over_the_other_transport)
{
	struct mw_target target;

	four_hops();
	world.config.next_hop_count = 1;
	world.hop[0].transport = NEXT_HOP_UDP;
	world_reload();
	EXPECT_EQ(GW_OK, target_next_hop(world.gw, &target));
	target.transport = MW_TCP; /* it was too long for UDP */
	EXPECT_EQ(GW_MW_DOWN, target_another(world.gw, &target));
}

TEST(hops, are_those_of_the_live_configuration)
{
	four_hops();
	world.config.next_hop = &world.hop[1];
	world.config.next_hop_count = 1;
	EXPECT_EQ(0, chosen());
	world_reload();
	EXPECT_EQ(1, chosen());
}

/* ---- OPTIONS -------------------------------------------------------------------------------- */

/** A world that asks its two next hops every 30 s; what they got first is the only thing sent. */
static void asking(void)
{
	world_start();
	world.config.mw_options_s = 30;
	world_reload();
	world_wait(1000000);
}

/** The only OPTIONS among what was sent to the hop since world_forget(). */
static const struct sent *asked(uint32_t hop)
{
	const struct sent *found = NULL;

	for (uint32_t i = 0; i < world.count; i++)
		if (strncmp(world.sent[i].text, "OPTIONS ", 8) == 0 &&
		    hop_of(&world.sent[i].target) == hop) {
			EXPECT(found == NULL);
			found = &world.sent[i];
		}
	return found;
}

/** The hop answers the OPTIONS that it got. */
static void hop_says(uint32_t hop, const char *status, const char *more)
{
	const char *request;

	EXPECT(asked(hop) != NULL);
	request = asked(hop)->text;
	core_sends(format("SIP/2.0 %s" CRLF "Via: %s" CRLF "From: %s" CRLF "To: %s;tag=h" CRLF
			  "Call-ID: %s" CRLF "CSeq: %s" CRLF "%sContent-Length: 0" CRLF CRLF,
			  status, line(request, "Via"), line(request, "From"), line(request, "To"),
			  line(request, "Call-ID"), line(request, "CSeq"), more));
}

static void both_say_ok(void)
{
	hop_says(0, "200 OK", "");
	hop_says(1, "200 OK", "");
	world_forget();
}

TEST(options, ask_each_hop_how_it_is_and_no_further)
{
	const char *text;

	asking();
	EXPECT_EQ(2, world.count);
	text = asked(0)->text;
	EXPECT(strncmp(text, "OPTIONS sip:198.18.0.20:5060;transport=tcp SIP/2.0\r\n", 52) == 0);
	EXPECT_LINE("0", text, "Max-Forwards");
	EXPECT_LINE("<sip:198.18.0.20:5060;transport=tcp>", text, "To");
	EXPECT_LINE("1 OPTIONS", text, "CSeq");
	EXPECT(contains(line(text, "Via"), "SIP/2.0/TCP 192.0.2.10:5070;branch=z9hG4bK"));
	EXPECT(contains(line(text, "From"), "<sip:ep1.home1.net>;tag=ep-"));
	EXPECT(contains(line(text, "Call-ID"), "@ep1.home1.net"));
	EXPECT(asked(1) != NULL);
	EXPECT_EQ(2, world_count(&world.counters.mw_options_out));
}

TEST(options, are_repeated_at_their_interval)
{
	asking();
	both_say_ok();
	EXPECT_EQ(0, world_transactions());
	world_wait(28000000);
	EXPECT_EQ(0, world.count);
	world_wait(2500000);
	EXPECT_EQ(2, world.count);
	EXPECT(asked(0) != NULL && asked(1) != NULL);
}

TEST(options, are_not_sent_when_the_interval_is_zero)
{
	world_start();
	world_wait(120000000);
	EXPECT_EQ(0, world.count);
}

TEST(options, end_when_a_reload_turns_them_off)
{
	asking();
	EXPECT_EQ(2, world_transactions());
	world.config.mw_options_s = 0;
	world_reload();
	EXPECT_EQ(0, world_transactions());
	world_forget();
	world_wait(120000000);
	EXPECT_EQ(0, world.count);
}

TEST(options, of_a_hop_that_is_not_configured_any_more_end)
{
	asking();
	world.config.next_hop_count = 1;
	world_reload();
	EXPECT_EQ(1, world_transactions());
}

TEST(options, that_are_refused_show_a_hop_that_is_up)
{
	asking();
	hop_says(0, "483 Too Many Hops", "");
	EXPECT_EQ(0, chosen());
	EXPECT_EQ(0, world.events);
}

TEST(options, answered_provisionally_are_still_waited_for)
{
	asking();
	hop_says(0, "100 Trying", "");
	hop_says(1, "200 OK", "");
	EXPECT_EQ(1, world_transactions());
	EXPECT_EQ(0, chosen());
	world_wait(8000000);
	EXPECT_EQ(1, chosen());
}

/** These seconds after its question hop 0 is down, and not before. */
static void silent(uint32_t seconds)
{
	world_wait(world_sent(0)->at_us + seconds * 1000000ull - 1000000 - world.now_us);
	EXPECT_EQ(0, chosen());
	world_wait(2000000);
	EXPECT_EQ(EVENT_MW_DOWN, world.event[0].what);
	EXPECT_EQ(GW_MW_TIMEOUT, world.event[0].err);
	EXPECT(endpoint_same_host(&world.hop[0].address, &world.event[0].peer));
	EXPECT_EQ(1, world_count(&world.counters.mw_hop_failures));
}

TEST(options, without_an_answer_for_three_seconds_over_udp_show_a_hop_that_is_down)
{
	world_start_udp();
	world.config.mw_options_s = 30;
	world.config.next_hop_count = 1;
	world_reload();
	world_wait(1000000);
	silent(3);
}

TEST(options, without_an_answer_for_eight_seconds_over_tcp_show_a_hop_that_is_down)
{
	world_start();
	world.config.mw_options_s = 30;
	world.config.next_hop_count = 1;
	world_reload();
	world_wait(1000000);
	silent(8);
}

TEST(options, find_a_hop_again_within_five_seconds)
{
	asking();
	hop_says(0, "503 Service Unavailable", "");
	EXPECT_EQ(1, chosen());
	world_forget();
	world_wait(5100000);
	hop_says(0, "200 OK", "");
	EXPECT_EQ(0, chosen());
	EXPECT_EQ(EVENT_MW_UP, world.event[world.events - 1].what);
}

TEST(options, show_a_hop_that_is_down_by_408_too)
{
	asking();
	hop_says(0, "408 Request Timeout", "");
	EXPECT_EQ(1, chosen());
	EXPECT_EQ(EVENT_MW_DOWN, world.event[0].what);
}

TEST(options, wait_for_what_a_503_asks_for)
{
	asking();
	hop_says(0, "503 Service Unavailable", "Retry-After: 20 (busy);duration=60" CRLF);
	world_forget();
	world_wait(19500000);
	EXPECT(asked(0) == NULL);
	world_wait(1000000);
	hop_says(0, "200 OK", "");
	EXPECT_EQ(0, chosen());
}

TEST(options, come_again_after_an_hour_when_a_503_asks_for_more)
{
	asking();
	hop_says(0, "503 Service Unavailable", "Retry-After: 99999999999" CRLF);
	hop_says(1, "200 OK", "");
	world.config.next_hop_count = 1;
	world_reload();
	world_forget();
	world_wait(3599000000ull);
	EXPECT_EQ(0, world.count);
	world_wait(2000000);
	EXPECT(asked(0) != NULL);
}

TEST(options, that_cannot_be_sent_show_a_hop_that_is_down)
{
	world_start();
	world.config.mw_options_s = 30;
	world.to_mw_err = GW_MW_DOWN;
	world_reload();
	world_wait(1000000);
	EXPECT_EQ(2, world_count(&world.counters.mw_hop_failures));
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(GW_MW_DOWN, wic_sends(0, register_jssip(token_alice(3570), 600)));
}

TEST(options, that_find_no_room_say_nothing_of_the_hop)
{
	world_start();
	world.config.mw_options_s = 30;
	world_reload();
	for (uint32_t i = 0; i < 8; i++) {
		const char *text = register_jssip(token_alice(3570), 600);

		EXPECT_EQ(GW_OK, wic_sends(0, text));
	}
	world_forget();
	world_wait(1000000);
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(0, world.events);
	EXPECT_EQ(0, chosen());
}

TEST(options, come_a_second_after_a_link_was_lost)
{
	struct mw_target target;

	asking();
	EXPECT_EQ(GW_OK, target_next_hop(world.gw, &target));
	both_say_ok();
	world.hop_down[0] = true;
	gateway_target_lost(world.gw, &target);
	EXPECT_EQ(EVENT_MW_DOWN, world.event[0].what);
	world.hop_down[0] = false;
	EXPECT_EQ(1, chosen()); /* until it has answered */
	world_wait(1100000);
	hop_says(0, "200 OK", "");
	EXPECT_EQ(0, chosen());
}

TEST(options, that_a_lost_link_carried_show_a_hop_that_is_down)
{
	struct mw_target target;

	asking();
	EXPECT_EQ(GW_OK, target_next_hop(world.gw, &target));
	gateway_target_lost(world.gw, &target);
	EXPECT_EQ(1, world_transactions());
	EXPECT_EQ(1, chosen());
}

TEST(hops, that_asked_for_time_are_left_alone_also_over_a_reload)
{
	world_start();
	(void)mw_register(register_jssip(token_alice(3570), 600));
	core_answers("503 Service Unavailable", "Retry-After: 20" CRLF);
	EXPECT_EQ(1, chosen());
	world_reload();
	EXPECT_EQ(1, chosen());
	world_wait(19999000);
	EXPECT_EQ(1, chosen());
	world_wait(1000);
	EXPECT_EQ(0, chosen());
}

/** The only row of a world's hop 0, whatever the others are. */
static struct row_mw row_of_first(void)
{
	struct row_mw row;
	uint32_t cursor = 0;

	EXPECT_EQ(1, gateway_hops(world.gw, &cursor, 1, &row));
	EXPECT_EQ(1, cursor);
	EXPECT(endpoint_same_host(&world.hop[0].address, &row.peer));
	EXPECT_TEXT("hop", row.what);
	return row;
}

TEST(rows, tell_what_is_known_of_each_hop)
{
	struct row_mw rows[WORLD_HOPS + 1];
	uint32_t cursor = 0;

	asking();
	EXPECT_EQ(2, gateway_hops(world.gw, &cursor, WORLD_HOPS + 1, rows));
	EXPECT_EQ(UINT32_MAX, cursor);
	EXPECT_EQ(2, rows[1].priority);
	EXPECT_EQ(1, rows[1].weight);
	EXPECT_EQ(MW_TCP, rows[1].transport);
	EXPECT_TEXT("up", row_of_first().state);
	world.hop_down[0] = true;
	EXPECT_TEXT("lost", row_of_first().state);
	world.hop_down[0] = false;
	hop_says(0, "503 Service Unavailable", "");
	EXPECT_TEXT("down", row_of_first().state);
}

TEST(rows, tell_how_long_a_hop_is_shut)
{
	world_start();
	(void)mw_register(register_jssip(token_alice(3570), 600));
	core_answers("503 Service Unavailable", "Retry-After: 20" CRLF);
	EXPECT_TEXT("shut", row_of_first().state);
	EXPECT_EQ(20, row_of_first().seconds);
}

TEST_MAIN("gateway_hop", RUN(hops, of_the_best_priority_get_everything),
	  RUN(hops, of_one_priority_share_by_weight),
	  RUN(hops, that_are_down_leave_their_share_to_the_others),
	  RUN(hops, are_each_tried_once_and_the_best_first),
	  RUN(hops, are_not_tried_again_over_the_other_transport),
	  RUN(hops, are_those_of_the_live_configuration),
	  RUN(options, ask_each_hop_how_it_is_and_no_further),
	  RUN(options, are_repeated_at_their_interval),
	  RUN(options, are_not_sent_when_the_interval_is_zero),
	  RUN(options, end_when_a_reload_turns_them_off),
	  RUN(options, of_a_hop_that_is_not_configured_any_more_end),
	  RUN(options, that_are_refused_show_a_hop_that_is_up),
	  RUN(options, answered_provisionally_are_still_waited_for),
	  RUN(options, without_an_answer_for_three_seconds_over_udp_show_a_hop_that_is_down),
	  RUN(options, without_an_answer_for_eight_seconds_over_tcp_show_a_hop_that_is_down),
	  RUN(options, find_a_hop_again_within_five_seconds),
	  RUN(options, show_a_hop_that_is_down_by_408_too),
	  RUN(options, wait_for_what_a_503_asks_for),
	  RUN(options, come_again_after_an_hour_when_a_503_asks_for_more),
	  RUN(options, that_cannot_be_sent_show_a_hop_that_is_down),
	  RUN(options, that_find_no_room_say_nothing_of_the_hop),
	  RUN(options, come_a_second_after_a_link_was_lost),
	  RUN(options, that_a_lost_link_carried_show_a_hop_that_is_down),
	  RUN(hops, that_asked_for_time_are_left_alone_also_over_a_reload),
	  RUN(rows, tell_what_is_known_of_each_hop), RUN(rows, tell_how_long_a_hop_is_shut))
