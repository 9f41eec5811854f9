/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/neighbour.h"

/*
 * neighbour_race_test [ROUNDS]
 *
 * The owner lets next hops come, move and go, more of them than there are rows, so that rows change
 * hands all the time; readers look them up meanwhile. Each MAC says whose it is and the how manieth
 * of him: a reader never sees one that is not of the address he asked for, that is half of one and
 * half of another, that has not been published yet, or that is older than one he has seen before.
 * Made for the thread sanitizer.
 */
#define READERS 2
#define HOPS 12u
#define ROWS 4u
#define SECOND 1000000ull
#define ROUNDS_DEFAULT 20000u

struct race {
	struct neighbour_table *table;
	_Atomic bool over;
	_Atomic uint32_t published[HOPS]; /* the highest number, set just before */
	uint64_t now_us;
	uint64_t random;
};

struct reader {
	struct race *race;
	uint32_t seen[HOPS];
	uint64_t random;
	uint64_t hits, changes, broken;
};

static void on_ask(void *context, enum neighbour_ask how, uint32_t netif,
		   const struct ip_address *address, const uint8_t mac[6])
{
}

static void on_alarm(void *context, enum gw_err what, const struct ip_address *address)
{
}

static const struct neighbour_ops ops = {on_ask, on_alarm};

/* SplitMix64 */
static uint32_t roll(uint64_t *random, uint32_t sides)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) % sides);
}

static struct ip_address hop_address(uint32_t hop)
{
	return (struct ip_address){{0xfd, 0, 0, 0x18, [15] = (uint8_t)hop}};
}

static uint8_t mac_check(const uint8_t mac[6])
{
	return (uint8_t)(mac[1] * 7 + mac[2] * 11 + mac[3] * 13 + mac[4] * 17 + 1);
}

static void mac_make(uint32_t hop, uint32_t number, uint8_t mac[6])
{
	mac[0] = 2;
	mac[1] = (uint8_t)hop;
	mac[2] = (uint8_t)(number >> 16);
	mac[3] = (uint8_t)(number >> 8);
	mac[4] = (uint8_t)number;
	mac[5] = mac_check(mac);
}

/* ---- readers -----------------------------------------------------------------------------------
 */

static bool mac_is_right(struct reader *reader, uint32_t hop, const uint8_t mac[6])
{
	uint32_t number = (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 8 | mac[4];
	bool right =
		mac[0] == 2 && mac[1] == hop && mac[5] == mac_check(mac) &&
		number >= reader->seen[hop] &&
		number <= atomic_load_explicit(&reader->race->published[hop], memory_order_relaxed);

	reader->changes += number > reader->seen[hop];
	reader->seen[hop] = number;
	return right;
}

static void reader_find(struct reader *reader)
{
	uint32_t hop = roll(&reader->random, HOPS);
	struct ip_address address = hop_address(hop);
	enum neighbour_state state;
	uint8_t mac[6] = {0};

	state = neighbour_find(reader->race->table, 0, &address, mac);
	if (mac[0] == 0) {
		reader->broken += state >= NEIGHBOUR_REACHABLE;
		return;
	}
	reader->hits++;
	reader->broken += state < NEIGHBOUR_REACHABLE || !mac_is_right(reader, hop, mac);
}

static void reader_list(struct reader *reader)
{
	struct row_neighbour rows[ROWS];
	uint32_t count = neighbour_rows(reader->race->table, ROWS, rows);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t hop = rows[i].address.v6.sin6_addr.s6_addr[15];

		if (rows[i].mac[0] != 0 && (hop >= HOPS || !mac_is_right(reader, hop, rows[i].mac)))
			reader->broken++;
	}
}

static void *reader_run(void *argument)
{
	struct reader *reader = argument;

	while (!atomic_load_explicit(&reader->race->over, memory_order_relaxed)) {
		for (uint32_t i = 0; i < 64; i++)
			reader_find(reader);
		reader_list(reader);
	}
	return NULL;
}

/* ---- the owner ---------------------------------------------------------------------------------
 */

/* A new MAC, whatever is known: it is claimed, nobody defends the old one, and all are asked. */
static void owner_move(struct race *race, uint32_t hop)
{
	struct ip_address address = hop_address(hop);
	uint32_t number = atomic_load_explicit(&race->published[hop], memory_order_relaxed) + 1;
	uint8_t mac[6];

	mac_make(hop, number, mac);
	neighbour_claim(race->table, &(struct neighbour_said){0, &address, mac});
	neighbour_run(race->table, &ops, NULL, race->now_us);
	race->now_us += SECOND;
	neighbour_run(race->table, &ops, NULL, race->now_us);
	atomic_store_explicit(&race->published[hop], number, memory_order_relaxed);
	neighbour_answer(race->table, &(struct neighbour_said){0, &address, mac}, &ops, NULL,
			 race->now_us);
}

static bool owner_round(struct race *race)
{
	uint32_t hop[ROWS];

	neighbour_unwant(race->table, NEIGHBOUR_WANT_PEER);
	if (roll(&race->random, 2) == 0) /* else those that are wanted again stay */
		neighbour_run(race->table, &ops, NULL, race->now_us);
	for (uint32_t i = 0; i < ROWS; i++) {
		struct ip_address address;

		hop[i] = roll(&race->random, HOPS);
		address = hop_address(hop[i]);
		if (neighbour_want(race->table, 0, &address, NEIGHBOUR_WANT_PEER, 30,
				   race->now_us) != GW_OK)
			return false;
	}
	for (uint32_t i = 0; i < 2 * ROWS; i++)
		owner_move(race, hop[i % ROWS]);
	return true;
}

int main(int argc, char **argv)
{
	uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT;
	struct race race = {.table = neighbour_table_new(ROWS), .now_us = SECOND};
	struct reader reader[READERS];
	pthread_t thread[READERS];
	uint64_t broken = 0, hits = 0, changes = 0;

	if (race.table == NULL)
		return 1;
	for (uint32_t i = 0; i < READERS; i++) {
		reader[i] = (struct reader){.race = &race, .random = i};
		if (pthread_create(&thread[i], NULL, reader_run, &reader[i]) != 0)
			return 1;
	}
	for (uint32_t i = 0; i < rounds; i++)
		broken += !owner_round(&race);
	atomic_store(&race.over, true);
	for (uint32_t i = 0; i < READERS; i++) {
		pthread_join(thread[i], NULL);
		broken += reader[i].broken;
		hits += reader[i].hits;
		changes += reader[i].changes;
	}
	neighbour_table_free(race.table);
	printf("%u rounds, %llu hits, %llu changes seen, %llu broken\n", rounds,
	       (unsigned long long)hits, (unsigned long long)changes, (unsigned long long)broken);
	return broken == 0 && changes > 0 ? 0 : 1;
}
