/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../test.h"
#include "trace.h"
#include "world.h"

/* ---- ports and neighbours ------------------------------------------------------------------- */

TEST(ports, are_listed_with_what_has_passed_all_their_queues)
{
	struct world w;
	json_t *rows;

	world_begin(&w);
	rows = world_ask_list(&w, "ports\n", "ports");
	EXPECT_EQ(3, json_array_size(rows));
	EXPECT_TEXT("access", world_text(rows, 0, "name"));
	EXPECT_TEXT("kernel", world_text(rows, 0, "device"));
	EXPECT_TEXT("-", world_text(rows, 0, "mac"));
	EXPECT_EQ(0, world_number(rows, 0, "rx_packets"));
	EXPECT_TEXT("tap:wic0", world_text(rows, 1, "device"));
	EXPECT_TEXT("up", world_text(rows, 1, "link"));
	EXPECT_EQ(1000, world_number(rows, 1, "mbps"));
	EXPECT_TEXT("02:00:5e:10:00:01", world_text(rows, 1, "mac"));
	EXPECT_EQ(1500, world_number(rows, 1, "mtu"));
	EXPECT_EQ(7, world_number(rows, 1, "vlan"));
	EXPECT_EQ(2, world_number(rows, 1, "queues"));
	EXPECT_EQ(10 + 11, world_number(rows, 1, "rx_packets"));
	EXPECT_EQ(2000, world_number(rows, 1, "rx_bytes"));
	EXPECT_EQ(2, world_number(rows, 1, "rx_no_buffer"));
	EXPECT_EQ(4, world_number(rows, 1, "rx_errors"));
	EXPECT_EQ(6, world_number(rows, 1, "tx_packets"));
	EXPECT_EQ(600, world_number(rows, 1, "tx_bytes"));
	EXPECT_EQ(8, world_number(rows, 1, "tx_errors"));
	EXPECT_TEXT("down", world_text(rows, 2, "link"));
	EXPECT(json_is_false(json_object_get(json_array_get(rows, 2), "steers")));
	json_decref(rows);
	world_end(&w);
}

TEST(ports, and_neighbours_are_tables_for_people)
{
	struct world w;

	world_begin(&w);
	w.ports = 2;
	EXPECT_EQ(0, world_wicctl(&w, "ports"));
	EXPECT_TEXT(
		"name    device    driver  link  mbps  mac                mtu   vlan  queues  "
		"steers  rx_packets  rx_bytes  rx_no_buffer  rx_errors  tx_packets  tx_bytes  "
		"tx_errors\n"
		"access  kernel    kernel  up    1000  -                  0     0     0       "
		"yes     0           0         0             0          0           0         0\n"
		"core    tap:wic0  tap     up    1000  02:00:5e:10:00:01  1500  7     2       "
		"yes     21          2000      2             4          6           600       8\n",
		w.answer);
	w.neighbours = 2;
	EXPECT_EQ(0, world_wicctl(&w, "neighbours"));
	EXPECT_TEXT("address     port  mac                state       gateway\n"
		    "198.18.1.1  core  02:00:00:00:00:09  reachable   yes\n"
		    "fd00:18::1  core  -                  incomplete  no\n",
		    w.answer);
	w.neighbours = 0;
	EXPECT_EQ(0, world_wicctl(&w, "neighbours"));
	EXPECT_TEXT("no neighbours\n", w.answer);
	world_end(&w);
}

/* ---- ping ----------------------------------------------------------------------------------- */

TEST(ping, sends_the_next_when_the_former_is_answered)
{
	struct world w;

	world_begin_with(&w, 5000);
	w.pongs[0].rtt_us = 100;
	w.pongs[1].err = GW_TIMEOUT;
	w.pongs[2].rtt_us = 300;
	EXPECT_TEXT("{\"ping\":{\"address\":\"198.18.1.20\",\"sent\":3,\"received\":2,"
		    "\"rtt_us\":[100,300]}}",
		    world_ask(&w, "ping 198.18.1.20\n"));
	EXPECT_EQ(3, w.pings);
	EXPECT_EQ(htonl(0xc6120114), w.pinged.v4.sin_addr.s_addr);
	w.pings = 0;
	EXPECT_EQ(0, world_wicctl(&w, "ping fd00:18::20 1"));
	EXPECT_TEXT("address   fd00:18::20\nsent      1\nreceived  1\nrtt_us    100\n", w.answer);
	EXPECT_EQ(1, w.pings);
	world_end(&w);
}

