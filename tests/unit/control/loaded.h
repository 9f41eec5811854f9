/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOADED_H
#define LOADED_H

#include "control/config.h"
#include "folder.h"

enum { LOADED_MAX = 4096 };

/** A configuration with only what has no default. Line numbers matter to the tests. */
extern const char loaded_minimal[];

/** A configuration read from text in a folder of its own, and what was wrong with it. */
struct loaded {
	struct folder folder;
	struct problems *problems;
	struct config *config; /* NULL: refused */
};

void loaded_begin(struct loaded *l, const char *text);
/** The same in a folder that is there. */
void loaded_load(struct loaded *l, const char *text);
void loaded_end(struct loaded *l);

/** Problem i without the folder: "wicgate.yaml:5: reason". */
const char *loaded_problem(const struct loaded *l, uint32_t i);

/** What is said when from is replaced by to in text, and nothing else; the folder reads DIR. */
void loaded_expect_refused(const char *text, const char *from, const char *to, const char *reason);

#endif
