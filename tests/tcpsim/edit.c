/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcpsim.h"

#include <stdlib.h>
#include <string.h>

/* What middleboxes and bad memory do to the bytes of a segment. */

#define NAT_BIT 0x4000u
#define CLIENT_PORTS 20000u /* and above; servers lie below */
#define MERGED_MAX 1900u    /* IP bytes: what a packet of the host holds */

static void edit_syn(const struct path_plan *plan, struct tcp_packet *tcp)
{
	if (plan->strip_sack)
		tcp->options.sack_permitted = false;
	if (plan->strip_timestamps)
		tcp->options.has_timestamps = false;
	if (plan->strip_scale)
		tcp->options.has_scale = false;
	if (plan->mss_changed)
		tcp->options.mss = plan->mss;
}

/** Numbers that a firewall has made random; it forgets about those in SACK blocks. */
static void edit_numbers(const struct path *path, const struct world *world, struct tcp_packet *tcp)
{
	tcp->seq += path->plan->isn_shift;
	if ((tcp->flags & TCP_ACK) != 0)
		tcp->ack -= world->plan.path[!path->from].isn_shift;
}

static bool nat_changed(const struct world *world)
{
	uint32_t at = world->plan.path[0].nat_at;

	return at != 0 && world->path[0].packets >= at;
}

/** Host 0 lies behind an address translator that has lost its mind. False: nobody is there. */
static bool edit_ports(const struct path *path, const struct world *world, struct tcp_packet *tcp)
{
	if (!nat_changed(world))
		return true;
	if (path->from == 0 && tcp->src_port >= CLIENT_PORTS)
		tcp->src_port ^= NAT_BIT;
	else if (path->from == 1 && tcp->src_port < CLIENT_PORTS) {
		tcp->dst_port ^= NAT_BIT;
		return tcp->dst_port >= CLIENT_PORTS;
	}
	return true;
}

static bool in_zero_window(const struct path *path, const struct world *world)
{
	uint64_t ms = world->now_us / 1000;

	return path->plan->zero_ms != 0 && ms >= path->plan->zero_at_ms &&
	       ms - path->plan->zero_at_ms < path->plan->zero_ms;
}

static bool has_edits(const struct path *path, const struct world *world)
{
	const struct path_plan *p = path->plan;

	return p->strip_sack || p->strip_timestamps || p->strip_scale || p->strip_late ||
	       p->mss_changed || p->isn_shift != 0 ||
	       world->plan.path[!path->from].isn_shift != 0 || nat_changed(world) ||
	       in_zero_window(path, world);
}

uint32_t edit_apply(struct path *path, struct world *world, uint8_t *bytes, uint32_t len)
{
	uint8_t read[SEGMENT_MAX];
	struct segment s;

	if (!has_edits(path, world))
		return len;
	memcpy(read, bytes, len);
	s = segment_read(span_of(read, len));
	if (s.err != GW_OK)
		return len;
	if ((s.tcp.flags & TCP_SYN) != 0)
		edit_syn(path->plan, &s.tcp);
	else if (in_zero_window(path, world))
		s.tcp.window = 0;
	if (path->plan->strip_late && (s.tcp.flags & TCP_SYN) == 0)
		s.tcp.options.has_timestamps = false;
	edit_numbers(path, world, &s.tcp);
	if (!edit_ports(path, world, &s.tcp))
		return 0;
	return segment_write(bytes, &s.ip.src, &s.ip.dst, &s.tcp);
}

void edit_flip(struct path *path, uint8_t *bytes, uint32_t len)
{
	uint32_t at = draw_below(&path->draw, len * 8);

	bytes[at / 8] ^= (uint8_t)(1 << at % 8);
}

uint32_t edit_forge(struct path *path, uint8_t *bytes, uint32_t len)
{
	uint32_t head = bytes[0] >> 4 == 4 ? IP4_LEN : IP6_LEN;
	struct segment s = segment_read(span_of(bytes, len));
	uint16_t sum;

	if (s.err != GW_OK)
		return len;
	/* mostly in the header, where it matters */
	edit_flip(path, bytes + head,
		  draw_chance(&path->draw, 8000) ? (bytes[head + 12] >> 4) * 4u : len - head);
	bytes[head + 16] = bytes[head + 17] = 0;
	sum = checksum_fold(checksum_add(checksum_pseudo(&s.ip.src, &s.ip.dst, 6, len - head),
					 span_of(bytes + head, len - head)));
	bytes[head + 16] = (uint8_t)(sum >> 8);
	bytes[head + 17] = (uint8_t)sum;
	return len;
}

/* ---- merging -----------------------------------------------------------------------------------
 */

static bool can_merge(const struct segment *a, const struct segment *b)
{
	return a->err == GW_OK && b->err == GW_OK && a->tcp.payload.len > 0 &&
	       b->tcp.payload.len > 0 && a->tcp.src_port == b->tcp.src_port &&
	       a->tcp.dst_port == b->tcp.dst_port && ip_address_equal(&a->ip.src, &b->ip.src) &&
	       (a->tcp.flags & ~TCP_PSH) == TCP_ACK &&
	       (b->tcp.flags & ~(TCP_PSH | TCP_FIN)) == TCP_ACK &&
	       a->tcp.seq + a->tcp.payload.len == b->tcp.seq &&
	       a->ip.whole.len + b->tcp.payload.len <= MERGED_MAX;
}

static struct flight *merge(const struct segment *a, const struct segment *b)
{
	struct flight *both = flight_new(SEGMENT_MAX);
	struct tcp_packet tcp = b->tcp;
	uint8_t payload[SEGMENT_MAX];

	memcpy(payload, a->tcp.payload.at, a->tcp.payload.len);
	memcpy(payload + a->tcp.payload.len, b->tcp.payload.at, b->tcp.payload.len);
	tcp.seq = a->tcp.seq;
	tcp.payload = span_of(payload, a->tcp.payload.len + b->tcp.payload.len);
	both->len = segment_write(both->bytes, &a->ip.src, &a->ip.dst, &tcp);
	return both;
}

void edit_merge(struct world *world, struct flight **arrival, uint32_t *count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < *count; i++) {
		struct flight *last = kept > 0 ? arrival[kept - 1] : NULL, *both;
		struct segment a, b;

		if (last == NULL || last->is_icmp || arrival[i]->is_icmp || last->attack ||
		    arrival[i]->attack) {
			arrival[kept++] = arrival[i];
			continue;
		}
		a = segment_read(span_of(last->bytes, last->len));
		b = segment_read(span_of(arrival[i]->bytes, arrival[i]->len));
		if (!can_merge(&a, &b)) {
			arrival[kept++] = arrival[i];
			continue;
		}
		both = merge(&a, &b);
		both->to = last->to;
		both->extra = last->extra || arrival[i]->extra;
		segment_log(world, "merged", !last->to, span_of(both->bytes, both->len));
		free(last);
		free(arrival[i]);
		arrival[kept - 1] = both;
	}
	*count = kept;
}
