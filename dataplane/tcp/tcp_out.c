/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

/*
 * A connection's way out (TCP.md 5.7): the send queue that the user fills, segments cut from it as
 * far as the peer's window and congestion allow, and what carries no data: SYN, ACK, reset, probe.
 * A segment that the link does not take was not sent: nothing changes, and it is offered again.
 */

#define CHALLENGES_PER_S 10u
#define RESETS_PER_S 10000u
#define PERSIST_MIN_MS 200u
#define PERSIST_MAX_MS 60000u
#define SYN_RTO_MS 1000u
#define SYN_BLOCKED_MS 10u
#define SMALL_WINDOW 536u /* bytes: segments of it are not halved */

/* ---- one segment --------------------------------------------------------------------------------
 */

static void out_timestamps(const struct tcp *tcp, const struct tcb *tcb, struct tcp_packet *segment)
{
	if ((tcb->flags & TCB_TIMESTAMPS) == 0)
		return;
	segment->options.has_timestamps = true;
	segment->options.ts_value = tcp_ts_now(tcp, tcb);
	segment->options.ts_echo = tcb->ts_recent;
}

/** True: the link is full, and will take it later. */
static bool is_back_pressure(enum gw_err err)
{
	return err == GW_NET_TX_FULL || err == GW_NET_NO_PACKET;
}

/** Sends a segment of a connection. Any other answer than back-pressure is as good as sent: what is
 * lost on the way is lost, and its reason counted. */
static enum gw_err out_send(struct tcp *tcp, const struct tcb *tcb, struct tcp_packet *segment)
{
	enum gw_err err;

	segment->src_port = tcb->ends.local_port;
	segment->dst_port = tcb->ends.remote_port;
	err = tcp->config.link->send(tcp->config.link_context, &tcb->ends.local, &tcb->ends.remote,
				     segment);
	if (err != GW_OK)
		tcp_count(tcp, err);
	if (is_back_pressure(err)) {
		tcp->blocked = true;
		return err;
	}
	counter_add(&tcp->counters->tcp_out, 1);
	return GW_OK;
}

/** A segment with ACK, window and timestamps, as every one has once the peer's SYN is known. */
static struct tcp_packet out_begin(struct tcp *tcp, struct tcb *tcb, uint32_t seq, uint8_t flags)
{
	struct tcp_packet segment = {.seq = seq, .ack = tcb->rcv_nxt, .flags = flags | TCP_ACK};

	segment.window = (uint16_t)(receive_window(tcp, tcb) >> tcb->rcv_shift);
	out_timestamps(tcp, tcb, &segment);
	return segment;
}

/** An ACK has left, alone or with data. What SACK has to tell needs one of its own. */
static void out_acked(struct tcp *tcp, struct tcb *tcb)
{
	tcb->last_ack = tcb->rcv_nxt;
	tcp_no_deadline(tcp, tcb, DEADLINE_ACK);
	tcb->flags &= (uint16_t)~TCB_ACK_NOW;
}

/* ---- segments without data
 * --------------------------------------------------------------------------- */

static enum gw_err out_ack(struct tcp *tcp, struct tcb *tcb, uint32_t seq)
{
	struct tcp_packet segment = out_begin(tcp, tcb, seq, 0);
	bool sack = (tcb->flags & TCB_SACK) != 0;
	enum gw_err err;

	if (sack)
		segment.options.sacks =
			(uint8_t)ooo_blocks(tcb, segment.options.sack,
					    segment.options.has_timestamps ? 3 : TCP_SACKS_MAX);
	err = out_send(tcp, tcb, &segment);
	if (err != GW_OK)
		return err;
	tcb->flags &= (uint16_t)~TCB_DUPLICATE;
	out_acked(tcp, tcb);
	trace(tcp, tcb, TCP_EVENT_OUT, segment.seq, 0, segment.flags);
	return GW_OK;
}

