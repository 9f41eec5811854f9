/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

/*
 * The Mw side of a worker: whom it hears, which next hops its transport cannot reach at the moment,
 * its UDP ports, and what it does for the gateway. Connections are mw_link.c's; what messages mean
 * is the gateway's.
 */

#define DOWN_US 5000000ull

bool mw_trusted(struct worker *w, const struct endpoint *peer)
{
	const struct config_part *config = worker_settings(w);

	for (uint32_t i = 0; i < config->trusted_count; i++)
		if (endpoint_same_host(&config->trusted[i], peer))
			return true;
	counter_add(&w->counters.mw_untrusted, 1);
	worker_count(w, GW_MW_SOURCE);
	return false;
}

/* ---- next hops that failed ------------------------------------------------------------------ */

/** The entry of a hop that is left alone now, or NULL. */
static struct mw_down *down_entry(struct worker *w, const struct mw_target *target)
{
	for (uint32_t i = 0; i < MW_DOWN_MAX; i++)
		if (w->down[i].until_us > w->clock.now_us &&
		    target_same(&w->down[i].target, target))
			return &w->down[i];
	return NULL;
}

bool mw_hop_up(struct worker *w, const struct mw_target *target)
{
	return down_entry(w, target) == NULL;
}

static void hop_event(struct worker *w, enum event_kind what, const struct mw_target *target,
		      enum gw_err err)
{
	struct message_event event = {.what = what, .err = err, .peer = target->address};

	worker_event(w, &event);
}

static struct mw_down *down_oldest(struct worker *w)
{
	struct mw_down *oldest = &w->down[0];

	for (uint32_t i = 1; i < MW_DOWN_MAX; i++)
		if (w->down[i].until_us < oldest->until_us)
			oldest = &w->down[i];
	return oldest;
}

void mw_hop_failed(struct worker *w, const struct mw_target *target, enum gw_err why)
{
	struct mw_down *entry = down_entry(w, target);

	if (entry == NULL) { /* news */
		entry = down_oldest(w);
		hop_event(w, EVENT_MW_DOWN, target, why);
	}
	*entry = (struct mw_down){*target, w->clock.now_us + DOWN_US};
}

void mw_hop_reached(struct worker *w, const struct mw_target *target)
{
	struct mw_down *entry = down_entry(w, target);

	if (entry != NULL)
		entry->until_us = 0;
	hop_event(w, EVENT_MW_UP, target, GW_OK);
}

/* ---- UDP ------------------------------------------------------------------------------------ */

static void udp_datagram(void *context, const struct endpoint *local, const struct endpoint *peer,
			 struct span bytes)
{
	struct worker *w = context;
	struct mw_source source = {
		.transport = MW_UDP,
		.worker = w->config.index,
		.local = *local,
		.peer = *peer,
	};

	w->busy = true;
	if (bytes.len <= 4 || !mw_trusted(w, peer)) /* keep-alives are shorter than any message */
		return;
	worker_from_mw(w, &source, bytes);
}

static void udp_unreachable(void *context, const struct endpoint *peer)
{
	struct mw_target target = {.transport = MW_UDP, .address = *peer};
	struct worker *w = context;

	mw_hop_failed(w, &target, GW_CONN_REFUSED);
	gateway_target_lost(w->gateway, &target);
}

static const struct udp_ops mw_udp_ops = {udp_datagram, udp_unreachable};

/* ---- for the gateway ------------------------------------------------------------------------ */

static struct endpoint mw_local(const struct worker *w)
{
	const struct config_part *config = w->view.config;
	struct endpoint local = config->mw_address;

	endpoint_set_port(&local, (uint16_t)(config->mw_worker_port_base + w->config.index));
	return local;
}

static enum gw_err udp_request(struct worker *w, const struct mw_target *target, struct span bytes)
{
	struct endpoint local = mw_local(w);
	enum gw_err err = net_udp_send(worker_mw_net(w), &local, &target->address, bytes);

	if (err == GW_OK)
		return GW_OK;
	worker_count(w, err);
	if (err == GW_QUEUE_FULL)
		return GW_OK; /* as if the wire had lost it: timer E sends it again */
	if (err == GW_SYSTEM)
		mw_hop_failed(w, target, err);
	return GW_MW_DOWN;
}

enum gw_err mw_request(struct worker *w, const struct mw_target *target, struct span bytes)
{
	return target->transport == MW_UDP ? udp_request(w, target, bytes)
					   : mw_link_request(w, target, bytes);
}

enum gw_err mw_respond(struct worker *w, const struct mw_source *source, struct span bytes)
{
	if (source->transport == MW_UDP)
		return net_udp_send(worker_mw_net(w), &source->local, &source->peer, bytes);
	return mw_link_respond(w, source->conn, bytes);
}

static enum gw_err listen_tls(struct worker *w)
{
	const struct mw_tls_config *tls = &worker_settings(w)->mw_tls;
	struct endpoint entry = worker_settings(w)->mw_address, own = entry;
	enum gw_err err;

	if (tls->port == 0)
		return GW_OK;
	endpoint_set_port(&entry, tls->port);
	endpoint_set_port(&own, (uint16_t)(tls->worker_port_base + w->config.index));
	err = net_listen(worker_mw_net(w), &entry, &mw_link_tls_ops, w);
	return err != GW_OK ? err : net_listen(worker_mw_net(w), &own, &mw_link_tls_ops, w);
}

enum gw_err mw_listen(struct worker *w)
{
	const struct config_part *config = worker_settings(w);
	struct endpoint entry = config->mw_address, own = mw_local(w);
	enum gw_err err;

	endpoint_set_port(&entry, config->mw_sip_port);
	err = net_listen(worker_mw_net(w), &entry, &mw_link_ops, w);
	if (err == GW_OK)
		err = net_listen(worker_mw_net(w), &own, &mw_link_ops, w);
	if (err == GW_OK)
		err = net_udp_bind(worker_mw_net(w), &entry, &mw_udp_ops, w);
	if (err == GW_OK)
		err = net_udp_bind(worker_mw_net(w), &own, &mw_udp_ops, w);
	return err != GW_OK ? err : listen_tls(w);
}
