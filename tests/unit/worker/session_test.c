/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

/* PROTOCOL 2.2 row by row, and the times of PROTOCOL 10.2 and 11, on one worker. */

static void expect_close(enum ws_opcode opcode, struct span payload, uint16_t code)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = wic_open(&world);
	wic_frame(&world, wic, FRAME_FINAL, opcode, payload);
	EXPECT_EQ(code, wic_close_code(&world, wic));
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, closes_with_1002_for_a_frame_without_a_mask)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = wic_open(&world);
	peer_put(&world, wic, SPAN("\x81\x02hi"));
	EXPECT_EQ(1002, wic_close_code(&world, wic));
	EXPECT_EQ(1, world_errors(&world, GW_WS_UNMASKED));
	EXPECT_EQ(0, world_count(&world, session_live));
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, takes_sip_from_a_binary_frame)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = wic_open(&world);
	wic_frame(&world, wic, FRAME_FINAL, WS_BINARY, span_text(wic_page(1)));
	EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 403", 11));
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, answers_two_line_ends_with_one)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = wic_open(&world);
	wic_text(&world, wic, "\r\n\r\n");
	EXPECT_TEXT("\r\n", wic_message(&world, wic));
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, ignores_one_line_end_and_an_empty_message)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = wic_open(&world);
	for (int i = 0; i < 5; i++) {
		wic_text(&world, wic, "\r\n");
		wic_text(&world, wic, "");
	}
	EXPECT_TEXT("", wic_message(&world, wic));
	EXPECT(!wic->ended);
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, forgives_two_messages_that_are_not_sip_and_not_three)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = wic_open(&world);
	wic_text(&world, wic, "what");
	wic_text(&world, wic, "is");
	EXPECT_EQ(0, wic_close_code(&world, wic));
	wic_text(&world, wic, "this");
	EXPECT_EQ(1002, wic_close_code(&world, wic));
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, starts_to_forgive_anew_after_a_request_that_it_refused)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = wic_open(&world);
	for (uint32_t i = 0; i < 4; i++) {
		wic_text(&world, wic, "junk");
		wic_text(&world, wic, wic_page(i + 1));
		EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 403", 11));
	}
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, closes_with_1009_for_a_message_that_is_too_long)
{
	static uint8_t payload[WORLD_MESSAGE_MAX + 1];

	memset(payload, 'a', sizeof(payload));
	expect_close(WS_TEXT, span_of(payload, sizeof(payload)), 1009);
}

TEST(session, closes_with_1007_for_text_that_is_not_utf8)
{
	expect_close(WS_TEXT, SPAN("\xc0\xaf"), 1007);
}

TEST(session, gives_a_close_code_back)
{
	expect_close(WS_CLOSE, SPAN("\x03\xe9"), 1001);
}

TEST(session, answers_a_ping_with_its_payload)
{
	struct world world = world_plan();
	struct span payload;
	struct peer *wic;
	uint8_t opcode;

	world_open(&world);
	wic = wic_open(&world);
	wic_frame(&world, wic, FRAME_FINAL, WS_PING, SPAN("abc"));
	EXPECT(wic_next(&world, wic, &opcode, &payload));
	EXPECT_EQ(WS_PONG, opcode);
	EXPECT_SPAN("abc", payload);
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, puts_fragments_together_around_a_ping)
{
	struct world world = world_plan();
	struct span text = span_text(wic_page(1)), payload;
	struct peer *wic;
	uint8_t opcode;

	world_open(&world);
	wic = wic_open(&world);
	wic_frame(&world, wic, FRAME_MORE, WS_TEXT, span_cut(text, 0, 50));
	wic_frame(&world, wic, FRAME_FINAL, WS_PING, SPAN("now"));
	wic_frame(&world, wic, FRAME_MORE, WS_CONTINUATION, span_cut(text, 50, 1));
	wic_frame(&world, wic, FRAME_FINAL, WS_CONTINUATION, span_from(text, 51));
	EXPECT(wic_next(&world, wic, &opcode, &payload));
	EXPECT_EQ(WS_PONG, opcode);
	EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 403", 11));
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, takes_a_message_longer_than_the_small_buffer)
{
	struct world world = world_plan();
	char text[9000];
	struct peer *wic;
	size_t head;

	world_open(&world);
	wic = wic_open(&world);
	head = (size_t)(strstr(wic_page(1), "Content-Length") - wic_page(1));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	memcpy(text, wic_page(1), head);
	memcpy(text + head, "Content-Length: 8000\r\n\r\n", 24);
	text[head + 24 + 8000] = 0;
	wic_text(&world, wic, text);
	EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 403", 11));
	EXPECT_EQ(0, worker_balance(world.worker[0]).large_buffers); /* given back at once */
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, gets_the_upgrade_and_the_first_frames_in_one_piece_or_byte_by_byte)
{
	struct world world = world_plan();
	struct peer *wic;
	struct span upgrade = SPAN("GET /sip HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
				   "Connection: Upgrade\r\n"
				   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
				   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n"
				   "Origin: " ORIGIN "\r\n\r\n\x89\x80\x01\x01\x01\x01"
				   "\x81\x84\x01\x01\x01\x01\x0c\x0b\x0c\x0b");

	world_open(&world);
	for (uint32_t step = 1; step <= upgrade.len; step *= 8) {
		wic = peer_connect(&world);
		for (uint32_t at = 0; at < upgrade.len; at += step)
			peer_put(&world, wic, span_cut(upgrade, at, step));
		peer_take(&world, wic);
		EXPECT(strstr(peer_text(wic), "HTTP/1.1 101") != NULL);
		EXPECT(strstr(peer_text(wic), "\r\n\r\n\x8a") != NULL);
		EXPECT_EQ(0, memcmp(wic->in + wic->len - 4, "\x81\x02\r\n", 4));
		peer_free(&world, wic);
	}
	world_close(&world);
}

