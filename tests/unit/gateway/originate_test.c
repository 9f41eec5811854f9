/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

/* Requests of a registered WIC to the core: PROTOCOL 9.5. */

/** alice, registered, sends a request; what the core gets of it. */
static const char *mw_message(const char *request)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, request));
	return world_only(TO_MW);
}

static void refused(enum gw_err err, uint32_t status, const char *request)
{
	world_start();
	world_register();
	EXPECT_EQ(err, wic_sends(0, request));
	EXPECT_EQ(status, status_of(world_only(TO_WIC)));
	EXPECT_EQ(0, world_transactions());
}

static const char *message_from(const char *from)
{
	return format("MESSAGE sip:bob@home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF "From: %s" CRLF
		      "To: <sip:bob@home1.net>" CRLF "Call-ID: c" CRLF "CSeq: 1 MESSAGE" CRLF CRLF,
		      from);
}

#define DEFAULT_ID "<sip:alice@home1.net>"
#define TEL_ID "<tel:+15551230001>"

TEST(message, carries_the_stored_service_route_and_goes_there)
{
	const char *mw = mw_message(message_with(""));
	struct endpoint scscf;

	EXPECT_EQ(1, lines(mw, "Route"));
	EXPECT_LINE("<sip:orig@198.18.0.30:6060;lr>", mw, "Route");
	EXPECT(endpoint_parse(SPAN("198.18.0.30:6060"), &scscf));
	EXPECT(endpoint_same_host(&scscf, &world_sent(0)->target.address));
	EXPECT_EQ(6060, endpoint_port(&world_sent(0)->target.address));
	EXPECT_EQ(MW_UDP, world_sent(0)->target.transport);
}

TEST(message, keeps_every_service_route_in_order)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_answers("200 OK",
		     "Contact: <sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>;expires=60" CRLF
		     "Service-Route: <sip:a.home1.net;lr>,\r\n <sip:b.home1.net;lr>" CRLF
		     "Service-Route: <sip:c.home1.net;lr>" CRLF);
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	EXPECT_LINE("<sip:a.home1.net;lr>, <sip:b.home1.net;lr>, <sip:c.home1.net;lr>",
		    world_only(TO_MW), "Route");
	/* a name is the next hop's to resolve */
	EXPECT(endpoint_same_host(&world.hop[0].address, &world_sent(0)->target.address));
}

TEST(message, that_comes_again_goes_on_once_while_it_waits)
{
	const char *request;

	world_start();
	world_register();
	request = format("%s", message_with(""));
	EXPECT_EQ(GW_OK, wic_sends(0, request));
	EXPECT_EQ(GW_OK, wic_sends(0, request));
	EXPECT_EQ(1, world.count); /* RFC 3261 17.2.3 */
	EXPECT_EQ(1, world_transactions());
}

TEST(message, is_forwarded_as_it_came_otherwise)
{
	const char *mw = mw_message(message_with("Subject: x" CRLF "X-Unknown : y" CRLF));

	EXPECT_EQ(0, strncmp(mw, "MESSAGE sip:bob@home1.net SIP/2.0" CRLF "Via: ", 40));
	EXPECT_EQ(2, lines(mw, "Via"));
	EXPECT_EQ(0, strncmp(line_n(mw, "Via", 1),
			     "SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK8", 48));
	EXPECT_LINE("69", mw, "Max-Forwards");
	EXPECT_LINE("<sip:alice@home1.net>;tag=m1", mw, "From");
	EXPECT_LINE("<sip:bob@home1.net>", mw, "To");
	EXPECT_LINE("x", mw, "Subject");
	EXPECT_LINE("y", mw, "X-Unknown");
	EXPECT_LINE("5", mw, "Content-Length");
	EXPECT_TEXT(CRLF CRLF "hello", strstr(mw, CRLF CRLF));
	EXPECT_NO_LINE(mw, "P-Visited-Network-ID");
}

TEST(message, without_max_forwards_gets_70)
{
	EXPECT_LINE("70", mw_message(message_from("<sip:alice@home1.net>;tag=a")), "Max-Forwards");
}

TEST(message, without_content_length_gets_one)
{
	EXPECT_LINE("0", mw_message(message_from("<sip:alice@home1.net>;tag=a")), "Content-Length");
}