TEST(ping, says_that_nothing_came_back_or_nothing_could_be_sent)
{
	struct world w;

	world_begin_with(&w, 5000);
	w.pongs[0].err = GW_TIMEOUT;
	w.pongs[1].err = GW_NET_UNRESOLVED;
	EXPECT_TEXT("{\"ping\":{\"address\":\"198.18.1.20\",\"sent\":2,\"received\":0,"
		    "\"rtt_us\":[],\"error\":\"its next hop does not answer\"}}",
		    world_ask(&w, "ping 198.18.1.20 2\n"));
	w.pings = 0;
	w.pongs[1].err = GW_TIMEOUT;
	EXPECT_EQ(1, world_wicctl(&w, "ping 198.18.1.20 2"));
	EXPECT_TEXT("address   198.18.1.20\nsent      2\nreceived  0\nerror     no answer\n",
		    w.answer);
	w.pings = 0;
	w.pongs[0].err = GW_NET_NO_ROUTE;
	EXPECT_TEXT("{\"ping\":{\"address\":\"203.0.113.1\",\"sent\":0,\"received\":0,"
		    "\"rtt_us\":[],\"error\":\"no way to that address\"}}",
		    world_ask(&w, "ping 203.0.113.1 10\n"));
	EXPECT_EQ(1, w.pings);
	w.pings = 0;
	EXPECT_EQ(1, world_wicctl(&w, "--json ping 203.0.113.1"));
	world_end(&w);
}

TEST(ping, sends_no_more_than_the_deadline_leaves_time_for)
{
	struct world w;

	world_begin(&w); /* a deadline shorter than the wait for one */
	EXPECT(strstr(world_ask(&w, "ping 198.18.1.20 10\n"), "\"sent\":1,") != NULL);
	EXPECT_EQ(1, w.pings);
	world_end(&w);
}

TEST(ping, gives_a_worker_up_that_stays_silent)
{
	struct world w;

	world_begin_with(&w, 3000);
	w.manner[0] = SILENT;
	EXPECT_TEXT("{\"ping\":{\"address\":\"198.18.1.20\",\"sent\":0,\"received\":0,"
		    "\"rtt_us\":[],\"error\":\"busy, ask again\"}}",
		    world_ask(&w, "ping 198.18.1.20\n"));
	w.manner[0] = LIES; /* an answer that makes no sense is none */
	EXPECT(strstr(world_ask(&w, "ping 198.18.1.20\n"), "busy, ask again") != NULL);
	world_end(&w);
}

TEST(ping, refuses_other_words_and_a_node_without_packets)
{
	struct world w;

	world_begin(&w);
	EXPECT_TEXT("{\"error\":\"ADDRESS is an IPv4 or IPv6 address\"}", world_ask(&w, "ping\n"));
	EXPECT_TEXT("{\"error\":\"ADDRESS is an IPv4 or IPv6 address\"}",
		    world_ask(&w, "ping core.home1.net\n"));
	EXPECT_TEXT("{\"error\":\"ADDRESS is an IPv4 or IPv6 address\"}",
		    world_ask(&w, "ping 198.18.1.20:5060\n"));
	EXPECT_TEXT("{\"error\":\"COUNT is a number, 1 to 10\"}",
		    world_ask(&w, "ping 198.18.1.20 11\n"));
	EXPECT_TEXT("{\"error\":\"COUNT is a number, 1 to 10\"}",
		    world_ask(&w, "ping 198.18.1.20 0\n"));
	EXPECT_TEXT("{\"error\":\"COUNT is a number, 1 to 10\"}",
		    world_ask(&w, "ping 198.18.1.20 -1\n"));
	EXPECT_TEXT("{\"error\":\"too many arguments\"}", world_ask(&w, "ping 198.18.1.20 1 2\n"));
	w.ports = 1;
	EXPECT_TEXT("{\"error\":\"no port has packets of its own: ping from the operating "
		    "system\"}",
		    world_ask(&w, "ping 198.18.1.20\n"));
	world_end(&w);
}

