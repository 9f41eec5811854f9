/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>

#include "canonical.h"
#include "conn.h"
#include "handle.h"
#include "parts.h"

/**
 * What workers and control say to each other, whole: a message begins with struct message_head and
 * travels by value through a mailbox ring (include/mailbox.h). Everything in it is a copy; what
 * lives elsewhere is named by handle. docs/design.md has the table: who sends it to whom, and what
 * happens when the ring is full, the receiver sleeps or the sender dies.
 */
enum message_kind {
	MESSAGE_NONE,
	/* worker -> owner of a flow, bytes follow. Full: dropped like a lost datagram, 503 on TCP.
	 */
	MESSAGE_DELIVER,
	/* worker -> home worker of a flow token of kind 2, bytes follow. Full: as MESSAGE_DELIVER.
	 */
	MESSAGE_DELIVER_HOME,
	/* worker of a binding -> home worker of its IMPI. Full: kept and tried again. */
	MESSAGE_ATTACH,
	MESSAGE_DETACH,
	/* home worker -> worker of a binding. Full: kept and tried again. */
	MESSAGE_ATTACHED,
	MESSAGE_ENDED,
	/* worker of a binding -> all workers. Full: kept and tried again. */
	MESSAGE_BARRED,
	/* worker of a WIC's connection -> home worker of the IMPI. Full: 503, never a wait. */
	MESSAGE_LEASE_RESERVE,
	/* home worker -> worker of the WIC's connection. Full: kept and tried again. */
	MESSAGE_LEASE_GRANTED,
	MESSAGE_LEASE_REFUSED,
	/* worker of a binding -> home worker of its IMPI. Full: kept and tried again. */
	MESSAGE_LEASE_CONFIRM,
	MESSAGE_LEASE_CANCEL,
	MESSAGE_LEASE_RELEASE,
	/* home worker -> worker of a binding. Full: kept and tried again. */
	MESSAGE_LEASE_ENDED,
	/* home worker of a block -> all others, its Service-Route follows. Full: said again, as it
	   is by then. */
	MESSAGE_BLOCK,
	/* worker of a WIC's connection -> home worker of the IMPU, its Contact follows. Full: 503,
	   never a wait. */
	MESSAGE_REGISTRAR_ASK,
	/* home worker -> worker of the WIC's connection, Contact lines follow. Full: dropped, the
	   asker gives up in time. */
	MESSAGE_REGISTRAR_ANSWER,
	/* worker of a binding of a block -> home worker of its IMPU. Full: kept and tried again. */
	MESSAGE_REGISTRAR_GONE,
	/* home worker -> worker of such a binding. Full: kept and tried again. */
	MESSAGE_REGISTRAR_ENDED,
	/* home worker of an IMPU -> worker that the Call-ID names. Full: kept and tried again. */
	MESSAGE_BLOCK_WAY,
	/* worker -> that worker, or the home worker of the IMPU that is called, bytes follow. Full:
	   as MESSAGE_DELIVER. */
	MESSAGE_DELIVER_BLOCK,
	/* home worker of an IMPU -> owner of a flow, bytes follow. Full: that branch has failed. */
	MESSAGE_FORK_BRANCH,
	/* owner of a flow -> that home worker, the response may follow. Full: it goes without the
	   response, kept and tried again; a provisional one is dropped. */
	MESSAGE_FORK_ANSWER,
	/* home worker of an IMPU -> owner of a flow. Full: kept and tried again. */
	MESSAGE_FORK_CANCEL,
	/* worker -> owner of a transport or transaction, bytes follow. Full: dropped. */
	MESSAGE_REPLY,
	/* control -> worker. Full: control keeps it and tries again, then tells the user "busy". */
	MESSAGE_COMMAND,
	/* worker -> control, rows follow. Full: the command ends with "busy" at its deadline. */
	MESSAGE_ANSWER,
	/* worker -> control; a trace may follow. Full: dropped and counted (event_dropped). */
	MESSAGE_EVENT,
	/* worker -> control, bytes follow. Full: dropped and counted (net_capture_lost). */
	MESSAGE_CAPTURED,
	/* worker -> control, a SIP message without its secrets follows. Full: dropped and counted
	 * (trace_lost). */
	MESSAGE_TRACED,
	/* worker -> control. Full: dropped and counted (mailbox_full); who waits gives up in time.
	 */
	MESSAGE_KEYS_WANTED,
	/* worker -> control. Full: dropped and counted (mailbox_full); asked again with the next
	   request. */
	MESSAGE_PEER_WANTED,
	/* home worker of a block -> control, URIs follow. Full: said again, as it is by then. */
	MESSAGE_BLOCK_NAMED,
	/* worker -> control, as far as its text is used. Full: kept and tried again. */
	MESSAGE_JOURNAL,
	/* control -> worker. Full: control tries again. */
	MESSAGE_JOURNAL_AGAIN,
	/* worker -> control, a line of the TLS key log follows. Full: dropped and counted
	 * (event_dropped). */
	MESSAGE_KEY_LOG,
	MESSAGE_KINDS
};

