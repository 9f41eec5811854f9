/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "events.h"
#include "gateway/internal.h"

/* Registration events that may be older than the registration, full state, and doubt:
 * PROTOCOL 10.5. */

/** Alice's REGISTER with another CSeq. */
static const char *numbered(uint32_t cseq, uint32_t seconds)
{
	const char *text = register_jssip(token_alice(3570), seconds);
	const char *at = strstr(text, "CSeq: 1 ");

	return format("%.*sCSeq: %u %s", (int)(at - text), text, cseq, at + 8);
}

static void refreshed(uint32_t cseq)
{
	EXPECT_EQ(GW_OK, wic_sends(0, numbered(cseq, 600)));
	core_registers(600);
	world_wait(2000);
	world_forget();
}

static const char *gone(const char *attributes)
{
	return events_registration("sip:alice@home1.net", "terminated", events_contact(attributes));
}

TEST(race, event_of_an_older_register_does_not_end_the_binding)
{
	events_told();
	refreshed(2);
	EXPECT_EQ(200,
		  events_all(2, "terminated", "state=\"terminated\" event=\"expired\"" OUR_LAST));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(200, events_all(3, "active",
				  "state=\"active\" event=\"shortened\" expires=\"3\"" OUR_LAST));
	EXPECT_EQ(599, events_expires_s());
	world_wait(50 * S);
	EXPECT_EQ(200,
		  events_all(4, "terminated", "state=\"terminated\" event=\"expired\"" OUR_LAST));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, events_subscribes());
}

TEST(race, event_of_the_last_register_ends_the_binding_at_once)
{
	events_told();
	refreshed(2);
	EXPECT_EQ(200, events_all(2, "terminated",
				  "state=\"terminated\" event=\"expired\" callid=\"" OUR_CALL_ID
				  "\" cseq=\"2\""));
	events_over(GW_REG_ENDED);
}

TEST(race, event_of_a_dialog_behind_the_200_counts_at_once)
{
	events_told();
	EXPECT_EQ(200, events_say(2, "active",
				  events_document(2, "full",
						  events_registration("sip:alice@home1.net",
								      "terminated", ""))));
	events_over(GW_REG_ENDED);
}

TEST(race, event_that_names_no_register_makes_us_ask_first)
{
	static const char *const unnamed[] = {
		"state=\"terminated\" event=\"expired\"",
		"state=\"terminated\" event=\"expired\" callid=\"" OUR_CALL_ID "\"",
		"state=\"terminated\" event=\"expired\" cseq=\"1\"",
		"state=\"terminated\" event=\"expired\" callid=\"another\" cseq=\"9\"",
	};

	for (uint32_t i = 0; i < 4; i++) {
		events_told();
		refreshed(2);
		EXPECT_EQ(200, events_all(2, "terminated", unnamed[i]));
		EXPECT_EQ(1, gateway_bindings(world.gw));
		EXPECT_EQ(1, world_count(&world.counters.reg_event_unsure));
		world_wait(2000);
		EXPECT_EQ(1, events_subscribes());
		core_answers("200 OK", "Expires: 1200" CRLF);
		/* a part is no answer; all there is, is */
		EXPECT_EQ(200, events_all(3, "terminated", unnamed[i]));
		EXPECT_EQ(1, gateway_bindings(world.gw));
		world_wait(2000);
		EXPECT_EQ(200,
			  events_say(4, "active", events_document(4, "full", gone(unnamed[i]))));
		EXPECT_EQ(0, gateway_bindings(world.gw));
	}
}

TEST(race, answer_that_the_registration_stands_is_believed)
{
	events_told();
	refreshed(2);
	EXPECT_EQ(200, events_all(2, "terminated", "state=\"terminated\" event=\"expired\""));
	world_wait(2000);
	core_answers("200 OK", "Expires: 1200" CRLF);
	EXPECT_EQ(200, events_say(3, "active",
				  events_document(
					  3, "full",
					  events_registration("sip:alice@home1.net", "active",
							      events_contact("state=\"active\" "
									     "event=\"registered\" "
									     "expires=\"77\"")))));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(77, events_expires_s()); /* the core was asked behind the 200 */
	EXPECT_EQ(200, events_say(4, "active",
				  events_document(4, "full",
						  gone("state=\"terminated\" event=\"expired\""))));
	EXPECT_EQ(1, gateway_bindings(world.gw)); /* of a dialog from before the refresh */
}

/** An end that is doubted, and the core was asked. */
static void asked(void)
{
	events_told();
	refreshed(2);
	EXPECT_EQ(200, events_all(2, "terminated",
				  "state=\"terminated\" event=\"probation\" retry-after=\"90\""));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(2000);
	EXPECT_EQ(1, events_subscribes());
}

TEST(race, end_in_doubt_counts_when_the_core_says_nothing_more)
{
	asked();
	core_answers("200 OK", "Expires: 1200" CRLF);
	world_wait(4900000);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(200000);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(GW_REG_PROBATION, world.event[world.events - 1].err);
	EXPECT_EQ(0, gateway_reg_events(world.gw));
	EXPECT_LINE("90", events_turned_away(0, register_jssip(token_alice(3570), 600)),
		    "Retry-After");
}

