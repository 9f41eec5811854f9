/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JWKS_HTTPS_H
#define JWKS_HTTPS_H

#include <uv.h>

#include "jwks.h"

/**
 * Fetches key sets over HTTPS by libcurl on the control loop; names are resolved on a thread of
 * libcurl's. Nothing blocks. Only https, TLS 1.2 or later with certificate and name verified, no
 * redirect, no proxy, no cookie, no credential, a connection of its own for each fetch. A body that
 * is longer than KEYS_BYTES_MAX ends the fetch while it comes in, and so does a long head.
 */
struct jwks_https;

struct jwks_https_config {
	uv_loop_t *loop;
	uint32_t timeout_ms; /* of a whole fetch, from the name to the last byte; 0: 5000 */
};

/** NULL: no memory. */
struct jwks_https *jwks_https_new(const struct jwks_https_config *config);

/** What jwks_new() wants. Lives as long as https. */
struct jwks_fetcher jwks_https_fetcher(struct jwks_https *https);

/** Every fetch must have ended; memory goes when the loop has closed the timer. NULL does nothing.
 */
void jwks_https_close(struct jwks_https *https);

#endif