struct message_head {
	uint32_t kind; /* enum message_kind */
	uint32_t len;  /* bytes of the whole message */
};

/** How a message came in from the core, and where a response to it goes. */
enum mw_transport { MW_UDP, MW_TCP, MW_TLS };

/** "UDP", "TCP" or "TLS", as Via has it. */
static inline const char *mw_transport_name(enum mw_transport transport)
{
	return transport == MW_UDP ? "UDP" : transport == MW_TCP ? "TCP" : "TLS";
}

struct mw_source {
	enum mw_transport transport;
	uint16_t worker;       /* whose socket or connection it came in on */
	struct handle conn;    /* MW_TCP, MW_TLS: the connection */
	struct endpoint local; /* the address it came to */
	struct endpoint peer;
};

/** A request of the core for a flow that another worker owns; the SIP bytes follow. */
struct message_deliver {
	struct message_head head;
	struct handle flow; /* from the flow token, its MAC already checked; of another worker: what
			       is about a request here stays here, the rest goes on to it */
	struct mw_source source;
};

/**
 * The same for whoever is now where the home entry points (PROTOCOL 10.1, kind 2). The home worker
 * answers it, or sends it on as MESSAGE_DELIVER to the flow's owner.
 */
struct message_deliver_home {
	struct message_head head;
	struct handle home; /* from the flow token, its MAC already checked */
	struct mw_source source;
};

/** What a home entry is found by: the same on all workers. impi 0: none. */
struct home_key {
	uint64_t impi;	   /* keyed hash: % workers is the home worker */
	uint64_t instance; /* of IMPU, +sip.instance and reg-id; without an instance, of the Contact
			    */
};

/** How far a registration is. */
enum attach_stage {
	ATTACH_ASKED, /* its REGISTER goes to the core: who holds the key keeps his de-REGISTER */
	ATTACH_BOUND, /* the core said 200 */
	ATTACH_LOST,  /* the same, and the flow or its token had ended by then: never takes from a
			 live one */
	ATTACH_LASTS, /* the core has said since that it holds it longer */
};

/**
 * A registration's flow is this one from now on. The home worker is that of the key; the binding
 * that had the same key before gets MESSAGE_ENDED. Idempotent.
 */
struct message_attach {
	struct message_head head;
	enum attach_stage stage;
	struct home_key key;
	uint64_t sub;	   /* of a pool's token: keyed hash of iss and sub; 0: of no pool */
	uint64_t contact;  /* keyed hash of the Contact's user and host */
	bool outbound;	   /* registered with reg-id */
	uint32_t core_s;   /* how long the core holds it */
	uint64_t asked_us; /* when its REGISTER came: of two, the younger has the entry */
	struct handle flow;
	struct handle binding; /* ATTACH_ASKED: none */
};

/** The answer to ATTACH_BOUND: what flow tokens of kind 2 name. */
struct message_attached {
	struct message_head head;
	struct home_key key;
	struct handle flow;
	struct handle home;
};

/** What has ended. */
enum detach_what {
	DETACH_FLOW,	/* the entry waits for the next flow of its key */
	DETACH_BINDING, /* the core holds it no more, or nothing is left to be done about it */
};

/**
 * The entry of this key, when it still is this flow's (DETACH_FLOW) or this binding's. It goes when
 * it has neither, and grace_s have passed since the flow ended. Idempotent.
 */
