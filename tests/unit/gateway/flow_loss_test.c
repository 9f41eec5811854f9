/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* Connections that end, and registrations that wait for the next one: PROTOCOL 10.3, 10.4, 10.5. */

#define S 1000000ull

/** What went to the core since world_forget(). */
static uint32_t farewells(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < world.count; i++)
		n += world.sent[i].to == TO_MW &&
		     contains(world.sent[i].text, "\r\nExpires: 0\r\n");
	return n;
}

static void lost(void)
{
	world_start();
	world_register();
	wic_leaves(0);
}

static void comes_back(uint32_t wic)
{
	EXPECT_EQ(GW_OK, wic_sends(wic, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	EXPECT(!handle_is_none(world.wic[wic].binding));
}

/** A REGISTER of alice with this Contact. */
static const char *register_contact_of(const char *contact)
{
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		      "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:alice@home1.net>" CRLF
		      "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF "Contact: %s" CRLF
		      "Authorization: Bearer %s" CRLF CRLF,
		      contact, token_alice(3570));
}

TEST(loss, leaves_a_binding_that_serves_nobody)
{
	struct row_binding row;
	uint32_t cursor = 0;

	lost();
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(1, gateway_leaving(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_lost));
	EXPECT_EQ(0, world_count(&world.counters.binding_live));
	EXPECT_EQ(EVENT_BINDING_LOST, world.event[world.events - 1].what);
	EXPECT_EQ(0, gateway_rows(world.gw, &cursor, 1, &row));
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
}

TEST(loss, without_outbound_is_answered_480)
{
	const char *path;

	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_contact_of("<sip:x@a.invalid>")));
	path = line(world_only(TO_MW), "Path");
	core_answers("200 OK", "Contact: <sip:x@a.invalid>;expires=600" CRLF);
	wic_leaves(0);
	world_forget();
	core_sends(core_message(format("%.*s", (int)strcspn(path, ">") - 1, path + 1), ""));
	EXPECT_EQ(480, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(1, lines(world_sent(0)->text, "Reason"));
}

TEST(loss, tells_the_core_after_the_grace_and_not_before)
{
	lost();
	world_wait(30 * S - 1000);
	EXPECT_EQ(0, farewells());
	world_wait(2000);
	EXPECT_EQ(1, farewells());
	EXPECT_EQ(1, world_count(&world.counters.binding_grace_over));
	core_answers("200 OK", "");
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(0, gateway_homes(world.gw));
	EXPECT_EQ(0, world_transactions());
}

TEST(loss, tells_the_core_at_once_without_a_grace)
{
	world_start();
	world.config.flow_grace_s = 0;
	world_register();
	wic_leaves(0);
	world_wait(2000);
	EXPECT_EQ(1, farewells());
}

TEST(loss, does_not_outlive_the_token)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(70), 600)));
	core_registers(7200);
	world_wait(60 * S);
	wic_leaves(0);
	world_wait(9 * S);
	EXPECT_EQ(0, farewells());
	world_wait(2 * S);
	EXPECT_EQ(1, farewells());
}

TEST(loss, of_what_the_core_has_ended_by_then_is_not_told)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_registers(20);
	wic_leaves(0);
	world_wait(100 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(0, gateway_homes(world.gw));
}

TEST(reconnect, takes_the_registration_over)
{
	struct handle home;

	world_start();
	world_register();
	home = home_of(&world.wic[0]);
	EXPECT(!handle_is_none(home));
	wic_leaves(0);
	world_wait(20 * S);
	comes_back(1);
	EXPECT(handle_equal(home, home_of(&world.wic[1])));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_replaced));
	world_wait(100 * S);
	EXPECT_EQ(0, farewells());
}

TEST(reconnect, takes_it_also_from_a_flow_that_nobody_has_missed_yet)
{
	world_start();
	world_register();
	comes_back(1);
	EXPECT(handle_is_none(world.wic[0].binding));
	EXPECT(handle_is_none(home_of(&world.wic[0])));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	wic_leaves(0);
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT(!handle_is_none(home_of(&world.wic[1])));
	EXPECT_EQ(GW_NOT_REGISTERED, wic_sends(0, message_with("")));
	world.gone[0] = false; /* its home entry is the other's still */
	world_forget();
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
}

