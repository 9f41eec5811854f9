/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcpsim.h"

#include "test.h"

/* The model of the network and of seeds: a simulator whose network does nothing finds nothing. */

static struct world *world_new(void)
{
	struct world *world = calloc(1, sizeof(*world));

	EXPECT(world != NULL);
	for (uint8_t i = 0; i < HOSTS; i++) {
		const uint8_t v4[4] = {198, 18, 0, (uint8_t)(i + 1)};

		world->plan.path[i].delay_us = 1000;
		world->host[i].address[0] = ip_address_v4(v4);
	}
	return world;
}

static void world_begin(struct world *world)
{
	path_open(world, 0);
	path_open(world, 1);
}

static void world_end(struct world *world)
{
	flights_free(&world->flights);
	free(world);
}

static const struct tcp_packet data_segment = {
	.src_port = 30000,
	.dst_port = 5000,
	.seq = 1000,
	.ack = 5000,
	.flags = TCP_ACK,
	.window = 1000,
	.options = {.has_timestamps = true, .ts_value = 1, .ts_echo = 2},
	.payload = {(const uint8_t *)"0123456789abcdef", 16}};

static void send_segment(struct world *world, uint8_t from, const struct tcp_packet *segment)
{
	uint8_t bytes[SEGMENT_MAX];
	uint32_t len = segment_write(bytes, &world->host[from].address[0],
				     &world->host[!from].address[0], segment);

	EXPECT(len > 0);
	path_send(&world->path[from], world, span_of(bytes, len));
}

/** The next segment that comes; the caller frees *flight. */
static struct segment next_segment(struct world *world, struct flight **flight)
{
	EXPECT(flights_first(&world->flights) != NULL);
	*flight = flights_take(&world->flights);
	return segment_read(span_of((*flight)->bytes, (*flight)->len));
}

/** Sends count segments a millisecond apart; how many come. */
static uint32_t came_of(struct world *world, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		world->now_us += 1000;
		send_segment(world, 0, &data_segment);
	}
	return world->flights.count;
}

/* ---- seeds -------------------------------------------------------------------------------------
 */

TEST(plan, is_the_same_for_the_same_seed)
{
	struct plan a, b;

	for (uint64_t seed = 0; seed < 200; seed++) {
		plan_make(seed, 0, &a);
		plan_make(seed, 0, &b);
		EXPECT_BYTES(&a, &b, sizeof(a));
	}
}

TEST(plan, changes_nothing_else_when_a_feature_is_left_out)
{
	struct plan a, b;

	for (uint64_t seed = 0; seed < 500; seed++) {
		plan_make(seed, 0, &a);
		plan_make(seed, UINT64_C(1) << FEATURE_LOSS | UINT64_C(1) << FEATURE_REORDER, &b);
		EXPECT_EQ(a.pairs, b.pairs);
		EXPECT_BYTES(a.pair, b.pair, sizeof(a.pair));
		EXPECT_BYTES(a.host, b.host, sizeof(a.host));
		EXPECT_EQ(a.path[0].delay_us, b.path[0].delay_us);
		EXPECT_EQ(a.path[1].corrupt, b.path[1].corrupt);
		EXPECT_EQ(0, b.path[0].loss + b.path[1].loss);
	}
}

TEST(plan, has_every_feature_and_class_in_some_of_a_thousand_seeds)
{
	uint64_t seen = 0, classes = 0, wraps = 0, v6 = 0, must = 0;
	struct plan plan;

	for (uint64_t seed = 0; seed < 1000; seed++) {
		plan_make(seed, 0, &plan);
		seen |= plan.features;
		classes |= UINT64_C(1) << plan.class;
		wraps += plan_has(&plan, FEATURE_WRAP);
		v6 += plan.pair[0].v6;
		must += plan.must_finish;
	}
	EXPECT_EQ((UINT64_C(1) << FEATURES) - 1, seen);
	EXPECT_EQ(15, classes);
	EXPECT(wraps > 450 && wraps < 550);
	EXPECT(v6 > 300 && v6 < 500);
	EXPECT(must > 200);
}

