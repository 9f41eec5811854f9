/* SPDX-License-Identifier: BSD-3-Clause */
#include "events.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * Registration events of the scripted core (RFC 3680, RFC 6665): what it answers to SUBSCRIBEs,
 * what it does with registrations of its own accord, and what it says of that, at once, late or
 * twice.
 */

#define T1_US 500000ull
#define T2_US 4000000ull
#define GIVES_UP_US (60 * SECOND)
#define ANSWERED_US (70 * SECOND)
#define AGAIN_S 2 /* a subscription that has ended may be made again then */

static const char *const rows[ROWS] = {
	"registered",	"created",     "refreshed", "shortened", "expired",
	"unregistered", "deactivated", "probation", "rejected",	 "moved",
};

/* what may be wrong with a NOTIFY, and what it is answered then */
enum fault { FAULT_NONE, FAULT_EVENT, FAULT_STATE, FAULT_TYPE, FAULT_XML, FAULT_DOCTYPE, FAULTS };
static const uint16_t fault_status[FAULTS] = {200, 489, 400, 415, 400, 400};

struct events *events_new(struct sim *sim)
{
	struct events *e = table_new(sizeof(*e));

	e->one_call_id = sim_chance(sim, 50);
	e->overlaps = sim_chance(sim, 50);
	return e;
}

void events_free(struct events *events)
{
	for (uint32_t i = 0; events != NULL && i < events->notifies; i++)
		free(events->notify[i].bytes);
	if (events != NULL)
		table_free(events, sizeof(*events));
}

static struct event_state *state_of(struct core_script *core, const struct core_binding *b)
{
	return &core->sim->events->state[b - core->binding];
}

/* ---- documents --------------------------------------------------------------------------------
 */

static void write_params(const struct core_script *core, const struct core_binding *b,
			 struct writer *out)
{
	if (!b->outbound)
		return;
	text_add(out, "<unknown-param name=\"+sip.instance\">\"&lt;urn:uuid:w%u", b->wic);
	if (b->wic < core->sim->shape.visitors)
		text_add(out, "i%u", b->instance);
	text_add(out, "&gt;\"</unknown-param><unknown-param name=\"reg-id\">1</unknown-param>");
}

static void write_contact(struct core_script *core, const struct core_binding *b,
			  const struct core_notify *n, struct writer *out)
{
	text_add(out, "<contact id=\"c%u\" state=\"%s\" event=\"%s\"", b->user,
		 n->ends ? "terminated" : "active", rows[n->row]);
	if (n->has_expires)
		text_add(out, " expires=\"%u\"", n->expires_s);
	if (n->retry_after_s > 0)
		text_add(out, " retry-after=\"%u\"", n->retry_after_s);
	if (n->named || sim_chance(core->sim, 20))
		text_add(out, " callid=\"%s\"", b->call_id);
	if (n->named)
		text_add(out, " cseq=\"%u\"", b->cseq);
	text_add(out, "><uri>%.*s</uri>", (int)strlen(b->contact) - 2, b->contact + 1);
	if (sim_chance(core->sim, 80))
		write_params(core, b, out);
	text_add(out, "</contact>");
}

/** Somebody else's, who has nothing to do with it. */
static void write_other(struct core_script *core, const struct core_binding *b, struct writer *out)
{
	const struct core_binding *x = &core->binding[sim_below(core->sim, core->bindings)];

	if (x->by == 0 || x->wic == b->wic || x->user == b->user)
		return;
	text_add(out,
		 "<registration aor=\"sip:user%u@" DOMAIN "\" id=\"x\" state=\"terminated\">"
		 "<contact id=\"x\" state=\"terminated\" event=\"rejected\" callid=\"%s\" "
		 "cseq=\"%u\"><uri>%.*s</uri></contact></registration>",
		 x->user, x->call_id, x->cseq, (int)strlen(x->contact) - 2, x->contact + 1);
}

