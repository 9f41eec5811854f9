/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "homes.h"
#include "reg_event.h"

/*
 * Home entries: where a registration is now (PROTOCOL 10.1 kind 2, 10.4). An entry lies with the
 * worker that its key's hash names, whatever worker has the flow, so its handle outlives flows and
 * bindings: the next flow of its key takes it over. Decisions about a key are made here, one after
 * the other (10.5).
 */

struct home {
	struct timer end; /* armed when the flow has ended */
	struct home_key key;
	uint64_t sub;
	uint64_t contact;
	uint64_t asked_us; /* when the REGISTER came that the flow has it by */
	uint64_t core_us;  /* until when the core holds the binding at most; 0: no binding */
	uint64_t grace_us; /* lost: until when a dialog waits for another flow */
	uint64_t asker_us; /* until when a REGISTER of asker may be under way */
	struct handle asker;
	struct handle flow;
	struct handle binding;
	struct handle before;  /* the last flow of another worker than this one's */
	uint64_t before_us;    /* until when a request to that may be under way */
	struct held_list held; /* requests that wait for the next flow */
	uint32_t next;	       /* slot + 1 of the next in its bucket */
	bool outbound;
	bool lost; /* the flow has ended */
};

uint16_t home_worker(const struct gateway *gw, const struct home_key *key)
{
	return (uint16_t)(key->impi % gw->config.workers);
}

bool home_key_equal(const struct home_key *a, const struct home_key *b)
{
	return a->impi == b->impi && a->instance == b->instance;
}

struct home_claim home_claim(const struct gateway *gw, const struct registration_of *who,
			     const struct sip_address *contact)
{
	const uint8_t *secret = gw_config(gw)->hash_key;
	struct span instance = SPAN(""), reg_id = SPAN("");
	struct home_claim claim = {
		.key.impi = gateway_identity_hash(gw, identity_span(who->impi)),
		.sub = who->sub,
		.contact = pair_hash(secret, contact->uri.user, contact->uri.host),
	};
	uint64_t apart = claim.contact;

	claim.outbound = sip_param(contact->params, SPAN("reg-id"), &reg_id);
	if (sip_param(contact->params, SPAN("+sip.instance"), &instance) && instance.len > 0)
		apart = pair_hash(secret, instance, reg_id);
	claim.key.instance =
		pair_hash(secret, identity_span(who->impu), span_of(&apart, sizeof(apart)));
	return claim;
}

bool homes_open(struct gateway *gw)
{
	uint32_t capacity = 2 * gw->config.max_bindings, buckets = 16; /* hashes share unevenly */

	while (buckets < capacity)
		buckets *= 2;
	gw->home_mask = buckets - 1;
	gw->home_bucket = calloc(buckets, sizeof(*gw->home_bucket));
	gw->homes = slots_new(gw->config.worker, capacity, sizeof(struct home), gw->config.epoch);
	return gw->home_bucket != NULL && gw->homes != NULL;
}

void homes_close(struct gateway *gw)
{
	slots_free(gw->homes);
	free(gw->home_bucket);
}

/* ---- the table ------------------------------------------------------------------------------ */

static uint32_t *home_bucket(struct gateway *gw, const struct home_key *key)
{
	return &gw->home_bucket[(key->impi ^ key->instance) & gw->home_mask];
}

static struct home *home_in_slot(const struct gateway *gw, uint32_t slot_plus_1)
{
	return slot_plus_1 == 0 ? NULL : slots_slot(gw->homes, slot_plus_1 - 1);
}

static struct home *home_find(struct gateway *gw, const struct home_key *key)
{
	struct home *h = home_in_slot(gw, *home_bucket(gw, key));

	while (h != NULL && !home_key_equal(&h->key, key))
		h = home_in_slot(gw, h->next);
	return h;
}

static struct home *home_get(struct gateway *gw, const struct home_key *key)
{
	uint32_t *bucket = home_bucket(gw, key);
	struct home *h = slots_get(gw->homes);

	if (h == NULL) {
		counter_add(&gw_counters(gw)->home_refused, 1);
		return NULL;
	}
	h->key = *key;
	h->next = *bucket;
	*bucket = slots_handle(gw->homes, h).slot + 1;
	counter_add(&gw_counters(gw)->home_live, 1);
	return h;
}

static void home_put(struct gateway *gw, struct home *h)
{
	uint32_t self = slots_handle(gw->homes, h).slot + 1;
	uint32_t *link = home_bucket(gw, &h->key);

	wheel_disarm(gw->wheel, &h->end);
	while (*link != 0 && *link != self)
		link = &home_in_slot(gw, *link)->next;
	if (*link == self)
		*link = h->next;
	if (!slots_put(gw->homes, h))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	else
		counter_sub(&gw_counters(gw)->home_live, 1);
}