TEST(session, is_listed_with_its_state_its_origin_and_what_tls_agreed_on)
{
	struct world world = world_plan();
	struct row_session row;
	uint32_t cursor = 0;
	struct peer *wic;

	world_open(&world);
	wic = wic_open(&world);
	EXPECT_EQ(1, session_rows(world.worker[0], &cursor, 1, &row));
	EXPECT_TEXT("open", row.state);
	EXPECT_TEXT(ORIGIN, row.origin);
	EXPECT_TEXT("clear - -", row.tls); /* version, cipher, group */
	peer_free(&world, wic);
	world_close(&world);
}

/* ---- refusals before the upgrade ------------------------------------------------------------ */

TEST(session, says_403_to_a_foreign_origin_and_closes)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = peer_connect(&world);
	wic_upgrade(&world, wic, "https://evil.example");
	EXPECT_EQ(0, strncmp(peer_text(wic), "HTTP/1.1 403", 12));
	EXPECT(wic->ended);
	EXPECT_EQ(1, world_count(&world, http_refused));
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, says_431_to_a_head_that_does_not_end)
{
	struct world world = world_plan();
	char head[10000];
	struct peer *wic;

	world_open(&world);
	wic = peer_connect(&world);
	memset(head, 'h', sizeof(head));
	memcpy(head, "GET /sip HTTP/1.1\r\nX: ", 22);
	peer_put(&world, wic, span_of(head, sizeof(head)));
	peer_take(&world, wic);
	EXPECT_EQ(0, strncmp(peer_text(wic), "HTTP/1.1 431", 12));
	peer_free(&world, wic);
	world_close(&world);
}

/* ---- times ---------------------------------------------------------------------------------- */

TEST(session, ends_an_upgrade_that_takes_ten_seconds)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = peer_connect(&world);
	for (int i = 0; i < 9; i++) {
		peer_put(&world, wic, SPAN("G"));
		world_pass(&world, 1);
	}
	EXPECT_EQ(1, world_count(&world, conn_live));
	world_pass(&world, 2);
	EXPECT_EQ(0, world_count(&world, conn_live));
	EXPECT_EQ(1, world_errors(&world, GW_TIMEOUT)); /* counted once */
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, closes_with_1008_after_thirty_seconds_without_registration)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = wic_open(&world);
	world_pass(&world, 29);
	EXPECT_EQ(0, wic_close_code(&world, wic));
	world_pass(&world, 2);
	EXPECT_EQ(1008, wic_close_code(&world, wic));
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, is_not_kept_before_registration_by_tokens_that_are_forged)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = wic_open(&world);
	for (uint32_t i = 0; i < 6; i++) {
		wic_text(&world, wic, wic_register(&world, TOKEN_FORGED, i + 1));
		EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 401", 11));
		world_pass(&world, 4);
	}
	world_pass(&world, 7);
	EXPECT_EQ(1008, wic_close_code(&world, wic));
	peer_free(&world, wic);
	world_close(&world);
}

static void registered(struct world *world, struct peer *wic, struct peer *core)
{
	wic_text(world, wic, wic_register(world, TOKEN_GOOD, 1));
	peer_take(world, core);
	EXPECT_EQ(0, strncmp(peer_text(core), "REGISTER ", 9));
	core_send(world, core, MW_WORKER_PORT, core_answer(peer_text(core), "SIP/2.0 200 OK"));
	EXPECT_EQ(0, strncmp(wic_message(world, wic), "SIP/2.0 200", 11));
	EXPECT_EQ(1, world_count(world, binding_live));
}

