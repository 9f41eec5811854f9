/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

/* A REGISTER with a token of a pool, until the core has answered it: what is asked of its pair's
 * home worker, which is this test, and what becomes of the answer (PROTOCOL 6; docs/design.md,
 * Leases). */

/** The REGISTER went to the core, and nothing else did. */
static void goes_to_the_core(void)
{
	EXPECT_EQ(1, count_to(TO_MW));
	EXPECT(begins(last_to(TO_MW), "REGISTER sip:home1.net"));
	EXPECT_EQ(0, count_to(TO_WIC));
}

/** WIC 0 is answered with that, and can ask again. */
static const char *is_answered(uint32_t status)
{
	const char *answer = last_to(TO_WIC);

	EXPECT_EQ(status, status_of(answer));
	EXPECT_EQ(0, world_transactions());
	pool_nothing_waits();
	return answer;
}

static void is_cancelled(uint32_t generation)
{
	const struct message_lease_cancel *m = last_letter(MESSAGE_LEASE_CANCEL);

	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_CANCEL));
	EXPECT_EQ(pool_impi(), m->id.impi);
	EXPECT_EQ(generation, m->id.generation);
}

/* ---- asking --------------------------------------------------------------------------------- */

TEST(pool, register_asks_the_home_worker_of_its_pair_before_the_core)
{
	const struct message_lease_reserve *m;

	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(1, world.letters);
	m = last_letter(MESSAGE_LEASE_RESERVE);
	EXPECT_EQ(sizeof(*m), m->head.len);
	EXPECT_EQ(pool_impi(), m->impi);
	EXPECT(handle_equal(world.wic[0].flow, m->flow));
	EXPECT(m->terms.sub != 0);
	EXPECT_EQ(jti_hash(world.config.hash_key, world.issuer[0].iss, SPAN("t-1")), m->terms.jti);
	EXPECT_EQ(WORLD_WALL_S - 10, m->terms.iat_s);
	EXPECT_EQ(WORLD_WALL_S + 3000, m->terms.exp_s);
	EXPECT_EQ(world.now_us + 3000 * S, m->terms.exp_us);
	EXPECT_EQ(1, gateway_lease_waits(world.gw));
	EXPECT_EQ(0, world_transactions());
}

TEST(pool, users_are_told_apart_and_each_question_has_its_ticket)
{
	struct message_lease_reserve first;
	const struct message_lease_reserve *m = &first;

	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	first = *(const struct message_lease_reserve *)last_letter(MESSAGE_LEASE_RESERVE);
	home_refuses(GW_LEASE_BUSY, false, 0);
	EXPECT_EQ(GW_AGAIN, pool_asks_with(0, pool_token("u2", "t-9", -10, 3000)));
	m = last_letter(MESSAGE_LEASE_RESERVE);
	EXPECT(m->terms.sub != first.terms.sub);
	EXPECT(m->ticket != first.ticket);
}

TEST(pool, granted_register_goes_to_the_core_and_its_200_is_confirmed)
{
	const struct message_lease_confirm *m;

	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_grants(41);
	goes_to_the_core();
	EXPECT(!contains(last_to(TO_MW), "Bearer"));
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_CONFIRM));
	EXPECT_EQ(1, world_count(&world.counters.lease_granted));
	core_registers(600);
	(void)is_answered(200);
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_CONFIRM));
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_CANCEL));
	m = last_letter(MESSAGE_LEASE_CONFIRM);
	EXPECT_EQ(sizeof(*m), m->head.len);
	EXPECT_EQ(pool_impi(), m->id.impi);
	EXPECT_EQ(41, m->id.generation);
	EXPECT(handle_equal(world.wic[0].flow, m->flow));
	EXPECT(handle_equal(world.wic[0].binding, m->binding));
	EXPECT(m->contact != 0);
	EXPECT(m->instance != 0);
}

