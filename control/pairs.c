/* SPDX-License-Identifier: BSD-3-Clause */
#include "pairs.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#include "canonical.h"

enum { PAIRS_SLOTS_MIN = 64, PAIRS_TEXT_MIN = 4096 };

struct pairs {
	char *path;
	uint8_t *text;
	uint32_t text_len, text_room;
	struct pair_row *row;
	uint32_t *line; /* of each row */
	uint32_t count, room;
	uint32_t *slot; /* row + 1, or 0 */
	uint32_t mask;
	uint8_t key[16];
};

/** A pair in canonical form, before it has a row. */
struct pair {
	uint8_t bytes[2 * IDENTITY_MAX];
	struct span impi, impu;
};

static struct span pairs_impi(const struct pairs *p, uint32_t row)
{
	return span_of(p->text + p->row[row].impi_at, p->row[row].impi_len);
}

static struct span pairs_impu(const struct pairs *p, uint32_t row)
{
	return span_of(p->text + p->row[row].impu_at, p->row[row].impu_len);
}

/** The slot where the pair lies, or the empty one where it belongs. */
static uint32_t pairs_slot(const struct pairs *p, struct span impi, struct span impu)
{
	uint32_t slot = (uint32_t)pair_hash(p->key, impi, impu) & p->mask;

	for (; p->slot[slot] != 0; slot = (slot + 1) & p->mask) {
		uint32_t row = p->slot[slot] - 1;

		if (span_equal(impi, pairs_impi(p, row)) && span_equal(impu, pairs_impu(p, row)))
			break;
	}
	return slot;
}

/* ---- memory -------------------------------------------------------------------------------- */

static bool pairs_resize(void **memory, size_t n, size_t size)
{
	void *moved = reallocarray(*memory, n, size);

	if (moved != NULL)
		*memory = moved;
	return moved != NULL;
}

/** Twice the slots, everything hashed again. */
static bool pairs_grow_slots(struct pairs *p)
{
	uint32_t slots = p->slot == NULL ? PAIRS_SLOTS_MIN : (p->mask + 1) * 2;
	uint32_t *grown = calloc(slots, sizeof(*grown));

	if (grown == NULL)
		return false;
	free(p->slot);
	p->slot = grown;
	p->mask = slots - 1;
	for (uint32_t i = 0; i < p->count; i++)
		p->slot[pairs_slot(p, pairs_impi(p, i), pairs_impu(p, i))] = i + 1;
	return true;
}

static bool pairs_grow_rows(struct pairs *p)
{
	uint32_t room = p->room == 0 ? PAIRS_SLOTS_MIN : p->room * 2;
	void *row = p->row, *line = p->line;
	bool good = pairs_resize(&row, room, sizeof(*p->row));

	p->row = row;
	good = good && pairs_resize(&line, room, sizeof(*p->line));
	p->line = line;
	if (good)
		p->room = room;
	return good;
}

static bool pairs_grow_text(struct pairs *p)
{
	uint64_t room = p->text_room == 0 ? PAIRS_TEXT_MIN : (uint64_t)p->text_room * 2;
	void *text = p->text;

	if (room > UINT32_MAX || !pairs_resize(&text, room, 1))
		return false;
	p->text = text;
	p->text_room = (uint32_t)room;
	return true;
}

/** Room for one more pair, at most half of the slots taken. */
static bool pairs_make_room(struct pairs *p)
{
	return (p->text_room - p->text_len >= 2 * IDENTITY_MAX || pairs_grow_text(p)) &&
	       (p->count < p->room || pairs_grow_rows(p)) &&
	       ((p->count + 1) * 2 <= p->mask + 1 || pairs_grow_slots(p));
}

static uint32_t pairs_store(struct pairs *p, struct span bytes)
{
	uint32_t at = p->text_len;

	memcpy(p->text + at, bytes.at, bytes.len);
	p->text_len += bytes.len;
	return at;
}

/* ---- reading ------------------------------------------------------------------------------- */

/** Why the line is no pair, or NULL with *pair filled. */
static const char *pairs_parse(struct span line, struct pair *pair)
{
	uint32_t comma = span_find(line, ',');
	struct writer out;
	uint32_t impi_len;

	if (comma == line.len)
		return "not a pair impi,impu";
	writer_init(&out, pair->bytes, sizeof(pair->bytes));
	if (identity_canonical_impi(span_trim(span_cut(line, 0, comma)), &out) != GW_OK)
		return "not a private identity user@realm before the comma";
	impi_len = writer_len(&out);
	if (identity_canonical_impu(span_trim(span_from(line, comma + 1)), &out) != GW_OK)
		return "not a public identity, a sip or tel URI, after the comma";
	if (!writer_ok(&out))
		return "longer than identities may be";
	pair->impi = span_cut(writer_span(&out), 0, impi_len);
	pair->impu = span_from(writer_span(&out), impi_len);
	return NULL;
}

