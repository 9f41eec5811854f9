/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "control/journal_file.h"
#include "folder.h"
#include "lease.h"

static const uint8_t hash_key[16] = "a key of sixteen";

struct kept {
	struct folder folder;
	struct journal_file file;
	int state;
	uint64_t now_s;
	char why[128];
	/* what journal_file_each() has brought */
	uint32_t count, most;
	struct message_journal last;
};

static bool kept_open(struct kept *k)
{
	const struct journal_place place = {k->state, hash_key, k->now_s};
	const struct state_trouble t = {k->why, sizeof(k->why)};

	return journal_file_open(&k->file, &place, &t);
}

static void kept_again(struct kept *k)
{
	journal_file_close(&k->file);
	if (!kept_open(k))
		fail_msg("%s", k->why);
}

static void kept_begin(struct kept *k)
{
	memset(k, 0, sizeof(*k));
	k->now_s = LEASE_NOW_S;
	k->most = UINT32_MAX;
	folder_make(&k->folder);
	EXPECT_EQ(0, mkdir(folder_path(&k->folder, "state"), 0700));
	k->state = open(folder_path(&k->folder, "state"), O_RDONLY | O_DIRECTORY);
	assert_true(k->state >= 0 && kept_open(k));
}

static void kept_end(struct kept *k)
{
	journal_file_close(&k->file);
	close(k->state);
	folder_remove(&k->folder);
}

static const char *kept_path(const struct kept *k)
{
	return folder_path(&k->folder, "state/leases");
}

static void tell(struct kept *k, struct message_journal m)
{
	const char *why = journal_file_append(&k->file, &m);

	if (why != NULL)
		fail_msg("%s", why);
}

static bool take(void *context, const struct message_journal *m)
{
	struct kept *k = context;

	k->last = *m;
	return ++k->count < k->most;
}

/** How many bindings the file has, each read back. */
static uint32_t count(struct kept *k)
{
	k->count = 0;
	EXPECT(journal_file_each(&k->file, take, k));
	EXPECT_EQ(k->file.live, k->count);
	return k->count;
}

static uint64_t size_of(const struct kept *k)
{
	struct stat about;

	EXPECT_EQ(0, stat(kept_path(k), &about));
	return (uint64_t)about.st_size;
}

static void put_behind(const struct kept *k, const void *bytes, size_t len)
{
	FILE *out = fopen(kept_path(k), "a");

	assert_non_null(out);
	EXPECT_EQ(len, fwrite(bytes, 1, len, out));
	EXPECT_EQ(0, fclose(out));
}

TEST(file, is_made_for_its_owner_alone)
{
	struct stat about;
	struct kept k;

	kept_begin(&k);
	EXPECT_EQ(0, stat(kept_path(&k), &about));
	EXPECT_EQ(0600, about.st_mode & 07777);
	EXPECT_EQ(0, count(&k));
	kept_end(&k);
}

TEST(file, that_others_may_read_is_refused)
{
	struct kept k;

	kept_begin(&k);
	journal_file_close(&k.file);
	EXPECT_EQ(0, chmod(kept_path(&k), 0640));
	EXPECT(!kept_open(&k));
	EXPECT_TEXT("leases: permissions too open, others may not use it", k.why);
	kept_end(&k);
}

TEST(file, that_is_a_link_is_refused)
{
	struct kept k;

	kept_begin(&k);
	journal_file_close(&k.file);
	EXPECT_EQ(0, unlink(kept_path(&k)));
	EXPECT_EQ(0, symlink("/dev/null", kept_path(&k)));
	EXPECT(!kept_open(&k));
	kept_end(&k);
}

TEST(file, has_the_last_word_of_each_binding_when_it_is_opened_again)
{
	struct message_journal m;
	struct kept k;

	kept_begin(&k);
	for (uint32_t n = 0; n < 5; n++)
		tell(&k, lease_message(n));
	m = lease_message(3);
	m.exp_s += 77;
	m.state = JOURNAL_LEAVING;
	tell(&k, m);
	for (uint32_t n = 0; n < 5; n++)
		if (n != 3)
			tell(&k, lease_over(n));
	for (uint32_t turn = 0; turn < 2; turn++) {
		EXPECT_EQ(1, count(&k));
		EXPECT_EQ(3, k.last.id.slot);
		EXPECT_EQ(m.exp_s, k.last.exp_s);
		EXPECT_EQ(JOURNAL_LEAVING, k.last.state);
		EXPECT_EQ(10, k.file.lines);
		kept_again(&k);
	}
	kept_end(&k);
}

