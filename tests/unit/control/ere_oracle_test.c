/* SPDX-License-Identifier: BSD-3-Clause */
#include <hs.h>
#include <locale.h>
#include <regex.h>
#include <stdio.h>

#include "../test.h"
#include "control/ere.h"

/* The translator and Hyperscan against regcomp and regexec, over expressions and strings that are
 * made by a seed: what is accepted means the same to both. */

enum { BATCHES = 8, BATCH = 50, STRINGS = 300, STRING_MAX = 12, TEXT_MAX = ERE_MAX };

/** xorshift64*: the same everywhere. */
static uint32_t drawn(uint64_t *seed, uint32_t below)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (uint32_t)((*seed * 2685821657736338717ull) >> 33) % below;
}

static const char alphabet[] = "ab1B-.!*]";

/* ---- expressions ---------------------------------------------------------------------------- */

static void make_literal(uint64_t *seed, struct writer *out)
{
	char c = alphabet[drawn(seed, sizeof(alphabet) - 1)];

	if (c == '.' || c == '*')
		writer_u8(out, '\\');
	writer_u8(out, (uint8_t)c);
}

static void make_element(uint64_t *seed, struct writer *out)
{
	static const char *const elements[] = {
		"a",	     "b",	  "1",	       "B",	      ".",	   "*",
		"a-b",	     "1-a",	  "A-b",       "!-.",	      "[:alpha:]", "[:digit:]",
		"[:punct:]", "[:upper:]", "[:alnum:]", "[:xdigit:]",  "[:space:]", "[:lower:]",
		"[.-.]",     "[.].]",	  "[=a=]",     "[.a.]-[.b.]", "\\",	   "!",
		"[:blank:]", "[:cntrl:]", "[:graph:]", "[:print:]",
	};

	writer_text(out, elements[drawn(seed, sizeof(elements) / sizeof(elements[0]))]);
}

static void make_bracket(uint64_t *seed, struct writer *out)
{
	static const char *const begin[] = {"[", "[^", "[]", "[^]", "[-", "[^-", "[--.", "[]-a"};
	uint32_t first = drawn(seed, 8), more = first < 2 ? 1 : 0;

	writer_text(out, begin[first]);
	for (more += drawn(seed, 3); more > 0; more--)
		make_element(seed, out);
	writer_text(out, drawn(seed, 5) == 0 ? "-]" : "]");
}

static void make_repeat(uint64_t *seed, struct writer *out)
{
	static const char *const repeats[] = {"*",     "+",	"?",	"{0}",	 "{1}",
					      "{2}",   "{0,}",	"{2,}", "{0,1}", "{1,3}",
					      "{0,0}", "{3,3}", "{2,5}"};

	if (drawn(seed, 3) == 0)
		writer_text(out, repeats[drawn(seed, sizeof(repeats) / sizeof(repeats[0]))]);
}

static void make_branch(uint64_t *seed, uint32_t depth, struct writer *out);

static void make_ere(uint64_t *seed, uint32_t depth, struct writer *out)
{
	make_branch(seed, depth, out);
	while (drawn(seed, 3) == 0) {
		writer_u8(out, '|');
		make_branch(seed, depth, out);
	}
}

static void make_branch(uint64_t *seed, uint32_t depth, struct writer *out)
{
	for (uint32_t pieces = 1 + drawn(seed, 3); pieces > 0; pieces--) {
		uint32_t kind = drawn(seed, depth > 0 ? 10 : 8);

		if (kind < 4) {
			make_literal(seed, out);
		} else if (kind < 5) {
			writer_u8(out, '.');
		} else if (kind < 8) {
			make_bracket(seed, out);
		} else {
			writer_u8(out, '(');
			make_ere(seed, depth - 1, out);
			writer_u8(out, ')');
		}
		make_repeat(seed, out);
	}
}

/** Sometimes with bytes changed: most of those are refused, and the others have to be right. */
static void make_text(uint64_t *seed, char text[TEXT_MAX + 1])
{
	static const char any[] = "()[]{}|*+?.^$\\-:=,0123ab";
	struct writer out;

	writer_init(&out, text, TEXT_MAX);
	make_ere(seed, 3, &out);
	text[writer_len(&out)] = '\0';
	for (uint32_t n = drawn(seed, 3) == 0 ? 1 + drawn(seed, 2) : 0; n > 0; n--)
		text[drawn(seed, writer_len(&out))] = any[drawn(seed, sizeof(any) - 1)];
}

/* ---- both ----------------------------------------------------------------------------------- */

