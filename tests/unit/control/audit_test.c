/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../test.h"
#include "control/audit.h"
#include "folder.h"

/* A stream into a file under a clock that stands still. */

#define BUFFER 4096

static uint64_t test_clock(void)
{
	return 1795167000123456; /* 2026-11-20T09:30:00.123Z */
}

struct world {
	struct folder folder;
	uv_loop_t loop;
	struct log *log;
	struct audit *audit;
	int log_fd;
	char path[200], text[1 << 17];
};

static void open_audit(struct world *w)
{
	const struct audit_config audit = {&w->loop, w->log, test_clock, BUFFER};

	w->audit = audit_new(&audit);
	assert_non_null(w->audit);
}

static void begin(struct world *w)
{
	struct log_config log = {.level = LOG_LEVEL_INFO, .rate = 100, .clock = test_clock};

	memset(w, 0, sizeof(*w));
	folder_make(&w->folder);
	strcpy(w->path, folder_path(&w->folder, "audit"));
	log.fd = w->log_fd = open(folder_path(&w->folder, "log"), O_RDWR | O_CREAT, 0600);
	uv_loop_init(&w->loop);
	w->log = log_new(&log);
	open_audit(w);
}

/** All that waits is written. */
static void settle(struct world *w)
{
	uv_run(&w->loop, UV_RUN_DEFAULT);
}

static const char *read_file(struct world *w, const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, w->text, sizeof(w->text) - 1);

	close(fd);
	w->text[n > 0 ? n : 0] = '\0';
	return w->text;
}

static const char *logged(struct world *w)
{
	ssize_t n = pread(w->log_fd, w->text, sizeof(w->text) - 1, 0);

	w->text[n > 0 ? n : 0] = '\0';
	return w->text;
}

static void end(struct world *w)
{
	audit_close(w->audit);
	settle(w);
	EXPECT_EQ(0, uv_loop_close(&w->loop));
	log_free(w->log);
	close(w->log_fd);
	folder_remove(&w->folder);
}

static struct message_audit message(enum event_kind what)
{
	return (struct message_audit){
		.event = {.what = what,
			  .handle = {.worker = 1, .slot = 7, .generation = 1},
			  .impi_hash = 0xa,
			  .impu_hash = 0xb,
			  .status = 200,
			  .text = "shop"},
		.elapsed_ms = 1500,
		.icid = "00ff",
	};
}

static void tell(struct world *w, struct message_audit *m)
{
	uint32_t used = m->impi_len + m->impu_len + m->peer_len;

	m->event.head =
		(struct message_head){MESSAGE_EVENT,
				      (uint32_t)offsetof(struct message_audit, text) + used};
	audit_message(w->audit, 1, span_of(m, m->event.head.len));
}

/** The line of one message. */
static const char *line_of(struct message_audit m)
{
	static struct world w;

	begin(&w);
	audit_file(w.audit, w.path);
	tell(&w, &m);
	settle(&w);
	(void)read_file(&w, w.path);
	end(&w);
	return w.text;
}

#define HASHES " impi=h:000000000000000a impu=h:000000000000000b"

TEST(line, tells_a_registration_from_start_to_end)
{
	struct message_audit m = message(EVENT_REGISTERED);

	m.event.seconds = 600;
	EXPECT_TEXT("ts=2026-11-20T09:30:00.123Z audit=register_start worker=1 flow_slot=7 "
		    "icid=00ff" HASHES " wwsf=shop status=200 expires_s=600\n",
		    line_of(m));
	m.refresh = true;
	EXPECT(strstr(line_of(m), " audit=register_refresh ") != NULL);
	m = message(EVENT_BINDING_END);
	m.event.status = 0;
	m.event.err = GW_TOKEN_JTI;
	EXPECT_TEXT("ts=2026-11-20T09:30:00.123Z audit=register_end began=2026-11-20T09:29:58.623Z "
		    "worker=1 flow_slot=7 icid=00ff" HASHES " wwsf=shop cause=GW_TOKEN_JTI\n",
		    line_of(m));
	EXPECT(strstr(line_of(message(EVENT_REGISTER_FAILED)), " audit=register_failed ") != NULL);
}

TEST(line, tells_a_call_with_its_direction_and_the_other_side)
{
	struct message_audit m = message(EVENT_CALL_ANSWERED);

	m.originating = true;
	m.peer_hash = 0xc;
	EXPECT_TEXT("ts=2026-11-20T09:30:00.123Z audit=call_answered "
		    "began=2026-11-20T09:29:58.623Z worker=1 flow_slot=7 direction=originating "
		    "icid=00ff" HASHES " peer=h:000000000000000c wwsf=shop status=200\n",
		    line_of(m));
	EXPECT(strstr(line_of(message(EVENT_CALL_FAILED)), " direction=terminating ") != NULL);
	EXPECT(strstr(line_of(message(EVENT_CALL_ENDED)), " audit=call_ended ") != NULL);
}

