/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* Where answers to the core go, and what its Via then says: RFC 3261 18.2.1, 18.2.2, RFC 3581 4. */

/** The core asks with this Via; what it gets, sent at once or by the WIC. */
static const char *asked(const char *via)
{
	world_forget();
	core_sends(format("OPTIONS sip:ep1.home1.net SIP/2.0" CRLF "Via: %s" CRLF
			  "Via: SIP/2.0/TCP as.home1.net;branch=z9hG4bKa1" CRLF
			  "From: <sip:scscf@home1.net>;tag=c9" CRLF "To: <sip:ep1.home1.net>" CRLF
			  "Call-ID: c9" CRLF "CSeq: 4 OPTIONS" CRLF "Content-Length: 0" CRLF CRLF,
			  via));
	return world_only(TO_SOURCE);
}

/** The peer's datagrams come from this address. */
static void comes_from(const char *peer)
{
	world_start_udp();
	EXPECT(endpoint_parse(span_text(peer), &world.source.peer));
}

static void goes_to(const char *address)
{
	char text[ENDPOINT_TEXT_MAX];

	EXPECT_TEXT(address, endpoint_format(&world_sent(0)->source.peer, text));
}

TEST(answer_over_udp, goes_to_the_sent_by_port)
{
	comes_from("198.18.0.20:40000");
	EXPECT_LINE("SIP/2.0/UDP 198.18.0.20:5062;branch=z9hG4bKs9",
		    asked("SIP/2.0/UDP 198.18.0.20:5062;branch=z9hG4bKs9"), "Via");
	goes_to("198.18.0.20:5062");
}

TEST(answer_over_udp, goes_to_5060_when_the_via_names_no_port)
{
	comes_from("198.18.0.20:40000");
	asked("SIP/2.0/UDP 198.18.0.20;branch=z9hG4bKs9");
	goes_to("198.18.0.20:5060");
}

TEST(answer_over_udp, goes_to_the_source_host_whatever_the_via_says)
{
	comes_from("198.18.0.20:40000");
	EXPECT_LINE("SIP/2.0/UDP 198.18.7.7:5062;branch=z9hG4bKs9;received=198.18.0.20",
		    asked("SIP/2.0/UDP 198.18.7.7:5062;branch=z9hG4bKs9"), "Via");
	goes_to("198.18.0.20:5062");
}

TEST(answer_over_udp, tells_a_name_what_address_it_came_from)
{
	comes_from("198.18.0.20:5062");
	EXPECT_LINE("SIP/2.0/UDP scscf1.home1.net:5062;branch=z9hG4bKs9;received=198.18.0.20",
		    asked("SIP/2.0/UDP scscf1.home1.net:5062;branch=z9hG4bKs9"), "Via");
	EXPECT_TEXT("SIP/2.0/TCP as.home1.net;branch=z9hG4bKa1",
		    line_n(world_only(TO_SOURCE), "Via", 1));
}

TEST(answer_over_udp, goes_to_the_source_port_with_rport)
{
	comes_from("198.18.0.20:40000");
	EXPECT_LINE(
		"SIP/2.0/UDP 198.18.0.20:5062;rport=40000;branch=z9hG4bKs9;received=198.18.0.20",
		asked("SIP/2.0/UDP 198.18.0.20:5062;rport;branch=z9hG4bKs9"), "Via");
	goes_to("198.18.0.20:40000");
}

TEST(answer_over_udp, fills_rport_at_the_end_and_in_any_spelling)
{
	comes_from("198.18.0.20:40000");
	EXPECT_LINE("SIP/2.0/UDP 198.18.0.20;branch=z9hG4bKs9;RPort=40000;received=198.18.0.20",
		    asked("SIP/2.0/UDP 198.18.0.20;branch=z9hG4bKs9;RPort"), "Via");
	goes_to("198.18.0.20:40000");
}

TEST(answer_over_udp, replaces_a_received_that_the_peer_wrote_itself)
{
	comes_from("198.18.0.20:40000");
	EXPECT_LINE("SIP/2.0/UDP a.home1.net;received=198.18.0.20;branch=z9hG4bKs9",
		    asked("SIP/2.0/UDP a.home1.net;received=1.2.3.4;branch=z9hG4bKs9"), "Via");
	goes_to("198.18.0.20:5060");
}

TEST(answer_over_udp, stamps_the_first_element_of_a_line_only)
{
	comes_from("198.18.0.20:40000");
	EXPECT_LINE("SIP/2.0/UDP a.home1.net;branch=z9hG4bKs9;received=198.18.0.20, "
		    "SIP/2.0/UDP b.home1.net;rport;branch=z9hG4bKs8",
		    asked("SIP/2.0/UDP a.home1.net;branch=z9hG4bKs9, "
			  "SIP/2.0/UDP b.home1.net;rport;branch=z9hG4bKs8"),
		    "Via");
}

TEST(answer_over_udp, knows_ipv6)
{
	comes_from("[fd00:18::20]:40000");
	EXPECT_LINE(
		"SIP/2.0/UDP [fd00:18::20]:5062;rport=40000;branch=z9hG4bKs9;received=fd00:18::20",
		asked("SIP/2.0/UDP [fd00:18::20]:5062;rport;branch=z9hG4bKs9"), "Via");
	goes_to("[fd00:18::20]:40000");
	EXPECT_LINE("SIP/2.0/UDP [FD00:18:0::20];branch=z9hG4bKs9",
		    asked("SIP/2.0/UDP [FD00:18:0::20];branch=z9hG4bKs9"), "Via");
	goes_to("[fd00:18::20]:5060");
}

