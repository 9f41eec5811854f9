/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "ws/utf8.h"
#include "ws/ws.h"

TEST(ws_utf8, accepts_the_examples_of_rfc_3629)
{
	EXPECT(ws_is_utf8(SPAN("")));
	EXPECT(ws_is_utf8(SPAN("\x41\xE2\x89\xA2\xCE\x91\x2E")));
	EXPECT(ws_is_utf8(SPAN("\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4")));
	EXPECT(ws_is_utf8(SPAN("\xEF\xBB\xBF\xF0\xA3\x8E\xB4")));
}

TEST(ws_utf8, accepts_the_ends_of_every_range)
{
	EXPECT(ws_is_utf8(SPAN("\x7F\xC2\x80\xDF\xBF")));
	EXPECT(ws_is_utf8(SPAN("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF")));
	EXPECT(ws_is_utf8(SPAN("\xF0\x90\x80\x80\xF1\x80\x80\x80\xF4\x8F\xBF\xBF")));
}

TEST(ws_utf8, refuses_overlong_forms)
{
	EXPECT(!ws_is_utf8(SPAN("\xC0\x80")));
	EXPECT(!ws_is_utf8(SPAN("\xC1\xBF")));
	EXPECT(!ws_is_utf8(SPAN("\xE0\x9F\xBF")));
	EXPECT(!ws_is_utf8(SPAN("\xF0\x8F\xBF\xBF")));
}

TEST(ws_utf8, refuses_surrogates_and_what_is_past_the_last_character)
{
	EXPECT(!ws_is_utf8(SPAN("\xED\xA0\x80")));
	EXPECT(!ws_is_utf8(SPAN("\xED\xBF\xBF")));
	EXPECT(!ws_is_utf8(SPAN("\xF4\x90\x80\x80")));
	EXPECT(!ws_is_utf8(SPAN("\xF5\x80\x80\x80")));
	EXPECT(!ws_is_utf8(SPAN("\xFF")));
}

TEST(ws_utf8, refuses_stray_and_missing_continuations)
{
	EXPECT(!ws_is_utf8(SPAN("\x80")));
	EXPECT(!ws_is_utf8(SPAN("\xC2")));
	EXPECT(!ws_is_utf8(SPAN("\xE2\x82")));
	EXPECT(!ws_is_utf8(SPAN("\xE2\x28\xA1")));
	EXPECT(!ws_is_utf8(SPAN("abcdefgh\xF0\x9F\x98")));
}

/* The definition, the slow way: decode, then ask whether the code point needed that form. Bytes of
 * the character at b, 0 when there is none. */
static uint32_t character_at(const uint8_t *b, uint32_t n)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint32_t tails = b[0] < 0x80 ? 0 : b[0] < 0xE0 ? 1 : b[0] < 0xF0 ? 2 : 3;
	uint32_t code = tails == 0 ? b[0] : b[0] & (0x3Fu >> tails);

	if ((b[0] & 0xC0) == 0x80 || b[0] >= 0xF8 || tails >= n)
		return 0;
	for (uint32_t i = 1; i <= tails; i++) {
		if ((b[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (b[i] & 0x3Fu);
	}
	if (code < least[tails] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return 0;
	return tails + 1;
}

static bool is_text(const uint8_t *b, uint32_t n)
{
	for (uint32_t used; n > 0; b += used, n -= used) {
		used = character_at(b, n);
		if (used == 0)
			return false;
	}
	return true;
}

TEST(ws_utf8, agrees_with_the_definition_on_every_lead_and_edge)
{
	static const uint8_t edges[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F,
					0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xF4, 0xFF};
	const uint32_t e = sizeof(edges);

	for (uint32_t lead = 0; lead < 0x100; lead++)
		for (uint32_t i = 0; i < e * e * e; i++) {
			uint8_t b[4] = {(uint8_t)lead, edges[i % e], edges[i / e % e],
					edges[i / e / e]};

			for (uint32_t n = 1; n <= 4; n++)
				if (is_text(b, n) != ws_is_utf8(span_of(b, n)))
					fail_msg("%02x %02x %02x %02x, first %u", b[0], b[1], b[2],
						 b[3], n);
		}
}

TEST(ws_utf8, gives_the_same_result_wherever_it_is_cut)
{
	struct span text = SPAN("0123456789\xE2\x82\xAC 0123456789 \xF0\x9F\x98\x80 \xC3\xA9 end");

	for (uint32_t n = 0; n <= text.len; n++) {
		uint8_t half = ws_utf8_feed(WS_UTF8_BOUNDARY, span_cut(text, 0, n));

		EXPECT_EQ(WS_UTF8_BOUNDARY, ws_utf8_feed(half, span_from(text, n)));
	}
}

TEST(ws_utf8, stays_invalid)
{
	EXPECT_EQ(WS_UTF8_INVALID, ws_utf8_feed(WS_UTF8_INVALID, SPAN("ascii")));
}

TEST_MAIN("ws_utf8", RUN(ws_utf8, accepts_the_examples_of_rfc_3629),
	  RUN(ws_utf8, accepts_the_ends_of_every_range), RUN(ws_utf8, refuses_overlong_forms),
	  RUN(ws_utf8, refuses_surrogates_and_what_is_past_the_last_character),
	  RUN(ws_utf8, refuses_stray_and_missing_continuations),
	  RUN(ws_utf8, agrees_with_the_definition_on_every_lead_and_edge),
	  RUN(ws_utf8, gives_the_same_result_wherever_it_is_cut), RUN(ws_utf8, stays_invalid))
