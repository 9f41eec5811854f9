/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/evp.h>

#include "ws.h"

#define KEY_CHARS 24 /* base64 of 16 bytes: RFC 6455 section 4.2.1 */
#define SHA1_BYTES 20

/** What the header fields of a request say. A field that must be single is counted. */
struct upgrade_fields {
	struct span host, version, key, origin;
	uint32_t hosts, versions, keys, origins;
	bool upgrade;	 /* an Upgrade field is there */
	bool websocket;	 /* and lists websocket */
	bool connection; /* Connection lists upgrade */
	bool sip;	 /* Sec-WebSocket-Protocol lists sip */
	bool body;	 /* a body is announced */
};

struct upgrade_line {
	struct span method, target, version;
};

/* RFC 9110 section 5.6.2 */
static bool is_tchar(uint8_t c)
{
	switch (c) {
	case 'A' ... 'Z':
	case 'a' ... 'z':
	case '0' ... '9':
	case '!':
	case '#' ... '\'':
	case '*':
	case '+':
	case '-':
	case '.':
	case '^' ... '`':
	case '|':
	case '~':
		return true;
	default:
		return false;
	}
}

static bool is_token(struct span s)
{
	for (uint32_t i = 0; i < s.len; i++)
		if (!is_tchar(s.at[i]))
			return false;
	return s.len > 0;
}

/* RFC 9110 section 5.5: visible characters, obs-text, and white space; no bare CR, LF or NUL. */
static bool is_field_value(struct span s)
{
	for (uint32_t i = 0; i < s.len; i++)
		if ((s.at[i] < ' ' && s.at[i] != '\t') || s.at[i] == 0x7F)
			return false;
	return true;
}

static bool is_visible(struct span s)
{
	for (uint32_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] >= 0x7F)
			return false;
	return s.len > 0;
}

/* Takes what is before c out of *rest, and c; all of it when there is no c. */
static struct span take_until(struct span *rest, uint8_t c)
{
	uint32_t n = span_find(*rest, c);
	struct span part = span_cut(*rest, 0, n);

	*rest = span_from(*rest, n);
	span_skip(rest, 1);
	return part;
}

static bool list_has_nocase(struct span list, struct span token)
{
	while (list.len > 0)
		if (span_equal_nocase(span_trim(take_until(&list, ',')), token))
			return true;
	return false;
}

static bool list_has(struct span list, struct span token)
{
	while (list.len > 0)
		if (span_equal(span_trim(take_until(&list, ',')), token))
			return true;
	return false;
}

static void field_host(struct upgrade_fields *f, struct span value)
{
	f->host = value;
	f->hosts++;
}

static void field_upgrade(struct upgrade_fields *f, struct span value)
{
	f->upgrade = true;
	f->websocket |= list_has_nocase(value, SPAN("websocket"));
}

static void field_connection(struct upgrade_fields *f, struct span value)
{
	f->connection |= list_has_nocase(value, SPAN("upgrade"));
}

static void field_version(struct upgrade_fields *f, struct span value)
{
	f->version = value;
	f->versions++;
}

static void field_key(struct upgrade_fields *f, struct span value)
{
	f->key = value;
	f->keys++;
}

/* Compared byte for byte: the 101 echoes "sip", and a client takes only what it offered itself. */
static void field_protocol(struct upgrade_fields *f, struct span value)
{
	f->sip |= list_has(value, SPAN("sip"));
}

static void field_origin(struct upgrade_fields *f, struct span value)
{
	f->origin = value;
	f->origins++;
}

static void field_length(struct upgrade_fields *f, struct span value)
{
	f->body |= !span_equal(value, SPAN("0"));
}

static void field_transfer(struct upgrade_fields *f, struct span value)
{
	f->body = true;
}

struct upgrade_field {
	const char *name;
	void (*read)(struct upgrade_fields *f, struct span value);
};

static const struct upgrade_field upgrade_fields[] = {
	{"host", field_host},
	{"upgrade", field_upgrade},
	{"connection", field_connection},
	{"sec-websocket-version", field_version},
	{"sec-websocket-key", field_key},
	{"sec-websocket-protocol", field_protocol},
	{"origin", field_origin},
	{"content-length", field_length},
	{"transfer-encoding", field_transfer},
};

/* One line, which also must be no obs-fold: white space is no token character. */
static bool upgrade_field_read(struct upgrade_fields *f, struct span line)
{
	struct span value = line;
	struct span name = take_until(&value, ':');

	if (name.len == line.len || !is_token(name) || !is_field_value(value))
		return false;
	for (uint32_t i = 0; i < sizeof(upgrade_fields) / sizeof(upgrade_fields[0]); i++)
		if (span_equal_nocase(name, span_text(upgrade_fields[i].name)))
			upgrade_fields[i].read(f, span_trim(value));
	return true;
}

/* Takes a line and its CRLF out of *head, which ends in CRLF. A CR or LF elsewhere stays in the
 * line, where nothing allows it. */
static struct span upgrade_next_line(struct span *head)
{
	struct span line = take_until(head, '\n');

