/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* REGISTER with a token: PROTOCOL 5, 9.2, 9.3, 9.4. */

/* PROTOCOL 5.7, as it stands there. */
static const char *register_57(const char *token)
{
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS k3j2h1.invalid;branch=z9hG4bK7100" CRLF
		      "Max-Forwards: 70" CRLF "From: <sip:alice@home1.net>;tag=a9" CRLF
		      "To: <sip:alice@home1.net>" CRLF "Call-ID: r2@k3j2h1.invalid" CRLF
		      "CSeq: 1 REGISTER" CRLF
		      "Contact: <sip:x1@k3j2h1.invalid;transport=ws>;reg-id=1;"
		      "+sip.instance=\"<urn:uuid:6c1e>\"" CRLF "Expires: 600000" CRLF
		      "Supported: path, outbound, gruu" CRLF
		      "Authorization: Bearer access_token=\"%s\"" CRLF CRLF,
		      token);
}

/* ---- what the core gets --------------------------------------------------------------------- */

TEST(request, of_protocol_5_7_becomes_the_mw_message_of_5_7)
{
	const char *mw;

	world_start();
	mw = mw_register(register_57(token_alice(3570)));
	EXPECT_EQ(0, strncmp(mw, "REGISTER sip:home1.net SIP/2.0" CRLF "Via: ", 36));
	EXPECT_EQ(2, lines(mw, "Via"));
	EXPECT_EQ(0,
		  strncmp(line_n(mw, "Via", 0), "SIP/2.0/TCP 192.0.2.10:5070;branch=z9hG4bK", 42));
	EXPECT_TEXT("SIP/2.0/WSS k3j2h1.invalid;branch=z9hG4bK7100", line_n(mw, "Via", 1));
	EXPECT_LINE("69", mw, "Max-Forwards");
	EXPECT_EQ(1, lines(mw, "Path"));
	EXPECT_LINE("path", mw, "Require");
	EXPECT_LINE("path, outbound, gruu", mw, "Supported");
	EXPECT_EQ(1, lines(mw, "Supported"));
	EXPECT_LINE("<sip:alice@home1.net>;tag=a9", mw, "From");
	EXPECT_LINE("<sip:alice@home1.net>", mw, "To");
	EXPECT_LINE("r2@k3j2h1.invalid", mw, "Call-ID");
	EXPECT_LINE("1 REGISTER", mw, "CSeq");
	EXPECT_LINE("<sip:x1@k3j2h1.invalid;transport=ws>;reg-id=1;"
		    "+sip.instance=\"<urn:uuid:6c1e>\";expires=3570",
		    mw, "Contact");
	EXPECT_LINE("3570", mw, "Expires");
	EXPECT_EQ(1, lines(mw, "Expires"));
	EXPECT_EQ(1, lines(mw, "Authorization"));
	EXPECT_LINE("Digest username=\"alice@ims.home1.net\",realm=\"home1.net\",nonce=\"\","
		    "uri=\"sip:home1.net\",response=\"\",integrity-protected=\"auth-done\"",
		    mw, "Authorization");
	EXPECT_LINE("\"home1.net\"", mw, "P-Visited-Network-ID");
	EXPECT_EQ(1, lines(mw, "P-Charging-Vector"));
	EXPECT_LINE("0", mw, "Content-Length");
}

TEST(request, has_a_path_with_the_flow_token_and_ob)
{
	struct flow_token flow;
	const char *path;

	world_start();
	path = line(mw_register(register_57(token_alice(3570))), "Path");
	EXPECT_EQ(0, strncmp(path, "<sip:Ft1.", 9));
	EXPECT_TEXT("@192.0.2.10:5070;transport=tcp;lr;ob>", strchr(path, '@'));
	EXPECT_EQ(GW_OK,
		  flow_token_read(world.gw, span_of(path + 5, FLOW_TOKEN_LEN), SPAN(""), &flow));
	EXPECT_EQ(FLOW_CONNECTION, flow.kind);
	EXPECT(handle_equal(flow.handle, world.wic[0].flow));
}