static void home_expire(struct timer *timer, void *context)
{
	struct home *h = (struct home *)timer;

	held_end(context, &h->held); /* the grace is over for these too */
	home_put(context, h);
}

/** Without a flow an entry stays for a dialog, and so long as the core may hold its binding: who
 * comes back then must find it, so that the binding leaves the core alone. And for a REGISTER that
 * is under way: a 200 to an older one may come before its own. */
static void home_wait(struct gateway *gw, struct home *h)
{
	uint64_t until = h->core_us > h->grace_us ? h->core_us : h->grace_us;

	if (until < h->asker_us)
		until = h->asker_us;
	if (until > gw->time.now_us || h->held.first != NULL)
		wheel_arm(gw->wheel, &h->end, until, home_expire);
	else
		home_put(gw, h);
}

/* ---- what workers of bindings say ----------------------------------------------------------- */

static void tell_attached(struct gateway *gw, const struct home *h)
{
	struct message_attached m = {
		.head = {MESSAGE_ATTACHED, sizeof(m)},
		.key = h->key,
		.flow = h->flow,
		.home = slots_handle(gw->homes, h),
	};

	outbox_send(gw, h->flow.worker, &m.head);
}

/** flow: none when it keeps the entry, and only its binding is another one. */
static void tell_ended(struct gateway *gw, const struct home *h, struct handle flow,
		       struct handle binding, enum ended_why why)
{
	struct message_ended m = {
		.head = {MESSAGE_ENDED, sizeof(m)},
		.why = why,
		.key = h->key,
		.flow = flow,
		.binding = binding,
	};

	outbox_send(gw, handle_is_none(flow) ? binding.worker : flow.worker, &m.head);
}

/** Whether the core has put the newer of two registrations of one key in place of the older: it
 * has when their instance and reg-id, or their Contacts, are the same. */
static enum ended_why replaced(const struct home *h, const struct message_attach *a)
{
	return (a->outbound && h->outbound) || a->contact == h->contact ? ENDED_REPLACED
									: ENDED_BESIDE;
}

/** Tells who had the entry before a came. */
static void tell_before(struct gateway *gw, const struct home *h, const struct home *before,
			const struct message_attach *a)
{
	if (handle_is_none(before->flow))
		return; /* a new entry */
	if (!handle_equal(before->flow, a->flow))
		tell_ended(gw, h, before->flow, before->binding, replaced(before, a));
	else if (!handle_is_none(before->binding) && !handle_equal(before->binding, a->binding))
		tell_ended(gw, h, handle_none(), before->binding, replaced(before, a));
}

/** The flow is on another worker from now on; what was under way with the one before stays there:
 * its repeats, its CANCEL and its ACK go there first. An INVITE is the last to end, by timer C. */
static void remember_before(const struct gateway *gw, struct home *h, struct handle flow)
{
	if (handle_is_none(flow) || flow.worker == h->flow.worker)
		return;
	h->before = flow;
	h->before_us = gw->time.now_us + gw_config(gw)->timer_c_s * 1000000ull + SIP_64T1_US;
}

/** The flow of a has the entry from now on. */
static void home_take(struct gateway *gw, struct home *h, const struct message_attach *a)
{
	struct home before = *h;

	wheel_disarm(gw->wheel, &h->end);
	h->flow = a->flow;
	h->sub = a->sub;
	h->binding = a->binding;
	h->contact = a->contact;
	h->outbound = a->outbound;
	h->asked_us = a->asked_us;
	h->core_us = gw->time.now_us + (uint64_t)a->core_s * 1000000;
	h->lost = false;
	remember_before(gw, h, before.flow);
	tell_before(gw, h, &before, a);
	if (a->stage == ATTACH_BOUND)
		tell_attached(gw, h);
	held_release(gw, &h->held);
}

/** Its client came back before its 200 did: on a connection that has ended, or that is not known to
 * have. The core has the registration that was asked for last. */
static bool comes_late(const struct home *h, const struct message_attach *a)
{
	return !h->lost && !handle_equal(h->flow, a->flow) &&
	       (a->stage == ATTACH_LOST || a->asked_us < h->asked_us);
}

/** An entry of nobody's yet. Half of the table at most is for those: the core may refuse them. */
static struct home *home_expected(struct gateway *gw, const struct home_key *key)
{
	struct home *h = NULL;

