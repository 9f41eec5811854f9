/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JSON_LEXER_H
#define JSON_LEXER_H

#include "json.h"

/**
 * What JSON texts are made of: each function takes its piece off the front of in. False, in
 * anywhere: not such a piece.
 */

static inline bool json_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/** What of in lies before rest, which is a later part of it. */
static inline struct span json_taken(struct span in, struct span rest)
{
	return span_cut(in, 0, in.len - rest.len);
}

static inline void json_space_skip(struct span *in)
{
	int c;

	while ((c = span_at(*in, 0)) == ' ' || c == '\t' || c == '\n' || c == '\r')
		(void)span_skip(in, 1);
}

/** Takes the byte c, white space before it skipped. */
static inline bool json_mark_take(struct span *in, int c)
{
	json_space_skip(in);
	return span_at(*in, 0) == c && span_skip(in, 1);
}

/** Takes a string with its quotes; text is what is between them, escapes kept. */
bool json_string_take(struct span *in, struct span *text);

/** Takes a number that is finite to every reader. */
bool json_number_take(struct span *in);

#endif
