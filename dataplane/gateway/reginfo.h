/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REGINFO_H
#define REGINFO_H

#include "gw_err.h"
#include "span.h"

/*
 * Documents of the registration event package (RFC 3680, application/reginfo+xml) with the
 * wildcarded identities of TS 24.229 (PROTOCOL 8.1, 9.9). Read by expat, which gets no document
 * type, hence no entities, and no memory but what is given to it at the start.
 */

#define REGINFO_BYTES_MAX 65536 /* of a document (PROTOCOL 9.9) */
#define REGINFO_DEPTH_MAX 16	/* elements inside each other */
#define REGINFO_REGISTRATIONS_MAX 128
#define REGINFO_CONTACTS_MAX 256 /* of all registrations */

enum reginfo_state { REGINFO_INIT, REGINFO_ACTIVE, REGINFO_TERMINATED };

/** Why a contact is in its state (RFC 3680 4.7, 5.2). */
enum reginfo_event {
	REGINFO_OTHER, /* none that is known */
	REGINFO_REGISTERED,
	REGINFO_CREATED,
	REGINFO_REFRESHED,
	REGINFO_SHORTENED,
	REGINFO_EXPIRED,
	REGINFO_DEACTIVATED,
	REGINFO_PROBATION,
	REGINFO_UNREGISTERED,
	REGINFO_REJECTED
};

/** Spans are empty for what the document does not say. */
struct reginfo_contact {
	struct span uri;
	enum reginfo_state state; /* never REGINFO_INIT */
	enum reginfo_event event;
	bool has_expires, has_retry_after, has_cseq;
	uint32_t expires_s, retry_after_s, cseq;
	struct span callid;	      /* of the REGISTER that was the last about it, with cseq */
	struct span instance, reg_id; /* of its parameters, quotes and all */
};

struct reginfo_registration {
	struct span aor;
	enum reginfo_state state;
	struct span wildcard; /* the wildcarded identity that aor belongs to */
	uint32_t contact;     /* the first of its contacts in reginfo.contact */
	uint32_t contacts;
};

/** One document. Spans lie in its reader, until the next one. */
struct reginfo {
	/* GW_OK; GW_REGINFO_LIMIT: longer, deeper or of more parts than is read;
	 * GW_REGINFO_DOCTYPE; GW_REGINFO_XML: not well-formed; GW_REGINFO_FORM: it lacks what
	 * RFC 3680 5 demands */
	enum gw_err err;
	uint32_t version;
	bool full; /* it is about all there is, and not only about what has changed */
	uint32_t registrations, contacts;
	struct reginfo_registration registration[REGINFO_REGISTRATIONS_MAX];
	struct reginfo_contact contact[REGINFO_CONTACTS_MAX];
};

/** An end that a document has said, and that is not believed yet. */
struct reg_doubt {
	bool in;
	enum reginfo_event event;
	uint32_t retry_s; /* its retry-after */
};

struct reginfo_reader;

/** About 700 KB, for one worker. NULL: no memory. */
struct reginfo_reader *reginfo_reader_new(void);
/** NULL does nothing. */
void reginfo_reader_free(struct reginfo_reader *reader);

/** Reads a whole document. salt: random. Never NULL; lent until the next call. */
const struct reginfo *reginfo_read(struct reginfo_reader *reader, struct span document,
				   uint64_t salt);

#endif
