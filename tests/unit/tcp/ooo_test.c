/* SPDX-License-Identifier: BSD-3-Clause */
#include "receive_world.h"
#include "test.h"

#define NXT 1000u
#define LIMIT 65536u
#define MSS TCP_MSS4

static enum gw_err at(struct receive_world *w, uint32_t offset, uint32_t len)
{
	return receive_world_in(w, NXT + offset, len, false);
}

/* The segment of bytes with another content than all others. */
static enum gw_err other_at(struct receive_world *w, uint32_t offset, uint32_t len)
{
	return ooo_add(&w->tcp, &w->tcb, receive_world_packet(w, NXT + offset, len, 0x5a),
		       NXT + offset, false);
}

static enum gw_err fin_at(struct receive_world *w, uint32_t offset)
{
	return ooo_add(&w->tcp, &w->tcb, receive_world_packet(w, NXT + offset, 0, 0), NXT + offset,
		       true);
}

/* The blocks are these, as pairs of offsets. */
static void expect_blocks(struct receive_world *w, uint32_t max, const uint32_t (*expected)[2],
			  uint32_t count)
{
	struct tcp_block block[TCP_SACKS_MAX];

	EXPECT_EQ(count, ooo_blocks(&w->tcb, block, max));
	for (uint32_t i = 0; i < count; i++) {
		EXPECT_EQ(expected[i][0], block[i].start - NXT);
		EXPECT_EQ(expected[i][1], block[i].end - NXT);
	}
}
#define EXPECT_BLOCKS(w, max, ...) \
	do { \
		static const uint32_t blocks_[][2] = {__VA_ARGS__}; \
		expect_blocks(w, max, blocks_, sizeof(blocks_) / sizeof(blocks_[0])); \
	} while (0)

static void told(struct receive_world *w)
{
	w->tcb.flags &= (uint16_t)~TCB_DUPLICATE;
}

static void expect_bytes(struct receive_world *w, uint32_t offset, uint32_t len, uint8_t salt)
{
	for (uint32_t i = offset; i < offset + len; i++) {
		uint32_t run;
		const uint8_t *byte = receive_peek(&w->tcb, i, &run);

		EXPECT(byte != NULL);
		EXPECT_EQ(receive_world_byte(NXT + i, salt), *byte);
	}
}

/* ---- reassembly ------------------------------------------------------------------------------ */

TEST(ooo, fills_a_gap)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, at(w, 100, 100));
	EXPECT_EQ(GW_OK, at(w, 300, 100));
	EXPECT_EQ(0, w->tcb.events);
	EXPECT_EQ(GW_OK, at(w, 0, 100));
	EXPECT_EQ(NXT + 200, w->tcb.rcv_nxt);
	EXPECT_EQ(EVENT_READABLE, w->tcb.events);
	EXPECT_EQ(GW_OK, at(w, 200, 100));
	EXPECT_EQ(NXT + 400, w->tcb.rcv_nxt);
	EXPECT_EQ(0, w->tcb.ooo_packets);
	expect_bytes(w, 0, 400, 0);
	EXPECT(receive_world_free(w));
}

TEST(ooo, may_fill_the_whole_window)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	uint32_t window = receive_window(&w->tcp, &w->tcb), offset = MSS;

	for (; offset < window; offset += MSS)
		EXPECT_EQ(GW_OK, at(w, offset, window - offset < MSS ? window - offset : MSS));
	EXPECT_BLOCKS(w, 3, {MSS, LIMIT});
	EXPECT_EQ(GW_OK, at(w, 0, MSS));
	EXPECT_EQ(window, w->tcb.receive_bytes);
	EXPECT_EQ(0, receive_window(&w->tcp, &w->tcb));
	EXPECT(receive_world_free(w));
}

