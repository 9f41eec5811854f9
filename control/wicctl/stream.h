/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>

#include "ladder.h"

struct stream_config {
	int fd;	   /* connected to the node, the request sent */
	bool json; /* lines are printed as they came */
	enum ladder_form form;
};

/**
 * Prints a trace until the node ends it. Ctrl-C asks the node to; a second one ends at once. False:
 * the node refused, or went away without an end; it has been said why.
 */
bool stream_print(const struct stream_config *config);

#endif
