/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSACTION_H
#define TRANSACTION_H

#include "gateway.h"
#include "identity/identity.h"

/* Transactions, for the files of this layer only: internal.h has them. */

#define UDP_MAX 1300	   /* bytes; more goes over TCP (PROTOCOL 9) */
#define PLACEHOLDER_MAX 31 /* as access.placeholder_user */
#define SITE_NAME_MAX 31   /* bytes of a web site's name that a registration keeps */
#define ICID_MAX 64	   /* bytes of a charging identifier that a dialog keeps */
#define ICID_LEN 32	   /* characters of one that we make: 16 bytes in hexadecimal */

struct fork;

/** What a dialog's requests must know again: it rides in our Record-Route, under its MAC. */
struct dialog_mark {
	bool originating; /* the WIC began it */
	uint64_t routes;  /* hash of the dialog and what follows our own URI in Route; 0: not known
			     here */
	uint16_t icid_len;
	uint64_t target;	/* destination_target() of whom the dialog is with; 0: not known */
	uint8_t icid[ICID_MAX]; /* icid-value without quotes; icid_len 0: none */
};

enum transaction_kind {
	TRANSACTION_REGISTER,  /* of a WIC */
	TRANSACTION_ORIGINATE, /* any other of a WIC, inside dialogs too */
	TRANSACTION_TERMINATE, /* of the core, for a WIC */
	TRANSACTION_OWN,       /* of this node: nobody waits for its answer but who made it */
};

/** What a request of this node's own is for. */
enum own_kind {
	OWN_DEREGISTER, /* of a binding that has ended here (PROTOCOL 6.5) */
	OWN_SUBSCRIBE,	/* to registration events; subject: the subscription */
	OWN_OPTIONS,	/* to a next hop: whether it is up; subject.slot: which */
	OWN_BLOCK,	/* REGISTER of a block (PROTOCOL 8.1) */
	OWN_KINDS
};

/**
 * A request under way through the proxy, both its sides. Owner: the worker that received it (W2) or
 * that owns the flow (Mw). It lives until neither side's machine has anything more to do.
 */
