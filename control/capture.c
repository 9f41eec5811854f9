/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void capture_answer(struct capture *c, json_t *answer_owned)
{
	struct cli_request *request = c->request;

	c->request = NULL;
	if (request != NULL)
		cli_reply(request, answer_owned);
	else
		json_decref(answer_owned);
}

void capture_refuse(struct capture *c)
{
	capture_answer(c, json_pack("{s:s}", "error", c->why));
}

void capture_forget_order(struct capture *c)
{
	free(c->filter_text);
	free(c->path);
	for (uint32_t i = 0; i < c->interfaces; i++)
		free(c->interface[i]);
	c->filter_text = c->path = NULL;
	c->interfaces = 0;
}

static void capture_row(void *context, uint16_t worker, const void *row)
{
	struct capture *c = context;
	struct row_done done;

	memcpy(&done, row, sizeof(done));
	if (done.err != GW_OK && c->err == GW_OK)
		c->err = done.err;
}

struct errand capture_errand(struct capture *c, enum command_kind what)
{
	return (struct errand){
		.what = what,
		.workers = c->config.workers,
		.row_size = sizeof(struct row_done),
		.deadline_ms = CAPTURE_WORKERS_MS,
		.context = c,
		.row = capture_row,
	};
}

/* ---- the start ------------------------------------------------------------------------------ */

static void capture_never_ran(struct capture *c)
{
	if (c->file != NULL) {
		unlink(c->path);
		(void)capture_file_close(c->file);
		c->file = NULL;
	}
}

static void capture_time_over(uv_timer_t *timer)
{
	struct capture *c = timer->data;

	snprintf(c->why, sizeof(c->why), "the time is over");
	capture_begin_stop(c);
}

static void capture_started(void *context, enum gw_err err)
{
	struct capture *c = context;

	if (err == GW_OK)
		err = uv_now(c->config.loop) < c->deadline_ms ? c->err : GW_BUSY;
	if (err != GW_OK) {
		snprintf(c->why, sizeof(c->why), "%s", gw_err_text(err));
		capture_never_ran(c);
		capture_begin_stop(c); /* those that did begin */
		return;
	}
	c->state = CAPTURE_RUNNING;
	uv_timer_start(&c->timer, capture_time_over, c->seconds * 1000ull, 0);
	log_event(c->config.log, LOG_LEVEL_INFO, "capture", "file", c->path);
	capture_answer(c, json_pack("{s:{s:s, s:s, s:I}}", "capture", "state", "running", "file",
				    c->path, "seconds", (json_int_t)c->seconds));
}

static void capture_tell_workers(struct capture *c)
{
	uint32_t bytes = (uint32_t)(offsetof(struct capture_filter, insn) +
				    c->filter.count * sizeof(c->filter.insn[0]));
	struct errand errand = capture_errand(c, COMMAND_CAPTURE);

	errand.body = span_of(&c->filter, bytes);
	errand.end = capture_started;
	c->err = GW_OK;
	c->state = CAPTURE_STARTING;
	if (errands_start(c->config.errands, &errand) != GW_OK)
		capture_started(c, GW_NO_MEMORY);
}

static enum gw_err capture_open(struct capture *c)
{
	struct capture_file_config file = {
		.path = c->path,
		.bytes_max = c->config.file_bytes_max,
		.snap = CAPTURE_SNAP,
		.interface = (const char *const *)c->interface,
		.interfaces = c->interfaces,
	};

	c->file = capture_file_new(&file);
	if (c->file != NULL)
		return GW_OK;
	snprintf(c->why, sizeof(c->why), "%s: %s", c->path, strerrordesc_np(errno));
	return GW_SYSTEM;
}

static void capture_compile(uv_work_t *work)
{
	struct capture *c = work->data;

	c->err = capture_filter_compile(c->filter_text, &c->filter, c->why, sizeof(c->why));
}

static void capture_free_if_closed(struct capture *c);

