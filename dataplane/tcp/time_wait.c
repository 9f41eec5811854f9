/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

#include <stdlib.h>

/*
 * What is left of a connection that ended in order: 64 bytes for 60 s, in a list in the order in
 * which they end, which is that in which they began or were begun anew.
 */

#define TIME_WAIT_MS 60000u
#define TIME_WAITS_PER_TURN 256u
#define ISN_GAP 65536u /* TCP.md 5.10: above all that the old connection can have in flight */

struct time_wait {
	struct tcp_ends ends;
	uint32_t snd_nxt, rcv_nxt; /* after both FINs */
	uint32_t ts_recent;
	uint32_t end_ms;
	uint32_t next, prev;
	uint16_t acked_s; /* an ACK left in this second; low bits */
	bool timestamps;
	uint8_t rcv_shift;
};
_Static_assert(sizeof(struct time_wait) == 64, "TCP.md 5.10");

struct time_waits {
	struct slots *rows;
	struct tcp_table *table;
	uint32_t first, last; /* TCP_TABLE_NONE: empty */
};

enum gw_err time_wait_open(struct tcp *tcp)
{
	struct tcp_table_config config = {
		.capacity = tcp->limits.time_waits > 0 ? tcp->limits.time_waits : 1,
		.stride = sizeof(struct time_wait),
	};
	struct time_waits *all = calloc(1, sizeof(*all));

	tcp->time_waits = all;
	if (all == NULL)
		return GW_NO_MEMORY;
	all->first = all->last = TCP_TABLE_NONE;
	all->rows = slots_new(tcp->config.net.worker, config.capacity, sizeof(struct time_wait), 0);
	if (all->rows == NULL)
		goto close;
	config.base = slots_slot(all->rows, 0);
	secret_key(tcp, config.key);
	all->table = tcp_table_new(&config);
	if (all->table == NULL)
		goto close;
	return GW_OK;
close:
	time_wait_close(tcp);
	return GW_NO_MEMORY;
}

void time_wait_close(struct tcp *tcp)
{
	if (tcp->time_waits == NULL)
		return;
	tcp_table_free(tcp->time_waits->table);
	slots_free(tcp->time_waits->rows);
	free(tcp->time_waits);
	tcp->time_waits = NULL;
}

static struct time_wait *time_wait_at(const struct tcp *tcp, uint32_t index)
{
	return slots_slot(tcp->time_waits->rows, index);
}

static uint32_t time_wait_index(const struct tcp *tcp, const struct time_wait *row)
{
	return (uint32_t)(row - time_wait_at(tcp, 0));
}

static struct time_wait *time_wait_find(const struct tcp *tcp, const struct tcp_ends *ends)
{
	uint32_t index = tcp_table_find(tcp->time_waits->table, ends);

	return index == TCP_TABLE_NONE ? NULL : time_wait_at(tcp, index);
}

bool time_wait_knows(const struct tcp *tcp, const struct tcp_ends *ends)
{
	return time_wait_find(tcp, ends) != NULL;
}

/* ---- the list
 * ------------------------------------------------------------------------------------
 */

static void time_wait_append(struct tcp *tcp, struct time_wait *row)
{
	struct time_waits *all = tcp->time_waits;

	row->end_ms = tcp_now_ms(tcp) + TIME_WAIT_MS;
	row->next = TCP_TABLE_NONE;
	row->prev = all->last;
	all->last = time_wait_index(tcp, row);
	if (row->prev == TCP_TABLE_NONE)
		all->first = all->last;
	else
		time_wait_at(tcp, row->prev)->next = all->last;
}

static void time_wait_unlink(struct tcp *tcp, const struct time_wait *row)
{
	struct time_waits *all = tcp->time_waits;

	if (row->prev == TCP_TABLE_NONE)
		all->first = row->next;
	else
		time_wait_at(tcp, row->prev)->next = row->next;
	if (row->next == TCP_TABLE_NONE)
		all->last = row->prev;
	else
		time_wait_at(tcp, row->next)->prev = row->prev;
}

static void time_wait_end(struct tcp *tcp, struct time_wait *row)
{
	struct time_waits *all = tcp->time_waits;

	time_wait_unlink(tcp, row);
	if (!tcp_table_remove(all->table, time_wait_index(tcp, row)) || !slots_put(all->rows, row))
		tcp_broken(tcp);
	counter_sub(&tcp->counters->tcp_time_wait_live, 1);
}

/* A row for a new one, the oldest one's when there is no other. */
static struct time_wait *time_wait_get(struct tcp *tcp)
{
	struct time_wait *row = slots_get_unzeroed(tcp->time_waits->rows);

	if (row != NULL)
		return row;
	time_wait_end(tcp, time_wait_at(tcp, tcp->time_waits->first));
	counter_add(&tcp->counters->tcp_time_wait_evicted, 1);
	return slots_get_unzeroed(tcp->time_waits->rows);
}

