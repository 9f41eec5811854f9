/* SPDX-License-Identifier: BSD-3-Clause */
#include "expat_arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define ALIGNMENT 16u

/** Before every block: how long it is. */
struct block {
	_Alignas(ALIGNMENT) uint32_t len;
};

/* expat's functions for memory get no word of ours: this says in whose arena a thread is just now
 */
static _Thread_local struct expat_arena *in_use;

static uint32_t rounded(size_t size)
{
	return (uint32_t)(size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

static void *arena_get(size_t size)
{
	struct expat_arena *a = in_use;
	struct block *b;

	if (size > a->size || rounded(size) + sizeof(*b) > a->size - a->used)
		return NULL;
	b = (struct block *)(a->memory + a->used);
	b->len = rounded(size);
	a->used += (uint32_t)sizeof(*b) + b->len;
	return b + 1;
}

/** True for the block given out last. */
static bool is_last(const struct block *b)
{
	return (const uint8_t *)(b + 1) + b->len == in_use->memory + in_use->used;
}

/** Only the last one is worth having back: all the others are, with the document. */
static void arena_put(void *at)
{
	const struct block *b;

	if (at == NULL)
		return;
	b = (const struct block *)at - 1;
	if (is_last(b))
		in_use->used -= (uint32_t)sizeof(*b) + b->len;
}

static void *arena_resize(void *at, size_t size)
{
	struct block *b;
	void *moved;

	if (at == NULL)
		return arena_get(size);
	b = (struct block *)at - 1;
	if (size <= b->len)
		return at;
	if (is_last(b) && size <= in_use->size &&
	    rounded(size) - b->len <= in_use->size - in_use->used) {
		in_use->used += rounded(size) - b->len;
		b->len = rounded(size);
		return at;
	}
	moved = arena_get(size);
	if (moved != NULL)
		memcpy(moved, at, b->len);
	return moved;
}

XML_Parser expat_arena_open(struct expat_arena *arena, uint64_t salt)
{
	static const XML_Memory_Handling_Suite memory = {arena_get, arena_resize, arena_put};
	XML_Parser parser;

	arena->used = 0;
	in_use = arena;
	parser = XML_ParserCreate_MM(NULL, &memory, " ");
	/* 0 would make expat ask the system for some */
	if (parser != NULL && XML_SetHashSalt(parser, (unsigned long)salt | 1) == 0)
		return NULL;
	return parser;
}

void expat_arena_close(struct expat_arena *arena, XML_Parser parser)
{
	if (parser != NULL)
		XML_ParserFree(parser);
	in_use = NULL;
	arena->used = 0;
}
