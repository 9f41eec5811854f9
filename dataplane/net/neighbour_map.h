/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NEIGHBOUR_MAP_H
#define NEIGHBOUR_MAP_H

#include "net/wire.h"
#include "netif.h"

/**
 * The part of the neighbour table that all threads read: a hash of (interface, address) with what
 * is known of each, one atomic word a row. One thread writes, without waiting for readers; readers
 * never wait and never retry. Of neighbour.c, which decides what is written.
 */
struct neighbour_map;

#define NEIGHBOUR_MAP_NONE UINT32_MAX

/** What is published of a row. mac is all zero while none is known. */
struct neighbour_view {
	enum neighbour_state state;
	bool gateway;
	uint8_t mac[6];
};

/** Room for capacity rows. NULL: no memory, or a capacity of 0. */
struct neighbour_map *neighbour_map_new(uint32_t capacity);
void neighbour_map_free(struct neighbour_map *map);

/* ---- any thread -------------------------------------------------------------------------------*/

/** Slots that rows can be in: more than the capacity. */
uint32_t neighbour_map_slots(const struct neighbour_map *map);
/** The row's slot and *view, as both were at one moment during the call; or NEIGHBOUR_MAP_NONE. */
uint32_t neighbour_map_find(const struct neighbour_map *map, uint32_t netif,
			    const struct ip_address *address, struct neighbour_view *view);
/** The row in a slot, for people; false: there is none. */
bool neighbour_map_row(const struct neighbour_map *map, uint32_t slot, struct row_neighbour *row);

/* ---- the writer -------------------------------------------------------------------------------*/

/** A slot for a row that is not there yet. There are fewer rows than capacity. */
uint32_t neighbour_map_add(struct neighbour_map *map, uint32_t netif,
			   const struct ip_address *address, const struct neighbour_view *view);
void neighbour_map_publish(struct neighbour_map *map, uint32_t slot,
			   const struct neighbour_view *view);
void neighbour_map_remove(struct neighbour_map *map, uint32_t slot);

#endif
