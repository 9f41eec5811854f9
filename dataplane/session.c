/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

/*
 * The pipeline of W2, top to bottom: TLS opens records into the session's buffer, ws finds messages
 * in it, sip and gateway decide, and what goes back is framed and sealed. One SIP message is
 * handled where it lies; a signature pauses its connection until the verdict is there.
 */

#define UNPARSABLE_MAX 3
#define CLOSING_MS 2000
#define VERDICT_US 2000000 /* a signature takes microseconds; a driver that lost it is given up */
#define HTTP_HEAD_MAX 8192
#define IDLE_UNREGISTERED_US 60000000ull /* PROTOCOL 11 */

static void session_read(struct session *s);

/* ---- buffers -------------------------------------------------------------------------------- */

static void buffer_put(struct slots *pool, void *buffer, struct worker *w)
{
	if (!slots_put(pool, buffer))
		counter_add(&w->counters.invariant_broken, 1);
}

static void input_release(struct session *s)
{
	struct worker *w = s->worker;

	if (s->in != NULL)
		buffer_put(s->in_size == SMALL_BUFFER ? w->small : w->large, s->in, w);
	s->in = NULL;
	s->in_len = 0;
	s->in_size = 0;
}

/** Moves a message that outgrew the small buffer to a large one. */
static bool input_grow(struct session *s)
{
	struct worker *w = s->worker;
	uint8_t *large;

	if (s->in_size != SMALL_BUFFER)
		return false;
	large = slots_get_unzeroed(w->large);
	if (large == NULL)
		return false;
	memcpy(large, s->in, s->in_len);
	buffer_put(w->small, s->in, w);
	s->in = large;
	s->in_size = w->large_size;
	return true;
}

/** Room to read into. False: the pool is empty, or the message does not fit any buffer. */
static bool input_room(struct session *s)
{
	if (s->in == NULL) {
		s->in = slots_get_unzeroed(s->worker->small);
		s->in_size = SMALL_BUFFER;
		if (s->in == NULL)
			return false;
	}
	return s->in_len < s->in_size || input_grow(s);
}

/* ---- output --------------------------------------------------------------------------------- */

static void output_flush(struct session *s)
{
	struct worker *w = s->worker;

	while (s->out != NULL && s->out_at < s->out_len) {
		struct span rest = span_of(s->out + s->out_at, s->out_len - s->out_at);
		struct tls_result r = w->tls->seal(s->tls, rest);

		s->out_at += r.n;
		if (r.err != GW_OK || r.n == 0)
			return;
	}
	if (s->out == NULL)
		return;
	buffer_put(w->large, s->out, w);
	s->out = NULL;
	s->out_at = 0;
	s->out_len = 0;
}

/** Keeps what TLS did not take. A peer that lets more than the bound wait is cut. */
static enum gw_err output_keep(struct session *s, struct span rest)
{
	struct worker *w = s->worker;

	if (s->out == NULL)
		s->out = slots_get_unzeroed(w->large);
	if (s->out == NULL ||
	    s->out_len - s->out_at + rest.len > worker_settings(w)->max_output ||
	    s->out_len + rest.len > w->large_size) {
		counter_add(&w->counters.slow_output, 1);
		conn_abort(s->conn, GW_WS_SLOW);
		return worker_count(w, GW_WS_SLOW);
	}
	memcpy(s->out + s->out_len, rest.at, rest.len);
	s->out_len += rest.len;
	return GW_OK;
}

static enum gw_err output(struct session *s, struct span bytes)
{
	struct tls_result r = {.err = GW_AGAIN};

	if (s->out == NULL)
		r = s->worker->tls->seal(s->tls, bytes);
	if (r.n == bytes.len)
		return GW_OK;
	if (r.err != GW_OK && r.err != GW_AGAIN) {
		conn_abort(s->conn, r.err);
		return r.err;
	}
	return output_keep(s, span_from(bytes, r.n));
}

