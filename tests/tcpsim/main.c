/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/crash.h"
#include "tcpsim.h"

static const char usage[] =
	"usage: tcpsim --seeds FROM-TO [--jobs N] [--keep-going]\n"
	"       tcpsim --seed N [-v] [--pcap FILE] [--without FEATURE,...]\n"
	"       tcpsim --minimise N\n"
	"  Two hosts, a network that does what it likes, a stranger; invariants of TCP.md 8.3.\n"
	"  Exit status 1: something did not hold, and the line to see it again is printed.\n";

#define SEED_SECONDS 60 /* a seed takes milliseconds; a loop without an end is told too */
#define JOBS_MAX 64u
#define FAILURES_MAX 10u
#define SAME_EVERY 50u /* seeds: one of so many runs twice */
#define SPURIOUS_PARTS \
	20u /* of 1,000 sent in vain by short connections that are new to reordering */
#define SPURIOUS_LEAST 20000u /* segments below which nothing is said of it */

struct arguments {
	uint64_t from, to, jobs, minimise;
	struct run_options run;
	bool seeds, minimises, keep_going;
};

/** What a job found. */
struct tally {
	uint64_t seeds, failed;
	struct totals all;
	uint64_t reorder_segments, reorder_again;
};

static struct run_result run_watched(const struct run_options *options)
{
	crash_running("FAIL seed %llu: crashed or stuck reproduce: tcpsim --seed %llu -v\n",
		      (unsigned long long)options->seed, (unsigned long long)options->seed);
	alarm(SEED_SECONDS);
	return world_run(options);
}

/* ---- many seeds --------------------------------------------------------------------------------
 */

static void totals_add(struct totals *sum, const struct totals *one)
{
	sum->segments += one->segments;
	sum->retransmits += one->retransmits;
	sum->turns += one->turns;
	sum->finished += one->finished;
	sum->aborted += one->aborted;
	sum->attacks += one->attacks;
	sum->bytes += one->bytes;
}

static void run_one(uint64_t seed, struct tally *tally)
{
	struct run_options options = {.seed = seed};
	struct run_result result = run_watched(&options);

	if (!result.failed && seed % SAME_EVERY == 0 && run_watched(&options).hash != result.hash) {
		result.failed = true;
		result.invariant = 14;
		snprintf(result.why, sizeof(result.why), "the same seed, other packets");
	}
	tally->seeds++;
	totals_add(&tally->all, &result.totals);
	if (result.class == CLASS_REORDER) {
		tally->reorder_segments += result.totals.segments;
		tally->reorder_again += result.totals.retransmits;
	}
	if (!result.failed)
		return;
	tally->failed++;
	printf("FAIL seed %llu: invariant %u: %s reproduce: tcpsim --seed %llu -v\n",
	       (unsigned long long)seed, result.invariant, result.why, (unsigned long long)seed);
	fflush(stdout);
}

static void run_job(const struct arguments *a, uint64_t job, struct tally *tally)
{
	for (uint64_t seed = a->from + job; seed <= a->to; seed += a->jobs) {
		run_one(seed, tally);
		if (tally->failed >= FAILURES_MAX && !a->keep_going)
			return;
	}
}

/** A child that runs its part of the seeds; where its tally can be read, or -1. */
static int job_start(const struct arguments *a, uint64_t job)
{
	struct tally tally = {0};
	int ends[2];
	pid_t child;

	fflush(stdout);
	if (pipe(ends) != 0 || (child = fork()) < 0)
		return -1;
	if (child > 0) {
		close(ends[1]);
		return ends[0];
	}
	close(ends[0]);
	run_job(a, job, &tally);
	/* by exit(), so that leaks are looked for, and lines counted, in the builds that do */
	exit(write(ends[1], &tally, sizeof(tally)) == sizeof(tally) ? 0 : 1);
}

static void job_finish(int end, struct tally *sum)
{
	struct tally tally;

	if (end < 0 || read(end, &tally, sizeof(tally)) != sizeof(tally))
		tally = (struct tally){.failed = 1};
	sum->seeds += tally.seeds;
	sum->failed += tally.failed;
	totals_add(&sum->all, &tally.all);
	sum->reorder_segments += tally.reorder_segments;
	sum->reorder_again += tally.reorder_again;
	if (end >= 0)
		close(end);
}

static bool summary(const struct arguments *a, const struct tally *sum)
{
	bool spurious = sum->reorder_segments > SPURIOUS_LEAST &&
			sum->reorder_again * 1000 > sum->reorder_segments * SPURIOUS_PARTS;

	if (spurious)
		printf("FAIL invariant 9: %llu of %llu segments were sent again where nothing was "
		       "lost\n",
		       (unsigned long long)sum->reorder_again,
		       (unsigned long long)sum->reorder_segments);
	printf("tcpsim: seeds %llu-%llu: %llu run, %llu failed; %llu segments, %llu sent again, "
	       "%llu ends in order, %llu others, %llu guesses, %llu bytes\n",
	       (unsigned long long)a->from, (unsigned long long)a->to,
	       (unsigned long long)sum->seeds, (unsigned long long)sum->failed,
	       (unsigned long long)sum->all.segments, (unsigned long long)sum->all.retransmits,
	       (unsigned long long)sum->all.finished, (unsigned long long)sum->all.aborted,
	       (unsigned long long)sum->all.attacks, (unsigned long long)sum->all.bytes);
	return sum->failed == 0 && !spurious;
}

