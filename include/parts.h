/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PARTS_H
#define PARTS_H

#include "canonical.h"
#include "conn.h"
#include "rate_limit.h"
#include "span.h"
#include "verifier.h"

/**
 * The parts of the snapshot: what control builds and workers read. Each part is built whole, with
 * its strings in memory of its own, published by one pointer swap and freed when no worker can
 * still see it. Nothing that outlives a turn points into a part: it holds {part, row, generation}
 * and looks again.
 */

struct snapshot_part {
	uint32_t generation; /* set by snapshot_publish(); grows with every publication of the kind
			      */
	void (*free)(struct snapshot_part *part);
};

enum snapshot_kind {
	SNAPSHOT_CONFIG,
	SNAPSHOT_KEYS,
	SNAPSHOT_PAIRS,
	SNAPSHOT_REVOCATIONS,
	SNAPSHOT_TICKETS,
	SNAPSHOT_TLS,
	SNAPSHOT_MW_TLS,
	SNAPSHOT_PEERS,
	SNAPSHOT_PATTERNS,
	SNAPSHOT_DESTINATIONS,
	SNAPSHOT_KINDS
};

/* ---- configuration ------------------------------------------------------------------------- */

struct realm_config {
	struct span domain;	     /* lower case */
	struct span icscf_orig;	     /* for un-registered origination, as it stands in Route:
					"<sip:...>"; empty: none */
	struct span visited_network; /* P-Visited-Network-ID */
	struct span ioi;       /* orig-ioi and term-ioi: the visited network, prefixed (D-35) */
	struct span tna_value; /* integrity-protected of trusted node authentication (D-16) */
	bool orig_served_user, orig_profile_key; /* D-23, D-24: beside icscf_orig */
};

struct issuer_config {
	struct span name;
	struct span iss;	  /* compared byte for byte */
	struct span audience;	  /* must be in aud */
	struct span authz_server; /* https URI of the challenge (RFC 8898 2.2) */
	uint32_t algorithms;	  /* bit 1 << enum jws_alg */
	const struct span *typ;	  /* lower case, without "application/" (D-46) */
	uint32_t typ_count;
	uint32_t leeway_s; /* at most 60 */
	struct {
		struct span impi, impu, wwsf, scn;
	} claim;		     /* names of claims (D-10); empty: the name of the field */
	struct span scope_register;  /* what scope must contain for REGISTER; empty: nothing */
	struct span scope_originate; /* and for other methods */
};

enum wwsf_mode {
	WWSF_INDIVIDUAL, /* the token names who is registered */
	WWSF_IMS_AUTH,	 /* the core asks for a Digest; with an issuer, a token as well (D-13) */
	WWSF_POOL,	 /* the same as individual of a pool of unique pairs, one holder each */
	WWSF_WILDCARD,	 /* nobody is registered: initial requests show a token (PROTOCOL 7.1) */
	WWSF_BLOCK,	 /* one registration for all: this node is their registrar (PROTOCOL 8) */
	WWSF_MODES
};

#define WWSF_NO_ISSUER UINT32_MAX

struct wwsf_config {
	struct span name;
	uint32_t issuer; /* index in config_part.issuer; WWSF_NO_ISSUER: it takes no tokens */
	enum wwsf_mode mode;
	bool aka;		   /* WWSF_IMS_AUTH: a Digest without a response begins IMS AKA */
	uint32_t pairs;		   /* index in pair_part.table */
	const struct span *domain; /* home-domain rule instead of pairs; lower case */
	uint32_t domain_count;	   /* 0: pairs */
	struct span waf_parameter, waf_identity; /* D-15; no identity: nothing is said of it */
	bool outlives_token; /* a registration may live longer than its token (D-19 off) */
	bool jti_required;   /* tokens without jti are refused: they could not be revoked */
	struct span registering_impi, registering_impu; /* WWSF_BLOCK: the pair of its block */
	bool fork; /* WWSF_BLOCK: a request goes to all bindings of who is called at once */
	uint32_t max_bindings;		 /* one worker's share, as the next three; 0: no limit */
	struct rate_limit connections;	 /* new ones */
	uint32_t max_connections;	 /* open at a time; 0: no limit */
	struct rate_limit registrations; /* of flows that have no binding yet */
	struct rate_limit requests;	 /* of one binding */
	uint32_t calls_in_setup;	 /* of one binding, not answered yet; 0: no limit */
};

