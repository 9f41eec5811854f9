/* SPDX-License-Identifier: BSD-3-Clause */

#include "../test.h"
#include "control/config.h"
#include "control/option.h"
#include "loaded.h"

static void expect_refused(const char *from, const char *to, const char *reason)
{
	loaded_expect_refused(loaded_minimal, from, to, reason);
}

TEST(config, accepts_the_example_of_the_documentation)
{
	char *example = folder_read(EXAMPLE_PATH);
	char *text = folder_replace(example, "/etc/wicgate/", "");
	struct loaded l;

	loaded_begin(&l, text);
	problems_print(l.problems, stderr);
	EXPECT_EQ(0, problems_count(l.problems));
	assert_non_null(l.config);
	EXPECT_EQ(1, config_workers(l.config));
	EXPECT_EQ(1, config_core(l.config, 0));
	EXPECT_TEXT("/var/lib/wicgate", l.config->node.state_directory.text);
	loaded_end(&l);
	free(text);
	free(example);
}

TEST(config, accepts_the_packet_port_of_the_example)
{
	char *example = folder_read(EXAMPLE_PATH);
	char *files = folder_replace(example, "/etc/wicgate/", "");
	char *port = folder_replace(files, "\n#  ", "\n  ");
	char *mw = folder_replace(port, "\n  port: access\n", "\n  port: core\n");
	char *hop = folder_replace(mw, "198.18.0.20:5060;", "198.18.1.20;");
	char *both = folder_replace(hop, "listen: [{port: access,", "listen: [{port: core,");
	char *text = folder_replace(both, "trusted: [198.18.0.20]", "trusted: [198.18.1.20]");
	struct loaded l;

	loaded_begin(&l, text);
	problems_print(l.problems, stderr);
	EXPECT_EQ(0, problems_count(l.problems));
	assert_non_null(l.config);
	EXPECT_EQ(2, l.config->ports.count);
	loaded_end(&l);
	free(text);
	free(both);
	free(hop);
	free(mw);
	free(port);
	free(files);
	free(example);
}

TEST(config, accepts_every_key_of_the_design_at_its_default)
{
	static const char later[] = "verify: {driver: openssl}\n"
				    "eal: []\n"
				    "store: embedded\n"
				    "control: {socket: /run/wicgate/control.sock, metrics: \"\"}\n"
				    "limits: {max_pool_lifetime: 3600}\n";
	char *text, *all;
	struct loaded l;

	text = folder_replace(loaded_minimal, "addresses:", "gateways: [], vlan: 0, addresses:");
	all = folder_replace(
		text, "    identities: {file: shop-pairs.csv}\n",
		"    identities: {file: shop-pairs.csv, wildcard: \"\"}\n"
		"    destinations: {allow: [], deny: []}\n"
		"    limits: {registrations_per_second: 1000, requests_per_second: 20, "
		"calls_in_setup: 4, max_bindings: 5}\n");
	free(text);
	text = folder_replace(all, "access:\n", "access:\n  proxy_protocol_from: []\n");
	free(all);
	all = malloc(strlen(text) + sizeof(later));
	strcat(strcpy(all, text), later);
	loaded_begin(&l, all);
	problems_print(l.problems, stderr);
	EXPECT_EQ(0, problems_count(l.problems));
	assert_non_null(l.config);
	loaded_end(&l);
	free(all);
	free(text);
}

TEST(config, fills_in_defaults)
{
	struct loaded l;

	loaded_begin(&l, loaded_minimal);
	problems_print(l.problems, stderr);
	assert_non_null(l.config);
	EXPECT_EQ(5060, l.config->mw.sip_port.value);
	EXPECT_EQ(443, ((const struct config_listen *)l.config->access.listen.at)->tcp.value);
	EXPECT_EQ(262144, l.config->workers.mailbox_bytes.value);
	EXPECT_EQ(CONFIG_ADVERTISE_WORKER, l.config->mw.advertise_port.value);
	EXPECT_EQ(600, l.config->limits.default_expires.value);
	EXPECT_TEXT("/", config_text(&l.config->access.paths, 0)->text);
	loaded_end(&l);
}

TEST(config, bounds_tcp_as_the_stack_does_when_nothing_is_said)
{
	struct worker_tcp tcp;
	struct loaded l;

	loaded_begin(&l, loaded_minimal);
	assert_non_null(l.config);
	memset(&tcp, 0, sizeof(tcp));
	config_tcp(l.config, &tcp);
	EXPECT_EQ(0, memcmp(&tcp.limits, &tcp_limits_default, sizeof(tcp.limits)));
	EXPECT_EQ(65536, tcp.receive_bytes);
	EXPECT_EQ(65536, tcp.send_bytes);
	EXPECT_EQ(45000000, tcp.user_timeout_us);
	loaded_end(&l);
}

