/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcpsim.h"

#include <string.h>

#define FEATURE_TEXT(name, text) [name] = text,
const char *const feature_texts[FEATURES] = {FEATURE_LIST(FEATURE_TEXT)};

/* Streams of random numbers: one for each feature, then these. */
enum stream { STREAM_CLASS = FEATURES, STREAM_BASE, STREAM_HOSTS, STREAM_PAIRS };

static uint64_t bit(enum feature feature)
{
	return UINT64_C(1) << feature;
}

static struct draw stream_of(const struct plan *plan, uint32_t stream)
{
	return draw_stream(plan->seed, stream);
}

/* ---- paths -------------------------------------------------------------------------------------
 */

static uint32_t draw_delay_us(struct draw *d)
{
	static const uint32_t longest[] = {1, 200, 5000, 30000, 80000, 200000};

	return draw_between(d, 1, longest[draw_below(d, 6)]);
}

static void path_losses(const struct plan *plan, struct path_plan *p, uint32_t side)
{
	struct draw d = stream_of(plan, FEATURE_LOSS + FEATURES * (2 + side));

	if (plan_has(plan, FEATURE_LOSS)) {
		static const uint32_t most[] = {100, 500, 1500, 3000};

		p->loss = draw_between(&d, 1, most[draw_below(&d, 4)]);
	}
	if (plan_has(plan, FEATURE_BURST)) {
		p->burst_begin = draw_between(&d, 10, 300);
		p->burst_end = draw_between(&d, 1000, 7000);
	}
	if (plan_has(plan, FEATURE_OUTAGE)) {
		p->outage_every_ms = draw_between(&d, 200, 10000);
		p->outage_ms = draw_between(&d, 500, 3000);
		p->outage_holds = draw_chance(&d, 5000);
	}
	if (plan_has(plan, FEATURE_ACK_LOSS) && draw_chance(&d, 7000))
		p->ack_loss = draw_between(&d, 500, 8000);
}

static void path_order(const struct plan *plan, struct path_plan *p, uint32_t side)
{
	struct draw d = stream_of(plan, FEATURE_REORDER + FEATURES * (2 + side));

	if (plan_has(plan, FEATURE_JITTER))
		p->jitter_us = draw_between(&d, 1, p->delay_us + 10000);
	if (plan_has(plan, FEATURE_REORDER)) {
		p->reorder = draw_between(&d, 50, 3000);
		p->reorder_us = draw_between(&d, 1, p->delay_us * 2 + 2000);
	}
	if (plan_has(plan, FEATURE_DUPLICATE)) {
		p->duplicate = draw_between(&d, 50, 3000);
		p->duplicate_us =
			draw_between(&d, 1, draw_chance(&d, 2000) ? 3000000 : p->delay_us + 1000);
	}
	if (plan_has(plan, FEATURE_RATE)) {
		p->rate = draw_between(&d, 8, 2000);
		p->queue_bytes = draw_between(&d, 3000, 100000);
	}
}

static void path_bytes(const struct plan *plan, struct path_plan *p, uint32_t side)
{
	struct draw d = stream_of(plan, FEATURE_CORRUPT + FEATURES * (2 + side));

	if (plan_has(plan, FEATURE_CORRUPT))
		p->corrupt = draw_between(&d, 20, 1000);
	if (plan_has(plan, FEATURE_FORGE))
		p->forge = draw_between(&d, 20, 1000);
	if (plan_has(plan, FEATURE_MTU)) {
		p->mtu = draw_between(&d, 1280, 1400); /* what both families must pass */
		p->mtu_told = draw_chance(&d, 6000);
	}
	if (plan_has(plan, FEATURE_SPLIT))
		p->split = draw_between(&d, 100, 5000);
	if (plan_has(plan, FEATURE_RST))
		p->rst_at = draw_between(&d, 1, 60);
	if (plan_has(plan, FEATURE_ZERO_WINDOW)) {
		p->zero_at_ms = draw_between(&d, 1, 500);
		p->zero_ms = draw_between(&d, 100, draw_chance(&d, 1000) ? 90000 : 5000);
	}
}

