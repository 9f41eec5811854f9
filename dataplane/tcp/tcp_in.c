/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

/*
 * A segment's way in (RFC 9293 3.10.7, TCP.md 5.5), top to bottom: whose is it; is it old
 * (PAWS), in the window, a reset, a SYN; what does it acknowledge; what does it bring; does the
 * peer end. Nobody above is called: what the user is to be told is noted.
 */

#define PAWS_AGE_S (24u * 86400u) /* RFC 7323 5.5 */
#define ACK_DELAY_MS 40u
#define NEAR_BYTES 16384u   /* so that sequence number and ACK are guessed once in 2^31 */
#define ISS_FAR (1u << 30)  /* above any window */
#define PROGRESS_BYTES 256u /* TCP.md 5.11 */
#define PROGRESS_SLOW_MS 20000u
#define PROGRESS_CLOSED_MS 60000u

/* ---- whose it is
 * ---------------------------------------------------------------------------------- */

bool tcp_knows(const struct tcp *tcp, const struct ip_address *local, uint16_t local_port,
	       const struct ip_address *remote, uint16_t remote_port)
{
	struct tcp_ends ends = {*local, *remote, local_port, remote_port};

	return tcp_table_find(tcp->table, &ends) != TCP_TABLE_NONE || handshake_knows(tcp, &ends) ||
	       time_wait_knows(tcp, &ends);
}

static void in_refused(struct tcp *tcp, const struct tcp_arrival *arrival, enum gw_err err)
{
	if ((arrival->tcp.flags & TCP_RST) != 0) {
		tcp_count(tcp, GW_TCP_STRAY_RST);
		return;
	}
	tcp_count(tcp, err);
	tcp_out_refuse(tcp, arrival);
}