/** One WebSocket frame: head and payload sealed together. */
static enum gw_err output_frame(struct session *s, enum ws_opcode opcode, struct span payload)
{
	struct writer frame;

	writer_init(&frame, s->worker->scratch, s->worker->scratch_size);
	ws_head_write(opcode, payload.len, &frame);
	writer_put(&frame, payload);
	return writer_ok(&frame) ? output(s, writer_span(&frame)) : GW_NO_ROOM;
}

/* ---- events and ends ------------------------------------------------------------------------ */

static void session_event(struct session *s, enum event_kind what, enum gw_err err,
			  uint32_t status)
{
	struct message_event event = {
		.what = what,
		.err = err,
		.handle = s->wic.flow,
		.peer = *conn_peer(s->conn),
		.status = status,
	};
	struct span text = span_of(s->origin, s->origin_len);

	if (what == EVENT_TLS_FAILED)
		text = span_text(s->worker->tls->info(s->tls).failure);
	text = span_cut(text, 0, sizeof(event.text) - 1);
	memcpy(event.text, text.at, text.len);
	worker_event(s->worker, &event);
}

/** What waits goes out, then close_notify, then our FIN. Called again at writable. */
static void session_finish(struct session *s)
{
	if (s->out == NULL && (s->broken || s->worker->tls->close(s->tls) == GW_OK))
		conn_shutdown_tx(s->conn);
}

/** From now on nothing is read; the connection ends when the peer has seen our end. */
static void session_closing(struct session *s)
{
	if (s->state == SESSION_OPEN)
		counter_sub(&s->worker->counters.session_live, 1);
	s->state = SESSION_CLOSING;
	s->waiting = false;
	gateway_flow_ended(s->worker->gateway, &s->wic);
	conn_resume_rx(s->conn);
	conn_set_deadline(s->conn, CLOSING_MS);
	session_finish(s);
}

static void session_close(struct session *s, enum gw_err why, uint16_t code)
{
	uint8_t frame[WS_HEAD_MAX + 125];
	struct writer w;

	session_event(s, EVENT_CONNECTION_CLOSE, why, code);
	writer_init(&w, frame, sizeof(frame));
	ws_close_write(code, SPAN(""), &w);
	if (output(s, writer_span(&w)) == GW_OK)
		session_closing(s);
}

static void session_fail(struct session *s, enum gw_err why)
{
	worker_count(s->worker, why);
	session_close(s, why, ws_close_code(why));
}

/* ---- SIP ------------------------------------------------------------------------------------ */

static bool is_token_refusal(enum gw_err err)
{
	return err >= GW_TOKEN_NONE && err <= GW_IDENTITY_SYNTAX;
}

/** A request that is refused is answered, and the connection stays (PROTOCOL 3.6). */
static void session_refuse(struct session *s, enum gw_err err)
{
	struct worker *w = s->worker;
	uint8_t *memory = slots_get_unzeroed(w->large);
	struct writer out;

	counter_add(&w->counters.sip_refused, 1);
	worker_count(w, err);
	if (is_token_refusal(err)) {
		counter_add(&w->counters.token_refused, 1);
		session_event(s, EVENT_TOKEN_REFUSED, err, 0);
	}
	if (memory == NULL)
		return;
	writer_init(&out, memory, w->large_size);
	if (gateway_refusal_write(w->gateway, &s->wic, err, &out) == GW_OK)
		s->messages_out += session_send(w, s->wic.flow, writer_span(&out)) == GW_OK;
	buffer_put(w->large, memory, w);
}

/** Not SIP at all: a few are forgiven, a stream of them is not (PROTOCOL 2.2). */
static void session_unparsable(struct session *s, enum gw_err err)
{
	counter_add(&s->worker->counters.sip_unparsable, 1);
	worker_count(s->worker, err);
	if (++s->unparsable >= UNPARSABLE_MAX)
		session_close(s, err, 1002);
}

