/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include "reason.h"

/** The longest lifetime a token may be given, seconds. */
enum { OPTIONS_LIFETIME_MAX = 86400 };

/** What the program is asked to do. */
enum options_command {
	OPTIONS_SERVE, /* no command word */
	OPTIONS_JWKS,
	OPTIONS_TOKEN,
};

/** What came of the command line. */
enum options_outcome { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_WRONG };

/** The command line. Strings point into argv; one that was not given is NULL. */
struct options {
	enum options_command command;
	const char *listen;
	const char *certificate;
	const char *key;
	const char *root;
	const char *pairs;
	const char *pool;
	const char *signing_key;
	const char *kid;
	const char *issuer;
	const char *audience;
	const char *wwsf;
	const char *lifetime;
	const char *impi;
	const char *impu;
	const char *subject;
	uint32_t lifetime_s;		 /* lifetime, or its default */
	struct sockaddr_storage address; /* listen, on OPTIONS_SERVE */
	socklen_t address_len;
};

/**
 * Reads the command line.
 *
 * Returns OPTIONS_RUN, everything the command needs is there and well-formed; OPTIONS_HELP or
 * OPTIONS_VERSION, asked for; OPTIONS_WRONG, with what is wrong in *reason.
 */
enum options_outcome options_read(int argc, char *argv[], struct options *options,
				  struct reason *reason);

/**
 * Reads ADDRESS:PORT, the address numeric and in brackets when it is IPv6.
 *
 * Returns the length of *address, or 0 when the text is something else.
 */
socklen_t options_address(const char *text, struct sockaddr_storage *address);

/** Prints what --help says. */
void options_help(FILE *to);

#endif
