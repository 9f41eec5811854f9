/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_H
#define GATEWAY_H

#include "core/core.h"
#include "counters.h"
#include "message.h"
#include "sip/sip.h"
#include "snapshot.h"
#include "verifier.h"
#include "worker.h"

/**
 * The procedures of the eP-CSCF: what a request from a WIC or from the core leads to. One gateway
 * per worker. It does no I/O and reads no clock: the worker gives it both as struct gateway_env and
 * struct gateway_time. It owns the worker's bindings and transactions.
 */

struct gateway;
struct transaction;

/** A token that a WIC has shown where the core authenticates (D-13). */
struct shown_token {
	uint64_t exp_s; /* Unix time, as the wall's clock says it at use; 0: none */
	uint64_t jti;	/* jti_hash() of it; 0: it has none */
	uint64_t impi;	/* hash of the private identity that it names; 0: none */
	uint64_t impu;	/* of the public identity it was shown for */
};

/** How far a flow is with a pair that it asks for. */
enum pool_state {
	POOL_IDLE,
	POOL_ASKED,   /* its home worker; reading pauses */
	POOL_GRANTED, /* and the request that asked goes on */
	POOL_REFUSED,
	POOL_KEPT, /* granted, and the signature of the request is being checked once more */
	POOL_OPEN, /* a REGISTER with a grant is under way */
};

/** What a flow has to do with leases (pool.c). */
struct wic_pool {
	enum pool_state state;
	enum gw_err refused; /* POOL_REFUSED */
	bool at_once;	     /* the answer comes before the question returns */
	uint32_t ticket;
	uint32_t retry_s;     /* of the last GW_PAIR_IN_USE */
	struct handle parked; /* POOL_ASKED to _KEPT: the request that asks; none: it is in hand */
	uint64_t impi;	      /* POOL_ASKED, _GRANTED: which pair */
	uint64_t deadline_us; /* POOL_GRANTED */
	struct lease_id id;   /* POOL_GRANTED */
	struct lease_id held; /* that it has confirmed last */
};

/** What the gateway knows of a WIC's connection. Part of the session, which owns it. */
struct wic {
	struct handle flow;	     /* the session: what flow tokens name */
	struct handle binding;	     /* none until the core has said 200 */
	uint32_t wwsf;		     /* row of config_part.wwsf that the Origin belongs to */
	uint32_t transactions;	     /* of this flow, not yet answered */
	uint32_t requests;	     /* of these, begun by the WIC */
	struct transaction *pending; /* all of them, the gateway's list */
	/* INVITEs of the core that it has answered with a 2xx whose ACK is to come: the gateway's
	 */
	struct transaction *accepted;
	uint64_t identity; /* hash of the pair that the core may hold for this flow; 0: none */
	uint64_t brief_us; /* when the first of the last 423s was relayed */
	uint32_t briefs;   /* 423s relayed since */
	uint32_t key;	   /* id of the key that was asked about the token under way */
	uint32_t calls;	   /* it sets up: INVITEs of its not answered yet */
	struct bucket requests_rate, dialog_rate; /* of the connection */
	struct bucket binding_rate;
	struct handle parked; /* the request that waits for keys; none */
	/* when the core challenged its registration first, and nothing else has been said since
	 * (PROTOCOL 4.3); 0: it has not */
	uint64_t challenged_us;
	bool disowned; /* a reload took the Origin away: new registrations get 403 (F19) */
	struct shown_token shown;
	struct home_key home_key; /* of its home entry, or of the one asked for; zeroed: none */
	uint64_t home_sub;	  /* and whose: home_claim.sub */
	struct handle home;	  /* of that entry, see home_of() */
	struct wic_pool pool;
	uint32_t barred_s; /* of the last GW_REG_PROBATION: how long it lasts */
	struct handle wildcard; /* its user, who is not registered (PROTOCOL 7.1); none */
};

/** What flow tokens of kind 2 name for wic, also when its registration has ended (D-36).
 * handle_none(): not attached, or not yet; then tokens are of kind 1. */
static inline struct handle home_of(const struct wic *wic)
{
	return wic->home;
}

