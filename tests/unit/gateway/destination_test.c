/* SPDX-License-Identifier: BSD-3-Clause */
#include <hs.h>

#include "call.h"
#include "destination_rules.h"

/* Whom a WIC may reach, and the ways in which it could try to reach others. */

static struct destination_rules site[2];
static struct destination_part part;
static uint64_t allow_numbers[2], deny_numbers[4];
static const struct span allow_hosts[] = {SPAN("shop.example")};
static const struct span deny_hosts[] = {SPAN("evil.example"), SPAN("[2001:db8::66]")};
static const struct span deny_uris[] = {SPAN("sip:premium@home1.net")};

static void world_with(void)
{
	part = (struct destination_part){.site = site, .count = 2};
	call_world(MW_TCP);
	world.view.destinations = &part;
}

/** A visitor of a shop's page may call the shop, and no number that costs. */
static void world_of_a_shop(void)
{
	allow_numbers[0] = destination_places(SPAN("4711"));
	allow_numbers[1] = destination_places(SPAN("+1800"));
	deny_numbers[0] = destination_places(SPAN("+1800666"));
	site[0] = (struct destination_rules){
		.any = true,
		.allows = true,
		.allow = {.number = allow_numbers, .numbers = 2, .host = allow_hosts, .hosts = 1},
		.deny = {.number = deny_numbers, .numbers = 1},
	};
	world_with();
}

/** Everybody may be called but some. */
static void world_with_denied(void)
{
	deny_numbers[0] = destination_places(SPAN("0900"));
	deny_numbers[1] = destination_places(SPAN("+1900"));
	site[0] = (struct destination_rules){
		.any = true,
		.deny = {.number = deny_numbers,
			 .numbers = 2,
			 .host = deny_hosts,
			 .hosts = 2,
			 .uri = deny_uris,
			 .uris = 1},
	};
	world_with();
}

static uint32_t next;

static enum gw_err sends(const char *method, const char *uri, const char *lines, const char *body)
{
	world_forget();
	return wic_sends(0, of_alice(&(struct says){.method = method,
						    .uri = uri,
						    .branch = format("d%u", ++next),
						    .lines = lines,
						    .body = body}));
}

static void refused_as(enum gw_err err, const char *method, const char *uri, const char *lines)
{
	enum gw_err said = sends(method, uri, lines, NULL);

	if (said != err)
		print_error("%s %s: %s\n", method, uri, gw_err_name(said));
	EXPECT_EQ(err, said);
	EXPECT_EQ(0, count_to(TO_MW));
	EXPECT_EQ(403, status_of(world_only(TO_WIC)));
}

static void forbidden(const char *uri)
{
	refused_as(GW_DESTINATION, "MESSAGE", uri, "");
}

static void unclear(const char *uri)
{
	refused_as(GW_DESTINATION_UNCLEAR, "MESSAGE", uri, "");
}

static void goes_on_with(const char *method, const char *uri, const char *lines)
{
	enum gw_err err = sends(method, uri, lines, NULL);

	if (err != GW_OK)
		print_error("%s %s: %s\n", method, uri, gw_err_name(err));
	EXPECT_EQ(GW_OK, err);
	EXPECT(begins(only_of(TO_MW, method), format("%s %s SIP/2.0", method, uri)));
	core_sends(answer_of(keep(last_to(TO_MW)), "200 OK", "b1", ""));
}

static void goes_on(const char *uri)
{
	goes_on_with("MESSAGE", uri, "");
}

#define ALL(call, ...) \
	do { \
		static const char *const all_[] = {__VA_ARGS__}; \
		for (uint32_t i_ = 0; i_ < sizeof(all_) / sizeof(all_[0]); i_++) \
			call(all_[i_]); \
	} while (0)

TEST(destination, may_be_anybody_where_there_are_no_rules)
{
	site[0] = (struct destination_rules){0};
	world_with();
	ALL(goes_on, "tel:+19005551234", "sip:a:b@home1.net", "tel:123;rn=5", "urn:service:x");
	world.view.destinations = NULL;
	goes_on("tel:+19005551234");
	EXPECT_EQ(0, world_count(&world.counters.destination_refused));
}

