/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "net/neighbour.h"

/*
 * What configuration, operators, hosts and time do to next hops. Input: steps of 2 bytes,
 *
 *	what    3 bits: want, unwant, answer, claim, time, run; 5 bits: reason, MAC, or how long
 *	hop     of 6, on two interfaces
 *
 * What must hold, whatever comes: a MAC is one that was answered for that hop, and another than the
 * one known only after a question to all; nobody is asked twice in a second; what is due next lies
 * ahead and moves only when something happens; each alarm is one change, and each change one alarm;
 * the table is full only when it is.
 */

#define HOPS 6u
#define ROWS 4u
#define STEPS_MAX 2048
#define SECOND 1000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* What a hop went through since its row was made. */
struct life {
	uint32_t want;
	bool asked, asked_all; /* ever; since the last answer that counted */
	uint64_t asked_us;
	uint32_t answered; /* a bit for each MAC */
	enum neighbour_state state;
	uint8_t mac[6];
};

struct world {
	struct neighbour_table *table;
	struct life life[HOPS];
	uint64_t now_us;
	uint64_t next_us; /* of the last run, when nothing has happened since; else 0 */
	uint32_t asks;
	uint32_t lost, found, moved; /* alarms of a step, less what is seen to have changed */
};

static uint32_t hop_netif(uint32_t hop)
{
	return hop % 2;
}

static struct ip_address hop_address(uint32_t hop)
{
	return (struct ip_address){{0xfd, 0, 0, 0x18, [15] = (uint8_t)(1 + hop / 2)}};
}

static struct life *life_of(struct world *world, uint32_t netif, const struct ip_address *address)
{
	uint32_t hop = (address->bytes[15] - 1u) * 2 + netif;

	must(hop < HOPS);
	return &world->life[hop];
}

/* 0: all zero, 1: a group, the others fine. */
static void mac_make(uint32_t which, uint8_t mac[6])
{
	memset(mac, 0, 6);
	mac[0] = which == 1 ? 3 : 0;
	mac[5] = (uint8_t)which;
}

static void on_ask(void *context, enum neighbour_ask how, uint32_t netif,
		   const struct ip_address *address, const uint8_t mac[6])
{
	struct world *world = context;
	struct life *life = life_of(world, netif, address);

	must(life->want != 0);
	must(!life->asked || world->now_us >= life->asked_us + SECOND);
	must(how == NEIGHBOUR_ASK_ALL || memcmp(mac, life->mac, 6) == 0);
	life->asked = true;
	life->asked_us = world->now_us;
	life->asked_all |= how == NEIGHBOUR_ASK_ALL;
	world->asks++;
}

static void on_alarm(void *context, enum gw_err what, const struct ip_address *address)
{
	struct world *world = context;

	world->lost += what == GW_NEIGHBOUR_LOST;
	world->found += what == GW_NEIGHBOUR_FOUND;
	world->moved += what == GW_NEIGHBOUR_MOVED;
	must(what == GW_NEIGHBOUR_LOST || what == GW_NEIGHBOUR_FOUND || what == GW_NEIGHBOUR_MOVED);
}

static const struct neighbour_ops ops = {on_ask, on_alarm};

/* ---- what must hold ----------------------------------------------------------------------------
 */

static void check_known(struct world *world, struct life *life, enum neighbour_state state,
			const uint8_t mac[6])
{
	must(mac[0] == 0 && mac[5] >= 2 && (life->answered & 1u << mac[5]) != 0);
	if (memcmp(life->mac, mac, 6) != 0) {
		must(life->asked_all && state == NEIGHBOUR_REACHABLE);
		world->moved -= life->state >= NEIGHBOUR_REACHABLE;
		memcpy(life->mac, mac, 6);
	}
	if (state == NEIGHBOUR_REACHABLE)
		life->asked_all = false;
	world->lost -= state == NEIGHBOUR_STALE && life->state != NEIGHBOUR_STALE;
	world->found -= state != NEIGHBOUR_STALE && life->state == NEIGHBOUR_STALE;
}

