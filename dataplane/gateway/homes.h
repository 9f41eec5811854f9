/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_HOMES_H
#define GATEWAY_HOMES_H

#include "internal.h"

/* Whose a registration, and whose a pool pair is: home workers, those who ask them, and what
 * control keeps of it for a restart. For the files of this layer only. */

/* home.c */
bool homes_open(struct gateway *gw);
void homes_close(struct gateway *gw);
/** What the entry of a registration with this Contact is found by. */
struct home_claim home_claim(const struct gateway *gw, const struct registration_of *who,
			     const struct sip_address *contact);
bool home_key_equal(const struct home_key *a, const struct home_key *b);
uint16_t home_worker(const struct gateway *gw, const struct home_key *key);
#define REGISTER_ENDS_US (SIP_64T1_US + SIP_T2_US) /* a REGISTER has been answered by then */

/** The REGISTER of a flow without a binding goes to the core. */
void home_asked(struct gateway *gw, const struct wic *wic, const struct home_claim *claim);
/** The core said 200 about wic's b. */
void home_bound(struct gateway *gw, struct wic *wic, const struct binding *b);
/** The same about a b whose flow has ended. */
void home_bound_dead(struct gateway *gw, const struct binding *b);
/** The same about a b that leaves at once: its flow keeps the entry, and who has that next ends b.
 */
void home_leaving(struct gateway *gw, const struct binding *b);
void home_flow_ended(struct gateway *gw, struct wic *wic);
/** The core holds b longer than was said. */
void home_lasts(struct gateway *gw, const struct binding *b);
/** The core holds b no more, or nothing is left to be done about it. */
void home_binding_ended(struct gateway *gw, const struct binding *b);
/** A request of the core in gw->message, whose topmost Route has a token of kind 2 that names home:
 * to where its WIC is now, or the answers of PROTOCOL 10.3. */
void home_deliver(struct gateway *gw, const struct mw_source *source, struct handle home);

/** The home entry has a living flow. */
bool home_is_there(const struct gateway *gw, struct handle home);
/** The request in gw->message has waited for home's WIC: it goes on, or is answered now. */
void home_deliver_held(struct gateway *gw, const struct mw_source *source, struct handle home);

/** The binding that the entry of this key, whose home is this worker, is about; none. */
struct handle home_holder(struct gateway *gw, const struct home_key *key);

/* held.c: the core's requests inside dialogs that wait for a WIC to come back (PROTOCOL 10.3) */
bool held_open(struct gateway *gw);
void held_close(struct gateway *gw);
/** Until when a request waits, and for whom. */
struct held_until {
	uint64_t us;
	struct handle home;
};
/** Holds the request in gw->message, of source, on a home entry's list. False: it is too long, or
 * there is no room; it is to be answered at once. */
bool held_request(struct gateway *gw, struct held_list *list, const struct held_until *until,
		  const struct mw_source *source);
/** The message in gw->message is a held request's repeat, or its CANCEL: dealt with. */
bool held_about(struct gateway *gw, struct held_list *list, const struct mw_source *source);
/** The WIC is back: what waits for it goes on when nothing else is in hand. */
void held_release(struct gateway *gw, struct held_list *list);
/** The entry of list has ended and next is another's: what waits is answered, for an entry that is
 * not there, when nothing else is in hand. */
void held_hand_on(struct gateway *gw, const struct held_list *list, struct held_list *next);
/** All of the list goes on, or is answered, at once. gw->message is another one afterwards. */
void held_end(struct gateway *gw, struct held_list *list);

/* lease_home.c: the leases whose home is this worker */
bool lease_homes_open(struct gateway *gw);
void lease_homes_close(struct gateway *gw);
/** MESSAGE_LEASE_RESERVE, _CONFIRM, _CANCEL or _RELEASE. */
void lease_home_message(struct gateway *gw, const struct message_head *head);
/** After a restart: b, whose home this worker is, has had the pair by these terms. True: it has it
 * now, as if it had just been registered. False: there is another one that has it, or no room. */
bool lease_home_restore(struct gateway *gw, struct binding *b, const struct lease_terms *terms);

/* pool.c: REGISTER with a token of a pool, and the binding that has the lease */
bool pools_open(struct gateway *gw);
void pools_close(struct gateway *gw);
/**
 * Whether wic may register t's pair by the token in gw->claims. GW_OK: t has a grant, or the
 * binding its lease by this very token. GW_AGAIN: the home worker is asked. GW_PAIR_IN_USE (F24),
 * GW_TOKEN_JTI (F16), GW_REQUEST_PENDING, GW_LEASE_LIMIT, GW_LEASE_BUSY.
 */
enum gw_err GW_MUST_CHECK pool_admit(struct gateway *gw, struct wic *wic, struct transaction *t);
/** The REGISTER in gw->message is one that waits for its home worker. */
bool pool_waits(const struct gateway *gw, const struct wic *wic);
/** Goes on with it. */
enum gw_err GW_MUST_CHECK pool_resumed(struct gateway *gw, struct wic *wic);
/** The signature of a request that has a grant was checked once more: when nothing has come of the
 * request, the grant is given back. */
void pool_settle(struct gateway *gw, struct wic *wic);
void pool_flow_ended(struct gateway *gw, struct wic *wic);
/** The core's 200 has come before t's grant was void; or b, or NULL, whose lease t was sent by,
 * still has that. */
bool pool_stands(const struct gateway *gw, const struct transaction *t, const struct binding *b);
/** b, of t's pair, has the lease from now on. False: it has ended at once. */
bool pool_confirm(struct gateway *gw, struct transaction *t, struct binding *b);
/** t is over: a grant of its that has come to nothing is given back. */
void pool_transaction_over(struct gateway *gw, struct transaction *t);
/** False: the request in gw->message, by a Path of b's connection, is for another user of a pool,
 * who was registered there before (PROTOCOL 6.6): the core has found another Contact than b's. */
bool pool_is_called(const struct gateway *gw, const struct binding *b);
/** b is of the site of that name from now on: a reload may have renamed it. */
void pool_named(struct gateway *gw, struct binding *b, const char wwsf[SITE_NAME_MAX + 1]);
/** b has ended here: its pair is free. */
void pool_unbind(struct gateway *gw, struct binding *b);
/** After a restart: b has this lease of its pair. The message that confirms it is for its home. */
struct message_lease_confirm pool_restore(struct gateway *gw, struct binding *b,
					  struct lease_id lease);

/* journaled.c: what control is told of bindings of pools, for a restart */
bool journaled_open(struct gateway *gw);
void journaled_close(struct gateway *gw);
/** b has come about, or something about it has changed. Of no pool: nothing is said. */
void journaled_changed(struct gateway *gw, struct binding *b);
/** Nothing is left of b, which is about to be freed. */
void journaled_ended(struct gateway *gw, struct binding *b);

/* pool_count.c */
enum pool_counted {
	POOL_COUNT_GRANTED,
	POOL_COUNT_IN_USE,
	POOL_COUNT_CONFLICT,
	POOL_COUNT_HELD,
	POOL_COUNT_RELEASED,
	POOL_COUNT_FORBIDDEN, /* a request, for its destination: of any web site */
};
void pool_count(struct gateway *gw, struct span site, enum pool_counted what);

#endif
