/* SPDX-License-Identifier: BSD-3-Clause */
#include "wildcard.h"

#include "canonical.h"

/** Where the parts of a wildcard lie in its text. */
struct wildcard_text {
	struct span text;
	bool tel;
	uint32_t prefix, open, close, host; /* offsets; host: of what follows '@' */
};

static bool wildcard_refuse(struct wildcard *w, uint32_t at, const char *why)
{
	w->why = why;
	w->at = at;
	return false;
}

static bool wildcard_scheme(struct wildcard_text *t, struct wildcard *w)
{
	t->tel = span_equal_nocase(span_cut(t->text, 0, 4), SPAN("tel:"));
	t->prefix = 4;
	return t->tel || span_equal_nocase(span_cut(t->text, 0, 4), SPAN("sip:")) ||
	       wildcard_refuse(w, 0, "\"sip:\" or \"tel:\" expected");
}

/** The outermost pair delimits, so that the fixed parts have none and the expression may have any.
 */
static bool wildcard_delimiters(struct wildcard_text *t, struct wildcard *w)
{
	t->open = span_find(t->text, '!');
	t->close = t->open;
	for (uint32_t i = t->open; i < t->text.len; i++)
		if (t->text.at[i] == '!')
			t->close = i;
	return t->close > t->open ||
	       wildcard_refuse(w, t->open, "an expression between two '!' expected");
}

/** Fixed text of a user: what would end it there, or have a meaning of its own, is not part of it.
 */
static bool wildcard_is_fixed(const struct wildcard_text *t, uint32_t from, uint32_t to,
			      struct wildcard *w)
{
	for (uint32_t i = from; i < to; i++)
		if (t->text.at[i] == '@' || t->text.at[i] == ':')
			return wildcard_refuse(w, i,
					       "a user or a number expected, and '@' only "
					       "before the host");
	return true;
}

/** Behind '@' a host and nothing else. */
static bool wildcard_host(struct wildcard_text *t, struct wildcard *w)
{
	uint32_t at = t->close + span_find(span_from(t->text, t->close), '@');

	t->host = at + 1;
	if (at >= t->text.len)
		return wildcard_refuse(w, t->text.len, "'@' and a host expected");
	if (span_at(t->text, t->host) == '[')
		at += span_find(span_from(t->text, at), ']');
	for (uint32_t i = at; i < t->text.len; i++)
		if (strchr(":;?", t->text.at[i]) != NULL)
			return wildcard_refuse(w, i, "a wildcard has no port and no parameters");
	return wildcard_is_fixed(t, t->close, t->host - 1, w);
}

/* ---- fixed parts ---------------------------------------------------------------------------- */

/** The canonical user of "sip:" user "x@" host, without the x. */
static bool wildcard_user(struct span user, struct writer *out)
{
	uint8_t uri[2048], canonical[IDENTITY_MAX];
	struct writer w, c;
	struct span made;

	writer_init(&w, uri, sizeof(uri));
	writer_init(&c, canonical, sizeof(canonical));
	writer_text(&w, "sip:");
	writer_put(&w, user);
	writer_text(&w, "x@x");
	if (!writer_ok(&w) || identity_canonical_impu(writer_span(&w), &c) != GW_OK)
		return false;
	made = span_from(writer_span(&c), 4);
	writer_put(out, span_cut(made, 0, span_find(made, '@') - 1));
	return writer_ok(out);
}

static bool wildcard_canonical_host(struct span host, struct writer *out)
{
	uint8_t uri[2048], canonical[IDENTITY_MAX];
	struct writer w, c;

	writer_init(&w, uri, sizeof(uri));
	writer_init(&c, canonical, sizeof(canonical));
	writer_text(&w, "sip:x@");
	writer_put(&w, host);
	if (!writer_ok(&w) || identity_canonical_impu(writer_span(&w), &c) != GW_OK)
		return false;
	writer_put(out, span_from(writer_span(&c), 6));
	return writer_ok(out);
}

/** Digits, behind a '+' where it begins the number; visual separators left out (RFC 3966 5.1.1). */
static bool wildcard_number(struct span number, bool begins, struct writer *out)
{
	for (uint32_t i = 0; i < number.len; i++) {
		uint8_t c = number.at[i];

		if (c >= '0' && c <= '9')
			writer_u8(out, c);
		else if (begins && i == 0 && c == '+')
			writer_u8(out, c);
		else if (c == '\0' || strchr("-.()", c) == NULL)
			return false;
	}
	return number.len == 0 || !begins || number.at[0] == '+';
}

