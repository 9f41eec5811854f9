/* SPDX-License-Identifier: BSD-3-Clause */
#include "path.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

/** The value of a hexadecimal digit, or -1. */
static int path_hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** The byte two hexadecimal digits stand for, or -1. */
static int path_escape(struct span digits)
{
	int high = path_hex(span_at(digits, 0)), low = path_hex(span_at(digits, 1));

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

enum gw_err path_unescape(struct span raw, struct writer *out)
{
	for (uint32_t i = 0; i < raw.len; i++) {
		int c = raw.at[i];

		if (c == '%') {
			c = path_escape(span_cut(raw, i + 1, 2));
			i += 2;
		}
		if (c < ' ' || c > '~')
			return GW_HTTP_SYNTAX;
		writer_u8(out, (uint8_t)c);
	}
	return writer_ok(out) ? GW_OK : GW_HTTP_TOO_LONG;
}

/** Segments between slashes, none empty, none hidden, none a step up. */
static bool path_is_plain(struct span path)
{
	uint32_t len;

	if (span_find(path, '\\') != path.len)
		return false;
	for (;; path = span_from(path, len + 1)) {
		if (path.len == 0 || path.at[0] == '/' || path.at[0] == '.')
			return false;
		len = span_find(path, '/');
		if (len == path.len)
			return true;
	}
}

enum gw_err path_read(struct span raw, char name[PATH_SIZE])
{
	struct writer w;
	enum gw_err err;

	if (!span_starts(raw, SPAN("/")))
		return GW_HTTP_SYNTAX;
	writer_init(&w, name, PATH_SIZE);
	err = path_unescape(span_from(raw, 1), &w);
	if (err != GW_OK)
		return err;
	if (writer_len(&w) == 0 || w.at[-1] == '/')
		writer_text(&w, "index.html");
	if (!path_is_plain(writer_span(&w)))
		return GW_HTTP_SYNTAX;
	writer_u8(&w, '\0');
	return writer_ok(&w) ? GW_OK : GW_HTTP_TOO_LONG;
}

/** Opens the folder that holds the file; *name moves to the file's own name. Closes nothing but
 * what it opened. */
static int path_open_folder(int root, const char **name)
{
	int folder = dup(root);

	while (folder >= 0 && strchr(*name, '/') != NULL) {
		char segment[PATH_SIZE];
		struct writer w;
		int above = folder;

		writer_init(&w, segment, sizeof(segment));
		writer_bytes(&w, *name, (uint32_t)strcspn(*name, "/"));
		writer_u8(&w, '\0');
		*name = strchr(*name, '/') + 1;
		folder = openat(above, segment, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(above);
	}
	return folder;
}

int path_open(int root, const char *name, uint64_t *size)
{
	int folder = path_open_folder(root, &name);
	struct stat about;
	int fd;

	if (folder < 0)
		return -1;
	/* not blocking: the name may be a pipe's, which nobody writes */
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	close(folder);
	if (fd < 0)
		return -1;
	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
		close(fd);
		return -1;
	}
	*size = (uint64_t)about.st_size;
	return fd;
}

const char *path_content_type(const char *name)
{
	static const struct {
		const char *ending;
		const char *type;
	} types[] = {
		{".html", "text/html; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".json", "application/json"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".ico", "image/vnd.microsoft.icon"},
	};
	const char *ending = strrchr(name, '.');

	for (size_t i = 0; ending != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(ending, types[i].ending) == 0)
			return types[i].type;
	return "application/octet-stream";
}