TEST(ooo, holds_every_other_segment_of_the_window)
{
	for (uint32_t len = 536; len <= 1460; len += 4) {
		struct receive_world *w = receive_world_new(NXT, LIMIT);
		uint32_t window = receive_window(&w->tcp, &w->tcb);

		for (uint32_t offset = len; offset + len <= window; offset += 2 * len)
			EXPECT_EQ(GW_OK, at(w, offset, len));
		for (uint32_t offset = 0; offset + len <= window; offset += 2 * len)
			EXPECT_EQ(GW_OK, at(w, offset, len));
		EXPECT(w->tcb.receive_bytes > window - 2 * len);
		EXPECT_EQ(0, w->tcb.ooo_packets);
		EXPECT(receive_world_free(w));
	}
}

TEST(ooo, lets_bytes_that_are_there_stay)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, at(w, 1000, 700));
	EXPECT_EQ(GW_OK, at(w, 2000, 700));
	EXPECT_EQ(GW_OK, other_at(w, 500, 1400)); /* swallows the one */
	EXPECT_EQ(GW_OK, other_at(w, 1800, 400)); /* is cut by both */
	EXPECT_BLOCKS(w, 3, {1000, 1700}, {500, 2700});
	EXPECT_EQ(GW_OK, at(w, 0, 500));
	expect_bytes(w, 0, 500, 0);
	expect_bytes(w, 500, 500, 0x5a);
	expect_bytes(w, 1000, 700, 0);
	expect_bytes(w, 1700, 300, 0x5a);
	expect_bytes(w, 2000, 700, 0);
	EXPECT(receive_world_free(w));
}

TEST(ooo, gives_way_to_bytes_that_are_next)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, other_at(w, 50, 20));	/* lies within what comes */
	EXPECT_EQ(GW_OK, other_at(w, 90, 100)); /* reaches further */
	EXPECT_EQ(GW_OK, at(w, 0, 100));
	EXPECT_EQ(NXT + 190, w->tcb.rcv_nxt);
	expect_bytes(w, 0, 100, 0);
	expect_bytes(w, 100, 90, 0x5a);
	EXPECT(receive_world_free(w));
}

TEST(ooo, works_across_the_wrap)
{
	struct receive_world *w = receive_world_new(0u - 700, LIMIT);
	struct tcp_block block[4];

	for (uint32_t offset = 1300; offset >= 100; offset -= 100)
		EXPECT_EQ(GW_OK, receive_world_in(w, offset - 700, 100, false));
	EXPECT_EQ(1, ooo_blocks(&w->tcb, block, 4));
	EXPECT_EQ(0u - 600, block[0].start);
	EXPECT_EQ(700, block[0].end);
	EXPECT_EQ(GW_OK, receive_world_in(w, 0u - 700, 150, false));
	EXPECT_EQ(700, w->tcb.rcv_nxt);
	EXPECT(receive_world_free(w));
}

/* ---- FIN ------------------------------------------------------------------------------------- */

TEST(ooo, remembers_a_fin_that_comes_early)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, receive_world_in(w, NXT + 100, 100, true));
	EXPECT_BLOCKS(w, 3, {100, 201});
	EXPECT_EQ(GW_OK, at(w, 0, 100));
	EXPECT_EQ(NXT + 201, w->tcb.rcv_nxt);
	EXPECT_EQ(EVENT_READABLE | EVENT_FIN, w->tcb.events);
	EXPECT(receive_world_free(w));
}

TEST(ooo, remembers_a_fin_whose_bytes_come_again)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, receive_world_in(w, NXT + 100, 100, true));
	EXPECT_EQ(GW_OK, at(w, 0, 200));
	EXPECT_EQ(NXT + 201, w->tcb.rcv_nxt);
	EXPECT(w->tcb.flags & TCB_FIN_RECEIVED);
	EXPECT_EQ(200, w->tcb.receive_bytes);
	EXPECT(receive_world_free(w));
}

TEST(ooo, keeps_a_fin_alone_in_its_packet)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, fin_at(w, 700));
	EXPECT_BLOCKS(w, 3, {700, 701});
	EXPECT_EQ(GW_OK, fin_at(w, 700));
	EXPECT_BLOCKS(w, 3, {700, 701}, {700, 701});
	told(w);
	EXPECT_EQ(GW_OK, at(w, 0, 700));
	EXPECT_EQ(NXT + 701, w->tcb.rcv_nxt);
	EXPECT_EQ(EVENT_READABLE | EVENT_FIN, w->tcb.events);
	EXPECT(receive_world_free(w));
}

