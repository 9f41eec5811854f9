/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcpsim.h"

#include <string.h>

/*
 * One direction of the network: what middleboxes do, then a link that is too narrow, a queue, a
 * radio that fades, what corrupts, delays, reorders and doubles.
 */

void path_open(struct world *world, uint8_t from)
{
	struct path *path = &world->path[from];
	const struct path_plan *plan = &world->plan.path[from];

	*path = (struct path){.plan = plan,
			      .from = from,
			      .draw = draw_stream(world->plan.seed, 10000u + from)};
	if (plan->outage_every_ms == 0)
		return;
	path->outage_from_us = (uint64_t)draw_below(&path->draw, plan->outage_every_ms) * 1000;
	path->outage_to_us = path->outage_from_us + plan->outage_ms * UINT64_C(1000);
}

/** In an outage now; the next one is drawn when one is over. */
static bool outage(struct path *path, uint64_t now_us)
{
	const struct path_plan *plan = path->plan;

	if (plan->outage_every_ms == 0)
		return false;
	while (now_us >= path->outage_to_us) {
		uint32_t pause_ms = draw_between(&path->draw, plan->outage_every_ms / 2,
						 plan->outage_every_ms * 3 / 2);
		uint32_t ms = draw_between(&path->draw, plan->outage_ms / 2, plan->outage_ms);

		path->outage_from_us = path->outage_to_us + pause_ms * UINT64_C(1000);
		path->outage_to_us = path->outage_from_us + ms * UINT64_C(1000);
	}
	return now_us >= path->outage_from_us;
}

static bool is_bare_ack(struct span bytes)
{
	struct segment s = segment_read(bytes);

	return s.err == GW_OK && s.tcp.flags == TCP_ACK && s.tcp.payload.len == 0;
}

/** Why it is lost, or NULL. */
static const char *lost(struct path *path, struct world *world, struct span bytes)
{
	const struct path_plan *plan = path->plan;

	if (plan->burst_begin != 0)
		path->bad = path->bad ? !draw_chance(&path->draw, plan->burst_end)
				      : draw_chance(&path->draw, plan->burst_begin);
	if (path->bad)
		return "burst";
	if (draw_chance(&path->draw, plan->loss))
		return "lost";
	if (!plan->outage_holds && outage(path, world->now_us))
		return "outage";
	if (plan->ack_loss != 0 && draw_chance(&path->draw, plan->ack_loss) && is_bare_ack(bytes))
		return "ack-lost";
	return NULL;
}

/** When it is through the queue; UINT64_MAX: the queue is full. */
static uint64_t queued_us(struct path *path, uint64_t now_us, uint32_t len)
{
	uint32_t rate = path->plan->rate;

	if (rate == 0)
		return now_us;
	if (path->free_at_us < now_us)
		path->free_at_us = now_us;
	if ((path->free_at_us - now_us) * rate / 1000 + len > path->plan->queue_bytes)
		return UINT64_MAX;
	path->free_at_us += (uint64_t)len * 1000 / rate + 1;
	return path->free_at_us;
}

static uint64_t arrival_us(struct path *path, uint64_t from_us)
{
	const struct path_plan *plan = path->plan;
	uint64_t at = from_us + plan->delay_us;

	if (plan->jitter_us != 0)
		at += draw_below(&path->draw, plan->jitter_us);
	if (plan->outage_holds && outage(path, from_us))
		at += path->outage_to_us - from_us;
	if (draw_chance(&path->draw, plan->reorder))
		return at + draw_below(&path->draw, plan->reorder_us);
	if (at < path->last_at_us)
		at = path->last_at_us;
	return path->last_at_us = at;
}

static void fly(struct path *path, struct world *world, struct span bytes, uint64_t at_us,
		bool extra)
{
	struct flight *flight = flight_new(bytes.len);

	memcpy(flight->bytes, bytes.at, bytes.len);
	flight->to = !path->from;
	flight->at_us = at_us;
	flight->extra = extra;
	flights_add(&world->flights, flight);
}

