/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

/* Requests of the core to a WIC and their answers: PROTOCOL 9.6, 9.7, 10.3. */

#define CALLED "P-Called-Party-ID: <sip:alice@home1.net>" CRLF

/** alice is registered and gets a message of the core. */
static const char *delivered(const char *more)
{
	world_start();
	world_register();
	core_sends(core_message(path_uri(), more));
	return world_only(TO_WIC);
}

/** What the core gets of alice's answer. */
static const char *answered(const char *status, const char *more)
{
	EXPECT_EQ(GW_OK, wic_sends(0, wic_answer(status, more)));
	EXPECT_EQ(2, world.count);
	EXPECT_EQ(TO_SOURCE, world_sent(1)->to);
	return world_sent(1)->text;
}

/** The core's request is answered by us at once. */
static const char *told(uint32_t status, const char *request)
{
	world_forget();
	core_sends(request);
	EXPECT_EQ(status, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(0, memcmp(&world.source, &world_sent(0)->source, sizeof(world.source)));
	return world_only(TO_SOURCE);
}

/** The core's request of another method. */
static const char *core_method(const char *method, const char *more)
{
	return format("%s sip:x@a.invalid SIP/2.0" CRLF
		      "Via: SIP/2.0/TCP 198.18.0.20:5060;branch=z9hG4bKs9" CRLF "%s"
		      "From: <sip:bob@home1.net>;tag=c9" CRLF "To: <sip:alice@home1.net>" CRLF
		      "Call-ID: c9" CRLF "CSeq: 4 %s" CRLF "Content-Length: 0" CRLF CRLF,
		      method, more, method);
}

static const char *to_path(const char *method)
{
	return core_method(method, format("Route: <%s>" CRLF, path_uri()));
}

TEST(message, reaches_the_wic_of_the_path)
{
	const char *wic = delivered("");

	EXPECT(handle_equal(world.wic[0].flow, world_sent(0)->flow));
	EXPECT(strstr(wic, "MESSAGE sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws SIP/2.0" CRLF) ==
	       wic);
	EXPECT_EQ(3, lines(wic, "Via"));
	EXPECT_EQ(0, strncmp(line(wic, "Via"), "SIP/2.0/WSS ", 12));
	EXPECT_NO_LINE(wic, "Route");
	EXPECT_LINE("59", wic, "Max-Forwards");
	EXPECT_LINE("2", wic, "Content-Length");
	EXPECT_TEXT(CRLF CRLF "hi", strstr(wic, CRLF CRLF));
}

TEST(message, keeps_the_called_party_and_loses_charging)
{
	const char *wic = delivered(
		CALLED VECTOR
		"P-Charging-Function-Addresses: ccf=x" CRLF
		"P-Served-User: <sip:alice@home1.net>" CRLF "P-Profile-Key: <sip:x!.*!@h>" CRLF
		"P-User-Database: <aaa://x>" CRLF "p-visited-network-id: \"v\"" CRLF
		"P-Private-Network-Indication: x" CRLF "Restoration-Info: x" CRLF
		"Relayed-Charge: x" CRLF "Service-Interact-Info: x" CRLF
		"Cellular-Network-Info: x" CRLF "Attestation-Info: A" CRLF "Origination-Id: x" CRLF
		"P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.mmtel" CRLF);

	EXPECT_LINE("<sip:alice@home1.net>", wic, "P-Called-Party-ID");
	EXPECT_NO_LINE(wic, "P-Charging-Vector");
	EXPECT_NO_LINE(wic, "P-Charging-Function-Addresses");
	EXPECT_NO_LINE(wic, "P-Served-User");
	EXPECT_NO_LINE(wic, "P-Profile-Key");
	EXPECT_NO_LINE(wic, "P-User-Database");
	EXPECT_NO_LINE(wic, "P-Visited-Network-ID");
	EXPECT_NO_LINE(wic, "P-Private-Network-Indication");
	EXPECT_NO_LINE(wic, "Restoration-Info");
	EXPECT_NO_LINE(wic, "Relayed-Charge");
	EXPECT_NO_LINE(wic, "Service-Interact-Info");
	EXPECT_NO_LINE(wic, "Cellular-Network-Info");
	EXPECT_NO_LINE(wic, "Attestation-Info");
	EXPECT_NO_LINE(wic, "Origination-Id");
	EXPECT_EQ(1, lines(wic, "P-Asserted-Service"));
}

TEST(message, shows_who_sends_it)
{
	EXPECT_LINE("<sip:bob@home1.net>",
		    delivered("P-Asserted-Identity: <sip:bob@home1.net>" CRLF
			      "Privacy: header;session" CRLF),
		    "P-Asserted-Identity");
}

TEST(message, with_privacy_id_does_not_show_who_sends_it)
{
	static const char *const all[] = {"id", "ID;critical", "user ; id", "user,id",
					  "header;\r\n id"};

	for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		EXPECT_NO_LINE(delivered(format("P-Asserted-Identity: <sip:bob@home1.net>" CRLF
						"p-asserted-identity: <tel:+1555>" CRLF
						"Privacy: %s" CRLF,
						all[i])),
			       "P-Asserted-Identity");
}

TEST(message, with_privacy_id_on_a_second_line_does_not_show_who_sends_it)
{
	EXPECT_NO_LINE(delivered("Privacy: header" CRLF "Privacy: id" CRLF
				 "P-Asserted-Identity: <sip:bob@home1.net>" CRLF),
		       "P-Asserted-Identity");
}

TEST(message, with_a_further_route_is_403)
{
	world_start();
	world_register();
	told(403, core_message(path_uri(), "Route: <sip:more.home1.net;lr>" CRLF));
	told(403, core_message(format("%s>, <sip:more.home1.net;lr", path_uri()), ""));
	EXPECT_EQ(2, world_count(&world.counters.errors[GW_SIP_LOOP]));
	EXPECT_EQ(0, world_transactions());
}

TEST(message, whose_route_has_any_character_changed_is_403)
{
	char route[512];

	world_start();
	world_register();
	for (uint32_t i = 0; i < FLOW_TOKEN_LEN; i++) {
		char *at = route + 4 + i;

		strcpy(route, path_uri());
		*at = *at == 'A' ? 'B' : 'A';
		world_forget();
		core_sends(core_message(route, ""));
		EXPECT_EQ(1, world.count);
		if (i >= 4 + 5 &&
		    i <= 4 + 6) /* the key's id is in there: our node, a key of before */
			EXPECT(status_of(world_only(TO_SOURCE)) == 403 ||
			       status_of(world_only(TO_SOURCE)) == 430);
		else
			EXPECT_EQ(403, status_of(world_only(TO_SOURCE)));
	}
	EXPECT(world_count(&world.counters.flow_forged) >= FLOW_TOKEN_LEN - 2);
}

TEST(message, for_a_flow_that_has_ended_is_430_with_outbound)
{
	world_start();
	world_register();
	world.gone[0] = true;
	EXPECT_NO_LINE(told(430, core_message(path_uri(), "")), "Reason");
	EXPECT_EQ(1, world_count(&world.counters.flow_gone));
}

TEST(message, for_a_slot_that_somebody_else_has_now_is_430)
{
	world_start();
	world_register();
	world.wic[0].flow.generation++;
	told(430, core_message(path_uri(), ""));
}

/** Our Path without ob. */
static const char *path_without_ob(void)
{
	return format("%.*s", (int)strlen(path_uri()) - 3, path_uri());
}

TEST(message, for_a_flow_that_has_ended_is_480_without_outbound)
{
	world_start();
	world_register();
	world.gone[0] = true;
	EXPECT_LINE("Q.850;cause=20;text=\"Subscriber absent\"",
		    told(480, core_message(path_without_ob(), "")), "Reason");
}

TEST(message, inside_a_dialog_for_a_flow_that_has_ended_is_481)
{
	world_start();
	world_register();
	world.gone[0] = true;
	told(481,
	     format("BYE sip:x@a.invalid SIP/2.0" CRLF
		    "Via: SIP/2.0/TCP 198.18.0.20:5060;branch=z9hG4bKs9" CRLF "Route: <%s>" CRLF
		    "From: <sip:bob@home1.net>;tag=c9" CRLF "To: <sip:alice@home1.net>;tag=7" CRLF
		    "Call-ID: c9" CRLF "CSeq: 4 BYE" CRLF CRLF,
		    path_uri()));
}

TEST(message, for_a_registration_that_has_ended_is_not_delivered)
{
	world_start();
	world_register();
	world_wait(601 * 1000000ull);
	told(430, core_message(path_uri(), ""));
	told(480, core_message(path_without_ob(), ""));
}

TEST(message, to_a_wic_that_is_being_cut_is_430)
{
	world_start();
	world_register();
	world.to_wic_err = GW_WS_SLOW;
	told(430, core_message(path_uri(), ""));
	EXPECT_EQ(0, world_transactions());
}

TEST(message, when_the_transactions_are_used_up_is_503)
{
	world_start();
	world_register();
	for (uint32_t i = 0; i < 8; i++)
		EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	EXPECT_EQ(1, lines(told(503, core_message(path_uri(), "")), "Retry-After"));
}

TEST(message, of_another_key_of_ours_is_delivered)
{
	world_start();
	world_register();
	world.config.flow_key[1] = world.config.flow_key[0];
	world.config.flow_key[0] = (struct flow_key){.id = 8, .secret = "next flow key"};
	world.config.flow_key_count = 2;
	core_sends(core_message(path_uri(), ""));
	world_only(TO_WIC);
}

TEST(message, of_a_key_that_is_not_kept_is_430)
{
	world_start();
	world_register();
	world.config.flow_key[0] = (struct flow_key){.id = 8, .secret = "next flow key"};
	told(430, core_message(path_uri(), ""));
}

/** Who it is stays with the core inside a dialog too, in requests and in answers (RFC 3325). */
TEST(message, inside_a_dialog_with_privacy_id_does_not_show_who_sends_it)
{
	static const char hidden[] =
		"Privacy: id" CRLF "P-Asserted-Identity: <sip:bob@home1.net>" CRLF,
			  shown[] = "P-Asserted-Identity: <sip:bob@home1.net>" CRLF;
	const char *mw;
	struct call c;

	call_world(MW_TCP);
	c = bob_called();
	core_sends(bob_in_call(&c, "UPDATE", hidden));
	EXPECT_NO_LINE(only_of(TO_WIC, "UPDATE "), "P-Asserted-Identity");
	core_sends(bob_in_call(&c, "INFO", shown));
	EXPECT_EQ(1, lines(only_of(TO_WIC, "INFO "), "P-Asserted-Identity"));
	for (uint32_t i = 0; i < 2; i++) {
		world_forget();
		EXPECT_EQ(GW_OK, wic_sends(0, alice_in_bobs_call(&c, "OPTIONS", "")));
		mw = keep(only_of(TO_MW, "OPTIONS "));
		core_sends(bare_answer_of(mw, "200 OK", "b1", i == 0 ? hidden : shown));
		EXPECT_EQ(i, lines(last_to(TO_WIC), "P-Asserted-Identity"));
	}
}

/* RFC 3261 16.7 step 6 is not about calls that begin alone. */
TEST(answer, of_overload_inside_a_dialog_is_500_to_both_sides)
{
	struct call c;

	call_world(MW_TCP);
	c = bob_called();
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_bobs_call(&c, "UPDATE", "")));
	core_sends(bare_answer_of(keep(only_of(TO_MW, "UPDATE ")), "503 Service Unavailable", "b1",
				  "Retry-After: 9" CRLF));
	EXPECT_LINE("9", only_of(TO_WIC, "SIP/2.0 500"), "Retry-After");
	EXPECT_EQ(1, count_to(TO_MW));
	core_sends(bob_in_call(&c, "INFO", ""));
	EXPECT_EQ(GW_OK, wic_sends(0, bare_answer_of(keep(only_of(TO_WIC, "INFO ")),
						     "503 Service Unavailable", "w1", "")));
	only_of(TO_SOURCE, "SIP/2.0 500");
}