TEST(reconnect, of_another_instance_leaves_the_first_alone)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(1, register_sipjs(token_alice(3570), 600)));
	core_registers(600);
	EXPECT_EQ(2, gateway_bindings(world.gw));
	EXPECT_EQ(2, gateway_homes(world.gw));
	EXPECT(!handle_equal(home_of(&world.wic[0]), home_of(&world.wic[1])));
}

TEST(reconnect, with_the_same_contact_needs_no_instance)
{
	world_start();
	for (uint32_t i = 0; i < 2; i++) {
		EXPECT_EQ(GW_OK, wic_sends(i, register_contact_of("<sip:x@a.invalid>")));
		core_answers("200 OK", "Contact: <sip:x@a.invalid>;expires=600" CRLF);
	}
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_replaced));
	world_wait(100 * S);
	EXPECT_EQ(0, farewells());
}

TEST(reconnect, with_another_contact_and_no_reg_id_takes_the_first_from_the_core)
{
	world_start();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, register_contact_of("<sip:x@a.invalid>;+sip.instance=\"<i>\"")));
	core_answers("200 OK", "Contact: <sip:x@a.invalid>;expires=600" CRLF);
	EXPECT_EQ(GW_OK,
		  wic_sends(1, register_contact_of("<sip:y@a.invalid>;+sip.instance=\"<i>\"")));
	world_forget();
	world.sent[world.count++] = world.sent[2]; /* the request that is answered */
	core_answers("200 OK", "Contact: <sip:y@a.invalid>;expires=600" CRLF);
	EXPECT_EQ(1, farewells());
	for (uint32_t i = 0; i < world.count; i++)
		if (contains(world.sent[i].text, "\r\nExpires: 0\r\n"))
			EXPECT_LINE("<sip:x@a.invalid>;+sip.instance=\"<i>\"", world.sent[i].text,
				    "Contact");
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(reconnect, under_way_when_the_grace_ends_is_not_undone)
{
	lost();
	world_wait(30 * S - 1000);
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_alice(3570), 600)));
	world_wait(20 * S);
	EXPECT_EQ(0, farewells());
	core_registers(600);
	EXPECT_EQ(0, gateway_leaving(world.gw));
	world_wait(100 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(reconnect, that_the_core_refuses_lets_the_first_go_later)
{
	lost();
	world_wait(30 * S - 1000);
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_alice(3570), 600)));
	core_answers("403 Forbidden", "");
	world_wait(30 * S);
	EXPECT_EQ(0, farewells());
	world_wait(8 * S);
	EXPECT_EQ(1, farewells());
}

TEST(late_200, is_waited_for_by_a_flow_that_has_ended_and_then_undone)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	wic_leaves(0);
	core_registers(600);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(1, gateway_leaving(world.gw));
	EXPECT_EQ(1, gateway_homes(world.gw));
	world_wait(29 * S);
	EXPECT_EQ(0, farewells());
	world_wait(2 * S);
	EXPECT_EQ(1, farewells());
	core_answers("200 OK", "");
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(0, gateway_homes(world.gw));
}

TEST(late_200, is_taken_over_by_the_next_flow)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	wic_leaves(0);
	core_registers(600);
	comes_back(1);
	EXPECT_EQ(0, gateway_leaving(world.gw));
	world_wait(100 * S);
	EXPECT_EQ(0, farewells());
}

TEST(late_200, that_comes_after_the_next_flows_takes_nothing_from_it)
{
	struct handle home;

	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	wic_leaves(0);
	comes_back(1);
	home = home_of(&world.wic[1]);
	world.sent[world.count++] = world.sent[0];
	core_registers(600);
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT(handle_equal(home, home_of(&world.wic[1])));
	world_wait(100 * S);
	EXPECT_EQ(0, farewells());
}

