/* SPDX-License-Identifier: BSD-3-Clause */
#include "peers.h"

#include <netinet/in.h>

#define FIRST_HOST 0xc6130001u	/* 198.19.0.1 */
#define FLOOD_HOSTS 0xc6120000u /* 198.18.0.0/15 */
#define FIRST_PORT 1024u
#define WINDOW 65535u
#define FRAME_MAX 1600u

static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0, 1};

static struct ip_address address_of(uint32_t host)
{
	uint8_t bytes[4] = {(uint8_t)(host >> 24), (uint8_t)(host >> 16), (uint8_t)(host >> 8),
			    (uint8_t)host};

	return ip_address_v4(bytes);
}

static void say(struct ring *ring, uint32_t host, const struct tcp_packet *segment)
{
	struct endpoint ours = node_endpoint(NODE_US, false, 0);
	struct ip_head head = {.src = address_of(host),
			       .dst = ip_address_of(&ours),
			       .protocol = IPPROTO_TCP,
			       .hop_limit = 60,
			       .dont_fragment = true,
			       .payload_len = tcp_head_len(segment) + segment->payload.len};
	uint8_t frame[FRAME_MAX];
	struct writer w;

	writer_init(&w, frame, sizeof(frame));
	eth_write(&w, ring->mac, gateway_mac, 0, ETH_TYPE_IP4);
	ip_write(&w, &head, true);
	tcp_write(&w, &head.src, &head.dst, segment, L4_CHECKSUM_WHOLE);
	writer_bytes(&w, segment->payload.at, segment->payload.len);
	ring_feed(ring, writer_span(&w));
}

static struct tcp_packet segment_of(const struct peer *peer, uint32_t client, uint8_t flags)
{
	return (struct tcp_packet){
		.src_port = (uint16_t)(FIRST_PORT + client / PEERS_HOSTS),
		.dst_port = NODE_PORT,
		.seq = peer->seq,
		.ack = (flags & TCP_ACK) != 0 ? peer->ack : 0,
		.flags = flags,
		.window = WINDOW,
	};
}

void peer_say(struct ring *ring, struct peer *peer, uint32_t client, uint8_t flags, uint32_t len)
{
	static const uint8_t zero[1460];
	struct tcp_packet segment = segment_of(peer, client, flags);

	segment.payload = span_of(zero, len);
	say(ring, FIRST_HOST + client % PEERS_HOSTS, &segment);
	peer->seq += len + ((flags & (TCP_SYN | TCP_FIN)) != 0);
}

void peer_open(struct ring *ring, struct peer *peer, uint32_t client)
{
	struct tcp_packet segment;

	*peer = (struct peer){.seq = client * 2654435761u};
	segment = segment_of(peer, client, TCP_SYN);
	segment.options = (struct tcp_options){.mss = 1460,
					       .has_scale = true,
					       .scale = 8,
					       .sack_permitted = true};
	say(ring, FIRST_HOST + client % PEERS_HOSTS, &segment);
	peer->seq++;
}

void peer_flood(struct ring *ring, uint64_t dice)
{
	struct peer nobody = {.seq = (uint32_t)(dice >> 20)};
	struct tcp_packet segment = segment_of(&nobody, 0, TCP_SYN);

	segment.src_port = (uint16_t)(dice >> 48 | 1024);
	segment.options = (struct tcp_options){.mss = 1460,
					       .has_scale = true,
					       .scale = 7,
					       .sack_permitted = true};
	say(ring, FLOOD_HOSTS | (uint32_t)(dice & 0x1ffff), &segment);
}

static bool read_segment(struct span frame, struct heard *heard)
{
	struct eth_frame eth = eth_read(frame);
	struct ip_packet ip;
	struct tcp_packet tcp;
	const uint8_t *host;

	if (eth.err != GW_OK || eth.type != ETH_TYPE_IP4)
		return false;
	ip = ip4_read(eth.payload, PACKET_CHECKSUM_GOOD);
	if (ip.err != GW_OK || ip.protocol != IPPROTO_TCP)
		return false;
	tcp = tcp_read(&ip, PACKET_CHECKSUM_GOOD);
	host = ip_address_v4_bytes(&ip.dst);
	heard->client = (((uint32_t)host[0] << 24 | (uint32_t)host[1] << 16 |
			  (uint32_t)host[2] << 8 | host[3]) -
			 FIRST_HOST) +
			(uint32_t)(tcp.dst_port - FIRST_PORT) * PEERS_HOSTS;
	heard->seq = tcp.seq;
	heard->ack = tcp.ack;
	heard->len = tcp.payload.len;
	heard->flags = tcp.flags;
	return tcp.err == GW_OK;
}

bool peer_hear(struct ring *ring, struct heard *heard)
{
	struct rte_mbuf *packet;
	bool good = false;

	while (!good && (packet = ring_take(ring)) != NULL) {
		good = read_segment(packet_span(packet), heard);
		packet_put(packet);
	}
	return good;
}

void peer_note(struct peer *peer, const struct heard *heard)
{
	peer->ack = heard->seq + heard->len + ((heard->flags & (TCP_SYN | TCP_FIN)) != 0);
}

void peer_answer(struct ring *ring, struct peer *peer, const struct heard *heard)
{
	if (heard->len == 0 && (heard->flags & (TCP_SYN | TCP_FIN)) == 0)
		return;
	peer_note(peer, heard);
	if ((heard->flags & TCP_SYN) != 0)
		peer_say(ring, peer, heard->client, TCP_ACK | TCP_PSH, 64);
	if ((heard->flags & TCP_FIN) != 0)
		peer_say(ring, peer, heard->client, TCP_ACK | TCP_FIN, 0);
}