struct transaction {
	struct timer timer;
	enum transaction_kind kind;
	enum sip_method method;
	struct handle flow;		/* of the WIC it is from, or for */
	struct transaction *flow_next;	/* of the same flow, until it is answered; then, while the
					   ACK of a WIC's 2xx is to come, of wic.accepted */
	struct transaction **flow_link; /* NULL: not listed */
	uint32_t salt;			/* of our branch, beside the handle */
	uint64_t since_us;		/* made */
	uint64_t number;		/* of this worker's, one higher for each that is made */
	struct sip_machine client;	/* towards where the request went */
	struct sip_machine server;	/* towards where it came from; OWN: has none */
	struct sip_machine cancel;	/* of our own CANCEL */
	uint64_t limit_us;		/* timer C, or the end of a CANCEL; UINT64_MAX: none */
	uint64_t key;		 /* of a retransmission, CANCEL or ACK; see transaction_key() */
	uint32_t next;		 /* slot + 1 of the next in its bucket */
	bool listed;		 /* in a bucket */
	bool cancelled;		 /* a CANCEL has come, or goes out by our own will */
	bool cancel_sent;	 /* and it has gone on */
	bool acked;		 /* the failure of an INVITE; what is kept is the ACK */
	bool rang;		 /* more than a 100 has come from where it went */
	bool orphan;		 /* its WIC has gone */
	bool answered;		 /* its flow does not count it any more */
	bool told;		 /* the audit stream has heard how it ended */
	struct mw_target target; /* all but TERMINATE: where it went */
	uint64_t unheard_us;	 /* UDP: when another next hop's turn comes; NEVER: heard of, or
				    reliable */
	uint64_t stranded_us;	 /* until when it waits for its target, which is away; 0: it does
				    not */
	uint64_t again_us;	 /* stranded: when it is sent again */
	uint32_t wait_us;	 /* stranded: between the next two times */
	union {
		struct {
			uint64_t token_exp_us; /* monotonic time at which the token ends */
			uint32_t requested_s;  /* asked of the core; 0: de-registration */
			/* of a pool: its grant; 0: it needs none, or a binding has it */
			uint32_t lease_generation;
			uint64_t contact; /* hash of the Contact's user and host; 0: all or none */
			uint64_t jti;	  /* jti_hash() of the token; 0: it has none */
			uint64_t sub;	  /* keyed hash of iss and sub; 0: of no pool */
			uint64_t lease_until_us;      /* when that is void; 0: it had none */
			uint32_t iat_s, exp_s;	      /* Unix time; iat_s: of a pool's token */
			char wwsf[SITE_NAME_MAX + 1]; /* its name: rows change with a reload */
			bool outbound;
			bool first;	    /* the flow held no identity before */
			bool fetch;	    /* no Contact: asks for bindings and changes none */
			bool clamped;	    /* its client has asked for longer than its token lasts */
			struct handle lost; /* binding that its flow left when it ended */
			uint8_t icid[32];   /* that we have made for it */
			bool local;	    /* of a block: this node is its registrar */
			bool ims_auth; /* the core authenticates: token_exp_us is UINT64_MAX */
			/* D-18: what the WIC calls itself after sip:, its home domain left out */
			uint8_t placeholder_len; /* 0: by its identity */
			uint8_t placeholder[PLACEHOLDER_MAX];
			struct identity impi, impu;
		} registration;
		struct {
			struct identity asserted;
			struct dialog_mark mark; /* of our Record-Route */
			uint64_t ends;		 /* BYE: wildcard_dialog(); 0: none */
			bool in_dialog;
			bool unregistered; /* of a wildcard's user: he has nothing to answer a
					      challenge with */
		} origination;
		struct {
			enum own_kind what;
			struct handle subject; /* whom own_answered() is about */
		} own;
		struct {
			struct mw_source source;
			struct identity called; /* asserted in the answer */
			uint32_t realm;		/* row of the network that answers */
			struct fork *fork; /* it goes to several flows: these; NULL: it does not */
			struct fork_branch branch; /* it is one of them, and has no final response;
						      none: it is alone */
			bool own;		/* its final response is not of its WIC */
			uint64_t call;		/* transaction_call() of an INVITE */
			uint64_t ends;		/* BYE: wildcard_dialog(); 0: none */
			uint16_t charging_len;
			uint8_t charging[192]; /* icid-value and orig-ioi as they came */
		} termination;
	};
	/*
	 * What may be needed again. First the head of the request, so that it can be answered,
	 * cancelled and acknowledged: as it came, or, when sent, as it went on, with our Via first;
	 * over UDP that is the whole of it. Then, over UDP, what is repeated after the final
	 * response: that response, or our ACK to it.
	 */
	bool sent;
	bool whole; /* all of it is kept, as it was sent */
	uint16_t kept_len;
	uint8_t *kept_long; /* lent from gateway.heads when kept is too short */
	uint8_t kept[UDP_MAX];
};
_Static_assert(sizeof(struct transaction) <= 2304, "one of max_transactions");

#define TOMBSTONES_SHARE 8 /* tombstones for each transaction that may live */
#define COPIES_SHARE 2	   /* one kept message of theirs for so many transactions */

/** What a tombstone is found by: transaction.key, and transaction_branch_hash() of the branch that
 * its request went on with. */
enum tomb_chain { TOMB_KEY, TOMB_BRANCH, TOMB_CHAINS };

/**
 * What is left of a transaction that has its final answer and only absorbs repeats, or hands on
 * further 2xx: enough to know these by, and to route the latter. Owner: the worker.
 */
struct tombstone {
	uint64_t hash[TOMB_CHAINS];
	uint32_t flow_slot, flow_generation;
	union {
		uint8_t icid[ICID_LEN /
			     2]; /* of an INVITE that began a dialog: its own, in binary */
		uint32_t copy;	 /* slot of the message that is said again */
	};
	uint32_t end_ms;		/* when it ends, modulo 2^32 */
	uint32_t next[TOMB_CHAINS];	/* slot + 1 of the next in its buckets */
	uint32_t older, newer;		/* slot + 1, in its queue */
	uint8_t method;			/* enum sip_method */
	uint8_t client : 4, server : 4; /* enum sip_state of both sides */
	bool client_reliable : 1;
	bool server_reliable : 1;
	bool terminating : 1; /* from the core */
	bool in_dialog : 1;
	uint8_t transport : 2; /* enum mw_transport: how its request went to the core */
	bool copied : 1;
	bool cancel_sent : 1;
	bool brief : 1; /* in the queue of those that end after timer I */
};
_Static_assert(sizeof(struct tombstone) == 64, "DESIGN 5");

