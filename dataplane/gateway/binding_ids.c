/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/*
 * The identity set of a binding: canonical, each ended by '\n', the default first, in the middle of
 * its text. The core's 200 brings it, registration events add to it and take from it.
 */

struct span binding_default(const struct binding *b)
{
	struct span ids = span_of(b->text + b->ids_at, b->ids_len);

	return span_cut(ids, 0, span_find(ids, '\n'));
}

/** Where canonical begins in the set; ids_len: it is not there. */
static uint32_t find(const struct binding *b, struct span canonical)
{
	struct span ids = span_of(b->text + b->ids_at, b->ids_len);
	uint32_t at = 0;

	while (at < ids.len) {
		uint32_t len = span_find(span_from(ids, at), '\n');

		if (span_equal(span_cut(ids, at, len), canonical))
			return at;
		at += len + 1;
	}
	return b->ids_len;
}

bool binding_has(const struct binding *b, struct span canonical)
{
	return find(b, canonical) < b->ids_len;
}

/** Bytes of text that lie behind the set: Contact and realm. */
static uint32_t behind(const struct binding *b)
{
	return b->contact_len > 0 ? (uint32_t)b->contact_len + b->realm_len : 0;
}

/** What lies behind the set moves by so many bytes. */
static void move(struct binding *b, uint32_t from, uint32_t to)
{
	if (behind(b) == 0)
		return;
	memmove(b->text + to, b->text + from, behind(b));
	b->contact_at = (uint16_t)(b->contact_at + to - from);
	b->realm_at = (uint16_t)(b->realm_at + to - from);
}

void binding_learn(struct binding *b, const struct identity *impu)
{
	uint32_t end = (uint32_t)b->ids_at + b->ids_len, more = impu->len + 1u;

	if (binding_has(b, identity_span(impu)) || end + more + behind(b) > sizeof(b->text))
		return; /* without room the next 200 may bring it */
	move(b, end, end + more);
	memcpy(b->text + end, impu->text, impu->len);
	b->text[end + impu->len] = '\n';
	b->ids_len = (uint16_t)(b->ids_len + more);
}

bool binding_drop(struct binding *b, const struct identity *impu)
{
	uint32_t at = find(b, identity_span(impu)), less = impu->len + 1u;
	uint32_t end = (uint32_t)b->ids_at + b->ids_len;

	if (at == b->ids_len)
		return true;
	if (b->ids_len == less)
		return false;
	memmove(b->text + b->ids_at + at, b->text + b->ids_at + at + less, b->ids_len - at - less);
	move(b, end, end - less);
	b->ids_len = (uint16_t)(b->ids_len - less);
	return true;
}
