/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENTS_H
#define EVENTS_H

#include "world.h"

/** The core as a notifier of registration events: a subscription of alice, and what is said in it.
 */

#define S 1000000ull
#define OUR_URI "sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws"
#define OUR_CALL_ID "2aq40ot07ov2fs5490acqa"
/* attributes of a contact: it is of her first REGISTER */
#define OUR_LAST " callid=\"" OUR_CALL_ID "\" cseq=\"1\""

/** The SUBSCRIBE that the core has got last. */
const char *events_subscribe(void);
/** So many SUBSCRIBEs since world_forget(). */
uint32_t events_subscribes(void);
/** It is remembered: NOTIFYs are of its dialog. */
void events_remember(void);
/** The core answers it: 200, and grants so much. */
void events_grant(uint32_t expires_s);
/** Registers alice for 600 s, token of 3570 s, with events on; the core accepts the subscription.
 * Nothing sent is left. */
void events_start(void);
/** The same of a world that is there. */
void events_register(void);

/** The text of a NOTIFY in the remembered dialog: its CSeq, Subscription-State, document. */
const char *events_text(uint32_t cseq, const char *state, const char *document);
/** Sends it; the status that it gets. What was sent before is forgotten. */
uint32_t events_say(uint32_t cseq, const char *state, const char *document);
/** One document with this version, full or partial, and these registrations. */
const char *events_document(uint32_t version, const char *state, const char *registrations);
/** A registration element of aor in state, with these contacts. */
const char *events_registration(const char *aor, const char *state, const char *contacts);
/** Alice's Contact with these attributes. */
const char *events_contact(const char *attributes);
/** Both of alice's identities in a state, with that contact; said as version and CSeq n, partial,
 * active. The status. */
uint32_t events_all(uint32_t n, const char *state, const char *contact_attributes);

/** Registered, and the core has told all there is. */
void events_told(void);
/** The binding ended so; nothing is said to the core about it. */
void events_over(enum gw_err why);
/** How long the only binding lasts. */
uint32_t events_expires_s(void);
/** Whether WIC 0's connection, and no other, is to be closed. */
bool events_closed(enum gw_err why);
/** The answer that alice's REGISTER gets at once; it did not go to the core. */
const char *events_turned_away(uint32_t wic, const char *request);

#endif
