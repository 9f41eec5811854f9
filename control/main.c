/* SPDX-License-Identifier: BSD-3-Clause */
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "audit.h"
#include "commands.h"
#include "event.h"
#include "inbox.h"
#include "jwks_https.h"
#include "node.h"
#include "reload.h"
#include "resolver.h"

#define RECLAIM_MS 100
#define DRAIN_DEFAULT_S 5 /* of SIGTERM */

enum { EXIT_CLEAN = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

/** The control thread: its loop and everything that hangs off it. */
struct control {
	struct node node;
	uv_loop_t loop;
	uv_signal_t on_term, on_int, on_hangup;
	uv_timer_t tick;
	struct commands commands;
	struct cli *cli;
	struct inbox *inbox;
	struct audit *audit;
	struct jwks_https *https;
	struct resolver *resolver;
	struct reload *reload;
	uint64_t drain_until_ms; /* 0: not draining */
	bool drain_sent;
};

/* ---- what commands ask ---------------------------------------------------------------------- */

static void on_status(void *context, struct node_status *status)
{
	struct control *c = context;

	*status = (struct node_status){
		.version = WICGATE_VERSION,
		.node = c->node.config->node.name.text,
		.state = c->drain_until_ms == 0 ? "running" : "draining",
		.port_driver = netifs_drivers(c->node.netifs),
		.verify_driver = verifier_openssl.name,
		.uptime_s = (uv_hrtime() / 1000 - c->node.started_us) / 1000000,
		.config_generation = c->node.reloads + 1,
		.journal = journal_numbers(c->node.journal),
	};
}

static const struct counters *on_counters(void *context, uint16_t w)
{
	struct control *c = context;

	return worker_counters(c->node.worker[w]);
}

static uint32_t on_core(void *context, uint16_t w)
{
	struct control *c = context;

	return config_core(c->node.config, w);
}

/** After every attempt of a reload: a file may have been moved away also when it is refused. */
static void audit_again(struct control *c)
{
	const struct config *config = c->node.config;
	bool standard = strcmp(config->audit.file.text, "stderr") == 0;

	audit_file(c->audit, standard || config->audit.file.text[0] == '\0'
				     ? config->audit.file.text
				     : config_path(config, config->audit.file));
}

/** Asks for a reload; request NULL: a signal did. False: one is under way. */
static bool reload_ask(struct control *c, struct cli_request *request)
{
	if (!reload_begin(c->reload, request))
		return false;
	sd_notify(0, "RELOADING=1");
	return true;
}

static void on_reload(void *context, struct cli_request *request)
{
	struct control *c = context;

	if (reload_ask(c, request))
		cli_wait(request);
	else
		cli_fail(request, "busy: a reload is under way");
}

static const struct config *on_live(void *context)
{
	return ((struct control *)context)->node.config;
}

static void on_reload_read(void *context, struct config *next_owned, struct problems *problems)
{
	struct control *c = context;

	(void)node_take(&c->node, next_owned, problems);
	audit_again(c);
}

static void on_reloaded(void *context, const struct problems *problems, struct cli_request *request)
{
	struct control *c = context;

	sd_notify(0, "READY=1");
	if (request != NULL)
		commands_reloaded(request, problems, c->node.reloads + 1);
}

/** A drain under way may be asked to end sooner, never later. */
static void drain_begin(struct control *c, uint32_t seconds)
{
	uint64_t until_ms = uv_now(&c->loop) + seconds * 1000ull;

	if (c->drain_until_ms != 0) {
		c->drain_until_ms = until_ms < c->drain_until_ms ? until_ms : c->drain_until_ms;
		return;
	}
	sd_notify(0, "STOPPING=1");
	log_event(c->node.log, LOG_LEVEL_INFO, "draining", NULL, NULL);
	c->drain_until_ms = until_ms;
	c->drain_sent = node_drain(&c->node);
}

static const char *on_drain(void *context, uint32_t seconds)
{
	drain_begin(context, seconds);
	return NULL;
}

static const struct netifs_port *on_port(void *context, uint32_t i)
{
	struct control *c = context;

	return netifs_port(c->node.netifs, i);
}

static uint32_t on_neighbours(void *context, uint32_t max, struct netifs_neighbour *rows)
{
	struct control *c = context;

	return netifs_neighbours(c->node.netifs, max, rows);
}

static void on_view(void *context, struct snapshot *view)
{
	struct control *c = context;

	snapshot_view(c->node.snapshots, view);
}

static bool on_publish_revocations(void *context, enum revocation_kind kind)
{
	struct control *c = context;

	return node_publish_revocations(&c->node, kind);
}

static struct publish_keys_from on_keys(void *context)
{
	struct control *c = context;

