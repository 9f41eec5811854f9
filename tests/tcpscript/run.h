/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RUN_H
#define RUN_H

#include "world.h"

/** Does every line of a script. False: world->error says which line, what it expected and what it
 * got. */
bool run_script(struct world *world, const struct script *script);
/** "config:" and "peer:" lines; words begin behind the name. */
bool run_config(struct world *world, const struct line *line);
bool run_peer(struct world *world, struct peer *peer, const struct line *line);
/** Lines that look and change nothing: state, row, counter, knows, deadline, isn. NULL: it is none
 * of them. */
typedef bool run_verb(struct world *world, struct peer *peer, const struct line *line);
run_verb *run_look(const char *verb);

#endif
