/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

/* Connections that end and come back, in every order: PROTOCOL 5.6, 6.3, 10.4, 10.5. */

/** What went to the core that ends a registration, since world_forget(). */
static uint32_t farewells(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < world.count; i++)
		n += world.sent[i].to == TO_MW && begins(world.sent[i].text, "REGISTER ") &&
		     contains(world.sent[i].text, CRLF "Expires: 0" CRLF);
	return n;
}

/** The core's 200 to this REGISTER. */
static void core_grants(const char *request, uint32_t expires_s)
{
	const char *contact = line(request, "Contact");

	core_sends(bare_answer_of(request, "200 OK", "reg",
				  format("Contact: %.*s;reg-id=1;expires=%u" CRLF,
					 (int)strcspn(contact, ">") + 1, contact, expires_s)));
}

/** The clock is there, and no timer has fired yet. */
static void instant_comes(uint64_t after_us)
{
	world_clock(after_us);
	world_turn();
	world_forget();
}

/* ---- a refresh and the end of what it refreshes (10.5, D-44) --------------------------------- */

enum order { REGISTER_FIRST, TIMER_FIRST };

/** alice's next REGISTER, as the core gets it, at the instant that is after_us from now. */
static const char *refresh_at(enum order order, uint64_t after_us)
{
	if (order == TIMER_FIRST) {
		world_forget();
		world_wait(after_us + 2 * MS);
	} else {
		instant_comes(after_us);
	}
	EXPECT_EQ(order == TIMER_FIRST ? 0 : 1, gateway_bindings(world.gw));
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	return keep(last_to(TO_MW));
}

/** alice is registered, can send, and is reached by the Path of that REGISTER. */
static void is_registered(const char *request)
{
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	path_remember(request);
	world_forget();
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(1, count_of(TO_WIC, "MESSAGE "));
	EXPECT_EQ(GW_OK, wic_sends(0, wic_answer("200 OK", "")));
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	EXPECT_EQ(1, count_of(TO_MW, "MESSAGE "));
	core_answers("200 OK", "");
}

static void expiry(enum mw_transport transport, enum order order)
{
	const char *request;

	call_world(transport); /* granted for 600 s, 6 s ago */
	request = refresh_at(order, 594 * S);
	EXPECT(begins(request, "REGISTER sip:home1.net SIP/2.0" CRLF));
	EXPECT_LINE("600", request, "Expires");
	world_wait(S);
	EXPECT_EQ(0, count_to(TO_WIC)); /* nobody is refused */
	core_grants(request, 600);
	EXPECT_EQ(200, status_of(last_to(TO_WIC)));
	is_registered(request);
	call_wait(500);
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST_BOTH(refresh, in_the_instant_of_the_expiry_and_before_it_is_taken)
{
	expiry(transport, REGISTER_FIRST);
}

TEST_BOTH(refresh, in_the_instant_of_the_expiry_and_behind_it_is_taken)
{
	expiry(transport, TIMER_FIRST);
}

/** alice's token ends in 100 s; the core grants two hours. */
static void short_token(enum mw_transport transport)
{
	call_world(transport);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(100), 600000)));
	core_grants(keep(last_to(TO_MW)), 7200);
	world_forget();
}

