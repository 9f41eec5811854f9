/* SPDX-License-Identifier: BSD-3-Clause */
#include "crowd.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "visit.h"

enum {
	CROWD_EVENTS = 256,
	CROWD_WAIT_MS = 10,
	CROWD_LOOK_US = 200000,	  /* between looks at everybody's clocks */
	CROWD_SLACK_US = 8000000, /* beyond a WIC's patience */
	CROWD_PICKS = 8
};

struct crowd {
	const struct options *options;
	struct tally *tally;
	struct wic *wic;
	struct wic_world world;
	struct site site;
	struct visits *visits; /* NULL: each WIC has its own pair */
	int epoll, signals;
	uint32_t count;
	uint32_t done;	     /* of what the phase has to do: WICs started or sent away */
	uint32_t skipped;    /* of those sent away: they were out */
	uint32_t next;	     /* whose turn it is in the drive */
	uint64_t operations; /* of the churn */
	uint64_t phase_began_us, last_done_us, look_us, report_us;
	uint32_t connected, registered, idle, out; /* at the last look */
};

static void read_clocks(struct crowd *c)
{
	c->world.now_us = clock_us(CLOCK_MONOTONIC);
	c->world.now_s = clock_us(CLOCK_REALTIME) / 1000000;
}

static uint64_t phase_lasts_us(const struct crowd *c)
{
	return c->world.now_us - c->phase_began_us;
}

/** How many of something that goes at a rate should have been by now. */
static uint64_t should_be(const struct crowd *c, uint64_t rate)
{
	return phase_lasts_us(c) * rate / 1000000 + 1;
}

/** Longer than anything that was begun can still take. */
static bool patience_over(const struct crowd *c, uint64_t since_us)
{
	return c->world.now_us > since_us + WIC_PATIENCE_US + CROWD_SLACK_US;
}

/* ---- start --------------------------------------------------------------------------------- */

/** Who we call, in Host: the port only when it is not the usual one (RFC 9110 4.2.2). */
static void host_write(struct crowd *c)
{
	const char *target = c->options->target;
	const char *colon = strrchr(target, ':');
	const char *port = strcmp(colon, ":443") == 0 ? "" : colon;

	if (c->options->server_name[0] != '\0')
		snprintf(c->world.host, sizeof(c->world.host), "%s%s", c->options->server_name,
			 port);
	else
		snprintf(c->world.host, sizeof(c->world.host), "%.*s%s", (int)(colon - target),
			 target, port);
}

static void world_init(struct crowd *c, struct mint *mint)
{
	const struct options *options = c->options;

	c->world.options = options;
	c->world.mint = mint;
	c->world.tally = c->tally;
	c->world.chance.state = options->seed;
	c->world.run = clock_us(CLOCK_REALTIME);
	c->world.jti = c->world.run; /* above all of an earlier run */
	c->world.link = (struct link_config){
		.epoll = c->epoll,
		.target = &options->target_address,
		.server_name = options->server_name,
		.verify = !options->insecure,
	};
	host_write(c);
}

static bool watch_signals(struct crowd *c)
{
	struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = NULL}};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return false;
	c->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return c->signals >= 0 && epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->signals, &event) == 0;
}

static void wics_init(struct crowd *c, const struct pairs *pairs)
{
	const struct options *options = c->options;

	for (uint32_t i = 0; i < c->count; i++) {
		const struct address *source = NULL;

		if (options->source_count > 0)
			source = &options->sources[i % options->source_count];
		wic_init(&c->wic[i], &c->world, i, &pairs->pair[i % pairs->count], source);
	}
}

static bool visits_init(struct crowd *c, const struct pairs *pairs)
{
	if (c->options->visits == 0)
		return true;
	c->world.site = &c->site;
	if (!site_init(&c->site, pairs, c->options->token_lifetime_s))
		return false;
	c->visits = visits_new(&c->world, c->wic, c->count);
	return c->visits != NULL;
}

struct crowd *crowd_new(const struct options *options, const struct pairs *pairs, struct mint *mint,
			struct tally *tally)
{
	struct crowd *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->options = options;
	c->tally = tally;
	c->count = (uint32_t)options->connections;
	c->signals = -1;
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->wic = calloc(c->count, sizeof(*c->wic)); /* untouched pages cost nothing */
	if (c->epoll < 0 || c->wic == NULL || !watch_signals(c)) {
		fprintf(stderr, "wicgate-load: %s\n", strerror(errno));
		crowd_free(c);
		return NULL;
	}
	world_init(c, mint);
	wics_init(c, pairs);
	if (!visits_init(c, pairs)) {
		fprintf(stderr, "wicgate-load: %s\n", strerror(ENOMEM));
		crowd_free(c);
		return NULL;
	}
	c->world.link.tls = link_tls_new(!options->insecure, options->ca);
	if (c->world.link.tls == NULL) {
		fprintf(stderr, "wicgate-load: TLS cannot be set up; --ca %s\n", options->ca);
		crowd_free(c);
		return NULL;
	}
	return c;
}

