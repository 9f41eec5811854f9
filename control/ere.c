/* SPDX-License-Identifier: BSD-3-Clause */
#include "ere.h"

/** A group, or the expression itself. */
struct ere_level {
	uint32_t opened_at; /* its '(' in the expression */
	uint32_t atom_out;  /* in the output: where it begins, when it is an atom itself */
	uint32_t states;
	bool empty; /* nothing yet in this alternative */
};

/** An expression while it is read. */
struct ere_text {
	struct span text;
	uint32_t at;
	struct writer *out;
	struct ere ere;
	struct ere_level level[ERE_DEPTH_MAX + 1];
	uint32_t depth;
	/* the atom before, which may be repeated */
	bool repeatable;
	uint32_t atom_out, atom_states;
};

static struct ere_level *ere_level(struct ere_text *t)
{
	return &t->level[t->depth];
}

static bool ere_refuse(struct ere_text *t, uint32_t at, const char *why)
{
	t->ere.why = why;
	t->ere.at = at;
	return false;
}

static int ere_peek(const struct ere_text *t)
{
	return span_at(t->text, t->at);
}

/* ---- atoms ---------------------------------------------------------------------------------- */

static bool ere_add_states(struct ere_text *t, uint32_t at, uint32_t states)
{
	ere_level(t)->states += states;
	for (uint32_t i = 0, all = 0; i <= t->depth; i++) {
		all += t->level[i].states;
		if (all > ERE_STATES_MAX)
			return ere_refuse(t, at, "repeated so often it is too large");
	}
	return true;
}

/** An atom was written, from out on. */
static bool ere_atom(struct ere_text *t, uint32_t at, uint32_t out, uint32_t states)
{
	t->repeatable = true;
	t->atom_out = out;
	t->atom_states = states;
	ere_level(t)->empty = false;
	return ere_add_states(t, at, states);
}

static void ere_write_byte(struct writer *out, uint8_t c)
{
	writer_text(out, "\\x");
	writer_hex(out, span_of(&c, 1));
}

void ere_quote(struct span text, struct writer *out)
{
	for (uint32_t i = 0; i < text.len; i++)
		ere_write_byte(out, text.at[i]);
}

static bool ere_literal(struct ere_text *t, uint32_t at, int c)
{
	uint32_t out = writer_len(t->out);

	if (c < ' ' || c > '~')
		return ere_refuse(t, at, "only printable ASCII can stand here");
	ere_write_byte(t->out, (uint8_t)c);
	return ere_atom(t, at, out, 1);
}

/** What POSIX gives a meaning behind a backslash: characters that have one without it. */
static bool ere_escaped(struct ere_text *t, uint32_t at)
{
	int c = ere_peek(t);

	if (c < 0)
		return ere_refuse(t, at, "'\\' with nothing behind it");
	if (c == '\0' || strchr("^.[]$()|*+?{}\\", c) == NULL)
		return ere_refuse(t, at, "POSIX has no meaning for '\\' before this");
	t->at++;
	return ere_literal(t, at, c);
}

/* ---- bracket expressions -------------------------------------------------------------------- */

enum ere_element { ERE_CHARACTER, ERE_HYPHEN, ERE_COLLATING, ERE_SET, ERE_BAD };

struct ere_bracket {
	bool has[256];
	bool first; /* nothing of it was read yet */
};

static bool is_lower(int c)
{
	return c >= 'a' && c <= 'z';
}
static bool is_upper(int c)
{
	return c >= 'A' && c <= 'Z';
}
static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}
static bool is_alpha(int c)
{
	return is_lower(c) || is_upper(c);
}
static bool is_alnum(int c)
{
	return is_alpha(c) || is_digit(c);
}
static bool is_xdigit(int c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
static bool is_blank(int c)
{
	return c == ' ' || c == '\t';
}
static bool is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}
static bool is_cntrl(int c)
{
	return c < ' ' || c == 127;
}
static bool is_graph(int c)
{
	return c > ' ' && c < 127;
}
static bool is_print(int c)
{
	return c >= ' ' && c < 127;
}
static bool is_punct(int c)
{
	return is_graph(c) && !is_alnum(c);
}

/** The classes of the C locale: none has a byte of 128 and more. */
static const struct {
	const char *name;
	bool (*has)(int c);
} ere_classes[] = {
	{"alnum", is_alnum}, {"alpha", is_alpha}, {"blank", is_blank}, {"cntrl", is_cntrl},
	{"digit", is_digit}, {"graph", is_graph}, {"lower", is_lower}, {"print", is_print},
	{"punct", is_punct}, {"space", is_space}, {"upper", is_upper}, {"xdigit", is_xdigit},
};

/** What stands between "[:" and ":]", or the like, both taken. Not found: false. */
static bool ere_bracketed(struct ere_text *t, int kind, struct span *name)
{
	uint32_t from = t->at + 2, end = from + 1; /* one character at least, which may be any */

	while (end < t->text.len &&
	       (span_at(t->text, end) != kind || span_at(t->text, end + 1) != ']'))
		end++;
	if (end >= t->text.len)
		return false;
	*name = span_cut(t->text, from, end - from);
	t->at = end + 2;
	return true;
}

