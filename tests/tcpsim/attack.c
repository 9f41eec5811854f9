/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcpsim.h"

#include <string.h>

/*
 * Somebody who does not see packets, but knows addresses and ports: he sends what he likes in the
 * name of either host, and SYNs in the name of anybody. Sequence numbers he must guess.
 */

static void attack_fly(struct world *world, uint8_t to, struct span bytes)
{
	struct flight *flight = flight_new(bytes.len);

	memcpy(flight->bytes, bytes.at, bytes.len);
	flight->to = to;
	flight->at_us = world->now_us;
	flight->attack = true;
	world->totals.attacks++;
	segment_log(world, "ATTACK", !to, bytes);
	flights_add(&world->flights, flight);
}

static const uint8_t kinds[] = {
	TCP_RST,	   TCP_RST | TCP_ACK,
	TCP_SYN,	   TCP_SYN | TCP_ACK,
	TCP_ACK,	   TCP_ACK | TCP_PSH,
	TCP_FIN | TCP_ACK, TCP_PSH,
	TCP_SYN | TCP_FIN, 0,
	TCP_SYN | TCP_RST, 0xff,
	TCP_RST,	   TCP_ACK,
	TCP_ACK | TCP_PSH, TCP_ACK | TCP_URG,
};

static void options_guess(struct attack *attack, struct tcp_options *o)
{
	*o = (struct tcp_options){.mss = (uint16_t)draw_below(&attack->draw, 1500),
				  .has_timestamps = draw_chance(&attack->draw, 5000),
				  .ts_value = (uint32_t)draw_u64(&attack->draw),
				  .ts_echo = (uint32_t)draw_u64(&attack->draw)};
	if (draw_chance(&attack->draw, 3000))
		o->sacks = 1;
	o->sack[0].start = (uint32_t)draw_u64(&attack->draw);
	o->sack[0].end = o->sack[0].start + draw_below(&attack->draw, 3000);
}

/** An error about a packet he has not seen. */
static void attack_icmp(struct world *world, const struct pair *pair, uint8_t side)
{
	struct flight *flight = flight_new(0);
	struct draw *draw = &world->attack.draw;

	flight->to = pair->app[side].host;
	flight->at_us = world->now_us;
	flight->attack = flight->is_icmp = true;
	flight->icmp = (struct tcp_icmp){.local = ip_address_of(&pair->ends[side]),
					 .remote = ip_address_of(&pair->ends[!side]),
					 .local_port = endpoint_port(&pair->ends[side]),
					 .remote_port = endpoint_port(&pair->ends[!side]),
					 .seq = (uint32_t)draw_u64(draw),
					 .too_big = draw_chance(draw, 7000),
					 .mtu = draw_below(draw, 1500)};
	flights_add(&world->flights, flight);
}

/**
 * Half of the numbers is right, the other far off: neither half may be enough, or 32 bits to guess
 * are but 16. A reset is near, and not exact.
 */
static void guess_half(struct world *world, const struct app *app, struct tcp_packet *tcp)
{
	const struct tcb *tcb = (const struct tcb *)app->conn;
	struct draw *draw = &world->attack.draw;
	uint32_t far = draw_between(draw, 1u << 20, UINT32_MAX - (1u << 20));

	if (tcb == NULL || tcb->state <= TCP_SYN_RECEIVED ||
	    (tcp->flags & (TCP_ACK | TCP_RST)) == 0)
		return;
	if ((tcp->flags & TCP_RST) != 0) {
		tcp->seq = tcb->rcv_nxt + draw_between(draw, 1, 30000); /* in the window */
	} else if (draw_chance(draw, 5000)) {
		tcp->seq = tcb->rcv_nxt;
		tcp->ack = tcb->snd_nxt + far;
	} else {
		tcp->seq = tcb->rcv_nxt + far;
		tcp->ack = tcb->snd_nxt;
	}
}

