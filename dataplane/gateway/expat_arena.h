/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXPAT_ARENA_H
#define EXPAT_ARENA_H

#include <expat.h>
#include <stdint.h>

/**
 * What expat may use for one document: memory that is there from the start and is taken back as a
 * whole. So a document costs a worker no more than that, whatever is in it.
 */
struct expat_arena {
	uint8_t *memory;
	uint32_t size, used;
};

/**
 * A parser of documents with namespaces, names as "URI NAME", in the arena, which is empty first.
 * Only one arena of a thread is in use, from here to expat_arena_close(). salt: random, of expat's
 * tables, so that nobody can make them slow. NULL: no room.
 */
XML_Parser expat_arena_open(struct expat_arena *arena, uint64_t salt);

/** The parser and all that it has given out are gone. parser: may be NULL. */
void expat_arena_close(struct expat_arena *arena, XML_Parser parser);

#endif
