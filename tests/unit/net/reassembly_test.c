/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "reassembly_model.h"

#define SECOND 1000000ull
#define START (5 * SECOND)
#define UDP 17

static struct ip_packet blank(bool v6, uint32_t id)
{
	struct ip_packet f = {
		.v6 = v6, .protocol = UDP, .hop_limit = 64, .fragment = true, .id = id};

	if (v6) {
		f.src = (struct ip_address){{0xfd, 0, 0, 0x18, [15] = 2}};
		f.dst = (struct ip_address){{0xfd, 0, 0, 0x18, [15] = 1}};
	} else {
		f.src = ip_address_v4((const uint8_t[]){198, 18, 0, 2});
		f.dst = ip_address_v4((const uint8_t[]){198, 18, 0, 1});
	}
	return f;
}

/** Fragment [from, end) of a datagram; the last one when it is not more. */
enum rest { MORE, LAST };
static struct ip_packet cut(struct span datagram, uint32_t from, uint32_t end, enum rest rest)
{
	struct ip_packet f = blank(true, 7);

	f.offset = (uint16_t)from;
	f.more = rest == MORE;
	f.payload = span_cut(datagram, from, end - from);
	return f;
}

static const uint8_t bytes[65536] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};

static struct span whole_of(uint32_t len)
{
	return span_of(bytes, len);
}

static enum gw_err add(struct reassembly *r, struct ip_packet fragment)
{
	struct ip_packet whole;

	return reassembly_add(r, &fragment, START, &whole);
}

/** One fragment [from, end) of zeros with the bytes of the table above. */
static enum gw_err add_cut(struct reassembly *r, uint32_t from, uint32_t end, enum rest rest)
{
	return add(r, cut(whole_of(sizeof(bytes)), from, end, rest));
}

TEST(reassembly, puts_fragments_together_in_order)
{
	struct reassembly *r = reassembly_new(2);
	struct ip_packet whole, f = cut(whole_of(20), 16, 20, LAST);

	EXPECT_EQ(GW_AGAIN, add_cut(r, 0, 16, MORE));
	EXPECT_EQ(1, reassembly_live(r));
	EXPECT_EQ(GW_OK, reassembly_add(r, &f, START, &whole));
	EXPECT(span_equal(whole.payload, whole_of(20)));
	EXPECT_EQ(0, reassembly_live(r));
	reassembly_free(r);
}

TEST(reassembly, puts_fragments_together_in_any_order)
{
	struct reassembly *r = reassembly_new(1);
	struct ip_packet whole, f = cut(whole_of(33), 8, 24, MORE);

	EXPECT_EQ(GW_AGAIN, add_cut(r, 24, 33, LAST));
	EXPECT_EQ(GW_AGAIN, add_cut(r, 0, 8, MORE));
	EXPECT_EQ(GW_OK, reassembly_add(r, &f, START, &whole));
	EXPECT(span_equal(whole.payload, whole_of(33)));
	reassembly_free(r);
}

TEST(reassembly, gives_the_packet_as_if_it_had_come_whole)
{
	struct reassembly *r = reassembly_new(1);
	struct ip_packet whole, last = cut(whole_of(20), 16, 20, LAST);
	struct ip_packet first = cut(whole_of(20), 0, 16, MORE);

	last.protocol = 60; /* what the fragment header of a later fragment says does not count */
	last.hop_limit = 3;
	EXPECT_EQ(GW_AGAIN, add(r, last));
	EXPECT_EQ(GW_OK, reassembly_add(r, &first, START, &whole));
	EXPECT_EQ(GW_OK, whole.err);
	EXPECT(whole.v6 && !whole.fragment && !whole.more);
	EXPECT_EQ(0, whole.offset);
	EXPECT_EQ(7, whole.id);
	EXPECT_EQ(UDP, whole.protocol);
	EXPECT_EQ(64, whole.hop_limit);
	EXPECT(ip_address_equal(&first.src, &whole.src) &&
	       ip_address_equal(&first.dst, &whole.dst));
	reassembly_free(r);
}

