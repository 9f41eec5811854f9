/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

#include <stddef.h>
#include <stdlib.h>

/*
 * The life of an instance and of its connections, the turn, and what orders it: the list of those
 * whose user is to be told something, the list of those that have something to send, and one timer
 * for each connection that stands at its earliest deadline.
 */

#define TIMERS_PER_RUN 256u /* TCP.md 4.1 */
#define READY_PER_RUN 1024u
#define OUTPUT_PER_RUN 4096u
#define RELIEVED_PER_RUN 64u
#define BLOCKED_US 1000u		  /* a link that took no more is asked again after this */
#define DEADLINE_MAX_MS (20u * 86400000u) /* 32 bits tell later from before for 24 days */
#define PERSIST_MS 60000u
#define PERSIST_PRESSURE_MS 15000u
#define FIN_WAIT_2_MS 20000u /* TCP.md 5.10 */
#define CLOSE_WAIT_MS 30000u

const char *tcp_state_text(enum tcp_state state)
{
	static const char *const texts[TCP_STATES] = {
		[TCP_CLOSED] = "CLOSED",	 [TCP_SYN_SENT] = "SYN-SENT",
		[TCP_SYN_RECEIVED] = "SYN-RCVD", [TCP_ESTABLISHED] = "ESTAB",
		[TCP_FIN_WAIT_1] = "FIN-WAIT-1", [TCP_FIN_WAIT_2] = "FIN-WAIT-2",
		[TCP_CLOSE_WAIT] = "CLOSE-WAIT", [TCP_CLOSING] = "CLOSING",
		[TCP_LAST_ACK] = "LAST-ACK",
	};

	return state < TCP_STATES ? texts[state] : "?";
}

enum gw_err tcp_count(struct tcp *tcp, enum gw_err err)
{
	counter_add(&tcp->counters->errors[err], 1);
	return err;
}

uint32_t tcp_pressure(const struct tcp *tcp)
{
	uint64_t percent = tcp->held_max > 0 ? (uint64_t)tcp->held * 100 / tcp->held_max : 0;

	return percent > 90 ? 3 : percent > 75 ? 2 : percent > 50;
}

/* ---- lists
 * ---------------------------------------------------------------------------------------
 */

static struct tcb *tcb_at(const struct tcp *tcp, uint32_t slot)
{
	return slots_slot(tcp->tcbs, slot);
}

uint32_t tcp_tcb_slot(const struct tcp *tcp, const struct tcb *tcb)
{
	return slots_handle(tcp->tcbs, tcb).slot;
}

/** next: where a connection keeps the slot of the one behind it. */
static void list_append(struct tcp *tcp, struct tcb_list *list, struct tcb *tcb, size_t next)
{
	uint32_t slot = tcp_tcb_slot(tcp, tcb);
	uint32_t none = TCP_TABLE_NONE;

	memcpy((uint8_t *)tcb + next, &none, sizeof(none));
	if (list->count++ == 0)
		list->first = slot;
	else
		memcpy((uint8_t *)tcb_at(tcp, list->last) + next, &slot, sizeof(slot));
	list->last = slot;
}

static struct tcb *list_take(struct tcp *tcp, struct tcb_list *list, size_t next)
{
	struct tcb *tcb = tcb_at(tcp, list->first);

	memcpy(&list->first, (uint8_t *)tcb + next, sizeof(list->first));
	list->count--;
	return tcb;
}

#define BY_READY offsetof(struct tcb, ready_next)
#define BY_OUTPUT offsetof(struct tcb, output_next)

void tcp_event(struct tcp *tcp, struct tcb *tcb, enum tcb_event event)
{
	tcb->events |= (uint8_t)event;
	if ((tcb->flags & TCB_READY) != 0)
		return;
	tcb->flags |= TCB_READY;
	list_append(tcp, &tcp->ready, tcb, BY_READY);
}

void tcp_want_output(struct tcp *tcp, struct tcb *tcb)
{
	if ((tcb->flags & TCB_OUTPUT) != 0)
		return;
	tcb->flags |= TCB_OUTPUT;
	list_append(tcp, &tcp->output, tcb, BY_OUTPUT);
}

