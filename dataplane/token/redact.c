/* SPDX-License-Identifier: BSD-3-Clause */
#include "token.h"

/*
 * What is shown of a message to people has no token in it (PROTOCOL 12.2). The bytes may be
 * anything, so nothing is parsed here: lines, folded or cut by a bare CR or LF, are looked through
 * for what credentials look like. Where it is in doubt, too much goes rather than too little.
 */

#define SEGMENT_MIN 16 /* characters: no part of a JWS is shorter */
#define JWS_MIN 16

struct redactor {
	struct span text;
	uint32_t at;		/* of what is not written yet */
	uint32_t delimiter;	/* of the last line that began with "--" */
	uint32_t delimiter_len; /* without its line end; 0: none yet */
	bool begun;		/* a line that is not empty has passed */
	bool in_body;		/* and an empty one behind it */
	bool body_is_token;	/* a header says so */
	bool hot;		/* what stands at the end of the last line was taken out */
	struct writer *out;
	bool cut; /* out is full */
};

/** What a line of text is for. */
enum purpose { PURPOSE_OTHER, PURPOSE_CREDENTIAL, PURPOSE_CHALLENGE };

/* ---- characters ------------------------------------------------------------------------------ */

static bool is_word(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '-';
}

/** Of a JWS, also where its dots are escaped. */
static bool is_run(int c)
{
	return is_word(c) || c == '.' || c == '%';
}

static bool is_white(int c)
{
	return c >= 0 && (c <= ' ' || c == 0x7f);
}

static uint32_t white(struct span s, uint32_t from)
{
	while (is_white(span_at(s, from)))
		from++;
	return from;
}

static int hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = c >= 0 ? ascii_lower((uint8_t)c) : c;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** The character at *at, an escape resolved, in lower case; moves *at behind it. -1: none. */
static int letter(struct span s, uint32_t *at)
{
	int c = span_at(s, *at), high = hex(span_at(s, *at + 1)), low = hex(span_at(s, *at + 2));
	bool escaped = c == '%' && high >= 0 && low >= 0;

	if (escaped)
		c = high << 4 | low;
	*at += escaped ? 3 : 1;
	return c >= 0 ? ascii_lower((uint8_t)c) : -1;
}

/** Offset behind word (lower case) at from, in any case and with escapes; 0: another one is there.
 */
