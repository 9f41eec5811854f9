/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcpsim.h"

/* Invariants of TCP.md 8.3 that are seen from inside, after every segment and every turn. */

#define WORK_MAX 4096u
#define SPURIOUS_FIRST 12u /* until the first reordering has been understood */

/* ---- one connection ----------------------------------------------------------------------------
 */

static void check_order(struct host *host, const struct tcb *tcb)
{
	if (seq_after(tcb->snd_una, tcb->snd_nxt) || seq_after(tcb->snd_nxt, tcb->snd_end))
		violate(host->world, 2, "snd_una %u, snd_nxt %u, end %u", tcb->snd_una,
			tcb->snd_nxt, tcb->snd_end);
	if (tcb->state > TCP_SYN_SENT && seq_after(tcb->rcv_nxt, tcb->rcv_edge + 1))
		violate(host->world, 2, "rcv_nxt %u beyond the edge %u", tcb->rcv_nxt,
			tcb->rcv_edge);
}

static void check_moves(struct host *host, const struct tcb *tcb, const struct shadow *was)
{
	if (seq_before(tcb->snd_una, was->snd_una) || seq_before(tcb->snd_nxt, was->snd_nxt) ||
	    seq_before(tcb->snd_end, was->snd_end))
		violate(host->world, 2, "a sequence number of the sender went back");
	if (was->state > TCP_SYN_RECEIVED &&
	    (seq_before(tcb->rcv_nxt, was->rcv_nxt) || seq_before(tcb->rcv_edge, was->rcv_edge)))
		violate(host->world, 2, "a sequence number of the receiver went back");
	/* a new episode begins when the last has ended: all was acknowledged, or it was undone */
	if (tcb->ssthresh < was->ssthresh && was->phase != PHASE_OPEN &&
	    seq_before(tcb->snd_una, was->recover) && host->counters.tcp_undone == was->undone)
		violate(host->world, 8, "ssthresh was cut twice in an episode: %u to %u",
			was->ssthresh, tcb->ssthresh);
}

/** The send queue counted anew. */
static void check_send(struct host *host, const struct tcb *tcb)
{
	uint32_t pipe = 0, count = 0, next = 0;
	const struct rte_mbuf *unsent = NULL, *prev = NULL;

	for (struct rte_mbuf *p = tcb->send_first; p != NULL; p = send_record(p)->next) {
		const struct send_record *r = send_record(p);
		uint32_t bytes = packet_len(p);

		if (count++ > 0 && (r->seq != next || r->prev != prev))
			violate(host->world, 3, "a gap in the send queue");
		if (r->len != bytes + ((r->flags & SEND_FIN) != 0))
			violate(host->world, 3, "a record of %u numbers with %u bytes", r->len,
				bytes);
		if ((r->flags & (SEND_SACKED | SEND_LOST)) == (SEND_SACKED | SEND_LOST))
			violate(host->world, 3, "a record is SACKed and lost");
		if ((r->flags & SEND_SENT) == 0 && unsent == NULL)
			unsent = p;
		else if ((r->flags & SEND_SENT) != 0 && unsent != NULL)
			violate(host->world, 3, "a sent record behind one that was not");
		pipe += send_in_flight(r) ? r->len : 0;
		next = r->seq + r->len;
		prev = p;
	}
	if (pipe != tcb->pipe || recovery_pipe(tcb) != pipe)
		violate(host->world, 3, "pipe %u, counted %u", tcb->pipe, pipe);
	if (count != tcb->send_packets || prev != tcb->send_last || unsent != tcb->send_unsent)
		violate(host->world, 3, "send queue of %u packets, counted %u", tcb->send_packets,
			count);
	if (count > 0 && next != tcb->snd_end)
		violate(host->world, 3, "the send queue ends at %u, not %u", next, tcb->snd_end);
}