/** Where a request for the core goes. */
struct mw_target {
	enum mw_transport transport;
	struct endpoint address;
	uint64_t tried; /* the gateway's: next hops that had the request before this one */
};

/** True for the same transport, address and port. */
bool target_same(const struct mw_target *a, const struct mw_target *b);

/**
 * What the worker does for the gateway. Calls come only from inside gateway_*() calls and timers.
 * No entry is NULL; none calls back into the gateway.
 */
struct gateway_env {
	void *context;
	uint64_t (*random)(void *context);
	/** The WIC of a flow of this worker, or NULL when it has ended. */
	struct wic *(*wic)(void *context, struct handle flow);
	/** One SIP message to a WIC. GW_STALE: the flow has ended; GW_WS_SLOW: it is being cut. */
	enum gw_err (*to_wic)(void *context, struct handle flow, struct span bytes);
	/** A request to the core. GW_MW_DOWN: it cannot be sent. */
	enum gw_err (*to_mw)(void *context, const struct mw_target *target, struct span bytes);
	/** A response back to where a request of the core came in, also on another worker. */
	enum gw_err (*to_source)(void *context, const struct mw_source *source, struct span bytes);
	/** A mailbox message: head, then bytes. GW_QUEUE_FULL. */
	enum gw_err (*to_worker)(void *context, uint16_t worker, struct span head,
				 struct span bytes);
	/** Whether the n-th next hop is thought to be up. */
	bool (*hop_up)(void *context, const struct mw_target *target);
	/** One event for the log; head.len bytes of it, so that it may be a struct message_audit.
	 */
	void (*event)(void *context, const struct message_event *event);
	/** A free verify job of the worker's pool, or NULL; submitted by the worker at its turn's
	 * end. */
	struct verify_job *(*job)(void *context);
	void (*submit)(void *context, struct verify_job *job);
};

struct gateway_config {
	uint16_t worker;
	uint16_t workers;
	uint32_t max_bindings;
	uint32_t max_transactions;
	uint32_t max_message; /* bytes; the largest max_message that will ever be configured */
	uint32_t max_parked;  /* requests that wait for keys, at least 1; half for one issuer */
	uint32_t max_held;    /* requests in dialogs that wait for a WIC to come back, at least 1 */
	uint32_t verify_jobs; /* signatures under way, whose tokens are read once; more, twice */
	uint32_t token_cache; /* verified tokens remembered */
	uint32_t token_refused;	   /* refused tokens remembered */
	uint32_t lease_tombstones; /* pairs whose last token is remembered, of this home worker */
	uint32_t epoch;		   /* where generations start */
	uint64_t now_us;	   /* where its timers start */
	struct counters *counters;
	const struct gateway_env *env;
};

/** What holds for one turn. */
struct gateway_time {
	const struct snapshot *view;
	uint64_t now_us;  /* monotonic */
	uint64_t wall_us; /* Unix time, of the same moment (wall.h) */
};

/** NULL: no memory. config and what it points to are borrowed until gateway_free(). */
struct gateway *gateway_new(const struct gateway_config *config);
void gateway_free(struct gateway *gw);

/** Start of a turn: time and snapshot for every call until the next. */
void gateway_turn(struct gateway *gw, const struct gateway_time *time);

/** Fires at most max timers that are due; how many. */
uint32_t gateway_timers(struct gateway *gw, uint32_t max);

/** When gateway_timers() must run next; UINT64_MAX: no timer. */
uint64_t gateway_next_us(const struct gateway *gw);

/** How the handling of a WIC's message ended. */
struct gateway_result {
	enum gw_err err; /* GW_OK: handled. GW_AGAIN: a signature is being checked, or a home
			    worker asked; keep the bytes, stop reading, call gateway_verified()
			    with the verdict, or when gateway_leased() says so. Else: refused,
			    answer with it */
	bool request; /* the refused message is a request whose indexed form is gateway_message() */
};

/** One SIP message from wic. bytes are borrowed for the call. */
struct gateway_result gateway_from_wic(struct gateway *gw, struct wic *wic, struct span bytes);

