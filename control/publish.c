/* SPDX-License-Identifier: BSD-3-Clause */
#include "publish.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "address.h"
#include "origins.h"

/** A part and the memory it is made of; the arena holds this struct itself. */
struct owned_config {
	struct config_part part;
	struct arena *arena;
};
struct owned_keys {
	struct key_part part;
	struct arena *arena;
};
struct owned_pairs {
	struct pair_part part;
	struct pairs **pairs; /* held; NULL: none */
	struct pair_table table[];
};
struct owned_patterns {
	struct pattern_part part;
	struct arena *arena;
	struct expressions *expressions; /* held; NULL: none */
	struct expressions **named;	 /* held, those of all rows; NULL: none */
};
struct owned_destinations {
	struct destination_part part;
	struct arena *arena;
	struct expressions **held; /* of all lists; NULL: it has none */
	uint32_t count;
};

#define ROW(type, list, i) (&((const struct type *)(list).at)[i])

static struct span publish_text(struct arena *arena, struct option_text text)
{
	return arena_span(arena, text.text);
}

static struct span publish_lower(struct arena *arena, const char *text)
{
	size_t len = strlen(text);
	char *copy = arena_text(arena, text, len);

	for (size_t i = 0; i < len; i++)
		copy[i] = (char)ascii_lower((uint8_t)copy[i]);
	return span_of(copy, (uint32_t)len);
}

static const struct span *publish_texts(struct arena *arena, const struct option_list *list)
{
	struct span *texts = arena_get(arena, list->count * sizeof(*texts));

	for (uint32_t i = 0; i < list->count; i++)
		texts[i] = publish_text(arena, *config_text(list, i));
	return texts;
}

static const struct span *publish_lowers(struct arena *arena, const struct option_list *list)
{
	struct span *texts = arena_get(arena, list->count * sizeof(*texts));

	for (uint32_t i = 0; i < list->count; i++)
		texts[i] = publish_lower(arena, config_text(list, i)->text);
	return texts;
}

/** FNV-1a: names the node in flow tokens, which are under a MAC; not a secret, the same for ever.
 */
static uint32_t publish_node_id(struct span name)
{
	uint32_t hash = 2166136261u;

	for (uint32_t i = 0; i < name.len; i++)
		hash = (hash ^ ascii_lower(name.at[i])) * 16777619u;
	return hash;
}

/** What stands in orig-ioi and term-ioi for a realm. */
static struct span publish_ioi(struct arena *arena, struct option_text prefix, struct span network)
{
	size_t len = strlen(prefix.text);
	char *text;

	if (len == 0)
		return network;
	text = arena_get(arena, len + network.len);
	memcpy(text, prefix.text, len);
	memcpy(text + len, network.at, network.len);
	return span_of(text, (uint32_t)len + network.len);
}

/** A URI as it stands in Route, its parameters its own; empty when it is. */
static struct span publish_route(struct arena *arena, struct option_text uri)
{
	char text[640];

	if (uri.text[0] == '\0')
		return SPAN("");
	snprintf(text, sizeof(text), "<%s>", uri.text);
	return arena_span(arena, text);
}

static void publish_realms(const struct config *config, struct arena *arena,
			   struct config_part *part)
{
	struct realm_config *realms = arena_get(arena, config->realms.count * sizeof(*realms));

	for (uint32_t i = 0; i < config->realms.count; i++) {
		const struct config_realm *from = ROW(config_realm, config->realms, i);

		realms[i].domain = publish_lower(arena, from->domain.text);
		realms[i].icscf_orig = publish_route(arena, from->icscf_orig);
		realms[i].orig_served_user = from->orig_served_user.value != 0;
		realms[i].orig_profile_key = from->orig_profile_key.value != 0;
		realms[i].tna_value = publish_text(arena, from->tna_value);
		realms[i].visited_network = publish_text(arena, from->visited_network);
		if (realms[i].visited_network.len == 0)
			realms[i].visited_network = realms[i].domain;
		realms[i].ioi = publish_ioi(arena, from->ioi_prefix, realms[i].visited_network);
	}
	part->realm = realms;
	part->realm_count = config->realms.count;
}

static enum net_back_end publish_back_end(const struct config_port *port)
{
	return config_port_packets(port) ? NET_PACKETS : NET_KERNEL;
}

