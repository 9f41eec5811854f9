/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TALLY_H
#define TALLY_H

#include <stdint.h>
#include <stdio.h>

#include "histogram.h"
#include "site.h"

/** Parts of a run: X(identifier, name). */
#define PHASE_LIST(X) \
	X(RAMP, "ramp") \
	X(HOLD, "hold") \
	X(DRIVE, "drive") \
	X(CHURN, "churn") \
	X(RETURN, "return") \
	X(SETTLE, "settle") \
	X(VISIT, "visit") \
	X(LEAVE, "leave")

#define PHASE_ENUM(id, name) PHASE_##id,
enum phase { PHASE_LIST(PHASE_ENUM) PHASE_COUNT };
#undef PHASE_ENUM

/** What WICs do, each timed from its beginning to the answer that completes it. */
#define DEED_LIST(X) \
	X(CONNECT, "connect")	/* from SYN to 101 */ \
	X(REGISTER, "register") /* the first on a connection */ \
	X(REFRESH, "re-register") \
	X(UNREGISTER, "un-register") \
	X(MESSAGE, "message") \
	X(OPTIONS, "options") \
	X(CALL, "call")	  /* from INVITE to the 200 of its BYE */ \
	X(CLOSE, "close") /* from our close frame to the server's end of the connection */ \
	X(LEND, "wait for a pair") /* from the visitor's arrival until the site has one */

#define DEED_ENUM(id, name) DEED_##id,
enum deed { DEED_LIST(DEED_ENUM) DEED_COUNT };
#undef DEED_ENUM

/** Things that happen without being timed. */
#define COUNT_LIST(X) \
	X(PING, "pings answered") \
	X(REQUEST, "requests answered") \
	X(ABORT, "connections dropped by us without a word") \
	X(CUT, "requests of ours cut off by that") \
	X(NOBODY, "churn operations for which no WIC was free") \
	X(VISIT, "visitors that got a pair") \
	X(TURNED_AWAY, "visitors turned away: no pair in time") \
	X(RELOAD, "pages loaded again") \
	X(REPLACED, "connections closed because that came before they had gone") \
	X(FROZEN, "visitors frozen: a connection, but no word and no answer any more") \
	X(GONE, "requests whose addressee had gone meanwhile") \
	X(STRANGER, "200s that still had a Contact of an earlier visitor") \
	X(ROGUE_OVERLAP, "dishonest and refused: a pair that another visitor has") \
	X(ROGUE_OLDER, "dishonest and refused: a token older than the one its visitor has") \
	X(ROGUE_REPLAY, "dishonest and refused: the jti of another visitor") \
	X(ROGUE_LONG, "dishonest and refused: a longer lifetime than agreed") \
	X(ROGUE_MIXED, "dishonest and refused: the private identity of another pair") \
	X(ROGUE_FOREIGN, "dishonest and refused: a pair of another web site, or nobody's") \
	X(ROGUE_NOBODY, "dishonest issues for which there was no victim")

#define COUNT_ENUM(id, name) COUNT_##id,
enum count { COUNT_LIST(COUNT_ENUM) COUNT_COUNT };
#undef COUNT_ENUM

