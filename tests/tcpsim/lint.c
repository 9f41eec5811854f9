/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcpsim.h"

/* What holds of every segment that leaves a host, whatever the network does. */

#define CHAIN_MAX 48u /* ACKs that answer ACKs alone, in a row; persist makes some */

static struct shadow *shadow_of(struct host *host, const struct tcb *tcb)
{
	struct handle ref = tcp_ref(&tcb->conn);
	struct shadow *shadow = &host->shadow[ref.slot % CONNECTIONS_MAX];

	if (shadow->generation != ref.generation)
		*shadow = (struct shadow){.generation = ref.generation};
	return shadow;
}

/** The bytes are those of the stream, first sending or not. */
static void lint_bytes(struct host *host, const struct app *app, const struct tcb *tcb,
		       const struct tcp_packet *segment)
{
	uint32_t at = segment->seq - tcb->iss - 1;

	if (segment->payload.len == 0)
		return;
	if (app == NULL || at + segment->payload.len > app->sent) {
		violate(host->world, 1, "bytes are sent that nobody has written");
		return;
	}
	for (uint32_t i = 0; i < segment->payload.len; i++)
		if (segment->payload.at[i] != app_byte(app, at + i)) {
			violate(host->world, 1, "byte %u is sent, but not as it was written",
				at + i);
			return;
		}
}

/** By so much the right edge may lie before the best there was: a part of a unit, when what is held
 * and promised is more than the buffer (RFC 7323 2.4; tcb.h, receive_window()). */
static uint32_t lint_part(const struct tcb *tcb)
{
	uint32_t promised = tcb->receive_bytes + tcb->rcv_edge - tcb->rcv_nxt;

	return promised > tcb->tcp->config.net.limits.receive_bytes ? (1u << tcb->rcv_shift) - 1
								    : 0;
}

static void lint_edges(struct host *host, const struct tcb *tcb, const struct tcp_packet *segment)
{
	struct shadow *shadow = shadow_of(host, tcb);
	uint32_t end = segment->seq + segment->payload.len;
	uint32_t edge = segment->ack + ((uint32_t)segment->window << tcb->rcv_shift);

	if (segment->payload.len > tcb->mss)
		violate(host->world, 2, "a segment of %u bytes, at most %u", segment->payload.len,
			tcb->mss);
	if (segment->payload.len > 0 && shadow->edge_known && !host->world->plan.tainted &&
	    seq_after(end, shadow->peer_edge))
		violate(host->world, 2, "%u bytes are sent beyond the peer's window",
			end - shadow->peer_edge);
	if ((segment->flags & (TCP_SYN | TCP_RST)) != 0 || (segment->flags & TCP_ACK) == 0 ||
	    tcb->state <= TCP_SYN_RECEIVED)
		return;
	if (shadow->advertised_known && seq_before(edge + lint_part(tcb), shadow->advertised))
		violate(host->world, 2, "the window's right edge moves left by %u",
			shadow->advertised - edge);
	if (seq_after(edge, tcb->rcv_edge))
		violate(host->world, 2, "%u bytes more are granted than noted",
			edge - tcb->rcv_edge);
	if (!shadow->advertised_known || seq_after(edge, shadow->advertised))
		shadow->advertised = edge;
	shadow->advertised_known = true;
}

static void lint_options(struct host *host, const struct tcb *tcb, const struct tcp_packet *segment)
{
	const struct tcp_options *o = &segment->options;

	if ((segment->flags & TCP_SYN) == 0 && (segment->flags & TCP_RST) == 0 &&
	    o->has_timestamps != ((tcb->flags & TCB_TIMESTAMPS) != 0))
		violate(host->world, 0, "timestamps where none were agreed, or the other way");
	for (uint32_t i = 0; i < o->sacks; i++) {
		bool dsack = i == 0 && !seq_after(o->sack[0].end, segment->ack);

		if (!seq_before(o->sack[i].start, o->sack[i].end) ||
		    (i > 0 && !seq_after(o->sack[i].start, segment->ack)) ||
		    (!dsack && seq_after(o->sack[i].end, tcb->rcv_edge)))
			violate(host->world, 2, "SACK block %u of bytes that nobody holds", i);
	}
}

