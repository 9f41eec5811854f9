/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "unregistered.h"

/* PROTOCOL 7.1: what users of a wildcard begin, who are not registered. */

/* ---- what goes to the core ------------------------------------------------------------------- */

TEST(request, of_nobody_registered_enters_the_core_where_those_do)
{
	struct endpoint entry = world_endpoint("198.18.0.50:5060");
	const char *mw;

	unregistered_start();
	mw = guest_onward(guest_shows("INVITE", ""));
	EXPECT_EQ(1, lines(mw, "Route"));
	EXPECT_LINE("<sip:198.18.0.50:5060;lr;orig>", mw, "Route");
	for (uint32_t i = 0; i < world.count; i++)
		if (world.sent[i].to == TO_MW)
			EXPECT(endpoint_same_host(&entry, &world.sent[i].target.address));
	EXPECT(begins(line(mw, "P-Charging-Vector"), "icid-value=\""));
	EXPECT(contains(mw, ";orig-ioi=\"home1.net\""));
	EXPECT_NO_LINE(mw, "P-Served-User");
	EXPECT_NO_LINE(mw, "P-Profile-Key");
	EXPECT_EQ(2, lines(mw, "Via"));
	EXPECT_EQ(1, world_count(&world.counters.wildcard_live));
	EXPECT_EQ(1, world_count(&world.counters.wildcard_requests));
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(request, asserts_the_identity_of_its_token_and_never_the_wildcard)
{
	const char *mw;

	unregistered_start();
	mw = guest_onward(guest_shows("MESSAGE",
				      "P-Preferred-Identity: \"W\" <sip:web-77@HOME1.net>" CRLF
				      "P-Asserted-Identity: <sip:web!.*!@home1.net>" CRLF
				      "P-Profile-Key: <sip:web!.*!@home1.net>" CRLF
				      "P-Served-User: <sip:boss@home1.net>" CRLF));
	EXPECT_EQ(1, lines(mw, "P-Asserted-Identity"));
	EXPECT_LINE("<sip:web-77@home1.net>", mw, "P-Asserted-Identity");
	EXPECT_NO_LINE(mw, "P-Preferred-Identity");
	EXPECT(!contains(mw, "!"));
	EXPECT(!contains(mw, "boss"));
}

TEST(request, carries_no_byte_of_its_token_to_the_core)
{
	const char *token, *mw;

	unregistered_start();
	token = keep(good_token());
	mw = guest_onward(guest_asks("MESSAGE", guest_bearer(token)));
	EXPECT(!contains(mw, "Bearer"));
	EXPECT(!contains(mw, "Authorization"));
	EXPECT(!contains(mw, token));
	mw = guest_onward(guest_asks("MESSAGE", format(BEARER(token), token)));
	EXPECT(!contains(mw, "Authorization"));
}

TEST(request, that_makes_a_dialog_records_the_connection_and_no_registration)
{
	const char *mw;

	unregistered_start();
	mw = guest_onward(guest_shows("INVITE", ""));
	EXPECT_EQ(1, lines(mw, "Record-Route"));
	EXPECT(begins(line(mw, "Record-Route"), "<sip:Ft1."));
	EXPECT(!contains(line(mw, "Record-Route"), ";ob"));
	EXPECT_NO_LINE(guest_onward(guest_shows("MESSAGE", "")), "Record-Route");
}

TEST(request, goes_where_the_operator_says_whatever_route_it_asks_for)
{
	const char *mw;

	unregistered_start();
	mw = guest_onward(
		guest_shows("INVITE", "Route: <sip:198.18.0.99;lr;orig>, <sip:x.net;lr>" CRLF));
	EXPECT_EQ(1, lines(mw, "Route"));
	EXPECT_LINE("<sip:198.18.0.50:5060;lr;orig>", mw, "Route");
	EXPECT(!contains(mw, "198.18.0.99"));
}

TEST(request, tells_the_core_more_where_that_wants_it)
{
	const char *mw;

	unregistered_start();
	world.realm[0].orig_served_user = true;
	world.realm[0].orig_profile_key = true;
	world_reload();
	mw = guest_onward(guest_shows("MESSAGE", ""));
	EXPECT_LINE("<sip:web-77@home1.net>;sescase=orig;regstate=unreg", mw, "P-Served-User");
	EXPECT_LINE("<sip:web!%5B%5E%40%5D*!@home1.net>", mw, "P-Profile-Key");
}

TEST(request, whose_home_network_has_no_entry_for_it_is_403)
{
	unregistered_start();
	world.realm[0].icscf_orig = SPAN("");
	world_reload();
	(void)guest_refused(GW_TOKEN_SCENARIO, 403, guest_shows("INVITE", ""));
	EXPECT_EQ(0, world_transactions());
}

TEST(request, that_cannot_be_sent_leaves_nothing_behind)
{
	unregistered_start();
	world.mw_failures = 9;
	(void)guest_refused(GW_MW_DOWN, 504, guest_shows("MESSAGE", ""));
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(0, world.wic[0].transactions);
}

/* ---- its token ------------------------------------------------------------------------------- */

TEST(token, is_asked_for_by_a_407)
{
	const char *answer;

	unregistered_start();
	answer = guest_refused(GW_TOKEN_NONE, 407, guest_asks("INVITE", ""));
	EXPECT(begins(line(answer, "Proxy-Authenticate"), "Bearer realm="));
	EXPECT(!contains(answer, "error="));
	(void)guest_refused(GW_TOKEN_SCHEME, 407,
			    guest_asks("INVITE", "Authorization: Basic eHg=" CRLF));
	guest_none();
}

TEST(token, stands_for_later_requests_of_its_connection_until_it_ends)
{
	unregistered_start();
	(void)guest_onward(guest_shows("MESSAGE", ""));
	core_answers("200 OK", "");
	EXPECT_LINE("<" WEB_77 ">", guest_onward(guest_asks("MESSAGE", "")), "P-Asserted-Identity");
	core_answers("200 OK", "");
	EXPECT_EQ(1, world_count(&world.counters.wildcard_cached));
	world_wait(599 * S);
	(void)guest_onward(guest_asks("MESSAGE", ""));
	world_wait(1 * S); /* no leeway: it is not looked at again */
	(void)guest_refused(GW_TOKEN_NONE, 407, guest_asks("MESSAGE", ""));
	/* and another connection has not shown it */
	world_forget();
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(1, guest_asks("MESSAGE", "")));
}

