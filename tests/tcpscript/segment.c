/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

#include <stdio.h>

/* ---- in: as bytes, which the readers of net/ read ---------------------------------------------
 */

static void write_timestamps(struct writer *w, const struct peer *peer, const struct option *option)
{
	writer_u8(w, 8);
	writer_u8(w, 10);
	writer_u32_be(w, (uint32_t)option->value[0].lo);
	writer_u32_be(w, option->last ? peer->ts_last
				      : (uint32_t)option->value[1].lo +
						(peer->has_ts ? peer->ts_base : 0));
}

static void write_number(struct writer *w, uint8_t kind, uint8_t len, int64_t value)
{
	writer_u8(w, kind);
	writer_u8(w, len);
	if (len == 3)
		writer_u8(w, (uint8_t)value);
	else if (len == 4)
		writer_u16_be(w, (uint16_t)value);
}

/* All blocks of a segment are one option. */
static void write_blocks(struct writer *w, const struct peer *peer, const struct segment *segment,
			 uint32_t first)
{
	uint32_t n = 0;

	while (first + n < segment->options && segment->option[first + n].kind == OPTION_SACK)
		n++;
	writer_u8(w, 5);
	writer_u8(w, (uint8_t)(2 + 8 * n));
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t edge = 0; edge < 2; edge++)
			writer_u32_be(w,
				      peer->iss +
					      (uint32_t)segment->option[first + i].value[edge].lo);
}

static void write_options(struct writer *w, const struct peer *peer, const struct segment *segment)
{
	uint32_t mark = writer_len(w);

	for (uint32_t i = 0; i < segment->options; i++) {
		const struct option *o = &segment->option[i];

		if (o->kind == OPTION_MSS)
			write_number(w, 2, 4, o->value[0].lo);
		else if (o->kind == OPTION_SCALE)
			write_number(w, 3, 3, o->value[0].lo);
		else if (o->kind == OPTION_SACK_PERMITTED)
			write_number(w, 4, 2, 0);
		else if (o->kind == OPTION_TIMESTAMPS)
			write_timestamps(w, peer, o);
		else if (o->kind == OPTION_SACK &&
			 (i == 0 || segment->option[i - 1].kind != OPTION_SACK))
			write_blocks(w, peer, segment, i);
		else if (o->kind == OPTION_NOP || o->kind == OPTION_END)
			writer_u8(w, o->kind == OPTION_NOP);
		else if (o->kind == OPTION_HEX)
			writer_bytes(w, o->hex, o->hex_len);
	}
	while ((writer_len(w) - mark) % 4 != 0)
		writer_u8(w, 0);
}

static void write_segment(struct writer *w, struct peer *peer, const struct segment *segment)
{
	uint32_t start = writer_len(w), seq = peer->irs + (uint32_t)segment->seq;
	int64_t data = segment->seq - ((segment->flags & TCP_SYN) == 0); /* offset in the stream */
	uint16_t window = segment->has_window ? (uint16_t)segment->window.lo : peer->window;
	uint32_t words, sum;

	if ((segment->flags & TCP_SYN) == 0)
		peer->window = window;
	writer_u16_be(w, peer->remote_port);
	writer_u16_be(w, peer->local_port);
	writer_u32_be(w, seq);
	writer_u32_be(w, segment->has_ack ? peer->iss + (uint32_t)segment->ack : 0);
	writer_u16_be(w, 0);
	writer_u16_be(w, window);
	writer_u16_be(w, 0);
	writer_u16_be(w, (uint16_t)segment->urgent);
	write_options(w, peer, segment);
	words = segment->offset != 0 ? (uint32_t)segment->offset : (writer_len(w) - start) / 4;
	writer_patch_u16_be(w, start + 12, (uint16_t)(words << 12 | segment->flags));
	for (uint32_t i = 0; i < segment->len; i++)
		writer_u8(w, world_byte((uint32_t)data + i));
	sum = checksum_fold(checksum_add(checksum_pseudo(&peer->remote, &peer->local, IPPROTO_TCP,
							 writer_len(w) - start),
					 writer_since(w, start)));
	writer_patch_u16_be(w, start + 16, (uint16_t)(sum ^ (segment->bad_sum ? 0x5555 : 0)));
}

enum side { WE, THEY };

static void note_scale(struct peer *peer, enum side side, const struct tcp_packet *segment)
{
	if ((segment->flags & TCP_SYN) == 0 || peer->has_scale[side])
		return;
	peer->has_scale[side] = true;
	peer->scaled[side] = segment->options.has_scale;
	peer->scale[side] = segment->options.scale < 14 ? segment->options.scale : 14;
}