TEST(answer_over_udp, to_a_refused_request_goes_there_too)
{
	comes_from("198.18.0.20:40000");
	core_sends("OPTIONS sip:x SIP/2.0" CRLF
		   "Via: SIP/2.0/UDP 198.18.0.20:5062;branch=z9hG4bKs9" CRLF
		   "From: <sip:a@b>;tag=c9" CRLF "To: <sip:x>" CRLF "Call-ID: c9" CRLF
		   "CSeq: 4 INVITE" CRLF CRLF);
	EXPECT_EQ(400, status_of(world_only(TO_SOURCE)));
	goes_to("198.18.0.20:5062");
}

TEST(answer_over_tcp, goes_back_on_its_connection)
{
	world_start();
	EXPECT_LINE("SIP/2.0/TCP scscf1.home1.net:5062;branch=z9hG4bKs9;received=198.18.0.20",
		    asked("SIP/2.0/TCP scscf1.home1.net:5062;branch=z9hG4bKs9"), "Via");
	EXPECT_EQ(0, memcmp(&world.source, &world_sent(0)->source, sizeof(world.source)));
}

/** The core's MESSAGE to alice with this Via. */
static void core_message_via(const char *via)
{
	core_sends(format("MESSAGE sip:x@a.invalid SIP/2.0" CRLF "Via: %s" CRLF "Route: <%s>" CRLF
			  "From: <sip:bob@home1.net>;tag=c9" CRLF "To: <sip:alice@home1.net>" CRLF
			  "Call-ID: c9" CRLF "CSeq: 4 MESSAGE" CRLF "Content-Length: 2" CRLF CRLF
			  "hi",
			  via, path_uri()));
}

TEST(answer_of_a_wic, carries_the_stamped_via_to_the_stamped_place)
{
	comes_from("198.18.0.20:40000");
	world_register();
	core_message_via("SIP/2.0/UDP scscf1.home1.net:5062;rport;branch=z9hG4bKs9");
	EXPECT_TEXT(CRLF CRLF "hi", strstr(world_only(TO_WIC), CRLF CRLF));
	EXPECT_EQ(GW_OK, wic_sends(0, wic_answer("200 OK", "")));
	EXPECT_LINE("SIP/2.0/UDP scscf1.home1.net:5062;rport=40000;branch=z9hG4bKs9;"
		    "received=198.18.0.20",
		    world_sent(1)->text, "Via");
	EXPECT_EQ(40000, endpoint_port(&world_sent(1)->source.peer));
}

TEST(answer_of_a_wic, is_said_again_to_a_retransmission_at_the_same_place)
{
	comes_from("198.18.0.20:40000");
	world_register();
	core_message_via("SIP/2.0/UDP scscf1.home1.net;branch=z9hG4bKs9");
	EXPECT_EQ(GW_OK, wic_sends(0, wic_answer("200 OK", "")));
	core_message_via("SIP/2.0/UDP scscf1.home1.net;branch=z9hG4bKs9");
	EXPECT_EQ(3, world.count);
	EXPECT_EQ(5060, endpoint_port(&world_sent(1)->source.peer));
	EXPECT_EQ(5060, endpoint_port(&world_sent(2)->source.peer));
	EXPECT_TEXT(world_sent(1)->text, world_sent(2)->text);
}

TEST(timeout, carries_the_stamped_via)
{
	comes_from("198.18.0.20:40000");
	world_register();
	core_message_via("SIP/2.0/UDP scscf1.home1.net;rport;branch=z9hG4bKs9");
	world_wait(33 * 1000000ull);
	EXPECT_EQ(408, status_of(world_sent(1)->text));
	EXPECT_LINE(
		"SIP/2.0/UDP scscf1.home1.net;rport=40000;branch=z9hG4bKs9;received=198.18.0.20",
		world_sent(1)->text, "Via");
	EXPECT_EQ(40000, endpoint_port(&world_sent(1)->source.peer));
}

TEST_MAIN("gateway_source", RUN(answer_over_udp, goes_to_the_sent_by_port),
	  RUN(answer_over_udp, goes_to_5060_when_the_via_names_no_port),
	  RUN(answer_over_udp, goes_to_the_source_host_whatever_the_via_says),
	  RUN(answer_over_udp, tells_a_name_what_address_it_came_from),
	  RUN(answer_over_udp, goes_to_the_source_port_with_rport),
	  RUN(answer_over_udp, fills_rport_at_the_end_and_in_any_spelling),
	  RUN(answer_over_udp, replaces_a_received_that_the_peer_wrote_itself),
	  RUN(answer_over_udp, stamps_the_first_element_of_a_line_only),
	  RUN(answer_over_udp, knows_ipv6),
	  RUN(answer_over_udp, to_a_refused_request_goes_there_too),
	  RUN(answer_over_tcp, goes_back_on_its_connection),
	  RUN(answer_of_a_wic, carries_the_stamped_via_to_the_stamped_place),
	  RUN(answer_of_a_wic, is_said_again_to_a_retransmission_at_the_same_place),
	  RUN(timeout, carries_the_stamped_via))