struct message_detach {
	struct message_head head;
	enum detach_what what;
	struct home_key key;
	struct handle flow;
	struct handle binding;
	uint32_t grace_s;
};

/** Why a binding hears of another one. */
enum ended_why {
	ENDED_HOLD,	/* a REGISTER that may replace it is under way: no de-REGISTER just now */
	ENDED_REPLACED, /* the core has put another in its place */
	ENDED_BESIDE,	/* another flow has its key; the core holds both Contacts */
};

/** Another flow has taken a registration over, or is about to. */
struct message_ended {
	struct message_head head;
	enum ended_why why;
	struct home_key key;
	struct handle flow;
	struct handle binding;
};

/** The core has sent somebody away (PROTOCOL 9.9): until then he does not register. */
struct message_barred {
	struct message_head head;
	uint64_t who;	   /* jti_hash() of a token, or keyed hash of a pair */
	enum gw_err why;   /* GW_REG_REJECTED, GW_REG_PROBATION */
	uint64_t until_us; /* monotonic */
};

/* ---- leases of pool pairs (PROTOCOL 6.4; docs/design.md has the table of states and messages) */

/** What a lease message is about: one grant of one pair. Every grant of a home worker has another
 * generation, so what comes late is known as such. */
struct lease_id {
	uint64_t impi;	     /* keyed hash: % workers is the home worker */
	uint32_t generation; /* 0: none */
};

static inline bool lease_id_is_none(struct lease_id id)
{
	return id.generation == 0;
}

static inline bool lease_id_equal(struct lease_id a, struct lease_id b)
{
	return a.impi == b.impi && a.generation == b.generation;
}

/** Of the token that asks: what PROTOCOL 6.4 compares. */
struct lease_terms {
	uint64_t sub;	       /* keyed hash of iss and sub */
	uint64_t jti;	       /* jti_hash() */
	uint64_t iat_s, exp_s; /* Unix time */
	uint64_t exp_us;       /* the same end on the monotonic clock of this machine */
};

/** The flow would like to register the pair. */
struct message_lease_reserve {
	struct message_head head;
	uint64_t impi;
	struct handle flow;
	uint32_t ticket; /* comes back in the answer */
	struct lease_terms terms;
};

/** The flow may register it until deadline_us: by then it confirms or cancels, or the grant is
 * void. */
struct message_lease_granted {
	struct message_head head;
	struct lease_id id;
	struct handle flow;
	uint32_t ticket;
	uint64_t deadline_us; /* monotonic */
};

struct message_lease_refused {
	struct message_head head;
	uint64_t impi;
	struct handle flow;
	uint32_t ticket;
	enum gw_err err;  /* GW_PAIR_IN_USE, GW_TOKEN_JTI, GW_LEASE_LIMIT, GW_LEASE_BUSY */
	bool conflict;	  /* two users' tokens overlap: the WWSF broke the agreement */
	uint32_t retry_s; /* GW_PAIR_IN_USE: until the token of the one who has it ends */
};

/** The core said 200: the flow, or the binding of a flow that has ended, holds the pair. */
struct message_lease_confirm {
	struct message_head head;
	struct lease_id id;
	struct handle flow;
	struct handle binding;
	uint64_t contact;  /* keyed hash of the Contact's user and host */
	uint64_t instance; /* of +sip.instance and reg-id; 0: registered without reg-id */
};

/** The grant is not used. */
struct message_lease_cancel {
	struct message_head head;
	struct lease_id id;
};

/** The binding has ended here; the core may still have to be told. */
struct message_lease_release {
	struct message_head head;
	struct lease_id id;
	struct handle binding;
};

enum lease_end {
	LEASE_END_REPLACED, /* the core has put another registration in its place */
	LEASE_END_BESIDE,   /* another flow has the pair; the core holds both Contacts */
	LEASE_END_EXPIRED,  /* its token has ended, by the word of its own or of the next one */
	LEASE_END_VOID,	    /* confirmed too late: the grant was another one's by then */
};