TEST(request, has_no_ob_in_its_path_without_reg_id)
{
	world_start();
	EXPECT(!contains(line(mw_register(format("REGISTER sip:home1.net SIP/2.0" CRLF
						 "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
						 "From: <sip:alice@home1.net>;tag=a" CRLF
						 "To: <sip:alice@home1.net>" CRLF "Call-ID: c" CRLF
						 "CSeq: 1 REGISTER" CRLF
						 "Contact: <sip:x@a.invalid;transport=ws>" CRLF
						 "Authorization: Bearer %s" CRLF CRLF,
						 token_alice(3570))),
			      "Path"),
			 ";ob"));
}

TEST(request, has_a_charging_vector_with_a_bare_host_and_the_visited_network)
{
	const char *vector;

	world_start();
	vector = line(mw_register(register_57(token_alice(3570))), "P-Charging-Vector");
	EXPECT_EQ(0, strncmp(vector, "icid-value=\"", 12));
	EXPECT(contains(vector, "\";icid-generated-at=192.0.2.10;orig-ioi=\"home1.net\""));
	EXPECT(!contains(vector, "term-ioi"));
}

TEST(request, has_a_new_charging_identifier_each_time)
{
	const char *first, *second;

	world_start();
	first = format("%s",
		       line(mw_register(register_57(token_alice(3570))), "P-Charging-Vector"));
	second = line(mw_register(register_57(token_alice(3570))), "P-Charging-Vector");
	EXPECT(strcmp(first, second) != 0);
}

TEST(request, of_another_home_network_carries_its_realm_flag_and_networks)
{
	const char *mw;

	world_start();
	mw = mw_register(
		format("REGISTER sip:home2.net SIP/2.0" CRLF
		       "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		       "From: <sip:carol@home2.net>;tag=a" CRLF "To: <sip:carol@home2.net>" CRLF
		       "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF
		       "Contact: <sip:x@a.invalid;transport=ws>" CRLF
		       "Authorization: Bearer %s" CRLF CRLF,
		       token_of(GOOD_HEADER,
				payload_of("carol@ims.home2.net", "sip:carol@home2.net", 900))));
	EXPECT(contains(line(mw, "Authorization"), "realm=\"home2.net\""));
	EXPECT(contains(line(mw, "Authorization"), "integrity-protected=\"tls-yes\""));
	EXPECT_LINE("\"visited2.net\"", mw, "P-Visited-Network-ID");
	EXPECT(contains(line(mw, "P-Charging-Vector"), "orig-ioi=\"Type 1visited2.net\""));
}