TEST(destination, of_a_shop_is_reached_in_every_spelling)
{
	world_of_a_shop();
	ALL(goes_on, "tel:+18005551234", "TEL:+1-800-555.12(34)", "tel:+18005551234;isub=5;ext=7",
	    "sip:+18005551234@home1.net", "sip:+1-800-555-1234@home1.net;user=phone",
	    "sip:%2b1%3800555@HOME1.net", "sip:+18005551234@home1.net.;user=phone",
	    "sips:+18005551234@home1.net", "tel:5551234;phone-context=+1800",
	    "sip:5551234;phone-context=+1800@home1.net;user=phone",
	    "tel:4711;phone-context=home1.net", "sip:4711@home1.net", "sip:help@shop.example",
	    "sip:HELP@Shop.Example:5060", "sip:help@shop.example.", "sip:shop.example",
	    "sip:100@shop.example", "sip:help@shop.example;transport=tcp");
	EXPECT_EQ(0, world_count(&world.counters.destination_refused));
}

TEST(destination, of_others_is_forbidden_to_a_visitor_of_a_shop)
{
	world_of_a_shop();
	ALL(forbidden, "tel:+19005551234", "tel:+1-900-555-1234", "tel:+1(800)666-1234",
	    "TEL:+18006661234", "sip:+18006661234@home1.net", "sip:+1800%36661234@home1.net",
	    "sip:%2B18006661234@home1.net;user=phone", "sip:+1.800.666@HOME1.NET;USER=PHONE",
	    "tel:6661234;phone-context=+1800", "tel:1234;phone-context=+1-800-666",
	    "sip:6661234;phone-context=+1800@home1.net;user=phone", "tel:0019005551234",
	    "tel:18005551234", "tel:8005551234;phone-context=home1.net", "sip:bob@home1.net",
	    "sip:0@home1.net", "sip:+18005551234@evil.example",
	    "sip:+18005551234@evil.example;user=phone", "sip:+18005551234@198.18.0.20;user=phone",
	    "sip:+18005551234@[2001:db8::66];user=phone", "sip:4711@evil.example",
	    "tel:4711;phone-context=evil.example", "sip:help@shop.example.evil.example",
	    "sip:help@evil-shop.example", "sip:help@sub.shop.example",
	    "sip:help%40shop.example@evil.example", "sip:shop.example@evil.example",
	    "sip:evil.example", "sip:198.18.0.66", "sip:x@[::1]", "sip:+18006661234@shop.example",
	    "sip:1-800-666-1234@shop.example", "sip:+18006661234@shop.example;user=phone",
	    "sip:+18005551234@shop.example;user=phone", "urn:service:counseling",
	    "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
	EXPECT_EQ(36, world_count(&world.counters.destination_refused));
}

TEST(destination, is_not_made_a_good_one_by_the_context_of_what_is_dialled)
{
	world_of_a_shop();
	ALL(forbidden, "tel:19005551234;phone-context=+1800", "tel:00449001234;phone-context=+1800",
	    "tel:(0)0-449001234;phone-context=+1-800", "tel:9011449001;phone-context=+1800",
	    "sip:00449001234;phone-context=+1800@home1.net;user=phone",
	    "sip:19005551234;phone-context=+1800@home1.net");
	ALL(unclear, "tel:0044900123456;phone-context=+1800",
	    "sip:0044900123456;phone-context=+1800@home1.net;user=phone",
	    "tel:449001234567;phone-context=+1800", "tel:*21*5551234;phone-context=+1800",
	    "tel:5*00449001;phone-context=+1800", "tel:5;phone-context=+1800*",
	    "sip:+1800*5551@home1.net", "sip:+1800%235551@home1.net");
	ALL(goes_on, "tel:5551234;phone-context=+1800", "tel:5551234;phone-context=+1-800");
}

TEST(destination, that_is_denied_is_so_in_every_spelling)
{
	world_with_denied();
	ALL(forbidden, "tel:+19005551234", "tel:+1-9-0-0", "sip:+1900@home1.net",
	    "sip:+1900@carrier.example", "sip:+1900@carrier.example;user=phone",
	    "sip:%2B%31%39%30%30@carrier.example", "tel:19005551234", "tel:0019005551234",
	    "tel:0119005551234", "sip:0119005551234@carrier.example", "tel:00019005551234",
	    "sip:*31%2300190055@home1.net", "tel:**1900", "tel:*6719005551234",
	    "tel:*670019005551234", "sip:*67-1900555@home1.net", "tel:0900123",
	    "sip:0900123@home1.net", "sip:0900-123@home1.net;user=phone",
	    "tel:00123;phone-context=+19", "tel:0123;phone-context=+1-90",
	    "tel:0900123;phone-context=+1", "sip:x@evil.example",
	    "SIP:x@EVIL.example:5070;transport=udp", "sips:x@evil.example", "sip:evil.example",
	    "sip:x@evil.example.", "sip:x@[2001:DB8:0:0::66]", "sip:x@[2001:db8::66]:5060",
	    "sip:premium@home1.net", "sip:%70remium@home1.net", "sip:premium@HOME1.net.;x=y");
	ALL(goes_on, "tel:+18005551234", "sip:bob@home1.net", "sip:Premium@home1.net",
	    "tel:5551900123", "tel:*671800555", "sip:+4930@carrier.example", "sip:x@[2001:db8::67]",
	    "urn:service:x");
}

/** Of all URIs that sip:+1900.* at home1.net takes. */
static const struct pattern_database *premium_at_home(void)
{
	static struct hs_scratch *scratch[1];
	static struct pattern_database database = {.scratch = scratch, .workers = 1};
	hs_compile_error_t *fault;

	if (database.database == NULL) {
		EXPECT_EQ(HS_SUCCESS,
			  hs_compile("\\Asip:\\+1900.*@home1\\.net\\z", HS_FLAG_SINGLEMATCH,
				     HS_MODE_BLOCK, NULL, &database.database, &fault));
		EXPECT_EQ(HS_SUCCESS, hs_alloc_scratch(database.database, &scratch[0]));
	}
	return &database;
}

TEST(destination, that_is_a_denied_user_is_so_however_its_number_is_written)
{
	static const struct span users[] = {SPAN("sip:4711@gw.example"),
					    SPAN("sip:*31%23555@home1.net"),
					    SPAN("sip:+18005551234@home1.net")};
	static const struct span hosts[] = {SPAN("192.0.2.66")};

	site[0] = (struct destination_rules){
		.any = true,
		.deny = {.uri = users,
			 .uris = 3,
			 .host = hosts,
			 .hosts = 1,
			 .expression = premium_at_home()},
	};
	world_with();
	ALL(forbidden, "sip:+18005551234@home1.net", "sip:+1-800-555-1234@home1.net;user=phone",
	    "sip:+1-800-555-1234@home1.net", "sip:+1(800)5551234;isub=5@home1.net;user=phone",
	    "sip:4711@gw.example", "sip:4-7.11@gw.example",
	    "sip:4711;phone-context=home1.net@gw.example;user=phone",
	    "sip:4711;phone-context=+1800@gw.example;user=phone",
	    "sip:5551234;phone-context=+1800@home1.net;user=phone", "sip:*31%23-555@home1.net",
	    "sip:+1-900-5@home1.net", "sip:+1.9005;ext=7@home1.net", "sip:x@192.0.2.66",
	    "sip:x@[::ffff:192.0.2.66]", "sip:x@[::FFFF:c000:242]");
	ALL(goes_on, "sip:+18005551235@home1.net", "sip:+1-900-5@home2.net", "sip:4-711@home1.net",
	    "tel:+18005551234", "sip:x@[::ffff:192.0.2.67]", "sip:x@[::ffff:1]");
}

TEST(destination, that_could_be_meant_in_two_ways_is_refused_where_there_are_rules)
{
	world_of_a_shop();
	ALL(unclear, "sip:help@shop.example;maddr=198.18.0.66", "tel:+18005551234;rn=+19005551234",
	    "sip:+18005551234;rn=+1900@home1.net;user=phone",
	    "sip:+18005551234@home1.net;user=phone;rn=+1900", "tel:+18005551234;cic=+1999",
	    "tel:+18005551234;tgrp=x;trunk-context=evil.example",
	    "tel:+18005551234;phone-context=+1900",
	    "tel:55;phone-context=+1800;phone-context=+1900", "tel:55;phone-context=+1800x",
	    "tel:55;phone-context=", "tel:55;postd=123", "sip:55;phone-context=%2B1900@home1.net",
	    "sip:help:pin@shop.example", "sip:help@shop.example;user=phone",
	    "sip:4711@home1.net;user=phone;user=ip", "sip:4711@home1.net;user=%70hone",
	    "sip:4711@home1.net;%75ser=phone", "sip:+18005551234@home1.net;phone-context=+1900",
	    "tel:+1800555123456789", "tel:47A1", "tel:+0019005551234", "sip:help;x=y@shop.example",
	    "sip:help%3Bx@shop.example", "sip:*31%23+1900@home1.net", "sip:++1900@shop.example",
	    "sip:--@home1.net", "sip:4711%3Brn=+1900@home1.net",
	    "sip:help@shop.example;trunk-context=x");
	unclear(format("sip:%0300u@shop.example", 1));
	unclear(format("tel:%070u", 1));
}

TEST(destination, is_judged_for_every_method_that_begins_something)
{
	world_of_a_shop();
	ALL(goes_on, "sip:help@shop.example");
	refused_as(GW_DESTINATION, "INVITE", "tel:+1900", "");
	refused_as(GW_DESTINATION, "SUBSCRIBE", "sip:bob@home1.net", "Event: presence" CRLF);
	refused_as(GW_DESTINATION, "PUBLISH", "sip:bob@home1.net", "");
	refused_as(GW_DESTINATION, "OPTIONS", "tel:+1900", "");
	refused_as(GW_DESTINATION, "INFO", "tel:+1900", "");
	refused_as(GW_DESTINATION, "UPDATE", "tel:+1900", "");
	refused_as(GW_DESTINATION, "BYE", "tel:+1900", "");
	refused_as(GW_DESTINATION, "CONJURE", "tel:+1900", "");
	refused_as(GW_DESTINATION, "INVITE", "tel:+1900",
		   "Route: <sip:+1900@evil.example;lr>" CRLF);
	refused_as(GW_DESTINATION, "INVITE", "tel:+1900",
		   "P-Called-Party-ID: <sip:help@shop.example>" CRLF);
}

TEST(destination, of_a_referral_is_judged_as_well)
{
	world_of_a_shop();
	goes_on_with("REFER", "sip:help@shop.example", "Refer-To: <sip:boss@shop.example>" CRLF);
	goes_on_with("REFER", "sip:help@shop.example",
		     "Refer-To: <sip:boss@shop.example?Replaces=a%40b%3Bto-tag%3Dc>" CRLF);
	refused_as(GW_DESTINATION, "REFER", "sip:help@shop.example", "Refer-To: <tel:+1900>" CRLF);
	refused_as(GW_DESTINATION, "REFER", "sip:help@shop.example", "r: tel:+1900" CRLF);
	refused_as(GW_DESTINATION, "REFER", "sip:help@shop.example",
		   "rEFER-tO : \"Shop\" <sip:+1900@home1.net;user=phone>" CRLF);
	refused_as(GW_DESTINATION, "REFER", "sip:help@shop.example",
		   "Refer-To:" CRLF " <tel:+1900>" CRLF);
	refused_as(GW_DESTINATION, "REFER", "sip:help@shop.example",
		   "Refer-To: <sip:+1900@home1.net;method=INVITE>" CRLF);
	refused_as(GW_DESTINATION, "INVITE", "sip:help@shop.example", "Refer-To: <tel:+1900>" CRLF);
	refused_as(GW_DESTINATION_UNCLEAR, "REFER", "sip:help@shop.example",
		   "Refer-To: <sip:boss@shop.example>" CRLF "r: <tel:+1900>" CRLF);
	refused_as(GW_DESTINATION_UNCLEAR, "REFER", "sip:help@shop.example",
		   "Refer-To: <sip:boss@shop.example>, <tel:+1900>" CRLF);
	refused_as(GW_DESTINATION_UNCLEAR, "REFER", "sip:help@shop.example",
		   "Refer-To: <sip:boss@shop.example?Route=%3Csip:evil.example%3E>" CRLF);
	refused_as(GW_DESTINATION_UNCLEAR, "REFER", "sip:help@shop.example",
		   "Refer-To: <cid:list@here>" CRLF);
	refused_as(GW_DESTINATION_UNCLEAR, "REFER", "sip:help@shop.example",
		   "Refer-To: <http://evil.example>" CRLF);
	refused_as(GW_DESTINATION_UNCLEAR, "REFER", "sip:help@shop.example",
		   "Refer-To: <sip:boss@shop.example" CRLF);
}

TEST(destination, of_a_list_is_refused)
{
	world_of_a_shop();
	refused_as(GW_DESTINATION_UNCLEAR, "INVITE", "sip:help@shop.example",
		   "Require: recipient-list-invite" CRLF);
	refused_as(GW_DESTINATION_UNCLEAR, "REFER", "sip:help@shop.example",
		   "Require: norefersub, Multiple-Refer" CRLF);
	EXPECT_EQ(GW_DESTINATION_UNCLEAR,
		  sends("MESSAGE", "sip:help@shop.example",
			"Content-Type: Application/Resource-Lists+xml" CRLF, "<resource-lists/>"));
	EXPECT_EQ(GW_DESTINATION_UNCLEAR,
		  sends("MESSAGE", "sip:help@shop.example",
			"Content-Type: multipart/mixed;boundary=b" CRLF,
			"--b" CRLF "Content-Type: application/resource-lists+xml" CRLF CRLF
			"<x/>" CRLF "--b--"));
}

/* ---- operators ------------------------------------------------------------------------------ */

TEST(destination, is_judged_by_the_operator_first_and_for_every_web_site)
{
	world_of_a_shop();
	site[0].deny.numbers = 0;
	deny_numbers[0] = destination_places(SPAN("+1800666"));
	part.operator=(struct destination_rules){.any = true,
						 .deny = {.number = deny_numbers, .numbers = 1}};
	forbidden("tel:+1800666");
	goes_on("tel:+1800555");
	site[0] = (struct destination_rules){0};
	forbidden("tel:+1800666");
	goes_on("tel:+1900");
	part.operator.allows = true;
	forbidden("tel:+1900");
	part.count = 0; /* a row that is not there has none of its own */
	forbidden("tel:+1800666");
}

TEST(destination, comes_behind_emergency_calls)
{
	static const struct span numbers[] = {SPAN("112")};

	world_of_a_shop();
	world.config.emergency.number = numbers;
	world.config.emergency.number_count = 1;
	EXPECT_EQ(GW_SIP_EMERGENCY, sends("MESSAGE", "tel:112", "", NULL));
	world.config.emergency.policy = EMERGENCY_FORWARD;
	goes_on("tel:112");
	goes_on("urn:service:sos.police");
	forbidden("tel:113");
}

/** A reload: the shop has the second row now, and wic 0 is at the web site of another one. */
static void shop_moves(void)
{
	struct wwsf_config shop = world.wwsf[0];

	world.wwsf[0] = world.wwsf[1];
	world.wwsf[1] = shop;
	site[1] = site[0];
	site[0] = (struct destination_rules){0};
	world_reload();
}

TEST(destination, is_judged_by_the_web_site_that_let_the_user_in)
{
	world_of_a_shop();
	world.config.audit = AUDIT_CLEAR;
	shop_moves();
	forbidden("tel:+1900");
	EXPECT_TEXT("shop", world.audit[world.events - 1].event.text);
	world.wic[0].disowned = true; /* its Origin is nobody's any more */
	forbidden("tel:+1900");
	EXPECT_TEXT("shop", world.audit[world.events - 1].event.text);
	goes_on("tel:+1800555");
}

TEST(destination, is_nobody_for_users_of_a_web_site_that_has_gone)
{
	struct call c;
	const char *request;

	world_of_a_shop();
	site[0].allows = false;
	c = alice_called();
	world.wwsf[0].name = SPAN("other");
	site[0] = (struct destination_rules){0};
	world_reload();
	ALL(forbidden, "tel:+1800555", "sip:help@shop.example");
	world.wic[0].disowned = true;
	forbidden("tel:+1800555");
	request = alice_in_call(&c, "INFO", "");
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, request));
	request = alice_in_call(&c, "REFER", "Refer-To: <sip:help@shop.example>" CRLF);
	world_forget();
	EXPECT_EQ(GW_DESTINATION, wic_sends(0, request));
}

