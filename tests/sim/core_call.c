/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

#include <stdio.h>
#include <stdlib.h>

#include "core.h"

/* The core's end of calls: its transports, and what it must not find in the gateway's messages. */

#define T1_US 500000ull
#define T2_US 4000000ull
#define GIVES_UP_US (60 * SECOND) /* past 32 s, and a core that was dead meanwhile */
#define CROSSING_US (SECOND / 5)

/** How the core sends or answers one request. */
struct core_exchange {
	struct core_way way;   /* back */
	uint32_t link, number; /* TCP: where it went */
	struct endpoint peer;  /* UDP */
	bool quiet;	       /* no more repeats */
	uint64_t again_us;
	uint32_t len;
	uint8_t *bytes; /* UDP: to be sent again */
};

struct core_exchange *core_exchanges_new(void)
{
	return table_new(EXCHANGES_MAX * sizeof(struct core_exchange));
}

void core_exchanges_free(struct core_exchange *all, uint32_t used)
{
	for (uint32_t i = 0; i < used; i++)
		free(all[i].bytes);
	table_free(all, EXCHANGES_MAX * sizeof(*all));
}

static struct core_exchange *here(const struct sim *sim, const struct exchange *x)
{
	return &sim->core->exchange[exchange_number(sim, x)];
}

/* ---- sending ---------------------------------------------------------------------------------
 */

static void send_again(struct sim *sim, void *context, uint64_t number)
{
	struct core_exchange *e = &sim->core->exchange[number];
	const struct exchange *x = &sim->calls->exchange[number];

	(void)context;
	if (e->quiet || sim->now_us > x->sent_us + GIVES_UP_US)
		return;
	(void)!net_udp_send(sim->core_host.core, &sim->core->place[0], &e->peer,
			    span_of(e->bytes, e->len));
	sim_arrived(sim, SIM_HOST_CORE);
	e->again_us = e->again_us * 2 < T2_US ? e->again_us * 2 : T2_US;
	sim_at(sim, sim->now_us + e->again_us, send_again, NULL, number);
}

static void send_datagrams(struct sim *sim, const struct exchange *x, struct span bytes)
{
	struct core_exchange *e = here(sim, x);

	e->bytes = malloc(bytes.len);
	e->len = bytes.len;
	memcpy(e->bytes, bytes.at, bytes.len);
	e->again_us = T1_US / 2;
	send_again(sim, NULL, exchange_number(sim, x));
	e->quiet = x->method == CALL_ACK;
}

void core_call_send(struct sim *sim, struct exchange *x, const char *route, struct span bytes)
{
	struct core_exchange *e = here(sim, x);
	uint64_t port = text_number(span_text(route), ADDRESS_MW ":", MW_PORT);
	struct core_link *l;

	e->peer = sim_endpoint(ADDRESS_MW);
	if (sim_chance(sim, 20))
		port = sim_chance(sim, 50) ? MW_PORT
					   : MW_WORKER_PORT + sim_below(sim, sim->options.workers);
	endpoint_set_port(&e->peer, (uint16_t)port);
	if (!x->tcp) {
		send_datagrams(sim, x, bytes);
		return;
	}
	l = core_link_to(sim->core, &e->peer);
	if (l == NULL)
		return;
	e->link = (uint32_t)(l - sim->core->link);
	e->number = l->number;
	core_link_write(l, bytes);
	sim_arrived(sim, SIM_HOST_CORE);
}

static struct core_link *link_of(const struct sim *sim, const struct core_exchange *e)
{
	struct core_link *l = &sim->core->link[e->link];

	return e->number > 0 && l->conn != NULL && l->number == e->number ? l : NULL;
}

void core_call_send_beside(struct sim *sim, const struct exchange *x, struct span bytes)
{
	struct core_exchange *e = here(sim, x);
	struct core_link *l = link_of(sim, e);

	if (!x->tcp)
		(void)!net_udp_send(sim->core_host.core, &sim->core->place[0], &e->peer, bytes);
	else if (l != NULL)
		core_link_write(l, bytes);
	sim_arrived(sim, SIM_HOST_CORE);
}

