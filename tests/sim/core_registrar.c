/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "guest.h"
#include "events.h"
#include "member.h"
#include "pool.h"

/* What the scripted core answers to the gateway's requests, and what it must not find in them. */

static void broken(struct core_script *core, const char *name, struct span message,
		   const char *what)
{
	struct span id = text_header(message, "Call-ID", 0);

	sim_broken(core->sim, name, "%.*s: %s", (int)id.len, (const char *)id.at, what);
}

void core_write_response(struct span request, uint16_t status, struct writer *out)
{
	text_add(out, "SIP/2.0 %u Whatever\r\n", status);
	text_copy(out, request, "Via");
	text_copy(out, request, "From");
	text_add(out, "To: %.*s;tag=core\r\n", (int)text_header(request, "To", 0).len,
		 (const char *)text_header(request, "To", 0).at);
	text_copy(out, request, "Call-ID");
	text_copy(out, request, "CSeq");
}

/* ---- answers after a while --------------------------------------------------------------------
 */

struct delayed {
	struct core_script *core;
	struct core_way way;
	uint32_t len;
	uint8_t bytes[CORE_TEXT_MAX];
};

static void answer_now(struct sim *sim, void *context, uint64_t arg)
{
	struct delayed *d = context;

	(void)arg;
	if (sim->core_host.core != NULL)
		core_answer(d->core, &d->way, span_of(d->bytes, d->len));
	free(d);
}

uint64_t core_answer_later(struct core_script *core, const struct core_way *way, struct span bytes)
{
	struct sim *sim = core->sim;
	struct delayed *d = malloc(sizeof(*d));
	uint64_t after = sim_chance(sim, 80)   ? sim_between(sim, 1, 50000)
			 : sim_chance(sim, 85) ? sim_between(sim, 1, sim_s(8))
					       : sim_between(sim, sim_s(20), sim_s(36));

	*d = (struct delayed){.core = core, .way = *way, .len = bytes.len};
	memcpy(d->bytes, bytes.at, bytes.len);
	sim_at_owned(sim, sim->now_us + after, answer_now, d);
	return sim->now_us + after;
}

/* ---- what every request must be ---------------------------------------------------------------
 */

static void check_common(struct core_script *core, struct span message)
{
	static const char *const never[] = {"P-Preferred-Identity", "Proxy-Authorization"};

	for (uint32_t i = 0; i < 2; i++)
		if (text_count(message, never[i]) > 0)
			broken(core, "trust-boundary", message, never[i]);
	if (text_count(message, "P-Charging-Vector") != 1 || text_has(message, "forged"))
		broken(core, "trust-boundary", message, "charging or Path of a WIC");
	if (text_has(message, "president"))
		broken(core, "one-own-identity", message, "a forged identity");
	if (text_count(message, "Via") != 2 || text_count(message, "Max-Forwards") != 1)
		broken(core, "trust-boundary", message, "not two Vias and one Max-Forwards");
}

void core_check_own(struct core_script *core, struct span message)
{
	if (text_count(message, "Via") != 1 || text_count(message, "Max-Forwards") != 1 ||
	    text_count(message, "P-Charging-Vector") != 1)
		broken(core, "trust-boundary", message, "not one Via, Max-Forwards and charging");
	if (text_has(message, "forged") || text_has(message, "president"))
		broken(core, "trust-boundary", message, "what a WIC has said");
}

/* ---- REGISTER ---------------------------------------------------------------------------------
 */

static void check_register(struct core_script *core, struct span message, const struct request *r)
{
	struct span contact = text_header(message, "Contact", 0);
	uint64_t asked = text_number(text_header(message, "Expires", 0), "", UINT64_MAX);
	char user[32];

	if (r->kind == REQUEST_REGISTER && r->token != TOKEN_GOOD)
		broken(core, "bad-token-refused", message, "a REGISTER with a bad token");
	if (r->kind == REQUEST_REGISTER && asked > request_left_s(core->sim, r))
		broken(core, "registration-within-token", message, "Expires past the token");
	if (text_number(contact, ";expires=", asked) != asked || asked > r->asked_s)
		broken(core, "registration-within-token", message, "two expiries");
	if (text_count(message, "Path") != 1 || text_count(message, "Authorization") != 1 ||
	    !text_has(message, "integrity-protected=\"auth-done\""))
		broken(core, "trust-boundary", message, "no trusted node authentication");
	snprintf(user, sizeof(user), "username=\"user%u@", r->user);
	if (!text_has(text_header(message, "Authorization", 0), user))
		broken(core, "one-own-identity", message, "another IMPI");
}

static struct core_binding *binding_of_user(struct core_script *core, const struct request *r)
{
	uint32_t local = r->user % (SIM_USERS / 2);

