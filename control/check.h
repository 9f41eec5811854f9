/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CHECK_H
#define CHECK_H

#include "config.h"

/**
 * Checks what the option table cannot say: names that refer to others, addresses, files, and values
 * that must fit each other. Loads keys and pairs into the rows they belong to, but pairs that from
 * has already. Adds a problem for each fault. Blocks on the file system.
 */
void check_config(struct config *config, const struct config_from *from, struct problems *problems);

#endif
