/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_device.h"

#include <errno.h>
#include <stdio.h>

#include "../test.h"

#define RX_CHECKSUMS \
	(RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | \
	 RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define TX_CHECKSUMS \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | \
	 RTE_ETH_TX_OFFLOAD_TCP_CKSUM)

struct scene {
	struct port_config config;
	struct port *port;
	struct port_info info;
	char why[PORT_WHY_MAX];
};

static enum gw_err start(struct scene *s)
{
	return fake_device_start(&s->config, &s->port, &s->info, s->why);
}

static struct scene scene(uint16_t queues)
{
	fake_device_reset();
	return (struct scene){.config = {.queues = queues}};
}

/** Closes; the device is closed with it, and no pool is left. */
static void end(struct scene *s)
{
	port_ethdev.close(s->port);
	EXPECT(fake_device()->closed);
	EXPECT_EQ(0, fake_device()->pools);
}

static void expect_refused(struct scene *s, enum gw_err err, const char *why)
{
	EXPECT_EQ(err, start(s));
	if (strcmp(why, s->why) != 0)
		fprintf(stderr, "%s\n", s->why);
	EXPECT_TEXT(why, s->why);
	end(s);
}

/* ---- offloads ------------------------------------------------------------------------------- */

TEST(ethdev_start, asks_for_checksums_and_never_for_lro_tso_or_scatter)
{
	struct scene s = scene(2);

	fake_device()->info.rx_offload_capa = fake_device()->info.tx_offload_capa = UINT64_MAX;
	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_EQ(RX_CHECKSUMS, fake_device()->conf.rxmode.offloads);
	EXPECT_EQ(TX_CHECKSUMS, fake_device()->conf.txmode.offloads);
	EXPECT(s.info.rx_checksum && s.info.tx_ip_checksum && s.info.tx_l4_checksum);
	end(&s);
}

TEST(ethdev_start, leaves_checksums_to_software_where_none_is_offered)
{
	struct scene s = scene(2);

	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_EQ(0, fake_device()->conf.rxmode.offloads | fake_device()->conf.txmode.offloads);
	EXPECT(!s.info.rx_checksum && !s.info.tx_ip_checksum && !s.info.tx_l4_checksum);
	end(&s);
}

TEST(ethdev_start, takes_transport_checksums_for_both_protocols_or_for_none)
{
	struct scene s = scene(1);

	fake_device()->info.tx_offload_capa =
		RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_EQ(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM, fake_device()->conf.txmode.offloads);
	EXPECT(s.info.tx_ip_checksum && !s.info.tx_l4_checksum);
	end(&s);
}

TEST(ethdev_start, promises_receive_checksums_only_when_all_are_told)
{
	struct scene s = scene(1);

	fake_device()->info.rx_offload_capa = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_EQ(RTE_ETH_RX_OFFLOAD_IPV4_CKSUM, fake_device()->conf.rxmode.offloads);
	EXPECT(!s.info.rx_checksum);
	end(&s);
}

/* ---- queues and packets --------------------------------------------------------------------- */

TEST(ethdev_start, has_as_many_queues_as_both_directions_offer)
{
	struct scene s = scene(4);

	fake_device()->info.max_tx_queues = 3;
	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_EQ(3, s.info.queues);
	EXPECT_EQ(3, fake_device()->rx_queues);
	EXPECT_EQ(3, fake_device()->tx_queues);
	EXPECT_EQ(3, fake_device()->pools);
	EXPECT(fake_device()->drop_en);
	end(&s);
}

TEST(ethdev_start, refuses_a_device_without_queues)
{
	struct scene s = scene(1);

	fake_device()->info.max_rx_queues = 0;
	expect_refused(&s, GW_SYSTEM, "fake0: it has no queues");
}

TEST(ethdev_start, refuses_more_sockets_than_workers_that_read_them)
{
	struct scene s = scene(2);

	fake_device()->info.driver_name = "net_af_packet";
	expect_refused(&s, GW_CONFIG,
		       "fake0: it has 4 queues for 2 workers: packets of the others would be lost; "
		       "give it no more");
}

TEST(ethdev_start, has_packets_for_its_rings_and_rings_no_larger_than_its_packets)
{
	struct scene s = scene(1);

	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_EQ(4096, fake_device()->packets);
	EXPECT_EQ(1024, fake_device()->rx_ring);
	EXPECT_EQ(2048, fake_device()->room);
	end(&s);
	s = scene(1);
	s.config.rx_packets = 500;
	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_EQ(500, fake_device()->packets);
	EXPECT_EQ(128, fake_device()->rx_ring);
	end(&s);
}

