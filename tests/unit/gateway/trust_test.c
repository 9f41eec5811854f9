/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>

#include "call.h"

/*
 * The hostile WIC of PROTOCOL 12.2: everything of 9.1 in every spelling, in a REGISTER, in a
 * MESSAGE and in an answer to the core, and none of it on the bytes that go to the core.
 */

#define POISON "p0is0n" /* in every value that must not get through */

static const char *const headers[] = {
	"P-Asserted-Identity",
	"P-Asserted-Service",
	"P-Associated-URI",
	"P-Called-Party-ID",
	"P-Charging-Vector",
	"P-Charging-Function-Addresses",
	"P-Visited-Network-ID",
	"P-Served-User",
	"P-Profile-Key",
	"P-User-Database",
	"P-Private-Network-Indication",
	"Path",
	"Service-Route",
	"Feature-Caps",
	"Restoration-Info",
	"Relayed-Charge",
	"Service-Interact-Info",
	"Cellular-Network-Info",
	"Response-Source",
	"Attestation-Info",
	"Origination-Id",
	"Additional-Identity",
	"Resource-Priority",
	"Security-Client",
	"Security-Verify",
	"History-Info",
	"P-Preferred-Identity",
	"Route",
	"Record-Route",
};
#define HEADERS (sizeof(headers) / sizeof(headers[0]))

/** Lines of one header in one spelling. */
typedef const char *spelling(const char *name);

static const char *plain(const char *name)
{
	return format("%s: <sip:" POISON "@evil.example>" CRLF, name);
}

static const char *recased(const char *name)
{
	char text[64] = "";

	for (size_t i = 0; name[i] != 0 && i < sizeof(text) - 1; i++)
		text[i] = (char)(i % 2 ? toupper(name[i]) : tolower(name[i]));
	return format("%s:<sip:" POISON "@evil.example>" CRLF, text);
}

static const char *folded(const char *name)
{
	return format("%s:\r\n\t<sip:" POISON "@evil.example>\r\n ;more=\"" POISON "\"" CRLF, name);
}

static const char *repeated(const char *name)
{
	return format("%s: " POISON CRLF "Subject: between" CRLF "%s: <sip:" POISON
		      "2@e.example>" CRLF,
		      name, name);
}

static const char *joined(const char *name)
{
	return format("%s: , <sip:" POISON "@evil.example>, \"" POISON "\" <tel:+1555>," CRLF,
		      name);
}

static const char *spaced(const char *name)
{
	return format("%s \t : <sip:" POISON "@evil.example>" CRLF, name);
}

static spelling *const spellings[] = {plain, recased, folded, repeated, joined, spaced};
#define SPELLINGS (sizeof(spellings) / sizeof(spellings[0]))

/** alice's REGISTER with these lines. */
static const char *hostile_register(const char *more)
{
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF "%s"
		      "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:alice@home1.net>" CRLF
		      "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF
		      "Contact: <sip:x@a.invalid;transport=ws>" CRLF
		      "Authorization: Bearer %s" CRLF CRLF,
		      more, token_alice(900));
}

static const char *mw_hostile_register(const char *more)
{
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(1, hostile_register(more)));
	core_answers("403 Forbidden", ""); /* the transaction is over */
	return world_sent(0)->text;
}

static const char *mw_message(const char *request)
{
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, request));
	core_answers("403 Forbidden", "");
	return world_sent(0)->text;
}

/** What the core gets of alice's answer to its request. */
static const char *mw_answer(const char *more)
{
	world_forget();
	core_sends(core_message(path_uri(), "P-Called-Party-ID: <sip:alice@home1.net>" CRLF));
	EXPECT_EQ(GW_OK, wic_sends(0, wic_answer("200 OK", more)));
	EXPECT_EQ(2, world.count);
	EXPECT_EQ(TO_SOURCE, world_sent(1)->to);
	return world_sent(1)->text;
}

static void unpoisoned(const char *mw, const char *where, const char *name)
{
	if (contains(mw, POISON))
		fail_msg("%s survives in %s:\n%s", name, where, mw);
}

TEST(wic, brings_no_header_of_9_1_into_a_register)
{
	world_start();
	for (uint32_t i = 0; i < HEADERS; i++)
		for (uint32_t s = 0; s < SPELLINGS; s++)
			unpoisoned(mw_hostile_register(spellings[s](headers[i])), "REGISTER",
				   headers[i]);
}

