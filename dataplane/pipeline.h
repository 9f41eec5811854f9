/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PIPELINE_H
#define PIPELINE_H

#include <sys/queue.h>

#include "gateway/gateway.h"
#include "message.h"
#include "netif.h"
#include "tls/tls.h"
#include "ws/ws.h"

#include "worker.h"

/* Shared by worker.c (the loop), back_end.c, sleep.c, session.c (W2), mw.c (Mw) and command.c only.
 */

#define SMALL_BUFFER 4096
#define LARGE_BUFFER_MIN 16384 /* an HTTP head, and well apart from the small ones */
#define VERIFY_BATCH 64	       /* signatures submitted, and verdicts taken, in one turn */

/* The configuration has 256 WWSFs at most; rows for those of before a reload too. */
#define WWSF_KEYS 2048

enum session_state {
	SESSION_PROXY,	   /* the header of a load balancer awaited */
	SESSION_HANDSHAKE, /* TLS under way */
	SESSION_UPGRADE,   /* HTTP request awaited */
	SESSION_OPEN,	   /* WebSocket: SIP flows */
	SESSION_CLOSING,   /* our close is sent: what comes is dropped */
	SESSION_STATES
};

/** A WIC's connection above TCP. Owner: the worker; born at accept, dies with closed. */
struct session {
	struct conn *conn;
	struct tls *tls;
	struct worker *worker;
	enum session_state state;
	struct ws_reader reader;
	uint8_t *in;  /* lent from small or large; NULL when nothing has come */
	uint8_t *out; /* lent from large; NULL when nothing waits */
	uint32_t in_len, in_size;
	uint32_t head_seen; /* bytes of the HTTP request looked at for its end */
	uint32_t out_at, out_len;
	bool waiting;	    /* for the verdict of job: nothing is read meanwhile */
	bool broken;	    /* TLS failed: only our alert still goes out */
	bool bound;	    /* it had a binding when last looked at */
	bool was_bound;	    /* it had a binding once */
	bool tls_waits;	    /* for its next step of the handshake, in a later turn */
	uint8_t unparsable; /* messages that were not SIP, in a row */
	struct wic wic;
	uint64_t since_us;	/* accepted */
	uint64_t heard_us;	/* last byte */
	uint64_t registered_us; /* when it was opened, or last seen with a binding */
	uint64_t waiting_us;	/* deadline of the verdict */
	uint64_t ping_us;	/* when the next ping is due */
	struct handle job;	/* the last one submitted */
	uint64_t partial_us;	/* since when part of a message waits for the rest; 0: none does */
	uint64_t messages_in, messages_out;
	struct endpoint peer;	    /* the client, also behind a load balancer */
	uint32_t address_row;	    /* of worker.addresses, or RATES_NONE */
	uint32_t site_row;	    /* of worker.sites, or RATES_NONE */
	uint32_t config_generation; /* in which wic.wwsf and wic.disowned hold */
	uint16_t origin_len;
	uint8_t origin[WS_ORIGIN_MAX];
	TAILQ_ENTRY(session) tls_next; /* while tls_waits */
};

TAILQ_HEAD(sessions, session);

/** A part of what waits to go out on a link, lent from link_buffers. */
struct mw_chunk {
	TAILQ_ENTRY(mw_chunk) next;
	uint32_t at, len; /* bytes that are out, and that there are */
	uint8_t bytes[];
};

TAILQ_HEAD(mw_chunks, mw_chunk);

/** A TCP connection with the core, opened by us or by it. Owner: the worker. */
struct mw_link {
	struct conn *conn;
	struct worker *worker;
	const struct tls_ops *layer; /* what is on the connection */
	struct tls *tls;	     /* its; NULL while the connection is being opened */
	enum mw_transport transport; /* MW_TCP, MW_TLS */
	bool up;		     /* it takes messages: connected, and TLS has been agreed on */
	bool finished;		     /* nothing more comes back on it: no new request takes it */
	bool broken;		     /* TLS failed: only our alert still goes out */
	bool ours;		     /* opened by us, to target */
	struct mw_target target;
	uint8_t *in; /* lent from link_buffers */
	uint32_t in_len;
	struct mw_chunks out; /* in order; each but the last is full */
	uint32_t out_len;     /* bytes that wait in them, at most limits.mw_output */
	uint32_t owed;	      /* the peer's requests that have no final response yet */
	uint64_t used_us;     /* last message in or out */
	uint64_t heard_us;    /* last byte in */
	uint64_t pinged_us;   /* our ping that nothing has come after; 0: none */
};