static void check_receive(struct host *host, struct tcb *tcb, uint64_t *held)
{
	uint32_t bytes = 0, size = 0, ooo = 0, end = tcb->rcv_nxt;

	for (struct rte_mbuf *p = tcb->receive_first; p != NULL; p = receive_record(p)->next) {
		bytes += packet_len(p);
		size += packet_true_size(p);
	}
	for (struct rte_mbuf *p = tcb->ooo_first; p != NULL; p = receive_record(p)->next) {
		const struct receive_record *r = receive_record(p);

		if (seq_before(r->seq, end) || r->seq == tcb->rcv_nxt ||
		    seq_after(r->seq + r->len, tcb->rcv_edge + r->fin))
			violate(host->world, 3, "out of order: %u to %u, next %u, edge %u", r->seq,
				r->seq + r->len, tcb->rcv_nxt, tcb->rcv_edge);
		if (r->len != packet_len(p) + r->fin)
			violate(host->world, 3, "out of order: %u numbers with %u bytes", r->len,
				packet_len(p));
		end = r->seq + r->len;
		size += packet_true_size(p);
		ooo++;
	}
	if (bytes != tcb->receive_bytes || size != tcb->receive_held || ooo != tcb->ooo_packets)
		violate(host->world, 3,
			"received %u bytes of %u (%u out of order), counted %u, %u, %u",
			tcb->receive_bytes, tcb->receive_held, tcb->ooo_packets, bytes, size, ooo);
	*held += size;
}

/** Something must come to pass, sooner or later, by itself. */
static void check_deadlines(struct host *host, const struct tcb *tcb, uint64_t next_us)
{
	bool due = tcp_has_deadline(tcb, DEADLINE_LOSS) || (tcb->flags & TCB_OUTPUT) != 0;
	bool own = tcp_has_deadline(tcb, DEADLINE_LOSS) || tcp_has_deadline(tcb, DEADLINE_USER);
	bool any = false;

	for (uint32_t i = 0; i < DEADLINES; i++)
		any = any || tcp_has_deadline(tcb, i);
	if (tcb->state == TCP_CLOSED)
		return;
	if (any && !timer_armed(&tcb->timer))
		violate(host->world, 4, "a deadline, and the timer is not armed");
	if (any && next_us > tcb->timer.due_us + 1000)
		violate(host->world, 4, "who sleeps until tcp_next_us() misses a deadline");
	if (tcb->snd_una != tcb->snd_end && !due)
		violate(host->world, 4, "%s: bytes wait, and no timer for them",
			tcp_state_text(tcb->state));
	/* a user's does not count: he need not have one */
	if (tcb->state != TCP_ESTABLISHED && !own)
		violate(host->world, 4, "%s without a deadline", tcp_state_text(tcb->state));
	if ((tcb->flags & TCB_PROBING) != 0 && tcb->snd_una != tcb->snd_nxt)
		violate(host->world, 4, "%s: a closed window is probed, and bytes are under way",
			tcp_state_text(tcb->state));
	if (tcb->snd_una != tcb->snd_nxt && !tcp_has_deadline(tcb, DEADLINE_USER))
		violate(host->world, 4, "%s: unacknowledged bytes, and no user timeout",
			tcp_state_text(tcb->state));
}

/** A window that was closed is opened when its user has read (RFC 9293 3.8.6.2.2). */
static void check_window(struct host *host, const struct tcb *tcb, const struct shadow *shadow)
{
	if (!shadow->advertised_known || seq_after(shadow->advertised, tcb->rcv_nxt) ||
	    (tcb->flags & (TCB_FIN_RECEIVED | TCB_OUTPUT)) != 0 || tcp_pressure(host->tcp) > 0)
		return;
	if (tcb->receive_bytes < 20000 && tcb->receive_held < 60000)
		violate(host->world, 11, "%s: the window stays closed, %u bytes are unread",
			tcp_state_text(tcb->state), tcb->receive_bytes);
}

static void check_congestion(struct host *host, const struct tcb *tcb)
{
	if (tcb->state <= TCP_SYN_RECEIVED)
		return;
	if (tcb->cwnd < tcb->mss || tcb->cwnd > CWND_MAX)
		violate(host->world, 8, "cwnd %u with segments of %u", tcb->cwnd, tcb->mss);
	if (tcb->ssthresh < tcb->mss)
		violate(host->world, 8, "ssthresh %u", tcb->ssthresh);
}

