/* SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"
#include "tcp_model.h"

#define OFFSET_AT 12u
#define FLAGS_AT 13u
#define CHECKSUM_AT 16u
#define AREA_MAX 40u

/* The SYN of a Linux host: MSS 1460, SACK-permitted, timestamps, NOP, scale 7. */
#define LINUX_SYN "\x02\x04\x05\xb4\x04\x02\x08\x0a\x11\x22\x33\x44\x00\x00\x00\x00\x01\x03\x03\x07"
/* The ACK of one: timestamps; timestamps and three SACK blocks. */
#define LINUX_ACK "\x01\x01\x08\x0a\x11\x22\x33\x44\x55\x66\x77\x88"
#define LINUX_SACK \
	LINUX_ACK "\x01\x01\x05\x1a\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05\0\0\0\x06"
/* The SYN of a Windows 11 host: MSS 1460, NOP, scale 8, NOP, NOP, SACK-permitted. */
#define WINDOWS_SYN "\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02"
/* The SYN of a Mac: MSS 1460, NOP, scale 6, NOP, NOP, timestamps, SACK-permitted, end of list. */
#define MAC_SYN \
	"\x02\x04\x05\xb4\x01\x03\x03\x06\x01\x01\x08\x0a\x11\x22\x33\x44\0\0\0\0\x04\x02\0\0"

/* A segment as it stands behind an IP header, and the addresses of that header. */
struct segment {
	struct bytes b;
	struct ip_packet ip;
};

static struct segment segment_around(const char *src, const char *dst)
{
	struct segment s = {.ip = {.protocol = IPPROTO_TCP}};

	s.ip.src = address(src);
	s.ip.dst = address(dst);
	s.ip.v6 = !ip_address_is_v4(&s.ip.src);
	return s;
}

static struct segment around4(void)
{
	return segment_around("198.18.0.1", "198.18.0.2");
}

static struct segment around6(void)
{
	return segment_around("fd00:18::1", "fd00:18::2");
}

static void resum(struct segment *s)
{
	uint64_t sum = checksum_pseudo(&s->ip.src, &s->ip.dst, IPPROTO_TCP, s->b.len);

	bytes_put16(&s->b, CHECKSUM_AT, 0);
	bytes_put16(&s->b, CHECKSUM_AT, checksum_fold(checksum_add(sum, bytes_span(&s->b))));
}

/* By hand, not by the writer: 443 to 49152, seq 0x01020304, ack 0x05060708, window 0x1234. */
static struct segment made(struct segment s, uint8_t flags, struct span options, struct span data)
{
	bytes_add(&s.b, "\x01\xbb\xc0\x00\x01\x02\x03\x04\x05\x06\x07\x08", 12);
	bytes_add(&s.b, "\x50\x00\x12\x34\x00\x00\x00\x00", 8);
	bytes_add(&s.b, options.at, options.len);
	bytes_add(&s.b, data.at, data.len);
	s.b.at[OFFSET_AT] = (uint8_t)((TCP_LEN + options.len) / 4 << 4);
	s.b.at[FLAGS_AT] = flags;
	resum(&s);
	return s;
}

static struct tcp_packet read_as(const struct segment *s, uint32_t len,
				 enum packet_checksum checksum)
{
	struct ip_packet ip = s->ip;
	struct tcp_packet tcp;

	ip.payload = exact(span_of(s->b.at, len));
	tcp = tcp_read(&ip, checksum);
	tcp.payload = tcp.err == GW_OK ? exact_moved(tcp.payload, ip.payload, bytes_span(&s->b))
				       : span_of(NULL, 0);
	exact_free(ip.payload);
	return tcp;
}

static struct tcp_packet read(const struct segment *s)
{
	return read_as(s, s->b.len, PACKET_CHECKSUM_UNKNOWN);
}

static struct tcp_options options_of(uint8_t flags, struct span options)
{
	struct segment s = made(around4(), flags, options, SPAN(""));
	struct tcp_packet tcp = read(&s);

	EXPECT_EQ(GW_OK, tcp.err);
	return tcp.options;
}

/* ---- reading ---- */

