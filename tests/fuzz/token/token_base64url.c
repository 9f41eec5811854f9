/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base64url.h"
#include "writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One text says one thing: what can be read is what is written for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[4096], text[8192];
	struct span in = span_of(data, (uint32_t)size);
	struct writer out;
	uint32_t len;

	if (size > sizeof(bytes) || base64url_read(in, bytes, sizeof(bytes), &len) != BASE64URL_OK)
		return 0;
	writer_init(&out, text, sizeof(text));
	base64url_write(&out, span_of(bytes, len));
	if (!writer_ok(&out) || !span_equal(in, writer_span(&out)))
		abort();
	return 0;
}
