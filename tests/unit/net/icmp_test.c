/* SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"

#define CHECKSUM_AT 2u

/* A message as it stands behind an IP header, and the addresses of that header. */
struct message {
	struct bytes b;
	struct ip_packet ip;
};

static void resum(struct message *m)
{
	uint64_t sum = 0;

	bytes_put16(&m->b, CHECKSUM_AT, 0);
	if (m->ip.v6)
		sum = checksum_pseudo(&m->ip.src, &m->ip.dst, IPPROTO_ICMPV6, m->b.len);
	bytes_put16(&m->b, CHECKSUM_AT, checksum_fold(checksum_add(sum, bytes_span(&m->b))));
}

static struct message message(bool v6, uint8_t type, uint8_t code, struct span rest)
{
	struct message m = {.ip = {.v6 = v6, .hop_limit = 64}};

	m.ip.protocol = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	m.ip.src = address(v6 ? "fd00:18::1" : "198.18.0.1");
	m.ip.dst = address(v6 ? "fd00:18::2" : "198.18.0.2");
	m.b.at[0] = type;
	m.b.at[1] = code;
	m.b.len = 4;
	bytes_add(&m.b, rest.at, rest.len);
	resum(&m);
	return m;
}

static struct icmp_message read_as(const struct message *m, uint32_t len,
				   enum packet_checksum checksum)
{
	struct ip_packet ip = m->ip;
	struct icmp_message icmp;

	ip.payload = exact(span_of(m->b.at, len));
	icmp = icmp_read(&ip, checksum);
	icmp.body = icmp.err == GW_OK ? exact_moved(icmp.body, ip.payload, bytes_span(&m->b))
				      : span_of(NULL, 0);
	exact_free(ip.payload);
	return icmp;
}

static struct icmp_message read(const struct message *m)
{
	return read_as(m, m->b.len, PACKET_CHECKSUM_UNKNOWN);
}

static enum icmp_kind kind(bool v6, uint8_t type, uint8_t code)
{
	struct message m = message(v6, type, code, SPAN("\0\0\0\0body"));
	struct icmp_message icmp = read(&m);

	EXPECT_EQ(GW_OK, icmp.err);
	return icmp.kind;
}

TEST(icmp, reads_an_echo_request)
{
	struct message m4 = message(false, 8, 0, SPAN("\x12\x34\x00\x07ping"));
	struct message m6 = message(true, 128, 0, SPAN("\x12\x34\x00\x07ping"));
	const struct message *both[] = {&m4, &m6};

	for (uint32_t i = 0; i < 2; i++) {
		struct icmp_message icmp = read(both[i]);

		EXPECT_EQ(GW_OK, icmp.err);
		EXPECT_EQ(ICMP_ECHO_REQUEST, icmp.kind);
		EXPECT_EQ(0x1234, icmp.id);
		EXPECT_EQ(7, icmp.sequence);
		EXPECT_SPAN("ping", icmp.body);
	}
}

TEST(icmp, knows_its_kinds_over_ipv4)
{
	EXPECT_EQ(ICMP_ECHO_REPLY, kind(false, 0, 0));
	EXPECT_EQ(ICMP_ECHO_REQUEST, kind(false, 8, 0));
	for (uint8_t code = 0; code < 16; code++)
		EXPECT_EQ(code == 4 ? ICMP_TOO_BIG : ICMP_UNREACHABLE, kind(false, 3, code));
	EXPECT_EQ(ICMP_UNREACHABLE, kind(false, 12, 0));
}

static bool soft(bool v6, uint8_t type, uint8_t code)
{
	struct message m = message(v6, type, code, SPAN("\0\0\0\0body"));

	return read(&m).soft;
}

/* RFC 1122 4.2.3.9, RFC 5461 2 */
TEST(icmp, tells_what_a_host_says_for_good_from_what_may_pass)
{
	for (uint8_t code = 0; code < 16; code++)
		EXPECT_EQ(code != 2 && code != 3 && code != 4, soft(false, 3, code));
	for (uint8_t code = 0; code < 8; code++)
		EXPECT_EQ(code != 1 && code != 4, soft(true, 1, code));
	EXPECT(soft(false, 12, 0));
	EXPECT(soft(true, 4, 1));
	EXPECT(!soft(true, 2, 0));
}

TEST(icmp, leaves_everything_else_over_ipv4_to_be_ignored)
{
	static const uint8_t known[] = {0, 3, 8, 12};

	for (uint32_t type = 0; type < 256; type++)
		if (memchr(known, (int)type, sizeof(known)) == NULL)
			EXPECT_EQ(ICMP_OTHER, kind(false, (uint8_t)type, 0));
}