void tcp_out_ack(struct tcp *tcp, struct tcb *tcb)
{
	tcb->flags |= TCB_ACK_NOW;
	tcp_want_output(tcp, tcb);
}

void tcp_out_ack_alone(struct tcp *tcp, struct tcb *tcb)
{
	if (out_ack(tcp, tcb, tcb->snd_nxt) != GW_OK)
		tcb->flags |= TCB_ACK_NOW; /* his FIN comes again, and TIME-WAIT answers */
}

void tcp_out_challenge(struct tcp *tcp, struct tcb *tcb)
{
	uint16_t second = (uint16_t)tcp_now_s(tcp);

	if (tcb->challenge_s != second) {
		tcb->challenge_s = second;
		tcb->challenges = 0;
	}
	if (tcb->challenges == CHALLENGES_PER_S) {
		tcp_count(tcp, GW_TCP_CHALLENGE_RATE);
		return;
	}
	tcb->challenges++;
	counter_add(&tcp->counters->tcp_challenges_out, 1);
	tcp_out_ack(tcp, tcb);
}

void tcp_out_syn(struct tcp *tcp, struct tcb *tcb)
{
	bool v4 = ip_address_is_v4(&tcb->ends.local), answer = tcb->state == TCP_SYN_RECEIVED;
	struct tcp_packet segment = {
		.seq = tcb->iss,
		.flags = TCP_SYN,
		.window = tcp_syn_window(tcp),
		.options = {.mss = v4 ? TCP_MSS4 : TCP_MSS6,
			    .has_scale = !answer || (tcb->flags & TCB_SCALE) != 0,
			    .scale = TCP_SHIFT,
			    .sack_permitted = !answer || (tcb->flags & TCB_SACK) != 0,
			    .has_timestamps = !answer || (tcb->flags & TCB_TIMESTAMPS) != 0,
			    .ts_value = tcp_ts_now(tcp, tcb)},
	};
	enum gw_err err;

	if (answer) {
		segment.flags |= TCP_ACK;
		segment.ack = tcb->rcv_nxt;
		segment.options.ts_echo = tcb->ts_recent;
	}
	err = out_send(tcp, tcb, &segment);
	tcb->sent_us = err == GW_OK ? (uint32_t)tcp_now_us(tcp) | 1 : 0;
	trace(tcp, tcb, TCP_EVENT_OUT, segment.seq, 0, segment.flags);
	tcb->loss_kind = LOSS_RTO;
	tcp_deadline(tcp, tcb, DEADLINE_LOSS,
		     err == GW_OK ? SYN_RTO_MS << tcb->backoff : SYN_BLOCKED_MS);
}

/* ---- resets (RFC 9293 3.5.2, TCP.md 5.12)
 * --------------------------------------------------------------- */

void tcp_out_reset(struct tcp *tcp, const struct tcb *tcb)
{
	uint32_t edge = tcb->snd_una + tcb->snd_wnd;
	struct tcp_packet segment = {
		.seq = seq_before(edge, tcb->snd_nxt) ? edge : tcb->snd_nxt,
		.ack = tcb->rcv_nxt,
		.flags = TCP_RST | TCP_ACK,
	};

	if (tcb->state == TCP_CLOSED || tcb->state == TCP_SYN_SENT)
		return;
	if (out_send(tcp, tcb, &segment) == GW_OK)
		counter_add(&tcp->counters->tcp_resets_out, 1);
}

/** 10,000 a second, a tenth of it at once. */
static bool reset_allowed(struct tcp *tcp)
{
	uint64_t most = RESETS_PER_S / 10, passed_us = tcp_now_us(tcp) - tcp->rst_at_us;
	uint64_t more = passed_us >= 1000000 ? most : passed_us * RESETS_PER_S / 1000000;

	if (more > 0) {
		tcp->rst_at_us = tcp_now_us(tcp);
		tcp->rst_tokens =
			(uint32_t)(tcp->rst_tokens + more < most ? tcp->rst_tokens + more : most);
	}
	if (tcp->rst_tokens == 0)
		return false;
	tcp->rst_tokens--;
	return true;
}

