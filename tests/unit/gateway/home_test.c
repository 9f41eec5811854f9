/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

/* Home entries, on this worker and on the other one: PROTOCOL 10.1 kind 2, 10.3, 10.5. */

#define S 1000000ull

static const struct handle far_flow = {.worker = 1, .slot = 3, .generation = 9};
static const struct handle far_binding = {.worker = 1, .slot = 4, .generation = 9};
static const struct home_key far_key = {.impi = 44, .instance = 55}; /* at home on worker 0 */

static const struct message_head *letter(uint32_t n, enum message_kind kind)
{
	const struct message_head *head = (const void *)world.letter[n].bytes;

	assert_true(n < world.letters);
	EXPECT_EQ(kind, head->kind);
	EXPECT_EQ(1, world.letter[n].worker);
	return head;
}

static struct message_attach far_attach(enum attach_stage stage)
{
	return (struct message_attach){
		.head = {MESSAGE_ATTACH, sizeof(struct message_attach)},
		.stage = stage,
		.key = far_key,
		.contact = 66,
		.outbound = true,
		.core_s = 600,
		.flow = far_flow,
		.binding = far_binding,
	};
}

static void tell(const struct message_attach *a)
{
	gateway_home_message(world.gw, &a->head);
}

static void detach(enum detach_what what, struct handle flow, struct handle binding)
{
	struct message_detach d = {
		.head = {MESSAGE_DETACH, sizeof(d)},
		.what = what,
		.key = far_key,
		.flow = flow,
		.binding = binding,
		.grace_s = 30,
	};

	gateway_home_message(world.gw, &d.head);
}

/** A registration of the other worker is at home here. */
static struct handle far_home(void)
{
	struct message_attach a = far_attach(ATTACH_BOUND);

	tell(&a);
	return ((const struct message_attached *)letter(world.letters - 1, MESSAGE_ATTACHED))->home;
}

/** The core's request by way of a home entry, inside a dialog when tag is ";tag=x". */
static void core_says(const char *method, struct handle home, const char *tag)
{
	struct flow_token named = {FLOW_HOME, home};
	uint8_t token[FLOW_TOKEN_LEN];
	struct writer out;

	writer_init(&out, token, sizeof(token));
	flow_token_write(world.gw, &named, SPAN(""), &out);
	EXPECT(writer_ok(&out));
	world_forget();
	core_sends(format("%s sip:x@a.invalid SIP/2.0" CRLF
			  "Via: SIP/2.0/TCP 198.18.0.20:5060;branch=z9hG4bKs9" CRLF
			  "Route: <sip:%.*s@192.0.2.10:5070;lr>" CRLF
			  "From: <sip:bob@home1.net>;tag=c9" CRLF "To: <sip:alice@home1.net>%s" CRLF
			  "Call-ID: c9@home1.net" CRLF "CSeq: 4 %s" CRLF CRLF,
			  method, FLOW_TOKEN_LEN, (const char *)token, tag, method));
}

static void core_pages(struct handle home, const char *tag)
{
	core_says("MESSAGE", home, tag);
}

/* ---- this worker is the home ---------------------------------------------------------------- */

TEST(home, is_named_to_who_attaches_and_is_the_same_each_time)
{
	struct handle home;
	const struct message_attached *m;

	world_start();
	home = far_home();
	EXPECT(!handle_is_none(home));
	EXPECT_EQ(0, home.worker);
	m = (const void *)letter(0, MESSAGE_ATTACHED);
	EXPECT(handle_equal(far_flow, m->flow));
	EXPECT_EQ(far_key.instance, m->key.instance);
	EXPECT(handle_equal(home, far_home()));
	EXPECT_EQ(2, world.letters); /* nobody has lost anything */
	EXPECT_EQ(1, gateway_homes(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.home_live));
}