TEST(ooo, joins_a_fin_alone_with_the_bytes_before_it)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, at(w, 100, 100));
	EXPECT_EQ(GW_OK, at(w, 9000, 100));
	EXPECT_EQ(GW_OK, fin_at(w, 200));
	EXPECT_EQ(2, w->tcb.ooo_packets);
	EXPECT_BLOCKS(w, 3, {100, 201}, {9000, 9100});
	EXPECT_EQ(GW_OK, at(w, 0, 100));
	EXPECT_EQ(NXT + 201, w->tcb.rcv_nxt);
	EXPECT_EQ(0, w->tcb.ooo_packets);
	EXPECT(receive_world_free(w));
}

TEST(ooo, drops_what_lies_behind_a_fin)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, at(w, 400, 100));
	EXPECT_EQ(GW_OK, receive_world_in(w, NXT + 100, 100, true));
	EXPECT_EQ(GW_OK, at(w, 50, 300));  /* over the FIN: cut there */
	EXPECT_EQ(GW_OK, at(w, 150, 150)); /* from in front of it */
	EXPECT_EQ(GW_OK, at(w, 0, 50));
	EXPECT_EQ(NXT + 201, w->tcb.rcv_nxt);
	EXPECT_EQ(200, w->tcb.receive_bytes);
	EXPECT_EQ(0, w->tcb.ooo_packets);
	EXPECT(receive_world_free(w));
}

TEST(ooo, does_not_copy_bytes_over_a_fin)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, receive_world_in(w, NXT + 100, 100, true));
	EXPECT_EQ(GW_OK, at(w, 201, 10));
	EXPECT_EQ(2, w->tcb.ooo_packets);
	EXPECT_EQ(GW_OK, at(w, 0, 100));
	EXPECT_EQ(NXT + 201, w->tcb.rcv_nxt);
	EXPECT_EQ(200, w->tcb.receive_bytes);
	EXPECT(receive_world_free(w));
}

TEST(ooo, does_not_end_where_bytes_are_known_to_follow)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, at(w, 100, 200));
	EXPECT_EQ(GW_OK, receive_world_in(w, NXT + 50, 100, true));
	EXPECT_EQ(GW_OK, fin_at(w, 200));
	EXPECT_EQ(GW_OK, at(w, 0, 50));
	EXPECT_EQ(NXT + 300, w->tcb.rcv_nxt);
	EXPECT_EQ(EVENT_READABLE, w->tcb.events);
	EXPECT(receive_world_free(w));
}

/* ---- SACK ------------------------------------------------------------------------------------ */

TEST(sack, tells_the_range_that_grew_last_first)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, at(w, 1000, 100));
	EXPECT_EQ(GW_OK, at(w, 2000, 100));
	EXPECT_EQ(GW_OK, at(w, 3000, 100));
	EXPECT_EQ(GW_OK, at(w, 4000, 100));
	EXPECT_BLOCKS(w, 4, {4000, 4100}, {3000, 3100}, {2000, 2100}, {1000, 1100});
	EXPECT_BLOCKS(w, 3, {4000, 4100}, {3000, 3100}, {2000, 2100});
	EXPECT_EQ(GW_OK, at(w, 2100, 100)); /* behind it */
	EXPECT_BLOCKS(w, 3, {2000, 2200}, {4000, 4100}, {3000, 3100});
	EXPECT_EQ(GW_OK, at(w, 3900, 100)); /* in front of it */
	EXPECT_BLOCKS(w, 3, {3900, 4100}, {2000, 2200}, {3000, 3100});
	EXPECT_EQ(GW_OK, at(w, 2200, 800)); /* joins two */
	EXPECT_BLOCKS(w, 3, {2000, 3100}, {3900, 4100}, {1000, 1100});
	EXPECT_EQ(GW_OK, at(w, 0, 1000)); /* one is in order now */
	EXPECT_BLOCKS(w, 3, {2000, 3100}, {3900, 4100});
	EXPECT(receive_world_free(w));
}