TEST(file, tells_bindings_of_one_slot_apart)
{
	struct message_journal m = lease_message(1);
	struct kept k;

	kept_begin(&k);
	tell(&k, m);
	m.id.generation++;
	tell(&k, m);
	m.id.worker++;
	tell(&k, m);
	EXPECT_EQ(3, count(&k));
	tell(&k, lease_over(1));
	kept_again(&k);
	EXPECT_EQ(2, count(&k));
	kept_end(&k);
}

TEST(file, has_no_line_for_the_end_of_what_it_never_had)
{
	struct kept k;

	kept_begin(&k);
	tell(&k, lease_over(1));
	EXPECT_EQ(0, size_of(&k));
	kept_end(&k);
}

TEST(file, forgets_what_is_over_for_the_core_and_for_the_token)
{
	struct message_journal m = lease_message(1); /* held for 600 s, its token for 900 s */
	struct kept k;

	kept_begin(&k);
	tell(&k, m);
	m = lease_message(2);
	m.until_s = LEASE_NOW_S + 2000;
	tell(&k, m);
	k.now_s = LEASE_NOW_S + 899;
	kept_again(&k);
	EXPECT_EQ(2, count(&k));
	k.now_s = LEASE_NOW_S + 900;
	kept_again(&k);
	EXPECT_EQ(1, count(&k));
	EXPECT_EQ(2, k.last.id.slot);
	k.now_s = LEASE_NOW_S + 2000;
	kept_again(&k);
	EXPECT_EQ(0, count(&k));
	kept_end(&k);
}

TEST(file, that_a_crash_has_cut_anywhere_has_all_lines_before)
{
	struct message_journal m = lease_message(1);
	uint64_t first, second;
	struct kept k;

	kept_begin(&k);
	tell(&k, m);
	first = size_of(&k);
	tell(&k, lease_message(2));
	second = size_of(&k);
	for (uint64_t cut = second; cut >= first; cut--) {
		EXPECT_EQ(0, truncate(kept_path(&k), (off_t)cut));
		kept_again(&k);
		EXPECT_EQ(cut == second ? 2 : 1, count(&k));
		EXPECT_EQ(cut == second ? 0 : cut - first, k.file.torn);
		EXPECT_EQ(cut == second ? second : first, size_of(&k));
		tell(&k, lease_message(2)); /* it goes on behind them */
		kept_again(&k);
		EXPECT_EQ(2, count(&k));
		EXPECT_EQ(0, k.file.damaged);
	}
	kept_end(&k);
}

TEST(file, passes_over_a_damaged_line_and_has_the_others)
{
	struct kept k;
	int fd;

	kept_begin(&k);
	for (uint32_t n = 0; n < 3; n++)
		tell(&k, lease_message(n));
	fd = open(kept_path(&k), O_WRONLY);
	EXPECT_EQ(1, pwrite(fd, "X", 1, (off_t)(size_of(&k) / 2)));
	close(fd);
	kept_again(&k);
	EXPECT_EQ(2, count(&k));
	EXPECT_EQ(1, k.file.damaged);
	EXPECT_EQ(2, k.file.damaged_line);
	tell(&k, lease_message(7));
	kept_again(&k);
	EXPECT_EQ(3, count(&k));
	kept_end(&k);
}

TEST(file, with_blocks_of_garbage_has_the_lines_around_them)
{
	static uint8_t zeros[200000];
	struct kept k;

	kept_begin(&k);
	tell(&k, lease_message(1));
	put_behind(&k, zeros, sizeof(zeros)); /* a hole: no line feed in it */
	put_behind(&k, "\n", 1);
	journal_file_close(&k.file);
	assert_true(kept_open(&k));
	EXPECT_EQ(1, count(&k));
	EXPECT(k.file.damaged > 0);
	tell(&k, lease_message(2));
	kept_again(&k);
	EXPECT_EQ(2, count(&k));
	put_behind(&k, zeros, sizeof(zeros)); /* and one that ends nowhere */
	kept_again(&k);
	EXPECT_EQ(2, count(&k));
	tell(&k, lease_message(3));
	kept_again(&k);
	EXPECT_EQ(3, count(&k));
	kept_end(&k);
}

