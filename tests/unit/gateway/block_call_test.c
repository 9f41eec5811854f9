/* SPDX-License-Identifier: BSD-3-Clause */
#include "block.h"
#include "call.h"

/* Calls of and for identities of a block: PROTOCOL 8.3, 7.3. */

#define S 1000000ull

/** guest1 is registered on WIC 0. */
static void start(void)
{
	block_guest_home(0);
	block_up();
	guest_registered(
		&(struct guest){.token = token_guest(GUEST1, 3570), .cseq = 1, .expires_s = 600});
	world_forget();
}

/** The only response to the core. */
static const char *refused(uint16_t status)
{
	EXPECT_EQ(status, status_of(world_only(TO_SOURCE)));
	return world_only(TO_SOURCE);
}

TEST(call, for_an_identity_goes_to_its_flow_with_its_contact)
{
	const char *invite;

	start();
	core_sends(core_asks(&(struct core_says){.lines = "P-Asserted-Identity: "
							  "<sip:carol@home2.net>" CRLF}));
	invite = only_of(TO_WIC, "INVITE ");
	EXPECT(handle_equal(world.wic[0].flow, nth_to(TO_WIC, 0)->flow));
	EXPECT_EQ(0, strncmp(invite, "INVITE sip:c0@c0.invalid;transport=ws SIP/2.0" CRLF, 47));
	EXPECT_NO_LINE(invite, "Route");
	EXPECT_EQ(1, lines(invite, "Record-Route"));
	EXPECT_EQ(0, strncmp(line(invite, "Record-Route"), "<sip:Bt1.", 9));
	EXPECT_LINE("<" GUEST1 ">", invite, "P-Called-Party-ID");
	EXPECT_LINE("<sip:carol@home2.net>", invite, "P-Asserted-Identity");
	EXPECT_NO_LINE(invite, "P-Charging-Vector");
	EXPECT_LINE("59", invite, "Max-Forwards");
	EXPECT_EQ(1, count_of(TO_SOURCE, "SIP/2.0 100"));
	EXPECT_EQ(1, world_count(&world.counters.block_calls));
}

TEST(call, is_answered_by_who_is_called_and_its_dialog_goes_by_the_record_route)
{
	const char *answer, *invite;

	start();
	core_sends(core_asks(&(struct core_says){0}));
	invite = keep(last_to(TO_WIC));
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(invite, "200 OK", "w1",
						"Contact: <sip:c0@c0.invalid;transport=ws>" CRLF)));
	answer = only_of(TO_SOURCE, "SIP/2.0 200");
	EXPECT_LINE("<" GUEST1 ">", answer, "P-Asserted-Identity");
	EXPECT_LINE("icid-value=\"sc-11\";orig-ioi=\"home1.net\";term-ioi=\"home1.net\"", answer,
		    "P-Charging-Vector");
	world_forget();
	core_sends(core_asks(
		&(struct core_says){.method = "ACK",
				    .branch = "a1",
				    .uri = "sip:c0@c0.invalid;transport=ws",
				    .route = format("Route: %s" CRLF, line(answer, "Record-Route")),
				    .to = "<" GUEST1 ">;tag=w1"}));
	EXPECT_EQ(1, count_of(TO_WIC, "ACK "));
	core_sends(core_asks(
		&(struct core_says){.method = "BYE",
				    .branch = "b1",
				    .uri = "sip:c0@c0.invalid;transport=ws",
				    .route = format("Route: %s" CRLF, line(answer, "Record-Route")),
				    .to = "<" GUEST1 ">;tag=w1"}));
	EXPECT_EQ(1, count_of(TO_WIC, "BYE "));
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(last_to(TO_WIC), "200 OK", "", "")));
	EXPECT_EQ(0, gateway_transactions(world.gw));
}

TEST(call, names_who_is_called_in_to_where_the_core_does_not_say_it_otherwise)
{
	start();
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE", .called = ""}));
	EXPECT_EQ(1, count_of(TO_WIC, "MESSAGE "));
	world_forget();
	core_sends(core_asks(&(struct core_says){
		.method = "MESSAGE", .branch = "s2", .called = "", .to = "<tel:+15551230001>"}));
	refused(404);
}