TEST(destination, is_none_of_an_emergency_call_by_its_first_digits)
{
	static const struct span numbers[] = {SPAN("112"), SPAN("+4930112")};

	world_of_a_shop();
	world.config.emergency.number = numbers;
	world.config.emergency.number_count = 2;
	world.config.emergency.policy = EMERGENCY_FORWARD;
	ALL(goes_on, "tel:1-1-2", "tel:112;phone-context=home1.net", "tel:+49-30-112",
	    "sip:112@home1.net", "sip:%3112@HOME1.net:5060;transport=ws",
	    "sip:112;phone-context=home1.net@home1.net;user=phone", "urn:service:sos");
	ALL(forbidden, "sip:112@premium.example;user=phone", "tel:112;phone-context=+190055501",
	    "tel:112;phone-context=evil.example", "tel:112;isub=5",
	    "sip:112%3Bphone-context=home1.net@home1.net");
	ALL(unclear, "tel:112;rn=+19005551234", "sip:112@home1.net;maddr=evil.example",
	    "sip:112;rn=+1900@home1.net;user=phone", "sip:112:5@home1.net");
	refused_as(GW_DESTINATION, "REFER", "urn:service:sos", "Refer-To: <tel:+1900>" CRLF);
	refused_as(GW_DESTINATION, "REFER", "tel:112", "Refer-To: <tel:+1900>" CRLF);
	refused_as(GW_DESTINATION_UNCLEAR, "INVITE", "urn:service:sos",
		   "Require: recipient-list-invite" CRLF);
}

