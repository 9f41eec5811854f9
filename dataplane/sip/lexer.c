/* SPDX-License-Identifier: BSD-3-Clause */
#include <emmintrin.h>

#include "sip/lexer.h"
#include "sip/text.h"

/* A perfect hash of the names in SIP_HEADER_LIST: length, first, middle and last letter. Two names
 * in one slot would not compile (-Woverride-init), a name in the wrong slot fails its unit test. */
#define SLOT(len, first, middle, last) (((len)*10 + (first)*21 + (middle)*3 + (last)) & 0xff)

static const uint8_t header_slots[256] = {
	[SLOT(3, 'v', 'i', 'a')] = SIP_HEADER_VIA,
	[SLOT(4, 'f', 'o', 'm')] = SIP_HEADER_FROM,
	[SLOT(2, 't', 'o', 'o')] = SIP_HEADER_TO,
	[SLOT(7, 'c', 'l', 'd')] = SIP_HEADER_CALL_ID,
	[SLOT(4, 'c', 'e', 'q')] = SIP_HEADER_CSEQ,
	[SLOT(7, 'c', 't', 't')] = SIP_HEADER_CONTACT,
	[SLOT(12, 'm', 'r', 's')] = SIP_HEADER_MAX_FORWARDS,
	[SLOT(5, 'r', 'u', 'e')] = SIP_HEADER_ROUTE,
	[SLOT(12, 'r', '-', 'e')] = SIP_HEADER_RECORD_ROUTE,
	[SLOT(4, 'p', 't', 'h')] = SIP_HEADER_PATH,
	[SLOT(13, 's', 'e', 'e')] = SIP_HEADER_SERVICE_ROUTE,
	[SLOT(7, 'e', 'i', 's')] = SIP_HEADER_EXPIRES,
	[SLOT(11, 'm', 'x', 's')] = SIP_HEADER_MIN_EXPIRES,
	[SLOT(14, 'c', '-', 'h')] = SIP_HEADER_CONTENT_LENGTH,
	[SLOT(12, 'c', 't', 'e')] = SIP_HEADER_CONTENT_TYPE,
	[SLOT(13, 'a', 'i', 'n')] = SIP_HEADER_AUTHORIZATION,
	[SLOT(19, 'p', 'h', 'n')] = SIP_HEADER_PROXY_AUTHORIZATION,
	[SLOT(16, 'w', 'e', 'e')] = SIP_HEADER_WWW_AUTHENTICATE,
	[SLOT(18, 'p', 'h', 'e')] = SIP_HEADER_PROXY_AUTHENTICATE,
	[SLOT(19, 'a', 'a', 'o')] = SIP_HEADER_AUTHENTICATION_INFO,
	[SLOT(7, 'r', 'u', 'e')] = SIP_HEADER_REQUIRE,
	[SLOT(13, 'p', 'r', 'e')] = SIP_HEADER_PROXY_REQUIRE,
	[SLOT(9, 's', 'o', 'd')] = SIP_HEADER_SUPPORTED,
	[SLOT(11, 'u', 'p', 'd')] = SIP_HEADER_UNSUPPORTED,
	[SLOT(11, 'r', '-', 'r')] = SIP_HEADER_RETRY_AFTER,
	[SLOT(10, 'f', 't', 'r')] = SIP_HEADER_FLOW_TIMER,
	[SLOT(5, 'e', 'e', 't')] = SIP_HEADER_EVENT,
	[SLOT(7, 'p', 'v', 'y')] = SIP_HEADER_PRIVACY,
	[SLOT(8, 'p', 'r', 'y')] = SIP_HEADER_PRIORITY,
	[SLOT(6, 'r', 's', 'n')] = SIP_HEADER_REASON,
	[SLOT(12, 'h', 'y', 'o')] = SIP_HEADER_HISTORY_INFO,
	[SLOT(17, 'r', '-', 'y')] = SIP_HEADER_RESOURCE_PRIORITY,
	[SLOT(15, 's', 'y', 't')] = SIP_HEADER_SECURITY_CLIENT,
	[SLOT(15, 's', 'y', 'r')] = SIP_HEADER_SECURITY_SERVER,
	[SLOT(15, 's', 'y', 'y')] = SIP_HEADER_SECURITY_VERIFY,
	[SLOT(19, 'p', 'd', 'y')] = SIP_HEADER_P_ASSERTED_IDENTITY,
	[SLOT(20, 'p', 'd', 'y')] = SIP_HEADER_P_PREFERRED_IDENTITY,
	[SLOT(18, 'p', 'd', 'e')] = SIP_HEADER_P_ASSERTED_SERVICE,
	[SLOT(16, 'p', 'a', 'i')] = SIP_HEADER_P_ASSOCIATED_URI,
	[SLOT(17, 'p', '-', 'd')] = SIP_HEADER_P_CALLED_PARTY_ID,
	[SLOT(17, 'p', 'n', 'r')] = SIP_HEADER_P_CHARGING_VECTOR,
	[SLOT(29, 'p', 'c', 's')] = SIP_HEADER_P_CHARGING_FUNCTION_ADDRESSES,
	[SLOT(20, 'p', 'n', 'd')] = SIP_HEADER_P_VISITED_NETWORK_ID,
	[SLOT(21, 'p', 'e', 'o')] = SIP_HEADER_P_ACCESS_NETWORK_INFO,
	[SLOT(13, 'p', 'e', 'r')] = SIP_HEADER_P_SERVED_USER,
	[SLOT(13, 'p', 'i', 'y')] = SIP_HEADER_P_PROFILE_KEY,
	[SLOT(15, 'p', 'd', 'e')] = SIP_HEADER_P_USER_DATABASE,
	[SLOT(28, 'p', 'o', 'n')] = SIP_HEADER_P_PRIVATE_NETWORK_INDICATION,
	[SLOT(12, 'f', 'e', 's')] = SIP_HEADER_FEATURE_CAPS,
	[SLOT(16, 'r', 'i', 'o')] = SIP_HEADER_RESTORATION_INFO,
	[SLOT(14, 'r', '-', 'e')] = SIP_HEADER_RELAYED_CHARGE,
	[SLOT(21, 's', 't', 'o')] = SIP_HEADER_SERVICE_INTERACT_INFO,
	[SLOT(21, 'c', 'e', 'o')] = SIP_HEADER_CELLULAR_NETWORK_INFO,
	[SLOT(15, 'r', 'e', 'e')] = SIP_HEADER_RESPONSE_SOURCE,
	[SLOT(16, 'a', 'i', 'o')] = SIP_HEADER_ATTESTATION_INFO,
	[SLOT(14, 'o', 't', 'd')] = SIP_HEADER_ORIGINATION_ID,
	[SLOT(19, 'a', 'l', 'y')] = SIP_HEADER_ADDITIONAL_IDENTITY,
};

