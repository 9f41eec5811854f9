/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"
#include "tap_world.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/if_tun.h>
#include <linux/virtio_net.h>

/*
 * Checksums that one end leaves to the other. The kernel routes between the port and a second
 * interface, out0, which takes no unfinished checksums: what leaves there is what a wire would see.
 */
#define OUTSIDE 99 /* host on the far side of out0 */

struct frame_on_wire {
	struct virtio_net_hdr header;
	uint8_t bytes[WIRE_FRAME_MAX];
} __attribute__((packed));

struct routed {
	struct tap_world world;
	int outside;
	uint8_t router_mac[6];
};

static int outside_open(int flags)
{
	struct ifreq interface = {.ifr_name = "out0",
				  .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | flags)};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	EXPECT_EQ(0, ioctl(fd, TUNSETIFF, &interface));
	EXPECT_EQ(0, ioctl(fd, TUNSETOFFLOAD, 0UL));
	return fd;
}

static struct routed opened(int flags)
{
	struct port_config config = tap_world_config(1);
	struct routed r = {.world = tap_world_open(&config), .outside = outside_open(flags)};

	tap_world_add_v6(&r.world);
	kernel_run("echo 1 >/proc/sys/net/ipv4/ip_forward");
	kernel_run("echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");
	kernel_run("echo 0 >/proc/sys/net/ipv6/conf/out0/disable_ipv6");
	kernel_run("ip link set out0 up");
	kernel_run("ip route add 198.18.0.%u dev out0", OUTSIDE);
	kernel_run("ip route add fd00:18::%x dev out0", OUTSIDE);
	kernel_run("ip neigh add 198.18.0.%u dev out0 lladdr 02:99:99:99:99:99", OUTSIDE);
	kernel_run("ip neigh add fd00:18::%x dev out0 lladdr 02:99:99:99:99:99", OUTSIDE);
	kernel_end_mac("out0", r.router_mac);
	return r;
}

static void closed(struct routed *r)
{
	close(r->outside);
	tap_world_close(&r->world);
}

/** The next TCP or UDP frame to TAP_KERNEL_PORT that leaves by out0. */
static bool outside_receive(struct routed *r, struct frame_on_wire *frame, struct wire_seen *seen)
{
	struct pollfd wait = {.fd = r->outside, .events = POLLIN};

	while (poll(&wait, 1, 1000) == 1) {
		ssize_t n = read(r->outside, frame, sizeof(*frame));

		EXPECT(n > (ssize_t)sizeof(frame->header));
		*seen = wire_frame_read(span_of(frame->bytes, (uint32_t)n - sizeof(frame->header)));
		if (seen->destination_port == TAP_KERNEL_PORT)
			return true;
	}
	return false;
}

