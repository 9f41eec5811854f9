/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

#include "mint.h"
#include "pair_table.h"

/* One web site with one pair, one issuer with one key, one next hop. */

struct world_config {
	struct config_part part;
	struct realm_config realm;
	struct listen_config access;
	struct origin_config origin;
	struct span origin_text;
	struct issuer_config issuer;
	struct wwsf_config wwsf;
	struct next_hop_config hop;
	struct endpoint trusted;
	struct endpoint balancer;
};

static const struct span typ[] = {{(const uint8_t *)"at+jwt", 6}};
static const struct span path[] = {{(const uint8_t *)"/sip", 4}};

static void part_free(struct snapshot_part *part)
{
	free(part);
}

static void config_site(struct world_config *c, enum world_sites sites)
{
	c->realm = (struct realm_config){.domain = SPAN("home1.net"),
					 .visited_network = SPAN("home1.net"),
					 .ioi = SPAN("home1.net"),
					 .tna_value = SPAN("auth-done")};
	c->origin_text = sites == SITE_SERVED ? SPAN(ORIGIN) : SPAN("https://other.example");
	c->origin = (struct origin_config){c->origin_text, 0};
	c->issuer = (struct issuer_config){
		.name = SPAN("waf"),
		.iss = SPAN("https://waf.example"),
		.audience = SPAN("sip:ep1.home1.net"),
		.authz_server = SPAN("https://waf.example"),
		.algorithms = 1u << JWS_ES256,
		.typ = typ,
		.typ_count = 1,
	};
	c->wwsf = (struct wwsf_config){.name = SPAN("shop"), .max_bindings = 100};
	c->part.realm = &c->realm;
	c->part.realm_count = 1;
	c->part.origin = &c->origin;
	c->part.origin_text = &c->origin_text;
	c->part.origin_count = 1;
	c->part.issuer = &c->issuer;
	c->part.issuer_count = 1;
	c->part.wwsf = &c->wwsf;
	c->part.wwsf_count = 1;
}

static void config_ports(struct world_config *c, const struct world *world)
{
	c->access.address = world_endpoint(world->ours, ACCESS_PORT);
	c->trusted = world_endpoint(world->core, CORE_PORT);
	c->hop = (struct next_hop_config){
		.address = c->trusted,
		.transport = world->hop == MW_TCP ? NEXT_HOP_TCP : NEXT_HOP_UDP,
		.priority = 1,
		.weight = 1,
	};
	c->part.mw_keep_alive_s = world->keep_alive_s;
	c->part.access = &c->access;
	c->part.access_count = 1;
	c->part.next_hop = &c->hop;
	c->part.next_hop_count = 1;
	c->part.trusted = &c->trusted;
	c->part.trusted_count = 1;
	c->part.mw_address = world_endpoint(world->ours, 0);
	c->part.mw_host = span_text(world->ours);
}

static void config_limits(struct world_config *c, const struct world *world)
{
	c->issuer.scope_register = world->scope;
	c->issuer.scope_originate = world->scope;
	c->wwsf.mode = world->mode;
	if (world->mode == WWSF_IMS_AUTH)
		c->wwsf.issuer = WWSF_NO_ISSUER;
	c->wwsf.connections = world->limits.connections;
	c->wwsf.max_connections = world->limits.max_connections;
	c->wwsf.registrations = world->limits.registrations;
	c->part.max_connections = world->max_connections;
	c->part.upgrades = world->upgrades;
	c->part.address_connections = world->address_connections;
	c->part.requests = world->requests;
	c->balancer = world_endpoint(world->ours, 0); /* where peers connect from */
	c->part.balancer = &c->balancer;
	c->part.balancer_count = world->balanced;
}