static const struct config_port *publish_listen_port(const struct config *config, uint32_t i)
{
	return config_port_named(config, ROW(config_listen, config->access.listen, i)->port.text);
}

/** Every address of the port of every listen row. */
static void publish_listen(const struct config *config, struct arena *arena,
			   struct config_part *part)
{
	struct listen_config *listens;
	uint32_t count = 0;

	for (uint32_t i = 0; i < config->access.listen.count; i++)
		count += publish_listen_port(config, i)->addresses.count;
	listens = arena_get(arena, count * sizeof(*listens));
	part->access = listens;
	part->access_count = count;
	for (uint32_t i = 0; i < config->access.listen.count; i++) {
		const struct config_port *port = publish_listen_port(config, i);
		struct netif_address own;

		for (uint32_t k = 0; k < port->addresses.count; k++, listens++) {
			listens->back_end = publish_back_end(port);
			(void)address_prefix(config_text(&port->addresses, k)->text, &own);
			listens->address = own.address;
			endpoint_set_port(
				&listens->address,
				(uint16_t)ROW(config_listen, config->access.listen, i)->tcp.value);
		}
	}
}

/** Addresses without port; the check saw that each is one. */
static const struct endpoint *publish_addresses(struct arena *arena, const struct option_list *from)
{
	struct endpoint *addresses = arena_get(arena, from->count * sizeof(*addresses));

	for (uint32_t i = 0; i < from->count; i++)
		(void)address_plain(config_text(from, i)->text, &addresses[i]);
	return addresses;
}

static void publish_mw_host(const struct config *config, struct arena *arena,
			    struct config_part *part)
{
	struct endpoint address = part->mw_address;
	char text[INET6_ADDRSTRLEN], bracketed[INET6_ADDRSTRLEN + 2];
	const char *host = config->mw.host.text;

	if (host[0] != '\0' && address_plain(host, &address) != NULL) {
		part->mw_host = publish_text(arena, config->mw.host);
		return;
	}
	if (address.sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof(text));
		part->mw_host = arena_span(arena, text);
		return;
	}
	inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof(text));
	snprintf(bracketed, sizeof(bracketed), "[%s]", text);
	part->mw_host = arena_span(arena, bracketed);
}

static void publish_next_hops(const struct config *config, struct arena *arena,
			      struct config_part *part)
{
	struct next_hop_config *hops = arena_get(arena, config->mw.next_hops.count * sizeof(*hops));

	for (uint32_t i = 0; i < config->mw.next_hops.count; i++) {
		const struct config_next_hop *from = ROW(config_next_hop, config->mw.next_hops, i);

		(void)address_next_hop(from->uri.text, &hops[i]);
		if (hops[i].name.len > 0)
			hops[i].name = publish_lower(arena, arena_text(arena, hops[i].name.at,
								       hops[i].name.len));
		hops[i].priority = (uint32_t)from->priority.value;
		hops[i].weight = (uint32_t)from->weight.value;
	}
	part->next_hop = hops;
	part->next_hop_count = config->mw.next_hops.count;
	part->trusted = publish_addresses(arena, &config->mw.trusted);
	part->trusted_count = config->mw.trusted.count;
}

static void publish_mw_tls(const struct config *config, struct arena *arena,
			   struct mw_tls_config *to)
{
	if (!config_has_mw_tls(config))
		return;
	to->port = (uint16_t)config->mw.tls.port.value;
	to->worker_port_base = (uint16_t)config->mw.tls.worker_port_base.value;
	to->peer = publish_lowers(arena, &config->mw.tls.peers);
	to->peer_count = config->mw.tls.peers.count;
}

static void publish_mw(const struct config *config, struct arena *arena, struct config_part *part)
{
	(void)config_mw_address(config, &part->mw_address);
	part->mw_back_end = publish_back_end(config_port_named(config, config->mw.port.text));
	publish_mw_host(config, arena, part);
	part->mw_sip_port = (uint16_t)config->mw.sip_port.value;
	part->mw_worker_port_base = (uint16_t)config->mw.worker_port_base.value;
	part->mw_advertise_common = config->mw.advertise_port.value == CONFIG_ADVERTISE_COMMON;
	publish_mw_tls(config, arena, &part->mw_tls);
	part->mw_reg_event = config->mw.reg_event.value != 0;
	part->mw_reg_event_service_route =
		config->mw.reg_event_route.value == CONFIG_REG_EVENT_SERVICE_ROUTE;
	part->mw_keep_alive_s = (uint32_t)config->mw.keep_alive.value;
	part->mw_options_s = (uint32_t)config->mw.options_interval.value;
	publish_next_hops(config, arena, part);
}

