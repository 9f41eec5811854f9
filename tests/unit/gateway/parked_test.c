/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* Requests that wait for the keys of their token's issuer (PROTOCOL 3.5 step 7, DESIGN 4). */

#define SECOND 1000000ull
#define NEW_HEADER "{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"waf-2\"}"

/** alice's token under a key that only the next set has. */
static const char *rotated(void)
{
	return token_of(NEW_HEADER, payload_of("alice@ims.home1.net", "sip:alice@home1.net", 3570));
}

/** Her REGISTER with it, told apart by its branch. */
static const char *register_branch(const char *token, const char *branch)
{
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK%s" CRLF
		      "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:alice@home1.net>" CRLF
		      "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF "Contact: <sip:x@a.invalid>" CRLF
		      "Authorization: Bearer %s" CRLF CRLF,
		      branch, token);
}

static void start(void)
{
	world_start();
	world_fetchable();
}

/** WIC 0 has a REGISTER parked; the question to control is forgotten. */
static void parked(void)
{
	start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_branch(rotated(), "1")));
	EXPECT_EQ(1, gateway_parked(world.gw));
	world_forget();
}

/** The only answer to a WIC. */
static const char *answered(uint32_t status)
{
	const char *answer = world_only(TO_WIC);

	EXPECT_EQ(status, status_of(answer));
	EXPECT_EQ(0, gateway_parked(world.gw));
	EXPECT_EQ(0, world_count(&world.counters.parked_live));
	EXPECT(handle_is_none(world.wic[0].parked));
	EXPECT_EQ(0, world.jobs);
	EXPECT_EQ(0, world_count(&world.counters.invariant_broken));
	return answer;
}

TEST(parked, asks_control_for_the_keys_once)
{
	const struct message_keys_wanted *wanted;

	start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_branch(rotated(), "1")));
	EXPECT_EQ(GW_OK, wic_sends(1, register_branch(rotated(), "2")));
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(TO_WORKER, world_sent(0)->to);
	EXPECT_EQ(2, world_sent(0)->worker); /* control, behind two workers */
	wanted = (const void *)world_sent(0)->head;
	EXPECT_EQ(MESSAGE_KEYS_WANTED, wanted->head.kind);
	EXPECT_EQ(sizeof(*wanted), wanted->head.len);
	EXPECT_EQ(0, wanted->issuer);
	EXPECT_EQ(2, gateway_parked(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.keys_wanted));
}

TEST(parked, goes_on_when_the_key_has_come)
{
	parked();
	world_key_named("waf-2");
	world_fetched();
	EXPECT(contains(world_only(TO_MW), "REGISTER sip:home1.net"));
	EXPECT(!contains(world_only(TO_MW), "Bearer"));
	EXPECT_EQ(0, gateway_parked(world.gw));
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(200, status_of(world_sent(1)->text));
}

TEST(parked, goes_on_in_the_order_of_arrival)
{
	start();
	EXPECT_EQ(GW_OK, wic_sends(1, register_branch(rotated(), "first")));
	EXPECT_EQ(GW_OK, wic_sends(0, register_branch(rotated(), "second")));
	world_forget();
	world_fetched();
	EXPECT_EQ(2, world.count);
	EXPECT(handle_equal(world.wic[1].flow, world_sent(0)->flow));
	EXPECT(handle_equal(world.wic[0].flow, world_sent(1)->flow));
}

TEST(parked, is_refused_when_the_fetched_set_has_no_such_key)
{
	parked();
	world_fetched();
	EXPECT_LINE("Bearer realm=\"home1.net\",authz_server=\"https://waf.home1.net/login\","
		    "error=\"invalid_token\"",
		    answered(401), "WWW-Authenticate");
}

TEST(parked, is_not_parked_twice)
{
	parked();
	world.key_issuer[0].fetches++; /* and the set may be fetched again at once */
	world.keys.part.generation++;
	world_turn();
	answered(401);
}

TEST(parked, is_refused_when_the_signature_is_bad)
{
	parked();
	world_key_named("waf-2");
	world.verdict = GW_TOKEN_SIGNATURE;
	world_fetched();
	answered(401);
	EXPECT_EQ(0, world_transactions());
}