void tcp_out_refuse(struct tcp *tcp, const struct tcp_arrival *arrival)
{
	const struct tcp_packet *in = &arrival->tcp;
	struct tcp_packet segment = {.src_port = in->dst_port,
				     .dst_port = in->src_port,
				     .flags = TCP_RST};
	enum gw_err err;

	if ((in->flags & TCP_RST) != 0)
		return;
	if (!reset_allowed(tcp)) {
		tcp_count(tcp, GW_TCP_RST_RATE);
		return;
	}
	if ((in->flags & TCP_ACK) != 0) {
		segment.seq = in->ack;
	} else {
		segment.ack = in->seq + tcp_in_len(in);
		segment.flags |= TCP_ACK;
	}
	err = tcp->config.link->send(tcp->config.link_context, &arrival->local, &arrival->remote,
				     &segment);
	if (err != GW_OK) {
		tcp_count(tcp, err);
		return;
	}
	counter_add(&tcp->counters->tcp_out, 1);
	counter_add(&tcp->counters->tcp_resets_out, 1);
}

/* ---- the queue, as the user fills it
 * ------------------------------------------------------------------------ */

static bool may_send(const struct tcb *tcb)
{
	return (tcb->state == TCP_ESTABLISHED || tcb->state == TCP_CLOSE_WAIT) &&
	       (tcb->flags & TCB_FIN_QUEUED) == 0;
}

uint32_t tcp_out_room(const struct tcp *tcp, const struct tcb *tcb)
{
	uint32_t most = tcp->config.net.limits.send_bytes, used = tcb->snd_end - tcb->snd_una;

	if (!may_send(tcb) || used >= most || tcb->send_packets >= TCP_SEGMENTS_MAX)
		return 0;
	return most - used;
}

/** Bytes of a record's packet that are payload; more are a reservation. */
static uint32_t record_bytes(struct rte_mbuf *packet)
{
	const struct send_record *r = send_record(packet);

	return r->len - ((r->flags & SEND_FIN) != 0);
}

static void queue_append(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *packet)
{
	struct send_record *r = send_record(packet);

	*r = (struct send_record){.prev = tcb->send_last, .seq = tcb->snd_end};
	if (tcb->send_last != NULL)
		send_record(tcb->send_last)->next = packet;
	else
		tcb->send_first = packet;
	tcb->send_last = packet;
	if (tcb->send_unsent == NULL)
		tcb->send_unsent = packet;
	tcb->send_packets++;
	tcp->send_live++;
}

static void queue_remove_last(struct tcp *tcp, struct tcb *tcb)
{
	struct rte_mbuf *packet = tcb->send_last, *prev = send_record(packet)->prev;

	if (tcb->send_unsent == packet)
		tcb->send_unsent = NULL;
	if (prev != NULL)
		send_record(prev)->next = NULL;
	else
		tcb->send_first = NULL;
	tcb->send_last = prev;
	tcb->send_packets--;
	tcp->send_live--;
	packet_put(packet);
}

/** What was reserved and not committed goes back. */
static void reservation_end(struct tcp *tcp, struct tcb *tcb)
{
	struct rte_mbuf *last = tcb->send_last;
	uint32_t bytes;

	if (last == NULL || tcb->send_unsent == NULL)
		return;
	bytes = record_bytes(last);
	if (packet_len(last) > bytes && !packet_trim(last, packet_len(last) - bytes))
		tcp_broken(tcp);
	if (send_record(last)->len == 0)
		queue_remove_last(tcp, tcb);
}

/** A packet for bytes of a user. The last ones are not his: else nobody could go on whose records,
 * which hold the pool, became too long for the path. */
static struct rte_mbuf *user_packet(struct tcp *tcp)
{
	/* counted here: to ask a pool how much of it is out is to walk all its caches */
	return tcp->send_live < tcp->limits.send_packets ? packet_get(tcp->send_pool) : NULL;
}

