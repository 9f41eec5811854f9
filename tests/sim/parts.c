/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest.h"
#include "member.h"
#include "pool.h"

#include <stdlib.h>

#include "pair_table.h"

/* What control would publish: two web sites with a few hundred pairs, at times one with a pool or a
 * wildcard and one with a block, two next hops. */

#define SITES 4

#define PAIR_TEXT 64

static const char *const origins[SITES] = {"https://wwsf0.example", "https://wwsf1.example",
					   "https://wwsf2.example", "https://wwsf3.example"};
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
	struct origin_config origin[SITES];
	struct span origin_text[SITES];
	struct next_hop_config hop[2];
	struct endpoint trusted[2];
	struct issuer_config issuer[SITES];
	struct wwsf_config wwsf[SITES];
};

static void part_free(struct snapshot_part *part)
{
	free(part);
}

/** Web sites that there are: two, one with a pool or a wildcard, and one with a block. */
static uint32_t sites(const struct sim *sim)
{
	if (sim->members != NULL)
		return SITES;
	return sim->pool != NULL || sim->guests != NULL ? POOL_SITE + 1 : POOL_SITE;
}

static void config_site(struct sim_config *c, const struct sim *sim, uint32_t i)
{
	enum wwsf_mode third = sim->pool != NULL ? WWSF_POOL : WWSF_WILDCARD;
	static const char *const names[SITES] = {"site0", "site1", "site2", BLOCK_NAME};
	static const char *const issuers[SITES] = {"https://waf0.example", "https://waf1.example",
						   "https://waf2.example", "https://waf3.example"};

	c->issuer[i] = (struct issuer_config){
		.name = span_text(issuers[i]),
		.iss = span_text(issuers[i]),
		.audience = SPAN("sip:ep." DOMAIN),
		.authz_server = span_text(issuers[i]),
		.algorithms = 1u << JWS_ES256,
		.typ = typ,
		.typ_count = 1,
		.leeway_s = i == POOL_SITE ? POOL_LEEWAY_S : 0,
	};
	c->wwsf[i] = (struct wwsf_config){
		.name = span_text(names[i]),
		.issuer = i,
		.mode = i == POOL_SITE ? third : WWSF_INDIVIDUAL,
		.pairs = i,
		.max_bindings = 1000,
	};
	if (i == BLOCK_SITE)
		members_configure(sim->members, &c->wwsf[i], &c->part);
}

static void config_sites(struct sim_config *c, const struct sim *sim, bool with_wwsf_1)
{
	bool without_block = sim->members != NULL && sim->members->removed;
	uint32_t n = sites(sim) - without_block;

	for (uint32_t i = 0; i < sites(sim); i++) {
		config_site(c, sim, i);
		if ((i == 1 && !with_wwsf_1) || i >= n)
			continue;
		c->origin_text[c->part.origin_count] = span_text(origins[i]);
		c->origin[c->part.origin_count++] =
			(struct origin_config){span_text(origins[i]), i};
	}
	c->part.origin = c->origin;
	c->part.origin_text = c->origin_text;
	c->part.issuer = c->issuer;
	c->part.issuer_count = sites(sim);
	c->part.wwsf = c->wwsf;
	c->part.wwsf_count = n;
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
		.hash_key = SIM_HASH_KEY,
		.max_message = SIM_MESSAGE_MAX,
		.max_token_bytes = 2048,
		.max_token_lifetime_s = 86400,
		.max_pool_lifetime_s = sim->shape.pool_lifetime_s,
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
		.mw_reg_event = sim->events != NULL,
	};
	c->realm = (struct realm_config){.domain = SPAN(DOMAIN),
					 .visited_network = SPAN("visited.example"),
					 .ioi = SPAN("visited.example"),
					 .tna_value = SPAN("auth-done")};
	c->realm.icscf_orig = SPAN("<sip:" ADDRESS_CORE ";lr;orig>");
	c->part.mw_reg_event_service_route = sim->options.seed / 6 % 2 == 1;
	c->part.cache_wildcard_auth = sim->guests != NULL && sim->guests->cached;
	c->access.address = sim_endpoint(ADDRESS_ACCESS);
	config_sites(c, sim, with_wwsf_1);
	config_core(c, &sim->shape);
	config_flow_keys(&c->part, sim->key_round);
	return &c->part.part;
}

struct sim_keys {
	struct key_part part;
	struct key_row row[SITES * SIM_KEYS_MAX];
	struct key_issuer issuer[SITES];
	char kid[SIM_KEYS_MAX][3];
};