TEST(home, without_a_flow_has_cancel_and_ack_looked_for_where_the_flow_was)
{
	static const char *const methods[] = {"CANCEL", "ACK"};
	struct handle home;

	world_start();
	home = far_home();
	detach(DETACH_FLOW, far_flow, handle_none());
	for (uint32_t i = 0; i < 2; i++) {
		core_says(methods[i], home, ";tag=x");
		EXPECT_EQ(1, world.count);
		EXPECT_EQ(TO_WORKER, world_sent(0)->to);
		EXPECT_EQ(1, world_sent(0)->worker);
		EXPECT(handle_equal(
			far_flow,
			((const struct message_deliver *)(const void *)world_sent(0)->head)->flow));
	}
	core_says("BYE", home, ";tag=x");
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
}

TEST(home, goes_over_to_the_next_flow_of_its_key)
{
	struct message_attach next = far_attach(ATTACH_BOUND);
	const struct message_ended *m;
	struct handle home;

	world_start();
	home = far_home();
	next.flow.generation = next.binding.generation = 10;
	tell(&next);
	m = (const void *)letter(1, MESSAGE_ENDED);
	EXPECT_EQ(ENDED_REPLACED, m->why);
	EXPECT(handle_equal(far_flow, m->flow));
	EXPECT(handle_equal(far_binding, m->binding));
	EXPECT(handle_equal(home,
			    ((const struct message_attached *)letter(2, MESSAGE_ATTACHED))->home));
	detach(DETACH_FLOW, far_flow, handle_none());  /* the old one's, late: */
	detach(DETACH_BINDING, far_flow, far_binding); /* not its own any more */
	core_pages(home, ";tag=x");
	EXPECT_EQ(10, ((const struct message_deliver *)(const void *)world_sent(0)->head)
			      ->flow.generation);
}

TEST(home, knows_when_the_core_holds_both_contacts)
{
	struct message_attach next = far_attach(ATTACH_BOUND);

	world_start();
	(void)far_home();
	next.flow.generation = next.binding.generation = 10;
	next.outbound = false;
	next.contact = 67;
	tell(&next);
	EXPECT_EQ(ENDED_BESIDE, ((const struct message_ended *)letter(1, MESSAGE_ENDED))->why);
}

TEST(home, asks_who_holds_the_key_to_wait_for_a_register)
{
	struct message_attach next = far_attach(ATTACH_ASKED);
	const struct message_ended *m;

	world_start();
	tell(&next);
	EXPECT_EQ(0, world.letters);
	EXPECT_EQ(1, gateway_homes(world.gw));
	world_wait(37 * S); /* its REGISTER has ended by then */
	EXPECT_EQ(0, gateway_homes(world.gw));
	(void)far_home();
	next.flow.generation = 10;
	next.binding = handle_none();
	tell(&next);
	m = (const void *)letter(1, MESSAGE_ENDED);
	EXPECT_EQ(ENDED_HOLD, m->why);
	EXPECT(handle_equal(far_binding, m->binding));
}

/** The core may have stored the newer REGISTER already when its answer to the older one comes. */
TEST(home, has_a_late_200_wait_for_a_newer_register)
{
	struct message_attach next = far_attach(ATTACH_ASKED), late = far_attach(ATTACH_LOST);
	const struct message_ended *m;

	world_start();
	next.flow.generation = 10;
	tell(&next);
	tell(&late);
	m = (const void *)letter(0, MESSAGE_ENDED);
	EXPECT_EQ(ENDED_HOLD, m->why);
	EXPECT(handle_equal(far_binding, m->binding));
	next.stage = ATTACH_BOUND;
	next.binding.generation = 10;
	tell(&next);
	m = (const void *)letter(1, MESSAGE_ENDED);
	EXPECT_EQ(ENDED_REPLACED, m->why);
	EXPECT(handle_equal(far_binding, m->binding));
}

