/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../test.h"
#include "world.h"

#define ALICE "sip:alice@home1.net"

/* ---- streams --------------------------------------------------------------------------------- */

/** Line i of an answer; the caller gives it back. */
static json_t *line(const char *answer, uint32_t i)
{
	json_t *read;

	for (; i > 0; i--) {
		answer = strchr(answer, '\n');
		assert_non_null(answer);
		answer++;
	}
	read = json_loadb(answer, strcspn(answer, "\n"), 0, NULL);
	assert_non_null(read);
	return read;
}

static uint32_t count(const char *text, const char *word)
{
	uint32_t n = 0;

	for (; (text = strstr(text, word)) != NULL; text++)
		n++;
	return n;
}

/** A client that does nothing but ask. */
static int ask(struct world *w, const char *request)
{
	int fd = world_connect(w);

	assert_true(fd >= 0);
	EXPECT_EQ(strlen(request), send(fd, request, strlen(request), MSG_NOSIGNAL));
	world_pass(w, 20);
	return fd;
}

/** What it has been told, up to the end of the stream when there is one. */
static const char *told(struct world *w, int fd)
{
	static char text[8 << 20];
	size_t used = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	do {
		while ((n = recv(fd, text + used, sizeof(text) - 1 - used, 0)) > 0)
			used += (size_t)n;
		world_pass(w, 5);
	} while (n != 0 && recv(fd, text + used, 1, MSG_PEEK) >= 0);
	text[used] = '\0';
	return text;
}

TEST(trace, gives_every_worker_the_canonical_identity_and_its_client_what_they_find)
{
	json_t *first, *last, *message;
	struct world w;
	const char *answer;

	world_begin(&w);
	w.trace_sends = 2;
	w.trace_lost = 3;
	answer = world_ask(&w, "trace SIP:alice@HOME1.NET;x=y --count 2\n");
	EXPECT_EQ(2, w.traces);
	EXPECT_EQ(2, w.trace_ends);
	EXPECT_EQ(TRACE_BY_IMPU, w.trace.by);
	EXPECT_SPAN(ALICE, span_of(w.trace.text, w.trace.len));
	EXPECT_EQ(TRACE_SECONDS, w.trace.seconds);
	EXPECT_EQ(2, count(answer, "\"message\""));
	first = line(answer, 1); /* behind "running" */
	message = json_object_get(first, "message");
	EXPECT_TEXT("wicgate", json_string_value(json_object_get(message, "from")));
	EXPECT_TEXT("core", json_string_value(json_object_get(message, "to")));
	EXPECT_TEXT("TCP", json_string_value(json_object_get(message, "transport")));
	EXPECT_TEXT("198.18.0.20:5060", json_string_value(json_object_get(message, "peer")));
	EXPECT_TEXT("INVITE sip:bob@home1.net SIP/2.0\r\n\r\n",
		    json_string_value(json_object_get(message, "text")));
	last = line(answer, 3);
	message = json_object_get(last, "trace");
	EXPECT_TEXT("ended", json_string_value(json_object_get(message, "state")));
	EXPECT_EQ(2, json_integer_value(json_object_get(message, "messages")));
	EXPECT_EQ(6, json_integer_value(json_object_get(message, "lost")));
	json_decref(first);
	json_decref(last);
	world_end(&w);
	EXPECT(strstr(w.log_text, "event=trace id=1 by=impu impu=h:") != NULL);
	EXPECT(strstr(w.log_text, "event=trace_end id=1 ") != NULL);
	EXPECT(strstr(w.log_text, "alice") == NULL);
}

TEST(trace, takes_anything_else_for_a_call_id)
{
	struct world w;

	world_begin(&w);
	w.trace_sends = 1;
	(void)world_ask(&w, "trace --count 1 a84b4c76e66710@pc33.example.com\n");
	EXPECT_EQ(TRACE_BY_CALL_ID, w.trace.by);
	EXPECT_SPAN("a84b4c76e66710@pc33.example.com", span_of(w.trace.text, w.trace.len));
	(void)world_ask(&w, "trace --call-id --count 1 sip:x\n");
	EXPECT_EQ(TRACE_BY_CALL_ID, w.trace.by);
	EXPECT_SPAN("sip:x", span_of(w.trace.text, w.trace.len));
	world_end(&w);
}

TEST(trace, ends_when_its_time_is_over)
{
	struct world w;

	world_begin(&w); /* the deadline of other requests is 300 ms */
	EXPECT(strstr(world_ask(&w, "trace " ALICE " --seconds 1\n"),
		      "\"why\":\"the time is over\"") != NULL);
	EXPECT_EQ(1, w.trace.seconds == 1);
	EXPECT_EQ(2, w.trace_ends);
	world_end(&w);
}

