/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JSON_H
#define JSON_H

#include "gw_err.h"
#include "span.h"
#include "writer.h"

/**
 * Strict JSON (RFC 8259) read where it lies: a document is checked whole, then walked. Nothing is
 * allocated, nothing recurses. Stricter than the grammar where two readers could disagree: names
 * that occur twice in an object are refused (RFC 7515 10.12), compared after their escapes are
 * resolved; UTF-8 has no overlong form and no surrogate, escaped surrogates come in pairs; no byte
 * order mark; a number is below 10^308, so that it is finite to every reader.
 */

/** Arrays and objects that may be open at a time (PROTOCOL 12.3). */
#define JSON_DEPTH_MAX 8
/** Member names in all objects that are open at a time: bounds the search for duplicates. */
#define JSON_NAMES_MAX 128
/** What all names that have escapes say, in bytes: more than a token can hold. */
#define JSON_ESCAPED_MAX 8192

enum json_type { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/** One value of a checked document. */
struct json_value {
	enum json_type type;
	struct span text; /* as written; a string without its quotes, escapes kept */
};

/** Checks text, the whole of it, and returns its value. GW_TOKEN_JSON, *value untouched. */
enum gw_err GW_MUST_CHECK json_read(struct span text, struct json_value *value);

/**
 * Walks the members of a checked object: *rest starts as the object's text. name is as written,
 * without quotes, escapes kept. False at the end.
 */
bool json_member_next(struct span *rest, struct span *name, struct json_value *value);

/** Walks the elements of a checked array: *rest starts as the array's text. False at the end. */
bool json_element_next(struct span *rest, struct json_value *value);

/** Finds the member of a checked object. False when it has none of that name. */
bool json_member_find(struct json_value object, struct span name, struct json_value *value);

/** Two strings of checked documents, without quotes, say the same once escapes are resolved. */
bool json_string_equal(struct span a, struct span b);

/**
 * What a string of a checked document says: the text itself when it has no escapes, else written
 * behind what scratch holds and lent as long as its memory. False: scratch is too small.
 */
bool json_string_read(struct span text, struct writer *scratch, struct span *string);

/** No date is later: sums with leeways and lifetimes cannot wrap. */
#define JSON_DATE_MAX (UINT64_C(1) << 62)

/**
 * The Unix time that a number of a checked document says (NumericDate, RFC 7519 2), its fraction
 * cut off. Before 1970: 0. Beyond JSON_DATE_MAX: that.
 */
uint64_t json_date(struct span number);

#endif