TEST(pool, confirm_names_no_instance_without_reg_id)
{
	const struct message_lease_confirm *m;

	pool_start(1);
	EXPECT_EQ(GW_AGAIN,
		  wic_sends(0, format("REGISTER sip:home1.net SIP/2.0" CRLF
				      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bKr1" CRLF
				      "From: <sip:alice@home1.net>;tag=a" CRLF
				      "To: <sip:alice@home1.net>" CRLF "Call-ID: c" CRLF
				      "CSeq: 1 REGISTER" CRLF "Contact: <sip:x@a.invalid>" CRLF
				      "Authorization: Bearer %s" CRLF CRLF,
				      pool_token("u1", "t-1", -10, 3000))));
	home_grants(41);
	core_answers("200 OK", "Contact: <sip:x@a.invalid>;expires=600" CRLF);
	m = last_letter(MESSAGE_LEASE_CONFIRM);
	EXPECT_EQ(0, m->instance);
	EXPECT(m->contact != 0);
}

TEST(pool, ring_that_is_full_is_503_at_once)
{
	pool_start(1);
	world.to_worker_err = GW_QUEUE_FULL;
	EXPECT_EQ(GW_LEASE_BUSY, pool_asks(0));
	EXPECT(line(is_answered(503), "Retry-After") != NULL);
	EXPECT_EQ(0, world.letters);
	EXPECT_EQ(1, world_count(&world.counters.lease_ring_full));
	world.to_worker_err = GW_OK;
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
}

/** What is kept for room goes first: a reserve never overtakes it. */
TEST(pool, register_does_not_overtake_what_waits_for_room)
{
	pool_start(1);
	pool_holds(0, 41);
	world.to_worker_err = GW_QUEUE_FULL;
	home_ends(LEASE_END_EXPIRED); /* release is kept */
	world.to_worker_err = GW_OK;
	EXPECT_EQ(GW_LEASE_BUSY, pool_asks(1));
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_RESERVE));
	world_wait(S);
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_RELEASE));
	EXPECT_EQ(GW_AGAIN, pool_asks(1));
}

/* ---- refused -------------------------------------------------------------------------------- */

TEST(pool, older_token_is_f24_with_the_time_until_it_may_be_had)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_refuses(GW_PAIR_IN_USE, false, 70);
	EXPECT_LINE("70", is_answered(403), "Retry-After");
	EXPECT_EQ(0, count_to(TO_MW));
	EXPECT_EQ(1, world_count(&world.counters.lease_refused));
	EXPECT_EQ(0, world_count(&world.counters.pool_conflicts));
	for (uint32_t i = 0; i < world.events; i++)
		EXPECT(world.event[i].what != EVENT_POOL_CONFLICT);
}

/** The event of that conflict, which names the site. */
static void conflict_is_told(enum gw_err err, uint32_t seconds)
{
	const struct message_event *event = NULL;

	for (uint32_t i = 0; i < world.events; i++)
		if (world.event[i].what == EVENT_POOL_CONFLICT)
			event = &world.event[i];
	assert_non_null(event);
	EXPECT_EQ(err, event->err);
	EXPECT_EQ(seconds, event->seconds);
	EXPECT_EQ(pool_impi(), event->impi_hash);
	EXPECT(handle_equal(world.wic[0].flow, event->handle));
	EXPECT_TEXT("shop", event->text);
	EXPECT_EQ(1, world_count(&world.counters.pool_conflicts));
}

TEST(pool, overlapping_token_of_another_user_is_f24_and_told_to_the_operator)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_refuses(GW_PAIR_IN_USE, true, 800);
	EXPECT_LINE("800", is_answered(403), "Retry-After");
	conflict_is_told(GW_PAIR_IN_USE, 800);
}

TEST(pool, jti_of_another_user_is_f16_and_told_to_the_operator)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_refuses(GW_TOKEN_JTI, true, 5);
	EXPECT(contains(line(is_answered(401), "WWW-Authenticate"), "invalid_token"));
	conflict_is_told(GW_TOKEN_JTI, 5);
}

TEST(pool, no_room_and_a_wait_in_vain_are_503)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_refuses(GW_LEASE_LIMIT, false, 0);
	EXPECT(line(is_answered(503), "Retry-After") != NULL);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_refuses(GW_LEASE_BUSY, false, 0);
	EXPECT(line(is_answered(503), "Retry-After") != NULL);
}

