/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assignments.h"

enum { NOW_S = 1795167000, LIFE_S = 600 };

/** A pool of pairs and the file where it is kept who has them. */
struct pool {
	char folder[64];
	char path[96];
	struct pairs *pairs;
	struct assignments *assignments;
};

static void pool_open(struct pool *pool, uint64_t now_s)
{
	struct reason reason = {""};

	EXPECT_EQ(GW_OK,
		  assignments_new(pool->pairs, pool->path, now_s, &pool->assignments, &reason));
}

static void pool_make(struct pool *pool, uint32_t count)
{
	char text[4096] = "";
	struct reason reason = {""};
	struct file file;
	int len = 0;

	snprintf(pool->folder, sizeof(pool->folder), "/tmp/wwsf-pool.XXXXXX");
	EXPECT(mkdtemp(pool->folder) != NULL);
	snprintf(pool->path, sizeof(pool->path), "%s/given", pool->folder);
	for (uint32_t i = 0; i < count; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len,
				"p%02u@ims.home1.net,sip:p%02u@home1.net\n", i, i);
	file = (struct file){strdup(text), (uint32_t)len};
	EXPECT_EQ(GW_OK, pairs_new("pool.csv", file, &pool->pairs, &reason));
	pool_open(pool, NOW_S);
}

static void pool_again(struct pool *pool, uint64_t now_s)
{
	assignments_free(pool->assignments);
	pool_open(pool, now_s);
}

static void pool_remove(struct pool *pool)
{
	char name[128];

	assignments_free(pool->assignments);
	pairs_free(pool->pairs);
	snprintf(name, sizeof(name), "%s.new", pool->path);
	unlink(name);
	unlink(pool->path);
	EXPECT_EQ(0, rmdir(pool->folder));
}

/** The pair that a visitor is given. */
static const struct pair *lent(struct pool *pool, const char *sub, uint64_t now_s, uint64_t life_s)
{
	struct assignment given;

	EXPECT_EQ(GW_OK, assignments_lend(pool->assignments, span_text(sub), now_s, now_s + life_s,
					  &given));
	return given.pair;
}

/** How long until a pair is free, as a visitor is told who gets none. */
static uint64_t refused(struct pool *pool, const char *sub, uint64_t now_s)
{
	struct assignment given;

	EXPECT_EQ(GW_POOL_EMPTY, assignments_lend(pool->assignments, span_text(sub), now_s,
						  now_s + LIFE_S, &given));
	return given.retry_s;
}

static void append(const struct pool *pool, const char *text)
{
	FILE *file = fopen(pool->path, "a");

	EXPECT(file != NULL);
	EXPECT(fputs(text, file) >= 0);
	EXPECT_EQ(0, fclose(file));
}

TEST(assignments, give_each_visitor_a_pair_of_his_own)
{
	const struct pair *given[10];
	struct pool pool;
	char sub[16];

	pool_make(&pool, 10);
	for (uint32_t i = 0; i < 10; i++) {
		snprintf(sub, sizeof(sub), "anon-%u", i);
		given[i] = lent(&pool, sub, NOW_S + i, LIFE_S);
		for (uint32_t j = 0; j < i; j++)
			EXPECT(given[i] != given[j]);
	}
	EXPECT_EQ(LIFE_S - 10 + 1, refused(&pool, "anon-10", NOW_S + 10));
	pool_remove(&pool);
}

TEST(assignments, give_a_visitor_the_same_pair_again)
{
	const struct pair *first;
	struct pool pool;

	pool_make(&pool, 3);
	first = lent(&pool, "anon-a", NOW_S, LIFE_S);
	EXPECT(lent(&pool, "anon-b", NOW_S, LIFE_S) != first);
	EXPECT(lent(&pool, "anon-a", NOW_S + 1, LIFE_S) == first);
	EXPECT(lent(&pool, "anon-a", NOW_S + 5 * LIFE_S, LIFE_S) == first);
	pool_remove(&pool);
}

