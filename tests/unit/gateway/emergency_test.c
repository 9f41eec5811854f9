/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

/* Emergency calls of a WIC: PROTOCOL 9.5 item 2, D-32. */

static const struct span numbers[] = {SPAN("112"), SPAN("+4930112"), SPAN("*99#")};

static void world_with_numbers(void)
{
	call_world(MW_TCP);
	world.config.emergency = (struct emergency_config){
		.number = numbers,
		.number_count = 3,
		.reason_xml = SPAN("Use a &lt;telephone&gt;"),
	};
}

/** What alice gets for an INVITE of this URI, which must not go on. */
static const char *refused(enum gw_err err, const char *uri)
{
	world_forget();
	EXPECT_EQ(err, wic_sends(0, of_alice(&(struct says){.uri = uri, .body = "v=0" CRLF})));
	EXPECT_EQ(0, count_to(TO_MW));
	return world_only(TO_WIC);
}

/** It is a call as any other. */
static void goes_on(const char *uri)
{
	static uint32_t next;

	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.method = "MESSAGE",
							      .uri = uri,
							      .branch = format("e%u", ++next)})));
	EXPECT(begins(only_of(TO_MW, "MESSAGE "), format("MESSAGE %s SIP/2.0", uri)));
	core_sends(answer_of(keep(last_to(TO_MW)), "200 OK", "b1", ""));
}

TEST(emergency, is_told_to_use_another_service_and_why)
{
	const char *answer;

	world_with_numbers();
	answer = refused(GW_SIP_EMERGENCY, "urn:service:sos.police");
	EXPECT_EQ(380, status_of(answer));
	EXPECT_LINE("application/3gpp-ims+xml", answer, "Content-Type");
	EXPECT(strstr(answer, CRLF CRLF "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" CRLF
					"<ims-3gpp version=\"1\"><alternative-service>"
					"<type>emergency</type>"
					"<reason>Use a &lt;telephone&gt;</reason>"
					"</alternative-service></ims-3gpp>" CRLF) != NULL);
	EXPECT_EQ(strlen(strstr(answer, CRLF CRLF)) - 4,
		  strtoul(line(answer, "Content-Length"), NULL, 10));
}

TEST(emergency, is_a_service_or_one_below_it)
{
	world_with_numbers();
	(void)refused(GW_SIP_EMERGENCY, "urn:service:sos");
	(void)refused(GW_SIP_EMERGENCY, "URN:Service:SOS.fire");
	(void)refused(GW_SIP_EMERGENCY, "urn:service:sos.ecall.manual");
	goes_on("urn:service:sosies");
	goes_on("urn:service:counseling.sos");
}

TEST(emergency, is_a_configured_number_in_every_spelling)
{
	static const char *const uris[] = {
		"tel:112",
		"TEL:1-1.2",
		"tel:(1)12;phone-context=+49",
		"sip:112@home1.net;user=phone",
		"sip:112@carrier.example;user=phone",
		"sip:112;phone-context=home1.net@carrier.example;USER=Phone",
		"sip:112@home1.net",
		"sip:112@HOME1.net:5060;transport=ws",
		"sip:%31%312@home1.net",
		"sip:112;phone-context=home1.net@home1.net;user=dialstring",
		"sips:112@home1.net",
		"tel:+49-30-112",
		"sip:+4930112@home1.net",
		"sip:*99%23@home1.net",
	};

	world_with_numbers();
	for (uint32_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++)
		EXPECT_EQ(380, status_of(refused(GW_SIP_EMERGENCY, uris[i])));
}

TEST(emergency, is_no_other_number_and_no_name)
{
	static const char *const uris[] = {
		"tel:1120",
		"tel:11",
		"tel:+112",
		"tel:5551;phone-context=112",
		"sip:0112@home1.net",
		"sip:112@carrier.example",
		"sip:112@carrier.example;user=ip",
		"sip:alice112@home1.net",
		"sip:home1.net",
		"sip:bob@home1.net;x=112",
	};

	world_with_numbers();
	for (uint32_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++)
		goes_on(uris[i]);
}

TEST(emergency, number_is_none_that_is_not_configured)
{
	call_world(MW_TCP);
	goes_on("tel:112");
	EXPECT_EQ(380, status_of(refused(GW_SIP_EMERGENCY, "urn:service:sos")));
}

TEST(emergency, needs_no_registration_to_be_told)
{
	world_with_numbers();
	world_forget();
	EXPECT_EQ(GW_SIP_EMERGENCY, wic_sends(1, of_alice(&(struct says){.uri = "tel:112"})));
	EXPECT_EQ(380, status_of(world_only(TO_WIC)));
}

TEST(emergency, is_forbidden_where_that_is_the_policy)
{
	const char *answer;

	world_with_numbers();
	world.config.emergency.policy = EMERGENCY_FORBIDDEN;
	answer = refused(GW_SIP_EMERGENCY_FORBIDDEN, "tel:112");
	EXPECT_EQ(403, status_of(answer));
	EXPECT_NO_LINE(answer, "Content-Type");
	EXPECT_LINE("0", answer, "Content-Length");
	EXPECT_EQ(403, status_of(refused(GW_SIP_EMERGENCY_FORBIDDEN, "urn:service:sos")));
}

TEST(emergency, goes_to_the_core_where_that_is_the_policy)
{
	world_with_numbers();
	world.config.emergency.policy = EMERGENCY_FORWARD;
	goes_on("tel:112");
	goes_on("urn:service:sos.police");
	world_forget();
	EXPECT_EQ(GW_NOT_REGISTERED, wic_sends(1, of_alice(&(struct says){.uri = "tel:112"})));
}

TEST_MAIN("gateway_emergency", RUN(emergency, is_told_to_use_another_service_and_why),
	  RUN(emergency, is_a_service_or_one_below_it),
	  RUN(emergency, is_a_configured_number_in_every_spelling),
	  RUN(emergency, is_no_other_number_and_no_name),
	  RUN(emergency, number_is_none_that_is_not_configured),
	  RUN(emergency, needs_no_registration_to_be_told),
	  RUN(emergency, is_forbidden_where_that_is_the_policy),
	  RUN(emergency, goes_to_the_core_where_that_is_the_policy))
