/* SPDX-License-Identifier: BSD-3-Clause */
#include "credential.h"

/*
 * A token as an attachment (PROTOCOL 3.2): a part of a multipart/mixed body (RFC 2046 5.1). What is
 * no such part, however odd, is left alone: bodies are between a WIC and whom it calls.
 */

/* RFC 2046 5.1.1 */
#define BOUNDARY_MAX 70

enum line { LINE_TEXT, LINE_DELIMITER, LINE_CLOSE };

/** A body on its way from delimiter line to delimiter line. Offsets into the body. */
struct walk {
	struct span body, boundary;
	uint32_t delimiter; /* where the line before the next part starts */
	uint32_t inside;    /* where that part does */
	uint32_t parts;	    /* seen */
	bool closed;
};

struct part {
	struct span whole; /* with the delimiter line before it */
	struct span inside;
};

/* ---- lines and parts ---- */

/* Bytes of the line at the front of text with its CRLF; all of it when it has none. */
static uint32_t line_len(struct span text)
{
	uint32_t n = span_find(text, '\n');

	while (span_at(text, n) >= 0 && (n == 0 || text.at[n - 1] != '\r'))
		n += 1 + span_find(span_from(text, n + 1), '\n');
	return span_at(text, n) >= 0 ? n + 1 : text.len;
}

static enum line line_kind(struct span line, struct span boundary)
{
	struct span rest = span_from(line, 2);

	if (!span_starts(line, SPAN("--")) || !span_starts(rest, boundary))
		return LINE_TEXT;
	rest = span_from(rest, boundary.len);
	if (span_starts(rest, SPAN("--")))
		return LINE_CLOSE;
	return credential_trim(rest).len == 0 ? LINE_DELIMITER : LINE_TEXT;
}

/* Moves on to the next delimiter line. LINE_TEXT: there is none. */
static enum line walk_on(struct walk *w)
{
	uint32_t at = w->inside;
	enum line kind = LINE_TEXT;

	while (kind == LINE_TEXT && at < w->body.len) {
		uint32_t len = line_len(span_from(w->body, at));

		kind = line_kind(span_cut(w->body, at, len), w->boundary);
		w->delimiter = at;
		at += len;
	}
	w->inside = at;
	return kind;
}

/* Takes the next part, which ends before the CRLF of a delimiter line. False: no other one. */
static bool part_next(struct walk *w, struct part *part)
{
	uint32_t from = w->delimiter, inside = w->inside;
	enum line end;

	if (w->closed || w->parts == TOKEN_PARTS_MAX)
		return false;
	end = walk_on(w);
	if (end == LINE_TEXT)
		return false;
	w->closed = end == LINE_CLOSE;
	w->parts++;
	part->whole = span_cut(w->body, from, w->delimiter - from);
	part->inside = span_cut(w->body, inside, w->delimiter - inside);
	if (part->inside.len > 0)
		part->inside.len -= 2;
	return true;
}

/* ---- what they are ---- */

/* What stands before the parameters of a value, and the parameters. */
static struct span value_split(struct span value, struct span *params)
{
	uint32_t end = span_find(value, ';');

	*params = span_from(value, end + 1);
	return credential_trim(span_cut(value, 0, end));
}

static bool is_media(struct span type, struct span wanted, struct span wanted_sub)
{
	uint32_t slash = span_find(type, '/');

	return span_equal_nocase(credential_trim(span_cut(type, 0, slash)), wanted) &&
	       span_equal_nocase(credential_trim(span_from(type, slash + 1)), wanted_sub);
}

/* Begins the walk. False: not a multipart/mixed body, or one without a part. */
static bool walk_start(struct walk *w, const struct sip_message *m)
{
	struct span params, boundary = {0};
	struct span type = value_split(sip_value(m, SIP_HEADER_CONTENT_TYPE), &params);

	if (!is_media(type, SPAN("multipart"), SPAN("mixed")) ||
	    !sip_param(params, SPAN("boundary"), &boundary))
		return false;
	boundary = sip_unquote(boundary);
	if (boundary.len == 0 || span_at(boundary, BOUNDARY_MAX) >= 0)
		return false;
	*w = (struct walk){.body = m->body, .boundary = boundary};
	return walk_on(w) == LINE_DELIMITER;
}

/* What the headers of a part say; each may be there once. */
struct part_head {
	uint32_t types, dispositions, encodings;
	bool jwt, by_reference, plain;
};

static void head_read(struct part_head *head, struct span name, struct span value)
{
	struct span params, handling = {0};
	struct span word = value_split(value, &params);

	if (span_equal_nocase(name, SPAN("Content-Type"))) {
		head->types++;
		head->jwt = is_media(word, SPAN("application"), SPAN("jwt"));
	} else if (span_equal_nocase(name, SPAN("Content-Disposition"))) {
		head->dispositions++;
		head->by_reference = span_equal_nocase(word, SPAN("by-reference")) &&
				     sip_param(params, SPAN("handling"), &handling) &&
				     span_equal_nocase(handling, SPAN("optional"));
	} else if (span_equal_nocase(name, SPAN("Content-Transfer-Encoding"))) {
		head->encodings++;
		head->plain = span_equal_nocase(word, SPAN("7bit")) ||
			      span_equal_nocase(word, SPAN("8bit")) ||
			      span_equal_nocase(word, SPAN("binary"));
	}
}

/* A part that carries a token, which is all of its content. */
static bool token_part(struct span inside, struct span *token)
{
	struct part_head head = {.plain = true};

	while (!span_starts(inside, SPAN("\r\n"))) {
		struct sip_line line = sip_lex_line(inside);

		if (line.err != GW_OK)
			return false;
		head_read(&head, line.name, line.value);
		inside = span_from(inside, line.used);
	}
	*token = credential_trim(span_from(inside, 2));
	return head.types == 1 && head.jwt && head.dispositions == 1 && head.by_reference &&
	       head.encodings <= 1 && head.plain;
}

/* ---- for others ---- */

enum gw_err body_tokens(const struct sip_message *m, struct credential_found *found)
{
	enum gw_err err = GW_OK;
	struct span token;
	struct part part;
	struct walk w;

	if (!walk_start(&w, m))
		return GW_OK;
	while (err == GW_OK && part_next(&w, &part))
		if (token_part(part.inside, &token))
			err = credential_keep(found, token, SPAN(""));
	return err;
}

/* Writes body without parts, which are in its order. */
static void body_without(struct span body, const struct span *parts, uint32_t count,
			 struct writer *out)
{
	const uint8_t *from = body.at;

	for (uint32_t i = 0; i < count; i++) {
		writer_put(out, span_of(from, (uint32_t)(parts[i].at - from)));
		from = parts[i].at + parts[i].len;
	}
	writer_put(out, span_from(body, (uint32_t)(from - body.at)));
}

bool token_body_strip(const struct sip_message *m, struct writer *out)
{
	struct span tokens[TOKEN_PARTS_MAX], ignored;
	uint32_t count = 0;
	struct part part;
	struct walk w;

	if (!walk_start(&w, m))
		return false;
	while (part_next(&w, &part))
		if (token_part(part.inside, &ignored))
			tokens[count++] = part.whole;
	if (count > 0 && !(w.closed && count == w.parts))
		body_without(m->body, tokens, count, out);
	return count > 0;
}
