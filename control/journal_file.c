/* SPDX-License-Identifier: BSD-3-Clause */
#include "journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	LINES_SPARE = 1024, /* a file so short is not worth being written again */
	BLOCK_BYTES = 64 * 1024,
};

static const char file_name[] = "leases";
static const char new_name[] = "leases.new";

/** What the file has of a binding. */
struct kept {
	struct handle id;
	uint32_t len;	  /* of its last line, with the line feed */
	uint64_t at;	  /* where that begins */
	uint64_t until_s; /* after that nobody wants to know */
};

/* ---- the tree -------------------------------------------------------------------------------- */

static uint64_t id_low(struct handle id)
{
	return (uint64_t)id.slot << 32 | id.generation;
}

static int compare_kept(const void *left, const void *right)
{
	struct handle a = ((const struct kept *)left)->id, b = ((const struct kept *)right)->id;
	int order = (a.worker > b.worker) - (a.worker < b.worker);

	return order != 0 ? order : (id_low(a) > id_low(b)) - (id_low(a) < id_low(b));
}

static struct kept *tree_find(const struct journal_file *file, struct handle id)
{
	const struct kept wanted = {.id = id};
	void *found = tfind(&wanted, &file->tree, compare_kept);

	return found != NULL ? *(struct kept **)found : NULL;
}

static void tree_remove(struct journal_file *file, struct kept *kept)
{
	if (kept == NULL)
		return;
	(void)tdelete(kept, &file->tree, compare_kept);
	free(kept);
	file->live--;
}

static struct kept *tree_add(struct journal_file *file, struct handle id)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (kept == NULL)
		abort(); /* as control/arena.h */
	kept->id = id;
	if (tsearch(kept, &file->tree, compare_kept) == NULL)
		abort();
	file->live++;
	return kept;
}

/** Until when a line is worth being kept: the core, or who has the token, may come back to it. */
static uint64_t lease_end_s(const struct message_journal *m)
{
	return m->until_s > m->exp_s ? m->until_s : m->exp_s;
}

/** The line of m, of len bytes, is the last one of the file. */
static void tree_take(struct journal_file *file, const struct message_journal *m, uint32_t len)
{
	struct kept *kept = tree_find(file, m->id);

	if (m->state == JOURNAL_OVER) {
		tree_remove(file, kept);
	} else {
		if (kept == NULL)
			kept = tree_add(file, m->id);
		kept->at = file->size;
		kept->len = len;
		kept->until_s = lease_end_s(m);
	}
	file->size += len;
	file->lines++;
}

struct sweep {
	uint64_t now_s;
	struct kept **over;
	uint32_t count;
};

static void sweep_kept(const void *node, VISIT order, void *closure)
{
	struct kept *kept = *(struct kept *const *)node;
	struct sweep *sweep = closure;

	if ((order == postorder || order == leaf) && kept->until_s <= sweep->now_s)
		sweep->over[sweep->count++] = kept;
}

/** Forgets those whose time has come without anybody having said so. */
static void tree_expire(struct journal_file *file, uint64_t now_s)
{
	struct sweep sweep = {.now_s = now_s};

	sweep.over = calloc(file->live + 1u, sizeof(struct kept *));
	if (sweep.over == NULL)
		return; /* tried again */
	twalk_r(file->tree, sweep_kept, &sweep);
	for (uint32_t i = 0; i < sweep.count; i++)
		tree_remove(file, sweep.over[i]);
	free(sweep.over);
}

/* ---- looking through it ---------------------------------------------------------------------- */

struct each {
	struct journal_file *file;
	journal_file_take *take;
	void *context;
	bool good;
	uint8_t line[JOURNAL_LINE_MAX];
	struct message_journal m;
};

/** What was read is the line that was kept, into each->m. */
static bool each_is(struct each *each, const struct kept *kept)
{
	struct span line = span_of(each->line, kept->len - 1);

	return journal_line_read(each->file->key, line, &each->m) &&
	       handle_equal(each->m.id, kept->id) && each->m.state != JOURNAL_OVER;
}