static struct snapshot_part *keys_new(const struct sim *sim)
{
	struct sim_keys *k = calloc(1, sizeof(*k));
	uint32_t n = sites(sim);

	for (uint32_t i = 0; i < n * sim->rotation.known; i++) {
		char *kid = k->kid[i / n];

		memcpy(kid, (char[]){'k', (char)('1' + i / n), 0}, 3);
		k->row[i] = (struct key_row){i % n, span_text(kid), *token_maker_key(sim->maker)};
	}
	for (uint32_t i = 0; i < n; i++)
		k->issuer[i] = (struct key_issuer){.refetchable = !sim->rotation.fetching,
						   .fetches = sim->rotation.fetches};
	k->part = (struct key_part){.part.free = part_free,
				    .row = k->row,
				    .count = n * sim->rotation.known,
				    .issuer = k->issuer,
				    .issuer_count = n};
	return &k->part.part;
}

struct sim_pairs {
	struct pair_part part;
	struct pair_table table[SITES];
};

static void pairs_free(struct snapshot_part *part)
{
	struct sim_pairs *p = (struct sim_pairs *)(void *)part;

	for (uint32_t site = 0; site < p->part.count; site++)
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

static void pairs_of_site(const struct sim *sim, uint32_t site, struct pair_table *table)
{
	const uint8_t key[16] = {(uint8_t)(7 + site)};
	uint32_t rows = site == POOL_SITE    ? sim->shape.pool_pairs
			: site == BLOCK_SITE ? 0
					     : SIM_USERS / 2;
	struct pair_build build;
	bool good = pair_build_init(&build, PAIRS_LISTED, key, 0) == GW_OK;

	for (uint32_t row = 0; good && row < rows; row++)
		if (site != POOL_SITE || !sim->pool->pair[row].removed)
			good = pair_add(&build, site, row);
	if (!good || pair_build_give(&build, table, NULL, NULL) != GW_OK)
		abort();
}

static struct snapshot_part *pairs_new(const struct sim *sim)
{
	struct sim_pairs *p = calloc(1, sizeof(*p));

	for (uint32_t site = 0; site < sites(sim); site++)
		pairs_of_site(sim, site, &p->table[site]);
	p->part = (struct pair_part){{.free = pairs_free}, p->table, sites(sim)};
	return &p->part.part;
}

struct sim_revocations {
	struct revocation_part part;
	struct span wwsf;
	uint64_t jti[POOL_TOKENS_MAX];
};

static int before(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static struct snapshot_part *revocations_new(const struct sim *sim)
{
	struct sim_revocations *r = calloc(1, sizeof(*r));
	const struct members *members = sim->members;
	const struct pool *pool = sim->pool;

	r->wwsf = members != NULL ? SPAN(BLOCK_NAME) : SPAN("site2");
	r->part = (struct revocation_part){
		.part.free = part_free,
		.jti = r->jti,
		.wwsf = &r->wwsf,
		.wwsf_count =
			(pool != NULL && pool->disabled) || (members != NULL && members->disabled),
	};
	for (uint32_t i = 0; pool != NULL && i < pool->tokens; i++)
		if (pool->token[i].revoked)
			r->jti[r->part.jti_count++] = pool->token[i].hash;
	for (uint32_t i = 0; sim->guests != NULL && i < sim->guests->count; i++)
		r->jti[r->part.jti_count++] = sim->guests->revoked[i];
	if (members != NULL)
		r->part.jti_count += members_revoked(members, r->jti + r->part.jti_count);
	qsort(r->jti, r->part.jti_count, sizeof(r->jti[0]), before);
	return &r->part.part;
}

static void publish(struct sim *sim, enum snapshot_kind kind, struct snapshot_part *part)
{
	if (snapshot_publish(sim->snapshots, kind, part) != GW_OK)
		sim_note(sim, "reload refused: old parts are still in use");
}

/** As control does: a sleeper sees what was published when it wakes. */
static void nudge(struct sim *sim)
{
	for (uint16_t i = 0; i < sim->options.workers && sim->hub != NULL && !sim->down; i++)
		mailbox_nudge(sim->hub, i);
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
	publish(sim, SNAPSHOT_PAIRS, pairs_new(sim));
	if (sim->guests != NULL || sim->members != NULL)
		publish(sim, SNAPSHOT_PATTERNS, patterns_new(sites(sim)));
	if (sites(sim) > POOL_SITE)
		nudge(sim);
}

void parts_publish_revocations(struct sim *sim)
{
	publish(sim, SNAPSHOT_REVOCATIONS, revocations_new(sim));
	nudge(sim);
}
