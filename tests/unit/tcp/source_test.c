/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "door_scene.h"

static enum gw_err syn(struct door *door, struct ip_address host)
{
	uint32_t source;

	return source_syn(&door->tcp, &host, &source);
}

/* A SYN whose connection is given up at once. */
static enum gw_err brief(struct door *door, struct ip_address host)
{
	uint32_t source;
	enum gw_err err = source_syn(&door->tcp, &host, &source);

	if (err == GW_OK)
		source_half_open_ended(&door->tcp, source);
	return err;
}

static enum gw_err join(struct door *door, struct ip_address host)
{
	uint32_t source;

	return source_connection(&door->tcp, &host, &source);
}

/* One set of 8 rows. */
static void door_open_narrow(struct door *door)
{
	struct tcp_limits limits = door_limits;

	limits.sources = 8;
	limits.source_half_open = 1;
	limits.source4_connections = limits.source6_connections = 1;
	door_open(door, &limits);
}

TEST(source, has_so_many_half_open_connections_and_no_more)
{
	struct door door;
	uint32_t source = SOURCE_NONE;
	struct ip_address host = door_v4(7);

	door_open(&door, NULL);
	for (uint32_t i = 0; i < 64; i++)
		EXPECT_EQ(GW_OK, source_syn(&door.tcp, &host, &source));
	EXPECT_EQ(GW_TCP_SOURCE_HALF_OPEN, syn(&door, host));
	EXPECT_EQ(GW_OK, syn(&door, door_v4(8)));
	source_half_open_ended(&door.tcp, source);
	EXPECT_EQ(GW_OK, syn(&door, host));
	EXPECT_EQ(GW_TCP_SOURCE_HALF_OPEN, syn(&door, host));
	door_close(&door);
}

TEST(source, has_so_many_connections_and_no_more)
{
	struct door door;
	uint32_t source = SOURCE_NONE;
	struct ip_address host = door_v4(7);

	door_open(&door, NULL);
	for (uint32_t i = 0; i < 4096; i++)
		EXPECT_EQ(GW_OK, source_connection(&door.tcp, &host, &source));
	EXPECT_EQ(GW_TCP_SOURCE_CONNECTIONS, join(&door, host));
	EXPECT_EQ(GW_TCP_SOURCE_CONNECTIONS, syn(&door, host));
	EXPECT_EQ(GW_OK, join(&door, door_v4(8)));
	source_connection_ended(&door.tcp, source);
	EXPECT_EQ(GW_OK, syn(&door, host));
	EXPECT_EQ(GW_OK, join(&door, host));
	EXPECT_EQ(GW_TCP_SOURCE_CONNECTIONS, join(&door, host));
	door_close(&door);
}

TEST(source, is_a_64_bit_prefix_of_ipv6)
{
	struct door door;

	door_open(&door, NULL);
	for (uint32_t i = 0; i < 128; i++)
		EXPECT_EQ(GW_OK, join(&door, door_v6(0x20010db800000001, i * 77777)));
	EXPECT_EQ(GW_TCP_SOURCE_CONNECTIONS, join(&door, door_v6(0x20010db800000001, 1)));
	EXPECT_EQ(GW_OK, join(&door, door_v6(0x20010db800000002, 1)));
	door_close(&door);
}

TEST(source, of_ipv4_is_another_than_one_of_ipv6_with_its_bytes)
{
	struct door door;
	struct ip_address six = door_v6(0, 1);
	struct ip_address four = ip_address_v4((const uint8_t[]){0, 0, 0, 0});

	door_open_narrow(&door);
	EXPECT_EQ(GW_OK, join(&door, six));
	EXPECT_EQ(GW_TCP_SOURCE_CONNECTIONS, join(&door, six));
	EXPECT_EQ(GW_OK, join(&door, four));
	EXPECT_EQ(GW_TCP_SOURCE_CONNECTIONS, join(&door, four));
	door_close(&door);
}

