/* SPDX-License-Identifier: BSD-3-Clause */
#include "errand.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum { ERRAND_RETRY_MS = 10 };

#define ERRAND_FIRST_ID 0x80000000u /* fetch.c counts from 1 */

enum asked { ASK, ASKED, ANSWERED };

struct walk {
	struct walk *next;
	struct errand errand;
	uint32_t id;
	uint64_t deadline_ms;
	uint16_t left;	/* workers that have not answered */
	uint8_t *asked; /* enum asked, of each worker */
	uint8_t *body;
};

struct errands {
	struct errands_config config;
	uv_timer_t retry; /* runs while there are walks */
	struct walk *walks;
	uint32_t last_id;
};

static void walk_free(struct walk *walk)
{
	if (walk == NULL)
		return;
	free(walk->asked);
	if (walk->body != NULL)
		OPENSSL_cleanse(walk->body, walk->errand.body.len); /* a token, perhaps */
	free(walk->body);
	free(walk);
}

/** Its user may start another from inside. */
static void walk_end(struct errands *errands, struct walk *walk, enum gw_err err)
{
	struct walk **link = &errands->walks;
	struct errand errand = walk->errand;

	while (*link != walk)
		link = &(*link)->next;
	*link = walk->next;
	if (errands->walks == NULL)
		uv_timer_stop(&errands->retry);
	walk_free(walk);
	errand.end(errand.context, err);
}

static void walk_send(struct errands *errands, struct walk *walk)
{
	const struct errand *errand = &walk->errand;
	struct message_command command = {
		.head = {MESSAGE_COMMAND, (uint32_t)sizeof(command) + errand->body.len},
		.id = walk->id,
		.what = errand->what,
		.max = errand->rows_max,
		.peer = errand->peer,
	};

	for (uint16_t w = 0; w < errand->workers; w++)
		if (walk->asked[w] == ASK &&
		    mailbox_send(errands->config.hub, errands->config.workers, w,
				 span_of(&command, sizeof(command)), errand->body) == GW_OK)
			walk->asked[w] = ASKED;
}

static struct walk *errands_late(struct errands *errands)
{
	for (struct walk *walk = errands->walks; walk != NULL; walk = walk->next)
		if (uv_now(errands->config.loop) >= walk->deadline_ms)
			return walk;
	return NULL;
}

static void errands_retry(uv_timer_t *timer)
{
	struct errands *errands = timer->data;
	struct walk *late;

	while ((late = errands_late(errands)) != NULL)
		walk_end(errands, late, GW_BUSY);
	for (struct walk *walk = errands->walks; walk != NULL; walk = walk->next)
		walk_send(errands, walk);
}

static struct walk *walk_new(const struct errand *errand)
{
	struct walk *walk = calloc(1, sizeof(*walk));

	if (walk == NULL)
		return NULL;
	walk->errand = *errand;
	if (errand->rows_max == 0)
		walk->errand.rows_max = 1;
	walk->left = errand->workers;
	walk->asked = calloc(errand->workers, 1);
	walk->body = malloc(errand->body.len + 1u);
	if (walk->asked == NULL || walk->body == NULL) {
		walk_free(walk);
		return NULL;
	}
	if (errand->body.len > 0)
		memcpy(walk->body, errand->body.at, errand->body.len);
	walk->errand.body.at = walk->body;
	return walk;
}

enum gw_err errands_start(struct errands *errands, const struct errand *errand)
{
	struct walk *walk = walk_new(errand);

	if (walk == NULL)
		return GW_NO_MEMORY;
	walk->id = ERRAND_FIRST_ID | ++errands->last_id;
	walk->deadline_ms = uv_now(errands->config.loop) + errand->deadline_ms;
	if (errands->walks == NULL)
		uv_timer_start(&errands->retry, errands_retry, ERRAND_RETRY_MS, ERRAND_RETRY_MS);
	walk->next = errands->walks;
	errands->walks = walk;
	walk_send(errands, walk);
	return GW_OK;
}

static struct walk *errands_find(struct errands *errands, uint16_t from, uint32_t id)
{
	for (struct walk *walk = errands->walks; walk != NULL; walk = walk->next)
		if (walk->id == id && from < walk->errand.workers && walk->asked[from] == ASKED)
			return walk;
	return NULL;
}

void errands_answer(struct errands *errands, uint16_t from, struct span message)
{
	struct message_answer answer;
	struct walk *walk;

	if (!span_copy(&message, &answer, sizeof(answer)))
		return;
	walk = errands_find(errands, from, answer.id);
	if (walk == NULL || answer.rows == 0 || answer.rows > walk->errand.rows_max ||
	    answer.row_size != walk->errand.row_size || message.len < answer.rows * answer.row_size)
		return;
	walk->asked[from] = ANSWERED;
	walk->left--;
	for (uint32_t i = 0; i < answer.rows; i++)
		walk->errand.row(walk->errand.context, from, message.at + i * answer.row_size);
	if (walk->left == 0)
		walk_end(errands, walk, GW_OK);
}

struct errands *errands_new(const struct errands_config *config)
{
	struct errands *errands = calloc(1, sizeof(*errands));

	if (errands == NULL)
		return NULL;
	errands->config = *config;
	uv_timer_init(config->loop, &errands->retry);
	errands->retry.data = errands;
	return errands;
}

static void errands_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void errands_close(struct errands *errands)
{
	if (errands == NULL)
		return;
	while (errands->walks != NULL)
		walk_end(errands, errands->walks, GW_STOPPING);
	uv_close((uv_handle_t *)&errands->retry, errands_closed);
}