TEST(reassembly, takes_the_longest_datagram_that_there_is_and_no_longer_one)
{
	struct reassembly *r = reassembly_new(2);
	struct ip_packet whole, f = cut(whole_of(65535), 32768, 65535, LAST);

	EXPECT_EQ(GW_AGAIN, add_cut(r, 0, 32768, MORE));
	EXPECT_EQ(GW_OK, reassembly_add(r, &f, START, &whole));
	EXPECT(span_equal(whole.payload, whole_of(65535)));
	EXPECT_EQ(GW_IP_FRAGMENT_BAD, add_cut(r, 65528, 65536, LAST)); /* the ping of death */
	EXPECT_EQ(GW_IP_FRAGMENT_BAD, add_cut(r, 0, 8, MORE));
	reassembly_free(r);
}

/** A fragment that differs from one of datagram 7 in one field of the key opens another datagram.
 */
static void expect_apart(bool v6, struct ip_packet other)
{
	struct reassembly *r = reassembly_new(2);
	struct ip_packet first = blank(v6, 7), whole;

	first.more = true;
	first.payload = whole_of(8);
	other.offset = 8;
	other.payload = whole_of(8);
	EXPECT_EQ(GW_AGAIN, add(r, first));
	EXPECT_EQ(GW_AGAIN, reassembly_add(r, &other, START, &whole));
	EXPECT_EQ(2, reassembly_live(r));
	reassembly_free(r);
}

TEST(reassembly, keeps_datagrams_of_another_id_source_destination_or_family_apart)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct ip_packet other = blank(v6, 7);

		other.src.bytes[15] ^= 0x80;
		expect_apart(v6, other);
		other = blank(v6, 7);
		other.dst.bytes[15] ^= 0x80;
		expect_apart(v6, other);
		expect_apart(v6, blank(v6, 8));
		other = blank(v6, 7);
		other.v6 = !v6;
		expect_apart(v6, other);
	}
}

TEST(reassembly, keeps_protocols_apart_over_ipv4_only)
{
	struct reassembly *r = reassembly_new(2);
	struct ip_packet other = blank(false, 7), first = cut(whole_of(16), 0, 8, MORE);
	struct ip_packet last = cut(whole_of(16), 8, 16, LAST);

	other.protocol = 6;
	expect_apart(false, other);
	last.protocol = 6;
	EXPECT_EQ(GW_AGAIN, add(r, first));
	EXPECT_EQ(GW_OK, add(r, last)); /* IPv6: of the first fragment */
	reassembly_free(r);
}

TEST(reassembly, drops_an_exact_repetition_alone)
{
	struct reassembly *r = reassembly_new(1);

	EXPECT_EQ(GW_AGAIN, add_cut(r, 16, 20, LAST));
	EXPECT_EQ(GW_AGAIN, add_cut(r, 16, 20, LAST));
	EXPECT_EQ(GW_AGAIN, add_cut(r, 0, 8, MORE));
	EXPECT_EQ(GW_AGAIN, add_cut(r, 0, 8, MORE));
	EXPECT_EQ(GW_OK, add_cut(r, 8, 16, MORE));
	reassembly_free(r);
}

TEST(reassembly, ends_a_datagram_at_a_repetition_with_other_bytes)
{
	struct reassembly *r = reassembly_new(1);

	EXPECT_EQ(GW_AGAIN, add_cut(r, 0, 8, MORE));
	EXPECT_EQ(GW_IP_FRAGMENT_BAD, add(r, cut(SPAN("\1\2\3\4\5\6\7\7"), 0, 8, MORE)));
	EXPECT_EQ(GW_IP_FRAGMENT_BAD, add_cut(r, 8, 16, LAST)); /* and takes nothing more */
	EXPECT_EQ(1, reassembly_live(r));
	reassembly_free(r);
}

TEST(reassembly, ends_a_datagram_whose_fragment_is_repeated_as_the_last_one)
{
	struct reassembly *r = reassembly_new(1);

	EXPECT_EQ(GW_AGAIN, add_cut(r, 8, 16, MORE));
	EXPECT_EQ(GW_IP_FRAGMENT_BAD, add_cut(r, 8, 16, LAST));
	reassembly_free(r);
}

