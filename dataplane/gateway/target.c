/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

const char *mw_transport_name(enum mw_transport transport)
{
	static const char *const names[] = {[MW_UDP] = "UDP", [MW_TCP] = "TCP"};

	return names[transport];
}

struct mw_target target_of_hop(const struct next_hop_config *hop)
{
	return (struct mw_target){hop->transport == NEXT_HOP_TCP ? MW_TCP : MW_UDP, hop->address,
				  0};
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

enum gw_err target_of_route(struct gateway *gw, struct span route_uri, struct mw_target *target)
{
	struct sip_uri uri = sip_uri_parse(route_uri);
	struct span transport = SPAN("");
	struct mw_target named = {.transport = MW_UDP};

	if (uri.err != GW_OK || !endpoint_parse(uri.host, &named.address))
		return target_next_hop(gw, target); /* a name: the next hop resolves it */
	endpoint_set_port(&named.address, uri.port != 0 ? uri.port : 5060);
	(void)sip_param(uri.params, SPAN("transport"), &transport);
	if (span_equal_nocase(transport, SPAN("tcp")))
		named.transport = MW_TCP;
	else if (transport.len == 0)
		(void)target_configured(gw_config(gw), &named);
	else if (!span_equal_nocase(transport, SPAN("udp")))
		return target_next_hop(gw, target); /* one that we do not speak */
	*target = named;
	return GW_OK;
}

enum gw_err target_write(struct gateway *gw, struct transaction *t, target_build *build)
{
	enum gw_err err;

	request_begin(gw, &gw->message);
	err = build(gw, t);
	if (err == GW_OK)
		err = sip_splice_write(&gw->splice, &gw->out);
	if (err != GW_OK || t->target.transport == MW_TCP || writer_len(&gw->out) <= UDP_MAX)
		return err;
	t->target.transport = MW_TCP;
	return target_write(gw, t, build);
}
