/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_CORE_H
#define SIM_CORE_H

#include "peer.h"

/* Shared by core.c (transports), core_registrar.c (what it answers) and core_caller.c (what it
 * asks) only. */

#define LINKS_MAX 64
#define PLACES 2 /* addresses of the core */
#define STRANGER 2
#define CALLS_MAX 4096
#define STALE_MAX 32
#define CORE_TEXT_MAX 8000
#define OWN_BINDINGS (SIM_WICS_MAX * SIM_IDENTITIES) /* of WICs that have their identities */

/** One TCP connection with the gateway. */
struct core_link {
	struct core_script *core;
	struct conn *conn;
	bool up;
	bool ours;
	uint32_t number;	/* never the same for two connections */
	struct endpoint target; /* ours: where to */
	uint8_t in[32768];
	uint32_t in_len;
	struct peer_out out;
};

/** Where an answer goes. */
struct core_way {
	bool tcp;
	uint32_t link; /* TCP: its index and number */
	uint32_t number;
	struct endpoint local, peer; /* UDP */
};

/** What a REGISTER left behind. */
struct core_binding {
	bool live;
	bool block; /* of all identities of the block: not in core_script.binding */
	uint32_t user, wic, conn;
	uint32_t sub, instance; /* of a visitor of the pool */
	uint64_t since_us;
	bool outbound;
	/* registration events: the REGISTER that it is of, plus 1; until when; its Call-ID and
	 * CSeq; when the last 200 about it was, or will be, sent */
	uint32_t by, cseq;
	uint64_t until_us, answer_us;
	char call_id[40];
	char path[200];
	char contact[160];
};

/** A MESSAGE of ours. */
struct core_call {
	uint32_t wic, conn, user, sub;
	bool block;	/* for an identity of the block, by its Contact */
	bool sought;	/* whose WIC that comes to is not known yet */
	bool forbidden; /* nobody may get it */
	bool tampered;
	bool tcp;
	uint32_t link, link_number; /* TCP */
	struct endpoint local, peer;
	uint64_t sent_us;
	uint64_t retry_us;
	uint32_t delivered;
	uint64_t delivered_us; /* to a member of the block */
	uint16_t status;
	bool stranger;
	uint8_t *bytes; /* UDP: to be sent again */
	uint32_t len;
	uint32_t relay; /* the request of a WIC that waits for it, plus 1 */
	struct core_way relay_way;
	uint8_t relay_head[1024];
	uint32_t relay_len;
};

struct core_script {
	struct sim *sim;
	struct core_link link[LINKS_MAX];
	uint32_t links;			   /* so far */
	struct endpoint place[PLACES + 1]; /* the last one is the stranger's */
	struct core_binding binding[OWN_BINDINGS + POOL_PAIRS_MAX];
	uint32_t bindings; /* in use */
	struct core_binding stale[STALE_MAX];
	uint32_t stales;
	struct core_call call[CALLS_MAX];
	uint32_t calls;
	uint32_t last_sequence[SIM_WICS_MAX]; /* per WIC: the last call that came over last_link */
	uint32_t last_link[SIM_WICS_MAX];
	bool leaving;
	uint32_t down;	       /* places that are */
	uint64_t disturbed_us; /* the last time that a place died or rose, or a connection ended */
	uint64_t busy_until_us[PLACES];
	struct core_exchange *exchange; /* of calls, by their number */
};

/* core.c */
void core_answer(struct core_script *core, const struct core_way *way, struct span bytes);
/** A connection to target, opened when there is none. NULL: no room. */
struct core_link *core_link_to(struct core_script *core, const struct endpoint *target);
void core_link_write(struct core_link *link, struct span bytes);

/** The place of the core that way leads to has too much to do. */
bool core_busy(struct core_script *core, const struct core_way *way);

/* core_call.c: calls */
struct call;
struct core_exchange *core_exchanges_new(void);
/** used: how many of calls there are; no other has been touched. */
void core_exchanges_free(struct core_exchange *all, uint32_t used);
void core_call(struct core_script *core, const struct core_binding *b);
void core_call_message(struct core_script *core, const struct core_way *way, struct call *c,
		       struct span message);

/* core_registrar.c: requests of the gateway */
/** Sends it after a while, at the time that it returns. */
uint64_t core_answer_later(struct core_script *core, const struct core_way *way, struct span bytes);
/** What every request of the gateway's own is. */
void core_check_own(struct core_script *core, struct span message);
void core_request(struct core_script *core, const struct core_way *way, struct span message);
/** Status line, and what every response copies; the caller adds and ends it. */
void core_write_response(struct span request, uint16_t status, struct writer *out);

/* core_caller.c: our own requests */
void core_calls(struct sim *sim, void *context, uint64_t arg);
/** Sends a MESSAGE to user's binding for the WIC request number; false: it has none. */
bool core_relay(struct core_script *core, uint32_t user, uint32_t number,
		const struct core_way *way, struct span request);
void core_response(struct core_script *core, struct span message);

#endif
