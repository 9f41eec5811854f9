/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WS_UTF8_H
#define WS_UTF8_H

#include "span.h"

/** States of the incremental check that callers look at; the others are in the middle of a
 * character. */
enum ws_utf8_state { WS_UTF8_BOUNDARY = 0, WS_UTF8_INVALID = 8 };

/**
 * Goes on with a check of UTF-8 (RFC 3629 4: shortest form, no surrogates, at most U+10FFFF).
 * Starts with WS_UTF8_BOUNDARY; a text may end only there. WS_UTF8_INVALID is never left again.
 */
uint8_t ws_utf8_feed(uint8_t state, struct span bytes);

#endif
