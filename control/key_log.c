/* SPDX-License-Identifier: BSD-3-Clause */
#include "key_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "message.h"
#include "state_file.h"

const char *key_log_open(const char *path, int *fd)
{
	char why[128];
	const struct state_trouble t = {why, sizeof(why)};
	int opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
			  0600);

	if (opened < 0)
		return strerrordesc_np(errno);
	if (state_file_private(&t, path, opened, S_IFREG)) {
		*fd = opened;
		return NULL;
	}
	close(opened);
	return "not a file of ours that others may not use";
}

bool key_log_write(int fd, struct span message)
{
	struct span line = span_from(message, sizeof(struct message_head));
	struct iovec parts[] = {{(void *)(uintptr_t)line.at, line.len}, {(char[]){'\n'}, 1}};

	return writev(fd, parts, 2) == (ssize_t)line.len + 1;
}
