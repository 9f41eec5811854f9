/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pairs.h"

#define FRAME_BUCKETS (1u << 17) /* twice what a record can name */
#define FRAMES_MAX UINT16_MAX
#define RECORD_ROOM 4096
/* What the head of a record, two users of one identity each and the padding may take. */
#define RECORD_MAX (sizeof(struct pair_record) + 2 * IDENTITY_MAX + 4)
/* Memory for which a few huge pages are better than many small ones. */
#define HUGE_WANTED (8u << 20)
#define HUGE_PAGE (2u << 20)
#define PAGE 4096u
/* Records whose slots are fetched at a time, so that the memory's delay is waited for once. */
#define BATCH 16

/* ---- memory -------------------------------------------------------------------------------- */

/** Fewer TLB misses, if the system likes; what it says does not matter. */
static void advise_huge(void *memory, uint64_t bytes)
{
	uintptr_t from = ((uintptr_t)memory + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
	uintptr_t to = ((uintptr_t)memory + bytes) & ~(uintptr_t)(PAGE - 1);

	if (bytes >= HUGE_WANTED)
		(void)madvise((uint8_t *)memory + (from - (uintptr_t)memory), to - from,
			      MADV_HUGEPAGE);
}

static void wipe(void *memory, uint64_t bytes)
{
	if (memory != NULL)
		explicit_bzero(memory, bytes);
	free(memory);
}

static bool build_resize(struct pair_build *b, uint64_t bytes)
{
	uint8_t *moved = realloc(b->record, bytes);

	if (moved == NULL)
		return false;
	advise_huge(moved, bytes);
	b->record = moved;
	b->room = bytes;
	return true;
}

/** Zeros in whole lines; where they are many, in whole huge pages, so that all of them may be. */
static uint8_t *lines_new(uint64_t bytes)
{
	uint64_t unit = bytes >= HUGE_WANTED ? HUGE_PAGE : PAIR_LINE;
	uint8_t *line = aligned_alloc(unit, (bytes + unit - 1) / unit * unit);

	if (line == NULL)
		return NULL;
	advise_huge(line, bytes);
	memset(line, 0, bytes);
	return line;
}

/** Three of five slots will be taken at most, and one is free in any case. */
static bool index_init(struct pair_index *index, uint32_t slot_bytes, uint32_t records)
{
	uint64_t slots = (uint64_t)records * 5 / 3 + 1;
	uint32_t lines = (uint32_t)((slots * slot_bytes + PAIR_LINE - 1) / PAIR_LINE);

	*index = (struct pair_index){lines_new((uint64_t)lines * PAIR_LINE), lines, slot_bytes};
	return index->line != NULL;
}

/* ---- frames -------------------------------------------------------------------------------- */

/** A pair cut into what its record has and what its frame has. */
struct pair_cut {
	struct pair_frame frame;
	struct span impi_user, impu_user;
};

static struct pair_cut pair_cut(struct span impi, struct span impu)
{
	uint32_t realm = span_find(impi, '@'), scheme = span_find(impu, ':') + 1;
	uint32_t host = span_find(impu, '@');

	return (struct pair_cut){
		.frame = {span_from(impi, realm), span_cut(impu, 0, scheme), span_from(impu, host)},
		.impi_user = span_cut(impi, 0, realm),
		.impu_user = span_cut(impu, scheme, host - scheme),
	};
}

static bool frame_equal(const struct pair_frame *a, const struct pair_frame *b)
{
	return span_equal(a->realm, b->realm) && span_equal(a->host, b->host) &&
	       span_equal(a->scheme, b->scheme);
}

static struct span frame_copy(uint8_t **to, struct span text)
{
	struct span copy = span_of(*to, text.len);

	if (text.len > 0)
		memcpy(*to, text.at, text.len);
	*to += text.len;
	return copy;
}

/** A frame with its texts in one block, which begins with the realm. */
static bool frame_add(struct pair_build *b, const struct pair_frame *from)
{
	uint32_t room = b->frame_room == 0 ? 8 : b->frame_room * 2;
	struct pair_frame *frames = b->frame;
	uint8_t *text;

	if (b->frames == b->frame_room) {
		frames = reallocarray(frames, room, sizeof(*frames));
		if (frames == NULL)
			return false;
		b->frame = frames;
		b->frame_room = room;
	}
	text = malloc(from->realm.len + from->scheme.len + from->host.len + 1);
	if (text == NULL)
		return false;
	frames[b->frames].realm = frame_copy(&text, from->realm);
	frames[b->frames].scheme = frame_copy(&text, from->scheme);
	frames[b->frames].host = frame_copy(&text, from->host);
	b->frames++;
	return true;
}

/** The number of the frame in *number; 0 when there are too many. False: no memory. */
static bool build_frame(struct pair_build *b, const struct pair_frame *frame, uint16_t *number)
{
	uint32_t bucket;

	*number = (uint16_t)b->last_frame; /* files are seldom mixed */
	if (frame_equal(&b->frame[b->last_frame], frame))
		return true;
	bucket = (uint32_t)pair_hash(b->key, frame->realm, frame->host) % FRAME_BUCKETS;
	for (; b->bucket[bucket] != 0; bucket = (bucket + 1) % FRAME_BUCKETS)
		if (frame_equal(&b->frame[b->bucket[bucket]], frame))
			break;
	*number = b->bucket[bucket];
	if (*number == 0 && b->frames < FRAMES_MAX) {
		if (!frame_add(b, frame))
			return false;
		*number = b->bucket[bucket] = (uint16_t)(b->frames - 1);
	}
	b->last_frame = *number;
	return true;
}

/* ---- records ------------------------------------------------------------------------------- */

enum gw_err pair_build_init(struct pair_build *b, enum pair_kind kind, const uint8_t key[16],
			    uint64_t bytes)
{
	static const struct pair_frame none;

	*b = (struct pair_build){.kind = kind};
	memcpy(b->key, key, sizeof(b->key));
	b->bucket = calloc(FRAME_BUCKETS, sizeof(*b->bucket));
	if (b->bucket != NULL && build_resize(b, bytes > RECORD_ROOM ? bytes : RECORD_ROOM) &&
	    frame_add(b, &none))
		return GW_OK;
	pair_build_fini(b);
	return GW_NO_MEMORY;
}

/** Longer than one byte can say, or with nothing between '@' and ':'. */
static bool user_fits(struct span user)
{
	return user.len > 0 && user.len <= IDENTITY_MAX;
}

enum gw_err pair_build_add(struct pair_build *b, struct span impi, struct span impu, uint32_t line)
{
	struct pair_cut cut = pair_cut(impi, impu);
	struct pair_record record = {.line = line};
	uint8_t *to;

	if (b->room - b->used < RECORD_MAX && !build_resize(b, b->room * 2))
		return GW_NO_MEMORY;
	if (user_fits(cut.impi_user) && user_fits(cut.impu_user) &&
	    !build_frame(b, &cut.frame, &record.frame))
		return GW_NO_MEMORY;
	if (record.frame == 0) {
		cut.impi_user = impi;
		cut.impu_user = impu;
	}
	if (!user_fits(cut.impi_user) || !user_fits(cut.impu_user))
		return GW_IDENTITY_SYNTAX;
	record.impi_last = (uint8_t)(cut.impi_user.len - 1);
	record.impu_last = (uint8_t)(cut.impu_user.len - 1);
	to = b->record + b->used;
	memcpy(to, &record, sizeof(record));
	memcpy(to + sizeof(record), cut.impi_user.at, cut.impi_user.len);
	memcpy(to + sizeof(record) + cut.impi_user.len, cut.impu_user.at, cut.impu_user.len);
	b->used += record_bytes(&record);
	b->count++;
	return GW_OK;
}

void pair_build_fini(struct pair_build *b)
{
	for (uint32_t i = 0; i < b->frames; i++)
		free((void *)(uintptr_t)b->frame[i].realm.at);
	free(b->frame);
	free(b->bucket);
	wipe(b->record, b->used);
	*b = (struct pair_build){0};
}

/* ---- indices ------------------------------------------------------------------------------- */

/** What is to be put into an index next, whole identities and where they lie. */
struct indexed {
	const struct pair_record *record;
	uint32_t place;
	uint64_t hash;
	uint8_t text[2 * IDENTITY_MAX];
	struct span impi, impu;
};

struct indexing {
	const struct pair_table *table;
	uint8_t *line; /* those of index, to be written */
	const struct pair_index *index;
	enum pair_clash what;
	pair_clashed *clashed;
	void *context;
};

static void indexed_read(const struct pair_table *table, uint64_t at, struct indexed *next)
{
	struct writer out;
	uint32_t impi;

	next->record = pair_table_record(table, at);
	next->place = (uint32_t)(at / 4) + 1;
	writer_init(&out, next->text, sizeof(next->text));
	pair_record_impi(table, next->record, &out);
	impi = writer_len(&out);
	pair_record_impu(table, next->record, &out);
	next->impi = span_cut(writer_span(&out), 0, impi);
	next->impu = span_from(writer_span(&out), impi);
}

static uint64_t indexed_hash(const struct indexing *in, const struct indexed *next)
{
	const uint8_t *key = in->table->key;

	if (in->what == PAIR_CLASH_PAIR)
		return pair_hash(key, next->impi, next->impu);
	return siphash(key, in->what == PAIR_CLASH_IMPI ? next->impi : next->impu);
}

static const struct pair_record *indexed_find(const struct indexing *in, const struct indexed *next)
{
	if (in->what == PAIR_CLASH_PAIR)
		return table_by_pair(in->table, next->hash, next->impi, next->impu);
	return table_by_one(in->table, in->index, next->hash,
			    in->what == PAIR_CLASH_IMPI ? next->impi : next->impu);
}

/** Tells what was there before; of a whole pair once. */
static void index_clash(const struct indexing *in, const struct indexed *next,
			const struct pair_record *earlier)
{
	bool same = record_is_impi(in->table, earlier, next->impi) &&
		    record_is_impu(in->table, earlier, next->impu);

	if (!same || in->what != PAIR_CLASH_IMPU)
		in->clashed(in->context, same ? PAIR_CLASH_PAIR : in->what, next->record->line,
			    earlier->line);
}

static void index_prove(const struct indexing *in, uint64_t at, const struct indexed *next)
{
	const uint8_t *key = in->table->key;
	uint64_t proof = pair_proof(siphash(key, next->impi), siphash(key, next->impu));

	memcpy(in->line + at + offsetof(struct pair_proved, proof), &proof, sizeof(proof));
}

/** Puts it in, unless it is there. */
static void index_put(const struct indexing *in, const struct indexed *next)
{
	const struct pair_record *earlier = indexed_find(in, next);
	struct pair_slot slot = {next->place, index_tag(next->hash)};
	uint64_t at = index_home(in->index, next->hash);

	if (earlier != NULL) {
		index_clash(in, next, earlier);
		return;
	}
	while (index_at(in->index, at)->record != 0)
		at = index_next(in->index, at);
	memcpy(in->line + at, &slot, sizeof(slot));
	if (in->what != PAIR_CLASH_IMPU)
		index_prove(in, at, next);
}

static void index_fill(const struct indexing *in)
{
	struct indexed next[BATCH];
	uint64_t at = 0;
	uint32_t n;

	while (at < in->table->record_bytes) {
		for (n = 0; n < BATCH && at < in->table->record_bytes; n++) {
			indexed_read(in->table, at, &next[n]);
			next[n].hash = indexed_hash(in, &next[n]);
			__builtin_prefetch(in->line + index_home(in->index, next[n].hash), 1);
			at = pair_table_next(in->table, at);
		}
		for (uint32_t i = 0; i < n; i++)
			index_put(in, &next[i]);
	}
}

static bool index_make(struct indexing *in, struct pair_index *index, uint32_t slot_bytes)
{
	if (!index_init(index, slot_bytes, (uint32_t)in->table->count))
		return false;
	in->index = index;
	in->line = (uint8_t *)(uintptr_t)index->line;
	index_fill(in);
	return true;
}

enum gw_err pair_build_give(struct pair_build *b, struct pair_table *table, pair_clashed *clashed,
			    void *context)
{
	struct pair_table made = {.kind = b->kind, .count = b->count, .frames = b->frames};
	struct indexing in = {.table = &made, .clashed = clashed, .context = context};
	bool good;

	(void)build_resize(b, b->used > 0 ? b->used : 1); /* what is too much goes back */
	made.record = b->record;
	made.record_bytes = b->used;
	made.frame = b->frame;
	memcpy(made.key, b->key, sizeof(made.key));
	free(b->bucket);
	*b = (struct pair_build){0};
	in.what = made.kind == PAIRS_POOL ? PAIR_CLASH_IMPI : PAIR_CLASH_PAIR;
	good = index_make(&in, &made.by_impi, sizeof(struct pair_proved));
	in.what = PAIR_CLASH_IMPU;
	if (good && made.kind == PAIRS_POOL)
		good = index_make(&in, &made.by_impu, sizeof(struct pair_slot));
	if (!good) {
		pair_table_free(&made);
		return GW_NO_MEMORY;
	}
	*table = made;
	return GW_OK;
}

/* ---- tables -------------------------------------------------------------------------------- */

void pair_table_free(const struct pair_table *table)
{
	for (uint32_t i = 0; i < table->frames; i++)
		free((void *)(uintptr_t)table->frame[i].realm.at);
	free((void *)(uintptr_t)table->frame);
	wipe((void *)(uintptr_t)table->record, table->record_bytes);
	free((void *)(uintptr_t)table->by_impi.line);
	free((void *)(uintptr_t)table->by_impu.line);
	free((void *)(uintptr_t)table->generator);
}

uint64_t pair_table_bytes(const struct pair_table *table)
{
	uint64_t lines = (uint64_t)table->by_impi.lines + table->by_impu.lines;

	return table->record_bytes + lines * PAIR_LINE + table->frames * sizeof(struct pair_frame) +
	       (table->generator != NULL ? sizeof(*table->generator) : 0);
}

const struct pair_record *pair_table_record(const struct pair_table *table, uint64_t at)
{
	return at < table->record_bytes
		       ? (const struct pair_record *)(const void *)(table->record + at)
		       : NULL;
}

uint64_t pair_table_next(const struct pair_table *table, uint64_t at)
{
	return at + record_bytes(pair_table_record(table, at));
}

void pair_record_impi(const struct pair_table *table, const struct pair_record *record,
		      struct writer *out)
{
	writer_put(out, record_impi_user(record));
	writer_put(out, table->frame[record->frame].realm);
}

void pair_record_impu(const struct pair_table *table, const struct pair_record *record,
		      struct writer *out)
{
	writer_put(out, table->frame[record->frame].scheme);
	writer_put(out, record_impu_user(record));
	writer_put(out, table->frame[record->frame].host);
}
