/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LEASE_SCENE_H
#define LEASE_SCENE_H

#include "identity/lease.h"
#include "test.h"

/** One lease, and windows n = 0, 1, .. that ask for it: each a flow on worker n, with a binding
 * when it has the pair. */

#define IMPI 0x1234567890ull
#define SECOND 1000000ull
#define BEGUN_US (500 * SECOND)
#define WALL_S 10000ull
#define WINDOW(n) ((struct handle){.worker = (n), .slot = 10 + (n), .generation = 7})
#define BINDING(n) ((struct handle){.worker = (n), .slot = 20 + (n), .generation = 8})
#define ALICE 1
#define BOB 2
#define CAROL 3

extern struct lease lease;
extern struct lease_said said; /* by the last call */
extern uint32_t generations;   /* given out */
extern struct lease_call now;

/** Nobody has the pair, nobody asks. */
void lease_start(void);
/** Both clocks go on. */
void lease_wait(uint64_t us);
/** A token of that user: its jti is its own, its times are seconds from the start. */
struct lease_terms token(uint64_t sub, int64_t iat_s, int64_t exp_s);
/** Window n asks by this token: the ticket of its question. */
uint32_t asks(uint16_t n, struct lease_terms terms);
/** The message said.message[at] is this grant of the newest generation. */
void granted(uint32_t at, uint16_t n, uint32_t ticket);
/** It is this refusal. */
const struct message_lease_refused *refused(uint32_t at, uint16_t n, uint32_t ticket,
					    enum gw_err err);
/** It tells window n's binding to end. */
void told_to_end(uint32_t at, uint32_t generation, uint16_t n, enum lease_end why);
/** It is refused with that, and nothing about the lease changes. */
void is_refused(uint16_t n, struct lease_terms terms, enum gw_err err, bool conflict,
		uint32_t retry_s);
/** It has its grant at once. */
void is_granted(uint16_t n, struct lease_terms terms);
/** It waits; nothing is said. */
uint32_t waits(uint16_t n, struct lease_terms terms);
/** Window n's binding has the grant of that generation. Contacts are the windows'. */
void confirms(uint32_t generation, uint16_t n, uint64_t contact, uint64_t instance);
void cancels(uint32_t generation);
void releases(uint32_t generation, struct handle binding);
/** Window n has the pair by this token: the generation of that. */
uint32_t holds(uint16_t n, struct lease_terms terms);
/** Nothing is due before then. */
void due_at(uint64_t us);

#endif
