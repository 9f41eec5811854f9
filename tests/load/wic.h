/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIC_H
#define WIC_H

#include "chance.h"
#include "link.h"
#include "mint.h"
#include "rogue.h"
#include "sip/sip.h"
#include "tally.h"
#include "upgrade.h"
#include "ws/ws.h"

/** One WebRTC client: connects, registers, answers, leaves. */

/** Largest message taken from the server, with its frame head. */
#define WIC_IN_MAX 8192

/** How long the server may take for anything: timers B and F (RFC 3261 17.1), us. */
#define WIC_PATIENCE_US (32 * (uint64_t)1000000)

/** What all WICs of a process have in common. */
struct wic_world {
	const struct options *options;
	struct link_config link;
	struct mint *mint;
	struct tally *tally;
	struct chance chance;
	char host[ADDRESS_TEXT_MAX + 256]; /* of the HTTP request */
	uint64_t run;			   /* tells the Call-IDs of this run from another's */
	uint64_t jti;
	uint64_t now_us;	     /* monotonic; read again where something is timed */
	uint64_t now_s;		     /* Unix time */
	struct site *site;	     /* who lends pairs; NULL: each WIC has its own */
	bool ending;		     /* nobody comes back */
	struct sip_message message;  /* scratch */
	uint8_t text[LINK_OUT_MAX];  /* scratch: SIP to be sent */
	uint8_t frame[LINK_OUT_MAX]; /* scratch: the frame around it */
};

enum wic_state {
	WIC_OUT,
	WIC_CONNECTING, /* TCP */
	WIC_SECURING,	/* TLS */
	WIC_UPGRADING,	/* HTTP */
	WIC_OPEN,
	WIC_CLOSING, /* our close frame is out */
	WIC_FROZEN,  /* it hears, and does nothing any more */
	WIC_STATE_COUNT
};

/** The request it waits for the answer of. */
enum wic_ask {
	ASK_NOTHING,
	ASK_REGISTER,
	ASK_REFRESH,
	ASK_UNREGISTER,
	ASK_MESSAGE,
	ASK_OPTIONS,
	ASK_INVITE,
	ASK_BYE,
	ASK_REPLACED, /* nothing: another one has its place, and the server will close it */
	ASK_COUNT
};

/** What WICs do one after the other while they are driven. */
enum wic_deed {
	WIC_REREGISTER,
	WIC_MESSAGE,
	WIC_CALL,
	WIC_OPTIONS,
	WIC_REREGISTER_AGAIN /* with the token it has */
};

/** Most bytes of what a WIC must know again of a dialog. */
#define WIC_DIALOG_MAX 2048

/** The dialog of a WIC's call, from the 200 to its INVITE on. */
struct wic_dialog {
	uint32_t number;	       /* of its Call-ID: CSeq of what began it */
	struct span target, to, route; /* into text; route: header lines */
	uint8_t text[WIC_DIALOG_MAX];
};

/** How it leaves. */
enum wic_exit {
	EXIT_NONE,
	EXIT_UNREGISTER, /* un-REGISTER, then close 1000 */
	EXIT_CLOSE,	 /* close 1001 and no more, as a closed tab does */
	EXIT_ABORT,	 /* TCP reset */
	EXIT_FREEZE	 /* no word any more, and the connection stays */
};

/** away_us of who does not come back. */
#define WIC_NEVER_US (UINT64_MAX / 4)

/** A visitor of a site that lends pairs, from the arrival on. */
struct visit {
	uint64_t number; /* of its sub; 0: there is no such site */
	uint32_t pair;	 /* row of the site */
	enum rogue rogue;
	uint64_t end_us;    /* when it leaves, and how */
	uint64_t reload_us; /* when it loads the page again; 0: never */
	uint64_t act_us;    /* when it says the next thing */
	enum wic_exit exit;
};

/** Whom a request is for that the WIC waits for the answer of. */
struct addressee {
	uint32_t pair;
	uint64_t visit; /* 0: nobody of the site */
	uint32_t page;
};