TEST(ping, survives_the_end_of_the_node_while_it_waits)
{
	struct world w;
	int fd;

	world_begin(&w);
	w.manner[0] = SILENT;
	fd = world_connect(&w);
	EXPECT_EQ(17, write(fd, "ping 198.18.1.20\n", 17));
	world_pass(&w, 50);
	world_end(&w);
	close(fd);
}

/* ---- capture -------------------------------------------------------------------------------- */

static const char *trace_path(const struct world *w)
{
	return folder_path(&w->folder, "trace.pcapng");
}

static bool begun(const char *answer)
{
	return strstr(answer, "{\"capture\":{\"state\":\"running\",\"file\":\"/") == answer;
}

static uint64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

TEST(capture, writes_the_frames_of_all_workers_until_it_is_stopped)
{
	struct message_captured in = {.netif = 0, .len = 60},
				out = {.netif = 1, .len = 1500, .sent = true};
	static const uint8_t bytes[60] = {1, 2, 3};
	uint64_t wall_us = clock_us(CLOCK_REALTIME);
	struct trace *trace;
	struct world w;
	json_t *answer, *result;

	world_begin(&w);
	EXPECT(begun(world_askf(&w, "capture udp port 5060 %s\n", trace_path(&w))));
	EXPECT_EQ(WORKERS, w.captures);
	EXPECT(w.filter.count > 4 && w.filter.snap == 16384);
	in.now_us = out.now_us = clock_us(CLOCK_MONOTONIC);
	world_frame(&w, 0, &in, span_of(bytes, 60));
	world_frame(&w, 1, &out, span_of(bytes, 42));
	in.netif = 2; /* there is no such port */
	world_frame(&w, 0, &in, span_of(bytes, 60));
	counter_add(&w.counters[1].net_capture_lost, 5);
	answer = json_loads(world_ask(&w, "capture stop\n"), 0, NULL);
	result = json_object_get(answer, "capture");
	EXPECT_TEXT("ended", json_string_value(json_object_get(result, "state")));
	EXPECT_TEXT("stopped", json_string_value(json_object_get(result, "why")));
	EXPECT_EQ(2, json_integer_value(json_object_get(result, "frames")));
	EXPECT_EQ(5, json_integer_value(json_object_get(result, "lost")));
	EXPECT_EQ(WORKERS, w.capture_ends);
	trace = trace_read(trace_path(&w));
	EXPECT_EQ(trace->len, json_integer_value(json_object_get(result, "bytes")));
	json_decref(answer);
	EXPECT_EQ(2, trace->interfaces);
	EXPECT_TEXT("core", trace->name[0]);
	EXPECT_TEXT("spare", trace->name[1]);
	EXPECT_EQ(2, trace->frames);
	EXPECT_EQ(1, trace->frame[0].flags);
	EXPECT_EQ(0, trace->frame[0].interface);
	EXPECT_EQ(2, trace->frame[1].flags);
	EXPECT_EQ(1, trace->frame[1].interface);
	EXPECT_EQ(1500, trace->frame[1].len);
	EXPECT_EQ(42, trace->frame[1].bytes.len);
	EXPECT(trace->frame[0].wall_us >= wall_us && trace->frame[0].wall_us < wall_us + 10000000);
	trace_free(trace);
	world_end(&w);
	EXPECT(strstr(w.log_text, "event=capture file=") != NULL);
	EXPECT(strstr(w.log_text, "why=stopped frames=2 lost=5 bytes=") != NULL);
}

TEST(capture, takes_everything_when_no_filter_is_given)
{
	static const char *const words[] = {"", "all ", "  "};
	struct world w;

	world_begin(&w);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		w.filter.count = 7;
		EXPECT(begun(world_askf(&w, "capture %s%s 3600\n", words[i], trace_path(&w))));
		EXPECT_EQ(0, w.filter.count);
		EXPECT(strstr(world_ask(&w, "capture stop\n"), "\"stopped\"") != NULL);
		unlink(trace_path(&w));
	}
	world_end(&w);
}

TEST(capture, ends_when_its_time_is_over)
{
	struct world w;

	world_begin(&w);
	EXPECT(begun(world_askf(&w, "capture all %s 1\n", trace_path(&w))));
	world_pass(&w, 900);
	EXPECT_EQ(0, w.capture_ends);
	world_pass(&w, 300);
	EXPECT_EQ(WORKERS, w.capture_ends);
	/* what came of it can be asked for later */
	EXPECT(strstr(world_ask(&w, "capture stop\n"), "\"why\":\"the time is over\"") != NULL);
	EXPECT(strstr(world_ask(&w, "capture stop\n"), "\"why\":\"the time is over\"") != NULL);
	world_end(&w);
}