static struct snapshot_part *config_new(const struct world *world, enum world_sites sites)
{
	struct world_config *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->part = (struct config_part){
		.part = {.free = part_free},
		.node_name = SPAN("ep1"),
		.node_id = 1,
		.path = path,
		.path_count = 1,
		.mw_sip_port = MW_PORT,
		.mw_worker_port_base = MW_WORKER_PORT,
		.flow_key = {{.id = 1, .secret = {1, 2, 3}}},
		.flow_key_count = 1,
		.max_message = WORLD_MESSAGE_MAX,
		.max_token_bytes = 4096,
		.max_token_lifetime_s = 86400,
		.min_grant_s = 60,
		.default_expires_s = 600,
		.ws_ping_s = 25,
		.ws_silence_s = 60,
		.tls_steps = world->tls_steps,
		.tls_handshake_s = 10,
		.upgrade_s = 10,
		.preauth_s = 30,
		.timer_c_s = 185,
		.flow_grace_s = 30,
		.max_output = world->max_output,
		.mw_output = world->mw_output,
		.from_check = true,
	};
	config_site(c, sites);
	config_ports(c, world);
	config_limits(c, world);
	return &c->part.part;
}

struct world_keys {
	struct key_part part;
	struct key_row row;
	struct key_issuer issuer;
};

static struct snapshot_part *keys_new(const struct world *world)
{
	struct world_keys *k = calloc(1, sizeof(*k));

	assert_non_null(k);
	k->row.kid = SPAN("k1");
	mint_public(world->key, 1, &k->row.key);
	k->part = (struct key_part){.part.free = part_free, .row = &k->row, .count = 1};
	return &k->part.part;
}

struct world_pairs {
	struct pair_part part;
	struct pair_table table;
};

static void pairs_free(struct snapshot_part *part)
{
	pair_table_free(&((struct world_pairs *)(void *)part)->table);
	free(part);
}

static struct snapshot_part *pairs_new(void)
{
	static const uint8_t key[16];
	struct world_pairs *p = calloc(1, sizeof(*p));
	struct pair_build build;

	assert_non_null(p);
	EXPECT_EQ(GW_OK, pair_build_init(&build, PAIRS_LISTED, key, 0));
	EXPECT_EQ(GW_OK,
		  pair_build_add(&build, SPAN("a@ims.home1.net"), SPAN("sip:a@home1.net"), 1));
	EXPECT_EQ(GW_OK, pair_build_give(&build, &p->table, NULL, NULL));
	p->part = (struct pair_part){{.free = pairs_free}, &p->table, 1};
	return &p->part.part;
}

void world_publish_keys(struct world *world, const char *kid, struct key_issuer state)
{
	struct world_keys *k = (struct world_keys *)keys_new(world);

	k->row.kid = span_text(kid);
	k->issuer = state;
	k->part.issuer = &k->issuer;
	k->part.issuer_count = 1;
	EXPECT_EQ(GW_OK, snapshot_publish(world->snapshots, SNAPSHOT_KEYS, &k->part.part));
}

struct world_revocations {
	struct revocation_part part;
	uint64_t jti;
	struct span wwsf;
};

void world_publish_revocations(struct world *world, const char *jti, const char *wwsf)
{
	struct world_revocations *r = calloc(1, sizeof(*r));
	static const uint8_t hash_key[16]; /* as in the configuration */

	assert_non_null(r);
	r->part =
		(struct revocation_part){.part.free = part_free, .jti = &r->jti, .wwsf = &r->wwsf};
	if (jti != NULL) {
		r->jti = jti_hash(hash_key, SPAN("https://waf.example"), span_text(jti));
		r->part.jti_count = 1;
	}
	if (wwsf != NULL) {
		r->wwsf = span_text(wwsf);
		r->part.wwsf_count = 1;
	}
	EXPECT_EQ(GW_OK, snapshot_publish(world->snapshots, SNAPSHOT_REVOCATIONS, &r->part.part));
}

void world_publish(struct world *world, enum world_sites sites)
{
	struct snapshot_part *parts[SNAPSHOT_KINDS] = {
		[SNAPSHOT_CONFIG] = config_new(world, sites),
		[SNAPSHOT_KEYS] = keys_new(world),
		[SNAPSHOT_PAIRS] = pairs_new(),
	};

	EXPECT_EQ(GW_OK, snapshot_publish_all(world->snapshots, parts));
}

void world_publish_tls(struct world *world)
{
	struct tls_config config = {0};
	struct tls_fault fault;
	struct tls_part *part;

	EXPECT_EQ(GW_OK, tls_part_new(&tls_clear, &config, world->workers, &fault, &part));
	EXPECT_EQ(GW_OK, snapshot_publish(world->snapshots, SNAPSHOT_TLS, &part->part));
}
