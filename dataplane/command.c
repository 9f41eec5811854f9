/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

/* What control asks of a worker, and what it gets: rows by value, a page at a time. */

static void answer(struct worker *w, struct message_answer *head, const void *rows)
{
	uint32_t bytes = head->rows * head->row_size;

	head->head = (struct message_head){MESSAGE_ANSWER, (uint32_t)sizeof(*head) + bytes};
	/* a full ring: control's deadline tells its user "busy" */
	if (mailbox_send(w->config.hub, w->config.index, w->config.workers,
			 span_of(head, sizeof(*head)), span_of(rows, bytes)) != GW_OK)
		counter_add(&w->counters.mailbox_full, 1);
}

static uint32_t page(const struct message_command *command)
{
	return command->max < ANSWER_ROWS_MAX ? command->max : ANSWER_ROWS_MAX;
}

static void connections(struct worker *w, const struct message_command *command)
{
	struct row_connection rows[ANSWER_ROWS_MAX];
	struct message_answer head = {
		.id = command->id,
		.row_size = sizeof(rows[0]),
		.cursor = command->cursor,
	};

	head.rows = session_rows(w, &head.cursor, page(command), rows);
	answer(w, &head, rows);
}

static void bindings(struct worker *w, const struct message_command *command)
{
	struct row_binding rows[ANSWER_ROWS_MAX];
	struct message_answer head = {
		.id = command->id,
		.row_size = sizeof(rows[0]),
		.cursor = command->cursor,
	};

	head.rows = gateway_rows(w->gateway, &head.cursor, page(command), rows);
	answer(w, &head, rows);
}

static void drain(struct worker *w)
{
	w->draining = true; /* worker_turn() closes the sessions */
	net_stop_listening(w->net);
}

void command_run(struct worker *w, const struct message_command *command)
{
	switch (command->what) {
	case COMMAND_CONNECTIONS:
		connections(w, command);
		return;
	case COMMAND_BINDINGS:
		bindings(w, command);
		return;
	case COMMAND_DRAIN:
		drain(w);
		return;
	}
	worker_count(w, GW_NOT_SUPPORTED);
}
