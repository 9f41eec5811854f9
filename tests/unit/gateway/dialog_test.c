/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

/* Requests inside dialogs and the ACK of a 2xx, both ways: PROTOCOL 9.8, 10.3, 10.5. */

#define BOTH_CALLS 2

/** alice's request inside her call (0) or bob's (1). */
static const char *by_alice(uint32_t whose, const struct call *c, const char *method,
			    const char *more)
{
	return whose == 0 ? alice_in_call(c, method, more) : alice_in_bobs_call(c, method, more);
}

static const char *by_bob(uint32_t whose, const struct call *c, const char *method,
			  const char *more)
{
	return whose == 0 ? bob_in_alices_call(c, method, more) : bob_in_call(c, method, more);
}

static struct call called(enum mw_transport transport, uint32_t whose)
{
	struct call c;

	call_world(transport);
	c = whose == 0 ? alice_called() : bob_called();
	EXPECT(lines(format("X" CRLF "%s" CRLF, c.routes), "Route") == 3);
	world_forget();
	return c;
}

/** alice's Route lines with the n-th replaced by these lines. */
static const char *with_route(const char *routes, uint32_t n, const char *instead)
{
	const char *message = format("X" CRLF "%s" CRLF, routes), *all = "";

	for (uint32_t i = 0; i < lines(message, "Route"); i++)
		all = i == n ? format("%s%s", all, instead)
			     : format("%sRoute: %s" CRLF, all, line_n(message, "Route", i));
	return keep(all);
}

static const char *route_n(const char *routes, uint32_t n)
{
	return line_n(format("X" CRLF "%s" CRLF, routes), "Route", n);
}

static void time_ends_it_all(void)
{
	call_wait(70);
	call_nothing_left();
}

/* ---- ACK ------------------------------------------------------------------------------------ */

TEST_BOTH(ack, of_a_wic_for_a_2xx_goes_by_its_route_with_a_branch_of_its_own)
{
	for (uint32_t whose = 0; whose < 1; whose++) {
		struct call c = called(transport, whose);
		const char *mw;

		EXPECT_EQ(GW_OK,
			  wic_sends(0, alice_in_call(&c, "ACK",
						     "Authorization: Bearer x.y.z" CRLF
						     "Proxy-Authorization: Bearer x.y.z" CRLF
						     "P-Asserted-Identity: <sip:x@y>" CRLF)));
		mw = world_only(TO_MW);
		EXPECT(begins(mw, "ACK sip:bob@198.18.7.7 SIP/2.0" CRLF));
		EXPECT_EQ(2, lines(mw, "Via"));
		EXPECT(strcmp(branch_of(mw), branch_of(c.onward)) != 0);
		EXPECT(begins(branch_of(mw), "z9hG4bK"));
		EXPECT_EQ(2, lines(mw, "Route"));
		EXPECT_TEXT(route_n(c.routes, 1), line_n(mw, "Route", 0));
		EXPECT_TEXT(route_n(c.routes, 2), line_n(mw, "Route", 1));
		EXPECT_LINE("69", mw, "Max-Forwards");
		EXPECT(!contains(mw, "Bearer") && !contains(mw, "P-Asserted-Identity"));
		EXPECT_NO_LINE(mw, "Record-Route");
		time_ends_it_all();
	}
}

TEST_BOTH(ack, of_a_wic_said_again_goes_on_again)
{
	struct call c = called(transport, 0);
	const char *ack = keep(alice_in_call(&c, "ACK", ""));

	EXPECT_EQ(GW_OK, wic_sends(0, ack));
	EXPECT_EQ(GW_OK, wic_sends(0, ack));
	EXPECT_EQ(2, count_of(TO_MW, "ACK "));
	EXPECT_EQ(2, world.count);
}

TEST_BOTH(ack, of_a_wic_with_a_bad_route_is_dropped_and_never_answered)
{
	struct call c = called(transport, 0);
	struct call bad = c;

	bad.routes = "";
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&bad, "ACK", "")));
	bad.routes = "Route: <sip:Ft1.forged@192.0.2.10;lr>" CRLF;
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&bad, "ACK", "")));
	bad.routes = with_route(c.routes, 2, "");
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&bad, "ACK", "")));
	EXPECT_EQ(GW_OK, wic_sends(1, alice_in_call(&c, "ACK", "")));
	EXPECT_EQ(0, world.count);
}

