/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PARSE_H
#define PARSE_H

#include "script.h"

/* Inside of the parser. */

/** Says file:line: what: word. Returns false. */
bool parse_fail(struct script *script, const struct line *at, const char *what, const char *word);
/** The words of a segment's line, its options taken off. */
bool parse_segment(struct script *script, struct line *line);
/** "a,b c,d>": what stands behind the '<'. */
bool parse_options(char *text, uint32_t turn, struct segment *segment);
/** Words between blanks, at most max; how many there are (max + 1: more). text is changed. */
uint32_t parse_split(char *text, char **word, uint32_t max);

#endif
