/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/handshake.h"

#include <stdlib.h>

#define MINI_ANSWERS 10u /* that one asks for in its whole life, which is short */
#define MINIS_PER_TURN 256u

/* SYN-ACKs leave 0, 1, 3 and 7 s after the SYN. */
static const uint32_t stage_ms[MINI_STAGES] = {1000, 2000, 4000, 8000, 20000};

enum gw_err handshake_open(struct tcp *tcp)
{
	uint32_t most = tcp->limits.half_open < MINIS_MAX ? tcp->limits.half_open : MINIS_MAX;
	struct tcp_table_config config = {.capacity = most > 0 ? most : 1,
					  .stride = sizeof(struct mini)};
	struct handshake *all = calloc(1, sizeof(*all));

	tcp->handshake = all;
	if (all == NULL)
		return GW_NO_MEMORY;
	all->minis = slots_new(tcp->config.net.worker, config.capacity, sizeof(struct mini), 0);
	if (all->minis == NULL)
		goto close;
	config.base = slots_slot(all->minis, 0);
	secret_key(tcp, config.key);
	all->table = tcp_table_new(&config);
	if (all->table == NULL)
		goto close;
	for (uint32_t i = 0; i < MINI_STAGES; i++)
		all->list[i].first = all->list[i].last = MINI_NONE;
	all->rotated_us = tcp_now_us(tcp);
	return GW_OK;
close:
	handshake_close(tcp);
	return GW_NO_MEMORY;
}

void handshake_close(struct tcp *tcp)
{
	if (tcp->handshake == NULL)
		return;
	tcp_table_free(tcp->handshake->table);
	slots_free(tcp->handshake->minis);
	free(tcp->handshake);
	tcp->handshake = NULL;
}

static struct mini *mini_at(const struct tcp *tcp, uint32_t index)
{
	return slots_slot(tcp->handshake->minis, index);
}

static uint16_t mini_index(const struct tcp *tcp, const struct mini *mini)
{
	return (uint16_t)(mini - mini_at(tcp, 0));
}

struct mini *mini_find(const struct tcp *tcp, const struct tcp_ends *ends)
{
	uint32_t index = tcp_table_find(tcp->handshake->table, ends);

	return index == TCP_TABLE_NONE ? NULL : mini_at(tcp, index);
}

bool handshake_knows(const struct tcp *tcp, const struct tcp_ends *ends)
{
	return mini_find(tcp, ends) != NULL;
}

/* ---- lists
 * ---------------------------------------------------------------------------------------
 */

static void mini_link(struct tcp *tcp, struct mini *mini, enum mini_stage stage)
{
	struct handshake *all = tcp->handshake;

	mini->stage = stage;
	mini->stamp_ms = tcp_now_ms(tcp);
	mini->next = MINI_NONE;
	mini->prev = all->list[stage].last;
	if (mini->prev == MINI_NONE)
		all->list[stage].first = mini_index(tcp, mini);
	else
		mini_at(tcp, mini->prev)->next = mini_index(tcp, mini);
	all->list[stage].last = mini_index(tcp, mini);
}

static void mini_unlink(struct tcp *tcp, const struct mini *mini)
{
	struct handshake *all = tcp->handshake;

	if (mini->prev == MINI_NONE)
		all->list[mini->stage].first = mini->next;
	else
		mini_at(tcp, mini->prev)->next = mini->next;
	if (mini->next == MINI_NONE)
		all->list[mini->stage].last = mini->prev;
	else
		mini_at(tcp, mini->next)->prev = mini->prev;
}

void mini_move(struct tcp *tcp, struct mini *mini, enum mini_stage stage)
{
	mini_unlink(tcp, mini);
	mini_link(tcp, mini, stage);
}

struct mini *mini_add(struct tcp *tcp, const struct mini *made, enum mini_stage stage)
{
	struct mini *mini = slots_get_unzeroed(tcp->handshake->minis);

	if (mini == NULL)
		return NULL;
	*mini = *made;
	mini_link(tcp, mini, stage);
	if (!tcp_table_add(tcp->handshake->table, mini_index(tcp, mini)))
		tcp_broken(tcp);
	counter_add(&tcp->counters->tcp_half_open_live, 1);
	return mini;
}

void mini_end(struct tcp *tcp, struct mini *mini)
{
	struct handshake *all = tcp->handshake;

	mini_unlink(tcp, mini);
	source_half_open_ended(tcp, mini->source == MINI_NO_SOURCE ? SOURCE_NONE : mini->source);
	if (!tcp_table_remove(all->table, mini_index(tcp, mini)) || !slots_put(all->minis, mini))
		tcp_broken(tcp);
	counter_sub(&tcp->counters->tcp_half_open_live, 1);
}