void time_wait_add(struct tcp *tcp, const struct tcb *tcb)
{
	struct time_wait *row = time_wait_find(tcp, &tcb->ends);

	if (row != NULL)
		time_wait_end(tcp, row);
	row = time_wait_get(tcp);
	*row = (struct time_wait){
		.ends = tcb->ends,
		.snd_nxt = tcb->snd_nxt,
		.rcv_nxt = tcb->rcv_nxt,
		.ts_recent = tcb->ts_recent,
		.acked_s = (uint16_t)(tcp_now_s(tcp) - 1),
		.timestamps = (tcb->flags & TCB_TIMESTAMPS) != 0,
		.rcv_shift = tcb->rcv_shift,
	};
	time_wait_append(tcp, row);
	if (!tcp_table_add(tcp->time_waits->table, time_wait_index(tcp, row)))
		tcp_broken(tcp);
	counter_add(&tcp->counters->tcp_time_wait_live, 1);
}

/* ---- segments
 * ------------------------------------------------------------------------------------
 */

static void time_wait_ack(struct tcp *tcp, struct time_wait *row)
{
	uint32_t window = tcp->config.net.limits.receive_bytes >> row->rcv_shift;
	struct tcp_packet ack = {
		.src_port = row->ends.local_port,
		.dst_port = row->ends.remote_port,
		.seq = row->snd_nxt,
		.ack = row->rcv_nxt,
		.flags = TCP_ACK,
		.window = (uint16_t)(window < UINT16_MAX ? window : UINT16_MAX),
	};
	enum gw_err err;

	if (row->timestamps) {
		ack.options.has_timestamps = true;
		ack.options.ts_value = tcp_now_ms(tcp) + secret_ts_offset(tcp, &row->ends);
		ack.options.ts_echo = row->ts_recent;
	}
	row->acked_s = (uint16_t)tcp_now_s(tcp);
	err = tcp->config.link->send(tcp->config.link_context, &row->ends.local, &row->ends.remote,
				     &ack);
	if (err == GW_OK)
		counter_add(&tcp->counters->tcp_out, 1);
	else
		tcp_count(tcp, err);
}

/* RFC 6191: a SYN that cannot be a segment of the old connection. */
static bool time_wait_reusable(struct tcp *tcp, const struct time_wait *row,
			       const struct tcp_packet *syn)
{
	const struct tcp_options *options = &syn->options;

	if (tcp->draining || tcp_listener_find(tcp, &row->ends.local, row->ends.local_port) == NULL)
		return false;
	if (row->timestamps && options->has_timestamps && options->ts_value != row->ts_recent)
		return seq_after(options->ts_value, row->ts_recent);
	return seq_after(syn->seq, row->rcv_nxt);
}

/* The peer has not seen our last ACK: told each time, and both wait from here on. */
static void time_wait_restart(struct tcp *tcp, struct time_wait *row)
{
	time_wait_unlink(tcp, row);
	time_wait_append(tcp, row);
	time_wait_ack(tcp, row);
}

bool time_wait_segment(struct tcp *tcp, const struct tcp_arrival *arrival, uint32_t *isn_floor)
{
	const struct tcp_packet *segment = &arrival->tcp;
	struct tcp_ends ends = tcp_arrival_ends(arrival);
	struct time_wait *row = time_wait_find(tcp, &ends);
	uint8_t flags = segment->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN);

	*isn_floor = 0;
	if (row == NULL)
		return false;
	if (flags == TCP_SYN && time_wait_reusable(tcp, row, segment)) {
		*isn_floor = row->snd_nxt + ISN_GAP != 0 ? row->snd_nxt + ISN_GAP : 1;
		time_wait_end(tcp, row);
		return true;
	}
	tcp_count(tcp, GW_TCP_TIME_WAIT);
	if ((flags & TCP_RST) != 0)
		return true; /* RFC 1337 */
	if (flags == (TCP_FIN | TCP_ACK) && segment->seq + tcp_in_len(segment) == row->rcv_nxt)
		time_wait_restart(tcp, row);
	else if (tcp_in_len(segment) == 0 && segment->seq == row->rcv_nxt)
		return true; /* an ACK as it should be: to answer it is to begin a war of them */
	else if (row->acked_s != (uint16_t)tcp_now_s(tcp))
		time_wait_ack(tcp, row);
	return true;
}

/* ---- time
 * ----------------------------------------------------------------------------------------
 */

/* ms until the oldest ends, or UINT32_MAX. */
static uint32_t time_wait_left_ms(const struct tcp *tcp)
{
	const struct time_wait *row;

	if (tcp->time_waits->first == TCP_TABLE_NONE)
		return UINT32_MAX;
	row = time_wait_at(tcp, tcp->time_waits->first);
	return seq_before(tcp_now_ms(tcp), row->end_ms) ? row->end_ms - tcp_now_ms(tcp) : 0;
}

void time_wait_run(struct tcp *tcp)
{
	for (uint32_t i = 0; i < TIME_WAITS_PER_TURN && time_wait_left_ms(tcp) == 0; i++)
		time_wait_end(tcp, time_wait_at(tcp, tcp->time_waits->first));
}

uint64_t time_wait_next_us(const struct tcp *tcp)
{
	uint32_t left_ms = time_wait_left_ms(tcp);

	if (left_ms == UINT32_MAX)
		return UINT64_MAX;
	return left_ms == 0 ? 0 : (tcp_now_us(tcp) / 1000 + left_ms) * 1000;
}