TEST_BOTH(ack, of_the_core_for_a_2xx_reaches_the_wic)
{
	struct call c = called(transport, 1);
	const char *wic;

	core_sends(bob_in_call(&c, "ACK", VECTOR));
	wic = world_only(TO_WIC);
	EXPECT(begins(wic, "ACK sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws SIP/2.0" CRLF));
	EXPECT_EQ(3, lines(wic, "Via"));
	EXPECT(strcmp(branch_of(wic), branch_of(c.onward)) != 0);
	EXPECT_NO_LINE(wic, "Route");
	EXPECT_NO_LINE(wic, "P-Charging-Vector");
	time_ends_it_all();
}

/** RFC 3261 16.11: who gets both must be able to tell that they are one. */
TEST_BOTH(ack, of_the_core_said_again_is_the_same)
{
	struct call c = called(transport, 1);
	const char *ack = keep(bob_in_call(&c, "ACK", ""));

	core_sends(ack);
	core_sends(ack);
	EXPECT_EQ(2, world.count);
	EXPECT_TEXT(world_sent(0)->text, world_sent(1)->text);
	time_ends_it_all();
}

TEST_BOTH(ack, of_the_core_for_a_flow_that_has_gone_is_dropped)
{
	struct call c = called(transport, 1);

	alice_goes();
	core_sends(bob_in_call(&c, "ACK", ""));
	EXPECT_EQ(0, world.count);
}

TEST_BOTH(ack, of_a_2xx_with_the_branch_of_its_invite_goes_on_all_the_same)
{
	/* RFC 6026 7.1: an ACK in the state Accepted is not for the transaction to absorb */
	struct call c = called(transport, 1);

	core_sends(of_core(&(struct says){.method = "ACK",
					  .to = "<sip:alice@home1.net>;tag=w1",
					  .lines = c.backward}));
	EXPECT(begins(world_only(TO_WIC), "ACK "));
	c = called(transport, 0);
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.method = "ACK",
							      .uri = "sip:bob@198.18.7.7",
							      .to = "<sip:bob@home1.net>;tag=b1",
							      .lines = c.routes})));
	EXPECT(begins(world_only(TO_MW), "ACK "));
}

/* ---- of a WIC ------------------------------------------------------------------------------- */

TEST_BOTH(wic, has_its_requests_forwarded_by_the_route_of_the_dialog)
{
	static const char *const methods[] = {"BYE",   "UPDATE", "PRACK",   "INFO",    "INVITE",
					      "REFER", "NOTIFY", "MESSAGE", "OPTIONS", "NEWMETHOD"};

	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(transport, whose);

		for (uint32_t i = 0; i < 10; i++) {
			const char *mw;

			world_forget();
			EXPECT_EQ(GW_OK, wic_sends(0, by_alice(whose, &c, methods[i],
							       "P-Preferred-Identity: "
							       "<sip:bob@home1.net>" CRLF)));
			mw = keep(only_of(TO_MW, methods[i]));
			EXPECT_EQ(i == 4 ? 2 : 1, world.count); /* a re-INVITE gets its 100 */
			EXPECT_EQ(2, lines(mw, "Via"));
			EXPECT_EQ(2, lines(mw, "Route"));
			EXPECT_TEXT(route_n(c.routes, 1), line_n(mw, "Route", 0));
			EXPECT_EQ(0, lines(mw, "P-Preferred-Identity"));
			EXPECT_LINE("69", mw, "Max-Forwards");
			core_sends(answer_of(mw, "200 OK", "b1", VECTOR));
			EXPECT(begins(last_to(TO_WIC), "SIP/2.0 200"));
			EXPECT_NO_LINE(last_to(TO_WIC), "P-Charging-Vector");
			EXPECT_EQ(1, lines(last_to(TO_WIC), "Via"));
		}
		time_ends_it_all();
	}
}

TEST_BOTH(wic, has_the_charging_identifier_of_the_dialog_in_its_requests)
{
	struct call c = called(transport, 0);
	const char *icid = line(c.onward, "P-Charging-Vector");
	const char *vector;

	icid = keep(format("%.*s", (int)strcspn(icid, ";"), icid));
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "BYE", VECTOR)));
	vector = line(world_only(TO_MW), "P-Charging-Vector");
	EXPECT_EQ(1, lines(world_only(TO_MW), "P-Charging-Vector"));
	EXPECT(begins(vector, icid));
	EXPECT(contains(vector, ";orig-ioi=\"home1.net\""));
	c = called(transport, 1);
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_bobs_call(&c, "BYE", "")));
	vector = line(world_only(TO_MW), "P-Charging-Vector");
	EXPECT_EQ(1, lines(world_only(TO_MW), "P-Charging-Vector"));
	EXPECT(begins(vector, "icid-value=\"sc-11\""));
}

