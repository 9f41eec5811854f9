/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RECOVERY_LINE_H
#define RECOVERY_LINE_H

#include "recovery_bench.h"

/**
 * The bench's sender, a line of bad quality and a receiver that tells what has come (RFC 2018,
 * 2883, 7323): a transfer from its first segment to its last ACK. The same numbers give the same
 * transfer.
 */
struct line_config {
	uint32_t seed;
	uint32_t segments;
	uint32_t delay_us;  /* each way */
	uint32_t jitter_us; /* more, each way, evenly spread: may reorder */
	uint32_t loss;	    /* segments lost of 10,000 */
	uint32_t ack_loss;  /* the same of ACKs */
	uint32_t late;	    /* segments of 10,000 that are late_us later */
	uint32_t late_us;
	uint32_t segment_us; /* what the narrowest link needs for one; 0: nothing */
	uint32_t queue;	     /* segments that wait before it */
	uint32_t outage_at_us, outage_us;
	bool shuffle; /* what comes in one moment comes in any order */
	bool plain;   /* no SACK */
	bool timestamps;
};

struct line_result {
	bool done;
	uint64_t us;
	uint32_t again;	   /* segments sent again */
	uint32_t in_vain;  /* segments that came and were there already */
	uint32_t work_max; /* steps for an ACK */
	uint32_t timeouts, recoveries, undone;
	uint32_t cwnd; /* at the end */
	uint32_t ssthresh;
};
struct line_result line_run(const struct line_config *config);

#endif
