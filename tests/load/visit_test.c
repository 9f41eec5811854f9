/* SPDX-License-Identifier: BSD-3-Clause */
#include "visit.h"

#include "stage.h"

/* What visitors of a site that lends pairs do, and what counts as wrong. */

static struct pair rows[2] = {{SPAN("a@d"), SPAN("sip:a@d")}, {SPAN("b@d"), SPAN("sip:b@d")}};
static const struct pairs pairs = {.pair = rows, .count = 2};
static struct site site;
static struct wic wics[3];

enum { NOW = 1700000000, LIFE = 75, SECOND_US = 1000000 };

/** The stage's WIC is a visitor that has the first pair and a token that ends in a while. */
static void start(enum rogue rogue)
{
	struct wic *w = &stage.wic;

	stage_start(&rows[0]);
	site_fini(&site);
	assert_true(site_init(&site, &pairs, LIFE));
	stage.options.visits = 3;
	stage.options.rate = 1000;
	stage.options.browsers = stage.options.stay_s = stage.options.talk_s = 10;
	stage.world.site = &site;
	stage.world.now_s = NOW;
	w->visit = (struct visit){.number = 5, .rogue = rogue};
	w->name = 5;
	w->visit.pair = site_lend(&site, 5, NOW);
	assert_true(site_issue(&site, 0, 5, 1, NOW, &w->issue.issue));
	site.loan[0].wic = w;
	w->token_exp_s = NOW + LIFE;
	w->token_stays = true;
}

/** The WIC shows a dishonest token that is to be refused so. */
static void show_dishonestly(uint16_t status, uint64_t retry_at_s)
{
	start(ROGUE_OVERLAP);
	stage.wic.registered = false;
	stage.wic.issue.status = status;
	stage.wic.issue.retry_at_s = retry_at_s;
	wic_do(&stage.wic, WIC_REREGISTER_AGAIN);
}

static uint64_t failures(enum failure what)
{
	return stage.tally.rows == 1 && stage.tally.row[0].what == what ? stage.tally.failures : 0;
}

TEST(rogue, that_is_refused_as_it_should_counts_for_what_it_is)
{
	show_dishonestly(403, NOW + 40);
	stage_answer(0, 403, "Retry-After: 40\r\n");
	EXPECT_EQ(0, stage.tally.failures);
	EXPECT_EQ(1, stage.tally.count[COUNT_ROGUE_OVERLAP]);
	EXPECT_EQ(WIC_CLOSING, stage.wic.state);
}

TEST(rogue, that_is_refused_otherwise_is_a_failure)
{
	show_dishonestly(401, 0);
	stage_answer(0, 403, "");
	EXPECT_EQ(1, failures(FAILURE_ROGUE_ANSWER));
	show_dishonestly(403, NOW + 40);
	stage_answer(0, 403, "Retry-After: 38\r\n");
	EXPECT_EQ(1, failures(FAILURE_ROGUE_RETRY));
	show_dishonestly(403, NOW + 40);
	stage_answer(0, 403, "");
	EXPECT_EQ(1, failures(FAILURE_ROGUE_RETRY));
	show_dishonestly(401, 0);
	stage_answer(0, 401, "Retry-After: 40\r\n");
	EXPECT_EQ(1, failures(FAILURE_ROGUE_RETRY));
	EXPECT_EQ(0, stage.tally.count[COUNT_ROGUE_OVERLAP]);
}

TEST(rogue, that_is_taken_is_a_failure)
{
	show_dishonestly(403, NOW + 40);
	stage_answer(0, 200, "Contact: <sip:wic7@w5.invalid;transport=ws>;expires=60\r\n");
	EXPECT_EQ(1, failures(FAILURE_ROGUE_TAKEN));
}

/** The answer to a refresh grants this. */
static void refresh(const char *granted)
{
	start(ROGUE_NONE);
	wic_do(&stage.wic, WIC_REREGISTER_AGAIN);
	stage_answer(0, 200, granted);
}

