/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_wire.h"

#include <rte_eth_ring.h>
#include <rte_ring.h>
#include <stdlib.h>

#include "net/wire.h"

#define RING_FRAMES 8192
#define RING_PACKETS 16383
#define SEGMENT 1400u
#define FRAME_MAX 1600u
#define CLIENTS_FIRST 0xc6130101u /* 198.19.1.1 */
#define CLIENT_PORT 20000u

static const uint8_t router_mac[6] = {2, 0, 0, 0, 0, 1};

struct wire {
	struct wire_config config;
	struct rte_ring *in, *out; /* as the gateway has them */
	struct rte_mempool *pool;
	uint8_t mac[6];
	uint64_t lost;
	struct wire_peer peer[WIRE_PEERS]; /* a client's is found by its port */
};

struct wire *wire_new(const struct wire_config *config)
{
	const unsigned single = RING_F_SP_ENQ | RING_F_SC_DEQ;
	struct wire *wire = calloc(1, sizeof(*wire));

	if (wire == NULL)
		return NULL;
	wire->config = *config;
	wire->in = rte_ring_create("in", RING_FRAMES, SOCKET_ID_ANY, single);
	wire->out = rte_ring_create("out", RING_FRAMES, SOCKET_ID_ANY, single);
	wire->pool = packet_pool_new("peers", RING_PACKETS, 0, -1);
	if (wire->in != NULL && wire->out != NULL && wire->pool != NULL &&
	    rte_eth_from_rings(config->device, &wire->in, 1, &wire->out, 1, 0) >= 0)
		return wire;
	free(wire);
	return NULL;
}

void wire_attach(struct wire *wire, const uint8_t mac[6])
{
	memcpy(wire->mac, mac, sizeof(wire->mac));
}

uint64_t wire_lost(const struct wire *wire)
{
	return wire->lost;
}

/* ---- frames to the gateway ----------------------------------------------------------------- */

static void feed(struct wire *wire, struct span frame)
{
	struct rte_mbuf *packet = packet_copy(wire->pool, frame);

	if (packet != NULL && rte_ring_enqueue(wire->in, packet) == 0)
		return;
	if (packet != NULL)
		packet_put(packet);
	wire->lost++;
}

static struct ip_address host_address(uint32_t host)
{
	const uint8_t bytes[4] = {(uint8_t)(host >> 24), (uint8_t)(host >> 16),
				  (uint8_t)(host >> 8), (uint8_t)host};

	return ip_address_v4(bytes);
}

