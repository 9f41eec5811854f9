/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIC_H
#define WIC_H

#include "peer.h"

/* Shared by wic.c (connection and frames) and wic_sip.c (what is said) only. */

enum wic_state { WIC_AWAY, WIC_CONNECTING, WIC_UPGRADING, WIC_OPEN, WIC_LEAVING };

struct wic {
	struct sim *sim;
	uint32_t index;
	struct conn *conn;
	uint32_t number; /* of its connection: 1, 2, ... */
	enum wic_state state;
	bool closing; /* the peer has said that it ends */
	bool silent;  /* it has vanished without a word */
	bool odd;     /* it did what ends a connection */
	bool mixed;   /* it has changed its identity on this connection */
	uint32_t users[SIM_IDENTITIES];
	uint32_t user;	     /* who it now is */
	uint32_t registered; /* bit per identity that the core says 200 for, on this connection */
	uint64_t bound_until_us; /* end of what the last 200 granted, as this side reckons */
	/* when the core has last told the gateway how long it holds it, and until when */
	uint64_t told_us, told_until_us;
	const struct request *granted; /* by which; NULL: none */
	uint64_t authorised_exp_s;     /* latest end of a token it showed on this connection */
	uint32_t cseq;
	bool outbound; /* registers with reg-id and an instance, most times */
	/* its home at the gateway, by which its dialogs are found: one identity's registration */
	uint64_t home_since_us; /* 0: not known to be there */
	uint64_t home_here_us;	/* this connection has it */
	uint64_t home_lost_us;	/* its connection has ended; 0: it has not */
	uint32_t home_user, home_conn;
	bool home_outbound;
	uint32_t home_sub, home_instance;
	/* a visitor of the pool: it has a token of it most times, for a user of its own */
	bool visitor;
	bool token_refused;    /* it needs another one */
	uint32_t token, older; /* the newest, and the one before it; 0: none */
	uint32_t sub;
	uint32_t visit;	   /* users so far: each has a Contact of its own */
	uint32_t instance; /* pages that have one of their own, so far */
	uint32_t sub_here; /* whose registration this connection has had last; 0: nobody's */
	bool member;	   /* of the block (member.h) */
	/* a guest, who is never registered */
	bool guest;
	bool heard;		 /* something of it has come to the core, on this connection */
	uint64_t revoked_us;	 /* what this connection shows was taken back; 0: it was not */
	uint64_t shown_until[3]; /* latest end of a good token of it, for each of its names */
	uint32_t open;		 /* REGISTERs on this connection without a final answer */
	uint8_t in[65536];
	uint32_t in_len;
	struct peer_out out;
};

struct wic_script {
	uint32_t count;
	struct wic wic[SIM_WICS_MAX];
};

/** Sends one SIP message in one or more frames. */
void wic_send(struct wic *w, struct span message);
/** A SIP message has come. */
void wic_message(struct wic *w, struct span message);

void wic_register(struct wic *w);
void wic_deregister(struct wic *w);
/** Asks which bindings there are; removes them all. */
void wic_fetch(struct wic *w);
void wic_remove_all(struct wic *w);
/** User part of the Contact of a visit. */
void wic_contact_user(const struct wic *w, uint32_t visit, struct writer *out);
/** A MESSAGE to another WIC. */
void wic_say(struct wic *w);
/** Calls somebody. */
void wic_call(struct wic *w);
/** Adds what a WIC must not be able to say to the core. */
void wic_forge(struct wic *w, struct writer *out);
struct call;
/** A message of a call has come. */
void wic_call_message(struct wic *w, struct call *c, struct span message);
/** SIP with something wrong in it. */
void wic_garble(struct wic *w);

/* wic_pool.c: visitors of the pool */
/** Sees to it that there is a token that has not ended. False: it has none now, or leaves for
 * another one. */
bool visitor_ready(struct wic *w);
/** Which token its next REGISTER shows. */
uint32_t visitor_token(struct wic *w);
/** Another connection begins: the same page, a page that was loaded again, or another one. */
void visitor_connects(struct wic *w);
/** A REGISTER of its has its final answer. */
void visitor_answered(struct wic *w, const struct request *r, struct span message);
/** True when its user may ask, or be asked, in calls that sub's registration began. */
bool visitor_is(const struct wic *w, uint32_t sub);
void wic_leave(struct wic *w);

#endif
