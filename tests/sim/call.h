/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CALL_H
#define CALL_H

#include "sim.h"

/**
 * Calls between WICs and the core, known to both scripts, and what must hold of them. An end is a
 * user agent: call_uac.c asks, call_uas.c answers, the same at both ends. How a message leaves and
 * what is peculiar to an end is in wic_call.c and core_call.c.
 */

enum call_end { END_WIC, END_CORE, ENDS };

enum call_method {
	CALL_INVITE,
	CALL_REINVITE,
	CALL_ACK, /* of a 2xx */
	CALL_PRACK,
	CALL_UPDATE,
	CALL_INFO,
	CALL_BYE,
	CALL_METHODS
};

#define CALL_COUNT_MAX 512
#define CALL_LEGS_MAX 3 /* answers with tags of their own */
#define EXCHANGES_MAX 8192
#define CALL_ROUTE_MAX 1000
#define CALL_TEXT_MAX 6000
#define NO_LEG UINT32_MAX

/** One dialog of a call: an answer's To tag. */
struct leg {
	uint32_t tag;
	bool live[ENDS]; /* that end has the dialog: early or confirmed */
	bool confirmed[ENDS];
	bool over[ENDS];	 /* that end has ended it */
	uint32_t cseq[ENDS];	 /* of its last request */
	uint32_t busy[ENDS];	 /* exchange of its own that is not answered, plus 1 */
	uint32_t accepted[ENDS]; /* exchange that this end has answered with 2xx, unacknowledged,
				    plus 1 */
	uint64_t accepted_us[ENDS], again_us[ENDS];
	uint32_t acknowledged_cseq[ENDS]; /* of the INVITE whose ACK this end has sent last */
	char route[ENDS][CALL_ROUTE_MAX]; /* Route lines of its requests */
	char target[ENDS][200];		  /* their Request-URI */
	uint32_t rseq, rseq_seen;	  /* of the last reliable provisional answer */
	bool by_home; /* the WIC's route names its registration, not its connection */
};

struct call {
	enum call_end caller;
	uint32_t wic, user;
	uint32_t party; /* the number of the other one, beside the WIC */
	uint32_t sub;	/* of the pool's visitor; 0: the WIC is none */
	bool to_block;	/* by the block's Contact */
	bool sought;	/* for an identity of the block: whose WIC it comes to is not known yet */
	uint32_t home_user; /* as whom it was registered there when its first request came */
	uint32_t conn;	    /* the WIC's connection when it began */
	uint32_t first;	    /* exchange of the INVITE */
	uint32_t last;	    /* newest exchange, plus 1 */
	uint32_t cseq;	    /* the caller's last */
	bool cancelled;
	uint32_t key_round; /* of the flow keys, when it began */
	struct leg leg[CALL_LEGS_MAX];
	uint32_t legs;
	char icid[80];	 /* as the core knows it */
	char to[200];	 /* the INVITE's Request-URI */
	char route[300]; /* its Route line, or "" */
};

/** One request of a call. Its number is in its branch: "z9hG4bKx17". */
struct exchange {
	enum call_method method;
	enum call_end from;
	uint32_t call, leg;
	uint32_t before; /* the next older one of the call, plus 1 */
	uint32_t cseq;
	uint32_t conn; /* WIC's connection at the WIC's end */
	uint64_t sent_us;
	uint64_t progress_us; /* the last provisional answer was given */
	bool tcp;	      /* the core's, or as it arrived there */
	/* at the end that asked */
	uint16_t status; /* the first final answer */
	uint32_t tag;	 /* hash of its To */
	bool own;	 /* the other end gave it, not the gateway */
	uint64_t status_us;
	bool rang; /* a provisional answer of the other end has come, before any CANCEL */
	uint64_t cancelled_us;
	uint32_t cancel_answers;
	bool abandoned;
	/* at the other end */
	uint32_t delivered;
	uint64_t delivered_us;
	uint32_t delivered_conn;
	bool elsewhere;	   /* at the core: by another connection than before */
	uint16_t answered; /* the final answer that it gave last */
	bool deaf;	   /* it never says a word */
	bool cancel_seen;
	uint8_t *head; /* of the request, for the answers */
	uint32_t head_len;
};

struct calls {
	struct call call[CALL_COUNT_MAX];
	uint32_t count;
	struct exchange exchange[EXCHANGES_MAX];
	uint32_t exchanges;
	uint32_t open_from; /* exchanges before it have ended */
	uint32_t tags;
};

static inline enum call_end call_other(enum call_end end)
{
	return end == END_WIC ? END_CORE : END_WIC;
}

/* ---- the ledger (call.c) --------------------------------------------------------------------- */

