/* SPDX-License-Identifier: BSD-3-Clause */
#include "parts.h"

#include <endian.h>

/* SipHash-2-4: two rounds for each word, four at the end. */
#define ROUNDS_WORD 2
#define ROUNDS_END 4

static uint64_t rotate_left(uint64_t value, unsigned int bits)
{
	return value << bits | value >> (64 - bits);
}

/* A whole word: one load. */
static uint64_t word_le(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

/* The first n bytes at p, fewer than 8, as a little-endian number. */
static uint64_t number_le(const uint8_t *p, uint32_t n)
{
	uint64_t value = 0;

	while (n-- > 0)
		value = value << 8 | p[n];
	return value;
}

static void rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate_left(v[1], 13) ^ v[0];
		v[3] = rotate_left(v[3], 16) ^ v[2];
		v[0] = rotate_left(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate_left(v[1], 17) ^ v[2];
		v[3] = rotate_left(v[3], 21) ^ v[0];
		v[2] = rotate_left(v[2], 32);
	}
}

static void word_add(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	rounds(v, ROUNDS_WORD);
	v[0] ^= word;
}

uint64_t siphash(const uint8_t key[16], struct span bytes)
{
	uint64_t k0 = word_le(key), k1 = word_le(key + 8);
	uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
			 k1 ^ 0x7465646279746573};
	uint64_t length = (uint64_t)bytes.len << 56; /* modulo 256 is all of it that counts */
	struct span word;

	while (span_take(&bytes, 8, &word))
		word_add(v, word_le(word.at));
	word_add(v, length | number_le(bytes.at, bytes.len));
	v[2] ^= 0xff;
	rounds(v, ROUNDS_END);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
