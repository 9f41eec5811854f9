/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#define WANTED_AGAIN_US 1000000ull

/** A host as a URI names it. */
struct named {
	struct span name;
	uint16_t port; /* 0: none */
	enum next_hop_transport asked;
};

static enum mw_transport transport_of(enum next_hop_transport transport)
{
	return transport == NEXT_HOP_TLS ? MW_TLS : transport == NEXT_HOP_TCP ? MW_TCP : MW_UDP;
}

struct mw_target target_of_hop(const struct next_hop_config *hop)
{
	return (struct mw_target){transport_of(hop->transport), hop->address, 0};
}

struct mw_target target_of_peer(const struct peer_address *peer)
{
	return (struct mw_target){transport_of(peer->transport), peer->address, 0};
}

bool target_same(const struct mw_target *a, const struct mw_target *b)
{
	return a->transport == b->transport && endpoint_same_host(&a->address, &b->address) &&
	       endpoint_port(&a->address) == endpoint_port(&b->address);
}

enum gw_err target_next_hop(struct gateway *gw, struct mw_target *target)
{
	return hops_choose(gw, 0, target);
}

enum gw_err target_another(struct gateway *gw, struct mw_target *target)
{
	return hops_choose(gw, target->tried | hops_bit(gw, target), target);
}

/** A configured next hop keeps its transport, whatever the URI leaves open (RFC 3263 4.1). */
static bool target_configured(const struct config_part *config, struct mw_target *target)
{
	for (uint32_t i = 0; i < config->next_hop_count; i++) {
		const struct next_hop_config *hop = &config->next_hop[i];

		if (endpoint_same_host(&hop->address, &target->address) &&
		    endpoint_port(&hop->address) == endpoint_port(&target->address)) {
			*target = target_of_hop(hop);
			return true;
		}
	}
	return false;
}

/* ---- hosts by name -------------------------------------------------------------------------- */

const struct peer_row *target_peer(const struct gateway *gw, struct span name, uint16_t port,
				   enum next_hop_transport asked)
{
	const struct peer_part *peers = gw->time.view->peers;

	for (uint32_t i = 0; peers != NULL && i < peers->count; i++)
		if (peers->row[i].port == port && peers->row[i].asked == asked &&
		    span_equal_nocase(peers->row[i].name, name))
			return &peers->row[i];
	return NULL;
}

/** Control looks it up; a name that was asked for a moment ago is on its way. */
static void name_wanted(struct gateway *gw, const struct named *named)
{
	struct message_peer_wanted wanted = {
		.head = {MESSAGE_PEER_WANTED, sizeof(wanted)},
		.port = named->port,
		.transport = named->asked,
		.name_len = named->name.len,
	};
	uint64_t hash = siphash(gw->bucket_key, named->name) + named->port;

	if (named->name.len >= PEER_NAME_MAX ||
	    (gw->wanted_hash == hash && gw->time.now_us < gw->wanted_us + WANTED_AGAIN_US))
		return;
	memcpy(wanted.name, named->name.at, named->name.len);
	if (gw->env->to_worker(gw->env->context, gw->config.workers,
			       span_of(&wanted, sizeof(wanted)), SPAN("")) != GW_OK)
		return;
	gw->wanted_hash = hash;
	gw->wanted_us = gw->time.now_us;
	counter_add(&gw_counters(gw)->mw_names_wanted, 1);
}

/** The addresses of the row that are up, of the best priority that has one; one by weight. */
static bool row_choose(struct gateway *gw, const struct peer_row *row, struct mw_target *target)
{
	uint64_t total = 0, drawn;
	uint32_t best = UINT32_MAX;

	for (uint32_t pass = 0; pass < 2; pass++) {
		drawn = total > 0 ? gw->env->random(gw->env->context) % total : 0;
		for (uint32_t i = 0; i < row->count; i++) {
			const struct peer_address *a = &row->address[i];
			struct mw_target one = target_of_peer(a);
			uint64_t share = 16ull * a->weight + 1;

			if (a->priority > best || !gw->env->hop_up(gw->env->context, &one))
				continue;
			if (pass == 0) {
				total = a->priority < best ? share : total + share;
				best = a->priority;
			} else if (drawn < share) {
				*target = one;
				return true;
			} else {
				drawn -= share;
			}
		}
	}
	return false;
}

/** By the next hop until its addresses are known, and when it has none: its Route stays. */
static enum gw_err target_of_name(struct gateway *gw, const struct named *named,
				  struct mw_target *target)
{
	const struct peer_row *row = target_peer(gw, named->name, named->port, named->asked);

	if (row == NULL)
		name_wanted(gw, named);
	else if (row_choose(gw, row, target))
		return GW_OK;
	return target_next_hop(gw, target);
}

/** What a URI asks for. False: a transport that we do not speak. */
static bool transport_asked(const struct gateway *gw, const struct sip_uri *uri,
			    enum next_hop_transport *asked)
{
	bool sips = uri->scheme == SIP_SCHEME_SIPS; /* TLS, also where it says tcp */
	struct span transport = SPAN("");

	(void)sip_param(uri->params, SPAN("transport"), &transport);
	if (span_equal_nocase(transport, SPAN("tls")) ||
	    (sips && (transport.len == 0 || span_equal_nocase(transport, SPAN("tcp")))))
		*asked = NEXT_HOP_TLS;
	else if (span_equal_nocase(transport, SPAN("tcp")))
		*asked = NEXT_HOP_TCP;
	else if (span_equal_nocase(transport, SPAN("udp")) && !sips)
		*asked = NEXT_HOP_UDP;
	else if (transport.len == 0)
		*asked = NEXT_HOP_ANY;
	else
		return false;
	return *asked != NEXT_HOP_TLS || gw_config(gw)->mw_tls.port != 0;
}

static uint16_t default_port(enum next_hop_transport transport)
{
	return transport == NEXT_HOP_TLS ? 5061 : 5060;
}

enum gw_err target_of_route(struct gateway *gw, struct span route_uri, struct mw_target *target)
{
	struct sip_uri uri = sip_uri_parse(route_uri);
	struct mw_target literal = {.transport = MW_UDP};
	struct named named = {uri.host, uri.port, NEXT_HOP_ANY};

	if (uri.err != GW_OK || !transport_asked(gw, &uri, &named.asked))
		return target_next_hop(gw, target);
	if (!endpoint_parse(uri.host, &literal.address))
		return target_of_name(gw, &named, target);
	endpoint_set_port(&literal.address, uri.port != 0 ? uri.port : default_port(named.asked));
	if (named.asked == NEXT_HOP_ANY)
		(void)target_configured(gw_config(gw), &literal);
	else
		literal.transport = transport_of(named.asked);
	*target = literal;
	return GW_OK;
}

bool target_outgrown(const struct gateway *gw, struct transaction *t)
{
	if (t->target.transport != MW_UDP || writer_len(&gw->out) <= UDP_MAX)
		return false;
	t->target.transport = MW_TCP;
	return true;
}

enum gw_err target_write(struct gateway *gw, struct transaction *t, target_build *build)
{
	enum gw_err err;

	request_begin(gw, &gw->message);
	err = build(gw, t);
	if (err == GW_OK)
		err = sip_splice_write(&gw->splice, &gw->out);
	return err == GW_OK && target_outgrown(gw, t) ? target_write(gw, t, build) : err;
}
