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
	uint64_t bound_until_us;       /* end of what the last 200 granted, as this side reckons */
	const struct request *granted; /* by which; NULL: none */
	uint64_t authorised_until; /* Unix time: latest end of a token it showed on this connection
				    */
	uint32_t cseq;
	bool outbound; /* registers with reg-id and an instance, most times */
	/* its home at the gateway, by which its dialogs are found: one identity's registration */
	uint64_t home_since_us; /* 0: not known to be there */
	uint64_t home_here_us;	/* this connection has it */
	uint64_t home_lost_us;	/* its connection has ended; 0: it has not */
	uint32_t home_user, home_conn;
	bool home_outbound;
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

#endif
