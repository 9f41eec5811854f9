/* SPDX-License-Identifier: BSD-3-Clause */
#include "destination.h"

#include "base64url.h"

/*
 * Our own URI in Route and Record-Route (PROTOCOL 9.8, 10.1). Its user names the flow or the home
 * of a registration; a parameter beside it, under the same MAC, says of the dialog what later
 * requests need. What a WIC gets to see is bound to the dialog and the rest of its route set as
 * well: it can leave the route of its dialog, or use it for something else, as little as it can
 * invent one.
 */

#define MARK_NAME SPAN("wd")
#define MARK_ORIGINATING 1
#define MARK_BYTES (1 + 8 + 8 + ICID_MAX)
#define MARK_TEXT 112 /* that in base64url */
#define ROUTES_MAX 32 /* of one message; more are left as they are */

/* ---- the parameter -------------------------------------------------------------------------- */

static void mark_write(const struct dialog_mark *mark, struct writer *out)
{
	uint8_t bytes[MARK_BYTES];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	writer_u8(&w, mark->originating ? MARK_ORIGINATING : 0);
	writer_u64_be(&w, mark->routes);
	writer_u64_be(&w, mark->target);
	writer_bytes(&w, mark->icid, mark->icid_len);
	base64url_write(out, writer_span(&w));
}

/** text has been under our MAC: what it holds is ours. */
static bool mark_read(struct span text, struct dialog_mark *mark)
{
	uint8_t bytes[MARK_BYTES], flags;
	uint32_t len;
	struct span in;

	if (base64url_read(text, bytes, sizeof(bytes), &len) != BASE64URL_OK)
		return false;
	in = span_of(bytes, len);
	if (!span_u8(&in, &flags) || !span_u64_be(&in, &mark->routes) ||
	    !span_u64_be(&in, &mark->target))
		return false;
	mark->originating = (flags & MARK_ORIGINATING) != 0;
	mark->icid_len = (uint16_t)in.len;
	memcpy(mark->icid, in.at, in.len);
	return true;
}

/* ---- route sets ------------------------------------------------------------------------------ */

/** Goes on with a hash by some text; in any case, when that is how its grammar has it. */
static uint64_t hash_text(const struct gateway *gw, uint64_t hash, struct span part, bool any_case)
{
	uint8_t text[sizeof(hash) + SIP_URI_MAX];
	struct writer w;

	writer_init(&w, text, sizeof(text));
	writer_bytes(&w, &hash, sizeof(hash));
	for (uint32_t i = 0; i < part.len && i < SIP_URI_MAX; i++)
		writer_u8(&w, any_case ? ascii_lower(part.at[i]) : part.at[i]);
	return siphash(gw_config(gw)->hash_key, writer_span(&w));
}

/** The same by parameters, whose order says nothing. */
static uint64_t hash_params(const struct gateway *gw, uint64_t hash, struct span params)
{
	struct span name, value;
	uint64_t sum = 0;

	while (sip_param_next(&params, &name, &value))
		sum += hash_text(gw, hash_text(gw, hash, name, true), value, true);
	return hash_text(gw, hash + sum, SPAN("params"), false);
}

/**
 * Goes on with the hash of a route set. Every part of a hop counts, since its parameters can lead
 * elsewhere too (maddr, transport); only what two spellings of one URI may differ in does not.
 */
static uint64_t hash_route(const struct gateway *gw, uint64_t hash, struct span element)
{
	struct sip_address a = sip_address_parse(element);

	if (a.err != GW_OK)
		return hash_text(gw, hash, element, false);
	hash = hash_text(gw, hash + a.uri.scheme, a.uri.user, false);
	hash = hash_text(gw, hash, a.uri.password, false);
	hash = hash_text(gw, hash + a.uri.port, a.uri.host, true);
	hash = hash_params(gw, hash, a.uri.params);
	return hash_params(gw, hash, a.params);
}

/** Where such a hash begins: with the dialog. Header remote has the other side's tag, and header
 * local is who the WIC is there: it stays the same one in every request of its. */
