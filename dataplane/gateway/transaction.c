/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#define BRANCH_PREFIX SPAN("z9hG4bKwg")
#define BRANCH_LEN (9 + 28)

static bool transaction_is_call(const struct transaction *t)
{
	return t->kind == TRANSACTION_ORIGINATE && t->method == SIP_INVITE;
}

/** Puts t on its flow's list. */
static void transaction_attach(struct transaction *t, struct wic *wic)
{
	t->flow = wic->flow;
	t->flow_next = wic->pending;
	t->flow_link = &wic->pending;
	if (t->flow_next != NULL)
		t->flow_next->flow_link = &t->flow_next;
	wic->pending = t;
	wic->transactions++;
	wic->requests += t->kind != TRANSACTION_TERMINATE;
	wic->calls += transaction_is_call(t);
}

struct transaction *transaction_new(struct gateway *gw, enum transaction_kind kind, struct wic *wic)
{
	struct transaction *t;

	if (kind != TRANSACTION_TERMINATE && wic->requests >= WIC_REQUESTS_MAX)
		return NULL;
	t = slots_get(gw->transactions);
	if (t == NULL)
		return NULL;
	t->kind = kind;
	t->salt = (uint32_t)gw->env->random(gw->env->context);
	t->method = gw->message.method;
	transaction_attach(t, wic);
	counter_add(&gw_counters(gw)->transaction_live, 1);
	return t;
}

struct transaction *transaction_own(struct gateway *gw, enum own_kind what, struct handle subject,
				    enum sip_method method)
{
	struct transaction *t = slots_get(gw->transactions);

	if (t == NULL)
		return NULL;
	t->kind = TRANSACTION_OWN;
	t->own.what = what;
	t->own.subject = subject;
	t->salt = (uint32_t)gw->env->random(gw->env->context);
	t->method = method;
	counter_add(&gw_counters(gw)->transaction_live, 1);
	return t;
}

static uint32_t *transaction_bucket(struct gateway *gw, uint64_t key)
{
	return &gw->bucket[key & gw->bucket_mask];
}

static struct transaction *transaction_in_slot(const struct gateway *gw, uint32_t slot_plus_1)
{
	uint32_t cursor = slot_plus_1 - 1;

	return slot_plus_1 == 0 ? NULL : slots_next(gw->transactions, &cursor);
}

void transaction_insert(struct gateway *gw, struct transaction *t)
{
	uint32_t *bucket = transaction_bucket(gw, t->termination.key);

	t->termination.next = *bucket;
	*bucket = slots_handle(gw->transactions, t).slot + 1;
}

static void transaction_unlink(struct gateway *gw, struct transaction *t)
{
	uint32_t self = slots_handle(gw->transactions, t).slot + 1;
	uint32_t *link = transaction_bucket(gw, t->termination.key);

	while (*link != 0 && *link != self)
		link = &transaction_in_slot(gw, *link)->termination.next;
	if (*link == self)
		*link = t->termination.next;
}

struct transaction *transaction_find(struct gateway *gw, uint64_t key, enum sip_method method)
{
	struct transaction *t = transaction_in_slot(gw, *transaction_bucket(gw, key));

	while (t != NULL && (t->termination.key != key || t->method != method))
		t = transaction_in_slot(gw, t->termination.next);
	return t;
}

/** The flow owes or is owed nothing more by t. */
static void transaction_detach(struct gateway *gw, struct transaction *t)
{
	struct wic *wic = gw->env->wic(gw->env->context, t->flow);

	if (t->flow_link == NULL)
		return;
	*t->flow_link = t->flow_next;
	if (t->flow_next != NULL)
		t->flow_next->flow_link = t->flow_link;
	t->flow_link = NULL;
	if (wic != NULL) {
		wic->transactions--;
		wic->requests -= t->kind != TRANSACTION_TERMINATE;
		wic->calls -= transaction_is_call(t);
	}
	t->flow = handle_none();
}

void transaction_free(struct gateway *gw, struct transaction *t)
{
	transaction_detach(gw, t);
	wheel_disarm(gw->wheel, &t->timer);
	if (t->kind == TRANSACTION_TERMINATE)
		transaction_unlink(gw, t);
	if (!slots_put(gw->transactions, t))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	else
		counter_sub(&gw_counters(gw)->transaction_live, 1);
}

uint64_t transaction_key(const struct gateway *gw, const struct sip_message *m)
{
	struct sip_via via = request_top_via(m);
	uint8_t text[1024];
	struct writer w;

	writer_init(&w, text, sizeof(text));
	writer_put(&w, span_cut(via.branch, 0, 200));
	writer_u8(&w, '\n');
	writer_put(&w, span_cut(via.host, 0, 200));
	writer_u16_be(&w, via.port);
	writer_put(&w, span_cut(sip_value(m, SIP_HEADER_CALL_ID), 0, 400));
	writer_u32_be(&w, m->cseq);
	return siphash(gw->bucket_key, writer_span(&w));
}