/** After [16, 32) and, if told, a last fragment up to 64: this one ends the datagram. */
static void expect_bad(uint32_t from, uint32_t end, enum rest rest, bool ended)
{
	struct reassembly *r = reassembly_new(1);

	EXPECT_EQ(GW_AGAIN, add_cut(r, 16, 32, MORE));
	if (ended)
		EXPECT_EQ(GW_AGAIN, add_cut(r, 56, 64, LAST));
	EXPECT_EQ(GW_IP_FRAGMENT_BAD, add_cut(r, from, end, rest));
	EXPECT_EQ(GW_IP_FRAGMENT_BAD, add_cut(r, 0, 16, MORE));
	EXPECT_EQ(1, reassembly_live(r));			   /* until its time is over */
	EXPECT_EQ(0, reassembly_expire(r, START + REASSEMBLY_US)); /* counted as bad, not as late */
	EXPECT_EQ(0, reassembly_live(r));
	reassembly_free(r);
}

TEST(reassembly, ends_a_datagram_at_an_overlap_on_the_left_on_the_right_inside_and_around)
{
	expect_bad(8, 24, MORE, false);
	expect_bad(24, 40, MORE, false);
	expect_bad(8, 40, MORE, false);
	expect_bad(24, 25, LAST, false);
	expect_bad(24, 41, LAST, false); /* teardrop */
	expect_bad(32, 64, MORE, true);
}

TEST(reassembly, ends_a_datagram_at_a_staircase_of_overlaps)
{
	struct reassembly *r = reassembly_new(1);

	EXPECT_EQ(GW_AGAIN, add_cut(r, 0, 64, MORE));
	for (uint32_t step = 8; step < 65000; step += 8)
		EXPECT_EQ(GW_IP_FRAGMENT_BAD, add_cut(r, step, step + 64, MORE));
	EXPECT_EQ(1, reassembly_live(r));
	reassembly_free(r);
}

TEST(reassembly, ends_a_datagram_whose_fragments_disagree_on_its_end)
{
	expect_bad(64, 72, LAST, true); /* longer */
	expect_bad(48, 56, LAST, true); /* shorter */
	expect_bad(64, 72, MORE, true); /* more behind the end */
	expect_bad(56, 64, MORE, true); /* the last one is not the last */
	expect_bad(48, 72, MORE, true);
	expect_bad(8, 16, LAST, false); /* ends before what is there */
}

TEST(reassembly, refuses_fragments_of_a_wrong_shape)
{
	expect_bad(40, 40, MORE, false); /* of no bytes */
	expect_bad(40, 40, LAST, false);
	expect_bad(40, 47, MORE, false); /* not whole units, and more to come */
	expect_bad(44, 52, MORE, false); /* not at a unit */
	expect_bad(65528, 65536, MORE, false);
	expect_bad(65528, 65536, LAST, false);
}

TEST(reassembly, ends_a_datagram_even_when_its_first_fragment_to_come_is_bad)
{
	struct reassembly *r = reassembly_new(1);

	EXPECT_EQ(GW_IP_FRAGMENT_BAD, add_cut(r, 0, 7, MORE));
	EXPECT_EQ(GW_IP_FRAGMENT_BAD, add_cut(r, 0, 8, MORE));
	EXPECT_EQ(GW_IP_FRAGMENT_BAD, add_cut(r, 8, 16, LAST));
	reassembly_free(r);
}

TEST(reassembly, puts_the_tiniest_fragments_together)
{
	struct reassembly *r = reassembly_new(1);
	struct ip_packet whole, last = cut(whole_of(65535), 65528, 65535, LAST);

	for (uint32_t from = 65520; from > 0; from -= 8) /* the worst order, 8191 of them */
		EXPECT_EQ(GW_AGAIN, add_cut(r, from, from + 8, MORE));
	EXPECT_EQ(GW_AGAIN, add_cut(r, 0, 8, MORE));
	EXPECT_EQ(GW_OK, reassembly_add(r, &last, START, &whole));
	EXPECT(span_equal(whole.payload, whole_of(65535)));
	reassembly_free(r);
}

