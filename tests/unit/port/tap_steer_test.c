/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/tap_steer.h"

#include "test.h"

/* The key and the flows of the verification suite that vendors of NICs publish for RSS. */
static const struct tap_steer vendors = {
	.key = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
		0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
		0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa},
	.steer_base = 40000,
	.queues = 7,
};

/* 66.9.149.187:2794 to 161.142.100.80:1766 */
#define FLOW_4 "\x42\x09\x95\xbb\xa1\x8e\x64\x50\x0a\xea\x06\xe6"
#define HASH_4 0x51ccc178u
/* 3ffe:2501:200:1fff::7 port 2794 to 3ffe:2501:200:3::1 port 1766 */
#define FLOW_6 \
	"\x3f\xfe\x25\x01\x02\x00\x1f\xff\x00\x00\x00\x00\x00\x00\x00\x07" \
	"\x3f\xfe\x25\x01\x02\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x01\x0a\xea\x06\xe6"
#define HASH_6 0x40207d3du

#define MACS "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"
#define VLAN "\x81\x00\x00\x05"
/* length 28, no fragment, protocol, checksum not looked at */
#define IP_4(first, fragment, protocol) \
	first "\x00\x00\x1c\x00\x00" fragment "\x40" protocol "\x00\x00"
#define IP_6(first, next) first "\x00\x00\x00\x00\x08" next "\x40"
#define UDP_4 MACS "\x08\x00" IP_4("\x45", "\x40\x00", "\x11") FLOW_4

static uint16_t queue_of(struct span frame)
{
	return tap_steer_queue(&vendors, frame);
}

static uint16_t row_queue(uint32_t hash)
{
	return (uint16_t)(hash % TAP_STEER_ROWS % vendors.queues);
}

TEST(tap_steer, hashes_as_the_published_vectors_do)
{
	EXPECT_EQ(HASH_4, tap_steer_hash(vendors.key, SPAN(FLOW_4)));
	EXPECT_EQ(HASH_6, tap_steer_hash(vendors.key, SPAN(FLOW_6)));
	EXPECT_EQ(0x323e8fc2, tap_steer_hash(vendors.key, span_cut(SPAN(FLOW_4), 0, 8)));
}

TEST(tap_steer, spreads_tcp_and_udp_by_their_hash)
{
	EXPECT(row_queue(HASH_4) != 0 && row_queue(HASH_6) != 0);
	EXPECT_EQ(row_queue(HASH_4), queue_of(SPAN(UDP_4)));
	EXPECT_EQ(row_queue(HASH_4),
		  queue_of(SPAN(MACS "\x08\x00" IP_4("\x45", "\x00\x00", "\x06") FLOW_4)));
	EXPECT_EQ(row_queue(HASH_6), queue_of(SPAN(MACS "\x86\xdd" IP_6("\x60", "\x11") FLOW_6)));
	EXPECT_EQ(row_queue(HASH_6), queue_of(SPAN(MACS "\x86\xdd" IP_6("\x60", "\x06") FLOW_6)));
}

TEST(tap_steer, looks_past_one_vlan_tag)
{
	EXPECT_EQ(row_queue(HASH_4),
		  queue_of(SPAN(MACS VLAN "\x08\x00" IP_4("\x45", "\x00\x00", "\x11") FLOW_4)));
	EXPECT_EQ(row_queue(HASH_6),
		  queue_of(SPAN(MACS "\x88\xa8\x00\x05\x86\xdd" IP_6("\x60", "\x11") FLOW_6)));
	EXPECT_EQ(0, queue_of(SPAN(MACS VLAN VLAN "\x08\x00" IP_4("\x45", "\x00\x00", "\x11")
					   FLOW_4)));
}

TEST(tap_steer, gives_port_base_plus_q_to_queue_q)
{
	static const uint8_t udp_4[] = UDP_4;
	uint8_t frame[sizeof(udp_4) - 1];

	memcpy(frame, udp_4, sizeof(frame));
	for (uint16_t q = 0; q < vendors.queues; q++) {
		uint16_t port = vendors.steer_base + q;

		frame[sizeof(frame) - 2] = (uint8_t)(port >> 8);
		frame[sizeof(frame) - 1] = (uint8_t)port;
		EXPECT_EQ(q, queue_of(span_of(frame, sizeof(frame))));
	}
}