static void write_registration(struct core_script *core, const struct core_binding *b,
			       const struct core_notify *n, const char *aor, struct writer *out)
{
	bool active = n->stands || (n->full && n->ends && sim_chance(core->sim, 40));

	text_add(out, "<registration aor=\"%s\" id=\"r\" state=\"%s\">", aor,
		 active ? "active" : "terminated");
	if (n->contact)
		write_contact(core, b, n, out);
	if (sim_chance(core->sim, 15))
		text_add(out, "<contact id=\"o\" state=\"terminated\" event=\"expired\">"
			      "<uri>sip:other@device.invalid</uri></contact>");
	text_add(out, "</registration>");
}

static void write_document(struct core_script *core, const struct core_binding *b,
			   const struct core_notify *n, enum fault fault, struct writer *out)
{
	const struct event_state *e = state_of(core, b);
	char aor[64];

	text_add(out, "<?xml version=\"1.0\"?>\n");
	if (fault == FAULT_DOCTYPE)
		text_add(out, "<!DOCTYPE reginfo [<!ENTITY x \"y\">]>\n");
	text_add(out,
		 "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"%u\" state=\"%s\">",
		 n->version, n->full ? "full" : "partial");
	if (sim_chance(core->sim, 20))
		write_other(core, b, out);
	snprintf(aor, sizeof(aor), "sip:user%u@" DOMAIN, b->user);
	write_registration(core, b, n, aor, out);
	snprintf(aor, sizeof(aor), "tel:+1555%05u", b->user);
	if (e->tel && (n->contact || n->ends))
		write_registration(core, b, n, aor, out);
	text_add(out, fault == FAULT_XML ? "</reg" : "</reginfo>\n");
}

/* ---- sending ----------------------------------------------------------------------------------
 */

static void again(struct sim *sim, void *context, uint64_t number)
{
	struct core_notify *n = &sim->events->notify[number];

	(void)context;
	if (n->status != 0 || sim->now_us > n->sent_us + GIVES_UP_US)
		return;
	watch_notify_sent(sim, n);
	(void)!net_udp_send(sim->core_host.core, &sim->core->place[0], &n->peer,
			    span_of(n->bytes, n->len));
	sim_arrived(sim, SIM_HOST_CORE);
	n->again_us = n->again_us * 2 < T2_US ? n->again_us * 2 : T2_US;
	sim_at(sim, sim->now_us + n->again_us, again, NULL, number);
}

static void must_be_answered(struct sim *sim, void *context, uint64_t number)
{
	struct core_notify *n = &sim->events->notify[number];
	struct core_sub *sub = &sim->events->sub[n->sub];
	const struct core_link *l = &sim->core->link[n->link];

	(void)context;
	if (n->status != 0)
		return;
	sub->open--;
	sub->live = false; /* RFC 6665 4.2.2 */
	sim->events->state[sub->binding].ending -= n->ends;
	if (!sim->shape.tight && (!n->tcp || (l->conn != NULL && l->number == n->link_number)))
		sim_broken(sim, "nothing-parked-for-ever", "the core's n%u has no answer",
			   (unsigned)number);
}

static void send_tcp(struct core_script *core, struct core_notify *n)
{
	struct core_link *l = core_link_to(core, &n->peer);

	if (l == NULL)
		return;
	n->link = (uint32_t)(l - core->link);
	n->link_number = l->number;
	watch_notify_sent(core->sim, n);
	core_link_write(l, span_of(n->bytes, n->len));
	sim_arrived(core->sim, SIM_HOST_CORE);
}

static void begin(struct sim *sim, void *context, uint64_t number)
{
	struct core_notify *n = &sim->events->notify[number];
	const struct core_sub *sub = &sim->events->sub[n->sub];
	struct core_script *core = context;
	uint64_t port = text_number(span_text(sub->target), ADDRESS_MW ":", MW_PORT);

	if (core->leaving)
		return;
	n->peer = sim_endpoint(ADDRESS_MW);
	if (sim_chance(sim, 20))
		port = sim_chance(sim, 50) ? MW_PORT
					   : MW_WORKER_PORT + sim_below(sim, sim->options.workers);
	endpoint_set_port(&n->peer, (uint16_t)port);
	n->sent_us = sim->now_us;
	n->again_us = T1_US / 2;
	sim_note(sim, "core NOTIFY n%u over %s: user%u %s%s%s v%u", (unsigned)number,
		 n->tcp ? "TCP" : "UDP", core->binding[sub->binding].user, rows[n->row],
		 n->named ? "" : " of no REGISTER", n->contact ? "" : " without its contact",
		 n->version);
	sim_at(sim, sim->now_us + ANSWERED_US, must_be_answered, NULL, number);
	if (n->tcp)
		send_tcp(core, n);
	else
		again(sim, NULL, number);
}

