/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

/*
 * The pipeline of W2, top to bottom: TLS opens records into the session's buffer, ws finds messages
 * in it, sip and gateway decide, and what goes back is framed and sealed. One SIP message is
 * handled where it lies; a signature pauses its connection until the verdict is there.
 */

#define UNPARSABLE_MAX 3
#define CLOSING_MS 2000
#define HTTP_HEAD_MAX 8192
#define SECOND_US 1000000ull
#define IDLE_UNREGISTERED_US (60 * SECOND_US) /* PROTOCOL 11 */
#define DRAIN_PER_TURN 256
#define RETRY_DRAIN_S 5 /* another node answers then */

static void session_read(struct session *s);

/* ---- events --------------------------------------------------------------------------------- */

static void session_event(struct session *s, enum event_kind what, enum gw_err err, uint32_t status)
{
	struct message_event event = {
		.what = what,
		.err = err,
		.handle = s->wic.flow,
		.peer = s->peer,
		.status = status,
	};
	struct span text = span_of(s->origin, s->origin_len);

	text = span_cut(text, 0, sizeof(event.text) - 1);
	memcpy(event.text, text.at, text.len);
	worker_event(s->worker, &event);
}

/** Out of its state, once: what gauges and log are told. */
static void session_leave(struct session *s, enum gw_err why, uint32_t status)
{
	if (s->state == SESSION_OPEN)
		counter_sub(&s->worker->counters.session_live, 1);
	if (s->state != SESSION_CLOSING)
		session_event(s, EVENT_CONNECTION_CLOSE, why, status);
	s->state = SESSION_CLOSING;
	s->waiting = false;
}

void session_cut(struct session *s, enum gw_err why)
{
	session_leave(s, why, 0);
	conn_abort(s->conn, why);
}

/* ---- ends ----------------------------------------------------------------------------------- */

/** What waits goes out, then close_notify, then our FIN. Called again at writable. */
static void session_finish(struct session *s)
{
	if (s->broken || (s->out == NULL && s->worker->tls->close(s->tls) == GW_OK))
		conn_shutdown_tx(s->conn);
}

/** Offers TLS again what it has not taken. */
static void session_flush(struct session *s)
{
	session_output_flush(s);
	if (s->state == SESSION_CLOSING)
		session_finish(s);
}

/** From now on nothing is read; the connection ends when the peer has seen our end. */
static void session_closing(struct session *s, enum gw_err why, uint32_t status)
{
	session_leave(s, why, status);
	gateway_flow_ended(s->worker->gateway, &s->wic);
	conn_resume_rx(s->conn);
	conn_set_deadline(s->conn, CLOSING_MS);
	session_finish(s);
}

static void session_close(struct session *s, enum gw_err why, uint16_t code)
{
	uint8_t frame[WS_HEAD_MAX + 125];
	struct writer w;

	writer_init(&w, frame, sizeof(frame));
	ws_close_write(code, why == GW_BINDING_REPLACED ? SPAN("replaced") : SPAN(""), &w);
	if (session_output(s, writer_span(&w)) == GW_OK)
		session_closing(s, why, code);
}

static void session_fail(struct session *s, enum gw_err why)
{
	worker_count(s->worker, why);
	session_close(s, why, ws_close_code(why));
}

/* ---- time ----------------------------------------------------------------------------------- */

/** Sees whether it has a binding, or a user who needs none; the time without one begins when that
 * was last so. */
static void session_look(struct session *s)
{
	bool bound = gateway_serves(s->worker->gateway, &s->wic);

	if (bound || s->bound)
		s->registered_us = s->worker->clock.now_us;
	s->bound = bound;
	s->was_bound = s->was_bound || bound;
}

/** When a peer that says nothing is dead. */
static uint64_t silent_us(const struct session *s)
{
	return s->heard_us + worker_settings(s->worker)->ws_silence_s * SECOND_US;
}

/** How long a registration that the core has challenged may stay pending (TS 24.229). */
#define CHALLENGED_US (240 * SECOND_US)

/** When a connection without registration ends. */
static uint64_t unregistered_us(const struct session *s)
{
	if (s->was_bound)
		return s->registered_us + IDLE_UNREGISTERED_US;
	return s->registered_us + worker_settings(s->worker)->preauth_s * SECOND_US;
}

