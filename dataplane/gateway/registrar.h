/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_REGISTRAR_H
#define GATEWAY_REGISTRAR_H

#include "block.h"
#include "identity/pattern.h"

/* The registrar of blocks (PROTOCOL 8.2): its home workers, and those who ask them. For the files
 * of this layer only. */

#define REGISTRAR_CONTACT_MAX 448 /* bytes of a Contact with its parameters; longer: refused */
#define REGISTRAR_LIST_MAX (16 * (REGISTRAR_CONTACT_MAX + 40)) /* block.contacts is 16 at most */

/* registrar.c: the bindings of identities whose home is this worker */
bool registrar_open(struct gateway *gw);
void registrar_close(struct gateway *gw);
struct registrar_key registrar_key(const struct gateway *gw, struct span site,
				   const struct identity *impu);
uint16_t registrar_home(const struct gateway *gw, const struct registrar_key *key);
/** Asks the home worker, whose answer comes to register_block_answered(), maybe before this
 * returns. GW_REGISTRAR_BUSY. */
enum gw_err GW_MUST_CHECK registrar_ask(struct gateway *gw, struct message_registrar_ask *ask,
					struct span contact);
/** The flow has no binding of it any more, of that REGISTER or one before: its home worker is told.
 */
void registrar_say_gone(struct gateway *gw, const struct registrar_key *key, struct handle flow,
			const struct registrar_order *order);
/** The flow of the youngest binding; none. */
struct handle registrar_youngest(const struct gateway *gw, const struct registrar_key *key);
/** Fills in the flows of at most max bindings; how many. */
uint32_t registrar_flows(const struct gateway *gw, const struct registrar_key *key,
			 struct handle *flow, uint32_t max);

/* register_block.c: REGISTER of a WIC whose web site is a block */
/** True when wic's registrations end here. */
bool register_is_block(const struct gateway *gw, const struct wic *wic);
enum gw_err GW_MUST_CHECK register_block(struct gateway *gw, struct wic *wic,
					 const struct register_ask *ask);
/** The same when gw->claims are believed. */
enum gw_err GW_MUST_CHECK register_block_authorized(struct gateway *gw, struct wic *wic,
						    const struct register_ask *ask);
/** The home worker's answer; contacts: the lines of all bindings. */
void register_block_answered(struct gateway *gw, const struct message_registrar_answer *m,
			     struct span contacts);
/** Another one's REGISTER has removed what the flow has. */
void register_block_ended(struct gateway *gw, const struct message_registrar_ended *m);
/** The flow of t, which waits for its home worker, has ended. */
void register_block_orphaned(struct gateway *gw, struct transaction *t);
/** b, of a block, is about to be freed, or has lost its flow. */
void register_block_gone(struct gateway *gw, const struct binding *b);

/* date.c */
/** Writes a Date line of that Unix time (RFC 3261 20.17). */
void date_write(uint64_t unix_s, struct writer *out);

/* register_token.c */
/** The REGISTER is a de-registration or fetch of the flow that has b, or NULL: no token is needed
 * (PROTOCOL 5.6). */
bool register_is_owner(const struct binding *b, const struct register_ask *ask);

/* refusal.c */
/** The option tag is one that this node, as a registrar, knows. */
bool refusal_understands(struct span tag);

/* outbox.c */
/** As outbox_try(), of a message whose struct has size bytes and that ends with others. */
enum gw_err GW_MUST_CHECK outbox_try_with(struct gateway *gw, uint16_t worker,
					  const struct message_head *head, uint32_t size,
					  struct span bytes);

#endif