static void path_middlebox(const struct plan *plan, struct path_plan *p, uint32_t side)
{
	struct draw d = stream_of(plan, FEATURE_MSS + FEATURES * (2 + side));
	static const uint16_t sizes[] = {0, 1, 48, 64, 216, 256, 536, 900, 1220, 9000, 65535};

	p->strip_sack = plan_has(plan, FEATURE_STRIP_SACK) && draw_chance(&d, 8000);
	p->strip_scale = plan_has(plan, FEATURE_STRIP_SCALE);
	if (plan_has(plan, FEATURE_STRIP_TIMESTAMPS)) {
		p->strip_late = draw_chance(&d, 3000);
		p->strip_timestamps = !p->strip_late && draw_chance(&d, 8000);
	}
	if (plan_has(plan, FEATURE_MSS)) {
		p->mss_changed = true;
		p->mss = sizes[draw_below(&d, 11)];
	}
	if (plan_has(plan, FEATURE_ISN_SHIFT))
		p->isn_shift = (uint32_t)draw_u64(&d);
}

static void path_make(const struct plan *plan, struct path_plan *p, uint32_t side)
{
	path_losses(plan, p, side);
	path_order(plan, p, side);
	path_bytes(plan, p, side);
	path_middlebox(plan, p, side);
}

static void paths_make(struct plan *plan)
{
	struct draw d = stream_of(plan, STREAM_BASE), nat = stream_of(plan, FEATURE_NAT);

	plan->path[0].delay_us = draw_delay_us(&d);
	plan->path[1].delay_us = draw_chance(&d, 7000) ? plan->path[0].delay_us : draw_delay_us(&d);
	for (uint32_t i = 0; i < 2; i++)
		path_make(plan, &plan->path[i], i);
	if (plan_has(plan, FEATURE_NAT)) /* both ways or none */
		plan->path[0].nat_at = plan->path[1].nat_at = draw_between(&nat, 5, 100);
}

/* ---- hosts -------------------------------------------------------------------------------------
 */

static void host_shortage(const struct plan *plan, struct host_plan *h, uint32_t side)
{
	struct draw d = stream_of(plan, FEATURE_POOL + FEATURES * (2 + side));
	static const uint32_t counts[] = {1, 1, 1, 5, 50, 1000};

	h->send_packets = 2048;
	h->held_packets = tcp_limits_default.held_packets;
	h->connections = CONNECTIONS_MAX;
	h->time_waits = 32;
	if (!plan_has(plan, FEATURE_POOL))
		return;
	h->fail_from = draw_below(&d, draw_chance(&d, 5000) ? 30 : 2000);
	h->fail_count = counts[draw_below(&d, 6)];
	h->rx_fail_from = draw_below(&d, draw_chance(&d, 5000) ? 30 : 2000);
	h->rx_fail_count = counts[draw_below(&d, 5)];
	if (draw_chance(&d, 3000))
		h->send_packets = draw_between(&d, 1, 40);
	if (draw_chance(&d, 3000))
		h->held_packets = draw_between(&d, 5, 200);
	if (draw_chance(&d, 2000))
		h->connections = draw_between(&d, 1, 8);
	if (draw_chance(&d, 3000))
		h->time_waits = draw_between(&d, 1, 4);
}

static void host_make(const struct plan *plan, struct host_plan *h, uint32_t side)
{
	struct draw d = stream_of(plan, STREAM_HOSTS + FEATURES * (2 + side));

	h->turn_us = draw_chance(&d, 6000) ? 20 : draw_between(&d, 20, 1500);
	host_shortage(plan, h, side);
	if (plan_has(plan, FEATURE_TX_FULL))
		h->tx_full = draw_between(&d, 100, 6000);
	if (plan_has(plan, FEATURE_STALL))
		h->stall = draw_between(&d, 20, 600);
	h->merge = plan_has(plan, FEATURE_MERGE);
	if (plan_has(plan, FEATURE_WRAP))
		h->wrap = draw_between(&d, WRAP_ISN, WRAP_CLOCK);
}

/* ---- apps --------------------------------------------------------------------------------------
 */

static uint32_t draw_bytes(const struct plan *plan, struct draw *d)
{
	static const uint32_t most[] = {1, 300, 3000, 12000, 30000, 60000};

	if (plan_has(plan, FEATURE_LONG) && draw_chance(d, 5000))
		return draw_between(d, 60000, 500000);
	return draw_below(d, most[draw_below(d, 6)] + 1);
}

