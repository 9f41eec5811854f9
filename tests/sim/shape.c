/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

/* How worlds look: what is drawn before anything happens. */

/* what is at work in worlds of SIM_SCENARIOS */
#define SCENARIO_WILDCARD 1u
#define SCENARIO_BLOCK 2u
#define SCENARIO_EVENTS 4u
#define SCENARIOS 7u /* all of them but none */

/** Shorter, since there are more of them. */
static void shape_pool(struct sim *sim, struct sim_shape *s)
{
	s->wics = (uint32_t)sim_between(sim, 5, SIM_WICS_MAX - 1);
	s->visitors = s->wics - sim_below(sim, 3);
	s->run_us = sim_between(sim, sim_s(15), sim_s(36));
	s->pool_pairs = (uint32_t)sim_between(sim, 2, s->visitors - 1);
	s->pool_lifetime_s = (uint32_t)sim_between(sim, 6, 25);
	s->min_grant_s = (uint32_t)sim_between(sim, 1, 3);
	s->grace_s = sim_below(sim, 8);
	s->pool_ahead_s =
		sim_chance(sim, 30) ? (uint32_t)sim_between(sim, 1, POOL_LEEWAY_S - 1) : 0;
	s->pool_fault = sim_chance(sim, 50) ? POOL_HONEST : sim_below(sim, POOL_FAULTS);
	s->pool_meddled = sim_chance(sim, 30);
}

static void shape_wildcard(struct sim *sim, struct sim_shape *s)
{
	s->wics = (uint32_t)sim_between(sim, 4, SIM_WICS_MAX - 1);
	s->guests = s->wics - 1 - sim_below(sim, 3);
	s->run_us = sim_between(sim, sim_s(20), sim_s(45));
	s->pool_meddled = sim_chance(sim, 50);
}

/** Wildcards, blocks and events, each alone and with others. */
static void shape_scenarios(struct sim *sim, struct sim_shape *s)
{
	uint32_t which = (uint32_t)(sim->options.seed / 3 % SCENARIOS) + 1, others;

	s->wics = (uint32_t)sim_between(sim, 5, SIM_WICS_MAX - 1);
	others = s->wics - 1 - sim_below(sim, 3);
	s->run_us = sim_between(sim, sim_s(20), sim_s(45));
	s->reg_event = (which & SCENARIO_EVENTS) != 0;
	s->pool_meddled = sim_chance(sim, 50);
	switch (which & (SCENARIO_WILDCARD | SCENARIO_BLOCK)) {
	case SCENARIO_WILDCARD:
		s->guests = others;
		break;
	case SCENARIO_BLOCK:
		s->members = others;
		break;
	case SCENARIO_WILDCARD | SCENARIO_BLOCK:
		s->guests = 1 + sim_below(sim, others - 1);
		s->members = others - s->guests;
		break;
	default:
		s->wics = (uint32_t)sim_between(sim, 3, SIM_WICS_MAX / 2);
	}
}

struct sim_shape shape_draw(struct sim *sim)
{
	struct sim_shape s = {
		.wics = (uint32_t)sim_between(sim, 3, SIM_WICS_MAX - 1),
		.run_us = sim_between(sim, sim_s(35), sim_s(75)),
		.rough = true,
		.udp = sim_chance(sim, 50),
		.advertise_common = sim_chance(sim, 50),
		.slow_verifier = sim_chance(sim, 20) && !sim->options.openssl,
		.disowns = sim_chance(sim, 20),
		.tight = sim_chance(sim, 10),
		.loss = sim_below(sim, 6),
		.min_grant_s = (uint32_t)sim_between(sim, 1, 20),
		.rotates = sim_chance(sim, 50),
		.grace_s = (uint32_t)sim_below(sim, 20),
		.timer_c_s = (uint32_t)sim_between(sim, 12, 40),
		.restarts = sim_chance(sim, 25),
		.busy = sim_chance(sim, 50),
		.hold_s = sim_chance(sim, 50) ? (uint32_t)sim_between(sim, 1, 4) : 0,
	};

	/* with each number of workers */
	s.reg_event = sim->options.events && sim->options.seed / 3 % 2 == 1;
	if (sim->options.mode == SIM_POOL)
		shape_pool(sim, &s);
	else if (sim->options.mode == SIM_WILDCARD)
		shape_wildcard(sim, &s);
	else if (sim->options.mode == SIM_SCENARIOS)
		shape_scenarios(sim, &s);
	return s;
}
