/* SPDX-License-Identifier: BSD-3-Clause */
#include "lent.h"

/* A gateway that has been restarted, and what it is given back. */

static struct message_journal kept[4];

/** What a run before has kept of this visitor, registered as the site's alice for 600 s. */
static struct message_journal kept_of(const char *sub)
{
	const struct visitor v = visitor(sub);

	lent_start();
	lent_registers(0, &v);
	return *told(0);
}

/** That run has ended; another begins with nothing. */
static void restart(void)
{
	uint8_t key = world.config.hash_key[0];

	lent_start();
	world.config.hash_key[0] = key;
}

static void restore(const struct message_journal *m)
{
	EXPECT_EQ(GW_OK, gateway_restore(world.gw, m));
}

/** Visitor a comes back to a gateway that was restarted, not yet. */
static struct handle restored_a(void)
{
	kept[0] = kept_of("a");
	restart();
	restore(&kept[0]);
	return kept[0].id;
}

static void expect_over(struct handle id)
{
	for (uint32_t i = 0; i < world.told; i++)
		if (handle_equal(id, told(i)->id) && told(i)->state == JOURNAL_OVER)
			return;
	fail_msg("nobody said that it is over");
}

/** Everything is as if nobody had ever been there, but for the grace of dialogs. */
static void expect_nothing_left(void)
{
	if (gateway_homes(world.gw) > 0)
		world_wait(30 * S);
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_homes(world.gw));
	EXPECT_EQ(0, gateway_leases(world.gw));
	EXPECT_EQ(0, world_count(&world.counters.invariant_broken));
}

TEST(binding, waits_for_its_client_and_nobody_else_gets_its_pair)
{
	const struct visitor b = visitor("b");
	const char *answer;

	(void)restored_a();
	EXPECT_EQ(1, gateway_leaving(world.gw));
	EXPECT_EQ(1, gateway_leases(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_restored));
	EXPECT_EQ(0, world.told); /* the journal has it */
	answer = lent_refused(1, &b);
	EXPECT_EQ(403, status_of(answer));
	EXPECT_LINE("3600", answer, "Retry-After");
	world_wait(29 * S);
	EXPECT_EQ(0, farewells());
}

TEST(binding, is_taken_over_by_its_client_on_a_new_connection)
{
	const struct visitor a = visitor("a");
	struct handle id = restored_a();

	lent_registers(1, &a);
	EXPECT_EQ(0, farewells());
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(1, gateway_leases(world.gw));
	expect_over(id);
	EXPECT_EQ(JOURNAL_HELD, told(0)->state);
	EXPECT(!handle_equal(id, told(0)->id));
	world_wait(60 * S);
	EXPECT_EQ(0, farewells());
}

TEST(binding, of_another_instance_of_its_user_is_told_to_the_core_at_once)
{
	struct visitor a = visitor("a");

	(void)restored_a();
	a.instance = "f";
	a.contact = "other";
	lent_registers(1, &a);
	world_wait(S / 100);
	EXPECT_EQ(1, farewells());
	EXPECT(contains(farewell(), "<urn:uuid:a0000000-"));
	core_answers("200 OK", "");
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw));
}

TEST(binding, whose_client_stays_away_is_told_to_the_core_after_the_grace)
{
	struct handle id = restored_a();
	const struct visitor b = visitor("b");

	world_wait(30 * S - 1000);
	EXPECT_EQ(0, farewells());
	world_wait(S / 10);
	EXPECT_EQ(1, farewells());
	EXPECT_EQ(0, strncmp(farewell(), "REGISTER sip:home1.net SIP/2.0", 30));
	EXPECT_LINE("<sip:alice@home1.net>", farewell(), "To");
	EXPECT_LINE("1 REGISTER", farewell(), "CSeq");
	EXPECT_LINE("<sip:a@a.invalid;transport=ws>;reg-id=1;"
		    "+sip.instance=\"<urn:uuid:a0000000-0000-4000-8000-000000000000>\"",
		    farewell(), "Contact");
	EXPECT(contains(line(farewell(), "Authorization"), "username=\"alice@ims.home1.net\""));
	EXPECT(contains(line(farewell(), "Authorization"), "integrity-protected=\"auth-done\""));
	EXPECT_EQ(1, lines(farewell(), "Path"));
	core_answers("200 OK", "");
	expect_over(id);
	expect_nothing_left();
	EXPECT_EQ(403, status_of(lent_refused(1, &b))); /* its token has not ended */
}

TEST(binding, that_the_core_does_not_let_go_of_is_told_again_as_any_other)
{
	(void)restored_a();
	world_wait(31 * S);
	EXPECT_EQ(1, farewells());
	core_answers("503 Service Unavailable", "");
	world_wait(2 * S);
	EXPECT_EQ(2, farewells());
	core_answers("404 Not Found", "");
	expect_nothing_left();
}