TEST(plan, knows_its_features_by_name)
{
	EXPECT_EQ(FEATURE_LOSS, plan_feature("loss", 4));
	EXPECT_EQ(FEATURE_STRIP_SACK, plan_feature("strip-sack,x", 10));
	EXPECT_EQ(-1, plan_feature("los", 3));
}

/* ---- what is under way -------------------------------------------------------------------------
 */

TEST(flights, come_by_time_and_then_in_order)
{
	struct flights flights = {0};
	struct draw draw = draw_stream(1, 1);
	uint64_t last_us = 0, last_order = 0;

	for (uint32_t i = 0; i < 3000; i++) {
		struct flight *flight = flight_new(0);

		flight->at_us = draw_below(&draw, 100);
		flights_add(&flights, flight);
	}
	for (uint32_t i = 0; i < 3000; i++) {
		struct flight *flight = flights_take(&flights);

		EXPECT(flight->at_us > last_us ||
		       (flight->at_us == last_us && (i == 0 || flight->order > last_order)));
		last_us = flight->at_us;
		last_order = flight->order;
		free(flight);
	}
	EXPECT(flights_first(&flights) == NULL);
	flights_free(&flights);
}

/* ---- the network -------------------------------------------------------------------------------
 */

TEST(path, carries_bytes_as_they_are_in_its_time_and_order)
{
	struct world *world = world_new();
	struct flight *flight;
	struct segment s;

	world->plan.path[0].jitter_us = 20000;
	world_begin(world);
	for (uint32_t i = 0; i < 100; i++) {
		struct tcp_packet segment = data_segment;

		segment.seq = i;
		world->now_us += 1000;
		send_segment(world, 0, &segment);
	}
	for (uint32_t i = 0; i < 100; i++) {
		s = next_segment(world, &flight);
		EXPECT_EQ(GW_OK, s.err);
		EXPECT_EQ(i, s.tcp.seq);
		EXPECT_SPAN("0123456789abcdef", s.tcp.payload);
		EXPECT_EQ(1, flight->to);
		EXPECT(flight->at_us >= (i + 1) * 1000 + 1000 && flight->at_us < 200000);
		free(flight);
	}
	world_end(world);
}

TEST(path, loses_what_its_plan_says)
{
	struct world *world = world_new();
	uint32_t came;

	world->plan.path[0].loss = 1000;
	world_begin(world);
	came = came_of(world, 2000);
	EXPECT(came > 1700 && came < 1900);
	world_end(world);
}

TEST(path, loses_in_bursts)
{
	struct world *world = world_new();
	uint32_t came;

	world->plan.path[0].burst_begin = 100;
	world->plan.path[0].burst_end = 2000;
	world_begin(world);
	came = came_of(world, 5000);
	EXPECT(came > 4500 && came < 4950);
	world_end(world);
}

TEST(path, loses_everything_in_an_outage_and_nothing_beside)
{
	struct world *world = world_new();
	struct flight *flight;
	uint64_t last_us = 0, longest_us = 0;
	uint32_t count;

	world->plan.path[0].outage_every_ms = 1000;
	world->plan.path[0].outage_ms = 600;
	world_begin(world);
	count = came_of(world, 5000);
	EXPECT(count > 2000 && count < 4500);
	while (flights_first(&world->flights) != NULL) {
		next_segment(world, &flight);
		if (last_us != 0 && flight->at_us - last_us > longest_us)
			longest_us = flight->at_us - last_us;
		last_us = flight->at_us;
		free(flight);
	}
	EXPECT(longest_us >= 300000 && longest_us <= 610000);
	world_end(world);
}

TEST(path, holds_back_in_an_outage_and_delivers_after_it)
{
	struct world *world = world_new();

	world->plan.path[0].outage_every_ms = 1000;
	world->plan.path[0].outage_ms = 600;
	world->plan.path[0].outage_holds = true;
	world_begin(world);
	EXPECT_EQ(3000, came_of(world, 3000));
	world_end(world);
}

