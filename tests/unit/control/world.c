/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"

enum { RING = 65536 };

/* ---- workers ------------------------------------------------------------------------------- */

static struct row_session session_row(uint16_t worker, uint32_t slot)
{
	struct row_session row = {.handle = {.worker = worker, .slot = slot, .generation = 1},
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
				    .service_routes = 1,
				    .reg_event = "active"};
}

/** Of the kernel's, and every other one of packets. */
static struct row_connection connection_row(uint16_t worker, uint32_t slot)
{
	struct row_connection row = {.conn = {.ref = {.worker = worker, .slot = slot},
					      .state = "ESTAB",
					      .receive_bytes = 1,
					      .send_bytes = 2,
					      .srtt_us = 20000,
					      .rto_us = 220000,
					      .cwnd = 13600,
					      .mss = 1360,
					      .send_window = 65535,
					      .receive_window = 65536,
					      .retransmits = 3,
					      .age_s = 12},
				     .back_end = slot % 2};

	EXPECT(endpoint_parse(SPAN("198.18.0.10:443"), &row.conn.local));
	EXPECT(endpoint_parse(SPAN("198.18.0.30:40000"), &row.conn.peer));
	return row;
}

static struct row_mw mw_row(uint32_t n)
{
	struct row_mw row = {.transport = MW_TCP,
			     .what = "hop",
			     .state = "shut",
			     .priority = n,
			     .weight = 5,
			     .seconds = 17};

	EXPECT(endpoint_parse(SPAN("198.18.0.20"), &row.peer));
	endpoint_set_port(&row.peer, 5060);
	return row;
}

struct fake {
	struct world *world;
	uint16_t worker;
};

static void answer_command(struct world *w, uint16_t worker, const struct message_command *command)
{
	static const uint32_t sizes[] = {[COMMAND_CONNECTIONS] = sizeof(struct row_connection),
					 [COMMAND_SESSIONS] = sizeof(struct row_session),
					 [COMMAND_BINDINGS] = sizeof(struct row_binding),
					 [COMMAND_MW] = sizeof(struct row_mw),
					 [COMMAND_POOLS] = sizeof(struct row_pool),
					 [COMMAND_BLOCKS] = sizeof(struct row_block)};
	uint32_t size = sizes[command->what];
	uint32_t left = w->rows[worker] - command->cursor;
	uint32_t n = left < command->max ? left : command->max;
	struct message_answer answer = {.id = command->id, .rows = n, .row_size = size};
	uint8_t *rows = calloc(n + 1, size);

	w->asked_host = command->peer;
	w->asked_port = command->port;
	for (uint32_t i = 0; i < n; i++) {
		struct row_connection c = connection_row(worker, command->cursor + i);
		struct row_session s = session_row(worker, command->cursor + i);
		struct row_binding b = binding_row(worker, command->cursor + i);
		struct row_mw m = mw_row(command->cursor + i);
		struct row_pool p = {"shop", 1 + worker, 10, 100, 1000, 10000};
		struct row_block k = {.name = "shop",
				      .home = worker == 1,
				      .state = worker == 1 ? ROW_BLOCK_UP : ROW_BLOCK_DOWN,
				      .seconds = worker == 1 ? 600 : 0,
				      .status = 503,
				      .bindings = 1 + worker,
				      .ended = worker == 1 ? GW_REG_PROBATION : GW_OK,
				      .again_s = worker == 1 ? 30 : 0,
				      .reg_event = "none"};
		const void *const all[] = {&c, &s, &b, &m, &p, &k};

		memcpy(rows + i * size, all[command->what], size);
	}
	answer.head = (struct message_head){MESSAGE_ANSWER, sizeof(answer) + n * size};
	answer.cursor = n < left ? command->cursor + n : 0;
	if (w->manner[worker] == LIES)
		answer.row_size--;
	EXPECT_EQ(GW_OK, mailbox_send(w->hub, worker, CONTROL, span_of(&answer, sizeof(answer)),
				      span_of(rows, n * size)));
	free(rows);
}