/** D-19. */
TEST(request, is_not_clamped_where_registrations_may_outlive_their_tokens)
{
	const char *mw;

	world_start();
	world.wwsf[0].outlives_token = true;
	EXPECT_EQ(GW_TOKEN_SHORT, wic_sends(0, register_jssip(token_alice(50), 600)));
	world_forget();
	mw = mw_register(register_jssip(token_alice(100), 7200));
	EXPECT_LINE("7200", mw, "Expires");
	EXPECT(contains(line(mw, "Contact"), ";expires=7200"));
	core_registers(3600);
	EXPECT(contains(line(world_sent(world.count - 1)->text, "Contact"), ";expires=3600"));
	world_wait(3590ull * 1000000);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(20ull * 1000000);
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

/** D-15. */
TEST(request, names_the_third_party_that_vouches_for_the_user)
{
	static const char wanted[] =
		"Digest username=\"alice@ims.home1.net\",realm=\"home1.net\",nonce=\"\","
		"uri=\"sip:home1.net\",response=\"\",integrity-protected=\"auth-done\","
		"x-waf=\"waf.shop.example\"";

	world_start();
	world.wwsf[0].waf_parameter = SPAN("x-waf");
	world.wwsf[0].waf_identity = SPAN("waf.shop.example");
	EXPECT_LINE(wanted, mw_register(register_jssip(token_alice(3570), 600)), "Authorization");
	core_registers(600);
	/* also where no token came along */
	EXPECT_LINE(wanted, mw_register(register_jssip(NULL, 0)), "Authorization");
}

TEST(request, carries_no_byte_of_the_token_to_the_core)
{
	const char *mw, *token;

	world_start();
	token = token_alice(3570);
	mw = mw_register(register_57(token));
	EXPECT(!contains(mw, "bearer"));
	EXPECT(!contains(mw, "access_token"));
	for (size_t i = 0; i + 8 <= strlen(token); i++)
		EXPECT(strstr(mw, format("%.8s", token + i)) == NULL);
}

TEST(request, of_jssip_reaches_the_core)
{
	const char *mw;

	world_start();
	mw = mw_register(register_jssip(token_alice(3570), 600));
	EXPECT_LINE("68", mw, "Max-Forwards");
	EXPECT_LINE("600", mw, "Expires");
	EXPECT_LINE(OUR_CONTACT ";+sip.ice;reg-id=1;"
				"+sip.instance=\"<urn:uuid:dacc2777-085b-4952-83a1-fd586f2f5565>\";"
				"expires=600",
		    mw, "Contact");
	EXPECT_LINE("path,gruu,outbound", mw, "Supported");
	EXPECT_LINE("JsSIP 3.13.8", mw, "User-Agent");
	EXPECT(!contains(mw, "bearer"));
}

TEST(request, of_sipjs_without_an_expires_header_reaches_the_core_with_one)
{
	const char *mw;

	world_start();
	mw = mw_register(register_sipjs(token_alice(3570), 600));
	EXPECT_LINE("600", mw, "Expires");
	EXPECT(contains(line(mw, "Contact"), ";expires=600"));
	EXPECT(!contains(mw, "bearer"));
}

TEST(request, is_clamped_to_the_token_in_expires_and_contact)
{
	const char *mw;

	world_start();
	mw = mw_register(register_jssip(token_alice(1000), 600000));
	EXPECT_LINE("1000", mw, "Expires");
	EXPECT(contains(line(mw, "Contact"), ";expires=1000"));
	EXPECT(!contains(mw, "600000"));
}

TEST(request, of_sipjs_is_clamped_too)
{
	const char *mw;

	world_start();
	mw = mw_register(register_sipjs(token_alice(1000), 600000));
	EXPECT_LINE("1000", mw, "Expires");
	EXPECT(contains(line(mw, "Contact"), ";expires=1000"));
	EXPECT(!contains(mw, "600000"));
}

/** alice's REGISTER with this Contact line and these lines. */
static const char *with_contact(const char *contact, const char *more)
{
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		      "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:alice@home1.net>" CRLF
		      "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF "%s%s"
		      "Authorization: Bearer %s" CRLF CRLF,
		      contact, more, token_alice(3570));
}

TEST(request, asks_for_the_default_when_it_says_nothing)
{
	const char *mw;

	world_start();
	mw = mw_register(with_contact("Contact: <sip:x@a.invalid;transport=ws>" CRLF, ""));
	EXPECT_LINE("600", mw, "Expires");
	EXPECT_LINE("<sip:x@a.invalid;transport=ws>;expires=600", mw, "Contact");
	EXPECT_LINE("path", mw, "Supported");
	EXPECT_LINE("70", mw, "Max-Forwards");
}

/* RFC 3261 10.3 step 6: the Contact's own word counts, and Mw has one number in both places. */
TEST(request, asks_for_what_its_contact_says_and_not_its_header)
{
	static const char *const contact[] = {"300", "900"};

	for (uint32_t i = 0; i < 2; i++) {
		const char *mw;

		world_start();
		mw = mw_register(with_contact(format("Contact: <sip:x@a.invalid>;expires=%s" CRLF,
						     contact[i]),
					      "Expires: 600" CRLF));
		EXPECT_LINE(contact[i], mw, "Expires");
		EXPECT_EQ(1, lines(mw, "Expires"));
		EXPECT_LINE(format("<sip:x@a.invalid>;expires=%s", contact[i]), mw, "Contact");
	}
}

