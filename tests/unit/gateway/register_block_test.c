/* SPDX-License-Identifier: BSD-3-Clause */
#include "block.h"

/* The registrar of a block: PROTOCOL 8.2, RFC 3261 10.3. */

#define S 1000000ull
#define OUTBOUND_CONTACT(uri) \
	"<" uri \
	">;+sip.ice;reg-id=1;+sip.instance=\"<urn:uuid:dacc2777-085b-4952-83a1-fd586f2f5565>\""

static const char *token(void)
{
	return token_guest(GUEST1, 3570);
}

static void start(void)
{
	block_guest_home(0);
	block_up();
}

TEST(registrar, answers_with_the_bindings_and_the_core_hears_nothing)
{
	const char *text;

	start();
	text = guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	EXPECT_LINE("<sip:c0@c0.invalid;transport=ws>;expires=600", text, "Contact");
	EXPECT_LINE("<sip:guest1@home1.net>", text, "P-Associated-URI");
	EXPECT_EQ(0, strncmp(line(text, "To"), "<sip:guest1@home1.net>;tag=ep-", 30));
	EXPECT_LINE("1 REGISTER", text, "CSeq");
	EXPECT_LINE("Fri, 20 Nov 2026 09:30:00 GMT", text, "Date");
	EXPECT_NO_LINE(text, "Service-Route");
	EXPECT_NO_LINE(text, "Require");
	EXPECT_NO_LINE(text, "Flow-Timer");
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(1, gateway_registrar(world.gw));
	EXPECT_EQ(1, block_row().bindings);
	EXPECT_EQ(EVENT_REGISTERED, world.event[0].what);
	EXPECT_EQ(1, world_count(&world.counters.register_ok));
}

TEST(registrar, has_no_events_of_the_core_for_its_bindings)
{
	start();
	world.config.mw_reg_event = true;
	world_reload();
	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	world_wait(10 * S);
	EXPECT_EQ(1, gateway_reg_events(world.gw)); /* its block's */
	EXPECT_EQ(1, world_count(&world.counters.reg_event_out));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(registrar, says_outbound_and_a_flow_timer_to_who_uses_it)
{
	struct guest g = {.token = token(),
			  .cseq = 1,
			  .expires_s = 600,
			  .contact =
				  OUTBOUND_CONTACT("sip:x@x.invalid;transport=ws") ";expires=300"};
	const char *text;

	start();
	g.token = token();
	text = guest_registered(&g); /* without the option tag */
	EXPECT_NO_LINE(text, "Require");
	g.lines = "Supported: path, outbound" CRLF;
	g.cseq = 2;
	text = guest_registered(&g);
	EXPECT_LINE("outbound", text, "Require");
	EXPECT_LINE("120", text, "Flow-Timer");
	EXPECT_LINE(OUTBOUND_CONTACT("sip:x@x.invalid;transport=ws") ";expires=300", text,
		    "Contact");
}

TEST(registrar, lists_the_bindings_of_all_flows)
{
	const char *text;

	start();
	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	world_wait(10 * S);
	text = guest_registered(
		&(struct guest){.at = 1, .token = token(), .cseq = 1, .expires_s = 300});
	EXPECT_EQ(2, lines(text, "Contact"));
	EXPECT(contains(text, "<sip:c0@c0.invalid;transport=ws>;expires=590"));
	EXPECT(contains(text, "<sip:c1@c1.invalid;transport=ws>;expires=300"));
	text = guest_registered(&(struct guest){.fetch = true, .cseq = 2});
	EXPECT_EQ(2, lines(text, "Contact"));
	text = guest_registered(&(struct guest){.at = 2,
						.impu = GUEST2,
						.token = token_guest(GUEST2, 600),
						.fetch = true,
						.cseq = 1});
	EXPECT_NO_LINE(text, "Contact");
}

TEST(registrar, grants_no_more_than_the_token_covers)
{
	start(); /* 2 ms into a second */
	EXPECT_LINE("<sip:c0@c0.invalid;transport=ws>;expires=99",
		    guest_registered(&(struct guest){.token = token_guest(GUEST1, 100),
						     .cseq = 1,
						     .expires_s = 600}),
		    "Contact");
	world_wait(101 * S);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_registrar(world.gw));
	EXPECT_EQ(0, block_row().bindings);
}

