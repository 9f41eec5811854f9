/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_INTERNAL_H
#define GATEWAY_INTERNAL_H

#include "gateway.h"
#include "identity/identity.h"
#include "token/token.h"

/* Names shared by the files of this layer only. */

#define BINDING_TEXT_MAX 1024 /* Service-Route and identity set of one binding */
#define WIC_REQUESTS_MAX 64   /* of one WIC and unanswered: the table is for all of them */
#define UDP_MAX 1300	      /* bytes; more goes over TCP (PROTOCOL 9) */

/* RFC 3261 17.1.2.2 */
#define T1_US 500000ull
#define T2_US 4000000ull
#define TIMER_F_US (64 * T1_US)
#define UNHEARD_US 3000000ull /* over UDP without a response: another next hop's turn */

/** A registration of one identity on one flow. Owner: the worker of the flow. */
struct binding {
	struct timer expiry;
	struct handle flow;
	uint64_t expires_us;
	uint64_t impi_hash, impu_hash;
	uint64_t contact; /* hash of the Contact's user and host */
	uint64_t jti;	  /* jti_hash() of its token; 0: it has none */
	struct identity impi, impu;
	char wwsf[32];
	uint16_t routes_len; /* Service-Route as one Route value, at the start of text */
	uint16_t ids_at;     /* canonical identity set, each ended by '\n', default first */
	uint16_t ids_len;
	uint16_t route_count;
	bool outbound; /* registered with reg-id */
	uint8_t text[BINDING_TEXT_MAX];
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
	OWN_OPTIONS,	/* to a next hop: whether it is up; subject.slot: which */
	OWN_KINDS
};

enum transaction_state {
	TRANSACTION_TRYING,    /* no final response yet */
	TRANSACTION_COMPLETED, /* UDP from the core: answered, absorbs retransmissions */
};

/**
 * A request under way through the proxy, both its sides. Owner: the worker that received it (W2) or
 * that owns the flow (Mw).
 */
struct transaction {
	struct timer timer;
	enum transaction_kind kind;
	enum transaction_state state;
	struct handle flow;
	struct transaction *flow_next;	/* of the same flow */
	struct transaction **flow_link; /* NULL: not listed */
	uint32_t salt;			/* of our branch, beside the handle */
	uint64_t deadline_us;
	uint32_t retry_us;   /* UDP: next retransmission interval */
	uint64_t unheard_us; /* UDP: when another next hop's turn comes; 0: heard of, or reliable */
	enum sip_method method;
	struct mw_target target; /* REGISTER, ORIGINATE: where it went */
	union {
		struct {
			uint64_t token_exp_us; /* monotonic time at which the token ends */
			uint32_t requested_s;  /* asked of the core; 0: de-registration */
			uint64_t contact; /* hash of the Contact's user and host; 0: all or none */
			uint64_t jti;	  /* jti_hash() of the token; 0: it has none */
			uint32_t wwsf;
			bool outbound;
			bool first; /* the flow held no identity before */
			bool fetch; /* no Contact: asks for bindings and changes none */
			struct identity impi, impu;
		} registration;
		struct {
			struct identity asserted;
		} origination;
		struct {
			enum own_kind what;
			struct handle subject; /* whom own_answered() is about */
		} own;
		struct {
			struct mw_source source;
			uint64_t key;		/* of a retransmission, see transaction_key() */
			uint32_t next;		/* slot + 1 of the next in its bucket */
			struct identity called; /* asserted in the answer */
			uint16_t charging_len;
			uint8_t charging[192]; /* icid-value and orig-ioi as they came */
		} termination;
	};
	/*
	 * What may be needed again: the head of the request, so that it can be answered; sent: the
	 * request as it was sent, which has that head below our Via; when COMPLETED, the answer.
	 */
	bool sent;
	uint16_t kept_len;
	uint8_t kept[UDP_MAX];
};
_Static_assert(sizeof(struct transaction) <= 2048, "one of max_transactions");

/* ---- requests that wait for keys */

#define PARKED_SMALL 4096      /* bytes: all but a few requests with a token */
#define PARKED_ISSUERS_MAX 256 /* as many as can be configured */

enum parked_state {
	PARKED_WAITING,	  /* for the keys of its issuer */
	PARKED_FETCHED,	  /* a fetch of them has ended */
	PARKED_RELOADED,  /* the configuration is another one */
	PARKED_LATE,	  /* they did not come */
	PARKED_VERIFYING, /* they came: its signature is being checked */
	PARKED_VERIFIED,  /* verdict is there */
};

