/* SPDX-License-Identifier: BSD-3-Clause */
#include "block.h"
#include "originate.h"
#include "own.h"

/*
 * The REGISTER of a block (PROTOCOL 8.1, 8.4): of this node's own, as UE and P-CSCF at once. Its
 * Contact and Path name the common port: what the core sends for the block may come to any worker.
 */

static const char *const transport_param[] = {
	[MW_UDP] = "", [MW_TCP] = ";transport=tcp", [MW_TLS] = ";transport=tls"};

/** Where the core reaches any worker of this node: host and port. */
static void write_common(const struct gateway *gw, enum mw_transport transport, struct writer *out)
{
	const struct config_part *config = gw_config(gw);

	writer_put(out, config->mw_host);
	writer_text(out, ":");
	writer_decimal(out, transport == MW_TLS ? config->mw_tls.port : config->mw_sip_port);
}

/** Over UDP nothing longer than a datagram would come: the Contact asks for TCP (PROTOCOL 8.1). */
void block_contact(const struct gateway *gw, struct span name, struct writer *out)
{
	bool tls = gw_config(gw)->mw_tls.port != 0;

	writer_text(out, "sip:" BLOCK_USER);
	writer_put(out, name);
	writer_text(out, "@");
	write_common(gw, tls ? MW_TLS : MW_TCP, out);
	writer_text(out, transport_param[tls ? MW_TLS : MW_TCP]);
}

static void write_dialog(struct gateway *gw, const struct block *b, struct writer *out)
{
	writer_text(out, "Max-Forwards: 70\r\nFrom: <");
	writer_put(out, identity_span(&b->impu));
	writer_text(out, ">;tag=");
	request_random(gw, out);
	writer_text(out, "\r\nTo: <");
	writer_put(out, identity_span(&b->impu));
	writer_text(out, ">\r\nCall-ID: ");
	writer_bytes(out, b->call_id, sizeof(b->call_id));
	writer_text(out, "@");
	writer_put(out, gw_config(gw)->mw_host);
	writer_text(out, "\r\nCSeq: ");
	writer_decimal(out, b->cseq);
	writer_text(out, " REGISTER\r\nContact: <");
	block_contact(gw, span_text(b->name), out);
	writer_text(out, ">;expires=");
	writer_decimal(out, b->asked_s);
	writer_text(out, "\r\nExpires: ");
	writer_decimal(out, b->asked_s);
	writer_text(out, "\r\n");
}

/** It names no flow, and no outbound: who is called, the request itself says. */
static void write_path(struct gateway *gw, enum mw_transport transport, struct writer *out)
{
	writer_text(out, "Path: <sip:");
	write_common(gw, transport, out);
	writer_text(out, transport_param[transport]);
	writer_text(out, ";lr>\r\nRequire: path\r\nSupported: path\r\n");
}

static bool write_request(struct gateway *gw, const struct block *b, const struct transaction *t)
{
	const struct realm_config *realm = request_realm_of(gw_config(gw), &b->impu);

	own_register_begin(gw, t, realm);
	write_dialog(gw, b, &gw->out);
	write_path(gw, t->target.transport, &gw->out);
	return own_register_end(gw, &b->impi, realm, span_text(b->name));
}

/** More than a datagram takes goes over TCP. */
static bool write_for_target(struct gateway *gw, const struct block *b, struct transaction *t)
{
	return write_request(gw, b, t) && (!target_outgrown(gw, t) || write_request(gw, b, t));
}

bool block_register(struct gateway *gw, struct block *b)
{
	struct handle subject = slots_handle(gw->blocks->pool, b);
	struct transaction *t = transaction_own(gw, OWN_BLOCK, subject, SIP_REGISTER);

	if (t == NULL)
		return false;
	b->cseq++;
	if (target_next_hop(gw, &t->target) != GW_OK || !write_for_target(gw, b, t)) {
		transaction_free(gw, t);
		return false;
	}
	b->own = slots_handle(gw->transactions, t);
	if (transaction_send(gw, t) == GW_OK) { /* frees t itself when it fails */
		counter_add(&gw_counters(gw)->block_out, 1);
		return true;
	}
	b->own = handle_none();
	return false;
}

uint32_t block_granted(struct gateway *gw, const struct transaction *t, struct block *b)
{
	uint32_t granted_s = register_grant_s(gw, t);
	struct writer w;

	writer_init(&w, b->routes, sizeof(b->routes));
	(void)binding_routes(&gw->message, &w);
	b->routes_len = (uint16_t)writer_len(&w);
	if (!writer_ok(&w))
		return 0; /* calls would go the wrong way */
	originate_prefetch(gw, span_of(b->routes, b->routes_len));
	b->last = (struct block_last){
		.call_id = binding_call_id(gw, sip_value(&gw->message, SIP_HEADER_CALL_ID)),
		.cseq = b->cseq,
		.asked_us = t->since_us,
		.granted_us = gw->time.now_us,
	};
	return granted_s;
}