TEST(home, keeps_half_of_the_table_from_what_is_only_asked_for)
{
	struct message_attach a = far_attach(ATTACH_ASKED);

	world_start(); /* 8 homes */
	for (uint32_t i = 0; i < 9; i++) {
		a.key.instance = i;
		tell(&a);
	}
	EXPECT_EQ(4, gateway_homes(world.gw));
	EXPECT_EQ(0, world_count(&world.counters.home_refused));
}

TEST(home, is_not_taken_by_a_registration_whose_flow_had_ended)
{
	struct message_attach late = far_attach(ATTACH_LOST);
	const struct message_ended *m;

	world_start();
	(void)far_home();
	late.flow.generation = late.binding.generation = 8;
	tell(&late);
	m = (const void *)letter(1, MESSAGE_ENDED);
	EXPECT(handle_equal(late.binding, m->binding));
	EXPECT_EQ(ENDED_REPLACED, m->why);
	EXPECT_EQ(2, world.letters);
}

TEST(home, waits_for_the_binding_and_for_the_grace)
{
	world_start();
	(void)far_home();
	detach(DETACH_FLOW, far_flow, handle_none());
	world_wait(40 * S);
	EXPECT_EQ(1, gateway_homes(world.gw)); /* the core may hold the binding */
	detach(DETACH_BINDING, far_flow, far_binding);
	EXPECT_EQ(0, gateway_homes(world.gw));

	(void)far_home();
	detach(DETACH_BINDING, far_flow, far_binding);
	world_wait(700 * S);
	EXPECT_EQ(1, gateway_homes(world.gw)); /* D-36: the flow is open */
	detach(DETACH_FLOW, far_flow, handle_none());
	world_wait(29 * S);
	EXPECT_EQ(1, gateway_homes(world.gw));
	world_wait(2 * S);
	EXPECT_EQ(0, gateway_homes(world.gw));
	detach(DETACH_FLOW, far_flow, handle_none());
	EXPECT_EQ(0, world_count(&world.counters.home_live));
}

TEST(home, ends_with_the_cores_own_end_when_nobody_says_so)
{
	world_start();
	(void)far_home();
	detach(DETACH_FLOW, far_flow, handle_none());
	world_wait(599 * S);
	EXPECT_EQ(1, gateway_homes(world.gw));
	world_wait(2 * S);
	EXPECT_EQ(0, gateway_homes(world.gw));
}

TEST(home, is_refused_when_the_table_is_full)
{
	struct message_attach a = far_attach(ATTACH_BOUND);

	world_start(); /* 4 bindings, 8 homes */
	for (uint32_t i = 0; i < 9; i++) {
		a.key.instance = i;
		a.flow.slot = i;
		tell(&a);
	}
	EXPECT_EQ(8, world.letters);
	EXPECT_EQ(8, gateway_homes(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.home_refused));
}

/* ---- the core's requests -------------------------------------------------------------------- */

TEST(request, for_a_home_goes_to_the_flow_on_the_other_worker)
{
	struct handle home;

	world_start();
	home = far_home();
	core_pages(home, ";tag=x");
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(TO_WORKER, world_sent(0)->to);
	EXPECT_EQ(MESSAGE_DELIVER,
		  ((const struct message_head *)(const void *)world_sent(0)->head)->kind);
	EXPECT(handle_equal(
		far_flow,
		((const struct message_deliver *)(const void *)world_sent(0)->head)->flow));
}

TEST(request, for_a_home_goes_to_the_wic_of_this_worker)
{
	world_start();
	world_register();
	core_pages(home_of(&world.wic[0]), "");
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(TO_WIC, world_sent(0)->to);
	EXPECT_NO_LINE(world_sent(0)->text, "Route");
}

TEST(request, for_a_home_follows_a_reconnect)
{
	struct handle home;

	world_start();
	world_register();
	home = home_of(&world.wic[0]);
	wic_leaves(0);
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	core_pages(home, ";tag=x");
	EXPECT_EQ(TO_WIC, world_sent(0)->to);
	EXPECT(handle_equal(world.wic[1].flow, world_sent(0)->flow));
}

