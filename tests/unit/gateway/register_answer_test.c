/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* The core's answers to a REGISTER: PROTOCOL 9.3, 9.4. */

/* ---- the core's 200 ------------------------------------------------------------------------- */

TEST(answer_200, binds_the_flow_and_pops_our_via)
{
	const char *wic;

	world_start();
	wic = registered("200 OK", "Contact: " OUR_CONTACT ";expires=600" CRLF);
	EXPECT_EQ(200, status_of(wic));
	EXPECT_EQ(1, lines(wic, "Via"));
	EXPECT_LINE("SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK4563742", wic, "Via");
	EXPECT_LINE("<sip:alice@home1.net>;tag=c0re", wic, "To");
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT(!handle_is_none(world.wic[0].binding));
	EXPECT_EQ(1, world_count(&world.counters.register_ok));
}

TEST(answer_200, passes_what_is_for_the_wic)
{
	const char *wic;

	world_start();
	wic = registered("200 OK", "Contact: " OUR_CONTACT ";expires=600" CRLF
				   "Service-Route: <sip:orig@scscf1.home1.net;lr>" CRLF
				   "P-Associated-URI: <sip:alice@home1.net>, <tel:+1555>" CRLF
				   "Date: Sat, 13 Nov 2010 23:29:00 GMT" CRLF
				   "Feature-Caps: *;+g.3gpp.x" CRLF);
	EXPECT_LINE("<sip:orig@scscf1.home1.net;lr>", wic, "Service-Route");
	EXPECT_LINE("<sip:alice@home1.net>, <tel:+1555>", wic, "P-Associated-URI");
	EXPECT_LINE("Sat, 13 Nov 2010 23:29:00 GMT", wic, "Date");
	EXPECT_LINE("*;+g.3gpp.x", wic, "Feature-Caps");
	EXPECT_LINE(OUR_CONTACT ";expires=600", wic, "Contact");
}

TEST(answer_200, passes_gruus_and_what_the_core_supports)
{
	static const char contact[] = OUR_CONTACT ";pub-gruu=\"sip:alice@home1.net;gr=urn:uuid:1\";"
						  "temp-gruu=\"sip:t@h;gr\";expires=60";
	const char *wic;

	world_start();
	wic = registered("200 OK",
			 format("Contact: %s" CRLF "k: path, gruu" CRLF "Require: path" CRLF,
				contact));
	EXPECT_LINE(contact, wic, "Contact");
	EXPECT_LINE("path, gruu", wic, "k");
}

TEST(answer_200, keeps_identities_in_the_spelling_of_the_core)
{
	world_start();
	EXPECT_LINE("\"A, b\" <SIP:Alice@HOME1.net;p=q> ,<tel:+1-555>",
		    registered("200 OK", "Contact: " OUR_CONTACT ";expires=600" CRLF
					 "P-Associated-URI: \"A, b\" <SIP:Alice@HOME1.net;p=q> "
					 ",<tel:+1-555>" CRLF),
		    "P-Associated-URI");
}

TEST(answer_200, loses_path_and_charging)
{
	const char *wic;

	world_start();
	wic = registered("200 OK", "Contact: " OUR_CONTACT ";expires=600" CRLF
				   "Path: <sip:Ft1.x@192.0.2.10;lr>" CRLF
				   "p-charging-vector : icid-value=\"x\"" CRLF
				   "P-Charging-Function-Addresses: ccf=192.1.1.1" CRLF);
	EXPECT_NO_LINE(wic, "Path");
	EXPECT_NO_LINE(wic, "P-Charging-Vector");
	EXPECT_NO_LINE(wic, "P-Charging-Function-Addresses");
}

TEST(answer_200, with_several_contacts_counts_ours)
{
	struct row_binding row;
	uint32_t cursor = 0;
	const char *wic;

	world_start();
	wic = registered("200 OK", "Contact: " OTHER_CONTACT ";expires=77" CRLF "m: " OTHER_CONTACT
				   ";expires=78, " OUR_CONTACT ";expires=300" CRLF);
	EXPECT_EQ(200, status_of(wic));
	EXPECT_EQ(1, gateway_rows(world.gw, &cursor, 4, &row));
	EXPECT_EQ(300, row.expires_s);
	EXPECT_LINE(OTHER_CONTACT ";expires=77", wic, "Contact");
}

