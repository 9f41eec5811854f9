/* SPDX-License-Identifier: BSD-3-Clause */
#include "sip/text.h"

static void fail(struct sip_splice *s, enum gw_err err)
{
	if (s->err == GW_OK)
		s->err = err;
}

/* Edits are kept in order of place; those at one place in the order in which they were made, with
 * Content-Length last, which was made first. */
static bool goes_before(const struct sip_edit *edit, const struct sip_edit *other)
{
	return edit->at < other->at || (edit->at == other->at && other->kind == SIP_EDIT_LENGTH);
}

static void add(struct sip_splice *s, struct sip_edit edit)
{
	uint32_t i = s->count;

	if (s->count == SIP_EDITS_MAX) {
		fail(s, GW_SIP_EDITS_MANY);
		return;
	}
	for (; i > 0 && goes_before(&edit, &s->edit[i - 1]); i--)
		s->edit[i] = s->edit[i - 1];
	s->edit[i] = edit;
	s->count++;
}

/* Offset of part in the original. False when part is not cut from its start line and headers. */
static bool locate(const struct sip_message *m, struct span part, uint32_t *at)
{
	uint32_t head = m->start_line.len + m->headers.len;
	uintptr_t distance = (uintptr_t)part.at - (uintptr_t)m->text.at;

	if (distance > head || part.len > head - distance)
		return false;
	*at = (uint32_t)distance;
	return true;
}

static void add_part(struct sip_splice *s, struct span part, struct span text,
		     enum sip_edit_kind kind)
{
	struct sip_edit edit = {.drop = part.len, .text = text, .kind = kind};

	if (locate(s->m, part, &edit.at))
		add(s, edit);
	else
		fail(s, GW_INVARIANT);
}

static struct span headers_end(const struct sip_message *m)
{
	return span_from(m->headers, m->headers.len);
}

void sip_splice_init(struct sip_splice *s, const struct sip_message *m)
{
	const struct sip_field *length = sip_first(m, SIP_HEADER_CONTENT_LENGTH);

	memset(s, 0, offsetof(struct sip_splice, edit));
	s->m = m;
	add_part(s, length == NULL ? headers_end(m) : length->line, SPAN(""), SIP_EDIT_LENGTH);
	while (length != NULL && (length = sip_next(m, length)) != NULL)
		add_part(s, length->line, SPAN(""), SIP_EDIT_TEXT);
}

void sip_splice_replace(struct sip_splice *s, struct span part, struct span text)
{
	add_part(s, part, text, SIP_EDIT_TEXT);
}

void sip_splice_remove(struct sip_splice *s, const struct sip_field *field)
{
	if (field->id != SIP_HEADER_CONTENT_LENGTH)
		add_part(s, field->line, SPAN(""), SIP_EDIT_TEXT);
}

void sip_splice_remove_all(struct sip_splice *s, enum sip_header id)
{
	const struct sip_field *field = sip_first(s->m, id);

	for (; field != NULL; field = sip_next(s->m, field))
		sip_splice_remove(s, field);
}

void sip_splice_insert_top(struct sip_splice *s, struct span lines)
{
	add_part(s, span_cut(s->m->headers, 0, 0), lines, SIP_EDIT_TEXT);
}

void sip_splice_insert_before(struct sip_splice *s, const struct sip_field *field,
			      struct span lines)
{
	add_part(s, span_cut(field->line, 0, 0), lines, SIP_EDIT_TEXT);
}

void sip_splice_append(struct sip_splice *s, struct span lines)
{
	add_part(s, headers_end(s->m), lines, SIP_EDIT_TEXT);
}

void sip_splice_body(struct sip_splice *s, struct span body)
{
	s->body_replaced = true;
	s->body = body;
}

/* ---- removal of list elements: a run of removed neighbours is one edit */

/* What parts two elements. */
static bool is_gap(int c)
{
	return c == ',' || sip_text_is_space(c);
}

/* Offset in value of the element that starts at or after from, or value.len. */
static uint32_t next_start(struct span value, uint32_t from)
{
	while (is_gap(span_at(value, from)))
		from++;
	return from;
}

