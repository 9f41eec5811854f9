/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCB_H
#define TCB_H

#include "core/core.h"
#include "netif.h"
#include "packet.h"
#include "parts.h"
#include "tcp/tcp.h"

/*
 * Inside of the packet TCP; nobody outside of tcp/ includes it (its tests do). Who does what:
 *   tcp.c          life, turn, lists, deadlines      connection.c  the user's functions
 *   tcp_in.c       a segment from lookup to state    tcp_out.c     send queue, segments, RST and
 * ACK receive.c      bytes in order, window            ooo.c         bytes out of order, SACK
 * blocks recovery.c     scoreboard, RACK, TLP, RTO, undo  congestion.c  NewReno handshake.c
 * half-open connections             cookie.c      SYN cookies source.c       limits of a source
 * time_wait.c   TIME-WAIT table.c        ends -> index                     secret.c      ISN,
 * timestamps, ephemeral ports path.c         segment size                      trace.c       the
 * ring of events Pointers to a connection live for a turn; what outlives it holds a handle.
 */

/* ---- sequence numbers (RFC 9293 3.4): the only comparisons of them there are --------------------
 */

static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}
static inline bool seq_after(uint32_t a, uint32_t b)
{
	return (int32_t)(b - a) < 0;
}
/** start <= x < end, for ranges shorter than 2^31. */
static inline bool seq_in(uint32_t x, uint32_t start, uint32_t end)
{
	return x - start < end - start;
}
static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
	return seq_before(a, b) ? b : a;
}

/* ---- the ends of a connection -------------------------------------------------------------------
 */

struct tcp_ends {
	struct ip_address local, remote;
	uint16_t local_port, remote_port;
};
_Static_assert(sizeof(struct tcp_ends) == 36, "hashed and compared as bytes");