	if (r->user >= SIM_USERS)
		return &core->binding[OWN_BINDINGS + (local < POOL_PAIRS_MAX ? local : 0)];
	return &core->binding[local % OWN_BINDINGS];
}

static void keep(char *to, size_t size, struct span value)
{
	snprintf(to, size, "%.*s", (int)value.len, (const char *)value.at);
}

/** The Contact is that of b, or of the same page's next connection. */
static bool is_of(const struct core_binding *b, struct span contact)
{
	char page[32];
	struct writer w;

	if (span_starts(contact, span_text(b->contact)))
		return true;
	writer_init(&w, page, sizeof(page));
	text_add(&w, "urn:uuid:w%ui%u>%c", b->wic, b->instance, 0);
	return b->outbound && text_has(contact, page);
}

static void store(struct core_script *core, struct span message, const struct request *r)
{
	struct core_binding *b = binding_of_user(core, r);
	struct span contact = text_header(message, "Contact", 0);

	if (r->kind == REQUEST_DEREGISTER && r->user >= SIM_USERS && !is_of(b, contact))
		return; /* another visitor's */
	if (b->live)
		core->stale[core->stales++ % STALE_MAX] = *b;
	b->live = r->kind == REQUEST_REGISTER && r->core_granted > 0;
	if (b->live)
		wic_accepted(core->sim->wics, r->wic, r->conn, r->user);
	b->since_us = core->sim->now_us;
	b->until_us = core->sim->now_us + sim_s(r->core_granted);
	b->by = (uint32_t)(r - core->sim->request) + 1;
	b->cseq = (uint32_t)text_number(text_header(message, "CSeq", 0), "", 0);
	keep(b->call_id, sizeof(b->call_id), text_header(message, "Call-ID", 0));
	b->user = r->user;
	b->wic = r->wic;
	b->conn = r->conn;
	b->sub = r->sub;
	b->instance = r->instance;
	b->outbound = text_has(contact, "reg-id");
	keep(b->path, sizeof(b->path), text_header(message, "Path", 0));
	contact = span_cut(contact, 0, span_find(contact, '>') + 1);
	keep(b->contact, sizeof(b->contact), contact);
}

static void write_200(struct core_script *core, struct span message, struct request *r,
		      struct writer *out)
{
	uint32_t asked = (uint32_t)text_number(text_header(message, "Expires", 0), "", 0);
	struct span contact = text_header(message, "Contact", 0);
	struct sim *sim = core->sim;
	bool listed = sim_chance(sim, 97); /* else it is not registered, whatever was asked */
	bool again = sim->events != NULL && r->stored; /* what has come of it stays */

	if (again)
		listed = !r->unlisted;
	if (r->core_granted == 0 && r->kind == REQUEST_REGISTER)
		r->core_granted = sim_chance(sim, 80)	? asked
				  : sim_chance(sim, 50) ? asked * 2 + 10
							: asked / 2 + 1;
	core_write_response(message, 200, out);
	if (sim_chance(sim, 20))
		text_add(out, "Contact: <sip:other@device.invalid>;expires=777\r\n");
	if (r->kind == REQUEST_REGISTER && listed)
		text_add(out, "Contact: %.*s;expires=%u\r\n", (int)span_find(contact, '>') + 1,
			 (const char *)contact.at, r->core_granted);
	text_add(out, "Path: %.*s\r\n", (int)text_header(message, "Path", 0).len,
		 (const char *)text_header(message, "Path", 0).at);
	if (sim_chance(sim, 70))
		text_add(out, "Service-Route: <sip:orig@%s;lr%s>\r\n",
			 sim_chance(sim, 70) ? ADDRESS_CORE : ADDRESS_CORE_2,
			 sim_chance(sim, 50) ? ";transport=tcp" : "");
	if (sim_chance(sim, 70))
		text_add(out, "P-Associated-URI: <sip:user%u@" DOMAIN ">, <tel:+1555%05u>\r\n",
			 r->user, r->user);
	text_add(out, "P-Charging-Vector: icid-value=x;orig-ioi=v;term-ioi=h\r\n");
	text_add(out, "P-Charging-Function-Addresses: ccf=1.2.3.4\r\nContent-Length: 0\r\n\r\n");
	if (again)
		return;
	store(core, message, r);
	if (!listed)
		binding_of_user(core, r)->live = false;
	r->stored = true;
	r->unlisted = !listed;
	if (sim->events != NULL)
		core_events_stored(core, binding_of_user(core, r));
}

static uint16_t draw_register_status(struct core_script *core)
{
	static const uint16_t refusals[] = {401, 403, 423, 503, 404, 407, 305, 0};

	return sim_chance(core->sim, 80) ? 200 : refusals[sim_below(core->sim, 8)];
}

