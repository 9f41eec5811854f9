/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "block.h"
#include "events.h"

/* Which wildcards the core says are a block's, and who is told of it (PROTOCOL 8.3, D-26). */

#define CONFIGURED "sip:guest!.*!@home1.net"
#define OTHER "sip:guest!.+!@home1.net"
#define CONTROL 2 /* behind the workers */

/* ---- the core ------------------------------------------------------------------------------- */

/** The REGISTER that is sent next is answered: its identities are these. */
static void registers(const char *identities)
{
	world_wait(2000);
	core_answers(
		"200 OK",
		format("Contact: <sip:block-shop@192.0.2.10:5060;transport=tcp>;expires=600" CRLF
		       "P-Associated-URI: <sip:block-shop@home1.net>%s" CRLF,
		       identities));
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
}

static void first_registers(const char *identities)
{
	block_start();
	registers(identities);
}

/** Its refresh is answered so. */
static void refreshed(const char *identities)
{
	world_forget();
	world_wait(300 * S);
	registers(identities);
}

/** With a subscription to its events. */
static void up(void)
{
	block_start();
	world.config.mw_reg_event = true;
	world_reload();
	world_wait(2000);
	block_registers(7200);
	world_wait(2000);
	events_remember();
	events_grant(90000);
	world_forget();
}

static const char *registration(const char *wildcard)
{
	return format("<registration aor=\"sip:guest7@home1.net\" id=\"%.16s\" "
		      "state=\"active\"><ere:wildcardedIdentity "
		      "xmlns:ere=\"urn:3gpp:ns:extRegExp:1.0\">%s"
		      "</ere:wildcardedIdentity></registration>",
		      wildcard, wildcard);
}

/** NOTIFY n has these registrations. */
static void core_says(uint32_t n, const char *kind, const char *registrations)
{
	EXPECT_EQ(200, events_say(n, "active", events_document(n, kind, registrations)));
}

static void core_learns(uint32_t n, const char *wildcard)
{
	core_says(n, "full", registration(wildcard));
}

/* ---- control -------------------------------------------------------------------------------- */

static void control_hears(enum block_named_by by, const char *uris)
{
	const struct sent *s = block_letter(MESSAGE_BLOCK_NAMED);
	const struct message_block_named *m = s != NULL ? (const void *)s->head : NULL;

	assert_non_null(m);
	EXPECT_EQ(CONTROL, s->worker);
	EXPECT_EQ(sizeof(*m) + strlen(uris), m->head.len);
	EXPECT_EQ(by, m->by);
	assert_string_equal("shop", m->wwsf);
	assert_string_equal(uris, s->text);
	world_forget();
}

static const struct message_block_named *heard(void)
{
	const struct sent *s = block_letter(MESSAGE_BLOCK_NAMED);

	return s != NULL ? (const void *)s->head : NULL;
}

/* ---- in a 200 ------------------------------------------------------------------------------- */

TEST(response, whose_wildcard_is_another_one_is_an_alarm)
{
	first_registers(", <" CONFIGURED ">");
	EXPECT_EQ(0, world_count(&world.counters.block_differs));
	first_registers(", <sip:g!uest@home1.net>"); /* an ordinary identity */
	EXPECT_EQ(0, world_count(&world.counters.block_differs));
	first_registers(", <" OTHER ">");
	EXPECT_EQ(1, world_count(&world.counters.block_differs));
	EXPECT_EQ(2, world.events); /* behind that it is up */
	EXPECT_EQ(EVENT_BLOCK_DIFFERS, world.event[1].what);
}