/* ---- checks --------------------------------------------------------------------------------- */

TEST(request, without_hops_left_is_483)
{
	world_start();
	told(483, core_method("OPTIONS", "Max-Forwards: 0" CRLF));
}

TEST(request, with_malformed_max_forwards_is_400)
{
	world_start();
	told(400, core_method("OPTIONS", "Max-Forwards: many" CRLF));
}

TEST(request, with_an_unknown_proxy_require_is_420_and_names_it)
{
	world_start();
	EXPECT_LINE("nobody", told(420, core_method("OPTIONS", "Proxy-Require: nobody" CRLF)),
		    "Unsupported");
}

TEST(request, of_an_unknown_uri_scheme_is_416)
{
	world_start();
	told(416,
	     format("OPTIONS nobodyKnows:x SIP/2.0%s", strstr(core_method("OPTIONS", ""), CRLF)));
}

TEST(request, of_another_version_is_505)
{
	world_start();
	told(505, format("OPTIONS sip:x SIP/3.0%s", strstr(core_method("OPTIONS", ""), CRLF)));
}

TEST(request, options_to_this_node_is_200)
{
	const char *answer;

	world_start();
	answer = told(200, core_method("OPTIONS", ""));
	EXPECT_EQ(0, strncmp(line(answer, "To"), "<sip:alice@home1.net>;tag=ep-", 29));
}

