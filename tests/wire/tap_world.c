/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap_world.h"

#include <netinet/in.h>
#include <poll.h>

#include "test.h"

static const uint8_t our_mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};

struct port_config tap_world_config(uint16_t queues)
{
	struct port_config config = {.name = "access",
				     .device = "tap:" TAP_NAME,
				     .queues = queues,
				     .steer_base = TAP_STEER_BASE,
				     .rx_packets = 512};

	memcpy(config.own_mac, our_mac, sizeof(our_mac));
	for (uint32_t i = 0; i < sizeof(config.secret); i++)
		config.secret[i] = (uint8_t)(i * 167 + 41);
	return config;
}

static void drain(struct tap_world *world)
{
	struct rte_mbuf *packet;

	for (uint16_t q = 0; q < world->info.queues; q++)
		while (port_tap.rx_burst(world->port, q, &packet, 1) == 1)
			packet_put(packet);
}

struct tap_world tap_world_open(const struct port_config *config)
{
	struct tap_world world = {0};
	char why[PORT_WHY_MAX] = "";

	/* so that nothing is said unasked */
	kernel_run("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
	if (port_tap.open(config, &world.port, why) != GW_OK ||
	    port_tap.start(world.port, &world.info, why) != GW_OK)
		fail_msg("%s", why);
	kernel_end_mac(TAP_NAME, world.kernel_mac);
	kernel_end_up(TAP_NAME, WIRE_V4, world.info.mac);
	world.pool = packet_pool_new("wire", 512, 0, -1);
	EXPECT(world.pool != NULL);
	drain(&world);
	return world;
}

struct tap_world tap_world_plain(void)
{
	struct port_config config = tap_world_config(1);

	return tap_world_open(&config);
}

void tap_world_add_v6(struct tap_world *world)
{
	kernel_end_up(TAP_NAME, WIRE_V6, world->info.mac);
}

void tap_world_close(struct tap_world *world)
{
	EXPECT_EQ(0, packet_pool_live(world->pool));
	packet_pool_free(world->pool);
	port_tap.close(world->port);
}

struct rte_mbuf *tap_world_receive(struct tap_world *world, uint16_t queue, uint16_t port)
{
	struct pollfd wait = {.fd = port_tap.wait_fd(world->port, queue), .events = POLLIN};
	struct rte_mbuf *packet;

	for (int i = 0; i < 1000; i++) {
		if (port_tap.rx_burst(world->port, queue, &packet, 1) == 0) {
			if (poll(&wait, 1, 1000) != 1)
				return NULL;
			continue;
		}
		if (wire_frame_read(packet_span(packet)).destination_port == port)
			return packet;
		packet_put(packet);
	}
	return NULL;
}

struct wire_frame tap_world_frame(const struct tap_world *world, enum wire_family family,
				  uint16_t source_port, uint16_t destination_port)
{
	struct wire_frame frame = {.family = family,
				   .protocol = IPPROTO_UDP,
				   .source = WIRE_PORT,
				   .destination = WIRE_KERNEL,
				   .source_port = source_port,
				   .destination_port = destination_port};

	memcpy(frame.from, world->info.mac, 6);
	memcpy(frame.to, world->kernel_mac, 6);
	return frame;
}

struct wire_frame tap_world_frame_in(const struct tap_world *world, enum wire_family family,
				     uint16_t source_port, uint16_t destination_port)
{
	struct wire_frame frame = tap_world_frame(world, family, source_port, destination_port);

	memcpy(frame.to, world->info.mac, 6);
	memcpy(frame.from, world->kernel_mac, 6);
	frame.source = WIRE_KERNEL;
	frame.destination = WIRE_PORT;
	return frame;
}

struct rte_mbuf *tap_world_packet(struct tap_world *world, const struct wire_frame *frame,
				  struct span payload)
{
	uint8_t bytes[WIRE_FRAME_MAX];
	struct rte_mbuf *packet;
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	wire_frame_write(&w, frame, payload);
	EXPECT(writer_ok(&w));
	packet = packet_copy(world->pool, writer_span(&w));
	EXPECT(packet != NULL);
	return packet;
}

struct port_counters tap_world_counters(const struct tap_world *world, uint16_t queue)
{
	struct port_counters counters;

	port_tap.counters(world->port, queue, &counters);
	return counters;
}

struct rte_mbuf *tap_world_datagram(struct tap_world *world)
{
	struct wire_frame frame = tap_world_frame(world, WIRE_V4, TAP_OUR_PORT, TAP_KERNEL_PORT);

	return tap_world_packet(world, &frame, SPAN("hello"));
}

uint16_t tap_world_send(struct tap_world *world, struct rte_mbuf *packet)
{
	return port_tap.tx_burst(world->port, 0, &packet, 1);
}

bool tap_world_readable(struct tap_world *world)
{
	struct pollfd wait = {.fd = port_tap.wait_fd(world->port, 0), .events = POLLIN};

	return poll(&wait, 1, 0) == 1;
}
