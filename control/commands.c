/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include <string.h>

#include "command_list.h"

enum { DRAIN_SECONDS = 30, DRAIN_SECONDS_MAX = 86400 };

/* ---- counters ------------------------------------------------------------------------------ */

/** Reads one number of a worker's counters. */
typedef uint64_t command_reading(const struct counters *counters, uint32_t index);

static const size_t counter_offsets[] = {
#define COUNTER_OFFSET(name, text) offsetof(struct counters, name),
	COUNTER_LIST(COUNTER_OFFSET)
#undef COUNTER_OFFSET
};

static const struct {
	const char *name, *help;
} counter_rows[] = {
#define COUNTER_ROW(name, text) {#name, text},
	COUNTER_LIST(COUNTER_ROW)
#undef COUNTER_ROW
};

static uint64_t command_counter(const struct counters *counters, uint32_t index)
{
	const uint8_t *at = (const uint8_t *)counters + counter_offsets[index];

	return counter_read((const _Atomic uint64_t *)(const void *)at);
}

static uint64_t command_error(const struct counters *counters, uint32_t index)
{
	return counter_read(&counters->errors[index]);
}

/** A maximum of all workers is the greatest, not the sum. */
static bool command_is_maximum(const char *name)
{
	return strstr(name, "longest") != NULL || strstr(name, "_max") != NULL;
}

static const struct counters *command_counters(const struct commands *c, uint16_t w)
{
	return c->node->counters(c->node_context, w);
}

static uint64_t command_total(const struct commands *c, command_reading *read, uint32_t index,
			      bool maximum)
{
	uint64_t total = 0;

	for (uint16_t w = 0; w < c->workers; w++) {
		uint64_t value = read(command_counters(c, w), index);

		if (!maximum)
			total += value;
		else if (value > total)
			total = value;
	}
	return total;
}

static json_t *command_stat(const struct commands *c, command_reading *read, uint32_t index,
			    const char *name, const char *help)
{
	json_t *workers = json_array();

	for (uint16_t w = 0; w < c->workers; w++)
		json_array_append_new(workers, json_integer((json_int_t)read(command_counters(c, w),
									     index)));
	return json_pack("{s:s, s:s, s:I, s:o}", "name", name, "help", help, "total",
			 (json_int_t)command_total(c, read, index, command_is_maximum(name)),
			 "workers", workers);
}

static void command_run_stats(struct cli_request *request, void *context)
{
	const struct commands *c = context;
	json_t *stats = json_array();
	char name[64];

	for (uint32_t i = 0; i < sizeof(counter_rows) / sizeof(counter_rows[0]); i++)
		json_array_append_new(stats,
				      command_stat(c, command_counter, i, counter_rows[i].name,
						   counter_rows[i].help));
	for (uint32_t i = 0; i < GW_ERR_COUNT; i++) {
		if (command_total(c, command_error, i, false) == 0)
			continue;
		snprintf(name, sizeof(name), "errors.%s", gw_err_name((enum gw_err)i));
		json_array_append_new(stats, command_stat(c, command_error, i, name,
							  gw_err_text((enum gw_err)i)));
	}
	cli_reply(request, json_pack("{s:o}", "stats", stats));
}

static void command_run_workers(struct cli_request *request, void *context)
{
	const struct commands *c = context;
	json_t *rows = json_array();

	for (uint16_t w = 0; w < c->workers; w++) {
		const struct counters *n = command_counters(c, w);

		json_array_append_new(
			rows,
			json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "worker",
				  (int)w, "core", (json_int_t)c->node->core(c->node_context, w),
				  "turns", (json_int_t)counter_read(&n->loop_turns), "sleeps",
				  (json_int_t)counter_read(&n->loop_sleeps), "longest_turn_us",
				  (json_int_t)counter_read(&n->loop_longest_us), "connections",
				  (json_int_t)counter_read(&n->conn_live), "half_open",
				  (json_int_t)counter_read(&n->tcp_half_open_live), "time_wait",
				  (json_int_t)counter_read(&n->tcp_time_wait_live), "bindings",
				  (json_int_t)counter_read(&n->binding_live), "mailbox_full",
				  (json_int_t)counter_read(&n->mailbox_full)));
	}
	cli_reply(request, json_pack("{s:o}", "workers", rows));
}

/** The sum of one gauge. */
#define COMMAND_SUM(sum, c, name) \
	for (uint16_t w_ = 0; w_ < (c)->workers; w_++) \
	(sum) += (json_int_t)counter_read(&command_counters(c, w_)->name)

