/* SPDX-License-Identifier: BSD-3-Clause */
#include "recovery_line.h"

#include <stdlib.h>

#define FLYING 1024u
#define RANGES 256u
#define EVENTS_MAX 100000u

struct flight {
	uint64_t at_us; /* 0: free */
	uint64_t order; /* among those of a moment */
	bool ack;
	uint32_t at, len, ts; /* a segment */
	struct told told;     /* an ACK */
};

struct line {
	struct line_config config;
	struct bench *bench;
	struct flight flight[FLYING];
	uint64_t dice, order, link_free_us, born_us;
	/* the receiver */
	uint32_t next, ranges, ts_recent, last_ack;
	struct tcp_block range[RANGES]; /* the one that grew last is first */
	struct line_result result;
};

static uint32_t line_dice(struct line *l, uint32_t sides)
{
	l->dice = l->dice * 6364136223846793005u + 1442695040888963407u;
	return sides > 0 ? (uint32_t)(l->dice >> 33) % sides : 0;
}

static bool line_out(const struct line *l)
{
	uint64_t age_us = l->bench->clock.now_us - l->born_us;

	return age_us >= l->config.outage_at_us &&
	       age_us < (uint64_t)l->config.outage_at_us + l->config.outage_us;
}

static void line_fly(struct line *l, struct flight f)
{
	const struct line_config *c = &l->config;

	if (line_out(l) || line_dice(l, 10000) < (f.ack ? c->ack_loss : c->loss))
		return;
	f.order = c->shuffle ? line_dice(l, UINT32_MAX) : ++l->order;
	f.at_us += c->delay_us + line_dice(l, c->jitter_us + 1);
	if (!f.ack && line_dice(l, 10000) < c->late)
		f.at_us += c->late_us;
	for (uint32_t i = 0; i < FLYING; i++)
		if (l->flight[i].at_us == 0) {
			l->flight[i] = f;
			return;
		}
}

/* What the sender has sent since the last time. */
static void line_take(struct line *l)
{
	struct bench *b = l->bench;
	uint64_t now_us = b->clock.now_us;

	for (uint32_t i = 0; i < b->sendings; i++) {
		const struct sending *s = &b->sending[i];
		uint64_t from_us = l->link_free_us > now_us ? l->link_free_us : now_us;

		l->result.again += s->again;
		if (from_us - now_us > (uint64_t)l->config.queue * l->config.segment_us)
			continue; /* the queue is full */
		l->link_free_us = from_us + l->config.segment_us;
		line_fly(l, (struct flight){.at_us = l->link_free_us,
					    .at = s->at,
					    .len = s->len,
					    .ts = tcp_ts_now(&b->tcp, &b->tcb)});
	}
	b->sendings = 0;
}

/* ---- the receiver
 * -------------------------------------------------------------------------------- */

static bool range_touches(const struct tcp_block *a, uint32_t start, uint32_t end)
{
	return a->start <= end && start <= a->end;
}

static void range_drop(struct line *l, uint32_t i)
{
	memmove(&l->range[i], &l->range[i + 1], (--l->ranges - i) * sizeof(l->range[0]));
}

/* Takes [start, end) in; true: it was there already. */
static bool line_hold(struct line *l, uint32_t start, uint32_t end)
{
	bool there = end <= l->next;

	for (uint32_t i = 0; i < l->ranges; i++)
		there = there || (l->range[i].start <= start && end <= l->range[i].end);
	if (there)
		return true;
	for (uint32_t i = 0; i < l->ranges;) {
		if (!range_touches(&l->range[i], start, end)) {
			i++;
			continue;
		}
		start = smaller(start, l->range[i].start);
		end = larger(end, l->range[i].end);
		range_drop(l, i);
	}
	if (start <= l->next) {
		l->next = larger(l->next, end);
	} else if (l->ranges < RANGES) {
		memmove(&l->range[1], &l->range[0], l->ranges++ * sizeof(l->range[0]));
		l->range[0] = (struct tcp_block){start, end};
	}
	return false;
}

