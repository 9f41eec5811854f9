/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef USER_H
#define USER_H

#include "../../tcpsim/tcpsim.h"

/**
 * Two hosts of the simulator without its loop and its users, and users who do what the input says:
 * now, or whenever they are called. They hold the connection API to its contract (conn.h); the
 * simulator's invariants hold TCP to the rest.
 */

#define STAGE_PAIRS 6u
#define STAGE_PORT 5000u /* of every pair's server; clients have FIRST_PORT + pair */
#define STAGE_CLIENT 30000u

enum call {
	CALL_ACCEPT,
	CALL_CONNECTED,
	CALL_READABLE,
	CALL_WRITABLE,
	CALL_FIN,
	CALL_DEADLINE,
	CALL_CLOSED,
	CALLS
};

/** What a user may do. */
enum deed {
	DEED_NOTHING,
	DEED_READ,  /* arg: 0 all, else so many times so many bytes */
	DEED_WRITE, /* arg: 255 all that fits, else 1 + 16 times so many bytes */
	DEED_SHUTDOWN,
	DEED_ABORT,
	DEED_ABORT_OTHER, /* arg: whom */
	DEED_PAUSE,
	DEED_RESUME,
	DEED_DEADLINE, /* arg: so many times so many ms; 0 none */
	DEED_OPEN,     /* arg: whose connection */
	DEED_PEEK,     /* arg: 64 times so many bytes ahead */
	DEED_ECHO,
	DEED_REFUSE,  /* in accept; else nothing */
	DEED_RESERVE, /* and not commit */
	DEED_ASK,
	DEED_STOP, /* listening, of the host; with arg 255 only */
	DEEDS
};

struct wish {
	uint8_t deed, arg;
};

struct stage;
struct user {
	struct stage *stage;
	struct app *app; /* what the simulator knows it by: its connection, and bytes so far */
	struct handle ref;
	struct wish habit[CALLS];
	bool active, paused, fin_seen, owed_writable, resumed;
	uint64_t seen;	      /* bytes received, or there to be read, at the last readable */
	uint64_t deadline_us; /* of the host's clock, not before; 0: none */
	enum gw_err aborted;  /* why; GW_OK: not */
	uint32_t life;	      /* number of its connection */
	uint32_t peer_life;   /* of the peer's end of it; 0: not known, or the input plays it */
};

struct stage {
	struct world world;
	struct user user[STAGE_PAIRS][2];
	bool both; /* both ends are users; else host 1 is the input's */
	bool in_api;
	uint32_t lives;
	uint32_t turns; /* of both hosts so far */
};

/** Both hosts, listening; pairs that are odd speak IPv6. Whose client is host 1: passive bit. */
struct stage *stage_new(bool both, uint32_t passive);
/** Everything that holds is looked at once more. */
void stage_free(struct stage *stage);
/** A turn of a host; everything holds after it, or the process ends. */
void stage_turn(struct stage *stage, uint32_t host);
/** Device and pools give what they can. */
void stage_heal(struct stage *stage);

void user_do(struct user *user, const struct wish *wish);

#endif
