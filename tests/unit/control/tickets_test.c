/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "control/tickets.h"
#include "folder.h"

#define HOUR 3600
#define NOW 1795000000

struct scene {
	struct folder folder;
	int state; /* the state directory */
	struct tickets tickets;
	char why[128];
};

static void begin(struct scene *s)
{
	*s = (struct scene){0};
	folder_make(&s->folder);
	EXPECT_EQ(0, mkdir(folder_path(&s->folder, "state"), 0700));
	s->state = open(folder_path(&s->folder, "state"), O_RDONLY | O_DIRECTORY);
	EXPECT(s->state >= 0);
	assert_null(tickets_open(&s->tickets, s->state, s->why, sizeof(s->why)));
}

static void end(struct scene *s)
{
	tickets_close(&s->tickets);
	close(s->state);
	folder_remove(&s->folder);
}

static void rotate(struct scene *s, uint64_t now_s)
{
	EXPECT(tickets_rotate(&s->tickets, s->state, now_s, HOUR, s->why, sizeof(s->why)));
	EXPECT_TEXT("", s->why);
}

/** What a restart finds. */
static void restart(struct scene *s)
{
	tickets_close(&s->tickets);
	assert_null(tickets_open(&s->tickets, s->state, s->why, sizeof(s->why)));
}

TEST(tickets, are_none_before_the_first_key)
{
	struct scene s;

	begin(&s);
	EXPECT_EQ(0, s.tickets.count);
	EXPECT(tickets_due(&s.tickets, NOW, HOUR));
	end(&s);
}

TEST(tickets, get_a_new_key_when_the_newest_is_old)
{
	struct scene s;

	begin(&s);
	rotate(&s, NOW);
	EXPECT(!tickets_due(&s.tickets, NOW, HOUR));
	EXPECT(!tickets_due(&s.tickets, NOW + HOUR - 1, HOUR));
	EXPECT(tickets_due(&s.tickets, NOW + HOUR, HOUR));
	end(&s);
}

TEST(tickets, get_a_new_key_when_the_clock_has_gone_back)
{
	struct scene s;

	begin(&s);
	rotate(&s, NOW);
	EXPECT(tickets_due(&s.tickets, NOW - 1, HOUR));
	rotate(&s, NOW - 1);
	EXPECT(!tickets_due(&s.tickets, NOW - 1, HOUR));
	EXPECT_EQ(2, s.tickets.count);
	end(&s);
}

TEST(tickets, keep_three_keys_the_newest_first)
{
	struct ticket_key made[4];
	struct scene s;

	begin(&s);
	for (uint32_t i = 0; i < 4; i++) {
		rotate(&s, NOW + i * HOUR);
		made[i] = s.tickets.key[0];
		for (uint32_t k = 0; k < i; k++)
			assert_memory_not_equal(&made[i], &made[k], sizeof(made[i]));
	}
	EXPECT_EQ(3, s.tickets.count);
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_BYTES(&made[3 - i], &s.tickets.key[i], sizeof(made[0]));
	end(&s);
}

TEST(tickets, let_go_of_keys_that_are_too_old)
{
	struct scene s;

	begin(&s);
	rotate(&s, NOW);
	rotate(&s, NOW + 3 * HOUR - 1);
	EXPECT_EQ(2, s.tickets.count);
	rotate(&s, NOW + 3 * HOUR);
	EXPECT_EQ(2, s.tickets.count);
	EXPECT_EQ(NOW + 3 * HOUR - 1, s.tickets.made_s[1]);
	end(&s);
}

TEST(tickets, keep_their_keys_over_a_restart_for_nobody_else)
{
	struct tickets before;
	struct scene s;
	struct stat about;

	begin(&s);
	for (uint32_t i = 0; i < 3; i++)
		rotate(&s, NOW + i * HOUR);
	EXPECT_EQ(0, stat(folder_path(&s.folder, "state/ticket.keys"), &about));
	EXPECT_EQ(0600, about.st_mode & 07777);
	before = s.tickets;
	restart(&s);
	EXPECT_EQ(before.count, s.tickets.count);
	EXPECT_BYTES(before.key, s.tickets.key, sizeof(before.key));
	EXPECT_BYTES(before.made_s, s.tickets.made_s, sizeof(before.made_s));
	end(&s);
}