TEST(answer_200, does_not_take_the_contact_of_another_flow_of_the_same_client_for_ours)
{
	struct row_binding row;
	uint32_t cursor = 0;

	world_start();
	registered("200 OK", "Contact: " OUR_CONTACT ";reg-id=2;expires=77, " OUR_CONTACT
			     ";reg-id=1;expires=300" CRLF);
	EXPECT_EQ(1, gateway_rows(world.gw, &cursor, 4, &row));
	EXPECT_EQ(300, row.expires_s);
}

/** Seconds of the binding that comes of a 200 with this Contact, expires 300, and Expires 200. */
static uint32_t bound_for(const char *contact)
{
	struct row_binding row;
	uint32_t cursor = 0;

	world_start();
	registered("200 OK", format("Contact: " OTHER_CONTACT ";expires=77, %s;expires=300" CRLF
				    "Expires: 200" CRLF,
				    contact));
	EXPECT_EQ(1, gateway_rows(world.gw, &cursor, 4, &row));
	return row.expires_s;
}

/* RFC 3261 19.1.4: a core may spell it anew. */
TEST(answer_200, finds_our_contact_in_another_spelling)
{
	static const char *const same[] = {
		"<sip:mfdnmi6p@V5E0BM0SD9MG.Invalid;transport=ws>",
		"<SIP:mfdnmi6p@v5e0bm0sd9mg.invalid;TRANSPORT=WS>",
		"<sip:%6dfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>",
		"<sip:mfdnmi6p@v5e0bm0sd9mg.invalid;newparam=5;transport=ws>",
		"\"<sip:x@y>, z\" <sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>",
		OUR_CONTACT ";reg-id=\"1\"",
	};

	for (uint32_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (bound_for(same[i]) != 300)
			fail_msg("%s is not found", same[i]);
}

TEST(answer_200, does_not_take_another_contact_for_ours)
{
	static const char *const other[] = {
		"<sip:MFDNMI6P@v5e0bm0sd9mg.invalid;transport=ws>",
		"<sip:mfdnmi6p@v5e0bm0sd9mg.invalid:5060;transport=ws>",
		"<sips:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>",
		"<sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=tcp>",
		"<sip:mfdnmi6p@v5e0bm0sd9mg.invalid>",
		"<sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws;user=phone>",
		"<sip:x@y;z=mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>",
		"\"" OUR_CONTACT "\" <sip:x@y>",
		OUR_CONTACT ";reg-id=\"2\"",
	};

	for (uint32_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (bound_for(other[i]) != 200)
			fail_msg("%s is taken for ours", other[i]);
}

TEST(answer_200, without_a_contact_and_without_expires_leaves_no_binding)
{
	world_start();
	EXPECT_EQ(200, status_of(registered("200 OK", "")));
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(answer_200, without_our_contact_counts_expires)
{
	struct row_binding row;
	uint32_t cursor = 0;

	world_start();
	registered("200 OK", "Contact: " OTHER_CONTACT ";expires=77" CRLF "Expires: 200" CRLF);
	EXPECT_EQ(1, gateway_rows(world.gw, &cursor, 4, &row));
	EXPECT_EQ(200, row.expires_s);
}

TEST(answer_200, with_a_longer_expiry_is_lowered_for_the_wic)
{
	struct row_binding row;
	uint32_t cursor = 0;
	const char *wic;

	world_start();
	wic = registered("200 OK",
			 "Contact: " OUR_CONTACT ";expires=7200" CRLF "Expires: 7200" CRLF);
	EXPECT_LINE(OUR_CONTACT ";expires=600", wic, "Contact");
	EXPECT_LINE("600", wic, "Expires");
	EXPECT_EQ(1, gateway_rows(world.gw, &cursor, 4, &row));
	EXPECT_EQ(600, row.expires_s);
}

TEST(answer_200, with_a_shorter_expiry_is_not_raised)
{
	const char *wic;

	world_start();
	wic = registered("200 OK", "Contact: " OUR_CONTACT ";expires=60" CRLF "Expires: 50" CRLF);
	EXPECT_LINE(OUR_CONTACT ";expires=60", wic, "Contact");
	EXPECT_LINE("50", wic, "Expires");
}

TEST(answer_200, that_comes_late_does_not_outlive_the_token)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(100), 600)));
	world_wait(20 * 1000000ull);
	core_answers("200 OK", "Contact: " OUR_CONTACT ";expires=100" CRLF);
	EXPECT_LINE(OUR_CONTACT ";expires=80", world_sent(1)->text, "Contact");
	world_wait(80 * 1000000ull + 2000);
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(answer_200, with_expiry_0_ends_the_binding)
{
	world_start();
	world_register();
	EXPECT_EQ(200, status_of(registered("200 OK", "Contact: " OUR_CONTACT ";expires=0" CRLF)));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT(handle_is_none(world.wic[0].binding));
}