static bool wildcard_prefix(const struct wildcard_text *t, struct arena *arena, struct wildcard *w)
{
	struct span fixed = span_cut(t->text, t->prefix, t->open - t->prefix);
	uint8_t text[IDENTITY_MAX];
	struct writer out;

	writer_init(&out, text, sizeof(text));
	writer_text(&out, t->tel ? "tel:" : "sip:");
	if (!(t->tel ? wildcard_number(fixed, true, &out) : wildcard_user(fixed, &out)))
		return wildcard_refuse(w, t->prefix,
				       t->tel ? "'+' and digits expected before the expression"
					      : "not what a user begins with");
	w->prefix = span_of(arena_text(arena, text, writer_len(&out)), writer_len(&out));
	return true;
}

static bool wildcard_suffix(const struct wildcard_text *t, struct arena *arena, struct wildcard *w)
{
	uint32_t from = t->close + 1, end = t->tel ? t->text.len : t->host - 1, user;
	struct span fixed = span_cut(t->text, from, end - from);
	uint8_t text[IDENTITY_MAX];
	struct writer out;

	writer_init(&out, text, sizeof(text));
	if (!(t->tel ? wildcard_number(fixed, false, &out) : wildcard_user(fixed, &out)))
		return wildcard_refuse(w, from,
				       t->tel ? "digits expected behind the expression"
					      : "not what a user ends with");
	writer_text(&out, t->tel ? "" : "@");
	user = writer_len(&out);
	if (!t->tel && !wildcard_canonical_host(span_from(t->text, t->host), &out))
		return wildcard_refuse(w, t->host, "not a host");
	w->suffix = span_of(arena_text(arena, text, writer_len(&out)), writer_len(&out));
	w->host = span_from(w->suffix, user);
	return w->prefix.len + w->suffix.len <= IDENTITY_MAX ||
	       wildcard_refuse(w, 0, "longer than identities may be");
}

/* ---- what is made of it --------------------------------------------------------------------- */

/** Characters of an expression that may stand in a user as they are (RFC 3261 25.1). */
static bool wildcard_stands(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       strchr("-_.!~*'()&=+$,;?/", c) != NULL;
}

static void wildcard_texts(struct wildcard *w, struct span ere, struct arena *arena)
{
	uint8_t text[2 * IDENTITY_MAX + 3 * ERE_MAX];
	struct writer out;

	writer_init(&out, text, sizeof(text));
	writer_put(&out, w->prefix);
	writer_text(&out, "!");
	writer_put(&out, ere);
	writer_text(&out, "!");
	writer_put(&out, w->suffix);
	w->text = span_of(arena_text(arena, text, writer_len(&out)), writer_len(&out));

	writer_init(&out, text, sizeof(text));
	writer_put(&out, w->prefix);
	writer_text(&out, "!");
	for (uint32_t i = 0; i < ere.len; i++) {
		if (wildcard_stands(ere.at[i])) {
			writer_u8(&out, ere.at[i]);
			continue;
		}
		writer_u8(&out, '%');
		writer_u8(&out, (uint8_t) "0123456789ABCDEF"[ere.at[i] >> 4]);
		writer_u8(&out, (uint8_t) "0123456789ABCDEF"[ere.at[i] & 15]);
	}
	writer_text(&out, "!");
	writer_put(&out, w->suffix);
	w->literal = span_of(arena_text(arena, text, writer_len(&out)), writer_len(&out));
}

static bool wildcard_expression(struct span ere, uint32_t at, struct arena *arena,
				struct wildcard *w)
{
	uint8_t text[ERE_WRITTEN_MAX + 8 * IDENTITY_MAX];
	struct writer out;
	struct ere made;

	writer_init(&out, text, sizeof(text));
	writer_text(&out, "\\A");
	ere_quote(w->prefix, &out);
	made = ere_translate(ere, &out);
	ere_quote(w->suffix, &out);
	writer_text(&out, "\\z");
	if (made.why != NULL)
		return wildcard_refuse(w, at + made.at, made.why);
	w->expression = arena_text(arena, text, writer_len(&out));
	return writer_ok(&out) || wildcard_refuse(w, at, "too large");
}

struct wildcard wildcard_read(struct span text, struct arena *arena)
{
	struct wildcard_text t = {.text = text};
	struct wildcard w = {0};
	struct span ere;

	if (!wildcard_scheme(&t, &w) || !wildcard_delimiters(&t, &w) ||
	    !wildcard_is_fixed(&t, t.prefix, t.open, &w) || (!t.tel && !wildcard_host(&t, &w)) ||
	    !wildcard_prefix(&t, arena, &w) || !wildcard_suffix(&t, arena, &w))
		return w;
	ere = span_cut(text, t.open + 1, t.close - t.open - 1);
	if (wildcard_expression(ere, t.open + 1, arena, &w))
		wildcard_texts(&w, ere, arena);
	return w;
}
