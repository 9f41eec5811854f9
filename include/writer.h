/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WRITER_H
#define WRITER_H

#include "span.h"

/**
 * Output with a fixed end, the mirror image of a span. Sticky on overflow: once a write does not
 * fit, nothing more is written, and writer_ok() is asked once, when the message is complete. Does
 * not own its memory.
 */
struct writer {
	uint8_t *start;
	uint8_t *at;  /* next byte goes here */
	uint8_t *end; /* one past the last byte */
	bool full;    /* a write did not fit: what was written is worthless */
};

static inline void writer_init(struct writer *w, void *buffer, uint32_t size)
{
	*w = (struct writer){buffer, buffer, (uint8_t *)buffer + size, false};
}

/** Bytes written so far. */
static inline uint32_t writer_len(const struct writer *w)
{
	return (uint32_t)(w->at - w->start);
}

/** Bytes that still fit. */
static inline uint32_t writer_room(const struct writer *w)
{
	return (uint32_t)(w->end - w->at);
}

/** True when everything written so far fitted. */
static inline bool writer_ok(const struct writer *w)
{
	return !w->full;
}

/** What was written, as a span into the writer's buffer. */
static inline struct span writer_span(const struct writer *w)
{
	return span_of(w->start, writer_len(w));
}

/** What was written since offset mark (an earlier writer_len()). */
static inline struct span writer_since(const struct writer *w, uint32_t mark)
{
	return span_from(writer_span(w), mark);
}

static inline void writer_bytes(struct writer *w, const void *bytes, uint32_t n)
{
	if (w->full || n > writer_room(w)) {
		w->full = true;
		return;
	}
	if (n > 0)
		memcpy(w->at, bytes, n);
	w->at += n;
}

static inline void writer_put(struct writer *w, struct span s)
{
	writer_bytes(w, s.at, s.len);
}

/** Writes a terminated string of this program, without its terminator. */
static inline void writer_text(struct writer *w, const char *text)
{
	writer_put(w, span_text(text));
}

static inline void writer_u8(struct writer *w, uint8_t byte)
{
	writer_bytes(w, &byte, 1);
}

static inline void writer_u16_be(struct writer *w, uint16_t value)
{
	writer_u8(w, (uint8_t)(value >> 8));
	writer_u8(w, (uint8_t)value);
}

static inline void writer_u32_be(struct writer *w, uint32_t value)
{
	writer_u16_be(w, (uint16_t)(value >> 16));
	writer_u16_be(w, (uint16_t)value);
}

static inline void writer_u64_be(struct writer *w, uint64_t value)
{
	writer_u32_be(w, (uint32_t)(value >> 32));
	writer_u32_be(w, (uint32_t)value);
}

/** Replaces the two bytes at offset mark (an earlier writer_len()), written before: a checksum. */
static inline void writer_patch_u16_be(struct writer *w, uint32_t mark, uint16_t value)
{
	if (w->full || mark > writer_len(w) || writer_len(w) - mark < 2) {
		w->full = true;
		return;
	}
	w->start[mark] = (uint8_t)(value >> 8);
	w->start[mark + 1] = (uint8_t)value;
}

/** Writes value in decimal, without leading zeros. */
static inline void writer_decimal(struct writer *w, uint64_t value)
{
	uint8_t digits[20];
	uint32_t n = 0;

	do {
		digits[sizeof(digits) - ++n] = (uint8_t)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	writer_bytes(w, digits + sizeof(digits) - n, n);
}

/** Writes bytes as lower-case hexadecimal. */
static inline void writer_hex(struct writer *w, struct span bytes)
{
	for (uint32_t i = 0; i < bytes.len; i++) {
		writer_u8(w, (uint8_t) "0123456789abcdef"[bytes.at[i] >> 4]);
		writer_u8(w, (uint8_t) "0123456789abcdef"[bytes.at[i] & 15]);
	}
}

#endif