static void write_notify(struct core_script *core, struct core_notify *n, struct span document,
			 enum fault fault, struct writer *out)
{
	const struct core_sub *sub = &core->sim->events->sub[n->sub];
	uint32_t number = (uint32_t)(n - core->sim->events->notify);

	text_add(out, "NOTIFY %s SIP/2.0\r\n", sub->target);
	text_add(out, "Via: SIP/2.0/%s 198.18.0.20:5060;branch=z9hG4bKn%u\r\n",
		 n->tcp ? "TCP" : "UDP", number);
	text_add(out, "Max-Forwards: 70\r\nFrom: <sip:user@" DOMAIN ">;tag=core\r\n");
	text_add(out, "To: <sip:" ADDRESS_MW ">;tag=%s\r\nCall-ID: %s\r\n", sub->tag, sub->call_id);
	text_add(out, "CSeq: %u NOTIFY\r\nContact: <sip:" ADDRESS_CORE ">\r\n", n->cseq);
	text_add(out, "Event: %s\r\n", fault == FAULT_EVENT ? "presence" : "reg");
	if (n->over)
		text_add(out, "Subscription-State: terminated;reason=%s;retry-after=%u\r\n",
			 n->ends		     ? "noresource"
			 : sim_chance(core->sim, 80) ? "deactivated"
						     : "rejected",
			 AGAIN_S);
	else if (fault != FAULT_STATE)
		text_add(out, "Subscription-State: active;expires=%u\r\n",
			 1 + sim_below(core->sim, 600));
	text_add(out, "Content-Type: %s\r\nContent-Length: %u\r\n\r\n",
		 fault == FAULT_TYPE ? "text/plain" : "application/reginfo+xml", document.len);
	writer_put(out, document);
}

/** What the newest state is, or is of a registration that does not last any more. */
static void fill(struct core_script *core, struct core_binding *b, struct core_notify *n)
{
	struct event_state *e = state_of(core, b);
	struct sim *sim = core->sim;

	if (b->live && b->until_us <= sim->now_us) {
		b->live = false;
		e->row = ROW_EXPIRED;
	} else if (!b->live && e->row < ROW_EXPIRED) {
		e->row = ROW_UNREGISTERED; /* by a REGISTER, or a farewell */
	}
	n->by = b->by;
	n->row = e->row;
	n->ends = !b->live;
	n->stands = b->live;
	n->full = n->full || sim_chance(sim, 50);
	/* what has not changed need not be in a part */
	n->contact = n->stands ? n->full || sim_chance(sim, 75) : sim_chance(sim, 75);
	n->named = n->contact && sim_chance(sim, 70);
	n->has_expires =
		n->stands && n->contact && (n->row >= ROW_REFRESHED || sim_chance(sim, 70));
	n->expires_s = n->stands ? (uint32_t)((b->until_us - sim->now_us) / SECOND) : 0;
	n->retry_after_s = n->ends && n->row == ROW_PROBATION ? e->retry_after_s : 0;
	n->over = n->ends && sim_chance(sim, 50);
}

static enum fault draw_fault(struct sim *sim, const struct core_notify *n)
{
	return !n->over && sim_chance(sim, 4) ? (enum fault)sim_below(sim, FAULTS) : FAULT_NONE;
}

static void compose(struct core_script *core, struct core_notify *n, struct span document,
		    enum fault fault)
{
	uint8_t text[CORE_TEXT_MAX];
	struct writer out;

	writer_init(&out, text, sizeof(text));
	write_notify(core, n, document, fault, &out);
	n->len = writer_len(&out);
	n->bytes = malloc(n->len);
	memcpy(n->bytes, text, n->len);
}

/** NULL: no more of them. */
static struct core_notify *notify_new(struct core_script *core, struct core_sub *sub)
{
	struct events *e = core->sim->events;
	struct core_notify *n = &e->notify[e->notifies];