struct parked_list {
	struct parked *first, **end;
	uint32_t count;
};

/** Owner: the worker. Its bytes lie in one of the pools beside it. */
struct parked {
	struct timer deadline;
	struct parked *next, **link;
	struct parked_list *list; /* NULL: on none */
	enum parked_state state;
	struct handle flow;
	uint32_t issuer;      /* row, of the configuration it came under */
	uint64_t transaction; /* transaction_key(), to know a repeat by */
	enum sip_method method;
	uint64_t due_us; /* when it has waited long enough */
	uint32_t key;	 /* id of the key that was asked about its token */
	enum gw_err verdict;
	uint32_t len;
	uint8_t *bytes;
};

struct parked_issuer {
	struct parked_list waiting;
	uint32_t large;	  /* records of its that hold a large buffer */
	uint32_t fetches; /* key_issuer.fetches that they wait to see changed */
	bool asked;	  /* control, since then */
};

struct parked_pool {
	struct slots *records, *small, *large;
	struct parked_list ready; /* to go on */
	struct parked_issuer issuer[PARKED_ISSUERS_MAX];
	uint32_t config_generation, keys_generation; /* as of the last turn */
};

/** A walk over the bindings after a revocation. */
struct revoked_walk {
	uint32_t generation; /* of the revocations it is about */
	uint32_t cursor;
	uint32_t looked; /* bindings in this turn */
	bool under_way;
};

struct gateway {
	/* read-mostly */
	struct gateway_config config;
	const struct gateway_env *env;
	struct slots *bindings;
	struct slots *transactions;
	struct parked_pool *parked;
	struct hops *hops;
	struct token_cache *cache;
	struct token_refused *refused;
	struct rates *sites; /* registrations, by the WWSF's name */
	struct wheel *wheel; /* context: the gateway */
	uint32_t *bucket;    /* of terminating transactions: slot + 1 */
	uint32_t bucket_mask;
	uint8_t bucket_key[16];
	uint64_t wanted_hash, wanted_us; /* the name that control was asked for last */
	/* per turn */
	struct gateway_time time;
	struct revoked_walk revoked;
	/* per message */
	struct sip_message message;
	struct sip_message kept; /* a transaction's own request, beside the response in message */
	struct sip_splice splice;
	struct token_scratch scratch;
	struct token_claims claims;
	struct token_digest digest; /* of the request's token */
	struct span username;	    /* beside it, of the Bearer parameters; empty when none */
	struct parked *resumed;	    /* the message was parked; NULL: it has just come */
	struct writer lines;	    /* text that a splice inserts */
	struct writer out;	    /* the message that is written */
	uint8_t *lines_memory;
	uint8_t *out_memory;
	uint8_t *stamped_memory; /* a request of the core with its Via completed; or the body of a
				    WIC's message without its token */
	uint8_t *resumed_memory; /* a request that was parked */
};

#define GATEWAY_LINES_MAX 16384

static inline const struct config_part *gw_config(const struct gateway *gw)
{
	return gw->time.view->config;
}

static inline struct counters *gw_counters(const struct gateway *gw)
{
	return gw->config.counters;
}

/** Counts a refusal and gives it back. */
enum gw_err gateway_count(struct gateway *gw, enum gw_err err);

/** Sends an event about flow, with the binding's hashes when binding is not NULL. */
void gateway_event(struct gateway *gw, enum event_kind what, struct handle flow,
		   const struct binding *binding, enum gw_err err, uint32_t status);

/* request.c: what every request is checked for, and what every forwarded message gets */
enum request_side { REQUEST_FROM_WIC, REQUEST_FROM_MW };
/** PROTOCOL 12.3's order, before any procedure, for gw->message: Via, Request-URI, Max-Forwards,
 * Proxy-Require. */
enum gw_err GW_MUST_CHECK request_check(struct gateway *gw, enum request_side side);
/** The first Via element. */
struct sip_via request_top_via(const struct sip_message *m);
/** True for a request inside a dialog: its To has a tag. */
bool request_in_dialog(const struct sip_message *m);
/** True when an option tag stands in any line of header id. */
bool request_has_tag(const struct sip_message *m, enum sip_header id, struct span tag);
/** True when word stands in text, in any case, where a token could begin and end. */
bool request_mentions(struct span text, struct span word);
/** Edits Max-Forwards: one less, or 70 when absent (RFC 3261 16.6 step 3). */
void request_max_forwards(struct gateway *gw, const struct sip_message *m);
/** Writes our host and the port that is named to the core: the worker's own, or the common one. */
void request_sent_by(struct gateway *gw);
/** Puts our Via for transaction t on top. transport: "TCP", "UDP" or "WSS". */
void request_via(struct gateway *gw, const struct transaction *t, const char *transport);
/** Writes our Via of transaction t as a whole line to gw->out. */
void request_own_via(struct gateway *gw, const struct transaction *t);
/** Starts a new message: scratch empty, splice on m (NULL: none). */
void request_begin(struct gateway *gw, const struct sip_message *m);
/** The lines written since mark, for a splice to insert. */
struct span request_lines(struct gateway *gw, uint32_t mark);
/** Writes a P-Charging-Vector line with a new charging identifier. */
void request_charging_vector(struct gateway *gw, const struct realm_config *realm,
			     struct writer *out);
