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
	back_end_stop_listening(w);
}

/* ---- packets ----------------------------------------------------------------------------------
 */

static void answer_pong(struct worker *w, uint32_t id, enum gw_err err, uint32_t rtt_us)
{
	struct row_pong row = {err, rtt_us};
	struct message_answer head = {.id = id, .rows = 1, .row_size = sizeof(row)};

	answer(w, &head, &row);
}

static void ping(struct worker *w, const struct message_command *command)
{
	enum gw_err err = w->net[NET_PACKETS] == NULL
				  ? GW_NOT_SUPPORTED
				  : net_ping(w->net[NET_PACKETS], &command->peer, command->id);

	if (err != GW_OK) /* else: when it is answered, or late */
		answer_pong(w, command->id, err, 0);
}

/** filter NULL: ends it. */
static void capture(struct worker *w, const struct message_command *command,
		    const struct capture_filter *filter)
{
	struct row_done row = {GW_NOT_SUPPORTED};
	struct message_answer head = {.id = command->id, .rows = 1, .row_size = sizeof(row)};

	if (w->net[NET_PACKETS] != NULL)
		row.err = net_capture(w->net[NET_PACKETS], filter);
	answer(w, &head, &row);
}

static void capture_begin(struct worker *w, const struct message_command *command, struct span body)
{
	struct capture_filter filter;
	uint32_t head = offsetof(struct capture_filter, insn);

	memset(&filter, 0, sizeof(filter));
	if (span_copy(&body, &filter, head) && filter.count <= CAPTURE_INSNS_MAX &&
	    span_copy(&body, filter.insn, filter.count * (uint32_t)sizeof(filter.insn[0])))
		capture(w, command, &filter);
	else
		worker_count(w, GW_INVARIANT);
}

static void on_pong(void *context, uint32_t id, enum gw_err err, uint32_t rtt_us)
{
	answer_pong(context, id, err, rtt_us);
}

static void on_captured(void *context, const struct captured *captured, struct span bytes)
{
	struct worker *w = context;
	struct message_captured message = {
		.head = {MESSAGE_CAPTURED, (uint32_t)sizeof(message) + bytes.len},
		.now_us = w->clock.now_us,
		.netif = captured->netif,
		.len = captured->len,
		.sent = captured->sent,
	};

	if (mailbox_send(w->config.hub, w->config.index, w->config.workers,
			 span_of(&message, sizeof(message)), bytes) == GW_OK)
		counter_add(&w->counters.net_captured, 1);
	else
		counter_add(&w->counters.net_capture_lost, 1);
}

static void on_alarm(void *context, enum gw_err what, const struct endpoint *about)
{
	struct message_event event = {.what = EVENT_NET_ALARM, .err = what, .peer = *about};

	worker_event(context, &event);
}

const struct net_events command_net_events = {
	.pong = on_pong,
	.captured = on_captured,
	.alarm = on_alarm,
};

void command_run(struct worker *w, struct span message)
{
	const struct message_command *command = (const void *)message.at;

	switch (command->what) {
	case COMMAND_CONNECTIONS:
		connections(w, command);
		return;
	case COMMAND_BINDINGS:
		bindings(w, command);
		return;
	case COMMAND_PING:
		ping(w, command);
		return;
	case COMMAND_CAPTURE:
		capture_begin(w, command, span_from(message, sizeof(*command)));
		return;
	case COMMAND_CAPTURE_END:
		capture(w, command, NULL);
		return;
	case COMMAND_DRAIN:
		drain(w);
		return;
	}
	worker_count(w, GW_NOT_SUPPORTED);
}
