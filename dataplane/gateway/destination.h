/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_DESTINATION_H
#define GATEWAY_DESTINATION_H

#include "internal.h"

/* Whom a WIC may reach: rules of the operator, then of its web site (include/parts.h). For the
 * files of this layer only. */

/**
 * Whether the initial request in gw->message may go on: by its Request-URI, by its Refer-To, and by
 * what else would have somebody called. GW_DESTINATION; GW_DESTINATION_UNCLEAR: there are rules,
 * and it can be read in two ways. Either is counted and told to the audit stream.
 */
enum gw_err GW_MUST_CHECK destination_check(struct gateway *gw, const struct wic *wic);

/**
 * The same of a request inside a dialog, whose route is top: it goes to where the dialog was to go
 * when it began, and else to where an initial one might; a BYE or ACK to any SIP URI that is no
 * number and that no rule denies.
 */
enum gw_err GW_MUST_CHECK destination_in_dialog(struct gateway *gw, const struct wic *wic,
						const struct route_top *top);

/** The name of the web site by whose rules the request in gw->message is judged; empty: its
 * connection is of none any more. */
struct span destination_site(const struct gateway *gw, const struct wic *wic);

/** What names the target of a dialog in our Record-Route: a hash of the URI, 0 when it is none. */
uint64_t destination_target(const struct gateway *gw, const struct sip_uri *uri);

/* audit.c */
/** The request in gw->message of wic was refused for its destination. */
void audit_destination(struct gateway *gw, const struct wic *wic, enum gw_err err);

/* emergency.c */
/** The request in gw->message is an emergency call that goes on to the core (D-32), and nothing in
 * its Request-URI could lead to somebody else. */
bool emergency_forwarded(const struct gateway *gw);

#endif