/** Goes on with the message that gateway_from_wic() answered GW_AGAIN for. */
struct gateway_result gateway_verified(struct gateway *gw, struct wic *wic, struct span bytes,
				       enum gw_err verdict);

/** A verdict that does not come in this time counts as that of a failed driver. */
#define GATEWAY_VERDICT_US 2000000ull

/** What came of a request that was parked. */
struct gateway_resumed {
	struct handle flow;
	struct gateway_result result; /* never GW_AGAIN; a refused one is in gateway_message() */
};

/**
 * Goes on with one parked request whose keys, verdict or deadline have come. False: there is none.
 */
bool gateway_resume(struct gateway *gw, struct gateway_resumed *resumed);

/** The verdict of a job with VERIFY_WAITER_PARKED; gateway_resume() goes on. */
void gateway_parked_verdict(struct gateway *gw, struct handle owner, enum gw_err verdict);

/* ---- explaining a token */

/** Rows that an explanation has at most. */
#define GATEWAY_STEPS_MAX 20

/** A token that somebody wants explained. */
struct gateway_explained {
	uint32_t wwsf; /* of the Origin it is shown from; a row that is none: of no connection */
	struct span token;
};

/** The site that an Origin belongs to; of none (length 0), the first that the token's issuer
 * serves; UINT32_MAX: there is no such site. */
uint32_t gateway_explain_wwsf(struct gateway *gw, struct span origin, struct span token);

/** Fills job with the signature that has to be checked for it; owner is the caller's. False: the
 * token does not come so far. */
bool gateway_explain_job(struct gateway *gw, const struct gateway_explained *what,
			 struct verify_job *job);

/**
 * What each step of PROTOCOL 3.5 says of the token as the one of a REGISTER, up to the first that
 * refuses it; how many rows. signature: the verdict on the job. Nothing is remembered of it.
 */
uint32_t gateway_explain(struct gateway *gw, const struct gateway_explained *what,
			 enum gw_err signature, struct row_step rows[GATEWAY_STEPS_MAX]);

/** A flow that must be closed. */
struct gateway_ended {
	struct handle flow;
	/* GW_TOKEN_JTI, GW_TOKEN_WWSF, GW_IDENTITY_FOREIGN, GW_BINDING_REPLACED, GW_REG_REJECTED,
	 * GW_REG_DEACTIVATED */
	enum gw_err why;
};

/**
 * Ends the binding of one token, or of one WWSF, that an operator has taken back. False: none found
 * among the bindings that one turn looks at; when *more, the next turn looks at others.
 */
bool gateway_revoked(struct gateway *gw, struct gateway_ended *ended, bool *more);

/** A flow whose registration the core has ended, so that its WIC has to go or to come back; called
 * until it says false. */
bool gateway_sent_away(struct gateway *gw, struct gateway_ended *ended);

/** A flow whose pair another one has taken over; called until it says false. */
bool gateway_replaced(struct gateway *gw, struct gateway_ended *ended);

/** A flow whose home worker has answered: gateway_verified() goes on with the message that it
 * waits with, whatever the verdict says. Called until it says false. */
bool gateway_leased(struct gateway *gw, struct handle *flow);

/** What the home worker of a block says of it; routes: what follows m. */
void gateway_block(struct gateway *gw, const struct message_block *m, struct span routes);

/** MESSAGE_REGISTRAR_* of another worker; message: all of it. */
void gateway_registrar_message(struct gateway *gw, const struct message_head *head,
			       struct span message);

/** Where an INVITE for a block has gone, whose Call-ID names this worker. */
void gateway_block_way(struct gateway *gw, const struct message_block_way *m);

/** A request that another worker took in for an identity of a block. */
void gateway_delivered_block(struct gateway *gw, const struct message_deliver_block *head,
			     struct span bytes);

/** MESSAGE_FORK_* of another worker; message: all of it. */
void gateway_fork_message(struct gateway *gw, const struct message_head *head, struct span message);

/** The node stops: its blocks are de-REGISTERed. */
void gateway_drain(struct gateway *gw);