TEST(answer_200, that_requires_outbound_gets_a_flow_timer)
{
	world_start();
	EXPECT_LINE("120",
		    registered("200 OK", "Require: path, OUTBOUND" CRLF "Contact: " OUR_CONTACT
					 ";expires=600" CRLF),
		    "Flow-Timer");
}

TEST(answer_200, that_requires_outbound_on_a_second_line_gets_a_flow_timer)
{
	world_start();
	EXPECT_LINE("120",
		    registered("200 OK", "Require: path" CRLF "Require: outbound" CRLF
					 "Contact: " OUR_CONTACT ";expires=600" CRLF),
		    "Flow-Timer");
}

TEST(answer_200, without_outbound_gets_no_flow_timer)
{
	world_start();
	EXPECT_NO_LINE(registered("200 OK", "Contact: " OUR_CONTACT ";expires=600" CRLF),
		       "Flow-Timer");
}

TEST(answer_200, over_udp_finds_our_contact_too)
{
	world_start_udp();
	registered("200 OK",
		   "Contact: " OTHER_CONTACT ";expires=7, " OUR_CONTACT ";expires=60" CRLF);
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(answer_200, is_counted_and_told)
{
	world_start();
	world.events = 0;
	registered("200 OK", "Contact: " OUR_CONTACT ";expires=600" CRLF);
	EXPECT_EQ(1, world.events);
	EXPECT_EQ(EVENT_REGISTERED, world.event[0].what);
	EXPECT_TEXT("shop", world.event[0].text);
	EXPECT_EQ(600, world.event[0].seconds);
	EXPECT(world.event[0].impi_hash != 0 && world.event[0].impu_hash != 0);
}

/** Another WIC finds no room: the core does not hear of it. */
static void has_no_room(void)
{
	world_forget();
	EXPECT_EQ(GW_BINDING_LIMIT, wic_sends(1, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(503, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, lines(world_only(TO_WIC), "Retry-After"));
	EXPECT_EQ(0, world.wic[1].identity);
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_forget();
}

/** A worker that has room for one binding. */
static void one_room(void)
{
	world_start();
	gateway_free(world.gw);
	world.gateway_config.max_bindings = 1;
	world.gw = gateway_new(&world.gateway_config);
	world_turn();
}

TEST(room, is_looked_for_before_the_core_is_asked)
{
	one_room();
	world_register();
	has_no_room();
}

TEST(room, is_looked_for_at_the_web_site_before_the_core_is_asked)
{
	world_start();
	world.wwsf[0].max_bindings = 1;
	world_reload();
	world_register();
	has_no_room();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600))); /* a refresh */
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	wic_leaves(0);
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, world_count(&world.counters.invariant_broken));
}

/** The core has granted what there is no room for any more. */
static void is_undone(void)
{
	core_answers("200 OK", "Expires: 600" CRLF);
	EXPECT_EQ(503, status_of(world.sent[world.count - 1].text));
	EXPECT_EQ(1, lines(world.sent[world.count - 1].text, "Retry-After"));
	EXPECT_EQ(0, world.wic[1].identity);
	EXPECT(handle_is_none(world.wic[1].binding));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_forget();
	world_wait(2000000);
	EXPECT_LINE("0", world_only(TO_MW), "Expires");
}

TEST(answer_200, that_finds_the_last_room_taken_is_undone_at_the_core)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(1, register_sipjs(token_alice(3570), 600)));
	world.wwsf[0].max_bindings = 1;
	world_reload();
	is_undone();
}