TEST(destination, is_refused_before_anything_else_is_known_of_a_WIC)
{
	world_of_a_shop();
	world_forget();
	EXPECT_EQ(GW_DESTINATION, wic_sends(1, of_alice(&(struct says){.uri = "tel:+1900"})));
	EXPECT_EQ(0, count_to(TO_MW));
}

TEST(destination, that_is_refused_is_told_to_the_audit_stream)
{
	const struct message_audit *audit;

	world_of_a_shop();
	world.config.audit = AUDIT_CLEAR;
	forbidden("tel:+1-900-5");
	audit = &world.audit[world.events - 1];
	EXPECT_EQ(EVENT_DESTINATION_REFUSED, audit->event.what);
	EXPECT_EQ(GW_DESTINATION, audit->event.err);
	EXPECT_EQ(403, audit->event.status);
	EXPECT_TEXT("shop", audit->event.text);
	EXPECT_SPAN("sip:alice@home1.nettel:+19005",
		    span_of(audit->text + audit->impi_len, audit->impu_len + audit->peer_len));
	EXPECT(audit->peer_hash == gateway_identity_hash(world.gw, SPAN("tel:+19005")));
}

/* ---- inside dialogs ------------------------------------------------------------------------- */

/** A request inside alice's call, to another URI than bob's Contact. */
static enum gw_err in_call_to(const struct call *c, const char *method, const char *uri,
			      const char *lines)
{
	const char *request = alice_in_call(c, method, lines);
	const char *end = strstr(request, " SIP/2.0");

	world_forget();
	return wic_sends(0, format("%s %s%s", method, uri, end));
}