TEST_BOTH(wic, goes_on_with_its_dialogs_after_its_registration_has_ended)
{
	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(transport, whose);

		world_wait(601 * S);
		EXPECT_EQ(0, gateway_bindings(world.gw));
		world_forget();
		EXPECT_EQ(GW_OK, wic_sends(0, by_alice(whose, &c, "INVITE", "")));
		only_of(TO_MW, "INVITE ");
		EXPECT_EQ(GW_OK, wic_sends(0, by_alice(whose, &c, "ACK", "")));
		only_of(TO_MW, "ACK ");
		EXPECT_EQ(GW_OK, wic_sends(0, by_alice(whose, &c, "BYE", "")));
		only_of(TO_MW, "BYE ");
	}
}

/** alice's request with these Route lines is refused and leaves nothing. */
static void refused(uint32_t whose, enum gw_err err, uint32_t status, const char *routes)
{
	struct call c = {.routes = routes};

	world_forget();
	EXPECT_EQ(err, wic_sends(0, by_alice(whose, &c, "BYE", "")));
	EXPECT_EQ(status, status_of(world_only(TO_WIC)));
	EXPECT_EQ(0, count_to(TO_MW));
}

TEST(wic, that_leaves_the_route_of_its_dialog_is_403)
{
	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(MW_TCP, whose);
		const char *second = keep(route_n(c.routes, 1));
		const char *third = keep(route_n(c.routes, 2));

		refused(whose, GW_DIALOG_FOREIGN, 403, "");
		refused(whose, GW_DIALOG_FOREIGN, 403, with_route(c.routes, 1, ""));
		refused(whose, GW_DIALOG_FOREIGN, 403, with_route(c.routes, 2, ""));
		refused(whose, GW_DIALOG_FOREIGN, 403,
			with_route(with_route(c.routes, 2, ""), 1, ""));
		refused(whose, GW_DIALOG_FOREIGN, 403,
			with_route(c.routes, 1, "Route: <sip:evil.example;lr>" CRLF));
		refused(whose, GW_DIALOG_FOREIGN, 403,
			with_route(c.routes, 2, "Route: <sip:evil.example;lr>" CRLF));
		refused(whose, GW_DIALOG_FOREIGN, 403,
			keep(format("%sRoute: <sip:evil.example;lr>" CRLF, c.routes)));
		refused(whose, GW_DIALOG_FOREIGN, 403,
			keep(format("Route: %s" CRLF "Route: %s" CRLF "Route: %s" CRLF,
				    route_n(c.routes, 0), third, second)));
		refused(whose, GW_DIALOG_FOREIGN, 403,
			with_route(c.routes, 2,
				   format("Route: %s, <sip:evil.example;lr>" CRLF, third)));
	}
}

TEST(wic, that_changes_a_hop_of_the_route_is_403)
{
	static const char *const more[] = {
		";maddr=198.18.66.6", ";transport=udp", ";received=198.18.66.6", ";x=y", ";lr;orig",
	};

	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(MW_TCP, whose);

		for (uint32_t i = 1; i < 3; i++) {
			const char *route = keep(route_n(c.routes, i));
			int uri = (int)strcspn(route, ">");

			for (uint32_t k = 0; k < sizeof(more) / sizeof(more[0]); k++)
				refused(whose, GW_DIALOG_FOREIGN, 403,
					with_route(c.routes, i,
						   format("Route: %.*s%s>" CRLF, uri, route,
							  more[k])));
			/* the core's own parameters, and loose routing, stay as well */
			refused(whose, GW_DIALOG_FOREIGN, 403,
				with_route(c.routes, i,
					   format("Route: %.*s>" CRLF, (int)strcspn(route, ";"),
						  route)));
			refused(whose, GW_DIALOG_FOREIGN, 403,
				with_route(c.routes, i, format("Route: <sips%s" CRLF, route + 4)));
		}
	}
}

TEST(wic, may_write_the_route_of_its_dialog_in_another_spelling)
{
	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(MW_TCP, whose);
		const char *own = keep(route_n(c.routes, 0));
		bool first = contains(route_n(c.routes, 1), "198.18.0.40");

		struct call respelled = {
			.routes = keep(format("Route: %s,%s ,\"x\"\r\n <sip:%s>" CRLF, own,
					      first ? "<SIP:mt@198.18.0.40:6060;DID=1a;lr>"
						    : "<sip:SCSCF.home1.net:6060;LR>",
					      first ? "scscf.HOME1.net:6060;lr"
						    : "mt@198.18.0.40:6060;did=1a;lr"))};

		EXPECT_EQ(GW_OK, wic_sends(0, by_alice(whose, &respelled, "BYE", "")));
		only_of(TO_MW, "BYE ");
	}
}

