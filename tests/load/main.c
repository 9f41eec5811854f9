/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <sys/resource.h>

#include "clock.h"
#include "crowd.h"

enum { EXIT_EXPECTED = 0, EXIT_UNEXPECTED = 1, EXIT_NOT_STARTED = 2 };

/** Files a process has besides its connections. */
enum { OTHER_FILES = 32 };

/** As many open files as the system lets us have. */
static bool files_allow(uint64_t connections)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return false;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= connections + OTHER_FILES)
		return true;
	fprintf(stderr, "wicgate-load: the limit of open files is %llu\n",
		(unsigned long long)limit.rlim_max);
	return false;
}

static double seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static struct usage usage_since(uint64_t began_us)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (struct usage){
		.user_s = seconds(&used.ru_utime),
		.system_s = seconds(&used.ru_stime),
		.wall_s = (double)(clock_us(CLOCK_MONOTONIC) - began_us) / 1e6,
		.rss_kib = (uint64_t)used.ru_maxrss,
	};
}

/** Plays the WICs of these pairs and prints what was seen. Returns the exit status. */
static int play(const struct options *options, const struct pairs *pairs, struct tally *tally)
{
	uint64_t began_us = clock_us(CLOCK_MONOTONIC);
	struct mint *mint = mint_new(options);
	struct crowd *crowd = mint == NULL ? NULL : crowd_new(options, pairs, mint, tally);
	struct usage usage;
	bool ran = crowd != NULL && crowd_run(crowd);

	usage = usage_since(began_us);
	crowd_free(crowd);
	mint_free(mint);
	if (!ran)
		return EXIT_NOT_STARTED;
	if (options->json)
		tally_print_json(tally, &usage, stdout);
	else
		tally_print(tally, &usage, stdout);
	return tally->failures == 0 ? EXIT_EXPECTED : EXIT_UNEXPECTED;
}

int main(int argc, char **argv)
{
	struct options options;
	struct pairs pairs;
	struct tally *tally;
	int status;

	if (!options_read(argc, argv, &options))
		return EXIT_NOT_STARTED;
	if (options.help) {
		options_help(stdout);
		return EXIT_EXPECTED;
	}
	if (options.make_pairs > 0) {
		pairs_make(stdout, options.make_pairs, options.domain);
		return EXIT_EXPECTED;
	}
	if (!files_allow(options.connections) ||
	    !pairs_init(&pairs, options.pairs,
			(uint32_t)(options.visits > 0 ? options.pool : options.connections)))
		return EXIT_NOT_STARTED;
	tally = calloc(1, sizeof(*tally));
	status = tally == NULL ? EXIT_NOT_STARTED : play(&options, &pairs, tally);
	free(tally);
	pairs_fini(&pairs);
	return status;
}
