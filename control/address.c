/* SPDX-License-Identifier: BSD-3-Clause */
#include "address.h"

#include <stdio.h>

enum { ADDRESS_NAME_MAX = 253 };

/** A decimal number of all of s, up to max. */
static bool address_number(struct span s, uint32_t max, uint32_t *number)
{
	uint32_t sum = 0;

	if (s.len == 0 || s.len > 5)
		return false;
	for (uint32_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		sum = sum * 10 + (uint32_t)(s.at[i] - '0');
	}
	*number = sum;
	return sum <= max;
}

/** An address without a port, in brackets or not at all. */
static const char *address_read(struct span text, struct endpoint *out)
{
	if (span_find(text, '[') != text.len || !endpoint_parse(text, out) ||
	    endpoint_port(out) != 0)
		return "not an IPv4 or IPv6 address";
	return NULL;
}

const char *address_plain(const char *text, struct endpoint *out)
{
	return address_read(span_text(text), out);
}

const char *address_prefix(const char *text, struct endpoint *out)
{
	struct span all = span_text(text);
	uint32_t slash = span_find(all, '/');
	const char *why;
	uint32_t bits;

	if (slash == all.len)
		return "prefix length missing, as in 198.18.0.10/24";
	why = address_read(span_cut(all, 0, slash), out);
	if (why != NULL)
		return why;
	if (!address_number(span_from(all, slash + 1), out->sa.sa_family == AF_INET ? 32 : 128,
			    &bits))
		return "prefix length out of range";
	return NULL;
}

/** Splits "host", "host:port", "[v6]" and "[v6]:port"; port stays empty when there is none. */
static const char *address_split(struct span all, struct span *host, struct span *port)
{
	uint32_t end;

	*port = span_cut(all, all.len, 0);
	if (span_at(all, 0) == '[') {
		end = span_find(all, ']');
		if (end == all.len)
			return "']' missing";
		*host = span_cut(all, 1, end - 1);
		all = span_from(all, end + 1);
	} else {
		end = span_find(all, ':');
		*host = span_cut(all, 0, end);
		all = span_from(all, end);
	}
	if (all.len == 0)
		return NULL;
	*port = span_from(all, 1);
	return span_at(all, 0) == ':' && port->len > 0 ? NULL : "port malformed";
}

static const char *address_transport(struct span parameters, struct next_hop_config *out)
{
	out->transport = NEXT_HOP_UDP;
	if (parameters.len == 0 || span_equal_nocase(parameters, SPAN(";transport=udp")))
		return NULL;
	if (!span_equal_nocase(parameters, SPAN(";transport=tcp")))
		return "only ;transport=udp or ;transport=tcp may follow the address";
	out->transport = NEXT_HOP_TCP;
	return NULL;
}

const char *address_next_hop(const char *uri, struct next_hop_config *out)
{
	struct span rest = span_text(uri), host, port;
	uint32_t number = 5060, end;
	const char *why;

	if (!span_equal_nocase(span_cut(rest, 0, 4), SPAN("sip:")))
		return "not a sip: URI";
	rest = span_from(rest, 4);
	end = span_find(rest, ';');
	why = address_split(span_cut(rest, 0, end), &host, &port);
	if (why != NULL)
		return why;
	if (port.len > 0 && (!address_number(port, 65535, &number) || number == 0))
		return "port out of range 1..65535";
	if (address_read(host, &out->address) != NULL)
		return "host is not an IPv4 or IPv6 address: names are not in this version";
	endpoint_set_port(&out->address, (uint16_t)number);
	return address_transport(span_from(rest, end), out);
}

static bool address_is_name(struct span s)
{
	uint8_t last = '.';

	if (s.len == 0 || s.len > ADDRESS_NAME_MAX)
		return false;
	for (uint32_t i = 0; i < s.len; i++) {
		uint8_t c = ascii_lower(s.at[i]);

		if (c == '.' && last == '.')
			return false; /* an empty label */
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.')
			return false;
		last = c;
	}
	return last != '.';
}

const char *address_host_name(const char *text)
{
	return address_is_name(span_text(text)) ? NULL : "not a host name";
}

const char *address_origin(const char *text, char out[ADDRESS_ORIGIN_MAX])
{
	struct span rest = span_text(text), host, port;
	struct endpoint literal;
	uint32_t number = 443;
	const char *why;
	bool bracket;
	int len;

	if (!span_equal_nocase(span_cut(rest, 0, 8), SPAN("https://")))
		return "not an https origin";
	rest = span_from(rest, 8);
	if (span_find(rest, '/') != rest.len)
		return "an origin ends with host or port, without a path or '/'";
	why = address_split(rest, &host, &port);
	if (why != NULL)
		return why;
	bracket = span_at(rest, 0) == '[';
	if (bracket ? address_read(host, &literal) != NULL || literal.sa.sa_family != AF_INET6
		    : !address_is_name(host))
		return "host of the origin is not a host name or address";
	if (port.len > 0 && (!address_number(port, 65535, &number) || number == 0))
		return "port out of range 1..65535";
	len = snprintf(out, ADDRESS_ORIGIN_MAX, "https://%s%.*s%s", bracket ? "[" : "",
		       (int)host.len, (const char *)host.at, bracket ? "]" : "");
	if (number != 443)
		snprintf(out + len, (size_t)(ADDRESS_ORIGIN_MAX - len), ":%u", number);
	for (char *c = out; *c != '\0'; c++)
		*c = (char)ascii_lower((uint8_t)*c);
	return NULL;
}
