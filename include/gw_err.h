/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GW_ERR_H
#define GW_ERR_H

/**
 * Every way in which something can be refused, with the words an operator reads. One list: the
 * enum, the text table and the worker's error counters (`wicctl stats`, errors.NAME) are made of
 * it. What goes back to a peer (close code, HTTP status, SIP status) is chosen in one place,
 * dataplane/session.c, never in a layer.
 *
 * GW_OK is success. GW_AGAIN is not a failure: the input is untouched and the same call may be
 * repeated with more.
 */
#define GW_ERR_LIST(X) \
	X(GW_OK, "ok") \
	X(GW_AGAIN, "more bytes needed") \
	/* resources */ \
	X(GW_NO_MEMORY, "no memory at start") \
	X(GW_POOL_EMPTY, "a bounded pool is empty") \
	X(GW_QUEUE_FULL, "a bounded queue is full") \
	X(GW_NO_ROOM, "output buffer too small") \
	X(GW_STALE, "handle of something that has ended") \
	X(GW_NOT_SUPPORTED, "not supported by this driver") \
	X(GW_SYSTEM, "system call failed") \
	X(GW_CONFIG, "configuration refused") \
	X(GW_INVARIANT, "internal invariant broken") \
	X(GW_BUSY, "busy, ask again") \
	X(GW_TIMEOUT, "deadline passed") \
	X(GW_STOPPING, "node is stopping") \
	/* connections */ \
	X(GW_CONN_CLOSED, "peer closed the connection") \
	X(GW_CONN_RESET, "connection reset by the peer") \
	X(GW_CONN_REFUSED, "connection refused") \
	X(GW_CONN_TIMEOUT, "peer made no progress in time") \
	X(GW_CONN_ABORTED, "connection aborted by this node") \
	X(GW_CONN_LIMIT, "connection limit reached") \
	/* packets: TCP.md 3 to 5; each is one place where a packet is dropped */ \
	X(GW_ETH_SHORT, "frame shorter than its headers") \
	X(GW_ETH_ADDRESS, "frame for another station, or from a group address") \
	X(GW_ETH_VLAN, "frame of another VLAN") \
	X(GW_ETH_TYPE, "frame of a protocol that is not IPv4, IPv6 or ARP") \
	X(GW_IP_HEADER, "IP header malformed") \
	X(GW_IP_LENGTH, "IP length larger than the frame") \
	X(GW_IP_CHECKSUM, "IPv4 header checksum wrong") \
	X(GW_IP_OPTION, "IPv4 packet with source route") \
	X(GW_IP_EXTENSION, "IPv6 extension headers refused") \
	X(GW_IP_SOURCE, "IP source address that no host may use") \
	X(GW_IP_DESTINATION, "IP packet for another host") \
	X(GW_IP_PROTOCOL, "IP packet of a protocol that is not served") \
	X(GW_IP_FRAGMENT, "IP fragment from a peer that is not trusted") \
	X(GW_IP_FRAGMENT_BAD, "IP fragment malformed or overlapping: its datagram is dropped") \
	X(GW_IP_REASSEMBLY_FULL, "too many IP datagrams being reassembled") \
	X(GW_IP_REASSEMBLY_TIME, "IP datagram whose fragments did not all come in time") \
	X(GW_ARP, "ARP packet malformed") \
	X(GW_ARP_FOREIGN, "ARP packet that is not for us") \
	X(GW_NDP, "neighbour discovery packet malformed") \
	X(GW_NDP_FOREIGN, "neighbour discovery packet that is not for us, or of a router") \
	X(GW_ICMP, "ICMP packet malformed") \
	X(GW_ICMP_CHECKSUM, "ICMP checksum wrong") \
	X(GW_ICMP_TYPE, "ICMP packet of a type that is not served") \
	X(GW_ICMP_RATE, "ARP, discovery, ICMP packets or fragments above the rate that is served") \
	X(GW_ICMP_FOREIGN, "ICMP error about something that we have not sent") \
	X(GW_UDP, "UDP header malformed") \
	X(GW_UDP_CHECKSUM, "UDP checksum wrong") \
	X(GW_UDP_PORT, "UDP datagram for a port that is not open") \
	X(GW_TCP, "TCP header malformed") \
	X(GW_TCP_CHECKSUM, "TCP checksum wrong") \
	X(GW_TCP_PORT, "TCP segment for a port that is not open") \
	X(GW_TCP_UNKNOWN, "TCP segment of no connection: answered with a reset") \
	X(GW_TCP_STRAY_RST, "TCP reset of no connection") \
	X(GW_TCP_RST_RATE, "TCP segment of no connection, above the rate of resets") \
	X(GW_TCP_PAWS, "TCP segment with an old timestamp") \
	X(GW_TCP_WINDOW, "TCP segment outside the window") \
	X(GW_TCP_RST_WINDOW, "TCP reset outside the window") \
	X(GW_TCP_RST_CHALLENGED, "TCP reset in the window but not at its edge: challenged") \
	X(GW_TCP_SYN_CHALLENGED, "TCP SYN on a connection: challenged") \
	X(GW_TCP_CHALLENGE_RATE, "TCP challenge not sent: limit of the connection") \
	X(GW_TCP_ACK_OLD, "TCP acknowledgement of bytes long acknowledged") \
	X(GW_TCP_ACK_UNSENT, "TCP acknowledgement of bytes not sent") \
	X(GW_TCP_NO_ACK, "TCP segment without acknowledgement") \
	X(GW_TCP_STATE, "TCP segment not expected in this state") \
	X(GW_TCP_OOO_RANGES, "TCP data out of order: too many gaps") \
	X(GW_TCP_TRUE_SIZE, "TCP data refused: buffers of the connection are full") \
	X(GW_TCP_PRESSURE, "TCP data or connection refused: packets of the worker are short") \
	X(GW_TCP_SACK, "TCP SACK block of bytes not in flight: ignored") \
	X(GW_TCP_HALF_OPEN, "SYN refused: half-open connections are at their bound") \
	X(GW_TCP_SOURCE_HALF_OPEN, "SYN refused: half-open connections of its source") \
	X(GW_TCP_SOURCE_CONNECTIONS, "SYN refused: connections of its source") \
	X(GW_TCP_SOURCE_RATE, "SYN refused: rate of its source") \
	X(GW_TCP_SYN_SOURCE, "SYN from an address or port that no client has") \
	X(GW_TCP_COOKIE, "SYN cookie wrong or too old") \
	X(GW_TCP_DRAIN, "SYN refused: draining") \
	X(GW_TCP_TIME_WAIT, "TCP segment of a connection that has ended") \
	X(GW_TCP_ICMP, "ICMP error about TCP bytes not in flight") \
	X(GW_TCP_SLOW, "peer takes bytes too slowly") \
	X(GW_TCP_PERSIST, "peer kept its window closed too long") \
	X(GW_TCP_ORPHAN, "peer did not finish closing in time") \
	X(GW_NET_NO_ROUTE, "no way to that address") \
	X(GW_NET_UNRESOLVED, "next hop not resolved yet") \
	X(GW_NET_TOO_BIG, "datagram longer than can be sent") \
	X(GW_NET_TX_FULL, "transmit queue full") \
	X(GW_NET_NO_PACKET, "packet pool empty") \
	X(GW_NET_HAND_OVER, "packet for another worker dropped: ring full") \
	X(GW_NEIGHBOUR_LOST, "neighbour does not answer any more; its last address is kept") \
	X(GW_NEIGHBOUR_MOVED, "neighbour answers from another hardware address") \
	X(GW_NEIGHBOUR_FOUND, "neighbour answers again") \
	X(GW_ADDRESS_CONFLICT, "another station uses our address") \
	X(GW_PROXY_HEADER, "PROXY protocol header malformed, late or missing") \
	/* TLS */ \
	X(GW_TLS_HANDSHAKE, "TLS handshake failed") \
	X(GW_TLS_ALERT, "TLS alert from the peer") \
	X(GW_TLS_RECORD, "TLS record refused") \
	X(GW_TLS_CLOSED, "TLS closed by the peer") \
	/* HTTP upgrade: PROTOCOL 2.1 */ \
	X(GW_HTTP_SYNTAX, "HTTP request malformed") \
	X(GW_HTTP_TOO_LONG, "HTTP request head longer than the limit") \
	X(GW_HTTP_METHOD, "HTTP method is not GET") \
	X(GW_HTTP_HOST, "HTTP Host is not served here") \
	X(GW_HTTP_NOT_UPGRADE, "plain HTTP request, no WebSocket upgrade") \
	X(GW_HTTP_UPGRADE, "Upgrade and Connection do not ask for WebSocket") \
	X(GW_WS_VERSION, "Sec-WebSocket-Version is not 13") \
	X(GW_WS_KEY, "Sec-WebSocket-Key missing or malformed") \
	X(GW_WS_PATH, "HTTP path is not configured") \
	X(GW_WS_SUBPROTOCOL, "subprotocol sip not offered") \
	X(GW_WS_ORIGIN, "Origin missing, repeated or not allowed") \
	X(GW_HTTP_RATE, "upgrade refused: rate or number of its address") \
	X(GW_HTTP_ORIGIN_LIMIT, "upgrade refused: rate or number of its Origin's WWSF") \
	/* WebSocket frames: PROTOCOL 2.2 */ \
	X(GW_WS_UNMASKED, "client frame without mask") \
	X(GW_WS_RESERVED, "reserved bit or opcode in a frame") \
	X(GW_WS_CONTROL, "control frame fragmented or longer than 125 bytes") \
	X(GW_WS_FRAGMENT, "fragment out of sequence") \
	X(GW_WS_LENGTH, "frame length not in its shortest form") \
	X(GW_WS_TOO_LONG, "message longer than the configured limit") \
	X(GW_WS_UTF8, "text frame is not UTF-8") \
	X(GW_WS_CLOSE_CODE, "close frame malformed") \
	X(GW_WS_CLOSED, "WebSocket closed by the peer") \
	X(GW_WS_SLOW, "peer does not read: output bound passed") \
	X(GW_WS_SILENT, "peer silent too long") \
	/* SIP: RFC 3261, PROTOCOL 12.3 */ \
	X(GW_SIP_START_LINE, "SIP start line malformed") \
	X(GW_SIP_VERSION, "SIP version not supported") \
	X(GW_SIP_HEADER, "SIP header line malformed") \
	X(GW_SIP_HEADER_LONG, "SIP header line longer than the limit") \
	X(GW_SIP_HEADERS_MANY, "more SIP header lines than the limit") \
	X(GW_SIP_MISSING, "mandatory SIP header missing") \
	X(GW_SIP_REPEATED, "single-value SIP header repeated") \
	X(GW_SIP_CONTENT_LENGTH, "Content-Length malformed or larger than the body") \
	X(GW_SIP_TOO_LONG, "SIP message longer than the limit") \
	X(GW_SIP_URI, "URI malformed") \
	X(GW_SIP_URI_SCHEME, "URI scheme not supported") \
	X(GW_SIP_VIA, "Via malformed or not one from a client") \
	X(GW_SIP_CSEQ, "CSeq malformed or method differs") \
	X(GW_SIP_NUMBER, "number malformed or out of range") \
	X(GW_SIP_ADDRESS, "name-addr malformed") \
	X(GW_SIP_CONTACT, "Contact not usable") \
	X(GW_SIP_MAX_FORWARDS, "Max-Forwards exhausted") \
	X(GW_SIP_LOOP, "request loops") \
	X(GW_SIP_EXTENSION, "Proxy-Require names an unknown extension") \
	X(GW_SIP_REQUIRE, "Require names an unknown extension") \
	X(GW_SIP_METHOD, "method not supported yet") \
	X(GW_SIP_EMERGENCY, "emergency call: not served here") \
	X(GW_SIP_EMERGENCY_FORBIDDEN, "emergency call: forbidden here") \
	X(GW_DESTINATION, "destination that the rules of the operator or the web site forbid") \
	X(GW_DESTINATION_UNCLEAR, \
	  "destination that could be meant in two ways, where there are rules") \
	X(GW_SIP_EDITS_MANY, "more edits than a splice holds") \
	X(GW_SIP_NO_TRANSACTION, "response matches no transaction") \
	/* token: PROTOCOL 3.6; the F-row is in the text */ \
	X(GW_TOKEN_NONE, "F01 no credential") \
	X(GW_TOKEN_SEVERAL, "F02 several credentials") \
	X(GW_TOKEN_SCHEME, "F03 unknown authentication scheme") \
	X(GW_TOKEN_CARRIER, "token in a body, where none is accepted") \
	X(GW_TOKEN_MALFORMED, "F04 token malformed") \
	X(GW_TOKEN_JSON, "F05 token is not strict JSON") \
	X(GW_TOKEN_TYP, "F06 typ refused") \
	X(GW_TOKEN_ALG, "F07 alg refused") \
	X(GW_TOKEN_CRIT, "F08 crit present") \
	X(GW_TOKEN_ISS, "F09 unknown issuer") \
	X(GW_TOKEN_KID, "F10 unknown key") \
	X(GW_TOKEN_KEYS_DOWN, "F11 keys cannot be obtained") \
	X(GW_TOKEN_SIGNATURE, "F12 signature invalid") \
	X(GW_TOKEN_AUD, "F13 audience refused") \
	X(GW_TOKEN_EXPIRED, "F14 exp missing or passed") \
	X(GW_TOKEN_TIME, "F15 nbf or iat in the future, or lifetime above the cap") \
	X(GW_TOKEN_JTI, "F16 jti revoked, or used against its rule") \
	X(GW_TOKEN_CLAIM, "F17 claim absent or of the wrong type") \
	X(GW_TOKEN_SCOPE, "F18 scope insufficient") \
	X(GW_TOKEN_WWSF, "F19 WWSF disabled, not this issuer's or not for this Origin") \
	X(GW_TOKEN_SCENARIO, "F20 scenario not allowed for this WWSF") \
	X(GW_IDENTITY_FOREIGN, "F21 identity outside the allocation of this WWSF") \
	X(GW_IDENTITY_MISMATCH, "F22 request names another identity than the token") \
	X(GW_IDENTITY_THIRD_PARTY, "F23 To differs from From") \
	X(GW_PAIR_IN_USE, "F24 pair in use by another WIC") \
	X(GW_TOKEN_SHORT, "F25 remaining lifetime too short") \
	X(GW_DOMAIN, "F26 Request-URI domain not served") \
	X(GW_NOT_REGISTERED, "F27 no binding on this flow") \
	X(GW_RATE, "F29 above a limit of the connection, the binding or the WWSF") \
	X(GW_IDENTITY_SYNTAX, "identity not canonicalisable") \
	X(GW_VERIFIER_FAILED, "verifier driver failed") \
	/* flows and the core */ \
	X(GW_FLOW_FORGED, "flow token with a wrong MAC") \
	X(GW_DIALOG_FOREIGN, "request inside a dialog that is not of its connection") \
	X(GW_FLOW_GONE, "flow token of a flow that has ended") \
	X(GW_MW_SOURCE, "Mw message from an untrusted source") \
	X(GW_MW_DOWN, "no next hop reachable") \
	X(GW_MW_TIMEOUT, "no final response from the core in time") \
	X(GW_MW_CHALLENGED, "core challenged an auth-done REGISTER") \
	X(GW_MW_TOO_BRIEF, "core asks for a longer registration again and again") \
	X(GW_BINDING_LIMIT, "binding limit reached") \
	X(GW_LEASE_LIMIT, "lease limit reached") \
	X(GW_LEASE_BUSY, "home worker of a pair does not answer") \
	X(GW_LEASE_VOID, "grant of a pair had ended when the core said 200") \
	X(GW_BINDING_REPLACED, "registration taken over by another connection") \
	X(GW_BLOCK_DOWN, "the core does not hold the block") \
	X(GW_BLOCK_FOREIGN, "call for a block about an identity outside of it") \
	X(GW_BLOCK_ABSENT, "called identity of a block that nobody has registered") \
	X(GW_REGISTRAR_ORDER, "REGISTER older than one that was served") \
	X(GW_REGISTRAR_BRIEF, "REGISTER for a shorter time than min_grant") \
	X(GW_REGISTRAR_BUSY, "home worker of an identity does not answer") \
	X(GW_TRANSACTION_LIMIT, "transaction limit reached") \
	X(GW_PARKED, "waits for the keys of its issuer") \
	X(GW_PARKED_LIMIT, "too many requests wait for the keys of their issuer") \
	X(GW_REQUEST_PENDING, "an earlier request of the flow waits for keys or for the core") \
	/* what the core says of registrations (RFC 3680) */ \
	X(GW_REGINFO_LIMIT, "registration event longer, deeper or of more parts than is read") \
	X(GW_REGINFO_DOCTYPE, "registration event with a document type") \
	X(GW_REGINFO_XML, "registration event that is not well-formed XML") \
	X(GW_REGINFO_FORM, "registration event that is not reginfo") \
	X(GW_REG_ENDED, "registration ended by the core") \
	X(GW_REG_DEACTIVATED, "registration ended by the core, to be made again") \
	X(GW_REG_PROBATION, "registration ended by the core for a while") \
	X(GW_REG_REJECTED, "registration ended by the core for good")

#define GW_ERR_ENUM(name, text) name,
enum gw_err { GW_ERR_LIST(GW_ERR_ENUM) GW_ERR_COUNT };
#undef GW_ERR_ENUM

/** A function whose gw_err must be looked at. */
#define GW_MUST_CHECK __attribute__((warn_unused_result))

/** The list's second column, for logs and `wicctl`. Never NULL, also for a value outside the list.
 */
const char *gw_err_text(enum gw_err err);

/** The list's first column ("GW_WS_ORIGIN"), the name under which the error is counted. Never NULL.
 */
const char *gw_err_name(enum gw_err err);

#endif
