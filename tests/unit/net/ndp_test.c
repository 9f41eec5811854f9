/* SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"

#define FLAGS_AT 4u
#define TARGET_AT 8u
#define OPTIONS_AT 24u
#define SOURCE_MAC "\x01\x01\x02\x00\x00\x00\x00\x0a"
#define TARGET_MAC "\x02\x01\x02\x00\x00\x00\x00\x0b"
#define NONCE "\x0e\x01random" /* an option that we do not know */

/* A message as it stands behind an IPv6 header, and what of that header counts. */
struct message {
	struct bytes b;
	struct ip_packet ip;
};

static struct message message(const char *src, const char *dst, uint8_t type, uint8_t flags)
{
	struct message m = {.ip = {.v6 = true, .hop_limit = 255, .protocol = IPPROTO_ICMPV6}};
	struct ip_address target = address("fd00:18::2");

	m.ip.src = address(src);
	m.ip.dst = address(dst);
	bytes_add(&m.b, (const uint8_t[]){type, 0, 0, 0, flags, 0, 0, 0}, 8);
	bytes_add(&m.b, target.bytes, 16);
	return m;
}

static struct message solicit(void)
{
	return message("fd00:18::1", "ff02::1:ff00:2", 135, 0);
}

/* from who has no address yet */
static struct message probe(const char *dst)
{
	return message("::", dst, 135, 0);
}

static struct message advert(uint8_t flags)
{
	return message("fd00:18::2", "fd00:18::1", 136, flags);
}

#define OPTION(m, option) bytes_add(&(m)->b, option, sizeof(option) - 1)

static struct ndp_message read_part(const struct message *m, uint32_t len)
{
	struct ndp_message ndp = {.err = GW_NDP};
	struct ip_packet ip = m->ip;
	struct icmp_message icmp;

	ip.payload = exact(span_of(m->b.at, len));
	icmp = icmp_read(&ip, PACKET_CHECKSUM_GOOD);
	if (icmp.err == GW_OK)
		ndp = ndp_read(&ip, &icmp);
	exact_free(ip.payload);
	return ndp;
}

static struct ndp_message read(const struct message *m)
{
	return read_part(m, m->b.len);
}

static enum gw_err with(struct message m, const char *option, uint32_t n)
{
	bytes_add(&m.b, option, n);
	return read(&m).err;
}

#define WITH(m, option) with(m, option, sizeof(option) - 1)

static enum gw_err about(struct message m, const char *target)
{
	struct ip_address a = address(target);

	memcpy(m.b.at + TARGET_AT, a.bytes, 16);
	return read(&m).err;
}

TEST(ndp, reads_a_solicitation)
{
	struct message m = solicit();
	struct ip_address target = address("fd00:18::2");
	struct ndp_message ndp;

	m.b.at[FLAGS_AT] = 0xff; /* reserved here */
	OPTION(&m, SOURCE_MAC);
	ndp = read(&m);
	EXPECT_EQ(GW_OK, ndp.err);
	EXPECT(!ndp.advert && !ndp.solicited && !ndp.override && !ndp.router);
	EXPECT(ip_address_equal(&target, &ndp.target));
	EXPECT(ndp.has_mac);
	EXPECT_BYTES("\x02\0\0\0\0\x0a", ndp.mac, 6);
}

TEST(ndp, reads_an_advertisement)
{
	struct message m = advert(0x60);
	struct ndp_message ndp;

	OPTION(&m, TARGET_MAC);
	ndp = read(&m);
	EXPECT_EQ(GW_OK, ndp.err);
	EXPECT(ndp.advert && ndp.solicited && ndp.override && !ndp.router);
	EXPECT(ndp.has_mac);
	EXPECT_BYTES("\x02\0\0\0\0\x0b", ndp.mac, 6);
	m.b.at[FLAGS_AT] = 0x9f;
	ndp = read(&m);
	EXPECT(ndp.router && !ndp.solicited && !ndp.override);
}

TEST(ndp, without_options_has_no_mac)
{
	struct message s = solicit(), a = advert(0x40);

	EXPECT_EQ(GW_OK, read(&s).err);
	EXPECT(!read(&s).has_mac);
	EXPECT_EQ(GW_OK, read(&a).err);
	EXPECT(!read(&a).has_mac);
}