void crowd_free(struct crowd *c)
{
	if (c == NULL)
		return;
	for (uint32_t i = 0; c->wic != NULL && i < c->count; i++)
		link_close(&c->wic[i].link, LINK_RESET);
	SSL_CTX_free(c->world.link.tls);
	visits_free(c->visits);
	site_fini(&c->site);
	free(c->wic);
	if (c->signals >= 0)
		close(c->signals);
	if (c->epoll >= 0)
		close(c->epoll);
	free(c);
}

/* ---- phases -------------------------------------------------------------------------------- */

static void ramp_turn(struct crowd *c)
{
	uint64_t wanted = should_be(c, c->options->rate);

	for (; c->done < c->count && c->done < wanted; c->done++) {
		wic_start(&c->wic[c->done]);
		c->last_done_us = c->world.now_us;
	}
}

static bool ramp_over(const struct crowd *c)
{
	return c->done == c->count && (c->idle == c->count || patience_over(c, c->last_done_us));
}

static void nothing(struct crowd *c)
{
}

static bool hold_over(const struct crowd *c)
{
	return phase_lasts_us(c) >= c->options->hold_s * 1000000;
}

/** How many operations of the drive should have begun by now. */
static uint64_t drive_wanted(const struct crowd *c)
{
	const struct options *o = c->options;
	uint64_t due = o->drive_rate > 0 ? should_be(c, o->drive_rate) : o->drive_operations;

	return due < o->drive_operations ? due : o->drive_operations;
}

/** Who is idle does the next one, in turn, until as many as asked for have begun. */
static void drive_turn(struct crowd *c)
{
	uint64_t wanted = drive_wanted(c);
	uint32_t first = c->next;

	c->idle = 0;
	for (uint32_t i = 0; i < c->count; i++) {
		struct wic *w = &c->wic[(first + i) % c->count];

		if (wic_is_idle(w) && c->done < wanted) {
			wic_do(w, (enum wic_deed)c->options->drive_deed);
			c->done++;
			c->next = (first + i + 1) % c->count;
			c->last_done_us = c->world.now_us;
		}
		c->idle += wic_is_idle(w) ? 1 : 0;
	}
}

static bool drive_over(const struct crowd *c)
{
	if (c->options->drive_operations == 0)
		return true;
	return (c->done >= c->options->drive_operations && c->idle == c->count) ||
	       patience_over(c, c->last_done_us);
}

static struct wic *pick_idle(struct crowd *c)
{
	for (uint32_t i = 0; i < CROWD_PICKS; i++) {
		struct wic *w = &c->wic[chance_below(&c->world.chance, c->count)];

		if (wic_is_idle(w))
			return w;
	}
	return NULL;
}

/**
 * Half re-register. A quarter comes back at once on a new connection, the old one closed or just
 * gone. A quarter leaves in one of three ways and comes back after 1 to 10 s.
 */
static void churn_operation(struct crowd *c)
{
	static const enum wic_exit ways[] = {EXIT_UNREGISTER, EXIT_CLOSE, EXIT_ABORT};
	struct wic *w = pick_idle(c);
	uint32_t kind = chance_below(&c->world.chance, 4);
	uint32_t way = chance_below(&c->world.chance, 3);
	uint64_t away_us = 1000000 + chance_below(&c->world.chance, 9000000);

	if (w == NULL)
		tally_count(c->tally, COUNT_NOBODY);
	else if (kind < 2)
		wic_register(w);
	else if (kind == 2)
		wic_leave(w, way == 0 ? EXIT_ABORT : EXIT_CLOSE, 0);
	else
		wic_leave(w, ways[way], away_us);
}

static void churn_turn(struct crowd *c)
{
	uint64_t wanted = should_be(c, c->options->churn_rate);

	for (; c->options->churn_s > 0 && c->operations < wanted; c->operations++)
		churn_operation(c);
}

static bool churn_over(const struct crowd *c)
{
	return phase_lasts_us(c) >= c->options->churn_s * 1000000;
}

/** Who is out comes back by itself; nobody is sent away any more. */
static bool return_over(const struct crowd *c)
{
	return c->idle == c->count || patience_over(c, c->phase_began_us);
}

static bool settle_over(const struct crowd *c)
{
	return phase_lasts_us(c) >= c->options->settle_s * 1000000;
}

static void visit_turn(struct crowd *c)
{
	if (c->visits != NULL)
		visits_turn(c->visits, phase_lasts_us(c));
}

static bool visit_over(const struct crowd *c)
{
	return c->visits == NULL || visits_over(c->visits);
}

static void leave_turn(struct crowd *c)
{
	uint64_t wanted = should_be(c, c->options->rate);

	c->world.ending = true;
	for (; c->done < c->count && c->done < wanted + c->skipped; c->done++) {
		if (c->wic[c->done].state == WIC_OUT) {
			c->skipped++;
			continue;
		}
		wic_leave(&c->wic[c->done], c->options->clean ? EXIT_UNREGISTER : EXIT_CLOSE, 0);
		c->last_done_us = c->world.now_us;
	}
}