void core_call_reply(struct sim *sim, const struct exchange *x, struct span bytes)
{
	core_answer(sim->core, &here(sim, x)->way, bytes);
}

void core_call_answered(struct sim *sim, const struct exchange *x)
{
	here(sim, x)->quiet = true;
}

bool core_call_open(const struct sim *sim, const struct exchange *x)
{
	const struct core_way *way = &here(sim, x)->way;

	/* an answer goes back where its request came from (RFC 3261 18.2.2); this core opens no
	 * connection of its own for one whose connection has ended, before it was given perhaps */
	if (x->from == END_WIC)
		return !way->tcp || (sim->core->link[way->link].conn != NULL &&
				     sim->core->link[way->link].number == way->number);
	return !x->tcp || link_of(sim, here(sim, x)) != NULL;
}

uint64_t core_disturbed_us(const struct sim *sim)
{
	return sim->core->down > 0 ? sim->now_us : sim->core->disturbed_us;
}

/* ---- what its messages have ------------------------------------------------------------------
 */

void core_call_extras(struct sim *sim, const struct call *c, struct writer *out)
{
	text_add(out, "P-Asserted-Identity: <sip:else%u@else.example>\r\n", c->party);
	if (c->caller == END_CORE)
		text_add(out, "P-Charging-Vector: icid-value=icid-k%u;orig-ioi=home\r\n",
			 call_number(sim, c));
	else
		text_add(out, "P-Charging-Vector: %s;orig-ioi=home\r\n", c->icid);
	text_add(out, "P-Charging-Function-Addresses: ccf=1.2.3.4\r\n");
	if (sim_chance(sim, 30))
		text_add(out, "P-Called-Party-ID: <sip:user%u@" DOMAIN ">\r\n", c->user);
}

void core_call(struct core_script *core, const struct core_binding *b)
{
	struct call *c = call_new(core->sim, END_CORE, b->wic, b->conn, b->user);

	if (c == NULL)
		return;
	c->sub = b->sub;
	c->to_block = b->block;
	c->sought = b->block;
	snprintf(c->to, sizeof(c->to), "%.*s", (int)strlen(b->contact) - 2, b->contact + 1);
	snprintf(c->route, sizeof(c->route), "Route: %s\r\n", b->path);
	call_begin(core->sim, c);
}

/* ---- what it must not find -------------------------------------------------------------------
 */

static void broken(struct sim *sim, const char *name, const struct call *c, const char *what,
		   struct span message)
{
	sim_broken(sim, name, "k%u: %s in %.*s", call_number(sim, c), what,
		   (int)span_find(message, '\r'), (const char *)message.at);
}

static void check_identity(struct sim *sim, const struct call *c, struct span message, bool initial)
{
	struct span identity = text_header(message, "P-Asserted-Identity", 0);
	uint32_t user = (uint32_t)text_number(identity, "<sip:user",
					      text_number(identity, "<tel:+15550", UINT32_MAX));

	if (text_has(message, "president") || text_count(message, "P-Preferred-Identity") > 0)
		broken(sim, "one-own-identity", c, "a WIC's word about who it is", message);
	if (initial && (text_count(message, "P-Asserted-Identity") != 1 || user != c->user))
		broken(sim, "one-own-identity", c, "not its own identity", message);
}

/** A call has one charging identifier, whoever asks what in it. */
static void check_charging(struct sim *sim, struct call *c, struct span message)
{
	struct span vector = text_header(message, "P-Charging-Vector", 0);
	char icid[80];

	if (text_count(message, "P-Charging-Vector") != 1 || text_has(message, "forged") ||
	    text_count(message, "P-Charging-Function-Addresses") > 0) {
		broken(sim, "trust-boundary", c, "a WIC's charging or Path", message);
		return;
	}
	snprintf(icid, sizeof(icid), "%.*s", (int)span_find(vector, ';'), (const char *)vector.at);
	if (c->caller == END_CORE) {
		if (text_number(vector, "icid-k", UINT64_MAX) != call_number(sim, c))
			broken(sim, "icid-of-the-dialog", c, "another charging identifier",
			       message);
	} else if (c->icid[0] == 0) {
		snprintf(c->icid, sizeof(c->icid), "%s", icid);
	} else if (strcmp(c->icid, icid) != 0) {
		broken(sim, "icid-of-the-dialog", c, "another charging identifier", message);
	}
}

