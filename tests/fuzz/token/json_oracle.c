/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>

#include "json_oracle.h"

bool json_oracle_accepts(const uint8_t *data, size_t size)
{
	const size_t flags =
		JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
	json_error_t error;
	json_t *document = json_loadb((const char *)data, size, flags, &error);
	/* Legal JSON that jansson's C strings cannot carry. */
	bool nul_in_name =
		document == NULL && json_error_code(&error) == json_error_null_byte_in_key;

	json_decref(document);
	return document != NULL || nul_in_name;
}
