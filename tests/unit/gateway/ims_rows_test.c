/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

/*
 * Rows of 4.2, 4.3, 9.2, 9.4, 10.3 and 10.4 for users whom the core authenticates. When a
 * connection of theirs ends, this node cannot sign for them: it waits for the core's own end
 * (D-43).
 */

#define DIGEST \
	"Digest username=\"alice@ims.home1.net\",realm=\"home1.net\",nonce=\"9f\"," \
	"uri=\"sip:home1.net\",response=\"6629fae4\""
#define RINSTANCE "+sip.instance=\"<urn:uuid:6c1e>\""

/** How alice's REGISTER says her Contact. */
static const char *register_of(const char *contact_params)
{
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
		      "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:alice@home1.net>" CRLF
		      "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF "Expires: 600" CRLF
		      "Contact: " OUR_CONTACT "%s" CRLF "Authorization: " DIGEST CRLF CRLF,
		      contact_params);
}

#define OUTBOUND ";reg-id=1;" RINSTANCE

static void registers(uint32_t wic, const char *contact_params)
{
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(wic, register_of(contact_params)));
	path_remember(last_to(TO_MW));
	core_answers("200 OK", "Contact: " OUR_CONTACT ";expires=600" CRLF
			       "Service-Route: <sip:orig@198.18.0.30:6060;transport=tcp;lr>" CRLF);
	EXPECT(!handle_is_none(world.wic[wic].binding));
	world_forget();
}

static void ims_start(const char *contact_params)
{
	world_start();
	world.wwsf[0].mode = WWSF_IMS_AUTH;
	world.wwsf[0].issuer = WWSF_NO_ISSUER;
	registers(0, contact_params);
}

/** The core's MESSAGE to alice is answered so. */
static void core_hears(uint32_t status)
{
	world_forget();
	core_sends(core_message(path_uri(), ""));
	EXPECT_EQ(status, status_of(world_only(TO_SOURCE)));
	EXPECT_EQ(status == 480 ? 1 : 0, lines(last_to(TO_SOURCE), "Reason"));
}

TEST(loss, is_not_told_to_the_core_before_or_after_the_grace)
{
	ims_start(OUTBOUND);
	wic_leaves(0);
	for (uint32_t i = 0; i < 70; i++) {
		world_forget();
		world_wait(10 * S);
		EXPECT_EQ(0, count_to(TO_MW));
	}
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(0, gateway_homes(world.gw));
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(0, world_count(&world.counters.deregister_out));
}

TEST(loss, is_answered_430_until_the_core_ends_it)
{
	ims_start(OUTBOUND);
	wic_leaves(0);
	core_hears(430);
	world_wait(31 * S);
	core_hears(430);
	world_wait(560 * S);
	core_hears(430);
}

TEST(loss, without_outbound_is_answered_480_until_the_core_ends_it)
{
	ims_start("");
	wic_leaves(0);
	core_hears(480);
	world_wait(31 * S);
	core_hears(480);
}

TEST(reconnect, within_the_grace_takes_it_over)
{
	struct handle home;

	ims_start(OUTBOUND);
	home = home_of(&world.wic[0]);
	wic_leaves(0);
	world_wait(20 * S);
	registers(1, OUTBOUND);
	EXPECT(handle_equal(home, home_of(&world.wic[1])));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	core_sends(core_message(path_uri(), ""));
	EXPECT(handle_equal(world.wic[1].flow, nth_to(TO_WIC, 0)->flow));
}

/** As a page does it: without a credential first, so that its user is not known yet. */
TEST(reconnect, by_way_of_a_challenge_takes_it_over)
{
	const char *request, *credential;
	struct handle home;

	ims_start(OUTBOUND);
	home = home_of(&world.wic[0]);
	wic_leaves(0);
	request = register_of(OUTBOUND);
	credential = strstr(request, "Authorization: ");
	EXPECT_EQ(GW_OK, wic_sends(1, format("%.*s" CRLF, (int)(credential - request), request)));
	core_answers("401 Unauthorized", "WWW-Authenticate: Digest realm=\"home1.net\"" CRLF);
	EXPECT_EQ(401, status_of(last_to(TO_WIC)));
	EXPECT_EQ(1, gateway_leaving(world.gw));
	registers(1, OUTBOUND);
	EXPECT(handle_equal(home, home_of(&world.wic[1])));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(100 * S);
	EXPECT_EQ(1, gateway_homes(world.gw));
}

