/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"
#include "gateway/internal.h"

/* A core that is reached over TLS: what goes to it says so, and names the ports that have it. */

TEST(tls, of_a_next_hop_is_named_in_via_and_path_of_a_register)
{
	const char *mw;

	world_start_tls();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT_EQ(MW_TLS, world_sent(0)->target.transport);
	EXPECT_EQ(5061, endpoint_port(&world_sent(0)->target.address));
	mw = world_sent(0)->text;
	EXPECT(begins(line(mw, "Via"), "SIP/2.0/TLS 192.0.2.10:5170;branch=z9hG4bK"));
	EXPECT_TEXT("@192.0.2.10:5170;transport=tls;lr;ob>", strchr(line(mw, "Path"), '@'));
}

TEST(tls, has_a_common_port_that_may_be_named_instead)
{
	world_start_tls();
	world.config.mw_advertise_common = true;
	world_reload();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	EXPECT(begins(line(world_sent(0)->text, "Via"), "SIP/2.0/TLS 192.0.2.10:5061;branch="));
}

TEST(tls, of_a_service_route_is_used_and_recorded_in_a_call_of_a_wic)
{
	struct call c;

	call_world(MW_TLS);
	c = alice_calls("");
	EXPECT_EQ(MW_TLS, nth_to(TO_MW, 0)->target.transport);
	EXPECT(begins(line(c.onward, "Via"), "SIP/2.0/TLS 192.0.2.10:5170;branch=z9hG4bK"));
	EXPECT(contains(line(c.onward, "Record-Route"), "@192.0.2.10:5170;transport=tls;lr;wd="));
}

TEST(tls, of_the_core_s_own_connection_is_recorded_in_a_call_for_a_wic)
{
	struct call c;

	call_world(MW_TLS);
	c = bob_calls("");
	EXPECT(begins(line(c.onward, "Via"), "SIP/2.0/WSS 192.0.2.10:"));
	EXPECT(contains(line(c.onward, "Record-Route"), "@192.0.2.10:5170;transport=tls;lr;wd="));
}

TEST(tls, carries_a_whole_call)
{
	struct call c;

	call_world(MW_TLS);
	c = alice_called();
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, alice_in_call(&c, "BYE", "")));
	EXPECT_EQ(MW_TLS, nth_to(TO_MW, 0)->target.transport);
	EXPECT(begins(line(last_to(TO_MW), "Via"), "SIP/2.0/TLS "));
}

TEST(tls, is_asked_for_by_options_in_the_uri)
{
	world_start_tls();
	world.config.mw_options_s = 30;
	world_reload();
	world_wait(2000000);
	EXPECT(begins(only_of(TO_MW, "OPTIONS sip:198.18.0.20:5061;transport=tls SIP/2.0"),
		      "OPTIONS"));
}

TEST(tls, is_what_a_uri_asks_for)
{
	static const struct {
		const char *uri;
		enum mw_transport transport;
		uint16_t port;
	} rows[] = {
		{"sip:198.18.0.30;transport=tls;lr", MW_TLS, 5061},
		{"sip:198.18.0.30:6061;transport=TLS;lr", MW_TLS, 6061},
		{"sips:198.18.0.30;lr", MW_TLS, 5061},
		{"sips:198.18.0.30:6061;transport=tcp;lr", MW_TLS, 6061},
		{"sip:198.18.0.30;transport=tcp;lr", MW_TCP, 5060},
		{"sip:198.18.0.30;lr", MW_UDP, 5060},
		{"sip:198.18.0.20:5061;lr", MW_TLS, 5061}, /* as the next hop is configured */
	};
	struct mw_target target;

	world_start_tls();
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT_EQ(GW_OK, target_of_route(world.gw, span_text(rows[i].uri), &target));
		EXPECT_EQ(rows[i].transport, target.transport);
		EXPECT_EQ(rows[i].port, endpoint_port(&target.address));
	}
}

TEST(tls, that_is_not_configured_leaves_the_request_to_the_next_hop)
{
	struct mw_target target;

	world_start();
	EXPECT_EQ(GW_OK, target_of_route(world.gw, SPAN("sip:198.18.0.30;transport=tls"), &target));
	EXPECT(endpoint_same_host(&world.hop[0].address, &target.address));
	EXPECT_EQ(GW_OK, target_of_route(world.gw, SPAN("sips:198.18.0.30"), &target));
	EXPECT(endpoint_same_host(&world.hop[0].address, &target.address));
}

TEST(tls, is_never_left_for_udp_or_tcp)
{
	struct mw_target target;

	world_start_tls();
	EXPECT_EQ(GW_OK,
		  target_of_route(world.gw, SPAN("sips:198.18.0.30;transport=udp"), &target));
	EXPECT_EQ(MW_TLS, target.transport); /* the next hop's */
	EXPECT_EQ(GW_OK, target_another(world.gw, &target));
	EXPECT_EQ(MW_TLS, target.transport);
}

TEST_MAIN("gateway_tls", RUN(tls, of_a_next_hop_is_named_in_via_and_path_of_a_register),
	  RUN(tls, has_a_common_port_that_may_be_named_instead),
	  RUN(tls, of_a_service_route_is_used_and_recorded_in_a_call_of_a_wic),
	  RUN(tls, of_the_core_s_own_connection_is_recorded_in_a_call_for_a_wic),
	  RUN(tls, carries_a_whole_call), RUN(tls, is_asked_for_by_options_in_the_uri),
	  RUN(tls, is_what_a_uri_asks_for),
	  RUN(tls, that_is_not_configured_leaves_the_request_to_the_next_hop),
	  RUN(tls, is_never_left_for_udp_or_tcp))
