/* SPDX-License-Identifier: BSD-3-Clause */
#include "destination.h"

#include "destination_rules.h"
#include "homes.h"
#include "wildcard.h"

/*
 * Toll fraud begins with one destination in two spellings: one that the rules do not have, and one
 * that the core understands. So every spelling is brought to one form, and what could be meant in
 * two ways is refused wherever there are rules.
 */

#define NUMBER_MAX 64  /* digits with a context */
#define GLOBAL_MAX 15  /* ITU-T E.164 */
#define DIALLING_MAX 5 /* digits that people dial before an international number */

/** Somebody whom a URI names. */
struct destination {
	bool unclear;	/* it can be read in two ways */
	bool number;	/* it is routed by its number */
	bool elsewhere; /* what its number means, somebody else says: a host or context not ours */
	bool local;	/* its number is not global */
	uint8_t digits[NUMBER_MAX]; /* without separators, context in front; no digits: no number */
	uint8_t dialled[NUMBER_MAX]; /* the same without context, of a local one */
	uint32_t digits_len, dialled_len;
	struct identity uri;  /* "sip:user@host", canonical; empty: not a SIP URI with a user */
	struct identity tel;  /* "tel:" and digits; empty: no number */
	struct identity host; /* canonical, of a SIP URI */
};

/* ---- numbers -------------------------------------------------------------------------------- */

/** RFC 3966 5.1.1. */
static bool is_separator(int c)
{
	return c == '-' || c == '.' || c == '(' || c == ')';
}

static bool is_dialable(int c)
{
	return (c >= '0' && c <= '9') || c == '*' || c == '#';
}

/** Nothing but what numbers are made of. */
static bool is_like_number(struct span user)
{
	uint32_t bytes;
	int c;

	for (; (c = sip_uri_char(user, &bytes)) >= 0 && c != ';'; user = span_from(user, bytes))
		if (!is_separator(c) && !is_dialable(c) && c != '+')
			return false;
	return true;
}

/** Reads a number up to its parameters; false: it is none. */
static bool read_number(struct span user, struct writer *out, struct span *params)
{
	uint32_t bytes, digits = 0;
	int c;

	for (; (c = sip_uri_char(user, &bytes)) >= 0 && c != ';'; user = span_from(user, bytes)) {
		if (is_separator(c))
			continue;
		if (!is_dialable(c) && (c != '+' || writer_len(out) > 0))
			return false;
		writer_u8(out, (uint8_t)c);
		digits += c != '+';
	}
	*params = span_from(user, c < 0 ? 0 : bytes);
	return digits > 0 && writer_ok(out);
}

/** A service code: none is part of a global number. */
static bool has_code(const uint8_t *digits, uint32_t len)
{
	struct span number = span_of(digits, len);

	return span_find(number, '*') < len || span_find(number, '#') < len;
}

/** Puts the context of a local number in front of it, when it is the beginning of a global one:
 * which has to be one then. */
static void read_context(const struct gateway *gw, struct span context, struct destination *d)
{
	struct writer out;
	struct span rest;

	if (span_at(context, 0) != '+') {
		while (context.len > 0 && context.at[context.len - 1] == '.')
			context.len--;
		d->elsewhere = d->elsewhere || request_realm(gw_config(gw), context) == NULL;
		return;
	}
	writer_init(&out, d->digits, sizeof(d->digits));
	d->unclear = d->unclear || !read_number(context, &out, &rest) || rest.len > 0;
	writer_bytes(&out, d->dialled, d->dialled_len);
	d->digits_len = writer_len(&out);
	d->unclear = d->unclear || !writer_ok(&out) || d->digits_len > GLOBAL_MAX + 1 ||
		     has_code(d->digits, d->digits_len);
}

/** Parameters of a number: who carries the call, or to which network it is ported, is not a WIC's
 * to say (RFC 4694, RFC 4904); an escape is never needed. */
