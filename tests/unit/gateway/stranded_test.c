/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

#include "gateway/internal.h"

/* Requests of a WIC inside its dialogs while their only next hop is away for a moment. */

/** The target of what went to the core last is lost, and nothing is known to be up. */
static void target_goes(void)
{
	struct mw_target target = nth_to(TO_MW, count_to(TO_MW) - 1)->target;

	gateway_target_lost(world.gw, &target);
}

/** A request of alice is on its way when its link is lost; as the core got it. */
static const char *lost_on_its_way(const struct call *c, const char *method)
{
	const char *text;

	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(c, method, "")));
	text = keep(last_to(TO_MW));
	target_goes();
	return text;
}

static struct call stands(enum mw_transport transport)
{
	struct call c;

	call_world(transport);
	call_no_stand_in();
	c = alice_called();
	return c;
}

TEST_BOTH(bye, whose_link_is_lost_is_sent_again_as_it_was_and_answered)
{
	struct call c = stands(transport);
	const char *bye = lost_on_its_way(&c, "BYE");

	EXPECT_EQ(0, count_to(TO_WIC));
	world_forget();
	world_wait(500 * MS);
	EXPECT_TEXT(bye, last_to(TO_MW)); /* its branch too: who has it knows it again */
	core_sends(answer_of(bye, "200 OK", "", ""));
	EXPECT_EQ(200, status_of(only_of(TO_WIC, "SIP/2.0")));
	EXPECT_EQ(1, world_count(&world.counters.mw_stranded));
	EXPECT_EQ(0, world_count(&world.counters.mw_stranded_lost));
	call_wait(33);
	call_nothing_left();
	EXPECT_EQ(0, world.gw->stranded);
}

TEST_BOTH(bye, goes_to_no_other_next_hop_than_that_of_its_dialog)
{
	struct mw_target target;
	const char *bye;
	struct call c;

	call_world(transport);
	c = alice_called();
	world.config.next_hop_count = 2; /* the other knows nothing of the call */
	world_reload();
	bye = lost_on_its_way(&c, "BYE");
	target = nth_to(TO_MW, 0)->target;
	world_forget();
	world_wait(500 * MS);
	EXPECT_TEXT(bye, last_to(TO_MW));
	for (uint32_t i = 0; i < count_to(TO_MW); i++)
		EXPECT(target_same(&target, &nth_to(TO_MW, i)->target));
	EXPECT_EQ(0, world_count(&world.counters.mw_failovers));
}

TEST(bye, is_tried_for_8_s_and_504_then)
{
	struct call c = stands(MW_TCP);
	uint64_t start = world.now_us;
	uint32_t tries = 0;

	(void)lost_on_its_way(&c, "BYE");
	for (uint32_t seen = 1; count_to(TO_WIC) == 0 && world.now_us < start + 20 * S;) {
		world_wait(50 * MS);
		if (count_to(TO_MW) == seen)
			continue;
		seen = count_to(TO_MW);
		tries++;
		target_goes(); /* refused again */
	}
	EXPECT_EQ(504, status_of(only_of(TO_WIC, "SIP/2.0")));
	EXPECT(world.now_us > start + 7 * S && world.now_us <= start + 8 * S + 100 * MS);
	EXPECT(tries >= 8 && tries <= 10);
	EXPECT_EQ(1, world_count(&world.counters.mw_stranded_lost));
	call_wait(33);
	call_nothing_left();
	EXPECT_EQ(0, world.gw->stranded);
}

TEST_BOTH(bye, that_cannot_be_sent_goes_as_soon_as_it_can)
{
	struct call c = stands(transport);

	world_forget();
	world.to_mw_err = GW_MW_DOWN;
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "BYE", "")));
	world_wait(3 * S);
	EXPECT_EQ(0, world.count);
	world.to_mw_err = GW_OK;
	world_wait(1 * S + 250 * MS);
	EXPECT(count_of(TO_MW, "BYE ") > 0);
	core_sends(answer_of(keep(last_to(TO_MW)), "200 OK", "", ""));
	EXPECT_EQ(200, status_of(only_of(TO_WIC, "SIP/2.0")));
	call_wait(33);
	call_nothing_left();
}

TEST(bye, is_not_put_off_by_other_losses_meanwhile)
{
	struct call c = stands(MW_TCP);

	(void)lost_on_its_way(&c, "BYE");
	for (uint32_t i = 0; i < 20; i++)
		target_goes();
	world_wait(500 * MS);
	EXPECT_EQ(2, count_of(TO_MW, "BYE "));
}

