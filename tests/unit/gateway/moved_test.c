/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

#include "gateway/internal.h"

/* A WIC that is back on another worker while a request to it is under way: what is about that
 * request finds it where the WIC was (RFC 3261 9.2, 17.2.3). */

#define WINDOW ((185 + 32) * S) /* timer C, and 64*T1 */

static const struct handle far_flow = {.worker = 1, .slot = 3, .generation = 9};

/** Another flow of alice, on worker 1, has her home entry. */
static void moves_away(const struct home_key *key)
{
	struct message_attach a = {
		.head = {MESSAGE_ATTACH, sizeof(a)},
		.stage = ATTACH_BOUND,
		.key = *key,
		.outbound = true,
		.core_s = 600,
		.asked_us = world.now_us,
		.flow = far_flow,
		.binding = {.worker = 1, .slot = 4, .generation = 9},
	};

	gateway_home_message(world.gw, &a.head);
	world_forget();
}

/** bob's request of this INVITE's transaction. */
static const char *beside(const struct call *c, const char *invite, const char *method)
{
	const char *branch = keep(branch_of(invite));

	return of_core(&(struct says){.method = method,
				      .branch = branch + strlen("z9hG4bK"),
				      .to = "<sip:alice@home1.net>;tag=w1",
				      .cseq = (uint32_t)strtoul(line(invite, "CSeq"), NULL, 10),
				      .lines = c->backward});
}

/** bob's re-INVITE rings; then alice is on worker 1. */
static struct call moved(enum mw_transport transport, const char **invite)
{
	struct home_key key;
	struct call c;

	call_world(transport);
	key = world.wic[0].home_key;
	c = bob_called();
	world_wait(40 * S);
	world_forget();
	*invite = keep(bob_in_call(&c, "INVITE", ""));
	core_sends(*invite);
	EXPECT_EQ(GW_OK, wic_sends(0, answer_of(keep(only_of(TO_WIC, "INVITE ")), "180 Ringing",
						"w1", "")));
	alice_goes();
	moves_away(&key);
	return c;
}

/** The only message went to this worker for that flow. */
static void handed_on(uint16_t worker, struct handle flow)
{
	const struct message_deliver *m = (const void *)world_sent(0)->head;

	EXPECT_EQ(1, world.count);
	EXPECT_EQ(TO_WORKER, world_sent(0)->to);
	EXPECT_EQ(worker, world_sent(0)->worker);
	EXPECT_EQ(MESSAGE_DELIVER, m->head.kind);
	EXPECT(handle_equal(flow, m->flow));
	world_forget();
}

TEST_BOTH(moved, wics_request_is_cancelled_where_it_was)
{
	const char *invite;
	struct call c = moved(transport, &invite);

	core_sends(beside(&c, invite, "CANCEL"));
	EXPECT_EQ(2, world.count);
	EXPECT_EQ(200, status_of(nth_to(TO_SOURCE, 0)->text));
	EXPECT_EQ(487, status_of(nth_to(TO_SOURCE, 1)->text));
	world_forget();
	core_sends(beside(&c, invite, "ACK"));
	EXPECT_EQ(0, world.count);
	world_wait(300 * S);
	EXPECT_EQ(0, world_transactions());
}

TEST_BOTH(moved, wics_request_is_not_asked_again_where_it_is_now)
{
	const char *invite;

	(void)moved(transport, &invite);
	core_sends(invite);
	EXPECT_EQ(100, status_of(world_only(TO_SOURCE)));
}

TEST_BOTH(moved, wic_gets_what_is_new_where_it_is_now)
{
	const char *invite;
	struct call c = moved(transport, &invite);

	core_sends(bob_in_call(&c, "UPDATE", ""));
	handed_on(1, far_flow);
	core_sends(bob_in_call(&c, "ACK", "")); /* of a 2xx */
	handed_on(1, far_flow);
	core_sends(beside(&c, bob_in_call(&c, "INVITE", ""), "CANCEL"));
	handed_on(1, far_flow); /* it may be that worker's */
}

/** The home is here; the WIC was on worker 1 and is back here. */
TEST_BOTH(moved, wics_old_worker_is_asked_first_for_as_long_as_it_may_know)
{
	struct home_key key;
	struct call c;

	call_world(transport);
	key = world.wic[0].home_key;
	c = bob_called();
	moves_away(&key);
	alice_returns();
	core_sends(bob_in_call(&c, "CANCEL", ""));
	handed_on(1, world.wic[1].flow);
	core_sends(bob_in_call(&c, "UPDATE", ""));
	handed_on(1, world.wic[1].flow);
	world_wait(WINDOW + MS);
	world_forget();
	core_sends(bob_in_call(&c, "UPDATE", ""));
	EXPECT(begins(world_only(TO_WIC), "UPDATE "));
}

/** And it has gone again: CANCEL and ACK go the same way, the rest is answered. */
TEST_BOTH(moved, wic_that_has_gone_again_is_still_looked_for_by_its_cancel)
{
	struct home_key key;
	struct call c;

	call_world(transport);
	key = world.wic[0].home_key;
	c = bob_called();
	moves_away(&key);
	alice_returns();
	wic_leaves(1);
	world_forget();
	core_sends(bob_in_call(&c, "CANCEL", ""));
	handed_on(1, world.wic[1].flow);
	core_sends(bob_in_call(&c, "UPDATE", ""));
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
}

/** This worker is the one between: what it does not know goes on. */
TEST_BOTH(moved, wics_request_passes_by_a_worker_that_does_not_know_it)
{
	const char *invite;
	struct call c = moved(transport, &invite);
	struct message_deliver d = {
		.head = {MESSAGE_DELIVER, sizeof(d)},
		.flow = far_flow,
		.source = world.source,
	};
	const char *info = keep(bob_in_call(&c, "INFO", ""));
	const char *cancel = keep(beside(&c, invite, "CANCEL"));

	gateway_delivered(world.gw, &d, span_text(info));
	handed_on(1, far_flow);
	gateway_delivered(world.gw, &d, span_text(invite));
	EXPECT_EQ(100, status_of(world_only(TO_SOURCE)));
	world_forget();
	gateway_delivered(world.gw, &d, span_text(cancel));
	EXPECT_EQ(200, status_of(nth_to(TO_SOURCE, 0)->text));
	EXPECT_EQ(487, status_of(nth_to(TO_SOURCE, 1)->text));
}

TEST_MAIN("gateway_moved", RUN_BOTH(moved, wics_request_is_cancelled_where_it_was),
	  RUN_BOTH(moved, wics_request_is_not_asked_again_where_it_is_now),
	  RUN_BOTH(moved, wic_gets_what_is_new_where_it_is_now),
	  RUN_BOTH(moved, wics_old_worker_is_asked_first_for_as_long_as_it_may_know),
	  RUN_BOTH(moved, wic_that_has_gone_again_is_still_looked_for_by_its_cancel),
	  RUN_BOTH(moved, wics_request_passes_by_a_worker_that_does_not_know_it))
