/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORK_H
#define FORK_H

#include "block.h"
#include "call.h"

/* guest1, of a block whose calls go to all bindings, on several pages: WICs from 0 on. */

/** The request that each page got last. */
extern const char *page_got[WICS];

/** He is registered on that many pages; the core speaks that transport. */
void pages_open(enum mw_transport transport, uint32_t pages);
/** The same where the block is up already. */
void pages_enter(enum mw_transport transport, uint32_t pages);
/** The core sends a request for him, and that many pages get it; what was sent is forgotten. */
void pages_called(const char *method, uint32_t pages);
/** All that with an INVITE, over TCP. */
void pages_ring(uint32_t pages);
/** The last message that went to that page. */
const char *page_last(uint32_t page);
/** It answers the request that it got, with its number as tag: w0. */
void page_says(uint32_t page, const char *status);
/** It has had CANCEL last, and obeys. */
void page_obeys(uint32_t page);
/** The core has heard one final response, last of all, with a tag that begins so: ep-, one of this
 * node's. */
void core_hears(uint16_t status, const char *tag);
/** It acknowledges a failure. */
void core_acknowledges(void);
/** Nothing is left of anything, some time later. */
void fork_nothing_left(void);

#endif