/** typ values are compared without "application/", in lower case (D-46). */
static void publish_typ(const struct config_issuer *from, struct arena *arena,
			struct issuer_config *to)
{
	static const char prefix[] = "application/";
	struct span *typ = arena_get(arena, from->typ.count * sizeof(*typ));

	for (uint32_t i = 0; i < from->typ.count; i++) {
		const char *text = config_text(&from->typ, i)->text;

		if (strncasecmp(text, prefix, sizeof(prefix) - 1) == 0)
			text += sizeof(prefix) - 1;
		typ[i] = publish_lower(arena, text);
	}
	to->typ = typ;
	to->typ_count = from->typ.count;
}

static void publish_issuers(const struct config *config, struct arena *arena,
			    struct config_part *part)
{
	struct issuer_config *issuers = arena_get(arena, config->issuers.count * sizeof(*issuers));
	char audience[512];

	snprintf(audience, sizeof(audience), "sip:%s", config->node.name.text);
	for (uint32_t i = 0; i < config->issuers.count; i++) {
		const struct config_issuer *from = ROW(config_issuer, config->issuers, i);

		issuers[i].name = publish_text(arena, from->name);
		issuers[i].iss = publish_text(arena, from->iss);
		issuers[i].audience = from->audience.text[0] != '\0'
					      ? publish_text(arena, from->audience)
					      : arena_span(arena, audience);
		issuers[i].authz_server = publish_text(arena, from->authz_server);
		issuers[i].algorithms = from->algorithm_bits;
		issuers[i].leeway_s = (uint32_t)from->leeway.value;
		issuers[i].claim.impi = publish_text(arena, from->claims.impi);
		issuers[i].claim.impu = publish_text(arena, from->claims.impu);
		issuers[i].claim.wwsf = publish_text(arena, from->claims.wwsf);
		issuers[i].claim.scn = publish_text(arena, from->claims.scn);
		issuers[i].scope_register = publish_text(arena, from->scope_register);
		issuers[i].scope_originate = publish_text(arena, from->scope_originate);
		publish_typ(from, arena, &issuers[i]);
	}
	part->issuer = issuers;
	part->issuer_count = config->issuers.count;
}

static uint32_t publish_issuer_index(const struct config *config, const char *name)
{
	uint32_t i = 0;

	if (name[0] == '\0')
		return WWSF_NO_ISSUER;
	while (strcmp(ROW(config_issuer, config->issuers, i)->name.text, name) != 0)
		i++; /* the check saw that it is there */
	return i;
}

/** How many Origins the web sites have. */
static uint32_t publish_count_origins(const struct config *config)
{
	char text[ADDRESS_ORIGIN_MAX];
	uint32_t count = 0;

	for (uint32_t w = 0; w < config->wwsf.count; w++)
		for (uint32_t i = 0; origins_at(config, w, i, text); i++)
			count++;
	return count;
}

static void publish_origins(const struct config *config, struct arena *arena,
			    struct config_part *part)
{
	uint32_t count = publish_count_origins(config);
	struct origin_config *origins = arena_get(arena, count * sizeof(*origins));
	struct span *texts = arena_get(arena, count * sizeof(*texts));
	char text[ADDRESS_ORIGIN_MAX];

	part->origin = origins;
	part->origin_text = texts;
	part->origin_count = count;
	for (uint32_t w = 0; w < config->wwsf.count; w++)
		for (uint32_t i = 0; origins_at(config, w, i, text); i++, origins++, texts++) {
			*texts = arena_span(arena, text);
			*origins = (struct origin_config){.origin = *texts, .wwsf = w};
		}
}

/** What one worker grants of a limit that all share. */
static uint32_t publish_share(const struct config *config, struct option_number limit)
{
	uint64_t share = limit.value / config_workers(config);

	return share > 0 ? (uint32_t)share : 1;
}