/* ---- connections
 * ----------------------------------------------------------------------------------
 */

struct tcb *tcp_tcb_find(const struct tcp *tcp, const struct tcp_ends *ends)
{
	uint32_t slot = tcp_table_find(tcp->table, ends);

	return slot != TCP_TABLE_NONE ? tcb_at(tcp, slot) : NULL;
}

struct tcb *tcp_tcb_new(struct tcp *tcp, const struct tcp_ends *ends)
{
	struct tcb *tcb =
		tcp_table_find(tcp->table, ends) == TCP_TABLE_NONE ? slots_get(tcp->tcbs) : NULL;

	if (tcb == NULL)
		return NULL;
	tcb->conn.ops = tcp->config.ops;
	tcb->tcp = tcp;
	tcb->ends = *ends;
	tcb->source = SOURCE_NONE;
	tcb->born_s = tcp_now_s(tcp);
	if (!tcp_table_add(tcp->table, tcp_tcb_slot(tcp, tcb))) {
		if (!slots_put(tcp->tcbs, tcb))
			tcp_broken(tcp);
		return NULL;
	}
	return tcb;
}

static bool ops_note(struct tcp *tcp, const struct conn_ops *ops, uint8_t *at)
{
	for (uint32_t i = 0; i < tcp->user_ops_count; i++)
		if (tcp->user_ops[i] == ops) {
			*at = (uint8_t)i;
			return true;
		}
	if (tcp->user_ops_count == TCP_OPS_MAX)
		return false;
	*at = (uint8_t)tcp->user_ops_count;
	tcp->user_ops[tcp->user_ops_count++] = ops;
	return true;
}

bool tcp_tcb_user(struct tcp *tcp, struct tcb *tcb, const struct conn_ops *ops, void *context)
{
	tcb->context = context;
	return ops_note(tcp, ops, &tcb->ops_at);
}

void tcp_set_state(struct tcp *tcp, struct tcb *tcb, enum tcp_state state)
{
	tcb->state = (uint8_t)state;
	trace(tcp, tcb, TCP_EVENT_STATE, state, 0, 0);
}

/** Nothing of the network's is left: no bytes to send, no timer, no ends. */
static void tcb_unplug(struct tcp *tcp, struct tcb *tcb, enum gw_err why)
{
	black_box(tcp, tcb, why);
	tcp_set_state(tcp, tcb, TCP_CLOSED);
	tcb->why = (uint8_t)why;
	tcp_out_drop(tcp, tcb);
	ooo_drop(tcp, tcb);
	memset(tcb->deadline_ms, 0, sizeof(tcb->deadline_ms));
	wheel_disarm(tcp->wheel, &tcb->timer);
	if (!tcp_table_remove(tcp->table, tcp_tcb_slot(tcp, tcb)))
		tcp_broken(tcp);
}

void tcp_tcb_close(struct tcp *tcp, struct tcb *tcb, enum gw_err why)
{
	if ((tcb->events & EVENT_CLOSED) == 0)
		tcb_unplug(tcp, tcb, why);
	else if (tcb->why == GW_CONN_CLOSED)
		tcb->why = (uint8_t)why; /* ended in order, and given up before he has read all */
	tcb->deadline_ms[DEADLINE_APP] = 0;
	receive_drop(tcp, tcb);
	tcb->events &= EVENT_ACCEPT;
	tcb->flags &= (uint16_t)~TCB_FIN_RECEIVED;
	tcp_event(tcp, tcb, EVENT_CLOSED);
}

static void timer_place(struct tcp *tcp, struct tcb *tcb);

void tcp_tcb_finish(struct tcp *tcp, struct tcb *tcb)
{
	uint32_t app_ms;

	if ((tcb->events & EVENT_CLOSED) != 0)
		return;
	app_ms = tcb->deadline_ms[DEADLINE_APP];
	tcb_unplug(tcp, tcb, GW_CONN_CLOSED);
	tcb->deadline_ms[DEADLINE_APP] = app_ms;
	timer_place(tcp, tcb); /* a pause may hold the end up, and who pauses waits for this */
	tcb->events &= (uint8_t)~EVENT_WRITABLE;
	tcp_event(tcp, tcb, EVENT_CLOSED);
}

