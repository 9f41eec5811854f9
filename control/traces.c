/* SPDX-License-Identifier: BSD-3-Clause */
#include "traces.h"

#include <stdlib.h>
#include <time.h>

enum { TRACE_WORKERS_MS = 2000, TRACE_WHY_MAX = 64 };

enum trace_state { TRACE_STARTING, TRACE_RUNNING, TRACE_STOPPING };

/** One of them. Freed when its timer is closed. */
struct run {
	struct traces *traces;
	struct cli_request *request;
	struct trace_order order;
	enum trace_state state;
	enum gw_err err; /* the first of the workers' */
	bool stop;	 /* as soon as the workers have heard of it */
	char why[TRACE_WHY_MAX];
	uint64_t messages, lost;
	uv_timer_t timer;
};

struct traces {
	struct traces_config config;
	struct run *run[TRACES_MAX];
	uint32_t last_id;
	uint64_t wall_offset_us; /* wall clock less monotonic clock, when the last one began */
	bool closing;
	bool mopping; /* workers are told that a trace is over which one of them goes on with */
	uint32_t timers;
};

/* ---- the end --------------------------------------------------------------------------------- */

static void run_log(const struct run *run, const char *event)
{
	struct log_line line;

	log_begin(run->traces->config.log, &line, LOG_LEVEL_INFO, event);
	log_number(&line, "id", run->order.filter.id);
	log_text(&line, "by", run->order.filter.by == TRACE_BY_IMPU ? "impu" : "call_id");
	if (run->order.hash != 0)
		log_hash(&line, "impu", run->order.hash);
	if (run->state != TRACE_STARTING) {
		log_text(&line, "why", run->why);
		log_number(&line, "messages", run->messages);
		log_number(&line, "lost", run->lost);
	}
	log_end(&line);
}

static void traces_free_if_closed(struct traces *traces)
{
	if (traces->closing && traces->timers == 0)
		free(traces);
}

static void run_closed(uv_handle_t *handle)
{
	struct run *run = handle->data;
	struct traces *traces = run->traces;

	free(run);
	traces->timers--;
	traces_free_if_closed(traces);
}

/** Says how it ended, and is no more. */
static void run_finish(struct run *run)
{
	struct traces *traces = run->traces;
	json_t *end =
		json_pack("{s:{s:s, s:s, s:I, s:I}}", "trace", "state", "ended", "why", run->why,
			  "messages", (json_int_t)run->messages, "lost", (json_int_t)run->lost);

	for (uint32_t i = 0; i < TRACES_MAX; i++)
		if (traces->run[i] == run)
			traces->run[i] = NULL;
	run_log(run, "trace_end");
	if (run->err == GW_OK) {
		cli_reply(run->request, end);
	} else {
		json_decref(end);
		cli_fail(run->request, run->why);
	}
	uv_close((uv_handle_t *)&run->timer, run_closed);
}

/* ---- the workers ----------------------------------------------------------------------------- */

static void run_row(void *context, uint16_t worker, const void *bytes)
{
	struct run *run = context;
	struct row_trace row;

	memcpy(&row, bytes, sizeof(row));
	run->lost += row.lost;
	if (run->state == TRACE_STARTING && run->err == GW_OK)
		run->err = row.err;
}

static enum gw_err run_tell(struct run *run, enum command_kind what,
			    void (*end)(void *context, enum gw_err err))
{
	const struct errand errand = {
		.what = what,
		.body = span_of(&run->order.filter, sizeof(run->order.filter)),
		.workers = run->traces->config.workers,
		.row_size = sizeof(struct row_trace),
		.deadline_ms = TRACE_WORKERS_MS,
		.context = run,
		.row = run_row,
		.end = end,
	};

	return errands_start(run->traces->config.errands, &errand);
}

/** Every worker has stopped, or had its time to; what they have sent before has come. */
static void run_stopped(void *context, enum gw_err err)
{
	run_finish(context);
}

