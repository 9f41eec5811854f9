/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <stdio.h>

#define TICK_US 1000u /* a timer may be late by so much (core.h) */

static bool not_expected(struct world *world)
{
	char text[256];

	if (world->error[0] != '\0' || world->sent_count == 0)
		return world->error[0] != '\0';
	world_sent_text(&world->sent[0], text, sizeof(text));
	world_fail(world, "sent and not expected, at +%.6f after the line before: %s",
		   (double)(world->sent[0].at_us - (world->clock.now_us > world->sent[0].at_us
							    ? world->sent[0].at_us
							    : world->clock.now_us)) /
			   1e6,
		   text);
	return true;
}

/* The clock goes to the time of a line which brings something: timers due right then come after
 * what it brings (TCP.md 4.1). */
static bool go_to(struct world *world, const struct line *line)
{
	uint64_t at_us = world->clock.now_us + line->after_us;

	if (line->has_time && line->after_us > 0) {
		world_finish_turn(world);
		if (not_expected(world) || !world_run_until(world, at_us - 1, true) ||
		    not_expected(world))
			return false;
		world->clock.now_us = at_us;
		world->pending = true;
		world->ran_ready = false;
	}
	return true;
}

static bool run_inject(struct world *world, struct peer *peer, const struct line *line)
{
	if (!go_to(world, line))
		return false;
	if (world->ran_ready || !world->pending) { /* not one more of a burst */
		world_finish_turn(world);
		if (not_expected(world))
			return false;
	}
	return world_inject(world, peer, line);
}

static bool run_sent(struct world *world, struct peer *peer, const struct line *line)
{
	uint64_t now_us = world->clock.now_us, from_us = now_us + line->after_us;
	uint64_t until_us = line->has_range	 ? now_us + line->until_us
			    : line->after_us > 0 ? from_us + TICK_US
						 : from_us;
	bool may = line->action == ACTION_SENT_MAY;
	char text[256] = "nothing";
	const char *what;

	world_finish_turn(world);
	if (world->sent_count == 0 && until_us > now_us)
		world_run_until(world, until_us, true);
	if (world->error[0] != '\0')
		return false;
	if (world->sent_count > 0)
		world_sent_text(&world->sent[0], text, sizeof(text));
	if (world->sent_count > 0 &&
	    (world->sent[0].at_us < from_us || world->sent[0].at_us > until_us) && !may)
		return world_fail(world, "sent at +%.6f: %s",
				  (double)(int64_t)(world->sent[0].at_us - now_us) / 1e6, text);
	what = world_expect(world, peer, line);
	return what == NULL || may ||
	       world_fail(world, "%s expected otherwise; got: %s", what, text);
}

/* ---- what the user was told --------------------------------------------------------------------
 */

static const char *const heard_names[HEARD_KINDS] = {"accept", "connected", "readable", "writable",
						     "fin",    "deadline",  "closed"};

static bool often(enum event_kind kind)
{
	return kind == HEARD_READABLE || kind == HEARD_WRITABLE;
}

/* The first event of a peer: of kind, where it is one that comes often, else of those that do not.
 */
static struct heard *next_heard(struct world *world, const struct peer *peer, enum event_kind kind)
{
	for (uint32_t i = 0; i < world->heard_count; i++) {
		struct heard *h = &world->heard[i];

		if (h->peer == peer && (often(kind) ? h->kind == kind : !often(h->kind)))
			return h;
	}
	return NULL;
}

static void take_heard(struct world *world, struct heard *taken)
{
	const struct heard copy = *taken;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < world->heard_count; i++) {
		struct heard *h = &world->heard[i];

		if (h != taken &&
		    !(often(copy.kind) && h->peer == copy.peer && h->kind == copy.kind))
			world->heard[kept++] = *h;
	}
	world->heard_count = kept;
}

static bool expect_nothing(struct world *world, const struct peer *peer)
{
	for (uint32_t i = 0; i < world->heard_count; i++)
		if (world->heard[i].peer == peer)
			return world_fail(world, "nothing expected, got %s",
					  heard_names[world->heard[i].kind]);
	return true;
}

static bool expect_heard(struct world *world, const struct peer *peer, const struct line *line,
			 enum event_kind kind)
{
	uint64_t now_us = world->clock.now_us, from_us = now_us + line->after_us;
	uint64_t until_us = line->has_range	 ? now_us + line->until_us
			    : line->after_us > 0 ? from_us + TICK_US
						 : from_us;
	const char *why = line->words == 3 ? line->word[2] : "";
	struct heard *h = next_heard(world, peer, kind);

