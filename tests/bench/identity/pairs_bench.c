/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "control/pairs.h"
#include "identity/identity.h"
#include "pair_table.h"
#include "tests/bench/identity/measure.h"

/* bench_pairs [PAIRS]: a pool from a file, looked up at random, and the same by rule. */

enum { PAIRS_DEFAULT = 10000000, BLOCK = 256, BLOCKS = 8000, LINE = PAIR_LINE };

#define AHEAD 8u /* lookups: longer than a line takes to come */

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

/** Memory in huge pages that is read a byte at a time, anywhere. */
struct memory {
	volatile uint8_t *byte;
	uint64_t lines;
};

static bool memory_map(struct memory *m, uint64_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*m = (struct memory){at, bytes / LINE};
	if (at == MAP_FAILED)
		return false;
	(void)madvise(at, bytes, MADV_HUGEPAGE);
	for (uint64_t i = 0; i < m->lines; i++)
		m->byte[i * LINE] = 0;
	return true;
}

static void memory_unmap(const struct memory *m)
{
	munmap((void *)(uintptr_t)m->byte, m->lines * LINE);
}

/** Seconds of n reads, each of which waits for the one before: what a lookup can be compared with
 * on this machine, now. */
static double memory_read_s(const struct memory *m, uint32_t n)
{
	double begun_s = cpu_s();
	uint8_t last = 0;

	while (n-- > 0)
		last = m->byte[(random_below(UINT32_MAX) * m->lines >> 32) * LINE + last];
	return cpu_s() - begun_s + last;
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

/** A block of queries, of pairs that are there or of such that are not. */
static void ask(struct query query[BLOCK], const struct form *form, uint32_t count, bool there)
{
	for (uint32_t i = 0; i < BLOCK; i++) {
		uint32_t which = random_below(count);

		snprintf(query[i].impi, sizeof(query[i].impi), form->impi,
			 there ? which : which + count);
		snprintf(query[i].impu, sizeof(query[i].impu), there ? form->impu : form->foreign,
			 which);
	}
}

/** Seconds of a block, one lookup behind the end of the one before. ahead: each is expected so many
 * before it is made, as a worker does while the signature is checked; 0: it is not. */
static double lookup_s(const struct pair_table *table, const struct query query[BLOCK],
		       enum gw_err wanted, uint32_t ahead)
{
	uint32_t wrong = 0;
	double begun_s = cpu_s();

	for (uint32_t i = 0; i < BLOCK; i++) {
		if (ahead > 0 && i + ahead < BLOCK)
			identity_expect(table, span_text(query[i + ahead].impi),
					span_text(query[i + ahead].impu));
		wrong += identity_allowed(table, span_text(query[i].impi),
					  span_text(query[i].impu)) != wanted;
		atomic_thread_fence(memory_order_seq_cst);
	}
	begun_s = cpu_s() - begun_s;
	if (wrong > 0)
		printf("WRONG: %u lookups of %d\n", wrong, BLOCK);
	return begun_s;
}

/** Prints nanoseconds of both, and of reads beside them in as much memory as the index has. */
static int lookups(const struct pair_table *table, const struct form *form, uint32_t count)
{
	static struct query query[BLOCK];
	uint64_t bytes = (uint64_t)table->by_impi.lines * PAIR_LINE;
	double expected_s = 0, hit_s = 0, miss_s = 0, read_s = 0;
	struct memory memory;

	if (!memory_map(&memory, bytes > 0 ? bytes : LINE))
		return 1;
	for (uint32_t b = 0; b < BLOCKS; b++) {
		ask(query, form, count, true);
		expected_s += lookup_s(table, query, GW_OK, AHEAD);
		ask(query, form, count, true);
		hit_s += lookup_s(table, query, GW_OK, 0);
		ask(query, form, count, false);
		miss_s += lookup_s(table, query, GW_IDENTITY_FOREIGN, 0);
		read_s += memory_read_s(&memory, BLOCK);
	}
	memory_unmap(&memory);
	printf(" %11.0f | %6.0f | %6.0f | %6.0f |", expected_s * 1e9 / BLOCK / BLOCKS,
	       hit_s * 1e9 / BLOCK / BLOCKS, miss_s * 1e9 / BLOCK / BLOCKS,
	       read_s * 1e9 / BLOCK / BLOCKS);
	return 0;
}

static int play(const struct form *form, uint32_t count)
{
	char path[] = "/tmp/wicgate-bench-pairs-XXXXXX";
	struct pairs_from from = {.path = path, .kind = PAIRS_POOL, .file = "bench", .line = 1};
	struct problems *problems = problems_new();
	double before_mib, loaded_mib, begun_s, loaded_s, freed_s;
	int fd = mkstemp(path), bad;
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
	bad = lookups(pairs_table(pairs), form, count);
	begun_s = cpu_s();
	pairs_put(pairs);
	freed_s = cpu_s() - begun_s;
	printf(" %7.0f |\n", freed_s * 1e3);
	problems_free(problems);
	return bad;
}

static int play_rule(void)
{
	struct pairs_from from = {.impu = "sip:pool([0-9]{8})@home1.net",
				  .impi = "pool\\1@ims.home1.net",
				  .file = "bench"};
	struct problems *problems = problems_new();
	struct pairs *pairs = pairs_load(&from, problems);
	int bad;

	if (pairs == NULL)
		return 1;
	printf("| %-16s | %9llu |      - |      - |", "by rule",
	       (unsigned long long)pairs_about(pairs).count);
	bad = lookups(pairs_table(pairs), &forms[0], PAIRS_DEFAULT);
	printf("       - |\n");
	pairs_put(pairs);
	problems_free(problems);
	return bad;
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : PAIRS_DEFAULT;
	int bad = 0;

	printf("\nPool tables: loaded from a file, looked up at random, one after the other; CPU "
	       "time; expected: the pair was named\n%u lookups before, and that is in the time; "
	       "read: of any line of as much memory as the index has, which waits for the one "
	       "before\n",
	       AHEAD);
	printf("| identities of    |     pairs | load s |    MiB | expected ns | hit ns |miss ns "
	       "|read ns | free ms |\n"
	       "|------------------|-----------|--------|--------|-------------|--------|--------"
	       "|--------|---------|\n");
	for (uint32_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		bad |= play(&forms[i], count);
	return bad | play_rule();
}
