/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* How long a registration lives and what ends it: PROTOCOL 5.5, 5.6, 6.6. */

TEST(binding, ends_at_its_expiry)
{
	world_start();
	world_register();
	world_wait(599 * 1000000ull);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(1000000 + 2000);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT(handle_is_none(world.wic[0].binding));
	EXPECT_EQ(1, world_count(&world.counters.binding_expired));
	EXPECT_EQ(EVENT_BINDING_END, world.event[0].what);
}

TEST(binding, lives_longer_with_each_refresh)
{
	world_start();
	world_register();
	world_wait(500 * 1000000ull);
	world_register();
	world_wait(500 * 1000000ull);
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(binding, is_not_refreshed_by_a_token_that_is_used_up)
{
	const char *token;

	world_start();
	token = token_alice(700);
	world_register();
	world_wait(500 * 1000000ull);
	EXPECT_LINE("200", mw_register(register_jssip(token, 600)), "Expires");
	world_wait(300 * 1000000ull);
	world_forget();
	EXPECT_EQ(GW_TOKEN_EXPIRED, wic_sends(0, register_jssip(token, 600)));
	EXPECT_EQ(401, status_of(world_only(TO_WIC)));
}

TEST(binding, is_kept_when_a_refresh_is_refused_by_the_core)
{
	world_start();
	world_register();
	registered("500 Server Internal Error", "");
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

/** What the core gets of a MESSAGE of alice. */
static const char *mw_message(const char *more)
{
	const char *mw;

	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with(more)));
	mw = world_only(TO_MW);
	core_answers("200 OK", "");
	return mw;
}

/* PROTOCOL 9.3: what is stored is of the last 200. */
TEST(binding, has_the_routes_and_identities_of_its_last_200)
{
	world_start();
	world_register();
	EXPECT_LINE("<tel:+15551230001>",
		    mw_message("P-Preferred-Identity: <tel:+15551230001>" CRLF),
		    "P-Asserted-Identity");
	registered("200 OK", "Contact: " OUR_CONTACT ";expires=600" CRLF
			     "Service-Route: <sip:next@198.18.0.31:6060;lr>" CRLF
			     "P-Associated-URI: <sip:alice.two@home1.net>, "
			     "<sip:alice@home1.net>" CRLF);
	EXPECT_LINE("<sip:next@198.18.0.31:6060;lr>", mw_message(""), "Route");
	EXPECT_LINE("<sip:alice.two@home1.net>",
		    mw_message("P-Preferred-Identity: <tel:+15551230001>" CRLF),
		    "P-Asserted-Identity");
}

static void unregister(const char *request)
{
	const char *mw = mw_register(request);

	EXPECT_LINE("0", mw, "Expires");
	EXPECT(contains(line(mw, "Authorization"), "integrity-protected=\"auth-done\""));
	EXPECT(contains(line(mw, "Authorization"), "username=\"alice@ims.home1.net\""));
	core_answers("200 OK", "");
	EXPECT_EQ(200, status_of(world_sent(1)->text));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_removed));
}

TEST(unregister, of_sipjs_needs_no_token)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_sipjs(token_alice(3570), 600)));
	core_registers(600);
	world_forget();
	unregister(register_sipjs(NULL, 0));
}

TEST(unregister, of_another_contact_leaves_the_binding)
{
	world_start();
	world_register(); /* with JsSIP's Contact, and SIP.js's is the one that goes */
	mw_register(register_sipjs(NULL, 0));
	core_answers("200 OK", "");
	EXPECT_EQ(200, status_of(world_sent(1)->text));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(unregister, of_jssip_may_have_an_expired_token)
{
	const char *token;

	world_start();
	token = token_alice(100);
	world_register();
	world_wait(300 * 1000000ull);
	unregister(register_jssip(token, 0));
}

TEST(unregister, with_a_star_keeps_the_star)
{
	world_start();
	world_register();
	unregister("REGISTER sip:home1.net SIP/2.0" CRLF
		   "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		   "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:alice@home1.net>" CRLF
		   "Call-ID: c" CRLF "CSeq: 2 REGISTER" CRLF "Contact: *" CRLF
		   "Expires: 0" CRLF CRLF);
	EXPECT_LINE("*", world_sent(0)->text, "Contact");
}

TEST(unregister, of_somebody_else_needs_a_token)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_TOKEN_NONE,
		  wic_sends(0, "REGISTER sip:home1.net SIP/2.0" CRLF
			       "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
			       "From: <sip:bob@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
			       "Call-ID: c" CRLF "CSeq: 2 REGISTER" CRLF "Contact: *" CRLF
			       "Expires: 0" CRLF CRLF));
	EXPECT_EQ(401, status_of(world_only(TO_WIC)));
}

