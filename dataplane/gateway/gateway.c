/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include <openssl/evp.h>

#include "block.h"
#include "homes.h"
#include "originate.h"
#include "reg_event.h"
#include "wildcard.h"

#define SITE_KEYS 2048 /* the configuration has 256 WWSFs at most; rows for those of before too */

struct gateway *gateway_new(const struct gateway_config *config)
{
	struct gateway *gw = calloc(1, sizeof(*gw));
	uint32_t buckets = 16;

	if (gw == NULL)
		return NULL;
	while (buckets < config->max_transactions)
		buckets *= 2;
	gw->config = *config;
	gw->env = config->env;
	gw->bucket_mask = buckets - 1;
	/* as many as live may wait for another flow or for the core's farewell */
	gw->bindings = slots_new(config->worker, 2 * config->max_bindings, sizeof(struct binding),
				 config->epoch);
	gw->transactions = slots_new(config->worker, config->max_transactions,
				     sizeof(struct transaction), config->epoch);
	gw->heads = slots_new(config->worker, config->max_transactions / HEADS_SHARE + 1, HEAD_LONG,
			      config->epoch);
	gw->tombs = tombstones_new(config);
	gw->parked = parked_pool_new(config);
	gw->hops = hops_new();
	gw->cache = token_cache_new(config->token_cache);
	gw->asked = token_cache_new(config->verify_jobs);
	gw->refused = token_refused_new(config->token_refused);
	gw->sites = rates_new(SITE_KEYS);
	gw->flow_mac = flow_mac_new();
	gw->wheel = wheel_new(config->now_us, gw);
	gw->bucket = calloc(buckets, sizeof(*gw->bucket));
	gw->lines_memory = malloc(GATEWAY_LINES_MAX);
	gw->out_memory = malloc(config->max_message + GATEWAY_LINES_MAX);
	gw->stamped_memory = malloc(config->max_message + GATEWAY_LINES_MAX);
	gw->resumed_memory = malloc(config->max_message);
	if (!wildcards_open(gw) || !reg_events_open(gw) || !barred_open(gw) || !homes_open(gw) || !pools_open(gw) ||
	    !journaled_open(gw) || !held_open(gw) || !blocks_open(gw) || !outbox_open(gw) ||
	    !gw->bindings || !gw->transactions || !gw->tombs || !gw->heads || !gw->hops ||
	    !gw->parked || !gw->cache || !gw->asked || !gw->refused || !gw->sites ||
	    !gw->flow_mac || !gw->wheel || !gw->bucket || !gw->lines_memory || !gw->out_memory ||
	    !gw->stamped_memory || !gw->resumed_memory) {
		gateway_free(gw);
		return NULL;
	}
	for (uint32_t i = 0; i < sizeof(gw->bucket_key); i++)
		gw->bucket_key[i] = (uint8_t)gw->env->random(gw->env->context);
	return gw;
}

void gateway_free(struct gateway *gw)
{
	if (gw == NULL)
		return;
	slots_free(gw->bindings);
	slots_free(gw->transactions);
	tombstones_free(gw->tombs);
	reg_events_close(gw);
	barred_close(gw);
	wildcards_close(gw);
	homes_close(gw);
	pools_close(gw);
	journaled_close(gw);
	held_close(gw);
	blocks_close(gw);
	outbox_close(gw);
	slots_free(gw->heads);
	parked_pool_free(gw->parked);
	hops_free(gw->hops);
	token_cache_free(gw->cache);
	token_cache_free(gw->asked);
	token_refused_free(gw->refused);
	rates_free(gw->sites);
	EVP_MAC_CTX_free(gw->flow_mac);
	wheel_free(gw->wheel);
	free(gw->bucket);
	free(gw->lines_memory);
	free(gw->out_memory);
	free(gw->stamped_memory);
	free(gw->resumed_memory);
	free(gw);
}

void gateway_turn(struct gateway *gw, const struct gateway_time *time)
{
	gw->time = *time;
	wall_turn(gw);
	hops_turn(gw);
	parked_turn(gw);
	revoked_turn(gw);
	blocks_turn(gw);
}

uint32_t gateway_timers(struct gateway *gw, uint32_t max)
{
	return wheel_run(gw->wheel, gw->time.now_us, max);
}

uint64_t gateway_next_us(const struct gateway *gw)
{
	return wheel_next_us(gw->wheel);
}

const struct sip_message *gateway_message(const struct gateway *gw)
{
	return &gw->message;
}

uint32_t gateway_bindings(const struct gateway *gw)
{
	const struct binding *b;
	uint32_t cursor = 0, n = 0;

	while ((b = slots_next(gw->bindings, &cursor)) != NULL)
		n += b->state == BINDING_LIVE;
	return n;
}

uint32_t gateway_leaving(const struct gateway *gw)
{
	return slots_live(gw->bindings) - gateway_bindings(gw);
}

uint32_t gateway_transactions(const struct gateway *gw)
{
	return slots_live(gw->transactions);
}

