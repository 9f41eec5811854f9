/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UNREGISTERED_H
#define UNREGISTERED_H

#include "call.h"

/* Users of a web site with a wildcard, who are not registered: WIC 0 and 1 are two of them. */

#define WEB_77 "sip:web-77@home1.net"
#define BEARER(token) "Proxy-Authorization: Bearer %s" CRLF

/** A fresh world, in which shop has the wildcard sip:web[^@]*@home1.net, and home1.net an entry for
 * who is not registered: sip:198.18.0.50:5060;lr;orig. */
void unregistered_start(void);

/** A token for that identity which lives for so long; its jti is "j-" and the identity's user. */
const char *guest_token(const char *impu, int64_t lifetime_s);
/** The same with these members in place of jti and identities. */
const char *guest_token_of(const char *members, int64_t lifetime_s);
/** One for web-77 for ten minutes. */
const char *good_token(void);

/** A request of web-77 that begins something, with these lines: each is a transaction and a call of
 * its own. */
const char *guest_asks(const char *method, const char *lines);
/** The same with this From. */
const char *guest_asks_as(const char *from, const char *method, const char *lines);
/** The same with a good token. */
const char *guest_shows(const char *method, const char *lines);

/** What the core gets of a request of WIC 0. */
const char *guest_onward(const char *request);
/** WIC 0 is refused so, and nothing goes to the core; what it is told. */
const char *guest_refused(enum gw_err err, uint32_t status, const char *request);
/** The token as a line of a request. */
const char *guest_bearer(const char *token);
/** Nothing of a refused user stays. */
void guest_none(void);
/** A fresh world in which WIC 0 has shown a good token. */
void unregistered_is_known(void);

/** A call of web-77 that bob has answered. */
struct call guest_called(void);
/** Requests inside it, of web-77 and of bob. */
const char *guest_in_call(const struct call *c, const char *method, const char *lines);
const char *bob_asks_guest(const struct call *c, const char *method, const char *lines);

#endif