TEST(request, register_is_403_with_and_without_a_route)
{
	world_start();
	world_register();
	told(403, core_method("REGISTER", ""));
	told(403, to_path("REGISTER"));
}

TEST(request, message_to_this_node_is_404)
{
	world_start();
	told(404, core_method("MESSAGE", ""));
}

TEST(request, cancel_is_481)
{
	world_start();
	world_register();
	told(481, to_path("CANCEL"));
	told(481, core_method("CANCEL", ""));
}

TEST(request, ack_is_never_answered)
{
	world_start();
	world_register();
	core_sends(to_path("ACK"));
	core_sends(core_method("ACK", ""));
	core_sends(core_method("ACK", "Max-Forwards: 0" CRLF));
	core_sends(core_method("ACK", "Route: <sip:Ft1.forged@x;lr>" CRLF));
	EXPECT_EQ(0, world.count); /* by a Path comes the ACK of a failure, which goes no further */
}

TEST(request, refused_twice_gets_the_same_tag)
{
	const char *first;

	world_start();
	first = format("%s", line(told(404, core_method("MESSAGE", "")), "To"));
	EXPECT_TEXT(first, line(told(404, core_method("MESSAGE", "")), "To"));
}

TEST(request, that_is_not_sip_is_counted_and_dropped)
{
	world_start();
	core_sends("hello" CRLF CRLF);
	core_sends("SIP/2.0 200 OK" CRLF CRLF);
	EXPECT_EQ(0, world.count);
}