/** Realm row that serves host, or NULL. */
const struct realm_config *request_realm(const struct config_part *config, struct span host);
/** Realm row of a canonical public identity; the first one when its host has none. */
const struct realm_config *request_realm_of(const struct config_part *config,
					    const struct identity *impu);

/* limits.c: what a WIC may ask for, looked at before anything that costs (PROTOCOL 3.6 F29) */
/** Of a request that is well-formed. GW_RATE. */
enum gw_err GW_MUST_CHECK limits_request(struct gateway *gw, struct wic *wic);
/** Of one that is not. GW_RATE. */
enum gw_err GW_MUST_CHECK limits_malformed(struct gateway *gw, struct wic *wic);

/* trust.c */
/** Edits away everything a WIC must not bring in, Request-URI included (PROTOCOL 9.1). */
void trust_strip_from_wic(struct gateway *gw, const struct sip_message *m);
/** The body as it may go on to the core, without its token; lent until the next message. False,
 * *body untouched: there is nothing to take out, or tokens are not accepted there. */
bool trust_body_strip(struct gateway *gw, const struct sip_message *m, struct span *body);
/** Edits away what a WIC must not see of the core (PROTOCOL 9.3, 9.6). */
void trust_strip_to_wic(struct gateway *gw, const struct sip_message *m);

/* transaction.c */
/** A transaction of wic's flow for the request in gw->message. NULL: GW_TRANSACTION_LIMIT, of the
 * table or of the flow. */
struct transaction *transaction_new(struct gateway *gw, enum transaction_kind kind,
				    struct wic *wic);
/**
 * A transaction of this node's own. Its maker sets t->target, calls request_begin(gw, NULL), writes
 * the request to gw->out with request_own_via() as its first header line, and calls
 * transaction_send(). NULL: GW_TRANSACTION_LIMIT.
 */
struct transaction *transaction_own(struct gateway *gw, enum own_kind what, struct handle subject,
				    enum sip_method method);
void transaction_free(struct gateway *gw, struct transaction *t);
/** The transaction whose branch is in via; NULL: none of ours here. *elsewhere: its worker. */
struct transaction *transaction_of(struct gateway *gw, const struct sip_via *via,
				   struct handle *elsewhere);
void transaction_branch(struct gateway *gw, const struct transaction *t, struct writer *out);
/** Sends a request to the core and arms its timers. On error t is freed. */
enum gw_err GW_MUST_CHECK transaction_send(struct gateway *gw, struct transaction *t);
/** The same with the deadline that t has. On error t lives on. */
enum gw_err GW_MUST_CHECK transaction_dispatch(struct gateway *gw, struct transaction *t);
/** Keeps the head of request m, so that it can be answered when m is gone. GW_SIP_TOO_LONG. */
enum gw_err GW_MUST_CHECK transaction_keep_head(struct transaction *t, const struct sip_message *m);
/** Indexes the head that t keeps, our own Via not in it. */
enum gw_err GW_MUST_CHECK transaction_recall(const struct transaction *t, struct sip_message *m);
/** A provisional response has come: retransmissions go on at their slowest. */
void transaction_proceeding(struct transaction *t);
/** Refuses the kept head towards the WIC for reason err, and frees t. */
void transaction_refuse(struct gateway *gw, struct transaction *t, enum gw_err err);
/** Answers the kept head towards the WIC or the core, and frees or completes t. */
void transaction_answer(struct gateway *gw, struct transaction *t, uint16_t status);
/** Sends gw->out to the core as t's final response; over UDP t then absorbs retransmissions. */
void transaction_respond(struct gateway *gw, struct transaction *t);
/** The terminating transaction of a retransmission, or NULL. */
struct transaction *transaction_find(struct gateway *gw, uint64_t key, enum sip_method method);
void transaction_insert(struct gateway *gw, struct transaction *t);
/**
 * Key of a request of the core: top Via's branch and sent-by (RFC 3261 17.2.3), Call-ID and CSeq,
 * which keep apart what an old peer sends without a branch.
 */
