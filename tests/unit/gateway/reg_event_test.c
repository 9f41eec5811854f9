/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "events.h"

/* Subscriptions to registration events: PROTOCOL 9.9, RFC 6665. */

static const char *nothing_new(uint32_t version)
{
	return events_document(
		version, "full",
		events_registration("sip:alice@home1.net", "active",
				    events_contact("state=\"active\" event=\"registered\" "
						   "callid=\"" OUR_CALL_ID "\" cseq=\"1\"")));
}

/* ---- SUBSCRIBE ------------------------------------------------------------------------------- */

TEST(subscribe, follows_the_first_200_as_protocol_9_9_has_it)
{
	const char *text;

	world_start();
	world.config.mw_reg_event = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	EXPECT_EQ(0, events_subscribes());
	world_wait(2000);
	EXPECT_EQ(1, events_subscribes());
	text = events_subscribe();
	EXPECT_EQ(0, strncmp(text, "SUBSCRIBE sip:alice@home1.net SIP/2.0\r\n", 39));
	EXPECT(contains(line(text, "From"), "<sip:192.0.2.10>;tag="));
	EXPECT_LINE("<sip:alice@home1.net>", text, "To");
	EXPECT_LINE("1 SUBSCRIBE", text, "CSeq");
	EXPECT_LINE("reg", text, "Event");
	EXPECT_LINE("application/reginfo+xml", text, "Accept");
	EXPECT_LINE("1199", text, "Expires"); /* above that of the registration */
	EXPECT_LINE("<sip:192.0.2.10>", text, "P-Asserted-Identity");
	EXPECT_LINE("70", text, "Max-Forwards");
	EXPECT_LINE("0", text, "Content-Length");
	EXPECT_EQ(0, strncmp(line(text, "Contact"), "<sip:St1.", 9));
	EXPECT(contains(line(text, "Contact"), "@192.0.2.10:5070;transport=tcp>"));
	EXPECT(contains(line(text, "P-Charging-Vector"), "icid-generated-at=192.0.2.10"));
	EXPECT(contains(line(text, "Call-ID"), "@192.0.2.10"));
	EXPECT_EQ(1, lines(text, "Via"));
	EXPECT_NO_LINE(text, "Route");
	EXPECT_EQ(1, gateway_reg_events(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.reg_event_out));
}

TEST(subscribe, goes_by_the_service_route_where_that_is_configured)
{
	world_start();
	world.config.mw_reg_event = true;
	world.config.mw_reg_event_service_route = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	world_forget();
	world_wait(2000);
	EXPECT_LINE("<sip:orig@198.18.0.30:6060;lr>", events_subscribe(), "Route");
	EXPECT(endpoint_port(&world_sent(0)->target.address) == 6060);
}

TEST(subscribe, is_switched_off_by_its_setting)
{
	world_start();
	world_register();
	world_wait(10 * S);
	EXPECT_EQ(0, events_subscribes());
	EXPECT_EQ(0, gateway_reg_events(world.gw));
}

TEST(subscribe, is_not_said_again_when_the_registration_is_refreshed)
{
	events_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	world_wait(2000);
	EXPECT_EQ(0, events_subscribes());
	EXPECT_EQ(1, gateway_reg_events(world.gw));
}

TEST(subscribe, is_refreshed_inside_its_dialog_at_half_of_a_short_time)
{
	const char *first, *text;

	events_start();
	first = format("%s", line(events_text(1, "", ""), "Call-ID"));
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 3000)));
	core_registers(3000);
	world_forget();
	world_wait(599 * S);
	EXPECT_EQ(0, events_subscribes());
	world_wait(2 * S);
	EXPECT_EQ(1, events_subscribes());
	text = events_subscribe();
	EXPECT_EQ(0, strncmp(text, "SUBSCRIBE sip:198.18.0.30:6060 SIP/2.0\r\n", 40));
	EXPECT_LINE("2 SUBSCRIBE", text, "CSeq");
	EXPECT_LINE("<sip:alice@home1.net>;tag=c0re", text, "To");
	EXPECT_LINE("<sip:198.18.0.31;transport=tcp;lr>, <sip:198.18.0.32;lr>", text, "Route");
	EXPECT_LINE(first, text, "Call-ID");
}

