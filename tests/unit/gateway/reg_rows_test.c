/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "events.h"
#include "gateway/internal.h"
#include "pool.h"

/* What a registration event means for a binding: each row of PROTOCOL 9.9. */

/* ---- rows ------------------------------------------------------------------------------------ */

TEST(row, registration_terminated_takes_its_identity_away)
{
	events_told();
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
	events_told();
	EXPECT_EQ(200, events_say(2, "active",
				  events_document(2, "partial",
						  events_registration(
							  "sip:alice@home1.net", "terminated",
							  events_contact(
								  "state=\"terminated\" "
								  "event=\"expired\"" OUR_LAST)))));
	events_over(GW_REG_ENDED);
}

TEST(row, registration_terminated_of_all_removes_the_binding_and_the_subscription_is_done)
{
	events_told();
	EXPECT_EQ(200,
		  events_say(2, "terminated;reason=noresource",
			     events_document(2, "full",
					     events_registration(
						     "sip:alice@home1.net", "terminated",
						     events_contact(
							     "state=\"terminated\" "
							     "event=\"unregistered\"" OUR_LAST)))));
	events_over(GW_REG_ENDED);
	world_wait(100 * S);
	EXPECT_EQ(0, events_subscribes());
}

TEST(row, registration_terminated_of_the_one_that_was_registered_leaves_who_has_another)
{
	events_told();
	EXPECT_EQ(
		200,
		events_say(2, "active",
			   events_document(
				   2, "partial",
				   format("%s%s",
					  events_registration(
						  "sip:alice@home1.net", "terminated",
						  events_contact("state=\"terminated\" "
								 "event=\"deactivated\"" OUR_LAST)),
					  events_registration(
						  "tel:+15551230001", "active",
						  events_contact(
							  "state=\"active\" "
							  "event=\"refreshed\"" OUR_LAST))))));
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
		events_told();
		EXPECT_EQ(200, events_all(2, "active",
					  format("state=\"terminated\" event=\"%s\"" OUR_LAST,
						 events[i])));
		events_over(GW_REG_ENDED);
		EXPECT(!events_closed(GW_REG_ENDED));
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
	events_told();
	EXPECT_EQ(200, events_all(2, "terminated",
				  "state=\"terminated\" event=\"deactivated\"" OUR_LAST));
	events_over(GW_REG_DEACTIVATED);
	EXPECT(events_closed(GW_REG_DEACTIVATED));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(1, register_sipjs(token_alice(3570), 600)));
	EXPECT_EQ(TO_MW, world_sent(0)->to);
}

TEST(row, contact_on_probation_is_refused_for_so_long)
{
	const char *answer;

	events_told();
	EXPECT_EQ(
		200,
		events_all(2, "terminated",
			   "state=\"terminated\" event=\"probation\" retry-after=\"90\"" OUR_LAST));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(GW_REG_PROBATION, world.event[world.events - 1].err);
	EXPECT(!events_closed(GW_REG_PROBATION));
	world_wait(10 * S);
	answer = events_turned_away(0, register_jssip(token_alice(3570), 600));
	EXPECT_EQ(503, status_of(answer));
	EXPECT_LINE("80", answer, "Retry-After");
	answer = events_turned_away(1, register_sipjs(token_alice(3000), 600));
	EXPECT_EQ(503, status_of(answer));
	EXPECT_EQ(2, world_count(&world.counters.barred_refused));
	world_wait(80 * S);
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(TO_MW, world_sent(0)->to);
}

