/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include <stdio.h>

#include "ws/ws.h"

#define STREAM_MAX 200000
#define LOG_MAX 400000

/** What a reader said about a stream, as bytes that can be compared. */
struct log {
	uint8_t text[LOG_MAX];
	struct writer out;
	uint32_t events;
};

static void frame_put(struct writer *out, uint8_t flags, struct span payload)
{
	static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	uint32_t at;

	if (payload.len < 126) {
		writer_u8(out, flags);
		writer_u8(out, (uint8_t)(0x80 | payload.len));
	} else if (payload.len < 65536) {
		writer_u8(out, flags);
		writer_u8(out, 0x80 | 126);
		writer_u16_be(out, (uint16_t)payload.len);
	} else {
		writer_u8(out, flags);
		writer_u8(out, 0x80 | 127);
		writer_u64_be(out, payload.len);
	}
	writer_bytes(out, mask, sizeof(mask));
	at = writer_len(out);
	writer_put(out, payload);
	ws_unmask(out->start + at, payload.len, mask, 0);
}

static void log_event(struct log *log, const struct ws_event *event)
{
	char line[64];

	log->events++;
	snprintf(line, sizeof(line), "|kind %d err %d text %d close %u len %u:", event->kind,
		 event->err, event->text, event->close_code, event->payload.len);
	writer_text(&log->out, line);
	writer_put(&log->out, event->payload);
}

/* Feeds one chunk and logs events until the reader wants more. False after a failure. */
static bool feed(struct ws_reader *r, uint8_t *buffer, uint32_t *len, struct span chunk,
		 struct log *log)
{
	struct ws_event event;

	memcpy(buffer + *len, chunk.at, chunk.len);
	*len += chunk.len;
	for (;;) {
		event = ws_read(r, buffer, len);
		if (event.kind == WS_NEED_MORE)
			return true;
		log_event(log, &event);
		if (event.kind == WS_FAILED)
			return false;
		if (event.kind == WS_MESSAGE)
			ws_read_done(r);
	}
}

/* A buffer of just the size the contract asks for: ASan sees any step over it. */
static void run(struct span stream, uint32_t max_message, uint32_t (*chunk)(uint32_t at),
		struct log *log)
{
	uint32_t size = max_message + WS_READER_SLACK, n, len = 0;
	uint8_t *buffer = malloc(size);
	struct ws_reader r;

	writer_init(&log->out, log->text, sizeof(log->text));
	log->events = 0;
	ws_reader_init(&r, max_message);
	for (uint32_t at = 0; at < stream.len; at += n) {
		EXPECT(len < size);
		n = span_cut(span_cut(stream, at, chunk(at)), 0, size - len).len;
		if (!feed(&r, buffer, &len, span_cut(stream, at, n), log))
			break;
	}
	free(buffer);
}

static uint32_t chunk_whole(uint32_t at)
{
	return STREAM_MAX;
}

static uint32_t chunk_byte(uint32_t at)
{
	return 1;
}

/* Reads the whole stream at once and gives the last event. */
static struct ws_event last_event(struct span stream, uint32_t max_message)
{
	uint8_t buffer[4096];
	uint32_t len = stream.len;
	struct ws_reader r;
	struct ws_event event = {0}, next;

	memcpy(buffer, stream.at, stream.len);
	ws_reader_init(&r, max_message);
	for (next = ws_read(&r, buffer, &len); next.kind != WS_NEED_MORE;
	     next = ws_read(&r, buffer, &len)) {
		event = next;
		if (event.kind == WS_FAILED)
			break;
		if (event.kind == WS_MESSAGE)
			ws_read_done(&r);
	}
	return event;
}

#define FAILS_WITH(error, stream) \
	do { \
		struct ws_event seen_ = last_event(stream, 1000); \
		EXPECT_EQ(WS_FAILED, seen_.kind); \
		EXPECT_EQ(error, seen_.err); \
	} while (0)

