/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_SIP_CHECK_H
#define FUZZ_SIP_CHECK_H

#include <stdlib.h>

#include "sip/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** What must hold, or the fuzzer has found something. */
#define MUST(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

/** inner lies inside outer; an empty span may be anywhere. */
static inline bool inside(struct span inner, struct span outer)
{
	return inner.len == 0 ||
	       (inner.at >= outer.at && inner.at + inner.len <= outer.at + outer.len);
}

/** Fold, text and tabs: nothing that could end a line for somebody. */
static inline bool is_clean(struct span value)
{
	for (uint32_t i = 0; i < value.len; i++) {
		int next = span_at(value, i + 2);

		if (value.at[i] == '\r' && span_at(value, i + 1) == '\n' &&
		    (next == ' ' || next == '\t'))
			i += 2;
		else if ((value.at[i] < 0x20 && value.at[i] != '\t') || value.at[i] == 0x7f)
			return false;
	}
	return true;
}

/**
 * Another parser, as careless as they come: lines end at CR or LF, a name is what stands before the
 * colon without white space and control bytes behind it. True when it sees a header of that name.
 */
static inline bool careless_parser_sees(struct span head, enum sip_header id)
{
	while (head.len > 0) {
		uint32_t end = 0;
		struct span name;

		while (end < head.len && head.at[end] != '\r' && head.at[end] != '\n')
			end++;
		name = span_cut(head, 0, end);
		name = span_cut(name, 0, span_find(name, ':'));
		while (name.len > 0 &&
		       (name.at[name.len - 1] <= ' ' || name.at[name.len - 1] > '~'))
			name.len--;
		if (sip_header_id(name) == id)
			return true;
		head = span_from(head, end + 1);
	}
	return false;
}

#endif
