/* SPDX-License-Identifier: BSD-3-Clause */
#include "receive_model.h"

#include <stdlib.h>

struct receive_model *receive_model_new(uint32_t first, uint32_t limit)
{
	struct receive_model *m = calloc(1, sizeof(*m));

	if (m == NULL)
		abort();
	m->w = receive_world_new(first, limit);
	m->first = first;
	return m;
}

bool receive_model_free(struct receive_model *m)
{
	bool balanced = receive_world_free(m->w);

	free(m);
	return balanced;
}

/* ---- segments -------------------------------------------------------------------------------- */

/* False: nothing is left. */
static bool cut_to_window(const struct receive_model *m, struct model_segment *s)
{
	uint32_t edge = m->w->tcb.rcv_edge - m->first, old;

	if (edge > MODEL_STREAM - 1)
		edge = MODEL_STREAM - 1;
	if (m->ended || s->offset >= edge)
		return false;
	if (s->len > edge - s->offset)
		s->len = edge - s->offset;
	s->fin = s->fin && s->offset + s->len < edge;
	old = s->offset < m->nxt ? m->nxt - s->offset : 0;
	if (old > s->len)
		return false;
	s->offset += old;
	s->len -= old;
	return s->len > 0 || s->fin;
}

static void forget_ooo(struct receive_model *m)
{
	if (m->top > m->nxt)
		memset(m->have + m->nxt, 0, m->top - m->nxt);
}

/* The first run of what is there already. */
static struct tcp_block duplicate_of(const struct receive_model *m, uint32_t at, uint32_t end)
{
	uint32_t start;

	while (at < end && m->have[at] == 0)
		at++;
	for (start = at; at < end && m->have[at] != 0;)
		at++;
	return (struct tcp_block){start, at};
}

/* Out of order, a segment ends at a FIN that is known. */
static uint32_t end_of(const struct receive_model *m, const struct model_segment *s)
{
	uint32_t at = s->offset, end = s->offset + s->len + s->fin;

	while (at < end && m->have[at] != 2)
		at++;
	return at < end ? at + 1 : end;
}

static bool duplicate_agrees(const struct receive_model *m, struct tcp_block expected)
{
	const struct tcb *tcb = &m->w->tcb;

	if (expected.start == expected.end)
		return (tcb->flags & TCB_DUPLICATE) == 0;
	return (tcb->flags & TCB_DUPLICATE) != 0 && tcb->dsack.start - m->first == expected.start &&
	       tcb->dsack.end - m->first == expected.end;
}

static void take_in_order(struct receive_model *m, const struct model_segment *s)
{
	for (uint32_t i = s->offset; i < s->offset + s->len; i++) {
		m->byte[i] = receive_world_byte(m->first + i, s->salt);
		m->have[i] = 1;
	}
	m->nxt = s->offset + s->len;
	while (!s->fin && m->have[m->nxt] == 1)
		m->nxt++;
	m->ended = s->fin || m->have[m->nxt] == 2;
	if (!m->ended)
		return;
	m->nxt++;
	forget_ooo(m);
}

static bool in_order(struct receive_model *m, const struct model_segment *s,
		     struct rte_mbuf *packet)
{
	struct tcp_block expected = {0, 0};

	if (packet != NULL && !receive_fits(&m->w->tcp, &m->w->tcb, packet))
		forget_ooo(m);
	if (!s->fin)
		expected = duplicate_of(m, s->offset, s->offset + s->len);
	if (receive_data(&m->w->tcp, &m->w->tcb, packet, s->fin) != GW_OK)
		return false; /* it was promised */
	take_in_order(m, s);
	return duplicate_agrees(m, expected);
}

static void take_out_of_order(struct receive_model *m, const struct model_segment *s)
{
	uint32_t i, end = s->offset + s->len;

	m->grown = 0;
	for (i = s->offset; i < end && m->have[i] != 2; i++) {
		if (m->have[i] == 0) {
			m->byte[i] = receive_world_byte(m->first + i, s->salt);
			m->have[i] = 1;
			m->grown = i;
		}
	}
	if (i == end && s->fin && m->have[end] == 0) {
		m->have[end] = 2;
		m->grown = end;
	}
}

static uint32_t model_ranges(const struct receive_model *m)
{
	uint32_t ranges = 0;

	for (uint32_t i = m->nxt + 1; i < m->top; i++)
		ranges += m->have[i] != 0 && m->have[i - 1] == 0;
	return ranges;
}

static bool refused_rightly(const struct receive_model *m, enum gw_err err)
{
	const struct receive_world *w = m->w;

	if (err == GW_TCP_PRESSURE)
		return w->pressure >= 2;
	if (err == GW_TCP_OOO_RANGES)
		return model_ranges(m) >= OOO_RANGES;
	return err == GW_TCP_TRUE_SIZE &&
	       w->tcb.receive_held > 4 * w->tcp.config.net.limits.receive_bytes;
}

static bool out_of_order(struct receive_model *m, const struct model_segment *s,
			 struct rte_mbuf *packet)
{
	struct tcp_block expected = duplicate_of(m, s->offset, end_of(m, s));
	enum gw_err err = ooo_add(&m->w->tcp, &m->w->tcb, packet, m->first + s->offset, s->fin);