/** Of no connection: for a listener, or for nobody (RFC 9293 3.10.7.1, 3.10.7.2). */
static void in_listener(struct tcp *tcp, const struct tcp_arrival *arrival, uint32_t isn_floor)
{
	uint8_t flags = arrival->tcp.flags;

	if (tcp_listener_find(tcp, &arrival->local, arrival->tcp.dst_port) == NULL) {
		if (tcp->draining && (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
			in_refused(tcp, arrival, GW_TCP_DRAIN);
		else
			in_refused(tcp, arrival,
				   (flags & TCP_ACK) != 0 ? GW_TCP_UNKNOWN : GW_TCP_PORT);
	} else if ((flags & TCP_RST) != 0) {
		tcp_count(tcp, GW_TCP_STRAY_RST);
	} else if ((flags & TCP_ACK) != 0) {
		if (!handshake_cookie(tcp, arrival))
			in_refused(tcp, arrival, GW_TCP_UNKNOWN);
	} else if ((flags & (TCP_SYN | TCP_FIN)) == TCP_SYN) {
		handshake_syn(tcp, arrival, isn_floor);
	} else {
		tcp_count(tcp, GW_TCP_NO_ACK);
	}
}

bool tcp_input_known(struct tcp *tcp, const struct tcp_arrival *arrival)
{
	struct tcp_ends ends = tcp_arrival_ends(arrival);
	struct tcb *tcb = tcp_tcb_find(tcp, &ends);
	uint32_t isn_floor = 0;

	tcp->work = 0;
	if (tcb != NULL)
		tcp_in_connection(tcp, tcb, arrival);
	else if (!handshake_segment(tcp, arrival) && !time_wait_segment(tcp, arrival, &isn_floor))
		return false;
	if (isn_floor != 0) /* a new connection in the place of one that waited */
		in_listener(tcp, arrival, isn_floor);
	counter_add(&tcp->counters->tcp_in, 1);
	return true;
}

void tcp_input(struct tcp *tcp, const struct tcp_arrival *arrival)
{
	if (tcp_input_known(tcp, arrival))
		return;
	counter_add(&tcp->counters->tcp_in, 1);
	in_listener(tcp, arrival, 0);
}

/* ---- what it is told
 * ------------------------------------------------------------------------------- */

static void in_drop(struct tcp *tcp, struct tcb *tcb, enum gw_err err)
{
	tcp_count(tcp, err);
	trace(tcp, tcb, TCP_EVENT_DROP, err, 0, 0);
}

/** RFC 7323 5.3: an old segment of this connection, or one of an earlier with the same ends. */
static bool is_old(const struct tcp *tcp, const struct tcb *tcb, const struct tcp_packet *segment)
{
	return (tcb->flags & TCB_TIMESTAMPS) != 0 && segment->options.has_timestamps &&
	       seq_before(segment->options.ts_value, tcb->ts_recent) &&
	       tcp_now_s(tcp) - tcb->ts_recent_s < PAWS_AGE_S;
}

/** RFC 9293 3.4: some of it lies in the window. */
static bool is_in_window(const struct tcb *tcb, const struct tcp_packet *segment)
{
	uint32_t window = tcb->rcv_edge - tcb->rcv_nxt, len = tcp_in_len(segment);

	if (len == 0)
		return window == 0 ? segment->seq == tcb->rcv_nxt
				   : seq_in(segment->seq, tcb->rcv_nxt, tcb->rcv_edge);
	return window != 0 && (seq_in(segment->seq, tcb->rcv_nxt, tcb->rcv_edge) ||
			       seq_in(segment->seq + len - 1, tcb->rcv_nxt, tcb->rcv_edge));
}

static bool is_closing(const struct tcb *tcb)
{
	return tcb->state == TCP_CLOSE_WAIT || tcb->state == TCP_CLOSING ||
	       tcb->state == TCP_LAST_ACK;
}

/** What the end by a reset means: in order, when all that was still open is our FIN's ACK. */
static enum gw_err reset_reason(const struct tcb *tcb)
{
	bool only_fin = tcb->snd_nxt == tcb->snd_end && tcb->snd_una + 1 == tcb->snd_end;

	if (tcb->state == TCP_SYN_RECEIVED)
		return GW_CONN_REFUSED;
	return (tcb->state == TCP_LAST_ACK || tcb->state == TCP_CLOSING) && only_fin
		       ? GW_CONN_CLOSED
		       : GW_CONN_RESET;
}

/** RFC 5961 3.2; one before, when the FIN was that (macOS). */
static void in_reset(struct tcp *tcp, struct tcb *tcb, const struct tcp_packet *segment)
{
	if (segment->seq == tcb->rcv_nxt || (is_closing(tcb) && segment->seq == tcb->rcv_nxt - 1)) {
		enum gw_err why = reset_reason(tcb);

		trace(tcp, tcb, TCP_EVENT_ABORT, why, 0, segment->flags);
		if (why == GW_CONN_CLOSED)
			tcp_tcb_finish(tcp, tcb);
		else
			tcp_tcb_close(tcp, tcb, why);
	} else if (seq_in(segment->seq, tcb->rcv_nxt, tcb->rcv_edge)) {
		in_drop(tcp, tcb, GW_TCP_RST_CHALLENGED);
		tcp_out_challenge(tcp, tcb);
	} else {
		in_drop(tcp, tcb, GW_TCP_RST_WINDOW);
	}
}

/* ---- what it acknowledges
 * ----------------------------------------------------------------------------- */

/** RFC 5961 5.2, and no ACK of what is before the ISN. GW_OK also for an old one that is harmless.
 */
static enum gw_err ack_check(const struct tcb *tcb, uint32_t ack)
{
	uint32_t acked = tcb->snd_una - tcb->iss - 1;
	uint32_t back = tcb->snd_wnd_max < acked ? tcb->snd_wnd_max : acked;

	if (seq_after(ack, tcb->snd_nxt))
		return GW_TCP_ACK_UNSENT;
	return seq_before(ack, tcb->snd_una - back) ? GW_TCP_ACK_OLD : GW_OK;
}

/** RFC 7323 4.3, and 5.3: of a segment that lies in the window. */
static void in_timestamp(const struct tcp *tcp, struct tcb *tcb, const struct tcp_packet *segment)
{
	if ((tcb->flags & TCB_TIMESTAMPS) == 0 || !segment->options.has_timestamps ||
	    seq_before(segment->options.ts_value, tcb->ts_recent) ||
	    seq_after(segment->seq, tcb->last_ack) || !is_in_window(tcb, segment))
		return;
	tcb->ts_recent = segment->options.ts_value;
	tcb->ts_recent_s = tcp_now_s(tcp);
}

/** An ACK whose window does not count: the right edge stays where it was granted. */
static void in_window_kept(struct tcb *tcb, uint32_t ack)
{
	uint32_t acked = ack - tcb->snd_una;

	tcb->snd_wnd = tcb->snd_wnd > acked ? tcb->snd_wnd - acked : 0;
}

/** RFC 9293 3.10.7.4; the ACK is not old. True: the window has changed. */
static bool in_window(struct tcb *tcb, const struct tcp_packet *segment)
{
	uint32_t window = (uint32_t)segment->window << tcb->snd_shift;
	bool changed = window != tcb->snd_wnd;

	/* what lies beyond our window is no newer word than what is still to come before it */
	if (seq_after(segment->seq, tcb->rcv_edge)) {
		in_window_kept(tcb, segment->ack);
		return false;
	}
	/* A new ACK counts though its data are older, sent again: the right edge would move with
	 * snd_una, and nobody has granted that. */
	if (!seq_after(segment->ack, tcb->snd_una) && !seq_before(tcb->snd_wl1, segment->seq) &&
	    !(tcb->snd_wl1 == segment->seq && !seq_before(segment->ack, tcb->snd_wl2)))
		return false;
	tcb->snd_wnd = window;
	tcb->snd_wl1 = segment->seq;
	tcb->snd_wl2 = segment->ack;
	if (window > tcb->snd_wnd_max)
		tcb->snd_wnd_max = window;
	return changed;
}

/** Who takes something, but too little, has 20 s for 256 bytes (TCP.md 5.11), and what a closed
 * window has when he closes it with that. */
static void in_progress(struct tcp *tcp, struct tcb *tcb, uint32_t acked)
{
	uint32_t sum = tcb->progress + acked;

	if (acked == 0)
		return;
	if (sum >= PROGRESS_BYTES || tcb->snd_una == tcb->snd_end) {
		tcp_progress(tcp, tcb);
		return;
	}
	if (tcb->progress == 0)
		tcp_deadline(tcp, tcb, DEADLINE_USER,
			     tcb->snd_wnd > 0 ? PROGRESS_SLOW_MS : PROGRESS_CLOSED_MS);
	tcb->progress = (uint8_t)sum;
}

/** Our FIN has been acknowledged. */
static void in_fin_acked(struct tcp *tcp, struct tcb *tcb)
{
	switch (tcb->state) {
	case TCP_FIN_WAIT_1:
		tcp_set_state(tcp, tcb, TCP_FIN_WAIT_2);
		tcp_progress(tcp, tcb);
		return;
	case TCP_CLOSING:
		time_wait_add(tcp, tcb);
		tcp_tcb_finish(tcp, tcb);
		return;
	case TCP_LAST_ACK:
		tcp_tcb_finish(tcp, tcb);
		return;
	default:
		return;
	}
}

/** False: the segment is refused for what it acknowledges. */
static bool in_ack(struct tcp *tcp, struct tcb *tcb, const struct tcp_packet *segment)
{
	enum gw_err err = ack_check(tcb, segment->ack);
	uint32_t una = tcb->snd_una;
	bool changed;

	if (err != GW_OK) {
		in_drop(tcp, tcb, err);
		tcp_out_challenge(tcp, tcb);
		return false;
	}
	in_timestamp(tcp, tcb, segment);
	/* an old one has been overtaken, but what it SACKs is news */
	changed = !seq_before(segment->ack, una) && in_window(tcb, segment);
	recovery_ack(tcp, tcb, segment, changed);
	if (tcb->snd_una - tcb->iss > ISS_FAR) /* nothing is before it any more, nor ever again */
		tcb->iss = tcb->snd_una - ISS_FAR;
	in_progress(tcp, tcb, tcb->snd_una - una);
	/* new bytes may leave by a duplicate too: limited transmit, PRR */
	if (tcb->snd_una != una || changed || tcb->send_unsent != NULL ||
	    recovery_next(tcb) != NULL)
		tcp_want_output(tcp, tcb);
	if ((tcb->flags & TCB_FIN_QUEUED) != 0 && tcb->snd_una == tcb->snd_end)
		in_fin_acked(tcp, tcb);
	return true;
}

/* ---- what it brings
 * --------------------------------------------------------------------------------------- */

struct rte_mbuf *tcp_in_take(const struct tcp_arrival *arrival)
{
	struct rte_mbuf *packet = *arrival->packet;
	uint32_t len = arrival->tcp.payload.len, before;

	if (packet == NULL)
		return NULL;
	*arrival->packet = NULL;
	before = (uint32_t)(arrival->tcp.payload.at - packet_data(packet));
	if (!packet_skip(packet, before) || !packet_trim(packet, packet_len(packet) - len)) {
		packet_put(packet);
		return NULL;
	}
	return packet;
}

/** Data that came twice. An ACK tells of one range: what another has to tell leaves before. */
static void in_duplicate(struct tcp *tcp, struct tcb *tcb, uint32_t start, uint32_t end)
{
	if ((tcb->flags & TCB_DUPLICATE) != 0 &&
	    (seq_after(start, tcb->dsack.end) || seq_before(end, tcb->dsack.start)))
		tcp_out_ack_alone(tcp, tcb);
	counter_add(&tcp->counters->tcp_duplicates, 1);
	ooo_duplicate(tcb, start, end);
}

/** Data or FIN, cut to the window. */
struct piece {
	struct rte_mbuf *packet; /* NULL: a FIN alone that is next */
	uint32_t seq, len;	 /* bytes */
	bool fin;
};

/** Cuts off what was received before and what the window does not hold; false: nothing is left. */
static bool piece_cut(struct tcp *tcp, struct tcb *tcb, const struct tcp_arrival *arrival,
		      struct piece *piece)
{
	uint32_t seq = arrival->tcp.seq, end = seq + arrival->tcp.payload.len, front = 0, back = 0;

	*piece = (struct piece){.seq = seq, .fin = (arrival->tcp.flags & TCP_FIN) != 0};
	if (seq_before(seq, tcb->rcv_nxt)) {
		uint32_t old = seq_before(end, tcb->rcv_nxt) ? end : tcb->rcv_nxt;

		if (old != seq)
			in_duplicate(tcp, tcb, seq, old);
		front = old - seq;
		tcb->flags |= TCB_ACK_NOW;
	}
	if (seq_after(end + piece->fin, tcb->rcv_edge)) {
		back = seq_after(end, tcb->rcv_edge) ? end - tcb->rcv_edge : 0;
		piece->fin = false;
		tcb->flags |= TCB_ACK_NOW;
	}
	piece->seq = seq + front;
	if (front + back >= end - seq)
		piece->len = 0;
	else
		piece->len = end - seq - front - back;
	/* a FIN that stands before what is expected was received before */
	if (piece->fin && seq_before(end, tcb->rcv_nxt))
		piece->fin = false;
	if (piece->len == 0 && !(piece->fin && seq_after(piece->seq, tcb->rcv_nxt)))
		return piece->fin;
	piece->packet = tcp_in_take(arrival);
	if (piece->packet == NULL)
		return false;
	if (!packet_skip(piece->packet, front) || !packet_trim(piece->packet, back)) {
		packet_put(piece->packet);
		return false;
	}
	return true; /* a FIN behind a gap keeps its packet, though it is empty */
}

/** RFC 5681 4.2, RFC 9293 3.8.6.3, TCP.md 5.9: now, or with the next, or a little later. */
static void in_ack_policy(struct tcp *tcp, struct tcb *tcb)
{
	/* What the path and he take is what we send; options may take some of his. */
	uint32_t full = tcb->mss - tcb->mss / 8u;

	if (tcb->quick_acks > 0) {
		tcb->quick_acks--;
		tcb->flags |= TCB_ACK_NOW;
	} else if (tcb->rcv_nxt - tcb->last_ack >= 2 * full) {
		tcb->flags |= TCB_ACK_NOW; /* RFC 9293 3.8.6.3: or 2 RMSS bytes */
	} else if (!tcp_has_deadline(tcb, DEADLINE_ACK)) {
		tcp_deadline(tcp, tcb, DEADLINE_ACK, ACK_DELAY_MS);
	}
}

static void in_piece(struct tcp *tcp, struct tcb *tcb, const struct piece *piece)
{
	bool gap = tcb->ooo_first != NULL, order = piece->seq == tcb->rcv_nxt;
	uint32_t nxt = tcb->rcv_nxt;
	enum gw_err err = order ? receive_data(tcp, tcb, piece->packet, piece->fin)
				: ooo_add(tcp, tcb, piece->packet, piece->seq, piece->fin);

	counter_add(&tcp->counters->tcp_data_in, tcb->rcv_nxt - nxt);
	if (err != GW_OK)
		in_drop(tcp, tcb, err);
	if (!order)
		counter_add(&tcp->counters->tcp_out_of_order, 1);
	if (err != GW_OK || !order || gap || piece->fin)
		tcb->flags |= TCB_ACK_NOW;
	else
		in_ack_policy(tcp, tcb);
}

/** The peer's FIN has just been reached. */
static void in_fin(struct tcp *tcp, struct tcb *tcb)
{
	tcb->flags |= TCB_ACK_NOW;
	switch (tcb->state) {
	case TCP_ESTABLISHED:
		tcp_set_state(tcp, tcb, TCP_CLOSE_WAIT);
		tcp_progress(tcp, tcb);
		return;
	case TCP_FIN_WAIT_1:
		tcp_set_state(tcp, tcb, TCP_CLOSING);
		return;
	case TCP_FIN_WAIT_2:
		tcp_out_ack_alone(tcp, tcb);
		time_wait_add(tcp, tcb);
		tcp_tcb_finish(tcp, tcb);
		return;
	default:
		return;
	}
}

static void in_data(struct tcp *tcp, struct tcb *tcb, const struct tcp_arrival *arrival)
{
	bool open = (tcb->flags & TCB_FIN_RECEIVED) == 0;
	struct piece piece;

	if (tcp_in_len(&arrival->tcp) == 0)
		return;
	if (!open) { /* behind his FIN there is nothing (RFC 9293 3.10.7.4, seventh) */
		in_drop(tcp, tcb, GW_TCP_STATE);
		return;
	}
	if (tcb->state == TCP_FIN_WAIT_2)
		tcp_progress(tcp, tcb); /* he is there */
	if (piece_cut(tcp, tcb, arrival, &piece))
		in_piece(tcp, tcb, &piece);
	if ((tcb->flags & TCB_FIN_RECEIVED) != 0)
		in_fin(tcp, tcb);
	if (tcb->state != TCP_CLOSED && (tcb->flags & TCB_ACK_NOW) != 0)
		tcp_want_output(tcp, tcb);
}

/* ---- active opens
 * ------------------------------------------------------------------------------------------- */

/** What the peer's SYN says of him. */
static void in_peer(struct tcp *tcp, struct tcb *tcb, const struct tcp_packet *segment)
{
	const struct tcp_options *options = &segment->options;
	uint16_t mtu = UINT16_MAX;
	enum gw_err err;

	tcb->irs = segment->seq;
	tcb->rcv_nxt = tcb->last_ack = segment->seq + 1;
	tcb->rcv_edge = tcb->rcv_nxt + tcp_syn_window(tcp);
	tcb->flags &= (uint16_t) ~(TCB_SCALE | TCB_SACK | TCB_TIMESTAMPS | TCB_DUPLICATE);
	if (options->has_scale)
		tcb->flags |= TCB_SCALE;
	if (options->sack_permitted)
		tcb->flags |= TCB_SACK;
	if (options->has_timestamps) {
		tcb->flags |= TCB_TIMESTAMPS;
		tcb->ts_recent = options->ts_value;
		tcb->ts_recent_s = tcp_now_s(tcp);
	}
	tcb->snd_shift = !options->has_scale ? 0 : options->scale < 14 ? options->scale : 14;
	tcb->rcv_shift = options->has_scale ? TCP_SHIFT : 0;
	tcb->snd_wnd = tcb->snd_wnd_max = segment->window;
	tcb->snd_wl1 = segment->seq;
	tcb->snd_wl2 = segment->ack;
	tcb->quick_acks = 16;
	err = tcp->config.link->route(tcp->config.link_context, &tcb->ends.local, &tcb->ends.remote,
				      &mtu);
	tcb->mss = path_mss(tcb, options->mss,
			    err == GW_OK || err == GW_NET_UNRESOLVED ? mtu : UINT16_MAX);
}

/** Our SYN has been acknowledged. */
static void in_open(struct tcp *tcp, struct tcb *tcb)
{
	bool again = tcb->backoff > 0;

	tcb->snd_una = tcb->snd_nxt;
	tcb->backoff = 0;
	tcp_no_deadline(tcp, tcb, DEADLINE_LOSS);
	tcp_set_state(tcp, tcb,
		      (tcb->flags & TCB_FIN_QUEUED) != 0 ? TCP_FIN_WAIT_1 : TCP_ESTABLISHED);
	tcp_progress(tcp, tcb);
	congestion_init(tcb, again);
	if (!again && tcb->sent_us != 0) /* else it has not left */
		recovery_rtt(tcp, tcb, (uint32_t)tcp_now_us(tcp) - tcb->sent_us);
	tcp_event(tcp, tcb, EVENT_CONNECTED);
}

/** RFC 9293 3.10.7.3. */
static void in_syn_sent(struct tcp *tcp, struct tcb *tcb, const struct tcp_arrival *arrival)
{
	const struct tcp_packet *segment = &arrival->tcp;
	bool ack = (segment->flags & TCP_ACK) != 0;

	if (ack && segment->ack != tcb->snd_nxt) {
		in_drop(tcp, tcb, GW_TCP_ACK_UNSENT);
		if ((segment->flags & TCP_RST) == 0)
			tcp_out_refuse(tcp, arrival);
	} else if ((segment->flags & TCP_RST) != 0) {
		if (ack)
			tcp_tcb_close(tcp, tcb, GW_CONN_REFUSED);
		else
			in_drop(tcp, tcb, GW_TCP_RST_WINDOW);
	} else if ((segment->flags & TCP_SYN) == 0) {
		in_drop(tcp, tcb, GW_TCP_STATE);
	} else if (ack) {
		in_peer(tcp, tcb, segment);
		in_open(tcp, tcb);
		tcp_out_ack(tcp, tcb);
	} else { /* both have opened at once: RFC 9293 3.5, figure 8 */
		in_peer(tcp, tcb, segment);
		tcp_set_state(tcp, tcb, TCP_SYN_RECEIVED);
		tcp_out_syn(tcp, tcb);
	}
}

/** The ACK of our SYN-ACK. False: refused. */
static bool in_syn_received(struct tcp *tcp, struct tcb *tcb, const struct tcp_arrival *arrival)
{
	if (arrival->tcp.ack != tcb->snd_nxt) {
		in_drop(tcp, tcb, GW_TCP_ACK_UNSENT);
		tcp_out_refuse(tcp, arrival);
		return false;
	}
	in_open(tcp, tcb);
	tcb->snd_wnd = (uint32_t)arrival->tcp.window << tcb->snd_shift;
	tcb->snd_wnd_max = tcb->snd_wnd;
	return true;
}

/* ---- synchronized states
 * ---------------------------------------------------------------------------------------- */

/** Not so far from the window that it is a guess. Probes that cross lie one before it. */
static bool is_near(const struct tcb *tcb, const struct tcp_packet *segment)
{
	return seq_in(segment->seq, tcb->rcv_nxt - NEAR_BYTES, tcb->rcv_edge + NEAR_BYTES);
}

/** Bytes that have been received, and not so long ago that no window of ours held them: what lies
 * further back nobody has sent again, and a DSACK would tell of bytes that never came. */
static bool is_again(const struct tcp *tcp, const struct tcb *tcb, const struct tcp_packet *segment)
{
	uint32_t reach = tcp->config.net.limits.receive_bytes * 2;

	return segment->payload.len > 0 &&
	       seq_in(segment->seq, tcb->rcv_nxt - reach, tcb->rcv_nxt) &&
	       !seq_after(segment->seq + segment->payload.len, tcb->rcv_nxt);
}

/** False: not acceptable; it is answered, and its ACK counts all the same. */
static bool in_acceptable(struct tcp *tcp, struct tcb *tcb, const struct tcp_packet *segment)
{
	bool old = is_old(tcp, tcb, segment);

	if (!old && is_in_window(tcb, segment))
		return true;
	in_drop(tcp, tcb, old ? GW_TCP_PAWS : GW_TCP_WINDOW);
	if (is_again(tcp, tcb, segment)) { /* told at once, and as such (RFC 2883) */
		in_duplicate(tcp, tcb, segment->seq, segment->seq + segment->payload.len);
		tcp_out_ack(tcp, tcb);
	} else if (tcp_in_len(segment) > 0 || segment->seq == tcb->rcv_nxt - 1) {
		/* data beyond the window, a FIN again, a probe of a closed window, a keep-alive */
		tcp_out_ack(tcp, tcb);
	} else {
		tcp_out_challenge(tcp, tcb);
	}
	if (!old && (segment->flags & TCP_ACK) != 0 && tcb->state != TCP_SYN_RECEIVED &&
	    is_near(tcb, segment) && ack_check(tcb, segment->ack) == GW_OK)
		(void)in_ack(tcp, tcb, segment);
	return false;
}

/** A SYN on a connection: RFC 5961 4.2; but one that both have opened, whose SYN comes again. */
static void in_syn(struct tcp *tcp, struct tcb *tcb, const struct tcp_packet *segment)
{
	if (tcb->state == TCP_SYN_RECEIVED && segment->seq == tcb->irs &&
	    (segment->flags & TCP_ACK) == 0) {
		tcp_out_syn(tcp, tcb);
		return;
	}
	if (tcb->state == TCP_SYN_RECEIVED && segment->ack == tcb->snd_nxt) {
		if (segment->seq != tcb->irs)
			in_peer(tcp, tcb, segment); /* the SYN was not his: he knows ours */
		in_open(tcp, tcb);		    /* his SYN-ACK crossed ours */
		tcb->snd_wnd = tcb->snd_wnd_max = segment->window;
		tcp_out_ack(tcp, tcb);
		return;
	}
	in_drop(tcp, tcb, GW_TCP_SYN_CHALLENGED);
	tcp_out_challenge(tcp, tcb);
}

void tcp_in_connection(struct tcp *tcp, struct tcb *tcb, const struct tcp_arrival *arrival)
{
	const struct tcp_packet *segment = &arrival->tcp;

	trace(tcp, tcb, TCP_EVENT_IN, segment->seq, segment->payload.len, segment->flags);
	if (tcb->state == TCP_SYN_SENT) {
		in_syn_sent(tcp, tcb, arrival);
	} else if ((segment->flags & TCP_RST) != 0) { /* exempt from PAWS: RFC 7323 5.2 */
		in_reset(tcp, tcb, segment);
	} else if ((segment->flags & TCP_SYN) != 0) {
		in_syn(tcp, tcb, segment);
	} else if (!in_acceptable(tcp, tcb, segment)) {
		return;
	} else if ((segment->flags & TCP_ACK) == 0) {
		in_drop(tcp, tcb, GW_TCP_NO_ACK);
	} else if (tcb->state == TCP_SYN_RECEIVED && !in_syn_received(tcp, tcb, arrival)) {
		return;
	} else if (in_ack(tcp, tcb, segment) && tcb->state != TCP_CLOSED) {
		in_data(tcp, tcb, arrival);
	}
}

/* ---- ICMP (RFC 5927)
 * -----------------------------------------------------------------------------------------------
 */

/** Errors go to all workers: whoever would have the connection misses it. */
static bool icmp_is_ours(const struct tcp *tcp, const struct tcp_icmp *icmp)
{
	return tcp->config.link->worker(tcp->config.link_context, &icmp->local, icmp->local_port,
					&icmp->remote, icmp->remote_port) == tcp->config.net.worker;
}

void tcp_icmp(struct tcp *tcp, const struct tcp_icmp *icmp)
{
	struct tcp_ends ends = {icmp->local, icmp->remote, icmp->local_port, icmp->remote_port};
	struct tcb *tcb = tcp_tcb_find(tcp, &ends);

	if (tcb == NULL || !seq_in(icmp->seq, tcb->snd_una, tcb->snd_nxt)) {
		if (tcb != NULL || icmp_is_ours(tcp, icmp))
			tcp_count(tcp, GW_TCP_ICMP);
		return;
	}
	if (icmp->too_big) {
		if (!path_too_big(tcp, tcb, icmp->mtu))
			tcp_count(tcp, GW_TCP_ICMP);
		tcp_want_output(tcp, tcb);
	} else if (tcb->state == TCP_SYN_SENT && !icmp->soft) {
		tcp_tcb_close(tcp, tcb, GW_CONN_REFUSED);
	} /* elsewhere it may pass (RFC 5461): the connection's own time decides */
}
