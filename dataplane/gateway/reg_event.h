/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REG_EVENT_H
#define REG_EVENT_H

#include "internal.h"
#include "reginfo.h"

/*
 * Registration events (PROTOCOL 9.9, RFC 3680): what the core says of registrations that have come
 * about by way of this node. For the files of this layer only.
 */

/* ---- reg_event.c: subscriptions, for whoever has a registration at the core */

/** For whom; each has a row of struct reg_event_ops in reg_event.c. */
enum reg_event_user { REG_EVENT_BINDING, REG_EVENT_BLOCK, REG_EVENT_USERS };

/** What a SUBSCRIBE says. Spans are borrowed for the call. */
struct reg_event_about {
	struct span impu;   /* whose registrations */
	struct span routes; /* Service-Route as the value of one Route header; empty: none */
	uint32_t lasts_s;   /* so long the core holds the registration */
};

/** What follows from a document. */
enum reg_event_next {
	REG_EVENT_WELL,
	REG_EVENT_ASK, /* it may be older than the registration: the core is asked what is now */
};

struct reg_event_ops {
	/** False: subject has no registration any more. */
	bool (*about)(const struct gateway *gw, struct handle subject,
		      struct reg_event_about *about);
	/**
	 * A document newer than those before has come. It says what was so when the core had heard
	 * all that had been answered here before since_us. The subject, and its subscription, may
	 * be gone afterwards.
	 */
	enum reg_event_next (*said)(struct gateway *gw, struct handle subject,
				    const struct reginfo *doc, uint64_t since_us);
	/** The core was asked because of REG_EVENT_ASK, and says nothing or that it knows of
	 * nothing: what is in doubt still counts. The subject, and its subscription, may be gone
	 * afterwards. */
	void (*unanswered)(struct gateway *gw, struct handle subject);
	/** The core does not tell about subject, and will not: its subscription has ended. */
	void (*refused)(struct gateway *gw, struct handle subject);
};

bool reg_events_open(struct gateway *gw);
void reg_events_close(struct gateway *gw);

/**
 * Subscribes for subject, which has no subscription yet, as soon as timers run. none: switched off,
 * or there is no room, which is counted. Its user keeps the handle and ends the subscription.
 */
struct handle reg_event_subscribe(struct gateway *gw, enum reg_event_user user,
				  struct handle subject);
/**
 * The subscription, if there is one, is forgotten. The core is not told: it ends it itself with the
 * registration, and else is answered 481 to its next NOTIFY, which costs less than to SUBSCRIBE
 * with Expires 0 and to get one more NOTIFY for that.
 */
void reg_event_forget(struct gateway *gw, struct handle subscription);
/** The end of a SUBSCRIBE of ours, as own_answered() has it. */
void reg_event_answered(struct gateway *gw, struct transaction *t, uint16_t status,
			enum own_end how);
/** The core's NOTIFY in gw->message, which is for this node itself. */
void reg_event_notify(struct gateway *gw, const struct mw_source *source);
/** Writes what operators see of it to name, which is all zeros. */
void reg_event_name(const struct gateway *gw, struct handle subscription,
		    char name[ROW_REG_EVENT_MAX]);

/** The connection of flow is to be closed for why, when nothing else is in hand. */
void reg_event_close_flow(struct gateway *gw, struct handle flow, enum gw_err why);

/* ---- reg_contact.c: what documents say of a Contact of ours */

/** A registration of ours, as a document may name it. */
struct reg_ours {
	struct sip_uri uri;	      /* of its Contact; its err not GW_OK: no contact is ours */
	struct span instance, reg_id; /* of its parameters, as written; empty: none */
	uint64_t call_id;	      /* binding_call_id() of the last REGISTER with a 200 */
	uint32_t cseq;		      /* and its CSeq */
	uint64_t asked_us;	      /* and when it came, or was sent */
	bool fresh; /* nothing in the document is older: the core was asked for it behind that 200
		     */
};

/** Whether a contact is about that REGISTER, or about one before (PROTOCOL 10.5). */
enum reg_order {
	REG_OLDER,   /* the core has heard a newer one since, and said 200 */
	REG_CURRENT, /* of this one, or of one that comes */
	REG_UNKNOWN, /* it does not say */
};

/** What a document says of it. */
struct reg_word {
	const struct reginfo_contact *stands; /* our Contact, active; NULL: nothing of that */
	const struct reginfo_contact *ended;  /* our Contact, terminated; NULL: not named */
	bool over;			      /* the registration has ended */
	bool own_over;			      /* that of the identity it came about by has */
	bool unsure;			      /* what says so may be older than the last 200 */
	bool unshown; /* registered by contacts that may be ours: the core writes them otherwise */
};

/** Our Contact in r, of several that may be one that is active; NULL: it is not there. */
const struct reginfo_contact *reg_contact_find(const struct reg_ours *ours,
					       const struct reginfo *doc,
					       const struct reginfo_registration *r);
enum reg_order reg_contact_order(const struct gateway *gw, const struct reg_ours *ours,
				 const struct reginfo_contact *c);
/** The core may have said this before it heard of the last REGISTER. c: may be NULL. */
bool reg_contact_may_be_older(const struct gateway *gw, const struct reg_ours *ours,
			      const struct reginfo_contact *c);
/** Notes that a registration has ended, or our Contact of it: c, may be NULL. */
void reg_contact_ended(const struct gateway *gw, const struct reg_ours *ours,
		       const struct reginfo_contact *c, struct reg_word *word);
/** The seconds of a probation: a minute where the core says none, a day at most. */
uint32_t reg_contact_probation_s(const struct reginfo_contact *c);
/** An end that is not believed yet is kept, in case that the core does not answer. c: our Contact,
 * terminated; may be NULL. */
void reg_contact_doubt(struct gateway *gw, struct reg_doubt *doubt,
		       const struct reginfo_contact *c);
/** What was kept. */
struct reginfo_contact reg_contact_doubted(const struct reg_doubt *doubt);
/** The identity is registered; whether by us, this core's documents never say. */
void reg_contact_unshown(struct gateway *gw, struct reg_doubt *doubt);

/* ---- reg_binding.c: what documents mean for bindings */
extern const struct reg_event_ops reg_binding_ops;
/** The core has said 200 about b, whose flow is there. */
void reg_binding_bound(struct gateway *gw, struct binding *b);
/** b has ended here. */
void reg_binding_over(struct gateway *gw, struct binding *b);

/* ---- reg_block.c: what they mean for blocks; the rest of it is in block.h */
extern const struct reg_event_ops reg_block_ops;

/* ---- barred.c: whom the core does not want to hear of for a while, on every worker */
bool barred_open(struct gateway *gw);
void barred_close(struct gateway *gw);
/** Nobody may register by this token (jti_hash()), or this pair, for so long; on all workers. */
void barred_add(struct gateway *gw, uint64_t who, enum gw_err why, uint32_t seconds);
/** What of the pair is barred. */
uint64_t barred_pair(const struct gateway *gw, const struct identity *impi,
		     const struct identity *impu);
/**
 * Whether wic may register what t is about. GW_REG_REJECTED: not by this token. GW_REG_PROBATION:
 * not yet, unless it is bound here: the core has let that stand.
 */
enum gw_err GW_MUST_CHECK barred_check(struct gateway *gw, struct wic *wic,
				       const struct transaction *t);
/** MESSAGE_BARRED of another worker. */
void barred_message(struct gateway *gw, const struct message_head *head);

#endif
