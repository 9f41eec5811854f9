/* SPDX-License-Identifier: BSD-3-Clause */
#include "resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <unbound.h>

#define CLASS_IN 1
#define RCODE_OK 0
#define RCODE_NXDOMAIN 3
#define RDATA_MAX 64 /* records of one answer; more are ignored */

struct asking {
	struct resolver *resolver;
	struct peers_question question;
	int id; /* libunbound's */
	bool used;
};

struct resolver {
	struct ub_ctx *ctx;
	uv_poll_t poll;
	struct asking asking[PEERS_MAX]; /* a row has one question at a time */
};

static void on_answer(void *context, int err, struct ub_result *result)
{
	struct asking *a = context;
	struct peers_question question = a->question;
	struct span rdata[RDATA_MAX];
	struct peers_answer answer = {.failed = true, .rdata = rdata};

	a->used = false;
	if (err == 0 && (result->rcode == RCODE_OK || result->rcode == RCODE_NXDOMAIN)) {
		answer.failed = false;
		answer.ttl_s = result->ttl > 0 ? (uint32_t)result->ttl : 0;
		for (; answer.count < RDATA_MAX && result->data[answer.count] != NULL;
		     answer.count++)
			rdata[answer.count] = span_of(result->data[answer.count],
						      (uint32_t)result->len[answer.count]);
	}
	question.done(question.context, &answer);
	ub_resolve_free(result);
}

static uint64_t resolver_start(void *context, const struct peers_question *question)
{
	struct resolver *r = context;
	struct asking *a;
	uint32_t i = 0;

	while (i < PEERS_MAX && r->asking[i].used)
		i++;
	if (i == PEERS_MAX)
		return 0;
	a = &r->asking[i];
	*a = (struct asking){.resolver = r, .question = *question, .used = true};
	if (ub_resolve_async(r->ctx, question->name, question->type, CLASS_IN, a, on_answer,
			     &a->id) == 0)
		return i + 1;
	a->used = false;
	return 0;
}

static void resolver_cancel(void *context, uint64_t id)
{
	struct resolver *r = context;
	struct asking *a = &r->asking[id - 1];

	(void)ub_cancel(r->ctx, a->id); /* its answer is dropped */
	a->used = false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct resolver *r = poll->data;

	(void)events;
	if (status == 0)
		(void)ub_process(r->ctx);
}

/** NULL, or what is wrong with it. */
static const char *resolver_servers(struct resolver *r, const struct option_list *servers)
{
	int err = 0;

	if (servers->count == 0) {
		(void)ub_ctx_resolvconf(r->ctx, NULL);
		(void)ub_ctx_hosts(r->ctx, NULL);
	}
	for (uint32_t i = 0; err == 0 && i < servers->count; i++)
		err = ub_ctx_set_fwd(r->ctx, ((const struct option_text *)servers->at)[i].text);
	/* libunbound has its own answers for these zones; a core in a laboratory may be in them */
	if (err == 0)
		err = ub_ctx_set_option(r->ctx, "unblock-lan-zones:", "yes");
	/* one on this machine is as good as any */
	if (err == 0)
		err = ub_ctx_set_option(r->ctx, "do-not-query-localhost:", "no");
	if (err == 0)
		err = ub_ctx_async(r->ctx, 1);
	if (err == 0) /* the last one: it ends the settings */
		err = ub_ctx_zone_add(r->ctx, "test.", "transparent");
	return err == 0 ? NULL : ub_strerror(err);
}

struct resolver *resolver_new(uv_loop_t *loop, const struct option_list *servers, char *why,
			      size_t why_len)
{
	struct resolver *r = calloc(1, sizeof(*r));
	const char *fault = "out of memory";

	if (r != NULL)
		r->ctx = ub_ctx_create();
	if (r != NULL && r->ctx != NULL)
		fault = resolver_servers(r, servers);
	if (fault == NULL && uv_poll_init(loop, &r->poll, ub_fd(r->ctx)) != 0)
		fault = "its descriptor cannot be watched";
	if (fault != NULL) {
		snprintf(why, why_len, "mw.name_servers: %s", fault);
		if (r != NULL && r->ctx != NULL)
			ub_ctx_delete(r->ctx);
		free(r);
		return NULL;
	}
	r->poll.data = r;
	uv_poll_start(&r->poll, UV_READABLE, on_readable);
	return r;
}

static void on_closed(uv_handle_t *handle)
{
	struct resolver *r = handle->data;

	ub_ctx_delete(r->ctx);
	free(r);
}

void resolver_close(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	uv_poll_stop(&resolver->poll);
	uv_close((uv_handle_t *)&resolver->poll, on_closed);
}

struct peers_resolver resolver_ops(struct resolver *resolver)
{
	return (struct peers_resolver){resolver_start, resolver_cancel, resolver};
}