/** The binding, if it still has this lease, ends, and says so by a release. */
struct message_lease_ended {
	struct message_head head;
	struct lease_id id;
	enum lease_end why;
	struct handle flow;
	struct handle binding;
};

/* ---- blocks (PROTOCOL 8) */

/** How the registration of a block is; its Service-Route, as the value of one Route header,
 * follows.
 */
struct message_block {
	struct message_head head;
	char name[32]; /* of its web site, terminated */
	bool up;
	uint16_t status;	       /* that its last REGISTER failed with; 0: it did not */
	uint64_t impi_hash, impu_hash; /* of the registering pair */
	uint64_t until_us;	       /* monotonic: the core holds it no longer */
	/* monotonic: when the core last rejected it, so that its bindings ended; 0: never */
	uint64_t rejected_us;
};

/** Whose bindings, as all workers know them. */
struct registrar_key {
	uint64_t impu; /* keyed hash: % workers is the home worker */
	uint64_t site; /* keyed hash of the web site's name */
};

enum registrar_what {
	REGISTRAR_FETCH,      /* changes nothing */
	REGISTRAR_BIND,	      /* the Contact, to this flow */
	REGISTRAR_UNBIND,     /* the Contact */
	REGISTRAR_UNBIND_ALL, /* "Contact: *" */
};

/** A REGISTER for an identity of a block; the Contact as it is to be listed follows. */
struct message_registrar_ask {
	struct message_head head;
	enum registrar_what what;
	struct registrar_key key;
	struct handle flow;
	struct handle transaction; /* comes back */
	uint64_t apart;	  /* of +sip.instance and reg-id, else of the Contact: one binding each */
	uint64_t call_id; /* keyed hash */
	uint32_t cseq;
	uint32_t expires_s;
	uint32_t max; /* bindings of one identity */
};

/** What has come of it: GW_OK, and the Contact lines of all bindings follow; GW_REGISTRAR_ORDER,
 * GW_BINDING_LIMIT. */
struct message_registrar_answer {
	struct message_head head;
	struct handle transaction;
	enum gw_err err;
};

/** Which REGISTER something came by, as far as order goes (RFC 3261 10.3 step 7). */
struct registrar_order {
	uint64_t call_id; /* keyed hash */
	uint32_t cseq;
};

/** The flow has no binding of the identity any more that came by this REGISTER, or by one of its
 * call before. Idempotent. */
struct message_registrar_gone {
	struct message_head head;
	struct registrar_key key;
	struct handle flow;
	struct registrar_order order;
};

/** Another one's REGISTER has removed the binding that the flow has of the identity. */
struct message_registrar_ended {
	struct message_head head;
	struct registrar_key key;
	struct handle flow;
	struct registrar_order order; /* nothing that is later ends; zeroed: whatever it has */
};

/** Where the INVITE with this key has gone: what is about it goes there too. */
struct message_block_way {
	struct message_head head;
	uint64_t key;
	struct handle flow;
};

enum block_stage {
	BLOCK_TO_WAYS, /* to the worker that knows the ways of its call */
	BLOCK_TO_HOME, /* to the home worker of who is called */
};

/** A request of the core for an identity of a block; the SIP bytes follow. */
struct message_deliver_block {
	struct message_head head;
	enum block_stage stage;
	struct mw_source source;
};

/** One of the flows that a request goes to at once. */
struct fork_branch {
	struct handle fork; /* the transaction with the core, at the home worker; none: no branch */
	uint32_t number;
};

/** A request of the core for one of several flows; the SIP bytes follow. */
struct message_fork_branch {
	struct message_head head;
	struct fork_branch branch;
	struct handle flow;
	struct mw_source source;
};

/** What has come of a branch. Provisional ones and the 2xx of an INVITE have gone to the core by
 * then; another final response follows, or is lost. */
struct message_fork_answer {
	struct message_head head;
	struct fork_branch branch;
	uint16_t status;
	uint16_t worker; /* of the flow */
	bool own;	 /* no WIC has said it, but the worker of the flow: without its bytes */
};

/** The INVITE of the branch is cancelled. */
struct message_fork_cancel {
	struct message_head head;
	struct fork_branch branch;
};

/* ---- the journal of pool bindings: what a restart needs to know of them */

