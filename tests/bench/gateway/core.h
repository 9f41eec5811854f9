/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_CORE_H
#define BENCH_CORE_H

#include "sip/sip.h"

/**
 * An IMS core that costs next to nothing: it keeps no state and answers what the user part of the
 * Request-URI asks for. "silent": never; "ringing": an INVITE by 180 and no more; all others by
 * 200, an INVITE by 180 and 200.
 */

/** Longest message taken, and most bytes that the answers to one can have. */
#define CORE_MESSAGE_MAX 8192

/** Who the core is: what its Contact and Service-Route say. */
struct core {
	const char *address; /* "198.18.0.20:5060" */
	struct sip_message message;
	uint64_t answered; /* final responses */
	uint64_t refused;  /* messages that are no requests which anybody can answer */
};

/**
 * Takes the messages that are whole off *in, a TCP stream, and writes their answers, as long as out
 * has room for those of any message. False: the stream is beyond repair.
 */
bool core_serve(struct core *core, struct span *in, struct writer *out);

#endif