TEST(subscribe, is_refreshed_600_s_before_the_end_of_a_long_time)
{
	world_start();
	world.config.mw_reg_event = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 3000)));
	core_registers(3000);
	world_wait(2000);
	EXPECT_LINE("3599", events_subscribe(), "Expires");
	events_grant(3000);
	world_forget();
	world_wait(2399 * S);
	EXPECT_EQ(0, events_subscribes());
	world_wait(2 * S);
	EXPECT_EQ(1, events_subscribes());
	EXPECT_LINE("1199", events_subscribe(), "Expires"); /* above what is left */
}

TEST(subscribe, over_udp_names_no_transport)
{
	world_start_udp();
	world.config.mw_reg_event = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	world_wait(2000);
	EXPECT(contains(line(events_subscribe(), "Contact"), "@192.0.2.10:5070>"));
}

TEST(subscribe, ends_with_its_binding)
{
	events_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(NULL, 0)));
	core_registers(0);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_reg_events(world.gw));
	EXPECT_EQ(0, world_count(&world.counters.reg_event_live));
	EXPECT_EQ(481, events_say(1, "terminated;reason=noresource", ""));
	EXPECT_EQ(1, world_count(&world.counters.reg_event_unknown));
	world_wait(3000 * S);
	EXPECT_EQ(0, events_subscribes());
}

TEST(subscribe, under_way_ends_with_its_binding)
{
	world_start();
	world.config.mw_reg_event = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	world_wait(2000);
	EXPECT_EQ(1, gateway_transactions(world.gw));
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(NULL, 0)));
	core_registers(0);
	EXPECT_EQ(0, gateway_transactions(world.gw));
	EXPECT_EQ(0, gateway_reg_events(world.gw));
}

TEST(subscribe, stays_with_a_registration_that_has_lost_its_connection)
{
	events_start();
	wic_leaves(0);
	EXPECT_EQ(1, gateway_reg_events(world.gw));
	EXPECT_EQ(200, events_say(1, "active", nothing_new(0)));
	world_wait(40 * S); /* the grace is over: the core is told by a REGISTER */
	EXPECT_EQ(0, gateway_reg_events(world.gw));
}

TEST(subscribe, is_not_made_where_there_is_no_room)
{
	world_start();
	world.config.mw_reg_event = true;
	for (uint32_t i = 0; i < world.gateway_config.max_bindings + 1; i++) {
		EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
		core_registers(600);
		world_wait(2000);
		world_forget();
		EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(NULL, 0)));
		core_registers(0);
	}
	EXPECT_EQ(0, world_count(&world.counters.reg_event_full)); /* each gave it back */
}

/* ---- what the core says of it ---------------------------------------------------------------- */

/** Registered, and the SUBSCRIBE was answered so; nothing sent is left. */
static void refused(const char *status, const char *more)
{
	world_start();
	world.config.mw_reg_event = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 3000)));
	core_registers(3000);
	world_wait(2000);
	core_answers(status, more);
	world_forget();
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.reg_event_failed));
}

TEST(refusal, that_stays_one_is_the_last_word_and_the_registration_stays)
{
	static const char *const statuses[] = {"403 Forbidden", "404 Not Found", "489 Bad Event",
					       "401 Unauthorized", "501 Not Implemented"};

	for (uint32_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		refused(statuses[i], "");
		EXPECT_EQ(0, gateway_reg_events(world.gw));
		EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 3000)));
		core_registers(3000);
		world_wait(2500 * S);
		EXPECT_EQ(0, events_subscribes());
		EXPECT_EQ(1, gateway_bindings(world.gw));
	}
}

TEST(refusal, that_may_change_is_followed_by_longer_and_longer_waits)
{
	static const char *const statuses[] = {"480 Temporarily Unavailable", "500 Oops",
					       "503 Service Unavailable", "504 Server Time-out"};

	for (uint32_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		world_start();
		world_one_hop();
		world.config.mw_reg_event = true;
		EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 3000)));
		core_registers(3000);
		world_wait(2000);
		for (uint64_t wait = 1; wait <= 512; wait *= 2) {
			core_answers(statuses[i], "");
			world_forget();
			world_wait(wait * S - 5000);
			EXPECT_EQ(0, events_subscribes());
			world_wait(10000);
			EXPECT_EQ(1, events_subscribes());
			EXPECT_NO_LINE(events_subscribe(), "Route");
		}
		events_remember();
		events_grant(1200);
		EXPECT_EQ(200, events_say(1, "active", nothing_new(0)));
	}
}