/** An Origin and the WWSF it belongs to: an Origin belongs to one WWSF only. */
struct origin_config {
	struct span origin; /* serialised, lower case, default port left out */
	uint32_t wwsf;	    /* index in config_part.wwsf */
};

enum next_hop_transport { NEXT_HOP_UDP, NEXT_HOP_TCP, NEXT_HOP_TLS, NEXT_HOP_ANY };

struct next_hop_config {
	struct endpoint address;	   /* AF_UNSPEC: it has a name instead */
	enum next_hop_transport transport; /* NEXT_HOP_ANY: a name's records say */
	uint32_t priority;		   /* lower first */
	uint32_t weight;
	struct span name; /* of peer_row; empty: none */
	uint16_t port;	  /* beside a name; 0: its records say */
};

/** What carries a port: the kernel's sockets, or packets of our own. */
enum net_back_end { NET_KERNEL, NET_PACKETS, NET_BACK_ENDS };

struct listen_config {
	struct endpoint address;
	enum net_back_end back_end;
};

/** A key that MACs flow tokens. Wiped when the part is freed. */
struct flow_key {
	uint8_t id;
	uint8_t secret[32];
};

#define FLOW_KEYS_MAX 2

/** TLS with the core: who is at the other end has a certificate of configured authorities. */
struct mw_tls_config {
	uint16_t port;		   /* common entry; 0: no TLS */
	uint16_t worker_port_base; /* worker w also listens on base + w */
	const struct span *peer;   /* names of the core's certificates; none: see mw.tls.peers */
	uint32_t peer_count;
};

/** What is told of identities to the audit stream, and so to control at all. */
enum audit_identities { AUDIT_NONE, AUDIT_HASHED, AUDIT_CLEAR };

/** What the core is told of who is called, and is not there (D-25). */
struct absent_config {
	uint16_t status;
	uint16_t cause;	  /* Q.850 */
	struct span text; /* in a quoted string; empty: none */
};

/** What becomes of an emergency call (D-32); as the choices of emergency.policy stand. */
enum emergency_policy {
	EMERGENCY_ALTERNATIVE_SERVICE, /* 380: the telephone serves it */
	EMERGENCY_FORBIDDEN,
	EMERGENCY_FORWARD, /* to the core, as any other */
};
struct emergency_config {
	enum emergency_policy policy;
	const struct span *number; /* digits and what else a number has, no separators */
	uint32_t number_count;
	struct span reason_xml; /* of the 380, as it stands in XML */
};

struct config_part {
	struct snapshot_part part;

	struct span node_name;
	uint32_t node_id; /* of flow tokens: keyless hash of node_name */
	const struct realm_config *realm;
	uint32_t realm_count;

	const struct listen_config *access; /* TCP endpoints of W2 */
	uint32_t access_count;
	const struct endpoint *balancer; /* who sends a PROXY header; ports ignored */
	uint32_t balancer_count;
	const struct span *path;
	uint32_t path_count;
	const struct span *host; /* served Host names; none = any */
	uint32_t host_count;
	const struct origin_config *origin;
	const struct span *origin_text; /* the same, as ws_upgrade_policy wants it */
	uint32_t origin_count;

