/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ORIGINS_H
#define ORIGINS_H

#include "address.h"
#include "checking.h"

/**
 * The Origins of web sites: those that stand in the configuration, and of a site that lists none
 * the default ones of its home domains, as pages have them that were found by discovery (PROTOCOL
 * 1.2, D-02).
 */

/** Origin i of web site w, serialised. False: it has no more. */
bool origins_at(const struct config *config, uint32_t w, uint32_t i,
		char origin[ADDRESS_ORIGIN_MAX]);

/** Each is an Origin, and belongs to one web site only; every site has one. */
void check_origins(const struct check *c, uint32_t w);

#endif