TEST(ethdev_start, has_room_for_frames_of_its_mtu)
{
	struct scene s = scene(1);

	s.config.mtu = 9000;
	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_EQ(9000, s.info.mtu);
	EXPECT_EQ(9216, fake_device()->room);
	end(&s);
}

TEST(ethdev_start, has_room_for_frames_that_the_device_is_told_to_have)
{
	struct scene s = scene(1);

	s.config.device = "fake0,iface=veth0,framesz=4096,blocksz=4096";
	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_EQ(4096, fake_device()->room);
	end(&s);
	s = scene(1);
	s.config.device = "fake0,framesz=65536";
	expect_refused(&s, GW_CONFIG, "fake0: its frames are longer than we can take");
}

TEST(ethdev_start, refuses_an_mtu_that_the_device_or_a_packet_does_not_take)
{
	struct scene s = scene(1);

	s.config.mtu = 9000;
	fake_device()->mtu_error = -EINVAL;
	expect_refused(&s, GW_SYSTEM, "fake0: MTU 9000 is refused: Invalid argument");
	s = scene(1);
	s.config.mtu = 20000;
	expect_refused(&s, GW_CONFIG, "fake0: its frames are longer than we can take");
}

/* ---- errors --------------------------------------------------------------------------------- */

TEST(ethdev_start, says_which_step_failed)
{
	struct scene s = scene(1);

	fake_device()->configure_error = -EINVAL;
	expect_refused(&s, GW_SYSTEM, "fake0: it cannot be configured: Invalid argument");
	s = scene(1);
	fake_device()->rx_queue_error = -ENOMEM;
	expect_refused(&s, GW_SYSTEM, "fake0: receive queue 0: Cannot allocate memory");
	s = scene(1);
	fake_device()->tx_queue_error = -EIO;
	expect_refused(&s, GW_SYSTEM, "fake0: transmit queue 0: Input/output error");
	s = scene(1);
	fake_device()->start_error = -EPERM;
	expect_refused(&s, GW_SYSTEM, "fake0: it does not start: Operation not permitted");
	s = scene(1);
	fake_device()->no_memory = true;
	expect_refused(&s, GW_NO_MEMORY, "fake0: no memory for 4096 packets of queue 0");
}

TEST(ethdev_start, is_not_opened_when_it_is_absent_taken_or_not_described)
{
	struct scene s = scene(1);

	fake_device()->absent = true;
	EXPECT_EQ(GW_CONFIG, start(&s));
	assert_null(s.port);
	s = scene(1);
	fake_device()->taken = true;
	EXPECT_EQ(GW_CONFIG, start(&s));
	EXPECT_TEXT("fake0: another port has this device already", s.why);
	EXPECT(!fake_device()->closed); /* it is the other one's */
	s = scene(1);
	fake_device()->info_error = -EIO;
	EXPECT_EQ(GW_SYSTEM, start(&s));
	EXPECT_TEXT("fake0: the driver does not describe it", s.why);
}

TEST(ethdev_start, tries_again_without_interrupts_when_they_are_refused)
{
	struct scene s = scene(2);

	fake_device()->interrupts_refuse_configure = true;
	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_EQ(2, fake_device()->configures);
	EXPECT(!s.info.rx_interrupt);
	end(&s);
	s = scene(2);
	fake_device()->interrupts_refuse_start = true;
	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_EQ(2, fake_device()->configures);
	EXPECT_EQ(2, fake_device()->pools); /* the first try's */
	end(&s);
}

TEST(ethdev_start, is_stopped_before_it_is_closed)
{
	struct scene s = scene(1);

	EXPECT_EQ(GW_OK, start(&s));
	end(&s);
	EXPECT(fake_device()->stopped);
}

/* ---- addresses ------------------------------------------------------------------------------ */

TEST(ethdev_mac, a_nic_keeps_its_own_and_hears_multicast)
{
	struct scene s = scene(1);

	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_BYTES("\x02\xde\x00\x00\x00\x01", s.info.mac, 6);
	EXPECT(!fake_device()->promiscuous);
	EXPECT(fake_device()->allmulticast);
	end(&s);
}

TEST(ethdev_mac, an_interface_of_the_kernel_keeps_its_own_and_we_have_ours)
{
	static const char *const drivers[] = {"net_tap", "net_af_packet", "net_af_xdp", "net_pcap"};

	for (size_t i = 0; i < RTE_DIM(drivers); i++) {
		struct scene s = scene(4);

		fake_device()->info.driver_name = drivers[i];
		EXPECT_EQ(GW_OK, start(&s));
		EXPECT_BYTES(s.config.own_mac, s.info.mac, 6);
		EXPECT_BYTES("\x02\xde\x00\x00\x00\x01", fake_device()->mac.addr_bytes, 6);
		EXPECT(fake_device()->promiscuous);
		end(&s);
	}
}

