/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include "core.h"

/**
 * Registration events in half of the worlds: the scripted core takes subscriptions, ends, shortens
 * and prolongs registrations of its own accord, and tells so, at once or late (core_events.c). What
 * the gateway may make of it is checked in watch_events.c.
 */

#define SUBS_MAX 1024
#define NOTIFIES_MAX 2048
#define EVENT_BINDINGS (OWN_BINDINGS + POOL_PAIRS_MAX)
#define ENTRIES_MAX 64
#define REJECTED_MAX 128

/** Why a contact is what it is, as core_events.c has the words for it. */
enum event_row {
	ROW_REGISTERED,
	ROW_CREATED,
	ROW_REFRESHED,
	ROW_SHORTENED,
	ROW_EXPIRED, /* from here on it has ended */
	ROW_UNREGISTERED,
	ROW_DEACTIVATED,
	ROW_PROBATION,
	ROW_REJECTED,
	ROW_UNKNOWN, /* a word that RFC 3680 does not have */
	ROWS
};

/** A subscription of the gateway's. */
struct core_sub {
	bool live;
	uint32_t binding; /* which of the core's */
	uint64_t until_us;
	char call_id[64], tag[40], target[200]; /* tag, target: the gateway's */
	uint32_t asked_cseq;			/* of its last SUBSCRIBE, */
	uint16_t status;			/* and what that was answered; 0: nothing */
	uint32_t cseq, version;			/* of our last NOTIFY */
	uint32_t open;				/* NOTIFYs that have no answer */
	bool dirty;				/* another one follows when they have */
	uint32_t taken;				/* the highest version answered 200, plus 1 */
};

/** A NOTIFY. What it says was so when it was made. */
struct core_notify {
	uint32_t sub, cseq, version;
	uint16_t expect, status; /* expect: what it is answered when nothing comes between */
	uint32_t by;		 /* the REGISTER that it is about, as core_binding.by */
	enum event_row row;
	bool ends, stands; /* our contact is not there any more; is there */
	bool contact;	   /* named */
	bool named;	   /* by Call-ID and CSeq of that REGISTER */
	bool full;
	bool over; /* the subscription too */
	uint32_t expires_s, retry_after_s;
	bool has_expires;
	bool alone; /* when it was sent: of its user the gateway had that registration only */
	uint64_t made_us, sent_us, answered_us, again_us;
	bool tcp;
	uint32_t link, link_number;
	struct endpoint peer;
	uint32_t len;
	uint8_t *bytes;
};

/** Beside one of the core's bindings. */
struct event_state {
	enum event_row row;	/* why it is what it is */
	uint32_t retry_after_s; /* ROW_PROBATION; 0: it does not say */
	bool tel;		/* an implicit identity is registered with it */
	uint32_t words;		/* NOTIFYs about it so far */
	uint32_t ending;	/* of them, those without an answer that say that it has ended */
	/* what was made before its last REGISTER was sent then, first and last */
	uint64_t old_first_us, old_us;
	/* the same of an end that could be doubted: it is old when another REGISTER has come */
	uint64_t doubt_first_us, doubt_us;
	uint64_t odd_us;  /* the last time that the core did not answer a SUBSCRIBE at once */
	uint64_t gone_us; /* the gateway knows that it has ended, since then; 0: it may not */
	uint64_t barred_us, barred_until_us; /* its pair is on probation */
};

/** A registration of the gateway's, as it was at the end of its worker's last turn. */
struct event_entry {
	uint64_t call_id, jti, expires_us;
	uint32_t cseq;
	bool lost;
};

struct event_worker {
	struct event_entry entry[ENTRIES_MAX];
	uint32_t entries, life;
	uint64_t ended; /* its counter of what the core has ended */
};

struct event_rejected {
	uint64_t jti, since_us;
};

struct events {
	struct core_sub sub[SUBS_MAX];
	uint32_t subs;
	struct core_notify notify[NOTIFIES_MAX];
	uint32_t notifies;
	struct event_state state[EVENT_BINDINGS];
	struct event_worker worker[SIM_WORKERS_MAX];
	struct event_rejected rejected[REJECTED_MAX];
	uint32_t rejects;
	bool one_call_id; /* REGISTERs of a connection have one Call-ID, as RFC 3261 10.2 has it */
	bool overlaps;	  /* the core does not wait for the answer to one NOTIFY for the next */
};

struct events *events_new(struct sim *sim);
void events_free(struct events *events);

/* core_events.c */
/** The core does something by itself. */
void core_events(struct sim *sim, void *context, uint64_t arg);
/** A SUBSCRIBE has come. */
void core_subscribed(struct core_script *core, const struct core_way *way, struct span message);
/** False: it is no answer to a NOTIFY. */
bool core_notify_answered(struct core_script *core, struct span message);
/** b has been registered again, or taken away. */
void core_events_stored(struct core_script *core, struct core_binding *b);

/* watch_events.c */
/** After a turn of a worker. */
void watch_events(struct sim *sim, uint16_t index);
/** True when the gateway has one registration of user, and it is by that request. */
bool watch_events_alone(struct sim *sim, uint32_t user, uint32_t by);
/** What s is beside has been registered again. */
void watch_events_stored(struct sim *sim, struct event_state *s);
/** A NOTIFY is sent, for the first time or again. */
void watch_notify_sent(struct sim *sim, struct core_notify *n);
/** It has its answer. */
void watch_notify_answered(struct sim *sim, struct core_notify *n);
/** A REGISTER has come to the core. */
void watch_events_asked(struct sim *sim, const struct request *r);
/** A MESSAGE that asserts user has. */
void watch_events_heard(struct sim *sim, const struct request *r, uint32_t user);
struct event_called {
	uint32_t wic, conn, user;
	uint64_t sent_us;
};
/** What the core has begun has come to a WIC. */
void watch_events_delivered(struct sim *sim, const struct event_called *c);
/** The token of r is one that the core has rejected, for all that is known. */
bool watch_events_rejected(struct sim *sim, const struct request *r);

#endif
