/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <sched.h>

#include "../test.h"
#include "control/inbox.h"

enum { WORKER, CONTROL, ENDPOINTS, MANY = 1000, GUARD_MS = 20000 };

/** A loop on which nothing runs but the inbox, and a guard that ends a test that hangs. */
struct world {
	uv_loop_t loop;
	uv_timer_t guard;
	struct mailbox_hub *hub;
	struct inbox *inbox;
	uint32_t wanted;
	uint32_t received;
	bool guarded;
};

static void receive(void *context, uint16_t from, struct span message)
{
	struct world *w = context;
	uint32_t number;

	EXPECT_EQ(WORKER, from);
	EXPECT(span_copy(&message, &number, sizeof(number)));
	EXPECT_EQ(w->received, number); /* in order, none lost */
	if (++w->received == w->wanted)
		uv_stop(&w->loop);
}

static void guard(uv_timer_t *timer)
{
	((struct world *)timer->data)->guarded = true;
	uv_stop(timer->loop);
}

static void begin(struct world *w, uint32_t wanted)
{
	struct inbox_config config = {.loop = &w->loop,
				      .endpoint = CONTROL,
				      .handler = receive,
				      .context = w};

	memset(w, 0, sizeof(*w));
	w->wanted = wanted;
	uv_loop_init(&w->loop);
	w->hub = mailbox_hub_new(ENDPOINTS, 4096, NULL, NULL);
	assert_non_null(w->hub);
	config.hub = w->hub;
	w->inbox = inbox_new(&config);
	assert_non_null(w->inbox);
	uv_timer_init(&w->loop, &w->guard);
	w->guard.data = w;
	uv_timer_start(&w->guard, guard, GUARD_MS, 0);
}

static void end(struct world *w)
{
	inbox_close(w->inbox);
	uv_close((uv_handle_t *)&w->guard, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	EXPECT_EQ(0, uv_loop_close(&w->loop));
	mailbox_hub_free(w->hub);
}

static void send_number(struct world *w, uint32_t number)
{
	while (mailbox_send(w->hub, WORKER, CONTROL, span_of(&number, sizeof(number)),
			    span_of(NULL, 0)) != GW_OK)
		sched_yield();
}

/** A worker that waits until control sleeps before it speaks. */
static void *speak_to_a_sleeper(void *context)
{
	struct world *w = context;

	while (!mailbox_asleep(w->hub, CONTROL))
		sched_yield();
	send_number(w, 0);
	return NULL;
}

static void *speak_much(void *context)
{
	for (uint32_t i = 0; i < MANY; i++)
		send_number(context, i);
	return NULL;
}

static void run_with(struct world *w, void *(*worker)(void *))
{
	pthread_t thread;

	assert_int_equal(0, pthread_create(&thread, NULL, worker, w));
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_false(w->guarded); /* before the join: the worker may wait for us */
	pthread_join(thread, NULL);
}

TEST(inbox, is_woken_by_a_message_while_the_loop_sleeps)
{
	struct world w;

	begin(&w, 1);
	run_with(&w, speak_to_a_sleeper);
	EXPECT_EQ(1, w.received);
	end(&w);
}

TEST(inbox, takes_every_message_of_a_busy_worker_in_order)
{
	struct world w;

	begin(&w, MANY);
	run_with(&w, speak_much);
	EXPECT_EQ(MANY, w.received);
	end(&w);
}

TEST(inbox, takes_what_came_before_the_loop_ran)
{
	struct world w;

	begin(&w, 1);
	send_number(&w, 0);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	EXPECT_EQ(1, w.received);
	EXPECT(!w.guarded);
	end(&w);
}

TEST_MAIN("inbox", RUN(inbox, is_woken_by_a_message_while_the_loop_sleeps),
	  RUN(inbox, takes_every_message_of_a_busy_worker_in_order),
	  RUN(inbox, takes_what_came_before_the_loop_ran))