TEST(reassembly, takes_an_atomic_fragment_as_whole_and_needs_no_room_for_it)
{
	struct reassembly *r = reassembly_new(1);
	struct ip_packet whole, f = cut(whole_of(20), 0, 20, LAST);

	EXPECT_EQ(GW_AGAIN, add_cut(r, 8, 16, MORE)); /* of the same id: the only room is taken */
	EXPECT_EQ(GW_OK, reassembly_add(r, &f, START, &whole));
	EXPECT(!whole.fragment);
	EXPECT_EQ(UDP, whole.protocol);
	EXPECT(span_equal(whole.payload, whole_of(20)));
	EXPECT_EQ(GW_AGAIN, add_cut(r, 0, 8, MORE)); /* RFC 6946: that other datagram goes on */
	EXPECT_EQ(GW_OK, add_cut(r, 16, 20, LAST));
	reassembly_free(r);
}

TEST(reassembly, gives_up_a_datagram_after_two_seconds)
{
	struct reassembly *r = reassembly_new(2);

	EXPECT_EQ(UINT64_MAX, reassembly_next_us(r));
	EXPECT_EQ(GW_AGAIN, add_cut(r, 0, 8, MORE));
	EXPECT_EQ(START + REASSEMBLY_US, reassembly_next_us(r));
	EXPECT_EQ(0, reassembly_expire(r, START + REASSEMBLY_US - 1));
	EXPECT_EQ(1, reassembly_live(r));
	EXPECT_EQ(1, reassembly_expire(r, START + REASSEMBLY_US));
	EXPECT_EQ(0, reassembly_live(r));
	EXPECT_EQ(UINT64_MAX, reassembly_next_us(r));
	EXPECT_EQ(GW_AGAIN, add_cut(r, 8, 16, LAST)); /* too late: the first one is gone */
	reassembly_free(r);
}

TEST(reassembly, does_not_join_a_fragment_to_a_datagram_whose_time_is_over)
{
	struct reassembly *r = reassembly_new(2);
	struct ip_packet whole, last = cut(whole_of(16), 8, 16, LAST);

	EXPECT_EQ(GW_AGAIN, add_cut(r, 0, 8, MORE));
	EXPECT_EQ(GW_AGAIN, reassembly_add(r, &last, START + REASSEMBLY_US, &whole));
	EXPECT_EQ(2, reassembly_live(r));
	EXPECT_EQ(1, reassembly_expire(r, START + REASSEMBLY_US));
	EXPECT_EQ(1, reassembly_live(r));
	reassembly_free(r);
}

TEST(reassembly, begins_anew_with_the_id_of_a_bad_datagram_when_its_time_is_over)
{
	struct reassembly *r = reassembly_new(1);
	struct ip_packet whole, first = cut(whole_of(16), 0, 8, MORE);
	struct ip_packet last = cut(whole_of(16), 8, 16, LAST);

	EXPECT_EQ(GW_IP_FRAGMENT_BAD, add_cut(r, 0, 7, MORE));
	EXPECT_EQ(0, reassembly_expire(r, START + REASSEMBLY_US));
	EXPECT_EQ(GW_AGAIN, reassembly_add(r, &first, START + REASSEMBLY_US, &whole));
	EXPECT_EQ(GW_OK, reassembly_add(r, &last, START + REASSEMBLY_US, &whole));
	reassembly_free(r);
}

TEST(reassembly, is_bounded_under_a_flood_of_datagrams_that_never_end)
{
	struct reassembly *r = reassembly_new(8);
	uint32_t taken = 0, given_up = 0, most = 0;
	struct ip_packet whole;

	for (uint32_t id = 0; id < 100000; id++) { /* 10 s at 10,000 a second */
		uint64_t now_us = START + id * 100ull;
		struct ip_packet f = blank(true, id);
		enum gw_err err;

		f.more = true;
		f.payload = whole_of(8);
		given_up += reassembly_expire(r, now_us);
		err = reassembly_add(r, &f, now_us, &whole);
		EXPECT(err == GW_AGAIN || err == GW_IP_REASSEMBLY_FULL);
		taken += err == GW_AGAIN;
		if (reassembly_live(r) > most)
			most = reassembly_live(r);
	}
	EXPECT_EQ(8, most);
	EXPECT_EQ(5 * 8, taken); /* 8 in each 2 s; nothing is put out before its time */
	EXPECT_EQ(taken - reassembly_live(r), given_up);
	reassembly_free(r);
}