/* ---- answers that nobody waits for ---------------------------------------------------------- */

TEST(pool, home_worker_that_says_nothing_for_2_s_is_503_and_its_late_grant_is_given_back)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	world_wait(GATEWAY_VERDICT_US);
	EXPECT_EQ(GW_LEASE_BUSY, wic_goes_on(0)); /* the session's deadline */
	EXPECT(line(is_answered(503), "Retry-After") != NULL);
	home_grants(41);
	is_cancelled(41);
	EXPECT_EQ(0, count_to(TO_MW));
	EXPECT_EQ(0, world_count(&world.counters.lease_granted));
}

TEST(pool, grant_of_an_earlier_question_is_given_back)
{
	struct message_lease_reserve first;
	struct message_lease_granted m = {.head = {MESSAGE_LEASE_GRANTED, sizeof(m)}};

	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	first = *(const struct message_lease_reserve *)last_letter(MESSAGE_LEASE_RESERVE);
	(void)wic_goes_on(0);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	m.id = (struct lease_id){first.impi, 41};
	m.flow = first.flow;
	m.ticket = first.ticket;
	gateway_lease_message(world.gw, &m.head);
	world_leased();
	is_cancelled(41);
	EXPECT_EQ(0, count_to(TO_MW));
	home_grants(42);
	EXPECT_EQ(1, count_to(TO_MW));
}

TEST(pool, flow_that_ends_while_it_asks_gives_the_grant_back)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	wic_leaves(0);
	pool_nothing_waits();
	home_grants(41);
	is_cancelled(41);
	EXPECT_EQ(0, count_to(TO_MW));
}

TEST(pool, flow_that_ends_with_a_grant_in_hand_gives_it_back)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_says_granted(41, world.now_us + LEASE_RESERVED_US);
	wic_leaves(0);
	is_cancelled(41);
	world_turn();
	pool_nothing_waits();
	EXPECT_EQ(0, count_to(TO_MW));
}

TEST(pool, refusal_that_nobody_waits_for_is_ignored)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	wic_leaves(0);
	home_refuses(GW_PAIR_IN_USE, false, 70);
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(0, world_count(&world.counters.lease_refused));
}

/** A reload between question and answer takes its token's key away. */
TEST(pool, grant_is_given_back_when_the_token_is_believed_no_more)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	world_revoke("t-1");
	home_grants(41);
	(void)is_answered(401);
	is_cancelled(41);
	EXPECT_EQ(0, count_to(TO_MW));
}

TEST(pool, grant_that_comes_when_the_last_web_site_has_gone_is_given_back)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	world.config.wwsf = NULL;
	world.config.wwsf_count = 0;
	world.wic[0].disowned = true; /* as its session finds out */
	home_grants(41);
	(void)is_answered(403);
	is_cancelled(41);
	EXPECT_EQ(0, count_to(TO_MW));
}

TEST(pool, grant_is_kept_while_the_signature_is_checked_once_more)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	world_key_named("waf-1"); /* what was verified before is not known any more */
	home_grants(41);
	goes_to_the_core();
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_RESERVE));
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_CANCEL));
	core_registers(600);
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_CONFIRM));
}

TEST(pool, grant_is_given_back_when_the_signature_is_not_good_the_second_time)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	world_key_named("waf-1");
	world.verdict = GW_TOKEN_SIGNATURE;
	home_grants(41);
	(void)is_answered(401);
	is_cancelled(41);
	EXPECT_EQ(0, count_to(TO_MW));
}

/* ---- a REGISTER that was parked for its key ------------------------------------------------- */

static void parked_asks(void)
{
	pool_start(1);
	world_fetchable();
	EXPECT_EQ(GW_OK, pool_asks_with(0, token_of("{\"typ\":\"at+jwt\",\"alg\":\"ES256\","
						    "\"kid\":\"waf-2\"}",
						    pool_payload("u1", "t-1", -10, 3000))));
	world_forget();
	world_key_named("waf-2");
	world_fetched();
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_RESERVE));
	EXPECT_EQ(0, world.count);
	EXPECT_EQ(1, gateway_parked(world.gw));
	EXPECT_EQ(1, gateway_lease_waits(world.gw));
}