TEST(answer_200, that_finds_the_last_room_of_the_worker_taken_is_undone_at_the_core)
{
	uint32_t first, second;

	one_room();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	first = world.count - 1;
	EXPECT_EQ(GW_OK, wic_sends(1, register_sipjs(token_alice(3570), 600)));
	second = world.count - 1;
	world.sent[world.count++] = world.sent[first];
	core_registers(600);
	world.sent[world.count++] = world.sent[second];
	is_undone();
}

TEST(answer_200, twice_is_relayed_once)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_answers("200 OK", "Contact: " OUR_CONTACT ";expires=600" CRLF);
	core_answers("200 OK", "Contact: " OUR_CONTACT ";expires=600" CRLF);
	EXPECT_EQ(2, world.count);
	EXPECT_EQ(1, world_count(&world.counters.mw_unmatched));
}

/* ---- other answers -------------------------------------------------------------------------- */

TEST(answer, provisional_is_absorbed)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_answers("100 Trying", "");
	core_answers("183 Session Progress", "");
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(1, world_transactions());
}

TEST(answer, challenge_of_the_core_is_500_and_an_alarm)
{
	const char *wic;

	world_start();
	wic = registered("401 Unauthorized", "WWW-Authenticate: Digest realm=\"home1.net\"" CRLF);
	EXPECT_EQ(500, status_of(wic));
	EXPECT_NO_LINE(wic, "WWW-Authenticate");
	EXPECT_EQ(1, world_count(&world.counters.tna_challenged));
	EXPECT(world.event[0].what == EVENT_TNA_CHALLENGED ||
	       world.event[1].what == EVENT_TNA_CHALLENGED);
	EXPECT_EQ(500, status_of(registered("407 Proxy Authentication Required", "")));
	EXPECT_EQ(2, world_count(&world.counters.tna_challenged));
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(answer, interval_too_brief_that_the_token_allows_is_relayed)
{
	const char *wic;

	world_start();
	wic = registered("423 Interval Too Brief", "Min-Expires: 3000" CRLF);
	EXPECT_EQ(423, status_of(wic));
	EXPECT_LINE("3000", wic, "Min-Expires");
}

TEST(answer, interval_too_brief_beyond_the_token_asks_for_another_token)
{
	const char *wic;

	world_start();
	wic = registered("423 Interval Too Brief", "Min-Expires: 3571" CRLF);
	EXPECT_EQ(401, status_of(wic));
	EXPECT(contains(line(wic, "WWW-Authenticate"), "error=\"invalid_token\""));
	EXPECT(contains(line(wic, "WWW-Authenticate"), "realm=\"home1.net\""));
}

TEST(answer, interval_too_brief_is_relayed_twice_a_minute)
{
	world_start();
	EXPECT_EQ(423, status_of(registered("423 Interval Too Brief", "Min-Expires: 900" CRLF)));
	EXPECT_EQ(423, status_of(registered("423 Interval Too Brief", "Min-Expires: 900" CRLF)));
	EXPECT_EQ(403, status_of(registered("423 Interval Too Brief", "Min-Expires: 900" CRLF)));
	world_wait(60 * 1000000ull);
	EXPECT_EQ(423, status_of(registered("423 Interval Too Brief", "Min-Expires: 900" CRLF)));
}

TEST(answer, overload_of_the_core_is_500_with_its_retry_after)
{
	const char *wic;

	world_start();
	world_one_hop();
	wic = registered("503 Service Unavailable", "Retry-After: 17" CRLF);
	EXPECT_EQ(0, strncmp(wic, "SIP/2.0 500 Server Internal Error" CRLF, 35));
	EXPECT_LINE("17", wic, "Retry-After");
}

TEST(answer, use_proxy_is_not_followed)
{
	const char *wic;

	world_start();
	wic = registered("305 Use Proxy", "Contact: <sip:evil.example>" CRLF);
	EXPECT_EQ(504, status_of(wic));
	EXPECT_NO_LINE(wic, "Contact");
}

TEST(answer, of_other_refusals_is_relayed)
{
	static const char *const all[] = {"403 Forbidden",
					  "404 Not Found",
					  "420 Bad Extension",
					  "439 First Hop Lacks Outbound Support",
					  "480 Temporarily Unavailable",
					  "486 Busy Here",
					  "500 Server Internal Error",
					  "603 Decline"};

	for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *wic;

		world_start();
		wic = registered(all[i], "P-Charging-Vector: icid-value=x" CRLF
					 "Warning: 399 x \"y\"" CRLF);
		EXPECT_EQ(0, strncmp(wic + 8, all[i], strlen(all[i])));
		EXPECT_NO_LINE(wic, "P-Charging-Vector");
		EXPECT_LINE("399 x \"y\"", wic, "Warning");
		EXPECT_EQ(0, gateway_bindings(world.gw));
	}
}