TEST(wic, brings_no_header_of_9_1_into_a_message)
{
	world_start();
	world_register();
	for (uint32_t i = 0; i < HEADERS; i++)
		for (uint32_t s = 0; s < SPELLINGS; s++) {
			bool ppi = strcmp(headers[i], "P-Preferred-Identity") == 0;

			if (ppi && spellings[s] == repeated)
				continue; /* refused: of one scheme there may be one */
			unpoisoned(mw_message(message_with(spellings[s](headers[i]))), "MESSAGE",
				   headers[i]);
		}
}

TEST(wic, brings_no_header_of_9_1_into_an_answer)
{
	world_start();
	world_register();
	for (uint32_t i = 0; i < HEADERS; i++)
		for (uint32_t s = 0; s < SPELLINGS; s++)
			unpoisoned(mw_answer(spellings[s](headers[i])), "answer", headers[i]);
}

TEST(wic, brings_no_header_of_9_1_into_an_answer_inside_a_dialog)
{
	static const char *const methods[] = {"INFO", "INVITE"};
	struct call c;

	for (uint32_t m = 0; m < 2; m++) {
		call_world_of(MW_TCP, 4 * HEADERS * SPELLINGS);
		c = bob_called();
		c.backward = keep(c.backward);
		for (uint32_t i = 0; i < HEADERS * SPELLINGS; i++) {
			const char *name = headers[i / SPELLINGS];
			const char *request;

			world_forget();
			core_sends(bob_in_call(&c, methods[m], ""));
			request = only_of(TO_WIC, methods[m]);
			EXPECT_EQ(GW_OK,
				  wic_sends(0, bare_answer_of(request, "200 OK", "w1",
							      spellings[i % SPELLINGS](name))));
			unpoisoned(only_of(TO_SOURCE, "SIP/2.0 200"), "answer", name);
		}
	}
}

/* RFC 6026: behind the first 200 others go on, and each is an answer of a WIC. */
TEST(wic, brings_no_header_of_9_1_into_a_200_that_it_says_again)
{
	struct call c;

	call_world(MW_TCP);
	c = bob_calls("P-Called-Party-ID: <sip:alice@home1.net>" CRLF VECTOR);
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(c.onward, "200 OK", "w1", "")));
	for (uint32_t i = 0; i < HEADERS * SPELLINGS; i++) {
		const char *name = headers[i / SPELLINGS], *core;

		world_forget();
		EXPECT_EQ(GW_OK,
			  wic_sends(0, bare_answer_of(c.onward, "200 OK", format("w%u", i % 3),
						      spellings[i % SPELLINGS](name))));
		core = only_of(TO_SOURCE, "SIP/2.0 200");
		unpoisoned(core, "answer", name);
		EXPECT_LINE("<sip:alice@home1.net>", core, "P-Asserted-Identity");
		EXPECT_LINE("icid-value=\"sc-11\";orig-ioi=\"home7.net\";term-ioi=\"home1.net\"",
			    core, "P-Charging-Vector");
		EXPECT_TEXT(routes_of_request(c.onward), routes_of_request(core));
	}
}

/** A request of alice's inside bob's call, with these lines in front of her Route: what goes on. */
static void inside_is_clean(const struct call *c, const char *method, const char *name,
			    const char *more)
{
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_bobs_call(c, method, more)));
	unpoisoned(only_of(TO_MW, method), method, name);
	if (strcmp(method, "ACK") != 0)
		core_sends(bare_answer_of(last_to(TO_MW), "200 OK", "b1", ""));
}

TEST(wic, brings_no_header_of_9_1_into_a_request_inside_a_dialog)
{
	static const char *const methods[] = {"UPDATE", "ACK"};
	struct call c;

	call_world_of(MW_TCP, 64);
	c = bob_called();
	for (uint32_t i = 0; i < HEADERS; i++)
		for (uint32_t s = 0; s < SPELLINGS * 2; s++)
			if (strcmp(headers[i], "Route") != 0) /* that is a 403: dialog_test.c */
				inside_is_clean(&c, methods[s % 2], headers[i],
						spellings[s / 2](headers[i]));
}

