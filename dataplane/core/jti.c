/* SPDX-License-Identifier: BSD-3-Clause */
#include "parts.h"
#include "writer.h"

uint64_t jti_hash(const uint8_t key[16], struct span iss, struct span jti)
{
	/* a token's parts are at most this long together */
	uint8_t text[VERIFY_TEXT_MAX];
	struct writer out;
	uint64_t hash;

	writer_init(&out, text, sizeof(text));
	writer_put(&out, iss);
	writer_u8(&out, '\n');
	writer_put(&out, jti);
	hash = siphash(key, writer_span(&out));
	return hash != 0 ? hash : 1;
}
