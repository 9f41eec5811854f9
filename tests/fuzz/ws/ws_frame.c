/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "ws/ws.h"

/* The reader must say the same about a stream however it arrives. Input: one byte for the message
 * limit, one byte as seed of the chunk sizes, the stream. */

#define LOG_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct log {
	uint8_t text[LOG_MAX];
	struct writer out;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_close(const struct ws_event *event)
{
	uint8_t frame[160];
	struct writer out;

	writer_init(&out, frame, sizeof(frame));
	ws_close_write(ws_close_code(event->err), event->payload, &out);
	must(writer_ok(&out) && frame[0] == 0x88 && frame[1] <= 125);
}

static void log_event(struct log *log, const struct ws_event *event)
{
	char line[64];

	must((event->kind == WS_FAILED) == (event->err != GW_OK));
	must(!event->text || ws_is_utf8(event->payload));
	if (event->kind == WS_FAILED || event->kind == WS_CONTROL_CLOSE)
		check_close(event);
	snprintf(line, sizeof(line), "|%d %d %d %u %u:", event->kind, event->err, event->text,
		 event->close_code, event->payload.len);
	writer_text(&log->out, line);
	writer_put(&log->out, event->payload);
}

static bool drain(struct ws_reader *r, uint8_t *buffer, uint32_t *len, struct log *log)
{
	struct ws_event event;

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

static uint32_t next_chunk(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return 1 + (*seed >> 16) % ((*seed & 0x8000) != 0 ? 5 : 200);
}

/* seed 0: as much as fits at a time */
static void run(struct span stream, uint32_t max_message, uint32_t seed, struct log *log)
{
	uint32_t room = max_message + WS_READER_SLACK, len = 0;
	uint8_t *buffer = malloc(room);
	struct ws_reader r;
	struct span chunk;

	must(buffer != NULL);
	writer_init(&log->out, log->text, sizeof(log->text));
	ws_reader_init(&r, max_message);
	while (stream.len > 0) {
		must(len < room); /* the slack suffices */
		chunk = span_cut(stream, 0, seed == 0 ? room : next_chunk(&seed));
		chunk = span_cut(chunk, 0, room - len);
		memcpy(buffer + len, chunk.at, chunk.len);
		len += chunk.len;
		span_skip(&stream, chunk.len);
		if (!drain(&r, buffer, &len, log))
			break;
	}
	free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct log whole, chunked;
	struct span in = span_of(data, (uint32_t)size);
	uint8_t limit, seed;

	if (!span_u8(&in, &limit) || !span_u8(&in, &seed))
		return 0;
	run(in, (uint32_t)limit * 4, 0, &whole);
	run(in, (uint32_t)limit * 4, seed + 1u, &chunked);
	must(span_equal(writer_span(&whole.out), writer_span(&chunked.out)));
	return 0;
}
