/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "control/config.h"
#include "control/publish.h"
#include "loaded.h"

/* mw.tls: what it may say, and what becomes of it. Where it stands, trusted: is line 10 or more. */

#define TRUSTED "  trusted: [198.18.0.20]\n"
#define HOP ";transport=tcp"
#define MW_TLS \
	"  tls: {certificate: cert.pem, key: key.pem, authorities: cert.pem}\n" /* 9 */ TRUSTED

static void expect_refused(const char *tls, const char *reason)
{
	char to[512];

	snprintf(to, sizeof(to), "  tls: {%s}\n" TRUSTED, tls);
	loaded_expect_refused(loaded_minimal, TRUSTED, to, reason);
}

TEST(mw_tls, is_refused_with_its_line_and_why)
{
	expect_refused("certificate: cert.pem, authorities: cert.pem",
		       "wicgate.yaml:9: mw.tls.key: has to be given beside mw.tls.certificate");
	expect_refused("certificate: cert.pem, key: key.pem",
		       "wicgate.yaml:9: mw.tls.authorities: has to be given beside "
		       "mw.tls.certificate");
	expect_refused("certificate: none.pem, key: key.pem, authorities: cert.pem",
		       "wicgate.yaml:9: mw.tls.certificate: none.pem: No such file or directory");
	expect_refused("certificate: cert.pem, key: cert.pem, authorities: cert.pem",
		       "wicgate.yaml:9: mw.tls.key: cert.pem: key is not a PEM private key without "
		       "passphrase");
	expect_refused("certificate: key.pem, key: key.pem, authorities: cert.pem",
		       "wicgate.yaml:9: mw.tls.certificate: key.pem: certificate is not a chain of "
		       "PEM certificates");
	expect_refused("certificate: cert.pem, key: key.pem, authorities: key.pem",
		       "wicgate.yaml:9: mw.tls.authorities: key.pem: not a list of "
		       "PEM certificates");
	expect_refused("certificate: cert.pem, key: key.pem, authorities: cert.pem, "
		       "peers: [\"*.home1.net\"]",
		       "wicgate.yaml:9: mw.tls.peers: \"*.home1.net\" is not a host name");
}

TEST(mw_tls, has_ports_of_its_own)
{
#define FILES "certificate: cert.pem, key: key.pem, authorities: cert.pem, "
	expect_refused(FILES "port: 5170", "wicgate.yaml:9: mw.tls.port: also a port of one "
					   "worker, see mw.tls.worker_port_base");
	expect_refused(FILES "port: 5060", "wicgate.yaml:9: mw.tls.port, mw.tls.worker_port_base: "
					   "also ports of mw.sip_port or mw.worker_port_base");
	expect_refused(FILES "port: 5070", "wicgate.yaml:9: mw.tls.port, mw.tls.worker_port_base: "
					   "also ports of mw.sip_port or mw.worker_port_base");
	expect_refused(FILES "port: 5061, worker_port_base: 5070",
		       "wicgate.yaml:9: mw.tls.port, mw.tls.worker_port_base: also ports of "
		       "mw.sip_port or mw.worker_port_base");
	expect_refused(FILES "port: 5062, worker_port_base: 5060",
		       "wicgate.yaml:9: mw.tls.port, mw.tls.worker_port_base: also ports of "
		       "mw.sip_port or mw.worker_port_base");
	expect_refused(FILES "port: 443",
		       "wicgate.yaml:5: access.listen[].tcp: 443 is a port of Mw as well");
}

TEST(mw_tls, is_needed_by_a_next_hop_that_is_reached_so)
{
	loaded_expect_refused(loaded_minimal, HOP, ";transport=tls",
			      "wicgate.yaml:8: mw.next_hops[].uri: "
			      "\"sip:198.18.0.20;transport=tls\" needs mw.tls");
}