TEST(reassembly, lets_a_datagram_end_though_all_room_is_taken)
{
	struct reassembly *r = reassembly_new(1);
	struct ip_packet other = blank(true, 8);

	other.more = true;
	other.payload = whole_of(8);
	EXPECT_EQ(GW_AGAIN, add_cut(r, 0, 8, MORE));
	EXPECT_EQ(GW_IP_REASSEMBLY_FULL, add(r, other));
	EXPECT_EQ(GW_OK, add_cut(r, 8, 16, LAST));
	EXPECT_EQ(GW_AGAIN, add(r, other));
	reassembly_free(r);
}

TEST(reassembly, shows_nothing_of_an_earlier_datagram)
{
	struct reassembly *r = reassembly_new(1);
	struct ip_packet whole, last = cut(SPAN("12345678abcdefgh"), 8, 16, LAST);

	EXPECT_EQ(GW_AGAIN, add_cut(r, 0, 8, MORE));
	EXPECT_EQ(GW_OK, add_cut(r, 8, 17, LAST));
	EXPECT_EQ(GW_AGAIN, reassembly_add(r, &last, START, &whole)); /* the hole counts */
	EXPECT_EQ(GW_OK, add_cut(r, 0, 8, MORE));
	reassembly_free(r);
}

TEST(reassembly, needs_room_for_one_datagram)
{
	EXPECT(reassembly_new(0) == NULL);
	reassembly_free(NULL);
}

/* ---- against the model -------------------------------------------------------------------------
 */

#define ROUNDS 4000
#define PIECES_MAX 64
#define MISCHIEF_IN 4 /* every fourth round has bad fragments */

struct dice {
	uint64_t state;
};

/* SplitMix64 */
static uint32_t roll(struct dice *dice, uint32_t sides)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) % sides);
}

struct pieces {
	struct ip_packet piece[PIECES_MAX];
	uint32_t count;
};

/** Cuts datagram into at most half of what fits, so that there is room for repetitions. */
static void cut_all(struct dice *dice, struct ip_packet like, struct span datagram,
		    struct pieces *all)
{
	uint32_t step = (datagram.len / (PIECES_MAX / 4 - 1) + 8) / 8;

	for (uint32_t from = 0, len; from < datagram.len && all->count < PIECES_MAX; from += len) {
		struct ip_packet *f = &all->piece[all->count++];

		len = (step + roll(dice, step + 1)) * 8;
		*f = like;
		f->offset = (uint16_t)from;
		f->payload = span_cut(datagram, from, len);
		f->more = from + len < datagram.len;
	}
}

static void repeat_some(struct dice *dice, struct pieces *all)
{
	for (uint32_t i = roll(dice, 4); i > 0 && all->count < PIECES_MAX; i--)
		all->piece[all->count] = all->piece[roll(dice, all->count)], all->count++;
}

/** Moves, shortens, lengthens or re-labels one fragment, or gives it other bytes. */
static void spoil_one(struct dice *dice, struct pieces *all, struct span noise)
{
	struct ip_packet *f = &all->piece[roll(dice, all->count)];

	switch (roll(dice, 6)) {
	case 0:
		f->more = !f->more;
		break;
	case 1:
		f->offset = (uint16_t)(f->offset + 8 * (roll(dice, 5) - 2));
		break;
	case 2:
		f->payload = span_cut(f->payload, 0, roll(dice, f->payload.len + 1));
		break;
	case 3:
		f->payload = span_cut(noise, roll(dice, 2048), f->payload.len);
		break;
	case 4:
		f->payload = span_cut(noise, f->offset, f->payload.len + roll(dice, 3) * 8);
		break;
	default:
		f->id ^= 1;
		break;
	}
}

static void shuffle(struct dice *dice, struct pieces *all)
{
	for (uint32_t i = all->count; i > 1; i--) {
		uint32_t other = roll(dice, i);
		struct ip_packet kept = all->piece[i - 1];

		all->piece[i - 1] = all->piece[other];
		all->piece[other] = kept;
	}
}

static uint32_t random_len(struct dice *dice)
{
	return 9 + roll(dice, roll(dice, 50) == 0 ? 65500 : 3000);
}

