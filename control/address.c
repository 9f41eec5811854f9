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

const char *address_prefix(const char *text, struct netif_address *out)
{
	struct span all = span_text(text);
	uint32_t slash = span_find(all, '/');
	const char *why;
	uint32_t bits;

	if (slash == all.len)
		return "prefix length missing, as in 198.18.0.10/24";
	why = address_read(span_cut(all, 0, slash), &out->address);
	if (why != NULL)
		return why;
	if (!address_number(span_from(all, slash + 1),
			    out->address.sa.sa_family == AF_INET ? 32 : 128, &bits))
		return "prefix length out of range";
	out->prefix_len = (uint8_t)bits;
	return NULL;
}

/** The bytes of an address as they go over the wire. */
static struct span address_bytes(const struct endpoint *e)
{
	return e->sa.sa_family == AF_INET ? span_of(&e->v4.sin_addr, 4)
					  : span_of(&e->v6.sin6_addr, 16);
}

static bool address_bit(struct span bytes, uint32_t i)
{
	return (bytes.at[i / 8] >> (7 - i % 8) & 1) != 0;
}

/** All bits from number from on are value. */
static bool address_rest_is(struct span bytes, uint32_t from, bool value)
{
	for (uint32_t i = from; i < bytes.len * 8; i++)
		if (address_bit(bytes, i) != value)
			return false;
	return true;
}

static const char *address_station_v4(struct span bytes, uint8_t prefix_len)
{
	if (bytes.at[0] >= 224)
		return "a group or reserved address";
	if (bytes.at[0] == 127)
		return "a loopback address";
	if (bytes.at[0] == 0)
		return "an address that no station may have";
	if (prefix_len >= 31) /* RFC 3021: two stations, no broadcast */
		return NULL;
	if (address_rest_is(bytes, prefix_len, false))
		return "the address of the network itself";
	if (address_rest_is(bytes, prefix_len, true))
		return "the broadcast address of its network";
	return NULL;
}

static const char *address_station_v6(struct span bytes, uint8_t prefix_len)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (bytes.at[0] == 0xff)
		return "a group address";
	if (address_rest_is(bytes, 0, false))
		return "an address that no station may have";
	if (address_rest_is(span_cut(bytes, 0, 15), 0, false) && bytes.at[15] == 1)
		return "a loopback address";
	if (span_equal(span_cut(bytes, 0, 12), span_of(mapped, 12)))
		return "an IPv4 address in IPv6 clothes: write it as IPv4";
	/* RFC 4291 2.6.1: every router answers to it; RFC 6164: not on a link of two */
	if (prefix_len < 127 && address_rest_is(bytes, prefix_len, false))
		return "the address of the network itself";
	return NULL;
}

const char *address_station(const struct netif_address *address)
{
	struct span bytes = address_bytes(&address->address);

	return bytes.len == 4 ? address_station_v4(bytes, address->prefix_len)
			      : address_station_v6(bytes, address->prefix_len);
}

bool address_on_link(const struct netif_address *subnet, const struct endpoint *host)
{
	struct span a = address_bytes(&subnet->address), b = address_bytes(host);

	if (a.len != b.len)
		return false;
	for (uint32_t i = 0; i < subnet->prefix_len; i++)
		if (address_bit(a, i) != address_bit(b, i))
			return false;
	return true;
}

bool address_link_local(const struct endpoint *host)
{
	return host->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&host->v6.sin6_addr);
}

static int address_hex(uint8_t c)
{
	c = ascii_lower(c);
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char *address_mac(const char *text, uint8_t mac[6])
{
	struct span all = span_text(text);

	if (all.len != 17)
		return "six pairs of hexadecimal digits expected, as 02:00:5e:10:00:01";
	for (uint32_t i = 0; i < 6; i++) {
		int high = address_hex(all.at[3 * i]), low = address_hex(all.at[3 * i + 1]);

		if (high < 0 || low < 0 || (i < 5 && all.at[3 * i + 2] != ':'))
			return "six pairs of hexadecimal digits expected, as 02:00:5e:10:00:01";
		mac[i] = (uint8_t)(high << 4 | low);
	}
	if ((mac[0] & 1) != 0)
		return "a group address";
	if (address_rest_is(span_of(mac, 6), 0, false))
		return "an address that no station may have";
	return NULL;
}

const char *address_mac_format(const uint8_t mac[6], char text[ADDRESS_MAC_MAX])
{
	snprintf(text, ADDRESS_MAC_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return text;
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

static const char *address_transport(struct span parameters, struct next_hop_config *out)
{
	static const struct {
		const char *text;
		enum next_hop_transport transport;
	} known[] = {{";transport=udp", NEXT_HOP_UDP},
		     {";transport=tcp", NEXT_HOP_TCP},
		     {";transport=tls", NEXT_HOP_TLS}};

	out->transport = out->name.len > 0 ? NEXT_HOP_ANY : NEXT_HOP_UDP;
	if (parameters.len == 0)
		return NULL;
	for (uint32_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_equal_nocase(parameters, span_text(known[i].text))) {
			out->transport = known[i].transport;
			return NULL;
		}
	return "only ;transport=udp, tcp or tls may follow the address";
}

const char *address_next_hop(const char *uri, struct next_hop_config *out)
{
	struct span rest = span_text(uri), host, port;
	uint32_t number = 0, end;
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
	*out = (struct next_hop_config){.port = (uint16_t)number};
	if (address_read(host, &out->address) != NULL) {
		if (!address_is_name(host))
			return "host is neither an address nor a host name";
		out->name = host;
	}
	why = address_transport(span_from(rest, end), out);
	if (why == NULL && out->name.len == 0)
		endpoint_set_port(&out->address,
				  (uint16_t)(number != 0		      ? number
					     : out->transport == NEXT_HOP_TLS ? 5061
									      : 5060));
	return why;
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
