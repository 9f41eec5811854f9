/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/core.h"

#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define SLOTS_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOTS_POISON 1
#endif
#endif

#ifdef SLOTS_POISON
#include <sanitizer/asan_interface.h>
#define POISON(at, n) ASAN_POISON_MEMORY_REGION(at, n)
#define UNPOISON(at, n) ASAN_UNPOISON_MEMORY_REGION(at, n)
#else
#define POISON(at, n) ((void)0)
#define UNPOISON(at, n) ((void)0)
#endif

#define SLOT_OUT UINT32_MAX	   /* slot.next of an object that is out */
#define SLOT_END (UINT32_MAX - 1u) /* slot.next of the last free one */
#define CACHE_LINE 64u		   /* what an object of this size or more starts on */
#define SMALL_ALIGN 16u

/* What the pool knows of an object, apart from it: a walk does not touch the objects. */
struct slot {
	uint32_t generation; /* of the last time it was given out */
	uint32_t next;	     /* free list, SLOT_OUT or SLOT_END */
};

struct slots {
	uint8_t *objects;
	struct slot *slot;
	size_t bytes;  /* of objects */
	uint32_t size; /* of one, as asked for */
	uint32_t stride;
	uint32_t capacity;
	uint32_t fresh; /* slots from here on were never given out: their memory is untouched */
	uint32_t free;	/* most recently used first: it is still in the cache */
	uint32_t live;
	uint32_t epoch;
	uint16_t worker;
};

struct slots *slots_new(uint16_t worker, uint32_t capacity, uint32_t size, uint32_t epoch)
{
	struct slots *s;
	uint32_t align = size < CACHE_LINE ? SMALL_ALIGN : CACHE_LINE;
	uint64_t stride = ((uint64_t)size + align - 1) / align * align;

	if (capacity == 0 || capacity >= SLOT_END || size == 0 || stride > UINT32_MAX)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->slot = calloc(capacity, sizeof(*s->slot));
	if (s->slot == NULL)
		goto free_slots;
	s->bytes = (size_t)stride * capacity;
	s->objects = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->objects == MAP_FAILED)
		goto free_slot;
	POISON(s->objects, s->bytes);
	s->worker = worker;
	s->capacity = capacity;
	s->size = size;
	s->stride = (uint32_t)stride;
	s->free = SLOT_END;
	s->epoch = epoch;
	return s;

free_slot:
	free(s->slot);
free_slots:
	free(s);
	return NULL;
}

void slots_free(struct slots *slots)
{
	if (slots == NULL)
		return;
	UNPOISON(slots->objects, slots->bytes);
	munmap(slots->objects, slots->bytes);
	free(slots->slot);
	free(slots);
}

static void *slots_object(const struct slots *slots, uint32_t index)
{
	return slots->objects + (size_t)index * slots->stride;
}

/* The slot of an object that is out; capacity when it is none of ours, or not out. */
static uint32_t slots_index(const struct slots *slots, const void *object)
{
	uintptr_t offset = (uintptr_t)object - (uintptr_t)slots->objects;
	uint32_t index;

	if (offset >= slots->bytes || offset % slots->stride != 0)
		return slots->capacity;
	index = (uint32_t)(offset / slots->stride);
	if (index >= slots->fresh || slots->slot[index].next != SLOT_OUT)
		return slots->capacity;
	return index;
}

void *slots_get_unzeroed(struct slots *slots)
{
	uint32_t index = slots->free;
	struct slot *slot;
	void *object;

	if (index == SLOT_END) {
		if (slots->fresh == slots->capacity)
			return NULL;
		index = slots->fresh++;
		slot = &slots->slot[index];
		slot->generation = slots->epoch;
		object = slots_object(slots, index);
		UNPOISON(object, slots->size);
	} else {
		slot = &slots->slot[index];
		slots->free = slot->next;
		object = slots_object(slots, index);
		UNPOISON(object, slots->size);
	}
	if (++slot->generation == 0)
		slot->generation = 1; /* 0 is the handle of nothing */
	slot->next = SLOT_OUT;
	slots->live++;
	return object;
}

void *slots_get(struct slots *slots)
{
	void *object = slots_get_unzeroed(slots);

	if (object != NULL)
		memset(object, 0, slots->size);
	return object;
}

bool slots_put(struct slots *slots, void *object)
{
	uint32_t index = slots_index(slots, object);

	if (index == slots->capacity)
		return false;
	POISON(object, slots->size);
	slots->slot[index].next = slots->free;
	slots->free = index;
	slots->live--;
	return true;
}

void *slots_at(const struct slots *slots, struct handle h)
{
	const struct slot *slot;

	if (h.worker != slots->worker || h.slot >= slots->fresh)
		return NULL;
	slot = &slots->slot[h.slot];
	if (slot->next != SLOT_OUT || slot->generation != h.generation)
		return NULL;
	return slots_object(slots, h.slot);
}

void *slots_slot(const struct slots *slots, uint32_t slot)
{
	return slots_object(slots, slot);
}

struct handle slots_handle(const struct slots *slots, const void *object)
{
	uint32_t index = slots_index(slots, object);

	if (index == slots->capacity)
		return handle_none();
	return (struct handle){.worker = slots->worker,
			       .slot = index,
			       .generation = slots->slot[index].generation};
}

uint32_t slots_live(const struct slots *slots)
{
	return slots->live;
}

uint32_t slots_capacity(const struct slots *slots)
{
	return slots->capacity;
}

void *slots_next(const struct slots *slots, uint32_t *cursor)
{
	while (*cursor < slots->fresh) {
		uint32_t index = (*cursor)++;

		if (slots->slot[index].next == SLOT_OUT)
			return slots_object(slots, index);
	}
	return NULL;
}
