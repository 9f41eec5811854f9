/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "door_scene.h"

#define TUPLES 100000u
#define RANGE (60999u - 32768u + 1)
#define HALVES 32u

static struct tcp_ends ends_to(uint32_t host, uint16_t local_port)
{
	return (struct tcp_ends){door_v4(0xc6120001), door_v4(host), local_port, 5060};
}

static struct tcp_ends ends6_to(uint64_t host, uint16_t local_port)
{
	return (struct tcp_ends){door_v6(0xfd00001800000000, 1), door_v6(0xfd00001800000001, host),
				 local_port, 5060};
}

/* ---- ISN
 * -----------------------------------------------------------------------------------------
 */

TEST(isn, of_the_same_ends_goes_on_with_the_clock)
{
	struct door door;
	struct tcp_ends ends = ends_to(7, 4000);
	uint32_t before, first;

	door_open(&door, NULL);
	first = before = secret_isn(&door.tcp, &ends);
	for (uint32_t i = 0; i < 1000; i++) {
		door_wait_ms(&door, 1);
		EXPECT_EQ(250, secret_isn(&door.tcp, &ends) - before);
		before = secret_isn(&door.tcp, &ends);
	}
	door.clock.now_us += 4ull << 32; /* once round */
	EXPECT_EQ(first + 250000, secret_isn(&door.tcp, &ends));
	door_close(&door);
}

/* Chi-square of each byte over its 256 values: 255 degrees of freedom, 5 sigma is 368. */
static void expect_flat(const uint32_t *values, uint32_t n)
{
	for (uint32_t shift = 0; shift < 32; shift += 8) {
		uint32_t seen[256] = {0};
		double sum = 0, expected = n / 256.0;

		for (uint32_t i = 0; i < n; i++)
			seen[values[i] >> shift & 255]++;
		for (uint32_t v = 0; v < 256; v++)
			sum += (seen[v] - expected) * (seen[v] - expected) / expected;
		EXPECT(sum < 368);
		EXPECT(sum > 150);
	}
}

TEST(isn, of_other_ends_says_nothing_of_ours)
{
	static uint32_t isn[TUPLES], step[TUPLES - 1];
	struct door door;

	door_open(&door, NULL);
	for (uint32_t i = 0; i < TUPLES; i++) {
		struct tcp_ends ends = ends_to(i / 50000 + 1, (uint16_t)(i % 50000));

		isn[i] = secret_isn(&door.tcp, &ends);
	}
	for (uint32_t i = 0; i + 1 < TUPLES; i++)
		step[i] = isn[i + 1] - isn[i];
	expect_flat(isn, TUPLES);
	expect_flat(step, TUPLES - 1);
	door_close(&door);
}

TEST(isn, of_another_run_of_the_process_is_another)
{
	struct door door;
	struct tcp_ends ends = ends_to(7, 4000);
	uint32_t first;

	door_open(&door, NULL);
	first = secret_isn(&door.tcp, &ends);
	secret_init(&door.tcp);
	EXPECT(first != secret_isn(&door.tcp, &ends));
	door_close(&door);
}

TEST(timestamps, begin_elsewhere_for_other_ends_and_stand_for_the_same)
{
	static uint32_t offset[TUPLES];
	struct door door;

	door_open(&door, NULL);
	for (uint32_t i = 0; i < TUPLES; i++) {
		struct tcp_ends ends = ends6_to(i, 443);

		offset[i] = secret_ts_offset(&door.tcp, &ends);
		door_wait_ms(&door, 1);
		EXPECT_EQ(offset[i], secret_ts_offset(&door.tcp, &ends));
		EXPECT(offset[i] !=
		       secret_isn(&door.tcp, &ends) - (uint32_t)(tcp_now_us(&door.tcp) / 4));
	}
	expect_flat(offset, TUPLES);
	door_close(&door);
}

