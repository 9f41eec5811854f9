/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

/* A program of edits, then a zero byte, then the message they are made on. */

static struct sip_message message, again;
static struct sip_splice splice;
static uint8_t room[1 << 20];

static void remove_element(const struct sip_field *field, uint8_t which)
{
	struct span rest = field->value, item;

	while (sip_list_next(&rest, &item))
		if (which-- == 0) {
			sip_splice_remove_element(&splice, field, item);
			return;
		}
}

static void edit(uint8_t what, const struct sip_field *field, uint8_t argument)
{
	switch (what % 7) {
	case 0:
		sip_splice_remove(&splice, field);
		break;
	case 1:
		sip_splice_remove_all(&splice, argument % SIP_HEADER_COUNT);
		break;
	case 2:
		sip_splice_insert_top(&splice, SPAN("Via: SIP/2.0/TCP a\r\n"));
		break;
	case 3:
		sip_splice_insert_before(&splice, field, SPAN("X: y\r\n"));
		break;
	case 4:
		sip_splice_append(&splice, SPAN("X: y\r\n"));
		break;
	case 5:
		remove_element(field, argument);
		break;
	default:
		if (field->value.len > 0)
			sip_splice_replace(&splice, field->value, SPAN("1"));
		break;
	}
}

static void run_program(struct span program)
{
	uint8_t what, which, argument;

	while (span_u8(&program, &what) && span_u8(&program, &which) &&
	       span_u8(&program, &argument))
		edit(what, &message.field[which % message.count], argument);
}

/* Whatever was edited, the output is whole header lines with the true Content-Length. */
static void check_output(struct span out)
{
	enum gw_err err = sip_index(out, &again);
	uint32_t length;

	MUST(err == GW_OK || err == GW_SIP_MISSING || err == GW_SIP_HEADERS_MANY ||
	     err == GW_SIP_CSEQ);
	MUST(out.len >= message.body.len);
	if (err != GW_OK)
		return;
	MUST(span_equal(again.body, message.body));
	MUST(sip_number(sip_value(&again, SIP_HEADER_CONTENT_LENGTH), UINT32_MAX, &length));
	MUST(length == message.body.len && again.text.len == out.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, (uint32_t)size), program;
	struct writer out;
	enum gw_err err;

	program = span_cut(text, 0, span_find(text, 0));
	if (sip_index(span_from(text, program.len + 1), &message) != GW_OK)
		return 0;
	sip_splice_init(&splice, &message);
	run_program(program);
	writer_init(&out, room, sizeof(room));
	err = sip_splice_write(&splice, &out);
	MUST(err == GW_OK || err == GW_INVARIANT || err == GW_SIP_EDITS_MANY);
	MUST(err == GW_OK || writer_len(&out) == 0);
	if (err == GW_OK)
		check_output(writer_span(&out));
	return 0;
}