TEST(call, needs_no_route_where_the_core_says_who_is_called)
{
	start();
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE", .route = ""}));
	EXPECT_EQ(0, strncmp(only_of(TO_WIC, "MESSAGE "), "MESSAGE sip:c0@c0.invalid;", 26));
}

TEST(call, without_a_route_goes_to_nobody_whom_only_the_caller_names)
{
	start();
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE", .route = "", .called = ""}));
	refused(404);
	EXPECT_EQ(1, world_count(&world.counters.block_foreign));
}

TEST(call, with_a_further_route_is_a_loop)
{
	start();
	core_sends(core_asks(&(struct core_says){
		.route = "Route: <sip:192.0.2.10:5060;lr>, <sip:192.0.2.99;lr>" CRLF}));
	refused(403);
}

TEST(call, goes_to_the_youngest_of_several)
{
	start();
	world_wait(S);
	guest_registered(&(struct guest){
		.at = 1, .token = token_guest(GUEST1, 3000), .cseq = 1, .expires_s = 600});
	world_wait(S);
	guest_registered(&(struct guest){/* a refresh makes it no younger */
					 .token = token_guest(GUEST1, 3000),
					 .cseq = 2,
					 .expires_s = 600});
	world_forget();
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE"}));
	EXPECT(handle_equal(world.wic[1].flow, nth_to(TO_WIC, 0)->flow));
	EXPECT_EQ(1, count_to(TO_WIC));
	wic_leaves(1);
	world_forget();
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE", .branch = "s2"}));
	EXPECT(handle_equal(world.wic[0].flow, nth_to(TO_WIC, 0)->flow));
}

TEST(call, for_who_is_not_there_is_told_so_with_its_cause)
{
	const char *text;

	start();
	world.realm[0].ioi = SPAN("Type 1home1.net");
	core_sends(core_asks(&(struct core_says){.called = "<" GUEST2 ">"}));
	text = refused(480);
	EXPECT_LINE("Q.850;cause=20;text=\"Subscriber absent\"", text, "Reason");
	EXPECT_LINE("icid-value=\"sc-11\";orig-ioi=\"home1.net\";term-ioi=\"Type 1home1.net\"",
		    text, "P-Charging-Vector");
	EXPECT_EQ(0, strncmp(line(text, "To"), "<" GUEST1 ">;tag=ep-", 30));
	EXPECT_EQ(1, world_count(&world.counters.block_absent));
	world_forget();
	core_sends(core_asks(&(struct core_says){.method = "ACK", .to = "<" GUEST1 ">;tag=ep-1"}));
	EXPECT_EQ(0, world.count);
}

TEST(call, for_who_is_in_no_block_is_told_so_with_its_cause)
{
	const char *text;

	start();
	core_sends(core_asks(&(struct core_says){.called = "<sip:alice@home1.net>"}));
	text = refused(404);
	EXPECT_LINE("Q.850;cause=1", text, "Reason");
	EXPECT_EQ(1, world_count(&world.counters.block_foreign));
	world_forget();
	core_sends(core_asks(&(struct core_says){.uri = "sip:block-toys@192.0.2.10:5060"}));
	refused(404); /* no web site of that name is a block */
}

TEST(call, is_refused_as_the_operator_says)
{
	const char *text;

	start();
	world.config.absent = (struct absent_config){404, 0, SPAN("x")};
	world.config.unknown = (struct absent_config){604, 1, SPAN("Unallocated number")};
	core_sends(core_asks(&(struct core_says){.called = "<" GUEST2 ">"}));
	EXPECT_NO_LINE(refused(404), "Reason");
	world_forget();
	core_sends(core_asks(&(struct core_says){.called = "<sip:alice@home1.net>"}));
	text = refused(604);
	EXPECT_LINE("Q.850;cause=1;text=\"Unallocated number\"", text, "Reason");
}

TEST(call, without_a_charging_vector_is_refused_without_one)
{
	const char *text = keep(core_asks(&(struct core_says){.called = "<" GUEST2 ">"}));
	const char *at = strstr(text, "P-Charging-Vector");

	start();
	core_sends(format("%.*s%s", (int)(at - text), text, strstr(at, CRLF) + 2));
	EXPECT_NO_LINE(refused(480), "P-Charging-Vector");
}