TEST(trace, ends_when_its_client_goes_and_tells_one_that_only_says_so)
{
	struct world w;
	int fd;

	world_begin(&w);
	fd = ask(&w, "trace " ALICE "\n");
	EXPECT_EQ(0, w.trace_ends);
	close(fd);
	world_pass(&w, 20);
	EXPECT_EQ(2, w.trace_ends);
	fd = ask(&w, "trace " ALICE "\nwhat else\n");
	EXPECT_EQ(2, w.trace_ends);
	shutdown(fd, SHUT_WR);
	world_pass(&w, 20);
	EXPECT_EQ(4, w.trace_ends);
	EXPECT(strstr(told(&w, fd), "\"why\":\"stopped\"") != NULL);
	close(fd);
	world_end(&w);
}

TEST(trace, is_refused_where_a_worker_has_no_room_and_the_others_are_told_so)
{
	struct world w;

	world_begin(&w);
	w.trace_err = GW_BUSY;
	EXPECT(strncmp(world_ask(&w, "trace " ALICE "\n"), "{\"error\":", 9) == 0);
	EXPECT_EQ(2, w.trace_ends);
	world_end(&w);
}

TEST(trace, is_refused_when_a_worker_does_not_answer)
{
	struct world w;

	world_begin(&w);
	w.manner[1] = SILENT;
	EXPECT(strncmp(world_ask(&w, "trace " ALICE "\n"), "{\"error\":", 9) == 0);
	world_end(&w);
}

TEST(trace, is_one_of_a_few_at_a_time)
{
	int fd[TRACES_MAX];
	struct world w;

	world_begin_for(&w, WORLD_DEADLINE_MS, TRACES_MAX + 1);
	for (uint32_t i = 0; i < TRACES_MAX; i++)
		fd[i] = ask(&w, "trace " ALICE "\n");
	EXPECT(strstr(world_ask(&w, "trace " ALICE "\n"), "\"busy: as many traces") != NULL);
	for (uint32_t i = 0; i < TRACES_MAX; i++)
		world_traced(&w, 0, i + 1, SPAN("BYE sip:a SIP/2.0\r\n\r\n"));
	world_pass(&w, 20);
	for (uint32_t i = 0; i < TRACES_MAX; i++) { /* each has its own */
		shutdown(fd[i], SHUT_WR);
		EXPECT_EQ(1, count(told(&w, fd[i]), "BYE sip:a"));
		close(fd[i]);
	}
	w.trace_sends = 1;
	EXPECT(strstr(world_ask(&w, "trace " ALICE " --count 1\n"), "INVITE") != NULL);
	world_end(&w);
}

TEST(trace, loses_and_counts_what_its_client_does_not_read)
{
	static uint8_t text[TRACE_SNAP];
	uint32_t came, sent = 0;
	const char *answer;
	struct world w;
	int fd;

	world_begin(&w);
	memset(text, 'x', sizeof(text));
	fd = ask(&w, "trace " ALICE "\n");
	for (; sent < 200; sent++) {
		world_traced(&w, 0, 1, span_of(text, sizeof(text)));
		world_pass(&w, 1);
	}
	shutdown(fd, SHUT_WR);
	answer = told(&w, fd);
	came = count(answer, "\"message\"");
	EXPECT(came > 10 && came < sent);
	EXPECT(strstr(answer, "\"why\":\"stopped\"") != NULL);
	EXPECT_EQ(sent - came, (uint32_t)strtoul(strstr(answer, "\"lost\":") + 7, NULL, 10));
	close(fd);
	world_end(&w);
}

TEST(trace, that_is_over_but_not_for_a_worker_is_ended_again)
{
	struct world w;

	world_begin(&w);
	world_traced(&w, 1, 99, SPAN("BYE sip:a SIP/2.0\r\n\r\n"));
	world_traced(&w, 1, 99, SPAN("BYE sip:a SIP/2.0\r\n\r\n"));
	world_pass(&w, 20);
	EXPECT_EQ(2, w.trace_ends);
	EXPECT_EQ(99, w.trace.id);
	world_end(&w);
}

TEST(trace, shows_no_byte_that_moves_a_cursor)
{
	struct world w;
	int fd;

	world_begin(&w);
	fd = ask(&w, "trace " ALICE "\n");
	world_traced(&w, 0, 1, span_of("A\x1b[2J\0\xc3\xa4\x7f\tB\r\n", 13));
	shutdown(fd, SHUT_WR);
	EXPECT(strstr(told(&w, fd), "\"A?[2J????\\tB\\r\\n\"") != NULL);
	close(fd);
	world_end(&w);
}

TEST(trace, ends_with_the_node)
{
	struct world w;
	int fd;

	world_begin(&w);
	fd = ask(&w, "trace " ALICE "\n");
	world_end(&w); /* every handle is closed */
	EXPECT(strstr(w.log_text, "why=\"node is stopping\"") != NULL);
	close(fd);
}

