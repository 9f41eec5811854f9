/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "control/commands.h"
#include "control/inbox.h"
#include "folder.h"

enum { WORKERS = 2, CONTROL = WORKERS, DEADLINE_MS = 300, RING = 65536 };

/** What a worker of this test does with a command. */
enum manner { ANSWERS, SILENT, DEAF /* does not even read its ring */, LIES };

/** A control loop with a socket, and two workers that live on the same loop. */
struct world {
	struct folder folder;
	char socket[100];
	uv_loop_t loop;
	uv_timer_t turn; /* of the workers */
	uv_async_t done; /* the client has its answer */
	struct mailbox_hub *hub;
	struct fetch *fetch;
	struct inbox *inbox;
	struct cli *cli;
	struct commands commands;
	struct counters counters[WORKERS];
	enum manner manner[WORKERS];
	uint32_t rows[WORKERS];
	uint32_t hear_after_turns; /* a DEAF worker begins to answer; 0: never */
	uint32_t drained_s;
	const char *configuration; /* live */
	const char *request;
	uint32_t request_len;
	char *answer;
};

/* ---- workers ------------------------------------------------------------------------------- */

static struct row_connection connection_row(uint16_t worker, uint32_t slot)
{
	struct row_connection row = {.handle = {.worker = worker, .slot = slot, .generation = 1},
				     .origin = "https://shop.example",
				     .tls = "TLSv1.3 TLS_AES_128_GCM_SHA256 X25519",
				     .state = "open",
				     .age_s = 12,
				     .messages_in = 3,
				     .bindings = 1};

	row.peer.v4.sin_family = AF_INET;
	row.peer.v4.sin_port = htons(40000);
	inet_pton(AF_INET, "198.18.0.30", &row.peer.v4.sin_addr);
	return row;
}

static struct row_binding binding_row(uint16_t worker, uint32_t slot)
{
	return (struct row_binding){.handle = {.worker = worker, .slot = slot, .generation = 1},
				    .flow = {.worker = worker, .slot = 77, .generation = 1},
				    .impi_hash = 0x0123456789abcdef,
				    .impu_hash = 1,
				    .wwsf = "shop",
				    .expires_s = 600,
				    .service_routes = 1};
}

struct fake {
	struct world *world;
	uint16_t worker;
};

static void answer_command(struct world *w, uint16_t worker, const struct message_command *command)
{
	bool connections = command->what == COMMAND_CONNECTIONS;
	uint32_t size = connections ? sizeof(struct row_connection) : sizeof(struct row_binding);
	uint32_t left = w->rows[worker] - command->cursor;
	uint32_t n = left < command->max ? left : command->max;
	struct message_answer answer = {.id = command->id, .rows = n, .row_size = size};
	uint8_t *rows = calloc(n + 1, size);

	for (uint32_t i = 0; i < n; i++) {
		struct row_connection c = connection_row(worker, command->cursor + i);
		struct row_binding b = binding_row(worker, command->cursor + i);

		memcpy(rows + i * size, connections ? (void *)&c : (void *)&b, size);
	}
	answer.head = (struct message_head){MESSAGE_ANSWER, sizeof(answer) + n * size};
	answer.cursor = n < left ? command->cursor + n : 0;
	if (w->manner[worker] == LIES)
		answer.row_size--;
	EXPECT_EQ(GW_OK, mailbox_send(w->hub, worker, CONTROL, span_of(&answer, sizeof(answer)),
				      span_of(rows, n * size)));
	free(rows);
}

static void worker_message(void *context, uint16_t from, struct span message)
{
	const struct fake *fake = context;
	struct message_command command;

	if (!span_copy(&message, &command, sizeof(command)) || command.head.kind != MESSAGE_COMMAND)
		return;
	EXPECT_EQ(CONTROL, from);
	if (fake->world->manner[fake->worker] != SILENT)
		answer_command(fake->world, fake->worker, &command);
}

static void workers_turn(uv_timer_t *timer)
{
	struct world *w = timer->data;

	if (w->hear_after_turns > 0 && --w->hear_after_turns == 0)
		w->manner[0] = ANSWERS;
	for (uint16_t i = 0; i < WORKERS; i++) {
		struct fake fake = {w, i};

		if (w->manner[i] != DEAF)
			mailbox_receive(w->hub, i, 1000, worker_message, &fake);
	}
}

/* ---- the node ------------------------------------------------------------------------------ */

