/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "gateway/internal.h"
#include "world.h"

/* What the audit stream is told of registrations and calls (DESIGN 8). */

#define ALICE "sip:alice@home1.net"
#define BOB "sip:bob@home1.net"

static void start(enum audit_identities audit)
{
	world_start();
	world.config.audit = audit;
}

/** The last event, with what follows it. */
static const struct message_audit *told(enum event_kind what)
{
	const struct message_audit *audit = &world.audit[world.events - 1];

	EXPECT(world.events > 0);
	EXPECT_EQ(what, audit->event.what);
	return audit;
}

static bool is_in(struct message_audit audit, const char *text)
{
	return memmem(&audit, sizeof(audit), text, strlen(text)) != NULL;
}

static struct span text_of(const struct message_audit *audit, uint32_t at, uint32_t len)
{
	return span_of(audit->text + at, len);
}

/** The icid of the vector in a message. */
static const char *icid_of(const char *message)
{
	static char icid[64];

	EXPECT_EQ(1, sscanf(line(message, "P-Charging-Vector"), "icid-value=\"%63[^\"]", icid));
	return icid;
}

static uint64_t hash_of(const char *identity)
{
	return gateway_identity_hash(world.gw, span_text(identity));
}

/* ---- registrations --------------------------------------------------------------------------- */

TEST(registration, is_told_when_it_starts_is_refreshed_and_ends_by_hashes)
{
	const struct message_audit *audit;
	char icid[64];

	start(AUDIT_HASHED);
	snprintf(icid, sizeof(icid), "%s",
		 icid_of(mw_register(register_jssip(token_alice(3570), 600))));
	core_registers(600);
	audit = told(EVENT_REGISTERED);
	EXPECT(!audit->refresh);
	EXPECT_TEXT(icid, audit->icid);
	EXPECT(audit->event.impu_hash == hash_of(ALICE));
	EXPECT_EQ(600, audit->event.seconds);
	EXPECT_EQ(200, audit->event.status);
	EXPECT_EQ(offsetof(struct message_audit, text), audit->event.head.len);
	EXPECT(!is_in(*audit, "alice"));
	world_wait(60 * 1000000ull);
	world_register();
	world_forget();
	world_wait(601 * 1000000ull);
	audit = told(EVENT_BINDING_END);
	EXPECT_EQ(660000, audit->elapsed_ms);
	EXPECT(strlen(audit->icid) == 32 && strcmp(icid, audit->icid) != 0); /* of the last one */
	EXPECT(!is_in(*audit, "alice"));
}

TEST(registration, is_a_refresh_when_there_was_one_before)
{
	start(AUDIT_HASHED);
	world_register();
	world_wait(1000000);
	(void)mw_register(register_jssip(token_alice(3000), 600));
	core_registers(600);
	EXPECT(told(EVENT_REGISTERED)->refresh);
}

TEST(registration, has_identities_in_clear_only_when_the_policy_says_so)
{
	const struct message_audit *audit;

	start(AUDIT_CLEAR);
	(void)mw_register(register_jssip(token_alice(3570), 600));
	core_registers(600);
	audit = told(EVENT_REGISTERED);
	EXPECT_SPAN(ALICE, text_of(audit, audit->impi_len, audit->impu_len));
	EXPECT(audit->impi_len > 0);
	EXPECT_EQ(offsetof(struct message_audit, text) + audit->impi_len + audit->impu_len,
		  audit->event.head.len);
	EXPECT(audit->event.impu_hash == hash_of(ALICE));
}

TEST(registration, that_fails_is_told_with_who_it_was)
{
	const struct message_audit *audit;

	start(AUDIT_HASHED);
	(void)mw_register(register_jssip(token_alice(3570), 600));
	world_wait(250000);
	core_answers("403 Forbidden", "");
	audit = told(EVENT_REGISTER_FAILED);
	EXPECT_EQ(403, audit->event.status);
	EXPECT(audit->event.impu_hash == hash_of(ALICE));
	EXPECT(audit->elapsed_ms >= 250 && audit->elapsed_ms < 260);
	EXPECT_EQ(32, strlen(audit->icid));
}

TEST(registration, is_an_event_and_no_more_where_there_is_no_audit_stream)
{
	start(AUDIT_NONE);
	(void)mw_register(register_jssip(token_alice(3570), 600));
	core_registers(600);
	EXPECT_EQ(sizeof(struct message_event), told(EVENT_REGISTERED)->event.head.len);
	(void)mw_register(register_jssip(token_alice(3000), 600));
	core_answers("403 Forbidden", "");
	EXPECT_EQ(sizeof(struct message_event), told(EVENT_REGISTER_FAILED)->event.head.len);
}

/* ---- calls ----------------------------------------------------------------------------------- */

/** The only transaction under way. */
static struct transaction *under_way(void)
{
	uint32_t cursor = 0;
	struct transaction *t = slots_next(world.gw->transactions, &cursor);

	EXPECT_EQ(1, world_transactions());
	return t;
}

/** How many events of that kind there were. */
static uint32_t told_of(enum event_kind what)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < world.events; i++)
		n += world.event[i].what == what;
	return n;
}