TEST(destination, of_a_dialog_stays_where_it_was)
{
	struct call c;

	world_with_denied();
	c = alice_called();
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "INVITE", "")));
	EXPECT_EQ(1, count_of(TO_MW, "INVITE "));
	EXPECT_EQ(GW_DESTINATION, in_call_to(&c, "INVITE", "tel:+1900", ""));
	EXPECT_EQ(403, status_of(world_only(TO_WIC)));
	EXPECT_EQ(GW_DESTINATION, in_call_to(&c, "UPDATE", "sip:+1900@198.18.7.7", ""));
	EXPECT_EQ(GW_DESTINATION, in_call_to(&c, "REFER", "sip:x@evil.example", ""));
	EXPECT_EQ(GW_DESTINATION, in_call_to(&c, "SUBSCRIBE", "sip:premium@home1.net", ""));
	EXPECT_EQ(GW_DESTINATION_UNCLEAR,
		  in_call_to(&c, "INVITE", "sip:bob@198.18.7.7;maddr=evil.example", ""));
	EXPECT_EQ(0, count_to(TO_MW));
}

TEST(destination, of_a_dialog_may_be_one_that_no_rule_allows)
{
	struct call c;

	world_of_a_shop();
	site[0].allows = false;
	c = alice_called(); /* bob, who answers from 198.18.7.7 */
	site[0].allows = true;
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "INVITE", "")));
	EXPECT_EQ(GW_OK, in_call_to(&c, "UPDATE", "sip:%62ob@198.18.7.7", ""));
	EXPECT_EQ(GW_DESTINATION, in_call_to(&c, "INVITE", "sip:carol@198.18.7.7", ""));
	EXPECT_EQ(GW_DESTINATION, in_call_to(&c, "INVITE", "sip:bob@198.18.7.8", ""));
	EXPECT_EQ(GW_DESTINATION, in_call_to(&c, "INFO", "sip:bob@198.18.7.7;x=y", ""));
	EXPECT_EQ(GW_OK, in_call_to(&c, "INFO", "sip:help@shop.example", ""));
}

