/* SPDX-License-Identifier: BSD-3-Clause */
#include "fork.h"
#include "homes.h"

#define BRANCH_PREFIX SPAN("z9hG4bKwg")
#define BRANCH_LEN (9 + 28)

static bool transaction_is_call(const struct transaction *t)
{
	return t->kind == TRANSACTION_ORIGINATE && t->method == SIP_INVITE;
}

/** Puts t on a list of its flow. */
static void list_add(struct transaction *t, struct transaction **list)
{
	t->flow_next = *list;
	t->flow_link = list;
	if (t->flow_next != NULL)
		t->flow_next->flow_link = &t->flow_next;
	*list = t;
}

static void list_remove(struct transaction *t)
{
	*t->flow_link = t->flow_next;
	if (t->flow_next != NULL)
		t->flow_next->flow_link = t->flow_link;
	t->flow_link = NULL;
}

static void transaction_attach(struct transaction *t, struct wic *wic)
{
	t->flow = wic->flow;
	list_add(t, &wic->pending);
	wic->transactions++;
	wic->requests += t->kind != TRANSACTION_TERMINATE;
	wic->calls += transaction_is_call(t);
}

/** A machine that does nothing yet. */
static struct sip_machine machine_none(void)
{
	return (struct sip_machine){.state = SIP_TERMINATED, .retry_us = NEVER, .end_us = NEVER};
}

static void transaction_begin(struct gateway *gw, struct transaction *t, enum transaction_kind kind,
			      enum sip_method method)
{
	t->kind = kind;
	t->method = method;
	t->salt = (uint32_t)gw->env->random(gw->env->context);
	t->since_us = gw->time.now_us;
	t->number = ++gw->made;
	t->client = machine_none();
	t->cancel = machine_none();
	t->server = machine_none();
	t->limit_us = NEVER;
	t->unheard_us = NEVER;
	t->again_us = NEVER;
	if (kind == TRANSACTION_ORIGINATE || kind == TRANSACTION_REGISTER) /* over a WebSocket */
		sip_machine_start(&t->server,
				  method == SIP_INVITE ? SIP_SERVER_INVITE : SIP_SERVER_OTHER, true,
				  gw->time.now_us);
	counter_add(&gw_counters(gw)->transaction_live, 1);
}

struct transaction *transaction_new(struct gateway *gw, enum transaction_kind kind, struct wic *wic)
{
	struct transaction *t;

	if (kind != TRANSACTION_TERMINATE && wic->requests >= WIC_REQUESTS_MAX)
		return NULL;
	t = slots_get(gw->transactions);
	if (t == NULL)
		return NULL;
	transaction_begin(gw, t, kind, gw->message.method);
	transaction_attach(t, wic);
	return t;
}

struct transaction *transaction_of_fork(struct gateway *gw, struct fork *fork)
{
	struct transaction *t = slots_get(gw->transactions);

	if (t == NULL)
		return NULL;
	transaction_begin(gw, t, TRANSACTION_TERMINATE, gw->message.method);
	t->termination.fork = fork;
	return t;
}

struct transaction *transaction_own(struct gateway *gw, enum own_kind what, struct handle subject,
				    enum sip_method method)
{
	struct transaction *t = slots_get(gw->transactions);

	if (t == NULL)
		return NULL;
	transaction_begin(gw, t, TRANSACTION_OWN, method);
	t->own.what = what;
	t->own.subject = subject;
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

void transaction_insert(struct gateway *gw, struct transaction *t, uint64_t key)
{
	uint32_t *bucket = transaction_bucket(gw, key);

	t->key = key;
	t->next = *bucket;
	t->listed = true;
	*bucket = slots_handle(gw->transactions, t).slot + 1;
}

static void transaction_unlink(struct gateway *gw, struct transaction *t)
{
	uint32_t self = slots_handle(gw->transactions, t).slot + 1;
	uint32_t *link = transaction_bucket(gw, t->key);

	while (*link != 0 && *link != self)
		link = &transaction_in_slot(gw, *link)->next;
	if (*link == self)
		*link = t->next;
	t->listed = false;
}

struct transaction *transaction_find(struct gateway *gw, uint64_t key, enum sip_method method)
{
	struct transaction *t = transaction_in_slot(gw, *transaction_bucket(gw, key));