/* PROTOCOL 4.2 rule 3: the flow that the 200 bound has ended. */
TEST(reconnect, is_pending_though_its_user_was_bound)
{
	ims_start(OUTBOUND);
	wic_leaves(0);
	EXPECT_EQ(GW_OK, wic_sends(1, register_of(OUTBOUND)));
	EXPECT_LINE(DIGEST ",integrity-protected=\"tls-pending\"", last_to(TO_MW), "Authorization");
}

TEST(reconnect, after_the_grace_is_a_registration_like_any_other)
{
	ims_start(OUTBOUND);
	wic_leaves(0);
	world_wait(100 * S);
	registers(1, OUTBOUND);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(100 * S);
	EXPECT_EQ(0, count_to(TO_MW));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

/** What the core is told of the protection of alice's REGISTER by this private identity. */
static const char *protection_of(const char *impi)
{
	const char *request = register_of(OUTBOUND), *user = strstr(request, "alice@ims.home1.net"),
		   *said;

	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, format("%.*s%s%s", (int)(user - request), request, impi,
					     user + strlen("alice@ims.home1.net"))));
	said = strstr(line(last_to(TO_MW), "Authorization"), "integrity-protected=");
	return said != NULL ? keep(said) : "";
}

/* PROTOCOL 4.2 rule 3: bound to the same private identity, by the last 200. */
TEST(protection, is_of_the_private_identity_that_the_last_200_was_for)
{
	ims_start(OUTBOUND);
	EXPECT_TEXT("integrity-protected=\"tls-yes\"", protection_of("alice@ims.home1.net"));
	core_answers("403 Forbidden", "");
	EXPECT_TEXT("integrity-protected=\"tls-pending\"", protection_of("web@ims.home1.net"));
	core_answers("200 OK", "Contact: " OUR_CONTACT ";expires=600" CRLF);
	EXPECT_TEXT("integrity-protected=\"tls-yes\"", protection_of("web@ims.home1.net"));
	core_answers("403 Forbidden", "");
	EXPECT_TEXT("integrity-protected=\"tls-pending\"", protection_of("alice@ims.home1.net"));
}

TEST(protection, ends_with_the_registration)
{
	ims_start(OUTBOUND);
	world_forget();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, format("REGISTER sip:home1.net SIP/2.0" CRLF
				      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK2" CRLF
				      "From: <sip:alice@home1.net>;tag=a" CRLF
				      "To: <sip:alice@home1.net>" CRLF "Call-ID: c" CRLF
				      "CSeq: 2 REGISTER" CRLF "Expires: 0" CRLF "Contact: *" CRLF
				      "Authorization: " DIGEST CRLF CRLF)));
	EXPECT(contains(line(last_to(TO_MW), "Authorization"), "\"tls-yes\""));
	core_answers("200 OK", "");
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_TEXT("integrity-protected=\"tls-pending\"", protection_of("alice@ims.home1.net"));
}

/* PROTOCOL 4.3: the request is the user's own, to the byte of its Request-URI. */
TEST(request, keeps_its_request_uri_as_it_was_written)
{
	static const char *const uris[] = {"sip:HOME1.net", "sip:home1.net;transport=ws"};

	ims_start(OUTBOUND);
	for (uint32_t i = 0; i < 2; i++) {
		world_forget();
		EXPECT_EQ(GW_OK, wic_sends(0, format("REGISTER %s SIP/2.0%s", uris[i],
						     strstr(register_of(OUTBOUND), CRLF))));
		EXPECT(begins(world_only(TO_MW), format("REGISTER %s SIP/2.0" CRLF, uris[i])));
		core_answers("403 Forbidden", "");
	}
}

TEST(challenge, brings_no_offer_of_a_security_agreement)
{
	ims_start(OUTBOUND);
	EXPECT_EQ(GW_OK, wic_sends(0, register_of(OUTBOUND)));
	core_answers("401 Unauthorized", "WWW-Authenticate: Digest realm=\"home1.net\"" CRLF);
	EXPECT_EQ(401, status_of(last_to(TO_WIC)));
	EXPECT_NO_LINE(last_to(TO_WIC), "Security-Server");
}

