/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

#include <stdio.h>

/*
 * Connections with the core, opened by this worker or by the core. Streams are cut into messages
 * here; what they mean is the gateway's. Only mw.trusted peers are heard.
 */

#define CONNECT_MS 4000	     /* DESIGN 8; and as long again for TLS */
#define ALERT_MS 2000	     /* for our alert to reach the peer */
#define IDLE_US 300000000ull /* ours, unused: closed. Longer than any transaction lives */
#define PONG_US 10000000ull  /* RFC 5626 4.4.1 */
#define OWED_MS 32000	     /* timer F: after that nobody waits for our response any more */

/** Nothing more comes back on it: who waits for that is told now, before another link is opened. */
static void link_finish(struct mw_link *link)
{
	if (link->finished)
		return;
	link->finished = true;
	if (link->ours)
		gateway_target_lost(link->worker->gateway, &link->target);
}

static void link_abort(struct mw_link *link, enum gw_err why)
{
	link_finish(link);
	conn_abort(link->conn, why);
}

/** Our end, after the peer's or for want of use: once what waits and what we owe has gone out. */
static void link_shutdown(struct mw_link *link)
{
	if (link->finished && TAILQ_EMPTY(&link->out) && link->owed == 0 &&
	    link->layer->close(link->tls) == GW_OK)
		conn_shutdown_tx(link->conn);
}

static void link_flush(struct mw_link *link)
{
	if (!link->up)
		return;
	mw_output_flush(link);
	link_shutdown(link);
}

/** Whole messages or nothing: a stream with half a message in it is lost. */
static enum gw_err link_put(struct mw_link *link, struct span bytes)
{
	enum gw_err err = mw_output_put(link, bytes);

	if (err == GW_OK)
		link_flush(link);
	return err;
}

/** A SIP message. */
static enum gw_err link_write(struct mw_link *link, struct span bytes)
{
	link->used_us = link->worker->clock.now_us;
	return link_put(link, bytes);
}

static struct mw_source link_source(const struct mw_link *link)
{
	return (struct mw_source){
		.transport = link->transport,
		.worker = link->worker->config.index,
		.conn = slots_handle(link->worker->links, link),
		.local = conn_local(link->conn),
		.peer = conn_peer(link->conn),
	};
}

/** One message of the peer. A request is owed a response, also after the peer's FIN. */
static void link_message(struct mw_link *link, struct span message)
{
	struct mw_source source = link_source(link);

	link->used_us = link->worker->clock.now_us;
	if (!span_starts(message, SPAN("SIP/2.0 ")) && !span_starts(message, SPAN("ACK ")))
		link->owed++;
	worker_from_mw(link->worker, &source, message);
}

/** Cuts messages off the stream's start. */
static void link_messages(struct mw_link *link)
{
	struct worker *w = link->worker;
	uint32_t at = 0;

	for (;;) {
		struct span rest = span_of(link->in + at, link->in_len - at);
		struct sip_frame frame = sip_frame_read(rest, worker_settings(w)->max_message);

		at += frame.skip;
		if (frame.ping) /* RFC 5626 4.4.1 */
			(void)link_put(link, SPAN("\r\n"));
		if (frame.err == GW_AGAIN)
			break;
		if (frame.err != GW_OK) {
			link_abort(link, frame.err);
			break;
		}
		link_message(link, span_cut(rest, frame.skip, frame.len));
		at += frame.len;
	}
	link->in_len -= at;
	memmove(link->in, link->in + at, link->in_len);
}

/** When a link of ours is to be pinged; never when that is not configured, or one is under way. */
static uint64_t link_ping_us(const struct mw_link *link)
{
	uint32_t keep_alive_s = worker_settings(link->worker)->mw_keep_alive_s;

	if (keep_alive_s == 0 || link->pinged_us > 0)
		return UINT64_MAX;
	return link->heard_us + keep_alive_s * 1000000ull;
}

