/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

#include <stdio.h>

/*
 * The Mw side's transport: this worker's UDP ports and TCP connections with the core. Streams are
 * cut into messages here; what they mean is the gateway's. Only mw.trusted peers are heard.
 */

#define CONNECT_MS 4000 /* DESIGN 8 */
#define DOWN_US 5000000ull
#define IDLE_US 300000000ull /* ours, unused: closed. Longer than any transaction lives */
#define PONG_US 10000000ull  /* RFC 5626 4.4.1 */
#define OWED_MS 32000	     /* timer F: after that nobody waits for our response any more */

static bool trusted(struct worker *w, const struct endpoint *peer)
{
	const struct config_part *config = worker_settings(w);

	for (uint32_t i = 0; i < config->trusted_count; i++)
		if (endpoint_same_host(&config->trusted[i], peer))
			return true;
	counter_add(&w->counters.mw_untrusted, 1);
	worker_count(w, GW_MW_SOURCE);
	return false;
}

/* ---- next hops that failed ------------------------------------------------------------------ */

/** The entry of a hop that is left alone now, or NULL. */
static struct mw_down *hop_down(struct worker *w, const struct mw_target *target)
{
	for (uint32_t i = 0; i < MW_DOWN_MAX; i++)
		if (w->down[i].until_us > w->clock.now_us &&
		    target_same(&w->down[i].target, target))
			return &w->down[i];
	return NULL;
}

bool mw_link_hop_up(struct worker *w, const struct mw_target *target)
{
	return hop_down(w, target) == NULL;
}

static void hop_event(struct worker *w, enum event_kind what, const struct mw_target *target,
		      enum gw_err err)
{
	struct message_event event = {.what = what, .err = err, .peer = target->address};

	worker_event(w, &event);
}

static struct mw_down *hop_down_oldest(struct worker *w)
{
	struct mw_down *oldest = &w->down[0];

	for (uint32_t i = 1; i < MW_DOWN_MAX; i++)
		if (w->down[i].until_us < oldest->until_us)
			oldest = &w->down[i];
	return oldest;
}

/** Leaves the hop alone for a while; the entry that ends first makes room. */
static void hop_failed(struct worker *w, const struct mw_target *target, enum gw_err why)
{
	struct mw_down *entry = hop_down(w, target);

	if (entry == NULL) { /* news */
		entry = hop_down_oldest(w);
		hop_event(w, EVENT_MW_DOWN, target, why);
	}
	*entry = (struct mw_down){*target, w->clock.now_us + DOWN_US};
}

static void hop_reached(struct worker *w, const struct mw_target *target)
{
	struct mw_down *entry = hop_down(w, target);

	if (entry != NULL)
		entry->until_us = 0;
	hop_event(w, EVENT_MW_UP, target, GW_OK);
}

/* ---- TCP ------------------------------------------------------------------------------------ */

static void link_buffer_put(struct worker *w, uint8_t **buffer)
{
	if (*buffer != NULL && !slots_put(w->link_buffers, *buffer))
		counter_add(&w->counters.invariant_broken, 1);
	*buffer = NULL;
}

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

/** Our end, after the peer's: once what waits and what we owe has gone out. */
static void link_shutdown(struct mw_link *link)
{
	if (link->finished && link->out == NULL && link->owed == 0)
		conn_shutdown_tx(link->conn);
}

static void link_flush(struct mw_link *link)
{
	while (link->up && link->out_at < link->out_len) {
		uint32_t room, n = link->out_len - link->out_at;
		void *to = conn_tx_reserve(link->conn, &room);

		if (room == 0)
			return;
		n = n < room ? n : room;
		memcpy(to, link->out + link->out_at, n);
		conn_tx_commit(link->conn, n);
		link->out_at += n;
	}
	if (!link->up || link->out == NULL)
		return;
	link_buffer_put(link->worker, &link->out);
	link->out_at = 0;
	link->out_len = 0;
	link_shutdown(link);
}

