/* SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"

/* What one side writes, the other reads: frames as a host of ours sends them. */

#define FRAME_MAX 2048u

static const uint8_t mac_a[6] = {0x02, 0, 0, 0, 0, 0x0a};
static const uint8_t mac_b[6] = {0x02, 0, 0, 0, 0, 0x0b};

struct pair {
	struct ip_address src, dst;
};

static struct pair pair_of(const char *src, const char *dst)
{
	return (struct pair){address(src), address(dst)};
}

/* A frame with what is written behind it, read down to IP. */
static struct ip_packet read_frame(const struct writer *w, uint16_t vlan)
{
	struct eth_frame eth = eth_read(writer_span(w));

	EXPECT(writer_ok(w));
	EXPECT_EQ(GW_OK, eth.err);
	EXPECT_BYTES(mac_b, eth.dst, 6);
	EXPECT_BYTES(mac_a, eth.src, 6);
	EXPECT_EQ(vlan, eth.vlan);
	if (eth.type == ETH_TYPE_IP6)
		return ip6_read(eth.payload);
	EXPECT_EQ(ETH_TYPE_IP4, eth.type);
	return ip4_read(eth.payload, PACKET_CHECKSUM_UNKNOWN);
}

static void write_frame(struct writer *w, const struct ip_head *head, uint16_t vlan)
{
	eth_write(w, mac_b, mac_a, vlan,
		  ip_address_is_v4(&head->src) ? ETH_TYPE_IP4 : ETH_TYPE_IP6);
	ip_write(w, head, true);
}

static void check_udp(const char *src, const char *dst, struct span data)
{
	struct pair pair = pair_of(src, dst);
	struct ip_head head = {.src = pair.src,
			       .dst = pair.dst,
			       .protocol = IPPROTO_UDP,
			       .hop_limit = 64,
			       .payload_len = UDP_LEN + data.len,
			       .dont_fragment = true};
	uint8_t frame[FRAME_MAX];
	struct ip_packet ip;
	struct udp_packet udp;
	struct writer w;

	writer_init(&w, frame, sizeof(frame));
	write_frame(&w, &head, 7);
	udp_write(&w, &(struct udp_ends){&head.src, &head.dst, 5060, 5070}, data,
		  L4_CHECKSUM_WHOLE);
	writer_put(&w, data);
	ip = read_frame(&w, 7);
	EXPECT_EQ(GW_OK, ip.err);
	EXPECT(ip_address_equal(&head.src, &ip.src) && ip_address_equal(&head.dst, &ip.dst));
	udp = udp_read(&ip, PACKET_CHECKSUM_UNKNOWN);
	EXPECT_EQ(GW_OK, udp.err);
	EXPECT_EQ(5060, udp.src_port);
	EXPECT_EQ(5070, udp.dst_port);
	EXPECT(span_equal(data, udp.payload));
}

TEST(round_trip, of_a_datagram)
{
	check_udp("198.18.0.1", "198.18.0.2", SPAN("hello"));
	check_udp("fd00:18::1", "fd00:18::2", SPAN("hello"));
	check_udp("198.18.0.1", "198.18.0.2", span_of(NULL, 0));
	check_udp("fd00:18::1", "fd00:18::2", span_of(NULL, 0));
}

static void check_echo(const char *src, const char *dst, enum icmp_kind kind)
{
	struct pair pair = pair_of(src, dst);
	struct span data = SPAN("ping data");
	struct ip_head head = {.src = pair.src,
			       .dst = pair.dst,
			       .hop_limit = 64,
			       .payload_len = 8 + data.len,
			       .protocol =
				       ip_address_is_v4(&pair.src) ? IPPROTO_ICMP : IPPROTO_ICMPV6};
	struct icmp_message icmp;
	uint8_t frame[FRAME_MAX];
	struct ip_packet ip;
	struct writer w;

	writer_init(&w, frame, sizeof(frame));
	write_frame(&w, &head, 0);
	icmp_write_echo(&w, &head.src, &head.dst, &(struct icmp_echo){kind, 0x1234, 0x5678, data});
	ip = read_frame(&w, 0);
	EXPECT_EQ(GW_OK, ip.err);
	icmp = icmp_read(&ip, PACKET_CHECKSUM_UNKNOWN);
	EXPECT_EQ(GW_OK, icmp.err);
	EXPECT_EQ(kind, icmp.kind);
	EXPECT_EQ(0x1234, icmp.id);
	EXPECT_EQ(0x5678, icmp.sequence);
	EXPECT(span_equal(data, icmp.body));
}