TEST(ndp, cut_at_any_byte_is_refused_but_between_options)
{
	struct message m[] = {solicit(), advert(0x40)};

	OPTION(&m[0], NONCE);
	OPTION(&m[0], SOURCE_MAC);
	OPTION(&m[1], TARGET_MAC);
	OPTION(&m[1], NONCE);
	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t n = 0; n <= m[i].b.len; n++) {
			bool whole = n >= OPTIONS_AT && n % 8 == 0;

			EXPECT_EQ(whole ? GW_OK : GW_NDP, read_part(&m[i], n).err);
		}
	}
}

TEST(ndp, from_behind_a_router_is_refused)
{
	struct message m[] = {solicit(), advert(0x40)};

	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t hop_limit = 0; hop_limit < 256; hop_limit++) {
			m[i].ip.hop_limit = (uint8_t)hop_limit;
			EXPECT_EQ(hop_limit == 255 ? GW_OK : GW_NDP, read(&m[i]).err);
		}
	}
}

TEST(ndp, with_a_code_is_refused)
{
	struct message m = solicit();

	m.b.at[1] = 1;
	EXPECT_EQ(GW_NDP, read(&m).err);
}

TEST(ndp, in_a_fragment_is_refused)
{
	struct message m = solicit();
	struct icmp_message icmp;

	m.ip.payload = bytes_span(&m.b);
	icmp = icmp_read(&m.ip, PACKET_CHECKSUM_GOOD);
	EXPECT_EQ(GW_OK, ndp_read(&m.ip, &icmp).err);
	m.ip.fragment = true;
	EXPECT_EQ(GW_NDP, ndp_read(&m.ip, &icmp).err);
}

TEST(ndp, about_what_is_no_neighbour_is_refused)
{
	EXPECT_EQ(GW_NDP, about(solicit(), "ff02::1"));
	EXPECT_EQ(GW_NDP, about(advert(0x40), "ff02::1:ff00:2"));
	EXPECT_EQ(GW_NDP, about(solicit(), "::ffff:198.18.0.1"));
	EXPECT_EQ(GW_NDP, about(advert(0x40), "::ffff:198.18.0.1"));
	EXPECT_EQ(GW_OK, about(advert(0x40), "fe80::1"));
}

TEST(ndp, option_of_length_zero_ends_it)
{
	EXPECT_EQ(GW_NDP, WITH(solicit(), "\x0e\x00randomrandom--" SOURCE_MAC));
	EXPECT_EQ(GW_NDP, WITH(solicit(), "\x01\x00\x02\x00\x00\x00\x00\x0a"));
	EXPECT_EQ(GW_NDP, WITH(advert(0x40), TARGET_MAC "\x0e\x00random"));
}

TEST(ndp, option_longer_than_the_message_is_refused)
{
	EXPECT_EQ(GW_NDP, WITH(solicit(), "\x0e\x02random"));
	EXPECT_EQ(GW_NDP, WITH(solicit(), "\x0e\xffrandom"));
	EXPECT_EQ(GW_NDP, WITH(solicit(), SOURCE_MAC "\x0e"));
}

TEST(ndp, options_that_are_not_known_are_skipped)
{
	struct message m = solicit();

	OPTION(&m, NONCE);
	OPTION(&m, TARGET_MAC); /* of no meaning in a solicitation */
	OPTION(&m, "\x19\x03"
		   "twenty-two bytes here.");
	OPTION(&m, SOURCE_MAC);
	EXPECT_EQ(GW_OK, read(&m).err);
	EXPECT_BYTES("\x02\0\0\0\0\x0a", read(&m).mac, 6);
}

TEST(ndp, link_layer_address_is_an_ethernet_unicast_address)
{
	EXPECT_EQ(GW_OK, WITH(solicit(), SOURCE_MAC));
	EXPECT_EQ(GW_NDP, WITH(solicit(), "\x01\x01\x03\x00\x00\x00\x00\x0a"));
	EXPECT_EQ(GW_NDP, WITH(advert(0x40), "\x02\x01\xff\xff\xff\xff\xff\xff"));
	EXPECT_EQ(GW_NDP, WITH(advert(0x40), "\x02\x02"
					     "fourteen bytes"));
}

TEST(ndp, first_of_two_link_layer_addresses_counts)
{
	struct message m = advert(0x40);

	OPTION(&m, TARGET_MAC);
	OPTION(&m, "\x02\x01\x02\x00\x00\x00\x00\x66");
	EXPECT_EQ(GW_OK, read(&m).err);
	EXPECT_BYTES("\x02\0\0\0\0\x0b", read(&m).mac, 6);
}