static void attack_segment(struct world *world, const struct pair *pair, uint8_t side)
{
	static const uint8_t evil[100] = "GET / HTTP/1.1\r\n";
	struct attack *attack = &world->attack;
	struct ip_address src = ip_address_of(&pair->ends[!side]),
			  dst = ip_address_of(&pair->ends[side]);
	struct tcp_packet tcp = {.src_port = endpoint_port(&pair->ends[!side]),
				 .dst_port = endpoint_port(&pair->ends[side]),
				 .seq = (uint32_t)draw_u64(&attack->draw),
				 .ack = (uint32_t)draw_u64(&attack->draw),
				 .flags = kinds[draw_below(&attack->draw, sizeof(kinds))],
				 .window = (uint16_t)draw_u64(&attack->draw)};
	uint8_t bytes[SEGMENT_MAX];

	options_guess(attack, &tcp.options);
	if ((tcp.flags & (TCP_PSH | TCP_FIN)) != 0)
		tcp.payload = span_of(evil, draw_below(&attack->draw, sizeof(evil)));
	if (draw_chance(&attack->draw, 3000))
		guess_half(world, &pair->app[side], &tcp);
	if (side == 1 && draw_chance(&attack->draw, 1500)) /* a cookie is guessed */
		tcp.src_port = (uint16_t)(1024 + draw_below(&attack->draw, 1000));
	if (tcp.src_port != 0 && tcp.dst_port != 0)
		attack_fly(world, pair->app[side].host,
			   span_of(bytes, segment_write(bytes, &src, &dst, &tcp)));
}

/** A SYN from somewhere. */
static void flood(struct world *world, const struct pair *pair)
{
	struct draw *draw = &world->attack.draw;
	struct ip_address src = pair->plan->v6 ? (struct ip_address){{0xfd, 0, 0, 0x99}}
					       : ip_address_v4((const uint8_t[4]){198, 19, 0, 1}),
			  dst = ip_address_of(&pair->ends[1]);
	struct tcp_packet tcp = {.src_port = (uint16_t)draw_between(draw, 1024, 65535),
				 .dst_port = endpoint_port(&pair->ends[1]),
				 .seq = (uint32_t)draw_u64(draw),
				 .flags = TCP_SYN,
				 .window = 1024,
				 .options = {.mss = 1460, .sack_permitted = true}};
	uint8_t bytes[SEGMENT_MAX];

	src.bytes[pair->plan->v6 ? 7 : 14] = (uint8_t)draw_below(draw, 256);
	attack_fly(world, pair->app[1].host,
		   span_of(bytes, segment_write(bytes, &src, &dst, &tcp)));
}

void attack_open(struct world *world)
{
	const struct plan *plan = &world->plan;

	world->attack = (struct attack){.draw = draw_stream(plan->seed, 50000),
					.left = plan->attacks,
					.floods_left = plan->floods,
					.next_us = UINT64_MAX};
	if (plan->attacks + plan->floods > 0)
		world->attack.next_us = 0;
}

static bool both_talk(const struct pair *pair)
{
	return pair->app[0].established && pair->app[1].established && !pair->app[0].closed &&
	       !pair->app[1].closed;
}

void attack_run(struct world *world)
{
	struct attack *attack = &world->attack;
	const struct pair *pair = &world->pair[draw_below(&attack->draw, world->plan.pairs)];
	uint8_t side = (uint8_t)draw_below(&attack->draw, 2);

	if (attack->floods_left > 0) {
		attack->floods_left--;
		flood(world, pair);
	}
	if (attack->left > 0) {
		attack->left--;
		if (!pair->app[0].opened || (!world->plan.attack_early && !both_talk(pair))) {
			/* he does not know the port yet */
		} else if (draw_chance(&attack->draw, 1000)) {
			attack_icmp(world, pair, side);
		} else {
			attack_segment(world, pair, side);
		}
	}
	attack->next_us =
		world->now_us + 1 + draw_below(&attack->draw, world->plan.attack_us * 2 + 2000);
	if (attack->left + attack->floods_left == 0)
		attack->next_us = UINT64_MAX;
}
