/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <stddef.h>

#include "run.h"

static struct endpoint peer_endpoint(const struct peer *peer)
{
	return ip_address_endpoint(&peer->remote, peer->remote_port);
}

static bool find_row(struct world *world, const struct peer *peer, struct conn_row *row)
{
	struct endpoint remote = peer_endpoint(peer);
	struct endpoint local = ip_address_endpoint(&peer->local, peer->local_port);
	uint32_t cursor = 0;

	while (tcp_next_row(world->tcp, &cursor, row)) {
		struct ip_address there = ip_address_of(&row->peer),
				  here = ip_address_of(&row->local);

		if (row->peer.v4.sin_port == remote.v4.sin_port &&
		    row->local.v4.sin_port == local.v4.sin_port &&
		    ip_address_equal(&there, &peer->remote) &&
		    ip_address_equal(&here, &peer->local))
			return true;
	}
	return false;
}

static bool look_state(struct world *world, struct peer *peer, const struct line *line)
{
	struct conn_row row;
	const char *got = "none";

	if (find_row(world, peer, &row))
		got = row.state;
	else if (tcp_knows(world->tcp, &peer->local, peer->local_port, &peer->remote,
			   peer->remote_port))
		got = "KNOWN"; /* half open, or TIME-WAIT */
	if (line->words == 2 && strcmp(got, line->word[1]) == 0)
		return true;
	return world_fail(world, "state %s expected, got %s", line->words > 1 ? line->word[1] : "?",
			  got);
}

struct column {
	const char *name;
	size_t offset;
};
#define COLUMN(name) \
	{ \
#name, offsetof(struct conn_row, name) \
	}
static const struct column columns[] = {
	COLUMN(receive_bytes),	COLUMN(send_bytes),  COLUMN(cwnd),  COLUMN(ssthresh),
	COLUMN(srtt_us),	COLUMN(rto_us),	     COLUMN(mss),   COLUMN(send_window),
	COLUMN(receive_window), COLUMN(retransmits), COLUMN(age_s),
};

static bool look_row(struct world *world, struct peer *peer, const struct line *line)
{
	struct conn_row row;
	struct range range;

	if (!find_row(world, peer, &row))
		return world_fail(world, "there is no connection");
	for (size_t i = 0; line->words == 3 && i < sizeof(columns) / sizeof(columns[0]); i++)
		if (strcmp(columns[i].name, line->word[1]) == 0 &&
		    script_range(line->word[2], line->turn, &range)) {
			uint32_t got = *(uint32_t *)((uint8_t *)&row + columns[i].offset);

			return (got >= range.lo && got <= range.hi) ||
			       world_fail(world, "%s %s expected, got %u", line->word[1],
					  line->word[2], got);
		}
	return world_fail(world, "row: COLUMN N");
}

static const _Atomic uint64_t *find_counter(struct world *world, const char *name)
{
#define COUNTER_NAME(field, text) \
	if (strcmp(name, #field) == 0) \
		return &world->counters.field;
	COUNTER_LIST(COUNTER_NAME)
#undef COUNTER_NAME
	for (int err = 0; strncmp(name, "errors.", 7) == 0 && err < GW_ERR_COUNT; err++)
		if (strcmp(name + 7, gw_err_name((enum gw_err)err)) == 0)
			return &world->counters.errors[err];
	return NULL;
}

static bool look_counter(struct world *world, struct peer *peer, const struct line *line)
{
	const _Atomic uint64_t *counter =
		line->words == 3 ? find_counter(world, line->word[1]) : NULL;
	struct range range;
	uint64_t got;

	if (counter == NULL || !script_range(line->word[2], line->turn, &range))
		return world_fail(world, "counter: NAME N; there is no %s",
				  line->words > 1 ? line->word[1] : "name");
	got = counter_read(counter);
	return ((int64_t)got >= range.lo && (int64_t)got <= range.hi) ||
	       world_fail(world, "%s %s expected, got %llu", line->word[1], line->word[2],
			  (unsigned long long)got);
}

/* deadline: none | some */
static bool look_deadline(struct world *world, struct peer *peer, const struct line *line)
{
	bool none = tcp_next_us(world->tcp) == UINT64_MAX;

	if (line->words == 2 && strcmp(line->word[1], none ? "none" : "some") == 0)
		return true;
	return world_fail(world, "a deadline is%s armed", none ? " not" : "");
}

/* isn: A..B; how far our ISN is ahead of the one before "peer: again". */
static bool look_isn(struct world *world, struct peer *peer, const struct line *line)
{
	struct range range;
	int32_t ahead = (int32_t)(peer->iss - peer->iss_before);

	if (line->words != 2 || !script_range(line->word[1], line->turn, &range))
		return world_fail(world, "isn: A..B");
	return (peer->has_iss && peer->had_iss && ahead >= range.lo && ahead <= range.hi) ||
	       world_fail(world, "the ISN is %d ahead of the one before", ahead);
}

run_verb *run_look(const char *verb)
{
	static const struct {
		const char *name;
		run_verb *run;
	} verbs[] = {{"state:", look_state},
		     {"row:", look_row},
		     {"counter:", look_counter},
		     {"deadline:", look_deadline},
		     {"isn:", look_isn}};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, verb) == 0)
			return verbs[i].run;
	return NULL;
}
