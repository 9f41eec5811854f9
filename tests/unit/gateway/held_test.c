/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

#include "gateway/internal.h"

/* The core's requests inside dialogs that wait for a WIC to come back: PROTOCOL 10.3,
 * limits.hold_indialog. */

/** bob has called alice, and her connection has ended. */
static struct call lost(enum mw_transport transport, uint32_t hold_s)
{
	struct call c;

	call_world(transport);
	world.config.hold_indialog_s = hold_s;
	c = bob_called();
	world_wait(40 * S); /* its INVITE has ended */
	alice_goes();
	return c;
}

static void nothing_held(void)
{
	EXPECT_EQ(0, gateway_held(world.gw));
	EXPECT_EQ(0, world_count(&world.counters.held_live));
	world_wait(300 * S);
	call_nothing_left();
}

TEST_BOTH(held, request_goes_on_when_the_wic_is_back)
{
	struct call c = lost(transport, 4);
	const char *wic;

	core_sends(bob_in_call(&c, "UPDATE", ""));
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(1, gateway_held(world.gw));
	world_wait(3 * S);
	EXPECT_EQ(0, world.count);
	alice_returns();
	EXPECT_EQ(0, count_to(TO_WIC));
	world_wait(2 * MS);
	wic = keep(only_of(TO_WIC, "UPDATE "));
	EXPECT(handle_equal(world.wic[1].flow, nth_to(TO_WIC, 0)->flow));
	EXPECT_EQ(1, world_count(&world.counters.held_delivered));
	EXPECT_EQ(GW_OK, wic_sends(1, answer_of(wic, "200 OK", "w1", "")));
	only_of(TO_SOURCE, "SIP/2.0 200");
	nothing_held();
}

TEST_BOTH(held, request_is_answered_430_in_the_end)
{
	struct call c = lost(transport, 4);

	core_sends(bob_in_call(&c, "BYE", ""));
	world_wait(4 * S - 2 * MS);
	EXPECT_EQ(0, world.count);
	world_wait(4 * MS);
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(0, world_count(&world.counters.held_delivered));
	alice_returns();
	EXPECT_EQ(0, count_to(TO_WIC));
	nothing_held();
}

TEST_BOTH(held, request_does_not_wait_past_the_grace)
{
	struct call c = lost(transport, 4);

	world_wait(28 * S);
	core_sends(bob_in_call(&c, "BYE", ""));
	EXPECT_EQ(0, world.count);
	world_wait(2 * S + 2 * MS);
	EXPECT_EQ(481, status_of(only_of(TO_SOURCE, "SIP/2.0 ")));
	EXPECT_EQ(0, gateway_held(world.gw));
	world_forget();
	core_sends(bob_in_call(&c, "BYE", ""));
	EXPECT_EQ(481, status_of(world_only(TO_SOURCE)));
}

/** With the binding gone the entry ends with the grace: what waits for it is answered before. */
TEST_BOTH(held, request_outlives_no_home_entry)
{
	struct call c = lost(transport, 4);
	struct message_detach d = {
		.head = {MESSAGE_DETACH, sizeof(d)},
		.what = DETACH_BINDING,
	};
	uint32_t cursor = 0;
	const struct binding *b = slots_next(world.gw->bindings, &cursor);

	d.key = b->claim.key;
	d.binding = slots_handle(world.gw->bindings, b);
	world_wait(28 * S);
	core_sends(bob_in_call(&c, "BYE", ""));
	gateway_home_message(world.gw, &d.head);
	EXPECT_EQ(1, gateway_homes(world.gw));
	world_wait(2 * S + 2 * MS);
	EXPECT_EQ(481, status_of(only_of(TO_SOURCE, "SIP/2.0 ")));
	EXPECT_EQ(0, gateway_held(world.gw));
	EXPECT_EQ(0, gateway_homes(world.gw));
}

TEST_BOTH(held, request_is_held_once_however_often_it_comes)
{
	struct call c = lost(transport, 4);
	const char *update = keep(bob_in_call(&c, "UPDATE", ""));

	core_sends(update);
	world_wait(S);
	core_sends(update);
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(1, gateway_held(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.mw_absorbed));
	alice_returns();
	world_wait(2 * MS);
	only_of(TO_WIC, "UPDATE ");
	core_sends(update); /* its transaction has it */
	EXPECT_EQ(1, count_to(TO_WIC));
}

