/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

/*
 * Bytes behind a gap lie in a list of packets by sequence number that do not overlap; those that
 * touch make a range, and ranges are what SACK tells. Nothing but the list says what is there, so
 * that what is dropped is told to nobody any more. A search begins at the packet that came last:
 * most follow it.
 */

static uint32_t ooo_end(struct rte_mbuf *packet)
{
	return receive_record(packet)->seq + receive_record(packet)->len;
}

/* ---- the list -------------------------------------------------------------------------------- */

static struct rte_mbuf **ooo_link(struct tcb *tcb, struct rte_mbuf *before)
{
	return before != NULL ? &receive_record(before)->next : &tcb->ooo_first;
}

static void ooo_set_recent(struct tcb *tcb, struct rte_mbuf *packet)
{
	if (tcb->ooo_first != NULL)
		receive_record(tcb->ooo_first)->recent = packet;
}

/* The last packet that begins at seq or in front of it; NULL: none. */
static struct rte_mbuf *ooo_before(struct tcp *tcp, struct tcb *tcb, uint32_t seq)
{
	struct rte_mbuf *first = tcb->ooo_first;
	struct rte_mbuf *at = first != NULL ? receive_record(first)->recent : NULL;
	struct rte_mbuf *next;

	if (at != NULL && seq_after(receive_record(at)->seq, seq))
		at = NULL;
	for (next = *ooo_link(tcb, at); next != NULL && !seq_after(receive_record(next)->seq, seq);
	     next = receive_record(next)->next) {
		at = next;
		tcp->work++;
	}
	return at;
}

static void ooo_insert(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *before,
		       struct rte_mbuf *packet)
{
	struct rte_mbuf **link = ooo_link(tcb, before);

	receive_record(packet)->next = *link;
	*link = packet;
	ooo_set_recent(tcb, packet);
	tcb->ooo_packets++;
	receive_hold(tcp, tcb, packet);
}

/* The packet is the caller's then. */
static void ooo_remove(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *before,
		       struct rte_mbuf *packet)
{
	struct rte_mbuf *recent = receive_record(tcb->ooo_first)->recent;

	*ooo_link(tcb, before) = receive_record(packet)->next;
	ooo_set_recent(tcb, recent != packet ? recent : before);
	tcb->ooo_packets--;
	receive_release(tcp, tcb, packet);
	tcp->work++;
}

/* Copies what follows packet into it, if it touches and is small. */
static bool ooo_collapse(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *packet)
{
	struct receive_record *r = receive_record(packet);
	struct rte_mbuf *next = r->next;

	if (next == NULL || r->fin || receive_record(next)->seq != ooo_end(packet) ||
	    !receive_collapse(packet, next))
		return false;
	r->len += receive_record(next)->len;
	r->fin = receive_record(next)->fin;
	ooo_remove(tcp, tcb, packet, next);
	packet_put(next);
	return true;
}

/* ---- overlaps: bytes that are there stay
 * ---------------------------------------------------------- */

/* Of the duplicates in one segment the first is told (RFC 2883 4). */
static void duplicate_add(struct tcp_block *duplicate, uint32_t start, uint32_t end)
{
	if (duplicate->start == duplicate->end)
		*duplicate = (struct tcp_block){start, end};
	else if (duplicate->end == start)
		duplicate->end = end;
}

static void cut_front(struct rte_mbuf *packet, uint32_t n)
{
	struct receive_record *r = receive_record(packet);
	uint32_t len = packet_len(packet);

	packet_skip(packet, n < len ? n : len);
	r->seq += n;
	r->len -= n;
	r->fin = r->fin && r->len > 0;
}

/* n sequence numbers are left, none of them FIN. */
static void cut_back(struct rte_mbuf *packet, uint32_t n)
{
	struct receive_record *r = receive_record(packet);
	uint32_t len = packet_len(packet);

	packet_trim(packet, n < len ? len - n : 0);
	r->len = n;
	r->fin = false;
}

static void ooo_cut_front(struct rte_mbuf *before, struct rte_mbuf *packet,
			  struct tcp_block *duplicate)
{
	struct receive_record *r = receive_record(packet);
	uint32_t n = 0;

	if (before != NULL && seq_after(ooo_end(before), r->seq))
		n = ooo_end(before) - r->seq;
	if (n > r->len)
		n = r->len;
	if (n == 0)
		return;
	duplicate_add(duplicate, r->seq, r->seq + n);
	if (receive_record(before)->fin)
		cut_back(packet, 0); /* behind a FIN there is nothing */
	else
		cut_front(packet, n);
}

