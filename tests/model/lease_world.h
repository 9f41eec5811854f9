/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LEASE_WORLD_H
#define LEASE_WORLD_H

#include "identity/lease.h"

/**
 * One pool pair: the real lease of its home worker (identity/lease.c), and beside it, in a few
 * bytes, all else that there is to know: two windows on two other workers, what is in the rings
 * between them and home, what the core has been asked. A step is what may happen next; a world is
 * plain data, copied before each.
 *
 * Time is a few moments. Spans shorter than those (2 s, 35 s, 45 s) end when a step says so: a
 * lease's timers stand far away, and one of them is set to now before lease_due().
 */

enum {
	WINDOWS = 2,
	TOKENS_MAX = 3,
	UNDER_MAX = 4,
	RING_MAX = 8,
	SLOW = 2,  /* moments until a worker looks at its timers at last */
	AHEAD = 4, /* moments that an issuer's clock may be ahead */
	MOMENT_S = 500,
};

/** Times in moments. */
struct model_token {
	char sub;
	uint8_t jti;
	int8_t iat, exp;
};

/** What the worlds of a search begin with. */
struct scenario {
	const char *name;
	struct model_token token[TOKENS_MAX];
	uint8_t shown[WINDOWS];	 /* set of the tokens that the window's page has */
	uint8_t asks[WINDOWS];	 /* so many REGISTERs */
	uint8_t deaths[WINDOWS]; /* so many connections of it end, and it comes back */
	uint8_t contact[WINDOWS];
	uint8_t end;	/* the last moment */
	uint8_t losses; /* so many messages but confirm and ended are lost: no room to keep them */
	bool late;	/* messages, and workers, may be later than the margin of home's timers */
};

enum sent { SENT_GRANT, SENT_LATE, SENT_COVERED }; /* late: behind its grant's deadline */

/** A REGISTER at the core. */
struct under {
	uint8_t flow, generation, token, sent;
};

/** A live binding, named by the generation that it began with. flow 0: that has ended. */
struct bound {
	uint8_t binding, flow, generation, token;
};

struct window {
	uint8_t flow, asks, deaths;
	uint8_t asking, asking_token; /* its ticket; 0: it waits for no answer */
	uint8_t unders, bounds;
	struct under under[UNDER_MAX];
	struct bound bound[UNDER_MAX];
};

/** A message in a ring: kind is enum message_kind - MESSAGE_NONE, what is not in it 0. */
struct note {
	uint8_t kind, flow, ticket, binding, generation, token;
};

struct ring {
	uint8_t count;
	struct note note[RING_MAX];
};

/** Bytes only: two worlds that are the same are equal byte for byte. */
struct around {
	uint8_t now, losses;
	uint8_t had; /* token + 1 of whose REGISTER the core said yes last, as home has heard */
	struct window window[WINDOWS];
	struct ring up[WINDOWS], down[WINDOWS];
};

struct world {
	struct lease lease;
	uint32_t generations;
	struct around a;
};

/** What a search looks for, reached or broken. */
struct watch {
	const struct scenario *scenario;
	const char *broken; /* NULL: every promise is kept so far */
	uint32_t *reached;  /* by enum cell */
};

/* Rows of the tables of docs/design.md (Leases). */
#define VERDICTS(X) \
	X(GRANT, "may have it") \
	X(SAME_FLOW, "may have it, by an older token, on the same flow") \
	X(OVER, "may have it behind his end") \
	X(IN_USE, "refused: an older token") \
	X(CONFLICT, "refused: tokens overlap") \
	X(REPLAY, "refused: one jti")
#define PLACES(X) \
	X(HOLDER, "who has it") \
	X(GRANTEE, "who has a grant") \
	X(WAITING, "who waits") \
	X(LAST, "who had it last")
