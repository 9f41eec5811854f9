/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_COLUMNS_MAX = 32, TABLE_CELL_MAX = 256 };

/** Some texts are those of other people's servers: what moves a terminal's cursor becomes '?'. */
static void table_calm(char *cell)
{
	for (uint8_t *c = (uint8_t *)cell; *c != '\0'; c++) {
		if (*c < ' ' || *c == 0x7f)
			*c = '?';
		else if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) /* U+0080 to U+009F */
			c[0] = c[1] = '?';
	}
}

/** Text of a value, cut when it is longer than a cell. */
static void table_cell(const json_t *value, char cell[TABLE_CELL_MAX])
{
	char item[TABLE_CELL_MAX];
	size_t used = 0;

	cell[0] = '\0';
	if (json_is_string(value))
		snprintf(cell, TABLE_CELL_MAX, "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(cell, TABLE_CELL_MAX, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		snprintf(cell, TABLE_CELL_MAX, "%s", json_is_true(value) ? "yes" : "no");
	for (size_t i = 0; i < json_array_size(value); i++) {
		const json_t *element = json_array_get(value, i);

		if (json_is_string(element))
			snprintf(item, sizeof(item), "%s", json_string_value(element));
		else
			snprintf(item, sizeof(item), "%lld",
				 (long long)json_integer_value(element));
		if (used + strlen(item) + 2 > TABLE_CELL_MAX)
			break;
		used += (size_t)snprintf(cell + used, TABLE_CELL_MAX - used, "%s%s",
					 i > 0 ? "," : "", item);
	}
	table_calm(cell);
}

struct columns {
	uint32_t count;
	const char *name[TABLE_COLUMNS_MAX];
	int width[TABLE_COLUMNS_MAX];
};

static void table_measure(const json_t *rows, struct columns *columns)
{
	json_t *first = json_array_get(rows, 0);
	char cell[TABLE_CELL_MAX];

	for (void *i = json_object_iter(first); i != NULL && columns->count < TABLE_COLUMNS_MAX;
	     i = json_object_iter_next(first, i)) {
		columns->name[columns->count] = json_object_iter_key(i);
		columns->width[columns->count++] = (int)strlen(json_object_iter_key(i));
	}
	for (size_t r = 0; r < json_array_size(rows); r++) {
		for (uint32_t c = 0; c < columns->count; c++) {
			table_cell(json_object_get(json_array_get(rows, r), columns->name[c]),
				   cell);
			if ((int)strlen(cell) > columns->width[c])
				columns->width[c] = (int)strlen(cell);
		}
	}
}

static void table_rows(const json_t *rows, FILE *out)
{
	struct columns columns = {0};
	char cell[TABLE_CELL_MAX];

	table_measure(rows, &columns);
	for (uint32_t c = 0; c < columns.count; c++)
		fprintf(out, "%-*s%s", c + 1 < columns.count ? columns.width[c] : 0,
			columns.name[c], c + 1 < columns.count ? "  " : "\n");
	for (size_t r = 0; r < json_array_size(rows); r++) {
		for (uint32_t c = 0; c < columns.count; c++) {
			table_cell(json_object_get(json_array_get(rows, r), columns.name[c]), cell);
			fprintf(out, "%-*s%s", c + 1 < columns.count ? columns.width[c] : 0, cell,
				c + 1 < columns.count ? "  " : "\n");
		}
	}
}

static void table_object(json_t *object, FILE *out)
{
	char cell[TABLE_CELL_MAX];
	int width = 0;

	for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i))
		if ((int)strlen(json_object_iter_key(i)) > width)
			width = (int)strlen(json_object_iter_key(i));
	for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i)) {
		const json_t *value = json_object_iter_value(i);

		if (json_is_array(value) && json_is_string(json_array_get(value, 0))) {
			for (size_t k = 0; k < json_array_size(value); k++)
				fprintf(out, "%-*s  %s\n", width, json_object_iter_key(i),
					json_string_value(json_array_get(value, k)));
			continue;
		}
		if (json_is_array(value) && json_array_size(value) == 0)
			continue;
		table_cell(value, cell);
		fprintf(out, "%-*s  %s\n", width, json_object_iter_key(i), cell);
	}
}

void table_print(const json_t *answer, FILE *out)
{
	/* json_object_iter() takes a writable object although it does not write */
	json_t *copy = json_copy((json_t *)(uintptr_t)answer);

	for (void *i = json_object_iter(copy); i != NULL; i = json_object_iter_next(copy, i)) {
		json_t *value = json_object_iter_value(i);

		if (json_is_array(value) && json_array_size(value) == 0)
			fprintf(out, "no %s\n", json_object_iter_key(i));
		else if (json_is_array(value))
			table_rows(value, out);
		else if (json_is_object(value))
			table_object(value, out);
		else if (json_is_true(value))
			fprintf(out, "(%s)\n", json_object_iter_key(i));
	}
	json_decref(copy);
}
