/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <unistd.h>

#include "../test.h"
#include "control/config.h"
#include "control/publish.h"
#include "identity/identity.h"
#include "control/revocations.h"
#include "loaded.h"

TEST(publish, makes_a_tls_context_for_each_worker)
{
	struct snapshot_part *parts[SNAPSHOT_KINDS] = {0};
	const struct tls_part *part;
	char *text = folder_replace(loaded_minimal, "wwsf:\n", "workers: {cores: [0, 1]}\nwwsf:\n");
	struct loaded l;

	loaded_begin(&l, text);
	assert_non_null(l.config);
	EXPECT_EQ(GW_OK, publish_tls(l.config, parts));
	loaded_end(&l);
	part = (const struct tls_part *)parts[SNAPSHOT_TLS];
	EXPECT_EQ(2, part->count);
	EXPECT(part->context[0] != NULL && part->context[1] != NULL);
	EXPECT(part->context[0] != part->context[1]);
	parts[SNAPSHOT_TLS]->free(parts[SNAPSHOT_TLS]);
	free(text);
}

TEST(publish, makes_a_part_that_outlives_its_configuration)
{
	struct state kept = {.folder = -1, .flow_key = {{.id = 7}}, .flow_key_count = 1};
	char *text = folder_replace(loaded_minimal, "\"https://shop.example\"]",
				    "\"https://Shop.example:443\", \"https://b.example:8443\"]");
	struct config_part *part;
	char address[ENDPOINT_TEXT_MAX];
	struct loaded l;

	loaded_begin(&l, text);
	assert_non_null(l.config);
	part = publish_config(l.config, &kept);
	loaded_end(&l);
	EXPECT_SPAN("ep1.home1.net", part->node_name);
	EXPECT_SPAN("home1.net", part->realm[0].visited_network);
	EXPECT_SPAN("sip:ep1.home1.net", part->issuer[0].audience);
	EXPECT_SPAN("jwt", part->issuer[0].typ[1]);
	EXPECT_EQ(1u << JWS_ES256, part->issuer[0].algorithms);
	EXPECT_EQ(2, part->origin_count);
	EXPECT_SPAN("https://shop.example", part->origin[0].origin);
	EXPECT_SPAN("https://b.example:8443", part->origin_text[1]);
	EXPECT_TEXT("198.18.0.10:443", endpoint_format(&part->access[0].address, address));
	EXPECT_TEXT("198.18.0.10:0", endpoint_format(&part->mw_address, address));
	EXPECT_SPAN("198.18.0.10", part->mw_host);
	EXPECT_EQ(NEXT_HOP_TCP, part->next_hop[0].transport);
	EXPECT_TEXT("198.18.0.20:5060", endpoint_format(&part->next_hop[0].address, address));
	EXPECT_EQ(7, part->flow_key[0].id);
	EXPECT(part->from_check);
	EXPECT(!part->warn_reason);
	part->part.free(&part->part);
	free(text);
}

/* What workers get of a configuration that is the minimal one with to instead of from. */
static struct config_part *published(const char *from, const char *to)
{
	char *text = folder_replace(loaded_minimal, from, to);
	const struct state kept = {0};
	struct config_part *part;
	struct loaded l;

	loaded_begin(&l, text);
	EXPECT_EQ(0, problems_count(l.problems));
	assert_non_null(l.config);
	part = publish_config(l.config, &kept);
	loaded_end(&l);
	free(text);
	return part;
}

TEST(publish, tells_who_authenticates_the_users_of_a_site)
{
	struct config_part *part = published("    issuer: shop-waf", "    issuer: shop-waf");

	EXPECT_EQ(WWSF_INDIVIDUAL, part->wwsf[0].mode);
	EXPECT_EQ(0, part->wwsf[0].issuer);
	EXPECT(!part->wwsf[0].aka);
	EXPECT_SPAN("wic", part->placeholder_user);
	EXPECT(!part->wwsf[0].outlives_token);
	EXPECT_SPAN("", part->wwsf[0].waf_identity);
	EXPECT_SPAN("authorization-entity", part->wwsf[0].waf_parameter);
	part->part.free(&part->part);
	part = published("    issuer: shop-waf\n    origins: [\"https://shop.example\"]\n"
			 "    identities: {file: shop-pairs.csv}\n",
			 "    mode: ims-auth\n    aka: true\n"
			 "    origins: [\"https://shop.example\"]\n");
	EXPECT_EQ(WWSF_IMS_AUTH, part->wwsf[0].mode);
	EXPECT_EQ(WWSF_NO_ISSUER, part->wwsf[0].issuer);
	EXPECT(part->wwsf[0].aka);
	part->part.free(&part->part);
	part = published("    issuer: shop-waf\n    origins: [\"https://shop.example\"]\n"
			 "    identities: {file: shop-pairs.csv}\n",
			 "    mode: ims-auth\n    demand_token: true\n    issuer: shop-waf\n"
			 "    jti: required\n    origins: [\"https://shop.example\"]\n");
	EXPECT_EQ(WWSF_IMS_AUTH, part->wwsf[0].mode);
	EXPECT_EQ(0, part->wwsf[0].issuer);
	EXPECT(part->wwsf[0].jti_required);
	part->part.free(&part->part);
}

