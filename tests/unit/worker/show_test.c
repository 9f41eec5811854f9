/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "peer.h"

/* One thing with what belongs to it, out of a worker with one WIC that has registered and asks. */

#define USER "sip:a@home1.net"

static struct heard {
	uint32_t answers, rows, cursor;
	struct row_show row[ANSWER_ROWS_MAX];
} heard;

static void hear(void *context, uint16_t from, struct span message)
{
	struct message_answer answer;

	(void)from;
	if (!span_copy(&message, &answer, sizeof(answer)) || answer.head.kind != MESSAGE_ANSWER)
		return;
	heard.answers++;
	heard.rows = answer.rows;
	heard.cursor = answer.cursor;
	EXPECT_EQ(sizeof(heard.row[0]), answer.row_size);
	EXPECT(span_copy(&message, heard.row, answer.rows * (uint32_t)sizeof(heard.row[0])));
}

static uint32_t show(struct world *world, const struct show_ask *ask)
{
	struct {
		struct message_command command;
		struct show_ask ask;
	} message = {{.what = COMMAND_SHOW, .id = 7}, *ask};

	message.command.head = (struct message_head){MESSAGE_COMMAND, sizeof(message)};
	memset(&heard, 0, sizeof(heard));
	command_run(world->worker[0], span_of(&message, sizeof(message)));
	world_run(world);
	EXPECT_EQ(0, heard.cursor);
	return heard.rows;
}

static uint32_t show_slot(struct world *world, enum show_what what, struct handle handle)
{
	const struct show_ask ask = {.what = what, .worker = handle.worker, .slot = handle.slot};

	return show(world, &ask);
}

static uint32_t show_impu(struct world *world, const char *impu)
{
	struct show_ask ask = {.len = (uint16_t)strlen(impu)};

	memcpy(ask.impu, impu, ask.len);
	return show(world, &ask);
}

/** A WIC that has registered, and has a MESSAGE under way. */
static struct peer *asks(struct world *world, struct peer *core)
{
	static char request[4096];
	struct peer *wic = wic_open(world);

	wic_text(world, wic, wic_register(world, TOKEN_GOOD, 1));
	peer_take(world, core);
	snprintf(request, sizeof(request), "%s", peer_text(core));
	peer_drop(core, core->len);
	core_send(world, core, MW_PORT, core_answer(request, "SIP/2.0 200 OK"));
	EXPECT_EQ(0, strncmp(wic_message(world, wic), "SIP/2.0 200", 11));
	wic_text(world, wic, wic_page(2));
	return wic;
}

static void expect_all(void)
{
	const struct row_transaction *t = &heard.row[3].transaction;

	EXPECT_EQ(4, heard.rows);
	EXPECT_EQ(SHOW_ROW_SESSION, heard.row[0].kind);
	EXPECT_TEXT("open", heard.row[0].session.state);
	EXPECT_EQ(SHOW_ROW_CONNECTION, heard.row[1].kind);
	EXPECT_EQ(endpoint_port(&heard.row[0].session.peer),
		  endpoint_port(&heard.row[1].connection.conn.peer));
	EXPECT_EQ(SHOW_ROW_BINDING, heard.row[2].kind);
	EXPECT(handle_equal(heard.row[0].session.handle, heard.row[2].binding.flow));
	EXPECT_EQ(SHOW_ROW_TRANSACTION, heard.row[3].kind);
	EXPECT(handle_equal(heard.row[0].session.handle, t->flow));
	EXPECT_TEXT("originate", t->kind);
	EXPECT_TEXT("MESSAGE", t->method);
	EXPECT_EQ(CORE_PORT, endpoint_port(&t->hop));
	EXPECT_EQ(MW_UDP, t->transport);
}

TEST(show, finds_all_of_a_flow_by_any_of_its_things)
{
	struct handle flow, binding, transaction;
	struct peer *core, *wic;
	struct world world = world_plan();

	world_open(&world);
	world.hear = hear;
	core = core_udp(&world);
	wic = asks(&world, core);
	EXPECT_EQ(4, show_impu(&world, USER));
	expect_all();
	flow = heard.row[0].session.handle;
	binding = heard.row[2].binding.handle;
	transaction = heard.row[3].transaction.handle;
	EXPECT_EQ(4, show_slot(&world, SHOW_CONNECTION, flow));
	expect_all();
	EXPECT_EQ(4, show_slot(&world, SHOW_BINDING, binding));
	expect_all();
	EXPECT_EQ(4, show_slot(&world, SHOW_CALL, transaction));
	expect_all();
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(show, finds_nothing_where_nothing_is)
{
	struct handle nowhere = {.slot = 2}, elsewhere = {.worker = 1};
	struct peer *core, *wic;
	struct world world = world_plan();

	world_open(&world);
	world.hear = hear;
	core = core_udp(&world);
	wic = asks(&world, core);
	EXPECT_EQ(0, show_impu(&world, "sip:bob@home1.net"));
	for (enum show_what what = SHOW_BINDING; what <= SHOW_CALL; what++) {
		EXPECT_EQ(0, show_slot(&world, what, nowhere));
		EXPECT_EQ(0, show_slot(&world, what, elsewhere));
		EXPECT_EQ(1, heard.answers);
	}
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(show, has_a_connection_that_has_not_registered)
{
	struct handle first = {0};
	struct peer *wic;
	struct world world = world_plan();

	world_open(&world);
	world.hear = hear;
	wic = wic_open(&world);
	EXPECT_EQ(2, show_slot(&world, SHOW_CONNECTION, first));
	EXPECT_EQ(SHOW_ROW_CONNECTION, heard.row[1].kind);
	peer_free(&world, wic);
	world_close(&world);
}

TEST_MAIN("show", RUN(show, finds_all_of_a_flow_by_any_of_its_things),
	  RUN(show, finds_nothing_where_nothing_is),
	  RUN(show, has_a_connection_that_has_not_registered))
