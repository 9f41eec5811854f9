/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UPGRADE_H
#define UPGRADE_H

#include "gw_err.h"
#include "span.h"
#include "writer.h"

/** The client's half of the WebSocket upgrade (RFC 6455 4.1, RFC 7118 4). */

/** Base64 of 16 bytes. */
#define UPGRADE_KEY_LEN 24

/** Makes a Sec-WebSocket-Key of two numbers. */
void upgrade_key(uint64_t high, uint64_t low, char key[UPGRADE_KEY_LEN + 1]);

/** Writes the request as a browser would. */
void upgrade_write(struct writer *out, const char *host, const char *path, const char *origin,
		   const char *key);

/** The server's answer. */
struct upgrade_answer {
	enum gw_err err; /* GW_OK: it is WebSocket now; GW_AGAIN; GW_HTTP_SYNTAX: no answer to this
			    request; GW_HTTP_UPGRADE: refused with status */
	uint32_t used;	 /* bytes of the head, when complete */
	uint32_t status;
};
struct upgrade_answer upgrade_read(struct span in, const char *key);

#endif