TEST(registrar, grants_ten_minutes_to_who_asks_for_no_time)
{
	const char *request;

	start();
	request = register_guest(&(struct guest){.token = token(), .cseq = 1, .expires_s = 77});
	request = format("%.*s%s", (int)(strstr(request, "Expires: 77") - request), request,
			 strstr(request, "Expires: 77") + 13);
	EXPECT_EQ(GW_OK, wic_sends(0, request));
	EXPECT_LINE("<sip:c0@c0.invalid;transport=ws>;expires=600", world_only(TO_WIC), "Contact");
}

TEST(registrar, refuses_a_token_that_ends_too_soon_and_a_time_that_is_too_short)
{
	start();
	EXPECT_EQ(GW_TOKEN_SHORT, guest_registers(&(struct guest){.token = token_guest(GUEST1, 59),
								  .cseq = 1,
								  .expires_s = 600}));
	EXPECT_EQ(401, status_of(world_only(TO_WIC)));
	world_forget();
	EXPECT_EQ(GW_REGISTRAR_BRIEF,
		  guest_registers(&(struct guest){.token = token(), .cseq = 1, .expires_s = 59}));
	EXPECT_EQ(423, status_of(world_only(TO_WIC)));
	EXPECT_LINE("60", world_only(TO_WIC), "Min-Expires");
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(registrar, refuses_who_is_outside_of_the_block_or_not_in_the_token)
{
	start();
	EXPECT_EQ(GW_IDENTITY_FOREIGN,
		  guest_registers(&(struct guest){.impu = "sip:alice@home1.net",
						  .token = token_guest("sip:alice@home1.net", 600),
						  .cseq = 1,
						  .expires_s = 600}));
	EXPECT_EQ(GW_IDENTITY_FOREIGN,
		  guest_registers(
			  &(struct guest){.impu = "sip:guest!.*!@home1.net",
					  .token = token_guest("sip:guest!.*!@home1.net", 600),
					  .cseq = 1,
					  .expires_s = 600}));
	world.wwsf[0].registering_impu = SPAN(GUEST2); /* who registers the block is no visitor */
	world_reload();
	world_forget();
	EXPECT_EQ(GW_IDENTITY_FOREIGN,
		  guest_registers(&(struct guest){.impu = GUEST2,
						  .token = token_guest(GUEST2, 600),
						  .cseq = 1,
						  .expires_s = 600}));
	EXPECT_EQ(GW_IDENTITY_MISMATCH,
		  guest_registers(&(struct guest){
			  .impu = GUEST2, .token = token(), .cseq = 1, .expires_s = 600}));
	EXPECT_EQ(GW_TOKEN_CLAIM, guest_registers(&(struct guest){.token = token_guest("sip:", 600),
								  .cseq = 1,
								  .expires_s = 600}));
	EXPECT_EQ(GW_TOKEN_NONE, guest_registers(&(struct guest){.cseq = 1, .expires_s = 600}));
	EXPECT_EQ(0, gateway_registrar(world.gw));
	EXPECT_EQ(0, world_transactions());
}

TEST(registrar, has_one_identity_for_a_flow)
{
	start();
	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	EXPECT_EQ(GW_IDENTITY_MISMATCH,
		  guest_registers(&(struct guest){.impu = GUEST2,
						  .token = token_guest(GUEST2, 600),
						  .cseq = 2,
						  .expires_s = 600}));
	guest_registered(&(struct guest){.cseq = 3}); /* gone: then another one may come */
	guest_registered(&(struct guest){
		.impu = GUEST2, .token = token_guest(GUEST2, 600), .cseq = 4, .expires_s = 600});
}

TEST(registrar, names_who_the_token_names_where_the_request_names_nobody)
{
	const char *text;

	start();
	world.config.placeholder_user = SPAN("anonymous");
	text = guest_registered(&(struct guest){.impu = "sip:anonymous@anonymous.invalid",
						.token = token(),
						.cseq = 1,
						.expires_s = 600});
	EXPECT_LINE("<sip:guest1@home1.net>", text, "P-Associated-URI");
	EXPECT(contains(line(text, "To"), "sip:anonymous@anonymous.invalid"));
}

TEST(registrar, knows_what_a_client_may_demand)
{
	start();
	EXPECT_EQ(GW_SIP_REQUIRE,
		  guest_registers(&(struct guest){.token = token(),
						  .cseq = 1,
						  .expires_s = 600,
						  .lines = "Require: path, gruu, foo" CRLF}));
	EXPECT_EQ(420, status_of(world_only(TO_WIC)));
	EXPECT_EQ(2, lines(world_only(TO_WIC), "Unsupported"));
	EXPECT_LINE("gruu", world_only(TO_WIC), "Unsupported");
	guest_registered(&(struct guest){.token = token(),
					 .cseq = 2,
					 .expires_s = 600,
					 .lines = "Require: path, outbound" CRLF});
}

TEST(registrar, aborts_an_update_that_is_older_than_one_before)
{
	start();
	guest_registered(&(struct guest){.token = token(), .cseq = 7, .expires_s = 600});
	world_forget();
	EXPECT_EQ(GW_OK,
		  guest_registers(&(struct guest){.token = token(), .cseq = 7, .expires_s = 300}));
	EXPECT_EQ(500, status_of(world_only(TO_WIC)));
	world_forget();
	EXPECT_EQ(GW_OK, guest_registers(&(struct guest){.cseq = 6}));
	EXPECT_EQ(500, status_of(world_only(TO_WIC)));
	world_forget();
	EXPECT_EQ(GW_OK, guest_registers(&(struct guest){.cseq = 6, .contact = "*"}));
	EXPECT_EQ(500, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, gateway_registrar(world.gw));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(3, world_count(&world.counters.errors[GW_REGISTRAR_ORDER]));
	EXPECT_EQ(0, world.wic[0].transactions);
	guest_registered(&(struct guest){.token = token(), .cseq = 8, .expires_s = 300});
}

TEST(registrar, removes_the_contact_that_is_named_without_a_token)
{
	const char *text;

	start();
	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	text = guest_registered(&(struct guest){.cseq = 2});
	EXPECT_NO_LINE(text, "Contact");
	EXPECT_EQ(0, gateway_registrar(world.gw));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_removed));
	EXPECT_EQ(GW_TOKEN_NONE,
		  guest_registers(&(struct guest){.cseq = 3})); /* whose would it be? */
}

