/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

static struct sip_message message, again;
static struct sip_splice splice;
static uint8_t room[1 << 20];

static void check_fields(const struct sip_message *m)
{
	const uint8_t *next = m->headers.at;

	for (uint16_t i = 0; i < m->count; i++) {
		const struct sip_field *field = &m->field[i];

		MUST(field->line.at == next);
		MUST(inside(field->line, m->headers));
		MUST(inside(field->name, field->line) && field->name.len > 0);
		MUST(inside(field->value, field->line));
		MUST(is_clean(field->value));
		MUST(field->id == sip_header_id(field->name));
		next += field->line.len;
	}
	MUST(next == m->headers.at + m->headers.len);
}

/* The chains hold every field once, in order. */
static void check_chains(const struct sip_message *m)
{
	uint32_t seen = 0;

	for (uint32_t id = 0; id < SIP_HEADER_COUNT; id++) {
		const struct sip_field *field = sip_first(m, id), *last = NULL;

		for (; field != NULL; field = sip_next(m, field), seen++) {
			MUST(field->id == id && field > last);
			last = field;
		}
	}
	MUST(seen == m->count);
}

static struct span write_out(void)
{
	struct writer out;

	writer_init(&out, room, sizeof(room));
	MUST(sip_splice_write(&splice, &out) == GW_OK);
	return writer_span(&out);
}

static void check_same(const struct sip_message *a, const struct sip_message *b)
{
	uint16_t added = sip_first(a, SIP_HEADER_CONTENT_LENGTH) == NULL ? 1 : 0;
	uint32_t length;

	MUST(b->count == a->count + added);
	for (uint16_t i = 0; i < a->count; i++) {
		MUST(a->field[i].id == b->field[i].id);
		if (a->field[i].id == SIP_HEADER_CONTENT_LENGTH)
			continue;
		MUST(span_equal(a->field[i].line, b->field[i].line));
		MUST(span_equal(a->field[i].value, b->field[i].value));
	}
	MUST(span_equal(a->start_line, b->start_line) && span_equal(a->body, b->body));
	MUST(sip_number(sip_value(b, SIP_HEADER_CONTENT_LENGTH), UINT32_MAX, &length));
	MUST(length == b->body.len && a->cseq == b->cseq && a->method == b->method);
}

static void check_copy(const struct sip_message *m)
{
	enum gw_err err;

	sip_splice_init(&splice, m);
	err = sip_index(write_out(), &again);
	if (err == GW_SIP_HEADERS_MANY && m->count == SIP_FIELDS_MAX)
		return;
	MUST(err == GW_OK);
	check_same(m, &again);
}

/* What is stripped is gone for a careless parser too. */
static void check_strip(const struct sip_message *m)
{
	static const enum sip_header stripped[] = {SIP_HEADER_P_ASSERTED_IDENTITY,
						   SIP_HEADER_AUTHORIZATION, SIP_HEADER_PATH,
						   SIP_HEADER_ROUTE, SIP_HEADER_CONTACT};
	struct span out;

	sip_splice_init(&splice, m);
	for (size_t i = 0; i < sizeof(stripped) / sizeof(stripped[0]); i++)
		sip_splice_remove_all(&splice, stripped[i]);
	out = write_out();
	out.len -= m->body.len;
	for (size_t i = 0; i < sizeof(stripped) / sizeof(stripped[0]); i++)
		MUST(!careless_parser_sees(span_from(out, m->start_line.len), stripped[i]));
}

static void check_reply(const struct sip_message *m, enum gw_err indexed)
{
	struct writer out;
	enum gw_err err;

	writer_init(&out, room, sizeof(room));
	err = sip_reply_write(m, 400, SPAN("t"), SPAN(""), &out);
	MUST(err == GW_OK || err == GW_SIP_MISSING);
	if (indexed != GW_OK)
		return;
	MUST(err == GW_OK);
	MUST(sip_index(writer_span(&out), &again) == GW_OK);
	MUST(again.status == 400 && again.cseq == m->cseq);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, (uint32_t)size);
	enum gw_err err = sip_index(text, &message);

	MUST(err != GW_AGAIN);
	MUST(err != GW_OK || message.start_line.len > 0);
	if (message.start_line.len == 0) {
		MUST(message.count == 0);
		return 0;
	}
	MUST(inside(message.text, text) && inside(message.body, text));
	check_fields(&message);
	check_chains(&message);
	check_reply(&message, err);
	if (err == GW_OK) {
		MUST(inside(message.method_text, text) && message.method_text.len > 0);
		check_copy(&message);
		check_strip(&message);
	}
	return 0;
}
