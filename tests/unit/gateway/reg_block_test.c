/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "block.h"
#include "events.h"
#include "gateway/reg_event.h"

/* What a registration event means for a block: PROTOCOL 8.1, 9.9. */

#define BLOCK_URI "sip:block-shop@192.0.2.10:5060;transport=tcp"
#define BLOCK_IMPU "sip:block-shop@home1.net"

static char call_id[128]; /* of its REGISTERs */

/* ---- the core ------------------------------------------------------------------------------- */

/** The next REGISTER is answered 200, and the subscription that follows is accepted. */
static void registers(uint32_t expires_s)
{
	world_wait(2000);
	snprintf(call_id, sizeof(call_id), "%s", line(block_asked(BLOCK_IMPU), "Call-ID"));
	block_registers(expires_s);
	world_wait(2000);
	events_remember();
	events_grant(90000);
	world_forget();
}

/** Up for two hours, with events; nothing sent is left. */
static void up(void)
{
	block_guest_home(0);
	block_start();
	world.config.mw_reg_event = true;
	world_reload();
	registers(7200);
}

static const char *contact_of(const char *uri, const char *attributes)
{
	return format("<contact id=\"c\" %s><uri>%s</uri></contact>", attributes, uri);
}

/** Its Contact as REGISTER n left it. */
static const char *contact(uint32_t n, const char *attributes)
{
	return contact_of(BLOCK_URI,
			  format("%s callid=\"%s\" cseq=\"%u\"", attributes, call_id, n));
}

/** NOTIFY and version n: its registration is in that state. */
static void core_says(uint32_t n, const char *kind, const char *state, const char *contacts)
{
	EXPECT_EQ(200,
		  events_say(n, "active;expires=600",
			     events_document(n, kind,
					     events_registration(BLOCK_IMPU, state, contacts))));
}

/** Its Contact that REGISTER n left: terminated for that. */
static const char *gone_by(uint32_t n, const char *event)
{
	return contact(n, format("state=\"terminated\" event=%s", event));
}

/** The NOTIFY that says so, for those who do not answer it. */
static const char *notify_of(uint32_t n, const char *event)
{
	return events_text(1, "active",
			   events_document(1, "full",
					   events_registration(BLOCK_IMPU, "terminated",
							       gone_by(n, event))));
}

/** NOTIFY and version n: what came by REGISTER 1 is terminated for that. */
static void core_ends(uint32_t n, const char *event)
{
	core_says(n, "full", "terminated", gone_by(1, event));
}

/** The REGISTER that was sent since world_forget(), or NULL. */
static const char *asked(void)
{
	for (uint32_t i = 0; i < world.count; i++)
		if (world.sent[i].to == TO_MW && strncmp(world.sent[i].text, "REGISTER ", 9) == 0)
			return world.sent[i].text;
	return NULL;
}

static void is_down(enum gw_err why)
{
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
	EXPECT_EQ(why, block_row().ended);
	EXPECT_TEXT("none", block_row().reg_event);
	EXPECT_EQ(EVENT_BLOCK_DOWN, world.event[world.events - 1].what);
	EXPECT_EQ(why, world.event[world.events - 1].err);
	EXPECT_EQ(0, gateway_reg_events(world.gw));
	EXPECT_EQ(0, world_count(&world.counters.block_up));
	EXPECT_EQ(1, world_count(&world.counters.block_ended));
	EXPECT(!block_word(block_words() - 1)->up);
}

static void is_up(void)
{
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
	EXPECT_EQ(GW_OK, block_row().ended);
	EXPECT_EQ(0, world_count(&world.counters.block_ended));
}

static void guests(void)
{
	guest_registered(
		&(struct guest){.token = token_guest(GUEST1, 3570), .cseq = 1, .expires_s = 600});
	guest_registered(&(struct guest){.at = 1,
					 .impu = GUEST2,
					 .token = token_guest(GUEST2, 3570),
					 .cseq = 1,
					 .expires_s = 600});
	world_forget();
}

/** How many connections have to be closed, all for that. */
static uint32_t closed(enum gw_err why)
{
	struct gateway_ended ended;
	uint32_t n = 0;
	bool more;

	while (gateway_revoked(world.gw, &ended, &more)) {
		EXPECT_EQ(why, ended.why);
		n++;
	}
	EXPECT(!more);
	return n;
}