static void link_ping(struct mw_link *link)
{
	if (link_put(link, SPAN("\r\n\r\n")) != GW_OK)
		return; /* what waits there says as much, should nobody take it */
	link->pinged_us = link->worker->clock.now_us;
	counter_add(&link->worker->counters.mw_pings_out, 1);
}

/** A link of ours is looked at again when it is to be pinged, given up, or idle. */
static void link_rest(struct mw_link *link)
{
	uint64_t now = link->worker->clock.now_us, due = link->used_us + IDLE_US;

	if (link_ping_us(link) < due)
		due = link_ping_us(link);
	if (link->pinged_us > 0 && link->pinged_us + PONG_US < due)
		due = link->pinged_us + PONG_US;
	/* one that could not be pinged is tried again in a second */
	conn_set_deadline(link->conn, due > now ? (uint32_t)((due - now + 999) / 1000) : 1000);
}

/** The peer will send nothing more: by TLS, then by TCP. */
static void link_end(struct mw_link *link)
{
	if (link->finished)
		return;
	link_finish(link);
	conn_set_deadline(link->conn, OWED_MS);
	link_shutdown(link);
}

/** TLS is over, by err: our alert goes out, nothing more is read. */
static void link_refuse(struct mw_link *link, enum gw_err err, const char *why)
{
	link->broken = true;
	mw_tls_refused(link, err, why);
	if (link->ours)
		mw_hop_failed(link->worker, &link->target, err);
	link_finish(link);
	conn_shutdown_tx(link->conn);
	conn_set_deadline(link->conn, ALERT_MS);
}

/** Messages may go, once both sides have agreed on TLS and know each other. */
static void link_ready(struct mw_link *link)
{
	if (link->up || !link->layer->ready(link->tls))
		return;
	if (link->transport == MW_TLS && !mw_tls_knows(link)) {
		link_refuse(link, GW_MW_SOURCE, "the certificate is for somebody else");
		return;
	}
	link->up = true;
	link->used_us = link->worker->clock.now_us;
	conn_set_deadline(link->conn, 0);
	if (link->ours) {
		link_rest(link);
		mw_hop_reached(link->worker, &link->target);
	}
	link_flush(link);
}

/** Reads once. False: nothing more for now, or for ever. */
static bool link_read(struct mw_link *link)
{
	uint32_t room = link->worker->large_size - link->in_len;
	struct tls_result got;

	if (link->finished)
		return false;
	if (room == 0) {
		link_abort(link, GW_SIP_TOO_LONG);
		return false;
	}
	got = link->layer->open(link->tls, link->in + link->in_len, room);
	link->in_len += got.n;
	if (got.err == GW_OK || got.err == GW_AGAIN)
		link_ready(link);
	else if (got.err == GW_TLS_CLOSED)
		link_end(link);
	else
		link_refuse(link, got.err, link->layer->info(link->tls).failure);
	return got.err == GW_OK && !link->broken;
}

/** What comes after all is over is dropped: left unread it would make our end a reset, which takes
 * the alert with it. */
static void link_drain(struct conn *conn)
{
	uint32_t n;

	while (conn_peek(conn, 0, &n) != NULL && n > 0)
		conn_consume(conn, n);
}

static void link_readable(struct conn *conn, void *context)
{
	struct mw_link *link = context;
	struct worker *w = link->worker;
	struct endpoint peer = conn_peer(conn);

	if (link->broken) {
		link_drain(conn);
		return;
	}
	if (!link->ours && !mw_trusted(w, &peer)) { /* any more: a reload */
		link_abort(link, GW_CONN_ABORTED);
		return;
	}
	if (link->in == NULL)
		link->in = slots_get_unzeroed(w->link_buffers);
	if (link->in == NULL) {
		link_abort(link, GW_POOL_EMPTY);
		return;
	}
	link->heard_us = w->clock.now_us;
	link->pinged_us = 0;
	while (link_read(link))
		link_messages(link);
	if (link->in_len == 0)
		mw_buffer_put(w, &link->in);
	if (!link->finished)
		link_flush(link); /* a change of keys may have held it up */
}

