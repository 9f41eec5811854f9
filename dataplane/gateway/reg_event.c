/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "block.h"
#include "homes.h"
#include "originate.h"
#include "reg_event.h"

/*
 * Subscriptions to registration events (PROTOCOL 9.9, RFC 6665): a dialog of this node's own for
 * each registration, on the worker that has it. Our Contact names it by a flow token of kind 3, so
 * a NOTIFY finds its worker. Its Call-ID and tag are 128 random bits, and only trusted peers are
 * heard: nobody else knows them.
 */

#define TAG_MAX 64
#define TARGET_MAX 256
#define ROUTES_MAX 384 /* the dialog's route set as the value of a Route header */
#define ABOVE_S 600u   /* a subscription outlasts the registration by that */
#define RETRY_MIN_US 1000000ull
#define RETRY_MAX_US 600000000ull
#define RETRY_AFTER_MAX_S 86400u
#define ANSWER_US 5000000ull /* full state follows a SUBSCRIBE at once (RFC 6665 4.2.1.2) */
#define CLOSING_MAX 256u     /* connections that are to be closed at the end of a turn */

/** Owner: the worker of its subject. */
struct subscription {
	struct timer timer; /* next SUBSCRIBE; off while one is under way */
	enum reg_event_user user;
	struct handle subject;
	struct handle own; /* the SUBSCRIBE under way */
	uint8_t id[16];	   /* Call-ID and our tag are made of it */
	uint32_t cseq;	   /* of our last SUBSCRIBE */
	uint32_t least_s;  /* Expires that the core takes at least; 0: it has not said */
	uint32_t asked_s;  /* of our last SUBSCRIBE */
	uint64_t retry_us; /* wait after the next failure */
	/* when the SUBSCRIBE was sent that began the dialog, and the last one */
	uint64_t begun_us, sent_us;
	bool notified; /* in this dialog: the next two are known */
	uint32_t remote_cseq, version;
	bool versioned; /* a document was read: version is known */
	bool asked;	/* what was said may be old: the next full state counts */
	bool again;	/* and its question waits for the answer to the one before */
	bool waits;	/* the question is answered, and that state has to follow */
	uint16_t tag_len, target_len, routes_len; /* tag_len 0: there is no dialog yet */
	uint8_t tag[TAG_MAX], target[TARGET_MAX], routes[ROUTES_MAX];
};

struct reg_events {
	struct slots *pool;
	struct reginfo_reader *reader;
	uint32_t closing_from, closing_to;
	struct gateway_ended closing[CLOSING_MAX];
};

static const struct reg_event_ops *ops_of(const struct subscription *s)
{
	static const struct reg_event_ops *const all[REG_EVENT_USERS] = {
		[REG_EVENT_BINDING] = &reg_binding_ops,
		[REG_EVENT_BLOCK] = &reg_block_ops,
	};

	return all[s->user];
}

bool reg_events_open(struct gateway *gw)
{
	struct reg_events *all = gw->reg_events = calloc(1, sizeof(*all));

	if (all == NULL)
		return false;
	all->pool = slots_new(gw->config.worker, gw->config.max_bindings + BLOCKS_MAX,
			      sizeof(struct subscription), gw->config.epoch);
	all->reader = reginfo_reader_new();
	return all->pool != NULL && all->reader != NULL;
}

void reg_events_close(struct gateway *gw)
{
	if (gw->reg_events == NULL)
		return;
	slots_free(gw->reg_events->pool);
	reginfo_reader_free(gw->reg_events->reader);
	free(gw->reg_events);
}

uint32_t gateway_reg_events(const struct gateway *gw)
{
	return slots_live(gw->reg_events->pool);
}

