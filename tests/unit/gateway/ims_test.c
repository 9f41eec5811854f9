/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* REGISTER of users whom the core authenticates: PROTOCOL 4, scenario 1. */

#define IMPI "alice@ims.home1.net"
#define DIGEST(rest) "Digest username=\"" IMPI "\",realm=\"home1.net\"," rest
#define RESPONSE \
	DIGEST("nonce=\"9f\",uri=\"sip:home1.net\",response=\"6629fae4\",algorithm=MD5,qop=auth," \
	       "nc=00000001,cnonce=\"0a4f\"")
#define PENDING ",integrity-protected=\"tls-pending\""

static void ims_start(void)
{
	world_start();
	world.wwsf[0].mode = WWSF_IMS_AUTH;
	world.wwsf[0].issuer = WWSF_NO_ISSUER;
}

/* JsSIP's REGISTER of alice with these lines. */
static const char *with_lines(const char *more, uint32_t expires_s)
{
	const char *request = register_jssip(NULL, expires_s), *at = strstr(request, "Expires:");

	return format("%.*s%s%s", (int)(at - request), request, more, at);
}

/* With this credential; NULL: none. */
static const char *with_digest(const char *credential)
{
	return with_lines(credential != NULL ? format("Authorization: %s" CRLF, credential) : "",
			  600);
}

/* What the core gets of it as its credential. */
static const char *mw_credential(const char *credential)
{
	const char *mw = mw_register(with_digest(credential));

	EXPECT_EQ(1, lines(mw, "Authorization"));
	return line(mw, "Authorization");
}

/* The core's last word on what it got last. */
static void core_refuses(void)
{
	core_answers("403 Forbidden", "");
	world_forget();
}

/* A registration with a challenge, as it goes in full. */
static void ims_register(void)
{
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(NULL)));
	core_answers("401 Unauthorized",
		     "WWW-Authenticate: Digest realm=\"home1.net\",nonce=\"9f\"" CRLF);
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(RESPONSE)));
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, world_transactions());
	world_forget();
}

/* ---- what the core is told ------------------------------------------------------------------ */

TEST(request, without_a_credential_goes_on_without_one)
{
	const char *mw;

	ims_start();
	mw = mw_register(with_digest(NULL));
	EXPECT_NO_LINE(mw, "Authorization");
	EXPECT(line(mw, "Path") != NULL);
	EXPECT_LINE("\"home1.net\"", mw, "P-Visited-Network-ID");
	EXPECT_LINE("path", mw, "Require");
	EXPECT_EQ(1, lines(mw, "P-Charging-Vector"));
	EXPECT_LINE("<sip:alice@home1.net>", mw, "To");
	EXPECT_LINE("68", mw, "Max-Forwards");
}

TEST(request, of_protocol_4_4_is_pending)
{
	ims_start();
	EXPECT_TEXT(RESPONSE PENDING, mw_credential(RESPONSE));
	EXPECT(contains(world_sent(0)->text, ";lr;ob>"));
}

TEST(request, without_a_response_is_not_called_anything)
{
	static const char *const all[] = {
		DIGEST("nonce=\"\",uri=\"sip:home1.net\",response=\"\""),
		DIGEST("nonce=\"\",uri=\"sip:home1.net\""),
	};

	for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		ims_start();
		EXPECT_TEXT(all[i], mw_credential(all[i]));
	}
}

TEST(request, keeps_every_byte_of_its_credential)
{
	static const char credential[] =
		"dIGEST  realm = \"home1.net\" ,uri=\"sip:home1.net\",\r\n\tresponse= \"66\" , "
		"x-y=\"a \\\" , b\",username=\"" IMPI "\" , opaque=\"<,\"";

	ims_start();
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(credential)));
	EXPECT(strstr(world_only(TO_MW), format("Authorization: %s" PENDING CRLF, credential)) !=
	       NULL);
}