enum journal_state {
	JOURNAL_HELD,	 /* it has the pair, on a flow or waiting for one */
	JOURNAL_LEAVING, /* it has ended here, and the core is being told */
	JOURNAL_OVER,	 /* nothing is left of it: what follows id does not count */
	JOURNAL_STATES
};

/** Bytes of two identities, the name of a web site, and a binding's text. */
#define JOURNAL_TEXT_MAX (2 * IDENTITY_MAX + 1600)

/**
 * A binding of a pool pair has come, has changed or has gone. The same message gives it back to a
 * worker after a restart. The text is a secret of the users': whoever copies it wipes it.
 */
struct message_journal {
	struct message_head head;
	struct handle id; /* what it was called at first, maybe by a run of before: it keeps it */
	enum journal_state state;
	enum mw_transport path; /* of its Path */
	bool outbound;		/* registered with reg-id */
	uint64_t sub, jti;	/* as lease_terms; jti 0: its token has none */
	uint64_t iat_s, exp_s;	/* of its token, Unix time */
	uint64_t until_s;	/* Unix time: the core holds it no longer */
	/* of text, one after the other. contact: URI in angle brackets, reg-id, +sip.instance */
	uint16_t impi_len, impu_len, wwsf_len, realm_len, contact_len;
	uint8_t text[JOURNAL_TEXT_MAX];
};

/** Every binding of a pool is to be told of once more: some words were lost. */
struct message_journal_again {
	struct message_head head;
};

/** Whom and where a journal entry is about: spans into its text. */
struct journal_names {
	struct span impi, impu, wwsf, realm, contact;
};

/** False: the lengths are not those of a whole message of head.len bytes. */
static inline bool journal_names(const struct message_journal *m, struct journal_names *names)
{
	struct span text = span_of(m->text, m->head.len - offsetof(struct message_journal, text));

	return m->head.len >= offsetof(struct message_journal, text) && m->head.len <= sizeof(*m) &&
	       span_take(&text, m->impi_len, &names->impi) &&
	       span_take(&text, m->impu_len, &names->impu) &&
	       span_take(&text, m->wwsf_len, &names->wwsf) &&
	       span_take(&text, m->realm_len, &names->realm) &&
	       span_take(&text, m->contact_len, &names->contact) && text.len == 0;
}

/** What a reply is. */
enum reply_kind {
	REPLY_SEND,	/* SIP bytes to be sent to source: a response for the core */
	REPLY_RESPONSE, /* SIP bytes that came from the core, for the owner of a transaction */
};

/** SIP bytes that belong to another worker's transport or transaction; they follow. */
struct message_reply {
	struct message_head head;
	enum reply_kind what;
	struct handle transaction; /* REPLY_RESPONSE */
	struct mw_source source;
};

/** A next hop as a worker sees it, or a TCP connection with the core. */
struct row_mw {
	struct endpoint peer;
	enum mw_transport transport;
	char what[12];	/* "hop", "link" (opened by us), "accepted" */
	char state[12]; /* hop: "up", "down", "lost", "shut"; else "opening", "open", "closing" */
	uint32_t priority, weight; /* of a hop: within those of its priority in the configuration */
	uint32_t seconds; /* hop: until a shut one is used again; else: since the last message */
};

/** What control asks of a worker. */
enum command_kind {
	COMMAND_CONNECTIONS, /* rows of struct row_connection, of ends that peer and port name */
	COMMAND_SESSIONS,    /* rows of struct row_session */
	COMMAND_BINDINGS,    /* rows of struct row_binding */
	COMMAND_MW,	     /* rows of struct row_mw */
	COMMAND_POOLS,	     /* rows of struct row_pool */
	COMMAND_BLOCKS,	     /* rows of struct row_block */
	COMMAND_PING,	     /* worker 0: one row of struct row_pong, within a second */
	COMMAND_CAPTURE,     /* a struct capture_filter follows, its unused instructions left out;
				answered by     a row of struct row_done */
	COMMAND_CAPTURE_END, /* the same answer */
	COMMAND_TRACE,	     /* a struct trace_filter follows; a row of struct row_trace */
	COMMAND_TRACE_END,   /* the same; only its id counts */
	COMMAND_SHOW,	     /* a struct show_ask follows; rows of struct row_show */
	COMMAND_EXPLAIN,     /* a struct explain_ask follows; rows of struct row_step */
	COMMAND_DRAIN,	     /* refuse new connections, close the open ones with 1001, then stop */
};

