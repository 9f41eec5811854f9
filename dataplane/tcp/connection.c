/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

/* What the user of a connection may ask for (conn.h), in any state that it can be in. */

static struct tcb *tcb_of(struct conn *conn)
{
	return (struct tcb *)conn;
}

static const struct tcb *tcb_of_const(const struct conn *conn)
{
	return (const struct tcb *)conn;
}

static bool is_closed(const struct tcb *tcb)
{
	return (tcb->events & EVENT_CLOSED) != 0;
}

/* ---- active open --------------------------------------------------------------------------------
 */

/** The ends: our address by the way to the peer, our port so that answers come back here. */
static enum gw_err connect_ends(struct tcp *tcp, const struct conn_request *request,
				struct tcp_ends *ends, uint16_t *mtu)
{
	enum gw_err err;

	*ends = (struct tcp_ends){.local = ip_address_of(&request->local),
				  .remote = ip_address_of(&request->peer),
				  .local_port = endpoint_port(&request->local),
				  .remote_port = endpoint_port(&request->peer)};
	err = tcp->config.link->route(tcp->config.link_context, &ends->local, &ends->remote, mtu);
	if ((err != GW_OK && err != GW_NET_UNRESOLVED) || ends->remote_port == 0)
		return GW_SYSTEM;
	if (ends->local_port == 0)
		return secret_port(tcp, ends) == GW_OK ? GW_OK : GW_SYSTEM;
	return tcp_knows(tcp, &ends->local, ends->local_port, &ends->remote, ends->remote_port)
		       ? GW_SYSTEM
		       : GW_OK;
}

static void connect_begin(struct tcp *tcp, struct tcb *tcb, const struct conn_request *request,
			  uint16_t mtu)
{
	tcb->flags |= TCB_ACCEPTED;
	tcb->iss = secret_isn(tcp, &tcb->ends);
	tcb->ts_offset = secret_ts_offset(tcp, &tcb->ends);
	tcb->snd_una = tcb->iss;
	tcb->snd_nxt = tcb->snd_end = tcb->iss + 1;
	tcb->rcv_shift = TCP_SHIFT;
	tcb->mss = path_mss(tcb, UINT16_MAX, mtu); /* until the peer's is known */
	recovery_init(tcp, tcb);
	tcp_set_state(tcp, tcb, TCP_SYN_SENT);
	tcp_deadline(tcp, tcb, DEADLINE_USER, request->timeout_ms);
	tcp_out_syn(tcp, tcb);
}

enum gw_err tcp_connect(struct tcp *tcp, const struct conn_request *request, struct conn **opened)
{
	struct tcp_ends ends;
	struct tcb *tcb;
	uint16_t mtu;
	enum gw_err err;

	if (tcp->stopping)
		return GW_STOPPING;
	err = connect_ends(tcp, request, &ends, &mtu);
	if (err != GW_OK)
		return err;
	tcb = tcp_tcb_new(tcp, &ends);
	if (tcb == NULL)
		return GW_CONN_LIMIT;
	if (!tcp_tcb_user(tcp, tcb, request->ops, request->context)) {
		tcp_tcb_close(tcp, tcb, GW_SYSTEM);
		return GW_SYSTEM;
	}
	connect_begin(tcp, tcb, request, mtu);
	*opened = &tcb->conn;
	return GW_OK;
}

/* ---- bytes
 * --------------------------------------------------------------------------------------- */

const void *tcp_peek(struct conn *conn, uint32_t offset, uint32_t *len)
{
	return receive_peek(tcb_of(conn), offset, len);
}

void tcp_consume(struct conn *conn, uint32_t n)
{
	receive_consume(tcb_of(conn)->tcp, tcb_of(conn), n);
}

void *tcp_tx_reserve(struct conn *conn, uint32_t *room)
{
	return tcp_out_reserve(tcb_of(conn)->tcp, tcb_of(conn), room);
}