TEST(token, is_wanted_of_each_request_when_configured_so)
{
	unregistered_start();
	world.config.cache_wildcard_auth = false;
	world_reload();
	(void)guest_onward(guest_shows("MESSAGE", ""));
	(void)guest_refused(GW_TOKEN_NONE, 407, guest_asks("MESSAGE", ""));
	(void)guest_onward(guest_shows("MESSAGE", ""));
	EXPECT(gateway_serves(world.gw, &world.wic[0])); /* it has shown one all the same */
}

TEST(token, that_is_new_takes_the_place_of_the_one_before)
{
	unregistered_start();
	(void)guest_onward(guest_asks("MESSAGE", guest_bearer(guest_token(WEB_77, 100))));
	world_wait(50 * S);
	(void)guest_onward(guest_asks("MESSAGE", guest_bearer(guest_token(WEB_77, 100))));
	world_wait(99 * S);
	(void)guest_onward(guest_asks("MESSAGE", ""));
	world_wait(1 * S);
	(void)guest_refused(GW_TOKEN_NONE, 407, guest_asks("MESSAGE", ""));
}

TEST(token, that_has_ended_or_is_bad_is_refused_as_everywhere)
{
	unregistered_start();
	EXPECT(contains(guest_refused(GW_TOKEN_EXPIRED, 407,
				      guest_asks("INVITE", guest_bearer(guest_token(WEB_77, -31)))),
			"error=\"invalid_token\""));
	world.verdict = GW_TOKEN_SIGNATURE;
	(void)guest_refused(GW_TOKEN_SIGNATURE, 407, guest_shows("INVITE", ""));
	guest_none();
}

TEST(token, within_the_leeway_of_its_end_is_good_for_the_request_it_comes_with)
{
	unregistered_start();
	(void)guest_onward(guest_asks("MESSAGE", guest_bearer(guest_token(WEB_77, -5))));
	(void)guest_refused(GW_TOKEN_NONE, 407, guest_asks("MESSAGE", ""));
}