static void command_run_status(struct cli_request *request, void *context)
{
	json_int_t connections = 0, sessions = 0, bindings = 0, transactions = 0, finished = 0;
	const struct commands *c = context;
	struct node_status s = {0};

	c->node->status(c->node_context, &s);
	COMMAND_SUM(connections, c, conn_live);
	COMMAND_SUM(sessions, c, session_live);
	COMMAND_SUM(bindings, c, binding_live);
	COMMAND_SUM(transactions, c, transaction_live);
	COMMAND_SUM(finished, c, transaction_finished);
	cli_reply(request,
		  json_pack("{s:{s:s, s:s, s:s, s:I, s:i, s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:I, "
			    "s:I, s:I, s:I}}",
			    "status", "version", s.version, "node", s.node, "state", s.state,
			    "uptime_s", (json_int_t)s.uptime_s, "workers", (int)c->workers,
			    "config_generation", (json_int_t)s.config_generation, "port_driver",
			    s.port_driver, "verify_driver", s.verify_driver, "connections",
			    connections, "sessions", sessions, "bindings", bindings, "transactions",
			    transactions, "finished", finished, "journal_bindings",
			    (json_int_t)s.journal.bindings, "journal_failed",
			    (json_int_t)s.journal.failed, "journal_lost",
			    (json_int_t)s.journal.lost));
}

/* ---- the rest ------------------------------------------------------------------------------ */

static void command_run_sessions(struct cli_request *request, void *context)
{
	const struct fetch_order order = {.what = COMMAND_SESSIONS};
	const struct commands *c = context;

	fetch_start(c->fetch, request, &order);
}

static void command_run_bindings(struct cli_request *request, void *context)
{
	const struct fetch_order order = {.what = COMMAND_BINDINGS};
	const struct commands *c = context;

	fetch_start(c->fetch, request, &order);
}

static void command_run_mw(struct cli_request *request, void *context)
{
	const struct fetch_order order = {.what = COMMAND_MW};
	const struct commands *c = context;

	fetch_start(c->fetch, request, &order);
}

static void command_run_reload(struct cli_request *request, void *context)
{
	const struct commands *c = context;

	c->node->reload(c->node_context, request);
}

static json_t *command_problems(const struct problems *problems, enum problem_level level)
{
	json_t *texts = json_array();

	for (uint32_t i = 0; i < problems_count(problems); i++)
		if (problems_level(problems, i) == level)
			json_array_append_new(texts, json_string(problems_text(problems, i)));
	return texts;
}

void commands_reloaded(struct cli_request *request, const struct problems *problems,
		       uint32_t generation)
{
	if (problems_errors(problems) > 0)
		cli_reply(request,
			  json_pack("{s:s, s:o}", "error", "configuration refused, nothing changed",
				    "problems", command_problems(problems, PROBLEM_ERROR)));
	else
		cli_reply(request, json_pack("{s:{s:I, s:o}}", "reload", "generation",
					     (json_int_t)generation, "warnings",
					     command_problems(problems, PROBLEM_WARNING)));
}

bool commands_number(const char *word, uint32_t max, uint32_t *number)
{
	uint64_t sum = 0;

	for (const char *c = word; *c != '\0'; c++) {
		if (*c < '0' || *c > '9')
			return false;
		sum = sum * 10 + (uint64_t)(*c - '0');
		if (sum > max)
			return false;
	}
	*number = (uint32_t)sum;
	return word[0] != '\0';
}

static void command_run_drain(struct cli_request *request, void *context)
{
	const struct commands *c = context;
	const char *why, *word = cli_word(request, 1);
	uint32_t seconds = DRAIN_SECONDS;

	if (word != NULL && !commands_number(word, DRAIN_SECONDS_MAX, &seconds)) {
		cli_fail(request, "SECONDS is a number up to 86400");
		return;
	}
	why = c->node->drain(c->node_context, seconds);
	if (why != NULL)
		cli_fail(request, why);
	else
		cli_reply(request, json_pack("{s:{s:s, s:I}}", "drain", "state", "draining",
					     "seconds", (json_int_t)seconds));
}

bool commands_message(struct commands *c, uint16_t from, struct span message)
{
	struct message_head head;
	struct span rest = message;

	if (!span_copy(&rest, &head, sizeof(head)))
		return false;
	if (head.kind == MESSAGE_CAPTURED) {
		capture_frame(c->capture, from, message);
		return true;
	}
	if (head.kind == MESSAGE_TRACED) {
		traces_message(c->traces, from, message);
		return true;
	}
	if (head.kind != MESSAGE_ANSWER)
		return false;
	fetch_answer(c->fetch, from, message); /* each looks for its own ids */
	errands_answer(c->errands, from, message);
	return true;
}

uint64_t commands_capture_lost(void *context)
{
	const struct commands *c = context;
	uint64_t lost = 0;

	for (uint16_t w = 0; w < c->workers; w++)
		lost += counter_read(&command_counters(c, w)->net_capture_lost);
	return lost;
}

const struct cli_command commands_table[] = {
#define COMMAND_ROW(name, arguments, words, role, help) \
	{#name, arguments, help, words, role, command_run_##name},
	COMMAND_LIST(COMMAND_ROW)
#undef COMMAND_ROW
};

const uint32_t commands_count = sizeof(commands_table) / sizeof(commands_table[0]);
