/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/internal.h"
#include "call.h"

/** Alice's REGISTER is on its way to hop 0. */
static const char *register_sent(void)
{
	const char *text = mw_register(register_jssip(token_alice(3570), 600));

	EXPECT(endpoint_same_host(&world.hop[0].address, &world_sent(0)->target.address));
	return text;
}

/** The n-th thing sent went to that hop. */
static void expect_hop(uint32_t n, uint32_t hop)
{
	EXPECT_EQ(TO_MW, world_sent(n)->to);
	EXPECT(endpoint_same_host(&world.hop[hop].address, &world_sent(n)->target.address));
}

static void hop_lost(uint32_t hop)
{
	struct mw_target target = target_of_hop(&world.hop[hop]);

	gateway_target_lost(world.gw, &target);
}

/** All but the first Via is the same. */
static void expect_moved(const char *first, const char *second)
{
	EXPECT_EQ(lines(first, "Via"), lines(second, "Via"));
	EXPECT(strcmp(line_n(first, "Via", 0), line_n(second, "Via", 0)) != 0);
	EXPECT_LINE(line_n(first, "Via", 1), strstr(second, line_n(second, "Via", 1)) - 7, "Via");
	EXPECT_LINE(line(first, "Path"), second, "Path");
	EXPECT_LINE(line(first, "P-Charging-Vector"), second, "P-Charging-Vector");
	EXPECT_LINE(line(first, "Max-Forwards"), second, "Max-Forwards");
	EXPECT_LINE(line(first, "Authorization"), second, "Authorization");
}

TEST(failover, takes_a_register_of_a_lost_link_to_the_next_hop_that_follows)
{
	const char *first;

	world_start();
	first = register_sent();
	hop_lost(0);
	EXPECT_EQ(2, world.count);
	expect_hop(1, 1);
	expect_moved(first, world_sent(1)->text);
	core_registers(600);
	EXPECT_EQ(200, status_of(world_sent(2)->text));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.mw_failovers));
}

TEST(failover, takes_a_request_with_its_body_along)
{
	world_start();
	world_register();
	world.hop_down[0] = false;
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	core_answers("503 Service Unavailable", ""); /* of the S-CSCF, which is no next hop */
	EXPECT_EQ(2, world.count);
	expect_hop(1, 0);
	EXPECT(strcmp(strstr(world_sent(1)->text, CRLF CRLF), CRLF CRLF "hello") == 0);
	EXPECT_LINE("<sip:orig@198.18.0.30:6060;lr>", world_sent(1)->text, "Route");
}

TEST(failover, answers_504_when_every_next_hop_is_lost)
{
	world_start();
	(void)register_sent();
	hop_lost(0);
	hop_lost(1);
	EXPECT_EQ(3, world.count);
	EXPECT_EQ(504, status_of(world_sent(2)->text));
	EXPECT_EQ(0, world_transactions());
}

TEST(failover, tries_another_next_hop_after_a_503)
{
	world_start();
	(void)register_sent();
	core_answers("503 Service Unavailable", "");
	EXPECT_EQ(2, world.count);
	expect_hop(1, 1);
	core_registers(600);
	EXPECT_EQ(200, status_of(world_sent(2)->text));
}

/* PROTOCOL 9.4, 9.8: who has refused gets its ACK, and the next one an INVITE of its own. */
TEST(failover, of_an_invite_acknowledges_the_503_and_goes_on)
{
	for (enum mw_transport transport = MW_UDP; transport <= MW_TCP; transport++) {
		const char *first, *second, *ack;
		struct call c;

		call_world(transport);
		c = alice_calls("");
		first = c.onward;
		world_forget();
		core_sends(
			answer_of(first, "503 Service Unavailable", "b1", "Retry-After: 5" CRLF));
		ack = only_of(TO_MW, "ACK ");
		second = keep(only_of(TO_MW, "INVITE "));
		EXPECT_EQ(0, count_to(TO_WIC));
		EXPECT_TEXT(line(first, "Via"), line(ack, "Via"));
		EXPECT_EQ(1, lines(ack, "Via"));
		EXPECT_TEXT("<sip:bob@home1.net>;tag=b1", line(ack, "To"));
		EXPECT_TEXT(line(first, "Route"), line(ack, "Route"));
		EXPECT_EQ(6060, endpoint_port(&nth_to(TO_MW, 0)->target.address));
		EXPECT(strcmp(branch_of(first), branch_of(second)) != 0);
		EXPECT_LINE(line(first, "Record-Route"), second, "Record-Route");
		EXPECT_LINE(line(first, "P-Charging-Vector"), second, "P-Charging-Vector");
		EXPECT_TEXT(strstr(first, CRLF CRLF), strstr(second, CRLF CRLF));
		EXPECT(endpoint_same_host(&world.hop[0].address,
					  &nth_to(TO_MW, 1)->target.address));
		world_forget();
		core_sends(answer_of(second, "486 Busy Here", "b2", ""));
		EXPECT_TEXT(line(second, "Via"), line(only_of(TO_MW, "ACK "), "Via"));
		only_of(TO_WIC, "SIP/2.0 486");
		call_wait(70);
		call_nothing_left();
	}
}

TEST(failover, relays_the_503_of_the_last_one_as_500_with_its_retry_after)
{
	world_start();
	(void)register_sent();
	core_answers("503 Service Unavailable", "");
	core_answers("503 Service Unavailable", "Retry-After: 7" CRLF);
	EXPECT_EQ(3, world.count);
	EXPECT_EQ(500, status_of(world_sent(2)->text));
	EXPECT_LINE("7", world_sent(2)->text, "Retry-After");
	EXPECT_EQ(0, world_transactions());
}

