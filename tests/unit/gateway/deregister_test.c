/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "world.h"

/* De-registration by the gateway: PROTOCOL 6.3, 6.5, 6.6, 12.4 item 3. */

#define S 1000000ull

static const char *farewell(uint32_t n)
{
	for (uint32_t i = 0; i < world.count; i++)
		if (world.sent[i].to == TO_MW &&
		    contains(world.sent[i].text, "\r\nExpires: 0\r\n") && n-- == 0)
			return world.sent[i].text;
	return NULL;
}

static uint32_t farewells(void)
{
	uint32_t n = 0;

	while (farewell(n) != NULL)
		n++;
	return n;
}

/** The token ends in 100 s, the core grants two hours; then it ends. */
static void token_ends(void)
{
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(100), 600000)));
	core_registers(7200);
	EXPECT(contains(world.sent[1].text, "expires=100"));
	world_forget();
	world_wait(100 * S + 2000);
}

TEST(farewell, is_a_register_of_its_own_for_the_contact_and_path_of_the_first)
{
	static char first[SENT_TEXT_MAX];
	const char *text;

	world_start();
	world.wwsf[0].waf_parameter = SPAN("authorization-entity");
	world.wwsf[0].waf_identity = SPAN("waf.shop.example");
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(100), 600000)));
	snprintf(first, sizeof(first), "%s", world_only(TO_MW));
	core_registers(7200);
	world_forget();
	world_wait(100 * S + 2000);
	text = world_only(TO_MW);
	EXPECT_EQ(0, strncmp(text, "REGISTER sip:home1.net SIP/2.0\r\n", 32));
	EXPECT_LINE("<sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>;reg-id=1;"
		    "+sip.instance=\"<urn:uuid:dacc2777-085b-4952-83a1-fd586f2f5565>\"",
		    text, "Contact");
	EXPECT_LINE("0", text, "Expires");
	EXPECT_LINE("1 REGISTER", text, "CSeq");
	EXPECT_LINE("<sip:alice@home1.net>", text, "To");
	EXPECT_LINE(line(first, "Path"), text, "Path");
	EXPECT_LINE(line(first, "Authorization"), text, "Authorization");
	EXPECT(contains(line(text, "Authorization"), "entity=\"waf.shop.example\""));
	EXPECT_LINE(line(first, "P-Visited-Network-ID"), text, "P-Visited-Network-ID");
	EXPECT_LINE("path", text, "Require");
	EXPECT_LINE("path, outbound", text, "Supported");
	EXPECT_EQ(1, lines(text, "Via"));
	EXPECT_EQ(1, lines(text, "P-Charging-Vector"));
	EXPECT(strcmp(line(first, "Call-ID"), line(text, "Call-ID")) != 0);
	EXPECT(strcmp(line(first, "From"), line(text, "From")) != 0);
	EXPECT(strcmp(line(first, "P-Charging-Vector"), line(text, "P-Charging-Vector")) != 0);
}

TEST(farewell, of_a_token_that_ends_comes_after_the_end_here)
{
	world_start();
	token_ends();
	EXPECT_EQ(1, farewells());
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_expired));
	EXPECT_EQ(GW_NOT_REGISTERED, wic_sends(0, message_with("")));
	core_answers("200 OK", "");
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.deregister_ok));
	EXPECT_EQ(EVENT_DEREGISTERED, world.event[world.events - 1].what);
	EXPECT_EQ(200, world.event[world.events - 1].status);
}

TEST(farewell, is_not_said_when_the_core_ends_it_with_us)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	world_wait(700 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(0, gateway_leaving(world.gw));
}

TEST(farewell, lets_nothing_through_while_the_core_is_told)
{
	const char *path;

	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(100), 600000)));
	path = line(world_only(TO_MW), "Path");
	core_registers(7200);
	world_wait(100 * S + 2000);
	world_forget();
	core_sends(core_message(format("%.*s", (int)strcspn(path, ">") - 1, path + 1), ""));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
}