#define MW_LINKS_MAX 256
#define MW_LINKS_ACCEPTED_MAX (MW_LINKS_MAX / 2) /* the rest is for our own */
#define MW_DOWN_MAX 16

/** A next hop that failed, and until when it is left alone. */
struct mw_down {
	struct mw_target target;
	uint64_t until_us;
};

/** A token that control wants explained: its signature is being checked. One at a time, the last
 * one that was asked for. */
struct explaining {
	bool waiting;
	uint32_t id; /* of the command; also the slot of the job's owner */
	uint32_t wwsf;
	uint32_t len;
	uint8_t token[VERIFY_TEXT_MAX + 1]; /* a longer one stays too long */
};

struct tracing;

struct worker {
	/* read-mostly */
	struct worker_config config;
	uint32_t traces; /* that are on */
	struct tracing *tracing;
	const struct tls_ops *tls;
	struct tls_context *tls_context, *mw_tls_context;
	struct net_core *net[NET_BACK_ENDS]; /* NULL: no port needs it */
	int epoll_fd;			     /* of sleep.c */
	struct verifier *verifier;
	struct gateway *gateway;
	struct gateway_env gateway_env;
	uint32_t large_size;
	/* pools */
	struct slots *sessions;
	struct slots *links;
	struct slots *small;
	struct slots *large;
	struct slots *link_buffers; /* apart: WICs that fill large do not cut off the core */
	struct slots *jobs;
	struct rates *addresses; /* upgrades and open connections, by endpoint_source() */
	struct rates *sites;	 /* the same, by the WWSF's name */
	uint8_t rates_key[16];
	/* per turn */
	struct net_clock clock;
	struct snapshot view;
	bool busy; /* this turn did something */
	bool draining;
	bool drained;		   /* and the log has been told */
	uint64_t broken_told;	   /* invariants the log has been told of */
	uint32_t peers_generation; /* of the configuration whose mw.trusted the back ends know */
	uint32_t drain_cursor;
	uint32_t tls_generation, mw_tls_generation; /* of the parts that the contexts are from */
	uint32_t tls_steps_left;		    /* of handshakes, in this turn */
	struct sessions tls_waiting;		    /* for the next turn's, in their order */
	/* jobs not yet submitted, as many as there are: a turn's work is bounded, not its input */
	struct verify_job **batch;
	uint32_t batch_count;
	uint32_t links_accepted; /* links that the core has opened */
	struct explaining explaining;
	struct mw_down down[MW_DOWN_MAX];
	uint8_t *answer;  /* a refusal in the making */
	uint8_t *scratch; /* a frame in the making */
	uint32_t scratch_size;
	/* written by others */
	_Atomic bool stop;
	/* statistics */
	_Alignas(64) struct counters counters;
};

static inline const struct config_part *worker_settings(const struct worker *w)
{
	return w->view.config;
}

/** Whether anybody wants to see SIP messages: the one branch that a message costs when nobody does.
 */
static inline bool worker_traces(const struct worker *w)
{
	return __builtin_expect(w->traces > 0, 0);
}

/** One SIP message from the core. */
void worker_from_mw(struct worker *w, const struct mw_source *source, struct span bytes);

/** Randomness for what hangs off a worker; context: the worker. */
uint64_t worker_random(void *context);

/** Counts a refusal: the one place. */
enum gw_err worker_count(struct worker *w, enum gw_err err);

/** The back end that reaches the core. */
static inline struct net_core *worker_mw_net(const struct worker *w)
{
	return w->net[worker_settings(w)->mw_back_end];
}

/** A free job, or NULL; and its way to the driver, or back to the pool when its owner is none. */
struct verify_job *worker_job(void *context);
void worker_submit(void *context, struct verify_job *job);

/** Sends an event to control's log; dropped and counted when the ring is full. */
void worker_event(struct worker *w, struct message_event *event);
void worker_event_with(struct worker *w, struct message_event *event, struct span trace);