/** The last packet, when it may still grow, or a new one; NULL: the pool is empty. */
static struct rte_mbuf *queue_tail(struct tcp *tcp, struct tcb *tcb)
{
	struct rte_mbuf *last = tcb->send_last;

	if (last != NULL && (send_record(last)->flags & (SEND_SENT | SEND_FIN)) == 0 &&
	    packet_len(last) < tcb->mss)
		return last;
	last = user_packet(tcp);
	if (last != NULL)
		queue_append(tcp, tcb, last);
	return last;
}

void *tcp_out_reserve(struct tcp *tcp, struct tcb *tcb, uint32_t *room)
{
	uint32_t most = tcp_out_room(tcp, tcb), n;
	struct rte_mbuf *tail;
	void *at = NULL;

	*room = 0;
	reservation_end(tcp, tcb);
	tail = most > 0 ? queue_tail(tcp, tcb) : NULL;
	if (tail != NULL) {
		n = tcb->mss - packet_len(tail);
		n = n < most ? n : most;
		at = packet_append(tail, n);
		if (at != NULL)
			*room = n;
		tcp_want_output(tcp, tcb); /* which takes back what is not committed */
	} else if (may_send(tcb)) {
		tcb->flags |= TCB_NO_ROOM;
		tcp_want_output(tcp, tcb);
	}
	return at;
}

void tcp_out_commit(struct tcp *tcp, struct tcb *tcb, uint32_t n)
{
	struct rte_mbuf *last = tcb->send_last;
	uint32_t reserved;

	if (!may_send(tcb) || last == NULL || tcb->send_unsent == NULL)
		return;
	reserved = packet_len(last) - record_bytes(last);
	if (n > reserved) {
		tcp_broken(tcp);
		n = reserved;
	}
	send_record(last)->len += n;
	tcb->snd_end += n;
	reservation_end(tcp, tcb);
	if (tcp_out_room(tcp, tcb) == 0) /* he need not ask for more to learn it */
		tcb->flags |= TCB_NO_ROOM;
	tcp_want_output(tcp, tcb);
}

/** FIN goes with the last bytes when they have not left, else in a record of its own. */
static bool queue_fin(struct tcp *tcp, struct tcb *tcb)
{
	struct rte_mbuf *last = tcb->send_last;

	if (last == NULL || (send_record(last)->flags & SEND_SENT) != 0) {
		last = packet_get(tcp->send_pool);
		if (last == NULL)
			return false;
		queue_append(tcp, tcb, last);
	}
	send_record(last)->flags |= SEND_FIN;
	send_record(last)->len++;
	tcb->snd_end++;
	return true;
}

/** The user has shut down, and there was no packet for the FIN yet. */
static bool fin_waits(const struct tcb *tcb)
{
	return (tcb->flags & TCB_FIN_QUEUED) == 0 &&
	       (tcb->state == TCP_FIN_WAIT_1 || tcb->state == TCP_CLOSING ||
		tcb->state == TCP_LAST_ACK);
}

void tcp_out_finish(struct tcp *tcp, struct tcb *tcb)
{
	reservation_end(tcp, tcb);
	tcb->flags &= (uint16_t)~TCB_NO_ROOM;
	tcb->events &= (uint8_t)~EVENT_WRITABLE;
	if (tcb->state == TCP_ESTABLISHED)
		tcp_set_state(tcp, tcb, TCP_FIN_WAIT_1);
	else if (tcb->state == TCP_CLOSE_WAIT)
		tcp_set_state(tcp, tcb, TCP_LAST_ACK);
	if (queue_fin(tcp, tcb))
		tcb->flags |= TCB_FIN_QUEUED;
	if (tcb->snd_una == tcb->snd_nxt && (tcb->flags & TCB_PROBING) == 0)
		tcp_progress(tcp, tcb); /* else it runs */
	if ((tcb->flags & TCB_FIN_QUEUED) != 0 || fin_waits(tcb))
		tcp_want_output(tcp, tcb);
	else
		tcp_tcb_abort(tcp, tcb, GW_NET_NO_PACKET);
}