static void session_result(struct session *s, struct gateway_result r)
{
	if (r.err == GW_AGAIN) {
		s->waiting = true;
		s->waiting_us = s->worker->clock.now_us + VERDICT_US;
		conn_pause_rx(s->conn);
	} else if (r.err == GW_OK) {
		s->unparsable = 0;
	} else if (r.request) {
		session_refuse(s, r.err);
	} else if (r.err == GW_SIP_NO_TRANSACTION) {
		worker_count(s->worker, r.err);
	} else {
		session_unparsable(s, r.err);
	}
}

static void session_message(struct session *s, struct span message)
{
	if (span_equal(message, SPAN("\r\n\r\n"))) { /* RFC 5626 5.4, RFC 7118 6 */
		counter_add(&s->worker->counters.ws_keepalives, 1);
		(void)output_frame(s, WS_TEXT, SPAN("\r\n"));
		return;
	}
	if (message.len == 0 || span_equal(message, SPAN("\r\n")))
		return;
	s->messages_in++;
	counter_add(&s->worker->counters.ws_messages_in, 1);
	session_result(s, gateway_from_wic(s->worker->gateway, &s->wic, message));
}

/* ---- WebSocket ------------------------------------------------------------------------------ */

/** One event of the frame reader. False: stop looking. */
static bool session_ws_event(struct session *s, const struct ws_event *e)
{
	switch (e->kind) {
	case WS_NEED_MORE:
		return false;
	case WS_MESSAGE:
		session_message(s, e->payload);
		if (s->waiting)
			return false; /* the message stays where it is */
		ws_read_done(&s->reader);
		return true;
	case WS_CONTROL_PING:
		return output_frame(s, WS_PONG, e->payload) == GW_OK;
	case WS_CONTROL_PONG:
		return true;
	case WS_CONTROL_CLOSE:
		session_close(s, GW_WS_CLOSED, e->close_code);
		return false;
	case WS_FAILED:
		session_fail(s, e->err);
		return false;
	}
	return false;
}

static void session_frames(struct session *s)
{
	while (s->state == SESSION_OPEN && !s->waiting) {
		struct ws_event e = ws_read(&s->reader, s->in, &s->in_len);

		if (!session_ws_event(s, &e))
			return;
	}
}

static struct ws_upgrade_policy upgrade_policy(const struct config_part *config)
{
	return (struct ws_upgrade_policy){
		.hosts = config->host,
		.host_count = config->host_count,
		.paths = config->path,
		.path_count = config->path_count,
		.origins = config->origin_text,
		.origin_count = config->origin_count,
		.max_head = HTTP_HEAD_MAX,
	};
}

static void session_refuse_upgrade(struct session *s, const struct ws_upgrade *u)
{
	uint16_t status = ws_upgrade_status(u->err);
	struct span origin = span_cut(u->origin, 0, sizeof(s->origin));
	uint8_t answer[512];
	struct writer w;

	counter_add(&s->worker->counters.http_refused, 1);
	worker_count(s->worker, u->err);
	s->origin_len = (uint16_t)origin.len;
	memcpy(s->origin, origin.at, origin.len);
	session_event(s, EVENT_UPGRADE_REFUSED, u->err, status);
	writer_init(&w, answer, sizeof(answer));
	ws_upgrade_refuse(status, status == 503 ? 5 : 0, &w);
	if (output(s, writer_span(&w)) == GW_OK)
		session_closing(s);
}

/** The next thing that must happen in time: a ping, or the end of an unused connection. */
static void session_arm(struct session *s)
{
	const struct config_part *config = worker_settings(s->worker);
	uint32_t seconds = config->ws_ping_s;

	if (handle_is_none(s->wic.binding) && config->preauth_s < seconds)
		seconds = config->preauth_s;
	conn_set_deadline(s->conn, seconds * 1000);
}

