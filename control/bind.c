/* SPDX-License-Identifier: BSD-3-Clause */
#include "bind.h"

#include <string.h>

/* Recursion below follows the option table, four levels deep, never the input. */

enum { BIND_PATH_MAX = 128, BIND_WORD_MAX = 64 };

struct bind {
	const char *file;
	struct arena *arena;
	struct problems *problems;
};

static void bind_mapping(const struct bind *b, const struct yaml_node *node, const char *parent,
			 void *base);

static uint8_t *bind_at(void *base, const struct option *option)
{
	return (uint8_t *)base + option->at;
}

#define bind_refuse(b, line, ...) \
	problems_add((b)->problems, PROBLEM_ERROR, (b)->file, line, __VA_ARGS__)

/* ---- unknown keys -------------------------------------------------------------------------- */

/** Levenshtein distance; names longer than the row are as far as can be. */
static uint32_t bind_distance(const char *a, const char *b)
{
	uint32_t row[BIND_WORD_MAX];
	uint32_t len = (uint32_t)strnlen(b, BIND_WORD_MAX);

	if (len >= BIND_WORD_MAX)
		return UINT32_MAX;
	for (uint32_t i = 0; i <= len; i++)
		row[i] = i;
	for (uint32_t i = 0; a[i] != '\0' && i < BIND_WORD_MAX; i++) {
		uint32_t diagonal = row[0];

		row[0] = i + 1;
		for (uint32_t j = 0; j < len; j++) {
			uint32_t best = diagonal + (a[i] != b[j]);

			best = row[j] + 1 < best ? row[j] + 1 : best;
			best = row[j + 1] + 1 < best ? row[j + 1] + 1 : best;
			diagonal = row[j + 1];
			row[j + 1] = best;
		}
	}
	return row[len];
}

/** The key of parent that comes nearest to a mistyped one, or NULL when none is near. */
static const char *bind_nearest(const char *parent, const char *key)
{
	const char *nearest = NULL;
	uint32_t best = 3;

	for (uint32_t i = 0; option_at(i) != NULL; i++) {
		const char *leaf = option_leaf(option_at(i));
		uint32_t distance;

		if (!option_in(option_at(i), parent))
			continue;
		distance = bind_distance(key, leaf);
		if (distance < best && distance < strlen(leaf)) {
			best = distance;
			nearest = leaf;
		}
	}
	return nearest;
}

static bool bind_known(const char *parent, const char *key)
{
	for (uint32_t i = 0; option_at(i) != NULL; i++)
		if (option_in(option_at(i), parent) && strcmp(option_leaf(option_at(i)), key) == 0)
			return true;
	return false;
}

static void bind_refuse_unknown(const struct bind *b, const struct yaml_node *node,
				const char *parent)
{
	const char *dot = parent[0] == '\0' ? "" : ".";
	const char *nearest;

	for (const struct yaml_node *n = node->first; n != NULL; n = n->next) {
		if (bind_known(parent, n->key))
			continue;
		nearest = bind_nearest(parent, n->key);
		if (nearest == NULL)
			bind_refuse(b, n->key_line, "unknown key \"%s%s%s\"", parent, dot, n->key);
		else
			bind_refuse(b, n->key_line, "unknown key \"%s%s%s\", did you mean \"%s\"?",
				    parent, dot, n->key, nearest);
	}
}

/* ---- values -------------------------------------------------------------------------------- */

static bool bind_decimal(const struct yaml_node *node, uint64_t *value)
{
	uint64_t sum = 0;
	uint32_t n = 0;

	if (node->kind != YAML_SCALAR || !node->plain)
		return false;
	for (; node->text[n] >= '0' && node->text[n] <= '9' && n < 19; n++)
		sum = sum * 10 + (uint64_t)(node->text[n] - '0');
	*value = sum;
	return n > 0 && node->text[n] == '\0';
}

static void bind_number(const struct bind *b, const struct option *option,
			const struct yaml_node *node, struct option_number *number)
{
	bool list = option->type == OPTION_NUMBERS;
	uint64_t min = list ? 0 : option->min, max = list ? UINT16_MAX : option->max;
	uint64_t value;

	number->line = node->line;
	if (!bind_decimal(node, &value))
		bind_refuse(b, node->line, "%s: a number expected", option->path);
	else if (value < min || value > max)
		bind_refuse(b, node->line, "%s: %llu is out of range %llu..%llu", option->path,
			    (unsigned long long)value, (unsigned long long)min,
			    (unsigned long long)max);
	else
		number->value = value;
}

