/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/journal_file.h"
#include "control/state_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[16] = "a key of sixteen";
static char path[] = "/tmp/wicgate-fuzz-XXXXXX";
static int folder = -1;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void remove_folder(void)
{
	unlinkat(folder, "leases", 0);
	close(folder);
	rmdir(path);
}

static void make_folder(void)
{
	must(mkdtemp(path) != NULL);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(folder >= 0 && atexit(remove_folder) == 0);
}

/** A line that begins with ! is sealed, others stand as they are. */
static void write_file(struct span text)
{
	static uint8_t bytes[2 * JOURNAL_LINE_MAX];
	int fd = openat(folder, "leases", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(fd >= 0);
	while (text.len > 0) {
		struct span line = span_cut(text, 0, span_find(text, '\n'));
		bool whole = line.len < text.len;

		text = span_from(text, line.len + whole);
		if (whole && span_at(line, 0) == '!' && line.len <= JOURNAL_LINE_MAX)
			line = state_line_seal(key, span_from(line, 1), bytes, sizeof(bytes));
		else if (whole)
			line.len++; /* its line feed */
		must(write(fd, line.at, line.len) == (ssize_t)line.len);
	}
	close(fd);
}

static void open_file(struct journal_file *file)
{
	const struct journal_place place = {folder, key, 1795000000};
	char why[128];
	const struct state_trouble t = {why, sizeof(why)};

	must(journal_file_open(file, &place, &t));
}

static bool count(void *context, const struct message_journal *m)
{
	must(m->state != JOURNAL_OVER);
	++*(uint32_t *)context;
	return true;
}

static uint32_t bindings(struct journal_file *file)
{
	uint32_t n = 0;

	must(journal_file_each(file, count, &n) && n == file->live);
	return n;
}

/** One more, which no other file has. */
static void append(struct journal_file *file)
{
	struct message_journal m = {
		.head = {MESSAGE_JOURNAL, offsetof(struct message_journal, text) + 5},
		.id = {UINT16_MAX, 0, UINT32_MAX, UINT32_MAX},
		.exp_s = 1ull << 40,
		.impi_len = 1,
		.impu_len = 1,
		.wwsf_len = 1,
		.realm_len = 1,
		.contact_len = 1,
	};

	must(journal_file_append(file, &m) == NULL);
}

/** The bytes of a file. What was whole is there once more when the file is opened again, also with
 * a line behind it, and when it is written anew. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal_file file;
	uint32_t live, damaged;

	if (size > 256 * 1024)
		return 0;
	if (folder < 0)
		make_folder();
	write_file(span_of(data, (uint32_t)size));
	open_file(&file);
	live = bindings(&file);
	damaged = file.damaged;
	append(&file);
	must(file.live == live || file.live == live + 1);
	live = file.live;
	journal_file_close(&file);
	open_file(&file);
	must(bindings(&file) == live && file.damaged == damaged && file.torn == 0);
	file.unsure = true;
	must(journal_file_compact(&file, 1795000000) == NULL && bindings(&file) == live);
	journal_file_close(&file);
	open_file(&file);
	must(bindings(&file) == live && file.lines == live && file.damaged == 0);
	journal_file_close(&file);
	return 0;
}