static const uint8_t compact_forms[26] = {
	['v' - 'a'] = SIP_HEADER_VIA,	       ['f' - 'a'] = SIP_HEADER_FROM,
	['t' - 'a'] = SIP_HEADER_TO,	       ['i' - 'a'] = SIP_HEADER_CALL_ID,
	['m' - 'a'] = SIP_HEADER_CONTACT,      ['l' - 'a'] = SIP_HEADER_CONTENT_LENGTH,
	['c' - 'a'] = SIP_HEADER_CONTENT_TYPE, ['k' - 'a'] = SIP_HEADER_SUPPORTED,
	['o' - 'a'] = SIP_HEADER_EVENT,
};

#define SIP_HEADER_NAME(id, name, compact) [SIP_HEADER_##id] = SPAN_INIT(name),
#define SPAN_INIT(literal) \
	{ \
		(const uint8_t *)("" literal), sizeof(literal) - 1 \
	}
static const struct span header_names[SIP_HEADER_COUNT] = {[SIP_HEADER_OTHER] = SPAN_INIT(""),
							   SIP_HEADER_LIST(SIP_HEADER_NAME)};
#undef SIP_HEADER_NAME

#define METHOD(name) [SIP_##name] = SPAN_INIT(#name)
static const struct span method_names[] = {METHOD(REGISTER), METHOD(INVITE),	METHOD(ACK),
					   METHOD(BYE),	     METHOD(CANCEL),	METHOD(OPTIONS),
					   METHOD(MESSAGE),  METHOD(SUBSCRIBE), METHOD(NOTIFY),
					   METHOD(PUBLISH),  METHOD(REFER),	METHOD(INFO),
					   METHOD(UPDATE),   METHOD(PRACK)};
