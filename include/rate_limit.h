/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RATE_LIMIT_H
#define RATE_LIMIT_H

#include <stdint.h>

/** So many in a second, and so many at once. per_second 0: no limit; else a burst of 0 counts as 1.
 */
struct rate_limit {
	uint32_t per_second;
	uint32_t burst;
};

#endif