TEST(config, bounds_tcp_as_it_is_told)
{
	static const struct tcp_limits limits = {64, 128, 256, 1024, 2048, 5,
						 6,  7,	  8,   9,    10,   COOKIES_NEVER};
	char *text = folder_replace(
		loaded_minimal, "issuers:\n",
		"tcp: {half_open: 64, time_waits: 128, sources: 256, send_packets: 1024, "
		"held_packets: 2048, "
		"source_half_open: 5, source4_connections: 6, source6_connections: 7, "
		"source_rate: 8, source_burst: 9, syn_rate: 10, cookies: never, user_timeout: 60, "
		"receive_buffer: 32768, send_buffer: 131072}\nissuers:\n");
	struct worker_tcp tcp;
	struct loaded l;
	char *always;

	loaded_begin(&l, text);
	problems_print(l.problems, stderr);
	assert_non_null(l.config);
	config_tcp(l.config, &tcp);
	EXPECT_EQ(0, memcmp(&tcp.limits, &limits, sizeof(limits)));
	EXPECT_EQ(32768, tcp.receive_bytes);
	EXPECT_EQ(131072, tcp.send_bytes);
	EXPECT_EQ(60000000, tcp.user_timeout_us);
	loaded_end(&l);
	always = folder_replace(text, "cookies: never", "cookies: always");
	loaded_begin(&l, always);
	config_tcp(l.config, &tcp);
	EXPECT_EQ(COOKIES_ALWAYS, tcp.limits.cookies);
	loaded_end(&l);
	free(always);
	free(text);
}

