/* SPDX-License-Identifier: BSD-3-Clause */
#include "revocation_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "file.h"
#include "state_line.h"

enum {
	FILE_BYTES_MAX = 1 << 30,
	LINE_MAX_BYTES = 512,
};

static const char file_name[] = "revocations";

static const char *const change_words[] = {[REVOCATION_ADD] = "add", [REVOCATION_END] = "end"};
static const char *const kind_words[REVOCATION_KINDS] = {
	[REVOCATION_JTI] = "jti", [REVOCATION_KEY] = "key", [REVOCATION_WWSF] = "wwsf"};

/* ---- a line --------------------------------------------------------------------------------- */

static void write_what(struct writer *out, enum revocation_change change,
		       const struct revocation *r)
{
	state_line_put(out, span_text(change_words[change]));
	state_line_put(out, span_text(kind_words[r->kind]));
	if (r->kind == REVOCATION_JTI)
		state_line_put_hash(out, r->jti);
	if (r->kind == REVOCATION_JTI && change == REVOCATION_ADD)
		state_line_put_decimal(out, r->until_s);
	if (r->kind == REVOCATION_KEY)
		state_line_put(out, r->issuer);
	if (r->kind != REVOCATION_JTI)
		state_line_put(out, r->name);
}

/** The line with its line feed. */
static struct span line_make(const uint8_t key[16], enum revocation_change change,
			     const struct revocation *r, uint8_t bytes[LINE_MAX_BYTES])
{
	uint8_t what[LINE_MAX_BYTES];
	struct writer words;

	writer_init(&words, what, sizeof(what));
	write_what(&words, change, r);
	return writer_ok(&words) ? state_line_seal(key, writer_span(&words), bytes, LINE_MAX_BYTES)
				 : SPAN("");
}

bool revocation_file_holds(const struct revocation *r)
{
	static const uint8_t any[16];
	uint8_t bytes[LINE_MAX_BYTES];

	if (line_make(any, REVOCATION_ADD, r, bytes).len == 0)
		return false;
	if (r->kind == REVOCATION_KEY && !state_line_holds(r->issuer))
		return false;
	return r->kind == REVOCATION_JTI || state_line_holds(r->name);
}

void revocation_file_print(const struct revocation_file *file, const struct revocation *r,
			   FILE *out)
{
	uint8_t bytes[LINE_MAX_BYTES];
	struct span line = line_make(file->key, REVOCATION_ADD, r, bytes);

	fwrite(line.at, 1, line.len, out);
}

static bool read_jti(struct span *rest, enum revocation_change change, struct revocation *r)
{
	return state_line_hash(rest, &r->jti) &&
	       (change == REVOCATION_END ||
		state_line_decimal(rest, UINT32_MAX * 4ull, &r->until_s));
}

static bool line_read(struct span line, const uint8_t key[16], enum revocation_change *change,
		      struct revocation *r)
{
	uint32_t word, kind;
	struct span rest;

	*r = (struct revocation){0};
	if (!state_line_open(key, line, &rest) ||
	    !state_line_choice(&rest, change_words, 2, &word) ||
	    !state_line_choice(&rest, kind_words, REVOCATION_KINDS, &kind))
		return false;
	*change = (enum revocation_change)word;
	r->kind = (enum revocation_kind)kind;
	if (r->kind == REVOCATION_JTI && !read_jti(&rest, *change, r))
		return false;
	if (r->kind == REVOCATION_KEY && !state_line_word(&rest, &r->issuer))
		return false;
	if (r->kind != REVOCATION_JTI && !state_line_word(&rest, &r->name))
		return false;
	return rest.len == 0;
}

/* ---- reading the file ------------------------------------------------------------------------ */

static bool read_drop_torn(struct revocation_file *file, struct log *log, struct span last,
			   const struct state_trouble *t)
{
	struct log_line line;

	if (ftruncate(file->fd, (off_t)file->size) != 0 || fsync(file->fd) != 0)
		return state_file_fail_system(t, file_name);
	log_begin(log, &line, LOG_LEVEL_WARNING, "revocations_torn");
	log_number(&line, "line", file->lines + 1);
	log_number(&line, "bytes", last.len);
	log_end(&line);
	return true;
}