/* ---- its subscription ------------------------------------------------------------------------ */

TEST(block, that_is_up_is_asked_about_as_a_binding_is)
{
	const char *text;

	block_start();
	world.config.mw_reg_event = true;
	world_reload();
	block_registers(7200);
	EXPECT_EQ(0, events_subscribes()); /* not while the 200 is in hand */
	world_wait(2000);
	EXPECT_EQ(1, events_subscribes());
	text = events_subscribe();
	EXPECT_EQ(0, strncmp(text, "SUBSCRIBE sip:block-shop@home1.net SIP/2.0\r\n", 44));
	EXPECT(contains(line(text, "From"), "<sip:192.0.2.10>;tag="));
	EXPECT_LINE("<sip:block-shop@home1.net>", text, "To");
	EXPECT_LINE("7799", text, "Expires"); /* above that of the registration */
	EXPECT_EQ(0, strncmp(line(text, "Contact"), "<sip:St1.", 9));
	EXPECT_LINE("<sip:192.0.2.10>", text, "P-Asserted-Identity");
	EXPECT_NO_LINE(text, "Route");
	EXPECT_TEXT("asking", block_row().reg_event);
	events_grant(1200);
	EXPECT_TEXT("active", block_row().reg_event);
}

TEST(block, is_asked_about_by_its_service_route_where_that_is_configured)
{
	block_start();
	world.config.mw_reg_event = true;
	world.config.mw_reg_event_service_route = true;
	world_reload();
	block_registers(7200);
	world_wait(2000);
	EXPECT_LINE("<sip:orig@198.18.0.30:6060;lr>", events_subscribe(), "Route");
}

TEST(block, is_not_asked_about_again_when_it_is_refreshed)
{
	up();
	world_wait(6601 * S);
	EXPECT_LINE("2 REGISTER", asked(), "CSeq");
	block_registers(7200);
	world_wait(S);
	EXPECT_EQ(0, events_subscribes());
	EXPECT_EQ(1, gateway_reg_events(world.gw));
}

TEST(block, is_asked_about_from_the_reload_on_that_switches_it_on)
{
	block_start();
	block_registers(7200);
	world_wait(S);
	EXPECT_EQ(0, gateway_reg_events(world.gw));
	EXPECT_TEXT("none", block_row().reg_event);
	world.config.mw_reg_event = true;
	world_reload();
	world_wait(2000);
	EXPECT_EQ(1, events_subscribes());
}

TEST(block, whose_core_does_not_tell_is_up_and_asked_about_after_a_reload)
{
	block_start();
	world.config.mw_reg_event = true;
	world_reload();
	block_registers(7200);
	world_wait(2000);
	core_answers("489 Bad Event", "");
	world_forget();
	EXPECT_EQ(0, gateway_reg_events(world.gw));
	is_up();
	world_wait(6601 * S); /* its refresh does not ask again */
	block_registers(7200);
	world_wait(S);
	EXPECT_EQ(0, events_subscribes());
	world_reload();
	world_wait(2000);
	EXPECT_EQ(1, events_subscribes());
}

TEST(block, that_a_reload_takes_away_is_asked_about_no_more)
{
	up();
	world.wwsf[0].mode = WWSF_INDIVIDUAL;
	world_reload();
	EXPECT_EQ(0, gateway_reg_events(world.gw));
	EXPECT_EQ(481, events_say(1, "terminated;reason=noresource", ""));
}

TEST(block, that_a_refused_refresh_takes_down_has_another_subscription_when_it_is_up)
{
	up();
	world_wait(6601 * S);
	core_answers("403 Forbidden", "");
	EXPECT_EQ(0, gateway_reg_events(world.gw));
	EXPECT_EQ(GW_OK, block_row().ended);
	EXPECT_EQ(GW_OK, world.event[world.events - 1].err);
	EXPECT_EQ(403, world.event[world.events - 1].status);
	EXPECT(world.event[world.events - 1].seconds >= 30);
	world_forget();
	world_wait(61 * S);
	registers(7200);
	EXPECT_EQ(1, gateway_reg_events(world.gw));
}