static void run_end(struct run *run)
{
	run->state = TRACE_STOPPING;
	uv_timer_stop(&run->timer);
	if (run_tell(run, COMMAND_TRACE_END, run_stopped) != GW_OK)
		run_finish(run);
}

static void run_stop(struct run *run, const char *why)
{
	if (run->state == TRACE_STOPPING || run->stop)
		return;
	snprintf(run->why, sizeof(run->why), "%s", why);
	if (run->state == TRACE_STARTING)
		run->stop = true;
	else
		run_end(run);
}

static void run_time_over(uv_timer_t *timer)
{
	run_stop(timer->data, "the time is over");
}

static void run_gone(void *context)
{
	run_stop(context, "stopped");
}

static void run_started(void *context, enum gw_err err)
{
	struct run *run = context;

	if (run->err == GW_OK)
		run->err = err;
	if (run->err != GW_OK)
		snprintf(run->why, sizeof(run->why), "%s", gw_err_text(run->err));
	if (run->err == GW_STOPPING || run->traces->closing) { /* nobody left to be told */
		run_finish(run);
		return;
	}
	if (run->err != GW_OK || run->stop) { /* those that did begin */
		run_end(run);
		return;
	}
	run->state = TRACE_RUNNING;
	uv_timer_start(&run->timer, run_time_over, run->order.filter.seconds * 1000ull, 0);
	(void)!cli_line(run->request, json_pack("{s:{s:s, s:I}}", "trace", "state", "running",
						"seconds", (json_int_t)run->order.filter.seconds));
}

/* ---- messages -------------------------------------------------------------------------------- */

static uint64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/** "2026-11-29T01:15:11.000001Z" */
static json_t *message_time(uint64_t wall_us)
{
	time_t seconds = (time_t)(wall_us / 1000000);
	char text[64];
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%06uZ", (unsigned)(wall_us % 1000000));
	return json_string(text);
}

/** A peer's bytes as text: what is not printable would be no JSON, or move a cursor. */
static json_t *message_text(struct span bytes)
{
	char *text = malloc(bytes.len + 1u);
	json_t *shown;

	for (uint32_t i = 0; text != NULL && i < bytes.len; i++) {
		uint8_t c = bytes.at[i];
		bool plain = (c >= ' ' && c <= '~') || c == '\r' || c == '\n' || c == '\t';

		text[i] = plain ? (char)c : '?';
	}
	shown = text != NULL ? json_stringn(text, bytes.len) : json_null();
	free(text);
	return shown;
}

static json_t *message_json(const struct traces *traces, const struct message_traced *traced,
			    uint16_t from, struct span text)
{
	static const struct {
		const char *from, *to;
	} legs[TRACE_LEGS] = {
		[TRACE_FROM_WIC] = {"wic", "wicgate"},
		[TRACE_TO_WIC] = {"wicgate", "wic"},
		[TRACE_FROM_CORE] = {"core", "wicgate"},
		[TRACE_TO_CORE] = {"wicgate", "core"},
	};
	bool wic = traced->leg == TRACE_FROM_WIC || traced->leg == TRACE_TO_WIC;
	char peer[ENDPOINT_TEXT_MAX];

	return json_pack("{s:{s:o, s:i, s:s, s:s, s:s, s:s, s:o, s:I, s:b, s:o}}", "message", "ts",
			 message_time(traces->wall_offset_us + traced->now_us), "worker", (int)from,
			 "from", legs[traced->leg].from, "to", legs[traced->leg].to, "transport",
			 wic ? "WSS" : mw_transport_name(traced->transport), "peer",
			 endpoint_format(&traced->peer, peer), "flow_slot",
			 wic ? json_integer(traced->flow.slot) : json_null(), "bytes",
			 (json_int_t)traced->len, "cut", (int)traced->cut, "text",
			 message_text(text));
}