#undef METHOD

static enum sip_header compact_id(uint8_t c)
{
	uint8_t index = (uint8_t)(ascii_lower(c) - 'a');

	return index < sizeof(compact_forms) ? compact_forms[index] : SIP_HEADER_OTHER;
}

static inline uint64_t load8(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* Bits in which 8 bytes at a differ from 8 bytes of a name, letters compared without case: bit 0x20
 * does not count where the name has bit 0x40, which '-' has not. */
static inline uint64_t differ8(const uint8_t *at, const uint8_t *name)
{
	uint64_t word = load8(name);

	return (load8(at) ^ word) & ~((word & 0x4040404040404040u) >> 1);
}

/* span_equal_nocase() for names of letters and '-': 8 bytes at a time, the last ones twice. */
static bool is_name(struct span text, struct span name)
{
	uint64_t differ = 0;
	uint32_t i;

	if (text.len != name.len || name.len < 8)
		return span_equal_nocase(text, name);
	for (i = 0; i + 8 <= name.len; i += 8)
		differ |= differ8(text.at + i, name.at + i);
	return (differ | differ8(text.at + name.len - 8, name.at + name.len - 8)) == 0;
}

enum sip_header sip_header_id(struct span name)
{
	uint32_t slot;
	enum sip_header id;

	if (name.len < 2)
		return name.len == 0 ? SIP_HEADER_OTHER : compact_id(name.at[0]);
	slot = SLOT(name.len, ascii_lower(name.at[0]), ascii_lower(name.at[name.len / 2]),
		    ascii_lower(name.at[name.len - 1]));
	id = header_slots[slot];
	return is_name(name, header_names[id]) ? id : SIP_HEADER_OTHER;
}

const char *sip_header_name(enum sip_header id)
{
	return id < SIP_HEADER_COUNT ? (const char *)header_names[id].at : "";
}

enum sip_method sip_method_id(struct span name)
{
	for (enum sip_method id = SIP_REGISTER; id <= SIP_PRACK; id++)
		if (span_equal(name, method_names[id]))
			return id;
	return SIP_METHOD_OTHER;
}

static bool is_control(uint8_t c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

uint32_t sip_lexer_control(struct span text, uint32_t from)
{
	const __m128i last_control = _mm_set1_epi8(0x1f), del = _mm_set1_epi8(0x7f),
		      tab = _mm_set1_epi8('\t');

	for (; text.len - from >= sizeof(__m128i); from += (uint32_t)sizeof(__m128i)) {
		__m128i bytes = _mm_loadu_si128((const __m128i_u *)(text.at + from));
		__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
		__m128i hit = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), low),
					   _mm_cmpeq_epi8(bytes, del));
		int mask = _mm_movemask_epi8(hit);

		if (mask != 0)
			return from + (uint32_t)__builtin_ctz((unsigned int)mask);
	}
	while (from < text.len && !is_control(text.at[from]))
		from++;
	return from;
}

static inline uint32_t skip_blanks(struct span text, uint32_t from)
{
	while (span_at(text, from) == ' ' || span_at(text, from) == '\t')
		from++;
	return from;
}

