/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TLS_PEER_H
#define TLS_PEER_H

#include <openssl/x509.h>

#include "host.h"

/**
 * Whether cert is for name, a DNS name or an address literal (IPv6 with or without brackets).
 *
 * Source: RFC 5922 sections 7.1 and 7.2, for a peer that is named by configuration: host name and
 * domain of a node are both its own, so that a DNS name counts beside a SIP URI, and an address as
 * well. Of subjectAltName: a dNSName that is name in any case, without wildcards; a URI of the
 * scheme sip without user whose host is name; an iPAddress that is the address. Where it has none
 * of these kinds, and name is a DNS name: the last CN of the subject. What is no name, or has
 * characters that a name has not, equals nothing. Whether cert is to be believed was looked at
 * before.
 */
bool tls_peer_is(const X509 *cert, struct span name);

/** Copies name, terminated, where it may be told a server: a DNS name. False: it is none. */
bool tls_peer_sni(struct span name, char sni[TLS_NAME_MAX + 1]);

#endif