TEST(request, for_a_home_of_the_other_worker_is_handed_to_it)
{
	static const struct handle home = {.worker = 1, .slot = 7, .generation = 1};
	const struct message_deliver_home *m;

	world_start();
	core_pages(home, ";tag=x");
	m = (const void *)world_sent(0)->head;
	EXPECT_EQ(MESSAGE_DELIVER_HOME, m->head.kind);
	EXPECT(handle_equal(home, m->home));
	EXPECT_EQ(m->head.len, sizeof(*m) + world_sent(0)->len);
	EXPECT_EQ(1, world_count(&world.counters.deliver_out));
	world.to_worker_err = GW_QUEUE_FULL;
	core_pages(home, ";tag=x");
	EXPECT_EQ(503, status_of(world_only(TO_SOURCE)));
	world.source.transport = MW_UDP;
	core_pages(home, ";tag=x");
	EXPECT_EQ(0, world.count); /* the core sends it again */
}

TEST(request, that_the_other_worker_took_in_for_a_home_is_delivered)
{
	struct message_deliver_home head = {.head = {MESSAGE_DELIVER_HOME, sizeof(head)}};
	struct handle home;

	world_start();
	world_register();
	home = home_of(&world.wic[0]);
	core_pages((struct handle){.worker = 1, .slot = home.slot, .generation = home.generation},
		   "");
	head = *(const struct message_deliver_home *)(const void *)world_sent(0)->head;
	/* the token names the other worker's; what counts is what its head says */
	head.home = home;
	gateway_delivered_home(world.gw, &head, span_text(world_sent(0)->text));
	EXPECT_EQ(2, world.count); /* its own token is another's: not delivered (PROTOCOL 6.6) */
	EXPECT_EQ(480, status_of(world_sent(1)->text));
	gateway_delivered_home(world.gw, &head, SPAN("nonsense"));
	EXPECT_EQ(1, world_count(&world.counters.errors[GW_INVARIANT]));
}

TEST(request, in_a_dialog_may_be_tried_again_within_the_grace_and_not_after)
{
	struct handle home;

	world_start();
	world_register();
	home = home_of(&world.wic[0]);
	wic_leaves(0);
	core_pages(home, ";tag=x");
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
	world_wait(31 * S);
	core_pages(home, ";tag=x");
	EXPECT_EQ(481, status_of(world_only(TO_SOURCE)));
	core_pages(home, "");
	EXPECT_EQ(430, status_of(world_only(TO_SOURCE)));
}

TEST(request, for_a_home_that_has_ended_or_never_was_is_for_nobody)
{
	struct handle home;

	world_start();
	home = far_home();
	detach(DETACH_FLOW, far_flow, handle_none());
	detach(DETACH_BINDING, far_flow, far_binding);
	world_wait(31 * S);
	core_pages(home, ";tag=x");
	EXPECT_EQ(481, status_of(world_only(TO_SOURCE)));
	core_pages(home, "");
	EXPECT_EQ(480, status_of(world_only(TO_SOURCE)));
	home.worker = 2;
	core_pages(home, ";tag=x");
	EXPECT_EQ(481, status_of(world_only(TO_SOURCE)));
}

/* ---- the other worker is the home ----------------------------------------------------------- */

static void registered_far(void)
{
	world_start();
	world_home(1);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_registers(600);
}

static void attached_far(struct home_key key)
{
	struct message_attached m = {
		.head = {MESSAGE_ATTACHED, sizeof(m)},
		.key = key,
		.flow = world.wic[0].flow,
		.home = {.worker = 1, .slot = 2, .generation = 3},
	};

	gateway_home_message(world.gw, &m.head);
}

static void ended_far(enum ended_why why)
{
	const struct message_attach *a = (const void *)letter(1, MESSAGE_ATTACH);
	struct message_ended m = {
		.head = {MESSAGE_ENDED, sizeof(m)},
		.why = why,
		.key = a->key,
		.flow = a->flow,
		.binding = a->binding,
	};

	gateway_home_message(world.gw, &m.head);
}

