/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/handshake.h"

/*
 * From a SYN to a connection. A bare ACK only makes a half-open one wait for its first byte
 * (deferred accept): who connects and says nothing costs 64 bytes, for 20 s.
 */

/* A secret makes cookies for so long, and reads them for as long again. */
#define COOKIE_US 15000000ull

/* ---- cookies
 * -------------------------------------------------------------------------------------
 */

static void cookies_turn(struct tcp *tcp)
{
	struct handshake *all = tcp->handshake;
	uint64_t spans = (tcp_now_us(tcp) - all->rotated_us) / COOKIE_US;

	all->rotated_us += spans * COOKIE_US;
	for (uint64_t i = 0; i < spans && i < 2; i++)
		cookie_rotate(tcp);
}

static bool cookies_wanted(const struct tcp *tcp)
{
	const struct handshake *all = tcp->handshake;

	switch (tcp->limits.cookies) {
	case COOKIES_ALWAYS:
		return true;
	case COOKIES_NEVER:
		return false;
	default:
		return slots_live(all->minis) > slots_capacity(all->minis) / 2 ||
		       all->syns > tcp->limits.syn_rate || all->syns_before > tcp->limits.syn_rate;
	}
}

static void cookies_send(struct tcp *tcp, struct mini *mini)
{
	const struct cookie_options options = {
		.mss = mini->mss,
		.has_scale = (mini->flags & MINI_SCALE) != 0,
		.scale = mini->scale,
		.sack = (mini->flags & MINI_SACK) != 0,
	};

	cookies_turn(tcp);
	mini->iss = cookie_make(tcp, &mini->ends, mini->irs, &options);
	tcp->handshake->cookies_end_us = tcp_now_us(tcp) + 2 * COOKIE_US;
	counter_add(&tcp->counters->tcp_cookies_out, 1);
	mini_send_syn_ack(tcp, mini);
}

/* ---- SYN
 * -----------------------------------------------------------------------------------------
 */

static void handshake_refuse(struct tcp *tcp, enum gw_err err)
{
	tcp_count(tcp, err);
	counter_add(&tcp->counters->conn_refused, 1);
}

static void syn_count(struct tcp *tcp)
{
	struct handshake *all = tcp->handshake;
	uint32_t second = tcp_now_s(tcp);

	counter_add(&tcp->counters->tcp_syn_in, 1);
	if (second != all->syn_s) {
		all->syns_before = second == all->syn_s + 1 ? all->syns : 0;
		all->syns = 0;
		all->syn_s = second;
	}
	all->syns++;
}

/* An address and port that a client can have, as far as is seen here: the net layer knows more. */
static bool syn_has_source(const struct tcp_arrival *arrival)
{
	const struct ip_address *remote = &arrival->remote;

	return arrival->tcp.src_port != 0 && !ip_address_is_group(remote) &&
	       !ip_address_is_loopback(remote) && !ip_address_is_unspecified(remote) &&
	       !ip_address_equal(remote, &arrival->local);
}

/* The worker's own bounds, before those of the source. */
static enum gw_err handshake_room(const struct tcp *tcp)
{
	if (slots_live(tcp->tcbs) >= tcp->config.net.limits.connections)
		return GW_CONN_LIMIT;
	return tcp_pressure(tcp) >= 2 || tcp_sends_above(tcp, 75) ? GW_TCP_PRESSURE : GW_OK;
}

static struct mini mini_of_syn(const struct tcp_arrival *arrival)
{
	const struct tcp_options *options = &arrival->tcp.options;
	uint16_t absent = ip_address_is_v4(&arrival->remote) ? 536 : 1220;

	return (struct mini){
		.ends = tcp_arrival_ends(arrival),
		.irs = arrival->tcp.seq,
		.ts_recent = options->ts_value,
		.source = MINI_NO_SOURCE,
		.mss = options->mss != 0 ? options->mss : absent,
		.flags = (options->has_timestamps ? MINI_TIMESTAMPS : 0) |
			 (options->sack_permitted ? MINI_SACK : 0) |
			 (options->has_scale ? MINI_SCALE : 0),
		.scale = options->scale < 14 ? options->scale : 14,
	};
}