TEST(block, has_its_subscription_though_the_bindings_have_used_up_theirs)
{
	const struct handle nobody = handle_none();

	block_start();
	world.config.mw_reg_event = true;
	world_reload();
	for (uint32_t i = 0; i < world.gateway_config.max_bindings; i++)
		EXPECT(!handle_is_none(reg_event_subscribe(world.gw, REG_EVENT_BINDING, nobody)));
	EXPECT(handle_is_none(reg_event_subscribe(world.gw, REG_EVENT_BINDING, nobody)));
	EXPECT_EQ(1, world_count(&world.counters.reg_event_full));
	block_registers(7200);
	world_wait(2000);
	EXPECT_EQ(1, events_subscribes());
	EXPECT_EQ(1, world_count(&world.counters.reg_event_full));
}

TEST(block, is_told_about_by_way_of_another_worker)
{
	struct message_deliver m = {.head = {MESSAGE_DELIVER, sizeof(m)}};

	up();
	m.source = world.source;
	gateway_delivered(world.gw, &m, span_text(notify_of(1, "\"deactivated\"")));
	is_down(GW_REG_DEACTIVATED);
}

/* ---- rejected -------------------------------------------------------------------------------- */

TEST(block, that_is_rejected_drops_its_bindings_and_stays_down)
{
	up();
	guests();
	EXPECT_EQ(2, gateway_bindings(world.gw));
	core_ends(1, "\"rejected\"");
	is_down(GW_REG_REJECTED);
	EXPECT_EQ(0, block_row().again_s);
	EXPECT_EQ(world.now_us, block_word(block_words() - 1)->rejected_us);
	EXPECT_EQ(2, closed(GW_REG_REJECTED));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw)); /* the core is told of nobody */
	EXPECT_EQ(0, gateway_registrar(world.gw));
	EXPECT_EQ(2, world_count(&world.counters.binding_core_ended));
	EXPECT_EQ(0, world_count(&world.counters.binding_revoked));
	EXPECT_EQ(EVENT_BINDING_END, world.event[world.events - 1].what);
	EXPECT_EQ(GW_REG_REJECTED, world.event[world.events - 1].err);
	world_forget();
	world_wait(100000 * S);
	EXPECT(asked() == NULL);
	EXPECT_EQ(GW_REG_REJECTED, block_row().ended);
}

