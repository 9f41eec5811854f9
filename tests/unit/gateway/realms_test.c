/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

/*
 * Two home networks on one node: who is of the second is charged to it and spoken for in its words
 * (PROTOCOL 5.2, 6.5, 9.2, 9.5, 9.7, 9.8). carol is of home2.net, which calls itself visited2.net.
 */

#define CAROL "<sip:carol@home2.net>"
#define TEL "<tel:+15552220001>"

static void carol_registers(int64_t token_s, uint32_t granted_s)
{
	world_start();
	world_one_hop();
	EXPECT_EQ(GW_OK, wic_sends(0, format("REGISTER sip:home2.net SIP/2.0" CRLF
					     "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
					     "From: " CAROL ";tag=a" CRLF "To: " CAROL CRLF
					     "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF
					     "Contact: " OUR_CONTACT CRLF "Expires: 600" CRLF
					     "Authorization: Bearer %s" CRLF CRLF,
					     token_of(GOOD_HEADER, payload_of("carol@ims.home2.net",
									      "sip:carol@home2.net",
									      token_s)))));
	path_remember(last_to(TO_MW));
	core_answers("200 OK",
		     format("Contact: " OUR_CONTACT ";expires=%u" CRLF
			    "Service-Route: <sip:orig@198.18.0.30:6060;transport=tcp;lr>" CRLF
			    "P-Associated-URI: " CAROL ", " TEL CRLF,
			    granted_s));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_forget();
}

/** carol's request; inside her call with these routes. */
static const char *mw_of_carol(const char *method, uint32_t cseq, const char *routes)
{
	world_forget();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, of_alice(&(struct says){.method = method,
						       .branch = format("r%u", cseq),
						       .from = CAROL ";tag=i1",
						       .to = routes != NULL
								     ? "<sip:bob@home1.net>;tag=b1"
								     : "<sip:bob@home1.net>",
						       .cseq = cseq,
						       .lines = routes})));
	return keep(only_of(TO_MW, method));
}

static const char *carol_calls(void)
{
	const char *mw = mw_of_carol("INVITE", 1, NULL);

	EXPECT(contains(line(mw, "P-Charging-Vector"), ";orig-ioi=\"Type 1visited2.net\""));
	core_sends(answer_of(mw, "200 OK", "b1", "Contact: <sip:bob@198.18.7.7>" CRLF));
	return keep(routes_of_response(only_of(TO_WIC, "SIP/2.0 200")));
}

TEST(call, of_a_user_of_the_second_network_is_charged_to_it)
{
	carol_registers(3000, 600);
	EXPECT(contains(line(mw_of_carol("INFO", 2, carol_calls()), "P-Charging-Vector"),
			";orig-ioi=\"Type 1visited2.net\""));
}

/** The core calls carol by this identity: the network that her answer is charged to. */
static void answer_is_charged(const char *called)
{
	carol_registers(3000, 600);
	core_sends(core_message(path_uri(), format("P-Called-Party-ID: %s" CRLF VECTOR, called)));
	EXPECT_EQ(GW_OK, wic_sends(0, wic_answer("200 OK", "")));
	EXPECT_LINE("icid-value=\"sc-11\";orig-ioi=\"home7.net\";term-ioi=\"Type 1visited2.net\"",
		    last_to(TO_SOURCE), "P-Charging-Vector");
}

TEST(answer, of_a_user_of_the_second_network_is_charged_to_it)
{
	answer_is_charged(CAROL);
}

TEST(answer, of_a_user_who_is_called_by_a_number_is_charged_to_his_own_network)
{
	answer_is_charged(TEL);
}

TEST(call, that_outlives_the_registration_is_charged_as_it_was)
{
	const char *routes;

	carol_registers(3000, 600);
	routes = carol_calls();
	world_wait(601 * S);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT(contains(line(mw_of_carol("BYE", 3, routes), "P-Charging-Vector"),
			";orig-ioi=\"Type 1visited2.net\""));
}

TEST(farewell, of_a_user_of_the_second_network_is_in_its_words)
{
	const char *mw;

	carol_registers(100, 7200);
	world_wait(100 * S + 2 * MS);
	mw = only_of(TO_MW, "REGISTER ");
	EXPECT(begins(mw, "REGISTER sip:home2.net SIP/2.0" CRLF));
	EXPECT_LINE("\"visited2.net\"", mw, "P-Visited-Network-ID");
	EXPECT(contains(line(mw, "Authorization"), "realm=\"home2.net\""));
	EXPECT(contains(line(mw, "Authorization"), "integrity-protected=\"tls-yes\""));
	EXPECT(contains(line(mw, "P-Charging-Vector"), "orig-ioi=\"Type 1visited2.net\""));
}

TEST_MAIN("gateway_realms", RUN(call, of_a_user_of_the_second_network_is_charged_to_it),
	  RUN(answer, of_a_user_of_the_second_network_is_charged_to_it),
	  RUN(answer, of_a_user_who_is_called_by_a_number_is_charged_to_his_own_network),
	  RUN(call, that_outlives_the_registration_is_charged_as_it_was),
	  RUN(farewell, of_a_user_of_the_second_network_is_in_its_words))
