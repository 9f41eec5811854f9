/* SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"

#define LENGTH_AT 4u
#define CHECKSUM_AT 6u
#define TEXT "OPTIONS sip:pcscf"
#define TEXT_LEN (sizeof(TEXT) - 1)

/* A datagram as it stands behind an IP header, and the addresses of that header. */
struct datagram {
	struct bytes b;
	struct ip_packet ip;
};

static struct datagram datagram(const char *src, const char *dst)
{
	struct datagram d = {.ip = {.protocol = IPPROTO_UDP}};
	struct writer w;

	d.ip.src = address(src);
	d.ip.dst = address(dst);
	d.ip.v6 = !ip_address_is_v4(&d.ip.src);
	writer_init(&w, d.b.at, sizeof(d.b.at));
	udp_write(&w, &(struct udp_ends){&d.ip.src, &d.ip.dst, 5060, 49152}, SPAN(TEXT),
		  L4_CHECKSUM_WHOLE);
	writer_put(&w, SPAN(TEXT));
	EXPECT(writer_ok(&w));
	d.b.len = writer_len(&w);
	return d;
}

static struct datagram datagram4(void)
{
	return datagram("198.18.0.1", "198.18.0.2");
}

static struct datagram datagram6(void)
{
	return datagram("fd00:18::1", "fd00:18::2");
}

static struct udp_packet read_as(const struct datagram *d, uint32_t len,
				 enum packet_checksum checksum)
{
	struct ip_packet ip = d->ip;
	struct udp_packet udp;

	ip.payload = exact(span_of(d->b.at, len));
	udp = udp_read(&ip, checksum);
	udp.payload = udp.err == GW_OK ? exact_moved(udp.payload, ip.payload, bytes_span(&d->b))
				       : span_of(NULL, 0);
	exact_free(ip.payload);
	return udp;
}

static struct udp_packet read(const struct datagram *d)
{
	return read_as(d, d->b.len, PACKET_CHECKSUM_UNKNOWN);
}

static void resum(struct datagram *d, uint32_t len)
{
	uint64_t sum = checksum_pseudo(&d->ip.src, &d->ip.dst, IPPROTO_UDP, len);
	uint16_t folded;

	bytes_put16(&d->b, CHECKSUM_AT, 0);
	folded = checksum_fold(checksum_add(sum, span_of(d->b.at, len)));
	bytes_put16(&d->b, CHECKSUM_AT, folded != 0 ? folded : 0xffff);
}

/* the four answers to UNKNOWN, GOOD, BAD, NONE */
static void expect_matrix(const struct datagram *d, enum gw_err unknown, enum gw_err good,
			  enum gw_err bad, enum gw_err none)
{
	EXPECT_EQ(unknown, read_as(d, d->b.len, PACKET_CHECKSUM_UNKNOWN).err);
	EXPECT_EQ(good, read_as(d, d->b.len, PACKET_CHECKSUM_GOOD).err);
	EXPECT_EQ(bad, read_as(d, d->b.len, PACKET_CHECKSUM_BAD).err);
	EXPECT_EQ(none, read_as(d, d->b.len, PACKET_CHECKSUM_NONE).err);
}

TEST(udp, reads_ports_and_payload)
{
	struct datagram d[] = {datagram4(), datagram6()};

	for (uint32_t i = 0; i < 2; i++) {
		struct udp_packet udp = read(&d[i]);

		EXPECT_EQ(GW_OK, udp.err);
		EXPECT_EQ(5060, udp.src_port);
		EXPECT_EQ(49152, udp.dst_port);
		EXPECT_SPAN(TEXT, udp.payload);
	}
}

TEST(udp, cut_at_any_byte_is_refused)
{
	struct datagram d[] = {datagram4(), datagram6()};

	for (uint32_t i = 0; i < 2; i++)
		for (uint32_t n = 0; n < d[i].b.len; n++)
			EXPECT_EQ(GW_UDP, read_as(&d[i], n, PACKET_CHECKSUM_GOOD).err);
}

TEST(udp, with_a_length_shorter_than_its_header_is_refused)
{
	struct datagram d = datagram6();

	for (uint16_t len = 0; len < UDP_LEN; len++) {
		bytes_put16(&d.b, LENGTH_AT, len);
		EXPECT_EQ(GW_UDP, read_as(&d, d.b.len, PACKET_CHECKSUM_GOOD).err);
	}
	bytes_put16(&d.b, LENGTH_AT, UDP_LEN);
	resum(&d, UDP_LEN);
	EXPECT_EQ(GW_OK, read(&d).err);
	EXPECT_EQ(0, read(&d).payload.len);
}