#define LOST \
	"<ims-3gpp version=\"1\"><alternative-service><type>restoration</type>" \
	"<reason/><action>initial-registration</action></alternative-service></ims-3gpp>"

/* The core's 504 with this body to a refresh, as the WIC gets it. */
static const char *gateway_timeout(const char *type, const char *body)
{
	const char *mw;

	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	mw = world_only(TO_MW);
	core_sends(format("SIP/2.0 504 Server Time-out" CRLF "Via: %s" CRLF "Via: %s" CRLF
			  "From: %s" CRLF "To: %s;tag=1" CRLF "Call-ID: %s" CRLF "CSeq: %s" CRLF
			  "Content-Type: %s" CRLF "Content-Length: %u" CRLF CRLF "%s",
			  line_n(mw, "Via", 0), line_n(mw, "Via", 1), line(mw, "From"),
			  line(mw, "To"), line(mw, "Call-ID"), line(mw, "CSeq"), type,
			  (uint32_t)strlen(body), body));
	EXPECT_EQ(2, world.count);
	return world_sent(1)->text;
}

TEST(answer, that_the_registration_was_lost_ends_the_binding_and_is_relayed)
{
	const char *wic;

	world_start();
	world_register();
	wic = gateway_timeout("Application/3gpp-ims+xml;charset=utf-8", LOST);
	EXPECT_EQ(504, status_of(wic));
	EXPECT(strstr(wic, CRLF CRLF LOST) != NULL);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT(handle_is_none(world.wic[0].binding));
}

TEST(answer, of_another_504_leaves_the_binding)
{
	world_start();
	world_register();
	EXPECT_EQ(504, status_of(gateway_timeout("application/3gpp-ims+xml",
						 "<ims-3gpp version=\"1\"></ims-3gpp>")));
	world_forget();
	EXPECT_EQ(504, status_of(gateway_timeout("text/plain", LOST)));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(answer, that_the_registration_was_lost_to_who_has_none_is_relayed)
{
	world_start();
	EXPECT_EQ(504, status_of(gateway_timeout("application/3gpp-ims+xml", LOST)));
}

TEST(answer, of_a_timeout_in_the_core_is_504)
{
	world_start();
	EXPECT_EQ(504, status_of(registered("408 Request Timeout", "")));
}

TEST(answer, of_another_method_is_dropped)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_sends(format("SIP/2.0 200 OK" CRLF "Via: %s" CRLF "Via: x" CRLF
			  "From: <sip:a@b>;tag=1" CRLF "To: <sip:a@b>;tag=2" CRLF "Call-ID: c" CRLF
			  "CSeq: 1 INVITE" CRLF CRLF,
			  line(world_sent(0)->text, "Via")));
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(1, world_count(&world.counters.mw_unmatched));
}

TEST(answer, with_a_forged_branch_is_dropped)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	world.sent[0].text[strcspn(world.sent[0].text, ";") + 44] ^= 1; /* a digit of the salt */
	core_answers("200 OK", "Contact: " OUR_CONTACT ";expires=600" CRLF);
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST(answer, for_another_workers_transaction_is_handed_on)
{
	const struct sent *s;
	struct message_reply reply;
	const char *text = "SIP/2.0 200 OK" CRLF
			   "Via: SIP/2.0/TCP 192.0.2.10:5071;branch=z9hG4bKwg0001000000030000002a00"
			   "00000f" CRLF "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
			   "From: <sip:a@b>;tag=1" CRLF "To: <sip:a@b>;tag=2" CRLF "Call-ID: c" CRLF
			   "CSeq: 1 REGISTER" CRLF CRLF;

	world_start();
	core_sends(text);
	EXPECT_TEXT(text, world_only(TO_WORKER));
	s = world_sent(0);
	memcpy(&reply, s->head, sizeof(reply));
	EXPECT_EQ(1, s->worker);
	EXPECT_EQ(MESSAGE_REPLY, reply.head.kind);
	EXPECT_EQ(sizeof(reply) + strlen(text), reply.head.len);
	EXPECT_EQ(REPLY_RESPONSE, reply.what);
	EXPECT_EQ(1, reply.transaction.worker);
	EXPECT_EQ(3, reply.transaction.slot);
	EXPECT_EQ(42, reply.transaction.generation);
	EXPECT_EQ(0, memcmp(&world.source, &reply.source, sizeof(reply.source)));
}

