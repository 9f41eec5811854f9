/* SPDX-License-Identifier: BSD-3-Clause */
#include "user.h"

#include <stdlib.h>

/*
 * A whole instance of TCP, whose peers, users, device and time the input plays. Input: a byte of
 * bounds, then steps of 8 bytes,
 *
 *	what     0x0f: the kind of step  0x70: which connection  0x80: the next step comes in the
 *	         same turn
 *	seq, ack where the numbers of a segment lie: 0x0f an edge of the connection, 0xf0 by how
 *	         much beside it
 *	flags, window, len, options, extra
 *
 * Segments are right but for what the step changes, so most of them come far. What the peers say is
 * a function of the sequence number: whatever overlaps, users must read one and the same.
 * Invariants: tests/tcpsim/check.c and lint.c; of the users: user.c.
 */

#define STEPS_MAX 250u
#define ACTIVE 0x30u /* bounds: pairs 4 and 5 are opened by us */
#define REST_TURNS 4000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct step {
	uint8_t what, seq, ack, flags, window, len, options, extra;
};

/** What the input knows of a connection whose peer it is. */
struct guest {
	struct ip_address us, they;
	uint16_t us_port, they_port;
	uint32_t iss, irs; /* the guest's, and ours as it has seen it */
	uint32_t ts_seen;
};

struct play {
	struct stage *stage;
	struct guest guest[STAGE_PAIRS];
};

static struct host *ours(const struct play *play)
{
	return &play->stage->world.host[0];
}

static struct tcb *tcb_of(const struct play *play, const struct guest *guest)
{
	struct tcp_ends ends = {guest->us, guest->they, guest->us_port, guest->they_port};

	return tcp_tcb_find(ours(play)->tcp, &ends);
}

static struct user *user_of(struct play *play, const struct step *step)
{
	uint32_t pair = (step->what >> 4 & 7) % STAGE_PAIRS;

	return &play->stage->user[pair][play->stage->user[pair][0].app->host];
}

/* ---- a turn ------------------------------------------------------------------------------------
 */

