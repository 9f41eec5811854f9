/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include "tcp/tcb.h"

/**
 * A half-open connection: 64 bytes, in a list for each time that they wait, so that the first of a
 * list is the first that is due. For handshake.c and handshake_mini.c.
 */

#define MINIS_MAX 65535u
#define MINI_NONE UINT16_MAX
#define MINI_NO_SOURCE 0xfffffu
#define MINI_RTT_MAX 4095u

/** Waits for the ACK of the first to fourth SYN-ACK, or for the first byte. */
enum mini_stage { MINI_SENT_1, MINI_SENT_2, MINI_SENT_3, MINI_SENT_4, MINI_ACKED, MINI_STAGES };

enum mini_flag {
	MINI_TIMESTAMPS = 1,
	MINI_SACK = 2,
	MINI_SCALE = 4,
	MINI_AGAIN = 8, /* more than one SYN-ACK, or nobody knows: no RTT, and a small window */
};

struct mini {
	struct tcp_ends ends;
	uint32_t irs, iss;
	uint32_t ts_recent;
	uint32_t stamp_ms;    /* its stage began */
	uint32_t source : 20; /* source.c's row */
	uint32_t rtt_ms : 12; /* of the handshake; 0: not known */
	uint16_t next, prev;
	uint16_t mss; /* the peer's */
	uint8_t stage : 3;
	uint8_t flags : 5;
	uint8_t scale : 4;   /* the peer's */
	uint8_t answers : 4; /* that it has asked for */
};
_Static_assert(sizeof(struct mini) == 64, "TCP.md 5.4");

struct handshake {
	struct slots *minis;
	struct tcp_table *table;
	struct {
		uint16_t first, last;
	} list[MINI_STAGES];
	uint32_t syn_s;		    /* second that syns counts */
	uint32_t syns, syns_before; /* in it, and in the second before */
	uint64_t rotated_us;
	uint64_t cookies_end_us; /* until then, a cookie may come back */
};

struct mini *mini_find(const struct tcp *tcp, const struct tcp_ends *ends);
/** One like made, at a stage; NULL: all are in use. */
struct mini *mini_add(struct tcp *tcp, const struct mini *made, enum mini_stage stage);
void mini_end(struct tcp *tcp, struct mini *mini);
void mini_move(struct tcp *tcp, struct mini *mini, enum mini_stage stage);
void mini_send_syn_ack(struct tcp *tcp, const struct mini *mini);
/** One answer more to what it has sent, of a few: else whoever repeats a SYN of another's address
 * has each repetition reflected. Counts that it may not. */
bool GW_MUST_CHECK mini_may_answer(struct tcp *tcp, struct mini *mini);
/** An ACK that asks the peer, if it is him, to say it right. Counts why. */
void mini_challenge(struct tcp *tcp, struct mini *mini, enum gw_err why);

#endif
