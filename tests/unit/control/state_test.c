/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "control/state.h"
#include "folder.h"

static const char *open_state(struct state *kept, const struct folder *folder)
{
	static char why[256];

	return state_open(kept, folder_path(folder, "state"), why, sizeof(why));
}

static void expect_refused(const struct folder *folder, const char *part)
{
	struct state kept;
	const char *why = open_state(&kept, folder);

	assert_non_null(why);
	if (strstr(why, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, why);
	EXPECT_EQ(-1, kept.folder);
	EXPECT_EQ(0, kept.flow_key_count);
}

/** A state directory with its files in place. */
static void begin(struct folder *folder)
{
	struct state kept;

	folder_make(folder);
	assert_null(open_state(&kept, folder));
	state_close(&kept);
}

TEST(state, makes_its_folder_and_files_for_nobody_else)
{
	static const char *const files[] = {"state/flow.keys", "state/hash.key", "state/epoch"};
	struct folder folder;
	struct stat about;

	begin(&folder);
	EXPECT_EQ(0, stat(folder_path(&folder, "state"), &about));
	EXPECT_EQ(0700, about.st_mode & 07777);
	for (size_t i = 0; i < 3; i++) {
		EXPECT_EQ(0, stat(folder_path(&folder, files[i]), &about));
		EXPECT_EQ(0600, about.st_mode & 07777);
	}
	folder_remove(&folder);
}

TEST(state, keeps_its_keys_over_a_restart)
{
	struct state first, second;
	struct folder folder;

	folder_make(&folder);
	assert_null(open_state(&first, &folder));
	close(first.folder);
	assert_null(open_state(&second, &folder));
	EXPECT_EQ(1, first.flow_key_count);
	EXPECT_EQ(1, second.flow_key_count);
	EXPECT_EQ(first.flow_key[0].id, second.flow_key[0].id);
	EXPECT_BYTES(first.flow_key[0].secret, second.flow_key[0].secret, 32);
	EXPECT_BYTES(first.hash_key, second.hash_key, 16);
	state_close(&second);
	folder_remove(&folder);
}

TEST(state, makes_other_keys_in_another_folder)
{
	struct folder one, two;
	struct state a, b;

	folder_make(&one);
	folder_make(&two);
	assert_null(open_state(&a, &one));
	assert_null(open_state(&b, &two));
	assert_memory_not_equal(a.flow_key[0].secret, b.flow_key[0].secret, 32);
	assert_memory_not_equal(a.hash_key, b.hash_key, 16);
	state_close(&a);
	state_close(&b);
	folder_remove(&one);
	folder_remove(&two);
}

TEST(state, counts_every_start_upwards)
{
	struct folder folder;
	uint32_t last = 0;
	struct state kept;

	folder_make(&folder);
	for (int i = 0; i < 5; i++) {
		assert_null(open_state(&kept, &folder));
		EXPECT(kept.epoch >= last + (1u << 20));
		last = kept.epoch;
		state_close(&kept);
	}
	folder_remove(&folder);
}

TEST(state, is_for_one_process_at_a_time)
{
	struct folder folder;
	struct state kept;

	folder_make(&folder);
	assert_null(open_state(&kept, &folder));
	expect_refused(&folder, "in use by another process");
	state_close(&kept);
	assert_null(open_state(&kept, &folder));
	state_close(&kept);
	folder_remove(&folder);
}

TEST(state, refuses_permissions_that_are_too_open)
{
	struct folder folder;

	begin(&folder);
	chmod(folder_path(&folder, "state/flow.keys"), 0640);
	expect_refused(&folder, "flow.keys: permissions too open");
	chmod(folder_path(&folder, "state/flow.keys"), 0600);
	chmod(folder_path(&folder, "state/hash.key"), 0604);
	expect_refused(&folder, "hash.key: permissions too open");
	chmod(folder_path(&folder, "state/hash.key"), 0600);
	chmod(folder_path(&folder, "state"), 0750);
	expect_refused(&folder, "state: permissions too open");
	folder_remove(&folder);
}

TEST(state, refuses_a_link_in_place_of_a_key)
{
	struct folder folder;

	begin(&folder);
	EXPECT_EQ(0, unlink(folder_path(&folder, "state/flow.keys")));
	EXPECT_EQ(0, symlink("/dev/zero", folder_path(&folder, "state/flow.keys")));
	expect_refused(&folder, "flow.keys: ");
	folder_remove(&folder);
}

TEST(state, refuses_damaged_files_and_leaves_them_alone)
{
	static const char *const damaged[] = {
		"",
		"1\n",
		"1 00\n",
		"256 ",
		"1 zz\n",
		("1 0000000000000000000000000000000000000000000000000000000000000000\n"
		 "1 0000000000000000000000000000000000000000000000000000000000000001\n"),
	};
	struct folder folder;
	struct stat about;

	begin(&folder);
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		folder_write(&folder, "state/flow.keys", damaged[i]);
		expect_refused(&folder, "flow.keys: ");
		EXPECT_EQ(0, stat(folder_path(&folder, "state/flow.keys"), &about));
		EXPECT_EQ(strlen(damaged[i]), about.st_size);
	}
	folder_remove(&folder);
}

TEST(state, reads_two_flow_keys_and_signs_with_the_first)
{
	struct folder folder;
	struct state kept;

	begin(&folder);
	folder_write(&folder, "state/flow.keys",
		     "9 0100000000000000000000000000000000000000000000000000000000000000\n"
		     "255 0200000000000000000000000000000000000000000000000000000000000000\n");
	assert_null(open_state(&kept, &folder));
	EXPECT_EQ(2, kept.flow_key_count);
	EXPECT_EQ(9, kept.flow_key[0].id);
	EXPECT_EQ(1, kept.flow_key[0].secret[0]);
	EXPECT_EQ(255, kept.flow_key[1].id);
	state_close(&kept);
	folder_remove(&folder);
}

TEST(state, wipes_its_keys_when_closed)
{
	static const struct state wiped = {.folder = -1};
	struct folder folder;
	struct state kept;

	folder_make(&folder);
	assert_null(open_state(&kept, &folder));
	state_close(&kept);
	EXPECT_BYTES(wiped.flow_key, kept.flow_key, sizeof(wiped.flow_key));
	EXPECT_BYTES(wiped.hash_key, kept.hash_key, sizeof(wiped.hash_key));
	folder_remove(&folder);
}

TEST_MAIN("state", RUN(state, makes_its_folder_and_files_for_nobody_else),
	  RUN(state, keeps_its_keys_over_a_restart), RUN(state, makes_other_keys_in_another_folder),
	  RUN(state, counts_every_start_upwards), RUN(state, is_for_one_process_at_a_time),
	  RUN(state, refuses_permissions_that_are_too_open),
	  RUN(state, refuses_a_link_in_place_of_a_key),
	  RUN(state, refuses_damaged_files_and_leaves_them_alone),
	  RUN(state, reads_two_flow_keys_and_signs_with_the_first),
	  RUN(state, wipes_its_keys_when_closed))
