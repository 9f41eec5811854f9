/* SPDX-License-Identifier: BSD-3-Clause */
#include "rogue.h"

#include "test.h"

/* An honest site, and what a dishonest one makes of its pairs. */

static struct pair rows[3] = {{SPAN("a@d"), SPAN("sip:a@d")},
			      {SPAN("b@d"), SPAN("sip:b@d")},
			      {SPAN("c@d"), SPAN("sip:c@d")}};
static const struct pairs pairs = {.pair = rows, .count = 3};
static struct site site;
static struct chance chance;

enum { NOW = 1700000000, LIFE = 75, MIN_GRANT = 60 };

static void start(void)
{
	assert_true(site_init(&site, &pairs, LIFE));
	chance.state = 1;
}

/** A visitor has a pair, and the gateway knows. */
static uint32_t register_visitor(uint64_t visit, uint64_t now_s)
{
	uint32_t pair = site_lend(&site, visit, now_s);
	struct issue issue;

	assert_true(pair != SITE_NONE);
	assert_true(site_issue(&site, pair, visit, 100 + visit, now_s, &issue));
	site_accepted(&site, pair, &issue, UINT64_MAX);
	return pair;
}

TEST(site, lends_a_pair_again_only_behind_the_end_of_its_last_token)
{
	struct issue issue;
	uint32_t pair;

	start();
	pair = site_lend(&site, 1, NOW);
	EXPECT(site_issue(&site, pair, 1, 1, NOW, &issue));
	EXPECT(site_issue(&site, pair, 1, 2, NOW + 40, &issue));
	EXPECT_EQ(NOW + 40 + LIFE, issue.exp_s);
	EXPECT(site_lend(&site, 2, NOW) != SITE_NONE && site_lend(&site, 3, NOW) != SITE_NONE);
	EXPECT_EQ(SITE_NONE, site_lend(&site, 4, NOW + LIFE));
	EXPECT(site_lend(&site, 4, NOW + LIFE + 1) != SITE_NONE);
	EXPECT(site_lend(&site, 5, NOW + LIFE + 1) != SITE_NONE);
	EXPECT_EQ(SITE_NONE, site_lend(&site, 6, NOW + 40 + LIFE));
	EXPECT_EQ(pair, site_lend(&site, 6, NOW + 40 + LIFE + 1));
	site_fini(&site);
}

TEST(site, issues_no_token_to_who_had_a_pair_before)
{
	struct issue issue;
	uint32_t pair;

	start();
	pair = register_visitor(1, NOW);
	register_visitor(2, NOW);
	register_visitor(3, NOW);
	EXPECT(site_is_lent(&site, pair, 1, NOW + LIFE));
	EXPECT(!site_is_lent(&site, pair, 1, NOW + LIFE + 1));
	EXPECT_EQ(pair, site_lend(&site, 4, NOW + LIFE + 1));
	EXPECT(!site_is_lent(&site, pair, 1, NOW));
	EXPECT(!site_issue(&site, pair, 1, 9, NOW + LIFE + 1, &issue));
	EXPECT(site_issue(&site, pair, 4, 9, NOW + LIFE + 1, &issue));
	site_fini(&site);
}

TEST(site, says_how_often_pairs_were_lent)
{
	struct site_uses uses;

	start();
	site_lend(&site, 1, NOW);
	site_lend(&site, 2, NOW);
	site_lend(&site, 3, NOW + LIFE + 1);
	site_lend(&site, 4, NOW + LIFE + 1);
	uses = site_uses(&site);
	EXPECT_EQ(4, uses.all);
	EXPECT_EQ(1, uses.least);
	EXPECT_EQ(1, uses.median);
	EXPECT_EQ(2, uses.most);
	site_fini(&site);
}

/** One of a kind, or none when the answer to it would not be known. */
static bool rogue(enum rogue kind, uint64_t now_s, struct rogue_issue *out)
{
	const struct rogue_ask ask = {.kind = kind,
				      .site = &site,
				      .chance = &chance,
				      .domain = "d",
				      .visit = 50,
				      .jti = 500,
				      .now_s = now_s,
				      .now_us = 0,
				      .min_grant_s = MIN_GRANT,
				      .max_lifetime_s = LIFE};

	return rogue_issue(&ask, out);
}