static void each_kept(const void *node, VISIT order, void *closure)
{
	const struct kept *kept = *(const struct kept *const *)node;
	struct each *each = closure;

	if (!each->good || (order != postorder && order != leaf)) /* glibc's "in order" */
		return;
	each->good = pread(each->file->fd, each->line, kept->len, (off_t)kept->at) >= 0;
	if (each->good && each_is(each, kept))
		each->good = each->take(each->context, &each->m);
	else if (each->good)
		each->file->damaged++; /* since it was written */
}

bool journal_file_each(struct journal_file *file, journal_file_take *take, void *context)
{
	struct each *each = calloc(1, sizeof(*each));
	bool good;

	if (each == NULL)
		abort(); /* as control/arena.h */
	*each = (struct each){.file = file, .take = take, .context = context, .good = true};
	twalk_r(file->tree, each_kept, each);
	good = each->good;
	explicit_bzero(each, sizeof(*each));
	free(each);
	return good;
}

/* ---- opening it ------------------------------------------------------------------------------ */

/** One line, with or without what it should be. */
static void read_line(struct journal_file *file, struct span line, struct message_journal *m)
{
	if (line.len < JOURNAL_LINE_MAX && journal_line_read(file->key, line, m)) {
		tree_take(file, m, line.len + 1);
		return;
	}
	if (file->damaged++ == 0)
		file->damaged_line = file->lines + 1;
	file->size += line.len + 1;
	file->lines++;
}

/** The whole lines of a block. A block without any is garbage, but for the file's end. */
static void read_block(struct journal_file *file, struct span block, struct message_journal *m)
{
	bool none = span_find(block, '\n') == block.len;

	while (block.len > 0) {
		struct span line = span_cut(block, 0, span_find(block, '\n'));

		if (line.len == block.len)
			break;
		read_line(file, line, m);
		block = span_from(block, line.len + 1);
	}
	if (none && block.len == BLOCK_BYTES)
		read_line(file, span_cut(block, 0, block.len - 1), m);
	else
		file->torn = block.len;
}

/** What it begins with is read, and so on: it may be larger than memory that one would give it. */
static bool read_blocks(struct journal_file *file)
{
	struct message_journal *m = malloc(sizeof(*m));
	uint8_t *block = malloc(BLOCK_BYTES);
	ssize_t n;

	if (m == NULL || block == NULL)
		abort(); /* as control/arena.h */
	do {
		n = pread(file->fd, block, BLOCK_BYTES, (off_t)file->size);
		if (n > 0)
			read_block(file, span_of(block, (uint32_t)n), m);
	} while (n == BLOCK_BYTES);
	explicit_bzero(m, sizeof(*m));
	explicit_bzero(block, BLOCK_BYTES);
	free(m);
	free(block);
	return n >= 0;
}

static bool read_all(struct journal_file *file, const struct state_trouble *t)
{
	if (!state_file_private(t, file_name, file->fd, S_IFREG))
		return false;
	if (fsync(file->folder) != 0 || !read_blocks(file)) /* it may be new */
		return state_file_fail_system(t, file_name);
	/* where this fails the next line covers it */
	if (file->torn > 0 && ftruncate(file->fd, (off_t)file->size) != 0)
		file->unsure = true;
	return true;
}