/** A rate whose burst is what comes in two seconds. */
static struct rate_limit publish_rate(uint64_t per_second)
{
	return (struct rate_limit){(uint32_t)per_second, (uint32_t)(2 * per_second)};
}

static void publish_wwsf_limits(const struct config *config, const struct config_wwsf *from,
				struct wwsf_config *to)
{
	to->max_bindings = publish_share(config, from->limits.max_bindings);
	to->connections = publish_rate(publish_share(config, from->limits.connections_per_second));
	to->max_connections = publish_share(config, from->limits.max_connections);
	to->registrations =
		publish_rate(publish_share(config, from->limits.registrations_per_second));
	to->requests = publish_rate(from->limits.requests_per_second.value);
	to->calls_in_setup = (uint32_t)from->limits.calls_in_setup.value;
}

/** The pair that registers a block, as it was written: the gateway reads it as any other. */
static void publish_registering(const struct config_wwsf *from, struct arena *arena,
				struct wwsf_config *to)
{
	to->registering_impi = publish_text(arena, from->identities.registering.impi);
	to->registering_impu = publish_text(arena, from->identities.registering.impu);
}

static struct absent_config publish_absent(const struct config_absent *from, struct arena *arena)
{
	return (struct absent_config){
		.status = (uint16_t)from->status.value,
		.cause = (uint16_t)from->cause.value,
		.text = publish_text(arena, from->text),
	};
}

static void publish_block(const struct config *config, struct arena *arena,
			  struct config_part *part)
{
	part->block_expires_s = (uint32_t)config->block.expires.value;
	part->block_retry_s = (uint32_t)config->block.retry.value;
	part->block_retry_max_s = (uint32_t)config->block.retry_max.value;
	part->block_contacts = (uint32_t)config->block.contacts.value;
	part->absent = publish_absent(&config->block.absent, arena);
	part->unknown = publish_absent(&config->block.unknown, arena);
}

static void publish_wwsfs(const struct config *config, struct arena *arena,
			  struct config_part *part)
{
	struct wwsf_config *wwsfs = arena_get(arena, config->wwsf.count * sizeof(*wwsfs));

	for (uint32_t w = 0; w < config->wwsf.count; w++) {
		const struct config_wwsf *from = ROW(config_wwsf, config->wwsf, w);

		wwsfs[w].name = publish_text(arena, from->name);
		wwsfs[w].issuer = publish_issuer_index(config, from->issuer.text);
		wwsfs[w].mode =
			(enum wwsf_mode)from->mode.value; /* the choices stand in its order */
		wwsfs[w].aka = from->aka.value != 0;
		wwsfs[w].fork = from->fork.value != 0;
		wwsfs[w].pairs = w;
		wwsfs[w].domain = publish_lowers(arena, &from->identities.domains);
		wwsfs[w].domain_count = from->identities.domains.count;
		wwsfs[w].waf_parameter = publish_text(arena, from->waf_parameter);
		wwsfs[w].waf_identity = publish_text(arena, from->waf_identity);
		wwsfs[w].outlives_token = from->clamp_lifetime.value == 0;
		wwsfs[w].jti_required = from->jti.value == CONFIG_JTI_REQUIRED;
		publish_registering(from, arena, &wwsfs[w]);
		publish_wwsf_limits(config, from, &wwsfs[w]);
	}
	part->wwsf = wwsfs;
	part->wwsf_count = config->wwsf.count;
	publish_origins(config, arena, part);
}

/** As it stands in XML; the check saw that it is printable. */
static struct span publish_xml(struct arena *arena, const char *text)
{
	char *xml = arena_get(arena, 5 * strlen(text) + 1); /* "&amp;" is the longest */
	size_t used = 0;

	for (; *text != '\0'; text++) {
		const char *entity = *text == '&'   ? "&amp;"
				     : *text == '<' ? "&lt;"
				     : *text == '>' ? "&gt;"
						    : NULL;

		if (entity == NULL)
			xml[used++] = *text;
		for (; entity != NULL && *entity != '\0'; entity++)
			xml[used++] = *entity;
	}
	return span_of(xml, (uint32_t)used);
}