TEST(response, is_told_to_control_when_it_names_others_than_before)
{
	first_registers(", <" CONFIGURED ">");
	control_hears(BLOCK_NAMED_BY_RESPONSE, CONFIGURED "\n");
	refreshed(", <" CONFIGURED ">");
	EXPECT(heard() == NULL);
	refreshed(", <" OTHER ">, <sip:guest1@home1.net>, <" CONFIGURED ">");
	EXPECT(!heard()->more);
	control_hears(BLOCK_NAMED_BY_RESPONSE, OTHER "\n" CONFIGURED "\n");
	EXPECT_EQ(0, world_count(&world.counters.block_differs)); /* it is among them */
	refreshed("");
	control_hears(BLOCK_NAMED_BY_RESPONSE, "");
	refreshed("");
	EXPECT(heard() == NULL);
}

/* its expression may have what cannot stand in a URI, and its delimiters may be escaped */
TEST(response, is_read_though_its_wildcards_are_no_uris)
{
	first_registers(", <tel:+4930!.*!>, \"a, <b>\" <sip:guest![0-9]{1,3}!@home1.net>;x=y, "
			"<SIPS:guest%21.%2a%21@home1.net>, <sip:guest%21@home1.net>, "
			"<https://home1.net/!!>, <sip:guest@home1.net;a=!!>");
	control_hears(BLOCK_NAMED_BY_RESPONSE, "tel:+4930!.*!\nsip:guest![0-9]{1,3}!@home1.net\n"
					       "SIPS:guest%21.%2a%21@home1.net\n");
}

TEST(response, whose_host_is_written_otherwise_is_no_alarm)
{
	first_registers(", <sip:guest!.*!@HOME1.net>");
	EXPECT_EQ(0, world_count(&world.counters.block_differs));
	first_registers(", <sip:GUEST!.*!@home1.net>");
	EXPECT_EQ(1, world_count(&world.counters.block_differs));
}

TEST(response, that_grants_nothing_names_nothing)
{
	block_start();
	world_wait(2000);
	core_answers("200 OK", "P-Associated-URI: <" OTHER ">" CRLF);
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
	EXPECT(heard() == NULL);
	EXPECT_EQ(0, world_count(&world.counters.block_differs));
}

TEST(response, is_told_again_after_a_reload)
{
	first_registers(", <" OTHER ">");
	control_hears(BLOCK_NAMED_BY_RESPONSE, OTHER "\n");
	world_reload();
	control_hears(BLOCK_NAMED_BY_RESPONSE, OTHER "\n");
}

TEST(response, that_names_none_is_told_to_nobody)
{
	first_registers(", <sip:guest1@home1.net>, <tel:+15550001>");
	EXPECT(heard() == NULL);
}

TEST(response, is_told_when_control_has_room_again)
{
	block_start();
	world_wait(2000);
	world.to_worker_err = GW_QUEUE_FULL;
	registers(", <" OTHER ">");
	world_wait(5000);
	EXPECT(heard() == NULL);
	world.to_worker_err = GW_OK;
	world_wait(5000);
	control_hears(BLOCK_NAMED_BY_RESPONSE, OTHER "\n");
	world_wait(10000);
	EXPECT(heard() == NULL);
}

TEST(response, with_more_than_there_is_room_for_says_so)
{
	char many[8000] = "";

	for (uint32_t i = 0; i < 60; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
			 ", <sip:guest-of-a-long-name-%03u!.*!@home1.net>", i);
	first_registers(many);
	EXPECT(heard()->more);
	EXPECT_EQ(1024 / 43 * 43, block_letter(MESSAGE_BLOCK_NAMED)->len);
}

TEST(response, counts_no_more_when_the_block_is_down)
{
	first_registers(", <" OTHER ">");
	control_hears(BLOCK_NAMED_BY_RESPONSE, OTHER "\n");
	world_wait(300 * S);
	core_answers("403 Forbidden", "");
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
	control_hears(BLOCK_NAMED_BY_RESPONSE, "");
}

/* ---- in an event ---------------------------------------------------------------------------- */

