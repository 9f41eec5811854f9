/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

static struct sip_message message;

enum { MAX_MESSAGE = 4096 };

static void check_frame(struct span stream, struct sip_frame frame)
{
	uint32_t end = frame.skip + frame.len;

	MUST(frame.len > 0 && frame.len <= MAX_MESSAGE && end <= stream.len);
	MUST(sip_frame_read(span_cut(stream, 0, end), MAX_MESSAGE).len == frame.len);
	MUST(sip_frame_read(span_cut(stream, 0, end - 1), MAX_MESSAGE).err == GW_AGAIN);
	MUST(sip_frame_read(span_cut(stream, 0, end / 2), MAX_MESSAGE).err == GW_AGAIN);
	/* Both see the same length of the same message. */
	if (sip_index(span_cut(stream, frame.skip, frame.len), &message) == GW_OK)
		MUST(message.text.len == frame.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span stream = span_of(data, (uint32_t)size);

	for (;;) {
		struct sip_frame frame = sip_frame_read(stream, MAX_MESSAGE);

		MUST(frame.skip % 2 == 0 && frame.skip <= stream.len);
		MUST(frame.ping == (frame.skip > 2));
		if (frame.err != GW_OK) {
			MUST(frame.len == 0);
			return 0;
		}
		check_frame(stream, frame);
		stream = span_from(stream, frame.skip + frame.len);
	}
}