TEST(sack, remembers_other_ranges_while_one_grows)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, at(w, 9000, 100));
	EXPECT_EQ(GW_OK, at(w, 500, 100));
	EXPECT_EQ(GW_OK, at(w, 7000, 100));
	for (uint32_t offset = 1000; offset < 5000; offset += 1000)
		EXPECT_EQ(GW_OK, at(w, offset, 1000));
	EXPECT_BLOCKS(w, 3, {1000, 5000}, {7000, 7100}, {500, 600});
	for (uint32_t offset = 5000; offset < 5500; offset += 100)
		EXPECT_EQ(GW_OK, at(w, offset, 100)); /* copied together */
	EXPECT_BLOCKS(w, 3, {1000, 5500}, {7000, 7100}, {500, 600});
	EXPECT(receive_world_free(w));
}

TEST(sack, says_nothing_without_its_negotiation_or_room)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, at(w, 1000, 100));
	expect_blocks(w, 0, NULL, 0);
	w->tcb.flags = 0;
	expect_blocks(w, 3, NULL, 0);
	EXPECT(receive_world_free(w));
}

TEST(sack, forgets_what_was_dropped_at_once)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, at(w, 1000, 100));
	EXPECT_EQ(GW_OK, at(w, 2000, 100));
	ooo_drop(&w->tcp, &w->tcb);
	expect_blocks(w, 3, NULL, 0);
	EXPECT_EQ(GW_OK, at(w, 1500, 100));
	EXPECT_BLOCKS(w, 3, {1500, 1600});
	EXPECT(receive_world_free(w));
}

TEST(dsack, tells_a_duplicate_below_the_acknowledgement)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, at(w, 0, 1000));
	EXPECT_EQ(GW_OK, at(w, 2000, 1000));
	ooo_duplicate(&w->tcb, NXT + 500, NXT + 1000);
	EXPECT_BLOCKS(w, 3, {500, 1000}, {2000, 3000});
	EXPECT_BLOCKS(w, 1, {500, 1000});
	told(w);
	EXPECT_BLOCKS(w, 3, {2000, 3000});
	EXPECT(receive_world_free(w));
}

TEST(dsack, is_followed_by_the_range_around_it)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, at(w, 1000, 1500));
	EXPECT_EQ(GW_OK, at(w, 2500, 1500));
	EXPECT_EQ(GW_OK, at(w, 6000, 1000));
	EXPECT_EQ(GW_OK, at(w, 2000, 1000));
	EXPECT_BLOCKS(w, 3, {2000, 3000}, {1000, 4000}, {6000, 7000});
	EXPECT(receive_world_free(w));
}

TEST(dsack, tells_the_first_of_several_in_one_segment)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, at(w, 1000, 700));
	EXPECT_EQ(GW_OK, at(w, 2000, 100));
	EXPECT_EQ(GW_OK, at(w, 500, 2000));
	EXPECT_BLOCKS(w, 3, {1000, 1700}, {500, 2500});
	EXPECT(receive_world_free(w));
}

TEST(dsack, tells_what_comes_again_in_order)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, at(w, 1000, 1000));
	EXPECT_EQ(GW_OK, at(w, 0, 1500));
	EXPECT_EQ(NXT + 2000, w->tcb.rcv_nxt);
	EXPECT_BLOCKS(w, 3, {1000, 1500});
	EXPECT(receive_world_free(w));
}

TEST(dsack, takes_what_touches_until_it_is_told)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	ooo_duplicate(&w->tcb, NXT + 500, NXT + 600);
	ooo_duplicate(&w->tcb, NXT + 600, NXT + 700);
	ooo_duplicate(&w->tcb, NXT + 400, NXT + 650);
	ooo_duplicate(&w->tcb, NXT + 100, NXT + 200);
	ooo_duplicate(&w->tcb, NXT + 800, NXT + 900);
	EXPECT_BLOCKS(w, 3, {400, 700});
	EXPECT(receive_world_free(w));
}

/* ---- hostile --------------------------------------------------------------------------------- */

