/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"
#include "tap_world.h"

#include <net/if.h>
#include <unistd.h>

/* How a TAP port comes and goes: what it refuses, what it says of itself, what it may do. */

#define NOBODY 65534

static enum gw_err opened(const struct port_config *config, char why[PORT_WHY_MAX])
{
	struct port *port = NULL;
	enum gw_err err;

	why[0] = '\0';
	err = port_tap.open(config, &port, why);
	EXPECT_EQ(err == GW_OK, port != NULL);
	EXPECT_EQ(err == GW_OK, why[0] == '\0');
	port_tap.close(port);
	return err;
}

TEST(tap_open, refuses_what_is_no_interface_name)
{
	static const char *const bad[] = {"tap:",    "tap",	"tap:sixteen-letters0",
					  "tap:a/b", "tap:a b", "tap:a%d",
					  "tap:a:b", "tap:.",	"tap:..",
					  "wic0",    "",	"tap:\xc3\xa9"};
	struct port_config config = tap_world_config(1);
	char why[PORT_WHY_MAX];

	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		config.device = bad[i];
		EXPECT_EQ(GW_CONFIG, opened(&config, why));
	}
	config.device = "tap:fifteen-letters";
	EXPECT_EQ(GW_OK, opened(&config, why));
}

TEST(tap_open, refuses_more_queues_than_the_kernel_has)
{
	struct port_config config = tap_world_config(0);
	char why[PORT_WHY_MAX];

	EXPECT_EQ(GW_CONFIG, opened(&config, why));
	config.queues = 257;
	EXPECT_EQ(GW_CONFIG, opened(&config, why));
	EXPECT_TEXT("tap:wic0: 1 to 256 queues", why);
	config.queues = 256;
	config.rx_packets = 4;
	EXPECT_EQ(GW_OK, opened(&config, why));
}

TEST(tap_open, refuses_an_interface_of_another_kind)
{
	struct port_config config = tap_world_config(2);
	char why[PORT_WHY_MAX];

	config.device = "tap:lo";
	EXPECT_EQ(GW_SYSTEM, opened(&config, why));
	EXPECT_TEXT("tap:lo: another process has it, or it is no TAP interface", why);
	kernel_run("ip tuntap add dev single mode tap");
	config.device = "tap:single";
	EXPECT_EQ(GW_SYSTEM, opened(&config, why));
	EXPECT_TEXT("tap:single: is not a TAP interface made with multi_queue: Invalid argument",
		    why);
	kernel_run("ip link del single");
}

TEST(tap_open, refuses_an_interface_that_somebody_holds)
{
	struct port_config config = tap_world_config(1);
	struct tap_world world = tap_world_open(&config);
	char why[PORT_WHY_MAX];

	EXPECT_EQ(GW_SYSTEM, opened(&config, why));
	tap_world_close(&world);
	EXPECT_EQ(GW_OK, opened(&config, why));
}

TEST(tap_open, refuses_a_hardware_address_that_is_not_ours_alone)
{
	struct port_config config = tap_world_config(1);
	char why[PORT_WHY_MAX];

	kernel_run("ip tuntap add dev " TAP_NAME " mode tap multi_queue");
	kernel_end_mac(TAP_NAME, config.mac);
	EXPECT_EQ(GW_CONFIG, opened(&config, why));
	EXPECT_TEXT("tap:wic0: its kernel end has our hardware address", why);
	config.mac[0] |= 1;
	EXPECT_EQ(GW_CONFIG, opened(&config, why));
	memset(config.mac, 0, 6);
	memset(config.own_mac, 0, 6);
	EXPECT_EQ(GW_CONFIG, opened(&config, why));
	EXPECT_TEXT("tap:wic0: no hardware address of one station", why);
	kernel_run("ip link del " TAP_NAME);
}

TEST(tap_open, refuses_an_mtu_that_nobody_can_have)
{
	struct port_config config = tap_world_config(1);
	char why[PORT_WHY_MAX];

	config.mtu = 20;
	EXPECT_EQ(GW_SYSTEM, opened(&config, why));
	EXPECT_TEXT("tap:wic0: set the MTU: Invalid argument", why);
	config.mtu = 9601;
	EXPECT_EQ(GW_CONFIG, opened(&config, why));
	EXPECT_TEXT("tap:wic0: MTU 9601 is more than 9600", why);
}

TEST(tap_open, says_when_memory_is_short)
{
	struct port_config config = tap_world_config(1);
	char why[PORT_WHY_MAX];

	config.rx_packets = 1u << 20;
	EXPECT_EQ(GW_NO_MEMORY, opened(&config, why));
	EXPECT_TEXT("tap:wic0: no memory for 1048576 packets of 2048 bytes", why);
}

TEST(tap_open, says_what_it_can)
{
	struct port_config config = tap_world_config(3);
	struct tap_world world;

	config.mac[0] = 0x06;
	config.mtu = 1400;
	world = tap_world_open(&config);
	EXPECT_EQ(3, world.info.queues);
	EXPECT_EQ(1400, world.info.mtu);
	EXPECT(world.info.packets && world.info.rx_checksum && world.info.tx_l4_checksum);
	EXPECT(!world.info.tx_ip_checksum && world.info.rx_interrupt);
	EXPECT_BYTES("\x06\0\0\0\0\0", world.info.mac, 6);
	EXPECT_EQ(-1, world.info.numa);
	EXPECT_TEXT("tap", world.info.driver);
	EXPECT_EQ(world.info.steers ? 40 : 0, world.info.rss.key_len);
	tap_world_close(&world);
}