/** What is wrong with adding the pair as row p->count, or NULL. */
static const char *pairs_add(struct pairs *p, const struct pair *pair, uint32_t line)
{
	struct pair_row *row;
	uint32_t slot;

	if (p->count == PAIRS_MAX)
		return "more pairs than one file may have";
	if (!pairs_make_room(p))
		return "no memory for more pairs";
	slot = pairs_slot(p, pair->impi, pair->impu);
	row = &p->row[p->count];
	*row = (struct pair_row){.impi_at = pairs_store(p, pair->impi),
				 .impi_len = (uint16_t)pair->impi.len};
	row->impu_at = pairs_store(p, pair->impu);
	row->impu_len = (uint16_t)pair->impu.len;
	p->line[p->count++] = line;
	p->slot[slot] = p->count;
	return NULL;
}

/** The line on which the pair stood before, or 0. */
static uint32_t pairs_earlier(const struct pairs *p, const struct pair *pair)
{
	uint32_t row = p->slot == NULL ? 0 : p->slot[pairs_slot(p, pair->impi, pair->impu)];

	return row == 0 ? 0 : p->line[row - 1];
}

static void pairs_take_line(struct pairs *p, struct span line, uint32_t number,
			    struct problems *problems)
{
	struct pair pair;
	const char *why;
	uint32_t earlier;

	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	line = span_trim(line);
	if (line.len == 0 || line.at[0] == '#')
		return;
	why = pairs_parse(line, &pair);
	if (why == NULL) {
		earlier = pairs_earlier(p, &pair);
		if (earlier != 0) {
			problems_add(problems, PROBLEM_ERROR, p->path, number,
				     "the pair of line %u again", earlier);
			return;
		}
		why = pairs_add(p, &pair, number);
	}
	if (why != NULL)
		problems_add(problems, PROBLEM_ERROR, p->path, number, "%s", why);
}

/** Reads one line without its end into text. False at the end of the file. */
static bool pairs_read_line(FILE *in, uint8_t text[PAIRS_LINE_MAX], uint32_t *len)
{
	int c = getc_unlocked(in);

	if (c == EOF)
		return false;
	for (*len = 0; c != EOF && c != '\n'; c = getc_unlocked(in)) {
		if (*len < PAIRS_LINE_MAX)
			text[*len] = (uint8_t)c;
		(*len)++;
	}
	return true;
}

static void pairs_read(struct pairs *p, FILE *in, struct problems *problems)
{
	uint8_t text[PAIRS_LINE_MAX];
	uint32_t number = 0, len;

	while (pairs_read_line(in, text, &len)) {
		number++;
		if (len > sizeof(text))
			problems_add(problems, PROBLEM_ERROR, p->path, number,
				     "line longer than %d bytes", PAIRS_LINE_MAX);
		else
			pairs_take_line(p, span_of(text, len), number, problems);
	}
	OPENSSL_cleanse(text, sizeof(text));
	if (ferror(in))
		problems_add(problems, PROBLEM_ERROR, p->path, number + 1, "reading failed");
}

static struct pairs *pairs_new(const char *path)
{
	struct pairs *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->path = strdup(path);
	if (p->path == NULL || RAND_bytes(p->key, sizeof(p->key)) != 1) {
		pairs_free(p);
		return NULL;
	}
	return p;
}

struct pairs *pairs_load(const char *path, const char *file, uint32_t line,
			 struct problems *problems)
{
	FILE *in = fopen(path, "re");
	struct pairs *p;

	if (in == NULL) {
		problems_add(problems, PROBLEM_ERROR, file, line, "%s: %s", path,
			     strerrordesc_np(errno));
		return NULL;
	}
	p = pairs_new(path);
	if (p == NULL)
		problems_add(problems, PROBLEM_ERROR, file, line, "%s: no memory", path);
	else
		pairs_read(p, in, problems);
	fclose(in);
	return p;
}

static void pairs_wipe(void *memory, size_t bytes)
{
	if (memory != NULL)
		OPENSSL_cleanse(memory, bytes);
	free(memory);
}

void pairs_free(struct pairs *pairs)
{
	if (pairs == NULL)
		return;
	pairs_wipe(pairs->text, pairs->text_len);
	free(pairs->row);
	free(pairs->line);
	free(pairs->slot);
	free(pairs->path);
	pairs_wipe(pairs, sizeof(*pairs));
}

uint32_t pairs_count(const struct pairs *pairs)
{
	return pairs->count;
}

void pairs_overlap(const struct pairs *a, const struct pairs *b, struct problems *problems)
{
	uint32_t found;

	if (a->count == 0)
		return;
	for (uint32_t i = 0; i < b->count; i++) {
		found = a->slot[pairs_slot(a, pairs_impi(b, i), pairs_impu(b, i))];
		if (found != 0)
			problems_add(problems, PROBLEM_ERROR, b->path, b->line[i],
				     "the pair of %s:%u, it can belong to one WWSF only", a->path,
				     a->line[found - 1]);
	}
}

void pairs_give(struct pairs *pairs_owned, struct pair_table *table)
{
	struct pairs *p = pairs_owned;

	*table = (struct pair_table){.text = span_of(p->text, p->text_len),
				     .row = p->row,
				     .count = p->count,
				     .slot = p->slot,
				     .mask = p->mask};
	memcpy(table->key, p->key, sizeof(table->key));
	p->text = NULL;
	p->row = NULL;
	p->slot = NULL;
	pairs_free(p);
}

void pairs_table_free(const struct pair_table *table)
{
	pairs_wipe((void *)(uintptr_t)table->text.at, table->text.len);
	free((void *)(uintptr_t)table->row);
	free((void *)(uintptr_t)table->slot);
}