static void read_number_params(const struct gateway *gw, struct span params, struct destination *d)
{
	struct span name, value, context = SPAN("");

	d->unclear = d->unclear || span_find(params, '%') < params.len;
	while (sip_param_next(&params, &name, &value)) {
		if (span_equal_nocase(name, SPAN("isub")) || span_equal_nocase(name, SPAN("ext")))
			continue;
		d->unclear = d->unclear || context.len > 0 || value.len == 0 || !d->local ||
			     !span_equal_nocase(name, SPAN("phone-context"));
		context = value;
	}
	if (context.len > 0 && !d->unclear)
		read_context(gw, context, d);
}

/** False: user is no number. */
static bool take_number(const struct gateway *gw, struct span user, struct destination *d)
{
	struct writer out, tel;
	struct span params;

	writer_init(&out, d->digits, sizeof(d->digits));
	if (!read_number(user, &out, &params)) {
		d->unclear = d->unclear || is_like_number(user);
		return false;
	}
	d->digits_len = d->dialled_len = writer_len(&out);
	memcpy(d->dialled, d->digits, d->digits_len);
	d->local = d->digits[0] != '+';
	/* no country begins with 0: that is dialled, whatever stands before it */
	d->unclear = d->unclear ||
		     (!d->local && (d->digits_len > GLOBAL_MAX + 1 || d->digits[1] == '0' ||
				    has_code(d->digits, d->digits_len)));
	read_number_params(gw, params, d);
	writer_init(&tel, d->tel.text, sizeof(d->tel.text));
	writer_text(&tel, "tel:");
	writer_bytes(&tel, d->digits, d->digits_len);
	d->tel.len = (uint16_t)writer_len(&tel);
	return true;
}

/* ---- URIs ----------------------------------------------------------------------------------- */

/** Parameters by which another than the host or the number would be reached, or that are ours to
 * write; and what is said twice. */
static void read_uri_params(struct span params, struct destination *d, struct span *user)
{
	static const char *const leading[] = {"maddr",	       "rn",	       "cic", "tgrp",
					      "trunk-context", "phone-context"};
	struct span name, value;
	bool seen = false;

	while (sip_param_next(&params, &name, &value)) {
		for (uint32_t i = 0; i < sizeof(leading) / sizeof(leading[0]); i++)
			d->unclear = d->unclear || span_equal_nocase(name, span_text(leading[i]));
		d->unclear = d->unclear || span_find(name, '%') < name.len;
		if (!span_equal_nocase(name, SPAN("user")))
			continue;
		d->unclear = d->unclear || seen || span_find(value, '%') < value.len;
		seen = true;
		*user = value;
	}
}

/** The canonical form of user and host, and that of the host; a dot at its end says nothing. */
static void take_uri(const struct sip_uri *uri, struct destination *d)
{
	struct span host = uri->host, canonical;
	uint8_t text[SIP_URI_MAX + 8];
	struct writer w;

	while (host.len > 0 && host.at[host.len - 1] == '.')
		host.len--;
	writer_init(&w, text, sizeof(text));
	writer_text(&w, "sip:");
	writer_put(&w, uri->has_user ? uri->user : SPAN("x"));
	writer_text(&w, "@");
	writer_put(&w, host);
	if (!writer_ok(&w) || identity_impu(writer_span(&w), &d->uri) != GW_OK) {
		d->unclear = true;
		return;
	}
	canonical = identity_host(&d->uri);
	d->host.len = (uint16_t)canonical.len;
	memcpy(d->host.text, canonical.at, canonical.len);
	d->uri.len = uri->has_user ? d->uri.len : 0;
}

static bool has_semicolon(struct span user)
{
	uint32_t bytes;
	int c;

	for (; (c = sip_uri_char(user, &bytes)) >= 0; user = span_from(user, bytes))
		if (c == ';')
			return true;
	return false;
}

