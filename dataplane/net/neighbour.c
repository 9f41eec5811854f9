/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/neighbour.h"

#include <stdlib.h>

#include "net/hop.h"

struct neighbour_table {
	struct neighbour_map *map; /* the one thing here that other threads look at: read-only */

	/* the owner's */
	_Alignas(64) struct hop *hop; /* as many as the map has slots */
	uint32_t slots;
	uint32_t capacity;
	uint32_t live;
	uint64_t next_us; /* neighbour_run() has nothing to do before */
};

struct neighbour_table *neighbour_table_new(uint32_t capacity)
{
	struct neighbour_table *t = aligned_alloc(_Alignof(struct neighbour_table), sizeof(*t));

	if (t == NULL)
		return NULL;
	memset(t, 0, sizeof(*t));
	t->map = neighbour_map_new(capacity);
	if (t->map == NULL)
		goto free_table;
	t->slots = neighbour_map_slots(t->map);
	t->hop = calloc(t->slots, sizeof(*t->hop));
	if (t->hop == NULL)
		goto free_map;
	t->capacity = capacity;
	t->next_us = UINT64_MAX;
	return t;

free_map:
	neighbour_map_free(t->map);
free_table:
	free(t);
	return NULL;
}

void neighbour_table_free(struct neighbour_table *table)
{
	if (table == NULL)
		return;
	free(table->hop);
	neighbour_map_free(table->map);
	free(table);
}

/* ---- any thread --------------------------------------------------------------------------------
 */

const char *neighbour_state_text(enum neighbour_state state)
{
	static const char *const text[NEIGHBOUR_STATES] = {
		[NEIGHBOUR_NONE] = "none",     [NEIGHBOUR_INCOMPLETE] = "incomplete",
		[NEIGHBOUR_FAILED] = "failed", [NEIGHBOUR_REACHABLE] = "reachable",
		[NEIGHBOUR_PROBE] = "probe",   [NEIGHBOUR_STALE] = "stale",
	};

	return text[state];
}

enum neighbour_state neighbour_find(const struct neighbour_table *table, uint32_t netif,
				    const struct ip_address *address, uint8_t mac[6])
{
	struct neighbour_view view;

	if (neighbour_map_find(table->map, netif, address, &view) == NEIGHBOUR_MAP_NONE)
		return NEIGHBOUR_NONE;
	if (hop_state_has_mac(view.state))
		memcpy(mac, view.mac, sizeof(view.mac));
	return view.state;
}

uint32_t neighbour_rows(const struct neighbour_table *table, uint32_t max,
			struct row_neighbour *rows)
{
	uint32_t slots = neighbour_map_slots(table->map), count = 0;

	for (uint32_t slot = 0; slot < slots && count < max; slot++)
		count += neighbour_map_row(table->map, slot, &rows[count]);
	return count;
}

/* ---- the owner ---------------------------------------------------------------------------------
 */

static struct hop *hop_find(const struct neighbour_table *t, uint32_t netif,
			    const struct ip_address *address)
{
	struct neighbour_view view;
	uint32_t slot = neighbour_map_find(t->map, netif, address, &view);

	return slot == NEIGHBOUR_MAP_NONE ? NULL : &t->hop[slot];
}

static void hop_changed(struct neighbour_table *t, const struct hop *hop)
{
	neighbour_map_publish(t->map, (uint32_t)(hop - t->hop), &hop->view);
	if (hop->due_us < t->next_us)
		t->next_us = hop->due_us;
}

static bool hop_is_here(const struct hop *hop)
{
	return hop->view.state != NEIGHBOUR_NONE;
}

/* Hops that nobody wants any more go. */
static void table_sweep(struct neighbour_table *t)
{
	for (uint32_t slot = 0; slot < t->slots; slot++) {
		if (!hop_is_here(&t->hop[slot]) || t->hop[slot].want != 0)
			continue;
		neighbour_map_remove(t->map, slot);
		t->hop[slot].view.state = NEIGHBOUR_NONE;
		t->live--;
	}
}

/* NULL: the table is full. */
static struct hop *hop_add(struct neighbour_table *t, uint32_t netif,
			   const struct ip_address *address, uint32_t probe_s, uint64_t now_us)
{
	struct hop hop;
	uint32_t slot;

	if (t->live == t->capacity)
		table_sweep(t);
	if (t->live == t->capacity)
		return NULL;
	hop_init(&hop, netif, address, probe_s, now_us);
	slot = neighbour_map_add(t->map, netif, address, &hop.view);
	t->hop[slot] = hop;
	t->live++;
	return &t->hop[slot];
}

static void hop_want(struct neighbour_table *t, struct hop *hop, uint32_t want)
{
	hop->want = want;
	hop->view.gateway = (want & NEIGHBOUR_WANT_GATEWAY) != 0;
	hop_changed(t, hop);
}

enum gw_err neighbour_want(struct neighbour_table *table, uint32_t netif,
			   const struct ip_address *address, enum neighbour_want reason,
			   uint32_t probe_s, uint64_t now_us)
{
	struct hop *hop = hop_find(table, netif, address);

	if (hop == NULL)
		hop = hop_add(table, netif, address, probe_s, now_us);
	if (hop == NULL)
		return GW_POOL_EMPTY;
	hop_want(table, hop, hop->want | reason);
	return GW_OK;
}

void neighbour_unwant(struct neighbour_table *table, enum neighbour_want reason)
{
	for (uint32_t slot = 0; slot < table->slots; slot++)
		if (hop_is_here(&table->hop[slot]))
			hop_want(table, &table->hop[slot],
				 table->hop[slot].want & ~(uint32_t)reason);
	table->next_us = 0; /* some may have to go */
}

void neighbour_answer(struct neighbour_table *table, const struct neighbour_said *said,
		      const struct neighbour_ops *ops, void *context, uint64_t now_us)
{
	struct hop *hop = hop_find(table, said->netif, said->address);
	uint64_t due_us;

	if (hop == NULL)
		return;
	due_us = hop->due_us;
	hop_answer(hop, said->mac, ops, context, now_us);
	hop_changed(table, hop);
	if (hop->due_us > due_us)
		table->next_us = 0; /* it may have been the next: the next run looks for another */
}

void neighbour_claim(struct neighbour_table *table, const struct neighbour_said *said)
{
	struct hop *hop = hop_find(table, said->netif, said->address);

	if (hop == NULL)
		return;
	hop_claim(hop, said->mac);
	hop_changed(table, hop);
}

uint64_t neighbour_run(struct neighbour_table *table, const struct neighbour_ops *ops,
		       void *context, uint64_t now_us)
{
	if (now_us < table->next_us)
		return table->next_us;
	table_sweep(table);
	table->next_us = UINT64_MAX; /* each hop brings it down to its own */
	for (uint32_t slot = 0; slot < table->slots; slot++) {
		struct hop *hop = &table->hop[slot];

		if (!hop_is_here(hop))
			continue;
		if (hop->due_us <= now_us)
			hop_run(hop, ops, context, now_us);
		hop_changed(table, hop);
	}
	return table->next_us;
}