	enum net_back_end mw_back_end;
	struct endpoint mw_address;   /* our Mw address; port 0 */
	struct span mw_host;	      /* as it stands in Via, Path and Contact */
	uint16_t mw_sip_port;	      /* common entry */
	uint16_t mw_worker_port_base; /* worker w also listens on base + w */
	bool mw_advertise_common;     /* which of the two is named in Via and Path */
	struct mw_tls_config mw_tls;
	const struct next_hop_config *next_hop;
	uint32_t next_hop_count;
	uint32_t mw_options_s; /* between two OPTIONS to a next hop that is up; 0: none are sent */
	bool mw_reg_event;     /* registration events are subscribed to */
	bool mw_reg_event_service_route; /* by the Service-Route (D-38); else by the next hop */
	uint32_t mw_keep_alive_s; /* of silence until a connection of ours is pinged; 0: none is */
	const struct endpoint *trusted; /* hosts; ports ignored */
	uint32_t trusted_count;

	const struct issuer_config *issuer;
	uint32_t issuer_count;
	const struct wwsf_config *wwsf;
	uint32_t wwsf_count;

	struct flow_key flow_key[FLOW_KEYS_MAX]; /* [0] signs, all verify */
	uint32_t flow_key_count;
	uint8_t hash_key[16]; /* SipHash key of identity hashes in logs and lists */

	uint32_t max_message;	  /* bytes of a SIP message */
	uint32_t max_token_bytes; /* at most VERIFY_TEXT_MAX */
	uint32_t max_token_lifetime_s;
	uint32_t max_pool_lifetime_s; /* the same of WWSF_POOL, one value for all (PROTOCOL 6.3) */
	uint32_t min_grant_s;
	uint32_t default_expires_s;		   /* a REGISTER that asks for nothing */
	uint32_t block_expires_s;		   /* asked for a block */
	uint32_t block_retry_s, block_retry_max_s; /* waits after its failures (RFC 5626 4.5) */
	uint32_t block_contacts;		   /* bindings of one identity of a block */
	struct absent_config absent;  /* an identity of a block that nobody has registered */
	struct absent_config unknown; /* one of no block */
	uint32_t ws_ping_s;
	uint32_t ws_silence_s; /* nothing at all for so long: dead */
	uint32_t tls_handshake_s;
	uint32_t tls_steps; /* of handshakes in one turn of a worker, at least 1 */
	uint32_t upgrade_s;
	uint32_t preauth_s;	  /* first accepted REGISTER after the upgrade */
	uint32_t timer_c_s;	  /* an INVITE rings so long at most (RFC 3261 16.6 step 11) */
	uint32_t flow_grace_s;	  /* a registration outlives its connection so long */
	uint32_t hold_indialog_s; /* a dialog's request waits so long for its WIC; 0: not at all */
	uint32_t max_output;	  /* bytes that may wait for one WIC */
	uint32_t mw_output;	  /* bytes that may wait for one connection with the core */
	bool from_check;	  /* D-33 */
	bool warn_reason;	  /* D-12: a refusal names its F-row in a Warning */
	bool cache_wildcard_auth; /* D-22: a token stands for later requests of its connection */
	bool token_in_body;	  /* D-09: a token may come as a part of a multipart/mixed body */
	enum audit_identities audit;
	struct span placeholder_user; /* D-18; empty: no placeholders */
	struct emergency_config emergency;

	uint32_t max_connections;     /* open ones of one worker; 0: as many as it has memory for */
	struct rate_limit upgrades;   /* of one address; this and the next are one worker's share */
	uint32_t address_connections; /* open ones of one address; 0: no limit */
	struct rate_limit requests;   /* of one connection */
	struct rate_limit
		dialog_requests; /* of one connection: ACK, BYE, CANCEL and inside dialogs */
};

/* ---- keys ---------------------------------------------------------------------------------- */

struct key_row {
	uint32_t issuer; /* index in config_part.issuer */
	struct span kid; /* empty when the key has none */
	struct verify_key key;
};

/** How it stands with the keys of an issuer (PROTOCOL 3.8). */
struct key_issuer {
	bool missing;	  /* none could be obtained, or what there was is too old: F11 */
	bool refetchable; /* by https, and the cooldown is over: an unknown kid may ask for them */
	uint32_t fetches; /* that have ended, well or not: one that is waited for has */
};