TEST(unregister, on_a_flow_without_a_binding_needs_a_token)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_TOKEN_NONE, wic_sends(1, register_sipjs(NULL, 0)));
	EXPECT_EQ(401, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

static const char *register_bob(void)
{
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		      "From: <sip:bob@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		      "Call-ID: c" CRLF "CSeq: 2 REGISTER" CRLF "Contact: <sip:x@a.invalid>" CRLF
		      "Authorization: Bearer %s" CRLF CRLF,
		      token_of(GOOD_HEADER,
			       payload_of("bob@ims.home1.net", "sip:bob@home1.net", 900)));
}

TEST(flow, has_one_identity)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_IDENTITY_MISMATCH, wic_sends(0, register_bob()));
	EXPECT_EQ(403, status_of(world_only(TO_WIC)));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(1, register_bob()));
}

TEST(flow, has_one_identity_also_while_the_first_registration_is_under_way)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(GW_IDENTITY_MISMATCH, wic_sends(0, register_bob()));
}

TEST(flow, keeps_its_identity_after_expiry_because_the_core_may_still_hold_it)
{
	world_start();
	world_register();
	world_wait(601 * 1000000ull);
	EXPECT_EQ(GW_IDENTITY_MISMATCH, wic_sends(0, register_bob()));
}

TEST(flow, may_have_another_identity_after_de_registration)
{
	world_start();
	world_register();
	unregister(register_jssip(NULL, 0));
	EXPECT_EQ(GW_OK, wic_sends(0, register_bob()));
}

TEST(flow, may_have_another_identity_after_the_core_refused_the_first)
{
	world_start();
	EXPECT_EQ(403, status_of(registered("403 Forbidden", "")));
	EXPECT_EQ(GW_OK, wic_sends(0, register_bob()));
}

TEST(flow, keeps_its_identity_when_a_late_refresh_is_refused)
{
	world_start();
	world_register();
	world_wait(601 * 1000000ull);
	EXPECT_EQ(403, status_of(registered("403 Forbidden", "")));
	EXPECT_EQ(GW_IDENTITY_MISMATCH, wic_sends(0, register_bob()));
}

TEST(flow, may_have_another_identity_when_the_first_was_never_sent)
{
	world_start();
	world.to_mw_err = GW_MW_DOWN;
	EXPECT_EQ(GW_MW_DOWN, wic_sends(0, register_jssip(token_alice(3570), 600)));
	world.to_mw_err = GW_OK;
	EXPECT_EQ(GW_OK, wic_sends(0, register_bob()));
}

TEST(flow, has_one_binding_whatever_crosses)
{
	const char *late, *vias;

	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	vias = format("Via: %s" CRLF "Via: %s" CRLF, line_n(world_sent(0)->text, "Via", 0),
		      line_n(world_sent(0)->text, "Via", 1));
	late = format("SIP/2.0 403 Forbidden" CRLF "%sFrom: <sip:a@b>;tag=1" CRLF
		      "To: <sip:a@b>;tag=2" CRLF "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF CRLF,
		      vias);
	core_sends(late); /* refuses the first; the second is still under way */
	world.sent[0] = world.sent[1];
	EXPECT_EQ(GW_OK, wic_sends(0, register_bob()));
	core_answers("200 OK", "Contact: <sip:x@a.invalid>;expires=60" CRLF);
	world.sent[world.count++] = world.sent[0];
	core_answers("200 OK", "Contact: " OUR_CONTACT ";expires=60" CRLF);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	EXPECT_LINE("<sip:alice@home1.net>", world_only(TO_MW), "P-Asserted-Identity");
	EXPECT_EQ(0, world_count(&world.counters.invariant_broken));
}

TEST_MAIN("gateway_binding", RUN(binding, ends_at_its_expiry),
	  RUN(binding, lives_longer_with_each_refresh),
	  RUN(binding, is_not_refreshed_by_a_token_that_is_used_up),
	  RUN(binding, is_kept_when_a_refresh_is_refused_by_the_core),
	  RUN(binding, has_the_routes_and_identities_of_its_last_200),
	  RUN(unregister, of_sipjs_needs_no_token),
	  RUN(unregister, of_another_contact_leaves_the_binding),
	  RUN(unregister, of_jssip_may_have_an_expired_token),
	  RUN(unregister, with_a_star_keeps_the_star),
	  RUN(unregister, of_somebody_else_needs_a_token),
	  RUN(unregister, on_a_flow_without_a_binding_needs_a_token), RUN(flow, has_one_identity),
	  RUN(flow, has_one_identity_also_while_the_first_registration_is_under_way),
	  RUN(flow, keeps_its_identity_after_expiry_because_the_core_may_still_hold_it),
	  RUN(flow, may_have_another_identity_after_de_registration),
	  RUN(flow, may_have_another_identity_after_the_core_refused_the_first),
	  RUN(flow, keeps_its_identity_when_a_late_refresh_is_refused),
	  RUN(flow, may_have_another_identity_when_the_first_was_never_sent),
	  RUN(flow, has_one_binding_whatever_crosses))