/** Whole messages or nothing: a stream with half a message in it is lost. */
static enum gw_err link_put(struct mw_link *link, struct span bytes)
{
	struct worker *w = link->worker;

	if (link->out == NULL)
		link->out = slots_get_unzeroed(w->link_buffers);
	if (link->out == NULL)
		return GW_POOL_EMPTY;
	if (link->out_at > 0 && link->out_len + bytes.len > w->large_size) {
		memmove(link->out, link->out + link->out_at, link->out_len - link->out_at);
		link->out_len -= link->out_at;
		link->out_at = 0;
	}
	if (link->out_len + bytes.len > w->large_size)
		return GW_QUEUE_FULL;
	memcpy(link->out + link->out_len, bytes.at, bytes.len);
	link->out_len += bytes.len;
	link_flush(link);
	return GW_OK;
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
		.transport = MW_TCP,
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

static void link_readable(struct conn *conn, void *context)
{
	struct mw_link *link = context;
	struct worker *w = link->worker;
	uint32_t len;
	const void *from;
	struct endpoint peer = conn_peer(conn);

	if (!link->ours && !trusted(w, &peer)) { /* any more: a reload */
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
	while (!link->finished && (from = conn_peek(conn, 0, &len)) != NULL && len > 0) {
		uint32_t room = w->large_size - link->in_len;
		uint32_t n = len < room ? len : room;

		if (n == 0) {
			link_abort(link, GW_SIP_TOO_LONG);
			return;
		}
		memcpy(link->in + link->in_len, from, n);
		link->in_len += n;
		conn_consume(conn, n);
		link_messages(link);
	}
	if (link->in_len == 0)
		link_buffer_put(w, &link->in);
}

static struct mw_link *link_new(struct worker *w)
{
	struct mw_link *link = slots_get(w->links);

	if (link != NULL)
		link->worker = w;
	return link;
}

static enum gw_err link_accept(struct conn *conn, void *listener_context, void **context)
{
	struct worker *w = listener_context;
	struct endpoint peer = conn_peer(conn);
	struct mw_link *link;

	if (!trusted(w, &peer))
		return GW_MW_SOURCE;
	link = w->links_accepted < MW_LINKS_ACCEPTED_MAX ? link_new(w) : NULL;
	if (link == NULL)
		return worker_count(w, GW_CONN_LIMIT);
	w->links_accepted++;
	link->conn = conn;
	link->up = true;
	*context = link;
	return GW_OK;
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

static void link_connected(struct conn *conn, void *context)
{
	struct mw_link *link = context;

	link->up = true;
	link->heard_us = link->used_us = link->worker->clock.now_us;
	link_rest(link);
	hop_reached(link->worker, &link->target);
	link_flush(link);
}

static void link_writable(struct conn *conn, void *context)
{
	(void)conn;
	link_flush(context);
}

static void link_peer_fin(struct conn *conn, void *context)
{
	struct mw_link *link = context;

	link_readable(conn, context);
	link_finish(link);
	conn_set_deadline(conn, OWED_MS);
	link_shutdown(link);
}

static void link_deadline(struct conn *conn, void *context)
{
	struct mw_link *link = context;
	uint64_t now = link->worker->clock.now_us;

	if (link->finished) {
		conn_abort(conn, GW_CONN_ABORTED);
	} else if (link->pinged_us > 0 && now >= link->pinged_us + PONG_US) {
		link_abort(link, GW_CONN_TIMEOUT);
	} else if (now >= link->used_us + IDLE_US) {
		link_finish(link);
		conn_set_deadline(conn, OWED_MS);
		conn_shutdown_tx(conn);
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
		if (is_hop_failure(link, why))
			hop_failed(w, &link->target, why);
		link_finish(link);
	}
	w->links_accepted -= !link->ours;
	link_buffer_put(w, &link->in);
	link_buffer_put(w, &link->out);
	if (!slots_put(w->links, link))
		counter_add(&w->counters.invariant_broken, 1);
}

static const struct conn_ops link_ops = {
	.accept = link_accept,
	.connected = link_connected,
	.readable = link_readable,
	.writable = link_writable,
	.peer_fin = link_peer_fin,
	.deadline = link_deadline,
	.closed = link_closed,
};

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
	struct mw_link *link = link_new(w);
	struct conn_request request = {
		.local = worker_settings(w)->mw_address,
		.peer = target->address,
		.ops = &link_ops,
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
		if (!slots_put(w->links, link))
			counter_add(&w->counters.invariant_broken, 1);
		if (worker_count(w, err) == GW_SYSTEM)
			hop_failed(w, target, err); /* no way there: the next one's turn */
		return NULL;
	}
	counter_add(&w->counters.mw_connects, 1);
	return link;
}

/* ---- UDP ------------------------------------------------------------------------------------ */

static void udp_datagram(void *context, const struct endpoint *local, const struct endpoint *peer,
			 struct span bytes)
{
	struct worker *w = context;
	struct mw_source source = {
		.transport = MW_UDP,
		.worker = w->config.index,
		.local = *local,
		.peer = *peer,
	};

	w->busy = true;
	if (bytes.len <= 4 || !trusted(w, peer)) /* keep-alives are shorter than any message */
		return;
	worker_from_mw(w, &source, bytes);
}

static void udp_unreachable(void *context, const struct endpoint *peer)
{
	struct mw_target target = {.transport = MW_UDP, .address = *peer};
	struct worker *w = context;

	hop_failed(w, &target, GW_CONN_REFUSED);
	gateway_target_lost(w->gateway, &target);
}

static const struct udp_ops mw_udp_ops = {udp_datagram, udp_unreachable};

/* ---- for the gateway ------------------------------------------------------------------------ */

static struct endpoint mw_local(const struct worker *w)
{
	const struct config_part *config = w->view.config;
	struct endpoint local = config->mw_address;

	endpoint_set_port(&local, (uint16_t)(config->mw_worker_port_base + w->config.index));
	return local;
}

static enum gw_err udp_request(struct worker *w, const struct mw_target *target, struct span bytes)
{
	struct endpoint local = mw_local(w);
	enum gw_err err = net_udp_send(worker_mw_net(w), &local, &target->address, bytes);

	if (err == GW_OK)
		return GW_OK;
	worker_count(w, err);
	if (err == GW_QUEUE_FULL)
		return GW_OK; /* as if the wire had lost it: timer E sends it again */
	if (err == GW_SYSTEM)
		hop_failed(w, target, err);
	return GW_MW_DOWN;
}

enum gw_err mw_link_request(struct worker *w, const struct mw_target *target, struct span bytes)
{
	struct mw_link *link;

	if (target->transport == MW_UDP)
		return udp_request(w, target, bytes);
	link = link_find(w, target);
	if (link == NULL)
		link = link_open(w, target);
	return link != NULL ? link_write(link, bytes) : GW_MW_DOWN;
}

enum gw_err mw_link_respond(struct worker *w, const struct mw_source *source, struct span bytes)
{
	struct mw_link *link;

	if (source->transport == MW_UDP)
		return net_udp_send(worker_mw_net(w), &source->local, &source->peer, bytes);
	link = slots_at(w->links, source->conn);
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
			       .transport = MW_TCP};
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

/** The common entry and this worker's own port, TCP and UDP. */
enum gw_err mw_link_listen(struct worker *w)
{
	const struct config_part *config = worker_settings(w);
	struct endpoint entry = config->mw_address, own = mw_local(w);
	enum gw_err err;

	endpoint_set_port(&entry, config->mw_sip_port);
	err = net_listen(worker_mw_net(w), &entry, &link_ops, w);
	if (err == GW_OK)
		err = net_listen(worker_mw_net(w), &own, &link_ops, w);
	if (err == GW_OK)
		err = net_udp_bind(worker_mw_net(w), &entry, &mw_udp_ops, w);
	if (err == GW_OK)
		err = net_udp_bind(worker_mw_net(w), &own, &mw_udp_ops, w);
	return err;
}