struct key_part {
	struct snapshot_part part;
	const struct key_row *row;
	uint32_t count;
	uint32_t rows_version; /* stays over publications in which only issuer[] differs */
	const struct key_issuer *issuer; /* of each config_part.issuer; NULL: all are from files */
	uint32_t issuer_count;
};

/* ---- identity pairs ------------------------------------------------------------------------ */

/** What the records of many pairs have in common and do not repeat: the private identity is user
 * and realm, the public one scheme, user and host. Frame 0 is empty, its identities stand whole. */
struct pair_frame {
	struct span realm;	  /* "@ims.home1.net" */
	struct span scheme, host; /* "sip:" and "@home1.net"; "tel:" and nothing */
};

/** One pair in pair_table.record, at a multiple of 4. Its two users follow, the private one first.
 */
struct pair_record {
	uint32_t line; /* of its file */
	uint16_t frame;
	uint8_t impi_last, impu_last; /* bytes of each user, less one */
};

/** A place of an index: which record, and the other half of its hash, so that a wrong one is seldom
 * looked at. */
struct pair_slot {
	uint32_t record; /* its place / 4, and 1; 0: free */
	uint32_t tag;
};

/** One of by_impi, which says of a pair whether it is there without a look at its record: proof is
 * of both identities, see pair_proof(). */
struct pair_proved {
	struct pair_slot slot;
	uint64_t proof;
};

/** Open addressing over a keyed hash: from the first slot of a line of PAIR_LINE bytes onwards,
 * three of five slots taken at most. So a lookup seldom waits for two lines. */
struct pair_index {
	const uint8_t *line;
	uint32_t lines;
	uint32_t slot_bytes; /* of struct pair_slot, or of struct pair_proved */
};
#define PAIR_LINE 64u

enum pair_kind {
	PAIRS_NONE,
	PAIRS_LISTED, /* each pair once; by_impi is an index by pairs */
	PAIRS_POOL,   /* each IMPI once and each IMPU once */
	PAIRS_MADE,   /* a pool as well, of a generator and without records */
};

/** Of identities made by rule: all have one length, and each byte of a public one a set of its own.
 */
struct pair_generator {
	uint16_t impu_len, impi_len;
	uint64_t set[IDENTITY_MAX][2]; /* of each byte of the public identity: ASCII */
	/** Each byte of the private one: itself, or PAIR_COPY and which byte of the public one. */
	uint16_t term[IDENTITY_MAX];
};
#define PAIR_COPY 0x8000u

/** The pairs of one WWSF. */
struct pair_table {
	enum pair_kind kind;
	uint32_t frames;
	uint64_t count;
	const uint8_t *record;
	uint64_t record_bytes;
	const struct pair_frame *frame;
	struct pair_index by_impi;		/* of struct pair_proved */
	struct pair_index by_impu;		/* of struct pair_slot; PAIRS_POOL only */
	const struct pair_generator *generator; /* PAIRS_MADE only */
	uint8_t key[16];
};

struct pair_part {
	struct snapshot_part part;
	const struct pair_table *table; /* one for each wwsf_config.pairs */
	uint32_t count;
};

/* ---- wildcarded identities ------------------------------------------------------------------- */

struct hs_database;
struct hs_scratch;

/** Expressions made into one database, and what each worker scans with: no other may use it. */
struct pattern_database {
	struct hs_database *database;
	struct hs_scratch *const *scratch; /* of worker w; the last one is control's */
	uint16_t workers;
};

/** By what the core names the wildcards of a block: a 200 to its REGISTER, registration events. */
enum block_named_by { BLOCK_NAMED_BY_RESPONSE, BLOCK_NAMED_BY_EVENT, BLOCK_NAMED_WAYS };

/** The wildcarded public identity of a WWSF (TS 23.003 13.4A). */
struct pattern_row {
	struct span wildcard;	    /* canonical, as configured; empty: it has none */
	struct span literal;	    /* the same as a URI: what cannot stand in a user is escaped */
	struct span prefix, suffix; /* of every identity: "sip:guest", "@home1.net" */
	uint32_t id;		    /* its expression in the database */
	/* of a block: what the core says its wildcards are, each way a database: of all of an
	 * identity, which one of each must match. NULL: no bound (D-26) */
	const struct pattern_database *named[BLOCK_NAMED_WAYS];
};