TEST(tcp_head, is_read_field_by_field)
{
	struct segment s[] = {made(around4(), 0xff, SPAN(""), SPAN("hello")),
			      made(around6(), 0x00, SPAN(LINUX_ACK), SPAN("hello"))};

	for (uint32_t i = 0; i < 2; i++) {
		struct tcp_packet tcp = read(&s[i]);

		EXPECT_EQ(GW_OK, tcp.err);
		EXPECT_EQ(443, tcp.src_port);
		EXPECT_EQ(49152, tcp.dst_port);
		EXPECT_EQ(0x01020304, tcp.seq);
		EXPECT_EQ(0x05060708, tcp.ack);
		EXPECT_EQ(0x1234, tcp.window);
		EXPECT_EQ(i == 0 ? 0xff : 0, tcp.flags);
		EXPECT_SPAN("hello", tcp.payload);
	}
}

TEST(tcp_head, ignores_the_reserved_bits_and_the_urgent_pointer)
{
	struct segment s = made(around4(), TCP_ACK, SPAN(""), SPAN("hello"));
	struct tcp_packet plain = read(&s), tcp;

	s.b.at[OFFSET_AT] |= 0x0f;
	bytes_put16(&s.b, CHECKSUM_AT + 2, 0xffff);
	resum(&s);
	tcp = read(&s);
	EXPECT_EQ(GW_OK, tcp.err);
	EXPECT(tcp_model_head_equal(&plain, &tcp));
	EXPECT_SPAN("hello", tcp.payload);
}

TEST(tcp_head, cut_at_any_byte_is_refused)
{
	struct segment s[] = {made(around4(), TCP_SYN, SPAN(LINUX_SYN), SPAN("")),
			      made(around6(), TCP_ACK, SPAN(LINUX_SACK), SPAN(""))};

	for (uint32_t i = 0; i < 2; i++)
		for (uint32_t n = 0; n < s[i].b.len; n++)
			EXPECT_EQ(GW_TCP, read_as(&s[i], n, PACKET_CHECKSUM_GOOD).err);
}

TEST(tcp_head, with_an_offset_below_5_or_past_the_end_is_refused)
{
	struct segment s = made(around4(), TCP_ACK, SPAN(LINUX_ACK), SPAN("abc"));

	for (uint8_t offset = 0; offset < 16; offset++) {
		bool right = offset >= 5 && offset <= 8;

		s.b.at[OFFSET_AT] = (uint8_t)(offset << 4);
		EXPECT_EQ(right ? GW_OK : GW_TCP, read_as(&s, s.b.len, PACKET_CHECKSUM_GOOD).err);
		if (right)
			EXPECT_EQ(s.b.len - 4u * offset,
				  read_as(&s, s.b.len, PACKET_CHECKSUM_GOOD).payload.len);
	}
}

TEST(tcp_head, with_port_0_is_refused)
{
	struct segment s[] = {made(around4(), TCP_SYN, SPAN(""), SPAN("")),
			      made(around6(), TCP_SYN, SPAN(""), SPAN(""))};

	bytes_put16(&s[0].b, 0, 0);
	bytes_put16(&s[1].b, 2, 0);
	for (uint32_t i = 0; i < 2; i++) {
		resum(&s[i]);
		EXPECT_EQ(GW_TCP, read(&s[i]).err);
	}
}

TEST(tcp_head, of_a_fragment_or_another_protocol_is_not_read)
{
	struct segment s = made(around4(), TCP_SYN, SPAN(""), SPAN(""));

	s.ip.fragment = true;
	EXPECT_EQ(GW_TCP, read(&s).err);
	s.ip.fragment = false;
	s.ip.protocol = IPPROTO_UDP;
	EXPECT_EQ(GW_TCP, read(&s).err);
}

