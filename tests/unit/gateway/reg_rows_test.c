/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "events.h"
#include "gateway/internal.h"
#include "pool.h"

/* What a registration event means for a binding: each row of PROTOCOL 9.9, and the race of 10.5. */

#define LAST " callid=\"" OUR_CALL_ID "\" cseq=\"1\""

/** Registered, and the core has told all there is. */
static void told(void)
{
	events_start();
	EXPECT_EQ(200, events_all(1, "active", "state=\"active\" event=\"registered\"" LAST));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(2000);
	if (events_subscribes() > 0)
		core_answers("200 OK", "Expires: 1200" CRLF);
}

/** The binding ended so; nothing is said to the core about it. */
static void is_over(enum gw_err why)
{
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(0, gateway_reg_events(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_core_ended));
	EXPECT_EQ(EVENT_BINDING_END, world.event[world.events - 1].what);
	EXPECT_EQ(why, world.event[world.events - 1].err);
	EXPECT_EQ(1, world.count); /* the 200 to the NOTIFY */
}

static uint32_t expires_s(void)
{
	struct row_binding row;
	uint32_t cursor = 0;

	EXPECT_EQ(1, gateway_rows(world.gw, &cursor, 1, &row));
	return row.expires_s;
}

/** Whether WIC 0's connection, and no other, is to be closed. */
static bool is_closed(enum gw_err why)
{
	struct gateway_ended ended, none;

	if (!gateway_sent_away(world.gw, &ended))
		return false;
	EXPECT(handle_equal(world.wic[0].flow, ended.flow));
	EXPECT_EQ(why, ended.why);
	EXPECT(!gateway_sent_away(world.gw, &none));
	return true;
}

/** The answer that alice's REGISTER gets at once; it did not go to the core. */
static const char *turned_away(uint32_t wic, const char *request)
{
	world_forget();
	(void)wic_sends(wic, request);
	return world_only(TO_WIC);
}

/* ---- rows ------------------------------------------------------------------------------------ */

TEST(row, registration_terminated_takes_its_identity_away)
{
	told();
	EXPECT(gateway_is(world.gw, &world.wic[0], SPAN("tel:+15551230001")));
	EXPECT_EQ(200, events_say(2, "active",
				  events_document(2, "partial",
						  events_registration("tel:+15551230001",
								      "terminated", ""))));
	EXPECT(!gateway_is(world.gw, &world.wic[0], SPAN("tel:+15551230001")));
	EXPECT(gateway_is(world.gw, &world.wic[0], SPAN("sip:alice@home1.net")));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(row, registration_terminated_of_the_one_that_was_registered_removes_the_binding)
{
	told();
	EXPECT_EQ(200,
		  events_say(2, "active",
			     events_document(2, "partial",
					     events_registration(
						     "sip:alice@home1.net", "terminated",
						     events_contact("state=\"terminated\" "
								    "event=\"expired\"" LAST)))));
	is_over(GW_REG_ENDED);
}

TEST(row, registration_terminated_of_all_removes_the_binding_and_the_subscription_is_done)
{
	told();
	EXPECT_EQ(200,
		  events_say(2, "terminated;reason=noresource",
			     events_document(
				     2, "full",
				     events_registration("sip:alice@home1.net", "terminated",
							 events_contact(
								 "state=\"terminated\" "
								 "event=\"unregistered\"" LAST)))));
	is_over(GW_REG_ENDED);
	world_wait(100 * S);
	EXPECT_EQ(0, events_subscribes());
}

TEST(row, registration_terminated_of_the_one_that_was_registered_leaves_who_has_another)
{
	told();
	EXPECT_EQ(200,
		  events_say(2, "active",
			     events_document(
				     2, "partial",
				     format("%s%s",
					    events_registration(
						    "sip:alice@home1.net", "terminated",
						    events_contact("state=\"terminated\" "
								   "event=\"deactivated\"" LAST)),
					    events_registration(
						    "tel:+15551230001", "active",
						    events_contact("state=\"active\" "
								   "event=\"refreshed\"" LAST))))));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(GW_IDENTITY_MISMATCH, wic_sends(0, message_with(""))); /* From is the one gone */
	world.config.from_check = false;
	world_reload();
	world_forget();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, message_with("P-Preferred-Identity: <sip:alice@home1.net>" CRLF)));
	EXPECT_LINE("<tel:+15551230001>", world_only(TO_MW), "P-Asserted-Identity");
}

