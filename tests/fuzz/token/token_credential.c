/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "token/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct span part, struct span whole)
{
	return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sip_message message;
	struct span text = span_of(data, (uint32_t)size);
	struct token_credential found;

	if (size > 64 * 1024 || sip_index(text, &message) != GW_OK || !message.is_request)
		return 0;
	found = token_find(&message);
	if (!is_inside(found.token, text) || !is_inside(found.username, text))
		abort();
	if ((found.err == GW_OK) != (found.token.len > 0))
		abort();
	return 0;
}
