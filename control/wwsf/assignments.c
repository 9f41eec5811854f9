/* SPDX-License-Identifier: BSD-3-Clause */
#include "assignments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "assignment_file.h"

enum {
	NONE = UINT32_MAX,
	FILE_MAX = 1 << 30,   /* bytes */
	LINES_TO_SPARE = 128, /* beyond twice the pairs; then what has ended is forgotten */
};

/** A pair, by its number. */
struct row {
	uint64_t until_s; /* 0: never lent */
	uint8_t subject[ASSIGNMENT_SUBJECT];
	uint32_t next;	/* of the same bucket */
	uint32_t place; /* in by_end */
};

struct assignments {
	const struct pairs *pairs;
	char *path;
	int fd;
	uint64_t lines; /* in the file */
	bool torn;	/* its last line may not be whole */
	uint32_t count;
	struct row *rows;
	uint32_t *by_end;  /* a heap of rows: the one that ends first is on top */
	uint32_t *buckets; /* by subject, as many as rows */
};

/* ---- by end ---------------------------------------------------------------------------------- */

static bool ends_before(const struct assignments *a, uint32_t one, uint32_t other)
{
	return a->rows[a->by_end[one]].until_s < a->rows[a->by_end[other]].until_s;
}

static void place_swap(struct assignments *a, uint32_t one, uint32_t other)
{
	uint32_t row = a->by_end[one];

	a->by_end[one] = a->by_end[other];
	a->by_end[other] = row;
	a->rows[a->by_end[one]].place = one;
	a->rows[row].place = other;
}

/** The row ends later than before: it sinks. */
static void row_sink(struct assignments *a, uint32_t row)
{
	for (uint32_t place = a->rows[row].place, child = 2 * place + 1; child < a->count;
	     place = child, child = 2 * place + 1) {
		if (child + 1 < a->count && ends_before(a, child + 1, child))
			child++;
		if (!ends_before(a, child, place))
			return;
		place_swap(a, child, place);
	}
}

/* ---- by subject ------------------------------------------------------------------------------ */

static void subject_of(struct span sub, uint8_t subject[ASSIGNMENT_SUBJECT])
{
	uint8_t digest[EVP_MAX_MD_SIZE] = {0};

	EVP_Digest(sub.at, sub.len, digest, NULL, EVP_sha256(), NULL);
	memcpy(subject, digest, ASSIGNMENT_SUBJECT);
}

static uint32_t *bucket_of(struct assignments *a, const uint8_t subject[ASSIGNMENT_SUBJECT])
{
	uint32_t start;

	memcpy(&start, subject, sizeof(start));
	return &a->buckets[start % a->count];
}

static uint32_t row_find(struct assignments *a, const uint8_t subject[ASSIGNMENT_SUBJECT])
{
	uint32_t row = *bucket_of(a, subject);

	while (row != NONE && memcmp(a->rows[row].subject, subject, ASSIGNMENT_SUBJECT) != 0)
		row = a->rows[row].next;
	return row;
}

/** Takes the row from whoever had it. */
static void row_leave(struct assignments *a, uint32_t row)
{
	uint32_t *link = bucket_of(a, a->rows[row].subject);

	if (a->rows[row].until_s == 0)
		return;
	while (*link != row)
		link = &a->rows[*link].next;
	*link = a->rows[row].next;
}

/** The row is the subject's until then, or longer when it was his already. */
static void row_give(struct assignments *a, uint32_t row, const struct assignment_line *line)
{
	struct row *given = &a->rows[row];
	uint32_t *bucket = bucket_of(a, line->subject);

	row_leave(a, row);
	memcpy(given->subject, line->subject, sizeof(given->subject));
	given->next = *bucket;
	*bucket = row;
	if (line->until_s > given->until_s)
		given->until_s = line->until_s;
	row_sink(a, row);
}

/* ---- the file -------------------------------------------------------------------------------- */

/** Writes the file anew with what is still promised. False, with errno: the one before goes on. */
static bool file_renew(struct assignments *a, uint64_t now_s)
{
	int fd = assignment_file_begin(a->path);
	uint64_t lines = 0;

	if (fd < 0)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		struct assignment_line line = {a->rows[i].until_s,
					       {0},
					       span_text(pairs_at(a->pairs, i)->impu)};

		if (line.until_s < now_s)
			continue;
		memcpy(line.subject, a->rows[i].subject, sizeof(line.subject));
		if (!assignment_file_put(fd, &line))
			goto close_file;
		lines++;
	}
	if (!assignment_file_end(a->path, fd))
		goto close_file;
	if (a->fd >= 0)
		close(a->fd);
	a->fd = fd;
	a->lines = lines;
	a->torn = false;
	return true;

close_file:
	close(fd);
	return false;
}

