/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROXY_H
#define PROXY_H

#include "conn.h"
#include "gw_err.h"
#include "span.h"

/**
 * The PROXY protocol, version 2 (HAProxy Technologies, doc/proxy-protocol.txt, sections 2.2 and
 * 2.2.3): what a load balancer says before the first byte of its client, so in front of TLS. It
 * may only be read from a source that is known to send it: from anybody else it would be a way to
 * appear as somebody else, and to guess whether it is there is as bad.
 */

/** Longest header that is read; addresses and what balancers add to them stay far below. */
#define PROXY_HEADER_MAX 2048

/** A header as read. */
struct proxy_header {
	enum gw_err err; /* GW_OK, GW_AGAIN: more bytes needed, GW_PROXY_HEADER */
	uint32_t used;	 /* bytes of the header, when GW_OK; what follows is the client's */
	bool local;	 /* the balancer speaks for itself: client is not set */
	struct endpoint client;
};

/**
 * Reads the header at the start of in. GW_AGAIN until all of it is there; GW_PROXY_HEADER as soon
 * as a byte shows that it is none: another signature or version, a command that is neither LOCAL
 * nor PROXY, PROXY with addresses other than TCP over IPv4 or IPv6, a length too short for them or
 * past PROXY_HEADER_MAX, additions (TLVs) that do not fill the rest exactly, or a checksum (CRC32C)
 * that is wrong, repeated or no checksum. Other additions are skipped. Of LOCAL only the length
 * counts.
 */
struct proxy_header proxy_read(struct span in);

#endif
