/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PATH_H
#define PATH_H

#include "gw_err.h"
#include "writer.h"

/** Longest path of a file below the site's folder, bytes, with its terminator. */
enum { PATH_SIZE = 512 };

/**
 * Decodes %HH (RFC 3986 section 2.1) once; what it decodes to must be printable ASCII.
 *
 * Returns GW_OK, GW_HTTP_SYNTAX (a bad escape, or another character) or GW_HTTP_TOO_LONG (the
 * writer is full).
 */
enum gw_err path_unescape(struct span raw, struct writer *out) GW_MUST_CHECK;

/**
 * Turns the path of a request, still escaped, into a file name relative to the site's folder.
 *
 * What remains after decoding begins with / and has no backslash, no empty segment, and none that
 * begins with a dot: neither "..", nor a hidden file. A path that ends in / names the index.html of
 * that folder. name: PATH_SIZE bytes; a terminated string on GW_OK, otherwise undefined. Returns
 * GW_OK, GW_HTTP_SYNTAX or GW_HTTP_TOO_LONG.
 */
enum gw_err path_read(struct span raw, char name[PATH_SIZE]) GW_MUST_CHECK;

/**
 * Opens a regular file below the folder open at root, for reading. No symbolic link is followed on
 * the way.
 *
 * name: made by path_read().
 * Returns the descriptor, which the caller closes, and its size in bytes; -1 when there is no such
 * file.
 */
int path_open(int root, const char *name, uint64_t *size);

/** The Content-Type of a file by its name's ending; application/octet-stream when it is none of the
 * site's. */
const char *path_content_type(const char *name);

#endif
