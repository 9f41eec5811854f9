/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_WILDCARD_H
#define GATEWAY_WILDCARD_H

#include "internal.h"

/*
 * Users who are not registered: of sites with mode WWSF_WILDCARD, who have shown a token on their
 * connection (PROTOCOL 7.1). For the files of this layer only.
 */

#define WILDCARD_DIALOGS_MAX 8

/** Owner: the worker of the flow. Lives until that ends, or its token is taken back. */
struct wildcard_user {
	struct handle flow;
	uint64_t exp_s; /* its token's end, Unix time: nothing begins by it from there on */
	uint64_t jti;	/* jti_hash() of the token */
	uint32_t key;	/* id of the key that has signed it */
	char wwsf[SITE_NAME_MAX + 1];
	uint64_t impi_hash, impu_hash; /* impi_hash 0: the token names none */
	struct identity impi, impu;
	uint64_t dialog[WILDCARD_DIALOGS_MAX]; /* that go on, by wildcard_dialog(); 0: none */
	bool pinned; /* something else than a call has begun: nobody else until its flow ends */
	bool more_dialogs; /* there were more: it counts as in one until its flow ends */
};

/** What a token says that is believed. */
struct wildcard_claims {
	struct identity impi, impu; /* impi.len 0: none */
	uint64_t exp_s;
	uint64_t jti;
	uint32_t key;
};

bool wildcards_open(struct gateway *gw);
void wildcards_close(struct gateway *gw);

/** The connection's site is of that mode. */
bool wildcard_site(const struct gateway *gw, const struct wic *wic);
/** NULL: no token has been shown here. */
struct wildcard_user *wildcard_of(const struct gateway *gw, const struct wic *wic);
/** Its token has not ended. */
bool wildcard_lasts(const struct gateway *gw, const struct wildcard_user *u);
/** Seconds until it does; 0: it has. */
uint32_t wildcard_left(const struct gateway *gw, const struct wildcard_user *u);
/** A call of its has not ended, as far as is known. */
bool wildcard_talks(const struct wildcard_user *u);

/** Whether wic's user may begin something without showing its token again: GW_TOKEN_NONE, it has
 * ended; GW_TOKEN_JTI, GW_TOKEN_WWSF, GW_TOKEN_KID, GW_IDENTITY_FOREIGN: it would be refused by
 * now. */
enum gw_err GW_MUST_CHECK wildcard_still_valid(const struct gateway *gw, const struct wic *wic,
					       const struct wildcard_user *u);
/** The token of gw->claims has been accepted on wic. GW_IDENTITY_MISMATCH: of another identity than
 * that of a request or call that goes on here; GW_BINDING_LIMIT. */
enum gw_err GW_MUST_CHECK wildcard_accept(struct gateway *gw, struct wic *wic,
					  const struct wildcard_claims *claims);
/** Its identity is still in the wildcard of its site, and its token and site have not been taken
 * back: GW_TOKEN_JTI, GW_TOKEN_WWSF, GW_IDENTITY_FOREIGN. */
enum gw_err GW_MUST_CHECK wildcard_taken_back(const struct gateway *gw,
					      const struct wildcard_user *u);
void wildcard_flow_ended(struct gateway *gw, struct wic *wic);
/** u ends; its flow goes on. */
void wildcard_end(struct gateway *gw, struct wildcard_user *u);

/** gw->message is a response of the core that may have begun a dialog of wic. Of who is registered
 * nothing is noted. */
void wildcard_dialog_begins(struct gateway *gw, const struct wic *wic);
/** What names the dialog of gw->message, the same whoever of the two says it; never 0. */
uint64_t wildcard_dialog(const struct gateway *gw);
/** t has an answer, of who was asked or for want of one: its dialog may have ended, or what is no
 * call have begun. */
void wildcard_answered(struct gateway *gw, const struct transaction *t, uint16_t status);

/** The Request-URI of gw->message names an identity of a wildcard that is not registered. */
bool wildcard_is_called(const struct gateway *gw);

#endif
