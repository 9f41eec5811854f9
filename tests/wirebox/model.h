/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stdint.h>

/**
 * What one direction of a bad wire does to its frames. Reads no clock, keeps no frame: it is told
 * of a frame and says what becomes of it. What chance decides about the n-th frame follows from
 * seed, direction and n alone, so it stays the same whatever else is configured or whenever the
 * frame comes.
 */

#define MODEL_CERTAIN 0x100000000u /* a chance is counted in parts of this */
#define MODEL_DROPS_MAX 16u
#define MODEL_OVERTAKEN_US \
	2000u /* how much longer than the longest delay a reordered frame waits */

struct model_config {
	uint64_t loss, duplicate, reorder, corrupt; /* chances */
	uint64_t delay_min_us, delay_max_us;	    /* uniform; keeps the order */
	uint64_t rate_kbits;			    /* 0: as fast as they come */
	uint64_t queue_bytes;			    /* that may wait for the rate; 0: no bound */
	uint64_t mtu;				    /* bytes of IP packet; 0: any */
	uint64_t drops[MODEL_DROPS_MAX];	    /* numbers of frames, from 1 on; 0: none */
};

enum model_fate {
	MODEL_PASSED,
	MODEL_LOST,
	MODEL_DROPPED, /* by its number */
	MODEL_TOO_BIG,
	MODEL_QUEUE_FULL,
	MODEL_FATES
};

struct model_verdict {
	enum model_fate fate; /* all else counts for MODEL_PASSED only */
	bool twice, reordered, corrupted;
	uint64_t bit;	 /* corrupted: take this modulo the bits there are */
	uint64_t due_us; /* when it comes out */
};

struct model {
	const struct model_config *config; /* borrowed */
	uint64_t seed;
	uint64_t frames;  /* so far */
	uint64_t free_us; /* when the wire has sent all before */
	uint64_t last_us; /* when the last frame in order comes out */
};

/** direction: 0 and 1 are independent of each other. */
void model_init(struct model *m, const struct model_config *config, uint64_t seed,
		uint32_t direction);

/** The next frame: len bytes on the wire, packet_len of them behind the Ethernet header. */
struct model_verdict model_frame(struct model *m, uint32_t len, uint32_t packet_len,
				 uint64_t now_us);

#endif