TEST(wic, brings_no_parameter_of_the_core_in_a_request_uri_inside_a_dialog)
{
	static const char *const uris[][2] = {
		{"sip:bob@198.18.7.7;orig", "sip:bob@198.18.7.7"},
		{"sip:bob@198.18.7.7;x=y;%6frig=1", "sip:bob@198.18.7.7;x=y"},
		{"sip:bob@198.18.7.7;cpc=operator;oli=27;iotl=a-b", "sip:bob@198.18.7.7"},
		{"sip:+1555;cpc=operator@198.18.7.7;user=phone", "sip:+1555@198.18.7.7;user=phone"},
	};
	struct call c;

	call_world(MW_TCP);
	c = alice_called();
	for (uint32_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		world_forget();
		EXPECT_EQ(GW_OK,
			  wic_sends(0, of_alice(&(struct says){.method = "INFO",
							       .branch = format("u%u", i),
							       .uri = uris[i][0],
							       .to = "<sip:bob@home1.net>;tag=b1",
							       .cseq = 20 + i,
							       .lines = c.routes})));
		EXPECT(begins(only_of(TO_MW, "INFO "), format("INFO %s SIP/2.0" CRLF, uris[i][1])));
		core_sends(bare_answer_of(last_to(TO_MW), "200 OK", "b1", ""));
	}
}

TEST(wic, hides_no_header_behind_a_fold_before_the_colon_or_a_bare_line_end)
{
	static const char *const tricks[] = {
		"P-Asserted-Identity\r\n : <sip:" POISON "@e.example>" CRLF,
		"Subject: x\nP-Asserted-Identity: <sip:" POISON "@e.example>" CRLF,
		"Subject: x\rP-Asserted-Identity: <sip:" POISON "@e.example>" CRLF,
		"Subject: x\r\n \r\nP-Asserted-Identity: <sip:" POISON "@e.example>" CRLF,
		" P-Asserted-Identity: <sip:" POISON "@e.example>" CRLF,
		": <sip:" POISON "@e.example>" CRLF,
		"P-Asserted\x01-Identity: <sip:" POISON "@e.example>" CRLF,
	};

	world_start();
	world_register();
	for (uint32_t i = 0; i < sizeof(tricks) / sizeof(tricks[0]); i++) {
		world_forget();
		EXPECT(wic_sends(0, message_with(tricks[i])) != GW_OK);
		for (uint32_t n = 0; n < world.count; n++) /* without a From it is not answered */
			EXPECT_EQ(TO_WIC, world_sent(n)->to);
	}
}

TEST(wic, asks_for_no_psap_callback)
{
	const char *mw;

	world_start();
	world_register();
	EXPECT_NO_LINE(mw_message(message_with("Priority: psap-callback" CRLF)), "Priority");
	EXPECT_NO_LINE(mw_message(message_with("PRIORITY\t:\r\n PSAP-Callback" CRLF)), "Priority");
	mw = mw_message(message_with("Priority: urgent" CRLF));
	EXPECT_LINE("urgent", mw, "Priority");
}

static const char *const sec_agree[][2] = {
	/* what the WIC says, what is left of it; NULL: no line */
	{"sec-agree", NULL},
	{"SEC-agree", NULL},
	{"sec-agree, sec-agree", NULL},
	{"\r\n sec-agree ,", NULL},
	{"pref, sec-agree", "pref"},
	{"sec-agree, pref", "pref"},
	{"pref, Sec-Agree ,gruu", "pref, gruu"},
};

TEST(wic, requires_no_sec_agree)
{
	world_start();
	world_register();
	for (uint32_t i = 0; i < sizeof(sec_agree) / sizeof(sec_agree[0]); i++) {
		const char *more = format("Require: %s" CRLF, sec_agree[i][0]);
		const char *mw = mw_message(message_with(more));

		EXPECT(!contains(mw, "sec-agree"));
		if (sec_agree[i][1] == NULL)
			EXPECT_NO_LINE(mw, "Require");
		else
			EXPECT_EQ(1, lines(mw, "Require"));
		mw = mw_hostile_register(more);
		EXPECT(!contains(mw, "sec-agree"));
		EXPECT(contains(mw, "Require: path" CRLF));
	}
}

TEST(wic, requires_no_sec_agree_of_proxies)
{
	const char *mw;

	world_start();
	world_register();
	mw = mw_message(
		message_with("Proxy-Require: sec-agree" CRLF "PROXY-require : , Sec-Agree ," CRLF));
	EXPECT(!contains(mw, "sec-agree"));
	EXPECT_NO_LINE(mw, "Proxy-Require");
}