TEST(wic, that_changes_its_own_route_is_403)
{
	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(MW_TCP, whose);
		const char *own = keep(route_n(c.routes, 0));
		char *mark = strstr(own, ";wd=");
		char changed[512];

		assert_non_null(mark);
		for (size_t at = 5; at < 5 + FLOW_TOKEN_LEN; at += 3) {
			strcpy(changed, own);
			changed[at] = changed[at] == 'A' ? 'B' : 'A';
			world_forget();
			c.routes = with_route(c.routes, 0, format("Route: %s" CRLF, changed));
			EXPECT(wic_sends(0, by_alice(whose, &c, "BYE", "")) != GW_OK);
			EXPECT(status_of(world_only(TO_WIC)) == 403 ||
			       status_of(world_only(TO_WIC)) == 481);
		}
		for (size_t at = (size_t)(mark - own) + 4; at < strlen(own) - 1; at += 5) {
			strcpy(changed, own);
			changed[at] = changed[at] == 'A' ? 'B' : 'A';
			refused(whose, GW_FLOW_FORGED, 403,
				with_route(c.routes, 0, format("Route: %s" CRLF, changed)));
		}
		refused(whose, GW_FLOW_FORGED, 403,
			with_route(c.routes, 0,
				   format("Route: %.*s>" CRLF, (int)(mark - own), own)));
	}
}

TEST(wic, that_uses_what_only_the_core_was_given_is_403)
{
	struct call c = called(MW_TCP, 0);

	refused(0, GW_DIALOG_FOREIGN, 403, c.backward); /* not bound to a route */
	refused(0, GW_DIALOG_FOREIGN, 403, format("Route: <%s>" CRLF, path_uri()));
	refused(0, GW_DIALOG_FOREIGN, 403,
		with_route(c.routes, 0, format("Route: <%s>" CRLF, path_uri())));
}

TEST(wic, that_uses_the_route_of_another_wic_is_403)
{
	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(MW_TCP, whose);

		EXPECT_EQ(GW_DIALOG_FOREIGN, wic_sends(1, by_alice(whose, &c, "BYE", "")));
		EXPECT_EQ(403, status_of(world_only(TO_WIC)));
	}
}

TEST(wic, that_uses_the_route_of_one_dialog_in_another_is_403)
{
	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(MW_TCP, whose);

		EXPECT_EQ(GW_DIALOG_FOREIGN,
			  wic_sends(0, of_alice(&(struct says){.method = "INVITE",
							       .branch = "x",
							       .uri = "sip:victim@198.18.7.8",
							       .to = "<sip:victim@x>;tag=b1",
							       .call = "another",
							       .lines = c.routes})));
		EXPECT_EQ(403, status_of(world_only(TO_WIC)));
		world_forget();
		EXPECT_EQ(GW_DIALOG_FOREIGN,
			  wic_sends(0, of_alice(&(struct says){.method = "INVITE",
							       .branch = "x",
							       .uri = "sip:victim@198.18.7.8",
							       .to = "<sip:victim@x>;tag=v1",
							       .call = whose == 0 ? "i1" : "c1",
							       .lines = c.routes})));
		EXPECT_EQ(403, status_of(world_only(TO_WIC)));
	}
}

TEST_BOTH(wic, has_its_re_invite_answered_like_any_other)
{
	struct call c = called(transport, 0);
	const char *mw, *own;

	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "INVITE", "Contact: " OUR_CONTACT CRLF)));
	mw = keep(only_of(TO_MW, "INVITE "));
	only_of(TO_WIC, "SIP/2.0 100");
	EXPECT_LINE(OUR_CONTACT, mw, "Contact");
	own = line(mw, "Record-Route");
	EXPECT(own == NULL); /* RFC 3261 16.6 step 4: the route set of a dialog stays */
	core_sends(answer_of(mw, "180 Ringing", "b1", ""));
	core_sends(answer_of(mw, "488 Not Acceptable Here", "b1", ""));
	only_of(TO_MW, "ACK ");
	EXPECT_EQ(2, lines(last_to(TO_MW), "Route"));
	only_of(TO_WIC, "SIP/2.0 180");
	only_of(TO_WIC, "SIP/2.0 488");
	time_ends_it_all();
}

