/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_INTERNAL_H
#define GATEWAY_INTERNAL_H

#include <openssl/types.h>

#include "gateway.h"
#include "identity/identity.h"
#include "reginfo.h"
#include "revoked.h"
#include "token/token.h"
#include "transaction.h"
#include "wall.h"

/* Names shared by the files of this layer only. */

#define BINDING_TEXT_MAX 1536 /* Service-Route, identity set, Contact and realm of one binding */
#define WIC_REQUESTS_MAX 64   /* of one WIC and unanswered: the table is for all of them */
#define HEAD_LONG 8192	      /* bytes of a request's head, when those are not enough */
#define HEADS_SHARE 16	      /* one such for so many transactions */

/** Where a registration stands; only a live one serves its flow. */
enum binding_state {
	BINDING_LIVE,
	BINDING_LOST,	 /* its flow has ended: it waits limits.flow_grace for another one */
	BINDING_LEAVING, /* it has ended here and the core is being told (PROTOCOL 6.5) */
};

/** Whose registration. sub: of a pool, whom its web site has lent the pair: dialogs of the one
 * before are not his (PROTOCOL 6.6); else 0. */
struct registration_of {
	const struct identity *impi, *impu;
	uint64_t sub;
};

/** What a registration's home entry is found by, and what two of one key are compared by. */
struct home_claim {
	struct home_key key;
	uint64_t sub; /* of a pool's token, whose pair goes from one user to the next; 0: none */
	uint64_t contact; /* keyed hash of the Contact's user and host, the same on all workers */
	bool outbound;	  /* registered with reg-id */
};

/** Of the token that a binding has come about by. sub: as lease_terms; 0: it is of no pool. Times:
 * Unix; iat_s: of a pool's. exp_s 0: there is no token. */
struct binding_token {
	uint64_t sub;
	uint32_t iat_s, exp_s;
};

/** What control has been told of a binding of a pool (journaled.c). */
struct journal_mark {
	struct binding *next, **link; /* of those that it is to be told of; link NULL: not */
	struct handle id;	      /* what it calls it; none: it does not know it */
	uint64_t said;		      /* hash of that; 0: nothing that counts */
	uint64_t until_us;	      /* until when it was said that the core holds it at most */
};

#define UNHEARD_US 3000000ull /* over UDP without a response: another next hop's turn */

/** A registration of one identity on one flow. Owner: the worker of the flow. */
struct binding {
	struct timer expiry; /* LOST: end of grace; LEAVING: next try, off while one is under way */
	enum binding_state state;
	struct home_claim claim;
	uint64_t core_us;	/* until when the core holds it: not before expires_us */
	uint64_t asked_us;	/* when its last REGISTER came */
	uint64_t number;	/* of the transaction of that */
	uint64_t lost_us;	/* LOST: since when */
	uint64_t held_us;	/* no de-REGISTER before: a REGISTER may be replacing it */
	uint32_t retry_us;	/* LEAVING: wait after the next failure */
	struct handle own;	/* LEAVING: its de-REGISTER under way */
	enum mw_transport path; /* of the REGISTER, as its Path says */
	uint16_t contact_at;	/* Contact with reg-id and +sip.instance, in text */
	uint16_t contact_len;
	uint16_t realm_at; /* host of the REGISTER's Request-URI, in text */
	uint16_t realm_len;
	struct handle flow;
	uint32_t site_row; /* LIVE: its web site's in gateway.sites, which counts it */
	uint64_t since_us; /* made: when it was registered first */
	uint8_t icid[32];  /* of its last REGISTER */
	uint64_t expires_us;
	uint64_t impi_hash, impu_hash;
	uint64_t contact;      /* hash of the Contact's user and host */
	uint64_t jti;	       /* jti_hash() of its token; 0: it has none */
	struct lease_id lease; /* LIVE, LOST: of its pair; none: it is not of a pool */
	struct binding_token token;
	uint64_t granted_us;   /* the core's last 200 */
	uint64_t token_end_us; /* monotonic (wall.h); NEVER: none, or it may outlive it */
	uint64_t call_id;      /* binding_call_id() of its last REGISTER, and its CSeq */
	uint32_t cseq;
	struct handle subscription; /* to the registration events about it; none */
	bool untold;		    /* the core has refused that */
	struct reg_doubt doubt;
	bool shown; /* a document had our Contact, in any state */
	struct journal_mark journal;
	struct identity impi, impu;
	char wwsf[SITE_NAME_MAX + 1];
	uint16_t routes_len; /* Service-Route as one Route value, at the start of text */
	uint16_t ids_at;     /* canonical identity set, each ended by '\n', default first */
	uint16_t ids_len;
	uint16_t route_count;
	bool outbound; /* registered with reg-id */
	bool local;    /* of a block: the core knows nothing of it */
	bool ims_auth; /* the core authenticated it: no token, and no de-REGISTER of ours (D-43) */
	uint8_t text[BINDING_TEXT_MAX];
};

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