TEST(ws_reader, reads_the_masked_hello_of_rfc_6455)
{
	uint8_t buffer[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
	uint32_t len = sizeof(buffer) - 1;
	struct ws_reader r;
	struct ws_event event;

	ws_reader_init(&r, 100);
	event = ws_read(&r, buffer, &len);
	EXPECT_EQ(WS_MESSAGE, event.kind);
	EXPECT(event.text);
	EXPECT_SPAN("Hello", event.payload);
	ws_read_done(&r);
	EXPECT_EQ(WS_NEED_MORE, ws_read(&r, buffer, &len).kind);
	EXPECT_EQ(0, len);
}

TEST(ws_reader, joins_fragments_around_a_ping)
{
	uint8_t buffer[200];
	uint32_t len;
	struct writer w;
	struct ws_reader r;
	struct ws_event event;

	writer_init(&w, buffer, sizeof(buffer));
	frame_put(&w, 0x01, SPAN("Hel"));
	frame_put(&w, 0x89, SPAN("ping"));
	frame_put(&w, 0x80, SPAN("lo"));
	len = writer_len(&w);
	ws_reader_init(&r, 100);
	event = ws_read(&r, buffer, &len);
	EXPECT_EQ(WS_CONTROL_PING, event.kind);
	EXPECT_SPAN("ping", event.payload);
	event = ws_read(&r, buffer, &len);
	EXPECT_EQ(WS_MESSAGE, event.kind);
	EXPECT_SPAN("Hello", event.payload);
	EXPECT(event.text);
}

TEST(ws_reader, gives_a_message_again_until_it_is_done)
{
	uint8_t buffer[64];
	uint32_t len;
	struct writer w;
	struct ws_reader r;

	writer_init(&w, buffer, sizeof(buffer));
	frame_put(&w, 0x82, SPAN("one"));
	frame_put(&w, 0x82, SPAN("two"));
	len = writer_len(&w);
	ws_reader_init(&r, 100);
	EXPECT_SPAN("one", ws_read(&r, buffer, &len).payload);
	EXPECT_SPAN("one", ws_read(&r, buffer, &len).payload);
	ws_read_done(&r);
	EXPECT_SPAN("two", ws_read(&r, buffer, &len).payload);
	EXPECT(!ws_read(&r, buffer, &len).text);
}

TEST(ws_reader, may_have_its_buffer_copied_elsewhere)
{
	uint8_t first[64], second[64];
	uint32_t len;
	struct writer w;
	struct ws_reader r;

	writer_init(&w, first, sizeof(first));
	frame_put(&w, 0x82, SPAN("one"));
	frame_put(&w, 0x82, SPAN("two"));
	len = writer_len(&w);
	ws_reader_init(&r, 100);
	EXPECT_SPAN("one", ws_read(&r, first, &len).payload);
	memcpy(second, first, len);
	memset(first, 0, sizeof(first));
	EXPECT_SPAN("one", ws_read(&r, second, &len).payload);
	ws_read_done(&r);
	EXPECT_SPAN("two", ws_read(&r, second, &len).payload);
}

TEST(ws_reader, reads_messages_of_256_bytes_and_64_kibibytes)
{
	static uint8_t stream[STREAM_MAX], payload[65536];
	static struct log log;
	struct writer w;

	for (uint32_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	writer_init(&w, stream, sizeof(stream));
	frame_put(&w, 0x82, span_of(payload, 256));
	frame_put(&w, 0x82, span_of(payload, 65536));
	run(writer_span(&w), 65536, chunk_whole, &log);
	EXPECT_EQ(2, log.events);
	EXPECT_BYTES(payload, log.out.at - 65536, 65536);
}

TEST(ws_reader, reads_empty_messages_and_empty_fragments)
{
	static struct log log;
	uint8_t stream[100];
	struct writer w;

	writer_init(&w, stream, sizeof(stream));
	frame_put(&w, 0x81, SPAN(""));
	frame_put(&w, 0x02, SPAN(""));
	frame_put(&w, 0x00, SPAN(""));
	frame_put(&w, 0x80, SPAN("x"));
	run(writer_span(&w), 10, chunk_byte, &log);
	EXPECT_SPAN("|kind 1 err 0 text 1 close 0 len 0:|kind 1 err 0 text 0 close 0 len 1:x",
		    writer_span(&log.out));
}

TEST(ws_reader, reads_close_frames_with_and_without_a_code)
{
	struct ws_event event = last_event(SPAN("\x88\x80mask"), 100);
	uint8_t stream[32];
	struct writer w;

	EXPECT_EQ(WS_CONTROL_CLOSE, event.kind);
	EXPECT_EQ(1005, event.close_code);
	EXPECT_EQ(0, event.payload.len);
	writer_init(&w, stream, sizeof(stream));
	frame_put(&w, 0x88,
		  SPAN("\x03\xE9"
		       "bye"));
	event = last_event(writer_span(&w), 100);
	EXPECT_EQ(WS_CONTROL_CLOSE, event.kind);
	EXPECT_EQ(1001, event.close_code);
	EXPECT_EQ(3, event.payload.len);
}

TEST(ws_reader, refuses_malformed_close_frames)
{
	static const uint16_t bad[] = {0,    999,  1004, 1005, 1006, 1015,
				       1016, 1100, 2000, 2999, 5000, 65535};
	static const uint16_t good[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
					1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};
	uint8_t stream[32], code[2];
	struct writer w;

	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]) + sizeof(good) / sizeof(good[0]);
	     i++) {
		bool ok = i >= sizeof(bad) / sizeof(bad[0]);
		uint16_t value = ok ? good[i - sizeof(bad) / sizeof(bad[0])] : bad[i];

		code[0] = (uint8_t)(value >> 8);
		code[1] = (uint8_t)value;
		writer_init(&w, stream, sizeof(stream));
		frame_put(&w, 0x88, span_of(code, 2));
		EXPECT_EQ(ok ? GW_OK : GW_WS_CLOSE_CODE, last_event(writer_span(&w), 100).err);
	}
	writer_init(&w, stream, sizeof(stream));
	frame_put(&w, 0x88, SPAN("\x03"));
	FAILS_WITH(GW_WS_CLOSE_CODE, writer_span(&w));
	writer_init(&w, stream, sizeof(stream));
	frame_put(&w, 0x88, SPAN("\x03\xE8\xFF"));
	FAILS_WITH(GW_WS_UTF8, writer_span(&w));
}