TEST_BOTH(refresh, in_the_instant_of_the_end_of_its_token_and_before_it_is_not_undone)
{
	const char *request;

	short_token(transport);
	request = refresh_at(REGISTER_FIRST, 100 * S);
	world_wait(2 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(0, count_to(TO_WIC));
	core_grants(request, 600);
	is_registered(request);
	world_forget();
	world_wait(200 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

/** 10.5: of a subscription that this node knows nothing of, as a late NOTIFY is. */
TEST(refresh, is_not_undone_by_a_notify_that_says_the_registration_has_ended)
{
	const char *request;

	call_world(MW_TCP);
	request = refresh_at(REGISTER_FIRST, 100 * S);
	core_sends(
		"NOTIFY sip:192.0.2.10:5070;transport=tcp SIP/2.0" CRLF
		"Via: SIP/2.0/TCP 198.18.0.30:6060;branch=z9hG4bKn1" CRLF "Max-Forwards: 70" CRLF
		"From: <sip:alice@home1.net>;tag=s9" CRLF "To: <sip:ep1.home1.net>;tag=ep-1" CRLF
		"Call-ID: sub-1@ep1.home1.net" CRLF "CSeq: 7 NOTIFY" CRLF "Event: reg" CRLF
		"Subscription-State: active" CRLF "Content-Type: application/reginfo+xml" CRLF CRLF
		"<reginfo version=\"7\" state=\"full\"><registration aor=\"sip:alice@home1.net\" "
		"state=\"terminated\"/></reginfo>");
	EXPECT_EQ(481, status_of(last_to(TO_SOURCE))); /* PROTOCOL 9.9: an unknown dialog */
	EXPECT_EQ(1, gateway_bindings(world.gw));
	core_grants(request, 600);
	is_registered(request);
}

TEST_BOTH(refresh, in_the_instant_of_the_end_of_its_token_and_behind_it_is_not_undone)
{
	const char *request, *farewell;

	short_token(transport);
	request = refresh_at(TIMER_FIRST, 100 * S);
	EXPECT_EQ(1, farewells());
	farewell = keep(nth_to(TO_MW, 0)->text);
	EXPECT_LINE("0", farewell, "Expires");
	EXPECT_LINE("600", request, "Expires");
	world_forget();
	world_wait(2 * S); /* what the core hears now it hears behind the REGISTER */
	EXPECT_EQ(0, farewells());
	core_grants(request, 600);
	core_sends(bare_answer_of(farewell, "200 OK", "bye", "")); /* it comes late */
	is_registered(request);
	world_forget();
	world_wait(200 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(refresh, that_the_core_refuses_behind_the_end_of_its_token_leaves_nothing)
{
	const char *request;

	short_token(MW_TCP);
	request = refresh_at(REGISTER_FIRST, 100 * S);
	core_sends(bare_answer_of(request, "403 Forbidden", "no", ""));
	EXPECT_EQ(403, status_of(last_to(TO_WIC)));
	world_wait(60 * S); /* the core still holds what the token was for */
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT(farewells() >= 1);
	EXPECT_EQ(GW_NOT_REGISTERED, wic_sends(0, message_with("")));
}

/** 6.3: no registration outlives its token, neither here nor at the core. */
TEST(grant, that_comes_behind_the_end_of_its_token_is_undone)
{
	const char *request;

	world_start();
	world.config.min_grant_s = 5;
	world_reload();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(10), 600)));
	request = keep(last_to(TO_MW));
	world_wait(20 * S);
	world_forget();
	core_grants(request, 600);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(GW_NOT_REGISTERED, wic_sends(0, message_with("")));
	world_wait(2 * S);
	EXPECT_EQ(1, farewells());
}

/** 6.3: what ends here ends first, and nothing is delivered in between. */
TEST(end, of_a_token_and_a_request_of_the_core_in_one_instant_deliver_nothing_late)
{
	short_token(MW_TCP);
	world_wait(100 * S);
	world_forget();
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(0, count_to(TO_WIC));
	EXPECT_EQ(430, status_of(last_to(TO_SOURCE)));
}

/* ---- two tabs with one instance (10.5) ------------------------------------------------------- */

#define INSTANCE "+sip.instance=\"<urn:uuid:dacc2777-085b-4952-83a1-fd586f2f5565>\""

/** The REGISTER of a tab, as the core gets it. */
static const char *tab_registers(uint32_t tab)
{
	EXPECT_EQ(
		GW_OK,
		wic_sends(tab,
			  format("REGISTER sip:home1.net SIP/2.0" CRLF
				 "Via: SIP/2.0/WSS tab%u.invalid;branch=z9hG4bK%u" CRLF
				 "From: <sip:alice@home1.net>;tag=t%u" CRLF
				 "To: <sip:alice@home1.net>" CRLF "Call-ID: tab%u" CRLF
				 "CSeq: 1 REGISTER" CRLF "Expires: 600" CRLF
				 "Contact: <sip:x%u@tab%u.invalid;transport=ws>;reg-id=1;" INSTANCE
					 CRLF "Authorization: Bearer %s" CRLF CRLF,
				 tab, (uint32_t)(world.now_us / MS), tab, tab, tab, tab,
				 token_alice(3570))));
	return keep(last_to(TO_MW));
}

static bool owns(uint32_t tab)
{
	return !handle_is_none(world.wic[tab].binding);
}

static void path_of(const char *request, uint32_t tab, bool reached)
{
	path_remember(request);
	world_forget();
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(reached ? 1 : 0, count_to(TO_WIC));
	if (reached) {
		EXPECT(handle_equal(world.wic[tab].flow, nth_to(TO_WIC, 0)->flow));
		EXPECT_EQ(GW_OK, wic_sends(tab, wic_answer("200 OK", "")));
	} else {
		EXPECT_EQ(430, status_of(last_to(TO_SOURCE)));
	}
}

/** One of the two has the registration, wholly, and nothing of it is with the other. */
static void one_tab_has_it(const char *const request[2], uint32_t tab)
{
	uint32_t other = 1 - tab;

	EXPECT(owns(tab) && !owns(other));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	path_of(request[tab], tab, true);
	path_of(request[other], other, false);
	world_forget();
	EXPECT_EQ(GW_NOT_REGISTERED, wic_sends(other, message_with("")));
	EXPECT_EQ(403, status_of(last_to(TO_WIC)));
	EXPECT_EQ(GW_OK, wic_sends(tab, message_with("")));
	core_answers("200 OK", "");
	world_forget();
	world_wait(100 * S); /* the core replaced one Contact by the other: it has one */
	EXPECT_EQ(0, farewells());
}

TEST(tabs, with_one_instance_that_register_one_after_the_other_leave_it_with_the_last)
{
	const char *request[2];

	call_world(MW_TCP);
	for (uint32_t tab = 0; tab < 2; tab++) {
		request[tab] = tab_registers(tab);
		core_grants(request[tab], 600);
	}
	one_tab_has_it(request, 1);
}

TEST(tabs, with_one_instance_that_register_at_once_leave_it_with_the_last_answered)
{
	for (uint32_t last = 0; last < 2; last++) {
		const char *request[2];

		world_start();
		for (uint32_t tab = 0; tab < 2; tab++)
			request[tab] = tab_registers(tab);
		core_grants(request[1 - last], 600);
		core_grants(request[last], 600);
		EXPECT_EQ(1, count_of(TO_WIC, "SIP/2.0 200") - 1);
		one_tab_has_it(request, last);
	}
}

TEST(tabs, with_one_instance_of_which_the_core_refuses_one_leave_it_with_the_other)
{
	for (uint32_t first = 0; first < 2; first++) {
		const char *request[2];

		world_start();
		for (uint32_t tab = 0; tab < 2; tab++)
			request[tab] = tab_registers(tab);
		for (uint32_t i = 0; i < 2; i++) {
			if (i == first)
				core_grants(request[0], 600);
			else
				core_sends(bare_answer_of(request[1], "403 Forbidden", "no", ""));
		}
		one_tab_has_it(request, 0);
	}
}

TEST(tabs, with_one_instance_take_it_from_each_other_with_each_refresh)
{
	const char *request[2];

	world_start();
	for (uint32_t turn = 0; turn < 6; turn++) {
		uint32_t tab = turn % 2;

		world_forget();
		request[tab] = tab_registers(tab);
		core_grants(request[tab], 600);
		EXPECT(owns(tab) && !owns(1 - tab));
		EXPECT_EQ(1, gateway_bindings(world.gw));
		world_wait(10 * S);
	}
	one_tab_has_it(request, 1);
}

TEST(tabs, with_one_instance_of_which_the_loser_is_closed_lose_nothing)
{
	const char *request[2];

	world_start();
	for (uint32_t tab = 0; tab < 2; tab++) {
		request[tab] = tab_registers(tab);
		core_grants(request[tab], 600);
	}
	wic_leaves(0);
	world_forget();
	world_wait(100 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(1, gateway_bindings(world.gw));
	path_of(request[1], 1, true);
}

TEST(tabs, with_one_instance_of_which_the_owner_is_closed_are_told_to_the_core_after_the_grace)
{
	const char *request[2];

	world_start();
	for (uint32_t tab = 0; tab < 2; tab++) {
		request[tab] = tab_registers(tab);
		core_grants(request[tab], 600);
	}
	wic_leaves(1);
	world_forget();
	world_wait(29 * S);
	EXPECT_EQ(0, farewells());
	world_wait(2 * S);
	EXPECT_EQ(1, farewells());
	EXPECT(contains(line(last_to(TO_MW), "Contact"), "tab1.invalid"));
}

/** The core had ended the first before it heard of the second. */
TEST(tabs, with_one_instance_of_which_the_first_unregisters_meanwhile_leave_it_with_the_second)
{
	for (uint32_t closed = 0; closed < 2; closed++) {
		const char *request[2], *end;

		world_start();
		request[0] = tab_registers(0);
		core_grants(request[0], 600);
		EXPECT_EQ(GW_OK, wic_sends(0, format("REGISTER sip:home1.net SIP/2.0" CRLF
						     "Via: SIP/2.0/WSS tab0.invalid;"
						     "branch=z9hG4bKend" CRLF
						     "From: <sip:alice@home1.net>;tag=t0" CRLF
						     "To: <sip:alice@home1.net>" CRLF
						     "Call-ID: tab0" CRLF "CSeq: 2 REGISTER" CRLF
						     "Contact: *" CRLF "Expires: 0" CRLF CRLF)));
		end = keep(last_to(TO_MW));
		if (closed == 1)
			wic_leaves(0);
		request[1] = tab_registers(1);
		core_grants(request[1], 600);
		core_sends(bare_answer_of(end, "200 OK", "reg", ""));
		EXPECT(owns(1));
		EXPECT_EQ(1, gateway_bindings(world.gw));
		EXPECT_EQ(0, gateway_leaving(world.gw));
		path_of(request[1], 1, true);
		world_forget();
		world_wait(100 * S);
		EXPECT_EQ(0, farewells());
		EXPECT_EQ(1, gateway_bindings(world.gw));
	}
}

/* ---- what crosses a reconnect (10.5) --------------------------------------------------------- */

TEST_BOTH(bye, that_comes_while_the_reconnect_is_under_way_may_be_tried_again)
{
	const char *request;
	struct call c;

	call_world(transport);
	c = bob_called();
	alice_goes();
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_alice(3000), 600)));
	request = keep(last_to(TO_MW));
	world_forget();
	core_sends(bob_in_call(&c, "BYE", ""));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
	core_grants(request, 600);
	world_forget();
	core_sends(bob_in_call(&c, "BYE", ""));
	EXPECT(handle_equal(world.wic[1].flow, nth_to(TO_WIC, 0)->flow));
	EXPECT(begins(last_to(TO_WIC), "BYE "));
	EXPECT_EQ(GW_OK, wic_sends(1, answer_of(keep(last_to(TO_WIC)), "200 OK", "w1", "")));
	only_of(TO_SOURCE, "SIP/2.0 200");
}