static struct subscription *subscription_at(const struct gateway *gw, struct handle h)
{
	return slots_at(gw->reg_events->pool, h);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void stop(struct gateway *gw, struct subscription *s)
{
	struct transaction *t = slots_at(gw->transactions, s->own);

	if (t != NULL)
		transaction_free(gw, t);
	s->own = handle_none();
	wheel_disarm(gw->wheel, &s->timer);
}

static void put(struct gateway *gw, struct subscription *s)
{
	stop(gw, s);
	if (slots_put(gw->reg_events->pool, s))
		counter_sub(&gw_counters(gw)->reg_event_live, 1);
	else
		counter_add(&gw_counters(gw)->invariant_broken, 1);
}

void reg_event_forget(struct gateway *gw, struct handle subscription)
{
	struct subscription *s = subscription_at(gw, subscription);

	if (s != NULL)
		put(gw, s);
}

/** A dialog that nobody knows of yet. */
static void begin_dialog(struct gateway *gw, struct subscription *s)
{
	uint64_t words[2] = {gw->env->random(gw->env->context), gw->env->random(gw->env->context)};

	memcpy(s->id, words, sizeof(s->id));
	s->cseq = 0;
	s->tag_len = s->target_len = s->routes_len = 0;
	s->notified = s->versioned = s->again = s->waits = false;
}

static void subscribe_now(struct timer *timer, void *context);

static void subscribe_at(struct gateway *gw, struct subscription *s, uint64_t due_us)
{
	wheel_arm(gw->wheel, &s->timer, due_us, subscribe_now);
}

/** A place for one of user's. Bindings leave those of the blocks alone. */
static struct subscription *get(struct gateway *gw, enum reg_event_user user)
{
	struct slots *pool = gw->reg_events->pool;

	if (user == REG_EVENT_BINDING && slots_live(pool) >= gw->config.max_bindings)
		return NULL;
	return slots_get(pool);
}

struct handle reg_event_subscribe(struct gateway *gw, enum reg_event_user user,
				  struct handle subject)
{
	struct subscription *s;

	if (!gw_config(gw)->mw_reg_event)
		return handle_none();
	s = get(gw, user);
	if (s == NULL) {
		counter_add(&gw_counters(gw)->reg_event_full, 1);
		return handle_none();
	}
	counter_add(&gw_counters(gw)->reg_event_live, 1);
	s->user = user;
	s->subject = subject;
	s->retry_us = RETRY_MIN_US;
	begin_dialog(gw, s);
	/* not while the core's 200 is in hand */
	subscribe_at(gw, s, gw->time.now_us);
	return slots_handle(gw->reg_events->pool, s);
}

/** The wait after a failure, longer each time until a subscription has lasted. */
static void try_later(struct gateway *gw, struct subscription *s, uint32_t at_least_s)
{
	uint64_t wait_us = at_least_s * UINT64_C(1000000);

	if (wait_us < s->retry_us)
		wait_us = s->retry_us;
	s->retry_us = s->retry_us * 2 < RETRY_MAX_US ? s->retry_us * 2 : RETRY_MAX_US;
	subscribe_at(gw, s, gw->time.now_us + wait_us);
}

/** The core will not tell: nothing is asked any more. */
static void give_up(struct gateway *gw, struct subscription *s)
{
	const struct reg_event_ops *ops = ops_of(s);
	struct handle subject = s->subject;

	put(gw, s);
	ops->refused(gw, subject);
}

/* ---- SUBSCRIBE ------------------------------------------------------------------------------- */

static void write_token(struct gateway *gw, const struct subscription *s,
			enum mw_transport transport)
{
	static const char *const params[] = {
		[MW_UDP] = "", [MW_TCP] = ";transport=tcp", [MW_TLS] = ";transport=tls"};
	struct flow_token token = {FLOW_SUBSCRIPTION, slots_handle(gw->reg_events->pool, s)};

