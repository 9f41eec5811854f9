/* SPDX-License-Identifier: BSD-3-Clause */
#include "block.h"
#include "events.h"

/* One registration for all identities of a block: PROTOCOL 8.1, 8.4. */

#define S 1000000ull

static uint64_t retry_at_us(void)
{
	uint64_t from = world.now_us;

	world_forget();
	while (world.count == 0 && world.now_us < from + 4000 * S)
		world_wait(S / 10);
	EXPECT(world.count > 0);
	return world.now_us - from;
}

TEST(block, is_registered_by_its_home_worker_as_one)
{
	const char *text;

	block_start();
	world_wait(2000);
	text = world_only(TO_MW);
	EXPECT_EQ(0, strncmp(text, "REGISTER sip:home1.net SIP/2.0\r\nVia: SIP/2.0/TCP ", 49));
	EXPECT_LINE("<sip:block-shop@home1.net>", text, "To");
	EXPECT_EQ(0, strncmp(line(text, "From"), "<sip:block-shop@home1.net>;tag=", 31));
	EXPECT_LINE("<sip:block-shop@192.0.2.10:5060;transport=tcp>;expires=600000", text,
		    "Contact");
	EXPECT_LINE("600000", text, "Expires");
	EXPECT_LINE("<sip:192.0.2.10:5060;transport=tcp;lr>", text, "Path");
	EXPECT_LINE("path", text, "Require");
	EXPECT_LINE("path", text, "Supported");
	EXPECT_LINE("Digest username=\"block-shop@ims.home1.net\",realm=\"home1.net\",nonce=\"\","
		    "uri=\"sip:home1.net\",response=\"\",integrity-protected=\"auth-done\"",
		    text, "Authorization");
	EXPECT_LINE("\"home1.net\"", text, "P-Visited-Network-ID");
	EXPECT(contains(line(text, "P-Charging-Vector"), "orig-ioi=\"home1.net\""));
	EXPECT_LINE("1 REGISTER", text, "CSeq");
	EXPECT_EQ(1, lines(text, "Via"));
	EXPECT_EQ(1, world_count(&world.counters.block_out));
}

TEST(block, of_another_home_worker_is_not_registered_here)
{
	block_start_at(1);
	world_wait(10 * S);
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(1, gateway_blocks(world.gw));
	EXPECT(!block_row().home);
}

TEST(block, that_the_core_holds_is_told_to_the_other_workers_with_its_service_route)
{
	const struct message_block *m;

	block_start();
	block_registers(7200);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
	EXPECT_EQ(7200, block_row().seconds);
	EXPECT_EQ(1, world_count(&world.counters.block_up));
	EXPECT_EQ(EVENT_BLOCK_UP, world.event[0].what);
	EXPECT_TEXT("shop", world.event[0].text);
	m = block_word(0);
	EXPECT_TEXT("shop", m->name);
	EXPECT(m->up);
	EXPECT_EQ(world.now_us + 7200 * S, m->until_us);
	EXPECT_TEXT("<sip:orig@198.18.0.30:6060;lr>", block_word_routes(0));
}

TEST(block, is_known_on_another_worker_by_what_its_home_says)
{
	struct message_block m;

	block_start_at(1);
	m = block_says(true);
	gateway_block(world.gw, &m, SPAN("<sip:orig@198.18.0.30:6060;lr>"));
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
	m.up = false;
	m.status = 403;
	gateway_block(world.gw, &m, SPAN(""));
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
	EXPECT_EQ(403, block_row().status);
	EXPECT_EQ(1, gateway_blocks(world.gw));
}

TEST(block, ends_on_another_worker_with_its_time_though_nothing_is_said)
{
	(void)block_up_elsewhere();
	world_wait(99 * S);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
	world_wait(2 * S);
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
}

TEST(block, that_is_heard_of_before_it_is_configured_counts_when_it_is)
{
	struct message_block m;

	block_start_at(1);
	m = block_says(true);
	world.wwsf[0].mode = WWSF_INDIVIDUAL;
	world_reload();
	EXPECT_EQ(0, gateway_blocks(world.gw));
	gateway_block(world.gw, &m, SPAN(""));
	EXPECT_EQ(1, gateway_blocks(world.gw));
	world.wwsf[0].mode = WWSF_BLOCK;
	world_reload();
	EXPECT_EQ(1, gateway_blocks(world.gw));
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
}

