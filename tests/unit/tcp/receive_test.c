/* SPDX-License-Identifier: BSD-3-Clause */
#include "receive_model.h"
#include "test.h"

#define NXT 1000u
#define LIMIT 65536u
#define MSS TCP_MSS4

/* Bytes in order, whatever the window says. */
static enum gw_err more(struct receive_world *w, uint32_t len)
{
	return receive_world_in(w, w->tcb.rcv_nxt, len, false);
}

static uint32_t window(struct receive_world *w)
{
	return receive_window(&w->tcp, &w->tcb);
}

static void consume(struct receive_world *w, uint32_t n)
{
	w->outputs = 0;
	w->tcb.flags &= (uint16_t)~TCB_ACK_NOW;
	receive_consume(&w->tcp, &w->tcb, n);
	EXPECT_EQ(w->outputs > 0, (w->tcb.flags & TCB_ACK_NOW) != 0);
}

static uint32_t true_size(struct receive_world *w)
{
	struct rte_mbuf *packet = packet_get(w->pool);
	uint32_t size = packet_true_size(packet);

	packet_put(packet);
	return size;
}

/* Fills the window that is advertised with segments of len bytes. */
static void fill(struct receive_world *w, uint32_t len)
{
	uint32_t left;

	while ((left = window(w)) > 0)
		EXPECT_EQ(GW_OK, more(w, left < len ? left : len));
}

/* ---- bytes ----------------------------------------------------------------------------------- */

TEST(receive, tells_bytes_and_the_end)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, more(w, 100));
	EXPECT_EQ(EVENT_READABLE, w->tcb.events);
	EXPECT_EQ(NXT + 100, w->tcb.rcv_nxt);
	EXPECT_EQ(GW_OK, receive_world_in(w, NXT + 100, 10, true));
	EXPECT_EQ(EVENT_READABLE | EVENT_FIN, w->tcb.events);
	EXPECT(w->tcb.flags & TCB_FIN_RECEIVED);
	EXPECT_EQ(NXT + 111, w->tcb.rcv_nxt);
	EXPECT_EQ(110, w->tcb.receive_bytes);
	EXPECT(receive_world_free(w));
}

TEST(receive, takes_a_fin_alone_without_a_word_of_bytes)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, receive_world_in(w, NXT, 0, true));
	EXPECT_EQ(EVENT_FIN, w->tcb.events);
	EXPECT_EQ(NXT + 1, w->tcb.rcv_nxt);
	EXPECT(receive_world_free(w));
}

TEST(receive, gives_back_the_packet_of_a_fin_alone)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, receive_data(&w->tcp, &w->tcb, receive_world_packet(w, NXT, 0, 0), true));
	EXPECT_EQ(NXT + 1, w->tcb.rcv_nxt);
	EXPECT_EQ(0, packet_pool_live(w->pool));
	EXPECT(receive_world_free(w));
}

TEST(receive, is_peeked_at_any_offset)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	uint32_t len;

	for (uint32_t i = 0; i < 3; i++)
		EXPECT_EQ(GW_OK, more(w, 1000));
	for (uint32_t at = 0; at < 3000; at++) {
		const uint8_t *byte = receive_peek(&w->tcb, at, &len);

		EXPECT_EQ(1000 - at % 1000, len);
		EXPECT_EQ(receive_world_byte(NXT + at, 0), *byte);
	}
	EXPECT(receive_peek(&w->tcb, 3000, &len) == NULL);
	EXPECT_EQ(0, len);
	EXPECT(receive_world_free(w));
}

TEST(receive, is_consumed_in_parts_and_across_packets)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	uint32_t len;

	for (uint32_t i = 0; i < 4; i++)
		EXPECT_EQ(GW_OK, more(w, 1000));
	consume(w, 300);
	EXPECT_EQ(receive_world_byte(NXT + 300, 0),
		  *(const uint8_t *)receive_peek(&w->tcb, 0, &len));
	EXPECT_EQ(700, len);
	consume(w, 2000);
	EXPECT_EQ(receive_world_byte(NXT + 2300, 0),
		  *(const uint8_t *)receive_peek(&w->tcb, 0, &len));
	EXPECT_EQ(1700, w->tcb.receive_bytes);
	consume(w, 0);
	EXPECT_EQ(1700, w->tcb.receive_bytes);
	consume(w, 5000);
	EXPECT_EQ(0, w->tcb.receive_bytes);
	EXPECT_EQ(0, w->tcb.receive_held);
	EXPECT_EQ(GW_OK, more(w, 10)); /* the queue begins anew */
	EXPECT_EQ(10, w->tcb.receive_bytes);
	EXPECT(receive_world_free(w));
}