static void session_open(struct session *s, const struct ws_upgrade *u)
{
	const struct config_part *config = worker_settings(s->worker);
	const struct origin_config *origin = &config->origin[u->origin_index];
	uint8_t answer[512];
	struct writer w;

	writer_init(&w, answer, sizeof(answer));
	ws_upgrade_accept(u->key, &w);
	if (output(s, writer_span(&w)) != GW_OK)
		return;
	s->state = SESSION_OPEN;
	s->registered_us = s->worker->clock.now_us;
	s->wic.wwsf = origin->wwsf;
	s->origin_len = (uint16_t)origin->origin.len;
	memcpy(s->origin, origin->origin.at, origin->origin.len);
	ws_reader_init(&s->reader, config->max_message);
	counter_add(&s->worker->counters.http_upgrades, 1);
	counter_add(&s->worker->counters.session_live, 1);
	session_event(s, EVENT_CONNECTION_OPEN, GW_OK, 101);
	session_arm(s);
}

static void session_upgrade(struct session *s)
{
	struct ws_upgrade_policy policy = upgrade_policy(worker_settings(s->worker));
	struct ws_upgrade u = ws_upgrade_read(span_of(s->in, s->in_len), &policy);

	if (u.err == GW_AGAIN)
		return;
	if (s->worker->draining)
		u.err = GW_STOPPING;
	if (u.err != GW_OK) {
		session_refuse_upgrade(s, &u);
		return;
	}
	session_open(s, &u);
	s->in_len -= u.used;
	memmove(s->in, s->in + u.used, s->in_len);
	session_frames(s);
}

/* ---- TLS ------------------------------------------------------------------------------------ */

static void session_input(struct session *s)
{
	struct worker *w = s->worker;

	if (s->state == SESSION_HANDSHAKE && w->tls->ready(s->tls)) {
		counter_add(&w->counters.tls_handshakes, 1);
		s->state = SESSION_UPGRADE;
		conn_set_deadline(s->conn, worker_settings(w)->upgrade_s * 1000);
	}
	if (s->state == SESSION_UPGRADE && s->in_len > 0)
		session_upgrade(s);
	else if (s->state == SESSION_OPEN)
		session_frames(s);
	else if (s->state == SESSION_CLOSING)
		s->in_len = 0;
}

static void session_tls_error(struct session *s, enum gw_err err)
{
	struct worker *w = s->worker;

	if (s->state == SESSION_HANDSHAKE && err != GW_TLS_CLOSED) {
		counter_add(&w->counters.tls_failures, 1);
		session_event(s, EVENT_TLS_FAILED, err, 0);
	}
	if (err != GW_TLS_CLOSED) {
		worker_count(w, err);
		s->broken = true; /* our alert is in the send buffer: let it out */
	}
	if (s->state != SESSION_CLOSING) {
		session_event(s, EVENT_CONNECTION_CLOSE, err, 0);
		session_closing(s);
	}
	session_finish(s);
}

/** After a TLS failure what comes is no more than noise. */
static void session_discard(struct session *s)
{
	uint32_t len;

	while (conn_peek(s->conn, 0, &len) != NULL && len > 0)
		conn_consume(s->conn, len);
}

/** Reads until TLS has nothing more: bytes inside it would not be announced again. */
static void session_read(struct session *s)
{
	struct worker *w = s->worker;

	while (!s->waiting && !s->broken) {
		struct tls_result r;

		if (!input_room(s)) {
			conn_abort(s->conn, worker_count(w, GW_POOL_EMPTY));
			return;
		}
		r = w->tls->open(s->tls, s->in + s->in_len, s->in_size - s->in_len);
		s->in_len += r.n;
		if (r.n > 0)
			s->heard_us = w->clock.now_us;
		session_input(s);
		if (r.err == GW_AGAIN || (r.err == GW_OK && r.n == 0))
			break;
		if (r.err != GW_OK) {
			session_tls_error(s, r.err);
			break;
		}
	}
	if (s->broken)
		session_discard(s);
	if (s->in_len == 0)
		input_release(s);
}

