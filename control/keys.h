/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KEYS_H
#define KEYS_H

#include "arena.h"
#include "parts.h"
#include "problem.h"

/** Bounds of a JSON Web Key Set (PROTOCOL 3.8). */
enum { KEYS_BYTES_MAX = 256 * 1024, KEYS_MAX = 256, KEYS_KID_MAX = 256 };

/** One usable key. key.id is 0 until key_ids_number(). */
struct key_entry {
	struct span kid; /* empty: the key has none */
	struct verify_key key;
};

struct key_list {
	struct key_entry *at;
	uint32_t count;
};

/** Where a key set comes from, and what its issuer allows. */
struct keys_source {
	const char *path; /* of the key set, or its URL */
	const char *file; /* configuration and its line, for problems with one key */
	uint32_t line;
	uint32_t algorithms; /* bits 1 << enum jws_alg */
};

/**
 * Reads a JSON Web Key Set of KEYS_BYTES_MAX bytes at most (RFC 7517) by the rules of PROTOCOL 3.8:
 * EC P-256 and P-384 on their curve, RSA of 2048 to 4096 bits with an odd exponent >= 65537,
 * Ed25519 not of low order. A key for another use, without key_ops "verify", of an algorithm the
 * issuer does not allow or that is malformed is left out with a warning. Errors: not strict JSON,
 * no "keys", more than KEYS_MAX of them, one kid with different material, no usable key. A key is
 * for one algorithm (RFC 8725 3.1): "alg", or the only allowed one of its type. The list lives in
 * arena and borrows nothing of text.
 */
void keys_read(const struct keys_source *source, struct span text, struct arena *arena,
	       struct key_list *list, struct problems *problems);

/** The same for a file. Another error: it cannot be read, or is too long. */
void keys_load(const struct keys_source *source, struct arena *arena, struct key_list *list,
	       struct problems *problems);

/**
 * Gives out key ids: the same material and algorithm has the same id as long as it is asked for
 * between two calls of key_ids_settle(), different ones never do, and none is given out twice. Not
 * thread-safe: the control thread's.
 */
struct key_ids;
struct key_ids *key_ids_new(void);
void key_ids_free(struct key_ids *ids);

/** Sets key->id, from 1. */
void key_ids_number(struct key_ids *ids, struct verify_key *key);

/**
 * A part with these rows, which are numbered, is made: forgets what has not been numbered since the
 * last call, so that an issuer who changes its keys for ever costs no more than one who does not.
 * Returns key_part.rows_version: the last one when the rows are the last ones, else a new one.
 */
uint32_t key_ids_settle(struct key_ids *ids, const struct key_row *rows, uint32_t count);

/** Reads the name of an algorithm ("ES256"). False when it is none of ours. */
bool keys_algorithm(const char *name, enum jws_alg *alg);

/** The name of an algorithm. */
const char *keys_algorithm_name(enum jws_alg alg);

/**
 * Which keys an operator has taken back: their rows are left out when keys are published (control/
 * publish.h). Who changes what revoked() says has the keys published again (node_publish_keys()).
 */
struct keys_filter {
	/** issuer: its name in the configuration. kid: empty for a key without one. */
	bool (*revoked)(const void *context, struct span issuer, struct span kid);
	const void *context;
};

/**
 * Whether key i of an issuer's keys is taken back: by its kid, or by another that the same material
 * has there, for any algorithm. filter may be NULL.
 */
bool keys_revoked(const struct keys_filter *filter, struct span issuer, const struct key_list *keys,
		  uint32_t i);

#endif