TEST(ooo, refuses_the_range_too_many_but_fills_the_others)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	struct tcp_block block[4];

	for (uint32_t i = 1; i <= OOO_RANGES; i++)
		EXPECT_EQ(GW_OK, at(w, 10 * i, 1));
	EXPECT_EQ(GW_TCP_OOO_RANGES, at(w, 5, 1));
	EXPECT_EQ(GW_TCP_OOO_RANGES, at(w, 10000, 1));
	EXPECT_EQ(4, ooo_blocks(&w->tcb, block, 4));
	EXPECT_EQ(NXT + 10 * OOO_RANGES, block[0].start);
	EXPECT_EQ(GW_OK, at(w, 10 * OOO_RANGES + 1, 1)); /* behind one */
	EXPECT_EQ(GW_OK, at(w, 19, 1));			 /* in front of one */
	EXPECT_EQ(GW_OK, at(w, 11, 8));			 /* joins two: there is room for one */
	EXPECT_EQ(GW_OK, at(w, 10000, 1));
	EXPECT_EQ(GW_TCP_OOO_RANGES, at(w, 10002, 1));
	EXPECT(receive_world_free(w));
}

TEST(ooo, counts_ranges_and_not_packets)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	for (uint32_t i = 1; i <= OOO_RANGES + 10; i++)
		EXPECT_EQ(GW_OK, at(w, 700 * i, 700));
	EXPECT_EQ(OOO_RANGES + 10, w->tcb.ooo_packets);
	EXPECT_EQ(GW_OK, at(w, 60000, 1));
	EXPECT(receive_world_free(w));
}

TEST(ooo, refuses_everything_under_pressure)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	w->pressure = 1;
	EXPECT_EQ(GW_OK, at(w, 1000, 1));
	w->pressure = 2;
	EXPECT_EQ(GW_TCP_PRESSURE, at(w, 2000, 1));
	EXPECT_EQ(GW_TCP_PRESSURE, fin_at(w, 1001));
	EXPECT_BLOCKS(w, 3, {1000, 1001});
	EXPECT(receive_world_free(w));
}

TEST(ooo, refuses_packets_above_their_true_size)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	uint32_t offset = 100000, held = 0;

	while (at(w, offset, MSS) == GW_OK) {
		offset += MSS;
		held = w->tcb.receive_held;
	}
	EXPECT_EQ(GW_TCP_TRUE_SIZE, at(w, offset, MSS));
	EXPECT(held > 4 * LIMIT && held <= 5 * LIMIT);
	EXPECT_EQ(held, w->tcb.receive_held);
	EXPECT(receive_world_free(w));
}

TEST(ooo, copies_single_bytes_in_reverse_order_together)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	uint32_t window = receive_window(&w->tcp, &w->tcb), most = 0;

	for (uint32_t offset = window - 1; offset > 0; offset--) {
		EXPECT_EQ(GW_OK, at(w, offset, 1));
		EXPECT(w->tcp.work <= 4);
		most = most > w->tcb.receive_held ? most : w->tcb.receive_held;
	}
	EXPECT(most <= 5 * LIMIT);
	EXPECT_BLOCKS(w, 3, {1, LIMIT});
	EXPECT_EQ(GW_OK, at(w, 0, 1));
	EXPECT_EQ(NXT + window, w->tcb.rcv_nxt);
	EXPECT(w->tcp.work <= 4096);
	EXPECT(receive_world_free(w));
}

TEST(ooo, copies_single_bytes_in_order_together)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	uint32_t window = receive_window(&w->tcp, &w->tcb);

	for (uint32_t offset = 1; offset < window; offset++) {
		EXPECT_EQ(GW_OK, at(w, offset, 1));
		EXPECT(w->tcp.work <= 4);
	}
	EXPECT(w->tcb.receive_held < 2 * LIMIT);
	EXPECT(receive_world_free(w));
}

