/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_OWN_H
#define GATEWAY_OWN_H

#include "internal.h"

/* What REGISTERs have in common that this node sends for itself (PROTOCOL 6.5, 8.1). For the files
 * of this layer only. */

/** Begins a REGISTER for t in gw->out: up to our Via. */
void own_register_begin(struct gateway *gw, const struct transaction *t,
			const struct realm_config *realm);
/** Ends it, behind what stands in gw->lines: credentials of site, its name, and networks. False: it
 * has no room. */
bool own_register_end(struct gateway *gw, const struct identity *impi,
		      const struct realm_config *realm, struct span site);

/** register.c. Writes to gw->lines: P-Visited-Network-ID, and a P-Charging-Vector with a new
 * charging identifier. */
void register_networks(struct gateway *gw, const struct realm_config *realm);

#endif
