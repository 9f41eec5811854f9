/* SPDX-License-Identifier: BSD-3-Clause */
#include "identity.h"

enum gw_err identity_impu(struct span uri, struct identity *out)
{
	struct writer text;
	enum gw_err err;

	writer_init(&text, out->text, sizeof(out->text));
	err = identity_canonical_impu(uri, &text);
	out->len = (uint16_t)writer_len(&text);
	return err;
}

enum gw_err identity_impi(struct span nai, struct identity *out)
{
	struct writer text;
	enum gw_err err;

	writer_init(&text, out->text, sizeof(out->text));
	err = identity_canonical_impi(nai, &text);
	out->len = (uint16_t)writer_len(&text);
	return err;
}

struct span identity_host(const struct identity *identity)
{
	struct span text = identity_span(identity);

	return span_from(text, span_find(text, '@') + 1);
}