TEST(request, says_nothing_of_its_own_protection)
{
	static const char *const spellings[][2] = {
		{DIGEST("response=\"6\",integrity-protected=\"yes\""),
		 DIGEST("response=\"6\"") PENDING},
		{DIGEST("integrity-protected=auth-done,response=\"6\""),
		 DIGEST("response=\"6\"") PENDING},
		{DIGEST("response=\"6\" , Integrity-PROTECTED = \"tls-yes\" ,nc=1"),
		 DIGEST("response=\"6\" ,nc=1") PENDING},
		{DIGEST("response=\"6\",\r\n integrity-protected\r\n =\r\n yes"),
		 DIGEST("response=\"6\"") PENDING},
		{DIGEST("response=\"6\",integrity-protected=\"\\y\\e\\s\""),
		 DIGEST("response=\"6\"") PENDING},
		{"Digest integrity-protected=yes,username=\"" IMPI "\",response=\"6\"",
		 "Digest username=\"" IMPI "\",response=\"6\"" PENDING},
		{"Digest integrity-protected=yes, integrity-protected=no,username=\"" IMPI
		 "\",response=\"6\"",
		 "Digest username=\"" IMPI "\",response=\"6\"" PENDING},
		{DIGEST("response=\"6\",integrity-protected=yes,integrity-protected=yes,nc=1,"
			"integrity-protected=\"auth-done\""),
		 DIGEST("response=\"6\",nc=1") PENDING},
		{DIGEST("response=\"6\",authorization-entity=\"waf\""),
		 DIGEST("response=\"6\"") PENDING},
		{DIGEST("authorization-entity=waf,integrity-protected=yes"),
		 "Digest username=\"" IMPI "\",realm=\"home1.net\""},
	};

	for (uint32_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		ims_start();
		EXPECT_TEXT(spellings[i][1], mw_credential(spellings[i][0]));
	}
}

TEST(request, that_another_parser_might_read_otherwise_is_400)
{
	static const char *const hostile[] = {
		"Digest",
		"Digest integrity-protected=yes",
		"Digest realm=\"home1.net\",response=\"6\"",			/* no user */
		DIGEST("response=\"6"),						/* no end */
		DIGEST("response=\"6\";integrity-protected=yes"),		/* no comma */
		DIGEST("response=\"6\" integrity-protected=yes"),		/* no comma */
		DIGEST("response=6;integrity-protected=yes"),			/* no token */
		DIGEST("response=\"6\",\"integrity-protected\"=yes"),		/* no name */
		DIGEST("response=\"6\",integrity\\-protected=yes"),		/* no name */
		DIGEST("response=\"6\",integrity%2Dprotected=yes"),		/* escaped */
		DIGEST("response=\"6\",opaque=\"a, integrity-protected=yes\""), /* in a string */
		DIGEST("response=\"6\",opaque=\"\\\",integrity-protected=yes,x=\\\"\""),
		DIGEST("response=\"6\",x=\"authorization-entity\""),
		DIGEST("response=\"6\",access_token=\"eyJ\""),
		DIGEST("response=\"6\", Bearer eyJ"),
		DIGEST("response=\"6\", Digest integrity-protected=\"yes\""),
		DIGEST("response=\"6\", Digest username=\"bob@ims.home1.net\",response=\"7\""),
		DIGEST("response=\"6\",response=\"\""),
		DIGEST("response=\"6\",username=\"bob@ims.home1.net\""),
		DIGEST("response=\"6\",USERNAME=bob"),
		DIGEST("response=\"6\",username*=UTF-8''bob"),
		DIGEST("response=\"6\",userhash=true"),
		DIGEST("response=\"6\",algorithm=\"AKAv2\\-SHA-256\""),
		DIGEST("response=\"6\",algorithm=MD5,algorithm=AKAv2-SHA-256"),
		DIGEST("response=\"6\",opaque=<,integrity-protected=yes"),
		DIGEST("response=\"6\",=yes"),
	};

	for (uint32_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		ims_start();
		EXPECT(wic_sends(0, with_digest(hostile[i])) != GW_OK);
		EXPECT_EQ(400, status_of(world_only(TO_WIC)));
		EXPECT_EQ(0, world_transactions());
	}
}

TEST(request, with_more_parameters_than_are_looked_at_is_400)
{
	const char *more = "";

	ims_start();
	for (uint32_t i = 0; i < SIP_PARAMS_MAX; i++)
		more = format("%s,x%u=1", more, i);
	EXPECT_EQ(GW_SIP_HEADER, wic_sends(0, with_digest(format("%s%s", RESPONSE, more))));
}

