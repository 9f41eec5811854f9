/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "control/generator.h"
#include "pair_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool canonical(enum gw_err (*form)(struct span, struct writer *), struct span text)
{
	uint8_t bytes[IDENTITY_MAX];
	struct writer out;

	writer_init(&out, bytes, sizeof(bytes));
	return form(text, &out) == GW_OK && span_equal(writer_span(&out), text);
}

/** A byte of the set, chosen by the input. */
static uint8_t chosen(const uint64_t set[2], uint8_t by)
{
	uint32_t c = by % 128;

	while ((set[c >> 6] >> (c & 63) & 1) == 0)
		c = (c + 1) % 128;
	return (uint8_t)c;
}

/** Any pair that it makes is canonical, and known by all three questions. */
static void check_pair(const struct pair_generator *g, struct span choices)
{
	uint8_t impu_bytes[IDENTITY_MAX], impi_bytes[IDENTITY_MAX];
	struct span impu = span_of(impu_bytes, g->impu_len);
	struct span impi = span_of(impi_bytes, g->impi_len);

	for (uint32_t i = 0; i < g->impu_len; i++)
		impu_bytes[i] =
			chosen(g->set[i], choices.len > 0 ? choices.at[i % choices.len] : 0);
	for (uint32_t i = 0; i < g->impi_len; i++)
		impi_bytes[i] = (g->term[i] & PAIR_COPY) != 0 ? impu_bytes[g->term[i] & ~PAIR_COPY]
							      : (uint8_t)g->term[i];
	must(canonical(identity_canonical_impu, impu));
	must(canonical(identity_canonical_impi, impi));
	must(pair_generator_makes(g, impi, impu));
	must(pair_generator_makes_impi(g, impi));
	must(pair_generator_makes_impu(g, impu));
}

/** Three texts, each ended by a zero byte or the end: IMPUs, IMPIs, and what chooses a pair. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pairs_from from = {.file = "wicgate.yaml", .line = 1, .impi_line = 2};
	char *text, *impi, *choices, example[IDENTITY_MAX + 1];
	struct problems *problems;
	struct pair_table table;

	if (size > 2048)
		return 0;
	text = calloc(1, size + 3);
	must(text != NULL);
	memcpy(text, data, size);
	impi = text + strlen(text) + 1;
	choices = impi + strlen(impi) + 1;
	from.impu = text;
	from.impi = impi;
	problems = problems_new();
	if (generator_read(&from, &table, problems)) {
		must(table.count > 0 && problems_count(problems) == 0);
		check_pair(table.generator, span_text(choices));
		must(generator_overlap(table.generator, table.generator, example) ==
		     GENERATOR_IMPU);
		pair_table_free(&table);
	} else {
		must(problems_errors(problems) == 1);
	}
	problems_free(problems);
	free(text);
	return 0;
}
