/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "control/journal_line.h"
#include "control/state_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[16] = "a key of sixteen";

static void must(bool holds)
{
	if (!holds)
		abort();
}

/** What a line says, said again, says the same. */
static void check(const struct message_journal *m)
{
	static uint8_t bytes[JOURNAL_LINE_MAX], again[JOURNAL_LINE_MAX];
	static struct message_journal back;
	struct journal_names names;
	struct span line = journal_line_write(key, m, bytes);

	must(journal_names(m, &names));
	must(line.len > 0 && line.at[line.len - 1] == '\n');
	must(journal_line_read(key, span_cut(line, 0, line.len - 1), &back));
	must(back.head.len == m->head.len);
	must(span_equal(line, journal_line_write(key, &back, again)));
}

/** Words of a line, behind a checksum that is right. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[2 * JOURNAL_LINE_MAX];
	static struct message_journal m;
	struct span line;

	if (size > JOURNAL_LINE_MAX)
		return 0;
	(void)journal_line_read(key, span_of(data, (uint32_t)size), &m);
	line = state_line_seal(key, span_of(data, (uint32_t)size), bytes, sizeof(bytes));
	if (journal_line_read(key, span_cut(line, 0, line.len - 1), &m))
		check(&m);
	return 0;
}