TEST(round_trip, of_an_echo)
{
	check_echo("198.18.0.1", "198.18.0.2", ICMP_ECHO_REQUEST);
	check_echo("198.18.0.1", "198.18.0.2", ICMP_ECHO_REPLY);
	check_echo("fd00:18::1", "fd00:18::2", ICMP_ECHO_REQUEST);
	check_echo("fd00:18::1", "fd00:18::2", ICMP_ECHO_REPLY);
}

static void check_ndp(const struct ndp_message *sent)
{
	struct pair pair = pair_of("fd00:18::1", "fd00:18::2");
	struct ip_head head = {.src = pair.src,
			       .dst = pair.dst,
			       .protocol = IPPROTO_ICMPV6,
			       .hop_limit = 255,
			       .payload_len = sent->has_mac ? 32 : 24};
	struct icmp_message icmp;
	struct ndp_message ndp;
	uint8_t frame[FRAME_MAX];
	struct ip_packet ip;
	struct writer w;

	writer_init(&w, frame, sizeof(frame));
	write_frame(&w, &head, 0);
	ndp_write(&w, &head.src, &head.dst, sent);
	ip = read_frame(&w, 0);
	icmp = icmp_read(&ip, PACKET_CHECKSUM_UNKNOWN);
	EXPECT_EQ(GW_OK, icmp.err);
	EXPECT_EQ(sent->advert ? ICMP_NDP_ADVERT : ICMP_NDP_SOLICIT, icmp.kind);
	ndp = ndp_read(&ip, &icmp);
	EXPECT_EQ(GW_OK, ndp.err);
	EXPECT_EQ(sent->advert, ndp.advert);
	EXPECT_EQ(sent->solicited, ndp.solicited);
	EXPECT_EQ(sent->override, ndp.override);
	EXPECT_EQ(sent->router, ndp.router);
	EXPECT_EQ(sent->has_mac, ndp.has_mac);
	EXPECT(ip_address_equal(&sent->target, &ndp.target));
	EXPECT_BYTES(sent->mac, ndp.mac, 6);
}

TEST(round_trip, of_neighbour_messages)
{
	struct ndp_message solicit = {.target = pair_of("fd00:18::2", "::").src};
	struct ndp_message advert = {.advert = true,
				     .solicited = true,
				     .has_mac = true,
				     .mac = {2, 0, 0, 0, 0, 9},
				     .target = solicit.target};

	check_ndp(&solicit);
	check_ndp(&advert);
	advert.override = true;
	advert.solicited = false;
	check_ndp(&advert);
	advert.override = false;
	advert.router = true;
	advert.has_mac = false;
	memset(advert.mac, 0, 6);
	check_ndp(&advert);
	solicit.has_mac = true;
	solicit.mac[0] = 2;
	check_ndp(&solicit);
}

TEST(round_trip, of_arp)
{
	struct pair pair = pair_of("198.18.0.1", "198.18.0.2");
	struct arp_packet sent = {.reply = true, .sender = pair.src, .target = pair.dst}, read;
	uint8_t bytes[28];
	struct writer w;

	memcpy(sent.sender_mac, mac_a, 6);
	memcpy(sent.target_mac, mac_b, 6);
	writer_init(&w, bytes, sizeof(bytes));
	arp_write(&w, &sent);
	EXPECT(writer_ok(&w));
	EXPECT_EQ(28, writer_len(&w));
	read = arp_read(writer_span(&w));
	EXPECT_EQ(GW_OK, read.err);
	EXPECT(read.reply);
	EXPECT(ip_address_equal(&sent.sender, &read.sender));
	EXPECT(ip_address_equal(&sent.target, &read.target));
	EXPECT_BYTES(mac_a, read.sender_mac, 6);
	EXPECT_BYTES(mac_b, read.target_mac, 6);
}

TEST_MAIN("net_round_trip", RUN(round_trip, of_a_datagram), RUN(round_trip, of_an_echo),
	  RUN(round_trip, of_neighbour_messages), RUN(round_trip, of_arp))