TEST(answer, that_another_worker_took_in_is_relayed)
{
	const char *text;

	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	text = format("SIP/2.0 403 Forbidden" CRLF "Via: %s" CRLF "Via: %s" CRLF
		      "From: <sip:a@b>;tag=1" CRLF "To: <sip:a@b>;tag=2" CRLF "Call-ID: c" CRLF
		      "CSeq: 1 REGISTER" CRLF CRLF,
		      line_n(world_sent(0)->text, "Via", 0), line_n(world_sent(0)->text, "Via", 1));
	gateway_response(world.gw, &world.source, span_text(text));
	EXPECT_EQ(2, world.count);
	EXPECT_EQ(403, status_of(world_sent(1)->text));
}

TEST_MAIN("gateway_register_answer", RUN(answer_200, binds_the_flow_and_pops_our_via),
	  RUN(answer_200, passes_what_is_for_the_wic),
	  RUN(answer_200, passes_gruus_and_what_the_core_supports),
	  RUN(answer_200, keeps_identities_in_the_spelling_of_the_core),
	  RUN(answer_200, loses_path_and_charging),
	  RUN(answer_200, with_several_contacts_counts_ours),
	  RUN(answer_200, does_not_take_the_contact_of_another_flow_of_the_same_client_for_ours),
	  RUN(answer_200, finds_our_contact_in_another_spelling),
	  RUN(answer_200, does_not_take_another_contact_for_ours),
	  RUN(answer_200, without_a_contact_and_without_expires_leaves_no_binding),
	  RUN(answer_200, without_our_contact_counts_expires),
	  RUN(answer_200, with_a_longer_expiry_is_lowered_for_the_wic),
	  RUN(answer_200, with_a_shorter_expiry_is_not_raised),
	  RUN(answer_200, that_comes_late_does_not_outlive_the_token),
	  RUN(answer_200, with_expiry_0_ends_the_binding),
	  RUN(answer_200, that_requires_outbound_gets_a_flow_timer),
	  RUN(answer_200, that_requires_outbound_on_a_second_line_gets_a_flow_timer),
	  RUN(answer_200, without_outbound_gets_no_flow_timer),
	  RUN(answer_200, over_udp_finds_our_contact_too), RUN(answer_200, is_counted_and_told),
	  RUN(room, is_looked_for_before_the_core_is_asked),
	  RUN(room, is_looked_for_at_the_web_site_before_the_core_is_asked),
	  RUN(answer_200, that_finds_the_last_room_taken_is_undone_at_the_core),
	  RUN(answer_200, that_finds_the_last_room_of_the_worker_taken_is_undone_at_the_core),
	  RUN(answer_200, twice_is_relayed_once), RUN(answer, provisional_is_absorbed),
	  RUN(answer, challenge_of_the_core_is_500_and_an_alarm),
	  RUN(answer, interval_too_brief_that_the_token_allows_is_relayed),
	  RUN(answer, interval_too_brief_beyond_the_token_asks_for_another_token),
	  RUN(answer, interval_too_brief_is_relayed_twice_a_minute),
	  RUN(answer, overload_of_the_core_is_500_with_its_retry_after),
	  RUN(answer, use_proxy_is_not_followed), RUN(answer, of_other_refusals_is_relayed),
	  RUN(answer, that_the_registration_was_lost_ends_the_binding_and_is_relayed),
	  RUN(answer, of_another_504_leaves_the_binding),
	  RUN(answer, that_the_registration_was_lost_to_who_has_none_is_relayed),
	  RUN(answer, of_a_timeout_in_the_core_is_504), RUN(answer, of_another_method_is_dropped),
	  RUN(answer, with_a_forged_branch_is_dropped),
	  RUN(answer, for_another_workers_transaction_is_handed_on),
	  RUN(answer, that_another_worker_took_in_is_relayed))