struct pattern_part {
	struct snapshot_part part;
	const struct pattern_database *database; /* NULL: nobody has a wildcard */
	const struct pattern_row *row;		 /* one for each config_part.wwsf */
	uint32_t count;
};

/* ---- destinations ---------------------------------------------------------------------------- */

/**
 * Rules about whom a WIC may reach. Numbers are compared as places of four bits, see
 * include/destination_rules.h, hosts and URIs in their canonical forms.
 */
struct destination_list {
	const uint64_t *number; /* prefixes, ascending; none begins with another one */
	uint32_t numbers;
	const struct span *host; /* of SIP URIs, ascending as by destination_order() */
	uint32_t hosts;
	const struct span *uri; /* "sip:user@host", ascending */
	uint32_t uris;
	const struct pattern_database *expression; /* of all of a canonical URI; NULL: none */
};

struct destination_rules {
	bool any;			     /* there is a rule */
	bool allows;			     /* only what allow has is allowed */
	struct destination_list allow, deny; /* deny goes first */
};

struct destination_part {
	struct snapshot_part part;
	struct destination_rules operator;    /* of all web sites, before their own */
	const struct destination_rules *site; /* one for each config_part.wwsf */
	uint32_t count;
};

/* ---- revocations ---------------------------------------------------------------------------- */

/** What an operator has taken back. A revoked key is no row of key_part any more. */
struct revocation_part {
	struct snapshot_part part;
	const uint64_t *jti; /* jti_hash() of revoked tokens, ascending */
	uint32_t jti_count;
	const struct span *wwsf; /* names of disabled web sites */
	uint32_t wwsf_count;
};

/* ---- hosts of the core by name (RFC 3263) -----------------------------------------------------
 */

#define PEER_NAME_MAX 254 /* with its terminating zero */

struct peer_address {
	struct endpoint address;
	enum next_hop_transport transport; /* never NEXT_HOP_ANY */
	uint32_t priority;		   /* lower first */
	uint32_t weight;		   /* RFC 2782 */
};

/** What a host is, as its URI names it. */
struct peer_row {
	struct span name; /* lower case */
	uint16_t port;	  /* of the URI; 0: none */
	enum next_hop_transport asked;
	const struct peer_address *address;
	uint32_t count; /* 0: it has none, or nobody could say */
};

struct peer_part {
	struct snapshot_part part;
	const struct peer_row *row;
	uint32_t count;
};

/* ---- session tickets ------------------------------------------------------------------------- */

#define TICKET_KEYS_MAX 3

/** A key of stateless session tickets (RFC 5077 4). Wiped when the part is freed. */
struct ticket_key {
	uint8_t name[16];
	uint8_t aes[32];
	uint8_t hmac[32];
};

struct ticket_part {
	struct snapshot_part part;
	struct ticket_key key[TICKET_KEYS_MAX]; /* [0] makes tickets, all open them */
	uint32_t count;
};

/* ---- TLS contexts ---------------------------------------------------------------------------- */

struct tls_context;

/** A context for each worker, made by control. Who takes one out owns it; what nobody took is freed
 * with the part. */
struct tls_part {
	struct snapshot_part part;
	_Atomic(struct tls_context *) *context; /* of worker w; NULL once it is taken */
	uint16_t count;
};

/** SipHash-2-4 (Aumasson and Bernstein 2012) of bytes under a 16-byte key. */
uint64_t siphash(const uint8_t key[16], struct span bytes);

/** Names a token in revocations and logs: keyed by config_part.hash_key, never 0. */
uint64_t jti_hash(const uint8_t key[16], struct span iss, struct span jti);

/** The hash of a pair, both canonical. */
uint64_t pair_hash(const uint8_t key[16], struct span impi, struct span impu);

#endif