static const struct message_audit *told_of_a_call(enum event_kind what, uint16_t status)
{
	uint32_t before = world.events;

	audit_call(world.gw, under_way(), what, status);
	EXPECT_EQ(before + 1, world.events);
	EXPECT_EQ(status, told(what)->event.status);
	return told(what);
}

TEST(call, of_a_wic_is_told_with_both_sides_and_the_icid_that_the_core_got)
{
	const struct message_audit *audit;
	const char *core;

	start(AUDIT_HASHED);
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	core = world_only(TO_MW);
	world_wait(1500000);
	audit = told_of_a_call(EVENT_CALL_ANSWERED, 200);
	EXPECT(audit->originating);
	EXPECT_TEXT(icid_of(core), audit->icid);
	EXPECT(audit->event.impu_hash == hash_of(ALICE));
	EXPECT(audit->peer_hash == hash_of(BOB));
	EXPECT_EQ(1500, audit->elapsed_ms);
	EXPECT(!is_in(*audit, "alice") && !is_in(*audit, "bob"));
	EXPECT_TEXT("shop", audit->event.text);
}

TEST(call, of_the_core_is_told_with_the_icid_that_came)
{
	const struct message_audit *audit;

	start(AUDIT_CLEAR);
	world_register();
	core_sends(core_message(path_uri(), "P-Charging-Vector: icid-value=\"sc-11\"" CRLF));
	audit = told_of_a_call(EVENT_CALL_FAILED, 486);
	EXPECT(!audit->originating);
	EXPECT_TEXT("sc-11", audit->icid);
	EXPECT_SPAN(ALICE, text_of(audit, audit->impi_len, audit->impu_len));
	EXPECT_SPAN(BOB, text_of(audit, audit->impi_len + audit->impu_len, audit->peer_len));
}

TEST(call, has_no_icid_when_none_came_and_a_long_one_is_cut)
{
	start(AUDIT_HASHED);
	world_register();
	core_sends(core_message(path_uri(), ""));
	EXPECT_TEXT("", told_of_a_call(EVENT_CALL_ENDED, 200)->icid);
	start(AUDIT_HASHED);
	world_register();
	core_sends(
		core_message(path_uri(), format("P-Charging-Vector: icid-value=%0150d" CRLF, 1)));
	EXPECT_EQ(AUDIT_ICID_MAX, strlen(told_of_a_call(EVENT_CALL_ENDED, 200)->icid));
}

/** alice's INVITE is answered by the core with this status. */
static void calls_and_hears(uint32_t branch, const char *status)
{
	EXPECT_EQ(GW_OK,
		  wic_sends(0, format("INVITE sip:bob@home1.net SIP/2.0" CRLF
				      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bKau%u" CRLF
				      "From: <sip:alice@home1.net>;tag=a" CRLF
				      "To: <sip:bob@home1.net>" CRLF "Call-ID: au%u" CRLF
				      "CSeq: 1 INVITE" CRLF "Contact: <sip:x@a.invalid>" CRLF CRLF,
				      branch, branch)));
	core_answers(status, "");
}

TEST(call, is_told_once_by_each_final_response_to_its_invite)
{
	start(AUDIT_HASHED);
	world_register();
	calls_and_hears(1, "180 Ringing");
	EXPECT_EQ(0, told_of(EVENT_CALL_ANSWERED) + told_of(EVENT_CALL_FAILED));
	core_answers("200 OK", "");
	core_answers("200 OK", "");
	EXPECT_EQ(1, told_of(EVENT_CALL_ANSWERED));
	calls_and_hears(2, "486 Busy Here");
	EXPECT_EQ(1, told_of(EVENT_CALL_FAILED));
	EXPECT_EQ(486, told(EVENT_CALL_FAILED)->event.status);
}

TEST(call, is_not_told_where_there_is_no_audit_stream_or_no_call)
{
	uint32_t before;

	start(AUDIT_NONE);
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, message_with("")));
	before = world.events;
	audit_call(world.gw, under_way(), EVENT_CALL_ANSWERED, 200);
	EXPECT_EQ(before, world.events);
	start(AUDIT_HASHED);
	(void)mw_register(register_jssip(token_alice(3570), 600));
	before = world.events;
	audit_call(world.gw, under_way(), EVENT_CALL_ANSWERED, 200);
	EXPECT_EQ(before, world.events);
}

TEST_MAIN("audit", RUN(registration, is_told_when_it_starts_is_refreshed_and_ends_by_hashes),
	  RUN(registration, is_a_refresh_when_there_was_one_before),
	  RUN(registration, has_identities_in_clear_only_when_the_policy_says_so),
	  RUN(registration, that_fails_is_told_with_who_it_was),
	  RUN(registration, is_an_event_and_no_more_where_there_is_no_audit_stream),
	  RUN(call, of_a_wic_is_told_with_both_sides_and_the_icid_that_the_core_got),
	  RUN(call, of_the_core_is_told_with_the_icid_that_came),
	  RUN(call, has_no_icid_when_none_came_and_a_long_one_is_cut),
	  RUN(call, is_told_once_by_each_final_response_to_its_invite),
	  RUN(call, is_not_told_where_there_is_no_audit_stream_or_no_call))
