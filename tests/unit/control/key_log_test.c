/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "control/key_log.h"
#include "folder.h"
#include "message.h"

struct told {
	struct message_head head;
	char line[8];
};

static struct span told(const char *line)
{
	static struct told t;

	t.head = (struct message_head){MESSAGE_KEY_LOG, sizeof(t)};
	memcpy(t.line, line, sizeof(t.line));
	return span_of(&t, sizeof(t));
}

TEST(key_log, appends_a_line_for_each_message_to_a_file_of_ours_alone)
{
	struct folder folder;
	struct stat about;
	char *text;
	int fd = -1;

	folder_make(&folder);
	for (int i = 0; i < 2; i++) {
		assert_null(key_log_open(folder_path(&folder, "keys.log"), &fd));
		EXPECT(key_log_write(fd, told("CLIENT 1")));
		EXPECT(key_log_write(fd, told("SERVER 2")));
		close(fd);
	}
	EXPECT_EQ(0, stat(folder_path(&folder, "keys.log"), &about));
	EXPECT_EQ(0600, about.st_mode & 07777);
	text = folder_read(folder_path(&folder, "keys.log"));
	EXPECT_TEXT("CLIENT 1\nSERVER 2\nCLIENT 1\nSERVER 2\n", text);
	free(text);
	folder_remove(&folder);
}

TEST(key_log, is_refused_where_others_could_read_it)
{
	struct folder folder;
	int fd = -1;

	folder_make(&folder);
	EXPECT_TEXT("No such file or directory",
		    key_log_open(folder_path(&folder, "nowhere/keys.log"), &fd));
	folder_write(&folder, "keys.log", "");
	EXPECT_EQ(0, chmod(folder_path(&folder, "keys.log"), 0644));
	EXPECT_TEXT("not a file of ours that others may not use",
		    key_log_open(folder_path(&folder, "keys.log"), &fd));
	EXPECT_TEXT("Is a directory", key_log_open(folder_path(&folder, ""), &fd));
	EXPECT_EQ(-1, fd);
	folder_remove(&folder);
}

TEST(key_log, says_when_a_line_is_lost)
{
	int fd = open("/dev/full", O_WRONLY);

	EXPECT(!key_log_write(fd, told("CLIENT 1")));
	close(fd);
}

TEST_MAIN("key_log", RUN(key_log, appends_a_line_for_each_message_to_a_file_of_ours_alone),
	  RUN(key_log, is_refused_where_others_could_read_it),
	  RUN(key_log, says_when_a_line_is_lost))