	if (slots_live(gw->homes) < slots_capacity(gw->homes) / 2)
		h = home_get(gw, key);
	if (h != NULL)
		h->lost = true;
	return h;
}

struct handle home_holder(struct gateway *gw, const struct home_key *key)
{
	const struct home *h = home_find(gw, key);

	return h != NULL ? h->binding : handle_none();
}

/** A REGISTER has gone to the core: until it is answered nobody takes the key's binding away. */
static void home_is_asked(struct gateway *gw, struct home *h, const struct message_attach *a)
{
	if (h == NULL)
		h = home_expected(gw, &a->key);
	if (h == NULL)
		return;
	h->asker = a->flow;
	h->asker_us = gw->time.now_us + REGISTER_ENDS_US;
	if (!handle_is_none(h->binding))
		tell_ended(gw, h, h->flow, h->binding, ENDED_HOLD);
	if (h->lost)
		home_wait(gw, h);
}

/** The core holds the key's binding for another time than was said: so long its client may come
 * back and has to be told from it. */
static void home_is_held(struct gateway *gw, struct home *h, const struct message_attach *a)
{
	if (h == NULL || !handle_equal(h->binding, a->binding))
		return;
	h->core_us = gw->time.now_us + (uint64_t)a->core_s * 1000000;
	if (h->lost)
		home_wait(gw, h);
}

/** The 200 to an older REGISTER has come first: the core may have stored the newer one already. */
static void hold_for_asker(struct gateway *gw, struct home *h, const struct message_attach *a)
{
	if (handle_equal(h->asker, a->flow))
		h->asker_us = 0;
	else if (h->asker_us > gw->time.now_us)
		tell_ended(gw, h, a->flow, a->binding, ENDED_HOLD);
}

/**
 * The next user of a pool's pair has the page of the one before: to the core it is one
 * registration, but nothing of that one's dialogs is his (PROTOCOL 6.6), so their tokens name an
 * entry that has ended.
 */
static struct home *home_next_user(struct gateway *gw, struct home *h)
{
	struct home before = *h, *next;

	home_put(gw, h);
	next = home_get(gw, &before.key); /* there is room: one was given back */
	if (next == NULL)
		return NULL;
	next->contact = before.contact;
	next->outbound = before.outbound;
	next->asked_us = before.asked_us;
	next->asker = before.asker;
	next->asker_us = before.asker_us;
	next->flow = before.flow;
	next->binding = before.binding;
	next->lost = before.lost;
	held_hand_on(gw, &before.held, &next->held);
	return next;
}

static void home_attach(struct gateway *gw, const struct message_attach *a)
{
	struct home *h = home_find(gw, &a->key);

	if (a->stage == ATTACH_ASKED) {
		home_is_asked(gw, h, a);
		return;
	}
	if (a->stage == ATTACH_LASTS) {
		home_is_held(gw, h, a);
		return;
	}
	if (h != NULL && comes_late(h, a)) {
		tell_ended(gw, h, a->flow, a->binding, replaced(h, a));
		return;
	}
	if (h != NULL && h->sub != a->sub && !handle_is_none(h->flow))
		h = home_next_user(gw, h);
	if (h == NULL)
		h = home_get(gw, &a->key);
	if (h == NULL)
		return;
	home_take(gw, h, a);
	hold_for_asker(gw, h, a);
}

static void home_detach(struct gateway *gw, const struct message_detach *d)
{
	struct home *h = home_find(gw, &d->key);

	if (h == NULL)
		return;
	if (d->what == DETACH_BINDING && handle_equal(h->binding, d->binding)) {
		h->binding = handle_none();
		h->core_us = 0;
	} else if (d->what == DETACH_FLOW && handle_equal(h->flow, d->flow) && !h->lost) {
		h->lost = true;
		h->grace_us = gw->time.now_us + (uint64_t)d->grace_s * 1000000;
	}
	if (h->lost)
		home_wait(gw, h);
}

/* ---- what the home worker says -------------------------------------------------------------- */

static void attached(struct gateway *gw, const struct message_attached *m)
{
	struct wic *wic = gw->env->wic(gw->env->context, m->flow);

	/* a flow that has ended has said so, behind its question */
	if (wic != NULL && home_key_equal(&wic->home_key, &m->key))
		wic->home = m->home;
}

