/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BLOCK_H
#define BLOCK_H

#include "world.h"

/** A world whose first web site, "shop", is a block that sip:block-shop@home1.net registers. */

#define GUEST1 "sip:guest1@home1.net"
#define GUEST2 "sip:guest2@home1.net"

/** Worlds that begin from now on have guest1's home there. */
void block_guest_home(uint16_t worker);
/** The same of the worker that Call-ID c1@home2.net names. */
void block_call_home(uint16_t worker);
/** Of guest1's bindings. */
struct registrar_key block_guest_key(void);
/** The web site has no wildcard any more. */
void block_without_pattern(void);

/** The block's home worker is this one; it has not run yet. */
void block_start(void);
void block_start_at(uint16_t home);
/** The same in a world that has begun. */
void block_configure(void);
/** What an operator sees of the one block. */
struct row_block block_row(void);
/** The core answers the REGISTER of the block with 200 and this expiry. */
void block_registers(uint32_t expires_s);
/** How often the other worker was told of the block, and what. */
uint32_t block_words(void);
const struct message_block *block_word(uint32_t n);
const char *block_word_routes(uint32_t n);
/** What the home worker says of the block, which ends in 100 s. */
struct message_block block_says(bool up);
/** Worker 1 is its home, and has said that it is up; what it said. */
struct message_block block_up_elsewhere(void);
/** The REGISTER that has gone to the core for this public identity; that with this Expires. */
const char *block_asked(const char *impu);
const struct sent *block_sent(const char *expires);

/** The first message of that kind to another worker; NULL: there is none. */
const struct sent *block_letter(enum message_kind kind);

/* Identities are sip:guest!.*!@home1.net. */

/** The core holds the block for two hours, nothing sent is left. */
void block_up(void);
/** Its next refresh is refused: an hour and fifty minutes have passed. */
void block_goes_down(void);
/** A token of a visitor who has no private identity; its jti is j1. */
const char *token_guest(const char *impu, int64_t lifetime_s);

/** A REGISTER of that WIC. */
struct guest {
	uint32_t at;	     /* also names its Call-ID and Contact */
	const char *impu;    /* NULL: GUEST1 */
	const char *token;   /* NULL: none */
	const char *contact; /* NULL: <sip:cAT@cAT.invalid;transport=ws> */
	uint32_t cseq, expires_s;
	bool fetch;
	const char *lines; /* more of them */
};
const char *register_guest(const struct guest *g);
enum gw_err guest_registers(const struct guest *g);
/** What the WIC gets, a 200. */
const char *guest_registered(const struct guest *g);

/** A request of the core for the block, from world.source; what is NULL has a default. */
struct core_says {
	const char *method, *called, *lines, *to, *branch;
	const char *uri;   /* NULL: the Contact of the block */
	const char *route; /* NULL: its Path */
};
const char *core_asks(const struct core_says *s);

#endif