/* What may stand in a value besides text. */
enum controls { CONTROLS_REFUSED, CONTROLS_CARRIED };

/* Offset of the byte at which the text that starts at from stops: a CR, or one that is refused. */
static uint32_t text_end(struct span text, uint32_t from, enum controls controls)
{
	uint32_t at = sip_lexer_control(text, from);

	while (controls == CONTROLS_CARRIED && span_at(text, at) >= 0 && text.at[at] != '\r' &&
	       text.at[at] != '\n')
		at = sip_lexer_control(text, at + 1);
	return at;
}

enum line_end { LINE_ENDS, LINE_FOLDS, LINE_UNFINISHED, LINE_BROKEN };

/* Reads the CRLF that ought to be at offset *at, and looks at what follows. Moves *at behind it, or
 * behind the white space of a fold. */
static enum line_end line_end(struct span text, uint32_t *at)
{
	int cr = span_at(text, *at), lf = span_at(text, *at + 1);
	uint32_t next = *at + 2, after;

	if (cr < 0 || (cr == '\r' && lf < 0))
		return LINE_UNFINISHED;
	if (cr != '\r' || lf != '\n')
		return LINE_BROKEN;
	after = skip_blanks(text, next);
	if (span_at(text, after) < 0)
		return LINE_UNFINISHED;
	/* A continuation line of white space alone: some parsers end the headers there. */
	if (after > next && text.at[after] == '\r')
		return LINE_BROKEN;
	*at = after;
	return after > next ? LINE_FOLDS : LINE_ENDS;
}

/* Reads the value that starts at from. line->used is the next line, or the offending byte. */
static enum gw_err read_value(struct span text, uint32_t from, enum controls controls,
			      struct sip_line *line)
{
	uint32_t end, at = from;
	enum line_end found;

	do {
		end = line->used = at = text_end(text, at, controls);
		found = line_end(text, &at);
	} while (found == LINE_FOLDS);
	if (found != LINE_ENDS)
		return found == LINE_BROKEN ? GW_SIP_HEADER : GW_AGAIN;
	line->used = at;
	line->value = sip_text_trim(span_cut(text, from, end - from));
	return GW_OK;
}

/*
 * Reads a line into *line piece by piece. By pointer, not by value as the header has it: a struct
 * just stored in pieces and copied whole waits for the stores, once a line, for half the time that
 * an index takes.
 */
static void lex(struct span text, enum controls controls, struct sip_line *line)
{
	uint32_t name_end = sip_text_run(text, 0, SIP_TEXT_TOKEN);
	uint32_t colon = name_end > 0 ? skip_blanks(text, name_end) : 0;
	struct span name = span_cut(text, 0, name_end);

	line->used = colon;
	if (name_end == 0 || span_at(text, colon) != ':') {
		line->err = colon == text.len ? GW_AGAIN : GW_SIP_HEADER;
		return;
	}
	line->err = read_value(text, colon + 1, controls, line);
	line->id = sip_header_id(name);
	line->name.at = name.at;
	line->name.len = name.len;
}

void sip_lexer_line(struct span text, struct sip_line *line)
{
	/* One byte more than a line may have: the one that tells a fold. */
	struct span window = span_cut(text, 0, SIP_LINE_MAX + 1);

	lex(window, CONTROLS_REFUSED, line);
	if (line->err == GW_AGAIN && window.len > SIP_LINE_MAX) {
		line->err = GW_SIP_HEADER_LONG;
		line->used = SIP_LINE_MAX;
	}
}

void sip_lexer_frame(struct span text, struct sip_line *line)
{
	lex(text, CONTROLS_CARRIED, line);
}

struct sip_line sip_lex_line(struct span text)
{
	struct sip_line line = {.err = GW_AGAIN};

	sip_lexer_line(text, &line);
	return line;
}