/* The right edge of the window that a segment tells. */
static uint32_t edge_of(const struct peer *peer, enum side side, const struct tcp_packet *segment)
{
	bool scaled = peer->scaled[WE] && peer->scaled[THEY] && (segment->flags & TCP_SYN) == 0;

	return segment->ack + ((uint32_t)segment->window << (scaled ? peer->scale[side] : 0));
}

/* What holds for every segment of every script: our window is never taken back (RFC 9293 3.8.6.1;
 * by less than a unit of the scale it may seem so, RFC 7323 2.4), and nothing is sent beyond the
 * widest that they have told (3.8.6.2). */
static void check_windows(struct world *world, struct peer *peer, const struct tcp_packet *segment)
{
	uint32_t edge = edge_of(peer, WE, segment), end = segment->seq + segment->payload.len;

	if ((segment->flags & (TCP_ACK | TCP_RST)) != TCP_ACK || !peer->has_iss)
		return;
	if ((segment->flags & TCP_SYN) != 0 && segment->ack != peer->irs + 1)
		return; /* of a SYN that was forged */
	if (peer->has_edge[WE] && (int32_t)(edge + (1u << peer->scale[WE]) - peer->edge[WE]) <= 0)
		world_fail(world, "our window was taken back by %u bytes", peer->edge[WE] - edge);
	if (segment->payload.len > 0 && peer->has_edge[THEY] &&
	    (int32_t)(end - peer->edge[THEY]) > 0)
		world_fail(world, "sent %u bytes beyond the window", end - peer->edge[THEY]);
	peer->has_edge[WE] = true;
	peer->edge[WE] = edge;
}