TEST(publish, tells_what_becomes_of_emergency_calls_in_words_that_xml_can_hold)
{
	struct config_part *part = published("wwsf:\n", "limits: {hold_indialog: 4}\nwwsf:\n");

	EXPECT_EQ(4, part->hold_indialog_s);
	EXPECT_EQ(EMERGENCY_ALTERNATIVE_SERVICE, part->emergency.policy);
	EXPECT_EQ(0, part->emergency.number_count);
	EXPECT_SPAN("Emergency calls are not served here: use a telephone.",
		    part->emergency.reason_xml);
	part->part.free(&part->part);
	part = published("wwsf:\n", "emergency: {numbers: [112, +49112], policy: forward, "
				    "reason: \"<a> & b\"}\nwwsf:\n");
	EXPECT_EQ(0, part->hold_indialog_s);
	EXPECT_EQ(EMERGENCY_FORWARD, part->emergency.policy);
	EXPECT_EQ(2, part->emergency.number_count);
	EXPECT_SPAN("112", part->emergency.number[0]);
	EXPECT_SPAN("+49112", part->emergency.number[1]);
	EXPECT_SPAN("&lt;a&gt; &amp; b", part->emergency.reason_xml);
	part->part.free(&part->part);
}

TEST(publish, tells_how_the_tokens_of_an_issuer_are_read)
{
	struct config_part *part =
		published("    iss:", "    claims: {impu: mcptt_id, scn: \"https://x/scn\"}\n"
				      "    scope_register: ims.register\n"
				      "    scope_originate: ims.originate\n    iss:");

	EXPECT_SPAN("impi", part->issuer[0].claim.impi);
	EXPECT_SPAN("mcptt_id", part->issuer[0].claim.impu);
	EXPECT_SPAN("wwsf", part->issuer[0].claim.wwsf);
	EXPECT_SPAN("https://x/scn", part->issuer[0].claim.scn);
	EXPECT_SPAN("ims.register", part->issuer[0].scope_register);
	EXPECT_SPAN("ims.originate", part->issuer[0].scope_originate);
	EXPECT(!part->token_in_body);
	EXPECT(!part->wwsf[0].jti_required);
	part->part.free(&part->part);
}

TEST(publish, tells_where_tokens_may_come_and_that_they_need_a_jti)
{
	struct config_part *part = published("  listen:", "  token_in_body: true\n  listen:");

	EXPECT(part->token_in_body);
	part->part.free(&part->part);
	part = published("    issuer: shop-waf", "    issuer: shop-waf\n    jti: required");
	EXPECT(part->wwsf[0].jti_required);
	part->part.free(&part->part);
}

TEST(publish, tells_what_stands_in_the_iois_of_a_home_network)
{
	struct config_part *part = published("{domain: home1.net}", "{domain: home1.net}");

	EXPECT_SPAN("home1.net", part->realm[0].ioi);
	part->part.free(&part->part);
	part = published("{domain: home1.net}", "{domain: home1.net, visited_network: visited.net, "
						"ioi_prefix: Type 1}");
	EXPECT_SPAN("visited.net", part->realm[0].visited_network);
	EXPECT_SPAN("Type 1visited.net", part->realm[0].ioi);
	part->part.free(&part->part);
}

TEST(publish, tells_the_home_domains_of_a_web_site_that_has_no_pairs)
{
	char *text = folder_replace(loaded_minimal, "file: shop-pairs.csv",
				    "domains: [HOME1.net, home2.example]");
	const struct state kept = {0};
	struct config_part *part;
	struct pair_part *pairs;
	struct loaded l;

	loaded_begin(&l, text);
	EXPECT_EQ(0, problems_count(l.problems));
	assert_non_null(l.config);
	part = publish_config(l.config, &kept);
	pairs = publish_pairs(l.config);
	loaded_end(&l);
	EXPECT_EQ(2, part->wwsf[0].domain_count);
	EXPECT_SPAN("home1.net", part->wwsf[0].domain[0]);
	EXPECT_SPAN("home2.example", part->wwsf[0].domain[1]);
	EXPECT_EQ(1, pairs->count);
	EXPECT_EQ(0, pairs->table[0].count);
	pairs->part.free(&pairs->part);
	part->part.free(&part->part);
	free(text);
}

