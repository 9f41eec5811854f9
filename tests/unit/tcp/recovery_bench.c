/* SPDX-License-Identifier: BSD-3-Clause */
#include "recovery_bench.h"

#include <stdlib.h>

static struct bench *bench_of(struct tcp *tcp)
{
	return (struct bench *)tcp;
}

/* ---- in the place of tcp.c and trace.c
 * ----------------------------------------------------------- */

enum gw_err tcp_count(struct tcp *tcp, enum gw_err err)
{
	counter_add(&tcp->counters->errors[err], 1);
	return err;
}

void tcp_event(struct tcp *tcp, struct tcb *tcb, enum tcb_event event)
{
	bench_of(tcp)->events |= event;
}

void tcp_want_output(struct tcp *tcp, struct tcb *tcb)
{
	bench_of(tcp)->wants++;
}

void tcp_deadline(struct tcp *tcp, struct tcb *tcb, enum tcb_deadline which, uint32_t ms)
{
	uint32_t at = tcp_now_ms(tcp) + ms;

	tcb->deadline_ms[which] = at != 0 ? at : 1;
}

void tcp_no_deadline(struct tcp *tcp, struct tcb *tcb, enum tcb_deadline which)
{
	tcb->deadline_ms[which] = 0;
}

void trace(struct tcp *tcp, const struct tcb *tcb, enum tcp_event event, uint32_t value,
	   uint32_t more, uint8_t flags)
{
	bench_of(tcp)->traced[event]++;
}

/* ---- in the place of tcp_out.c
 * ------------------------------------------------------------------- */

/* A record that has become too long is two. */
static void out_split(struct bench *b, struct rte_mbuf *record)
{
	struct tcb *tcb = &b->tcb;
	struct send_record *r = send_record(record);
	struct rte_mbuf *m = packet_copy(b->pool, span_of(packet_data(record) + tcb->mss,
							  packet_len(record) - tcb->mss));
	struct send_record *tail = send_record(m);

	*tail = *r;
	tail->prev = record;
	tail->seq += tcb->mss;
	tail->len -= tcb->mss;
	if (r->next != NULL)
		send_record(r->next)->prev = m;
	else
		tcb->send_last = m;
	r->next = m;
	r->len = tcb->mss;
	packet_trim(record, packet_len(record) - tcb->mss);
	tcb->send_packets++;
}

static enum gw_err out_send(struct bench *b, struct rte_mbuf *record)
{
	struct send_record *r = send_record(record);
	bool again = (r->flags & SEND_SENT) != 0;

	if (b->link_full) {
		b->refused++;
		return GW_NET_TX_FULL;
	}
	if (packet_len(record) > b->tcb.mss)
		out_split(b, record);
	if (b->sendings < BENCH_SENDINGS)
		b->sending[b->sendings++] = (struct sending){r->seq - b->first, r->len, again};
	if (!again) {
		b->tcb.snd_nxt = r->seq + r->len;
		b->tcb.send_unsent = r->next;
	}
	recovery_sent(&b->tcp, &b->tcb, record);
	return GW_OK;
}

enum gw_err tcp_out_again(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *record)
{
	return out_send(bench_of(tcp), record);
}

uint32_t tcp_out_room(const struct tcp *tcp, const struct tcb *tcb)
{
	return ((const struct bench *)tcp)->room;
}

static bool out_new(struct bench *b)
{
	struct tcb *tcb = &b->tcb;
	struct rte_mbuf *m = tcb->send_unsent;
	uint32_t len = m != NULL ? smaller(send_record(m)->len, tcb->mss) : 0;

	if (m == NULL || tcb->snd_nxt + len - tcb->snd_una > tcb->snd_wnd)
		return false;
	if (recovery_room(&b->tcp, tcb) < len) {
		tcb->flags |= TCB_CWND_LIMITED;
		tcb->limited_end = tcb->snd_nxt;
		return false;
	}
	return out_send(b, m) == GW_OK;
}

uint32_t bench_output(struct bench *b)
{
	uint32_t before = b->sendings;
	struct rte_mbuf *m;

	while ((m = recovery_next(&b->tcb)) != NULL && recovery_room(&b->tcp, &b->tcb) > 0)
		if (tcp_out_again(&b->tcp, &b->tcb, m) != GW_OK)
			return b->sendings - before;
	while (out_new(b))
		;
	return b->sendings - before;
}

/* ---- the bench
 * ----------------------------------------------------------------------------------- */

struct bench *bench_new(void)
{
	struct bench *b = aligned_alloc(64, (sizeof(*b) + 63) / 64 * 64);
	static const uint8_t remote[4] = {198, 18, 0, 9};

	memset(b, 0, sizeof(*b));
	b->clock.now_us = BENCH_NOW_US;
	b->first = BENCH_FIRST;
	b->pool = packet_pool_new("send", 65536, 0, -1);
	b->tcp.config.net.clock = &b->clock;
	b->tcp.config.net.limits.send_bytes = 65536;
	b->tcp.counters = &b->counters;
	b->tcb = (struct tcb){
		.state = TCP_ESTABLISHED,
		.flags = TCB_SACK,
		.mss = MSS,
		.snd_una = b->first,
		.snd_nxt = b->first,
		.snd_end = b->first,
		.snd_wnd = 1 << 20,
		.ends.remote = ip_address_v4(remote),
		.ts_offset = UINT32_MAX - 1500,
	};
	recovery_init(&b->tcp, &b->tcb);
	congestion_init(&b->tcb, false);
	return b;
}

struct bench *bench_ready(void)
{
	struct bench *b = bench_new();

	recovery_rtt(&b->tcp, &b->tcb, BENCH_RTT_US);
	return b;
}

