/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "control/capture_file.h"
#include "control/capture_filter.h"
#include "folder.h"
#include "trace.h"

static const char *const names[] = {"core", "spare-port"};

static struct capture_file *make(const struct folder *folder, uint32_t snap, uint64_t bytes_max)
{
	struct capture_file_config config = {.path = folder_path(folder, "trace.pcapng"),
					     .bytes_max = bytes_max,
					     .snap = snap,
					     .interface = names,
					     .interfaces = 2};

	return capture_file_new(&config);
}

TEST(pcapng, says_nothing_when_there_is_no_room)
{
	uint8_t bytes[64];
	struct writer w;

	for (uint32_t room = 0; room < 44; room++) {
		writer_init(&w, bytes, room);
		pcapng_section(&w, "wicgate 0.1.0");
		EXPECT(!writer_ok(&w));
	}
}

TEST(pcapng, takes_no_more_than_it_says_for_a_frame)
{
	struct pcapng_packet packet = {.wall_us = 1};
	uint8_t bytes[256], frame[64] = {0};
	struct writer w;

	for (uint32_t len = 0; len <= sizeof(frame); len++) {
		writer_init(&w, bytes, len + PCAPNG_PACKET_OVERHEAD);
		pcapng_packet(&w, &packet, span_of(frame, len));
		EXPECT(writer_ok(&w));
		EXPECT_EQ(0, writer_len(&w) % 4);
	}
}

TEST(capture_file, holds_interfaces_and_frames_of_every_length)
{
	struct pcapng_packet packet = {.interface = 1,
				       .direction = PCAPNG_OUTBOUND,
				       .wall_us = 0x123456789abcdef};
	struct capture_file *file;
	struct folder folder;
	struct trace *trace;
	uint8_t bytes[100];

	folder_make(&folder);
	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 1);
	file = make(&folder, 96, 0);
	assert_non_null(file);
	for (packet.len = 0; packet.len <= sizeof(bytes); packet.len++)
		EXPECT_EQ(GW_OK, capture_file_add(file, &packet, span_of(bytes, packet.len)));
	packet.direction = PCAPNG_INBOUND;
	packet.interface = 0;
	packet.len = 1500; /* only a part came here */
	EXPECT_EQ(GW_OK, capture_file_add(file, &packet, span_of(bytes, 60)));
	EXPECT_EQ(102, capture_file_frames(file));
	EXPECT_EQ(GW_OK, capture_file_close(file));
	trace = trace_read(folder_path(&folder, "trace.pcapng"));
	EXPECT_EQ(2, trace->interfaces);
	EXPECT_TEXT("core", trace->name[0]);
	EXPECT_TEXT("spare-port", trace->name[1]);
	EXPECT_EQ(96, trace->snap[0]);
	EXPECT_EQ(102, trace->frames);
	for (uint32_t i = 0; i <= sizeof(bytes); i++) {
		const struct trace_frame *f = &trace->frame[i];

		EXPECT_EQ(i, f->len);
		EXPECT_EQ(i < 96 ? i : 96, f->bytes.len);
		EXPECT_BYTES(bytes, f->bytes.at, f->bytes.len);
		EXPECT_EQ(2, f->flags);
		EXPECT_EQ(1, f->interface);
		EXPECT(f->wall_us == 0x123456789abcdef);
	}
	EXPECT_EQ(1, trace->frame[101].flags);
	EXPECT_EQ(1500, trace->frame[101].len);
	EXPECT_EQ(60, trace->frame[101].bytes.len);
	trace_free(trace);
	folder_remove(&folder);
}

TEST(capture_file, is_for_nobody_else_and_never_written_over)
{
	struct stat about;
	struct folder folder;
	struct capture_file *file;
	char path[200];

	folder_make(&folder);
	strcpy(path, folder_path(&folder, "trace.pcapng"));
	umask(0);
	file = make(&folder, 96, 0);
	umask(022);
	assert_non_null(file);
	EXPECT_EQ(0, stat(path, &about));
	EXPECT_EQ(0600, about.st_mode & 0777);
	EXPECT(make(&folder, 96, 0) == NULL);
	EXPECT_EQ(EEXIST, errno);
	EXPECT_EQ(GW_OK, capture_file_close(file));
	unlink(path);
	EXPECT_EQ(0, symlink(folder_path(&folder, "elsewhere"), path));
	EXPECT(make(&folder, 96, 0) == NULL);
	EXPECT_EQ(EEXIST, errno);
	EXPECT_EQ(-1, access(folder_path(&folder, "elsewhere"), F_OK));
	EXPECT_EQ(GW_OK, capture_file_close(NULL));
	folder_remove(&folder);
}