/** The text without its Content-Length line. */
static const char *without_length(const char *text)
{
	const char *at = strstr(text, "Content-Length:");

	assert_non_null(at);
	return keep(format("%.*s%s", (int)(at - text), text, strstr(at, CRLF) + 2));
}

/* PROTOCOL 12.4 item 9: over a WebSocket it may be left out, over a stream it may not. */
TEST(message, of_a_call_without_content_length_gets_one)
{
	static const char *const methods[] = {"ACK", "UPDATE", "INVITE", "BYE"};
	struct call c;

	call_world(MW_TCP);
	EXPECT_EQ(GW_OK, wic_sends(0, without_length(of_alice(&(struct says){
					      .branch = "l1", .call = "l1", .body = "v=0" CRLF}))));
	EXPECT_LINE("5", only_of(TO_MW, "INVITE "), "Content-Length");
	EXPECT_TEXT(CRLF CRLF "v=0" CRLF, strstr(last_to(TO_MW), CRLF CRLF));
	world_forget();
	c = alice_called();
	for (uint32_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		world_forget();
		EXPECT_EQ(GW_OK, wic_sends(0, without_length(alice_in_call(&c, methods[i], ""))));
		EXPECT_LINE("0", only_of(TO_MW, methods[i]), "Content-Length");
	}
}

TEST(message, gets_a_charging_vector)
{
	const char *vector = line(mw_message(message_with("")), "P-Charging-Vector");

	EXPECT_EQ(0, strncmp(vector, "icid-value=\"", 12));
	EXPECT(contains(vector, "\";icid-generated-at=192.0.2.10;orig-ioi=\"home1.net\""));
	EXPECT(!contains(vector, "term-ioi"));
}

TEST(message, of_an_unknown_method_is_forwarded)
{
	const char *mw =
		mw_message("NEWMETHOD sip:bob@home1.net SIP/2.0" CRLF
			   "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
			   "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
			   "Call-ID: c" CRLF "CSeq: 1 NEWMETHOD" CRLF CRLF);

	EXPECT_EQ(0, strncmp(mw, "NEWMETHOD sip:", 14));
}

TEST(identity, is_the_default_without_a_preference)
{
	const char *mw = mw_message(message_with(""));

	EXPECT_EQ(1, lines(mw, "P-Asserted-Identity"));
	EXPECT_LINE(DEFAULT_ID, mw, "P-Asserted-Identity");
}

TEST(identity, is_the_preferred_one_of_the_binding)
{
	const char *mw =
		mw_message(message_with("P-Preferred-Identity: \"A\" <tel:+1-555-123-0001>" CRLF));

	EXPECT_LINE(TEL_ID, mw, "P-Asserted-Identity");
	EXPECT_NO_LINE(mw, "P-Preferred-Identity");
}

TEST(identity, is_preferred_whatever_its_spelling)
{
	EXPECT_LINE(DEFAULT_ID,
		    mw_message(message_with("p-preferred-identity :\r\n"
					    " <SIP:%61lice@HOME1.net:5060;transport=ws>" CRLF)),
		    "P-Asserted-Identity");
}

TEST(identity, that_is_not_the_bindings_gives_the_default)
{
	const char *mw = mw_message(message_with("P-Preferred-Identity: <sip:bob@home1.net>" CRLF));

	EXPECT_EQ(1, lines(mw, "P-Asserted-Identity"));
	EXPECT_LINE(DEFAULT_ID, mw, "P-Asserted-Identity");
}

TEST(identity, is_the_second_preference_when_the_first_is_not_the_bindings)
{
	EXPECT_LINE(TEL_ID,
		    mw_message(message_with(
			    "P-Preferred-Identity: <sip:bob@home1.net>, " TEL_ID CRLF)),
		    "P-Asserted-Identity");
}

