/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdio.h>

#include "frame.h"
#include "model.h"

/** What the command line asks for. Texts point into argv. */
struct options {
	const char *ends[2];	       /* A and B */
	struct model_config models[2]; /* from A to B, and back */
	struct frame_router router;
	uint64_t seed, seconds, vlan;
	bool help;
};

/** Reads the command line. False: refused, the reason is on standard error. */
bool options_read(int argc, char *const *argv, struct options *out);

void options_help(FILE *to);

#endif
