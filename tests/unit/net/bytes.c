/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>

#include "bytes.h"

void bytes_put16(struct bytes *b, uint32_t at, uint16_t value)
{
	EXPECT(at + 2 <= b->len);
	b->at[at] = (uint8_t)(value >> 8);
	b->at[at + 1] = (uint8_t)value;
}

void bytes_add(struct bytes *b, const void *more, uint32_t n)
{
	bytes_insert(b, b->len, more, n);
}

void bytes_insert(struct bytes *b, uint32_t at, const void *more, uint32_t n)
{
	EXPECT(at <= b->len && n <= sizeof(b->at) - b->len);
	memmove(b->at + at + n, b->at + at, b->len - at);
	if (n > 0)
		memcpy(b->at + at, more, n);
	b->len += n;
}

/* An empty block is the end of another: malloc(0) would have a byte to read. */
struct span exact(struct span bytes)
{
	uint8_t *block = malloc(bytes.len > 0 ? bytes.len : 1);

	EXPECT(block != NULL);
	if (bytes.len == 0)
		return span_of(block + 1, 0);
	memcpy(block, bytes.at, bytes.len);
	return span_of(block, bytes.len);
}

void exact_free(struct span block)
{
	const uint8_t *start = block.len > 0 ? block.at : block.at - 1;

	free((void *)(uintptr_t)start);
}

struct span exact_moved(struct span part, struct span block, struct span bytes)
{
	if (part.at == NULL)
		return part;
	EXPECT(part.at >= block.at && part.at + part.len <= block.at + block.len);
	return span_of(bytes.at + (part.at - block.at), part.len);
}

struct ip_address address(const char *text)
{
	struct ip_address a;
	uint8_t v4[4];

	if (inet_pton(AF_INET, text, v4) == 1)
		return ip_address_v4(v4);
	EXPECT_EQ(1, inet_pton(AF_INET6, text, a.bytes));
	return a;
}

struct ip_packet read_ip4(struct span bytes, enum packet_checksum checksum)
{
	struct span block = exact(bytes);
	struct ip_packet packet = ip4_read(block, checksum);

	packet.payload =
		packet.err == GW_OK ? exact_moved(packet.payload, block, bytes) : span_of(NULL, 0);
	exact_free(block);
	return packet;
}

struct ip_packet read_ip6(struct span bytes)
{
	struct span block = exact(bytes);
	struct ip_packet packet = ip6_read(block);

	packet.payload =
		packet.err == GW_OK ? exact_moved(packet.payload, block, bytes) : span_of(NULL, 0);
	exact_free(block);
	return packet;
}

struct bytes ip_bytes(const char *src, const char *dst, uint8_t protocol, struct span payload)
{
	struct ip_head head = {.src = address(src),
			       .dst = address(dst),
			       .protocol = protocol,
			       .hop_limit = 64,
			       .payload_len = payload.len,
			       .dont_fragment = true};
	struct bytes b = {.len = 0};
	struct writer w;

	writer_init(&w, b.at, sizeof(b.at));
	ip_write(&w, &head, true);
	writer_put(&w, payload);
	EXPECT(writer_ok(&w));
	b.len = writer_len(&w);
	return b;
}

void ip4_resum(struct bytes *b)
{
	uint32_t header_len = (b->at[0] & 0x0fu) * 4;

	bytes_put16(b, 10, 0);
	bytes_put16(b, 10, checksum_fold(checksum_add(0, span_of(b->at, header_len))));
}
