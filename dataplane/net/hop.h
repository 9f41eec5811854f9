/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HOP_H
#define HOP_H

#include "net/neighbour.h"
#include "net/neighbour_map.h"

/**
 * One next hop as its owner sees it: who was asked for what and when, and what follows from
 * answers, claims and silence (TCP.md 4.5). Knows no table: neighbour.c keeps hops, publishes their
 * view after every call here, and calls hop_run() when due_us has come.
 */

/** The question that waits for an answer, and so whose answer is believed. */
enum hop_question {
	HOP_ASKED_NOBODY,
	HOP_ASKED_KNOWN, /* the MAC that is known */
	HOP_ASKED_ALL,
};

/** At rest between calls. Zeroed: no hop is here. */
struct hop {
	struct ip_address address;
	uint32_t netif;
	uint32_t want;		    /* enum neighbour_want; 0: it goes */
	struct neighbour_view view; /* what other threads may know; NEIGHBOUR_NONE: no hop */
	enum hop_question asked;
	uint32_t unanswered; /* questions since the last answer */
	bool claimed;	     /* somebody else says that the address is his */
	uint64_t probe_us;
	uint64_t asked_us;
	uint64_t lost_us; /* STALE since */
	uint64_t due_us;
};

/** A hop that nobody has been asked for yet: due at once. */
void hop_init(struct hop *hop, uint32_t netif, const struct ip_address *address, uint32_t probe_s,
	      uint64_t now_us);

/** In these states a MAC is known, and used. */
static inline bool hop_state_has_mac(enum neighbour_state state)
{
	return state == NEIGHBOUR_REACHABLE || state == NEIGHBOUR_PROBE || state == NEIGHBOUR_STALE;
}

/** See neighbour_answer() and neighbour_claim(). A group or zero MAC is passed over. */
void hop_answer(struct hop *hop, const uint8_t mac[6], const struct neighbour_ops *ops,
		void *context, uint64_t now_us);
void hop_claim(struct hop *hop, const uint8_t mac[6]);

/** due_us has come: asks, and moves on when nobody has answered. due_us is later then. */
void hop_run(struct hop *hop, const struct neighbour_ops *ops, void *context, uint64_t now_us);

#endif
