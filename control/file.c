/* SPDX-License-Identifier: BSD-3-Clause */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *file_system_text(void)
{
	const char *text = strerrordesc_np(errno);

	return text != NULL ? text : "system call failed";
}

const char *file_read_from(int fd, uint32_t max, struct arena *arena, struct span *text)
{
	struct stat about;
	uint32_t have = 0;
	uint8_t *bytes;
	ssize_t n;

	if (fstat(fd, &about) != 0)
		return file_system_text();
	if (!S_ISREG(about.st_mode))
		return "not a regular file";
	if (about.st_size > (off_t)max)
		return "longer than it may be";
	bytes = arena_get(arena, (size_t)about.st_size + 1);
	while (have < (uint32_t)about.st_size) {
		n = read(fd, bytes + have, (size_t)about.st_size - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_system_text();
		if (n == 0)
			break; /* it became shorter: what is there is what counts */
		have += (uint32_t)n;
	}
	*text = span_of(bytes, have);
	return NULL;
}

const char *file_read(const char *path, uint32_t max, struct arena *arena, struct span *text)
{
	/* O_NONBLOCK: a FIFO in its place must not hold us */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *why;

	if (fd < 0)
		return file_system_text();
	why = file_read_from(fd, max, arena, text);
	close(fd);
	return why;
}

const char *file_beside(const char *from, const char *path, struct arena *arena)
{
	const char *slash = strrchr(from, '/');
	size_t folder = slash == NULL ? 0 : (size_t)(slash - from) + 1;
	size_t len = strlen(path);
	char *whole;

	if (path[0] == '/' || folder == 0)
		return path;
	whole = arena_get(arena, folder + len + 1);
	memcpy(whole, from, folder);
	memcpy(whole + folder, path, len);
	return whole;
}