TEST(registrar, removes_a_contact_whose_web_site_is_none_any_more)
{
	start();
	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	world.wic[0].disowned = true; /* its Origin is served no more */
	guest_registered(&(struct guest){.cseq = 2});
	EXPECT_EQ(1, world.count); /* the core hears nothing */
	EXPECT_EQ(0, gateway_registrar(world.gw));
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(registrar, leaves_a_binding_alone_when_another_contact_goes)
{
	const char *text;

	start();
	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	guest_registered(&(struct guest){.at = 1, .token = token(), .cseq = 1, .expires_s = 600});
	text = guest_registered(
		&(struct guest){.cseq = 2, .contact = "<sip:c1@c1.invalid;transport=ws>"});
	EXPECT_LINE("<sip:c0@c0.invalid;transport=ws>;expires=600", text, "Contact");
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT(!handle_is_none(world.wic[0].binding));
	EXPECT(handle_is_none(world.wic[1].binding));
	EXPECT_EQ(0, world.wic[1].identity);
}

TEST(registrar, removes_all_bindings_of_the_identity_for_a_star)
{
	const char *text;

	start();
	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	guest_registered(&(struct guest){.at = 1, .token = token(), .cseq = 1, .expires_s = 600});
	guest_registered(&(struct guest){.at = 2,
					 .impu = GUEST2,
					 .token = token_guest(GUEST2, 600),
					 .cseq = 1,
					 .expires_s = 600});
	text = guest_registered(&(struct guest){.at = 1, .cseq = 2, .contact = "*"});
	EXPECT_NO_LINE(text, "Contact");
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT(!handle_is_none(world.wic[2].binding));
}

TEST(registrar, gives_a_binding_to_the_next_flow_of_its_instance)
{
	struct guest g = {.cseq = 1,
			  .expires_s = 600,
			  .contact = OUTBOUND_CONTACT("sip:x@x.invalid;transport=ws")};
	const char *text;

	start();
	g.token = token();
	guest_registered(&g);
	g.at = 1;
	g.contact = OUTBOUND_CONTACT("sip:y@y.invalid;transport=ws");
	text = guest_registered(&g);
	EXPECT_LINE(OUTBOUND_CONTACT("sip:y@y.invalid;transport=ws") ";expires=600", text,
		    "Contact");
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT(handle_is_none(world.wic[0].binding));
	EXPECT_EQ(1, gateway_registrar(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_replaced));
}

TEST(registrar, has_one_contact_for_a_flow)
{
	const char *text;

	start();
	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	text = guest_registered(&(struct guest){.token = token(),
						.cseq = 2,
						.expires_s = 600,
						.contact = "<sip:new@new.invalid;transport=ws>"});
	EXPECT_LINE("<sip:new@new.invalid;transport=ws>;expires=600", text, "Contact");
	EXPECT_EQ(1, gateway_bindings(world.gw));
	guest_registered(&(struct guest){.at = 1, .token = token(), .cseq = 1, .expires_s = 600});
	/* that of the other flow, which has one already */
	text = guest_registered(&(struct guest){.token = token(),
						.cseq = 3,
						.expires_s = 600,
						.contact = "<sip:c1@c1.invalid;transport=ws>"});
	EXPECT_EQ(1, lines(text, "Contact"));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(1, gateway_registrar(world.gw));
}

TEST(registrar, refuses_one_contact_too_many)
{
	start();
	world.config.block_contacts = 1;
	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	world_forget();
	EXPECT_EQ(GW_OK,
		  guest_registers(
			  &(struct guest){.at = 1, .token = token(), .cseq = 1, .expires_s = 600}));
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, lines(world_only(TO_WIC), "Retry-After"));
	EXPECT_EQ(1, gateway_registrar(world.gw));
	guest_registered(&(struct guest){.token = token(), .cseq = 2, .expires_s = 600});
}