	if (err == GW_TCP_PRESSURE)
		return m->w->pressure >= 2;
	if (!duplicate_agrees(m, expected))
		return false;
	if (err != GW_OK)
		return refused_rightly(m, err);
	take_out_of_order(m, s);
	return true;
}

bool receive_model_segment(struct receive_model *m, const struct model_segment *segment)
{
	struct model_segment s = *segment;
	struct tcb *tcb = &m->w->tcb;
	struct rte_mbuf *packet = NULL;

	if (!cut_to_window(m, &s))
		return true;
	if (s.len > 0 || s.offset != m->nxt)
		packet = receive_world_packet(m->w, m->first + s.offset, s.len, s.salt);
	if (m->top < s.offset + s.len + s.fin)
		m->top = s.offset + s.len + s.fin;
	tcb->flags &= (uint16_t)~TCB_DUPLICATE;
	m->w->tcp.work = 0;
	if (!(s.offset == m->nxt ? in_order : out_of_order)(m, &s, packet))
		return false;
	return tcb->rcv_nxt == m->first + m->nxt && m->w->tcp.work <= 4096 &&
	       ((tcb->flags & TCB_FIN_RECEIVED) != 0) == m->ended &&
	       ((tcb->events & EVENT_FIN) != 0) == m->ended &&
	       tcb->receive_bytes == m->nxt - m->ended - m->read && receive_world_balanced(m->w);
}

/* ---- reading --------------------------------------------------------------------------------- */

bool receive_model_read(struct receive_model *m, uint32_t n)
{
	uint32_t len = 0, bytes = m->nxt - m->ended - m->read, done = 0;
	const uint8_t *at;

	if (n > bytes)
		n = bytes;
	while (done < n && (at = receive_peek(&m->w->tcb, done, &len)) != NULL && len > 0) {
		uint32_t part = len < n - done ? len : n - done;

		if (memcmp(at, m->byte + m->read + done, part) != 0)
			return false;
		done += part;
	}
	if (done != n || (receive_peek(&m->w->tcb, bytes, &len) != NULL || len != 0))
		return false;
	receive_consume(&m->w->tcp, &m->w->tcb, n);
	m->read += n;
	return receive_world_balanced(m->w);
}

/* ---- ACKs ------------------------------------------------------------------------------------ */

/* block is a whole range. */
static bool is_range(const struct receive_model *m, const struct tcp_block *block)
{
	uint32_t start = block->start - m->first, end = block->end - m->first;

	if (start <= m->nxt || end <= start || end >= MODEL_STREAM)
		return false;
	for (uint32_t i = start; i < end; i++)
		if (m->have[i] == 0)
			return false;
	return m->have[start - 1] == 0 && m->have[end] == 0;
}

static bool ranges_agree(const struct receive_model *m, const struct tcp_block *block, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!is_range(m, &block[i]))
			return false;
		for (uint32_t k = 0; k < i; k++)
			if (block[k].start == block[i].start)
				return false;
	}
	return true;
}

/* The DSACK in front and what must follow it. */
static bool front_agrees(const struct receive_model *m, const struct tcp_block *block, uint32_t n)
{
	const struct tcb *tcb = &m->w->tcb;
	uint32_t told = (tcb->flags & TCB_DUPLICATE) != 0, leads = m->first + m->grown;

	if (told == 1 && memcmp(&block[0], &tcb->dsack, sizeof(block[0])) != 0)
		return false;
	if (told == 1 && m->have[tcb->dsack.start - m->first] != 0)
		leads = tcb->dsack.start;
	if (told >= n || leads - m->first <= m->nxt || m->have[leads - m->first] == 0)
		return true;
	return seq_in(leads, block[told].start, block[told].end);
}

bool receive_model_ack(struct receive_model *m, uint32_t max)
{
	struct receive_world *w = m->w;
	uint32_t limit = w->tcp.config.net.limits.receive_bytes, edge = w->tcb.rcv_edge;
	uint32_t told = (w->tcb.flags & TCB_DUPLICATE) != 0, ranges = model_ranges(m) + told;
	uint32_t window = receive_window(&w->tcp, &w->tcb);
	struct tcp_block block[TCP_SACKS_MAX];
	uint32_t n = ooo_blocks(&w->tcb, block, max);

	if (n != (ranges < max ? ranges : max) || !ranges_agree(m, block + told, n - told) ||
	    !front_agrees(m, block, n))
		return false;
	w->tcb.flags &= (uint16_t)~TCB_DUPLICATE;
	return !seq_before(w->tcb.rcv_edge, edge) && window % (1u << w->tcb.rcv_shift) == 0 &&
	       window >> w->tcb.rcv_shift <= UINT16_MAX &&
	       !seq_after(w->tcb.rcv_nxt + window, w->tcb.rcv_edge) &&
	       w->tcb.receive_bytes + window <= limit + limit / 16 &&
	       (m->ended || w->tcb.receive_bytes + window > limit + limit / 16 - 8 ||
		!seq_after(edge, w->tcb.rcv_nxt + window));
}
