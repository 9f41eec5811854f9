/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcpsim.h"

#include <stdlib.h>

/* A binary heap by time of arrival; what comes at the same time comes in the order it was added. */

struct flight *flight_new(uint32_t len)
{
	struct flight *flight = calloc(1, sizeof(*flight) + len);

	if (flight == NULL)
		abort();
	flight->len = len;
	return flight;
}

static bool sooner(const struct flight *a, const struct flight *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void flights_add(struct flights *f, struct flight *flight_owned)
{
	uint32_t i = f->count++;

	if (f->count > f->room) {
		f->room = f->room * 2 + 64;
		f->heap = realloc(f->heap, f->room * sizeof(struct flight *));
		if (f->heap == NULL)
			abort();
	}
	flight_owned->order = f->order++;
	for (; i > 0 && sooner(flight_owned, f->heap[(i - 1) / 2]); i = (i - 1) / 2)
		f->heap[i] = f->heap[(i - 1) / 2];
	f->heap[i] = flight_owned;
}

struct flight *flights_first(const struct flights *f)
{
	return f->count > 0 ? f->heap[0] : NULL;
}

struct flight *flights_take(struct flights *f)
{
	struct flight *first = f->heap[0], *last = f->heap[--f->count];
	uint32_t i = 0;

	for (uint32_t child = 1; child < f->count; child = i * 2 + 1) {
		child += child + 1 < f->count && sooner(f->heap[child + 1], f->heap[child]);
		if (!sooner(f->heap[child], last))
			break;
		f->heap[i] = f->heap[child];
		i = child;
	}
	f->heap[i] = last;
	return first;
}

void flights_free(struct flights *f)
{
	for (uint32_t i = 0; i < f->count; i++)
		free(f->heap[i]);
	free(f->heap);
	*f = (struct flights){0};
}