static void bind_text(const struct bind *b, const struct option *option,
		      const struct yaml_node *node, struct option_text *text)
{
	size_t len;

	*text = (struct option_text){"", node->line};
	if (node->kind != YAML_SCALAR) {
		bind_refuse(b, node->line, "%s: a text expected", option->path);
		return;
	}
	len = strlen(node->text);
	if (len < option->min)
		bind_refuse(b, node->line, "%s: empty", option->path);
	else if (len > option->max)
		bind_refuse(b, node->line, "%s: longer than %llu bytes", option->path,
			    (unsigned long long)option->max);
	else
		text->text = node->text;
}

static void bind_bool(const struct bind *b, const struct option *option,
		      const struct yaml_node *node, struct option_number *number)
{
	bool scalar = node->kind == YAML_SCALAR && node->plain;

	number->line = node->line;
	if (scalar && strcmp(node->text, "true") == 0)
		number->value = 1;
	else if (scalar && strcmp(node->text, "false") == 0)
		number->value = 0;
	else
		bind_refuse(b, node->line, "%s: true or false expected", option->path);
}

static void bind_refuse_choice(const struct bind *b, const struct option *option,
			       const struct yaml_node *node)
{
	char words[256] = "", word[BIND_WORD_MAX];
	size_t used = 0;

	for (uint32_t i = 0; option_choice(option, i, word, sizeof(word)); i++) {
		if (used + strlen(word) + 3 > sizeof(words))
			break;
		used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%s",
					 i > 0 ? ", " : "", word);
	}
	bind_refuse(b, node->line, "%s: \"%s\" is none of %s", option->path, node->text, words);
}

static void bind_choice(const struct bind *b, const struct option *option,
			const struct yaml_node *node, struct option_number *number)
{
	char word[BIND_WORD_MAX];

	number->line = node->line;
	if (node->kind != YAML_SCALAR) {
		bind_refuse(b, node->line, "%s: a text expected", option->path);
		return;
	}
	for (uint32_t i = 0; option_choice(option, i, word, sizeof(word)); i++) {
		if (strcmp(word, node->text) != 0)
			continue;
		if (i >= option->built)
			bind_refuse(b, node->line, "%s %s: not in this version",
				    option_leaf(option), word);
		number->value = i;
		return;
	}
	bind_refuse_choice(b, option, node);
}

static void bind_element(const struct bind *b, const struct option *option,
			 const struct yaml_node *node, void *element)
{
	char parent[BIND_PATH_MAX];

	switch (option->type) {
	case OPTION_TEXTS:
		bind_text(b, option, node, element);
		break;
	case OPTION_NUMBERS:
		bind_number(b, option, node, element);
		break;
	default:
		snprintf(parent, sizeof(parent), "%s[]", option->path);
		bind_mapping(b, node, parent, element);
		break;
	}
}

static void bind_list(const struct bind *b, const struct option *option,
		      const struct yaml_node *node, struct option_list *list)
{
	size_t size = option_element_size(option);
	bool bounded = option->type != OPTION_TEXTS;
	uint32_t i = 0;

	list->line = node->line;
	if (node->kind != YAML_LIST) {
		bind_refuse(b, node->line, "%s: a list expected", option->path);
		return;
	}
	if (node->count == 0 && (option->preset == NULL || (bounded && option->min > 0)))
		bind_refuse(b, node->line, "%s: at least one expected", option->path);
	if (bounded && node->count > option->max) {
		bind_refuse(b, node->line, "%s: more than %llu", option->path,
			    (unsigned long long)option->max);
		return;
	}
	list->at = arena_get(b->arena, node->count * size);
	list->count = node->count;
	for (const struct yaml_node *n = node->first; n != NULL; n = n->next, i++)
		bind_element(b, option, n, (uint8_t *)list->at + i * size);
}

static void bind_value(const struct bind *b, const struct option *option,
		       const struct yaml_node *node, void *base)
{
	void *at = bind_at(base, option);

	switch (option->type) {
	case OPTION_MAP:
		bind_mapping(b, node, option->path, base);
		break;
	case OPTION_TEXT:
		bind_text(b, option, node, at);
		break;
	case OPTION_NUMBER:
		bind_number(b, option, node, at);
		break;
	case OPTION_BOOL:
		bind_bool(b, option, node, at);
		break;
	case OPTION_CHOICE:
		bind_choice(b, option, node, at);
		break;
	case OPTION_LIST:
	case OPTION_TEXTS:
	case OPTION_NUMBERS:
		bind_list(b, option, node, at);
		break;
	}
}

/* ---- defaults, and what is not built yet --------------------------------------------------- */

/** The default of option as a tree; line stands for where it would have been written. */
static struct yaml_node bind_preset(const struct bind *b, const struct option *option,
				    uint32_t line)
{
	const struct yaml_node *node =
		yaml_read_text(option->path, span_text(option->preset), b->arena, b->problems);
	struct yaml_node preset = *node;

	preset.line = line;
	return preset;
}

static bool bind_same(const struct yaml_node *a, const struct yaml_node *b)
{
	if (a->kind != b->kind || a->count != b->count)
		return false;
	return a->kind == YAML_SCALAR ? strcmp(a->text, b->text) == 0 : a->count == 0;
}

