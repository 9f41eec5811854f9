/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RING_LINK_H
#define RING_LINK_H

#include "ring_wire.h"
#include "wic.h"

/** What WICs over a ring have in common: the second form of link.h finds the wire by it. */
struct ring_world {
	struct wic_world wic; /* its link is the config of every link */
	struct wire *wire;
	struct wire_peer *peer[WIRE_PEERS]; /* of link.fd */
	uint32_t peers;
};

/** Bytes for a link have come; whoever owns it is told by wic_ready(). */
void ring_link_received(struct link *l, struct span bytes);

#endif