static void app_reading(const struct plan *plan, struct app_plan *a, struct draw *d)
{
	a->reading = draw_chance(d, 8000) ? READ_EAGER : READ_PIECES;
	a->read_bytes = draw_between(d, 100, 4000);
	a->read_us = draw_between(d, 100, 30000);
	if (plan_has(plan, FEATURE_SLOW) && draw_chance(d, 6000)) {
		a->reading = READ_SLOW;
		a->read_bytes = draw_between(d, 200, 20000);
	}
	if (plan_has(plan, FEATURE_PAUSE) && draw_chance(d, 6000))
		a->reading = READ_PAUSES;
	if (plan_has(plan, FEATURE_DEAF) && draw_chance(d, 5000)) {
		a->reading = draw_chance(d, 6000) ? READ_LATE : READ_NEVER;
		a->read_us = draw_between(d, 200000, 8000000);
	}
}

static void app_ending(const struct plan *plan, struct app_plan *a, struct draw *d)
{
	a->ending = draw_chance(d, 7000) ? END_SHUTDOWN : END_AFTER_PEER;
	if (draw_chance(d, 1000))
		a->ending = END_AT_ONCE;
	if (plan_has(plan, FEATURE_ABORT) && draw_chance(d, 5000)) {
		a->ending = END_ABORT;
		a->abort_at = draw_below(d, 20000);
		a->abort_us = draw_below(d, 2000000);
	}
	if (plan_has(plan, FEATURE_SILENT) && draw_chance(d, 5000))
		a->ending = END_NEVER;
}

static void app_make(const struct plan *plan, struct app_plan *a, struct draw *d)
{
	static const uint32_t writes[] = {1, 20, 400, 1360, 4000, 70000};

	a->bytes = draw_bytes(plan, d);
	a->write = draw_between(d, 1, writes[draw_below(d, 6)]);
	if (plan_has(plan, FEATURE_TINY) && draw_chance(d, 6000)) {
		a->write = draw_between(d, 1, 12);
		a->bytes = draw_below(d, 1200 * a->write) + 1;
	} else if (a->bytes / a->write > 400) { /* a seed is short */
		a->write = a->bytes / 400;
	}
	if (draw_chance(d, 4000))
		a->think_us = draw_below(d, draw_chance(d, 500) ? 2000000 : 40000);
	if (a->think_us * (uint64_t)(a->bytes / a->write) > 20000000)
		a->think_us = 1000;
	app_reading(plan, a, d);
	app_ending(plan, a, d);
}

static void pair_make(struct plan *plan, uint32_t i)
{
	struct pair_plan *p = &plan->pair[i];
	struct draw d = stream_of(plan, STREAM_PAIRS + FEATURES * (2 + i));
	bool talk = draw_chance(&d, 4000);
	uint32_t rounds = draw_between(&d, 1, 20);

	p->at_us = i == 0 ? 0 : draw_below(&d, 300000);
	p->client = (uint8_t)draw_below(&d, 2);
	p->v6 = draw_chance(&d, 4000);
	p->cross = plan_has(plan, FEATURE_CROSS) && draw_chance(&d, 5000);
	p->port = (uint16_t)(5000 + i);
	p->client_port = (uint16_t)(i == 0 || p->cross || draw_chance(&d, 3000) ? 30000 + i : 0);
	for (uint32_t k = 0; k < 2; k++)
		app_make(plan, &p->app[k], &d);
	if (p->app[0].ending == END_AFTER_PEER && p->app[1].ending == END_AFTER_PEER)
		p->app[0].ending = END_SHUTDOWN;
	if (p->app[0].bytes == 0 && p->app[0].ending == END_AFTER_PEER)
		p->app[0].ending = END_SHUTDOWN; /* nobody is accepted before he says something */
	if (!talk)
		return;
	for (uint32_t k = 0; k < 2; k++) {
		p->app[k].rounds = rounds;
		p->app[k].bytes = (p->app[k].bytes / rounds + 1) * rounds;
		p->app[k].think_us = 0;
	}
	/* both wait for what the other says: nobody ends before he has said it */
	if (p->app[0].ending == END_AT_ONCE || p->app[1].ending == END_AT_ONCE)
		p->app[0].ending = p->app[1].ending = END_SHUTDOWN;
}

static void pairs_make(struct plan *plan)
{
	struct draw d = stream_of(plan, FEATURE_MANY);

	plan->pairs = plan_has(plan, FEATURE_MANY) ? draw_between(&d, 2, PAIRS_MAX) : 1;
	for (uint32_t i = 0; i < plan->pairs; i++)
		pair_make(plan, i);
}

/* ---- which features ----------------------------------------------------------------------------
 */

