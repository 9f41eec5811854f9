/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

/*
 * What waits to go out on a connection with the core: messages one behind the other in buffers of
 * link_buffers. A core that pauses for a moment must not cost requests, so there may be many of
 * them; they go back as they empty.
 */

void mw_buffer_put(struct worker *w, uint8_t **buffer)
{
	if (*buffer != NULL && !slots_put(w->link_buffers, *buffer))
		counter_add(&w->counters.invariant_broken, 1);
	*buffer = NULL;
}

static uint32_t chunk_size(const struct worker *w)
{
	return w->large_size - (uint32_t)sizeof(struct mw_chunk);
}

/** Takes the first chunk off chunks, back to its pool. */
static void chunk_put(struct worker *w, struct mw_chunks *chunks)
{
	uint8_t *buffer = (uint8_t *)TAILQ_FIRST(chunks);

	TAILQ_REMOVE(chunks, TAILQ_FIRST(chunks), next);
	mw_buffer_put(w, &buffer);
}

/** Chunks for n bytes more than the last one of out has room for. False: there are not as many. */
static bool chunks_get(struct mw_link *link, uint32_t n, struct mw_chunks *made)
{
	struct worker *w = link->worker;
	const struct mw_chunk *last = TAILQ_LAST(&link->out, mw_chunks);
	uint32_t room = last != NULL ? chunk_size(w) - last->len : 0;

	TAILQ_INIT(made);
	for (; room < n; room += chunk_size(w)) {
		struct mw_chunk *chunk = slots_get_unzeroed(w->link_buffers);

		if (chunk == NULL) {
			while (!TAILQ_EMPTY(made))
				chunk_put(w, made);
			return false;
		}
		chunk->at = chunk->len = 0;
		TAILQ_INSERT_TAIL(made, chunk, next);
	}
	return true;
}

static void chunk_fill(const struct worker *w, struct mw_chunk *chunk, struct span *bytes)
{
	struct span part = span_cut(*bytes, 0, chunk_size(w) - chunk->len);

	if (part.len == 0)
		return;
	memcpy(chunk->bytes + chunk->len, part.at, part.len);
	chunk->len += part.len;
	(void)span_skip(bytes, part.len);
}

enum gw_err mw_output_put(struct mw_link *link, struct span bytes)
{
	struct worker *w = link->worker;
	struct mw_chunks made;
	struct mw_chunk *chunk = TAILQ_LAST(&link->out, mw_chunks);

	if (link->out_len + bytes.len > worker_settings(w)->mw_output)
		return GW_QUEUE_FULL;
	if (!chunks_get(link, bytes.len, &made))
		return GW_POOL_EMPTY;
	link->out_len += bytes.len;
	if (chunk != NULL)
		chunk_fill(w, chunk, &bytes);
	TAILQ_FOREACH(chunk, &made, next)
	chunk_fill(w, chunk, &bytes);
	TAILQ_CONCAT(&link->out, &made, next);
	return GW_OK;
}

void mw_output_flush(struct mw_link *link)
{
	struct mw_chunk *chunk;

	while ((chunk = TAILQ_FIRST(&link->out)) != NULL) {
		struct tls_result sent =
			link->layer->seal(link->tls, span_of(chunk->bytes + chunk->at,
							     chunk->len - chunk->at));

		chunk->at += sent.n;
		link->out_len -= sent.n;
		if (chunk->at < chunk->len)
			return; /* no room, or the link is at its end, which it hears of itself */
		chunk_put(link->worker, &link->out);
	}
}

void mw_output_drop(struct mw_link *link)
{
	while (!TAILQ_EMPTY(&link->out))
		chunk_put(link->worker, &link->out);
	link->out_len = 0;
}
