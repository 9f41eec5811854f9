/* SPDX-License-Identifier: BSD-3-Clause */
#include "play.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct option {
	const char *name;
	size_t at;
};

#define OPTION(name) \
	{ \
#name, offsetof(struct play, name) \
	}

static const struct option options[] = {
	OPTION(kernel),	       OPTION(buffer),	   OPTION(v6),	      OPTION(connect),
	OPTION(seed),	       OPTION(seconds),	   OPTION(send),      OPTION(hello),
	OPTION(wait),	       OPTION(wait_fin),   OPTION(ahead),     OPTION(piece),
	OPTION(read_piece),    OPTION(read_us),	   OPTION(fin_after), OPTION(fin_last),
	OPTION(fin_never),     OPTION(kill_after), OPTION(rcvbuf),    OPTION(cork),
	OPTION(nodelay),       OPTION(congestion), OPTION(oob),	      OPTION(reset_after),
	OPTION(reset_at_last),
};

static bool read_one(struct play *play, const char *word)
{
	const char *value = strchr(word, '=');
	char *end;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && value != NULL; i++) {
		const char *name = options[i].name;
		uint64_t *field = (uint64_t *)(void *)((char *)play + options[i].at);

		if (strncmp(word, "--", 2) != 0 || (size_t)(value - word - 2) != strlen(name) ||
		    memcmp(word + 2, name, strlen(name)) != 0)
			continue;
		*field = strtoull(value + 1, &end, 10);
		return *end == '\0' && end != value + 1;
	}
	return false;
}

bool play_read(struct play *play, int count, char **words)
{
	*play = (struct play){.ahead = UINT32_MAX,
			      .piece = UINT32_MAX,
			      .seconds = 60,
			      .buffer = 65536};
	for (int i = 1; i < count; i++)
		if (!read_one(play, words[i])) {
			fprintf(stderr, "%s: %s is not --OPTION=N\n", words[0], words[i]);
			return false;
		}
	return true;
}

void play_begin(struct progress *p, const struct play *play, enum stream_direction ours)
{
	*p = (struct progress){.began_us = play_now_us()};
	stream_init(&p->out, play->seed, ours);
	stream_init(&p->in, play->seed, ours == STREAM_OURS ? STREAM_THEIRS : STREAM_OURS);
}

uint64_t play_may_send(const struct play *play, const struct progress *p)
{
	bool open = p->in.at >= play->wait && (play->wait_fin == 0 || p->peer_fin);
	uint64_t all = open ? p->in.at - play->wait + play->ahead : 0;

	all = all > play->hello ? all : play->hello;
	all = all < play->send ? all : play->send;
	return all > p->out.at && !p->fin ? all - p->out.at : 0;
}

bool play_may_fin(const struct play *play, const struct progress *p)
{
	return !p->fin && play->fin_never == 0 && p->out.at >= play->send &&
	       p->in.at >= play->fin_after && (play->fin_last == 0 || p->peer_fin);
}

bool play_may_reset(const struct play *play, const struct progress *p)
{
	return play->reset_after > 0 && p->in.at >= play->reset_after;
}

uint64_t play_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void play_print(const struct progress *p, const char *end, const char *more)
{
	printf("{\"sent\": %" PRIu64 ", \"sent_hash\": \"%016" PRIx64 "\", \"received\": %" PRIu64
	       ", \"received_hash\": \"%016" PRIx64 "\", \"wrong\": %s, \"fin\": %s, "
	       "\"peer_fin\": %s, \"ms\": %" PRIu64 ", \"end\": \"%s\"%s}\n",
	       p->out.at, p->out.hash, p->in.at, p->in.hash, p->in.wrong ? "true" : "false",
	       p->fin ? "true" : "false", p->peer_fin ? "true" : "false",
	       (play_now_us() - p->began_us) / 1000, end, more);
	fflush(stdout);
}