static void on_register(struct core_script *core, const struct core_way *way, struct span message,
			struct request *r)
{
	uint8_t text[CORE_TEXT_MAX];
	struct writer out;
	uint64_t at_us;

	check_register(core, message, r);
	if (r->pool != 0 && r->kind == REQUEST_REGISTER && r->core_status == 0)
		watch_pool_asked(core->sim, r);
	if (core->sim->events != NULL)
		watch_events_asked(core->sim, r);
	if (r->core_status == 0)
		r->core_status = draw_register_status(core);
	if (r->core_status == 0)
		return; /* never answered, unless it comes again */
	writer_init(&out, text, sizeof(text));
	if (r->core_status == 200) {
		write_200(core, message, r, &out);
	} else {
		core_write_response(message, r->core_status, &out);
		if (r->core_status == 423)
			text_add(&out, "Min-Expires: %u\r\n", 10 + sim_below(core->sim, 500));
		text_add(&out, "Retry-After: 3\r\nP-Charging-Vector: icid-value=x\r\n");
		text_add(&out, "Content-Length: 0\r\n\r\n");
	}
	at_us = core_answer_later(core, way, writer_span(&out));
	if (r->core_status == 200 && binding_of_user(core, r)->answer_us < at_us)
		binding_of_user(core, r)->answer_us = at_us;
}

/* ---- de-REGISTERs of the gateway's own --------------------------------------------------------
 */

#define CROSSING_US SECOND /* what is on its way at the same time may arrive in any order */

static bool is_farewell(struct span message)
{
	return text_has(span_cut(message, 0, 9), "REGISTER ") &&
	       text_has(text_header(message, "Call-ID", 0), "@" ADDRESS_MW);
}

static void check_farewell(struct core_script *core, struct span message)
{
	if (text_count(message, "Via") != 1 || text_count(message, "Path") != 1 ||
	    text_count(message, "Contact") != 1 || text_count(message, "P-Charging-Vector") != 1 ||
	    !text_has(message, "integrity-protected=\"auth-done\""))
		broken(core, "farewell-is-whole", message, "a header is missing or too many");
	if (text_number(text_header(message, "Expires", 0), "", 1) != 0 ||
	    text_number(text_header(message, "CSeq", 0), "", 0) != 1)
		broken(core, "farewell-is-whole", message, "not Expires 0 and CSeq 1");
}

/** What it takes away: the binding of its Contact; never that of a newer connection, which a
 * registrar finds by the same instance and reg-id. (With small pools a 200 of ours may have become
 * a 503 there, and then nobody is registered who could be undone.) */
static void take_away(struct core_script *core, struct span message)
{
	struct span contact = text_header(message, "Contact", 0);
	uint32_t user = (uint32_t)text_number(text_header(message, "Authorization", 0),
					      "username=\"user", UINT32_MAX);
	struct request named = {.user = user};
	struct core_binding *b = binding_of_user(core, &named);

	if (user >= SIM_USERS + core->sim->shape.pool_pairs) {
		broken(core, "farewell-is-whole", message, "a user that nobody is");
		return;
	}
	if (!b->live || b->user != user || core->sim->now_us >= b->until_us)
		return;					   /* there is nobody to take away */
	if (span_starts(contact, span_text(b->contact))) { /* of one connection */
		b->live = false;
		return;
	}
	if (!b->outbound || !text_has(contact, "reg-id"))
		return; /* another one of the user's */
	if (user >= SIM_USERS && !is_of(b, contact))
		return;	 /* another visitor's */
	b->live = false; /* a registrar knows them by instance and reg-id */
	if (!core->sim->shape.tight && core->sim->now_us > b->since_us + CROSSING_US &&
	    wic_connected(core->sim->wics, b->wic, b->conn))
		broken(core, "farewell-to-none-but-the-old", message, "a newer binding");
}

static void on_farewell(struct core_script *core, const struct core_way *way, struct span message)
{
	static const uint16_t statuses[] = {404, 481, 403, 503, 500, 0};
	uint16_t status = core->sim->draining || sim_chance(core->sim, 80)
				  ? 200
				  : statuses[sim_below(core->sim, 6)];
	uint8_t text[CORE_TEXT_MAX];
	struct writer out;

	check_farewell(core, message);
	take_away(core, message);
	if (status == 0)
		return;
	writer_init(&out, text, sizeof(text));
	core_write_response(message, status, &out);
	text_add(&out, "Content-Length: 0\r\n\r\n");
	core_answer_later(core, way, writer_span(&out));
}

/* ---- MESSAGE ----------------------------------------------------------------------------------
 */