static void node_status(void *context, struct node_status *status)
{
	*status = (struct node_status){.version = "0.1.0",
				       .node = "ep1.home1.net",
				       .state = "running",
				       .port_driver = "kernel",
				       .verify_driver = "openssl",
				       .uptime_s = 5,
				       .config_generation = 3};
}

static const struct counters *node_counters(void *context, uint16_t w)
{
	return &((struct world *)context)->counters[w];
}

static uint32_t node_core(void *context, uint16_t w)
{
	return 10u + w;
}

/** As a node does: what is refused is not looked at again. */
static void node_reload(void *context, struct cli_request *request)
{
	struct world *w = context;
	struct problems *problems = problems_new();

	if (access(folder_path(&w->folder, "good"), F_OK) == 0)
		w->configuration = "new";
	else
		problems_add(problems, PROBLEM_ERROR, "wicgate.yaml", 7, "mw.port: missing");
	problems_add(problems, PROBLEM_WARNING, "wicgate.yaml", 8, "a key is left out");
	commands_reloaded(request, problems, 4);
	problems_free(problems);
}

static const char *node_drain(void *context, uint32_t seconds)
{
	struct world *w = context;

	if (w->drained_s != 0)
		return "draining already";
	w->drained_s = seconds;
	return NULL;
}

static const struct node_ops node = {node_status, node_counters, node_core, node_reload,
				     node_drain};

static void control_message(void *context, uint16_t from, struct span message)
{
	fetch_answer(((struct world *)context)->fetch, from, message);
}

/* ---- life ---------------------------------------------------------------------------------- */

static void client_done(uv_async_t *async)
{
	uv_stop(async->loop);
}

static void begin(struct world *w)
{
	struct fetch_config fetch = {.loop = &w->loop, .workers = WORKERS, .max_rows = 500};
	struct inbox_config inbox = {.loop = &w->loop,
				     .endpoint = CONTROL,
				     .handler = control_message,
				     .context = w};
	struct cli_config cli = {.loop = &w->loop,
				 .path = w->socket,
				 .mode = 0600,
				 .commands = commands_table,
				 .command_count = commands_count,
				 .context = &w->commands,
				 .clients_max = 3,
				 .deadline_ms = DEADLINE_MS};
	char why[256] = "";

	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	memset(w, 0, sizeof(*w));
	w->configuration = "old";
	folder_make(&w->folder);
	strcpy(w->socket, folder_path(&w->folder, "control.sock"));
	uv_loop_init(&w->loop);
	w->hub = mailbox_hub_new(WORKERS + 1, RING, NULL, NULL);
	assert_non_null(w->hub);
	fetch.hub = inbox.hub = w->hub;
	w->fetch = fetch_new(&fetch);
	w->inbox = inbox_new(&inbox);
	assert_non_null(w->inbox);
	w->commands = (struct commands){&node, w, WORKERS, w->fetch};
	assert_int_equal(GW_OK, cli_open(&cli, &w->cli, why, sizeof(why)));
	uv_async_init(&w->loop, &w->done, client_done);
	uv_timer_init(&w->loop, &w->turn);
	w->turn.data = w;
	uv_timer_start(&w->turn, workers_turn, 1, 1);
}

