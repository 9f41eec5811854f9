/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* F29 and PROTOCOL 12.3: how often a WIC may ask, and what it is told. */

#define SECOND 1000000ull

static void expect_limited(enum gw_err err)
{
	const char *answer;

	EXPECT_EQ(GW_RATE, err);
	answer = world_only(TO_WIC);
	EXPECT_EQ(503, status_of(answer));
	EXPECT_LINE("5", answer, "Retry-After");
	EXPECT_NO_LINE(answer, "WWW-Authenticate");
	EXPECT_NO_LINE(answer, "Proxy-Authenticate");
	world_forget();
}

/** A request of WIC 0 that is not limited; whatever became of it is forgotten. */
static void expect_not_limited(const char *request)
{
	EXPECT(wic_sends(0, request) != GW_RATE);
	world_forget();
}

static const char *request_of(const char *method, const char *to_tag)
{
	return format("%s sip:bob@home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK8001" CRLF
		      "Max-Forwards: 70" CRLF "From: <sip:alice@home1.net>;tag=m1" CRLF
		      "To: <sip:bob@home1.net>%s" CRLF "Call-ID: m1@v5e0bm0sd9mg.invalid" CRLF
		      "CSeq: 1 %s" CRLF "Content-Length: 0" CRLF CRLF,
		      method, to_tag, method);
}

/** The core answers what it got last, so that transactions do not pile up. */
static void message_is_answered(void)
{
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	core_answers("200 OK", "");
	world_forget();
}

/* ---- a connection ---------------------------------------------------------------------------- */

TEST(connection, past_its_rate_is_told_503_and_when_to_come_again)
{
	world_start();
	world.config.requests = (struct rate_limit){10, 3};
	for (int i = 0; i < 3; i++)
		expect_not_limited(register_jssip(NULL, 600));
	expect_limited(wic_sends(0, register_jssip(NULL, 600)));
	EXPECT_EQ(1, world_count(&world.counters.rate_connection));
	world_wait(SECOND / 10);
	expect_not_limited(register_jssip(NULL, 600));
}

TEST(connection, past_its_rate_costs_no_look_at_its_token)
{
	world_start();
	world.config.requests = (struct rate_limit){10, 1};
	EXPECT_EQ(GW_TOKEN_MALFORMED, wic_sends(0, register_jssip("x", 600)));
	world_forget();
	expect_limited(wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(0, world.jobs);
	EXPECT_EQ(0, world_transactions());
}

TEST(connection, past_its_rate_leaves_the_others_alone)
{
	world_start();
	world.config.requests = (struct rate_limit){10, 1};
	expect_not_limited(register_jssip(NULL, 600));
	expect_limited(wic_sends(0, register_jssip(NULL, 600)));
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(1, register_jssip(NULL, 600)));
}

TEST(connection, is_limited_for_requests_that_are_malformed_too)
{
	const char *bad = "REGISTER sip:home1.net SIP/2.0" CRLF
			  "Via: SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK8001" CRLF
			  "From: <sip:alice@home1.net>;tag=m1" CRLF "To: <sip:alice@home1.net>" CRLF
			  "Call-ID: m1@v5e0bm0sd9mg.invalid" CRLF "CSeq: 1 REGISTER" CRLF
			  "Content-Length: 99" CRLF CRLF;

	world_start();
	world.config.requests = (struct rate_limit){10, 1};
	EXPECT_EQ(GW_SIP_CONTENT_LENGTH, wic_sends(0, bad));
	world_forget();
	expect_limited(wic_sends(0, bad));
}

TEST(connection, past_its_rate_may_go_on_with_what_it_has_begun)
{
	world_start();
	world.config.requests = (struct rate_limit){10, 1};
	world.config.dialog_requests = (struct rate_limit){100, 50};
	expect_not_limited(message_with(""));
	expect_limited(wic_sends(0, message_with("")));
	for (int i = 0; i < 10; i++) {
		expect_not_limited(request_of("BYE", ";tag=b1"));
		expect_not_limited(request_of("CANCEL", ""));
		expect_not_limited(request_of("ACK", ";tag=b1"));
		expect_not_limited(request_of("INFO", ";tag=b1"));
		expect_not_limited(request_of("INVITE", ";tag=b1"));
	}
}

TEST(connection, has_a_hard_bound_for_that_as_well)
{
	world_start();
	world.config.dialog_requests = (struct rate_limit){10, 2};
	expect_not_limited(request_of("BYE", ";tag=b1"));
	expect_not_limited(request_of("INFO", ";tag=b1"));
	expect_limited(wic_sends(0, request_of("BYE", ";tag=b1")));
	EXPECT_EQ(GW_RATE, wic_sends(0, request_of("ACK", ";tag=b1")));
	EXPECT_EQ(0, world.count); /* an ACK is never answered */
	expect_not_limited(message_with(""));
}

TEST(connection, does_not_hide_a_register_in_a_dialog)
{
	world_start();
	world.config.requests = (struct rate_limit){10, 1};
	expect_not_limited(request_of("REGISTER", ";tag=b1"));
	expect_limited(wic_sends(0, request_of("REGISTER", ";tag=b1")));
}

TEST(connection, does_not_take_a_bye_without_a_dialog_for_its_end)
{
	world_start();
	world.config.requests = (struct rate_limit){10, 1};
	expect_not_limited(request_of("BYE", ""));
	expect_limited(wic_sends(0, request_of("BYE", "")));
	expect_not_limited(request_of("BYE", ";tag=b1"));
}

