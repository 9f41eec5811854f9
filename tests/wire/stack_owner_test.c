/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"
#include "stack_client.h"

#include <unistd.h>

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

/*
 * What worker 0 does for all, over a TAP port with four queues: fragments, pings and questions for
 * our hardware address are his from whichever queue they come.
 */
#define QUEUES 4u

/** 3,000 bytes to worker 2: put together by worker 0, whose queue ever it came to. */
static void expect_reassembled(struct stack_world *world, enum wire_family family, uint32_t before)
{
	struct stack_client client;
	uint32_t number;

	stack_client_open(&client, world, family, 1);
	number = stack_client_send(&client, 0, STACK_STEER_BASE + 2, 3000);
	stack_client_await(&client, 0);
	EXPECT_EQ(2, stack_world_who(world, number));
	EXPECT_EQ(before + 1, STACK_COUNTER(world, 0, net_reassembled));
	EXPECT_EQ(3 * (before + 1), STACK_COUNTER(world, 0, net_fragments_in));
	EXPECT_EQ(before + 1, STACK_COUNTER(world, 2, net_handed_in));
	EXPECT_EQ(3 * (before + 1), STACK_COUNTER(world, 2, net_fragments_out));
	EXPECT_EQ(3 * (before + 1), stack_world_sent(world, 2));
	stack_client_close(&client);
}

static void reassemble(enum stack_steering steering)
{
	struct stack_world *world = stack_world_open(QUEUES, steering);

	expect_reassembled(world, WIRE_V4, 0);
	expect_reassembled(world, WIRE_V6, 1);
	for (uint16_t w = 1; w < STACK_WORKERS; w++)
		EXPECT_EQ(0, STACK_COUNTER(world, w, net_fragments_in));
	if (steering == STACK_STEER_LAST) /* which has counted its own part: the way to worker 0 */
		EXPECT_EQ(6, STACK_COUNTER(world, STACK_WORKERS - 1, net_handed_out));
	stack_world_close(world);
}

TEST(stack_owner, reassembles_what_the_program_brings_him)
{
	reassemble(STACK_STEER_PROGRAM);
}

TEST(stack_owner, reassembles_what_comes_to_any_queue)
{
	reassemble(STACK_STEER_KERNEL);
}

TEST(stack_owner, reassembles_what_comes_to_another_workers_queue)
{
	reassemble(STACK_STEER_LAST);
}

/** Of the next message that the socket has; -1: none. */
static int icmp_type(int raw, enum wire_family family)
{
	uint32_t header = family == WIRE_V4 ? 20 : 0; /* such a socket gives IPv4's too */
	uint8_t bytes[1500];
	ssize_t n = recv(raw, bytes, sizeof(bytes), MSG_DONTWAIT);

	return n > (ssize_t)header ? bytes[header] : -1;
}

/** An echo request of the kernel's end, and its answer. */
static void ping(struct stack_world *world, enum wire_family family)
{
	static const uint8_t request_4[8] = {ICMP_ECHO, 0, 0xf7, 0xff};
	static const uint8_t request_6[8] = {ICMP6_ECHO_REQUEST}; /* the kernel sums it up */
	int raw = family == WIRE_V4 ? socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)
				    : socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	int answer = family == WIRE_V4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY, type = -1;
	struct sockaddr_storage to;
	socklen_t length = kernel_host(&to, family, WIRE_PORT, 0);

	EXPECT_EQ(8, sendto(raw, family == WIRE_V4 ? request_4 : request_6, 8, 0,
			    (struct sockaddr *)&to, length));
	for (uint32_t i = 0; i < 1000 && type != answer; i++) {
		stack_world_turn(world);
		type = icmp_type(raw, family);
	}
	EXPECT_EQ(answer, type);
	close(raw);
}

/** The kernel's end has to ask who we are before it can say a word to worker 3. */
static void ask(struct stack_world *world, enum wire_family family)
{
	struct stack_client client;

	kernel_run("ip neigh del %s%u dev " TAP_NAME,
		   family == WIRE_V4 ? "198.18.0." : "fd00:18::", WIRE_PORT);
	stack_client_open(&client, world, family, 1);
	stack_client_send(&client, 0, STACK_STEER_BASE + 3, 64);
	stack_client_await(&client, 0);
	stack_client_close(&client);
}

static void be_asked(enum stack_steering steering)
{
	struct stack_world *world = stack_world_open(QUEUES, steering);

	ping(world, WIRE_V4);
	ping(world, WIRE_V6);
	ask(world, WIRE_V4);
	ask(world, WIRE_V6);
	EXPECT_EQ(2, STACK_COUNTER(world, 0, net_icmp_in));
	EXPECT_EQ(2, STACK_COUNTER(world, 0, net_icmp_out));
	EXPECT_EQ(1, STACK_COUNTER(world, 0, net_arp_in));
	EXPECT_EQ(1, STACK_COUNTER(world, 0, net_ndp_in));
	for (uint16_t w = 1; w < STACK_WORKERS; w++)
		EXPECT_EQ(w == 3, stack_world_sent(world, w) > 0);
	EXPECT_EQ(steering == STACK_STEER_LAST ? 4 : 0, STACK_COUNTER(world, 0, net_handed_in));
	stack_world_close(world);
}

TEST(stack_owner, answers_pings_and_questions_that_the_program_brings_him)
{
	be_asked(STACK_STEER_PROGRAM);
}

TEST(stack_owner, answers_pings_and_questions_to_another_workers_queue)
{
	be_asked(STACK_STEER_LAST);
}

WIRE_MAIN("stack_owner", RUN(stack_owner, reassembles_what_the_program_brings_him),
	  RUN(stack_owner, reassembles_what_comes_to_any_queue),
	  RUN(stack_owner, reassembles_what_comes_to_another_workers_queue),
	  RUN(stack_owner, answers_pings_and_questions_that_the_program_brings_him),
	  RUN(stack_owner, answers_pings_and_questions_to_another_workers_queue))