	if (h == NULL &&
	    until_us == now_us) { /* what the user has just done may be heard next turn */
		world_finish_turn(world);
		h = next_heard(world, peer, kind);
	}
	while (h == NULL && world->clock.now_us < until_us && world->error[0] == '\0') {
		world_run_to_event(world, until_us, world->heard_count);
		if (world->clock.now_us >= until_us)
			world_first_half(world);
		h = next_heard(world, peer, kind);
	}
	if (h == NULL)
		return world_fail(world, "%s expected, got nothing", heard_names[kind]);
	if (h->kind != kind)
		return world_fail(world, "%s expected, got %s %s", heard_names[kind],
				  heard_names[h->kind],
				  h->kind == HEARD_CLOSED ? gw_err_name(h->why) : "");
	if (h->at_us < from_us || h->at_us > until_us)
		return world_fail(world, "%s came at +%.6f", heard_names[kind],
				  (double)(int64_t)(h->at_us - now_us) / 1e6);
	if (kind == HEARD_CLOSED && strcmp(gw_err_name(h->why), why) != 0)
		return world_fail(world, "closed %s expected, got %s", why, gw_err_name(h->why));
	take_heard(world, h);
	return true;
}

static bool run_expect(struct world *world, struct peer *peer, const struct line *line)
{
	const char *name = line->words > 1 ? line->word[1] : "";

	if (!line->has_time || line->after_us == 0)
		world_first_half(world);
	if (strcmp(name, "nothing") == 0)
		return expect_nothing(world, peer);
	for (uint32_t kind = 0; kind < HEARD_KINDS; kind++)
		if (strcmp(heard_names[kind], name) == 0 &&
		    line->words == (kind == HEARD_CLOSED ? 3 : 2))
			return expect_heard(world, peer, line, (enum event_kind)kind);
	return world_fail(world, "expect: what?");
}

/* ---- all else ----------------------------------------------------------------------------------
 */

static bool run_app(struct world *world, struct peer *peer, const struct line *line)
{
	if (!go_to(world, line))
		return false;
	world_first_half(world);
	return world_app(world, peer, line->word + 1, line->words - 1, line->turn);
}

/* silent: SECONDS */
static bool run_silent(struct world *world, struct peer *peer, const struct line *line)
{
	uint64_t us;

	if (line->words != 2 || !script_time(line->word[1], &us))
		return world_fail(world, "silent: SECONDS");
	world_finish_turn(world);
	if (not_expected(world))
		return false;
	return world_run_until(world, world->clock.now_us + us, true) && !not_expected(world);
}

/* stall: SECONDS; the worker is away, and looks at what has come before its timers. */
static bool run_stall(struct world *world, struct peer *peer, const struct line *line)
{
	uint64_t us;

	if (line->words != 2 || !script_time(line->word[1], &us))
		return world_fail(world, "stall: SECONDS");
	world_finish_turn(world);
	if (not_expected(world))
		return false;
	world->clock.now_us += us;
	world->pending = true;
	world->ran_ready = false;
	return true;
}

/* sent: A..B [SECONDS]; so many segments now, or in that time, whatever they are. */
static bool run_count(struct world *world, struct peer *peer, const struct line *line)
{
	struct range range;
	uint64_t us = 0, before;

	if (line->words < 2 || !script_range(line->word[1], line->turn, &range) ||
	    (line->words == 3 && !script_time(line->word[2], &us)))
		return world_fail(world, "sent: A..B [SECONDS]");
	world_finish_turn(world);
	before = world->sent_total - world->sent_count;
	while (us > 0 && world->error[0] == '\0' && world->sent_total - before < 1000000) {
		uint64_t until_us = world->clock.now_us + us, now_us = world->clock.now_us;

		world->sent_count = 0;
		world_run_until(world, until_us, true);
		us -= world->clock.now_us - now_us;
		if (world->sent_count == 0)
			break;
	}
	world->sent_count = 0;
	before = world->sent_total - before;
	return ((int64_t)before >= range.lo && (int64_t)before <= range.hi) ||
	       world_fail(world, "%s segments expected, %u were sent", line->word[1],
			  (uint32_t)before);
}

/* icmp: toobig MTU SEQ | unreachable SEQ | noroute SEQ */
static bool run_icmp(struct world *world, struct peer *peer, const struct line *line)
{
	struct tcp_icmp icmp = {.local = peer->local,
				.remote = peer->remote,
				.local_port = peer->local_port,
				.remote_port = peer->remote_port};
	int64_t mtu = 0, seq = 0;

	icmp.too_big = line->words == 4 && strcmp(line->word[1], "toobig") == 0;
	icmp.soft = line->words == 3 && strcmp(line->word[1], "noroute") == 0;
	if (!go_to(world, line))
		return false;
	if (icmp.too_big
		    ? !script_number(line->word[2], line->turn, &mtu)
		    : line->words != 3 || (!icmp.soft && strcmp(line->word[1], "unreachable") != 0))
		return world_fail(world, "icmp: toobig MTU SEQ | unreachable SEQ | noroute SEQ");
	if (!script_number(line->word[line->words - 1], line->turn, &seq))
		return world_fail(world, "icmp: sequence number expected");
	if (world->ran_ready || !world->pending)
		world_finish_turn(world);
	if (not_expected(world))
		return false;
	icmp.mtu = (uint32_t)mtu;
	icmp.seq = peer->iss + (uint32_t)seq;
	tcp_icmp(world->tcp, &icmp);
	world->pending = true;
	return true;
}