struct message_command {
	struct message_head head;
	uint32_t id; /* comes back in the answer */
	enum command_kind what;
	uint32_t cursor;      /* where to go on; 0 first */
	uint32_t max;	      /* rows in one answer, at most ANSWER_ROWS_MAX */
	struct endpoint peer; /* COMMAND_PING; COMMAND_CONNECTIONS: one end, AF_UNSPEC: any */
	uint16_t port;	      /* COMMAND_CONNECTIONS: of that end, 0: any */
};

/** Rows in one answer: 64 rows of 512 bytes fit half of the smallest ring that is configured. */
#define ANSWER_ROWS_MAX 64

/** A TCP connection of W2 or Mw. */
struct row_connection {
	struct conn_row conn;
	enum net_back_end back_end;
};

/** What is above a TCP connection of W2. */
struct row_session {
	struct handle handle;
	struct endpoint peer;
	char origin[128]; /* terminated, cut when longer; "" before the upgrade */
	char tls[48];	  /* "TLSv1.3 TLS_AES_128_GCM_SHA256 X25519" */
	char state[16];	  /* "handshake", "upgrade", "open", "closing" */
	uint64_t age_s;
	uint64_t idle_s;
	uint64_t messages_in;
	uint64_t messages_out;
	uint32_t bindings;
};

/** "none", "waiting", "asking" or "active": a subscription to registration events, terminated. */
#define ROW_REG_EVENT_MAX 12

struct row_binding {
	struct handle handle;
	struct handle flow;
	uint64_t impi_hash; /* keyed: identities never leave a worker in clear */
	uint64_t impu_hash;
	char wwsf[32];
	uint32_t expires_s; /* from now */
	uint32_t service_routes;
	char reg_event[ROW_REG_EVENT_MAX]; /* its subscription */
};

/** What the pool of a web site comes to on one worker. */
struct row_pool {
	char name[32];	    /* of the web site */
	uint32_t held;	    /* pairs that bindings of this worker have now */
	uint64_t granted;   /* since the start, as the next ones */
	uint64_t in_use;    /* refused, F24 */
	uint64_t conflicts; /* tokens of two users for one pair at one time, or with one jti */
	uint64_t forbidden; /* requests refused for their destination */
};

enum row_block_state { ROW_BLOCK_DOWN, ROW_BLOCK_UP, ROW_BLOCK_LEAVING };

/** A block, as one worker sees it. */
struct row_block {
	char name[32]; /* of its web site */
	bool home;     /* this worker registers it: the others have its word */
	enum row_block_state state;
	uint32_t seconds;  /* ROW_BLOCK_UP: until its end at the core */
	uint16_t status;   /* that its last REGISTER failed with; 0: it did not */
	uint32_t bindings; /* of WICs on this worker */
	/* home: GW_REG_ENDED, GW_REG_DEACTIVATED, GW_REG_PROBATION, GW_REG_REJECTED: as what the
	 * core has ended it; GW_OK: it has not */
	enum gw_err ended;
	uint32_t again_s; /* home: until its next REGISTER; 0: one is under way, or none is due */
	char reg_event[ROW_REG_EVENT_MAX]; /* home: its subscription */
};

/** What came of a ping. */
struct row_pong {
	enum gw_err err; /* GW_OK, GW_TIMEOUT, or why it was not sent */
	uint32_t rtt_us;
};

/** Follows a COMMAND_EXPLAIN. Behind it the Origin, then the token, up to the message's end. */
struct explain_ask {
	uint16_t origin_len; /* bytes; 0: the first WWSF that the issuer serves */
};

/** One step of PROTOCOL 3.5, in order; the first that is not GW_OK is the last. */
struct row_step {
	char name[24]; /* terminated */
	enum gw_err err;
};

/** What came of a command that has no rows of its own. */
struct row_done {
	enum gw_err err;
};