/* What hinders nobody from finishing. */
static uint64_t harmless(void)
{
	return bit(FEATURE_JITTER) | bit(FEATURE_REORDER) | bit(FEATURE_DUPLICATE) |
	       bit(FEATURE_CORRUPT) | bit(FEATURE_RATE) | bit(FEATURE_STRIP_SACK) |
	       bit(FEATURE_STRIP_TIMESTAMPS) | bit(FEATURE_STRIP_SCALE) | bit(FEATURE_ISN_SHIFT) |
	       bit(FEATURE_SPLIT) | bit(FEATURE_MERGE) | bit(FEATURE_TX_FULL) | bit(FEATURE_STALL) |
	       bit(FEATURE_PAUSE) | bit(FEATURE_SLOW) | bit(FEATURE_ADVERSARY) |
	       bit(FEATURE_COOKIES) | bit(FEATURE_WRAP) | bit(FEATURE_MANY) | bit(FEATURE_LONG) |
	       bit(FEATURE_TINY) | bit(FEATURE_LOSS) | bit(FEATURE_MTU) | bit(FEATURE_MSS);
}

static uint64_t class_features(enum plan_class class)
{
	switch (class) {
	case CLASS_CLEAN:
		return bit(FEATURE_WRAP) | bit(FEATURE_MANY) | bit(FEATURE_LONG) |
		       bit(FEATURE_TINY) | bit(FEATURE_STRIP_SACK) | bit(FEATURE_STRIP_TIMESTAMPS) |
		       bit(FEATURE_STRIP_SCALE) | bit(FEATURE_PAUSE) | bit(FEATURE_SLOW) |
		       bit(FEATURE_TX_FULL);
	case CLASS_REORDER:
		return bit(FEATURE_REORDER) | bit(FEATURE_LONG) | bit(FEATURE_WRAP);
	case CLASS_TAIL:
		return bit(FEATURE_WRAP);
	default:
		return (UINT64_C(1) << FEATURES) - 1;
	}
}

static uint32_t feature_chance(enum feature feature, uint32_t chance)
{
	return feature == FEATURE_WRAP ? 5000 : feature == FEATURE_MANY ? 4000 : chance;
}

static void features_draw(struct plan *plan)
{
	static const uint32_t chances[] = {400, 1000, 2000};
	struct draw d = stream_of(plan, STREAM_CLASS);
	uint32_t which = draw_below(&d, 100), chance = chances[draw_below(&d, 3)];

	plan->class = which < 80   ? CLASS_GENERAL
		      : which < 87 ? CLASS_CLEAN
		      : which < 94 ? CLASS_REORDER
				   : CLASS_TAIL;
	for (uint32_t i = 0; i < FEATURES; i++)
		if (draw_chance(&d, feature_chance(i, chance)))
			plan->features |= bit(i);
	/* two that spoil everything else are rarer */
	if (!draw_chance(&d, 3000))
		plan->features &= ~(bit(FEATURE_FORGE) | bit(FEATURE_RST));
	if (plan->class != CLASS_GENERAL && plan->class != CLASS_CLEAN)
		plan->features |= bit(FEATURE_REORDER);
	plan->features &= class_features(plan->class);
}

/** Moderate loss, or none: nobody gives up for it. */
static bool losses_are_moderate(const struct plan *plan)
{
	uint64_t lossy = bit(FEATURE_LOSS) | bit(FEATURE_CORRUPT) | bit(FEATURE_REORDER);

	/* who finds out the size of a path by timeouts has no time for others */
	if (plan_has(plan, FEATURE_MTU) && (plan->features & lossy) != 0)
		return false;
	return plan->path[0].loss <= 200 && plan->path[1].loss <= 200;
}

/** With cookies, a segment that comes before the first finds no connection, and is reset. */
static bool keeps_order(const struct plan *plan)
{
	return (plan->features &
		(bit(FEATURE_REORDER) | bit(FEATURE_DUPLICATE) | bit(FEATURE_LOSS) |
		 bit(FEATURE_CORRUPT) | bit(FEATURE_MTU) | bit(FEATURE_RATE))) == 0;
}

static void judge(struct plan *plan)
{
	plan->tainted = plan_has(plan, FEATURE_FORGE);
	plan->must_finish = (plan->features & ~harmless()) == 0 && losses_are_moderate(plan) &&
			    !plan->attack_early &&
			    (plan->cookies != COOKIES_ALWAYS || keeps_order(plan));
	plan->no_retransmit = plan->class == CLASS_CLEAN;
}

