/* SPDX-License-Identifier: BSD-3-Clause */
#include "json_lexer.h"

/* Takes a string, a number or a literal; type and text say which. */
static bool scalar_take(struct span *in, struct json_value *value)
{
	static const struct {
		struct span text;
		enum json_type type;
	} literals[] = {
		{{(const uint8_t *)"true", 4}, JSON_BOOLEAN},
		{{(const uint8_t *)"false", 5}, JSON_BOOLEAN},
		{{(const uint8_t *)"null", 4}, JSON_NULL},
	};
	struct span before = *in;

	if (span_at(*in, 0) == '"') {
		value->type = JSON_STRING;
		return json_string_take(in, &value->text);
	}
	for (uint32_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++)
		if (span_starts(*in, literals[i].text)) {
			*value = (struct json_value){literals[i].type, literals[i].text};
			return span_skip(in, literals[i].text.len);
		}
	if (!json_number_take(in))
		return false;
	*value = (struct json_value){JSON_NUMBER, json_taken(before, *in)};
	return true;
}

/* Where in the document the check is: its open arrays and objects, and their names so far, escapes
 * resolved once: each is compared with all before it. */
struct place {
	struct span rest;
	uint32_t depth;
	struct {
		uint8_t close;	/* '}' or ']' */
		uint32_t names; /* in name[] before this one's own */
	} level[JSON_DEPTH_MAX];
	uint32_t names;
	struct span name[JSON_NAMES_MAX];
	struct writer escaped; /* what names with escapes say */
	uint8_t memory[JSON_ESCAPED_MAX];
};

static bool place_is_object(const struct place *p)
{
	return p->level[p->depth - 1].close == '}';
}

/* Takes "name": of the innermost object and keeps it. False also when the object has it already. */
static bool place_name(struct place *p)
{
	struct span name;

	if (p->names == JSON_NAMES_MAX || !json_string_take(&p->rest, &name) ||
	    !json_mark_take(&p->rest, ':') || !json_string_read(name, &p->escaped, &name))
		return false;
	for (uint32_t i = p->level[p->depth - 1].names; i < p->names; i++)
		if (span_equal(p->name[i], name))
			return false;
	p->name[p->names++] = name;
	return true;
}

static bool place_open(struct place *p, uint8_t close)
{
	if (p->depth == JSON_DEPTH_MAX)
		return false;
	p->level[p->depth].close = close;
	p->level[p->depth].names = p->names;
	p->depth++;
	return span_skip(&p->rest, 1);
}

/* Ends arrays and objects as long as their closing mark comes next. */
static void place_close(struct place *p)
{
	while (p->depth > 0 && json_mark_take(&p->rest, p->level[p->depth - 1].close))
		p->names = p->level[--p->depth].names;
}

/* Takes a scalar, or opens an array or object and moves to its first value. */
static bool place_value(struct place *p, bool *opened)
{
	struct json_value scalar;
	int c;

	json_space_skip(&p->rest);
	c = span_at(p->rest, 0);
	*opened = c == '{' || c == '[';
	if (!*opened)
		return scalar_take(&p->rest, &scalar);
	if (!place_open(p, c == '{' ? '}' : ']'))
		return false;
	json_space_skip(&p->rest);
	c = span_at(p->rest, 0);
	if (c == p->level[p->depth - 1].close)
		*opened = false; /* empty: a value like any other, ended by place_close() */
	else if (place_is_object(p))
		return place_name(p);
	return true;
}

static bool document_check(struct span text)
{
	struct place p;
	bool opened;

	p.rest = text;
	p.depth = 0;
	p.names = 0;
	writer_init(&p.escaped, p.memory, sizeof(p.memory));
	do {
		if (!place_value(&p, &opened))
			return false;
		if (opened)
			continue;
		place_close(&p);
		if (p.depth == 0)
			break;
		if (!json_mark_take(&p.rest, ',') || (place_is_object(&p) && !place_name(&p)))
			return false;
	} while (true);
	json_space_skip(&p.rest);
	return span_at(p.rest, 0) < 0;
}

/* Takes the next value of a checked document, nested ones whole. */
static bool value_take(struct span *in, struct json_value *value)
{
	struct span before, string;
	uint32_t depth = 0;
	uint8_t c = 0;

	json_space_skip(in);
	before = *in;
	if (span_at(*in, 0) != '{' && span_at(*in, 0) != '[')
		return scalar_take(in, value);
	value->type = span_at(*in, 0) == '{' ? JSON_OBJECT : JSON_ARRAY;
	do {
		if (span_at(*in, 0) == '"' ? !json_string_take(in, &string) : !span_u8(in, &c))
			return false;
		if (c == '{' || c == '[')
			depth++;
		if (c == '}' || c == ']')
			depth--;
		c = 0;
	} while (depth > 0);
	value->text = json_taken(before, *in);
	return true;
}

enum gw_err json_read(struct span text, struct json_value *value)
{
	if (!document_check(text) || !value_take(&text, value))
		return GW_TOKEN_JSON;
	return GW_OK;
}

bool json_element_next(struct span *rest, struct json_value *value)
{
	if (!json_mark_take(rest, '[') && !json_mark_take(rest, ','))
		return false;
	json_space_skip(rest);
	return span_at(*rest, 0) != ']' && value_take(rest, value);
}

bool json_member_next(struct span *rest, struct span *name, struct json_value *value)
{
	if (!json_mark_take(rest, '{') && !json_mark_take(rest, ','))
		return false;
	return json_string_take(rest, name) && json_mark_take(rest, ':') && value_take(rest, value);
}

bool json_member_find(struct json_value object, struct span name, struct json_value *value)
{
	struct span rest = object.text, seen;

	while (json_member_next(&rest, &seen, value))
		if (json_string_equal(seen, name))
			return true;
	return false;
}