	if (e->notifies == NOTIFIES_MAX || core->sim->draining || core->leaving)
		return NULL;
	e->notifies++;
	*n = (struct core_notify){
		.sub = (uint32_t)(sub - e->sub),
		.cseq = ++sub->cseq,
		.made_us = core->sim->now_us,
		.tcp = text_has(span_text(sub->target), "transport=tcp") ||
		       sim_chance(core->sim, 20),
	};
	sub->open++;
	return n;
}

static uint64_t draw_delay(struct sim *sim)
{
	return sim_chance(sim, 85) ? sim_between(sim, 1, 50000) : sim_between(sim, 1, sim_s(8));
}

/** Tells sub what is now. all: as the answer to a SUBSCRIBE. */
static void tell(struct core_script *core, struct core_sub *sub, bool all)
{
	struct core_binding *b = &core->binding[sub->binding];
	struct event_state *e = state_of(core, b);
	struct core_notify *n = notify_new(core, sub);
	struct sim *sim = core->sim;
	uint8_t text[CORE_TEXT_MAX];
	struct writer document;
	enum fault fault;

	if (n == NULL)
		return;
	n->full = all || sub->version == 0;
	sub->version += sim_chance(sim, 6) ? 2 : 1; /* one is left out */
	n->version = sub->version;
	fill(core, b, n);
	fault = all ? FAULT_NONE : draw_fault(sim, n);
	n->expect = fault_status[fault];
	e->words++;
	e->ending += n->ends;
	writer_init(&document, text, sizeof(text));
	write_document(core, b, n, fault, &document);
	compose(core, n, writer_span(&document), fault);
	sub->dirty = fault != FAULT_NONE;
	sub->live = !n->over;
	sim_at(sim, sim->now_us + draw_delay(sim), begin, core,
	       (uint64_t)(n - sim->events->notify));
}

/** The same document once more, as a NOTIFY of its own. */
static void tell_again(struct core_script *core, struct core_sub *sub, const struct core_notify *n)
{
	struct core_notify *m = notify_new(core, sub);
	const uint8_t *body = memmem(n->bytes, n->len, "\r\n\r\n", 4);

	if (m == NULL || body == NULL)
		return;
	m->version = n->version;
	m->expect = 200;
	m->by = n->by;
	m->row = n->row;
	m->made_us = n->made_us;
	m->named = n->named;
	compose(core, m, span_from(span_of(n->bytes, n->len), (uint32_t)(body - n->bytes) + 4),
		FAULT_NONE);
	sim_at(core->sim, core->sim->now_us + draw_delay(core->sim), begin, core,
	       (uint64_t)(m - core->sim->events->notify));
}

static void tell_all(struct core_script *core, const struct core_binding *b)
{
	struct events *e = core->sim->events;

	for (uint32_t i = 0; i < e->subs; i++) {
		struct core_sub *sub = &e->sub[i];

		if (!sub->live || &core->binding[sub->binding] != b)
			continue;
		if (sub->open > 0 && (!e->overlaps || sim_chance(core->sim, 50)))
			sub->dirty = true;
		else
			tell(core, sub, false);
	}
}

/* ---- SUBSCRIBE --------------------------------------------------------------------------------
 */

static struct core_sub *sub_of(struct core_script *core, struct span message)
{
	struct span id = text_header(message, "Call-ID", 0);
	struct events *e = core->sim->events;

	for (uint32_t i = e->subs; i-- > 0;)
		if (span_equal(id, span_text(e->sub[i].call_id)))
			return &e->sub[i];
	return NULL;
}

static void broken(struct core_script *core, const char *name, struct span message,
		   const char *what)
{
	sim_broken(core->sim, name, "%.*s: %s", (int)span_find(message, '\r'),
		   (const char *)message.at, what);
}

