/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_MEMBER_H
#define SIM_MEMBER_H

#include "core.h"

/**
 * The fourth web site of worlds with a block (PROTOCOL 8): the gateway registers it with the core
 * as one, and is the registrar of its identities. Its WICs are members: fewer identities than
 * members, so that some have several bindings. They are user500 and so on, and otherwise WICs as
 * any other.
 */

#define BLOCK_SITE 3
#define BLOCK_NAME "site3"
#define BLOCK_FIRST 500 /* its first user; the wildcard ends at user599 */
#define BLOCK_LAST 599
#define BLOCK_USERS_MAX 5
#define BLOCK_PAIRS 2 /* that it may be registered by, one at a time */
#define MEMBER_TOKENS_MAX 2048
#define MEMBER_REVOKED_MAX 64
#define GHOSTS_MAX 8
#define MEMBER_SEEN_MAX 32
#define MEMBER_LATE_US (2 * SECOND) /* what is on its way has arrived, and seconds are whole */

struct wic;

/** A token of the block's site that is good. */
struct member_token {
	uint64_t hash; /* what workers call its jti */
	uint64_t exp_s;
	uint32_t user;
	uint64_t revoked_us; /* 0: it is not */
};

/** Until when a connection may have a binding, for all that is known. */
struct ghost {
	uint32_t user, conn; /* 0: none */
	uint64_t until_us;
};

/** What is known of the bindings of one WIC. */
struct membership {
	/* it surely has one: since then, until then, at least. 0: it may not */
	uint64_t sure_us, sure_until_us;
	uint32_t user;
	/* it is there since between the two, 0: it is not known; the first REGISTER of a connection
	 * that had none, 0: there is none such */
	uint64_t young_from_us, young_us, first_us;
	uint32_t removing;		 /* whose bindings its open REGISTER removes; 0: nobody's */
	struct ghost now;		 /* on this connection */
	struct ghost before[GHOSTS_MAX]; /* on earlier ones */
	uint32_t befores;
};

/** What a worker's bindings were at the end of its last turn. */
struct member_seen {
	uint64_t hash;
	const struct member_token *token; /* NULL: none of the block's */
};
struct member_worker {
	struct member_seen seen[MEMBER_SEEN_MAX];
	uint32_t bound, rows; /* bindings of members; rows of the registrar */
};

/** What the scripted core holds of the block by one registering pair. */
struct core_block {
	bool live;
	uint64_t until_us;
	char call_id[80], path[200], contact[160];
	uint32_t cseq, life;	/* of its last REGISTER, and which life of the gateway sent it */
	uint32_t held_life;	/* of the one that it is held by */
	uint64_t held_until_us; /* as long as that has asked for */
	uint16_t status;	/* that this was answered; 0: nothing */
	uint32_t asked_s, granted_s;
	uint64_t asked_us;	/* when it came */
	uint64_t heard_us;	/* the same of any, also of one that came again */
	uint64_t refused_us;	/* when it was, or will be, told over TCP that it is refused; 0 */
	uint64_t said_until_us; /* until when, by any 200 in that life */
	uint64_t odd_us;	/* the last time that it was not answered at once */
	bool gone;		/* by a REGISTER of the gateway's, the last one */
};

struct members {
	uint32_t users;	   /* so many identities are in use */
	uint32_t contacts; /* block.contacts */
	uint32_t expires_s, retry_s, retry_max_s;
	uint32_t least_s; /* the core wants no less; 0: it takes all */
	bool one_call_id; /* REGISTERs of a connection have one Call-ID */
	uint32_t pair;	  /* that it is registered by */
	bool removed;	  /* a reload has taken the site out */
	bool disabled;
	uint64_t changed_us; /* the last time that any of the three has changed */
	struct member_token token[MEMBER_TOKENS_MAX];
	uint32_t tokens, revoked;
	struct membership of[SIM_WICS_MAX];
	uint32_t removing[BLOCK_USERS_MAX];	/* REGISTERs that remove all, without an answer */
	uint64_t disturbed_us[BLOCK_USERS_MAX]; /* the last time that there was one */
	uint64_t up_us;				/* the last time that a worker saw the block up */
	uint64_t even_us; /* the last time that there was a row for each binding */
	struct member_worker worker[SIM_WORKERS_MAX];
	struct core_block block[BLOCK_PAIRS];
};

struct members *members_new(struct sim *sim);
void members_free(struct members *members);
static inline bool member_user(uint32_t user)
{
	return user >= BLOCK_FIRST && user <= BLOCK_LAST;
}

/* block.c: what the operator says */
/** Whether the configuration has the site, and it is not disabled. */
bool members_served(const struct members *m);
/** Fills what a configuration says of it. */
void members_configure(const struct members *m, struct wwsf_config *site, struct config_part *part);
/** Hashes of tokens that are taken back, at most MEMBER_REVOKED_MAX; how many. */
uint32_t members_revoked(const struct members *m, uint64_t *jti);
/** The operator does something. */
void members_meddle(struct sim *sim);

/* wic_block.c: members */
/** Writes the token of a REGISTER of its, and notes one that is good. */
void member_token_write(struct wic *w, struct request *r, struct writer *out);
/** It does what a WIC of another site does not. False: nothing. */
bool member_acts(struct wic *w);
/** Another connection begins. */
void member_connects(struct wic *w);
/** A REGISTER of it leaves. */
void member_asks(struct wic *w, const struct request *r);
/** It has its final answer. */
void member_answered(struct wic *w, const struct request *r, struct span message);
/** It may lose its connection at any moment from now on. */
void member_in_doubt(struct wic *w);
/** Bindings of user may end now. */
void member_disturb(struct sim *sim, uint32_t user);
/** The last time that something may have come between user and the dialogs of its bindings. */
uint64_t member_disturbed_us(const struct sim *sim, uint32_t user);
/** It has, or may have, a binding of user on its connection. */
bool member_of(const struct sim *sim, uint32_t wic, uint32_t user);

/* core_block.c: the core's part */
/** A REGISTER of the block's has come. False: it is none. */
bool core_block_asked(struct core_script *core, const struct core_way *way, struct span message);
/** The core forgets it, of its own accord. */
void core_block_forgets(struct sim *sim, void *context, uint64_t arg);
/** How the core reaches user, one of the block's or outside of it. False: it does not. */
bool core_block_binding(struct core_script *core, uint32_t user, struct core_binding *b);
/** The same of a drawn one. */
bool core_block_draw(struct core_script *core, struct core_binding *b);

/* watch_block.c: what must hold */
/** After a turn of a worker. */
void watch_block(struct sim *sim, uint16_t index);
/** Every second. */
void watch_block_kept(struct sim *sim);
/** A request of the core for user, sent then, has its final answer; reached: a WIC has got it. */
void watch_block_called(struct sim *sim, uint32_t user, uint64_t sent_us, uint16_t status,
			bool reached);
/** What is about a request that came to a WIC then may come to another one: the gateway has
 * forgotten its way. */
bool watch_block_forgotten(const struct sim *sim, uint64_t delivered_us);
/** A request for user has come to a WIC: whose it is from now on. */
void watch_block_reached(struct sim *sim, uint32_t user, uint32_t wic, uint64_t sent_us);
/** A member's 200, and what it lists. */
void watch_block_listed(struct sim *sim, const struct request *r, struct span message);
/** A member's own request has come to the core. */
void watch_block_heard(struct sim *sim, const struct request *r);
/** All has ended: the core holds nothing. */
void watch_block_drained(struct sim *sim);

#endif