void tcp_tcb_abort(struct tcp *tcp, struct tcb *tcb, enum gw_err why)
{
	tcp_count(tcp, why);
	trace(tcp, tcb, TCP_EVENT_ABORT, why, 0, 0);
	if ((tcb->events & EVENT_CLOSED) == 0)
		tcp_out_reset(tcp, tcb);
	tcp_tcb_close(tcp, tcb, why);
}

static void tcb_recycle(struct tcp *tcp, struct tcb *tcb)
{
	receive_drop(tcp, tcb);
	if (tcb->source != SOURCE_NONE)
		source_connection_ended(tcp, tcb->source);
	if (!slots_put(tcp->tcbs, tcb))
		tcp_broken(tcp);
}

/* ---- deadlines
 * -------------------------------------------------------------------------------------
 */

static uint64_t deadline_us(const struct tcp *tcp, uint32_t deadline_ms)
{
	uint64_t now_ms = tcp_now_us(tcp) / 1000;

	return (uint64_t)((int64_t)now_ms + (int32_t)(deadline_ms - (uint32_t)now_ms)) * 1000;
}

static bool deadline_due(const struct tcp *tcp, uint32_t deadline_ms)
{
	return deadline_ms != 0 && (int32_t)(tcp_now_ms(tcp) - deadline_ms) >= 0;
}

static void timer_fired(struct timer *timer, void *context);

/** The timer at the earliest deadline; it stays where it is when that has become later. */
static void timer_place(struct tcp *tcp, struct tcb *tcb)
{
	uint64_t first = UINT64_MAX;

	for (uint32_t i = 0; i < DEADLINES; i++)
		if (tcb->deadline_ms[i] != 0 && deadline_us(tcp, tcb->deadline_ms[i]) < first)
			first = deadline_us(tcp, tcb->deadline_ms[i]);
	if (first != UINT64_MAX && (!timer_armed(&tcb->timer) || first < tcb->timer.due_us))
		wheel_arm(tcp->wheel, &tcb->timer, first, timer_fired);
}

void tcp_deadline(struct tcp *tcp, struct tcb *tcb, enum tcb_deadline which, uint32_t ms)
{
	uint64_t wait_ms = ms < DEADLINE_MAX_MS ? (ms > 0 ? ms : 1) : DEADLINE_MAX_MS;
	uint32_t due = (uint32_t)((tcp_now_us(tcp) + wait_ms * 1000 + 999) / 1000);

	if ((tcb->events & EVENT_CLOSED) != 0 &&
	    (which != DEADLINE_APP || tcb->why != GW_CONN_CLOSED))
		return;
	tcb->deadline_ms[which] = due != 0 ? due : 1;
	timer_place(tcp, tcb);
}

void tcp_no_deadline(struct tcp *tcp, struct tcb *tcb, enum tcb_deadline which)
{
	tcb->deadline_ms[which] = 0;
}

/** What keeps the other side from being waited for for ever. */
static uint32_t progress_ms(const struct tcp *tcp, const struct tcb *tcb)
{
	uint32_t user_ms = (uint32_t)(tcp->config.net.limits.user_timeout_us / 1000);

	if (tcb->snd_una != tcb->snd_nxt)
		return user_ms;
	if ((tcb->flags & TCB_PROBING) != 0)
		return tcp_pressure(tcp) > 0 || tcp_sends_above(tcp, 50) ? PERSIST_PRESSURE_MS
									 : PERSIST_MS;
	switch (tcb->state) {
	case TCP_FIN_WAIT_1: /* a FIN that the link, or an empty pool, keeps back */
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return user_ms;
	case TCP_FIN_WAIT_2:
		return FIN_WAIT_2_MS;
	case TCP_CLOSE_WAIT:
		return CLOSE_WAIT_MS;
	default:
		return 0;
	}
}