static enum ere_element ere_class(struct ere_text *t, uint32_t at, struct span name,
				  struct ere_bracket *b)
{
	for (uint32_t i = 0; i < sizeof(ere_classes) / sizeof(ere_classes[0]); i++) {
		if (!span_equal(name, span_text(ere_classes[i].name)))
			continue;
		for (int c = 0; c < 128; c++)
			b->has[c] = b->has[c] || ere_classes[i].has(c);
		return ERE_SET;
	}
	(void)ere_refuse(t, at, "no such character class");
	return ERE_BAD;
}

/** [:name:], [.c.] or [=c=], at t->at. */
static enum ere_element ere_named(struct ere_text *t, int kind, struct ere_bracket *b, int *c)
{
	uint32_t at = t->at;
	struct span name;

	if (!ere_bracketed(t, kind, &name)) {
		(void)ere_refuse(t, at, "it does not end");
		return ERE_BAD;
	}
	if (kind == ':')
		return ere_class(t, at, name, b);
	*c = span_at(name, 0);
	if (name.len != 1 || !is_print(*c)) {
		(void)ere_refuse(t, at, "the C locale has no such collating element");
		return ERE_BAD;
	}
	if (kind == '.')
		return ERE_COLLATING;
	b->has[*c] = true;
	return ERE_SET;
}

static enum ere_element ere_element(struct ere_text *t, struct ere_bracket *b, int *c)
{
	int kind = span_at(t->text, t->at + 1);

	*c = ere_peek(t);
	if (*c == '[' && (kind == ':' || kind == '.' || kind == '='))
		return ere_named(t, kind, b, c);
	if (!is_print(*c)) {
		(void)ere_refuse(t, t->at,
				 *c < 0 ? "'[' without ']'"
					: "only printable ASCII can stand here");
		return ERE_BAD;
	}
	t->at++;
	return *c == '-' ? ERE_HYPHEN : ERE_CHARACTER;
}

/** The rest of a range, its hyphen next. */
static bool ere_range(struct ere_text *t, struct ere_bracket *b, uint32_t at, int first)
{
	enum ere_element element;
	int last = -1;

	t->at++;
	element = ere_element(t, b, &last);
	if (element == ERE_BAD)
		return false;
	if (element == ERE_SET || last < first)
		return ere_refuse(t, at,
				  "a range goes from one character to one that is not before it");
	for (int c = first; c <= last; c++)
		b->has[c] = true;
	return true;
}

static bool ere_take_element(struct ere_text *t, struct ere_bracket *b)
{
	uint32_t at = t->at;
	int c = -1;
	enum ere_element element = ere_element(t, b, &c);
	bool last = ere_peek(t) == ']', first = b->first;

	b->first = false;
	if (element == ERE_BAD)
		return false;
	if (element == ERE_HYPHEN && !first && !last)
		return ere_refuse(t, at, "'-' stands first, last, or in a range of two characters");
	if (element == ERE_SET)
		return true;
	if (ere_peek(t) == '-' && span_at(t->text, t->at + 1) != ']')
		return ere_range(t, b, at, c);
	b->has[c] = true;
	return true;
}

static void ere_write_set(struct writer *out, const bool has[256])
{
	writer_u8(out, '[');
	for (int first = 0, last; first < 256; first = last + 1) {
		last = first;
		if (!has[first])
			continue;
		while (last < 255 && has[last + 1])
			last++;
		ere_write_byte(out, (uint8_t)first);
		if (last == first)
			continue;
		writer_u8(out, '-');
		ere_write_byte(out, (uint8_t)last);
	}
	writer_u8(out, ']');
}

/** What follows '['. */
static bool ere_brackets(struct ere_text *t, uint32_t at)
{
	struct ere_bracket b = {.first = true};
	uint32_t out = writer_len(t->out);
	bool others = ere_peek(t) == '^';

	t->at += others;
	do {
		if (!ere_take_element(t, &b))
			return false;
	} while (ere_peek(t) != ']');
	t->at++;
	for (int c = 0; others && c < 256; c++)
		b.has[c] = !b.has[c];
	ere_write_set(t->out, b.has);
	return ere_atom(t, at, out, 1);
}

/* ---- repetition ----------------------------------------------------------------------------- */

#define ERE_NO_END UINT32_MAX

/** Takes a number of an interval; false: there is none. */
static bool ere_number(struct ere_text *t, uint32_t *number)
{
	uint32_t from = t->at;

	*number = 0;
	for (; is_digit(ere_peek(t)); t->at++)
		if (*number <= ERE_REPEAT_MAX)
			*number = *number * 10 + (uint32_t)(ere_peek(t) - '0');
	return t->at > from;
}

