/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CALL_H
#define CALL_H

#include "world.h"

/* Calls between alice, who is WIC 0, and bob, who is somewhere behind the core. */

#define MS 1000ull
#define S 1000000ull

/** What a request says; what is NULL has a default. */
struct says {
	const char *method; /* INVITE */
	const char *uri;
	const char *branch;
	const char *from; /* values of the lines */
	const char *to;
	const char *call;
	uint32_t cseq;	   /* 1 */
	const char *lines; /* more of them */
	const char *body;
};

/** alice is registered; what her requests go to and the core's come by speaks this transport. */
void call_world(enum mw_transport transport);
/** No next hop takes over what the S-CSCF of the Service-Route does not do. */
void call_no_stand_in(void);
/** The same with room for so many transactions. */
void call_world_of(enum mw_transport transport, uint32_t transactions);

/** A request of alice, and one of the core: to alice's Path when lines has no Route. */
const char *of_alice(const struct says *s);
const char *of_core(const struct says *s);
/** An answer to request: To with this tag unless it has one (empty: none), Via, Record-Route and
 * the rest as a UA copies them. */
const char *answer_of(const char *request, const char *status, const char *tag, const char *lines);
/** The same without the Record-Route. */
const char *bare_answer_of(const char *request, const char *status, const char *tag,
			   const char *lines);

/** A copy that stays until call_world(). */
const char *keep(const char *text);

/** How many went there since world_forget(), the n-th of them, the last. */
uint32_t count_to(enum sent_to to);
const struct sent *nth_to(enum sent_to to, uint32_t n);
const char *last_to(enum sent_to to);
/** How many messages there were of this beginning ("ACK ", "SIP/2.0 100"). */
uint32_t count_of(enum sent_to to, const char *begins);
/** The only one of this beginning. */
const char *only_of(enum sent_to to, const char *begins);

/** The route set that a UA takes of Record-Route: of a response in reverse, of a request in order;
 * each line is one element, as browsers' stacks have it. Whole Route lines. */
const char *routes_of_response(const char *response);
const char *routes_of_request(const char *request);
/** Both kinds: whether `all` begins with `start`. */
bool begins(const char *all, const char *start);
/** Branch of the first Via. */
const char *branch_of(const char *message);

/** So many seconds pass, in which what is sent is forgotten; the core grants every de-REGISTER. */
void call_wait(uint32_t seconds);
/** alice's connection ends, and what that says is forgotten. */
void alice_goes(void);
/** alice is back on the connection of WIC 1, with the same instance. */
void alice_returns(void);
/** No transaction, timer, list or count is left, and no long head is lent. */
void call_nothing_left(void);

/** alice's INVITE goes to the core as mw, and 100 to her; her call has Call-ID i1, her tag is i1.
 */
struct call {
	const char *invite;   /* as its first hop sent it */
	const char *onward;   /* as the gateway sent it on */
	const char *routes;   /* Route lines of alice, once it is answered */
	const char *backward; /* Route lines of the core, from what went to it */
};
struct call alice_calls(const char *lines);
/** And bob has answered: tag b1, two proxies of the core have recorded themselves. */
struct call alice_called(void);
/** bob's INVITE comes to alice, by way of two proxies that record themselves; and she answers. */
struct call bob_calls(const char *lines);
struct call bob_called(void);
/** Requests of alice inside those calls. */
const char *alice_in_call(const struct call *c, const char *method, const char *lines);
const char *alice_in_bobs_call(const struct call *c, const char *method, const char *lines);
/** Requests of bob inside those calls. */
const char *bob_in_alices_call(const struct call *c, const char *method, const char *lines);
const char *bob_in_call(const struct call *c, const char *method, const char *lines);

/** The core's two proxies, as they record themselves in bob's INVITE and in the answer to alice. */
#define CORE_ROUTES \
	"Record-Route: <sip:mt@198.18.0.40:6060;lr;did=1a>, <sip:scscf.home1.net:6060;lr>" CRLF
#define VECTOR \
	"P-Charging-Vector: " \
	"icid-value=\"sc-11\";icid-generated-at=192.0.2.9;orig-ioi=\"home7.net\"" CRLF

#define RUN_BOTH(group, sentence) RUN(group, sentence##_udp), RUN(group, sentence##_tcp)
/** A test that is run over UDP and over TCP: transport. */
#define TEST_BOTH(group, sentence) \
	static void group##_##sentence(enum mw_transport transport); \
	TEST(group, sentence##_udp) \
	{ \
		group##_##sentence(MW_UDP); \
	} \
	TEST(group, sentence##_tcp) \
	{ \
		group##_##sentence(MW_TCP); \
	} \
	static void group##_##sentence(enum mw_transport transport)

#endif