/* PROTOCOL 12.2: a number is a tel and not a sip unless the core has said so. */
TEST(identity, that_is_a_number_in_the_other_scheme_is_not_the_bindings)
{
	static const char *const same_number = "<sip:+15551230001@home1.net;user=phone>";

	EXPECT_LINE(DEFAULT_ID,
		    mw_message(message_with(format("P-Preferred-Identity: %s" CRLF, same_number))),
		    "P-Asserted-Identity");
	refused(GW_IDENTITY_MISMATCH, 403, message_from(format("%s;tag=a", same_number)));
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_answers("200 OK", format("Contact: " OUR_CONTACT ";expires=60" CRLF
				      "P-Associated-URI: " DEFAULT_ID ", %s" CRLF,
				      same_number));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, message_from(format("%s;tag=a", same_number))));
	EXPECT_EQ(1, count_to(TO_MW));
}

TEST(identity, preferred_three_times_is_403)
{
	refused(GW_IDENTITY_MISMATCH, 403,
		message_with("P-Preferred-Identity: <sip:alice@home1.net>, <tel:+15551230001>" CRLF
			     "P-Preferred-Identity: <tel:+15551230002>" CRLF));
}

TEST(identity, preferred_twice_in_one_scheme_is_403)
{
	refused(GW_IDENTITY_MISMATCH, 403,
		message_with("P-Preferred-Identity: <sip:alice@home1.net>" CRLF
			     "P-Preferred-Identity: <sips:alice@home1.net>" CRLF));
	refused(GW_IDENTITY_MISMATCH, 403,
		message_with("P-Preferred-Identity: <tel:+15551230001>, <tel:+15551230002>" CRLF));
}

TEST(identity, that_was_asserted_by_the_wic_is_not_believed)
{
	const char *mw = mw_message(message_with("P-Asserted-Identity: <sip:bob@home1.net>" CRLF));

	EXPECT_EQ(1, lines(mw, "P-Asserted-Identity"));
	EXPECT_LINE(DEFAULT_ID, mw, "P-Asserted-Identity");
}

TEST(identity, is_the_first_of_p_associated_uri)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_answers("200 OK",
		     "Contact: <sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>;expires=60" CRLF
		     "P-Associated-URI: <sip:the-alice@home1.net>;x=y, <sip:alice@home1.net>" CRLF);
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	EXPECT_LINE("<sip:the-alice@home1.net>", world_only(TO_MW), "P-Asserted-Identity");
}

TEST(from, of_somebody_else_is_403)
{
	refused(GW_IDENTITY_MISMATCH, 403, message_from("<sip:bob@home1.net>;tag=a"));
	refused(GW_IDENTITY_MISMATCH, 403, message_from("sip:bob@home1.net;tag=a"));
	refused(GW_IDENTITY_MISMATCH, 403,
		message_from("\"alice\" <sip:alice@home1.net.evil.example>;tag=a"));
	refused(GW_IDENTITY_MISMATCH, 403, message_from("<sip:ALICE@home1.net>;tag=a"));
}

TEST(from, of_any_identity_of_the_binding_passes)
{
	mw_message(message_from("<tel:+15551230001>;tag=a"));
	mw_message(message_from("\"bob@home1.net\" <sip:alice@HOME1.net:5061;x=y>;tag=a"));
}

TEST(from, that_is_anonymous_passes_and_the_identity_is_asserted)
{
	const char *mw =
		mw_message(format("MESSAGE sip:bob@home1.net SIP/2.0" CRLF
				  "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
				  "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=a" CRLF
				  "To: <sip:bob@home1.net>" CRLF "Call-ID: c" CRLF
				  "CSeq: 1 MESSAGE" CRLF "Privacy: id" CRLF CRLF));

	EXPECT_LINE(DEFAULT_ID, mw, "P-Asserted-Identity");
	EXPECT_LINE("id", mw, "Privacy");
	EXPECT_LINE("\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=a", mw, "From");
}

TEST(from, is_not_looked_at_when_configured_so)
{
	world_start();
	world_register();
	world.config.from_check = false;
	EXPECT_EQ(GW_OK, wic_sends(0, message_from("<sip:bob@home1.net>;tag=a")));
	EXPECT_LINE(DEFAULT_ID, world_only(TO_MW), "P-Asserted-Identity");
}

TEST(token, on_a_registered_flow_is_removed_and_not_looked_at)
{
	const char *mw =
		mw_message(message_with("Authorization: Bearer not.a.token" CRLF
					"Proxy-Authorization: Bearer access_token=\"z\"" CRLF));

	EXPECT_NO_LINE(mw, "Authorization");
	EXPECT_NO_LINE(mw, "Proxy-Authorization");
	EXPECT(!contains(mw, "not.a.token"));
}