TEST(path, loses_bare_acknowledgements_only)
{
	struct world *world = world_new();
	struct tcp_packet bare = data_segment;

	world->plan.path[0].ack_loss = 10000;
	world_begin(world);
	bare.payload = span_of(NULL, 0);
	send_segment(world, 0, &bare);
	EXPECT_EQ(0, world->flights.count);
	bare.flags = TCP_ACK | TCP_FIN;
	send_segment(world, 0, &bare);
	send_segment(world, 0, &data_segment);
	EXPECT_EQ(2, world->flights.count);
	world_end(world);
}

TEST(path, drops_what_the_queue_of_a_narrow_link_does_not_hold)
{
	struct world *world = world_new();
	struct flight *flight;

	world->plan.path[0].rate = 68; /* one of these segments in a millisecond */
	world->plan.path[0].queue_bytes = 680;
	world_begin(world);
	for (uint32_t i = 0; i < 50; i++)
		send_segment(world, 0, &data_segment);
	EXPECT(world->flights.count >= 9 && world->flights.count <= 10);
	next_segment(world, &flight);
	EXPECT(flight->at_us >= 2000 && flight->at_us <= 2010);
	free(flight);
	world_end(world);
}

TEST(path, reorders_and_doubles)
{
	struct world *world = world_new();
	struct flight *flight;
	uint32_t swapped = 0, last = 0;

	world->plan.path[0].reorder = 2000;
	world->plan.path[0].reorder_us = 10000;
	world->plan.path[0].duplicate = 1000;
	world->plan.path[0].duplicate_us = 10000;
	world_begin(world);
	for (uint32_t i = 0; i < 1000; i++) {
		struct tcp_packet segment = data_segment;

		segment.seq = i;
		world->now_us += 1000;
		send_segment(world, 0, &segment);
	}
	EXPECT(world->flights.count > 1050 && world->flights.count < 1150);
	while (flights_first(&world->flights) != NULL) {
		struct segment s = next_segment(world, &flight);

		swapped += s.tcp.seq < last;
		last = s.tcp.seq;
		free(flight);
	}
	EXPECT(swapped > 100);
	world_end(world);
}

TEST(path, drops_what_is_too_big_and_says_so)
{
	struct world *world = world_new();
	static const uint8_t zeros[1360];
	struct tcp_packet big = data_segment;
	struct flight *flight;

	world->plan.path[0].mtu = 1300;
	world->plan.path[0].mtu_told = true;
	world_begin(world);
	big.payload = span_of(zeros, sizeof(zeros));
	send_segment(world, 0, &big);
	EXPECT_EQ(1, world->flights.count);
	flight = flights_take(&world->flights);
	EXPECT(flight->is_icmp && flight->icmp.too_big);
	EXPECT_EQ(0, flight->to);
	EXPECT_EQ(1300, flight->icmp.mtu);
	EXPECT_EQ(1000, flight->icmp.seq);
	EXPECT_EQ(30000, flight->icmp.local_port);
	free(flight);
	world->plan.path[0].mtu_told = false;
	send_segment(world, 0, &big);
	EXPECT_EQ(0, world->flights.count);
	world_end(world);
}

TEST(path, turns_one_bit_over_and_whoever_reads_it_sees_that)
{
	struct world *world = world_new();
	struct flight *flight;
	uint32_t accepted = 0;

	world->plan.path[0].corrupt = 10000;
	world_begin(world);
	came_of(world, 1000);
	while (flights_first(&world->flights) != NULL) {
		accepted += next_segment(world, &flight).err == GW_OK;
		free(flight);
	}
	EXPECT_EQ(0, accepted);
	world_end(world);
}