/* ---- true size ------------------------------------------------------------------------------- */

TEST(receive, copies_a_flood_of_single_bytes_together)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	fill(w, 1);
	EXPECT(w->tcb.receive_bytes >= LIMIT);
	EXPECT(w->tcb.receive_held < 2 * LIMIT); /* not 2,368 times as much */
	EXPECT(receive_world_free(w));
}

TEST(receive, keeps_full_segments_in_their_packets)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	for (uint32_t i = 0; i < 10; i++)
		EXPECT_EQ(GW_OK, more(w, MSS));
	EXPECT_EQ(10, packet_pool_live(w->pool));
	EXPECT(receive_world_free(w));
}

TEST(receive, holds_what_it_has_advertised_whatever_the_segments)
{
	for (uint32_t len = 1; len <= 1460; len += len < 40 ? 1 : 7) {
		struct receive_world *w = receive_world_new(NXT, LIMIT);

		fill(w, len);
		EXPECT(w->tcb.receive_bytes >= LIMIT - 8);
		EXPECT(receive_world_free(w));
	}
}

TEST(receive, holds_what_it_has_advertised_when_sizes_are_chosen_against_it)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	uint32_t part = true_size(w) / 4, left;

	EXPECT_EQ(GW_OK, more(w, MSS));
	consume(w, MSS - 1); /* a packet for one byte that cannot be copied */
	for (uint32_t i = 0; (left = window(w)) > 0; i++) {
		uint32_t len = i % 2 == 0 ? part : 1;

		EXPECT_EQ(GW_OK, more(w, left < len ? left : len));
	}
	EXPECT(receive_world_free(w));
}

TEST(receive, refuses_what_it_has_never_advertised)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	enum gw_err err = GW_OK;
	uint32_t count = 0, nxt;

	while (err == GW_OK && count++ < WORLD_PACKETS) {
		nxt = w->tcb.rcv_nxt;
		err = more(w, MSS);
	}
	EXPECT_EQ(GW_TCP_TRUE_SIZE, err);
	EXPECT_EQ(nxt, w->tcb.rcv_nxt);
	EXPECT(w->tcb.receive_held <= 5 * LIMIT);
	EXPECT(receive_world_free(w));
}

TEST(receive, drops_what_is_out_of_order_for_what_is_next)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	uint32_t seq = NXT + 100000;

	EXPECT_EQ(GW_OK, more(w, MSS));
	while (receive_world_in(w, seq, MSS, false) == GW_OK)
		seq += MSS;
	EXPECT(w->tcb.ooo_packets > 90);
	EXPECT_EQ(GW_OK, more(w, MSS));
	EXPECT_EQ(0, w->tcb.ooo_packets);
	EXPECT_EQ(2 * MSS, w->tcb.receive_bytes);
	EXPECT(receive_world_free(w));
}

TEST(receive, is_in_balance_after_a_drop)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	EXPECT_EQ(GW_OK, more(w, MSS));
	EXPECT_EQ(GW_OK, more(w, 1));
	EXPECT_EQ(GW_OK, receive_world_in(w, NXT + 5000, 10, false));
	receive_drop(&w->tcp, &w->tcb);
	EXPECT_EQ(0, w->tcp.held);
	EXPECT_EQ(0, w->tcb.receive_held);
	EXPECT_EQ(0, packet_pool_live(w->pool));
	EXPECT(w->tcb.receive_first == NULL && w->tcb.receive_last == NULL);
	EXPECT(receive_world_free(w));
}

/* ---- the window ------------------------------------------------------------------------------ */

TEST(receive_window, closes_to_zero_and_opens_by_an_ack_of_its_own)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	fill(w, MSS);
	EXPECT_EQ(0, window(w));
	consume(w, MSS - 1); /* less than a segment: silly */
	EXPECT_EQ(0, w->outputs);
	EXPECT_EQ(0, window(w));
	consume(w, 16); /* not silly, and from zero it is told at once */
	EXPECT_EQ(1, w->outputs);
	EXPECT(window(w) >= MSS);
	EXPECT(receive_world_free(w));
}

TEST(receive_window, opens_by_a_segment_at_least)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	uint32_t before;

	for (uint32_t i = 0; i < 10; i++)
		EXPECT_EQ(GW_OK, more(w, 1000));
	before = window(w);
	consume(w, 1000);
	EXPECT_EQ(before, window(w));
	consume(w, 500);
	EXPECT(window(w) > before);
	EXPECT(receive_world_free(w));
}

