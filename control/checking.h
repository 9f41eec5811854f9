/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CHECKING_H
#define CHECKING_H

#include "config.h"

/* What the files of the check share; control/check.h is for everybody else. */

struct check {
	struct config *config;
	struct problems *problems;
	const struct config_from *from;
};

#define check_refuse(c, line, ...) \
	problems_add((c)->problems, PROBLEM_ERROR, (c)->config->file, line, __VA_ARGS__)

/** Element i of a list of that struct. */
#define ELEMENT(type, list, i) (&((struct type *)(list).at)[i])

/** False for an empty text: a problem was added when it was read, or it may be left out. */
static inline bool check_given(struct option_text text)
{
	return text.text[0] != '\0';
}

/** Printable ASCII without what would have to be quoted in a header or a challenge. */
void check_plain(const struct check *c, const char *path, struct option_text text);
/** It stands in the user of a URI as it is (RFC 3261 25.1, unreserved but for marks that nobody
 * registers). when: the end of the refusal. */
void check_user(const struct check *c, const char *path, struct option_text text, const char *when);

/** strcmp or strcasecmp. */
typedef int check_order(const char *a, const char *b);

/** Adds a problem when element i of a list, size bytes each, begins with the same text as an
 * earlier one. */
void check_repeated(const struct check *c, const char *path, const struct option_list *list,
		    size_t size, uint32_t i, check_order *order);

/** Where an issuer's keys are from; reads them when that is a file. */
void check_jwks(const struct check *c, struct config_issuer *issuer);

/** Rules about destinations, compiled. */
void check_destinations(const struct check *c);

/** Wildcarded identities, compiled; the pairs of others are read. */
void check_patterns(const struct check *c);
/** What a web site's registering pair has to be with mode block; that others have none. */
void check_block(const struct check *c, const struct config_wwsf *wwsf);
void check_not_block(const struct check *c, const struct config_wwsf *wwsf);
/** What all blocks have in common. */
void check_blocks(const struct check *c);

/** Reads certificates and keys, and tries them and the other settings of TLS. */
void check_tls(const struct check *c);
/** mw.tls: alone. */
void check_mw_tls(const struct check *c);

/** realms[].icscf_orig of one home network. */
void check_icscf_orig(const struct check *c, const struct config_realm *realm);
/** What mode wildcard-unregistered asks for. */
void check_wildcard_mode(const struct check *c, const struct config_wwsf *wwsf);

/** A port by itself, and beside the others. */
void check_ports(const struct check *c);

/** Whom a port with packets of its own has no way to: browsers of W2, hosts of Mw. */
void check_port_uses(const struct check *c);

#endif