TEST(block, that_goes_is_forgotten_where_nobody_has_it_configured)
{
	struct message_block m;

	block_start_at(1);
	m = block_says(true);
	world.wwsf[0].mode = WWSF_INDIVIDUAL;
	world_reload();
	gateway_block(world.gw, &m, SPAN(""));
	m.up = false;
	gateway_block(world.gw, &m, SPAN(""));
	EXPECT_EQ(0, gateway_blocks(world.gw));
	gateway_block(world.gw, &m, SPAN(""));
	EXPECT_EQ(0, gateway_blocks(world.gw));
}

TEST(block, is_told_of_again_while_a_ring_is_full)
{
	block_start();
	world_wait(2000);
	world.to_worker_err = GW_QUEUE_FULL;
	block_registers(7200);
	EXPECT_EQ(0, block_words());
	world_wait(20000);
	EXPECT_EQ(0, block_words());
	world.to_worker_err = GW_OK;
	world_wait(20000);
	EXPECT_EQ(1, block_words());
	world_wait(20000);
	EXPECT_EQ(1, block_words());
}

TEST(block, is_told_of_again_with_each_view_for_who_has_seen_one_without_it)
{
	block_start();
	block_registers(7200);
	world_forget();
	world_reload();
	EXPECT_EQ(1, block_words());
	EXPECT(block_word(0)->up);
}

TEST(block, is_refreshed_ten_minutes_before_its_end)
{
	static char first[SENT_TEXT_MAX];
	const char *text;

	block_start();
	world_wait(2000);
	strcpy(first, world_only(TO_MW));
	block_registers(7200);
	world_forget();
	world_wait(6599 * S);
	EXPECT_EQ(0, world.count);
	world_wait(2 * S);
	text = world_only(TO_MW);
	EXPECT_LINE("2 REGISTER", text, "CSeq");
	EXPECT_LINE(line(first, "Call-ID"), text, "Call-ID");
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
}

TEST(block, that_is_granted_twenty_minutes_or_less_is_refreshed_at_half)
{
	block_start();
	block_registers(1200);
	world_forget();
	world_wait(599 * S);
	EXPECT_EQ(0, world.count);
	world_wait(2 * S);
	EXPECT_LINE("2 REGISTER", world_only(TO_MW), "CSeq");
}

TEST(block, that_is_refused_is_down_and_tried_again_after_longer_and_longer_waits)
{
	uint64_t us;

	block_start();
	world_wait(2000);
	core_answers("403 Forbidden", "");
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
	EXPECT_EQ(403, block_row().status);
	EXPECT_EQ(EVENT_BLOCK_FAILED, world.event[0].what);
	EXPECT_EQ(403, world.event[0].status);
	us = retry_at_us(); /* base 30 s: 60 s, of that a half at least */
	EXPECT(us >= 30 * S && us <= 61 * S);
	core_answers("403 Forbidden", "");
	us = retry_at_us();
	EXPECT(us >= 60 * S && us <= 121 * S);
	for (uint32_t i = 0; i < 30; i++) {
		core_answers("403 Forbidden", "");
		us = retry_at_us();
		EXPECT(us <= 1801 * S);
	}
	EXPECT(us >= 900 * S);
	block_registers(7200);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
	EXPECT_EQ(0, block_row().status);
}

TEST(block, whose_refresh_is_not_answered_is_up_until_its_end)
{
	block_start();
	block_registers(100);
	world_wait(50 * S + 2000); /* REGISTER, and then 32 s */
	world_forget();
	world_wait(33 * S);
	EXPECT_EQ(EVENT_BLOCK_FAILED, world.event[0].what);
	EXPECT_EQ(408, world.event[0].status);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
	world_forget();
	world_wait(17 * S);
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
	EXPECT_EQ(EVENT_BLOCK_DOWN, world.event[0].what);
	EXPECT_EQ(0, world_count(&world.counters.block_up));
	EXPECT(!block_word(block_words() - 1)->up);
}

TEST(block, whose_refresh_is_refused_is_down_at_once)
{
	block_start();
	block_registers(100);
	world_wait(50 * S + 2000);
	core_answers("404 Not Found", "");
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
	EXPECT(!block_word(block_words() - 1)->up);
}