static struct mw_link *link_new(struct worker *w, enum mw_transport transport)
{
	struct mw_link *link = slots_get(w->links);

	if (link == NULL)
		return NULL;
	link->worker = w;
	link->transport = transport;
	link->layer = &tls_clear;
	TAILQ_INIT(&link->out);
	return link;
}

/** Gives back a link that never was one. */
static void link_drop(struct worker *w, struct mw_link *link)
{
	if (!slots_put(w->links, link))
		counter_add(&w->counters.invariant_broken, 1);
}

/** Puts the transport's layer on conn. False: no memory, or TLS is not configured. */
static bool link_begin(struct mw_link *link, struct conn *conn)
{
	struct worker *w = link->worker;

	link->conn = conn;
	if (link->transport == MW_TCP)
		link->tls = link->layer->accept(NULL, conn);
	if (link->transport == MW_TCP || w->mw_tls_context == NULL)
		return link->tls != NULL;
	link->layer = w->tls;
	link->tls = link->ours ? w->tls->connect(w->mw_tls_context, conn, mw_tls_name(link))
			       : w->tls->accept(w->mw_tls_context, conn);
	return link->tls != NULL;
}

/** A connection of the core, which has to be one of mw.trusted before anything is read. */
static enum gw_err link_take(struct worker *w, struct conn *conn, enum mw_transport transport,
			     void **context)
{
	struct endpoint peer = conn_peer(conn);
	struct mw_link *link;

	if (!mw_trusted(w, &peer))
		return GW_MW_SOURCE;
	link = w->links_accepted < MW_LINKS_ACCEPTED_MAX ? link_new(w, transport) : NULL;
	if (link == NULL)
		return worker_count(w, GW_CONN_LIMIT);
	if (!link_begin(link, conn)) {
		link_drop(w, link);
		return worker_count(w, GW_NO_MEMORY);
	}
	w->links_accepted++;
	if (transport == MW_TLS)
		conn_set_deadline(conn, CONNECT_MS);
	else
		link_ready(link);
	*context = link;
	return GW_OK;
}

static enum gw_err link_accept(struct conn *conn, void *listener_context, void **context)
{
	return link_take(listener_context, conn, MW_TCP, context);
}

static enum gw_err link_accept_tls(struct conn *conn, void *listener_context, void **context)
{
	return link_take(listener_context, conn, MW_TLS, context);
}

static void link_connected(struct conn *conn, void *context)
{
	struct mw_link *link = context;

	if (!link_begin(link, conn)) {
		link_abort(link, GW_NO_MEMORY);
		return;
	}
	link->heard_us = link->worker->clock.now_us;
	conn_set_deadline(conn, CONNECT_MS);
	link_ready(link);
}

static void link_writable(struct conn *conn, void *context)
{
	(void)conn;
	link_flush(context);
}

static void link_peer_fin(struct conn *conn, void *context)
{
	struct mw_link *link = context;

	link->layer->fin(link->tls);
	link_readable(conn, context);
	link_end(link);
}

static void link_deadline(struct conn *conn, void *context)
{
	struct mw_link *link = context;
	uint64_t now = link->worker->clock.now_us;

	if (link->finished) {
		conn_abort(conn, GW_CONN_ABORTED);
	} else if (!link->up) {
		link_abort(link, GW_CONN_TIMEOUT);
	} else if (link->pinged_us > 0 && now >= link->pinged_us + PONG_US) {
		link_abort(link, GW_CONN_TIMEOUT);
	} else if (now >= link->used_us + IDLE_US) {
		link_finish(link);
		conn_set_deadline(conn, OWED_MS);
		link_shutdown(link);
	} else {
		if (now >= link_ping_us(link))
			link_ping(link);
		link_rest(link);
	}
}

/** What the end of our link says about the hop: what we cut ourselves says nothing. */
static bool is_hop_failure(const struct mw_link *link, enum gw_err why)
{
	return !link->up || why == GW_CONN_RESET || why == GW_CONN_TIMEOUT;
}