TEST(ws_reader, refuses_fragments_out_of_sequence)
{
	uint8_t stream[64];
	struct writer w;

	writer_init(&w, stream, sizeof(stream));
	frame_put(&w, 0x80, SPAN("continues nothing"));
	FAILS_WITH(GW_WS_FRAGMENT, writer_span(&w));
	writer_init(&w, stream, sizeof(stream));
	frame_put(&w, 0x01, SPAN("one"));
	frame_put(&w, 0x81, SPAN("two"));
	FAILS_WITH(GW_WS_FRAGMENT, writer_span(&w));
	writer_init(&w, stream, sizeof(stream));
	frame_put(&w, 0x81, SPAN("whole"));
	frame_put(&w, 0x80, SPAN("one too many"));
	FAILS_WITH(GW_WS_FRAGMENT, writer_span(&w));
}

TEST(ws_reader, passes_on_every_failure_of_a_frame_head)
{
	FAILS_WITH(GW_WS_UNMASKED, SPAN("\x81\x02hi"));
	FAILS_WITH(GW_WS_RESERVED, SPAN("\xC1"));
	FAILS_WITH(GW_WS_CONTROL, SPAN("\x09"));
	FAILS_WITH(GW_WS_LENGTH, SPAN("\x82\xFE\x00\x01"));
	FAILS_WITH(GW_WS_TOO_LONG, SPAN("\x82\xFE\x10\x00"));
}

TEST(ws_reader, bounds_the_message_and_not_only_the_frame)
{
	uint8_t stream[64];
	struct writer w;

	writer_init(&w, stream, sizeof(stream));
	frame_put(&w, 0x02, SPAN("12345"));
	frame_put(&w, 0x80, SPAN("67890"));
	EXPECT_EQ(GW_OK, last_event(writer_span(&w), 10).err);
	EXPECT_EQ(GW_WS_TOO_LONG, last_event(writer_span(&w), 9).err);
}

TEST(ws_reader, refuses_text_that_is_not_utf8_before_the_frame_ends)
{
	uint8_t stream[64];
	struct writer w;

	writer_init(&w, stream, sizeof(stream));
	frame_put(&w, 0x81, SPAN("\xFFrest"));
	FAILS_WITH(GW_WS_UTF8, span_cut(writer_span(&w), 0, 7));
	writer_init(&w, stream, sizeof(stream));
	frame_put(&w, 0x81, SPAN("cut \xE2\x82"));
	FAILS_WITH(GW_WS_UTF8, writer_span(&w));
}

TEST(ws_reader, lets_a_character_span_two_fragments)
{
	uint8_t stream[64];
	struct writer w;

	writer_init(&w, stream, sizeof(stream));
	frame_put(&w, 0x01, SPAN("\xE2\x82"));
	frame_put(&w, 0x8A, SPAN("\xFF"));
	frame_put(&w, 0x80, SPAN("\xAC"));
	EXPECT_EQ(WS_MESSAGE, last_event(writer_span(&w), 100).kind);
}

TEST(ws_reader, does_not_ask_binary_messages_for_utf8)
{
	uint8_t stream[64];
	struct writer w;

	writer_init(&w, stream, sizeof(stream));
	frame_put(&w, 0x82, SPAN("\xFF\xFE"));
	EXPECT_EQ(WS_MESSAGE, last_event(writer_span(&w), 100).kind);
}

TEST(ws_reader, repeats_its_failure)
{
	uint8_t buffer[64];
	uint32_t len;
	struct writer w;
	struct ws_reader r;

	writer_init(&w, buffer, sizeof(buffer));
	frame_put(&w, 0x81, SPAN("\xFF"));
	frame_put(&w, 0x81, SPAN("fine"));
	len = writer_len(&w);
	ws_reader_init(&r, 100);
	EXPECT_EQ(GW_WS_UTF8, ws_read(&r, buffer, &len).err);
	EXPECT_EQ(GW_WS_UTF8, ws_read(&r, buffer, &len).err);
	ws_read_done(&r);
	EXPECT_EQ(WS_FAILED, ws_read(&r, buffer, &len).kind);
}

