/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <uv.h>

#include "journal_file.h"

/**
 * The journal of live pool leases: what workers tell of their bindings of a pool (message_journal)
 * goes to the file "leases" of the state directory, so that a restart knows who has which pair. A
 * thread of libuv's pool writes it, as soon as the one before has been written, and has the disk
 * keep it within a second. While that fails what is told waits; what then does not fit is lost, and
 * the workers are asked to tell all of it again when the disk is well.
 */
struct journal;

struct journal_config {
	int folder;	    /* descriptor of the state directory, locked; outlives the journal */
	const uint8_t *key; /* 16 bytes: the hash key of the state directory; copied */
	struct log *log;    /* outlives the journal */
	uint64_t (*now_ms)(void *context); /* monotonic */
	uint64_t (*wall_s)(void *context); /* Unix time */
	/** Asks the workers to tell of all their bindings. False: to be repeated. */
	bool (*again)(void *context);
	void *context;
	uint32_t buffer_bytes; /* of what waits; 0: 16 MiB */
};

/** Opens the file and looks through it. NULL: it cannot be read, or others may: why, of why_size
 * bytes, has the file and the fault. Blocks on the disk. */
struct journal *journal_open(const struct journal_config *config, char *why, size_t why_size);

/** Hands what was kept of each binding that has not gone to take. Before journal_start(). False:
 * take did not go on, or the file cannot be read, which the log is told. Blocks on the disk. */
bool journal_each(struct journal *journal, journal_file_take *take, void *context);

/** From now on a thread of the loop's pool writes. */
void journal_start(struct journal *journal, uv_loop_t *loop);

/** Takes a MESSAGE_JOURNAL of a worker. False: it is another message. */
bool journal_message(struct journal *journal, struct span message);

/** Several times a second. */
void journal_tick(struct journal *journal);

/** The loop is about to end: no thread begins to write any more. NULL does nothing. */
void journal_stop(struct journal *journal);

/** When its loop has ended: writes what waits, blocks on the disk, and closes. NULL does nothing.
 */
void journal_close(struct journal *journal);

/** For those who watch. */
struct journal_numbers {
	uint32_t bindings; /* in the file, as of the last time that it was written */
	uint64_t failed;   /* times that it could not be written */
	uint64_t lost;	   /* words of workers that found no room to wait */
};
struct journal_numbers journal_numbers(const struct journal *journal);

#endif