static uint64_t hash_dialog(const struct gateway *gw, enum sip_header remote, enum sip_header local)
{
	struct sip_address a = sip_address_parse(sip_value(&gw->message, remote));
	struct sip_address own = sip_address_parse(sip_value(&gw->message, local));
	struct span tag = SPAN("");
	uint64_t hash = hash_text(gw, 0, sip_value(&gw->message, SIP_HEADER_CALL_ID), false);

	if (a.err == GW_OK)
		(void)sip_param(a.params, SPAN("tag"), &tag);
	hash = hash_text(gw, hash, tag, false);
	hash = hash_text(gw, hash, own.uri.user, false);
	return hash_text(gw, hash, own.uri.host, true);
}

/** Of whom the dialog is with, as the Contact of gw->message says. */
static uint64_t hash_contact(const struct gateway *gw)
{
	struct span rest = sip_value(&gw->message, SIP_HEADER_CONTACT), element;
	struct sip_address a;

	if (!sip_list_next(&rest, &element))
		return 0;
	a = sip_address_parse(element);
	return a.err == GW_OK ? destination_target(gw, &a.uri) : 0;
}

static uint64_t hash_end(uint64_t hash)
{
	return hash != 0 ? hash : 1; /* 0: not known */
}

/** The elements of every line of header id. More than max are counted and not listed. */
static uint32_t list_elements(const struct sip_message *m, enum sip_header id,
			      struct span elements[ROUTES_MAX])
{
	uint32_t n = 0;

	for (const struct sip_field *f = sip_first(m, id); f != NULL; f = sip_next(m, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element)) {
			if (n < ROUTES_MAX)
				elements[n] = element;
			n++;
		}
	}
	return n;
}

/* ---- reading --------------------------------------------------------------------------------- */

/** Reads our token and mark out of one element. */
static enum gw_err read_own(const struct gateway *gw, struct span element, struct route_top *top)
{
	struct sip_address address = sip_address_parse(element);
	struct span bound = SPAN(""), value;
	enum gw_err err;

	if (address.err != GW_OK || !span_equal_nocase(address.uri.host, gw_config(gw)->mw_host))
		return GW_FLOW_FORGED;
	top->outbound = sip_param(address.uri.params, SPAN("ob"), &value);
	top->dialog = sip_param(address.uri.params, MARK_NAME, &bound);
	err = flow_token_read(gw, address.uri.user, bound, &top->token);
	if (err == GW_OK && top->token.kind == FLOW_SUBSCRIPTION)
		err = GW_FLOW_FORGED; /* it is this node's own, and leads to no WIC */
	if (err == GW_OK && bound.len > 0 && !mark_read(bound, &top->mark))
		err = GW_FLOW_FORGED;
	return err;
}

struct route_top route_read(const struct gateway *gw)
{
	const struct sip_message *m = &gw->message;
	struct route_top top = {.field = sip_first(m, SIP_HEADER_ROUTE)};
	struct span elements[ROUTES_MAX];
	uint32_t n;

	if (top.field == NULL) {
		top.err = GW_FLOW_GONE;
		return top;
	}
	n = list_elements(m, SIP_HEADER_ROUTE, elements);
	if (n == 0 || n > ROUTES_MAX) {
		top.err = GW_FLOW_FORGED;
		return top;
	}
	top.element = elements[0];
	top.more = n > 1;
	if (top.more)
		top.second = elements[1];
	top.err = read_own(gw, top.element, &top);
	return top;
}

bool route_is_kept(const struct gateway *gw, const struct route_top *top)
{
	struct span elements[ROUTES_MAX];
	uint32_t n = list_elements(&gw->message, SIP_HEADER_ROUTE, elements);
	uint64_t hash = hash_dialog(gw, SIP_HEADER_TO, SIP_HEADER_FROM);

	for (uint32_t i = 1; i < n && i < ROUTES_MAX; i++)
		hash = hash_route(gw, hash, elements[i]);
	return n <= ROUTES_MAX && top->mark.routes == hash_end(hash);
}

/* ---- writing --------------------------------------------------------------------------------- */

/** What names wic's dialogs: its registration, which may move to another flow; until that has a
 * home, the flow. */
static struct flow_token own_token(const struct wic *wic)
{
	struct handle home = home_of(wic);

	if (handle_is_none(home))
		return (struct flow_token){FLOW_CONNECTION, wic->flow};
	return (struct flow_token){FLOW_HOME, home};
}