	writer_text(&gw->out, "Contact: <sip:");
	flow_token_write(gw, &token, SPAN(""), &gw->out);
	writer_text(&gw->out, "@");
	request_sent_by(gw, transport, &gw->out);
	writer_text(&gw->out, params[transport]);
	writer_text(&gw->out, ">\r\n");
}

static void write_call_id(const struct gateway *gw, const struct subscription *s,
			  struct writer *out)
{
	writer_hex(out, span_of(s->id, 8));
	writer_text(out, "@");
	writer_put(out, gw_config(gw)->mw_host);
}

static void write_tag(const struct subscription *s, struct writer *out)
{
	writer_hex(out, span_of(s->id + 8, 8));
}

static void write_routes(struct gateway *gw, const struct subscription *s, struct span routes)
{
	if (s->tag_len > 0)
		routes = span_of(s->routes, s->routes_len);
	else if (!gw_config(gw)->mw_reg_event_service_route)
		return; /* D-38: by way of the I-CSCF */
	if (routes.len == 0)
		return;
	writer_text(&gw->out, "Route: ");
	writer_put(&gw->out, routes);
	writer_text(&gw->out, "\r\n");
}

static void write_dialog(struct gateway *gw, const struct subscription *s,
			 const struct reg_event_about *about)
{
	struct writer *out = &gw->out;

	writer_text(out, "Max-Forwards: 70\r\n");
	write_routes(gw, s, about->routes);
	writer_text(out, "From: <sip:");
	writer_put(out, gw_config(gw)->mw_host);
	writer_text(out, ">;tag=");
	write_tag(s, out);
	writer_text(out, "\r\nTo: <");
	writer_put(out, about->impu);
	writer_text(out, s->tag_len > 0 ? ">;tag=" : ">");
	writer_bytes(out, s->tag, s->tag_len);
	writer_text(out, "\r\nCall-ID: ");
	write_call_id(gw, s, out);
	writer_text(out, "\r\nCSeq: ");
	writer_decimal(out, s->cseq);
	writer_text(out, " SUBSCRIBE\r\n");
}

static bool write_request(struct gateway *gw, const struct subscription *s,
			  const struct transaction *t, const struct reg_event_about *about)
{
	struct identity impu;
	struct writer *out = &gw->out;

	request_begin(gw, NULL);
	writer_text(out, "SUBSCRIBE ");
	writer_put(out, s->tag_len > 0 ? span_of(s->target, s->target_len) : about->impu);
	writer_text(out, " SIP/2.0\r\n");
	request_write_via(gw, t, out);
	write_dialog(gw, s, about);
	write_token(gw, s, t->target.transport);
	writer_text(out, "Event: reg\r\nAccept: application/reginfo+xml\r\nExpires: ");
	writer_decimal(out, s->asked_s);
	writer_text(out, "\r\nP-Asserted-Identity: <sip:");
	writer_put(out, gw_config(gw)->mw_host);
	writer_text(out, ">\r\n");
	if (identity_impu(about->impu, &impu) == GW_OK)
		request_charging_vector(gw, request_realm_of(gw_config(gw), &impu), out);
	writer_text(out, "Content-Length: 0\r\n\r\n");
	return writer_ok(out);
}

/** Writes it for t's target; more than a datagram takes goes over TCP. */
static bool write_for_target(struct gateway *gw, const struct subscription *s,
			     struct transaction *t, const struct reg_event_about *about)
{
	return write_request(gw, s, t, about) &&
	       (!target_outgrown(gw, t) || write_request(gw, s, t, about));
}

static enum gw_err choose_target(struct gateway *gw, const struct subscription *s,
				 const struct reg_event_about *about, struct mw_target *target)
{
	if (s->tag_len > 0 && s->routes_len > 0)
		return originate_target(gw, originate_first(span_of(s->routes, s->routes_len)),
					target);
	if (s->tag_len > 0)
		return target_of_route(gw, span_of(s->target, s->target_len), target);
	return originate_target(gw,
				gw_config(gw)->mw_reg_event_service_route
					? originate_first(about->routes)
					: SPAN(""),
				target);
}

static bool send_one(struct gateway *gw, struct subscription *s,
		     const struct reg_event_about *about)
{
	struct transaction *t = NULL;

	/* half of the table at most is for this: the other is for those who talk */
	if (slots_live(gw->transactions) <= slots_capacity(gw->transactions) / 2)
		t = transaction_own(gw, OWN_SUBSCRIBE, slots_handle(gw->reg_events->pool, s),
				    SIP_SUBSCRIBE);
	if (t == NULL)
		return false;
	s->cseq++;
	s->sent_us = gw->time.now_us;
	if (s->tag_len == 0)
		s->begun_us = s->sent_us;
	s->asked_s = about->lasts_s < UINT32_MAX - ABOVE_S ? about->lasts_s + ABOVE_S : UINT32_MAX;
	if (s->asked_s < s->least_s)
		s->asked_s = s->least_s;
	if (choose_target(gw, s, about, &t->target) != GW_OK ||
	    !write_for_target(gw, s, t, about)) {
		transaction_free(gw, t);
		return false;
	}
	s->own = slots_handle(gw->transactions, t);
	if (transaction_send(gw, t) == GW_OK) { /* frees t itself when it fails */
		counter_add(&gw_counters(gw)->reg_event_out, 1);
		return true;
	}
	s->own = handle_none();
	return false;
}

/** The core has had its time to say otherwise. False: s has ended with its subject. */
static bool lapse(struct gateway *gw, struct subscription *s)
{
	struct handle self = slots_handle(gw->reg_events->pool, s);

	s->asked = s->waits = false;
	ops_of(s)->unanswered(gw, s->subject);
	return subscription_at(gw, self) != NULL;
}

static void subscribe_now(struct timer *timer, void *context)
{
	struct subscription *s = (struct subscription *)timer;
	struct gateway *gw = context;
	struct reg_event_about about;

	stop(gw, s);
	if (s->waits && !lapse(gw, s))
		return;
	if (!gw_config(gw)->mw_reg_event || !ops_of(s)->about(gw, s->subject, &about))
		give_up(gw, s);
	else if (!send_one(gw, s, &about))
		try_later(gw, s, 0);
}

/* ---- its answer ------------------------------------------------------------------------------ */

static uint16_t copy(uint8_t *to, uint32_t size, struct span from)
{
	if (from.len > size)
		return 0;
	memcpy(to, from.at, from.len);
	return (uint16_t)from.len;
}

/** The routes of a dialog as the value of one Route header: of a response in reverse (RFC 3261
 * 12.1.2), of a request as they come (12.1.1). False: there is no room for them. */
static bool store_routes(const struct gateway *gw, struct subscription *s)
{
	struct span elements[8];
	struct writer w;
	uint32_t n = 0;
	const struct sip_field *f = sip_first(&gw->message, SIP_HEADER_RECORD_ROUTE);

	for (; f != NULL; f = sip_next(&gw->message, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element)) {
			if (n == sizeof(elements) / sizeof(elements[0]))
				return false;
			elements[n++] = element;
		}
	}
	writer_init(&w, s->routes, sizeof(s->routes));
	for (uint32_t i = 0; i < n; i++) {
		writer_text(&w, i > 0 ? ", " : "");
		writer_put(&w, elements[gw->message.is_request ? i : n - 1 - i]);
	}
	s->routes_len = (uint16_t)writer_len(&w);
	return writer_ok(&w);
}