static void check_subscribe(struct core_script *core, struct span message)
{
	struct span identity = text_header(message, "P-Asserted-Identity", 0);
	struct span contact = text_header(message, "Contact", 0);

	core_check_own(core, message);
	if (!span_equal(text_header(message, "Event", 0), SPAN("reg")) ||
	    !span_equal(text_header(message, "Accept", 0), SPAN("application/reginfo+xml")))
		broken(core, "subscribe-is-whole", message, "Event or Accept");
	if (!span_equal(identity, SPAN("<sip:" ADDRESS_MW ">")) ||
	    !text_has(text_header(message, "From", 0), "<sip:" ADDRESS_MW ">;tag="))
		broken(core, "subscribe-is-whole", message, "it is not of the node");
	if (!span_starts(contact, SPAN("<sip:St1.")) || text_count(message, "Contact") != 1)
		broken(core, "subscribe-is-whole", message, "Contact");
	if (text_number(text_header(message, "Expires", 0), "", 0) < 600)
		broken(core, "subscribe-is-whole", message, "Expires");
}

/** Whose it is about; NULL: nobody's who has ever registered. */
static struct core_binding *about(struct core_script *core, struct span message)
{
	struct span to = text_header(message, "To", 0);
	uint32_t user =
		(uint32_t)text_number(to, "<sip:user", text_number(to, "<tel:+15550", UINT32_MAX));

	for (uint32_t i = 0; i < core->bindings; i++)
		if (core->binding[i].by > 0 && core->binding[i].user == user)
			return &core->binding[i];
	broken(core, "subscribe-is-whole", message, "about nobody");
	return NULL;
}

static void keep(char *to, size_t size, struct span value)
{
	snprintf(to, size, "%.*s", (int)value.len, (const char *)value.at);
}

static struct core_sub *sub_new(struct core_script *core, struct span message)
{
	struct events *e = core->sim->events;
	struct core_binding *b = about(core, message);
	struct core_sub *sub = &e->sub[e->subs];
	struct span from = text_header(message, "From", 0);

	if (e->subs == SUBS_MAX || b == NULL)
		return NULL;
	e->subs++;
	*sub = (struct core_sub){.binding = (uint32_t)(b - core->binding)};
	keep(sub->call_id, sizeof(sub->call_id), text_header(message, "Call-ID", 0));
	keep(sub->tag, sizeof(sub->tag), span_from(from, span_find(from, ';') + 5));
	return sub;
}

static uint16_t draw_status(struct core_script *core, const struct core_way *way)
{
	static const uint16_t statuses[] = {489, 403, 404, 500, 503, 480, 423, 481, 0, 0};

	if (core_busy(core, way))
		return 503;
	return core->sim->draining || sim_chance(core->sim, 85)
		       ? 200
		       : statuses[sim_below(core->sim, 10)];
}

static void write_answer(struct core_script *core, struct span message, uint16_t status,
			 struct writer *out)
{
	bool inside = text_has(text_header(message, "To", 0), ";tag=");
	struct sim *sim = core->sim;

	text_add(out, "SIP/2.0 %u Whatever\r\n", status);
	text_copy(out, message, "Via");
	text_copy(out, message, "From");
	text_add(out, "To: %.*s%s\r\n", (int)text_header(message, "To", 0).len,
		 (const char *)text_header(message, "To", 0).at, inside ? "" : ";tag=core");
	text_copy(out, message, "Call-ID");
	text_copy(out, message, "CSeq");
	if (status == 423)
		text_add(out, "Min-Expires: %u\r\n", 600 + sim_below(sim, 5000));
	if (status == 503)
		text_add(out, "Retry-After: 1\r\n");
	if (status == 200)
		text_add(out, "Contact: <sip:%s%s>\r\nExpires: %u\r\n",
			 sim_chance(sim, 70) ? ADDRESS_CORE : ADDRESS_CORE_2,
			 sim_chance(sim, 50) ? ";transport=tcp" : "",
			 sim_chance(sim, 70) ? 3600 : 2 + sim_below(sim, 20));
	if (status == 200 && sim_chance(sim, 20))
		text_add(out, "Record-Route: <sip:" ADDRESS_CORE_2 ";lr>\r\n");
	text_add(out, "Content-Length: 0\r\n\r\n");
}

static void answer(struct core_script *core, const struct core_way *way, struct span message,
		   struct core_sub *sub)
{
	struct event_state *e = &core->sim->events->state[sub->binding];
	uint8_t text[CORE_TEXT_MAX];
	struct writer out;

