/* SPDX-License-Identifier: BSD-3-Clause */
#include "assignment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "writer.h"

enum {
	LINE_SIZE = 1024,
	UNTIL_DIGITS = 15, /* fewer than overflow */
};

/* ---- reading --------------------------------------------------------------------------------- */

/** Takes what is in front of the next space. */
static struct span word_take(struct span *rest)
{
	uint32_t len = span_find(*rest, ' ');
	struct span word = span_cut(*rest, 0, len);

	*rest = span_from(*rest, len + 1);
	return word;
}

static bool until_read(struct span word, uint64_t *until_s)
{
	uint64_t value = 0;

	if (word.len == 0 || word.len > UNTIL_DIGITS)
		return false;
	for (uint32_t i = 0; i < word.len; i++) {
		if (word.at[i] < '0' || word.at[i] > '9')
			return false;
		value = value * 10 + (word.at[i] - '0');
	}
	*until_s = value;
	return true;
}

/** 0 to 15, or -1. */
static int digit_read(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool subject_read(struct span word, uint8_t subject[ASSIGNMENT_SUBJECT])
{
	if (word.len != 2 * ASSIGNMENT_SUBJECT)
		return false;
	for (uint32_t i = 0; i < ASSIGNMENT_SUBJECT; i++) {
		int high = digit_read(word.at[2 * i]), low = digit_read(word.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		subject[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

enum gw_err assignment_line_read(struct span *rest, struct assignment_line *line)
{
	uint32_t len = span_find(*rest, '\n');
	struct span words = span_cut(*rest, 0, len);
	struct assignment_line read;

	if (len == rest->len)
		return GW_AGAIN;
	if (!until_read(word_take(&words), &read.until_s) ||
	    !subject_read(word_take(&words), read.subject) || words.len == 0)
		return GW_CONFIG;
	read.impu = words;
	*line = read;
	*rest = span_from(*rest, len + 1);
	return GW_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

bool assignment_file_put(int fd, const struct assignment_line *line)
{
	char text[LINE_SIZE];
	struct writer w;
	ssize_t written;

	writer_init(&w, text, sizeof(text));
	writer_decimal(&w, line->until_s);
	writer_u8(&w, ' ');
	writer_hex(&w, span_of(line->subject, sizeof(line->subject)));
	writer_u8(&w, ' ');
	writer_put(&w, line->impu);
	writer_u8(&w, '\n');
	errno = ENAMETOOLONG;
	if (!writer_ok(&w))
		return false;
	do
		written = write(fd, text, writer_len(&w));
	while (written < 0 && errno == EINTR);
	if (written >= 0 && (uint32_t)written < writer_len(&w))
		errno = ENOSPC;
	return written == (ssize_t)writer_len(&w);
}

bool assignment_file_add(int fd, const struct assignment_line *line)
{
	return assignment_file_put(fd, line) && fdatasync(fd) == 0;
}

/** The name of the file that is being written. */
static bool new_name(const char *path, char name[PATH_MAX])
{
	errno = ENAMETOOLONG;
	return snprintf(name, PATH_MAX, "%s.new", path) < PATH_MAX;
}

int assignment_file_begin(const char *path)
{
	char name[PATH_MAX];

	if (!new_name(path, name))
		return -1;
	return open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
}

/** A name is on the disk when its folder is. */
static bool folder_sync(const char *path)
{
	char copy[PATH_MAX];
	bool done;
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = fsync(fd) == 0;
	close(fd);
	return done;
}

bool assignment_file_end(const char *path, int fd)
{
	char name[PATH_MAX];

	return new_name(path, name) && fdatasync(fd) == 0 && rename(name, path) == 0 &&
	       folder_sync(path);
}