static struct run *traces_find(const struct traces *traces, uint32_t id)
{
	for (uint32_t i = 0; i < TRACES_MAX; i++)
		if (traces->run[i] != NULL && traces->run[i]->order.filter.id == id)
			return traces->run[i];
	return NULL;
}

static void mopped_row(void *context, uint16_t worker, const void *row)
{
}

static void mopped(void *context, enum gw_err err)
{
	struct traces *traces = context;

	traces->mopping = false;
}

/** A worker did not hear of its end. */
static void traces_mop(struct traces *traces, uint32_t id)
{
	const struct trace_filter filter = {.id = id};
	const struct errand errand = {
		.what = COMMAND_TRACE_END,
		.body = span_of(&filter, sizeof(filter)),
		.workers = traces->config.workers,
		.row_size = sizeof(struct row_trace),
		.deadline_ms = TRACE_WORKERS_MS,
		.context = traces,
		.row = mopped_row,
		.end = mopped,
	};

	if (!traces->mopping)
		traces->mopping = errands_start(traces->config.errands, &errand) == GW_OK;
}

static void run_message(struct run *run, json_t *message)
{
	if (run->order.count != 0 && run->messages == run->order.count)
		return; /* they come until the workers have stopped */
	if (!cli_line(run->request, json_incref(message))) {
		run->lost++;
		return;
	}
	run->messages++;
	if (run->messages == run->order.count)
		run_stop(run, "as many as were to come");
}

void traces_message(struct traces *traces, uint16_t from, struct span bytes)
{
	struct message_traced traced;
	json_t *message;

	if (traces->closing || !span_copy(&bytes, &traced, sizeof(traced)) ||
	    traced.leg >= TRACE_LEGS)
		return;
	message = message_json(traces, &traced, from, bytes);
	for (uint32_t i = 0; i < TRACES_MAX && traced.id[i] != 0; i++) {
		struct run *run = traces_find(traces, traced.id[i]);

		if (run != NULL)
			run_message(run, message);
		else
			traces_mop(traces, traced.id[i]);
	}
	json_decref(message);
}

/* ---- life ------------------------------------------------------------------------------------ */

static struct run **traces_place(struct traces *traces)
{
	for (uint32_t i = 0; i < TRACES_MAX; i++)
		if (traces->run[i] == NULL)
			return &traces->run[i];
	return NULL;
}

void traces_start(struct traces *traces, struct cli_request *request,
		  const struct trace_order *order)
{
	struct run **place = traces_place(traces), *run;

	if (place == NULL) {
		cli_fail(request, "busy: as many traces as there may be run already");
		return;
	}
	run = calloc(1, sizeof(*run));
	if (run == NULL) {
		cli_fail(request, "no memory");
		return;
	}
	*place = run;
	traces->wall_offset_us = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
	run->traces = traces;
	run->request = request;
	run->order = *order;
	run->order.filter.id = ++traces->last_id != 0 ? traces->last_id : ++traces->last_id;
	uv_timer_init(traces->config.loop, &run->timer);
	run->timer.data = run;
	traces->timers++;
	run_log(run, "trace");
	cli_stream(request, run_gone, run);
	if (run_tell(run, COMMAND_TRACE, run_started) != GW_OK)
		run_started(run, GW_NO_MEMORY);
}

struct traces *traces_new(const struct traces_config *config)
{
	struct traces *traces = calloc(1, sizeof(*traces));

	if (traces != NULL)
		traces->config = *config;
	return traces;
}

void traces_close(struct traces *traces)
{
	if (traces == NULL)
		return;
	traces->closing = true;
	for (uint32_t i = 0; i < TRACES_MAX; i++) {
		struct run *run = traces->run[i];

		if (run == NULL)
			continue;
		run->state = TRACE_STOPPING;
		snprintf(run->why, sizeof(run->why), "node is stopping");
		run_finish(run);
	}
	traces_free_if_closed(traces);
}
