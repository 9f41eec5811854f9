/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/wildcard.h"
#include "unregistered.h"

/* PROTOCOL 7.1 and 7.3's last row: users of a wildcard, their calls, and what ends them. */

/* ---- what takes it back ---------------------------------------------------------------------- */

static void ends_with(enum gw_err why)
{
	struct gateway_ended ended = {.why = GW_OK};
	bool more;

	EXPECT(gateway_revoked(world.gw, &ended, &more));
	EXPECT_EQ(why, ended.why);
	EXPECT(handle_equal(world.wic[0].flow, ended.flow));
	EXPECT(!gateway_revoked(world.gw, &ended, &more));
	EXPECT(!more);
	EXPECT_EQ(1, world_count(&world.counters.wildcard_revoked));
	EXPECT(!gateway_serves(world.gw, &world.wic[0]));
	guest_none();
}

TEST(user, whose_token_is_revoked_begins_nothing_and_loses_the_connection)
{
	unregistered_is_known();
	world_revoke("j-web-77");
	(void)guest_refused(GW_TOKEN_JTI, 407, guest_asks("MESSAGE", ""));
	(void)guest_refused(GW_TOKEN_JTI, 407, guest_shows("MESSAGE", ""));
	ends_with(GW_TOKEN_JTI);
}

TEST(user, of_a_disabled_site_begins_nothing_and_loses_the_connection)
{
	unregistered_is_known();
	world_disable("shop");
	(void)guest_refused(GW_TOKEN_WWSF, 403, guest_asks("MESSAGE", ""));
	ends_with(GW_TOKEN_WWSF);
}

TEST(user, whose_issuer_has_dropped_the_key_begins_nothing_and_stays)
{
	struct gateway_ended none;
	bool more;

	unregistered_is_known();
	world.keys.count = 0;
	world.keys.part.generation++;
	world_turn();
	(void)guest_refused(GW_TOKEN_KID, 407, guest_asks("MESSAGE", ""));
	EXPECT(!gateway_revoked(world.gw, &none, &more));
	EXPECT_EQ(1, gateway_wildcards(world.gw));
}

TEST(user, whose_site_has_another_mode_after_a_reload_loses_the_connection)
{
	static struct pair_part other;

	unregistered_is_known();
	world.wwsf[0].mode = WWSF_INDIVIDUAL;
	other = world.pairs;
	other.part.generation++;
	world.view.pairs = &other;
	world_reload();
	(void)guest_refused(GW_NOT_REGISTERED, 403, guest_asks("MESSAGE", ""));
	ends_with(GW_TOKEN_WWSF);
}

TEST(user, whose_identity_has_left_the_wildcard_loses_the_connection)
{
	static struct pattern_part other;

	unregistered_is_known();
	other = *world.view.patterns;
	other.count = 0;
	other.part.generation++;
	world.view.patterns = &other;
	world_reload();
	(void)guest_refused(GW_IDENTITY_FOREIGN, 403, guest_asks("MESSAGE", ""));
	ends_with(GW_IDENTITY_FOREIGN);
}

TEST(user, whose_origin_a_reload_has_taken_away_begins_nothing)
{
	unregistered_is_known();
	world.wic[0].disowned = true;
	world_forget();
	EXPECT(wic_sends(0, guest_asks("MESSAGE", "")) != GW_OK);
	EXPECT_EQ(403, status_of(world_only(TO_WIC)));
}

TEST(user, whose_connection_ends_is_forgotten)
{
	unregistered_is_known();
	EXPECT_EQ(1, gateway_wildcards(world.gw));
	wic_leaves(0);
	EXPECT_EQ(0, gateway_wildcards(world.gw));
	guest_none();
}

TEST(user, is_refused_when_there_is_no_room_for_more)
{
	unregistered_start();
	world.gateway_config.max_bindings = 1;
	gateway_free(world.gw);
	world.gw = gateway_new(&world.gateway_config);
	world_turn();
	(void)guest_onward(guest_shows("MESSAGE", ""));
	world_forget();
	EXPECT_EQ(GW_BINDING_LIMIT,
		  wic_sends(1, guest_asks("MESSAGE", guest_bearer(guest_token(WEB_77, 600)))));
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
}

/* ---- calls ----------------------------------------------------------------------------------- */

