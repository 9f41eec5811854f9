/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "../test.h"
#include "control/pairs.h"
#include "folder.h"
#include "identity/identity.h"

struct read {
	struct folder folder;
	struct problems *problems;
	struct pairs *pairs;
};

static void begin(struct read *r, const char *text)
{
	folder_make(&r->folder);
	folder_write(&r->folder, "p.csv", text);
	r->problems = problems_new();
	r->pairs = pairs_load(folder_path(&r->folder, "p.csv"), "wicgate.yaml", 3, r->problems);
	assert_non_null(r->pairs);
}

static void end(struct read *r)
{
	pairs_free(r->pairs);
	problems_free(r->problems);
	folder_remove(&r->folder);
}

static const char *said(const struct read *r, uint32_t i)
{
	assert_true(i < problems_count(r->problems));
	return problems_text(r->problems, i) + strlen(r->folder.path) + 1;
}

TEST(pairs, makes_the_table_that_workers_read)
{
	struct pair_table table;
	struct read r;

	begin(&r, "# who may come\n\n  alice@Home1.NET , sip:alice@HOME1.net:5060;x=y \r\n"
		  "bob@home1.net,tel:+1-800-555-0100\n"
		  "bob@home1.net,sip:bob@home1.net");
	EXPECT_EQ(0, problems_count(r.problems));
	EXPECT_EQ(3, pairs_count(r.pairs));
	pairs_give(r.pairs, &table);
	r.pairs = NULL;
	EXPECT_EQ(3, table.count);
	EXPECT_EQ(GW_OK,
		  identity_allowed(&table, SPAN("alice@home1.net"), SPAN("sip:alice@home1.net")));
	EXPECT_EQ(GW_OK, identity_allowed(&table, SPAN("bob@home1.net"), SPAN("tel:+18005550100")));
	EXPECT_EQ(GW_IDENTITY_FOREIGN,
		  identity_allowed(&table, SPAN("alice@home1.net"), SPAN("sip:bob@home1.net")));
	pairs_table_free(&table);
	end(&r);
}

TEST(pairs, holds_many_and_finds_every_one)
{
	enum { MANY = 5000 };
	char *text = malloc(MANY * 64), *at = text;
	struct pair_table table;
	char impi[32], impu[32];
	struct read r;

	for (int i = 0; i < MANY; i++)
		at += sprintf(at, "u%d@home1.net,sip:u%d@home1.net\n", i, i);
	begin(&r, text);
	EXPECT_EQ(MANY, pairs_count(r.pairs));
	pairs_give(r.pairs, &table);
	r.pairs = NULL;
	EXPECT(table.mask + 1 >= 2 * MANY);
	for (int i = 0; i < MANY; i++) {
		sprintf(impi, "u%d@home1.net", i);
		sprintf(impu, "sip:u%d@home1.net", i);
		EXPECT_EQ(GW_OK, identity_allowed(&table, span_text(impi), span_text(impu)));
	}
	pairs_table_free(&table);
	end(&r);
	free(text);
}

TEST(pairs, says_the_line_of_every_fault_and_goes_on)
{
	struct read r;

	begin(&r, "alice\n"
		  "alice@home1.net,sip:alice@home1.net\n"
		  "alice,sip:alice@home1.net\n"
		  "alice@home1.net,mailto:alice@home1.net\n"
		  "alice@HOME1.net,sip:%61lice@home1.net\n");
	EXPECT_EQ(4, problems_errors(r.problems));
	EXPECT_TEXT("p.csv:1: not a pair impi,impu", said(&r, 0));
	EXPECT_TEXT("p.csv:3: not a private identity user@realm before the comma", said(&r, 1));
	EXPECT_TEXT("p.csv:4: not a public identity, a sip or tel URI, after the comma",
		    said(&r, 2));
	EXPECT_TEXT("p.csv:5: the pair of line 2 again", said(&r, 3));
	EXPECT_EQ(1, pairs_count(r.pairs));
	end(&r);
}

TEST(pairs, refuses_a_line_longer_than_any_pair)
{
	char text[PAIRS_LINE_MAX + 64];
	struct read r;

	memset(text, 'a', sizeof(text));
	strcpy(text + PAIRS_LINE_MAX + 1, "\nalice@home1.net,sip:alice@home1.net\n");
	begin(&r, text);
	EXPECT_EQ(1, problems_errors(r.problems));
	EXPECT_TEXT("p.csv:1: line longer than 2048 bytes", said(&r, 0));
	EXPECT_EQ(1, pairs_count(r.pairs));
	end(&r);
}

TEST(pairs, never_show_an_identity_in_a_problem)
{
	struct read r;

	begin(&r, "alice@home1.net,sip:alice@home1.net\nalice@home1.net,sip:alice@home1.net\n"
		  "alice@home1.net,alice@home1.net\nalice;sip:alice@home1.net\n");
	EXPECT_EQ(3, problems_errors(r.problems));
	for (uint32_t i = 0; i < problems_count(r.problems); i++)
		EXPECT(strstr(problems_text(r.problems, i), "alice") == NULL);
	end(&r);
}

TEST(pairs, that_two_tables_hold_are_named_with_both_lines)
{
	struct read a, b;

	begin(&a, "a@h,sip:a@h\nb@h,sip:b@h\n");
	begin(&b, "\nc@h,sip:c@h\nb@H,sip:b@H\na@h,sip:b@h\n");
	pairs_overlap(a.pairs, b.pairs, b.problems);
	EXPECT_EQ(1, problems_errors(b.problems));
	assert_non_null(strstr(said(&b, 0), "p.csv:3: the pair of "));
	assert_non_null(strstr(said(&b, 0), "p.csv:2, it can belong to one WWSF only"));
	end(&a);
	end(&b);
}

TEST(pairs, of_an_empty_file_are_none)
{
	struct pair_table table;
	struct read r;

	begin(&r, "");
	pairs_give(r.pairs, &table);
	r.pairs = NULL;
	EXPECT_EQ(0, table.count);
	EXPECT_EQ(GW_IDENTITY_FOREIGN, identity_allowed(&table, SPAN("a@h"), SPAN("sip:a@h")));
	pairs_table_free(&table);
	end(&r);
}

TEST_MAIN("pairs", RUN(pairs, makes_the_table_that_workers_read),
	  RUN(pairs, holds_many_and_finds_every_one),
	  RUN(pairs, says_the_line_of_every_fault_and_goes_on),
	  RUN(pairs, refuses_a_line_longer_than_any_pair),
	  RUN(pairs, never_show_an_identity_in_a_problem),
	  RUN(pairs, that_two_tables_hold_are_named_with_both_lines),
	  RUN(pairs, of_an_empty_file_are_none))