/* ---- other workers -------------------------------------------------------------------------- */

/** Path of worker 1's flow 3, generation 9. */
static const char *foreign_path(void)
{
	struct flow_token flow = {FLOW_CONNECTION, {.worker = 1, .slot = 3, .generation = 9}};
	uint8_t token[FLOW_TOKEN_LEN];
	struct writer out;

	writer_init(&out, token, sizeof(token));
	flow_token_write(world.gw, &flow, SPAN(""), &out);
	EXPECT(writer_ok(&out));
	return format("sip:%.*s@192.0.2.10:5071;lr;ob", FLOW_TOKEN_LEN, (const char *)token);
}

TEST(worker, that_does_not_own_the_flow_hands_the_request_on)
{
	struct message_deliver deliver;
	const char *text;

	world_start();
	text = core_message(foreign_path(), VECTOR);
	core_sends(text);
	EXPECT_TEXT(text, world_only(TO_WORKER));
	EXPECT_EQ(1, world_sent(0)->worker);
	memcpy(&deliver, world_sent(0)->head, sizeof(deliver));
	EXPECT_EQ(MESSAGE_DELIVER, deliver.head.kind);
	EXPECT_EQ(sizeof(deliver) + strlen(text), deliver.head.len);
	EXPECT(handle_equal((struct handle){.worker = 1, .slot = 3, .generation = 9},
			    deliver.flow));
	EXPECT_EQ(0, memcmp(&world.source, &deliver.source, sizeof(world.source)));
	EXPECT_EQ(1, world_count(&world.counters.mw_delivered_remote));
}