TEST_BOTH(bye, that_the_old_connection_was_given_is_answered_when_it_ends)
{
	const char *bye;
	struct call c;

	call_world(transport);
	c = bob_called();
	world_forget();
	core_sends(bob_in_call(&c, "BYE", ""));
	bye = keep(only_of(TO_WIC, "BYE "));
	alice_returns(); /* and nobody has missed the old connection yet */
	EXPECT_EQ(GW_SIP_NO_TRANSACTION, wic_sends(1, answer_of(bye, "200 OK", "w1", "")));
	EXPECT_EQ(0, count_to(TO_SOURCE));
	wic_leaves(0);
	only_of(TO_SOURCE, "SIP/2.0 480");
	EXPECT_EQ(1, gateway_bindings(world.gw));
	call_wait(70);
	call_nothing_left();
}

TEST_BOTH(bye, of_the_wic_goes_by_its_new_connection_alone)
{
	struct call c;

	call_world(transport);
	c = alice_called();
	alice_returns();
	world_forget();
	EXPECT_EQ(GW_DIALOG_FOREIGN, wic_sends(0, alice_in_call(&c, "BYE", ""))); /* it crossed */
	EXPECT_EQ(0, count_to(TO_MW));
	EXPECT_EQ(GW_OK, wic_sends(1, alice_in_call(&c, "BYE", "")));
	core_sends(bare_answer_of(keep(only_of(TO_MW, "BYE ")), "200 OK", "b1", ""));
	EXPECT(contains(last_to(TO_WIC), " BYE" CRLF));
	EXPECT(handle_equal(world.wic[1].flow, nth_to(TO_WIC, count_to(TO_WIC) - 1)->flow));
	call_wait(70);
	call_nothing_left();
}

