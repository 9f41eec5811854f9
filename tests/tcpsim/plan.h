/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "random.h"

/**
 * What a seed means: hosts, their apps, and the network between them, before anything runs. Each
 * feature draws from a stream of its own, so that leaving one out changes nothing else: that is
 * what --without and --minimise rest on.
 */

#define PAIRS_MAX 8u

#define FEATURE_LIST(X) \
	X(FEATURE_JITTER, "jitter") /* delays vary, order kept */ \
	X(FEATURE_LOSS, "loss") \
	X(FEATURE_BURST, "burst") \
	X(FEATURE_OUTAGE, "outage") \
	X(FEATURE_ACK_LOSS, "ack-loss") \
	X(FEATURE_REORDER, "reorder") \
	X(FEATURE_DUPLICATE, "duplicate") \
	X(FEATURE_CORRUPT, "corrupt") \
	X(FEATURE_FORGE, "forge") /* corrupted, and the checksum made right again */ \
	X(FEATURE_MTU, "mtu") \
	X(FEATURE_RATE, "rate") \
	X(FEATURE_STRIP_SACK, "strip-sack") \
	X(FEATURE_STRIP_TIMESTAMPS, "strip-timestamps") \
	X(FEATURE_STRIP_SCALE, "strip-scale") \
	X(FEATURE_MSS, "mss") \
	X(FEATURE_ISN_SHIFT, "isn-shift") \
	X(FEATURE_SPLIT, "split") \
	X(FEATURE_MERGE, "merge") \
	X(FEATURE_RST, "rst") \
	X(FEATURE_NAT, "nat") \
	X(FEATURE_ZERO_WINDOW, "zero-window") \
	X(FEATURE_TX_FULL, "tx-full") \
	X(FEATURE_POOL, "pool") /* packets run out */ \
	X(FEATURE_STALL, "stall") \
	X(FEATURE_SLOW, "slow") /* apps read slowly */ \
	X(FEATURE_DEAF, "deaf") /* apps never read, or not for long */ \
	X(FEATURE_PAUSE, "pause") \
	X(FEATURE_ABORT, "abort") \
	X(FEATURE_SILENT, "silent") /* apps that say or close nothing */ \
	X(FEATURE_ADVERSARY, "adversary") \
	X(FEATURE_FLOOD, "flood") \
	X(FEATURE_COOKIES, "cookies") \
	X(FEATURE_WRAP, "wrap") \
	X(FEATURE_MANY, "many")	  /* connections */ \
	X(FEATURE_CROSS, "cross") /* simultaneous opens */ \
	X(FEATURE_LONG, "long")	  /* transfers */ \
	X(FEATURE_TINY, "tiny")	  /* pieces */ \
	X(FEATURE_STOP, "stop")	  /* of the hosts, whatever goes on */
#define FEATURE_ENUM(name, text) name,
enum feature { FEATURE_LIST(FEATURE_ENUM) FEATURES };
extern const char *const feature_texts[FEATURES];

/** What is measured beside what always holds. */
enum plan_class {
	CLASS_GENERAL,
	CLASS_CLEAN,   /* nothing goes wrong: nothing is sent twice */
	CLASS_REORDER, /* nothing is lost */
	CLASS_TAIL,    /* the last segment of a message is lost once */
};

struct path_plan {
	uint32_t delay_us, jitter_us;
	uint32_t loss; /* of 10,000, as all chances here */
	uint32_t burst_begin, burst_end;
	uint32_t outage_every_ms, outage_ms; /* 0: none */
	bool outage_holds;		     /* and delivers after it */
	uint32_t ack_loss;
	uint32_t reorder, reorder_us;
	uint32_t duplicate, duplicate_us;
	uint32_t corrupt, forge;
	uint32_t mtu; /* bytes; 0: none */
	bool mtu_told;
	uint32_t rate; /* bytes in a millisecond; 0: no bound */
	uint32_t queue_bytes;
	bool strip_sack, strip_timestamps, strip_scale;
	bool strip_late; /* timestamps, but not those of SYNs */
	bool mss_changed;
	uint16_t mss;
	uint32_t isn_shift;
	uint32_t split;
	uint32_t rst_at; /* the packet behind which a reset is put; 0: none */
	uint32_t nat_at; /* the packet from which on ports are others */
	uint32_t zero_at_ms, zero_ms;
};

struct host_plan {
	uint32_t turn_us;		/* between turns at least */
	uint32_t tx_full;		/* chance of a turn that the device takes few */
	uint64_t fail_from, fail_count; /* allocations of the send pool */
	uint64_t rx_fail_from, rx_fail_count;
	uint32_t stall; /* chance of a turn that a stall follows */
	uint32_t send_packets, held_packets, connections, time_waits;
	bool merge;
	enum { WRAP_NOTHING, WRAP_ISN, WRAP_TS, WRAP_CLOCK } wrap;
};

enum reading { READ_EAGER, READ_PIECES, READ_SLOW, READ_LATE, READ_NEVER, READ_PAUSES };
enum ending { END_SHUTDOWN, END_AT_ONCE, END_AFTER_PEER, END_ABORT, END_NEVER };

struct app_plan {
	uint32_t bytes; /* to be sent in all */
	uint32_t write; /* bytes at once, at most */
	uint32_t think_us;
	uint32_t rounds; /* of request and answer; 0: as fast as it goes */
	enum reading reading;
	uint32_t read_bytes, read_us;
	enum ending ending;
	uint32_t abort_at; /* bytes sent and received */
	uint32_t abort_us;
};

struct pair_plan {
	uint32_t at_us;
	uint8_t client; /* host that opens */
	bool v6, cross;
	uint16_t port, client_port;
	struct app_plan app[2]; /* of the client, of the server */
};

struct plan {
	uint64_t seed;
	enum plan_class class;
	uint64_t features; /* bits of enum feature */
	struct path_plan path[2];
	struct host_plan host[2];
	uint32_t pairs;
	struct pair_plan pair[PAIRS_MAX];
	uint32_t cookies; /* tcp_limits.cookies */
	uint32_t half_open;
	uint32_t attacks, attack_us, floods;
	bool attack_early;	    /* also before they know each other */
	uint64_t drain_us, stop_us; /* nobody is accepted any more; all ends. UINT64_MAX: never */
	uint32_t tail_at;	    /* CLASS_TAIL: message whose last segment is lost */
	bool tainted;		    /* bytes may be wrong and nobody can know it */
	bool must_finish;	    /* every transfer ends in order */
	bool no_retransmit;	    /* nothing is sent twice */
};

static inline bool plan_has(const struct plan *plan, enum feature feature)
{
	return (plan->features >> feature & 1) != 0;
}

/** The plan of a seed; without: bits of features that are left out. */
void plan_make(uint64_t seed, uint64_t without, struct plan *plan);
/** The same with the features given, and with nothing measured: a fuzzer's. */
void plan_of(uint64_t seed, uint64_t features, struct plan *plan);
/** Names of the features of a plan, by commas. */
void plan_describe(const struct plan *plan, char *text, uint32_t size);
/** The bit of a feature's name, or -1. */
int plan_feature(const char *name, uint32_t len);

#endif
