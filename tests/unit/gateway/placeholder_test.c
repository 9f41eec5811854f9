/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* A page that does not know its identity registers by a placeholder: PROTOCOL 5.4, D-18. */

#define NOBODY "sip:anonymous@anonymous.invalid"
#define AT_HOME "sip:wic@home1.net"

static void placeholder_start(void)
{
	world_start();
	world.config.placeholder_user = SPAN("wic");
}

/* A REGISTER whose To and From are these, with a token of alice or with none. */
static const char *nobody(const char *to, const char *from, uint32_t expires_s, const char *token)
{
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK1" CRLF "To: %s" CRLF
		      "From: %s;tag=v1" CRLF "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF
		      "Contact: " OUR_CONTACT CRLF "Expires: %u" CRLF "%s" CRLF,
		      to, from, expires_s,
		      token != NULL ? format("Authorization: Bearer %s" CRLF, token) : "");
}

static const char *anonymous(uint32_t expires_s)
{
	return nobody("<" NOBODY ">", "\"Me\" <" NOBODY ">", expires_s, token_alice(3570));
}

TEST(placeholder, is_replaced_by_the_first_identity_of_the_token)
{
	const char *mw;

	placeholder_start();
	mw = mw_register(anonymous(600));
	EXPECT_LINE("<sip:alice@home1.net>", mw, "To");
	EXPECT_LINE("\"Me\" <sip:alice@home1.net>;tag=v1", mw, "From");
	EXPECT(!contains(mw, "anonymous"));
}

TEST(placeholder, is_the_first_of_several)
{
	const char *payload, *impu;

	placeholder_start();
	payload = payload_of("alice@ims.home1.net", "X", 3570);
	impu = strstr(payload, "\"X\"");
	payload = format("%.*s[\"tel:+15551230001\",\"sip:alice@home1.net\"]%s",
			 (int)(impu - payload), payload, impu + 3);
	EXPECT_LINE("<tel:+15551230001>",
		    mw_register(nobody("<" NOBODY ">", "<" NOBODY ">", 600,
				       token_of(GOOD_HEADER, payload))),
		    "To");
}

TEST(placeholder, may_be_the_configured_user_at_its_home)
{
	placeholder_start();
	EXPECT_LINE("sip:alice@home1.net;tag=v1",
		    mw_register(nobody("<sip:wic@HOME1.net>", AT_HOME, 600, token_alice(3570))),
		    "From");
}

