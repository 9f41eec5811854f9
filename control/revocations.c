/* SPDX-License-Identifier: BSD-3-Clause */
#include "revocations.h"

#include <search.h>
#include <stdlib.h>

#include "arena.h"
#include "parts.h"

enum { WHY_MAX = 128, LINES_KEPT = 64 /* a file so short is not worth being written again */ };

/** A node of the tree. */
struct revoked {
	struct revocation r;
	uint8_t text[]; /* of r's spans */
};

struct revocations {
	struct revocation_file file;
	struct log *log;
	void *tree; /* of struct revoked, by tsearch() */
	uint32_t count, max;
	uint64_t next_end_s; /* no token's time comes before */
	char why[WHY_MAX];
};

/** A part and the memory it is made of; the arena holds this struct itself. */
struct owned_revocations {
	struct revocation_part part;
	struct arena *arena;
};

/* ---- the tree -------------------------------------------------------------------------------- */

static int compare_span(struct span a, struct span b)
{
	uint32_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter > 0 ? memcmp(a.at, b.at, shorter) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_revoked(const void *left, const void *right)
{
	const struct revocation *a = &((const struct revoked *)left)->r;
	const struct revocation *b = &((const struct revoked *)right)->r;
	int order = (a->kind > b->kind) - (a->kind < b->kind);

	if (order == 0)
		order = (a->jti > b->jti) - (a->jti < b->jti);
	if (order == 0)
		order = compare_span(a->issuer, b->issuer);
	return order != 0 ? order : compare_span(a->name, b->name);
}

static struct revoked *list_find(const struct revocations *list, const struct revocation *r)
{
	const struct revoked wanted = {*r};
	void *found = tfind(&wanted, &list->tree, compare_revoked);

	return found != NULL ? *(struct revoked **)found : NULL;
}

static struct span revoked_text(uint8_t *to, struct span text)
{
	if (text.len > 0)
		memcpy(to, text.at, text.len);
	return span_of(to, text.len);
}

static struct revoked *revoked_new(const struct revocation *r)
{
	struct revoked *entry = calloc(1, sizeof(*entry) + r->issuer.len + r->name.len);

	if (entry == NULL)
		abort(); /* as control/arena.h */
	entry->r = *r;
	entry->r.issuer = revoked_text(entry->text, r->issuer);
	entry->r.name = revoked_text(entry->text + r->issuer.len, r->name);
	return entry;
}

static void list_insert(struct revocations *list, const struct revocation *r)
{
	struct revoked *entry = list_find(list, r);

	if (entry == NULL) {
		if (tsearch(revoked_new(r), &list->tree, compare_revoked) == NULL)
			abort(); /* as control/arena.h */
		list->count++;
	} else if (r->until_s > entry->r.until_s) {
		entry->r.until_s = r->until_s;
	}
	if (r->kind == REVOCATION_JTI && r->until_s < list->next_end_s)
		list->next_end_s = r->until_s;
}

static void list_remove(struct revocations *list, const struct revocation *r)
{
	struct revoked *entry = list_find(list, r);

	if (entry == NULL)
		return;
	(void)tdelete(entry, &list->tree, compare_revoked);
	free(entry);
	list->count--;
}

struct visit {
	void (*each)(void *context, const struct revocation *r);
	void *context;
};

static void visit_node(const void *node, VISIT order, void *closure)
{
	const struct visit *visit = closure;

	if (order == postorder || order == leaf) /* once, in order: glibc's "postorder" is that */
		visit->each(visit->context, &(*(const struct revoked *const *)node)->r);
}

void revocations_each(const struct revocations *list,
		      void (*visit)(void *context, const struct revocation *r), void *context)
{
	struct visit closure = {visit, context};

	twalk_r(list->tree, visit_node, &closure);
}

/* ---- the log --------------------------------------------------------------------------------- */

static void log_change(struct revocations *list, enum log_level level, const char *event,
		       const struct revocation *r, const char *why)
{
	struct log_line line;

	log_begin(list->log, &line, level, event);
	if (r->kind == REVOCATION_JTI)
		log_hash(&line, "jti", r->jti);
	if (r->kind == REVOCATION_JTI && r->until_s != 0)
		log_number(&line, "until", r->until_s);
	if (r->kind == REVOCATION_KEY)
		log_span(&line, "issuer", r->issuer);
	if (r->kind == REVOCATION_KEY)
		log_span(&line, "kid", r->name);
	if (r->kind == REVOCATION_WWSF)
		log_span(&line, "wwsf", r->name);
	if (why != NULL)
		log_text(&line, "why", why);
	log_end(&line);
}

/* ---- the file -------------------------------------------------------------------------------- */

struct rewrite {
	const struct revocation_file *file;
	FILE *out;
};

static void rewrite_line(void *context, const struct revocation *r)
{
	const struct rewrite *rewrite = context;

	revocation_file_print(rewrite->file, r, rewrite->out);
}

/** Writes the file anew, with what counts now. NULL, or why not. */
static const char *list_rewrite(struct revocations *list)
{
	const struct state_trouble t = {list->why, sizeof(list->why)};
	char *text = NULL;
	size_t len;
	struct rewrite rewrite = {&list->file, open_memstream(&text, &len)};
	bool good = false;

	if (rewrite.out == NULL)
		return "out of memory";
	revocations_each(list, rewrite_line, &rewrite);
	if (fclose(rewrite.out) != 0)
		(void)state_file_fail(&t, "revocations", "out of memory");
	else
		good = revocation_file_replace(&list->file, text, list->count, &t);
	free(text);
	return good ? NULL : list->why;
}

/** Half of the file is about what does not count any more. */
static void list_compact(struct revocations *list)
{
	uint32_t lines = list->file.lines;
	const char *why;

	if (lines < LINES_KEPT || list->count > lines / 2)
		return;
	why = list_rewrite(list);
	if (why != NULL) /* the file is longer than it need be, or the next change says more */
		log_event(list->log, LOG_LEVEL_WARNING, "revocations_not_compacted", "why", why);
}

/** Puts a change on the disk. NULL, or why not. */
static const char *list_save(struct revocations *list, enum revocation_change change,
			     const struct revocation *r)
{
	const char *why = list->file.unsure ? list_rewrite(list) : NULL;

	if (why == NULL)
		why = revocation_file_append(&list->file, change, r);
	if (why != NULL)
		log_change(list, LOG_LEVEL_ERROR, "revocation_failed", r, why);
	return why;
}

static void list_take(void *context, enum revocation_change change, const struct revocation *r)
{
	if (change == REVOCATION_ADD)
		list_insert(context, r);
	else
		list_remove(context, r);
}

/* ---- life ------------------------------------------------------------------------------------ */

struct revocations *revocations_open(const struct revocations_config *config, char *why,
				     size_t why_size)
{
	struct revocations *list = calloc(1, sizeof(*list));
	const struct state_trouble t = {why, why_size};
	const struct revocation_reader reader = {
		.folder = config->folder,
		.key = config->key,
		.log = config->log,
		.context = list,
		.take = list_take,
	};

	snprintf(why, why_size, "out of memory");
	if (list == NULL)
		return NULL;
	list->log = config->log;
	list->max = config->max;
	list->next_end_s = UINT64_MAX;
	list->file.fd = -1;
	if (!revocation_file_open(&list->file, &reader, &t)) {
		revocations_close(list);
		return NULL;
	}
	(void)revocations_expire(list, config->now_s);
	list_compact(list);
	if (list->count > list->max)
		log_event(list->log, LOG_LEVEL_WARNING, "revocations_above_limit", NULL, NULL);
	return list;
}

void revocations_close(struct revocations *list)
{
	if (list == NULL)
		return;
	revocation_file_close(&list->file);
	tdestroy(list->tree, free);
	free(list);
}

void revocations_bound(struct revocations *list, uint32_t max)
{
	list->max = max;
}

/* ---- changes --------------------------------------------------------------------------------- */

const char *revocations_add(struct revocations *list, const struct revocation *r)
{
	const struct revoked *known = list_find(list, r);
	const char *why;

	if (!revocation_file_holds(r))
		return "too long, or not visible ASCII characters";
	if (known != NULL && known->r.until_s >= r->until_s)
		return NULL;
	if (known == NULL && list->count >= list->max)
		return "limits.max_revocations is reached";
	why = list_save(list, REVOCATION_ADD, r);
	if (why != NULL)
		return why;
	list_insert(list, r);
	log_change(list, LOG_LEVEL_INFO, "revoked", r, NULL);
	list_compact(list);
	return NULL;
}

const char *revocations_end(struct revocations *list, const struct revocation *r)
{
	const char *why;

	if (!revocations_has(list, r))
		return "it is not revoked";
	why = list_save(list, REVOCATION_END, r);
	if (why != NULL)
		return why;
	list_remove(list, r);
	log_change(list, LOG_LEVEL_INFO, "restored", r, NULL);
	list_compact(list);
	return NULL;
}

/** Tokens whose time has come, and when the next one's does. */
struct ended {
	uint64_t now_s, next_s;
	uint64_t *jti;
	uint32_t count;
};

static void ended_take(void *context, const struct revocation *r)
{
	struct ended *ended = context;

	if (r->kind != REVOCATION_JTI)
		return;
	if (r->until_s <= ended->now_s)
		ended->jti[ended->count++] = r->jti;
	else if (r->until_s < ended->next_s)
		ended->next_s = r->until_s;
}

uint32_t revocations_expire(struct revocations *list, uint64_t now_s)
{
	struct ended ended = {.now_s = now_s, .next_s = UINT64_MAX};

	if (now_s < list->next_end_s)
		return 0;
	ended.jti = calloc(list->count + 1u, sizeof(*ended.jti));
	if (ended.jti == NULL)
		return 0; /* tried again */
	revocations_each(list, ended_take, &ended);
	for (uint32_t i = 0; i < ended.count; i++)
		list_remove(list, &(struct revocation){.jti = ended.jti[i]});
	free(ended.jti);
	list->next_end_s = ended.next_s;
	list_compact(list);
	return ended.count;
}

/* ---- what is asked --------------------------------------------------------------------------- */

uint32_t revocations_count(const struct revocations *list)
{
	return list->count;
}

bool revocations_has(const struct revocations *list, const struct revocation *r)
{
	return list_find(list, r) != NULL;
}

bool revocations_has_key(const struct revocations *list, struct span issuer, struct span kid)
{
	const struct revocation r = {.kind = REVOCATION_KEY, .issuer = issuer, .name = kid};

	return list != NULL && list_find(list, &r) != NULL;
}

/* ---- the part -------------------------------------------------------------------------------- */

static void part_free(struct snapshot_part *part)
{
	arena_free(((struct owned_revocations *)(void *)part)->arena);
}

/** A part that is being filled. */
struct filling {
	struct arena *arena;
	struct revocation_part *part;
	uint64_t *jti;
	struct span *wwsf;
};

static void part_add(void *context, const struct revocation *r)
{
	struct filling *f = context;

	if (r->kind == REVOCATION_JTI)
		f->jti[f->part->jti_count++] = r->jti; /* the tree's order is theirs */
	if (r->kind == REVOCATION_WWSF)
		f->wwsf[f->part->wwsf_count++] =
			span_of(arena_text(f->arena, r->name.at, r->name.len), r->name.len);
}

static void part_count(void *context, const struct revocation *r)
{
	((uint32_t *)context)[r->kind]++;
}

struct revocation_part *revocations_part(const struct revocations *list)
{
	uint32_t count[REVOCATION_KINDS] = {0};
	struct arena *arena = arena_new();
	struct owned_revocations *owned = arena_get(arena, sizeof(*owned));
	struct filling f = {.arena = arena, .part = &owned->part};

	revocations_each(list, part_count, count);
	f.jti = arena_get(arena, count[REVOCATION_JTI] * sizeof(*f.jti));
	f.wwsf = arena_get(arena, count[REVOCATION_WWSF] * sizeof(*f.wwsf));
	owned->arena = arena;
	owned->part =
		(struct revocation_part){.part.free = part_free, .jti = f.jti, .wwsf = f.wwsf};
	revocations_each(list, part_add, &f);
	return &owned->part;
}