/** A frame that a capture let through; its bytes follow, cut to the filter's snap. */
struct message_captured {
	struct message_head head;
	uint64_t now_us; /* monotonic */
	uint32_t netif;
	uint32_t len; /* of the whole frame */
	bool sent;    /* by us */
};

/* ---- traces */

/** Traces at a time. */
#define TRACES_MAX 4

/** Longest Call-ID and identity that are looked for. */
#define TRACE_TEXT_MAX 256

/** Bytes of a traced message at most; a longer one is cut. */
#define TRACE_SNAP 16384

enum trace_by { TRACE_BY_CALL_ID, TRACE_BY_IMPU };

/** Which SIP messages control wants to see. Follows a COMMAND_TRACE. */
struct trace_filter {
	uint32_t id; /* never 0, nor that of another one */
	enum trace_by by;
	uint32_t seconds; /* it ends by itself then */
	uint16_t len;
	uint8_t text[TRACE_TEXT_MAX]; /* a Call-ID, byte for byte; or a canonical IMPU */
};

/** What came of a COMMAND_TRACE or COMMAND_TRACE_END. */
struct row_trace {
	enum gw_err
		err;   /* GW_OK, GW_BUSY: there are TRACES_MAX others; GW_STALE: none of that id */
	uint64_t lost; /* messages of it that did not fit */
};

/** Between whom a message went. */
enum trace_leg { TRACE_FROM_WIC, TRACE_TO_WIC, TRACE_FROM_CORE, TRACE_TO_CORE, TRACE_LEGS };

/** A SIP message that a filter let through; its text, what is secret taken out, follows. */
struct message_traced {
	struct message_head head;
	uint64_t now_us;	 /* monotonic */
	uint32_t id[TRACES_MAX]; /* of the traces that want it; 0: no other */
	enum trace_leg leg;
	enum mw_transport transport; /* of the core's legs */
	struct endpoint peer;
	struct handle flow; /* of the WIC's legs */
	uint32_t len;	    /* of the message as it was */
	bool cut;	    /* only the front of it follows */
};

/* ---- one thing and what belongs to it */

enum show_what { SHOW_BINDING, SHOW_CONNECTION, SHOW_CALL };

/** What is asked for. Follows a COMMAND_SHOW. */
struct show_ask {
	enum show_what what;
	uint16_t worker; /* len 0: of this worker, the thing in this slot */
	uint32_t slot;	 /* binding, session, or transaction */
	uint16_t len;
	uint8_t impu[TRACE_TEXT_MAX]; /* canonical: of whoever has registered this */
};

/** A transaction under way. */
struct row_transaction {
	struct handle handle;
	struct handle flow;
	char kind[16]; /* terminated: "register", "originate", "terminate", "own" */
	char method[16];
	char state[16];
	uint64_t age_ms;
	enum mw_transport transport;
	struct endpoint hop; /* where it went, or came from */
};

enum show_kind {
	SHOW_ROW_SESSION,
	SHOW_ROW_CONNECTION,
	SHOW_ROW_BINDING,
	SHOW_ROW_UNREGISTERED, /* binding: of who is not registered, expires_s that of the token */
	SHOW_ROW_TRANSACTION
};

struct row_show {
	enum show_kind kind;
	union {
		struct row_session session;
		struct row_connection connection;
		struct row_binding binding;
		struct row_transaction transaction;
	};
};

struct message_answer {
	struct message_head head;
	uint32_t id;
	uint32_t rows;	   /* how many follow */
	uint32_t row_size; /* bytes of each */
	uint32_t cursor;   /* for the next command; 0: that was all */
};

/** A host of a Route that the peer_part does not have: the request has gone by the next hop. */
struct message_peer_wanted {
	struct message_head head;
	uint16_t port; /* of its URI; 0: none */
	enum next_hop_transport transport;
	uint32_t name_len;
	char name[PEER_NAME_MAX];
};

#define BLOCK_NAME_MAX 31    /* bytes of the web site's name */
#define BLOCK_NAMED_MAX 1024 /* bytes of URIs in one word */

/** The wildcards that the core has last named as those of a block; a URI for each follows, with a
 * newline behind it. None: what it has named before counts no more. */