TEST(path, forges_so_that_checksums_are_right)
{
	struct world *world = world_new();
	struct flight *flight;
	uint32_t accepted = 0, changed = 0;

	world->plan.path[0].forge = 10000;
	world_begin(world);
	came_of(world, 1000);
	while (flights_first(&world->flights) != NULL) {
		struct segment s = next_segment(world, &flight);

		EXPECT(s.err != GW_TCP_CHECKSUM);
		accepted += s.err == GW_OK;
		changed += s.err == GW_OK && s.tcp.seq != data_segment.seq;
		free(flight);
	}
	EXPECT(accepted > 800 && changed > 50);
	world_end(world);
}

TEST(path, splits_a_segment_into_the_same_bytes)
{
	struct world *world = world_new();
	struct flight *one, *two;
	struct segment a, b;

	world->plan.path[0].split = 10000;
	world_begin(world);
	send_segment(world, 0, &data_segment);
	EXPECT_EQ(2, world->flights.count);
	a = next_segment(world, &one);
	b = next_segment(world, &two);
	EXPECT_EQ(16, a.tcp.payload.len + b.tcp.payload.len);
	EXPECT_EQ(a.tcp.seq + a.tcp.payload.len, b.tcp.seq);
	EXPECT_BYTES("0123456789abcdef" + a.tcp.payload.len, b.tcp.payload.at, b.tcp.payload.len);
	free(one);
	free(two);
	world_end(world);
}

TEST(path, puts_a_reset_behind_a_chosen_packet)
{
	struct world *world = world_new();
	struct flight *flight;
	struct segment s;

	world->plan.path[0].rst_at = 2;
	world_begin(world);
	EXPECT_EQ(4, came_of(world, 3));
	free(flights_take(&world->flights));
	s = next_segment(world, &flight);
	EXPECT_EQ(TCP_RST, s.tcp.flags);
	EXPECT_EQ(1016, s.tcp.seq);
	EXPECT(flight->extra);
	free(flight);
	world_end(world);
}

/* ---- middleboxes -------------------------------------------------------------------------------
 */

static struct segment edited(struct world *world, uint8_t from, const struct tcp_packet *segment,
			     struct flight **flight)
{
	world_begin(world);
	send_segment(world, from, segment);
	return next_segment(world, flight);
}

TEST(edit, strips_options_of_a_syn)
{
	struct world *world = world_new();
	struct tcp_packet syn = data_segment;
	struct flight *flight;
	struct segment s;

	syn.flags = TCP_SYN;
	syn.payload = span_of(NULL, 0);
	syn.options = (struct tcp_options){.mss = 1360,
					   .has_scale = true,
					   .scale = 3,
					   .sack_permitted = true,
					   .has_timestamps = true};
	world->plan.path[0].strip_sack = world->plan.path[0].strip_timestamps = true;
	world->plan.path[0].strip_scale = world->plan.path[0].mss_changed = true;
	world->plan.path[0].mss = 256;
	s = edited(world, 0, &syn, &flight);
	EXPECT_EQ(GW_OK, s.err);
	EXPECT(!s.tcp.options.sack_permitted && !s.tcp.options.has_timestamps &&
	       !s.tcp.options.has_scale);
	EXPECT_EQ(256, s.tcp.options.mss);
	free(flight);
	world_end(world);
}

TEST(edit, shifts_numbers_and_forgets_about_sack_blocks)
{
	struct world *world = world_new();
	struct tcp_packet ack = data_segment;
	struct flight *flight;
	struct segment s;

	ack.options.sacks = 1;
	ack.options.sack[0] = (struct tcp_block){6000, 7000};
	world->plan.path[0].isn_shift = 77;
	world->plan.path[1].isn_shift = 1000;
	s = edited(world, 0, &ack, &flight);
	EXPECT_EQ(1077, s.tcp.seq);
	EXPECT_EQ(4000, s.tcp.ack);
	EXPECT_EQ(6000, s.tcp.options.sack[0].start);
	free(flight);
	world_end(world);
}

