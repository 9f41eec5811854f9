/* SPDX-License-Identifier: BSD-3-Clause */
#include "yaml.h"

#include <errno.h>
#include <yaml.h>

#include "file.h"

/** One reading: the path of open nodes instead of a call stack. */
struct reader {
	const char *name;
	struct arena *arena;
	struct problems *problems;
	struct yaml_node *open[YAML_DEPTH_MAX];
	uint32_t depth;
	uint32_t nodes;
	struct yaml_node *root;
	const char *key; /* read, its value not yet */
	uint32_t key_line;
};

static bool yaml_refuse(struct reader *r, uint32_t line, const char *why)
{
	problems_add(r->problems, PROBLEM_ERROR, r->name, line, "%s", why);
	return false;
}

static void yaml_append(struct yaml_node *parent, struct yaml_node *node)
{
	if (parent->last != NULL)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	parent->count++;
}

/** Makes a node and hangs it where the reading stands. */
static struct yaml_node *yaml_node_new(struct reader *r, enum yaml_kind kind, uint32_t line)
{
	struct yaml_node *node;

	if (++r->nodes > YAML_NODES_MAX) {
		yaml_refuse(r, line, "more values than a configuration may have");
		return NULL;
	}
	node = arena_get(r->arena, sizeof(*node));
	*node = (struct yaml_node){.kind = kind,
				   .line = line,
				   .key = r->key,
				   .key_line = r->key_line};
	r->key = NULL;
	if (r->depth == 0)
		r->root = node;
	else
		yaml_append(r->open[r->depth - 1], node);
	return node;
}

static bool yaml_enter(struct reader *r, enum yaml_kind kind, uint32_t line)
{
	struct yaml_node *node;

	if (r->depth > 0 && r->open[r->depth - 1]->kind == YAML_MAP && r->key == NULL)
		return yaml_refuse(r, line, "a key must be a text");
	if (r->depth == YAML_DEPTH_MAX)
		return yaml_refuse(r, line, "nested too deep");
	node = yaml_node_new(r, kind, line);
	if (node == NULL)
		return false;
	r->open[r->depth++] = node;
	return true;
}

static bool yaml_key(struct reader *r, const char *text, uint32_t line)
{
	const struct yaml_node *map = r->open[r->depth - 1];
	const struct yaml_node *first = yaml_find(map, text);

	if (first != NULL) {
		problems_add(r->problems, PROBLEM_ERROR, r->name, line,
			     "key \"%s\" repeated, first on line %u", text, first->key_line);
		return false;
	}
	if (map->count == YAML_KEYS_MAX)
		return yaml_refuse(r, line, "more keys than a mapping may have");
	r->key = text;
	r->key_line = line;
	return true;
}

static bool yaml_scalar(struct reader *r, const yaml_event_t *event, uint32_t line)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct yaml_node *node;
	const char *text;

	if (memchr(value, 0, len) != NULL)
		return yaml_refuse(r, line, "zero byte in a text");
	text = arena_text(r->arena, value, len);
	if (r->depth > 0 && r->open[r->depth - 1]->kind == YAML_MAP && r->key == NULL)
		return yaml_key(r, text, line);
	node = yaml_node_new(r, YAML_SCALAR, line);
	if (node == NULL)
		return false;
	node->text = text;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return true;
}

/** Anchors and tags would make a value mean something else than it says. */
static bool yaml_decorated(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return true;
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor != NULL ||
		       event->data.sequence_start.tag != NULL;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor != NULL ||
		       event->data.mapping_start.tag != NULL;
	default:
		return false;
	}
}

static bool yaml_take(struct reader *r, const yaml_event_t *event)
{
	uint32_t line = (uint32_t)event->start_mark.line + 1;

	if (yaml_decorated(event))
		return yaml_refuse(r, line, "anchors, aliases and tags are not used here");
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return r->root == NULL || yaml_refuse(r, line, "a second document");
	case YAML_SCALAR_EVENT:
		return yaml_scalar(r, event, line);
	case YAML_SEQUENCE_START_EVENT:
		return yaml_enter(r, YAML_LIST, line);
	case YAML_MAPPING_START_EVENT:
		return yaml_enter(r, YAML_MAP, line);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		r->depth--;
		return true;
	default:
		return true;
	}
}

static bool yaml_run(struct reader *r, yaml_parser_t *parser)
{
	yaml_event_t event;
	bool more = true, good = true;

	while (more && good) {
		if (!yaml_parser_parse(parser, &event)) {
			const char *why = parser->problem != NULL ? parser->problem : "not YAML";

			return yaml_refuse(r, (uint32_t)parser->problem_mark.line + 1, why);
		}
		good = yaml_take(r, &event);
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	return good;
}

const struct yaml_node *yaml_read_text(const char *name, struct span text, struct arena *arena,
				       struct problems *problems)
{
	struct reader r = {.name = name, .arena = arena, .problems = problems};
	yaml_parser_t parser;
	bool good;

	if (!yaml_parser_initialize(&parser)) {
		yaml_refuse(&r, 1, "no memory to read YAML");
		return NULL;
	}
	yaml_parser_set_input_string(&parser, text.at, text.len);
	good = yaml_run(&r, &parser);
	yaml_parser_delete(&parser);
	if (good && r.root == NULL)
		yaml_refuse(&r, 1, "empty");
	return good ? r.root : NULL;
}

const struct yaml_node *yaml_read_file(const char *path, struct arena *arena,
				       struct problems *problems)
{
	struct span text;
	const char *why = file_read(path, YAML_BYTES_MAX, arena, &text);

	if (why != NULL) {
		problems_add(problems, PROBLEM_ERROR, path, 1, "%s", why);
		return NULL;
	}
	return yaml_read_text(path, text, arena, problems);
}

const struct yaml_node *yaml_find(const struct yaml_node *node, const char *key)
{
	if (node->kind != YAML_MAP)
		return NULL;
	for (const struct yaml_node *n = node->first; n != NULL; n = n->next)
		if (strcmp(n->key, key) == 0)
			return n;
	return NULL;
}