void session_verdict(struct worker *w, struct handle flow, enum gw_err verdict)
{
	struct session *s = slots_at(w->sessions, flow);
	struct ws_event e;

	if (s == NULL || !s->waiting) {
		counter_add(&w->counters.mailbox_stale, 1);
		return;
	}
	s->waiting = false;
	e = ws_read(&s->reader, s->in, &s->in_len); /* the message that waited, where it lies */
	session_result(s, gateway_verified(w->gateway, &s->wic, e.payload, verdict));
	if (s->state != SESSION_OPEN)
		return;
	ws_read_done(&s->reader);
	conn_resume_rx(s->conn);
	session_frames(s);
	session_read(s);
}

/* ---- what the connection says --------------------------------------------------------------- */

static enum gw_err session_accept(struct conn *conn, void *listener_context, void **context)
{
	struct worker *w = listener_context;
	struct session *s = w->draining ? NULL : slots_get(w->sessions);

	if (s == NULL) {
		counter_add(&w->counters.conn_refused, 1);
		return worker_count(w, w->draining ? GW_STOPPING : GW_CONN_LIMIT);
	}
	s->conn = conn;
	s->worker = w;
	s->wic.flow = slots_handle(w->sessions, s);
	s->since_us = w->clock.now_us;
	s->heard_us = w->clock.now_us;
	s->tls = w->tls->accept(w->tls_context, conn);
	if (s->tls == NULL) {
		counter_add(&w->counters.conn_refused, 1);
		buffer_put(w->sessions, s, w);
		return worker_count(w, GW_NO_MEMORY);
	}
	conn_set_deadline(conn, worker_settings(w)->tls_handshake_s * 1000);
	counter_add(&w->counters.conn_accepted, 1);
	counter_add(&w->counters.conn_live, 1);
	*context = s;
	return GW_OK;
}

/** Accepted connections are there at once; nothing waits for an active open. */
static void session_connected(struct conn *conn, void *context)
{
	(void)conn;
	(void)context;
}

static void session_readable(struct conn *conn, void *context)
{
	(void)conn;
	session_read(context);
}

static void session_writable(struct conn *conn, void *context)
{
	struct session *s = context;

	(void)conn;
	output_flush(s);
	if (s->state == SESSION_CLOSING) {
		session_finish(s);
	} else if (s->state == SESSION_HANDSHAKE) {
		session_read(s); /* the handshake may have stopped for want of room */
	}
}

static void session_peer_fin(struct conn *conn, void *context)
{
	struct session *s = context;

	(void)conn;
	s->worker->tls->fin(s->tls);
	session_read(s); /* a message that waits for its verdict is answered first */
}

/** Pings, and ends what is silent or never used. */
static void session_watch(struct session *s)
{
	struct worker *w = s->worker;
	const struct config_part *config = worker_settings(w);
	uint64_t now = w->clock.now_us;
	bool bound = !handle_is_none(s->wic.binding);
	uint64_t limit = s->was_bound ? IDLE_UNREGISTERED_US : config->preauth_s * 1000000ull;

	if (bound)
		s->registered_us = now;
	s->was_bound = s->was_bound || bound;
	if (now - s->heard_us >= config->ws_silence_s * 1000000ull) {
		session_event(s, EVENT_CONNECTION_CLOSE, GW_WS_SILENT, 0);
		conn_abort(s->conn, worker_count(w, GW_WS_SILENT));
		return;
	}
	if (!bound && s->wic.transactions == 0 && now - s->registered_us >= limit) {
		session_fail(s, GW_NOT_REGISTERED);
		return;
	}
	counter_add(&w->counters.ws_pings, 1);
	if (output_frame(s, WS_PING, SPAN("")) == GW_OK)
		session_arm(s);
}