static bool run_seeds(const struct arguments *a)
{
	int ends[JOBS_MAX];
	struct tally sum = {0};

	for (uint64_t i = 0; i < a->jobs; i++)
		ends[i] = job_start(a, i);
	for (uint64_t i = 0; i < a->jobs; i++)
		job_finish(ends[i], &sum);
	while (wait(NULL) > 0)
		;
	return summary(a, &sum);
}

/* ---- one seed ----------------------------------------------------------------------------------
 */

static bool run_single(const struct arguments *a)
{
	struct run_result result = run_watched(&a->run);

	if (result.failed)
		printf("FAIL seed %llu: invariant %u: %s\n", (unsigned long long)a->run.seed,
		       result.invariant, result.why);
	else
		printf("seed %llu held: %llu segments, %llu sent again, hash %016llx\n",
		       (unsigned long long)a->run.seed, (unsigned long long)result.totals.segments,
		       (unsigned long long)result.totals.retransmits,
		       (unsigned long long)result.hash);
	return !result.failed;
}

/** Whether a run still breaks the same invariant; in a child, for it may crash. */
static bool fails_alike(uint64_t seed, uint64_t without, uint32_t invariant)
{
	struct run_options options = {.seed = seed, .without = without};
	struct run_result result;
	pid_t child;
	int status = 0;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		result = world_run(&options);
		_exit(!result.failed ? 0 : result.invariant == invariant ? 1 : 2);
	}
	waitpid(child, &status, 0);
	return invariant == UINT32_MAX ? WIFSIGNALED(status)
				       : WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static uint32_t invariant_of(uint64_t seed)
{
	struct run_options options = {.seed = seed};

	if (fails_alike(seed, 0, UINT32_MAX))
		return UINT32_MAX; /* it crashes */
	return world_run(&options).invariant;
}

/** Leaves out one feature after the other as long as the seed still fails. */
static bool minimise(uint64_t seed)
{
	uint32_t invariant = invariant_of(seed);
	uint64_t without = 0;
	struct plan plan;
	char text[512];

	if (!fails_alike(seed, 0, invariant)) {
		printf("seed %llu holds\n", (unsigned long long)seed);
		return true;
	}
	plan_make(seed, 0, &plan);
	for (uint32_t i = 0; i < FEATURES; i++)
		if (plan_has(&plan, i) && fails_alike(seed, without | UINT64_C(1) << i, invariant))
			without |= UINT64_C(1) << i;
	plan_make(seed, without, &plan);
	plan_describe(&plan, text, sizeof(text));
	printf("seed %llu still fails with: %s\nreproduce: tcpsim --seed %llu -v --without none",
	       (unsigned long long)seed, text, (unsigned long long)seed);
	for (uint32_t i = 0; i < FEATURES; i++)
		if ((without >> i & 1) != 0)
			printf(",%s", feature_texts[i]);
	printf("\n");
	return false;
}

/* ---- arguments ---------------------------------------------------------------------------------
 */

static bool read_seeds(struct arguments *a, const char *text)
{
	char *end;

	a->from = strtoull(text, &end, 10);
	a->to = *end == '-' ? strtoull(end + 1, &end, 10) : a->from;
	return end != text && *end == 0 && a->to >= a->from;
}

static bool read_features(uint64_t *bits, const char *text)
{
	while (*text != 0) {
		size_t len = strcspn(text, ",");
		int feature = plan_feature(text, (uint32_t)len);

		if (feature < 0 && (len != 4 || memcmp(text, "none", 4) != 0))
			return false;
		*bits |= feature < 0 ? 0 : UINT64_C(1) << feature;
		text += len + (text[len] == ',');
	}
	return true;
}

static bool read_value(struct arguments *a, const char *name, const char *value)
{
	if (strcmp(name, "--seeds") == 0)
		return a->seeds = read_seeds(a, value);
	if (strcmp(name, "--without") == 0)
		return read_features(&a->run.without, value);
	if (strcmp(name, "--seed") == 0)
		a->run.seed = strtoull(value, NULL, 10);
	else if (strcmp(name, "--jobs") == 0)
		a->jobs = strtoull(value, NULL, 10);
	else if (strcmp(name, "--pcap") == 0)
		a->run.pcap = value;
	else if (strcmp(name, "--minimise") == 0)
		a->minimise = strtoull(value, NULL, 10);
	else
		return false;
	a->minimises = a->minimises || strcmp(name, "--minimise") == 0;
	return a->jobs > 0 && a->jobs <= JOBS_MAX;
}

static bool read_arguments(struct arguments *a, int argc, char **argv)
{
	*a = (struct arguments){.jobs = 1};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			a->run.verbose = true;
		else if (strcmp(argv[i], "--keep-going") == 0)
			a->keep_going = true;
		else if (i + 1 >= argc || !read_value(a, argv[i], argv[i + 1]))
			return false;
		else
			i++;
	}
	return argc > 1;
}

int main(int argc, char **argv)
{
	struct arguments a;
	bool held;

	if (!read_arguments(&a, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	crash_watch(STDOUT_FILENO);
	held = a.minimises ? minimise(a.minimise) : a.seeds ? run_seeds(&a) : run_single(&a);
	return held ? 0 : 1;
}
