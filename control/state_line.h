/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STATE_LINE_H
#define STATE_LINE_H

#include "writer.h"

/**
 * Lines of the files of the state directory that grow: "CHECKSUM WORD WORD ...". CHECKSUM is
 * SipHash-2-4 of what follows it, in 16 hexadecimal digits, under the hash key of the state
 * directory: so another hash.key, under which no hash in a line means anything, does not pass
 * either. Words are of visible ASCII characters, with one space before each.
 */

/** Writes the line of words, which begins with a space, with its line feed to bytes. Empty: it does
 * not fit. */
struct span state_line_seal(const uint8_t key[16], struct span words, void *bytes, uint32_t size);

/** Takes the words out of a line, which is without its line feed. False: the checksum is another.
 */
bool state_line_open(const uint8_t key[16], struct span line, struct span *words);

/** Writes a space and the word. */
void state_line_put(struct writer *out, struct span word);
/** The same of a number in 16 hexadecimal digits. */
void state_line_put_hash(struct writer *out, uint64_t number);
/** The same of a decimal one. */
void state_line_put_decimal(struct writer *out, uint64_t number);

/** Takes a space and the word behind it off rest. False: there is none. */
bool state_line_word(struct span *rest, struct span *word);
/** The same of a number in 16 hexadecimal digits. */
bool state_line_hash(struct span *rest, uint64_t *number);
/** The same of a decimal one, at most max. */
bool state_line_decimal(struct span *rest, uint64_t max, uint64_t *number);
/** The same of one of the words of a list; *index is which. */
bool state_line_choice(struct span *rest, const char *const words[], uint32_t count,
		       uint32_t *index);

/** Of visible ASCII characters only, and not empty. */
bool state_line_holds(struct span word);

/**
 * The last piece of a file, which is no whole line, is what a write that a crash interrupted leaves
 * of a line of at most max bytes: its beginning, or zeros where bytes of it never came to the disk.
 */
bool state_line_torn(struct span last, uint32_t max);

#endif
