/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "canonical.h"
#include "control/wildcard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/** What is accepted is canonical, and stays what it is when it is read again; of a SIP URI the form
 * as a URI is an identity like any other, and canonical. */
static void check_good(const struct wildcard *w, struct arena *arena)
{
	struct wildcard again = wildcard_read(w->text, arena);
	uint8_t text[2048];
	struct writer out;

	must(again.why == NULL && span_equal(again.text, w->text));
	must(span_equal(again.literal, w->literal) && strcmp(again.expression, w->expression) == 0);
	must(span_starts(w->text, w->prefix) && w->text.len > w->prefix.len + w->suffix.len);
	must(span_equal(span_from(w->text, w->text.len - w->suffix.len), w->suffix));
	writer_init(&out, text, sizeof(text));
	if (span_starts(w->literal, SPAN("sip:")) && w->literal.len <= IDENTITY_MAX)
		must(identity_canonical_impu(w->literal, &out) == GW_OK &&
		     span_equal(writer_span(&out), w->literal));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena;
	struct wildcard w;

	if (size > 1024)
		return 0;
	arena = arena_new();
	w = wildcard_read(span_of(data, (uint32_t)size), arena);
	if (w.why == NULL)
		check_good(&w, arena);
	else
		must(w.at <= size);
	arena_free(arena);
	return 0;
}