static void answer_row(struct world *w, uint16_t worker, uint32_t id, const void *row,
		       uint32_t size)
{
	struct message_answer answer = {
		.head = {MESSAGE_ANSWER, (uint32_t)sizeof(answer) + size},
		.id = id,
		.rows = 1,
		.row_size = w->manner[worker] == LIES ? size - 1 : size,
	};

	EXPECT_EQ(GW_OK, mailbox_send(w->hub, worker, CONTROL, span_of(&answer, sizeof(answer)),
				      span_of(row, size)));
}

static void answer_ping(struct world *w, uint16_t worker, const struct message_command *command)
{
	EXPECT_EQ(0, worker);
	w->pinged = command->peer;
	answer_row(w, worker, command->id, &w->pongs[w->pings], sizeof(w->pongs[0]));
	w->pings++;
}

static void answer_capture(struct world *w, uint16_t worker, const struct message_command *command)
{
	struct row_done done = {worker == 1 ? w->capture_err : GW_OK};

	answer_row(w, worker, command->id, &done, sizeof(done));
}

static void answer_trace(struct world *w, uint16_t worker, const struct message_command *command)
{
	bool ends = command->what == COMMAND_TRACE_END;
	struct row_trace row = {worker == 1 && !ends ? w->trace_err : GW_OK,
				ends ? w->trace_lost : 0};

	answer_row(w, worker, command->id, &row, sizeof(row));
	for (uint32_t i = 0; worker == 0 && !ends && i < w->trace_sends; i++)
		world_traced(w, 0, w->trace.id, SPAN("INVITE sip:bob@home1.net SIP/2.0\r\n\r\n"));
}

static void answer_show(struct world *w, uint16_t worker, const struct message_command *command)
{
	uint32_t rows = worker == 1 ? w->shown_count : 0;
	struct message_answer answer = {
		.head = {MESSAGE_ANSWER, (uint32_t)(sizeof(answer) + rows * sizeof(w->shown[0]))},
		.id = command->id,
		.rows = rows,
		.row_size = sizeof(w->shown[0]),
	};

	EXPECT_EQ(GW_OK, mailbox_send(w->hub, worker, CONTROL, span_of(&answer, sizeof(answer)),
				      span_of(w->shown, rows * (uint32_t)sizeof(w->shown[0]))));
}

/** body: what follows the command. */
static void answer_explain(struct world *w, uint16_t worker, const struct message_command *command,
			   struct span body)
{
	struct message_answer answer = {
		.head = {MESSAGE_ANSWER, (uint32_t)(sizeof(answer) + sizeof(w->steps))},
		.id = command->id,
		.rows = w->manner[worker] == LIES ? 1000 : w->step_count,
		.row_size = sizeof(w->steps[0]),
	};
	struct explain_ask ask = {0};

	EXPECT_EQ(0, worker);
	EXPECT(command->max >= 4);
	EXPECT(span_copy(&body, &ask, sizeof(ask)));
	snprintf(w->explained, sizeof(w->explained), "%.*s|%.*s", ask.origin_len,
		 (const char *)body.at, (int)(body.len - ask.origin_len),
		 (const char *)body.at + ask.origin_len);
	EXPECT_EQ(GW_OK, mailbox_send(w->hub, worker, CONTROL, span_of(&answer, sizeof(answer)),
				      span_of(w->steps, sizeof(w->steps))));
}

/** rest: what follows the command. */
static void hear_filter(struct world *w, struct span rest)
{
	uint32_t head = offsetof(struct capture_filter, insn);

	w->captures++;
	memset(&w->filter, 0, sizeof(w->filter));
	EXPECT(span_copy(&rest, &w->filter, head));
	EXPECT(span_copy(&rest, w->filter.insn,
			 w->filter.count * (uint32_t)sizeof(w->filter.insn[0])));
	EXPECT_EQ(0, rest.len);
}