TEST(refusal, says_when_it_may_be_asked_again)
{
	refused("480 Temporarily Unavailable", "Retry-After: 120 (sleeping);duration=5" CRLF);
	world_wait(119 * S);
	EXPECT_EQ(0, events_subscribes());
	world_wait(2 * S);
	EXPECT_EQ(1, events_subscribes());
}

TEST(refusal, of_a_brief_subscription_makes_it_longer)
{
	refused("423 Interval Too Brief", "Min-Expires: 7200" CRLF);
	world_wait(2 * S);
	EXPECT_LINE("7200", events_subscribe(), "Expires");
}

TEST(refusal, inside_the_dialog_makes_a_new_one)
{
	const char *first;

	events_start();
	EXPECT_EQ(200, events_say(1, "active", nothing_new(7)));
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 3000)));
	core_registers(3000);
	world_forget();
	world_wait(601 * S);
	first = format("%s", line(events_subscribe(), "Call-ID"));
	core_answers("481 Subscription Does Not Exist", "");
	world_forget();
	world_wait(2 * S);
	EXPECT_EQ(1, events_subscribes());
	EXPECT_LINE("1 SUBSCRIBE", events_subscribe(), "CSeq");
	EXPECT(strcmp(first, line(events_subscribe(), "Call-ID")) != 0);
	EXPECT_LINE("<sip:alice@home1.net>", events_subscribe(), "To");
	EXPECT_EQ(481, events_say(2, "active", nothing_new(8))); /* of the one before */
}

TEST(refusal, by_silence_is_one_that_may_change)
{
	world_start();
	world_one_hop();
	world.config.mw_reg_event = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 3000)));
	core_registers(3000);
	world_wait(30 * S);
	EXPECT_EQ(1, events_subscribes());
	world_wait(4 * S);
	EXPECT_EQ(2, events_subscribes());
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(refusal, by_silence_says_nothing_of_when_it_may_be_asked_again)
{
	world_start();
	world_one_hop();
	world.config.mw_reg_event = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 3000)));
	core_registers(3000);
	world_wait(2000);
	core_answers("408 Request Timeout", "Retry-After: 100" CRLF);
	world_forget();
	world_wait(101 * S);
	EXPECT_EQ(1, events_subscribes());
	world_wait(35 * S); /* 32 s, and 2 s for the second failure */
	EXPECT_EQ(2, events_subscribes());
}

TEST(refusal, of_the_link_is_one_that_may_change)
{
	world_start();
	world_one_hop();
	world.config.mw_reg_event = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 3000)));
	core_registers(3000);
	world.to_mw_err = GW_MW_DOWN;
	world_forget();
	world_wait(2000);
	EXPECT_EQ(0, events_subscribes());
	world.to_mw_err = GW_OK;
	world_wait(2 * S);
	EXPECT_EQ(1, events_subscribes());
	EXPECT_EQ(1, gateway_transactions(world.gw));
}

TEST(refusal, by_a_busy_hop_sends_it_to_the_next_one)
{
	world_start();
	world.config.mw_reg_event = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 3000)));
	core_registers(3000);
	world_wait(2000);
	core_answers("503 Service Unavailable", "");
	EXPECT_EQ(2, events_subscribes());
}

TEST(refusal, of_a_2xx_without_a_contact_is_tried_again)
{
	refused("200 OK", "Expires: 1200" CRLF);
	world_wait(2 * S);
	EXPECT_EQ(1, events_subscribes());
	refused("200 OK", "Contact: <sip:198.18.0.30>" CRLF "Expires: 0" CRLF);
	world_wait(2 * S);
	EXPECT_EQ(1, events_subscribes());
	refused("200 OK", "Contact: *" CRLF "Expires: 100" CRLF);
	world_wait(2 * S);
	EXPECT_EQ(1, events_subscribes());
	refused("200 OK", format("Contact: <sip:%0400d@198.18.0.30>" CRLF "Expires: 100" CRLF, 1));
	world_wait(2 * S);
	EXPECT_EQ(1, events_subscribes());
	refused("200 OK", format("Contact: <sip:198.18.0.30>" CRLF "Expires: 100" CRLF
				 "Record-Route: <sip:%0400d@198.18.0.31;lr>" CRLF,
				 1));
	world_wait(2 * S);
	EXPECT_EQ(1, events_subscribes());
}