TEST(config, says_file_line_and_reason_for_each_kind_of_fault)
{
	static const struct {
		const char *from, *to, *reason;
	} rows[] = {
		{"  trusted:", "  sip_prt: 5060\n  trusted:",
		 "wicgate.yaml:9: unknown key \"mw.sip_prt\", did you mean \"sip_port\"?"},
		{"  trusted:", "  colour: red\n  trusted:",
		 "wicgate.yaml:9: unknown key \"mw.colour\""},
		{"node: {name: ep1.home1.net}", "node: {}",
		 "wicgate.yaml:1: node.name: missing, it has no default"},
		{"node: {name: ep1.home1.net}", "node: {name: \"\"}",
		 "wicgate.yaml:1: node.name: empty"},
		{"node: {name: ep1.home1.net}", "node: {name: ep1 home1}",
		 "wicgate.yaml:1: node.name: \"ep1 home1\" is not a host name"},
		{"  listen: [{port: access}]", "  listen: [{port: access, tcp: 70000}]",
		 "wicgate.yaml:5: access.listen[].tcp: 70000 is out of range 1..65535"},
		{"  listen: [{port: access}]", "  listen: [{port: access, tcp: https}]",
		 "wicgate.yaml:5: access.listen[].tcp: a number expected"},
		{"  listen: [{port: access}]", "  listen: [{port: access, tcp: \"443\"}]",
		 "wicgate.yaml:5: access.listen[].tcp: a number expected"},
		{"  listen: [{port: access}]", "  listen: [{port: wan}]",
		 "wicgate.yaml:5: access.listen[].port: no port is named \"wan\""},
		{"  listen: [{port: access}]", "  listen: [{port: access}, {port: access}]",
		 "wicgate.yaml:5: access.listen[]: port access, tcp 443 repeated"},
		{"  listen: [{port: access}]", "  listen: []",
		 "wicgate.yaml:5: access.listen: at least one expected"},
		{"  listen: [{port: access}]", "  listen: {port: access}",
		 "wicgate.yaml:5: access.listen: a list expected"},
		{"name: access, addresses", "name: access, device: eth0, addresses",
		 "wicgate.yaml:3: ports[].device: \"eth0\": none of kernel, tap:IFACE, a PCI "
		 "address "
		 "as 0000:03:00.0, a vdev as net_af_packet0,iface=eth1"},
		{"name: access, addresses", "name: access, gateways: [198.18.0.1], addresses",
		 "wicgate.yaml:3: ports[].gateways: port access has device kernel, the operating "
		 "system has that"},
		{"name: access, addresses", "name: access, vlan: 7, addresses",
		 "wicgate.yaml:3: ports[].vlan: port access has device kernel, the operating "
		 "system "
		 "has that"},
		{"name: access, addresses", "name: access, mtu: 1500, addresses",
		 "wicgate.yaml:3: ports[].mtu: port access has device kernel, the operating system "
		 "has that"},
		{"name: access, addresses", "name: access, mac: \"02:00:00:00:00:01\", addresses",
		 "wicgate.yaml:3: ports[].mac: port access has device kernel, the operating system "
		 "has that"},
		{"wwsf:\n", "workers: {packet_ring_bytes: 300000}\nwwsf:\n",
		 "wicgate.yaml:15: workers.packet_ring_bytes: not a power of two"},
		{"wwsf:\n", "tcp: {sources: 1000}\nwwsf:\n",
		 "wicgate.yaml:15: tcp.sources: not a power of two"},
		{"wwsf:\n", "tcp: {cookies: sometimes}\nwwsf:\n",
		 "wicgate.yaml:15: tcp.cookies: \"sometimes\" is none of auto, always, never"},
		{"wwsf:\n", "tcp: {receive_buffer: 1024}\nwwsf:\n",
		 "wicgate.yaml:15: tcp.receive_buffer: 1024 is out of range 32768..262144"},
		{"wwsf:\n", "tcp: {user_timeout: 4}\nwwsf:\n",
		 "wicgate.yaml:15: tcp.user_timeout: 4 is out of range 5..3600"},
		{"198.18.0.10/24", "198.18.0.10/33",
		 "wicgate.yaml:3: ports[].addresses: \"198.18.0.10/33\": prefix length out of "
		 "range"},
		{"key: key.pem", "key: nokey.pem",
		 "wicgate.yaml:6: access.tls.certificates[]: cert.pem, nokey.pem: key: No such "
		 "file "
		 "or directory"},
		{"certificate: cert.pem", "certificate: nocert.pem",
		 "wicgate.yaml:6: access.tls.certificates[]: nocert.pem, key.pem: certificate: No "
		 "such file or directory"},
		{"certificate: cert.pem", "certificate: key.pem",
		 "wicgate.yaml:6: access.tls.certificates[]: key.pem, key.pem: certificate is not "
		 "a chain of PEM certificates"},
		{"key: key.pem}", "key: key.pem},\n    {certificate: cert.pem, key: key.pem}",
		 "wicgate.yaml:7: access.tls.certificates[]: cert.pem, key.pem: certificate: "
		 "another has the same names and kind of key"},
		{"tls: {", "tls: {\n    groups: X448:Y, ",
		 "wicgate.yaml:7: access.tls.groups: \"X448:Y\": not a list of groups"},
		{"tls: {", "tls: {\n    ciphers: TLS_AES_128_GCM_SHA256:AES128-GCM-SHA256, ",
		 "wicgate.yaml:7: access.tls.ciphers: \"AES128-GCM-SHA256\": not ECDHE with an "
		 "AEAD cipher"},
		{"tls: {", "tls: {ciphers: TLS_AES_128_GCM_SHA256, ",
		 "wicgate.yaml:6: access.tls.ciphers: \"TLS_AES_128_GCM_SHA256\": none for TLS "
		 "1.2"},
		{"tls: {", "tls: {tickets: 3, ",
		 "wicgate.yaml:6: access.tls.tickets: 3 is out of range 0..2"},
		{"key: key.pem", "key: cert.pem",
		 "wicgate.yaml:6: access.tls.certificates[]: cert.pem, cert.pem: key is not a PEM "
		 "private key without passphrase"},
		{"tls: {", "tls: {min_version: 1.1, ",
		 "wicgate.yaml:6: access.tls.min_version: \"1.1\" is none of 1.2, 1.3"},
		{"sip:198.18.0.20;", "sip:core_home1.net;",
		 "wicgate.yaml:8: mw.next_hops[].uri: \"sip:core_home1.net;transport=tcp\": host "
		 "is neither an address nor a host name"},
		{"trusted: [198.18.0.20]", "trusted: [198.18.0.21]",
		 "wicgate.yaml:8: mw.next_hops[].uri: \"sip:198.18.0.20;transport=tcp\" is not in "
		 "mw.trusted, its messages would be refused"},
		{"  trusted:", "  sip_port: 5070\n  trusted:",
		 "wicgate.yaml:9: mw.sip_port: also a port of one worker, see mw.worker_port_base"},
		{"\"file:shop.jwks\"", "\"http://waf.shop.example/jwks\"",
		 "wicgate.yaml:13: issuers[].jwks: file:PATH or https://HOST/PATH expected"},
		{"\"file:shop.jwks\"", "\"file:\"",
		 "wicgate.yaml:13: issuers[].jwks: file:PATH or https://HOST/PATH expected"},
		{"\"file:shop.jwks\"", "\"https://waf.shop.example:port/jwks\"",
		 "wicgate.yaml:13: issuers[].jwks: not a URL"},
		{"\"file:shop.jwks\"", "\"https:\"", "wicgate.yaml:13: issuers[].jwks: not a URL"},
		{"\"file:shop.jwks\"", "\"https://me:secret@waf.shop.example/jwks\"",
		 "wicgate.yaml:13: issuers[].jwks: a user or password cannot stand here"},
		{"\"file:shop.jwks\"", "\"https://waf.shop.example/jwks#a\"",
		 "wicgate.yaml:13: issuers[].jwks: a fragment cannot stand here"},
		{"\"file:shop.jwks\"", "https://waf.shop.example/jwks\n    jwks_ca: none.pem",
		 "wicgate.yaml:14: issuers[].jwks_ca: \"none.pem\" has no certificate that can be "
		 "read"},
		{"\"file:shop.jwks\"", "https://waf.shop.example/jwks\n    jwks_ca: key.pem",
		 "wicgate.yaml:14: issuers[].jwks_ca: \"key.pem\" has no certificate that can be "
		 "read"},
		{"\"file:shop.jwks\"", "file:shop.jwks\n    jwks_ca: cert.pem",
		 "wicgate.yaml:14: issuers[].jwks_ca: only for https"},
		{"file:shop.jwks", "file:none.jwks",
		 "wicgate.yaml:13: DIR/none.jwks: No such file or directory"},
		{"    authz_server: \"https:", "    authz_server: \"http:",
		 "wicgate.yaml:14: issuers[].authz_server: not an https URI"},
		{"    iss:", "    leeway: 61\n    iss:",
		 "wicgate.yaml:12: issuers[].leeway: 61 is out of range 0..60"},
		{"    iss:", "    algorithms: [HS256, ES256]\n    iss:",
		 "wicgate.yaml:12: issuers[].algorithms: \"HS256\" is none of ES256, ES384, RS256, "
		 "PS256, EdDSA"},
		{"    issuer: shop-waf", "    issuer: shop",
		 "wicgate.yaml:17: wwsf[].issuer: no issuer is named \"shop\""},
		{"\"https://shop.example\"]", "\"http://shop.example\"]",
		 "wicgate.yaml:18: wwsf[].origins: \"http://shop.example\": not an https origin"},
		{"\"https://shop.example\"]", "\"https://shop.example/\"]",
		 "wicgate.yaml:18: wwsf[].origins: \"https://shop.example/\": an origin ends with "
		 "host "
		 "or port, without a path or '/'"},
		{"\"https://shop.example\"]",
		 "\"https://shop.example\", \"https://Shop.example:443\"]",
		 "wicgate.yaml:18: wwsf[].origins: \"https://shop.example\" belongs to WWSF "
		 "\"shop\" "
		 "already, on line 18"},
		{"    issuer: shop-waf", "    issuer: shop-waf\n    mode: pol",
		 "wicgate.yaml:18: wwsf[].mode: \"pol\" is none of individual, ims-auth, pool, "
		 "wildcard-unregistered, block"},
		{"file: shop-pairs.csv", "file: none.csv",
		 "wicgate.yaml:19: DIR/none.csv: No such file or directory"},
		{"file: shop-pairs.csv", "file: shop-pairs.csv, domains: [home1.net]",
		 "wicgate.yaml:19: wwsf[].identities.domains: not beside wwsf[].identities.file"},
		{"{file: shop-pairs.csv}", "{}",
		 "wicgate.yaml:16: wwsf[].identities.file: must be given, or "
		 "wwsf[].identities.domains"},
		{"file: shop-pairs.csv", "domains: [\"home 1\"]",
		 "wicgate.yaml:19: wwsf[].identities.domains: \"home 1\" is not a host name"},
		{"    iss:", "    claims: {impi: \"a b\"}\n    iss:",
		 "wicgate.yaml:12: issuers[].claims.impi: white space, quotes, '<', '>' and bytes "
		 "beyond ASCII cannot stand here"},
		{"    iss:", "    scope_register: \"a b\"\n    iss:",
		 "wicgate.yaml:12: issuers[].scope_register: white space, quotes, '<', '>' and "
		 "bytes beyond ASCII cannot stand here"},
		{"    issuer: shop-waf", "    issuer: shop-waf\n    jti: never",
		 "wicgate.yaml:18: wwsf[].jti: \"never\" is none of optional, required"},
		{"    issuer: shop-waf\n", "", "wicgate.yaml:16: wwsf[].issuer: must be given"},
		{"    issuer: shop-waf", "    issuer: shop-waf\n    aka: true",
		 "wicgate.yaml:18: wwsf[].aka: with mode ims-auth only"},
		{"    issuer: shop-waf\n    origins: [\"https://shop.example\"]\n"
		 "    identities: {file: shop-pairs.csv}\n",
		 "    mode: ims-auth\n    issuer: shop-waf\n    origins: "
		 "[\"https://shop.example\"]\n",
		 "wicgate.yaml:18: wwsf[].issuer: not with mode ims-auth, which takes no tokens"},
		{"    issuer: shop-waf\n", "    mode: ims-auth\n",
		 "wicgate.yaml:19: wwsf[].identities: not with mode ims-auth, the core knows its "
		 "users"},
		{"    issuer: shop-waf\n    origins: [\"https://shop.example\"]\n"
		 "    identities: {file: shop-pairs.csv}\n",
		 "    mode: ims-auth\n    origins: [\"https://shop.example\"]\n"
		 "    identities: {domains: [home1.net]}\n",
		 "wicgate.yaml:19: wwsf[].identities: not with mode ims-auth, the core knows its "
		 "users"},
		{"    issuer: shop-waf\n    origins: [\"https://shop.example\"]\n"
		 "    identities: {file: shop-pairs.csv}\n",
		 "    mode: ims-auth\n    jti: required\n    origins: "
		 "[\"https://shop.example\"]\n",
		 "wicgate.yaml:18: wwsf[].jti: not with mode ims-auth, which takes no tokens"},
		{"    issuer: shop-waf\n    origins: [\"https://shop.example\"]\n"
		 "    identities: {file: shop-pairs.csv}\n",
		 "    mode: ims-auth\n    demand_token: true\n    origins: "
		 "[\"https://shop.example\"]\n",
		 "wicgate.yaml:16: wwsf[].issuer: must be given"},
		{"    issuer: shop-waf\n", "    issuer: shop-waf\n    demand_token: true\n",
		 "wicgate.yaml:18: wwsf[].demand_token: with mode ims-auth only, others always do"},
		{"    issuer: shop-waf\n", "    issuer: shop-waf\n    waf_identity: 'a\"b'\n",
		 "wicgate.yaml:18: wwsf[].waf_identity: white space, quotes, '<', '>' and bytes "
		 "beyond ASCII cannot stand here"},
		{"    issuer: shop-waf\n", "    issuer: shop-waf\n    waf_parameter: a=b\n",
		 "wicgate.yaml:18: wwsf[].waf_parameter: \"a=b\": letters, digits, '-', '_' and "
		 "'.' expected"},
		{"[{domain: home1.net}]", "[{domain: home1.net, ioi_prefix: 'Type \"1'}]",
		 "wicgate.yaml:2: realms[].ioi_prefix: quotes and bytes beyond ASCII cannot stand "
		 "here"},
		{"access:\n", "access:\n  placeholder_user: \"a@b\"\n",
		 "wicgate.yaml:5: access.placeholder_user: \"a@b\": letters, digits, '-', '_' and "
		 "'.' expected"},
		{"wwsf:\n", "emergency: {numbers: [\"112\", \"1-1\"]}\nwwsf:\n",
		 "wicgate.yaml:15: emergency.numbers: \"1-1\": digits, '*' and '#' expected"},
		{"wwsf:\n", "emergency: {numbers: [+]}\nwwsf:\n",
		 "wicgate.yaml:15: emergency.numbers: \"+\": digits, '*' and '#' expected"},
		{"wwsf:\n", "emergency: {policy: 380}\nwwsf:\n",
		 "wicgate.yaml:15: emergency.policy: \"380\" is none of alternative-service, "
		 "forbidden, forward"},
		{"wwsf:\n", "emergency: {reason: \"a\\nb\"}\nwwsf:\n",
		 "wicgate.yaml:15: emergency.reason: a control character"},
		{"wwsf:\n", "limits: {hold_indialog: 5}\nwwsf:\n",
		 "wicgate.yaml:15: limits.hold_indialog: 5 is out of range 0..4"},
		{"wwsf:\n", "verify: {driver: crypto_mb}\nwwsf:\n",
		 "wicgate.yaml:15: driver crypto_mb: not in this version"},
		{"wwsf:\n", "store: \"redis://127.0.0.1:6379\"\nwwsf:\n",
		 "wicgate.yaml:15: store: not in this version, leave it at embedded"},
		{"wwsf:\n", "control: {metrics: \"127.0.0.1:9464\"}\nwwsf:\n",
		 "wicgate.yaml:15: control.metrics: not in this version, leave it at ''"},
		{"wwsf:\n", "workers: {mailbox_bytes: 300000}\nwwsf:\n",
		 "wicgate.yaml:15: workers.mailbox_bytes: not a power of two"},
		{"wwsf:\n", "workers: {cores: [1, 1]}\nwwsf:\n",
		 "wicgate.yaml:15: workers.cores: core 1 repeated"},
		{"wwsf:\n", "limits: {ws_ping: 60}\nwwsf:\n",
		 "wicgate.yaml:15: limits.ws_silence: not more than limits.ws_ping"},
		{"wwsf:\n", "limits: {jwks_cache_max: 59}\nwwsf:\n",
		 "wicgate.yaml:15: limits.jwks_cache_max: less than limits.jwks_cache_min"},
		{"wwsf:\n", "access: {}\nwwsf:\n",
		 "wicgate.yaml:15: key \"access\" repeated, first on line 4"},
		{"wwsf:\n", "eal: &a []\nwwsf:\n",
		 "wicgate.yaml:15: anchors, aliases and tags are not used here"},
		{"wwsf:\n", "eal: !!seq []\nwwsf:\n",
		 "wicgate.yaml:15: anchors, aliases and tags are not used here"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_refused(rows[i].from, rows[i].to, rows[i].reason);
}

TEST(config, reports_all_faults_in_the_order_of_their_lines)
{
	char *one = folder_replace(loaded_minimal, "home1.net}]", "home1.net, colour: red}]");
	char *two = folder_replace(one, "issuer: shop-waf", "issuer: nobody");
	char *three = folder_replace(two, "tls: {", "tls: {engine: pkcs11, ");
	struct loaded l;

	loaded_begin(&l, three);
	assert_null(l.config);
	EXPECT_EQ(3, problems_errors(l.problems));
	EXPECT_TEXT("wicgate.yaml:2: unknown key \"realms[].colour\"", loaded_problem(&l, 0));
	EXPECT_TEXT("wicgate.yaml:6: access.tls.engine: not in this version, leave it at none",
		    loaded_problem(&l, 1));
	EXPECT_TEXT("wicgate.yaml:17: wwsf[].issuer: no issuer is named \"nobody\"",
		    loaded_problem(&l, 2));
	loaded_end(&l);
	free(one);
	free(two);
	free(three);
}

TEST(config, refuses_an_origin_and_a_pair_that_two_web_sites_claim)
{
	static const char second[] = "  - name: mall\n"				 /* 20 */
				     "    issuer: shop-waf\n"			 /* 21 */
				     "    origins: [\"https://SHOP.example\"]\n" /* 22 */
				     "    identities: {file: mall.csv}\n";	 /* 23 */
	char text[LOADED_MAX];
	struct loaded l;

	folder_make(&l.folder);
	folder_write(
		&l.folder, "mall.csv",
		"# the same identity, written otherwise\nalice@HOME1.net,sip:alice@home1.net\n");
	loaded_load(&l, strcat(strcpy(text, loaded_minimal), second));
	assert_null(l.config);
	EXPECT_EQ(2, problems_errors(l.problems));
	EXPECT_TEXT("wicgate.yaml:22: wwsf[].origins: \"https://shop.example\" belongs to WWSF "
		    "\"shop\" already, on line 18",
		    loaded_problem(&l, 0));
	assert_non_null(strstr(loaded_problem(&l, 1), "mall.csv:2: the pair of "));
	assert_non_null(
		strstr(loaded_problem(&l, 1), "shop-pairs.csv:1, it can belong to one WWSF only"));
	loaded_end(&l);
}

TEST(config, takes_a_generator_with_mode_pool_and_instead_of_a_file_only)
{
	static const char file[] = "    identities: {file: shop-pairs.csv}\n";
	static const char pool[] = "    mode: pool\n"
				   "    identities: {generator: {impu: \"sip:p([0-9])@home1.net\", "
				   "impi: 'p\\1@home1.net'}}\n";
	static const char mode[] =
		"wicgate.yaml:19: wwsf[].identities.generator: with mode pool only";
	struct loaded l;
	char *text = folder_replace(loaded_minimal, file, pool);

	loaded_begin(&l, text);
	problems_print(l.problems, stderr);
	assert_non_null(l.config);
	EXPECT_EQ(10, pairs_about(config_wwsf(l.config, 0)->pairs).count);
	loaded_end(&l);
	loaded_expect_refused(text, "    mode: pool\n", "", mode);
	loaded_expect_refused(text, "identities: {", "identities: {file: shop-pairs.csv, ",
			      "wicgate.yaml:20: wwsf[].identities.generator: not beside "
			      "wwsf[].identities.file");
	loaded_expect_refused(text, ", impi: 'p\\1@home1.net'", "",
			      "wicgate.yaml:20: wwsf[].identities.generator: both impu and impi "
			      "expected");
	loaded_expect_refused(text, "identities: {", "identities: {domains: [home1.net], ",
			      "wicgate.yaml:20: wwsf[].identities.domains: not with mode pool, "
			      "which has pairs");
	loaded_expect_refused(text, "p\\1@", "p@",
			      "wicgate.yaml:20: wwsf[].identities.generator.impi: what varies in "
			      "the public identity is not all in it: two would have one private "
			      "identity");
	free(text);
}

TEST(config, shares_the_pairs_of_the_one_before_whose_file_is_the_same)
{
	static const char second[] = "  - name: mall\n"
				     "    issuer: shop-waf\n"
				     "    origins: [\"https://mall.example\"]\n"
				     "    identities: {file: mall.csv}\n";
	struct config_from from = {0};
	char text[LOADED_MAX];
	struct config *next;
	struct loaded l;

	folder_make(&l.folder);
	folder_write(&l.folder, "mall.csv", "bob@home1.net,sip:bob@home1.net\n");
	loaded_load(&l, strcat(strcpy(text, loaded_minimal), second));
	assert_non_null(l.config);
	folder_write(&l.folder, "mall.csv", "carol@home1.net,sip:carol@home1.net\n");
	from.path = l.config->file;
	from.before = l.config;
	next = config_read(&from, l.problems);
	assert_non_null(next);
	EXPECT(config_wwsf(next, 0)->pairs == config_wwsf(l.config, 0)->pairs);
	EXPECT(config_wwsf(next, 1)->pairs != config_wwsf(l.config, 1)->pairs);
	EXPECT(pairs_table(config_wwsf(next, 1)->pairs)->count == 1);
	config_free(l.config); /* what both hold stays */
	l.config = next;
	EXPECT_EQ(1, pairs_about(config_wwsf(next, 0)->pairs).count);
	folder_write(&l.folder, "mall.csv", "alice@home1.net,sip:alice@home1.net\n");
	from = (struct config_from){.path = next->file, .before = next};
	EXPECT(config_read(&from, l.problems) == NULL); /* against the one that was not read */
	EXPECT_EQ(1, problems_errors(l.problems));
	EXPECT(strstr(loaded_problem(&l, 0), "mall.csv:1: the pair of ") != NULL);
	loaded_end(&l);
}

TEST(config, refuses_what_is_not_a_mapping_and_an_empty_file)
{
	struct loaded l;

	loaded_begin(&l, "- a\n");
	assert_null(l.config);
	EXPECT_TEXT("wicgate.yaml:1: configuration: a mapping expected", loaded_problem(&l, 0));
	loaded_end(&l);
	loaded_begin(&l, "\n");
	assert_null(l.config);
	EXPECT_TEXT("wicgate.yaml:1: empty", loaded_problem(&l, 0));
	loaded_end(&l);
}

TEST(config, refuses_nesting_without_end)
{
	char text[4096] = "eal: ";
	struct loaded l;

	memset(text + 5, '[', 2000);
	loaded_begin(&l, text);
	assert_null(l.config);
	EXPECT_TEXT("wicgate.yaml:1: nested too deep", loaded_problem(&l, 0));
	loaded_end(&l);
}

TEST(config, says_why_when_it_refuses_a_file_cut_anywhere)
{
	char text[LOADED_MAX];
	uint32_t accepted = 0;
	struct loaded l;

	folder_make(&l.folder);
	for (size_t cut = 1; cut < strlen(loaded_minimal); cut++) {
		memcpy(text, loaded_minimal, cut);
		text[cut] = '\0';
		loaded_load(&l, text);
		/* cut between two entries it is a shorter configuration, and a good one */
		EXPECT_EQ(l.config == NULL, problems_errors(l.problems) > 0);
		accepted += l.config != NULL;
		config_free(l.config);
		problems_free(l.problems);
	}
	EXPECT(accepted < 10);
	folder_remove(&l.folder);
}

TEST(config, compares_two_configurations_for_what_needs_a_restart)
{
	char *text = folder_replace(loaded_minimal, "198.18.0.10/24", "198.18.0.11/24");
	char *more = folder_replace(text, "  trusted: [198.18.0.20]",
				    "  sip_port: 5064\n  trusted: [198.18.0.20, 198.18.0.22]");
	struct problems *problems = problems_new();
	struct config *old;
	struct loaded l;

	loaded_begin(&l, loaded_minimal);
	old = l.config;
	problems_free(l.problems);
	loaded_load(&l, more);
	assert_non_null(l.config);
	config_compare(old, l.config, problems);
	EXPECT_EQ(2, problems_errors(problems));
	EXPECT(strstr(problems_text(problems, 0),
		      "wicgate.yaml:3: ports[].addresses: a change needs a restart") != NULL);
	EXPECT(strstr(problems_text(problems, 1),
		      "wicgate.yaml:9: mw.sip_port: a change needs a restart") != NULL);
	problems_free(problems);
	config_free(old);
	loaded_end(&l);
	free(text);
	free(more);
}

TEST(config, lets_a_reload_change_what_is_reloadable)
{
	char *text = folder_replace(loaded_minimal, "    origins: [",
				    "    origins: [\"https://two.example\", ");
	struct problems *problems = problems_new();
	struct config *old;
	struct loaded l;

	loaded_begin(&l, loaded_minimal);
	old = l.config;
	problems_free(l.problems);
	loaded_load(&l, text);
	assert_non_null(l.config);
	config_compare(old, l.config, problems);
	EXPECT_EQ(0, problems_count(problems));
	problems_free(problems);
	config_free(old);
	loaded_end(&l);
	free(text);
}

TEST(config, lets_a_reload_change_tls)
{
	char *text = folder_replace(
		loaded_minimal, "tls: {",
		"tls: {min_version: 1.3, ciphers: TLS_AES_256_GCM_SHA384, groups: P-256, "
		"tickets: 2, ticket_rotation: 60, steps_per_turn: 1, ");
	struct problems *problems = problems_new();
	struct tls_config tls;
	struct config *old;
	struct loaded l;

	loaded_begin(&l, loaded_minimal);
	old = l.config;
	problems_free(l.problems);
	loaded_load(&l, text);
	assert_non_null(l.config);
	config_compare(old, l.config, problems);
	EXPECT_EQ(0, problems_count(problems));
	config_tls(old, &tls);
	EXPECT_EQ(0x0303, tls.min_version);
	EXPECT_EQ(7200, tls.ticket_life_s);
	config_tls(l.config, &tls);
	EXPECT_EQ(0x0304, tls.min_version);
	EXPECT_EQ(2, tls.tickets);
	EXPECT_EQ(120, tls.ticket_life_s);
	EXPECT_TEXT("P-256", tls.groups);
	EXPECT_TEXT("TLS_AES_256_GCM_SHA384", tls.ciphers);
	EXPECT_EQ(1, tls.certificates);
	problems_free(problems);
	config_free(old);
	loaded_end(&l);
	free(text);
}

TEST(config, gives_no_ticket_more_than_a_week)
{
	char *text = folder_replace(loaded_minimal, "tls: {", "tls: {ticket_rotation: 604800, ");
	struct tls_config tls;
	struct loaded l;

	loaded_begin(&l, text);
	assert_non_null(l.config);
	config_tls(l.config, &tls);
	EXPECT_EQ(604800, tls.ticket_life_s);
	loaded_end(&l);
	free(text);
}

TEST(option, prints_every_row_as_markdown)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	char cell[160];

	option_print_markdown(out);
	fclose(out);
	for (uint32_t i = 0; option_at(i) != NULL; i++) {
		snprintf(cell, sizeof(cell), "| `%s` | ", option_at(i)->path);
		EXPECT(strstr(text, cell) != NULL);
		EXPECT(option_at(i)->help[strlen(option_at(i)->help) - 1] == '.');
	}
	free(text);
}

TEST(option, is_what_the_documentation_says)
{
	char *documented = folder_read(DOCUMENT_PATH), *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	option_print_markdown(out);
	fclose(out);
	EXPECT_TEXT(text, documented); /* else: wicgate --options > docs/configuration.md */
	free(text);
	free(documented);
}

TEST(option, has_a_parent_for_every_row_and_no_row_twice)
{
	for (uint32_t i = 0; option_at(i) != NULL; i++) {
		const char *path = option_at(i)->path;
		const char *leaf = option_leaf(option_at(i));
		bool found = leaf == path;
		char parent[128];

		snprintf(parent, sizeof(parent), "%.*s", (int)(leaf - path - 1), path);
		if (strlen(parent) > 2 && strcmp(parent + strlen(parent) - 2, "[]") == 0)
			parent[strlen(parent) - 2] = '\0';
		for (uint32_t k = 0; k < i; k++) {
			EXPECT(strcmp(option_at(k)->path, path) != 0);
			found = found || strcmp(option_at(k)->path, parent) == 0;
		}
		EXPECT(found);
	}
}

TEST_MAIN("config", RUN(config, accepts_the_example_of_the_documentation),
	  RUN(config, accepts_the_packet_port_of_the_example),
	  RUN(config, accepts_every_key_of_the_design_at_its_default),
	  RUN(config, fills_in_defaults),
	  RUN(config, bounds_tcp_as_the_stack_does_when_nothing_is_said),
	  RUN(config, bounds_tcp_as_it_is_told),
	  RUN(config, says_file_line_and_reason_for_each_kind_of_fault),
	  RUN(config, reports_all_faults_in_the_order_of_their_lines),
	  RUN(config, refuses_an_origin_and_a_pair_that_two_web_sites_claim),
	  RUN(config, takes_a_generator_with_mode_pool_and_instead_of_a_file_only),
	  RUN(config, shares_the_pairs_of_the_one_before_whose_file_is_the_same),
	  RUN(config, refuses_what_is_not_a_mapping_and_an_empty_file),
	  RUN(config, refuses_nesting_without_end),
	  RUN(config, says_why_when_it_refuses_a_file_cut_anywhere),
	  RUN(config, compares_two_configurations_for_what_needs_a_restart),
	  RUN(config, lets_a_reload_change_what_is_reloadable),
	  RUN(config, lets_a_reload_change_tls), RUN(config, gives_no_ticket_more_than_a_week),
	  RUN(option, prints_every_row_as_markdown), RUN(option, is_what_the_documentation_says),
	  RUN(option, has_a_parent_for_every_row_and_no_row_twice))
