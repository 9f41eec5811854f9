/* SPDX-License-Identifier: BSD-3-Clause */
#include "door_judge.h"

#include "tcp/handshake.h"

/*
 * What peers, time and the rest of the stack do to the door of an instance. Input: a byte of
 * bounds, then steps of 4 bytes,
 *
 *	what    low 4 bits: SYN, answer, wild segment, time, switch, end; high 4 bits: whose
 *	a, b, c
 *
 * SYN: a is what it offers, b where its number lies. Answer to the last SYN-ACK of this peer: a is
 * flags, b and c are by how much its numbers are off. Wild: flags, and numbers that are far off.
 * What must hold is in door_judge.c.
 */

#define STEPS_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct step {
	uint8_t what, a, b, c;
};

static const uint8_t payload[] = "0123456789abcdef";

/* How far a number is off: mostly by nothing, else around what counts. */
static uint32_t off(uint8_t code)
{
	static const uint32_t offs[16] = {0,	      0,	   0,		0,
					  1,	      0u - 1,	   2,		0u - 2,
					  65534,      65535,	   65536,	70000,
					  0u - 70000, 0x7fffffffu, 0x80000000u, 16};

	return offs[code & 15];
}

/* ---- a segment comes, as tcp_in.c has it come
 * ----------------------------------------------------
 */

/* A cookie that is fresh and right, and that nothing stands against. */
static bool welcome(const struct judge *judge, struct guest *guest,
		    const struct tcp_arrival *arrival)
{
	const struct offer *offer = judge_offer(guest, arrival->tcp.ack - 1, arrival->tcp.seq - 1);

	return offer != NULL && offer->cookie && !judge->door.tcp.draining &&
	       judge->door.clock.now_us - offer->at_us <= 15 * DOOR_SECOND;
}

/* The first bytes of a half-open connection, as they should be: it cannot stay one. */
static bool perfect(const struct mini *mini, const struct tcp_packet *segment)
{
	bool stamped = (mini->flags & MINI_TIMESTAMPS) != 0 && segment->options.has_timestamps;

	return segment->flags == TCP_ACK && segment->payload.len > 0 &&
	       segment->seq == mini->irs + 1 && segment->ack == mini->iss + 1 &&
	       (!stamped || !seq_before(segment->options.ts_value, mini->ts_recent));
}

/* The worker can take one connection more. */
static bool roomy(const struct door *door)
{
	return door->pressure < 2 &&
	       slots_live(door->tcp.tcbs) < door->tcp.config.net.limits.connections;
}

static void arrive_half_open(struct judge *judge, const struct tcp_arrival *arrival)
{
	struct tcp_ends ends = tcp_arrival_ends(arrival);
	const struct mini *mini = mini_find(&judge->door.tcp, &ends);
	uint32_t accepted = judge->door.accepted, refused = judge->door.refused;
	uint32_t sends = judge->door.sends;
	bool counts = perfect(mini, &arrival->tcp), room = roomy(&judge->door);

	must(handshake_segment(&judge->door.tcp, arrival));
	must(judge->door.sends - sends + judge->door.refused - refused <= 1);
	if (judge->door.accepted != accepted) {
		must(arrival->tcp.ack == judge->door.tcb->iss + 1);
		must(arrival->tcp.seq - judge->door.tcb->irs + 16 < 65536 + 16);
	}
	if (counts) /* without room it stays, and its peer is not sent away */
		must(judge->door.accepted + judge->door.refused == accepted + refused + room);
	if (counts && !room)
		must(mini_find(&judge->door.tcp, &ends) == mini && mini->stage == MINI_ACKED);
}