static void end(struct world *w)
{
	cli_close(w->cli);
	fetch_close(w->fetch);
	inbox_close(w->inbox);
	uv_close((uv_handle_t *)&w->done, NULL);
	uv_close((uv_handle_t *)&w->turn, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	EXPECT_EQ(0, uv_loop_close(&w->loop)); /* nothing was left open */
	mailbox_hub_free(w->hub);
	free(w->answer);
	folder_remove(&w->folder);
}

/* ---- clients ------------------------------------------------------------------------------- */

static int client_connect(const struct world *w)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", w->socket);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

static void *client_run(void *context)
{
	struct world *w = context;
	int fd = client_connect(w);
	size_t used = 0;
	ssize_t n;

	free(w->answer);
	w->answer = calloc(1, 1 << 20);
	if (send(fd, w->request, w->request_len, MSG_NOSIGNAL) == (ssize_t)w->request_len)
		while ((n = recv(fd, w->answer + used, (1 << 20) - 1 - used, 0)) > 0)
			used += (size_t)n;
	close(fd);
	uv_async_send(&w->done);
	return NULL;
}

/** Sends bytes to the socket from another thread and runs the loop until the stream ends. */
static const char *ask_bytes(struct world *w, const char *bytes, size_t len)
{
	pthread_t client;

	w->request = bytes;
	w->request_len = (uint32_t)len;
	assert_int_equal(0, pthread_create(&client, NULL, client_run, w));
	uv_run(&w->loop, UV_RUN_DEFAULT);
	pthread_join(client, NULL);
	return w->answer;
}

static const char *ask(struct world *w, const char *request)
{
	return ask_bytes(w, request, strlen(request));
}

/** The list in the answer to request; the caller gives it back. */
static json_t *ask_list(struct world *w, const char *request, const char *name)
{
	json_t *answer = json_loads(ask(w, request), 0, NULL);
	json_t *list = json_incref(json_object_get(answer, name));

	json_decref(answer);
	assert_true(json_is_array(list));
	return list;
}

static const char *text_of(const json_t *list, size_t i, const char *name)
{
	const char *text = json_string_value(json_object_get(json_array_get(list, i), name));

	assert_non_null(text);
	return text;
}

static json_int_t number_of(const json_t *list, size_t i, const char *name)
{
	const json_t *number = json_object_get(json_array_get(list, i), name);

	assert_true(json_is_integer(number));
	return json_integer_value(number);
}

/* ---- the socket ---------------------------------------------------------------------------- */

TEST(cli, makes_a_socket_for_nobody_else_and_removes_it)
{
	struct stat about;
	struct world w;

	begin(&w);
	EXPECT_EQ(0, stat(w.socket, &about));
	EXPECT_EQ(0600, about.st_mode & 0777);
	cli_close(w.cli);
	EXPECT_EQ(-1, stat(w.socket, &about));
	w.cli = NULL;
	end(&w);
}

TEST(cli, takes_the_place_of_a_dead_socket_but_not_of_a_living_one)
{
	struct cli_config config = {.mode = 0600};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct cli *second;
	char why[128], dead[100];
	struct world w;
	int fd;

	begin(&w);
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
	end(&w);
}

TEST(cli, answers_what_it_does_not_understand_with_an_error)
{
	char many[2000];
	struct world w;

	begin(&w);
	EXPECT_TEXT("{\"error\":\"unknown command\"}", ask(&w, "explode\n"));
	EXPECT_TEXT("{\"error\":\"malformed request\"}", ask(&w, "\n"));
	EXPECT_TEXT("{\"error\":\"malformed request\"}", ask_bytes(&w, "st\0atus\n", 8));
	EXPECT_TEXT("{\"error\":\"malformed request\"}", ask(&w, "1 2 3 4 5 6 7 8 9\n"));
	EXPECT_TEXT("{\"error\":\"too many arguments\"}", ask(&w, "status now\n"));
	memset(many, 'a', sizeof(many));
	EXPECT_TEXT("{\"error\":\"request too long\"}", ask_bytes(&w, many, CLI_REQUEST_MAX - 1));
	end(&w);
}

TEST(cli, drops_a_client_that_asks_nothing_at_the_deadline)
{
	struct world w;

	begin(&w);
	EXPECT_TEXT("", ask(&w, "stat"));
	end(&w);
}

TEST(cli, bounds_its_clients)
{
	int fd[4];
	struct world w;

	begin(&w);
	for (int i = 0; i < 3; i++)
		fd[i] = client_connect(&w);
	EXPECT_TEXT("", ask(&w, "status\n"));
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	uv_run(&w.loop, UV_RUN_NOWAIT);
	uv_run(&w.loop, UV_RUN_NOWAIT);
	EXPECT(strstr(ask(&w, "status\n"), "\"version\"") != NULL);
	end(&w);
}

/* ---- commands ------------------------------------------------------------------------------ */

TEST(commands, say_what_the_node_is)
{
	struct world w;

	begin(&w);
	counter_add(&w.counters[0].conn_live, 2);
	counter_add(&w.counters[1].conn_live, 3);
	EXPECT_TEXT("{\"status\":{\"version\":\"0.1.0\",\"node\":\"ep1.home1.net\",\"state\":"
		    "\"running\",\"uptime_s\":5,\"workers\":2,\"config_generation\":3,"
		    "\"port_driver\":\"kernel\",\"verify_driver\":\"openssl\",\"connections\":5,"
		    "\"sessions\":0,\"bindings\":0,\"transactions\":0}}",
		    ask(&w, "status\n"));
	end(&w);
}

/** The index of a row of stats. */
static size_t stat_named(const json_t *stats, const char *name)
{
	for (size_t i = 0; i < json_array_size(stats); i++)
		if (strcmp(text_of(stats, i, "name"), name) == 0)
			return i;
	return json_array_size(stats);
}

TEST(commands, sum_counters_take_the_greatest_of_maxima_and_list_errors_that_happened)
{
	json_t *stats;
	struct world w;
	size_t i;

	begin(&w);
	counter_add(&w.counters[0].deliver_out, 1);
	counter_add(&w.counters[1].deliver_out, 2);
	counter_max(&w.counters[0].loop_longest_us, 70);
	counter_max(&w.counters[1].loop_longest_us, 50);
	counter_add(&w.counters[1].errors[GW_WS_ORIGIN], 4);
	stats = ask_list(&w, "stats\n", "stats");
	i = stat_named(stats, "deliver_out");
	EXPECT_EQ(3, number_of(stats, i, "total"));
	EXPECT_TEXT("messages handed to another worker", text_of(stats, i, "help"));
	EXPECT_EQ(2, json_array_size(json_object_get(json_array_get(stats, i), "workers")));
	EXPECT_EQ(70, number_of(stats, stat_named(stats, "loop_longest_us"), "total"));
	EXPECT_EQ(4, number_of(stats, stat_named(stats, "errors.GW_WS_ORIGIN"), "total"));
	EXPECT_EQ(json_array_size(stats), stat_named(stats, "errors.GW_WS_SLOW"));
	json_decref(stats);
	end(&w);
}

TEST(commands, list_the_workers)
{
	json_t *workers;
	struct world w;

	begin(&w);
	counter_add(&w.counters[1].loop_turns, 9);
	workers = ask_list(&w, "workers\n", "workers");
	EXPECT_EQ(2, json_array_size(workers));
	EXPECT_EQ(11, number_of(workers, 1, "core"));
	EXPECT_EQ(9, number_of(workers, 1, "turns"));
	EXPECT_EQ(0, number_of(workers, 1, "mailbox_full"));
	json_decref(workers);
	end(&w);
}

TEST(commands, collect_connections_of_all_workers_page_by_page)
{
	json_t *rows;
	struct world w;

	begin(&w);
	w.rows[0] = 3 * ANSWER_ROWS_MAX + 1;
	w.rows[1] = 2;
	rows = ask_list(&w, "connections\n", "connections");
	EXPECT_EQ(3 * ANSWER_ROWS_MAX + 3, json_array_size(rows));
	EXPECT_EQ(3 * ANSWER_ROWS_MAX, number_of(rows, 3 * ANSWER_ROWS_MAX, "slot"));
	EXPECT_EQ(1, number_of(rows, 3 * ANSWER_ROWS_MAX + 2, "worker"));
	EXPECT_TEXT("198.18.0.30:40000", text_of(rows, 0, "peer"));
	EXPECT_TEXT("https://shop.example", text_of(rows, 0, "origin"));
	EXPECT_TEXT("open", text_of(rows, 0, "state"));
	EXPECT_EQ(12, number_of(rows, 0, "age_s"));
	EXPECT_EQ(3, number_of(rows, 0, "messages_in"));
	json_decref(rows);
	end(&w);
}

TEST(commands, list_bindings_by_hashes)
{
	struct world w;

	begin(&w);
	w.rows[1] = 1;
	EXPECT_TEXT("{\"bindings\":[{\"worker\":1,\"slot\":0,\"flow_slot\":77,\"impi\":"
		    "\"h:0123456789abcdef\",\"impu\":\"h:0000000000000001\",\"wwsf\":\"shop\","
		    "\"expires_s\":600,\"service_routes\":1}]}",
		    ask(&w, "bindings\n"));
	end(&w);
}

TEST(commands, cut_a_list_that_is_longer_than_an_answer_may_be)
{
	struct world w;
	json_t *answer;

	begin(&w);
	w.rows[0] = 600;
	answer = json_loads(ask(&w, "bindings\n"), 0, NULL);
	EXPECT_EQ(500, json_array_size(json_object_get(answer, "bindings")));
	EXPECT(json_is_true(json_object_get(answer, "truncated")));
	json_decref(answer);
	end(&w);
}

TEST(commands, are_busy_when_a_worker_stays_silent)
{
	struct world w;

	begin(&w);
	w.manner[1] = SILENT;
	EXPECT_TEXT("{\"error\":\"busy\"}", ask(&w, "connections\n"));
	w.manner[1] = ANSWERS;
	EXPECT_TEXT("{\"connections\":[]}", ask(&w, "connections\n"));
	end(&w);
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

	begin(&w);
	w.manner[0] = DEAF;
	fill_ring(&w);
	EXPECT_TEXT("{\"error\":\"busy\"}", ask(&w, "connections\n"));
	end(&w);
}

TEST(commands, try_again_while_the_ring_of_a_worker_is_full)
{
	struct world w;

	begin(&w);
	w.manner[0] = DEAF;
	w.rows[0] = 1;
	w.hear_after_turns = 30;
	fill_ring(&w);
	EXPECT(strstr(ask(&w, "connections\n"), "\"slot\":0") != NULL);
	end(&w);
}

TEST(commands, survive_a_worker_whose_answer_makes_no_sense)
{
	struct world w;

	begin(&w);
	w.rows[0] = 1;
	w.manner[0] = LIES;
	EXPECT_TEXT("{\"error\":\"malformed answer of a worker\"}", ask(&w, "connections\n"));
	end(&w);
}

TEST(commands, survive_the_end_of_the_node_while_they_wait)
{
	struct world w;
	int fd;

	begin(&w);
	w.manner[0] = SILENT;
	fd = client_connect(&w);
	EXPECT_EQ(12, send(fd, "connections\n", 12, 0));
	for (int i = 0; i < 10; i++)
		uv_run(&w.loop, UV_RUN_ONCE);
	end(&w);
	close(fd);
}

TEST(commands, survive_a_client_that_goes_while_they_wait)
{
	struct world w;
	int fd;

	begin(&w);
	w.manner[0] = DEAF;
	w.hear_after_turns = 10;
	fd = client_connect(&w);
	EXPECT_EQ(12, send(fd, "connections\n", 12, 0));
	for (int i = 0; i < 5; i++)
		uv_run(&w.loop, UV_RUN_ONCE);
	close(fd);
	while (w.hear_after_turns > 0)
		uv_run(&w.loop, UV_RUN_ONCE);
	EXPECT(strstr(ask(&w, "status\n"), "\"version\"") != NULL);
	end(&w);
}

TEST(commands, tell_all_problems_of_a_refused_reload_which_changes_nothing)
{
	struct world w;

	begin(&w);
	EXPECT_TEXT("{\"error\":\"configuration refused, nothing changed\",\"problems\":"
		    "[\"wicgate.yaml:7: mw.port: missing\"]}",
		    ask(&w, "reload\n"));
	EXPECT_TEXT("old", w.configuration);
	folder_write(&w.folder, "good", "");
	EXPECT_TEXT("{\"reload\":{\"generation\":4,\"warnings\":"
		    "[\"wicgate.yaml:8: warning: a key is left out\"]}}",
		    ask(&w, "reload\n"));
	EXPECT_TEXT("new", w.configuration);
	end(&w);
}

TEST(commands, drain_for_as_long_as_asked)
{
	struct world w;

	begin(&w);
	EXPECT_TEXT("{\"error\":\"SECONDS is a number up to 86400\"}", ask(&w, "drain soon\n"));
	EXPECT_TEXT("{\"error\":\"SECONDS is a number up to 86400\"}", ask(&w, "drain 86401\n"));
	EXPECT_TEXT("{\"drain\":{\"state\":\"draining\",\"seconds\":12}}", ask(&w, "drain 12\n"));
	EXPECT_EQ(12, w.drained_s);
	EXPECT_TEXT("{\"error\":\"draining already\"}", ask(&w, "drain\n"));
	end(&w);
}

/* ---- wicctl -------------------------------------------------------------------------------- */

struct run {
	struct world *world;
	const char *arguments;
	int code;
};

static void *wicctl_run(void *context)
{
	struct run *run = context;
	char command[512];
	FILE *out;

	snprintf(command, sizeof(command), "%s --socket %s %s 2>&1", WICCTL_PATH,
		 run->world->socket, run->arguments);
	free(run->world->answer);
	run->world->answer = calloc(1, 65536);
	out = popen(command, "r");
	if (out != NULL && fread(run->world->answer, 1, 65535, out) > 0)
		run->code = WEXITSTATUS(pclose(out));
	uv_async_send(&run->world->done);
	return NULL;
}

/** Runs wicctl against the socket and gives its exit code; what it printed is in w->answer. */
static int wicctl(struct world *w, const char *arguments)
{
	struct run run = {w, arguments, -1};
	pthread_t thread;

	assert_int_equal(0, pthread_create(&thread, NULL, wicctl_run, &run));
	uv_run(&w->loop, UV_RUN_DEFAULT);
	pthread_join(thread, NULL);
	return run.code;
}

TEST(wicctl, prints_an_aligned_table_and_the_same_as_json)
{
	struct world w;

	begin(&w);
	w.rows[1] = 1;
	EXPECT_EQ(0, wicctl(&w, "bindings"));
	EXPECT_TEXT(
		"worker  slot  flow_slot  impi                impu                wwsf  "
		"expires_s  service_routes\n"
		"1       0     77         h:0123456789abcdef  h:0000000000000001  shop  600      "
		"  1\n",
		w.answer);
	EXPECT_EQ(0, wicctl(&w, "--json bindings"));
	EXPECT(strncmp(w.answer, "{\"bindings\":[{\"worker\":1,", 25) == 0);
	EXPECT_EQ(0, wicctl(&w, "connections"));
	EXPECT_EQ(0, wicctl(&w, "status"));
	EXPECT(strstr(w.answer, "version            0.1.0\n") != NULL);
	end(&w);
}

TEST(wicctl, says_what_failed_and_exits_with_1)
{
	struct world w;

	begin(&w);
	EXPECT_EQ(1, wicctl(&w, "reload"));
	EXPECT_TEXT("wicctl: configuration refused, nothing changed\n"
		    "wicgate.yaml:7: mw.port: missing\n",
		    w.answer);
	EXPECT_EQ(1, wicctl(&w, "--json reload"));
	folder_write(&w.folder, "good", "");
	EXPECT_EQ(0, wicctl(&w, "reload"));
	EXPECT_TEXT("generation  4\nwarnings    wicgate.yaml:8: warning: a key is left out\n",
		    w.answer);
	EXPECT_EQ(1, wicctl(&w, "--socket /nowhere/control.sock status"));
	EXPECT_TEXT("wicctl: /nowhere/control.sock: No such file or directory\n", w.answer);
	end(&w);
}

TEST(wicctl, exits_with_2_when_it_is_used_wrongly_and_helps)
{
	struct world w;

	begin(&w);
	EXPECT_EQ(2, wicctl(&w, "explode"));
	EXPECT_EQ(2, wicctl(&w, ""));
	EXPECT_EQ(2, wicctl(&w, "--colour status"));
	EXPECT_EQ(2, wicctl(&w, "status now"));
	EXPECT_EQ(0, wicctl(&w, "--help"));
	EXPECT(strstr(w.answer, "  drain       [SECONDS]  refuse what is new") != NULL);
	EXPECT_EQ(0, wicctl(&w, "drain --help"));
	EXPECT(strstr(w.answer, "drain [SECONDS]\n") != NULL);
	EXPECT_EQ(0, w.drained_s);
	end(&w);
}

TEST_MAIN("cli", RUN(cli, makes_a_socket_for_nobody_else_and_removes_it),
	  RUN(cli, takes_the_place_of_a_dead_socket_but_not_of_a_living_one),
	  RUN(cli, answers_what_it_does_not_understand_with_an_error),
	  RUN(cli, drops_a_client_that_asks_nothing_at_the_deadline), RUN(cli, bounds_its_clients),
	  RUN(commands, say_what_the_node_is),
	  RUN(commands, sum_counters_take_the_greatest_of_maxima_and_list_errors_that_happened),
	  RUN(commands, list_the_workers),
	  RUN(commands, collect_connections_of_all_workers_page_by_page),
	  RUN(commands, list_bindings_by_hashes),
	  RUN(commands, cut_a_list_that_is_longer_than_an_answer_may_be),
	  RUN(commands, are_busy_when_a_worker_stays_silent),
	  RUN(commands, are_busy_when_the_ring_of_a_worker_stays_full),
	  RUN(commands, try_again_while_the_ring_of_a_worker_is_full),
	  RUN(commands, survive_a_worker_whose_answer_makes_no_sense),
	  RUN(commands, survive_the_end_of_the_node_while_they_wait),
	  RUN(commands, survive_a_client_that_goes_while_they_wait),
	  RUN(commands, tell_all_problems_of_a_refused_reload_which_changes_nothing),
	  RUN(commands, drain_for_as_long_as_asked),
	  RUN(wicctl, prints_an_aligned_table_and_the_same_as_json),
	  RUN(wicctl, says_what_failed_and_exits_with_1),
	  RUN(wicctl, exits_with_2_when_it_is_used_wrongly_and_helps))