TEST(icmp, knows_its_kinds_over_ipv6)
{
	EXPECT_EQ(ICMP_UNREACHABLE, kind(true, 1, 4));
	EXPECT_EQ(ICMP_TOO_BIG, kind(true, 2, 0));
	EXPECT_EQ(ICMP_UNREACHABLE, kind(true, 4, 1));
	EXPECT_EQ(ICMP_ECHO_REQUEST, kind(true, 128, 0));
	EXPECT_EQ(ICMP_ECHO_REPLY, kind(true, 129, 0));
	EXPECT_EQ(ICMP_NDP_OTHER, kind(true, 133, 0));
	EXPECT_EQ(ICMP_NDP_OTHER, kind(true, 134, 0));
	EXPECT_EQ(ICMP_NDP_SOLICIT, kind(true, 135, 0));
	EXPECT_EQ(ICMP_NDP_ADVERT, kind(true, 136, 0));
	EXPECT_EQ(ICMP_NDP_OTHER, kind(true, 137, 0));
}

TEST(icmp, leaves_everything_else_over_ipv6_to_be_ignored)
{
	static const uint8_t known[] = {1, 2, 4, 128, 129, 133, 134, 135, 136, 137};

	for (uint32_t type = 0; type < 256; type++)
		if (memchr(known, (int)type, sizeof(known)) == NULL)
			EXPECT_EQ(ICMP_OTHER, kind(true, (uint8_t)type, 0));
}

TEST(icmp, too_big_says_the_mtu_of_the_next_hop)
{
	struct message m = message(false, 3, 4, SPAN("\xff\xff\x05\x14quote"));

	EXPECT_EQ(1300, read(&m).mtu); /* RFC 1191 4: the upper half is unused */
	EXPECT_SPAN("quote", read(&m).body);
	m = message(false, 3, 4, SPAN("\0\0\0\0quote"));
	EXPECT_EQ(0, read(&m).mtu);
	m = message(true, 2, 9, SPAN("\x00\x01\x05\x14quote"));
	EXPECT_EQ(0x10514, read(&m).mtu);
	EXPECT_SPAN("quote", read(&m).body);
}

TEST(icmp, without_its_header_is_refused)
{
	struct message m = message(false, 8, 0, SPAN("\x12\x34\x00\x07"));

	for (uint32_t n = 0; n < 8; n++)
		EXPECT_EQ(GW_ICMP, read_as(&m, n, PACKET_CHECKSUM_GOOD).err);
	EXPECT_EQ(GW_OK, read_as(&m, 8, PACKET_CHECKSUM_GOOD).err);
}

TEST(icmp, of_an_ignored_type_needs_four_bytes_only)
{
	struct message m = message(true, 200, 0, span_of(NULL, 0));

	for (uint32_t n = 0; n < 4; n++)
		EXPECT_EQ(GW_ICMP, read_as(&m, n, PACKET_CHECKSUM_GOOD).err);
	EXPECT_EQ(GW_OK, read(&m).err);
	EXPECT_EQ(ICMP_OTHER, read(&m).kind);
}

TEST(icmp, cut_behind_its_header_has_a_wrong_sum)
{
	struct message m4 = message(false, 8, 0, SPAN("\x12\x34\x00\x07ping"));
	struct message m6 = message(true, 128, 0, SPAN("\x12\x34\x00\x07ping"));

	for (uint32_t n = 8; n < m4.b.len; n++) {
		EXPECT_EQ(GW_ICMP_CHECKSUM, read_as(&m4, n, PACKET_CHECKSUM_UNKNOWN).err);
		EXPECT_EQ(GW_ICMP_CHECKSUM, read_as(&m6, n, PACKET_CHECKSUM_UNKNOWN).err);
	}
}