TEST(tap_open, uses_its_own_hardware_address_when_none_is_configured)
{
	struct port_config config = tap_world_config(1);
	struct tap_world world = tap_world_open(&config);

	EXPECT_BYTES(config.own_mac, world.info.mac, 6);
	EXPECT_EQ(1500, world.info.mtu);
	EXPECT(world.info.steers); /* one queue gets all */
	tap_world_close(&world);
}

TEST(tap_open, makes_the_interface_and_takes_it_away)
{
	struct port_config config = tap_world_config(4);
	struct tap_world world = tap_world_open(&config);

	EXPECT(if_nametoindex(TAP_NAME) != 0);
	tap_world_close(&world);
	EXPECT_EQ(0, if_nametoindex(TAP_NAME));
}

TEST(tap_open, leaves_an_interface_that_was_there)
{
	struct port_config config = tap_world_config(4);
	struct tap_world world;

	kernel_run("ip tuntap add dev " TAP_NAME " mode tap multi_queue");
	for (int i = 0; i < 3; i++) {
		world = tap_world_open(&config);
		tap_world_close(&world);
		kernel_run("ip addr flush dev " TAP_NAME " && ip neigh flush dev " TAP_NAME);
	}
	EXPECT(if_nametoindex(TAP_NAME) != 0);
	kernel_run("ip link del " TAP_NAME);
}

TEST(tap_open, tells_the_link)
{
	struct port_config config = tap_world_config(1);
	struct tap_world world = tap_world_open(&config);
	struct port_link link;

	port_tap.link(world.port, &link);
	EXPECT(link.up);
	EXPECT_EQ(0, link.mbps);
	kernel_run("ip link set " TAP_NAME " down");
	port_tap.link(world.port, &link);
	EXPECT(!link.up);
	tap_world_close(&world);
}

/** As nobody, on an interface made for nobody, which is up or down. */
static void start_as_nobody(const char *state, bool up)
{
	struct port_config config = tap_world_config(2);
	struct port_info info;
	struct port_link link;
	struct port *port = NULL;
	char why[PORT_WHY_MAX] = "";

	kernel_run("ip tuntap add dev " TAP_NAME " mode tap multi_queue user nobody");
	kernel_run("ip link set " TAP_NAME " %s", state);
	EXPECT_EQ(0, seteuid(NOBODY));
	if (port_tap.open(&config, &port, why) == GW_OK)
		EXPECT_EQ(GW_OK, port_tap.start(port, &info, why));
	EXPECT_EQ(0, seteuid(0));
	EXPECT_TEXT("tap:wic0 does not steer: Operation not permitted", why);
	EXPECT(!info.steers);
	port_tap.link(port, &link);
	EXPECT_EQ(up, link.up);
	port_tap.close(port);
	kernel_run("ip link del " TAP_NAME);
}

TEST(tap_open, needs_no_privilege_on_an_interface_made_for_the_user)
{
	if (seteuid(NOBODY) != 0)
		skip(); /* a user namespace that has one user, and the whole test is unprivileged */
	EXPECT_EQ(0, seteuid(0));
	start_as_nobody("up", true);
	start_as_nobody("down", false);
}

TEST(tap_open, says_so_when_it_may_not)
{
	struct port_config config = tap_world_config(1);
	char why[PORT_WHY_MAX];

	if (seteuid(NOBODY) != 0)
		skip();
	EXPECT_EQ(GW_SYSTEM, opened(&config, why));
	EXPECT_EQ(0, seteuid(0));
	EXPECT_TEXT("tap:wic0: attach a queue: Operation not permitted", why);
	kernel_run("ip tuntap add dev " TAP_NAME " mode tap multi_queue user nobody");
	config.mtu = 1400;
	EXPECT_EQ(0, seteuid(NOBODY));
	EXPECT_EQ(GW_SYSTEM, opened(&config, why));
	EXPECT_EQ(0, seteuid(0));
	EXPECT_TEXT("tap:wic0: set the MTU: Operation not permitted", why);
	kernel_run("ip link del " TAP_NAME);
}

WIRE_MAIN("tap_open", RUN(tap_open, refuses_what_is_no_interface_name),
	  RUN(tap_open, refuses_more_queues_than_the_kernel_has),
	  RUN(tap_open, refuses_an_interface_of_another_kind),
	  RUN(tap_open, refuses_an_interface_that_somebody_holds),
	  RUN(tap_open, refuses_a_hardware_address_that_is_not_ours_alone),
	  RUN(tap_open, refuses_an_mtu_that_nobody_can_have),
	  RUN(tap_open, says_when_memory_is_short), RUN(tap_open, says_what_it_can),
	  RUN(tap_open, uses_its_own_hardware_address_when_none_is_configured),
	  RUN(tap_open, makes_the_interface_and_takes_it_away),
	  RUN(tap_open, leaves_an_interface_that_was_there), RUN(tap_open, tells_the_link),
	  RUN(tap_open, needs_no_privilege_on_an_interface_made_for_the_user),
	  RUN(tap_open, says_so_when_it_may_not))
