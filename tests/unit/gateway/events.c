/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "events.h"

static char remembered[SENT_TEXT_MAX];

static const struct sent *find(uint32_t *count)
{
	const struct sent *found = NULL;

	*count = 0;
	for (uint32_t i = 0; i < world.count; i++)
		if (world.sent[i].to == TO_MW &&
		    strncmp(world.sent[i].text, "SUBSCRIBE ", 10) == 0) {
			found = &world.sent[i];
			++*count;
		}
	return found;
}

uint32_t events_subscribes(void)
{
	uint32_t count;

	(void)find(&count);
	return count;
}

const char *events_subscribe(void)
{
	uint32_t count;
	const struct sent *found = find(&count);

	assert_non_null(found);
	return found->text;
}

void events_remember(void)
{
	snprintf(remembered, sizeof(remembered), "%s", events_subscribe());
}

void events_grant(uint32_t expires_s)
{
	core_answers(
		"200 OK",
		format("Contact: <sip:198.18.0.30:6060>" CRLF
		       "Record-Route: <sip:198.18.0.32;lr>, <sip:198.18.0.31;transport=tcp;lr>" CRLF
		       "Expires: %u" CRLF,
		       expires_s));
}

void events_register(void)
{
	world.config.mw_reg_event = true;
	world_reload();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_registers(600);
	world_wait(2000);
	events_remember();
	events_grant(1200);
	world_forget();
}

void events_start(void)
{
	world_start();
	events_register();
}

const char *events_text(uint32_t cseq, const char *state, const char *document)
{
	const char *contact = line(remembered, "Contact"), *from = line(remembered, "From");
	int uri = (int)strcspn(contact, ">") - 1;

	return format("NOTIFY %.*s SIP/2.0" CRLF
		      "Via: SIP/2.0/TCP 198.18.0.30:6060;branch=z9hG4bKn%u" CRLF
		      "Max-Forwards: 70" CRLF "From: <sip:alice@home1.net>;tag=c0re" CRLF
		      "To: %s" CRLF "Call-ID: %s" CRLF "CSeq: %u NOTIFY" CRLF "Event: reg" CRLF
		      "Contact: <sip:198.18.0.30:6060>" CRLF "%s%s"
		      "Content-Length: %zu" CRLF CRLF "%s",
		      uri, contact + 1, cseq, from, line(remembered, "Call-ID"), cseq,
		      state[0] != '\0' ? format("Subscription-State: %s" CRLF, state) : "",
		      document[0] != '\0' ? "Content-Type: application/reginfo+xml" CRLF : "",
		      strlen(document), document);
}

uint32_t events_say(uint32_t cseq, const char *state, const char *document)
{
	const char *text = events_text(cseq, state, document);

	world_forget();
	core_sends(text);
	EXPECT_EQ(TO_SOURCE, world_sent(0)->to);
	return status_of(world_sent(0)->text);
}

const char *events_document(uint32_t version, const char *state, const char *registrations)
{
	return format("<?xml version=\"1.0\"?><reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" "
		      "version=\"%u\" state=\"%s\">%s</reginfo>",
		      version, state, registrations);
}

const char *events_registration(const char *aor, const char *state, const char *contacts)
{
	return format("<registration aor=\"%s\" id=\"r\" state=\"%s\">%s</registration>", aor,
		      state, contacts);
}

const char *events_contact(const char *attributes)
{
	return format("<contact id=\"c\" %s><uri>" OUR_URI "</uri><unknown-param "
		      "name=\"reg-id\">1</unknown-param><unknown-param name=\"+sip.instance\">"
		      "\"&lt;urn:uuid:dacc2777-085b-4952-83a1-fd586f2f5565&gt;\"</unknown-param>"
		      "</contact>",
		      attributes);
}

uint32_t events_all(uint32_t n, const char *state, const char *attributes)
{
	const char *contact = attributes[0] != '\0' ? events_contact(attributes) : "";

	return events_say(
		n, "active;expires=600",
		events_document(n, "partial",
				format("%s%s",
				       events_registration("sip:alice@home1.net", state, contact),
				       events_registration("tel:+15551230001", state, contact))));
}

void events_told(void)
{
	events_start();
	EXPECT_EQ(200, events_all(1, "active", "state=\"active\" event=\"registered\"" OUR_LAST));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(2000);
	if (events_subscribes() > 0)
		core_answers("200 OK", "Expires: 1200" CRLF);
}

void events_over(enum gw_err why)
{
	EXPECT_EQ(0, gateway_bindings(world.gw));
	EXPECT_EQ(0, gateway_leaving(world.gw));
	EXPECT_EQ(0, gateway_reg_events(world.gw));
	EXPECT_EQ(1, world_count(&world.counters.binding_core_ended));
	EXPECT_EQ(EVENT_BINDING_END, world.event[world.events - 1].what);
	EXPECT_EQ(why, world.event[world.events - 1].err);
	EXPECT_EQ(1, world.count); /* the 200 to the NOTIFY */
}

uint32_t events_expires_s(void)
{
	struct row_binding row;
	uint32_t cursor = 0;

	EXPECT_EQ(1, gateway_rows(world.gw, &cursor, 1, &row));
	return row.expires_s;
}

bool events_closed(enum gw_err why)
{
	struct gateway_ended ended, none;

	if (!gateway_sent_away(world.gw, &ended))
		return false;
	EXPECT(handle_equal(world.wic[0].flow, ended.flow));
	EXPECT_EQ(why, ended.why);
	EXPECT(!gateway_sent_away(world.gw, &none));
	return true;
}

const char *events_turned_away(uint32_t wic, const char *request)
{
	world_forget();
	(void)wic_sends(wic, request);
	return world_only(TO_WIC);
}
