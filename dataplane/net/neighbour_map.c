/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/neighbour_map.h"

#include <stdatomic.h>
#include <stdlib.h>

#define CACHE_LINE 64u

/*
 * The word of a row, from the highest bit down: MAC 48, generation 11, CHAIN 1, GATEWAY 1, state 3.
 *
 * A row is in the first slot from its hash on that had no other; one that goes leaves state NONE,
 * and CHAIN as long as rows behind it may be found past it. The generation changes when a row goes,
 * before its slot gets another key: a reader who sees the same before and after it has compared the
 * key knows that word and key belong together. Loads and stores of the key are acquire and release,
 * so that a reader who meets a new key also meets the new generation.
 */
#define WORD_STATE 0x7u
#define WORD_GATEWAY 0x8u
#define WORD_CHAIN 0x10u
#define WORD_GENERATION 0xffe0u
#define WORD_GENERATION_ONE 0x20u
#define WORD_MAC_SHIFT 16

struct neighbour_row {
	_Alignas(32) _Atomic uint64_t word;
	/* the key: written while the state is NONE */
	_Atomic uint64_t high, low; /* of the address */
	_Atomic uint64_t netif;
};

struct neighbour_map {
	struct neighbour_row *row;
	uint32_t mask; /* slots - 1 */
};

struct neighbour_key {
	uint64_t high, low, netif;
};

struct neighbour_map *neighbour_map_new(uint32_t capacity)
{
	struct neighbour_map *map;
	size_t slots = CACHE_LINE / sizeof(struct neighbour_row);

	if (capacity == 0 || capacity > UINT32_MAX / 4)
		return NULL;
	while (slots < 2 * (size_t)capacity)
		slots *= 2;
	map = calloc(1, sizeof(*map));
	if (map == NULL)
		return NULL;
	map->row = aligned_alloc(CACHE_LINE, slots * sizeof(*map->row));
	if (map->row == NULL) {
		free(map);
		return NULL;
	}
	memset(map->row, 0, slots * sizeof(*map->row));
	map->mask = (uint32_t)slots - 1;
	return map;
}

void neighbour_map_free(struct neighbour_map *map)
{
	if (map == NULL)
		return;
	free(map->row);
	free(map);
}

/* ---- words and keys ----------------------------------------------------------------------------
 */

static enum neighbour_state word_state(uint64_t word)
{
	return (enum neighbour_state)(word & WORD_STATE);
}

static struct neighbour_view word_view(uint64_t word)
{
	struct neighbour_view view = {
		.state = word_state(word),
		.gateway = (word & WORD_GATEWAY) != 0,
	};

	for (uint32_t i = 0; i < sizeof(view.mac); i++)
		view.mac[i] = (uint8_t)(word >> (WORD_MAC_SHIFT + 8 * i));
	return view;
}

static uint64_t word_of(const struct neighbour_view *view, uint64_t generation)
{
	uint64_t word = (uint64_t)view->state | generation | WORD_CHAIN;

	if (view->gateway)
		word |= WORD_GATEWAY;
	for (uint32_t i = 0; i < sizeof(view->mac); i++)
		word |= (uint64_t)view->mac[i] << (WORD_MAC_SHIFT + 8 * i);
	return word;
}

static uint64_t row_word(const struct neighbour_row *row)
{
	return atomic_load_explicit(&row->word, memory_order_acquire);
}

static struct neighbour_key key_of(uint32_t netif, const struct ip_address *address)
{
	struct neighbour_key key = {.netif = netif};

	memcpy(&key.high, address->bytes, sizeof(key.high));
	memcpy(&key.low, address->bytes + sizeof(key.high), sizeof(key.low));
	return key;
}

static struct neighbour_key row_key(const struct neighbour_row *row)
{
	return (struct neighbour_key){
		.high = atomic_load_explicit(&row->high, memory_order_acquire),
		.low = atomic_load_explicit(&row->low, memory_order_acquire),
		.netif = atomic_load_explicit(&row->netif, memory_order_acquire),
	};
}

static void row_set_key(struct neighbour_row *row, const struct neighbour_key *key)
{
	atomic_store_explicit(&row->high, key->high, memory_order_release);
	atomic_store_explicit(&row->low, key->low, memory_order_release);
	atomic_store_explicit(&row->netif, key->netif, memory_order_release);
}

/* Whose word was it? False, nothing known: the row went meanwhile. */
static bool row_key_of(const struct neighbour_row *row, uint64_t word, struct neighbour_key *key)
{
	*key = row_key(row);
	return ((row_word(row) ^ word) & WORD_GENERATION) == 0;
}