/* transaction.c */
/** A transaction of wic's flow for the request in gw->message. NULL: GW_TRANSACTION_LIMIT, of the
 * table or of the flow. */
struct transaction *transaction_new(struct gateway *gw, enum transaction_kind kind,
				    struct wic *wic);
/** The core's side of the request in gw->message, which goes to several flows: it is of none. NULL:
 * GW_TRANSACTION_LIMIT. */
struct transaction *transaction_of_fork(struct gateway *gw, struct fork *fork);
/**
 * A transaction of this node's own. Its maker sets t->target, calls request_begin(gw, NULL), writes
 * the request to gw->out with request_write_via() as its first header line, and calls
 * transaction_send(). NULL: GW_TRANSACTION_LIMIT.
 */
struct transaction *transaction_own(struct gateway *gw, enum own_kind what, struct handle subject,
				    enum sip_method method);
/** Whether the same request of our own may be answered otherwise later. */
bool own_may_change(uint16_t status);
void transaction_free(struct gateway *gw, struct transaction *t);
/** Its flow does not count it any more. */
void transaction_detach(struct gateway *gw, struct transaction *t);
/** Detached, but the ACK of its WIC's 2xx, which is to come, finds it. */
void transaction_await_ack(struct gateway *gw, struct transaction *t);
/** What an INVITE and the ACK of its 2xx have in common: Call-ID and CSeq's number, hashed. */
uint64_t transaction_call(const struct gateway *gw, const struct sip_message *m);
/** Keyed hash of what a branch of ours is made of. */
uint64_t transaction_branch_hash(const struct gateway *gw, struct handle h, uint32_t salt);
/** The same of the branch in via. False: it is none of this worker's. */
bool transaction_branch_of(const struct gateway *gw, const struct sip_via *via, uint64_t *hash);
/** The transaction whose branch is in via; NULL: none of ours here. *elsewhere: its worker. */
struct transaction *transaction_of(struct gateway *gw, const struct sip_via *via,
				   struct handle *elsewhere);
void transaction_branch(struct gateway *gw, const struct transaction *t, struct writer *out);
/** The transaction that a retransmission, a CANCEL or an ACK is about: that of a request with this
 * key and method. NULL: none. */
struct transaction *transaction_find(struct gateway *gw, uint64_t key, enum sip_method method);
/** t is found by key from now on. */
void transaction_insert(struct gateway *gw, struct transaction *t, uint64_t key);
/**
 * Key of a request of the core: top Via's branch and sent-by (RFC 3261 17.2.3), Call-ID and CSeq's
 * number, which keep apart what an old peer sends without a branch.
 */
uint64_t transaction_key(const struct gateway *gw, const struct sip_message *m);
/** The same under another secret: for what all workers know. */
uint64_t transaction_key_by(const uint8_t secret[16], const struct sip_message *m);
/** The same of a WIC's: what another flow sends is another's. */
uint64_t transaction_flow_key(const struct gateway *gw, const struct wic *wic);

/* transaction_kept.c */
/** Keeps the request in gw->out as it goes on: whole where there is room, else its head.
 * GW_SIP_TOO_LONG. */
enum gw_err GW_MUST_CHECK transaction_keep_sent(struct gateway *gw, struct transaction *t);
/** Keeps bytes, to be sent again. False: they are too long for a datagram; nothing is kept. */
bool transaction_keep_bytes(struct gateway *gw, struct transaction *t, struct span bytes);
/** Keeps the head of the request in gw->message as it came. GW_SIP_TOO_LONG, GW_POOL_EMPTY. */
enum gw_err GW_MUST_CHECK transaction_keep_came(struct gateway *gw, struct transaction *t);
/** The head of request m may need a block from gateway.heads when it goes to a WIC. */
bool transaction_head_is_long(const struct sip_message *m);
/** What is kept. */
struct span transaction_kept(const struct transaction *t);
/** Gives back what was lent for it. */
void transaction_forget(struct gateway *gw, struct transaction *t);
/** Indexes the head that t keeps, our own Via not in it. */
enum gw_err GW_MUST_CHECK transaction_recall(const struct transaction *t, struct sip_message *m);