static struct span tag_of(const struct sip_message *m, enum sip_header id)
{
	struct sip_address a = sip_address_parse(sip_value(m, id));
	struct span tag = SPAN("");

	if (a.err == GW_OK)
		(void)sip_param(a.params, SPAN("tag"), &tag);
	return tag;
}

/** The dialog is that of the message in hand: a 2xx to our SUBSCRIBE, or a NOTIFY that comes before
 * it. False: it cannot be kept; there is none then. */
static bool store_dialog(const struct gateway *gw, struct subscription *s)
{
	const struct sip_message *m = &gw->message;
	struct sip_address contact = sip_address_parse(sip_value(m, SIP_HEADER_CONTACT));

	if (contact.err != GW_OK || contact.star || !store_routes(gw, s))
		return false;
	s->target_len = copy(s->target, sizeof(s->target), contact.uri_text);
	if (s->target_len == 0)
		return false;
	s->tag_len = copy(s->tag, sizeof(s->tag),
			  tag_of(m, m->is_request ? SIP_HEADER_FROM : SIP_HEADER_TO));
	return s->tag_len > 0;
}

/** A number of seconds at the front of a value; 0: there is none. */
static uint32_t seconds_of(struct span value)
{
	uint32_t digits = 0, seconds = 0;

	while (digits < value.len && value.at[digits] >= '0' && value.at[digits] <= '9')
		digits++; /* a comment and parameters may follow (RFC 3261 20.33) */
	if (!sip_seconds(span_cut(value, 0, digits), &seconds))
		return 0;
	return seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S;
}

/** As re-registration: 600 s before the end, of a short one at half (PROTOCOL 11). */
static uint64_t refresh_us(uint32_t granted_s)
{
	uint32_t after_s = granted_s > 1200 ? granted_s - 600 : granted_s / 2;

	return after_s * UINT64_C(1000000) + (after_s == 0 ? RETRY_MIN_US : 0);
}