TEST(capture, ends_when_its_file_is_as_long_as_it_may_be)
{
	struct message_captured frame = {.len = 10000};
	static const uint8_t bytes[10000];
	struct trace *trace;
	struct world w;

	world_begin(&w);
	EXPECT(begun(world_askf(&w, "capture all %s\n", trace_path(&w))));
	for (int i = 0; w.capture_ends == 0 && i < 25; i++) {
		world_frame(&w, i % WORKERS, &frame, span_of(bytes, sizeof(bytes)));
		world_pass(&w, 2);
	}
	EXPECT_EQ(WORKERS, w.capture_ends);
	EXPECT(strstr(world_ask(&w, "capture stop\n"), "the file is as long as it may be") != NULL);
	trace = trace_read(trace_path(&w));
	EXPECT_EQ(19, trace->frames);
	EXPECT(trace->len <= WORLD_FILE_MAX);
	trace_free(trace);
	world_end(&w);
}

TEST(capture, ends_when_the_disk_takes_no_more)
{
	struct message_captured frame = {.len = 10000};
	struct rlimit before, little = {.rlim_cur = 65536};
	static const uint8_t bytes[10000];
	struct world w;

	signal(SIGXFSZ, SIG_IGN);
	world_begin(&w);
	EXPECT(begun(world_askf(&w, "capture all %s\n", trace_path(&w))));
	EXPECT_EQ(0, getrlimit(RLIMIT_FSIZE, &before));
	little.rlim_max = before.rlim_max;
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &little));
	for (int i = 0; w.capture_ends == 0 && i < 15; i++) {
		world_frame(&w, 0, &frame, span_of(bytes, sizeof(bytes)));
		world_pass(&w, 2);
	}
	EXPECT_EQ(WORKERS, w.capture_ends);
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &before));
	EXPECT(strstr(world_ask(&w, "capture stop\n"), "\"why\":\"File too large\"") != NULL);
	world_end(&w);
}

TEST(capture, is_one_at_a_time_and_never_writes_over_a_file)
{
	char first[200];
	struct world w;

	world_begin(&w);
	EXPECT_TEXT("{\"error\":\"no capture runs\"}", world_ask(&w, "capture stop\n"));
	strcpy(first, trace_path(&w));
	EXPECT(begun(world_askf(&w, "capture all %s\n", first)));
	EXPECT_TEXT("{\"error\":\"busy: a capture runs already\"}",
		    world_askf(&w, "capture all %s2\n", first));
	EXPECT(strstr(world_ask(&w, "capture stop\n"), "\"stopped\"") != NULL);
	EXPECT(strstr(world_askf(&w, "capture all %s\n", first), "File exists\"}") != NULL);
	EXPECT(strstr(world_ask(&w, "capture all /nowhere/trace.pcapng\n"),
		      "{\"error\":\"/nowhere/trace.pcapng: No such file or directory\"}") != NULL);
	world_end(&w);
}

TEST(capture, refuses_what_it_does_not_understand)
{
	struct world w;

	world_begin(&w);
	EXPECT_TEXT("{\"error\":\"FILE missing: a path that begins with '/'\"}",
		    world_ask(&w, "capture\n"));
	EXPECT_TEXT("{\"error\":\"FILE missing: a path that begins with '/'\"}",
		    world_ask(&w, "capture udp trace.pcapng\n"));
	EXPECT_TEXT("{\"error\":\"SECONDS is a number, 1 to 3600, the last word\"}",
		    world_askf(&w, "capture all %s 3601\n", trace_path(&w)));
	EXPECT_TEXT("{\"error\":\"SECONDS is a number, 1 to 3600, the last word\"}",
		    world_askf(&w, "capture all %s 0\n", trace_path(&w)));
	EXPECT_TEXT("{\"error\":\"SECONDS is a number, 1 to 3600, the last word\"}",
		    world_askf(&w, "capture all %s 60 70\n", trace_path(&w)));
	EXPECT_TEXT("{\"error\":\"SECONDS is a number, 1 to 3600, the last word\"}",
		    world_askf(&w, "capture all %s soon\n", trace_path(&w)));
	EXPECT(strstr(world_askf(&w, "capture udp prt 5060 %s\n", trace_path(&w)),
		      "\"filter: can't parse filter expression: syntax error\"") != NULL);
	w.ports = 1;
	EXPECT_TEXT("{\"error\":\"no port has packets of its own: capture with tcpdump\"}",
		    world_askf(&w, "capture all %s\n", trace_path(&w)));
	EXPECT_EQ(0, w.captures);
	EXPECT_EQ(-1, access(trace_path(&w), F_OK));
	world_end(&w);
}