TEST(edit, changes_the_port_of_a_client_both_ways)
{
	struct world *world = world_new();
	struct tcp_packet back = data_segment;
	struct flight *flight;
	struct segment s;

	world->plan.path[0].nat_at = world->plan.path[1].nat_at = 1;
	s = edited(world, 0, &data_segment, &flight);
	EXPECT_EQ(30000 ^ 0x4000, s.tcp.src_port);
	free(flight);
	back.src_port = 5000;
	back.dst_port = 30000 ^ 0x4000;
	send_segment(world, 1, &back);
	s = next_segment(world, &flight);
	EXPECT_EQ(30000, s.tcp.dst_port);
	free(flight);
	back.dst_port = 30000;
	send_segment(world, 1, &back);
	EXPECT_EQ(0, world->flights.count); /* the old way is gone */
	world_end(world);
}

TEST(edit, closes_the_window_for_a_while)
{
	struct world *world = world_new();
	struct flight *flight;
	struct segment s;

	world->plan.path[0].zero_at_ms = 10;
	world->plan.path[0].zero_ms = 5;
	world->now_us = 12000;
	s = edited(world, 0, &data_segment, &flight);
	EXPECT_EQ(0, s.tcp.window);
	free(flight);
	world->now_us = 15000;
	send_segment(world, 0, &data_segment);
	s = next_segment(world, &flight);
	EXPECT_EQ(1000, s.tcp.window);
	free(flight);
	world_end(world);
}

TEST(edit, merges_what_follows_on_each_other)
{
	struct world *world = world_new();
	struct tcp_packet second = data_segment;
	struct flight *arrival[3];
	uint32_t count = 3;
	struct segment s;

	world_begin(world);
	send_segment(world, 0, &data_segment);
	second.seq += 16;
	send_segment(world, 0, &second);
	second.seq += 17; /* a gap */
	send_segment(world, 0, &second);
	for (uint32_t i = 0; i < 3; i++)
		arrival[i] = flights_take(&world->flights);
	edit_merge(world, arrival, &count);
	EXPECT_EQ(2, count);
	s = segment_read(span_of(arrival[0]->bytes, arrival[0]->len));
	EXPECT_SPAN("0123456789abcdef0123456789abcdef", s.tcp.payload);
	EXPECT_EQ(1000, s.tcp.seq);
	free(arrival[0]);
	free(arrival[1]);
	world_end(world);
}

TEST_MAIN("tcpsim_model", RUN(plan, is_the_same_for_the_same_seed),
	  RUN(plan, changes_nothing_else_when_a_feature_is_left_out),
	  RUN(plan, has_every_feature_and_class_in_some_of_a_thousand_seeds),
	  RUN(plan, knows_its_features_by_name), RUN(flights, come_by_time_and_then_in_order),
	  RUN(path, carries_bytes_as_they_are_in_its_time_and_order),
	  RUN(path, loses_what_its_plan_says), RUN(path, loses_in_bursts),
	  RUN(path, loses_everything_in_an_outage_and_nothing_beside),
	  RUN(path, holds_back_in_an_outage_and_delivers_after_it),
	  RUN(path, loses_bare_acknowledgements_only),
	  RUN(path, drops_what_the_queue_of_a_narrow_link_does_not_hold),
	  RUN(path, reorders_and_doubles), RUN(path, drops_what_is_too_big_and_says_so),
	  RUN(path, turns_one_bit_over_and_whoever_reads_it_sees_that),
	  RUN(path, forges_so_that_checksums_are_right),
	  RUN(path, splits_a_segment_into_the_same_bytes),
	  RUN(path, puts_a_reset_behind_a_chosen_packet), RUN(edit, strips_options_of_a_syn),
	  RUN(edit, shifts_numbers_and_forgets_about_sack_blocks),
	  RUN(edit, changes_the_port_of_a_client_both_ways),
	  RUN(edit, closes_the_window_for_a_while), RUN(edit, merges_what_follows_on_each_other))