TEST(block, that_is_challenged_is_an_alarm)
{
	block_start();
	world_wait(2000);
	core_answers("401 Unauthorized",
		     "WWW-Authenticate: Digest realm=\"home1.net\",nonce=\"x\"" CRLF);
	EXPECT_EQ(1, world_count(&world.counters.tna_challenged));
	EXPECT_EQ(EVENT_TNA_CHALLENGED, world.event[0].what);
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
}

TEST(block, that_is_asked_for_too_briefly_is_asked_for_longer_at_once)
{
	block_start();
	world.config.block_expires_s = 600;
	world_wait(2000);
	EXPECT_LINE("600", world_only(TO_MW), "Expires");
	core_answers("423 Interval Too Brief", "Min-Expires: 3600" CRLF);
	EXPECT_LINE("3600", world_sent(1)->text, "Expires");
	EXPECT_LINE("2 REGISTER", world_sent(1)->text, "CSeq");
	core_answers("423 Interval Too Brief", "Min-Expires: 3600" CRLF); /* it says so again */
	EXPECT_EQ(2, world.count);
	EXPECT_EQ(423, block_row().status);
}

TEST(block, that_is_asked_for_longer_each_time_waits)
{
	block_start();
	world.config.block_expires_s = 600;
	world_wait(2000);
	core_answers("423 Interval Too Brief", "Min-Expires: 3600" CRLF);
	core_answers("423 Interval Too Brief", "Min-Expires: 3601" CRLF);
	EXPECT_EQ(2, world.count);
	EXPECT_EQ(423, block_row().status);
	world_forget();
	world_wait(61 * S); /* the back-off */
	EXPECT_LINE("3601", world_only(TO_MW), "Expires");
	core_answers("423 Interval Too Brief", "Min-Expires: 3602" CRLF);
	EXPECT_LINE("3602", world_sent(1)->text, "Expires");
	block_registers(7200);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
}

TEST(block, that_is_granted_nothing_has_failed)
{
	block_start();
	block_registers(0);
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
	EXPECT_EQ(200, block_row().status);
	EXPECT_EQ(1, world_count(&world.counters.block_failed));
}

TEST(block, with_a_service_route_that_there_is_no_room_for_has_failed)
{
	static char route[1200];

	block_start();
	world_wait(2000);
	memset(route, 'x', sizeof(route) - 1);
	core_answers("200 OK", format("Contact: <sip:block-shop@192.0.2.10:5060;transport=tcp>;"
				      "expires=600" CRLF "Service-Route: <sip:%s@home1.net>" CRLF,
				      route));
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
}

TEST(block, goes_by_the_next_next_hop_when_one_is_down)
{
	block_start();
	world.mw_failures = 1;
	world_wait(2000);
	EXPECT_EQ(1, world.count);
	EXPECT(endpoint_same_host(&world.hop[1].address, &world_sent(0)->target.address));
	block_registers(7200);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
}

TEST(block, is_tried_again_later_when_no_next_hop_is_there)
{
	block_start();
	world.hop_down[0] = world.hop_down[1] = true;
	world_wait(2000);
	EXPECT_EQ(0, world_count(&world.counters.block_out));
	EXPECT_EQ(503, block_row().status);
	world_forget();
	world.hop_down[0] = false;
	world_wait(61 * S);
	EXPECT(world.count > 0);
	block_registers(7200);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
}

TEST(block, that_a_reload_takes_away_is_deregistered)
{
	const char *text;

	block_start();
	block_registers(7200);
	world_forget();
	world.wwsf[0].mode = WWSF_INDIVIDUAL;
	world_reload();
	EXPECT(!block_word(0)->up);
	world_forget();
	world_wait(2000);
	text = world_only(TO_MW);
	EXPECT_LINE("0", text, "Expires");
	EXPECT_LINE("2 REGISTER", text, "CSeq");
	EXPECT_LINE("<sip:block-shop@192.0.2.10:5060;transport=tcp>;expires=0", text, "Contact");
	EXPECT_EQ(ROW_BLOCK_LEAVING, block_row().state);
	core_answers("200 OK", "");
	EXPECT_EQ(0, gateway_blocks(world.gw));
	EXPECT_EQ(0, world_transactions());
}

TEST(block, is_deregistered_again_while_the_core_does_not_answer)
{
	block_start();
	block_registers(200);
	world.wwsf[0].mode = WWSF_INDIVIDUAL;
	world_reload();
	world_wait(2000);
	core_answers("500 Server Internal Error", "");
	world_forget();
	world_wait(2 * S);
	EXPECT_LINE("3 REGISTER", world_only(TO_MW), "CSeq");
	world_wait(200 * S); /* to its end at the core, and no further */
	EXPECT_EQ(0, gateway_blocks(world.gw));
	EXPECT_EQ(0, world_transactions());
}