static uint32_t host_number(const struct ip_address *a)
{
	const uint8_t *b = ip_address_v4_bytes(a);

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void say(struct wire *wire, struct wire_peer *peer, uint8_t flags, struct span payload)
{
	struct tcp_packet segment = {
		.src_port = peer->port,
		.dst_port = peer->gateway_port,
		.seq = peer->seq,
		.ack = (flags & TCP_ACK) != 0 ? peer->ack : 0,
		.flags = flags,
		.window = 65535,
		.payload = payload,
	};
	struct ip_head head = {.src = host_address(peer->host),
			       .dst = ip_address_of(&wire->config.gateway),
			       .protocol = IPPROTO_TCP,
			       .hop_limit = 60,
			       .dont_fragment = true};
	uint8_t frame[FRAME_MAX];
	struct writer w;

	if ((flags & TCP_SYN) != 0)
		segment.options = (struct tcp_options){.mss = 1460,
						       .has_scale = true,
						       .scale = 8,
						       .sack_permitted = true};
	head.payload_len = tcp_head_len(&segment) + payload.len;
	writer_init(&w, frame, sizeof(frame));
	eth_write(&w, wire->mac, router_mac, 0, ETH_TYPE_IP4);
	ip_write(&w, &head, true);
	tcp_write(&w, &head.src, &head.dst, &segment, L4_CHECKSUM_WHOLE);
	writer_put(&w, payload);
	feed(wire, writer_span(&w));
	peer->seq += payload.len + ((flags & (TCP_SYN | TCP_FIN)) != 0);
	peer->owes_ack = false;
}

struct wire_peer *wire_connect(struct wire *wire, void *owner)
{
	for (uint32_t i = 0; i < WIRE_PEERS; i++) {
		struct wire_peer *peer = &wire->peer[i];

		if (peer->used)
			continue;
		*peer = (struct wire_peer){
			.seq = i * 2654435761u,
			.host = CLIENTS_FIRST + i % 200,
			.port = (uint16_t)(CLIENT_PORT + i),
			.gateway_port = wire->config.access_port,
			.used = true,
			.owner = owner,
		};
		say(wire, peer, TCP_SYN, SPAN(""));
		return peer;
	}
	return NULL;
}

void wire_send(struct wire *wire, struct wire_peer *peer, struct span bytes)
{
	while (bytes.len > 0) {
		struct span segment = span_cut(bytes, 0, SEGMENT);

		say(wire, peer, TCP_ACK | TCP_PSH, segment);
		bytes = span_from(bytes, segment.len);
	}
}

/* ---- frames of the gateway ----------------------------------------------------------------- */

/** The router has every address but the gateway's. */
static void answer_arp(struct wire *wire, struct span payload)
{
	struct arp_packet asked = arp_read(payload), arp = {.reply = true};
	struct ip_address gateway = ip_address_of(&wire->config.gateway);
	uint8_t frame[64];
	struct writer w;

	if (asked.err != GW_OK || asked.reply ||
	    memcmp(&asked.target, &gateway, sizeof(gateway)) == 0)
		return;
	arp.sender = asked.target;
	arp.target = asked.sender;
	memcpy(arp.sender_mac, router_mac, 6);
	memcpy(arp.target_mac, wire->mac, 6);
	writer_init(&w, frame, sizeof(frame));
	eth_write(&w, wire->mac, router_mac, 0, ETH_TYPE_ARP);
	arp_write(&w, &arp);
	feed(wire, writer_span(&w));
}

/** The peer that a segment is for; a SYN to the core makes one. NULL: nobody. */
static struct wire_peer *peer_of(struct wire *wire, const struct ip_packet *ip,
				 const struct tcp_packet *tcp)
{
	struct wire_peer *unused = NULL;

	if (tcp->dst_port != endpoint_port(&wire->config.core)) {
		uint32_t i = tcp->dst_port - CLIENT_PORT;

		return i < WIRE_PEERS && wire->peer[i].used ? &wire->peer[i] : NULL;
	}
	for (uint32_t i = WIRE_PEERS; i-- > 0;) { /* the core's are few, and at the end */
		struct wire_peer *peer = &wire->peer[i];

		if (peer->used && peer->core && peer->gateway_port == tcp->src_port)
			return peer;
		if (!peer->used) {
			unused = peer;
			break;
		}
	}
	if (unused == NULL || (tcp->flags & TCP_SYN) == 0)
		return NULL;
	*unused = (struct wire_peer){.seq = tcp->seq ^ 0x5a5a5a5a,
				     .host = host_number(&ip->dst),
				     .port = tcp->dst_port,
				     .gateway_port = tcp->src_port,
				     .used = true,
				     .core = true};
	return unused;
}

static void opened(struct wire *wire, struct wire_peer *peer, const struct tcp_packet *tcp)
{
	const struct wire_user *user = wire->config.user;

	peer->ack = tcp->seq + 1;
	if (peer->core)
		say(wire, peer, TCP_SYN | TCP_ACK, SPAN(""));
	user->opened(user->context, peer);
}

static void heard(struct wire *wire, const struct ip_packet *ip, const struct tcp_packet *tcp)
{
	const struct wire_user *user = wire->config.user;
	struct wire_peer *peer = peer_of(wire, ip, tcp);

	if (peer == NULL)
		return;
	if ((tcp->flags & TCP_SYN) != 0) {
		opened(wire, peer, tcp);
		return;
	}
	if ((tcp->flags & TCP_RST) == 0 && tcp->seq != peer->ack) {
		peer->owes_ack = true; /* again: our acknowledgement was late */
		return;
	}
	if (tcp->payload.len > 0) {
		peer->ack += tcp->payload.len;
		peer->owes_ack = true;
		user->received(user->context, peer, tcp->payload);
	}
	if ((tcp->flags & (TCP_FIN | TCP_RST)) != 0) {
		peer->used = false;
		user->closed(user->context, peer);
	}
}

static void frame_heard(struct wire *wire, struct span frame)
{
	struct eth_frame eth = eth_read(frame);
	struct ip_packet ip;
	struct tcp_packet tcp;

	if (eth.err == GW_OK && eth.type == ETH_TYPE_ARP)
		answer_arp(wire, eth.payload);
	if (eth.err != GW_OK || eth.type != ETH_TYPE_IP4)
		return;
	ip = ip4_read(eth.payload, PACKET_CHECKSUM_GOOD);
	if (ip.err != GW_OK || ip.protocol != IPPROTO_TCP)
		return;
	tcp = tcp_read(&ip, PACKET_CHECKSUM_GOOD);
	if (tcp.err == GW_OK)
		heard(wire, &ip, &tcp);
}

void wire_turn(struct wire *wire)
{
	void *packet;

	while (rte_ring_dequeue(wire->out, &packet) == 0) {
		frame_heard(wire, packet_span(packet));
		packet_put(packet);
	}
	for (uint32_t i = 0; i < WIRE_PEERS; i++)
		if (wire->peer[i].used && wire->peer[i].owes_ack)
			say(wire, &wire->peer[i], TCP_ACK, SPAN(""));
}