TEST(call, that_is_cancelled_is_cancelled_where_it_went)
{
	start();
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(last_to(TO_WIC), "180 Ringing", "w1", "")));
	guest_registered(&(struct guest){/* a younger one comes meanwhile */
					 .at = 1,
					 .token = token_guest(GUEST1, 3000),
					 .cseq = 1,
					 .expires_s = 600});
	world_forget();
	core_sends(core_asks(&(struct core_says){.method = "CANCEL", .called = ""}));
	EXPECT_EQ(1, count_of(TO_SOURCE, "SIP/2.0 200"));
	EXPECT_EQ(1, count_of(TO_WIC, "CANCEL "));
	EXPECT(handle_equal(world.wic[0].flow, nth_to(TO_WIC, 0)->flow));
}

TEST(call, that_comes_again_is_absorbed_where_it_went)
{
	start();
	world.source.transport = MW_UDP;
	core_sends(core_asks(&(struct core_says){0}));
	guest_registered(&(struct guest){
		.at = 1, .token = token_guest(GUEST1, 3000), .cseq = 1, .expires_s = 600});
	world_forget();
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(0, count_to(TO_WIC));
}

TEST(call, of_which_nothing_is_known_cannot_be_cancelled)
{
	start();
	core_sends(core_asks(&(struct core_says){.method = "CANCEL", .called = ""}));
	refused(481);
}

TEST(call, of_a_failure_is_acknowledged_where_it_went)
{
	start();
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(last_to(TO_WIC), "486 Busy Here", "w1", "")));
	EXPECT_EQ(1, count_of(TO_SOURCE, "SIP/2.0 486"));
	core_sends(core_asks(
		&(struct core_says){.method = "ACK", .called = "", .to = "<" GUEST1 ">;tag=w1"}));
	EXPECT_EQ(0, gateway_transactions(world.gw));
}

TEST(call, inside_a_dialog_does_not_go_by_the_block)
{
	start();
	core_sends(core_asks(&(struct core_says){.method = "BYE", .to = "<" GUEST1 ">;tag=x"}));
	refused(481);
}

TEST(call, forgets_the_oldest_way_when_there_is_no_room)
{
	struct message_block_way m = {.head = {MESSAGE_BLOCK_WAY, sizeof(m)}};

	start();
	for (m.key = 1; m.key <= 9; m.key++)
		gateway_block_way(world.gw, &m);
	EXPECT_EQ(1, world_count(&world.counters.block_way_forgotten));
	m.key = 9;
	gateway_block_way(world.gw, &m);
	EXPECT_EQ(1, world_count(&world.counters.block_way_forgotten));
}

/* ---- other workers -------------------------------------------------------------------------- */

static const struct message_deliver_block *delivered(void)
{
	const struct message_deliver_block *m = (const void *)world_sent(0)->head;

	EXPECT_EQ(1, world.count);
	EXPECT_EQ(TO_WORKER, world_sent(0)->to);
	EXPECT_EQ(1, world_sent(0)->worker);
	EXPECT_EQ(MESSAGE_DELIVER_BLOCK, m->head.kind);
	EXPECT_EQ(sizeof(*m) + world_sent(0)->len, m->head.len);
	return m;
}

TEST(call, goes_first_to_the_worker_that_its_call_id_names)
{
	block_call_home(1);
	start();
	block_call_home(0);
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(BLOCK_TO_WAYS, delivered()->stage);
	world_forget();
	core_sends(core_asks(&(struct core_says){.method = "CANCEL", .called = ""}));
	EXPECT_EQ(BLOCK_TO_WAYS, delivered()->stage);
	world_forget();
	world.to_worker_err = GW_QUEUE_FULL;
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(503, status_of(world_only(TO_SOURCE)));
	world_forget();
	world.source.transport = MW_UDP; /* as if the wire had lost it */
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(0, world.count);
}

TEST(call, goes_then_to_the_home_worker_of_who_is_called)
{
	block_guest_home(1);
	block_up();
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(BLOCK_TO_HOME, delivered()->stage);
	world_forget();
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE"}));
	EXPECT_EQ(BLOCK_TO_HOME, delivered()->stage);
	block_guest_home(0);
}