TEST(block, that_the_core_has_lost_has_left)
{
	block_start();
	block_registers(200);
	world.wwsf[0].mode = WWSF_INDIVIDUAL;
	world_reload();
	world_wait(2000);
	core_answers("404 Not Found", "");
	EXPECT_EQ(0, gateway_blocks(world.gw));
}

TEST(block, whose_farewell_is_under_way_is_registered_again_when_it_is_back)
{
	block_start();
	block_registers(200);
	world.wwsf[0].mode = WWSF_INDIVIDUAL;
	world_reload();
	world_wait(2000);
	world.wwsf[0].mode = WWSF_BLOCK;
	world_reload();
	world_forget();
	world_wait(2000);
	EXPECT_LINE("600000", world_only(TO_MW), "Expires");
	EXPECT_LINE("3 REGISTER", world_only(TO_MW), "CSeq"); /* the core takes it for the later */
	block_registers(200);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
	EXPECT_EQ(1, gateway_blocks(world.gw));
}

TEST(block, that_goes_before_it_was_answered_is_deregistered_too)
{
	block_start();
	world_wait(2000);
	world.wwsf[0].mode = WWSF_INDIVIDUAL;
	world_reload();
	world_forget();
	world_wait(2000);
	EXPECT_LINE("0", world_only(TO_MW), "Expires");
}

TEST(block, that_the_core_did_not_answer_about_is_deregistered_too)
{
	block_start();
	world_one_hop();
	world_wait(40 * S);
	EXPECT_EQ(408, block_row().status);
	EXPECT_EQ(0, world_transactions());
	world.wwsf[0].mode = WWSF_INDIVIDUAL;
	world_reload();
	world_forget();
	world_wait(2000);
	EXPECT_LINE("0", world_only(TO_MW), "Expires");
	core_answers("200 OK", "");
	EXPECT_EQ(0, gateway_blocks(world.gw));
}

TEST(block, of_another_pair_is_another_one)
{
	block_start();
	block_registers(200);
	world.wwsf[0].registering_impu = SPAN("sip:other@home1.net");
	world_reload();
	world_forget();
	world_wait(2000);
	EXPECT_EQ(2, world.count);
	EXPECT_LINE("0", block_asked("sip:block-shop@home1.net"), "Expires");
	EXPECT_LINE("600000", block_asked("sip:other@home1.net"), "Expires");
	EXPECT_EQ(2, gateway_blocks(world.gw));
}

TEST(block, of_a_web_site_that_is_disabled_is_deregistered)
{
	block_start();
	block_registers(7200);
	world_disable("shop");
	world_forget();
	world_wait(2000);
	EXPECT_LINE("0", world_only(TO_MW), "Expires");
}

/** The core rejects the block, which is up, while its refresh is under way. */
static void rejected_under_way(void)
{
	block_start();
	world.config.mw_reg_event = true;
	world_reload();
	block_registers(7200);
	world_wait(2000);
	events_remember();
	events_grant(90000);
	world_wait(6601 * S);
	core_sends(events_text(
		1, "active",
		events_document(1, "full",
				events_registration("sip:block-shop@home1.net", "terminated",
						    "<contact id=\"c\" state=\"terminated\" "
						    "event=\"rejected\"><uri>sip:block-shop@192.0."
						    "2.10:5060;transport=tcp</uri></contact>"))));
	EXPECT_EQ(GW_REG_REJECTED, block_row().ended);
}

TEST(block, that_was_rejected_is_as_a_new_one_when_its_web_site_is_enabled_again)
{
	rejected_under_way();
	world_disable("shop");
	EXPECT_EQ(ROW_BLOCK_LEAVING, block_row().state);
	world_disable("another"); /* and this one no more */
	world_forget();
	world_wait(2000);
	EXPECT_LINE("600000", world_only(TO_MW), "Expires");
	EXPECT_EQ(GW_OK, block_row().ended);
	core_answers("403 Forbidden", "");
	EXPECT(block_row().again_s > 0); /* tried again as any other */
	EXPECT_EQ(403, block_row().status);
}