TEST(line, has_identities_in_clear_when_they_came_so)
{
	struct message_audit m = message(EVENT_CALL_ANSWERED);
	static const char text[] = "a@homesip:b@homesip:c%22\"=@home";

	m.impi_len = 6;
	m.impu_len = 10;
	m.peer_len = (uint16_t)strlen(text) - 16;
	memcpy(m.text, text, sizeof(text) - 1);
	EXPECT(strstr(line_of(m), " impi=a@home impu=sip:b@home peer=\"sip:c%22\\\"=@home\" ") !=
	       NULL);
}

TEST(line, has_no_byte_of_another_line_whatever_an_icid_is)
{
	struct message_audit m = message(EVENT_CALL_ANSWERED);
	const char *line;

	memset(m.icid, '\n', sizeof(m.icid)); /* not even terminated */
	line = line_of(m);
	EXPECT(strchr(line, '\n') == line + strlen(line) - 1);
}

TEST(stream, ignores_what_is_not_for_it)
{
	struct message_audit m = message(EVENT_CONNECTION_OPEN);
	struct world w;

	begin(&w);
	audit_file(w.audit, w.path);
	tell(&w, &m);
	m = message(EVENT_REGISTERED);
	audit_message(w.audit, 0, span_of(&m, sizeof(m.event))); /* of a worker without audit */
	m.event.head.kind = MESSAGE_KEY_LOG;
	audit_message(w.audit, 0, span_of(&m, sizeof(m)));
	settle(&w);
	EXPECT_TEXT("", read_file(&w, w.path));
	EXPECT_EQ(0, audit_lost(w.audit));
	end(&w);
}

TEST(stream, goes_nowhere_until_it_has_a_file_and_again_without_one)
{
	struct message_audit m = message(EVENT_REGISTERED);
	struct world w;

	begin(&w);
	tell(&w, &m);
	audit_file(w.audit, "");
	audit_file(w.audit, w.path);
	settle(&w);
	audit_file(w.audit, "");
	tell(&w, &m);
	settle(&w);
	EXPECT_TEXT("", read_file(&w, w.path));
	end(&w);
}

TEST(stream, goes_on_in_a_new_file_when_the_old_one_was_moved_away)
{
	struct message_audit m = message(EVENT_REGISTERED);
	struct world w;
	char old[200];

	begin(&w);
	strcpy(old, folder_path(&w.folder, "audit.1"));
	audit_file(w.audit, w.path);
	tell(&w, &m);
	settle(&w);
	EXPECT_EQ(0, rename(w.path, old));
	tell(&w, &m); /* nobody has said so yet */
	settle(&w);
	audit_file(w.audit, w.path);
	m = message(EVENT_BINDING_END);
	tell(&w, &m);
	settle(&w);
	EXPECT(strstr(read_file(&w, old), "register_end") == NULL);
	EXPECT(strstr(read_file(&w, w.path), "register_start") == NULL);
	EXPECT(strstr(w.text, "register_end") != NULL);
	end(&w);
}

TEST(stream, adds_to_a_file_and_writes_what_waits_when_it_is_closed)
{
	struct message_audit m = message(EVENT_REGISTERED);
	struct world w;
	uint32_t n = 0;

	begin(&w);
	for (uint32_t turn = 0; turn < 2; turn++) {
		audit_file(w.audit, w.path);
		for (uint32_t i = 0; i < 3; i++)
			tell(&w, &m);
		audit_close(w.audit);
		settle(&w);
		open_audit(&w);
	}
	(void)read_file(&w, w.path);
	for (const char *at = w.text; (at = strchr(at, '\n')) != NULL; at++)
		n++;
	EXPECT_EQ(6, n);
	end(&w);
}

TEST(stream, says_why_a_file_cannot_be_opened_and_how_much_it_lost)
{
	struct message_audit m = message(EVENT_REGISTERED);
	struct world w;

	begin(&w);
	audit_file(w.audit, folder_path(&w.folder, "nowhere/audit"));
	tell(&w, &m);
	tell(&w, &m);
	settle(&w);
	EXPECT_EQ(2, audit_lost(w.audit));
	EXPECT(strstr(logged(&w), "event=audit_failed ") != NULL);
	EXPECT(strstr(w.text, "why=\"No such file or directory\"") != NULL);
	audit_file(w.audit, w.path);
	tell(&w, &m);
	tell(&w, &m);
	settle(&w);
	EXPECT(strstr(read_file(&w, w.path), " lost=2\n") != NULL);
	EXPECT(strstr(strchr(w.text, '\n'), "lost=") == NULL); /* once */
	end(&w);
}

