/* SPDX-License-Identifier: BSD-3-Clause */
#include "homes.h"

/*
 * The core's requests inside dialogs that wait for a WIC to come back (PROTOCOL 10.3), with the
 * home entry of its registration. No transaction is made of them: a repeat is dropped, and over UDP
 * no 100 quiets it, so that an answer which gets lost is asked for again. An ACK does not wait.
 */

#define HELD_MAX 8192	/* bytes; a longer one is answered at once */
#define HELD_PER_HOME 4 /* a dialog has one or two under way (RFC 3261 14.1) */

struct held {
	struct timer due;
	struct held *next;
	struct held_list *list; /* its home entry's, which stays as long as anything is on it */
	struct handle home;
	struct mw_source source;
	uint64_t key; /* transaction_key() */
	enum sip_method method;
	uint32_t len;
	uint8_t bytes[HELD_MAX];
};

bool held_open(struct gateway *gw)
{
	gw->held = slots_new(gw->config.worker, gw->config.max_held, sizeof(struct held),
			     gw->config.epoch);
	return gw->held != NULL;
}

void held_close(struct gateway *gw)
{
	slots_free(gw->held);
}

uint32_t gateway_held(const struct gateway *gw)
{
	return slots_live(gw->held);
}

static void held_free(struct gateway *gw, struct held *e)
{
	struct held **link = &e->list->first;

	wheel_disarm(gw->wheel, &e->due);
	while (*link != e)
		link = &(*link)->next;
	*link = e->next;
	if (!slots_put(gw->held, e))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	counter_sub(&gw_counters(gw)->held_live, 1);
}

/** Its bytes are in gw->message. False: they were indexed when they came, and are not now. */
static bool recall(struct gateway *gw, const struct held *e)
{
	if (sip_index(span_of(e->bytes, e->len), &gw->message) == GW_OK)
		return true;
	gateway_count(gw, GW_INVARIANT);
	return false;
}

void held_end(struct gateway *gw, struct held_list *list)
{
	while (list->first != NULL) {
		struct held *e = list->first;

		if (recall(gw, e))
			home_deliver_held(gw, &e->source, e->home);
		held_free(gw, e);
	}
}

/** Its time is over; or its WIC is back, and all that wait for it go on in their order. */
static void held_due(struct timer *timer, void *context)
{
	struct held *e = (struct held *)timer;
	struct gateway *gw = context;

	if (home_is_there(gw, e->home)) {
		held_end(gw, e->list);
		return;
	}
	if (recall(gw, e))
		home_deliver_held(gw, &e->source, e->home);
	held_free(gw, e);
}

void held_release(struct gateway *gw, struct held_list *list)
{
	/* not here: a message may be in hand, and the WIC has not had its 200 */
	if (list->first != NULL)
		wheel_arm(gw->wheel, &list->first->due, gw->time.now_us, held_due);
}

void held_hand_on(struct gateway *gw, const struct held_list *list, struct held_list *next)
{
	next->first = list->first;
	for (struct held *e = next->first; e != NULL; e = e->next) {
		e->list = next;
		wheel_arm(gw->wheel, &e->due, gw->time.now_us, held_due);
	}
}

/** Where the next one goes; NULL: there are enough. */
static struct held **list_end(struct held_list *list)
{
	struct held **end = &list->first;
	uint32_t n = 0;

	for (; *end != NULL; end = &(*end)->next)
		n++;
	return n < HELD_PER_HOME ? end : NULL;
}

static struct held *held_get(struct gateway *gw, struct held_list *list)
{
	struct held **end = list_end(list), *e = NULL;

	if (end != NULL && gw->message.text.len <= HELD_MAX)
		e = slots_get_unzeroed(gw->held);
	if (e == NULL) {
		counter_add(&gw_counters(gw)->held_full, 1);
		return NULL;
	}
	*end = e;
	e->due = (struct timer){0};
	e->next = NULL;
	e->list = list;
	return e;
}

bool held_request(struct gateway *gw, struct held_list *list, const struct held_until *until,
		  const struct mw_source *source)
{
	struct held *e = held_get(gw, list);

	if (e == NULL)
		return false;
	e->home = until->home;
	e->source = *source;
	e->key = transaction_key(gw, &gw->message);
	e->method = gw->message.method;
	e->len = gw->message.text.len;
	memcpy(e->bytes, gw->message.text.at, e->len);
	wheel_arm(gw->wheel, &e->due, until->us, held_due);
	counter_add(&gw_counters(gw)->held, 1);
	counter_add(&gw_counters(gw)->held_live, 1);
	if (e->method == SIP_INVITE && source->transport != MW_UDP)
		terminate_refuse(gw, source, 100, SPAN("")); /* RFC 3261 17.2.1: within 200 ms */
	return true;
}

/** The INVITE of the CANCEL in gw->message waits here. */
static void held_cancel(struct gateway *gw, const struct mw_source *source, struct held *e)
{
	terminate_refuse(gw, source, 200, SPAN(""));
	if (recall(gw, e))
		terminate_refuse(gw, &e->source, 487, SPAN(""));
	held_free(gw, e);
}

bool held_about(struct gateway *gw, struct held_list *list, const struct mw_source *source)
{
	enum sip_method method = gw->message.method;
	struct held *e = list->first;
	uint64_t key;

	if (e == NULL)
		return false;
	key = transaction_key(gw, &gw->message);
	while (e != NULL &&
	       (e->key != key || e->method != (method == SIP_CANCEL ? SIP_INVITE : method)))
		e = e->next;
	if (e == NULL)
		return false;
	if (method == SIP_CANCEL)
		held_cancel(gw, source, e);
	else
		counter_add(&gw_counters(gw)->mw_absorbed, 1);
	return true;
}