uint64_t transaction_key(const struct gateway *gw, const struct sip_message *m);
/** Arms the wait for a final response. */
void transaction_wait(struct gateway *gw, struct transaction *t);

/* failover.c */
/** The target of t has failed, or has said 503: its request goes to the next hop that follows.
 * False: it cannot, or there is none. What is in gw->message stays. */
bool failover(struct gateway *gw, struct transaction *t);

/* own.c */
/**
 * The end of a request of this node's own: status of the final response, which is in gw->message;
 * 408 when none came, 503 when its target was lost, with nothing in gw->message. t is freed by the
 * caller afterwards.
 */
void own_answered(struct gateway *gw, struct transaction *t, uint16_t status);
/** A response to a request of this node's own, in gw->message. */
void own_response(struct gateway *gw, struct transaction *t);

/* hop.c: the next hops */
#define HOPS_MAX 64 /* as many as can be configured; mw_target.tried has a bit for each */
struct hops *hops_new(void);
void hops_free(struct hops *hops);
/** Takes the next hops of a new configuration. */
void hops_turn(struct gateway *gw);
/** One that is up and not tried. GW_MW_DOWN: none, *target untouched. */
enum gw_err GW_MUST_CHECK hops_choose(struct gateway *gw, uint64_t tried, struct mw_target *target);
/** The bit of target in mw_target.tried; 0: it is no next hop. */
uint64_t hops_bit(struct gateway *gw, const struct mw_target *target);
/** The 503 in gw->message came from target: a next hop is left alone for its Retry-After. */
void hops_busy(struct gateway *gw, const struct mw_target *target);
/** Links with target are lost; the transport knows whether it is down. */
void hops_lost(struct gateway *gw, const struct mw_target *target);
/** Target has left a request unanswered: it is asked how it is at once. */
void hops_doubt(struct gateway *gw, const struct mw_target *target);
/** The end of a question of ours, as own_answered() has it. */
void hops_answered(struct gateway *gw, const struct transaction *t, uint16_t status);

/* target.c */
/** "UDP" or "TCP", as Via has it. */
const char *mw_transport_name(enum mw_transport transport);
struct mw_target target_of_hop(const struct next_hop_config *hop);
struct mw_target target_of_peer(const struct peer_address *peer);
/** What is known of a host that is named so; NULL: nothing yet. */
const struct peer_row *target_peer(const struct gateway *gw, struct span name, uint16_t port,
				   enum next_hop_transport asked);
/** Where REGISTER goes: a next hop that is up, by priority and weight. GW_MW_DOWN. */
enum gw_err GW_MUST_CHECK target_next_hop(struct gateway *gw, struct mw_target *target);
/** The next hop to try after *target has failed or said 503: one that has not had this request.
 * GW_MW_DOWN: none, *target untouched. For REGISTER and initial requests. */
enum gw_err GW_MUST_CHECK target_another(struct gateway *gw, struct mw_target *target);
/** Where a request with this first Route URI goes: an address of its host, else the next hop. A
 * name that is not known is asked for. */
enum gw_err GW_MUST_CHECK target_of_route(struct gateway *gw, struct span route_uri,
					  struct mw_target *target);
/** Writes the request for target, over TCP instead when it is too long for UDP. build() makes
 * edits. */
typedef enum gw_err target_build(struct gateway *gw, struct transaction *t);
enum gw_err GW_MUST_CHECK target_write(struct gateway *gw, struct transaction *t,
				       target_build *build);

/* binding.c */
struct binding *binding_of(const struct gateway *gw, const struct wic *wic);
/** Makes or refreshes the binding of t's identity from the core's 200, indexed in gw->message. */
enum gw_err GW_MUST_CHECK binding_store(struct gateway *gw, struct transaction *t, struct wic *wic,
					uint32_t expires_s);
/** why: GW_OK when it came about as SIP has it. */
void binding_end(struct gateway *gw, struct binding *b, _Atomic uint64_t *counter, enum gw_err why);
/** True when canonical is one of the binding's identities. */
bool binding_has(const struct binding *b, struct span canonical);
/** The default identity of the binding. */
struct span binding_default(const struct binding *b);

/* authorize.c */
/**
 * PROTOCOL 3.5 steps 1-16 for the request in gw->message. GW_OK: gw->claims and gw->username are
 * believed, until the next message. GW_AGAIN: a signature is being checked, authorize_verdict()
 * goes on. GW_PARKED: the request waits for keys. Else an F-row.
 */