TEST(block, that_is_rejected_is_asked_for_when_an_operator_reloads)
{
	up();
	guests();
	core_ends(1, "\"rejected\"");
	EXPECT_EQ(2, closed(GW_REG_REJECTED));
	world_revoke("somebody"); /* not for that */
	world_forget();
	world_wait(2000);
	EXPECT(asked() == NULL);
	EXPECT_EQ(GW_BLOCK_DOWN, guest_registers(&(struct guest){.at = 2,
								 .token = token_guest(GUEST1, 3570),
								 .cseq = 1,
								 .expires_s = 600}));
	world_reload();
	world_forget();
	registers(7200);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
	EXPECT_EQ(GW_OK, block_row().ended);
	guest_registered(&(struct guest){
		.at = 2, .token = token_guest(GUEST1, 3570), .cseq = 2, .expires_s = 600});
	world_reload();
	EXPECT_EQ(0, closed(GW_OK)); /* who has come since stays */
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

/** Its refresh is under way, REGISTER 2, as the core ends what came by REGISTER n for that. */
static void ends_under_way(uint32_t n, const char *event)
{
	up();
	world_wait(6601 * S);
	core_sends(notify_of(n, event));
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
	EXPECT_EQ(1, gateway_transactions(world.gw));
}

TEST(block, that_is_rejected_as_it_is_refreshed_is_up_when_the_core_grants_that)
{
	ends_under_way(1, "\"rejected\"");
	EXPECT_EQ(GW_REG_REJECTED, block_row().ended);
	block_registers(7200);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
	EXPECT_EQ(GW_OK, block_row().ended);
}

TEST(block, that_is_rejected_as_it_is_refreshed_stays_down_when_the_core_does_not)
{
	static const char *const statuses[] = {"500 Server Internal Error", "403 Forbidden",
					       "423 Interval Too Brief"};

	for (uint32_t i = 0; i < 3; i++) {
		ends_under_way(1, "\"rejected\"");
		core_answers(statuses[i], "Min-Expires: 1000000" CRLF);
		EXPECT_EQ(GW_REG_REJECTED, block_row().ended);
		world_forget();
		world_wait(100000 * S);
		EXPECT(asked() == NULL);
	}
}

TEST(block, that_is_ended_by_name_of_the_register_under_way_is_not_up_by_the_200_to_it)
{
	ends_under_way(2, "\"rejected\"");
	block_registers(7200);
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
	EXPECT_EQ(GW_REG_REJECTED, block_row().ended);
	world_forget();
	world_wait(100000 * S);
	EXPECT(asked() == NULL);
	ends_under_way(77, "\"probation\" retry-after=\"90\""); /* a core that counts wrong */
	block_registers(7200);
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
	EXPECT_EQ(90, block_row().again_s);
	world_forget();
	world_wait(91 * S);
	EXPECT_LINE("3 REGISTER", asked(), "CSeq");
	registers(7200);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
}

TEST(block, that_is_rejected_drops_the_bindings_of_other_workers)
{
	struct message_block m;

	block_guest_home(0);
	m = block_up_elsewhere();
	guests();
	EXPECT_EQ(2, gateway_bindings(world.gw));
	world_wait(S);
	m.up = false;
	m.rejected_us = world.now_us;
	gateway_block(world.gw, &m, SPAN(""));
	EXPECT_EQ(2, closed(GW_REG_REJECTED));
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, block_row().bindings);
	/* it is said again, and later that it is up: who has come by then stays */
	gateway_block(world.gw, &m, SPAN(""));
	world_wait(S);
	m.up = true;
	gateway_block(world.gw, &m, SPAN(""));
	guest_registered(&(struct guest){
		.at = 2, .token = token_guest(GUEST1, 3570), .cseq = 2, .expires_s = 600});
	gateway_block(world.gw, &m, SPAN(""));
	EXPECT_EQ(0, closed(GW_OK));
	EXPECT_EQ(1, gateway_bindings(world.gw));
}

TEST(block, that_was_rejected_and_is_up_again_when_a_worker_hears_of_it_drops_what_was_there)
{
	struct message_block m;

	block_guest_home(0);
	m = block_up_elsewhere();
	guests();
	world_wait(S);
	m.rejected_us = world.now_us - 1000; /* its ring was full meanwhile */
	gateway_block(world.gw, &m, SPAN(""));
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
	EXPECT_EQ(2, closed(GW_REG_REJECTED));
}

TEST(block, that_is_rejected_is_told_of_again_while_a_ring_is_full)
{
	up();
	world.to_worker_err = GW_QUEUE_FULL;
	core_sends(notify_of(1, "\"rejected\""));
	world_wait(20000);
	EXPECT_EQ(0, block_words());
	world.to_worker_err = GW_OK;
	world_wait(20000);
	EXPECT_EQ(1, block_words());
	EXPECT(!block_word(0)->up);
	EXPECT(block_word(0)->rejected_us != 0);
}

/* ---- deactivated, probation ------------------------------------------------------------------ */

TEST(block, that_is_deactivated_is_registered_again_at_once_and_keeps_its_bindings)
{
	up();
	guests();
	core_ends(1, "\"deactivated\"");
	is_down(GW_REG_DEACTIVATED);
	world_wait(2000);
	EXPECT_LINE("2 REGISTER", asked(), "CSeq");
	EXPECT_LINE("600000", asked(), "Expires");
	EXPECT_EQ(0, closed(GW_OK));
	EXPECT_EQ(2, gateway_bindings(world.gw));
	registers(7200);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
	EXPECT_EQ(GW_OK, block_row().ended);
	EXPECT_EQ(1, gateway_reg_events(world.gw));
	EXPECT_EQ(2, gateway_bindings(world.gw));
}

TEST(block, that_is_deactivated_as_it_is_refreshed_is_not_asked_for_twice)
{
	ends_under_way(1, "\"deactivated\"");
	EXPECT_EQ(0, block_row().again_s);
	world_wait(2000);
	EXPECT_EQ(1, gateway_transactions(world.gw));
	block_registers(7200);
	EXPECT_EQ(ROW_BLOCK_UP, block_row().state);
}