/* transaction_run.c: what its machines want done. After any of these t may be gone. */
/** Sends the request in gw->out to the core, or to another next hop when that one cannot be
 * reached, and begins the client side. On error t is freed. */
enum gw_err GW_MUST_CHECK transaction_send(struct gateway *gw, struct transaction *t);
/** The same to t->target and to nobody else, within the time that t has left. On error t lives on.
 */
enum gw_err GW_MUST_CHECK transaction_dispatch(struct gateway *gw, struct transaction *t);
/** The same to its WIC. On error t is as it was. */
enum gw_err GW_MUST_CHECK transaction_deliver(struct gateway *gw, struct transaction *t);
/** The client side begins, whether its request has gone out or waits for that. */
void transaction_start_client(struct gateway *gw, struct transaction *t);
/** A response in gw->message has come to t. True: it is to be handed on. */
bool transaction_received(struct gateway *gw, struct transaction *t);
/** Sends gw->out, a response of this status, to where t's request came from. */
void transaction_respond(struct gateway *gw, struct transaction *t, uint16_t status);
/** What gw->message is when it is about the request with this key that came before: its repeat, or
 * the ACK of its failure; and it is handled. source: where it came from, NULL: of a WIC. False: it
 * is neither. */
bool transaction_repeated(struct gateway *gw, uint64_t key, const struct mw_source *source);
/** The ACK in gw->message, of the 2xx of wic to an INVITE of the core, has reached wic. */
void transaction_acked(struct gateway *gw, struct wic *wic);
/** Says 100 to where its INVITE came from. */
void transaction_trying(struct gateway *gw, struct transaction *t);
/** Refuses the kept head towards the WIC for reason err, and ends t. */
void transaction_refuse(struct gateway *gw, struct transaction *t, enum gw_err err);
/** Answers the kept head towards where it came from, and ends the client side. */
void transaction_answer(struct gateway *gw, struct transaction *t, uint16_t status);
/** The same with these header lines of the caller's. */
void transaction_answer_with(struct gateway *gw, struct transaction *t, uint16_t status,
			     struct span lines);
/** The WIC that it was from or for has gone. */
void transaction_orphaned(struct gateway *gw, struct transaction *t);
/** No final response has come to its request yet. */
bool transaction_waits(const struct transaction *t);
/** Arms t for what comes next, or frees it, and leaves a tombstone where there is something to
 * absorb. */
void transaction_settle(struct gateway *gw, struct transaction *t);

/* tombstone.c */
struct tombstone_copy;
struct tombstone_queue {
	uint32_t oldest, newest; /* slot + 1 */
};

struct tombstones {
	struct timer timer; /* for the first to end */
	struct slots *pool, *copies;
	uint32_t *bucket[TOMB_CHAINS]; /* slot + 1 */
	uint32_t mask;
	struct tombstone_queue queue[2]; /* by tombstone.brief */
	struct tombstone_copy *oldest_copy, *newest_copy;
};

struct tombstones *tombstones_new(const struct gateway_config *config);
void tombstones_free(struct tombstones *tombs);
/** Leaves a tombstone of t, whose machines have nothing to send by themselves; the caller frees t.
 */
void tombstone_leave(struct gateway *gw, const struct transaction *t);
/** As transaction_find(), transaction_repeated(). NULL, false: there is none. */
struct tombstone *tombstone_find(struct gateway *gw, uint64_t key, enum sip_method method);
bool tombstone_repeated(struct gateway *gw, uint64_t key, const struct mw_source *source);
/** The response of the core in gw->message, whose top Via is given, is one to a finished
 * transaction: absorbed, acknowledged again, or handed on. False: it is not. */
bool tombstone_response(struct gateway *gw, const struct sip_via *via);
/** The same of wic, whose INVITE or other request is finished: absorbed. */
bool tombstone_absorbs(struct gateway *gw, const struct wic *wic, const struct sip_via *via);

#endif