/* ---- messages between workers that wait for room */

struct outbox_message;
struct outbox_list {
	struct outbox_message *first, *last; /* last: valid when there is a first */
};
struct outbox {
	struct timer retry;
	struct slots *pool;
	struct outbox_list *of; /* by worker */
};

/* ---- requests that wait for a WIC to come back */

struct held;
/** Those of one home entry, in their order. */
struct held_list {
	struct held *first;
};

/* ---- what pools come to, by their site */

/* the configuration has 256 sites at most; rows of those before too */
#define POOL_COUNTS_MAX 512
struct pool_counts {
	uint32_t count;
	struct row_pool row[POOL_COUNTS_MAX];
};

struct gateway {
	/* read-mostly */
	struct gateway_config config;
	const struct gateway_env *env;
	struct slots *bindings;
	struct slots *transactions;
	struct slots *homes;
	struct lease_homes *leases;
	struct pool_ready *pool_ready;
	struct reg_events *reg_events;
	struct barred *barred;
	struct journaled *journaled;
	uint32_t restored; /* bindings that a restart has given back */
	struct pool_counts pool_counts;
	struct blocks *blocks;
	struct slots *held;
	struct slots *wildcards; /* users of sites with mode WWSF_WILDCARD: wildcard.h */
	uint32_t *home_bucket;	 /* slot + 1 */
	uint32_t home_mask;
	struct outbox outbox;
	struct slots *heads; /* of transactions, HEAD_LONG bytes each */
	struct parked_pool *parked;
	struct hops *hops;
	struct token_cache *cache;
	struct token_cache *asked; /* tokens whose signature is being checked: not believed yet */
	struct token_refused *refused;
	struct rates *sites;   /* registrations, by the WWSF's name */
	EVP_MAC_CTX *flow_mac; /* of the key that it was used with last */
	struct wheel *wheel;   /* context: the gateway */
	uint32_t *bucket;      /* of transactions by key: slot + 1 */
	uint32_t bucket_mask;
	struct tombstones *tombs; /* of finished transactions */
	uint32_t stranded;	  /* transactions that wait for a target that is away */
	uint8_t bucket_key[16];
	uint64_t made;			 /* transactions */
	uint64_t wanted_hash, wanted_us; /* the name that control was asked for last */
	/* per turn */
	struct gateway_time time;
	struct revoked_walk revoked;
	struct wall_watch wall;
	/* per message */
	struct sip_message message;
	struct sip_message kept; /* a transaction's own request, beside the response in message */
	struct sip_splice splice;
	uint8_t icid[32]; /* that request_icid() has made last */
	struct token_scratch scratch;
	struct token_claims claims;
	struct token_digest digest;    /* of the request's token */
	struct span username;	       /* beside it, of the Bearer parameters; empty when none */
	const struct route_top *route; /* of the message inside a dialog that is being written */
	struct parked *resumed;	       /* the message was parked; NULL: it has just come */
	struct writer lines;	       /* text that a splice inserts */
	struct writer out;	       /* the message that is written */
	uint8_t *lines_memory;
	uint8_t *out_memory;
	uint8_t *stamped_memory; /* a request of the core with its Via completed; or the body of a
				    WIC's message without its token */
	uint8_t *resumed_memory; /* a request that was parked */
};

#define GATEWAY_LINES_MAX 16384
#define NEVER UINT64_MAX

static inline const struct config_part *gw_config(const struct gateway *gw)
{
	return gw->time.view->config;
}

static inline struct counters *gw_counters(const struct gateway *gw)
{
	return gw->config.counters;
}