/** The core ends it as soon as it is up; so long it is until it is asked for again. */
static uint64_t ends_again(uint32_t n, const char *event)
{
	uint64_t from = world.now_us;

	core_says(1, "full", "terminated", gone_by(n, event));
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
	while (asked() == NULL && world.now_us < from + 4000 * S)
		world_wait(S / 10);
	from = world.now_us - from;
	registers(7200);
	return from;
}

TEST(block, that_is_ended_again_and_again_waits_for_longer_and_longer)
{
	static const char *const events[] = {"\"deactivated\"", "\"expired\"", "\"unregistered\"",
					     "\"unheard-of\""};
	uint64_t us;

	for (uint32_t i = 0; i < 4; i++) {
		up();
		EXPECT(ends_again(1, events[i]) < S);
		us = ends_again(2, events[i]); /* base 30 s: 60 s, of that a half at least */
		EXPECT(us >= 30 * S && us <= 61 * S);
		us = ends_again(3, events[i]);
		EXPECT(us >= 60 * S && us <= 121 * S);
		world_wait(1801 * S); /* it has lasted */
		EXPECT(ends_again(4, events[i]) < S);
	}
}

TEST(block, that_has_expired_there_is_registered_again_at_once)
{
	up();
	guests();
	core_ends(1, "\"expired\"");
	is_down(GW_REG_ENDED);
	world_wait(2000);
	EXPECT_LINE("2 REGISTER", asked(), "CSeq");
	EXPECT_EQ(2, gateway_bindings(world.gw));
}

TEST(block, on_probation_is_down_for_so_long_and_keeps_its_bindings)
{
	up();
	guests();
	core_ends(1, "\"probation\" retry-after=\"90\"");
	is_down(GW_REG_PROBATION);
	EXPECT_EQ(90, block_row().again_s);
	EXPECT_EQ(90, world.event[world.events - 1].seconds);
	EXPECT_EQ(0, closed(GW_OK));
	EXPECT_EQ(2, gateway_bindings(world.gw));
	world_wait(89 * S);
	EXPECT(asked() == NULL);
	world_reload(); /* that does not make it shorter */
	world_wait(S / 2);
	EXPECT(asked() == NULL);
	world_wait(S);
	EXPECT_LINE("2 REGISTER", asked(), "CSeq");
	core_answers("403 Forbidden", "");
	EXPECT_EQ(GW_OK, block_row().ended); /* it is down because of that from now on */
	EXPECT_EQ(403, block_row().status);
	EXPECT_EQ(2, gateway_bindings(world.gw));
	world_wait(520 * S);
	EXPECT_EQ(0, gateway_bindings(world.gw)); /* their own time */
}

TEST(block, on_probation_without_a_time_is_so_for_a_minute_and_for_a_day_at_most)
{
	up();
	core_ends(1, "\"probation\"");
	EXPECT_EQ(60, block_row().again_s);
	up();
	core_ends(1, "\"probation\" retry-after=\"4000000000\"");
	EXPECT_EQ(86400, block_row().again_s);
}

/* ---- how long it lasts ----------------------------------------------------------------------- */

TEST(block, that_is_shortened_ends_and_is_refreshed_earlier)
{
	up();
	core_says(1, "full", "active",
		  contact(1, "state=\"active\" event=\"shortened\" expires=\"100\""));
	is_up();
	EXPECT_EQ(100, block_row().seconds);
	EXPECT_EQ(50, block_row().again_s);
	EXPECT_EQ(world.now_us + 100 * S, block_word(0)->until_us);
	core_says(2, "partial", "active",
		  contact(1, "state=\"active\" event=\"shortened\" expires=\"5000\""));
	EXPECT_EQ(100, block_row().seconds); /* never later */
	world_forget();
	world_wait(51 * S);
	EXPECT_LINE("2 REGISTER", asked(), "CSeq");
	core_says(3, "partial", "active",
		  contact(1, "state=\"active\" event=\"shortened\" expires=\"10\""));
	world_wait(11 * S);
	EXPECT(asked() == NULL); /* that one is under way */
}