TEST(visitor, is_granted_no_time_beyond_the_end_of_the_token)
{
	refresh("Contact: <sip:wic7@w5.invalid;transport=ws>;expires=75\r\n");
	EXPECT_EQ(0, stage.tally.failures);
	EXPECT_EQ(1, site.loan[0].accepted.jti);
	refresh("Contact: <sip:wic7@w5.invalid;transport=ws>;expires=76\r\n");
	EXPECT_EQ(1, failures(FAILURE_OUTLIVES));
}

TEST(visitor, sees_who_else_has_a_contact)
{
	refresh("Contact: <sip:wic7@w5.invalid;transport=ws>;expires=75\r\n"
		"Contact: <sip:wic6@w5.invalid;transport=ws>;expires=70\r\n");
	EXPECT_EQ(0, stage.tally.count[COUNT_STRANGER]);
	refresh("Contact: <sip:wic3@w4.invalid;transport=ws>;expires=1\r\n"
		"Contact: <sip:wic7@w5.invalid;transport=ws>;expires=75\r\n");
	EXPECT_EQ(1, stage.tally.count[COUNT_STRANGER]);
	EXPECT_EQ(0, stage.tally.failures);
}

/** A MESSAGE of the core for this Contact comes. */
static void deliver(const char *contact)
{
	char text[512];
	int len = snprintf(text, sizeof(text),
			   "MESSAGE %s SIP/2.0\r\nVia: SIP/2.0/WSS ep;branch=z9hG4bK1\r\n"
			   "Max-Forwards: 9\r\nTo: <sip:a@d>\r\nFrom: <sip:b@d>;tag=1\r\n"
			   "Call-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
			   contact);
	struct span message = span_of(text, (uint32_t)len);

	if (stage.wic.state == WIC_FROZEN)
		wic_overhear(&stage.wic, message);
	else
		wic_message(&stage.wic, message);
}

TEST(visitor, gets_nothing_that_is_for_another_page)
{
	start(ROGUE_NONE);
	deliver("sip:wic7@w5.invalid;transport=ws;ob");
	EXPECT_EQ(0, stage.tally.failures);
	EXPECT_EQ(1, stage.tally.count[COUNT_REQUEST]);
	deliver("sip:wic7@w55.invalid;transport=ws");
	EXPECT_EQ(1, failures(FAILURE_MISDELIVERED));
}

TEST(visitor, that_has_frozen_hears_nothing_behind_the_end_of_the_token)
{
	start(ROGUE_NONE);
	wic_leave(&stage.wic, EXIT_FREEZE, WIC_NEVER_US);
	deliver("sip:wic7@w5.invalid;transport=ws");
	EXPECT_EQ(0, stage.sent.count);
	EXPECT_EQ(0, stage.tally.failures);
	stage.world.now_s = NOW + LIFE + 3;
	deliver("sip:wic7@w5.invalid;transport=ws");
	EXPECT_EQ(1, failures(FAILURE_POSTHUMOUS));
}

/** The stage's WIC has sent a MESSAGE to the visitor of the second pair. */
static void send_to_other(void)
{
	start(ROGUE_NONE);
	wics[0] = (struct wic){.state = WIC_OPEN, .page = 9};
	site.loan[1].wic = &wics[0];
	site.loan[1].issued.visit = 6;
	stage.wic.addressee = (struct addressee){1, 6, 9};
	wic_do(&stage.wic, WIC_MESSAGE);
	EXPECT(span_equal(stage_message(0)->uri, rows[1].impu));
}

TEST(visitor, may_be_refused_what_is_for_one_that_has_gone)
{
	send_to_other();
	stage_answer(0, 480, "");
	EXPECT_EQ(1, failures(FAILURE_MESSAGE_REFUSED));
	send_to_other();
	wics[0].page = 10;
	stage_answer(0, 480, "");
	EXPECT_EQ(0, stage.tally.failures);
	EXPECT(wic_is_idle(&stage.wic));
	EXPECT_EQ(1, stage.tally.count[COUNT_GONE]);
	EXPECT_EQ(0, stage.tally.took[PHASE_RAMP][DEED_MESSAGE].count);
}