void tcp_progress(struct tcp *tcp, struct tcb *tcb)
{
	uint32_t ms = progress_ms(tcp, tcb);

	if (tcb->state == TCP_SYN_SENT || tcb->state == TCP_SYN_RECEIVED)
		return; /* the time of the active open runs */
	tcb->progress = 0;
	if (ms != 0)
		tcp_deadline(tcp, tcb, DEADLINE_USER, ms);
	else
		tcp_no_deadline(tcp, tcb, DEADLINE_USER);
}

static void no_progress(struct tcp *tcp, struct tcb *tcb)
{
	enum gw_err what = GW_CONN_TIMEOUT;

	if (tcb->state != TCP_SYN_SENT && tcb->state != TCP_SYN_RECEIVED) {
		if (tcb->progress > 0)
			what = GW_TCP_SLOW;
		else if (tcb->snd_una == tcb->snd_nxt)
			what = (tcb->flags & TCB_PROBING) != 0 ? GW_TCP_PERSIST : GW_TCP_ORPHAN;
	}
	tcp_tcb_abort(tcp, tcb, what);
	tcb->why = GW_CONN_TIMEOUT;
}

static void loss_deadline(struct tcp *tcp, struct tcb *tcb)
{
	if (tcb->state == TCP_SYN_SENT || tcb->state == TCP_SYN_RECEIVED) {
		if (tcb->sent_us != 0) { /* else the link has not taken it */
			counter_add(&tcp->counters->tcp_timeouts, 1);
			tcb->backoff += tcb->backoff < 6;
		}
		tcp_out_syn(tcp, tcb);
	} else if (tcb->loss_kind == LOSS_PERSIST) {
		tcp_out_probe_window(tcp, tcb);
	} else {
		recovery_timeout(tcp, tcb);
		tcp_want_output(tcp, tcb);
	}
}

static void deadline_run(struct tcp *tcp, struct tcb *tcb, enum tcb_deadline which)
{
	tcb->deadline_ms[which] = 0;
	switch (which) {
	case DEADLINE_LOSS:
		loss_deadline(tcp, tcb);
		return;
	case DEADLINE_ACK:
		tcp_out_ack(tcp, tcb);
		return;
	case DEADLINE_USER:
		no_progress(tcp, tcb);
		return;
	case DEADLINE_APP:
	default:
		tcp_event(tcp, tcb, EVENT_DEADLINE);
	}
}

static void timer_fired(struct timer *timer, void *context)
{
	struct tcb *tcb = (struct tcb *)((uint8_t *)timer - offsetof(struct tcb, timer));
	struct tcp *tcp = context;

	counter_max(&tcp->counters->tcp_timer_late_max_us, tcp_now_us(tcp) - timer->due_us);
	for (uint32_t i = 0; i < DEADLINES; i++)
		if (deadline_due(tcp, tcb->deadline_ms[i]))
			deadline_run(tcp, tcb, i);
	timer_place(tcp, tcb);
}

/* ---- the turn
 * ---------------------------------------------------------------------------------------
 */

/** Its user leaves bytes unread: he knows of them, or has paused. */
static bool is_unread(const struct tcb *tcb)
{
	return tcb->receive_held > 0 &&
	       ((tcb->flags & TCB_PAUSED) != 0 || (tcb->events & EVENT_READABLE) == 0);
}

/**
 * When received bytes that nobody reads are most of what there is: what is out of order goes, and
 * then whoever holds most, some connections in each turn.
 */
static void relieve(struct tcp *tcp)
{
	uint32_t level = tcp_pressure(tcp);
	struct tcb *most = NULL;

	for (uint32_t i = 0; level >= 2 && i < RELIEVED_PER_RUN; i++) {
		struct tcb *tcb = slots_next(tcp->tcbs, &tcp->relieved);

		if (tcb == NULL) {
			tcp->relieved = 0;
			break;
		}
		ooo_drop(tcp, tcb);
		if (is_unread(tcb) && (most == NULL || tcb->receive_held > most->receive_held))
			most = tcb;
	}
	if (level >= 3 && most != NULL)
		tcp_tcb_abort(tcp, most, GW_TCP_PRESSURE);
}

void tcp_run_timers(struct tcp *tcp)
{
	relieve(tcp);
	wheel_run(tcp->wheel, tcp_now_us(tcp), TIMERS_PER_RUN);
	handshake_run(tcp);
	time_wait_run(tcp);
}

