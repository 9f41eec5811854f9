/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/path_mtu.h"

#include <stdlib.h>

#define PATH_NONE UINT32_MAX

/* RFC 1191 7.1: MTUs of links that there are, for routers that do not say theirs. */
static const uint16_t plateau[] = {65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};

struct path {
	struct ip_address address;
	uint64_t learned_us;
	uint32_t mtu;	/* bytes of IP packet; 0: free */
	uint32_t chain; /* next of the same bucket */
};

struct path_mtu {
	struct path *path;
	uint32_t *bucket; /* first path of each, or PATH_NONE */
	uint32_t capacity;
	uint32_t mask;	   /* buckets - 1 */
	uint64_t until_us; /* when the last one is forgotten: nothing is known after it */
};

struct path_mtu *path_mtu_new(uint32_t capacity)
{
	struct path_mtu *t;
	uint32_t buckets = 1;

	if (capacity == 0 || capacity > UINT32_MAX / 2)
		return NULL;
	while (buckets < capacity)
		buckets *= 2;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->path = calloc(capacity, sizeof(*t->path));
	if (t->path == NULL)
		goto free_table;
	t->bucket = malloc(buckets * sizeof(*t->bucket));
	if (t->bucket == NULL)
		goto free_path;
	memset(t->bucket, 0xff, buckets * sizeof(*t->bucket)); /* PATH_NONE */
	t->capacity = capacity;
	t->mask = buckets - 1;
	return t;

free_path:
	free(t->path);
free_table:
	free(t);
	return NULL;
}

void path_mtu_free(struct path_mtu *table)
{
	if (table == NULL)
		return;
	free(table->bucket);
	free(table->path);
	free(table);
}

/* Collisions cost an attacker's victim nothing: a table holds few paths, and only validated ones.
 */
static uint32_t *path_bucket(const struct path_mtu *t, const struct ip_address *address)
{
	uint64_t half[2];

	memcpy(half, address->bytes, sizeof(half));
	half[0] = (half[0] ^ half[1] * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
	return &t->bucket[(uint32_t)(half[0] >> 32) & t->mask];
}

/* The path to address, whatever its age. */
static struct path *path_find(const struct path_mtu *t, const struct ip_address *address)
{
	for (uint32_t i = *path_bucket(t, address); i != PATH_NONE; i = t->path[i].chain)
		if (ip_address_equal(&t->path[i].address, address))
			return &t->path[i];
	return NULL;
}

static bool path_is_live(const struct path *path, uint64_t now_us)
{
	return now_us < path->learned_us + PATH_MTU_US;
}

static void path_forget(struct path_mtu *t, struct path *path)
{
	uint32_t *link = path_bucket(t, &path->address);

	while (&t->path[*link] != path)
		link = &t->path[*link].chain;
	*link = path->chain;
	path->mtu = 0;
}

/* A free place, or that of the oldest. Looks at all: what is learned is rare and limited in rate.
 */
static uint32_t path_place(const struct path_mtu *t)
{
	uint32_t oldest = 0;

	for (uint32_t i = 0; i < t->capacity; i++) {
		if (t->path[i].mtu == 0)
			return i;
		if (t->path[i].learned_us < t->path[oldest].learned_us)
			oldest = i;
	}
	return oldest;
}

static void path_add(struct path_mtu *t, const struct ip_address *address, uint32_t mtu,
		     uint64_t now_us)
{
	uint32_t place = path_place(t);
	uint32_t *bucket = path_bucket(t, address);

	if (t->path[place].mtu != 0)
		path_forget(t, &t->path[place]);
	t->path[place] = (struct path){*address, now_us, mtu, *bucket};
	*bucket = place;
	t->until_us = now_us + PATH_MTU_US;
}

uint32_t path_mtu_get(const struct path_mtu *table, const struct ip_address *address,
		      uint32_t link_mtu, uint64_t now_us)
{
	const struct path *path;

	if (now_us >= table->until_us)
		return link_mtu; /* as nearly always: no hash for each packet */
	path = path_find(table, address);
	if (path == NULL || !path_is_live(path, now_us) || path->mtu > link_mtu)
		return link_mtu;
	return path->mtu;
}

static uint32_t plateau_below(uint32_t len)
{
	uint32_t i = 0;

	while (i + 1 < sizeof(plateau) / sizeof(plateau[0]) && plateau[i] >= len)
		i++;
	return plateau[i];
}

bool path_mtu_learn(struct path_mtu *table, const struct ip_address *address, uint32_t mtu,
		    uint32_t sent_len, uint64_t now_us)
{
	uint32_t floor = ip_address_is_v4(address) ? IP4_MTU_MIN : IP6_MTU_MIN;
	struct path *path = path_find(table, address);

	if (mtu == 0)
		mtu = plateau_below(sent_len);
	if (mtu < floor)
		mtu = floor;
	if (mtu >= sent_len)
		return false; /* it would have fitted: this is no answer to what we sent */
	if (path != NULL && path_is_live(path, now_us) && mtu >= path->mtu)
		return false;
	if (path != NULL)
		path_forget(table, path);
	path_add(table, address, mtu, now_us);
	return true;
}