TEST_BOTH(wic, has_a_subscription_of_its_own_with_a_route)
{
	const char *mw, *routes;

	call_world(transport);
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.method = "SUBSCRIBE",
							      .lines = "Event: presence" CRLF})));
	mw = keep(only_of(TO_MW, "SUBSCRIBE "));
	EXPECT_EQ(1, lines(mw, "Record-Route"));
	core_sends(answer_of(mw, "200 OK", "b1", ""));
	routes = keep(routes_of_response(last_to(TO_WIC)));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.method = "SUBSCRIBE",
							      .branch = "i2",
							      .to = "<sip:bob@home1.net>;tag=b1",
							      .cseq = 2,
							      .lines = routes})));
	EXPECT_EQ(0, lines(only_of(TO_MW, "SUBSCRIBE "), "Route"));
	world_forget();
	core_sends(of_core(&(struct says){.method = "NOTIFY",
					  .from = "<sip:bob@home1.net>;tag=b1",
					  .to = "<sip:alice@home1.net>;tag=i1",
					  .call = "i1",
					  .lines = routes_of_request(mw)}));
	only_of(TO_WIC, "NOTIFY ");
}

/* ---- forks ---------------------------------------------------------------------------------- */

TEST_BOTH(fork, has_a_route_for_each_of_its_dialogs)
{
	const char *routes[2];
	struct call c;

	call_world(transport);
	c = alice_calls("");
	for (uint32_t i = 0; i < 2; i++) {
		core_sends(
			bare_answer_of(c.onward, "200 OK", i == 0 ? "b1" : "b2",
				       format("Record-Route: <sip:branch%u.home7.net;lr>, %s" CRLF,
					      i, line(c.onward, "Record-Route"))));
		routes[i] = keep(routes_of_response(last_to(TO_WIC)));
	}
	for (uint32_t i = 0; i < 2; i++) {
		const struct says ack = {.method = "ACK",
					 .branch = i == 0 ? "a0" : "a1",
					 .to = i == 0 ? "<sip:bob@home1.net>;tag=b1"
						      : "<sip:bob@home1.net>;tag=b2",
					 .lines = routes[i]};
		struct says crossed = ack;

		world_forget();
		EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&ack)));
		EXPECT(contains(world_only(TO_MW), format("branch%u.home7.net", i)));
		crossed.lines = routes[1 - i];
		crossed.method = "BYE";
		crossed.cseq = 2;
		world_forget();
		EXPECT_EQ(GW_DIALOG_FOREIGN, wic_sends(0, of_alice(&crossed)));
	}
}

/* ---- of the core ---------------------------------------------------------------------------- */

TEST_BOTH(core, has_its_requests_delivered_without_our_route)
{
	static const char *const methods[] = {"BYE",   "UPDATE", "PRACK",   "INFO",    "INVITE",
					      "REFER", "NOTIFY", "MESSAGE", "OPTIONS", "NEWMETHOD"};

	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(transport, whose);

		for (uint32_t i = 0; i < 10; i++) {
			const char *wic;

			if (i == 5)
				world_wait(40 * S); /* what is kept for repeats ends */
			world_forget();
			core_sends(by_bob(whose, &c, methods[i], VECTOR));
			wic = keep(only_of(TO_WIC, methods[i]));
			EXPECT_EQ(3, lines(wic, "Via"));
			EXPECT_NO_LINE(wic, "Route");
			EXPECT_NO_LINE(wic, "P-Charging-Vector");
			EXPECT_LINE("69", wic, "Max-Forwards");
			EXPECT_EQ(GW_OK, wic_sends(0, answer_of(wic, "200 OK", "w1", "")));
			EXPECT(begins(last_to(TO_SOURCE), "SIP/2.0 200"));
			EXPECT_EQ(2, lines(last_to(TO_SOURCE), "Via"));
			EXPECT(contains(line(last_to(TO_SOURCE), "P-Charging-Vector"),
					"icid-value=\"sc-11\""));
		}
		time_ends_it_all();
	}
}

TEST_BOTH(core, reaches_a_wic_inside_a_dialog_after_its_registration_has_ended)
{
	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(transport, whose);

		world_wait(601 * S);
		world_forget();
		core_sends(by_bob(whose, &c, "BYE", ""));
		EXPECT_EQ(GW_OK, wic_sends(0, answer_of(keep(only_of(TO_WIC, "BYE ")), "200 OK",
							"w1", "")));
		only_of(TO_SOURCE, "SIP/2.0 200");
	}
}