TEST(block, that_stands_lasts_until_the_core_says)
{
	static const char *const events[] = {"registered", "created", "refreshed"};

	for (uint32_t i = 0; i < 3; i++) {
		up();
		core_says(1, "full", "active",
			  contact(1, format("state=\"active\" event=\"%s\" expires=\"9000\"",
					    events[i])));
		is_up();
		EXPECT_EQ(9000, block_row().seconds);
		EXPECT_EQ(6600, block_row().again_s); /* no later than it was */
		core_says(2, "full", "active",
			  contact(1, format("state=\"active\" event=\"%s\"", events[i])));
		EXPECT_EQ(9000, block_row().seconds);
	}
}

TEST(block, that_has_no_time_left_has_ended)
{
	up();
	core_says(1, "full", "active",
		  contact(1, "state=\"active\" event=\"refreshed\" expires=\"0\""));
	is_down(GW_REG_ENDED);
}

/* ---- whose, and of which REGISTER ------------------------------------------------------------ */

TEST(block, is_not_ended_by_what_is_about_others)
{
	static const char *const gone = "state=\"terminated\" event=\"rejected\"";

	up();
	EXPECT_EQ(200,
		  events_say(1, "active",
			     events_document(
				     1, "full",
				     format("%s%s",
					    events_registration(BLOCK_IMPU, "active",
								contact(1, "state=\"active\" "
									   "event=\"registered\"")),
					    events_registration("sip:else@home1.net", "terminated",
								contact(1, gone))))));
	is_up();
	core_says(2, "partial", "active",
		  contact_of("sip:block-toys@192.0.2.10:5060;transport=tcp", gone));
	is_up();
	core_says(3, "partial", "active",
		  contact_of("sip:block-shop@192.0.2.11:5060;transport=tcp", gone));
	is_up();
	core_says(4, "partial", "active", ""); /* a part says nothing of what is not in it */
	is_up();
	EXPECT_EQ(200, events_say(5, "active", events_document(5, "full", "")));
	is_up();
}

TEST(block, is_not_ended_by_what_is_about_an_older_register)
{
	up();
	world_wait(6601 * S);
	block_registers(7200);
	world_forget();
	core_ends(1, "\"rejected\"");
	is_up();
	core_says(2, "partial", "active",
		  contact(1, "state=\"active\" event=\"shortened\" expires=\"3\""));
	EXPECT_EQ(7200, block_row().seconds);
	core_says(3, "partial", "terminated",
		  contact(2, "state=\"terminated\" event=\"rejected\""));
	is_down(GW_REG_REJECTED);
}

TEST(block, whose_registration_has_ended_or_not_begun_has_ended)
{
	up();
	core_says(1, "full", "terminated", "");
	is_down(GW_REG_ENDED);
	up();
	core_says(1, "full", "init", "");
	is_down(GW_REG_ENDED);
}

TEST(block, whose_contact_was_in_the_full_state_and_is_there_no_more_has_ended)
{
	up();
	core_says(1, "full", "active", contact(1, "state=\"active\" event=\"registered\""));
	is_up();
	core_says(2, "full", "active", "");
	is_down(GW_REG_ENDED);
}

TEST(block, of_a_core_that_writes_contacts_otherwise_is_not_ended_by_them)
{
	up();
	core_says(1, "full", "active", contact_of("sip:x@192.0.2.99", "state=\"active\""));
	is_up();
	EXPECT_EQ(1, world_count(&world.counters.reg_event_unshown));
}

/** Refreshed for so long, and then the core says an end that may be older: it is asked. */
static void doubted(uint32_t expires_s)
{
	up();
	world_wait(6601 * S);
	block_registers(expires_s);
	world_forget();
	core_says(1, "full", "terminated",
		  contact_of(BLOCK_URI,
			     "state=\"terminated\" event=\"probation\" retry-after=\"90\""));
	is_up();
	EXPECT_EQ(1, world_count(&world.counters.reg_event_unsure));
	world_wait(2000);
	EXPECT_EQ(1, events_subscribes());
}

TEST(block, whose_end_may_be_older_than_its_refresh_is_asked_about_first)
{
	doubted(7200);
	events_grant(90000);
	core_says(2, "full", "active",
		  contact_of(BLOCK_URI, "state=\"active\" event=\"registered\" expires=\"7000\""));
	world_wait(6 * S);
	is_up();
}