TEST(file, of_more_than_a_block_is_read_whole)
{
	struct kept k;

	kept_begin(&k);
	for (uint32_t n = 0; n < 1000; n++)
		tell(&k, lease_message(n));
	EXPECT(size_of(&k) > 3 * 65536);
	kept_again(&k);
	EXPECT_EQ(1000, count(&k));
	EXPECT_EQ(0, k.file.damaged);
	EXPECT_EQ(0, k.file.torn);
	kept_end(&k);
}

TEST(file, is_written_anew_when_most_of_it_is_history)
{
	struct kept k;

	kept_begin(&k);
	for (uint32_t i = 0; i < 1100; i++)
		tell(&k, lease_message(i % 10));
	EXPECT(journal_file_compact(&k.file, k.now_s) == NULL);
	EXPECT_EQ(10, k.file.lines);
	EXPECT_EQ(k.file.size, size_of(&k));
	EXPECT_EQ(10, count(&k));
	tell(&k, lease_over(4)); /* into the new one */
	kept_again(&k);
	EXPECT_EQ(9, count(&k));
	EXPECT(access(folder_path(&k.folder, "state/leases.new"), F_OK) != 0);
	kept_end(&k);
}

TEST(file, is_left_alone_while_it_is_short_or_needed)
{
	struct kept k;

	kept_begin(&k);
	for (uint32_t i = 0; i < 1000; i++)
		tell(&k, lease_message(0));
	EXPECT(journal_file_compact(&k.file, k.now_s) == NULL);
	EXPECT_EQ(1000, k.file.lines);
	for (uint32_t i = 0; i < 1000; i++)
		tell(&k, lease_message(i));
	EXPECT(journal_file_compact(&k.file, k.now_s) == NULL);
	EXPECT_EQ(2000, k.file.lines);
	tell(&k, lease_message(0));
	EXPECT(journal_file_compact(&k.file, k.now_s) == NULL);
	EXPECT_EQ(1000, k.file.lines);
	kept_end(&k);
}

TEST(file, loses_what_is_over_when_it_is_written_anew)
{
	struct message_journal m = lease_message(1);
	struct kept k;

	kept_begin(&k);
	m.until_s += 1000;
	tell(&k, m);
	for (uint32_t i = 0; i < 1100; i++)
		tell(&k, lease_message(2));
	EXPECT(journal_file_compact(&k.file, LEASE_NOW_S + 1000) == NULL);
	EXPECT_EQ(1, count(&k));
	EXPECT_EQ(1, k.last.id.slot);
	tell(&k, lease_over(2)); /* said late */
	EXPECT_EQ(1, k.file.lines);
	kept_end(&k);
}

TEST(file, that_cannot_be_written_anew_grows_and_is_tried_again_later)
{
	struct kept k;

	kept_begin(&k);
	for (uint32_t i = 0; i < 1100; i++)
		tell(&k, lease_message(i % 10));
	EXPECT_EQ(0, mkdir(folder_path(&k.folder, "state/leases.new"), 0700));
	EXPECT(journal_file_compact(&k.file, k.now_s) != NULL);
	EXPECT_EQ(10, count(&k));
	EXPECT_EQ(1100, k.file.lines);
	EXPECT(journal_file_compact(&k.file, k.now_s) == NULL); /* not at once */
	for (uint32_t i = 0; i < 1100; i++)
		tell(&k, lease_message(i % 10));
	EXPECT(journal_file_compact(&k.file, k.now_s) != NULL);
	EXPECT_EQ(0, rmdir(folder_path(&k.folder, "state/leases.new")));
	for (uint32_t i = 0; i < 1100; i++)
		tell(&k, lease_message(i % 10));
	EXPECT(journal_file_compact(&k.file, k.now_s) == NULL);
	EXPECT_EQ(10, k.file.lines);
	EXPECT_EQ(10, count(&k));
	kept_end(&k);
}

TEST(file, says_why_a_line_does_not_fit_and_has_all_that_did)
{
	struct message_journal m = lease_message(2);
	struct rlimit before, little;
	struct kept k;

	/* a limit of the process stands for a full disk: EFBIG, not ENOSPC */
	signal(SIGXFSZ, SIG_IGN);
	kept_begin(&k);
	tell(&k, lease_message(1));
	EXPECT_EQ(0, getrlimit(RLIMIT_FSIZE, &before));
	little = (struct rlimit){k.file.size + 10, before.rlim_max};
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &little));
	EXPECT(journal_file_append(&k.file, &m) != NULL);
	EXPECT(journal_file_append(&k.file, &m) != NULL);
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &before));
	EXPECT_EQ(k.file.size, size_of(&k)); /* nothing of it */
	EXPECT_EQ(1, count(&k));
	tell(&k, m);
	kept_again(&k);
	EXPECT_EQ(2, count(&k));
	kept_end(&k);
}