TEST(capture, leaves_no_file_and_no_capturing_worker_when_one_refuses)
{
	struct world w;

	world_begin(&w);
	w.capture_err = GW_CONFIG;
	EXPECT_TEXT("{\"error\":\"configuration refused\"}",
		    world_askf(&w, "capture all %s\n", trace_path(&w)));
	EXPECT_EQ(WORKERS, w.capture_ends);
	EXPECT_EQ(-1, access(trace_path(&w), F_OK));
	w.capture_err = GW_OK;
	EXPECT(begun(world_askf(&w, "capture all %s\n", trace_path(&w))));
	world_end(&w);
}

TEST(capture, gives_a_silent_worker_up)
{
	struct world w;

	world_begin_with(&w, 8000);
	w.manner[1] = SILENT;
	EXPECT_TEXT("{\"error\":\"busy, ask again\"}",
		    world_askf(&w, "capture all %s\n", trace_path(&w)));
	EXPECT_EQ(WORKERS, w.capture_ends);
	EXPECT_EQ(-1, access(trace_path(&w), F_OK));
	w.manner[1] = ANSWERS;
	EXPECT(begun(world_askf(&w, "capture all %s\n", trace_path(&w))));
	world_end(&w);
}

TEST(capture, tells_a_worker_again_that_did_not_hear_its_end)
{
	struct message_captured frame = {.len = 60};
	static const uint8_t bytes[60];
	struct world w;

	world_begin(&w);
	world_frame(&w, 1, &frame, span_of(bytes, sizeof(bytes)));
	world_frame(&w, 1, &frame, span_of(bytes, sizeof(bytes)));
	world_pass(&w, 30);
	EXPECT_EQ(WORKERS, w.capture_ends); /* once, not for every frame */
	EXPECT_TEXT("{\"error\":\"no capture runs\"}", world_ask(&w, "capture stop\n"));
	world_end(&w);
}

TEST(capture, has_its_file_whole_when_the_node_ends)
{
	struct message_captured frame = {.len = 60};
	static const uint8_t bytes[60];
	char kept[] = "/tmp/wicgate-trace-XXXXXX", path[64];
	struct trace *trace;
	struct world w;

	assert_non_null(mkdtemp(kept)); /* the world takes its own folder away */
	snprintf(path, sizeof(path), "%s/trace.pcapng", kept);
	world_begin(&w);
	EXPECT(begun(world_askf(&w, "capture all %s\n", path)));
	world_frame(&w, 0, &frame, span_of(bytes, sizeof(bytes)));
	world_pass(&w, 10);
	world_end(&w);
	EXPECT(strstr(w.log_text, "why=\"node is stopping\" frames=1") != NULL);
	trace = trace_read(path);
	EXPECT_EQ(1, trace->frames);
	trace_free(trace);
	unlink(path);
	rmdir(kept);
}

TEST(capture, survives_the_end_of_the_node_while_it_begins)
{
	char line[300];
	struct world w;
	int fd;

	for (uint32_t turns = 1; turns < 12; turns++) {
		world_begin(&w);
		w.manner[0] = SILENT;
		fd = world_connect(&w);
		snprintf(line, sizeof(line), "capture all %s\n", trace_path(&w));
		EXPECT_EQ(strlen(line), write(fd, line, strlen(line)));
		for (uint32_t i = 0; i < turns; i++) /* read, compiled, opened, asked */
			uv_run(&w.loop, UV_RUN_ONCE);
		world_end(&w);
		EXPECT_EQ(-1, access(trace_path(&w), F_OK));
		close(fd);
	}
}