struct route_top;

/** Counts a refusal and gives it back. */
enum gw_err gateway_count(struct gateway *gw, enum gw_err err);

/** Sends an event about flow, with the binding's hashes when binding is not NULL. */
void gateway_event(struct gateway *gw, enum event_kind what, struct handle flow,
		   const struct binding *binding, enum gw_err err, uint32_t status);

/* audit.c: what the audit stream is told, when it is on */
/** The same event with what the audit stream has of a registration. binding NULL: nothing but the
 * event is known. */
void audit_registration(struct gateway *gw, const struct message_event *event,
			const struct binding *binding);
struct wildcard_user;
/** EVENT_WILDCARD_USER: its token has been accepted. */
void audit_wildcard(struct gateway *gw, const struct wildcard_user *u);
/** EVENT_REGISTER_FAILED of t, in place of gateway_event(). */
void audit_register_failed(struct gateway *gw, const struct transaction *t, uint32_t status);
/**
 * A final response, status, to an INVITE outside a dialog (EVENT_CALL_ANSWERED, _FAILED; also one
 * of our own making) or to a BYE (EVENT_CALL_ENDED). Called once for each of them, while t still
 * keeps the head of the request. gw->message stays as it is, gw->kept does not.
 */
void audit_call(struct gateway *gw, const struct transaction *t, enum event_kind what,
		uint16_t status);

/* request.c: what every request is checked for, and what every forwarded message gets */
enum request_side { REQUEST_FROM_WIC, REQUEST_FROM_MW };
/** PROTOCOL 12.3's order, before any procedure, for gw->message: Via, Request-URI, Max-Forwards,
 * Proxy-Require. */
enum gw_err GW_MUST_CHECK request_check(struct gateway *gw, enum request_side side);
/** Whether the body of gw->message has a token where none is accepted. GW_TOKEN_CARRIER. */
enum gw_err GW_MUST_CHECK request_body_check(struct gateway *gw);
/** The first Via element. */
struct sip_via request_top_via(const struct sip_message *m);
/** True for a request inside a dialog: its To has a tag. */
bool request_in_dialog(const struct sip_message *m);
/** True for an initial request that may make a dialog: we stay in its route. */
bool request_makes_dialog(const struct sip_message *m);
/** True when an option tag stands in any line of header id. */
bool request_has_tag(const struct sip_message *m, enum sip_header id, struct span tag);
/** True when word stands in text, in any case, where a token could begin and end. */
bool request_mentions(struct span text, struct span word);
/** Edits Max-Forwards: one less, or 70 when absent (RFC 3261 16.6 step 3). */
void request_max_forwards(struct gateway *gw, const struct sip_message *m);
/** Writes our host and the port that is named to the core: the worker's own, or the common one. */
void request_sent_by(struct gateway *gw, enum mw_transport transport, struct writer *out);
/** Writes to gw->lines the end of a URI of ours for a Path or Record-Route: all behind its '@',
 * with lr. */
void request_own_uri(struct gateway *gw, enum mw_transport transport);
/** Puts our Via for transaction t on top: WSS towards a WIC, else by the transport of its target.
 */
void request_via(struct gateway *gw, const struct transaction *t);
/** Writes it as a whole line. */
void request_write_via(struct gateway *gw, const struct transaction *t, struct writer *out);
/** Starts a new message: scratch empty, splice on m (NULL: none). */
void request_begin(struct gateway *gw, const struct sip_message *m);
/** The lines written since mark, for a splice to insert. */
struct span request_lines(struct gateway *gw, uint32_t mark);
/** Writes 64 random bits in hexadecimal. */
void request_random(struct gateway *gw, struct writer *out);
/** Makes a charging identifier: ICID_LEN characters. */
void request_icid(struct gateway *gw, uint8_t icid[ICID_LEN]);
/** Writes a P-Charging-Vector line with this charging identifier. */
void request_charging(struct gateway *gw, const struct realm_config *realm, struct span icid,
		      struct writer *out);
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
/** Of an answer that ends nothing, of which a WIC may give any number; counted with its requests in
 * dialogs. GW_RATE. */
enum gw_err GW_MUST_CHECK limits_answer(struct gateway *gw, struct wic *wic);

