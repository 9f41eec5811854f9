/* SPDX-License-Identifier: BSD-3-Clause */
#include "block.h"

/* The home worker of identities of a block, asked by other workers: PROTOCOL 8.2, RFC 3261 10.3. */

#define S 1000000ull

static void start(void)
{
	block_guest_home(0);
	block_up();
}

/** A question of a flow of worker 1 about guest1, whose home is this one. */
static struct message_registrar_ask question(enum registrar_what what, uint32_t slot, uint32_t cseq)
{
	return (struct message_registrar_ask){
		.head = {MESSAGE_REGISTRAR_ASK, sizeof(struct message_registrar_ask) + 10},
		.what = what,
		.key = {.impu = 2, .site = 3},
		.flow = {.worker = 1, .slot = slot, .generation = 5},
		.transaction = {.worker = 1, .slot = 9, .generation = 6},
		.apart = 100 + slot,
		.call_id = slot,
		.cseq = cseq,
		.expires_s = 600,
		.max = 3,
	};
}

static const struct message_registrar_answer *ask_here(struct message_registrar_ask m)
{
	uint8_t bytes[sizeof(m) + 10];

	world_forget();
	memcpy(bytes, &m, sizeof(m));
	memcpy(bytes + sizeof(m), "<sip:x@y>;", 10);
	gateway_registrar_message(world.gw, (const void *)bytes, span_of(bytes, sizeof(bytes)));
	assert_non_null(block_letter(MESSAGE_REGISTRAR_ANSWER));
	EXPECT_EQ(1, block_letter(MESSAGE_REGISTRAR_ANSWER)->worker);
	return (const void *)block_letter(MESSAGE_REGISTRAR_ANSWER)->head;
}

TEST(registrar, answers_flows_of_other_workers)
{
	struct message_registrar_gone m = {.head = {MESSAGE_REGISTRAR_GONE, sizeof(m)}};

	start();
	EXPECT_EQ(GW_OK, ask_here(question(REGISTRAR_BIND, 1, 1))->err);
	EXPECT_TEXT("Contact: <sip:x@y>;;expires=600" CRLF,
		    block_letter(MESSAGE_REGISTRAR_ANSWER)->text);
	EXPECT_EQ(1, world_count(&world.counters.registrar_live));
	EXPECT_EQ(GW_REGISTRAR_ORDER, ask_here(question(REGISTRAR_BIND, 1, 1))->err);
	EXPECT_EQ(GW_OK, ask_here(question(REGISTRAR_BIND, 2, 1))->err);
	EXPECT_EQ(GW_OK, ask_here(question(REGISTRAR_BIND, 3, 1))->err);
	EXPECT_EQ(GW_BINDING_LIMIT, ask_here(question(REGISTRAR_BIND, 4, 1))->err);
	EXPECT_EQ(GW_REGISTRAR_ORDER, ask_here(question(REGISTRAR_UNBIND_ALL, 2, 1))->err);
	EXPECT_EQ(3, gateway_registrar(world.gw));
	m.key = question(REGISTRAR_FETCH, 0, 0).key;
	m.flow = question(REGISTRAR_FETCH, 4, 0).flow;
	m.order = (struct registrar_order){4, 1};
	gateway_registrar_message(world.gw, &m.head, span_of(&m, sizeof(m))); /* has none */
	EXPECT_EQ(3, gateway_registrar(world.gw));
	m.flow = question(REGISTRAR_FETCH, 3, 0).flow;
	m.order = (struct registrar_order){3, 1};
	gateway_registrar_message(world.gw, &m.head, span_of(&m, sizeof(m)));
	EXPECT_EQ(2, gateway_registrar(world.gw));
	EXPECT_EQ(GW_OK, ask_here(question(REGISTRAR_UNBIND_ALL, 9, 1))->err);
	EXPECT_EQ(0, gateway_registrar(world.gw));
	EXPECT_TEXT("", block_letter(MESSAGE_REGISTRAR_ANSWER)->text);
	assert_non_null(block_letter(MESSAGE_REGISTRAR_ENDED)); /* 1 and 2 hear of it */
	EXPECT_EQ(GW_OK, ask_here(question(REGISTRAR_UNBIND, 1, 1))->err);
}

TEST(registrar, keeps_what_came_by_a_later_register_than_what_is_gone)
{
	struct message_registrar_gone m = {.head = {MESSAGE_REGISTRAR_GONE, sizeof(m)}};

	start();
	EXPECT_EQ(GW_OK, ask_here(question(REGISTRAR_BIND, 1, 4))->err);
	EXPECT_EQ(GW_OK, ask_here(question(REGISTRAR_UNBIND, 1, 5))->err);
	EXPECT_EQ(0, gateway_registrar(world.gw));
	EXPECT_EQ(GW_OK, ask_here(question(REGISTRAR_BIND, 1, 6))->err);
	m.key = question(REGISTRAR_FETCH, 0, 0).key;
	m.flow = question(REGISTRAR_FETCH, 1, 0).flow;
	m.order = (struct registrar_order){1, 4};
	gateway_registrar_message(world.gw, &m.head, span_of(&m, sizeof(m)));
	EXPECT_EQ(1, gateway_registrar(world.gw));
	m.order = (struct registrar_order){77, 9}; /* of another call */
	gateway_registrar_message(world.gw, &m.head, span_of(&m, sizeof(m)));
	EXPECT_EQ(1, gateway_registrar(world.gw));
	m.order = (struct registrar_order){1, 6};
	gateway_registrar_message(world.gw, &m.head, span_of(&m, sizeof(m)));
	EXPECT_EQ(0, gateway_registrar(world.gw));
}