TEST(capture, is_for_root_and_the_nodes_own_user)
{
	struct world w;

	if (geteuid() != 0)
		skip(); /* nobody else can be asked to try */
	world_begin(&w);
	EXPECT_EQ(0, chmod(w.folder.path, 0755));
	EXPECT_EQ(0, chmod(w.socket, 0666));
	w.client_uid = 65534;
	EXPECT_TEXT("{\"error\":\"not allowed: this command is for root and the node's own "
		    "user\"}",
		    world_askf(&w, "capture all %s\n", trace_path(&w)));
	EXPECT_TEXT("{\"error\":\"not allowed: this command is for root and the node's own "
		    "user\"}",
		    world_ask(&w, "capture stop\n"));
	EXPECT(strstr(world_ask(&w, "status\n"), "\"version\"") != NULL);
	w.client_uid = 0;
	EXPECT(begun(world_askf(&w, "capture all %s\n", trace_path(&w))));
	world_end(&w);
}

/* ---- wicctl --------------------------------------------------------------------------------- */

TEST(wicctl, makes_the_file_of_a_capture_absolute)
{
	char here[200];
	struct world w;

	world_begin(&w);
	assert_non_null(getcwd(here, sizeof(here)));
	EXPECT_EQ(0, chdir(w.folder.path));
	EXPECT_EQ(0, world_wicctl(&w, "capture 'udp port 5060' trace.pcapng 30"));
	EXPECT(strstr(w.answer, "state    running\n") != NULL);
	EXPECT(strstr(w.answer, "seconds  30\n") != NULL);
	EXPECT(w.filter.count > 4);
	EXPECT_EQ(0, access(trace_path(&w), F_OK));
	EXPECT_EQ(0, world_wicctl(&w, "capture stop"));
	EXPECT(strstr(w.answer, "why     stopped\n") != NULL);
	EXPECT_EQ(0, world_wicctl(&w, "capture '' ./second"));
	EXPECT_EQ(0, w.filter.count);
	EXPECT_EQ(0, access(folder_path(&w.folder, "second"), F_OK));
	EXPECT_EQ(0, chdir(here));
	world_end(&w);
}

TEST(wicctl, does_not_take_the_end_of_a_filter_for_a_file)
{
	static const char *const wrong[] = {"capture", "capture udp port 5060", "capture stop now",
					    "capture all 'a b.pcapng'"};
	struct world w;

	world_begin(&w);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		EXPECT_EQ(2, world_wicctl(&w, wrong[i]));
	EXPECT_EQ(0, w.captures);
	world_end(&w);
}

TEST_MAIN("cli_net", RUN(ports, are_listed_with_what_has_passed_all_their_queues),
	  RUN(ports, and_neighbours_are_tables_for_people),
	  RUN(ping, sends_the_next_when_the_former_is_answered),
	  RUN(ping, says_that_nothing_came_back_or_nothing_could_be_sent),
	  RUN(ping, sends_no_more_than_the_deadline_leaves_time_for),
	  RUN(ping, gives_a_worker_up_that_stays_silent),
	  RUN(ping, refuses_other_words_and_a_node_without_packets),
	  RUN(ping, survives_the_end_of_the_node_while_it_waits),
	  RUN(capture, writes_the_frames_of_all_workers_until_it_is_stopped),
	  RUN(capture, takes_everything_when_no_filter_is_given),
	  RUN(capture, ends_when_its_time_is_over),
	  RUN(capture, ends_when_its_file_is_as_long_as_it_may_be),
	  RUN(capture, ends_when_the_disk_takes_no_more),
	  RUN(capture, is_one_at_a_time_and_never_writes_over_a_file),
	  RUN(capture, refuses_what_it_does_not_understand),
	  RUN(capture, leaves_no_file_and_no_capturing_worker_when_one_refuses),
	  RUN(capture, gives_a_silent_worker_up),
	  RUN(capture, tells_a_worker_again_that_did_not_hear_its_end),
	  RUN(capture, has_its_file_whole_when_the_node_ends),
	  RUN(capture, survives_the_end_of_the_node_while_it_begins),
	  RUN(capture, is_for_root_and_the_nodes_own_user),
	  RUN(wicctl, makes_the_file_of_a_capture_absolute),
	  RUN(wicctl, does_not_take_the_end_of_a_filter_for_a_file))
