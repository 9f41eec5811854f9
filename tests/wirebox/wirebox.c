/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "end.h"
#include "line.h"
#include "options.h"

#define BURST 64 /* frames of one end in one turn */
#define US_PER_S 1000000u
#define END_B 1u /* the side with VLAN tags */

/** Line i begins at end i. */
struct wirebox {
	const struct options *options;
	struct end ends[2];
	struct line lines[2];
	int signals;
	bool over;
};

static uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / 1000;
}

/** Writes to end i; counted by the line it came over. */
static void give(struct wirebox *box, uint32_t i, struct frame *frame, struct line *line)
{
	bool tagged = i != END_B || box->options->vlan == 0 ||
		      frame_tag(frame, (uint16_t)box->options->vlan);

	if (tagged && end_write(&box->ends[i], frame))
		line->counters.out++;
	else
		line->counters.refused++;
}

/** Tells the sender at end i, as the router in the middle does, by the way back. */
static void answer_too_big(struct wirebox *box, uint32_t i, const struct frame *frame)
{
	struct line *line = &box->lines[i];
	struct frame answer;

	if (!frame_too_big(frame, &box->options->router, (uint32_t)line->model.config->mtu,
			   &answer))
		return;
	line->counters.answered++;
	give(box, i, &answer, &box->lines[1 - i]);
}

static void take(struct wirebox *box, uint32_t i, struct frame *frame, uint64_t now_us)
{
	struct line *line = &box->lines[i];

	if (i == END_B && box->options->vlan != 0 &&
	    !frame_untag(frame, (uint16_t)box->options->vlan)) {
		line->counters.foreign++;
		return;
	}
	if (line_put(line, frame, now_us) == MODEL_TOO_BIG)
		answer_too_big(box, i, frame);
}

static void receive(struct wirebox *box, uint32_t i, uint64_t now_us)
{
	struct frame frame;

	for (int n = 0; n < BURST; n++)
		switch (end_read(&box->ends[i], &frame)) {
		case END_FRAME:
			take(box, i, &frame, now_us);
			break;
		case END_REFUSED:
			box->lines[i].counters.refused++;
			break;
		case END_GONE:
			box->over = true;
			return;
		default:
			return;
		}
}

static void release(struct wirebox *box, uint32_t i, uint64_t now_us)
{
	struct frame frame;

	while (line_take(&box->lines[i], now_us, &frame))
		give(box, 1 - i, &frame, &box->lines[i]);
}

static uint64_t next_us(const struct wirebox *box, uint64_t end_us)
{
	for (uint32_t i = 0; i < 2; i++)
		if (line_next_us(&box->lines[i]) < end_us)
			end_us = line_next_us(&box->lines[i]);
	return end_us;
}

/** Waits for a frame, for one that is due, or for the end. */
static void turn(struct wirebox *box, uint64_t end_us)
{
	struct pollfd polled[] = {{.fd = box->ends[0].fd, .events = POLLIN},
				  {.fd = box->ends[1].fd, .events = POLLIN},
				  {.fd = box->signals, .events = POLLIN}};
	uint64_t now_us = clock_us(), wake_us = next_us(box, end_us);
	uint64_t wait_us = wake_us > now_us ? wake_us - now_us : 0;
	struct timespec timeout = {(time_t)(wait_us / US_PER_S), (long)(wait_us % US_PER_S * 1000)};

	ppoll(polled, 3, wake_us == UINT64_MAX ? NULL : &timeout, NULL);
	now_us = clock_us();
	box->over = (polled[2].revents & POLLIN) != 0 || now_us >= end_us;
	for (uint32_t i = 0; i < 2; i++)
		if (polled[i].revents != 0)
			receive(box, i, now_us);
	for (uint32_t i = 0; i < 2; i++)
		release(box, i, now_us);
}

static void run(struct wirebox *box)
{
	uint64_t seconds = box->options->seconds;
	uint64_t end_us = seconds > 0 ? clock_us() + seconds * US_PER_S : UINT64_MAX;

	fprintf(stderr, "wirebox: ready\n");
	while (!box->over)
		turn(box, end_us);
	printf("{\"seed\": %" PRIu64 ", \"a_to_b\": ", box->options->seed);
	line_print(&box->lines[0], stdout);
	printf(", \"b_to_a\": ");
	line_print(&box->lines[1], stdout);
	printf("}\n");
}

static bool open_all(struct wirebox *box)
{
	const struct options *o = box->options;
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	box->signals = signalfd(-1, &ends, SFD_CLOEXEC);
	for (uint32_t i = 0; i < 2; i++)
		if (!end_open(&box->ends[i], o->ends[i]) ||
		    !line_init(&box->lines[i], &o->models[i], o->seed, i))
			return false;
	return box->signals >= 0;
}

int main(int argc, char **argv)
{
	struct options options;
	struct wirebox box = {.options = &options, .ends = {{.fd = -1}, {.fd = -1}}, .signals = -1};
	bool opened;

	if (!options_read(argc, argv, &options))
		return 2;
	if (options.help) {
		options_help(stdout);
		return 0;
	}
	opened = open_all(&box);
	if (opened)
		run(&box);
	for (uint32_t i = 0; i < 2; i++) {
		line_fini(&box.lines[i]);
		end_close(&box.ends[i]);
	}
	return opened ? 0 : 2;
}
