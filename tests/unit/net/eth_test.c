/* SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"

#define MACS "\x02\x00\x00\x00\x00\x0b\x02\x00\x00\x00\x00\x0a"
#define UNTAGGED MACS "\x08\x00payload"
#define TAGGED MACS "\x81\x00\x00\x2a\x86\xddpayload"

static struct eth_frame read(struct span bytes)
{
	struct span block = exact(bytes);
	struct eth_frame eth = eth_read(block);

	eth.payload = eth.err == GW_OK ? exact_moved(eth.payload, block, bytes) : span_of(NULL, 0);
	exact_free(block);
	return eth;
}

static uint16_t vlan_of(struct span frame)
{
	EXPECT_EQ(GW_OK, read(frame).err);
	return read(frame).vlan;
}

static struct span write(uint8_t room[32], uint32_t size, uint16_t vlan)
{
	struct writer w;

	writer_init(&w, room, size);
	eth_write(&w, (const uint8_t *)MACS, (const uint8_t *)MACS + 6, vlan, ETH_TYPE_ARP);
	return writer_ok(&w) ? writer_span(&w) : span_of(NULL, 0);
}

TEST(eth, reads_a_frame_without_a_tag)
{
	struct eth_frame eth = read(SPAN(UNTAGGED));

	EXPECT_EQ(GW_OK, eth.err);
	EXPECT_BYTES(MACS, eth.dst, 6);
	EXPECT_BYTES(MACS + 6, eth.src, 6);
	EXPECT_EQ(ETH_TYPE_IP4, eth.type);
	EXPECT_EQ(0, eth.vlan);
	EXPECT_SPAN("payload", eth.payload);
}

TEST(eth, looks_through_one_tag)
{
	struct eth_frame eth = read(SPAN(TAGGED));

	EXPECT_EQ(GW_OK, eth.err);
	EXPECT_EQ(ETH_TYPE_IP6, eth.type);
	EXPECT_EQ(42, eth.vlan);
	EXPECT_SPAN("payload", eth.payload);
}

TEST(eth, does_not_look_through_a_second_tag)
{
	struct eth_frame eth = read(SPAN(MACS "\x81\x00\x00\x2a\x81\x00\x00\x2b\x08\x00payload"));

	EXPECT_EQ(GW_OK, eth.err);
	EXPECT_EQ(ETH_TYPE_VLAN, eth.type);
	EXPECT_EQ(42, eth.vlan);
	eth = read(SPAN(MACS "\x88\xa8\x00\x2a\x08\x00payload"));
	EXPECT_EQ(0x88a8, eth.type);
	EXPECT_EQ(0, eth.vlan);
}

TEST(eth, takes_only_the_id_of_a_tag)
{
	EXPECT_EQ(0x02a, vlan_of(SPAN(MACS "\x81\x00\xf0\x2a\x08\x00")));
	EXPECT_EQ(0xfff, vlan_of(SPAN(MACS "\x81\x00\xff\xff\x08\x00")));
	EXPECT_EQ(0, vlan_of(SPAN(MACS "\x81\x00\xe0\x00\x08\x00"))); /* a priority tag */
}

TEST(eth, cut_in_its_headers_is_refused)
{
	for (uint32_t n = 0; n < sizeof(UNTAGGED); n++)
		EXPECT_EQ(n < ETH_LEN ? GW_ETH_SHORT : GW_OK,
			  read(span_cut(SPAN(UNTAGGED), 0, n)).err);
	for (uint32_t n = 0; n < sizeof(TAGGED); n++)
		EXPECT_EQ(n < ETH_VLAN_LEN ? GW_ETH_SHORT : GW_OK,
			  read(span_cut(SPAN(TAGGED), 0, n)).err);
}

TEST(eth, writes_what_it_reads)
{
	uint8_t room[32];

	EXPECT_SPAN(MACS "\x08\x06", write(room, sizeof(room), 0));
	EXPECT_SPAN(MACS "\x81\x00\x00\x2a\x08\x06", write(room, sizeof(room), 42));
	EXPECT_EQ(42, vlan_of(write(room, sizeof(room), 42)));
	EXPECT_EQ(4095, vlan_of(write(room, sizeof(room), 0xffff)));
}

TEST(eth, without_room_makes_the_writer_full)
{
	uint8_t room[32];

	for (uint32_t n = 0; n <= ETH_VLAN_LEN; n++) {
		EXPECT_EQ(n < ETH_LEN ? 0 : ETH_LEN, write(room, n, 0).len);
		EXPECT_EQ(n < ETH_VLAN_LEN ? 0 : ETH_VLAN_LEN, write(room, n, 1).len);
	}
}

TEST(eth, has_the_group_mac_of_rfc_2464)
{
	struct ip_address group = address("ff02::1:ff0e:8c6c");
	uint8_t mac[6];

	eth_group(&group, mac);
	EXPECT_BYTES("\x33\x33\xff\x0e\x8c\x6c", mac, 6);
	EXPECT_BYTES("\xff\xff\xff\xff\xff\xff", eth_broadcast, 6);
}

TEST_MAIN("net_eth", RUN(eth, reads_a_frame_without_a_tag), RUN(eth, looks_through_one_tag),
	  RUN(eth, does_not_look_through_a_second_tag), RUN(eth, takes_only_the_id_of_a_tag),
	  RUN(eth, cut_in_its_headers_is_refused), RUN(eth, writes_what_it_reads),
	  RUN(eth, without_room_makes_the_writer_full), RUN(eth, has_the_group_mac_of_rfc_2464))
