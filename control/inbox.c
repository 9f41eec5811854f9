/* SPDX-License-Identifier: BSD-3-Clause */
#include "inbox.h"

#include <stdlib.h>
#include <unistd.h>

enum { INBOX_PER_TURN = 256, INBOX_HANDLES = 4 };

struct inbox {
	struct inbox_config config;
	uv_prepare_t before;
	uv_check_t after;
	uv_idle_t again; /* running: the loop must not sleep */
	uv_poll_t wake;
	uint32_t handles; /* open */
};

static void inbox_before_sleep(uv_prepare_t *handle)
{
	struct inbox *inbox = handle->data;

	mailbox_receive(inbox->config.hub, inbox->config.endpoint, INBOX_PER_TURN,
			inbox->config.handler, inbox->config.context);
}

static void inbox_do_nothing(uv_idle_t *handle)
{
}

/** Runs last before the loop asks how long it may sleep. */
static void inbox_sleep(struct inbox *inbox)
{
	if (mailbox_sleep_begin(inbox->config.hub, inbox->config.endpoint))
		uv_idle_stop(&inbox->again);
	else
		uv_idle_start(&inbox->again, inbox_do_nothing);
}

static void inbox_prepare(uv_prepare_t *handle)
{
	inbox_before_sleep(handle);
	inbox_sleep(handle->data);
}

static void inbox_check(uv_check_t *handle)
{
	struct inbox *inbox = handle->data;

	mailbox_sleep_end(inbox->config.hub, inbox->config.endpoint);
}

static void inbox_woken(uv_poll_t *handle, int status, int events)
{
	const struct inbox *inbox = handle->data;
	uint64_t count;

	/* only emptied: the messages are received before the next sleep */
	if (read(mailbox_wake_fd(inbox->config.hub, inbox->config.endpoint), &count,
		 sizeof(count)) < 0)
		return;
}

struct inbox *inbox_new(const struct inbox_config *config)
{
	struct inbox *inbox = calloc(1, sizeof(*inbox));
	int fd = mailbox_wake_fd(config->hub, config->endpoint);

	if (inbox == NULL)
		return NULL;
	inbox->config = *config;
	if (fd < 0 || uv_poll_init(config->loop, &inbox->wake, fd) != 0) {
		free(inbox);
		return NULL;
	}
	uv_prepare_init(config->loop, &inbox->before);
	uv_check_init(config->loop, &inbox->after);
	uv_idle_init(config->loop, &inbox->again);
	inbox->handles = INBOX_HANDLES;
	inbox->before.data = inbox->after.data = inbox->again.data = inbox->wake.data = inbox;
	uv_prepare_start(&inbox->before, inbox_prepare);
	uv_check_start(&inbox->after, inbox_check);
	uv_poll_start(&inbox->wake, UV_READABLE, inbox_woken);
	return inbox;
}

static void inbox_closed(uv_handle_t *handle)
{
	struct inbox *inbox = handle->data;

	if (--inbox->handles == 0)
		free(inbox);
}

void inbox_close(struct inbox *inbox)
{
	if (inbox == NULL)
		return;
	uv_close((uv_handle_t *)&inbox->before, inbox_closed);
	uv_close((uv_handle_t *)&inbox->after, inbox_closed);
	uv_close((uv_handle_t *)&inbox->again, inbox_closed);
	uv_close((uv_handle_t *)&inbox->wake, inbox_closed);
}