TEST(worker, that_cannot_hand_on_says_503_on_tcp_and_nothing_on_udp)
{
	world_start();
	world.to_worker_err = GW_QUEUE_FULL;
	EXPECT_EQ(1, lines(told(503, core_message(foreign_path(), "")), "Retry-After"));
	world_forget();
	world.source.transport = MW_UDP;
	core_sends(core_message(foreign_path(), ""));
	EXPECT_EQ(0, world.count);
}

TEST(worker, that_there_is_not_means_a_flow_that_is_gone)
{
	world_start();
	world.gateway_config.workers = 1;
	gateway_free(world.gw);
	world.gw = gateway_new(&world.gateway_config);
	world_turn();
	told(430, core_message(foreign_path(), ""));
}

TEST(worker, that_owns_the_flow_answers_where_the_request_came_in)
{
	struct message_deliver head = {.head = {MESSAGE_DELIVER, 0}};
	const char *text;

	world_start();
	world_register();
	head.flow = world.wic[0].flow;
	head.source = world.source;
	head.source.worker = 1;
	text = core_message(path_uri(), "");
	gateway_delivered(world.gw, &head, span_text(text));
	world_only(TO_WIC);
	answered("200 OK", "");
	EXPECT_EQ(1, world_sent(1)->source.worker);
	EXPECT_EQ(0, memcmp(&head.source, &world_sent(1)->source, sizeof(head.source)));
}

/* ---- answers -------------------------------------------------------------------------------- */

TEST(answer, goes_back_with_the_called_identity_and_the_charging_vector)
{
	const char *core;

	delivered(CALLED VECTOR);
	core = answered("200 OK", "P-Preferred-Identity: <sip:mallory@home1.net>" CRLF
				  "P-Asserted-Identity: <sip:mallory@home1.net>" CRLF
				  "P-Charging-Vector: icid-value=mine" CRLF "User-Agent: x" CRLF);
	EXPECT_EQ(200, status_of(core));
	EXPECT_EQ(2, lines(core, "Via"));
	EXPECT_LINE("SIP/2.0/TCP 198.18.0.20:5060;branch=z9hG4bKs9", core, "Via");
	EXPECT_EQ(1, lines(core, "P-Asserted-Identity"));
	EXPECT_LINE("<sip:alice@home1.net>", core, "P-Asserted-Identity");
	EXPECT_EQ(1, lines(core, "P-Charging-Vector"));
	EXPECT_LINE("icid-value=\"sc-11\";orig-ioi=\"home7.net\";term-ioi=\"home1.net\"", core,
		    "P-Charging-Vector");
	EXPECT_NO_LINE(core, "P-Preferred-Identity");
	EXPECT_LINE("x", core, "User-Agent");
	EXPECT_EQ(0, memcmp(&world.source, &world_sent(1)->source, sizeof(world.source)));
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(0, world.wic[0].transactions);
}

TEST(answer, names_the_default_identity_when_the_core_did_not_say_who_is_called)
{
	delivered("");
	EXPECT_LINE("<sip:alice@home1.net>", answered("200 OK", ""), "P-Asserted-Identity");
}