/* trust.c */
/** Edits away everything a WIC must not bring in, Request-URI included (PROTOCOL 9.1). */
void trust_strip_from_wic(struct gateway *gw, const struct sip_message *m);
/** The same inside a dialog, whose Route stays but for what only the core may write in it. */
void trust_strip_in_dialog(struct gateway *gw, const struct sip_message *m);
/** The body as it may go on to the core, without its token; lent until the next message. False,
 * *body untouched: there is nothing to take out, or tokens are not accepted there. */
bool trust_body_strip(struct gateway *gw, const struct sip_message *m, struct span *body);
/** The same of a REGISTER that the core authenticates, but for one credential, NULL: none, that its
 * caller edits itself, and with those for its proxies. */
void trust_strip_ims(struct gateway *gw, const struct sip_message *m, const struct sip_field *kept);
/** Edits away what a WIC must not see of the core (PROTOCOL 4.3, 9.3, 9.6). */
void trust_strip_to_wic(struct gateway *gw, const struct sip_message *m);

/* digest.c */
/** The Digest of a REGISTER. */
struct digest_credential {
	enum gw_err err; /* GW_SIP_HEADER: it can be read in two ways, or hides something;
			    GW_SIP_REPEATED: a second one; GW_IDENTITY_MISMATCH: its user is no
			    private identity */
	const struct sip_field *field; /* NULL: there is none */
	struct identity username;
	bool answered; /* it has a response */
	bool aka;      /* its algorithm is AKAv2-SHA-256 */
};
struct digest_credential digest_read(const struct sip_message *m);
/** Edits what only this node may say out of a credential that digest_read() accepted, and says
 * integrity-protected=value in it; value empty: nothing. All else stays as it came. */
void digest_protect(struct gateway *gw, const struct sip_field *field, struct span value);
/** Edits ck and ik out of every challenge of m; a line that might hide one goes whole. */
void digest_strip_keys(struct gateway *gw, const struct sip_message *m);
/** True when text has a word that is not for a WIC to say to the core, or a token's. */
bool digest_says_ours(struct span text);

/* cancel.c: CANCEL, and the ACK of failures (RFC 3261 9, 17.1.1.3) */
/** A CANCEL of a WIC in gw->message. GW_SIP_NO_TRANSACTION. */
enum gw_err GW_MUST_CHECK cancel_from_wic(struct gateway *gw, struct wic *wic);
/** The same of the core. */
void cancel_from_mw(struct gateway *gw, const struct mw_source *source);
/** t's INVITE for a WIC is cancelled by where it came from. */
void cancel_at_flow(struct gateway *gw, struct transaction *t);
/** t's INVITE is cancelled: at once, or when a provisional response allows it. */
void cancel_transaction(struct gateway *gw, struct transaction *t);
/** Sends t's CANCEL, for the first time or again. */
void cancel_send(struct gateway *gw, struct transaction *t);
/** Acknowledges the failure in gw->message that t's INVITE has met. */
void cancel_acknowledge(struct gateway *gw, struct transaction *t);
/** The same, once: t's INVITE goes elsewhere. */
void cancel_acknowledge_once(struct gateway *gw, const struct transaction *t);

/* failover.c */
/** The target of t has failed, or has said 503: its request goes to the next hop that follows.
 * False: it cannot, or there is none. What is in gw->message stays. */
bool failover(struct gateway *gw, struct transaction *t);
/**
 * The target of t, whose request is inside a dialog, is away for a moment: it waits, and is sent
 * again and again, with the branch that it has, for some seconds at most. False: it does not wait,
 * or not any longer.
 */
bool failover_wait(struct gateway *gw, struct transaction *t);
/** A stranded request's turn to be sent again. True: t is armed for the next time, or answered. */
bool failover_again(struct gateway *gw, struct transaction *t);
/** Nothing more can be done for t, whose target is lost: 504. */
void failover_lost(struct gateway *gw, struct transaction *t);
/** t is stranded no more. */
void failover_release(struct gateway *gw, struct transaction *t);
/** A 503 to t is in gw->message: its hop is left alone. True: t's request goes to another one. */
bool failover_busy(struct gateway *gw, struct transaction *t);