static const struct message_registrar_ended *ended_of(void)
{
	const struct sent *letter = block_letter(MESSAGE_REGISTRAR_ENDED);

	return letter != NULL ? (const void *)letter->head : NULL;
}

TEST(registrar, tells_who_had_a_contact_before_when_its_next_binding_comes_to_nothing)
{
	struct message_registrar_gone m = {.head = {MESSAGE_REGISTRAR_GONE, sizeof(m)}};
	struct message_registrar_ask next = question(REGISTRAR_BIND, 2, 7);

	start();
	next.apart = question(REGISTRAR_BIND, 1, 1).apart;
	EXPECT_EQ(GW_OK, ask_here(question(REGISTRAR_BIND, 1, 4))->err);
	EXPECT_EQ(GW_OK, ask_here(next)->err);
	EXPECT(ended_of() == NULL); /* it hears of it when the next one is attached */
	EXPECT_EQ(1, gateway_registrar(world.gw));
	world_forget();
	m.key = next.key;
	m.flow = next.flow;
	m.order = (struct registrar_order){2, 7};
	gateway_registrar_message(world.gw, &m.head, span_of(&m, sizeof(m)));
	EXPECT_EQ(0, gateway_registrar(world.gw));
	assert_non_null(ended_of());
	EXPECT_EQ(1, ended_of()->flow.slot);
	EXPECT_EQ(1, ended_of()->order.call_id);
	EXPECT_EQ(4, ended_of()->order.cseq);
}

TEST(registrar, tells_the_first_of_three_that_have_had_a_contact)
{
	struct message_registrar_ask next = question(REGISTRAR_BIND, 2, 7);

	start();
	next.apart = question(REGISTRAR_BIND, 1, 1).apart;
	EXPECT_EQ(GW_OK, ask_here(question(REGISTRAR_BIND, 1, 4))->err);
	EXPECT_EQ(GW_OK, ask_here(next)->err);
	next.flow.slot = 3;
	next.call_id = 3;
	EXPECT_EQ(GW_OK, ask_here(next)->err);
	assert_non_null(ended_of());
	EXPECT_EQ(1, ended_of()->flow.slot);
	next.flow.slot = 2; /* and back: that one is to have it */
	next.cseq = 8;
	EXPECT_EQ(GW_OK, ask_here(next)->err);
	EXPECT(ended_of() == NULL);
}

static struct handle transaction_asked(void)
{
	const struct sent *letter = block_letter(MESSAGE_REGISTRAR_ASK);
	const struct message_registrar_ask *m;

	assert_non_null(letter);
	m = (const void *)letter->head;
	return m->transaction;
}

TEST(registrar, leaves_alone_what_else_a_flow_has_when_a_register_comes_to_nothing)
{
	struct message_registrar_answer m = {.head = {MESSAGE_REGISTRAR_ANSWER, sizeof(m)}};
	struct handle first;

	block_guest_home(1);
	block_up();
	world.config.min_grant_s = 1;
	world_reload();
	world_forget();
	EXPECT_EQ(GW_OK, guest_registers(&(struct guest){.token = token_guest(GUEST1, 2),
							 .cseq = 1,
							 .expires_s = 600}));
	first = transaction_asked();
	world_forget();
	EXPECT_EQ(GW_OK, guest_registers(&(struct guest){.impu = GUEST2,
							 .token = token_guest(GUEST2, 600),
							 .cseq = 2,
							 .expires_s = 600}));
	if (gateway_bindings(world.gw) == 0) { /* its home is the other worker, too */
		m.transaction = transaction_asked();
		gateway_registrar_message(world.gw, &m.head, span_of(&m, sizeof(m)));
	}
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(1500000);
	world_forget();
	m.transaction = first;
	gateway_registrar_message(world.gw, &m.head, span_of(&m, sizeof(m)));
	EXPECT_EQ(401, status_of(world.sent[world.count - 1].text));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT(world.wic[0].identity != 0);
}

TEST(registrar, drops_an_answer_that_finds_the_ring_full)
{
	struct message_registrar_ask m = question(REGISTRAR_BIND, 1, 1);
	uint8_t bytes[sizeof(m) + 10] = {0};

	start();
	memcpy(bytes, &m, sizeof(m));
	world.to_worker_err = GW_QUEUE_FULL;
	gateway_registrar_message(world.gw, (const void *)bytes, span_of(bytes, sizeof(bytes)));
	EXPECT_EQ(1, world_count(&world.counters.registrar_ring_full));
	EXPECT_EQ(1, gateway_registrar(world.gw));
	world_wait(601 * S);
	EXPECT_EQ(0, gateway_registrar(world.gw));
}

TEST(registrar, refuses_what_its_table_has_no_room_for)
{
	start();
	for (uint32_t i = 0; i < 8; i++) {
		struct message_registrar_ask m = question(REGISTRAR_BIND, i, 1);

		m.key.impu = 2 * i + 100;
		EXPECT_EQ(GW_OK, ask_here(m)->err);
	}
	EXPECT_EQ(GW_BINDING_LIMIT, ask_here(question(REGISTRAR_BIND, 77, 1))->err);
	EXPECT_EQ(1, world_count(&world.counters.registrar_refused));
}

TEST_MAIN("registrar", RUN(registrar, answers_flows_of_other_workers),
	  RUN(registrar, tells_who_had_a_contact_before_when_its_next_binding_comes_to_nothing),
	  RUN(registrar, tells_the_first_of_three_that_have_had_a_contact),
	  RUN(registrar, leaves_alone_what_else_a_flow_has_when_a_register_comes_to_nothing),
	  RUN(registrar, drops_an_answer_that_finds_the_ring_full),
	  RUN(registrar, refuses_what_its_table_has_no_room_for),
	  RUN(registrar, keeps_what_came_by_a_later_register_than_what_is_gone))