static void publish_emergency(const struct config *config, struct arena *arena,
			      struct emergency_config *emergency)
{
	emergency->policy = (enum emergency_policy)config->emergency.policy.value;
	emergency->number = publish_texts(arena, &config->emergency.numbers);
	emergency->number_count = config->emergency.numbers.count;
	emergency->reason_xml = publish_xml(arena, config->emergency.reason.text);
}

static void publish_limits(const struct config *config, struct arena *arena,
			   struct config_part *part)
{
	publish_block(config, arena, part);
	part->max_message = (uint32_t)config->limits.max_message.value;
	part->max_token_bytes = (uint32_t)config->limits.max_token_bytes.value;
	part->max_token_lifetime_s = (uint32_t)config->limits.max_token_lifetime.value;
	part->max_pool_lifetime_s = (uint32_t)config->limits.max_pool_lifetime.value;
	part->min_grant_s = (uint32_t)config->limits.min_grant.value;
	part->default_expires_s = (uint32_t)config->limits.default_expires.value;
	part->ws_ping_s = (uint32_t)config->limits.ws_ping.value;
	part->ws_silence_s = (uint32_t)config->limits.ws_silence.value;
	part->tls_steps = (uint32_t)config->access.tls.steps_per_turn.value;
	part->tls_handshake_s = (uint32_t)config->limits.tls_handshake.value;
	part->upgrade_s = (uint32_t)config->limits.http_upgrade.value;
	part->preauth_s = (uint32_t)config->limits.pre_auth.value;
	part->timer_c_s = (uint32_t)config->limits.timer_c.value;
	part->flow_grace_s = (uint32_t)config->limits.flow_grace.value;
	part->hold_indialog_s = (uint32_t)config->limits.hold_indialog.value;
	part->max_output = (uint32_t)config->limits.max_output.value;
	part->mw_output = (uint32_t)config->limits.mw_output.value;
	part->from_check = config->access.from_check.value != 0;
	part->warn_reason = config->access.warn_reason.value != 0;
	part->placeholder_user = publish_text(arena, config->access.placeholder_user);
	part->cache_wildcard_auth = config->access.cache_wildcard_auth.value != 0;
	part->token_in_body = config->access.token_in_body.value != 0;
	part->audit = config->audit.file.text[0] == '\0'		     ? AUDIT_NONE
		      : config->audit.identities.value == CONFIG_AUDIT_CLEAR ? AUDIT_CLEAR
									     : AUDIT_HASHED;
	part->max_connections = config_share(config, config->limits.max_connections);
	part->upgrades.per_second = publish_share(config, config->limits.upgrades_per_second);
	part->upgrades.burst = publish_share(config, config->limits.upgrades_burst);
	part->address_connections = publish_share(config, config->limits.connections_per_address);
	part->requests = publish_rate(config->limits.requests_per_second.value);
	part->dialog_requests = publish_rate(config->limits.dialog_requests_per_second.value);
}

static void publish_free_config(struct snapshot_part *part)
{
	arena_free(((struct owned_config *)(void *)part)->arena);
}

struct config_part *publish_config(const struct config *config, const struct state *state)
{
	struct arena *arena = arena_new();
	struct owned_config *owned = arena_get(arena, sizeof(*owned));
	struct config_part *part = &owned->part;

	owned->arena = arena;
	part->part.free = publish_free_config;
	part->node_name = publish_text(arena, config->node.name);
	part->node_id = publish_node_id(part->node_name);
	publish_realms(config, arena, part);
	publish_listen(config, arena, part);
	part->path = publish_texts(arena, &config->access.paths);
	part->path_count = config->access.paths.count;
	part->host = publish_lowers(arena, &config->access.hosts);
	part->host_count = config->access.hosts.count;
	part->balancer = publish_addresses(arena, &config->access.proxy_protocol_from);
	part->balancer_count = config->access.proxy_protocol_from.count;
	publish_mw(config, arena, part);
	publish_issuers(config, arena, part);
	publish_wwsfs(config, arena, part);
	publish_emergency(config, arena, &part->emergency);
	publish_limits(config, arena, part);
	memcpy(part->flow_key, state->flow_key, sizeof(part->flow_key));
	part->flow_key_count = state->flow_key_count;
	memcpy(part->hash_key, state->hash_key, sizeof(part->hash_key));
	return part;
}

