/* SPDX-License-Identifier: BSD-3-Clause */
#include "revocation_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "file.h"
#include "parts.h"

enum {
	FILE_BYTES_MAX = 1 << 30,
	LINE_MAX_BYTES = 512,
	CHECKSUM_DIGITS = 16,
};

static const char file_name[] = "revocations";

static const char *const change_words[] = {[REVOCATION_ADD] = "add", [REVOCATION_END] = "end"};
static const char *const kind_words[REVOCATION_KINDS] = {
	[REVOCATION_JTI] = "jti", [REVOCATION_KEY] = "key", [REVOCATION_WWSF] = "wwsf"};

/* ---- writing a line -------------------------------------------------------------------------- */

static void write_number(struct writer *out, uint64_t number)
{
	uint8_t bytes[8];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	writer_u64_be(&w, number);
	writer_hex(out, writer_span(&w));
}

static void write_word(struct writer *out, struct span word)
{
	writer_u8(out, ' ');
	writer_put(out, word);
}

static void write_what(struct writer *out, enum revocation_change change,
		       const struct revocation *r)
{
	write_word(out, span_text(change_words[change]));
	write_word(out, span_text(kind_words[r->kind]));
	if (r->kind == REVOCATION_JTI) {
		writer_u8(out, ' ');
		write_number(out, r->jti);
	}
	if (r->kind == REVOCATION_JTI && change == REVOCATION_ADD) {
		writer_u8(out, ' ');
		writer_decimal(out, r->until_s);
	}
	if (r->kind == REVOCATION_KEY)
		write_word(out, r->issuer);
	if (r->kind != REVOCATION_JTI)
		write_word(out, r->name);
}

/** The line with its line feed. */
static struct span line_make(const uint8_t key[16], enum revocation_change change,
			     const struct revocation *r, uint8_t bytes[LINE_MAX_BYTES])
{
	uint8_t what[LINE_MAX_BYTES - CHECKSUM_DIGITS - 1];
	struct writer body, line;

	writer_init(&body, what, sizeof(what));
	write_what(&body, change, r);
	writer_init(&line, bytes, LINE_MAX_BYTES);
	write_number(&line, siphash(key, writer_span(&body)));
	writer_put(&line, writer_span(&body));
	writer_u8(&line, '\n');
	return writer_ok(&body) ? writer_span(&line) : SPAN("");
}

static bool word_holds(struct span word)
{
	for (uint32_t i = 0; i < word.len; i++)
		if (word.at[i] < '!' || word.at[i] > '~')
			return false;
	return word.len > 0;
}

bool revocation_file_holds(const struct revocation *r)
{
	static const uint8_t any[16];
	uint8_t bytes[LINE_MAX_BYTES];

	if (line_make(any, REVOCATION_ADD, r, bytes).len == 0)
		return false;
	if (r->kind == REVOCATION_KEY && !word_holds(r->issuer))
		return false;
	return r->kind == REVOCATION_JTI || word_holds(r->name);
}

void revocation_file_print(const struct revocation_file *file, const struct revocation *r,
			   FILE *out)
{
	uint8_t bytes[LINE_MAX_BYTES];
	struct span line = line_make(file->key, REVOCATION_ADD, r, bytes);

	fwrite(line.at, 1, line.len, out);
}

/* ---- reading a line -------------------------------------------------------------------------- */

/** Takes a space and the word behind it. */
static bool read_word(struct span *rest, struct span *word)
{
	struct span all = *rest;

	if (span_at(all, 0) != ' ')
		return false;
	all = span_from(all, 1);
	*word = span_cut(all, 0, span_find(all, ' '));
	*rest = span_from(all, word->len);
	return word_holds(*word);
}

/** Sets *index to that of a word in a list. */
static bool read_choice(struct span *rest, const char *const words[], uint32_t count,
			uint32_t *index)
{
	struct span word;

	if (!read_word(rest, &word))
		return false;
	for (*index = 0; *index < count; (*index)++)
		if (span_equal(word, span_text(words[*index])))
			return true;
	return false;
}

/** A number of 16 hexadecimal digits. */
static bool read_hash(struct span digits, uint64_t *number)
{
	const char *at = (const char *)digits.at;
	uint8_t bytes[CHECKSUM_DIGITS / 2];
	struct span all = span_of(bytes, sizeof(bytes));

	return digits.len == CHECKSUM_DIGITS && state_hex(&at, bytes, sizeof(bytes)) &&
	       span_u64_be(&all, number);
}

/** A decimal number; a space or a line feed is behind it. */
static bool read_time(struct span *rest, uint64_t *number)
{
	struct span word;
	const char *at;

	if (!read_word(rest, &word))
		return false;
	at = (const char *)word.at;
	return state_decimal(&at, UINT32_MAX * 4ull, number) &&
	       at == (const char *)word.at + word.len;
}

static bool read_jti(struct span *rest, enum revocation_change change, struct revocation *r)
{
	struct span word;

	return read_word(rest, &word) && read_hash(word, &r->jti) &&
	       (change == REVOCATION_END || read_time(rest, &r->until_s));
}

static bool line_read(struct span line, const uint8_t key[16], enum revocation_change *change,
		      struct revocation *r)
{
	struct span sum, rest = line;
	uint32_t word, kind;
	uint64_t checksum;

	*r = (struct revocation){0};
	if (!span_take(&rest, CHECKSUM_DIGITS, &sum) || !read_hash(sum, &checksum) ||
	    checksum != siphash(key, rest) || !read_choice(&rest, change_words, 2, &word) ||
	    !read_choice(&rest, kind_words, REVOCATION_KINDS, &kind))
		return false;
	*change = (enum revocation_change)word;
	r->kind = (enum revocation_kind)kind;
	if (r->kind == REVOCATION_JTI && !read_jti(&rest, *change, r))
		return false;
	if (r->kind == REVOCATION_KEY && !read_word(&rest, &r->issuer))
		return false;
	if (r->kind != REVOCATION_JTI && !read_word(&rest, &r->name))
		return false;
	return rest.len == 0;
}

/* ---- reading the file ------------------------------------------------------------------------ */

/**
 * A write that a crash interrupted leaves the beginning of a line, or zeros where bytes of it never
 * came to the disk. Nobody was told that it is kept.
 */
static bool read_is_torn(struct span last)
{
	return last.len <= LINE_MAX_BYTES &&
	       (span_find(last, '\n') == last.len || span_find(last, '\0') < last.len);
}

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
			if (behind.len == 0 && read_is_torn(text))
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