static void take_sip(const struct gateway *gw, const struct sip_uri *uri, struct destination *d)
{
	struct span user = SPAN("");
	bool phone, home;

	read_uri_params(uri->params, d, &user);
	take_uri(uri, d);
	d->unclear = d->unclear || uri->password.len > 0;
	phone = span_equal_nocase(user, SPAN("phone")) ||
		span_equal_nocase(user, SPAN("dialstring"));
	home = request_realm(gw_config(gw), identity_span(&d->host)) != NULL;
	d->elsewhere = !home;
	if (uri->has_user && take_number(gw, uri->user, d))
		d->number = phone || home;
	else /* to some a ';' in a user ends it */
		d->unclear = d->unclear || phone || has_semicolon(uri->user);
}

static void take_tel(const struct gateway *gw, const struct sip_uri *uri, struct destination *d)
{
	struct span user = uri->user;

	/* up to the end of its parameters */
	user.len = uri->params.len > 0 ? (uint32_t)(uri->params.at + uri->params.len - user.at)
				       : user.len;
	d->number = take_number(gw, user, d);
	d->unclear = d->unclear || !d->number; /* letters are of keypads that nobody has */
}

static void take(const struct gateway *gw, const struct sip_uri *uri, struct destination *d)
{
	memset(d, 0, sizeof(*d));
	if (uri->err != GW_OK)
		d->unclear = true;
	else if (uri->scheme == SIP_SCHEME_TEL)
		take_tel(gw, uri, d);
	else if (uri->scheme != SIP_SCHEME_URN)
		take_sip(gw, uri, d);
}

/* ---- rules ---------------------------------------------------------------------------------- */

static bool has_digits(const struct destination_list *list, const uint8_t *digits, uint32_t len)
{
	return destination_has_number(list, destination_places(span_of(digits, len)));
}

/** Behind a service code, as *31# that hides who calls. */
static uint32_t behind_code(const struct destination *d)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i + 1 < d->dialled_len; i++)
		if (d->dialled[i] == '*' || d->dialled[i] == '#')
			at = i + 1;
	return at;
}

/** Of a line to the outside, or of an international call: none begins with another digit. */
static bool begins_dialling(uint8_t digit)
{
	return digit == '0' || digit == '1' || digit == '8' || digit == '9';
}

/** A local number may be an international one behind what is dialled before those; and what of the
 * digits behind a service code is still the code, as in *67, is not known. */
static bool has_dialled(const struct destination_list *list, const struct destination *d)
{
	uint8_t global[NUMBER_MAX + 1] = "+";
	uint32_t from = behind_code(d), len = d->dialled_len - from;
	const uint8_t *dialled = d->dialled + from;

	if (!d->local)
		return false;
	if (has_digits(list, d->dialled, d->dialled_len) || has_digits(list, dialled, len))
		return true;
	for (uint32_t skip = 0; skip <= DIALLING_MAX && skip < len; skip++) {
		memcpy(global + 1, dialled + skip, len - skip);
		if ((skip == 0 || from > 0 || begins_dialling(dialled[0])) &&
		    has_digits(list, global, len - skip + 1))
			return true;
	}
	return false;
}

static bool has_expression(const struct gateway *gw, const struct destination_list *list,
			   const struct identity *text)
{
	return text->len > 0 &&
	       destination_has_expression(list, gw->config.worker, identity_span(text));
}

static bool has_user(const struct gateway *gw, const struct destination_list *list,
		     const struct identity *uri)
{
	return destination_has_uri(list, identity_span(uri)) || has_expression(gw, list, uri);
}

/** A number that is a user of a host, as nothing but its digits. */
static bool has_plain(const struct gateway *gw, const struct destination_list *list,
		      const struct destination *d, struct span digits)
{
	uint8_t text[SIP_URI_MAX];
	struct identity uri;
	struct writer w;

	if (digits.len == 0 || d->host.len == 0)
		return false;
	writer_init(&w, text, sizeof(text));
	writer_text(&w, "sip:");
	for (uint32_t i = 0; i < digits.len; i++)
		if (digits.at[i] == '#')
			writer_text(&w, "%23");
		else
			writer_u8(&w, digits.at[i]);
	writer_text(&w, "@");
	writer_put(&w, identity_span(&d->host));
	return writer_ok(&w) && identity_impu(writer_span(&w), &uri) == GW_OK &&
	       has_user(gw, list, &uri);
}

