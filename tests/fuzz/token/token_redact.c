/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "token/token.h"

/* "@@" in the input is a token: whatever stands around it, no part of it comes out. What a request
 * is believed to carry for a credential does not come out either. */

#define WINDOW 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char token[] = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImp0aSI6IjcifQ."
			    "c2lnbmF0dXJlLW9mLXRoZS10b2tlbi1pbi1oYW5k";

static bool has(struct span text, struct span part)
{
	return memmem(text.at, text.len, part.at, part.len) != NULL;
}

static bool has_window(struct span text, struct span secret)
{
	for (uint32_t i = 0; i + WINDOW <= secret.len; i++)
		if (has(text, span_cut(secret, i, WINDOW)))
			return true;
	return false;
}

static struct span plant(struct span text, uint8_t *memory, uint32_t room)
{
	struct writer w;

	writer_init(&w, memory, room);
	for (; text.len > 0; text = span_from(text, 1)) {
		if (!span_starts(text, SPAN("@@"))) {
			writer_u8(&w, text.at[0]);
			continue;
		}
		writer_text(&w, token);
		text = span_from(text, 1);
	}
	return writer_ok(&w) ? writer_span(&w) : SPAN("");
}

static bool is_once(struct span text, struct span part)
{
	return !has(span_cut(text, 0, (uint32_t)(part.at - text.at)), part) &&
	       !has(span_from(text, (uint32_t)(part.at - text.at) + 1), part);
}

static void judge_credential(struct span text, struct span seen)
{
	static const struct config_part config = {.token_in_body = true};
	static struct sip_message message;
	struct token_credential found;

	if (sip_index(text, &message) != GW_OK || !message.is_request)
		return;
	found = token_find(&message, &config);
	if (found.err == GW_OK && found.token.len >= WINDOW && is_once(text, found.token) &&
	    has(seen, found.token))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t planted[64 * 1024], memory[1024 * 1024];
	struct span text = span_of(data, (uint32_t)size);
	struct writer out;

	if (size > 4096 || has_window(text, span_text(token)))
		return 0;
	text = plant(text, planted, sizeof(planted));
	writer_init(&out, memory, sizeof(memory));
	if (!token_redact(text, &out) || has_window(writer_span(&out), span_text(token)))
		abort();
	judge_credential(text, writer_span(&out));
	return 0;
}
