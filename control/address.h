/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "netif.h"
#include "parts.h"

/**
 * The address forms of the configuration. Each reader returns NULL when text is good, else the
 * reason, a constant; what it fills is only worth something on NULL.
 */

/** Longest serialised origin, terminator included. */
enum { ADDRESS_ORIGIN_MAX = 300 };

/** "198.18.0.10/24", "fd00:18::10/64": the address, with port 0, and the length. */
const char *address_prefix(const char *text, struct netif_address *out);

/** NULL when a station may have this address in its subnet, else why not, a constant. */
const char *address_station(const struct netif_address *address);

/** host lies in the subnet. */
bool address_on_link(const struct netif_address *subnet, const struct endpoint *host);

/** fe80::/10: on-link at every port. */
bool address_link_local(const struct endpoint *host);

/** "02:00:5e:10:00:01", a station's address. */
const char *address_mac(const char *text, uint8_t mac[6]);

/** The other way; returns text. */
#define ADDRESS_MAC_MAX 18
const char *address_mac_format(const uint8_t mac[6], char text[ADDRESS_MAC_MAX]);

/** "198.18.0.20", "fd00:18::20": the address, with port 0. */
const char *address_plain(const char *text, struct endpoint *out);

/**
 * "sip:198.18.0.20:5060;transport=tcp", IPv6 in brackets: address and transport. Port 5060 and UDP
 * when not given (RFC 3263 4.1, 4.2, numeric target). Names are not in this version.
 */
const char *address_next_hop(const char *uri, struct next_hop_config *out);

/**
 * An https origin in its serialised form, lower case and without the default port, written to out
 * (PROTOCOL 2.1): no user, path, query or trailing slash.
 */
const char *address_origin(const char *text, char out[ADDRESS_ORIGIN_MAX]);

/** A host name of letters, digits, '-' and '.', or an IPv4 address. */
const char *address_host_name(const char *text);

#endif
