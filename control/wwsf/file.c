/* SPDX-License-Identifier: BSD-3-Clause */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

/** Reads up to size bytes. Returns how many there were, or -1 with errno. */
static ssize_t file_read_all(int fd, char *into, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, into + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static enum gw_err file_load_open(int fd, uint32_t max, struct file *file)
{
	struct stat about;
	enum gw_err err = GW_SYSTEM;
	size_t size;
	ssize_t len;
	char *text;

	if (fstat(fd, &about) != 0)
		return GW_SYSTEM;
	/* a pipe tells no size: room for max; one byte more than expected shows a file that grew */
	size = S_ISREG(about.st_mode) ? (size_t)about.st_size : max;
	if (size > max)
		return GW_CONFIG;
	text = malloc(size + 1);
	if (text == NULL)
		return GW_NO_MEMORY;
	len = file_read_all(fd, text, size + 1);
	if (len < 0)
		goto free_text;
	if ((size_t)len > size) {
		err = GW_CONFIG;
		goto free_text;
	}
	text[len] = '\0';
	*file = (struct file){text, (uint32_t)len};
	return GW_OK;

free_text:
	OPENSSL_cleanse(text, size + 1);
	free(text);
	return err;
}

enum gw_err file_load(const char *path, uint32_t max, struct file *file, struct reason *reason)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum gw_err err;

	if (fd < 0) {
		reason_set(reason, "%s: %s", path, strerror(errno));
		return GW_SYSTEM;
	}
	err = file_load_open(fd, max, file);
	if (err == GW_CONFIG)
		reason_set(reason, "%s: longer than %u bytes, or changed while it was read", path,
			   max);
	else if (err != GW_OK)
		reason_set(reason, "%s: %s", path, strerror(err == GW_NO_MEMORY ? ENOMEM : errno));
	close(fd);
	return err;
}

void file_fini(struct file *file)
{
	if (file->text != NULL)
		OPENSSL_cleanse(file->text, file->len);
	free(file->text);
	*file = (struct file){0};
}
