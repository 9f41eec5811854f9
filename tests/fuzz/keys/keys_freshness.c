/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "control/jwks_freshness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW_S = 784111777 };

/** Lines of a head. What is said later never makes the time longer, but for dates. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jwks_freshness freshness = {0};
	struct span rest = span_of(data, (uint32_t)size);
	uint32_t before = 0;

	if (size > 64 * 1024)
		return 0;
	while (rest.len > 0) {
		uint32_t len = span_find(rest, '\n');
		bool had = freshness.has_max_age;

		before = jwks_freshness_left(&freshness, NOW_S);
		jwks_freshness_line(&freshness, span_cut(rest, 0, len));
		if (jwks_freshness_left(&freshness, NOW_S) > JWKS_AGE_MAX ||
		    (had && jwks_freshness_left(&freshness, NOW_S) > before))
			abort();
		rest = span_from(rest, len < rest.len ? len + 1 : len);
	}
	return 0;
}