TEST(request, with_two_digests_is_400)
{
	ims_start();
	EXPECT_EQ(GW_SIP_REPEATED,
		  wic_sends(0, with_lines("Authorization: " RESPONSE CRLF
					  "AUTHORIZATION : digest username=\"bob@h\"" CRLF,
					  600)));
	EXPECT_EQ(400, status_of(world_only(TO_WIC)));
}

TEST(request, of_no_private_identity_is_403)
{
	static const char *const users[] = {"alice", "@home1.net", "alice@", "a b@home1.net", ""};

	for (uint32_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		ims_start();
		EXPECT_EQ(GW_IDENTITY_MISMATCH,
			  wic_sends(0, with_digest(format("Digest username=\"%s\",response=\"6\"",
							  users[i]))));
		EXPECT_EQ(403, status_of(world_only(TO_WIC)));
	}
}

TEST(request, of_another_scheme_goes_on_without_it)
{
	ims_start();
	EXPECT_NO_LINE(mw_register(with_digest("NoOneKnowsThisScheme opaque-data=here")),
		       "Authorization");
	core_refuses();
	EXPECT_TEXT(RESPONSE PENDING,
		    line(mw_register(with_lines("Authorization: Basic x" CRLF
						"Authorization: " RESPONSE CRLF
						"Proxy-Authorization: Basic x" CRLF,
						600)),
			 "Authorization"));
	EXPECT_EQ(1, lines(world_sent(0)->text, "Authorization"));
	EXPECT_NO_LINE(world_sent(0)->text, "Proxy-Authorization");
}

TEST(request, of_aka_is_connected_with_and_without_a_response)
{
	static const char *const all[] = {
		DIGEST("nonce=\"\",response=\"\",algorithm=AKAv2-SHA-256"),
		DIGEST("nonce=\"\",algorithm=\"akav2-sha-256\""),
		DIGEST("nonce=\"9f\",response=\"66\",algorithm=AKAv2-SHA-256"),
	};

	for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		ims_start();
		EXPECT_TEXT(format("%s,integrity-protected=\"tls-connected\"", all[i]),
			    mw_credential(all[i]));
	}
}

TEST(request, of_aka_is_connected_on_a_flow_that_is_bound_too)
{
	ims_start();
	ims_register();
	EXPECT(contains(mw_credential(DIGEST("response=\"6\",algorithm=AKAv2-SHA-256")),
			"\"tls-connected\""));
}

TEST(request, that_begins_aka_by_configuration_is_connected)
{
	static const char first[] = DIGEST("nonce=\"\",response=\"\"");

	ims_start();
	world.wwsf[0].aka = true;
	EXPECT_TEXT(format("%s,integrity-protected=\"tls-connected\"", first),
		    mw_credential(first));
	core_refuses();
	EXPECT_TEXT(RESPONSE PENDING, mw_credential(RESPONSE));
}

TEST(request, of_other_algorithms_is_pending)
{
	static const char *const all[] = {"MD5", "SHA-256", "\"SHA-256\"", "AKAv1-MD5"};

	for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		ims_start();
		EXPECT(contains(mw_credential(
					format(DIGEST("response=\"6\",algorithm=%s"), all[i])),
				PENDING));
	}
}

TEST(request, on_a_flow_that_is_bound_to_its_user_is_protected)
{
	ims_start();
	ims_register();
	EXPECT_TEXT(RESPONSE ",integrity-protected=\"tls-yes\"", mw_credential(RESPONSE));
}

TEST(request, of_another_user_on_a_flow_that_is_bound_is_pending)
{
	ims_start();
	ims_register();
	EXPECT(contains(mw_credential("Digest username=\"bob@ims.home1.net\",response=\"6\""),
			PENDING));
}

TEST(request, is_pending_until_the_core_has_said_200)
{
	ims_start();
	EXPECT(contains(mw_credential(RESPONSE), PENDING));
	core_answers("401 Unauthorized", "WWW-Authenticate: Digest realm=\"h\"" CRLF);
	EXPECT(contains(mw_credential(RESPONSE), PENDING));
	core_answers("200 OK", "Contact: " OUR_CONTACT ";expires=0" CRLF);
	EXPECT(contains(mw_credential(RESPONSE), PENDING));
}

