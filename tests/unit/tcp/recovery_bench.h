/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RECOVERY_BENCH_H
#define RECOVERY_BENCH_H

#include "tcp/recovery.h"

/**
 * Loss recovery on a bench: one connection whose sender is real, with a virtual clock, and a few
 * lines in the place of tcp.c and tcp_out.c. Sequence numbers and the low 32 bits of the time wrap
 * soon after the start, in every test. Positions are bytes from the first that is sent.
 */

#define MSS 1000u
#define BENCH_SENDINGS 4096u
#define BENCH_FIRST (UINT32_MAX - 4 * MSS)
#define BENCH_NOW_US ((1ull << 32) * 7 - 300000)

struct sending {
	uint32_t at, len; /* bytes from the first */
	bool again;
};

struct bench {
	struct tcp tcp; /* the fakes find the bench by it */
	struct tcb tcb;
	struct net_clock clock;
	struct counters counters;
	uint32_t first; /* sequence number */
	struct rte_mempool *pool;
	bool link_full; /* sendings are refused */
	uint32_t refused;
	struct sending sending[BENCH_SENDINGS];
	uint32_t sendings;
	uint32_t events;   /* enum tcb_event that was told */
	uint32_t wants;	   /* tcp_want_output() */
	uint32_t room;	   /* tcp_out_room() */
	uint32_t timeouts; /* deadlines that have come */
	uint32_t traced[TCP_EVENT_ABORT + 1];
};

struct bench *bench_new(void);
/** The same with an RTT that the handshake gave, of 20 ms. */
#define BENCH_RTT_US 20000u
struct bench *bench_ready(void);
/** Everything is given back; false: a packet is missing. */
bool bench_free(struct bench *b);
/** n records of len bytes wait to be sent. */
void bench_write(struct bench *b, uint32_t n, uint32_t len);
/** As tcp_out.c: what is lost, then what is new, as far as cwnd and window allow. Returns how many.
 */
uint32_t bench_output(struct bench *b);
/** n full segments leave now, whatever cwnd says. */
void bench_send(struct bench *b, uint32_t n);
/** Time passes; the deadline of loss comes when it comes, and what it lets out leaves. */
void bench_wait(struct bench *b, uint32_t us);
/** Time passes, and nothing happens. */
void bench_pass(struct bench *b, uint32_t us);

/** An ACK; positions in bytes. Then the invariants are checked. */
struct told {
	uint32_t ack;
	uint32_t sacks;
	struct tcp_block sack[TCP_SACKS_MAX];
	bool has_ts;
	uint32_t echo;
	bool window_changed;
	uint32_t payload;
};
void bench_told(struct bench *b, const struct told *told);
/** The same in segments: n acknowledged, and [from, to) SACKed where from < to. */
void bench_ack(struct bench *b, uint32_t n);
void bench_sack(struct bench *b, uint32_t n, uint32_t from, uint32_t to);
/** A DSACK of [from, to), in segments. */
void bench_dsack(struct bench *b, uint32_t n, uint32_t from, uint32_t to);
/** n acknowledged by an ACK that echoes a timestamp of ms ago. */
void bench_ack_echo(struct bench *b, uint32_t n, uint32_t ms_ago);

/** The record of the segment that begins at a position (bytes); NULL: there is none. */
struct send_record *bench_record(struct bench *b, uint32_t at);
/** ms until the deadline of loss; UINT32_MAX: there is none. */
uint32_t bench_deadline(const struct bench *b);
/** List, counts and pipe are as they should be. */
bool bench_sound(struct bench *b);
/** How often the segment n was sent. */
uint32_t bench_times(const struct bench *b, uint32_t n);

#endif
