/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/stack.h"
#include "stack_world.h"

/* What comes out of the stacks, up and down, and whether it may. */

#define TIMED_A_SECOND 24u /* questions to hops, announcements: of all rows and addresses */

bool world_is_ours(const struct ip_address *a)
{
	struct ip_address ours[] = {world_address(HOST_OURS, false), world_address(HOST_OURS, true),
				    world_address(HOST_SECOND, false),
				    ip_address_link_local(world_mac)};
	bool found = false;

	for (uint32_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		found = found || ip_address_equal(a, &ours[i]);
	return found;
}

static uint64_t hash_of(struct span bytes)
{
	uint64_t hash = 1469598103934665603ull;

	for (uint32_t i = 0; i < bytes.len; i++)
		hash = (hash ^ bytes.at[i]) * 1099511628211ull;
	return hash;
}

/* ---- datagrams ------------------------------------------------------------------------------- */

void world_note(struct world *w, const struct ip_packet *ip, const struct udp_packet *udp)
{
	must(w->datagrams < WORLD_DATAGRAMS);
	w->datagram[w->datagrams++] = (struct world_datagram){.local = ip->dst,
							      .peer = ip->src,
							      .local_port = udp->dst_port,
							      .peer_port = udp->src_port,
							      .len = udp->payload.len,
							      .hash = hash_of(udp->payload)};
}

static bool is_note(const struct world_datagram *d, const struct endpoint *local,
		    const struct endpoint *peer, struct span bytes)
{
	struct ip_address ours = ip_address_of(local), theirs = ip_address_of(peer);

	return !d->taken && ip_address_equal(&d->local, &ours) &&
	       ip_address_equal(&d->peer, &theirs) && d->local_port == endpoint_port(local) &&
	       d->peer_port == endpoint_port(peer) && d->len == bytes.len &&
	       d->hash == hash_of(bytes);
}

static bool is_trusted(const struct endpoint *peer)
{
	struct ip_address a = ip_address_of(peer);
	struct ip_address near = world_address(HOST_PEER, !ip_address_is_v4(&a));
	struct ip_address far = world_address(HOST_FAR, !ip_address_is_v4(&a));

	return ip_address_equal(&a, &near) || ip_address_equal(&a, &far);
}

/* What was not on the wire in one piece was put together of fragments that were. */
static void on_datagram(void *context, const struct endpoint *local, const struct endpoint *peer,
			struct span bytes)
{
	struct world_worker *worker = context;
	struct world *w = worker->world;
	uint16_t own = (uint16_t)(WORLD_BASE + (worker - w->worker));

	must(w->running);
	must(endpoint_port(local) == own || endpoint_port(local) == WORLD_SHARED);
	for (uint32_t i = w->datagrams; i > 0; i--)
		if (is_note(&w->datagram[i - 1], local, peer, bytes)) {
			w->datagram[i - 1].taken = true;
			return;
		}
	must(is_trusted(peer) && ++w->reassembled <= w->fragments);
}

static void on_unreachable(void *context, const struct endpoint *peer)
{
	struct world_worker *worker = context;
	struct world *w = worker->world;

	must(w->running && is_trusted(peer));
	must(++w->unreachables <= w->errors * w->config.workers);
}

/* One of our addresses in a frame for us, and from somebody else. */
static bool may_come(const struct world *w, const struct eth_frame *eth, const struct ip_packet *ip)
{
	return memcmp(eth->dst, world_mac, 6) == 0 && (eth->src[0] & 1) == 0 &&
	       eth->vlan == w->config.vlan && world_is_ours(&ip->dst) && !world_is_ours(&ip->src);
}

void world_note_fed(struct world *w, struct span frame, enum packet_checksum ip_checksum,
		    enum packet_checksum l4_checksum)
{
	struct eth_frame eth = eth_read(frame);
	struct ip_packet ip = {.err = GW_AGAIN};
	struct udp_packet udp;

	if (eth.err == GW_OK && eth.type == ETH_TYPE_IP4)
		ip = ip4_read(eth.payload, ip_checksum);
	else if (eth.err == GW_OK && eth.type == ETH_TYPE_IP6)
		ip = ip6_read(eth.payload);
	if (ip.err != GW_OK)
		return;
	w->errors += ip.protocol == IPPROTO_ICMP || ip.protocol == IPPROTO_ICMPV6;
	w->fragments += ip.fragment && ip.protocol == IPPROTO_UDP;
	w->segments_fed += tcp_read(&ip, l4_checksum).err == GW_OK && may_come(w, &eth, &ip);
	udp = udp_read(&ip, l4_checksum);
	if (udp.err == GW_OK && may_come(w, &eth, &ip))
		world_note(w, &ip, &udp);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void on_pong(void *context, uint32_t id, enum gw_err err, uint32_t rtt_us)
{
	must(err == GW_OK || rtt_us == 0);
}

static void on_captured(void *context, const struct captured *captured, struct span bytes)
{
	must(bytes.len <= captured->len && captured->netif == 0);
}

static void on_alarm(void *context, enum gw_err what, const struct endpoint *about)
{
	must(what == GW_NEIGHBOUR_LOST || what == GW_NEIGHBOUR_MOVED ||
	     what == GW_NEIGHBOUR_FOUND || what == GW_ADDRESS_CONFLICT);
}

const struct udp_ops world_udp_ops = {.datagram = on_datagram, .unreachable = on_unreachable};
static void on_broken(void *context, const struct net_broken *broken)
{
}

const struct net_events world_events = {on_pong, on_captured, on_alarm, on_broken};

/* ---- what goes out --------------------------------------------------------------------------- */

static void note_arp(struct world *w, struct span bytes)
{
	struct arp_packet arp = arp_read(bytes);

	must(arp.err == GW_OK && memcmp(arp.sender_mac, world_mac, 6) == 0);
	must(world_is_ours(&arp.sender) || (!arp.reply && ip_address_is_unspecified(&arp.sender)));
	if (!arp.reply && world_is_ours(&arp.sender) && !world_is_ours(&arp.target))
		w->question = (struct world_question){.asked = true,
						      .target = arp.target,
						      .from = arp.sender};
}

static void note_icmp(struct world *w, const struct ip_packet *ip)
{
	struct icmp_message message = icmp_read(ip, PACKET_CHECKSUM_UNKNOWN);
	struct ndp_message ndp;

	must(message.err == GW_OK && message.kind != ICMP_OTHER && message.kind != ICMP_NDP_OTHER);
	if (message.kind == ICMP_ECHO_REQUEST) {
		w->question.echo_id = message.id;
		w->question.echo_sequence = message.sequence;
		w->question.echo_dst = ip->dst;
	}
	if (message.kind != ICMP_NDP_SOLICIT && message.kind != ICMP_NDP_ADVERT)
		return;
	ndp = ndp_read(ip, &message);
	must(ndp.err == GW_OK && (!ndp.advert || world_is_ours(&ndp.target)));
	if (!ndp.advert && !world_is_ours(&ndp.target))
		w->question = (struct world_question){.asked = true,
						      .v6 = true,
						      .target = ndp.target,
						      .from = ip->src};
}

static void check_udp(const struct ip_packet *ip, enum packet_checksum checksum)
{
	struct udp_packet udp = udp_read(ip, checksum);

	must(udp.err == GW_OK && udp.dst_port == WORLD_SHARED);
	for (uint32_t i = 0; i < udp.payload.len; i++)
		must(udp.payload.at[i] == world_byte(udp.payload.len, i));
}

static void check_ip_out(struct world *w, const struct eth_frame *eth,
			 const struct rte_mbuf *packet)
{
	bool ip_done = packet->offloaded && packet->offload.ip_checksum;
	bool l4_done = packet->offloaded && packet->offload.l4_protocol != 0;
	enum packet_checksum l4 = l4_done ? PACKET_CHECKSUM_GOOD : PACKET_CHECKSUM_UNKNOWN;
	struct ip_packet ip = eth->type == ETH_TYPE_IP6
				      ? ip6_read(eth->payload)
				      : ip4_read(eth->payload, ip_done ? PACKET_CHECKSUM_GOOD
								       : PACKET_CHECKSUM_UNKNOWN);

	must(ip.err == GW_OK && ip.whole.len == eth->payload.len && ip.whole.len <= WORLD_MTU);
	must(world_is_ours(&ip.src) ||
	     (ip.protocol == IPPROTO_ICMPV6 && ip_address_is_unspecified(&ip.src)));
	must(!world_is_ours(&ip.dst) && !ip_address_is_loopback(&ip.dst));
	if (ip.fragment)
		must(ip.protocol == IPPROTO_UDP);
	else if (ip.protocol == IPPROTO_UDP)
		check_udp(&ip, l4);
	else if (ip.protocol == IPPROTO_TCP)
		world_tcp_check_out(&ip, l4);
	else
		note_icmp(w, &ip);
}

void world_see(struct world *w, struct rte_mbuf *packet)
{
	struct eth_frame eth = eth_read(packet_span(packet));

	must(eth.err == GW_OK && eth.vlan == w->config.vlan);
	must(memcmp(eth.src, world_mac, 6) == 0 && memcmp(eth.dst, world_mac, 6) != 0);
	if (eth.type == ETH_TYPE_ARP)
		note_arp(w, eth.payload);
	else
		check_ip_out(w, &eth, packet);
	w->out++;
}

void world_check(struct world *w)
{
	uint64_t seconds = (w->clock.now_us - w->start_us) / 1000000;

	/* no war of packets: what goes out was asked for, answers, or is due */
	must(w->out <= 2 * w->fed + w->sent_by_script + (seconds + 3) * TIMED_A_SECOND);
	for (uint16_t i = 0; i < w->config.workers; i++) {
		uint64_t after[sizeof(struct counters) / sizeof(uint64_t)];

		memcpy(after, &w->worker[i].counters, sizeof(after));
		for (uint32_t k = 0; k < sizeof(after) / sizeof(after[0]); k++)
			must(after[k] >= w->worker[i].before[k]);
		memcpy(w->worker[i].before, after, sizeof(after));
	}
}
