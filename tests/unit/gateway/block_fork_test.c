/* SPDX-License-Identifier: BSD-3-Clause */
#include "fork.h"
#include "gateway/internal.h"

/* Requests of the core that go to all bindings of an identity at once: PROTOCOL 8.3, RFC 3261 16.6,
 * 16.7. */

/* ---- 16.6: it goes to all ------------------------------------------------------------------- */

TEST(fork, goes_to_all_bindings_at_once)
{
	pages_open(MW_TCP, 3);
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(3, count_of(TO_WIC, "INVITE "));
	for (uint32_t i = 0; i < 3; i++) {
		page_got[i] = keep(page_last(i));
		EXPECT(begins(page_got[i],
			      format("INVITE sip:c%u@c%u.invalid;transport=ws ", i, i)));
		EXPECT_EQ(1, lines(page_got[i], "Record-Route"));
		EXPECT_NO_LINE(page_got[i], "Route");
	}
	EXPECT(strcmp(line(page_got[0], "Record-Route"), line(page_got[1], "Record-Route")) != 0);
	EXPECT(strcmp(branch_of(page_got[0]), branch_of(page_got[1])) != 0);
	EXPECT_EQ(1, count_to(TO_SOURCE));
	EXPECT_EQ(1, count_of(TO_SOURCE, "SIP/2.0 100"));
	EXPECT_EQ(1, gateway_forks(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.block_forks));
}

TEST(fork, of_one_binding_is_none)
{
	pages_ring(1);
	EXPECT_EQ(0, gateway_forks(world.gw));
	page_says(0, "486 Busy Here");
	core_hears(486, "w0");
}

TEST(fork, that_is_off_goes_to_the_youngest_alone)
{
	pages_open(MW_TCP, 2);
	world.wwsf[0].fork = false;
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(1, count_of(TO_WIC, "INVITE "));
	EXPECT_EQ(0, world_count(&world.counters.block_forks));
}

/** The same as pages_open() with room for so many transactions. */
static void open_with_room(uint32_t transactions, uint32_t pages)
{
	world_start();
	world_room(transactions);
	block_configure();
	block_registers(7200);
	pages_enter(MW_TCP, pages);
}

/** The core's next INVITE, with these lines, goes to one of them. */
static void goes_to_one(const char *lines)
{
	core_sends(core_asks(&(struct core_says){.branch = "s2", .lines = lines}));
	EXPECT_EQ(1, count_of(TO_WIC, "INVITE "));
	EXPECT_EQ(1, world_count(&world.counters.block_fork_full));
}

TEST(fork, is_none_of_an_invite_in_a_dialog)
{
	pages_open(MW_TCP, 2);
	core_sends(core_asks(&(struct core_says){.to = "<" GUEST1 ">;tag=w0"}));
	EXPECT_EQ(481, status_of(world_only(TO_SOURCE))); /* dialogs go by their route */
	EXPECT_EQ(0, gateway_forks(world.gw));
}

TEST(fork, without_room_goes_to_the_youngest_alone)
{
	open_with_room(15, 2); /* there is room for one */
	pages_called("INVITE", 2);
	goes_to_one("");
	EXPECT_EQ(1, gateway_forks(world.gw));
}

/** So many transactions of 8 are there. */
static void start_crowded(uint32_t live)
{
	pages_open(MW_TCP, 2);
	guest_registered(&(struct guest){.at = 2,
					 .impu = GUEST2,
					 .token = token_guest(GUEST2, 3000),
					 .cseq = 1,
					 .expires_s = 600});
	for (uint32_t i = 0; i < live; i++)
		core_sends(core_asks(&(struct core_says){.method = "MESSAGE",
							 .called = "<" GUEST2 ">",
							 .branch = format("m%u", i)}));
	EXPECT_EQ(live, gateway_transactions(world.gw));
	world_forget();
}

TEST(fork, leaves_half_of_all_transactions_to_others)
{
	start_crowded(1);
	pages_called("INVITE", 2);
	EXPECT_EQ(1, gateway_forks(world.gw));
	start_crowded(2);
	goes_to_one("");
	EXPECT_EQ(0, gateway_forks(world.gw));
}

