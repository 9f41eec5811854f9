/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SITE_H
#define SITE_H

#include <sys/socket.h>

#include "assignments.h"
#include "issuer.h"
#include "pairs.h"

/** What the site serves, and where. Everything it points to must live until site_stop(). */
struct site_config {
	const struct sockaddr *address;
	socklen_t address_len;
	const char *certificate; /* PEM file, chain */
	const char *key;	 /* PEM file */
	const char *root;	 /* folder of the files */
	const struct issuer *issuer;
	const struct pairs *pairs;
	struct assignments *assignments; /* of a pool, used by the site's thread; NULL: each pair is
					    its user's */
	uint32_t lifetime_s;		 /* of a token, and the most a request may ask for */
};

struct site;

/**
 * Starts to serve HTTPS from a thread of its own: the files, GET /token and GET /jwks.json.
 *
 * /token?user=NAME[&lifetime=SECONDS] is for a user who has signed in. Without assignments the pair
 * is the one whose IMPU has that user part; with them it is lent, and who names no user is
 * anonymous: the answer's `visitor`, as an argument of the next request, says that he is the same
 * one. 503 with Retry-After: no pair is free.
 *
 * Returns GW_OK and *made, to be given to site_stop(); GW_CONFIG, certificate or key not usable;
 * GW_SYSTEM, folder or address not usable; GW_NO_MEMORY. *reason says what. Blocks while it reads
 * files, not afterwards.
 */
enum gw_err site_start(const struct site_config *config, struct site **made,
		       struct reason *reason) GW_MUST_CHECK;

/** Closes every connection and ends the thread. NULL does nothing. */
void site_stop(struct site *site);

/** The port the site listens on: another one than the address names when that is 0. */
uint16_t site_port(const struct site *site);

#endif