TEST(parked, is_refused_when_the_verdict_is_lost)
{
	parked();
	world_key_named("waf-2");
	world.hold_verdict = true;
	world_fetched();
	EXPECT_EQ(0, world.count);
	world_wait(2 * SECOND + 2000);
	EXPECT_EQ(1, lines(answered(503), "Retry-After"));
}

TEST(parked, forgets_a_verdict_that_comes_too_late)
{
	struct handle owner;

	parked();
	owner = world.wic[0].parked;
	world_key_named("waf-2");
	world.hold_verdict = true;
	world_fetched();
	world_wait(2 * SECOND + 2000);
	answered(503);
	gateway_parked_verdict(world.gw, owner, GW_OK);
	world_turn();
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(1, world_count(&world.counters.mailbox_stale));
}

TEST(parked, sticks_to_a_verdict_that_was_given_up_in_the_same_turn)
{
	struct gateway_time time;

	parked();
	world_key_named("waf-2");
	world.hold_verdict = true;
	world_fetched();
	world.now_us += 2 * SECOND + 2000;
	time = world_time();
	gateway_turn(world.gw, &time);
	EXPECT_EQ(1, gateway_timers(world.gw, 16));
	gateway_parked_verdict(world.gw, world.wic[0].parked, GW_OK);
	EXPECT_EQ(1, world_count(&world.counters.mailbox_stale));
	world_turn();
	answered(503);
}

TEST(parked, is_refused_after_seven_seconds)
{
	parked();
	world_wait(7 * SECOND - 2000);
	EXPECT_EQ(0, world.count);
	world_wait(4000);
	answered(401);
}

TEST(parked, is_503_after_seven_seconds_when_the_keys_are_too_old_by_then)
{
	parked();
	world.key_issuer[0].missing = true;
	world_wait(7 * SECOND + 2000);
	EXPECT_EQ(1, lines(answered(503), "Retry-After"));
}

TEST(parked, asks_again_after_an_answer_that_never_came)
{
	parked();
	world_wait(7 * SECOND + 2000);
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, register_branch(rotated(), "2")));
	EXPECT_EQ(TO_WORKER, world_sent(0)->to);
}

TEST(parked, waits_also_when_control_cannot_be_told)
{
	start();
	world.to_worker_err = GW_QUEUE_FULL;
	EXPECT_EQ(GW_OK, wic_sends(0, register_branch(rotated(), "1")));
	EXPECT_EQ(1, gateway_parked(world.gw));
	EXPECT_EQ(0, world_count(&world.counters.keys_wanted));
	world.to_worker_err = GW_OK;
	EXPECT_EQ(GW_OK, wic_sends(1, register_branch(rotated(), "2"))); /* the next one asks */
	EXPECT_EQ(TO_WORKER, world_sent(0)->to);
}

TEST(parked, lets_pass_who_asks_while_the_cooldown_holds)
{
	start();
	world.key_issuer[0].refetchable = false;
	EXPECT_EQ(GW_TOKEN_KID, wic_sends(0, register_branch(rotated(), "1")));
	answered(401);
}

TEST(parked, waits_with_the_others_while_the_fetch_is_under_way)
{
	parked();
	world.key_issuer[0].refetchable = false;
	EXPECT_EQ(GW_OK, wic_sends(1, register_branch(rotated(), "2")));
	EXPECT_EQ(2, gateway_parked(world.gw));
	EXPECT_EQ(0, world.count);
}

TEST(parked, has_no_use_for_keys_from_a_file)
{
	world_start();
	EXPECT_EQ(GW_TOKEN_KID, wic_sends(0, register_branch(rotated(), "1")));
	EXPECT_EQ(GW_TOKEN_KID, wic_sends(0, register_branch(rotated(), "1")));
	EXPECT_EQ(0, gateway_parked(world.gw));
}

TEST(parked, is_not_for_a_token_without_kid_or_with_one_too_long)
{
	static char kid[400];

	start();
	memset(kid, 'k', 300);
	EXPECT_EQ(GW_TOKEN_KID,
		  wic_sends(0, register_branch(token_of(format("{\"alg\":\"ES256\",\"kid\":\"%s\"}",
							       kid),
							payload_of("alice@ims.home1.net",
								   "sip:alice@home1.net", 900)),
					       "1")));
	EXPECT_EQ(0, gateway_parked(world.gw));
}

