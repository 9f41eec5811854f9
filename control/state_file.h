/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STATE_FILE_H
#define STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/** Small private files of the state directory, read and written whole, and the numbers in them. */

enum { STATE_FILE_MAX = 1024 /* bytes of a file */ };

/** Where the first fault is told. */
struct state_trouble {
	char *text;
	size_t size;
};

/** Both write "FILE: WHY", the second why the last system call failed. False. */
bool state_file_fail(const struct state_trouble *t, const char *file, const char *why);
bool state_file_fail_system(const struct state_trouble *t, const char *file);

/** Ours, of the kind S_IFREG or S_IFDIR, and nobody else's business. */
bool state_file_private(const struct state_trouble *t, const char *file, int fd, mode_t kind);

enum state_found { STATE_FOUND, STATE_MISSING, STATE_TROUBLE };

/** Reads the whole file of folder, terminated. */
enum state_found state_file_read(int folder, const struct state_trouble *t, const char *file,
				 char text[STATE_FILE_MAX]);

/**
 * Puts a file in place whole or not at all: written beside, synced, renamed. flags as renameat2():
 * RENAME_NOREPLACE never takes the place of a key.
 */
bool state_file_write(int folder, const struct state_trouble *t, const char *file, const char *text,
		      unsigned flags);

/** Reads 2 n digits at *at and moves it. */
bool state_hex(const char **at, uint8_t *bytes, uint32_t n);
/** Writes 2 n digits and a terminator. */
void state_hex_write(char *text, const uint8_t *bytes, uint32_t n);

/** Reads up to max as a decimal number at *at and moves it. */
bool state_decimal(const char **at, uint64_t max, uint64_t *number);

#endif
