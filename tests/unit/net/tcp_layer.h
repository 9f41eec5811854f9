/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_LAYER_H
#define TCP_LAYER_H

#include "scene.h"

/** A layer of TCP on each stack of a scene that notes what it is given. */

#define LAYER_TOLD 2048u
#define LAYER_DATA 64u

struct told {
	uint16_t worker;
	enum stack_claim claim;
	struct ip_address local, remote;
	struct tcp_packet tcp; /* its payload is data */
	uint8_t data[LAYER_DATA];
	bool running; /* it came from stack_run_ready() */
};

struct layer_worker {
	struct layer *layer;
	uint16_t index;
	bool knows; /* everything; else nothing */
	bool takes; /* keeps the packet of each segment */
	uint32_t kept_count;
	struct rte_mbuf *kept[LAYER_TOLD];
};

struct layer {
	struct scene *s;
	struct layer_worker worker[SCENE_WORKERS];
	uint32_t refused; /* CLAIM_KNOWN of what was not known */
	uint32_t count;
	struct told told[LAYER_TOLD];
	uint32_t errors;
	struct stack_tcp_error error[LAYER_TOLD];
	uint16_t error_worker[LAYER_TOLD];
};

/** On all workers of the scene. */
struct layer *layer_new(struct scene *s);
/** Gives back what was kept, and ends the scene too. */
void layer_free(struct layer *layer);
void layer_forget(struct layer *layer);
/** The only one told; fails when there are more or none. */
const struct told *layer_only(const struct layer *layer);
/** A segment with data into a queue of port 0. */
void layer_feed(struct layer *layer, uint16_t queue, const struct flow *flow, struct span data);
/** Sends data from flow's source. */
enum gw_err layer_send(struct layer *layer, uint16_t worker, const struct flow *flow,
		       struct span data);

#endif