TEST(block, whose_end_is_in_doubt_has_ended_when_the_core_does_not_say_otherwise)
{
	doubted(7200);
	events_grant(90000);
	world_wait(4900000);
	is_up();
	world_forget();
	world_wait(200000);
	is_down(GW_REG_PROBATION);
	EXPECT_EQ(90, block_row().again_s);
	doubted(7200);
	core_answers("481 Subscription Does Not Exist", "");
	is_down(GW_REG_PROBATION);
	doubted(7200);
	events_grant(90000);
	EXPECT_EQ(200, events_say(2, "active", events_document(2, "full", "")));
	is_down(GW_REG_PROBATION);
}

TEST(block, whose_end_is_in_doubt_stands_with_the_next_200)
{
	doubted(4);
	events_grant(90000);
	world_wait(2 * S);
	block_registers(7200);
	world_wait(6 * S);
	is_up();
}

TEST(block, whose_subscription_the_core_ends_is_asked_about_anew)
{
	up();
	EXPECT_EQ(200, events_say(1, "terminated;reason=timeout", ""));
	is_up();
	world_wait(2 * S);
	EXPECT_EQ(1, events_subscribes());
}

TEST_MAIN("reg_block", RUN(block, that_is_up_is_asked_about_as_a_binding_is),
	  RUN(block, is_asked_about_by_its_service_route_where_that_is_configured),
	  RUN(block, is_not_asked_about_again_when_it_is_refreshed),
	  RUN(block, is_asked_about_from_the_reload_on_that_switches_it_on),
	  RUN(block, whose_core_does_not_tell_is_up_and_asked_about_after_a_reload),
	  RUN(block, that_a_reload_takes_away_is_asked_about_no_more),
	  RUN(block, that_a_refused_refresh_takes_down_has_another_subscription_when_it_is_up),
	  RUN(block, has_its_subscription_though_the_bindings_have_used_up_theirs),
	  RUN(block, is_told_about_by_way_of_another_worker),
	  RUN(block, that_is_rejected_drops_its_bindings_and_stays_down),
	  RUN(block, that_is_rejected_is_asked_for_when_an_operator_reloads),
	  RUN(block, that_is_rejected_as_it_is_refreshed_is_up_when_the_core_grants_that),
	  RUN(block, that_is_rejected_as_it_is_refreshed_stays_down_when_the_core_does_not),
	  RUN(block, that_is_ended_by_name_of_the_register_under_way_is_not_up_by_the_200_to_it),
	  RUN(block, that_is_rejected_drops_the_bindings_of_other_workers),
	  RUN(block,
	      that_was_rejected_and_is_up_again_when_a_worker_hears_of_it_drops_what_was_there),
	  RUN(block, that_is_rejected_is_told_of_again_while_a_ring_is_full),
	  RUN(block, that_is_deactivated_is_registered_again_at_once_and_keeps_its_bindings),
	  RUN(block, that_is_deactivated_as_it_is_refreshed_is_not_asked_for_twice),
	  RUN(block, that_is_ended_again_and_again_waits_for_longer_and_longer),
	  RUN(block, that_has_expired_there_is_registered_again_at_once),
	  RUN(block, on_probation_is_down_for_so_long_and_keeps_its_bindings),
	  RUN(block, on_probation_without_a_time_is_so_for_a_minute_and_for_a_day_at_most),
	  RUN(block, that_is_shortened_ends_and_is_refreshed_earlier),
	  RUN(block, that_stands_lasts_until_the_core_says),
	  RUN(block, that_has_no_time_left_has_ended),
	  RUN(block, is_not_ended_by_what_is_about_others),
	  RUN(block, is_not_ended_by_what_is_about_an_older_register),
	  RUN(block, whose_registration_has_ended_or_not_begun_has_ended),
	  RUN(block, whose_contact_was_in_the_full_state_and_is_there_no_more_has_ended),
	  RUN(block, of_a_core_that_writes_contacts_otherwise_is_not_ended_by_them),
	  RUN(block, whose_end_may_be_older_than_its_refresh_is_asked_about_first),
	  RUN(block, whose_end_is_in_doubt_has_ended_when_the_core_does_not_say_otherwise),
	  RUN(block, whose_end_is_in_doubt_stands_with_the_next_200),
	  RUN(block, whose_subscription_the_core_ends_is_asked_about_anew))