/** RFC 793 silence: two who have nothing to say say nothing. */
static void lint_chain(struct host *host, struct app *app, const struct tcp_packet *segment)
{
	if (segment->flags != TCP_ACK || segment->payload.len != 0) {
		app->pair->chain = 0;
		app->pair->allowance = 0;
		return;
	}
	if (host->in == 0 || !host->in_plain || host->world->plan.tainted)
		return;
	if (++app->pair->chain > CHAIN_MAX + app->pair->allowance)
		violate(host->world, 6, "a war of acknowledgements: %u in a row", app->pair->chain);
}

/** CLASS_TAIL: how long the lost tail of a message stayed lost. */
static void lint_tail(struct host *host, struct app *app, const struct tcb *tcb,
		      const struct tcp_packet *segment)
{
	uint32_t end = segment->seq + segment->payload.len - tcb->iss - 1;
	uint64_t took = host->world->now_us - app->tail_sent_us;

	if (app->tail_limit_us == 0 || segment->payload.len == 0 ||
	    end < host->world->plan.tail_at * app->plan->write)
		return;
	if (took > app->tail_limit_us)
		violate(host->world, 10, "a lost tail is sent again after %llu us, limit %llu us",
			(unsigned long long)took, (unsigned long long)app->tail_limit_us);
	app->tail_limit_us = 0;
}

struct app *lint_sent(struct host *host, const struct ip_address *local,
		      const struct ip_address *remote, const struct tcp_packet *segment,
		      enum gw_err err)
{
	struct tcp_ends ends = {*local, *remote, segment->src_port, segment->dst_port};
	const struct tcb *tcb = tcp_tcb_find(host->tcp, &ends);
	struct app *app = tcb != NULL ? app_of(host->world, &tcb->conn) : NULL;

	if (err != GW_OK)
		return NULL;
	if (segment->payload.len > 0 || (segment->flags & (TCP_SYN | TCP_FIN)) != 0)
		host->out_data++;
	else
		host->out_bare++;
	if (tcp_head_len(segment) > TCP_LEN_MAX || segment->src_port == 0 ||
	    (segment->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == 0)
		violate(host->world, 0, "a segment that nobody may send");
	if (tcb == NULL || (segment->flags & TCP_RST) != 0)
		return app;
	lint_bytes(host, app, tcb, segment);
	lint_edges(host, tcb, segment);
	lint_options(host, tcb, segment);
	if (app != NULL) {
		lint_tail(host, app, tcb, segment);
		lint_chain(host, app, segment);
	}
	return app;
}

void lint_came(struct host *host, const struct flight *flight, const struct tcp_ends *ends,
	       const struct tcp_packet *segment)
{
	const struct tcb *tcb = tcp_tcb_find(host->tcp, ends);
	bool syn = (segment->flags & TCP_SYN) != 0;
	uint32_t edge;
	struct shadow *shadow;
	struct app *app;

	if (tcb == NULL || flight->attack)
		return;
	app = app_of(host->world, &tcb->conn);
	if (app != NULL && (segment->flags != TCP_ACK || segment->payload.len != 0))
		app->pair->chain = 0;
	else if (app != NULL && flight->extra)
		app->pair->allowance++;
	if ((segment->flags & (TCP_ACK | TCP_RST)) != TCP_ACK ||
	    !seq_in(segment->ack, tcb->snd_una, tcb->snd_nxt + 1))
		return; /* also what the peer makes of a stranger's */
	if (app != NULL && app->tail_limit_us != 0 && app->tail_una != tcb->snd_una)
		app->tail_sent_us = host->world->now_us; /* an ACK begins the time anew */
	if (app != NULL)
		app->tail_una = tcb->snd_una;
	shadow = shadow_of(host, tcb);
	edge = segment->ack + ((uint32_t)segment->window << (syn ? 0 : tcb->snd_shift));
	if (!shadow->edge_known || seq_after(edge, shadow->peer_edge))
		shadow->peer_edge = edge;
	shadow->edge_known = true;
}
