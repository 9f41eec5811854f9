/* SPDX-License-Identifier: BSD-3-Clause */
#include "tally.h"

#include <inttypes.h>
#include <string.h>

#include "gw_err.h"

#define NAME(id, name) name,
static const char *const phase_names[] = {PHASE_LIST(NAME)};
static const char *const deed_names[] = {DEED_LIST(NAME)};
static const char *const count_names[] = {COUNT_LIST(NAME)};
#undef NAME

#define NAME(id, name, detail) name,
static const char *const failure_names[] = {FAILURE_LIST(NAME)};
#undef NAME
#define DETAIL(id, name, detail) detail,
static const char *const failure_details[] = {FAILURE_LIST(DETAIL)};
#undef DETAIL

const char *phase_name(enum phase phase)
{
	return phase_names[phase];
}

void tally_took(struct tally *t, enum deed deed, uint64_t us)
{
	histogram_add(&t->took[t->phase][deed], us);
}

void tally_count(struct tally *t, enum count what)
{
	t->count[what]++;
}

void tally_failure(struct tally *t, enum failure what, int32_t detail)
{
	uint32_t i = 0;

	t->failures++;
	while (i < t->rows && (t->row[i].what != what || t->row[i].detail != detail))
		i++;
	if (i == TALLY_ROWS)
		i = TALLY_ROWS - 1;
	else if (i == t->rows)
		t->row[t->rows++] = (struct tally_row){what, detail, 0};
	t->row[i].count++;
}

static double per_second(uint64_t count, uint64_t us)
{
	return us > 0 ? (double)count * 1e6 / (double)us : 0;
}

static double cpu_share(const struct usage *u)
{
	return u->wall_s > 0 ? (u->user_s + u->system_s) / u->wall_s : 0;
}

/* ---- for people ---------------------------------------------------------------------------- */

static void print_deeds(const struct tally *t, enum phase phase, FILE *to)
{
	for (uint32_t deed = 0; deed < DEED_COUNT; deed++) {
		const struct histogram *h = &t->took[phase][deed];

		if (h->count > 0)
			fprintf(to, "%-7s %-12s %9" PRIu64 " %9.1f %9.2f %9.2f %9.2f\n",
				phase_names[phase], deed_names[deed], h->count,
				per_second(h->count, t->phase_us[phase]),
				(double)histogram_quantile(h, 0.5) / 1000,
				(double)histogram_quantile(h, 0.99) / 1000,
				(double)h->max_us / 1000);
	}
}

/** The words for what a detail number means, or the number itself. */
static void print_row(const struct tally_row *row, FILE *to)
{
	const char *detail = failure_details[row->what];

	fprintf(to, "  %9" PRIu64 "  %s", row->count, failure_names[row->what]);
	if (strcmp(detail, "error") == 0)
		fprintf(to, " (%s)", gw_err_text((enum gw_err)row->detail));
	else if (strcmp(detail, "errno") == 0 && row->detail != 0)
		fprintf(to, " (%s)", strerror(row->detail));
	else if (detail[0] != '\0')
		fprintf(to, " (%s %d)", detail, row->detail);
	fprintf(to, "\n");
}

static void print_failures(const struct tally *t, FILE *to)
{
	if (t->failures == 0) {
		fprintf(to, "unexpected: nothing\n");
		return;
	}
	fprintf(to, "unexpected: %" PRIu64 "\n", t->failures);
	for (uint32_t i = 0; i < t->rows && i < TALLY_ROWS - 1; i++)
		print_row(&t->row[i], to);
	if (t->rows == TALLY_ROWS)
		fprintf(to, "  %9" PRIu64 "  all others\n", t->row[TALLY_ROWS - 1].count);
}

void tally_print(const struct tally *t, const struct usage *usage, FILE *to)
{
	fprintf(to, "connected at most %u, registered at most %u\n", t->connected_most,
		t->registered_most);
	fprintf(to, "%-7s %-12s %9s %9s %9s %9s %9s\n", "phase", "what", "count", "per s", "p50 ms",
		"p99 ms", "max ms");
	for (uint32_t phase = 0; phase < PHASE_COUNT; phase++)
		print_deeds(t, phase, to);
	for (uint32_t i = 0; i < COUNT_COUNT; i++)
		fprintf(to, "%s: %" PRIu64 "\n", count_names[i], t->count[i]);
	if (t->pairs > 0)
		fprintf(to, "pairs: %u, lent %" PRIu64 " times, each %u to %u times, median %u\n",
			t->pairs, t->uses.all, t->uses.least, t->uses.most, t->uses.median);
	fprintf(to,
		"own CPU: %.2f s user, %.2f s system in %.1f s (%.1f %% of a core), %" PRIu64
		" KiB\n",
		usage->user_s, usage->system_s, usage->wall_s, 100 * cpu_share(usage),
		usage->rss_kib);
	print_failures(t, to);
}

/* ---- for programs -------------------------------------------------------------------------- */

/** Names are ours, and none has what JSON would escape. */
static void json_deeds(const struct tally *t, FILE *to)
{
	const char *comma = "";

	for (uint32_t cell = 0; cell < PHASE_COUNT * DEED_COUNT; cell++) {
		uint32_t phase = cell / DEED_COUNT, deed = cell % DEED_COUNT;
		const struct histogram *h = &t->took[phase][deed];

		if (h->count == 0)
			continue;
		fprintf(to,
			"%s{\"phase\":\"%s\",\"what\":\"%s\",\"count\":%" PRIu64
			",\"per_second\":%.1f,\"p50_us\":%" PRIu64 ",\"p99_us\":%" PRIu64
			",\"max_us\":%" PRIu64 "}",
			comma, phase_names[phase], deed_names[deed], h->count,
			per_second(h->count, t->phase_us[phase]), histogram_quantile(h, 0.5),
			histogram_quantile(h, 0.99), h->max_us);
		comma = ",";
	}
}

static void json_failures(const struct tally *t, FILE *to)
{
	for (uint32_t i = 0; i < t->rows; i++)
		fprintf(to, "%s{\"what\":\"%s\",\"detail\":%d,\"count\":%" PRIu64 "}",
			i > 0 ? "," : "",
			i == TALLY_ROWS - 1 ? "all others" : failure_names[t->row[i].what],
			t->row[i].detail, t->row[i].count);
}

void tally_print_json(const struct tally *t, const struct usage *usage, FILE *to)
{
	fprintf(to, "{\"connected_most\":%u,\"registered_most\":%u,\"deeds\":[", t->connected_most,
		t->registered_most);
	json_deeds(t, to);
	fprintf(to, "],\"counts\":{");
	for (uint32_t i = 0; i < COUNT_COUNT; i++)
		fprintf(to, "%s\"%s\":%" PRIu64, i > 0 ? "," : "", count_names[i], t->count[i]);
	fprintf(to,
		"},\"pairs\":{\"count\":%u,\"lent\":%" PRIu64
		",\"least\":%u,\"median\":%u,\"most\":%u}",
		t->pairs, t->uses.all, t->uses.least, t->uses.median, t->uses.most);
	fprintf(to,
		",\"cpu\":{\"user_s\":%.3f,\"system_s\":%.3f,\"wall_s\":%.3f,\"share\":%.4f},"
		"\"rss_kib\":%" PRIu64 ",\"unexpected\":%" PRIu64 ",\"failures\":[",
		usage->user_s, usage->system_s, usage->wall_s, cpu_share(usage), usage->rss_kib,
		t->failures);
	json_failures(t, to);
	fprintf(to, "]}\n");
}