/** A Via by which the head of a request takes a block of the long ones. */
static const char *long_head(void)
{
	return format("Via: SIP/2.0/TCP 198.18.0.30;branch=z9hG4bK%01300d" CRLF, 0);
}

TEST(fork, of_a_long_head_leaves_half_of_the_blocks_for_these_to_others)
{
	void *lent;

	open_with_room(80, 2); /* six blocks */
	core_sends(core_asks(&(struct core_says){.lines = long_head()}));
	EXPECT_EQ(2, count_of(TO_WIC, "INVITE "));
	EXPECT_EQ(3, slots_live(world.gw->heads));
	open_with_room(80, 2);
	lent = slots_get_unzeroed(world.gw->heads);
	goes_to_one(long_head());
	EXPECT_EQ(0, gateway_forks(world.gw));
	EXPECT(slots_put(world.gw->heads, lent));
}

static const char *too_long_head(void)
{
	const char *vias = "";

	for (uint32_t i = 0; i < 7; i++)
		vias = format("%s%s", vias, long_head());
	return vias;
}

TEST(fork, of_a_head_that_is_too_long_is_refused_as_one_alone_is)
{
	open_with_room(80, 2);
	core_sends(core_asks(&(struct core_says){.lines = too_long_head()}));
	EXPECT_EQ(513, status_of(world_only(TO_SOURCE)));
	EXPECT_NO_LINE(world_only(TO_SOURCE), "Retry-After");
	EXPECT_EQ(0, gateway_forks(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.errors[GW_SIP_TOO_LONG]));
}

TEST(fork, that_was_refused_is_tried_again_when_it_comes_again)
{
	open_with_room(80, 2);
	world.source.transport = MW_UDP;
	core_sends(core_asks(&(struct core_says){.lines = too_long_head()}));
	EXPECT_EQ(513, status_of(world_only(TO_SOURCE)));
	world_forget();
	core_sends(core_asks(&(struct core_says){.lines = too_long_head()}));
	EXPECT_EQ(513, status_of(world_only(TO_SOURCE))); /* and not 480 */
	world_forget();
	core_sends(core_asks(&(struct core_says){0})); /* there is room now */
	EXPECT_EQ(2, count_of(TO_WIC, "INVITE "));
	EXPECT_EQ(1, gateway_forks(world.gw));
}

/* ---- 16.7 step 5: what goes on at once ------------------------------------------------------ */

TEST(fork, sends_on_each_ringing_with_its_own_tag)
{
	pages_ring(3);
	page_says(0, "100 Trying");
	EXPECT_EQ(0, count_to(TO_SOURCE));
	page_says(0, "180 Ringing");
	page_says(1, "183 Session Progress");
	EXPECT_EQ(2, count_to(TO_SOURCE));
	EXPECT(contains(line(nth_to(TO_SOURCE, 0)->text, "To"), ";tag=w0"));
	EXPECT(contains(line(nth_to(TO_SOURCE, 1)->text, "To"), ";tag=w1"));
	EXPECT_LINE(line(page_got[0], "Record-Route"), nth_to(TO_SOURCE, 0)->text, "Record-Route");
	EXPECT_LINE(line(page_got[1], "Record-Route"), nth_to(TO_SOURCE, 1)->text, "Record-Route");
	EXPECT_LINE("<" GUEST1 ">", nth_to(TO_SOURCE, 1)->text, "P-Asserted-Identity");
}

TEST(fork, is_answered_by_the_first_and_cancelled_at_the_others)
{
	pages_ring(3);
	page_says(0, "180 Ringing");
	page_says(1, "180 Ringing");
	world_forget();
	page_says(0, "200 OK");
	core_hears(200, "w0");
	EXPECT_EQ(1, count_of(TO_WIC, "CANCEL ")); /* RFC 3261 9.1: 2 has said nothing yet */
	EXPECT(begins(page_last(1), "CANCEL sip:c1@c1.invalid;"));
	EXPECT_EQ(0, gateway_forks(world.gw));
	page_obeys(1);
	EXPECT_EQ(1, count_of(TO_WIC, "ACK ")); /* of the 487 */
	page_says(2, "180 Ringing");
	EXPECT(begins(page_last(2), "CANCEL "));
	page_obeys(2);
	core_hears(200, "w0"); /* the core hears of none of these */
	EXPECT_EQ(1, count_to(TO_SOURCE));
	fork_nothing_left();
}

