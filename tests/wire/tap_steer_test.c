/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"
#include "tap_twin.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Steering as the kernel does it. Everything here needs bpf(2): where the port says that it does
 * not steer, the tests are skipped.
 */
#define QUEUES 4
static void spread(enum wire_family family, uint8_t protocol)
{
	struct tap_world world = twin_world(QUEUES);
	struct twin_came came[QUEUES] = {0};
	int raw = kernel_raw(TAP_NAME);

	for (uint16_t flow = 0; flow < 256; flow++) {
		struct wire_frame frame =
			tap_world_frame_in(&world, family, 20000 + flow * 7, TAP_OUR_PORT);

		frame.protocol = protocol;
		kernel_raw_send(raw, &frame);
		if (flow % TWIN_CHUNK == 0)
			twin_collect(&world, came);
	}
	twin_collect(&world, came);
	twin_expect(came, QUEUES, 256);
	for (uint16_t q = 0; q < QUEUES; q++)
		EXPECT(came[q].right >= 32 && came[q].right <= 96);
	close(raw);
	tap_world_close(&world);
}

TEST(tap_steering, spreads_256_flows_over_all_queues)
{
	spread(WIRE_V4, IPPROTO_UDP);
	spread(WIRE_V4, IPPROTO_TCP);
	spread(WIRE_V6, IPPROTO_UDP);
	spread(WIRE_V6, IPPROTO_TCP);
}

/** Packets for queue q alone, which must all be in queue q. */
static void expect_in(struct tap_world *world, uint16_t q, uint32_t count)
{
	struct twin_came came[QUEUES] = {0};

	twin_collect(world, came);
	EXPECT_EQ(count, came[q].right);
	twin_expect(came, QUEUES, count);
}

TEST(tap_steering, brings_10000_of_10000_datagrams_to_the_queue_their_port_names)
{
	struct tap_world world = twin_world(QUEUES);
	int socket[2][QUEUES];

	for (uint16_t q = 0; q < QUEUES; q++) {
		socket[0][q] = kernel_udp(WIRE_V4, 0, TAP_STEER_BASE + q);
		socket[1][q] = kernel_udp(WIRE_V6, 0, TAP_STEER_BASE + q);
	}
	for (uint32_t sent = 0; sent < 10000; sent += 50) {
		uint16_t q = sent / 50 % QUEUES;

		for (uint32_t i = 0; i < 50; i++)
			EXPECT_EQ(4, send(socket[i % 2][q], "SIP/", 4, 0));
		expect_in(&world, q, 50);
	}
	for (uint16_t q = 0; q < QUEUES; q++) {
		close(socket[0][q]);
		close(socket[1][q]);
	}
	tap_world_close(&world);
}

static void expect_steered(struct tap_world *world, int raw, uint16_t vlan)
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_TCP};

	for (uint32_t i = 0; i < 4 * QUEUES; i++) {
		struct wire_frame frame =
			tap_world_frame_in(world, i & 1 ? WIRE_V6 : WIRE_V4, (uint16_t)(1024 + i),
					   (uint16_t)(TAP_STEER_BASE + i / 4));

		frame.protocol = protocols[i >> 1 & 1];
		frame.vlan = vlan;
		kernel_raw_send(raw, &frame);
		expect_in(world, (uint16_t)(i / 4), 1);
	}
}

TEST(tap_steering, steers_tcp_and_udp_of_both_families_with_and_without_a_vlan_tag)
{
	struct tap_world world = twin_world(QUEUES);
	int raw = kernel_raw(TAP_NAME);

	expect_steered(&world, raw, 0);
	expect_steered(&world, raw, 5);
	close(raw);
	tap_world_close(&world);
}

TEST(tap_steering, gives_fragments_and_arp_to_queue_0)
{
	struct tap_world world = twin_world(QUEUES);
	int socket = kernel_udp(WIRE_V4, 0, TAP_STEER_BASE + 2);
	int socket_6 = kernel_udp(WIRE_V6, 0, TAP_STEER_BASE + 3);
	static const uint8_t large[3000];

	EXPECT_EQ(sizeof(large), send(socket, large, sizeof(large), 0));
	expect_in(&world, 0, 3);
	EXPECT_EQ(sizeof(large), send(socket_6, large, sizeof(large), 0));
	expect_in(&world, 0, 3);
	kernel_run("ip neigh del 198.18.0.%u dev " TAP_NAME, WIRE_PORT);
	EXPECT_EQ(1, send(socket, large, 1, 0));
	expect_in(&world, 0, 1); /* who has 198.18.0.2? */
	close(socket);
	close(socket_6);
	tap_world_close(&world);
}

/** Toeplitz as the TCP layer will have it: from what info says and nothing else. */
static uint16_t queue_by_rss(const struct port_rss *rss, struct span flow)
{
	uint8_t key[TAP_STEER_KEY];

	EXPECT_EQ(sizeof(key), rss->key_len);
	memcpy(key, rss->key, sizeof(key));
	return rss->reta[tap_steer_hash(key, flow) % rss->reta_size];
}

TEST(tap_steering, lets_us_choose_a_source_port_whose_answers_come_to_our_queue)
{
	struct tap_world world = twin_world(3);
	struct twin_came came[3] = {0};
	uint32_t expected[3] = {0};
	int raw = kernel_raw(TAP_NAME);

	for (uint16_t port = 30000; port < 30100; port++) {
		struct wire_frame answer = tap_world_frame_in(&world, WIRE_V4, 5061, port);
		uint8_t flow[12] = {
			198,	   18,	      0,	  WIRE_KERNEL,		198,	      18, 0,
			WIRE_PORT, 5061 >> 8, 5061 & 255, (uint8_t)(port >> 8), (uint8_t)port};

		answer.protocol = IPPROTO_TCP;
		kernel_raw_send(raw, &answer);
		expected[queue_by_rss(&world.info.rss, span_of(flow, sizeof(flow)))]++;
	}
	twin_collect(&world, came);
	for (uint16_t q = 0; q < 3; q++)
		EXPECT_EQ(expected[q], came[q].right);
	close(raw);
	tap_world_close(&world);
}

TEST(tap_steering, is_not_claimed_when_the_kernel_refuses_the_program)
{
	struct port_config config = tap_world_config(2);
	struct tap_world world = tap_world_open(&config);
	struct tap_steer steer = twin_of(2);
	int program = tap_steer_load(&steer);

	EXPECT_EQ(program >= 0, world.info.steers);
	EXPECT_EQ(program >= 0 ? TAP_STEER_ROWS : 0, world.info.rss.reta_size);
	if (program >= 0)
		close(program);
	else
		EXPECT_EQ(EPERM, errno);
	tap_world_close(&world);
}

WIRE_MAIN("tap_steering", RUN(tap_steering, spreads_256_flows_over_all_queues),
	  RUN(tap_steering, brings_10000_of_10000_datagrams_to_the_queue_their_port_names),
	  RUN(tap_steering, steers_tcp_and_udp_of_both_families_with_and_without_a_vlan_tag),
	  RUN(tap_steering, gives_fragments_and_arp_to_queue_0),
	  RUN(tap_steering, lets_us_choose_a_source_port_whose_answers_come_to_our_queue),
	  RUN(tap_steering, is_not_claimed_when_the_kernel_refuses_the_program))
