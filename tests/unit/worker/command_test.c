/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

/* What control is answered about connections: those of a back end of the test's own beside those of
 * the kernel. */

struct crowd {
	struct net_core core;
	uint32_t count;
};

/** Number n of a crowd: its peer's port is 1000 + n. */
static bool crowd_next_row(struct net_core *core, uint32_t *cursor, struct conn_row *row)
{
	if (*cursor == ((struct crowd *)core)->count)
		return false;
	*row = (struct conn_row){.ref = {.slot = *cursor}, .state = "ESTAB"};
	row->local = world_endpoint("198.18.0.10", 443);
	row->peer = world_endpoint("198.18.0.30", (uint16_t)(1000 + *cursor));
	++*cursor;
	return true;
}

static const struct net_ops crowd_ops = {.name = "packets", .next_row = crowd_next_row};

/** The last answer. */
static struct heard {
	struct message_answer head;
	struct row_connection rows[ANSWER_ROWS_MAX];
	uint32_t count;
} heard;

static void take(void *context, uint16_t from, struct span message)
{
	if (!span_copy(&message, &heard.head, sizeof(heard.head)) ||
	    heard.head.head.kind != MESSAGE_ANSWER)
		return;
	heard.count++;
	EXPECT(heard.head.rows <= ANSWER_ROWS_MAX);
	EXPECT_EQ(sizeof(heard.rows[0]), heard.head.row_size);
	EXPECT(span_copy(&message, heard.rows, heard.head.rows * (uint32_t)sizeof(heard.rows[0])));
}

/** One page; the worker does not turn. */
static void ask(struct world *world, struct message_command *command, uint32_t cursor)
{
	struct worker *w = world->worker[0];

	command->head = (struct message_head){MESSAGE_COMMAND, sizeof(*command)};
	command->what = COMMAND_CONNECTIONS;
	command->id = 7;
	command->cursor = cursor;
	if (command->max == 0)
		command->max = ANSWER_ROWS_MAX;
	heard.count = 0;
	command_run(w, span_of(command, sizeof(*command)));
	(void)mailbox_receive(world->hub, world->workers, 10, take, NULL);
	EXPECT_EQ(1, heard.count);
	EXPECT_EQ(7, heard.head.id);
}

/** A world whose worker has a crowd on its packet ports; taken away before it turns again. */
static void open_crowd(struct world *world, struct crowd *crowd, uint32_t count)
{
	*crowd = (struct crowd){.core.ops = &crowd_ops, .count = count};
	*world = world_plan();
	world_open(world);
	world->worker[0]->net[NET_PACKETS] = &crowd->core;
}

static void close_crowd(struct world *world)
{
	world->worker[0]->net[NET_PACKETS] = NULL;
	world_close(world);
}

TEST(connections, are_told_page_by_page_of_one_back_end_after_the_other)
{
	struct message_command command = {0};
	uint32_t cursor = 0, total = 0, kernel = 0, pages = 0;
	struct crowd crowd;
	struct world world;
	struct peer *wic;

	open_crowd(&world, &crowd, 150);
	world.worker[0]->net[NET_PACKETS] = NULL;
	wic = wic_open(&world);
	world.worker[0]->net[NET_PACKETS] = &crowd.core;
	do {
		ask(&world, &command, cursor);
		EXPECT(heard.head.cursor == 0 || heard.head.cursor > cursor);
		cursor = heard.head.cursor;
		for (uint32_t i = 0; i < heard.head.rows; i++)
			kernel += heard.rows[i].back_end == NET_KERNEL;
		total += heard.head.rows;
	} while (cursor != 0 && ++pages < 10);
	EXPECT_EQ(1, kernel);
	EXPECT_EQ(151, total);
	EXPECT_EQ(2, pages); /* two full ones and a rest */
	world.worker[0]->net[NET_PACKETS] = NULL;
	peer_free(&world, wic);
	close_crowd(&world);
}

TEST(connections, that_nobody_asked_for_are_passed_over_some_in_each_turn)
{
	struct message_command command = {.port = 1599};
	struct crowd crowd;
	struct world world;
	uint32_t cursor = 0;

	open_crowd(&world, &crowd, 600);
	for (int i = 0; i < 2; i++) {
		ask(&world, &command, cursor);
		EXPECT_EQ(0, heard.head.rows);
		EXPECT(heard.head.cursor > cursor);
		cursor = heard.head.cursor;
	}
	ask(&world, &command, cursor);
	EXPECT_EQ(1, heard.head.rows);
	EXPECT_EQ(599, heard.rows[0].conn.ref.slot);
	EXPECT_EQ(NET_PACKETS, heard.rows[0].back_end);
	EXPECT_EQ(0, heard.head.cursor);
	close_crowd(&world);
}

TEST(connections, are_found_by_either_end)
{
	static const struct {
		const char *host; /* NULL: any */
		uint16_t port;
		uint32_t rows;
	} wanted[] = {
		{"198.18.0.10", 443, 5}, {"198.18.0.30", 1004, 1}, {"198.18.0.10", 1004, 0},
		{"198.18.0.30", 0, 5},	 {NULL, 443, 5},	   {"198.18.0.99", 0, 0},
	};
	struct crowd crowd;
	struct world world;

	open_crowd(&world, &crowd, 5);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct message_command command = {.port = wanted[i].port};

		if (wanted[i].host != NULL)
			command.peer = world_endpoint(wanted[i].host, 0);
		ask(&world, &command, 0);
		EXPECT_EQ(wanted[i].rows, heard.head.rows);
		EXPECT_EQ(0, heard.head.cursor);
	}
	close_crowd(&world);
}

TEST_MAIN("worker_command", RUN(connections, are_told_page_by_page_of_one_back_end_after_the_other),
	  RUN(connections, that_nobody_asked_for_are_passed_over_some_in_each_turn),
	  RUN(connections, are_found_by_either_end))