/** The IPv4 address that an IPv6 one holds (RFC 4291 2.5.5.2); empty: it holds none. */
static struct span host_within(struct span host)
{
	struct span begin = SPAN("[::ffff:");

	if (!span_equal(span_cut(host, 0, begin.len), begin))
		return SPAN("");
	return span_cut(host, begin.len, host.len - begin.len - 1);
}

/** Whatever it may be taken for. */
static bool is_denied(const struct gateway *gw, const struct destination_list *deny,
		      const struct destination *d)
{
	return (d->digits_len > 0 &&
		(has_digits(deny, d->digits, d->digits_len) || has_dialled(deny, d))) ||
	       destination_has_host(deny, identity_span(&d->host)) ||
	       destination_has_host(deny, host_within(identity_span(&d->host))) ||
	       has_user(gw, deny, &d->uri) ||
	       has_plain(gw, deny, d, span_of(d->digits, d->digits_len)) ||
	       (d->local && has_plain(gw, deny, d, span_of(d->dialled, d->dialled_len))) ||
	       has_expression(gw, deny, &d->tel);
}

/** RFC 3966 5.1.5: a context is where a local number holds, no prefix that is dialled. Who dials
 * just the number would reach the outside by this one, whatever its context says. */
static bool leads_outside(const struct destination *d)
{
	return d->local && d->digits[0] == '+' && begins_dialling(d->dialled[0]);
}

/** What it is: a number by its number and not by the host that it is written at. */
static bool is_allowed(const struct gateway *gw, const struct destination_list *allow,
		       const struct destination *d)
{
	if (has_user(gw, allow, &d->uri))
		return true;
	if (!d->number)
		return destination_has_host(allow, identity_span(&d->host));
	return !d->elsewhere && !leads_outside(d) &&
	       (has_digits(allow, d->digits, d->digits_len) || has_expression(gw, allow, &d->tel));
}

static bool passes(const struct gateway *gw, const struct destination_rules *rules,
		   const struct destination *d)
{
	return !is_denied(gw, &rules->deny, d) &&
	       (!rules->allows || is_allowed(gw, &rules->allow, d));
}

/* ---- web sites ------------------------------------------------------------------------------ */

/* By a reload the Origin of a connection may become another site's, or nobody's: who it is was let
 * in by the first, and stays under its rules. What begins without a registration is of the site
 * whose token it has to show. */
struct span destination_site(const struct gateway *gw, const struct wic *wic)
{
	const struct binding *b = binding_of(gw, wic);
	const struct wildcard_user *u = wildcard_of(gw, wic);
	const struct wwsf_config *own = wic->disowned ? NULL : register_wwsf(gw, wic->wwsf);

	if (b != NULL)
		return span_text(b->wwsf);
	if (u != NULL && request_in_dialog(&gw->message))
		return span_text(u->wwsf);
	return own != NULL ? span_cut(own->name, 0, SITE_NAME_MAX) : SPAN("");
}

/** NULL: there is none of that name any more. */
static const struct wwsf_config *site_named(const struct gateway *gw, const struct wic *wic,
					    struct span name)
{
	const struct wwsf_config *own = register_wwsf(gw, wic->wwsf);

	if (own != NULL && span_equal(span_cut(own->name, 0, SITE_NAME_MAX), name))
		return own; /* nearly always */
	return name.len > 0 ? register_site_named(gw, name) : NULL;
}

/** The rules of a WIC's web site, and those of a site that has gone are not known: nobody is
 * allowed. NULL: nobody has any for it. */
