/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/*
 * Digest credentials and challenges (RFC 7616) of users whom the core authenticates: read strictly
 * wherever another parser might find another parameter than we do, edited where they lie, so that
 * what is not ours goes on byte for byte (PROTOCOL 4).
 */

#define DIGEST SPAN("Digest")

/** One parameter of a credential or of challenges that follow each other. */
struct digest_param {
	bool good;	    /* a name, '=', and one token or quoted string */
	struct span whole;  /* name to value */
	struct span scheme; /* of what begins with this parameter; else empty */
	struct span name;
	struct span value; /* quotes kept */
};

static struct span skip_space(struct span text)
{
	while (span_at(text, 0) == ' ' || span_at(text, 0) == '\t' || span_at(text, 0) == '\r' ||
	       span_at(text, 0) == '\n') /* folds are still there */
		text = span_from(text, 1);
	return text;
}

static uint32_t token_len(struct span text)
{
	uint32_t n = 0;

	while (n < text.len && sip_is_token(span_of(text.at + n, 1)))
		n++;
	return n;
}

/** A quoted string and nothing behind it. */
static bool is_quoted(struct span text)
{
	uint32_t i = 1;

	if (span_at(text, 0) != '"')
		return false;
	while (i < text.len && text.at[i] != '"')
		i += text.at[i] == '\\' ? 2 : 1;
	return i + 1 == text.len;
}

static struct digest_param param_read(struct span item)
{
	struct digest_param p = {.whole = item};
	uint32_t n = token_len(item);
	struct span after = skip_space(span_from(item, n));

	if (n > 0 && after.len > 0 && after.at[0] != '=') { /* two words: the first is a scheme */
		p.scheme = span_cut(item, 0, n);
		p.whole = after;
		n = token_len(after);
		after = skip_space(span_from(p.whole, n));
	}
	p.name = span_cut(p.whole, 0, n);
	if (n == 0 || span_at(after, 0) != '=')
		return p;
	p.value = skip_space(span_from(after, 1));
	p.good = sip_is_token(p.value) || is_quoted(p.value);
	return p;
}

/** Takes the next parameter. False at the end. */
static bool param_next(struct span *rest, struct digest_param *p)
{
	struct span item;

	if (!sip_list_next(rest, &item))
		return false;
	*p = param_read(item);
	return true;
}

static bool is_digest(struct span value)
{
	return span_equal_nocase(span_cut(value, 0, token_len(value)), DIGEST);
}

/* ---- taking parameters out ------------------------------------------------------------------ */

typedef bool param_unwanted(struct span name);

/** What only this node may say to the core, and what is for it alone. */
static bool is_ours(struct span name)
{
	return span_equal_nocase(name, SPAN("integrity-protected")) ||
	       span_equal_nocase(name, SPAN("authorization-entity"));
}

/** The keys of IMS AKA: they are for the node that the core talks to (TS 24.229). */
static bool is_key(struct span name)
{
	return span_equal_nocase(name, SPAN("ck")) || span_equal_nocase(name, SPAN("ik"));
}

/** Every parameter can be read, and each credential or challenge keeps one at least. */
static bool can_strip(struct span value, param_unwanted *unwanted)
{
	struct digest_param p;
	uint32_t kept = 0;
	bool begun = false;

	while (param_next(&value, &p)) {
		if (!p.good || (!begun && p.scheme.len == 0) ||
		    (begun && p.scheme.len > 0 && kept == 0))
			return false;
		kept = (p.scheme.len > 0 ? 0 : kept) + !unwanted(p.name);
		begun = true;
	}
	return kept > 0;
}

static void remove_between(struct gateway *gw, const uint8_t *from, const uint8_t *to)
{
	sip_splice_replace(&gw->splice, span_of(from, (uint32_t)(to - from)), SPAN(""));
}

/**
 * Edits the unwanted parameters out of value, each with one comma: that before it, or that behind
 * it where nothing of its credential is left before it.
 */
static void strip(struct gateway *gw, struct span value, param_unwanted *unwanted)
{
	const uint8_t *end = NULL, *leading = NULL;
	struct digest_param p;
	uint32_t kept = 0;

	while (param_next(&value, &p)) {
		bool out = unwanted(p.name);

		if (p.scheme.len > 0)
			kept = 0;
		if (out && kept > 0)
			remove_between(gw, end, p.whole.at + p.whole.len);
		else if (out && leading == NULL)
			leading = p.whole.at;
		if (!out && leading != NULL) {
			remove_between(gw, leading, p.whole.at);
			leading = NULL;
		}
		kept += !out;
		end = p.whole.at + p.whole.len;
	}
}

/** What cannot be read might hide a key, unless no word of it could be one. */
static bool may_hide_key(struct span value)
{
	return request_mentions(value, SPAN("ck")) || request_mentions(value, SPAN("ik")) ||
	       span_find(value, '\\') < value.len;
}

