/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RESOLVER_H
#define RESOLVER_H

#include <uv.h>

#include "option.h"
#include "peers.h"

/** Asks the DNS through libunbound, whose own thread does the waiting; answers come on the loop. */
struct resolver;

/** servers: option_text, as mw.name_servers has them; none: those of the system. NULL: why says. */
struct resolver *resolver_new(uv_loop_t *loop, const struct option_list *servers, char *why,
			      size_t why_len);

/** Ends every question; memory goes when the loop has closed the handle. NULL does nothing. */
void resolver_close(struct resolver *resolver);

struct peers_resolver resolver_ops(struct resolver *resolver);

#endif
