/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim.h"

#include <stdlib.h>

#include "pair_table.h"

/* What control would publish: two web sites with a few hundred pairs, two next hops. */

#define PAIR_TEXT 64

static const char *const origins[] = {"https://wwsf0.example", "https://wwsf1.example"};
static const struct span typ[] = {{(const uint8_t *)"at+jwt", 6}};
static const struct span path[] = {{(const uint8_t *)"/sip", 4}};

struct endpoint sim_endpoint(const char *text)
{
	struct endpoint e = {0};

	if (!endpoint_parse(span_text(text), &e))
		abort();
	return e;
}

/** Everything a configuration points to, in one piece. */
struct sim_config {
	struct config_part part;
	struct realm_config realm;
	struct listen_config access;
	struct origin_config origin[2];
	struct span origin_text[2];
	struct next_hop_config hop[2];
	struct endpoint trusted[2];
	struct issuer_config issuer[2];
	struct wwsf_config wwsf[2];
};

static void part_free(struct snapshot_part *part)
{
	free(part);
}

static void config_sites(struct sim_config *c, bool with_wwsf_1)
{
	static const char *const names[] = {"site0", "site1"};
	static const char *const issuers[] = {"https://waf0.example", "https://waf1.example"};

	for (uint32_t i = 0; i < 2; i++) {
		c->origin[i] = (struct origin_config){span_text(origins[i]), i};
		c->origin_text[i] = span_text(origins[i]);
		c->issuer[i] = (struct issuer_config){
			.name = span_text(issuers[i]),
			.iss = span_text(issuers[i]),
			.audience = SPAN("sip:ep." DOMAIN),
			.authz_server = span_text(issuers[i]),
			.algorithms = 1u << JWS_ES256,
			.typ = typ,
			.typ_count = 1,
		};
		c->wwsf[i] = (struct wwsf_config){
			.name = span_text(names[i]),
			.issuer = i,
			.mode = WWSF_INDIVIDUAL,
			.pairs = i,
			.max_bindings = 1000,
		};
	}
	c->part.origin = c->origin;
	c->part.origin_text = c->origin_text;
	c->part.origin_count = with_wwsf_1 ? 2 : 1;
	c->part.issuer = c->issuer;
	c->part.issuer_count = 2;
	c->part.wwsf = c->wwsf;
	c->part.wwsf_count = 2;
}

static void config_core(struct sim_config *c, const struct sim_shape *shape)
{
	c->trusted[0] = sim_endpoint(ADDRESS_CORE);
	c->trusted[1] = sim_endpoint(ADDRESS_CORE_2);
	for (uint32_t i = 0; i < 2; i++)
		c->hop[i] = (struct next_hop_config){
			.address = c->trusted[i],
			.transport = shape->udp ? NEXT_HOP_UDP : NEXT_HOP_TCP,
			.priority = i,
			.weight = 1,
		};
	c->part.next_hop = c->hop;
	c->part.next_hop_count = 2;
	c->part.trusted = c->trusted;
	c->part.trusted_count = 2;
	c->part.mw_address = sim_endpoint(ADDRESS_MW);
	c->part.mw_host = SPAN(ADDRESS_MW);
	c->part.mw_sip_port = MW_PORT;
	c->part.mw_worker_port_base = MW_WORKER_PORT;
	c->part.mw_advertise_common = shape->advertise_common;
}

/** The key that signs, and the one before it. */
static void config_flow_keys(struct config_part *part, uint32_t round)
{
	for (uint32_t i = 0; i < FLOW_KEYS_MAX; i++) {
		part->flow_key[i].id = (uint8_t)(round - i);
		memset(part->flow_key[i].secret, (int)(round - i),
		       sizeof(part->flow_key[i].secret));
	}
	part->flow_key_count = FLOW_KEYS_MAX;
}

static struct snapshot_part *config_new(struct sim *sim, bool with_wwsf_1)
{
	struct sim_config *c = calloc(1, sizeof(*c));