TEST(call, that_another_worker_took_in_is_served_by_its_stage)
{
	struct message_deliver_block m = {.head = {MESSAGE_DELIVER_BLOCK, sizeof(m)}};

	start();
	m.source = world.source;
	m.stage = BLOCK_TO_HOME;
	gateway_delivered_block(world.gw, &m, span_text(core_asks(&(struct core_says){0})));
	EXPECT_EQ(1, count_of(TO_WIC, "INVITE "));
	m.stage = BLOCK_TO_WAYS;
	gateway_delivered_block(world.gw, &m,
				span_text(core_asks(
					&(struct core_says){.method = "CANCEL", .called = ""})));
	EXPECT_EQ(1, count_of(TO_SOURCE, "SIP/2.0 200"));
	world_forget();
	m.stage = BLOCK_TO_HOME;
	gateway_delivered_block(world.gw, &m,
				span_text(core_asks(
					&(struct core_says){.called = "<sip:x@home1.net>"})));
	refused(404);
	gateway_delivered_block(world.gw, &m, SPAN("x"));
	EXPECT_EQ(1, world_count(&world.counters.errors[GW_INVARIANT]));
}

/** Registers guest1 on another worker, a second later than before. */
static struct handle registers_elsewhere(void)
{
	struct message_registrar_ask ask = {.head = {MESSAGE_REGISTRAR_ASK, sizeof(ask)},
					    .what = REGISTRAR_BIND,
					    .key = block_guest_key(),
					    .flow = {.worker = 1, .slot = 4, .generation = 5},
					    .apart = 7,
					    .expires_s = 600,
					    .max = 3};

	world_wait(S);
	gateway_registrar_message(world.gw, &ask.head, span_of(&ask, sizeof(ask)));
	world_forget();
	return ask.flow;
}

TEST(call, of_another_method_that_comes_again_goes_where_it_went)
{
	const struct message_deliver *m;
	struct handle other;

	start();
	world.source.transport = MW_UDP;
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE"}));
	EXPECT_EQ(1, count_of(TO_WIC, "MESSAGE "));
	other = registers_elsewhere();
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE"}));
	EXPECT_EQ(0, world.count); /* absorbed */
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE", .branch = "s2"}));
	m = (const void *)world_sent(0)->head; /* not the same one */
	EXPECT_EQ(MESSAGE_DELIVER, m->head.kind);
	EXPECT(handle_equal(other, m->flow));
	wic_leaves(0);
	world_forget();
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE"}));
	EXPECT_EQ(0, count_to(TO_WORKER)); /* though nobody is there any more */
	world_wait(32 * S);		   /* RFC 3261 17.1.2.2: it is given up by then */
	world_forget();
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE"}));
	EXPECT_EQ(1, count_to(TO_WORKER));
}

TEST(call, goes_on_to_the_flow_of_another_worker_whose_way_is_told)
{
	const struct message_deliver *m;
	struct handle other;

	block_call_home(1);
	start();
	block_call_home(0);
	other = registers_elsewhere();
	gateway_delivered_block(world.gw,
				&(struct message_deliver_block){.head = {MESSAGE_DELIVER_BLOCK, 0},
								.stage = BLOCK_TO_HOME,
								.source = world.source},
				span_text(core_asks(&(struct core_says){0})));
	EXPECT_EQ(2, world.count);
	EXPECT_EQ(MESSAGE_BLOCK_WAY,
		  ((const struct message_head *)world_sent(0)->head)->kind); /* first */
	m = (const void *)world_sent(1)->head;
	EXPECT_EQ(MESSAGE_DELIVER, m->head.kind);
	EXPECT(handle_equal(other, m->flow));
}

TEST(call, that_comes_to_a_flow_that_has_nothing_of_it_any_more_is_absent)
{
	struct message_deliver m = {.head = {MESSAGE_DELIVER, sizeof(m)}};

	start();
	m.source = world.source;
	m.flow = world.wic[0].flow;
	gateway_delivered(world.gw, &m, span_text(core_asks(&(struct core_says){0})));
	EXPECT_EQ(1, count_of(TO_WIC, "INVITE "));
	world_forget();
	m.flow = world.wic[1].flow; /* has no binding */
	gateway_delivered(world.gw, &m, span_text(core_asks(&(struct core_says){.branch = "s2"})));
	refused(480);
	world_forget();
	m.flow.generation++;
	gateway_delivered(world.gw, &m, span_text(core_asks(&(struct core_says){.branch = "s3"})));
	refused(480);
}