struct compared {
	char text[BATCH][TEXT_MAX + 1];
	char hyperscan[BATCH][ERE_WRITTEN_MAX + 16];
	regex_t regex[BATCH];
	bool matched[BATCH];
	hs_database_t *database;
	hs_scratch_t *scratch;
	uint64_t cases, matches, refused;
};

/** False: it is refused. */
static bool compared_add(struct compared *c, uint32_t i)
{
	char anchored[TEXT_MAX + 8];
	struct writer out;

	writer_init(&out, c->hyperscan[i], sizeof(c->hyperscan[i]) - 1);
	writer_text(&out, "\\Ax");
	if (ere_translate(span_text(c->text[i]), &out).why != NULL)
		return false;
	writer_text(&out, "y\\z");
	c->hyperscan[i][writer_len(&out)] = '\0';
	snprintf(anchored, sizeof(anchored), "^(%s)$", c->text[i]);
	if (regcomp(&c->regex[i], anchored, REG_EXTENDED | REG_NOSUB) != 0)
		fail_msg("regcomp refuses what is accepted: %s", c->text[i]);
	return true;
}

static void compared_compile(struct compared *c)
{
	const char *expression[BATCH];
	unsigned int flags[BATCH], ids[BATCH];
	hs_compile_error_t *fault = NULL;

	for (uint32_t i = 0; i < BATCH; i++) {
		expression[i] = c->hyperscan[i];
		flags[i] = HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH;
		ids[i] = i;
	}
	if (hs_compile_multi(expression, flags, ids, BATCH, HS_MODE_BLOCK, NULL, &c->database,
			     &fault) != HS_SUCCESS)
		fail_msg("Hyperscan refuses %s: %s",
			 fault->expression >= 0 ? c->text[fault->expression] : "all",
			 fault->message);
	EXPECT_EQ(HS_SUCCESS, hs_alloc_scratch(c->database, &c->scratch));
}

static int on_match(unsigned int id, unsigned long long from, unsigned long long to,
		    unsigned int flags, void *context)
{
	((struct compared *)context)->matched[id] = true;
	return 0;
}

static void compare_string(struct compared *c, const char *string)
{
	char text[STRING_MAX + 3];

	memset(c->matched, 0, sizeof(c->matched));
	snprintf(text, sizeof(text), "x%sy", string);
	EXPECT_EQ(HS_SUCCESS, hs_scan(c->database, text, (unsigned int)strlen(text), 0, c->scratch,
				      on_match, c));
	for (uint32_t i = 0; i < BATCH; i++) {
		bool posix = regexec(&c->regex[i], string, 0, NULL, 0) == 0;

		if (posix != c->matched[i])
			fail_msg("\"%s\" and \"%s\": regexec says %d, Hyperscan %d", c->text[i],
				 string, posix, c->matched[i]);
		c->cases++;
		c->matches += posix;
	}
}

static void compare_batch(struct compared *c, uint64_t *seed)
{
	char string[STRING_MAX + 1];

	for (uint32_t i = 0; i < BATCH; i++)
		for (make_text(seed, c->text[i]); !compared_add(c, i); make_text(seed, c->text[i]))
			c->refused++;
	compared_compile(c);
	for (uint32_t s = 0; s < STRINGS; s++) {
		uint32_t len = drawn(seed, STRING_MAX + 1);

		for (uint32_t i = 0; i < len; i++)
			string[i] = alphabet[drawn(seed, sizeof(alphabet) - 1)];
		string[len > 0 && s % 2 == 0 ? len % 4 : len] = '\0';
		compare_string(c, string);
	}
	for (uint32_t i = 0; i < BATCH; i++)
		regfree(&c->regex[i]);
	hs_free_scratch(c->scratch);
	hs_free_database(c->database);
	c->scratch = NULL;
}

TEST(ere_oracle, means_the_same_as_POSIX_says)
{
	struct compared *c = calloc(1, sizeof(*c));
	uint64_t seed = 20260611;

	EXPECT_TEXT("C", setlocale(LC_ALL, "C"));
	assert_non_null(c);
	for (uint32_t batch = 0; batch < BATCHES; batch++)
		compare_batch(c, &seed);
	EXPECT_EQ((uint64_t)BATCHES * BATCH * STRINGS, c->cases);
	EXPECT(c->matches > c->cases / 100);
	EXPECT(c->refused > BATCHES * BATCH / 20);
	free(c);
}

TEST_MAIN("ere_oracle", RUN(ere_oracle, means_the_same_as_POSIX_says))