static bool leave_over(const struct crowd *c)
{
	/* an answer, then the close */
	return c->done == c->count &&
	       (c->out == c->count || patience_over(c, c->last_done_us + WIC_PATIENCE_US));
}

static const struct {
	void (*turn)(struct crowd *);
	bool (*over)(const struct crowd *);
} phases[PHASE_COUNT] = {
	[PHASE_RAMP] = {ramp_turn, ramp_over},	  [PHASE_HOLD] = {nothing, hold_over},
	[PHASE_DRIVE] = {drive_turn, drive_over}, [PHASE_CHURN] = {churn_turn, churn_over},
	[PHASE_RETURN] = {nothing, return_over},  [PHASE_SETTLE] = {nothing, settle_over},
	[PHASE_VISIT] = {visit_turn, visit_over}, [PHASE_LEAVE] = {leave_turn, leave_over},
};

/* ---- the loop ------------------------------------------------------------------------------ */

/** Looks at everybody: clocks and totals. */
static void crowd_look(struct crowd *c)
{
	c->look_us = c->world.now_us + CROWD_LOOK_US;
	c->connected = c->registered = c->idle = c->out = 0;
	for (uint32_t i = 0; i < c->count; i++) {
		struct wic *w = &c->wic[i];

		if (c->visits != NULL)
			visits_look(c->visits, w);
		wic_turn(w);
		c->connected += w->state == WIC_OPEN ? 1 : 0;
		c->registered += w->registered ? 1 : 0;
		c->idle += wic_is_idle(w) ? 1 : 0;
		c->out += w->state == WIC_OUT ? 1 : 0;
	}
	if (c->connected > c->tally->connected_most)
		c->tally->connected_most = c->connected;
	if (c->registered > c->tally->registered_most)
		c->tally->registered_most = c->registered;
}

static void crowd_report(struct crowd *c)
{
	c->report_us = c->world.now_us + c->options->report_s * 1000000;
	fprintf(stderr,
		"load: phase=%s phase_s=%.1f connected=%u registered=%u idle=%u operations=%" PRIu64
		" unexpected=%" PRIu64 " visits=%" PRIu64 " waiting=%u\n",
		phase_name(c->tally->phase), (double)phase_lasts_us(c) / 1e6, c->connected,
		c->registered, c->idle, c->operations, c->tally->failures,
		c->tally->count[COUNT_VISIT], c->visits != NULL ? visits_waiting(c->visits) : 0);
}

/** Goes on to a phase. False: there is none after the last. */
static bool phase_enter(struct crowd *c, enum phase phase)
{
	c->tally->phase_us[c->tally->phase] = phase_lasts_us(c);
	if (phase == PHASE_COUNT)
		return false;
	c->tally->phase = phase;
	c->phase_began_us = c->last_done_us = c->world.now_us;
	c->done = 0;
	crowd_look(c);
	crowd_report(c);
	return true;
}

static bool crowd_receive(struct crowd *c, bool *told_to_end)
{
	struct epoll_event events[CROWD_EVENTS];
	int n = epoll_wait(c->epoll, events, CROWD_EVENTS, CROWD_WAIT_MS);

	if (n < 0 && errno != EINTR)
		return false;
	read_clocks(c);
	for (int i = 0; i < n; i++) {
		struct signalfd_siginfo info;

		if (events[i].data.ptr != NULL)
			wic_ready(events[i].data.ptr);
		else if (read(c->signals, &info, sizeof(info)) > 0)
			*told_to_end = true;
	}
	return true;
}

static void count_the_end(struct crowd *c)
{
	if (c->visits != NULL) {
		c->tally->pairs = c->site.pairs->count;
		c->tally->uses = site_uses(&c->site);
	}
	for (uint32_t i = 0; i < c->count; i++)
		if (c->wic[i].state != WIC_OUT)
			tally_failure(c->tally, FAILURE_LEFT_BEHIND, 0);
}

bool crowd_run(struct crowd *c)
{
	bool told_to_end = false, more = true;

	read_clocks(c);
	c->phase_began_us = c->world.now_us;
	phase_enter(c, c->visits != NULL ? PHASE_VISIT : PHASE_RAMP);
	while (more) {
		if (!crowd_receive(c, &told_to_end))
			return false;
		phases[c->tally->phase].turn(c);
		if (c->world.now_us >= c->look_us)
			crowd_look(c);
		if (c->world.now_us >= c->report_us)
			crowd_report(c);
		if (told_to_end && c->tally->phase != PHASE_LEAVE)
			phase_enter(c, PHASE_LEAVE);
		else if (phases[c->tally->phase].over(c))
			more = phase_enter(c, c->tally->phase + 1);
	}
	count_the_end(c);
	return true;
}