TEST(visitor, that_another_connection_replaces_waits_to_be_closed)
{
	start(ROGUE_NONE);
	wic_await_replaced(&stage.wic);
	EXPECT(!wic_is_idle(&stage.wic));
	stage.world.now_us = stage.wic.deadline_us;
	wic_turn(&stage.wic);
	EXPECT_EQ(1, failures(FAILURE_REPLACED_TIMEOUT));
}

/** Visits of a site with two pairs and three WICs. */
static struct visits *open_site(void)
{
	start(ROGUE_NONE);
	memset(wics, 0, sizeof(wics));
	site_fini(&site);
	assert_true(site_init(&site, &pairs, LIFE));
	(void)wic_now(&stage.wic); /* who begins reads the clock too */
	for (uint32_t i = 0; i < 3; i++)
		wic_init(&wics[i], &stage.world, i, &rows[0], NULL);
	return visits_new(&stage.world, wics, 3);
}

TEST(visits, wait_for_a_pair_and_go_away_when_there_is_none_in_time)
{
	struct visits *v = open_site();

	visits_turn(v, SECOND_US);
	EXPECT_EQ(2, stage.tally.count[COUNT_VISIT]);
	EXPECT_EQ(1, visits_waiting(v));
	EXPECT(!visits_over(v));
	stage.world.now_us += 10 * SECOND_US + 1;
	visits_turn(v, SECOND_US);
	EXPECT_EQ(1, stage.tally.count[COUNT_TURNED_AWAY]);
	EXPECT(visits_over(v));
	visits_free(v);
}

TEST(visits, get_the_pair_of_who_has_gone_behind_the_end_of_its_token)
{
	struct visits *v = open_site();

	visits_turn(v, SECOND_US);
	stage.world.now_s = NOW + LIFE;
	visits_turn(v, SECOND_US);
	EXPECT_EQ(1, visits_waiting(v));
	stage.world.now_s = NOW + LIFE + 1;
	visits_turn(v, SECOND_US);
	EXPECT_EQ(3, stage.tally.count[COUNT_VISIT]);
	EXPECT(visits_over(v));
	visits_free(v);
}

TEST(visits, use_a_wic_again_when_its_visitor_has_gone)
{
	struct visits *v = open_site();

	visits_turn(v, SECOND_US);
	wics[0].due_us = WIC_NEVER_US + 1;
	wics[0].state = WIC_OUT;
	EXPECT(site.loan[0].wic == &wics[0]);
	visits_look(v, &wics[0]);
	EXPECT(wics[0].visit.number == 0 && site.loan[0].wic == NULL);
	stage.world.now_s = NOW + LIFE + 1;
	visits_turn(v, SECOND_US);
	EXPECT(wics[0].visit.number == 3);
	visits_free(v);
}

TEST_MAIN("load visit", RUN(rogue, that_is_refused_as_it_should_counts_for_what_it_is),
	  RUN(rogue, that_is_refused_otherwise_is_a_failure),
	  RUN(rogue, that_is_taken_is_a_failure),
	  RUN(visitor, is_granted_no_time_beyond_the_end_of_the_token),
	  RUN(visitor, sees_who_else_has_a_contact),
	  RUN(visitor, gets_nothing_that_is_for_another_page),
	  RUN(visitor, that_has_frozen_hears_nothing_behind_the_end_of_the_token),
	  RUN(visitor, may_be_refused_what_is_for_one_that_has_gone),
	  RUN(visitor, that_another_connection_replaces_waits_to_be_closed),
	  RUN(visits, wait_for_a_pair_and_go_away_when_there_is_none_in_time),
	  RUN(visits, get_the_pair_of_who_has_gone_behind_the_end_of_its_token),
	  RUN(visits, use_a_wic_again_when_its_visitor_has_gone))