static const struct destination_rules *rules_of(const struct gateway *gw, const struct wic *wic)
{
	static const struct destination_rules none, closed = {.any = true, .allows = true};
	const struct destination_part *part = gw->time.view->destinations;
	const struct wwsf_config *site = site_named(gw, wic, destination_site(gw, wic));
	const struct destination_rules *rules = &none;
	uint32_t row;

	if (part == NULL)
		return NULL;
	if (site == NULL)
		return &closed;
	row = (uint32_t)(site - gw_config(gw)->wwsf);
	if (row < part->count)
		rules = &part->site[row];
	return rules->any || part->operator.any ? rules : NULL;
}

static enum gw_err judge(const struct gateway *gw, const struct destination_rules *site,
			 const struct sip_uri *uri)
{
	struct destination d;

	take(gw, uri, &d);
	if (d.unclear)
		return GW_DESTINATION_UNCLEAR;
	return passes(gw, &gw->time.view->destinations->operator, & d) && passes(gw, site, &d)
		       ? GW_OK
		       : GW_DESTINATION;
}

/* ---- requests ------------------------------------------------------------------------------- */

/** What of a URI's headers does not change where a request goes. */
static bool headers_ok(struct span headers)
{
	static const char *const harmless[] = {"Replaces=", "Require=", "Supported="};
	bool ok = true;

	while (ok && headers.len > 0) {
		uint32_t len = span_find(headers, '&');

		ok = false;
		for (uint32_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
			struct span name = span_text(harmless[i]);

			ok = ok || span_equal_nocase(span_cut(headers, 0, name.len), name);
		}
		headers = span_from(headers, len + 1);
	}
	return ok;
}

/** Whoever is referred calls for the WIC (RFC 3515): one, and nobody whom it may not call itself.
 */
static enum gw_err judge_refer_to(const struct gateway *gw, const struct destination_rules *site)
{
	const struct sip_message *m = &gw->message;
	const struct sip_field *f = sip_first(m, SIP_HEADER_OTHER);
	enum gw_err err = GW_OK;
	uint32_t seen = 0;

	for (; f != NULL && err == GW_OK; f = sip_next(m, f)) {
		struct sip_address a;

		if (!span_equal_nocase(f->name, SPAN("Refer-To")) &&
		    !span_equal_nocase(f->name, SPAN("r")))
			continue;
		a = sip_address_parse(f->value);
		if (++seen > 1 || a.err != GW_OK || !headers_ok(a.uri.headers))
			return GW_DESTINATION_UNCLEAR;
		err = judge(gw, site, &a.uri);
	}
	return err;
}

static bool list_tag(struct span tag)
{
	struct span begin = SPAN("recipient-list-");

	return span_equal_nocase(span_cut(tag, 0, begin.len), begin) ||
	       span_equal_nocase(tag, SPAN("multiple-refer"));
}

/** RFC 5363: a list of whom a server is to call or write to, in the body. */
static bool has_list(const struct sip_message *m)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_REQUIRE);
	struct span type = sip_value(m, SIP_HEADER_CONTENT_TYPE);

	for (; f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, tag;

		while (sip_list_next(&rest, &tag))
			if (list_tag(tag))
				return true;
	}
	return request_mentions(type, SPAN("resource-lists")) ||
	       (request_mentions(type, SPAN("multipart")) &&
		request_mentions(m->body, SPAN("resource-lists")));
}

static enum gw_err judge_rest(const struct gateway *gw, const struct destination_rules *site)
{
	return has_list(&gw->message) ? GW_DESTINATION_UNCLEAR : judge_refer_to(gw, site);
}

static enum gw_err refused(struct gateway *gw, const struct wic *wic, enum gw_err err)
{
	const struct wwsf_config *site;