static void link_closed(struct conn *conn, void *context, enum gw_err why)
{
	struct mw_link *link = context;
	struct worker *w = link->worker;

	(void)conn;
	if (why != GW_CONN_CLOSED && why != GW_CONN_ABORTED)
		worker_count(w, why);
	if (link->ours && why != GW_STOPPING) {
		if (!link->up)
			counter_add(&w->counters.mw_connect_failures, 1);
		if (!link->broken && is_hop_failure(link, why))
			mw_hop_failed(w, &link->target, why);
		link_finish(link);
	}
	w->links_accepted -= !link->ours;
	link->layer->free(link->tls);
	mw_buffer_put(w, &link->in);
	mw_output_drop(link);
	link_drop(w, link);
}

#define LINK_OPS(accepted) \
	{ \
		.accept = (accepted), .connected = link_connected, .readable = link_readable, \
		.writable = link_writable, .peer_fin = link_peer_fin, .deadline = link_deadline, \
		.closed = link_closed \
	}

const struct conn_ops mw_link_ops = LINK_OPS(link_accept);
const struct conn_ops mw_link_tls_ops = LINK_OPS(link_accept_tls);

static struct mw_link *link_find(struct worker *w, const struct mw_target *target)
{
	struct mw_link *link;
	uint32_t cursor = 0;

	while ((link = slots_next(w->links, &cursor)) != NULL)
		if (link->ours && !link->finished && target_same(&link->target, target))
			return link;
	return NULL;
}

static struct mw_link *link_open(struct worker *w, const struct mw_target *target)
{
	struct mw_link *link = link_new(w, target->transport);
	struct conn_request request = {
		.local = worker_settings(w)->mw_address,
		.peer = target->address,
		.ops = &mw_link_ops,
		.context = link,
		.timeout_ms = CONNECT_MS,
	};
	enum gw_err err;

	if (link == NULL) {
		worker_count(w, GW_CONN_LIMIT);
		return NULL;
	}
	link->ours = true;
	link->target = *target;
	err = net_connect(worker_mw_net(w), &request, &link->conn);
	if (err != GW_OK) {
		link_drop(w, link);
		if (worker_count(w, err) == GW_SYSTEM)
			mw_hop_failed(w, target, err); /* no way there: the next one's turn */
		return NULL;
	}
	counter_add(&w->counters.mw_connects, 1);
	return link;
}

enum gw_err mw_link_request(struct worker *w, const struct mw_target *target, struct span bytes)
{
	struct mw_link *link = link_find(w, target);

	if (link == NULL)
		link = link_open(w, target);
	return link != NULL ? link_write(link, bytes) : GW_MW_DOWN;
}

enum gw_err mw_link_respond(struct worker *w, struct handle conn, struct span bytes)
{
	struct mw_link *link = slots_at(w->links, conn);

	if (link == NULL)
		return GW_STALE;
	if (link->owed > 0 && span_at(bytes, 8) != '1') /* of "SIP/2.0 200": a final one */
		link->owed--;
	return link_write(link, bytes);
}

static void link_row(const struct mw_link *link, struct row_mw *row)
{
	uint64_t now = link->worker->clock.now_us;
	const char *state = link->finished ? "closing" : link->up ? "open" : "opening";

	*row = (struct row_mw){.peer = link->ours ? link->target.address : conn_peer(link->conn),
			       .transport = link->transport};
	snprintf(row->what, sizeof(row->what), "%s", link->ours ? "link" : "accepted");
	snprintf(row->state, sizeof(row->state), "%s", state);
	if (link->used_us > 0 && now > link->used_us)
		row->seconds = (uint32_t)((now - link->used_us) / 1000000);
}

uint32_t mw_link_rows(struct worker *w, uint32_t *cursor, uint32_t max, struct row_mw *rows)
{
	const struct mw_link *link;
	uint32_t n = 0;

	while (n < max && (link = slots_next(w->links, cursor)) != NULL)
		link_row(link, &rows[n++]);
	if (n < max)
		*cursor = 0;
	return n;
}