/** Another flow has the entry: what this one has of it is not its own any more. */
static void ended(struct gateway *gw, const struct message_ended *m)
{
	struct wic *wic = handle_is_none(m->flow) ? NULL : gw->env->wic(gw->env->context, m->flow);
	struct binding *b = slots_at(gw->bindings, m->binding);

	if (m->why == ENDED_HOLD) {
		if (b != NULL)
			binding_hold(gw, b);
		return;
	}
	if (wic != NULL && home_key_equal(&wic->home_key, &m->key)) {
		wic->home_key = (struct home_key){0};
		wic->home = handle_none();
	}
	if (b != NULL)
		binding_replaced(gw, b, m->why);
}

void gateway_home_message(struct gateway *gw, const struct message_head *head)
{
	const void *at = head;

	switch (head->kind) {
	case MESSAGE_ATTACH:
		home_attach(gw, at);
		return;
	case MESSAGE_DETACH:
		home_detach(gw, at);
		return;
	case MESSAGE_ATTACHED:
		attached(gw, at);
		return;
	case MESSAGE_ENDED:
		ended(gw, at);
		return;
	case MESSAGE_BARRED:
		barred_message(gw, head);
		return;
	default:
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	}
}

/* ---- requests for a home entry -------------------------------------------------------------- */

/** The home worker is another one. */
static void deliver_elsewhere(struct gateway *gw, const struct mw_source *source,
			      struct handle home)
{
	struct message_deliver_home m = {
		.head = {MESSAGE_DELIVER_HOME, (uint32_t)sizeof(m) + gw->message.text.len},
		.home = home,
		.source = *source,
	};

	if (gw->env->to_worker(gw->env->context, home.worker, span_of(&m, sizeof(m)),
			       gw->message.text) == GW_OK)
		counter_add(&gw_counters(gw)->deliver_out, 1);
	else if (source->transport != MW_UDP)
		terminate_refuse(gw, source, 503, SPAN("Retry-After: 2\r\n"));
}

/** A flow of another worker had the entry so lately that a request to it may be under way. */
static bool has_moved(const struct gateway *gw, const struct home *h)
{
	return gw->time.now_us < h->before_us && h->before.worker != h->flow.worker;
}

/** To where the WIC is now; by way of where it was. */
static void deliver_there(struct gateway *gw, const struct mw_source *source, const struct home *h)
{
	if (has_moved(gw, h) && h->before.worker != gw->config.worker)
		terminate_by_way_of(gw, source, h->before.worker, h->flow);
	else if (has_moved(gw, h) && terminate_is_ours(gw, source))
		return;
	else if (h->flow.worker != gw->config.worker)
		terminate_elsewhere(gw, source, h->flow);
	else
		terminate_request(gw, source, h->flow, true);
}

/** PROTOCOL 10.3: within the grace of a reconnect even a dialog's request may be tried again. */
static void deliver_nowhere(struct gateway *gw, const struct mw_source *source,
			    const struct home *h)
{
	enum sip_method method = gw->message.method;

	if (h != NULL && (h->flow.worker != gw->config.worker || has_moved(gw, h)) &&
	    (method == SIP_CANCEL || method == SIP_ACK)) {
		deliver_there(gw, source, h); /* what they are about is there */
		return;
	}
	if (terminate_under_way(gw, source))
		return;
	if (h == NULL || gw->time.now_us >= h->grace_us) {
		terminate_no_flow(gw, source, GW_FLOW_GONE, h != NULL && h->outbound);
		return;
	}
	gateway_count(gw, GW_FLOW_GONE);
	counter_add(&gw_counters(gw)->flow_gone, 1);
	terminate_absent(gw, source, h->outbound);
}

/** The request waits for the next flow: within the grace; or behind others that still do. */
static bool deliver_later(struct gateway *gw, const struct mw_source *source, struct home *h)
{
	uint64_t us = gw->time.now_us + gw_config(gw)->hold_indialog_s * 1000000ull;
	enum sip_method method = gw->message.method;

	if (held_about(gw, &h->held, source))
		return true;
	if (method == SIP_ACK || method == SIP_CANCEL || !request_in_dialog(&gw->message))
		return false;
	if (!h->lost && h->held.first == NULL)
		return false;
	if (h->lost && us > h->grace_us)
		us = h->grace_us;
	if (us <= gw->time.now_us)
		return false;
	return terminate_is_ours(gw, source) ||
	       held_request(gw, &h->held, &(struct held_until){us, slots_handle(gw->homes, h)},
			    source);
}

bool home_is_there(const struct gateway *gw, struct handle home)
{
	const struct home *h = slots_at(gw->homes, home);

	return h != NULL && !h->lost;
}

