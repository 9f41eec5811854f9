/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DESTINATIONS_H
#define DESTINATIONS_H

#include "arena.h"
#include "expressions.h"
#include "option.h"

/** Expressions among the rules of one web site, or of the operator. */
enum { DESTINATION_EXPRESSIONS_MAX = 256 };

/** One list of rules: as it is written, and what is made of it. */
struct config_destinations {
	struct option_list texts;     /* struct option_text */
	struct destination_list made; /* in the configuration's arena; expression: see below */
	struct expressions *compiled; /* held; NULL: it has no expressions */
	uint32_t expressions;
};

/** Where the rules of a list are from. Lent. */
struct destinations_from {
	const char *setting; /* "wwsf[].destinations.deny" */
	const char *file;
	uint16_t workers;
	const struct config_destinations *before; /* may be NULL */
	const atomic_bool *stop;
	struct arena *arena;
};

/**
 * Makes list->made of list->texts: "tel:PREFIX", "sip:*@HOST", "sip:USER@HOST" and "re:EXPRESSION",
 * and compiles the expressions. Adds a problem, with its line, for each text that is none of them.
 */
void destinations_read(struct config_destinations *list, const struct destinations_from *from,
		       struct problems *problems);

/** Copies what was made of list; it lives in arena, and as long as the list's expressions. */
struct destination_list destinations_copy(const struct config_destinations *list,
					  struct arena *arena);

#endif
