/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "tls/flight.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes pass or not however they are cut; the first one says whose they are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct tls_flight whole = {0}, cut = {0};
	bool pass, each = true;
	uint8_t whose = 0;

	(void)span_u8(&in, &whose);
	whole.chain = cut.chain = (whose & 1) != 0;
	pass = tls_flight_pass(&whole, in);
	for (uint32_t i = 0; i < in.len && each; i++)
		each = tls_flight_pass(&cut, span_cut(in, i, 1));
	if (pass != each)
		abort();
	return 0;
}