TEST(registrar, refuses_a_contact_that_is_too_long)
{
	start();
	EXPECT_EQ(GW_SIP_TOO_LONG,
		  guest_registers(&(struct guest){.token = token(),
						  .cseq = 1,
						  .expires_s = 600,
						  .contact = format("<sip:%0500d@x.invalid>", 1)}));
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(0, gateway_registrar(world.gw));
}

TEST(registrar, has_no_row_for_a_binding_that_there_is_no_room_for)
{
	start();
	atomic_store(&world.counters.binding_live, 4);
	EXPECT_EQ(GW_BINDING_LIMIT,
		  guest_registers(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600}));
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
	EXPECT_EQ(0, gateway_registrar(world.gw));
}

TEST(registrar, refuses_new_ones_while_the_block_is_down_and_keeps_what_there_is)
{
	start();
	guest_registered(&(
		struct guest){.token = token_guest(GUEST1, 20000), .cseq = 1, .expires_s = 10000});
	guest_registered(&(struct guest){
		.at = 1, .token = token_guest(GUEST1, 20000), .cseq = 1, .expires_s = 10000});
	block_goes_down();
	world_forget();
	EXPECT_EQ(GW_BLOCK_DOWN,
		  guest_registers(
			  &(struct guest){.at = 2, .token = token(), .cseq = 1, .expires_s = 600}));
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, lines(world_only(TO_WIC), "Retry-After"));
	EXPECT_EQ(2, gateway_bindings(world.gw));
	guest_registered(&(struct guest){.cseq = 2}); /* who leaves may */
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(registrar, forgets_a_binding_whose_connection_ends)
{
	start();
	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	wic_leaves(0);
	EXPECT_EQ(0, gateway_registrar(world.gw));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	world_forget();
	world_wait(31 * S); /* the grace of its dialogs */
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(0, world.count); /* there is nothing that the core would have to hear */
	EXPECT_EQ(0, gateway_homes(world.gw));
	EXPECT_EQ(0, block_row().bindings);
}

