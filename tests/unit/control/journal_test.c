/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "control/journal.h"
#include "folder.h"
#include "lease.h"

/* A journal under a clock that goes when it is told to. */

#define BUFFER 8192

static const uint8_t hash_key[16] = "a key of sixteen";

struct world {
	struct folder folder;
	uv_loop_t loop;
	struct log *log;
	struct journal *journal;
	int state, log_pipe[2];
	size_t log_len;
	uint64_t now_ms;
	uint32_t asked; /* times that the workers were to tell all again */
	bool no_room;	/* in their rings */
	uint32_t count; /* what journal_each() brought */
	char text[1 << 16], why[128];
};

static uint64_t world_now_ms(void *context)
{
	return ((struct world *)context)->now_ms;
}

static uint64_t world_wall_s(void *context)
{
	(void)context;
	return LEASE_NOW_S;
}

static bool world_again(void *context)
{
	struct world *w = context;

	w->asked++;
	return !w->no_room;
}

static bool open_journal(struct world *w)
{
	const struct journal_config config = {
		.folder = w->state,
		.key = hash_key,
		.log = w->log,
		.now_ms = world_now_ms,
		.wall_s = world_wall_s,
		.again = world_again,
		.context = w,
		.buffer_bytes = BUFFER,
	};

	w->journal = journal_open(&config, w->why, sizeof(w->why));
	return w->journal != NULL;
}

static void start(struct world *w)
{
	assert_true(open_journal(w));
	uv_loop_init(&w->loop);
	journal_start(w->journal, &w->loop);
}

static void stop(struct world *w)
{
	journal_stop(w->journal);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	EXPECT_EQ(0, uv_loop_close(&w->loop));
	journal_close(w->journal);
}

static void begin(struct world *w)
{
	struct log_config log = {.level = LOG_LEVEL_INFO, .rate = 100};

	memset(w, 0, sizeof(*w));
	w->now_ms = 10000;
	folder_make(&w->folder);
	EXPECT_EQ(0, mkdir(folder_path(&w->folder, "state"), 0700));
	w->state = open(folder_path(&w->folder, "state"), O_RDONLY | O_DIRECTORY);
	EXPECT_EQ(0, pipe2(w->log_pipe, O_NONBLOCK)); /* a full disk does not fill it */
	log.fd = w->log_pipe[1];
	w->log = log_new(&log);
	start(w);
}

static void end(struct world *w)
{
	stop(w);
	log_free(w->log);
	close(w->log_pipe[0]);
	close(w->log_pipe[1]);
	close(w->state);
	folder_remove(&w->folder);
}

static bool logged(struct world *w, const char *part)
{
	ssize_t n = read(w->log_pipe[0], w->text + w->log_len, sizeof(w->text) - 1 - w->log_len);

	w->log_len += n > 0 ? (size_t)n : 0;
	w->text[w->log_len] = '\0';
	return strstr(w->text, part) != NULL;
}

static void tell(struct world *w, struct message_journal m)
{
	EXPECT(journal_message(w->journal, span_of(&m, m.head.len)));
}

/** What the thread has to do is done. */
static void settle(struct world *w)
{
	uv_run(&w->loop, UV_RUN_DEFAULT);
}

static void tick(struct world *w, uint64_t ms)
{
	w->now_ms += ms;
	journal_tick(w->journal);
	settle(w);
}

static bool count_one(void *context, const struct message_journal *m)
{
	(void)m;
	((struct world *)context)->count++;
	return true;
}

/** Bindings that another start finds. */
static uint32_t found(struct world *w)
{
	stop(w);
	start(w);
	w->count = 0;
	EXPECT(journal_each(w->journal, count_one, w));
	EXPECT_EQ(w->count, journal_numbers(w->journal).bindings);
	return w->count;
}

/** Nothing may be written from now on, as on a full disk. */
static struct rlimit fill_disk(struct world *w)
{
	struct rlimit before, none;
	struct stat about;