/* The bytes of old, which lie within those of packet, take their place there. A FIN behind them
 * ends packet. */
static void ooo_take_over(struct rte_mbuf *packet, struct rte_mbuf *old)
{
	struct receive_record *r = receive_record(packet);
	uint32_t offset = receive_record(old)->seq - r->seq;
	uint32_t len = packet_len(old);

	if (len > 0)
		memcpy(packet_data(packet) + offset, packet_data(old), len);
	if (!receive_record(old)->fin)
		return;
	cut_back(packet, offset + len);
	r->fin = true;
	r->len++;
}

/* What follows is swallowed while it lies within packet; what reaches further cuts it. */
static void ooo_cut_back(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *before,
			 struct rte_mbuf *packet, struct tcp_block *duplicate)
{
	struct receive_record *r = receive_record(packet);
	struct rte_mbuf *old;

	while ((old = *ooo_link(tcb, before)) != NULL &&
	       seq_before(receive_record(old)->seq, ooo_end(packet))) {
		uint32_t start = receive_record(old)->seq;
		uint32_t end = ooo_end(old);

		duplicate_add(duplicate, start,
			      seq_before(end, ooo_end(packet)) ? end : ooo_end(packet));
		if (start - r->seq + packet_len(old) > packet_len(packet)) {
			cut_back(packet, start - r->seq);
			return;
		}
		ooo_take_over(packet, old);
		ooo_remove(tcp, tcb, before, old);
		packet_put(old);
	}
}

/* ---- adding ---------------------------------------------------------------------------------- */

static uint32_t ooo_ranges(struct tcp *tcp, struct tcb *tcb)
{
	uint32_t ranges = 0, end = 0;

	for (struct rte_mbuf *p = tcb->ooo_first; p != NULL; p = receive_record(p)->next) {
		ranges += ranges == 0 || receive_record(p)->seq != end;
		end = ooo_end(p);
		tcp->work++;
	}
	return ranges;
}

static bool ooo_touch(struct rte_mbuf *left, struct rte_mbuf *right)
{
	return left != NULL && right != NULL && ooo_end(left) == receive_record(right)->seq;
}

static enum gw_err ooo_room(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *before,
			    struct rte_mbuf *packet)
{
	bool grows = ooo_touch(before, packet) || ooo_touch(packet, *ooo_link(tcb, before));

	if (!grows && tcb->ooo_packets >= OOO_RANGES && ooo_ranges(tcp, tcb) >= OOO_RANGES)
		return GW_TCP_OOO_RANGES;
	return receive_fits(tcp, tcb, packet) ? GW_OK : GW_TCP_TRUE_SIZE;
}

/* A range has grown and is the most recent: by what number it was known, of those it has joined. */
static void ooo_grew(struct tcb *tcb, uint32_t seq, uint32_t left, uint32_t right)
{
	uint32_t *recent = tcb->ooo_recent;
	uint32_t i = 0;

	while (i < 2 && recent[i] != left && recent[i] != right)
		i++;
	for (; i > 0; i--)
		recent[i] = recent[i - 1];
	recent[0] = seq;
}

static void ooo_keep(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *before,
		     struct rte_mbuf *packet)
{
	struct rte_mbuf *next = *ooo_link(tcb, before);
	uint32_t seq = receive_record(packet)->seq;
	uint32_t left = ooo_touch(before, packet) ? receive_record(before)->seq : seq;
	uint32_t right = ooo_touch(packet, next) ? receive_record(next)->seq : seq;

	ooo_insert(tcp, tcb, before, packet);
	ooo_collapse(tcp, tcb, packet);
	if (before != NULL && ooo_collapse(tcp, tcb, before))
		seq = left;
	ooo_grew(tcb, seq, left, right);
}

enum gw_err ooo_add(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *packet_owned, uint32_t seq,
		    bool fin)
{
	struct rte_mbuf *packet = packet_owned, *before;
	struct tcp_block duplicate = {seq, seq};
	enum gw_err err = tcp_pressure(tcp) >= 2 ? GW_TCP_PRESSURE : GW_OK;

	if (err != GW_OK)
		goto put;
	*receive_record(packet) =
		(struct receive_record){.seq = seq, .len = packet_len(packet) + fin, .fin = fin};
	before = ooo_before(tcp, tcb, seq);
	ooo_cut_front(before, packet, &duplicate);
	ooo_cut_back(tcp, tcb, before, packet, &duplicate);
	if (duplicate.start != duplicate.end)
		ooo_duplicate(tcb, duplicate.start, duplicate.end);
	if (receive_record(packet)->len == 0)
		goto put;
	err = ooo_room(tcp, tcb, before, packet);
	if (err != GW_OK)
		goto put;
	ooo_keep(tcp, tcb, before, packet);
	return GW_OK;
put:
	packet_put(packet);
	return err;
}

