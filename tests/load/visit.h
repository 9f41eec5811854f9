/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VISIT_H
#define VISIT_H

#include "wic.h"

/**
 * Visitors of a site that lends pairs: they arrive, get one, talk, load the page again, and leave,
 * each by a WIC of those that are there. Among them those of a dishonest site.
 */
struct visits;

/** All is borrowed for the life of it; count WICs, all out. NULL: no memory. */
struct visits *visits_new(struct wic_world *world, struct wic *wic, uint32_t count);
void visits_free(struct visits *v);

/** Lets those in whose time has come. lasts_us: since the first. */
void visits_turn(struct visits *v, uint64_t lasts_us);

/** Looks at what one of them is about to do. Before wic_turn(). */
void visits_look(struct visits *v, struct wic *w);

/** All have arrived, and nobody waits for a pair. */
bool visits_over(const struct visits *v);

/** Visitors that wait for a pair. */
uint32_t visits_waiting(const struct visits *v);

#endif
