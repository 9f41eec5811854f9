/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/pairs.h"
#include "identity/identity.h"
#include "pair_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/** Every record that no problem speaks of is found, by its pair and in a pool by either half. */
static void check_table(const struct pair_table *table, bool good)
{
	uint64_t count = 0;

	for (uint64_t at = 0; at < table->record_bytes; at = pair_table_next(table, at), count++) {
		const struct pair_record *record = pair_table_record(table, at);
		uint8_t text[2 * IDENTITY_MAX];
		struct span impi, impu;
		struct writer out;

		writer_init(&out, text, sizeof(text));
		pair_record_impi(table, record, &out);
		impi = writer_span(&out);
		pair_record_impu(table, record, &out);
		impu = span_from(writer_span(&out), impi.len);
		must(writer_ok(&out) && record->line > 0);
		if (!good)
			continue;
		must(pair_table_find(table, impi, impu) == record);
		must(identity_allowed(table, impi, impu) == GW_OK);
		if (table->kind == PAIRS_POOL)
			must(pair_table_by_impi(table, impi) == record &&
			     pair_table_by_impu(table, impu) == record);
	}
	must(count == table->count);
}

/** The first byte chooses the kind; the rest is the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pairs_from from = {.file = "wicgate.yaml", .line = 1};
	struct problems *problems;
	struct pairs *pairs;
	char path[32];
	int fd;

	if (size == 0 || size > 1 << 16)
		return 0;
	fd = memfd_create("pairs", MFD_CLOEXEC);
	must(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)size - 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	from.path = path;
	from.kind = data[0] % 2 == 0 ? PAIRS_LISTED : PAIRS_POOL;
	problems = problems_new();
	pairs = pairs_load(&from, problems);
	must(pairs != NULL);
	check_table(pairs_table(pairs), problems_errors(problems) == 0);
	must(pairs_are_from(pairs, &from));
	pairs_overlap(pairs, pairs, problems);
	must(pairs_about(pairs).count == 0 || problems_errors(problems) > 0);
	pairs_put(pairs);
	problems_free(problems);
	close(fd);
	return 0;
}