static bool arrive_new(struct judge *judge, struct guest *guest, const struct tcp_arrival *arrival,
		       uint32_t isn_floor)
{
	struct tcp *tcp = &judge->door.tcp;
	uint32_t sends = judge->door.sends;
	bool known;

	if ((arrival->tcp.flags & TCP_RST) != 0)
		return false;
	if ((arrival->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		handshake_syn(tcp, arrival, isn_floor);
		must(judge->door.sends - sends <= 1);
		return false;
	}
	known = handshake_cookie(tcp, arrival);
	must(judge->door.sends == sends);
	if ((arrival->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_ACK)
		must(known || !welcome(judge, guest, arrival));
	else
		must(!known);
	if (!known)
		tcp_out_refuse(tcp, arrival);
	return known;
}

static void arrive(struct judge *judge, struct guest *guest, const struct tcp_arrival *arrival)
{
	struct tcp *tcp = &judge->door.tcp;
	struct tcp_ends ends = tcp_arrival_ends(arrival);
	bool knows = handshake_knows(tcp, &ends), by_cookie = false;
	uint32_t floor = 0;

	if (guest->tcb != NULL)
		return;
	if (knows)
		arrive_half_open(judge, arrival);
	else
		must(!handshake_segment(tcp, arrival));
	if (!knows && (!time_wait_segment(tcp, arrival, &floor) || floor != 0))
		by_cookie = arrive_new(judge, guest, arrival, floor);
	judge_step(judge, by_cookie);
}

/* ---- steps
 * ---------------------------------------------------------------------------------------
 */

static void step_syn(struct judge *judge, struct guest *guest, const struct step *step)
{
	uint16_t port = (uint16_t)(FIRST_PORT + (guest - judge->guest));
	struct tcp_arrival syn = door_syn(&guest->address, port, guest->irs + off(step->b));

	if ((step->c & 1) != 0)
		guest->ts += step->c;
	guest->irs = syn.tcp.seq;
	guest->offers_ts = (step->a & 1) != 0;
	syn.tcp.options.has_timestamps = guest->offers_ts;
	syn.tcp.options.ts_value = guest->ts;
	syn.tcp.options.has_scale = (step->a & 2) != 0;
	syn.tcp.options.scale = step->a >> 4;
	syn.tcp.options.sack_permitted = (step->a & 4) != 0;
	syn.tcp.options.mss = (step->a & 8) != 0 ? (uint16_t)(step->c * 37) : 0;
	arrive(judge, guest, &syn);
}

static struct tcp_arrival answer(const struct judge *judge, const struct guest *guest,
				 const struct step *step)
{
	const struct offer *offer = &guest->offer[(guest->offers + ISNS - 1) % ISNS];
	uint16_t port = (uint16_t)(FIRST_PORT + (guest - judge->guest));
	uint8_t flags = (step->a & 32) != 0 ? step->a & 31 : TCP_ACK;
	struct tcp_arrival segment = door_segment(&guest->address, port, flags);

	segment.tcp.seq = offer->irs + 1 + off(step->b);
	segment.tcp.ack = offer->iss + 1 + off(step->c);
	segment.tcp.options.has_timestamps = guest->offers_ts;
	segment.tcp.options.ts_value = guest->ts + off(step->b >> 4);
	segment.tcp.payload = span_of(payload, step->c >> 4);
	return segment;
}

static void step_answer(struct judge *judge, struct guest *guest, const struct step *step)
{
	struct tcp_arrival segment = answer(judge, guest, step);

	arrive(judge, guest, &segment);
}

static void step_wild(struct judge *judge, struct guest *guest, const struct step *step)
{
	struct tcp_arrival segment = answer(judge, guest, step);

	segment.tcp.flags = step->a;
	segment.tcp.seq += (uint32_t)step->b << 20;
	segment.tcp.ack += (uint32_t)step->c << 16;
	arrive(judge, guest, &segment);
}

static void step_time(struct judge *judge, const struct step *step)
{
	struct tcp *tcp = &judge->door.tcp;

	door_wait_ms(&judge->door, (uint64_t)step->a * step->a + step->b);
	if (step->a == 255) /* nearly 25 days: after some, the clock of ms goes round */
		door_wait_ms(&judge->door, INT32_MAX - 200000);
	handshake_run(tcp);
	time_wait_run(tcp);
	must(handshake_next_us(tcp) > judge->door.clock.now_us);
	must(time_wait_next_us(tcp) > judge->door.clock.now_us);
	judge_step(judge, false);
}

static void step_switch(struct judge *judge, const struct step *step)
{
	struct door *door = &judge->door;

	door->tcp.draining = step->a == 1;
	door->tcp.listeners = step->a != 2;
	door->pressure = step->b & 3;
	door->no_tcb = step->a == 3;
	door->send_err = step->a == 4 ? GW_NET_TX_FULL : GW_OK;
	door->route_err = step->a == 5 ? GW_NET_NO_ROUTE : GW_OK;
	door->tcp.config.net.limits.connections = step->a == 6 ? step->c : 1000;
}

/* In order, with TIME-WAIT, or not. */
static void step_end(struct judge *judge, struct guest *guest, const struct step *step)
{
	struct tcp *tcp = &judge->door.tcp;

	if (guest->tcb == NULL)
		return;
	guest->tcb->snd_nxt += step->b * 1000u;
	guest->tcb->rcv_nxt += step->c;
	if ((step->a & 1) != 0)
		time_wait_add(tcp, guest->tcb);
	source_connection_ended(tcp, guest->tcb->source);
	must(slots_put(tcp->tcbs, guest->tcb));
	guest->tcb = NULL;
	judge_step(judge, false);
}

static void play(struct judge *judge, const struct step *step)
{
	struct guest *guest = &judge->guest[step->what >> 4];

	switch (step->what & 15) {
	case 0:
	case 1:
	case 2:
		step_syn(judge, guest, step);
		break;
	case 3:
	case 4:
	case 5:
		step_answer(judge, guest, step);
		break;
	case 6:
		step_wild(judge, guest, step);
		break;
	case 7:
	case 8:
		step_time(judge, step);
		break;
	case 9:
		step_switch(judge, step);
		break;
	default:
		step_end(judge, guest, step);
		break;
	}
}

static void judge_open(struct judge *judge, uint8_t bounds)
{
	struct tcp_limits limits = {
		.half_open = 1 + (bounds & 12),
		.time_waits = (bounds & 16) != 0 ? 2 : 16,
		.sources = (bounds & 32) != 0 ? 1 : 16,
		.source_half_open = (bounds & 64) != 0 ? 2 : 64,
		.source4_connections = 3,
		.source6_connections = 3,
		.source_rate = 1,
		.source_burst = (bounds & 128) != 0 ? 3 : 100,
		.syn_rate = 5,
	};
	static const uint8_t modes[] = {COOKIES_AUTO, COOKIES_ALWAYS, COOKIES_NEVER, COOKIES_AUTO};

	limits.cookies = modes[bounds & 3];
	memset(judge, 0, sizeof(*judge));
	door_open(&judge->door, &limits);
	for (uint32_t i = 0; i < TUPLES; i++) {
		judge->guest[i].address =
			i < 8 ? door_v4(i / 4 + 7) : door_v6(0x20010db800000000 + i / 4, i);
		judge->guest[i].irs = 0u - 100;
		judge->guest[i].ts = 0u - 100;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct judge judge;
	struct step step;
	uint8_t bounds;

	if (!span_u8(&in, &bounds))
		return 0;
	judge_open(&judge, bounds);
	for (uint32_t i = 0; i < STEPS_MAX && span_copy(&in, &step, sizeof(step)); i++)
		play(&judge, &step);
	judge_end(&judge);
	door_close(&judge.door);
	return 0;
}