/* session.c */
extern const struct conn_ops session_ops; /* listener context: the worker */
/** One SIP message to a WIC. GW_STALE, GW_WS_SLOW. */
enum gw_err GW_MUST_CHECK session_send(struct worker *w, struct handle flow, struct span bytes);
struct wic *session_wic(struct worker *w, struct handle flow);
/** The verdict of a job whose owner is a session. */
void session_verdict(struct worker *w, struct handle flow, struct handle job, enum gw_err verdict);
/** The home worker of the pair that it asks for has answered: its message goes on. */
void session_leased(struct worker *w, struct handle flow);
/** A request that was parked has been handled: a refused one is answered. */
void session_resumed(struct worker *w, const struct gateway_resumed *resumed);
/** Closes a session whose binding an operator has ended (PROTOCOL 2.2). */
void session_end(struct worker *w, const struct gateway_ended *ended);
/** Closes sessions with code 1001, some in each turn. True: there are more. */
bool session_drain(struct worker *w);
uint32_t session_rows(struct worker *w, uint32_t *cursor, uint32_t max, struct row_session *rows);

/** Ends it without a word. The gateway hears of it at closed: we may be inside a call of its. */
void session_cut(struct session *s, enum gw_err why);

/* session_admit.c: for session.c alone, but for the first two */
/** Makes the worker's limits of who may come in. GW_NO_MEMORY. */
enum gw_err GW_MUST_CHECK session_admit_open(struct worker *w);
void session_admit_close(struct worker *w);
/** True for a peer that brings clients with a PROXY header. */
bool session_admit_balancer(const struct worker *w, const struct endpoint *peer);
/** Reads that header. True: the client is known, TLS begins; false: more is needed, or s is cut. */
bool session_admit_header(struct session *s);
/** Whether a connection may be upgraded, and if not, after how many seconds to come again. */
struct admission {
	enum gw_err err; /* GW_OK, GW_CONN_LIMIT, GW_HTTP_RATE, GW_HTTP_ORIGIN_LIMIT */
	uint32_t retry_s;
};
/** Asks the limits of the worker, of the client's address and of its WWSF, and counts s there if
 * they let it. */
struct admission session_admit(struct session *s, uint32_t wwsf);
/** Counts s no more, wherever it was counted. */
void session_dismiss(struct session *s);

/** Goes on with a handshake that waited; for session_tls.c alone. */
void session_tls_resume(struct session *s);

/* session_tls.c */
/** Takes this worker's TLS contexts, of W2 and Mw, when the turn's view has new ones. */
void session_tls_context(struct worker *w);
/** A new turn: goes on with handshakes that wait, as far as a turn may. */
void session_tls_turn(struct worker *w);
/** True when handshakes wait for the next turn. */
bool session_tls_waiting(const struct worker *w);
/** May s take a step of its handshake? False: it is taken in a later turn by itself. */
bool session_tls_step(struct session *s);
/** s waits no more. */
void session_tls_forget(struct session *s);
/** Tells the log whose alert ended a handshake, and which name was asked for. */
void session_tls_failed(struct session *s, enum gw_err err);

/* session_io.c: for session.c alone */
/** Gives a pooled object back; one that is not out is a broken invariant, counted. */
void session_buffer_put(struct slots *pool, void *buffer, struct worker *w);
void session_input_release(struct session *s);
/** Room to read into. False: the pool is empty, or the message does not fit any buffer. */
bool session_input_room(struct session *s);
/** Half of the large buffers are for those who have a registration: nobody else fills them all. */
bool session_large_allowed(const struct session *s);
/** Offers TLS what waits; the buffer goes back when all is taken. */
void session_output_flush(struct session *s);
/** Sends bytes in order behind what waits. An error: the session is cut. */
enum gw_err session_output(struct session *s, struct span bytes);
/** One WebSocket frame: head and payload sealed together. */
enum gw_err session_output_frame(struct session *s, enum ws_opcode opcode, struct span payload);

/* mw.c */
/** Opens this worker's Mw listeners and UDP ports: the common entry and its own. GW_SYSTEM. */
enum gw_err GW_MUST_CHECK mw_listen(struct worker *w);
enum gw_err GW_MUST_CHECK mw_request(struct worker *w, const struct mw_target *target,
				     struct span bytes);
enum gw_err GW_MUST_CHECK mw_respond(struct worker *w, const struct mw_source *source,
				     struct span bytes);
/** False: counted. */
bool mw_trusted(struct worker *w, const struct endpoint *peer);
bool mw_hop_up(struct worker *w, const struct mw_target *target);
/** Leaves the hop alone for a while; the entry that ends first makes room. */
void mw_hop_failed(struct worker *w, const struct mw_target *target, enum gw_err why);
void mw_hop_reached(struct worker *w, const struct mw_target *target);