TEST(request, after_the_binding_has_ended_is_pending)
{
	ims_start();
	ims_register();
	world_wait(601 * 1000000ull);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT(contains(mw_credential(RESPONSE), PENDING));
}

TEST(request, on_another_flow_than_the_bound_one_is_pending)
{
	ims_start();
	ims_register();
	EXPECT_EQ(GW_OK, wic_sends(1, with_digest(RESPONSE)));
	EXPECT(contains(line(world_only(TO_MW), "Authorization"), PENDING));
}

TEST(request, asks_for_what_the_client_asks_for)
{
	const char *mw;

	ims_start();
	mw = mw_register(with_lines("Authorization: " RESPONSE CRLF, 600000));
	EXPECT_LINE("600000", mw, "Expires");
	EXPECT(contains(line(mw, "Contact"), ";expires=600000"));
	core_refuses();
	mw = mw_register(register_sipjs(NULL, 3600));
	EXPECT_NO_LINE(mw, "Expires");
	EXPECT(contains(line(mw, "Contact"), ";expires=3600"));
}

TEST(request, asks_for_the_default_when_it_says_nothing)
{
	const char *request = register_sipjs(NULL, 7), *at = strstr(request, ";expires=7");

	ims_start();
	EXPECT_LINE("600", mw_register(format("%.*s%s", (int)(at - request), request, at + 10)),
		    "Expires");
}

TEST(request, with_a_token_is_403)
{
	ims_start();
	EXPECT_EQ(GW_TOKEN_SCENARIO, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(403, status_of(world_only(TO_WIC)));
	EXPECT_NO_LINE(world_sent(0)->text, "WWW-Authenticate");
	world_forget();
	EXPECT_EQ(GW_TOKEN_SCENARIO, wic_sends(0, register_jssip("no.to/ken?", 600)));
	EXPECT_EQ(403, status_of(world_only(TO_WIC)));
}

TEST(request, with_a_token_beside_its_digest_is_400)
{
	ims_start();
	EXPECT_EQ(GW_TOKEN_SEVERAL, wic_sends(0, with_lines(format("Authorization: " RESPONSE CRLF
								   "Authorization: Bearer %s" CRLF,
								   token_alice(3570)),
							    600)));
	EXPECT_EQ(400, status_of(world_only(TO_WIC)));
}

TEST(request, for_somebody_else_is_403)
{
	const char *request = with_digest(RESPONSE), *at;

	ims_start();
	at = strstr(request, "To: <sip:alice@");
	EXPECT_EQ(GW_IDENTITY_THIRD_PARTY,
		  wic_sends(0, format("%.*sTo: <sip:bobby@%s", (int)(at - request), request,
				      at + 15)));
}

TEST(request, to_a_domain_that_is_not_served_is_403)
{
	ims_start();
	EXPECT_EQ(GW_DOMAIN,
		  wic_sends(0, format("REGISTER sip:home9.net%s", with_digest(RESPONSE) + 22)));
}

TEST(request, for_an_identity_of_another_home_network_is_403)
{
	ims_start();
	EXPECT_EQ(GW_DOMAIN,
		  wic_sends(0, format("REGISTER sip:home2.net%s", with_digest(RESPONSE) + 22)));
}

TEST(request, of_a_second_identity_on_a_flow_is_403)
{
	const char *request, *to, *from;

	ims_start();
	ims_register();
	request = register_jssip(NULL, 600);
	to = strstr(request, "<sip:alice@");
	from = strstr(to + 1, "<sip:alice@");
	EXPECT_EQ(GW_IDENTITY_MISMATCH,
		  wic_sends(0, format("%.*s<sip:bobby@%.*s<sip:bobby@%s", (int)(to - request),
				      request, (int)(from - to) - 11, to + 11, from + 11)));
}

TEST(request, of_a_site_that_was_taken_away_or_disabled_is_403)
{
	ims_start();
	ims_register();
	world.wic[0].disowned = true;
	EXPECT_EQ(GW_TOKEN_WWSF, wic_sends(0, with_digest(RESPONSE)));
	EXPECT_EQ(403, status_of(world_only(TO_WIC)));
	ims_start();
	world_disable("shop");
	EXPECT_EQ(GW_TOKEN_WWSF, wic_sends(0, with_digest(RESPONSE)));
}

TEST(request, of_a_site_that_was_taken_away_may_still_unregister)
{
	ims_start();
	ims_register();
	world.wic[0].disowned = true;
	EXPECT_EQ(GW_OK, wic_sends(0, with_lines("", 0)));
	EXPECT_LINE("0", world_only(TO_MW), "Expires");
}

TEST(request, when_the_transactions_are_used_up_is_503)
{
	ims_start();
	for (uint32_t i = 0; i < 8; i++)
		EXPECT_EQ(GW_OK, wic_sends(0, with_digest(RESPONSE)));
	world_forget();
	EXPECT_EQ(GW_TRANSACTION_LIMIT, wic_sends(0, with_digest(RESPONSE)));
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
}

/* ---- what the WIC is told ------------------------------------------------------------------- */

/* The core's 401 with this line as the WIC gets it. */
static const char *challenged(const char *more)
{
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(NULL)));
	core_answers("401 Unauthorized", more);
	EXPECT_EQ(401, status_of(world_sent(1)->text));
	return world_sent(1)->text;
}