/* own.c */
enum own_end { OWN_RESPONSE, OWN_SILENCE };
/**
 * The end of a request of this node's own: status of the final response, which is in gw->message;
 * OWN_SILENCE: 408 when none came, 503 when its target was lost; what is in gw->message is another
 * one, or gone. t is freed by the caller afterwards.
 */
void own_answered(struct gateway *gw, struct transaction *t, uint16_t status, enum own_end how);
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
/** The one that it would be if it were up. GW_MW_DOWN: none is configured, *target untouched. */
enum gw_err GW_MUST_CHECK hops_away(struct gateway *gw, struct mw_target *target);
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
/** What is in gw->out for t is too long for a datagram: it goes over TCP, and has to be written once
 * more. */
bool target_outgrown(const struct gateway *gw, struct transaction *t);
/** Writes the request for target, over TCP instead when it is too long for UDP. build() makes
 * edits. */
typedef enum gw_err target_build(struct gateway *gw, struct transaction *t);
enum gw_err GW_MUST_CHECK target_write(struct gateway *gw, struct transaction *t,
				       target_build *build);

/* binding.c */
struct binding *binding_of(const struct gateway *gw, const struct wic *wic);
/** What the core granted, and what of it the flow may use: not past its token. */
struct binding_times {
	uint64_t end_us;    /* here, monotonic */
	uint32_t expires_s; /* whole seconds until then, at least: what the WIC is told */
	uint32_t core_s;    /* at least as much */
};
/** Whether wic may have what t asks for. GW_BINDING_LIMIT: it would be one binding more than the
 * worker, or t's web site on it, may have. Nothing is kept free for it. */
enum gw_err GW_MUST_CHECK binding_room(struct gateway *gw, const struct wic *wic,
				       const struct transaction *t);
/** b, or NULL, is of the same identities as t and of a REGISTER that came after it. */
bool binding_is_newer(const struct binding *b, const struct transaction *t);
/**
 * Makes or refreshes the binding of t's identity from the core's 200, indexed in gw->message. wic
 * NULL: the flow has ended meanwhile, and the binding is born lost (PROTOCOL 10.5).
 */
enum gw_err GW_MUST_CHECK binding_store(struct gateway *gw, struct transaction *t, struct wic *wic,
					const struct binding_times *times);
/** The core has granted t more than its token covers by now, or than there is room for: nothing is
 * bound, a binding of the same identities that wic has ends, and the core is told (PROTOCOL 6.3).
 * GW_BINDING_LIMIT, GW_NO_ROOM. */
enum gw_err GW_MUST_CHECK binding_undo(struct gateway *gw, struct transaction *t, struct wic *wic,
				       const struct binding_times *times);
/** why: GW_OK when it came about as SIP has it. */
void binding_end(struct gateway *gw, struct binding *b, _Atomic uint64_t *counter, enum gw_err why);
/** True when canonical is one of the binding's identities. */
bool binding_has(const struct binding *b, struct span canonical);
/** The default identity of the binding. */
struct span binding_default(const struct binding *b);
/** The core has associated impu with it too, or does not any more. False: it is the last one. */
void binding_learn(struct binding *b, const struct identity *impu);
bool binding_drop(struct binding *b, const struct identity *impu);
/** Keyed hash of a Call-ID. */
uint64_t binding_call_id(const struct gateway *gw, struct span call_id);
struct binding_ends {
	uint64_t here_us, core_us;
};
/** b, live or lost, ends then: here, and by itself at the core. */
void binding_retime(struct gateway *gw, struct binding *b, const struct binding_ends *ends);

/** Its flow does not have it any more: it is off the flow and not counted as live. */
void binding_unbind(struct gateway *gw, struct binding *b);
/** Ends here at once, and then, where the core holds it longer, there. As binding_end(). */
void binding_leave(struct gateway *gw, struct binding *b, _Atomic uint64_t *counter,
		   enum gw_err why);
/** A REGISTER that may replace it is under way: the core hears nothing of it meanwhile. */
void binding_hold(struct gateway *gw, struct binding *b);
void binding_replaced(struct gateway *gw, struct binding *b, enum ended_why why);

/* flow_token.c */
/** What MACs of flow tokens are made with: looked for once, and not for each. NULL: no memory. */
EVP_MAC_CTX *flow_mac_new(void);

