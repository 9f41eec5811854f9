/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

/*
 * What a connection did before it broke, for the log (TCP.md 9). Most connections end as their
 * users want; of those whose peer fell silent, or cut them off while losses were made good, the
 * last events are told, since nobody will see them again.
 */

#define BOX_EVENTS 32u
#define BOX_PER_SECOND 10u /* to look for the events costs a walk over the ring */

/* ---- text ----------------------------------------------------------------------------------- */

/** Sequence numbers are told behind the first one of their direction. */
struct box_base {
	bool known[2];
	uint32_t seq[2];
};

static void box_segment(struct writer *w, char mark, const struct tcp_trace *e,
			struct box_base *base)
{
	static const struct {
		uint8_t flag;
		char letter;
	} letters[] = {
		{TCP_SYN, 'S'}, {TCP_FIN, 'F'}, {TCP_RST, 'R'}, {TCP_PSH, 'P'}, {TCP_ACK, 'A'}};
	uint32_t ours = mark != '<';

	if (!base->known[ours])
		base->seq[ours] = e->value;
	base->known[ours] = true;
	writer_u8(w, (uint8_t)mark);
	for (uint32_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if ((e->flags & letters[i].flag) != 0)
			writer_u8(w, (uint8_t)letters[i].letter);
	writer_u8(w, ' ');
	if (seq_before(e->value, base->seq[ours]))
		writer_u8(w, '-');
	writer_decimal(w, seq_before(e->value, base->seq[ours]) ? base->seq[ours] - e->value
								: e->value - base->seq[ours]);
	writer_u8(w, '+');
	writer_decimal(w, e->more);
}

static void box_error(struct writer *w, const char *what, const struct tcp_trace *e)
{
	writer_text(w, what);
	if (e->value < GW_ERR_COUNT)
		writer_text(w, gw_err_name((enum gw_err)e->value));
}

static void box_event(struct writer *w, const struct tcp_trace *e, struct box_base *base)
{
	switch ((enum tcp_event)e->event) {
	case TCP_EVENT_IN:
		box_segment(w, '<', e, base);
		return;
	case TCP_EVENT_OUT:
		box_segment(w, '>', e, base);
		return;
	case TCP_EVENT_RETRANSMIT:
		box_segment(w, '^', e, base);
		return;
	case TCP_EVENT_STATE:
		writer_u8(w, '=');
		writer_text(w, tcp_state_text((enum tcp_state)e->value));
		return;
	case TCP_EVENT_RTO:
		writer_text(w, "rto");
		return;
	case TCP_EVENT_PROBE:
		writer_text(w, "probe");
		return;
	case TCP_EVENT_RECOVERY:
		writer_text(w, "recovery");
		return;
	case TCP_EVENT_RECOVERED:
		writer_text(w, "recovered");
		return;
	case TCP_EVENT_UNDO:
		writer_text(w, "undo");
		return;
	case TCP_EVENT_DROP:
		box_error(w, "drop ", e);
		return;
	case TCP_EVENT_ABORT:
		box_error(w, "abort ", e);
		return;
	}
}

struct span black_box_text(const struct tcp_trace *events, uint32_t count, uint32_t now_ms,
			   char text[NET_TRACE_MAX])
{
	for (; count > 0; events++, count--) { /* without the oldest one more, until they fit */
		struct box_base base = {0};
		struct writer w;

		writer_init(&w, text, NET_TRACE_MAX);
		for (uint32_t i = 0; i < count; i++) {
			writer_text(&w, i > 0 ? " -" : "-");
			writer_decimal(&w, now_ms - events[i].at_ms);
			writer_u8(&w, ' ');
			box_event(&w, &events[i], &base);
		}
		if (writer_ok(&w))
			return writer_span(&w);
	}
	return span_of(text, 0);
}

/* ---- when ----------------------------------------------------------------------------------- */

/** A connection that never was one tells nothing: who opens it is told that it failed. */
static bool box_is_worth_it(const struct tcb *tcb, enum gw_err why)
{
	if (tcb->state == TCP_CLOSED || tcb->state == TCP_SYN_SENT ||
	    tcb->state == TCP_SYN_RECEIVED)
		return false;
	if (why == GW_CONN_RESET)
		return tcb->rec.phase != PHASE_OPEN;
	return why == GW_CONN_TIMEOUT || why == GW_TCP_SLOW || why == GW_TCP_PERSIST;
}

static bool box_is_allowed(struct tcp *tcp)
{
	if (tcp->box_s != tcp_now_s(tcp)) {
		tcp->box_s = tcp_now_s(tcp);
		tcp->boxes = 0;
	}
	return tcp->boxes < BOX_PER_SECOND && tcp->boxes++ < BOX_PER_SECOND;
}

void black_box(struct tcp *tcp, const struct tcb *tcb, enum gw_err why)
{
	const struct net_config *net = &tcp->config.net;
	struct tcp_trace events[BOX_EVENTS];
	struct net_broken broken = {.why = why};
	char text[NET_TRACE_MAX];
	uint32_t count, first = 0;

	if (net->events == NULL || !box_is_worth_it(tcb, why) || !box_is_allowed(tcp))
		return;
	count = tcp_trace_of(tcp, tcp_tcb_slot(tcp, tcb), events, BOX_EVENTS);
	/* the slot may have been another's before */
	while (first < count && (int32_t)(events[first].at_ms - tcb->born_s * 1000) < 0)
		first++;
	broken.conn = slots_handle(tcp->tcbs, tcb);
	broken.local = ip_address_endpoint(&tcb->ends.local, tcb->ends.local_port);
	broken.peer = ip_address_endpoint(&tcb->ends.remote, tcb->ends.remote_port);
	broken.trace = black_box_text(events + first, count - first, tcp_now_ms(tcp), text);
	net->events->broken(net->context, &broken);
}
