/* SPDX-License-Identifier: BSD-3-Clause */
#include "vector.h"
#include "walk.h"

static void expect_refusal(const struct vector *vector)
{
	struct span block = exact(bytes_span(&vector->frame));
	enum gw_err err = walk(block);

	if (err != vector->expected)
		print_error("%s: %s\n", vector->name, gw_err_text(err));
	EXPECT_EQ(vector->expected, err);
	exact_free(block);
}

/* The shortest that is whole: what a valid frame has behind that is padding, or cut off by UDP. */
static void expect_cuts_refused(const struct vector *vector)
{
	bool was_ok = false;

	for (uint32_t n = 0; n <= vector->frame.len; n++) {
		struct span block = exact(span_cut(bytes_span(&vector->frame), 0, n));
		bool ok = walk(block) == GW_OK;

		EXPECT(ok || !was_ok); /* once whole, more of it changes nothing */
		was_ok = ok;
		exact_free(block);
	}
	EXPECT(was_ok == (vector->expected == GW_OK));
}

static void expect_no_reading_past_the_end(const struct vector *vector)
{
	for (uint32_t n = 0; n <= vector->frame.len; n++) {
		struct span block = exact(span_cut(bytes_span(&vector->frame), 0, n));

		(void)walk(block);
		exact_free(block);
	}
}

static void expect_bits_survived(const struct vector *vector)
{
	for (uint32_t bit = 0; bit < vector->frame.len * 8; bit++) {
		struct bytes turned = vector->frame;
		struct span block;

		turned.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		block = exact(bytes_span(&turned));
		(void)walk(block);
		exact_free(block);
	}
}

static void expect_cuts(const struct vector *vector)
{
	if (vector->expected == GW_OK)
		expect_cuts_refused(vector);
	else
		expect_no_reading_past_the_end(vector);
}

TEST(vectors, are_refused_for_the_reason_in_the_table)
{
	EXPECT(vector_each(expect_refusal) > 100);
}

TEST(vectors, are_all_in_the_table)
{
	EXPECT_EQ(vector_files(), vector_each(expect_refusal));
}

TEST(vectors, cut_at_any_byte_are_never_read_past_their_end)
{
	vector_each(expect_cuts);
}

TEST(vectors, with_any_bit_turned_over_are_never_read_past_their_end)
{
	vector_each(expect_bits_survived);
}

TEST_MAIN("net_vectors", RUN(vectors, are_refused_for_the_reason_in_the_table),
	  RUN(vectors, are_all_in_the_table),
	  RUN(vectors, cut_at_any_byte_are_never_read_past_their_end),
	  RUN(vectors, with_any_bit_turned_over_are_never_read_past_their_end))