TEST(challenge, reaches_the_wic_as_it_came)
{
	static const char challenge[] = "Digest realm=\"home1.net\", nonce=\"a+/ck=\" ,\r\n "
					"algorithm=AKAv2-SHA-256,qop=\"auth\"";

	ims_start();
	EXPECT(strstr(challenged(format("WWW-Authenticate: %s" CRLF, challenge)),
		      format("WWW-Authenticate: %s" CRLF, challenge)) != NULL);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(0, world_count(&world.counters.tna_challenged));
	EXPECT_EQ(0, world_count(&world.counters.register_failed));
	EXPECT_EQ(1, world_count(&world.counters.register_challenged));
}

TEST(challenge, loses_the_keys_of_aka_in_every_spelling)
{
	static const char *const all[][2] = {
		{"Digest realm=\"h\",nonce=\"n\",ck=\"00\",ik=\"11\"",
		 "Digest realm=\"h\",nonce=\"n\""},
		{"Digest realm=\"h\",ck=\"00\",nonce=\"n\" , IK = 11",
		 "Digest realm=\"h\",nonce=\"n\""},
		{"Digest ck=\"00\", ik=\"11\", realm=\"h\"", "Digest realm=\"h\""},
		{"Digest realm=\"h\",\r\n Ck\r\n =\r\n \"00\",nonce=\"n\"",
		 "Digest realm=\"h\",nonce=\"n\""},
		{"Digest realm=\"h\",ck=\"0\",ck=\"0\",ik=\"1\",ik=\"\\1\"", "Digest realm=\"h\""},
		{"Digest realm=\"a\",ck=\"0\",ik=\"1\", Digest ik=\"1\",realm=\"b\",ck=\"0\"",
		 "Digest realm=\"a\", Digest realm=\"b\""},
	};

	for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		ims_start();
		EXPECT_LINE(all[i][1], challenged(format("WWW-Authenticate: %s" CRLF, all[i][0])),
			    "WWW-Authenticate");
	}
}

TEST(challenge, of_several_lines_loses_the_keys_in_each)
{
	const char *wic;

	ims_start();
	wic = challenged("WWW-Authenticate: Digest realm=\"a\",ck=\"0\"" CRLF
			 "www-authenticate : Digest realm=\"b\",ik=\"1\"" CRLF);
	EXPECT_TEXT("Digest realm=\"a\"", line_n(wic, "WWW-Authenticate", 0));
	EXPECT_TEXT("Digest realm=\"b\"", line_n(wic, "WWW-Authenticate", 1));
}

TEST(challenge, that_might_hide_a_key_does_not_go_on)
{
	static const char *const all[] = {
		"Digest ck=\"00\"",			/* nothing is left of it */
		"Digest realm=\"h\", Digest ik=\"1\"",	/* of one of them */
		"Digest ck=\"0\", Digest realm=\"h\"",	/* of the first */
		"ck=\"00\", realm=\"h\"",		/* no scheme */
		"Digest realm=\"h\";ck=\"00\"",		/* no comma */
		"Digest realm=\"h\" ik=\"00\"",		/* no comma */
		"Digest realm=\"h\",\"ck\"=\"00\"",	/* no name */
		"Digest realm=\"h\",c\\k=\"00\"",	/* no name */
		"Digest realm=\"h\",nonce=\"n, ck=\"0", /* no string */
	};

	for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		ims_start();
		EXPECT_NO_LINE(challenged(format("WWW-Authenticate: %s" CRLF, all[i])),
			       "WWW-Authenticate");
	}
}