TEST_BOTH(core, gets_430_inside_a_dialog_whose_flow_has_gone_and_481_after_the_grace)
{
	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		static const char *const methods[] = {"BYE", "INVITE", "UPDATE"};
		struct call c = called(transport, whose);

		alice_goes();
		for (uint32_t i = 0; i < 3; i++) {
			world_forget();
			core_sends(by_bob(whose, &c, methods[i], ""));
			EXPECT_EQ(430, status_of(last_to(TO_SOURCE)));
		}
		call_wait(31);
		for (uint32_t i = 0; i < 3; i++) {
			world_forget();
			core_sends(by_bob(whose, &c, methods[i], ""));
			EXPECT_EQ(481, status_of(last_to(TO_SOURCE)));
		}
		time_ends_it_all();
	}
}

/** bob's re-INVITE inside alice's call, or what belongs to it. */
static const char *bobs_re_invite(const struct call *c, const char *method)
{
	return of_core(&(struct says){.method = method,
				      .branch = "re",
				      .from = "<sip:bob@home1.net>;tag=b1",
				      .to = "<sip:alice@home1.net>;tag=i1",
				      .call = "i1",
				      .cseq = 7,
				      .lines = c->backward});
}

TEST_BOTH(core, whose_re_invite_a_lost_flow_has_failed_can_acknowledge_that)
{
	struct call c = called(transport, 0);

	core_sends(bobs_re_invite(&c, "INVITE"));
	only_of(TO_WIC, "INVITE ");
	wic_leaves(0);
	only_of(TO_SOURCE, "SIP/2.0 480");
	core_sends(bobs_re_invite(&c, "INVITE")); /* it had not come yet */
	EXPECT_EQ(transport == MW_UDP ? 2 : 1, count_of(TO_SOURCE, "SIP/2.0 480"));
	EXPECT_EQ(transport == MW_UDP ? 3 : 2, count_to(TO_SOURCE)); /* and the 100 */
	core_sends(bobs_re_invite(&c, "ACK"));
	world_forget();
	world_wait(4 * S);
	EXPECT_EQ(0, count_to(TO_SOURCE));
	call_wait(33);
	call_nothing_left();
}

TEST_BOTH(core, can_cancel_its_re_invite_when_the_flow_is_lost)
{
	struct call c = called(transport, 0);

	core_sends(bobs_re_invite(&c, "INVITE"));
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(keep(only_of(TO_WIC, "INVITE ")), "180 Ringing",
						"i1", "")));
	alice_goes();
	core_sends(bobs_re_invite(&c, "CANCEL"));
	only_of(TO_SOURCE, "SIP/2.0 200");
	only_of(TO_SOURCE, "SIP/2.0 487");
	time_ends_it_all();
}

TEST(core, whose_request_a_lost_flow_has_failed_gets_the_same_answer_again)
{
	struct call c = called(MW_UDP, 0);
	const char *bye = keep(bob_in_alices_call(&c, "BYE", ""));

	core_sends(bye);
	only_of(TO_WIC, "BYE ");
	alice_goes();
	core_sends(bye);
	EXPECT_EQ(480, status_of(world_only(TO_SOURCE)));
	time_ends_it_all();
}

TEST_BOTH(core, gets_481_inside_a_dialog_that_only_its_flow_names_when_that_has_gone)
{
	struct call c;

	call_world(transport);
	world.wic[0].home = handle_none();
	c = alice_called();
	EXPECT(begins(c.backward, "Route: <sip:Ft1."));
	alice_goes();
	core_sends(bob_in_alices_call(&c, "BYE", ""));
	EXPECT_EQ(481, status_of(world_only(TO_SOURCE)));
}

/* ---- a WIC that comes back ------------------------------------------------------------------ */

TEST_BOTH(reconnect, keeps_the_dialogs_for_both_sides)
{
	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(transport, whose);
		const char *wic, *mw;

		alice_goes();
		world_wait(20 * S);
		alice_returns();
		core_sends(by_bob(whose, &c, "UPDATE", ""));
		wic = keep(only_of(TO_WIC, "UPDATE "));
		EXPECT(handle_equal(world.wic[1].flow, nth_to(TO_WIC, 0)->flow));
		EXPECT_EQ(GW_OK, wic_sends(1, answer_of(wic, "200 OK", "w1", "")));
		only_of(TO_SOURCE, "SIP/2.0 200");
		EXPECT_EQ(GW_OK, wic_sends(1, by_alice(whose, &c, "INVITE", "")));
		mw = keep(only_of(TO_MW, "INVITE "));
		EXPECT_EQ(2, lines(mw, "Route"));
		core_sends(answer_of(mw, "200 OK", "b1", ""));
		EXPECT(handle_equal(world.wic[1].flow, nth_to(TO_WIC, count_to(TO_WIC) - 1)->flow));
		EXPECT_EQ(GW_OK, wic_sends(1, by_alice(whose, &c, "ACK", "")));
		only_of(TO_MW, "ACK ");
		EXPECT_EQ(GW_OK, wic_sends(1, by_alice(whose, &c, "BYE", "")));
		only_of(TO_MW, "BYE ");
		time_ends_it_all();
	}
}

