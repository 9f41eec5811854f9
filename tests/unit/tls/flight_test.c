/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "tls/flight.h"

#define HELLO_LONGEST "\x01\x00\x3f\xfc"
#define HELLO_TOO_LONG "\x01\x00\x3f\xfd"

/** Whether it passes whole, and byte by byte, which must be the same. */
static bool passes(struct span bytes)
{
	struct tls_flight whole = {0}, cut = {0};
	bool pass = tls_flight_pass(&whole, bytes), each = true;

	for (uint32_t i = 0; i < bytes.len && each; i++)
		each = tls_flight_pass(&cut, span_cut(bytes, i, 1));
	EXPECT_EQ(pass, each);
	return pass;
}

TEST(tls_flight, passes_a_message_of_the_longest_length_and_not_one_longer)
{
	EXPECT(passes(SPAN("\x16\x03\x01\x00\x04" HELLO_LONGEST)));
	EXPECT(!passes(SPAN("\x16\x03\x01\x00\x04" HELLO_TOO_LONG)));
	EXPECT(!passes(SPAN("\x16\x03\x01\x00\x04\x01\xff\xff\xff")));
}

TEST(tls_flight, sees_a_head_that_is_cut_by_the_ends_of_records)
{
	EXPECT(!passes(SPAN("\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x00\x16\x03\x01\x00\x02\x01"
			    "\x00\x16\x03\x01\x00\x01\x00")));
	EXPECT(passes(SPAN("\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x00\x16\x03\x01\x00\x02\x00"
			   "\x00\x16\x03\x01\x00\x01\x00")));
}

TEST(tls_flight, sees_a_message_behind_another_in_its_record_or_in_the_next)
{
	EXPECT(!passes(SPAN("\x16\x03\x01\x00\x0a\x01\x00\x00\x02xx" HELLO_TOO_LONG)));
	EXPECT(!passes(SPAN("\x16\x03\x01\x00\x05\x01\x00\x00\x02x"
			    "\x16\x03\x01\x00\x05x" HELLO_TOO_LONG)));
	EXPECT(passes(SPAN("\x16\x03\x01\x00\x0a\x01\x00\x00\x06" HELLO_TOO_LONG "yy")));
}

TEST(tls_flight, does_not_look_into_records_of_another_kind)
{
	EXPECT(passes(SPAN("\x17\x03\x03\x00\x04" HELLO_TOO_LONG)));
	EXPECT(!passes(SPAN("\x17\x03\x03\x00\x04" HELLO_TOO_LONG "\x14\x03\x03\x00\x01\x01"
			    "\x16\x03\x03\x00\x04" HELLO_TOO_LONG)));
}

TEST(tls_flight, looks_at_nothing_when_it_is_over)
{
	struct tls_flight flight = {.over = true};

	EXPECT(tls_flight_pass(&flight, SPAN("\x16\x03\x01\x00\x04" HELLO_TOO_LONG)));
}

TEST(tls_flight, passes_a_longer_message_of_a_server)
{
	struct tls_flight server = {.chain = true};

	EXPECT(tls_flight_pass(&server, SPAN("\x16\x03\x03\x00\x04\x0b\x00\x80\x00")));
	server = (struct tls_flight){.chain = true};
	EXPECT(!tls_flight_pass(&server, SPAN("\x16\x03\x03\x00\x04\x0b\x00\x80\x01")));
}

TEST(tls_flight, looks_at_nothing_of_a_server_that_has_changed_its_cipher)
{
	struct tls_flight server = {.chain = true};

	EXPECT(tls_flight_pass(&server, SPAN("\x16\x03\x03\x00\x05\x0e\x00\x00\x01x"
					     "\x14\x03\x03\x00\x01\x01"
					     "\x16\x03\x03\x00\x28\xff\xff\xff\xff")));
	EXPECT(!passes(SPAN("\x14\x03\x03\x00\x01\x01"
			    "\x16\x03\x03\x00\x28\xff\xff\xff\xff")));
}

TEST_MAIN("tls_flight", RUN(tls_flight, passes_a_message_of_the_longest_length_and_not_one_longer),
	  RUN(tls_flight, sees_a_head_that_is_cut_by_the_ends_of_records),
	  RUN(tls_flight, sees_a_message_behind_another_in_its_record_or_in_the_next),
	  RUN(tls_flight, does_not_look_into_records_of_another_kind),
	  RUN(tls_flight, looks_at_nothing_when_it_is_over),
	  RUN(tls_flight, passes_a_longer_message_of_a_server),
	  RUN(tls_flight, looks_at_nothing_of_a_server_that_has_changed_its_cipher))