static void hear_command(struct world *w, uint16_t worker, const struct message_command *command,
			 struct span rest)
{
	if (command->what == COMMAND_CAPTURE)
		hear_filter(w, rest);
	w->capture_ends += command->what == COMMAND_CAPTURE_END;
	w->traces += command->what == COMMAND_TRACE;
	w->trace_ends += command->what == COMMAND_TRACE_END;
	if (command->what == COMMAND_TRACE || command->what == COMMAND_TRACE_END)
		EXPECT(span_copy(&rest, &w->trace, sizeof(w->trace)));
	if (command->what == COMMAND_SHOW)
		EXPECT(span_copy(&rest, &w->show, sizeof(w->show)));
	if (w->manner[worker] == SILENT)
		return;
	if (command->what == COMMAND_PING)
		answer_ping(w, worker, command);
	else if (command->what == COMMAND_CAPTURE || command->what == COMMAND_CAPTURE_END)
		answer_capture(w, worker, command);
	else if (command->what == COMMAND_TRACE || command->what == COMMAND_TRACE_END)
		answer_trace(w, worker, command);
	else if (command->what == COMMAND_SHOW)
		answer_show(w, worker, command);
	else if (command->what == COMMAND_EXPLAIN)
		answer_explain(w, worker, command, rest);
	else
		answer_command(w, worker, command);
}

static void worker_message(void *context, uint16_t from, struct span message)
{
	const struct fake *fake = context;
	struct message_command command;

	if (!span_copy(&message, &command, sizeof(command)) || command.head.kind != MESSAGE_COMMAND)
		return;
	EXPECT_EQ(CONTROL, from);
	hear_command(fake->world, fake->worker, &command, message);
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
				       .config_generation = 3,
				       .journal = {7, 1, 2}};
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
static void reload_end(struct world *w, struct cli_request *request)
{
	struct problems *problems = problems_new();

	if (access(folder_path(&w->folder, "good"), F_OK) == 0)
		w->configuration = "new";
	else
		problems_add(problems, PROBLEM_ERROR, "wicgate.yaml", 7, "mw.port: missing");
	problems_add(problems, PROBLEM_WARNING, "wicgate.yaml", 8, "a key is left out");
	commands_reloaded(request, problems, 4);
	problems_free(problems);
}

static void reload_timer(uv_timer_t *timer)
{
	struct world *w = timer->data;

	uv_close((uv_handle_t *)timer, NULL);
	reload_end(w, w->reloading);
}

static void node_reload(void *context, struct cli_request *request)
{
	struct world *w = context;

	if (w->reload_ms == 0) {
		reload_end(w, request);
		return;
	}
	cli_wait(request);
	w->reloading = request;
	uv_timer_init(&w->loop, &w->reload);
	w->reload.data = w;
	uv_timer_start(&w->reload, reload_timer, w->reload_ms, 0);
}

static const char *node_drain(void *context, uint32_t seconds)
{
	struct world *w = context;

	if (w->drained_s != 0)
		return "draining already";
	w->drained_s = seconds;
	return NULL;
}

/* ---- the ports ----------------------------------------------------------------------------- */

static void port_counters(struct port *port, uint16_t queue, struct port_counters *counters)
{
	*counters = (struct port_counters){.rx_packets = 10u + queue,
					   .rx_bytes = 1000,
					   .rx_no_buffer = 1,
					   .rx_errors = 2,
					   .tx_packets = 3,
					   .tx_bytes = 300,
					   .tx_errors = 4};
}

static void port_link(struct port *port, struct port_link *link)
{
	*link = (struct port_link){.up = port == NULL, .mbps = 1000};
}

static const struct port_ops fake_ops = {"fake", .counters = port_counters, .link = port_link};

