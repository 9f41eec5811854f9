/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"
#include "tap_world.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_tun.h>

/* What a TAP port cannot have or cannot give away is counted and gone, and nothing else is. */

TEST(tap_drop, drops_a_frame_longer_than_its_packets)
{
	struct tap_world world = tap_world_plain();
	int socket = kernel_udp(WIRE_V4, 0, TAP_OUR_PORT);
	static const uint8_t large[4000];
	struct rte_mbuf *packet;

	kernel_run("ip link set " TAP_NAME " mtu 5000"); /* behind our back */
	EXPECT_EQ(sizeof(large), send(socket, large, sizeof(large), 0));
	EXPECT_EQ(2048 - 14 - 28 - 1, send(socket, large, 2048 - 14 - 28 - 1, 0));
	packet = tap_world_receive(&world, 0, TAP_OUR_PORT);
	EXPECT(packet != NULL);
	EXPECT_EQ(2047, packet_len(packet));
	EXPECT_EQ(1, tap_world_counters(&world, 0).rx_errors);
	packet_put(packet);
	close(socket);
	tap_world_close(&world);
}

TEST(tap_drop, drops_what_is_more_than_one_packet)
{
	struct tap_world world = tap_world_plain();
	unsigned long everything = TUN_F_CSUM | 0x20 | 0x40; /* TUN_F_USO4, TUN_F_USO6 */
	int socket = kernel_udp(WIRE_V4, 0, TAP_OUR_PORT), segment = 100;
	static const uint8_t three[300];
	struct rte_mbuf *packet;

	if (ioctl(port_tap.wait_fd(world.port, 0), TUNSETOFFLOAD, everything) != 0) {
		tap_world_close(&world);
		skip(); /* a kernel that has no such packets */
	}
	EXPECT_EQ(0, setsockopt(socket, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)));
	EXPECT_EQ(300, send(socket, three, sizeof(three), 0));
	EXPECT_EQ(0, port_tap.rx_burst(world.port, 0, &packet, 1));
	EXPECT_EQ(1, tap_world_counters(&world, 0).rx_errors);
	close(socket);
	tap_world_close(&world);
}

TEST(tap_drop, is_never_given_more_than_one_packet)
{
	struct tap_world world = tap_world_plain();
	int socket = kernel_udp(WIRE_V4, 0, TAP_OUR_PORT), segment = 100;
	static const uint8_t three[300];
	struct rte_mbuf *packets[4];

	EXPECT_EQ(0, setsockopt(socket, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)));
	EXPECT_EQ(300, send(socket, three, sizeof(three), 0));
	EXPECT_EQ(3, port_tap.rx_burst(world.port, 0, packets, 4));
	for (int i = 0; i < 3; i++)
		packet_put(packets[i]);
	close(socket);
	tap_world_close(&world);
}

TEST(tap_drop, counts_what_is_sent_while_the_link_is_down)
{
	struct tap_world world = tap_world_plain();

	kernel_run("ip link set " TAP_NAME " down");
	EXPECT_EQ(1, tap_world_send(&world, tap_world_datagram(&world)));
	EXPECT_EQ(1, tap_world_counters(&world, 0).tx_errors);
	EXPECT_EQ(0, tap_world_counters(&world, 0).tx_packets);
	kernel_run("ip link set " TAP_NAME " up");
	EXPECT_EQ(1, tap_world_send(&world, tap_world_datagram(&world)));
	EXPECT_EQ(1, tap_world_counters(&world, 0).tx_packets);
	tap_world_close(&world);
}

TEST(tap_drop, counts_what_cannot_be_given_to_the_kernel)
{
	struct tap_world world = tap_world_plain();
	struct rte_mbuf *packet = packet_copy(world.pool, SPAN("thirteen byte"));
	const struct packet_offload beyond = {.l2_len = 14,
					      .l3_len = 400,
					      .l4_protocol = IPPROTO_UDP};

	EXPECT_EQ(1, tap_world_send(&world, packet));
	packet = tap_world_datagram(&world);
	packet_set_offload(packet, &beyond);
	EXPECT_EQ(1, tap_world_send(&world, packet));
	packet = packet_get(world.pool); /* no room for the kernel's own header */
	EXPECT(packet_prepend(packet, PACKET_HEADROOM) != NULL);
	EXPECT_EQ(1, tap_world_send(&world, packet));
	EXPECT_EQ(3, tap_world_counters(&world, 0).tx_errors);
	tap_world_close(&world);
}

TEST(tap_drop, does_not_send_a_packet_whose_ip_checksum_is_not_there)
{
	struct tap_world world = tap_world_plain();
	const struct packet_offload offload = {.l2_len = 14, .l3_len = 20, .ip_checksum = true};
	struct rte_mbuf *packet = tap_world_datagram(&world);

	packet_set_offload(packet, &offload);
	EXPECT_EQ(1, tap_world_send(&world, packet));
	EXPECT_EQ(1, tap_world_counters(&world, 0).tx_errors);
	tap_world_close(&world);
}

TEST(tap_drop, lets_its_worker_sleep_when_the_interface_is_deleted)
{
	struct tap_world world = tap_world_plain();
	int fd = port_tap.wait_fd(world.port, 0);
	struct port_link link;
	struct rte_mbuf *packet;

	kernel_run("ip link del " TAP_NAME);
	EXPECT_EQ(0, port_tap.rx_burst(world.port, 0, &packet, 1));
	EXPECT(!tap_world_readable(&world));
	EXPECT_EQ(fd, port_tap.wait_fd(world.port, 0));
	EXPECT_EQ(0, port_tap.rx_burst(world.port, 0, &packet, 1));
	EXPECT_EQ(1, tap_world_send(&world, tap_world_datagram(&world)));
	EXPECT_EQ(1, tap_world_counters(&world, 0).tx_errors);
	port_tap.link(world.port, &link);
	EXPECT(!link.up);
	tap_world_close(&world);
}

WIRE_MAIN("tap_drop", RUN(tap_drop, drops_a_frame_longer_than_its_packets),
	  RUN(tap_drop, drops_what_is_more_than_one_packet),
	  RUN(tap_drop, is_never_given_more_than_one_packet),
	  RUN(tap_drop, counts_what_is_sent_while_the_link_is_down),
	  RUN(tap_drop, counts_what_cannot_be_given_to_the_kernel),
	  RUN(tap_drop, does_not_send_a_packet_whose_ip_checksum_is_not_there),
	  RUN(tap_drop, lets_its_worker_sleep_when_the_interface_is_deleted))