static void strip_keys(struct gateway *gw, const struct sip_message *m, enum sip_header id)
{
	for (const struct sip_field *f = sip_first(m, id); f != NULL; f = sip_next(m, f)) {
		if (can_strip(f->value, is_key))
			strip(gw, f->value, is_key);
		else if (may_hide_key(f->value))
			sip_splice_remove(&gw->splice, f);
	}
}

void digest_strip_keys(struct gateway *gw, const struct sip_message *m)
{
	strip_keys(gw, m, SIP_HEADER_WWW_AUTHENTICATE);
	strip_keys(gw, m, SIP_HEADER_PROXY_AUTHENTICATE);
}

/* ---- the credential of a REGISTER ----------------------------------------------------------- */

bool digest_says_ours(struct span text)
{
	static const char *const words[] = {"integrity-protected", "authorization-entity", "bearer",
					    "access_token"};

	for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (request_mentions(text, span_text(words[i])))
			return true;
	return false;
}

/** Parameters that mean something to whoever checks a Digest: two of one would be read by turns. */
static const char *const known[] = {"username", "realm", "nonce", "uri",    "response", "algorithm",
				    "cnonce",	"nc",	 "qop",	  "opaque", "auts"};
#define KNOWN (sizeof(known) / sizeof(known[0]))

/** The bit of a known parameter; 0: it is none. */
static uint32_t known_bit(struct span name)
{
	for (uint32_t i = 0; i < KNOWN; i++)
		if (span_equal_nocase(name, span_text(known[i])))
			return 1u << i;
	return 0;
}

/** Names that would say the user or our word in another way than we read it. */
static bool is_other_spelling(struct span name)
{
	return span_find(name, '%') < name.len || span_find(name, '*') < name.len ||
	       span_equal_nocase(name, SPAN("userhash")) || digest_says_ours(name);
}

static enum gw_err keep_param(struct digest_credential *d, const struct digest_param *p)
{
	struct span value = sip_unquote(p->value);

	if (span_equal_nocase(p->name, SPAN("username")))
		return identity_impi(value, &d->username) == GW_OK ? GW_OK : GW_IDENTITY_MISMATCH;
	if (span_equal_nocase(p->name, SPAN("response")))
		d->answered = value.len > 0;
	else if (span_equal_nocase(p->name, SPAN("algorithm")))
		d->aka = span_equal_nocase(value, SPAN("AKAv2-SHA-256"));
	return GW_OK;
}

/** One parameter that stays; seen: bits of those before it. */
static enum gw_err read_param(struct digest_credential *d, const struct digest_param *p,
			      uint32_t *seen)
{
	uint32_t bit = known_bit(p->name);
	bool escaped = span_find(p->value, '\\') < p->value.len;

	if (is_other_spelling(p->name) || digest_says_ours(p->value) || (bit != 0 && escaped) ||
	    (bit & *seen) != 0)
		return GW_SIP_HEADER;
	*seen |= bit;
	return keep_param(d, p);
}

static enum gw_err read_credential(struct digest_credential *d)
{
	struct span rest = d->field->value;
	enum gw_err err = GW_OK;
	struct digest_param p;
	uint32_t seen = 0, count = 0;

	if (!can_strip(rest, is_ours))
		return GW_SIP_HEADER;
	while (err == GW_OK && param_next(&rest, &p)) {
		if (++count > SIP_PARAMS_MAX || (count > 1 && p.scheme.len > 0))
			return GW_SIP_HEADER; /* a second credential where one line is one */
		if (!is_ours(p.name))
			err = read_param(d, &p, &seen);
	}
	return err == GW_OK && d->username.len == 0 ? GW_SIP_HEADER : err;
}

struct digest_credential digest_read(const struct sip_message *m)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_AUTHORIZATION);
	struct digest_credential d = {0};

	for (; f != NULL; f = sip_next(m, f)) {
		if (!is_digest(f->value))
			continue;
		if (d.field != NULL) {
			d.err = GW_SIP_REPEATED;
			return d;
		}
		d.field = f;
	}
	if (d.field != NULL)
		d.err = read_credential(&d);
	return d;
}

void digest_protect(struct gateway *gw, const struct sip_field *field, struct span value)
{
	uint32_t mark = writer_len(&gw->lines);

	strip(gw, field->value, is_ours);
	if (value.len == 0)
		return;
	writer_text(&gw->lines, ",integrity-protected=\"");
	writer_put(&gw->lines, value);
	writer_text(&gw->lines, "\""); /* quoted: D-14 */
	sip_splice_replace(&gw->splice, span_from(field->value, field->value.len),
			   request_lines(gw, mark));
}
