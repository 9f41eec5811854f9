/* SPDX-License-Identifier: BSD-3-Clause */
#include "mailbox.h"
#include "test.h"

#include <poll.h>
#include <unistd.h>

#define RING 4096u
#define LONGEST (RING / 2 - 16)

/* What the handlers of these tests write to. */
struct seen {
	struct mailbox_hub *hub;
	uint32_t count;
	uint16_t from[4096];
	uint32_t len;
	uint8_t bytes[RING];
	uint32_t expected; /* sequence number of the next message */
};

static void take(void *context, uint16_t from, struct span message)
{
	struct seen *seen = context;

	EXPECT_EQ(0, (uintptr_t)message.at % 16);
	seen->from[seen->count++ % 4096] = from;
	seen->len = message.len;
	memcpy(seen->bytes, message.at, message.len);
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static enum gw_err send_text(struct mailbox_hub *hub, uint16_t from, uint16_t to, const char *text)
{
	return mailbox_send(hub, from, to, span_text(text), span_of(NULL, 0));
}

TEST(mailbox, delivers_head_and_body_as_one_message)
{
	struct mailbox_hub *hub = mailbox_hub_new(3, RING, NULL, NULL);
	struct seen seen = {0};

	EXPECT_EQ(GW_OK, mailbox_send(hub, 0, 2, SPAN("head"), SPAN("body!")));
	EXPECT(mailbox_empty(hub, 1));
	EXPECT(!mailbox_empty(hub, 2));
	EXPECT_EQ(1, mailbox_receive(hub, 2, 8, take, &seen));
	EXPECT_EQ(0, seen.from[0]);
	EXPECT_EQ(9, seen.len);
	EXPECT_BYTES("headbody!", seen.bytes, 9);
	EXPECT(mailbox_empty(hub, 2));
	EXPECT_EQ(0, mailbox_receive(hub, 2, 8, take, &seen));
	mailbox_hub_free(hub);
}

TEST(mailbox, delivers_an_empty_message_and_one_to_oneself)
{
	struct mailbox_hub *hub = mailbox_hub_new(1, RING, NULL, NULL);
	struct seen seen = {0};

	EXPECT_EQ(GW_OK, mailbox_send(hub, 0, 0, span_of(NULL, 0), span_of(NULL, 0)));
	EXPECT_EQ(1, mailbox_receive(hub, 0, 8, take, &seen));
	EXPECT_EQ(0, seen.len);
	mailbox_hub_free(hub);
}

static void take_in_order(void *context, uint16_t from, struct span message)
{
	struct seen *seen = context;
	uint32_t number;

	EXPECT(message.len >= sizeof(number));
	memcpy(&number, message.at, sizeof(number));
	EXPECT_EQ(seen->expected, number);
	seen->expected++;
	for (uint32_t i = sizeof(number); i < message.len; i++)
		EXPECT_EQ((uint8_t)(number + i), message.at[i]);
}

/* Sizes that wrap the ring at every alignment; full now and then. */
TEST(mailbox, keeps_order_and_bytes_over_many_turns_of_the_ring)
{
	struct mailbox_hub *hub = mailbox_hub_new(2, RING, NULL, NULL);
	struct seen seen = {0};
	uint8_t bytes[LONGEST];
	uint32_t sent = 0, full = 0, random = 1;

	while (sent < 20000) {
		uint32_t len = sizeof(sent) + (random = random * 1664525u + 1013904223u) % 700;
		enum gw_err err;

		for (uint32_t i = sizeof(sent); i < len; i++)
			bytes[i] = (uint8_t)(sent + i);
		err = mailbox_send(hub, 1, 0, span_of(&sent, sizeof(sent)),
				   span_of(bytes + sizeof(sent), len - (uint32_t)sizeof(sent)));
		if (err == GW_OK) {
			sent++;
			continue;
		}
		EXPECT_EQ(GW_QUEUE_FULL, err);
		full++;
		mailbox_receive(hub, 0, 1 + random % 4, take_in_order, &seen);
	}
	while (mailbox_receive(hub, 0, 16, take_in_order, &seen) > 0)
		;
	EXPECT(full > 100);
	EXPECT_EQ(20000, seen.expected);
	mailbox_hub_free(hub);
}

TEST(mailbox, says_full_sends_nothing_and_takes_again_after_a_receive)
{
	struct mailbox_hub *hub = mailbox_hub_new(2, RING, NULL, NULL);
	struct seen seen = {0};
	uint32_t sent = 0;

	while (send_text(hub, 0, 1, "0123456789abcdef") == GW_OK)
		sent++;
	EXPECT_EQ(RING / 32, sent);
	EXPECT_EQ(GW_QUEUE_FULL, send_text(hub, 0, 1, "x"));
	EXPECT_EQ(GW_OK, send_text(hub, 1, 0, "the other way is free"));
	EXPECT_EQ(1, mailbox_receive(hub, 1, 1, take, &seen));
	EXPECT_EQ(GW_OK, send_text(hub, 0, 1, "x"));
	while (mailbox_receive(hub, 1, 64, take, &seen) > 0)
		;
	EXPECT_EQ(sent + 1, seen.count);
	EXPECT_EQ(1, seen.len);
	mailbox_hub_free(hub);
}

TEST(mailbox, takes_the_longest_message_wherever_the_ring_stands)
{
	struct mailbox_hub *hub = mailbox_hub_new(2, RING, NULL, NULL);
	static const uint8_t bytes[LONGEST + 1];
	struct seen seen = {0};

	for (uint32_t step = 0; step < 300; step++) {
		EXPECT_EQ(GW_OK,
			  mailbox_send(hub, 0, 1, span_of(bytes, LONGEST), span_of(NULL, 0)));
		EXPECT_EQ(1, mailbox_receive(hub, 1, 8, take, &seen));
		EXPECT_EQ(LONGEST, seen.len);
		EXPECT_EQ(GW_OK, send_text(hub, 0, 1, "moves the ring on"));
		EXPECT_EQ(1, mailbox_receive(hub, 1, 8, take, &seen));
	}
	mailbox_hub_free(hub);
}

TEST(mailbox, refuses_a_message_longer_than_half_a_ring)
{
	struct mailbox_hub *hub = mailbox_hub_new(2, RING, NULL, NULL);
	static const uint8_t bytes[LONGEST + 1];

	EXPECT_EQ(GW_NO_ROOM,
		  mailbox_send(hub, 0, 1, span_of(bytes, LONGEST + 1), span_of(NULL, 0)));
	EXPECT_EQ(GW_NO_ROOM, mailbox_send(hub, 0, 1, span_of(bytes, 1), span_of(bytes, LONGEST)));
	EXPECT_EQ(GW_NO_ROOM,
		  mailbox_send(hub, 0, 1, span_of(bytes, UINT32_MAX), span_of(bytes, UINT32_MAX)));
	EXPECT(mailbox_empty(hub, 1));
	mailbox_hub_free(hub);
}

TEST(mailbox, serves_the_senders_in_turn)
{
	struct mailbox_hub *hub = mailbox_hub_new(4, RING, NULL, NULL);
	struct seen seen = {0};
	uint32_t by[4] = {0};

	for (int i = 0; i < 30; i++)
		EXPECT_EQ(GW_OK, send_text(hub, 0, 3, "many"));
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(GW_OK, send_text(hub, 1, 3, "few"));
		EXPECT_EQ(GW_OK, send_text(hub, 2, 3, "few"));
	}
	for (int turn = 0; turn < 5; turn++) /* also when max cuts in the middle of a round */
		mailbox_receive(hub, 3, 3, take, &seen);
	for (uint32_t i = 0; i < seen.count; i++)
		by[seen.from[i]]++;
	EXPECT_EQ(5, by[0]);
	EXPECT_EQ(5, by[1]);
	EXPECT_EQ(5, by[2]);
	mailbox_hub_free(hub);
}