TEST(registrar, lets_a_client_come_back_in_its_grace)
{
	struct guest g = {.cseq = 1,
			  .expires_s = 600,
			  .contact = OUTBOUND_CONTACT("sip:x@x.invalid;transport=ws")};

	start();
	g.token = token();
	guest_registered(&g);
	wic_leaves(0);
	world_wait(10 * S);
	g.at = 1;
	guest_registered(&g);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	world_wait(40 * S);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(1, gateway_registrar(world.gw));
	EXPECT_EQ(1, block_row().bindings);
}

TEST(registrar, ends_what_an_operator_takes_back)
{
	struct gateway_ended ended;
	bool more;

	start();
	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	world_revoke("j1");
	EXPECT(gateway_revoked(world.gw, &ended, &more));
	EXPECT_EQ(GW_TOKEN_JTI, ended.why);
	EXPECT_EQ(0, gateway_registrar(world.gw));
	EXPECT_EQ(0, gateway_bindings(world.gw));

	start();
	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	world_disable("shop");
	EXPECT(gateway_revoked(world.gw, &ended, &more));
	EXPECT_EQ(0, gateway_registrar(world.gw));

	start();
	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	block_without_pattern();
	EXPECT(gateway_revoked(world.gw, &ended, &more));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, ended.why);
	EXPECT_EQ(0, gateway_registrar(world.gw));
}

TEST(registrar, ends_bindings_of_another_mode_when_their_web_site_becomes_a_block)
{
	struct gateway_ended ended;
	bool more;

	block_guest_home(0);
	world_start();
	world_register();
	block_configure();
	world.pairs.part.generation++;
	world_turn();
	EXPECT(gateway_revoked(world.gw, &ended, &more));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, ended.why);
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

/* ---- home workers --------------------------------------------------------------------------- */

static void start_elsewhere(void)
{
	block_guest_home(1);
	block_up();
	block_guest_home(0);
}

/** The home worker says this about the last question. */
static void home_answers(enum gw_err err, const char *contacts)
{
	const struct message_registrar_ask *ask =
		(const void *)block_letter(MESSAGE_REGISTRAR_ASK)->head;
	uint8_t bytes[1024];
	struct message_registrar_answer m = {
		.head = {MESSAGE_REGISTRAR_ANSWER, (uint32_t)(sizeof(m) + strlen(contacts))},
		.transaction = ask->transaction,
		.err = err,
	};

	memcpy(bytes, &m, sizeof(m));
	memcpy(bytes + sizeof(m), contacts, strlen(contacts));
	gateway_registrar_message(world.gw, (const void *)bytes, span_of(bytes, m.head.len));
}

TEST(registrar, asks_the_home_worker_of_the_identity)
{
	const struct message_registrar_ask *ask;

	start_elsewhere();
	EXPECT_EQ(GW_OK,
		  guest_registers(&(struct guest){.token = token(), .cseq = 4, .expires_s = 600}));
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(1, block_letter(MESSAGE_REGISTRAR_ASK)->worker);
	EXPECT_TEXT("<sip:c0@c0.invalid;transport=ws>", block_letter(MESSAGE_REGISTRAR_ASK)->text);
	ask = (const void *)block_letter(MESSAGE_REGISTRAR_ASK)->head;
	EXPECT_EQ(REGISTRAR_BIND, ask->what);
	EXPECT_EQ(4, ask->cseq);
	EXPECT_EQ(600, ask->expires_s);
	EXPECT_EQ(3, ask->max);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	home_answers(GW_OK, "Contact: <sip:c0@c0.invalid;transport=ws>;expires=600" CRLF);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_LINE("<sip:c0@c0.invalid;transport=ws>;expires=600", world.sent[1].text, "Contact");
	EXPECT_EQ(200, status_of(world.sent[1].text));
	EXPECT_EQ(0, world_transactions());
	home_answers(GW_OK, ""); /* what comes again is of a transaction that has ended */
	EXPECT_EQ(2, world.count);
}

static const struct message_registrar_gone *gone_of(void)
{
	assert_non_null(block_letter(MESSAGE_REGISTRAR_GONE));
	return (const void *)block_letter(MESSAGE_REGISTRAR_GONE)->head;
}