TEST(fork, sends_on_every_2xx_also_of_a_page_that_was_cancelled)
{
	pages_ring(2);
	page_says(1, "180 Ringing");
	page_says(0, "200 OK");
	world_forget();
	page_says(1, "200 OK");
	EXPECT_EQ(200, status_of(world_only(TO_SOURCE)));
	EXPECT(contains(line(last_to(TO_SOURCE), "To"), ";tag=w1"));
	page_says(1, "200 OK"); /* it says so until it has an ACK, as the other does */
	page_says(0, "200 OK");
	EXPECT_EQ(3, count_of(TO_SOURCE, "SIP/2.0 200"));
	for (uint32_t i = 0; i < 2; i++) {
		world_forget();
		core_sends(core_asks(&(struct core_says){
			.method = "ACK",
			.branch = "a1",
			.uri = format("sip:c%u@c%u.invalid;transport=ws", i, i),
			.route = format("Route: %s" CRLF, line(page_got[i], "Record-Route")),
			.to = format("<" GUEST1 ">;tag=w%u", i)}));
		EXPECT(begins(page_last(i), "ACK "));
		EXPECT_EQ(1, count_to(TO_WIC));
		EXPECT(world.wic[i].accepted == NULL);
	}
	fork_nothing_left();
}

TEST(fork, that_is_answered_absorbs_what_the_core_says_of_it_late)
{
	pages_ring(2);
	page_says(0, "200 OK");
	world_forget();
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(0, world.count);
	core_sends(core_asks(&(struct core_says){.method = "CANCEL", .called = ""}));
	EXPECT_EQ(200, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(0, count_of(TO_WIC, "CANCEL "));
	fork_nothing_left();
}

/* ---- 16.7 step 6: the best failure ---------------------------------------------------------- */

TEST(fork, says_the_best_failure_when_all_have_failed)
{
	static const struct {
		const char *said[3];
		uint16_t best;
		uint32_t whose;
	} cases[] = {
		{{"486 Busy Here", "486 Busy Here", "486 Busy Here"}, 486, 0},
		{{"480 Temporarily Unavailable", "500 Error", "486 Busy Here"}, 486, 2},
		{{"486 Busy Here", "302 Moved", "500 Error"}, 302, 1},
		{{"500 Error", "486 Busy Here", "404 Not Found"}, 486, 1},
		{{"486 Busy Here", "484 Address Incomplete", "480 Gone"}, 484, 1},
		{{"486 Busy Here", "404 Not Found", "401 Unauthorized"}, 401, 2},
		{{"404 Not Found", "407 Proxy", "415 Unsupported"}, 407, 1},
		{{"404 Not Found", "415 Unsupported", "420 Bad"}, 415, 1},
		{{"404 Not Found", "500 Error", "420 Bad Extension"}, 420, 2},
		{{"503 Service Unavailable", "503 Service Unavailable", "500 Error"}, 500, 0},
		{{"501 Not Implemented", "408 Timeout", "500 Error"}, 408, 1},
	};

	for (uint32_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		pages_ring(3);
		for (uint32_t i = 0; i < 3; i++) {
			EXPECT_EQ(0, count_to(TO_SOURCE));
			page_says(i, cases[c].said[i]);
		}
		core_hears(cases[c].best, format("w%u", cases[c].whose));
		EXPECT_LINE("icid-value=\"sc-11\";orig-ioi=\"home1.net\";term-ioi=\"home1.net\"",
			    last_to(TO_SOURCE), "P-Charging-Vector");
		EXPECT_EQ(3, count_of(TO_WIC, "ACK "));
		EXPECT_EQ(0, count_of(TO_WIC, "CANCEL "));
		core_acknowledges();
		fork_nothing_left();
	}
}

TEST(fork, that_one_declines_everywhere_is_cancelled_and_declined_when_all_have_ended)
{
	pages_ring(3);
	page_says(1, "180 Ringing");
	page_says(2, "180 Ringing");
	world_forget();
	page_says(0, "603 Decline");
	EXPECT_EQ(0, count_to(TO_SOURCE));
	EXPECT_EQ(2, count_of(TO_WIC, "CANCEL "));
	page_obeys(1);
	EXPECT_EQ(0, count_to(TO_SOURCE));
	page_obeys(2);
	core_hears(603, "w0");
	core_acknowledges();
	fork_nothing_left();
}

TEST(fork, that_one_declines_and_another_takes_is_taken)
{
	pages_ring(2);
	page_says(0, "603 Decline");
	page_says(1, "200 OK");
	core_hears(200, "w1");
	EXPECT_EQ(0, gateway_forks(world.gw));
	fork_nothing_left();
}

/** A failure with so many bytes more. */
static void says_at_length(uint32_t page, const char *status, int more)
{
	EXPECT_EQ(GW_OK, wic_sends(page, answer_of(page_got[page], status, format("w%u", page),
						   format("X-Long: %0*d" CRLF, more, 0))));
}

TEST(fork, says_a_failure_that_it_has_no_room_for_in_its_own_words)
{
	pages_ring(2);
	says_at_length(0, "486 Busy Here", 8000);
	page_says(1, "500 Error");
	core_hears(486, "ep-");
	core_acknowledges();
	pages_ring(2);
	says_at_length(0, "486 Busy Here", 7000);
	page_says(1, "500 Error");
	core_hears(486, "w0");
	core_acknowledges();
	pages_ring(2);
	page_says(0, "500 Error");
	says_at_length(1, "486 Busy Here", 8000); /* the one before is not said in its place */
	core_hears(486, "ep-");
	core_acknowledges();
	fork_nothing_left();
}

TEST(fork, lets_heads_of_requests_have_the_room_that_is_scarce)
{
	void *lent[2];

	open_with_room(32, 2); /* three long blocks */
	for (uint32_t i = 0; i < 2; i++)
		lent[i] = slots_get_unzeroed(world.gw->heads);
	pages_called("INVITE", 2);
	page_says(0, "486 Busy Here");
	EXPECT_EQ(2, slots_live(world.gw->heads));
	page_says(1, "500 Error");
	core_hears(486, "ep-");
	for (uint32_t i = 0; i < 2; i++)
		EXPECT(slots_put(world.gw->heads, lent[i]));
}

/* ---- pages that fall silent ----------------------------------------------------------------- */

TEST(fork, goes_on_without_a_page_whose_connection_ends)
{
	pages_ring(3);
	wic_leaves(0);
	EXPECT_EQ(0, count_to(TO_SOURCE));
	page_says(1, "180 Ringing");
	EXPECT_EQ(1, count_to(TO_SOURCE));
	world_forget();
	wic_leaves(2);
	page_says(1, "486 Busy Here");
	core_hears(486, "w1");
}

TEST(fork, whose_pages_have_all_left_is_told_so)
{
	pages_ring(2);
	wic_leaves(0);
	wic_leaves(1);
	core_hears(480, "ep-");
	EXPECT_LINE("Q.850;cause=20;text=\"Subscriber absent\"", last_to(TO_SOURCE), "Reason");
	EXPECT_EQ(0, gateway_forks(world.gw));
}

TEST(fork, whose_pages_have_all_left_says_what_is_configured_for_who_is_absent)
{
	pages_open(MW_TCP, 2);
	world.config.absent = (struct absent_config){404, 31, SPAN("")};
	world.realm[0].ioi = SPAN("Type 1home1.net");
	pages_called("INVITE", 2);
	wic_leaves(0);
	wic_leaves(1);
	core_hears(404, "ep-");
	EXPECT_LINE("Q.850;cause=31", last_to(TO_SOURCE), "Reason");
	EXPECT_LINE("icid-value=\"sc-11\";orig-ioi=\"home1.net\";term-ioi=\"Type 1home1.net\"",
		    last_to(TO_SOURCE), "P-Charging-Vector");
	EXPECT_EQ(1, world_count(&world.counters.block_absent));
	core_acknowledges();
	fork_nothing_left();
}

TEST(fork, believes_what_a_page_says_rather_than_what_this_node_says_of_another)
{
	static const char *const said[] = {"480 Temporarily Unavailable", "487 Gone", "500 Error"};

	for (uint32_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		pages_ring(2);
		wic_leaves(0);
		page_says(1, said[i]);
		EXPECT_NO_LINE(last_to(TO_SOURCE), "Reason");
		core_hears((uint16_t)strtoul(said[i], NULL, 10), "w1");
		core_acknowledges();
		pages_ring(2);
		page_says(0, said[i]);
		world_wait(33 * S); /* the other one says nothing */
		EXPECT_EQ((uint16_t)strtoul(said[i], NULL, 10), status_of(last_to(TO_SOURCE)));
		core_acknowledges();
		fork_nothing_left();
	}
}

TEST(fork, to_pages_that_cannot_be_sent_to_is_told_so)
{
	pages_open(MW_TCP, 2);
	world.to_wic_err = GW_WS_SLOW;
	core_sends(core_asks(&(struct core_says){0}));
	core_hears(480, "ep-");
	EXPECT_EQ(0, gateway_transactions(world.gw));
	EXPECT_EQ(2, world_count(&world.counters.errors[GW_WS_SLOW]));
}

TEST(fork, does_not_wait_for_a_page_that_rang_and_left)
{
	pages_ring(2);
	page_says(0, "180 Ringing");
	page_says(1, "180 Ringing");
	world_forget();
	wic_leaves(0);
	EXPECT_EQ(0, count_to(TO_SOURCE));
	page_says(1, "486 Busy Here");
	core_hears(486, "w1");
	core_acknowledges();
	pages_ring(2);
	page_says(0, "180 Ringing");
	page_says(1, "180 Ringing");
	world_forget();
	wic_leaves(0);
	wic_leaves(1);
	core_hears(480, "ep-");
	core_acknowledges();
	fork_nothing_left();
}

TEST(fork, that_nobody_answers_ends_by_timer_b)
{
	pages_ring(2);
	world_wait(31 * S);
	EXPECT_EQ(0, count_to(TO_SOURCE));
	world_wait(2 * S);
	core_hears(408, "ep-");
	core_acknowledges();
	fork_nothing_left();
}

TEST(fork, counts_a_page_that_says_nothing_as_one_that_has_failed)
{
	pages_ring(2);
	page_says(0, "486 Busy Here");
	EXPECT_EQ(0, count_to(TO_SOURCE));
	world_wait(33 * S);
	core_hears(486, "w0");
}

TEST(fork, has_a_timer_c_for_each_page)
{
	pages_ring(2);
	page_says(0, "180 Ringing");
	world_wait(20 * S);
	page_says(1, "180 Ringing");
	world_forget();
	world_wait(181 * S);
	EXPECT_EQ(1, count_of(TO_WIC, "CANCEL "));
	page_obeys(0);
	EXPECT_EQ(0, count_to(TO_SOURCE));
	page_says(1, "486 Busy Here");
	core_hears(486, "w1");
}

TEST(fork, rings_for_as_long_as_one_page_says_so)
{
	pages_ring(2);
	for (uint32_t i = 0; i < 4; i++) {
		page_says(0, "180 Ringing");
		page_says(1, "180 Ringing");
		world_wait(150 * S);
	}
	EXPECT_EQ(1, gateway_forks(world.gw));
	page_says(1, "200 OK");
	EXPECT_EQ(200, status_of(last_to(TO_SOURCE)));
}

/* ---- what the core says meanwhile ----------------------------------------------------------- */

TEST(fork, that_the_core_cancels_is_cancelled_at_all_pages)
{
	pages_ring(3);
	page_says(0, "180 Ringing");
	page_says(1, "180 Ringing");
	page_says(2, "486 Busy Here");
	world_forget();
	core_sends(core_asks(&(struct core_says){.method = "CANCEL", .called = ""}));
	EXPECT_EQ(200, status_of(last_to(TO_SOURCE)));
	EXPECT_EQ(2, count_of(TO_WIC, "CANCEL "));
	page_obeys(0);
	page_says(1, "180 Ringing"); /* of no use any more */
	EXPECT_EQ(1, count_to(TO_SOURCE));
	page_obeys(1);
	EXPECT_EQ(2, count_to(TO_SOURCE));
	EXPECT_EQ(487, status_of(last_to(TO_SOURCE)));
	core_acknowledges();
	fork_nothing_left();
}

TEST(fork, that_is_cancelled_and_answered_at_once_is_answered)
{
	pages_ring(2);
	page_says(0, "180 Ringing");
	page_says(1, "180 Ringing");
	core_sends(core_asks(&(struct core_says){.method = "CANCEL", .called = ""}));
	world_forget();
	page_says(1, "200 OK");
	page_says(0, "487 Request Terminated");
	core_hears(200, "w1");
	fork_nothing_left();
}

TEST(fork, that_is_cancelled_and_has_silent_pages_ends)
{
	pages_ring(2);
	page_says(0, "180 Ringing");
	core_sends(core_asks(&(struct core_says){.method = "CANCEL", .called = ""}));
	world_forget();
	world_wait(33 * S); /* 0: 64*T1 from its CANCEL; 1: timer B */
	core_hears(487, "ep-");
	core_acknowledges();
	fork_nothing_left();
}

TEST(fork, that_comes_again_over_udp_is_absorbed)
{
	pages_open(MW_UDP, 2);
	pages_called("INVITE", 2);
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(100, status_of(world_only(TO_SOURCE)));
	page_says(0, "486 Busy Here");
	EXPECT_EQ(2, gateway_transactions(world.gw)); /* that of page 0 has nothing to repeat */
	page_says(1, "486 Busy Here");
	world_forget();
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(486, status_of(world_only(TO_SOURCE)));
	world_wait(S); /* timer G */
	EXPECT_EQ(486, status_of(last_to(TO_SOURCE)));
	EXPECT(count_to(TO_SOURCE) > 1);
	core_acknowledges();
	world_forget();
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(0, world.count);
	fork_nothing_left();
}

TEST(fork, that_comes_again_to_the_home_worker_is_absorbed_there)
{
	struct message_deliver_block m = {.head = {MESSAGE_DELIVER_BLOCK, sizeof(m)},
					  .stage = BLOCK_TO_HOME};

	pages_ring(2);
	m.source = world.source;
	gateway_delivered_block(world.gw, &m, span_text(core_asks(&(struct core_says){0})));
	EXPECT_EQ(0, count_to(TO_WIC));
	EXPECT_EQ(1, gateway_forks(world.gw));
}

/* ---- what is no INVITE ---------------------------------------------------------------------- */

TEST(fork, of_a_message_has_the_first_2xx)
{
	pages_open(MW_TCP, 3);
	pages_called("MESSAGE", 3);
	EXPECT_EQ(0, count_to(TO_SOURCE));
	page_says(0, "415 Unsupported Media Type");
	EXPECT_EQ(0, count_to(TO_SOURCE));
	page_says(1, "202 Accepted");
	core_hears(202, "w1");
	page_says(2, "200 OK");
	core_hears(202, "w1");
	EXPECT_EQ(1, count_to(TO_SOURCE));
	EXPECT_EQ(0, count_of(TO_WIC, "CANCEL "));
	fork_nothing_left();
}

TEST(fork, of_a_message_has_the_best_failure)
{
	pages_open(MW_TCP, 2);
	pages_called("MESSAGE", 2);
	page_says(0, "603 Decline");
	page_says(1, "486 Busy Here");
	core_hears(603, "w0");
	pages_open(MW_TCP, 2);
	pages_called("MESSAGE", 2);
	page_says(0, "415 Unsupported Media Type");
	world_wait(33 * S);
	core_hears(415, "w0");
	fork_nothing_left();
}

TEST(fork, of_a_message_that_comes_again_over_udp_says_again_what_it_said)
{
	pages_open(MW_UDP, 2);
	pages_called("MESSAGE", 2);
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE"}));
	EXPECT_EQ(0, world.count);
	page_says(1, "200 OK");
	world_forget();
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE"}));
	EXPECT_EQ(200, status_of(world_only(TO_SOURCE)));
	EXPECT(contains(line(last_to(TO_SOURCE), "To"), ";tag=w1"));
	fork_nothing_left();
}

TEST(fork, of_a_message_that_comes_again_over_tcp_is_absorbed)
{
	pages_open(MW_TCP, 2);
	pages_called("MESSAGE", 2);
	page_says(0, "415 Unsupported Media Type");
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE"}));
	EXPECT_EQ(0, count_to(TO_SOURCE));
	page_says(1, "486 Busy Here");
	core_hears(415, "w0");
	fork_nothing_left();
}

/* ---- the audit stream ----------------------------------------------------------------------- */

static uint32_t told(enum event_kind what)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < world.events; i++)
		n += world.event[i].what == what;
	return n;
}