TEST(secrets, are_all_different_ones)
{
	struct door door;
	const struct tcp_secrets *s = &door.tcp.secrets;
	const uint8_t *all[] = {s->isn,	   s->ts,	 s->port,     s->table,
				s->source, s->cookie[0], s->cookie[1]};

	door_open(&door, NULL);
	for (uint32_t i = 0; i < 7; i++)
		for (uint32_t k = 0; k < i; k++)
			EXPECT(memcmp(all[i], all[k], 16) != 0);
	door_close(&door);
}

/* ---- ports
 * ---------------------------------------------------------------------------------------
 */

/* The connections whose ends are taken, of a table as tcp.c has one. */
struct taken {
	struct tcp_ends ends[RANGE];
	uint32_t count;
};

static void door_connections(struct door *door, struct taken *taken)
{
	struct tcp_table_config config = {.capacity = RANGE,
					  .base = taken->ends,
					  .stride = sizeof(taken->ends[0])};

	taken->count = 0;
	door->tcp.table = tcp_table_new(&config);
	EXPECT(door->tcp.table != NULL);
}

static void take(struct door *door, struct taken *taken, const struct tcp_ends *ends)
{
	taken->ends[taken->count] = *ends;
	EXPECT(tcp_table_add(door->tcp.table, taken->count++));
}

TEST(port, brings_answers_to_our_worker_for_every_peer)
{
	static struct taken taken;
	struct door door;

	door_open(&door, NULL);
	door_connections(&door, &taken);
	door.workers = 16;
	for (uint32_t i = 0; i < TUPLES; i++) {
		struct tcp_ends ends = i % 2 == 0 ? ends_to(i, 0) : ends6_to(i, 0);

		door.tcp.config.net.worker = (uint16_t)(i / 2 % 16);
		EXPECT_EQ(GW_OK, secret_port(&door.tcp, &ends));
		EXPECT(ends.local_port >= 32768 && ends.local_port <= 60999);
		EXPECT_EQ(i / 2 % 16,
			  door.tcp.config.link->worker(&door, &ends.local, ends.local_port,
						       &ends.remote, ends.remote_port));
	}
	tcp_table_free(door.tcp.table);
	door_close(&door);
}

TEST(port, is_each_of_the_range_once_and_then_there_is_none)
{
	static struct taken taken;
	static uint8_t seen[65536];
	struct door door;
	struct tcp_ends ends = ends_to(7, 0);

	door_open(&door, NULL);
	door_connections(&door, &taken);
	memset(seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < RANGE; i++) {
		EXPECT_EQ(GW_OK, secret_port(&door.tcp, &ends));
		EXPECT_EQ(0, seen[ends.local_port]++);
		take(&door, &taken, &ends);
		ends.local_port = 0;
		if (i > 100) /* or each begins where all are taken: a minute of looking */
			door.clock.now_us += 1 << 16;
	}
	EXPECT_EQ(GW_POOL_EMPTY, secret_port(&door.tcp, &ends));
	EXPECT_EQ(0, ends.local_port);
	ends = ends_to(8, 0); /* another peer has all of them */
	EXPECT_EQ(GW_OK, secret_port(&door.tcp, &ends));
	tcp_table_free(door.tcp.table);
	door_close(&door);
}

TEST(port, is_none_where_the_device_brings_none_to_us)
{
	static struct taken taken;
	struct door door;
	struct tcp_ends ends = ends_to(7, 0);

	door_open(&door, NULL);
	door_connections(&door, &taken);
	door.tcp.config.net.worker = 1; /* of 1 */
	EXPECT_EQ(GW_POOL_EMPTY, secret_port(&door.tcp, &ends));
	tcp_table_free(door.tcp.table);
	door_close(&door);
}

/* All of the range are taken but wanted's, so that it is the one that is asked for. */
static enum gw_err only(struct door *door, struct taken *taken, uint16_t wanted)
{
	struct tcp_ends ends;
	enum gw_err err;

	door_connections(door, taken);
	for (uint32_t port = 32768; port <= 60999; port++) {
		ends = ends_to(7, (uint16_t)port);
		if (port != wanted)
			take(door, taken, &ends);
	}
	ends = ends_to(7, 0);
	err = secret_port(&door->tcp, &ends);
	if (err == GW_OK)
		EXPECT_EQ(wanted, ends.local_port);
	tcp_table_free(door->tcp.table);
	return err;
}

