/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DOOR_JUDGE_H
#define DOOR_JUDGE_H

#include "door_scene.h"

/** A door, who comes to it, and what must hold of it. */

#define TUPLES 16u
#define ISNS 32u /* of one tuple that are remembered */
#define FIRST_PORT 4000u

/** A SYN-ACK that was sent. */
struct offer {
	uint32_t iss, irs;
	uint64_t at_us; /* the last time */
	bool cookie;
};

struct guest {
	struct ip_address address;
	struct offer offer[ISNS];
	uint32_t offers; /* the last is offers - 1, modulo ISNS */
	uint32_t irs;	 /* of his last SYN */
	uint32_t ts;
	bool offers_ts;
	struct tcb *tcb;
};

struct judge {
	struct door door;
	struct guest guest[TUPLES];
	uint32_t seen;	   /* sends that have been looked at */
	uint32_t accepted; /* connections that have been looked at */
	uint64_t cookies;
};

void must(bool ok);
struct offer *judge_offer(struct guest *guest, uint32_t iss, uint32_t irs);
/** After each step. by_cookie: what came may have been a cookie that was guessed. */
void judge_step(struct judge *judge, bool by_cookie);
/** All connections end, all time passes: nothing is left, and no source is owed anything. */
void judge_end(struct judge *judge);

#endif
