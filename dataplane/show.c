/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

/* One thing that an operator asks for, with what belongs to it: the session of a WIC, its TCP
 * connection, its binding and what is under way on it. */

#define BINDINGS_LOOKED_AT 4096u /* in one turn */
#define ROWS_OF_FLOW 4		 /* at least: none is begun where fewer fit */

/** The rows of an answer in the making. */
struct page {
	struct worker *w;
	uint32_t count;
	struct row_show row[ANSWER_ROWS_MAX];
};

static struct row_show *page_row(struct page *page, enum show_kind kind)
{
	struct row_show *row = page->count < ANSWER_ROWS_MAX ? &page->row[page->count] : NULL;

	if (row != NULL)
		row->kind = kind;
	return row;
}

static void page_session(struct page *page, struct handle flow)
{
	struct row_show *row = page_row(page, SHOW_ROW_SESSION);
	uint32_t cursor = flow.slot;

	if (row != NULL && session_rows(page->w, &cursor, 1, &row->session) == 1 &&
	    handle_equal(row->session.handle, flow))
		page->count++;
}

static void page_connection(struct page *page, const struct session *s)
{
	struct row_show *row = page_row(page, SHOW_ROW_CONNECTION);
	struct handle ref = conn_ref(s->conn);

	if (row == NULL)
		return;
	for (uint32_t i = 0; i < NET_BACK_ENDS; i++) {
		struct net_core *net = page->w->net[i];
		uint32_t cursor = ref.slot;

		if (net == NULL || net_find(net, ref) != s->conn)
			continue;
		row->connection.back_end = i;
		page->count += net_next_row(net, &cursor, &row->connection.conn) &&
			       handle_equal(row->connection.conn.ref, ref);
		return;
	}
}

static void page_binding(struct page *page, struct handle binding)
{
	struct row_show *row = page_row(page, SHOW_ROW_BINDING);
	uint32_t cursor = binding.slot;

	if (row != NULL && gateway_rows(page->w->gateway, &cursor, 1, &row->binding) == 1 &&
	    handle_equal(row->binding.handle, binding))
		page->count++;
}

/** Of who is not registered there. */
static void page_unregistered(struct page *page, const struct wic *wic)
{
	struct row_show *row = page_row(page, SHOW_ROW_UNREGISTERED);

	if (row != NULL && gateway_wildcard_row(page->w->gateway, wic, &row->binding))
		page->count++;
}

static void page_transactions(struct page *page, const struct wic *wic)
{
	struct row_transaction rows[ANSWER_ROWS_MAX];
	uint32_t n = gateway_transaction_rows(page->w->gateway, wic, ANSWER_ROWS_MAX - page->count,
					      rows);

	for (uint32_t i = 0; i < n; i++) {
		struct row_show *row = page_row(page, SHOW_ROW_TRANSACTION);

		row->transaction = rows[i];
		page->count++;
	}
}

static void page_flow(struct page *page, struct handle flow)
{
	const struct session *s = slots_at(page->w->sessions, flow);

	if (s == NULL)
		return;
	page_session(page, flow);
	page_connection(page, s);
	if (!handle_is_none(s->wic.binding))
		page_binding(page, s->wic.binding);
	page_unregistered(page, &s->wic);
	page_transactions(page, &s->wic);
}

/** The session in that slot; none. */
static struct handle session_flow(struct worker *w, uint32_t slot)
{
	uint32_t cursor = slot;
	const struct session *s = slots_next(w->sessions, &cursor);

	return s != NULL && s->wic.flow.slot == slot ? s->wic.flow : handle_none();
}

static struct handle flow_of(struct worker *w, const struct show_ask *ask)
{
	if (ask->worker != w->config.index)
		return handle_none();
	switch (ask->what) {
	case SHOW_BINDING:
		return gateway_binding_flow(w->gateway, ask->slot);
	case SHOW_CONNECTION:
		return session_flow(w, ask->slot);
	case SHOW_CALL:
		return gateway_transaction_flow(w->gateway, ask->slot);
	}
	return handle_none();
}