static void too_big(struct path *path, struct world *world, struct span bytes)
{
	struct segment s = segment_read(bytes);
	struct flight *flight;

	segment_log(world, "too-big", path->from, bytes);
	if (!path->plan->mtu_told || s.err != GW_OK)
		return;
	flight = flight_new(0);
	flight->to = path->from;
	flight->at_us = world->now_us + path->plan->delay_us;
	flight->is_icmp = true;
	flight->extra = true;
	flight->icmp = (struct tcp_icmp){.local = s.ip.src,
					 .remote = s.ip.dst,
					 .local_port = s.tcp.src_port,
					 .remote_port = s.tcp.dst_port,
					 .seq = s.tcp.seq,
					 .too_big = true,
					 .mtu = path->plan->mtu};
	flights_add(&world->flights, flight);
}

/** A reset of this connection, as somebody on the path would make it. */
static void inject_rst(struct path *path, struct world *world, struct span bytes)
{
	struct segment s = segment_read(bytes);
	uint8_t made[SEGMENT_MAX];
	struct tcp_packet rst = {.src_port = s.tcp.src_port,
				 .dst_port = s.tcp.dst_port,
				 .seq = s.tcp.seq + tcp_in_len(&s.tcp),
				 .flags = TCP_RST};

	if (s.err != GW_OK || (s.tcp.flags & TCP_ACK) == 0)
		return;
	bytes = span_of(made, segment_write(made, &s.ip.src, &s.ip.dst, &rst));
	segment_log(world, "inject", path->from, bytes);
	fly(path, world, bytes, world->now_us + path->plan->delay_us, true);
}

/** The rest of the way of one packet. */
static void forward(struct path *path, struct world *world, uint8_t *bytes, uint32_t len)
{
	const struct path_plan *plan = path->plan;
	const char *why = NULL;
	uint64_t from_us = world->now_us;

	if (plan->mtu != 0 && len > plan->mtu) {
		too_big(path, world, span_of(bytes, len));
		return;
	}
	why = lost(path, world, span_of(bytes, len));
	if (why == NULL && (from_us = queued_us(path, world->now_us, len)) == UINT64_MAX)
		why = "queue";
	if (why != NULL) {
		segment_log(world, why, path->from, span_of(bytes, len));
		return;
	}
	if (draw_chance(&path->draw, plan->corrupt))
		edit_flip(path, bytes, len);
	if (draw_chance(&path->draw, plan->forge))
		len = edit_forge(path, bytes, len);
	segment_log(world, "sent", path->from, span_of(bytes, len));
	fly(path, world, span_of(bytes, len), arrival_us(path, from_us), false);
	if (draw_chance(&path->draw, plan->duplicate))
		fly(path, world, span_of(bytes, len),
		    from_us + plan->delay_us + draw_below(&path->draw, plan->duplicate_us), true);
}

/** Two segments where one was. */
static void split(struct path *path, struct world *world, struct span bytes)
{
	struct segment s = segment_read(bytes);
	struct tcp_packet first = s.tcp, second = s.tcp;
	uint8_t made[SEGMENT_MAX];
	uint32_t at = draw_between(&path->draw, 1, s.tcp.payload.len - 1);

	first.payload = span_cut(s.tcp.payload, 0, at);
	first.flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	second.payload = span_from(s.tcp.payload, at);
	second.seq += at;
	forward(path, world, made, segment_write(made, &s.ip.src, &s.ip.dst, &first));
	forward(path, world, made, segment_write(made, &s.ip.src, &s.ip.dst, &second));
}

static bool can_split(struct path *path, struct span bytes)
{
	struct segment s;

	if (!draw_chance(&path->draw, path->plan->split))
		return false;
	s = segment_read(bytes);
	return s.err == GW_OK && s.tcp.payload.len > 1 && (s.tcp.flags & TCP_SYN) == 0;
}

void path_send(struct path *path, struct world *world, struct span bytes)
{
	uint8_t own[SEGMENT_MAX];
	uint32_t len = bytes.len;

	path->packets++;
	memcpy(own, bytes.at, len);
	len = edit_apply(path, world, own, len);
	if (len == 0) {
		segment_log(world, "nobody", path->from, bytes);
		return;
	}
	if (path->packets == path->plan->rst_at)
		inject_rst(path, world, span_of(own, len));
	if (can_split(path, span_of(own, len)))
		split(path, world, span_of(own, len));
	else
		forward(path, world, own, len);
}