/** What the gateway makes itself says nothing of a WIC but its INVITE's From, To and Call-ID. */
static bool is_gateways(struct span message)
{
	return text_count(message, "Via") == 1 &&
	       (span_starts(message, SPAN("CANCEL ")) || span_starts(message, SPAN("ACK ")));
}

static void check_request(struct sim *sim, struct call *c, struct span message)
{
	bool initial = !text_has(text_header(message, "To", 0), ";tag=");

	if (text_count(message, "Max-Forwards") != 1 || text_count(message, "Authorization") > 0)
		broken(sim, "trust-boundary", c, "Max-Forwards or credentials", message);
	if (text_has(text_header(message, "Route", 0), "t1."))
		broken(sim, "trust-boundary", c, "the gateway's own Route", message);
	check_identity(sim, c, message, initial && !is_gateways(message));
	if (is_gateways(message)) {
		if (text_count(message, "P-Charging-Vector") > 0 || text_has(message, "forged"))
			broken(sim, "trust-boundary", c, "charging", message);
		return;
	}
	if (text_count(message, "Via") != 2)
		broken(sim, "trust-boundary", c, "not two Vias", message);
	check_charging(sim, c, message);
}

/** Answers of a WIC's say who it is and whose charging it is; the gateway's own nothing. */
static void check_response(struct sim *sim, struct call *c, struct span message)
{
	const struct exchange *x = exchange_of(sim, c, message);

	check_identity(sim, c, message, false);
	if (text_has(message, "forged") || text_count(message, "Authorization") > 0)
		broken(sim, "trust-boundary", c, "a WIC's charging or credentials", message);
	if (text_count(message, "X-End") == 0)
		return;
	check_charging(sim, c, message);
	if (x != NULL && x->method == CALL_INVITE &&
	    text_count(message, "P-Asserted-Identity") != 1)
		broken(sim, "one-own-identity", c, "not one identity", message);
}

/* ---- what arrives ----------------------------------------------------------------------------
 */

/** This place of the core has too much to do. ACK and CANCEL it takes. */
static bool refuses(struct core_script *core, const struct core_way *way, struct span message)
{
	uint8_t text[CORE_TEXT_MAX];
	struct writer out;

	if (!core_busy(core, way) || span_starts(message, SPAN("ACK ")) ||
	    span_starts(message, SPAN("CANCEL ")))
		return false;
	writer_init(&out, text, sizeof(text));
	core_write_response(message, 503, &out);
	text_add(&out, "X-End: 1\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
	core_answer(core, way, writer_span(&out));
	return true;
}

/** It comes by another connection than before. */
static bool is_elsewhere(const struct core_way *before, const struct core_way *now)
{
	return before->tcp && now->tcp &&
	       (before->link != now->link || before->number != now->number);
}

void core_call_message(struct core_script *core, const struct core_way *way, struct call *c,
		       struct span message)
{
	struct sim *sim = core->sim;
	struct core_way back = *way;
	struct exchange *x = exchange_of(sim, c, message);

	if (text_status(message) != 0) {
		check_response(sim, c, message);
		call_response(sim, c, END_CORE, message);
		return;
	}
	check_request(sim, c, message);
	if (!back.tcp && sim_chance(sim, 50)) /* RFC 3261 18.2.2: to sent-by */
		endpoint_set_port(&back.peer, (uint16_t)text_number(text_header(message, "Via", 0),
								    ADDRESS_MW ":", 5060));
	if (x != NULL && x->delivered == 0 && refuses(core, &back, message))
		return;
	if (x != NULL) {
		x->elsewhere = is_elsewhere(&here(sim, x)->way, &back);
		here(sim, x)->way = back;
	}
	if (!sim_failed(sim))
		call_request(sim, c, END_CORE, message, wic_call_conn(sim, c));
}
