/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../test.h"
#include "control/pairs.h"
#include "folder.h"
#include "identity/identity.h"

struct read {
	struct folder folder;
	struct problems *problems;
	struct pairs *pairs;
};

static struct pairs_from from_file(const struct read *r, enum pair_kind kind)
{
	return (struct pairs_from){.path = folder_path(&r->folder, "p.csv"),
				   .kind = kind,
				   .file = "wicgate.yaml",
				   .line = 3};
}

static void begin_kind(struct read *r, enum pair_kind kind, const char *text)
{
	struct pairs_from from;

	folder_make(&r->folder);
	folder_write(&r->folder, "p.csv", text);
	r->problems = problems_new();
	from = from_file(r, kind);
	r->pairs = pairs_load(&from, r->problems);
	assert_non_null(r->pairs);
}

static void begin(struct read *r, const char *text)
{
	begin_kind(r, PAIRS_LISTED, text);
}

static void end(struct read *r)
{
	pairs_put(r->pairs);
	problems_free(r->problems);
	folder_remove(&r->folder);
}

static uint64_t count(const struct read *r)
{
	return pairs_about(r->pairs).count;
}

static const char *said(const struct read *r, uint32_t i)
{
	assert_true(i < problems_count(r->problems));
	return problems_text(r->problems, i) + strlen(r->folder.path) + 1;
}

static enum gw_err allowed(const struct read *r, const char *impi, const char *impu)
{
	return identity_allowed(pairs_table(r->pairs), span_text(impi), span_text(impu));
}

TEST(pairs, makes_the_table_that_workers_read)
{
	struct read r;

	begin(&r, "# who may come\n\n  alice@Home1.NET , sip:alice@HOME1.net:5060;x=y \r\n"
		  "bob@home1.net,tel:+1-800-555-0100\n"
		  "bob@home1.net,sip:bob@home1.net");
	EXPECT_EQ(0, problems_count(r.problems));
	EXPECT_EQ(3, count(&r));
	EXPECT_EQ(3, pairs_table(r.pairs)->count);
	EXPECT_EQ(GW_OK, allowed(&r, "alice@home1.net", "sip:alice@home1.net"));
	EXPECT_EQ(GW_OK, allowed(&r, "bob@home1.net", "tel:+18005550100"));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, allowed(&r, "alice@home1.net", "sip:bob@home1.net"));
	end(&r);
}

TEST(pairs, holds_many_and_finds_every_one)
{
	enum { MANY = 30000 }; /* more than are read at a time */
	char *text = malloc(MANY * 64), *at = text;
	char impi[32], impu[32];
	struct read r;

	for (int i = 0; i < MANY; i++)
		at += sprintf(at, "u%d@home1.net,sip:u%d@home1.net\n", i, i);
	begin_kind(&r, PAIRS_POOL, text);
	EXPECT_EQ(0, problems_count(r.problems));
	EXPECT_EQ(MANY, count(&r));
	EXPECT(pairs_table(r.pairs)->by_impi.lines >= MANY * 16 / PAIR_LINE * 5 / 3);
	EXPECT(pairs_table(r.pairs)->by_impu.lines >= MANY * 8 / PAIR_LINE * 5 / 3);
	EXPECT(pairs_about(r.pairs).bytes >= MANY * 32);
	EXPECT(pairs_about(r.pairs).loaded_s > 0);
	for (int i = 0; i < MANY; i++) {
		sprintf(impi, "u%d@home1.net", i);
		sprintf(impu, "sip:u%d@home1.net", i);
		EXPECT_EQ(GW_OK, allowed(&r, impi, impu));
	}
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
	EXPECT_EQ(GW_OK, allowed(&r, "alice@home1.net", "sip:alice@home1.net"));
	end(&r);
}

TEST(pairs, of_a_pool_have_each_identity_once)
{
	struct read r;

	begin_kind(&r, PAIRS_POOL,
		   "a@h,sip:a@h\nb@h,sip:b@h\na@H,sip:c@h\nc@h,sip:b@H\nb@h,sip:b@h\n");
	EXPECT_EQ(3, problems_errors(r.problems));
	problems_sort(r.problems);
	EXPECT_TEXT("p.csv:3: the private identity of line 1 again", said(&r, 0));
	EXPECT_TEXT("p.csv:4: the public identity of line 2 again", said(&r, 1));
	EXPECT_TEXT("p.csv:5: the pair of line 2 again", said(&r, 2));
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
	EXPECT_EQ(1, count(&r));
	end(&r);
}

TEST(pairs, refuses_a_line_without_end_once)
{
	enum { LONG = 3 << 20 };
	char *text = malloc(LONG + 64);
	struct read r;

	memset(text, 'a', LONG);
	strcpy(text + LONG, "\nalice@home1.net,sip:alice@home1.net");
	begin(&r, text);
	EXPECT_EQ(1, problems_errors(r.problems));
	EXPECT_TEXT("p.csv:1: line longer than 2048 bytes", said(&r, 0));
	EXPECT_EQ(GW_OK, allowed(&r, "alice@home1.net", "sip:alice@home1.net"));
	end(&r);
	free(text);
}

