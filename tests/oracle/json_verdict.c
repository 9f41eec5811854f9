/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_oracle.h"
#include "token/json.h"

/*
 * json_verdict < lines of hexadecimal > lines "READING JANSSON"
 *
 * What our reader and jansson make of documents. READING is "-" when we refuse one, else its values
 * in the order they are written: n, t and f for null, true and false; # number : date ; for a
 * number as written and json_date() of it; " hexadecimal of what a string says ; arrays as [ ], and
 * objects as { name value ... }. JANSSON is "yes" or "no".
 */

enum { DOCUMENT_MAX = 65536 };

static void string_print(struct span text)
{
	static uint8_t room[DOCUMENT_MAX];
	struct writer scratch;
	struct span says;

	writer_init(&scratch, room, sizeof(room));
	if (!json_string_read(text, &scratch, &says))
		abort();
	putchar('"');
	for (uint32_t i = 0; i < says.len; i++)
		printf("%02x", says.at[i]);
	putchar(';');
}

/* true, when value is an array or object to be walked */
static bool scalar_print(struct json_value value)
{
	switch (value.type) {
	case JSON_NULL:
	case JSON_BOOLEAN:
		putchar(value.text.at[0]);
		return false;
	case JSON_NUMBER:
		printf("#%.*s:%llu;", (int)value.text.len, value.text.at,
		       (unsigned long long)json_date(value.text));
		return false;
	case JSON_STRING:
		string_print(value.text);
		return false;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	putchar(value.type == JSON_ARRAY ? '[' : '{');
	return true;
}

/* The next value of an open array or object; its name is printed. False at the end. */
static bool next_print(struct json_value *open, struct json_value *value)
{
	struct span name;

	if (open->type == JSON_ARRAY)
		return json_element_next(&open->text, value);
	if (!json_member_next(&open->text, &name, value))
		return false;
	string_print(name);
	return true;
}

static void reading_print(struct span text)
{
	struct json_value open[JSON_DEPTH_MAX], value;
	uint32_t depth = 0;

	if (json_read(text, &value) != GW_OK) {
		putchar('-');
		return;
	}
	if (scalar_print(value))
		open[depth++] = value;
	while (depth > 0) {
		if (!next_print(&open[depth - 1], &value))
			putchar(open[--depth].type == JSON_ARRAY ? ']' : '}');
		else if (scalar_print(value))
			open[depth++] = value;
	}
}

/* The octets of a line, in its place. */
static size_t hex_read(char *line)
{
	size_t len = 0;
	unsigned int octet;

	while (sscanf(line + 2 * len, "%2x", &octet) == 1)
		((uint8_t *)line)[len++] = (uint8_t)octet;
	return len;
}

int main(void)
{
	static char line[2 * DOCUMENT_MAX + 2];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		size_t len = hex_read(line);

		reading_print(span_of((uint8_t *)line, (uint32_t)len));
		printf(" %s\n", json_oracle_accepts((uint8_t *)line, len) ? "yes" : "no");
	}
	return 0;
}