TEST(binding, whose_token_has_ended_meanwhile_is_told_to_the_core_at_once)
{
	const struct visitor b = visitor("b");
	struct handle id;

	kept[0] = kept_of("a");
	kept[0].until_s += 7200;
	restart();
	world.wall_s += 3601;
	world_turn();
	restore(&kept[0]);
	id = kept[0].id;
	EXPECT_EQ(0, gateway_leases(world.gw));
	world_wait(S / 100);
	EXPECT_EQ(1, farewells());
	core_answers("200 OK", "");
	expect_over(id);
	lent_registers(1, &b);
}

TEST(binding, that_the_core_holds_no_longer_is_nothing)
{
	struct handle id;

	kept[0] = kept_of("a");
	restart();
	world.wall_s = kept[0].until_s;
	world_turn();
	restore(&kept[0]);
	id = kept[0].id;
	expect_over(id);
	expect_nothing_left();
	world_wait(60 * S);
	EXPECT_EQ(0, farewells());
}

TEST(binding, that_was_leaving_still_is)
{
	const struct visitor b = visitor("b");

	kept[0] = kept_of("a");
	kept[0].state = JOURNAL_LEAVING;
	restart();
	restore(&kept[0]);
	EXPECT_EQ(0, gateway_leases(world.gw));
	world_wait(S / 100);
	EXPECT_EQ(1, farewells());
	core_answers("200 OK", "");
	expect_nothing_left();
	lent_registers(1, &b);
}

TEST(binding, of_a_pair_that_left_its_pool_is_told_to_the_core_at_once)
{
	for (uint32_t i = 0; i < 4; i++) {
		kept[0] = kept_of("a");
		restart();
		if (i == 0)
			world.wwsf[0].pairs = 7; /* no pair of it any more */
		if (i == 1)
			world.wwsf[0].mode = WWSF_INDIVIDUAL;
		if (i == 2)
			world.wwsf[0].name = SPAN("other");
		if (i == 3)
			memcpy(kept[0].text, "bobby", 5); /* a pair of nobody */
		world_turn();
		restore(&kept[0]);
		EXPECT_EQ(0, gateway_leases(world.gw));
		world_wait(S / 100);
		EXPECT_EQ(1, farewells());
		core_answers("200 OK", "");
		expect_nothing_left();
	}
}

TEST(binding, of_a_realm_that_is_not_served_any_more_is_nothing)
{
	kept[0] = kept_of("a");
	restart();
	world.realm[0].domain = SPAN("elsewhere.net");
	world_turn();
	restore(&kept[0]);
	world_wait(60 * S);
	EXPECT_EQ(0, farewells());
	expect_nothing_left();
}

TEST(binding, whose_token_or_site_was_taken_back_is_told_to_the_core_at_once)
{
	struct gateway_ended ended;
	bool more;

	for (uint32_t i = 0; i < 2; i++) {
		(void)restored_a();
		if (i == 0)
			world_revoke("a");
		else
			world_disable("shop");
		EXPECT(gateway_revoked(world.gw, &ended, &more));
		EXPECT(!gateway_revoked(world.gw, &ended, &more));
		world_wait(S / 10);
		EXPECT_EQ(1, farewells());
		core_answers("200 OK", "");
		expect_nothing_left();
	}
}

TEST(bindings, of_one_client_are_one_and_the_other_says_no_farewell)
{
	kept[0] = kept_of("a");
	for (uint32_t i = 0; i < 8; i++) {
		const uint32_t first = i % 2;

		kept[1] = kept[0];
		kept[1].id.slot += 5; /* the next one, which the core has put in its place */
		if (i / 2 == 1)
			kept[0].state = JOURNAL_LEAVING;
		if (i / 2 == 2)
			kept[1].iat_s = kept[0].iat_s + 5;
		if (i / 2 == 3)
			kept[0].until_s -= 10;
		restart();
		restore(&kept[first]);
		restore(&kept[1 - first]);
		EXPECT_EQ(1, gateway_leaving(world.gw));
		EXPECT_EQ(1, gateway_leases(world.gw));
		EXPECT_EQ(1, world.told);
		EXPECT_EQ(JOURNAL_OVER, told(0)->state);
		if (i / 2 == 1 || i / 2 == 2) /* else either will do */
			EXPECT(handle_equal(kept[0].id, told(0)->id));
		world_wait(29 * S);
		EXPECT_EQ(0, farewells());
		kept[0].state = JOURNAL_HELD;
	}
}

TEST(bindings, of_two_clients_of_one_user_are_one_that_waits_and_one_that_leaves)
{
	struct visitor other = visitor("a");

	kept[0] = kept_of("a");
	other.instance = "f";
	other.contact = "other";
	lent_start();
	lent_registers(0, &other);
	kept[1] = *told(0);
	kept[1].id.slot += 5;
	restart();
	restore(&kept[0]);
	restore(&kept[1]);
	EXPECT_EQ(2, gateway_leaving(world.gw));
	EXPECT_EQ(1, gateway_leases(world.gw));
	world_wait(S / 10);
	EXPECT_EQ(1, farewells());
	EXPECT(contains(farewell(), "<urn:uuid:a0000000-"));
	core_answers("200 OK", "");
	EXPECT_EQ(1, gateway_leaving(world.gw));
}