TEST(session, is_pinged_every_25_seconds)
{
	struct world world = world_plan();
	struct peer *wic, *core;
	struct span payload;
	uint8_t opcode;

	world_open(&world);
	core = core_udp(&world);
	wic = wic_open(&world);
	registered(&world, wic, core);
	for (int i = 0; i < 4; i++) {
		world_pass(&world, 24);
		EXPECT(!wic_next(&world, wic, &opcode, &payload));
		world_pass(&world, 1);
		EXPECT(wic_next(&world, wic, &opcode, &payload));
		EXPECT_EQ(WS_PING, opcode);
		wic_frame(&world, wic, FRAME_FINAL, WS_PONG, SPAN(""));
	}
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(session, is_cut_after_60_seconds_of_silence)
{
	struct world world = world_plan();
	struct peer *wic, *core;

	world_open(&world);
	core = core_udp(&world);
	wic = wic_open(&world);
	registered(&world, wic, core);
	world_pass(&world, 58);
	EXPECT_EQ(1, world_count(&world, session_live));
	world_pass(&world, 3);
	EXPECT_EQ(0, world_count(&world, session_live));
	EXPECT_EQ(0, world_count(&world, binding_live));
	EXPECT_EQ(1, world_errors(&world, GW_WS_SILENT));
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(session, stays_60_seconds_after_its_registration_ended)
{
	struct world world = world_plan();
	struct peer *wic, *core;
	char *end;

	world_open(&world);
	core = core_udp(&world);
	wic = wic_open(&world);
	registered(&world, wic, core);
	world_pass(&world, 10);
	end = strdup(wic_register(&world, TOKEN_GOOD, 2));
	memcpy(strstr(end, ";expires=600"), ";expires=0  ", 12);
	peer_drop(core, core->len);
	wic_text(&world, wic, end);
	free(end);
	peer_take(&world, core);
	core_send(&world, core, MW_WORKER_PORT, core_answer(peer_text(core), "SIP/2.0 200 OK"));
	EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 200", 11));
	EXPECT_EQ(0, world_count(&world, binding_live));
	world_pass(&world, 30);
	wic_frame(&world, wic, FRAME_FINAL, WS_PONG, SPAN(""));
	world_pass(&world, 28);
	EXPECT_EQ(0, wic_close_code(&world, wic));
	world_pass(&world, 4);
	EXPECT_EQ(1008, wic_close_code(&world, wic));
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

/** Seconds pass for a WIC that answers pings. */
static void pass_alive(struct world *world, struct peer *wic, uint32_t seconds)
{
	for (uint32_t i = 0; i < seconds; i += 20) {
		world_pass(world, seconds - i < 20 ? seconds - i : 20);
		wic_frame(world, wic, FRAME_FINAL, WS_PONG, SPAN(""));
	}
}

TEST(session, stays_240_seconds_while_its_user_answers_a_challenge_of_the_core)
{
	struct world world = world_plan();
	struct peer *wic, *core;
	char *request;

	world.mode = WWSF_IMS_AUTH;
	world_open(&world);
	core = core_udp(&world);
	wic = wic_open(&world);
	request = strdup(wic_register(&world, TOKEN_GOOD, 1));
	memcpy(strstr(request, "Authorization"), "X-Not-A-Token", 13);
	wic_text(&world, wic, request);
	free(request);
	peer_take(&world, core);
	core_send(&world, core, MW_WORKER_PORT,
		  core_answer(peer_text(core), "SIP/2.0 401 Unauthorized"));
	EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 401", 11));
	pass_alive(&world, wic, 235);
	EXPECT_EQ(0, wic_close_code(&world, wic));
	world_pass(&world, 7);
	EXPECT_EQ(1008, wic_close_code(&world, wic));
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

/** A registered WIC lets n pieces of a message come, one every 20 s. */
static void trickle(struct world *world, struct peer *wic, uint32_t n)
{
	wic_frame(world, wic, FRAME_MORE, WS_TEXT, SPAN("M"));
	for (uint32_t i = 1; i < n; i++) {
		world_pass(world, 20);
		wic_frame(world, wic, FRAME_MORE, WS_CONTINUATION, SPAN("E"));
	}
}

TEST(session, closes_with_1008_for_a_message_that_takes_60_seconds)
{
	struct world world = world_plan();
	struct peer *wic, *core;

	world_open(&world);
	core = core_udp(&world);
	wic = wic_open(&world);
	registered(&world, wic, core);
	trickle(&world, wic, 3);
	world_pass(&world, 19);
	EXPECT_EQ(0, wic_close_code(&world, wic));
	world_pass(&world, 2);
	EXPECT_EQ(1008, wic_close_code(&world, wic));
	EXPECT_EQ(1, world_errors(&world, GW_TIMEOUT));
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(session, counts_the_time_of_each_message_anew)
{
	struct world world = world_plan();
	struct peer *wic, *core;

	world_open(&world);
	core = core_udp(&world);
	wic = wic_open(&world);
	registered(&world, wic, core);
	for (int i = 0; i < 3; i++) {
		trickle(&world, wic, 3);
		wic_frame(&world, wic, FRAME_FINAL, WS_CONTINUATION, SPAN(""));
		wic_text(&world, wic,
			 wic_page(1)); /* not three messages in a row that are no SIP */
	}
	EXPECT_EQ(0, wic_close_code(&world, wic));
	EXPECT(!wic->ended);
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(session, takes_what_follows_the_body_for_no_second_message)
{
	struct world world = world_plan();
	struct peer *wic;
	char *two;

	world_open(&world);
	wic = wic_open(&world);
	two = malloc(2 * strlen(wic_page(1)) + 1);
	strcat(strcpy(two, wic_page(1)), wic_page(2));
	EXPECT(strstr(two, "Content-Length") != NULL);
	wic_text(&world, wic, two);
	free(two);
	EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 403", 11));
	EXPECT_TEXT("", wic_message(&world, wic));
	EXPECT_EQ(1, world_count(&world, sip_requests_in));
	peer_free(&world, wic);
	world_close(&world);
}

TEST(session, says_503_past_the_rate_of_its_requests_and_stays)
{
	struct world world = world_plan();
	struct peer *wic;
	const char *answer;

	world.requests = (struct rate_limit){1, 1};
	world_open(&world);
	wic = wic_open(&world);
	wic_text(&world, wic, wic_page(1));
	EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 403", 11));
	wic_text(&world, wic, wic_register(&world, TOKEN_GOOD, 2));
	answer = wic_message(&world, wic);
	EXPECT_EQ(0, strncmp(answer, "SIP/2.0 503", 11));
	EXPECT(strstr(answer, "\r\nRetry-After: 5\r\n") != NULL);
	EXPECT_EQ(1, world_errors(&world, GW_RATE));
	EXPECT_EQ(0, world_count(&world, verify_jobs));
	EXPECT(!wic->ended);
	world_pass(&world, 1);
	wic_text(&world, wic, wic_page(3));
	EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 403", 11));
	peer_free(&world, wic);
	world_close(&world);
}

TEST_MAIN("worker_session", RUN(session, closes_with_1008_for_a_message_that_takes_60_seconds),
	  RUN(session, counts_the_time_of_each_message_anew),
	  RUN(session, takes_what_follows_the_body_for_no_second_message),
	  RUN(session, says_503_past_the_rate_of_its_requests_and_stays),
	  RUN(session, closes_with_1002_for_a_frame_without_a_mask),
	  RUN(session, takes_sip_from_a_binary_frame), RUN(session, answers_two_line_ends_with_one),
	  RUN(session, ignores_one_line_end_and_an_empty_message),
	  RUN(session, forgives_two_messages_that_are_not_sip_and_not_three),
	  RUN(session, starts_to_forgive_anew_after_a_request_that_it_refused),
	  RUN(session, closes_with_1009_for_a_message_that_is_too_long),
	  RUN(session, closes_with_1007_for_text_that_is_not_utf8),
	  RUN(session, gives_a_close_code_back), RUN(session, answers_a_ping_with_its_payload),
	  RUN(session, puts_fragments_together_around_a_ping),
	  RUN(session, takes_a_message_longer_than_the_small_buffer),
	  RUN(session, gets_the_upgrade_and_the_first_frames_in_one_piece_or_byte_by_byte),
	  RUN(session, is_listed_with_its_state_its_origin_and_what_tls_agreed_on),
	  RUN(session, says_403_to_a_foreign_origin_and_closes),
	  RUN(session, says_431_to_a_head_that_does_not_end),
	  RUN(session, ends_an_upgrade_that_takes_ten_seconds),
	  RUN(session, closes_with_1008_after_thirty_seconds_without_registration),
	  RUN(session, is_not_kept_before_registration_by_tokens_that_are_forged),
	  RUN(session, is_pinged_every_25_seconds),
	  RUN(session, is_cut_after_60_seconds_of_silence),
	  RUN(session, stays_60_seconds_after_its_registration_ended),
	  RUN(session, stays_240_seconds_while_its_user_answers_a_challenge_of_the_core))
