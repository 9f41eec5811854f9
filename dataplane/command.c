/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/crypto.h>

#include "pipeline.h"

/* What control asks of a worker, and what it gets: rows by value, a page at a time. */

void command_answer(struct worker *w, struct message_answer *head, const void *rows)
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

/* ---- connections: of all back ends, one after the other. A cursor has the back end above the
 * slot; a turn looks at a bounded number of connections, whatever the filter lets through. */

#define CURSOR_SLOT_BITS 28
#define CONNECTIONS_LOOKED_AT 256u

static bool is_wanted(const struct message_command *command, const struct endpoint *end)
{
	bool any_host = command->peer.sa.sa_family == AF_UNSPEC;

	return (any_host || endpoint_same_host(&command->peer, end)) &&
	       (command->port == 0 || command->port == endpoint_port(end));
}

static uint32_t connection_rows(struct worker *w, const struct message_command *command,
				uint32_t *cursor, struct row_connection *rows)
{
	uint32_t back_end = *cursor >> CURSOR_SLOT_BITS;
	uint32_t slot = *cursor & ((1u << CURSOR_SLOT_BITS) - 1), n = 0;

	for (uint32_t i = 0; i < CONNECTIONS_LOOKED_AT && back_end < NET_BACK_ENDS; i++) {
		struct conn_row *row = &rows[n].conn;

		if (n == page(command))
			break;
		rows[n].back_end = back_end;
		if (w->net[back_end] == NULL || !net_next_row(w->net[back_end], &slot, row)) {
			back_end++;
			slot = 0;
		} else if (is_wanted(command, &row->local) || is_wanted(command, &row->peer)) {
			n++;
		}
	}
	*cursor = back_end < NET_BACK_ENDS ? back_end << CURSOR_SLOT_BITS | slot : 0;
	return n;
}

static void connections(struct worker *w, const struct message_command *command)
{
	struct row_connection rows[ANSWER_ROWS_MAX];
	struct message_answer head = {
		.id = command->id,
		.row_size = sizeof(rows[0]),
		.cursor = command->cursor,
	};

	head.rows = connection_rows(w, command, &head.cursor, rows);
	command_answer(w, &head, rows);
}

#define MW_LINKS_FROM 1024 /* cursors below are of next hops */

/* ---- lists of the worker's own ------------------------------------------------------------- */

static void sessions(struct worker *w, const struct message_command *command)
{
	struct row_session rows[ANSWER_ROWS_MAX];
	struct message_answer head = {
		.id = command->id,
		.row_size = sizeof(rows[0]),
		.cursor = command->cursor,
	};

	head.rows = session_rows(w, &head.cursor, page(command), rows);
	command_answer(w, &head, rows);
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
	command_answer(w, &head, rows);
}

static void pools(struct worker *w, const struct message_command *command)
{
	struct row_pool rows[ANSWER_ROWS_MAX];
	struct message_answer head = {
		.id = command->id,
		.row_size = sizeof(rows[0]),
		.cursor = command->cursor,
	};

	head.rows = gateway_pool_rows(w->gateway, &head.cursor, page(command), rows);
	command_answer(w, &head, rows);
}

static void blocks(struct worker *w, const struct message_command *command)
{
	struct row_block rows[ANSWER_ROWS_MAX];
	struct message_answer head = {
		.id = command->id,
		.row_size = sizeof(rows[0]),
		.cursor = command->cursor,
	};

	head.rows = gateway_block_rows(w->gateway, &head.cursor, page(command), rows);
	command_answer(w, &head, rows);
}

/** The next hops, all in one page, then the connections, behind MW_LINKS_FROM. */
static void mw(struct worker *w, const struct message_command *command)
{
	struct row_mw rows[ANSWER_ROWS_MAX];
	struct message_answer head = {.id = command->id, .row_size = sizeof(rows[0])};
	uint32_t cursor = command->cursor;

	if (cursor < MW_LINKS_FROM) {
		head.rows = gateway_hops(w->gateway, &cursor, page(command), rows);
		head.cursor = cursor == UINT32_MAX ? MW_LINKS_FROM : cursor;
	} else {
		cursor -= MW_LINKS_FROM;
		head.rows = mw_link_rows(w, &cursor, page(command), rows);
		head.cursor = cursor == 0 ? 0 : MW_LINKS_FROM + cursor;
	}
	command_answer(w, &head, rows);
}

