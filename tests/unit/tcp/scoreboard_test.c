/* SPDX-License-Identifier: BSD-3-Clause */
#include "recovery_bench.h"
#include "test.h"

/* ---- records and acknowledgements
 * ---------------------------------------------------------------- */

TEST(scoreboard, gives_acknowledged_records_back)
{
	struct bench *b = bench_new();

	bench_send(b, 3);
	EXPECT_EQ(3 * MSS, b->tcb.pipe);
	bench_ack(b, 2);
	EXPECT_EQ(1, packet_pool_live(b->pool));
	EXPECT_EQ(1, b->tcb.send_packets);
	EXPECT_EQ(MSS, b->tcb.pipe);
	bench_ack(b, 3);
	EXPECT(b->tcb.send_first == NULL);
	EXPECT(b->tcb.send_last == NULL);
	EXPECT_EQ(0, b->tcb.pipe);
	EXPECT(bench_free(b));
}

TEST(scoreboard, keeps_what_was_never_sent)
{
	struct bench *b = bench_new();

	bench_send(b, 1);
	bench_write(b, 2, 300);
	bench_ack(b, 1);
	EXPECT(b->tcb.send_first == b->tcb.send_unsent);
	EXPECT_EQ(2, b->tcb.send_packets);
	EXPECT(bench_free(b));
}

TEST(scoreboard, cuts_a_record_that_is_acknowledged_in_part)
{
	struct bench *b = bench_new();

	bench_send(b, 2);
	bench_told(b, &(struct told){.ack = 300});
	EXPECT_EQ(700, packet_len(b->tcb.send_first));
	EXPECT_EQ(2 * MSS - 300, b->tcb.pipe);
	EXPECT(bench_free(b));
}

TEST(scoreboard, waits_for_the_fin_when_only_its_bytes_are_acknowledged)
{
	struct bench *b = bench_new();

	bench_write(b, 1, 500);
	send_record(b->tcb.send_last)->len++;
	send_record(b->tcb.send_last)->flags |= SEND_FIN;
	b->tcb.snd_end++;
	EXPECT_EQ(1, bench_output(b));
	bench_told(b, &(struct told){.ack = 500});
	EXPECT_EQ(1, b->tcb.pipe);
	EXPECT_EQ(0, packet_len(b->tcb.send_first));
	EXPECT(bench_deadline(b) != UINT32_MAX);
	bench_told(b, &(struct told){.ack = 501});
	EXPECT(b->tcb.send_first == NULL);
	EXPECT_EQ(UINT32_MAX, bench_deadline(b));
	EXPECT(bench_free(b));
}

TEST(scoreboard, takes_no_partly_covered_segment_for_delivered)
{
	struct bench *b = bench_new();

	bench_send(b, 4);
	bench_pass(b, 20000);
	bench_told(b, &(struct told){.sacks = 1, .sack = {{MSS + 1, 3 * MSS}}});
	EXPECT((bench_record(b, MSS)->flags & SEND_SACKED) == 0);
	EXPECT((bench_record(b, 2 * MSS)->flags & SEND_SACKED) != 0);
	EXPECT_EQ(3 * MSS, b->tcb.pipe);
	EXPECT(bench_free(b));
}

/* gvisor #14092: what was SACKed, and is acknowledged later, leaves pipe once. */
TEST(scoreboard, counts_a_segment_that_was_sacked_and_then_acknowledged_once)
{
	struct bench *b = bench_new();

	bench_send(b, 4);
	bench_pass(b, 20000);
	bench_sack(b, 0, 2, 4);
	EXPECT_EQ(2 * MSS, b->tcb.pipe);
	bench_ack(b, 4);
	EXPECT_EQ(0, b->tcb.pipe);
	bench_send(b, 1);
	EXPECT_EQ(MSS, b->tcb.pipe);
	EXPECT(bench_free(b));
}

/* ---- blocks that make no sense
 * ------------------------------------------------------------------- */

static void scoreboard_ignores(uint32_t start, uint32_t end)
{
	struct bench *b = bench_new();

	bench_send(b, 6);
	bench_ack(b, 1);
	bench_told(b, &(struct told){.ack = MSS, .sacks = 1, .sack = {{start, end}}});
	EXPECT_EQ(5 * MSS, b->tcb.pipe);
	EXPECT_EQ(1, b->tcb.rec.garbage);
	EXPECT_EQ(b->tcb.snd_una, b->tcb.rec.fack);
	EXPECT(bench_free(b));
}