TEST(receive_window, is_told_when_two_segments_more_are_free)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	for (uint32_t i = 0; i < 10; i++)
		EXPECT_EQ(GW_OK, more(w, MSS));
	window(w);
	for (uint32_t i = 0; i < 2 * MSS / 100; i++) {
		consume(w, 100);
		EXPECT_EQ(0, w->outputs);
	}
	consume(w, 100);
	EXPECT_EQ(1, w->outputs);
	EXPECT(receive_world_free(w));
}

TEST(receive_window, counts_segments_of_its_family)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	w->tcb.ends.remote = (struct ip_address){{0xfd, 0x00, 0x00, 0x18}};
	fill(w, MSS);
	consume(w, TCP_MSS6 - 10);
	EXPECT_EQ(0, window(w));
	consume(w, 20);
	EXPECT(window(w) >= TCP_MSS6);
	EXPECT(receive_world_free(w));
}

TEST(receive_window, of_a_small_buffer_opens_by_half_of_it)
{
	struct receive_world *w = receive_world_new(NXT, 1024);

	fill(w, 100);
	consume(w, 500);
	EXPECT_EQ(0, window(w));
	consume(w, 100);
	EXPECT_EQ(1, w->outputs);
	EXPECT(window(w) >= 512);
	EXPECT(receive_world_free(w));
}

TEST(receive_window, is_not_told_after_the_fin)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	fill(w, MSS);
	EXPECT_EQ(GW_OK, receive_world_in(w, w->tcb.rcv_nxt, 0, true));
	consume(w, LIMIT);
	EXPECT_EQ(0, w->outputs);
	EXPECT(receive_world_free(w));
}

TEST(receive_window, is_small_under_pressure_but_what_was_advertised_is_honoured)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	uint32_t edge = w->tcb.rcv_edge;

	EXPECT_EQ(GW_OK, more(w, 4 * 400));
	w->pressure = 1;
	consume(w, 4 * 400);
	EXPECT_EQ(0, w->outputs);
	EXPECT(window(w) >= LIMIT - 1 - 4 * 400);
	EXPECT(w->tcb.rcv_edge - edge < 8); /* of rounding */
	fill(w, 1024);
	EXPECT_EQ(0, window(w));
	consume(w, LIMIT);
	EXPECT(window(w) >= MSS && window(w) <= 4 * MSS);
	w->pressure = 0;
	EXPECT_EQ(LIMIT, window(w));
	EXPECT(receive_world_free(w));
}

TEST(receive_window, takes_nothing_back_while_single_bytes_come)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);
	uint32_t edge = w->tcb.rcv_nxt + window(w);

	for (uint32_t i = 0; i < 4000; i++) {
		EXPECT_EQ(GW_OK, more(w, 1));
		EXPECT(!seq_after(edge, w->tcb.rcv_nxt + window(w)));
		edge = w->tcb.rcv_nxt + window(w);
	}
	EXPECT(receive_world_free(w));
}

TEST(receive_window, closes_though_single_bytes_come)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	for (uint32_t i = 0; i < 2 * LIMIT && window(w) > 0; i++)
		EXPECT_EQ(GW_OK, more(w, 1));
	EXPECT_EQ(0, window(w));
	EXPECT(w->tcb.receive_bytes <= LIMIT + LIMIT / 16);
	EXPECT(receive_world_free(w));
}

TEST(receive_window, takes_what_is_left_of_a_unit)
{
	struct receive_world *w = receive_world_new(NXT, LIMIT);

	fill(w, 1);
	EXPECT(seq_after(w->tcb.rcv_edge, w->tcb.rcv_nxt)); /* once advertised */
	EXPECT_EQ(GW_OK, more(w, w->tcb.rcv_edge - w->tcb.rcv_nxt));
	EXPECT_EQ(0, window(w));
	EXPECT(receive_world_free(w));
}

TEST(receive_window, without_scale_is_16_bits)
{
	struct receive_world *w = receive_world_new(NXT, 4 * LIMIT);

	w->tcb.rcv_shift = 0;
	EXPECT_EQ(UINT16_MAX, window(w));
	EXPECT_EQ(GW_OK, more(w, MSS));
	EXPECT_EQ(UINT16_MAX, window(w));
	EXPECT(receive_world_free(w));
}