bool bench_free(struct bench *b)
{
	struct rte_mbuf *next;
	bool balanced;

	for (struct rte_mbuf *m = b->tcb.send_first; m != NULL; m = next) {
		next = send_record(m)->next;
		packet_put(m);
	}
	balanced = packet_pool_live(b->pool) == 0;
	packet_pool_free(b->pool);
	free(b);
	return balanced;
}

void bench_write(struct bench *b, uint32_t n, uint32_t len)
{
	struct tcb *tcb = &b->tcb;

	for (uint32_t i = 0; i < n; i++) {
		struct rte_mbuf *m = packet_get(b->pool);

		memset(packet_append(m, len), 'x', len);
		*send_record(m) = (struct send_record){.prev = tcb->send_last,
						       .seq = tcb->snd_end,
						       .len = len};
		if (tcb->send_last != NULL)
			send_record(tcb->send_last)->next = m;
		else
			tcb->send_first = m;
		tcb->send_last = m;
		if (tcb->send_unsent == NULL)
			tcb->send_unsent = m;
		tcb->snd_end += len;
		tcb->send_packets++;
	}
}

void bench_send(struct bench *b, uint32_t n)
{
	bench_write(b, n, MSS);
	for (uint32_t i = 0; i < n && b->tcb.send_unsent != NULL; i++)
		(void)out_send(b, b->tcb.send_unsent);
}

void bench_pass(struct bench *b, uint32_t us)
{
	b->clock.now_us += us;
}

uint32_t bench_deadline(const struct bench *b)
{
	if (!tcp_has_deadline(&b->tcb, DEADLINE_LOSS))
		return UINT32_MAX;
	return b->tcb.deadline_ms[DEADLINE_LOSS] - tcp_now_ms(&b->tcp);
}

void bench_wait(struct bench *b, uint32_t us)
{
	uint64_t until_us = b->clock.now_us + us;

	for (uint32_t i = 0; i < 1000; i++) {
		uint64_t ms = bench_deadline(b);

		if (ms == UINT32_MAX || b->clock.now_us + ms * 1000 > until_us)
			break;
		b->clock.now_us += ms * 1000;
		b->tcb.deadline_ms[DEADLINE_LOSS] = 0;
		b->timeouts++;
		recovery_timeout(&b->tcp, &b->tcb);
		(void)bench_output(b);
	}
	b->clock.now_us = until_us;
}

bool bench_sound(struct bench *b)
{
	const struct tcb *tcb = &b->tcb;
	struct rte_mbuf *prev = NULL;
	uint32_t seq = tcb->snd_una, n = 0;
	bool unsent = false;

	for (struct rte_mbuf *m = tcb->send_first; m != NULL; m = send_record(m)->next) {
		const struct send_record *r = send_record(m);

		unsent = unsent || m == tcb->send_unsent;
		if (r->prev != prev || r->seq != seq || r->len == 0 ||
		    ((r->flags & SEND_SENT) == 0) != unsent ||
		    (r->flags & (SEND_SACKED | SEND_LOST)) == (SEND_SACKED | SEND_LOST) ||
		    packet_len(m) + ((r->flags & SEND_FIN) != 0) != r->len)
			return false;
		seq += r->len;
		prev = m;
		n++;
	}
	return prev == tcb->send_last && seq == tcb->snd_end && n == tcb->send_packets &&
	       tcb->pipe == recovery_pipe(tcb) && tcb->cwnd >= tcb->mss &&
	       !seq_before(tcb->rec.fack, tcb->snd_una) &&
	       (tcb->snd_una == tcb->snd_nxt || tcp_has_deadline(tcb, DEADLINE_LOSS));
}

/* ---- what the peer says
 * -------------------------------------------------------------------------- */

void bench_told(struct bench *b, const struct told *told)
{
	static const uint8_t bytes[64];
	struct tcp_packet segment = {
		.flags = TCP_ACK,
		.ack = b->first + told->ack,
		.payload = span_of(bytes, told->payload),
	};

	segment.options.has_timestamps = told->has_ts;
	segment.options.ts_echo = told->echo;
	segment.options.sacks = (uint8_t)told->sacks;
	for (uint32_t i = 0; i < told->sacks; i++)
		segment.options.sack[i] = (struct tcp_block){b->first + told->sack[i].start,
							     b->first + told->sack[i].end};
	b->tcp.work = 0;
	recovery_ack(&b->tcp, &b->tcb, &segment, told->window_changed);
	if (!bench_sound(b))
		abort();
}

void bench_ack(struct bench *b, uint32_t n)
{
	bench_told(b, &(struct told){.ack = n * MSS});
}

void bench_sack(struct bench *b, uint32_t n, uint32_t from, uint32_t to)
{
	bench_told(b, &(struct told){.ack = n * MSS, .sacks = 1, .sack = {{from * MSS, to * MSS}}});
}

void bench_dsack(struct bench *b, uint32_t n, uint32_t from, uint32_t to)
{
	bench_sack(b, n, from, to);
}

void bench_ack_echo(struct bench *b, uint32_t n, uint32_t ms_ago)
{
	bench_told(b, &(struct told){.ack = n * MSS,
				     .has_ts = true,
				     .echo = tcp_ts_now(&b->tcp, &b->tcb) - ms_ago});
}

struct send_record *bench_record(struct bench *b, uint32_t at)
{
	for (struct rte_mbuf *m = b->tcb.send_first; m != NULL; m = send_record(m)->next)
		if (send_record(m)->seq == b->first + at)
			return send_record(m);
	return NULL;
}

uint32_t bench_times(const struct bench *b, uint32_t n)
{
	uint32_t times = 0;

	for (uint32_t i = 0; i < b->sendings; i++)
		times += b->sending[i].at == n * MSS;
	return times;
}