#define MESSAGES(X) \
	X(RESERVE_GRANTED, "reserve of nobody's pair: granted") \
	X(RESERVE_BESIDE_HELD, "reserve: granted beside a holder of the same sub") \
	X(RESERVE_BESIDE_ENDING, "reserve: granted beside one of the same sub who is ending") \
	X(RESERVE_AGAIN, "reserve of the flow that has the grant: another grant") \
	X(RESERVE_WAITS_GRANT, "reserve: waits for a grant's end") \
	X(RESERVE_WAITS_LEAVING, "reserve: waits for who is leaving") \
	X(RESERVE_WAITS_ENDING, "reserve: waits for who is ending") \
	X(RESERVE_TELLS, "reserve: the holder is told to end, and waited for") \
	X(RESERVE_BUSY, "reserve: who waited before is refused as busy") \
	X(GRANTED_USED, "granted: used") \
	X(GRANTED_CANCELLED, "granted: nobody waits for it, cancelled") \
	X(REFUSED_HEARD, "refused: heard") \
	X(REFUSED_UNHEARD, "refused: nobody waits for it") \
	X(CONFIRM_NOBODY, "confirm: of nobody's pair") \
	X(CONFIRM_REFRESH, "confirm: of the same binding") \
	X(CONFIRM_REPLACED, "confirm: the one before is replaced") \
	X(CONFIRM_BESIDE, "confirm: the core has both") \
	X(CONFIRM_ENDING, "confirm: the one before is told already") \
	X(CONFIRM_TELLS, "confirm: who is held now is over by the next one's token") \
	X(CONFIRM_VOID, "confirm: void") \
	X(CONFIRM_LATE, "confirm: void, and the Contact is another's") \
	X(CANCEL_GRANT, "cancel: no grant") \
	X(CANCEL_FREES, "cancel: who waits is granted") \
	X(CANCEL_IGNORED, "cancel: of none") \
	X(RELEASE_HELD, "release: of the holder") \
	X(RELEASE_ENDING, "release: of the holder who was told") \
	X(RELEASE_BINDING, "release: of the holder's binding under another generation") \
	X(RELEASE_LEAVING, "release: of who is leaving") \
	X(RELEASE_FREES, "release: who waits is granted") \
	X(RELEASE_TELLS, "release: the next holder in the way is told") \
	X(RELEASE_IGNORED, "release: of neither") \
	X(TIME_ASKER, "time: 2 s") \
	X(TIME_GRANT, "time: 45 s of a grant") \
	X(TIME_LEAVING, "time: 45 s of leaving") \
	X(TIME_ENDING, "time: 45 s of ending") \
	X(TIME_EXP, "time: the holder's token ends") \
	X(ENDED_BINDING, "ended: the binding ends") \
	X(ENDED_IGNORED, "ended: of another lease") \
	X(COVERED_BOUND, "a refresh without a grant: binds") \
	X(COVERED_UNDONE, "a refresh without a grant: its lease has ended") \
	X(LATE_UNDONE, "a 200 behind the deadline: undone")
#define ROW_ENUM(name, text) ROW_##name,
enum cell { MESSAGES(ROW_ENUM) ROW_MESSAGES };
#define VERDICT_ENUM(name, text) MODEL_##name,
enum model_verdict { VERDICTS(VERDICT_ENUM) MODEL_VERDICTS };
#define PLACE_ENUM(name, text) PLACE_##name,
enum place { PLACES(PLACE_ENUM) MODEL_PLACES };
/** The row of a verdict about a place. */
#define CELL_VERDICT(verdict, place) (ROW_MESSAGES + (verdict)*MODEL_PLACES + (place))
#define CELLS (ROW_MESSAGES + MODEL_VERDICTS * MODEL_PLACES)

/** What may happen: kind is a row of world_steps[], who a window, which of several things. */
struct step {
	uint8_t kind, who, which;
};

struct step_kind {
	const char *text;
	/** False: it cannot happen now, and the world is to be thrown away. */
	bool (*take)(struct world *world, struct watch *watch, unsigned who, unsigned which);
	uint8_t whos, whiches;
};
extern const struct step_kind world_steps[];
extern const unsigned world_step_kinds;

void world_begin(struct world *world, const struct scenario *scenario);
/** All that tells worlds apart, in so many bytes at most. */
#define WORLD_KEY_MAX (sizeof(struct around) + 64)
uint32_t world_key(const struct world *world, const struct scenario *scenario, uint8_t *key);
/** Which token the terms are of. */
uint8_t world_token(const struct scenario *scenario, const struct lease_terms *terms);

#endif