/** The same; never while something is under way, and not while its user answers a challenge. */
static uint64_t unused_us(const struct session *s)
{
	uint64_t end_us = unregistered_us(s), pending_us = s->wic.challenged_us + CHALLENGED_US;

	if (s->bound || s->waiting || s->wic.transactions > 0 || !handle_is_none(s->wic.parked))
		return UINT64_MAX;
	return s->wic.challenged_us > 0 && pending_us > end_us ? pending_us : end_us;
}

/** When a message that does not come to its end has taken too long: it holds a buffer. */
static uint64_t partial_us(const struct session *s)
{
	if (s->partial_us == 0)
		return UINT64_MAX;
	return s->partial_us + worker_settings(s->worker)->ws_silence_s * SECOND_US;
}

/** For the next thing that must happen though nothing comes. */
static void session_arm(struct session *s)
{
	uint64_t now = s->worker->clock.now_us, due = s->ping_us;

	if (silent_us(s) < due)
		due = silent_us(s);
	if (unused_us(s) < due)
		due = unused_us(s);
	if (partial_us(s) < due)
		due = partial_us(s);
	if (s->waiting && s->waiting_us < due)
		due = s->waiting_us;
	conn_set_deadline(s->conn, due > now ? (uint32_t)((due - now + 999) / 1000) : 1);
}

/* ---- SIP ------------------------------------------------------------------------------------ */

static bool is_token_refusal(enum gw_err err)
{
	return err >= GW_TOKEN_NONE && err <= GW_TOKEN_SHORT;
}

/** A request that is refused is answered, and the connection stays (PROTOCOL 3.6). */
static void session_refuse(struct session *s, enum gw_err err)
{
	struct worker *w = s->worker;
	struct writer out;

	worker_count(w, err);
	if (is_token_refusal(err)) {
		counter_add(&w->counters.token_refused, 1);
		session_event(s, EVENT_TOKEN_REFUSED, err, 0);
	}
	writer_init(&out, w->answer, w->scratch_size);
	if (gateway_refusal_write(w->gateway, &s->wic, err, &out) == GW_OK &&
	    session_send(w, s->wic.flow, writer_span(&out)) == GW_OK)
		counter_add(&w->counters.sip_refused, 1);
}

/** Not SIP at all: a few are forgiven, a stream of them is not (PROTOCOL 2.2). */
static void session_unparsable(struct session *s, enum gw_err err)
{
	counter_add(&s->worker->counters.sip_unparsable, 1);
	worker_count(s->worker, err);
	if (++s->unparsable >= UNPARSABLE_MAX)
		session_close(s, err, 1002);
}

/** For the verdict of the job that was just submitted. */
static void session_wait(struct session *s)
{
	s->waiting = true;
	s->waiting_us = s->worker->clock.now_us + GATEWAY_VERDICT_US;
	conn_pause_rx(s->conn);
	session_arm(s);
}

static void session_result(struct session *s, struct gateway_result r)
{
	if (r.err != GW_OK && r.err != GW_AGAIN && r.err != GW_SIP_NO_TRANSACTION && !r.request) {
		session_unparsable(s, r.err);
		return;
	}
	s->unparsable = 0;
	if (r.err == GW_AGAIN)
		session_wait(s);
	else if (r.err != GW_OK && r.request)
		session_refuse(s, r.err);
	else if (r.err != GW_OK)
		worker_count(s->worker, r.err);
}

/** A reload may have given the Origin to another WWSF, or to none (F19). */
static void session_owner(struct session *s)
{
	const struct config_part *config = worker_settings(s->worker);
	struct span own = span_of(s->origin, s->origin_len);
	uint32_t i = 0;

	if (s->config_generation == config->part.generation)
		return;
	s->config_generation = config->part.generation;
	while (i < config->origin_count && !span_equal(config->origin[i].origin, own))
		i++;
	s->wic.disowned = i == config->origin_count;
	s->wic.wwsf = s->wic.disowned ? 0 : config->origin[i].wwsf;
}