TEST(assignments, give_a_pair_to_another_only_behind_the_end_of_the_last_token)
{
	const struct pair *first;
	struct pool pool;

	pool_make(&pool, 1);
	first = lent(&pool, "anon-a", NOW_S, LIFE_S);
	EXPECT_EQ(LIFE_S + 1, refused(&pool, "anon-b", NOW_S));
	EXPECT(lent(&pool, "anon-a", NOW_S + 100, LIFE_S) == first);
	EXPECT_EQ(1, refused(&pool, "anon-b", NOW_S + 100 + LIFE_S));
	EXPECT(lent(&pool, "anon-b", NOW_S + 101 + LIFE_S, LIFE_S) == first);
	EXPECT_EQ(LIFE_S + 1, refused(&pool, "anon-a", NOW_S + 101 + LIFE_S));
	pool_remove(&pool);
}

TEST(assignments, count_the_longest_of_a_visitors_tokens)
{
	struct pool pool;

	pool_make(&pool, 1);
	lent(&pool, "anon-a", NOW_S, LIFE_S);
	lent(&pool, "anon-a", NOW_S, 10);
	EXPECT_EQ(LIFE_S - 11 + 1, refused(&pool, "anon-b", NOW_S + 11));
	pool_remove(&pool);
}

TEST(assignments, give_the_pair_that_has_been_free_for_longest)
{
	const struct pair *given[3];
	struct pool pool;

	pool_make(&pool, 3);
	given[0] = lent(&pool, "anon-a", NOW_S, 30);
	given[1] = lent(&pool, "anon-b", NOW_S, 10);
	given[2] = lent(&pool, "anon-c", NOW_S, 20);
	EXPECT(lent(&pool, "anon-d", NOW_S + 40, LIFE_S) == given[1]);
	EXPECT(lent(&pool, "anon-e", NOW_S + 40, LIFE_S) == given[2]);
	EXPECT(lent(&pool, "anon-f", NOW_S + 40, LIFE_S) == given[0]);
	pool_remove(&pool);
}

TEST(assignments, hold_after_a_restart)
{
	const struct pair *first;
	struct pool pool;

	pool_make(&pool, 2);
	first = lent(&pool, "anon-a", NOW_S, LIFE_S);
	lent(&pool, "anon-b", NOW_S, 2 * LIFE_S);
	pool_again(&pool, NOW_S + 1);
	EXPECT_EQ(LIFE_S, refused(&pool, "anon-c", NOW_S + 1));
	EXPECT(lent(&pool, "anon-a", NOW_S + 1, LIFE_S) == first);
	pool_again(&pool, NOW_S + 2);
	EXPECT_EQ(LIFE_S, refused(&pool, "anon-c", NOW_S + 2));
	EXPECT(lent(&pool, "anon-c", NOW_S + 2 + LIFE_S, LIFE_S) == first);
	pool_remove(&pool);
}

TEST(assignments, forget_a_line_that_was_not_written_whole)
{
	struct pool pool;

	pool_make(&pool, 1);
	append(&pool, "1795170000 00112233445566778899aabb");
	pool_again(&pool, NOW_S);
	lent(&pool, "anon-a", NOW_S, LIFE_S);
	pool_again(&pool, NOW_S);
	EXPECT_EQ(LIFE_S + 1, refused(&pool, "anon-b", NOW_S));
	pool_remove(&pool);
}

TEST(assignments, pass_over_a_pair_that_the_pool_has_no_more)
{
	struct pool pool;

	pool_make(&pool, 1);
	append(&pool, "1795170000 00112233445566778899aabbccddeeff sip:gone@home1.net\n");
	pool_again(&pool, NOW_S);
	lent(&pool, "anon-a", NOW_S, LIFE_S);
	pool_remove(&pool);
}

TEST(assignments, refuse_a_file_that_is_something_else)
{
	static const char *const wrong[] = {
		"hello\n",
		"x 00112233445566778899aabbccddeeff sip:p00@home1.net\n",
		"1795170000 00112233445566778899aabbccddeeg0 sip:p00@home1.net\n",
		"1795170000 00112233445566778899aabbccddee sip:p00@home1.net\n",
		"1795170000 00112233445566778899aabbccddeeff \n",
		"9999999999999999999 00112233445566778899aabbccddeeff sip:p00@home1.net\n",
	};
	struct reason reason;
	struct pool pool;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		pool_make(&pool, 1);
		lent(&pool, "anon-a", NOW_S, LIFE_S);
		append(&pool, wrong[i]);
		assignments_free(pool.assignments);
		EXPECT_EQ(GW_CONFIG, assignments_new(pool.pairs, pool.path, NOW_S,
						     &pool.assignments, &reason));
		EXPECT(strstr(reason.text, "given:2: not UNTIL SUBJECT IMPU") != NULL);
		pool.assignments = NULL;
		pool_remove(&pool);
	}
}

