/* SPDX-License-Identifier: BSD-3-Clause */
#include "arena.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_CHUNK = 16384, ARENA_ALIGN = 16 };

struct chunk {
	struct chunk *next;
	size_t size; /* bytes of memory */
	size_t used;
	_Alignas(16) uint8_t memory[];
};

struct arena {
	struct chunk *chunk;
};

static void *arena_system(size_t bytes)
{
	void *memory = calloc(1, bytes);

	if (memory == NULL) {
		fputs("level=error event=out_of_memory\n", stderr);
		abort();
	}
	return memory;
}

struct arena *arena_new(void)
{
	return arena_system(sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	struct chunk *next;

	if (arena == NULL)
		return;
	for (struct chunk *c = arena->chunk; c != NULL; c = next) {
		next = c->next;
		OPENSSL_cleanse(c->memory, c->used);
		free(c);
	}
	free(arena);
}

static struct chunk *arena_grow(struct arena *arena, size_t bytes)
{
	size_t size = bytes > ARENA_CHUNK ? bytes : ARENA_CHUNK;
	struct chunk *c = arena_system(sizeof(*c) + size);

	c->size = size;
	c->next = arena->chunk;
	arena->chunk = c;
	return c;
}

void *arena_get(struct arena *arena, size_t bytes)
{
	struct chunk *c = arena->chunk;
	void *memory;

	bytes = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (c == NULL || bytes > c->size - c->used)
		c = arena_grow(arena, bytes);
	memory = c->memory + c->used;
	c->used += bytes;
	return memory;
}

char *arena_text(struct arena *arena, const void *text, size_t len)
{
	char *copy = arena_get(arena, len + 1);

	if (len > 0)
		memcpy(copy, text, len);
	return copy;
}

struct span arena_span(struct arena *arena, const char *text)
{
	size_t len = strlen(text);

	return span_of(arena_text(arena, text, len), (uint32_t)len);
}
