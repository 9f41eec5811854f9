/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TLS_FLIGHT_H
#define TLS_FLIGHT_H

#include "span.h"

/**
 * What a peer sends before anything is encrypted, looked at on its way to libssl: how long its
 * messages say they are. libssl makes room for a message as soon as it has its head, and for a
 * ClientHello takes up to 128 KiB: nine bytes would cost the memory of ten connections. Zeroed at
 * the start, but for chain.
 */
struct tls_flight {
	uint8_t record[5]; /* head of the record under way (RFC 8446 section 5.1) */
	uint8_t record_len;
	uint8_t message[4]; /* head of the message under way (section 4) */
	uint8_t message_len;
	uint16_t record_left; /* bytes still to come */
	uint32_t message_left;
	bool chain; /* a server's: with its certificates, and encrypted behind a ChangeCipherSpec */
	bool over;  /* nothing long can come any more: nothing is looked at */
};

/** Longest message: what libssl has room for from the start. A ClientHello with the largest key
 * shares and a ticket is a fifth of it. */
#define TLS_FLIGHT_MESSAGE_MAX (16384 - 4)
/** Longest message of a server, and longest chain of certificates of any peer. */
#define TLS_FLIGHT_CHAIN_MAX 32768

/** Looks at the next bytes. False: in them begins a message that is longer; libssl must not see
 * them. */
bool tls_flight_pass(struct tls_flight *flight, struct span bytes);

#endif