TEST(tap_steer, hashes_the_ports_beside_the_range)
{
	uint8_t flow[] = FLOW_4;
	uint8_t frame[] = UDP_4;
	const uint16_t beside[] = {vendors.steer_base - 1, vendors.steer_base + vendors.queues};

	for (uint32_t i = 0; i < 2; i++) {
		flow[10] = frame[sizeof(frame) - 3] = (uint8_t)(beside[i] >> 8);
		flow[11] = frame[sizeof(frame) - 2] = (uint8_t)beside[i];
		EXPECT_EQ(row_queue(tap_steer_hash(vendors.key, span_of(flow, 12))),
			  queue_of(span_of(frame, sizeof(frame) - 1)));
	}
}

TEST(tap_steer, has_no_rule_without_a_base)
{
	struct tap_steer none = vendors;

	none.steer_base = 0; /* port 6 would be queue 6 */
	EXPECT_EQ(tap_steer_hash(none.key,
				 SPAN("\x42\x09\x95\xbb\xa1\x8e\x64\x50\x0a\xea\x00\x06")) %
			  TAP_STEER_ROWS % none.queues,
		  tap_steer_queue(
			  &none,
			  SPAN(MACS "\x08\x00" IP_4(
				  "\x45", "\x00\x00",
				  "\x11") "\x42\x09\x95\xbb\xa1\x8e\x64\x50\x0a\xea\x00\x06")));
}

TEST(tap_steer, finds_the_ports_behind_ipv4_options)
{
	EXPECT_EQ(3, queue_of(SPAN(MACS "\x08\x00" IP_4(
			     "\x46", "\x00\x00",
			     "\x11") "\x42\x09\x95\xbb\xa1\x8e\x64\x50\x01\x01\x01\x00"
				     "\x0a\xea\x9c\x43")));
}

TEST(tap_steer, gives_all_else_to_queue_0)
{
	EXPECT_EQ(0, queue_of(SPAN(MACS "\x08\x06" FLOW_4 FLOW_4))); /* ARP */
	EXPECT_EQ(0, queue_of(SPAN(MACS "\x08\x00" IP_4("\x45", "\x00\x00", "\x01") FLOW_4)));
	EXPECT_EQ(0, queue_of(SPAN(MACS "\x08\x00" IP_4("\x45", "\x20\x00", "\x11") FLOW_4)));
	EXPECT_EQ(0, queue_of(SPAN(MACS "\x08\x00" IP_4("\x45", "\x00\x01", "\x11") FLOW_4)));
	EXPECT_EQ(0, queue_of(SPAN(MACS "\x08\x00" IP_4("\x44", "\x00\x00", "\x11") FLOW_4)));
	EXPECT_EQ(0, queue_of(SPAN(MACS "\x08\x00" IP_4("\x65", "\x00\x00", "\x11") FLOW_4)));
	EXPECT_EQ(0, queue_of(SPAN(MACS "\x86\xdd" IP_6("\x40", "\x11") FLOW_6)));
	EXPECT_EQ(0, queue_of(SPAN(MACS "\x86\xdd" IP_6("\x60", "\x3a") FLOW_6)));
	EXPECT_EQ(0, queue_of(SPAN(MACS "\x86\xdd" IP_6("\x60", "\x2c") FLOW_6))); /* fragment */
	EXPECT_EQ(0, queue_of(SPAN(MACS "\x86\xdd" IP_6("\x60", "\x00") FLOW_6))); /* hop by hop */
}

static void cut_everywhere(struct span whole)
{
	for (uint32_t n = 0; n < whole.len; n++) {
		uint8_t *exact = malloc(n); /* exact: the sanitizer sees a byte too far */

		memcpy(exact, whole.at, n);
		EXPECT_EQ(0, queue_of(span_of(exact, n)));
		free(exact);
	}
	EXPECT(queue_of(whole) != 0);
}

TEST(tap_steer, gives_a_frame_that_is_cut_to_queue_0)
{
	cut_everywhere(SPAN(UDP_4));
	cut_everywhere(SPAN(MACS VLAN "\x86\xdd" IP_6("\x60", "\x11") FLOW_6));
}

TEST_MAIN("tap_steer", RUN(tap_steer, hashes_as_the_published_vectors_do),
	  RUN(tap_steer, spreads_tcp_and_udp_by_their_hash),
	  RUN(tap_steer, looks_past_one_vlan_tag),
	  RUN(tap_steer, gives_port_base_plus_q_to_queue_q),
	  RUN(tap_steer, hashes_the_ports_beside_the_range),
	  RUN(tap_steer, has_no_rule_without_a_base),
	  RUN(tap_steer, finds_the_ports_behind_ipv4_options),
	  RUN(tap_steer, gives_all_else_to_queue_0),
	  RUN(tap_steer, gives_a_frame_that_is_cut_to_queue_0))
