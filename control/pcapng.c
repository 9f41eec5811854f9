/* SPDX-License-Identifier: BSD-3-Clause */
#include "pcapng.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	LINK_ETHERNET = 1,
	OPTION_END = 0,
	OPTION_IF_NAME = 2,
	OPTION_EPB_FLAGS = 2,
	OPTION_USER_APPLICATION = 4,
	OPTION_IF_TSRESOL = 9,
	TSRESOL_MICROSECONDS = 6,
};

/** Bytes up to the next multiple of 4. */
static void pcapng_pad(struct writer *w, uint32_t len)
{
	writer_bytes(w, "\0\0\0", -len & 3);
}

static void pcapng_option(struct writer *w, uint16_t code, struct span value)
{
	writer_u16_be(w, code);
	writer_u16_be(w, (uint16_t)value.len);
	writer_put(w, value);
	pcapng_pad(w, value.len);
}

/** A block begins with its type and its length, which is written when it is known. */
static uint32_t pcapng_begin(struct writer *w, uint32_t type)
{
	uint32_t mark = writer_len(w);

	writer_u32_be(w, type);
	writer_u32_be(w, 0);
	return mark;
}

/** And ends with the length again, so that it can be read backwards. */
static void pcapng_end(struct writer *w, uint32_t mark)
{
	uint32_t len = writer_len(w) - mark + 4;
	struct writer field;

	writer_u32_be(w, len);
	if (!writer_ok(w))
		return;
	writer_init(&field, w->start + mark + 4, 4);
	writer_u32_be(&field, len);
}

void pcapng_section(struct writer *w, const char *application)
{
	uint32_t mark = pcapng_begin(w, BLOCK_SECTION);

	writer_u32_be(w, BYTE_ORDER_MAGIC);
	writer_u16_be(w, 1); /* version 1.0 */
	writer_u16_be(w, 0);
	writer_u64_be(w, UINT64_MAX); /* the section's length is not known yet */
	pcapng_option(w, OPTION_USER_APPLICATION, span_text(application));
	pcapng_option(w, OPTION_END, SPAN(""));
	pcapng_end(w, mark);
}

void pcapng_interface(struct writer *w, const char *name, uint32_t snap)
{
	static const uint8_t resolution = TSRESOL_MICROSECONDS;
	uint32_t mark = pcapng_begin(w, BLOCK_INTERFACE);

	writer_u16_be(w, LINK_ETHERNET);
	writer_u16_be(w, 0);
	writer_u32_be(w, snap);
	pcapng_option(w, OPTION_IF_NAME, span_text(name));
	pcapng_option(w, OPTION_IF_TSRESOL, span_of(&resolution, 1));
	pcapng_option(w, OPTION_END, SPAN(""));
	pcapng_end(w, mark);
}

void pcapng_packet(struct writer *w, const struct pcapng_packet *packet, struct span bytes)
{
	uint32_t mark = pcapng_begin(w, BLOCK_PACKET);
	uint8_t flags[4] = {0, 0, 0, (uint8_t)packet->direction};

	writer_u32_be(w, packet->interface);
	writer_u64_be(w, packet->wall_us);
	writer_u32_be(w, bytes.len);
	writer_u32_be(w, packet->len);
	writer_put(w, bytes);
	pcapng_pad(w, bytes.len);
	pcapng_option(w, OPTION_EPB_FLAGS, span_of(flags, 4));
	pcapng_option(w, OPTION_END, SPAN(""));
	pcapng_end(w, mark);
}
