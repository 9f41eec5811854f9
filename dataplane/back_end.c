/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

/* The net back ends of a worker, one after the other: what one is told or asked, all are. */

enum gw_err back_end_open(struct worker *w)
{
	static const struct worker_tcp usual = {65536, 65536, 45000000, {0}};
	const struct worker_tcp *tcp = w->config.tcp != NULL ? w->config.tcp : &usual;
	struct net_config net = {
		.worker = w->config.index,
		.epoch = w->config.epoch,
		.counters = &w->counters,
		.limits = {.connections = w->config.sizes.connections + MW_LINKS_MAX,
			   .receive_bytes = tcp->receive_bytes,
			   .send_bytes = tcp->send_bytes,
			   .user_timeout_us = tcp->user_timeout_us},
		.tcp = w->config.tcp != NULL ? &tcp->limits : NULL,
		.clock = &w->clock,
		.shared = w->config.shared,
		.events = &command_net_events,
		.context = w,
		.random = worker_random,
	};
	enum gw_err err = GW_OK;

	for (uint32_t i = 0; err == GW_OK && i < NET_BACK_ENDS; i++)
		if (w->config.net[i] != NULL)
			err = net_open(w->config.net[i], &net, &w->net[i]);
	return err;
}

void back_end_close(struct worker *w)
{
	for (uint32_t i = 0; i < NET_BACK_ENDS; i++)
		if (w->net[i] != NULL)
			net_close(w->net[i]);
}

void back_end_peers(struct worker *w)
{
	const struct config_part *config = worker_settings(w);

	if (w->peers_generation == config->part.generation)
		return;
	w->peers_generation = config->part.generation;
	for (uint32_t i = 0; i < NET_BACK_ENDS; i++)
		if (w->net[i] != NULL)
			net_peers(w->net[i], config->trusted, config->trusted_count);
}

/* ---- the turn ----------------------------------------------------------------------------------
 */

void back_end_receive(struct worker *w)
{
	for (uint32_t i = 0; i < NET_BACK_ENDS; i++)
		if (w->net[i] != NULL)
			net_receive(w->net[i]);
}

void back_end_run_ready(struct worker *w)
{
	for (uint32_t i = 0; i < NET_BACK_ENDS; i++)
		if (w->net[i] != NULL)
			net_run_ready(w->net[i]);
}

void back_end_transmit(struct worker *w)
{
	for (uint32_t i = 0; i < NET_BACK_ENDS; i++)
		if (w->net[i] != NULL)
			net_transmit(w->net[i]);
}

void back_end_stop_listening(struct worker *w)
{
	for (uint32_t i = 0; i < NET_BACK_ENDS; i++)
		if (w->net[i] != NULL)
			net_stop_listening(w->net[i]);
}

/* ---- sleep -------------------------------------------------------------------------------------
 */

bool back_end_idle(const struct worker *w)
{
	for (uint32_t i = 0; i < NET_BACK_ENDS; i++)
		if (w->net[i] != NULL && !net_idle(w->net[i]))
			return false;
	return true;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t back_end_next_us(const struct worker *w)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < NET_BACK_ENDS; i++)
		if (w->net[i] != NULL)
			next = earlier(next, net_next_deadline_us(w->net[i]));
	return next;
}

uint64_t back_end_sleep_begin(struct worker *w)
{
	uint64_t until = UINT64_MAX;

	for (uint32_t i = 0; i < NET_BACK_ENDS; i++)
		if (w->net[i] != NULL)
			until = earlier(until, net_sleep_begin(w->net[i]));
	return until;
}

void back_end_sleep_end(struct worker *w)
{
	for (uint32_t i = 0; i < NET_BACK_ENDS; i++)
		if (w->net[i] != NULL)
			net_sleep_end(w->net[i]);
}