TEST(challenge, of_another_kind_passes)
{
	ims_start();
	EXPECT_LINE("Negotiate", challenged("WWW-Authenticate: Negotiate" CRLF),
		    "WWW-Authenticate");
}

TEST(challenge, of_a_proxy_loses_the_keys_too)
{
	const char *wic;

	ims_start();
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(NULL)));
	core_answers("407 Proxy Authentication Required",
		     "Proxy-Authenticate: Digest realm=\"h\",ck=\"0\",ik=\"1\"" CRLF);
	wic = world_sent(1)->text;
	EXPECT_EQ(407, status_of(wic));
	EXPECT_LINE("Digest realm=\"h\"", wic, "Proxy-Authenticate");
}

TEST(challenge, makes_the_registration_pending_until_a_final_answer)
{
	ims_start();
	challenged("");
	EXPECT_EQ(world.now_us, world.wic[0].challenged_us);
	world_wait(7000000);
	challenged(""); /* does not begin it again */
	EXPECT_EQ(world.now_us - 7000000, world.wic[0].challenged_us);
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(RESPONSE)));
	core_answers("403 Forbidden", "");
	EXPECT_EQ(0, world.wic[0].challenged_us);
	challenged("");
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(RESPONSE)));
	core_registers(600);
	EXPECT_EQ(0, world.wic[0].challenged_us);
}

TEST(challenge, of_a_refresh_leaves_the_binding)
{
	ims_start();
	ims_register();
	challenged("");
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT(contains(mw_credential(RESPONSE), "\"tls-yes\""));
}

TEST(challenge, may_be_answered_by_any_private_identity_of_the_user)
{
	ims_start();
	challenged("");
	EXPECT(contains(mw_credential("Digest username=\"web@wic.home1.net\",response=\"6\""),
			PENDING));
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(answer_200, shows_the_wic_what_the_core_says_to_it)
{
	const char *wic;

	ims_start();
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(RESPONSE)));
	core_answers("200 OK", "Contact: " OUR_CONTACT ";expires=7200" CRLF
			       "Authentication-Info: rspauth=\"1f\",qop=auth,nc=00000001" CRLF
			       "P-Associated-URI: <sip:a@home1.net> , <tel:+1555;x=y>" CRLF
			       "Service-Route: <sip:orig@198.18.0.30:6060;lr>" CRLF
			       "Path: <sip:Ft1.x@192.0.2.10;lr>" CRLF
			       "P-Charging-Vector: icid-value=x" CRLF "Require: outbound" CRLF);
	wic = world_sent(1)->text;
	EXPECT_LINE("rspauth=\"1f\",qop=auth,nc=00000001", wic, "Authentication-Info");
	EXPECT_LINE("<sip:a@home1.net> , <tel:+1555;x=y>", wic, "P-Associated-URI");
	EXPECT_LINE("<sip:orig@198.18.0.30:6060;lr>", wic, "Service-Route");
	EXPECT_NO_LINE(wic, "Path");
	EXPECT_NO_LINE(wic, "P-Charging-Vector");
	EXPECT_LINE("120", wic, "Flow-Timer");
}

TEST(answer_200, grants_what_the_core_grants)
{
	struct row_binding row;
	uint32_t cursor = 0;

	ims_start();
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(RESPONSE)));
	core_answers("200 OK", "Contact: " OUR_CONTACT ";expires=7200" CRLF);
	EXPECT_LINE(OUR_CONTACT ";expires=7200", world_sent(1)->text, "Contact");
	EXPECT_EQ(1, gateway_rows(world.gw, &cursor, 4, &row));
	EXPECT_EQ(7200, row.expires_s);
	EXPECT_TEXT("shop", row.wwsf);
}

TEST(answer_200, without_a_credential_binds_the_user_of_to)
{
	ims_start();
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(NULL)));
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT(contains(mw_credential("Digest username=\"alice@home1.net\",response=\"6\""),
			"\"tls-yes\""));
	EXPECT(contains(mw_credential(RESPONSE), PENDING));
}

