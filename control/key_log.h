/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KEY_LOG_H
#define KEY_LOG_H

#include "span.h"

/**
 * The file to which the secrets of TLS connections are written when an operator debugs with a
 * capture (access.tls.key_log), in the format that Wireshark reads (NSS). Whoever has the file can
 * read all that the connections carried.
 */

/**
 * Opens path to append to, making it with mode 0600. NULL, and *fd; else why not, a constant: also
 * when it is not ours alone.
 */
const char *key_log_open(const char *path, int *fd);

/** Writes a MESSAGE_KEY_LOG of a worker, one line. False: it could not be written. */
bool key_log_write(int fd, struct span message);

#endif