TEST(capture_file, is_whole_when_it_is_as_long_as_it_may_be)
{
	struct pcapng_packet packet = {.direction = PCAPNG_INBOUND, .len = 1000};
	static const uint8_t bytes[1000];
	struct capture_file *file;
	struct folder folder;
	struct trace *trace;
	uint64_t size;

	folder_make(&folder);
	file = make(&folder, 2000, 200000);
	assert_non_null(file);
	while (capture_file_add(file, &packet, span_of(bytes, sizeof(bytes))) == GW_OK)
		continue;
	EXPECT_EQ(GW_NO_ROOM, capture_file_add(file, &packet, span_of(bytes, sizeof(bytes))));
	size = capture_file_bytes(file);
	EXPECT(size <= 200000 && size > 199000);
	EXPECT_EQ(191, capture_file_frames(file));
	EXPECT_EQ(GW_OK, capture_file_close(file));
	trace = trace_read(folder_path(&folder, "trace.pcapng"));
	EXPECT_EQ(191, trace->frames);
	EXPECT_EQ(size, trace->len);
	trace_free(trace);
	folder_remove(&folder);
}

TEST(capture_file, says_why_when_the_disk_takes_no_more)
{
	struct pcapng_packet packet = {.direction = PCAPNG_INBOUND, .len = 1000};
	struct rlimit before, little = {.rlim_cur = 100000};
	static const uint8_t bytes[1000];
	struct capture_file *file;
	struct folder folder;
	enum gw_err err;
	uint32_t added;

	/* a limit of the process stands for a full disk: EFBIG, not ENOSPC */
	signal(SIGXFSZ, SIG_IGN);
	folder_make(&folder);
	file = make(&folder, 2000, 0);
	assert_non_null(file);
	EXPECT_EQ(0, getrlimit(RLIMIT_FSIZE, &before));
	little.rlim_max = before.rlim_max;
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &little));
	for (added = 0; added < 1000; added++) {
		err = capture_file_add(file, &packet, span_of(bytes, sizeof(bytes)));
		if (err != GW_OK)
			break;
	}
	EXPECT_EQ(GW_SYSTEM, err);
	EXPECT_EQ(EFBIG, errno);
	EXPECT_EQ(GW_SYSTEM, capture_file_add(file, &packet, span_of(bytes, sizeof(bytes))));
	EXPECT_EQ(EFBIG, errno);
	EXPECT_EQ(GW_SYSTEM, capture_file_close(file));
	EXPECT_EQ(EFBIG, errno);
	little.rlim_cur = 0; /* nothing at all: the file is not left behind */
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &little));
	unlink(folder_path(&folder, "trace.pcapng"));
	EXPECT(make(&folder, 2000, 0) == NULL);
	EXPECT_EQ(EFBIG, errno);
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &before));
	EXPECT_EQ(-1, access(folder_path(&folder, "trace.pcapng"), F_OK));
	folder_remove(&folder);
}

TEST(capture_filter, is_compiled_for_ethernet_frames)
{
	static struct capture_filter filter;
	char why[300] = "";

	EXPECT_EQ(GW_OK, capture_filter_compile("ip6", &filter, why, sizeof(why)));
	/* ldh [12]; jeq #0x86dd; ret snap; ret 0 */
	EXPECT_EQ(4, filter.count);
	EXPECT_EQ(12, filter.insn[0].k);
	EXPECT_EQ(0x86dd, filter.insn[1].k);
	EXPECT_EQ(CAPTURE_SNAP, filter.insn[2].k);
	EXPECT_EQ(0, filter.insn[3].k);
	EXPECT_EQ(CAPTURE_SNAP, filter.snap);
	EXPECT_EQ(GW_OK,
		  capture_filter_compile("vlan 7 and udp port 5060", &filter, why, sizeof(why)));
	EXPECT(filter.count > 4);
	EXPECT_EQ(GW_OK, capture_filter_compile("", &filter, why, sizeof(why)));
	EXPECT_EQ(0, filter.count);
}

TEST(capture_filter, is_refused_in_the_words_of_libpcap_or_ours)
{
	static struct capture_filter filter;
	char why[300] = "", text[8192];
	size_t used;

	EXPECT_EQ(GW_CONFIG, capture_filter_compile("udp prt 5060", &filter, why, sizeof(why)));
	EXPECT(strstr(why, "syntax error") != NULL);
	EXPECT_EQ(GW_CONFIG, capture_filter_compile("port 70000", &filter, why, sizeof(why)));
	EXPECT(strncmp(why, "filter: ", 8) == 0);
	used = (size_t)sprintf(text, "ether host 02:00:00:00:00:00");
	for (int i = 1; i < 200; i++)
		used += (size_t)sprintf(text + used, " or ether host 02:00:00:00:01:%02x", i);
	EXPECT_EQ(GW_CONFIG, capture_filter_compile(text, &filter, why, sizeof(why)));
	EXPECT(strstr(why, "instructions, at most 512 are taken") != NULL);
}

TEST_MAIN("capture", RUN(pcapng, says_nothing_when_there_is_no_room),
	  RUN(pcapng, takes_no_more_than_it_says_for_a_frame),
	  RUN(capture_file, holds_interfaces_and_frames_of_every_length),
	  RUN(capture_file, is_for_nobody_else_and_never_written_over),
	  RUN(capture_file, is_whole_when_it_is_as_long_as_it_may_be),
	  RUN(capture_file, says_why_when_the_disk_takes_no_more),
	  RUN(capture_filter, is_compiled_for_ethernet_frames),
	  RUN(capture_filter, is_refused_in_the_words_of_libpcap_or_ours))