TEST(destination, of_a_dialog_that_the_core_began_stays_as_well)
{
	struct call c;
	const char *request, *end;

	world_of_a_shop();
	c = bob_called();
	request = alice_in_bobs_call(&c, "INVITE", "");
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, request));
	request = alice_in_bobs_call(&c, "UPDATE", "");
	end = strstr(request, " SIP/2.0");
	world_forget();
	EXPECT_EQ(GW_DESTINATION, wic_sends(0, format("UPDATE tel:+1900%s", end)));
}

TEST(destination, of_what_ends_a_dialog_is_judged_as_well)
{
	struct call c;

	world_with_denied();
	c = alice_called();
	EXPECT_EQ(GW_OK, in_call_to(&c, "ACK", "tel:+1900", "")); /* dropped: it has no answer */
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(GW_DESTINATION, in_call_to(&c, "PRACK", "tel:+1900", ""));
	EXPECT_EQ(GW_DESTINATION, in_call_to(&c, "BYE", "sip:x@evil.example", ""));
	EXPECT_EQ(0, count_to(TO_MW));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "ACK", "")));
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "BYE", "")));
	EXPECT_EQ(1, count_of(TO_MW, "ACK "));
	EXPECT_EQ(1, count_of(TO_MW, "BYE "));
}

TEST(destination, of_what_ends_a_dialog_may_have_moved)
{
	static const char *const others[] = {"tel:+1900", "sip:+1900@198.18.7.8",
					     "sip:100@198.18.7.8", "sip:carol@denied.example",
					     "urn:service:x"};
	struct call c;

	world_of_a_shop();
	site[0].allows = false;
	c = alice_called();
	site[0].allows = true;
	site[0].deny.host = (const struct span[]){SPAN("denied.example")};
	site[0].deny.hosts = 1;
	for (uint32_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		EXPECT_EQ(GW_DESTINATION, in_call_to(&c, "BYE", others[i], ""));
	EXPECT_EQ(GW_DESTINATION_UNCLEAR,
		  in_call_to(&c, "BYE", "sip:carol@198.18.7.8;maddr=evil.example", ""));
	EXPECT_EQ(GW_DESTINATION, in_call_to(&c, "UPDATE", "sip:carol@198.18.7.8", ""));
	EXPECT_EQ(GW_DESTINATION,
		  in_call_to(&c, "BYE", "sip:carol@198.18.7.8", "Refer-To: <tel:+1900>" CRLF));
	part.operator=(struct destination_rules){
		.any = true,
		.deny = {.host = (const struct span[]){SPAN("198.18.7.9")}, .hosts = 1}};
	EXPECT_EQ(GW_DESTINATION, in_call_to(&c, "BYE", "sip:carol@198.18.7.9", ""));
	EXPECT_EQ(0, count_to(TO_MW));
	EXPECT_EQ(GW_OK, in_call_to(&c, "ACK", "sip:carol@198.18.7.8", ""));
	EXPECT_EQ(1, count_of(TO_MW, "ACK sip:carol@198.18.7.8 "));
	EXPECT_EQ(GW_OK, in_call_to(&c, "BYE", "sip:carol@198.18.7.8", ""));
	EXPECT_EQ(1, count_of(TO_MW, "BYE sip:carol@198.18.7.8 "));
}

TEST(destination, of_a_referral_in_a_dialog_is_judged)
{
	struct call c;

	world_with_denied();
	c = alice_called();
	world_forget();
	EXPECT_EQ(GW_DESTINATION,
		  wic_sends(0, alice_in_call(&c, "REFER", "Refer-To: <tel:+1900>" CRLF)));
	EXPECT_EQ(0, count_to(TO_MW));
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "REFER", "Refer-To: <tel:+1800>" CRLF)));
}