	if (span_at(line, line.len - 1) == '\r')
		line.len--;
	else
		line.len++; /* a bare LF belongs to the line */
	return line;
}

/* Bytes of the head with its empty line; 0 when that is not there. */
static uint32_t upgrade_head_len(struct span in)
{
	struct span rest = in;

	while (rest.len > 0) {
		rest = span_from(rest, span_find(rest, '\r'));
		if (span_starts(rest, SPAN("\r\n\r\n")))
			return in.len - rest.len + 4;
		span_skip(&rest, 1);
	}
	return 0;
}

/* RFC 9112 section 3: three parts, one space between them. */
static bool upgrade_line_read(struct span line, struct upgrade_line *read)
{
	read->method = take_until(&line, ' ');
	read->target = take_until(&line, ' ');
	read->version = line;
	return is_token(read->method) && is_visible(read->target) &&
	       span_find(read->target, '#') == read->target.len && line.len == 8 &&
	       span_starts(line, SPAN("HTTP/1.")) && line.at[7] >= '1' && line.at[7] <= '9';
}

/* Takes an absolute target apart (RFC 9112 section 3.2.2): its authority is the host. */
static bool upgrade_target_read(struct span target, struct ws_upgrade *u)
{
	struct span rest = target;
	struct span scheme;

	if (span_at(target, 0) != '/') {
		scheme = take_until(&rest, ':');
		if (!span_equal_nocase(scheme, SPAN("https")) &&
		    !span_equal_nocase(scheme, SPAN("http")))
			return false;
		if (!span_starts(rest, SPAN("//")))
			return false;
		rest = span_from(rest, 2);
		u->host = span_cut(rest, 0, span_find(rest, '/'));
		u->host = span_cut(u->host, 0, span_find(u->host, '?'));
		rest = span_from(rest, u->host.len);
	}
	u->path = span_cut(rest, 0, span_find(rest, '?'));
	if (u->path.len == 0)
		u->path = SPAN("/");
	return true;
}

/* Host and port apart: the colons of an IPv6 address stand inside brackets. */
static struct span host_without_port(struct span host)
{
	uint32_t bracket = span_at(host, 0) == '[' ? span_find(host, ']') : 0;

	return span_cut(host, 0, bracket + span_find(span_from(host, bracket), ':'));
}

static bool host_served(struct span host, const struct ws_upgrade_policy *policy)
{
	for (uint32_t i = 0; i < policy->host_count; i++)
		if (span_equal_nocase(host, policy->hosts[i]))
			return true;
	return policy->host_count == 0;
}

static bool path_served(struct span path, const struct ws_upgrade_policy *policy)
{
	for (uint32_t i = 0; i < policy->path_count; i++)
		if (span_equal(path, policy->paths[i]))
			return true;
	return false;
}

static bool is_base64(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/';
}

/* 16 bytes in base64. What they are does not matter: RFC 6455 section 4.2.1 needs no decoding. */
static bool key_valid(struct span key)
{
	if (key.len != KEY_CHARS || !span_equal(span_from(key, KEY_CHARS - 2), SPAN("==")))
		return false;
	for (uint32_t i = 0; i < KEY_CHARS - 2; i++)
		if (!is_base64(key.at[i]))
			return false;
	return true;
}

/* Lower case, without the default port, into text: what the policy's origins are in. */
static struct span origin_normalise(struct span origin, uint8_t text[WS_ORIGIN_MAX])
{
	struct span port = SPAN(":443");

	if (origin.len > WS_ORIGIN_MAX)
		return span_of(text, 0);
	for (uint32_t i = 0; i < origin.len; i++)
		text[i] = ascii_lower(origin.at[i]);
	if (origin.len > port.len && span_equal(span_from(origin, origin.len - port.len), port))
		origin.len -= port.len;
	return span_of(text, origin.len);
}

static bool origin_allowed(struct span origin, const struct ws_upgrade_policy *policy,
			   uint32_t *index)
{
	uint8_t text[WS_ORIGIN_MAX];
	struct span normal = origin_normalise(origin, text);

	if (!span_starts(normal, SPAN("https://")))
		return false;
	for (*index = 0; *index < policy->origin_count; ++*index)
		if (span_equal(normal, policy->origins[*index]))
			return true;
	return false;
}

/* The table of PROTOCOL 2.1 from the Host on, row by row. */
static enum gw_err upgrade_check(const struct upgrade_fields *f,
				 const struct ws_upgrade_policy *policy, struct ws_upgrade *u)
{
	u->host = host_without_port(u->host);
	if (!host_served(u->host, policy))
		return GW_HTTP_HOST;
	if (!f->upgrade)
		return GW_HTTP_NOT_UPGRADE;
	if (!f->websocket || !f->connection)
		return GW_HTTP_UPGRADE;
	if (f->versions != 1 || !span_equal(f->version, SPAN("13")))
		return GW_WS_VERSION;
	if (f->keys != 1 || !key_valid(f->key))
		return GW_WS_KEY;
	u->key = f->key;
	if (!path_served(u->path, policy))
		return GW_WS_PATH;
	if (!f->sip)
		return GW_WS_SUBPROTOCOL;
	u->origin = f->origin;
	if (f->origins != 1 || !origin_allowed(f->origin, policy, &u->origin_index))
		return GW_WS_ORIGIN;
	return GW_OK;
}

