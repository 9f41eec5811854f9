/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <unistd.h>

#include "../test.h"
#include "control/event.h"
#include "control/log.h"

/* A log into a pipe under a clock that stands still until it is set. */
static uint64_t now_us;

static uint64_t test_clock(void)
{
	return now_us;
}

struct captured {
	int pipe[2];
	struct log *log;
	char text[1 << 17];
};

static void begin(struct captured *c, enum log_level level, uint32_t rate)
{
	struct log_config config = {.level = level, .rate = rate, .clock = test_clock};

	now_us = 1795167000123456; /* 2026-11-20T09:30:00.123Z */
	assert_int_equal(0, pipe(c->pipe));
	config.fd = c->pipe[1];
	c->log = log_new(&config);
	assert_non_null(c->log);
}

/** Closes the log and takes all that was written. */
static const char *end(struct captured *c)
{
	size_t used = 0;
	ssize_t n;

	log_free(c->log);
	close(c->pipe[1]);
	while ((n = read(c->pipe[0], c->text + used, sizeof(c->text) - 1 - used)) > 0)
		used += (size_t)n;
	c->text[used] = '\0';
	close(c->pipe[0]);
	return c->text;
}

static uint32_t lines(const char *text)
{
	uint32_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

TEST(log, writes_one_event_as_one_line_of_pairs)
{
	struct endpoint peer = {.v4 = {.sin_family = AF_INET}};
	struct captured c;
	struct log_line line;

	begin(&c, LOG_LEVEL_INFO, 10);
	log_begin(c.log, &line, LOG_LEVEL_INFO, "registered");
	log_number(&line, "worker", 0);
	log_text(&line, "wwsf", "shop");
	log_hash(&line, "impi", 0x1234abcd);
	log_endpoint(&line, "peer", &peer);
	log_end(&line);
	EXPECT_TEXT("ts=2026-11-20T09:30:00.123Z level=info event=registered worker=0 wwsf=shop "
		    "impi=h:000000001234abcd peer=0.0.0.0:0\n",
		    end(&c));
}

TEST(log, quotes_and_escapes_so_that_a_value_cannot_end_its_line)
{
	struct captured c;
	struct log_line line;

	begin(&c, LOG_LEVEL_INFO, 10);
	log_begin(c.log, &line, LOG_LEVEL_INFO, "x");
	log_text(&line, "a", "two words");
	log_text(&line, "b", "\n level=error event=forged");
	log_text(&line, "c", "\"\\\x7f\xff");
	log_text(&line, "d", "");
	log_text(&line, "e", "k=v");
	log_end(&line);
	EXPECT_TEXT(
		"ts=2026-11-20T09:30:00.123Z level=info event=x a=\"two words\" "
		"b=\"\\n level=error event=forged\" c=\"\\\"\\\\\\x7f\\xff\" d=\"\" e=\"k=v\"\n",
		end(&c));
}

TEST(log, leaves_out_what_is_less_important_than_its_level)
{
	struct captured c;

	begin(&c, LOG_LEVEL_WARNING, 10);
	log_event(c.log, LOG_LEVEL_INFO, "quiet", NULL, NULL);
	log_event(c.log, LOG_LEVEL_ERROR, "loud", NULL, NULL);
	log_set(c.log, LOG_LEVEL_INFO, 10);
	log_event(c.log, LOG_LEVEL_INFO, "audible", NULL, NULL);
	end(&c);
	EXPECT(strstr(c.text, "quiet") == NULL);
	EXPECT(strstr(c.text, "event=loud") != NULL);
	EXPECT(strstr(c.text, "event=audible") != NULL);
}

TEST(log, withholds_tokens_and_identities_that_come_as_texts)
{
	struct captured c;
	struct log_line line;

	begin(&c, LOG_LEVEL_INFO, 10);
	log_begin(c.log, &line, LOG_LEVEL_INFO, "x");
	log_text(&line, "a", "Bearer eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.AAAA");
	log_text(&line, "b", "sip:alice@home1.net");
	log_text(&line, "c", "alice%40home1.net");
	log_text(&line, "d", "tel:+18005550100");
	log_text(&line, "e", "https://shop.example");
	log_end(&line);
	end(&c);
	EXPECT(strstr(c.text, "alice") == NULL);
	EXPECT(strstr(c.text, "1800") == NULL);
	EXPECT(strstr(c.text, "eyJ") == NULL);
	EXPECT(strstr(c.text, "e=https://shop.example\n") != NULL);
}

TEST(log, bounds_each_event_for_itself_and_counts_the_rest)
{
	struct captured c;

	begin(&c, LOG_LEVEL_INFO, 3);
	for (int i = 0; i < 10; i++)
		log_event(c.log, LOG_LEVEL_INFO, "storm", NULL, NULL);
	log_event(c.log, LOG_LEVEL_INFO, "other", NULL, NULL);
	log_tick(c.log); /* the second is not over: nothing is said */
	now_us += 1000000;
	log_event(c.log, LOG_LEVEL_INFO, "storm", NULL, NULL);
	end(&c);
	EXPECT_EQ(5, lines(c.text));
	EXPECT(strstr(c.text, "event=storm suppressed=7\n") != NULL);
}

TEST(log, says_what_was_suppressed_also_when_the_event_does_not_come_again)
{
	struct captured c;

	begin(&c, LOG_LEVEL_INFO, 1);
	log_event(c.log, LOG_LEVEL_INFO, "storm", NULL, NULL);
	log_event(c.log, LOG_LEVEL_INFO, "storm", NULL, NULL);
	now_us += 1000000;
	log_tick(c.log);
	log_tick(c.log);
	end(&c);
	EXPECT_EQ(2, lines(c.text));
	EXPECT(strstr(c.text, "level=warning event=storm suppressed=1\n") != NULL);
}

TEST(log, bounds_events_beyond_its_table_together)
{
	char name[24];
	struct captured c;

	begin(&c, LOG_LEVEL_INFO, 1);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "event%d", i);
		log_event(c.log, LOG_LEVEL_INFO, name, NULL, NULL);
	}
	end(&c);
	EXPECT_EQ(LOG_EVENTS_MAX, lines(c.text));
}

