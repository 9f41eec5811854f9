/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "address.h"

/** Most local addresses that connections are spread over. */
#define OPTIONS_SOURCES_MAX 256

/** What the command line asks for. Texts point into argv. */
struct options {
	const char *target, *origin, *path, *domain, *signing_key, *kid, *issuer, *audience, *pairs;
	const char *server_name, *ca, *source, *drive, *to;
	uint64_t connections, rate, hold_s, drive_operations, drive_rate, churn_s, churn_rate,
		settle_s, expires_s, token_lifetime_s, report_s, seed, make_pairs, visits, pool,
		browsers, stay_s, talk_s, dishonest, min_grant_s, max_lifetime_s;
	uint32_t drive_deed; /* enum wic_deed, when drive_operations > 0 */
	bool insecure, clean, reuse_token, json, help;
	/* made of the texts */
	struct address target_address;
	struct address sources[OPTIONS_SOURCES_MAX];
	uint32_t source_count;
};

/** Reads the command line. False: refused, the reason is on standard error. */
bool options_read(int argc, char **argv, struct options *out);

/** Prints all options with their presets. */
void options_help(FILE *to);

#endif
