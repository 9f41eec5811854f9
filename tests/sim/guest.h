/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_GUEST_H
#define SIM_GUEST_H

#include "sim.h"

/**
 * The third web site of worlds with a wildcard: its users are never registered, and begin what they
 * begin by a token that names an identity of it: sip:web0@ims.example and so on.
 */

#define GUEST_SITE 2
#define GUEST_LEEWAY_S 30
#define GUEST_NAMES 3 /* of each guest: 3 * its index and the next ones */
#define GUESTS_REVOKED_MAX 64

struct wic;

/** What the operator has taken back: all tokens that one connection shows. */
struct guests {
	uint64_t revoked[GUESTS_REVOKED_MAX]; /* what workers call their jti */
	uint32_t count;
	bool cached; /* a token stands for later requests of its connection */
};

struct guests *guests_new(struct sim *sim);
void guests_free(struct guests *guests);
/** A guest does something: most times it begins something. */
void guest_acts(struct wic *w);
/** Another connection begins. */
void guest_connects(struct wic *w);
/** A request of one has its final answer. */
void guest_answered(struct wic *w, const struct request *r);
/** A request of one has come to the core. */
void guest_heard(struct sim *sim, struct span message, const struct request *r);
/** Takes back what some guest has shown. */
void guests_meddle(struct sim *sim);

#endif