TEST(call, goes_on_both_ways_by_the_connection)
{
	struct call c;
	const char *mw, *asked;

	unregistered_start();
	c = guest_called();
	mw = guest_onward(guest_in_call(&c, "INFO", ""));
	EXPECT_EQ(2, lines(mw, "Route") + 1 - (strchr(line(mw, "Route"), ',') == NULL));
	EXPECT(!contains(mw, "orig>"));
	EXPECT_NO_LINE(mw, "P-Asserted-Identity");
	core_answers("200 OK", "");
	world_forget();
	core_sends(bob_asks_guest(&c, "INFO", VECTOR));
	asked = keep(only_of(TO_WIC, "INFO "));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(asked, "200 OK", "", "")));
	/* in the answer it is who it is in the call */
	EXPECT_LINE("<" WEB_77 ">", only_of(TO_SOURCE, "SIP/2.0 200"), "P-Asserted-Identity");
	EXPECT(contains(last_to(TO_SOURCE), "term-ioi=\"home1.net\""));
}

TEST(call, outlives_its_token)
{
	struct call c;

	unregistered_start();
	c = guest_called();
	world_wait(601 * S);
	EXPECT(gateway_serves(world.gw, &world.wic[0]));
	(void)guest_refused(GW_TOKEN_NONE, 407, guest_asks("MESSAGE", ""));
	(void)guest_onward(guest_in_call(&c, "UPDATE", ""));
	core_answers("200 OK", "");
	(void)guest_onward(guest_in_call(&c, "BYE", ""));
	core_answers("200 OK", "");
	EXPECT(!gateway_serves(world.gw, &world.wic[0]));
}

TEST(call, that_the_core_ends_is_over)
{
	struct call c;
	const char *bye;

	unregistered_start();
	c = guest_called();
	world_wait(601 * S);
	EXPECT(gateway_serves(world.gw, &world.wic[0]));
	world_forget();
	core_sends(bob_asks_guest(&c, "BYE", VECTOR));
	bye = keep(only_of(TO_WIC, "BYE "));
	EXPECT(gateway_serves(world.gw, &world.wic[0])); /* it has to answer that */
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(bye, "200 OK", "", "")));
	EXPECT(!gateway_serves(world.gw, &world.wic[0]));
}

/** The user's BYE is answered so: whether the call is forgotten. */
static bool bye_ends(const char *request, const char *status)
{
	(void)guest_onward(request);
	EXPECT(gateway_serves(world.gw, &world.wic[0]));
	core_answers(status, "");
	return !gateway_serves(world.gw, &world.wic[0]);
}

TEST(call, is_over_when_the_other_side_says_so)
{
	static const char *const failed[] = {"500 CSeq", "403 Forbidden", "491 Pending",
					     "503 Later"};
	static const char *const over[] = {"200 OK", "408 Request Timeout", "481 No Call"};
	struct call c;

	unregistered_start();
	for (uint32_t i = 0; i < 3; i++) {
		c = guest_called();
		world_wait(601 * S);
		for (uint32_t j = 0; j < 4; j++)
			EXPECT(!bye_ends(guest_in_call(&c, "BYE", ""), failed[j]));
		EXPECT(bye_ends(guest_in_call(&c, "BYE", ""), over[i]));
	}
}

TEST(call, is_over_when_nobody_answers_its_end)
{
	struct call c;

	unregistered_start();
	c = guest_called();
	world_wait(601 * S);
	(void)guest_onward(guest_in_call(&c, "BYE", ""));
	world_wait(40 * S);
	EXPECT_EQ(408, status_of(last_to(TO_WIC)));
	EXPECT(!gateway_serves(world.gw, &world.wic[0]));
}

/** Somebody else has no such call, and says so. */
TEST(call, is_not_over_for_what_somebody_else_says)
{
	const char *bye, *end;
	struct call c;

	unregistered_start();
	c = guest_called();
	world_wait(601 * S);
	bye = guest_in_call(&c, "BYE", "");
	end = keep(strstr(bye, " SIP/2.0"));
	EXPECT(!bye_ends(format("BYE sip:else@198.18.0.61%s", end), "481 No Call"));
	EXPECT(bye_ends(guest_in_call(&c, "BYE", ""), "200 OK"));
}

TEST(call, is_not_over_because_the_user_refuses_its_end)
{
	struct call c;
	const char *bye;

	unregistered_start();
	c = guest_called();
	world_wait(601 * S);
	world_forget();
	core_sends(bob_asks_guest(&c, "BYE", VECTOR));
	bye = keep(only_of(TO_WIC, "BYE "));
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(bye, "500 CSeq", "", "")));
	EXPECT(gateway_serves(world.gw, &world.wic[0]));
}