/** Two pages are called, and the first of them is busy. */
static void audited_with_one_busy(void)
{
	pages_open(MW_TCP, 2);
	world.config.audit = AUDIT_HASHED;
	pages_called("INVITE", 2);
	page_says(0, "486 Busy Here");
}

TEST(fork, is_one_call_to_the_audit_stream)
{
	audited_with_one_busy();
	page_says(1, "200 OK");
	EXPECT_EQ(1, told(EVENT_CALL_ANSWERED));
	EXPECT_EQ(0, told(EVENT_CALL_FAILED));
	audited_with_one_busy();
	page_says(1, "480 Temporarily Unavailable");
	EXPECT_EQ(1, told(EVENT_CALL_FAILED));
	EXPECT_EQ(486, world.event[world.events - 1].status);
	EXPECT(world.event[world.events - 1].impu_hash != 0);
}

TEST_MAIN("block_fork", RUN(fork, goes_to_all_bindings_at_once), RUN(fork, of_one_binding_is_none),
	  RUN(fork, that_is_off_goes_to_the_youngest_alone),
	  RUN(fork, is_none_of_an_invite_in_a_dialog),
	  RUN(fork, without_room_goes_to_the_youngest_alone),
	  RUN(fork, leaves_half_of_all_transactions_to_others),
	  RUN(fork, of_a_long_head_leaves_half_of_the_blocks_for_these_to_others),
	  RUN(fork, of_a_head_that_is_too_long_is_refused_as_one_alone_is),
	  RUN(fork, that_was_refused_is_tried_again_when_it_comes_again),
	  RUN(fork, sends_on_each_ringing_with_its_own_tag),
	  RUN(fork, is_answered_by_the_first_and_cancelled_at_the_others),
	  RUN(fork, sends_on_every_2xx_also_of_a_page_that_was_cancelled),
	  RUN(fork, that_is_answered_absorbs_what_the_core_says_of_it_late),
	  RUN(fork, says_the_best_failure_when_all_have_failed),
	  RUN(fork, that_one_declines_everywhere_is_cancelled_and_declined_when_all_have_ended),
	  RUN(fork, that_one_declines_and_another_takes_is_taken),
	  RUN(fork, says_a_failure_that_it_has_no_room_for_in_its_own_words),
	  RUN(fork, lets_heads_of_requests_have_the_room_that_is_scarce),
	  RUN(fork, goes_on_without_a_page_whose_connection_ends),
	  RUN(fork, whose_pages_have_all_left_is_told_so),
	  RUN(fork, believes_what_a_page_says_rather_than_what_this_node_says_of_another),
	  RUN(fork, whose_pages_have_all_left_says_what_is_configured_for_who_is_absent),
	  RUN(fork, to_pages_that_cannot_be_sent_to_is_told_so),
	  RUN(fork, does_not_wait_for_a_page_that_rang_and_left),
	  RUN(fork, that_nobody_answers_ends_by_timer_b),
	  RUN(fork, counts_a_page_that_says_nothing_as_one_that_has_failed),
	  RUN(fork, has_a_timer_c_for_each_page), RUN(fork, rings_for_as_long_as_one_page_says_so),
	  RUN(fork, that_the_core_cancels_is_cancelled_at_all_pages),
	  RUN(fork, that_is_cancelled_and_answered_at_once_is_answered),
	  RUN(fork, that_is_cancelled_and_has_silent_pages_ends),
	  RUN(fork, that_comes_again_over_udp_is_absorbed),
	  RUN(fork, that_comes_again_to_the_home_worker_is_absorbed_there),
	  RUN(fork, of_a_message_has_the_first_2xx), RUN(fork, of_a_message_has_the_best_failure),
	  RUN(fork, of_a_message_that_comes_again_over_udp_says_again_what_it_said),
	  RUN(fork, of_a_message_that_comes_again_over_tcp_is_absorbed),
	  RUN(fork, is_one_call_to_the_audit_stream))
