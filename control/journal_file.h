/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JOURNAL_FILE_H
#define JOURNAL_FILE_H

#include "journal_line.h"
#include "log.h"
#include "state_file.h"

/**
 * The file "leases" of the state directory: a line for each change of a binding of a pool, and
 * where the last one of each binding stands that has not gone. Blocks on the file system; one
 * thread at a time.
 */
struct journal_file {
	int folder; /* descriptor of the state directory; not ours */
	int fd;
	uint8_t key[16];
	void *tree; /* of what the file has of each binding, by tsearch() */
	uint32_t live;
	uint64_t size;			/* bytes of whole lines */
	uint32_t lines;			/* in them */
	uint32_t torn;			/* bytes behind them when it was opened, cut off */
	uint32_t damaged, damaged_line; /* lines that were passed over, and the first of them */
	uint32_t patient; /* it is not compacted before it has so many lines: it has failed */
	bool unsynced;
	bool unsure; /* the disk may not have what was written: it is to be written anew */
};

/** Where it is, under which key (16 bytes), and the time. */
struct journal_place {
	int folder;
	const uint8_t *key;
	uint64_t now_s; /* Unix */
};

/**
 * Opens the file, making it when it is missing, and looks through it. A last line that a crash has
 * cut short is cut off; a line that is damaged is passed over; both are counted. What is over by
 * now_s is forgotten. False: it cannot be read, or others may; why is told and nothing is open.
 */
bool journal_file_open(struct journal_file *file, const struct journal_place *place,
		       const struct state_trouble *t);
void journal_file_close(struct journal_file *file);

/** Takes what the file has of one binding; m lives for the call. False: enough. */
typedef bool journal_file_take(void *context, const struct message_journal *m);

/** Hands what it has of each binding to take. False: take did not go on, or the file cannot be
 * read: errno. */
bool journal_file_each(struct journal_file *file, journal_file_take *take, void *context);

/** Writes the line of one message. NULL; else why not, and the file says what it said. A message
 * that is not whole is counted as damaged, and passed over. */
const char *journal_file_append(struct journal_file *file, const struct message_journal *m);

/** Has the disk keep what was written. NULL; else why not: it will be written anew. */
const char *journal_file_sync(struct journal_file *file);

/** Writes it anew with what counts at now_s when that is due: it has twice as many lines as it
 * needs, or is not sure to be on the disk. NULL; else why not, and the file is as it was. */
const char *journal_file_compact(struct journal_file *file, uint64_t now_s);

#endif
