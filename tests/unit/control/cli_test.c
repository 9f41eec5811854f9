/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../test.h"
#include "world.h"

/* ---- the socket ---------------------------------------------------------------------------- */

TEST(cli, makes_a_socket_for_nobody_else_and_removes_it)
{
	struct stat about;
	struct world w;

	world_begin(&w);
	EXPECT_EQ(0, stat(w.socket, &about));
	EXPECT_EQ(0600, about.st_mode & 0777);
	cli_close(w.cli);
	EXPECT_EQ(-1, stat(w.socket, &about));
	w.cli = NULL;
	world_end(&w);
}

TEST(cli, takes_the_place_of_a_dead_socket_but_not_of_a_living_one)
{
	struct cli_config config = {.mode = 0600};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct cli *second;
	char why[128], dead[100];
	struct world w;
	int fd;

	world_begin(&w);
	config.loop = &w.loop;
	config.path = w.socket;
	EXPECT_EQ(GW_BUSY, cli_open(&config, &second, why, sizeof(why)));
	EXPECT_TEXT("another process listens on it", why);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(dead, folder_path(&w.folder, "dead.sock"));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", dead);
	EXPECT_EQ(0, bind(fd, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
	config.path = dead;
	EXPECT_EQ(GW_OK, cli_open(&config, &second, why, sizeof(why)));
	cli_close(second);
	config.path = folder_path(&w.folder, "cert.pem");
	EXPECT_EQ(GW_CONFIG, cli_open(&config, &second, why, sizeof(why)));
	world_end(&w);
}

TEST(cli, answers_what_it_does_not_understand_with_an_error)
{
	char many[CLI_REQUEST_MAX];
	struct world w;

	world_begin(&w);
	EXPECT_TEXT("{\"error\":\"unknown command\"}", world_ask(&w, "explode\n"));
	EXPECT_TEXT("{\"error\":\"malformed request\"}", world_ask(&w, "\n"));
	EXPECT_TEXT("{\"error\":\"malformed request\"}", world_ask_bytes(&w, "st\0atus\n", 8));
	for (int i = 0; i <= CLI_WORDS_MAX; i++)
		memcpy(many + 2 * i, "x ", 2);
	strcpy(many + 2 * CLI_WORDS_MAX + 2, "\n");
	EXPECT_TEXT("{\"error\":\"malformed request\"}", world_ask(&w, many));
	EXPECT_TEXT("{\"error\":\"unknown command\"}", world_ask(&w, many + 2));
	EXPECT_TEXT("{\"error\":\"too many arguments\"}", world_ask(&w, "status now\n"));
	memset(many, 'a', sizeof(many));
	EXPECT_TEXT("{\"error\":\"request too long\"}",
		    world_ask_bytes(&w, many, CLI_REQUEST_MAX - 1));
	world_end(&w);
}

TEST(cli, drops_a_client_that_asks_nothing_at_the_deadline)
{
	struct world w;

	world_begin(&w);
	EXPECT_TEXT("", world_ask(&w, "stat"));
	world_end(&w);
}

TEST(cli, bounds_its_clients)
{
	int fd[4];
	struct world w;

	world_begin(&w);
	for (int i = 0; i < 3; i++)
		fd[i] = world_connect(&w);
	EXPECT_TEXT("", world_ask(&w, "status\n"));
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	uv_run(&w.loop, UV_RUN_NOWAIT);
	uv_run(&w.loop, UV_RUN_NOWAIT);
	EXPECT(strstr(world_ask(&w, "status\n"), "\"version\"") != NULL);
	world_end(&w);
}

/* ---- commands ------------------------------------------------------------------------------ */

TEST(commands, say_what_the_node_is)
{
	struct world w;

	world_begin(&w);
	counter_add(&w.counters[0].conn_live, 2);
	counter_add(&w.counters[1].conn_live, 3);
	EXPECT_TEXT("{\"status\":{\"version\":\"0.1.0\",\"node\":\"ep1.home1.net\",\"state\":"
		    "\"running\",\"uptime_s\":5,\"workers\":2,\"config_generation\":3,"
		    "\"port_driver\":\"kernel\",\"verify_driver\":\"openssl\",\"connections\":5,"
		    "\"sessions\":0,\"bindings\":0,\"transactions\":0,\"finished\":0,"
		    "\"journal_bindings\":7,\"journal_failed\":1,\"journal_lost\":2}}",
		    world_ask(&w, "status\n"));
	world_end(&w);
}

/** The index of a row of stats. */
static size_t stat_named(const json_t *stats, const char *name)
{
	for (size_t i = 0; i < json_array_size(stats); i++)
		if (strcmp(world_text(stats, i, "name"), name) == 0)
			return i;
	return json_array_size(stats);
}

TEST(commands, sum_counters_take_the_greatest_of_maxima_and_list_errors_that_happened)
{
	json_t *stats;
	struct world w;
	size_t i;

	world_begin(&w);
	counter_add(&w.counters[0].deliver_out, 1);
	counter_add(&w.counters[1].deliver_out, 2);
	counter_max(&w.counters[0].loop_longest_us, 70);
	counter_max(&w.counters[1].loop_longest_us, 50);
	counter_max(&w.counters[0].tcp_timer_late_max_us, 7);
	counter_max(&w.counters[1].tcp_timer_late_max_us, 9);
	counter_add(&w.counters[1].errors[GW_WS_ORIGIN], 4);
	stats = world_ask_list(&w, "stats\n", "stats");
	i = stat_named(stats, "deliver_out");
	EXPECT_EQ(3, world_number(stats, i, "total"));
	EXPECT_TEXT("messages handed to another worker", world_text(stats, i, "help"));
	EXPECT_EQ(2, json_array_size(json_object_get(json_array_get(stats, i), "workers")));
	EXPECT_EQ(70, world_number(stats, stat_named(stats, "loop_longest_us"), "total"));
	EXPECT_EQ(9, world_number(stats, stat_named(stats, "tcp_timer_late_max_us"), "total"));
	EXPECT_EQ(4, world_number(stats, stat_named(stats, "errors.GW_WS_ORIGIN"), "total"));
	EXPECT_EQ(json_array_size(stats), stat_named(stats, "errors.GW_WS_SLOW"));
	json_decref(stats);
	world_end(&w);
}

TEST(commands, list_the_workers)
{
	json_t *workers;
	struct world w;

	world_begin(&w);
	counter_add(&w.counters[1].loop_turns, 9);
	counter_add(&w.counters[0].tcp_half_open_live, 5);
	workers = world_ask_list(&w, "workers\n", "workers");
	EXPECT_EQ(2, json_array_size(workers));
	EXPECT_EQ(11, world_number(workers, 1, "core"));
	EXPECT_EQ(9, world_number(workers, 1, "turns"));
	EXPECT_EQ(0, world_number(workers, 1, "mailbox_full"));
	EXPECT_EQ(5, world_number(workers, 0, "half_open"));
	json_decref(workers);
	world_end(&w);
}

TEST(commands, collect_sessions_of_all_workers_page_by_page)
{
	json_t *rows;
	struct world w;

	world_begin(&w);
	w.rows[0] = 3 * ANSWER_ROWS_MAX + 1;
	w.rows[1] = 2;
	rows = world_ask_list(&w, "sessions\n", "sessions");
	EXPECT_EQ(3 * ANSWER_ROWS_MAX + 3, json_array_size(rows));
	EXPECT_EQ(3 * ANSWER_ROWS_MAX, world_number(rows, 3 * ANSWER_ROWS_MAX, "slot"));
	EXPECT_EQ(1, world_number(rows, 3 * ANSWER_ROWS_MAX + 2, "worker"));
	EXPECT_TEXT("198.18.0.30:40000", world_text(rows, 0, "peer"));
	EXPECT_TEXT("https://shop.example", world_text(rows, 0, "origin"));
	EXPECT_TEXT("open", world_text(rows, 0, "state"));
	EXPECT_EQ(12, world_number(rows, 0, "age_s"));
	EXPECT_EQ(3, world_number(rows, 0, "messages_in"));
	json_decref(rows);
	world_end(&w);
}

TEST(commands, list_tcp_connections_of_both_stacks)
{
	struct world w;

	world_begin(&w);
	w.rows[1] = 1;
	EXPECT_TEXT("{\"connections\":[{\"worker\":1,\"slot\":0,\"stack\":\"kernel\",\"state\":"
		    "\"ESTAB\",\"recv_q\":1,\"send_q\":2,\"local\":\"198.18.0.10:443\",\"peer\":"
		    "\"198.18.0.30:40000\",\"srtt_us\":20000,\"rto_us\":220000,\"cwnd\":13600,"
		    "\"ssthresh\":0,\"mss\":1360,\"send_window\":65535,\"receive_window\":65536,"
		    "\"retransmits\":3,\"age_s\":12}]}",
		    world_ask(&w, "connections\n"));
	EXPECT_EQ(AF_UNSPEC, w.asked_host.sa.sa_family);
	EXPECT_EQ(0, w.asked_port);
	w.rows[1] = 2;
	EXPECT_EQ(0, world_wicctl(&w, "connections"));
	EXPECT(strstr(w.answer,
		      "1       1     packets  ESTAB  1       2       198.18.0.10:443  ") != NULL);
	world_end(&w);
}

TEST(commands, ask_the_workers_for_connections_with_an_end)
{
	static const struct {
		const char *request, *host;
		uint16_t port;
	} rows[] = {
		{"connections 443\n", NULL, 443},
		{"connections 198.18.0.30\n", "198.18.0.30", 0},
		{"connections 198.18.0.30:5060\n", "198.18.0.30", 5060},
		{"connections [fd00:18::30]:443\n", "fd00:18::30", 443},
		{"connections fd00:18::30\n", "fd00:18::30", 0},
	};
	static const char *const wrong[] = {"0",       "65536",	      "198.18.0.300",
					    "fd00::g", "[fd00::1]:x", "443x"};
	struct endpoint host;
	struct world w;

	world_begin(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT_TEXT("{\"connections\":[]}", world_ask(&w, rows[i].request));
		EXPECT_EQ(rows[i].port, w.asked_port);
		if (rows[i].host == NULL) {
			EXPECT_EQ(AF_UNSPEC, w.asked_host.sa.sa_family);
			continue;
		}
		EXPECT(endpoint_parse(span_text(rows[i].host), &host));
		EXPECT(endpoint_same_host(&host, &w.asked_host));
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		EXPECT_TEXT("{\"error\":\"END is an address, a port, or ADDRESS:PORT with IPv6 in "
			    "[]\"}",
			    world_askf(&w, "connections %s\n", wrong[i]));
	world_end(&w);
}

TEST(commands, list_bindings_by_hashes)
{
	struct world w;

	world_begin(&w);
	w.rows[1] = 1;
	EXPECT_TEXT("{\"bindings\":[{\"worker\":1,\"slot\":0,\"flow_slot\":77,\"impi\":"
		    "\"h:0123456789abcdef\",\"impu\":\"h:0000000000000001\",\"wwsf\":\"shop\","
		    "\"expires_s\":600,\"service_routes\":1,\"reg_event\":\"active\"}]}",
		    world_ask(&w, "bindings\n"));
	world_end(&w);
}

TEST(commands, list_next_hops_and_connections_of_mw)
{
	struct world w;

	world_begin(&w);
	w.rows[1] = 1;
	EXPECT_TEXT("{\"mw\":[{\"worker\":1,\"what\":\"hop\",\"peer\":\"198.18.0.20:5060\","
		    "\"transport\":\"tcp\",\"state\":\"shut\",\"priority\":0,\"weight\":5,"
		    "\"seconds\":17}]}",
		    world_ask(&w, "mw\n"));
	world_end(&w);
}

TEST(commands, cut_a_list_that_is_longer_than_an_answer_may_be)
{
	struct world w;
	json_t *answer;

	world_begin(&w);
	w.rows[0] = 600;
	answer = json_loads(world_ask(&w, "bindings\n"), 0, NULL);
	EXPECT_EQ(500, json_array_size(json_object_get(answer, "bindings")));
	EXPECT(json_is_true(json_object_get(answer, "truncated")));
	json_decref(answer);
	world_end(&w);
}

TEST(commands, are_busy_when_a_worker_stays_silent)
{
	struct world w;

	world_begin(&w);
	w.manner[1] = SILENT;
	EXPECT_TEXT("{\"error\":\"busy\"}", world_ask(&w, "connections\n"));
	w.manner[1] = ANSWERS;
	EXPECT_TEXT("{\"connections\":[]}", world_ask(&w, "connections\n"));
	world_end(&w);
}

/** Fills the ring from control to worker 0. */
static void fill_ring(struct world *w)
{
	static const uint8_t filler[4096];

	while (mailbox_send(w->hub, CONTROL, 0, span_of(filler, sizeof(filler)),
			    span_of(NULL, 0)) == GW_OK)
		;
	while (mailbox_send(w->hub, CONTROL, 0, span_of(filler, 16), span_of(NULL, 0)) == GW_OK)
		;
}

TEST(commands, are_busy_when_the_ring_of_a_worker_stays_full)
{
	struct world w;

	world_begin(&w);
	w.manner[0] = DEAF;
	fill_ring(&w);
	EXPECT_TEXT("{\"error\":\"busy\"}", world_ask(&w, "connections\n"));
	world_end(&w);
}

TEST(commands, try_again_while_the_ring_of_a_worker_is_full)
{
	struct world w;

	world_begin(&w);
	w.manner[0] = DEAF;
	w.rows[0] = 1;
	w.hear_after_turns = 30;
	fill_ring(&w);
	EXPECT(strstr(world_ask(&w, "connections\n"), "\"slot\":0") != NULL);
	world_end(&w);
}

TEST(commands, survive_a_worker_whose_answer_makes_no_sense)
{
	struct world w;

	world_begin(&w);
	w.rows[0] = 1;
	w.manner[0] = LIES;
	EXPECT_TEXT("{\"error\":\"malformed answer of a worker\"}", world_ask(&w, "connections\n"));
	world_end(&w);
}

TEST(commands, survive_the_end_of_the_node_while_they_wait)
{
	struct world w;
	int fd;

	world_begin(&w);
	w.manner[0] = SILENT;
	fd = world_connect(&w);
	EXPECT_EQ(12, send(fd, "connections\n", 12, 0));
	for (int i = 0; i < 10; i++)
		uv_run(&w.loop, UV_RUN_ONCE);
	world_end(&w);
	close(fd);
}

TEST(commands, survive_a_client_that_goes_while_they_wait)
{
	struct world w;
	int fd;

	world_begin(&w);
	w.manner[0] = DEAF;
	w.hear_after_turns = 10;
	fd = world_connect(&w);
	EXPECT_EQ(12, send(fd, "connections\n", 12, 0));
	for (int i = 0; i < 5; i++)
		uv_run(&w.loop, UV_RUN_ONCE);
	close(fd);
	while (w.hear_after_turns > 0)
		uv_run(&w.loop, UV_RUN_ONCE);
	EXPECT(strstr(world_ask(&w, "status\n"), "\"version\"") != NULL);
	world_end(&w);
}

TEST(commands, tell_all_problems_of_a_refused_reload_which_changes_nothing)
{
	struct world w;

	world_begin(&w);
	EXPECT_TEXT("{\"error\":\"configuration refused, nothing changed\",\"problems\":"
		    "[\"wicgate.yaml:7: mw.port: missing\"]}",
		    world_ask(&w, "reload\n"));
	EXPECT_TEXT("old", w.configuration);
	folder_write(&w.folder, "good", "");
	EXPECT_TEXT("{\"reload\":{\"generation\":4,\"warnings\":"
		    "[\"wicgate.yaml:8: warning: a key is left out\"]}}",
		    world_ask(&w, "reload\n"));
	EXPECT_TEXT("new", w.configuration);
	world_end(&w);
}

TEST(commands, wait_for_a_reload_as_long_as_it_takes)
{
	struct world w;

	world_begin(&w);
	w.reload_ms = 3 * WORLD_DEADLINE_MS;
	folder_write(&w.folder, "good", "");
	EXPECT(strstr(world_ask(&w, "reload\n"), "\"generation\":4") != NULL);
	EXPECT_TEXT("new", w.configuration);
	world_end(&w);
}

TEST(commands, drain_for_as_long_as_asked)
{
	struct world w;

	world_begin(&w);
	EXPECT_TEXT("{\"error\":\"SECONDS is a number up to 86400\"}",
		    world_ask(&w, "drain soon\n"));
	EXPECT_TEXT("{\"error\":\"SECONDS is a number up to 86400\"}",
		    world_ask(&w, "drain 86401\n"));
	EXPECT_TEXT("{\"drain\":{\"state\":\"draining\",\"seconds\":12}}",
		    world_ask(&w, "drain 12\n"));
	EXPECT_EQ(12, w.drained_s);
	EXPECT_TEXT("{\"error\":\"draining already\"}", world_ask(&w, "drain\n"));
	world_end(&w);
}

/* ---- wicctl -------------------------------------------------------------------------------- */

TEST(wicctl, prints_an_aligned_table_and_the_same_as_json)
{
	struct world w;

	world_begin(&w);
	w.rows[1] = 1;
	EXPECT_EQ(0, world_wicctl(&w, "bindings"));
	EXPECT_TEXT(
		"worker  slot  flow_slot  impi                impu                wwsf  "
		"expires_s  service_routes  reg_event\n"
		"1       0     77         h:0123456789abcdef  h:0000000000000001  shop  600      "
		"  1               active\n",
		w.answer);
	EXPECT_EQ(0, world_wicctl(&w, "--json bindings"));
	EXPECT(strncmp(w.answer, "{\"bindings\":[{\"worker\":1,", 25) == 0);
	EXPECT_EQ(0, world_wicctl(&w, "connections"));
	EXPECT_EQ(0, world_wicctl(&w, "status"));
	EXPECT(strstr(w.answer, "version            0.1.0\n") != NULL);
	world_end(&w);
}

TEST(wicctl, says_what_failed_and_exits_with_1)
{
	struct world w;

	world_begin(&w);
	EXPECT_EQ(1, world_wicctl(&w, "reload"));
	EXPECT_TEXT("wicctl: configuration refused, nothing changed\n"
		    "wicgate.yaml:7: mw.port: missing\n",
		    w.answer);
	EXPECT_EQ(1, world_wicctl(&w, "--json reload"));
	folder_write(&w.folder, "good", "");
	EXPECT_EQ(0, world_wicctl(&w, "reload"));
	EXPECT_TEXT("generation  4\nwarnings    wicgate.yaml:8: warning: a key is left out\n",
		    w.answer);
	EXPECT_EQ(1, world_wicctl(&w, "--socket /nowhere/control.sock status"));
	EXPECT_TEXT("wicctl: /nowhere/control.sock: No such file or directory\n", w.answer);
	world_end(&w);
}

TEST(wicctl, exits_with_2_when_it_is_used_wrongly_and_helps)
{
	struct world w;

	world_begin(&w);
	EXPECT_EQ(2, world_wicctl(&w, "explode"));
	EXPECT_EQ(2, world_wicctl(&w, ""));
	EXPECT_EQ(2, world_wicctl(&w, "--colour status"));
	EXPECT_EQ(2, world_wicctl(&w, "status now"));
	EXPECT_EQ(0, world_wicctl(&w, "--help"));
	EXPECT(strstr(w.answer,
		      "  drain        [SECONDS]                     refuse what is new") != NULL);
	EXPECT_EQ(0, world_wicctl(&w, "drain --help"));
	EXPECT(strstr(w.answer, "drain [SECONDS]\n") != NULL);
	EXPECT_EQ(0, w.drained_s);
	world_end(&w);
}

TEST_MAIN("cli", RUN(cli, makes_a_socket_for_nobody_else_and_removes_it),
	  RUN(cli, takes_the_place_of_a_dead_socket_but_not_of_a_living_one),
	  RUN(cli, answers_what_it_does_not_understand_with_an_error),
	  RUN(cli, drops_a_client_that_asks_nothing_at_the_deadline), RUN(cli, bounds_its_clients),
	  RUN(commands, say_what_the_node_is),
	  RUN(commands, sum_counters_take_the_greatest_of_maxima_and_list_errors_that_happened),
	  RUN(commands, list_the_workers),
	  RUN(commands, collect_sessions_of_all_workers_page_by_page),
	  RUN(commands, list_tcp_connections_of_both_stacks),
	  RUN(commands, ask_the_workers_for_connections_with_an_end),
	  RUN(commands, list_bindings_by_hashes),
	  RUN(commands, list_next_hops_and_connections_of_mw),
	  RUN(commands, cut_a_list_that_is_longer_than_an_answer_may_be),
	  RUN(commands, are_busy_when_a_worker_stays_silent),
	  RUN(commands, are_busy_when_the_ring_of_a_worker_stays_full),
	  RUN(commands, try_again_while_the_ring_of_a_worker_is_full),
	  RUN(commands, survive_a_worker_whose_answer_makes_no_sense),
	  RUN(commands, survive_the_end_of_the_node_while_they_wait),
	  RUN(commands, survive_a_client_that_goes_while_they_wait),
	  RUN(commands, tell_all_problems_of_a_refused_reload_which_changes_nothing),
	  RUN(commands, wait_for_a_reload_as_long_as_it_takes),
	  RUN(commands, drain_for_as_long_as_asked),
	  RUN(wicctl, prints_an_aligned_table_and_the_same_as_json),
	  RUN(wicctl, says_what_failed_and_exits_with_1),
	  RUN(wicctl, exits_with_2_when_it_is_used_wrongly_and_helps))