	if (sub->status != 200)
		e->odd_us = core->sim->now_us;
	if (sub->status == 0)
		return;
	writer_init(&out, text, sizeof(text));
	write_answer(core, message, sub->status, &out);
	if (core_answer_later(core, way, writer_span(&out)) > core->sim->now_us + SECOND)
		e->odd_us = core->sim->now_us;
}

/** Another one than before. */
static void asked(struct core_script *core, const struct core_way *way, struct span message,
		  struct core_sub *sub)
{
	struct span contact = text_header(message, "Contact", 0);

	keep(sub->target, sizeof(sub->target),
	     span_cut(span_from(contact, 1), 0, span_find(contact, '>') - 1));
	sub->status = draw_status(core, way);
	sub->live = sub->status == 200;
	sim_note(core->sim, "core gets SUBSCRIBE about user%u: %u",
		 core->binding[sub->binding].user, sub->status);
	answer(core, way, message, sub);
	if (sub->live && sim_chance(core->sim, 95))
		tell(core, sub, true);
	else
		core->sim->events->state[sub->binding].odd_us = core->sim->now_us;
}

static void refuse(struct core_script *core, const struct core_way *way, struct span message,
		   uint16_t status)
{
	uint8_t text[CORE_TEXT_MAX];
	struct writer out;

	writer_init(&out, text, sizeof(text));
	write_answer(core, message, status, &out);
	core_answer(core, way, writer_span(&out));
}

void core_subscribed(struct core_script *core, const struct core_way *way, struct span message)
{
	bool inside = text_has(text_header(message, "To", 0), ";tag=");
	uint32_t cseq = (uint32_t)text_number(text_header(message, "CSeq", 0), "", 0);
	struct core_sub *sub = sub_of(core, message);

	if (core->sim->members != NULL && text_has(text_header(message, "To", 0), "<sip:block")) {
		refuse(core, way, message, 489); /* of the block it tells nothing */
		return;
	}
	check_subscribe(core, message);
	if (sub == NULL && !inside)
		sub = sub_new(core, message);
	if (sub == NULL || (inside && !sub->live && cseq > sub->asked_cseq)) {
		if (sub != NULL)
			core->sim->events->state[sub->binding].odd_us = core->sim->now_us;
		refuse(core, way, message, 481);
		return;
	}
	if (cseq <= sub->asked_cseq) { /* again */
		answer(core, way, message, sub);
		return;
	}
	sub->asked_cseq = cseq;
	asked(core, way, message, sub);
}

/* ---- answers to NOTIFYs -----------------------------------------------------------------------
 */

/** 481: its registration has ended there; 503: a ring is full; 500: a later one has come before. */
static void check_answer(struct sim *sim, const struct core_sub *sub, const struct core_notify *n)
{
	bool late = n->status == 500 && n->cseq < sub->cseq;

	if (n->status != n->expect && n->status != 481 && n->status != 503 && !late &&
	    !(n->status == 200 && n->expect != 200 && sim->shape.tight))
		sim_broken(sim, "notify-is-judged", "n%u got %u and not %u",
			   (unsigned)(n - sim->events->notify), n->status, n->expect);
}

static void done(struct core_script *core, struct core_sub *sub, struct core_notify *n)
{
	struct sim *sim = core->sim;

	sub->open--;
	if (n->status == 481)
		sub->live = false;
	if (n->status == 200 && n->expect == 200)
		watch_notify_answered(sim, n);
	if (n->ends)
		sim->events->state[sub->binding].ending--;
	if (!sub->live || sub->open > 0)
		return;
	if (sub->dirty)
		tell(core, sub, false);
	else if (n->bytes != NULL && n->expect == 200 && sim_chance(sim, 5))
		tell_again(core, sub, n);
}

bool core_notify_answered(struct core_script *core, struct span message)
{
	struct span cseq = text_header(message, "CSeq", 0);
	uint32_t number = (uint32_t)text_number(cseq, "", 0);
	struct events *e = core->sim->events;
	uint16_t status = text_status(message);
	struct core_sub *sub;

	if (e == NULL || !text_has(cseq, "NOTIFY"))
		return false;
	sub = sub_of(core, message);
	for (uint32_t i = e->notifies; i-- > 0 && sub != NULL && status >= 200;) {
		struct core_notify *n = &e->notify[i];

		if (&e->sub[n->sub] != sub || n->cseq != number)
			continue;
		if (n->status != 0)
			return true;
		n->status = status;
		n->answered_us = core->sim->now_us;
		sim_note(core->sim, "core n%u -> %u", i, status);
		check_answer(core->sim, sub, n);
		done(core, sub, n);
		return true;
	}
	return true;
}

