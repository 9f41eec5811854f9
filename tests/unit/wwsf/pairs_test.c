/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"

#include "pairs.h"

/** Reads text as a file called pool.csv. */
static enum gw_err read_text(const char *text, struct pairs **pairs, struct reason *reason)
{
	struct file file = {strdup(text), (uint32_t)strlen(text)};

	*reason = (struct reason){""};
	return pairs_new("pool.csv", file, pairs, reason);
}

static void expect_refused(const char *text, const char *why)
{
	struct reason reason;
	struct pairs *pairs;

	EXPECT_EQ(GW_CONFIG, read_text(text, &pairs, &reason));
	EXPECT_TEXT(why, reason.text);
}

TEST(pairs, finds_a_pair_by_the_user_part_of_its_impu)
{
	struct reason reason;
	struct pairs *pairs;
	const struct pair *pair;

	EXPECT_EQ(GW_OK, read_text("b@ims.home1.net,sip:bob@home1.net\n"
				   "a@ims.home1.net,sip:alice@home1.net\n"
				   "c@ims.home1.net,tel:+18005550100\n",
				   &pairs, &reason));
	EXPECT_EQ(3, pairs_count(pairs));
	pair = pairs_find(pairs, SPAN("alice"));
	EXPECT(pair != NULL);
	EXPECT_TEXT("a@ims.home1.net", pair->impi);
	EXPECT_TEXT("sip:alice@home1.net", pair->impu);
	EXPECT_EQ(2, pair->line);
	EXPECT_TEXT("tel:+18005550100", pairs_find(pairs, SPAN("+18005550100"))->impu);
	pairs_free(pairs);
}

TEST(pairs, does_not_find_what_is_not_there)
{
	struct reason reason;
	struct pairs *pairs;

	EXPECT_EQ(GW_OK, read_text("a@x,sip:alice@home1.net", &pairs, &reason));
	EXPECT(pairs_find(pairs, SPAN("")) == NULL);
	EXPECT(pairs_find(pairs, SPAN("alic")) == NULL);
	EXPECT(pairs_find(pairs, SPAN("alice1")) == NULL);
	EXPECT(pairs_find(pairs, SPAN("Alice")) == NULL);
	EXPECT(pairs_find(pairs, SPAN("alice@home1.net")) == NULL);
	pairs_free(pairs);
}

TEST(pairs, passes_over_comments_empty_lines_and_white_space)
{
	struct reason reason;
	struct pairs *pairs;

	EXPECT_EQ(GW_OK,
		  read_text("# pool\r\n\r\n  a@x , sip:alice@home1.net \t\r\n\n", &pairs, &reason));
	EXPECT_EQ(1, pairs_count(pairs));
	EXPECT_TEXT("a@x", pairs_find(pairs, SPAN("alice"))->impi);
	EXPECT_TEXT("sip:alice@home1.net", pairs_find(pairs, SPAN("alice"))->impu);
	EXPECT_EQ(3, pairs_find(pairs, SPAN("alice"))->line);
	pairs_free(pairs);
}

TEST(pairs, takes_an_impu_without_an_impi)
{
	struct reason reason;
	struct pairs *pairs;

	EXPECT_EQ(GW_OK,
		  read_text(",sip:guest1@home1.net\n,sip:guest2@home1.net\n", &pairs, &reason));
	EXPECT_TEXT("", pairs_find(pairs, SPAN("guest2"))->impi);
	EXPECT_TEXT("sip:guest2@home1.net", pairs_find(pairs, SPAN("guest2"))->impu);
	pairs_free(pairs);
}

TEST(pairs, names_the_line_that_has_not_two_fields)
{
	expect_refused("a@x,sip:a@x\n#\nb@x\n", "pool.csv:3: not two fields, impi,impu");
	expect_refused("a@x,sip:a@x,c\n", "pool.csv:1: not two fields, impi,impu");
}