/** 10.3: without outbound the core has nobody else to try. */
TEST_BOTH(dialog, of_a_flow_without_outbound_that_has_gone_is_480_within_the_grace)
{
	struct call c;

	call_world(transport);
	EXPECT_EQ(GW_OK, wic_sends(1, format("REGISTER sip:home1.net SIP/2.0" CRLF
					     "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
					     "From: <sip:alice@home1.net>;tag=a" CRLF
					     "To: <sip:alice@home1.net>" CRLF "Call-ID: c" CRLF
					     "CSeq: 1 REGISTER" CRLF "Contact: " OUR_CONTACT CRLF
					     "Authorization: Bearer %s" CRLF CRLF,
					     token_alice(3570))));
	path_remember(last_to(TO_MW));
	EXPECT(!contains(path_uri(), ";ob"));
	core_grants(keep(last_to(TO_MW)), 600);
	world_forget();
	core_sends(of_core(&(struct says){.lines = "Contact: <sip:bob@198.18.7.7>" CRLF}));
	c.backward = keep(routes_of_request(only_of(TO_WIC, "INVITE ")));
	EXPECT_EQ(GW_OK, wic_sends(1, answer_of(keep(last_to(TO_WIC)), "200 OK", "w1", "")));
	wic_leaves(1);
	world_forget();
	core_sends(bob_in_call(&c, "INFO", ""));
	EXPECT_EQ(480, status_of(world_only(TO_SOURCE)));
	call_wait(31);
	core_sends(bob_in_call(&c, "INFO", ""));
	EXPECT_EQ(481, status_of(last_to(TO_SOURCE)));
}

