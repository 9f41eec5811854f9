/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"
#include "tap_world.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_tun.h>

/* Packets through a TAP port, and what becomes of those that it cannot have or give away. */

static void there_and_back(struct tap_world *world, enum wire_family family)
{
	struct wire_frame frame = tap_world_frame(world, family, TAP_OUR_PORT, TAP_KERNEL_PORT);
	int socket = kernel_udp(family, TAP_KERNEL_PORT, TAP_OUR_PORT);
	struct rte_mbuf *packet;
	char bytes[16];

	kernel_say(socket, "INVITE");
	packet = tap_world_receive(world, 0, TAP_OUR_PORT);
	EXPECT(packet != NULL);
	EXPECT_SPAN("INVITE", wire_frame_read(packet_span(packet)).payload);
	EXPECT_EQ(TAP_KERNEL_PORT, wire_frame_read(packet_span(packet)).source_port);
	packet_put(packet);
	EXPECT_EQ(1, tap_world_send(world, tap_world_packet(world, &frame, SPAN("180"))));
	EXPECT_EQ(3, kernel_receive(socket, bytes, sizeof(bytes)));
	EXPECT_BYTES("180", bytes, 3);
	close(socket);
}

TEST(tap, carries_a_datagram_to_a_kernel_socket_and_back)
{
	struct tap_world world = tap_world_plain();

	there_and_back(&world, WIRE_V4);
	tap_world_add_v6(&world);
	there_and_back(&world, WIRE_V6);
	tap_world_close(&world);
}

TEST(tap, counts_packets_and_bytes)
{
	struct tap_world world = tap_world_plain();
	struct port_counters before = tap_world_counters(&world, 0), after;
	int socket = kernel_udp(WIRE_V4, TAP_KERNEL_PORT, TAP_OUR_PORT);

	for (int i = 0; i < 20; i++) {
		kernel_say(socket, "hello");
		packet_put(tap_world_receive(&world, 0, TAP_OUR_PORT));
		EXPECT_EQ(1, tap_world_send(&world, tap_world_datagram(&world)));
	}
	after = tap_world_counters(&world, 0);
	EXPECT_EQ(20, after.rx_packets - before.rx_packets);
	EXPECT_EQ(20 * (14 + 20 + 8 + 5), after.rx_bytes - before.rx_bytes);
	EXPECT_EQ(20, after.tx_packets - before.tx_packets);
	EXPECT_EQ(20 * (14 + 20 + 8 + 5), after.tx_bytes - before.tx_bytes);
	EXPECT_EQ(0, after.rx_errors + after.rx_no_buffer + after.tx_errors);
	close(socket);
	tap_world_close(&world);
}

TEST(tap, wakes_its_worker_when_a_packet_waits_and_not_before)
{
	struct tap_world world = tap_world_plain();
	int socket = kernel_udp(WIRE_V4, 0, TAP_OUR_PORT);
	struct rte_mbuf *packets[4];

	EXPECT_EQ(GW_OK, port_tap.arm(world.port, 0));
	EXPECT(!tap_world_readable(&world));
	kernel_say(socket, "one");
	kernel_say(socket, "two");
	EXPECT(tap_world_readable(&world));
	port_tap.disarm(world.port, 0);
	EXPECT_EQ(1, port_tap.rx_burst(world.port, 0, packets, 1));
	EXPECT_EQ(GW_OK, port_tap.arm(world.port, 0));
	EXPECT(tap_world_readable(&world)); /* the second one still waits */
	EXPECT_EQ(1, port_tap.rx_burst(world.port, 0, packets + 1, 3));
	EXPECT(!tap_world_readable(&world));
	packet_put(packets[0]);
	packet_put(packets[1]);
	close(socket);
	tap_world_close(&world);
}

TEST(tap, leaves_frames_with_the_kernel_while_its_pool_is_empty)
{
	struct port_config config = tap_world_config(1);
	struct tap_world world;
	struct rte_mbuf *packets[16];
	int socket;

	config.rx_packets = 8;
	world = tap_world_open(&config);
	socket = kernel_udp(WIRE_V4, 0, TAP_OUR_PORT);
	for (int i = 0; i < 12; i++)
		kernel_say(socket, "hello");
	EXPECT_EQ(8, port_tap.rx_burst(world.port, 0, packets, 16));
	EXPECT_EQ(0, port_tap.rx_burst(world.port, 0, packets + 8, 8));
	EXPECT_EQ(2, tap_world_counters(&world, 0).rx_no_buffer); /* once a burst */
	for (int i = 0; i < 8; i++)
		packet_put(packets[i]);
	EXPECT_EQ(4, port_tap.rx_burst(world.port, 0, packets, 16));
	for (int i = 0; i < 4; i++)
		packet_put(packets[i]);
	close(socket);
	tap_world_close(&world);
}

TEST(tap, has_room_for_the_mtu_it_was_given)
{
	struct port_config config = tap_world_config(1);
	static const uint8_t large[9000 - 28];
	struct tap_world world;
	struct rte_mbuf *packet;
	int socket;

	config.mtu = 9000;
	config.rx_packets = 64;
	world = tap_world_open(&config);
	socket = kernel_udp(WIRE_V4, 0, TAP_OUR_PORT);
	EXPECT_EQ(sizeof(large), send(socket, large, sizeof(large), 0));
	packet = tap_world_receive(&world, 0, TAP_OUR_PORT);
	EXPECT(packet != NULL);
	EXPECT_EQ(9014, packet_len(packet));
	packet_put(packet);
	close(socket);
	tap_world_close(&world);
}

/** A descriptor of the caller's that takes nothing more. */
static int full_descriptor(void)
{
	int ends[2];

	EXPECT_EQ(0, pipe2(ends, O_NONBLOCK));
	while (write(ends[1], "", 1) == 1)
		continue;
	EXPECT_EQ(EAGAIN, errno);
	return ends[1]; /* the other end stays until the program ends, else this one is broken */
}

TEST(tap, hands_back_what_the_kernel_does_not_take_now)
{
	struct tap_world world = tap_world_plain();
	struct rte_mbuf *packets[2] = {tap_world_datagram(&world), tap_world_datagram(&world)};
	int fd = port_tap.wait_fd(world.port, 0), tap = dup(fd), full = full_descriptor();

	EXPECT_EQ(fd, dup2(full, fd)); /* a TAP interface itself is never full for long */
	EXPECT_EQ(0, port_tap.tx_burst(world.port, 0, packets, 2));
	EXPECT_EQ(0, tap_world_counters(&world, 0).tx_errors);
	EXPECT_EQ(14 + 20 + 8 + 5, packet_len(packets[0])); /* as it was */
	EXPECT_EQ(fd, dup2(tap, fd));
	EXPECT_EQ(2, port_tap.tx_burst(world.port, 0, packets, 2));
	EXPECT_EQ(2, tap_world_counters(&world, 0).tx_packets);
	close(tap);
	close(full);
	tap_world_close(&world);
}

WIRE_MAIN("tap", RUN(tap, carries_a_datagram_to_a_kernel_socket_and_back),
	  RUN(tap, counts_packets_and_bytes),
	  RUN(tap, wakes_its_worker_when_a_packet_waits_and_not_before),
	  RUN(tap, leaves_frames_with_the_kernel_while_its_pool_is_empty),
	  RUN(tap, has_room_for_the_mtu_it_was_given),
	  RUN(tap, hands_back_what_the_kernel_does_not_take_now))
