/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* REGISTER of users whom the core authenticates, by way of a proxy of the core that asks for a
 * credential of its own: PROTOCOL 4, RFC 3261 22.3. */

#define OF_REGISTRAR "Digest username=\"alice@ims.home1.net\",realm=\"home1.net\",response=\"6\""
#define OF_PROXY "Digest username=\"p\",realm=\"px\",response=\"1\""

static void ims_start(void)
{
	world_start();
	world.wwsf[0].mode = WWSF_IMS_AUTH;
	world.wwsf[0].issuer = WWSF_NO_ISSUER;
}

/** JsSIP's REGISTER of alice with these lines. */
static const char *with_lines(const char *more)
{
	const char *request = register_jssip(NULL, 600), *at = strstr(request, "Expires:");

	return format("%.*s%s%s", (int)(at - request), request, more, at);
}

TEST(proxy, has_its_challenge_passed_on_without_keys_and_the_wic_waited_for)
{
	const char *wic;

	ims_start();
	EXPECT_EQ(GW_OK, wic_sends(0, with_lines("")));
	core_answers("407 Proxy Authentication Required",
		     "Proxy-Authenticate: Digest realm=\"px\",ck=\"0\",ik=\"1\"" CRLF);
	wic = world_sent(1)->text;
	EXPECT_EQ(407, status_of(wic));
	EXPECT_LINE("Digest realm=\"px\"", wic, "Proxy-Authenticate");
	EXPECT_EQ(world.now_us, world.wic[0].challenged_us);
	EXPECT_EQ(1, world_count(&world.counters.register_challenged));
	EXPECT_EQ(0, world_count(&world.counters.register_failed));
	EXPECT_EQ(0, world_count(&world.counters.tna_challenged));
}

TEST(proxy, gets_the_answer_to_its_challenge)
{
	const char *mw;

	ims_start();
	mw = mw_register(with_lines("Proxy-Authorization: " OF_PROXY CRLF));
	EXPECT_LINE(OF_PROXY, mw, "Proxy-Authorization");
	EXPECT_NO_LINE(mw, "Authorization");
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(proxy, gets_its_own_beside_the_registrars)
{
	const char *mw;

	ims_start();
	mw = mw_register(with_lines("Authorization: " OF_REGISTRAR CRLF
				    "Proxy-Authorization: " OF_PROXY CRLF
				    "Proxy-Authorization: " OF_PROXY ",nc=2" CRLF));
	EXPECT_LINE(OF_REGISTRAR ",integrity-protected=\"tls-pending\"", mw, "Authorization");
	EXPECT_EQ(2, lines(mw, "Proxy-Authorization"));
	EXPECT_LINE(OF_PROXY, mw, "Proxy-Authorization");
}

TEST(proxy, is_told_nothing_that_is_ours_to_say)
{
	static const char *const words[] = {
		"Bearer a.b.c",
		"Basic cDpw",
		OF_PROXY ",integrity-protected=\"tls-yes\"",
		OF_PROXY ",Integrity-Protected=auth-done",
		OF_PROXY ",authorization-entity=\"x\"",
		OF_PROXY ",access_token=\"x\"",
		"Digest\tusername=\"p\"",
	};

	for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		ims_start();
		EXPECT_NO_LINE(mw_register(with_lines(
				       format("Proxy-Authorization: %s" CRLF, words[i]))),
			       "Proxy-Authorization");
	}
}

TEST(proxy, gets_nothing_of_who_registers_by_a_token)
{
	const char *request, *at;

	world_start();
	request = register_jssip(token_alice(3570), 600);
	at = strstr(request, "Expires:");
	EXPECT_NO_LINE(mw_register(format("%.*sProxy-Authorization: " OF_PROXY CRLF "%s",
					  (int)(at - request), request, at)),
		       "Proxy-Authorization");
}

/** PROTOCOL 9.2: REGISTER enters the home network where this node says. */
TEST(route, of_a_wic_does_not_lead_its_register)
{
	ims_start();
	EXPECT_NO_LINE(mw_register(with_lines("Route: <sip:elsewhere.example;lr;orig>" CRLF
					      "Route: <sip:further.example;lr>" CRLF)),
		       "Route");
}

TEST_MAIN("gateway_ims_proxy",
	  RUN(proxy, has_its_challenge_passed_on_without_keys_and_the_wic_waited_for),
	  RUN(proxy, gets_the_answer_to_its_challenge),
	  RUN(proxy, gets_its_own_beside_the_registrars),
	  RUN(proxy, is_told_nothing_that_is_ours_to_say),
	  RUN(proxy, gets_nothing_of_who_registers_by_a_token),
	  RUN(route, of_a_wic_does_not_lead_its_register))