/** Puts a line into the file; what ended long ago goes, lest it grow for ever. False: not there. */
static bool promise(struct assignments *a, const struct assignment_line *line, uint64_t now_s)
{
	bool grown = a->lines > 2ull * a->count + LINES_TO_SPARE;

	if ((a->torn || grown) && !file_renew(a, now_s) && a->torn)
		return false;
	a->torn = !assignment_file_add(a->fd, line);
	a->lines += !a->torn;
	return !a->torn;
}

/** A pair that is no longer of the pool is nobody's; the last line of a crash may be torn. */
static enum gw_err file_take(struct assignments *a, struct span text, struct reason *reason)
{
	struct assignment_line line;
	enum gw_err err;
	uint32_t number = 1;

	for (; (err = assignment_line_read(&text, &line)) == GW_OK; number++) {
		const struct pair *pair = pairs_find(a->pairs, pairs_user(line.impu));

		if (pair != NULL && line.until_s > 0)
			row_give(a, pairs_number(a->pairs, pair), &line);
	}
	if (err == GW_AGAIN)
		return GW_OK;
	reason_set(reason, "%s:%u: not UNTIL SUBJECT IMPU", a->path, number);
	return err;
}

static enum gw_err file_open(struct assignments *a, uint64_t now_s, struct reason *reason)
{
	struct file file = {0};
	enum gw_err err = GW_OK;

	if (access(a->path, F_OK) == 0)
		err = file_load(a->path, FILE_MAX, &file, reason);
	if (err == GW_OK && file.text != NULL)
		err = file_take(a, span_of(file.text, file.len), reason);
	file_fini(&file);
	if (err != GW_OK || file_renew(a, now_s))
		return err;
	reason_set(reason, "%s: %s", a->path, strerror(errno));
	return GW_SYSTEM;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static bool rows_new(struct assignments *a, const char *path)
{
	a->path = strdup(path);
	a->rows = calloc(a->count, sizeof(*a->rows));
	a->by_end = calloc(a->count, sizeof(*a->by_end));
	a->buckets = calloc(a->count, sizeof(*a->buckets));
	if (a->path == NULL || a->rows == NULL || a->by_end == NULL || a->buckets == NULL)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		a->buckets[i] = NONE;
		a->by_end[i] = i;
		a->rows[i].place = i;
	}
	return true;
}

/** Who registers has an IMPI. */
static enum gw_err pairs_check(const struct pairs *pairs, struct reason *reason)
{
	for (uint32_t i = 0; i < pairs_count(pairs); i++)
		if (pairs_at(pairs, i)->impi[0] == '\0') {
			reason_set(reason, "line %u of the pairs: no IMPI, as a pool needs",
				   pairs_at(pairs, i)->line);
			return GW_CONFIG;
		}
	return GW_OK;
}

enum gw_err assignments_new(const struct pairs *pairs, const char *path, uint64_t now_s,
			    struct assignments **made, struct reason *reason)
{
	struct assignments *a = calloc(1, sizeof(*a));
	enum gw_err err = GW_NO_MEMORY;

	reason_set(reason, "no memory");
	if (a == NULL)
		return err;
	*a = (struct assignments){.pairs = pairs, .fd = -1, .count = pairs_count(pairs)};
	if (!rows_new(a, path))
		goto free_assignments;
	err = pairs_check(pairs, reason);
	if (err == GW_OK)
		err = file_open(a, now_s, reason);
	if (err != GW_OK)
		goto free_assignments;
	*made = a;
	return GW_OK;

free_assignments:
	assignments_free(a);
	return err;
}

void assignments_free(struct assignments *a)
{
	if (a == NULL)
		return;
	if (a->fd >= 0)
		close(a->fd);
	free(a->path);
	free(a->rows);
	free(a->by_end);
	free(a->buckets);
	free(a);
}

enum gw_err assignments_lend(struct assignments *a, struct span sub, uint64_t now_s,
			     uint64_t until_s, struct assignment *given)
{
	struct assignment_line line = {.until_s = until_s};
	uint32_t row;

	subject_of(sub, line.subject);
	row = row_find(a, line.subject);
	if (row == NONE) {
		row = a->by_end[0];
		/* the next one's iat lies behind the exp of the last one's token (PROTOCOL 6.4) */
		if (a->rows[row].until_s >= now_s) {
			*given = (struct assignment){NULL, a->rows[row].until_s - now_s + 1};
			return GW_POOL_EMPTY;
		}
	}
	line.impu = span_text(pairs_at(a->pairs, row)->impu);
	if (!promise(a, &line, now_s))
		return GW_SYSTEM;
	row_give(a, row, &line);
	*given = (struct assignment){pairs_at(a->pairs, row), 0};
	return GW_OK;
}