TEST(event, whose_wildcard_is_another_one_is_an_alarm_once)
{
	up();
	core_learns(1, CONFIGURED);
	EXPECT_EQ(0, world_count(&world.counters.block_differs));
	core_learns(2, OTHER);
	EXPECT_EQ(1, world_count(&world.counters.block_differs));
	EXPECT_EQ(1, world.events);
	EXPECT_EQ(EVENT_BLOCK_DIFFERS, world.event[0].what);
	core_learns(3, OTHER);
	EXPECT_EQ(2, world_count(&world.counters.block_differs));
	EXPECT_EQ(0, world.events);
	core_learns(4, "sip:guest!..+!@home1.net");
	EXPECT_EQ(1, world.events);
	world_reload();
	core_learns(5, "sip:guest!..+!@home1.net");
	EXPECT_EQ(1, world.events);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
}

TEST(event, that_has_all_is_told_to_control)
{
	const char *both = format("%s%s", registration(OTHER), registration("tel:+4930!.*!"));

	up();
	core_says(1, "full", both);
	control_hears(BLOCK_NAMED_BY_EVENT, OTHER "\ntel:+4930!.*!\n");
	core_says(2, "full", both);
	EXPECT(heard() == NULL);
	core_says(3, "full", "");
	control_hears(BLOCK_NAMED_BY_EVENT, "");
}

/* what is not in it may stand, or not: the core is asked for all there is */
TEST(event, that_has_a_part_makes_the_core_be_asked_for_all)
{
	up();
	core_says(1, "full", registration(CONFIGURED));
	control_hears(BLOCK_NAMED_BY_EVENT, CONFIGURED "\n");
	core_says(2, "partial", registration(OTHER));
	EXPECT(heard() == NULL);
	EXPECT_EQ(0, world_count(&world.counters.block_differs));
	world_wait(2000);
	EXPECT_EQ(1, events_subscribes());
	events_grant(90000);
	core_says(3, "partial", registration(OTHER));
	world_wait(2000);
	EXPECT_EQ(0, events_subscribes()); /* it was asked */
	core_says(4, "full", registration(OTHER));
	control_hears(BLOCK_NAMED_BY_EVENT, OTHER "\n");
	EXPECT_EQ(1, world_count(&world.counters.block_differs));
}

/* nobody else has anything to be told again */
TEST(event, is_told_when_control_has_room_again)
{
	up();
	world.to_worker_err = GW_QUEUE_FULL;
	core_learns(1, OTHER);
	EXPECT(heard() == NULL);
	world.to_worker_err = GW_OK;
	world_wait(5000);
	control_hears(BLOCK_NAMED_BY_EVENT, OTHER "\n");
}

TEST(event, whose_registration_is_over_names_nothing)
{
	up();
	core_says(1, "full",
		  "<registration aor=\"sip:guest7@home1.net\" id=\"w\" state=\"terminated\">"
		  "<ere:wildcardedIdentity xmlns:ere=\"urn:3gpp:ns:extRegExp:1.0\">" OTHER
		  "</ere:wildcardedIdentity></registration>");
	EXPECT_EQ(0, world_count(&world.counters.block_differs));
	EXPECT(heard() == NULL);
}

TEST_MAIN("block_named", RUN(response, whose_wildcard_is_another_one_is_an_alarm),
	  RUN(response, is_told_to_control_when_it_names_others_than_before),
	  RUN(response, that_names_none_is_told_to_nobody),
	  RUN(response, is_read_though_its_wildcards_are_no_uris),
	  RUN(response, whose_host_is_written_otherwise_is_no_alarm),
	  RUN(response, that_grants_nothing_names_nothing),
	  RUN(response, is_told_again_after_a_reload),
	  RUN(response, is_told_when_control_has_room_again),
	  RUN(response, with_more_than_there_is_room_for_says_so),
	  RUN(response, counts_no_more_when_the_block_is_down),
	  RUN(event, whose_wildcard_is_another_one_is_an_alarm_once),
	  RUN(event, that_has_all_is_told_to_control),
	  RUN(event, that_has_a_part_makes_the_core_be_asked_for_all),
	  RUN(event, is_told_when_control_has_room_again),
	  RUN(event, whose_registration_is_over_names_nothing))
