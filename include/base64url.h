/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE64URL_H
#define BASE64URL_H

#include "writer.h"

enum base64url { BASE64URL_OK, BASE64URL_WRONG, BASE64URL_LONG };

/**
 * Decodes base64url (RFC 4648 section 5) as keys and tokens have it: no padding, no white space,
 * unused bits zero. *len: bytes in out, of at most max. BASE64URL_WRONG: it is none;
 * BASE64URL_LONG: there are more bytes than max. Then *len is untouched, out is not.
 */
enum base64url base64url_read(struct span text, uint8_t *out, uint32_t max, uint32_t *len);

/** Writes bytes as base64url without padding. */
void base64url_write(struct writer *out, struct span bytes);

#endif
