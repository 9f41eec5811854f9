/* SPDX-License-Identifier: BSD-3-Clause */
#include "block.h"

/*
 * What the home worker of a block says to all others: how it is, as a whole. Only the last word
 * counts, so that what finds a ring full is a mark, and not a message that is kept. What it says to
 * control (block_named.c) is tried again with it.
 */

#define RETRY_US 5000

static bool tell_one(struct gateway *gw, const struct block *b, uint16_t worker)
{
	struct message_block m = {
		.head = {MESSAGE_BLOCK, (uint32_t)sizeof(m) + b->routes_len},
		.up = b->state == BLOCK_UP,
		.status = b->status,
		.impi_hash = b->impi_hash,
		.impu_hash = b->impu_hash,
		.until_us = b->until_us,
		.rejected_us = b->rejected_us,
	};

	memcpy(m.name, b->name, sizeof(m.name));
	return gw->env->to_worker(gw->env->context, worker, span_of(&m, sizeof(m)),
				  span_of(b->routes, b->routes_len)) == GW_OK;
}

static void tell_rest(struct gateway *gw, struct block *b)
{
	for (uint16_t i = 0; i < gw->config.workers && b->untold != 0; i++)
		if ((b->untold >> i & 1) != 0 && tell_one(gw, b, i))
			b->untold &= ~(1ull << i);
}

static void tell_again(struct timer *timer, void *context)
{
	struct gateway *gw = context;
	uint32_t cursor = 0;
	bool more = false;
	struct block *b;

	while ((b = slots_next(gw->blocks->pool, &cursor)) != NULL) {
		tell_rest(gw, b);
		more = !block_named_tell(gw, b) || more || b->untold != 0;
	}
	if (more)
		wheel_arm(gw->wheel, timer, gw->time.now_us + RETRY_US, tell_again);
}

void block_tell_later(struct gateway *gw)
{
	struct timer *retry = &gw->blocks->retry;

	if (!timer_armed(retry))
		wheel_arm(gw->wheel, retry, gw->time.now_us + RETRY_US, tell_again);
}

void block_tell(struct gateway *gw, struct block *b)
{
	if (!block_is_home(gw, b))
		return;
	for (uint16_t i = 0; i < gw->config.workers; i++)
		if (i != gw->config.worker)
			b->untold |= 1ull << i;
	tell_rest(gw, b);
	if (b->untold != 0)
		block_tell_later(gw);
}

/** A worker may hear of a block before its own view has it, or when it has it no more. */
static struct block *place_for(struct gateway *gw, const struct message_block *m)
{
	struct block *b = block_find(gw, span_text(m->name), m->impi_hash, m->impu_hash);

	if (b != NULL || !m->up)
		return b;
	b = block_new(gw, span_text(m->name));
	if (b == NULL)
		return NULL;
	b->impi_hash = m->impi_hash;
	b->impu_hash = m->impu_hash;
	return b;
}

void gateway_block(struct gateway *gw, const struct message_block *m, struct span routes)
{
	struct block *b = place_for(gw, m);

	if (b == NULL)
		return;
	if (!m->up && !b->wanted) {
		block_free(gw, b);
		return;
	}
	routes = span_cut(routes, 0, BLOCK_ROUTES_MAX);
	b->state = m->up ? BLOCK_UP : BLOCK_DOWN;
	b->status = m->status;
	b->until_us = m->until_us;
	b->routes_len = (uint16_t)routes.len;
	memcpy(b->routes, routes.at, routes.len);
	if (m->rejected_us > b->rejected_us)
		block_drop(gw, b);
	b->rejected_us = m->rejected_us;
}