TEST(pool, parked_register_asks_too_and_goes_on_with_its_grant)
{
	parked_asks();
	home_grants(41);
	EXPECT_EQ(0, gateway_lease_waits(world.gw));
	world_turn();
	goes_to_the_core();
	core_registers(600);
	(void)is_answered(200);
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_CONFIRM));
}

TEST(pool, parked_register_is_refused_as_any)
{
	parked_asks();
	home_refuses(GW_PAIR_IN_USE, false, 70);
	world_turn();
	EXPECT_LINE("70", is_answered(403), "Retry-After");
}

TEST(pool, parked_register_waits_2_s_at_most)
{
	parked_asks();
	world_wait(GATEWAY_VERDICT_US + 10 * MS);
	(void)is_answered(503);
	home_grants(41);
	is_cancelled(41);
}

TEST(pool, parked_register_whose_flow_ends_gives_its_grant_back)
{
	parked_asks();
	wic_leaves(0);
	pool_nothing_waits();
	home_grants(41);
	is_cancelled(41);
}

TEST(pool, second_register_while_a_parked_one_asks_is_500)
{
	parked_asks();
	EXPECT_EQ(GW_REQUEST_PENDING,
		  wic_sends(0, register_sipjs(pool_token("u1", "t-2", 0, 3000), 600)));
	EXPECT_EQ(500, status_of(world_only(TO_WIC)));
	EXPECT_EQ(1, gateway_lease_waits(world.gw));
}

/* ---- at the core ---------------------------------------------------------------------------- */

TEST(pool, grant_of_what_the_core_refuses_is_given_back)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_grants(41);
	core_answers("403 Forbidden", "");
	(void)is_answered(403);
	is_cancelled(41);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
}

TEST(pool, grant_of_what_the_core_does_not_answer_is_given_back)
{
	pool_start(1);
	world_one_hop();
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_grants(41);
	world_wait(33 * S);
	is_cancelled(41);
	EXPECT_EQ(0, gateway_bindings(world.gw));
	pool_nothing_waits();
}

TEST(pool, grant_of_what_cannot_be_sent_is_given_back)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	world.to_mw_err = GW_MW_DOWN;
	home_grants(41);
	is_cancelled(41);
	pool_nothing_waits();
}

TEST(pool, second_register_while_one_is_at_the_core_is_500)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_grants(41);
	world_forget();
	EXPECT_EQ(GW_REQUEST_PENDING,
		  wic_sends(0, register_sipjs(pool_token("u1", "t-2", 0, 3000), 600)));
	EXPECT_EQ(500, status_of(world_only(TO_WIC)));
	EXPECT_EQ(0, world.letters);
	EXPECT_EQ(POOL_OPEN, world.wic[0].pool.state); /* the first goes on */
}

TEST(pool, two_hundred_behind_the_deadline_of_its_grant_is_undone)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_says_granted(41, world.now_us + 3 * S);
	world_leased();
	world_wait(3 * S);
	core_registers(600);
	EXPECT_EQ(503, status_of(last_to(TO_WIC)));
	is_cancelled(41);
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_CONFIRM));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(1, gateway_leaving(world.gw));
	world_wait(S);
	EXPECT_LINE("0", last_to(TO_MW), "Expires"); /* the core is told */
	EXPECT_EQ(POOL_IDLE, world.wic[0].pool.state);
}

TEST(pool, two_hundred_just_before_the_deadline_counts)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_says_granted(41, world.now_us + 3 * S);
	world_leased();
	world_wait(3 * S - 1);
	core_registers(600);
	(void)is_answered(200);
	EXPECT_EQ(1, letters_of(MESSAGE_LEASE_CONFIRM));
}

TEST(pool, two_hundred_for_a_flow_that_has_ended_is_confirmed_for_its_binding)
{
	const struct message_lease_confirm *m;

	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_grants(41);
	wic_leaves(0);
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_CANCEL));
	core_registers(600);
	m = last_letter(MESSAGE_LEASE_CONFIRM);
	EXPECT_EQ(41, m->id.generation);
	EXPECT(!handle_is_none(m->binding));
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_CANCEL));
}