static void shadow_take(struct host *host, const struct tcb *tcb)
{
	struct handle ref = tcp_ref(&tcb->conn);
	struct shadow *s = &host->shadow[ref.slot % CONNECTIONS_MAX];

	if (s->generation != ref.generation)
		*s = (struct shadow){.generation = ref.generation};
	else if (s->looked)
		check_moves(host, tcb, s);
	s->looked = true;
	check_window(host, tcb, s);
	s->snd_una = tcb->snd_una;
	s->snd_nxt = tcb->snd_nxt;
	s->snd_end = tcb->snd_end;
	s->rcv_nxt = tcb->rcv_nxt;
	s->rcv_edge = tcb->rcv_edge;
	s->ssthresh = tcb->ssthresh;
	s->recover = tcb->rec.recover;
	s->undone = host->counters.tcp_undone;
	s->phase = tcb->rec.phase;
	s->state = tcb->state;
}

/* ---- after a turn ------------------------------------------------------------------------------
 */

static void check_rates(struct host *host, uint32_t connections)
{
	uint32_t allowed = host->in * 2 + connections * 3 + 8;

	if (host->out_bare > allowed)
		violate(host->world, 6, "%u bare segments out for %u in", host->out_bare, host->in);
}

void check_host(struct host *host)
{
	uint64_t next_us = tcp_next_us(host->tcp), held = 0;
	uint32_t cursor = 0, connections = 0;
	struct tcb *tcb;

	while ((tcb = slots_next(host->tcp->tcbs, &cursor)) != NULL && !host->world->failed) {
		connections++;
		if (tcb->state != TCP_CLOSED) {
			check_order(host, tcb);
			check_send(host, tcb);
			check_congestion(host, tcb);
			shadow_take(host, tcb);
		}
		check_receive(host, tcb, &held);
		check_deadlines(host, tcb, next_us);
	}
	check_rates(host, connections);
	if (!host->world->failed && held != host->tcp->held)
		violate(host->world, 3, "%u bytes are held, counted %u", host->tcp->held,
			(uint32_t)held);
	if (counter_read(&host->counters.invariant_broken) != 0)
		violate(host->world, 3, "TCP itself counts a broken invariant");
}

/* ---- around a segment --------------------------------------------------------------------------
 */

void check_before(struct host *host, const struct tcp_ends *ends, struct check_before *before)
{
	before->tcb = tcp_tcb_find(host->tcp, ends);
	before->undone = host->counters.tcp_undone;
	if (before->tcb != NULL)
		before->copy = *before->tcb;
}

/** What differs between two states of a connection, of what a stranger must not change; or NULL. */
static const char *changed(const struct tcb *is, const struct tcb *was)
{
	const struct {
		const char *name;
		uint32_t is, was;
	} fields[] = {
		{"state", is->state, was->state},
		{"rcv_nxt", is->rcv_nxt, was->rcv_nxt},
		{"snd_una", is->snd_una, was->snd_una},
		{"snd_wnd", is->snd_wnd, was->snd_wnd},
		{"events", is->events, was->events},
		{"ooo_packets", is->ooo_packets, was->ooo_packets},
		{"receive_bytes", is->receive_bytes, was->receive_bytes},
		{"ts_recent", is->ts_recent, was->ts_recent},
		{"cwnd", is->cwnd, was->cwnd},
		{"ssthresh", is->ssthresh, was->ssthresh},
		{"pipe", is->pipe, was->pipe},
		{"mss", is->mss, was->mss},
		{"srtt", is->srtt_us, was->srtt_us},
	};

	for (uint32_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].is != fields[i].was)
			return fields[i].name;
	return NULL;
}

/** Invariant 13: who guesses changes nothing. */
static void check_stranger(struct host *host, const struct tcb *is, const struct tcb *was)
{
	const char *what = changed(is, was);

	if (what != NULL)
		violate(host->world, 13, "%s: a stranger's segment changes %s",
			tcp_state_text(was->state), what);
}

/** Invariant 8: cwnd does not grow when it limits nobody. */
static void check_growth(struct host *host, const struct tcb *is, const struct tcb *was)
{
	if (is->cwnd > was->cwnd && was->rec.phase == PHASE_OPEN && is->rec.phase == PHASE_OPEN &&
	    was->state > TCP_SYN_RECEIVED && (was->flags & TCB_CWND_LIMITED) == 0)
		violate(host->world, 8, "cwnd grows from %u to %u, and limits nobody", was->cwnd,
			is->cwnd);
}

