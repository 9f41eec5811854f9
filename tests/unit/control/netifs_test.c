/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <unistd.h>

#include "../test.h"
#include "control/netifs.h"
#include "loaded.h"

/* Ports and stack are played by this file: it stands where drivers/port and dataplane/net would. */

static const char two_ports[] =
	"node: {name: ep1.home1.net}\n"
	"realms: [{domain: home1.net}]\n"
	"workers: {cores: [1, 2]}\n"
	"ports:\n"
	"  - {name: access, addresses: [198.18.0.10/24]}\n"
	"  - {name: core, device: \"tap:wic0\", addresses: [198.18.1.10/24], vlan: 7, mtu: 1400}\n"
	"  - {name: spare, device: net_ring0, addresses: [198.18.2.10/24], "
	"mac: \"02:00:5e:10:00:01\"}\n"
	"access:\n"
	"  listen: [{port: access}]\n"
	"  tls: {certificates: [{certificate: cert.pem, key: key.pem}]}\n"
	"mw:\n"
	"  port: core\n"
	"  next_hops: [{uri: \"sip:198.18.1.20\"}]\n"
	"  trusted: [198.18.1.20]\n";

/* ---- the drivers ---------------------------------------------------------------------------- */

struct port {
	int number;
};

static struct stage {
	struct port port[4];
	struct port_config config[4];
	char device[4][64];
	int opened, closed;
	int closed_order[4];
	const char *open_fails, *start_fails; /* device */
	bool steers, share_fails;
	uint16_t queues, mtu;
	struct net_shared_config shared;
	struct netif netif[4];
	bool shared_freed;
} stage;

static enum gw_err fake_open(const struct port_config *config, struct port **opened,
			     char why[PORT_WHY_MAX])
{
	int i = stage.opened;

	if (stage.open_fails != NULL && strcmp(stage.open_fails, config->device) == 0) {
		snprintf(why, PORT_WHY_MAX, "no such interface");
		return GW_SYSTEM;
	}
	stage.config[i] = *config;
	snprintf(stage.device[i], sizeof(stage.device[i]), "%s", config->device);
	stage.port[i].number = i;
	*opened = &stage.port[stage.opened++];
	return GW_OK;
}

static enum gw_err fake_start(struct port *port, struct port_info *info, char why[PORT_WHY_MAX])
{
	const char *device = stage.device[port->number];

	if (stage.start_fails != NULL && strcmp(stage.start_fails, device) == 0)
		return GW_NO_MEMORY;
	*info = (struct port_info){.packets = strcmp(device, "kernel") != 0,
				   .queues = stage.queues,
				   .mtu = stage.mtu != 0 ? stage.mtu : 1400,
				   .steers = stage.steers,
				   .driver = "fake",
				   .mac = {2, 0, 0, 0, 0, 1}};
	if (strcmp(device, "net_ring0") == 0)
		snprintf(why, PORT_WHY_MAX, "net_ring0: it has no MTU");
	return GW_OK;
}

static void fake_close(struct port *port)
{
	stage.closed_order[stage.closed++] = port->number;
}

static const struct port_ops fake_kernel = {"kernel", .open = fake_open, .start = fake_start,
					    .close = fake_close};
static const struct port_ops fake_tap = {"tap", .open = fake_open, .start = fake_start,
					 .close = fake_close};

const struct port_ops *port_driver(const char *device)
{
	return strcmp(device, "kernel") == 0 ? &fake_kernel : &fake_tap;
}

/* ---- the stack ------------------------------------------------------------------------------ */

struct net_shared {
	int unused;
};
static struct net_shared the_shared;

struct net_shared *net_shared_new(const struct net_shared_config *config)
{
	stage.shared = *config;
	for (uint32_t i = 0; i < config->netifs; i++)
		stage.netif[i] = config->netif[i];
	return stage.share_fails ? NULL : &the_shared;
}

void net_shared_free(struct net_shared *shared)
{
	if (shared == NULL)
		return;
	EXPECT_EQ(stage.opened, stage.closed); /* devices keep packets of its pools */
	stage.shared_freed = true;
}

const struct netif *net_shared_netif(const struct net_shared *shared, uint32_t i)
{
	return i < stage.shared.netifs ? &stage.netif[i] : NULL;
}

const char *neighbour_state_text(enum neighbour_state state)
{
	return state == NEIGHBOUR_STALE ? "stale" : "reachable";
}

uint32_t net_shared_neighbours(const struct net_shared *shared, uint32_t max,
			       struct row_neighbour *rows)
{
	const struct row_neighbour all[] = {
		{.mac = {2, 0, 0, 0, 0, 9}, .state = NEIGHBOUR_STALE, .netif = 1, .gateway = true},
		{.state = NEIGHBOUR_REACHABLE, .netif = 7}};

	for (uint32_t i = 0; i < 2 && i < max; i++)
		rows[i] = all[i];
	return max < 2 ? max : 2;
}

/* ---- the tests ------------------------------------------------------------------------------ */