/* ---- who may come back (10.4 step 3) --------------------------------------------------------- */

/** This REGISTER gets 401, and alice's registration still waits for somebody else. */
static void comes_back_in_vain(const char *request)
{
	call_world(MW_TCP);
	alice_goes();
	EXPECT(wic_sends(1, request) != GW_OK);
	EXPECT_EQ(401, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, gateway_leaving(world.gw));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	world_forget();
	world_wait(29 * S);
	EXPECT_EQ(0, farewells());
	world_wait(2 * S);
	EXPECT_EQ(1, farewells());
}

TEST(reconnect, without_a_token_takes_nothing)
{
	comes_back_in_vain(register_jssip(NULL, 600));
}

TEST(reconnect, without_a_token_cannot_unregister)
{
	comes_back_in_vain(register_jssip(NULL, 0));
}

TEST(reconnect, with_a_token_that_has_ended_takes_nothing)
{
	world_start();
	comes_back_in_vain(register_jssip(token_alice(-100), 600));
}

TEST(reconnect, of_another_user_with_the_same_instance_takes_nothing)
{
	const char *bob;
	struct call c;

	call_world(MW_TCP);
	c = bob_called();
	alice_goes();
	bob = format("REGISTER sip:home1.net SIP/2.0" CRLF
		     "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		     "From: <sip:bob@home1.net>;tag=a" CRLF "To: <sip:bob@home1.net>" CRLF
		     "Call-ID: c" CRLF "CSeq: 2 REGISTER" CRLF "Contact: " OUR_CONTACT
		     ";reg-id=1;" INSTANCE CRLF "Authorization: Bearer %s" CRLF CRLF,
		     token_of(GOOD_HEADER,
			      payload_of("bob@ims.home1.net", "sip:bob@home1.net", 900)));
	EXPECT_EQ(GW_OK, wic_sends(1, bob));
	core_grants(keep(last_to(TO_MW)), 600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(1, gateway_leaving(world.gw)); /* alice's */
	world_forget();
	core_sends(bob_in_call(&c, "INFO", ""));
	EXPECT_EQ(0, count_to(TO_WIC));
	EXPECT_EQ(430, status_of(last_to(TO_SOURCE)));
	world_forget();
	EXPECT_EQ(GW_DIALOG_FOREIGN, wic_sends(1, alice_in_bobs_call(&c, "BYE", "")));
	EXPECT_EQ(0, count_to(TO_MW));
}

/* RFC 5626: another reg-id is another flow of the same client, and both serve. */
TEST(reconnect, with_another_reg_id_leaves_the_first_alone)
{
	const char *request[2];

	world_start();
	for (uint32_t i = 0; i < 2; i++) {
		const char *contact =
			format("<sip:x%u@tab%u.invalid;transport=ws>;reg-id=%u;" INSTANCE, i, i,
			       i + 1);

		EXPECT_EQ(GW_OK,
			  wic_sends(i, format("REGISTER sip:home1.net SIP/2.0" CRLF
					      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
					      "From: <sip:alice@home1.net>;tag=a" CRLF
					      "To: <sip:alice@home1.net>" CRLF "Call-ID: c%u" CRLF
					      "CSeq: 1 REGISTER" CRLF "Contact: %s" CRLF
					      "Authorization: Bearer %s" CRLF CRLF,
					      i, contact, token_alice(3570))));
		request[i] = keep(last_to(TO_MW));
		core_sends(bare_answer_of(request[i], "200 OK", "reg",
					  format("Contact: %s;expires=600" CRLF, contact)));
	}
	EXPECT_EQ(2, gateway_bindings(world.gw));
	for (uint32_t i = 0; i < 2; i++)
		path_of(request[i], i, true);
	world_forget();
	world_wait(100 * S);
	EXPECT_EQ(0, farewells());
}

/** 6.5: what is on its way must not undo what comes behind it. */
TEST_BOTH(reconnect, while_the_core_is_told_of_the_end_is_not_undone)
{
	const char *request, *farewell;

	call_world(transport);
	alice_goes();
	world_wait(30 * S + 20 * MS);
	EXPECT_EQ(1, farewells());
	farewell = keep(last_to(TO_MW));
	world_forget();
	world_wait(300 * MS);
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_alice(3000), 600)));
	request = keep(last_to(TO_MW));
	world_forget();
	world_wait(2 * S); /* neither has been answered */
	EXPECT_EQ(0, farewells());
	core_grants(request, 600);
	core_sends(bare_answer_of(farewell, "200 OK", "bye", ""));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	world_forget();
	world_wait(200 * S);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