static bool key_equal(const struct neighbour_key *a, const struct neighbour_key *b)
{
	return a->low == b->low && a->high == b->high && a->netif == b->netif;
}

/* Only configured addresses are in the table, so nobody can choose them to collide. */
static uint32_t map_home(const struct neighbour_map *map, const struct neighbour_key *key)
{
	uint64_t hash = (key->low ^ key->netif) * 0x9e3779b97f4a7c15u;

	hash = (hash ^ hash >> 32 ^ key->high) * 0xbf58476d1ce4e5b9u;
	return (uint32_t)(hash >> 32) & map->mask;
}

/* ---- any thread --------------------------------------------------------------------------------
 */

uint32_t neighbour_map_slots(const struct neighbour_map *map)
{
	return map->mask + 1;
}

uint32_t neighbour_map_find(const struct neighbour_map *map, uint32_t netif,
			    const struct ip_address *address, struct neighbour_view *view)
{
	struct neighbour_key wanted = key_of(netif, address), key;
	uint32_t slot = map_home(map, &wanted);

	for (uint32_t looked = 0; looked <= map->mask; looked++, slot = (slot + 1) & map->mask) {
		uint64_t word = row_word(&map->row[slot]);

		if ((word & WORD_CHAIN) == 0)
			break;
		if (word_state(word) == NEIGHBOUR_NONE)
			continue;
		if (row_key_of(&map->row[slot], word, &key) && key_equal(&key, &wanted)) {
			*view = word_view(word);
			return slot;
		}
	}
	return NEIGHBOUR_MAP_NONE;
}

bool neighbour_map_row(const struct neighbour_map *map, uint32_t slot, struct row_neighbour *row)
{
	uint64_t word = row_word(&map->row[slot]);
	struct neighbour_view view = word_view(word);
	struct neighbour_key key;
	struct ip_address address;

	if (view.state == NEIGHBOUR_NONE || !row_key_of(&map->row[slot], word, &key))
		return false;
	memcpy(address.bytes, &key.high, sizeof(key.high));
	memcpy(address.bytes + sizeof(key.high), &key.low, sizeof(key.low));
	*row = (struct row_neighbour){
		.address = ip_address_endpoint(&address, 0),
		.state = view.state,
		.netif = (uint32_t)key.netif,
		.gateway = view.gateway,
	};
	memcpy(row->mac, view.mac, sizeof(row->mac));
	return true;
}

/* ---- the writer --------------------------------------------------------------------------------
 */

static void row_set_word(struct neighbour_row *row, uint64_t word)
{
	atomic_store_explicit(&row->word, word, memory_order_release);
}

uint32_t neighbour_map_add(struct neighbour_map *map, uint32_t netif,
			   const struct ip_address *address, const struct neighbour_view *view)
{
	struct neighbour_key key = key_of(netif, address);
	uint32_t slot = map_home(map, &key);

	while (word_state(row_word(&map->row[slot])) != NEIGHBOUR_NONE)
		slot = (slot + 1) & map->mask;
	row_set_key(&map->row[slot], &key);
	neighbour_map_publish(map, slot, view);
	return slot;
}

void neighbour_map_publish(struct neighbour_map *map, uint32_t slot,
			   const struct neighbour_view *view)
{
	struct neighbour_row *row = &map->row[slot];
	uint64_t old = row_word(row), word = word_of(view, old & WORD_GENERATION);

	if (word != old) /* else its cache line stays with the readers */
		row_set_word(row, word);
}

/* Slots without a row that nothing is behind end no search any more: from slot backwards. */
static void map_shorten(struct neighbour_map *map, uint32_t slot)
{
	uint64_t behind = row_word(&map->row[(slot + 1) & map->mask]);

	while ((behind & WORD_CHAIN) == 0) {
		uint64_t word = row_word(&map->row[slot]);

		if ((word & WORD_CHAIN) == 0 || word_state(word) != NEIGHBOUR_NONE)
			return;
		behind = word & ~(uint64_t)WORD_CHAIN;
		row_set_word(&map->row[slot], behind);
		slot = (slot - 1) & map->mask;
	}
}

void neighbour_map_remove(struct neighbour_map *map, uint32_t slot)
{
	struct neighbour_row *row = &map->row[slot];
	uint64_t generation = (row_word(row) + WORD_GENERATION_ONE) & WORD_GENERATION;

	row_set_word(row, generation | WORD_CHAIN);
	map_shorten(map, slot);
}