TEST(method, inside_a_dialog_without_our_route_is_403)
{
	refused(GW_DIALOG_FOREIGN, 403,
		"BYE sip:bob@home1.net SIP/2.0" CRLF
		"Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		"From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>;tag=b" CRLF
		"Call-ID: c" CRLF "CSeq: 1 BYE" CRLF CRLF);
}

TEST(method, to_an_emergency_service_is_380)
{
	refused(GW_SIP_EMERGENCY, 380, message_to("urn:service:sos", ""));
	refused(GW_SIP_EMERGENCY, 380, message_to("URN:service:sos.fire", ""));
}

TEST(answer, is_relayed_without_our_via_and_charging)
{
	const char *wic;

	mw_message(message_with(""));
	core_answers("200 OK", "P-Charging-Vector: icid-value=x;term-ioi=y" CRLF
			       "P-Charging-Function-Addresses: ccf=z" CRLF
			       "P-Asserted-Identity: <sip:bob@home1.net>" CRLF "X-Y: z" CRLF);
	wic = world_sent(1)->text;
	EXPECT_EQ(TO_WIC, world_sent(1)->to);
	EXPECT_EQ(200, status_of(wic));
	EXPECT_EQ(1, lines(wic, "Via"));
	EXPECT_NO_LINE(wic, "P-Charging-Vector");
	EXPECT_NO_LINE(wic, "P-Charging-Function-Addresses");
	EXPECT_LINE("<sip:bob@home1.net>", wic, "P-Asserted-Identity");
	EXPECT_LINE("z", wic, "X-Y");
	EXPECT_EQ(0, world_transactions());
}

TEST(answer, with_privacy_id_loses_the_identity)
{
	mw_message(message_with(""));
	core_answers("200 OK",
		     "Privacy: critical;ID" CRLF "P-Asserted-Identity: <sip:bob@home1.net>" CRLF);
	EXPECT_NO_LINE(world_sent(1)->text, "P-Asserted-Identity");
}

TEST(answer, provisional_is_relayed_but_100_is_not)
{
	mw_message(message_with(""));
	core_answers("100 Trying", "");
	EXPECT_EQ(1, world.count);
	core_answers("183 Session Progress", "");
	EXPECT_EQ(2, world.count);
	EXPECT_EQ(1, world_transactions());
}

TEST(answer, overload_of_the_core_is_500_with_its_retry_after)
{
	mw_message(message_with(""));
	world.hop_down[0] = world.hop_down[1] = true; /* nobody else could be asked */
	core_answers("503 Service Unavailable", "Retry-After: 17" CRLF);
	EXPECT_EQ(500, status_of(world_sent(1)->text));
	EXPECT(!contains(world_sent(1)->text, "Service Unavailable"));
	EXPECT_LINE("17", world_sent(1)->text, "Retry-After");
}

/* PROTOCOL 9.5 step 3: our own Route is taken off, whatever stands behind it is replaced. */
TEST(route, that_is_our_own_path_is_taken_off)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with(format("Route: <%s>" CRLF, path_uri()))));
	EXPECT_LINE("<sip:orig@198.18.0.30:6060;lr>", world_only(TO_MW), "Route");
	EXPECT_EQ(1, lines(world_only(TO_MW), "Route"));
}

/** alice registers on WIC 0 and bob on WIC 1; alice's Path is path_uri(). */
static void two_are_registered(void)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_OK,
		  wic_sends(1,
			    format("REGISTER sip:home1.net SIP/2.0" CRLF
				   "Via: SIP/2.0/WSS b.invalid;branch=z9hG4bK1" CRLF
				   "From: <sip:bob@home1.net>;tag=a" CRLF
				   "To: <sip:bob@home1.net>" CRLF "Call-ID: c" CRLF
				   "CSeq: 2 REGISTER" CRLF "Contact: <sip:x@b.invalid>" CRLF
				   "Authorization: Bearer %s" CRLF CRLF,
				   token_of(GOOD_HEADER, payload_of("bob@ims.home1.net",
								    "sip:bob@home1.net", 900)))));
	core_answers("200 OK", "Contact: <sip:x@b.invalid>;expires=600" CRLF
			       "Service-Route: <sip:orig@198.18.0.30:6060;lr>" CRLF);
	EXPECT_EQ(2, gateway_bindings(world.gw));
	world_forget();
}