static void check_hop(struct world *world, uint32_t hop)
{
	struct life *life = &world->life[hop];
	struct ip_address address = hop_address(hop);
	uint8_t mac[6] = {0};
	enum neighbour_state state = neighbour_find(world->table, hop_netif(hop), &address, mac);

	if (state == NEIGHBOUR_NONE) {
		must(life->want == 0);
		memset(life, 0, sizeof(*life));
		return;
	}
	must(state < NEIGHBOUR_STATES);
	if (state >= NEIGHBOUR_REACHABLE)
		check_known(world, life, state, mac);
	else
		must(mac[5] == 0 && life->state < NEIGHBOUR_REACHABLE);
	life->state = state;
}

static void check_all(struct world *world)
{
	struct row_neighbour rows[HOPS];
	uint32_t live = 0;

	for (uint32_t hop = 0; hop < HOPS; hop++) {
		check_hop(world, hop);
		live += world->life[hop].state != NEIGHBOUR_NONE;
	}
	must(world->lost == 0 && world->found == 0 && world->moved == 0);
	must(live <= ROWS && neighbour_rows(world->table, HOPS, rows) == live);
}

/* ---- steps -------------------------------------------------------------------------------------
 */

static uint32_t world_wanted(const struct world *world)
{
	uint32_t wanted = 0;

	for (uint32_t hop = 0; hop < HOPS; hop++)
		wanted += world->life[hop].want != 0;
	return wanted;
}

static void step_want(struct world *world, uint32_t hop, uint32_t argument)
{
	struct life *life = &world->life[hop];
	struct ip_address address = hop_address(hop);
	enum neighbour_want reason = (enum neighbour_want)(1u << argument % 3);
	enum gw_err err = neighbour_want(world->table, hop_netif(hop), &address, reason,
					 argument / 3, world->now_us);

	must((err == GW_OK) == (life->state != NEIGHBOUR_NONE || world_wanted(world) < ROWS));
	if (err == GW_OK)
		life->want |= reason;
}

static void step_unwant(struct world *world, uint32_t argument)
{
	enum neighbour_want reason = (enum neighbour_want)(1u << argument % 3);

	neighbour_unwant(world->table, reason);
	for (uint32_t hop = 0; hop < HOPS; hop++)
		world->life[hop].want &= ~(uint32_t)reason;
}

static void step_answer(struct world *world, uint32_t hop, uint32_t argument)
{
	struct ip_address address = hop_address(hop);
	uint8_t mac[6];

	mac_make(argument, mac);
	world->life[hop].answered |= 1u << argument;
	neighbour_answer(world->table, &(struct neighbour_said){hop_netif(hop), &address, mac},
			 &ops, world, world->now_us);
}

static void step_claim(struct world *world, uint32_t hop, uint32_t argument)
{
	struct ip_address address = hop_address(hop);
	uint8_t mac[6];

	mac_make(argument, mac);
	neighbour_claim(world->table, &(struct neighbour_said){hop_netif(hop), &address, mac});
}

static void step_run(struct world *world)
{
	uint64_t next_us;
	uint32_t asks = world->asks;

	next_us = neighbour_run(world->table, &ops, world, world->now_us);
	must(next_us > world->now_us);
	must(world->next_us == 0 || next_us >= world->next_us);
	if (world->now_us < world->next_us)
		must(next_us == world->next_us && world->asks == asks);
	world->next_us = next_us;
	must(neighbour_run(world->table, &ops, world, world->now_us) == next_us);
}

static void step(struct world *world, uint8_t what, uint32_t hop)
{
	uint32_t argument = what & 31;

	switch (what >> 5) {
	case 0:
		step_want(world, hop, argument);
		break;
	case 1:
		step_unwant(world, argument);
		break;
	case 2:
		step_answer(world, hop, argument);
		break;
	case 3:
		step_claim(world, hop, argument);
		break;
	case 4:
		world->now_us += argument * argument * 40000; /* up to 38 s */
		return;
	default:
		step_run(world);
		return;
	}
	world->next_us = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = {.table = neighbour_table_new(ROWS), .now_us = SECOND};
	struct span in = span_of(data, (uint32_t)size);
	uint8_t what, hop;

	must(world.table != NULL);
	for (uint32_t i = 0; i < STEPS_MAX && span_u8(&in, &what) && span_u8(&in, &hop); i++) {
		step(&world, what, hop % HOPS);
		check_all(&world);
	}
	neighbour_table_free(world.table);
	return 0;
}