TEST(tickets, are_refused_when_their_file_is_not_theirs)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"x\n", "ticket.keys: not lines of a time and 160 hex digits"},
		{"1 00\n", "ticket.keys: not lines of a time and 160 hex digits"},
		{"99999999999 00\n", "ticket.keys: not lines of a time and 160 hex digits"},
	};
	struct scene s;

	begin(&s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		folder_write(&s.folder, "state/ticket.keys", rows[i].text);
		EXPECT_EQ(0, chmod(folder_path(&s.folder, "state/ticket.keys"), 0600));
		EXPECT_TEXT(rows[i].why, tickets_open(&s.tickets, s.state, s.why, sizeof(s.why)));
		EXPECT_EQ(0, s.tickets.count);
	}
	EXPECT_EQ(0, chmod(folder_path(&s.folder, "state/ticket.keys"), 0640));
	EXPECT_TEXT("ticket.keys: permissions too open, others may not use it",
		    tickets_open(&s.tickets, s.state, s.why, sizeof(s.why)));
	end(&s);
}

TEST(tickets, are_refused_when_there_are_more_than_three)
{
	char *text, *four;
	struct scene s;

	begin(&s);
	for (uint32_t i = 0; i < 3; i++)
		rotate(&s, NOW + i * HOUR);
	text = folder_read(folder_path(&s.folder, "state/ticket.keys"));
	four = calloc(1, 2 * strlen(text) + 1);
	memcpy(four, text, strlen(text) / 3);
	strcat(four, text);
	folder_write(&s.folder, "state/ticket.keys", four);
	EXPECT_EQ(0, chmod(folder_path(&s.folder, "state/ticket.keys"), 0600));
	EXPECT_TEXT("ticket.keys: more keys than there may be",
		    tickets_open(&s.tickets, s.state, s.why, sizeof(s.why)));
	free(text);
	free(four);
	end(&s);
}

TEST(tickets, are_used_even_when_the_disk_does_not_take_them)
{
	struct scene s;

	begin(&s);
	close(s.state);
	s.state = open("/proc/self", O_RDONLY | O_DIRECTORY); /* where nothing can be written */
	EXPECT(tickets_rotate(&s.tickets, s.state, NOW, HOUR, s.why, sizeof(s.why)));
	EXPECT(strncmp(s.why, "ticket.keys: ", 13) == 0);
	EXPECT_EQ(1, s.tickets.count);
	end(&s);
}

TEST(tickets, become_a_part_of_the_snapshot)
{
	struct ticket_part *part;
	struct scene s;

	begin(&s);
	rotate(&s, NOW);
	rotate(&s, NOW + HOUR);
	part = tickets_part(&s.tickets);
	EXPECT_EQ(2, part->count);
	EXPECT_BYTES(s.tickets.key, part->key, 2 * sizeof(part->key[0]));
	part->part.free(&part->part);
	end(&s);
}

TEST_MAIN("tickets", RUN(tickets, are_none_before_the_first_key),
	  RUN(tickets, get_a_new_key_when_the_newest_is_old),
	  RUN(tickets, get_a_new_key_when_the_clock_has_gone_back),
	  RUN(tickets, keep_three_keys_the_newest_first),
	  RUN(tickets, let_go_of_keys_that_are_too_old),
	  RUN(tickets, keep_their_keys_over_a_restart_for_nobody_else),
	  RUN(tickets, are_refused_when_their_file_is_not_theirs),
	  RUN(tickets, are_refused_when_there_are_more_than_three),
	  RUN(tickets, are_used_even_when_the_disk_does_not_take_them),
	  RUN(tickets, become_a_part_of_the_snapshot))