bool journal_file_open(struct journal_file *file, const struct journal_place *place,
		       const struct state_trouble *t)
{
	*file = (struct journal_file){.folder = place->folder};
	memcpy(file->key, place->key, sizeof(file->key));
	file->fd = openat(file->folder, file_name,
			  O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return state_file_fail_system(t, file_name);
	if (!read_all(file, t)) {
		journal_file_close(file);
		return false;
	}
	tree_expire(file, place->now_s);
	return true;
}

void journal_file_close(struct journal_file *file)
{
	tdestroy(file->tree, free);
	file->tree = NULL;
	file->live = 0;
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/* ---- adding to it ---------------------------------------------------------------------------- */

static const char *write_all(int fd, struct span bytes, uint64_t at)
{
	ssize_t n = pwrite(fd, bytes.at, bytes.len, (off_t)at);

	if (n == (ssize_t)bytes.len)
		return NULL;
	return n < 0 ? strerrordesc_np(errno) : "the disk is full";
}

const char *journal_file_append(struct journal_file *file, const struct message_journal *m)
{
	uint8_t bytes[JOURNAL_LINE_MAX];
	struct span line = journal_line_write(file->key, m, bytes);
	const char *why = NULL;

	if (line.len == 0)
		file->damaged++;
	if (line.len == 0 || (m->state == JOURNAL_OVER && tree_find(file, m->id) == NULL))
		return NULL;
	why = write_all(file->fd, line, file->size);
	/* what is left of a line that did not fit; where that fails the next line covers it */
	if (why != NULL && ftruncate(file->fd, (off_t)file->size) != 0)
		why = strerrordesc_np(errno);
	if (why == NULL) {
		tree_take(file, m, line.len);
		file->unsynced = true;
	}
	explicit_bzero(bytes, line.len);
	return why;
}

const char *journal_file_sync(struct journal_file *file)
{
	if (!file->unsynced)
		return NULL;
	if (fdatasync(file->fd) == 0) {
		file->unsynced = false;
		return NULL;
	}
	/* nobody knows what the disk has, and a second try says nothing of the first */
	file->unsure = true;
	return strerrordesc_np(errno);
}

/* ---- writing it anew ------------------------------------------------------------------------- */

/** The new file, which has lines of the old one one after the other. */
struct copy {
	struct journal_file file;
	const char *why;
	uint64_t written; /* bytes of file.size that are in the file */
	uint8_t *block;	  /* BLOCK_BYTES and a line */
};

static bool copy_flush(struct copy *copy)
{
	struct span bytes = span_of(copy->block, (uint32_t)(copy->file.size - copy->written));

	copy->why = write_all(copy->file.fd, bytes, copy->written);
	explicit_bzero(copy->block, bytes.len);
	copy->written = copy->file.size;
	return copy->why == NULL;
}

static bool copy_take(void *context, const struct message_journal *m)
{
	struct copy *copy = context;
	uint8_t *end = copy->block + (copy->file.size - copy->written);
	struct span line = journal_line_write(copy->file.key, m, end);

	tree_take(&copy->file, m, line.len);
	return copy->file.size - copy->written < BLOCK_BYTES || copy_flush(copy);
}

static bool copy_all(struct copy *copy, struct journal_file *old)
{
	if (!journal_file_each(old, copy_take, copy) || !copy_flush(copy) ||
	    fsync(copy->file.fd) != 0) {
		copy->why = copy->why != NULL ? copy->why : strerrordesc_np(errno);
		return false;
	}
	return true;
}

/** Puts it in the place of the old one. */
static bool copy_place(struct copy *copy)
{
	int folder = copy->file.folder;

	if (renameat(folder, new_name, folder, file_name) == 0) {
		/* where this fails a crash may leave the old one, which says as much */
		(void)fsync(folder);
		return true;
	}
	copy->why = strerrordesc_np(errno);
	return false;
}

static const char *rewrite(struct journal_file *file)
{
	struct copy copy = {.file = {.folder = file->folder}};

	memcpy(copy.file.key, file->key, sizeof(file->key));
	unlinkat(file->folder, new_name, 0); /* what a crash left */
	copy.file.fd = openat(file->folder, new_name,
			      O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (copy.file.fd < 0)
		return strerrordesc_np(errno);
	copy.block = malloc(BLOCK_BYTES + JOURNAL_LINE_MAX);
	if (copy.block == NULL)
		abort(); /* as control/arena.h */
	if (copy_all(&copy, file) && copy_place(&copy)) {
		copy.file.damaged = file->damaged;
		journal_file_close(file);
		*file = copy.file;
	} else {
		journal_file_close(&copy.file);
		unlinkat(file->folder, new_name, 0);
	}
	free(copy.block);
	return copy.why;
}

static bool is_due(const struct journal_file *file)
{
	return file->unsure || (file->lines >= file->patient && file->lines > LINES_SPARE &&
				file->lines > 2 * file->live);
}

const char *journal_file_compact(struct journal_file *file, uint64_t now_s)
{
	const char *why;

	if (!is_due(file))
		return NULL;
	tree_expire(file, now_s);
	why = rewrite(file);
	if (why != NULL)
		file->patient = file->lines + file->live + LINES_SPARE;
	return why;
}
