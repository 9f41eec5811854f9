/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash.h"
#include "sim.h"

static const char usage[] = "usage: sim (--seed N | --seeds FROM-TO) [--workers 1,2,4] [--jobs N] "
			    "[--trace] [--openssl] [--events] "
			    "[--pool | --wildcard | --scenarios]\n"
			    "  Runs one world for each seed, N at a time; the numbers of workers "
			    "take turns. Exit status "
			    "1: something\n"
			    "  did not hold, and the line to see it again is printed.\n";

#define JOBS_MAX 64
#define FAILURES_MAX 10 /* of a job */
#define SEED_SECONDS 60 /* a seed takes some milliseconds; a loop without an end is told too */

struct arguments {
	unsigned long from, to;
	uint16_t workers[8];
	uint32_t counts;
	unsigned long jobs;
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

static bool read_jobs(struct arguments *a, const char *text)
{
	char *end;

	a->jobs = strtoul(text, &end, 10);
	return end != text && *end == 0 && a->jobs > 0 && a->jobs <= JOBS_MAX;
}

static bool read_mode(struct arguments *a, const char *text)
{
	for (uint32_t m = SIM_PLAIN + 1; m < SIM_MODES; m++)
		if (strcmp(text, sim_mode_flag((enum sim_mode)m) + 1) == 0)
			a->options.mode = (enum sim_mode)m;
	return a->options.mode != SIM_PLAIN;
}

static bool read_arguments(struct arguments *a, int argc, char **argv)
{
	bool seeds = false;

	*a = (struct arguments){.workers = {1, 2, 4}, .counts = 3, .jobs = 1};
	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (more && (strcmp(argv[i], "--seeds") == 0 || strcmp(argv[i], "--seed") == 0))
			seeds = read_seeds(a, argv[++i]);
		else if (more && strcmp(argv[i], "--workers") == 0 && read_workers(a, argv[i + 1]))
			i++;
		else if (more && strcmp(argv[i], "--jobs") == 0 && read_jobs(a, argv[i + 1]))
			i++;
		else if (strcmp(argv[i], "--trace") == 0)
			a->options.trace = true;
		else if (strcmp(argv[i], "--openssl") == 0)
			a->options.openssl = true;
		else if (strcmp(argv[i], "--events") == 0)
			a->options.events = true;
		else if (a->options.mode != SIM_PLAIN || !read_mode(a, argv[i]))
			return false;
	}
	return seeds && !(a->options.events && a->options.mode == SIM_SCENARIOS);
}

/** Every jobs-th seed. Returns how many did not hold. */
static unsigned long run_job(struct arguments *a, unsigned long job)
{
	unsigned long failed = 0;

	for (unsigned long seed = a->from + job; seed <= a->to && failed < FAILURES_MAX;
	     seed += a->jobs) {
		a->options.seed = seed;
		a->options.workers = a->workers[seed % a->counts];
		crash_running("CRASHED or stuck\nreproduce: sim --seed %lu --workers %u%s%s%s\n",
			      seed, a->options.workers, a->options.openssl ? " --openssl" : "",
			      a->options.events ? " --events" : "", sim_mode_flag(a->options.mode));
		alarm(SEED_SECONDS);
		failed += !sim_run(&a->options);
	}
	return failed;
}

/** Each job is a child. True: all held. */
static bool run_jobs(struct arguments *a)
{
	unsigned long held = 0;
	int status;

	for (unsigned long job = 0; job < a->jobs; job++) {
		pid_t child = fork();

		if (child == 0) /* by exit(), so that leaks are looked for in the builds that do */
			exit(run_job(a, job) > 0);
		if (child < 0)
			perror("sim: fork");
	}
	while (wait(&status) > 0)
		held += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return held == a->jobs;
}

int main(int argc, char **argv)
{
	struct arguments a;
	bool held;

	if (!read_arguments(&a, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	crash_watch(STDERR_FILENO);
	held = a.jobs > 1 ? run_jobs(&a) : run_job(&a, 0) == 0;
	if (held)
		printf("sim: seeds %lu to %lu held\n", a.from, a.to);
	return !held;
}
