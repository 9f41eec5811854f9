/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "span.h"
#include "writer.h"

/** Frames written by hand. Hosts are 198.18.0.HOST and fd00:18::HOST; bytes are counted from the
 * Ethernet header. */
#define WIRE_FRAME_MAX 2048u

enum wire_family { WIRE_V4, WIRE_V6 };
enum wire_checksum {
	WIRE_CHECKSUM_WHOLE,
	WIRE_CHECKSUM_PSEUDO, /* the pseudo-header's sum: somebody else shall finish it */
};

struct wire_frame {
	uint8_t from[6], to[6];
	uint16_t vlan; /* 0: no tag */
	enum wire_family family;
	uint8_t protocol;	     /* IPPROTO_UDP, IPPROTO_TCP */
	uint8_t source, destination; /* hosts */
	uint16_t source_port, destination_port;
	uint16_t fragment; /* IPv4's flags and offset, as on the wire */
	enum wire_checksum checksum;
};

/** Appends the frame with payload. */
void wire_frame_write(struct writer *w, const struct wire_frame *frame, struct span payload);

/** Offset of the IP header, and of what follows it. */
uint32_t wire_frame_l3(const struct wire_frame *frame);
uint32_t wire_frame_l4(const struct wire_frame *frame);

/** What was received, as far as tests look. protocol 0: not TCP or UDP, or cut. */
struct wire_seen {
	uint8_t protocol;
	uint16_t source_port, destination_port;
	struct span payload; /* of UDP */
	bool checksum_right; /* of UDP or TCP */
};
struct wire_seen wire_frame_read(struct span frame);

#endif