/* ---- of its own accord ------------------------------------------------------------------------
 */

void core_events_stored(struct core_script *core, struct core_binding *b)
{
	struct event_state *e = state_of(core, b);

	watch_events_stored(core->sim, e);
	e->row = sim_chance(core->sim, 50) ? ROW_REGISTERED : ROW_REFRESHED;
	e->tel = sim_chance(core->sim, 40);
	if (b->live)
		tell_all(core, b);
}

static void end(struct core_script *core, struct core_binding *b, struct event_state *e)
{
	static const enum event_row ends[] = {ROW_EXPIRED,     ROW_UNREGISTERED, ROW_DEACTIVATED,
					      ROW_DEACTIVATED, ROW_PROBATION,	 ROW_PROBATION,
					      ROW_REJECTED,    ROW_REJECTED,	 ROW_UNKNOWN};

	e->row = ends[sim_below(core->sim, sizeof(ends) / sizeof(ends[0]))];
	e->retry_after_s = sim_chance(core->sim, 85) ? (uint32_t)sim_between(core->sim, 1, 20) : 0;
	b->live = false;
	core->stale[core->stales++ % STALE_MAX] = *b;
	sim_note(core->sim, "core ends user%u of %u.%u: %s", b->user, b->wic, b->conn,
		 rows[e->row]);
}

static void lasts(struct core_script *core, struct core_binding *b, struct event_state *e,
		  enum event_row row, uint64_t seconds)
{
	uint64_t until_us = core->sim->now_us + sim_s(seconds);

	if (row == ROW_SHORTENED && until_us >= b->until_us)
		return;
	e->row = row;
	b->until_us = until_us;
	sim_note(core->sim, "core holds user%u for %llu s: %s", b->user,
		 (unsigned long long)seconds, rows[row]);
}

static struct core_binding *draw_binding(struct core_script *core)
{
	uint32_t n = core->bindings, from = sim_below(core->sim, n);

	for (uint32_t i = 0; i < n; i++)
		if (core->binding[(from + i) % n].live && core->binding[(from + i) % n].by > 0)
			return &core->binding[(from + i) % n];
	return NULL;
}

/** It says that a subscription is over whose registration is not. */
static void end_one(struct core_script *core)
{
	struct events *e = core->sim->events;
	struct core_sub *sub = e->subs > 0 ? &e->sub[sim_below(core->sim, e->subs)] : NULL;
	struct core_notify *n;

	if (sub == NULL || !sub->live || sub->open > 0)
		return;
	n = notify_new(core, sub);
	if (n == NULL)
		return;
	n->over = true;
	n->expect = 200;
	sub->live = false;
	e->state[sub->binding].odd_us = core->sim->now_us;
	compose(core, n, SPAN(""), FAULT_NONE);
	sim_at(core->sim, core->sim->now_us + 1, begin, core, (uint64_t)(n - e->notify));
}

void core_events(struct sim *sim, void *context, uint64_t arg)
{
	struct core_script *core = context;
	struct core_binding *b = draw_binding(core);
	uint32_t what = sim_below(sim, 100);

	(void)arg;
	if (sim->draining)
		return;
	if (b != NULL && what < 40)
		end(core, b, state_of(core, b));
	else if (b != NULL && what < 55)
		lasts(core, b, state_of(core, b), ROW_SHORTENED, sim_between(sim, 1, 10));
	else if (b != NULL && what < 75)
		lasts(core, b, state_of(core, b), ROW_REFRESHED, sim_between(sim, 5, 3000));
	else if (what < 80)
		end_one(core);
	if (b != NULL)
		tell_all(core, b);
	sim_at(sim, sim->now_us + sim_between(sim, SECOND / 4, sim_s(4)), core_events, core, 0);
}