TEST(answer_200, to_a_refresh_without_a_credential_keeps_the_user)
{
	ims_start();
	ims_register();
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(NULL)));
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT(contains(mw_credential(RESPONSE), "\"tls-yes\""));
}

TEST(answer, interval_too_brief_is_relayed_whatever_it_wants)
{
	ims_start();
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(RESPONSE)));
	core_answers("423 Interval Too Brief", "Min-Expires: 4000000000" CRLF);
	EXPECT_EQ(423, status_of(world_sent(1)->text));
	EXPECT_LINE("4000000000", world_sent(1)->text, "Min-Expires");
}

TEST(answer, of_nobody_is_504)
{
	ims_start();
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(RESPONSE)));
	world_wait(32 * 1000000ull + 2000);
	EXPECT_EQ(504, status_of(world_sent(1)->text));
}

/* ---- the binding ---------------------------------------------------------------------------- */

TEST(binding, asserts_its_identities)
{
	ims_start();
	ims_register();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	EXPECT_LINE("<sip:alice@home1.net>", world_only(TO_MW), "P-Asserted-Identity");
	EXPECT_LINE("<sip:orig@198.18.0.30:6060;lr>", world_only(TO_MW), "Route");
	world_forget();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, message_with("P-Preferred-Identity: <tel:+15551230001>" CRLF)));
	EXPECT_LINE("<tel:+15551230001>", world_only(TO_MW), "P-Asserted-Identity");
}

TEST(binding, keeps_a_token_from_the_core)
{
	ims_start();
	ims_register();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with(format("Authorization: Bearer %s" CRLF,
							  token_alice(3570)))));
	EXPECT(!contains(world_only(TO_MW), "Bearer"));
	EXPECT(!contains(world_only(TO_MW), token_alice(3570)));
}

TEST(binding, is_needed_and_a_token_is_none)
{
	ims_start();
	EXPECT_EQ(GW_NOT_REGISTERED, wic_sends(0, message_with("")));
	EXPECT_EQ(GW_NOT_REGISTERED,
		  wic_sends(0, message_with(format("Proxy-Authorization: Bearer %s" CRLF,
						   token_alice(3570)))));
	EXPECT_EQ(403, status_of(world_sent(1)->text));
}

TEST(binding, is_reached_by_the_core)
{
	const char *path;

	ims_start();
	EXPECT_EQ(GW_OK, wic_sends(0, with_digest(RESPONSE)));
	path = line(world_sent(0)->text, "Path");
	core_registers(600);
	world_forget();
	core_sends(core_message(format("%.*s", (int)strcspn(path + 1, ">"), path + 1), ""));
	EXPECT(contains(world_only(TO_WIC), "MESSAGE sip:mfdnmi6p@"));
}