/* flow_loss.c */
/** The flow of wic has ended (PROTOCOL 10.4): its binding waits for another one. */
void flow_loss(struct gateway *gw, struct wic *wic);
/** A binding made by a 200 that came when its flow had ended (PROTOCOL 10.5). */
void flow_loss_late(struct gateway *gw, struct binding *b);
/** A binding that a restart has given back waits for a flow from b->lost_us on. */
void flow_loss_restored(struct gateway *gw, struct binding *b);

/* deregister.c: what tells the core that a binding has ended (PROTOCOL 6.5) */
/** True when the core has to be told, and can be. */
bool deregister_due(const struct gateway *gw, const struct binding *b);
/** Tells it, again and again, up to the binding's end at the core; then b is freed. */
void deregister_start(struct gateway *gw, struct binding *b);
/** Stops a try that is under way. */
void deregister_stop(struct gateway *gw, struct binding *b);
/** The end of a try: status of the core, 408 or 503. */
void deregister_answered(struct gateway *gw, struct binding *b, uint16_t status);

/* outbox.c */
/** Sends a message of one worker's gateway to another's; it is kept when the ring is full. */
void outbox_send(struct gateway *gw, uint16_t worker, const struct message_head *head);
/** The same for one that need not come to pass, but never before what was said earlier. Worker is
 * another one. GW_QUEUE_FULL. */
enum gw_err GW_MUST_CHECK outbox_try(struct gateway *gw, uint16_t worker,
				     const struct message_head *head);
bool outbox_open(struct gateway *gw);
void outbox_close(struct gateway *gw);

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

/* register.c: REGISTER, whoever authenticates */

/** What a REGISTER asks for. */
struct register_ask {
	enum gw_err err;
	const struct realm_config *realm;
	struct identity to;
	bool fetch;		     /* no Contact: asks for bindings and changes none */
	struct sip_address contact;  /* star: all */
	struct span element;	     /* the Contact as it stands in its line */
	struct span contact_expires; /* the parameter's value; empty when absent */
	uint32_t expires_s;
	bool reg_id;
	struct span placeholder; /* D-18: To and From name nobody; after sip:, without the home
				    domain. Empty: they do */
};
/** A REGISTER from wic. */
enum gw_err GW_MUST_CHECK register_request(struct gateway *gw, struct wic *wic);
/** What gw->message asks for; err: why it is refused. */
struct register_ask register_read(const struct gateway *gw);
/** Sends it to the core for t, whose registration its caller has filled. On error t is freed. */
enum gw_err GW_MUST_CHECK register_forward(struct gateway *gw, struct wic *wic,
					   struct transaction *t);
/** Keyed hash of the pair that t registers, of the public identity alone where the core
 * authenticates: never 0. */
uint64_t register_pair(const struct gateway *gw, const struct transaction *t);
/** The identity's own home network, where we serve it, is the one asked to register it: GW_DOMAIN
 * (F26). */
enum gw_err GW_MUST_CHECK register_home(const struct gateway *gw, const struct register_ask *ask,
					const struct identity *impu);
/** D-18: edits To and From in the request to the core where t's WIC has placeholders there. */
void register_name(struct gateway *gw, const struct transaction *t);
/** D-18: the response to t in gw->out has the WIC's own To and From again, where they were
 * replaced. */
void register_restore(struct gateway *gw, const struct transaction *t);
/** A 504 that says that the core has lost the registration (3GPP IMS XML, restoration). */
bool register_restoration(const struct sip_message *m);
/**
 * One identity a flow (PROTOCOL 5.6), for as long as the core may hold it: its requests come with
 * the flow's token, and must not reach whoever came next (6.6). GW_IDENTITY_MISMATCH.
 */
enum gw_err GW_MUST_CHECK register_one_identity(const struct gateway *gw, const struct wic *wic,
						const struct transaction *t);

/* register_token.c: with a token */
enum gw_err GW_MUST_CHECK register_token(struct gateway *gw, struct wic *wic,
					 const struct register_ask *ask);
/** The same when gw->claims are believed. */
enum gw_err GW_MUST_CHECK register_authorized(struct gateway *gw, struct wic *wic);
/** Edits credentials and lifetime of the request that goes to the core. */
void register_token_edit(struct gateway *gw, const struct transaction *t,
			 const struct register_ask *ask);