TEST(wic, hides_no_option_tag_behind_a_quote)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_SIP_HEADER, wic_sends(0, message_with("Require: \"x, sec-agree" CRLF)));
	EXPECT_EQ(GW_SIP_HEADER, wic_sends(0, message_with("Require: <x, sec-agree>" CRLF)));
	EXPECT_EQ(GW_SIP_HEADER, wic_sends(0, message_with("Proxy-Require: \"sec-agree\"" CRLF)));
}

TEST(wic, says_nothing_in_the_name_of_the_access_network)
{
	static const char *const lies[] = {
		"3GPP-E-UTRAN-FDD;network-provided",
		"3GPP-E-UTRAN-FDD ; NETWORK-Provided ; x=y",
		"3GPP-E-UTRAN-FDD;np",
		"3GPP-E-UTRAN-FDD;network-provided,\r\n IEEE-802.11;np=\"x\"",
		"IEEE-802.11;x=\"y;network-provided",
		"IEEE-802.11;x=\"a\\\";network-provided\"",
	};

	world_start();
	world_register();
	for (uint32_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		const char *more = format("P-Access-Network-Info: %s" CRLF, lies[i]);

		EXPECT_NO_LINE(mw_message(message_with(more)), "P-Access-Network-Info");
		EXPECT_NO_LINE(mw_hostile_register(more), "P-Access-Network-Info");
		EXPECT_NO_LINE(mw_answer(more), "P-Access-Network-Info");
	}
}

TEST(wic, keeps_the_entry_of_its_own_beside_one_of_the_access_networks)
{
	world_start();
	world_register();
	EXPECT_LINE("IEEE-802.11;i-wlan-node-id=aa",
		    mw_message(message_with("P-Access-Network-Info: 3GPP-UTRAN;np, "
					    "IEEE-802.11;i-wlan-node-id=aa" CRLF)),
		    "P-Access-Network-Info");
}

TEST(wic, may_name_its_own_access_network)
{
	world_start();
	world_register();
	EXPECT_LINE("IEEE-802.11;i-wlan-node-id=00np",
		    mw_message(message_with(
			    "P-Access-Network-Info: IEEE-802.11;i-wlan-node-id=00np" CRLF)),
		    "P-Access-Network-Info");
}

TEST(wic, brings_no_parameter_of_the_core_in_a_request_uri)
{
	static const char *const uris[][2] = {
		{"sip:bob@home2.net;orig", "sip:bob@home2.net"},
		{"sip:bob@home2.net;ORIG=x", "sip:bob@home2.net"},
		{"sip:bob@home2.net;orig=", "sip:bob@home2.net"},
		{"sip:bob@home2.net;%6frig", "sip:bob@home2.net"},
		{"sip:bob@home2.net;o%52ig=1;user=phone", "sip:bob@home2.net;user=phone"},
		{"sip:bob@home2.net;cpc=operator;oli=27;iotl=homea-homeb", "sip:bob@home2.net"},
		{"sip:bob@home2.net;transport=udp;cpc=operator;lr",
		 "sip:bob@home2.net;transport=udp;lr"},
		{"sip:+15551230000;cpc=operator@home2.net;user=phone",
		 "sip:+15551230000@home2.net;user=phone"},
		{"sip:+15551230000;x=y;oli=1;z@home2.net", "sip:+15551230000;x=y;z@home2.net"},
		{"tel:+15551230000;cpc=operator;phone-context=x",
		 "tel:+15551230000;phone-context=x"},
		{"tel:+15551230000;oli=00", "tel:+15551230000"},
		{"sip:orig@home2.net;original=1", "sip:orig@home2.net;original=1"},
		{"sip:+15551230000%3Bcpc=operator@home2.net;user=phone",
		 "sip:+15551230000@home2.net;user=phone"},
		{"sip:+15551230000;x=y%3boli%3D1%3bz@home2.net",
		 "sip:+15551230000;x=y%3bz@home2.net"},
		{"sip:+15551230000;%63pc%3doperator@home2.net", "sip:+15551230000@home2.net"},
		{"sip:bob%3bcp%63x=1@home2.net;", "sip:bob%3bcp%63x=1@home2.net;"},
	};

	world_start();
	world_register();
	for (uint32_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		const char *mw = mw_message(message_to(uris[i][0], ""));
		const char *wanted = format("MESSAGE %s SIP/2.0" CRLF, uris[i][1]);

		if (strncmp(mw, wanted, strlen(wanted)) != 0)
			fail_msg("%s gives %.80s", uris[i][0], mw);
	}
}

