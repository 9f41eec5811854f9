/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CANONICAL_H
#define CANONICAL_H

#include "gw_err.h"
#include "span.h"
#include "writer.h"

/** Longest canonical identity in bytes; a longer one is refused. */
#define IDENTITY_MAX 256

/**
 * Writes the canonical form of a public identity, a SIP, SIPS or tel URI (TS 23.003 13.4, PROTOCOL
 * 1.4): sip: scheme and host in lower case, user unescaped where RFC 3261 allows the character
 * unescaped and otherwise escaped with upper-case hex digits, no password, port, parameters or
 * headers; a SIP URI with user=phone and a global number gives the tel form's number under sip:, as
 * it stands. tel: "tel:+" and at most 15 digits, visual separators removed, no parameters.
 * GW_IDENTITY_SYNTAX: not such a URI, no user, an escaped NUL, a local number, or longer than
 * IDENTITY_MAX. One pass, no allocation.
 */
enum gw_err GW_MUST_CHECK identity_canonical_impu(struct span uri, struct writer *out);

/**
 * Writes the canonical form of a private identity, an NAI user@realm (RFC 4282): realm in lower
 * case. GW_IDENTITY_SYNTAX: no user, no realm, bytes outside printable ASCII, '"', '\\', or
 * longer than IDENTITY_MAX.
 */
enum gw_err GW_MUST_CHECK identity_canonical_impi(struct span nai, struct writer *out);

#endif