static void check_finished(struct routed *r, enum wire_family family, uint8_t protocol)
{
	struct wire_frame frame = tap_world_frame(&r->world, family, TAP_OUR_PORT, TAP_KERNEL_PORT);
	struct packet_offload offload = {.l4_protocol = protocol, .v6 = family == WIRE_V6};
	struct rte_mbuf *packet;
	struct frame_on_wire out;
	struct wire_seen seen;

	frame.destination = OUTSIDE;
	frame.protocol = protocol;
	frame.checksum = WIRE_CHECKSUM_PSEUDO;
	packet = tap_world_packet(&r->world, &frame, SPAN("payload"));
	EXPECT(!wire_frame_read(packet_span(packet)).checksum_right);
	offload.l2_len = (uint16_t)wire_frame_l3(&frame);
	offload.l3_len = (uint16_t)(wire_frame_l4(&frame) - wire_frame_l3(&frame));
	packet_set_offload(packet, &offload);
	EXPECT_EQ(1, port_tap.tx_burst(r->world.port, 0, &packet, 1));
	EXPECT(outside_receive(r, &out, &seen));
	EXPECT_EQ(protocol, seen.protocol);
	EXPECT_SPAN("payload", seen.payload);
	EXPECT_EQ(0, out.header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
	EXPECT(seen.checksum_right);
}

TEST(tap_checksum, is_finished_by_the_kernel_when_we_ask)
{
	struct routed r = opened(0);

	check_finished(&r, WIRE_V4, IPPROTO_UDP);
	check_finished(&r, WIRE_V4, IPPROTO_TCP);
	check_finished(&r, WIRE_V6, IPPROTO_UDP);
	check_finished(&r, WIRE_V6, IPPROTO_TCP);
	closed(&r);
}

TEST(tap_checksum, is_sent_as_it_is_when_we_do_not_ask)
{
	struct routed r = opened(0);
	struct wire_frame frame = tap_world_frame(&r.world, WIRE_V4, TAP_OUR_PORT, TAP_KERNEL_PORT);
	struct rte_mbuf *packet;
	struct frame_on_wire out;
	struct wire_seen seen;

	frame.destination = OUTSIDE;
	frame.checksum = WIRE_CHECKSUM_PSEUDO; /* wrong, then */
	packet = tap_world_packet(&r.world, &frame, SPAN("payload"));
	EXPECT_EQ(1, port_tap.tx_burst(r.world.port, 0, &packet, 1));
	EXPECT(outside_receive(&r, &out, &seen));
	EXPECT(!seen.checksum_right);
	closed(&r);
}

TEST(tap_checksum, unfinished_is_taken_by_a_kernel_socket)
{
	struct routed r = opened(0);
	struct wire_frame frame = tap_world_frame(&r.world, WIRE_V4, TAP_OUR_PORT, TAP_KERNEL_PORT);
	const struct packet_offload offload = {.l2_len = 14,
					       .l3_len = 20,
					       .l4_protocol = IPPROTO_UDP};
	int socket = kernel_udp(WIRE_V4, TAP_KERNEL_PORT, TAP_OUR_PORT);
	struct rte_mbuf *packet;
	char bytes[16];

	frame.checksum = WIRE_CHECKSUM_PSEUDO;
	packet = tap_world_packet(&r.world, &frame, SPAN("wrong"));
	EXPECT_EQ(1, port_tap.tx_burst(r.world.port, 0, &packet, 1)); /* not asked: the socket
								       * refuses it */
	packet = tap_world_packet(&r.world, &frame, SPAN("unfinished"));
	packet_set_offload(packet, &offload);
	EXPECT_EQ(1, port_tap.tx_burst(r.world.port, 0, &packet, 1));
	EXPECT_EQ(10, kernel_receive(socket, bytes, sizeof(bytes)));
	EXPECT_BYTES("unfinished", bytes, 10);
	close(socket);
	closed(&r);
}

TEST(tap_checksum, is_none_when_the_kernel_left_it_unfinished)
{
	struct tap_world world = tap_world_plain();
	int socket = kernel_udp(WIRE_V4, 0, TAP_OUR_PORT);
	struct rte_mbuf *packet;

	kernel_say(socket, "hi");
	packet = tap_world_receive(&world, 0, TAP_OUR_PORT);
	EXPECT(packet != NULL);
	EXPECT_EQ(PACKET_CHECKSUM_NONE, packet_l4_checksum(packet));
	EXPECT_EQ(PACKET_CHECKSUM_UNKNOWN, packet_ip_checksum(packet));
	EXPECT(!wire_frame_read(packet_span(packet)).checksum_right);
	packet_put(packet);
	close(socket);
	tap_world_close(&world);
}

/** What the port says of a whole TCP segment that came in by out0. */
static enum packet_checksum verdict(struct routed *r)
{
	struct wire_frame frame =
		tap_world_frame_in(&r->world, WIRE_V4, TAP_KERNEL_PORT, TAP_OUR_PORT);
	struct frame_on_wire in = {0};
	enum packet_checksum said;
	struct rte_mbuf *packet;
	struct writer w;

	frame.source = OUTSIDE;
	frame.protocol = IPPROTO_TCP;
	memcpy(frame.to, r->router_mac, 6);
	writer_init(&w, in.bytes, sizeof(in.bytes));
	wire_frame_write(&w, &frame, SPAN("payload"));
	EXPECT(write(r->outside, &in, sizeof(in.header) + writer_len(&w)) > 0);
	packet = tap_world_receive(&r->world, 0, TAP_OUR_PORT);
	EXPECT(packet != NULL);
	said = packet_l4_checksum(packet);
	packet_put(packet);
	return said;
}

TEST(tap_checksum, is_unknown_when_the_kernel_has_not_looked)
{
	struct routed r = opened(0);

	EXPECT_EQ(PACKET_CHECKSUM_UNKNOWN, verdict(&r));
	closed(&r);
}

TEST(tap_checksum, is_good_when_the_kernel_has_checked_it)
{
	struct routed r = opened(IFF_NAPI); /* GRO looks at the checksums of TCP */

	EXPECT_EQ(PACKET_CHECKSUM_GOOD, verdict(&r));
	closed(&r);
}

WIRE_MAIN("tap_checksum", RUN(tap_checksum, is_finished_by_the_kernel_when_we_ask),
	  RUN(tap_checksum, is_sent_as_it_is_when_we_do_not_ask),
	  RUN(tap_checksum, unfinished_is_taken_by_a_kernel_socket),
	  RUN(tap_checksum, is_none_when_the_kernel_left_it_unfinished),
	  RUN(tap_checksum, is_unknown_when_the_kernel_has_not_looked),
	  RUN(tap_checksum, is_good_when_the_kernel_has_checked_it))