enum gw_err GW_MUST_CHECK authorize_request(struct gateway *gw, struct wic *wic);
enum gw_err GW_MUST_CHECK authorize_verdict(struct gateway *gw, struct wic *wic,
					    enum gw_err verdict);
/** F11: an issuer's keys could not be obtained, or are too old to be believed. */
bool authorize_keys_missing(const struct gateway *gw, uint32_t issuer);

/* parked.c */
struct parked_pool *parked_pool_new(const struct gateway_config *config);
void parked_pool_free(struct parked_pool *pool);
struct handle parked_handle(const struct gateway *gw, const struct parked *p);
/**
 * Parks the request in gw->message, whose token names a key that its issuer (gw->claims) is not
 * known to have. GW_PARKED; GW_TOKEN_KID: nobody could bring the key, or the request has waited for
 * a fetch already; GW_REQUEST_PENDING, GW_PARKED_LIMIT.
 */
enum gw_err GW_MUST_CHECK parked_for_keys(struct gateway *gw, struct wic *wic);
/** GW_OK; GW_PARKED: the request in gw->message is parked already; GW_REQUEST_PENDING: it may not
 * overtake the one that is. */
enum gw_err GW_MUST_CHECK parked_check(struct gateway *gw, const struct wic *wic);
/** Looks whether keys have come. */
void parked_turn(struct gateway *gw);
void parked_flow_ended(struct gateway *gw, struct wic *wic);

/* revoked.c */
/** Begins a walk when there are new revocations. */
void revoked_turn(struct gateway *gw);
/** A binding was made or refreshed: it must not escape a walk that has passed its slot. */
void revoked_binding(struct gateway *gw, const struct binding *b);

/* procedures */
/** A request from wic, by its method; and what follows once its token is verified. */
enum gw_err GW_MUST_CHECK request_of_wic(struct gateway *gw, struct wic *wic);
enum gw_err GW_MUST_CHECK request_verified(struct gateway *gw, struct wic *wic,
					   enum gw_err verdict);
/** A REGISTER from wic; and when gw->claims are believed. */
enum gw_err GW_MUST_CHECK register_request(struct gateway *gw, struct wic *wic);
enum gw_err GW_MUST_CHECK register_authorized(struct gateway *gw, struct wic *wic);
/** Keyed hash of the pair that t registers: never 0. */
uint64_t register_pair(const struct gateway *gw, const struct transaction *t);
void register_response(struct gateway *gw, struct transaction *t);
enum gw_err GW_MUST_CHECK originate_request(struct gateway *gw, struct wic *wic);
/** Has the host of the binding's Service-Route looked up, before a request needs it. */
void originate_prefetch(struct gateway *gw, const struct binding *b);
/** No WWSF may originate for an identity that is not registered: GW_TOKEN_SCENARIO. */
enum gw_err GW_MUST_CHECK originate_authorized(void);
void originate_response(struct gateway *gw, struct transaction *t);
void terminate_request(struct gateway *gw, const struct mw_source *source, struct handle flow,
		       bool flow_known);
enum gw_err GW_MUST_CHECK terminate_response(struct gateway *gw, struct wic *wic);
/** Answers the core's request in gw->message on source; 420 names what is not supported. */
void terminate_refuse(struct gateway *gw, const struct mw_source *source, uint16_t status,
		      struct span extra);
/** Relays the response in gw->message to the WIC of t: our Via popped, what is the core's removed.
 */
void response_to_wic(struct gateway *gw, struct transaction *t);
/** Edits a 503 of the core into a 500: it is not for this node's peers (RFC 3261 16.7 step 6). */
void response_no_503(struct gateway *gw);

/* source.c */
/** Where the answer to the core's request in m goes (RFC 3261 18.2.2, RFC 3581 4). */
void source_answer(const struct sip_message *m, struct mw_source *source);
/**
 * Completes the top Via of gw->message with received and rport of peer, where RFC 3261 18.2.1 and
 * RFC 3581 4 ask for them, and indexes the result in gw->message.
 */
enum gw_err GW_MUST_CHECK source_stamp(struct gateway *gw, const struct endpoint *peer);

/* refusal.c */
/** The status that err gets, before 401 becomes 407. */
uint16_t refusal_status(enum gw_err err);
/** Writes one Unsupported line for each tag of Proxy-Require in gw->message. */
void refusal_unsupported(struct gateway *gw);

#endif