#define CURSOR_UNREGISTERED 0x80000000u /* the bindings are done */

/** The next flow of impu, registered or not; *cursor is moved on, 0 at the end. *looked
 * grows by the slots that were looked at. */
static struct handle next_flow(const struct gateway *gw, struct span impu, uint32_t *looked,
			       uint32_t *cursor)
{
	bool unregistered = (*cursor & CURSOR_UNREGISTERED) != 0;
	uint32_t slot = *cursor & ~CURSOR_UNREGISTERED, before = slot;
	uint32_t max = BINDINGS_LOOKED_AT - *looked;
	struct handle flow = unregistered ? gateway_wildcard_find(gw, impu, max, &slot)
					  : gateway_find(gw, impu, max, &slot);

	*looked += slot > before ? slot - before : 1;
	if (unregistered)
		*cursor = slot != 0 ? slot | CURSOR_UNREGISTERED : 0;
	else
		*cursor = slot != 0 ? slot : CURSOR_UNREGISTERED;
	return flow;
}

/** Of all flows that have registered it, or use it without; where to go on. */
static uint32_t page_impu(struct page *page, struct span impu, uint32_t cursor)
{
	uint32_t looked = 0;

	while (looked < BINDINGS_LOOKED_AT && page->count + ROWS_OF_FLOW <= ANSWER_ROWS_MAX) {
		page_flow(page, next_flow(page->w->gateway, impu, &looked, &cursor));
		if (cursor == 0)
			break;
	}
	return cursor;
}

void show_command(struct worker *w, const struct message_command *command, struct span body)
{
	struct page page = {.w = w};
	struct message_answer head = {.id = command->id, .row_size = sizeof(page.row[0])};
	struct show_ask ask;

	if (!span_copy(&body, &ask, sizeof(ask)) || ask.len > sizeof(ask.impu)) {
		worker_count(w, GW_INVARIANT);
		return;
	}
	if (ask.len > 0)
		head.cursor = page_impu(&page, span_of(ask.impu, ask.len), command->cursor);
	else
		page_flow(&page, flow_of(w, &ask));
	head.rows = page.count;
	command_answer(w, &head, page.row);
}

/* ---- sessions -------------------------------------------------------------------------------
 */

static void session_row(struct worker *w, struct session *s, struct row_session *row)
{
	static const char *const names[SESSION_STATES] = {
		[SESSION_PROXY] = "proxy",     [SESSION_HANDSHAKE] = "handshake",
		[SESSION_UPGRADE] = "upgrade", [SESSION_OPEN] = "open",
		[SESSION_CLOSING] = "closing",
	};
	struct tls_info tls = w->tls->info(s->tls);
	struct span origin = span_cut(span_of(s->origin, s->origin_len), 0, 127);
	struct writer text;

	*row = (struct row_session){
		.handle = s->wic.flow,
		.peer = s->peer,
		.age_s = (w->clock.now_us - s->since_us) / 1000000,
		.idle_s = (w->clock.now_us - s->heard_us) / 1000000,
		.messages_in = s->messages_in,
		.messages_out = s->messages_out,
		.bindings = handle_is_none(s->wic.binding) ? 0 : 1,
	};
	memcpy(row->origin, origin.at, origin.len);
	writer_init(&text, row->state, sizeof(row->state) - 1);
	writer_text(&text, names[s->state]);
	writer_init(&text, row->tls, sizeof(row->tls) - 1);
	writer_text(&text, tls.version);
	writer_text(&text, " ");
	writer_text(&text, tls.cipher);
	writer_text(&text, " ");
	writer_text(&text, tls.group);
}

uint32_t session_rows(struct worker *w, uint32_t *cursor, uint32_t max, struct row_session *rows)
{
	struct session *s;
	uint32_t n = 0;

	while (n < max && (s = slots_next(w->sessions, cursor)) != NULL)
		session_row(w, s, &rows[n++]);
	if (n < max)
		*cursor = 0;
	return n;
}