static void take_and_answer(void *context, uint16_t from, struct span message)
{
	struct seen *seen = context;

	seen->count++;
	EXPECT_EQ(GW_OK, mailbox_send(seen->hub, 1, from, message, SPAN(" back")));
}

TEST(mailbox, lets_a_handler_send)
{
	struct mailbox_hub *hub = mailbox_hub_new(2, RING, NULL, NULL);
	struct seen seen = {.hub = hub};

	EXPECT_EQ(GW_OK, send_text(hub, 0, 1, "there and"));
	EXPECT_EQ(1, mailbox_receive(hub, 1, 8, take_and_answer, &seen));
	EXPECT_EQ(1, mailbox_receive(hub, 0, 8, take, &seen));
	EXPECT_BYTES("there and back", seen.bytes, 14);
	mailbox_hub_free(hub);
}

TEST(mailbox, does_not_let_sleep_when_a_message_waits)
{
	struct mailbox_hub *hub = mailbox_hub_new(2, RING, NULL, NULL);

	EXPECT_EQ(GW_OK, send_text(hub, 0, 1, "x"));
	EXPECT(!mailbox_sleep_begin(hub, 1));
	EXPECT(!mailbox_asleep(hub, 1));
	mailbox_hub_free(hub);
}

TEST(mailbox, wakes_only_a_sleeper_and_only_once)
{
	struct mailbox_hub *hub = mailbox_hub_new(2, RING, NULL, NULL);
	int fd = mailbox_wake_fd(hub, 1);
	uint64_t writes = 0;
	struct seen seen = {0};

	EXPECT_EQ(GW_OK, send_text(hub, 0, 1, "to one awake"));
	EXPECT(!readable(fd));
	EXPECT_EQ(1, mailbox_receive(hub, 1, 8, take, &seen));
	EXPECT(mailbox_sleep_begin(hub, 1));
	EXPECT(mailbox_asleep(hub, 1));
	EXPECT_EQ(GW_OK, send_text(hub, 0, 1, "to a sleeper"));
	EXPECT_EQ(GW_OK, send_text(hub, 0, 1, "another"));
	EXPECT_EQ((int)sizeof(writes), (int)read(fd, &writes, sizeof(writes)));
	EXPECT_EQ(1, writes);
	mailbox_sleep_end(hub, 1);
	EXPECT(!mailbox_asleep(hub, 1));
	mailbox_hub_free(hub);
}