/** MESSAGE_LEASE_* of another worker, whole. */
void gateway_lease_message(struct gateway *gw, const struct message_head *head);

/* ---- restarts */

/**
 * A binding of a pool that the gateway had before it was restarted, when this worker is the home of
 * its IMPI: as if it had just lost its connection. Before the first message comes; gateway_turn()
 * has been called. What has ended meanwhile, or is no longer of its pool, is told to the core.
 * GW_BINDING_LIMIT: there is no room for it.
 */
enum gw_err GW_MUST_CHECK gateway_restore(struct gateway *gw, const struct message_journal *m);

/** Control has lost something of what it was told of bindings of pools: it is told again of all of
 * them, some at a time. */
void gateway_journal_again(struct gateway *gw);

/** The message indexed last: for answering it. Valid until the next call. */
const struct sip_message *gateway_message(const struct gateway *gw);

/**
 * Writes the answer that the refused request in gateway_message() gets for err: PROTOCOL 3.6's
 * table for tokens and identities, RFC 3261's codes for the rest. GW_SIP_MISSING: it cannot be
 * answered (no Via, From, To, Call-ID or CSeq), or it is an ACK.
 */
enum gw_err GW_MUST_CHECK gateway_refusal_write(struct gateway *gw, const struct wic *wic,
						enum gw_err err, struct writer *out);

/** One SIP message from the core. Refusals are answered on source here, by way of gateway_refusal.
 */
void gateway_from_mw(struct gateway *gw, const struct mw_source *source, struct span bytes);

/** A request that another worker took in for a flow of ours. */
void gateway_delivered(struct gateway *gw, const struct message_deliver *head, struct span bytes);

/** A request that another worker took in for a home entry of ours. */
void gateway_delivered_home(struct gateway *gw, const struct message_deliver_home *head,
			    struct span bytes);

/** MESSAGE_ATTACH, _ATTACHED, _DETACH, _ENDED or _BARRED of another worker, whole. */
void gateway_home_message(struct gateway *gw, const struct message_head *head);

/** A response that another worker took in for a transaction of ours. */
void gateway_response(struct gateway *gw, const struct mw_source *source, struct span bytes);

/** The flow has ended: its binding waits for another one, its transactions are answered, forgotten
 * or, registrations, go on without it. */
void gateway_flow_ended(struct gateway *gw, struct wic *wic);

/** A target cannot be reached: its transactions are answered now and not after their timers. */
void gateway_target_lost(struct gateway *gw, const struct mw_target *target);

/** Whether wic is of use: registered, or not and with a token that has not ended, or in a call. */
bool gateway_serves(const struct gateway *gw, const struct wic *wic);

/** Of a user who is not registered: false, there is none. expires_s: of his token. */
bool gateway_wildcard_row(const struct gateway *gw, const struct wic *wic, struct row_binding *row);

/** gateway_find() among those. */
struct handle gateway_wildcard_find(const struct gateway *gw, struct span canonical, uint32_t max,
				    uint32_t *cursor);

/** Fills up to max rows of live bindings from cursor on; *cursor is moved on, 0 at the end. */
uint32_t gateway_rows(const struct gateway *gw, uint32_t *cursor, uint32_t max,
		      struct row_binding *rows);

/** True when the WIC has registered canonical, or the core has associated it with what it
 * registered. */
bool gateway_is(const struct gateway *gw, const struct wic *wic, struct span canonical);

/** The flow of a binding at *cursor or behind it, of which gateway_is() is true; *cursor is moved
 * behind it. At most max bindings are looked at: none among them leaves *cursor where to go on, 0
 * at the end. */
struct handle gateway_find(const struct gateway *gw, struct span canonical, uint32_t max,
			   uint32_t *cursor);

/** The flow of the binding, or of the transaction, in that slot; none. */
struct handle gateway_binding_flow(const struct gateway *gw, uint32_t slot);
struct handle gateway_transaction_flow(const struct gateway *gw, uint32_t slot);

/** Fills up to max rows with the transactions of wic; how many. */
uint32_t gateway_transaction_rows(const struct gateway *gw, const struct wic *wic, uint32_t max,
				  struct row_transaction *rows);

