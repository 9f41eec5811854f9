/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace.h"

#include <stdio.h>

#include "../test.h"

enum { TRACE_BYTES_MAX = 2 << 20 };

static uint32_t u32(struct span *in)
{
	uint16_t high = 0, low = 0;

	assert_true(span_u16_be(in, &high) && span_u16_be(in, &low));
	return (uint32_t)high << 16 | low;
}

static uint16_t u16(struct span *in)
{
	uint16_t value = 0;

	assert_true(span_u16_be(in, &value));
	return value;
}

/** Takes bytes and their padding, which is zero. */
static struct span padded(struct span *in, uint32_t len)
{
	struct span bytes = {0}, padding = {0};

	assert_true(span_take(in, len, &bytes));
	assert_true(span_take(in, -len & 3, &padding));
	for (uint32_t i = 0; i < padding.len; i++)
		EXPECT_EQ(0, padding.at[i]);
	return bytes;
}

/** The value of option code; the list is read to its end, and nothing may follow. */
static struct span option(struct span options, uint16_t code)
{
	struct span found = {0};

	for (;;) {
		uint16_t seen = u16(&options);
		struct span value = padded(&options, u16(&options));

		if (seen == code)
			found = value;
		if (seen != 0)
			continue;
		EXPECT_EQ(0, value.len);
		EXPECT_EQ(0, options.len);
		return found;
	}
}

static void section(struct span body)
{
	EXPECT_EQ(0x1a2b3c4d, u32(&body));
	EXPECT_EQ(1, u16(&body));
	EXPECT_EQ(0, u16(&body));
	EXPECT_EQ(UINT32_MAX, u32(&body));
	EXPECT_EQ(UINT32_MAX, u32(&body));
	EXPECT(span_starts(option(body, 4), SPAN("wicgate ")));
}

static void interface(struct trace *trace, struct span body)
{
	uint32_t i = trace->interfaces++;
	struct span name, resolution;

	assert_true(i < 16);
	EXPECT_EQ(1, u16(&body)); /* LINKTYPE_ETHERNET */
	EXPECT_EQ(0, u16(&body));
	trace->snap[i] = u32(&body);
	name = option(body, 2);
	resolution = option(body, 9);
	assert_true(name.len < sizeof(trace->name[i]));
	memcpy(trace->name[i], name.at, name.len);
	EXPECT_EQ(1, resolution.len);
	EXPECT_EQ(6, resolution.at[0]); /* microseconds */
}

static void frame(struct trace *trace, struct span body)
{
	struct trace_frame *f = &trace->frame[trace->frames++];
	struct span flags;
	uint32_t kept;

	assert_true(trace->frames < sizeof(trace->frame) / sizeof(trace->frame[0]));
	f->interface = u32(&body);
	EXPECT(f->interface < trace->interfaces);
	f->wall_us = (uint64_t)u32(&body) << 32;
	f->wall_us |= u32(&body);
	kept = u32(&body);
	f->len = u32(&body);
	EXPECT(kept <= f->len && kept <= trace->snap[f->interface]);
	f->bytes = padded(&body, kept);
	flags = option(body, 2);
	EXPECT_EQ(4, flags.len);
	f->flags = u32(&flags);
}

static void block(struct trace *trace, struct span *in)
{
	struct span whole = *in, body = {0};
	uint32_t type = u32(&whole), len = u32(&whole);

	EXPECT_EQ(0, len % 4);
	assert_true(len >= 12);
	assert_true(span_take(&whole, len - 12, &body));
	EXPECT_EQ(len, u32(&whole));
	*in = whole;
	if (type == 0x0a0d0d0a)
		section(body);
	else if (type == 1)
		interface(trace, body);
	else if (type == 6)
		frame(trace, body);
	else
		fail_msg("block type %u", type);
}

struct trace *trace_read(const char *path)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	FILE *file = fopen(path, "r");
	struct span in;

	assert_non_null(trace);
	assert_non_null(file);
	trace->memory = malloc(TRACE_BYTES_MAX);
	trace->len = (uint32_t)fread(trace->memory, 1, TRACE_BYTES_MAX, file);
	fclose(file);
	in = span_of(trace->memory, trace->len);
	EXPECT_EQ(0x0a, span_at(in, 0)); /* a section header first */
	while (in.len > 0)
		block(trace, &in);
	return trace;
}

void trace_free(struct trace *trace)
{
	free(trace->memory);
	free(trace);
}