TEST(row, contact_on_probation_without_a_time_is_refused_for_a_minute_and_for_a_day_at_most)
{
	events_told();
	EXPECT_EQ(200,
		  events_all(2, "terminated", "state=\"terminated\" event=\"probation\"" OUR_LAST));
	EXPECT_LINE("60", events_turned_away(0, register_jssip(token_alice(3570), 600)),
		    "Retry-After");
	events_told();
	EXPECT_EQ(200, events_all(2, "terminated",
				  "state=\"terminated\" event=\"probation\" "
				  "retry-after=\"4294967295\"" OUR_LAST));
	EXPECT_LINE("86400", events_turned_away(0, register_jssip(token_alice(3570), 600)),
		    "Retry-After");
	events_told();
	EXPECT_EQ(
		200,
		events_all(2, "terminated",
			   "state=\"terminated\" event=\"probation\" retry-after=\"0\"" OUR_LAST));
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
	EXPECT_EQ(200,
		  events_all(1, "terminated", "state=\"terminated\" event=\"rejected\"" OUR_LAST));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(GW_REG_REJECTED, world.event[world.events - 1].err);
	EXPECT(events_closed(GW_REG_REJECTED));
	EXPECT_EQ(403, status_of(events_turned_away(1, register_jssip(token, 600))));
	world_wait(3000 * S);
	EXPECT_EQ(403, status_of(events_turned_away(1, register_jssip(token, 600))));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_named("t-2"), 600)));
	EXPECT_EQ(TO_MW, world_sent(0)->to);
}

TEST(row, contact_shortened_lowers_the_time_and_never_raises_it)
{
	events_told();
	EXPECT_EQ(599, events_expires_s());
	EXPECT_EQ(200, events_all(2, "active",
				  "state=\"active\" event=\"shortened\" expires=\"100\"" OUR_LAST));
	EXPECT_EQ(100, events_expires_s());
	EXPECT_EQ(200, events_all(3, "active",
				  "state=\"active\" event=\"shortened\" expires=\"500\"" OUR_LAST));
	EXPECT_EQ(100, events_expires_s());
	world_wait(99 * S);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(2 * S);
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(row, contact_that_is_active_says_how_long_but_not_past_its_token)
{
	static const char *const events[] = {"registered", "created", "refreshed"};

	for (uint32_t i = 0; i < 3; i++) {
		events_told();
		EXPECT_EQ(
			200,
			events_all(2, "active",
				   format("state=\"active\" event=\"%s\" expires=\"900\"" OUR_LAST,
					  events[i])));
		EXPECT_EQ(900, events_expires_s());
		EXPECT_EQ(
			200,
			events_all(3, "active",
				   format("state=\"active\" event=\"%s\" expires=\"7200\"" OUR_LAST,
					  events[i])));
		EXPECT_EQ(3569, events_expires_s()); /* 2 ms have passed */
		EXPECT_EQ(200,
			  events_all(4, "active",
				     format("state=\"active\" event=\"%s\"" OUR_LAST, events[i])));
		EXPECT_EQ(3569, events_expires_s());
		/* and the core is told when it ends there later than here */
		world_forget();
		world_wait(3570 * S);
		EXPECT_EQ(0, gateway_bindings(world.gw));
		EXPECT(contains(world.sent[world.count - 1].text, CRLF "Expires: 0" CRLF));
	}
}

TEST(row, implicit_identities_are_learnt)
{
	events_told();
	EXPECT(!gateway_is(world.gw, &world.wic[0], SPAN("sip:ally@home1.net")));
	EXPECT_EQ(200, events_say(2, "active",
				  events_document(2, "partial",
						  events_registration(
							  "sip:ally@home1.net", "active",
							  events_contact(
								  "state=\"active\" "
								  "event=\"created\"" OUR_LAST)))));
	EXPECT(gateway_is(world.gw, &world.wic[0], SPAN("sip:ally@home1.net")));
	EXPECT(gateway_is(world.gw, &world.wic[0], SPAN("tel:+15551230001")));
	world_wait(2000);
	world_forget();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, message_with("P-Preferred-Identity: <sip:ally@home1.net>" CRLF)));
	EXPECT_LINE("<sip:ally@home1.net>", world_only(TO_MW), "P-Asserted-Identity");
	/* what lies behind the set in the binding's text has moved as a whole */
	EXPECT_EQ(200, events_all(3, "active", "state=\"terminated\" event=\"expired\"" OUR_LAST));
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(row, about_somebody_else_says_nothing)
{
	events_told();
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
	events_told();
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

TEST(row, about_two_contacts_that_may_be_ours_believes_the_one_that_is_active)
{
	events_told();
	EXPECT_EQ(200,
		  events_say(2, "active",
			     events_document(
				     2, "full",
				     events_registration(
					     "sip:alice@home1.net", "active",
					     format("<contact id=\"1\" state=\"terminated\" "
						    "event=\"expired\"><uri>" OUR_URI
						    "</uri></contact>%s",
						    events_contact(
							    "state=\"active\" "
							    "event=\"registered\"" OUR_LAST))))));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

/* ---- on all workers, and their bound ----------------------------------------------------------
 */

TEST(barred, is_told_to_the_other_workers)
{
	const struct message_barred *m = NULL;

	events_told();
	world.letters = 0;
	EXPECT_EQ(
		200,
		events_all(2, "terminated",
			   "state=\"terminated\" event=\"probation\" retry-after=\"90\"" OUR_LAST));
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
	EXPECT_LINE("5", events_turned_away(0, register_jssip(token_alice(3570), 600)),
		    "Retry-After");
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
	EXPECT_EQ(503, status_of(events_turned_away(1, register_sipjs(token_alice(3570), 600))));
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
	EXPECT_EQ(200,
		  events_all(1, "active",
			     "state=\"active\" event=\"refreshed\" expires=\"90000\"" OUR_LAST));
	EXPECT_EQ(90000, events_expires_s());
	EXPECT_EQ(200,
		  events_all(2, "terminated", "state=\"terminated\" event=\"rejected\"" OUR_LAST));
	events_over(GW_REG_REJECTED);
	EXPECT(events_closed(GW_REG_REJECTED));
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
	EXPECT_EQ(200, events_all(1, "terminated",
				  "state=\"terminated\" event=\"unregistered\"" OUR_LAST));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	m = last_letter(MESSAGE_LEASE_RELEASE);
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_RELEASE));
	EXPECT_EQ(5, m->id.generation);
	EXPECT_EQ(JOURNAL_OVER, world.journal[world.told - 1].state);
}