static void accepted(struct gateway *gw, struct subscription *s)
{
	struct span header = sip_value(&gw->message, SIP_HEADER_EXPIRES);
	uint32_t granted_s = s->asked_s;

	if (s->cseq > 1 && s->notified)
		s->retry_us = RETRY_MIN_US; /* it has lasted */
	if (header.len > 0 && !sip_seconds(header, &granted_s))
		granted_s = 0;
	if (granted_s == 0 || (s->tag_len == 0 && !store_dialog(gw, s))) {
		counter_add(&gw_counters(gw)->reg_event_failed, 1);
		begin_dialog(gw, s);
		try_later(gw, s, 0);
		return;
	}
	s->waits = s->asked && !s->again;
	if (s->waits)
		subscribe_at(gw, s, gw->time.now_us + ANSWER_US);
	else
		subscribe_at(gw, s, gw->time.now_us + (s->again ? 0 : refresh_us(granted_s)));
	s->again = false;
}

static void failed(struct gateway *gw, struct subscription *s, uint16_t status, enum own_end how)
{
	bool again = own_may_change(status) || s->tag_len > 0 || status == 423;
	uint32_t after_s = how == OWN_RESPONSE
				   ? seconds_of(sip_value(&gw->message, SIP_HEADER_RETRY_AFTER))
				   : 0;

	counter_add(&gw_counters(gw)->reg_event_failed, 1);
	if (s->asked && !own_may_change(status) && status != 423 && !lapse(gw, s))
		return;
	if (status == 423) /* none of our making */
		s->least_s = seconds_of(sip_value(&gw->message, SIP_HEADER_MIN_EXPIRES));
	/* RFC 6665 4.1.2.2: of 408, 481 and their like the dialog is over, and the state with it */
	if (s->tag_len > 0 && status != 423)
		begin_dialog(gw, s);
	if (again)
		try_later(gw, s, after_s);
	else
		give_up(gw, s);
}

void reg_event_answered(struct gateway *gw, struct transaction *t, uint16_t status,
			enum own_end how)
{
	struct subscription *s = subscription_at(gw, t->own.subject);

	if (s == NULL)
		return;
	s->own = handle_none();
	if (status < 300)
		accepted(gw, s);
	else
		failed(gw, s, status, how);
}

/* ---- NOTIFY ---------------------------------------------------------------------------------- */

#define ACCEPT_REGINFO SPAN("Accept: application/reginfo+xml\r\n")
#define ALLOW_REG SPAN("Allow-Events: reg\r\n")

/** What a NOTIFY is answered; extra: header lines. */
struct reg_event_answer {
	uint16_t status;
	struct span extra;
};

/** Value of a header that nothing else acts on; empty: it is not there. */
static struct span header_named(const struct sip_message *m, struct span name)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_OTHER);

	while (f != NULL && !span_equal_nocase(f->name, name))
		f = sip_next(m, f);
	return f != NULL ? f->value : SPAN("");
}

/** What comes before the parameters. */
static struct span front_of(struct span value)
{
	return span_trim(span_cut(value, 0, span_find(value, ';')));
}

/** The NOTIFY is of this dialog, as far as there is one. */
static bool is_of(const struct gateway *gw, const struct subscription *s)
{
	const struct sip_message *m = &gw->message;
	struct span tag = tag_of(m, SIP_HEADER_FROM);
	uint8_t text[64 + 256];
	struct writer w;

	writer_init(&w, text, sizeof(text));
	write_tag(s, &w);
	if (!span_equal(writer_span(&w), tag_of(m, SIP_HEADER_TO)) || tag.len == 0)
		return false;
	writer_init(&w, text, sizeof(text));
	write_call_id(gw, s, &w);
	return writer_ok(&w) && span_equal(writer_span(&w), sip_value(m, SIP_HEADER_CALL_ID)) &&
	       (s->tag_len == 0 || span_equal(tag, span_of(s->tag, s->tag_len)));
}

static bool is_repeat(const struct gateway *gw, const struct subscription *s)
{
	return s->notified && gw->message.cseq == s->remote_cseq;
}

/** What is refused before its document is read; status 200: nothing. */
static struct reg_event_answer check(const struct gateway *gw, const struct subscription *s)
{
	const struct sip_message *m = &gw->message;
	struct span type = front_of(sip_value(m, SIP_HEADER_CONTENT_TYPE));