uint64_t gateway_hash(const uint8_t hash_key[16], struct span identity)
{
	uint64_t hash = siphash(hash_key, identity);

	return hash != 0 ? hash : 1;
}

uint64_t gateway_identity_hash(const struct gateway *gw, struct span identity)
{
	return gateway_hash(gw_config(gw)->hash_key, identity);
}

enum gw_err gateway_count(struct gateway *gw, enum gw_err err)
{
	counter_add(&gw_counters(gw)->errors[err], 1);
	return err;
}

/** From now on; 0: it has passed. */
static uint32_t seconds_until(const struct gateway *gw, uint64_t us)
{
	return us > gw->time.now_us ? (uint32_t)((us - gw->time.now_us) / 1000000) : 0;
}

void gateway_event(struct gateway *gw, enum event_kind what, struct handle flow,
		   const struct binding *binding, enum gw_err err, uint32_t status)
{
	struct message_event event = {
		.head = {.kind = MESSAGE_EVENT, .len = sizeof(event)},
		.what = what,
		.err = err,
		.handle = flow,
		.status = status,
	};

	if (binding != NULL) {
		event.impi_hash = binding->impi_hash;
		event.impu_hash = binding->impu_hash;
		event.seconds = seconds_until(gw, binding->expires_us);
		memcpy(event.text, binding->wwsf, sizeof(binding->wwsf));
	}
	if (gw_config(gw)->audit != AUDIT_NONE &&
	    (what == EVENT_REGISTERED || what == EVENT_BINDING_END))
		audit_registration(gw, &event, binding);
	else
		gw->env->event(gw->env->context, &event);
}

enum gw_err request_of_wic(struct gateway *gw, struct wic *wic)
{
	return gw->message.method == SIP_REGISTER ? register_request(gw, wic)
						  : originate_request(gw, wic);
}

enum gw_err request_verified(struct gateway *gw, struct wic *wic, enum gw_err verdict)
{
	enum gw_err err;

	if (pool_waits(gw, wic))
		return pool_resumed(gw, wic);
	err = authorize_verdict(gw, wic, verdict);
	if (err == GW_OK)
		err = gw->message.method == SIP_REGISTER ? register_authorized(gw, wic)
							 : originate_authorized(gw, wic);
	pool_settle(gw, wic);
	return err;
}

/** A request that has just come. */
static enum gw_err wic_request(struct gateway *gw, struct wic *wic)
{
	enum gw_err err = limits_request(gw, wic);

	counter_add(&gw_counters(gw)->sip_requests_in, 1);
	if (gw->message.method == SIP_REGISTER)
		counter_add(&gw_counters(gw)->register_in, 1);
	if (err == GW_OK)
		err = request_check(gw, REQUEST_FROM_WIC);
	if (err == GW_OK)
		err = parked_check(gw, wic);
	if (err == GW_OK)
		err = request_of_wic(gw, wic);
	return err == GW_PARKED ? GW_OK : err; /* it is answered when it goes on */
}

struct gateway_result gateway_from_wic(struct gateway *gw, struct wic *wic, struct span bytes)
{
	enum gw_err err = sip_index(bytes, &gw->message);

	if (err != GW_OK && gw->message.is_request && limits_malformed(gw, wic) != GW_OK)
		err = GW_RATE;
	if (err != GW_OK)
		return (struct gateway_result){err, gw->message.is_request};
	if (gw->message.is_request)
		return (struct gateway_result){wic_request(gw, wic), true};
	counter_add(&gw_counters(gw)->sip_responses_in, 1);
	return (struct gateway_result){terminate_response(gw, wic), false};
}

struct gateway_result gateway_verified(struct gateway *gw, struct wic *wic, struct span bytes,
				       enum gw_err verdict)
{
	enum gw_err err = sip_index(bytes, &gw->message);

	if (err == GW_OK)
		err = request_verified(gw, wic, verdict);
	return (struct gateway_result){err, gw->message.is_request};
}

/** A request of the core: to the flow that its topmost Route names. */
static void mw_request(struct gateway *gw, const struct mw_source *source, enum gw_err err)
{
	struct mw_source back = *source;

	source_answer(&gw->message, &back);
	if (err == GW_OK)
		err = source_stamp(gw, &source->peer);
	if (err == GW_OK)
		err = request_check(gw, REQUEST_FROM_MW);
	counter_add(&gw_counters(gw)->mw_requests_in, 1);
	if (err == GW_OK) {
		terminate_request(gw, &back, handle_none(), false);
		return;
	}
	gateway_count(gw, err);
	terminate_refuse(gw, &back, refusal_status(err), SPAN(""));
}

void gateway_from_mw(struct gateway *gw, const struct mw_source *source, struct span bytes)
{
	enum gw_err err = sip_index(bytes, &gw->message);

	if (gw->message.is_request)
		mw_request(gw, source, err);
	else if (err == GW_OK)
		gateway_response(gw, source, bytes);
	else
		gateway_count(gw, err);
}