void check_after(struct host *host, const struct flight *flight, const struct check_before *before)
{
	if (host->tcp->work > WORK_MAX)
		violate(host->world, 7, "%u steps for one segment", host->tcp->work);
	if (before->tcb == NULL)
		return;
	/* before it exists, a SYN may take part in a simultaneous open: RFC 9293 3.5 */
	if (flight->attack && before->copy.state > TCP_SYN_RECEIVED)
		check_stranger(host, before->tcb, &before->copy);
	if (host->counters.tcp_undone == before->undone)
		check_growth(host, before->tcb, &before->copy);
}

/** After tcp_free(): whoever had a connection has heard of its end. */
void check_told(struct world *world)
{
	for (uint32_t i = 0; i < world->plan.pairs * 2; i++) {
		const struct app *app = &world->pair[i / 2].app[i % 2];

		if (app->opened && !app->closed)
			violate(world, 0, "connection %u.%u has gone, and nobody was told", i / 2,
				i % 2);
	}
}

/* ---- at the end --------------------------------------------------------------------------------
 */

static void check_balance(struct host *host)
{
	struct world *world = host->world;
	struct tcp *tcp = host->tcp;

	if (slots_live(tcp->tcbs) != 0)
		violate(world, 5, "%u connections are left", slots_live(tcp->tcbs));
	if (packet_pool_live(tcp->send_pool) != 0 || packet_pool_live(host->rx_pool) != 0)
		violate(world, 5, "packets are left: %u to be sent, %u received",
			packet_pool_live(tcp->send_pool), packet_pool_live(host->rx_pool));
	if (tcp->send_live != 0)
		violate(world, 5, "%u packets to be sent are counted, and there are none",
			tcp->send_live);
	if (host->counters.tcp_half_open_live != 0 || host->counters.tcp_time_wait_live != 0 ||
	    host->counters.conn_live != 0)
		violate(world, 5, "left: %llu half-open, %llu in TIME-WAIT, %llu connections",
			(unsigned long long)host->counters.tcp_half_open_live,
			(unsigned long long)host->counters.tcp_time_wait_live,
			(unsigned long long)host->counters.conn_live);
	if (tcp_table_count(tcp->table) != 0)
		violate(world, 5, "%u ends are left in the table", tcp_table_count(tcp->table));
}

/** Invariant 9: nothing was lost. Before reordering has been seen, some are taken for it. */
static void check_reordered(struct host *host)
{
	const struct counters *c = &host->counters;

	if (c->tcp_retransmits > SPURIOUS_FIRST + c->tcp_out / 200)
		violate(host->world, 9, "%llu of %llu segments were sent again, and none was lost",
			(unsigned long long)c->tcp_retransmits, (unsigned long long)c->tcp_out);
	if (c->tcp_recoveries > c->tcp_undone)
		violate(host->world, 9, "%llu recoveries where nothing was lost, %llu undone",
			(unsigned long long)c->tcp_recoveries, (unsigned long long)c->tcp_undone);
}

void check_end(struct world *world)
{
	/* the last ACK of a FIN waits for no device: the FIN comes again */
	uint32_t again = plan_has(&world->plan, FEATURE_TX_FULL) ? 3 * world->plan.pairs : 0;

	for (uint32_t i = 0; i < HOSTS && !world->failed; i++) {
		const struct counters *c = &world->host[i].counters;

		check_balance(&world->host[i]);
		world->totals.retransmits += c->tcp_retransmits;
		if (world->plan.no_retransmit && c->tcp_retransmits > again)
			violate(world, 9, "nothing was lost, and %llu segments were sent again",
				(unsigned long long)c->tcp_retransmits);
		if (world->plan.class == CLASS_TAIL && c->tcp_timeouts > 0)
			violate(world, 10, "a lost tail was found by a timeout, not by a probe");
		if (world->plan.class == CLASS_REORDER)
			check_reordered(&world->host[i]);
	}
}