static void mixed_stream(struct writer *w)
{
	static char long_text[700];

	memset(long_text, 'a', sizeof(long_text));
	frame_put(w, 0x81, SPAN("REGISTER sip:home1.net SIP/2.0\r\n\r\n"));
	frame_put(w, 0x01, SPAN("Gr\xC3"));
	frame_put(w, 0x89, span_of(long_text, 125));
	frame_put(w, 0x00, SPAN(""));
	frame_put(w, 0x00,
		  span_cut(SPAN("\xBC\xC3\x9F"
				"e"),
			   0, 4));
	frame_put(w, 0x8A, SPAN(""));
	frame_put(w, 0x80, span_of(long_text, 300));
	frame_put(w, 0x82, span_of(long_text, sizeof(long_text)));
	frame_put(w, 0x81, SPAN("\r\n\r\n"));
	frame_put(w, 0x88,
		  SPAN("\x03\xE8"
		       "end"));
}

static uint32_t cut_at;

static uint32_t chunk_cut(uint32_t at)
{
	return at < cut_at ? cut_at - at : STREAM_MAX;
}

TEST(ws_reader, gives_the_same_events_wherever_the_stream_is_cut)
{
	static struct log whole, cut;
	static uint8_t stream[4000];
	struct writer w;

	writer_init(&w, stream, sizeof(stream));
	mixed_stream(&w);
	run(writer_span(&w), 700, chunk_whole, &whole);
	EXPECT_EQ(7, whole.events);
	for (cut_at = 0; cut_at <= writer_len(&w); cut_at++) {
		run(writer_span(&w), 700, chunk_cut, &cut);
		EXPECT_EQ(writer_len(&whole.out), writer_len(&cut.out));
		EXPECT_BYTES(whole.text, cut.text, writer_len(&whole.out));
	}
	run(writer_span(&w), 700, chunk_byte, &cut);
	EXPECT_BYTES(whole.text, cut.text, writer_len(&whole.out));
}

static uint32_t seed;

static uint32_t chunk_random(uint32_t at)
{
	seed = seed * 1103515245 + 12345;
	return 1 + (seed >> 16) % ((seed & 0x100) != 0 ? 9 : 400);
}

TEST(ws_reader, gives_the_same_events_however_the_stream_is_chunked)
{
	static struct log whole, chunked;
	static uint8_t stream[40000];
	struct writer w;

	writer_init(&w, stream, sizeof(stream));
	for (int i = 0; i < 10; i++)
		mixed_stream(&w);
	run(writer_span(&w), 700, chunk_whole, &whole);
	for (uint32_t i = 0; i < 200; i++) {
		seed = i;
		run(writer_span(&w), 700, chunk_random, &chunked);
		EXPECT_EQ(writer_len(&whole.out), writer_len(&chunked.out));
		EXPECT_BYTES(whole.text, chunked.text, writer_len(&whole.out));
	}
}

TEST(ws_reader, keeps_nothing_of_an_idle_connection)
{
	EXPECT(sizeof(struct ws_reader) <= 32);
}

TEST_MAIN("ws_reader", RUN(ws_reader, reads_the_masked_hello_of_rfc_6455),
	  RUN(ws_reader, joins_fragments_around_a_ping),
	  RUN(ws_reader, gives_a_message_again_until_it_is_done),
	  RUN(ws_reader, may_have_its_buffer_copied_elsewhere),
	  RUN(ws_reader, reads_messages_of_256_bytes_and_64_kibibytes),
	  RUN(ws_reader, reads_empty_messages_and_empty_fragments),
	  RUN(ws_reader, reads_close_frames_with_and_without_a_code),
	  RUN(ws_reader, refuses_malformed_close_frames),
	  RUN(ws_reader, refuses_fragments_out_of_sequence),
	  RUN(ws_reader, passes_on_every_failure_of_a_frame_head),
	  RUN(ws_reader, bounds_the_message_and_not_only_the_frame),
	  RUN(ws_reader, refuses_text_that_is_not_utf8_before_the_frame_ends),
	  RUN(ws_reader, lets_a_character_span_two_fragments),
	  RUN(ws_reader, does_not_ask_binary_messages_for_utf8),
	  RUN(ws_reader, repeats_its_failure),
	  RUN(ws_reader, gives_the_same_events_wherever_the_stream_is_cut),
	  RUN(ws_reader, gives_the_same_events_however_the_stream_is_chunked),
	  RUN(ws_reader, keeps_nothing_of_an_idle_connection))