/** The Bearer parameter that may repeat the token's private identity does so. */
bool register_is_username(const struct gateway *gw, const struct identity *impi);
/** What revokes the token of gw->claims; 0: it has no jti. */
uint64_t register_jti(const struct gateway *gw);

/* admission.c: where a site demands a token beside the core's Digest (D-13) */
bool admission_is_demanded(const struct gateway *gw, const struct wic *wic);
/** Whether the REGISTER in gw->message may go on: as authorize_request(), or by a token that was
 * believed on this connection before. */
enum gw_err GW_MUST_CHECK admission_check(struct gateway *gw, struct wic *wic,
					  const struct register_ask *ask);
/** gw->claims are believed: wic may go on by them from now on. GW_TOKEN_CLAIM,
 * GW_IDENTITY_MISMATCH, GW_TOKEN_SHORT. */
enum gw_err GW_MUST_CHECK admission_give(struct gateway *gw, struct wic *wic,
					 const struct register_ask *ask);
/** The Digest of t is of the private identity that the token names. GW_IDENTITY_MISMATCH. */
enum gw_err GW_MUST_CHECK admission_fits(const struct gateway *gw, const struct wic *wic,
					 const struct transaction *t);

/* register_ims.c: PROTOCOL 4, by a Digest that the core asks for */
/** Row wwsf of the configuration; NULL: there is none any more. */
const struct wwsf_config *register_wwsf(const struct gateway *gw, uint32_t wwsf);
/** True when wic's registrations are the core's to authenticate. */
bool register_is_ims(const struct gateway *gw, const struct wic *wic);
enum gw_err GW_MUST_CHECK register_ims(struct gateway *gw, struct wic *wic,
				       const struct register_ask *ask);
/** The same when gw->claims are believed. */
enum gw_err GW_MUST_CHECK register_ims_authorized(struct gateway *gw, struct wic *wic,
						  const struct register_ask *ask);
void register_ims_edit(struct gateway *gw, const struct transaction *t,
		       const struct register_ask *ask);
/** The core's 401 to t goes on to wic: its registration is pending. */
void register_challenged(struct gateway *gw, struct transaction *t, struct wic *wic);

/* procedures */
/** A request from wic, by its method; and what follows once its token is verified. */
enum gw_err GW_MUST_CHECK request_of_wic(struct gateway *gw, struct wic *wic);
enum gw_err GW_MUST_CHECK request_verified(struct gateway *gw, struct wic *wic,
					   enum gw_err verdict);
void register_response(struct gateway *gw, struct transaction *t);
/** The Contact that was sent, out of the request that t keeps; indexes that in gw->kept. */
struct sip_address register_contact(struct gateway *gw, const struct transaction *t);
/** The site of that name; NULL: a reload has taken it away. */
const struct wwsf_config *register_site_named(const struct gateway *gw, struct span name);
/** The site that answers for it, by name. */
void register_site(const struct gateway *gw, const struct wic *wic, struct transaction *t);
/** Before the REGISTER goes to the core: a flow that had the same registration lets it alone. */
void register_announce(struct gateway *gw, const struct wic *wic, const struct register_ask *ask,
		       const struct transaction *t);
/** Writes to gw->lines: the Authorization line of trusted node authentication. site: its name. */
void register_authorization(struct gateway *gw, const struct identity *impi,
			    const struct realm_config *realm, struct span site);
/** Writes to gw->lines: a Path line with the token of flow. */
void register_path(struct gateway *gw, struct handle flow, enum mw_transport transport,
		   bool outbound);
void terminate_request(struct gateway *gw, const struct mw_source *source, struct handle flow,
		       bool flow_known);
/** The owner of the flow is another worker: it gets gw->message. */
void terminate_elsewhere(struct gateway *gw, const struct mw_source *source, struct handle flow);
/** The same by way of another one, where its WIC was before: what is about a request there stays
 * there. */
void terminate_by_way_of(struct gateway *gw, const struct mw_source *source, uint16_t worker,
			 struct handle flow);
/** Such a request has come by here. */
void terminate_passing(struct gateway *gw, const struct mw_source *source, struct handle flow);
/** The same while another flow may still come: 430 or 480, inside dialogs too. */
void terminate_absent(struct gateway *gw, const struct mw_source *source, bool outbound);
/** The request in gw->message, whose topmost Route is top, for a flow of this worker (its handle
 * may be stale). */