/* A SYN that nothing stands against: it is remembered, or answered by a cookie. */
static void syn_accept(struct tcp *tcp, struct mini *mini, uint32_t source, uint32_t isn_floor)
{
	/* A cookie cannot be made to lie after isn_floor; a TIME-WAIT vouches for its peer. */
	if (isn_floor == 0 && cookies_wanted(tcp)) {
		source_half_open_ended(tcp, source);
		cookies_send(tcp, mini);
		return;
	}
	mini->iss = secret_isn(tcp, &mini->ends);
	if (isn_floor != 0 && !seq_after(mini->iss, isn_floor))
		mini->iss = isn_floor + 1;
	mini->source = source & MINI_NO_SOURCE;
	if (mini_add(tcp, mini, MINI_SENT_1) != NULL) {
		mini_send_syn_ack(tcp, mini);
		return;
	}
	source_half_open_ended(tcp, source);
	handshake_refuse(tcp, GW_TCP_HALF_OPEN);
}

void handshake_syn(struct tcp *tcp, const struct tcp_arrival *arrival, uint32_t isn_floor)
{
	struct mini mini = mini_of_syn(arrival);
	uint32_t source;
	enum gw_err err;

	syn_count(tcp);
	if ((arrival->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN) {
		tcp_count(tcp, GW_TCP_STATE);
		return;
	}
	if (!syn_has_source(arrival)) {
		tcp_count(tcp, GW_TCP_SYN_SOURCE);
		return;
	}
	if (tcp->draining) {
		handshake_refuse(tcp, GW_TCP_DRAIN);
		tcp_out_refuse(tcp, arrival);
		return;
	}
	err = handshake_room(tcp);
	if (err == GW_OK)
		err = source_syn(tcp, &arrival->remote, &source);
	if (err == GW_OK)
		syn_accept(tcp, &mini, source, isn_floor);
	else
		handshake_refuse(tcp, err);
}

/* ---- it becomes a connection
 * ---------------------------------------------------------------------
 */

static void promote_fill(struct tcp *tcp, struct tcb *tcb, const struct mini *mini,
			 const struct tcp_packet *segment)
{
	bool scale = (mini->flags & MINI_SCALE) != 0;

	tcb->flags |= ((mini->flags & MINI_TIMESTAMPS) != 0 ? TCB_TIMESTAMPS : 0) |
		      ((mini->flags & MINI_SACK) != 0 ? TCB_SACK : 0) | (scale ? TCB_SCALE : 0);
	tcb->irs = mini->irs;
	tcb->rcv_nxt = tcb->last_ack = mini->irs + 1;
	tcb->rcv_edge = tcb->rcv_nxt + tcp_syn_window(tcp);
	tcb->rcv_shift = scale ? TCP_SHIFT : 0;
	tcb->iss = mini->iss;
	tcb->snd_una = tcb->snd_nxt = tcb->snd_end = mini->iss + 1;
	tcb->snd_shift = scale ? mini->scale : 0;
	tcb->snd_wnd = tcb->snd_wnd_max = (uint32_t)segment->window << tcb->snd_shift;
	tcb->snd_wl1 = segment->seq;
	tcb->snd_wl2 = segment->ack;
	tcb->ts_offset = secret_ts_offset(tcp, &mini->ends);
	tcb->ts_recent = mini->ts_recent;
	tcb->ts_recent_s = tcb->born_s = tcp_now_s(tcp);
	tcb->quick_acks = 16;
}

static void promote_measure(struct tcp *tcp, struct tcb *tcb, const struct mini *mini)
{
	struct ip_address local = mini->ends.local;
	uint16_t mtu = IP6_MTU_MIN; /* no way, no matter: what is sent finds that out */
	enum gw_err err =
		tcp->config.link->route(tcp->config.link_context, &local, &mini->ends.remote, &mtu);

	if (err != GW_OK && err != GW_NET_UNRESOLVED)
		mtu = IP6_MTU_MIN;
	tcb->mss = path_mss(tcb, mini->mss, mtu);
	recovery_init(tcp, tcb);
	congestion_init(tcb, (mini->flags & MINI_AGAIN) != 0);
	if (mini->rtt_ms != 0)
		recovery_rtt(tcp, tcb, mini->rtt_ms * 1000);
}

static enum gw_err promote(struct tcp *tcp, const struct mini *mini,
			   const struct tcp_arrival *arrival)
{
	const struct tcp_listener *listener =
		tcp_listener_find(tcp, &mini->ends.local, mini->ends.local_port);
	uint32_t source;
	struct tcb *tcb;
	enum gw_err err;

	if (listener == NULL || tcp->draining)
		return GW_TCP_DRAIN;
	err = source_connection(tcp, &mini->ends.remote, &source);
	if (err != GW_OK)
		return err;
	tcb = tcp_tcb_new(tcp, &mini->ends);
	if (tcb == NULL) {
		source_connection_ended(tcp, source);
		return GW_CONN_LIMIT;
	}
	tcb->source = source;
	if (!tcp_tcb_user(tcp, tcb, listener->ops, listener->context))
		tcp_broken(tcp); /* tcp_listen() has noted the user */
	promote_fill(tcp, tcb, mini, &arrival->tcp);
	promote_measure(tcp, tcb, mini);
	tcp_set_state(tcp, tcb, TCP_ESTABLISHED);
	tcp_event(tcp, tcb, EVENT_ACCEPT);
	tcp_in_connection(tcp, tcb, arrival);
	return GW_OK;
}

/* Or its peer is told that it does not. */
static void promote_or_refuse(struct tcp *tcp, const struct mini *mini,
			      const struct tcp_arrival *arrival)
{
	enum gw_err err = promote(tcp, mini, arrival);

	if (err == GW_OK)
		return;
	handshake_refuse(tcp, err);
	tcp_out_refuse(tcp, arrival);
}

static bool segment_promotes(const struct tcp_packet *segment)
{
	return segment->payload.len > 0 || (segment->flags & TCP_FIN) != 0;
}

/* ---- segments of half-open connections (RFC 9293 3.10.7.4, RFC 5961)
 * ----------------------------- */

static bool mini_in_window(const struct tcp *tcp, const struct mini *mini, uint32_t seq)
{
	return seq_in(seq, mini->irs + 1, mini->irs + 1 + tcp_syn_window(tcp));
}

static bool mini_acceptable(const struct tcp *tcp, const struct mini *mini,
			    const struct tcp_packet *segment)
{
	uint32_t len = tcp_in_len(segment);

	return mini_in_window(tcp, mini, segment->seq) ||
	       (len > 0 && mini_in_window(tcp, mini, segment->seq + len - 1));
}

static void mini_reset(struct tcp *tcp, struct mini *mini, uint32_t seq)
{
	if (seq == mini->irs + 1) {
		tcp_count(tcp, GW_CONN_RESET);
		mini_end(tcp, mini);
	} else if (mini_in_window(tcp, mini, seq)) {
		mini_challenge(tcp, mini, GW_TCP_RST_CHALLENGED);
	} else {
		tcp_count(tcp, GW_TCP_RST_WINDOW);
	}
}

static void mini_syn(struct tcp *tcp, struct mini *mini, const struct tcp_packet *syn)
{
	if ((syn->flags & (TCP_ACK | TCP_FIN)) != 0 || syn->seq != mini->irs ||
	    mini->stage == MINI_ACKED) {
		mini_challenge(tcp, mini, GW_TCP_SYN_CHALLENGED);
		return;
	}
	if (syn->options.has_timestamps && seq_after(syn->options.ts_value, mini->ts_recent))
		mini->ts_recent = syn->options.ts_value;
	mini->flags |= MINI_AGAIN;
	counter_add(&tcp->counters->tcp_syn_in, 1);
	if (!mini_may_answer(tcp, mini))
		return;
	counter_add(&tcp->counters->tcp_retransmits, 1);
	mini_send_syn_ack(tcp, mini);
}

/* GW_OK: a segment that the connection would take. */
static enum gw_err mini_check(const struct tcp *tcp, const struct mini *mini,
			      const struct tcp_packet *segment)
{
	if ((mini->flags & MINI_TIMESTAMPS) != 0 && segment->options.has_timestamps &&
	    seq_before(segment->options.ts_value, mini->ts_recent))
		return GW_TCP_PAWS;
	if (!mini_acceptable(tcp, mini, segment))
		return GW_TCP_WINDOW;
	if ((segment->flags & TCP_ACK) == 0)
		return GW_TCP_NO_ACK;
	return segment->ack == mini->iss + 1 ? GW_OK : GW_TCP_ACK_UNSENT;
}

static void mini_acked(struct tcp *tcp, struct mini *mini, const struct tcp_packet *segment)
{
	uint32_t rtt_ms = tcp_now_ms(tcp) - mini->stamp_ms;

	if (segment->options.has_timestamps && !seq_after(segment->seq, mini->irs + 1))
		mini->ts_recent = segment->options.ts_value;
	if (mini->stage == MINI_ACKED)
		return;
	if ((mini->flags & MINI_AGAIN) == 0 && rtt_ms <= MINI_RTT_MAX)
		mini->rtt_ms = rtt_ms > 0 ? rtt_ms : 1;
	mini_move(tcp, mini, MINI_ACKED);
}

static void mini_segment(struct tcp *tcp, struct mini *mini, const struct tcp_arrival *arrival)
{
	enum gw_err err = mini_check(tcp, mini, &arrival->tcp);
	struct mini copy;

	if (err == GW_TCP_PAWS || err == GW_TCP_WINDOW) {
		mini_challenge(tcp, mini, err);
		return;
	}
	if (err != GW_OK) {
		tcp_count(tcp, err);
		if (err == GW_TCP_ACK_UNSENT)
			tcp_out_refuse(tcp, arrival);
		return;
	}
	mini_acked(tcp, mini, &arrival->tcp);
	if (!segment_promotes(&arrival->tcp))
		return;
	err = handshake_room(tcp);
	if (err != GW_OK) { /* he waits: he sends it again, as long as the half-open one lives */
		tcp_count(tcp, err);
		return;
	}
	copy = *mini;
	mini_end(tcp, mini);
	promote_or_refuse(tcp, &copy, arrival);
}

bool handshake_segment(struct tcp *tcp, const struct tcp_arrival *arrival)
{
	struct tcp_ends ends = tcp_arrival_ends(arrival);
	struct mini *mini = mini_find(tcp, &ends);

	if (mini == NULL)
		return false;
	if ((arrival->tcp.flags & TCP_RST) != 0)
		mini_reset(tcp, mini, arrival->tcp.seq);
	else if ((arrival->tcp.flags & TCP_SYN) != 0)
		mini_syn(tcp, mini, &arrival->tcp);
	else
		mini_segment(tcp, mini, arrival);
	return true;
}

/* ---- a cookie comes back
 * -------------------------------------------------------------------------
 */

/* False: it says nothing of ours. */
static bool mini_of_cookie(struct tcp *tcp, const struct tcp_arrival *arrival, struct mini *mini)
{
	const struct tcp_packet *ack = &arrival->tcp;
	struct tcp_ends ends = tcp_arrival_ends(arrival);
	struct cookie_options options;

	cookies_turn(tcp);
	if (!cookie_read(tcp, &ends, ack->seq - 1, ack->ack - 1, &options))
		return false;
	*mini = (struct mini){
		.ends = ends,
		.irs = ack->seq - 1,
		.iss = ack->ack - 1,
		.ts_recent = ack->options.ts_value,
		.mss = options.mss,
		.flags = MINI_AGAIN | (ack->options.has_timestamps ? MINI_TIMESTAMPS : 0) |
			 (options.sack ? MINI_SACK : 0) | (options.has_scale ? MINI_SCALE : 0),
		.scale = options.scale,
	};
	return true;
}

static void cookie_accept(struct tcp *tcp, struct mini *mini, const struct tcp_arrival *arrival)
{
	enum gw_err err = handshake_room(tcp);
	uint32_t source = SOURCE_NONE;

	if (err == GW_OK && segment_promotes(&arrival->tcp)) {
		counter_add(&tcp->counters->tcp_cookies_in, 1);
		promote_or_refuse(tcp, mini, arrival);
		return;
	}
	if (err == GW_OK)
		err = source_cookie_ack(tcp, &arrival->remote, &source);
	if (err != GW_OK) {
		handshake_refuse(tcp, err);
		return;
	}
	mini->source = source & MINI_NO_SOURCE;
	if (mini_add(tcp, mini, MINI_ACKED) != NULL) {
		counter_add(&tcp->counters->tcp_cookies_in, 1);
		return;
	}
	/* Not told: its first bytes are a cookie as well, and need no room here. */
	source_half_open_ended(tcp, source);
	handshake_refuse(tcp, GW_TCP_HALF_OPEN);
}

bool handshake_cookie(struct tcp *tcp, const struct tcp_arrival *arrival)
{
	struct mini mini;

	if ((arrival->tcp.flags & (TCP_ACK | TCP_SYN | TCP_RST)) != TCP_ACK || tcp->draining ||
	    tcp_now_us(tcp) >= tcp->handshake->cookies_end_us || !syn_has_source(arrival))
		return false;
	if (!source_cookie(tcp, &arrival->remote)) {
		tcp_count(tcp, GW_TCP_COOKIE);
		return true; /* no reset: the next may be looked at */
	}
	if (!mini_of_cookie(tcp, arrival, &mini)) {
		tcp_count(tcp, GW_TCP_COOKIE);
		source_cookie_wrong(tcp, &arrival->remote);
		return false;
	}
	cookie_accept(tcp, &mini, arrival);
	return true;
}