TEST(parked, drops_the_same_request_again)
{
	parked();
	EXPECT_EQ(GW_OK, wic_sends(0, register_branch(rotated(), "1")));
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(1, gateway_parked(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.parked_repeated));
}

TEST(parked, is_not_overtaken_by_another_register_of_the_flow)
{
	parked();
	EXPECT_EQ(GW_REQUEST_PENDING, wic_sends(0, register_branch(token_alice(900), "2")));
	EXPECT_EQ(500, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, lines(world_only(TO_WIC), "Retry-After"));
	EXPECT_EQ(1, gateway_parked(world.gw));
}

TEST(parked, does_not_hold_up_other_requests_of_its_flow)
{
	world_start();
	world_register();
	world_fetchable();
	EXPECT_EQ(GW_OK, wic_sends(0, register_branch(rotated(), "1")));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	EXPECT_EQ(TO_MW, world_sent(0)->to);
	EXPECT_EQ(1, gateway_parked(world.gw));
}

TEST(parked, does_not_hold_up_other_flows)
{
	parked();
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_alice(900), 600)));
	EXPECT(contains(world_only(TO_MW), "REGISTER"));
}

TEST(parked, is_one_request_a_flow)
{
	start();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, message_with(format("Authorization: Bearer %s" CRLF, rotated()))));
	world_forget();
	EXPECT_EQ(GW_REQUEST_PENDING, wic_sends(0, register_branch(rotated(), "2")));
	EXPECT_EQ(500, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, gateway_parked(world.gw));
}

TEST(parked, request_that_is_no_register_gets_its_own_answer)
{
	start();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, message_with(format("Authorization: Bearer %s" CRLF, rotated()))));
	world_forget();
	world_fetched();
	EXPECT_EQ(1, lines(answered(407), "Proxy-Authenticate"));
}

TEST(parked, request_that_is_no_register_needs_a_mode_that_allows_it)
{
	start();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, message_with(format("Authorization: Bearer %s" CRLF, rotated()))));
	world_forget();
	world_key_named("waf-2");
	world_fetched();
	answered(403);
}

TEST(parked, ends_with_its_flow)
{
	parked();
	gateway_flow_ended(world.gw, &world.wic[0]);
	EXPECT_EQ(0, gateway_parked(world.gw));
	world_fetched();
	world_wait(8 * SECOND);
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(0, world_count(&world.counters.parked_live));
}

TEST(parked, ends_with_its_flow_while_its_signature_is_checked)
{
	struct handle owner;

	parked();
	owner = world.wic[0].parked;
	world_key_named("waf-2");
	world.hold_verdict = true;
	world_fetched();
	gateway_flow_ended(world.gw, &world.wic[0]);
	EXPECT_EQ(0, gateway_parked(world.gw));
	gateway_parked_verdict(world.gw, owner, GW_OK);
	world_turn();
	EXPECT_EQ(0, world.count);
}

TEST(parked, goes_on_when_a_reload_renumbers_the_issuers)
{
	parked();
	world.config.part.generation++;
	world_key_named("waf-2");
	world_turn();
	EXPECT_EQ(TO_MW, world_sent(0)->to);
}

/** Tokens of the other issuer, whose key nobody knows either. */
static const char *rotated_elsewhere(void)
{
	return token_of(NEW_HEADER, format("{\"iss\":\"https://other.example\",\"exp\":%lld}",
					   (long long)world.wall_s + 900));
}

TEST(parked, waits_on_after_a_reload_until_its_old_deadline)
{
	const struct message_keys_wanted *wanted;

	parked();
	world_wait(5 * SECOND);
	world.config.part.generation++;
	world.keys.part.generation++;
	world_turn();
	EXPECT_EQ(1, gateway_parked(world.gw));
	wanted = (const void *)world_sent(0)->head; /* control forgot what was asked before */
	EXPECT_EQ(world.config.part.generation, wanted->config_generation);
	world_forget();
	world_wait(2 * SECOND - 2000);
	EXPECT_EQ(0, world.count);
	world_wait(4000);
	answered(401);
}