static void check_message(struct core_script *core, struct span message, const struct request *r)
{
	struct span identity = text_header(message, "P-Asserted-Identity", 0);
	uint32_t user = (uint32_t)text_number(identity, "<sip:user",
					      text_number(identity, "<tel:+15550", UINT32_MAX));

	if (text_count(message, "P-Asserted-Identity") != 1 ||
	    span_find(identity, ',') < identity.len)
		broken(core, "one-own-identity", message, "not one P-Asserted-Identity");
	if (!wic_registered(core->sim->wics, r->wic, r->conn, user) &&
	    (r->sub == 0 || user != r->user) && /* a visitor, who may be another one by now */
	    wic_connected(core->sim->wics, r->wic, r->conn))
		broken(core, "one-own-identity", message, "an identity it has not registered");
	if (core->sim->events != NULL)
		watch_events_heard(core->sim, r, user);
	if (r->foreign_from)
		broken(core, "from-is-checked", message, "a foreign From");
	if (wic_connected(core->sim->wics, r->wic, r->conn) &&
	    r->sent_us > wic_authorised_until_us(core->sim->wics, r->wic, r->conn) + TIMER_LATE_US)
		broken(core, "registration-within-token", message, "sent after the last token");
}

static void on_message(struct core_script *core, const struct core_way *way, struct span message,
		       struct request *r)
{
	static const uint16_t statuses[] = {200, 202, 404, 480, 503, 600, 0};
	uint32_t user = (uint32_t)text_number(message, "MESSAGE sip:user", 0);
	uint8_t text[CORE_TEXT_MAX];
	struct writer out;

	if (!r->guest && !r->heard) /* who sent it may be another user when it comes again */
		check_message(core, message, r);
	r->heard = true;
	if (core->sim->members != NULL)
		watch_block_heard(core->sim, r);
	if (r->core_status == 0) {
		r->core_status = statuses[sim_below(core->sim, 7)];
		if (sim_chance(core->sim, 60) &&
		    core_relay(core, user, (uint32_t)(r - core->sim->request), way, message)) {
			r->core_status = 1; /* when the other side has answered */
			return;
		}
	}
	if (r->core_status <= 1)
		return;
	writer_init(&out, text, sizeof(text));
	core_write_response(message, r->core_status, &out);
	text_add(&out, "P-Charging-Vector: icid-value=x\r\nContent-Length: 0\r\n\r\n");
	core_answer_later(core, way, writer_span(&out));
	if (sim_chance(core->sim, 10)) { /* twice: the second has no transaction any more */
		core_answer_later(core, way, writer_span(&out));
	}
}

/** This place of the core has too much to do. */
static bool refuses(struct core_script *core, const struct core_way *way, struct span message,
		    struct request *r)
{
	uint8_t text[CORE_TEXT_MAX];
	struct writer out;

	if (!core_busy(core, way) || r->core_status != 0)
		return false;
	r->refused_busy = true;
	writer_init(&out, text, sizeof(text));
	core_write_response(message, 503, &out);
	text_add(&out, "Retry-After: 1\r\nContent-Length: 0\r\n\r\n");
	core_answer(core, way, writer_span(&out));
	return true;
}

void core_request(struct core_script *core, const struct core_way *way, struct span message)
{
	struct request *r = request_of(core->sim, message);
	struct core_way back = *way;
	struct span via = text_header(message, "Via", 0);

	if (core->sim->events != NULL && span_starts(message, SPAN("SUBSCRIBE "))) {
		if (!back.tcp && sim_chance(core->sim, 50))
			endpoint_set_port(&back.peer,
					  (uint16_t)text_number(via, ADDRESS_MW ":", 5060));
		core_subscribed(core, &back, message);
		return;
	}
	if (r == NULL && is_farewell(message)) {
		if (core_block_asked(core, way, message))
			return;
		sim_note(core->sim, "core gets a farewell of %.*s",
			 (int)text_header(message, "Contact", 0).len,
			 (const char *)text_header(message, "Contact", 0).at);
		on_farewell(core, way, message);
		return;
	}
	if (r == NULL) {
		broken(core, "sim", message, "a request that nobody made");
		return;
	}
	if (!back.tcp && sim_chance(core->sim, 50)) /* RFC 3261 18.2.2: to sent-by */
		endpoint_set_port(&back.peer, (uint16_t)text_number(via, ADDRESS_MW ":", 5060));
	check_common(core, message);
	sim_note(core->sim, "core gets %.*s r%u", (int)span_find(message, ' '),
		 (const char *)message.at, (unsigned)(r - core->sim->request));
	if (r->guest)
		guest_heard(core->sim, message, r);
	if (refuses(core, &back, message, r))
		return;
	if (r->kind == REQUEST_MESSAGE || r->guest)
		on_message(core, &back, message, r);
	else
		on_register(core, &back, message, r);
}