static void publish_free_keys(struct snapshot_part *part)
{
	arena_free(((struct owned_keys *)(void *)part)->arena);
}

/** The keys that from has for issuer i, one after the other in rows; where the next one goes. */
static struct key_row *publish_issuer_keys(const struct publish_keys_from *from, uint32_t i,
					   const struct key_list *keys, struct arena *arena,
					   struct key_row *rows)
{
	struct span issuer = span_text(config_issuer(from->config, i)->name.text);

	for (uint32_t k = 0; k < keys->count; k++) {
		struct span kid = keys->at[k].kid;
		struct verify_key key = keys->at[k].key;

		key_ids_number(from->ids, &key); /* a revoked one too: it may be given back */
		if (keys_revoked(from->revoked, issuer, keys, k))
			continue;
		*rows++ = (struct key_row){
			.issuer = i,
			.kid = span_of(arena_text(arena, kid.at, kid.len), kid.len),
			.key = key,
		};
	}
	return rows;
}

struct key_part *publish_keys(const struct publish_keys_from *from)
{
	uint32_t issuers = from->config->issuers.count, count = 0;
	struct arena *arena = arena_new();
	struct owned_keys *owned = arena_get(arena, sizeof(*owned));
	struct jwks_view *view = arena_get(arena, issuers * sizeof(*view));
	struct key_issuer *issuer = arena_get(arena, issuers * sizeof(*issuer));
	struct key_row *rows, *end;

	for (uint32_t i = 0; i < issuers; i++) {
		jwks_look(from->jwks, config_issuer(from->config, i), &view[i]);
		issuer[i] = view[i].issuer;
		count += view[i].keys->count;
	}
	rows = end = arena_get(arena, count * sizeof(*rows));
	for (uint32_t i = 0; i < issuers; i++)
		end = publish_issuer_keys(from, i, view[i].keys, arena, end);
	owned->arena = arena;
	owned->part = (struct key_part){.part.free = publish_free_keys,
					.row = rows,
					.count = (uint32_t)(end - rows),
					.issuer = issuer,
					.issuer_count = issuers};
	owned->part.rows_version = key_ids_settle(from->ids, rows, owned->part.count);
	return &owned->part;
}

static void publish_free_pairs(struct snapshot_part *part)
{
	struct owned_pairs *owned = (struct owned_pairs *)(void *)part;

	for (uint32_t i = 0; i < owned->part.count; i++)
		pairs_put(owned->pairs[i]);
	free(owned->pairs);
	free(owned);
}

struct pair_part *publish_pairs(const struct config *config)
{
	uint32_t count = config->wwsf.count;
	struct owned_pairs *owned = calloc(1, sizeof(*owned) + count * sizeof(owned->table[0]));
	struct pairs **pairs = calloc(count + 1, sizeof(struct pairs *));

	if (owned == NULL || pairs == NULL) {
		free(owned);
		free(pairs);
		return NULL;
	}
	owned->pairs = pairs;
	owned->part = (struct pair_part){.part.free = publish_free_pairs,
					 .table = owned->table,
					 .count = count};
	for (uint32_t w = 0; w < count; w++) {
		struct pairs *of = ROW(config_wwsf, config->wwsf, w)->pairs;

		if (of == NULL)
			continue;
		pairs[w] = pairs_hold(of);
		owned->table[w] = *pairs_table(of);
	}
	return &owned->part;
}

static void publish_free_patterns(struct snapshot_part *part)
{
	struct owned_patterns *owned = (struct owned_patterns *)(void *)part;

	expressions_put(owned->expressions);
	for (uint32_t i = 0; i < owned->part.count * BLOCK_NAMED_WAYS; i++)
		expressions_put(owned->named[i]);
	arena_free(owned->arena);
}

static struct span publish_span(struct arena *arena, struct span text)
{
	return span_of(arena_text(arena, text.at, text.len), text.len);
}

/** What the core says the identities of a web site are in too, where it says so. */
static void publish_named(const struct named *named, const struct config_wwsf *from,
			  struct pattern_row *row, struct expressions **held)
{
	for (uint32_t by = 0; by < BLOCK_NAMED_WAYS; by++) {
		struct expressions *bound = named_bound(named, from, (enum block_named_by)by);

		if (bound == NULL)
			continue;
		held[by] = expressions_hold(bound);
		row->named[by] = expressions_database(bound);
	}
}