void transaction_branch(struct gateway *gw, const struct transaction *t, struct writer *out)
{
	struct handle h = slots_handle(gw->transactions, t);
	uint8_t bytes[14];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	writer_u16_be(&w, h.worker);
	writer_u32_be(&w, h.slot);
	writer_u32_be(&w, h.generation);
	writer_u32_be(&w, t->salt);
	writer_put(out, BRANCH_PREFIX);
	writer_hex(out, writer_span(&w));
}

/** Reads n lower-case hexadecimal digits. */
static bool branch_hex(struct span *in, uint32_t n, uint32_t *out)
{
	struct span digits;
	uint32_t value = 0;

	if (!span_take(in, n, &digits))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t c = digits.at[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint32_t)(c - 'a' + 10);
		else
			return false;
	}
	*out = value;
	return true;
}

struct transaction *transaction_of(struct gateway *gw, const struct sip_via *via,
				   struct handle *elsewhere)
{
	struct span in = span_from(via->branch, BRANCH_PREFIX.len);
	uint32_t worker, slot, generation, salt;
	struct transaction *t;
	struct handle h;

	if (via->branch.len != BRANCH_LEN || !span_starts(via->branch, BRANCH_PREFIX) ||
	    !branch_hex(&in, 4, &worker) || !branch_hex(&in, 8, &slot) ||
	    !branch_hex(&in, 8, &generation) || !branch_hex(&in, 8, &salt))
		return NULL;
	h = (struct handle){(uint16_t)worker, 0, slot, generation};
	if (worker != gw->config.worker && worker < gw->config.workers) {
		*elsewhere = h;
		return NULL;
	}
	t = slots_at(gw->transactions, h);
	return t != NULL && t->salt == salt ? t : NULL;
}

static void transaction_timer(struct timer *timer, void *context);

static void transaction_arm(struct gateway *gw, struct transaction *t)
{
	uint64_t due = t->deadline_us;

	if (t->retry_us > 0 && gw->time.now_us + t->retry_us < due)
		due = gw->time.now_us + t->retry_us;
	if (t->unheard_us > 0 && t->unheard_us < due)
		due = t->unheard_us;
	wheel_arm(gw->wheel, &t->timer, due, transaction_timer);
}

void transaction_wait(struct gateway *gw, struct transaction *t)
{
	t->deadline_us = gw->time.now_us + TIMER_F_US;
	transaction_arm(gw, t);
}

void transaction_proceeding(struct transaction *t)
{
	t->unheard_us = 0;
	if (t->retry_us > 0)
		t->retry_us = (uint32_t)T2_US; /* RFC 3261 17.1.2.2, "Proceeding" */
}

/** A hop that says nothing over UDP loses the request to another one, if there is one. */
static void transaction_unheard(struct gateway *gw, struct transaction *t)
{
	t->unheard_us = 0;
	hops_doubt(gw, &t->target);
	if (failover(gw, t))
		return;
	/* timer E's third time is half a second after UNHEARD_US */
	wheel_arm(gw->wheel, &t->timer,
		  gw->time.now_us + T1_US < t->deadline_us ? gw->time.now_us + T1_US
							   : t->deadline_us,
		  transaction_timer);
}

/** RFC 3261 17.1.2.2: timer E doubles up to T2; timer F ends it. */
static void transaction_timer(struct timer *timer, void *context)
{
	struct gateway *gw = context;
	struct transaction *t = (struct transaction *)timer;

	if (t->state == TRANSACTION_COMPLETED) {
		transaction_free(gw, t);
		return;
	}
	if (t->unheard_us > 0 && gw->time.now_us >= t->unheard_us) {
		transaction_unheard(gw, t);
		return;
	}
	if (gw->time.now_us < t->deadline_us && t->retry_us > 0) {
		(void)gw->env->to_mw(gw->env->context, &t->target, span_of(t->kept, t->kept_len));
		counter_add(&gw_counters(gw)->mw_retransmits, 1);
		t->retry_us = t->retry_us * 2 < T2_US ? t->retry_us * 2 : (uint32_t)T2_US;
		transaction_arm(gw, t);
		return;
	}
	counter_add(&gw_counters(gw)->transaction_timeout, 1);
	gateway_count(gw, GW_MW_TIMEOUT);
	transaction_answer(gw, t, t->kind == TRANSACTION_REGISTER ? 504 : 408);
}

enum gw_err transaction_dispatch(struct gateway *gw, struct transaction *t)
{
	struct span bytes = writer_span(&gw->out);
	bool unreliable = t->target.transport == MW_UDP;
	enum gw_err err;

	if (bytes.len <= sizeof(t->kept)) {
		memcpy(t->kept, bytes.at, bytes.len);
		t->kept_len = (uint16_t)bytes.len;
		t->sent = true;
	}
	err = gw->env->to_mw(gw->env->context, &t->target, bytes);
	if (err != GW_OK)
		return err;
	counter_add(&gw_counters(gw)->mw_requests_out, 1);
	t->retry_us = unreliable && t->sent ? (uint32_t)T1_US : 0;
	t->unheard_us = unreliable ? gw->time.now_us + UNHEARD_US : 0;
	transaction_arm(gw, t);
	return GW_OK;
}

