/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "peer.h"

/* What an operator gets to see of SIP messages: both sides of one worker, a core over UDP. */

#define USER "sip:a@home1.net"
#define CALL_ID "reg@x1.invalid"

struct seen {
	uint32_t count;
	struct {
		struct message_traced about;
		char text[TRACE_SNAP + 1];
	} message[16];
	struct row_trace row; /* of the last command */
	uint32_t rows;
};
static struct seen seen;

static void hear(void *context, uint16_t from, struct span message)
{
	struct message_traced about;
	struct message_answer answer;
	struct span rest = message;

	(void)from;
	if (span_copy(&rest, &answer, sizeof(answer)) && answer.head.kind == MESSAGE_ANSWER) {
		EXPECT(span_copy(&rest, &seen.row, sizeof(seen.row)));
		EXPECT_EQ(sizeof(seen.row), answer.row_size);
		seen.rows++;
	}
	rest = message;
	if (!span_copy(&rest, &about, sizeof(about)) || about.head.kind != MESSAGE_TRACED)
		return;
	EXPECT(seen.count < 16);
	seen.message[seen.count].about = about;
	memcpy(seen.message[seen.count].text, rest.at, rest.len);
	seen.message[seen.count++].text[rest.len] = '\0';
}

static void command(struct world *world, enum command_kind what, const struct trace_filter *filter)
{
	struct {
		struct message_command command;
		struct trace_filter filter;
	} message = {{.what = what, .id = 7}, *filter};

	message.command.head = (struct message_head){MESSAGE_COMMAND, sizeof(message)};
	seen.rows = 0;
	command_run(world->worker[0], span_of(&message, sizeof(message)));
	world_run(world);
}

static enum gw_err begin(struct world *world, uint32_t id, const char *text)
{
	struct trace_filter filter = {.id = id, .seconds = 60, .len = (uint16_t)strlen(text)};

	filter.by = strncmp(text, "sip:", 4) == 0 ? TRACE_BY_IMPU : TRACE_BY_CALL_ID;
	memcpy(filter.text, text, filter.len);
	command(world, COMMAND_TRACE, &filter);
	EXPECT_EQ(1, seen.rows);
	return seen.row.err;
}

static enum gw_err stop(struct world *world, uint32_t id)
{
	struct trace_filter filter = {.id = id};

	command(world, COMMAND_TRACE_END, &filter);
	EXPECT_EQ(1, seen.rows);
	return seen.row.err;
}

static void open_world(struct world *world)
{
	*world = world_plan();
	world_open(world);
	memset(&seen, 0, sizeof(seen));
	world->hear = hear;
}

/** alice registers; the core's side of it. */
static struct peer *registers(struct world *world, struct peer *core)
{
	static char request[4096];
	struct peer *wic = wic_open(world);

	wic_text(world, wic, wic_register(world, TOKEN_GOOD, 1));
	peer_take(world, core);
	snprintf(request, sizeof(request), "%s", peer_text(core));
	peer_drop(core, core->len);
	core_send(world, core, MW_PORT, core_answer(request, "SIP/2.0 200 OK"));
	EXPECT_EQ(0, strncmp(wic_message(world, wic), "SIP/2.0 200", 11));
	return wic;
}

static void expect_leg(uint32_t i, enum trace_leg leg, const char *start)
{
	EXPECT(i < seen.count);
	EXPECT_EQ(leg, seen.message[i].about.leg);
	EXPECT_EQ(0, strncmp(seen.message[i].text, start, strlen(start)));
}