/** What we say is heard by the guest. */
static void hear(struct play *play, const struct flight *flight)
{
	struct segment s = segment_read(span_of(flight->bytes, flight->len));

	for (uint32_t i = 0; i < STAGE_PAIRS; i++) {
		struct guest *guest = &play->guest[i];

		if (s.tcp.dst_port != guest->they_port || s.tcp.src_port != guest->us_port)
			continue;
		if (s.tcp.options.has_timestamps)
			guest->ts_seen = s.tcp.options.ts_value;
		if ((s.tcp.flags & TCP_SYN) != 0)
			guest->irs = s.tcp.seq;
		if ((s.tcp.flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
			guest->iss = s.tcp.ack - 1;
	}
}

static void turn(struct play *play)
{
	struct world *world = &play->stage->world;

	world->now_us += 20;
	stage_turn(play->stage, 0);
	while (flights_first(&world->flights) != NULL) {
		struct flight *flight = flights_take(&world->flights);

		hear(play, flight);
		free(flight);
	}
}

static void come(struct play *play, struct flight *flight_owned)
{
	struct host *host = ours(play);

	flight_owned->extra = true;
	if (!flight_owned->is_icmp)
		segment_log(host->world, "comes", 1,
			    span_of(flight_owned->bytes, flight_owned->len));
	host->arrival[host->arrivals++] = flight_owned;
	if (host->arrivals == 64)
		turn(play);
}

/* ---- numbers -----------------------------------------------------------------------------------
 */

static uint32_t beside(uint8_t code)
{
	static const uint32_t by[16] = {0,	  0u - 1,     1,	  2,
					0u - 2,	  1360,	      0u - 1360,  2720,
					0u - 100, 100,	      65535,	  0u - 65535,
					16384,	  0u - 16385, 0x40000000, 0x80000000};

	return by[code >> 4];
}

/** Where the n-th record of the send queue begins, or snd_nxt. */
static uint32_t record_at(const struct tcb *tcb, uint32_t n)
{
	struct rte_mbuf *packet = tcb->send_first;

	while (packet != NULL && n-- > 0)
		packet = send_record(packet)->next;
	return packet != NULL ? send_record(packet)->seq : tcb->snd_nxt;
}

static uint32_t seq_edge(const struct tcb *tcb, const struct step *step, uint32_t len)
{
	switch (step->seq & 15) {
	case 0:
	case 1:
	case 2:
	case 3:
		return tcb->rcv_nxt;
	case 4:
		return tcb->rcv_nxt - len;
	case 5:
		return tcb->rcv_nxt - len / 2;
	case 6:
		return tcb->rcv_nxt + step->extra * 64u;
	case 7:
		return tcb->rcv_nxt + step->extra;
	case 8:
		return tcb->rcv_edge;
	case 9:
		return tcb->rcv_edge - len;
	case 10:
		return tcb->rcv_edge - len / 2;
	case 11:
		return tcb->irs;
	case 12:
	case 13:
		return tcb->ooo_first != NULL ? receive_record(tcb->ooo_first)->seq : tcb->rcv_nxt;
	case 14:
		return tcb->ooo_first != NULL ? tcb->ooo_recent[0] : tcb->rcv_nxt;
	default:
		return tcb->rcv_nxt + 1360u * (step->extra & 31);
	}
}

static uint32_t ack_edge(const struct tcb *tcb, const struct step *step)
{
	switch (step->ack & 15) {
	case 0:
	case 1:
	case 2:
	case 3:
		return tcb->snd_nxt;
	case 4:
	case 5:
	case 6:
		return tcb->snd_una;
	case 7:
	case 8:
	case 9:
		return record_at(tcb, 1 + (step->extra & 7));
	case 10:
		return record_at(tcb, 1) - 1;
	case 11:
		return tcb->snd_end;
	case 12:
		return tcb->snd_una - tcb->snd_wnd_max;
	case 13:
		return tcb->iss;
	case 14:
		return tcb->rec.recover;
	default:
		return tcb->rec.tlp_end;
	}
}

/* ---- segments ----------------------------------------------------------------------------------
 */

static const uint8_t flag_kinds[16] = {
	TCP_ACK,
	TCP_ACK | TCP_PSH,
	TCP_ACK | TCP_PSH,
	TCP_ACK | TCP_FIN,
	TCP_RST,
	TCP_RST | TCP_ACK,
	TCP_SYN,
	TCP_SYN | TCP_ACK,
	0,
	TCP_FIN,
	TCP_ACK | TCP_URG,
	TCP_SYN | TCP_FIN,
	TCP_SYN | TCP_RST,
	0xff,
	TCP_PSH,
	TCP_ACK | TCP_PSH | TCP_FIN,
};

static uint32_t payload_len(uint8_t code)
{
	static const uint16_t lens[16] = {0,   0,   0,	  1,	2,    10,   100,  216,
					  300, 536, 1000, 1348, 1360, 1400, 1348, 200};

	return lens[code & 15];
}

static void options_write(const struct play *play, const struct guest *guest,
			  const struct step *step, struct tcp_options *o)
{
	static const uint32_t value[4] = {0, 0u - 1, 0u - 5000, 0x40000000};
	static const uint32_t echo[4] = {0, 0u - 1, 0u - 200, 0x40000000};

	o->has_timestamps = (step->options & 1) == 0;
	o->ts_value = (uint32_t)(play->stage->world.now_us / 1000) + value[step->options >> 1 & 3];
	o->ts_echo = (step->options & 24) != 24 ? guest->ts_seen + echo[step->options >> 3 & 3] : 0;
}

/** Blocks of records: of those that are there, but for what extra's high bits change. */
static void sacks_write(const struct tcb *tcb, const struct step *step, struct tcp_options *o)
{
	uint32_t first = 1 + (step->extra & 7), many = 1 + (step->extra >> 3 & 3);

	o->sacks = step->options >> 5 & 3;
	for (uint32_t i = 0; i < o->sacks; i++) {
		o->sack[i].start = record_at(tcb, first + i * (many + 1));
		o->sack[i].end = record_at(tcb, first + i * (many + 1) + many);
	}
	if ((step->extra & 0xe0) == 0x20) /* a DSACK */
		o->sack[0] = (struct tcp_block){tcb->snd_una - 1000, tcb->snd_una};
	if ((step->extra & 0xe0) == 0x40) /* half a record */
		o->sack[0].start++;
	if ((step->extra & 0xe0) == 0x60) /* what was never sent */
		o->sack[0].end = tcb->snd_nxt + 1;
	if ((step->extra & 0xe0) == 0x80)
		o->sack[0] = (struct tcp_block){o->sack[0].end, o->sack[0].start};
	if ((step->extra & 0xe0) == 0xa0)
		o->sack[0] = (struct tcp_block){tcb->snd_una, record_at(tcb, first)};
}

static void payload_write(const struct play *play, const struct guest *guest, uint32_t offset,
			  uint8_t *bytes, uint32_t len)
{
	const struct pair *pair = &play->stage->world.pair[guest - play->guest];
	const struct app *talks = &pair->app[pair->app[0].host == 0];

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = app_byte(talks, offset + i);
}

static void guest_sends(struct play *play, const struct guest *guest, const struct tcp_packet *tcp)
{
	struct flight *flight = flight_new(SEGMENT_MAX);

	flight->len = segment_write(flight->bytes, &guest->they, &guest->us, tcp);
	come(play, flight);
	if ((tcp->flags & (TCP_SYN | TCP_RST)) != 0)
		turn(play); /* what the next says depends on what came of it */
}

/** A segment of a connection that is there, or of one that the guest thinks is. */
static void step_segment(struct play *play, struct guest *guest, const struct step *step)
{
	static const uint16_t windows[16] = {65535, 65535, 65535, 65535, 0, 1,	100, 216,
					     1360,  2720,  5000,  8192,	 0, 30, 536, 20000};
	const struct tcb *tcb = tcb_of(play, guest);
	uint32_t len = payload_len(step->len), first = tcb != NULL ? tcb->irs + 1 : guest->iss + 1;
	uint8_t bytes[2048];
	struct tcp_packet tcp = {.src_port = guest->they_port,
				 .dst_port = guest->us_port,
				 .seq = first,
				 .ack = guest->irs + 1,
				 .flags = flag_kinds[step->flags & 15],
				 .window = windows[step->window & 15],
				 .payload = span_of(bytes, len)};

	options_write(play, guest, step, &tcp.options);
	tcp.options.mss = (uint16_t)(step->extra * 16u);
	if (tcb != NULL) {
		tcp.seq = seq_edge(tcb, step, len);
		tcp.ack = ack_edge(tcb, step);
		sacks_write(tcb, step, &tcp.options);
	}
	tcp.seq += beside(step->seq);
	tcp.ack += beside(step->ack);
	payload_write(play, guest, tcp.seq + ((tcp.flags & TCP_SYN) != 0) - first, bytes, len);
	guest_sends(play, guest, &tcp);
}

/** The beginning: a guest's SYN, or its answer to ours. */
static void step_syn(struct play *play, struct guest *guest, const struct step *step)
{
	static const uint16_t sizes[8] = {1460, 0, 1360, 216, 64, 536, 9000, 1220};
	const struct tcb *tcb = tcb_of(play, guest);
	struct tcp_packet tcp = {.src_port = guest->they_port,
				 .dst_port = guest->us_port,
				 .seq = guest->iss + beside(step->seq),
				 .flags = TCP_SYN,
				 .window = (uint16_t)(step->window * 257u)};

	options_write(play, guest, step, &tcp.options);
	tcp.options.mss = sizes[step->len & 7];
	tcp.options.has_scale = (step->extra & 1) == 0;
	tcp.options.scale = step->extra >> 4;
	tcp.options.sack_permitted = (step->extra & 2) == 0;
	if (tcb != NULL && (step->extra & 4) == 0) {
		tcp.flags |= TCP_ACK;
		tcp.ack = tcb->snd_nxt + beside(step->ack);
	}
	guest_sends(play, guest, &tcp);
}

/** The whole of an opening, so that short inputs come far. */
static void step_open(struct play *play, struct guest *guest, const struct step *step)
{
	static const struct wish open = {DEED_OPEN, 0};
	struct step data = {.flags = 1, .len = 6};
	struct user *user = &play->stage->user[guest - play->guest][0];

	if (tcb_of(play, guest) != NULL)
		return;
	if (user->app->host == 0) {
		user_do(user, &(struct wish){open.deed, (uint8_t)((guest - play->guest) * 2)});
		turn(play);
	}
	step_syn(play, guest, step);
	data.options = step->options & 1;
	step_segment(play, guest, &data);
	turn(play);
}

/* ---- the rest ----------------------------------------------------------------------------------
 */

static void step_icmp(struct play *play, const struct guest *guest, const struct step *step)
{
	static const uint32_t mtus[16] = {0,	1,    68,   552,  576,	1000, 1279, 1280,
					  1281, 1300, 1400, 1499, 1500, 9000, 1006, UINT32_MAX};
	const struct tcb *tcb = tcb_of(play, guest);
	struct flight *flight = flight_new(0);

	flight->is_icmp = true;
	flight->icmp = (struct tcp_icmp){.local = guest->us,
					 .remote = guest->they,
					 .local_port = guest->us_port,
					 .remote_port = guest->they_port,
					 .too_big = (step->flags & 1) == 0,
					 .mtu = mtus[step->len & 15]};
	if (tcb != NULL)
		flight->icmp.seq = ack_edge(tcb, step) + beside(step->ack);
	come(play, flight);
}

static void step_time(struct play *play, const struct step *step)
{
	struct world *world = &play->stage->world;
	uint64_t next = host_world_us(ours(play), tcp_next_us(ours(play)->tcp));

	if ((step->seq & 1) != 0 && next != UINT64_MAX)
		world->now_us = next > world->now_us ? next : world->now_us;
	else
		world->now_us += (uint64_t)step->len * step->len * 100 + step->extra;
	if (step->flags == 0xff && next == UINT64_MAX) /* nobody waits: PAWS forgets */
		world->now_us += UINT64_C(25) * 86400 * 1000000;
}

static void step_device(struct play *play, const struct step *step)
{
	static const enum gw_err routes[4] = {GW_OK, GW_OK, GW_NET_UNRESOLVED, GW_NET_NO_ROUTE};
	struct world *world = &play->stage->world;

	ours(play)->route = routes[step->flags >> 2 & 3];
	world->plan.host[0].tx_full = (step->flags & 1) != 0 ? 10000 : 0;
	ours(play)->tcp->send_pool->fail_from = ours(play)->tcp->send_pool->gets + step->seq;
	ours(play)->tcp->send_pool->fail_count = step->ack;
	ours(play)->rx_pool->fail_from = ours(play)->rx_pool->gets + step->window;
	ours(play)->rx_pool->fail_count = step->len;
	world->plan.host[0].rx_fail_from = ours(play)->sends + step->options;
	world->plan.host[0].rx_fail_count = step->extra;
	ours(play)->tcp->held_max = (step->flags & 2) != 0 ? step->flags * 2000u : 16777216;
}

static void step_run(struct play *play, const struct step *step)
{
	struct guest *guest = &play->guest[(step->what >> 4 & 7) % STAGE_PAIRS];
	struct user *user = user_of(play, step);
	struct wish wish = {step->flags % DEEDS, step->extra};

	switch (step->what & 15) {
	case 8:
		step_syn(play, guest, step);
		break;
	case 9:
		step_time(play, step);
		break;
	case 10:
	case 11:
		user_do(user, &wish);
		break;
	case 12:
		user->habit[step->seq % CALLS] = wish;
		break;
	case 13:
		step_device(play, step);
		break;
	case 14:
		step_icmp(play, guest, step);
		break;
	case 15:
		step_open(play, guest, step);
		break;
	default:
		step_segment(play, guest, step);
		break;
	}
	if ((step->what & 0x80) == 0)
		turn(play);
}

/* ---- beginning and end -------------------------------------------------------------------------
 */

static void play_open(struct play *play, uint8_t bounds)
{
	static const struct wish habits[CALLS] = {[CALL_READABLE] = {DEED_READ, 0}};
	struct world *world;

	play->stage = stage_new(false, ~ACTIVE);
	world = &play->stage->world;
	if ((bounds & 4) != 0)
		ours(play)->tcp->limits.cookies = COOKIES_ALWAYS;
	if ((bounds & 8) != 0)
		ours(play)->tcp->held_max = 40000;
	for (uint32_t i = 0; i < STAGE_PAIRS; i++) {
		const struct pair *pair = &world->pair[i];
		uint32_t we = pair->app[0].host; /* our side */

		play->guest[i] = (struct guest){.us = ip_address_of(&pair->ends[we]),
						.they = ip_address_of(&pair->ends[!we]),
						.us_port = endpoint_port(&pair->ends[we]),
						.they_port = endpoint_port(&pair->ends[!we]),
						.iss = 0u - 1000 * i};
		for (uint32_t k = 0; k < 2; k++)
			memcpy(play->stage->user[i][k].habit, habits, sizeof(habits));
	}
}

static bool nobody_left(const struct play *play)
{
	const struct host *host = ours(play);

	return slots_live(host->tcp->tcbs) == 0 &&
	       host->counters.tcp_half_open_live + host->counters.tcp_time_wait_live == 0;
}

/** The guests are silent from here on: whoever has asked for the end gets it, by time alone. */
static void play_end(struct play *play, uint8_t how)
{
	static const struct wish ends[] = {{DEED_ABORT, 0}, {DEED_SHUTDOWN, 0}},
				 awake[] = {{DEED_RESUME, 0}, {DEED_READ, 0}, {DEED_WRITE, 0}};
	struct world *world = &play->stage->world;

	stage_heal(play->stage);
	memset(world->plan.host, 0, sizeof(world->plan.host));
	for (uint32_t i = 0; i < STAGE_PAIRS; i++) {
		struct user *user = &play->stage->user[i][play->stage->user[i][0].app->host];

		memset(user->habit, 0, sizeof(user->habit));
		user->habit[CALL_READABLE].deed = DEED_READ;
		for (uint32_t k = 0; k < 3; k++)
			user_do(user, &awake[k]);
		user->habit[CALL_ACCEPT] = user->habit[CALL_FIN] = ends[how & 1];
		user_do(user, &ends[how & 1]);
	}
	for (uint32_t i = 0; i < REST_TURNS && !nobody_left(play); i++) {
		turn(play);
		if (ours(play)->wake_us != UINT64_MAX && ours(play)->wake_us > world->now_us)
			world->now_us = ours(play)->wake_us;
	}
	check_end(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct play play;
	struct step step;
	uint8_t bounds;

	if (!span_u8(&in, &bounds))
		return 0;
	play_open(&play, bounds);
	for (uint32_t i = 0; i < STEPS_MAX && span_copy(&in, &step, sizeof(step)); i++)
		step_run(&play, &step);
	if ((bounds & 2) == 0)
		play_end(&play, bounds);
	stage_free(play.stage);
	return 0;
}