/* ---- a gateway that starts anew (10.4 step 6) ------------------------------------------------ */

static void gateway_restarts(void)
{
	gateway_free(world.gw);
	world.gateway_config.epoch += 1u << 20;
	world.gateway_config.now_us = world.now_us;
	world.gw = gateway_new(&world.gateway_config);
	assert_non_null(world.gw);
	for (uint32_t i = 0; i < WICS; i++)
		world.wic[i] = (struct wic){.flow = {.slot = i, .generation = 77 + i + (1u << 20)}};
	world_turn();
	world_forget();
}

TEST(restart, leaves_the_paths_of_before_dead)
{
	char path[512];

	call_world(MW_TCP);
	gateway_restarts();
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
	world_forget();
	core_sends(of_core(&(struct says){.lines = ""}));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
	strcpy(path, path_uri());
	*strstr(path, ";ob") = 0;
	world_forget();
	core_sends(core_message(path, ""));
	EXPECT_EQ(480, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(1, lines(last_to(TO_SOURCE), "Reason"));
}

TEST(restart, leaves_the_paths_of_before_dead_for_who_has_their_slot_now)
{
	char path[512];

	call_world(MW_TCP);
	strcpy(path, path_uri());
	gateway_restarts();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3000), 600)));
	core_grants(keep(last_to(TO_MW)), 600);
	world_forget();
	core_sends(core_message(path, ""));
	EXPECT_EQ(0, count_to(TO_WIC));
	EXPECT_EQ(430, status_of(last_to(TO_SOURCE)));
}