TEST(row, contact_expired_or_unregistered_removes_the_binding)
{
	static const char *const events[] = {"expired", "unregistered", "unheard-of"};

	for (uint32_t i = 0; i < 3; i++) {
		told();
		EXPECT_EQ(200,
			  events_all(2, "active",
				     format("state=\"terminated\" event=\"%s\"" LAST, events[i])));
		is_over(GW_REG_ENDED);
		EXPECT(!is_closed(GW_REG_ENDED));
		EXPECT_EQ(GW_NOT_REGISTERED, wic_sends(0, message_with("")));
		/* it may register again, on the same connection, as itself */
		world_forget();
		EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
		core_registers(600);
		EXPECT_EQ(1, gateway_bindings(world.gw));
	}
}

TEST(row, contact_deactivated_removes_the_binding_and_makes_its_wic_come_back)
{
	told();
	EXPECT_EQ(200,
		  events_all(2, "terminated", "state=\"terminated\" event=\"deactivated\"" LAST));
	is_over(GW_REG_DEACTIVATED);
	EXPECT(is_closed(GW_REG_DEACTIVATED));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(1, register_sipjs(token_alice(3570), 600)));
	EXPECT_EQ(TO_MW, world_sent(0)->to);
}

TEST(row, contact_on_probation_is_refused_for_so_long)
{
	const char *answer;

	told();
	EXPECT_EQ(200,
		  events_all(2, "terminated",
			     "state=\"terminated\" event=\"probation\" retry-after=\"90\"" LAST));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(GW_REG_PROBATION, world.event[world.events - 1].err);
	EXPECT(!is_closed(GW_REG_PROBATION));
	world_wait(10 * S);
	answer = turned_away(0, register_jssip(token_alice(3570), 600));
	EXPECT_EQ(503, status_of(answer));
	EXPECT_LINE("80", answer, "Retry-After");
	answer = turned_away(1, register_sipjs(token_alice(3000), 600));
	EXPECT_EQ(503, status_of(answer));
	EXPECT_EQ(2, world_count(&world.counters.barred_refused));
	world_wait(80 * S);
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(TO_MW, world_sent(0)->to);
}

TEST(row, contact_on_probation_without_a_time_is_refused_for_a_minute_and_for_a_day_at_most)
{
	told();
	EXPECT_EQ(200,
		  events_all(2, "terminated", "state=\"terminated\" event=\"probation\"" LAST));
	EXPECT_LINE("60", turned_away(0, register_jssip(token_alice(3570), 600)), "Retry-After");
	told();
	EXPECT_EQ(200, events_all(2, "terminated",
				  "state=\"terminated\" event=\"probation\" "
				  "retry-after=\"4294967295\"" LAST));
	EXPECT_LINE("86400", turned_away(0, register_jssip(token_alice(3570), 600)), "Retry-After");
	told();
	EXPECT_EQ(200,
		  events_all(2, "terminated",
			     "state=\"terminated\" event=\"probation\" retry-after=\"0\"" LAST));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
}

/** A token with a jti. */
static const char *token_named(const char *jti)
{
	return token_of(GOOD_HEADER,
			format("{\"iss\":\"https://waf.home1.net\",\"aud\":\"sip:ep1.home1.net\","
			       "\"sub\":\"u1\",\"jti\":\"%s\",\"impi\":\"alice@ims.home1.net\","
			       "\"impu\":\"sip:alice@home1.net\",\"iat\":%lld,\"exp\":%lld}",
			       jti, (long long)world.wall_s - 30, (long long)world.wall_s + 3570));
}