TEST(ethdev_mac, a_device_without_one_gets_ours)
{
	struct scene s = scene(1);

	fake_device()->mac = (struct rte_ether_addr){{0}};
	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_BYTES(s.config.own_mac, s.info.mac, 6);
	EXPECT_BYTES(s.config.own_mac, fake_device()->mac.addr_bytes, 6);
	end(&s);
}

TEST(ethdev_mac, a_configured_one_is_set_or_heard_among_all)
{
	struct scene s = scene(1);

	memcpy(s.config.mac, "\x02\x00\x00\x00\x00\x77", 6);
	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_BYTES(s.config.mac, fake_device()->mac.addr_bytes, 6);
	EXPECT(!fake_device()->promiscuous);
	end(&s);
	fake_device_reset();
	fake_device()->mac_error = -ENOTSUP;
	EXPECT_EQ(GW_OK, start(&s));
	EXPECT_BYTES(s.config.mac, s.info.mac, 6);
	EXPECT(fake_device()->promiscuous);
	end(&s);
}

TEST(ethdev_mac, a_device_that_cannot_hear_multicast_hears_everything)
{
	struct scene s = scene(1);

	fake_device()->allmulticast_error = -EIO;
	EXPECT_EQ(GW_OK, start(&s));
	EXPECT(fake_device()->promiscuous);
	end(&s);
}

TEST(ethdev_mac, a_device_that_does_not_hear_for_us_is_refused)
{
	struct scene s = scene(1);

	fake_device()->allmulticast_error = fake_device()->promiscuous_error = -EPERM;
	expect_refused(&s, GW_SYSTEM,
		       "fake0: it does not receive for our MAC address: Operation not permitted");
	s = scene(1);
	fake_device()->info.driver_name = "net_tap";
	s.config.queues = 4;
	fake_device()->promiscuous_error = -EPERM;
	expect_refused(&s, GW_SYSTEM,
		       "fake0: it does not receive for our MAC address: Operation not permitted");
}

TEST(ethdev_mac, a_driver_without_filters_needs_none_switched_off)
{
	struct scene s = scene(1);

	fake_device()->allmulticast_error = fake_device()->promiscuous_error = -ENOTSUP;
	EXPECT_EQ(GW_OK, start(&s));
	end(&s);
}

TEST_MAIN("ethdev_start", RUN(ethdev_start, asks_for_checksums_and_never_for_lro_tso_or_scatter),
	  RUN(ethdev_start, leaves_checksums_to_software_where_none_is_offered),
	  RUN(ethdev_start, takes_transport_checksums_for_both_protocols_or_for_none),
	  RUN(ethdev_start, promises_receive_checksums_only_when_all_are_told),
	  RUN(ethdev_start, has_as_many_queues_as_both_directions_offer),
	  RUN(ethdev_start, refuses_a_device_without_queues),
	  RUN(ethdev_start, refuses_more_sockets_than_workers_that_read_them),
	  RUN(ethdev_start, has_packets_for_its_rings_and_rings_no_larger_than_its_packets),
	  RUN(ethdev_start, has_room_for_frames_of_its_mtu),
	  RUN(ethdev_start, has_room_for_frames_that_the_device_is_told_to_have),
	  RUN(ethdev_start, refuses_an_mtu_that_the_device_or_a_packet_does_not_take),
	  RUN(ethdev_start, says_which_step_failed),
	  RUN(ethdev_start, is_not_opened_when_it_is_absent_taken_or_not_described),
	  RUN(ethdev_start, tries_again_without_interrupts_when_they_are_refused),
	  RUN(ethdev_start, is_stopped_before_it_is_closed),
	  RUN(ethdev_mac, a_nic_keeps_its_own_and_hears_multicast),
	  RUN(ethdev_mac, an_interface_of_the_kernel_keeps_its_own_and_we_have_ours),
	  RUN(ethdev_mac, a_device_without_one_gets_ours),
	  RUN(ethdev_mac, a_configured_one_is_set_or_heard_among_all),
	  RUN(ethdev_mac, a_device_that_cannot_hear_multicast_hears_everything),
	  RUN(ethdev_mac, a_device_that_does_not_hear_for_us_is_refused),
	  RUN(ethdev_mac, a_driver_without_filters_needs_none_switched_off))