TEST(call, of_which_there_are_many_is_not_forgotten)
{
	unregistered_start();
	for (uint32_t i = 0; i <= WILDCARD_DIALOGS_MAX; i++)
		(void)guest_called();
	world_wait(601 * S);
	EXPECT(gateway_serves(world.gw, &world.wic[0]));
}

TEST(connection, is_of_use_while_its_token_lasts_and_no_longer)
{
	unregistered_start();
	EXPECT(!gateway_serves(world.gw, &world.wic[0]));
	(void)guest_onward(guest_shows("MESSAGE", ""));
	core_answers("200 OK", "");
	EXPECT(gateway_serves(world.gw, &world.wic[0]));
	world_wait(600 * S);
	EXPECT(!gateway_serves(world.gw, &world.wic[0]));
}

/* ---- what the core says ---------------------------------------------------------------------- */

TEST(challenge, of_the_core_is_500_and_an_alarm)
{
	static const char *const answers[][2] = {
		{"401 Unauthorized",
		 "WWW-Authenticate: Digest realm=\"home1.net\",nonce=\"n\"" CRLF},
		{"407 Proxy Authentication Required",
		 "Proxy-Authenticate: Digest realm=\"home1.net\",nonce=\"n\"" CRLF},
	};
	static const char *const methods[] = {"INVITE", "MESSAGE"};

	unregistered_start();
	for (uint32_t i = 0; i < 4; i++) {
		(void)guest_onward(guest_shows(methods[i / 2], ""));
		core_answers(answers[i % 2][0], answers[i % 2][1]);
		EXPECT_EQ(500, status_of(last_to(TO_WIC)));
		EXPECT(!contains(last_to(TO_WIC), "Digest"));
		EXPECT(!contains(last_to(TO_WIC), "Authenticate"));
		EXPECT_EQ(i + 1, world_count(&world.counters.tna_challenged));
		EXPECT(world.event[world.events - 1].what == EVENT_TNA_CHALLENGED);
	}
}

TEST(challenge, inside_a_call_is_500_too)
{
	struct call c;

	unregistered_start();
	c = guest_called();
	(void)guest_onward(guest_in_call(&c, "INFO", ""));
	core_answers("407 Proxy Authentication Required",
		     "Proxy-Authenticate: Digest realm=\"x\",nonce=\"n\"" CRLF);
	EXPECT_EQ(500, status_of(last_to(TO_WIC)));
	EXPECT_EQ(1, world_count(&world.counters.tna_challenged));
}

TEST(failure, of_the_core_is_relayed)
{
	static const char *const failures[] = {"403 Forbidden", "404 Not Found",
					       "480 Temporarily Unavailable", "604 Nowhere"};

	unregistered_start();
	for (uint32_t i = 0; i < 4; i++) {
		(void)guest_onward(guest_shows("MESSAGE", ""));
		core_answers(failures[i], "");
		EXPECT_EQ((uint32_t)atoi(failures[i]), status_of(last_to(TO_WIC)));
	}
}

static const char *to_uri(const char *uri, const char *route)
{
	static uint32_t requests;

	requests++;
	return format("MESSAGE %s SIP/2.0" CRLF
		      "Via: SIP/2.0/TCP 198.18.0.20:5060;branch=z9hG4bKt%u" CRLF "%s"
		      "Max-Forwards: 60" CRLF "From: <sip:bob@home2.net>;tag=c9" CRLF
		      "To: <%s>" CRLF "Call-ID: t%u@home2.net" CRLF "CSeq: 4 MESSAGE" CRLF
		      "Content-Length: 0" CRLF CRLF,
		      uri, requests, route, uri, requests);
}

TEST(core, that_calls_an_identity_of_a_wildcard_is_told_that_it_is_absent)
{
	unregistered_is_known();
	world_forget();
	core_sends(to_uri(WEB_77, ""));
	EXPECT_EQ(480, status_of(world_only(TO_SOURCE)));
	EXPECT_LINE("Q.850;cause=20;text=\"Subscriber absent\"", world_only(TO_SOURCE), "Reason");
	world_forget();
	core_sends(to_uri("sip:nobody@home1.net", ""));
	EXPECT_EQ(404, status_of(world_only(TO_SOURCE)));
}

