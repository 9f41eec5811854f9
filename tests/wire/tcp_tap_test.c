/* SPDX-License-Identifier: BSD-3-Clause */
#include <unistd.h>

#include "eal.h"
#include "tcp_world.h"
#include "test.h"

/*
 * Two workers over a TAP port, and the kernel's TCP at the other end: whose a connection is,
 * whichever queue its segments come to.
 */
#define EACH 200u

/** Segments that had to be handed on, in thousandths of all: TCP.md 9's alarm is at one. */
static uint64_t misdirected(const struct tcp_wire *wire)
{
	EXPECT(TCP_WIRE_COUNTER(wire, tcp_in) > 0);
	return 1000 * TCP_WIRE_COUNTER(wire, tcp_misdirected) / TCP_WIRE_COUNTER(wire, tcp_in);
}

/** Both have had a part of them, as chance has it: of 1,000, 500 and 6 standard deviations. */
static void expect_spread(const struct tcp_wire *wire, uint32_t all)
{
	EXPECT_EQ(all, wire->worker[0].accepted + wire->worker[1].accepted);
	EXPECT(wire->worker[0].accepted > all * 2 / 5);
	EXPECT(wire->worker[1].accepted > all * 2 / 5);
}

static void check_incoming(enum wire_family family)
{
	struct tcp_wire *wire = tcp_wire_open(TCP_STEER_PROGRAM);

	tcp_wire_from_kernel(wire, family, TCP_SOCKETS);
	expect_spread(wire, TCP_SOCKETS);
	EXPECT_EQ(0, misdirected(wire));
	EXPECT_EQ(0, TCP_WIRE_COUNTER(wire, tcp_misdirected));
	tcp_wire_close(wire);
}

TEST(tcp_tap, spreads_1000_connections_of_the_kernel_by_the_queue_alone)
{
	check_incoming(WIRE_V4);
	check_incoming(WIRE_V6);
}

static void check_outgoing(enum wire_family family)
{
	struct tcp_wire *wire = tcp_wire_open(TCP_STEER_PROGRAM);

	tcp_wire_to_kernel(wire, family, EACH);
	for (uint16_t w = 0; w < TCP_WORKERS; w++) {
		EXPECT_EQ(EACH, wire->worker[w].connected);
		EXPECT_EQ(EACH, wire->worker[w].echoed);
	}
	EXPECT_EQ(0, TCP_WIRE_COUNTER(wire, tcp_misdirected));
	tcp_wire_close(wire);
}

TEST(tcp_tap, brings_answers_to_the_worker_who_has_asked_by_the_queue_alone)
{
	check_outgoing(WIRE_V4);
	check_outgoing(WIRE_V6);
}

/* The kernel then spreads by a hash of its own, and follows the queues that we send by. */
static void check_both_ways(enum tcp_steering steering, enum wire_family family)
{
	struct tcp_wire *wire = tcp_wire_open(steering);

	tcp_wire_from_kernel(wire, family, TCP_SOCKETS - 2 * EACH);
	expect_spread(wire, TCP_SOCKETS - 2 * EACH);
	tcp_wire_to_kernel(wire, family, EACH);
	for (uint16_t w = 0; w < TCP_WORKERS; w++)
		EXPECT_EQ(EACH, wire->worker[w].echoed);
	EXPECT(TCP_WIRE_COUNTER(wire, net_handed_in) > 0);
	EXPECT((steering == TCP_STEER_TOLD) == (misdirected(wire) > 0));
	tcp_wire_close(wire);
}

TEST(tcp_tap, serves_all_by_the_ring_and_counts_them_when_the_device_does_not_what_it_says)
{
	check_both_ways(TCP_STEER_TOLD, WIRE_V4);
	check_both_ways(TCP_STEER_TOLD, WIRE_V6);
}

TEST(tcp_tap, serves_all_by_the_ring_when_the_device_says_nothing)
{
	check_both_ways(TCP_STEER_SILENT, WIRE_V4);
	check_both_ways(TCP_STEER_SILENT, WIRE_V6);
}

#define ALONE 50u

/* One at a time and a pause: who is asleep has to be woken for each, by the device or by the other.
 * If he is not, the kernel sends it again; a busy machine may have that happen now and then. */
TEST(tcp_tap, wakes_workers_that_sleep)
{
	struct tcp_wire *wire = tcp_wire_open(TCP_STEER_SILENT);

	tcp_wire_threads(wire);
	for (uint32_t i = 0; i < ALONE; i++) {
		tcp_wire_from_kernel(wire, i % 2 == 0 ? WIRE_V4 : WIRE_V6, 1);
		usleep(20000);
	}
	EXPECT(tcp_wire_kernel_retransmits(wire) < ALONE / 2);
	tcp_wire_from_kernel(wire, WIRE_V4, 400);
	tcp_wire_join(wire);
	EXPECT_EQ(ALONE + 400, wire->worker[0].accepted + wire->worker[1].accepted);
	for (uint16_t w = 0; w < TCP_WORKERS; w++)
		EXPECT(wire->worker[w].accepted > 0 && wire->worker[w].sleeps > 0);
	EXPECT(TCP_WIRE_COUNTER(wire, net_handed_in) > 0);
	tcp_wire_close(wire);
}

WIRE_MAIN("tcp_tap", RUN(tcp_tap, spreads_1000_connections_of_the_kernel_by_the_queue_alone),
	  RUN(tcp_tap, brings_answers_to_the_worker_who_has_asked_by_the_queue_alone),
	  RUN(tcp_tap,
	      serves_all_by_the_ring_and_counts_them_when_the_device_does_not_what_it_says),
	  RUN(tcp_tap, serves_all_by_the_ring_when_the_device_says_nothing),
	  RUN(tcp_tap, wakes_workers_that_sleep))