TEST(row, contact_rejected_is_refused_by_that_token_and_its_connection_closed)
{
	const char *token;

	world_start();
	world.config.mw_reg_event = true;
	token = token_named("t-1");
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token, 600)));
	core_registers(600);
	world_wait(2000);
	events_remember();
	events_grant(1200);
	EXPECT_EQ(200, events_all(1, "terminated", "state=\"terminated\" event=\"rejected\"" LAST));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(GW_REG_REJECTED, world.event[world.events - 1].err);
	EXPECT(is_closed(GW_REG_REJECTED));
	EXPECT_EQ(403, status_of(turned_away(1, register_jssip(token, 600))));
	world_wait(3000 * S);
	EXPECT_EQ(403, status_of(turned_away(1, register_jssip(token, 600))));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_named("t-2"), 600)));
	EXPECT_EQ(TO_MW, world_sent(0)->to);
}

TEST(row, contact_shortened_lowers_the_time_and_never_raises_it)
{
	told();
	EXPECT_EQ(599, expires_s());
	EXPECT_EQ(200, events_all(2, "active",
				  "state=\"active\" event=\"shortened\" expires=\"100\"" LAST));
	EXPECT_EQ(100, expires_s());
	EXPECT_EQ(200, events_all(3, "active",
				  "state=\"active\" event=\"shortened\" expires=\"500\"" LAST));
	EXPECT_EQ(100, expires_s());
	world_wait(99 * S);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(2 * S);
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(row, contact_that_is_active_says_how_long_but_not_past_its_token)
{
	static const char *const events[] = {"registered", "created", "refreshed"};

	for (uint32_t i = 0; i < 3; i++) {
		told();
		EXPECT_EQ(200,
			  events_all(2, "active",
				     format("state=\"active\" event=\"%s\" expires=\"900\"" LAST,
					    events[i])));
		EXPECT_EQ(900, expires_s());
		EXPECT_EQ(200,
			  events_all(3, "active",
				     format("state=\"active\" event=\"%s\" expires=\"7200\"" LAST,
					    events[i])));
		EXPECT_EQ(3569, expires_s()); /* 2 ms have passed */
		EXPECT_EQ(200, events_all(4, "active",
					  format("state=\"active\" event=\"%s\"" LAST, events[i])));
		EXPECT_EQ(3569, expires_s());
		/* and the core is told when it ends there later than here */
		world_forget();
		world_wait(3570 * S);
		EXPECT_EQ(0, gateway_bindings(world.gw));
		EXPECT(contains(world.sent[world.count - 1].text, CRLF "Expires: 0" CRLF));
	}
}

TEST(row, implicit_identities_are_learnt)
{
	told();
	EXPECT(!gateway_is(world.gw, &world.wic[0], SPAN("sip:ally@home1.net")));
	EXPECT_EQ(200,
		  events_say(2, "active",
			     events_document(2, "partial",
					     events_registration(
						     "sip:ally@home1.net", "active",
						     events_contact("state=\"active\" "
								    "event=\"created\"" LAST)))));
	EXPECT(gateway_is(world.gw, &world.wic[0], SPAN("sip:ally@home1.net")));
	EXPECT(gateway_is(world.gw, &world.wic[0], SPAN("tel:+15551230001")));
	world_wait(2000);
	world_forget();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, message_with("P-Preferred-Identity: <sip:ally@home1.net>" CRLF)));
	EXPECT_LINE("<sip:ally@home1.net>", world_only(TO_MW), "P-Asserted-Identity");
	/* what lies behind the set in the binding's text has moved as a whole */
	EXPECT_EQ(200, events_all(3, "active", "state=\"terminated\" event=\"expired\"" LAST));
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(row, about_somebody_else_says_nothing)
{
	told();
	EXPECT_EQ(200,
		  events_say(2, "active",
			     events_document(
				     2, "full",
				     "<registration aor=\"sip:bob@home1.net\" id=\"b\" "
				     "state=\"terminated\"><contact id=\"1\" state=\"terminated\" "
				     "event=\"rejected\"><uri>sip:bob@b.invalid</uri></contact>"
				     "</registration><registration aor=\"urn:x\" id=\"x\" "
				     "state=\"terminated\"/>")));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(row, about_another_contact_of_alice_says_nothing)
{
	told();
	EXPECT_EQ(
		200,
		events_say(2, "active",
			   events_document(
				   2, "partial",
				   events_registration(
					   "sip:alice@home1.net", "active",
					   "<contact id=\"1\" state=\"terminated\" "
					   "event=\"rejected\"><uri>sip:other@h</uri></contact>"
					   "<contact id=\"2\" state=\"terminated\" "
					   "event=\"rejected\"><uri>" OUR_URI "</uri>"
					   "<unknown-param name=\"reg-id\">2</unknown-param>"
					   "</contact><contact id=\"3\" state=\"terminated\" "
					   "event=\"rejected\"><uri>not a uri</uri></contact>"))));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

/* ---- full state, and doubt (PROTOCOL 10.5) ----------------------------------------------------
 */

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

TEST(row, about_two_contacts_that_may_be_ours_believes_the_one_that_is_active)
{
	told();
	EXPECT_EQ(200, events_say(2, "active",
				  events_document(
					  2, "full",
					  events_registration(
						  "sip:alice@home1.net", "active",
						  format("<contact id=\"1\" state=\"terminated\" "
							 "event=\"expired\"><uri>" OUR_URI
							 "</uri></contact>%s",
							 events_contact(
								 "state=\"active\" "
								 "event=\"registered\"" LAST))))));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(race, event_of_an_older_register_does_not_end_the_binding)
{
	told();
	refreshed(2);
	EXPECT_EQ(200, events_all(2, "terminated", "state=\"terminated\" event=\"expired\"" LAST));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(200, events_all(3, "active",
				  "state=\"active\" event=\"shortened\" expires=\"3\"" LAST));
	EXPECT_EQ(599, expires_s());
	world_wait(50 * S);
	EXPECT_EQ(200, events_all(4, "terminated", "state=\"terminated\" event=\"expired\"" LAST));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, events_subscribes());
}

TEST(race, event_of_the_last_register_ends_the_binding_at_once)
{
	told();
	refreshed(2);
	EXPECT_EQ(200, events_all(2, "terminated",
				  "state=\"terminated\" event=\"expired\" callid=\"" OUR_CALL_ID
				  "\" cseq=\"2\""));
	is_over(GW_REG_ENDED);
}

TEST(race, event_of_a_dialog_behind_the_200_counts_at_once)
{
	told();
	EXPECT_EQ(200, events_say(2, "active",
				  events_document(2, "full",
						  events_registration("sip:alice@home1.net",
								      "terminated", ""))));
	is_over(GW_REG_ENDED);
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
		told();
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
	told();
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
	EXPECT_EQ(77, expires_s()); /* the core was asked behind the 200 */
	EXPECT_EQ(200, events_say(4, "active",
				  events_document(4, "full",
						  gone("state=\"terminated\" event=\"expired\""))));
	EXPECT_EQ(1, gateway_bindings(world.gw)); /* of a dialog from before the refresh */
}

/** An end that is doubted, and the core was asked. */
static void asked(void)
{
	told();
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
	EXPECT_LINE("90", turned_away(0, register_jssip(token_alice(3570), 600)), "Retry-After");
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
	told();
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
	told();
	world_wait(37 * S);
	EXPECT_EQ(200, events_all(2, "terminated", "state=\"terminated\" event=\"expired\""));
	is_over(GW_REG_ENDED);
}

TEST(race, full_state_without_our_contact_ends_the_binding)
{
	const char *doc =
		events_registration("sip:alice@home1.net", "active",
				    "<contact id=\"1\" state=\"active\" event=\"created\">"
				    "<uri>sip:other@h</uri></contact>");

	told();
	world_wait(37 * S);
	EXPECT_EQ(200, events_say(2, "active", events_document(2, "partial", doc)));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(200, events_say(3, "active", events_document(3, "full", doc)));
	is_over(GW_REG_ENDED);
}

TEST(race, full_state_in_which_alice_is_not_registered_yet_ends_the_binding)
{
	const char *doc = events_registration("sip:alice@home1.net", "init", "");

	told();
	EXPECT_EQ(200, events_say(2, "active", events_document(2, "partial", doc)));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(200, events_say(3, "active", events_document(3, "full", doc)));
	is_over(GW_REG_ENDED);
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
	is_over(GW_REG_ENDED);
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
	told();
	world_wait(37 * S);
	EXPECT_EQ(200, events_say(2, "active", events_document(2, "full", "")));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(race, binding_that_has_left_is_not_ended_again)
{
	told();
	world_forget();
	world_wait(3600 * S); /* 600 s, as granted */
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(481, events_all(2, "terminated", "state=\"terminated\" event=\"expired\"" LAST));
	EXPECT_EQ(0, world_count(&world.counters.binding_core_ended));
}

TEST(race, binding_that_has_lost_its_connection_ends_too)
{
	told();
	wic_leaves(0);
	EXPECT_EQ(200, events_all(2, "terminated", "state=\"terminated\" event=\"rejected\"" LAST));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_core_ended));
	EXPECT(!is_closed(GW_REG_REJECTED)); /* nobody is there */
}

TEST(race, binding_that_has_lost_its_connection_waits_no_longer_for_a_shorter_registration)
{
	told();
	wic_leaves(0);
	EXPECT_EQ(200, events_all(2, "active",
				  "state=\"active\" event=\"shortened\" expires=\"9\"" LAST));
	EXPECT_EQ(1, gateway_leaving(world.gw));
	world_wait(8 * S);
	EXPECT_EQ(1, gateway_leaving(world.gw));
	world_wait(2 * S);
	EXPECT_EQ(0, gateway_leaving(world.gw));
	told();
	wic_leaves(0);
	EXPECT_EQ(200, events_all(2, "active",
				  "state=\"active\" event=\"refreshed\" expires=\"900\"" LAST));
	world_forget();
	world_wait(31 * S); /* the grace, as before */
	EXPECT(contains(world_only(TO_MW), CRLF "Expires: 0" CRLF));
}

/* ---- on all workers, and their bound ----------------------------------------------------------
 */

TEST(barred, is_told_to_the_other_workers)
{
	const struct message_barred *m = NULL;

	told();
	world.letters = 0;
	EXPECT_EQ(200,
		  events_all(2, "terminated",
			     "state=\"terminated\" event=\"probation\" retry-after=\"90\"" LAST));
	for (uint32_t i = 0; i < world.letters; i++) {
		const struct message_head *head = (const void *)world.letter[i].bytes;

		if (head->kind == MESSAGE_BARRED) {
			EXPECT(m == NULL);
			m = (const void *)head;
			EXPECT_EQ(1, world.letter[i].worker);
		}
	}
	assert_non_null(m);
	EXPECT_EQ(sizeof(*m), m->head.len);
	EXPECT_EQ(GW_REG_PROBATION, m->why);
	EXPECT_EQ(world.now_us + 90 * S, m->until_us);
}

TEST(barred, by_another_worker_is_refused_here)
{
	struct identity impi, impu;
	struct message_barred m = {.head = {MESSAGE_BARRED, sizeof(m)}, .why = GW_REG_PROBATION};

	world_start();
	EXPECT_EQ(GW_OK, identity_impi(SPAN("alice@ims.home1.net"), &impi));
	EXPECT_EQ(GW_OK, identity_impu(SPAN("sip:alice@home1.net"), &impu));
	m.who = pair_hash(world.config.hash_key, identity_span(&impi), identity_span(&impu));
	m.until_us = world.now_us + 5 * S;
	gateway_home_message(world.gw, &m.head);
	EXPECT_LINE("5", turned_away(0, register_jssip(token_alice(3570), 600)), "Retry-After");
}

TEST(barred, stays_registered_where_the_core_has_let_it_stand)
{
	struct message_barred m = {.head = {MESSAGE_BARRED, sizeof(m)}, .why = GW_REG_PROBATION};
	struct identity impi, impu;

	world_start();
	world_register();
	EXPECT_EQ(GW_OK, identity_impi(SPAN("alice@ims.home1.net"), &impi));
	EXPECT_EQ(GW_OK, identity_impu(SPAN("sip:alice@home1.net"), &impu));
	m.who = pair_hash(world.config.hash_key, identity_span(&impi), identity_span(&impu));
	m.until_us = world.now_us + 5 * S;
	gateway_home_message(world.gw, &m.head);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(TO_MW, world_sent(0)->to);
	EXPECT_EQ(503, status_of(turned_away(1, register_sipjs(token_alice(3570), 600))));
}

TEST(barred, that_ends_first_makes_room_when_there_is_none)
{
	struct message_barred m = {.head = {MESSAGE_BARRED, sizeof(m)}, .why = GW_REG_PROBATION};

	world_start();
	for (uint32_t i = 0; i < 9; i++) { /* all in one set */
		m.who = 8000 + 8 * i;
		m.until_us = world.now_us + (100 - i) * S;
		gateway_home_message(world.gw, &m.head);
		gateway_home_message(world.gw, &m.head); /* the same again */
	}
	EXPECT_EQ(1, world_count(&world.counters.barred_forgotten));
	world_wait(200 * S);
	m.who = 9600;
	m.until_us = world.now_us + S;
	gateway_home_message(world.gw, &m.head); /* those have ended */
	EXPECT_EQ(1, world_count(&world.counters.barred_forgotten));
}

/* ---- whom the core authenticates ----------------------------------------------------------------
 */

TEST(row, holds_for_who_has_no_token_too)
{
	world_start();
	world.wwsf[0].mode = WWSF_IMS_AUTH;
	world.wwsf[0].issuer = WWSF_NO_ISSUER;
	world.config.mw_reg_event = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(NULL, 600)));
	core_registers(600);
	world_wait(2000);
	events_remember();
	events_grant(1200);
	EXPECT_EQ(200, events_all(1, "active",
				  "state=\"active\" event=\"refreshed\" expires=\"90000\"" LAST));
	EXPECT_EQ(90000, expires_s());
	EXPECT_EQ(200, events_all(2, "terminated", "state=\"terminated\" event=\"rejected\"" LAST));
	is_over(GW_REG_REJECTED);
	EXPECT(is_closed(GW_REG_REJECTED));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(NULL, 600))); /* the core asks for a Digest */
}