TEST(port, is_none_that_is_steered_to_a_worker)
{
	static struct taken taken;
	struct door door;

	door_open(&door, NULL);
	door.tcp.config.steer_base = 40000;
	door.tcp.config.workers = 4;
	EXPECT_EQ(GW_OK, only(&door, &taken, 39999));
	EXPECT_EQ(GW_POOL_EMPTY, only(&door, &taken, 40000));
	EXPECT_EQ(GW_POOL_EMPTY, only(&door, &taken, 40003));
	EXPECT_EQ(GW_OK, only(&door, &taken, 40004));
	door_close(&door);
}

TEST(port, is_none_of_a_listener)
{
	static struct taken taken;
	struct door door;

	door_open(&door, NULL);
	EXPECT_EQ(GW_OK, only(&door, &taken, 50443));
	EXPECT(endpoint_parse(SPAN("[fd00:18::1]:50443"), &door.tcp.listener[1].local));
	door.tcp.listeners = 2;
	EXPECT_EQ(GW_POOL_EMPTY, only(&door, &taken, 50443));
	door_close(&door);
}

TEST(port, is_none_that_waits_after_its_end)
{
	static struct taken taken;
	struct tcb tcb = {.ends = ends_to(7, 50000)};
	struct door door;

	door_open(&door, NULL);
	time_wait_add(&door.tcp, &tcb);
	EXPECT_EQ(GW_POOL_EMPTY, only(&door, &taken, 50000));
	door_live_ms(&door, 60000);
	EXPECT_EQ(GW_OK, only(&door, &taken, 50000));
	door_close(&door);
}

TEST(port, of_one_peer_comes_again_after_half_an_hour)
{
	static struct taken taken;
	struct door door;
	struct tcp_ends first = ends_to(7, 0), ends;

	door_open(&door, NULL);
	door_connections(&door, &taken);
	EXPECT_EQ(GW_OK, secret_port(&door.tcp, &first));
	for (uint32_t i = 0; i < 1800; i++) {
		door_wait_ms(&door, 1000);
		ends = ends_to(7, 0);
		EXPECT_EQ(GW_OK, secret_port(&door.tcp, &ends));
		EXPECT(ends.local_port != first.local_port);
	}
	tcp_table_free(door.tcp.table);
	door_close(&door);
}

TEST(port, of_other_peers_is_spread_over_the_range)
{
	static struct taken taken;
	uint32_t half[HALVES] = {0};
	struct door door;

	door_open(&door, NULL);
	door_connections(&door, &taken);
	for (uint32_t i = 0; i < 32000; i++) {
		struct tcp_ends ends = ends_to(i, 0);

		EXPECT_EQ(GW_OK, secret_port(&door.tcp, &ends));
		half[(ends.local_port - 32768u) * HALVES / RANGE]++;
	}
	for (uint32_t i = 0; i < HALVES; i++)
		EXPECT(half[i] > 800 && half[i] < 1200);
	tcp_table_free(door.tcp.table);
	door_close(&door);
}

TEST_MAIN("secret", RUN(isn, of_the_same_ends_goes_on_with_the_clock),
	  RUN(isn, of_other_ends_says_nothing_of_ours),
	  RUN(isn, of_another_run_of_the_process_is_another),
	  RUN(timestamps, begin_elsewhere_for_other_ends_and_stand_for_the_same),
	  RUN(secrets, are_all_different_ones),
	  RUN(port, brings_answers_to_our_worker_for_every_peer),
	  RUN(port, is_each_of_the_range_once_and_then_there_is_none),
	  RUN(port, is_none_where_the_device_brings_none_to_us),
	  RUN(port, is_none_that_is_steered_to_a_worker), RUN(port, is_none_of_a_listener),
	  RUN(port, is_none_that_waits_after_its_end),
	  RUN(port, of_one_peer_comes_again_after_half_an_hour),
	  RUN(port, of_other_peers_is_spread_over_the_range))
