/* SPDX-License-Identifier: BSD-3-Clause */
#include "line.h"

#include <inttypes.h>
#include <stdlib.h>

bool line_init(struct line *line, const struct model_config *config, uint64_t seed,
	       uint32_t direction)
{
	*line = (struct line){.heap = calloc(LINE_HELD_MAX, sizeof(struct held))};
	model_init(&line->model, config, seed, direction);
	return line->heap != NULL;
}

void line_fini(struct line *line)
{
	for (uint32_t i = 0; i < line->held; i++)
		free(line->heap[i].bytes);
	free(line->heap);
	*line = (struct line){0};
}

/* ---- a binary heap -----------------------------------------------------------------------------
 */

static bool is_before(const struct held *a, const struct held *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->number < b->number;
}

static void push(struct line *line, struct held held)
{
	uint32_t at = line->held++;

	for (; at > 0 && is_before(&held, &line->heap[(at - 1) / 2]); at = (at - 1) / 2)
		line->heap[at] = line->heap[(at - 1) / 2];
	line->heap[at] = held;
}

static struct held pop(struct line *line)
{
	struct held first = line->heap[0], last = line->heap[--line->held];
	uint32_t at = 0, child;

	while ((child = 2 * at + 1) < line->held) {
		if (child + 1 < line->held && is_before(&line->heap[child + 1], &line->heap[child]))
			child++;
		if (is_before(&last, &line->heap[child]))
			break;
		line->heap[at] = line->heap[child];
		at = child;
	}
	line->heap[at] = last;
	return first;
}

/* ---- frames ------------------------------------------------------------------------------------
 */

/** False: no room on the wire. */
static bool hold(struct line *line, const struct frame *frame, const struct model_verdict *v)
{
	struct held held = {.due_us = v->due_us, .number = line->number, .len = frame->len};

	if (line->held == LINE_HELD_MAX || (held.bytes = malloc(frame->len)) == NULL)
		return false;
	memcpy(held.bytes, frame->bytes, frame->len);
	line->number++;
	push(line, held);
	return true;
}

enum model_fate line_put(struct line *line, struct frame *frame, uint64_t now_us)
{
	struct line_counters *n = &line->counters;
	struct model_verdict v =
		model_frame(&line->model, frame->len, frame_packet_len(frame), now_us);

	n->in++;
	if (v.fate == MODEL_PASSED && v.corrupted)
		frame_flip(frame, v.bit);
	if (v.fate == MODEL_PASSED && !hold(line, frame, &v))
		v.fate = MODEL_QUEUE_FULL;
	n->fates[v.fate]++;
	if (v.fate != MODEL_PASSED)
		return v.fate;
	n->reordered += v.reordered;
	n->corrupted += v.corrupted;
	n->duplicated += v.twice && hold(line, frame, &v);
	return v.fate;
}

bool line_take(struct line *line, uint64_t now_us, struct frame *frame)
{
	struct held held;

	if (line_next_us(line) > now_us)
		return false;
	held = pop(line);
	frame->len = held.len;
	memcpy(frame->bytes, held.bytes, held.len);
	free(held.bytes);
	return true;
}

uint64_t line_next_us(const struct line *line)
{
	return line->held > 0 ? line->heap[0].due_us : UINT64_MAX;
}

void line_print(const struct line *line, FILE *to)
{
	const struct line_counters *n = &line->counters;
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"in", n->in},
		{"out", n->out},
		{"lost", n->fates[MODEL_LOST]},
		{"dropped", n->fates[MODEL_DROPPED]},
		{"too_big", n->fates[MODEL_TOO_BIG]},
		{"queue_full", n->fates[MODEL_QUEUE_FULL]},
		{"duplicated", n->duplicated},
		{"reordered", n->reordered},
		{"corrupted", n->corrupted},
		{"answered", n->answered},
		{"foreign", n->foreign},
		{"refused", n->refused},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(to, "%s\"%s\": %" PRIu64, i == 0 ? "{" : ", ", rows[i].name, rows[i].value);
	fprintf(to, "}");
}