void tcp_out_drop(struct tcp *tcp, struct tcb *tcb)
{
	struct rte_mbuf *packet = tcb->send_first;

	while (packet != NULL) {
		struct rte_mbuf *next = send_record(packet)->next;

		packet_put(packet);
		packet = next;
	}
	tcb->send_first = tcb->send_last = tcb->send_unsent = NULL;
	tcp->send_live -= tcb->send_packets;
	tcb->send_packets = 0;
	tcb->pipe = 0;
}

/* ---- segments with data
 * ---------------------------------------------------------------------------------------- */

/** Cuts a record behind n bytes. False: no packet for the rest. */
static bool record_split(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *packet, uint32_t n)
{
	struct send_record *r = send_record(packet), *rest;
	struct span tail = span_from(packet_span(packet), n);
	struct rte_mbuf *behind = packet_copy(tcp->send_pool, tail);

	if (behind == NULL)
		return false;
	rest = send_record(behind);
	*rest = *r;
	rest->seq += n;
	rest->len -= n;
	rest->prev = packet;
	r->next = behind;
	r->len = n;
	r->flags &= (uint8_t)~SEND_FIN;
	if (rest->next != NULL)
		send_record(rest->next)->prev = behind;
	else
		tcb->send_last = behind;
	tcb->send_packets++;
	tcp->send_live++;
	return packet_trim(packet, tail.len);
}

static enum gw_err out_record(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *packet)
{
	struct send_record *r = send_record(packet);
	uint8_t flags = r->next == NULL || (r->flags & SEND_FIN) != 0 ? TCP_PSH : 0;
	struct tcp_packet segment = out_begin(tcp, tcb, r->seq, flags);
	enum gw_err err;

	segment.payload = packet_span(packet);
	if (segment.payload.len == 0)
		segment.flags &= (uint8_t)~TCP_PSH;
	if ((r->flags & SEND_FIN) != 0)
		segment.flags |= TCP_FIN;
	err = out_send(tcp, tcb, &segment);
	if (err != GW_OK)
		return err;
	tcb->last_ack = tcb->rcv_nxt;
	if (tcb->ooo_first == NULL && (tcb->flags & TCB_DUPLICATE) == 0)
		out_acked(tcp, tcb);
	trace(tcp, tcb, (r->flags & SEND_SENT) != 0 ? TCP_EVENT_RETRANSMIT : TCP_EVENT_OUT, r->seq,
	      segment.payload.len, segment.flags);
	return GW_OK;
}

enum gw_err tcp_out_again(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *record)
{
	enum gw_err err;

	if (record_bytes(record) > tcb->mss && !record_split(tcp, tcb, record, tcb->mss))
		return GW_NET_NO_PACKET;
	err = out_record(tcp, tcb, record);
	if (err != GW_OK)
		return err;
	counter_add(&tcp->counters->tcp_retransmits, 1);
	tcb->retransmits += tcb->retransmits < UINT16_MAX;
	recovery_sent(tcp, tcb, record);
	return GW_OK;
}

/** Sends the first unsent record. */
static enum gw_err out_first(struct tcp *tcp, struct tcb *tcb)
{
	struct rte_mbuf *packet = tcb->send_unsent;
	struct send_record *r = send_record(packet);
	bool first = tcb->snd_una == tcb->snd_nxt;
	enum gw_err err = out_record(tcp, tcb, packet);

	if (err != GW_OK)
		return err;
	tcb->send_unsent = r->next;
	tcb->snd_nxt = r->seq + r->len;
	tcb->sent_us = (uint32_t)tcp_now_us(tcp);
	counter_add(&tcp->counters->tcp_data_out, record_bytes(packet));
	recovery_sent(tcp, tcb, packet);
	if (first && tcb->progress == 0) /* else a slow peer's time runs already */
		tcp_progress(tcp, tcb);
	return GW_OK;
}

