/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdatomic.h>

#include "pipeline.h"

/*
 * What TLS costs a turn: a step of a handshake takes a hundred times longer than a message, so only
 * some are done in one turn. The others wait in the order in which they came, and whoever is
 * registered is served in between.
 */

static void session_tls_tell(void *to, struct span line)
{
	struct worker *w = to;
	struct message_head head = {MESSAGE_KEY_LOG, (uint32_t)sizeof(head) + line.len};

	if (mailbox_send(w->config.hub, w->config.index, w->config.workers,
			 span_of(&head, sizeof(head)), line) != GW_OK)
		counter_add(&w->counters.event_dropped, 1);
}

/** The context of this worker in part, once; NULL: nothing new. */
static struct tls_context *session_tls_take(struct worker *w, const struct tls_part *part,
					    uint32_t *generation)
{
	struct tls_context *next;

	if (part == NULL || part->part.generation == *generation)
		return NULL;
	*generation = part->part.generation;
	next = atomic_exchange(&part->context[w->config.index], NULL);
	if (next != NULL)
		w->tls->key_log(next, session_tls_tell, w);
	return next;
}

void session_tls_context(struct worker *w)
{
	struct tls_context *next = session_tls_take(w, w->view.tls, &w->tls_generation);

	if (next != NULL) {
		w->tls->tickets(next, &w->view.tickets);
		w->tls->context_free(w->tls_context); /* goes with the last of its connections */
		w->tls_context = next;
	}
	next = session_tls_take(w, w->view.mw_tls, &w->mw_tls_generation);
	if (next != NULL) {
		w->tls->context_free(w->mw_tls_context);
		w->mw_tls_context = next;
	}
}

bool session_tls_step(struct session *s)
{
	struct worker *w = s->worker;

	if (w->tls_steps_left > 0) {
		w->tls_steps_left--;
		return true;
	}
	if (!s->tls_waits) {
		s->tls_waits = true;
		TAILQ_INSERT_TAIL(&w->tls_waiting, s, tls_next);
		counter_add(&w->counters.tls_postponed, 1);
	}
	return false;
}

void session_tls_forget(struct session *s)
{
	if (!s->tls_waits)
		return;
	s->tls_waits = false;
	TAILQ_REMOVE(&s->worker->tls_waiting, s, tls_next);
}

void session_tls_turn(struct worker *w)
{
	struct session *s;

	w->tls_steps_left = worker_settings(w)->tls_steps;
	while (w->tls_steps_left > 0 && (s = TAILQ_FIRST(&w->tls_waiting)) != NULL) {
		session_tls_forget(s);
		session_tls_resume(s);
	}
}

bool session_tls_waiting(const struct worker *w)
{
	return !TAILQ_EMPTY(&w->tls_waiting);
}

void session_tls_failed(struct session *s, enum gw_err err)
{
	struct tls_info info = s->worker->tls->info(s->tls);
	struct span text = span_text(info.failure);
	struct message_event event = {
		.what = EVENT_TLS_FAILED,
		.err = err,
		.handle = s->wic.flow,
		.peer = s->peer,
	};

	text = span_cut(text, 0, sizeof(event.text) - 1);
	memcpy(event.text, text.at, text.len);
	worker_event_with(s->worker, &event, span_text(info.sni));
}