TEST(token, must_have_a_jti_and_one_public_identity)
{
	static const char *const wrong[] = {
		"\"impu\":\"sip:web-77@home1.net\"",
		"\"jti\":\"j\"",
		"\"jti\":\"j\",\"impu\":[\"sip:web-77@home1.net\",\"sip:web-78@home1.net\"]",
		"\"jti\":\"j\",\"impu\":[]",
		"\"jti\":\"j\",\"impu\":\"web-77\"",
		"\"jti\":\"j\",\"impu\":\"sip:web-77@home1.net\",\"impi\":\"web-77\"",
	};

	unregistered_start();
	for (uint32_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		EXPECT(contains(guest_refused(GW_TOKEN_CLAIM, 407,
					      guest_asks("INVITE", guest_bearer(guest_token_of(
									   wrong[i], 600)))),
				"error=\"invalid_token\""));
	guest_none();
}

TEST(token, may_name_a_private_identity_that_is_for_the_records)
{
	unregistered_start();
	(void)guest_onward(guest_asks(
		"MESSAGE",
		guest_bearer(guest_token_of("\"jti\":\"j\",\"impi\":\"w77@ims.home1.net\","
					    "\"impu\":\"sip:web-77@home1.net\"",
					    600))));
	EXPECT(world.event[world.events - 1].what == EVENT_WILDCARD_USER);
	EXPECT(world.event[world.events - 1].impi_hash != 0);
	/* and the parameter beside it has to be that */
	(void)guest_refused(
		GW_IDENTITY_MISMATCH, 403,
		guest_asks("MESSAGE",
			   format("Authorization: Bearer access_token=\"%s\", "
				  "username=\"w78@ims.home1.net\"" CRLF,
				  guest_token_of("\"jti\":\"k\",\"impi\":\"w77@ims.home1.net\","
						 "\"impu\":\"sip:web-77@home1.net\"",
						 600))));
}

TEST(token, without_the_scope_of_originating_is_refused)
{
	unregistered_start();
	world.issuer[0].scope_originate = SPAN("ims.originate");
	world.issuer[0].scope_register = SPAN("ims.register");
	world_reload();
	EXPECT(contains(guest_refused(GW_TOKEN_SCOPE, 407,
				      guest_asks("INVITE", guest_bearer(guest_token_of(
								   "\"jti\":\"j\",\"scope\":"
								   "\"ims.register\",\"impu\":"
								   "\"sip:web-77@home1.net\"",
								   600)))),
			"scope=\"ims.originate\""));
	(void)guest_onward(
		guest_asks("INVITE",
			   guest_bearer(guest_token_of("\"jti\":\"j\",\"scope\":\"ims.originate\","
						       "\"impu\":\"sip:web-77@home1.net\"",
						       600))));
}

TEST(token, for_another_scenario_is_403)
{
	unregistered_start();
	(void)guest_refused(GW_TOKEN_SCENARIO, 403,
			    guest_asks("INVITE",
				       guest_bearer(
					       guest_token_of("\"jti\":\"j\",\"scn\":\"pool\","
							      "\"impu\":\"sip:web-77@home1.net\"",
							      600))));
	(void)guest_onward(
		guest_asks("INVITE",
			   guest_bearer(guest_token_of("\"jti\":\"j\",\"scn\":\"wildcard\","
						       "\"impu\":\"sip:web-77@home1.net\"",
						       600))));
}

TEST(token, whose_key_is_new_waits_for_it)
{
	unregistered_start();
	world_key_named("old");
	world_fetchable();
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, guest_shows("INVITE", "")));
	EXPECT_EQ(0, count_to(TO_MW));
	EXPECT_EQ(1, gateway_parked(world.gw));
	world_key_named("waf-1");
	world_fetched();
	EXPECT_EQ(1, count_of(TO_MW, "INVITE "));
	EXPECT_EQ(0, gateway_parked(world.gw));
}

/* ---- who it is ------------------------------------------------------------------------------- */