TEST(receive_window, with_scale_stays_within_16_bits)
{
	struct receive_world *w = receive_world_new(NXT, 4 * LIMIT);

	w->tcb.rcv_shift = 1;
	EXPECT_EQ(2 * UINT16_MAX, window(w));
	EXPECT_EQ(GW_OK, more(w, 1));
	EXPECT_EQ(2 * UINT16_MAX, window(w)); /* a part of a unit is rounded up */
	EXPECT(receive_world_free(w));
}

/* ---- against the map ------------------------------------------------------------------------- */

struct random {
	uint64_t state;
};

static uint32_t below(struct random *r, uint32_t n)
{
	r->state = r->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(r->state >> 33) % n;
}

static struct model_segment any_segment(struct random *r, struct receive_model *m, uint32_t limit)
{
	uint32_t back = m->nxt < 3000 ? m->nxt : 3000;
	struct model_segment s = {
		.offset = m->nxt - below(r, back + 1),
		.len = below(r, 4) == 0 ? below(r, 20) : below(r, 1400),
		.salt = (uint8_t)below(r, 3),
	};

	if (below(r, 3) != 0)
		s.offset = m->nxt + below(r, limit);
	else if (below(r, 2) == 0)
		s.offset = m->nxt;
	if (below(r, 2000) == 0)
		s.fin = true;
	return s;
}

/* Returns the steps; 0 when the model does not agree. */
static uint32_t stream(struct random *r, uint32_t first, uint32_t limit)
{
	struct receive_model *m = receive_model_new(first, limit);
	bool agree = true;
	uint32_t steps = 0;

	for (; agree && steps < 2000 && !(m->ended && below(r, 20) == 0) &&
	       m->nxt < MODEL_STREAM - 2 * LIMIT;
	     steps++) {
		struct model_segment s = any_segment(r, m, limit);

		if (below(r, 500) == 0)
			m->w->pressure = below(r, 3);
		agree = receive_model_segment(m, &s) &&
			(below(r, 3) != 0 || receive_model_ack(m, 1 + below(r, 4))) &&
			(below(r, 2) != 0 || receive_model_read(m, below(r, 3000)));
	}
	return receive_model_free(m) && agree ? steps : 0;
}

TEST(receive_model, agrees_on_any_overlaps_across_the_wrap)
{
	static const uint32_t limits[] = {2048, 8192, 32768};
	struct random r = {20240229};
	uint32_t steps = 0;

	for (uint32_t i = 0; steps < 100000 && i < 20000; i++) {
		uint32_t first = i % 2 == 0 ? 0u - below(&r, 65536) : below(&r, 1u << 31);
		uint32_t done = stream(&r, first, limits[i % 3]);

		EXPECT(done > 0);
		steps += done;
	}
	EXPECT(steps >= 100000);
}

TEST_MAIN("receive", RUN(receive, tells_bytes_and_the_end),
	  RUN(receive, takes_a_fin_alone_without_a_word_of_bytes),
	  RUN(receive, gives_back_the_packet_of_a_fin_alone), RUN(receive, is_peeked_at_any_offset),
	  RUN(receive, is_consumed_in_parts_and_across_packets),
	  RUN(receive, copies_a_flood_of_single_bytes_together),
	  RUN(receive, keeps_full_segments_in_their_packets),
	  RUN(receive, holds_what_it_has_advertised_whatever_the_segments),
	  RUN(receive, holds_what_it_has_advertised_when_sizes_are_chosen_against_it),
	  RUN(receive, refuses_what_it_has_never_advertised),
	  RUN(receive, drops_what_is_out_of_order_for_what_is_next),
	  RUN(receive, is_in_balance_after_a_drop),
	  RUN(receive_window, closes_to_zero_and_opens_by_an_ack_of_its_own),
	  RUN(receive_window, opens_by_a_segment_at_least),
	  RUN(receive_window, is_told_when_two_segments_more_are_free),
	  RUN(receive_window, counts_segments_of_its_family),
	  RUN(receive_window, of_a_small_buffer_opens_by_half_of_it),
	  RUN(receive_window, is_not_told_after_the_fin),
	  RUN(receive_window, is_small_under_pressure_but_what_was_advertised_is_honoured),
	  RUN(receive_window, takes_nothing_back_while_single_bytes_come),
	  RUN(receive_window, closes_though_single_bytes_come),
	  RUN(receive_window, takes_what_is_left_of_a_unit),
	  RUN(receive_window, without_scale_is_16_bits),
	  RUN(receive_window, with_scale_stays_within_16_bits),
	  RUN(receive_model, agrees_on_any_overlaps_across_the_wrap))