TEST(tcp_head, with_any_bit_turned_over_is_refused)
{
	struct segment s[] = {made(around4(), TCP_SYN, SPAN(LINUX_SYN), SPAN("abc")),
			      made(around6(), TCP_ACK, SPAN(LINUX_SACK), SPAN("abcd"))};

	for (uint32_t i = 0; i < 2; i++)
		for (uint32_t bit = 0; bit < s[i].b.len * 8; bit++) {
			s[i].b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
			EXPECT(read(&s[i]).err != GW_OK);
			s[i].b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
}

TEST(tcp_head, sum_covers_the_addresses)
{
	struct segment s[] = {made(around4(), TCP_ACK, SPAN(""), SPAN("abc")),
			      made(around6(), TCP_ACK, SPAN(""), SPAN("abc"))};

	for (uint32_t i = 0; i < 2; i++) {
		s[i].ip.src.bytes[15] ^= 1;
		EXPECT_EQ(GW_TCP_CHECKSUM, read(&s[i]).err);
		s[i].ip.src.bytes[15] ^= 1;
		s[i].ip.dst.bytes[13] ^= 1;
		EXPECT_EQ(GW_TCP_CHECKSUM, read(&s[i]).err);
	}
}

/* the four answers to UNKNOWN, GOOD, BAD, NONE */
static void expect_matrix(const struct segment *s, enum gw_err unknown, enum gw_err good,
			  enum gw_err bad, enum gw_err none)
{
	EXPECT_EQ(unknown, read_as(s, s->b.len, PACKET_CHECKSUM_UNKNOWN).err);
	EXPECT_EQ(good, read_as(s, s->b.len, PACKET_CHECKSUM_GOOD).err);
	EXPECT_EQ(bad, read_as(s, s->b.len, PACKET_CHECKSUM_BAD).err);
	EXPECT_EQ(none, read_as(s, s->b.len, PACKET_CHECKSUM_NONE).err);
}

/* The field has no value that says "none was made": 0 is a sum like another. */
TEST(tcp_head, checksum_is_judged_as_the_device_says)
{
	struct segment s[] = {made(around4(), TCP_ACK, SPAN(""), SPAN("abc")),
			      made(around6(), TCP_ACK, SPAN(""), SPAN("abc"))};

	for (uint32_t i = 0; i < 2; i++) {
		expect_matrix(&s[i], GW_OK, GW_OK, GW_TCP_CHECKSUM, GW_OK);
		bytes_put16(&s[i].b, CHECKSUM_AT, 0);
		expect_matrix(&s[i], GW_TCP_CHECKSUM, GW_OK, GW_TCP_CHECKSUM, GW_OK);
	}
}

/* ---- options ---- */

TEST(tcp_options, of_a_linux_syn)
{
	struct tcp_options o = options_of(TCP_SYN, SPAN(LINUX_SYN));

	EXPECT_EQ(1460, o.mss);
	EXPECT(o.sack_permitted && o.has_timestamps && o.has_scale);
	EXPECT_EQ(0x11223344, o.ts_value);
	EXPECT_EQ(0, o.ts_echo);
	EXPECT_EQ(7, o.scale);
	EXPECT_EQ(0, o.sacks);
}

TEST(tcp_options, of_a_windows_syn)
{
	struct tcp_options o = options_of(TCP_SYN, SPAN(WINDOWS_SYN));

	EXPECT_EQ(1460, o.mss);
	EXPECT(o.sack_permitted && o.has_scale && !o.has_timestamps);
	EXPECT_EQ(8, o.scale);
}

TEST(tcp_options, of_a_mac_syn)
{
	struct tcp_options o = options_of(TCP_SYN | TCP_ECE | TCP_CWR, SPAN(MAC_SYN));

	EXPECT_EQ(1460, o.mss);
	EXPECT(o.sack_permitted && o.has_scale && o.has_timestamps);
	EXPECT_EQ(6, o.scale);
	EXPECT_EQ(0x11223344, o.ts_value);
}

TEST(tcp_options, of_an_ack_with_sack)
{
	struct tcp_options o = options_of(TCP_ACK, SPAN(LINUX_SACK));

	EXPECT(o.has_timestamps);
	EXPECT_EQ(0x55667788, o.ts_echo);
	EXPECT_EQ(3, o.sacks);
	for (uint32_t i = 0; i < 3; i++) {
		EXPECT_EQ(2 * i + 1, o.sack[i].start);
		EXPECT_EQ(2 * i + 2, o.sack[i].end);
	}
}

TEST(tcp_options, with_four_sack_blocks_are_whole_without_timestamps)
{
	struct tcp_options o =
		options_of(TCP_ACK, SPAN("\x01\x01\x05\x22\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04"
					 "\0\0\0\x05\0\0\0\x06\0\0\0\x07\xff\xff\xff\xff"));

	EXPECT_EQ(4, o.sacks);
	EXPECT_EQ(7, o.sack[3].start);
	EXPECT_EQ(0xffffffff, o.sack[3].end);
}

TEST(tcp_options, of_a_syn_count_nowhere_else_and_sack_not_there)
{
	struct tcp_options ack = options_of(TCP_ACK, SPAN(LINUX_SYN));
	struct tcp_options syn = options_of(TCP_SYN | TCP_ACK, SPAN(LINUX_SACK));

	EXPECT(ack.mss == 0 && !ack.has_scale && !ack.sack_permitted && ack.has_timestamps);
	EXPECT(syn.sacks == 0 && syn.has_timestamps);
}

TEST(tcp_options, that_come_twice_count_as_they_came_first)
{
	struct tcp_options o = options_of(TCP_SYN, SPAN("\x02\x04\x02\x18\x02\x04\x05\xb4"
							"\x03\x03\x02\x03\x03\x0e\x01\x01"));
	struct tcp_options wrong = options_of(TCP_SYN, SPAN("\x02\x03\x02\x02\x04\x05\xb4\x01"));
	struct tcp_options zero = options_of(TCP_SYN, SPAN("\x02\x04\0\0\x02\x04\x05\xb4"));

	EXPECT_EQ(536, o.mss);
	EXPECT_EQ(2, o.scale);
	EXPECT_EQ(1460, wrong.mss); /* of the wrong length: it has not come */
	EXPECT_EQ(0, zero.mss);
}

TEST(tcp_options, behind_one_that_cannot_be_are_not_looked_for)
{
	static const struct span impossible[] = {
		SPAN("\xfd\x00\x02\x04\x05\xb4\x01\x01"), /* length 0 */
		SPAN("\xfd\x01\x02\x04\x05\xb4\x01\x01"), /* length 1 */
		SPAN("\xfd\xff\x02\x04\x05\xb4\x01\x01"), /* longer than what is left */
		SPAN("\x00\x01\x02\x04\x05\xb4\x01\x01"), /* the end of the list */
		SPAN("\x01\x01\x01\x01\x01\x01\x01\x02"), /* its length is missing */
	};

	for (uint32_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++)
		EXPECT_EQ(0, options_of(TCP_SYN, impossible[i]).mss);
	EXPECT_EQ(1460, options_of(TCP_SYN, SPAN("\xfd\x02\x02\x04\x05\xb4\x01\x01")).mss);
}

/* ---- every one and two options, cut everywhere, against the model ---- */

static const struct span kinds[] = {
	SPAN("\x02\x05\xb4"),
	SPAN("\x03\x0e"),
	SPAN("\x04"),
	SPAN("\x05\0\0\0\x01\0\0\0\x02"),
	SPAN("\x05\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04"),
	SPAN("\x05\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05\0\0\0\x06"),
	SPAN("\x05\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05\0\0\0\x06\0\0\0\x07\0\0\0"
	     "\x08"),
	SPAN("\x08\x11\x22\x33\x44\x55\x66\x77\x88"),
	SPAN("\x13\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"), /* MD5 */
	SPAN("\x1d\x01\x02"),							      /* AO */
	SPAN("\x22"), /* fast open */
	SPAN("\x28"), /* more than there are bits for in any word */
	SPAN("\xfd\xf9\x89"),
	SPAN("\x01"), /* no operation, with a length that is none */
	SPAN("\x00"),
};
/* what is said of the length, beside the true one */
static const int lies[] = {0, 1, -1, 2, -2, 8, 253, -100};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define LIES (sizeof(lies) / sizeof(lies[0]))

/* Option i of all: kind, a length that may lie, what belongs to the kind. */
static void add_option(struct bytes *area, uint32_t i)
{
	struct span kind = kinds[i / LIES];
	int lie = lies[i % LIES], length = (int)kind.len + 1 + lie;
	uint8_t said = lie == -100 ? 0 : (uint8_t)length;

	bytes_add(area, kind.at, 1);
	bytes_add(area, &said, 1);
	bytes_add(area, kind.at + 1, kind.len - 1);
}

/* The header ends where the area does, so that one byte too far is outside of the block. */
static void check_area(struct span area, uint8_t flags)
{
	struct segment s = around4();
	struct bytes padded = {.len = 0};
	struct tcp_options expected;
	struct tcp_packet tcp;

	while ((padded.len + area.len) % 4 != 0)
		bytes_add(&padded, "\x01", 1);
	bytes_add(&padded, area.at, area.len);
	bytes_add(&s.b, "\x01\xbb\xc0\x00\0\0\0\0\0\0\0\0\x50\0\0\0\0\0\0\0", TCP_LEN);
	bytes_add(&s.b, padded.at, padded.len);
	s.b.at[OFFSET_AT] = (uint8_t)((TCP_LEN + padded.len) / 4 << 4);
	s.b.at[FLAGS_AT] = flags;
	expected = tcp_model_options(bytes_span(&padded), (flags & TCP_SYN) != 0);
	tcp = read_as(&s, s.b.len, PACKET_CHECKSUM_GOOD);
	EXPECT_EQ(GW_OK, tcp.err);
	EXPECT(tcp_model_equal(&expected, &tcp.options));
}

static void check_cuts(const struct bytes *area)
{
	uint32_t most = area->len < AREA_MAX ? area->len : AREA_MAX;

	for (uint32_t n = 0; n <= most; n++) {
		check_area(span_of(area->at, n), TCP_SYN);
		check_area(span_of(area->at, n), TCP_ACK);
	}
}

TEST(tcp_options, one_alone_cut_at_any_byte_is_read_as_the_model_reads_it)
{
	for (uint32_t i = 0; i < KINDS * LIES; i++) {
		struct bytes area = {.len = 0};

		add_option(&area, i);
		check_cuts(&area);
	}
}

TEST(tcp_options, any_two_cut_at_any_byte_are_read_as_the_model_reads_them)
{
	for (uint32_t i = 0; i < KINDS * LIES; i++)
		for (uint32_t k = 0; k < KINDS * LIES; k++) {
			struct bytes area = {.len = 0};

			add_option(&area, i);
			add_option(&area, k);
			check_cuts(&area);
		}
}

/* ---- writing ---- */

static struct tcp_packet segment(void)
{
	return (struct tcp_packet){.src_port = 443,
				   .dst_port = 49152,
				   .seq = 0x01020304,
				   .ack = 0x05060708,
				   .flags = TCP_ACK,
				   .window = 0x1234};
}

/* What tcp_write() writes of it, and the payload behind that. */
static struct segment written(struct segment s, const struct tcp_packet *tcp, enum l4_checksum how)
{
	struct writer w;

	writer_init(&w, s.b.at, sizeof(s.b.at));
	tcp_write(&w, &s.ip.src, &s.ip.dst, tcp, how);
	EXPECT(writer_ok(&w));
	EXPECT_EQ(tcp_head_len(tcp), writer_len(&w));
	writer_put(&w, tcp->payload);
	EXPECT(writer_ok(&w));
	s.b.len = writer_len(&w);
	return s;
}

static void expect_options(const struct tcp_options *options, struct span expected)
{
	struct tcp_packet tcp = segment();
	struct segment s;

	tcp.options = *options;
	s = written(around4(), &tcp, L4_CHECKSUM_WHOLE);
	EXPECT(span_equal(expected, span_from(bytes_span(&s.b), TCP_LEN)));
}

TEST(tcp_write, writes_what_is_made_by_hand)
{
	struct tcp_packet tcp = segment();
	struct segment by_hand[] = {made(around4(), TCP_ACK, SPAN(""), SPAN("hello")),
				    made(around6(), TCP_ACK, SPAN(""), SPAN("hello"))};
	struct segment s[] = {around4(), around6()};

	tcp.payload = SPAN("hello");
	for (uint32_t i = 0; i < 2; i++) {
		s[i] = written(s[i], &tcp, L4_CHECKSUM_WHOLE);
		EXPECT(span_equal(bytes_span(&by_hand[i].b), bytes_span(&s[i].b)));
	}
}

TEST(tcp_write, writes_options_as_linux_does)
{
	struct tcp_options syn = {.mss = 1460,
				  .has_scale = true,
				  .scale = 7,
				  .sack_permitted = true,
				  .has_timestamps = true,
				  .ts_value = 0x11223344};
	struct tcp_options ack = {.has_timestamps = true,
				  .ts_value = 0x11223344,
				  .ts_echo = 0x55667788,
				  .sack = {{1, 2}, {3, 4}, {5, 6}}};

	expect_options(&syn, SPAN(LINUX_SYN));
	expect_options(&ack, SPAN(LINUX_ACK));
	ack.sacks = 3;
	expect_options(&ack, SPAN(LINUX_SACK));
	syn.has_timestamps = false;
	syn.scale = 8;
	expect_options(&syn, SPAN("\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x03\x03\x08"));
	syn.sack_permitted = false;
	expect_options(&syn, SPAN("\x02\x04\x05\xb4\x01\x03\x03\x08"));
}

TEST(tcp_write, leaves_out_sack_blocks_that_do_not_fit_from_the_last)
{
	struct tcp_options o = {.sacks = 4, .sack = {{1, 2}, {3, 4}, {5, 6}, {7, 8}}};
	static const uint8_t fits[] = {4, 3, 2};

	for (uint32_t i = 0; i < 3; i++) {
		struct tcp_packet tcp = segment(), again;
		struct segment s;

		o.has_timestamps = i > 0;
		o.mss = i > 1 ? 1460 : 0;
		tcp.options = o;
		EXPECT(tcp_head_len(&tcp) <= TCP_LEN_MAX);
		s = written(around6(), &tcp, L4_CHECKSUM_WHOLE);
		again = read(&s);
		EXPECT_EQ(fits[i], again.options.sacks);
		EXPECT_EQ(2 * fits[i], again.options.sack[fits[i] - 1].end);
	}
}

/* All that a segment can have: what is there in every bit of n, and n / 64 SACK blocks. */
static struct tcp_packet nth(uint32_t n)
{
	struct tcp_packet tcp = segment();

	tcp.flags = (n & 1) != 0 ? TCP_SYN : TCP_ACK | TCP_PSH;
	tcp.payload = (n & 2) != 0 ? SPAN("abc") : SPAN("");
	tcp.options = (struct tcp_options){.mss = (n & 4) != 0 ? 1360 : 0,
					   .has_scale = (n & 8) != 0,
					   .scale = (n & 8) != 0 ? 14 : 0,
					   .sack_permitted = (n & 16) != 0,
					   .has_timestamps = (n & 32) != 0,
					   .ts_value = (n & 32) != 0 ? 0xfffffffe : 0,
					   .sacks = (uint8_t)(n / 64),
					   .sack = {{9, 8}, {7, 6}, {5, 4}, {3, 2}}};
	return tcp;
}

/* What the reader does not take in this kind of segment, or the writer has no room for. */
static struct tcp_options as_read(const struct tcp_packet *tcp)
{
	uint8_t fit = tcp->options.has_timestamps ? 3 : 4;
	struct tcp_options o = tcp->options;

	if ((tcp->flags & TCP_SYN) != 0) {
		o.sacks = 0;
		return o;
	}
	o.mss = 0;
	o.has_scale = o.sack_permitted = false;
	o.scale = 0;
	o.sacks = o.sacks < fit ? o.sacks : fit;
	return o;
}

TEST(tcp_write, round_trips_every_mixture_of_options)
{
	for (uint32_t n = 0; n < 64 * 5; n++) {
		struct tcp_packet tcp = nth(n), again;
		struct segment s[] = {around4(), around6()};

		if ((tcp.flags & TCP_SYN) == 0 && n / 64 > 0 && (n & 28) != 0)
			continue; /* options of a SYN and SACK blocks: nobody sends that */
		for (uint32_t i = 0; i < 2; i++) {
			s[i] = written(s[i], &tcp, L4_CHECKSUM_WHOLE);
			again = read(&s[i]);
			EXPECT_EQ(GW_OK, again.err);
			EXPECT(span_equal(tcp.payload, again.payload));
		}
		tcp.options = as_read(&tcp);
		EXPECT(tcp_model_head_equal(&tcp, &again));
	}
}

TEST(tcp_write, leaves_the_pseudo_sum_for_a_device_to_complete)
{
	struct segment s[] = {around4(), around6()};
	struct tcp_packet tcp = segment();

	tcp.payload = SPAN("hello");
	tcp.options.has_timestamps = true;
	for (uint32_t i = 0; i < 2; i++) {
		struct segment whole = written(s[i], &tcp, L4_CHECKSUM_WHOLE);
		uint64_t pseudo =
			checksum_pseudo(&s[i].ip.src, &s[i].ip.dst, IPPROTO_TCP, whole.b.len);

		s[i] = written(s[i], &tcp, L4_CHECKSUM_PSEUDO);
		EXPECT_EQ((uint16_t)~checksum_fold(pseudo),
			  s[i].b.at[CHECKSUM_AT] << 8 | s[i].b.at[CHECKSUM_AT + 1]);
		/* what it does: sums all that is there, and puts the inverse in */
		bytes_put16(&s[i].b, CHECKSUM_AT,
			    checksum_fold(checksum_add(0, bytes_span(&s[i].b))));
		EXPECT(span_equal(bytes_span(&whole.b), bytes_span(&s[i].b)));
	}
}

TEST(tcp_write, without_room_makes_the_writer_full)
{
	struct ip_address src = address("198.18.0.1"), dst = address("198.18.0.2");
	uint8_t head[TCP_LEN + 12];
	struct tcp_packet tcp = segment();
	struct writer w;

	tcp.options.has_timestamps = true;
	for (uint32_t n = 0; n <= sizeof(head); n++) {
		writer_init(&w, head, n);
		tcp_write(&w, &src, &dst, &tcp, L4_CHECKSUM_WHOLE);
		EXPECT(writer_ok(&w) == (n == sizeof(head)));
	}
}

TEST_MAIN("net_tcp_head", RUN(tcp_head, is_read_field_by_field),
	  RUN(tcp_head, ignores_the_reserved_bits_and_the_urgent_pointer),
	  RUN(tcp_head, cut_at_any_byte_is_refused),
	  RUN(tcp_head, with_an_offset_below_5_or_past_the_end_is_refused),
	  RUN(tcp_head, with_port_0_is_refused),
	  RUN(tcp_head, of_a_fragment_or_another_protocol_is_not_read),
	  RUN(tcp_head, with_any_bit_turned_over_is_refused),
	  RUN(tcp_head, sum_covers_the_addresses),
	  RUN(tcp_head, checksum_is_judged_as_the_device_says), RUN(tcp_options, of_a_linux_syn),
	  RUN(tcp_options, of_a_windows_syn), RUN(tcp_options, of_a_mac_syn),
	  RUN(tcp_options, of_an_ack_with_sack),
	  RUN(tcp_options, with_four_sack_blocks_are_whole_without_timestamps),
	  RUN(tcp_options, of_a_syn_count_nowhere_else_and_sack_not_there),
	  RUN(tcp_options, that_come_twice_count_as_they_came_first),
	  RUN(tcp_options, behind_one_that_cannot_be_are_not_looked_for),
	  RUN(tcp_options, one_alone_cut_at_any_byte_is_read_as_the_model_reads_it),
	  RUN(tcp_options, any_two_cut_at_any_byte_are_read_as_the_model_reads_them),
	  RUN(tcp_write, writes_what_is_made_by_hand), RUN(tcp_write, writes_options_as_linux_does),
	  RUN(tcp_write, leaves_out_sack_blocks_that_do_not_fit_from_the_last),
	  RUN(tcp_write, round_trips_every_mixture_of_options),
	  RUN(tcp_write, leaves_the_pseudo_sum_for_a_device_to_complete),
	  RUN(tcp_write, without_room_makes_the_writer_full))