/* ---- NOTIFY ---------------------------------------------------------------------------------- */

TEST(notify, is_answered_200)
{
	events_start();
	EXPECT_EQ(200, events_say(1, "active;expires=1200", nothing_new(0)));
	EXPECT_EQ(1, world_count(&world.counters.reg_event_in));
	EXPECT_EQ(200, events_say(2, "active;expires=1200", ""));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(notify, may_come_before_the_answer_to_its_subscribe)
{
	world_start();
	world.config.mw_reg_event = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 3000)));
	core_registers(3000);
	world_wait(2000);
	events_remember();
	EXPECT_EQ(200, events_say(1, "active", nothing_new(0)));
	world.count = 0;
	world_wait(1000);
	EXPECT_EQ(1, gateway_reg_events(world.gw));
}

TEST(notify, of_no_dialog_of_ours_is_answered_481)
{
	const char *text;

	events_start();
	text = events_text(1, "active", nothing_new(0));
	for (uint32_t i = 0; i < 4; i++) {
		static const char *const was[] = {"St1.", ";tag=c0re", "Call-ID: ", "To: <sip:"};
		static const char *const is[] = {"St1x", ";tag=c0rf", "Call-ID: x", "To: <sip:x"};
		const char *at = strstr(text, was[i]);
		uint32_t cut = (uint32_t)(at - text);

		world_forget();
		core_sends(format("%.*s%s%s", (int)cut, text, is[i], at + strlen(was[i])));
		EXPECT_EQ(i == 3 ? 200 : 481, status_of(world_only(TO_SOURCE)));
	}
	EXPECT_EQ(3, world_count(&world.counters.reg_event_unknown));
}

TEST(notify, for_no_address_of_ours_is_answered_481)
{
	world_start();
	core_sends("NOTIFY sip:192.0.2.10 SIP/2.0" CRLF
		   "Via: SIP/2.0/TCP 198.18.0.30;branch=z9hG4bK1" CRLF "From: <sip:a@h>;tag=1" CRLF
		   "To: <sip:b@h>;tag=2" CRLF "Call-ID: c" CRLF "CSeq: 1 NOTIFY" CRLF
		   "Event: reg" CRLF "Content-Length: 0" CRLF CRLF);
	EXPECT_EQ(481, status_of(world_only(TO_SOURCE)));
}

TEST(notify, for_another_worker_is_handed_on_to_it)
{
	struct flow_token token = {FLOW_SUBSCRIPTION, {.worker = 1, .slot = 3, .generation = 9}};
	char name[FLOW_TOKEN_LEN + 1];
	struct writer w;
	const struct message_deliver *m;

	world_start();
	writer_init(&w, name, FLOW_TOKEN_LEN);
	flow_token_write(world.gw, &token, SPAN(""), &w);
	name[FLOW_TOKEN_LEN] = '\0';
	core_sends(format("NOTIFY sip:%s@192.0.2.10:5070 SIP/2.0" CRLF
			  "Via: SIP/2.0/TCP 198.18.0.30;branch=z9hG4bK1" CRLF
			  "From: <sip:a@h>;tag=1" CRLF "To: <sip:b@h>;tag=2" CRLF "Call-ID: c" CRLF
			  "CSeq: 1 NOTIFY" CRLF "Event: reg" CRLF "Content-Length: 0" CRLF CRLF,
			  name));
	EXPECT_EQ(TO_WORKER, world_sent(0)->to);
	EXPECT_EQ(1, world_sent(0)->worker);
	m = (const void *)world_sent(0)->head;
	EXPECT_EQ(MESSAGE_DELIVER, m->head.kind);
	EXPECT_EQ(3, m->flow.slot);
}

TEST(notify, that_another_worker_took_in_is_ours)
{
	struct message_deliver m = {.head = {MESSAGE_DELIVER, sizeof(m)}};
	const char *text;

	events_start();
	text = events_text(1, "active", nothing_new(0));
	m.source = world.source;
	gateway_delivered(world.gw, &m, span_text(text));
	EXPECT_EQ(200, status_of(world_only(TO_SOURCE)));
}