static enum gw_err open_with(struct loaded *l, struct netifs **netifs, char why[256])
{
	loaded_begin(l, two_ports);
	problems_print(l->problems, stderr);
	assert_non_null(l->config);
	*netifs = NULL;
	return netifs_open(l->config, netifs, why, 256);
}

static void reset(void)
{
	stage = (struct stage){.queues = 2, .steers = true};
}

TEST(netifs, opens_and_starts_every_port_in_order)
{
	static const uint8_t mac[6] = {0x02, 0, 0x5e, 0x10, 0, 1};
	struct netifs *netifs;
	struct loaded l;
	char why[256];

	reset();
	EXPECT_EQ(GW_OK, open_with(&l, &netifs, why));
	loaded_end(&l); /* nothing borrows from the configuration */
	EXPECT_EQ(3, stage.opened);
	EXPECT_EQ(0, stage.config[0].steer_base);
	EXPECT_EQ(5070, stage.config[1].steer_base);
	EXPECT_EQ(0, stage.config[2].steer_base);
	EXPECT_EQ(2, stage.config[1].queues);
	EXPECT_EQ(1400, stage.config[1].mtu);
	EXPECT_EQ(8192 + 4096, stage.config[1].rx_packets);
	EXPECT_EQ(8192, stage.shared.held_packets);
	EXPECT_BYTES(mac, stage.config[2].mac, 6);
	EXPECT(memcmp(stage.config[1].secret, stage.config[2].secret, 64) != 0);
	EXPECT(memcmp(stage.config[1].own_mac, stage.config[2].own_mac, 6) != 0);
	EXPECT_TEXT("tap:wic0", netifs_port(netifs, 1)->device);
	EXPECT_TEXT("kernel, tap", netifs_drivers(netifs));
	EXPECT(netifs_has(netifs, NET_KERNEL) && netifs_has(netifs, NET_PACKETS));
	EXPECT(netifs_port(netifs, 3) == NULL);
	netifs_close(netifs);
}

TEST(netifs, shares_those_with_packets_among_the_workers)
{
	struct netifs *netifs;
	struct loaded l;
	char why[256];

	reset();
	EXPECT_EQ(GW_OK, open_with(&l, &netifs, why));
	EXPECT(netifs_shared(netifs) == &the_shared);
	EXPECT_EQ(2, stage.shared.netifs);
	EXPECT_EQ(2, stage.shared.workers);
	EXPECT_EQ(5070, stage.shared.steer_base);
	EXPECT_EQ(1048576, stage.shared.ring_bytes);
	EXPECT_TEXT("core", stage.netif[0].name);
	EXPECT_EQ(7, stage.netif[0].vlan);
	EXPECT(stage.netif[0].port == &stage.port[1] && stage.netif[0].ops == &fake_tap);
	EXPECT_TEXT("spare", stage.netif[1].name);
	netifs_close(netifs);
	loaded_end(&l);
}

TEST(netifs, closes_all_in_reverse)
{
	struct netifs *netifs;
	struct loaded l;
	char why[256];

	reset();
	EXPECT_EQ(GW_OK, open_with(&l, &netifs, why));
	netifs_close(netifs);
	EXPECT(stage.shared_freed);
	EXPECT_EQ(3, stage.closed);
	EXPECT_EQ(2, stage.closed_order[0]);
	EXPECT_EQ(0, stage.closed_order[2]);
	netifs_close(NULL);
	loaded_end(&l);
}

TEST(netifs, says_which_port_failed_and_why_and_leaves_nothing_open)
{
	struct netifs *netifs;
	struct loaded l;
	char why[256];

	reset();
	stage.open_fails = "net_ring0";
	EXPECT_EQ(GW_SYSTEM, open_with(&l, &netifs, why));
	EXPECT_TEXT("port spare: no such interface", why);
	EXPECT_EQ(2, stage.closed);
	loaded_end(&l);
	reset();
	stage.start_fails = "tap:wic0"; /* and its driver has no words for it */
	EXPECT_EQ(GW_NO_MEMORY, open_with(&l, &netifs, why));
	EXPECT_TEXT("port core: no memory at start", why);
	EXPECT_EQ(2, stage.opened);
	EXPECT_EQ(2, stage.closed);
	loaded_end(&l);
	reset();
	stage.share_fails = true;
	EXPECT_EQ(GW_NO_MEMORY, open_with(&l, &netifs, why));
	EXPECT_EQ(3, stage.closed);
	EXPECT(netifs == NULL);
	loaded_end(&l);
	reset();
	stage.mtu = 1279; /* the device's own */
	EXPECT_EQ(GW_CONFIG, open_with(&l, &netifs, why));
	EXPECT_TEXT("port core: its MTU is 1279, and 1280 the least (RFC 8200 5)", why);
	EXPECT_EQ(2, stage.closed);
	loaded_end(&l);
}

