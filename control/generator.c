/* SPDX-License-Identifier: BSD-3-Clause */
#include "generator.h"

#include <stdlib.h>

#include "canonical.h"

enum { GROUPS_MAX = 9, WHY_MAX = 400 };

/** A generator while it is read. */
struct generator_text {
	struct pair_generator *made;
	struct span rest; /* of the text */
	struct {
		uint16_t from, to; /* bytes of the public identity */
	} group[GROUPS_MAX];
	uint32_t groups;
	bool open;	   /* inside a group */
	bool repeatable;   /* the byte before may be followed by {n} */
	const char *reads; /* "impu" or "impi": which text is wrong, when one is */
	char why[WHY_MAX];
};

static bool generator_refuse(struct generator_text *t, const char *why)
{
	snprintf(t->why, sizeof(t->why), "%s", why);
	return false;
}

/* ---- sets of bytes ------------------------------------------------------------------------- */

static bool set_has(const uint64_t set[2], uint32_t c)
{
	return (set[c >> 6] >> (c & 63) & 1) != 0;
}

static void set_add(uint64_t set[2], uint32_t c)
{
	set[c >> 6] |= 1ull << (c & 63);
}

static uint32_t set_size(const uint64_t set[2])
{
	return (uint32_t)(__builtin_popcountll(set[0]) + __builtin_popcountll(set[1]));
}

/** The first byte of a set that is not empty. */
static uint8_t set_first(const uint64_t set[2])
{
	return (uint8_t)(set[0] != 0 ? __builtin_ctzll(set[0]) : 64 + __builtin_ctzll(set[1]));
}

static bool set_meets(const uint64_t a[2], const uint64_t b[2])
{
	return (a[0] & b[0]) != 0 || (a[1] & b[1]) != 0;
}

static bool is_printable(int c)
{
	return c > ' ' && c <= '~';
}