TEST(request, goes_again_together_with_the_others)
{
	struct call c = stands(MW_TCP);

	world_wait(250 * MS - world.now_us % (250 * MS)); /* so that both wait for the same time */
	world_wait(20 * MS);
	(void)lost_on_its_way(&c, "INFO");
	world_wait(100 * MS);
	(void)lost_on_its_way(&c, "INFO");
	world_forget();
	world_wait(500 * MS);
	EXPECT_EQ(2, count_to(TO_MW));
	EXPECT_EQ(nth_to(TO_MW, 0)->at_us, nth_to(TO_MW, 1)->at_us);
}

TEST(bye, that_cannot_be_sent_is_504_after_8_s)
{
	struct call c = stands(MW_TCP);

	world_forget();
	world.to_mw_err = GW_MW_DOWN;
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "BYE", "")));
	world_wait(7 * S - 250 * MS);
	EXPECT_EQ(0, world.count);
	world_wait(1500 * MS);
	EXPECT_EQ(504, status_of(world_only(TO_WIC)));
}

TEST(bye, waits_for_room_in_the_link_that_is_being_opened)
{
	struct call c = stands(MW_TCP);

	world_forget();
	world.to_mw_err = GW_QUEUE_FULL;
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "BYE", "")));
	world_wait(2 * S + 20 * MS);
	world.to_mw_err = GW_OK;
	world_wait(300 * MS); /* no slower for the times that there was none */
	only_of(TO_MW, "BYE ");
}

TEST(bye, that_finds_no_room_for_8_s_is_504)
{
	struct call c = stands(MW_TCP);

	world_forget();
	world.to_mw_err = GW_QUEUE_FULL;
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "BYE", "")));
	world_wait(8 * S + 250 * MS);
	EXPECT_EQ(504, status_of(world_only(TO_WIC)));
}

TEST(bye, goes_to_the_next_hop_that_is_down_when_its_route_leaves_no_other)
{
	struct call c;

	call_world(MW_TCP);
	c = alice_calls("");
	core_sends(bare_answer_of(c.onward, "200 OK", "b1",
				  format("Record-Route: <sip:scscf.home1.net;lr>, %s" CRLF,
					 line(c.onward, "Record-Route"))));
	c.routes = keep(routes_of_response(only_of(TO_WIC, "SIP/2.0 200")));
	call_no_stand_in();
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "BYE", "")));
	only_of(TO_MW, "BYE ");
	EXPECT(endpoint_same_host(&world.hop[0].address, &nth_to(TO_MW, 0)->target.address));
}

TEST(bye, without_any_next_hop_is_504_at_once)
{
	struct call c;

	call_world(MW_TCP);
	c = alice_calls("");
	core_sends(bare_answer_of(c.onward, "200 OK", "b1",
				  format("Record-Route: <sip:scscf.home1.net;lr>, %s" CRLF,
					 line(c.onward, "Record-Route"))));
	c.routes = keep(routes_of_response(only_of(TO_WIC, "SIP/2.0 200")));
	world.config.next_hop_count = 0;
	world_reload();
	world_forget();
	EXPECT_EQ(GW_MW_DOWN, wic_sends(0, alice_in_call(&c, "BYE", "")));
	EXPECT_EQ(504, status_of(world_only(TO_WIC)));
}

TEST_BOTH(bye, said_again_while_it_waits_is_absorbed)
{
	struct call c = stands(transport);
	const char *bye;

	world_forget();
	world.to_mw_err = GW_MW_DOWN;
	bye = keep(alice_in_call(&c, "BYE", ""));
	EXPECT_EQ(GW_OK, wic_sends(0, bye));
	EXPECT_EQ(GW_OK, wic_sends(0, bye));
	EXPECT_EQ(1, gateway_transactions(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.mw_stranded));
}

TEST_BOTH(bye, whose_wic_has_gone_still_reaches_the_core)
{
	struct call c = stands(transport);
	const char *bye = lost_on_its_way(&c, "BYE");

	alice_goes();
	world_wait(500 * MS);
	EXPECT_TEXT(bye, last_to(TO_MW));
	core_sends(answer_of(bye, "200 OK", "", ""));
	call_wait(100);
	call_nothing_left();
	EXPECT_EQ(0, world.gw->stranded);
}

TEST(request, has_no_more_time_than_timer_f_however_often_its_link_is_lost)
{
	struct call c = stands(MW_TCP);
	const char *info = lost_on_its_way(&c, "INFO");
	uint64_t start = world.now_us;

	while (count_to(TO_WIC) == 0 && world.now_us < start + 60 * S) {
		world_wait(5 * S);
		core_sends(bare_answer_of(info, "100 Trying", "", ""));
		target_goes(); /* it is there each time, and goes again */
	}
	EXPECT_EQ(408, status_of(only_of(TO_WIC, "SIP/2.0")));
	EXPECT(world.now_us <= start + 35 * S);
	EXPECT_EQ(0, world.gw->stranded);
}

