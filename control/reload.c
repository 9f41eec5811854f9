/* SPDX-License-Identifier: BSD-3-Clause */
#include "reload.h"

#include <stdlib.h>

struct reload {
	struct reload_config config;
	uv_work_t work;
	atomic_bool stop;
	bool running; /* on the thread pool, or just behind it */
	bool again;   /* somebody asked meanwhile */
	bool closing;
	/* of the reload under way; the thread's until it has ended */
	const struct config *before;
	struct config *next;
	struct problems *problems;
	struct cli_request *request;
};

struct reload *reload_new(const struct reload_config *config)
{
	struct reload *r = calloc(1, sizeof(*r));

	if (r != NULL)
		r->config = *config;
	return r;
}

/** On a thread of the pool. */
static void reload_read(uv_work_t *work)
{
	struct reload *r = work->data;
	const struct config_from from = {r->config.path, r->before, &r->stop};

	r->next = config_read(&from, r->problems);
}

static void reload_read_done(uv_work_t *work, int status);

static bool reload_start(struct reload *r, struct cli_request *request)
{
	r->problems = problems_new();
	if (r->problems == NULL)
		return false;
	r->before = r->config.live(r->config.context);
	r->next = NULL;
	r->request = request;
	r->work.data = r;
	r->running = uv_queue_work(r->config.loop, &r->work, reload_read, reload_read_done) == 0;
	if (!r->running)
		problems_free(r->problems);
	return r->running;
}

static void reload_read_done(uv_work_t *work, int status)
{
	struct reload *r = work->data;
	struct problems *problems = r->problems;

	if (r->closing) {
		config_free(r->next);
		problems_add(problems, PROBLEM_ERROR, r->config.path, 1, "the node is stopping");
	} else {
		r->config.take(r->config.context, r->next, problems);
	}
	r->running = false;
	r->config.done(r->config.context, problems, r->request);
	problems_free(problems);
	if (r->closing)
		free(r);
	else if (r->again)
		r->again = !reload_start(r, NULL);
}

bool reload_begin(struct reload *reload, struct cli_request *request)
{
	if (!reload->running)
		return reload_start(reload, request);
	reload->again |= request == NULL;
	return false;
}

void reload_close(struct reload *reload)
{
	if (reload == NULL)
		return;
	reload->closing = true;
	atomic_store(&reload->stop, true);
	if (!reload->running)
		free(reload);
}