TEST(destination, of_a_dialog_cannot_be_reached_by_another_route)
{
	struct call c, other;

	world_with_denied();
	c = alice_called();
	other = c;
	other.routes = format("%sRoute: <sip:+1900@evil.example;lr>" CRLF, c.routes);
	EXPECT_EQ(GW_DIALOG_FOREIGN, in_call_to(&other, "INVITE", "sip:bob@198.18.7.7", ""));
	other.routes = "Route: <sip:+1900@evil.example;lr>" CRLF;
	EXPECT(in_call_to(&other, "INVITE", "sip:bob@198.18.7.7", "") != GW_OK);
	other.routes = "";
	EXPECT(in_call_to(&other, "INVITE", "tel:+1900", "") != GW_OK);
	EXPECT_EQ(0, count_to(TO_MW));
}

TEST_MAIN("gateway_destination", RUN(destination, may_be_anybody_where_there_are_no_rules),
	  RUN(destination, of_a_shop_is_reached_in_every_spelling),
	  RUN(destination, of_others_is_forbidden_to_a_visitor_of_a_shop),
	  RUN(destination, is_not_made_a_good_one_by_the_context_of_what_is_dialled),
	  RUN(destination, that_is_denied_is_so_in_every_spelling),
	  RUN(destination, that_is_a_denied_user_is_so_however_its_number_is_written),
	  RUN(destination, that_could_be_meant_in_two_ways_is_refused_where_there_are_rules),
	  RUN(destination, is_judged_for_every_method_that_begins_something),
	  RUN(destination, of_a_referral_is_judged_as_well), RUN(destination, of_a_list_is_refused),
	  RUN(destination, is_judged_by_the_operator_first_and_for_every_web_site),
	  RUN(destination, comes_behind_emergency_calls),
	  RUN(destination, is_judged_by_the_web_site_that_let_the_user_in),
	  RUN(destination, is_nobody_for_users_of_a_web_site_that_has_gone),
	  RUN(destination, is_none_of_an_emergency_call_by_its_first_digits),
	  RUN(destination, is_refused_before_anything_else_is_known_of_a_WIC),
	  RUN(destination, that_is_refused_is_told_to_the_audit_stream),
	  RUN(destination, of_a_dialog_stays_where_it_was),
	  RUN(destination, of_a_dialog_may_be_one_that_no_rule_allows),
	  RUN(destination, of_a_dialog_that_the_core_began_stays_as_well),
	  RUN(destination, of_what_ends_a_dialog_is_judged_as_well),
	  RUN(destination, of_what_ends_a_dialog_may_have_moved),
	  RUN(destination, of_a_referral_in_a_dialog_is_judged),
	  RUN(destination, of_a_dialog_cannot_be_reached_by_another_route))
