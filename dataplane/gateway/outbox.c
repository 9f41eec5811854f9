/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "registrar.h"

/*
 * Messages between workers that must come to pass: what finds a ring full is kept, and tried again
 * in its order. To this worker itself a message is a call.
 */

#define OUTBOX_RETRY_US 5000
#define OUTBOX_PER_TRY 64 /* for one worker */

struct outbox_message {
	struct outbox_message *next;
	_Alignas(16) uint8_t bytes[sizeof(struct message_attach)]; /* the longest of them */
};
_Static_assert(sizeof(struct message_attach) >= sizeof(struct message_detach) &&
		       sizeof(struct message_attach) >= sizeof(struct message_ended) &&
		       sizeof(struct message_attach) >= sizeof(struct message_barred) &&
		       sizeof(struct message_attach) >= sizeof(struct message_attached) &&
		       sizeof(struct message_attach) >= sizeof(struct message_lease_granted) &&
		       sizeof(struct message_attach) >= sizeof(struct message_lease_refused) &&
		       sizeof(struct message_attach) >= sizeof(struct message_lease_confirm) &&
		       sizeof(struct message_attach) >= sizeof(struct message_lease_release) &&
		       sizeof(struct message_attach) >= sizeof(struct message_lease_ended),
	       "the longest");

_Static_assert(sizeof(struct message_attach) >= sizeof(struct message_registrar_gone) &&
		       sizeof(struct message_attach) >= sizeof(struct message_registrar_ended) &&
		       sizeof(struct message_attach) >= sizeof(struct message_block_way) &&
		       sizeof(struct message_attach) >= sizeof(struct message_fork_answer) &&
		       sizeof(struct message_attach) >= sizeof(struct message_fork_cancel),
	       "the longest");

static enum gw_err outbox_ring(struct gateway *gw, uint16_t worker, const struct message_head *head)
{
	return gw->env->to_worker(gw->env->context, worker, span_of(head, head->len), SPAN(""));
}

/** Sends what waits for one worker, as far as its ring has room. */
static void outbox_flush(struct gateway *gw, uint16_t worker)
{
	struct outbox_list *list = &gw->outbox.of[worker];
	struct outbox_message *e;

	for (uint32_t n = 0; n < OUTBOX_PER_TRY && (e = list->first) != NULL; n++) {
		if (outbox_ring(gw, worker, (const struct message_head *)e->bytes) != GW_OK)
			return;
		list->first = e->next;
		if (!slots_put(gw->outbox.pool, e))
			counter_add(&gw_counters(gw)->invariant_broken, 1);
	}
}

static void outbox_retry(struct timer *timer, void *context)
{
	struct gateway *gw = context;

	for (uint16_t i = 0; i < gw->config.workers; i++)
		outbox_flush(gw, i);
	if (slots_live(gw->outbox.pool) > 0)
		wheel_arm(gw->wheel, timer, gw->time.now_us + OUTBOX_RETRY_US, outbox_retry);
}

static void outbox_keep(struct gateway *gw, uint16_t worker, const struct message_head *head)
{
	struct outbox_list *list = &gw->outbox.of[worker];
	struct outbox_message *e = slots_get(gw->outbox.pool);

	if (e == NULL) {
		counter_add(&gw_counters(gw)->outbox_dropped, 1);
		return;
	}
	memcpy(e->bytes, head, head->len);
	if (list->first == NULL)
		list->first = e;
	else
		list->last->next = e;
	list->last = e;
	counter_add(&gw_counters(gw)->outbox_kept, 1);
	if (!timer_armed(&gw->outbox.retry))
		wheel_arm(gw->wheel, &gw->outbox.retry, gw->time.now_us + OUTBOX_RETRY_US,
			  outbox_retry);
}

/** Who asks for something gives no more to be kept when there is little room for that. */
enum gw_err outbox_try_with(struct gateway *gw, uint16_t worker, const struct message_head *head,
			    uint32_t size, struct span bytes)
{
	if (gw->outbox.of[worker].first != NULL ||
	    slots_live(gw->outbox.pool) > slots_capacity(gw->outbox.pool) / 4 * 3)
		return GW_QUEUE_FULL;
	return gw->env->to_worker(gw->env->context, worker, span_of(head, size), bytes);
}

enum gw_err outbox_try(struct gateway *gw, uint16_t worker, const struct message_head *head)
{
	return outbox_try_with(gw, worker, head, head->len, SPAN(""));
}

static void to_itself(struct gateway *gw, const struct message_head *head)
{
	if (head->kind >= MESSAGE_LEASE_RESERVE && head->kind <= MESSAGE_LEASE_ENDED)
		gateway_lease_message(gw, head);
	else if (head->kind == MESSAGE_BLOCK_WAY)
		gateway_block_way(gw, (const void *)head);
	else if (head->kind >= MESSAGE_REGISTRAR_ASK && head->kind <= MESSAGE_REGISTRAR_ENDED)
		gateway_registrar_message(gw, head, span_of(head, head->len));
	else if (head->kind >= MESSAGE_FORK_BRANCH && head->kind <= MESSAGE_FORK_CANCEL)
		gateway_fork_message(gw, head, span_of(head, head->len));
	else
		gateway_home_message(gw, head);
}

void outbox_send(struct gateway *gw, uint16_t worker, const struct message_head *head)
{
	if (worker == gw->config.worker)
		to_itself(gw, head);
	else if (gw->outbox.of[worker].first != NULL || outbox_ring(gw, worker, head) != GW_OK)
		outbox_keep(gw, worker, head);
}

bool outbox_open(struct gateway *gw)
{
	gw->outbox.of = calloc(gw->config.workers, sizeof(*gw->outbox.of));
	gw->outbox.pool = slots_new(gw->config.worker, 4 * gw->config.max_bindings + 64,
				    sizeof(struct outbox_message), gw->config.epoch);
	return gw->outbox.of != NULL && gw->outbox.pool != NULL;
}

void outbox_close(struct gateway *gw)
{
	slots_free(gw->outbox.pool);
	free(gw->outbox.of);
}