/* PROTOCOL 9.7: the called identity, or a preferred one that is his. */
TEST(answer, with_a_preferred_identity_asserts_one_that_is_the_bindings)
{
	const char *core, *asserted;

	delivered(CALLED);
	core = answered("200 OK", "P-Preferred-Identity: \"x\" <tel:+1-555-123-0001>" CRLF);
	EXPECT_EQ(1, lines(core, "P-Asserted-Identity"));
	asserted = line(core, "P-Asserted-Identity");
	EXPECT(strcmp(asserted, "<tel:+15551230001>") == 0 ||
	       strcmp(asserted, "<sip:alice@home1.net>") == 0);
	EXPECT_NO_LINE(core, "P-Preferred-Identity");
}

TEST(answer, to_a_subscription_has_the_record_route_that_it_was_sent)
{
	static const char *const methods[] = {"SUBSCRIBE", "REFER"};

	for (uint32_t i = 0; i < 2; i++) {
		const char *wic;

		call_world(MW_TCP);
		core_sends(of_core(&(struct says){.method = methods[i],
						  .lines = CORE_ROUTES "Event: x" CRLF}));
		wic = keep(only_of(TO_WIC, methods[i]));
		EXPECT_EQ(3, lines(wic, "Record-Route"));
		EXPECT_EQ(GW_OK,
			  wic_sends(0, bare_answer_of(wic, "200 OK", "w1",
						      "Record-Route: <sip:evil.example;lr>" CRLF)));
		EXPECT_TEXT(routes_of_request(wic), routes_of_request(last_to(TO_SOURCE)));
		EXPECT(!contains(last_to(TO_SOURCE), "evil"));
	}
}

TEST(answer, of_a_request_without_a_charging_vector_has_none)
{
	delivered("");
	EXPECT_NO_LINE(answered("200 OK", ""), "P-Charging-Vector");
}

TEST(answer, has_one_term_ioi_whatever_the_request_had)
{
	delivered("P-Charging-Vector: icid-value=x;term-ioi=evil;orig-ioi=y" CRLF);
	EXPECT_LINE("icid-value=x;orig-ioi=y;term-ioi=\"home1.net\"", answered("200 OK", ""),
		    "P-Charging-Vector");
}

TEST(answer, of_refusal_goes_back_too)
{
	delivered("");
	EXPECT_EQ(486, status_of(answered("486 Busy Here", "")));
}

TEST(answer, provisional_is_kept)
{
	delivered("");
	EXPECT_EQ(GW_OK, wic_sends(0, wic_answer("100 Trying", "")));
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(1, world_transactions());
}

TEST(answer, from_another_flow_is_dropped)
{
	delivered("");
	EXPECT_EQ(GW_SIP_NO_TRANSACTION, wic_sends(1, wic_answer("200 OK", "")));
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(1, world_transactions());
	answered("200 OK", "");
}

TEST(answer, with_a_forged_branch_is_dropped)
{
	char text[4096];

	delivered("");
	strcpy(text, wic_answer("200 OK", ""));
	for (uint32_t i = 0; i < 37; i++) {
		char *at = strstr(text, ";branch=") + 8 + i;
		char was = *at;

		*at = was == 'a' ? 'b' : 'a';
		EXPECT_EQ(GW_SIP_NO_TRANSACTION, wic_sends(0, text));
		*at = was;
	}
	EXPECT_EQ(1, world.count);
	answered("200 OK", "");
}

TEST(answer, of_another_method_is_dropped)
{
	char text[4096];

	delivered("");
	strcpy(text, wic_answer("200 OK", ""));
	memcpy(strstr(text, "4 MESSAGE"), "4 OPTIONS", 9);
	EXPECT_EQ(GW_SIP_NO_TRANSACTION, wic_sends(0, text));
	EXPECT_EQ(1, world.count);
}

TEST(answer, said_twice_goes_back_once)
{
	delivered("");
	answered("200 OK", "");
	EXPECT_EQ(GW_SIP_NO_TRANSACTION, wic_sends(0, wic_answer("200 OK", "")));
	EXPECT_EQ(2, world.count);
}