TEST(publish, keeps_the_id_of_a_key_over_reloads)
{
	struct publish_keys_from from = {.ids = key_ids_new()};
	struct key_part *first, *second;
	struct pair_part *pairs;
	struct loaded l;

	loaded_begin(&l, loaded_minimal);
	from.config = l.config;
	first = publish_keys(&from);
	second = publish_keys(&from);
	pairs = publish_pairs(l.config);
	loaded_end(&l);
	EXPECT_EQ(1, first->count);
	EXPECT_SPAN("k1", first->row[0].kid);
	EXPECT_EQ(1, first->row[0].key.id);
	EXPECT_EQ(1, second->row[0].key.id);
	EXPECT_EQ(1, first->issuer_count);
	EXPECT(!first->issuer[0].missing);
	EXPECT(!first->issuer[0].refetchable);
	EXPECT_EQ(1, pairs->count);
	EXPECT_EQ(1, pairs->table[0].count); /* held by the part, the configuration has gone */
	EXPECT_EQ(GW_OK, identity_allowed(&pairs->table[0], SPAN("alice@home1.net"),
					  SPAN("sip:alice@home1.net")));
	first->part.free(&first->part);
	second->part.free(&second->part);
	pairs->part.free(&pairs->part);
	key_ids_free(from.ids);
}

static bool is_revoked(const void *context, struct span issuer, struct span kid)
{
	return revocations_has_key(context, issuer, kid);
}

/** Keys that are published while key kid of issuer is taken back. */
static uint32_t keys_without(const struct loaded *l, const char *issuer, const char *kid)
{
	const struct revocation what = {.kind = REVOCATION_KEY,
					.issuer = span_text(issuer),
					.name = span_text(kid)};
	static const uint8_t hash_key[16];
	const struct log_config log = {.fd = -1, .level = LOG_LEVEL_ERROR};
	struct revocations_config config = {.key = hash_key, .log = log_new(&log), .max = 1};
	struct key_ids *ids = key_ids_new();
	struct keys_filter filter = {is_revoked, NULL};
	struct publish_keys_from from = {.config = l->config, .ids = ids, .revoked = &filter};
	struct revocations *revoked;
	struct key_part *part;
	char why[128];
	uint32_t count;

	config.folder = open(l->folder.path, O_RDONLY | O_DIRECTORY);
	revoked = revocations_open(&config, why, sizeof(why));
	assert_non_null(revoked);
	assert_null(revocations_add(revoked, &what));
	filter.context = revoked;
	part = publish_keys(&from);
	count = part->count;
	part->part.free(&part->part);
	assert_null(revocations_end(revoked, &what));
	revocations_close(revoked);
	close(config.folder);
	log_free(config.log);
	key_ids_free(ids);
	return count;
}

TEST(publish, leaves_out_keys_that_are_taken_back)
{
	struct loaded l;

	loaded_begin(&l, loaded_minimal);
	EXPECT_EQ(0, keys_without(&l, "shop-waf", "k1"));
	EXPECT_EQ(1, keys_without(&l, "shop-waf", "k2"));
	EXPECT_EQ(1, keys_without(&l, "forum-waf", "k1"));
	loaded_end(&l);
}

TEST_MAIN("publish", RUN(publish, makes_a_tls_context_for_each_worker),
	  RUN(publish, makes_a_part_that_outlives_its_configuration),
	  RUN(publish, tells_who_authenticates_the_users_of_a_site),
	  RUN(publish, tells_what_becomes_of_emergency_calls_in_words_that_xml_can_hold),
	  RUN(publish, tells_how_the_tokens_of_an_issuer_are_read),
	  RUN(publish, tells_where_tokens_may_come_and_that_they_need_a_jti),
	  RUN(publish, tells_what_stands_in_the_iois_of_a_home_network),
	  RUN(publish, tells_the_home_domains_of_a_web_site_that_has_no_pairs),
	  RUN(publish, keeps_the_id_of_a_key_over_reloads),
	  RUN(publish, leaves_out_keys_that_are_taken_back))
