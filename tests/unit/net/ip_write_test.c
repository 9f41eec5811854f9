/* SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"

static struct ip_head head4(void)
{
	return (struct ip_head){.src = address("198.18.0.1"),
				.dst = address("198.18.0.2"),
				.protocol = IPPROTO_UDP,
				.hop_limit = 64,
				.payload_len = 28,
				.dont_fragment = true};
}

static struct ip_head head6(void)
{
	struct ip_head head = head4();

	head.src = address("fd00:18::1");
	head.dst = address("fd00:18::2");
	return head;
}

static struct bytes write(const struct ip_head *head, bool checksum)
{
	struct bytes b;
	struct writer w;

	writer_init(&w, b.at, sizeof(b.at));
	ip_write(&w, head, checksum);
	EXPECT(writer_ok(&w));
	b.len = writer_len(&w);
	EXPECT_EQ(ip_head_len(head), b.len);
	return b;
}

static bool fits(struct ip_head head, uint32_t payload_len)
{
	uint8_t room[64];
	struct writer w;

	head.payload_len = payload_len;
	writer_init(&w, room, sizeof(room));
	ip_write(&w, &head, true);
	return writer_ok(&w);
}

TEST(ip_write, makes_an_ipv4_header_as_in_rfc_791)
{
	struct ip_head head = head4();
	struct bytes b = write(&head, true);

	EXPECT_SPAN(
		"\x45\x00\x00\x30\x00\x00\x40\x00\x40\x11\xae\x95\xc6\x12\x00\x01\xc6\x12\x00\x02",
		bytes_span(&b));
	EXPECT_EQ(0, checksum_fold(checksum_add(0, bytes_span(&b))));
}

TEST(ip_write, leaves_the_ipv4_checksum_to_the_device)
{
	struct ip_head head = head4();
	struct bytes with = write(&head, true), without = write(&head, false);

	EXPECT_BYTES("\0\0", without.at + 10, 2);
	ip4_resum(&without);
	EXPECT_BYTES(with.at, without.at, IP4_LEN);
}

TEST(ip_write, makes_an_ipv6_header_as_in_rfc_8200)
{
	struct ip_head head = head6();
	struct bytes b = write(&head, true);

	EXPECT_SPAN("\x60\x00\x00\x00\x00\x1c\x11\x40"
		    "\xfd\x00\x00\x18\0\0\0\0\0\0\0\0\0\0\0\x01"
		    "\xfd\x00\x00\x18\0\0\0\0\0\0\0\0\0\0\0\x02",
		    bytes_span(&b));
}

TEST(ip_write, makes_ipv4_fragments)
{
	struct ip_head head = head4();
	struct bytes b;

	head.dont_fragment = false;
	head.fragment = true;
	head.more = true;
	head.offset = 1448;
	head.id = 0x1234;
	b = write(&head, true);
	EXPECT_BYTES("\x12\x34\x20\xb5", b.at + 4, 4);
	head.more = false;
	head.offset = 65528;
	b = write(&head, true);
	EXPECT_BYTES("\x12\x34\x1f\xff", b.at + 4, 4);
}

TEST(ip_write, makes_ipv6_fragments)
{
	struct ip_head head = head6();
	struct bytes b;

	head.fragment = true;
	head.more = true;
	head.offset = 1448;
	head.id = 0x12345678;
	b = write(&head, true);
	EXPECT_EQ(IP6_LEN + IP6_FRAGMENT_LEN, b.len);
	EXPECT_BYTES("\x00\x24\x2c\x40", b.at + 4, 4); /* 28 and the fragment header */
	EXPECT_BYTES("\x11\x00\x05\xa9\x12\x34\x56\x78", b.at + IP6_LEN, 8);
	head.more = false;
	head.offset = 65528;
	b = write(&head, true);
	EXPECT_BYTES("\x11\x00\xff\xf8\x12\x34\x56\x78", b.at + IP6_LEN, 8);
}

TEST(ip_write, looks_at_fragment_fields_only_in_fragments)
{
	struct ip_head head = head4();
	struct bytes b;

	head.more = true;
	head.offset = 8;
	b = write(&head, true);
	EXPECT_BYTES("\x40\x00", b.at + 6, 2);
	EXPECT_EQ(IP4_LEN, ip_head_len(&head));
}

TEST(ip_write, makes_no_packet_longer_than_its_length_field)
{
	struct ip_head fragment = head6();

	fragment.fragment = true;
	EXPECT(fits(head4(), 65535 - IP4_LEN));
	EXPECT(!fits(head4(), 65535 - IP4_LEN + 1));
	EXPECT(!fits(head4(), UINT32_MAX));
	EXPECT(fits(head6(), 65535));
	EXPECT(!fits(head6(), 65536));
	EXPECT(!fits(head6(), UINT32_MAX));
	EXPECT(fits(fragment, 65535 - IP6_FRAGMENT_LEN));
	EXPECT(!fits(fragment, 65535 - IP6_FRAGMENT_LEN + 1));
}

TEST(ip_write, without_room_makes_the_writer_full)
{
	struct ip_head heads[] = {head4(), head6(), head6()};
	uint8_t room[64];
	struct writer w;

	heads[2].fragment = true;
	for (uint32_t i = 0; i < 3; i++) {
		for (uint32_t n = 0; n <= ip_head_len(&heads[i]); n++) {
			writer_init(&w, room, n);
			ip_write(&w, &heads[i], true);
			EXPECT(writer_ok(&w) == (n == ip_head_len(&heads[i])));
		}
	}
}

TEST_MAIN("net_ip_write", RUN(ip_write, makes_an_ipv4_header_as_in_rfc_791),
	  RUN(ip_write, leaves_the_ipv4_checksum_to_the_device),
	  RUN(ip_write, makes_an_ipv6_header_as_in_rfc_8200), RUN(ip_write, makes_ipv4_fragments),
	  RUN(ip_write, makes_ipv6_fragments),
	  RUN(ip_write, looks_at_fragment_fields_only_in_fragments),
	  RUN(ip_write, makes_no_packet_longer_than_its_length_field),
	  RUN(ip_write, without_room_makes_the_writer_full))
