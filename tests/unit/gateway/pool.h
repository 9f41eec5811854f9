/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef POOL_H
#define POOL_H

#include "call.h"
#include "identity/lease.h"

/** alice's pair is one of a pool that shop lends to its users, and this test is worker 1: home of
 * the pair, or worker of a window that asks for it. */

/** shop is a pool; alice's home is that worker. */
void pool_start(uint16_t home);
/** A token for alice's pair, lent to this sub; times are seconds from world_start(). */
const char *pool_payload(const char *sub, const char *jti, int64_t iat_s, int64_t exp_s);
const char *pool_token(const char *sub, const char *jti, int64_t iat_s, int64_t exp_s);
/** WIC 0 asks by u1's token (t-1, -10 to 3000) on the first, SIP.js's client, u1 (t-2, 0 to 3000)
 * on the second. */
enum gw_err pool_asks(uint32_t wic);
/** The same with another token. */
enum gw_err pool_asks_with(uint32_t wic, const char *token);

/** How many of this kind went to worker 1 since world_forget(), the last of them. */
uint32_t letters_of(enum message_kind kind);
const void *last_letter(enum message_kind kind);

/** Worker 1 is home: its answer to the last reserve. The generation is the grant's. */
void home_grants(uint32_t generation);
/** The same; no WIC goes on before world_leased(). */
void home_says_granted(uint32_t generation, uint64_t deadline_us);
void home_refuses(enum gw_err err, bool conflict, uint32_t retry_s);
/** It tells the binding that confirmed last to end. */
void home_ends(enum lease_end why);

/** WIC is registered under that grant of worker 1's; what was said is forgotten, the confirm kept.
 */
void pool_holds(uint32_t wic, uint32_t generation);

/** Worker 1 has a window: what it says to this worker, home of the pair. */
/** Of a token of that user, whose jti is its own; times are seconds from world_start(). */
struct lease_terms far_terms(uint64_t sub, int64_t iat_s, int64_t exp_s);
/** Its token has not ended yet. */
void far_asks(uint64_t impi, uint32_t ticket, const struct lease_terms *terms);
void far_confirms(struct lease_id id);
void far_cancels(struct lease_id id);
void far_releases(struct lease_id id);
extern const struct handle pool_far_flow, pool_far_binding;
/** Keyed hash of alice's IMPI. */
uint64_t pool_impi(void);
/** Nothing is left that asks or is asked. */
void pool_nothing_waits(void);

#endif