TEST(parked, is_refused_when_a_reload_takes_its_issuer_away)
{
	parked();
	world.issuer[0].iss = SPAN("https://new.example");
	world.config.part.generation++;
	world_turn();
	answered(401);
}

TEST(parked, is_503_when_others_took_its_place_before_it_looked_at_a_reload)
{
	struct gateway_time time;

	start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_branch(rotated(), "1")));
	EXPECT_EQ(GW_OK, wic_sends(1, register_branch(rotated(), "2")));
	world.config.part.generation++;
	time = world_time();
	gateway_turn(world.gw, &time);
	EXPECT_EQ(GW_OK, wic_sends(2, register_branch(rotated(), "3")));
	world_forget();
	world_turn();
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
	EXPECT(handle_equal(world.wic[1].flow, world_sent(0)->flow));
	EXPECT_EQ(2, gateway_parked(world.gw));
}

/** A key of the other issuer too, so that its tokens are of a key that is not known. */
static void both_issuers(void)
{
	static struct key_row rows[2];

	start();
	rows[0] = rows[1] = world.keys.row[0];
	rows[1].issuer = 1;
	world.keys.row = rows;
	world.keys.count = 2;
}

TEST(parked, is_bounded_for_each_issuer)
{
	const char *answer;

	both_issuers();
	EXPECT_EQ(GW_OK, wic_sends(0, register_branch(rotated(), "1")));
	EXPECT_EQ(GW_OK, wic_sends(1, register_branch(rotated(), "2")));
	world_forget();
	EXPECT_EQ(GW_PARKED_LIMIT, wic_sends(2, register_branch(rotated(), "3")));
	answer = world_only(TO_WIC);
	EXPECT_EQ(503, status_of(answer));
	EXPECT_EQ(1, lines(answer, "Retry-After"));
	EXPECT_EQ(GW_OK, wic_sends(2, register_branch(rotated_elsewhere(), "4")));
	EXPECT_EQ(3, gateway_parked(world.gw));
}

/** A request of so many bytes. */
static const char *long_register(uint32_t len)
{
	static char padding[16384];

	memset(padding, 'x', len);
	padding[len] = 0;
	return register_branch(rotated(), format("l" CRLF "X-Long: %s", padding));
}

TEST(parked, keeps_few_long_requests)
{
	start(); /* four records: one of them long */
	EXPECT_EQ(GW_OK, wic_sends(0, long_register(5000)));
	EXPECT_EQ(GW_PARKED_LIMIT, wic_sends(1, long_register(5000)));
	EXPECT_EQ(GW_OK, wic_sends(1, register_branch(rotated(), "2")));
	world_forget();
	world_key_named("waf-2");
	world_fetched();
	EXPECT_EQ(2, world.count);
	EXPECT(strlen(world_sent(0)->text) > 5000);
	EXPECT_EQ(GW_TOKEN_KID, wic_sends(2, register_branch(token_alice(900), "3")));
	EXPECT_EQ(0, gateway_parked(world.gw));
	EXPECT_EQ(0, world_count(&world.counters.invariant_broken));
}

TEST(parked, keeps_few_long_requests_of_all_issuers_together)
{
	static char padding[5001];

	memset(padding, 'x', sizeof(padding) - 1);
	both_issuers();
	EXPECT_EQ(GW_OK, wic_sends(0, long_register(5000)));
	EXPECT_EQ(GW_PARKED_LIMIT,
		  wic_sends(1, register_branch(rotated_elsewhere(),
					       format("l" CRLF "X-Long: %s", padding))));
	EXPECT_EQ(1, gateway_parked(world.gw));
	EXPECT_EQ(GW_OK, wic_sends(1, register_branch(rotated_elsewhere(), "2")));
	EXPECT_EQ(0, world_count(&world.counters.invariant_broken));
}