static void line_arrive(struct line *l, const struct flight *f)
{
	struct flight ack = {.at_us = l->bench->clock.now_us, .ack = true};
	struct told *told = &ack.told;

	if (f->at <= l->last_ack)
		l->ts_recent = f->ts; /* RFC 7323 4.3 */
	if (line_hold(l, f->at, f->at + f->len)) {
		l->result.in_vain++;
		told->sack[told->sacks++] = (struct tcp_block){f->at, f->at + f->len};
	}
	for (uint32_t i = 0; i < l->ranges && told->sacks < (l->config.timestamps ? 3u : 4u); i++)
		told->sack[told->sacks++] = l->range[i];
	if (l->config.plain)
		told->sacks = 0;
	told->ack = l->next;
	told->has_ts = l->config.timestamps;
	told->echo = l->ts_recent;
	l->last_ack = l->next;
	line_fly(l, ack);
}

/* ---- a transfer
 * ---------------------------------------------------------------------------------- */

static void line_top_up(struct line *l)
{
	struct tcb *tcb = &l->bench->tcb;
	uint32_t written = (tcb->snd_end - l->bench->first) / MSS;

	while (written < l->config.segments && tcb->send_packets < 512) {
		bench_write(l->bench, 1, MSS);
		written++;
	}
	(void)bench_output(l->bench);
	line_take(l);
}

static bool flight_before(const struct flight *a, const struct flight *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

static struct flight *line_next(struct line *l)
{
	struct flight *next = NULL;

	for (uint32_t i = 0; i < FLYING; i++)
		if (l->flight[i].at_us != 0 && (next == NULL || flight_before(&l->flight[i], next)))
			next = &l->flight[i];
	return next;
}

static void line_step(struct line *l)
{
	struct bench *b = l->bench;
	struct flight *next = line_next(l), f;
	uint64_t ms = bench_deadline(b);
	uint64_t due_us = ms != UINT32_MAX ? b->clock.now_us + ms * 1000 : UINT64_MAX;

	if (next == NULL || due_us < next->at_us) {
		if (due_us != UINT64_MAX)
			bench_wait(b, (uint32_t)(ms * 1000));
		line_take(l);
		return;
	}
	f = *next;
	next->at_us = 0;
	if (f.at_us > b->clock.now_us)
		b->clock.now_us = f.at_us;
	if (!f.ack) {
		line_arrive(l, &f);
		return;
	}
	bench_told(b, &f.told);
	l->result.work_max = larger(l->result.work_max, b->tcp.work);
}

struct line_result line_run(const struct line_config *config)
{
	struct line *l = calloc(1, sizeof(*l));
	struct bench *b = bench_new();
	struct line_result result;

	l->config = *config;
	l->bench = b;
	l->dice = config->seed;
	l->born_us = b->clock.now_us;
	if (config->plain)
		b->tcb.flags &= (uint16_t)~TCB_SACK;
	if (config->timestamps)
		b->tcb.flags |= TCB_TIMESTAMPS;
	recovery_rtt(&b->tcp, &b->tcb, 2 * config->delay_us);
	for (uint32_t i = 0; i < EVENTS_MAX && b->tcb.snd_una - b->first < config->segments * MSS;
	     i++) {
		line_top_up(l);
		line_step(l);
	}
	result = l->result;
	result.done = b->tcb.snd_una - b->first == config->segments * MSS &&
		      l->next == config->segments * MSS;
	result.us = b->clock.now_us - l->born_us;
	result.timeouts = (uint32_t)b->counters.tcp_timeouts;
	result.recoveries = (uint32_t)b->counters.tcp_recoveries;
	result.undone = (uint32_t)b->counters.tcp_undone;
	result.cwnd = b->tcb.cwnd;
	result.ssthresh = b->tcb.ssthresh;
	if (!bench_free(b))
		abort();
	free(l);
	return result;
}