/* Offset in value after the element that ends at or before to, or 0. */
static uint32_t previous_end(struct span value, uint32_t to)
{
	while (to > 0 && is_gap(span_at(value, to - 1)))
		to--;
	return to;
}

/* The removal of elements that covers offset at of the message, or NULL. */
static struct sip_edit *removal_at(struct sip_splice *s, uint32_t at)
{
	for (uint32_t i = 0; i < s->count; i++) {
		struct sip_edit *edit = &s->edit[i];

		if (edit->kind == SIP_EDIT_ELEMENT && at >= edit->at && at - edit->at < edit->drop)
			return edit;
	}
	return NULL;
}

/* Takes edit back. */
static void withdraw(struct sip_splice *s, struct sip_edit *edit)
{
	const struct sip_edit *end = &s->edit[s->count--];

	for (; edit + 1 < end; edit++)
		edit[0] = edit[1];
}

/* Widens the element at [*from, *to) of value, which lies at offset base of the message, over
 * neighbours that are removed already. */
static void join_neighbours(struct sip_splice *s, struct span value, uint32_t base, uint32_t *from,
			    uint32_t *to)
{
	uint32_t before = previous_end(value, *from), after = next_start(value, *to);
	struct sip_edit *left = before > 0 ? removal_at(s, base + before - 1) : NULL;

	if (left != NULL) {
		*from = left->at - base;
		withdraw(s, left);
	}
	struct sip_edit *right = after < value.len ? removal_at(s, base + after) : NULL;
	if (right != NULL) {
		*to = right->at + right->drop - base;
		withdraw(s, right);
	}
}

void sip_splice_remove_element(struct sip_splice *s, const struct sip_field *field,
			       struct span element)
{
	struct span value = field->value, part = field->line;
	uint32_t base, at, from, to, before, after;

	if (!locate(s->m, value, &base) || !locate(s->m, element, &at) || at < base ||
	    element.len == 0 || at - base + element.len > value.len) {
		fail(s, GW_INVARIANT);
		return;
	}
	if (removal_at(s, at) != NULL)
		return;
	from = at - base;
	to = from + element.len;
	join_neighbours(s, value, base, &from, &to);
	before = previous_end(value, from);
	after = next_start(value, to);
	if (after < value.len)
		part = span_cut(value, from, after - from); /* with the comma behind */
	else if (before > 0)
		part = span_cut(value, before, to - before); /* the last: the comma before */
	add_part(s, part, SPAN(""), SIP_EDIT_ELEMENT);
}

/* ---- writing */

static void write_edit(const struct sip_edit *edit, uint32_t body_len, struct writer *out)
{
	writer_put(out, edit->text);
	if (edit->kind != SIP_EDIT_LENGTH)
		return;
	writer_text(out, "Content-Length: ");
	writer_decimal(out, body_len);
	writer_text(out, "\r\n");
}

/* Writes start line and headers. GW_INVARIANT: two edits drop the same bytes, or one inserts into
 * what another drops. */
static enum gw_err write_head(const struct sip_splice *s, uint32_t body_len, struct writer *out)
{
	struct span head = span_cut(s->m->text, 0, s->m->start_line.len + s->m->headers.len);
	uint32_t done = 0, i = 0;

	while (i < s->count) {
		uint32_t at = s->edit[i].at, drop = 0;

		if (at < done)
			return GW_INVARIANT;
		writer_put(out, span_cut(head, done, at - done));
		for (; i < s->count && s->edit[i].at == at; i++) {
			if (drop > 0 && s->edit[i].drop > 0)
				return GW_INVARIANT;
			drop += s->edit[i].drop;
			write_edit(&s->edit[i], body_len, out);
		}
		done = at + drop;
	}
	writer_put(out, span_from(head, done));
	return GW_OK;
}

enum gw_err sip_splice_write(struct sip_splice *s, struct writer *out)
{
	struct span body = s->body_replaced ? s->body : s->m->body;
	struct writer message = *out;
	enum gw_err err = s->err;

	if (err == GW_OK)
		err = write_head(s, body.len, &message);
	if (err != GW_OK)
		return err;
	writer_text(&message, "\r\n");
	writer_put(&message, body);
	if (!writer_ok(&message))
		return GW_NO_ROOM;
	*out = message;
	return GW_OK;
}