TEST(registrar, says_by_which_register_came_what_is_gone)
{
	const struct message_registrar_ask *ask;
	struct message_registrar_answer m = {.head = {MESSAGE_REGISTRAR_ANSWER, sizeof(m)}};
	uint64_t call_id;

	start_elsewhere();
	EXPECT_EQ(GW_OK,
		  guest_registers(&(struct guest){.token = token(), .cseq = 4, .expires_s = 600}));
	home_answers(GW_OK, "");
	world_forget();
	EXPECT_EQ(GW_OK, guest_registers(&(struct guest){.cseq = 5}));
	ask = (const void *)block_letter(MESSAGE_REGISTRAR_ASK)->head;
	m.transaction = ask->transaction;
	call_id = ask->call_id;
	world_forget(); /* and before that is answered: */
	EXPECT_EQ(GW_OK,
		  guest_registers(&(struct guest){.token = token(), .cseq = 6, .expires_s = 600}));
	gateway_registrar_message(world.gw, &m.head, span_of(&m, sizeof(m)));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(4, gone_of()->order.cseq);
	EXPECT_EQ(call_id, gone_of()->order.call_id);
	home_answers(GW_OK, "");
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(registrar, hands_on_what_the_home_worker_refuses)
{
	start_elsewhere();
	EXPECT_EQ(GW_OK,
		  guest_registers(&(struct guest){.token = token(), .cseq = 4, .expires_s = 600}));
	home_answers(GW_REGISTRAR_ORDER, "");
	EXPECT_EQ(500, status_of(world.sent[1].text));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(EVENT_REGISTER_FAILED, world.event[0].what);
}

TEST(registrar, gives_up_when_the_home_worker_does_not_answer)
{
	start_elsewhere();
	EXPECT_EQ(GW_OK,
		  guest_registers(&(struct guest){.token = token(), .cseq = 4, .expires_s = 600}));
	world_wait(3 * S);
	EXPECT_EQ(MESSAGE_REGISTRAR_GONE,
		  ((const struct message_head *)block_letter(MESSAGE_REGISTRAR_GONE)->head)->kind);
	EXPECT_EQ(503, status_of(world.sent[world.count - 1].text));
	EXPECT_EQ(1, world_count(&world.counters.errors[GW_REGISTRAR_BUSY]));
	EXPECT_EQ(0, world_transactions());
	home_answers(GW_OK, ""); /* it comes too late */
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(registrar, binds_nobody_for_longer_than_the_token_is_good_when_the_answer_comes)
{
	struct row_binding row;
	uint32_t cursor = 0;

	start_elsewhere();
	EXPECT_EQ(GW_OK, guest_registers(&(struct guest){.token = token_guest(GUEST1, 100),
							 .cseq = 4,
							 .expires_s = 600}));
	world_wait(1500000);
	home_answers(GW_OK, "");
	EXPECT_EQ(1, gateway_rows(world.gw, &cursor, 1, &row));
	EXPECT_EQ(98, row.expires_s);
	start_elsewhere();
	world.config.min_grant_s = 1;
	world_reload();
	world_forget();
	EXPECT_EQ(GW_OK, guest_registers(&(struct guest){.token = token_guest(GUEST1, 2),
							 .cseq = 4,
							 .expires_s = 600}));
	world_wait(1500000);
	home_answers(GW_OK, "");
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(401, status_of(world.sent[world.count - 1].text));
	EXPECT_EQ(4, gone_of()->order.cseq);
}

TEST(registrar, ends_a_binding_whose_refresh_comes_to_nothing_here)
{
	start_elsewhere();
	world.config.min_grant_s = 1;
	world_reload();
	world_forget();
	EXPECT_EQ(GW_OK,
		  guest_registers(&(struct guest){.token = token(), .cseq = 4, .expires_s = 600}));
	home_answers(GW_OK, "");
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_forget();
	EXPECT_EQ(GW_OK, guest_registers(&(struct guest){.token = token_guest(GUEST1, 2),
							 .cseq = 5,
							 .expires_s = 600}));
	world_wait(1500000);
	home_answers(GW_OK, "");
	EXPECT_EQ(401, status_of(world.sent[world.count - 1].text));
	EXPECT_EQ(5, gone_of()->order.cseq); /* the home worker has it no more */
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(registrar, keeps_a_binding_whose_refresh_is_not_answered)
{
	start_elsewhere();
	EXPECT_EQ(GW_OK,
		  guest_registers(&(struct guest){.token = token(), .cseq = 4, .expires_s = 600}));
	home_answers(GW_OK, "");
	world_forget();
	EXPECT_EQ(GW_OK,
		  guest_registers(&(struct guest){.token = token(), .cseq = 5, .expires_s = 600}));
	world_wait(3 * S);
	assert_null(block_letter(MESSAGE_REGISTRAR_GONE));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	wic_leaves(0); /* the home worker may have it from that one */
	EXPECT_EQ(5, gone_of()->order.cseq);
}

TEST(registrar, refuses_at_once_when_the_ring_is_full)
{
	start_elsewhere();
	world.to_worker_err = GW_QUEUE_FULL;
	EXPECT_EQ(GW_REGISTRAR_BUSY,
		  guest_registers(&(struct guest){.token = token(), .cseq = 4, .expires_s = 600}));
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, world_count(&world.counters.registrar_ring_full));
	EXPECT_EQ(0, world_transactions());
}

TEST(registrar, tells_the_home_worker_of_a_flow_that_ends_while_it_asks)
{
	start_elsewhere();
	EXPECT_EQ(GW_OK,
		  guest_registers(&(struct guest){.token = token(), .cseq = 4, .expires_s = 600}));
	wic_leaves(0);
	assert_non_null(block_letter(MESSAGE_REGISTRAR_GONE));
	EXPECT_EQ(0, world_transactions());
	home_answers(GW_OK, "");
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(registrar, ends_who_registers_as_the_block_is_rejected)
{
	struct message_block m;
	struct gateway_ended ended;
	bool more;

	block_guest_home(1);
	block_start_at(1);
	block_guest_home(0);
	m = block_says(true);
	gateway_block(world.gw, &m, SPAN(""));
	EXPECT_EQ(GW_OK,
		  guest_registers(&(struct guest){.token = token(), .cseq = 4, .expires_s = 600}));
	world_wait(1000);
	m.up = false;
	m.rejected_us = world.now_us;
	gateway_block(world.gw, &m, SPAN(""));
	EXPECT(!gateway_revoked(world.gw, &ended, &more));
	home_answers(GW_OK, ""); /* its home worker did not know yet */
	EXPECT(gateway_revoked(world.gw, &ended, &more));
	EXPECT_EQ(GW_REG_REJECTED, ended.why);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	assert_non_null(block_letter(MESSAGE_REGISTRAR_GONE));
}

/** guest1 is bound, and there is no room for another one until he has gone. */
static void fills_up(void)
{
	struct guest second = {.at = 1, .impu = GUEST2, .cseq = 1, .expires_s = 600};

	guest_registered(&(struct guest){.token = token(), .cseq = 1, .expires_s = 600});
	world_forget();
	second.token = token_guest(GUEST2, 600);
	EXPECT_EQ(GW_BINDING_LIMIT, guest_registers(&second));
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, lines(world_only(TO_WIC), "Retry-After"));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(1, gateway_registrar(world.gw)); /* its home worker has not heard of it */
	EXPECT_EQ(0, world_transactions());
	guest_registered(&(struct guest){.token = token(), .cseq = 2, .expires_s = 600});
	guest_registered(&(struct guest){.cseq = 3});
	second.cseq = 2;
	guest_registered(&second);
	EXPECT_EQ(0, world_count(&world.counters.invariant_broken));
}

TEST(registrar, refuses_who_finds_no_room_among_the_bindings_of_the_worker)
{
	start();
	gateway_free(world.gw);
	world.gateway_config.max_bindings = 1;
	world.gw = gateway_new(&world.gateway_config);
	world_turn();
	block_registers(7200);
	fills_up();
}

TEST(registrar, refuses_who_finds_no_room_among_the_bindings_of_its_web_site)
{
	start();
	world.wwsf[0].max_bindings = 1;
	world_reload();
	fills_up();
}

TEST(registrar, ends_the_binding_that_another_flow_has_removed)
{
	const struct message_registrar_ask *ask;
	struct message_registrar_ended m = {.head = {MESSAGE_REGISTRAR_ENDED, sizeof(m)}};

	start_elsewhere();
	EXPECT_EQ(GW_OK,
		  guest_registers(&(struct guest){.token = token(), .cseq = 4, .expires_s = 600}));
	home_answers(GW_OK, "");
	ask = (const void *)block_letter(MESSAGE_REGISTRAR_ASK)->head;
	m.flow = world.wic[0].flow;
	gateway_registrar_message(world.gw, &m.head, span_of(&m, sizeof(m)));
	EXPECT_EQ(1, gateway_bindings(world.gw)); /* of another identity */
	m.key = ask->key;
	m.order.call_id = ask->call_id;
	for (m.order.cseq = 3; m.order.cseq <= 5; m.order.cseq++) { /* its own is 4 */
		gateway_registrar_message(world.gw, &m.head, span_of(&m, sizeof(m)));
		EXPECT_EQ(m.order.cseq < 4 ? 1 : 0, gateway_bindings(world.gw));
	}
	EXPECT_EQ(0, world.wic[0].identity);
}

TEST_MAIN("register_block", RUN(registrar, answers_with_the_bindings_and_the_core_hears_nothing),
	  RUN(registrar, says_outbound_and_a_flow_timer_to_who_uses_it),
	  RUN(registrar, lists_the_bindings_of_all_flows),
	  RUN(registrar, grants_no_more_than_the_token_covers),
	  RUN(registrar, grants_ten_minutes_to_who_asks_for_no_time),
	  RUN(registrar, refuses_a_token_that_ends_too_soon_and_a_time_that_is_too_short),
	  RUN(registrar, refuses_who_is_outside_of_the_block_or_not_in_the_token),
	  RUN(registrar, has_one_identity_for_a_flow),
	  RUN(registrar, names_who_the_token_names_where_the_request_names_nobody),
	  RUN(registrar, knows_what_a_client_may_demand),
	  RUN(registrar, aborts_an_update_that_is_older_than_one_before),
	  RUN(registrar, removes_the_contact_that_is_named_without_a_token),
	  RUN(registrar, leaves_a_binding_alone_when_another_contact_goes),
	  RUN(registrar, removes_all_bindings_of_the_identity_for_a_star),
	  RUN(registrar, gives_a_binding_to_the_next_flow_of_its_instance),
	  RUN(registrar, has_one_contact_for_a_flow), RUN(registrar, refuses_one_contact_too_many),
	  RUN(registrar, refuses_a_contact_that_is_too_long),
	  RUN(registrar, has_no_row_for_a_binding_that_there_is_no_room_for),
	  RUN(registrar, refuses_new_ones_while_the_block_is_down_and_keeps_what_there_is),
	  RUN(registrar, forgets_a_binding_whose_connection_ends),
	  RUN(registrar, lets_a_client_come_back_in_its_grace),
	  RUN(registrar, ends_what_an_operator_takes_back),
	  RUN(registrar, ends_bindings_of_another_mode_when_their_web_site_becomes_a_block),
	  RUN(registrar, asks_the_home_worker_of_the_identity),
	  RUN(registrar, hands_on_what_the_home_worker_refuses),
	  RUN(registrar, gives_up_when_the_home_worker_does_not_answer),
	  RUN(registrar, ends_a_binding_whose_refresh_comes_to_nothing_here),
	  RUN(registrar, keeps_a_binding_whose_refresh_is_not_answered),
	  RUN(registrar, refuses_at_once_when_the_ring_is_full),
	  RUN(registrar, tells_the_home_worker_of_a_flow_that_ends_while_it_asks),
	  RUN(registrar, ends_who_registers_as_the_block_is_rejected),
	  RUN(registrar, refuses_who_finds_no_room_among_the_bindings_of_the_worker),
	  RUN(registrar, refuses_who_finds_no_room_among_the_bindings_of_its_web_site),
	  RUN(registrar, ends_the_binding_that_another_flow_has_removed),
	  RUN(registrar, has_no_events_of_the_core_for_its_bindings),
	  RUN(registrar, says_by_which_register_came_what_is_gone),
	  RUN(registrar, binds_nobody_for_longer_than_the_token_is_good_when_the_answer_comes),
	  RUN(registrar, removes_a_contact_whose_web_site_is_none_any_more))