TEST(bindings, of_two_users_are_one_that_waits_and_one_that_leaves)
{
	kept[0] = kept_of("a");
	kept[1] = kept_of("b");
	kept[1].id.slot += 5;
	restart();
	restore(&kept[0]);
	restore(&kept[1]);
	EXPECT_EQ(1, gateway_leases(world.gw));
	world_wait(S / 10);
	EXPECT_EQ(1, farewells());
	EXPECT(contains(farewell(), "<urn:uuid:b0000000-"));
}

TEST(bindings, are_told_to_the_core_one_after_the_other)
{
	kept[0] = kept_of("a");
	kept[0].state = JOURNAL_LEAVING;
	restart();
	for (uint32_t i = 0; i < 3; i++) {
		struct message_journal m = kept[0];

		m.id.slot += i;
		m.text[m.impi_len + 4] = (uint8_t)('b' + i); /* another public identity */
		restore(&m);
	}
	EXPECT_EQ(0, farewells());
	for (uint32_t i = 1; i <= 3; i++) {
		world_wait(1100);
		EXPECT(farewells() <= i);
	}
	world_wait(5000);
	EXPECT_EQ(3, farewells());
	EXPECT(world_sent(0)->at_us < world_sent(1)->at_us);
	EXPECT(world_sent(1)->at_us < world_sent(2)->at_us);
}

TEST(bindings, for_which_there_is_no_room_are_refused)
{
	kept[0] = kept_of("a");
	kept[0].state = JOURNAL_LEAVING;
	restart();
	for (uint32_t i = 0; i < 8; i++) { /* twice the four that may live */
		struct message_journal m = kept[0];

		m.id.slot += i;
		m.text[m.impi_len + 4] = (uint8_t)('b' + i);
		restore(&m);
	}
	EXPECT_EQ(GW_BINDING_LIMIT, gateway_restore(world.gw, &kept[0]));
	EXPECT_EQ(0, world_count(&world.counters.invariant_broken));
}

TEST(word, that_says_nothing_useful_is_passed_over)
{
	const struct message_journal whole = kept_of("a");

	for (uint32_t i = 0; i < 5; i++) {
		struct message_journal m = whole;

		restart();
		if (i == 0)
			m.head.len--;
		if (i == 1)
			m.text[0] = ' '; /* no private identity */
		if (i == 2)
			m.text[m.impi_len] = 'x'; /* no public one */
		if (i == 3)			  /* no Contact */
			memset(m.text + m.impi_len + m.impu_len + m.wwsf_len + m.realm_len, ' ',
			       m.contact_len);
		if (i == 4) {
			m.wwsf_len = 0;
			m.contact_len += 4;
		}
		restore(&m);
		EXPECT_EQ(1, world.told);
		expect_over(m.id);
		expect_nothing_left();
	}
}

TEST(word, about_a_binding_of_before_has_its_name_of_before)
{
	struct handle id = restored_a();

	gateway_journal_again(world.gw);
	world_wait(S / 10);
	EXPECT_EQ(1, world.told);
	EXPECT(handle_equal(id, told(0)->id));
	EXPECT_EQ(JOURNAL_HELD, told(0)->state);
	EXPECT_EQ(kept[0].sub, told(0)->sub);
	EXPECT_EQ(kept[0].exp_s, told(0)->exp_s);
	EXPECT_EQ(kept[0].head.len, told(0)->head.len);
	EXPECT_BYTES(kept[0].text, told(0)->text,
		     kept[0].head.len - offsetof(struct message_journal, text));
}

TEST_MAIN("restore", RUN(binding, waits_for_its_client_and_nobody_else_gets_its_pair),
	  RUN(binding, is_taken_over_by_its_client_on_a_new_connection),
	  RUN(binding, of_another_instance_of_its_user_is_told_to_the_core_at_once),
	  RUN(binding, whose_client_stays_away_is_told_to_the_core_after_the_grace),
	  RUN(binding, that_the_core_does_not_let_go_of_is_told_again_as_any_other),
	  RUN(binding, whose_token_has_ended_meanwhile_is_told_to_the_core_at_once),
	  RUN(binding, that_the_core_holds_no_longer_is_nothing),
	  RUN(binding, that_was_leaving_still_is),
	  RUN(binding, of_a_pair_that_left_its_pool_is_told_to_the_core_at_once),
	  RUN(binding, of_a_realm_that_is_not_served_any_more_is_nothing),
	  RUN(binding, whose_token_or_site_was_taken_back_is_told_to_the_core_at_once),
	  RUN(bindings, of_one_client_are_one_and_the_other_says_no_farewell),
	  RUN(bindings, of_two_clients_of_one_user_are_one_that_waits_and_one_that_leaves),
	  RUN(bindings, of_two_users_are_one_that_waits_and_one_that_leaves),
	  RUN(bindings, are_told_to_the_core_one_after_the_other),
	  RUN(bindings, for_which_there_is_no_room_are_refused),
	  RUN(word, that_says_nothing_useful_is_passed_over),
	  RUN(word, about_a_binding_of_before_has_its_name_of_before))