TEST(icmp, with_any_bit_turned_over_is_refused)
{
	struct message m[] = {message(false, 8, 0, SPAN("\x12\x34\x00\x07ping")),
			      message(true, 128, 0, SPAN("\x12\x34\x00\x07ping"))};

	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t bit = 0; bit < m[i].b.len * 8; bit++) {
			m[i].b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
			EXPECT_EQ(GW_ICMP_CHECKSUM, read(&m[i]).err);
			m[i].b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

TEST(icmp, sum_covers_the_addresses_over_ipv6_only)
{
	struct message m4 = message(false, 8, 0, SPAN("\x12\x34\x00\x07ping"));
	struct message m6 = message(true, 128, 0, SPAN("\x12\x34\x00\x07ping"));

	m4.ip.src.bytes[15] ^= 4;
	m6.ip.src.bytes[15] ^= 4;
	EXPECT_EQ(GW_OK, read(&m4).err);
	EXPECT_EQ(GW_ICMP_CHECKSUM, read(&m6).err);
}

TEST(icmp, checksum_is_judged_as_the_device_says)
{
	struct message m = message(true, 128, 0, SPAN("\x12\x34\x00\x07ping"));

	EXPECT_EQ(GW_OK, read_as(&m, m.b.len, PACKET_CHECKSUM_GOOD).err);
	EXPECT_EQ(GW_OK, read_as(&m, m.b.len, PACKET_CHECKSUM_NONE).err);
	EXPECT_EQ(GW_ICMP_CHECKSUM, read_as(&m, m.b.len, PACKET_CHECKSUM_BAD).err);
	m.b.at[CHECKSUM_AT] ^= 1;
	EXPECT_EQ(GW_OK, read_as(&m, m.b.len, PACKET_CHECKSUM_GOOD).err);
	EXPECT_EQ(GW_OK, read_as(&m, m.b.len, PACKET_CHECKSUM_NONE).err);
	EXPECT_EQ(GW_ICMP_CHECKSUM, read_as(&m, m.b.len, PACKET_CHECKSUM_UNKNOWN).err);
}

TEST(icmp, of_the_other_family_or_in_fragments_is_not_read)
{
	struct message m = message(false, 8, 0, SPAN("\x12\x34\x00\x07ping"));

	m.ip.protocol = IPPROTO_ICMPV6;
	EXPECT_EQ(GW_ICMP, read_as(&m, m.b.len, PACKET_CHECKSUM_GOOD).err);
	m.ip.protocol = IPPROTO_ICMP;
	m.ip.fragment = true;
	EXPECT_EQ(GW_ICMP, read_as(&m, m.b.len, PACKET_CHECKSUM_GOOD).err);
	m = message(true, 128, 0, SPAN("\x12\x34\x00\x07ping"));
	m.ip.protocol = IPPROTO_ICMP;
	EXPECT_EQ(GW_ICMP, read_as(&m, m.b.len, PACKET_CHECKSUM_GOOD).err);
}

TEST(icmp, echo_and_errors_have_a_sender)
{
	static const uint8_t types[] = {1, 2, 4, 128, 129};
	struct message m = message(true, 135, 0, SPAN("\0\0\0\0"));

	m.ip.src = address("::");
	resum(&m);
	EXPECT_EQ(GW_OK, read(&m).err);
	for (uint32_t i = 0; i < sizeof(types); i++) {
		m.b.at[0] = types[i];
		resum(&m);
		EXPECT_EQ(GW_ICMP, read(&m).err);
	}
}

TEST(icmp, writes_an_echo_as_in_rfc_792_and_4443)
{
	struct ip_address src4 = address("198.18.0.1"), dst4 = address("198.18.0.2");
	struct ip_address src6 = address("fd00:18::1"), dst6 = address("fd00:18::2");
	struct message m4 = message(false, 0, 0, SPAN("\x12\x34\x00\x07odd"));
	struct message m6 = message(true, 129, 0, SPAN("\x12\x34\x00\x07odd"));
	uint8_t room[64];
	struct writer w;

	writer_init(&w, room, sizeof(room));
	icmp_write_echo(&w, &src4, &dst4,
			&(struct icmp_echo){ICMP_ECHO_REPLY, 0x1234, 7, SPAN("odd")});
	EXPECT(span_equal(bytes_span(&m4.b), writer_span(&w)));
	writer_init(&w, room, sizeof(room));
	icmp_write_echo(&w, &src6, &dst6,
			&(struct icmp_echo){ICMP_ECHO_REPLY, 0x1234, 7, SPAN("odd")});
	EXPECT(span_equal(bytes_span(&m6.b), writer_span(&w)));
	icmp_write_echo(&w, &src6, &dst6,
			&(struct icmp_echo){ICMP_ECHO_REQUEST, 1, 2, span_of(NULL, 0)});
	EXPECT_EQ(128, room[m6.b.len]);
	icmp_write_echo(&w, &src4, &dst4,
			&(struct icmp_echo){ICMP_ECHO_REQUEST, 1, 2, span_of(NULL, 0)});
	EXPECT_EQ(8, room[m6.b.len + 8]);
}

TEST(icmp, without_room_makes_the_writer_full)
{
	struct ip_address src = address("fd00:18::1"), dst = address("fd00:18::2");
	uint8_t room[16];
	struct writer w;

	for (uint32_t n = 0; n <= 12; n++) {
		writer_init(&w, room, n);
		icmp_write_echo(&w, &src, &dst,
				&(struct icmp_echo){ICMP_ECHO_REPLY, 1, 2, SPAN("ping")});
		EXPECT(writer_ok(&w) == (n == 12));
	}
}

TEST_MAIN("net_icmp", RUN(icmp, reads_an_echo_request), RUN(icmp, knows_its_kinds_over_ipv4),
	  RUN(icmp, tells_what_a_host_says_for_good_from_what_may_pass),
	  RUN(icmp, leaves_everything_else_over_ipv4_to_be_ignored),
	  RUN(icmp, knows_its_kinds_over_ipv6),
	  RUN(icmp, leaves_everything_else_over_ipv6_to_be_ignored),
	  RUN(icmp, too_big_says_the_mtu_of_the_next_hop), RUN(icmp, without_its_header_is_refused),
	  RUN(icmp, of_an_ignored_type_needs_four_bytes_only),
	  RUN(icmp, cut_behind_its_header_has_a_wrong_sum),
	  RUN(icmp, with_any_bit_turned_over_is_refused),
	  RUN(icmp, sum_covers_the_addresses_over_ipv6_only),
	  RUN(icmp, checksum_is_judged_as_the_device_says),
	  RUN(icmp, of_the_other_family_or_in_fragments_is_not_read),
	  RUN(icmp, echo_and_errors_have_a_sender),
	  RUN(icmp, writes_an_echo_as_in_rfc_792_and_4443),
	  RUN(icmp, without_room_makes_the_writer_full))