TEST(ndp, who_has_no_address_asks_the_group_and_does_not_say_its_mac)
{
	struct message m = probe("ff02::1:ff00:2");

	EXPECT_EQ(GW_OK, read(&m).err);
	EXPECT_EQ(GW_OK, WITH(probe("ff02::1:ff00:2"), NONCE));
	EXPECT_EQ(GW_NDP, WITH(probe("ff02::1:ff00:2"), SOURCE_MAC));
	m = probe("fd00:18::2");
	EXPECT_EQ(GW_NDP, read(&m).err);
	m = probe("ff02::1");
	EXPECT_EQ(GW_NDP, read(&m).err);
	m = probe("ff05::1:ff00:2");
	EXPECT_EQ(GW_NDP, read(&m).err);
}

TEST(ndp, nobody_asked_from_a_group)
{
	struct message m = message("fd00:18::2", "ff02::1", 136, 0x40);

	EXPECT_EQ(GW_NDP, read(&m).err);
	m.b.at[FLAGS_AT] = 0x20;
	EXPECT_EQ(GW_OK, read(&m).err);
}

TEST(ndp, advertisement_has_a_sender)
{
	struct message m = message("::", "ff02::1", 136, 0x20);

	EXPECT_EQ(GW_NDP, read(&m).err);
}

TEST(ndp, writes_what_it_reads_with_a_right_sum)
{
	struct message m[] = {solicit(), advert(0x60), advert(0x80)};

	OPTION(&m[0], SOURCE_MAC);
	OPTION(&m[1], TARGET_MAC);
	for (uint32_t i = 0; i < 3; i++) {
		struct ndp_message ndp = read(&m[i]);
		uint8_t room[64];
		struct writer w;
		uint64_t sum;

		writer_init(&w, room, sizeof(room));
		ndp_write(&w, &m[i].ip.src, &m[i].ip.dst, &ndp);
		sum = checksum_pseudo(&m[i].ip.src, &m[i].ip.dst, IPPROTO_ICMPV6, writer_len(&w));
		EXPECT_EQ(0, checksum_fold(checksum_add(sum, writer_span(&w))));
		memset(room + 2, 0, 2);
		EXPECT(span_equal(bytes_span(&m[i].b), writer_span(&w)));
	}
}

TEST(ndp, writes_no_flags_into_a_solicitation)
{
	struct ip_address a = address("fd00:18::1");
	struct ndp_message ndp = {.solicited = true, .override = true, .router = true, .target = a};
	uint8_t room[64];
	struct writer w;

	writer_init(&w, room, sizeof(room));
	ndp_write(&w, &a, &a, &ndp);
	EXPECT_EQ(0, room[FLAGS_AT]);
}

TEST(ndp, without_room_makes_the_writer_full)
{
	struct ip_address a = address("fd00:18::1");
	struct ndp_message ndp = {.has_mac = true, .target = a};
	uint8_t room[32];
	struct writer w;

	for (uint32_t n = 0; n <= sizeof(room); n++) {
		writer_init(&w, room, n);
		ndp_write(&w, &a, &a, &ndp);
		EXPECT(writer_ok(&w) == (n == sizeof(room)));
	}
}

TEST_MAIN("net_ndp", RUN(ndp, reads_a_solicitation), RUN(ndp, reads_an_advertisement),
	  RUN(ndp, without_options_has_no_mac),
	  RUN(ndp, cut_at_any_byte_is_refused_but_between_options),
	  RUN(ndp, from_behind_a_router_is_refused), RUN(ndp, with_a_code_is_refused),
	  RUN(ndp, in_a_fragment_is_refused), RUN(ndp, about_what_is_no_neighbour_is_refused),
	  RUN(ndp, option_of_length_zero_ends_it),
	  RUN(ndp, option_longer_than_the_message_is_refused),
	  RUN(ndp, options_that_are_not_known_are_skipped),
	  RUN(ndp, link_layer_address_is_an_ethernet_unicast_address),
	  RUN(ndp, first_of_two_link_layer_addresses_counts),
	  RUN(ndp, who_has_no_address_asks_the_group_and_does_not_say_its_mac),
	  RUN(ndp, nobody_asked_from_a_group), RUN(ndp, advertisement_has_a_sender),
	  RUN(ndp, writes_what_it_reads_with_a_right_sum),
	  RUN(ndp, writes_no_flags_into_a_solicitation),
	  RUN(ndp, without_room_makes_the_writer_full))