static void session_message(struct session *s, struct span message)
{
	if (span_equal(message, SPAN("\r\n\r\n"))) { /* RFC 5626 5.4, RFC 7118 6 */
		counter_add(&s->worker->counters.ws_keepalives, 1);
		(void)session_output_frame(s, WS_TEXT, SPAN("\r\n"));
		return;
	}
	if (message.len == 0 || span_equal(message, SPAN("\r\n")))
		return;
	s->messages_in++;
	s->partial_us = 0;
	counter_add(&s->worker->counters.ws_messages_in, 1);
	session_owner(s);
	if (worker_traces(s->worker))
		tracing_wic(s->worker, TRACE_FROM_WIC, s, message);
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
		return session_output_frame(s, WS_PONG, e->payload) == GW_OK;
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

/** retry_s: what Retry-After says where the answer has one. */
static void session_refuse_upgrade(struct session *s, const struct ws_upgrade *u, uint32_t retry_s)
{
	uint16_t status = ws_upgrade_status(u->err);
	struct span origin = span_cut(u->origin, 0, sizeof(s->origin));
	uint8_t answer[512];
	struct writer w;

	counter_add(&s->worker->counters.http_refused, 1);
	worker_count(s->worker, u->err);
	s->origin_len = (uint16_t)origin.len;
	if (origin.len > 0)
		memcpy(s->origin, origin.at, origin.len);
	session_event(s, EVENT_UPGRADE_REFUSED, u->err, status);
	s->state = SESSION_CLOSING; /* that event was its last */
	writer_init(&w, answer, sizeof(answer));
	ws_upgrade_refuse(status, status == 429 || status == 503 ? retry_s : 0, &w);
	if (session_output(s, writer_span(&w)) == GW_OK)
		session_closing(s, u->err, status);
}

static void session_open(struct session *s, const struct ws_upgrade *u)
{
	const struct config_part *config = worker_settings(s->worker);
	const struct origin_config *origin = &config->origin[u->origin_index];
	uint8_t answer[512];
	struct writer w;

	writer_init(&w, answer, sizeof(answer));
	ws_upgrade_accept(u->key, &w);
	if (session_output(s, writer_span(&w)) != GW_OK)
		return;
	s->state = SESSION_OPEN;
	s->registered_us = s->worker->clock.now_us;
	s->ping_us = s->registered_us + config->ws_ping_s * SECOND_US;
	s->wic.wwsf = origin->wwsf;
	s->config_generation = config->part.generation;
	s->wic.disowned = false;
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
	struct admission admission = {.retry_s = RETRY_DRAIN_S};
	struct span in = span_of(s->in, s->in_len);
	struct ws_upgrade u;

	if (!ws_upgrade_ends(in, &s->head_seen) && in.len <= HTTP_HEAD_MAX)
		return;
	u = ws_upgrade_read(in, &policy);
	if (s->worker->draining)
		u.err = GW_STOPPING;
	if (u.err == GW_OK) {
		admission =
			session_admit(s, worker_settings(s->worker)->origin[u.origin_index].wwsf);
		u.err = admission.err;
	}
	if (u.err != GW_OK) {
		session_refuse_upgrade(s, &u, admission.retry_s);
		return;
	}
	session_open(s, &u);
	if (s->state != SESSION_OPEN)
		return;
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
		if (w->tls->info(s->tls).resumed)
			counter_add(&w->counters.tls_resumed, 1);
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
		session_tls_failed(s, err);
	}
	if (err != GW_TLS_CLOSED) {
		worker_count(w, err);
		s->broken = true; /* our alert is in the send buffer: let it out */
	}
	if (s->state != SESSION_CLOSING)
		session_closing(s, err, 0);
	else
		session_finish(s);
}

/** After a TLS failure what comes is no more than noise. */
static void session_discard(struct session *s)
{
	uint32_t len;

	while (conn_peek(s->conn, 0, &len) != NULL && len > 0)
		conn_consume(s->conn, len);
}

/** Notes when the message began that has not come whole. A new one is no part of the last. */
static void session_partial(struct session *s)
{
	bool partial = s->state == SESSION_OPEN && !s->waiting && s->in_len > 0;

	if (!partial) {
		s->partial_us = 0;
	} else if (s->partial_us == 0) {
		s->partial_us = s->worker->clock.now_us;
		session_arm(s);
	}
}