TEST(notify, by_a_route_of_ours_leads_to_no_subscription)
{
	const char *contact;

	events_start();
	contact = line(events_text(1, "", ""), "To");
	EXPECT(contact != NULL);
	world_forget();
	core_sends(core_message(format("%.*s;lr", (int)strcspn(events_text(1, "", "") + 7, " "),
				       events_text(1, "", "") + 7),
				""));
	EXPECT_EQ(403, status_of(world_only(TO_SOURCE)));
}

TEST(notify, that_comes_again_is_answered_again_and_does_nothing)
{
	events_start();
	EXPECT_EQ(200, events_say(5, "active", nothing_new(0)));
	EXPECT_EQ(200, events_say(5, "terminated", nothing_new(1)));
	world_wait(100 * S);
	EXPECT_EQ(0, events_subscribes());
}

TEST(notify, that_comes_late_is_answered_500)
{
	events_start();
	EXPECT_EQ(200, events_say(5, "active", nothing_new(0)));
	EXPECT_EQ(500, events_say(4, "terminated", nothing_new(1)));
	world_wait(100 * S);
	EXPECT_EQ(0, events_subscribes());
	EXPECT_EQ(1, world_count(&world.counters.reg_event_refused));
}

TEST(notify, of_another_event_is_answered_489)
{
	const char *text;

	events_start();
	text = events_text(1, "active", nothing_new(0));
	world_forget();
	core_sends(format("%.*sEvent: presence%s", (int)(strstr(text, "Event: ") - text), text,
			  strstr(text, "Event: reg") + 10));
	EXPECT_EQ(489, status_of(world_only(TO_SOURCE)));
	EXPECT_LINE("reg", world_only(TO_SOURCE), "Allow-Events");
}

TEST(notify, without_a_state_of_the_subscription_is_answered_400)
{
	events_start();
	EXPECT_EQ(400, events_say(1, "", nothing_new(0)));
}

TEST(notify, of_another_type_is_answered_415)
{
	const char *text;

	events_start();
	text = events_text(1, "active", nothing_new(0));
	world_forget();
	core_sends(format("%.*sContent-Type: text/plain%s",
			  (int)(strstr(text, "Content-Type: ") - text), text,
			  strstr(text, "+xml") + 4));
	EXPECT_EQ(415, status_of(world_only(TO_SOURCE)));
	EXPECT_LINE("application/reginfo+xml", world_only(TO_SOURCE), "Accept");
}

TEST(notify, with_a_document_that_cannot_be_read_is_answered_400)
{
	events_start();
	EXPECT_EQ(400, events_say(1, "active", "<reginfo"));
	EXPECT_EQ(1, world_count(&world.counters.errors[GW_REGINFO_XML]));
	EXPECT_EQ(400, events_say(2, "active", "<!DOCTYPE x><x/>"));
	EXPECT_EQ(1, world_count(&world.counters.errors[GW_REGINFO_DOCTYPE]));
	EXPECT_EQ(400, events_say(2, "active", "<!DOCTYPE x><x/>")); /* when it comes again */
	EXPECT_EQ(3, world_count(&world.counters.reg_event_refused));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

/** What is there of it is longer than the test's texts are: many registrations. */
TEST(notify, with_a_document_that_is_too_much_is_answered_413)
{
	static char many[16000];
	uint32_t len = 0;

	for (uint32_t i = 0; i < 130; i++)
		len += (uint32_t)snprintf(many + len, sizeof(many) - len,
					  "<registration aor=\"sip:u%u@h\" id=\"%u\" "
					  "state=\"active\"/>",
					  i, i);
	events_start();
	EXPECT_EQ(413, events_say(1, "active", events_document(0, "full", many)));
	EXPECT_EQ(1, world_count(&world.counters.errors[GW_REGINFO_LIMIT]));
}

TEST(notify, with_a_gap_before_it_makes_us_ask_for_all)
{
	events_start();
	EXPECT_EQ(200, events_say(1, "active", nothing_new(3)));
	world_wait(2000);
	EXPECT_EQ(0, events_subscribes());
	EXPECT_EQ(200, events_say(2, "active", events_document(4, "partial", "")));
	world_wait(2000);
	EXPECT_EQ(0, events_subscribes());
	EXPECT_EQ(200, events_say(3, "active", events_document(6, "partial", "")));
	world_wait(2000);
	EXPECT_EQ(1, events_subscribes());
	EXPECT_LINE("2 SUBSCRIBE", events_subscribe(), "CSeq");
	EXPECT_EQ(1, world_count(&world.counters.reg_event_gaps));
	core_answers("200 OK", "Expires: 1200" CRLF);
	EXPECT_EQ(200, events_say(4, "active", nothing_new(9)));
	world_wait(2000);
	EXPECT_EQ(0, events_subscribes());
}

TEST(notify, that_begins_with_a_part_makes_us_ask_for_all)
{
	events_start();
	EXPECT_EQ(200, events_say(1, "active", events_document(0, "partial", "")));
	world_wait(2000);
	EXPECT_EQ(1, events_subscribes());
}

TEST(notify, with_a_gap_while_we_ask_makes_us_ask_once_more)
{
	world_start();
	world.config.mw_reg_event = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 3000)));
	core_registers(3000);
	world_wait(2000);
	events_remember();
	core_sends(events_text(1, "active", events_document(0, "partial", "")));
	world_wait(5 * S);
	EXPECT_EQ(1, events_subscribes());
	events_grant(1200); /* the answer to what was sent to the core last */
	world_wait(2000);
	EXPECT_EQ(2, events_subscribes());
	EXPECT_LINE("2 SUBSCRIBE", events_subscribe(), "CSeq");
}

