/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MESSAGE_H
#define MESSAGE_H

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
	/* worker -> control. Full: dropped and counted (mailbox_full); who waits gives up in time.
	 */
	MESSAGE_KEYS_WANTED,
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
enum mw_transport { MW_UDP, MW_TCP };
struct mw_source {
	enum mw_transport transport;
	uint16_t worker;       /* whose socket or connection it came in on */
	struct handle conn;    /* MW_TCP: the connection */
	struct endpoint local; /* the address it came to */
	struct endpoint peer;
};

/** A request of the core for a flow that another worker owns; the SIP bytes follow. */
struct message_deliver {
	struct message_head head;
	struct handle flow; /* from the flow token, its MAC already checked */
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
	ATTACH_LOST,  /* the same, and the flow had ended by then: never takes from a live one */
};

/**
 * A registration's flow is this one from now on. The home worker is that of the key; the binding
 * that had the same key before gets MESSAGE_ENDED. Idempotent.
 */
struct message_attach {
	struct message_head head;
	enum attach_stage stage;
	struct home_key key;
	uint64_t contact; /* keyed hash of the Contact's user and host */
	bool outbound;	  /* registered with reg-id */
	uint32_t core_s;  /* how long the core holds it */
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

/** What control asks of a worker. */
enum command_kind {
	COMMAND_CONNECTIONS, /* rows of struct row_connection, of ends that peer and port name */
	COMMAND_SESSIONS,    /* rows of struct row_session */
	COMMAND_BINDINGS,    /* rows of struct row_binding */
	COMMAND_PING,	     /* worker 0: one row of struct row_pong, within a second */
	COMMAND_CAPTURE,     /* a struct capture_filter follows, its unused instructions left out;
				answered by     a row of struct row_done */
	COMMAND_CAPTURE_END, /* the same answer */
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

struct row_binding {
	struct handle handle;
	struct handle flow;
	uint64_t impi_hash; /* keyed: identities never leave a worker in clear */
	uint64_t impu_hash;
	char wwsf[32];
	uint32_t expires_s; /* from now */
	uint32_t service_routes;
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

struct message_answer {
	struct message_head head;
	uint32_t id;
	uint32_t rows;	   /* how many follow */
	uint32_t row_size; /* bytes of each */
	uint32_t cursor;   /* for the next command; 0: that was all */
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
	EVENT_DEREGISTERED, /* the core was told; status: what it answered, 0: given up */
	EVENT_MW_UP,
	EVENT_MW_DOWN,
	EVENT_TNA_CHALLENGED,
	EVENT_INVARIANT,
	EVENT_DRAINED,
	EVENT_NET_ALARM, /* err says what: GW_NEIGHBOUR_LOST and its like; peer: about whom */
	EVENT_CONNECTION_BROKEN, /* its last doings follow, as text */
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

#endif
