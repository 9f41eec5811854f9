/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

static void check_line(struct span text, struct sip_line line)
{
	struct span taken = span_cut(text, 0, line.used);

	MUST(line.used <= SIP_LINE_MAX && line.used < text.len);
	MUST(inside(line.name, taken) && sip_is_token(line.name));
	MUST(inside(line.value, taken) && is_clean(line.value));
	MUST(line.id == sip_header_id(line.name));
	MUST(taken.at[taken.len - 2] == '\r' && taken.at[taken.len - 1] == '\n');
	MUST(text.at[line.used] != ' ' && text.at[line.used] != '\t');
	if (line.value.len > 0) {
		MUST(line.value.at[0] > ' ');
		MUST(line.value.at[line.value.len - 1] > ' ');
	}
	/* The byte that tells a fold is needed, and nothing behind it. */
	MUST(sip_lex_line(taken).err == GW_AGAIN);
	MUST(sip_lex_line(span_cut(text, 0, line.used + 1)).used == line.used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, (uint32_t)size);
	struct sip_line line = sip_lex_line(text);

	switch (line.err) {
	case GW_OK:
		check_line(text, line);
		break;
	case GW_AGAIN:
		MUST(text.len <= SIP_LINE_MAX);
		/* More can come: what is there so far was legal, so a shorter cut is, too. */
		MUST(sip_lex_line(span_cut(text, 0, text.len / 2)).err == GW_AGAIN);
		break;
	case GW_SIP_HEADER:
		MUST(line.used < text.len);
		break;
	default:
		MUST(line.err == GW_SIP_HEADER_LONG && text.len > SIP_LINE_MAX);
		break;
	}
	return 0;
}