TEST(file, that_the_disk_may_not_have_is_written_anew)
{
	struct kept k;
	int reader[2];

	kept_begin(&k);
	tell(&k, lease_message(1));
	EXPECT(journal_file_sync(&k.file) == NULL);
	EXPECT(!k.file.unsynced);
	tell(&k, lease_message(2));
	EXPECT_EQ(0, pipe(reader)); /* what nobody can sync stands for a disk that fails */
	EXPECT_EQ(k.file.fd, dup2(reader[1], k.file.fd));
	EXPECT(journal_file_sync(&k.file) != NULL);
	EXPECT(k.file.unsure);
	close(k.file.fd);
	EXPECT_EQ(k.file.fd, open(kept_path(&k), O_RDWR));
	EXPECT(journal_file_compact(&k.file, k.now_s) == NULL);
	EXPECT(!k.file.unsure);
	EXPECT_EQ(2, count(&k));
	close(reader[0]);
	close(reader[1]);
	kept_end(&k);
}

TEST(file, stops_where_its_reader_has_enough)
{
	struct kept k;

	kept_begin(&k);
	for (uint32_t n = 0; n < 5; n++)
		tell(&k, lease_message(n));
	k.most = 2;
	EXPECT(!journal_file_each(&k.file, take, &k));
	EXPECT_EQ(2, k.count);
	kept_end(&k);
}

TEST(file, passes_over_a_line_that_was_damaged_under_its_hands)
{
	struct kept k;
	int fd;

	kept_begin(&k);
	tell(&k, lease_message(1));
	tell(&k, lease_message(2));
	fd = open(kept_path(&k), O_WRONLY);
	EXPECT_EQ(1, pwrite(fd, "X", 1, 0));
	close(fd);
	k.count = 0;
	EXPECT(journal_file_each(&k.file, take, &k));
	EXPECT_EQ(1, k.count);
	EXPECT_EQ(2, k.last.id.slot);
	EXPECT_EQ(1, k.file.damaged);
	kept_end(&k);
}

TEST(file, counts_a_message_that_is_not_whole)
{
	struct message_journal m = lease_message(1);
	struct kept k;

	kept_begin(&k);
	m.impi_len++;
	EXPECT(journal_file_append(&k.file, &m) == NULL);
	EXPECT_EQ(1, k.file.damaged);
	EXPECT_EQ(0, size_of(&k));
	kept_end(&k);
}

TEST_MAIN("journal_file", RUN(file, is_made_for_its_owner_alone),
	  RUN(file, that_others_may_read_is_refused), RUN(file, that_is_a_link_is_refused),
	  RUN(file, has_the_last_word_of_each_binding_when_it_is_opened_again),
	  RUN(file, tells_bindings_of_one_slot_apart),
	  RUN(file, has_no_line_for_the_end_of_what_it_never_had),
	  RUN(file, forgets_what_is_over_for_the_core_and_for_the_token),
	  RUN(file, that_a_crash_has_cut_anywhere_has_all_lines_before),
	  RUN(file, passes_over_a_damaged_line_and_has_the_others),
	  RUN(file, with_blocks_of_garbage_has_the_lines_around_them),
	  RUN(file, of_more_than_a_block_is_read_whole),
	  RUN(file, is_written_anew_when_most_of_it_is_history),
	  RUN(file, is_left_alone_while_it_is_short_or_needed),
	  RUN(file, loses_what_is_over_when_it_is_written_anew),
	  RUN(file, that_cannot_be_written_anew_grows_and_is_tried_again_later),
	  RUN(file, says_why_a_line_does_not_fit_and_has_all_that_did),
	  RUN(file, that_the_disk_may_not_have_is_written_anew),
	  RUN(file, stops_where_its_reader_has_enough),
	  RUN(file, passes_over_a_line_that_was_damaged_under_its_hands),
	  RUN(file, counts_a_message_that_is_not_whole))