static bool is_letter_or_digit(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* ---- the public identities ----------------------------------------------------------------- */

static bool generator_add_set(struct generator_text *t, const uint64_t set[2])
{
	if (t->made->impu_len == IDENTITY_MAX)
		return generator_refuse(t, "longer than identities may be");
	memcpy(t->made->set[t->made->impu_len++], set, sizeof(t->made->set[0]));
	t->repeatable = true;
	return true;
}

static bool generator_add_byte(struct generator_text *t, int c)
{
	uint64_t set[2] = {0};

	if (!is_printable(c))
		return generator_refuse(t, "only printable ASCII can stand here");
	set_add(set, (uint32_t)c);
	return generator_add_set(t, set);
}

static int generator_next(struct generator_text *t)
{
	int c = span_at(t->rest, 0);

	(void)span_skip(&t->rest, 1);
	return c;
}

/** Takes what follows a backslash; -1: nothing that may. */
static int generator_escaped(struct generator_text *t)
{
	int c = generator_next(t);

	return is_printable(c) && !is_letter_or_digit(c) ? c : -1;
}

static bool generator_open(struct generator_text *t)
{
	if (t->open)
		return generator_refuse(t, "a group inside a group");
	if (t->groups == GROUPS_MAX)
		return generator_refuse(t, "more than nine groups");
	t->group[t->groups].from = t->made->impu_len;
	t->open = true;
	t->repeatable = false;
	return true;
}

static bool generator_close(struct generator_text *t)
{
	if (!t->open)
		return generator_refuse(t, "')' without '('");
	if (t->group[t->groups].from == t->made->impu_len)
		return generator_refuse(t, "a group with nothing in it");
	t->group[t->groups++].to = t->made->impu_len;
	t->open = false;
	t->repeatable = false;
	return true;
}

/** {n}, its brace taken. */
static bool generator_repeat(struct generator_text *t)
{
	uint32_t n = 0, digits = 0;
	uint64_t set[2];

	if (!t->repeatable)
		return generator_refuse(
			t, "{n} is for the byte or the bracket expression before it alone");
	for (; span_at(t->rest, 0) >= '0' && span_at(t->rest, 0) <= '9' && n <= IDENTITY_MAX;
	     digits++)
		n = n * 10 + (uint32_t)(generator_next(t) - '0');
	if (digits == 0 || n == 0 || n > IDENTITY_MAX || generator_next(t) != '}')
		return generator_refuse(t, "{n} has one number, from 1 to 256");
	memcpy(set, t->made->set[t->made->impu_len - 1], sizeof(set));
	for (; n > 1; n--)
		if (!generator_add_set(t, set))
			return false;
	t->repeatable = false;
	return true;
}

/** One byte of a bracket expression, or a range; -1 in *last: refused. */
static void generator_range(struct generator_text *t, int *first, int *last)
{
	int after = span_at(t->rest, 1);

	*first = *last = generator_next(t);
	if (*first == '[' && (after == ':' || after == '.' || after == '='))
		*first = *last = -1;
	if (span_at(t->rest, 0) == '-' && span_at(t->rest, 1) != ']') {
		(void)generator_next(t);
		*last = generator_next(t);
	}
	if (!is_printable(*first) || !is_printable(*last) || *last < *first)
		*last = -1;
}

/** [...], its first bracket taken. */
static bool generator_bracket(struct generator_text *t)
{
	uint64_t set[2] = {0};
	int first, last;

	if (span_at(t->rest, 0) == '^')
		return generator_refuse(t,
					"[^...] is not of the subset: what it leaves is not known");
	do {
		if (t->rest.len == 0)
			return generator_refuse(t, "'[' without ']'");
		generator_range(t, &first, &last);
		if (last < 0)
			return generator_refuse(t, "brackets have printable ASCII and ranges of it "
						   "that ascend, no classes");
		for (; first <= last; first++)
			set_add(set, (uint32_t)first);
	} while (span_at(t->rest, 0) != ']');
	(void)generator_next(t);
	return generator_add_set(t, set);
}

static bool generator_operator(struct generator_text *t, int c)
{
	snprintf(t->why, sizeof(t->why), "'%c' is not of the subset; write \\%c for itself", c, c);
	return false;
}

static bool generator_take(struct generator_text *t)
{
	int c = generator_next(t);

	switch (c) {
	case '(':
		return generator_open(t);
	case ')':
		return generator_close(t);
	case '{':
		return generator_repeat(t);
	case '[':
		return generator_bracket(t);
	case '\\':
		c = generator_escaped(t);
		return c >= 0 ? generator_add_byte(t, c)
			      : generator_refuse(t, "\\ stands before punctuation only");
	case '*':
	case '+':
	case '?':
	case '|':
	case '^':
	case '$':
		return generator_operator(t, c);
	default:
		return generator_add_byte(t, c);
	}
}

/** An escape of a URI and an IPv6 address are more than one byte: nothing of them varies. */
static bool generator_is_plain(struct generator_text *t)
{
	const struct pair_generator *g = t->made;

	for (uint32_t i = 0; i < g->impu_len; i++) {
		uint32_t end = i + 3 < g->impu_len ? i + 3 : g->impu_len;

		if (set_has(g->set[i], '['))
			return generator_refuse(t, "an IPv6 address cannot stand here");
		for (uint32_t k = i; k < end && set_has(g->set[i], '%'); k++)
			if (set_size(g->set[k]) > 1)
				return generator_refuse(t, "an escape with % does not vary");
	}
	return true;
}

static bool generator_read_impu(struct generator_text *t, const char *text)
{
	t->reads = "impu";
	t->rest = span_text(text);
	while (t->rest.len > 0)
		if (!generator_take(t))
			return false;
	if (t->open)
		return generator_refuse(t, "'(' without ')'");
	return generator_is_plain(t);
}

/* ---- the private identities ---------------------------------------------------------------- */

static bool generator_add_term(struct generator_text *t, uint32_t term)
{
	if (t->made->impi_len == IDENTITY_MAX)
		return generator_refuse(t, "longer than identities may be");
	t->made->term[t->made->impi_len++] = (uint16_t)term;
	return true;
}

static bool generator_add_group(struct generator_text *t, uint32_t group)
{
	if (group >= t->groups)
		return generator_refuse(t, "the public identity has no such group");
	for (uint32_t i = t->group[group].from; i < t->group[group].to; i++)
		if (!generator_add_term(t, PAIR_COPY | i))
			return false;
	return true;
}

static bool generator_take_term(struct generator_text *t)
{
	int c = generator_next(t);

	if (c == '\\' && span_at(t->rest, 0) >= '1' && span_at(t->rest, 0) <= '9')
		return generator_add_group(t, (uint32_t)(generator_next(t) - '1'));
	if (c == '\\')
		c = generator_escaped(t);
	if (!is_printable(c))
		return generator_refuse(t, "\\1 to \\9, \\ before punctuation, and printable ASCII "
					   "can stand here");
	return generator_add_term(t, (uint32_t)c);
}

static bool generator_copies(const struct pair_generator *g, uint32_t i)
{
	for (uint32_t k = 0; k < g->impi_len; k++)
		if (g->term[k] == (PAIR_COPY | i))
			return true;
	return false;
}

static bool generator_read_impi(struct generator_text *t, const char *text)
{
	t->reads = "impi";
	t->rest = span_text(text);
	while (t->rest.len > 0)
		if (!generator_take_term(t))
			return false;
	for (uint32_t i = 0; i < t->made->impu_len; i++)
		if (set_size(t->made->set[i]) > 1 && !generator_copies(t->made, i))
			return generator_refuse(t,
						"what varies in the public identity is not all in "
						"it: two would have one private identity");
	return true;
}

/* ---- what they make ------------------------------------------------------------------------ */

/** A pair that is made: the bytes of the public identity say all. */
struct generated {
	uint8_t impu[IDENTITY_MAX], impi[IDENTITY_MAX];
};

static void generated_copy(const struct pair_generator *g, struct generated *pair)
{
	for (uint32_t i = 0; i < g->impi_len; i++)
		pair->impi[i] = (g->term[i] & PAIR_COPY) != 0 ? pair->impu[g->term[i] & ~PAIR_COPY]
							      : (uint8_t)g->term[i];
}

typedef enum gw_err canonical_form(struct span text, struct writer *out);

static bool is_canonical(canonical_form *form, struct span text)
{
	uint8_t bytes[IDENTITY_MAX];
	struct writer out;

	writer_init(&out, bytes, sizeof(bytes));
	return form(text, &out) == GW_OK && span_equal(writer_span(&out), text);
}

/** False, with the example, when one of the two is not canonical. */
static bool generator_try(struct generator_text *t, struct generated *pair)
{
	struct span impu = span_of(pair->impu, t->made->impu_len);
	struct span impi = span_of(pair->impi, t->made->impi_len);
	bool public = !is_canonical(identity_canonical_impu, impu);

	generated_copy(t->made, pair);
	if (!public && is_canonical(identity_canonical_impi, impi))
		return true;
	t->reads = public ? "impu" : "impi";
	snprintf(t->why, sizeof(t->why), "makes \"%.*s\", which is no canonical %s identity",
		 (int)(public ? impu.len : impi.len), (const char *)(public ? impu.at : impi.at),
		 public ? "public" : "private");
	return false;
}

/** Tries all that bytes a and b of the public identity may be together, the others as in pair. */
static bool generator_try_two(struct generator_text *t, struct generated *pair, uint32_t a,
			      uint32_t b)
{
	const struct pair_generator *g = t->made;
	uint8_t at_a = pair->impu[a], at_b = pair->impu[b];

	for (uint32_t c = 0; c < 128; c++) {
		for (uint32_t d = 0; set_has(g->set[a], c) && d < 128; d++) {
			if (!set_has(g->set[b], d))
				continue;
			pair->impu[a] = (uint8_t)c;
			pair->impu[b] = (uint8_t)d;
			if (!generator_try(t, pair))
				return false;
		}
	}
	pair->impu[a] = at_a;
	pair->impu[b] = at_b;
	return true;
}

/**
 * Whether every pair is canonical. What is canonical is decided by single bytes and by two
 * neighbours (labels of a host), so all neighbours are tried, in both identities.
 */
static bool generator_is_canonical(struct generator_text *t)
{
	const struct pair_generator *g = t->made;
	struct generated pair;

	for (uint32_t i = 0; i < g->impu_len; i++)
		pair.impu[i] = set_first(g->set[i]);
	if (!generator_try(t, &pair))
		return false;
	for (uint32_t i = 0; i + 1 < g->impu_len; i++)
		if (set_size(g->set[i]) + set_size(g->set[i + 1]) > 2 &&
		    !generator_try_two(t, &pair, i, i + 1))
			return false;
	for (uint32_t i = 0; i + 1 < g->impi_len; i++) {
		uint32_t a = g->term[i], b = g->term[i + 1];

		if ((a & b & PAIR_COPY) != 0 && a != b && a + 1 != b &&
		    !generator_try_two(t, &pair, a & ~PAIR_COPY, b & ~PAIR_COPY))
			return false;
	}
	return true;
}

/** How many pairs; 0: more than can be told. */
static uint64_t generator_count(const struct pair_generator *g)
{
	uint64_t count = 1;

	for (uint32_t i = 0; i < g->impu_len; i++)
		if (__builtin_mul_overflow(count, set_size(g->set[i]), &count) || count > INT64_MAX)
			return 0;
	return count;
}

static bool generator_read_all(struct generator_text *t, const struct pairs_from *from)
{
	if (!generator_read_impu(t, from->impu) || !generator_read_impi(t, from->impi) ||
	    !generator_is_canonical(t))
		return false;
	t->reads = "impu";
	return generator_count(t->made) != 0 ||
	       generator_refuse(t, "more pairs than can be counted");
}

bool generator_read(const struct pairs_from *from, struct pair_table *table,
		    struct problems *problems)
{
	struct generator_text t = {.made = calloc(1, sizeof(*t.made)), .reads = "impu"};
	bool good =
		t.made != NULL ? generator_read_all(&t, from) : generator_refuse(&t, "no memory");

	if (good) {
		*table = (struct pair_table){.kind = PAIRS_MADE,
					     .count = generator_count(t.made),
					     .generator = t.made};
		return true;
	}
	problems_add(problems, PROBLEM_ERROR, from->file,
		     strcmp(t.reads, "impi") == 0 ? from->impi_line : from->line,
		     "wwsf[].identities.generator.%s: %s", t.reads, t.why);
	free(t.made);
	return false;
}

/* ---- two generators ------------------------------------------------------------------------ */

static bool generator_shares_impu(const struct pair_generator *a, const struct pair_generator *b,
				  char example[IDENTITY_MAX + 1])
{
	if (a->impu_len != b->impu_len)
		return false;
	for (uint32_t i = 0; i < a->impu_len; i++) {
		const uint64_t both[2] = {a->set[i][0] & b->set[i][0], a->set[i][1] & b->set[i][1]};

		if (!set_meets(a->set[i], b->set[i]))
			return false;
		example[i] = (char)set_first(both);
	}
	example[a->impu_len] = '\0';
	return true;
}

/** The bytes of both public identities, a's first. Those that a shared private identity makes equal
 * have one representative, which has what all of them may be. */
struct generator_unknowns {
	uint16_t same[2 * IDENTITY_MAX];
	uint64_t set[2 * IDENTITY_MAX][2];
};

static uint32_t unknown_of(struct generator_unknowns *u, uint32_t i)
{
	while (u->same[i] != i)
		i = u->same[i] = u->same[u->same[i]];
	return i;
}

static void unknown_restrict(struct generator_unknowns *u, uint32_t i, const uint64_t set[2])
{
	uint32_t of = unknown_of(u, i);

	u->set[of][0] &= set[0];
	u->set[of][1] &= set[1];
}

/** The term of a and that of b are one byte. False: they cannot be. */
static bool unknown_equal(struct generator_unknowns *u, uint32_t a, uint32_t b)
{
	uint32_t of_a = a & ~PAIR_COPY, of_b = (b & ~PAIR_COPY) + IDENTITY_MAX;
	uint64_t set[2] = {0};

	if ((a & PAIR_COPY) == 0 && (b & PAIR_COPY) == 0)
		return a == b;
	if ((a & b & PAIR_COPY) != 0) {
		of_a = unknown_of(u, of_a);
		of_b = unknown_of(u, of_b);
		unknown_restrict(u, of_b, u->set[of_a]);
		u->same[of_a] = (uint16_t)of_b;
		return true;
	}
	set_add(set, (a & PAIR_COPY) != 0 ? b : a);
	unknown_restrict(u, (a & PAIR_COPY) != 0 ? of_a : of_b, set);
	return true;
}

static bool generator_shares_impi(const struct pair_generator *a, const struct pair_generator *b,
				  char example[IDENTITY_MAX + 1])
{
	static const uint64_t all[2] = {UINT64_MAX, UINT64_MAX};
	struct generator_unknowns u;

	if (a->impi_len != b->impi_len)
		return false;
	for (uint32_t i = 0; i < 2 * IDENTITY_MAX; i++) {
		uint32_t of = i % IDENTITY_MAX;
		const struct pair_generator *g = i < IDENTITY_MAX ? a : b;

		u.same[i] = (uint16_t)i;
		memcpy(u.set[i], of < g->impu_len ? g->set[of] : all, sizeof(u.set[i]));
	}
	for (uint32_t i = 0; i < a->impi_len; i++)
		if (!unknown_equal(&u, a->term[i], b->term[i]))
			return false;
	for (uint32_t i = 0; i < 2 * IDENTITY_MAX; i++)
		if (!set_meets(u.set[unknown_of(&u, i)], all))
			return false;
	for (uint32_t i = 0; i < a->impi_len; i++) {
		uint32_t term = a->term[i];

		example[i] = (char)((term & PAIR_COPY) == 0
					    ? term
					    : set_first(u.set[unknown_of(&u, term & ~PAIR_COPY)]));
	}
	example[a->impi_len] = '\0';
	return true;
}

enum generator_shared generator_overlap(const struct pair_generator *a,
					const struct pair_generator *b,
					char example[IDENTITY_MAX + 1])
{
	if (generator_shares_impu(a, b, example))
		return GENERATOR_IMPU;
	return generator_shares_impi(a, b, example) ? GENERATOR_IMPI : GENERATOR_NOTHING;
}