static bool session_may_grow(const struct session *s)
{
	if (s->in_size != SMALL_BUFFER || s->in_len < SMALL_BUFFER)
		return true; /* it need not */
	return session_large_allowed(s);
}

/**
 * Room for what comes next. A peer that is being closed is read on, into a buffer that is emptied
 * each time: bytes left unread would make our end a reset, which takes the close frame with it.
 * Without room the session ends, a WebSocket with 1011 (PROTOCOL 2.2).
 */
static bool session_room(struct session *s)
{
	if (s->state == SESSION_CLOSING)
		s->in_len = 0;
	if (session_may_grow(s) && session_input_room(s))
		return true;
	if (s->state != SESSION_OPEN) {
		session_cut(s, GW_POOL_EMPTY);
		return false;
	}
	session_fail(s, GW_POOL_EMPTY);
	s->in_len = 0;
	return s->in != NULL;
}

/** Reads until TLS has nothing more: bytes inside it would not be announced again. */
static void session_read(struct session *s)
{
	struct worker *w = s->worker;

	if (s->state == SESSION_PROXY && !session_admit_header(s))
		return;
	while (!s->waiting && !s->broken) {
		struct tls_result r;

		if (s->state == SESSION_HANDSHAKE && !session_tls_step(s))
			break;
		if (!session_room(s))
			return;
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
	if (s->out != NULL)
		session_flush(s); /* it may have waited for the rest of what the peer sends */
	if (s->in_len == 0)
		session_input_release(s);
	session_partial(s);
}

void session_tls_resume(struct session *s)
{
	if (s->state == SESSION_HANDSHAKE)
		session_read(s);
}

void session_verdict(struct worker *w, struct handle flow, struct handle job, enum gw_err verdict)
{
	struct session *s = slots_at(w->sessions, flow);
	struct ws_event e;

	/* a verdict that was given up must not speak for the token that came after it */
	if (s == NULL || !s->waiting || !handle_equal(s->job, job)) {
		counter_add(&w->counters.mailbox_stale, 1);
		return;
	}
	s->waiting = false;
	session_owner(s);
	e = ws_read(&s->reader, s->in, &s->in_len); /* the message that waited, where it lies */
	session_result(s, gateway_verified(w->gateway, &s->wic, e.payload, verdict));
	if (s->state != SESSION_OPEN || s->waiting)
		return;
	ws_read_done(&s->reader);
	conn_resume_rx(s->conn);
	session_frames(s);
	session_read(s);
}

void session_resumed(struct worker *w, const struct gateway_resumed *resumed)
{
	struct session *s = slots_at(w->sessions, resumed->flow);

	if (s == NULL || s->state != SESSION_OPEN)
		return;
	session_result(s, resumed->result);
	if (s->state == SESSION_OPEN)
		session_arm(s); /* its time without registration counts again */
}

void session_end(struct worker *w, const struct gateway_ended *ended)
{
	struct session *s = slots_at(w->sessions, ended->flow);

	if (s != NULL && s->state == SESSION_OPEN)
		session_fail(s, ended->why);
}

/* ---- what the connection says --------------------------------------------------------------- */

/** TLS at once, or after the header of a load balancer. */
static void session_begin(struct session *s)
{
	const struct config_part *config = worker_settings(s->worker);

	if (session_admit_balancer(s->worker, &s->peer)) {
		s->state = SESSION_PROXY;
		conn_set_deadline(s->conn, config->upgrade_s * 1000);
	} else {
		s->state = SESSION_HANDSHAKE;
		conn_set_deadline(s->conn, config->tls_handshake_s * 1000);
	}
}

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
	s->address_row = RATES_NONE;
	s->site_row = RATES_NONE;
	s->peer = conn_peer(conn);
	s->tls = w->tls->accept(w->tls_context, conn);
	if (s->tls == NULL) {
		counter_add(&w->counters.conn_refused, 1);
		session_buffer_put(w->sessions, s, w);
		return worker_count(w, GW_NO_MEMORY);
	}
	session_begin(s);
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

void session_leased(struct worker *w, struct handle flow)
{
	const struct session *s = slots_at(w->sessions, flow);

	if (s != NULL && s->waiting) /* no verdict: the gateway knows what it has asked for */
		session_verdict(w, flow, s->job, GW_VERIFIER_FAILED);
}

static void session_writable(struct conn *conn, void *context)
{
	struct session *s = context;

	(void)conn;
	session_flush(s);
	if (s->state != SESSION_CLOSING)
		session_read(s); /* TLS may have stopped reading for want of room to write */
}

static void session_peer_fin(struct conn *conn, void *context)
{
	struct session *s = context;

	(void)conn;
	s->worker->tls->fin(s->tls);
	session_read(s); /* a message that waits for its verdict is answered first */
	if (s->state == SESSION_PROXY)
		session_cut(s, GW_PROXY_HEADER);
}

static void session_ping(struct session *s)
{
	struct worker *w = s->worker;

	counter_add(&w->counters.ws_pings, 1);
	s->ping_us = w->clock.now_us + worker_settings(w)->ws_ping_s * SECOND_US;
	(void)session_output_frame(s, WS_PING, SPAN("")); /* or it is being cut */
}

/** Pings, gives a lost verdict up, and ends what is silent or not used. */
static void session_watch(struct session *s)
{
	struct worker *w = s->worker;
	uint64_t now = w->clock.now_us;

	session_look(s);
	if (now >= silent_us(s))
		session_cut(s, GW_WS_SILENT);
	else if (s->waiting && now >= s->waiting_us)
		session_verdict(w, s->wic.flow, s->job, GW_VERIFIER_FAILED);
	else if (now >= unused_us(s))
		session_fail(s, GW_NOT_REGISTERED);
	else if (now >= partial_us(s))
		session_fail(s, GW_TIMEOUT);
	else if (now >= s->ping_us)
		session_ping(s);
	if (s->state == SESSION_OPEN)
		session_arm(s);
}

static void session_deadline(struct conn *conn, void *context)
{
	struct session *s = context;

	(void)conn;
	if (s->state == SESSION_OPEN)
		session_watch(s);
	else if (s->state == SESSION_CLOSING)
		session_cut(s, GW_CONN_ABORTED); /* it has had its time to see our end */
	else
		session_cut(s, s->state == SESSION_PROXY ? GW_PROXY_HEADER : GW_TIMEOUT);
}

static void session_closed(struct conn *conn, void *context, enum gw_err why)
{
	struct session *s = context;
	struct worker *w = s->worker;

	(void)conn;
	if (s->state == SESSION_OPEN)
		session_leave(s, why, 0);
	if (why != GW_CONN_CLOSED && why != GW_CONN_ABORTED)
		worker_count(w, why);
	gateway_flow_ended(w->gateway, &s->wic);
	session_dismiss(s);
	session_tls_forget(s);
	w->tls->free(s->tls);
	session_input_release(s);
	if (s->out != NULL)
		session_buffer_put(w->large, s->out, w);
	session_buffer_put(w->sessions, s, w);
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

	if (s == NULL)
		return NULL;
	session_owner(s);
	return &s->wic;
}

enum gw_err session_send(struct worker *w, struct handle flow, struct span bytes)
{
	struct session *s = slots_at(w->sessions, flow);
	enum gw_err err;

	if (s == NULL || s->state != SESSION_OPEN)
		return GW_STALE;
	session_look(s);
	err = session_output_frame(s, ws_is_utf8(bytes) ? WS_TEXT : WS_BINARY, bytes);
	if (err != GW_OK)
		return err;
	s->messages_out++;
	counter_add(&w->counters.ws_messages_out, 1);
	if (worker_traces(w))
		tracing_wic(w, TRACE_TO_WIC, s, bytes);
	return GW_OK;
}

bool session_drain(struct worker *w)
{
	struct session *s = NULL;

	for (uint32_t n = 0; n < DRAIN_PER_TURN; n++) {
		s = slots_next(w->sessions, &w->drain_cursor);
		if (s == NULL)
			return false;
		if (s->state == SESSION_OPEN)
			session_close(s, GW_STOPPING, 1001);
		else if (s->state != SESSION_CLOSING)
			session_cut(s, GW_STOPPING);
	}
	return true;
}