TEST(pairs, are_not_waited_for_when_their_file_is_none)
{
	struct read r;
	struct pairs_from from;

	folder_make(&r.folder);
	r.problems = problems_new();
	r.pairs = NULL;
	from = from_file(&r, PAIRS_POOL);
	assert_int_equal(0, mkfifo(from.path, 0600));
	EXPECT(pairs_load(&from, r.problems) == NULL);
	EXPECT(strstr(problems_text(r.problems, 0), "wicgate.yaml:3: ") != NULL);
	EXPECT(strstr(problems_text(r.problems, 0), "p.csv: not a regular file") != NULL);
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

/** What is said of two pools, the one read after the other. */
static void pools(const char *first, const char *second, const char *expected,
		  const char *expected_line)
{
	struct read a, b;

	begin_kind(&a, PAIRS_POOL, first);
	begin_kind(&b, PAIRS_POOL, second);
	pairs_overlap(a.pairs, b.pairs, b.problems);
	EXPECT_EQ(1, problems_errors(b.problems));
	EXPECT(strstr(said(&b, 0), expected) != NULL);
	EXPECT(strstr(said(&b, 0), expected_line) != NULL);
	EXPECT(strstr(said(&b, 0), a.folder.path) != NULL);
	end(&a);
	end(&b);
}

TEST(pairs, of_two_pools_have_no_identity_in_common)
{
	pools("a@h,sip:a@h\nb@h,sip:b@h\n", "c@h,sip:c@h\nb@h,sip:d@h\n",
	      "p.csv:2: the private identity of ", "p.csv:2, it can");
	pools("a@h,sip:a@h\n", "c@h,sip:c@h\n\nb@h,sip:a@h\n", "p.csv:3: the public identity of ",
	      "p.csv:1, it can");
	pools("a@h,sip:a@h\n", "c@h,sip:c@h\na@h,sip:a@h\n", "p.csv:2: the pair of ",
	      "p.csv:1, it can");
	/* the longer one first: the fault is the later one's all the same */
	pools("c@h,sip:c@h\nd@h,sip:d@h\na@h,sip:a@h\n", "\na@h,sip:b@h\n",
	      "p.csv:2: the private identity of ", "p.csv:3, it can");
}

TEST(pairs, of_a_list_that_are_in_a_pool_by_half_are_a_warning)
{
	struct read list, pool;

	begin(&list, "x@h,sip:x@h\na@h,sip:other@h\nb@h,sip:b2@h\n");
	begin_kind(&pool, PAIRS_POOL, "a@h,sip:a@h\nb@h,sip:b@h\n");
	pairs_overlap(pool.pairs, list.pairs, list.problems);
	pairs_overlap(list.pairs, pool.pairs, list.problems);
	EXPECT_EQ(0, problems_errors(list.problems));
	EXPECT_EQ(2, problems_count(list.problems));
	EXPECT(strstr(said(&list, 0), "p.csv:2: warning: an identity of the pool of ") != NULL);
	EXPECT(strstr(said(&list, 0), "of such pairs there are 2") != NULL);
	end(&list);
	begin(&list, "x@h,sip:x@h\na@h,sip:a@h\n");
	pairs_overlap(pool.pairs, list.pairs, list.problems);
	EXPECT_EQ(1, problems_errors(list.problems));
	EXPECT(strstr(said(&list, 0), "p.csv:2: the pair of ") != NULL);
	end(&list);
	end(&pool);
}

TEST(pairs, of_an_empty_file_are_none)
{
	struct read r;

	begin(&r, "");
	EXPECT_EQ(0, count(&r));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, allowed(&r, "a@h", "sip:a@h"));
	end(&r);
}

TEST(pairs, know_whether_their_file_is_another_by_now)
{
	const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1, .tv_nsec = 1}};
	struct pairs_from from, other;
	struct read r;

	begin_kind(&r, PAIRS_POOL, "a@h,sip:a@h\n");
	from = other = from_file(&r, PAIRS_POOL);
	EXPECT(pairs_are_from(r.pairs, &from));
	other.kind = PAIRS_LISTED;
	EXPECT(!pairs_are_from(r.pairs, &other));
	other.kind = PAIRS_POOL;
	other.path = folder_path(&r.folder, "shop-pairs.csv");
	EXPECT(!pairs_are_from(r.pairs, &other));
	assert_int_equal(0, utimensat(AT_FDCWD, from.path, times, 0)); /* a nanosecond counts */
	EXPECT(!pairs_are_from(r.pairs, &from));
	remove(from.path);
	EXPECT(!pairs_are_from(r.pairs, &from));
	end(&r);
}

TEST(pairs, end_their_reading_when_nobody_wants_them)
{
	atomic_bool stop = true;
	struct pairs_from from;
	struct read r;

	begin(&r, "a@h,sip:a@h\n");
	from = from_file(&r, PAIRS_POOL);
	from.stop = &stop;
	EXPECT(pairs_load(&from, r.problems) == NULL);
	EXPECT(strstr(problems_text(r.problems, 0), "p.csv: stopped") != NULL);
	end(&r);
}

TEST_MAIN("pairs", RUN(pairs, makes_the_table_that_workers_read),
	  RUN(pairs, holds_many_and_finds_every_one),
	  RUN(pairs, says_the_line_of_every_fault_and_goes_on),
	  RUN(pairs, of_a_pool_have_each_identity_once),
	  RUN(pairs, refuses_a_line_longer_than_any_pair),
	  RUN(pairs, refuses_a_line_without_end_once),
	  RUN(pairs, are_not_waited_for_when_their_file_is_none),
	  RUN(pairs, never_show_an_identity_in_a_problem),
	  RUN(pairs, that_two_tables_hold_are_named_with_both_lines),
	  RUN(pairs, of_two_pools_have_no_identity_in_common),
	  RUN(pairs, of_a_list_that_are_in_a_pool_by_half_are_a_warning),
	  RUN(pairs, of_an_empty_file_are_none),
	  RUN(pairs, know_whether_their_file_is_another_by_now),
	  RUN(pairs, end_their_reading_when_nobody_wants_them))
