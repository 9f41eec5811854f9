/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_internal.h"

#include <errno.h>

static json_t *capture_result(struct capture *c, uint64_t frames, uint64_t bytes)
{
	uint64_t lost = c->config.lost(c->config.context) - c->lost_before + c->dropped;

	return json_pack("{s:{s:s, s:s, s:s, s:I, s:I, s:I}}", "capture", "state", "ended", "why",
			 c->why, "file", c->path, "frames", (json_int_t)frames, "lost",
			 (json_int_t)lost, "bytes", (json_int_t)bytes);
}

static void capture_log_end(const struct capture *c)
{
	json_t *last = json_object_get(c->last, "capture");
	struct log_line line;

	log_begin(c->config.log, &line, LOG_LEVEL_INFO, "capture_end");
	log_text(&line, "file", c->path);
	log_text(&line, "why", c->why);
	log_number(&line, "frames", (uint64_t)json_integer_value(json_object_get(last, "frames")));
	log_number(&line, "lost", (uint64_t)json_integer_value(json_object_get(last, "lost")));
	log_number(&line, "bytes", (uint64_t)json_integer_value(json_object_get(last, "bytes")));
	log_end(&line);
}

/** Every worker has stopped, or had its time to. */
void capture_finish(struct capture *c)
{
	uint64_t frames = 0, bytes = 0;

	c->state = CAPTURE_IDLE;
	if (c->file == NULL) { /* it never ran */
		capture_forget_order(c);
		capture_refuse(c);
		return;
	}
	frames = capture_file_frames(c->file);
	bytes = capture_file_bytes(c->file);
	if (capture_file_close(c->file) != GW_OK)
		snprintf(c->why, sizeof(c->why), "%s", strerrordesc_np(errno));
	c->file = NULL;
	json_decref(c->last);
	c->last = capture_result(c, frames, bytes);
	capture_log_end(c);
	capture_forget_order(c);
	capture_answer(c, json_incref(c->last));
}

static void capture_stopped(void *context, enum gw_err err)
{
	capture_finish(context);
}

/** The reason is in c->why. */
void capture_begin_stop(struct capture *c)
{
	struct errand errand = capture_errand(c, COMMAND_CAPTURE_END);

	errand.end = capture_stopped;
	c->state = CAPTURE_STOPPING;
	uv_timer_stop(&c->timer);
	if (errands_start(c->config.errands, &errand) != GW_OK)
		capture_finish(c);
}

void capture_stop(struct capture *c, struct cli_request *request)
{
	if (c->state == CAPTURE_IDLE && c->last != NULL)
		cli_reply(request, json_incref(c->last));
	else if (c->state == CAPTURE_IDLE)
		cli_fail(request, "no capture runs");
	else if (c->request != NULL)
		cli_fail(request, "busy");
	else if (c->state == CAPTURE_STOPPING)
		c->request = request;
	else {
		c->request = request;
		snprintf(c->why, sizeof(c->why), "stopped");
		capture_begin_stop(c);
	}
}
