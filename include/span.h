/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SPAN_H
#define SPAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** A window on bytes someone else owns. Lives no longer than the buffer it was cut from. */
struct span {
	const uint8_t *at;
	uint32_t len; /* bytes */
};

/** A span over a string literal, without its terminator. */
#define SPAN(literal) ((struct span){(const uint8_t *)("" literal), sizeof(literal) - 1})

/** A span over the first n bytes at p. p may be NULL when n is 0. */
static inline struct span span_of(const void *p, uint32_t n)
{
	return (struct span){(const uint8_t *)p, n};
}

/** A span over a terminated string of this program (configuration, tests): never for peer data. */
static inline struct span span_text(const char *text)
{
	return span_of(text, (uint32_t)strlen(text));
}

/** Moves the first n bytes of in to out. False, nothing changed, when fewer are left. */
static inline bool span_take(struct span *in, uint32_t n, struct span *out)
{
	if (n > in->len)
		return false;
	*out = (struct span){in->at, n};
	*in = (struct span){in->at + n, in->len - n};
	return true;
}

/** Drops the first n bytes. False, nothing changed, when fewer are left. */
static inline bool span_skip(struct span *in, uint32_t n)
{
	struct span dropped;

	return span_take(in, n, &dropped);
}

/** Takes one byte. False, nothing changed, at the end. */
static inline bool span_u8(struct span *in, uint8_t *out)
{
	if (in->len == 0)
		return false;
	*out = *in->at;
	*in = (struct span){in->at + 1, in->len - 1};
	return true;
}

/** Takes a 16-bit big-endian number. False, nothing changed, when fewer than 2 bytes are left. */
static inline bool span_u16_be(struct span *in, uint16_t *out)
{
	struct span bytes;

	if (!span_take(in, 2, &bytes))
		return false;
	*out = (uint16_t)(bytes.at[0] << 8 | bytes.at[1]);
	return true;
}

/** Takes a 32-bit big-endian number. False, nothing changed, when fewer than 4 bytes are left. */
static inline bool span_u32_be(struct span *in, uint32_t *out)
{
	struct span bytes;

	if (!span_take(in, 4, &bytes))
		return false;
	*out = (uint32_t)bytes.at[0] << 24 | (uint32_t)bytes.at[1] << 16 |
	       (uint32_t)bytes.at[2] << 8 | bytes.at[3];
	return true;
}

/** Takes a 64-bit big-endian number. False, nothing changed, when fewer than 8 bytes are left. */
static inline bool span_u64_be(struct span *in, uint64_t *out)
{
	struct span bytes;
	uint64_t value = 0;

	if (!span_take(in, 8, &bytes))
		return false;
	for (uint32_t i = 0; i < 8; i++)
		value = value << 8 | bytes.at[i];
	*out = value;
	return true;
}

/** Copies the next n bytes to out. False, nothing changed, when fewer are left. */
static inline bool span_copy(struct span *in, void *out, uint32_t n)
{
	struct span bytes;

	if (!span_take(in, n, &bytes))
		return false;
	if (n > 0)
		memcpy(out, bytes.at, n);
	return true;
}

/** The byte at offset i, or -1 past the end: a parser may look ahead without comparing lengths. */
static inline int span_at(struct span s, uint32_t i)
{
	return i < s.len ? s.at[i] : -1;
}

/** The part of s that starts at offset from, at most n bytes. Empty when from is past the end. */
static inline struct span span_cut(struct span s, uint32_t from, uint32_t n)
{
	if (from >= s.len)
		return (struct span){s.at + s.len, 0};
	return (struct span){s.at + from, n < s.len - from ? n : s.len - from};
}

/** Everything of s from offset from on. Empty when from is past the end. */
static inline struct span span_from(struct span s, uint32_t from)
{
	return span_cut(s, from, UINT32_MAX);
}

/** Byte for byte the same. Never for secrets: those compare with CRYPTO_memcmp. */
static inline bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/** ASCII upper case to lower case; every other byte unchanged. */
static inline uint8_t ascii_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/** The same but for ASCII case. */
static inline bool span_equal_nocase(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (uint32_t i = 0; i < a.len; i++)
		if (ascii_lower(a.at[i]) != ascii_lower(b.at[i]))
			return false;
	return true;
}

/** s begins with the bytes of prefix. */
static inline bool span_starts(struct span s, struct span prefix)
{
	return s.len >= prefix.len && span_equal(span_cut(s, 0, prefix.len), prefix);
}

/** Offset of the first byte c in s, or s.len when there is none. */
static inline uint32_t span_find(struct span s, uint8_t c)
{
	const uint8_t *hit = s.len > 0 ? memchr(s.at, c, s.len) : NULL;

	return hit == NULL ? s.len : (uint32_t)(hit - s.at);
}

/** s without spaces and tabs at both ends. */
static inline struct span span_trim(struct span s)
{
	while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t'))
		s = span_from(s, 1);
	while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return s;
}

#endif