TEST(pool, binding_learns_no_identity_that_was_not_lent)
{
	lent();
	EXPECT_EQ(200, events_all(1, "active", "state=\"active\" event=\"registered\"" OUR_LAST));
	EXPECT(gateway_is(world.gw, &world.wic[0], SPAN("sip:alice@home1.net")));
	EXPECT(!gateway_is(world.gw, &world.wic[0], SPAN("tel:+15551230001")));
}

TEST(pool, registration_terminated_of_what_was_lent_ends_who_has_nothing_else)
{
	lent();
	EXPECT_EQ(200,
		  events_say(1, "active",
			     events_document(
				     1, "full",
				     format("%s%s",
					    events_registration("sip:alice@home1.net", "terminated",
								""),
					    events_registration(
						    "tel:+15551230001", "active",
						    events_contact(
							    "state=\"active\" "
							    "event=\"registered\"" OUR_LAST))))));
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
	  RUN(barred, is_told_to_the_other_workers), RUN(barred, by_another_worker_is_refused_here),
	  RUN(barred, stays_registered_where_the_core_has_let_it_stand),
	  RUN(barred, that_ends_first_makes_room_when_there_is_none),
	  RUN(row, holds_for_who_has_no_token_too),
	  RUN(pool, pair_is_free_when_the_core_has_ended_its_registration),
	  RUN(pool, binding_learns_no_identity_that_was_not_lent),
	  RUN(pool, registration_terminated_of_what_was_not_lent_says_nothing),
	  RUN(row, about_two_contacts_that_may_be_ours_believes_the_one_that_is_active),
	  RUN(pool, registration_terminated_of_what_was_lent_ends_who_has_nothing_else))
