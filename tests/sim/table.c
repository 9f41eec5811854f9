/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim.h"

/*
 * A world's tables have room for the worst run, and most runs touch a tenth of it. Their pages come
 * from the kernel, when they are touched and full of zeros: nothing is filled for each of thousands
 * of worlds.
 */

#define ALIGNMENT 16u

static size_t pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

/** Where a table lies in its pages: against their end, so that an access behind it is one to no
 * memory. */
static size_t lead(size_t bytes)
{
	return (pages(bytes) - bytes) / ALIGNMENT * ALIGNMENT;
}

void *table_new(size_t bytes)
{
	size_t all = pages(bytes), guard = pages(1);
	uint8_t *at =
		mmap(NULL, all + guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at + all, guard, PROT_NONE) != 0)
		abort();
	return at + lead(bytes);
}

void table_free(void *table, size_t bytes)
{
	if (munmap((uint8_t *)table - lead(bytes), pages(bytes) + pages(1)) != 0)
		abort();
}
