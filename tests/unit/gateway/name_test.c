/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/internal.h"
#include "world.h"

/** Alice is registered; her S-CSCF is scscf.home1.net. Nothing sent is left, nor what was asked. */
static void registered_by_name(const char *uri)
{
	world_start();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_answers("200 OK", format("Contact: %s;expires=600" CRLF "Service-Route: <%s>" CRLF
				      "P-Associated-URI: <sip:alice@home1.net>" CRLF,
				      OUR_CONTACT, uri));
}

#define SCSCF "sip:orig@SCSCF.home1.net;lr"

/** What control was asked for among what was sent, or NULL. */
static const struct message_peer_wanted *wanted(void)
{
	for (uint32_t i = 0; i < world.count; i++)
		if (world.sent[i].to == TO_WORKER)
			return (const void *)world.sent[i].head;
	return NULL;
}

/** Sends a MESSAGE of alice and gives what the core gets. */
static const struct sent *paged(void)
{
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	EXPECT_EQ(TO_MW, world_sent(world.count - 1)->to);
	return world_sent(world.count - 1);
}

static struct peer_address address(const char *text, enum next_hop_transport transport,
				   uint32_t priority, uint32_t weight)
{
	return (struct peer_address){world_endpoint(text), transport, priority, weight};
}

TEST(name, of_a_service_route_is_asked_for_at_the_200)
{
	registered_by_name(SCSCF);
	EXPECT(wanted() != NULL);
	EXPECT_EQ(MESSAGE_PEER_WANTED, wanted()->head.kind);
	EXPECT_EQ(sizeof(struct message_peer_wanted), wanted()->head.len);
	EXPECT_TEXT("SCSCF.home1.net", wanted()->name);
	EXPECT_EQ(15, wanted()->name_len);
	EXPECT_EQ(0, wanted()->port);
	EXPECT_EQ(NEXT_HOP_ANY, wanted()->transport);
	EXPECT_EQ(1, world_count(&world.counters.mw_names_wanted));
}

TEST(name, is_asked_for_with_its_port_and_transport)
{
	registered_by_name("sip:scscf.home1.net:5070;transport=tcp;lr");
	EXPECT_EQ(5070, wanted()->port);
	EXPECT_EQ(NEXT_HOP_TCP, wanted()->transport);
}

TEST(name, is_asked_for_once_in_a_second_and_not_when_it_is_known)
{
	struct peer_address known = address("198.18.0.30:5060", NEXT_HOP_TCP, 0, 0);

	registered_by_name(SCSCF);
	(void)paged();
	EXPECT(wanted() == NULL);
	world_wait(1000000);
	(void)paged();
	EXPECT(wanted() != NULL);
	world_name("scscf.home1.net", &known, 1);
	world_wait(1000000);
	(void)paged();
	EXPECT(wanted() == NULL);
}

TEST(name, that_is_not_known_leaves_the_request_to_the_next_hop_with_its_route)
{
	const struct sent *sent;

	registered_by_name(SCSCF);
	sent = paged();
	EXPECT(endpoint_same_host(&world.hop[0].address, &sent->target.address));
	EXPECT_LINE("<" SCSCF ">", sent->text, "Route");
}

TEST(name, that_nobody_has_leaves_the_request_to_the_next_hop_unasked)
{
	registered_by_name(SCSCF);
	world_name("scscf.home1.net", NULL, 0);
	world_wait(1000000);
	EXPECT(endpoint_same_host(&world.hop[0].address, &paged()->target.address));
	EXPECT(wanted() == NULL);
}

TEST(name, that_is_known_gets_the_request_itself)
{
	struct peer_address known = address("198.18.0.30:6060", NEXT_HOP_UDP, 0, 0);
	const struct sent *sent;

	registered_by_name(SCSCF);
	world_name("scscf.home1.net", &known, 1);
	sent = paged();
	EXPECT(endpoint_same_host(&known.address, &sent->target.address));
	EXPECT_EQ(6060, endpoint_port(&sent->target.address));
	EXPECT_EQ(MW_UDP, sent->target.transport);
	EXPECT_LINE("<" SCSCF ">", sent->text, "Route");
}