/* ---- originating ---------------------------------------------------------------------------- */

static const char *of_guest(void)
{
	return "MESSAGE sip:bob@home1.net SIP/2.0" CRLF
	       "Via: SIP/2.0/WSS c0.invalid;branch=z9hG4bKm1" CRLF "Max-Forwards: 70" CRLF
	       "From: <" GUEST1 ">;tag=m1" CRLF "To: <sip:bob@home1.net>" CRLF
	       "Call-ID: m1@c0.invalid" CRLF "CSeq: 1 MESSAGE" CRLF
	       "Route: <sip:evil.example;lr>" CRLF "Content-Length: 0" CRLF CRLF;
}

TEST(call, of_a_registered_identity_goes_by_the_route_of_its_block)
{
	const char *text;

	start();
	EXPECT_EQ(GW_OK, wic_sends(0, of_guest()));
	text = world_only(TO_MW);
	EXPECT_LINE("<sip:orig@198.18.0.30:6060;lr>", text, "Route");
	EXPECT_EQ(1, lines(text, "Route"));
	EXPECT_LINE("<" GUEST1 ">", text, "P-Asserted-Identity");
	EXPECT_EQ(6060, endpoint_port(&world_sent(0)->target.address));
}

TEST(call, of_a_block_that_is_down_is_refused)
{
	block_guest_home(0);
	block_up();
	guest_registered(&(
		struct guest){.token = token_guest(GUEST1, 20000), .cseq = 1, .expires_s = 10000});
	block_goes_down();
	world_forget();
	EXPECT_EQ(GW_BLOCK_DOWN, wic_sends(0, of_guest()));
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, lines(world_only(TO_WIC), "Retry-After"));
	world_forget();
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE"}));
	EXPECT_EQ(1, count_of(TO_WIC, "MESSAGE ")); /* what the core sends is served */
}

TEST_MAIN("block_call", RUN(call, for_an_identity_goes_to_its_flow_with_its_contact),
	  RUN(call, is_answered_by_who_is_called_and_its_dialog_goes_by_the_record_route),
	  RUN(call, names_who_is_called_in_to_where_the_core_does_not_say_it_otherwise),
	  RUN(call, needs_no_route_where_the_core_says_who_is_called),
	  RUN(call, without_a_route_goes_to_nobody_whom_only_the_caller_names),
	  RUN(call, with_a_further_route_is_a_loop), RUN(call, goes_to_the_youngest_of_several),
	  RUN(call, for_who_is_not_there_is_told_so_with_its_cause),
	  RUN(call, for_who_is_in_no_block_is_told_so_with_its_cause),
	  RUN(call, is_refused_as_the_operator_says),
	  RUN(call, without_a_charging_vector_is_refused_without_one),
	  RUN(call, that_is_cancelled_is_cancelled_where_it_went),
	  RUN(call, that_comes_again_is_absorbed_where_it_went),
	  RUN(call, of_which_nothing_is_known_cannot_be_cancelled),
	  RUN(call, of_a_failure_is_acknowledged_where_it_went),
	  RUN(call, inside_a_dialog_does_not_go_by_the_block),
	  RUN(call, forgets_the_oldest_way_when_there_is_no_room),
	  RUN(call, goes_first_to_the_worker_that_its_call_id_names),
	  RUN(call, goes_then_to_the_home_worker_of_who_is_called),
	  RUN(call, that_another_worker_took_in_is_served_by_its_stage),
	  RUN(call, of_another_method_that_comes_again_goes_where_it_went),
	  RUN(call, goes_on_to_the_flow_of_another_worker_whose_way_is_told),
	  RUN(call, that_comes_to_a_flow_that_has_nothing_of_it_any_more_is_absent),
	  RUN(call, of_a_registered_identity_goes_by_the_route_of_its_block),
	  RUN(call, of_a_block_that_is_down_is_refused))