TEST(flow, asks_its_home_and_attaches_when_the_core_has_said_200)
{
	const struct message_attach *asked, *bound;

	registered_far();
	EXPECT_EQ(2, world.letters);
	asked = (const void *)letter(0, MESSAGE_ATTACH);
	bound = (const void *)letter(1, MESSAGE_ATTACH);
	EXPECT_EQ(ATTACH_ASKED, asked->stage);
	EXPECT_EQ(ATTACH_BOUND, bound->stage);
	EXPECT_EQ(asked->key.instance, bound->key.instance);
	EXPECT(handle_equal(world.wic[0].flow, bound->flow));
	EXPECT(handle_equal(world.wic[0].binding, bound->binding));
	EXPECT(bound->outbound);
	EXPECT(handle_is_none(home_of(&world.wic[0])));
	attached_far((struct home_key){1, 1}); /* of somebody else: not believed */
	EXPECT(handle_is_none(home_of(&world.wic[0])));
	attached_far(bound->key);
	EXPECT_EQ(2, home_of(&world.wic[0]).slot);
}

TEST(flow, tells_its_home_of_its_end_and_of_its_bindings)
{
	const struct message_detach *flow, *binding;

	registered_far();
	wic_leaves(0);
	flow = (const void *)letter(2, MESSAGE_DETACH);
	EXPECT_EQ(DETACH_FLOW, flow->what);
	EXPECT_EQ(30, flow->grace_s);
	EXPECT(handle_equal(world.wic[0].flow, flow->flow));
	EXPECT(handle_is_none(home_of(&world.wic[0])));
	world_wait(31 * S);
	core_answers("200 OK", "");
	binding = (const void *)letter(3, MESSAGE_DETACH);
	EXPECT_EQ(DETACH_BINDING, binding->what);
	EXPECT_EQ(4, world.letters);
	attached_far(flow->key); /* too late: nobody is there */
}

TEST(flow, keeps_its_home_when_its_registration_ends)
{
	registered_far();
	attached_far(((const struct message_attach *)letter(1, MESSAGE_ATTACH))->key);
	world_wait(601 * S);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(2, home_of(&world.wic[0]).slot); /* D-36 */
}

TEST(flow, whose_registration_is_taken_over_says_nothing_to_the_core)
{
	registered_far();
	world_forget();
	world.letters = 2;
	ended_far(ENDED_REPLACED);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(GW_BINDING_REPLACED, world.event[world.events - 1].err);
	world.letters = 2;
	wic_leaves(0);
	EXPECT_EQ(2, world.letters); /* the entry is not its own any more */
	ended_far(ENDED_REPLACED);
	EXPECT_EQ(1, world_count(&world.counters.binding_replaced));
}

TEST(flow, whose_contact_stays_beside_another_is_taken_from_the_core)
{
	registered_far();
	world_forget();
	world.letters = 2;
	ended_far(ENDED_BESIDE);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_LINE("0", world_only(TO_MW), "Expires");
}

TEST(message, that_is_none_about_homes_is_a_broken_invariant)
{
	struct message_head head = {MESSAGE_REPLY, sizeof(head)};

	world_start();
	gateway_home_message(world.gw, &head);
	EXPECT_EQ(1, world_count(&world.counters.invariant_broken));
}

/* ---- a full ring ---------------------------------------------------------------------------- */

TEST(outbox, keeps_what_finds_no_room_and_sends_it_in_order)
{
	world_start();
	world_home(1);
	world.to_worker_err = GW_QUEUE_FULL;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	wic_leaves(0);
	world_wait(20000);
	EXPECT_EQ(0, world.letters);
	EXPECT_EQ(3, world_count(&world.counters.outbox_kept));
	world.to_worker_err = GW_OK;
	world_wait(10000);
	EXPECT_EQ(3, world.letters);
	EXPECT_EQ(ATTACH_ASKED, ((const struct message_attach *)letter(0, MESSAGE_ATTACH))->stage);
	EXPECT_EQ(ATTACH_BOUND, ((const struct message_attach *)letter(1, MESSAGE_ATTACH))->stage);
	(void)letter(2, MESSAGE_DETACH);
	world_wait(S);
	EXPECT_EQ(3, world.letters);
}