static void drain(struct worker *w)
{
	w->draining = true; /* worker_turn() closes the sessions */
	gateway_drain(w->gateway);
	back_end_stop_listening(w);
}

/* ---- packets ----------------------------------------------------------------------------------
 */

static void answer_pong(struct worker *w, uint32_t id, enum gw_err err, uint32_t rtt_us)
{
	struct row_pong row = {err, rtt_us};
	struct message_answer head = {.id = id, .rows = 1, .row_size = sizeof(row)};

	command_answer(w, &head, &row);
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
	command_answer(w, &head, &row);
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

/* ---- tokens ------------------------------------------------------------------------------------
 */

static void answer_steps(struct worker *w, enum gw_err signature)
{
	const struct explaining *e = &w->explaining;
	const struct gateway_explained what = {e->wwsf, span_of(e->token, e->len)};
	struct row_step rows[GATEWAY_STEPS_MAX];
	struct message_answer head = {.id = e->id, .row_size = sizeof(rows[0])};

	head.rows = gateway_explain(w->gateway, &what, signature, rows);
	command_answer(w, &head, rows);
	OPENSSL_cleanse(w->explaining.token, e->len);
	w->explaining.waiting = false;
}

/** Has the signature checked. False: it is not come to that, or not now. */
static bool explain_submit(struct worker *w)
{
	const struct explaining *e = &w->explaining;
	const struct gateway_explained what = {e->wwsf, span_of(e->token, e->len)};
	struct verify_job *job = worker_job(w);
	bool checked;

	if (job == NULL)
		return false;
	checked = gateway_explain_job(w->gateway, &what, job);
	job->waiter = VERIFY_WAITER_COMMAND;
	job->owner =
		checked ? (struct handle){.worker = w->config.index, .slot = e->id, .generation = 1}
			: handle_none();
	worker_submit(w, job);
	return checked;
}

static void explain(struct worker *w, const struct message_command *command, struct span body)
{
	struct explaining *e = &w->explaining;
	struct explain_ask ask;
	struct span origin;

	if (!span_copy(&body, &ask, sizeof(ask)) || !span_take(&body, ask.origin_len, &origin)) {
		worker_count(w, GW_INVARIANT);
		return;
	}
	body = span_cut(body, 0, sizeof(e->token));
	e->id = command->id;
	e->len = body.len;
	memcpy(e->token, body.at, body.len);
	e->wwsf = gateway_explain_wwsf(w->gateway, origin, body);
	e->waiting = explain_submit(w);
	if (!e->waiting)
		answer_steps(w, GW_VERIFIER_FAILED);
}

void command_verdict(struct worker *w, const struct verify_job *job)
{
	/* another command may have come meanwhile */
	if (w->explaining.waiting && job->owner.slot == w->explaining.id)
		answer_steps(w, job->verdict);
	else
		counter_add(&w->counters.mailbox_stale, 1);
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

static void on_broken(void *context, const struct net_broken *broken)
{
	struct message_event event = {
		.what = EVENT_CONNECTION_BROKEN,
		.err = broken->why,
		.handle = broken->conn,
		.peer = broken->peer,
	};

	worker_event_with(context, &event, broken->trace);
}

const struct net_events command_net_events = {
	.pong = on_pong,
	.captured = on_captured,
	.alarm = on_alarm,
	.broken = on_broken,
};

void command_run(struct worker *w, struct span message)
{
	const struct message_command *command = (const void *)message.at;

	switch (command->what) {
	case COMMAND_CONNECTIONS:
		connections(w, command);
		return;
	case COMMAND_SESSIONS:
		sessions(w, command);
		return;
	case COMMAND_BINDINGS:
		bindings(w, command);
		return;
	case COMMAND_BLOCKS:
		blocks(w, command);
		return;
	case COMMAND_POOLS:
		pools(w, command);
		return;
	case COMMAND_MW:
		mw(w, command);
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
	case COMMAND_TRACE:
	case COMMAND_TRACE_END:
		tracing_command(w, command, span_from(message, sizeof(*command)));
		return;
	case COMMAND_SHOW:
		show_command(w, command, span_from(message, sizeof(*command)));
		return;
	case COMMAND_EXPLAIN:
		explain(w, command, span_from(message, sizeof(*command)));
		return;
	}
	worker_count(w, GW_NOT_SUPPORTED);
}