static bool read_fail(const struct revocation_file *file, const struct state_trouble *t)
{
	snprintf(t->text, t->size, "%s:%u: damaged, or hash.key is not the one it was written with",
		 file_name, file->lines + 1);
	return false;
}

static bool read_lines(struct revocation_file *file, const struct revocation_reader *reader,
		       struct span text, const struct state_trouble *t)
{
	enum revocation_change change;
	struct revocation r;

	while (text.len > 0) {
		struct span line = span_cut(text, 0, span_find(text, '\n'));
		struct span behind = span_from(text, line.len + 1);

		if (line.len == text.len || !line_read(line, file->key, &change, &r)) {
			if (behind.len == 0 && state_line_torn(text, LINE_MAX_BYTES))
				return read_drop_torn(file, reader->log, text, t);
			return read_fail(file, t);
		}
		reader->take(reader->context, change, &r);
		file->size += line.len + 1;
		file->lines++;
		text = behind;
	}
	return true;
}

static int file_open(const struct revocation_file *file)
{
	return openat(file->folder, file_name,
		      O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
}

static bool file_read_all(struct revocation_file *file, const struct revocation_reader *reader,
			  const struct state_trouble *t)
{
	struct arena *arena;
	struct span text;
	const char *why;
	bool good;

	if (!state_file_private(t, file_name, file->fd, S_IFREG))
		return false;
	if (fsync(file->folder) != 0) /* it may be new */
		return state_file_fail_system(t, file_name);
	arena = arena_new();
	why = file_read_from(file->fd, FILE_BYTES_MAX, arena, &text);
	good = why == NULL ? read_lines(file, reader, text, t) : state_file_fail(t, file_name, why);
	arena_free(arena);
	return good;
}

bool revocation_file_open(struct revocation_file *file, const struct revocation_reader *reader,
			  const struct state_trouble *t)
{
	*file = (struct revocation_file){.folder = reader->folder};
	memcpy(file->key, reader->key, sizeof(file->key));
	file->fd = file_open(file);
	if (file->fd < 0)
		return state_file_fail_system(t, file_name);
	if (file_read_all(file, reader, t))
		return true;
	revocation_file_close(file);
	return false;
}

void revocation_file_close(struct revocation_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/* ---- changing it ----------------------------------------------------------------------------- */

const char *revocation_file_append(struct revocation_file *file, enum revocation_change change,
				   const struct revocation *r)
{
	uint8_t bytes[LINE_MAX_BYTES];
	struct span line = line_make(file->key, change, r, bytes);
	const char *why = "the disk is full";
	ssize_t n = write(file->fd, line.at, line.len);

	if (n == (ssize_t)line.len && fsync(file->fd) == 0) {
		file->size += line.len;
		file->lines++;
		return NULL;
	}
	if (n < 0 || n == (ssize_t)line.len)
		why = strerrordesc_np(errno);
	/* after a failed fsync() nobody knows what the disk has: the next change begins anew */
	file->unsure = true;
	if (ftruncate(file->fd, (off_t)file->size) != 0 || fsync(file->fd) != 0)
		return "the disk fails";
	return why;
}

/** What is open is not the file any more: who appends to it writes to nowhere. */
static bool file_is_gone(const struct revocation_file *file)
{
	struct stat about;

	return fstat(file->fd, &about) != 0 || about.st_nlink == 0;
}

bool revocation_file_replace(struct revocation_file *file, const char *text, uint32_t lines,
			     const struct state_trouble *t)
{
	int fd;

	if (!state_file_write(file->folder, t, file_name, text, 0)) {
		file->unsure |= file_is_gone(file);
		return false;
	}
	fd = file_open(file);
	if (fd < 0) {
		file->unsure = true;
		return state_file_fail_system(t, file_name);
	}
	revocation_file_close(file);
	file->fd = fd;
	file->size = strlen(text);
	file->lines = lines;
	file->unsure = false;
	return true;
}