	while (t != NULL && (t->key != key || t->method != method))
		t = transaction_in_slot(gw, t->next);
	return t;
}

void transaction_detach(struct gateway *gw, struct transaction *t)
{
	struct wic *wic = gw->env->wic(gw->env->context, t->flow);

	if (t->flow_link == NULL)
		return;
	list_remove(t);
	if (wic != NULL && !t->answered) {
		wic->transactions--;
		wic->requests -= t->kind != TRANSACTION_TERMINATE;
		wic->calls -= transaction_is_call(t);
	}
	t->answered = true;
}

void transaction_await_ack(struct gateway *gw, struct transaction *t)
{
	struct wic *wic = gw->env->wic(gw->env->context, t->flow);

	transaction_detach(gw, t);
	if (wic != NULL)
		list_add(t, &wic->accepted);
}

void transaction_free(struct gateway *gw, struct transaction *t)
{
	pool_transaction_over(gw, t);
	fork_transaction_over(gw, t);
	transaction_detach(gw, t);
	failover_release(gw, t);
	wheel_disarm(gw->wheel, &t->timer);
	if (t->listed)
		transaction_unlink(gw, t);
	transaction_forget(gw, t);
	if (!slots_put(gw->transactions, t))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	else
		counter_sub(&gw_counters(gw)->transaction_live, 1);
}

uint64_t transaction_key_by(const uint8_t secret[16], const struct sip_message *m)
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
	return siphash(secret, writer_span(&w));
}

uint64_t transaction_key(const struct gateway *gw, const struct sip_message *m)
{
	return transaction_key_by(gw->bucket_key, m);
}

uint64_t transaction_flow_key(const struct gateway *gw, const struct wic *wic)
{
	uint64_t key = transaction_key(gw, &gw->message);
	uint8_t text[16];
	struct writer w;

	writer_init(&w, text, sizeof(text));
	writer_bytes(&w, &key, sizeof(key));
	writer_u32_be(&w, wic->flow.slot);
	writer_u32_be(&w, wic->flow.generation);
	return siphash(gw->bucket_key, writer_span(&w));
}

uint64_t transaction_call(const struct gateway *gw, const struct sip_message *m)
{
	uint8_t text[512];
	struct writer w;

	writer_init(&w, text, sizeof(text));
	writer_u32_be(&w, m->cseq);
	writer_put(&w, span_cut(sip_value(m, SIP_HEADER_CALL_ID), 0, 400));
	return siphash(gw->bucket_key, writer_span(&w));
}

uint64_t transaction_branch_hash(const struct gateway *gw, struct handle h, uint32_t salt)
{
	uint32_t words[] = {h.slot, h.generation, salt};

	return siphash(gw->bucket_key, span_of((const uint8_t *)words, sizeof(words)));
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

/** What a branch of ours says. */
struct branch {
	struct handle handle;
	uint32_t salt;
};

/** False: it is none of ours. */
static bool branch_read(const struct sip_via *via, struct branch *branch)
{
	struct span in = span_from(via->branch, BRANCH_PREFIX.len);
	uint32_t worker;

	*branch = (struct branch){0};
	if (via->branch.len != BRANCH_LEN || !span_starts(via->branch, BRANCH_PREFIX) ||
	    !branch_hex(&in, 4, &worker) || !branch_hex(&in, 8, &branch->handle.slot) ||
	    !branch_hex(&in, 8, &branch->handle.generation) || !branch_hex(&in, 8, &branch->salt))
		return false;
	branch->handle.worker = (uint16_t)worker;
	return true;
}

struct transaction *transaction_of(struct gateway *gw, const struct sip_via *via,
				   struct handle *elsewhere)
{
	struct transaction *t;
	struct branch b;

	if (!branch_read(via, &b))
		return NULL;
	if (b.handle.worker != gw->config.worker && b.handle.worker < gw->config.workers) {
		*elsewhere = b.handle;
		return NULL;
	}
	t = slots_at(gw->transactions, b.handle);
	return t != NULL && t->salt == b.salt ? t : NULL;
}

bool transaction_branch_of(const struct gateway *gw, const struct sip_via *via, uint64_t *hash)
{
	struct branch b;

	if (!branch_read(via, &b) || b.handle.worker != gw->config.worker)
		return false;
	*hash = transaction_branch_hash(gw, b.handle, b.salt);
	return true;
}