/* ---- a binding ------------------------------------------------------------------------------- */

TEST(binding, past_the_rate_of_its_web_site_is_told_503)
{
	world_start();
	world.wwsf[0].requests = (struct rate_limit){2, 2};
	world_register();
	message_is_answered();
	message_is_answered();
	expect_limited(wic_sends(0, message_with("")));
	EXPECT_EQ(1, world_count(&world.counters.rate_binding));
	EXPECT_EQ(0, world_count(&world.counters.rate_connection));
	world_wait(SECOND / 2);
	message_is_answered();
}

TEST(binding, is_not_freed_of_its_limit_by_registering_again)
{
	world_start();
	world.wwsf[0].requests = (struct rate_limit){1, 2};
	world_register();
	message_is_answered();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	world_forget();
	expect_limited(wic_sends(0, message_with("")));
	expect_limited(wic_sends(0, register_jssip(token_alice(3570), 600)));
}

TEST(binding, that_has_no_web_site_any_more_is_under_the_limit_of_its_connection_only)
{
	world_start();
	world.wwsf[0].requests = (struct rate_limit){1, 1};
	world_register();
	world.wic[0].disowned = true;
	message_is_answered();
	message_is_answered();
}

TEST(binding, sets_up_so_many_calls_and_no_more)
{
	world_start();
	world.wwsf[0].calls_in_setup = 2;
	world_register();
	world.wic[0].calls = 1;
	expect_not_limited(request_of("INVITE", ""));
	world.wic[0].calls = 2;
	expect_limited(wic_sends(0, request_of("INVITE", "")));
	EXPECT_EQ(1, world_count(&world.counters.rate_calls));
	message_is_answered();				     /* no call */
	expect_not_limited(request_of("INVITE", ";tag=b1")); /* no new one */
}

/* ---- a web site ------------------------------------------------------------------------------ */

TEST(site, past_its_rate_refuses_new_registrations)
{
	world_start();
	world.wwsf[0].registrations = (struct rate_limit){1, 2};
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(0, register_jssip(NULL, 600)));
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(1, register_jssip(NULL, 600)));
	world_forget();
	expect_limited(wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(1, world_count(&world.counters.rate_wwsf));
	world_wait(SECOND);
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(0, register_jssip(NULL, 600)));
}

TEST(site, past_its_rate_looks_at_no_token_in_another_method)
{
	world_start();
	world.wwsf[0].registrations = (struct rate_limit){1, 1};
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(0, register_jssip(NULL, 600)));
	world_forget();
	expect_limited(wic_sends(1, message_with(format("Authorization: Bearer %s" CRLF,
							token_alice(3570)))));
	EXPECT_EQ(0, world.jobs);
	world_wait(SECOND);
	EXPECT_EQ(GW_NOT_REGISTERED, wic_sends(1, message_with("")));
	world_forget();
	expect_limited(wic_sends(0, register_jssip(NULL, 600)));
}

TEST(site, past_its_rate_lets_registered_users_refresh)
{
	world_start();
	world.wwsf[0].registrations = (struct rate_limit){1, 1};
	world_register();
	EXPECT_EQ(GW_RATE, wic_sends(1, register_jssip(token_alice(3570), 600)));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
}

TEST(site, past_its_rate_leaves_other_sites_alone)
{
	world_start();
	world.wwsf[0].registrations = (struct rate_limit){1, 1};
	world.wwsf[1].registrations = (struct rate_limit){1, 1};
	world.wic[1].wwsf = 1;
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(0, register_jssip(NULL, 600)));
	EXPECT_EQ(GW_RATE, wic_sends(0, register_jssip(NULL, 600)));
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(1, register_jssip(NULL, 600)));
}

TEST(site, that_was_taken_away_counts_nobody)
{
	world_start();
	world.wwsf[0].registrations = (struct rate_limit){1, 1};
	world.wic[0].disowned = true;
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(GW_TOKEN_WWSF, wic_sends(0, register_jssip(NULL, 600)));
}

TEST(site, that_has_no_limits_limits_nobody)
{
	world_start();
	for (int i = 0; i < 1000; i++)
		expect_not_limited(register_jssip(NULL, 600));
}

TEST_MAIN("limits", RUN(connection, past_its_rate_is_told_503_and_when_to_come_again),
	  RUN(connection, past_its_rate_costs_no_look_at_its_token),
	  RUN(connection, past_its_rate_leaves_the_others_alone),
	  RUN(connection, is_limited_for_requests_that_are_malformed_too),
	  RUN(connection, past_its_rate_may_go_on_with_what_it_has_begun),
	  RUN(connection, has_a_hard_bound_for_that_as_well),
	  RUN(connection, does_not_hide_a_register_in_a_dialog),
	  RUN(connection, does_not_take_a_bye_without_a_dialog_for_its_end),
	  RUN(binding, past_the_rate_of_its_web_site_is_told_503),
	  RUN(binding, is_not_freed_of_its_limit_by_registering_again),
	  RUN(binding, that_has_no_web_site_any_more_is_under_the_limit_of_its_connection_only),
	  RUN(binding, sets_up_so_many_calls_and_no_more),
	  RUN(site, past_its_rate_refuses_new_registrations),
	  RUN(site, past_its_rate_looks_at_no_token_in_another_method),
	  RUN(site, past_its_rate_lets_registered_users_refresh),
	  RUN(site, past_its_rate_leaves_other_sites_alone),
	  RUN(site, that_was_taken_away_counts_nobody), RUN(site, that_has_no_limits_limits_nobody))