static inline bool tcp_ends_equal(const struct tcp_ends *a, const struct tcp_ends *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* ---- table.c: from ends to an index. Open addressing, linear probing, backward-shift deletion,
 * never resized, at most half full; the hash is keyed. The objects lie in the owner's array: their
 * ends are at base + index * stride + offset.
 * ------------------------------------------------------- */

struct tcp_table;
struct tcp_table_config {
	uint32_t capacity; /* objects */
	const void *base;
	uint32_t stride, offset; /* bytes */
	uint8_t key[16];
};
#define TCP_TABLE_NONE UINT32_MAX
struct tcp_table *tcp_table_new(const struct tcp_table_config *config);
void tcp_table_free(struct tcp_table *table);
/** The index of the object with these ends, or TCP_TABLE_NONE. */
uint32_t tcp_table_find(const struct tcp_table *table, const struct tcp_ends *ends);
/** The object at index has its ends; nobody has the same. False: full. */
bool GW_MUST_CHECK tcp_table_add(struct tcp_table *table, uint32_t index);
/** Before the object's ends change. False: it was not there. */
bool tcp_table_remove(struct tcp_table *table, uint32_t index);
uint32_t tcp_table_count(const struct tcp_table *table);

/* ---- packets of the two directions: records beside them (packet_private())
 * ----------------------- */

/** A part of the stream that waits to be sent or acknowledged; its payload is the packet's data. */
enum send_flag {
	SEND_SENT = 1,	 /* at least once */
	SEND_SACKED = 2, /* the peer has it */
	SEND_LOST = 4,	 /* taken for lost, and not sent again yet */
	SEND_AGAIN = 8,	 /* its last transmission was not the first */
	SEND_FIN = 16,	 /* FIN follows its last byte */
};
struct send_record {
	struct rte_mbuf *next, *prev;
	uint32_t seq;
	uint32_t len; /* sequence numbers: bytes, and 1 for FIN */
	uint32_t sent_us,
		first_sent_us; /* low 32 bits of the time; of the last and first sending */
	uint32_t head_us;      /* recovery.c's: the RTO of the first record counts from here */
	uint16_t count;	       /* sendings */
	uint8_t flags;
};
static inline struct send_record *send_record(struct rte_mbuf *packet)
{
	return packet_private(packet);
}
/** Counts for pipe: under way, as far as we know. */
static inline bool send_in_flight(const struct send_record *r)
{
	return (r->flags & (SEND_SENT | SEND_SACKED | SEND_LOST)) == SEND_SENT;
}

/** Received bytes: in order (receive.c; at, len: what the user has not consumed is the packet's
 * data) or not yet (ooo.c). */
struct receive_record {
	struct rte_mbuf *next;
	struct rte_mbuf *recent; /* ooo.c, in its first: the one that came last */
	uint32_t seq;
	uint32_t len; /* sequence numbers, FIN included */
	bool fin;
};
static inline struct receive_record *receive_record(struct rte_mbuf *packet)
{
	return packet_private(packet);
}

/* ---- a connection: 384 bytes, by who touches what when
 * ------------------------------------------- */

enum tcp_state {
	TCP_CLOSED, /* told or about to be told; given back at the end of the turn */
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED, /* simultaneous open only: who comes in is a mini until he sends */
	TCP_ESTABLISHED,
	TCP_FIN_WAIT_1,
	TCP_FIN_WAIT_2,
	TCP_CLOSE_WAIT,
	TCP_CLOSING,
	TCP_LAST_ACK,
	TCP_STATES
};
const char *tcp_state_text(enum tcp_state state);

enum tcb_flag {
	TCB_TIMESTAMPS = 2,	/* negotiated */
	TCB_SACK = 4,		/* negotiated, and not switched off for garbage */
	TCB_SCALE = 8,		/* negotiated */
	TCB_ACK_NOW = 16,	/* an ACK leaves in this turn */
	TCB_DUPLICATE = 32,	/* and dsack is to be told with it */
	TCB_FIN_QUEUED = 64,	/* the user has shut down: FIN is in the send queue, or sent */
	TCB_FIN_RECEIVED = 128, /* rcv_nxt is past the peer's FIN */
	TCB_PAUSED = 256,
	TCB_NO_ROOM = 512, /* the user found no room: tell him writable at low water */
	TCB_READY = 1024,  /* on the ready list */
	TCB_OUTPUT = 2048, /* on the output list */
	TCB_TOLD_FIN = 4096,
	TCB_ACCEPTED = 8192,	  /* the user knows it: closed will be called */
	TCB_PROBING = 16384,	  /* the window is closed: persist */
	TCB_CWND_LIMITED = 32768, /* cwnd kept data back since the last round trip */
};

/** What the user has not been told yet. */
enum tcb_event {
	EVENT_ACCEPT = 1,
	EVENT_CONNECTED = 2,
	EVENT_READABLE = 4,
	EVENT_WRITABLE = 8,
	EVENT_FIN = 16,
	EVENT_DEADLINE = 32,
	EVENT_CLOSED = 64,
};

/** Deadlines; the timer stands at the earliest. */
enum tcb_deadline {
	DEADLINE_LOSS, /* what for: loss_kind */
	DEADLINE_ACK,  /* a delayed ACK */
	DEADLINE_USER, /* the connection ends when its peer makes no progress: what for follows from
			  the state */
	DEADLINE_APP,  /* conn_set_deadline() */
	DEADLINES
};
enum loss_kind { LOSS_RTO, LOSS_PROBE /* TLP */, LOSS_REORDER /* RACK */, LOSS_PERSIST };

enum recovery_phase { PHASE_OPEN, PHASE_RECOVERY /* PRR */, PHASE_LOSS /* after RTO */ };

struct recovery {
	uint32_t rack_sent_us, rack_end, rack_rtt_us; /* RFC 8985 5.2 */
	uint32_t min_rtt_us[2];			      /* of this and the last 30 s */
	uint32_t fack;	  /* highest end that was SACKed or acknowledged */
	uint32_t recover; /* the episode ends when snd_una reaches it */
	uint32_t prr_delivered, prr_out, prr_flight; /* RFC 6937 */
	uint32_t prior_cwnd, prior_ssthresh;	     /* before the episode, for undo */
	uint32_t undo_ts;      /* timestamp of the first retransmission; Eifel */
	uint32_t tlp_end;      /* snd_nxt when the probe left; phase_flags */
	uint16_t undo_count;   /* retransmissions of the episode that no DSACK has named yet */
	uint16_t min_rtt_at_s; /* this period began; low bits */
	uint8_t phase : 2;     /* enum recovery_phase */
	uint8_t flags : 6;     /* recovery.c's */
	uint8_t reo_persist : 5;
	uint8_t garbage : 3; /* SACKs in a row that made no sense */
	uint8_t reo_mult;
	uint8_t dupacks;
};

struct tcb {
	/* found by, received by */
	struct conn conn;
	struct tcp_ends ends;
	uint8_t state;	   /* enum tcp_state */
	uint8_t loss_kind; /* enum loss_kind */
	uint16_t flags;	   /* enum tcb_flag */
	uint32_t rcv_nxt;
	uint32_t rcv_edge; /* right edge of the window we have advertised: never moves left */
	uint32_t snd_una;
	uint32_t snd_nxt; /* after all that was ever sent, SYN and FIN included */
	/* acknowledgement and sending */
	uint32_t snd_end; /* after all that is queued, FIN included */
	uint32_t snd_wnd, snd_wl1, snd_wl2, snd_wnd_max; /* bytes, scaled */
	uint32_t cwnd, ssthresh;			 /* bytes */
	uint32_t srtt_us,
		rttvar_us; /* srtt 0: no sample yet, and rttvar is the RTO if it is not 0 */
	uint32_t pipe;	   /* sequence numbers of records with send_in_flight() */
	uint32_t ts_recent, ts_recent_s; /* value, and when it came */
	uint32_t last_ack;		 /* RCV.NXT of the last ACK we sent (RFC 7323 4.3) */
	uint16_t mss; /* bytes of payload we send at most, options of each segment taken off */
	uint8_t snd_shift, rcv_shift;
	uint8_t backoff;    /* doublings of the RTO, or of persist */
	uint8_t quick_acks; /* so many are not delayed any more */
	uint8_t challenges; /* sent in challenge_s */
	uint32_t dsack_end; /* recovery.c's: DSACKs up to here count once (RFC 8985 6.2) */
	/* queues and user */
	struct rte_mbuf *send_first, *send_last;
	struct rte_mbuf *send_unsent; /* first that was never sent */
	struct rte_mbuf *receive_first, *receive_last;
	struct rte_mbuf *ooo_first;
	struct tcp *tcp;
	void *context; /* until accept: the listener's */
	/* timers, what is held */
	struct timer timer;
	uint32_t deadline_ms[DEADLINES]; /* low 32 bits of the time in ms; 0: none */
	uint32_t receive_bytes;		 /* in order, not consumed */
	uint32_t receive_held;		 /* true size of both receive queues */
	uint16_t ooo_packets, send_packets;
	uint32_t sent_us; /* low 32 bits of when data left last */
	/* loss */
	struct recovery rec;
	/* seldom */
	uint32_t iss; /* follows snd_una at a distance: ACKs of what is before it are refused */
	uint32_t irs;
	uint32_t ready_next, output_next; /* slot of the next on the list, or TCP_TABLE_NONE */
	uint32_t source;		  /* source.c's row */
	uint32_t ts_offset;
	struct tcp_block dsack;
	uint32_t ooo_recent[3]; /* sequence numbers in the ranges that grew last, newest first */
	uint32_t ca_acked;	/* bytes acknowledged towards the next growth of cwnd */
	uint32_t limited_end;	/* snd_nxt when cwnd last was seen to limit */
	uint32_t born_s;
	uint16_t challenge_s; /* second that challenges counts, low bits */
	uint16_t retransmits;
	uint8_t events;	  /* enum tcb_event */
	uint8_t why;	  /* enum gw_err of closed */
	uint8_t progress; /* bytes acknowledged since the last real progress, at most 255 */
	uint8_t ops_at;	  /* in tcp->user_ops */
};

/* ---- the instance -------------------------------------------------------------------------------
 */

#define TCP_LISTENERS NET_LISTENERS
#define TCP_OPS_MAX 32u	      /* different users */
#define TCP_SEND_RESERVE 16u  /* packets no user gets: to split records, to queue FINs */
#define TCP_SEGMENTS_MAX 512u /* in the send queue of a connection (TCP.md 5.6) */
#define TCP_MSS4 1360u	      /* announced; TCP.md 5.13 */
#define TCP_MSS6 1220u
#define TCP_MSS_FLOOR 216u
#define TCP_SHIFT 3u /* of our window */

struct tcp_listener {
	struct endpoint local;
	bool any; /* the wildcard address */
	const struct conn_ops *ops;
	void *context;
};

/** A list of connections by slot, first in first out. */
struct tcb_list {
	uint32_t first, last; /* TCP_TABLE_NONE: empty */
	uint32_t count;
};

struct tcp_secrets {
	uint8_t isn[16], ts[16], port[16], table[16], source[16], cookie[2][16];
	uint8_t cookie_newer; /* index of the one that makes cookies */
};

struct handshake;
struct sources;
struct time_waits;
struct tracer;

struct tcp {
	struct tcp_config config;
	struct tcp_limits limits;
	struct counters *counters;
	struct slots *tcbs;
	struct tcp_table *table;
	struct wheel *wheel;
	struct rte_mempool *send_pool;
	struct tcp_secrets secrets;
	struct handshake *handshake;
	struct sources *sources;
	struct time_waits *time_waits;
	struct tracer *tracer;
	struct tcb_list ready, output;
	struct tcb_list dead; /* given back at the end of the turn */
	const struct conn_ops *user_ops[TCP_OPS_MAX];
	uint32_t user_ops_count;
	bool blocked;  /* the link took no more of somebody's in this turn */
	bool draining; /* tcp_stop_listening() */
	bool stopping; /* tcp_free() */
	uint32_t listeners;
	struct tcp_listener listener[TCP_LISTENERS];
	uint32_t send_live; /* packets in all send queues */
	uint32_t held;	    /* true size of all receive queues */
	uint32_t held_max;  /* bytes; pressure is measured against it */
	uint32_t relieved;  /* slot where relieving goes on */
	uint64_t rst_at_us;
	uint32_t rst_tokens;
	uint32_t box_s, boxes; /* black boxes of this second */
	uint32_t
		work; /* steps of loops over queues for the last segment: the simulator bounds it */
};

/** What our SYN or SYN-ACK advertises, bytes; it is not scaled. */
static inline uint16_t tcp_syn_window(const struct tcp *tcp)
{
	uint32_t bytes = tcp->config.net.limits.receive_bytes;

	return (uint16_t)(bytes < UINT16_MAX ? bytes : UINT16_MAX);
}

/* The stamps: all times of TCP are low 32 bits of these. */
static inline uint64_t tcp_now_us(const struct tcp *tcp)
{
	return tcp->config.net.clock->now_us;
}
static inline uint32_t tcp_now_ms(const struct tcp *tcp)
{
	return (uint32_t)(tcp_now_us(tcp) / 1000);
}
static inline uint32_t tcp_now_s(const struct tcp *tcp)
{
	return (uint32_t)(tcp_now_us(tcp) / 1000000);
}
/** The clock of our timestamps: 1 ms. */
static inline uint32_t tcp_ts_now(const struct tcp *tcp, const struct tcb *tcb)
{
	return tcp_now_ms(tcp) + tcb->ts_offset;
}

/* ---- tcp.c
 * --------------------------------------------------------------------------------------- */

/** An invariant is broken: counted where the worker looks, who tells the log. */
static inline void tcp_broken(struct tcp *tcp)
{
	counter_add(&tcp->counters->invariant_broken, 1);
}
/** Counts what is dropped or refused: the one place. Returns err. */
enum gw_err tcp_count(struct tcp *tcp, enum gw_err err);
/** A new connection in state CLOSED with its ends, in the table; NULL: none is left, or the ends
 * are taken. Everything else is zero, but the lists and DEADLINEs. */
struct tcb *tcp_tcb_new(struct tcp *tcp, const struct tcp_ends *ends);
/**
 * Ends it: packets are given back, timers disarmed, the user is told why at the next
 * tcp_run_ready(), and it is recycled at the end of a turn after that. Sends nothing.
 */
void tcp_tcb_close(struct tcp *tcp, struct tcb *tcb, enum gw_err why);
/** The same with a reset to the peer, where he is owed one. Counts why. */
void tcp_tcb_abort(struct tcp *tcp, struct tcb *tcb, enum gw_err why);
struct tcb *tcp_tcb_find(const struct tcp *tcp, const struct tcp_ends *ends);
uint32_t tcp_tcb_slot(const struct tcp *tcp, const struct tcb *tcb);
void tcp_set_state(struct tcp *tcp, struct tcb *tcb, enum tcp_state state);
/** Who is told of it. False: too many different ones (never for a listener's, whom tcp_listen() has
 * noted). */
bool GW_MUST_CHECK tcp_tcb_user(struct tcp *tcp, struct tcb *tcb, const struct conn_ops *ops,
				void *context);
/** Ends in order: as tcp_tcb_close(), but what was received is still the user's to read, and he is
 * told of the FIN first. */
void tcp_tcb_finish(struct tcp *tcp, struct tcb *tcb);
/** The deadline for the peer's progress, anew: by state and by what is under way. */
void tcp_progress(struct tcp *tcp, struct tcb *tcb);
/** The user will be told. */
void tcp_event(struct tcp *tcp, struct tcb *tcb, enum tcb_event event);
/** tcp_transmit() looks at it. */
void tcp_want_output(struct tcp *tcp, struct tcb *tcb);
/** ms from now, at least 1; sooner or later than before. */
void tcp_deadline(struct tcp *tcp, struct tcb *tcb, enum tcb_deadline which, uint32_t ms);
void tcp_no_deadline(struct tcp *tcp, struct tcb *tcb, enum tcb_deadline which);
static inline bool tcp_has_deadline(const struct tcb *tcb, enum tcb_deadline which)
{
	return tcb->deadline_ms[which] != 0;
}
struct tcp_listener *tcp_listener_find(struct tcp *tcp, const struct ip_address *local,
				       uint16_t port);
/** How short of packets the worker is: 0 not, 1 windows are small, 2 nothing out of order is
 * kept and nobody accepted, 3 who holds most is reset (TCP.md 5.7: 50, 75, 90 %). */
uint32_t tcp_pressure(const struct tcp *tcp);
/** More than percent of the packets for bytes of users are in send queues. */
static inline bool tcp_sends_above(const struct tcp *tcp, uint32_t percent)
{
	return (uint64_t)tcp->send_live * 100 > (uint64_t)tcp->limits.send_packets * percent;
}

/* ---- tcp_in.c
 * ------------------------------------------------------------------------------------ */

/** A segment for a connection that exists (also the one that handshake.c has just made). */
void tcp_in_connection(struct tcp *tcp, struct tcb *tcb, const struct tcp_arrival *arrival);
/** Sequence numbers that a segment takes. */
static inline uint32_t tcp_in_len(const struct tcp_packet *segment)
{
	return segment->payload.len + ((segment->flags & TCP_SYN) != 0) +
	       ((segment->flags & TCP_FIN) != 0);
}
static inline struct tcp_ends tcp_arrival_ends(const struct tcp_arrival *arrival)
{
	return (struct tcp_ends){arrival->local, arrival->remote, arrival->tcp.dst_port,
				 arrival->tcp.src_port};
}
/** The packet of an arrival cut to its payload, which may be empty; the caller's from now on. NULL:
 * it is taken already. */
struct rte_mbuf *tcp_in_take(const struct tcp_arrival *arrival);

/* ---- tcp_out.c
 * ----------------------------------------------------------------------------------- */

/** All that a connection may send now: lost segments, new ones, then an ACK that is due. */
void tcp_out_run(struct tcp *tcp, struct tcb *tcb);
/** SYN (TCP_SYN_SENT) or SYN-ACK (TCP_SYN_RECEIVED). */
void tcp_out_syn(struct tcp *tcp, struct tcb *tcb);
/** An ACK now, in tcp_transmit(). */
void tcp_out_ack(struct tcp *tcp, struct tcb *tcb);
/** The same, of the kind that is limited to 10 a second for each connection (RFC 5961 7). */
void tcp_out_challenge(struct tcp *tcp, struct tcb *tcb);
/** A reset of a connection that we end. */
void tcp_out_reset(struct tcp *tcp, const struct tcb *tcb);
/** The answer to a segment of no connection (RFC 9293 3.5.2), at 10,000 a second. */
void tcp_out_refuse(struct tcp *tcp, const struct tcp_arrival *arrival);
/** One record again; GW_OK or why not now. Only recovery.c asks. */
enum gw_err GW_MUST_CHECK tcp_out_again(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *record);
/** The persist timer: a probe of the closed window. */
void tcp_out_probe_window(struct tcp *tcp, struct tcb *tcb);
/** What is queued goes back to the pool. */
void tcp_out_drop(struct tcp *tcp, struct tcb *tcb);
/** An ACK at once, for a connection that is given back in this turn. */
void tcp_out_ack_alone(struct tcp *tcp, struct tcb *tcb);
/** See conn_tx_reserve(), conn_tx_commit(); and FIN behind what was committed. */
void *tcp_out_reserve(struct tcp *tcp, struct tcb *tcb, uint32_t *room);
void tcp_out_commit(struct tcp *tcp, struct tcb *tcb, uint32_t n);
void tcp_out_finish(struct tcp *tcp, struct tcb *tcb);
/** The bytes that the user may add. */
uint32_t tcp_out_room(const struct tcp *tcp, const struct tcb *tcb);

/* ---- receive.c: what has come in order, and the window
 * -------------------------------------------- */

/**
 * Bytes at rcv_nxt, which moves on. packet_owned: their packet, cut to them; NULL with fin alone.
 * Small ones are copied into the last packet. Takes what ooo.c has behind them, and notes the FIN.
 * GW_TCP_TRUE_SIZE: refused, nothing moved.
 */
enum gw_err GW_MUST_CHECK receive_data(struct tcp *tcp, struct tcb *tcb,
				       struct rte_mbuf *packet_owned, bool fin);
const void *receive_peek(const struct tcb *tcb, uint32_t offset, uint32_t *len);
/** Asks for an ACK when the window has opened enough (RFC 9293 3.8.6.2.2, TCP.md 5.7). */
void receive_consume(struct tcp *tcp, struct tcb *tcb, uint32_t n);
/**
 * The window to be advertised now, bytes from rcv_nxt; moves rcv_edge, to the right only. A
 * multiple of the scale's unit, of what was advertised never less but by a part of a unit (RFC
 * 7323 2.4), and that only when the buffer is full; 0 follows when it is.
 */
uint32_t receive_window(struct tcp *tcp, struct tcb *tcb);
/** Drops all that has come, in order or not. */
void receive_drop(struct tcp *tcp, struct tcb *tcb);
/** The connection may hold this packet too. */
bool receive_fits(const struct tcp *tcp, const struct tcb *tcb, const struct rte_mbuf *packet);
/** Copies a small packet behind the bytes of into; false, nothing changed: not small, or no room.
 */
bool receive_collapse(struct rte_mbuf *into, struct rte_mbuf *packet);
/** Accounts a packet to the connection and the worker, or takes it out. */
void receive_hold(struct tcp *tcp, struct tcb *tcb, const struct rte_mbuf *packet);
void receive_release(struct tcp *tcp, struct tcb *tcb, const struct rte_mbuf *packet);

/* ---- ooo.c: what has come out of order
 * -------------------------------------------------------------- */

#define OOO_RANGES 64u

/**
 * Keeps bytes behind a gap: seq is after rcv_nxt, all is within rcv_edge. Where bytes are there
 * already those stay, and a DSACK is noted. GW_TCP_OOO_RANGES, GW_TCP_TRUE_SIZE, GW_TCP_PRESSURE:
 * dropped, and counted by the caller. Takes packet_owned in any case; that of a FIN alone has no
 * bytes.
 */
enum gw_err GW_MUST_CHECK ooo_add(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *packet_owned,
				  uint32_t seq, bool fin);
/**
 * The first packet if it begins at or before rcv_nxt, cut to what is new, released from accounting
 * (receive_data() holds it again); *fin: FIN follows it. NULL with *fin false: there is none; NULL
 * with *fin true: FIN alone.
 */
struct rte_mbuf *ooo_next(struct tcp *tcp, struct tcb *tcb, bool *fin);
/**
 * Up to max blocks for an ACK, the DSACK first when there is one (RFC 2883), then by RFC 2018 4. 0
 * without TCB_SACK. Changes nothing: tcp_out.c clears TCB_DUPLICATE when the ACK has left.
 */
uint32_t ooo_blocks(const struct tcb *tcb, struct tcp_block *blocks, uint32_t max);
/** Data that came twice: told once, by the next ACK. Of several before it the first is told, and
 * what touches it. */
void ooo_duplicate(struct tcb *tcb, uint32_t start, uint32_t end);
/** Drops all: the peer sends it again. */
void ooo_drop(struct tcp *tcp, struct tcb *tcb);

/* ---- recovery.c
 * -------------------------------------------------------------------------------------- */

void recovery_init(struct tcp *tcp, struct tcb *tcb);
/**
 * A valid ACK: arrival's ack <= snd_nxt; snd_wnd is the new one, window_changed says whether. Of
 * one that is older than snd_una only the SACK blocks count (ACKs that have been reordered). Moves
 * snd_una, gives acknowledged records back, takes SACK blocks, samples the RTT, finds losses,
 * begins, ends and undoes episodes, grows cwnd, sets DEADLINE_LOSS. Calls nobody; what may be sent
 * now is asked by tcp_out_run().
 */
void recovery_ack(struct tcp *tcp, struct tcb *tcb, const struct tcp_packet *segment,
		  bool window_changed);
/** A record has been taken by the link, for the first time or again: stamps, pipe, PRR, deadline.
 */
void recovery_sent(struct tcp *tcp, struct tcb *tcb, struct rte_mbuf *record);
/** The first record that is to be sent again, or NULL. */
struct rte_mbuf *recovery_next(const struct tcb *tcb);
/** Sequence numbers that congestion control lets go out now, beyond pipe: cwnd or PRR, limited
 * transmit included. */
uint32_t recovery_room(const struct tcp *tcp, const struct tcb *tcb);
/** DEADLINE_LOSS has come with LOSS_RTO, LOSS_PROBE or LOSS_REORDER. */
void recovery_timeout(struct tcp *tcp, struct tcb *tcb);
/** An RTT sample that the handshake gave. */
void recovery_rtt(struct tcp *tcp, struct tcb *tcb, uint32_t rtt_us);
/** Without backoff. */
uint32_t recovery_rto_us(const struct tcb *tcb);
/** Records were split or dropped: pipe is counted anew. */
void recovery_recount(struct tcb *tcb);
/** Segments above the new size are marked lost, without a cut of cwnd (TCP.md 5.13). */
void recovery_resized(struct tcp *tcp, struct tcb *tcb);
/** For tests: what pipe should be. */
uint32_t recovery_pipe(const struct tcb *tcb);

/* ---- congestion.c (RFC 5681, 6928, 3465, 7661-style)
 * -------------------------------------------------- */

#define CWND_MAX 262144u

void congestion_init(struct tcb *tcb, bool syn_lost);
/** acked bytes were acknowledged outside of a recovery. */
void congestion_acked(struct tcb *tcb, uint32_t acked);
/** A loss: ssthresh from what was in flight before it. Once for an episode. */
void congestion_cut(struct tcb *tcb, uint32_t flight);
/** Before sending after a silence: cwnd is at most the initial one (RFC 5681 4.1). */
void congestion_idle(const struct tcp *tcp, struct tcb *tcb);
uint32_t congestion_initial(const struct tcb *tcb);

/* ---- handshake.c, cookie.c, source.c, time_wait.c
 * ------------------------------------------------------ */

enum gw_err GW_MUST_CHECK handshake_open(struct tcp *tcp);
void handshake_close(struct tcp *tcp);
bool handshake_knows(const struct tcp *tcp, const struct tcp_ends *ends);
/** A SYN for a listener. isn_floor: an ISN must be after it (a TIME-WAIT of the same ends), or 0.
 */
void handshake_syn(struct tcp *tcp, const struct tcp_arrival *arrival, uint32_t isn_floor);
/**
 * A segment for a half-open connection. The first with payload or FIN makes it a connection:
 * tcp_tcb_new(), EVENT_ACCEPT, and tcp_in_connection(). False: it is none of ours.
 */
bool handshake_segment(struct tcp *tcp, const struct tcp_arrival *arrival);
/** An ACK for a listener and no connection: by a cookie it may become one. False: it is none. */
bool handshake_cookie(struct tcp *tcp, const struct tcp_arrival *arrival);
void handshake_run(struct tcp *tcp);
uint64_t handshake_next_us(const struct tcp *tcp);

/** What a SYN asked for, as a cookie keeps it. */
struct cookie_options {
	uint16_t mss;
	bool has_scale;
	uint8_t scale;
	bool sack;
};
/** The ISN that says options (rounded down to what the tables have) of these ends now. */
uint32_t cookie_make(const struct tcp *tcp, const struct tcp_ends *ends, uint32_t irs,
		     const struct cookie_options *options);
/** False: not one of ours of the last 30 s. */
bool cookie_read(const struct tcp *tcp, const struct tcp_ends *ends, uint32_t irs, uint32_t cookie,
		 struct cookie_options *options);
/** Changes the older secret, every 15 s. */
void cookie_rotate(struct tcp *tcp);

enum gw_err GW_MUST_CHECK source_open(struct tcp *tcp);
void source_close(struct tcp *tcp);
#define SOURCE_NONE UINT32_MAX
/** A SYN of remote: GW_OK and the row, whose half-open count has grown; else why not. */
enum gw_err GW_MUST_CHECK source_syn(struct tcp *tcp, const struct ip_address *remote,
				     uint32_t *source);
/** A half-open connection of source has ended, or become a connection. */
void source_half_open_ended(struct tcp *tcp, uint32_t source);
/** A connection of remote begins; GW_TCP_SOURCE_CONNECTIONS. */
enum gw_err GW_MUST_CHECK source_connection(struct tcp *tcp, const struct ip_address *remote,
					    uint32_t *source);
void source_connection_ended(struct tcp *tcp, uint32_t source);
/** The same for a cookie that has come back: its SYN has been counted to the rate already. */
enum gw_err GW_MUST_CHECK source_cookie_ack(struct tcp *tcp, const struct ip_address *remote,
					    uint32_t *source);
/** False: so many cookies of remote were wrong that none is looked at now. */
bool source_cookie(struct tcp *tcp, const struct ip_address *remote);
void source_cookie_wrong(struct tcp *tcp, const struct ip_address *remote);

enum gw_err GW_MUST_CHECK time_wait_open(struct tcp *tcp);
void time_wait_close(struct tcp *tcp);
bool time_wait_knows(const struct tcp *tcp, const struct tcp_ends *ends);
/** tcb has closed in order, and waits. */
void time_wait_add(struct tcp *tcp, const struct tcb *tcb);
/**
 * A segment of a connection that waits. False: there is none. True: done; but *isn_floor set (not
 * 0): it is a new SYN (RFC 6191), TIME-WAIT has ended, and the caller goes on with the listener.
 */
bool time_wait_segment(struct tcp *tcp, const struct tcp_arrival *arrival, uint32_t *isn_floor);
void time_wait_run(struct tcp *tcp);
uint64_t time_wait_next_us(const struct tcp *tcp);

/* ---- secret.c
 * ------------------------------------------------------------------------------------------- */

void secret_init(struct tcp *tcp);
/** 16 random bytes. */
void secret_key(const struct tcp *tcp, uint8_t key[16]);
/** RFC 6528: 4 us clock + SipHash of the ends. */
uint32_t secret_isn(const struct tcp *tcp, const struct tcp_ends *ends);
/** RFC 7323 5.4: where the timestamps of these ends begin. */
uint32_t secret_ts_offset(const struct tcp *tcp, const struct tcp_ends *ends);
/**
 * Chooses ends->local_port (RFC 6056) so that answers come to this worker and nobody has the ends:
 * GW_POOL_EMPTY when none of the range is.
 */
enum gw_err GW_MUST_CHECK secret_port(struct tcp *tcp, struct tcp_ends *ends);

/* ---- path.c
 * ---------------------------------------------------------------------------------------------- */

/** Payload bytes of a segment over a path of mtu, options taken off as tcb sends them. */
uint16_t path_mss(const struct tcb *tcb, uint16_t peer_mss, uint16_t mtu);
/** "Too big" about bytes in flight. False: not believed. */
bool path_too_big(struct tcp *tcp, struct tcb *tcb, uint32_t mtu);
/** A segment of len bytes has timed out twice: the next lower size, if it is longer than that
 * (TCP.md 5.13). */
void path_black_hole(struct tcp *tcp, struct tcb *tcb, uint32_t len);

/* ---- trace.c
 * --------------------------------------------------------------------------------------------- */

enum gw_err GW_MUST_CHECK trace_open(struct tcp *tcp);
void trace_close(struct tcp *tcp);
void trace(struct tcp *tcp, const struct tcb *tcb, enum tcp_event event, uint32_t value,
	   uint32_t more, uint8_t flags);

/* ---- black_box.c
 * ---------------------------------------------------------------------------------------
 */

/** The connection, still as it was, ends because of why: tells net_events.broken when that is worth
 * it, ten times a second at most. */
void black_box(struct tcp *tcp, const struct tcb *tcb, enum gw_err why);
/**
 * The last of events (oldest first) that fit, as text: for each its age in ms before now_ms and
 * what it was, "-1203 >PA 0+1360": < in, > out, ^ out again, with flags, sequence number behind the
 * first of its direction and length; "rto", "=FIN-WAIT-1", "drop GW_TCP_WINDOW" and so on by their
 * names.
 */
struct span black_box_text(const struct tcp_trace *events, uint32_t count, uint32_t now_ms,
			   char text[NET_TRACE_MAX]);

_Static_assert(sizeof(struct recovery) == 64, "one cache line");
_Static_assert(GW_ERR_COUNT <= UINT8_MAX, "struct tcb, why");
_Static_assert(sizeof(struct tcb) == 384, "six cache lines (TCP.md 5.1)");

#endif