static void write_own(struct gateway *gw, const struct wic *wic, const struct dialog_mark *mark,
		      enum mw_transport transport)
{
	struct flow_token token = own_token(wic);
	uint8_t text[MARK_TEXT];
	struct writer w;

	writer_init(&w, text, sizeof(text));
	mark_write(mark, &w);
	writer_text(&gw->lines, "Record-Route: <sip:");
	flow_token_write(gw, &token, writer_span(&w), &gw->lines);
	writer_text(&gw->lines, "@");
	request_own_uri(gw, transport);
	writer_text(&gw->lines, ";wd=");
	writer_put(&gw->lines, writer_span(&w));
	writer_text(&gw->lines, ">\r\n");
}

void route_record(struct gateway *gw, const struct wic *wic, const struct dialog_mark *mark,
		  enum mw_transport transport)
{
	uint32_t at = writer_len(&gw->lines);

	write_own(gw, wic, mark, transport);
	sip_splice_insert_top(&gw->splice, request_lines(gw, at));
}

static void write_foreign(struct gateway *gw, struct span element)
{
	writer_text(&gw->lines, "Record-Route: ");
	writer_put(&gw->lines, element);
	writer_text(&gw->lines, "\r\n");
}

void route_record_request(struct gateway *gw, const struct wic *wic, struct dialog_mark *mark,
			  enum mw_transport transport)
{
	struct span elements[ROUTES_MAX];
	uint32_t n = list_elements(&gw->message, SIP_HEADER_RECORD_ROUTE, elements);
	uint32_t at = writer_len(&gw->lines);
	uint64_t hash = hash_dialog(gw, SIP_HEADER_FROM, SIP_HEADER_TO);

	if (n > ROUTES_MAX)
		n = 0; /* the WIC's requests will not pass: nobody has such a route */
	for (uint32_t i = 0; i < n; i++)
		hash = hash_route(gw, hash, elements[i]);
	mark->routes = hash_end(hash);
	mark->target = hash_contact(gw);
	write_own(gw, wic, mark, transport);
	for (uint32_t i = 0; i < n; i++)
		write_foreign(gw, elements[i]);
	if (n > 0)
		sip_splice_remove_all(&gw->splice, SIP_HEADER_RECORD_ROUTE);
	sip_splice_insert_top(&gw->splice, request_lines(gw, at));
}

/** The element is the Record-Route that we wrote for this wic. */
static bool is_own(const struct gateway *gw, const struct wic *wic, struct span element)
{
	struct flow_token own = own_token(wic);
	struct route_top top = {0};

	if (read_own(gw, element, &top) != GW_OK)
		return false;
	return (top.token.kind == own.kind && handle_equal(top.token.handle, own.handle)) ||
	       (top.token.kind == FLOW_CONNECTION && handle_equal(top.token.handle, wic->flow));
}

void route_record_response(struct gateway *gw, const struct wic *wic, struct dialog_mark *mark,
			   enum mw_transport transport)
{
	struct span elements[ROUTES_MAX];
	uint32_t n = list_elements(&gw->message, SIP_HEADER_RECORD_ROUTE, elements);
	uint32_t at = writer_len(&gw->lines);
	uint64_t hash = hash_dialog(gw, SIP_HEADER_TO, SIP_HEADER_FROM);

	if (n == 0 || n > ROUTES_MAX || !is_own(gw, wic, elements[n - 1]))
		return;
	/* RFC 3261 12.1.2: the WIC takes them in reverse, ours first */
	for (uint32_t i = n - 1; i > 0; i--)
		hash = hash_route(gw, hash, elements[i - 1]);
	mark->routes = hash_end(hash);
	mark->target = hash_contact(gw);
	for (uint32_t i = 0; i < n - 1; i++)
		write_foreign(gw, elements[i]);
	write_own(gw, wic, mark, transport);
	sip_splice_remove_all(&gw->splice, SIP_HEADER_RECORD_ROUTE);
	sip_splice_insert_top(&gw->splice, request_lines(gw, at));
}

bool route_is_of(const struct wic *wic, const struct route_top *top)
{
	if (top->token.kind == FLOW_CONNECTION)
		return handle_equal(top->token.handle, wic->flow);
	return !handle_is_none(home_of(wic)) && handle_equal(top->token.handle, home_of(wic));
}