TEST_BOTH(reconnect, beside_a_flow_that_is_still_open_takes_its_dialogs_away)
{
	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(transport, whose);

		alice_returns();
		core_sends(by_bob(whose, &c, "BYE", ""));
		EXPECT(handle_equal(world.wic[1].flow, nth_to(TO_WIC, 0)->flow));
		world_forget();
		EXPECT_EQ(GW_DIALOG_FOREIGN, wic_sends(0, by_alice(whose, &c, "BYE", "")));
		EXPECT_EQ(GW_OK, wic_sends(1, by_alice(whose, &c, "BYE", "")));
		only_of(TO_MW, "BYE ");
	}
}

TEST_BOTH(reconnect, that_a_bye_of_the_core_comes_before_finds_the_dialog_gone)
{
	struct call c = called(transport, 1);

	alice_goes();
	core_sends(bob_in_call(&c, "BYE", "")); /* it crosses the reconnect */
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
	alice_returns();
	core_sends(bob_in_call(&c, "BYE", "")); /* and is tried again */
	EXPECT(begins(world_only(TO_WIC), "BYE "));
	EXPECT_EQ(GW_OK, wic_sends(1, answer_of(keep(last_to(TO_WIC)), "481 Gone", "w1", "")));
	only_of(TO_SOURCE, "SIP/2.0 481");
	time_ends_it_all();
}

TEST_BOTH(reconnect, does_not_move_a_call_that_is_still_to_be_answered)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "180 Ringing", "w1", "")));
	alice_goes();
	alice_returns();
	/* the new connection was not asked: it cannot answer */
	EXPECT_EQ(GW_SIP_NO_TRANSACTION, wic_sends(1, answer_of(c.onward, "200 OK", "w1", "")));
	EXPECT_EQ(0, world.count);
	core_sends(of_core(&(struct says){.method = "CANCEL"}));
	only_of(TO_SOURCE, "SIP/2.0 487");
	time_ends_it_all();
}

TEST_BOTH(reconnect, of_somebody_else_gets_nothing_of_the_dialog)
{
	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(transport, whose);

		alice_goes();
		world_wait(S);
		EXPECT_EQ(GW_OK, wic_sends(1, register_sipjs(token_alice(3000),
							     600))); /* another instance */
		core_answers("200 OK", "Contact: <sip:l45tahiv@t2nsfi2bgmd9.invalid;transport=ws>"
				       ";expires=600" CRLF);
		world_forget();
		EXPECT_EQ(GW_DIALOG_FOREIGN, wic_sends(1, by_alice(whose, &c, "BYE", "")));
		world_forget();
		core_sends(by_bob(whose, &c, "BYE", ""));
		EXPECT_EQ(0, count_to(TO_WIC));
		EXPECT_EQ(430, status_of(last_to(TO_SOURCE)));
	}
}

TEST_BOTH(core, gets_403_for_a_route_that_is_not_as_we_wrote_it)
{
	for (uint32_t whose = 0; whose < BOTH_CALLS; whose++) {
		struct call c = called(transport, whose);
		char *at = strstr(c.backward, ";wd=");

		assert_non_null(at);
		at[6] = at[6] == 'A' ? 'B' : 'A';
		core_sends(by_bob(whose, &c, "BYE", ""));
		EXPECT_EQ(403, status_of(world_only(TO_SOURCE)));
		EXPECT_EQ(0, count_to(TO_WIC));
	}
}

TEST_BOTH(core, and_wic_can_hang_up_at_once)
{
	struct call c = called(transport, 0);
	const char *mw, *wic;

	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "BYE", "")));
	mw = keep(only_of(TO_MW, "BYE "));
	core_sends(bob_in_alices_call(&c, "BYE", ""));
	wic = keep(only_of(TO_WIC, "BYE "));
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(wic, "200 OK", "i1", "")));
	core_sends(answer_of(mw, "481 Call/Transaction Does Not Exist", "b1", ""));
	only_of(TO_SOURCE, "SIP/2.0 200");
	only_of(TO_WIC, "SIP/2.0 481");
	time_ends_it_all();
}