TEST(block, is_deregistered_when_the_node_stops)
{
	block_start();
	block_registers(7200);
	gateway_drain(world.gw);
	gateway_drain(world.gw);
	world_forget();
	world_wait(2000);
	EXPECT_LINE("0", world_only(TO_MW), "Expires");
	world_reload(); /* nothing begins any more */
	core_answers("200 OK", "");
	world_wait(100 * S);
	EXPECT_EQ(0, gateway_blocks(world.gw));
}

TEST(block, over_udp_names_a_path_over_udp_and_goes_over_tcp_when_it_is_long)
{
	static char site[32] = "a-very-long-name-of-a-web-site1";

	world_start_udp();
	block_configure();
	world_wait(2000);
	EXPECT_EQ(MW_UDP, world_sent(0)->target.transport);
	EXPECT_LINE("<sip:192.0.2.10:5060;lr>", world_only(TO_MW), "Path");
	world.wwsf[0].name = span_text(site);
	world.wwsf[0].waf_parameter = SPAN("authorization-entity");
	world.wwsf[0].waf_identity = span_text(format("%0700d", 1));
	world_reload();
	world_forget();
	world_wait(2000);
	EXPECT_EQ(MW_TCP, block_sent("600000")->target.transport);
	EXPECT_LINE("<sip:192.0.2.10:5060;transport=tcp;lr>", block_sent("600000")->text, "Path");
}

TEST(block, over_tls_has_a_contact_over_tls)
{
	world_start_tls();
	block_configure();
	world_wait(2000);
	EXPECT_LINE("<sip:block-shop@192.0.2.10:5061;transport=tls>;expires=600000",
		    world_only(TO_MW), "Contact");
	EXPECT_LINE("<sip:192.0.2.10:5061;transport=tls;lr>", world_only(TO_MW), "Path");
}

TEST_MAIN("block", RUN(block, is_registered_by_its_home_worker_as_one),
	  RUN(block, of_another_home_worker_is_not_registered_here),
	  RUN(block, that_the_core_holds_is_told_to_the_other_workers_with_its_service_route),
	  RUN(block, is_known_on_another_worker_by_what_its_home_says),
	  RUN(block, ends_on_another_worker_with_its_time_though_nothing_is_said),
	  RUN(block, that_is_heard_of_before_it_is_configured_counts_when_it_is),
	  RUN(block, that_goes_is_forgotten_where_nobody_has_it_configured),
	  RUN(block, is_told_of_again_while_a_ring_is_full),
	  RUN(block, is_refreshed_ten_minutes_before_its_end),
	  RUN(block, that_is_granted_twenty_minutes_or_less_is_refreshed_at_half),
	  RUN(block, that_is_refused_is_down_and_tried_again_after_longer_and_longer_waits),
	  RUN(block, whose_refresh_is_not_answered_is_up_until_its_end),
	  RUN(block, whose_refresh_is_refused_is_down_at_once),
	  RUN(block, that_is_challenged_is_an_alarm),
	  RUN(block, that_is_asked_for_too_briefly_is_asked_for_longer_at_once),
	  RUN(block, that_is_granted_nothing_has_failed),
	  RUN(block, with_a_service_route_that_there_is_no_room_for_has_failed),
	  RUN(block, goes_by_the_next_next_hop_when_one_is_down),
	  RUN(block, is_tried_again_later_when_no_next_hop_is_there),
	  RUN(block, that_a_reload_takes_away_is_deregistered),
	  RUN(block, is_deregistered_again_while_the_core_does_not_answer),
	  RUN(block, that_the_core_has_lost_has_left),
	  RUN(block, whose_farewell_is_under_way_is_registered_again_when_it_is_back),
	  RUN(block, that_goes_before_it_was_answered_is_deregistered_too),
	  RUN(block, of_another_pair_is_another_one),
	  RUN(block, of_a_web_site_that_is_disabled_is_deregistered),
	  RUN(block, that_was_rejected_is_as_a_new_one_when_its_web_site_is_enabled_again),
	  RUN(block, is_deregistered_when_the_node_stops),
	  RUN(block, over_udp_names_a_path_over_udp_and_goes_over_tcp_when_it_is_long),
	  RUN(block, over_tls_has_a_contact_over_tls),
	  RUN(block, is_told_of_again_with_each_view_for_who_has_seen_one_without_it),
	  RUN(block, that_the_core_did_not_answer_about_is_deregistered_too),
	  RUN(block, that_is_asked_for_longer_each_time_waits))