TEST(trace, says_what_is_wrong_with_its_words)
{
	static const char *const wrong[][2] = {
		{"trace\n", "IMPU or CALL-ID missing"},
		{"trace a b\n", "one IMPU or CALL-ID"},
		{"trace --what a\n", "one IMPU or CALL-ID"},
		{"trace a --seconds\n", "--seconds is a number"},
		{"trace a --seconds 0\n", "--seconds is a number"},
		{"trace a --seconds 3601\n", "--seconds is a number"},
		{"trace a --count 0\n", "--count is a number"},
		{"trace sip:home1.net\n", "IMPU is no identity"},
		{"trace tel:112\n", "IMPU is no identity"},
	};
	char request[400];
	struct world w;

	world_begin(&w);
	for (uint32_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (strstr(world_ask(&w, wrong[i][0]), wrong[i][1]) == NULL)
			fail_msg("%s: %s", wrong[i][0], w.answer);
	snprintf(request, sizeof(request), "trace %0300d\n", 0);
	EXPECT(strstr(world_ask(&w, request), "longer than 256") != NULL);
	EXPECT_EQ(0, w.traces);
	world_end(&w);
}

TEST(trace, is_for_root_and_the_owner_only)
{
	struct world w;

	if (geteuid() != 0)
		skip();
	world_begin(&w);
	EXPECT_EQ(0, chmod(folder_path(&w.folder, ""), 0755));
	EXPECT_EQ(0, chmod(w.socket, 0666));
	w.client_uid = 65534;
	EXPECT(strstr(world_ask(&w, "trace " ALICE "\n"), "not allowed") != NULL);
	EXPECT_EQ(0, w.traces);
	world_end(&w);
}

/* ---- the ladder ------------------------------------------------------------------------------ */

TEST(ladder, has_an_arrow_for_each_message_and_says_how_it_ended)
{
	struct world w;

	world_begin(&w);
	w.trace_sends = 2;
	EXPECT_EQ(0, world_wicctl(&w, "trace --count 2 " ALICE));
	EXPECT_EQ(2, count(w.answer, "|--- INVITE sip:bob@home1.net ---"));
	EXPECT_EQ(2, count(w.answer, "-->|  TCP 198.18.0.20:5060\n"));
	EXPECT(strstr(w.answer, "\n2 messages, 0 lost: as many as were to come\n") != NULL);
	EXPECT(strstr(w.answer, "SIP/2.0") == NULL);
	world_end(&w);
}

TEST(ladder, has_whole_messages_when_they_are_wanted)
{
	struct world w;

	world_begin(&w);
	w.trace_sends = 1;
	EXPECT_EQ(0, world_wicctl(&w, "trace --full --count 1 " ALICE));
	EXPECT(strstr(w.answer, "\n    INVITE sip:bob@home1.net SIP/2.0\n") != NULL);
	world_end(&w);
}

TEST(ladder, is_left_to_others_as_json)
{
	struct world w;
	json_t *first;

	world_begin(&w);
	w.trace_sends = 1;
	EXPECT_EQ(0, world_wicctl(&w, "--json trace --count 1 " ALICE));
	first = line(w.answer, 1);
	EXPECT(json_object_get(first, "message") != NULL);
	json_decref(first);
	world_end(&w);
}

TEST(ladder, fails_where_the_trace_does)
{
	struct world w;

	world_begin(&w);
	w.trace_err = GW_BUSY;
	EXPECT_EQ(1, world_wicctl(&w, "trace " ALICE));
	EXPECT_EQ(1, world_wicctl(&w, "trace sip:home1.net"));
	EXPECT(strstr(w.answer, "wicctl: IMPU is no identity") != NULL);
	world_end(&w);
}

/* ---- show ------------------------------------------------------------------------------------ */

static void have_flow(struct world *w)
{
	w->shown[0].kind = SHOW_ROW_SESSION;
	snprintf(w->shown[0].session.state, 16, "open");
	EXPECT(endpoint_parse(SPAN("198.18.0.30:40000"), &w->shown[0].session.peer));
	w->shown[1].kind = SHOW_ROW_CONNECTION;
	EXPECT(endpoint_parse(SPAN("198.18.0.30:40000"), &w->shown[1].connection.conn.peer));
	EXPECT(endpoint_parse(SPAN("198.18.0.10:443"), &w->shown[1].connection.conn.local));
	w->shown[2].kind = SHOW_ROW_BINDING;
	w->shown[2].binding = (struct row_binding){.impu_hash = 1, .wwsf = "shop"};
	for (uint32_t i = 3; i < 5; i++) {
		struct row_transaction *t = &w->shown[i].transaction;

		w->shown[i].kind = SHOW_ROW_TRANSACTION;
		*t = (struct row_transaction){.kind = "originate",
					      .method = "INVITE",
					      .state = "trying",
					      .age_ms = 1500,
					      .transport = MW_TCP};
		EXPECT(endpoint_parse(SPAN("198.18.0.20:5060"), &t->hop));
	}
	w->shown_count = 5;
}

TEST(show, joins_what_belongs_to_an_identity)
{
	struct world w;
	json_t *rows;

	world_begin(&w);
	have_flow(&w);
	rows = world_ask_list(&w, "show call sip:alice@HOME1.net\n", "transactions");
	EXPECT_EQ(SHOW_CALL, w.show.what);
	EXPECT_SPAN(ALICE, span_of(w.show.impu, w.show.len));
	EXPECT_EQ(2, json_array_size(rows));
	EXPECT_TEXT("INVITE", world_text(rows, 1, "method"));
	EXPECT_TEXT("198.18.0.20:5060", world_text(rows, 1, "hop"));
	EXPECT_EQ(1500, world_number(rows, 1, "age_ms"));
	EXPECT_EQ(1, world_number(rows, 1, "worker"));
	json_decref(rows);
	rows = world_ask_list(&w, "show binding " ALICE "\n", "bindings");
	EXPECT_TEXT("h:0000000000000001", world_text(rows, 0, "impu"));
	json_decref(rows);
	rows = world_ask_list(&w, "show binding " ALICE "\n", "sessions");
	EXPECT_TEXT("198.18.0.30:40000", world_text(rows, 0, "peer"));
	json_decref(rows);
	rows = world_ask_list(&w, "show binding " ALICE "\n", "connections");
	EXPECT_TEXT("198.18.0.10:443", world_text(rows, 0, "local"));
	json_decref(rows);
	world_end(&w);
}

TEST(show, asks_for_a_slot_of_a_worker)
{
	struct world w;

	world_begin(&w);
	have_flow(&w);
	EXPECT_EQ(0, world_wicctl(&w, "show connection 1.77"));
	EXPECT_EQ(SHOW_CONNECTION, w.show.what);
	EXPECT_EQ(1, w.show.worker);
	EXPECT_EQ(77, w.show.slot);
	EXPECT_EQ(0, w.show.len);
	EXPECT(strstr(w.answer, "198.18.0.20:5060") != NULL);
	world_end(&w);
}

TEST(show, says_that_there_is_nothing_or_what_is_wrong_with_its_words)
{
	static const char *const wrong[][2] = {
		{"show binding 0.5\n", "there is nothing of that name"},
		{"show\n", "binding, connection or call"},
		{"show binding\n", "binding, connection or call"},
		{"show what 0.5\n", "binding, connection or call"},
		{"show call 5\n", "HANDLE is WORKER.SLOT"},
		{"show call 2.5\n", "HANDLE is WORKER.SLOT"},
		{"show call 0.\n", "HANDLE is WORKER.SLOT"},
		{"show call 0000000000.1\n", "HANDLE is WORKER.SLOT"},
		{"show call sip:home1.net\n", "HANDLE is WORKER.SLOT"},
	};
	struct world w;

	world_begin(&w);
	for (uint32_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (strstr(world_ask(&w, wrong[i][0]), wrong[i][1]) == NULL)
			fail_msg("%s: %s", wrong[i][0], w.answer);
	world_end(&w);
}

TEST_MAIN("cli_sip",
	  RUN(trace, gives_every_worker_the_canonical_identity_and_its_client_what_they_find),
	  RUN(trace, takes_anything_else_for_a_call_id), RUN(trace, ends_when_its_time_is_over),
	  RUN(trace, ends_when_its_client_goes_and_tells_one_that_only_says_so),
	  RUN(trace, is_refused_where_a_worker_has_no_room_and_the_others_are_told_so),
	  RUN(trace, is_refused_when_a_worker_does_not_answer),
	  RUN(trace, is_one_of_a_few_at_a_time),
	  RUN(trace, loses_and_counts_what_its_client_does_not_read),
	  RUN(trace, that_is_over_but_not_for_a_worker_is_ended_again),
	  RUN(trace, shows_no_byte_that_moves_a_cursor), RUN(trace, ends_with_the_node),
	  RUN(trace, says_what_is_wrong_with_its_words), RUN(trace, is_for_root_and_the_owner_only),
	  RUN(ladder, has_an_arrow_for_each_message_and_says_how_it_ended),
	  RUN(ladder, has_whole_messages_when_they_are_wanted),
	  RUN(ladder, is_left_to_others_as_json), RUN(ladder, fails_where_the_trace_does),
	  RUN(show, joins_what_belongs_to_an_identity), RUN(show, asks_for_a_slot_of_a_worker),
	  RUN(show, says_that_there_is_nothing_or_what_is_wrong_with_its_words))