TEST(core, that_calls_by_the_route_of_a_dialog_is_told_the_same)
{
	struct call c;

	unregistered_start();
	c = guest_called();
	world_forget();
	core_sends(to_uri("sip:web@q1.invalid;transport=ws", c.backward));
	EXPECT_EQ(480, status_of(world_only(TO_SOURCE)));
	EXPECT_LINE("Q.850;cause=20;text=\"Subscriber absent\"", world_only(TO_SOURCE), "Reason");
}

/* ---- limits ---------------------------------------------------------------------------------- */

TEST(limits, of_calls_in_setup_hold_from_the_first_request_on)
{
	unregistered_start();
	world.wwsf[0].calls_in_setup = 2;
	world_reload();
	(void)guest_onward(guest_shows("INVITE", ""));
	(void)guest_onward(guest_shows("INVITE", ""));
	(void)guest_refused(GW_RATE, 503, guest_shows("INVITE", ""));
	EXPECT_EQ(1, world_count(&world.counters.rate_calls));
	world_wait(200 * S); /* they have ended by themselves */
	(void)guest_onward(guest_shows("INVITE", ""));
}

TEST(limits, of_requests_are_those_of_a_binding)
{
	unregistered_start();
	world.wwsf[0].requests = (struct rate_limit){1, 2};
	world_reload();
	(void)guest_onward(guest_shows("MESSAGE", ""));
	(void)guest_onward(guest_asks("MESSAGE", ""));
	(void)guest_refused(GW_RATE, 503, guest_asks("MESSAGE", ""));
	EXPECT_EQ(1, world_count(&world.counters.rate_binding));
}

TEST(limits, of_the_site_are_for_who_has_shown_no_token_yet)
{
	unregistered_start();
	world.wwsf[0].registrations = (struct rate_limit){1, 2};
	world_reload();
	(void)guest_onward(guest_shows("MESSAGE", ""));
	(void)guest_onward(guest_asks("MESSAGE", ""));
	(void)guest_onward(guest_asks("MESSAGE", ""));
	world_forget();
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(1, guest_asks("MESSAGE", "")));
	EXPECT_EQ(GW_RATE, wic_sends(1, guest_asks("MESSAGE", "")));
	EXPECT_EQ(1, world_count(&world.counters.rate_wwsf));
}

/* ---- what an operator sees ------------------------------------------------------------------- */

TEST(operator, is_shown_who_it_is)
{
	struct row_binding row;
	uint32_t cursor = 0;

	unregistered_start();
	EXPECT(!gateway_wildcard_row(world.gw, &world.wic[0], &row));
	(void)guest_onward(guest_shows("MESSAGE", ""));
	EXPECT(gateway_wildcard_row(world.gw, &world.wic[0], &row));
	EXPECT_TEXT("shop", row.wwsf);
	EXPECT_EQ(600, row.expires_s);
	EXPECT(row.impu_hash == gateway_identity_hash(world.gw, SPAN(WEB_77)));
	EXPECT(gateway_is(world.gw, &world.wic[0], SPAN(WEB_77)));
	EXPECT(handle_equal(world.wic[0].flow,
			    gateway_wildcard_find(world.gw, SPAN(WEB_77), 10, &cursor)));
	EXPECT(handle_is_none(gateway_wildcard_find(world.gw, SPAN(WEB_77), 10, &cursor)));
	EXPECT_EQ(0, cursor);
	world_wait(600 * S);
	EXPECT(gateway_wildcard_row(world.gw, &world.wic[0], &row));
	EXPECT_EQ(0, row.expires_s);
}

/** The n-th audit line since the start with that kind. */
static const struct message_audit *audited(enum event_kind what)
{
	for (uint32_t i = 0; i < world.events; i++)
		if (world.event[i].what == what && world.audit[i].event.what == what)
			return &world.audit[i];
	fail_msg("no such line");
	return NULL;
}

TEST(operator, has_audit_lines_of_users_and_their_calls)
{
	const struct message_audit *a;

	unregistered_start();
	world.config.audit = AUDIT_CLEAR;
	world_reload();
	(void)guest_called();
	a = audited(EVENT_WILDCARD_USER);
	EXPECT_TEXT("shop", a->event.text);
	EXPECT_EQ(600, a->event.seconds);
	EXPECT_SPAN(WEB_77, span_of(a->text, a->impu_len));
	a = audited(EVENT_CALL_ANSWERED);
	EXPECT_TEXT("shop", a->event.text);
	EXPECT(a->originating);
	EXPECT_SPAN(WEB_77, span_of(a->text, a->impu_len));
}