	if (!span_equal(front_of(sip_value(m, SIP_HEADER_EVENT)), SPAN("reg")))
		return (struct reg_event_answer){489, ALLOW_REG};
	if (header_named(m, SPAN("Subscription-State")).len == 0)
		return (struct reg_event_answer){400, SPAN("")};
	if (s->notified && m->cseq < s->remote_cseq) /* RFC 3261 12.2.2 */
		return (struct reg_event_answer){500, SPAN("")};
	if (m->body.len > 0 && !span_equal_nocase(type, SPAN("application/reginfo+xml")))
		return (struct reg_event_answer){415, ACCEPT_REGINFO};
	return (struct reg_event_answer){200, SPAN("")};
}

/** Its document; NULL: it has none, or one that cannot be read. */
static const struct reginfo *read_document(struct gateway *gw, struct reg_event_answer *answer)
{
	const struct reginfo *doc;

	if (gw->message.body.len == 0)
		return NULL;
	doc = reginfo_read(gw->reg_events->reader, gw->message.body,
			   gw->env->random(gw->env->context));
	if (doc->err == GW_OK)
		return doc;
	answer->status = doc->err == GW_REGINFO_LIMIT ? 413 : 400;
	gateway_count(gw, doc->err);
	return NULL;
}

/** True for a document that is newer than those before; *missed: of one between we know nothing. */
static bool is_news(struct subscription *s, const struct reginfo *doc, bool *missed)
{
	bool next = s->versioned && doc->version == s->version + 1;

	*missed = !doc->full && !next;
	if (s->versioned && doc->version <= s->version)
		return false;
	s->version = doc->version;
	s->versioned = true;
	return true;
}

/** The core is asked for its full state. */
static void ask(struct gateway *gw, struct subscription *s)
{
	/* an answer that is on its way may still be old */
	s->again = slots_at(gw->transactions, s->own) != NULL;
	s->waits = false;
	if (!s->again)
		subscribe_at(gw, s, gw->time.now_us);
}

/** The question has gone to the core: what comes now may be the answer. */
static bool is_put(const struct gateway *gw, const struct subscription *s)
{
	return s->asked && (s->waits || (slots_at(gw->transactions, s->own) != NULL && !s->again));
}

/** The core has told all there is, as it was asked to. */
static void answered(struct gateway *gw, struct subscription *s)
{
	s->asked = false;
	if (s->waits)
		subscribe_at(gw, s, gw->time.now_us + refresh_us(s->asked_s));
	s->waits = false;
}

/** What the document means. The subscription may be gone afterwards. */
static void take_document(struct gateway *gw, struct handle self, const struct reginfo *doc)
{
	struct subscription *s = subscription_at(gw, self);
	bool missed, answer = is_put(gw, s) && doc->full;
	enum reg_event_next next;

	if (!is_news(s, doc, &missed)) {
		counter_add(&gw_counters(gw)->reg_event_old, 1);
		return;
	}
	if (answer)
		answered(gw, s);
	next = ops_of(s)->said(gw, s->subject, doc, answer ? s->sent_us : s->begun_us);
	s = subscription_at(gw, self);
	if (s == NULL)
		return;
	s->asked = s->asked || next == REG_EVENT_ASK;
	if (missed)
		counter_add(&gw_counters(gw)->reg_event_gaps, 1);
	if (missed || next == REG_EVENT_ASK)
		ask(gw, s);
}

static bool is_for_good(struct span reason)
{
	return span_equal_nocase(reason, SPAN("rejected")) ||
	       span_equal_nocase(reason, SPAN("noresource")) ||
	       span_equal_nocase(reason, SPAN("invariant"));
}

/** The core has ended the subscription of somebody who is still registered (RFC 6665 4.1.3). For
 * good: that is an answer to a question that was put; one that was not is put in a new dialog. */
static void subscription_over(struct gateway *gw, struct subscription *s, struct span reason,
			      uint32_t after_s)
{
	bool good = is_for_good(reason), put_to_it = is_put(gw, s);

	stop(gw, s);
	if (good)
		counter_add(&gw_counters(gw)->reg_event_failed, 1);
	if (good && put_to_it && !lapse(gw, s))
		return;
	if (good && !s->asked) {
		give_up(gw, s);
		return;
	}
	begin_dialog(gw, s);
	try_later(gw, s, after_s);
}