/* VPP-1879 among them: an edge on each side of what was sent. */
TEST(scoreboard, ignores_blocks_with_edges_where_nothing_was_sent)
{
	scoreboard_ignores(3 * MSS, 3 * MSS);			/* empty */
	scoreboard_ignores(4 * MSS, 3 * MSS);			/* inverted */
	scoreboard_ignores(3 * MSS, 7 * MSS);			/* beyond snd_nxt */
	scoreboard_ignores(7 * MSS, 8 * MSS);			/* all of it */
	scoreboard_ignores(7 * MSS, 3 * MSS);			/* start beyond, end within */
	scoreboard_ignores(0, 3 * MSS);				/* across snd_una */
	scoreboard_ignores(MSS + 0x7fffffff, MSS - 2);		/* each edge right by itself */
	scoreboard_ignores(MSS - 0x7fffffff, MSS - 0x7ffffff0); /* a DSACK from far away */
}

TEST(scoreboard, takes_the_blocks_beside_one_that_makes_no_sense)
{
	struct bench *b = bench_new();

	bench_send(b, 6);
	bench_pass(b, 20000);
	bench_told(b,
		   &(struct told){.sacks = 2, .sack = {{9 * MSS, 10 * MSS}, {4 * MSS, 5 * MSS}}});
	EXPECT_EQ(5 * MSS, b->tcb.pipe);
	EXPECT_EQ(0, b->tcb.rec.garbage);
	EXPECT(bench_free(b));
}

TEST(scoreboard, switches_sack_off_after_three_that_make_no_sense)
{
	struct bench *b = bench_new();

	bench_send(b, 6);
	bench_pass(b, 20000);
	bench_sack(b, 0, 3, 4);
	EXPECT_EQ(5 * MSS, b->tcb.pipe);
	for (uint32_t i = 0; i < 3; i++) {
		EXPECT((b->tcb.flags & TCB_SACK) != 0);
		bench_sack(b, 0, 100, 101);
	}
	EXPECT((b->tcb.flags & TCB_SACK) == 0);
	EXPECT_EQ(1, b->counters.tcp_recoveries); /* those were duplicates too */
	EXPECT_EQ(5 * MSS, b->tcb.pipe);	  /* the first is lost, nothing is SACKed */
	EXPECT((bench_record(b, 3 * MSS)->flags & SEND_SACKED) == 0);
	bench_sack(b, 0, 3, 4); /* not listened to any more */
	EXPECT((bench_record(b, 3 * MSS)->flags & SEND_SACKED) == 0);
	EXPECT(bench_free(b));
}

TEST(scoreboard, forgives_garbage_when_a_block_makes_sense_again)
{
	struct bench *b = bench_new();

	bench_send(b, 6);
	bench_pass(b, 20000);
	for (uint32_t i = 0; i < 6; i++) {
		bench_sack(b, 0, 100, 101);
		bench_sack(b, 0, 100, 101);
		bench_sack(b, 0, 5, 6);
	}
	EXPECT((b->tcb.flags & TCB_SACK) != 0);
	EXPECT(bench_free(b));
}

/* ---- work
 * ---------------------------------------------------------------------------------------- */

TEST(scoreboard, does_bounded_work_for_four_blocks_over_512_segments)
{
	struct bench *b = bench_new();
	struct told told = {.sacks = 4};

	b->tcb.cwnd = CWND_MAX;
	bench_write(b, 512, 500);
	EXPECT_EQ(512, bench_output(b));
	bench_pass(b, 20000);
	for (uint32_t i = 0; i + 8 < 512; i += 8) {
		for (uint32_t j = 0; j < 4; j++)
			told.sack[j] =
				(struct tcp_block){(i + 2 * j + 1) * 500, (i + 2 * j + 2) * 500};
		bench_told(b, &told);
		EXPECT(b->tcp.work <= 4096);
		(void)bench_output(b);
		bench_pass(b, 1000);
	}
	bench_told(b, &(struct told){.ack = 512 * 500});
	EXPECT(b->tcp.work <= 4096);
	EXPECT(bench_free(b));
}

/* ---- against a map of bytes
 * ---------------------------------------------------------------------- */

#define MAP_BYTES 40000u

struct map {
	uint32_t una, nxt;
	uint8_t had[MAP_BYTES]; /* by position % MAP_BYTES: in one block, of one ACK, with its
				   record */
};