TEST(udp, with_a_length_longer_than_the_packet_is_refused)
{
	struct datagram d = datagram4();

	bytes_put16(&d.b, LENGTH_AT, (uint16_t)(d.b.len + 1));
	EXPECT_EQ(GW_UDP, read_as(&d, d.b.len, PACKET_CHECKSUM_GOOD).err);
	bytes_put16(&d.b, LENGTH_AT, 0xffff);
	EXPECT_EQ(GW_UDP, read_as(&d, d.b.len, PACKET_CHECKSUM_GOOD).err);
}

TEST(udp, bytes_behind_its_length_are_cut_off_and_not_summed)
{
	struct datagram d[] = {datagram4(), datagram6()};

	for (uint32_t i = 0; i < 2; i++) {
		bytes_add(&d[i].b, "\xde\xad\xbe", 3);
		EXPECT_EQ(GW_OK, read(&d[i]).err);
		EXPECT_SPAN(TEXT, read(&d[i]).payload);
	}
}

TEST(udp, with_any_bit_turned_over_is_refused)
{
	struct datagram d[] = {datagram4(), datagram6()};

	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t bit = 0; bit < d[i].b.len * 8; bit++) {
			d[i].b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
			EXPECT(read(&d[i]).err != GW_OK);
			d[i].b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

TEST(udp, sum_covers_the_addresses)
{
	struct datagram d[] = {datagram4(), datagram6()};

	for (uint32_t i = 0; i < 2; i++) {
		d[i].ip.src.bytes[15] ^= 1;
		EXPECT_EQ(GW_UDP_CHECKSUM, read(&d[i]).err);
		d[i].ip.src.bytes[15] ^= 1;
		d[i].ip.dst.bytes[13] ^= 1;
		EXPECT_EQ(GW_UDP_CHECKSUM, read(&d[i]).err);
	}
}

TEST(udp, checksum_is_judged_as_the_device_says)
{
	struct datagram d[] = {datagram4(), datagram6()};

	for (uint32_t i = 0; i < 2; i++) {
		expect_matrix(&d[i], GW_OK, GW_OK, GW_UDP_CHECKSUM, GW_OK);
		d[i].b.at[8] ^= 1;
		expect_matrix(&d[i], GW_UDP_CHECKSUM, GW_OK, GW_UDP_CHECKSUM, GW_OK);
	}
}

TEST(udp, without_checksum_is_for_ipv4_only)
{
	struct datagram d[] = {datagram4(), datagram6()};

	for (uint32_t i = 0; i < 2; i++)
		bytes_put16(&d[i].b, CHECKSUM_AT, 0);
	expect_matrix(&d[0], GW_OK, GW_OK, GW_OK, GW_OK);
	expect_matrix(&d[1], GW_UDP_CHECKSUM, GW_UDP_CHECKSUM, GW_UDP_CHECKSUM, GW_UDP_CHECKSUM);
}

/* Finds a payload whose sum comes out as 0, so that 0 in the field would add up. */
static void make_sum_zero(struct datagram *d)
{
	uint16_t folded;

	bytes_put16(&d->b, CHECKSUM_AT, 0);
	bytes_put16(&d->b, UDP_LEN, 0);
	folded = checksum_fold(
		checksum_add(checksum_pseudo(&d->ip.src, &d->ip.dst, IPPROTO_UDP, d->b.len),
			     bytes_span(&d->b)));
	bytes_put16(&d->b, UDP_LEN, folded);
}

TEST(udp, over_ipv6_a_sum_of_zero_is_missing_even_when_it_adds_up)
{
	struct datagram d = datagram6();

	make_sum_zero(&d);
	EXPECT_EQ(GW_UDP_CHECKSUM, read(&d).err);
	bytes_put16(&d.b, CHECKSUM_AT, 0xffff);
	EXPECT_EQ(GW_OK, read(&d).err);
}

TEST(udp, sum_of_zero_is_written_as_all_ones)
{
	struct datagram d[] = {datagram4(), datagram6()};

	for (uint32_t i = 0; i < 2; i++) {
		uint8_t header[UDP_LEN];
		struct writer w;

		make_sum_zero(&d[i]);
		writer_init(&w, header, sizeof(header));
		udp_write(&w, &(struct udp_ends){&d[i].ip.src, &d[i].ip.dst, 5060, 49152},
			  span_from(bytes_span(&d[i].b), UDP_LEN), L4_CHECKSUM_WHOLE);
		EXPECT_BYTES("\xff\xff", header + CHECKSUM_AT, 2);
	}
}

TEST(udp, port_zero_is_refused)
{
	struct datagram d = datagram4();

	bytes_put16(&d.b, 0, 0);
	EXPECT_EQ(GW_UDP, read_as(&d, d.b.len, PACKET_CHECKSUM_GOOD).err);
	bytes_put16(&d.b, 0, 5060);
	bytes_put16(&d.b, 2, 0);
	EXPECT_EQ(GW_UDP, read_as(&d, d.b.len, PACKET_CHECKSUM_GOOD).err);
}

TEST(udp, of_a_fragment_or_another_protocol_is_not_read)
{
	struct datagram d = datagram4();

	d.ip.fragment = true;
	EXPECT_EQ(GW_UDP, read(&d).err);
	d.ip.fragment = false;
	d.ip.protocol = IPPROTO_UDPLITE;
	EXPECT_EQ(GW_UDP, read(&d).err);
}

TEST(udp, pseudo_sum_is_what_a_device_completes)
{
	struct datagram d[] = {datagram4(), datagram6()};

	for (uint32_t i = 0; i < 2; i++) {
		struct bytes b = {.len = 0};
		struct writer w;

		writer_init(&w, b.at, sizeof(b.at));
		udp_write(&w, &(struct udp_ends){&d[i].ip.src, &d[i].ip.dst, 5060, 49152},
			  SPAN(TEXT), L4_CHECKSUM_PSEUDO);
		writer_put(&w, SPAN(TEXT));
		b.len = writer_len(&w);
		/* the device sums from the UDP header on, the field included, and inverts */
		bytes_put16(&b, CHECKSUM_AT, checksum_fold(checksum_add(0, bytes_span(&b))));
		EXPECT_BYTES(d[i].b.at, b.at, b.len);
	}
}

TEST(udp, writes_no_more_than_its_length_field_can_say)
{
	static uint8_t payload[65536];
	struct ip_address src = address("198.18.0.1"), dst = address("198.18.0.2");
	uint8_t header[UDP_LEN];
	struct writer w;

	for (uint32_t len = 65526; len <= 65529; len++) {
		writer_init(&w, header, sizeof(header));
		udp_write(&w, &(struct udp_ends){&src, &dst, 1, 2}, span_of(payload, len),
			  L4_CHECKSUM_WHOLE);
		EXPECT(writer_ok(&w) == (len + UDP_LEN <= 65535));
	}
}

TEST(udp, without_room_makes_the_writer_full)
{
	struct ip_address src = address("fd00:18::1"), dst = address("fd00:18::2");
	uint8_t header[UDP_LEN];
	struct writer w;

	for (uint32_t n = 0; n <= UDP_LEN; n++) {
		writer_init(&w, header, n);
		udp_write(&w, &(struct udp_ends){&src, &dst, 1, 2}, SPAN(TEXT), L4_CHECKSUM_WHOLE);
		EXPECT(writer_ok(&w) == (n == UDP_LEN));
	}
}

TEST(udp, ports_are_found_in_front_of_any_l4_header)
{
	uint16_t src = 0, dst = 0;

	EXPECT(l4_ports(SPAN("\x13\xc4\xc0\x00"), &src, &dst));
	EXPECT_EQ(5060, src);
	EXPECT_EQ(49152, dst);
	for (uint32_t n = 0; n < 4; n++) {
		struct span block = exact(span_cut(SPAN("\x13\xc4\xc0\x00"), 0, n));

		EXPECT(!l4_ports(block, &src, &dst));
		exact_free(block);
	}
}

TEST_MAIN("net_udp", RUN(udp, reads_ports_and_payload), RUN(udp, cut_at_any_byte_is_refused),
	  RUN(udp, with_a_length_shorter_than_its_header_is_refused),
	  RUN(udp, with_a_length_longer_than_the_packet_is_refused),
	  RUN(udp, bytes_behind_its_length_are_cut_off_and_not_summed),
	  RUN(udp, with_any_bit_turned_over_is_refused), RUN(udp, sum_covers_the_addresses),
	  RUN(udp, checksum_is_judged_as_the_device_says),
	  RUN(udp, without_checksum_is_for_ipv4_only),
	  RUN(udp, over_ipv6_a_sum_of_zero_is_missing_even_when_it_adds_up),
	  RUN(udp, sum_of_zero_is_written_as_all_ones), RUN(udp, port_zero_is_refused),
	  RUN(udp, of_a_fragment_or_another_protocol_is_not_read),
	  RUN(udp, pseudo_sum_is_what_a_device_completes),
	  RUN(udp, writes_no_more_than_its_length_field_can_say),
	  RUN(udp, without_room_makes_the_writer_full),
	  RUN(udp, ports_are_found_in_front_of_any_l4_header))