/** Objects now out of the gateway's pools, for the balance that tests check: live bindings; those
 * that wait for another flow or for the core's farewell; and so on. Not for the packet path. */
uint32_t gateway_leaving(const struct gateway *gw);
/** Fills at most max rows from slot *cursor of the next hops on; *cursor is moved on, UINT32_MAX at
 * the end. */
uint32_t gateway_hops(struct gateway *gw, uint32_t *cursor, uint32_t max, struct row_mw *rows);

/** Fills at most max rows from row *cursor of the pools on; *cursor is moved on, 0 at the end. */
uint32_t gateway_pool_rows(const struct gateway *gw, uint32_t *cursor, uint32_t max,
			   struct row_pool *rows);

/** The same of blocks. */
uint32_t gateway_block_rows(const struct gateway *gw, uint32_t *cursor, uint32_t max,
			    struct row_block *rows);

/** Blocks that this worker knows of, and bindings of theirs whose home it is. */
uint32_t gateway_blocks(const struct gateway *gw);
uint32_t gateway_registrar(const struct gateway *gw);
/** Requests under way to several bindings at once. */
uint32_t gateway_forks(const struct gateway *gw);
uint32_t gateway_bindings(const struct gateway *gw);
uint32_t gateway_transactions(const struct gateway *gw);
/** Of finished transactions, what is left to absorb repeats. */
uint32_t gateway_finished(const struct gateway *gw);
uint32_t gateway_parked(const struct gateway *gw);
/** Subscriptions to registration events. */
uint32_t gateway_reg_events(const struct gateway *gw);
uint32_t gateway_homes(const struct gateway *gw);
uint32_t gateway_wildcards(const struct gateway *gw);
uint32_t gateway_held(const struct gateway *gw);
/** Pairs that somebody has or asks for, whose home is this worker. */
uint32_t gateway_leases(const struct gateway *gw);
/** Flows that wait for their home worker. */
uint32_t gateway_lease_waits(const struct gateway *gw);

/** The next registration from slot *cursor on, as worker_registration() has it. */
bool gateway_registration(const struct gateway *gw, uint32_t *cursor,
			  struct worker_registration *registration);
/** The same of leases, as worker_lease() has them. */
bool gateway_lease(const struct gateway *gw, uint32_t *cursor, struct worker_lease *lease);

/** Keyed hash of a canonical identity, for logs: never 0. Of a private one, % workers is its home
 * worker. */
uint64_t gateway_hash(const uint8_t hash_key[16], struct span identity);
/** The same under the configuration's key. */
uint64_t gateway_identity_hash(const struct gateway *gw, struct span identity);

/* ---- flow tokens (PROTOCOL 10.1, DESIGN 5) ------------------------------------------------- */

/** What a flow token names: "Ft1." a connection; "Bt1." a home entry, by way of which it is found
 * where the WIC is now; "St1.", in our own Contact and never in a Route, a subscription of ours. */
enum flow_kind { FLOW_CONNECTION = 1, FLOW_HOME = 2, FLOW_SUBSCRIPTION = 3 };
struct flow_token {
	enum flow_kind kind;
	struct handle handle;
};

/** Characters of a flow token: its prefix of four and 43 of base64url. */
#define FLOW_TOKEN_LEN 47
/** Bytes of bound text at most. */
#define FLOW_BOUND_MAX 512

/**
 * Writes a token under the configuration's first flow key. bound: text beside it that its MAC
 * covers too; empty for Path. Fails out when it is longer than FLOW_BOUND_MAX.
 */
void flow_token_write(const struct gateway *gw, const struct flow_token *token, struct span bound,
		      struct writer *out);

/**
 * Reads a token and checks that bound is what it was written with. GW_FLOW_FORGED: not ours,
 * malformed or a wrong MAC; GW_FLOW_GONE: our node with a key that is not kept any more. *token is
 * set when GW_OK; its handle is not yet looked up.
 */
enum gw_err GW_MUST_CHECK flow_token_read(const struct gateway *gw, struct span text,
					  struct span bound, struct flow_token *token);

#endif
