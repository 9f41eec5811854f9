/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LEASE_H
#define LEASE_H

#include "gw_err.h"
#include "message.h"

/**
 * Who has a pool pair (PROTOCOL 6.4): the state of one pair, and what each message of a worker does
 * to it. docs/design.md has the table. It reads no clock, owns nothing and allocates nothing: the
 * home worker of the pair's IMPI keeps it, calls it, and sends on what it answers. All of it is
 * plain data, so that a test can copy it and try everything that can happen.
 */

/** Until when a grant is confirmed or cancelled: a REGISTER has its answer by then. */
#define LEASE_RESERVED_US 35000000ull
/** How much longer than anything a message between workers is on its way: what a worker said in
 * time is here by then. */
#define LEASE_MARGIN_US 10000000ull
/** How long an asker waits until the one before has ended; it has given up itself by then. */
#define LEASE_WAIT_US 2000000ull
/** How long after its end a token is remembered. */
#define LEASE_TOMBSTONE_S 300

enum lease_holding {
	LEASE_NOBODY,
	LEASE_HELD,
	LEASE_ENDING, /* told to end, and its release is to come */
};

/** One pair. Zeroed: FREE. Who it is about is a connection's flow and, of a holder, its binding. */
struct lease {
	uint64_t impi;
	struct {
		enum lease_holding state;
		uint32_t generation;
		struct handle flow, binding;
		uint64_t contact, instance; /* as message_lease_confirm has them */
		uint64_t until_us; /* LEASE_ENDING: without a word of it it is over by then */
		struct lease_terms terms;
	} holder;
	/** The holder before, told to end, whose release is to come. */
	struct {
		uint32_t generation; /* 0: none */
		struct handle binding;
		uint64_t until_us;
	} leaving;
	/** Granted and not yet confirmed: beside the holder, or to nobody's pair. */
	struct {
		uint32_t generation; /* 0: none */
		struct handle flow;
		uint64_t until_us;
		struct lease_terms terms;
	} grant;
	/** Asks, and waits for one of these to end. */
	struct {
		bool waits;
		struct handle flow;
		uint32_t ticket;
		uint64_t until_us;
		struct lease_terms terms;
	} asker;
	struct lease_terms last; /* of who had it before; exp_s 0: nobody, or it is forgotten */
};

/** What has to be said, in this order: a message to the worker of its flow or binding. */
struct lease_said {
	uint32_t count;
	union lease_message {
		struct message_head head;
		struct message_lease_granted granted;
		struct message_lease_refused refused;
		struct message_lease_ended ended;
	} message[3];
};

/** Time of a call, and the last generation that this home worker has given out. */
struct lease_call {
	uint64_t now_us; /* monotonic */
	uint64_t wall_s; /* Unix */
	uint32_t *generations;
};

/** The flow asks for the pair. */
void lease_reserve(struct lease *lease, const struct lease_call *call,
		   const struct message_lease_reserve *ask, struct lease_said *said);
void lease_confirm(struct lease *lease, const struct lease_call *call,
		   const struct message_lease_confirm *confirm, struct lease_said *said);
void lease_cancel(struct lease *lease, const struct lease_call *call,
		  const struct message_lease_cancel *cancel, struct lease_said *said);
void lease_release(struct lease *lease, const struct lease_call *call,
		   const struct message_lease_release *release, struct lease_said *said);

/** When lease_due() has something to do; UINT64_MAX: never. */
uint64_t lease_next_us(const struct lease *lease);
/** What time alone changes. */
void lease_due(struct lease *lease, const struct lease_call *call, struct lease_said *said);

/** Nobody has it, nobody asks and nobody leaves: all that is left is lease.last. */
bool lease_is_free(const struct lease *lease);

#endif