	signal(SIGXFSZ, SIG_IGN);
	EXPECT_EQ(0, fstatat(w->state, "leases", &about, 0));
	EXPECT_EQ(0, getrlimit(RLIMIT_FSIZE, &before));
	none = (struct rlimit){(rlim_t)about.st_size, before.rlim_max};
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &none));
	return before;
}

TEST(journal, takes_its_own_messages_only)
{
	struct message_event event = {.head = {MESSAGE_EVENT, sizeof(event)}};
	struct message_journal m = lease_message(1);
	struct world w;

	begin(&w);
	EXPECT(!journal_message(w.journal, span_of(&event, sizeof(event))));
	EXPECT(!journal_message(w.journal, span_of(&event, 1)));
	EXPECT(journal_message(w.journal, span_of(&m, 16))); /* not whole: its own all the same */
	settle(&w);
	EXPECT_EQ(0, found(&w));
	end(&w);
}

TEST(journal, has_after_a_restart_what_it_was_told_before)
{
	struct world w;

	begin(&w);
	tell(&w, lease_message(1));
	tell(&w, lease_message(2));
	settle(&w);
	EXPECT_EQ(2, journal_numbers(w.journal).bindings);
	tell(&w, lease_over(1));
	EXPECT_EQ(1, found(&w)); /* what waited is written when it is closed */
	end(&w);
}

/** The descriptor by which the journal has its file. */
static int file_of(const struct world *w)
{
	char link[64], path[256];
	size_t len;

	for (int fd = 0; fd < 256; fd++) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = (size_t)readlink(link, path, sizeof(path));
		if (len == strlen(w->folder.path) + 13 && memcmp(path + len - 7, "/leases", 7) == 0)
			return fd;
	}
	fail_msg("no file is open");
	return -1;
}

TEST(journal, is_on_its_way_to_the_disk_within_a_second)
{
	struct world w;
	int fds[2], file;

	begin(&w);
	tell(&w, lease_message(1)); /* long after the last one: at once */
	settle(&w);
	EXPECT_EQ(0, pipe(fds)); /* what nobody can sync: a sync is seen by its failure */
	w.now_ms += 100;
	tell(&w, lease_message(2));
	settle(&w);
	EXPECT_EQ(0, journal_numbers(w.journal).failed);
	EXPECT_EQ(2, journal_numbers(w.journal).bindings); /* it is in the file meanwhile */
	file = file_of(&w);
	EXPECT_EQ(file, dup2(fds[1], file));
	tick(&w, 700);
	EXPECT_EQ(0, journal_numbers(w.journal).failed);
	tick(&w, 100);
	EXPECT_EQ(1, journal_numbers(w.journal).failed);
	EXPECT(logged(&w, "event=leases_not_written why=\"Invalid argument\""));
	close(fds[0]);
	close(fds[1]);
	end(&w);
}

TEST(journal, keeps_what_a_full_disk_refuses_and_says_so_once)
{
	struct rlimit before;
	struct world w;

	begin(&w);
	tell(&w, lease_message(1));
	settle(&w);
	before = fill_disk(&w);
	tell(&w, lease_message(2));
	settle(&w);
	tell(&w, lease_message(3));
	for (uint32_t i = 0; i < 3; i++)
		tick(&w, 1000);
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &before));
	EXPECT_EQ(4, journal_numbers(w.journal).failed);
	EXPECT_EQ(1, journal_numbers(w.journal).bindings);
	EXPECT(logged(&w, "level=error event=leases_not_written why="));
	EXPECT(strstr(strstr(w.text, "leases_not_written") + 1, "leases_not_written") == NULL);
	tick(&w, 1000);
	EXPECT_EQ(3, journal_numbers(w.journal).bindings);
	EXPECT(logged(&w, "event=leases_written_again"));
	EXPECT_EQ(0, w.asked);
	EXPECT_EQ(0, journal_numbers(w.journal).lost);
	EXPECT_EQ(3, found(&w));
	end(&w);
}