struct wic {
	struct wic_world *world;
	const struct pair *pair;
	const struct address *source; /* NULL: any */
	uint32_t index, cseq;
	uint32_t name;	   /* its host: the same for all pages of a user */
	uint32_t page;	   /* what has been loaded: new Contact, new Call-ID */
	uint32_t instance; /* the browser */
	enum wic_state state;
	enum wic_ask ask;
	enum wic_exit exit;
	bool registered;
	bool token_stays;     /* the next REGISTER has the token of the one before */
	uint64_t began_us;    /* the connection */
	uint64_t asked_us;    /* the request, or our close frame */
	uint64_t deadline_us; /* of what it waits for; 0: of nothing */
	uint64_t refresh_us;  /* when to REGISTER again */
	uint64_t due_us;      /* WIC_OUT: when to come back; 0: never */
	uint64_t away_us;     /* how long it will stay out */
	uint64_t asked_s;     /* Unix time of the last REGISTER */
	uint64_t token_exp_s;
	uint32_t token_len;
	uint32_t in_len;
	char key[UPGRADE_KEY_LEN + 1];
	struct visit visit;
	struct addressee addressee;
	struct rogue_issue issue; /* visit.number: its last token */
	struct wic_dialog dialog;
	struct link link;
	uint8_t in[WIC_IN_MAX];
	uint8_t token[MINT_TOKEN_MAX];
};

void wic_init(struct wic *w, struct wic_world *world, uint32_t index, const struct pair *pair,
	      const struct address *source);

/** Connects and registers. Only when it is out. */
void wic_start(struct wic *w);

/** Its socket is ready. */
void wic_ready(struct wic *w);

/** Looks at its clocks: what it waits for too long, when to refresh, when to come back. */
void wic_turn(struct wic *w);

/** Leaves, and comes back after away_us; a pending answer is awaited first, but by EXIT_ABORT. */
void wic_leave(struct wic *w, enum wic_exit how, uint64_t away_us);

/** Another connection takes its place: it waits until the server closes it. Only when it is idle.
 */
void wic_await_replaced(struct wic *w);

/** Registered, and nothing under way. */
bool wic_is_idle(const struct wic *w);

/** Does one thing: wic_is_idle() again when it is done. Only when it is idle. */
void wic_do(struct wic *w, enum wic_deed deed);

/** Writes a MESSAGE or the INVITE of a call of the WIC, not to be waited for by wic_do(). */
void wic_write_message(struct wic *w, struct writer *out);
void wic_write_invite(struct wic *w, struct writer *out);

/* ---- between wic.c, wic_sip.c, wic_call.c and wic_visit.c ---------------------------------- */

/** Counts what went wrong, gives the connection up; comes back in 2 to 4 s, as JsSIP does. */
void wic_fail(struct wic *w, enum failure what, int32_t detail);

/** Reads the clock again: what is timed begins or ends now, not at the start of the turn. */
uint64_t wic_now(struct wic *w);

/** Sends one frame. False: it failed, and the WIC is out. */
bool wic_send(struct wic *w, enum ws_opcode opcode, struct span payload);

/** Sends a close frame and waits for the server to end the connection. */
void wic_close(struct wic *w, uint16_t code);

/** Sends a REGISTER: the first on its connection, or a refresh. */
void wic_register(struct wic *w);

/** Sends an un-REGISTER. */
void wic_unregister(struct wic *w);

/** Sends text and waits for its answer, or fails when text did not fit. */
void wic_ask(struct wic *w, enum wic_ask what, const struct writer *text);

/** Writes the host that a WIC has, and the URI of its Contact. */
void wic_write_host(const struct wic *w, struct writer *out);
void wic_write_contact_uri(const struct wic *w, struct writer *out);

/** Call-ID of what it now waits for. */
void wic_write_call_id(const struct wic *w, enum wic_ask ask, struct writer *out);

/** The final answer to a MESSAGE, OPTIONS, INVITE or BYE has come, and is no failure. */
void wic_answered(struct wic *w, enum wic_ask asked, const struct sip_message *m);

/** A SIP message came. */
void wic_message(struct wic *w, struct span text);

/** The site gives the visitor a token: w->issue. False: it has no right to one. */
bool wic_issue(struct wic *w);

/** The answer to a dishonest REGISTER has come: counts whether it is the right one, and leaves. */
void wic_rogue_answered(struct wic *w, const struct sip_message *m);

/** The gateway has taken the token of a visitor, and said granted_s. False: for too long, and the
 * WIC is out. */
bool wic_accepted(struct wic *w, uint32_t granted_s);

/** A 200 has this Contact too, which is no fault of a page before; one of another visitor counts.
 */
void wic_count_stranger(struct wic *w, struct span contact_uri);

/** The one that a request was for is not there any more, so that no answer is wrong. */
bool wic_addressee_gone(const struct wic *w, enum wic_ask asked);

/** A visitor gets only what is for the page that it has loaded. */
void wic_check_request(struct wic *w, const struct sip_message *m);

/** What a frozen one hears. */
void wic_overhear(struct wic *w, struct span text);

#endif
