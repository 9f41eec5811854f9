/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream.h"

#define FNV_BASE 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

/** SplitMix64: no eight bytes are like their neighbours. */
static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint8_t next(struct stream *stream)
{
	uint64_t word = mix(stream->seed + (stream->at / 8 + 1) * 0x9e3779b97f4a7c15u);
	uint8_t byte = (uint8_t)(word >> stream->at % 8 * 8);

	stream->at++;
	return byte;
}

static void hash(struct stream *stream, uint8_t byte)
{
	stream->hash = (stream->hash ^ byte) * FNV_PRIME;
}

void stream_init(struct stream *stream, uint64_t seed, enum stream_direction direction)
{
	*stream = (struct stream){.seed = mix(seed * 2 + direction), .hash = FNV_BASE};
}

void stream_fill(struct stream *stream, uint8_t *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		bytes[i] = next(stream);
		hash(stream, bytes[i]);
	}
}

void stream_take(struct stream *stream, const uint8_t *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		stream->wrong |= bytes[i] != next(stream);
		hash(stream, bytes[i]);
	}
}