TEST(name, has_its_addresses_used_by_priority_and_weight)
{
	struct peer_address known[] = {address("198.18.0.31:5060", NEXT_HOP_TCP, 20, 9),
				       address("198.18.0.32:5060", NEXT_HOP_TCP, 10, 1),
				       address("198.18.0.33:5060", NEXT_HOP_TCP, 10, 3)};
	uint32_t got[3] = {0};
	struct mw_target target;

	world_start();
	world_name("scscf.home1.net", known, 3);
	for (uint32_t i = 0; i < 660; i++) {
		EXPECT_EQ(GW_OK, target_of_route(world.gw, SPAN(SCSCF), &target));
		for (uint32_t k = 0; k < 3; k++)
			got[k] += endpoint_same_host(&known[k].address, &target.address);
	}
	EXPECT_EQ(0, got[0]);
	EXPECT(got[1] > 100 && got[1] < 240);
	EXPECT_EQ(660, got[1] + got[2]);
}

TEST(name, with_an_address_that_is_down_uses_another_one)
{
	struct peer_address known[] = {address("198.18.0.20:5060", NEXT_HOP_TCP, 0, 1),
				       address("198.18.0.33:5060", NEXT_HOP_TCP, 9, 1)};
	struct mw_target target;

	world_start();
	world_name("scscf.home1.net", known, 2);
	world.hop_down[0] = true; /* which is that address */
	EXPECT_EQ(GW_OK, target_of_route(world.gw, SPAN(SCSCF), &target));
	EXPECT(endpoint_same_host(&known[1].address, &target.address));
}

TEST(name, of_a_next_hop_is_down_until_it_is_known)
{
	struct peer_address known[] = {address("198.18.0.40:5060", NEXT_HOP_TCP, 5, 0),
				       address("198.18.0.41:5060", NEXT_HOP_UDP, 6, 0)};
	struct mw_target target;

	world_start();
	world.hop[0] = (struct next_hop_config){.name = SPAN("icscf.home1.net"),
						.transport = NEXT_HOP_ANY,
						.priority = 1,
						.weight = 1};
	world_one_hop();
	EXPECT_EQ(GW_MW_DOWN, target_next_hop(world.gw, &target));
	world_name("icscf.home1.net", known, 2);
	EXPECT_EQ(GW_OK, target_next_hop(world.gw, &target));
	EXPECT(endpoint_same_host(&known[0].address, &target.address));
	EXPECT_EQ(GW_OK, target_another(world.gw, &target));
	EXPECT(endpoint_same_host(&known[1].address, &target.address));
	EXPECT_EQ(MW_UDP, target.transport);
	EXPECT_EQ(GW_MW_DOWN, target_another(world.gw, &target));
}

TEST(name, that_cannot_be_asked_for_now_is_asked_for_with_the_next_request)
{
	world_start();
	world.to_worker_err = GW_QUEUE_FULL;
	EXPECT_EQ(GW_OK, target_of_route(world.gw, SPAN(SCSCF), &(struct mw_target){0}));
	world.to_worker_err = GW_OK;
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(GW_OK, target_of_route(world.gw, SPAN(SCSCF), &(struct mw_target){0}));
	EXPECT(wanted() != NULL);
}

TEST_MAIN("gateway_name", RUN(name, of_a_service_route_is_asked_for_at_the_200),
	  RUN(name, is_asked_for_with_its_port_and_transport),
	  RUN(name, is_asked_for_once_in_a_second_and_not_when_it_is_known),
	  RUN(name, that_is_not_known_leaves_the_request_to_the_next_hop_with_its_route),
	  RUN(name, that_nobody_has_leaves_the_request_to_the_next_hop_unasked),
	  RUN(name, that_is_known_gets_the_request_itself),
	  RUN(name, has_its_addresses_used_by_priority_and_weight),
	  RUN(name, with_an_address_that_is_down_uses_another_one),
	  RUN(name, of_a_next_hop_is_down_until_it_is_known),
	  RUN(name, that_cannot_be_asked_for_now_is_asked_for_with_the_next_request))