TEST(trace, shows_a_registration_on_both_sides_without_its_token)
{
	struct world world;
	struct peer *core, *wic;

	open_world(&world);
	core = core_udp(&world);
	EXPECT_EQ(GW_OK, begin(&world, 5, USER));
	wic = registers(&world, core);
	EXPECT_EQ(4, seen.count);
	expect_leg(0, TRACE_FROM_WIC, "REGISTER sip:home1.net SIP/2.0\r\n");
	expect_leg(1, TRACE_TO_CORE, "REGISTER sip:home1.net SIP/2.0\r\n");
	expect_leg(2, TRACE_FROM_CORE, "SIP/2.0 200 OK\r\n");
	expect_leg(3, TRACE_TO_WIC, "SIP/2.0 200 OK\r\n");
	EXPECT(strstr(seen.message[0].text, "Authorization: Bearer [redacted ") != NULL);
	EXPECT(strstr(seen.message[1].text, "auth-done") != NULL);
	for (uint32_t i = 0; i < seen.count; i++) {
		const struct message_traced *about = &seen.message[i].about;

		EXPECT(strstr(seen.message[i].text, "eyJ") == NULL);
		EXPECT_EQ(5, about->id[0]);
		EXPECT_EQ(0, about->id[1]);
		EXPECT(!about->cut);
		EXPECT_EQ(i == 0 || i == 3, !handle_is_none(about->flow));
		EXPECT_EQ(AF_INET, about->peer.sa.sa_family);
	}
	EXPECT_EQ(4, world_count(&world, traced));
	EXPECT_EQ(GW_OK, stop(&world, 5));
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(trace, shows_nothing_before_it_begins_after_it_has_ended_and_of_others)
{
	struct world world;
	struct peer *core, *wic;

	open_world(&world);
	core = core_udp(&world);
	wic = registers(&world, core);
	EXPECT_EQ(GW_OK, begin(&world, 1, "sip:bob@home1.net"));
	EXPECT_EQ(GW_OK, begin(&world, 2, "another-call"));
	peer_free(&world, wic);
	wic = registers(&world, core);
	EXPECT_EQ(0, seen.count);
	EXPECT_EQ(GW_OK, stop(&world, 1));
	EXPECT_EQ(GW_OK, stop(&world, 2));
	EXPECT_EQ(GW_STALE, stop(&world, 2));
	EXPECT_EQ(0, world.worker[0]->traces);
	EXPECT_EQ(GW_OK, begin(&world, 3, USER));
	EXPECT_EQ(GW_OK, stop(&world, 3));
	wic_text(&world, wic, wic_page(2));
	EXPECT_EQ(0, seen.count);
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(trace, follows_a_call_by_its_call_id)
{
	struct world world;
	struct peer *core, *wic;

	open_world(&world);
	core = core_udp(&world);
	EXPECT_EQ(GW_OK, begin(&world, 1, CALL_ID));
	wic = registers(&world, core);
	EXPECT_EQ(4, seen.count);
	wic_text(&world, wic, wic_page(2)); /* of another Call-ID */
	EXPECT_EQ(4, seen.count);
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(trace, knows_the_flow_of_who_hides_its_name_and_its_call_from_then_on)
{
	struct world world;
	struct peer *core, *wic;
	char request[4096];
	const char *anonymous = "OPTIONS sip:bob@home1.net SIP/2.0\r\n"
				"Via: SIP/2.0/WSS x1.invalid;branch=z9hG4bKanon\r\n"
				"Max-Forwards: 70\r\n"
				"From: <sip:anonymous@anonymous.invalid>;tag=a\r\n"
				"To: <sip:bob@home1.net>\r\n"
				"Call-ID: hidden\r\nCSeq: 1 OPTIONS\r\n"
				"Content-Length: 0\r\n\r\n";

	open_world(&world);
	core = core_udp(&world);
	wic = registers(&world, core);
	EXPECT_EQ(GW_OK, begin(&world, 1, USER));
	wic_text(&world, wic, anonymous);
	peer_take(&world, core);
	expect_leg(0, TRACE_FROM_WIC, "OPTIONS sip:bob");
	expect_leg(1, TRACE_TO_CORE, "OPTIONS sip:bob");
	snprintf(request, sizeof(request), "%s", peer_text(core));
	core_send(&world, core, MW_PORT, core_answer(request, "SIP/2.0 200 OK"));
	expect_leg(2, TRACE_FROM_CORE, "SIP/2.0 200 OK"); /* which names bob and nobody */
	EXPECT(strstr(seen.message[2].text, "sip:a@") == NULL);
	expect_leg(3, TRACE_TO_WIC, "SIP/2.0 200 OK");
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(trace, shows_what_is_refused_and_what_nobody_can_read)
{
	struct world world;
	struct peer *core, *wic;
	const char *malformed =
		"MESSAGE sip:bob@home1.net SIP/2.0\r\nVia: SIP/2.0/WSS x;branch=1\r\n"
		"From: <" USER ">;tag=a\r\nAuthorization: Bearer "
		"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln\r\n\r\n";

	open_world(&world);
	core = core_udp(&world);
	EXPECT_EQ(GW_OK, begin(&world, 1, USER));
	wic = wic_open(&world);
	wic_text(&world, wic, wic_register(&world, TOKEN_FORGED, 1));
	EXPECT_EQ(2, seen.count);
	expect_leg(1, TRACE_TO_WIC, "SIP/2.0 401 ");
	wic_text(&world, wic, malformed);
	EXPECT_EQ(3, seen.count);
	expect_leg(2, TRACE_FROM_WIC, "MESSAGE sip:bob");
	for (uint32_t i = 0; i < seen.count; i++)
		EXPECT(strstr(seen.message[i].text, "eyJ") == NULL);
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(trace, is_one_of_a_few_and_a_message_names_all_that_want_it)
{
	struct world world;
	struct peer *core, *wic;

	open_world(&world);
	core = core_udp(&world);
	for (uint32_t i = 1; i <= TRACES_MAX; i++)
		EXPECT_EQ(GW_OK, begin(&world, i, i % 2 ? USER : CALL_ID));
	EXPECT_EQ(GW_BUSY, begin(&world, 9, USER));
	wic = registers(&world, core);
	EXPECT_EQ(4, seen.count);
	for (uint32_t i = 0; i < TRACES_MAX; i++)
		EXPECT_EQ(i + 1, seen.message[0].about.id[i]);
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(trace, ends_by_itself_and_makes_room)
{
	struct world world;
	struct peer *core, *wic;

	open_world(&world);
	core = core_udp(&world);
	for (uint32_t i = 1; i <= TRACES_MAX; i++)
		EXPECT_EQ(GW_OK, begin(&world, i, USER));
	world_pass(&world, 61);
	wic = registers(&world, core);
	EXPECT_EQ(0, seen.count);
	EXPECT_EQ(0, world.worker[0]->traces);
	for (uint32_t i = 1; i <= TRACES_MAX; i++)
		EXPECT_EQ(GW_OK, begin(&world, 10 + i, USER));
	world_pass(&world, 61);
	EXPECT_EQ(GW_OK, begin(&world, 20, USER));
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(trace, leaves_room_for_others_and_counts_what_it_could_not_tell)
{
	struct world world;
	struct peer *core, *wic;
	char page[8192];
	uint32_t pages = 20;
	int head;

	open_world(&world);
	core = core_udp(&world);
	wic = registers(&world, core);
	EXPECT_EQ(GW_OK, begin(&world, 1, USER));
	head = snprintf(page, sizeof(page),
			"MESSAGE sip:bob@home1.net SIP/2.0\r\nVia: SIP/2.0/WSS x;branch=1\r\n"
			"From: <" USER ">;tag=a\r\nCSeq: 1 MESSAGE\r\n\r\n");
	memset(page + head, 'x', 6000);
	page[head + 6000] = '\0';
	for (uint32_t i = 0; i < pages; i++) /* no time passes; without To it is refused */
		wic_text(&world, wic, page);
	EXPECT(seen.count < pages && seen.count >= 4);
	EXPECT_EQ(pages - seen.count, world_count(&world, trace_lost));
	EXPECT_EQ(seen.count, world_count(&world, traced));
	EXPECT_EQ(GW_OK, stop(&world, 1));
	EXPECT_EQ(world_count(&world, trace_lost), seen.row.lost);
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(trace, refuses_a_command_that_is_none)
{
	struct trace_filter filter = {.id = 0};
	struct world world;

	open_world(&world);
	command(&world, COMMAND_TRACE, &filter);
	EXPECT_EQ(0, seen.rows);
	filter = (struct trace_filter){.id = 1, .len = TRACE_TEXT_MAX + 1};
	command(&world, COMMAND_TRACE, &filter);
	EXPECT_EQ(0, seen.rows);
	EXPECT_EQ(2, world_errors(&world, GW_INVARIANT));
	world_close(&world);
}

TEST_MAIN("tracing", RUN(trace, shows_a_registration_on_both_sides_without_its_token),
	  RUN(trace, shows_nothing_before_it_begins_after_it_has_ended_and_of_others),
	  RUN(trace, follows_a_call_by_its_call_id),
	  RUN(trace, knows_the_flow_of_who_hides_its_name_and_its_call_from_then_on),
	  RUN(trace, shows_what_is_refused_and_what_nobody_can_read),
	  RUN(trace, is_one_of_a_few_and_a_message_names_all_that_want_it),
	  RUN(trace, ends_by_itself_and_makes_room),
	  RUN(trace, leaves_room_for_others_and_counts_what_it_could_not_tell),
	  RUN(trace, refuses_a_command_that_is_none))