void terminate_here(struct gateway *gw, const struct mw_source *source, struct handle flow,
		    const struct route_top *top);
/** Writes the request in gw->message to gw->out as t's WIC gets it. */
enum gw_err GW_MUST_CHECK terminate_write(struct gateway *gw, struct transaction *t,
					  const struct route_top *top);
/** What is about a request that was let through before: its repeat, its CANCEL, the ACK of its
 * failure. False: it is none of these. */
bool terminate_under_way(struct gateway *gw, const struct mw_source *source);
/** The same; a CANCEL only when its INVITE is here. */
bool terminate_is_ours(struct gateway *gw, const struct mw_source *source);
/** PROTOCOL 10.3: what a flow that cannot be used means to the core. */
void terminate_no_flow(struct gateway *gw, const struct mw_source *source, enum gw_err err,
		       bool outbound);
enum gw_err GW_MUST_CHECK terminate_response(struct gateway *gw, struct wic *wic);
/** Answers the core's request in gw->message on source; 420 names what is not supported. */
void terminate_refuse(struct gateway *gw, const struct mw_source *source, uint16_t status,
		      struct span extra);
/** Writes the response in gw->message to gw->out as its WIC gets it: our Via popped, what is the
 * core's removed. request_begin() has been called. */
enum gw_err GW_MUST_CHECK response_to_wic(struct gateway *gw);
/** The same, sent to the WIC of t. */
void response_relay(struct gateway *gw, struct transaction *t);
/** Edits a 503 into a 500: it is about who said it, not about this node (RFC 3261 16.7 step 6). */
void response_no_503(struct gateway *gw);

/* in_dialog.c */
/** A request of a WIC inside a dialog, or its ACK to a 2xx (PROTOCOL 9.8). GW_DIALOG_FOREIGN,
 * GW_FLOW_FORGED, GW_SIP_NO_TRANSACTION. */
enum gw_err GW_MUST_CHECK in_dialog_request(struct gateway *gw, struct wic *wic);
/** An ACK of the core to a 2xx: forwarded, never answered. */
void in_dialog_ack_to_wic(struct gateway *gw, struct wic *wic, const struct route_top *top);

/* emergency.c */
/** Whether the request in gw->message, which begins something, is an emergency call that is not
 * forwarded (D-32). GW_SIP_EMERGENCY, GW_SIP_EMERGENCY_FORBIDDEN. */
enum gw_err GW_MUST_CHECK emergency_check(const struct gateway *gw);
/** Writes to gw->lines: the body of the 380, application/3gpp-ims+xml. */
struct span emergency_body(struct gateway *gw);

/* route.c */
/** Our own URI on top of Route. */
struct route_top {
	enum gw_err err; /* GW_OK; GW_FLOW_GONE: no Route, or a token of before; GW_FLOW_FORGED */
	const struct sip_field *field; /* NULL: there is no Route */
	struct span element;
	struct flow_token token;
	struct dialog_mark mark; /* of a Record-Route; zeroed for a Path */
	bool outbound;
	bool dialog;	    /* a Record-Route, not a Path */
	bool more;	    /* a further Route is left after ours */
	struct span second; /* that one */
};
/** Reads the Route of gw->message. */
struct route_top route_read(const struct gateway *gw);
/** The request in gw->message is of the dialog, and by the route, that a WIC was given with top. */
bool route_is_kept(const struct gateway *gw, const struct route_top *top);
/** The token names this WIC's connection, or its registration. */
bool route_is_of(const struct wic *wic, const struct route_top *top);
/** Puts a Record-Route of ours on top of a WIC's request to the core. */
void route_record(struct gateway *gw, const struct wic *wic, const struct dialog_mark *mark,
		  enum mw_transport transport);
/**
 * The same on the core's request to a WIC, and in its response to the WIC's request: one line for
 * each element, since browsers' stacks reverse lines and not elements, and ours bound to the others
 * (mark->routes).
 */
void route_record_request(struct gateway *gw, const struct wic *wic, struct dialog_mark *mark,
			  enum mw_transport transport);
void route_record_response(struct gateway *gw, const struct wic *wic, struct dialog_mark *mark,
			   enum mw_transport transport);

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
