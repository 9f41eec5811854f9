/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/socket.h>

#include "peer.h"

/* Handshakes come in floods; a turn takes some of them only. TLS is left out: that a handshake is
 * over at once makes each a single step. */

#define FLOOD 7

static const char upgrade[] =
	"GET /sip HTTP/1.1\r\nHost: ep1.home1.net\r\nUpgrade: websocket\r\n"
	"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\nOrigin: " ORIGIN "\r\n\r\n";

static uint64_t handshakes(struct world *world)
{
	return world_count(world, tls_handshakes);
}

/** FLOOD connections, each with its first bytes under way. */
static void flood_begin(struct world *world, struct peer *flood[FLOOD])
{
	for (int i = 0; i < FLOOD; i++)
		flood[i] = peer_connect(world);
	for (int i = 0; i < FLOOD; i++)
		EXPECT_EQ(sizeof(upgrade) - 1,
			  send(flood[i]->fd, upgrade, sizeof(upgrade) - 1, MSG_NOSIGNAL));
}

static void flood_end(struct world *world, struct peer *flood[FLOOD])
{
	for (int i = 0; i < FLOOD; i++)
		peer_free(world, flood[i]);
}

TEST(handshake, goes_on_in_later_turns_when_there_are_many)
{
	struct world world = world_plan();
	struct peer *flood[FLOOD];
	uint64_t before = 0, turns = 0;

	world.tls_steps = 2;
	world_open(&world);
	flood_begin(&world, flood);
	while (handshakes(&world) < FLOOD && turns < 1000) {
		(void)worker_turn(world.worker[0]);
		EXPECT(handshakes(&world) <= before + 2);
		turns += handshakes(&world) != before;
		before = handshakes(&world);
	}
	EXPECT_EQ(FLOOD, handshakes(&world));
	EXPECT(turns >= (FLOOD + 1) / 2);
	EXPECT(world_count(&world, tls_postponed) > 0);
	for (int i = 0; i < FLOOD; i++) {
		peer_take(&world, flood[i]);
		EXPECT(strstr(peer_text(flood[i]), "101 Switching Protocols") != NULL);
	}
	flood_end(&world, flood);
	world_close(&world);
}

TEST(handshake, keeps_the_worker_awake_until_all_are_done)
{
	struct world world = world_plan();
	struct peer *flood[FLOOD];

	world.tls_steps = 1;
	world_open(&world);
	flood_begin(&world, flood);
	world_run(&world); /* until it would sleep */
	EXPECT_EQ(FLOOD, handshakes(&world));
	flood_end(&world, flood);
	world_close(&world);
}

TEST(handshake, lets_who_is_there_be_served_in_between)
{
	static const uint8_t ping[] = {0x89, 0x80, 0, 0, 0, 0};
	struct world world = world_plan();
	struct peer *flood[FLOOD], *wic;
	uint64_t served_after = 0;

	world.tls_steps = 1;
	world_open(&world);
	wic = wic_open(&world);
	flood_begin(&world, flood);
	EXPECT_EQ(sizeof(ping), send(wic->fd, ping, sizeof(ping), MSG_NOSIGNAL));
	while (wic->len == 0 && handshakes(&world) < FLOOD + 1) {
		ssize_t n = 0;

		(void)worker_turn(world.worker[0]);
		n = recv(wic->fd, wic->in, PEER_BYTES - 1, 0);
		wic->len = n > 0 ? (uint32_t)n : 0;
		served_after = handshakes(&world) - 1;
	}
	EXPECT_EQ(2, wic->len); /* the pong */
	EXPECT(served_after < FLOOD);
	flood_end(&world, flood);
	peer_free(&world, wic);
	world_close(&world);
}

TEST(handshake, that_waits_may_end)
{
	struct world world = world_plan();
	struct linger reset = {.l_onoff = 1};
	struct peer *flood[FLOOD];

	world.tls_steps = 1;
	world_open(&world);
	flood_begin(&world, flood);
	while (handshakes(&world) == 0)
		(void)worker_turn(world.worker[0]);
	for (int i = 1; i < FLOOD; i += 2)
		EXPECT_EQ(0,
			  setsockopt(flood[i]->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)));
	flood_end(&world, flood);
	world_close(&world); /* balanced */
}

TEST(handshake, that_waits_is_cut_by_a_drain)
{
	struct message_command command = {.head = {MESSAGE_COMMAND, sizeof(command)},
					  .what = COMMAND_DRAIN};
	struct world world = world_plan();
	struct peer *flood[FLOOD];

	world.tls_steps = 1;
	world_open(&world);
	flood_begin(&world, flood);
	while (handshakes(&world) == 0)
		(void)worker_turn(world.worker[0]);
	EXPECT_EQ(GW_OK, mailbox_send(world.hub, world.workers, 0,
				      span_of(&command, sizeof(command)), SPAN("")));
	world_run(&world);
	EXPECT_EQ(1, handshakes(&world));
	EXPECT_EQ(1, world_count(&world, conn_live)); /* the open one, until its peer has closed */
	flood_end(&world, flood);
	world_close(&world);
}

TEST(handshake, uses_the_context_of_the_last_reload)
{
	struct world world = world_plan();
	struct peer *before, *after;

	world.workers = 2;
	world_open(&world);
	before = wic_open(&world);
	world_publish_tls(&world);
	world_publish_tls(&world); /* of two in a row the first is never taken */
	world_run(&world);
	EXPECT_EQ(3, world.worker[0]->tls_generation);
	EXPECT(world.worker[0]->tls_context != world.worker[1]->tls_context);
	for (uint16_t w = 0; w < world.workers; w++)
		EXPECT(atomic_load(&world.worker[w]->view.tls->context[w]) == NULL);
	after = wic_open(&world);
	wic_text(&world, before, "\r\n\r\n"); /* still served */
	EXPECT_TEXT("\r\n", wic_message(&world, before));
	peer_free(&world, before);
	peer_free(&world, after);
	world_close(&world);
}

TEST(handshake, needs_a_context_from_the_start)
{
	struct world world = world_plan();
	struct worker_config config;
	struct worker *made = NULL;
	char why[128] = "";

	world_open(&world);
	config = world.worker[0]->config; /* whose context is taken */
	EXPECT_EQ(GW_CONFIG, worker_new(&config, why, sizeof(why), &made));
	EXPECT_TEXT("no TLS context is published for it", why);
	world_close(&world);
}

TEST_MAIN("worker_handshake", RUN(handshake, goes_on_in_later_turns_when_there_are_many),
	  RUN(handshake, keeps_the_worker_awake_until_all_are_done),
	  RUN(handshake, lets_who_is_there_be_served_in_between),
	  RUN(handshake, that_waits_may_end), RUN(handshake, that_waits_is_cut_by_a_drain),
	  RUN(handshake, uses_the_context_of_the_last_reload),
	  RUN(handshake, needs_a_context_from_the_start))