TEST_BOTH(held, invite_is_said_100_to_where_nothing_gets_lost)
{
	struct call c = lost(transport, 4);

	core_sends(bob_in_call(&c, "INVITE", ""));
	EXPECT_EQ(transport == MW_TCP, count_of(TO_SOURCE, "SIP/2.0 100"));
	EXPECT_EQ(transport == MW_TCP, world.count);
	world_forget();
	alice_returns();
	world_wait(2 * MS);
	only_of(TO_WIC, "INVITE ");
	only_of(TO_SOURCE, "SIP/2.0 100");
}

TEST_BOTH(held, invite_that_is_cancelled_reaches_nobody)
{
	struct call c = lost(transport, 4);
	const char *invite = keep(bob_in_call(&c, "INVITE", ""));
	const char *branch = keep(branch_of(invite));
	const struct says s = {.method = "CANCEL",
			       .branch = branch + strlen("z9hG4bK"),
			       .to = "<sip:alice@home1.net>;tag=w1",
			       .lines = c.backward};
	struct says again = s;

	again.cseq = (uint32_t)strtoul(line(invite, "CSeq"), NULL, 10);
	core_sends(invite);
	world_forget();
	core_sends(of_core(&s)); /* of another CSeq */
	EXPECT_EQ(481, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(1, gateway_held(world.gw));
	world_forget();
	core_sends(of_core(&again));
	EXPECT_EQ(2, count_to(TO_SOURCE));
	EXPECT_EQ(200, status_of(nth_to(TO_SOURCE, 0)->text));
	EXPECT(contains(line(nth_to(TO_SOURCE, 0)->text, "CSeq"), "CANCEL"));
	EXPECT_EQ(487, status_of(nth_to(TO_SOURCE, 1)->text));
	EXPECT(contains(line(nth_to(TO_SOURCE, 1)->text, "CSeq"), "INVITE"));
	EXPECT_EQ(0, gateway_held(world.gw));
	world_forget();
	again.method = "ACK";
	core_sends(of_core(&again));
	EXPECT_EQ(0, world.count);
	alice_returns();
	world_wait(S);
	EXPECT_EQ(0, count_to(TO_WIC));
	nothing_held();
}

TEST_BOTH(held, ack_is_not)
{
	struct call c = lost(transport, 4);

	core_sends(bob_in_call(&c, "ACK", ""));
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(0, gateway_held(world.gw));
}

TEST_BOTH(held, requests_go_on_in_their_order)
{
	struct call c = lost(transport, 4);

	core_sends(bob_in_call(&c, "INFO", ""));
	world_wait(S);
	core_sends(bob_in_call(&c, "UPDATE", ""));
	EXPECT_EQ(2, gateway_held(world.gw));
	alice_returns();
	world_wait(2 * MS);
	EXPECT_EQ(2, count_to(TO_WIC));
	EXPECT(begins(nth_to(TO_WIC, 0)->text, "INFO "));
	EXPECT(begins(nth_to(TO_WIC, 1)->text, "UPDATE "));
}

TEST_BOTH(held, requests_are_not_overtaken_by_what_comes_before_they_go_on)
{
	struct call c = lost(transport, 4);

	core_sends(bob_in_call(&c, "INFO", ""));
	alice_returns();
	core_sends(bob_in_call(&c, "UPDATE", ""));
	EXPECT_EQ(0, count_to(TO_WIC));
	world_wait(2 * MS);
	EXPECT_EQ(2, count_to(TO_WIC));
	EXPECT(begins(nth_to(TO_WIC, 0)->text, "INFO "));
}

TEST_BOTH(held, requests_are_answered_at_once_beyond_their_room)
{
	struct call c = lost(transport, 4); /* room for two */

	core_sends(bob_in_call(&c, "INFO", ""));
	core_sends(bob_in_call(&c, "INFO", ""));
	EXPECT_EQ(0, world.count);
	core_sends(bob_in_call(&c, "INFO", ""));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(1, world_count(&world.counters.held_full));
	world_wait(5 * S);
	alice_returns();
	nothing_held();
}

/** The world with room for so many. */
static struct call lost_with_room(uint32_t room)
{
	struct call c;

	call_world(MW_TCP);
	slots_free(world.gw->held);
	world.gw->held = slots_new(0, room, 16384, 1);
	world.config.hold_indialog_s = 4;
	c = bob_called();
	alice_goes();
	return c;
}

TEST(held, requests_are_four_for_one_wic)
{
	struct call c = lost_with_room(8);

	for (uint32_t i = 0; i < 4; i++)
		core_sends(bob_in_call(&c, "INFO", ""));
	EXPECT_EQ(0, world.count);
	core_sends(bob_in_call(&c, "INFO", ""));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(4, gateway_held(world.gw));
}

TEST(held, request_of_more_than_8_kib_is_answered_at_once)
{
	struct call c = lost(MW_TCP, 4);
	static char padding[8200];

	memset(padding, 'x', sizeof(padding) - 1);
	core_sends(bob_in_call(&c, "INFO", format("X: %s" CRLF, padding)));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(0, gateway_held(world.gw));
}

TEST_BOTH(held, request_is_none_that_begins_something)
{
	(void)lost(transport, 4);
	core_sends(of_core(&(struct says){.method = "MESSAGE"}));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(0, gateway_held(world.gw));
}

TEST_BOTH(held, request_is_none_without_the_setting)
{
	struct call c = lost(transport, 0);

	core_sends(bob_in_call(&c, "UPDATE", ""));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(0, gateway_held(world.gw));
}

/** What the WIC had before its connection ended stays with its transaction. */
TEST_BOTH(held, request_is_none_that_was_let_through_before)
{
	struct call c;
	const char *invite;

	call_world(transport);
	world.config.hold_indialog_s = 4;
	c = bob_called();
	world_forget();
	invite = keep(bob_in_call(&c, "INVITE", ""));
	core_sends(invite);
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(keep(only_of(TO_WIC, "INVITE ")), "180 Ringing",
						"w1", "")));
	alice_goes();
	core_sends(invite);
	only_of(TO_SOURCE, "SIP/2.0 100");
	EXPECT_EQ(0, gateway_held(world.gw));
}