/** Everything that is not expected: X(identifier, name, what its detail number is). */
#define FAILURE_LIST(X) \
	X(CONNECT, "TCP connection failed", "errno") \
	X(CONNECT_TIMEOUT, "TCP connection: no answer in time", "") \
	X(TLS, "TLS handshake failed", "errno") \
	X(TLS_TIMEOUT, "TLS handshake: no answer in time", "") \
	X(UPGRADE_REFUSED, "upgrade refused", "status") \
	X(UPGRADE_MALFORMED, "upgrade answer malformed", "") \
	X(UPGRADE_TIMEOUT, "upgrade: no answer in time", "") \
	X(TOKEN, "token could not be made", "") \
	X(REGISTER_REFUSED, "REGISTER refused", "status") \
	X(REGISTER_TIMEOUT, "REGISTER: no answer in time", "") \
	X(REFRESH_REFUSED, "re-REGISTER refused", "status") \
	X(REFRESH_TIMEOUT, "re-REGISTER: no answer in time", "") \
	X(UNREGISTER_REFUSED, "un-REGISTER refused", "status") \
	X(UNREGISTER_TIMEOUT, "un-REGISTER: no answer in time", "") \
	X(MESSAGE_REFUSED, "MESSAGE refused", "status") \
	X(MESSAGE_TIMEOUT, "MESSAGE: no answer in time", "") \
	X(OPTIONS_REFUSED, "OPTIONS refused", "status") \
	X(OPTIONS_TIMEOUT, "OPTIONS: no answer in time", "") \
	X(INVITE_REFUSED, "INVITE refused", "status") \
	X(INVITE_TIMEOUT, "INVITE: no final answer in time", "") \
	X(BYE_REFUSED, "BYE refused", "status") \
	X(BYE_TIMEOUT, "BYE: no answer in time", "") \
	X(DIALOG, "200 to INVITE that makes no dialog", "") \
	X(CONTACT, "our Contact is not in the 200", "") \
	X(STILL_BOUND, "our Contact is in the 200 to an un-REGISTER", "") \
	X(GRANT, "granted no time, or more than was asked", "s") \
	X(OUTLIVES, "granted beyond the end of the token", "s") \
	X(CLOSED, "closed by the server", "close code") \
	X(ENDED, "connection ended by the server", "") \
	X(RESET, "connection broken", "errno") \
	X(FRAME, "frame refused", "error") \
	X(SIP, "message is not SIP", "error") \
	X(UNMATCHED, "response to nothing we asked", "status") \
	X(REQUEST, "request that no WIC expects", "method") \
	X(MISDELIVERED, "request for another visitor", "method") \
	X(POSTHUMOUS, "request for one whose token has ended", "method") \
	X(REPLACED_TIMEOUT, "connection not closed though another has its place", "") \
	X(FROZEN_TIMEOUT, "frozen connection not closed in time", "") \
	X(ROGUE_TAKEN, "dishonest, and taken", "kind") \
	X(ROGUE_ANSWER, "dishonest, and refused with another status", "status") \
	X(ROGUE_RETRY, "dishonest, and Retry-After is not right", "s") \
	X(OUTPUT, "server does not read", "") \
	X(CLOSE_TIMEOUT, "close: connection not ended in time", "") \
	X(LEFT_BEHIND, "did not get away before the end", "")

#define FAILURE_ENUM(id, name, detail) FAILURE_##id,
enum failure { FAILURE_LIST(FAILURE_ENUM) FAILURE_COUNT };
#undef FAILURE_ENUM

/** Different failures that are told apart; the rest counts in the last row. */
#define TALLY_ROWS 64

struct tally_row {
	enum failure what;
	int32_t detail;
	uint64_t count;
};

/** All that a run counts. All zero is an empty one. */
struct tally {
	enum phase phase;
	uint64_t phase_us[PHASE_COUNT]; /* how long each lasted */
	struct histogram took[PHASE_COUNT][DEED_COUNT];
	uint64_t count[COUNT_COUNT];
	uint64_t failures;
	uint32_t rows;
	struct tally_row row[TALLY_ROWS];
	uint32_t connected_most, registered_most;
	uint32_t pairs; /* that a site lent; 0: there was none */
	struct site_uses uses;
};

/** What the process used so far. */
struct usage {
	double user_s, system_s, wall_s;
	uint64_t rss_kib; /* largest */
};

const char *phase_name(enum phase phase);

void tally_took(struct tally *t, enum deed deed, uint64_t us);
void tally_count(struct tally *t, enum count what);
/** detail: what the list says for that failure, 0 when it has none. */
void tally_failure(struct tally *t, enum failure what, int32_t detail);

void tally_print(const struct tally *t, const struct usage *usage, FILE *to);
void tally_print_json(const struct tally *t, const struct usage *usage, FILE *to);

#endif
