/* SPDX-License-Identifier: BSD-3-Clause */
#include "door_judge.h"

#include <stdlib.h>

#include "tcp/handshake.h"

#define HALF_OPEN_US (50 * DOOR_SECOND) /* a cookie's 30 s, and the 20 s of deferred accept */

void must(bool ok)
{
	if (!ok)
		abort();
}

struct offer *judge_offer(struct guest *guest, uint32_t iss, uint32_t irs)
{
	for (uint32_t i = 0; i < ISNS; i++)
		if (guest->offer[i].at_us != 0 && guest->offer[i].iss == iss &&
		    guest->offer[i].irs == irs)
			return &guest->offer[i];
	return NULL;
}

/* ---- what is sent
 * --------------------------------------------------------------------------------
 */

static void judge_syn_ack(struct judge *judge, struct guest *guest, const struct tcp_packet *sent,
			  bool cookie)
{
	struct offer *offer = judge_offer(guest, sent->seq, sent->ack - 1);

	must(sent->window != 0 && sent->options.mss != 0);
	must(!sent->options.has_scale || sent->options.scale == TCP_SHIFT);
	if (offer == NULL)
		offer = &guest->offer[guest->offers++ % ISNS];
	*offer = (struct offer){sent->seq, sent->ack - 1, judge->door.clock.now_us, cookie};
}

static void judge_sent(struct judge *judge)
{
	uint64_t cookies = counter_read(&judge->door.counters.tcp_cookies_out);
	uint32_t fresh = judge->door.sends - judge->seen;

	must(fresh <= DOOR_SENT);
	for (; judge->seen != judge->door.sends; judge->seen++) {
		const struct tcp_packet *sent = &judge->door.sent[judge->seen % DOOR_SENT];
		uint32_t tuple = sent->dst_port - FIRST_PORT;

		must(tuple < TUPLES && sent->src_port == DOOR_PORT && sent->payload.len == 0);
		must(sent->flags == TCP_ACK || sent->flags == (TCP_SYN | TCP_ACK));
		if ((sent->flags & TCP_SYN) != 0)
			judge_syn_ack(judge, &judge->guest[tuple], sent, cookies != judge->cookies);
	}
	judge->cookies = cookies;
}

/* ---- what is kept
 * --------------------------------------------------------------------------------
 */

static void judge_mini(struct judge *judge, const struct mini *mini, uint32_t stage)
{
	const struct guest *guest = &judge->guest[mini->ends.remote_port - FIRST_PORT];

	must(mini->stage == stage);
	must(mini_find(&judge->door.tcp, &mini->ends) == mini);
	must(ip_address_equal(&mini->ends.remote, &guest->address));
	must(guest->tcb == NULL && !time_wait_knows(&judge->door.tcp, &mini->ends));
	must(mini->answers <= 10);
}

static uint32_t judge_list(struct judge *judge, uint32_t stage)
{
	const struct handshake *all = judge->door.tcp.handshake;
	uint16_t prev = MINI_NONE, i = all->list[stage].first;
	uint32_t count = 0, stamp_ms = 0;

	for (; i != MINI_NONE; count++) {
		const struct mini *mini = slots_slot(all->minis, i);

		must(mini->prev == prev && count < TUPLES);
		must(count == 0 || !seq_before(mini->stamp_ms, stamp_ms));
		judge_mini(judge, mini, stage);
		stamp_ms = mini->stamp_ms;
		prev = i;
		i = mini->next;
	}
	must(all->list[stage].last == prev);
	return count;
}

static void judge_kept(struct judge *judge)
{
	const struct handshake *all = judge->door.tcp.handshake;
	uint32_t count = 0;

	for (uint32_t stage = 0; stage < MINI_STAGES; stage++)
		count += judge_list(judge, stage);
	must(count == slots_live(all->minis) && count == tcp_table_count(all->table));
	must(count == counter_read(&judge->door.counters.tcp_half_open_live));
	must(counter_read(&judge->door.counters.tcp_time_wait_live) <=
	     judge->door.tcp.limits.time_waits);
	must(counter_read(&judge->door.counters.invariant_broken) == 0);
}

/* A connection comes from a SYN-ACK of ours, to this peer, not long ago. */
static void judge_accepted(struct judge *judge, bool by_cookie)
{
	struct tcb *tcb = judge->door.tcb;
	struct guest *guest;
	const struct offer *offer;

	if (judge->accepted == judge->door.accepted)
		return;
	must(++judge->accepted == judge->door.accepted);
	must(judge->door.inputs == judge->accepted && !judge->door.tcp.draining);
	must(tcb->ends.remote_port - FIRST_PORT < TUPLES);
	guest = &judge->guest[tcb->ends.remote_port - FIRST_PORT];
	must(guest->tcb == NULL && ip_address_equal(&guest->address, &tcb->ends.remote));
	guest->tcb = tcb;
	offer = judge_offer(guest, tcb->iss, tcb->irs);
	must(offer != NULL || by_cookie);
	must(offer == NULL || judge->door.clock.now_us - offer->at_us <= HALF_OPEN_US);
	must(tcb->mss != 0 && tcb->snd_shift <= 14 && tcb->rcv_nxt == tcb->irs + 1);
	must((tcb->flags & TCB_SCALE) != 0 || (tcb->snd_shift == 0 && tcb->rcv_shift == 0));
}

void judge_step(struct judge *judge, bool by_cookie)
{
	judge_sent(judge);
	judge_accepted(judge, by_cookie);
	judge_kept(judge);
}

/* ---- the end
 * -------------------------------------------------------------------------------------
 */

void judge_end(struct judge *judge)
{
	struct tcp *tcp = &judge->door.tcp;
	uint32_t source;

	for (uint32_t i = 0; i < TUPLES; i++)
		if (judge->guest[i].tcb != NULL)
			source_connection_ended(tcp, judge->guest[i].tcb->source);
	for (uint32_t i = 0; i < 10; i++) { /* 1, 2, 4, 8 and 20 s, and 60 s */
		door_wait_ms(&judge->door, 20000);
		handshake_run(tcp);
		time_wait_run(tcp);
	}
	must(handshake_next_us(tcp) == UINT64_MAX && time_wait_next_us(tcp) == UINT64_MAX);
	tcp->limits.source_half_open = 1;
	tcp->limits.source_burst = UINT32_MAX;
	tcp->limits.source_rate = 1000;
	tcp->limits.source4_connections = tcp->limits.source6_connections = 1;
	door_wait_ms(&judge->door, 1000);
	for (uint32_t i = 0; i < TUPLES; i += 4) {
		must(source_syn(tcp, &judge->guest[i].address, &source) == GW_OK);
		must(source_connection(tcp, &judge->guest[i].address, &source) == GW_OK);
	}
	must(counter_read(&judge->door.counters.invariant_broken) == 0);
}
