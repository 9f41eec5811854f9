/* SPDX-License-Identifier: BSD-3-Clause */
#include "state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool state_file_fail(const struct state_trouble *t, const char *file, const char *why)
{
	snprintf(t->text, t->size, "%s: %s", file, why);
	return false;
}

bool state_file_fail_system(const struct state_trouble *t, const char *file)
{
	return state_file_fail(t, file, strerrordesc_np(errno));
}

bool state_file_private(const struct state_trouble *t, const char *file, int fd, mode_t kind)
{
	struct stat about;

	if (fstat(fd, &about) != 0)
		return state_file_fail_system(t, file);
	if ((about.st_mode & S_IFMT) != kind)
		return state_file_fail(t, file, "not the kind of file it must be");
	if (about.st_uid != geteuid())
		return state_file_fail(t, file, "belongs to another user");
	if ((about.st_mode & 077) != 0)
		return state_file_fail(t, file, "permissions too open, others may not use it");
	return true;
}

enum state_found state_file_read(int folder, const struct state_trouble *t, const char *file,
				 char text[STATE_FILE_MAX])
{
	int fd = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum state_found found = STATE_TROUBLE;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return STATE_MISSING;
	if (fd < 0) {
		state_file_fail_system(t, file);
		return STATE_TROUBLE;
	}
	if (!state_file_private(t, file, fd, S_IFREG))
		goto close_file;
	n = read(fd, text, STATE_FILE_MAX);
	if (n < 0)
		state_file_fail_system(t, file);
	else if (n == STATE_FILE_MAX)
		state_file_fail(t, file, "longer than it may be");
	else
		found = STATE_FOUND;
	if (found == STATE_FOUND)
		text[n] = '\0';
close_file:
	close(fd);
	return found;
}

static bool file_write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	return write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
}

bool state_file_write(int folder, const struct state_trouble *t, const char *file, const char *text,
		      unsigned flags)
{
	char beside[64];
	bool good;
	int fd;

	snprintf(beside, sizeof(beside), "%s.new", file);
	unlinkat(folder, beside, 0); /* what a crash left */
	fd = openat(folder, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return state_file_fail_system(t, file);
	good = file_write_all(fd, text);
	if (close(fd) != 0 || !good) {
		state_file_fail_system(t, file);
		unlinkat(folder, beside, 0);
		return false;
	}
	if (renameat2(folder, beside, folder, file, flags) != 0 || fsync(folder) != 0)
		return state_file_fail_system(t, file);
	return true;
}

static int state_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool state_hex(const char **at, uint8_t *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		int high = state_hex_digit((*at)[0]);
		int low = high < 0 ? -1 : state_hex_digit((*at)[1]);

		if (low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
		*at += 2;
	}
	return true;
}

void state_hex_write(char *text, const uint8_t *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

bool state_decimal(const char **at, uint64_t max, uint64_t *number)
{
	const char *start = *at;

	for (*number = 0; **at >= '0' && **at <= '9'; (*at)++) {
		*number = *number * 10 + (uint64_t)(**at - '0');
		if (*number > max)
			return false;
	}
	return *at > start;
}