static void note_their_edge(struct peer *peer, const struct tcp_packet *segment)
{
	uint32_t edge = edge_of(peer, THEY, segment);

	note_scale(peer, THEY, segment);
	if ((segment->flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
		return;
	if (!peer->has_edge[THEY] || (int32_t)(edge - peer->edge[THEY]) > 0)
		peer->edge[THEY] = edge;
	peer->has_edge[THEY] = true;
}

/* What input.c does in front of tcp_input(). */
static void deliver(struct world *world, struct peer *peer, struct rte_mbuf *packet)
{
	struct span bytes = packet_span(packet);
	struct ip_packet ip =
		world->v6 ? ip6_read(bytes) : ip4_read(bytes, PACKET_CHECKSUM_UNKNOWN);
	struct tcp_arrival arrival = {.packet = &packet};

	if (ip.err == GW_OK)
		arrival.tcp = tcp_read(&ip, PACKET_CHECKSUM_UNKNOWN);
	if (ip.err != GW_OK || arrival.tcp.err != GW_OK)
		counter_add(&world->counters.errors[ip.err != GW_OK ? ip.err : arrival.tcp.err], 1);
	else {
		note_their_edge(peer, &arrival.tcp);
		arrival.local = ip.dst;
		arrival.remote = ip.src;
		tcp_input(world->tcp, &arrival);
	}
	if (packet != NULL)
		packet_put(packet);
	world->pending = true;
}

bool world_inject(struct world *world, struct peer *peer, const struct line *line)
{
	uint8_t bytes[2 * PACKET_ROOM], tcp[PACKET_ROOM];
	struct writer w, segment;
	struct rte_mbuf *packet;

	writer_init(&segment, tcp, sizeof(tcp));
	write_segment(&segment, peer, &line->segment);
	writer_init(&w, bytes, sizeof(bytes));
	ip_write(&w,
		 &(struct ip_head){.src = peer->remote,
				   .dst = peer->local,
				   .protocol = IPPROTO_TCP,
				   .hop_limit = 64,
				   .dont_fragment = true,
				   .payload_len = writer_len(&segment)},
		 true);
	writer_put(&w, writer_span(&segment));
	for (int64_t i = 0; i < line->segment.trail; i++)
		writer_u8(&w, 0xee); /* as Ethernet pads */
	packet = writer_ok(&segment) && writer_ok(&w)
			 ? packet_copy(world->receive_pool, writer_span(&w))
			 : NULL;
	if (packet == NULL)
		return world_fail(world, "segment cannot be made");
	deliver(world, peer, packet);
	return true;
}

/* ---- out --------------------------------------------------------------------------------------
 */

/* The peer learns our ISN and timestamps as they come. */
static void learn(struct peer *peer, const struct tcp_packet *segment)
{
	if ((segment->flags & TCP_SYN) != 0 && !peer->has_iss) {
		peer->iss = segment->seq;
		peer->has_iss = true;
	}
	if (segment->options.has_timestamps && !peer->has_ts) {
		peer->ts_base = segment->options.ts_value;
		peer->has_ts = true;
	}
	if (segment->options.has_timestamps)
		peer->ts_last = segment->options.ts_value;
}

/* What goes out is written, and read again: what does not fit its header is seen as the peer would
 * see it. */
static bool on_the_wire(struct world *world, const struct ip_address *local,
			const struct ip_address *remote, const struct tcp_packet *segment,
			struct sent *sent)
{
	uint8_t bytes[PACKET_ROOM];
	struct writer w;
	struct ip_packet ip;

	writer_init(&w, bytes, sizeof(bytes));
	tcp_write(&w, local, remote, segment, L4_CHECKSUM_WHOLE);
	writer_put(&w, segment->payload);
	if (!writer_ok(&w) || writer_len(&w) + (world->v6 ? IP6_LEN : IP4_LEN) > world->mtu)
		return world_fail(world, "a segment of %u bytes of payload is longer than the MTU",
				  segment->payload.len);
	ip = (struct ip_packet){.v6 = world->v6,
				.protocol = IPPROTO_TCP,
				.src = *local,
				.dst = *remote,
				.payload = writer_span(&w)};
	sent->segment = tcp_read(&ip, PACKET_CHECKSUM_UNKNOWN);
	if (sent->segment.err != GW_OK)
		return world_fail(world, "a segment was sent that no peer would read: %s",
				  gw_err_name(sent->segment.err));
	if (sent->segment.payload.len > 0)
		memcpy(sent->payload, sent->segment.payload.at, sent->segment.payload.len);
	sent->segment.payload.at = sent->payload;
	return true;
}

static enum gw_err link_send(void *context, const struct ip_address *local,
			     const struct ip_address *remote, const struct tcp_packet *segment)
{
	struct world *world = context;
	struct sent *sent = &world->sent[world->sent_count];

	if (world->send_err != GW_OK && world->send_left <= 0)
		return world->send_err;
	world->send_left -= world->send_left > 0;
	if (world->sent_count == WORLD_SENT) {
		world_fail(world, "more than %u segments sent at once", WORLD_SENT);
		return GW_OK;
	}
	sent->at_us = world->clock.now_us;
	if (!on_the_wire(world, local, remote, segment, sent))
		return GW_OK;
	sent->peer = world_peer_at(world, local, segment->src_port, remote, segment->dst_port);
	if (sent->peer != NULL)
		learn(sent->peer, &sent->segment);
	if (sent->peer != NULL) {
		note_scale(sent->peer, WE, &sent->segment);
		check_windows(world, sent->peer, &sent->segment);
	}
	if (sent->peer != NULL && sent->peer->local_port == 0)
		sent->peer->local_port = segment->src_port;
	world->sent_count++;
	world->sent_total++;
	return GW_OK;
}

static enum gw_err link_route(void *context, struct ip_address *local,
			      const struct ip_address *remote, uint16_t *mtu)
{
	struct world *world = context;

	if (ip_address_is_unspecified(local))
		*local = world_peer(world, 1)->local;
	*mtu = world->mtu;
	return world->route_err;
}

static uint16_t link_worker(void *context, const struct ip_address *local, uint16_t local_port,
			    const struct ip_address *remote, uint16_t remote_port)
{
	return 0;
}

const struct tcp_link world_link = {link_send, link_route, link_worker};

void world_sent_text(const struct sent *sent, char *text, uint32_t size)
{
	const struct tcp_packet *s = &sent->segment;
	const struct peer none = {0}, *peer = sent->peer != NULL ? sent->peer : &none;
	uint32_t seq = s->seq - peer->iss;
	char flags[16];
	int n;

	script_flags_text(s->flags, flags);
	n = snprintf(text, size, "[%u] > %s %d:%d(%u) ack %d win %u", peer->label, flags,
		     (int32_t)seq, (int32_t)(seq + s->payload.len), s->payload.len,
		     (s->flags & TCP_ACK) != 0 ? (int32_t)(s->ack - peer->irs) : 0, s->window);
	if (s->options.mss != 0 || s->options.sack_permitted || s->options.has_scale)
		n += snprintf(text + n, size - (uint32_t)n, " mss %u%s ws %d", s->options.mss,
			      s->options.sack_permitted ? " sackOK" : "",
			      s->options.has_scale ? s->options.scale : -1);
	if (s->options.has_timestamps)
		n += snprintf(text + n, size - (uint32_t)n, " TS val %d ecr %u",
			      (int32_t)(s->options.ts_value - peer->ts_base), s->options.ts_echo);
	for (uint32_t i = 0; i < s->options.sacks; i++)
		n += snprintf(text + n, size - (uint32_t)n, " sack %d:%d",
			      (int32_t)(s->options.sack[i].start - peer->irs),
			      (int32_t)(s->options.sack[i].end - peer->irs));
}