/** What a NOTIFY says of the subscription itself. */
static void take_state(struct gateway *gw, struct handle self, struct span value)
{
	struct subscription *s = subscription_at(gw, self);
	struct span params = span_from(value, span_find(value, ';') + 1), reason = SPAN(""),
		    after = SPAN("");

	if (s == NULL || !span_equal_nocase(front_of(value), SPAN("terminated")))
		return; /* it is gone with the registration: done */
	(void)sip_param(params, SPAN("reason"), &reason);
	(void)sip_param(params, SPAN("retry-after"), &after);
	subscription_over(gw, s, reason, seconds_of(after));
}

/** A NOTIFY has been taken: the dialog goes on from it. */
static void heard(const struct gateway *gw, struct subscription *s)
{
	s->remote_cseq = gw->message.cseq;
	s->notified = true;
	if (s->tag_len == 0 && !store_dialog(gw, s))
		s->tag_len = 0; /* the 2xx to our SUBSCRIBE will have it */
}

static void take(struct gateway *gw, const struct mw_source *source, struct subscription *s)
{
	struct handle self = slots_handle(gw->reg_events->pool, s);
	struct reg_event_answer answer = check(gw, s);
	const struct reginfo *doc = NULL;
	bool repeat = answer.status == 200 && is_repeat(gw, s);

	if (answer.status == 200 && !repeat)
		doc = read_document(gw, &answer);
	if (answer.status == 200 && !repeat)
		heard(gw, s);
	terminate_refuse(gw, source, answer.status, answer.extra);
	if (answer.status != 200)
		counter_add(&gw_counters(gw)->reg_event_refused, 1);
	if (doc != NULL)
		take_document(gw, self, doc);
	/* a document that could not be read does not keep the subscription alive */
	if (!repeat && answer.status != 489 && answer.status != 500)
		take_state(gw, self, header_named(&gw->message, SPAN("Subscription-State")));
}

/** The handle that our Contact has; none: it is none of ours. */
static struct handle named(const struct gateway *gw)
{
	struct sip_uri uri = sip_uri_parse(gw->message.uri);
	struct flow_token token;

	if (uri.err != GW_OK || flow_token_read(gw, uri.user, SPAN(""), &token) != GW_OK ||
	    token.kind != FLOW_SUBSCRIPTION || token.handle.worker >= gw->config.workers)
		return handle_none();
	return token.handle;
}

void reg_event_notify(struct gateway *gw, const struct mw_source *source)
{
	struct handle h = named(gw);
	struct subscription *s;

	if (!handle_is_none(h) && h.worker != gw->config.worker) {
		terminate_elsewhere(gw, source, h);
		return;
	}
	s = handle_is_none(h) ? NULL : subscription_at(gw, h);
	counter_add(&gw_counters(gw)->reg_event_in, 1);
	if (s != NULL && is_of(gw, s)) {
		take(gw, source, s);
		return;
	}
	counter_add(&gw_counters(gw)->reg_event_unknown, 1);
	terminate_refuse(gw, source, 481, SPAN(""));
}

/* ---- for the worker and for operators -------------------------------------------------------- */

void reg_event_close_flow(struct gateway *gw, struct handle flow, enum gw_err why)
{
	struct reg_events *all = gw->reg_events;

	/* past the bound its WIC learns it with its next request */
	if (!handle_is_none(flow) && all->closing_to - all->closing_from < CLOSING_MAX)
		all->closing[all->closing_to++ % CLOSING_MAX] = (struct gateway_ended){flow, why};
}

bool gateway_sent_away(struct gateway *gw, struct gateway_ended *ended)
{
	struct reg_events *all = gw->reg_events;

	if (all->closing_from == all->closing_to)
		return false;
	*ended = all->closing[all->closing_from++ % CLOSING_MAX];
	return true;
}

static const char *state_name(const struct gateway *gw, const struct subscription *s)
{
	if (slots_at(gw->transactions, s->own) != NULL)
		return "asking";
	return s->tag_len > 0 ? "active" : "waiting";
}

void reg_event_name(const struct gateway *gw, struct handle subscription,
		    char name[ROW_REG_EVENT_MAX])
{
	const struct subscription *s = subscription_at(gw, subscription);
	struct writer w;

	writer_init(&w, (uint8_t *)name, ROW_REG_EVENT_MAX - 1);
	writer_text(&w, s != NULL ? state_name(gw, s) : "none");
}
