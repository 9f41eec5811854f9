/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>

#include "net/wire.h"

/*
 * The sum does not depend on byte order (RFC 1071 2 (B)): words are added as they lie in memory,
 * and only checksum_fold() turns the result. Nor does it depend on the width of the words, as long
 * as what is carried out at the top comes in again at the bottom.
 */

static uint64_t add_around(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

/*
 * Two sums of 32-bit halves instead of one with a carry in every step: additions that do not wait
 * for each other, which the compiler makes vectors of. 2^29 words of 8 bytes cannot overflow them.
 */
static uint64_t sum_words(const uint8_t *at, uint32_t words)
{
	uint64_t low = 0, high = 0, word;

	for (uint32_t i = 0; i < words; i++) {
		memcpy(&word, at + (size_t)i * sizeof(word), sizeof(word));
		low += word & UINT32_MAX;
		high += word >> 32;
	}
	return low + high;
}

/* The last 0 to 7 bytes, in words of fixed sizes that need no call. */
static uint64_t sum_tail(const uint8_t *at, uint32_t len)
{
	uint32_t four = 0;
	uint16_t two = 0, one = 0;

	if ((len & 4) != 0)
		memcpy(&four, at, 4);
	if ((len & 2) != 0)
		memcpy(&two, at + (len & 4), 2);
	if ((len & 1) != 0)
		memcpy(&one, at + (len & 6), 1);
	return (uint64_t)four + two + one;
}

uint64_t checksum_add(uint64_t sum, struct span bytes)
{
	uint64_t words = sum_words(bytes.at, bytes.len / 8);

	if (bytes.len % 8 != 0)
		words += sum_tail(bytes.at + (bytes.len & ~7u), bytes.len % 8);
	return add_around(sum, words);
}

uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & UINT32_MAX);
	sum = (sum >> 32) + (sum & UINT32_MAX);
	sum = (sum >> 16) + (sum & UINT16_MAX);
	sum = (sum >> 16) + (sum & UINT16_MAX);
	return (uint16_t)~ntohs((uint16_t)sum);
}

/*
 * IPv4 and IPv6 alike: the words of length and protocol add up to the same in both layouts, and the
 * ffff of ::ffff:a.b.c.d is the other zero of one's complement.
 */
uint64_t checksum_pseudo(const struct ip_address *src, const struct ip_address *dst,
			 uint8_t protocol, uint32_t len)
{
	uint64_t sum = (uint64_t)htonl(len) + htonl(protocol);

	sum = checksum_add(sum, span_of(src->bytes, sizeof(src->bytes)));
	return checksum_add(sum, span_of(dst->bytes, sizeof(dst->bytes)));
}

bool checksum_accept(enum packet_checksum status, uint16_t folded_if_unknown)
{
	switch (status) {
	case PACKET_CHECKSUM_GOOD:
	case PACKET_CHECKSUM_NONE:
		return true;
	case PACKET_CHECKSUM_UNKNOWN:
		return folded_if_unknown == 0;
	default:
		return false;
	}
}