TEST(wic, brings_no_orig_into_the_request_uri_of_a_register)
{
	const char *mw;

	world_start();
	EXPECT_EQ(GW_OK, wic_sends(1, format("REGISTER sip:home1.net;orig SIP/2.0%s",
					     strstr(hostile_register(""), CRLF))));
	mw = world_only(TO_MW);
	EXPECT(!contains(mw, ";orig" CRLF) && !contains(mw, ";orig "));
	EXPECT(contains(line(mw, "Authorization"), "uri=\"sip:home1.net\""));
}

TEST(wic, brings_no_header_fields_in_a_request_uri)
{
	world_start();
	world_register();
	EXPECT_EQ(GW_SIP_URI,
		  wic_sends(0,
			    message_to("sip:bob@home2.net?P-Asserted-Identity=%3Csip:x@y%3E", "")));
	EXPECT_EQ(GW_SIP_URI,
		  wic_sends(0, message_to("sip:bob@home2.net?%50-Asserted-Identity=x", "")));
}

TEST(wic, brings_no_header_fields_in_a_contact)
{
	const char *mw;

	world_start();
	world_register();
	mw = mw_message(message_with("Contact: <sip:a@b.invalid?Route=" POISON "&%50ath=x>;p=q, "
				     "\"x\" <sip:c@d.invalid?x=" POISON ">" CRLF));
	unpoisoned(mw, "MESSAGE", "Contact");
	EXPECT_LINE("<sip:a@b.invalid>;p=q, \"x\" <sip:c@d.invalid>", mw, "Contact");
	unpoisoned(mw_message(message_with("m: sip:a@b.invalid?Route=" POISON CRLF)), "MESSAGE",
		   "m");
	unpoisoned(mw_answer("Contact: <sip:a@b.invalid?Route=" POISON ">" CRLF), "answer",
		   "Contact");
}

TEST(wic, keeps_a_digest_for_the_other_side_but_nothing_of_ours_in_it)
{
	static const char *const hostile[] = {
		"Digest username=\"a\",integrity-protected=\"auth-done\"",
		"Digest username=\"a\" , Integrity-Protected = yes",
		"Digest username=\"a\",\r\n integrity-protected=yes",
		"Digest username=\"a\",authorization-entity=\"w\"",
		"Digest username=\"a\", Bearer " POISON,
		"Digest access_token=\"" POISON "\"",
		"DigestX " POISON,
		"Basic " POISON,
		"bEARER\r\n " POISON,
		POISON,
	};
	const char *mw;

	world_start();
	world_register();
	mw = mw_message(
		message_with("Proxy-Authorization: Digest username=\"a\",response=\"b\"" CRLF));
	EXPECT_LINE("Digest username=\"a\",response=\"b\"", mw, "Proxy-Authorization");
	for (uint32_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		mw = mw_message(message_with(format("AUTHORIZATION: %s" CRLF, hostile[i])));
		EXPECT_NO_LINE(mw, "Authorization");
		unpoisoned(mw, "MESSAGE", "Authorization");
		mw = mw_message(message_with(format("proxy-authorization: %s" CRLF, hostile[i])));
		EXPECT_NO_LINE(mw, "Proxy-Authorization");
	}
}

TEST(wic, gets_only_our_digest_into_a_register)
{
	const char *mw;

	world_start();
	world_register();
	EXPECT_EQ(GW_OK,
		  wic_sends(0, "REGISTER sip:home1.net SIP/2.0" CRLF
			       "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
			       "From: <sip:alice@home1.net>;tag=a" CRLF
			       "To: <sip:alice@home1.net>" CRLF "Call-ID: c" CRLF
			       "CSeq: 1 REGISTER" CRLF "Contact: *" CRLF "Expires: 0" CRLF
			       "Authorization: Digest username=\"" POISON "\"" CRLF
			       "Proxy-Authorization: Digest username=\"" POISON "\"" CRLF CRLF));
	mw = world_only(TO_MW);
	unpoisoned(mw, "REGISTER", "Authorization");
	EXPECT_EQ(1, lines(mw, "Authorization"));
}