static const struct conn_ops *tcb_ops(const struct tcb *tcb)
{
	return tcb->tcp->user_ops[tcb->ops_at];
}

/** Takes an event off, and says whether it was there. */
static bool event_take(struct tcb *tcb, enum tcb_event event)
{
	bool there = (tcb->events & event) != 0;

	tcb->events &= (uint8_t)~event;
	return there;
}

/** False: the user refuses it, and hears no more. */
static bool told_accept(struct tcp *tcp, struct tcb *tcb)
{
	enum gw_err err = tcb_ops(tcb)->accept(&tcb->conn, tcb->context, &tcb->context);

	if (err == GW_OK) {
		tcb->flags |= TCB_ACCEPTED;
		return true;
	}
	if ((tcb->events & EVENT_CLOSED) == 0)
		tcp_out_reset(tcp, tcb);
	tcp_tcb_close(tcp, tcb, err);
	return false;
}

static void told_received(struct tcb *tcb)
{
	if ((tcb->flags & TCB_PAUSED) == 0 && event_take(tcb, EVENT_READABLE) &&
	    tcb->receive_bytes > 0)
		tcb_ops(tcb)->readable(&tcb->conn, tcb->context);
	if ((tcb->flags & TCB_PAUSED) != 0 || (tcb->flags & TCB_FIN_RECEIVED) == 0 ||
	    !event_take(tcb, EVENT_FIN))
		return;
	tcb->flags |= TCB_TOLD_FIN;
	tcb_ops(tcb)->peer_fin(&tcb->conn, tcb->context);
}

/** Nothing is left that the user must hear, or means to read, before he hears of the end. */
static bool is_over(const struct tcb *tcb)
{
	bool fin = (tcb->flags & TCB_FIN_RECEIVED) != 0 && (tcb->flags & TCB_TOLD_FIN) == 0;
	bool unread = (tcb->flags & TCB_PAUSED) != 0 && tcb->receive_bytes > 0;

	return (tcb->events & EVENT_CLOSED) != 0 && !fin && !unread;
}

static void told_end(struct tcp *tcp, struct tcb *tcb)
{
	tcb->flags |=
		TCB_READY; /* on no list any more but that of the dead, whatever closed does */
	if ((tcb->flags & TCB_ACCEPTED) != 0)
		tcb_ops(tcb)->closed(&tcb->conn, tcb->context, tcb->why);
	tcb->flags &= (uint16_t)~TCB_ACCEPTED;
	wheel_disarm(tcp->wheel, &tcb->timer);
	list_append(tcp, &tcp->dead, tcb, BY_READY);
}

static void tell(struct tcp *tcp, struct tcb *tcb)
{
	tcb->flags &= (uint16_t)~TCB_READY;
	if (event_take(tcb, EVENT_ACCEPT) &&
	    ((tcb->events & EVENT_CLOSED) == 0 || (tcb->flags & TCB_FIN_RECEIVED) != 0) &&
	    !told_accept(tcp, tcb))
		return;
	if (event_take(tcb, EVENT_CONNECTED))
		tcb_ops(tcb)->connected(&tcb->conn, tcb->context);
	told_received(tcb);
	if (event_take(tcb, EVENT_WRITABLE) && (tcb->flags & TCB_NO_ROOM) == 0)
		tcb_ops(tcb)->writable(&tcb->conn, tcb->context);
	if (event_take(tcb, EVENT_DEADLINE))
		tcb_ops(tcb)->deadline(&tcb->conn, tcb->context);
	if (is_over(tcb) && (tcb->flags & TCB_READY) == 0)
		told_end(tcp, tcb);
}

void tcp_run_ready(struct tcp *tcp)
{
	uint32_t n = tcp->ready.count < READY_PER_RUN ? tcp->ready.count : READY_PER_RUN;

	while (n-- > 0)
		tell(tcp, list_take(tcp, &tcp->ready, BY_READY));
}

/** Who is still on the list of those that had something to send is given back when he has left it.
 */
static void bury(struct tcp *tcp, struct tcb *tcb)
{
	if ((tcb->flags & TCB_OUTPUT) != 0)
		list_append(tcp, &tcp->dead, tcb, BY_READY);
	else
		tcb_recycle(tcp, tcb);
}

