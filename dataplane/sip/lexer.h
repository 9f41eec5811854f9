/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIP_LEXER_H
#define SIP_LEXER_H

#include "sip.h"

/** sip_lex_line() without the copy of its result; see lexer.c. On error name, value and id may be
 * unset. */
void sip_lexer_line(struct span text, struct sip_line *line);

/**
 * sip_lexer_line() for framing a stream: a line of any length, and values may hold control bytes
 * other than CR and LF. So a peer of ours that carries one bad message of somebody else does not
 * lose its connection; sip_index() refuses that message alone. What could move the end of a line or
 * hide a name is refused as ever.
 */
void sip_lexer_frame(struct span text, struct sip_line *line);

/** Offset of the first control byte other than HTAB at or after from, or text.len. */
uint32_t sip_lexer_control(struct span text, uint32_t from);

#endif
