/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PEER_H
#define PEER_H

#include "world.h"

/** The two sides of the node: a scripted WIC, and a scripted core. Raw sockets, no code of ours. */

#define PEER_BYTES (1u << 19)

struct peer {
	int fd;	    /* -1: none */
	bool ended; /* the node has closed */
	uint32_t len;
	uint8_t in[PEER_BYTES];
};

/** A TCP connection to our access port, nothing sent yet. */
struct peer *peer_connect(struct world *world);
/** The same to our Mw port. */
struct peer *peer_connect_mw(struct world *world, const char *from, uint16_t port);
/** Closes the socket, lets the node see it. NULL does nothing. */
void peer_free(struct world *world, struct peer *peer);
/** Sends raw bytes and lets the node work. */
void peer_put(struct world *world, struct peer *peer, struct span bytes);
/** Takes in what the node has sent, letting it work before. */
void peer_take(struct world *world, struct peer *peer);
/** Drops n bytes of what was taken in. */
void peer_drop(struct peer *peer, uint32_t n);
/** What was taken in, terminated. */
const char *peer_text(struct peer *peer);

/** A connection after its upgrade. */
struct peer *wic_open(struct world *world);
void wic_upgrade(struct world *world, struct peer *peer, const char *origin);
/** Sends one masked frame. */
enum frame_end { FRAME_FINAL, FRAME_MORE };
void wic_frame(struct world *world, struct peer *peer, enum frame_end end, enum ws_opcode opcode,
	       struct span payload);
void wic_text(struct world *world, struct peer *peer, const char *text);
/** The next frame; false when there is none. payload points into peer->in until the next call. */
bool wic_next(struct world *world, struct peer *peer, uint8_t *opcode, struct span *payload);
/** The next text message, terminated, pings and pongs skipped; "" when there is none. */
const char *wic_message(struct world *world, struct peer *peer);
/** The code of the next close frame, 0 when there is none. */
uint16_t wic_close_code(struct world *world, struct peer *peer);
/** The text of a REGISTER with a token of the world's issuer, good or not; lives until the next.
 * TOKEN_ROTATED: its kid is k2. All have the jti t-1. */
enum token_kind { TOKEN_GOOD, TOKEN_FORGED, TOKEN_ROTATED };
const char *wic_register(struct world *world, enum token_kind kind, uint32_t cseq);
/** The same with these lines for a credential, and another method. */
const char *wic_request(const char *method, const char *credential, uint32_t cseq);
/** An Authorization line with a token of this header and these members. */
const char *wic_bearer(struct world *world, const char *header, const char *members);
/** A MESSAGE of the registered identity. */
const char *wic_page(uint32_t cseq);

/** UDP socket of the core. */
struct peer *core_udp(struct world *world);
/** TCP listener of the core. */
struct peer *core_listen(struct world *world);
/** The next connection to it, NULL: none. */
struct peer *core_accept(struct world *world, struct peer *listener);
/** Answers request (terminated) with a status line and Via, From, To, Call-ID, CSeq, Contact. */
const char *core_answer(const char *request, const char *status_line);
/** Sends a datagram to one of our Mw ports. */
void core_send(struct world *world, struct peer *udp, uint16_t port, const char *text);
/** A MESSAGE of the core through the Path of a REGISTER it has seen. */
const char *core_page(struct world *world, const char *registered, uint32_t cseq,
		      const char *transport);

#endif