TEST_BOTH(core, can_prack_and_update_before_the_call_is_answered)
{
	struct call c;
	const char *wic;

	call_world(transport);
	c = bob_calls(VECTOR);
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "183 Session Progress", "w1",
						"Require: 100rel" CRLF "RSeq: 1" CRLF)));
	EXPECT_LINE("1", last_to(TO_SOURCE), "RSeq");
	EXPECT_LINE("100rel", last_to(TO_SOURCE), "Require");
	c.backward = keep(format("Route: %s" CRLF, line(last_to(TO_SOURCE), "Record-Route")));
	c.routes = keep(routes_of_request(c.onward));
	core_sends(bob_in_call(&c, "PRACK", "RAck: 1 1 INVITE" CRLF));
	wic = keep(only_of(TO_WIC, "PRACK "));
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(wic, "200 OK", "w1", "")));
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_bobs_call(&c, "UPDATE", "")));
	only_of(TO_MW, "UPDATE ");
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "200 OK", "w1", "")));
	EXPECT_EQ(2, count_of(TO_SOURCE, "SIP/2.0 200"));
	time_ends_it_all();
}

TEST_MAIN("gateway_dialog",
	  RUN_BOTH(ack, of_a_wic_for_a_2xx_goes_by_its_route_with_a_branch_of_its_own),
	  RUN_BOTH(ack, of_a_wic_said_again_goes_on_again),
	  RUN_BOTH(ack, of_the_core_said_again_is_the_same),
	  RUN_BOTH(ack, of_a_wic_with_a_bad_route_is_dropped_and_never_answered),
	  RUN_BOTH(ack, of_the_core_for_a_2xx_reaches_the_wic),
	  RUN_BOTH(ack, of_the_core_for_a_flow_that_has_gone_is_dropped),
	  RUN_BOTH(ack, of_a_2xx_with_the_branch_of_its_invite_goes_on_all_the_same),
	  RUN_BOTH(wic, has_its_requests_forwarded_by_the_route_of_the_dialog),
	  RUN_BOTH(wic, has_the_charging_identifier_of_the_dialog_in_its_requests),
	  RUN_BOTH(wic, goes_on_with_its_dialogs_after_its_registration_has_ended),
	  RUN(wic, that_leaves_the_route_of_its_dialog_is_403),
	  RUN(wic, that_changes_a_hop_of_the_route_is_403),
	  RUN(wic, may_write_the_route_of_its_dialog_in_another_spelling),
	  RUN(wic, that_changes_its_own_route_is_403),
	  RUN(wic, that_uses_what_only_the_core_was_given_is_403),
	  RUN(wic, that_uses_the_route_of_another_wic_is_403),
	  RUN(wic, that_uses_the_route_of_one_dialog_in_another_is_403),
	  RUN_BOTH(wic, has_its_re_invite_answered_like_any_other),
	  RUN_BOTH(wic, has_a_subscription_of_its_own_with_a_route),
	  RUN_BOTH(fork, has_a_route_for_each_of_its_dialogs),
	  RUN_BOTH(core, has_its_requests_delivered_without_our_route),
	  RUN_BOTH(core, reaches_a_wic_inside_a_dialog_after_its_registration_has_ended),
	  RUN_BOTH(core, gets_430_inside_a_dialog_whose_flow_has_gone_and_481_after_the_grace),
	  RUN_BOTH(core, whose_re_invite_a_lost_flow_has_failed_can_acknowledge_that),
	  RUN_BOTH(core, can_cancel_its_re_invite_when_the_flow_is_lost),
	  RUN(core, whose_request_a_lost_flow_has_failed_gets_the_same_answer_again),
	  RUN_BOTH(core, gets_481_inside_a_dialog_that_only_its_flow_names_when_that_has_gone),
	  RUN_BOTH(reconnect, keeps_the_dialogs_for_both_sides),
	  RUN_BOTH(reconnect, beside_a_flow_that_is_still_open_takes_its_dialogs_away),
	  RUN_BOTH(reconnect, that_a_bye_of_the_core_comes_before_finds_the_dialog_gone),
	  RUN_BOTH(reconnect, does_not_move_a_call_that_is_still_to_be_answered),
	  RUN_BOTH(reconnect, of_somebody_else_gets_nothing_of_the_dialog),
	  RUN_BOTH(core, gets_403_for_a_route_that_is_not_as_we_wrote_it),
	  RUN_BOTH(core, and_wic_can_hang_up_at_once),
	  RUN_BOTH(core, can_prack_and_update_before_the_call_is_answered))