TEST(binding, ends_with_its_unregistration)
{
	ims_start();
	ims_register();
	EXPECT_EQ(GW_OK, wic_sends(0, with_lines("Authorization: " RESPONSE CRLF, 0)));
	EXPECT_TEXT(RESPONSE ",integrity-protected=\"tls-yes\"",
		    line(world_only(TO_MW), "Authorization"));
	core_answers("200 OK", "Contact: " OTHER_CONTACT ";expires=90" CRLF "Expires: 90" CRLF);
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(binding, ends_with_a_star)
{
	const char *request, *at;

	ims_start();
	ims_register();
	request = with_lines("", 0);
	at = strstr(request, "Contact:");
	EXPECT_EQ(GW_OK, wic_sends(0, format("%.*sContact: *" CRLF "%s", (int)(at - request),
					     request, strstr(at, "Allow:"))));
	EXPECT_LINE("*", world_only(TO_MW), "Contact");
	EXPECT_LINE("0", world_only(TO_MW), "Expires");
	core_answers("200 OK", "");
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(binding, is_not_changed_by_a_fetch)
{
	const char *request, *at;

	ims_start();
	ims_register();
	request = with_lines("", 600);
	at = strstr(request, "Expires:");
	EXPECT_EQ(GW_OK, wic_sends(0, format("%.*s%s", (int)(at - request), request,
					     strstr(at, "Allow:"))));
	EXPECT_NO_LINE(world_only(TO_MW), "Expires");
	core_answers("200 OK", "Contact: " OTHER_CONTACT ";expires=90" CRLF);
	EXPECT_EQ(200, status_of(world_sent(1)->text));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(binding, is_ended_when_its_site_is_disabled)
{
	struct gateway_ended ended;
	bool more = true, found = false;

	ims_start();
	ims_register();
	world_disable("shop");
	while (more && !found)
		found = gateway_revoked(world.gw, &ended, &more);
	EXPECT(found);
	EXPECT_EQ(GW_TOKEN_WWSF, ended.why);
}

TEST_MAIN("gateway_ims", RUN(request, without_a_credential_goes_on_without_one),
	  RUN(request, of_protocol_4_4_is_pending),
	  RUN(request, without_a_response_is_not_called_anything),
	  RUN(request, keeps_every_byte_of_its_credential),
	  RUN(request, says_nothing_of_its_own_protection),
	  RUN(request, that_another_parser_might_read_otherwise_is_400),
	  RUN(request, with_more_parameters_than_are_looked_at_is_400),
	  RUN(request, with_two_digests_is_400), RUN(request, of_no_private_identity_is_403),
	  RUN(request, of_another_scheme_goes_on_without_it),
	  RUN(request, of_aka_is_connected_with_and_without_a_response),
	  RUN(request, of_aka_is_connected_on_a_flow_that_is_bound_too),
	  RUN(request, that_begins_aka_by_configuration_is_connected),
	  RUN(request, of_other_algorithms_is_pending),
	  RUN(request, on_a_flow_that_is_bound_to_its_user_is_protected),
	  RUN(request, of_another_user_on_a_flow_that_is_bound_is_pending),
	  RUN(request, is_pending_until_the_core_has_said_200),
	  RUN(request, after_the_binding_has_ended_is_pending),
	  RUN(request, on_another_flow_than_the_bound_one_is_pending),
	  RUN(request, asks_for_what_the_client_asks_for),
	  RUN(request, asks_for_the_default_when_it_says_nothing),
	  RUN(request, with_a_token_is_403), RUN(request, with_a_token_beside_its_digest_is_400),
	  RUN(request, for_somebody_else_is_403),
	  RUN(request, to_a_domain_that_is_not_served_is_403),
	  RUN(request, for_an_identity_of_another_home_network_is_403),
	  RUN(request, of_a_second_identity_on_a_flow_is_403),
	  RUN(request, of_a_site_that_was_taken_away_or_disabled_is_403),
	  RUN(request, of_a_site_that_was_taken_away_may_still_unregister),
	  RUN(request, when_the_transactions_are_used_up_is_503),
	  RUN(challenge, reaches_the_wic_as_it_came),
	  RUN(challenge, loses_the_keys_of_aka_in_every_spelling),
	  RUN(challenge, of_several_lines_loses_the_keys_in_each),
	  RUN(challenge, that_might_hide_a_key_does_not_go_on),
	  RUN(challenge, of_another_kind_passes), RUN(challenge, of_a_proxy_loses_the_keys_too),
	  RUN(challenge, makes_the_registration_pending_until_a_final_answer),
	  RUN(challenge, of_a_refresh_leaves_the_binding),
	  RUN(challenge, may_be_answered_by_any_private_identity_of_the_user),
	  RUN(answer_200, shows_the_wic_what_the_core_says_to_it),
	  RUN(answer_200, grants_what_the_core_grants),
	  RUN(answer_200, without_a_credential_binds_the_user_of_to),
	  RUN(answer_200, to_a_refresh_without_a_credential_keeps_the_user),
	  RUN(answer, interval_too_brief_is_relayed_whatever_it_wants),
	  RUN(answer, of_nobody_is_504), RUN(binding, asserts_its_identities),
	  RUN(binding, keeps_a_token_from_the_core), RUN(binding, is_needed_and_a_token_is_none),
	  RUN(binding, is_reached_by_the_core), RUN(binding, ends_with_its_unregistration),
	  RUN(binding, ends_with_a_star), RUN(binding, is_not_changed_by_a_fetch),
	  RUN(binding, is_ended_when_its_site_is_disabled))
