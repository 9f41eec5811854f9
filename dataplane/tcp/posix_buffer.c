/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/posix.h"

#include <sys/mman.h>

#define CHUNK_ROOM (POSIX_CHUNK_BYTES - (uint32_t)sizeof(struct posix_chunk))

/* Less than this at the end of a chunk is left unused: a reservation should hold something. */
#define CHUNK_ROOM_MIN 2048u

enum gw_err posix_pool_init(struct posix_pool *pool, uint32_t capacity)
{
	*pool = (struct posix_pool){.capacity = capacity,
				    .bytes = (size_t)capacity * POSIX_CHUNK_BYTES};
	pool->memory = mmap(NULL, pool->bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pool->memory == MAP_FAILED) {
		pool->memory = NULL;
		return GW_NO_MEMORY;
	}
	return GW_OK;
}

void posix_pool_fini(struct posix_pool *pool)
{
	if (pool->memory != NULL)
		munmap(pool->memory, pool->bytes);
}

bool posix_pool_has(const struct posix_pool *pool)
{
	return pool->free != NULL || pool->fresh < pool->capacity;
}

/* Not struct slots: nobody names a chunk, and zeroing 20 KiB would touch every page of it. */
static struct posix_chunk *pool_get(struct posix_pool *pool)
{
	struct posix_chunk *chunk = pool->free;

	if (chunk != NULL)
		pool->free = chunk->next;
	else if (pool->fresh < pool->capacity)
		chunk = (struct posix_chunk *)(void *)(pool->memory +
						       (size_t)pool->fresh++ * POSIX_CHUNK_BYTES);
	else
		return NULL;
	*chunk = (struct posix_chunk){0};
	pool->live++;
	return chunk;
}

static void pool_put(struct posix_pool *pool, struct posix_chunk *chunk)
{
	chunk->next = pool->free;
	pool->free = chunk;
	pool->live--;
}

static void buffer_append(struct posix_buffer *b, struct posix_chunk *chunk)
{
	if (b->last == NULL)
		b->first = chunk;
	else
		b->last->next = chunk;
	b->last = chunk;
}

void *posix_buffer_reserve(struct posix_buffer *b, struct posix_pool *pool, uint32_t max,
			   uint32_t *room)
{
	uint32_t left = b->last == NULL ? 0 : CHUNK_ROOM - b->last->end;

	*room = 0;
	if (max == 0)
		return NULL;
	if (left < CHUNK_ROOM_MIN && left < max) {
		struct posix_chunk *chunk = pool_get(pool);

		if (chunk != NULL)
			buffer_append(b, chunk);
		left = chunk != NULL ? CHUNK_ROOM : left;
	}
	if (left == 0)
		return NULL;
	*room = left < max ? left : max;
	return b->last->bytes + b->last->end;
}

void posix_buffer_commit(struct posix_buffer *b, uint32_t n)
{
	if (b->last == NULL || n > CHUNK_ROOM - b->last->end)
		return;
	b->last->end += n;
	b->bytes += n;
}

void *posix_buffer_peek(const struct posix_buffer *b, uint32_t offset, uint32_t *len)
{
	struct posix_chunk *chunk = b->first;

	while (chunk != NULL && offset >= chunk->end - chunk->at) {
		offset -= chunk->end - chunk->at;
		chunk = chunk->next;
	}
	*len = chunk == NULL ? 0 : chunk->end - chunk->at - offset;
	return chunk == NULL ? NULL : chunk->bytes + chunk->at + offset;
}

static void buffer_drop_first(struct posix_buffer *b, struct posix_pool *pool)
{
	struct posix_chunk *chunk = b->first;

	b->first = chunk->next;
	if (b->first == NULL)
		b->last = NULL;
	pool_put(pool, chunk);
}

void posix_buffer_consume(struct posix_buffer *b, struct posix_pool *pool, uint32_t n)
{
	n = n < b->bytes ? n : b->bytes;
	b->bytes -= n;
	while (n > 0 || (b->first != NULL && b->first->at == b->first->end)) {
		struct posix_chunk *chunk = b->first;
		uint32_t some = chunk->end - chunk->at;

		some = some < n ? some : n;
		chunk->at += some;
		n -= some;
		if (chunk->at == chunk->end)
			buffer_drop_first(b, pool);
	}
}