TEST(rogue, overlaps_the_token_of_another_visitor)
{
	struct rogue_issue r;

	start();
	EXPECT(!rogue(ROGUE_OVERLAP, NOW, &r));
	register_visitor(1, NOW);
	EXPECT(rogue(ROGUE_OVERLAP, NOW + 30, &r));
	EXPECT(span_equal(rows[0].impi, r.issue.pair.impi));
	EXPECT(r.issue.visit == 50 && r.issue.jti == 500 && r.issue.iat_s == NOW + 30);
	EXPECT(r.status == 403 && r.retry_at_s == NOW + LIFE);
	EXPECT(!rogue(ROGUE_OVERLAP, NOW + LIFE, &r));
	site_fini(&site);
}

TEST(rogue, does_nothing_to_a_pair_whose_next_token_may_be_under_way)
{
	struct rogue_issue r;
	struct issue issue;
	uint32_t pair;

	start();
	pair = register_visitor(1, NOW);
	site_accepted(&site, pair, &site.loan[pair].issued, 2000000);
	EXPECT(!rogue(ROGUE_OVERLAP, NOW + 1, &r));
	site_gone(&site, pair, NULL);
	EXPECT(rogue(ROGUE_OVERLAP, NOW + 1, &r));
	EXPECT(site_issue(&site, pair, 1, 7, NOW + 1, &issue));
	EXPECT(!rogue(ROGUE_OVERLAP, NOW + 1, &r));
	site_fini(&site);
}

TEST(rogue, shows_an_older_token_of_the_same_visitor_while_that_is_long_enough)
{
	struct rogue_issue r;

	start();
	register_visitor(1, NOW);
	EXPECT(rogue(ROGUE_OLDER, NOW + 1, &r));
	EXPECT(r.issue.visit == 1 && r.issue.jti == 500 && r.issue.iat_s < NOW);
	EXPECT(r.issue.exp_s - (NOW + 1) >= MIN_GRANT && r.status == 403);
	EXPECT_EQ(NOW + LIFE, r.retry_at_s);
	EXPECT(!rogue(ROGUE_OLDER, NOW + 20, &r));
	site_fini(&site);
}

TEST(rogue, gives_a_jti_to_two_visitors)
{
	struct rogue_issue r;

	start();
	register_visitor(1, NOW);
	EXPECT(rogue(ROGUE_REPLAY, NOW + 1, &r));
	EXPECT(r.issue.visit == 50 && r.issue.jti == 101);
	EXPECT(r.status == 401 && r.retry_at_s == 0);
	site_fini(&site);
}

TEST(rogue, breaks_the_agreement_about_time_and_pairs)
{
	struct rogue_issue r;

	start();
	EXPECT(rogue(ROGUE_LONG, NOW, &r));
	EXPECT(r.issue.exp_s > NOW + LIFE && r.status == 401);
	EXPECT(rogue(ROGUE_MIXED, NOW, &r));
	EXPECT(r.status == 403 && r.retry_at_s == 0);
	EXPECT(!span_equal(r.issue.pair.impi, span_from(r.issue.pair.impu, 4)));
	EXPECT(rogue(ROGUE_FOREIGN, NOW, &r));
	EXPECT(r.status == 403 && span_starts(r.issue.pair.impi, SPAN("foreign-")));
	EXPECT(span_starts(r.issue.pair.impu, SPAN("sip:foreign-")));
	site_fini(&site);
}

TEST_MAIN("load site", RUN(site, lends_a_pair_again_only_behind_the_end_of_its_last_token),
	  RUN(site, issues_no_token_to_who_had_a_pair_before),
	  RUN(site, says_how_often_pairs_were_lent),
	  RUN(rogue, overlaps_the_token_of_another_visitor),
	  RUN(rogue, does_nothing_to_a_pair_whose_next_token_may_be_under_way),
	  RUN(rogue, shows_an_older_token_of_the_same_visitor_while_that_is_long_enough),
	  RUN(rogue, gives_a_jti_to_two_visitors),
	  RUN(rogue, breaks_the_agreement_about_time_and_pairs))
