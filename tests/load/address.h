/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/** A numeric IPv4 or IPv6 address with a port. */
struct address {
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/** Longest text of an address with port: [IPv6]:65535. */
#define ADDRESS_TEXT_MAX 56

/** Reads 198.18.0.10:443 or [fd00:18::10]:443. False: something else; *out is then worthless. */
bool address_with_port(const char *text, struct address *out);

/** Reads an address alone; its port is 0. False: something else. */
bool address_alone(const char *text, struct address *out);

#endif
