/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>

#include "packet.h"

#include "test.h"

TEST(packet, grows_and_shrinks_at_both_ends)
{
	struct rte_mempool *pool = packet_pool_new("test", 1, 16, -1);
	struct rte_mbuf *packet = packet_copy(pool, SPAN("datagram"));

	EXPECT_BYTES("datagram!", (uint8_t *)memcpy(packet_append(packet, 1), "!", 1) - 8, 9);
	EXPECT_BYTES("a datagram!", memcpy(packet_prepend(packet, 2), "a ", 2), 11);
	EXPECT(packet_trim(packet, 1));
	EXPECT_SPAN("a datagram", packet_span(packet));
	EXPECT(packet_skip(packet, 6));
	EXPECT_SPAN("gram", packet_span(packet));
	EXPECT(packet_trim(packet, 4));
	EXPECT_EQ(0, packet_len(packet));
	packet_put(packet);
	packet_pool_free(pool);
}

TEST(packet, loses_no_more_than_it_has)
{
	struct rte_mempool *pool = packet_pool_new("test", 1, 16, -1);
	struct rte_mbuf *packet = packet_copy(pool, SPAN("data"));

	EXPECT(!packet_skip(packet, 5));
	EXPECT(!packet_trim(packet, 5));
	EXPECT(!packet_skip(packet, UINT32_MAX));
	EXPECT(!packet_trim(packet, UINT32_MAX));
	EXPECT_SPAN("data", packet_span(packet));
	packet_put(packet);
	packet_pool_free(pool);
}

TEST(packet, has_room_again_for_what_was_skipped)
{
	struct rte_mempool *pool = packet_pool_new("test", 1, 16, -1);
	struct rte_mbuf *packet = packet_copy(pool, SPAN("data"));

	EXPECT(packet_prepend(packet, PACKET_HEADROOM) != NULL);
	EXPECT(packet_prepend(packet, 1) == NULL);
	EXPECT(packet_skip(packet, PACKET_HEADROOM));
	EXPECT(packet_prepend(packet, PACKET_HEADROOM) != NULL);
	packet_put(packet);
	packet_pool_free(pool);
}

TEST(packet, tells_the_driver_what_the_stack_asked_for)
{
	const struct packet_offload asked = {.l2_len = 18,
					     .l3_len = 40,
					     .l4_protocol = IPPROTO_TCP,
					     .v6 = true};
	struct rte_mempool *pool = packet_pool_new("test", 1, 16, -1);
	struct rte_mbuf *packet = packet_copy(pool, SPAN("data"));

	EXPECT_EQ(0, packet_offload(packet).l4_protocol);
	EXPECT(!packet_offload(packet).ip_checksum);
	packet_set_offload(packet, &asked);
	EXPECT_EQ(18, packet_offload(packet).l2_len);
	EXPECT_EQ(40, packet_offload(packet).l3_len);
	EXPECT_EQ(IPPROTO_TCP, packet_offload(packet).l4_protocol);
	EXPECT(packet_offload(packet).v6 && !packet_offload(packet).ip_checksum);
	packet_put(packet);
	packet_pool_free(pool);
}

TEST_MAIN("packet", RUN(packet, grows_and_shrinks_at_both_ends),
	  RUN(packet, loses_no_more_than_it_has), RUN(packet, has_room_again_for_what_was_skipped),
	  RUN(packet, tells_the_driver_what_the_stack_asked_for))