TEST(stream, ends_a_line_that_a_full_disk_has_cut)
{
	struct message_audit m = message(EVENT_REGISTERED);
	struct rlimit before, little;
	struct world w;

	/* a limit of the process stands for a full disk: EFBIG, not ENOSPC */
	signal(SIGXFSZ, SIG_IGN);
	begin(&w);
	audit_file(w.audit, w.path);
	settle(&w);
	EXPECT_EQ(0, getrlimit(RLIMIT_FSIZE, &before));
	little = (struct rlimit){250, before.rlim_max};
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &little));
	for (uint32_t i = 0; i < 5; i++)
		tell(&w, &m);
	settle(&w);
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &before));
	EXPECT_EQ(4, audit_lost(w.audit));
	tell(&w, &m);
	settle(&w);
	(void)read_file(&w, w.path);
	EXPECT_EQ(0, strncmp(w.text, "ts=", 3));
	EXPECT_EQ('\n', w.text[250]);
	EXPECT_EQ(0, strncmp(w.text + 251, "ts=", 3));
	EXPECT(strstr(w.text + 251, " lost=4\n") != NULL);
	end(&w);
}

TEST(stream, that_is_full_says_so_in_the_log)
{
	struct message_audit m = message(EVENT_REGISTERED);
	struct world w;

	begin(&w);
	audit_file(w.audit, w.path);
	for (uint32_t i = 0; i < 100; i++) /* no turn of the loop: nothing is written meanwhile */
		tell(&w, &m);
	EXPECT(audit_lost(w.audit) > 0);
	settle(&w);
	EXPECT(strstr(logged(&w), "why=\"it is written too slowly\"") != NULL);
	tell(&w, &m);
	settle(&w);
	EXPECT(strstr(read_file(&w, w.path), " lost=") != NULL);
	end(&w);
}

TEST(stream, waits_for_nobody_who_does_not_read)
{
	struct message_audit m = message(EVENT_REGISTERED);
	static const char block[4096];
	struct timespec from, to;
	const uint32_t told = 2000;
	int reader, writer;
	struct world w;

	begin(&w);
	EXPECT_EQ(0, mkfifo(w.path, 0600));
	reader = open(w.path, O_RDONLY | O_NONBLOCK);
	writer = open(w.path, O_WRONLY | O_NONBLOCK);
	while (write(writer, block, sizeof(block)) > 0)
		continue;
	audit_file(w.audit, w.path);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (uint32_t i = 0; i < told; i++) {
		tell(&w, &m);
		uv_run(&w.loop, UV_RUN_NOWAIT);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	EXPECT((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 < 900);
	settle(&w);
	EXPECT_EQ(told, audit_lost(w.audit));
	EXPECT(strstr(logged(&w), "why=\"Resource temporarily unavailable\"") != NULL);
	while (read(reader, w.text, sizeof(w.text)) > 0)
		continue;
	tell(&w, &m);
	settle(&w);
	EXPECT(read(reader, w.text, sizeof(w.text)) > 0);
	EXPECT(strstr(w.text, " lost=2000\n") != NULL);
	end(&w);
	close(reader);
	close(writer);
}

TEST_MAIN("audit", RUN(line, tells_a_registration_from_start_to_end),
	  RUN(line, tells_a_call_with_its_direction_and_the_other_side),
	  RUN(line, has_identities_in_clear_when_they_came_so),
	  RUN(line, has_no_byte_of_another_line_whatever_an_icid_is),
	  RUN(stream, ignores_what_is_not_for_it),
	  RUN(stream, goes_nowhere_until_it_has_a_file_and_again_without_one),
	  RUN(stream, goes_on_in_a_new_file_when_the_old_one_was_moved_away),
	  RUN(stream, adds_to_a_file_and_writes_what_waits_when_it_is_closed),
	  RUN(stream, says_why_a_file_cannot_be_opened_and_how_much_it_lost),
	  RUN(stream, ends_a_line_that_a_full_disk_has_cut),
	  RUN(stream, that_is_full_says_so_in_the_log),
	  RUN(stream, waits_for_nobody_who_does_not_read))
