/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BIND_H
#define BIND_H

#include "option.h"
#include "yaml.h"

/**
 * Puts the values of tree, a whole configuration, into the struct at base along the option table,
 * defaults where the tree says nothing. Adds a problem for each unknown key, wrong type, value out
 * of range, missing value and value that is not in this version; base is filled as far as it goes.
 * Texts and lists live in arena.
 */
void bind_tree(const char *file, const struct yaml_node *tree, struct arena *arena,
	       struct problems *problems, void *base);

/** Gets each option that differs and the line on which the second value stands. */
typedef void bind_difference(void *context, const struct option *option, uint32_t line);

/** Compares what two structs hold for the options of kind when, lists element by element. */
void bind_compare(const void *a, const void *b, enum option_when when, bind_difference *difference,
		  void *context);

#endif
