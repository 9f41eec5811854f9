/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PCAPNG_H
#define PCAPNG_H

#include "writer.h"

/**
 * The blocks of a pcapng file (draft-ietf-opsawg-pcapng), written big-endian: the byte-order magic
 * of the section header says so to the reader. Times are microseconds since 1970.
 */

/** Most that a packet block takes beside the bytes of its frame, padding included. */
#define PCAPNG_PACKET_OVERHEAD 48u

/** Section header block; application names the program. First in the file. */
void pcapng_section(struct writer *w, const char *application);

/** Interface description block, Ethernet; the first is interface 0. snap: bytes kept of a frame. */
void pcapng_interface(struct writer *w, const char *name, uint32_t snap);

enum pcapng_direction { PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 };

struct pcapng_packet {
	uint32_t interface;
	enum pcapng_direction direction;
	uint64_t wall_us;
	uint32_t len; /* of the frame as it was on the wire */
};

/** Enhanced packet block; bytes are what was kept of the frame. */
void pcapng_packet(struct writer *w, const struct pcapng_packet *packet, struct span bytes);

#endif