/* A measure needs traffic that shows it. */
static void plan_for_reorder(struct plan *plan)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct path_plan *p = &plan->path[i];

		p->delay_us = p->delay_us < 2000 ? 2000 : p->delay_us;
		p->reorder_us = p->delay_us / 3;
	}
	plan->pair[0].app[0].bytes += 60000;
	/* smaller pieces out of order fill a receiver, who then drops some */
	plan->pair[0].app[0].write = plan->pair[0].app[1].write = 3000;
	plan->pair[0].app[0].rounds = plan->pair[0].app[1].rounds = 0;
	plan->pair[0].app[0].reading = plan->pair[0].app[1].reading = READ_EAGER;
}

static void plan_for_tail(struct plan *plan)
{
	struct draw d = stream_of(plan, STREAM_BASE + 1000);
	struct app_plan *client = &plan->pair[0].app[0], *server = &plan->pair[0].app[1];
	uint32_t size = draw_between(&d, 1, 5000), rounds = draw_between(&d, 3, 8);

	*client = (struct app_plan){.bytes = size * rounds,
				    .write = size,
				    .rounds = rounds,
				    .ending = END_SHUTDOWN};
	*server = (struct app_plan){.bytes = 100 * rounds,
				    .write = 100,
				    .rounds = rounds,
				    .ending = END_AFTER_PEER};
	plan->tail_at = draw_between(&d, 2, rounds);
	for (uint32_t i = 0; i < 2; i++)
		plan->path[i].reorder = 0;
}

static void stop_make(struct plan *plan)
{
	struct draw d = stream_of(plan, FEATURE_STOP);

	plan->drain_us = plan->stop_us = UINT64_MAX;
	if (!plan_has(plan, FEATURE_STOP))
		return;
	plan->stop_us = draw_below(&d, draw_chance(&d, 5000) ? 200000 : 3000000);
	if (draw_chance(&d, 5000))
		plan->drain_us = draw_below(&d, (uint32_t)plan->stop_us + 1);
}

static void attack_make(struct plan *plan)
{
	struct draw d = stream_of(plan, FEATURE_ADVERSARY), c = stream_of(plan, FEATURE_COOKIES);

	plan->half_open = 64;
	plan->cookies = COOKIES_AUTO;
	if (plan_has(plan, FEATURE_COOKIES)) {
		plan->cookies = draw_chance(&c, 8000) ? COOKIES_ALWAYS : COOKIES_NEVER;
		plan->half_open = draw_between(&c, 8, 64);
	}
	if (plan_has(plan, FEATURE_ADVERSARY)) {
		plan->attack_early = draw_chance(&d, 3000);
		plan->attacks = draw_between(&d, 20, 300);
		plan->attack_us = draw_between(&d, 50, 20000);
	}
	if (plan_has(plan, FEATURE_FLOOD))
		plan->floods = draw_between(&d, 20, 400);
}

/** What seed and features say of everything. */
static void plan_fill(struct plan *plan)
{
	paths_make(plan);
	for (uint32_t i = 0; i < 2; i++)
		host_make(plan, &plan->host[i], i);
	pairs_make(plan);
	attack_make(plan);
	stop_make(plan);
}

void plan_make(uint64_t seed, uint64_t without, struct plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	plan->seed = seed;
	features_draw(plan);
	plan->features &= ~without;
	plan_fill(plan);
	if (plan->class == CLASS_REORDER)
		plan_for_reorder(plan);
	if (plan->class == CLASS_TAIL)
		plan_for_tail(plan);
	judge(plan);
}

void plan_of(uint64_t seed, uint64_t features, struct plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	plan->seed = seed;
	plan->features = features & class_features(CLASS_GENERAL);
	plan_fill(plan);
	plan->tainted = plan_has(plan, FEATURE_FORGE);
}

void plan_describe(const struct plan *plan, char *text, uint32_t size)
{
	static const char *const classes[] = {"general", "clean", "reorder-only", "tail"};
	uint32_t n = (uint32_t)snprintf(text, size, "%s %u", classes[plan->class], plan->pairs);

	for (uint32_t i = 0; i < FEATURES; i++)
		if (plan_has(plan, i) && n < size)
			n += (uint32_t)snprintf(text + n, size - n, ",%s", feature_texts[i]);
}

int plan_feature(const char *name, uint32_t len)
{
	for (int i = 0; i < FEATURES; i++)
		if (strlen(feature_texts[i]) == len && memcmp(feature_texts[i], name, len) == 0)
			return i;
	return -1;
}