TEST(request, beyond_half_of_the_transactions_does_not_wait)
{
	struct call c = stands(MW_TCP); /* 8 transactions */

	for (uint32_t i = 0; i < 4; i++) {
		(void)lost_on_its_way(&c, "INFO");
		EXPECT_EQ(0, count_to(TO_WIC));
	}
	EXPECT_EQ(4, world.gw->stranded);
	(void)lost_on_its_way(&c, "INFO");
	EXPECT_EQ(504, status_of(only_of(TO_WIC, "SIP/2.0")));
	EXPECT_EQ(4, world.gw->stranded);
	EXPECT_EQ(4, world_count(&world.counters.mw_stranded));
}

TEST(request, that_is_long_waits_while_half_of_the_long_blocks_are_free)
{
	struct call c;

	call_world_of(MW_TCP, 48); /* four long blocks */
	call_no_stand_in();
	c = alice_called();
	for (uint32_t i = 0; i < 3; i++) {
		world_forget();
		EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "INFO",
							    format("Subject: %01300d" CRLF, 1))));
		target_goes();
		EXPECT_EQ(i == 2, count_to(TO_WIC));
	}
	EXPECT_EQ(504, status_of(last_to(TO_WIC)));
	EXPECT_EQ(2, world.gw->stranded);
	world_forget();
	world_wait(S);
	EXPECT_EQ(2, count_of(TO_MW, "INFO "));
	EXPECT(contains(last_to(TO_MW), format("Subject: %01300d" CRLF, 1)));
}

TEST(request, that_begins_a_dialog_does_not_wait)
{
	call_world(MW_TCP);
	call_no_stand_in();
	alice_calls("");
	target_goes();
	EXPECT_EQ(504, status_of(last_to(TO_WIC)));
	EXPECT_EQ(0, world_count(&world.counters.mw_stranded));
}

TEST_BOTH(re_invite, waits_and_can_be_cancelled_meanwhile)
{
	struct call c = stands(transport);
	const char *invite;

	world_forget();
	invite = keep(alice_in_call(&c, "INVITE", ""));
	world.to_mw_err = GW_MW_DOWN;
	EXPECT_EQ(GW_OK, wic_sends(0, invite));
	EXPECT_EQ(100, status_of(world_only(TO_WIC)));
	EXPECT_EQ(GW_OK, wic_sends(0, format("CANCEL%.*s CANCEL" CRLF "Content-Length: 0" CRLF CRLF,
					     (int)(strstr(invite, " INVITE" CRLF) - invite - 6),
					     invite + 6)));
	world.to_mw_err = GW_OK;
	world_wait(S);
	EXPECT_EQ(0, count_of(TO_MW, "INVITE "));
	EXPECT_EQ(487, status_of(last_to(TO_WIC)));
	EXPECT_EQ(0, world.gw->stranded);
}

TEST_BOTH(re_invite, that_rings_when_its_link_is_lost_does_not_wait)
{
	struct call c = stands(transport);

	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "INVITE", "")));
	core_sends(answer_of(keep(only_of(TO_MW, "INVITE ")), "180 Ringing", "", ""));
	target_goes();
	EXPECT_EQ(504, status_of(last_to(TO_WIC)));
	EXPECT_EQ(0, world_count(&world.counters.mw_stranded));
}

TEST_MAIN("gateway_stranded",
	  RUN_BOTH(bye, whose_link_is_lost_is_sent_again_as_it_was_and_answered),
	  RUN_BOTH(bye, goes_to_no_other_next_hop_than_that_of_its_dialog),
	  RUN(bye, is_tried_for_8_s_and_504_then),
	  RUN_BOTH(bye, that_cannot_be_sent_goes_as_soon_as_it_can),
	  RUN(bye, is_not_put_off_by_other_losses_meanwhile),
	  RUN(request, goes_again_together_with_the_others),
	  RUN(bye, that_cannot_be_sent_is_504_after_8_s),
	  RUN(bye, waits_for_room_in_the_link_that_is_being_opened),
	  RUN(bye, that_finds_no_room_for_8_s_is_504),
	  RUN(bye, goes_to_the_next_hop_that_is_down_when_its_route_leaves_no_other),
	  RUN(bye, without_any_next_hop_is_504_at_once),
	  RUN_BOTH(bye, said_again_while_it_waits_is_absorbed),
	  RUN_BOTH(bye, whose_wic_has_gone_still_reaches_the_core),
	  RUN(request, has_no_more_time_than_timer_f_however_often_its_link_is_lost),
	  RUN(request, beyond_half_of_the_transactions_does_not_wait),
	  RUN(request, that_is_long_waits_while_half_of_the_long_blocks_are_free),
	  RUN(request, that_begins_a_dialog_does_not_wait),
	  RUN_BOTH(re_invite, waits_and_can_be_cancelled_meanwhile),
	  RUN_BOTH(re_invite, that_rings_when_its_link_is_lost_does_not_wait))