void tcp_transmit(struct tcp *tcp)
{
	uint32_t n = tcp->output.count < OUTPUT_PER_RUN ? tcp->output.count : OUTPUT_PER_RUN;
	bool blocked = false, all = n == tcp->output.count;

	/* a link that is full stops who uses it, and nobody else; nor do many who wait */
	for (; n > 0; n--) {
		struct tcb *tcb = list_take(tcp, &tcp->output, BY_OUTPUT);

		tcb->flags &= (uint16_t)~TCB_OUTPUT;
		tcp->blocked = false;
		if (tcb->state != TCP_CLOSED)
			tcp_out_run(tcp, tcb);
		if (tcp->blocked && tcb->state != TCP_CLOSED) {
			tcp_want_output(tcp, tcb);
			blocked = true;
		}
	}
	tcp->blocked = blocked && all;
	for (n = tcp->dead.count; n > 0; n--)
		bury(tcp, list_take(tcp, &tcp->dead, BY_READY));
}

bool tcp_idle(const struct tcp *tcp)
{
	return tcp->ready.count == 0 && tcp->dead.count == 0 &&
	       (tcp->output.count == 0 || tcp->blocked);
}

uint64_t tcp_next_us(const struct tcp *tcp)
{
	uint64_t next = wheel_next_us(tcp->wheel);
	uint64_t others[] = {handshake_next_us(tcp), time_wait_next_us(tcp),
			     tcp->blocked ? tcp_now_us(tcp) + BLOCKED_US : UINT64_MAX};

	for (uint32_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		next = others[i] < next ? others[i] : next;
	return next;
}

/* ---- life
 * ---------------------------------------------------------------------------------------------
 */

static enum gw_err tcp_allocate(struct tcp *tcp)
{
	const struct net_config *net = &tcp->config.net;
	struct tcp_table_config table = {.capacity = net->limits.connections,
					 .stride = sizeof(struct tcb),
					 .offset = offsetof(struct tcb, ends)};

	tcp->tcbs = slots_new(net->worker, net->limits.connections, sizeof(struct tcb), net->epoch);
	tcp->wheel = wheel_new(net->clock->now_us, tcp);
	tcp->send_pool =
		packet_pool_new(tcp->config.pool_name, tcp->limits.send_packets + TCP_SEND_RESERVE,
				0, tcp->config.numa);
	if (tcp->tcbs == NULL || tcp->wheel == NULL || tcp->send_pool == NULL)
		return GW_NO_MEMORY;
	memcpy(table.key, tcp->secrets.table, sizeof(table.key));
	table.base = slots_slot(tcp->tcbs, 0);
	tcp->table = tcp_table_new(&table);
	return tcp->table != NULL ? trace_open(tcp) : GW_NO_MEMORY;
}

enum gw_err tcp_new(const struct tcp_config *config, struct tcp **made)
{
	struct tcp *tcp = calloc(1, sizeof(*tcp));
	enum gw_err err;

	if (tcp == NULL)
		return GW_NO_MEMORY;
	tcp->config = *config;
	tcp->limits = config->net.tcp != NULL ? *config->net.tcp : tcp_limits_default;
	tcp->counters = config->net.counters;
	tcp->held_max = tcp->limits.held_packets * PACKET_ROOM;
	secret_init(tcp);
	err = tcp_allocate(tcp);
	if (err == GW_OK)
		err = handshake_open(tcp);
	if (err == GW_OK)
		err = source_open(tcp);
	if (err == GW_OK)
		err = time_wait_open(tcp);
	if (err != GW_OK) {
		tcp_free(tcp);
		return err;
	}
	*made = tcp;
	return GW_OK;
}

/** Everybody hears of the end, whatever he waits for. */
static void tcp_end_all(struct tcp *tcp)
{
	struct tcb *tcb;
	uint32_t cursor = 0;

	tcp->stopping = true;
	while ((tcb = slots_next(tcp->tcbs, &cursor)) != NULL) {
		if ((tcb->events & EVENT_CLOSED) == 0)
			tcp_out_reset(tcp, tcb);
		if (tcb->why == GW_OK || tcb->why == GW_CONN_CLOSED)
			tcp_tcb_close(tcp, tcb, GW_STOPPING);
		if ((tcb->flags & TCB_ACCEPTED) == 0)
			tcb->events &= (uint8_t)~EVENT_ACCEPT;
	}
	while (tcp->ready.count > 0)
		tcp_run_ready(tcp);
	do
		tcp_transmit(tcp);
	while (tcp->dead.count > 0); /* each asks, and leaves out, so many who are closed */
}

void tcp_free(struct tcp *tcp)
{
	if (tcp == NULL)
		return;
	if (tcp->tcbs != NULL && tcp->table != NULL)
		tcp_end_all(tcp);
	time_wait_close(tcp);
	source_close(tcp);
	handshake_close(tcp);
	trace_close(tcp);
	tcp_table_free(tcp->table);
	if (tcp->send_pool != NULL)
		packet_pool_free(tcp->send_pool);
	wheel_free(tcp->wheel);
	slots_free(tcp->tcbs);
	free(tcp);
}

/* ---- listeners
 * -------------------------------------------------------------------------------------------
 */

enum gw_err tcp_listen(struct tcp *tcp, const struct endpoint *local, const struct conn_ops *ops,
		       void *listener_context)
{
	struct tcp_listener *listener = &tcp->listener[tcp->listeners];
	struct ip_address address = ip_address_of(local);
	uint8_t at;

	if (tcp->listeners == TCP_LISTENERS || !ops_note(tcp, ops, &at))
		return GW_POOL_EMPTY;
	for (uint32_t i = 0; i < tcp->listeners; i++)
		if (endpoint_same_host(&tcp->listener[i].local, local) &&
		    endpoint_port(&tcp->listener[i].local) == endpoint_port(local))
			return GW_SYSTEM;
	*listener = (struct tcp_listener){.local = *local,
					  .any = ip_address_is_unspecified(&address),
					  .ops = ops,
					  .context = listener_context};
	tcp->listeners++;
	return GW_OK;
}

void tcp_stop_listening(struct tcp *tcp)
{
	tcp->listeners = 0;
	tcp->draining = true;
}

struct tcp_listener *tcp_listener_find(struct tcp *tcp, const struct ip_address *local,
				       uint16_t port)
{
	struct endpoint exact = ip_address_endpoint(local, port);
	struct tcp_listener *any = NULL;

	for (uint32_t i = 0; i < tcp->listeners; i++) {
		struct tcp_listener *listener = &tcp->listener[i];

		if (endpoint_port(&listener->local) != port)
			continue;
		if (endpoint_same_host(&listener->local, &exact))
			return listener;
		if (listener->any && listener->local.sa.sa_family == exact.sa.sa_family)
			any = listener;
	}
	return any;
}

/* ---- for operators
 * -----------------------------------------------------------------------------------------
 */

bool tcp_next_row(const struct tcp *tcp, uint32_t *cursor, struct conn_row *row)
{
	const struct tcb *tcb = slots_next(tcp->tcbs, cursor);

	if (tcb == NULL)
		return false;
	*row = (struct conn_row){
		.ref = slots_handle(tcp->tcbs, tcb),
		.local = ip_address_endpoint(&tcb->ends.local, tcb->ends.local_port),
		.peer = ip_address_endpoint(&tcb->ends.remote, tcb->ends.remote_port),
		.receive_bytes = tcb->receive_bytes,
		.send_bytes = tcb->snd_end - tcb->snd_una,
		.cwnd = tcb->cwnd,
		.ssthresh = tcb->ssthresh,
		.srtt_us = tcb->srtt_us,
		.rto_us = recovery_rto_us(tcb),
		.mss = tcb->mss,
		.send_window = tcb->snd_wnd,
		.receive_window = tcb->rcv_edge - tcb->rcv_nxt,
		.retransmits = tcb->retransmits,
		.age_s = tcp_now_s(tcp) - tcb->born_s,
	};
	strncpy(row->state, tcp_state_text(tcb->state), sizeof(row->state) - 1);
	return true;
}