static uint32_t window_left(const struct tcb *tcb)
{
	uint32_t edge = tcb->snd_una + tcb->snd_wnd;

	return seq_after(edge, tcb->snd_nxt) ? edge - tcb->snd_nxt : 0;
}

/**
 * A peer whose whole window is a segment or two gets smaller ones: a receiver that waits for room
 * of a full one before it opens its window again may wait for ever (Linux with 4 KB of buffer
 * does).
 */
static uint32_t out_size(const struct tcb *tcb)
{
	uint32_t most = tcb->snd_wnd_max > SMALL_WINDOW ? tcb->snd_wnd_max / 2 : SMALL_WINDOW;

	return most < tcb->mss ? most : tcb->mss;
}

/** Why the first unsent record stays. */
enum out_hold { HOLD_NOT, HOLD_WINDOW, HOLD_CONGESTION, HOLD_PACKETS };

/** RFC 9293 3.8.6.2.1: how much of it goes: a full segment, all there is, or half the best window.
 */
static enum out_hold out_measure(struct tcp *tcp, struct tcb *tcb)
{
	struct rte_mbuf *packet = tcb->send_unsent;
	struct send_record *r = send_record(packet);
	uint32_t window = window_left(tcb), bytes = record_bytes(packet);
	uint32_t size = out_size(tcb), n = bytes < size ? bytes : size;
	uint32_t room = recovery_room(tcp, tcb);
	bool fin = (r->flags & SEND_FIN) != 0;

	if (window == 0 || (n > window && window < tcb->snd_wnd_max / 2))
		return HOLD_WINDOW;
	n = window < n ? window : n;
	if (room < n && (tcb->pipe > 0 || room == 0)) {
		tcb->flags |= TCB_CWND_LIMITED;
		tcb->limited_end = tcb->snd_nxt;
		return HOLD_CONGESTION;
	}
	/* what is behind, or a FIN that has no room, waits in a record of its own */
	if ((n < bytes || (fin && n == window)) && !record_split(tcp, tcb, packet, n))
		return HOLD_PACKETS;
	return HOLD_NOT;
}

/** Nothing is under way that could open the window: we ask for it. */
static void persist_begin(struct tcp *tcp, struct tcb *tcb)
{
	if ((tcb->flags & TCB_PROBING) != 0 || tcb->snd_una != tcb->snd_nxt)
		return;
	tcb->flags |= TCB_PROBING;
	tcb->backoff = 0;
	tcb->loss_kind = LOSS_PERSIST;
	tcp_deadline(tcp, tcb, DEADLINE_LOSS, recovery_rto_us(tcb) / 1000);
	if (tcb->progress == 0) /* else he is slow, and stays it */
		tcp_progress(tcp, tcb);
}

static void persist_end(struct tcp *tcp, struct tcb *tcb)
{
	if ((tcb->flags & TCB_PROBING) == 0)
		return;
	tcb->flags &= (uint16_t)~TCB_PROBING;
	tcb->backoff = 0;
	tcp_no_deadline(tcp, tcb, DEADLINE_LOSS);
	if (tcb->progress == 0)
		tcp_progress(tcp, tcb);
}

/** The record is a segment, and it and its FIN are within window. False: no packet for the rest. */
static bool record_fit(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *packet, uint32_t window)
{
	uint32_t bytes = record_bytes(packet), n = window < tcb->mss ? window : tcb->mss;
	bool fin = (send_record(packet)->flags & SEND_FIN) != 0 && n == window;

	return bytes + fin <= n || record_split(tcp, tcb, packet, n);
}

