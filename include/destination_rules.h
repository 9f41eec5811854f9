/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DESTINATION_RULES_H
#define DESTINATION_RULES_H

#include "parts.h"

/** Places of a number that are compared: all of a global one, '+' and 15 digits. */
#define DESTINATION_PLACES 16

/**
 * The first DESTINATION_PLACES characters of a number, of digits, '+', '*' and '#', without visual
 * separators: four bits each, the first one on top, nothing being 0. 0: another character.
 */
uint64_t destination_places(struct span number);

/** How many places there are, at most DESTINATION_PLACES. */
uint32_t destination_places_count(uint64_t places);

/** Whether number begins with prefix. */
bool destination_begins(uint64_t number, uint64_t prefix);

/** The order of hosts and URIs: by length, then byte by byte. */
int destination_order(struct span a, struct span b);

/** Whether a prefix of the list is what the number begins with. O(log n). */
bool destination_has_number(const struct destination_list *list, uint64_t number);
/** Whether the list has that host; that URI. O(log n). */
bool destination_has_host(const struct destination_list *list, struct span host);
bool destination_has_uri(const struct destination_list *list, struct span uri);
/** Whether an expression of the list matches all of uri; worker: whose scratch is used. */
bool destination_has_expression(const struct destination_list *list, uint16_t worker,
				struct span uri);

#endif