struct calls *calls_new(void);
void calls_free(struct calls *calls);
/** NULL: there is no room. */
struct call *call_new(struct sim *sim, enum call_end caller, uint32_t wic, uint32_t conn,
		      uint32_t user);
uint32_t call_number(const struct sim *sim, const struct call *c);
/** The call that a message's Call-ID names; NULL: none. */
struct call *call_of(struct sim *sim, struct span message);
struct exchange *exchange_new(struct sim *sim, struct call *c, enum call_method method,
			      enum call_end from, uint32_t leg);
uint32_t exchange_number(const struct sim *sim, const struct exchange *x);
/** That of the undermost Via; NULL: it names none of c. */
struct exchange *exchange_of(struct sim *sim, const struct call *c, struct span message);
/** The INVITE of the end with this CSeq; NULL: none. */
struct exchange *exchange_invite(struct sim *sim, const struct call *c, enum call_end from,
				 uint32_t cseq);
const char *exchange_name(const struct exchange *x);
/** The leg whose To tag it is; NULL: none. */
struct leg *leg_of(struct call *c, uint32_t tag);
struct leg *leg_new(struct sim *sim, struct call *c);
uint32_t leg_number(const struct call *c, const struct leg *leg);
/** An end has heard of leg; from its message it learns route and target. */
void leg_learn(struct leg *leg, enum call_end end, struct span message);
/** The same of a target refresh: the Contact alone. */
void leg_retarget(struct leg *leg, enum call_end end, struct span message);

/** A final answer has come to the end that asked: whether that is right. True: it is the first. */
bool exchange_answered(struct sim *sim, struct exchange *x, struct span message);
/** A request has come to the other end: whether that is right. True: it is the first time. */
bool exchange_delivered(struct sim *sim, struct exchange *x, struct span message, uint32_t conn);
/** Nothing has come between the ends of c since since_us: no loss of a connection, a hop or the
 * gateway. */
bool call_undisturbed(const struct sim *sim, const struct call *c, uint32_t conn,
		      uint64_t since_us);
/** The WIC still has the registration, or the connection, that leg's requests since asked_us name:
 * a REGISTER of another Contact or instance on its connection ends the dialogs (PROTOCOL 6.6). */
bool leg_stands(const struct sim *sim, const struct call *c, const struct leg *leg,
		uint64_t asked_us);
/** Checks that nothing waits for ever; runs every second. */
void watch_calls(struct sim *sim);

/* ---- the ends -------------------------------------------------------------------------------- */

/** The caller's INVITE: to and route of c are set. What comes of it is drawn. */
void call_begin(struct sim *sim, struct call *c);
/** Some request of this end inside a dialog. */
void call_ask(struct sim *sim, struct call *c, struct leg *leg, enum call_end end,
	      enum call_method method);
/** A response has come to end. */
void call_response(struct sim *sim, struct call *c, enum call_end end, struct span message);
/** A request has come to end. */
void call_request(struct sim *sim, struct call *c, enum call_end end, struct span message,
		  uint32_t conn);

/* wic_call.c */
/** Whether the WIC of c could send now. */
bool wic_call_ready(struct sim *sim, const struct call *c);
/** conn: on that connection only; 0: on the one there is. False: there is none. */
bool wic_call_send(struct sim *sim, const struct call *c, uint32_t conn, struct span bytes);
uint32_t wic_call_conn(const struct sim *sim, const struct call *c);
/** What a WIC's messages have beside what all have. */
void wic_call_extras(struct sim *sim, const struct call *c, struct writer *out);
void wic_call_contact(struct sim *sim, const struct call *c, struct writer *out);
/** It is on the connection of the call still, which nobody has taken over since asked_us. */
bool wic_call_here(const struct sim *sim, const struct call *c, uint64_t asked_us);
/** The dialogs of its registration have not been interrupted since since_us, and the connection
 * that it has now had it at asked_us. */
bool wic_call_at_home(const struct sim *sim, const struct call *c, uint64_t since_us,
		      uint64_t asked_us);

/* core_call.c */
void core_call_send(struct sim *sim, struct exchange *x, const char *route, struct span bytes);
/** A CANCEL or the ACK of a failure: where x went. */
void core_call_send_beside(struct sim *sim, const struct exchange *x, struct span bytes);
/** The answer to x, or to its CANCEL. */
void core_call_reply(struct sim *sim, const struct exchange *x, struct span bytes);
void core_call_extras(struct sim *sim, const struct call *c, struct writer *out);
/** It stops asking: x is answered. */
void core_call_answered(struct sim *sim, const struct exchange *x);
/** The way back of the answer to x is open. */
bool core_call_open(const struct sim *sim, const struct exchange *x);
uint64_t core_disturbed_us(const struct sim *sim);

#endif