TEST(notify, of_a_version_that_is_known_says_nothing)
{
	events_start();
	EXPECT_EQ(200, events_say(1, "active", nothing_new(3)));
	EXPECT_EQ(200, events_all(2, "terminated", "")); /* version 2 */
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.reg_event_old));
}

/* ---- the end of a subscription --------------------------------------------------------------- */

/** The core ends the subscription so; then the waits, and what comes. */
static void ended(const char *state)
{
	events_start();
	EXPECT_EQ(200, events_say(1, "active", nothing_new(0)));
	EXPECT_EQ(200, events_say(2, state, ""));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(end, of_a_subscription_whose_user_is_registered_makes_a_new_one)
{
	static const char *const states[] = {"terminated", "terminated;reason=timeout",
					     "terminated;reason=deactivated",
					     "Terminated ; reason=probation",
					     "terminated;reason=giveup;retry-after=1"};

	for (uint32_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		ended(states[i]);
		world_wait(2 * S);
		EXPECT_EQ(1, events_subscribes());
		EXPECT_LINE("1 SUBSCRIBE", events_subscribe(), "CSeq");
		EXPECT_EQ(481, events_say(3, "active", nothing_new(5)));
	}
}

TEST(end, says_when_a_new_one_may_be_asked_for)
{
	ended("terminated;reason=probation;retry-after=100");
	world_wait(99 * S);
	EXPECT_EQ(0, events_subscribes());
	world_wait(2 * S);
	EXPECT_EQ(1, events_subscribes());
}

TEST(end, for_good_is_not_followed_by_a_new_one)
{
	static const char *const states[] = {"terminated;reason=rejected",
					     "terminated;reason=noresource",
					     "terminated;reason=invariant"};

	for (uint32_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		ended(states[i]);
		EXPECT_EQ(0, gateway_reg_events(world.gw));
		world_wait(500 * S);
		EXPECT_EQ(0, events_subscribes());
	}
}

TEST(end, again_and_again_is_followed_by_longer_and_longer_waits)
{
	ended("terminated");
	world_wait(2 * S);
	events_remember();
	events_grant(1200);
	EXPECT_EQ(200, events_say(1, "terminated", ""));
	world_wait(1500000);
	EXPECT_EQ(0, events_subscribes());
	world_wait(1 * S);
	EXPECT_EQ(1, events_subscribes());
}

TEST(end, by_the_setting_comes_with_the_next_refresh)
{
	events_start();
	world.config.mw_reg_event = false;
	world_reload();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 3000)));
	core_registers(3000);
	world_wait(700 * S);
	EXPECT_EQ(0, events_subscribes());
	EXPECT_EQ(0, gateway_reg_events(world.gw));
}