TEST(outbox, overtakes_nothing)
{
	world_start();
	world_home(1);
	world.to_worker_err = GW_QUEUE_FULL;
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	world.to_worker_err = GW_OK;
	core_registers(600);
	EXPECT_EQ(0, world.letters);
	world_wait(10000);
	EXPECT_EQ(ATTACH_ASKED, ((const struct message_attach *)letter(0, MESSAGE_ATTACH))->stage);
	EXPECT_EQ(ATTACH_BOUND, ((const struct message_attach *)letter(1, MESSAGE_ATTACH))->stage);
}

TEST(outbox, drops_and_counts_what_it_has_no_room_for)
{
	struct message_attach a = far_attach(ATTACH_BOUND);

	world_start(); /* 80 places */
	world.to_worker_err = GW_QUEUE_FULL;
	for (uint32_t i = 0; i < 88; i++)
		tell(&a);
	EXPECT_EQ(80, world_count(&world.counters.outbox_kept));
	EXPECT_EQ(8, world_count(&world.counters.outbox_dropped));
	world.to_worker_err = GW_OK;
	world_wait(5000);
	EXPECT_EQ(64, world.letters); /* some at a time */
	world.letters = 0;
	world_wait(5000);
	EXPECT_EQ(16, world.letters);
}

TEST_MAIN("gateway_home", RUN(home, is_named_to_who_attaches_and_is_the_same_each_time),
	  RUN(home, without_a_flow_has_cancel_and_ack_looked_for_where_the_flow_was),
	  RUN(home, goes_over_to_the_next_flow_of_its_key),
	  RUN(home, knows_when_the_core_holds_both_contacts),
	  RUN(home, asks_who_holds_the_key_to_wait_for_a_register),
	  RUN(home, has_a_late_200_wait_for_a_newer_register),
	  RUN(home, keeps_half_of_the_table_from_what_is_only_asked_for),
	  RUN(home, is_not_taken_by_a_registration_whose_flow_had_ended),
	  RUN(home, waits_for_the_binding_and_for_the_grace),
	  RUN(home, ends_with_the_cores_own_end_when_nobody_says_so),
	  RUN(home, is_refused_when_the_table_is_full),
	  RUN(request, for_a_home_goes_to_the_flow_on_the_other_worker),
	  RUN(request, for_a_home_goes_to_the_wic_of_this_worker),
	  RUN(request, for_a_home_follows_a_reconnect),
	  RUN(request, for_a_home_of_the_other_worker_is_handed_to_it),
	  RUN(request, that_the_other_worker_took_in_for_a_home_is_delivered),
	  RUN(request, in_a_dialog_may_be_tried_again_within_the_grace_and_not_after),
	  RUN(request, for_a_home_that_has_ended_or_never_was_is_for_nobody),
	  RUN(flow, asks_its_home_and_attaches_when_the_core_has_said_200),
	  RUN(flow, tells_its_home_of_its_end_and_of_its_bindings),
	  RUN(flow, keeps_its_home_when_its_registration_ends),
	  RUN(flow, whose_registration_is_taken_over_says_nothing_to_the_core),
	  RUN(flow, whose_contact_stays_beside_another_is_taken_from_the_core),
	  RUN(message, that_is_none_about_homes_is_a_broken_invariant),
	  RUN(outbox, keeps_what_finds_no_room_and_sends_it_in_order),
	  RUN(outbox, overtakes_nothing), RUN(outbox, drops_and_counts_what_it_has_no_room_for))