/** Two datagrams at a time. Returns how many came out whole. */
static uint32_t play_round(struct dice *dice, struct reassembly_pair *pair, uint64_t now_us,
			   struct span noise, bool mischief)
{
	struct pieces all = {.count = 0};
	uint32_t whole = 0;

	for (uint32_t id = 0; id < 2; id++) {
		struct ip_packet like = blank(roll(dice, 2) == 0, id * 2);
		struct span datagram = span_cut(noise, 0, random_len(dice));

		cut_all(dice, like, datagram, &all);
	}
	if (mischief)
		repeat_some(dice, &all);
	for (uint32_t i = mischief ? 1 + roll(dice, 3) : 0; i > 0; i--)
		spoil_one(dice, &all, noise);
	shuffle(dice, &all);
	for (uint32_t i = 0; i < all.count; i++) {
		struct reassembly_seen seen = reassembly_pair_add(pair, &all.piece[i], now_us + i);

		EXPECT(seen.agree);
		whole += seen.err == GW_OK;
	}
	return whole;
}

TEST(reassembly, agrees_with_a_byte_by_byte_model_over_thousands_of_random_datagrams)
{
	static uint8_t noise[65536 + 4096];
	struct reassembly_pair *pair = reassembly_pair_new(4);
	struct dice dice = {20240229};
	uint64_t now_us = START;

	for (uint32_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)roll(&dice, 256);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		struct span all = span_of(noise, sizeof(noise));

		if (round % MISCHIEF_IN == 0) { /* what is left of it is in the way of the next */
			play_round(&dice, pair, now_us, all, true);
			now_us += PIECES_MAX + roll(&dice, 3) * SECOND;
			EXPECT(reassembly_pair_expire(pair, now_us));
			play_round(&dice, pair, now_us, all, true);
			now_us += PIECES_MAX + REASSEMBLY_US;
		} else {
			EXPECT_EQ(2, play_round(&dice, pair, now_us, all, false));
			now_us += PIECES_MAX;
		}
		EXPECT(reassembly_pair_expire(pair, now_us));
	}
	reassembly_pair_free(pair);
}

TEST_MAIN("reassembly", RUN(reassembly, puts_fragments_together_in_order),
	  RUN(reassembly, puts_fragments_together_in_any_order),
	  RUN(reassembly, gives_the_packet_as_if_it_had_come_whole),
	  RUN(reassembly, takes_the_longest_datagram_that_there_is_and_no_longer_one),
	  RUN(reassembly, keeps_datagrams_of_another_id_source_destination_or_family_apart),
	  RUN(reassembly, keeps_protocols_apart_over_ipv4_only),
	  RUN(reassembly, drops_an_exact_repetition_alone),
	  RUN(reassembly, ends_a_datagram_at_a_repetition_with_other_bytes),
	  RUN(reassembly, ends_a_datagram_whose_fragment_is_repeated_as_the_last_one),
	  RUN(reassembly, ends_a_datagram_at_an_overlap_on_the_left_on_the_right_inside_and_around),
	  RUN(reassembly, ends_a_datagram_at_a_staircase_of_overlaps),
	  RUN(reassembly, ends_a_datagram_whose_fragments_disagree_on_its_end),
	  RUN(reassembly, refuses_fragments_of_a_wrong_shape),
	  RUN(reassembly, ends_a_datagram_even_when_its_first_fragment_to_come_is_bad),
	  RUN(reassembly, puts_the_tiniest_fragments_together),
	  RUN(reassembly, takes_an_atomic_fragment_as_whole_and_needs_no_room_for_it),
	  RUN(reassembly, gives_up_a_datagram_after_two_seconds),
	  RUN(reassembly, does_not_join_a_fragment_to_a_datagram_whose_time_is_over),
	  RUN(reassembly, begins_anew_with_the_id_of_a_bad_datagram_when_its_time_is_over),
	  RUN(reassembly, is_bounded_under_a_flood_of_datagrams_that_never_end),
	  RUN(reassembly, lets_a_datagram_end_though_all_room_is_taken),
	  RUN(reassembly, shows_nothing_of_an_earlier_datagram),
	  RUN(reassembly, needs_room_for_one_datagram),
	  RUN(reassembly, agrees_with_a_byte_by_byte_model_over_thousands_of_random_datagrams))
