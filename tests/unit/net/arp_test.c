/* SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"

#define ARP_LEN 28u
#define REQUEST \
	"\x00\x01\x08\x00\x06\x04\x00\x01" \
	"\x02\x00\x00\x00\x00\x0a\xc6\x12\x00\x01" \
	"\x00\x00\x00\x00\x00\x00\xc6\x12\x00\x02"

static struct bytes request(void)
{
	struct bytes b = {.len = 0};

	bytes_add(&b, REQUEST, ARP_LEN);
	return b;
}

static struct arp_packet read(struct span bytes)
{
	struct span block = exact(bytes);
	struct arp_packet packet = arp_read(block);

	exact_free(block);
	return packet;
}

static enum gw_err changed(uint32_t at, uint8_t value)
{
	struct bytes b = request();

	b.at[at] = value;
	return read(bytes_span(&b)).err;
}

TEST(arp, reads_a_request)
{
	struct ip_address sender = address("198.18.0.1"), target = address("198.18.0.2");
	struct arp_packet arp = read(SPAN(REQUEST));

	EXPECT_EQ(GW_OK, arp.err);
	EXPECT(!arp.reply);
	EXPECT_BYTES("\x02\x00\x00\x00\x00\x0a", arp.sender_mac, 6);
	EXPECT_BYTES("\x00\x00\x00\x00\x00\x00", arp.target_mac, 6);
	EXPECT(ip_address_equal(&sender, &arp.sender));
	EXPECT(ip_address_equal(&target, &arp.target));
}

TEST(arp, reads_a_reply_and_the_padding_behind_it)
{
	struct bytes b = request();
	struct arp_packet arp;

	b.at[7] = 2;
	memcpy(b.at + 18, "\x02\x00\x00\x00\x00\x0b", 6);
	bytes_add(&b, "eighteen bytes pad", 18);
	arp = read(bytes_span(&b));
	EXPECT_EQ(GW_OK, arp.err);
	EXPECT(arp.reply);
	EXPECT_BYTES("\x02\x00\x00\x00\x00\x0b", arp.target_mac, 6);
}

TEST(arp, reads_a_probe)
{
	struct bytes b = request();
	struct arp_packet arp;

	memset(b.at + 14, 0, 4);
	arp = read(bytes_span(&b));
	EXPECT_EQ(GW_OK, arp.err);
	EXPECT(ip_address_is_unspecified(&arp.sender));
}

TEST(arp, cut_at_any_byte_is_refused)
{
	for (uint32_t n = 0; n < ARP_LEN; n++)
		EXPECT_EQ(GW_ARP, read(span_cut(SPAN(REQUEST), 0, n)).err);
}

TEST(arp, of_another_kind_of_network_is_refused)
{
	EXPECT_EQ(GW_ARP, changed(0, 1));
	EXPECT_EQ(GW_ARP, changed(1, 6));
	EXPECT_EQ(GW_ARP, changed(2, 0x86));
	EXPECT_EQ(GW_ARP, changed(3, 1));
}

TEST(arp, with_addresses_of_other_lengths_is_refused)
{
	for (uint32_t len = 0; len < 256; len++) {
		EXPECT_EQ(len == 6 ? GW_OK : GW_ARP, changed(4, (uint8_t)len));
		EXPECT_EQ(len == 4 ? GW_OK : GW_ARP, changed(5, (uint8_t)len));
	}
}

TEST(arp, that_neither_asks_nor_answers_is_refused)
{
	EXPECT_EQ(GW_ARP, changed(6, 1));
	EXPECT_EQ(GW_ARP, changed(7, 0));
	EXPECT_EQ(GW_ARP, changed(7, 3)); /* RARP */
	EXPECT_EQ(GW_ARP, changed(7, 255));
}

TEST(arp, from_a_group_mac_is_refused)
{
	EXPECT_EQ(GW_ARP, changed(8, 0x03));
	EXPECT_EQ(GW_ARP, changed(8, 0xff));
	EXPECT_EQ(GW_OK, changed(8, 0xfe));
}

TEST(arp, writes_what_it_reads)
{
	struct arp_packet arp = read(SPAN(REQUEST));
	uint8_t room[ARP_LEN];
	struct writer w;

	writer_init(&w, room, sizeof(room));
	arp_write(&w, &arp);
	EXPECT_SPAN(REQUEST, writer_span(&w));
	arp.reply = true;
	writer_init(&w, room, sizeof(room));
	arp_write(&w, &arp);
	EXPECT(read(writer_span(&w)).reply);
}

TEST(arp, without_room_makes_the_writer_full)
{
	struct arp_packet arp = read(SPAN(REQUEST));
	uint8_t room[ARP_LEN];
	struct writer w;

	for (uint32_t n = 0; n <= ARP_LEN; n++) {
		writer_init(&w, room, n);
		arp_write(&w, &arp);
		EXPECT(writer_ok(&w) == (n == ARP_LEN));
	}
}

TEST_MAIN("net_arp", RUN(arp, reads_a_request), RUN(arp, reads_a_reply_and_the_padding_behind_it),
	  RUN(arp, reads_a_probe), RUN(arp, cut_at_any_byte_is_refused),
	  RUN(arp, of_another_kind_of_network_is_refused),
	  RUN(arp, with_addresses_of_other_lengths_is_refused),
	  RUN(arp, that_neither_asks_nor_answers_is_refused), RUN(arp, from_a_group_mac_is_refused),
	  RUN(arp, writes_what_it_reads), RUN(arp, without_room_makes_the_writer_full))