/* mw_link.c */
/** For TCP, and for TLS on it; listener context: the worker. */
extern const struct conn_ops mw_link_ops, mw_link_tls_ops;
/** Sends a request over the connection to target, which is opened when there is none. GW_MW_DOWN,
 * GW_QUEUE_FULL, GW_POOL_EMPTY. */
enum gw_err GW_MUST_CHECK mw_link_request(struct worker *w, const struct mw_target *target,
					  struct span bytes);
/** Sends a response where its request came from. GW_STALE: that has ended. */
enum gw_err GW_MUST_CHECK mw_link_respond(struct worker *w, struct handle conn, struct span bytes);
/** Fills at most max rows of connections from *cursor on; *cursor is moved on, 0 at the end. */
uint32_t mw_link_rows(struct worker *w, uint32_t *cursor, uint32_t max, struct row_mw *rows);

/* mw_tls.c: for mw_link.c alone */
/** A name of the host that link goes to; "" when its URI has none. */
struct span mw_tls_name(const struct mw_link *link);
/** True when the certificate at the other end, which is a good one, is for whom it has to be. */
bool mw_tls_knows(const struct mw_link *link);
/** Tells the log, and counts. */
void mw_tls_refused(struct mw_link *link, enum gw_err err, const char *why);

/* mw_output.c: for mw_link.c alone */
/** Gives a buffer back to link_buffers, if there is one. */
void mw_buffer_put(struct worker *w, uint8_t **buffer);
/** All of bytes behind what waits, or none. GW_QUEUE_FULL: more than limits.mw_output would wait;
 * GW_POOL_EMPTY. */
enum gw_err GW_MUST_CHECK mw_output_put(struct mw_link *link, struct span bytes);
/** Sends as much of what waits as the connection takes. */
void mw_output_flush(struct mw_link *link);
/** What waits is given up. */
void mw_output_drop(struct mw_link *link);

/* back_end.c: each calls all back ends of the worker */
enum gw_err GW_MUST_CHECK back_end_open(struct worker *w);
void back_end_close(struct worker *w);
/** Tells them whom to trust when the configuration is a new one. */
void back_end_peers(struct worker *w);
void back_end_receive(struct worker *w);
void back_end_run_ready(struct worker *w);
void back_end_transmit(struct worker *w);
void back_end_stop_listening(struct worker *w);
bool back_end_idle(const struct worker *w);
/** The earliest of what they say, see conn.h. */
uint64_t back_end_next_us(const struct worker *w);
uint64_t GW_MUST_CHECK back_end_sleep_begin(struct worker *w);
void back_end_sleep_end(struct worker *w);

/* sleep.c */
/** Makes the one epoll of a worker, over its eventfd and the descriptors of its back ends. */
enum gw_err GW_MUST_CHECK sleep_open(struct worker *w);
void sleep_close(struct worker *w);
/** Until something happens, at most until until_us (monotonic; UINT64_MAX: no limit). */
void sleep_wait(struct worker *w, uint64_t until_us);

/* tracing.c */
/** GW_NO_MEMORY. */
enum gw_err GW_MUST_CHECK tracing_open(struct worker *w);
void tracing_close(struct worker *w);
/** A message between a WIC and us, or between the core and us; asked for when worker_traces().
 * Neither is looked at by the gateway here: its message stays indexed. */
void tracing_wic(struct worker *w, enum trace_leg leg, const struct session *s, struct span bytes);
void tracing_mw(struct worker *w, enum trace_leg leg, enum mw_transport transport,
		const struct endpoint *peer, struct span bytes);
/** COMMAND_TRACE, COMMAND_TRACE_END; body: what follows them. */
void tracing_command(struct worker *w, const struct message_command *command, struct span body);

/* show.c */
/** COMMAND_SHOW; body: what follows it. */
void show_command(struct worker *w, const struct message_command *command, struct span body);

/* command.c */
/** Sends head->rows rows behind head, which names the command, to control. */
void command_answer(struct worker *w, struct message_answer *head, const void *rows);
/** What control asks; message begins with struct message_command. */
void command_run(struct worker *w, struct span message);
/** The verdict of a job with VERIFY_WAITER_COMMAND. */
void command_verdict(struct worker *w, const struct verify_job *job);
/** What back ends with packets tell; context: the worker. */
extern const struct net_events command_net_events;

#endif