static const struct netifs_port ports[WORLD_PORTS] = {
	{"kernel",
	 "kernel",
	 {.name = "access", .ops = &fake_ops, .info = {.driver = "kernel", .steers = true}}},
	{"tap:wic0",
	 "tap",
	 {.name = "core",
	  .ops = &fake_ops,
	  .vlan = 7,
	  .info = {.packets = true,
		   .driver = "tap",
		   .queues = 2,
		   .mtu = 1500,
		   .steers = true,
		   .mac = {2, 0, 0x5e, 0x10, 0, 1}}}},
	{"net_ring0",
	 "ethdev",
	 {.name = "spare",
	  .ops = &fake_ops,
	  .port = (struct port *)(uintptr_t)8,
	  .info = {.packets = true, .driver = "net_ring", .queues = 1, .mtu = 1400}}},
};

static const struct netifs_port *node_port(void *context, uint32_t i)
{
	return i < ((struct world *)context)->ports ? &ports[i] : NULL;
}

static uint32_t node_neighbours(void *context, uint32_t max, struct netifs_neighbour *rows)
{
	const struct netifs_neighbour all[] = {
		{.port = "core", .state = "reachable", .mac = {2, 0, 0, 0, 0, 9}, .gateway = true},
		{.port = "core", .state = "incomplete"}};
	const struct world *w = context;

	assert_true(max >= 2);
	for (uint32_t i = 0; i < w->neighbours; i++)
		rows[i] = all[i];
	if (w->neighbours > 0)
		EXPECT(endpoint_parse(SPAN("198.18.1.1"), &rows[0].address));
	if (w->neighbours > 1)
		EXPECT(endpoint_parse(SPAN("fd00:18::1"), &rows[1].address));
	return w->neighbours;
}

/* ---- the door ------------------------------------------------------------------------------- */

const uint8_t world_hash_key[16] = "0123456789abcde";

static void node_view(void *context, struct snapshot *view)
{
	const struct world *w = context;

	*view = (struct snapshot){.config = &w->config, .keys = &w->key_part};
}

static bool node_publish_revocations(void *context, enum revocation_kind kind)
{
	struct world *w = context;

	w->published[kind] += !w->no_room;
	return !w->no_room;
}