TEST(failover, leaves_other_refusals_to_the_wic)
{
	world_start();
	EXPECT_EQ(500, status_of(registered("500 Server Internal Error", "")));
}

TEST(failover, drops_what_the_first_one_says_late)
{
	const char *first;

	world_start();
	first = register_sent();
	hop_lost(0);
	core_sends(format("SIP/2.0 403 Forbidden" CRLF "Via: %s" CRLF "Via: %s" CRLF "From: %s" CRLF
			  "To: %s;tag=l" CRLF "Call-ID: %s" CRLF "CSeq: %s" CRLF
			  "Content-Length: 0" CRLF CRLF,
			  line_n(first, "Via", 0), line_n(first, "Via", 1), line(first, "From"),
			  line(first, "To"), line(first, "Call-ID"), line(first, "CSeq")));
	EXPECT_EQ(2, world.count);
	EXPECT_EQ(1, world_count(&world.counters.mw_unmatched));
	EXPECT_EQ(1, world_transactions());
}

TEST(failover, comes_after_three_seconds_of_silence_over_udp)
{
	world_start_udp();
	(void)register_sent();
	world_wait(2900000);
	for (uint32_t i = 0; i < world.count; i++)
		expect_hop(i, 0);
	world_forget();
	world_wait(200000);
	EXPECT_EQ(1, world.count);
	expect_hop(0, 1);
	EXPECT(contains(line(world_sent(0)->text, "Via"), "SIP/2.0/UDP"));
	world_forget();
	world_wait(600000); /* and is repeated there */
	EXPECT_EQ(1, world.count);
	expect_hop(0, 1);
}

TEST(failover, does_not_come_when_something_was_heard_over_udp)
{
	world_start_udp();
	(void)register_sent();
	core_answers("100 Trying", "");
	world_wait(10000000);
	for (uint32_t i = 0; i < world.count; i++)
		expect_hop(i, 0);
}

TEST(failover, goes_on_with_the_only_next_hop_over_udp_until_the_time_is_over)
{
	world_start_udp();
	world_one_hop();
	(void)register_sent();
	world_wait(31900000);
	for (uint32_t i = 0; i < world.count; i++)
		expect_hop(i, 0);
	EXPECT(world.count > 7);
	world_forget();
	world_wait(200000);
	EXPECT_EQ(504, status_of(world_only(TO_WIC)));
}

TEST(failover, gives_a_request_no_more_time_than_it_had)
{
	world_start();
	(void)register_sent();
	world_wait(30000000);
	hop_lost(0);
	world_forget();
	world_wait(1900000);
	EXPECT_EQ(0, world.count);
	world_wait(200000);
	EXPECT_EQ(504, status_of(world_only(TO_WIC)));
}

TEST(failover, comes_at_once_when_nothing_can_be_sent)
{
	world_start();
	world.mw_failures = 1;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(1, world.count);
	expect_hop(0, 1);
	world.mw_failures = 2;
	EXPECT_EQ(GW_MW_DOWN, wic_sends(1, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(504, status_of(world_sent(1)->text));
	EXPECT_EQ(1, world_transactions());
}

TEST(failover, goes_by_a_hop_that_cannot_be_reached_either)
{
	world_start();
	world.config.next_hop_count = 3;
	world_reload();
	(void)register_sent();
	world.mw_failures = 1;
	hop_lost(0);
	EXPECT_EQ(2, world.count);
	EXPECT(!endpoint_same_host(&world.hop[0].address, &world_sent(1)->target.address));
}

TEST(failover, takes_no_request_out_of_its_dialog)
{
	struct transaction *t;
	uint32_t cursor = 0;
	char *tag;

	world_start();
	(void)register_sent();
	t = slots_next(world.gw->transactions, &cursor);
	tag = strstr((char *)t->kept, "To: <sip:alice@home1.net>" CRLF "From: ");
	memcpy(tag, "To: <sip:a@home1.net>;tag", 25); /* no procedure sends one like it yet */
	core_answers("503 Service Unavailable", "");
	EXPECT_EQ(2, world.count);
	EXPECT_EQ(500, status_of(world_sent(1)->text));
}

TEST(failover, leaves_a_request_that_it_could_not_keep)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with(format("Subject: %01300d" CRLF, 1))));
	core_answers("503 Service Unavailable", "");
	EXPECT_EQ(500, status_of(world_sent(1)->text));
}

TEST_MAIN("gateway_failover",
	  RUN(failover, takes_a_register_of_a_lost_link_to_the_next_hop_that_follows),
	  RUN(failover, takes_a_request_with_its_body_along),
	  RUN(failover, answers_504_when_every_next_hop_is_lost),
	  RUN(failover, tries_another_next_hop_after_a_503),
	  RUN(failover, of_an_invite_acknowledges_the_503_and_goes_on),
	  RUN(failover, relays_the_503_of_the_last_one_as_500_with_its_retry_after),
	  RUN(failover, leaves_other_refusals_to_the_wic),
	  RUN(failover, drops_what_the_first_one_says_late),
	  RUN(failover, comes_after_three_seconds_of_silence_over_udp),
	  RUN(failover, does_not_come_when_something_was_heard_over_udp),
	  RUN(failover, goes_on_with_the_only_next_hop_over_udp_until_the_time_is_over),
	  RUN(failover, gives_a_request_no_more_time_than_it_had),
	  RUN(failover, comes_at_once_when_nothing_can_be_sent),
	  RUN(failover, goes_by_a_hop_that_cannot_be_reached_either),
	  RUN(failover, takes_no_request_out_of_its_dialog),
	  RUN(failover, leaves_a_request_that_it_could_not_keep))