TEST(request, is_clamped_in_every_spelling)
{
	static const char *const contact[] = {
		"Contact: <sip:x@a.invalid> ;\tEXPIRES\r\n =\r\n 9000000;q=1",
		"m:sip:x@a.invalid;expires=9000000",
		"CONTACT : \"a;expires=7\" "
		"<sip:x@a.invalid;expires=8>;x=\";expires=9\";expires=9000000",
	};

	for (uint32_t i = 0; i < sizeof(contact) / sizeof(contact[0]); i++) {
		const char *mw;

		world_start();
		mw = mw_register(
			with_contact(format("%s" CRLF, contact[i]), "Expires: 9000000" CRLF));
		EXPECT(!contains(mw, "9000000"));
		EXPECT_LINE("3570", mw, "Expires");
		EXPECT(contains(strstr(mw, "x@a.invalid"), "3570"));
	}
}

/** What could be read in two ways is no lifetime. */
TEST(request, with_a_lifetime_that_is_none_or_two_is_400)
{
	static const char *const all[] = {
		"Contact: <sip:x@a.invalid>" CRLF "Expires: 60" CRLF "Expires: 9000000" CRLF,
		"Contact: <sip:x@a.invalid>" CRLF "Expires: 60, 9000000" CRLF,
		"Contact: <sip:x@a.invalid>;expires=\"9000000\"" CRLF,
		"Contact: <sip:x@a.invalid>;expires=" CRLF "Expires: 60" CRLF,
		"Contact: <sip:x@a.invalid>;expires=-1" CRLF,
		"Contact: *" CRLF "Expires: 0" CRLF "Expires: 60" CRLF,
		"Contact: *;expires=60" CRLF "Expires: 0" CRLF,
	};

	for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		world_start();
		EXPECT(wic_sends(0, with_contact(all[i], "")) != GW_OK);
		EXPECT_EQ(400, status_of(world_only(TO_WIC)));
	}
}

