/* SPDX-License-Identifier: BSD-3-Clause */
#include "address.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool address_alone(const char *text, struct address *out)
{
	*out = (struct address){0};
	if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->len = sizeof(out->v4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		out->len = sizeof(out->v6);
		return true;
	}
	return false;
}

static bool port_read(const char *text, in_port_t *port_be)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	*port_be = htons((uint16_t)port);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && port > 0 && port < 65536;
}

bool address_with_port(const char *text, struct address *out)
{
	char host[ADDRESS_TEXT_MAX];
	const char *colon = strrchr(text, ':');
	bool brackets = text[0] == '[' && colon != NULL && colon > text && colon[-1] == ']';
	const char *start = brackets ? text + 1 : text;
	size_t len = colon == NULL ? 0 : (size_t)(colon - start) - (brackets ? 1 : 0);
	in_port_t port_be;

	if (colon == NULL || len >= sizeof(host) || !port_read(colon + 1, &port_be))
		return false;
	memcpy(host, start, len);
	host[len] = '\0';
	if (!address_alone(host, out) || brackets != (out->any.sa_family == AF_INET6))
		return false;
	if (brackets)
		out->v6.sin6_port = port_be;
	else
		out->v4.sin_port = port_be;
	return true;
}