	c->part = (struct config_part){
		.part = {.free = part_free},
		.node_name = SPAN("ep1"),
		.node_id = 0x65703120,
		.realm = &c->realm,
		.realm_count = 1,
		.access = &c->access,
		.access_count = 1,
		.path = path,
		.path_count = 1,
		.hash_key = {1, 2, 3},
		.max_message = SIM_MESSAGE_MAX,
		.max_token_bytes = 2048,
		.max_token_lifetime_s = 86400,
		.min_grant_s = sim->shape.min_grant_s,
		.default_expires_s = 600,
		.flow_grace_s = sim->shape.grace_s,
		.hold_indialog_s = sim->shape.hold_s,
		.ws_ping_s = 25,
		.ws_silence_s = 60,
		.tls_steps = 2,
		.tls_handshake_s = 10,
		.upgrade_s = 10,
		.preauth_s = 30,
		.timer_c_s = sim->shape.timer_c_s,
		.max_output = 16384,
		.mw_output = 65536,
		.from_check = true,
	};
	c->realm = (struct realm_config){SPAN(DOMAIN), SPAN(""), SPAN("visited.example"),
					 SPAN("auth-done")};
	c->access.address = sim_endpoint(ADDRESS_ACCESS);
	config_sites(c, with_wwsf_1);
	config_core(c, &sim->shape);
	config_flow_keys(&c->part, sim->key_round);
	return &c->part.part;
}

struct sim_keys {
	struct key_part part;
	struct key_row row[2 * SIM_KEYS_MAX];
	struct key_issuer issuer[2];
	char kid[SIM_KEYS_MAX][3];
};

static struct snapshot_part *keys_new(const struct sim *sim)
{
	struct sim_keys *k = calloc(1, sizeof(*k));

	for (uint32_t i = 0; i < 2 * sim->rotation.known; i++) {
		char *kid = k->kid[i / 2];

		memcpy(kid, (char[]){'k', (char)('1' + i / 2), 0}, 3);
		k->row[i] = (struct key_row){i % 2, span_text(kid), *token_maker_key(sim->maker)};
	}
	for (uint32_t i = 0; i < 2; i++)
		k->issuer[i] = (struct key_issuer){.refetchable = !sim->rotation.fetching,
						   .fetches = sim->rotation.fetches};
	k->part = (struct key_part){.part.free = part_free,
				    .row = k->row,
				    .count = 2 * sim->rotation.known,
				    .issuer = k->issuer,
				    .issuer_count = 2};
	return &k->part.part;
}

struct sim_pairs {
	struct pair_part part;
	struct pair_table table[2];
};

static void pairs_free(struct snapshot_part *part)
{
	struct sim_pairs *p = (struct sim_pairs *)(void *)part;

	for (uint32_t site = 0; site < 2; site++)
		pair_table_free(&p->table[site]);
	free(p);
}

static bool pair_add(struct pair_build *build, uint32_t site, uint32_t row)
{
	uint8_t bytes[2 * PAIR_TEXT];
	struct writer text;
	uint32_t user = site * (SIM_USERS / 2) + row, impi;

	writer_init(&text, bytes, sizeof(bytes));
	text_add(&text, "user%u@" DOMAIN, user);
	impi = writer_len(&text);
	text_add(&text, "sip:user%u@" DOMAIN, user);
	return pair_build_add(build, span_of(bytes, impi), span_from(writer_span(&text), impi),
			      row + 1) == GW_OK;
}

static struct snapshot_part *pairs_new(void)
{
	struct sim_pairs *p = calloc(1, sizeof(*p));

	for (uint32_t site = 0; site < 2; site++) {
		const uint8_t key[16] = {(uint8_t)(7 + site)};
		struct pair_build build;
		bool good = pair_build_init(&build, PAIRS_LISTED, key, 0) == GW_OK;

		for (uint32_t row = 0; good && row < SIM_USERS / 2; row++)
			good = pair_add(&build, site, row);
		if (!good || pair_build_give(&build, &p->table[site], NULL, NULL) != GW_OK)
			abort();
	}
	p->part = (struct pair_part){{.free = pairs_free}, p->table, 2};
	return &p->part.part;
}

static void publish(struct sim *sim, enum snapshot_kind kind, struct snapshot_part *part)
{
	if (snapshot_publish(sim->snapshots, kind, part) != GW_OK)
		sim_note(sim, "reload refused: old parts are still in use");
}

void parts_publish_keys(struct sim *sim)
{
	publish(sim, SNAPSHOT_KEYS, keys_new(sim));
}

void parts_publish(struct sim *sim, bool with_wwsf_1)
{
	sim->wwsf_1_served = with_wwsf_1;
	publish(sim, SNAPSHOT_CONFIG, config_new(sim, with_wwsf_1));
	publish(sim, SNAPSHOT_KEYS, keys_new(sim));
	publish(sim, SNAPSHOT_PAIRS, pairs_new());
}