void gateway_delivered(struct gateway *gw, const struct message_deliver *head, struct span bytes)
{
	enum gw_err err = sip_index(bytes, &gw->message);

	if (err != GW_OK)
		gateway_count(gw, GW_INVARIANT); /* the sender had indexed it */
	else if (head->flow.worker != gw->config.worker)
		terminate_passing(gw, &head->source, head->flow);
	else
		terminate_request(gw, &head->source, head->flow, true);
}

/** The owner of our branch is another worker: it gets the bytes. */
static void response_elsewhere(struct gateway *gw, const struct mw_source *source,
			       struct handle owner, struct span bytes)
{
	struct message_reply reply = {
		.head = {MESSAGE_REPLY, (uint32_t)sizeof(reply) + bytes.len},
		.what = REPLY_RESPONSE,
		.transaction = owner,
		.source = *source,
	};

	if (gw->env->to_worker(gw->env->context, owner.worker, span_of(&reply, sizeof(reply)),
			       bytes) == GW_OK)
		counter_add(&gw_counters(gw)->reply_out, 1);
}

static bool is_answer_to(const struct transaction *t, enum sip_method method)
{
	return t->kind != TRANSACTION_TERMINATE &&
	       (t->method == method || (method == SIP_CANCEL && t->cancel_sent));
}

/** A response that its transaction hands on; of a REGISTER and of requests of our own, the final
 * one. */
static void response_of_core(struct gateway *gw, struct transaction *t)
{
	if (t->kind == TRANSACTION_ORIGINATE)
		originate_response(gw, t);
	else if (gw->message.status < 200)
		transaction_settle(gw, t);
	else if (t->kind == TRANSACTION_OWN)
		own_response(gw, t);
	else
		register_response(gw, t);
}

void gateway_response(struct gateway *gw, const struct mw_source *source, struct span bytes)
{
	struct transaction *t = NULL;
	struct handle owner = handle_none();
	struct sip_via top;

	if (sip_index(bytes, &gw->message) != GW_OK || gw->message.is_request)
		return;
	top = request_top_via(&gw->message);
	if (top.err == GW_OK)
		t = transaction_of(gw, &top, &owner);
	if (!handle_is_none(owner) && owner.worker != gw->config.worker) {
		response_elsewhere(gw, source, owner, bytes);
		return;
	}
	counter_add(&gw_counters(gw)->mw_responses_in, 1);
	if (t == NULL && top.err == GW_OK && tombstone_response(gw, &top))
		return;
	if (t == NULL || !is_answer_to(t, gw->message.method)) {
		counter_add(&gw_counters(gw)->mw_unmatched, 1);
		gateway_count(gw, GW_SIP_NO_TRANSACTION);
		return;
	}
	if (gw->message.status == 503 && failover_busy(gw, t))
		return;
	if (transaction_received(gw, t))
		response_of_core(gw, t);
}

void gateway_flow_ended(struct gateway *gw, struct wic *wic)
{
	struct transaction *t;

	parked_flow_ended(gw, wic);
	pool_flow_ended(gw, wic);
	flow_loss(gw, wic);
	wildcard_flow_ended(gw, wic);
	while ((t = wic->pending) != NULL) /* each is off the list then */
		transaction_orphaned(gw, t);
	while ((t = wic->accepted) != NULL) { /* nobody says its 2xx again */
		transaction_detach(gw, t);
		transaction_settle(gw, t);
	}
}

void gateway_target_lost(struct gateway *gw, const struct mw_target *target)
{
	struct transaction *t;
	uint32_t cursor = 0;

	hops_lost(gw, target);
	while ((t = slots_next(gw->transactions, &cursor)) != NULL)
		if (t->kind != TRANSACTION_TERMINATE && transaction_waits(t) &&
		    target_same(&t->target, target) && !failover(gw, t) && !failover_wait(gw, t))
			failover_lost(gw, t);
}

static void binding_row(const struct gateway *gw, const struct binding *b, struct row_binding *row)
{
	*row = (struct row_binding){
		.handle = slots_handle(gw->bindings, b),
		.flow = b->flow,
		.impi_hash = b->impi_hash,
		.impu_hash = b->impu_hash,
		.expires_s = seconds_until(gw, b->expires_us),
		.service_routes = b->route_count,
	};
	memcpy(row->wwsf, b->wwsf, sizeof(row->wwsf));
	reg_event_name(gw, b->subscription, row->reg_event);
}

uint32_t gateway_rows(const struct gateway *gw, uint32_t *cursor, uint32_t max,
		      struct row_binding *rows)
{
	const struct binding *b;
	uint32_t n = 0;

	while (n < max && (b = slots_next(gw->bindings, cursor)) != NULL)
		if (b->state == BINDING_LIVE)
			binding_row(gw, b, &rows[n++]);
	if (n < max)
		*cursor = 0;
	return n;
}