	return node_keys(&c->node);
}

static const struct node_ops node_ops = {
	.status = on_status,
	.counters = on_counters,
	.core = on_core,
	.reload = on_reload,
	.drain = on_drain,
	.port = on_port,
	.neighbours = on_neighbours,
	.view = on_view,
	.publish_revocations = on_publish_revocations,
	.keys = on_keys,
};

/* ---- what happens --------------------------------------------------------------------------- */

static void on_message(void *context, uint16_t from, struct span message)
{
	struct control *c = context;

	if (!commands_message(&c->commands, from, message) &&
	    !jwks_message(c->node.jwks, node_generation(&c->node), message) &&
	    !peers_message(c->node.peers, message) && !node_key_log(&c->node, message) &&
	    !journal_message(c->node.journal, message) && !named_message(c->node.named, message)) {
		event_log(c->node.log, from, message);
		audit_message(c->audit, from, message);
	}
}

static void on_stop_signal(uv_signal_t *signal, int number)
{
	struct control *c = signal->data;

	if (c->drain_until_ms != 0 && number == SIGINT)
		uv_stop(&c->loop); /* asked twice */
	drain_begin(c, DRAIN_DEFAULT_S);
}

static void on_hangup(uv_signal_t *signal, int number)
{
	(void)number;
	(void)reload_ask(signal->data, NULL); /* under way: once more behind it */
}

static void on_tick(uv_timer_t *timer)
{
	struct control *c = timer->data;

	(void)snapshot_reclaim(c->node.snapshots);
	log_tick(c->node.log);
	node_tick(&c->node);
	jwks_tick(c->node.jwks);
	peers_tick(c->node.peers);
	named_tick(c->node.named);
	if (c->drain_until_ms == 0)
		return;
	if (!c->drain_sent)
		c->drain_sent = node_drain(&c->node);
	if ((c->drain_sent && node_connections(&c->node) == 0) ||
	    uv_now(&c->loop) >= c->drain_until_ms)
		uv_stop(&c->loop);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void watch_signal(struct control *c, uv_signal_t *signal, uv_signal_cb handler, int number)
{
	uv_signal_init(&c->loop, signal);
	signal->data = c;
	uv_signal_start(signal, handler, number);
}

/** What commands ask the workers with. */
static enum gw_err open_commands(struct control *c)
{
	struct fetch_config fetch = {
		.loop = &c->loop,
		.hub = c->node.hub,
		.workers = c->node.workers,
		.max_rows = (uint32_t)c->node.config->control.max_rows.value,
	};
	struct errands_config errands = {&c->loop, c->node.hub, c->node.workers};
	struct capture_config capture = {
		.loop = &c->loop,
		.log = c->node.log,
		.workers = c->node.workers,
		.lost = commands_capture_lost,
		.context = &c->commands,
	};
	struct traces_config traces = {
		.loop = &c->loop,
		.log = c->node.log,
		.workers = c->node.workers,
	};

	c->commands = (struct commands){
		.node = &node_ops,
		.node_context = c,
		.workers = c->node.workers,
		.loop = &c->loop,
		.fetch = fetch_new(&fetch),
		.errands = errands_new(&errands),
		.revocations = c->node.revocations,
		.max_rows = fetch.max_rows,
	};
	traces.errands = capture.errands = c->commands.errands;
	c->commands.capture = capture_new(&capture);
	c->commands.traces = traces_new(&traces);
	if (!c->commands.fetch || !c->commands.errands || !c->commands.capture ||
	    !c->commands.traces)
		return GW_NO_MEMORY;
	return GW_OK;
}

static enum gw_err on_publish(void *context)
{
	struct control *c = context;

	return node_publish_keys(&c->node);
}

/** Key sets are fetched from now on; until the first one has come its issuer is without keys. */
static enum gw_err open_keys(struct control *c)
{
	const struct jwks_https_config https = {.loop = &c->loop};
	struct jwks_config jwks = {
		.log = c->node.log,
		.now_ms = node_now_ms,
		.random = node_random,
		.publish = on_publish,
		.context = c,
	};

	c->https = jwks_https_new(&https);
	if (c->https == NULL)
		return GW_NO_MEMORY;
	jwks.fetcher = jwks_https_fetcher(c->https);
	c->node.jwks = jwks_new(&jwks);
	if (c->node.jwks == NULL)
		return GW_NO_MEMORY;
	jwks_configure(c->node.jwks, c->node.config);
	return GW_OK;
}

static enum gw_err open_audit(struct control *c)
{
	const struct audit_config config = {.loop = &c->loop, .log = c->node.log};

	c->audit = audit_new(&config);
	if (c->audit == NULL)
		return GW_NO_MEMORY;
	audit_again(c);
	return GW_OK;
}

static enum gw_err on_publish_peers(void *context)
{
	struct control *c = context;

	return node_publish_peers(&c->node);
}

/** Names are looked up from now on; a next hop that has one is down until its addresses come. */
static enum gw_err open_peers(struct control *c, char why[NODE_WHY_MAX])
{
	struct peers_config peers = {
		.log = c->node.log,
		.now_ms = node_now_ms,
		.publish = on_publish_peers,
		.context = c,
	};

	c->resolver = resolver_new(&c->loop, &c->node.config->mw.name_servers, why, NODE_WHY_MAX);
	if (c->resolver == NULL)
		return GW_SYSTEM;
	peers.resolver = resolver_ops(c->resolver);
	c->node.peers = peers_new(&peers);
	if (c->node.peers == NULL)
		return GW_NO_MEMORY;
	peers_configure(c->node.peers, c->node.config);
	return GW_OK;
}

static enum gw_err on_publish_patterns(void *context)
{
	struct control *c = context;

	return node_publish_patterns(&c->node);
}

/** Nothing is named until the first block is registered. */
static enum gw_err open_named(struct control *c)
{
	const struct named_config named = {
		.loop = &c->loop,
		.log = c->node.log,
		.live = on_live,
		.publish = on_publish_patterns,
		.context = c,
	};

	c->node.named = named_new(&named);
	c->commands.named = c->node.named;
	return c->node.named != NULL ? GW_OK : GW_NO_MEMORY;
}

static enum gw_err open_reload(struct control *c)
{
	const struct reload_config reload = {
		.loop = &c->loop,
		.path = c->node.config_file,
		.live = on_live,
		.take = on_reload_read,
		.done = on_reloaded,
		.context = c,
	};

	c->reload = reload_new(&reload);
	return c->reload != NULL ? GW_OK : GW_NO_MEMORY;
}

static enum gw_err open_cli(struct control *c, char why[NODE_WHY_MAX])
{
	const struct config *config = c->node.config;
	struct cli_config cli = {
		.loop = &c->loop,
		.path = config_path(config, config->control.socket),
		.mode = config->control.mode.value == CONFIG_SOCKET_0660 ? 0660 : 0600,
		.commands = commands_table,
		.command_count = commands_count,
		.context = &c->commands,
		.owner = geteuid(),
	};

	return cli_open(&cli, &c->cli, why, NODE_WHY_MAX);
}

static enum gw_err open_loop(struct control *c, char why[NODE_WHY_MAX])
{
	struct inbox_config inbox = {
		.loop = &c->loop,
		.hub = c->node.hub,
		.endpoint = c->node.workers,
		.handler = on_message,
		.context = c,
	};

	watch_signal(c, &c->on_term, on_stop_signal, SIGTERM);
	watch_signal(c, &c->on_int, on_stop_signal, SIGINT);
	watch_signal(c, &c->on_hangup, on_hangup, SIGHUP);
	uv_timer_init(&c->loop, &c->tick);
	c->tick.data = c;
	uv_timer_start(&c->tick, on_tick, RECLAIM_MS, RECLAIM_MS);
	snprintf(why, NODE_WHY_MAX, "out of memory");
	if (open_reload(c) != GW_OK || open_commands(c) != GW_OK || open_keys(c) != GW_OK ||
	    open_audit(c) != GW_OK || open_named(c) != GW_OK) /* before the first message comes */
		return GW_NO_MEMORY;
	if (open_peers(c, why) != GW_OK)
		return GW_SYSTEM;
	snprintf(why, NODE_WHY_MAX, "the mailbox cannot be watched");
	c->inbox = inbox_new(&inbox);
	if (c->inbox == NULL)
		return GW_SYSTEM;
	return open_cli(c, why);
}

static void close_loop(struct control *c)
{
	cli_close(c->cli);
	reload_close(c->reload);
	fetch_close(c->commands.fetch);
	errands_close(c->commands.errands);
	capture_close(c->commands.capture);
	traces_close(c->commands.traces);
	inbox_close(c->inbox);
	audit_close(c->audit);
	jwks_free(c->node.jwks);
	c->node.jwks = NULL;
	peers_free(c->node.peers);
	c->node.peers = NULL;
	named_close(c->node.named);
	c->node.named = NULL;
	journal_stop(c->node.journal);
	resolver_close(c->resolver);
	jwks_https_close(c->https);
	uv_close((uv_handle_t *)&c->on_term, NULL);
	uv_close((uv_handle_t *)&c->on_int, NULL);
	uv_close((uv_handle_t *)&c->on_hangup, NULL);
	uv_close((uv_handle_t *)&c->tick, NULL);
	while (uv_run(&c->loop, UV_RUN_ONCE) != 0)
		continue; /* handles close in one pass; requests under way are failed */
}

static int serve(struct control *c)
{
	char why[NODE_WHY_MAX];
	enum gw_err err = node_start(&c->node, why);

	if (err != GW_OK) {
		log_event(c->node.log, LOG_LEVEL_ERROR, "start_failed", "why", why);
		return EXIT_REFUSED;
	}
	uv_loop_init(&c->loop);
	journal_start(c->node.journal, &c->loop);
	err = open_loop(c, why);
	if (err == GW_OK) {
		log_event(c->node.log, LOG_LEVEL_INFO, "ready", "version", WICGATE_VERSION);
		sd_notify(0, "READY=1");
		uv_run(&c->loop, UV_RUN_DEFAULT);
	} else {
		log_event(c->node.log, LOG_LEVEL_ERROR, "start_failed", "why", why);
	}
	close_loop(c);
	node_stop(&c->node);
	uv_loop_close(&c->loop);
	log_event(c->node.log, LOG_LEVEL_INFO, "stopped", NULL, NULL);
	return err == GW_OK ? EXIT_CLEAN : EXIT_REFUSED;
}

/* ---- the command line ----------------------------------------------------------------------- */

struct command_line {
	const char *config;
	bool check, markdown;
};

static void usage(FILE *out)
{
	fputs("usage: wicgate -c FILE [--check]\n"
	      "  -c, --config FILE  the configuration (docs/configuration.md)\n"
	      "      --check        print every error with its line, and end: 0 accepted, 1 "
	      "refused\n"
	      "      --options      print the table of settings as Markdown\n"
	      "      --version      print the version\n"
	      "      --help         print this\n"
	      "SIGTERM drains and ends, SIGHUP reloads.\n",
	      out);
}

/** Reads the arguments by hand: getopt's struct option would clash with the table of settings. */
static int read_arguments(int argc, char **argv, struct command_line *line)
{
	for (int i = 1; i < argc; i++) {
		struct span word = span_text(argv[i]);

		if (span_equal(word, SPAN("--help"))) {
			usage(stdout);
			exit(EXIT_CLEAN);
		} else if (span_equal(word, SPAN("--version"))) {
			puts("wicgate " WICGATE_VERSION);
			exit(EXIT_CLEAN);
		} else if (span_equal(word, SPAN("--options"))) {
			line->markdown = true;
		} else if (span_equal(word, SPAN("--check"))) {
			line->check = true;
		} else if ((span_equal(word, SPAN("-c")) || span_equal(word, SPAN("--config"))) &&
			   i + 1 < argc) {
			line->config = argv[++i];
		} else {
			return EXIT_USAGE;
		}
	}
	return line->config != NULL || line->markdown ? EXIT_CLEAN : EXIT_USAGE;
}

static enum gw_err open_log(struct control *c)
{
	struct log_config log = {
		.fd = STDERR_FILENO,
		.level = (enum log_level)c->node.config->log.level.value,
		.rate = (uint32_t)c->node.config->log.rate.value,
	};

	c->node.log = log_new(&log);
	return c->node.log != NULL ? GW_OK : GW_NO_MEMORY;
}

static int run(struct control *c, const struct command_line *line)
{
	struct problems *problems = problems_new();
	int status = EXIT_REFUSED;

	if (problems == NULL)
		return status;
	c->node.config_file = line->config;
	c->node.config = config_load(line->config, problems);
	problems_print(problems, stderr);
	problems_free(problems);
	if (c->node.config != NULL && line->check)
		status = EXIT_CLEAN;
	else if (c->node.config != NULL && open_log(c) == GW_OK)
		status = serve(c);
	log_free(c->node.log);
	config_free(c->node.config);
	return status;
}

int main(int argc, char **argv)
{
	static struct control control; /* the one piece of file-static state of the process */
	struct command_line line = {0};

	if (read_arguments(argc, argv, &line) != EXIT_CLEAN) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (line.markdown) {
		option_print_markdown(stdout);
		return EXIT_CLEAN;
	}
	umask(0077);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write() */
	return run(&control, &line);
}
