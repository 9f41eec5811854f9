/* SPDX-License-Identifier: BSD-3-Clause */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crash.h"
#include "sim.h"

static const char usage[] =
	"usage: sim (--seed N | --seeds FROM-TO) [--workers 1,2,4] [--trace] [--openssl]\n"
	"  Runs one world for each seed; the numbers of workers take turns. Exit status 1: "
	"something\n"
	"  did not hold, and the line to see it again is printed.\n";

#define MAPPED_FROM (128 * 1024)
#define SEED_SECONDS 60 /* a seed takes some milliseconds; a loop without an end is told too */

struct arguments {
	unsigned long from, to;
	uint16_t workers[8];
	uint32_t counts;
	struct sim_options options;
};

static bool read_workers(struct arguments *a, const char *text)
{
	char *end = NULL;

	for (a->counts = 0; a->counts < 8; text = end + 1) {
		unsigned long n = strtoul(text, &end, 10);

		if (n == 0 || n > SIM_WORKERS_MAX)
			return false;
		a->workers[a->counts++] = (uint16_t)n;
		if (*end != ',')
			return *end == 0;
	}
	return false;
}

static bool read_seeds(struct arguments *a, const char *text)
{
	char *end;

	a->from = strtoul(text, &end, 10);
	a->to = *end == '-' ? strtoul(end + 1, &end, 10) : a->from;
	return end != text && *end == 0 && a->to >= a->from;
}

static bool read_arguments(struct arguments *a, int argc, char **argv)
{
	bool seeds = false;

	*a = (struct arguments){.workers = {1, 2, 4}, .counts = 3};
	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (more && (strcmp(argv[i], "--seeds") == 0 || strcmp(argv[i], "--seed") == 0))
			seeds = read_seeds(a, argv[++i]);
		else if (more && strcmp(argv[i], "--workers") == 0 && read_workers(a, argv[i + 1]))
			i++;
		else if (strcmp(argv[i], "--trace") == 0)
			a->options.trace = true;
		else if (strcmp(argv[i], "--openssl") == 0)
			a->options.openssl = true;
		else
			return false;
	}
	return seeds;
}

int main(int argc, char **argv)
{
	struct arguments a;
	unsigned long failed = 0;

	if (!read_arguments(&a, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	/* most of what a world allocates it never touches: it is not to be zeroed by hand */
	mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
	crash_watch(STDERR_FILENO);
	for (unsigned long seed = a.from; seed <= a.to && failed < 10; seed++) {
		a.options.seed = seed;
		a.options.workers = a.workers[seed % a.counts];
		crash_running("CRASHED or stuck\nreproduce: sim --seed %lu --workers %u%s\n", seed,
			      a.options.workers, a.options.openssl ? " --openssl" : "");
		alarm(SEED_SECONDS);
		failed += !sim_run(&a.options);
	}
	if (failed == 0)
		printf("sim: seeds %lu to %lu held\n", a.from, a.to);
	return failed > 0;
}