TEST(restart, ends_the_dialogs_of_before_for_both_sides)
{
	for (uint32_t whose = 0; whose < 2; whose++) {
		struct call c;

		call_world(MW_TCP);
		c = whose == 0 ? alice_called() : bob_called();
		gateway_restarts();
		EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3000), 600)));
		core_grants(keep(last_to(TO_MW)), 600);
		world_forget();
		core_sends(whose == 0 ? bob_in_alices_call(&c, "BYE", "")
				      : bob_in_call(&c, "BYE", ""));
		EXPECT_EQ(481, status_of(world_only(TO_SOURCE)));
		world_forget();
		EXPECT(wic_sends(0, whose == 0 ? alice_in_call(&c, "BYE", "")
					       : alice_in_bobs_call(&c, "BYE", "")) != GW_OK);
		EXPECT_EQ(403, status_of(world_only(TO_WIC))); /* a binding that is not hers */
		EXPECT_EQ(0, count_to(TO_MW));
		world.config.flow_key[0].id++; /* nor is the key kept any more */
		world_forget();
		EXPECT(wic_sends(0, whose == 0 ? alice_in_call(&c, "BYE", "")
					       : alice_in_bobs_call(&c, "BYE", "")) != GW_OK);
		EXPECT_EQ(481, status_of(world_only(TO_WIC)));
	}
}

TEST_MAIN("gateway_reconnect",
	  RUN_BOTH(refresh, in_the_instant_of_the_expiry_and_before_it_is_taken),
	  RUN_BOTH(refresh, in_the_instant_of_the_expiry_and_behind_it_is_taken),
	  RUN_BOTH(refresh, in_the_instant_of_the_end_of_its_token_and_before_it_is_not_undone),
	  RUN(refresh, is_not_undone_by_a_notify_that_says_the_registration_has_ended),
	  RUN_BOTH(refresh, in_the_instant_of_the_end_of_its_token_and_behind_it_is_not_undone),
	  RUN(refresh, that_the_core_refuses_behind_the_end_of_its_token_leaves_nothing),
	  RUN(grant, that_comes_behind_the_end_of_its_token_is_undone),
	  RUN(end, of_a_token_and_a_request_of_the_core_in_one_instant_deliver_nothing_late),
	  RUN(tabs, with_one_instance_that_register_one_after_the_other_leave_it_with_the_last),
	  RUN(tabs, with_one_instance_that_register_at_once_leave_it_with_the_last_answered),
	  RUN(tabs, with_one_instance_of_which_the_core_refuses_one_leave_it_with_the_other),
	  RUN(tabs, with_one_instance_take_it_from_each_other_with_each_refresh),
	  RUN(tabs, with_one_instance_of_which_the_loser_is_closed_lose_nothing),
	  RUN(tabs,
	      with_one_instance_of_which_the_owner_is_closed_are_told_to_the_core_after_the_grace),
	  RUN(tabs,
	      with_one_instance_of_which_the_first_unregisters_meanwhile_leave_it_with_the_second),
	  RUN_BOTH(bye, that_comes_while_the_reconnect_is_under_way_may_be_tried_again),
	  RUN_BOTH(bye, that_the_old_connection_was_given_is_answered_when_it_ends),
	  RUN_BOTH(bye, of_the_wic_goes_by_its_new_connection_alone),
	  RUN_BOTH(dialog, of_a_flow_without_outbound_that_has_gone_is_480_within_the_grace),
	  RUN(reconnect, without_a_token_takes_nothing),
	  RUN(reconnect, without_a_token_cannot_unregister),
	  RUN(reconnect, with_a_token_that_has_ended_takes_nothing),
	  RUN(reconnect, of_another_user_with_the_same_instance_takes_nothing),
	  RUN(reconnect, with_another_reg_id_leaves_the_first_alone),
	  RUN_BOTH(reconnect, while_the_core_is_told_of_the_end_is_not_undone),
	  RUN(restart, leaves_the_paths_of_before_dead),
	  RUN(restart, leaves_the_paths_of_before_dead_for_who_has_their_slot_now),
	  RUN(restart, ends_the_dialogs_of_before_for_both_sides))