static uint32_t dice(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/* What an ACK that was told means, byte by byte and record by record. */
static void map_tell(struct map *map, struct bench *b, const struct told *told)
{
	for (; map->una != told->ack; map->una++)
		map->had[map->una % MAP_BYTES] = 0;
	for (uint32_t i = 0; i < told->sacks; i++) {
		uint64_t start = told->sack[i].start, end = told->sack[i].end;

		if (start >= end || start < map->una || end > map->nxt)
			continue;
		for (struct rte_mbuf *m = b->tcb.send_first; m != NULL; m = send_record(m)->next) {
			uint32_t at = send_record(m)->seq - b->first, len = send_record(m)->len;

			if (at < map->una) { /* to be cut: what is left counts */
				len -= smaller(len, map->una - at);
				at = map->una;
			}
			if (len > 0 && at >= start && at + len <= end)
				for (uint32_t k = 0; k < len; k++)
					map->had[(at + k) % MAP_BYTES] = 1;
		}
	}
}

static bool map_agrees(const struct map *map, struct bench *b)
{
	uint32_t at = map->una;

	for (struct rte_mbuf *m = b->tcb.send_first; m != NULL; m = send_record(m)->next) {
		const struct send_record *r = send_record(m);
		bool sacked = (r->flags & SEND_SACKED) != 0;

		if ((r->flags & SEND_SENT) == 0)
			break;
		for (uint32_t k = 0; k < r->len; k++, at++)
			if ((map->had[at % MAP_BYTES] != 0) != sacked)
				return false;
	}
	return at == map->nxt && b->tcb.snd_una == b->first + map->una;
}

/* Mostly sensible, often not; never from snd_una on, which would be reneging. */
static void told_roll(struct told *told, const struct map *map, uint64_t *state)
{
	uint32_t span = map->nxt - map->una;

	*told = (struct told){.ack = map->una};
	if (dice(state) % 3 == 0)
		told->ack += dice(state) % (smaller(span, 2500) + 1);
	while (told->ack != map->nxt && map->had[told->ack % MAP_BYTES] != 0)
		told->ack++;
	told->sacks = dice(state) % 5;
	for (uint32_t i = 0; i < told->sacks; i++) {
		uint32_t start = told->ack + 1 + dice(state) % (span + 1);

		told->sack[i] = (struct tcp_block){start, start + dice(state) % 4000};
		if (dice(state) % 16 == 0)
			told->sack[i].start -= dice(state) % 100000;
		if (dice(state) % 16 == 0)
			told->sack[i].end = start - dice(state) % 9000;
	}
}

/* Positions of the map are 32 bit: no block may come around. */
static bool told_wraps(const struct told *told)
{
	for (uint32_t i = 0; i < told->sacks; i++)
		if (told->sack[i].start > UINT32_MAX - 200000 ||
		    told->sack[i].end > UINT32_MAX - 200000)
			return true;
	return false;
}

TEST(scoreboard, agrees_with_a_map_of_bytes_in_100000_steps)
{
	struct bench *b = bench_new();
	struct map *map = calloc(1, sizeof(*map));
	uint64_t seed = 4;
	struct told told;
	uint32_t told_count = 0;

	for (uint32_t i = 0; i < 100000; i++) {
		b->tcb.cwnd = 30000;
		while (b->tcb.snd_end - b->tcb.snd_una < 20000)
			bench_write(b, 1, 1 + dice(&seed) % MSS);
		(void)bench_output(b);
		map->nxt = b->tcb.snd_nxt - b->first;
		told_roll(&told, map, &seed);
		if (told_wraps(&told))
			continue;
		map_tell(map, b, &told);
		b->tcb.flags |= TCB_SACK;
		b->tcb.rec.garbage = 0;
		bench_told(b, &told);
		EXPECT(map_agrees(map, b));
		EXPECT(b->tcp.work <= 4096);
		bench_pass(b, dice(&seed) % 3000); /* and no timeout: the second in a row forgets */
		told_count++;
	}
	EXPECT(told_count > 50000);
	EXPECT(map->una > 1000000);
	free(map);
	EXPECT(bench_free(b));
}

TEST_MAIN("tcp_scoreboard", RUN(scoreboard, gives_acknowledged_records_back),
	  RUN(scoreboard, keeps_what_was_never_sent),
	  RUN(scoreboard, cuts_a_record_that_is_acknowledged_in_part),
	  RUN(scoreboard, waits_for_the_fin_when_only_its_bytes_are_acknowledged),
	  RUN(scoreboard, takes_no_partly_covered_segment_for_delivered),
	  RUN(scoreboard, counts_a_segment_that_was_sacked_and_then_acknowledged_once),
	  RUN(scoreboard, ignores_blocks_with_edges_where_nothing_was_sent),
	  RUN(scoreboard, takes_the_blocks_beside_one_that_makes_no_sense),
	  RUN(scoreboard, switches_sack_off_after_three_that_make_no_sense),
	  RUN(scoreboard, forgives_garbage_when_a_block_makes_sense_again),
	  RUN(scoreboard, does_bounded_work_for_four_blocks_over_512_segments),
	  RUN(scoreboard, agrees_with_a_map_of_bytes_in_100000_steps))