TEST(pool, late_two_hundred_for_a_flow_that_has_ended_is_undone)
{
	pool_start(1);
	EXPECT_EQ(GW_AGAIN, pool_asks(0));
	home_says_granted(41, world.now_us + 3 * S);
	world_leased();
	wic_leaves(0);
	world_wait(3 * S);
	core_registers(600);
	is_cancelled(41);
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_CONFIRM));
	EXPECT_EQ(1, gateway_leaving(world.gw));
}

TEST(pool, two_hundred_behind_the_end_of_its_token_for_a_flow_that_has_ended_is_undone)
{
	pool_start(1);
	world.config.min_grant_s = 1;
	world_reload();
	EXPECT_EQ(GW_AGAIN, pool_asks_with(0, pool_token("u1", "t-1", -10, 5)));
	home_grants(41);
	wic_leaves(0);
	world_wait(6 * S);
	core_registers(600);
	is_cancelled(41);
	EXPECT_EQ(0, letters_of(MESSAGE_LEASE_CONFIRM));
	EXPECT_EQ(1, gateway_leaving(world.gw));
}

TEST_MAIN("gateway_pool", RUN(pool, register_asks_the_home_worker_of_its_pair_before_the_core),
	  RUN(pool, users_are_told_apart_and_each_question_has_its_ticket),
	  RUN(pool, granted_register_goes_to_the_core_and_its_200_is_confirmed),
	  RUN(pool, confirm_names_no_instance_without_reg_id),
	  RUN(pool, ring_that_is_full_is_503_at_once),
	  RUN(pool, register_does_not_overtake_what_waits_for_room),
	  RUN(pool, older_token_is_f24_with_the_time_until_it_may_be_had),
	  RUN(pool, overlapping_token_of_another_user_is_f24_and_told_to_the_operator),
	  RUN(pool, jti_of_another_user_is_f16_and_told_to_the_operator),
	  RUN(pool, no_room_and_a_wait_in_vain_are_503),
	  RUN(pool, home_worker_that_says_nothing_for_2_s_is_503_and_its_late_grant_is_given_back),
	  RUN(pool, grant_of_an_earlier_question_is_given_back),
	  RUN(pool, flow_that_ends_while_it_asks_gives_the_grant_back),
	  RUN(pool, flow_that_ends_with_a_grant_in_hand_gives_it_back),
	  RUN(pool, refusal_that_nobody_waits_for_is_ignored),
	  RUN(pool, grant_is_given_back_when_the_token_is_believed_no_more),
	  RUN(pool, grant_that_comes_when_the_last_web_site_has_gone_is_given_back),
	  RUN(pool, grant_is_kept_while_the_signature_is_checked_once_more),
	  RUN(pool, grant_is_given_back_when_the_signature_is_not_good_the_second_time),
	  RUN(pool, parked_register_asks_too_and_goes_on_with_its_grant),
	  RUN(pool, parked_register_is_refused_as_any),
	  RUN(pool, parked_register_waits_2_s_at_most),
	  RUN(pool, parked_register_whose_flow_ends_gives_its_grant_back),
	  RUN(pool, second_register_while_a_parked_one_asks_is_500),
	  RUN(pool, grant_of_what_the_core_refuses_is_given_back),
	  RUN(pool, grant_of_what_the_core_does_not_answer_is_given_back),
	  RUN(pool, grant_of_what_cannot_be_sent_is_given_back),
	  RUN(pool, second_register_while_one_is_at_the_core_is_500),
	  RUN(pool, two_hundred_behind_the_deadline_of_its_grant_is_undone),
	  RUN(pool, two_hundred_just_before_the_deadline_counts),
	  RUN(pool, two_hundred_for_a_flow_that_has_ended_is_confirmed_for_its_binding),
	  RUN(pool, late_two_hundred_for_a_flow_that_has_ended_is_undone),
	  RUN(pool, two_hundred_behind_the_end_of_its_token_for_a_flow_that_has_ended_is_undone))