TEST(placeholder, is_back_in_the_answer)
{
	const char *wic;

	placeholder_start();
	EXPECT_EQ(GW_OK, wic_sends(0, anonymous(600)));
	core_registers(600);
	wic = world_sent(1)->text;
	EXPECT_EQ(200, status_of(wic));
	EXPECT_LINE("<" NOBODY ">;tag=c0re", wic, "To");
	EXPECT_LINE("\"Me\" <" NOBODY ">;tag=v1", wic, "From");
	EXPECT_LINE("<sip:alice@home1.net>, <tel:+15551230001>", wic, "P-Associated-URI");
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(placeholder, of_a_home_user_is_back_in_the_answer)
{
	placeholder_start();
	EXPECT_EQ(GW_OK, wic_sends(0, nobody("<" AT_HOME ">", AT_HOME, 600, token_alice(3570))));
	core_answers("404 Not Found", "");
	EXPECT_LINE("<" AT_HOME ">;tag=c0re", world_sent(1)->text, "To");
	EXPECT_LINE(AT_HOME ";tag=v1", world_sent(1)->text, "From");
}

TEST(placeholder, is_back_in_answers_of_our_own)
{
	placeholder_start();
	EXPECT_EQ(GW_OK, wic_sends(0, anonymous(600)));
	core_answers("401 Unauthorized", "");
	EXPECT_EQ(500, status_of(world_sent(1)->text));
	EXPECT_LINE("\"Me\" <" NOBODY ">;tag=v1", world_sent(1)->text, "From");
}

TEST(placeholder, is_back_in_answers_of_our_own_when_the_core_is_asked_over_udp)
{
	const struct sent *last;

	world_start_udp();
	world.config.placeholder_user = SPAN("wic");
	EXPECT_EQ(GW_OK, wic_sends(0, anonymous(600)));
	world_wait(32 * 1000000ull + 2000);
	last = world_sent(world.count - 1);
	EXPECT_EQ(TO_WIC, last->to);
	EXPECT_EQ(504, status_of(last->text));
	EXPECT_LINE("\"Me\" <" NOBODY ">;tag=v1", last->text, "From");
	EXPECT_EQ(0, strncmp(line(last->text, "To"), "<" NOBODY ">", 33));
	EXPECT_EQ(0, strncmp(world_sent(1)->text, "REGISTER", 8));
	EXPECT_LINE("<sip:alice@home1.net>", world_sent(1)->text, "To");
}

TEST(placeholder, unregisters_without_a_token)
{
	placeholder_start();
	EXPECT_EQ(GW_OK, wic_sends(0, anonymous(600)));
	core_registers(600);
	EXPECT_LINE("<sip:alice@home1.net>",
		    mw_register(nobody("<" NOBODY ">", "<" NOBODY ">", 0, NULL)), "To");
	core_answers("200 OK", "");
	EXPECT_LINE("<" NOBODY ">;tag=c0re", world_sent(1)->text, "To");
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(placeholder, needs_a_token)
{
	placeholder_start();
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(0, nobody("<" NOBODY ">", "<" NOBODY ">", 600, NULL)));
}

TEST(placeholder, stands_in_both_or_it_is_none)
{
	placeholder_start();
	EXPECT_EQ(GW_IDENTITY_THIRD_PARTY,
		  wic_sends(0, nobody("<" NOBODY ">", "<" AT_HOME ">", 600, token_alice(3570))));
	EXPECT_EQ(GW_IDENTITY_THIRD_PARTY,
		  wic_sends(0, nobody("<sip:bob@home1.net>", "<" AT_HOME ">", 600,
				      token_alice(3570))));
}

TEST(placeholder, is_nothing_but_what_is_configured)
{
	static const char *const others[] = {
		"<sip:wic@home2.net>",	    "<sip:Wic@home1.net>",	"<sip:wic@home1.net;x=y>",
		"<sip:wic@home1.net:5070>", "<sips:wic@home1.net>",	"<sip:wic:pw@home1.net>",
		"<" NOBODY ";x=y>",	    "<sip:anonymous@home1.net>"};

	for (uint32_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		placeholder_start();
		EXPECT(wic_sends(0, nobody(others[i], others[i], 600, token_alice(3570))) != GW_OK);
		EXPECT_EQ(403, status_of(world_only(TO_WIC)));
	}
}

TEST(placeholder, is_none_when_there_are_to_be_none)
{
	world_start();
	EXPECT_EQ(GW_IDENTITY_MISMATCH, wic_sends(0, anonymous(600)));
}

TEST(placeholder, does_not_rename_who_has_that_name)
{
	placeholder_start();
	world.config.placeholder_user = SPAN("alice");
	EXPECT_LINE("<sip:alice@home1.net>", mw_register(register_jssip(token_alice(3570), 600)),
		    "To");
	core_registers(600);
	EXPECT_LINE("<sip:alice@home1.net>;tag=c0re", world_sent(1)->text, "To");
}

TEST(placeholder, of_another_home_network_than_the_identity_is_403)
{
	const char *request;

	placeholder_start();
	request = anonymous(600);
	EXPECT_EQ(GW_DOMAIN, wic_sends(0, format("REGISTER sip:home2.net%s", request + 22)));
}

TEST_MAIN("gateway_placeholder", RUN(placeholder, is_replaced_by_the_first_identity_of_the_token),
	  RUN(placeholder, is_the_first_of_several),
	  RUN(placeholder, may_be_the_configured_user_at_its_home),
	  RUN(placeholder, is_back_in_the_answer),
	  RUN(placeholder, of_a_home_user_is_back_in_the_answer),
	  RUN(placeholder, is_back_in_answers_of_our_own),
	  RUN(placeholder, is_back_in_answers_of_our_own_when_the_core_is_asked_over_udp),
	  RUN(placeholder, unregisters_without_a_token), RUN(placeholder, needs_a_token),
	  RUN(placeholder, stands_in_both_or_it_is_none),
	  RUN(placeholder, is_nothing_but_what_is_configured),
	  RUN(placeholder, is_none_when_there_are_to_be_none),
	  RUN(placeholder, does_not_rename_who_has_that_name),
	  RUN(placeholder, of_another_home_network_than_the_identity_is_403))
