/* SPDX-License-Identifier: BSD-3-Clause */
#include "pairs.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "canonical.h"
#include "generator.h"
#include "pair_table.h"

/* Of the file, read at a time; more than a line. */
enum { PAIRS_BLOCK = 1 << 20 };
/* A record is seldom longer than its line; a file that is longer than this has to show it. */
enum { PAIRS_ROOM_MAX = 1 << 30 };

/** What tells a file that changed. */
struct pairs_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written;
};

struct pairs {
	_Atomic uint32_t holders;
	char *path;
	uint32_t line; /* of a generator */
	struct pairs_stamp stamp;
	struct pair_table table;
	uint64_t loaded_s;
	uint32_t took_ms;
};

/** A file while it is read. */
struct pairs_reading {
	const struct pairs_from *from;
	struct problems *problems;
	struct pair_build build;
	uint32_t number; /* of the line */
	bool full;	 /* no room for more, and that was told */
};

/* ---- lines --------------------------------------------------------------------------------- */

static void pairs_refuse(const struct pairs_reading *r, const char *why)
{
	problems_add(r->problems, PROBLEM_ERROR, r->from->path, r->number, "%s", why);
}

/** Reads a line into canonical identities in out, which has room for two. Why it is no pair, or
 * NULL. */
static const char *pairs_parse(struct span line, struct writer *out, struct span *impi,
			       struct span *impu)
{
	uint32_t comma = span_find(line, ',');

	if (comma == line.len)
		return "not a pair impi,impu";
	if (identity_canonical_impi(span_trim(span_cut(line, 0, comma)), out) != GW_OK)
		return "not a private identity user@realm before the comma";
	*impi = writer_span(out);
	if (identity_canonical_impu(span_trim(span_from(line, comma + 1)), out) != GW_OK)
		return "not a public identity, a sip or tel URI, after the comma";
	*impu = span_from(writer_span(out), impi->len);
	return NULL;
}

static void pairs_add(struct pairs_reading *r, struct span line)
{
	uint8_t text[2 * IDENTITY_MAX];
	struct span impi, impu;
	struct writer out;
	const char *why;

	writer_init(&out, text, sizeof(text));
	why = pairs_parse(line, &out, &impi, &impu);
	if (why == NULL && r->build.count == PAIRS_MAX)
		why = "more pairs than one file may have";
	else if (why == NULL && pair_build_add(&r->build, impi, impu, r->number) != GW_OK)
		why = "no memory for more pairs";
	else if (why == NULL)
		return;
	pairs_refuse(r, why);
	r->full = r->build.count == PAIRS_MAX;
}

static void pairs_take_line(struct pairs_reading *r, struct span line)
{
	r->number++;
	if (line.len > PAIRS_LINE_MAX) {
		problems_add(r->problems, PROBLEM_ERROR, r->from->path, r->number,
			     "line longer than %d bytes", PAIRS_LINE_MAX);
		return;
	}
	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	line = span_trim(line);
	if (line.len > 0 && line.at[0] != '#' && !r->full)
		pairs_add(r, line);
}

/* ---- files --------------------------------------------------------------------------------- */

/** Takes the lines that end in block; how many bytes of it are left. A line without an end in all
 * of it is longer than any: cut, so that its rest is skipped. */
static uint32_t pairs_take_lines(struct pairs_reading *r, uint8_t *block, uint32_t have)
{
	struct span rest = span_of(block, have), line;
	uint32_t end = span_find(rest, '\n');

	while (end < rest.len) {
		(void)span_take(&rest, end, &line);
		(void)span_skip(&rest, 1);
		pairs_take_line(r, line);
		end = span_find(rest, '\n');
	}
	if (rest.len > PAIRS_BLOCK / 2)
		rest.len = PAIRS_LINE_MAX + 1;
	memmove(block, rest.at, rest.len);
	return rest.len;
}

static bool pairs_is_stopped(const struct pairs_from *from)
{
	return from->stop != NULL && atomic_load_explicit(from->stop, memory_order_relaxed);
}

static void pairs_read(struct pairs_reading *r, int fd, uint8_t block[PAIRS_BLOCK])
{
	uint32_t have = 0;
	ssize_t n = 1;

	while (n != 0 && !pairs_is_stopped(r->from)) {
		n = read(fd, block + have, PAIRS_BLOCK - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r->number++;
			pairs_refuse(r, "reading failed");
			return;
		}
		have = pairs_take_lines(r, block, have + (uint32_t)n);
	}
	if (have > 0)
		pairs_take_line(r, span_of(block, have));
}

static bool pairs_stamp(int fd, struct pairs_stamp *stamp)
{
	struct stat about;

	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
		return false;
	*stamp = (struct pairs_stamp){about.st_dev, about.st_ino, about.st_size, about.st_mtim};
	return true;
}

static bool pairs_stamp_equal(const struct pairs_stamp *a, const struct pairs_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->written.tv_sec == b->written.tv_sec && a->written.tv_nsec == b->written.tv_nsec;
}

/** The file at path, not waiting for what is no file. Why not, or NULL. */
static const char *pairs_open(const char *path, int *fd, struct pairs_stamp *stamp)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		return strerrordesc_np(errno);
	if (pairs_stamp(*fd, stamp))
		return NULL;
	close(*fd);
	return "not a regular file";
}