TEST(source, opens_so_many_at_once_and_then_so_many_in_a_second)
{
	struct door door;
	struct ip_address host = door_v4(7);

	door_open(&door, NULL);
	for (uint32_t i = 0; i < 400; i++)
		EXPECT_EQ(GW_OK, brief(&door, host));
	EXPECT_EQ(GW_TCP_SOURCE_RATE, brief(&door, host));
	EXPECT_EQ(GW_OK, brief(&door, door_v4(8)));
	door_wait_ms(&door, 4);
	EXPECT_EQ(GW_TCP_SOURCE_RATE, brief(&door, host));
	door_wait_ms(&door, 1);
	EXPECT_EQ(GW_OK, brief(&door, host));
	EXPECT_EQ(GW_TCP_SOURCE_RATE, brief(&door, host));
	for (uint32_t second = 0; second < 3; second++) {
		door_wait_ms(&door, 1000);
		for (uint32_t i = 0; i < 200; i++)
			EXPECT_EQ(GW_OK, brief(&door, host));
		EXPECT_EQ(GW_TCP_SOURCE_RATE, brief(&door, host));
	}
	door_wait_ms(&door, 86400000ull * 30); /* a month gives no more than a burst */
	for (uint32_t i = 0; i < 400; i++)
		EXPECT_EQ(GW_OK, brief(&door, host));
	EXPECT_EQ(GW_TCP_SOURCE_RATE, brief(&door, host));
	door_close(&door);
}

TEST(source, of_a_cookie_that_comes_back_is_not_asked_its_rate_twice)
{
	struct door door;
	struct ip_address host = door_v4(7);
	uint32_t source;

	door_open(&door, NULL);
	while (brief(&door, host) == GW_OK)
		;
	for (uint32_t i = 0; i < 64; i++)
		EXPECT_EQ(GW_OK, source_cookie_ack(&door.tcp, &host, &source));
	EXPECT_EQ(GW_TCP_SOURCE_HALF_OPEN, source_cookie_ack(&door.tcp, &host, &source));
	for (uint32_t i = 0; i < 4096; i++)
		EXPECT_EQ(GW_OK, join(&door, host));
	source_half_open_ended(&door.tcp, source);
	EXPECT_EQ(GW_TCP_SOURCE_CONNECTIONS, source_cookie_ack(&door.tcp, &host, &source));
	door_close(&door);
}

TEST(source, that_guesses_cookies_is_not_listened_to_until_ten_seconds_are_over)
{
	struct door door;
	struct ip_address host = door_v4(7), other = door_v4(8);

	door_open(&door, NULL);
	for (uint32_t i = 0; i < 100; i++) {
		EXPECT(source_cookie(&door.tcp, &host));
		source_cookie_wrong(&door.tcp, &host);
	}
	EXPECT(!source_cookie(&door.tcp, &host));
	EXPECT(source_cookie(&door.tcp, &other));
	for (uint32_t i = 0; i < 1000; i++)
		source_cookie_wrong(&door.tcp, &host); /* adds nothing, and does not begin anew */
	door_wait_ms(&door, 9999);
	EXPECT(!source_cookie(&door.tcp, &host));
	door_wait_ms(&door, 1);
	EXPECT(source_cookie(&door.tcp, &host));
	source_cookie_wrong(&door.tcp, &host);
	EXPECT(source_cookie(&door.tcp, &host));
	door_close(&door);
}

TEST(source, goes_uncounted_where_all_rows_live_and_nobody_is_locked_out)
{
	struct door door;
	struct ip_address late = door_v4(100);
	uint32_t source[8], none = 0;

	door_open_narrow(&door);
	for (uint32_t i = 0; i < 8; i++) {
		struct ip_address host = door_v4(i);

		EXPECT_EQ(GW_OK, i % 2 == 0 ? source_syn(&door.tcp, &host, &source[i])
					    : source_connection(&door.tcp, &host, &source[i]));
		EXPECT(source[i] < 8);
	}
	for (uint32_t i = 0; i < 10; i++) {
		EXPECT_EQ(GW_OK, source_syn(&door.tcp, &late, &none));
		EXPECT_EQ(SOURCE_NONE, none);
		source_half_open_ended(&door.tcp, none);
		EXPECT_EQ(GW_OK, source_connection(&door.tcp, &late, &none));
		EXPECT_EQ(SOURCE_NONE, none);
		source_connection_ended(&door.tcp, none);
		EXPECT_EQ(GW_OK, source_cookie_ack(&door.tcp, &late, &none));
		EXPECT_EQ(SOURCE_NONE, none);
		source_cookie_wrong(&door.tcp, &late);
		EXPECT(source_cookie(&door.tcp, &late));
	}
	EXPECT_EQ(GW_TCP_SOURCE_HALF_OPEN, syn(&door, door_v4(0)));
	EXPECT_EQ(GW_TCP_SOURCE_CONNECTIONS, join(&door, door_v4(1)));
	source_half_open_ended(&door.tcp, source[4]);
	EXPECT_EQ(GW_OK, source_syn(&door.tcp, &late, &none));
	EXPECT_EQ(source[4], none);
	EXPECT_EQ(GW_TCP_SOURCE_HALF_OPEN, syn(&door, late));
	door_close(&door);
}

