/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "token/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct span part, struct span whole)
{
	return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

/* What is stripped of a body makes it shorter, each time until nothing is left to strip. */
static void strip(struct sip_message *m)
{
	static uint8_t memory[2][64 * 1024];
	uint32_t before = m->body.len + 1, turn = 0;
	struct writer out;

	do {
		if (m->body.len >= before)
			abort();
		before = m->body.len;
		writer_init(&out, memory[turn++ % 2], sizeof(memory[0]));
		if (!token_body_strip(m, &out))
			break;
		m->body = writer_span(&out);
	} while (writer_ok(&out));
	if (!writer_ok(&out))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config_part config = {.token_in_body = true};
	static struct sip_message message;
	struct span text = span_of(data, (uint32_t)size);
	struct token_credential found;

	if (size > 64 * 1024 || sip_index(text, &message) != GW_OK || !message.is_request)
		return 0;
	found = token_find(&message, &config);
	if (!is_inside(found.token, text) || !is_inside(found.username, text))
		abort();
	if ((found.err == GW_OK) != (found.token.len > 0))
		abort();
	strip(&message);
	return 0;
}