static enum gw_err upgrade_read(struct span head, const struct ws_upgrade_policy *policy,
				struct ws_upgrade *u)
{
	struct upgrade_fields f = {0};
	struct upgrade_line line = {0};

	if (!upgrade_line_read(upgrade_next_line(&head), &line))
		return GW_HTTP_SYNTAX;
	while (head.len > 0)
		if (!upgrade_field_read(&f, upgrade_next_line(&head)))
			return GW_HTTP_SYNTAX;
	u->host = f.host;
	/* RFC 9112 section 3.2: exactly one Host. A body would be taken for frames. */
	if (f.hosts != 1 || f.body)
		return GW_HTTP_SYNTAX;
	if (!span_equal(line.method, SPAN("GET")))
		return GW_HTTP_METHOD;
	if (!upgrade_target_read(line.target, u) || u->host.len == 0)
		return GW_HTTP_SYNTAX;
	return upgrade_check(&f, policy, u);
}

bool ws_upgrade_ends(struct span in, uint32_t *seen)
{
	/* three bytes of its four may have been there */
	uint32_t from = *seen > 3 ? *seen - 3 : 0;

	*seen = in.len;
	return upgrade_head_len(span_from(in, from)) > 0;
}

struct ws_upgrade ws_upgrade_read(struct span in, const struct ws_upgrade_policy *policy)
{
	struct ws_upgrade u = {.err = GW_AGAIN};
	uint32_t n = upgrade_head_len(span_cut(in, 0, policy->max_head));

	if (n == 0 && in.len > policy->max_head)
		u.err = GW_HTTP_TOO_LONG;
	if (n == 0)
		return u;
	u.used = n;
	u.err = upgrade_read(span_cut(in, 0, n - 2), policy, &u); /* without the empty line */
	return u;
}

/* RFC 6455 section 4.2.2, item 5.4 */
static bool accept_value(struct span key, uint8_t text[EVP_ENCODE_LENGTH(SHA1_BYTES)],
			 struct span *value)
{
	uint8_t buffer[KEY_CHARS + 36], digest[SHA1_BYTES];
	struct writer joined;

	writer_init(&joined, buffer, sizeof(buffer));
	writer_put(&joined, key);
	writer_text(&joined, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	if (!writer_ok(&joined) ||
	    !EVP_Q_digest(NULL, "SHA1", NULL, buffer, writer_len(&joined), digest, NULL))
		return false;
	*value = span_of(text, (uint32_t)EVP_EncodeBlock(text, digest, sizeof(digest)));
	return true;
}

void ws_upgrade_accept(struct span key, struct writer *out)
{
	uint8_t text[EVP_ENCODE_LENGTH(SHA1_BYTES)];
	struct span value = {0};

	if (!accept_value(key, text, &value)) {
		out->full = true;
		return;
	}
	writer_text(out, "HTTP/1.1 101 Switching Protocols\r\n"
			 "Upgrade: websocket\r\n"
			 "Connection: Upgrade\r\n"
			 "Sec-WebSocket-Accept: ");
	writer_put(out, value);
	writer_text(out, "\r\nSec-WebSocket-Protocol: sip\r\n\r\n");
}

uint16_t ws_upgrade_status(enum gw_err err)
{
	switch (err) {
	case GW_WS_ORIGIN:
		return 403;
	case GW_WS_PATH:
		return 404;
	case GW_HTTP_METHOD:
		return 405;
	case GW_HTTP_HOST:
		return 421;
	case GW_HTTP_NOT_UPGRADE:
	case GW_WS_VERSION:
		return 426;
	case GW_HTTP_RATE:
		return 429;
	case GW_HTTP_TOO_LONG:
		return 431;
	case GW_HTTP_ORIGIN_LIMIT:
	case GW_CONN_LIMIT:
	case GW_POOL_EMPTY:
	case GW_BUSY:
	case GW_STOPPING:
		return 503;
	default:
		return 400;
	}
}

static const char *status_phrase(uint16_t status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 421:
		return "Misdirected Request";
	case 426:
		return "Upgrade Required";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	default:
		return "Refused";
	}
}

void ws_upgrade_refuse(uint16_t status, uint32_t retry_after_s, struct writer *out)
{
	writer_text(out, "HTTP/1.1 ");
	writer_decimal(out, status);
	writer_text(out, " ");
	writer_text(out, status_phrase(status));
	writer_text(out, "\r\nContent-Length: 0\r\n");
	if (status == 405)
		writer_text(out, "Allow: GET\r\n");
	if (status == 426) /* RFC 9110 section 7.8: Upgrade is named in Connection */
		writer_text(out, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
				 "Connection: close, Upgrade\r\n");
	else
		writer_text(out, "Connection: close\r\n");
	if (retry_after_s > 0) {
		writer_text(out, "Retry-After: ");
		writer_decimal(out, retry_after_s);
		writer_text(out, "\r\n");
	}
	writer_text(out, "\r\n");
}
