/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "../../tcpsim/tcpsim.h"

/*
 * The simulator, whose network, users and stranger the input plays: 2 bytes of a seed, 5 bytes of
 * features (plan.h), then a byte in the place of each decision, 0 being the most unlikely one: a
 * packet that is lost, doubled, late. When they are used up, chance goes on.
 */

/* What only takes long. */
#define NEVER (UINT64_C(1) << FEATURE_LONG)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct run_result result;
	struct tape tape;
	uint16_t seed;
	uint32_t low;
	uint8_t high;

	if (!span_u16_be(&in, &seed) || !span_u8(&in, &high) || !span_u32_be(&in, &low))
		return 0;
	tape = (struct tape){in.at, in.len};
	result =
		world_run(&(struct run_options){.seed = seed,
						.tape = &tape,
						.verbose = getenv("FUZZ_VERBOSE") != NULL,
						.features = ((uint64_t)high << 32 | low) & ~NEVER});
	if (result.failed) {
		fprintf(stderr, "invariant %u: %s\n", result.invariant, result.why);
		abort();
	}
	return 0;
}