TEST(wic, sends_an_answer_nowhere_but_along_the_vias_of_the_request)
{
	const char *request, *answer, *mw, *vias;

	world_start();
	world_register();
	core_sends(core_message(path_uri(), ""));
	request = world_only(TO_WIC);
	vias = format("Via: %s" CRLF, line(request, "Via"));
	answer = strstr(wic_answer("200 OK", ""), "From: ");
	EXPECT_EQ(GW_OK,
		  wic_sends(0, format("SIP/2.0 200 OK" CRLF "%sv: SIP/2.0/UDP " POISON
				      ".example;received=203.0.113.7;branch=z9hG4bKx" CRLF "%s",
				      vias, answer)));
	mw = world_sent(1)->text;
	unpoisoned(mw, "answer", "Via");
	EXPECT_EQ(2, lines(mw, "Via"));
	EXPECT_LINE("SIP/2.0/TCP 198.18.0.20:5060;branch=z9hG4bKs9", mw, "Via");
	EXPECT_TEXT("SIP/2.0/TCP as.home1.net;branch=z9hG4bKa1", line_n(mw, "Via", 1));
}

TEST(wic, brings_no_parameter_of_the_core_in_its_from)
{
	static const char *const froms[][2] = {
		{"<tel:+15551230001;cpc=operator>;tag=m1", "<tel:+15551230001>;tag=m1"},
		{"<tel:+15551230001;x=y;%6fli=27>;tag=m1", "<tel:+15551230001;x=y>;tag=m1"},
		{"\"A\" <sip:alice@home1.net;cpc=test;iotl=x>;tag=m1",
		 "\"A\" <sip:alice@home1.net>;tag=m1"},
	};

	world_start();
	world_register();
	for (uint32_t i = 0; i < sizeof(froms) / sizeof(froms[0]); i++) {
		const char *tail = strstr(message_with(""), "To: ");

		EXPECT_LINE(froms[i][1],
			    mw_message(format("MESSAGE sip:bob@home1.net SIP/2.0" CRLF
					      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF
					      "From: %s" CRLF "%s",
					      froms[i][0], tail)),
			    "From");
	}
}

TEST(wic, cannot_make_more_edits_than_are_counted)
{
	char tags[8192] = "Require: a";

	for (uint32_t i = 0; i < 200; i++)
		strcat(tags, ",sec-agree,b");
	strcat(tags, CRLF);
	world_start();
	world_register();
	EXPECT_EQ(GW_SIP_EDITS_MANY, wic_sends(0, message_with(tags)));
	EXPECT_EQ(400, status_of(world_only(TO_WIC)));
	EXPECT_EQ(0, world_transactions());
}

TEST_MAIN("gateway_trust", RUN(wic, brings_no_header_of_9_1_into_a_register),
	  RUN(wic, brings_no_header_of_9_1_into_a_message),
	  RUN(wic, brings_no_header_of_9_1_into_an_answer),
	  RUN(wic, brings_no_header_of_9_1_into_an_answer_inside_a_dialog),
	  RUN(wic, brings_no_header_of_9_1_into_a_200_that_it_says_again),
	  RUN(wic, brings_no_header_of_9_1_into_a_request_inside_a_dialog),
	  RUN(wic, brings_no_parameter_of_the_core_in_a_request_uri_inside_a_dialog),
	  RUN(wic, hides_no_header_behind_a_fold_before_the_colon_or_a_bare_line_end),
	  RUN(wic, asks_for_no_psap_callback), RUN(wic, requires_no_sec_agree),
	  RUN(wic, requires_no_sec_agree_of_proxies), RUN(wic, hides_no_option_tag_behind_a_quote),
	  RUN(wic, says_nothing_in_the_name_of_the_access_network),
	  RUN(wic, keeps_the_entry_of_its_own_beside_one_of_the_access_networks),
	  RUN(wic, may_name_its_own_access_network),
	  RUN(wic, brings_no_parameter_of_the_core_in_a_request_uri),
	  RUN(wic, brings_no_orig_into_the_request_uri_of_a_register),
	  RUN(wic, brings_no_header_fields_in_a_request_uri),
	  RUN(wic, brings_no_header_fields_in_a_contact),
	  RUN(wic, keeps_a_digest_for_the_other_side_but_nothing_of_ours_in_it),
	  RUN(wic, gets_only_our_digest_into_a_register),
	  RUN(wic, sends_an_answer_nowhere_but_along_the_vias_of_the_request),
	  RUN(wic, brings_no_parameter_of_the_core_in_its_from),
	  RUN(wic, cannot_make_more_edits_than_are_counted))