TEST(operator, is_told_who_asks_for_a_forbidden_destination)
{
	static const struct destination_rules closed = {.any = true, .allows = true};
	static const struct destination_part part = {.site = &closed, .count = 1};
	const struct message_audit *a;

	unregistered_is_known();
	world.config.audit = AUDIT_CLEAR;
	world.view.destinations = &part;
	world_reload();
	(void)guest_refused(GW_DESTINATION, 403, guest_asks("MESSAGE", ""));
	a = audited(EVENT_DESTINATION_REFUSED);
	EXPECT_TEXT("shop", a->event.text);
	EXPECT(a->event.impu_hash == gateway_identity_hash(world.gw, SPAN(WEB_77)));
	EXPECT_EQ(0, a->event.impi_hash); /* its token names none */
	EXPECT_SPAN(WEB_77, span_of(a->text, a->impu_len));
}

/** It has no registration, and is of the web site that its token was for. */
TEST(call, of_a_user_whose_origin_has_another_site_stays_under_the_rules_of_its_own)
{
	static const struct destination_rules rules[] = {{.any = false},
							 {.any = true, .allows = true}};
	static const struct destination_part part = {.site = rules, .count = 2};
	struct wwsf_config shop;
	struct call c;
	const char *request;

	unregistered_start();
	c = guest_called();
	shop = world.wwsf[0];
	world.wwsf[0] = world.wwsf[1];
	world.wwsf[1] = shop;
	world.view.destinations = &part;
	world_reload();
	request = guest_in_call(&c, "REFER", "Refer-To: <tel:+1900>" CRLF);
	(void)guest_refused(GW_DESTINATION, 403, request);
}

TEST(operator, is_told_of_a_user_once_however_often_a_token_is_shown)
{
	uint32_t told = 0;

	unregistered_start();
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, guest_shows("MESSAGE", "")));
	EXPECT_EQ(GW_OK, wic_sends(0, guest_shows("MESSAGE", "")));
	for (uint32_t i = 0; i < world.events; i++)
		told += world.event[i].what == EVENT_WILDCARD_USER;
	EXPECT_EQ(1, told);
}

TEST_MAIN("wildcard", RUN(user, whose_token_is_revoked_begins_nothing_and_loses_the_connection),
	  RUN(user, of_a_disabled_site_begins_nothing_and_loses_the_connection),
	  RUN(user, whose_issuer_has_dropped_the_key_begins_nothing_and_stays),
	  RUN(user, whose_site_has_another_mode_after_a_reload_loses_the_connection),
	  RUN(user, whose_identity_has_left_the_wildcard_loses_the_connection),
	  RUN(user, whose_origin_a_reload_has_taken_away_begins_nothing),
	  RUN(user, whose_connection_ends_is_forgotten),
	  RUN(user, is_refused_when_there_is_no_room_for_more),
	  RUN(call, goes_on_both_ways_by_the_connection), RUN(call, outlives_its_token),
	  RUN(call, that_the_core_ends_is_over), RUN(call, is_over_when_the_other_side_says_so),
	  RUN(call, is_over_when_nobody_answers_its_end),
	  RUN(call, is_not_over_for_what_somebody_else_says),
	  RUN(call, is_not_over_because_the_user_refuses_its_end),
	  RUN(call, of_which_there_are_many_is_not_forgotten),
	  RUN(connection, is_of_use_while_its_token_lasts_and_no_longer),
	  RUN(challenge, of_the_core_is_500_and_an_alarm), RUN(challenge, inside_a_call_is_500_too),
	  RUN(failure, of_the_core_is_relayed),
	  RUN(core, that_calls_an_identity_of_a_wildcard_is_told_that_it_is_absent),
	  RUN(core, that_calls_by_the_route_of_a_dialog_is_told_the_same),
	  RUN(limits, of_calls_in_setup_hold_from_the_first_request_on),
	  RUN(limits, of_requests_are_those_of_a_binding),
	  RUN(limits, of_the_site_are_for_who_has_shown_no_token_yet),
	  RUN(operator, is_shown_who_it_is),
	  RUN(operator, has_audit_lines_of_users_and_their_calls),
	  RUN(operator, is_told_who_asks_for_a_forbidden_destination),
	  RUN(call, of_a_user_whose_origin_has_another_site_stays_under_the_rules_of_its_own),
	  RUN(operator, is_told_of_a_user_once_however_often_a_token_is_shown))