TEST(journal, does_not_try_a_full_disk_at_every_word)
{
	struct rlimit before;
	struct world w;

	begin(&w);
	before = fill_disk(&w);
	for (uint32_t i = 0; i < 10; i++) {
		tell(&w, lease_message(i));
		settle(&w);
	}
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &before));
	EXPECT_EQ(1, journal_numbers(w.journal).failed);
	end(&w);
}

TEST(journal, that_had_no_room_for_a_word_asks_for_all_of_them_again)
{
	struct rlimit before;
	struct world w;

	begin(&w);
	before = fill_disk(&w);
	for (uint32_t i = 0; i < 100; i++)
		tell(&w, lease_message(i));
	settle(&w);
	tick(&w, 1000);
	EXPECT(journal_numbers(w.journal).lost > 0);
	EXPECT(logged(&w, "level=error event=leases_lost"));
	EXPECT_EQ(0, w.asked); /* they would find no room either */
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &before));
	w.no_room = true;
	tick(&w, 1000);
	tick(&w, 100);
	EXPECT_EQ(1, w.asked);
	w.no_room = false;
	tick(&w, 100);
	EXPECT_EQ(2, w.asked);
	tick(&w, 100);
	EXPECT_EQ(2, w.asked);
	for (uint32_t i = 0; i < 100; i++) {
		tell(&w, lease_message(i));
		settle(&w);
	}
	EXPECT_EQ(100, found(&w));
	end(&w);
}

TEST(journal, says_what_of_the_file_could_not_be_used)
{
	struct world w;
	int fd;

	begin(&w);
	for (uint32_t i = 0; i < 3; i++)
		tell(&w, lease_message(i));
	stop(&w);
	fd = openat(w.state, "leases", O_WRONLY | O_APPEND);
	EXPECT_EQ(1, pwrite(fd, "XYZ", 1, 0)); /* O_APPEND: at its end all the same */
	close(fd);
	fd = openat(w.state, "leases", O_WRONLY);
	EXPECT_EQ(1, pwrite(fd, "X", 1, 20));
	close(fd);
	start(&w);
	EXPECT(logged(&w, "level=warning event=leases_torn line=4 bytes=1"));
	EXPECT(logged(&w, "level=error event=leases_damaged lines=1 first=1"));
	EXPECT_EQ(2, found(&w));
	end(&w);
}

TEST(journal, is_not_opened_where_others_may_read_it)
{
	struct world w;

	begin(&w);
	stop(&w);
	EXPECT_EQ(0, fchmodat(w.state, "leases", 0644, 0));
	EXPECT(!open_journal(&w));
	EXPECT_TEXT("leases: permissions too open, others may not use it", w.why);
	EXPECT_EQ(0, fchmodat(w.state, "leases", 0600, 0));
	start(&w);
	end(&w);
}

TEST(journal, that_cannot_be_written_anew_goes_on_and_says_so)
{
	struct world w;

	begin(&w);
	EXPECT_EQ(0, mkdirat(w.state, "leases.new", 0700));
	for (uint32_t i = 0; i < 1200; i++) {
		tell(&w, lease_message(i % 5));
		if (i % 10 == 0)
			settle(&w);
	}
	settle(&w);
	EXPECT(logged(&w, "level=error event=leases_not_compacted why="));
	EXPECT_EQ(5, journal_numbers(w.journal).bindings);
	EXPECT_EQ(0, unlinkat(w.state, "leases.new", AT_REMOVEDIR));
	EXPECT_EQ(5, found(&w));
	end(&w);
}

TEST_MAIN("journal", RUN(journal, takes_its_own_messages_only),
	  RUN(journal, has_after_a_restart_what_it_was_told_before),
	  RUN(journal, is_on_its_way_to_the_disk_within_a_second),
	  RUN(journal, keeps_what_a_full_disk_refuses_and_says_so_once),
	  RUN(journal, does_not_try_a_full_disk_at_every_word),
	  RUN(journal, that_had_no_room_for_a_word_asks_for_all_of_them_again),
	  RUN(journal, says_what_of_the_file_could_not_be_used),
	  RUN(journal, is_not_opened_where_others_may_read_it),
	  RUN(journal, that_cannot_be_written_anew_goes_on_and_says_so))