struct message_block_named {
	struct message_head head;
	enum block_named_by by;
	bool more;     /* it has named others too, for which there was no room */
	uint64_t pair; /* that registers it: the last word about another one is no word about it */
	char wwsf[BLOCK_NAME_MAX + 1];
};

/** A token names a key that its issuer's set, as it is known here, does not have. */
struct message_keys_wanted {
	struct message_head head;
	uint32_t config_generation; /* in which issuer is a row */
	uint32_t issuer;
};

/** What a worker tells the log. One line, key=value; never a token, a key or an identity. */
enum event_kind {
	EVENT_CONNECTION_OPEN,
	EVENT_CONNECTION_CLOSE,
	EVENT_UPGRADE_REFUSED,
	EVENT_TLS_FAILED,
	EVENT_TOKEN_REFUSED,
	EVENT_REGISTERED,
	EVENT_REGISTER_FAILED,
	EVENT_BINDING_LOST, /* its connection has ended; it waits for another one */
	EVENT_BINDING_END,
	EVENT_DEREGISTERED,  /* the core was told; status: what it answered, 0: given up */
	EVENT_WILDCARD_USER, /* a token of one who is not registered; seconds: of it; text: WWSF */
	EVENT_MW_TLS_FAILED,
	EVENT_MW_UP,
	EVENT_MW_DOWN,
	EVENT_TNA_CHALLENGED,
	EVENT_POOL_CONFLICT, /* seconds: until the pair's token ends; text: WWSF that broke its word
			      */
	EVENT_BLOCK_UP,	     /* seconds: until its end at the core; text: its web site's name */
	EVENT_BLOCK_FAILED,  /* its REGISTER; status: with what */
	/* the core does not hold it any more; err: GW_REG_..., where it has said so; seconds: until
	 * it is asked again, 0: at once, or not before a reload */
	EVENT_BLOCK_DOWN,
	EVENT_BLOCK_DIFFERS, /* the core names another wildcard than the configured one (D-26) */
	EVENT_INVARIANT,
	EVENT_DRAINED,
	EVENT_CLOCK_STEPPED, /* the wall's, against the monotonic one; text: by how much */
	EVENT_NET_ALARM,     /* err says what: GW_NEIGHBOUR_LOST and its like; peer: about whom */
	EVENT_CONNECTION_BROKEN, /* its last doings follow, as text */
	/* for the audit stream only, which takes those of registrations too */
	EVENT_CALL_ANSWERED,	   /* an INVITE outside a dialog: 2xx */
	EVENT_CALL_FAILED,	   /* the same: any other end, CANCEL among them */
	EVENT_CALL_ENDED,	   /* a BYE: its final response */
	EVENT_DESTINATION_REFUSED, /* a WIC may not reach whom it asked for; err says why */
	EVENT_KINDS
};

struct message_event {
	struct message_head head;
	enum event_kind what;
	enum gw_err err;
	struct handle handle; /* of the connection or binding it is about */
	struct endpoint peer;
	uint64_t impi_hash; /* 0: none */
	uint64_t impu_hash;
	uint32_t status;  /* SIP or HTTP status, or WebSocket close code; 0: none */
	uint32_t seconds; /* expiry, age; 0: none */
	char text[96];	  /* terminated; TLS failure text, origin, WWSF name */
};

#define AUDIT_ICID_MAX 100 /* bytes of a charging identifier; a longer one is cut */
#define AUDIT_IDENTITY_MAX 256

/**
 * What the audit stream is told beside the event: of registrations and calls, when it is on. Sent
 * as far as text is used. Identities are in it only when they are to be written in clear.
 */
struct message_audit {
	struct message_event event;
	bool originating;    /* calls: the WIC's; else the core's */
	bool refresh;	     /* EVENT_REGISTERED: there was a binding before */
	uint64_t elapsed_ms; /* since the request; EVENT_BINDING_END: since the registration */
	uint64_t peer_hash;  /* of the other side of a call; 0: none */
	char icid[AUDIT_ICID_MAX + 1];	       /* terminated */
	uint16_t impi_len, impu_len, peer_len; /* of text, one after the other */
	uint8_t text[3 * AUDIT_IDENTITY_MAX];
};

#endif