TEST(farewell, without_an_answer_is_said_again_with_longer_waits)
{
	static const uint64_t after_s[] = {33, 67, 103};

	world_start();
	token_ends();
	for (uint32_t i = 0; i < 3; i++) { /* timer F, then 1 s, 2 s, 4 s */
		world_wait(after_s[i] * S - (world.now_us - world.sent[0].at_us) - 10000);
		EXPECT_EQ(1 + i, farewells());
		world_wait(20000);
		EXPECT_EQ(2 + i, farewells());
	}
	EXPECT(strcmp(line(farewell(0), "Call-ID"), line(farewell(1), "Call-ID")) != 0);
}

TEST(farewell, is_given_up_when_the_core_has_ended_it_itself)
{
	world_start();
	token_ends();
	for (uint32_t i = 0; i < 100 && gateway_leaving(world.gw) > 0; i++) {
		world_forget();
		world_wait(100 * S);
	}
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT(world.now_us > 7000 * S && world.now_us < 7400 * S);
	EXPECT_EQ(1, world_count(&world.counters.deregister_failed));
	EXPECT_EQ(0, gateway_homes(world.gw) - 1); /* its flow is open */
	EXPECT_EQ(0, world_transactions());
}

/** Nobody would hear any more that a newer registration has come. */
TEST(farewell, under_way_ends_with_what_the_core_ends_itself)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(100), 600000)));
	core_registers(110);
	world_wait(101 * S);
	EXPECT_EQ(1, farewells());
	EXPECT_EQ(1, world_transactions());
	world_wait(10 * S);
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(0, world_transactions());
}

TEST(farewell, that_may_be_answered_otherwise_later_is_said_again)
{
	static const char *const again[] = {"408 T", "429 T", "480 T", "500 T",
					    "502 T", "503 T", "504 T"};

	for (uint32_t i = 0; i < 7; i++) {
		world_start();
		token_ends();
		core_answers(again[i], "");
		EXPECT_EQ(1, gateway_leaving(world.gw));
		world_wait(S + 2000);
		EXPECT_EQ(2, farewells());
	}
}

TEST(farewell, that_the_core_has_nothing_to_do_for_is_done)
{
	static const char *const done[] = {"403 F", "404 N", "481 N"};

	for (uint32_t i = 0; i < 3; i++) {
		world_start();
		token_ends();
		core_answers(done[i], "");
		EXPECT_EQ(0, gateway_leaving(world.gw));
		EXPECT_EQ(1, world_count(&world.counters.deregister_ok));
	}
}

TEST(farewell, that_the_core_challenges_is_an_alarm_and_no_more)
{
	world_start();
	token_ends();
	core_answers("401 Unauthorized", "");
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.tna_challenged));
	EXPECT_EQ(1, world_count(&world.counters.deregister_failed));
	world_wait(100 * S);
	EXPECT_EQ(1, farewells());
}

TEST(farewell, hears_no_provisional_response)
{
	world_start();
	token_ends();
	core_answers("100 Trying", "");
	EXPECT_EQ(1, gateway_leaving(world.gw));
	core_answers("200 OK", "");
	EXPECT_EQ(0, gateway_leaving(world.gw));
}

TEST(farewell, waits_for_a_next_hop)
{
	world_start();
	world.hop_down[0] = world.hop_down[1] = true;
	world.hop_down[0] = false;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(100), 600000)));
	core_registers(7200);
	world.hop_down[0] = true;
	world_wait(100 * S + 2000);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(0, world_transactions());
	world.hop_down[0] = false;
	world_wait(S);
	EXPECT_EQ(1, farewells());
}

TEST(farewell, that_cannot_be_sent_is_said_later)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(100), 600000)));
	core_registers(7200);
	world.to_mw_err = GW_MW_DOWN;
	world_wait(100 * S + 2000);
	world.to_mw_err = GW_OK;
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(0, world_count(&world.counters.deregister_out));
	world_wait(S);
	EXPECT_EQ(1, farewells());
	EXPECT_EQ(1, world_count(&world.counters.deregister_out));
}

TEST(farewell, whose_target_is_lost_is_said_again)
{
	world_start();
	world_one_hop();
	token_ends();
	gateway_target_lost(world.gw, &world.sent[0].target);
	EXPECT_EQ(0, world_transactions());
	world_wait(S + 2000);
	EXPECT_EQ(2, farewells());
}