void home_deliver_held(struct gateway *gw, const struct mw_source *source, struct handle home)
{
	const struct home *h = slots_at(gw->homes, home);

	if (h == NULL || h->lost) {
		deliver_nowhere(gw, source, h);
		return;
	}
	counter_add(&gw_counters(gw)->held_delivered, 1);
	deliver_there(gw, source, h);
}

void home_deliver(struct gateway *gw, const struct mw_source *source, struct handle home)
{
	struct home *h = slots_at(gw->homes, home);

	if (home.worker >= gw->config.workers)
		terminate_no_flow(gw, source, GW_FLOW_GONE, false);
	else if (home.worker != gw->config.worker)
		deliver_elsewhere(gw, source, home);
	else if (h != NULL && deliver_later(gw, source, h))
		return;
	else if (h == NULL || h->lost)
		deliver_nowhere(gw, source, h);
	else
		deliver_there(gw, source, h);
}

void gateway_delivered_home(struct gateway *gw, const struct message_deliver_home *head,
			    struct span bytes)
{
	if (sip_index(bytes, &gw->message) != GW_OK)
		gateway_count(gw, GW_INVARIANT); /* the sender had indexed it */
	else
		home_deliver(gw, &head->source, head->home);
}

uint32_t gateway_homes(const struct gateway *gw)
{
	return slots_live(gw->homes);
}

/* ---- the flow's side ------------------------------------------------------------------------ */

/** Lets go of the entry that wic's flow has. */
static void leave_home(struct gateway *gw, struct wic *wic, uint32_t grace_s)
{
	struct message_detach m = {
		.head = {MESSAGE_DETACH, sizeof(m)},
		.what = DETACH_FLOW,
		.key = wic->home_key,
		.flow = wic->flow,
		.grace_s = grace_s,
	};

	if (wic->home_key.impi == 0)
		return;
	wic->home_key = (struct home_key){0};
	wic->home = handle_none();
	outbox_send(gw, home_worker(gw, &m.key), &m.head);
}

static void home_say(struct gateway *gw, const struct home_claim *claim, struct handle flow,
		     const struct binding *b, enum attach_stage stage)
{
	struct message_attach m = {
		.head = {MESSAGE_ATTACH, sizeof(m)},
		.stage = stage,
		.key = claim->key,
		.sub = claim->sub,
		.contact = claim->contact,
		.outbound = claim->outbound,
		.flow = flow,
	};

	if (b != NULL) {
		m.binding = slots_handle(gw->bindings, b);
		m.asked_us = b->asked_us;
		m.core_s = (uint32_t)((b->core_us - gw->time.now_us) / 1000000) + 1;
	}
	outbox_send(gw, home_worker(gw, &m.key), &m.head);
}

void home_asked(struct gateway *gw, const struct wic *wic, const struct home_claim *claim)
{
	home_say(gw, claim, wic->flow, NULL, ATTACH_ASKED);
}

void home_bound(struct gateway *gw, struct wic *wic, const struct binding *b)
{
	if (!home_key_equal(&wic->home_key, &b->claim.key))
		leave_home(gw, wic, 0); /* another identity: its dialogs end (PROTOCOL 6.6) */
	else if (wic->home_sub != b->claim.sub)
		wic->home = handle_none(); /* another user's */
	wic->home_key = b->claim.key;
	wic->home_sub = b->claim.sub;
	home_say(gw, &b->claim, wic->flow, b, ATTACH_BOUND);
}

void home_flow_ended(struct gateway *gw, struct wic *wic)
{
	leave_home(gw, wic, gw_config(gw)->flow_grace_s);
}

void home_bound_dead(struct gateway *gw, const struct binding *b)
{
	struct wic dead = {.flow = b->flow, .home_key = b->claim.key};

	home_say(gw, &b->claim, b->flow, b, ATTACH_LOST);
	leave_home(gw, &dead, gw_config(gw)->flow_grace_s);
}

void home_leaving(struct gateway *gw, const struct binding *b)
{
	if (b->claim.key.impi != 0)
		home_say(gw, &b->claim, b->flow, b, ATTACH_LOST);
}

void home_lasts(struct gateway *gw, const struct binding *b)
{
	if (b->claim.key.impi != 0)
		home_say(gw, &b->claim, b->flow, b, ATTACH_LASTS);
}

void home_binding_ended(struct gateway *gw, const struct binding *b)
{
	struct message_detach m = {
		.head = {MESSAGE_DETACH, sizeof(m)},
		.what = DETACH_BINDING,
		.key = b->claim.key,
		.flow = b->flow,
		.binding = slots_handle(gw->bindings, b),
	};

	outbox_send(gw, home_worker(gw, &m.key), &m.head);
}