struct pattern_part *publish_patterns(const struct config *config, const struct named *named)
{
	struct arena *arena = arena_new();
	struct owned_patterns *owned = arena_get(arena, sizeof(*owned));
	struct pattern_row *rows = arena_get(arena, config->wwsf.count * sizeof(*rows));

	owned->named = arena_get(arena, (size_t)config->wwsf.count * BLOCK_NAMED_WAYS *
						sizeof(*owned->named));
	for (uint32_t w = 0; w < config->wwsf.count; w++) {
		const struct config_wwsf *from = ROW(config_wwsf, config->wwsf, w);

		if (from->identities.wildcard.text[0] == '\0')
			continue;
		rows[w] = (struct pattern_row){
			.wildcard = publish_span(arena, from->wildcard.text),
			.literal = publish_span(arena, from->wildcard.literal),
			.prefix = publish_span(arena, from->wildcard.prefix),
			.suffix = publish_span(arena, from->wildcard.suffix),
			.id = from->pattern,
		};
		publish_named(named, from, &rows[w], &owned->named[w * BLOCK_NAMED_WAYS]);
	}
	owned->arena = arena;
	owned->part = (struct pattern_part){.part.free = publish_free_patterns,
					    .row = rows,
					    .count = config->wwsf.count};
	if (config->patterns != NULL) {
		owned->expressions = expressions_hold(config->patterns);
		owned->part.database = expressions_database(config->patterns);
	}
	return &owned->part;
}

static void publish_free_destinations(struct snapshot_part *part)
{
	struct owned_destinations *owned = (struct owned_destinations *)(void *)part;

	for (uint32_t i = 0; i < owned->count; i++)
		expressions_put(owned->held[i]);
	arena_free(owned->arena);
}

static struct destination_list publish_destination_list(struct owned_destinations *owned,
							const struct config_destinations *from)
{
	if (from->compiled != NULL)
		owned->held[owned->count++] = expressions_hold(from->compiled);
	return destinations_copy(from, owned->arena);
}

static struct destination_rules publish_rules(struct owned_destinations *owned,
					      const struct config_destinations *allow,
					      const struct config_destinations *deny)
{
	return (struct destination_rules){
		.any = allow->texts.count + deny->texts.count > 0,
		.allows = allow->texts.count > 0,
		.allow = publish_destination_list(owned, allow),
		.deny = publish_destination_list(owned, deny),
	};
}

struct destination_part *publish_destinations(const struct config *config)
{
	uint32_t count = config->wwsf.count;
	struct arena *arena = arena_new();
	struct owned_destinations *owned = arena_get(arena, sizeof(*owned));
	struct destination_rules *site = arena_get(arena, count * sizeof(*site));

	owned->arena = arena;
	owned->held = arena_get(arena, 2 * (count + 1) * sizeof(struct expressions *));
	owned->part = (struct destination_part){
		.part.free = publish_free_destinations,
		.operator= publish_rules(owned, &config->screening.allow, &config->screening.deny),
		.site = site,
		.count = count,
	};
	for (uint32_t w = 0; w < count; w++) {
		const struct config_wwsf *from = ROW(config_wwsf, config->wwsf, w);

		site[w] = publish_rules(owned, &from->destinations.allow, &from->destinations.deny);
	}
	return &owned->part;
}

static enum gw_err publish_context(const struct config *config, const struct tls_config *tls,
				   struct snapshot_part **made)
{
	struct tls_fault fault; /* the check made one like this */
	struct tls_part *part;
	enum gw_err err = tls_part_new(&tls_libssl, tls, config_workers(config), &fault, &part);

	if (err == GW_OK)
		*made = &part->part;
	return err;
}

enum gw_err publish_tls(const struct config *config, struct snapshot_part *parts[SNAPSHOT_KINDS])
{
	struct tls_config tls;
	enum gw_err err;

	config_tls(config, &tls);
	err = publish_context(config, &tls, &parts[SNAPSHOT_TLS]);
	if (err != GW_OK || !config_has_mw_tls(config))
		return err;
	config_mw_tls(config, &tls);
	return publish_context(config, &tls, &parts[SNAPSHOT_MW_TLS]);
}