static void bind_option(const struct bind *b, const struct option *option,
			const struct yaml_node *map, void *base)
{
	const struct yaml_node *node = yaml_find(map, option_leaf(option));
	struct yaml_node preset;

	if (option->preset == NULL) {
		if (node == NULL) {
			bind_refuse(b, map->line, "%s: missing, it has no default", option->path);
			if (option->type == OPTION_TEXT)
				*(struct option_text *)(void *)bind_at(base, option) =
					(struct option_text){"", map->line};
			return;
		}
		bind_value(b, option, node, base);
		return;
	}
	preset = bind_preset(b, option, map->line);
	if (node != NULL && option->when == OPTION_LATER && !bind_same(node, &preset)) {
		bind_refuse(b, node->line, "%s: not in this version, leave it at %s", option->path,
			    option->preset);
		node = NULL;
	}
	bind_value(b, option, node != NULL ? node : &preset, base);
}

static void bind_mapping(const struct bind *b, const struct yaml_node *node, const char *parent,
			 void *base)
{
	struct yaml_node empty = {.kind = YAML_MAP, .line = node->line};

	if (node->kind != YAML_MAP) {
		bind_refuse(b, node->line, "%s: a mapping expected",
			    parent[0] == '\0' ? "configuration" : parent);
		node = &empty;
	}
	bind_refuse_unknown(b, node, parent);
	for (uint32_t i = 0; option_at(i) != NULL; i++)
		if (option_in(option_at(i), parent))
			bind_option(b, option_at(i), node, base);
}

void bind_tree(const char *file, const struct yaml_node *tree, struct arena *arena,
	       struct problems *problems, void *base)
{
	const struct bind b = {.file = file, .arena = arena, .problems = problems};

	bind_mapping(&b, tree, "", base);
}

/* ---- comparing ----------------------------------------------------------------------------- */

struct comparison {
	enum option_when when;
	bind_difference *difference;
	void *context;
};

static void bind_compare_in(const struct comparison *c, const char *parent, const uint8_t *a,
			    const uint8_t *b);

static bool bind_same_text(const uint8_t *a, const uint8_t *b)
{
	return strcmp(((const struct option_text *)(const void *)a)->text,
		      ((const struct option_text *)(const void *)b)->text) == 0;
}

static bool bind_same_number(const uint8_t *a, const uint8_t *b)
{
	return ((const struct option_number *)(const void *)a)->value ==
	       ((const struct option_number *)(const void *)b)->value;
}

static void bind_compare_list(const struct comparison *c, const struct option *option,
			      const struct option_list *a, const struct option_list *b)
{
	size_t size = option_element_size(option);
	char parent[BIND_PATH_MAX];
	bool same = a->count == b->count;

	snprintf(parent, sizeof(parent), "%s[]", option->path);
	for (uint32_t i = 0; i < a->count && a->count == b->count; i++) {
		const uint8_t *x = (const uint8_t *)a->at + i * size;
		const uint8_t *y = (const uint8_t *)b->at + i * size;

		if (option->type == OPTION_LIST)
			bind_compare_in(c, parent, x, y);
		else if (option->type == OPTION_TEXTS)
			same &= bind_same_text(x, y);
		else
			same &= bind_same_number(x, y);
	}
	if (!same && option->when == c->when)
		c->difference(c->context, option, b->line);
}

static void bind_compare_value(const struct comparison *c, const struct option *option,
			       const uint8_t *a, const uint8_t *b)
{
	const void *x = a + option->at, *y = b + option->at;

	switch (option->type) {
	case OPTION_MAP:
		bind_compare_in(c, option->path, a, b);
		break;
	case OPTION_TEXT:
		if (option->when == c->when && !bind_same_text(x, y))
			c->difference(c->context, option, ((const struct option_text *)y)->line);
		break;
	case OPTION_NUMBER:
	case OPTION_BOOL:
	case OPTION_CHOICE:
		if (option->when == c->when && !bind_same_number(x, y))
			c->difference(c->context, option, ((const struct option_number *)y)->line);
		break;
	case OPTION_LIST:
	case OPTION_TEXTS:
	case OPTION_NUMBERS:
		bind_compare_list(c, option, x, y);
		break;
	}
}

static void bind_compare_in(const struct comparison *c, const char *parent, const uint8_t *a,
			    const uint8_t *b)
{
	for (uint32_t i = 0; option_at(i) != NULL; i++)
		if (option_in(option_at(i), parent))
			bind_compare_value(c, option_at(i), a, b);
}

void bind_compare(const void *a, const void *b, enum option_when when, bind_difference *difference,
		  void *context)
{
	const struct comparison c = {.when = when, .difference = difference, .context = context};

	bind_compare_in(&c, "", a, b);
}
