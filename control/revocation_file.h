/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REVOCATION_FILE_H
#define REVOCATION_FILE_H

#include <stdio.h>

#include "log.h"
#include "state_file.h"

/**
 * The file "revocations" of the state directory: a line for each change, in the order of the
 * changes.
 *
 *	CHECKSUM add jti HASH UNTIL      HASH: jti_hash(), 16 hexadecimal digits; UNTIL: Unix time
 *	CHECKSUM add key ISSUER KID
 *	CHECKSUM add wwsf NAME
 *	CHECKSUM end jti HASH, end key ISSUER KID, end wwsf NAME
 *
 * CHECKSUM is SipHash-2-4 of the rest of the line under the hash key of the state directory, so
 * that another hash.key, with which no HASH would be found, does not pass either. Blocks on the
 * file system; control's.
 */

enum revocation_kind { REVOCATION_JTI, REVOCATION_KEY, REVOCATION_WWSF, REVOCATION_KINDS };

/** One thing that is taken back. Its texts have visible ASCII characters only. */
struct revocation {
	enum revocation_kind kind;
	uint64_t jti;	    /* of REVOCATION_JTI: jti_hash() */
	uint64_t until_s;   /* of REVOCATION_JTI: Unix time when it ends by itself; else 0 */
	struct span issuer; /* of REVOCATION_KEY: its name */
	struct span name;   /* the kid, or the name of the web site */
};

enum revocation_change { REVOCATION_ADD, REVOCATION_END };

/** The caller's storage; all of it is private to revocation_file.c but lines. */
struct revocation_file {
	int folder; /* descriptor of the state directory; not ours */
	int fd;
	uint8_t key[16];
	uint64_t size;	/* bytes that are sure to be on the disk */
	uint32_t lines; /* in them */
	bool unsure;	/* more may be in the file, or it may not be the one that a crash leaves */
};

/** Who reads the file. */
struct revocation_reader {
	int folder;
	const uint8_t *key; /* 16 bytes */
	struct log *log;
	void *context;
	/** Takes a line. The texts of r live for the call. */
	void (*take)(void *context, enum revocation_change change, const struct revocation *r);
};

/**
 * Opens the file, making it when it is missing, and hands its lines to the reader. A last line
 * that a crash has cut short is removed with a warning; any other that is not whole is a fault.
 * False: the fault is told and nothing is open.
 */
bool revocation_file_open(struct revocation_file *file, const struct revocation_reader *reader,
			  const struct state_trouble *t);
void revocation_file_close(struct revocation_file *file);

/** Writes one line through to the disk. NULL; else why not, and the file says what it said. Not
 * while it is unsure: then it is replaced first. */
const char *revocation_file_append(struct revocation_file *file, enum revocation_change change,
				   const struct revocation *r);

/** Prints the line that adds r, for revocation_file_replace(). */
void revocation_file_print(const struct revocation_file *file, const struct revocation *r,
			   FILE *out);

/** Puts text of so many lines in the place of all that is there, whole or not at all. False:
 * why not is told; the file may then be unsure. */
bool revocation_file_replace(struct revocation_file *file, const char *text, uint32_t lines,
			     const struct state_trouble *t);

/** Whether r can be written: not too long, no other characters than it may have. */
bool revocation_file_holds(const struct revocation *r);

#endif
