/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_YAML_H
#define CONTROL_YAML_H

#include <stdbool.h>

#include "arena.h"
#include "problem.h"

/**
 * A YAML file as a tree with line numbers: one document, bounded, with each key once. Anchors,
 * aliases and tags are refused: a configuration reads as it is written.
 */
enum {
	YAML_BYTES_MAX = 1 << 20, /* of a file */
	YAML_NODES_MAX = 65536,
	YAML_KEYS_MAX = 256, /* of one mapping */
	YAML_DEPTH_MAX = 12,
};

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	uint32_t line;	   /* where the value begins, from 1 */
	const char *key;   /* in a mapping, else NULL */
	uint32_t key_line; /* where the key stands */
	const char *text;  /* YAML_SCALAR: terminated, no zero byte inside */
	bool plain;	   /* YAML_SCALAR: written without quotes */
	uint32_t count;	   /* children */
	struct yaml_node *first, *last, *next;
};

/**
 * Reads the file at path. NULL after adding problems. The tree lives in arena. May block on the
 * file system.
 */
const struct yaml_node *yaml_read_file(const char *path, struct arena *arena,
				       struct problems *problems);

/** The same from text; name stands for the file in problems. */
const struct yaml_node *yaml_read_text(const char *name, struct span text, struct arena *arena,
				       struct problems *problems);

/** The value of key in a mapping; NULL when it is not there or node is no mapping. */
const struct yaml_node *yaml_find(const struct yaml_node *node, const char *key);

#endif
