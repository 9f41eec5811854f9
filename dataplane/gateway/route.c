/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/*
 * Our own URI in Route and Record-Route (PROTOCOL 9.8, 10.1). Its user names the flow or the home
 * of a registration; a parameter beside it, under the same MAC, says of the dialog what later
 * requests need. What a WIC gets to see is bound to the rest of the route set as well: it can
 * leave the route of its dialog as little as it can invent one.
 */

#define MARK_NAME SPAN("wd")
#define MARK_ORIGINATING 1
#define MARK_ROUTES 2
#define MARK_BYTES (1 + 8 + ICID_MAX)
#define MARK_TEXT 100 /* that in base64url */
#define ROUTES_MAX 32 /* of one message; more are left as they are */

/* ---- the parameter -------------------------------------------------------------------------- */

static void mark_write(const struct dialog_mark *mark, struct writer *out)
{
	uint8_t bytes[MARK_BYTES];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	writer_u8(&w, (uint8_t)((mark->originating ? MARK_ORIGINATING : 0) |
				(mark->routes != 0 ? MARK_ROUTES : 0)));
	writer_u32_be(&w, (uint32_t)(mark->routes >> 32));
	writer_u32_be(&w, (uint32_t)mark->routes);
	writer_bytes(&w, mark->icid, mark->icid_len);
	token_base64url_write(out, writer_span(&w));
}

static uint32_t take_u32(struct span *in)
{
	struct span four = SPAN("\0\0\0\0");

	(void)span_take(in, 4, &four);
	return (uint32_t)four.at[0] << 24 | (uint32_t)four.at[1] << 16 | (uint32_t)four.at[2] << 8 |
	       four.at[3];
}

/** text has been under our MAC: what it holds is ours. */
static bool mark_read(struct span text, struct dialog_mark *mark)
{
	uint8_t bytes[MARK_BYTES], flags;
	struct span in;
	uint32_t len;

	if (token_base64url_decode(text, bytes, sizeof(bytes), &len) != GW_OK || len < 9)
		return false;
	in = span_of(bytes, len);
	(void)span_u8(&in, &flags);
	mark->originating = (flags & MARK_ORIGINATING) != 0;
	mark->routes = (uint64_t)take_u32(&in) << 32;
	mark->routes |= take_u32(&in);
	mark->icid_len = (uint16_t)in.len;
	memcpy(mark->icid, in.at, in.len);
	return true;
}

/* ---- route sets ------------------------------------------------------------------------------ */

/** Goes on with the hash of a route set. What tells a hop is its user, host and port; how the rest
 * is spelled is the client's business. */
static uint64_t hash_route(const struct gateway *gw, uint64_t hash, struct span element)
{
	struct sip_address a = sip_address_parse(element);
	uint8_t text[1024];
	struct writer w;

	writer_init(&w, text, sizeof(text));
	writer_bytes(&w, &hash, sizeof(hash));
	writer_put(&w, span_cut(a.uri.user, 0, 400));
	writer_u8(&w, '@');
	for (uint32_t i = 0; i < a.uri.host.len && i < 300; i++)
		writer_u8(&w, ascii_lower(a.uri.host.at[i]));
	writer_u16_be(&w, a.uri.port);
	return siphash(gw_config(gw)->hash_key, writer_span(&w));
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

	if (address.err != GW_OK)
		return GW_FLOW_FORGED;
	top->outbound = sip_param(address.uri.params, SPAN("ob"), &value);
	(void)sip_param(address.uri.params, MARK_NAME, &bound);
	err = flow_token_read(gw_config(gw), address.uri.user, bound, &top->token);
	if (err == GW_OK && bound.len > 0 && !mark_read(bound, &top->mark))
		err = GW_FLOW_FORGED;
	return err;
}

struct route_top route_read(struct gateway *gw)
{
	const struct sip_message *m = &gw->message;
	struct route_top top = {.field = sip_first(m, SIP_HEADER_ROUTE)};
	struct span elements[ROUTES_MAX];
	uint64_t hash = 0;
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
	for (uint32_t i = 1; i < n; i++)
		hash = hash_route(gw, hash, elements[i]);
	top.rest = hash_end(hash);
	top.err = read_own(gw, top.element, &top);
	return top;
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
	flow_token_write(gw_config(gw), &token, writer_span(&w), &gw->lines);
	writer_text(&gw->lines, "@");
	request_sent_by(gw);
	writer_text(&gw->lines, transport == MW_UDP ? ";lr;wd=" : ";transport=tcp;lr;wd=");
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
	uint64_t hash = 0;

	if (n > ROUTES_MAX)
		n = 0; /* the WIC's requests will not pass: nobody has such a route */
	for (uint32_t i = 0; i < n; i++)
		hash = hash_route(gw, hash, elements[i]);
	mark->routes = hash_end(hash);
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
	uint64_t hash = 0;

	if (n == 0 || n > ROUTES_MAX || !is_own(gw, wic, elements[n - 1]))
		return;
	/* RFC 3261 12.1.2: the WIC takes them in reverse, ours first */
	for (uint32_t i = n - 1; i > 0; i--)
		hash = hash_route(gw, hash, elements[i - 1]);
	mark->routes = hash_end(hash);
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