/* ---- pools ------------------------------------------------------------------------------------
 */

/** A window of a pool with events on. */
static void lent(void)
{
	pool_start(1);
	world.config.mw_reg_event = true;
	world_reload();
	pool_holds(0, 5);
	world_wait(2000);
	events_remember();
	events_grant(1200);
	world_forget();
}

TEST(pool, pair_is_free_when_the_core_has_ended_its_registration)
{
	const struct message_lease_release *m;

	lent();
	EXPECT_EQ(200,
		  events_all(1, "terminated", "state=\"terminated\" event=\"unregistered\"" LAST));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	m = last_letter(MESSAGE_LEASE_RELEASE);
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_RELEASE));
	EXPECT_EQ(5, m->id.generation);
	EXPECT_EQ(JOURNAL_OVER, world.journal[world.told - 1].state);
}

TEST(pool, binding_learns_no_identity_that_was_not_lent)
{
	lent();
	EXPECT_EQ(200, events_all(1, "active", "state=\"active\" event=\"registered\"" LAST));
	EXPECT(gateway_is(world.gw, &world.wic[0], SPAN("sip:alice@home1.net")));
	EXPECT(!gateway_is(world.gw, &world.wic[0], SPAN("tel:+15551230001")));
}

TEST(pool, registration_terminated_of_what_was_lent_ends_who_has_nothing_else)
{
	lent();
	EXPECT_EQ(200, events_say(1, "active",
				  events_document(
					  1, "full",
					  format("%s%s",
						 events_registration("sip:alice@home1.net",
								     "terminated", ""),
						 events_registration(
							 "tel:+15551230001", "active",
							 events_contact(
								 "state=\"active\" "
								 "event=\"registered\"" LAST))))));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_RELEASE));
}

