/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NEIGHBOUR_H
#define NEIGHBOUR_H

#include <stdatomic.h>

#include "net/wire.h"
#include "netif.h"

/**
 * Next hops and their hardware addresses (TCP.md 4.5). One table for all workers. Worker 0 owns it:
 * it alone asks, learns and forgets; what it knows is published as one atomic 64-bit word a row
 * (MAC and state), which every worker reads. Only configured hops are in it: gateways and trusted
 * peers on a link, and whom an operator pings. Nothing that comes from the network adds a row.
 *
 * Learning: only an answer to our own question is believed. Who claims an address unasked makes us
 * ask the address we know; when that stays silent, everybody; and then the answer counts.
 */
struct neighbour_table;

/** capacity rows, at least 1; NULL: no memory. */
struct neighbour_table *neighbour_table_new(uint32_t capacity);
void neighbour_table_free(struct neighbour_table *table);

/** Any thread; takes no lock and never waits. mac is filled for REACHABLE, PROBE and STALE, with
 * one that was published for address. O(1) or nearly. */
enum neighbour_state neighbour_find(const struct neighbour_table *table, uint32_t netif,
				    const struct ip_address *address, uint8_t mac[6]);
/** Any thread: rows in no order, for people; mac is all zero where none is known. */
uint32_t neighbour_rows(const struct neighbour_table *table, uint32_t max,
			struct row_neighbour *rows);

/* ---- the owner's part: worker 0 only ------------------------------------------------------------
 *
 * Wants, answers and claims may bring forward what is due: neighbour_run() follows them, and costs
 * one comparison when nothing is.
 */

/** Why a hop is wanted. A row goes when nobody wants it any more. */
enum neighbour_want {
	NEIGHBOUR_WANT_GATEWAY = 1,
	NEIGHBOUR_WANT_PEER = 2,
	NEIGHBOUR_WANT_PING = 4,
};

/** How the owner asks. */
enum neighbour_ask { NEIGHBOUR_ASK_ALL, NEIGHBOUR_ASK_KNOWN /* unicast to mac */ };

/** What the owner's calls ask of the stack. Neither may call back into the table. */
struct neighbour_ops {
	/** mac: the one that is known, all zero while none is. Once a second for a row, at most. */
	void (*ask)(void *context, enum neighbour_ask how, uint32_t netif,
		    const struct ip_address *address, const uint8_t mac[6]);
	/** GW_NEIGHBOUR_LOST, _MOVED, _FOUND. */
	void (*alarm)(void *context, enum gw_err what, const struct ip_address *address);
};

/** Adds a reason; a row that is new is asked for at the next neighbour_run(), and probed every
 * probe_s (at least 1) once it has answered. GW_POOL_EMPTY. */
enum gw_err GW_MUST_CHECK neighbour_want(struct neighbour_table *table, uint32_t netif,
					 const struct ip_address *address,
					 enum neighbour_want reason, uint32_t probe_s,
					 uint64_t now_us);
/** Takes a reason from every row that has it: before the wants of a new configuration. Rows without
 * any reason left go at the next neighbour_run(). */
void neighbour_unwant(struct neighbour_table *table, enum neighbour_want reason);
/** What somebody says: address is at mac. */
struct neighbour_said {
	uint32_t netif;
	const struct ip_address *address;
	const uint8_t *mac; /* 6 bytes */
};

/**
 * An answer: ARP reply, or solicited advertisement. It counts when a question was asked in the last
 * 3 s and not answered yet; one that went to the MAC known is answered by that MAC only. Else it is
 * a claim. A group or zero MAC never counts.
 */
void neighbour_answer(struct neighbour_table *table, const struct neighbour_said *said,
		      const struct neighbour_ops *ops, void *context, uint64_t now_us);
/** Somebody says unasked that address is at mac (gratuitous ARP, the sender of a request,
 * unsolicited advertisement). Changes nothing; when it is news, asks: whom it is about, of a
 * reachable row, and a second later all; all, of a stale one. */
void neighbour_claim(struct neighbour_table *table, const struct neighbour_said *said);
/**
 * Does what is due: asks all once a second while unresolved (FAILED after the third), probes a
 * REACHABLE row by unicast every probe_s, after 3 misses a second apart becomes STALE, keeps the
 * MAC and asks all: once a second, after a minute every 5 s. Returns when it must run again;
 * UINT64_MAX never.
 */
uint64_t neighbour_run(struct neighbour_table *table, const struct neighbour_ops *ops,
		       void *context, uint64_t now_us);

#endif
