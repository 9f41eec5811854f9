/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "control/pairs.h"
#include "identity/identity.h"
#include "pair_table.h"

/* bench_pairs [PAIRS]: a pool from a file, looked up at random, and the same by rule. */

enum { PAIRS_DEFAULT = 10000000, BLOCK = 256, BLOCKS = 8000 };

/** How the identities of a pool are written; %08u is which. */
struct form {
	const char *name, *impi, *impu, *foreign;
};

static const struct form forms[] = {
	{"home1.net", "pool%08u@ims.home1.net", "sip:pool%08u@home1.net", "sip:free%08u@home1.net"},
	{"3gppnetwork.org", "2341509%08u@ims.mnc015.mcc234.3gppnetwork.org",
	 "sip:2341509%08u@ims.mnc015.mcc234.3gppnetwork.org",
	 "sip:2341508%08u@ims.mnc015.mcc234.3gppnetwork.org"},
};

struct query {
	char impi[IDENTITY_MAX], impu[IDENTITY_MAX];
};

/** Of CPU time: others may use the machine meanwhile. */
static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double resident_mib(void)
{
	long pages = 0, skipped;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file == NULL || fscanf(file, "%ld %ld", &skipped, &pages) != 2)
		pages = 0;
	if (file != NULL)
		fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static uint32_t random_below(uint32_t n)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) * n >> 32);
}

/** Nanoseconds of a read that waits for the one before it, anywhere in huge pages of 512 MiB: what
 * a lookup can be compared with on this machine, now. */
static double miss_ns(void)
{
	enum { READS = 1000000 };
	const uint64_t bytes = 512u << 20;
	volatile uint8_t *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t at = 0;
	double begun_s;

	if (memory == MAP_FAILED)
		return 0;
	(void)madvise((void *)(uintptr_t)memory, bytes, MADV_HUGEPAGE);
	for (uint64_t i = 0; i < bytes; i += 64)
		memory[i] = 0;
	begun_s = cpu_s();
	for (uint32_t i = 0; i < READS; i++)
		at = ((uint64_t)random_below(UINT32_MAX) * 64 + memory[at]) % bytes;
	begun_s = cpu_s() - begun_s;
	munmap((void *)(uintptr_t)memory, bytes);
	return begun_s / READS * 1e9;
}

static bool write_file(const char *path, const struct form *form, uint32_t count)
{
	FILE *out = fopen(path, "w");
	char line[3 * IDENTITY_MAX];

	if (out == NULL)
		return false;
	snprintf(line, sizeof(line), "%s,%s\n", form->impi, form->impu);
	for (uint32_t i = 0; i < count; i++)
		fprintf(out, line, i, i);
	return fclose(out) == 0;
}

/** Nanoseconds of a lookup, of pairs that are there or of such that are not. */
static double lookup_ns(const struct pair_table *table, const struct form *form, uint32_t count,
			bool there)
{
	static struct query query[BLOCK];
	uint64_t right = 0;
	double spent_s = 0, begun_s;

	for (uint32_t b = 0; b < BLOCKS; b++) {
		for (uint32_t i = 0; i < BLOCK; i++) {
			uint32_t which = random_below(count);

			snprintf(query[i].impi, sizeof(query[i].impi), form->impi,
				 there ? which : which + count);
			snprintf(query[i].impu, sizeof(query[i].impu),
				 there ? form->impu : form->foreign, which);
		}
		begun_s = cpu_s();
		for (uint32_t i = 0; i < BLOCK; i++)
			right += (identity_allowed(table, span_text(query[i].impi),
						   span_text(query[i].impu)) == GW_OK) == there;
		spent_s += cpu_s() - begun_s;
	}
	if (right != (uint64_t)BLOCKS * BLOCK)
		printf("WRONG: %llu lookups of %d\n", (unsigned long long)right, BLOCKS * BLOCK);
	return spent_s / BLOCK / BLOCKS * 1e9;
}

static int play(const struct form *form, uint32_t count)
{
	char path[] = "/tmp/wicgate-bench-pairs-XXXXXX";
	struct pairs_from from = {.path = path, .kind = PAIRS_POOL, .file = "bench", .line = 1};
	struct problems *problems = problems_new();
	double before_mib, loaded_mib, begun_s, loaded_s, freed_s;
	int fd = mkstemp(path);
	struct pairs *pairs;

	if (fd < 0 || problems == NULL || !write_file(path, form, count))
		return 1;
	close(fd);
	before_mib = resident_mib();
	begun_s = cpu_s();
	pairs = pairs_load(&from, problems);
	loaded_s = cpu_s() - begun_s;
	loaded_mib = resident_mib() - before_mib;
	unlink(path);
	problems_print(problems, stdout);
	if (pairs == NULL)
		return 1;
	printf("| %-16s | %9u | %6.1f | %6.0f |", form->name, count, loaded_s, loaded_mib);
	printf(" %6.0f |", lookup_ns(pairs_table(pairs), form, count, true));
	printf(" %6.0f |", lookup_ns(pairs_table(pairs), form, count, false));
	begun_s = cpu_s();
	pairs_put(pairs);
	freed_s = cpu_s() - begun_s;
	printf(" %7.0f |\n", freed_s * 1e3);
	problems_free(problems);
	return 0;
}

static int play_rule(void)
{
	struct pairs_from from = {.impu = "sip:pool([0-9]{8})@home1.net",
				  .impi = "pool\\1@ims.home1.net",
				  .file = "bench"};
	struct problems *problems = problems_new();
	struct pairs *pairs = pairs_load(&from, problems);

	if (pairs == NULL)
		return 1;
	printf("| %-16s | %9llu |      - |      - | %6.0f | %6.0f |       - |\n", "by rule",
	       (unsigned long long)pairs_about(pairs).count,
	       lookup_ns(pairs_table(pairs), &forms[0], PAIRS_DEFAULT, true),
	       lookup_ns(pairs_table(pairs), &forms[0], PAIRS_DEFAULT, false));
	pairs_put(pairs);
	problems_free(problems);
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : PAIRS_DEFAULT;
	int bad = 0;

	printf("\nPool tables: loaded from a file, looked up at random; CPU time; a cache miss: "
	       "%.0f ns\n",
	       miss_ns());
	printf("| identities of    |     pairs | load s |    MiB | hit ns |miss ns | free ms |\n"
	       "|------------------|-----------|--------|--------|--------|--------|---------|\n");
	for (uint32_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		bad |= play(&forms[i], count);
	return bad | play_rule();
}