void tcp_tx_commit(struct conn *conn, uint32_t n)
{
	tcp_out_commit(tcb_of(conn)->tcp, tcb_of(conn), n);
}

uint32_t tcp_tx_room(const struct conn *conn)
{
	return tcp_out_room(tcb_of_const(conn)->tcp, tcb_of_const(conn));
}

/* ---- reading paused
 * ------------------------------------------------------------------------------- */

void tcp_pause_rx(struct conn *conn)
{
	tcb_of(conn)->flags |= TCB_PAUSED;
}

void tcp_resume_rx(struct conn *conn)
{
	struct tcb *tcb = tcb_of(conn);

	if ((tcb->flags & TCB_PAUSED) == 0)
		return;
	tcb->flags &= (uint16_t)~TCB_PAUSED;
	if (tcb->receive_bytes > 0)
		tcp_event(tcb->tcp, tcb, EVENT_READABLE);
	if ((tcb->flags & (TCB_FIN_RECEIVED | TCB_TOLD_FIN)) == TCB_FIN_RECEIVED)
		tcp_event(tcb->tcp, tcb, EVENT_FIN);
	if (is_closed(tcb)) /* its end has waited */
		tcp_event(tcb->tcp, tcb, EVENT_CLOSED);
}

/* ---- the end
 * ---------------------------------------------------------------------------------------- */

void tcp_shutdown_tx(struct conn *conn)
{
	struct tcb *tcb = tcb_of(conn);
	struct tcp *tcp = tcb->tcp;

	if (is_closed(tcb) || (tcb->flags & TCB_FIN_QUEUED) != 0)
		return;
	if (tcb->state == TCP_SYN_SENT) { /* nothing was sent: RFC 9293 3.10.4 */
		tcp_tcb_close(tcp, tcb, GW_CONN_CLOSED);
		return;
	}
	tcp_out_finish(tcp, tcb);
}

void tcp_abort(struct conn *conn, enum gw_err why)
{
	struct tcb *tcb = tcb_of(conn);

	if (is_closed(tcb) && tcb->why != GW_CONN_CLOSED)
		return;
	trace(tcb->tcp, tcb, TCP_EVENT_ABORT, why, 0, 0);
	if (!is_closed(tcb))
		tcp_out_reset(tcb->tcp, tcb);
	tcp_tcb_close(tcb->tcp, tcb, why);
}

void tcp_set_deadline(struct conn *conn, uint32_t ms)
{
	struct tcb *tcb = tcb_of(conn);

	tcb->events &= (uint8_t)~EVENT_DEADLINE;
	if (ms != 0)
		tcp_deadline(tcb->tcp, tcb, DEADLINE_APP, ms);
	else
		tcp_no_deadline(tcb->tcp, tcb, DEADLINE_APP);
}

/* ---- names
 * -------------------------------------------------------------------------------------------- */

struct handle tcp_ref(const struct conn *conn)
{
	return slots_handle(tcb_of_const(conn)->tcp->tcbs, conn);
}

struct conn *tcp_find(struct tcp *tcp, struct handle ref)
{
	struct tcb *tcb = slots_at(tcp->tcbs, ref);

	/* one that ended in order stays his until he was told: a pause may hold that up */
	if (tcb == NULL ||
	    (is_closed(tcb) && ((tcb->flags & TCB_ACCEPTED) == 0 || tcb->why != GW_CONN_CLOSED)))
		return NULL;
	return &tcb->conn;
}

struct endpoint tcp_peer(const struct conn *conn)
{
	const struct tcp_ends *ends = &tcb_of_const(conn)->ends;

	return ip_address_endpoint(&ends->remote, ends->remote_port);
}

struct endpoint tcp_local(const struct conn *conn)
{
	const struct tcp_ends *ends = &tcb_of_const(conn)->ends;

	return ip_address_endpoint(&ends->local, ends->local_port);
}