/** The home is here, the next flow on the other worker. */
TEST(held, request_goes_on_to_the_worker_on_which_the_wic_is_back)
{
	struct message_attach next = {
		.head = {MESSAGE_ATTACH, sizeof(next)},
		.stage = ATTACH_BOUND,
		.outbound = true,
		.core_s = 600,
		.flow = {.worker = 1, .slot = 3, .generation = 9},
		.binding = {.worker = 1, .slot = 4, .generation = 9},
	};
	const struct message_deliver *m;
	struct call c;

	call_world(MW_TCP);
	world.config.hold_indialog_s = 4;
	c = bob_called();
	next.key = world.wic[0].home_key;
	world_wait(40 * S);
	alice_goes();
	core_sends(bob_in_call(&c, "UPDATE", ""));
	gateway_home_message(world.gw, &next.head);
	world_forget();
	world_wait(2 * MS);
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(TO_WORKER, world_sent(0)->to);
	EXPECT_EQ(1, world_sent(0)->worker);
	m = (const void *)world_sent(0)->head;
	EXPECT_EQ(MESSAGE_DELIVER, m->head.kind);
	EXPECT(handle_equal(next.flow, m->flow));
	EXPECT(begins(world_sent(0)->text, "UPDATE "));
	EXPECT_EQ(0, gateway_held(world.gw));
}

TEST_MAIN("gateway_held", RUN_BOTH(held, request_goes_on_when_the_wic_is_back),
	  RUN_BOTH(held, request_is_answered_430_in_the_end),
	  RUN_BOTH(held, request_does_not_wait_past_the_grace),
	  RUN_BOTH(held, request_outlives_no_home_entry),
	  RUN_BOTH(held, request_is_held_once_however_often_it_comes),
	  RUN_BOTH(held, invite_is_said_100_to_where_nothing_gets_lost),
	  RUN_BOTH(held, invite_that_is_cancelled_reaches_nobody), RUN_BOTH(held, ack_is_not),
	  RUN_BOTH(held, requests_go_on_in_their_order),
	  RUN_BOTH(held, requests_are_not_overtaken_by_what_comes_before_they_go_on),
	  RUN_BOTH(held, requests_are_answered_at_once_beyond_their_room),
	  RUN(held, requests_are_four_for_one_wic),
	  RUN(held, request_of_more_than_8_kib_is_answered_at_once),
	  RUN_BOTH(held, request_is_none_that_begins_something),
	  RUN_BOTH(held, request_is_none_without_the_setting),
	  RUN_BOTH(held, request_is_none_that_was_let_through_before),
	  RUN(held, request_goes_on_to_the_worker_on_which_the_wic_is_back))