TEST(assignments, refuse_a_pair_without_an_impi)
{
	struct assignments *assignments;
	struct file file = {strdup("a@x,sip:a@x\n,sip:guest@x\n"), 25};
	struct reason reason = {""};
	struct pairs *pairs;

	EXPECT_EQ(GW_OK, pairs_new("pool.csv", file, &pairs, &reason));
	EXPECT_EQ(GW_CONFIG, assignments_new(pairs, "/tmp/none", NOW_S, &assignments, &reason));
	EXPECT_TEXT("line 2 of the pairs: no IMPI, as a pool needs", reason.text);
	pairs_free(pairs);
}

TEST(assignments, need_a_file_that_can_be_written)
{
	struct assignments *assignments;
	struct reason reason;
	struct pool pool;

	pool_make(&pool, 1);
	EXPECT_EQ(GW_SYSTEM,
		  assignments_new(pool.pairs, "/proc/nowhere/given", NOW_S, &assignments, &reason));
	EXPECT_TEXT("/proc/nowhere/given: No such file or directory", reason.text);
	pool_remove(&pool);
}

TEST(assignments, promise_nothing_that_is_not_in_the_file)
{
	struct rlimit before, none = {0};
	struct assignment given;
	struct pool pool;

	pool_make(&pool, 1);
	lent(&pool, "anon-a", NOW_S, LIFE_S);
	signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit fails and says so */
	EXPECT_EQ(0, getrlimit(RLIMIT_FSIZE, &before));
	none.rlim_max = before.rlim_max;
	none.rlim_cur = 70; /* the first line, and a piece of the second */
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &none));
	EXPECT_EQ(GW_SYSTEM, assignments_lend(pool.assignments, SPAN("anon-b"), NOW_S + LIFE_S + 1,
					      NOW_S + 3 * LIFE_S, &given));
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &before));
	lent(&pool, "anon-c", NOW_S + LIFE_S + 1, LIFE_S);
	pool_again(&pool, NOW_S + LIFE_S + 2);
	EXPECT_EQ(LIFE_S, refused(&pool, "anon-b", NOW_S + LIFE_S + 2));
	pool_remove(&pool);
}

TEST(assignments, keep_their_file_short)
{
	struct stat about;
	struct pool pool;

	pool_make(&pool, 1);
	for (uint32_t i = 0; i < 300; i++)
		lent(&pool, "anon-a", NOW_S + i, LIFE_S);
	EXPECT_EQ(0, stat(pool.path, &about));
	EXPECT(about.st_size < 200 * 80);
	EXPECT_EQ(0600, about.st_mode & 0777);
	pool_again(&pool, NOW_S + 300);
	EXPECT_EQ(LIFE_S, refused(&pool, "anon-b", NOW_S + 300));
	pool_remove(&pool);
}

TEST_MAIN("wwsf_assignments", RUN(assignments, give_each_visitor_a_pair_of_his_own),
	  RUN(assignments, give_a_visitor_the_same_pair_again),
	  RUN(assignments, give_a_pair_to_another_only_behind_the_end_of_the_last_token),
	  RUN(assignments, count_the_longest_of_a_visitors_tokens),
	  RUN(assignments, give_the_pair_that_has_been_free_for_longest),
	  RUN(assignments, hold_after_a_restart),
	  RUN(assignments, forget_a_line_that_was_not_written_whole),
	  RUN(assignments, pass_over_a_pair_that_the_pool_has_no_more),
	  RUN(assignments, refuse_a_file_that_is_something_else),
	  RUN(assignments, refuse_a_pair_without_an_impi),
	  RUN(assignments, need_a_file_that_can_be_written),
	  RUN(assignments, promise_nothing_that_is_not_in_the_file),
	  RUN(assignments, keep_their_file_short))
