/* SPDX-License-Identifier: BSD-3-Clause */
#include "sip/start.h"
#include "sip/lexer.h"
#include "sip/text.h"

/* SIP-Version of any number: "SIP/" digits "." digits, case ignored. */
static bool is_version(struct span text)
{
	struct span number = span_from(text, 4);
	uint32_t dot = sip_text_run(number, 0, SIP_TEXT_DIGIT);
	uint32_t end = sip_text_run(number, dot + 1, SIP_TEXT_DIGIT);

	return span_equal_nocase(span_cut(text, 0, 4), SPAN("SIP/")) && dot > 0 &&
	       span_at(number, dot) == '.' && end > dot + 1 && end == number.len;
}

static bool is_version_2(struct span text)
{
	return span_equal_nocase(text, SPAN("SIP/2.0"));
}

/* Status-Code SP Reason-Phrase */
static bool read_status(struct span text, struct sip_start *start)
{
	uint32_t status;

	if (!sip_number(span_cut(text, 0, 3), 699, &status) || status < 100 ||
	    span_at(text, 3) != ' ')
		return false;
	start->status = (uint16_t)status;
	start->reason = span_from(text, 4);
	return true;
}

static void read_response(struct span line, uint32_t version_len, struct sip_start *start)
{
	if (!is_version_2(span_cut(line, 0, version_len)))
		start->err = GW_SIP_VERSION;
	else if (!read_status(span_from(line, version_len + 1), start))
		start->err = GW_SIP_START_LINE;
}

static uint32_t last_space(struct span line)
{
	uint32_t i = line.len;

	while (i > 0 && line.at[i - 1] != ' ')
		i--;
	return i > 0 ? i - 1 : line.len;
}

/* Method SP Request-URI SP SIP-Version: the first and the last space part them, so that a URI with
 * white space is found and refused, and the request answered. */
static bool read_request(struct span line, struct sip_start *start)
{
	uint32_t method_end = sip_text_run(line, 0, SIP_TEXT_TOKEN), uri_end = last_space(line);
	struct span version = span_from(line, uri_end + 1);

	if (method_end == 0 || span_at(line, method_end) != ' ' || !is_version(version))
		return false;
	start->is_request = true;
	start->method = span_cut(line, 0, method_end);
	if (uri_end > method_end)
		start->uri = span_cut(line, method_end + 1, uri_end - method_end - 1);
	if (!is_version_2(version))
		start->err = GW_SIP_VERSION;
	else if (start->uri.len == 0 || !sip_text_all(start->uri, SIP_TEXT_GENERIC))
		start->err = GW_SIP_START_LINE;
	return true;
}

struct sip_start sip_start_read(struct span text)
{
	struct span window = span_cut(text, 0, SIP_LINE_MAX), line;
	uint32_t end = sip_lexer_control(window, 0), version_len;
	struct sip_start start = {.err = GW_SIP_START_LINE};

	if (end > SIP_LINE_MAX - 2) /* no room left for CRLF */
		return (struct sip_start){.err = GW_SIP_HEADER_LONG};
	if (end == text.len || (text.at[end] == '\r' && end + 1 == text.len))
		return (struct sip_start){.err = GW_AGAIN};
	line = span_cut(text, 0, end);
	if (text.at[end] != '\r' || text.at[end + 1] != '\n')
		return start;
	start.err = GW_OK;
	version_len = span_find(line, ' ');
	if (is_version(span_cut(line, 0, version_len)))
		read_response(line, version_len, &start);
	else if (!read_request(line, &start))
		return (struct sip_start){.err = GW_SIP_START_LINE};
	start.used = end + 2;
	return start;
}