TEST(parked, ends_with_the_pool_whatever_each_issuer_may_have)
{
	both_issuers();
	gateway_free(world.gw);
	world.gateway_config.max_parked = 1;
	world.gw = gateway_new(&world.gateway_config);
	assert_non_null(world.gw);
	world_turn();
	EXPECT_EQ(GW_OK, wic_sends(0, register_branch(rotated(), "1")));
	EXPECT_EQ(GW_PARKED_LIMIT, wic_sends(1, register_branch(rotated_elsewhere(), "2")));
	EXPECT_EQ(1, gateway_parked(world.gw));
}

TEST(parked, is_503_when_no_job_is_free)
{
	parked();
	world_key_named("waf-2");
	world.no_job = true;
	world_fetched();
	EXPECT_EQ(1, lines(answered(503), "Retry-After"));
}

TEST(parked, keeps_its_long_place_over_a_reload)
{
	start();
	EXPECT_EQ(GW_OK, wic_sends(0, long_register(5000)));
	world.config.part.generation++;
	world_turn();
	EXPECT_EQ(1, gateway_parked(world.gw));
	EXPECT_EQ(GW_PARKED_LIMIT, wic_sends(1, long_register(5000)));
	gateway_flow_ended(world.gw, &world.wic[0]);
	EXPECT_EQ(GW_OK, wic_sends(1, long_register(5000)));
}

TEST(parked, gives_a_long_record_back_when_it_ends)
{
	start();
	for (uint32_t i = 0; i < 3; i++) {
		EXPECT_EQ(GW_OK, wic_sends(0, long_register(5000 + i)));
		gateway_flow_ended(world.gw, &world.wic[0]);
	}
	EXPECT_EQ(0, gateway_parked(world.gw));
}

TEST_MAIN("gateway_parked", RUN(parked, asks_control_for_the_keys_once),
	  RUN(parked, goes_on_when_the_key_has_come), RUN(parked, goes_on_in_the_order_of_arrival),
	  RUN(parked, is_refused_when_the_fetched_set_has_no_such_key),
	  RUN(parked, is_not_parked_twice), RUN(parked, is_refused_when_the_signature_is_bad),
	  RUN(parked, is_refused_when_the_verdict_is_lost),
	  RUN(parked, forgets_a_verdict_that_comes_too_late),
	  RUN(parked, sticks_to_a_verdict_that_was_given_up_in_the_same_turn),
	  RUN(parked, is_refused_after_seven_seconds),
	  RUN(parked, is_503_after_seven_seconds_when_the_keys_are_too_old_by_then),
	  RUN(parked, asks_again_after_an_answer_that_never_came),
	  RUN(parked, waits_also_when_control_cannot_be_told),
	  RUN(parked, lets_pass_who_asks_while_the_cooldown_holds),
	  RUN(parked, waits_with_the_others_while_the_fetch_is_under_way),
	  RUN(parked, has_no_use_for_keys_from_a_file),
	  RUN(parked, is_not_for_a_token_without_kid_or_with_one_too_long),
	  RUN(parked, drops_the_same_request_again),
	  RUN(parked, is_not_overtaken_by_another_register_of_the_flow),
	  RUN(parked, does_not_hold_up_other_requests_of_its_flow),
	  RUN(parked, does_not_hold_up_other_flows), RUN(parked, is_one_request_a_flow),
	  RUN(parked, request_that_is_no_register_gets_its_own_answer),
	  RUN(parked, request_that_is_no_register_needs_a_mode_that_allows_it),
	  RUN(parked, ends_with_its_flow),
	  RUN(parked, ends_with_its_flow_while_its_signature_is_checked),
	  RUN(parked, goes_on_when_a_reload_renumbers_the_issuers),
	  RUN(parked, is_bounded_for_each_issuer), RUN(parked, keeps_few_long_requests),
	  RUN(parked, keeps_few_long_requests_of_all_issuers_together),
	  RUN(parked, ends_with_the_pool_whatever_each_issuer_may_have),
	  RUN(parked, is_503_when_no_job_is_free),
	  RUN(parked, waits_on_after_a_reload_until_its_old_deadline),
	  RUN(parked, is_refused_when_a_reload_takes_its_issuer_away),
	  RUN(parked, is_503_when_others_took_its_place_before_it_looked_at_a_reload),
	  RUN(parked, keeps_its_long_place_over_a_reload),
	  RUN(parked, gives_a_long_record_back_when_it_ends))
