/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_H
#define TRACE_H

#include "span.h"

/** A reader of pcapng files, of the blocks that control/pcapng.c writes and no others. */
struct trace_frame {
	uint32_t interface;
	uint64_t wall_us;
	uint32_t len; /* on the wire */
	uint32_t flags;
	struct span bytes;
};

struct trace {
	uint8_t *memory;
	uint32_t len;
	uint32_t interfaces, frames;
	char name[16][32]; /* of the interfaces */
	uint32_t snap[16];
	struct trace_frame frame[4096];
};

/** Reads the file at path, every length and padding checked; a test fails when it is none. */
struct trace *trace_read(const char *path);
void trace_free(struct trace *trace);

#endif
