/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RECOVERY_H
#define RECOVERY_H

#include "tcp/tcb.h"

/*
 * What recovery is made of, and nobody else includes:
 *   recovery.c    an ACK, a sending        scoreboard.c  which record is where
 *   rack.c        round trips, losses      episode.c     recoveries, PRR, undo
 *   loss_timer.c  RTO, tail loss probe, the reordering timer
 */

static inline uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}
static inline uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/** enum of struct recovery, flags: 6 bits. */
enum recovery_flag {
	RECOVERY_REORDERED = 1,	  /* the network has been seen to reorder */
	RECOVERY_PROBE = 2,	  /* a tail loss probe is out: tlp_end */
	RECOVERY_PROBE_AGAIN = 4, /* and it repeated a segment */
	RECOVERY_PROBE_ROOM = 8,  /* the probe is to be the next new segment, whatever cwnd says */
	RECOVERY_UNDO = 16,	  /* prior_cwnd and prior_ssthresh may be restored */
	RECOVERY_DSACK_ROUND = 32 /* dsack_end counts */
};

/** What one ACK has brought. */
struct delivery {
	uint32_t now_us;	     /* low 32 bits */
	uint32_t una;		     /* snd_una before */
	uint32_t flight;	     /* bytes in flight before, for ssthresh */
	uint32_t acked;		     /* sequence numbers that snd_una moved by */
	uint32_t delivered;	     /* acknowledged or SACKed for the first time */
	uint32_t since_us;	     /* since the first sending of the first record acknowledged */
	uint32_t rtt_us, rtt_min_us; /* by records that were sent once; has_rtt */
	struct tcp_block dsack;	     /* empty: none */
	bool has_rtt;
	bool again;	/* a record that was sent again has been acknowledged */
	bool repaired;	/* and it was sent again in this episode */
	bool duplicate; /* a duplicate ACK (RFC 5681 2) */
	uint8_t blocks; /* SACK blocks that the ACK had */
	bool sacked;	/* blocks brought something */
	bool has_ts;	/* ts_echo */
	uint32_t ts_echo;
};

/* ---- scoreboard.c ---------------------------------------------------------------------------- */

/** The record behind a packet that has been sent, or NULL. */
static inline struct send_record *scoreboard_sent(struct rte_mbuf *packet)
{
	struct send_record *r = packet != NULL ? send_record(packet) : NULL;

	return r != NULL && (r->flags & SEND_SENT) != 0 ? r : NULL;
}

/** Moves snd_una, gives back what is acknowledged, cuts what is so in part. */
void scoreboard_ack(struct tcp *tcp, struct tcb *tcb, uint32_t ack, struct delivery *d);
/** Takes SACK blocks; snd_una has moved. */
void scoreboard_sack(struct tcp *tcp, struct tcb *tcb, const struct tcp_packet *segment,
		     struct delivery *d);
/** The peer is not believed to have anything above snd_una. */
void scoreboard_forget(struct tcp *tcp, struct tcb *tcb);
/** Nothing is taken for lost. */
void scoreboard_unmark(struct tcp *tcp, struct tcb *tcb);
void scoreboard_lose(struct tcb *tcb, struct send_record *r);
/** The clock of our timestamps when a record was sent. */
uint32_t scoreboard_ts(const struct tcp *tcp, const struct tcb *tcb, uint32_t sent_us);

/* ---- rack.c ---------------------------------------------------------------------------------- */

/** A record has been delivered: RACK's newest, reordering, RTT (RFC 8985 6.2 steps 1 to 3). */
void rack_delivered(const struct tcp *tcp, struct tcb *tcb, const struct send_record *r,
		    struct delivery *d);
/**
 * Marks what is lost; true: something is. *wait_us: when what is not lost yet may be, 0: never.
 */
bool rack_detect(struct tcp *tcp, struct tcb *tcb, uint32_t *wait_us);
/** After a timeout (RFC 8985 6.3), or all without SACK. */
void rack_timed_out(struct tcp *tcp, struct tcb *tcb);
/** Something was sent again that was late, not lost: the reordering window grows, once a round
 * trip. */
void rack_late(struct tcb *tcb);
/** snd_una has moved: a round trip of DSACKs may be over. */
void rack_round(struct tcb *tcb);
/** An episode is over. */
void rack_recovered(struct tcb *tcb);
/** The shortest round trip of the last 30 to 60 s; UINT32_MAX: none. */
uint32_t rack_min_rtt(const struct tcb *tcb);
/** Samples of an ACK. */
void rack_rtt(const struct tcp *tcp, struct tcb *tcb, const struct delivery *d);

/* ---- episode.c ------------------------------------------------------------------------------- */

#define EPISODE_DUPLICATES 3u /* that are a loss, without SACK */

/** What is under way; without SACK, duplicates say that segments have left the network. */
uint32_t episode_pipe(const struct tcb *tcb);
/** For ssthresh: at most what cwnd allowed (the data of limited transmit does not count). */
uint32_t episode_flight(const struct tcb *tcb);
/** Finds what is lost, and begins a recovery for it. wait_us as rack_detect()'s. */
bool episode_detect(struct tcp *tcp, struct tcb *tcb, const struct delivery *d, uint32_t *wait_us);
/** Something is lost that the ACK, or a timer, has shown. */
void episode_begin(struct tcp *tcp, struct tcb *tcb, const struct delivery *d);
/** The peer is silent, or has dropped what it had: all starts again from one segment. */
void episode_timeout(struct tcp *tcp, struct tcb *tcb, uint32_t flight);
/** What a recovery lets out for an ACK (RFC 6937 3.1, with the slow start bound); lost: it has
 * shown a loss. */
void episode_prr(struct tcb *tcb, uint32_t delivered, bool lost);
void episode_end(struct tcp *tcp, struct tcb *tcb);
/** Nothing had been lost: all is as it was before (RFC 4015, its full response). */
void episode_undo(struct tcp *tcp, struct tcb *tcb);

/* ---- loss_timer.c ---------------------------------------------------------------------------- */

/** Sets DEADLINE_LOSS: the RTO of the first record, or what comes before it. reorder_us: RACK looks
 * again then; 0: it need not. */
void loss_timer_arm(struct tcp *tcp, struct tcb *tcb, uint32_t reorder_us);
/** No tail loss probe is out any more. */
void loss_timer_probe_over(struct tcb *tcb);

#endif