TEST(mailbox, nudges_also_one_who_is_not_asleep_yet)
{
	struct mailbox_hub *hub = mailbox_hub_new(2, RING, NULL, NULL);

	mailbox_nudge(hub, 1);
	EXPECT(mailbox_sleep_begin(hub, 1));
	EXPECT(readable(mailbox_wake_fd(hub, 1)));
	EXPECT(!readable(mailbox_wake_fd(hub, 0)));
	mailbox_hub_free(hub);
}

static void count_wake(void *context, uint16_t endpoint)
{
	((uint32_t *)context)[endpoint]++;
}

TEST(mailbox, calls_a_wake_function_in_place_of_eventfds)
{
	uint32_t woken[3] = {0};
	struct mailbox_hub *hub = mailbox_hub_new(3, RING, count_wake, woken);

	EXPECT_EQ(-1, mailbox_wake_fd(hub, 2));
	EXPECT(mailbox_sleep_begin(hub, 2));
	EXPECT_EQ(GW_OK, send_text(hub, 0, 2, "x"));
	EXPECT_EQ(GW_OK, send_text(hub, 1, 2, "x"));
	EXPECT_EQ(0, woken[0] + woken[1]);
	EXPECT_EQ(1, woken[2]);
	mailbox_hub_free(hub);
}

TEST(mailbox, refuses_sizes_it_cannot_work_with)
{
	EXPECT(mailbox_hub_new(0, RING, NULL, NULL) == NULL);
	EXPECT(mailbox_hub_new(2, RING / 2, NULL, NULL) == NULL);
	EXPECT(mailbox_hub_new(2, RING + 16, NULL, NULL) == NULL);
	mailbox_hub_free(NULL);
}

TEST_MAIN("mailbox", RUN(mailbox, delivers_head_and_body_as_one_message),
	  RUN(mailbox, delivers_an_empty_message_and_one_to_oneself),
	  RUN(mailbox, keeps_order_and_bytes_over_many_turns_of_the_ring),
	  RUN(mailbox, says_full_sends_nothing_and_takes_again_after_a_receive),
	  RUN(mailbox, takes_the_longest_message_wherever_the_ring_stands),
	  RUN(mailbox, refuses_a_message_longer_than_half_a_ring),
	  RUN(mailbox, serves_the_senders_in_turn), RUN(mailbox, lets_a_handler_send),
	  RUN(mailbox, does_not_let_sleep_when_a_message_waits),
	  RUN(mailbox, wakes_only_a_sleeper_and_only_once),
	  RUN(mailbox, nudges_also_one_who_is_not_asleep_yet),
	  RUN(mailbox, calls_a_wake_function_in_place_of_eventfds),
	  RUN(mailbox, refuses_sizes_it_cannot_work_with))