/* link: ok | full | nopacket | unresolved | lost | noroute | take N; noroute is of routes only */
static bool run_link(struct world *world, struct peer *peer, const struct line *line)
{
	static const struct {
		const char *name;
		enum gw_err send, route;
	} modes[] = {{"ok", GW_OK, GW_OK},
		     {"full", GW_NET_TX_FULL, GW_OK},
		     {"take", GW_NET_TX_FULL, GW_OK},
		     {"nopacket", GW_NET_NO_PACKET, GW_OK},
		     {"unresolved", GW_NET_UNRESOLVED, GW_NET_UNRESOLVED},
		     {"lost", GW_NET_NO_ROUTE, GW_OK},
		     {"noroute", GW_NET_NO_ROUTE, GW_NET_NO_ROUTE}};

	world_finish_turn(world);
	for (size_t i = 0; line->words > 1 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, line->word[1]) == 0) {
			world->send_err = modes[i].send;
			world->route_err = modes[i].route;
			world->send_left = 0;
			world->pending = true;
			return line->words == 2 ||
			       script_number(line->word[2], line->turn, &world->send_left);
		}
	return world_fail(world,
			  "link: ok | full | take N | nopacket | unresolved | lost | noroute");
}

/* Whatever was sent and told is as if it had been expected. */
static bool run_forget(struct world *world, struct peer *peer, const struct line *line)
{
	world_finish_turn(world);
	world->sent_count = world->heard_count = 0;
	return true;
}

/* What was injected is one burst, which ends here. */
static bool run_turn(struct world *world, struct peer *peer, const struct line *line)
{
	world_finish_turn(world);
	return true;
}

static run_verb *find_verb(const char *name)
{
	static const struct {
		const char *name;
		run_verb *run;
	} verbs[] = {{"app:", run_app},	   {"expect:", run_expect}, {"silent:", run_silent},
		     {"sent:", run_count}, {"icmp:", run_icmp},	    {"link:", run_link},
		     {"peer:", run_peer},  {"forget", run_forget},  {"turn", run_turn},
		     {"stall:", run_stall}};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return verbs[i].run;
	return NULL;
}

static bool run_words(struct world *world, struct peer *peer, const struct line *line)
{
	run_verb *verb = find_verb(line->word[0]), *look = run_look(line->word[0]);

	if (verb != NULL && line->has_time && verb != run_app && verb != run_expect &&
	    verb != run_icmp)
		return world_fail(world, "%s takes no time", line->word[0]);
	if (verb != NULL)
		return verb(world, peer, line);
	if (look == NULL)
		return world_fail(world, "unknown word %s", line->word[0]);
	world_finish_turn(world);
	if (line->after_us > 0 &&
	    (not_expected(world) ||
	     !world_run_until(world, world->clock.now_us + line->after_us, true) ||
	     not_expected(world)))
		return false;
	world_finish_turn(world);
	return look(world, peer, line);
}

static bool run_line(struct world *world, const struct line *line)
{
	if (line->action == ACTION_WORDS && strcmp(line->word[0], "config:") == 0)
		return run_config(world, line);
	if (world->tcp == NULL && !world_begin(world))
		return false;
	if (line->action == ACTION_INJECT)
		return run_inject(world, world_peer(world, line->label), line);
	if (line->action == ACTION_WORDS)
		return run_words(world, world_peer(world, line->label), line);
	return run_sent(world, world_peer(world, line->label), line);
}

/* At the end nothing may be left that the script has not said. */
static bool run_end(struct world *world)
{
	world_finish_turn(world);
	if (not_expected(world))
		return false;
	for (uint32_t i = 0; i < world->heard_count; i++)
		if (!often(world->heard[i].kind))
			return world_fail(world,
					  "[%u] was told %s %s, which the script does not say",
					  world->heard[i].peer->label,
					  heard_names[world->heard[i].kind],
					  gw_err_name(world->heard[i].why));
	return true;
}

bool run_script(struct world *world, const struct script *script)
{
	char text[512];
	uint32_t i = 0;

	while (i < script->lines && run_line(world, &script->line[i]) && world->error[0] == '\0')
		i++;
	if (i == script->lines && run_end(world))
		return true;
	if (i == script->lines)
		i--;
	memcpy(text, world->error, sizeof(text));
	snprintf(world->error, sizeof(world->error), "%.160s:%u: %.330s", script->line[i].file,
		 script->line[i].number, text);
	return false;
}
