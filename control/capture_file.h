/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CAPTURE_FILE_H
#define CAPTURE_FILE_H

#include "gw_err.h"
#include "pcapng.h"

/**
 * A pcapng file being written, in blocks of 64 KiB: a write of that size to a regular file goes to
 * the page cache and takes tens of microseconds. When the disk cannot follow, the kernel makes the
 * control thread wait; no worker waits, they count what their rings do not hold.
 */
struct capture_file;

#define CAPTURE_FILE_BYTES_MAX (1ull << 30)

struct capture_file_config {
	const char *path;
	uint64_t bytes_max;	      /* 0: CAPTURE_FILE_BYTES_MAX */
	uint32_t snap;		      /* bytes of a frame, at most 32768 */
	const char *const *interface; /* names */
	uint32_t interfaces;
};

/**
 * Makes the file, 0600, which must not be there yet, and writes what comes before the frames. NULL,
 * with errno set.
 */
struct capture_file *capture_file_new(const struct capture_file_config *config);

/**
 * Adds a frame; bytes longer than snap are cut. GW_NO_ROOM: the file would become longer than it
 * may, nothing is added. GW_SYSTEM: it cannot be written, errno says why; further calls say the
 * same.
 */
enum gw_err GW_MUST_CHECK capture_file_add(struct capture_file *file,
					   const struct pcapng_packet *packet, struct span bytes);

/** Frames added, and bytes of the file with what is not written out yet. */
uint64_t capture_file_frames(const struct capture_file *file);
uint64_t capture_file_bytes(const struct capture_file *file);

/** Writes what is left and frees. GW_SYSTEM, errno set: not all is in the file. NULL: GW_OK. */
enum gw_err capture_file_close(struct capture_file *file);

#endif
