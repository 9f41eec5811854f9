/* SPDX-License-Identifier: BSD-3-Clause */
#include "conn.h"

#include <arpa/inet.h>
#include <stdio.h>

#define PORT_DIGITS_MAX 5u

/* 1 to 5 digits and nothing else. */
static bool endpoint_read_port(struct span text, uint16_t *port)
{
	uint32_t value = 0;
	uint8_t digit;

	if (text.len == 0 || text.len > PORT_DIGITS_MAX)
		return false;
	while (span_u8(&text, &digit)) {
		if (digit < '0' || digit > '9')
			return false;
		value = value * 10 + (uint32_t)(digit - '0');
	}
	if (value > UINT16_MAX)
		return false;
	*port = (uint16_t)value;
	return true;
}

static bool endpoint_read_host(struct span text, sa_family_t family, struct endpoint *e)
{
	char host[INET6_ADDRSTRLEN] = {0};
	struct span rest = text;
	void *address = family == AF_INET6 ? (void *)&e->v6.sin6_addr : (void *)&e->v4.sin_addr;

	if (text.len >= sizeof(host) || !span_copy(&rest, host, text.len))
		return false;
	if (span_find(text, '\0') != text.len)
		return false;
	e->sa.sa_family = family;
	return inet_pton(family, host, address) == 1;
}

/* What follows the address: nothing, or a colon and the port. */
static bool endpoint_read_tail(struct span tail, uint16_t *port)
{
	*port = 0;
	if (tail.len == 0)
		return true;
	return span_at(tail, 0) == ':' && endpoint_read_port(span_from(tail, 1), port);
}

bool endpoint_parse(struct span text, struct endpoint *e)
{
	struct endpoint parsed;
	struct span host, tail;
	sa_family_t family = AF_INET;
	uint16_t port;

	memset(&parsed, 0, sizeof(parsed));
	if (span_at(text, 0) == '[') {
		uint32_t end = span_find(text, ']');

		if (end == text.len)
			return false;
		host = span_cut(text, 1, end - 1);
		tail = span_from(text, end + 1);
		family = AF_INET6;
	} else {
		uint32_t colon = span_find(text, ':');

		host = span_cut(text, 0, colon);
		tail = span_from(text, colon);
		if (span_find(span_from(tail, 1), ':') != span_from(tail, 1).len) {
			host = text; /* two colons: an IPv6 address alone */
			tail = span_of(NULL, 0);
			family = AF_INET6;
		}
	}
	if (!endpoint_read_host(host, family, &parsed) || !endpoint_read_tail(tail, &port))
		return false;
	endpoint_set_port(&parsed, port);
	*e = parsed;
	return true;
}

const char *endpoint_format(const struct endpoint *e, char text[ENDPOINT_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN];

	if (e->sa.sa_family == AF_INET && inet_ntop(AF_INET, &e->v4.sin_addr, host, sizeof(host)))
		snprintf(text, ENDPOINT_TEXT_MAX, "%s:%u", host, endpoint_port(e));
	else if (e->sa.sa_family == AF_INET6 &&
		 inet_ntop(AF_INET6, &e->v6.sin6_addr, host, sizeof(host)))
		snprintf(text, ENDPOINT_TEXT_MAX, "[%s]:%u", host, endpoint_port(e));
	else
		snprintf(text, ENDPOINT_TEXT_MAX, "-");
	return text;
}

uint16_t endpoint_port(const struct endpoint *e)
{
	if (e->sa.sa_family == AF_INET)
		return ntohs(e->v4.sin_port);
	return e->sa.sa_family == AF_INET6 ? ntohs(e->v6.sin6_port) : 0;
}

void endpoint_set_port(struct endpoint *e, uint16_t port)
{
	if (e->sa.sa_family == AF_INET)
		e->v4.sin_port = htons(port);
	else if (e->sa.sa_family == AF_INET6)
		e->v6.sin6_port = htons(port);
}

/* The address as IPv6, IPv4 mapped. False for none. */
static bool endpoint_mapped(const struct endpoint *e, struct in6_addr *address)
{
	if (e->sa.sa_family == AF_INET6) {
		*address = e->v6.sin6_addr;
		return true;
	}
	if (e->sa.sa_family != AF_INET)
		return false;
	memset(address, 0, sizeof(*address));
	address->s6_addr[10] = 0xff;
	address->s6_addr[11] = 0xff;
	memcpy(address->s6_addr + 12, &e->v4.sin_addr, sizeof(e->v4.sin_addr));
	return true;
}

bool endpoint_same_host(const struct endpoint *a, const struct endpoint *b)
{
	struct in6_addr host_a, host_b;

	return endpoint_mapped(a, &host_a) && endpoint_mapped(b, &host_b) &&
	       memcmp(&host_a, &host_b, sizeof(host_a)) == 0;
}

struct span endpoint_source(const struct endpoint *e)
{
	if (e->sa.sa_family == AF_INET)
		return span_of(&e->v4.sin_addr, 4);
	if (e->sa.sa_family != AF_INET6)
		return span_of(NULL, 0);
	if (IN6_IS_ADDR_V4MAPPED(&e->v6.sin6_addr))
		return span_of(e->v6.sin6_addr.s6_addr + 12, 4);
	return span_of(e->v6.sin6_addr.s6_addr, 8);
}
