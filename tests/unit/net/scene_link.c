/* SPDX-License-Identifier: BSD-3-Clause */
#include "scene.h"

/* The link: what is on it, and the other stations that answer. */

static struct seen read_arp(struct seen seen)
{
	seen.arp = arp_read(seen.eth.payload);
	EXPECT_EQ(GW_OK, seen.arp.err);
	seen.kind = SEEN_ARP;
	return seen;
}

static void read_icmp(struct seen *seen)
{
	seen->icmp = icmp_read(&seen->ip, PACKET_CHECKSUM_UNKNOWN);
	EXPECT_EQ(GW_OK, seen->icmp.err);
	seen->kind = SEEN_ICMP;
	if (seen->icmp.kind != ICMP_NDP_SOLICIT && seen->icmp.kind != ICMP_NDP_ADVERT)
		return;
	seen->ndp = ndp_read(&seen->ip, &seen->icmp);
	EXPECT_EQ(GW_OK, seen->ndp.err);
	seen->kind = SEEN_NDP;
}

static struct seen read_ip(struct seen seen, const struct pipe_sent *sent)
{
	enum packet_checksum ip = PACKET_CHECKSUM_UNKNOWN, l4 = PACKET_CHECKSUM_UNKNOWN;

	if (sent->offloaded && sent->offload.ip_checksum)
		ip = PACKET_CHECKSUM_GOOD; /* the device will fill it in */
	if (sent->offloaded && sent->offload.l4_protocol != 0)
		l4 = PACKET_CHECKSUM_GOOD;
	seen.ip = seen.eth.type == ETH_TYPE_IP4 ? ip4_read(seen.eth.payload, ip)
						: ip6_read(seen.eth.payload);
	EXPECT_EQ(GW_OK, seen.ip.err);
	EXPECT_EQ(seen.eth.payload.len, seen.ip.whole.len);
	/* IPv4, not a fragment: ID 0 only with "don't fragment" (RFC 6864 4.1, TCP.md 5.13) */
	if (!seen.ip.v6 && !seen.ip.fragment)
		EXPECT((span_at(seen.ip.whole, 6) & 0x40) != 0);
	if (seen.ip.fragment) {
		seen.kind = SEEN_FRAGMENT;
	} else if (seen.ip.protocol == IPPROTO_UDP) {
		seen.udp = udp_read(&seen.ip, l4);
		EXPECT_EQ(GW_OK, seen.udp.err);
		seen.kind = SEEN_UDP;
	} else if (seen.ip.protocol == IPPROTO_TCP) {
		seen.tcp = tcp_read(&seen.ip, l4);
		EXPECT_EQ(GW_OK, seen.tcp.err);
		seen.kind = SEEN_TCP;
	} else {
		read_icmp(&seen);
	}
	return seen;
}

struct seen scene_seen_at(const struct scene *s, uint32_t port, uint32_t i)
{
	struct span frame = pipe_sent_frame(s->port[port], i);
	struct seen seen = {.eth = eth_read(frame), .len = frame.len};

	seen.queue = s->port[port]->sent[i].queue;
	EXPECT_EQ(GW_OK, seen.eth.err);
	EXPECT_EQ(s->config.vlan, seen.eth.vlan);
	EXPECT_BYTES(s->mac[port], seen.eth.src, 6);
	if (seen.eth.type == ETH_TYPE_ARP)
		return read_arp(seen);
	EXPECT(seen.eth.type == ETH_TYPE_IP4 || seen.eth.type == ETH_TYPE_IP6);
	return read_ip(seen, &s->port[port]->sent[i]);
}

uint32_t scene_seen(const struct scene *s, uint32_t port, enum seen_kind kind, struct seen *last)
{
	uint32_t n = 0;
	struct seen seen;

	for (uint32_t i = 0; i < s->port[port]->sent_count; i++) {
		seen = scene_seen_at(s, port, i);
		if (seen.kind != kind)
			continue;
		n++;
		if (last != NULL)
			*last = seen;
	}
	return n;
}

