/* SPDX-License-Identifier: BSD-3-Clause */
#include "block.h"
#include "own.h"
#include "reg_event.h"

/* Requests of this node's own: who made them hears how they ended. */

bool own_may_change(uint16_t status)
{
	return status == 408 || status == 429 || status == 480 || status == 500 || status == 502 ||
	       status == 503 || status == 504;
}

void own_register_begin(struct gateway *gw, const struct transaction *t,
			const struct realm_config *realm)
{
	request_begin(gw, NULL);
	writer_text(&gw->out, "REGISTER sip:");
	writer_put(&gw->out, realm->domain);
	writer_text(&gw->out, " SIP/2.0\r\n");
	request_write_via(gw, t, &gw->out);
}

bool own_register_end(struct gateway *gw, const struct identity *impi,
		      const struct realm_config *realm, struct span site)
{
	register_authorization(gw, impi, realm, site);
	register_networks(gw, realm);
	writer_text(&gw->lines, "Content-Length: 0\r\n\r\n");
	writer_put(&gw->out, request_lines(gw, 0));
	return writer_ok(&gw->lines) && writer_ok(&gw->out);
}

void own_answered(struct gateway *gw, struct transaction *t, uint16_t status, enum own_end how)
{
	struct binding *b;

	switch (t->own.what) {
	case OWN_DEREGISTER:
		b = slots_at(gw->bindings, t->own.subject);
		if (b != NULL && b->state == BINDING_LEAVING)
			deregister_answered(gw, b, status);
		return;
	case OWN_SUBSCRIBE:
		reg_event_answered(gw, t, status, how);
		return;
	case OWN_OPTIONS:
		hops_answered(gw, t, status);
		return;
	case OWN_BLOCK:
		block_answered(gw, t, status);
		return;
	default:
		return;
	}
}

void own_response(struct gateway *gw, struct transaction *t)
{
	own_answered(gw, t, gw->message.status, OWN_RESPONSE);
	transaction_free(gw, t);
}