TEST(source, that_was_silent_longest_makes_room)
{
	struct door door;

	door_open_narrow(&door);
	for (uint32_t i = 0; i < 8; i++) {
		while (brief(&door, door_v4(i)) == GW_OK)
			;
		door_wait_ms(&door, 1);
	}
	EXPECT_EQ(GW_OK, brief(&door, door_v4(0))); /* 8 ms: one more */
	EXPECT_EQ(GW_OK, brief(&door, door_v4(100)));
	EXPECT_EQ(GW_TCP_SOURCE_RATE, brief(&door, door_v4(0))); /* his row is there still */
	EXPECT_EQ(GW_OK, brief(&door, door_v4(1)));
	EXPECT_EQ(GW_OK, brief(&door, door_v4(1))); /* it was his: he begins with a burst */
	door_close(&door);
}

TEST(source, rows_are_a_power_of_two_and_at_least_one)
{
	struct tcp_limits limits = door_limits;
	struct door door;
	uint32_t source;
	struct ip_address host = door_v4(1);

	limits.sources = 0;
	door_open(&door, &limits);
	EXPECT_EQ(GW_OK, source_syn(&door.tcp, &host, &source));
	EXPECT_EQ(0, source);
	door_close(&door);
	limits.sources = 100;
	door_open(&door, &limits);
	for (uint32_t i = 0; i < 10000; i++) {
		host = door_v4(i);
		EXPECT_EQ(GW_OK, source_syn(&door.tcp, &host, &source));
		EXPECT(source == SOURCE_NONE || source < 128);
	}
	door_close(&door);
}

TEST(source, that_ends_more_than_it_has_is_a_broken_invariant)
{
	struct door door;
	struct ip_address host = door_v4(1);
	uint32_t source;

	door_open(&door, NULL);
	EXPECT_EQ(GW_OK, source_syn(&door.tcp, &host, &source));
	source_half_open_ended(&door.tcp, source);
	EXPECT_EQ(0, counter_read(&door.counters.invariant_broken));
	source_half_open_ended(&door.tcp, source);
	source_connection_ended(&door.tcp, source);
	source_half_open_ended(&door.tcp, 256);
	source_connection_ended(&door.tcp, 256);
	EXPECT_EQ(4, counter_read(&door.counters.invariant_broken));
	counter_sub(&door.counters.invariant_broken, 4);
	door_close(&door);
}

TEST_MAIN("source", RUN(source, has_so_many_half_open_connections_and_no_more),
	  RUN(source, has_so_many_connections_and_no_more), RUN(source, is_a_64_bit_prefix_of_ipv6),
	  RUN(source, of_ipv4_is_another_than_one_of_ipv6_with_its_bytes),
	  RUN(source, opens_so_many_at_once_and_then_so_many_in_a_second),
	  RUN(source, of_a_cookie_that_comes_back_is_not_asked_its_rate_twice),
	  RUN(source, that_guesses_cookies_is_not_listened_to_until_ten_seconds_are_over),
	  RUN(source, goes_uncounted_where_all_rows_live_and_nobody_is_locked_out),
	  RUN(source, that_was_silent_longest_makes_room),
	  RUN(source, rows_are_a_power_of_two_and_at_least_one),
	  RUN(source, that_ends_more_than_it_has_is_a_broken_invariant))