/* ---- taking ---------------------------------------------------------------------------------- */

struct rte_mbuf *ooo_next(struct tcp *tcp, struct tcb *tcb, bool *fin)
{
	struct rte_mbuf *packet;

	*fin = false;
	while ((packet = tcb->ooo_first) != NULL &&
	       !seq_after(receive_record(packet)->seq, tcb->rcv_nxt)) {
		uint32_t old = tcb->rcv_nxt - receive_record(packet)->seq;

		ooo_remove(tcp, tcb, NULL, packet);
		if (old > receive_record(packet)->len)
			old = receive_record(packet)->len;
		if (old > 0) {
			ooo_duplicate(tcb, receive_record(packet)->seq,
				      receive_record(packet)->seq + old);
			cut_front(packet, old);
		}
		*fin = receive_record(packet)->fin;
		if (packet_len(packet) > 0)
			return packet;
		packet_put(packet);
		if (*fin)
			return NULL;
	}
	return NULL;
}

void ooo_drop(struct tcp *tcp, struct tcb *tcb)
{
	struct rte_mbuf *packet;

	while ((packet = tcb->ooo_first) != NULL) {
		ooo_remove(tcp, tcb, NULL, packet);
		packet_put(packet);
	}
}

/* ---- what the peer is told
 * ------------------------------------------------------------------------ */

void ooo_duplicate(struct tcb *tcb, uint32_t start, uint32_t end)
{
	struct tcp_block *told = &tcb->dsack;

	if ((tcb->flags & TCB_DUPLICATE) == 0) {
		*told = (struct tcp_block){start, end};
		tcb->flags |= TCB_DUPLICATE;
		return;
	}
	if (seq_after(start, told->end) || seq_before(end, told->start))
		return;
	if (seq_before(start, told->start))
		told->start = start;
	told->end = seq_max(told->end, end);
}

#define RANKS 5u /* around the DSACK, three that grew last, all others */

static uint32_t block_rank(const struct tcb *tcb, const struct tcp_block *block)
{
	if ((tcb->flags & TCB_DUPLICATE) != 0 && seq_in(tcb->dsack.start, block->start, block->end))
		return 0;
	for (uint32_t i = 0; i < 3; i++)
		if (seq_in(tcb->ooo_recent[i], block->start, block->end))
			return i + 1;
	return RANKS - 1;
}

/* The range that packet begins; moves *packet behind it. */
static struct tcp_block block_next(struct rte_mbuf **packet)
{
	uint32_t start = receive_record(*packet)->seq;
	uint32_t end = start;

	for (; *packet != NULL && receive_record(*packet)->seq == end;
	     *packet = receive_record(*packet)->next)
		end = ooo_end(*packet);
	return (struct tcp_block){start, end};
}

uint32_t ooo_blocks(const struct tcb *tcb, struct tcp_block *blocks, uint32_t max)
{
	struct tcp_block block[TCP_SACKS_MAX + 1]; /* and the one that falls off the end */
	uint32_t rank[TCP_SACKS_MAX + 1];
	uint32_t first = (tcb->flags & TCB_DUPLICATE) != 0, count = 0;

	if ((tcb->flags & TCB_SACK) == 0 || max == 0)
		return 0;
	if (first == 1)
		blocks[0] = tcb->dsack;
	max = (max < TCP_SACKS_MAX ? max : TCP_SACKS_MAX) - first;
	for (struct rte_mbuf *packet = tcb->ooo_first; packet != NULL;) {
		struct tcp_block range = block_next(&packet);
		uint32_t mine = block_rank(tcb, &range), at = count;

		for (; at > 0 && rank[at - 1] > mine; at--) {
			block[at] = block[at - 1];
			rank[at] = rank[at - 1];
		}
		block[at] = range;
		rank[at] = mine;
		count += count < max;
	}
	for (uint32_t i = 0; i < count; i++)
		blocks[first + i] = block[i];
	return first + count;
}