/* ---- stations -------------------------------------------------------------------------------- */

struct station *scene_station(struct scene *s, uint32_t port, const char *address, uint8_t tail)
{
	struct station *station = &s->station[s->stations++];

	EXPECT(s->stations <= SCENE_STATIONS);
	*station = (struct station){.port = port,
				    .address = ip_of(address),
				    .mac = {2, 0x18, 0, 0, 0, tail}};
	return station;
}

static struct station *find_station(struct scene *s, uint32_t port, const struct ip_address *a)
{
	for (uint32_t i = 0; i < s->stations; i++)
		if (s->station[i].port == port && ip_address_equal(a, &s->station[i].address))
			return &s->station[i];
	return NULL;
}

struct station *scene_station_of(struct scene *s, const char *address)
{
	struct ip_address a = ip_of(address);
	struct station *station = NULL;

	for (uint32_t i = 0; i < s->ports && station == NULL; i++)
		station = find_station(s, i, &a);
	EXPECT(station != NULL);
	return station;
}

static void answer_arp(struct scene *s, uint32_t port, const struct seen *asked,
		       const struct station *station)
{
	struct envelope e = {.vlan = s->config.vlan};
	struct arp_packet arp = {.reply = true,
				 .sender = station->address,
				 .target = asked->arp.sender};
	struct frame f;

	memcpy(e.dst, asked->eth.src, 6);
	memcpy(e.src, station->mac, 6);
	memcpy(arp.sender_mac, station->mac, 6);
	memcpy(arp.target_mac, asked->arp.sender_mac, 6);
	frame_arp(&f, &e, &arp);
	scene_feed(s, port, 0, &f);
}

static void answer_ndp(struct scene *s, uint32_t port, const struct seen *asked,
		       const struct station *station)
{
	struct envelope e = {.vlan = s->config.vlan};
	struct ndp_message ndp = {.advert = true,
				  .solicited = true,
				  .override = true,
				  .target = station->address,
				  .has_mac = true};
	struct ip_head head = {.src = station->address,
			       .dst = asked->ip.src,
			       .protocol = IPPROTO_ICMPV6,
			       .hop_limit = 255};
	uint8_t bytes[128];
	struct writer w;
	struct frame f;

	memcpy(e.dst, asked->eth.src, 6);
	memcpy(e.src, station->mac, 6);
	memcpy(ndp.mac, station->mac, 6);
	writer_init(&w, bytes, sizeof(bytes));
	ndp_write(&w, &head.src, &head.dst, &ndp);
	frame_ip(&f, &e, &head, writer_span(&w));
	scene_feed(s, port, 0, &f);
}

static bool reaches(const struct station *station, const uint8_t dst[6])
{
	return (dst[0] & 1) != 0 || memcmp(dst, station->mac, 6) == 0;
}

static void station_hears(struct scene *s, uint32_t port, const struct seen *seen)
{
	bool arp = seen->kind == SEEN_ARP && !seen->arp.reply;
	bool ndp = seen->kind == SEEN_NDP && !seen->ndp.advert;
	struct station *station = NULL;

	if (arp || ndp)
		station = find_station(s, port, arp ? &seen->arp.target : &seen->ndp.target);
	if (station == NULL || !reaches(station, seen->eth.dst))
		return;
	station->asked++;
	if (station->silent)
		return;
	if (arp)
		answer_arp(s, port, seen, station);
	else
		answer_ndp(s, port, seen, station);
}

void scene_stations_answer(struct scene *s)
{
	struct seen seen;

	for (uint32_t i = 0; i < s->ports; i++)
		for (; s->answered[i] < s->port[i]->sent_count; s->answered[i]++) {
			seen = scene_seen_at(s, i, s->answered[i]);
			station_hears(s, i, &seen);
		}
}