	if (err == GW_OK)
		return GW_OK;
	counter_add(&gw_counters(gw)->destination_refused, 1);
	site = site_named(gw, wic, destination_site(gw, wic));
	if (site != NULL)
		pool_count(gw, site->name, POOL_COUNT_FORBIDDEN);
	audit_destination(gw, wic, err);
	return err;
}

enum gw_err destination_check(struct gateway *gw, const struct wic *wic)
{
	const struct destination_rules *site = rules_of(gw, wic);
	struct sip_uri uri;
	enum gw_err err;

	if (site == NULL)
		return GW_OK;
	if (emergency_forwarded(gw))
		return refused(gw, wic, judge_rest(gw, site));
	uri = sip_uri_parse(gw->message.uri);
	err = judge(gw, site, &uri);
	return refused(gw, wic, err == GW_OK ? judge_rest(gw, site) : err);
}

/** What ends or confirms a call calls nobody: when the other side has moved within the call, to
 * where no rule allows and none denies, the call would go on and be charged. Never a number. */
static bool may_end(const struct gateway *gw, const struct destination_rules *site,
		    const struct sip_uri *uri)
{
	enum sip_method method = gw->message.method;
	struct destination d;

	if ((method != SIP_BYE && method != SIP_ACK) || uri->headers.len > 0 ||
	    (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS))
		return false;
	take(gw, uri, &d);
	return d.digits_len == 0 && !is_denied(gw, &site->deny, &d) &&
	       !is_denied(gw, &gw->time.view->destinations->operator.deny, &d);
}

enum gw_err destination_in_dialog(struct gateway *gw, const struct wic *wic,
				  const struct route_top *top)
{
	const struct destination_rules *site = rules_of(gw, wic);
	struct sip_uri uri;
	enum gw_err err = GW_OK;

	if (site == NULL)
		return GW_OK;
	uri = sip_uri_parse(gw->message.uri);
	if (top->mark.target == 0 || top->mark.target != destination_target(gw, &uri))
		err = judge(gw, site, &uri);
	if (err == GW_DESTINATION && may_end(gw, site, &uri))
		err = GW_OK;
	return refused(gw, wic, err == GW_OK ? judge_rest(gw, site) : err);
}

/* ---- targets of dialogs --------------------------------------------------------------------- */

/** Stacks write a URI anew: escapes, case and order of parameters say nothing. */
static uint64_t hash_characters(const struct gateway *gw, uint64_t hash, struct span part)
{
	uint8_t text[sizeof(hash) + SIP_URI_MAX];
	struct writer w;
	uint32_t bytes;
	int c;

	writer_init(&w, text, sizeof(text));
	writer_bytes(&w, &hash, sizeof(hash));
	for (; (c = sip_uri_char(part, &bytes)) >= 0; part = span_from(part, bytes))
		writer_u8(&w, (uint8_t)c);
	return siphash(gw_config(gw)->hash_key, writer_span(&w));
}

static uint64_t hash_lower(const struct gateway *gw, uint64_t hash, struct span part)
{
	uint8_t text[SIP_URI_MAX];
	uint32_t len = part.len < sizeof(text) ? part.len : (uint32_t)sizeof(text);

	for (uint32_t i = 0; i < len; i++)
		text[i] = ascii_lower(part.at[i]);
	return hash_characters(gw, hash, span_of(text, len));
}

uint64_t destination_target(const struct gateway *gw, const struct sip_uri *uri)
{
	struct span params = uri->params, name, value;
	uint64_t hash, sum = 0;

	if (uri->err != GW_OK || uri->scheme == SIP_SCHEME_URN)
		return 0;
	hash = hash_characters(gw, uri->scheme, uri->user);
	hash = hash_characters(gw, hash, uri->password);
	hash = hash_lower(gw, hash + uri->port, uri->host);
	while (sip_param_next(&params, &name, &value))
		sum += hash_lower(gw, hash_lower(gw, hash, name), value);
	hash = hash_characters(gw, hash + sum, SPAN("target"));
	return hash != 0 ? hash : 1;
}
