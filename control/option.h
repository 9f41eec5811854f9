/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OPTION_H
#define OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * The one table of settings. Reading, checking, comparing at a reload and the documentation go
 * along it; a new setting is a new row and a field of struct config (control/config.h).
 */
enum option_type {
	OPTION_MAP,	/* a mapping; its keys are fields of the same struct */
	OPTION_LIST,	/* a list of mappings: struct option_list of elements of row->size bytes */
	OPTION_TEXT,	/* struct option_text */
	OPTION_TEXTS,	/* a list of texts: struct option_list of struct option_text */
	OPTION_NUMBER,	/* struct option_number */
	OPTION_NUMBERS, /* a list of numbers: struct option_list of struct option_number */
	OPTION_BOOL,	/* struct option_number, 0 or 1 */
	OPTION_CHOICE,	/* struct option_number, index in choices */
};

/** When a changed value counts. */
enum option_when {
	OPTION_RELOAD,
	OPTION_RESTART,
	OPTION_LATER, /* known, but only its default is accepted in this version */
};

/** Values as they are kept: with the line they stand on, for what is checked later. */
struct option_text {
	const char *text; /* never NULL once read */
	uint32_t line;
};
struct option_number {
	uint64_t value;
	uint32_t line;
};
struct option_list {
	void *at;
	uint32_t count;
	uint32_t line;
};

struct option {
	const char *path; /* "mw.sip_port"; "[]" stands for an element of a list */
	enum option_type type;
	const char *unit;   /* of numbers; "" when it has none */
	const char *preset; /* default, as YAML; NULL: must be given, and lists must not be empty */
	uint64_t min, max;  /* numbers: the value; texts: bytes of each; other lists: elements */
	const char *choices; /* OPTION_CHOICE: words separated by '|', else NULL */
	uint32_t built;	     /* OPTION_CHOICE: so many of the words are in this version */
	enum option_when when;
	size_t at;   /* offset of the value in its struct */
	size_t size; /* OPTION_LIST: bytes of an element */
	const char *help;
};

/** Row i, or NULL past the end. */
const struct option *option_at(uint32_t i);

/** The last part of the path: "sip_port". */
const char *option_leaf(const struct option *option);

/** True when option lies directly in parent, "" being the top, "mw" a mapping, "ports[]" a list's
 * element. */
bool option_in(const struct option *option, const char *parent);

/** Bytes of one element of a list type. */
size_t option_element_size(const struct option *option);

/** Writes word i of choices to out, of out_size bytes. False past the last one. */
bool option_choice(const struct option *option, uint32_t i, char *out, size_t out_size);

/** Prints the table as Markdown: docs/configuration.md. */
void option_print_markdown(FILE *out);

#endif