void tcp_out_probe_window(struct tcp *tcp, struct tcb *tcb)
{
	uint32_t window = window_left(tcb), ms;
	struct rte_mbuf *packet = tcb->send_unsent;

	if (packet == NULL || tcb->snd_una != tcb->snd_nxt) {
		persist_end(tcp, tcb);
		return;
	}
	if (packet_len(tcb->send_last) > record_bytes(tcb->send_last)) {
		tcp_deadline(tcp, tcb, DEADLINE_LOSS, 1); /* the user is writing there */
		return;
	}
	/* a window that is small, but open, is used after a while (RFC 9293 3.8.6.2.1, (4)); a
	 * segment is no longer than ever for that */
	if (window > 0 && record_fit(tcp, tcb, packet, window)) {
		persist_end(tcp, tcb);
		if (out_first(tcp, tcb) != GW_OK)
			persist_begin(tcp, tcb);
		return;
	}
	counter_add(&tcp->counters->tcp_window_probes, 1);
	(void)out_ack(tcp, tcb, tcb->snd_una - 1);
	tcb->backoff += tcb->backoff < 9;
	ms = (recovery_rto_us(tcb) / 1000) << tcb->backoff;
	ms = ms > PERSIST_MIN_MS ? ms : PERSIST_MIN_MS;
	tcp_deadline(tcp, tcb, DEADLINE_LOSS, ms < PERSIST_MAX_MS ? ms : PERSIST_MAX_MS);
}

static void out_new(struct tcp *tcp, struct tcb *tcb)
{
	enum out_hold hold = HOLD_NOT;

	if (tcb->send_unsent != NULL && tcb->snd_una == tcb->snd_nxt)
		congestion_idle(tcp, tcb);
	while (tcb->send_unsent != NULL && !tcp->blocked) {
		hold = out_measure(tcp, tcb);
		if (hold != HOLD_NOT)
			break;
		persist_end(tcp, tcb);
		if (out_first(tcp, tcb) != GW_OK)
			break;
	}
	if (hold == HOLD_WINDOW)
		persist_begin(tcp, tcb);
	else if (hold == HOLD_PACKETS)
		tcp->blocked = true;
}

/** A user who found the pool empty is told when it is not any more. */
static void out_starved(struct tcp *tcp, struct tcb *tcb)
{
	struct rte_mbuf *packet;

	if ((tcb->flags & TCB_NO_ROOM) == 0 || tcp_out_room(tcp, tcb) == 0 ||
	    tcb->snd_una != tcb->snd_end)
		return; /* an ACK will tell him */
	packet = user_packet(tcp);
	if (packet == NULL) {
		tcp->blocked = true;
		return;
	}
	packet_put(packet);
	tcb->flags &= (uint16_t)~TCB_NO_ROOM;
	tcp_event(tcp, tcb, EVENT_WRITABLE);
}

/** All of it, or what there is room for when nothing else is under way. */
static bool may_send_again(const struct tcp *tcp, const struct tcb *tcb, struct rte_mbuf *record)
{
	uint32_t room = recovery_room(tcp, tcb), len = send_record(record)->len;

	return room >= len || (room > 0 && (tcb->pipe == 0 || room >= tcb->mss));
}

void tcp_out_run(struct tcp *tcp, struct tcb *tcb)
{
	struct rte_mbuf *record;

	if (tcb->state == TCP_SYN_SENT || tcb->state == TCP_SYN_RECEIVED)
		return;
	reservation_end(tcp, tcb);
	if (fin_waits(tcb) && queue_fin(tcp, tcb))
		tcb->flags |= TCB_FIN_QUEUED;
	while (!tcp->blocked && (record = recovery_next(tcb)) != NULL &&
	       may_send_again(tcp, tcb, record))
		if (tcp_out_again(tcp, tcb, record) != GW_OK)
			tcp->blocked = true;
	if (!tcp->blocked)
		out_new(tcp, tcb);
	if ((tcb->flags & TCB_ACK_NOW) != 0 && !tcp->blocked)
		(void)out_ack(tcp, tcb, tcb->snd_nxt);
	if (!tcp->blocked)
		out_starved(tcp, tcb);
	if (fin_waits(tcb))
		tcp->blocked = true; /* it is offered again */
}