TEST(farewell, leaves_half_of_the_transactions_to_others)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(100), 600000)));
	core_registers(7200);
	world_wait(90 * S);
	for (uint32_t i = 0; i < 5; i++)
		EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	world_wait(10 * S + 2000);
	EXPECT_EQ(0, farewells());
	world_wait(60 * S);
	EXPECT(farewells() > 0);
}

TEST(farewell, of_more_than_1300_bytes_goes_over_tcp)
{
	char user[1100];

	memset(user, 'u', sizeof(user) - 1);
	user[sizeof(user) - 1] = 0;
	world_start_udp();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, format("REGISTER sip:home1.net SIP/2.0" CRLF
				      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
				      "From: <sip:alice@home1.net>;tag=a" CRLF
				      "To: <sip:alice@home1.net>" CRLF "Call-ID: c" CRLF
				      "CSeq: 1 REGISTER" CRLF "Contact: <sip:%s@a.invalid>" CRLF
				      "Authorization: Bearer %s" CRLF CRLF,
				      user, token_alice(100))));
	core_answers("200 OK", format("Contact: <sip:%s@a.invalid>;expires=7200" CRLF, user));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_forget();
	world_wait(100 * S + 2000);
	EXPECT_EQ(1, farewells());
	EXPECT_EQ(MW_TCP, world_sent(0)->target.transport);
	EXPECT_EQ(0, strncmp(line(farewell(0), "Via"), "SIP/2.0/TCP", 11));
}

TEST(farewell, is_not_said_to_a_realm_that_is_served_no_more)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(100), 600000)));
	core_registers(7200);
	world.config.realm++;
	world.config.realm_count--;
	world_wait(200 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(0, gateway_leaving(world.gw));
}

TEST(farewell, of_a_revoked_token_is_said_once)
{
	struct gateway_ended ended;
	bool more;

	world_start();
	world_register();
	world_disable("shop");
	EXPECT(gateway_revoked(world.gw, &ended, &more));
	EXPECT_EQ(1, farewells());
	EXPECT(!gateway_revoked(world.gw, &ended, &more));
	world_disable("shop");
	EXPECT(!gateway_revoked(world.gw, &ended, &more));
	EXPECT_EQ(1, farewells());
	EXPECT_EQ(1, world_count(&world.counters.binding_revoked));
}

TEST(farewell, is_stopped_by_the_next_registration_of_its_flow)
{
	world_start();
	world_one_hop();
	token_ends();
	core_answers("503 Later", "");
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	world_wait(5 * S);
	EXPECT_EQ(1, farewells());
	core_registers(600);
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT(!handle_is_none(home_of(&world.wic[0])));
	world_wait(200 * S);
	EXPECT_EQ(1, farewells());
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST_MAIN("gateway_deregister",
	  RUN(farewell, is_a_register_of_its_own_for_the_contact_and_path_of_the_first),
	  RUN(farewell, of_a_token_that_ends_comes_after_the_end_here),
	  RUN(farewell, is_not_said_when_the_core_ends_it_with_us),
	  RUN(farewell, lets_nothing_through_while_the_core_is_told),
	  RUN(farewell, without_an_answer_is_said_again_with_longer_waits),
	  RUN(farewell, is_given_up_when_the_core_has_ended_it_itself),
	  RUN(farewell, under_way_ends_with_what_the_core_ends_itself),
	  RUN(farewell, that_may_be_answered_otherwise_later_is_said_again),
	  RUN(farewell, that_the_core_has_nothing_to_do_for_is_done),
	  RUN(farewell, that_the_core_challenges_is_an_alarm_and_no_more),
	  RUN(farewell, hears_no_provisional_response), RUN(farewell, waits_for_a_next_hop),
	  RUN(farewell, that_cannot_be_sent_is_said_later),
	  RUN(farewell, whose_target_is_lost_is_said_again),
	  RUN(farewell, leaves_half_of_the_transactions_to_others),
	  RUN(farewell, of_more_than_1300_bytes_goes_over_tcp),
	  RUN(farewell, is_not_said_to_a_realm_that_is_served_no_more),
	  RUN(farewell, of_a_revoked_token_is_said_once),
	  RUN(farewell, is_stopped_by_the_next_registration_of_its_flow))