TEST(ooo, bounds_the_work_of_a_staircase)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	uint32_t window = receive_window(&w->tcp, &w->tcb);

	for (uint32_t offset = 1; offset + 1400 <= window; offset += 3) {
		EXPECT_EQ(GW_OK, at(w, offset, 1400));
		EXPECT(w->tcp.work <= 64);
	}
	EXPECT(w->tcb.receive_held <= 5 * LIMIT);
	for (uint32_t offset = window - 1400; offset > 3; offset -= 3)
		EXPECT_EQ(GW_OK, at(w, offset, 1400));
	EXPECT(w->tcb.receive_held <= 5 * LIMIT);
	EXPECT(receive_world_free(w));
}

TEST(ooo, bounds_the_work_of_a_staircase_downwards)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	uint32_t window = receive_window(&w->tcp, &w->tcb);

	for (uint32_t offset = window - 1400; offset > 3; offset -= 3) {
		EXPECT_EQ(GW_OK, at(w, offset, 1400));
		EXPECT(w->tcp.work <= 4);
	}
	EXPECT(w->tcb.receive_held <= 5 * LIMIT);
	EXPECT(receive_world_free(w));
}

TEST(ooo, bounds_the_work_of_one_segment_over_many)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	for (uint32_t i = 1; i <= OOO_RANGES; i++)
		EXPECT_EQ(GW_OK, at(w, 10 * i, 1));
	EXPECT_EQ(GW_OK, at(w, 5, 1400));
	EXPECT(w->tcp.work <= 4 * OOO_RANGES);
	EXPECT_EQ(1, w->tcb.ooo_packets);
	EXPECT_BLOCKS(w, 3, {10, 11}, {5, 1405});
	EXPECT(receive_world_free(w));
}

TEST(ooo, finds_its_place_at_once_behind_what_came_last)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	for (uint32_t offset = MSS; offset + MSS < LIMIT; offset += MSS) {
		EXPECT_EQ(GW_OK, at(w, offset, MSS));
		EXPECT(w->tcp.work <= 1);
	}
	EXPECT(receive_world_free(w));
}

TEST_MAIN("ooo", RUN(ooo, fills_a_gap), RUN(ooo, may_fill_the_whole_window),
	  RUN(ooo, holds_every_other_segment_of_the_window),
	  RUN(ooo, lets_bytes_that_are_there_stay), RUN(ooo, gives_way_to_bytes_that_are_next),
	  RUN(ooo, works_across_the_wrap), RUN(ooo, remembers_a_fin_that_comes_early),
	  RUN(ooo, remembers_a_fin_whose_bytes_come_again),
	  RUN(ooo, keeps_a_fin_alone_in_its_packet),
	  RUN(ooo, joins_a_fin_alone_with_the_bytes_before_it),
	  RUN(ooo, drops_what_lies_behind_a_fin), RUN(ooo, does_not_copy_bytes_over_a_fin),
	  RUN(ooo, does_not_end_where_bytes_are_known_to_follow),
	  RUN(sack, tells_the_range_that_grew_last_first),
	  RUN(sack, remembers_other_ranges_while_one_grows),
	  RUN(sack, says_nothing_without_its_negotiation_or_room),
	  RUN(sack, forgets_what_was_dropped_at_once),
	  RUN(dsack, tells_a_duplicate_below_the_acknowledgement),
	  RUN(dsack, is_followed_by_the_range_around_it),
	  RUN(dsack, tells_the_first_of_several_in_one_segment),
	  RUN(dsack, tells_what_comes_again_in_order),
	  RUN(dsack, takes_what_touches_until_it_is_told),
	  RUN(ooo, refuses_the_range_too_many_but_fills_the_others),
	  RUN(ooo, counts_ranges_and_not_packets), RUN(ooo, refuses_everything_under_pressure),
	  RUN(ooo, refuses_packets_above_their_true_size),
	  RUN(ooo, copies_single_bytes_in_reverse_order_together),
	  RUN(ooo, copies_single_bytes_in_order_together), RUN(ooo, bounds_the_work_of_a_staircase),
	  RUN(ooo, bounds_the_work_of_a_staircase_downwards),
	  RUN(ooo, bounds_the_work_of_one_segment_over_many),
	  RUN(ooo, finds_its_place_at_once_behind_what_came_last))