TEST(log, leaves_out_a_field_that_does_not_fit_and_says_so)
{
	char big[LOG_LINE_MAX + 1] = {0};
	struct captured c;
	struct log_line line;

	memset(big, 'x', LOG_LINE_MAX);
	begin(&c, LOG_LEVEL_INFO, 10);
	log_begin(c.log, &line, LOG_LEVEL_INFO, "long");
	log_text(&line, "big", big);
	log_text(&line, "small", "here");
	log_end(&line);
	EXPECT_TEXT("ts=2026-11-20T09:30:00.123Z level=info event=long small=here cut=1\n",
		    end(&c));
}

TEST(log, does_not_wait_for_a_reader_and_tells_what_was_lost)
{
	char drained[4096];
	struct captured c;

	begin(&c, LOG_LEVEL_INFO, 100000);
	for (int i = 0; i < 3000; i++) /* more than a pipe holds */
		log_event(c.log, LOG_LEVEL_INFO, "flood", NULL, NULL);
	for (int i = 0; i < 4; i++)
		EXPECT(read(c.pipe[0], drained, sizeof(drained)) > 0);
	log_event(c.log, LOG_LEVEL_INFO, "after", NULL, NULL);
	end(&c);
	EXPECT(strstr(c.text, "event=after lost=") != NULL);
}

static void say(struct captured *c, const struct message_event *event, uint32_t len)
{
	event_log(c->log, 2, span_of(event, len));
}

TEST(event, becomes_a_line_with_the_fields_it_has)
{
	struct message_event e = {.head = {MESSAGE_EVENT, sizeof(e)},
				  .what = EVENT_TOKEN_REFUSED,
				  .err = GW_TOKEN_EXPIRED,
				  .handle = {.worker = 2, .slot = 5, .generation = 9},
				  .impi_hash = 0xff,
				  .status = 401,
				  .text = "shop"};
	struct captured c;

	begin(&c, LOG_LEVEL_INFO, 10);
	say(&c, &e, sizeof(e));
	EXPECT_TEXT("ts=2026-11-20T09:30:00.123Z level=warning event=token_refused worker=2 slot=5 "
		    "impi=h:00000000000000ff status=401 error=GW_TOKEN_EXPIRED "
		    "why=\"F14 exp missing or passed\" text=shop\n",
		    end(&c));
}

