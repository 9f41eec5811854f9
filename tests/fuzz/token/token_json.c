/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "json_oracle.h"
#include "token/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Walks one level: every member or element can be read. */
static void walk(struct json_value value)
{
	static uint8_t memory[64 * 1024];
	struct span rest = value.text, name, string;
	struct json_value inner;
	struct writer scratch;

	writer_init(&scratch, memory, sizeof(memory));
	while (value.type == JSON_OBJECT ? json_member_next(&rest, &name, &inner)
					 : json_element_next(&rest, &inner)) {
		if (value.type == JSON_OBJECT && !json_string_read(name, &scratch, &string))
			abort();
		if (inner.type == JSON_STRING && !json_string_read(inner.text, &scratch, &string))
			abort();
		if (inner.type == JSON_NUMBER && json_date(inner.text) > JSON_DATE_MAX)
			abort();
		writer_init(&scratch, memory, sizeof(memory));
	}
}

/* What we accept, another strict reader accepts too: we are the stricter one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_value value;

	if (size > 32 * 1024 || json_read(span_of(data, (uint32_t)size), &value) != GW_OK)
		return 0;
	if (value.type == JSON_OBJECT || value.type == JSON_ARRAY)
		walk(value);
	if (!json_oracle_accepts(data, size))
		abort();
	return 0;
}
