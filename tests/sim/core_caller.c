/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "events.h"
#include "member.h"

/* The scripted core's own MESSAGEs to WICs, by the Path it has stored: good, stale and tampered. */

#define T1_US 500000ull
#define T2_US 4000000ull
#define GIVES_UP_US \
	(60 * SECOND) /* past 32 s without an answer, and a core that was dead meanwhile */
#define TIMER_F_US (64 * T1_US) /* behind it, which a client waits out, it is another request */
#define ANSWERED_US (70 * SECOND)

/* ---- sending ----------------------------------------------------------------------------------
 */

/** One character of the token becomes another. */
static void tamper(struct sim *sim, char *path)
{
	char *token = strstr(path, "Ft1.");
	uint32_t at = 4 + sim_below(sim, 43);

	if (token != NULL)
		token[at] = token[at] == 'A' ? 'B' : 'A';
}

static void write_call(struct core_script *core, const struct core_call *c, uint32_t number,
		       const struct core_binding *b, struct writer *out)
{
	struct span contact = span_text(b->contact);
	char path[200];

	snprintf(path, sizeof(path), "%s", b->path);
	if (c->tampered)
		tamper(core->sim, path);
	text_add(out, "MESSAGE %.*s SIP/2.0\r\n", (int)contact.len - 2,
		 (const char *)contact.at + 1);
	text_add(out, "Via: SIP/2.0/%s 198.18.0.20:5060;branch=z9hG4bKc%u\r\n",
		 c->tcp ? "TCP" : "UDP", number);
	text_add(out,
		 "Max-Forwards: 69\r\nRoute: %s\r\nFrom: <sip:caller@else.example>;tag=c%u\r\n",
		 path, number);
	text_add(out,
		 "To: <sip:user%u@" DOMAIN ">\r\nCall-ID: c%u@core.example\r\nCSeq: 1 MESSAGE\r\n",
		 b->user, number);
	text_add(out, "P-Asserted-Identity: <sip:caller@else.example>\r\n");
	if (sim_chance(core->sim, 70))
		text_add(out, "P-Called-Party-ID: <sip:user%u@" DOMAIN ">\r\n", b->user);
	text_add(out, "P-Charging-Vector: icid-value=c%u;orig-ioi=home\r\n", number);
	text_add(out, "P-Charging-Function-Addresses: ccf=1.2.3.4\r\n");
	text_add(out, "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
}

/** The port that the Path names, or another that the gateway has. */
static struct endpoint draw_target(struct core_script *core, const struct core_binding *b)
{
	struct endpoint target = sim_endpoint(ADDRESS_MW);
	struct sim *sim = core->sim;
	uint64_t port = text_number(span_text(b->path), ADDRESS_MW ":", MW_PORT);

	if (sim_chance(sim, b->block ? 60 : 20)) /* the block's are every worker's */
		port = sim_chance(sim, 50) ? MW_PORT
					   : MW_WORKER_PORT + sim_below(sim, sim->options.workers);
	endpoint_set_port(&target, (uint16_t)port);
	return target;
}

static void again(struct sim *sim, void *context, uint64_t number)
{
	struct core_script *core = context;
	struct core_call *c = &core->call[number];

	if (c->status != 0 || sim->now_us - c->sent_us > GIVES_UP_US)
		return;
	if (sim->options.trace)
		sim_note(sim, "  core sends c%u to port %u", (unsigned)number,
			 endpoint_port(&c->peer));
	(void)!net_udp_send(sim->core_host.core, &c->local, &c->peer, span_of(c->bytes, c->len));
	c->retry_us = c->retry_us * 2 < T2_US ? c->retry_us * 2 : T2_US;
	sim_at(sim, sim->now_us + c->retry_us, again, core, number);
}

/** It was answered, unless its way back is gone. */
static void must_be_answered(struct sim *sim, void *context, uint64_t number)
{
	struct core_script *core = context;
	const struct core_call *c = &core->call[number];
	const struct core_link *l = &core->link[c->link];

	if (c->status != 0 || c->stranger || sim->shape.tight)
		return;
	if (c->tcp && (l->conn == NULL || l->number != c->link_number))
		return;
	sim_broken(sim, "nothing-parked-for-ever", "the core's c%u for wic %u.%u has no answer",
		   (unsigned)number, c->wic, c->conn);
}

static struct core_call *call(struct core_script *core, const struct core_binding *b, bool tampered,
			      bool stranger)
{
	uint32_t number = core->calls;
	struct core_call *c = &core->call[number];
	struct endpoint target = draw_target(core, b);
	uint8_t text[CORE_TEXT_MAX];
	struct core_link *l = NULL;
	struct writer out;

	if (core->calls == CALLS_MAX || core->leaving)
		return NULL;
	*c = (struct core_call){
		.wic = b->wic,
		.conn = b->conn,
		.user = b->user,
		.sub = b->sub,
		.tampered = tampered,
		.stranger = stranger,
		.block = b->block,
		.sought = b->block,
		.forbidden = tampered || stranger,
		.tcp = !stranger &&
		       (strstr(b->path, "transport=tcp") != NULL || sim_chance(core->sim, 20)),
		.sent_us = core->sim->now_us,
		.local = core->place[stranger ? STRANGER : 0],
		.peer = target,
		.retry_us = T1_US,
	};
	if (c->tcp)
		l = core_link_to(core, &target);
	if (c->tcp && l == NULL)
		return NULL;
	core->calls++;
	writer_init(&out, text, sizeof(text));
	write_call(core, c, number, b, &out);
	if (l != NULL) {
		c->link = (uint32_t)(l - core->link);
		c->link_number = l->number;
		core_link_write(l, writer_span(&out));
	} else {
		c->len = writer_len(&out);
		c->bytes = malloc(c->len);
		memcpy(c->bytes, text, c->len);
		again(core->sim, core, number);
	}
	sim_note(core->sim, "core MESSAGE c%u over %s to wic %u.%u%s%s", number,
		 c->tcp ? "TCP" : "UDP", b->wic, b->conn, tampered ? " tampered" : "",
		 stranger ? " by a stranger" : "");
	sim_at(core->sim, core->sim->now_us + ANSWERED_US, must_be_answered, core, number);
	sim_arrived(core->sim, SIM_HOST_CORE);
	return c;
}

static const struct core_binding *draw_binding(struct core_script *core)
{
	uint32_t n = core->bindings, from = sim_below(core->sim, n);

	if (core->stales > 0 && sim_chance(core->sim, 25))
		return &core->stale[sim_below(core->sim,
					      core->stales < STALE_MAX ? core->stales : STALE_MAX)];
	for (uint32_t i = 0; i < n; i++)
		if (core->binding[(from + i) % n].live)
			return &core->binding[(from + i) % n];
	return NULL;
}

/** The core asks whether the gateway lives, and a stray REGISTER. */
static void nonsense(struct core_script *core)
{
	struct endpoint target = sim_endpoint(ADDRESS_MW);
	uint8_t text[CORE_TEXT_MAX];
	struct writer out;

	endpoint_set_port(&target, MW_PORT);
	writer_init(&out, text, sizeof(text));
	text_add(&out,
		 "%s sip:" ADDRESS_MW
		 " SIP/2.0\r\nVia: SIP/2.0/UDP 198.18.0.20:5060;branch=z9hG4bKn%u\r\n"
		 "From: <sip:core@else.example>;tag=1\r\nTo: <sip:ep@else.example>\r\n"
		 "Call-ID: n@core.example\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
		 sim_chance(core->sim, 50) ? "OPTIONS" : "MESSAGE", core->calls,
		 sim_chance(core->sim, 50) ? "OPTIONS" : "MESSAGE");
	(void)!net_udp_send(core->sim->core_host.core, &core->place[0], &target, writer_span(&out));
}

void core_calls(struct sim *sim, void *context, uint64_t arg)
{
	struct core_script *core = context;
	const struct core_binding *b;
	struct core_binding block;
	bool blocks;

	(void)arg;
	if (sim->draining)
		return;
	blocks = sim->members != NULL && sim_chance(sim, 60) && core_block_draw(core, &block);
	b = blocks ? &block : draw_binding(core);
	if (b != NULL && sim_chance(sim, 30))
		core_call(core, b);
	else if (b != NULL)
		(void)call(core, b, !blocks && sim_chance(sim, 10), sim_chance(sim, 3));
	if (sim_chance(sim, 5))
		nonsense(core);
	sim_at(sim, sim->now_us + (sim_chance(sim, 20) ? 1 : sim_between(sim, 1, sim_s(2))),
	       core_calls, core, 0);
}

/** How user is reached. False: not at all. */
static bool find_binding(struct core_script *core, uint32_t user, struct core_binding *b)
{
	if (core->sim->members != NULL && member_user(user))
		return core_block_binding(core, user, b);
	for (uint32_t i = 0; i < core->bindings; i++) {
		if (!core->binding[i].live || core->binding[i].user != user)
			continue;
		*b = core->binding[i];
		return true;
	}
	return false;
}

bool core_relay(struct core_script *core, uint32_t user, uint32_t number,
		const struct core_way *way, struct span request)
{
	struct core_binding b;
	struct core_call *c;
	struct writer out;

	c = find_binding(core, user, &b) ? call(core, &b, false, false) : NULL;
	if (c == NULL)
		return false;
	c->relay = number + 1;
	c->relay_way = *way;
	writer_init(&out, c->relay_head, sizeof(c->relay_head));
	writer_text(&out, "MESSAGE sip:x SIP/2.0\r\n");
	text_copy(&out, request, "Via");
	text_copy(&out, request, "From");
	text_copy(&out, request, "To");
	text_copy(&out, request, "Call-ID");
	text_copy(&out, request, "CSeq");
	c->relay_len = writer_len(&out);
	return true;
}

/* ---- what comes of it -------------------------------------------------------------------------
 */

static struct core_call *call_of(struct core_script *core, struct span message)
{
	struct span id = text_header(message, "Call-ID", 0);
	uint64_t number = text_number(span_cut(id, 0, 10), "c", UINT64_MAX);

	return number < core->calls && text_has(id, "@core.example") ? &core->call[number] : NULL;
}

static void check_response(struct core_script *core, const struct core_call *c, struct span message)
{
	uint32_t number = (uint32_t)(c - core->call);

	if (text_has(message, "president") || text_has(message, "forged"))
		sim_broken(core->sim, "trust-boundary", "the answer to c%u is forged", number);
	if (!text_has(message, "X-From-Wic"))
		return; /* the gateway's own */
	if (text_count(message, "P-Asserted-Identity") != 1 ||
	    text_count(message, "P-Charging-Vector") != 1)
		sim_broken(core->sim, "one-own-identity", "the answer to c%u asserts %u", number,
			   text_count(message, "P-Asserted-Identity"));
	if (c->forbidden)
		sim_broken(core->sim, "forged-flow-refused", "c%u was answered by a WIC", number);
}

void core_response(struct core_script *core, struct span message)
{
	struct core_call *c = call_of(core, message);
	uint16_t status = text_status(message);
	uint8_t text[CORE_TEXT_MAX];
	struct writer out;

	if (core_notify_answered(core, message) || c == NULL || status < 200)
		return;
	check_response(core, c, message);
	if (c->tampered && status != 403 && status != 430 && status != 480 && status != 503)
		sim_broken(core->sim, "forged-flow-refused", "c%u got %u",
			   (unsigned)(c - core->call), status);
	if (c->status == 0 && c->relay > 0) {
		struct request *r = &core->sim->request[c->relay - 1];

		r->core_status = status;
		writer_init(&out, text, sizeof(text));
		core_write_response(span_of(c->relay_head, c->relay_len), status, &out);
		text_add(&out, "Content-Length: 0\r\n\r\n");
		core_answer(core, &c->relay_way, writer_span(&out));
	}
	if (c->status == 0)
		sim_note(core->sim, "core c%u -> %u", (unsigned)(c - core->call), status);
	if (c->status == 0 && c->block && !c->stranger)
		watch_block_called(core->sim, c->user, c->sent_us, status, c->delivered > 0);
	c->status = status;
}

/** Over one connection to one WIC nothing overtakes: rings and streams keep order. */
static void check_order(struct core_script *core, const struct core_call *c, uint32_t wic)
{
	uint32_t number = (uint32_t)(c - core->call);

	if (!c->tcp)
		return;
	if (core->last_link[wic] == c->link_number && core->last_sequence[wic] > number)
		sim_broken(core->sim, "mailbox-order", "wic %u got c%u after c%u", wic, number,
			   core->last_sequence[wic]);
	core->last_link[wic] = c->link_number;
	core->last_sequence[wic] = number;
}

void core_delivered(struct sim *sim, struct span message, uint32_t wic, uint32_t conn)
{
	struct core_script *core = sim->core;
	struct core_call *c = call_of(core, message);
	uint32_t number = c != NULL ? (uint32_t)(c - core->call) : 0;

	if (c == NULL) {
		sim_broken(sim, "right-flow", "wic %u.%u got what nobody sent", wic, conn);
		return;
	}
	sim_note(sim, "wic %u.%u got c%u", wic, conn, number);
	if (c->sought || (c->block && watch_block_forgotten(sim, c->delivered_us))) {
		c->sought = false;
		c->delivered = 0;
		c->delivered_us = sim->now_us;
		c->wic = wic;
		c->conn = conn;
		watch_block_reached(sim, c->user, wic, c->sent_us);
	}
	if (c->forbidden)
		sim_broken(sim, "forged-flow-refused", "wic %u.%u got c%u", wic, conn, number);
	if (c->wic != wic || c->conn != conn)
		sim_broken(sim, "right-flow", "wic %u.%u got c%u for %u.%u", wic, conn, number,
			   c->wic, c->conn);
	if (c->sub != wic_sub_here(sim->wics, wic) && wic_sub_here(sim->wics, wic) != 0)
		sim_broken(sim, "right-user", "wic %u.%u of v%u got c%u for v%u", wic, conn,
			   wic_sub_here(sim->wics, wic), number, c->sub);
	if (++c->delivered > 1 && sim->now_us - c->sent_us <= TIMER_F_US)
		sim_broken(sim, "delivered-once", "wic %u.%u got c%u again", wic, conn, number);
	if (c->sent_us > wic_authorised_until_us(sim->wics, wic, conn) + TIMER_LATE_US)
		sim_broken(sim, "registration-within-token",
			   "wic %u.%u got c%u after its last token", wic, conn, number);
	if (c->sent_us > wic_bound_until_us(sim->wics, wic, conn) + TIMER_LATE_US)
		sim_broken(sim, "bound-flows-only", "wic %u.%u got c%u without a registration", wic,
			   conn, number);
	if (sim->events != NULL)
		watch_events_delivered(sim, &(struct event_called){c->wic, c->conn, c->user,
								   c->sent_us});
	check_order(core, c, wic);
}
