/* SPDX-License-Identifier: BSD-3-Clause */
#include "mailbox.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * mailbox_race_test [MESSAGES [SEED]]
 *
 * The race between a receiver that falls asleep and senders that send just then. In each round some
 * of the senders send one message each, after a random moment, and the next round begins when all
 * are received: nothing that comes later can wake a receiver who missed his last message. He really
 * sleeps, in poll(); a sleep that ends by its timeout is a lost wake-up, and fails the test.
 */
#define SENDERS 3u
#define RECEIVER SENDERS /* endpoint */
#define RING_BYTES 4096u
#define LOST_MS 10000
#define MESSAGES_DEFAULT 100000u
#define LOOKS_PER_YIELD 200u
#define JITTER 64u /* turns of an empty loop */
#define LEAD_MAX 20000u
#define LEAD_STEP 4u

struct race {
	struct mailbox_hub *hub;
	uint64_t seed;
	_Atomic uint64_t round; /* 0 before the first, UINT64_MAX: over */
	/* the receiver's */
	uint64_t received[SENDERS];
	uint64_t in_round;
	uint64_t sleeps;
	uint64_t broken; /* messages out of order */
	uint64_t lead;	 /* his delay: adjusted so that he sleeps in every other round */
};

struct sender {
	struct race *race;
	uint16_t self;
	uint64_t sent;
	uint64_t refused;
};

/* The same on all threads: SplitMix64 of the round. */
static uint64_t race_random(const struct race *race, uint64_t round, uint64_t salt)
{
	uint64_t z = race->seed + round * 0x9e3779b97f4a7c15u + salt * 0xbf58476d1ce4e5b9u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* One sender alone in half of the rounds: there it is his message or none that wakes. */
static bool race_sends(const struct race *race, uint64_t round, uint16_t sender)
{
	uint64_t random = race_random(race, round, 100);

	if (random % 2 == 0)
		return random / 2 % SENDERS == sender;
	return (random / 2 % (1u << SENDERS) & 1u << sender) != 0;
}

static uint64_t race_senders(const struct race *race, uint64_t round)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < SENDERS; i++)
		n += race_sends(race, round, i);
	return n;
}

static void race_delay(const struct race *race, uint64_t round, uint64_t salt, uint64_t lead)
{
	uint64_t turns = lead + race_random(race, round, salt) % JITTER;

	for (volatile uint64_t i = 0; i < turns; i++)
		;
}

/* Looks often, so that the senders start close to the receiver's way to sleep; but not for ever. */
static uint64_t race_wait_round(const struct race *race, uint64_t done)
{
	uint64_t round;

	for (uint32_t look = 1;; look++) {
		round = atomic_load_explicit(&race->round, memory_order_acquire);
		if (round != done)
			return round;
		if (look % LOOKS_PER_YIELD == 0)
			sched_yield();
	}
}

static void *sender_run(void *argument)
{
	struct sender *sender = argument;
	struct race *race = sender->race;
	uint64_t round = 0;

	while ((round = race_wait_round(race, round)) != UINT64_MAX) {
		if (!race_sends(race, round, sender->self))
			continue;
		race_delay(race, round, sender->self, 0);
		if (mailbox_send(race->hub, sender->self, RECEIVER,
				 span_of(&sender->sent, sizeof(sender->sent)),
				 span_of(NULL, 0)) != GW_OK)
			sender->refused++;
		sender->sent++;
	}
	return NULL;
}

static void race_take(void *context, uint16_t from, struct span message)
{
	struct race *race = context;
	uint64_t number = UINT64_MAX;

	if (!span_copy(&message, &number, sizeof(number)) || number != race->received[from])
		race->broken++;
	race->received[from]++;
	race->in_round++;
}

static void race_sleep(struct race *race)
{
	struct pollfd wake = {.fd = mailbox_wake_fd(race->hub, RECEIVER), .events = POLLIN};
	uint64_t count;

	if (!mailbox_sleep_begin(race->hub, RECEIVER))
		return;
	race->sleeps++;
	if (poll(&wake, 1, LOST_MS) != 1) {
		fprintf(stderr, "lost wake-up in round %llu\n",
			(unsigned long long)atomic_load(&race->round));
		exit(1);
	}
	if (read(wake.fd, &count, sizeof(count)) < 0)
		race->broken++;
	mailbox_sleep_end(race->hub, RECEIVER);
}

/*
 * Where a receiver who is a little later would not sleep, and one who is a little earlier would, is
 * where the race is.
 */
static void race_aim(struct race *race, bool slept)
{
	if (slept && race->lead < LEAD_MAX)
		race->lead += LEAD_STEP;
	if (!slept && race->lead >= LEAD_STEP)
		race->lead -= LEAD_STEP;
}

static void race_run(struct race *race, uint64_t messages)
{
	uint64_t received = 0;

	for (uint64_t round = 1; received < messages; round++) {
		uint64_t sleeps = race->sleeps;

		race->in_round = 0;
		atomic_store_explicit(&race->round, round, memory_order_release);
		race_delay(race, round, SENDERS, race->lead);
		while (race->in_round < race_senders(race, round))
			if (mailbox_receive(race->hub, RECEIVER, 16, race_take, race) == 0)
				race_sleep(race);
		received += race->in_round;
		race_aim(race, race->sleeps != sleeps);
	}
	atomic_store_explicit(&race->round, UINT64_MAX, memory_order_release);
}

/* On one processor there is no race: the receiver gets the first, the senders share the second. */
static void race_place(pthread_t thread, int place)
{
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof(all), &all) != 0 || CPU_COUNT(&all) < 2)
		return;
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && place >= 0; cpu++)
		if (CPU_ISSET(cpu, &all) && place-- == 0)
			CPU_SET(cpu, &one);
	pthread_setaffinity_np(thread, sizeof(one), &one);
}

int main(int argc, char **argv)
{
	struct race race = {.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1};
	uint64_t messages = argc > 1 ? strtoull(argv[1], NULL, 10) : MESSAGES_DEFAULT;
	struct sender sender[SENDERS];
	pthread_t thread[SENDERS];
	uint64_t received = 0;

	race.hub = mailbox_hub_new(SENDERS + 1, RING_BYTES, NULL, NULL);
	if (race.hub == NULL)
		return 1;
	for (uint16_t i = 0; i < SENDERS; i++) {
		sender[i] = (struct sender){.race = &race, .self = i};
		if (pthread_create(&thread[i], NULL, sender_run, &sender[i]) != 0)
			return 1;
		race_place(thread[i], 1);
	}
	race_place(pthread_self(), 0);
	race_run(&race, messages);
	for (uint16_t i = 0; i < SENDERS; i++) {
		pthread_join(thread[i], NULL);
		race.broken += sender[i].refused + (sender[i].sent != race.received[i]);
		received += race.received[i];
	}
	mailbox_hub_free(race.hub);
	printf("%llu messages, %llu sleeps, %llu broken\n", (unsigned long long)received,
	       (unsigned long long)race.sleeps, (unsigned long long)race.broken);
	return race.broken == 0 && race.sleeps > 0 ? 0 : 1;
}