TEST(pairs, names_the_line_with_a_malformed_impi)
{
	expect_refused("a@x,sip:a@x\nbob,sip:b@x\n", "pool.csv:2: IMPI is not user@realm");
	expect_refused("@x,sip:b@x\n", "pool.csv:1: IMPI is not user@realm");
	expect_refused("b@,sip:b@x\n", "pool.csv:1: IMPI is not user@realm");
	expect_refused("b@x@y,sip:b@x\n", "pool.csv:1: IMPI is not user@realm");
	expect_refused("b b@x,sip:b@x\n", "pool.csv:1: IMPI is not user@realm");
	expect_refused("\"b\"@x,sip:b@x\n", "pool.csv:1: IMPI is not user@realm");
	expect_refused("b\xc3\xa9@x,sip:b@x\n", "pool.csv:1: IMPI is not user@realm");
}

TEST(pairs, names_the_line_with_a_malformed_impu)
{
	const char *why = "pool.csv:2: IMPU is neither sip:user@host nor tel:+digits";

	expect_refused("\na@x,alice@home1.net", why);
	expect_refused("\na@x,SIP:alice@home1.net", why);
	expect_refused("\na@x,sips:alice@home1.net", why);
	expect_refused("\na@x,sip:home1.net", why);
	expect_refused("\na@x,sip:alice@home1.net;user=phone", why);
	expect_refused("\na@x,sip:alice@home1.net:5060", why);
	expect_refused("\na@x,tel:18005550100", why);
	expect_refused("\na@x,tel:+1800-555", why);
	expect_refused("\na@x,tel:+", why);
	expect_refused("\na@x,", why);
}

TEST(pairs, names_both_lines_of_an_impi_given_twice)
{
	expect_refused("z@x,sip:z@x\na@x,sip:a@x\nz@x,sip:b@x\n",
		       "pool.csv:3: IMPI of line 1 again");
}

TEST(pairs, names_both_lines_of_a_user_part_given_twice)
{
	expect_refused("z@x,sip:alice@one.net\nb@x,sip:bob@x\na@x,sip:alice@two.net\n",
		       "pool.csv:3: user part of the IMPU of line 1 again");
}

TEST(pairs, refuses_a_file_without_a_pair)
{
	expect_refused("", "pool.csv: no pair in it");
	expect_refused("# nothing\n\n", "pool.csv: no pair in it");
}

/* Cut at every byte, a file of one pair is that pair, a shorter identity, or refused: never more.
 */
TEST(pairs, survives_a_file_cut_at_every_byte)
{
	static const char whole[] = "a@ims.home1.net,sip:alice@home1.net";

	for (size_t n = 0; n < sizeof(whole); n++) {
		char *text = strndup(whole, n);
		struct reason reason;
		struct pairs *pairs = NULL;

		if (read_text(text, &pairs, &reason) == GW_OK)
			EXPECT_TEXT(text + strlen("a@ims.home1.net,"),
				    pairs_find(pairs, SPAN("alice"))->impu);
		else
			EXPECT(n <= strlen("a@ims.home1.net,sip:alice@"));
		pairs_free(pairs);
		free(text);
	}
}

TEST(pairs, gives_the_user_part_of_an_impu)
{
	EXPECT_SPAN("alice", pairs_user(SPAN("sip:alice@home1.net")));
	EXPECT_SPAN("+1800", pairs_user(SPAN("tel:+1800")));
	EXPECT_SPAN("", pairs_user(SPAN("mailto:alice@home1.net")));
}

TEST_MAIN("wwsf_pairs", RUN(pairs, finds_a_pair_by_the_user_part_of_its_impu),
	  RUN(pairs, does_not_find_what_is_not_there),
	  RUN(pairs, passes_over_comments_empty_lines_and_white_space),
	  RUN(pairs, takes_an_impu_without_an_impi),
	  RUN(pairs, names_the_line_that_has_not_two_fields),
	  RUN(pairs, names_the_line_with_a_malformed_impi),
	  RUN(pairs, names_the_line_with_a_malformed_impu),
	  RUN(pairs, names_both_lines_of_an_impi_given_twice),
	  RUN(pairs, names_both_lines_of_a_user_part_given_twice),
	  RUN(pairs, refuses_a_file_without_a_pair), RUN(pairs, survives_a_file_cut_at_every_byte),
	  RUN(pairs, gives_the_user_part_of_an_impu))