static uint32_t word_end(struct span s, uint32_t from, struct span word)
{
	for (uint32_t i = 0; i < word.len; i++)
		if (letter(s, &from) != word.at[i])
			return 0;
	return from;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put(struct redactor *r, struct span s)
{
	uint32_t room = writer_room(r->out);

	r->cut = r->cut || s.len > room;
	writer_put(r->out, span_cut(s, 0, room));
}

/** What was there, in its place: line ends stay out of it, so that lines stay lines. */
static void put_redacted(struct redactor *r, uint32_t bytes)
{
	uint8_t text[40];
	struct writer w;

	writer_init(&w, text, sizeof(text));
	writer_text(&w, "[redacted ");
	writer_decimal(&w, bytes);
	writer_text(&w, " bytes]");
	put(r, writer_span(&w));
}

/** s without white space and line ends behind it. */
static struct span without_end(struct span s)
{
	while (s.len > 0 && is_white(s.at[s.len - 1]))
		s.len--;
	return s;
}

/** Takes out all of s but the white space at its ends. */
static void take_out(struct redactor *r, struct span s)
{
	uint32_t from = white(s, 0);
	struct span what = without_end(span_from(s, from));

	put(r, span_cut(s, 0, from));
	if (what.len > 0)
		put_redacted(r, what.len);
	put(r, span_from(s, from + what.len));
}

/* ---- what is taken out of a line ------------------------------------------------------------- */

/** A JWS begins here: three long parts, or a JSON object's first letters. Its length; 0: no. */
static uint32_t jws_len(struct span line, uint32_t from)
{
	uint32_t len = 0, segment = 0, segments = 0;
	bool object = false;

	for (; is_run(span_at(line, from + len)); len++) {
		struct span rest = span_from(line, from + len);
		bool dot = rest.at[0] == '.' || word_end(rest, 0, SPAN(".")) == 3;

		object = object || span_starts(rest, SPAN("eyJ"));
		segments += dot && segment >= SEGMENT_MIN;
		segment = dot ? 0 : segment + 1;
	}
	segments += segment >= SEGMENT_MIN;
	return segments >= 3 || (object && len >= JWS_MIN) ? len : 0;
}

/** The end of a parameter's value at from: quoted, or up to what could separate it from others. */
static uint32_t value_end(struct span line, uint32_t from)
{
	bool quoted = span_at(line, from) == '"';
	uint32_t at = from + quoted;

	for (int c; (c = span_at(line, at)) >= 0; at++) {
		if (quoted && c == '\\' && span_at(line, at + 1) >= 0)
			at++;
		else if (c == '"')
			return at + quoted;
		else if (!quoted && (c == ';' || c == ',' || c == '&' || c == '>'))
			return at;
	}
	return at;
}

/** Where the value of a parameter named name begins, which stands at from; 0: it does not. */
static uint32_t value_at(struct span line, uint32_t from, struct span name)
{
	uint32_t at = word_end(line, from, name), behind;
	int c;

	if (at == 0)
		return 0;
	while (is_white(span_at(line, at)) || span_at(line, at) == '"' || span_at(line, at) == '\\')
		at++;
	behind = at;
	c = letter(line, &behind);
	return c == '=' || c == ':' ? white(line, behind) : 0;
}

/** Part of a line that is taken out. */
struct secret {
	uint32_t at, end; /* the same: there is none */
};

/** A parameter that is secret: a token, and the session keys of an AKA challenge. */
static struct secret secret_parameter(struct span line, uint32_t from, enum purpose purpose)
{
	uint32_t at = value_at(line, from, SPAN("access_token"));

	if (at == 0 && purpose != PURPOSE_OTHER && !is_word(from > 0 ? line.at[from - 1] : ' ')) {
		at = value_at(line, from, SPAN("ck"));
		if (at == 0)
			at = value_at(line, from, SPAN("ik"));
	}
	return (struct secret){at, at > 0 ? value_end(line, at) : 0};
}

/** Behind the scheme Bearer, which no other letter follows; 0: it does not stand at from. */
static uint32_t bearer_end(struct span line, uint32_t from)
{
	uint32_t end = word_end(line, from, SPAN("bearer"));

	return end > 0 && !is_word(span_at(line, end)) ? end : 0;
}

/** What begins with the character at from. A challenge may say Bearer: it has no token behind. */
static struct secret secret_of(struct span line, uint32_t from, enum purpose purpose)
{
	bool first = from == 0 || !is_run(line.at[from - 1]);
	struct secret secret = secret_parameter(line, from, purpose);
	uint32_t bearer = purpose != PURPOSE_CHALLENGE ? bearer_end(line, from) : 0;

	if (secret.end > secret.at)
		return secret;
	if (bearer > 0)
		return (struct secret){bearer, line.len};
	return (struct secret){from, from + (first ? jws_len(line, from) : 0)};
}

static void put_scrubbed(struct redactor *r, struct span line, enum purpose purpose)
{
	uint32_t at = 0, plain = 0; /* written so far */

	r->hot = false;
	while (at < line.len) {
		struct secret secret = {at, at};

		if (is_run(line.at[at]))
			secret = secret_of(line, at, purpose);
		at++;
		if (secret.end == secret.at)
			continue;
		put(r, span_cut(line, plain, secret.at - plain));
		take_out(r, span_cut(line, secret.at, secret.end - secret.at));
		at = plain = secret.end;
		r->hot = without_end(span_from(line, at)).len == 0;
	}
	put(r, span_from(line, plain));
}

/* ---- lines ----------------------------------------------------------------------------------- */

static bool is_end(int c)
{
	return c == '\r' || c == '\n';
}

/** Bytes of the line at from with its end, which is CRLF, CR or LF. */
static uint32_t physical_len(struct span text, uint32_t from)
{
	uint32_t at = from;

	while (span_at(text, at) >= 0 && !is_end(text.at[at]))
		at++;
	if (span_at(text, at) == '\r' && span_at(text, at + 1) == '\n')
		at++;
	return span_at(text, at) >= 0 ? at + 1 - from : at - from;
}

/** The same with the lines that are folded to it. */
static uint32_t line_len(struct span text, uint32_t from)
{
	uint32_t len = physical_len(text, from);
	bool empty = is_end(span_at(text, from));

	while (!empty && (span_at(text, from + len) == ' ' || span_at(text, from + len) == '\t'))
		len += physical_len(text, from + len);
	return len;
}

/** The header's name is one of these; what no name has is stepped over. */
static bool name_is(struct span name, struct span wanted)
{
	uint32_t i = 0;

	for (; name.len > 0; name = span_from(name, 1)) {
		uint8_t c = ascii_lower(name.at[0]);

		if (is_white(c) || c >= 0x80)
			continue;
		if (span_at(wanted, i++) != c)
			return false;
	}
	return i == wanted.len;
}

static enum purpose purpose_of(struct span line)
{
	struct span name = span_cut(line, 0, span_find(line, ':'));

	if (name.len == line.len)
		return PURPOSE_OTHER;
	if (name_is(name, SPAN("authorization")) || name_is(name, SPAN("proxy-authorization")))
		return PURPOSE_CREDENTIAL;
	if (name_is(name, SPAN("www-authenticate")) || name_is(name, SPAN("proxy-authenticate")) ||
	    name_is(name, SPAN("authentication-info")))
		return PURPOSE_CHALLENGE;
	return PURPOSE_OTHER;
}

/** Digest parameters stay, what is in them that is secret does not; any other credential goes. */
static void put_credential(struct redactor *r, struct span line)
{
	uint32_t at = white(line, span_find(line, ':') + 1);
	uint32_t digest = word_end(line, at, SPAN("digest")), bearer = bearer_end(line, at);
	bool has_parameters = span_at(line, span_find(line, '=')) >= 0;

	if (digest > 0 && is_white(span_at(line, digest)) && has_parameters) {
		put_scrubbed(r, line, PURPOSE_CREDENTIAL);
		return;
	}
	at = bearer > 0 ? bearer : at;
	put(r, span_cut(line, 0, at));
	take_out(r, span_from(line, at));
	r->hot = true;
}

/** Nothing but what a token is made of: the last line's may go on here. */
static bool is_token_rest(struct span line)
{
	for (uint32_t i = 0; i < line.len; i++) {
		uint8_t c = line.at[i];

		if (!is_run(c) && !is_white(c) && c != '+' && c != '/' && c != '~' && c != '=')
			return false;
	}
	return true;
}

/** Offset behind "application/jwt" in line, white space around the slash or not; 0: not there. */
static uint32_t jwt_end(struct span line)
{
	for (uint32_t i = 0; i < line.len; i++) {
		uint32_t at = word_end(line, i, SPAN("application"));

		if (at == 0)
			continue;
		at = white(line, at);
		if (letter(line, &at) != '/')
			continue;
		at = word_end(line, white(line, at), SPAN("jwt"));
		if (at > 0)
			return at;
	}
	return 0;
}

/** Where the part of a body ends that from is in: at the next line that is like the one before it
 * that began with "--", or with the text. */
static uint32_t part_end(const struct redactor *r, uint32_t from)
{
	struct span delimiter = span_cut(r->text, r->delimiter, r->delimiter_len);

	while (r->delimiter_len > 0 && from < r->text.len) {
		from += physical_len(r->text, from);
		if (span_starts(span_from(r->text, from), delimiter))
			return from;
	}
	return r->text.len;
}

/** Takes everything out of a part from the word on that says what it is. */
static void put_jwt_part(struct redactor *r, uint32_t from)
{
	uint32_t end = part_end(r, from);

	put_scrubbed(r, span_cut(r->text, r->at, from - r->at), PURPOSE_OTHER);
	take_out(r, span_cut(r->text, from, end - from));
	r->hot = false;
	r->at = end;
}

static void note_line(struct redactor *r, struct span line)
{
	if (span_starts(line, SPAN("--"))) {
		r->delimiter = r->at;
		r->delimiter_len = without_end(line).len;
	}
}

/** A line of its own, and what is folded to it. */
static void put_line(struct redactor *r, struct span line)
{
	enum purpose purpose = purpose_of(line);

	if (r->hot && is_token_rest(line))
		take_out(r, line);
	else if (purpose == PURPOSE_CREDENTIAL)
		put_credential(r, line);
	else
		put_scrubbed(r, line, purpose);
	r->at += line.len;
}

static void redact_line(struct redactor *r)
{
	struct span line = span_cut(r->text, r->at, line_len(r->text, r->at));
	uint32_t jwt = jwt_end(line);

	note_line(r, line);
	r->body_is_token = r->body_is_token || (jwt > 0 && !r->in_body);
	r->begun = r->begun || !is_end(span_at(line, 0));
	if (is_end(span_at(line, 0))) {
		r->hot = false;
		r->in_body = r->begun;
		put(r, line);
		r->at += line.len;
	} else if (r->in_body && r->body_is_token) {
		take_out(r, span_from(r->text, r->at));
		r->at = r->text.len;
	} else if (jwt > 0 && r->in_body) {
		put_jwt_part(r, r->at + jwt);
	} else {
		put_line(r, line);
	}
}

bool token_redact(struct span text, struct writer *out)
{
	struct redactor r = {.text = text, .out = out};

	while (r.at < text.len && !r.cut)
		redact_line(&r);
	return !r.cut;
}