TEST(race, end_in_doubt_counts_when_the_core_knows_of_nothing)
{
	asked();
	core_answers("481 Subscription Does Not Exist", "");
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_reg_events(world.gw));
}

TEST(race, end_in_doubt_waits_for_a_core_that_is_busy)
{
	asked();
	core_answers("500 Oops", "");
	world_forget();
	world_wait(4 * S);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(1, events_subscribes());
	events_remember();
	events_grant(1200);
	EXPECT_EQ(200,
		  events_say(1, "active",
			     events_document(
				     0, "full",
				     events_registration("sip:alice@home1.net", "active",
							 events_contact("state=\"active\" "
									"event=\"registered\"")))));
	world_wait(10 * S);
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

/** What a core says whose S-CSCF has taken the user's registration away, once. */
static void doubted_for_good(void)
{
	events_told();
	refreshed(2);
	EXPECT_EQ(200,
		  events_say(2, "terminated;reason=noresource",
			     events_document(2, "full",
					     gone("state=\"terminated\" event=\"rejected\""))));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(2 * S);
	EXPECT_EQ(1, events_subscribes());
	EXPECT_LINE("1 SUBSCRIBE", events_subscribe(), "CSeq"); /* of a new dialog */
	events_remember();
}

TEST(race, end_in_doubt_is_asked_about_when_the_subscription_ends_with_it)
{
	doubted_for_good();
	core_answers("404 Not Found", "");
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(GW_REG_REJECTED, world.event[world.events - 1].err);
	doubted_for_good();
	events_grant(1200);
	world_wait(4 * S);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(2 * S);
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(race, end_in_doubt_counts_when_the_subscription_ends_as_it_is_asked_about)
{
	asked();
	EXPECT_EQ(200, events_say(3, "terminated;reason=noresource", "")); /* before the 200 */
	EXPECT_EQ(0, gateway_bindings(world.gw));
	doubted_for_good();
	events_grant(1200);
	EXPECT_EQ(200, events_say(1, "terminated;reason=noresource", ""));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_reg_events(world.gw));
}

TEST(race, doubt_is_over_with_the_next_200)
{
	asked();
	core_answers("200 OK", "Expires: 1200" CRLF);
	world_wait(2 * S);
	refreshed(3);
	world_wait(10 * S);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(1, events_subscribes()); /* the core is asked again, for no doubt */
	core_answers("481 Subscription Does Not Exist", "");
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(race, doubt_is_over_when_a_part_says_that_the_registration_stands)
{
	asked();
	core_answers("200 OK", "Expires: 1200" CRLF);
	EXPECT_EQ(200, events_all(3, "active", "state=\"active\" event=\"refreshed\""));
	world_wait(10 * S);
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(race, event_that_names_no_register_counts_when_the_200_is_long_ago)
{
	events_told();
	world_wait(37 * S);
	EXPECT_EQ(200, events_all(2, "terminated", "state=\"terminated\" event=\"expired\""));
	events_over(GW_REG_ENDED);
}

TEST(race, full_state_without_our_contact_ends_the_binding)
{
	const char *doc =
		events_registration("sip:alice@home1.net", "active",
				    "<contact id=\"1\" state=\"active\" event=\"created\">"
				    "<uri>sip:other@h</uri></contact>");

	events_told();
	world_wait(37 * S);
	EXPECT_EQ(200, events_say(2, "active", events_document(2, "partial", doc)));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(200, events_say(3, "active", events_document(3, "full", doc)));
	events_over(GW_REG_ENDED);
}

TEST(race, full_state_in_which_alice_is_not_registered_yet_ends_the_binding)
{
	const char *doc = events_registration("sip:alice@home1.net", "init", "");

	events_told();
	EXPECT_EQ(200, events_say(2, "active", events_document(2, "partial", doc)));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(200, events_say(3, "active", events_document(3, "full", doc)));
	events_over(GW_REG_ENDED);
}

TEST(race, full_state_that_is_silent_about_alice_answers_a_doubt)
{
	asked();
	core_answers("200 OK", "Expires: 1200" CRLF);
	EXPECT_EQ(200, events_say(3, "active", events_document(3, "full", "")));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(GW_REG_PROBATION, world.event[world.events - 1].err);
}

TEST(race, full_state_of_a_core_that_writes_contacts_otherwise_ends_nothing)
{
	const char *doc =
		events_registration("sip:alice@home1.net", "active",
				    "<contact id=\"1\" state=\"active\" event=\"registered\">"
				    "<uri>sip:mfdnmi6p@192.0.2.10:5060</uri></contact>");

	events_start();
	EXPECT_EQ(200, events_say(1, "active", events_document(1, "full", doc)));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.reg_event_unshown));
	/* that she is not registered at all needs no contact */
	EXPECT_EQ(200, events_say(2, "active",
				  events_document(2, "full",
						  events_registration("sip:alice@home1.net",
								      "terminated", ""))));
	events_over(GW_REG_ENDED);
}

TEST(race, full_state_of_a_core_that_writes_contacts_otherwise_settles_a_doubt)
{
	const char *over = events_registration("sip:alice@home1.net", "terminated", "");
	const char *stands =
		events_registration("sip:alice@home1.net", "active",
				    "<contact id=\"1\" state=\"active\" "
				    "event=\"registered\"><uri>sip:x@h</uri></contact>");

	events_start();
	refreshed(2);
	EXPECT_EQ(200, events_say(1, "active", events_document(1, "full", over)));
	world_wait(2000);
	core_answers("200 OK", "Expires: 1200" CRLF);
	EXPECT_EQ(200, events_say(2, "active", events_document(2, "full", stands)));
	world_wait(10 * S);
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(race, full_state_that_is_silent_about_alice_says_nothing)
{
	events_told();
	world_wait(37 * S);
	EXPECT_EQ(200, events_say(2, "active", events_document(2, "full", "")));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(race, binding_that_has_left_is_not_ended_again)
{
	events_told();
	world_forget();
	world_wait(3600 * S); /* 600 s, as granted */
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(481,
		  events_all(2, "terminated", "state=\"terminated\" event=\"expired\"" OUR_LAST));
	EXPECT_EQ(0, world_count(&world.counters.binding_core_ended));
}

TEST(race, binding_that_has_lost_its_connection_ends_too)
{
	events_told();
	wic_leaves(0);
	EXPECT_EQ(200,
		  events_all(2, "terminated", "state=\"terminated\" event=\"rejected\"" OUR_LAST));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_core_ended));
	EXPECT(!events_closed(GW_REG_REJECTED)); /* nobody is there */
}

TEST(race, binding_that_has_lost_its_connection_waits_no_longer_for_a_shorter_registration)
{
	events_told();
	wic_leaves(0);
	EXPECT_EQ(200, events_all(2, "active",
				  "state=\"active\" event=\"shortened\" expires=\"9\"" OUR_LAST));
	EXPECT_EQ(1, gateway_leaving(world.gw));
	world_wait(8 * S);
	EXPECT_EQ(1, gateway_leaving(world.gw));
	world_wait(2 * S);
	EXPECT_EQ(0, gateway_leaving(world.gw));
	events_told();
	wic_leaves(0);
	EXPECT_EQ(200, events_all(2, "active",
				  "state=\"active\" event=\"refreshed\" expires=\"900\"" OUR_LAST));
	world_forget();
	world_wait(31 * S); /* the grace, as before */
	EXPECT(contains(world_only(TO_MW), CRLF "Expires: 0" CRLF));
}

TEST(race, client_that_comes_back_takes_over_what_the_core_has_held_longer)
{
	events_told();
	EXPECT_EQ(200, events_all(2, "active",
				  "state=\"active\" event=\"refreshed\" expires=\"900\"" OUR_LAST));
	wic_leaves(0);
	world_wait(700 * S); /* the 200 has said 600 */
	EXPECT_EQ(1, gateway_leaving(world.gw));
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	EXPECT_EQ(0, gateway_leaving(world.gw)); /* no de-REGISTER takes the newer one away */
}

TEST_MAIN("reg_race", RUN(race, event_of_an_older_register_does_not_end_the_binding),
	  RUN(race, event_of_the_last_register_ends_the_binding_at_once),
	  RUN(race, event_of_a_dialog_behind_the_200_counts_at_once),
	  RUN(race, event_that_names_no_register_makes_us_ask_first),
	  RUN(race, answer_that_the_registration_stands_is_believed),
	  RUN(race, end_in_doubt_counts_when_the_core_says_nothing_more),
	  RUN(race, end_in_doubt_counts_when_the_core_knows_of_nothing),
	  RUN(race, end_in_doubt_waits_for_a_core_that_is_busy),
	  RUN(race, event_that_names_no_register_counts_when_the_200_is_long_ago),
	  RUN(race, full_state_without_our_contact_ends_the_binding),
	  RUN(race, full_state_that_is_silent_about_alice_says_nothing),
	  RUN(race, binding_that_has_left_is_not_ended_again),
	  RUN(race, binding_that_has_lost_its_connection_ends_too),
	  RUN(race,
	      binding_that_has_lost_its_connection_waits_no_longer_for_a_shorter_registration),
	  RUN(race, client_that_comes_back_takes_over_what_the_core_has_held_longer),
	  RUN(race, doubt_is_over_with_the_next_200),
	  RUN(race, doubt_is_over_when_a_part_says_that_the_registration_stands),
	  RUN(race, end_in_doubt_is_asked_about_when_the_subscription_ends_with_it),
	  RUN(race, end_in_doubt_counts_when_the_subscription_ends_as_it_is_asked_about),
	  RUN(race, full_state_in_which_alice_is_not_registered_yet_ends_the_binding),
	  RUN(race, full_state_that_is_silent_about_alice_answers_a_doubt),
	  RUN(race, full_state_of_a_core_that_writes_contacts_otherwise_ends_nothing),
	  RUN(race, full_state_of_a_core_that_writes_contacts_otherwise_settles_a_doubt))