static void pairs_clashed(void *context, enum pair_clash what, uint32_t line, uint32_t earlier)
{
	static const char *const words[] = {[PAIR_CLASH_PAIR] = "pair",
					    [PAIR_CLASH_IMPI] = "private identity",
					    [PAIR_CLASH_IMPU] = "public identity"};
	const struct pairs_reading *r = context;

	problems_add(r->problems, PROBLEM_ERROR, r->from->path, line, "the %s of line %u again",
		     words[what], earlier);
}

static void pairs_refuse_file(const struct pairs_from *from, struct problems *problems,
			      const char *why)
{
	problems_add(problems, PROBLEM_ERROR, from->file, from->line, "%s: %s", from->path, why);
}

/** Fills p with the open file. False: a problem was added. */
static bool pairs_fill(struct pairs *p, const struct pairs_from *from, int fd,
		       struct problems *problems)
{
	struct pairs_reading r = {.from = from, .problems = problems};
	uint8_t *block = malloc(PAIRS_BLOCK), key[16];
	struct pairs_stamp after;
	uint64_t room = p->stamp.size < PAIRS_ROOM_MAX ? (uint64_t)p->stamp.size : PAIRS_ROOM_MAX;
	bool good = block != NULL && RAND_bytes(key, sizeof(key)) == 1 &&
		    pair_build_init(&r.build, from->kind, key, room) == GW_OK;

	if (good) {
		pairs_read(&r, fd, block);
		good = !pairs_is_stopped(from) &&
		       pair_build_give(&r.build, &p->table, pairs_clashed, &r) == GW_OK;
		pair_build_fini(&r.build);
	}
	if (block != NULL)
		OPENSSL_cleanse(block, PAIRS_BLOCK);
	free(block);
	if (!good)
		pairs_refuse_file(from, problems, pairs_is_stopped(from) ? "stopped" : "no memory");
	else if (!pairs_stamp(fd, &after) || !pairs_stamp_equal(&after, &p->stamp))
		pairs_refuse_file(from, problems, "it changed while it was read");
	return good;
}

static bool pairs_load_file(struct pairs *p, const struct pairs_from *from,
			    struct problems *problems)
{
	int fd = -1;
	const char *why = pairs_open(from->path, &fd, &p->stamp);
	bool good;

	if (why != NULL) {
		pairs_refuse_file(from, problems, why);
		return false;
	}
	good = pairs_fill(p, from, fd, problems);
	close(fd);
	return good;
}

/* ---- life ---------------------------------------------------------------------------------- */

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct pairs *pairs_new(const struct pairs_from *from)
{
	struct pairs *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	atomic_init(&p->holders, 1);
	p->line = from->line;
	p->path = strdup(from->path != NULL ? from->path : from->file);
	if (p->path != NULL)
		return p;
	free(p);
	return NULL;
}

struct pairs *pairs_load(const struct pairs_from *from, struct problems *problems)
{
	uint64_t begun_ms = clock_ms(CLOCK_MONOTONIC);
	struct pairs *p = pairs_new(from);
	bool good;

	if (p == NULL) {
		problems_add(problems, PROBLEM_ERROR, from->file, from->line, "no memory");
		return NULL;
	}
	good = from->path != NULL ? pairs_load_file(p, from, problems)
				  : generator_read(from, &p->table, problems);
	p->loaded_s = clock_ms(CLOCK_REALTIME) / 1000;
	p->took_ms = (uint32_t)(clock_ms(CLOCK_MONOTONIC) - begun_ms);
	if (good)
		return p;
	pairs_put(p);
	return NULL;
}

bool pairs_are_from(const struct pairs *pairs, const struct pairs_from *from)
{
	struct pairs_stamp stamp = {0};
	bool same;
	int fd;

	if (from->path == NULL || from->kind != pairs->table.kind ||
	    strcmp(from->path, pairs->path) != 0 || pairs_open(from->path, &fd, &stamp) != NULL)
		return false;
	same = pairs_stamp_equal(&stamp, &pairs->stamp);
	close(fd);
	return same;
}

struct pairs *pairs_hold(struct pairs *pairs)
{
	atomic_fetch_add(&pairs->holders, 1);
	return pairs;
}

void pairs_put(struct pairs *pairs)
{
	if (pairs == NULL || atomic_fetch_sub(&pairs->holders, 1) != 1)
		return;
	pair_table_free(&pairs->table);
	free(pairs->path);
	OPENSSL_cleanse(pairs, sizeof(*pairs));
	free(pairs);
}

const struct pair_table *pairs_table(const struct pairs *pairs)
{
	return &pairs->table;
}

const char *pairs_path(const struct pairs *pairs)
{
	return pairs->path;
}

uint32_t pairs_line(const struct pairs *pairs)
{
	return pairs->line;
}

struct pairs_about pairs_about(const struct pairs *pairs)
{
	return (struct pairs_about){
		.count = pairs->table.count,
		.bytes = pair_table_bytes(&pairs->table),
		.loaded_s = pairs->loaded_s,
		.took_ms = pairs->took_ms,
	};
}