static void session_deadline(struct conn *conn, void *context)
{
	struct session *s = context;

	if (s->state != SESSION_OPEN) {
		session_event(s, EVENT_CONNECTION_CLOSE, GW_TIMEOUT, 0);
		conn_abort(conn, worker_count(s->worker, GW_TIMEOUT));
	} else if (s->waiting && s->worker->clock.now_us >= s->waiting_us) {
		session_verdict(s->worker, s->wic.flow, GW_VERIFIER_FAILED);
		session_arm(s);
	} else {
		session_watch(s);
	}
}

static void session_closed(struct conn *conn, void *context, enum gw_err why)
{
	struct session *s = context;
	struct worker *w = s->worker;

	(void)conn;
	if (s->state == SESSION_OPEN) {
		counter_sub(&w->counters.session_live, 1);
		session_event(s, EVENT_CONNECTION_CLOSE, why, 0);
	}
	if (why != GW_CONN_CLOSED && why != GW_CONN_ABORTED)
		worker_count(w, why);
	gateway_flow_ended(w->gateway, &s->wic);
	w->tls->free(s->tls);
	input_release(s);
	if (s->out != NULL)
		buffer_put(w->large, s->out, w);
	buffer_put(w->sessions, s, w);
	counter_add(&w->counters.conn_closed, 1);
	counter_sub(&w->counters.conn_live, 1);
}

const struct conn_ops session_ops = {
	.accept = session_accept,
	.connected = session_connected,
	.readable = session_readable,
	.writable = session_writable,
	.peer_fin = session_peer_fin,
	.deadline = session_deadline,
	.closed = session_closed,
};

/* ---- what the worker asks of sessions ------------------------------------------------------- */

struct wic *session_wic(struct worker *w, struct handle flow)
{
	struct session *s = slots_at(w->sessions, flow);

	return s != NULL ? &s->wic : NULL;
}

enum gw_err session_send(struct worker *w, struct handle flow, struct span bytes)
{
	struct session *s = slots_at(w->sessions, flow);

	if (s == NULL || s->state != SESSION_OPEN)
		return GW_STALE;
	counter_add(&w->counters.ws_messages_out, 1);
	return output_frame(s, ws_is_utf8(bytes) ? WS_TEXT : WS_BINARY, bytes);
}

void session_reload(struct worker *w)
{
	const struct config_part *config = worker_settings(w);
	uint32_t cursor = 0;
	struct session *s;

	while ((s = slots_next(w->sessions, &cursor)) != NULL) {
		struct span own = span_of(s->origin, s->origin_len);
		uint32_t i = 0;

		while (i < config->origin_count && !span_equal(config->origin[i].origin, own))
			i++;
		s->wic.disowned = i == config->origin_count;
		s->wic.wwsf = s->wic.disowned ? 0 : config->origin[i].wwsf;
	}
}

void session_drain(struct worker *w)
{
	uint32_t cursor = 0;
	struct session *s;

	while ((s = slots_next(w->sessions, &cursor)) != NULL) {
		if (s->state == SESSION_OPEN)
			session_close(s, GW_STOPPING, 1001);
		else if (s->state != SESSION_CLOSING)
			conn_abort(s->conn, GW_STOPPING);
	}
}

static void session_row(struct worker *w, struct session *s, struct row_connection *row)
{
	static const char *const names[SESSION_STATES] = {"handshake", "upgrade", "open",
							  "closing"};
	struct tls_info tls = w->tls->info(s->tls);
	struct span origin = span_cut(span_of(s->origin, s->origin_len), 0, 127);
	struct writer text;

	*row = (struct row_connection){
		.handle = s->wic.flow,
		.peer = *conn_peer(s->conn),
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
}

uint32_t session_rows(struct worker *w, uint32_t *cursor, uint32_t max,
		      struct row_connection *rows)
{
	struct session *s;
	uint32_t n = 0;

	while (n < max && (s = slots_next(w->sessions, cursor)) != NULL)
		session_row(w, s, &rows[n++]);
	if (n < max)
		*cursor = 0;
	return n;
}