/** The first connection is dead and nobody here knows; its token has ended. To the core both are
 * one registration, by instance and reg-id. */
TEST(late_200, behind_its_token_takes_nothing_from_the_next_flow)
{
	struct handle home;

	world_start();
	world.config.min_grant_s = 1;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(10), 600)));
	comes_back(1);
	home = home_of(&world.wic[1]);
	world_wait(12 * S);
	world.sent[world.count++] = world.sent[0];
	core_registers(600);
	EXPECT(handle_is_none(world.wic[0].binding));
	EXPECT(handle_equal(home, home_of(&world.wic[1])));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(5 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(0, gateway_leaving(world.gw));
}

TEST(late_200, to_a_refresh_refreshes_what_waits)
{
	lost();
	world.gone[0] = false;
	EXPECT_EQ(1, gateway_leaving(world.gw));
	world_start();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	wic_leaves(0);
	core_registers(600);
	EXPECT_EQ(1, gateway_leaving(world.gw));
	EXPECT_EQ(1, gateway_homes(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_lost));
	world_wait(31 * S);
	EXPECT_EQ(1, farewells());
}

/** A page that is closed un-registers and does not wait for the answer. */
TEST(late_200, to_an_un_registration_leaves_nothing)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(NULL, 0)));
	wic_leaves(0);
	core_answers("200 OK", "");
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	world_forget();
	world_wait(100 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(0, gateway_homes(world.gw));
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
}

TEST(late_refusal, of_an_un_registration_has_the_core_told_after_the_grace)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(NULL, 0)));
	wic_leaves(0);
	core_answers("500 Server Internal Error", "");
	EXPECT_EQ(1, gateway_leaving(world.gw));
	world_forget();
	world_wait(29 * S);
	EXPECT_EQ(0, farewells());
	world_wait(2 * S);
	EXPECT_EQ(1, farewells());
}

TEST(late_refusal, of_a_refresh_leaves_what_waits)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	wic_leaves(0);
	core_answers("403 Forbidden", "");
	EXPECT_EQ(1, gateway_leaving(world.gw));
	comes_back(1);
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(late_refusal, leaves_nothing)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	wic_leaves(0);
	core_answers("403 Forbidden", "");
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(0, world_transactions());
	world_wait(37 * S); /* the home worker has heard of the question alone */
	EXPECT_EQ(0, gateway_homes(world.gw));
}

TEST_MAIN("gateway_flow_loss", RUN(loss, leaves_a_binding_that_serves_nobody),
	  RUN(loss, without_outbound_is_answered_480),
	  RUN(loss, tells_the_core_after_the_grace_and_not_before),
	  RUN(loss, tells_the_core_at_once_without_a_grace), RUN(loss, does_not_outlive_the_token),
	  RUN(loss, of_what_the_core_has_ended_by_then_is_not_told),
	  RUN(reconnect, takes_the_registration_over),
	  RUN(reconnect, takes_it_also_from_a_flow_that_nobody_has_missed_yet),
	  RUN(reconnect, of_another_instance_leaves_the_first_alone),
	  RUN(reconnect, with_the_same_contact_needs_no_instance),
	  RUN(reconnect, with_another_contact_and_no_reg_id_takes_the_first_from_the_core),
	  RUN(reconnect, under_way_when_the_grace_ends_is_not_undone),
	  RUN(reconnect, that_the_core_refuses_lets_the_first_go_later),
	  RUN(late_200, is_waited_for_by_a_flow_that_has_ended_and_then_undone),
	  RUN(late_200, is_taken_over_by_the_next_flow),
	  RUN(late_200, that_comes_after_the_next_flows_takes_nothing_from_it),
	  RUN(late_200, behind_its_token_takes_nothing_from_the_next_flow),
	  RUN(late_200, to_a_refresh_refreshes_what_waits),
	  RUN(late_200, to_an_un_registration_leaves_nothing),
	  RUN(late_refusal, of_an_un_registration_has_the_core_told_after_the_grace),
	  RUN(late_refusal, of_a_refresh_leaves_what_waits), RUN(late_refusal, leaves_nothing))
