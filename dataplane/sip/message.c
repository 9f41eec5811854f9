/* SPDX-License-Identifier: BSD-3-Clause */
#include "sip/lexer.h"
#include "sip/start.h"
#include "sip/text.h"

/* Leaves field[] alone: 8 KiB, and count says what of it is true. */
static void reset(struct sip_message *m, struct span text)
{
	memset(m, 0, offsetof(struct sip_message, field));
	m->text = text;
}

static void take_start(struct sip_message *m, const struct sip_start *start)
{
	m->start_line = span_cut(m->text, 0, start->used);
	m->is_request = start->is_request;
	m->method_text = start->method;
	m->method = sip_method_id(start->method);
	m->uri = start->uri;
	m->status = start->status;
	m->reason = start->reason;
}

static void add_field(struct sip_message *m, struct span text, const struct sip_line *line)
{
	uint16_t place = m->count++, *last = &m->last[line->id];
	struct sip_field *field = &m->field[place];

	field->id = line->id;
	field->line = span_of(text.at, line->used);
	field->name = line->name;
	field->value = line->value;
	field->next = 0;
	if (*last == 0)
		m->first[line->id] = (uint16_t)(place + 1);
	else
		m->field[*last - 1].next = place;
	*last = (uint16_t)(place + 1);
}

/* Indexes header lines up to the empty line; *rest is what follows it. */
static enum gw_err index_fields(struct sip_message *m, struct span *rest)
{
	while (!span_starts(*rest, SPAN("\r\n"))) {
		struct sip_line line;

		sip_lexer_line(*rest, &line);
		if (line.err != GW_OK)
			return line.err == GW_AGAIN ? GW_SIP_HEADER : line.err;
		if (m->count == SIP_FIELDS_MAX)
			return GW_SIP_HEADERS_MANY;
		add_field(m, *rest, &line);
		*rest = span_from(*rest, line.used);
		m->headers.len += line.used;
	}
	*rest = span_from(*rest, 2);
	return GW_OK;
}

static enum gw_err check_presence(const struct sip_message *m)
{
	static const uint8_t once[] = {SIP_HEADER_FROM,		SIP_HEADER_TO,
				       SIP_HEADER_CALL_ID,	SIP_HEADER_CSEQ,
				       SIP_HEADER_MAX_FORWARDS, SIP_HEADER_CONTENT_LENGTH,
				       SIP_HEADER_CONTENT_TYPE, SIP_HEADER_EXPIRES};
	static const uint8_t needed[] = {SIP_HEADER_VIA, SIP_HEADER_FROM, SIP_HEADER_TO,
					 SIP_HEADER_CALL_ID, SIP_HEADER_CSEQ};

	for (uint32_t i = 0; i < sizeof(once); i++)
		if (m->first[once[i]] != m->last[once[i]])
			return GW_SIP_REPEATED;
	for (uint32_t i = 0; i < sizeof(needed); i++)
		if (sip_value(m, needed[i]).len == 0)
			return GW_SIP_MISSING;
	return GW_OK;
}

/* CSeq: 1*DIGIT LWS Method. A request's method is in it once more; a response has it only here. */
static enum gw_err read_cseq(struct sip_message *m)
{
	struct span value = sip_value(m, SIP_HEADER_CSEQ), method;
	uint32_t digits = sip_text_run(value, 0, SIP_TEXT_DIGIT);

	method = span_from(value, sip_text_space(value, digits));
	if (!sip_number(span_cut(value, 0, digits), INT32_MAX, &m->cseq) ||
	    !sip_text_is_space(span_at(value, digits)) || !sip_text_all(method, SIP_TEXT_TOKEN))
		return GW_SIP_CSEQ;
	if (m->is_request)
		return span_equal(method, m->method_text) ? GW_OK : GW_SIP_CSEQ;
	m->method_text = method;
	m->method = sip_method_id(method);
	return GW_OK;
}

/* Cuts the body to Content-Length. Over WebSocket it may be absent (RFC 7118 5). */
static enum gw_err cut_body(struct sip_message *m, struct span rest)
{
	uint32_t length = rest.len;

	if (sip_first(m, SIP_HEADER_CONTENT_LENGTH) != NULL &&
	    !sip_number(sip_value(m, SIP_HEADER_CONTENT_LENGTH), rest.len, &length))
		return GW_SIP_CONTENT_LENGTH;
	m->body = span_cut(rest, 0, length);
	m->text.len -= rest.len - length;
	return GW_OK;
}

static enum gw_err check(struct sip_message *m, struct span rest)
{
	enum gw_err err = check_presence(m);

	if (err == GW_OK)
		err = read_cseq(m);
	return err == GW_OK ? cut_body(m, rest) : err;
}

enum gw_err sip_index(struct span text, struct sip_message *m)
{
	struct sip_start start;
	struct span rest;
	enum gw_err err;

	while (span_starts(text, SPAN("\r\n")))
		text = span_from(text, 2);
	reset(m, text);
	start = sip_start_read(text);
	if (start.used == 0)
		return start.err == GW_AGAIN ? GW_SIP_START_LINE : start.err;
	take_start(m, &start);
	rest = span_from(text, start.used);
	m->headers = span_cut(rest, 0, 0);
	err = index_fields(m, &rest);
	if (err == GW_OK)
		err = check(m, rest);
	return start.err != GW_OK ? start.err : err;
}

const struct sip_field *sip_first(const struct sip_message *m, enum sip_header id)
{
	return m->first[id] == 0 ? NULL : &m->field[m->first[id] - 1];
}

const struct sip_field *sip_next(const struct sip_message *m, const struct sip_field *field)
{
	return field->next == 0 ? NULL : &m->field[field->next];
}

struct span sip_value(const struct sip_message *m, enum sip_header id)
{
	const struct sip_field *field = sip_first(m, id);

	return field == NULL ? span_cut(m->text, 0, 0) : field->value;
}