/** What follows '{'. */
static bool ere_interval(struct ere_text *t, uint32_t at, uint32_t *min, uint32_t *max)
{
	if (!ere_number(t, min))
		return ere_refuse(t, at, "{n}, {n,} or {n,m} expected, or \\{ for itself");
	*max = *min;
	if (ere_peek(t) == ',') {
		t->at++;
		if (!ere_number(t, max))
			*max = ERE_NO_END;
	}
	if (ere_peek(t) != '}')
		return ere_refuse(t, at, "{n}, {n,} or {n,m} expected, or \\{ for itself");
	t->at++;
	if (*min > ERE_REPEAT_MAX || (*max > ERE_REPEAT_MAX && *max != ERE_NO_END))
		return ere_refuse(t, at, "repeated more than 255 times");
	return *max >= *min || ere_refuse(t, at, "the second number is less than the first");
}

static void ere_write_interval(struct ere_text *t, uint32_t min, uint32_t max)
{
	if (max == 0) { /* which Hyperscan has not */
		t->out->at = t->out->start + t->atom_out;
		writer_text(t->out, "(?:)");
		return;
	}
	writer_u8(t->out, '{');
	writer_decimal(t->out, min);
	if (max != min)
		writer_u8(t->out, ',');
	if (max != min && max != ERE_NO_END)
		writer_decimal(t->out, max);
	writer_u8(t->out, '}');
}

static bool ere_repeat(struct ere_text *t, uint32_t at, int c)
{
	uint32_t min = 0, max = 1, times;

	if (!t->repeatable)
		return ere_refuse(t, at, "nothing before it that can be repeated");
	t->repeatable = false;
	if (c != '{') {
		writer_u8(t->out, (uint8_t)c);
		return true;
	}
	if (!ere_interval(t, at, &min, &max))
		return false;
	ere_write_interval(t, min, max);
	times = max == ERE_NO_END ? min : max;
	return times <= 1 || ere_add_states(t, at, (times - 1) * t->atom_states);
}

/* ---- groups and anchors --------------------------------------------------------------------- */

static bool ere_open(struct ere_text *t, uint32_t at)
{
	if (t->depth == ERE_DEPTH_MAX)
		return ere_refuse(t, at, "groups nested too deep");
	t->depth++;
	*ere_level(t) = (struct ere_level){at, writer_len(t->out), 0, true};
	writer_text(t->out, "(?:");
	t->repeatable = false;
	return true;
}

static bool ere_close(struct ere_text *t, uint32_t at)
{
	struct ere_level *level = ere_level(t);
	uint32_t states = level->states;

	if (t->depth == 0)
		return ere_refuse(t, at, "')' without '('; \\) for itself");
	if (level->empty)
		return ere_refuse(t, at, "nothing before it");
	writer_u8(t->out, ')');
	level->states = 0;
	t->depth--;
	return ere_atom(t, at, level->atom_out, states);
}

static bool ere_or(struct ere_text *t, uint32_t at)
{
	if (ere_level(t)->empty)
		return ere_refuse(t, at, "nothing before it");
	writer_u8(t->out, '|');
	ere_level(t)->empty = true;
	t->repeatable = false;
	return true;
}

/** All of it is anchored: an anchor where it changes nothing is left out. */
static bool ere_anchor(struct ere_text *t, uint32_t at, int c)
{
	int next = ere_peek(t);
	bool edge = c == '^' ? ere_level(t)->empty : next < 0 || next == '|';

	if (t->depth > 0 || !edge)
		return ere_refuse(t, at,
				  "an anchor inside; all of it is anchored, \\ before it for "
				  "the character");
	t->repeatable = false;
	ere_level(t)->empty = false;
	return true;
}

static bool ere_any(struct ere_text *t, uint32_t at)
{
	writer_u8(t->out, '.');
	return ere_atom(t, at, writer_len(t->out) - 1, 1);
}

static bool ere_take(struct ere_text *t)
{
	uint32_t at = t->at;
	int c = ere_peek(t);

	t->at++;
	switch (c) {
	case '\\':
		return ere_escaped(t, at);
	case '[':
		return ere_brackets(t, at);
	case '.':
		return ere_any(t, at);
	case '*':
	case '+':
	case '?':
	case '{':
		return ere_repeat(t, at, c);
	case '(':
		return ere_open(t, at);
	case ')':
		return ere_close(t, at);
	case '|':
		return ere_or(t, at);
	case '^':
	case '$':
		return ere_anchor(t, at, c);
	default:
		return ere_literal(t, at, c);
	}
}

static bool ere_read(struct ere_text *t)
{
	if (t->text.len > ERE_MAX)
		return ere_refuse(t, ERE_MAX, "longer than 256 bytes");
	while (t->at < t->text.len)
		if (!ere_take(t))
			return false;
	if (t->depth > 0)
		return ere_refuse(t, ere_level(t)->opened_at, "'(' without ')'");
	if (ere_level(t)->empty)
		return ere_refuse(t, t->at, "nothing stands here");
	return true;
}

struct ere ere_translate(struct span text, struct writer *out)
{
	struct ere_text t = {.text = text, .out = out, .level[0].empty = true};

	writer_text(out, "(?:");
	if (ere_read(&t) && !writer_ok(out))
		(void)ere_refuse(&t, 0, "too large");
	writer_u8(out, ')');
	t.ere.states = t.level[0].states;
	return t.ere;
}