static uint64_t capture_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void capture_compiled(uv_work_t *work, int status)
{
	struct capture *c = work->data;

	c->state = CAPTURE_IDLE;
	if (c->closing) {
		capture_free_if_closed(c);
		return;
	}
	/* nobody waits any more, and nobody would know of it */
	if (c->err == GW_OK && uv_now(c->config.loop) >= c->deadline_ms) {
		c->err = GW_TIMEOUT;
		snprintf(c->why, sizeof(c->why), "busy");
	}
	if (c->err == GW_OK)
		c->err = capture_open(c);
	if (c->err != GW_OK) {
		capture_forget_order(c);
		capture_refuse(c);
		return;
	}
	c->dropped = 0;
	c->lost_before = c->config.lost(c->config.context);
	c->wall_offset_us = capture_clock(CLOCK_REALTIME) - capture_clock(CLOCK_MONOTONIC);
	capture_tell_workers(c);
}

static bool capture_copy_order(struct capture *c, const struct capture_order *order)
{
	bool good;

	c->seconds = order->seconds;
	c->filter_text = strdup(order->filter);
	c->path = strdup(order->path);
	good = c->filter_text != NULL && c->path != NULL;
	for (c->interfaces = 0; c->interfaces < order->interfaces; c->interfaces++) {
		c->interface[c->interfaces] = strdup(order->interface[c->interfaces]);
		good = good && c->interface[c->interfaces] != NULL;
	}
	return good;
}

void capture_start(struct capture *c, struct cli_request *request,
		   const struct capture_order *order)
{
	if (c->state != CAPTURE_IDLE) {
		cli_fail(request, "busy: a capture runs already");
		return;
	}
	c->request = request;
	c->deadline_ms = uv_now(c->config.loop) + cli_deadline_ms(request);
	c->work.data = c;
	snprintf(c->why, sizeof(c->why), "no memory");
	if (!capture_copy_order(c, order) ||
	    uv_queue_work(c->config.loop, &c->work, capture_compile, capture_compiled) != 0) {
		capture_forget_order(c);
		capture_refuse(c);
		return;
	}
	c->state = CAPTURE_COMPILING;
}

/* ---- frames --------------------------------------------------------------------------------- */

static void capture_write(struct capture *c, const struct message_captured *captured,
			  struct span bytes)
{
	struct pcapng_packet packet = {
		.interface = captured->netif,
		.direction = captured->sent ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
		.wall_us = captured->now_us + c->wall_offset_us,
		.len = captured->len,
	};
	enum gw_err err;

	if (captured->netif >= c->interfaces)
		return;
	err = capture_file_add(c->file, &packet, bytes);
	c->dropped += err != GW_OK;
	if (err == GW_OK || c->state != CAPTURE_RUNNING)
		return;
	snprintf(c->why, sizeof(c->why), "%s",
		 err == GW_NO_ROOM ? "the file is as long as it may be" : strerrordesc_np(errno));
	capture_begin_stop(c);
}

void capture_frame(struct capture *c, uint16_t from, struct span message)
{
	struct message_captured captured;

	if (c->closing || !span_copy(&message, &captured, sizeof(captured)))
		return;
	if (c->file != NULL)
		capture_write(c, &captured, message);
	if (c->file != NULL || c->state != CAPTURE_IDLE)
		return;
	snprintf(c->why, sizeof(c->why), "no capture runs");
	capture_begin_stop(c); /* a worker did not hear of its end */
}

/* ---- life ----------------------------------------------------------------------------------- */

struct capture *capture_new(const struct capture_config *config)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->config = *config;
	uv_timer_init(config->loop, &c->timer);
	c->timer.data = c;
	return c;
}

/** The timer is closed and no thread works for it. */
static void capture_free_if_closed(struct capture *c)
{
	if (!c->timer_closed || c->state == CAPTURE_COMPILING)
		return;
	capture_forget_order(c);
	json_decref(c->last);
	free(c);
}

static void capture_closed(uv_handle_t *handle)
{
	struct capture *c = handle->data;

	c->timer_closed = true;
	capture_free_if_closed(c);
}

void capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	c->closing = true;
	snprintf(c->why, sizeof(c->why), "node is stopping");
	if (c->file != NULL)
		capture_finish(c);
	else
		capture_refuse(c);
	uv_close((uv_handle_t *)&c->timer, capture_closed);
}