/* PROTOCOL 4.3: they must never reach the WIC, whatever it has asked. */
TEST(challenge, of_another_request_loses_the_keys_of_aka_too)
{
	static const char *const status[] = {"401 Unauthorized",
					     "407 Proxy Authentication Required"};
	static const char *const name[] = {"WWW-Authenticate", "Proxy-Authenticate"};

	ims_start(OUTBOUND);
	for (uint32_t i = 0; i < 4; i++) {
		world_forget();
		EXPECT_EQ(GW_OK,
			  wic_sends(0, i < 2 ? message_with("")
					     : of_alice(&(struct says){.branch = format("k%u", i),
								       .call = format("k%u", i)})));
		core_sends(bare_answer_of(nth_to(TO_MW, 0)->text, status[i % 2], "core",
					  format("%s: Digest realm=\"h\",ck=\"00\",nonce=\"n\""
						 ",IK = 11" CRLF,
						 name[i % 2])));
		EXPECT_EQ(i % 2 == 0 ? 401 : 407, status_of(last_to(TO_WIC)));
		EXPECT_LINE("Digest realm=\"h\",nonce=\"n\"", last_to(TO_WIC), name[i % 2]);
	}
}

/* PROTOCOL 9.4: as for who has a token, but for challenges and 423. */
TEST(answer, of_the_core_is_relayed_by_the_table)
{
	static const struct {
		const char *core;
		uint32_t wic;
	} rows[] = {
		{"403 Forbidden", 403},		  {"404 Not Found", 404},
		{"420 Bad Extension", 420},	  {"439 First Hop Lacks Outbound Support", 439},
		{"480 Temporarily", 480},	  {"486 Busy Here", 486},
		{"305 Use Proxy", 504},		  {"408 Request Timeout", 504},
		{"503 Service Unavailable", 500},
	};

	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ims_start(OUTBOUND);
		world_one_hop();
		EXPECT_EQ(GW_OK, wic_sends(0, register_of(OUTBOUND)));
		core_answers("100 Trying", "");
		EXPECT_EQ(0, count_to(TO_WIC));
		core_answers(rows[i].core,
			     "Retry-After: 7" CRLF "P-Charging-Vector: icid-value=x" CRLF);
		EXPECT_EQ(rows[i].wic, status_of(last_to(TO_WIC)));
		EXPECT_NO_LINE(last_to(TO_WIC), "P-Charging-Vector");
		if (rows[i].wic == 500)
			EXPECT_LINE("7", last_to(TO_WIC), "Retry-After");
		EXPECT_EQ(1, gateway_bindings(world.gw)); /* what a refusal says is not of it */
	}
}

TEST(answer, that_the_registration_was_lost_ends_the_binding_and_is_relayed)
{
	static const char body[] =
		"<ims-3gpp version=\"1\"><alternative-service><type>restoration</type>"
		"</alternative-service></ims-3gpp>";
	const char *answer, *end;

	ims_start(OUTBOUND);
	EXPECT_EQ(GW_OK, wic_sends(0, register_of(OUTBOUND)));
	answer = bare_answer_of(last_to(TO_MW), "504 Server Time-out", "core",
				"Content-Type: application/3gpp-ims+xml" CRLF);
	end = strstr(answer, "Content-Length: 0");
	core_sends(format("%.*sContent-Length: %zu" CRLF CRLF "%s", (int)(end - answer), answer,
			  strlen(body), body));
	EXPECT_EQ(504, status_of(last_to(TO_WIC)));
	EXPECT(strstr(last_to(TO_WIC), body) != NULL);
	EXPECT_EQ(0, gateway_bindings(world.gw));
}

TEST_MAIN("gateway_ims_rows", RUN(loss, is_not_told_to_the_core_before_or_after_the_grace),
	  RUN(loss, is_answered_430_until_the_core_ends_it),
	  RUN(loss, without_outbound_is_answered_480_until_the_core_ends_it),
	  RUN(reconnect, within_the_grace_takes_it_over),
	  RUN(reconnect, by_way_of_a_challenge_takes_it_over),
	  RUN(reconnect, is_pending_though_its_user_was_bound),
	  RUN(reconnect, after_the_grace_is_a_registration_like_any_other),
	  RUN(protection, is_of_the_private_identity_that_the_last_200_was_for),
	  RUN(protection, ends_with_the_registration),
	  RUN(request, keeps_its_request_uri_as_it_was_written),
	  RUN(challenge, of_another_request_loses_the_keys_of_aka_too),
	  RUN(challenge, brings_no_offer_of_a_security_agreement),
	  RUN(answer, of_the_core_is_relayed_by_the_table),
	  RUN(answer, that_the_registration_was_lost_ends_the_binding_and_is_relayed))