TEST(event, is_followed_by_its_trace)
{
	struct {
		struct message_event event;
		char trace[24];
	} m = {{.head = {MESSAGE_EVENT, sizeof(m)},
		.what = EVENT_CONNECTION_BROKEN,
		.err = GW_CONN_TIMEOUT},
	       "-500 >PA 0+1360 -300 rto"};
	struct captured c;

	begin(&c, LOG_LEVEL_INFO, 10);
	event_log(c.log, 1, span_of(&m, sizeof(m.event) + sizeof(m.trace)));
	EXPECT_TEXT("ts=2026-11-20T09:30:00.123Z level=info event=connection_broken worker=1 "
		    "error=GW_CONN_TIMEOUT why=\"peer made no progress in time\" "
		    "trace=\"-500 >PA 0+1360 -300 rto\"\n",
		    end(&c));
}

TEST(event, of_a_failed_handshake_is_followed_by_the_name_that_was_asked_for)
{
	struct {
		struct message_event event;
		char sni[16];
	} m = {{.head = {MESSAGE_EVENT, sizeof(m)},
		.what = EVENT_TLS_FAILED,
		.err = GW_TLS_ALERT,
		.text = "peer sent alert unknown CA"},
	       "ep1.home1.net\n\"!"};
	struct captured c;

	begin(&c, LOG_LEVEL_INFO, 10);
	event_log(c.log, 1, span_of(&m, sizeof(m.event) + sizeof(m.sni)));
	EXPECT_TEXT("ts=2026-11-20T09:30:00.123Z level=warning event=tls_failed worker=1 "
		    "error=GW_TLS_ALERT why=\"TLS alert from the peer\" "
		    "text=\"peer sent alert unknown CA\" sni=\"ep1.home1.net\\n\\\"!\"\n",
		    end(&c));
}

TEST(event, of_no_kind_or_cut_short_is_called_malformed)
{
	struct message_event e = {.what = EVENT_KINDS};
	struct captured c;

	begin(&c, LOG_LEVEL_INFO, 10);
	say(&c, &e, sizeof(e));
	e.what = EVENT_REGISTERED;
	say(&c, &e, sizeof(e) - 1);
	end(&c);
	EXPECT_EQ(2, lines(c.text));
	EXPECT(strstr(c.text, "event=registered") == NULL);
}

TEST(event, has_a_name_for_every_kind)
{
	for (unsigned i = 0; i < EVENT_KINDS; i++)
		assert_non_null(event_name((enum event_kind)i));
	assert_null(event_name(EVENT_KINDS));
}

TEST_MAIN("log", RUN(log, writes_one_event_as_one_line_of_pairs),
	  RUN(log, quotes_and_escapes_so_that_a_value_cannot_end_its_line),
	  RUN(log, leaves_out_what_is_less_important_than_its_level),
	  RUN(log, withholds_tokens_and_identities_that_come_as_texts),
	  RUN(log, bounds_each_event_for_itself_and_counts_the_rest),
	  RUN(log, says_what_was_suppressed_also_when_the_event_does_not_come_again),
	  RUN(log, bounds_events_beyond_its_table_together),
	  RUN(log, leaves_out_a_field_that_does_not_fit_and_says_so),
	  RUN(log, does_not_wait_for_a_reader_and_tells_what_was_lost),
	  RUN(event, becomes_a_line_with_the_fields_it_has), RUN(event, is_followed_by_its_trace),
	  RUN(event, of_a_failed_handshake_is_followed_by_the_name_that_was_asked_for),
	  RUN(event, of_no_kind_or_cut_short_is_called_malformed),
	  RUN(event, has_a_name_for_every_kind))