static void begin_door(struct world *w)
{
	static const struct issuer_config issuers[] = {
		{.name = {(const uint8_t *)"shop-waf", 8},
		 .iss = {(const uint8_t *)"https://waf.shop.example", 24},
		 .leeway_s = 30}};
	static const struct wwsf_config wwsfs[] = {{.name = {(const uint8_t *)"shop", 4}},
						   {.name = {(const uint8_t *)"forum", 5}}};
	static const struct origin_config origins[] = {
		{{(const uint8_t *)"https://shop.example", 20}, 0},
		{{(const uint8_t *)"https://forum.example", 21}, 1},
		{{(const uint8_t *)"https://m.shop.example", 22}, 0}};
	static const struct key_row keys[] = {{.kid = {(const uint8_t *)"k1", 2}}};
	struct revocations_config revocations = {.key = world_hash_key, .log = w->log, .max = 100};
	char why[128];

	w->config = (struct config_part){.issuer = issuers,
					 .issuer_count = 1,
					 .wwsf = wwsfs,
					 .wwsf_count = 2,
					 .origin = origins,
					 .origin_count = 3,
					 .max_token_lifetime_s = 1000};
	memcpy(w->config.hash_key, world_hash_key, sizeof(world_hash_key));
	w->key_part = (struct key_part){.row = keys, .count = 1};
	EXPECT_EQ(0, mkdir(folder_path(&w->folder, "state"), 0700));
	w->state = open(folder_path(&w->folder, "state"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	revocations.folder = w->state;
	w->commands.revocations = revocations_open(&revocations, why, sizeof(why));
	assert_non_null(w->commands.revocations);
	w->commands.max_rows = 3;
}

static struct publish_keys_from node_keys(void *context)
{
	return ((struct world *)context)->keys;
}

static const struct node_ops node = {
	.status = node_status,
	.counters = node_counters,
	.core = node_core,
	.reload = node_reload,
	.drain = node_drain,
	.port = node_port,
	.neighbours = node_neighbours,
	.view = node_view,
	.publish_revocations = node_publish_revocations,
	.keys = node_keys,
};

static void control_message(void *context, uint16_t from, struct span message)
{
	EXPECT(commands_message(&((struct world *)context)->commands, from, message));
}

/* ---- life
 * ---------------------------------------------------------------------------------- */

static void client_done(uv_async_t *async)
{
	uv_stop(async->loop);
}

static void begin_commands(struct world *w)
{
	struct fetch_config fetch = {.loop = &w->loop,
				     .hub = w->hub,
				     .workers = WORKERS,
				     .max_rows = 500};
	struct errands_config errands = {&w->loop, w->hub, WORKERS};
	struct log_config log = {.level = LOG_LEVEL_INFO, .rate = 100};
	struct traces_config traces = {.loop = &w->loop, .workers = WORKERS};
	struct capture_config capture = {.loop = &w->loop,
					 .workers = WORKERS,
					 .lost = commands_capture_lost,
					 .context = &w->commands,
					 .file_bytes_max = WORLD_FILE_MAX};

	log.fd = open(folder_path(&w->folder, "log"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(log.fd >= 0);
	w->log = log_new(&log);
	w->commands = (struct commands){.node = &node,
					.node_context = w,
					.workers = WORKERS,
					.loop = &w->loop,
					.fetch = fetch_new(&fetch),
					.errands = errands_new(&errands)};
	capture.log = w->log;
	capture.errands = w->commands.errands;
	w->commands.capture = capture_new(&capture);
	traces.log = w->log;
	traces.errands = w->commands.errands;
	w->commands.traces = traces_new(&traces);
}

void world_begin_with(struct world *w, uint32_t deadline_ms)
{
	world_begin_for(w, deadline_ms, 3);
}

void world_begin_for(struct world *w, uint32_t deadline_ms, uint32_t clients)
{
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
				 .owner = geteuid(),
				 .clients_max = clients,
				 .deadline_ms = deadline_ms};
	char why[256] = "";

	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	memset(w, 0, sizeof(*w));
	w->configuration = "old";
	w->ports = WORLD_PORTS;
	folder_make(&w->folder);
	strcpy(w->socket, folder_path(&w->folder, "control.sock"));
	uv_loop_init(&w->loop);
	w->hub = mailbox_hub_new(WORKERS + 1, RING, NULL, NULL);
	assert_non_null(w->hub);
	begin_commands(w);
	begin_door(w);
	inbox.hub = w->hub;
	w->inbox = inbox_new(&inbox);
	assert_non_null(w->inbox);
	assert_int_equal(GW_OK, cli_open(&cli, &w->cli, why, sizeof(why)));
	uv_async_init(&w->loop, &w->done, client_done);
	uv_timer_init(&w->loop, &w->turn);
	w->turn.data = w;
	uv_timer_start(&w->turn, workers_turn, 1, 1);
}

void world_begin(struct world *w)
{
	world_begin_with(w, WORLD_DEADLINE_MS);
}

static void read_log(struct world *w)
{
	FILE *in = fopen(folder_path(&w->folder, "log"), "r");

	assert_non_null(in);
	w->log_text[fread(w->log_text, 1, sizeof(w->log_text) - 1, in)] = '\0';
	fclose(in);
}

void world_end(struct world *w)
{
	cli_close(w->cli);
	fetch_close(w->commands.fetch);
	errands_close(w->commands.errands);
	capture_close(w->commands.capture);
	traces_close(w->commands.traces);
	inbox_close(w->inbox);
	uv_close((uv_handle_t *)&w->done, NULL);
	uv_close((uv_handle_t *)&w->turn, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	EXPECT_EQ(0, uv_loop_close(&w->loop)); /* nothing was left open */
	read_log(w);
	revocations_close(w->commands.revocations);
	close(w->state);
	log_free(w->log);
	mailbox_hub_free(w->hub);
	free(w->answer);
	folder_remove(&w->folder);
}

static void time_over(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

void world_pass(struct world *w, uint32_t ms)
{
	uv_timer_t timer;

	uv_timer_init(&w->loop, &timer);
	uv_timer_start(&timer, time_over, ms, 0);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&w->loop, UV_RUN_NOWAIT);
}

void world_traced(struct world *w, uint16_t worker, uint32_t id, struct span text)
{
	struct message_traced message = {
		.head = {MESSAGE_TRACED, (uint32_t)sizeof(message) + text.len},
		.now_us = 1,
		.id = {id},
		.leg = TRACE_TO_CORE,
		.transport = MW_TCP,
		.len = text.len,
	};

	EXPECT(endpoint_parse(SPAN("198.18.0.20:5060"), &message.peer));
	EXPECT_EQ(GW_OK,
		  mailbox_send(w->hub, worker, CONTROL, span_of(&message, sizeof(message)), text));
}

void world_frame(struct world *w, uint16_t worker, const struct message_captured *about,
		 struct span bytes)
{
	struct message_captured message = *about;

	message.head =
		(struct message_head){MESSAGE_CAPTURED, (uint32_t)sizeof(message) + bytes.len};
	EXPECT_EQ(GW_OK,
		  mailbox_send(w->hub, worker, CONTROL, span_of(&message, sizeof(message)), bytes));
}

/* ---- clients
 * ------------------------------------------------------------------------------- */

int world_connect(const struct world *w)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", w->socket);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

static void *client_run(void *context)
{
	struct world *w = context;
	size_t used = 0;
	ssize_t n;
	int fd;

	/* of this thread alone: the socket has the credentials of who connects */
	if (w->client_uid != 0)
		EXPECT_EQ(0, syscall(SYS_setresuid, w->client_uid, w->client_uid, w->client_uid));
	fd = world_connect(w);

	free(w->answer);
	w->answer = calloc(1, 1 << 20);
	if (send(fd, w->request, w->request_len, MSG_NOSIGNAL) == (ssize_t)w->request_len)
		while ((n = recv(fd, w->answer + used, (1 << 20) - 1 - used, 0)) > 0)
			used += (size_t)n;
	close(fd);
	uv_async_send(&w->done);
	return NULL;
}

const char *world_ask_bytes(struct world *w, const char *bytes, size_t len)
{
	pthread_t client;

	w->request = bytes;
	w->request_len = (uint32_t)len;
	assert_int_equal(0, pthread_create(&client, NULL, client_run, w));
	uv_run(&w->loop, UV_RUN_DEFAULT);
	pthread_join(client, NULL);
	return w->answer;
}

const char *world_ask(struct world *w, const char *request)
{
	return world_ask_bytes(w, request, strlen(request));
}

const char *world_askf(struct world *w, const char *format, ...)
{
	char request[CLI_REQUEST_MAX];
	va_list list;

	va_start(list, format);
	vsnprintf(request, sizeof(request), format, list);
	va_end(list);
	return world_ask(w, request);
}

json_t *world_ask_list(struct world *w, const char *request, const char *name)
{
	json_t *answer = json_loads(world_ask(w, request), 0, NULL);
	json_t *list = json_incref(json_object_get(answer, name));

	json_decref(answer);
	assert_true(json_is_array(list));
	return list;
}

const char *world_text(const json_t *list, size_t i, const char *name)
{
	const char *text = json_string_value(json_object_get(json_array_get(list, i), name));

	assert_non_null(text);
	return text;
}

json_int_t world_number(const json_t *list, size_t i, const char *name)
{
	const json_t *number = json_object_get(json_array_get(list, i), name);

	assert_true(json_is_integer(number));
	return json_integer_value(number);
}

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

int world_wicctl(struct world *w, const char *arguments)
{
	struct run run = {w, arguments, -1};
	pthread_t thread;

	assert_int_equal(0, pthread_create(&thread, NULL, wicctl_run, &run));
	uv_run(&w->loop, UV_RUN_DEFAULT);
	pthread_join(thread, NULL);
	return run.code;
}