enum gw_err transaction_send(struct gateway *gw, struct transaction *t)
{
	enum gw_err err;

	t->deadline_us = gw->time.now_us + TIMER_F_US;
	err = transaction_dispatch(gw, t);
	if (err == GW_OK || (err == GW_MW_DOWN && failover(gw, t)))
		return GW_OK;
	transaction_free(gw, t);
	return err;
}

enum gw_err transaction_keep_head(struct transaction *t, const struct sip_message *m)
{
	static const enum sip_header kept[] = {SIP_HEADER_VIA,	SIP_HEADER_FROM,
					       SIP_HEADER_TO,	SIP_HEADER_CALL_ID,
					       SIP_HEADER_CSEQ, SIP_HEADER_CONTACT};
	/* the Contact tells our registration apart in the 200 */
	uint32_t count = t->kind == TRANSACTION_REGISTER ? 6 : 5;
	struct writer w;

	writer_init(&w, t->kept, sizeof(t->kept));
	writer_put(&w, m->method_text);
	writer_text(&w, " ");
	if (t->kind == TRANSACTION_REGISTER)
		writer_put(&w, m->uri); /* whose realm a challenge names */
	else
		writer_text(&w, "sip:kept.invalid");
	writer_text(&w, " SIP/2.0\r\n");
	for (uint32_t i = 0; i < count; i++)
		for (const struct sip_field *f = sip_first(m, kept[i]); f; f = sip_next(m, f))
			writer_put(&w, f->line);
	writer_text(&w, "\r\n");
	t->kept_len = (uint16_t)writer_len(&w);
	return writer_ok(&w) ? GW_OK : GW_SIP_TOO_LONG;
}

enum gw_err transaction_recall(const struct transaction *t, struct sip_message *m)
{
	enum gw_err err = sip_index(span_of(t->kept, t->kept_len), m);
	const struct sip_field *own = sip_first(m, SIP_HEADER_VIA);

	if (err == GW_OK && t->sent) /* our Via has the first line to itself: step over it */
		m->first[SIP_HEADER_VIA] = (uint16_t)(own->next + 1);
	return err;
}

/** A fresh To tag, for answers of our own. */
static struct span fresh_tag(struct gateway *gw)
{
	uint64_t word = gw->env->random(gw->env->context);
	uint32_t mark = writer_len(&gw->lines);

	writer_text(&gw->lines, "ep-");
	writer_hex(&gw->lines, span_of(&word, sizeof(word)));
	return request_lines(gw, mark);
}

/** Nobody outside waits for it: its maker is told. */
static void answer_own(struct gateway *gw, struct transaction *t, uint16_t status)
{
	own_answered(gw, t, status);
	transaction_free(gw, t);
}

void transaction_answer(struct gateway *gw, struct transaction *t, uint16_t status)
{
	struct span extra = status == 480 ? SPAN("Reason: Q.850;cause=20;text=\"Subscriber "
						 "absent\"\r\n")
					  : SPAN("");
	enum gw_err err;

	if (t->kind == TRANSACTION_OWN) {
		answer_own(gw, t, status == 504 ? 503 : status);
		return;
	}
	err = transaction_recall(t, &gw->message);
	request_begin(gw, &gw->message);
	if (err == GW_OK)
		err = sip_reply_write(&gw->message, status, fresh_tag(gw), extra, &gw->out);
	if (err != GW_OK) {
		gateway_count(gw, err);
		transaction_free(gw, t);
	} else if (t->kind == TRANSACTION_TERMINATE) {
		transaction_respond(gw, t);
	} else {
		(void)gw->env->to_wic(gw->env->context, t->flow, writer_span(&gw->out));
		transaction_free(gw, t);
	}
}

void transaction_refuse(struct gateway *gw, struct transaction *t, enum gw_err err)
{
	struct wic *wic = gw->env->wic(gw->env->context, t->flow);

	request_begin(gw, &gw->message);
	gateway_count(gw, err);
	if (wic != NULL && transaction_recall(t, &gw->message) == GW_OK &&
	    gateway_refusal_write(gw, wic, err, &gw->out) == GW_OK)
		(void)gw->env->to_wic(gw->env->context, t->flow, writer_span(&gw->out));
	transaction_free(gw, t);
}

void transaction_respond(struct gateway *gw, struct transaction *t)
{
	struct span bytes = writer_span(&gw->out);

	if (gw->env->to_source(gw->env->context, &t->termination.source, bytes) == GW_OK)
		counter_add(&gw_counters(gw)->mw_responses_out, 1);
	if (t->termination.source.transport != MW_UDP) {
		transaction_free(gw, t);
		return;
	}
	t->kept_len =
		0; /* one that is too long is not said again, but the WIC is not asked again */
	if (bytes.len <= sizeof(t->kept)) {
		memcpy(t->kept, bytes.at, bytes.len);
		t->kept_len = (uint16_t)bytes.len;
	}
	t->state = TRANSACTION_COMPLETED;
	t->retry_us = 0;
	t->unheard_us = 0;
	transaction_detach(gw, t);
	transaction_wait(gw, t); /* timer J, RFC 3261 17.2.2 */
}