TEST(binding_row, tells_how_far_its_subscription_is)
{
	struct row_binding row;
	uint32_t cursor = 0;

	world_start();
	world_register();
	EXPECT_EQ(1, gateway_rows(world.gw, &cursor, 1, &row));
	EXPECT_TEXT("none", row.reg_event);
	world_start();
	world.config.mw_reg_event = true;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	cursor = 0;
	EXPECT_EQ(1, gateway_rows(world.gw, &cursor, 1, &row));
	EXPECT_TEXT("waiting", row.reg_event);
	world_wait(2000);
	cursor = 0;
	EXPECT_EQ(1, gateway_rows(world.gw, &cursor, 1, &row));
	EXPECT_TEXT("asking", row.reg_event);
	events_grant(1200);
	cursor = 0;
	EXPECT_EQ(1, gateway_rows(world.gw, &cursor, 1, &row));
	EXPECT_TEXT("active", row.reg_event);
}

TEST_MAIN("reg_event", RUN(subscribe, follows_the_first_200_as_protocol_9_9_has_it),
	  RUN(subscribe, goes_by_the_service_route_where_that_is_configured),
	  RUN(subscribe, is_switched_off_by_its_setting),
	  RUN(subscribe, is_not_said_again_when_the_registration_is_refreshed),
	  RUN(subscribe, is_refreshed_inside_its_dialog_at_half_of_a_short_time),
	  RUN(subscribe, is_refreshed_600_s_before_the_end_of_a_long_time),
	  RUN(subscribe, over_udp_names_no_transport), RUN(subscribe, ends_with_its_binding),
	  RUN(subscribe, under_way_ends_with_its_binding),
	  RUN(subscribe, stays_with_a_registration_that_has_lost_its_connection),
	  RUN(subscribe, is_not_made_where_there_is_no_room),
	  RUN(refusal, that_stays_one_is_the_last_word_and_the_registration_stays),
	  RUN(refusal, that_may_change_is_followed_by_longer_and_longer_waits),
	  RUN(refusal, says_when_it_may_be_asked_again),
	  RUN(refusal, of_a_brief_subscription_makes_it_longer),
	  RUN(refusal, inside_the_dialog_makes_a_new_one),
	  RUN(refusal, by_silence_is_one_that_may_change),
	  RUN(refusal, of_the_link_is_one_that_may_change),
	  RUN(refusal, by_a_busy_hop_sends_it_to_the_next_one),
	  RUN(refusal, of_a_2xx_without_a_contact_is_tried_again), RUN(notify, is_answered_200),
	  RUN(notify, may_come_before_the_answer_to_its_subscribe),
	  RUN(notify, of_no_dialog_of_ours_is_answered_481),
	  RUN(notify, for_no_address_of_ours_is_answered_481),
	  RUN(notify, for_another_worker_is_handed_on_to_it),
	  RUN(notify, that_another_worker_took_in_is_ours),
	  RUN(notify, by_a_route_of_ours_leads_to_no_subscription),
	  RUN(notify, that_comes_again_is_answered_again_and_does_nothing),
	  RUN(notify, that_comes_late_is_answered_500),
	  RUN(notify, of_another_event_is_answered_489),
	  RUN(notify, without_a_state_of_the_subscription_is_answered_400),
	  RUN(notify, of_another_type_is_answered_415),
	  RUN(notify, with_a_document_that_cannot_be_read_is_answered_400),
	  RUN(notify, with_a_document_that_is_too_much_is_answered_413),
	  RUN(notify, with_a_gap_before_it_makes_us_ask_for_all),
	  RUN(notify, that_begins_with_a_part_makes_us_ask_for_all),
	  RUN(notify, with_a_gap_while_we_ask_makes_us_ask_once_more),
	  RUN(notify, of_a_version_that_is_known_says_nothing),
	  RUN(end, of_a_subscription_whose_user_is_registered_makes_a_new_one),
	  RUN(end, says_when_a_new_one_may_be_asked_for),
	  RUN(end, for_good_is_not_followed_by_a_new_one),
	  RUN(end, again_and_again_is_followed_by_longer_and_longer_waits),
	  RUN(end, by_the_setting_comes_with_the_next_refresh),
	  RUN(binding_row, tells_how_far_its_subscription_is),
	  RUN(refusal, by_silence_says_nothing_of_when_it_may_be_asked_again))