TEST(request, whose_contact_says_0_unregisters_whatever_its_header_says)
{
	world_start();
	world_register();
	mw_register(with_contact("Contact: " OUR_CONTACT ";expires=0" CRLF, "Expires: 600" CRLF));
	EXPECT_LINE(OUR_CONTACT ";expires=0", world_only(TO_MW), "Contact");
	core_answers("200 OK", "");
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(request, with_a_contact_without_brackets_is_clamped)
{
	world_start();
	EXPECT_LINE("sip:x@a.invalid;transport=ws;expires=3570",
		    mw_register(with_contact("m: sip:x@a.invalid;transport=ws" CRLF,
					     "Expires: 9999999999999" CRLF)),
		    "m");
}

TEST(request, with_two_expires_parameters_is_refused)
{
	world_start();
	EXPECT_EQ(GW_SIP_CONTACT,
		  wic_sends(0, with_contact(
				       "Contact: <sip:x@a.invalid>;expires=60;EXPIRES=900000" CRLF,
				       "")));
	EXPECT_EQ(400, status_of(world_only(TO_WIC)));
}

TEST(request, with_two_contacts_is_refused)
{
	world_start();
	EXPECT_EQ(GW_SIP_CONTACT,
		  wic_sends(0, with_contact("Contact: <sip:x@a.invalid>, <sip:y@a.invalid>" CRLF,
					    "")));
	EXPECT_EQ(GW_SIP_CONTACT, wic_sends(0, with_contact("Contact: <sip:x@a.invalid>" CRLF
							    "m: <sip:y@a.invalid>" CRLF,
							    "")));
}

TEST(request, with_header_fields_in_its_contact_is_refused)
{
	world_start();
	EXPECT_EQ(GW_SIP_CONTACT,
		  wic_sends(0, with_contact(
				       "Contact: <sip:x@a.invalid?Route=%3Csip:e.example%3E>" CRLF,
				       "")));
	EXPECT_EQ(400, status_of(world_only(TO_WIC)));
}

TEST(request, with_a_star_and_a_time_is_refused)
{
	world_start();
	EXPECT_EQ(GW_SIP_CONTACT,
		  wic_sends(0, with_contact("Contact: *" CRLF, "Expires: 60" CRLF)));
	EXPECT_EQ(GW_SIP_CONTACT, wic_sends(0, with_contact("Contact: *" CRLF, "")));
}

TEST(request, without_a_contact_fetches_and_changes_nothing)
{
	const char *mw;

	world_start();
	world_register();
	mw = mw_register(with_contact("", ""));
	EXPECT_NO_LINE(mw, "Contact");
	EXPECT_NO_LINE(mw, "Expires");
	EXPECT(contains(mw, "auth-done"));
	core_answers("200 OK", "Contact: " OUR_CONTACT ";expires=500" CRLF);
	EXPECT_EQ(200, status_of(world_sent(1)->text));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

/* PROTOCOL 9.2, first row. */
TEST(request, keeps_its_request_uri_as_it_was_written)
{
	static const char *const uris[] = {"sip:home1.net", "sip:HOME1.net", "SIP:home1.net",
					   "sip:home1.net;transport=ws"};

	for (uint32_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		const char *mw;

		world_start();
		mw = mw_register(format("REGISTER %s SIP/2.0%s", uris[i],
					strstr(register_jssip(token_alice(3570), 600), CRLF)));
		EXPECT_EQ(0, strncmp(mw, format("REGISTER %s SIP/2.0" CRLF, uris[i]),
				     strlen(uris[i]) + 19));
	}
}

TEST(request, without_hops_left_is_483)
{
	world_start();
	EXPECT_EQ(GW_SIP_MAX_FORWARDS, wic_sends(0, with_contact("Contact: <sip:x@a.invalid>" CRLF,
								 "Max-Forwards: 0" CRLF)));
	EXPECT_EQ(483, status_of(world_only(TO_WIC)));
}

TEST(request, with_a_proxy_require_that_nobody_knows_is_420_and_names_it)
{
	world_start();
	EXPECT_EQ(GW_SIP_EXTENSION,
		  wic_sends(0, with_contact("Contact: <sip:x@a.invalid>" CRLF,
					    "Proxy-Require: sec-agree, nobody" CRLF)));
	EXPECT_EQ(420, status_of(world_only(TO_WIC)));
	EXPECT_LINE("nobody", world_only(TO_WIC), "Unsupported");
}

TEST(request, has_no_ob_in_its_path_for_a_reg_id_of_the_uri)
{
	world_start();
	EXPECT(!contains(line(mw_register(with_contact(
				      "Contact: \";reg-id=1\" <sip:x@a.invalid;reg-id=1>" CRLF,
				      "")),
			      "Path"),
			 ";ob"));
}

TEST(request, has_the_length_of_its_body)
{
	const char *request = with_contact("Contact: <sip:x@a.invalid>" CRLF,
					   "Content-Type: text/plain" CRLF "l: 5" CRLF);
	const char *mw;

	world_start();
	mw = mw_register(format("%shellobeyond", request));
	EXPECT_EQ(1, lines(mw, "Content-Length") + lines(mw, "l"));
	EXPECT_TEXT("5", lines(mw, "l") == 1 ? line(mw, "l") : line(mw, "Content-Length"));
	EXPECT_TEXT(CRLF CRLF "hello", strstr(mw, CRLF CRLF));
}

TEST(request, drops_our_own_route_and_what_is_behind_it)
{
	world_start();
	world_register();
	EXPECT_NO_LINE(mw_register(with_contact("Contact: <sip:x@a.invalid>" CRLF,
						format("Route: <%s>" CRLF
						       "Route: <sip:icscf.home1.net;lr>" CRLF,
						       path_uri()))),
		       "Route");
	EXPECT(endpoint_same_host(&world.hop[0].address, &world_sent(0)->target.address));
}

TEST(request, drops_routes_and_preferred_identities)
{
	const char *mw;

	world_start();
	mw = mw_register(with_contact("Contact: <sip:x@a.invalid>" CRLF,
				      "Route: <sip:evil.example;lr>" CRLF
				      "P-Preferred-Identity: <sip:bob@home1.net>" CRLF));
	EXPECT_NO_LINE(mw, "Route");
	EXPECT_NO_LINE(mw, "P-Preferred-Identity");
	EXPECT_NO_LINE(mw, "P-Asserted-Identity");
}

TEST(request, requires_path_once_and_keeps_what_else_it_requires)
{
	const char *mw;

	world_start();
	mw = mw_register(with_contact("Contact: <sip:x@a.invalid>" CRLF,
				      "Require: gruu, PATH" CRLF "k: outbound" CRLF));
	EXPECT_EQ(1, lines(mw, "Require"));
	EXPECT_LINE("gruu, PATH", mw, "Require");
	EXPECT_LINE("outbound", mw, "k");
	EXPECT_LINE("path", mw, "Supported");
}

TEST(request, keeps_the_access_network_of_the_client_and_no_networks_word)
{
	const char *mw;

	world_start();
	mw = mw_register(with_contact("Contact: <sip:x@a.invalid>" CRLF,
				      "P-Access-Network-Info: IEEE-802.11" CRLF
				      "P-Access-Network-Info: 3GPP-GERAN;np" CRLF));
	EXPECT_EQ(1, lines(mw, "P-Access-Network-Info"));
	EXPECT_LINE("IEEE-802.11", mw, "P-Access-Network-Info");
}

TEST(request, loses_what_proxies_are_not_to_know_and_the_length_is_counted_anew)
{
	const char *mw;

	world_start();
	mw = mw_register(with_contact("Contact: <sip:x@a.invalid>" CRLF,
				      "Proxy-Require: sec-agree" CRLF "l: 0" CRLF));
	EXPECT_NO_LINE(mw, "Proxy-Require");
	EXPECT_EQ(1, lines(mw, "l") + lines(mw, "Content-Length"));
}

/* RFC 4475 3.3.12 and 3.3.13: a parameter of the Contact is not one of its URI. */
TEST(request, keeps_parameters_of_its_contact_where_they_stand)
{
	world_start();
	EXPECT_LINE("sip:user@example.com;unknownparam;expires=600",
		    mw_register(
			    with_contact("Contact: sip:user@example.com;unknownparam" CRLF, "")),
		    "Contact");
	core_answers("403 Forbidden", "");
	EXPECT_LINE("<sip:user@example.com;unknownparam>;expires=600",
		    mw_register(
			    with_contact("Contact: <sip:user@example.com;unknownparam>" CRLF, "")),
		    "Contact");
}

TEST(request, goes_to_the_first_next_hop_that_is_up)
{
	world_start();
	world.hop_down[0] = true;
	mw_register(register_jssip(token_alice(3570), 600));
	EXPECT(endpoint_same_host(&world.hop[1].address, &world_sent(0)->target.address));
}

TEST(request, is_answered_504_when_no_next_hop_is_up)
{
	world_start();
	world.hop_down[0] = true;
	world.hop_down[1] = true;
	EXPECT_EQ(GW_MW_DOWN, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(504, status_of(world_only(TO_WIC)));
	EXPECT_EQ(0, world_transactions());
}

TEST(request, is_answered_503_when_no_signature_can_be_checked_now)
{
	world_start();
	world.no_job = true;
	EXPECT_EQ(GW_POOL_EMPTY, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, lines(world_only(TO_WIC), "Retry-After"));
}

TEST(request, gives_every_verify_job_back)
{
	world_start();
	world_register();
	EXPECT_EQ(0, world.jobs);
}

TEST(request, is_refused_when_the_transactions_are_used_up)
{
	world_start();
	for (uint32_t i = 0; i < 8; i++)
		EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	world_forget();
	EXPECT_EQ(GW_TRANSACTION_LIMIT, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, lines(world_only(TO_WIC), "Retry-After"));
}

TEST(request, of_a_flow_that_owes_too_many_is_refused_and_others_are_not)
{
	world_start();
	gateway_free(world.gw);
	world.gateway_config.max_transactions = 1000;
	world.gw = gateway_new(&world.gateway_config);
	assert_non_null(world.gw);
	world_wait(1);
	world_register();
	for (uint32_t i = 0; i < 64; i++, world_forget())
		EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	EXPECT_EQ(64, world.wic[0].requests);
	EXPECT_EQ(GW_TRANSACTION_LIMIT, wic_sends(0, message_with("")));
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
	world_forget();
	EXPECT_EQ(GW_TRANSACTION_LIMIT, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_alice(3570), 600)));
	world_forget();
	core_sends(core_message(path_uri(), "")); /* its debts are not those of its callers */
	world_only(TO_WIC);
	gateway_flow_ended(world.gw, &world.wic[0]);
	EXPECT_EQ(0, world.wic[0].requests);
}

TEST_MAIN("gateway_register", RUN(request, of_protocol_5_7_becomes_the_mw_message_of_5_7),
	  RUN(request, has_a_path_with_the_flow_token_and_ob),
	  RUN(request, has_no_ob_in_its_path_without_reg_id),
	  RUN(request, has_a_charging_vector_with_a_bare_host_and_the_visited_network),
	  RUN(request, has_a_new_charging_identifier_each_time),
	  RUN(request, of_another_home_network_carries_its_realm_flag_and_networks),
	  RUN(request, carries_no_byte_of_the_token_to_the_core),
	  RUN(request, of_jssip_reaches_the_core),
	  RUN(request, of_sipjs_without_an_expires_header_reaches_the_core_with_one),
	  RUN(request, is_clamped_to_the_token_in_expires_and_contact),
	  RUN(request, of_sipjs_is_clamped_too),
	  RUN(request, asks_for_the_default_when_it_says_nothing),
	  RUN(request, asks_for_what_its_contact_says_and_not_its_header),
	  RUN(request, is_clamped_in_every_spelling),
	  RUN(request, with_a_lifetime_that_is_none_or_two_is_400),
	  RUN(request, whose_contact_says_0_unregisters_whatever_its_header_says),
	  RUN(request, with_a_contact_without_brackets_is_clamped),
	  RUN(request, with_two_expires_parameters_is_refused),
	  RUN(request, with_two_contacts_is_refused),
	  RUN(request, with_header_fields_in_its_contact_is_refused),
	  RUN(request, with_a_star_and_a_time_is_refused),
	  RUN(request, without_a_contact_fetches_and_changes_nothing),
	  RUN(request, keeps_its_request_uri_as_it_was_written),
	  RUN(request, without_hops_left_is_483),
	  RUN(request, with_a_proxy_require_that_nobody_knows_is_420_and_names_it),
	  RUN(request, has_no_ob_in_its_path_for_a_reg_id_of_the_uri),
	  RUN(request, has_the_length_of_its_body),
	  RUN(request, drops_our_own_route_and_what_is_behind_it),
	  RUN(request, drops_routes_and_preferred_identities),
	  RUN(request, requires_path_once_and_keeps_what_else_it_requires),
	  RUN(request, keeps_the_access_network_of_the_client_and_no_networks_word),
	  RUN(request, loses_what_proxies_are_not_to_know_and_the_length_is_counted_anew),
	  RUN(request, keeps_parameters_of_its_contact_where_they_stand),
	  RUN(request, goes_to_the_first_next_hop_that_is_up),
	  RUN(request, is_answered_504_when_no_next_hop_is_up),
	  RUN(request, is_answered_503_when_no_signature_can_be_checked_now),
	  RUN(request, is_not_clamped_where_registrations_may_outlive_their_tokens),
	  RUN(request, names_the_third_party_that_vouches_for_the_user),
	  RUN(request, gives_every_verify_job_back),
	  RUN(request, is_refused_when_the_transactions_are_used_up),
	  RUN(request, of_a_flow_that_owes_too_many_is_refused_and_others_are_not))