TEST(netifs, shares_nothing_when_all_ports_are_of_the_kernel)
{
	struct netifs *netifs;
	struct loaded l;
	char why[256];
	struct netifs_neighbour row;

	reset();
	loaded_begin(&l, loaded_minimal);
	assert_non_null(l.config);
	EXPECT_EQ(GW_OK, netifs_open(l.config, &netifs, why, sizeof(why)));
	EXPECT(netifs_shared(netifs) == NULL);
	EXPECT(!netifs_has(netifs, NET_PACKETS));
	EXPECT_EQ(0, netifs_neighbours(netifs, 1, &row));
	netifs_close(netifs);
	loaded_end(&l);
}

TEST(netifs, tells_neighbours_by_the_names_of_their_ports)
{
	struct netifs_neighbour rows[4];
	struct netifs *netifs;
	struct loaded l;
	char why[256];

	reset();
	EXPECT_EQ(GW_OK, open_with(&l, &netifs, why));
	EXPECT_EQ(2, netifs_neighbours(netifs, 4, rows));
	EXPECT_TEXT("spare", rows[0].port);
	EXPECT_TEXT("stale", rows[0].state);
	EXPECT(rows[0].gateway);
	EXPECT_EQ(9, rows[0].mac[5]);
	EXPECT_TEXT("-", rows[1].port);
	EXPECT_EQ(1, netifs_neighbours(netifs, 1, rows));
	netifs_close(netifs);
	loaded_end(&l);
}

/** What netifs_log() writes. */
static char *logged(const struct netifs *netifs)
{
	struct log_config config = {.level = LOG_LEVEL_INFO, .rate = 100};
	FILE *file = tmpfile();
	char *text = calloc(1, 8192);
	struct log *log;

	config.fd = fileno(file);
	log = log_new(&config);
	netifs_log(netifs, log);
	log_free(log);
	rewind(file);
	EXPECT(fread(text, 1, 8191, file) > 0);
	fclose(file);
	return text;
}

TEST(netifs, logs_what_is_there_and_warns_of_hand_over)
{
	static const struct {
		uint16_t queues;
		bool steers;
		const char *warning;
	} rows[] = {
		{2, true, NULL},
		{1, true,
		 "level=warning event=port_hands_over port=core text=\"fewer queues than workers: "
		 "those without one send and receive through others\"\n"},
		{2, false,
		 "level=warning event=port_hands_over port=core text=\"the device does not steer "
		 "Mw "
		 "to its workers: they hand packets over\"\n"},
	};
	struct netifs *netifs;
	struct loaded l;
	char why[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text;

		reset();
		stage.queues = rows[i].queues;
		stage.steers = rows[i].steers;
		EXPECT_EQ(GW_OK, open_with(&l, &netifs, why));
		text = logged(netifs);
		EXPECT(strstr(text, "event=port_open port=access device=kernel driver=fake\n") !=
		       NULL);
		EXPECT(strstr(text, "event=port_open port=core device=tap:wic0 driver=fake "
				    "mac=02:00:00:00:00:01 mtu=1400 vlan=7 queues=") != NULL);
		EXPECT(strstr(text, rows[i].steers ? "steers=yes" : "steers=no") != NULL);
		if (rows[i].warning != NULL)
			EXPECT(strstr(text, rows[i].warning) != NULL);
		else
			EXPECT(strstr(text, "port_hands_over") == NULL);
		EXPECT(strstr(text, "level=warning event=port_warning port=spare "
				    "text=\"net_ring0: it has no MTU\"\n") != NULL);
		EXPECT(strstr(text, "port_warning port=core") == NULL);
		/* only Mw is steered */
		EXPECT_EQ(rows[i].queues == 1, strstr(text, "port_hands_over port=spare") != NULL);
		free(text);
		netifs_close(netifs);
		loaded_end(&l);
	}
}

TEST(netifs, makes_a_mac_of_its_own_that_stays_and_is_nobody_elses)
{
	uint8_t a[6], b[6], c[6], d[6];

	netifs_own_mac("ep1.home1.net", "core", a);
	netifs_own_mac("ep1.home1.net", "core", b);
	netifs_own_mac("ep1.home1.net", "spare", c);
	netifs_own_mac("ep2.home1.net", "core", d);
	EXPECT_BYTES(a, b, 6);
	EXPECT(memcmp(a, c, 6) != 0 && memcmp(a, d, 6) != 0);
	EXPECT_EQ(2, a[0]);
}

TEST_MAIN("netifs", RUN(netifs, opens_and_starts_every_port_in_order),
	  RUN(netifs, shares_those_with_packets_among_the_workers),
	  RUN(netifs, closes_all_in_reverse),
	  RUN(netifs, says_which_port_failed_and_why_and_leaves_nothing_open),
	  RUN(netifs, shares_nothing_when_all_ports_are_of_the_kernel),
	  RUN(netifs, tells_neighbours_by_the_names_of_their_ports),
	  RUN(netifs, logs_what_is_there_and_warns_of_hand_over),
	  RUN(netifs, makes_a_mac_of_its_own_that_stays_and_is_nobody_elses))
