/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"
#include "test.h"

static bool parsed(struct script *script, const char *text)
{
	char *copy = strdup(text);
	bool ok = script_parse(script, "x.tcp", copy, "/nonexistent");

	free(copy);
	return ok;
}

#define EXPECT_REFUSED(why, text) \
	do { \
		struct script script_; \
		EXPECT(!parsed(&script_, text)); \
		EXPECT_TEXT(why, script_.error); \
		script_free(&script_); \
	} while (0)

TEST(script, reads_a_segment)
{
	struct script script;
	const struct segment *s;

	EXPECT(parsed(&script, "+0.010 [7] < FP. 11:14(3) ack -2 win 0x10 urg 5 badsum\n"));
	EXPECT_EQ(1, script.lines);
	EXPECT_EQ(ACTION_INJECT, script.line[0].action);
	EXPECT_EQ(10000, script.line[0].after_us);
	EXPECT_EQ(7, script.line[0].label);
	s = &script.line[0].segment;
	EXPECT_EQ(0x19, s->flags);
	EXPECT(s->push && s->has_ack && s->has_window && s->bad_sum && !s->has_options);
	EXPECT_EQ(11, s->seq);
	EXPECT_EQ(3, s->len);
	EXPECT_EQ(-2, s->ack);
	EXPECT_EQ(16, s->window.lo);
	EXPECT_EQ(5, s->urgent);
	script_free(&script);
}

TEST(script, reads_every_option)
{
	struct script script;
	const struct option *o;

	EXPECT(parsed(&script,
		      "> S. 0:0(0) ack 1 win 1..2 <mss 1360,nop,ws 8,sackOK,eol,TS val any ecr 5>\n"
		      "> . 1:1(0) ack any <sack 5:6 7:9,hex 0a0b,TS val 1 ecr last>\n"));
	EXPECT_EQ(6, script.line[0].segment.options);
	o = script.line[0].segment.option;
	EXPECT_EQ(OPTION_MSS, o[0].kind);
	EXPECT_EQ(1360, o[0].value[0].lo);
	EXPECT_EQ(OPTION_NOP, o[1].kind);
	EXPECT_EQ(8, o[2].value[0].hi);
	EXPECT_EQ(OPTION_SACK_PERMITTED, o[3].kind);
	EXPECT_EQ(OPTION_END, o[4].kind);
	EXPECT_EQ(INT64_MIN, o[5].value[0].lo);
	EXPECT_EQ(5, o[5].value[1].lo);
	o = script.line[1].segment.option;
	EXPECT(script.line[1].segment.any_ack);
	EXPECT_EQ(4, script.line[1].segment.options);
	EXPECT_EQ(7, o[1].value[0].lo);
	EXPECT_EQ(2, o[2].hex_len);
	EXPECT_EQ(0x0b, o[2].hex[1]);
	EXPECT(o[3].last);
	script_free(&script);
}

TEST(script, reads_times_and_ranges_of_them)
{
	struct script script;

	EXPECT(parsed(&script, "+0.2~0.25 >? R 5:5(0)\nsilent: 2.0\n"));
	EXPECT_EQ(ACTION_SENT_MAY, script.line[0].action);
	EXPECT(script.line[0].has_range);
	EXPECT_EQ(200000, script.line[0].after_us);
	EXPECT_EQ(250000, script.line[0].until_us);
	EXPECT(!script.line[1].has_time);
	EXPECT_EQ(2, script.line[1].words);
	EXPECT_EQ(1, script.line[1].label);
	script_free(&script);
}

TEST(script, repeats_lines_and_counts_in_them)
{
	struct script script;

	EXPECT(parsed(&script, "# requirement: none\nrepeat 3\n[1%1] < . 1%10:6%10(5) ack 1\nturn\n"
			       "end\nlast\n"));
	EXPECT(script.has_requirement);
	EXPECT_EQ(7, script.lines);
	EXPECT_EQ(21, script.line[4].segment.seq);
	EXPECT_EQ(3, script.line[4].label);
	EXPECT_EQ(3, script.line[4].number);
	EXPECT_EQ(6, script.line[6].number);
	script_free(&script);
}

TEST(script, reads_numbers_and_nothing_behind_them)
{
	struct range range;
	int64_t number;
	uint64_t us;

	EXPECT(script_number("-7", 0, &number) && number == -7);
	EXPECT(script_range("3..9", 0, &range) && range.lo == 3 && range.hi == 9);
	EXPECT(!script_number("7x", 0, &number));
	EXPECT(!script_number("", 0, &number));
	EXPECT(!script_range("9..3", 0, &range));
	EXPECT(!script_range("3..", 0, &range));
	EXPECT(!script_time("-1", &us));
	EXPECT(!script_time("1s", &us));
}

TEST(script, says_where_it_does_not_understand)
{
	EXPECT_REFUSED("x.tcp:2: flags expected: Q", "\n< Q 0:0(0)\n");
	EXPECT_REFUSED("x.tcp:1: start:end(length) expected: 0:1(0)", "< S 0:1(0)\n");
	EXPECT_REFUSED("x.tcp:1: start:end(length) expected: 0:0", "< S 0:0\n");
	EXPECT_REFUSED("x.tcp:1: not understood: window", "< S 0:0(0) window 5\n");
	EXPECT_REFUSED("x.tcp:1: not understood: win", "< S 0:0(0) win\n");
	EXPECT_REFUSED("x.tcp:1: '.' and 'ack' go together: S.", "< S. 0:0(0)\n");
	EXPECT_REFUSED("x.tcp:1: '.' and 'ack' go together: R", "< R 0:0(0) ack 1\n");
	EXPECT_REFUSED("x.tcp:1: options not understood", "< S 0:0(0) <mss>\n");
	EXPECT_REFUSED("x.tcp:1: options not understood", "< S 0:0(0) <mss 5\n");
	EXPECT_REFUSED("x.tcp:1: options not understood", "< S 0:0(0) <tfo>\n");
	EXPECT_REFUSED("x.tcp:1: options not understood", "< . 0:0(0) ack 1 <sack 5>\n");
	EXPECT_REFUSED("x.tcp:1: options not understood", "< . 0:0(0) ack 1 <hex 012>\n");
	EXPECT_REFUSED("x.tcp:1: time or label not understood", "+x < S 0:0(0)\n");
	EXPECT_REFUSED("x.tcp:1: time or label not understood", "[a] < S 0:0(0)\n");
	EXPECT_REFUSED("x.tcp:1: no action, or too many words", "+0.1\n");
	EXPECT_REFUSED("x.tcp:1: no such preamble: nowhere", "include nowhere\n");
	EXPECT_REFUSED("x.tcp:1: repeat N ... end expected: 3", "repeat 3\n< S 0:0(0)\n");
	EXPECT_REFUSED("x.tcp:3: flags expected: Q", "repeat 2\nturn\n< Q 0:0(0)\nend\n");
}

TEST_MAIN("tcpscript_parser", RUN(script, reads_a_segment), RUN(script, reads_every_option),
	  RUN(script, reads_times_and_ranges_of_them),
	  RUN(script, repeats_lines_and_counts_in_them),
	  RUN(script, reads_numbers_and_nothing_behind_them),
	  RUN(script, says_where_it_does_not_understand))