/* ---- what is sent
 * --------------------------------------------------------------------------------
 */

static void mini_send(struct tcp *tcp, const struct mini *mini, struct tcp_packet *segment)
{
	enum gw_err err;

	segment->src_port = mini->ends.local_port;
	segment->dst_port = mini->ends.remote_port;
	segment->ack = mini->irs + 1;
	if ((mini->flags & MINI_TIMESTAMPS) != 0) {
		segment->options.has_timestamps = true;
		segment->options.ts_value = tcp_now_ms(tcp) + secret_ts_offset(tcp, &mini->ends);
		segment->options.ts_echo = mini->ts_recent;
	}
	err = tcp->config.link->send(tcp->config.link_context, &mini->ends.local,
				     &mini->ends.remote, segment);
	if (err == GW_OK)
		counter_add(&tcp->counters->tcp_out, 1);
	else
		tcp_count(tcp, err);
}

/* The count is of each and not of all: a common one tells others of it (TCP.md 5.12). */
bool mini_may_answer(struct tcp *tcp, struct mini *mini)
{
	if (mini->answers == MINI_ANSWERS) {
		tcp_count(tcp, GW_TCP_CHALLENGE_RATE);
		return false;
	}
	mini->answers++;
	return true;
}

void mini_send_syn_ack(struct tcp *tcp, const struct mini *mini)
{
	struct tcp_packet segment = {
		.seq = mini->iss,
		.flags = TCP_SYN | TCP_ACK,
		.window = tcp_syn_window(tcp),
		.options =
			{
				.mss = ip_address_is_v4(&mini->ends.remote) ? TCP_MSS4 : TCP_MSS6,
				.has_scale = (mini->flags & MINI_SCALE) != 0,
				.scale = TCP_SHIFT,
				.sack_permitted = (mini->flags & MINI_SACK) != 0,
			},
	};

	mini_send(tcp, mini, &segment);
}

void mini_challenge(struct tcp *tcp, struct mini *mini, enum gw_err why)
{
	uint32_t shift = (mini->flags & MINI_SCALE) != 0 ? TCP_SHIFT : 0;
	struct tcp_packet segment = {
		.seq = mini->iss + 1,
		.flags = TCP_ACK,
		.window = (uint16_t)(tcp_syn_window(tcp) >> shift),
	};

	tcp_count(tcp, why);
	if (!mini_may_answer(tcp, mini))
		return;
	counter_add(&tcp->counters->tcp_challenges_out, 1);
	mini_send(tcp, mini, &segment);
}

/* ---- time
 * ----------------------------------------------------------------------------------------
 */

/* ms until the first of a stage is due, or UINT32_MAX. */
static uint32_t stage_wait_ms(const struct tcp *tcp, uint32_t stage)
{
	const struct handshake *all = tcp->handshake;
	uint32_t waited;

	if (all->list[stage].first == MINI_NONE)
		return UINT32_MAX;
	waited = tcp_now_ms(tcp) - mini_at(tcp, all->list[stage].first)->stamp_ms;
	return waited < stage_ms[stage] ? stage_ms[stage] - waited : 0;
}

static void mini_due(struct tcp *tcp, struct mini *mini)
{
	if (mini->stage >= MINI_SENT_4) {
		tcp_count(tcp, GW_CONN_TIMEOUT);
		mini_end(tcp, mini);
		return;
	}
	mini_move(tcp, mini, (enum mini_stage)(mini->stage + 1));
	mini->flags |= MINI_AGAIN;
	counter_add(&tcp->counters->tcp_retransmits, 1);
	mini_send_syn_ack(tcp, mini);
}

void handshake_run(struct tcp *tcp)
{
	struct handshake *all = tcp->handshake;
	uint32_t left = MINIS_PER_TURN;

	for (uint32_t stage = 0; stage < MINI_STAGES; stage++)
		for (; left > 0 && stage_wait_ms(tcp, stage) == 0; left--)
			mini_due(tcp, mini_at(tcp, all->list[stage].first));
}

uint64_t handshake_next_us(const struct tcp *tcp)
{
	uint32_t least = UINT32_MAX;

	for (uint32_t stage = 0; stage < MINI_STAGES; stage++) {
		uint32_t wait_ms = stage_wait_ms(tcp, stage);

		least = wait_ms < least ? wait_ms : least;
	}
	if (least == UINT32_MAX)
		return UINT64_MAX;
	return least == 0 ? 0 : (tcp_now_us(tcp) / 1000 + least) * 1000;
}