TEST(pool, registration_terminated_of_what_was_not_lent_says_nothing)
{
	lent();
	EXPECT_EQ(200, events_say(1, "active",
				  events_document(1, "full",
						  events_registration("tel:+15551230001",
								      "terminated", ""))));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST_MAIN("reg_rows", RUN(row, registration_terminated_takes_its_identity_away),
	  RUN(row, registration_terminated_of_the_one_that_was_registered_removes_the_binding),
	  RUN(row, registration_terminated_of_all_removes_the_binding_and_the_subscription_is_done),
	  RUN(row, registration_terminated_of_the_one_that_was_registered_leaves_who_has_another),
	  RUN(row, contact_expired_or_unregistered_removes_the_binding),
	  RUN(row, contact_deactivated_removes_the_binding_and_makes_its_wic_come_back),
	  RUN(row, contact_on_probation_is_refused_for_so_long),
	  RUN(row,
	      contact_on_probation_without_a_time_is_refused_for_a_minute_and_for_a_day_at_most),
	  RUN(row, contact_rejected_is_refused_by_that_token_and_its_connection_closed),
	  RUN(row, contact_shortened_lowers_the_time_and_never_raises_it),
	  RUN(row, contact_that_is_active_says_how_long_but_not_past_its_token),
	  RUN(row, implicit_identities_are_learnt), RUN(row, about_somebody_else_says_nothing),
	  RUN(row, about_another_contact_of_alice_says_nothing),
	  RUN(race, event_of_an_older_register_does_not_end_the_binding),
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
	  RUN(barred, is_told_to_the_other_workers), RUN(barred, by_another_worker_is_refused_here),
	  RUN(barred, stays_registered_where_the_core_has_let_it_stand),
	  RUN(barred, that_ends_first_makes_room_when_there_is_none),
	  RUN(row, holds_for_who_has_no_token_too),
	  RUN(pool, pair_is_free_when_the_core_has_ended_its_registration),
	  RUN(pool, binding_learns_no_identity_that_was_not_lent),
	  RUN(pool, registration_terminated_of_what_was_not_lent_says_nothing),
	  RUN(race, doubt_is_over_with_the_next_200),
	  RUN(race, doubt_is_over_when_a_part_says_that_the_registration_stands),
	  RUN(race, end_in_doubt_is_asked_about_when_the_subscription_ends_with_it),
	  RUN(race, end_in_doubt_counts_when_the_subscription_ends_as_it_is_asked_about),
	  RUN(race, full_state_in_which_alice_is_not_registered_yet_ends_the_binding),
	  RUN(race, full_state_that_is_silent_about_alice_answers_a_doubt),
	  RUN(race, full_state_of_a_core_that_writes_contacts_otherwise_ends_nothing),
	  RUN(race, full_state_of_a_core_that_writes_contacts_otherwise_settles_a_doubt),
	  RUN(row, about_two_contacts_that_may_be_ours_believes_the_one_that_is_active),
	  RUN(pool, registration_terminated_of_what_was_lent_ends_who_has_nothing_else))
