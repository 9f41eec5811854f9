/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

#include <stdlib.h>

/*
 * A slot's home is the low bits of its tag, so that entries move back over a deleted one without
 * hashing anew: there are no tombstones, and a search ends at the first empty slot. At most half of
 * the slots are taken, so that one is never far.
 */

struct table_slot {
	uint32_t tag;	/* low 32 bits of the hash */
	uint32_t index; /* of the object, + 1; 0: empty */
};
_Static_assert(sizeof(struct table_slot) == 8, "TCP.md 5.2");

struct tcp_table {
	struct tcp_table_config config;
	uint32_t mask; /* slots - 1 */
	uint32_t count;
	struct table_slot slot[];
};

struct tcp_table *tcp_table_new(const struct tcp_table_config *config)
{
	struct tcp_table *table;
	uint64_t slots = 2;

	if (config->capacity == 0 || config->capacity > UINT32_MAX / 4)
		return NULL;
	while (slots < 2ull * config->capacity)
		slots *= 2;
	table = calloc(1, sizeof(*table) + slots * sizeof(table->slot[0]));
	if (table == NULL)
		return NULL;
	table->config = *config;
	table->mask = (uint32_t)(slots - 1);
	return table;
}

void tcp_table_free(struct tcp_table *table)
{
	if (table != NULL)
		explicit_bzero(table->config.key, sizeof(table->config.key));
	free(table);
}

static const struct tcp_ends *table_ends(const struct tcp_table *table, uint32_t index)
{
	const uint8_t *base = table->config.base;

	return (const void *)(base + (size_t)index * table->config.stride + table->config.offset);
}

static uint32_t table_tag(const struct tcp_table *table, const struct tcp_ends *ends)
{
	return (uint32_t)siphash(table->config.key, span_of(ends, sizeof(*ends)));
}

uint32_t tcp_table_find(const struct tcp_table *table, const struct tcp_ends *ends)
{
	uint32_t tag = table_tag(table, ends);
	const struct table_slot *slot;

	for (uint32_t i = tag;; i++) {
		slot = &table->slot[i & table->mask];
		if (slot->index == 0)
			return TCP_TABLE_NONE;
		if (slot->tag == tag && tcp_ends_equal(table_ends(table, slot->index - 1), ends))
			return slot->index - 1;
	}
}

bool tcp_table_add(struct tcp_table *table, uint32_t index)
{
	uint32_t tag = table_tag(table, table_ends(table, index));
	uint32_t i = tag;

	if (table->count >= table->config.capacity)
		return false;
	while (table->slot[i & table->mask].index != 0)
		i++;
	table->slot[i & table->mask] = (struct table_slot){tag, index + 1};
	table->count++;
	return true;
}

/* Entries behind the hole that would not be found across it move into it, one after the other. */
static void table_close(struct tcp_table *table, uint32_t hole)
{
	uint32_t mask = table->mask;

	for (uint32_t i = (hole + 1) & mask; table->slot[i].index != 0; i = (i + 1) & mask) {
		if (((i - table->slot[i].tag) & mask) < ((i - hole) & mask))
			continue; /* its home lies behind the hole */
		table->slot[hole] = table->slot[i];
		hole = i;
	}
	table->slot[hole] = (struct table_slot){0};
}

bool tcp_table_remove(struct tcp_table *table, uint32_t index)
{
	uint32_t i = table_tag(table, table_ends(table, index));

	for (;; i++) {
		i &= table->mask;
		if (table->slot[i].index == 0)
			return false;
		if (table->slot[i].index == index + 1)
			break;
	}
	table_close(table, i);
	table->count--;
	return true;
}

uint32_t tcp_table_count(const struct tcp_table *table)
{
	return table->count;
}