TEST(answer, of_a_wic_to_a_request_it_sent_itself_is_dropped)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	EXPECT_EQ(GW_SIP_NO_TRANSACTION,
		  wic_sends(0, format("SIP/2.0 200 OK" CRLF "Via: %s" CRLF
				      "From: <sip:alice@home1.net>;tag=m1" CRLF
				      "To: <sip:bob@home1.net>;tag=x" CRLF "Call-ID: x" CRLF
				      "CSeq: 1 MESSAGE" CRLF CRLF,
				      line(world_sent(0)->text, "Via"))));
	EXPECT_EQ(1, world.count);
}

TEST_MAIN("gateway_terminate", RUN(message, reaches_the_wic_of_the_path),
	  RUN(message, keeps_the_called_party_and_loses_charging), RUN(message, shows_who_sends_it),
	  RUN(message, with_privacy_id_does_not_show_who_sends_it),
	  RUN(message, with_privacy_id_on_a_second_line_does_not_show_who_sends_it),
	  RUN(message, with_a_further_route_is_403),
	  RUN(message, whose_route_has_any_character_changed_is_403),
	  RUN(message, inside_a_dialog_with_privacy_id_does_not_show_who_sends_it),
	  RUN(answer, of_overload_inside_a_dialog_is_500_to_both_sides),
	  RUN(message, for_a_flow_that_has_ended_is_430_with_outbound),
	  RUN(message, for_a_slot_that_somebody_else_has_now_is_430),
	  RUN(message, for_a_flow_that_has_ended_is_480_without_outbound),
	  RUN(message, inside_a_dialog_for_a_flow_that_has_ended_is_481),
	  RUN(message, for_a_registration_that_has_ended_is_not_delivered),
	  RUN(message, to_a_wic_that_is_being_cut_is_430),
	  RUN(message, when_the_transactions_are_used_up_is_503),
	  RUN(message, of_another_key_of_ours_is_delivered),
	  RUN(message, of_a_key_that_is_not_kept_is_430), RUN(request, without_hops_left_is_483),
	  RUN(request, with_malformed_max_forwards_is_400),
	  RUN(request, with_an_unknown_proxy_require_is_420_and_names_it),
	  RUN(request, of_an_unknown_uri_scheme_is_416), RUN(request, of_another_version_is_505),
	  RUN(request, options_to_this_node_is_200),
	  RUN(request, register_is_403_with_and_without_a_route),
	  RUN(request, message_to_this_node_is_404), RUN(request, cancel_is_481),
	  RUN(request, ack_is_never_answered), RUN(request, refused_twice_gets_the_same_tag),
	  RUN(request, that_is_not_sip_is_counted_and_dropped),
	  RUN(worker, that_does_not_own_the_flow_hands_the_request_on),
	  RUN(worker, that_cannot_hand_on_says_503_on_tcp_and_nothing_on_udp),
	  RUN(worker, that_there_is_not_means_a_flow_that_is_gone),
	  RUN(worker, that_owns_the_flow_answers_where_the_request_came_in),
	  RUN(answer, goes_back_with_the_called_identity_and_the_charging_vector),
	  RUN(answer, names_the_default_identity_when_the_core_did_not_say_who_is_called),
	  RUN(answer, with_a_preferred_identity_asserts_one_that_is_the_bindings),
	  RUN(answer, to_a_subscription_has_the_record_route_that_it_was_sent),
	  RUN(answer, of_a_request_without_a_charging_vector_has_none),
	  RUN(answer, has_one_term_ioi_whatever_the_request_had),
	  RUN(answer, of_refusal_goes_back_too), RUN(answer, provisional_is_kept),
	  RUN(answer, from_another_flow_is_dropped), RUN(answer, with_a_forged_branch_is_dropped),
	  RUN(answer, of_another_method_is_dropped), RUN(answer, said_twice_goes_back_once),
	  RUN(answer, of_a_wic_to_a_request_it_sent_itself_is_dropped))