/** The parts of a configuration with mw.tls and these lines more in it. */
static void published(const char *more, struct snapshot_part *parts[SNAPSHOT_KINDS])
{
	struct state kept = {.folder = -1};
	char tls[512];
	char *text, *both;
	struct loaded l;

	snprintf(tls, sizeof(tls),
		 "  tls: {certificate: cert.pem, key: key.pem, authorities: cert.pem%s}\n" TRUSTED,
		 more);
	text = folder_replace(loaded_minimal, TRUSTED, tls);
	both = folder_replace(text, HOP, ";transport=tls");
	loaded_begin(&l, both);
	problems_print(l.problems, stderr);
	assert_non_null(l.config);
	parts[SNAPSHOT_CONFIG] = &publish_config(l.config, &kept)->part;
	EXPECT_EQ(GW_OK, publish_tls(l.config, parts));
	loaded_end(&l);
	free(both);
	free(text);
}

static void drop(struct snapshot_part *parts[SNAPSHOT_KINDS])
{
	for (uint32_t i = 0; i < SNAPSHOT_KINDS; i++)
		if (parts[i] != NULL)
			parts[i]->free(parts[i]);
}

TEST(mw_tls, is_published_beside_that_of_browsers)
{
	struct snapshot_part *parts[SNAPSHOT_KINDS] = {0};
	const struct config_part *part;
	char address[ENDPOINT_TEXT_MAX];

	published(", peers: [S1.Home1.net, s2.home1.net]", parts);
	part = (const struct config_part *)parts[SNAPSHOT_CONFIG];
	EXPECT_EQ(5061, part->mw_tls.port);
	EXPECT_EQ(5170, part->mw_tls.worker_port_base);
	EXPECT_EQ(2, part->mw_tls.peer_count);
	EXPECT_SPAN("s1.home1.net", part->mw_tls.peer[0]);
	EXPECT_EQ(NEXT_HOP_TLS, part->next_hop[0].transport);
	EXPECT_TEXT("198.18.0.20:5061", endpoint_format(&part->next_hop[0].address, address));
	assert_non_null(parts[SNAPSHOT_TLS]);
	assert_non_null(parts[SNAPSHOT_MW_TLS]);
	EXPECT_EQ(1, ((const struct tls_part *)parts[SNAPSHOT_MW_TLS])->count);
	drop(parts);
}

TEST(mw_tls, is_none_without_a_certificate)
{
	struct snapshot_part *parts[SNAPSHOT_KINDS] = {0};
	struct state kept = {.folder = -1};
	struct loaded l;

	loaded_begin(&l, loaded_minimal);
	assert_non_null(l.config);
	parts[SNAPSHOT_CONFIG] = &publish_config(l.config, &kept)->part;
	EXPECT_EQ(GW_OK, publish_tls(l.config, parts));
	loaded_end(&l);
	EXPECT_EQ(0, ((const struct config_part *)parts[SNAPSHOT_CONFIG])->mw_tls.port);
	assert_null(parts[SNAPSHOT_MW_TLS]);
	drop(parts);
}

TEST(mw_tls, is_switched_on_by_a_restart_only)
{
	char *text = folder_replace(loaded_minimal, TRUSTED, MW_TLS);
	struct problems *problems = problems_new();
	struct config *old;
	struct loaded l;

	loaded_begin(&l, loaded_minimal);
	old = l.config;
	problems_free(l.problems);
	loaded_load(&l, text);
	assert_non_null(l.config);
	config_compare(old, l.config, problems);
	EXPECT_EQ(1, problems_count(problems));
	EXPECT(strstr(problems_text(problems, 0),
		      "mw.tls.certificate: TLS on or off needs a restart") != NULL);
	problems_free(problems);
	config_free(old);
	loaded_end(&l);
	free(text);
}

TEST_MAIN("control_mw_tls", RUN(mw_tls, is_refused_with_its_line_and_why),
	  RUN(mw_tls, has_ports_of_its_own),
	  RUN(mw_tls, is_needed_by_a_next_hop_that_is_reached_so),
	  RUN(mw_tls, is_published_beside_that_of_browsers),
	  RUN(mw_tls, is_none_without_a_certificate), RUN(mw_tls, is_switched_on_by_a_restart_only))