TEST(identity, outside_the_wildcard_is_403)
{
	static const char *const foreign[] = {
		"sip:alice@home1.net", "sip:web-77@home2.net", "sip:xweb-77@home1.net",
		"tel:+15551230001",    "sip:Web-77@home1.net", "sip:web!%5B%5E%40%5D*!@home1.net",
	};

	unregistered_start();
	for (uint32_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		(void)guest_refused(
			GW_IDENTITY_FOREIGN, 403,
			guest_asks_as(keep(format("<%s>", foreign[i])), "INVITE",
				      guest_bearer(guest_token_of(format("\"jti\":\"j%u\",\"impu\":"
									 "\"%s\"",
									 i, foreign[i]),
								  600))));
	guest_none();
}

TEST(identity, with_one_exclamation_mark_is_an_ordinary_one)
{
	unregistered_start();
	EXPECT_LINE("<sip:web!x@home1.net>",
		    guest_onward(
			    guest_asks_as("<sip:web!x@home1.net>", "MESSAGE",
					  guest_bearer(guest_token("sip:web!x@home1.net", 600)))),
		    "P-Asserted-Identity");
}

TEST(identity, that_the_request_names_is_the_tokens)
{
	static const char *const lines_of[] = {
		"P-Preferred-Identity: <sip:web-78@home1.net>" CRLF,
		"P-Preferred-Identity: <sip:web-77@home1.net>, <tel:+15551230001>" CRLF,
		"P-Preferred-Identity: <sip:web-77@home1.net>" CRLF
		"P-Preferred-Identity: <sip:alice@home1.net>" CRLF,
		"P-Preferred-Identity: <>" CRLF,
	};

	unregistered_start();
	(void)guest_refused(GW_IDENTITY_MISMATCH, 403,
			    guest_asks_as("<sip:web-78@home1.net>", "INVITE",
					  guest_bearer(good_token())));
	(void)guest_refused(GW_IDENTITY_MISMATCH, 403,
			    guest_asks_as("<sip:web-77@home2.net>", "INVITE",
					  guest_bearer(good_token())));
	(void)guest_refused(GW_IDENTITY_MISMATCH, 403,
			    guest_asks_as("<urn:x:y>", "INVITE", guest_bearer(good_token())));
	for (uint32_t i = 0; i < sizeof(lines_of) / sizeof(lines_of[0]); i++)
		(void)guest_refused(GW_IDENTITY_MISMATCH, 403, guest_shows("INVITE", lines_of[i]));
	guest_none();
	(void)guest_onward(guest_asks_as("\"Web\" <SIP:web-77@HOME1.NET:5060>", "INVITE",
					 guest_bearer(good_token())));
}

TEST(identity, may_hide_behind_an_anonymous_from_when_it_is_preferred)
{
	static const char anonymous[] = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
	const char *mw;

	unregistered_start();
	(void)guest_refused(GW_IDENTITY_MISMATCH, 403,
			    guest_asks_as(anonymous, "MESSAGE", guest_bearer(good_token())));
	mw = guest_onward(guest_asks_as(anonymous, "MESSAGE",
					keep(format("%sP-Preferred-Identity: <" WEB_77 ">" CRLF,
						    guest_bearer(good_token())))));
	EXPECT_LINE("<" WEB_77 ">", mw, "P-Asserted-Identity");
	EXPECT(begins(line(mw, "From"), anonymous));
}

TEST(identity, in_from_is_not_looked_at_when_configured_so_and_it_is_preferred)
{
	unregistered_start();
	world.config.from_check = false;
	world_reload();
	(void)guest_refused(GW_IDENTITY_MISMATCH, 403,
			    guest_asks_as("<sip:shop@home2.net>", "MESSAGE",
					  guest_bearer(good_token())));
	EXPECT_LINE("<" WEB_77 ">",
		    guest_onward(
			    guest_asks_as("<sip:shop@home2.net>", "MESSAGE",
					  keep(format("%sP-Preferred-Identity: <" WEB_77 ">" CRLF,
						      guest_bearer(good_token()))))),
		    "P-Asserted-Identity");
}

TEST(identity, of_what_comes_without_a_token_is_the_shown_one_as_well)
{
	unregistered_is_known();
	(void)guest_refused(GW_IDENTITY_MISMATCH, 403,
			    guest_asks_as("<sip:web-78@home1.net>", "MESSAGE", ""));
	(void)guest_refused(GW_IDENTITY_MISMATCH, 403,
			    guest_asks("MESSAGE",
				       "P-Preferred-Identity: <sip:web-78@home1.net>" CRLF));
}

TEST(identity, is_another_by_another_token_when_nothing_goes_on)
{
	const char *other;

	unregistered_is_known();
	other = guest_bearer(guest_token("sip:web-78@home1.net", 600));
	EXPECT_LINE("<sip:web-78@home1.net>",
		    guest_onward(guest_asks_as("<sip:web-78@home1.net>", "MESSAGE", other)),
		    "P-Asserted-Identity");
	/* this one is not answered yet */
	EXPECT_EQ(GW_IDENTITY_MISMATCH, wic_sends(0, guest_shows("MESSAGE", "")));
	EXPECT_EQ(403, status_of(last_to(TO_WIC)));
	core_answers("200 OK", "");
	(void)guest_onward(guest_shows("MESSAGE", ""));
	EXPECT_EQ(1, gateway_wildcards(world.gw));
}

TEST(identity, is_not_another_while_a_call_goes_on)
{
	struct call c;

	unregistered_start();
	c = guest_called();
	(void)guest_refused(GW_IDENTITY_MISMATCH, 403,
			    guest_asks_as("<sip:web-78@home1.net>", "MESSAGE",
					  guest_bearer(guest_token("sip:web-78@home1.net", 600))));
	(void)guest_onward(guest_in_call(&c, "BYE", ""));
	core_answers("200 OK", "");
	(void)guest_onward(guest_asks_as("<sip:web-78@home1.net>", "MESSAGE",
					 guest_bearer(guest_token("sip:web-78@home1.net", 600))));
}

/** Its token is good, and it would be somebody else. */
static const char *as_web_78(void)
{
	return guest_asks_as("<sip:web-78@home1.net>", "MESSAGE",
			     guest_bearer(guest_token("sip:web-78@home1.net", 600)));
}

TEST(identity, is_not_another_when_the_end_of_a_call_has_failed)
{
	struct call c;

	unregistered_start();
	c = guest_called();
	(void)guest_onward(guest_in_call(&c, "BYE", ""));
	core_answers("500 CSeq", "");
	(void)guest_refused(GW_IDENTITY_MISMATCH, 403, as_web_78());
}

TEST(identity, is_not_another_once_more_than_a_call_has_begun)
{
	static const char *const methods[] = {"SUBSCRIBE", "REFER", "CONJURE"};
	struct call c;

	for (uint32_t i = 0; i < 3; i++) {
		unregistered_start();
		(void)guest_onward(guest_shows(methods[i], ""));
		core_answers("403 Forbidden", "");
		(void)guest_onward(as_web_78());
		core_answers("200 OK", "");
		(void)guest_onward(guest_shows(methods[i], ""));
		core_answers("202 Accepted", "");
		(void)guest_refused(GW_IDENTITY_MISMATCH, 403, as_web_78());
		(void)guest_onward(guest_shows("MESSAGE", ""));
	}
	unregistered_start();
	c = guest_called(); /* a subscription of a referral outlives its call */
	(void)guest_onward(guest_in_call(&c, "REFER", "Refer-To: <sip:carol@home2.net>" CRLF));
	core_answers("202 Accepted", "");
	(void)guest_onward(guest_in_call(&c, "BYE", ""));
	core_answers("200 OK", "");
	(void)guest_refused(GW_IDENTITY_MISMATCH, 403, as_web_78());
	world_wait(601 * S);
	EXPECT(!gateway_serves(world.gw, &world.wic[0])); /* and keeps no connection */
}

TEST(contact, leads_to_the_connection_and_nowhere_else)
{
	static const char *const bad[] = {"<sip:web@198.18.9.9>", "<tel:+15551230001>", "*",
					  "<sip:web@invalid>", "<sip:web@x.net;transport=tcp>"};
	static const char *const good[] = {"<sip:web@a.INVALID>", "sip:web@b.invalid",
					   "<sip:web@x.net;transport=WS>",
					   "<sip:web@x.net;transport=wss>"};

	unregistered_start();
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		(void)guest_refused(GW_SIP_CONTACT, 400,
				    guest_shows("INVITE",
						keep(format("Contact: %s" CRLF, bad[i]))));
	guest_none();
	for (uint32_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		(void)guest_onward(
			guest_shows("INVITE", keep(format("Contact: %s" CRLF, good[i]))));
}

/* ---- REGISTER -------------------------------------------------------------------------------- */

TEST(registration, is_403_whatever_it_shows)
{
	unregistered_start();
	(void)guest_refused(GW_TOKEN_SCENARIO, 403, register_jssip(NULL, 600));
	(void)guest_refused(GW_TOKEN_SCENARIO, 403, register_jssip(token_alice(600), 600));
	(void)guest_refused(GW_TOKEN_SCENARIO, 403, register_jssip(NULL, 0));
	EXPECT_EQ(0, world_count(&world.counters.token_verified));
	EXPECT_EQ(0, world.jobs);
	guest_none();
}

TEST(registration, of_before_a_reload_may_still_be_ended)
{
	unregistered_start();
	world.wwsf[0].mode = WWSF_INDIVIDUAL;
	world_reload();
	world_register();
	world.wwsf[0].mode = WWSF_WILDCARD;
	world_reload();
	(void)guest_refused(GW_TOKEN_SCENARIO, 403, register_jssip(token_alice(600), 600));
	EXPECT_LINE("0", guest_onward(register_jssip(NULL, 0)), "Expires");
}

/** What the last step of an explanation says of it. */
static enum gw_err explained(const char *impu)
{
	char token[2048];
	struct gateway_explained what = {.wwsf = 0};
	struct row_step rows[GATEWAY_STEPS_MAX];
	uint32_t n;

	snprintf(token, sizeof(token), "%s", guest_token(impu, 600));
	what.token = span_text(token);
	n = gateway_explain(world.gw, &what, GW_OK, rows);
	EXPECT_TEXT("allocation", rows[n - 1].name);
	return rows[n - 1].err;
}

TEST(token, is_explained_to_the_operator_by_the_wildcard)
{
	unregistered_start();
	world.issuer[0].scope_register = SPAN("ims.register"); /* it is not to register */
	world_reload();
	EXPECT_EQ(GW_OK, explained(WEB_77));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, explained("sip:alice@home1.net"));
}

TEST_MAIN("originate_wildcard", RUN(request, of_nobody_registered_enters_the_core_where_those_do),
	  RUN(request, asserts_the_identity_of_its_token_and_never_the_wildcard),
	  RUN(request, carries_no_byte_of_its_token_to_the_core),
	  RUN(request, that_makes_a_dialog_records_the_connection_and_no_registration),
	  RUN(request, goes_where_the_operator_says_whatever_route_it_asks_for),
	  RUN(request, tells_the_core_more_where_that_wants_it),
	  RUN(request, whose_home_network_has_no_entry_for_it_is_403),
	  RUN(request, that_cannot_be_sent_leaves_nothing_behind),
	  RUN(token, is_asked_for_by_a_407),
	  RUN(token, stands_for_later_requests_of_its_connection_until_it_ends),
	  RUN(token, is_wanted_of_each_request_when_configured_so),
	  RUN(token, that_is_new_takes_the_place_of_the_one_before),
	  RUN(token, that_has_ended_or_is_bad_is_refused_as_everywhere),
	  RUN(token, within_the_leeway_of_its_end_is_good_for_the_request_it_comes_with),
	  RUN(token, must_have_a_jti_and_one_public_identity),
	  RUN(token, may_name_a_private_identity_that_is_for_the_records),
	  RUN(token, without_the_scope_of_originating_is_refused),
	  RUN(token, for_another_scenario_is_403), RUN(token, whose_key_is_new_waits_for_it),
	  RUN(identity, outside_the_wildcard_is_403),
	  RUN(identity, with_one_exclamation_mark_is_an_ordinary_one),
	  RUN(identity, that_the_request_names_is_the_tokens),
	  RUN(identity, may_hide_behind_an_anonymous_from_when_it_is_preferred),
	  RUN(identity, in_from_is_not_looked_at_when_configured_so_and_it_is_preferred),
	  RUN(identity, of_what_comes_without_a_token_is_the_shown_one_as_well),
	  RUN(identity, is_another_by_another_token_when_nothing_goes_on),
	  RUN(identity, is_not_another_while_a_call_goes_on),
	  RUN(identity, is_not_another_when_the_end_of_a_call_has_failed),
	  RUN(identity, is_not_another_once_more_than_a_call_has_begun),
	  RUN(contact, leads_to_the_connection_and_nowhere_else),
	  RUN(registration, is_403_whatever_it_shows),
	  RUN(registration, of_before_a_reload_may_still_be_ended),
	  RUN(token, is_explained_to_the_operator_by_the_wildcard))
