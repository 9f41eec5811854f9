/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_ORIGINATE_H
#define GATEWAY_ORIGINATE_H

#include "internal.h"

/* Requests of WICs to the core, those of REGISTER left out. For the files of this layer only. */

/* originate.c */
enum gw_err GW_MUST_CHECK originate_request(struct gateway *gw, struct wic *wic);
/** Where a request of a WIC goes whose Route begins with element; empty: to the next hop. */
enum gw_err GW_MUST_CHECK originate_target(struct gateway *gw, struct span element,
					   struct mw_target *target);
/** Sends it and, of an INVITE, says 100. On error t is freed. */
enum gw_err GW_MUST_CHECK originate_send(struct gateway *gw, struct transaction *t);
/** The first element of a list of routes; empty: there is none. */
struct span originate_first(struct span routes);
/** Has the host of the first of routes looked up, before a request needs it. */
void originate_prefetch(struct gateway *gw, struct span routes);
void originate_response(struct gateway *gw, struct transaction *t);
/** Writes the response in gw->message to gw->out as wic (NULL: gone) gets it. mark: what its
 * Record-Route of ours says; NULL: inside a dialog. */
enum gw_err GW_MUST_CHECK originate_answer(struct gateway *gw, struct wic *wic,
					   struct dialog_mark *mark, enum mw_transport transport);

/** How a request that begins something goes to the core. */
struct origination {
	struct identity asserted;
	struct span route; /* first element of its Route there; empty: by the next hop */
	target_build *build;
	bool unregistered;
};
/** A Path of ours that is not this WIC's says that it wants to be where another one is.
 * GW_DIALOG_FOREIGN. */
enum gw_err GW_MUST_CHECK originate_check_route(struct gateway *gw, const struct wic *wic);
/** Sends the request in gw->message, whose sender has been found to be allowed it. */
enum gw_err GW_MUST_CHECK originate_begin(struct gateway *gw, struct wic *wic,
					  const struct origination *o);
/** For a build: what is edited of each; Route and the lines of originate_append() are its own. */
void originate_edit(struct gateway *gw, const struct wic *wic, struct transaction *t);
/** Writes to gw->lines: who the WIC is, and the charging identifier. */
void originate_write_identity(struct gateway *gw, const struct transaction *t);

/* originate_wildcard.c: of who is not registered (PROTOCOL 7.1) */
/** A request of a site whose mode is WWSF_WILDCARD, that begins something: by its token, or by the
 * last one of the connection. GW_AGAIN, GW_PARKED as authorize_request(). */
enum gw_err GW_MUST_CHECK originate_wildcard(struct gateway *gw, struct wic *wic);
/** The same when gw->claims are believed. GW_TOKEN_SCENARIO: its site has another mode. */
enum gw_err GW_MUST_CHECK originate_authorized(struct gateway *gw, struct wic *wic);

#endif