/* PROTOCOL 12.2: flow token of connection A in a request from B; 9.6, source: the same request on
 * W2. */
TEST(route, that_is_the_path_of_another_wic_is_403)
{
	static const char *const methods[] = {"MESSAGE", "INVITE"};

	for (uint32_t i = 0; i < 2; i++) {
		two_are_registered();
		wic_sends(1, of_alice(&(struct says){.method = methods[i],
						     .from = "<sip:bob@home1.net>;tag=b",
						     .uri = "sip:mfdnmi6p@v5e0bm0sd9mg.invalid;"
							    "transport=ws",
						     .to = "<sip:alice@home1.net>",
						     .lines = format("Route: <%s>" CRLF,
								     path_uri())}));
		EXPECT_EQ(0, count_to(TO_MW));
		EXPECT_EQ(403, status_of(world_only(TO_WIC)));
	}
}

TEST(route, with_a_transport_that_we_do_not_speak_is_left_to_the_next_hop)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_answers("200 OK",
		     "Contact: <sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>;expires=60" CRLF
		     "Service-Route: <sip:198.18.0.30;transport=tls;lr>" CRLF);
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	EXPECT(endpoint_same_host(&world.hop[0].address, &world_sent(0)->target.address));
}

TEST(route, of_a_configured_next_hop_uses_its_transport)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_answers("200 OK",
		     "Contact: <sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>;expires=60" CRLF
		     "Service-Route: <sip:198.18.0.20;lr>" CRLF);
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	EXPECT_EQ(MW_TCP, world_sent(0)->target.transport);
	EXPECT(contains(line(world_sent(0)->text, "Via"), "SIP/2.0/TCP"));
}

TEST_MAIN("gateway_originate", RUN(message, carries_the_stored_service_route_and_goes_there),
	  RUN(message, keeps_every_service_route_in_order),
	  RUN(message, is_forwarded_as_it_came_otherwise),
	  RUN(message, that_comes_again_goes_on_once_while_it_waits),
	  RUN(message, without_max_forwards_gets_70), RUN(message, without_content_length_gets_one),
	  RUN(message, of_a_call_without_content_length_gets_one),
	  RUN(message, gets_a_charging_vector), RUN(message, of_an_unknown_method_is_forwarded),
	  RUN(identity, is_the_default_without_a_preference),
	  RUN(identity, is_the_preferred_one_of_the_binding),
	  RUN(identity, is_preferred_whatever_its_spelling),
	  RUN(identity, that_is_not_the_bindings_gives_the_default),
	  RUN(identity, is_the_second_preference_when_the_first_is_not_the_bindings),
	  RUN(identity, that_is_a_number_in_the_other_scheme_is_not_the_bindings),
	  RUN(identity, preferred_three_times_is_403),
	  RUN(identity, preferred_twice_in_one_scheme_is_403),
	  RUN(identity, that_was_asserted_by_the_wic_is_not_believed),
	  RUN(identity, is_the_first_of_p_associated_uri), RUN(from, of_somebody_else_is_403),
	  RUN(from, of_any_identity_of_the_binding_passes),
	  RUN(from, that_is_anonymous_passes_and_the_identity_is_asserted),
	  RUN(from, is_not_looked_at_when_configured_so),
	  RUN(token, on_a_registered_flow_is_removed_and_not_looked_at),
	  RUN(method, inside_a_dialog_without_our_route_is_403),
	  RUN(method, to_an_emergency_service_is_380),
	  RUN(answer, is_relayed_without_our_via_and_charging),
	  RUN(answer, with_privacy_id_loses_the_identity),
	  RUN(answer, provisional_is_relayed_but_100_is_not),
	  RUN(answer, overload_of_the_core_is_500_with_its_retry_after),
	  RUN(route, that_is_our_own_path_is_taken_off),
	  RUN(route, that_is_the_path_of_another_wic_is_403),
	  RUN(route, with_a_transport_that_we_do_not_speak_is_left_to_the_next_hop),
	  RUN(route, of_a_configured_next_hop_uses_its_transport))
