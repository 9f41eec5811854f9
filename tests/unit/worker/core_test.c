/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

/* The whole way through one or two workers to a scripted core and back, and what its links do. */

/** Registers over whatever hop the world has; the core's connection (TCP) or socket (UDP). */
static struct peer *registered(struct world *world, struct peer *core, struct peer *wic,
			       char request[4096])
{
	struct peer *link = core;

	wic_text(world, wic, wic_register(world, TOKEN_GOOD, 1));
	if (world->hop == MW_TCP)
		link = core_accept(world, core);
	assert_non_null(link);
	peer_take(world, link);
	EXPECT_EQ(0, strncmp(peer_text(link), "REGISTER sip:home1.net SIP/2.0\r\n", 32));
	EXPECT(strstr(peer_text(link), "Bearer") == NULL);
	EXPECT(strstr(peer_text(link), "integrity-protected=\"auth-done\"") != NULL);
	snprintf(request, 4096, "%s", peer_text(link));
	peer_drop(link, link->len);
	if (world->hop == MW_TCP)
		peer_put(world, link, span_text(core_answer(request, "SIP/2.0 200 OK")));
	else
		core_send(world, link, MW_PORT, core_answer(request, "SIP/2.0 200 OK"));
	EXPECT_EQ(0, strncmp(wic_message(world, wic), "SIP/2.0 200", 11));
	EXPECT_EQ(1, world_count(world, binding_live));
	return link;
}

TEST(core, registers_over_udp_also_when_the_answer_reaches_the_other_worker)
{
	struct world world = world_plan();
	struct peer *core, *wic[8];
	char request[4096];

	world.workers = 2;
	world_open(&world);
	core = core_udp(&world);
	for (int i = 0; i < 8;
	     i++) { /* the kernel chooses a worker for each, and for each answer */
		wic[i] = wic_open(&world);
		(void)registered(&world, core, wic[i], request);
		peer_free(&world, wic[i]);
	}
	peer_free(&world, core);
	world_close(&world);
}

TEST(core, registers_over_tcp)
{
	struct world world = world_plan();
	struct peer *core, *wic, *link;
	char request[4096];

	world.hop = MW_TCP;
	world_open(&world);
	core = core_listen(&world);
	wic = wic_open(&world);
	link = registered(&world, core, wic, request);
	EXPECT_EQ(1, worker_balance(world.worker[0]).links);
	peer_free(&world, wic);
	peer_free(&world, link);
	peer_free(&world, core);
	world_close(&world);
}

static void answer_page(struct world *world, struct peer *wic)
{
	const char *text = wic_message(world, wic);

	EXPECT_EQ(0, strncmp(text, "MESSAGE ", 8));
	wic_text(world, wic, core_answer(text, "SIP/2.0 200 OK"));
}

/** A MESSAGE that comes to worker at, and its answer on the way back. */
static void page_through(struct world *world, struct peer *core, struct peer *wic,
			 const char *request, uint16_t at)
{
	core_send(world, core, (uint16_t)(MW_WORKER_PORT + at),
		  core_page(world, request, at + 1u, "UDP"));
	answer_page(world, wic);
	peer_take(world, core);
	EXPECT_EQ(0, strncmp(peer_text(core), "SIP/2.0 200 OK\r\n", 16));
	peer_drop(core, core->len);
}

/** The kernel puts the WIC on one of the two workers: whichever it is, one page of two is remote.
 */
TEST(core, pages_a_wic_through_its_own_and_through_the_other_worker)
{
	struct world world = world_plan();
	struct peer *core, *wic;
	char request[4096];

	world.workers = 2;
	world_open(&world);
	core = core_udp(&world);
	wic = wic_open(&world);
	(void)registered(&world, core, wic, request);
	page_through(&world, core, wic, request, 0);
	page_through(&world, core, wic, request, 1);
	EXPECT_EQ(1, world_count(&world, mw_delivered_local));
	EXPECT_EQ(1, world_count(&world, mw_delivered_remote));
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(core, pages_a_wic_over_tcp_byte_by_byte)
{
	struct world world = world_plan();
	struct peer *core, *wic, *link, *back;
	char request[4096];
	struct span text;

	world.hop = MW_TCP;
	world_open(&world);
	core = core_listen(&world);
	wic = wic_open(&world);
	link = registered(&world, core, wic, request);
	back = peer_connect_mw(&world, world.core, MW_WORKER_PORT);
	text = span_text(core_page(&world, request, 1, "TCP"));
	for (uint32_t i = 0; i < text.len; i++)
		peer_put(&world, back, span_cut(text, i, 1));
	answer_page(&world, wic);
	peer_take(&world, back);
	EXPECT_EQ(0, strncmp(peer_text(back), "SIP/2.0 200 OK\r\n", 16));
	peer_free(&world, wic);
	peer_free(&world, back);
	peer_free(&world, link);
	peer_free(&world, core);
	world_close(&world);
}

TEST(core, answers_on_a_connection_whose_peer_has_sent_its_end_already)
{
	struct world world = world_plan();
	struct peer *core, *wic, *back;
	char request[4096];

	world_open(&world);
	core = core_udp(&world);
	wic = wic_open(&world);
	(void)registered(&world, core, wic, request);
	back = peer_connect_mw(&world, world.core, MW_WORKER_PORT);
	peer_put(&world, back, span_text(core_page(&world, request, 1, "TCP")));
	shutdown(back->fd, SHUT_WR);
	world_run(&world);
	answer_page(&world, wic);
	peer_take(&world, back);
	EXPECT_EQ(0, strncmp(peer_text(back), "SIP/2.0 200 OK\r\n", 16));
	EXPECT(back->ended);
	EXPECT_EQ(0, worker_balance(world.worker[0]).links);
	peer_free(&world, wic);
	peer_free(&world, back);
	peer_free(&world, core);
	world_close(&world);
}

TEST(core, sends_on_a_new_link_when_the_core_has_closed_the_old_one)
{
	struct world world = world_plan();
	struct peer *core, *wic, *link;
	char request[4096];

	world.hop = MW_TCP;
	world_open(&world);
	core = core_listen(&world);
	wic = wic_open(&world);
	link = registered(&world, core, wic, request);
	close(link->fd); /* and at the same moment: */
	free(link);
	wic_text(&world, wic, wic_page(1));
	link = core_accept(&world, core);
	assert_non_null(link);
	peer_take(&world, link);
	EXPECT_EQ(0, strncmp(peer_text(link), "MESSAGE ", 8));
	peer_put(&world, link, span_text(core_answer(peer_text(link), "SIP/2.0 202 Accepted")));
	EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 202", 11));
	peer_free(&world, wic);
	peer_free(&world, link);
	peer_free(&world, core);
	world_close(&world);
}

TEST(core, answers_504_for_what_a_lost_link_carried)
{
	struct world world = world_plan();
	struct linger at_once = {1, 0};
	struct peer *core, *wic, *link;

	world.hop = MW_TCP;
	world_open(&world);
	core = core_listen(&world);
	wic = wic_open(&world);
	wic_text(&world, wic, wic_register(&world, TOKEN_GOOD, 1));
	link = core_accept(&world, core);
	assert_non_null(link);
	EXPECT_EQ(0, setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)));
	peer_free(&world, link);
	EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 504", 11));
	EXPECT_EQ(1, world_errors(&world, GW_CONN_RESET));
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(core, tells_of_its_links)
{
	struct world world = world_plan();
	struct peer *core, *wic, *link, *back;
	struct row_mw rows[4];
	uint32_t cursor = 0;
	char request[4096];

	world.hop = MW_TCP;
	world_open(&world);
	core = core_listen(&world);
	wic = wic_open(&world);
	link = registered(&world, core, wic, request);
	back = peer_connect_mw(&world, world.core, MW_WORKER_PORT);
	world_pass(&world, 3);
	EXPECT_EQ(2, mw_link_rows(world.worker[0], &cursor, 4, rows));
	EXPECT_EQ(0, cursor);
	EXPECT_TEXT("link", rows[0].what);
	EXPECT_TEXT("open", rows[0].state);
	EXPECT_EQ(CORE_PORT, endpoint_port(&rows[0].peer));
	EXPECT(rows[0].seconds >= 2 && rows[0].seconds <= 4);
	EXPECT_TEXT("accepted", rows[1].what);
	EXPECT_EQ(1, mw_link_rows(world.worker[0], &cursor, 1, rows));
	EXPECT(cursor > 0);
	peer_free(&world, wic);
	peer_free(&world, back);
	peer_free(&world, link);
	peer_free(&world, core);
	world_close(&world);
}

/** A registered WIC over a link that is pinged after 20 s of silence. */
static struct peer *pinged_link(struct world *world, struct peer *core, struct peer **wic)
{
	char request[4096];
	struct peer *link;

	*wic = wic_open(world);
	link = registered(world, core, *wic, request);
	peer_drop(link, link->len);
	world_pass(world, 18);
	peer_take(world, link);
	EXPECT_EQ(0, link->len);
	world_pass(world, 4);
	peer_take(world, link);
	EXPECT_EQ(4, link->len);
	EXPECT_EQ(0, strncmp(peer_text(link), "\r\n\r\n", 4));
	peer_drop(link, 4);
	return link;
}

TEST(core, pings_a_silent_link_and_keeps_it_when_something_comes)
{
	struct world world = world_plan();
	struct peer *core, *wic, *link;

	world.hop = MW_TCP;
	world.keep_alive_s = 20;
	world_open(&world);
	core = core_listen(&world);
	link = pinged_link(&world, core, &wic);
	peer_put(&world, link, SPAN("\r\n"));
	world_pass(&world, 15);
	peer_take(&world, link);
	EXPECT(!link->ended);
	EXPECT_EQ(0, link->len);
	world_pass(&world, 8);
	peer_take(&world, link);
	EXPECT_EQ(4, link->len); /* the next ping */
	EXPECT_EQ(2, world_count(&world, mw_pings_out));
	peer_free(&world, wic);
	peer_free(&world, link);
	peer_free(&world, core);
	world_close(&world);
}

TEST(core, gives_a_link_up_whose_ping_nothing_answers)
{
	struct world world = world_plan();
	struct peer *core, *wic, *link;

	world.hop = MW_TCP;
	world.keep_alive_s = 20;
	world_open(&world);
	core = core_listen(&world);
	link = pinged_link(&world, core, &wic);
	world_pass(&world, 12);
	peer_take(&world, link);
	EXPECT(link->ended);
	EXPECT_EQ(0, worker_balance(world.worker[0]).links);
	EXPECT_EQ(1, world_errors(&world, GW_CONN_TIMEOUT));
	peer_free(&world, wic);
	peer_free(&world, link);
	peer_free(&world, core);
	world_close(&world);
}

/** A hop that is not there, and comes back after its five seconds. */
static void recover(enum mw_transport hop)
{
	struct world world = world_plan();
	struct peer *core, *wic, *link;
	char request[4096];

	world.hop = hop;
	world_open(&world);
	wic = wic_open(&world);
	for (uint32_t i = 0; i < 2; i++) { /* found out, and known */
		wic_text(&world, wic, wic_register(&world, TOKEN_GOOD, i + 1));
		EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 504", 11));
	}
	core = hop == MW_TCP ? core_listen(&world) : core_udp(&world);
	world_pass(&world, 6);
	link = registered(&world, core, wic, request);
	peer_free(&world, wic);
	if (link != core)
		peer_free(&world, link);
	peer_free(&world, core);
	world_close(&world);
}

TEST(core, says_504_while_the_next_hop_is_down_over_tcp_and_recovers)
{
	recover(MW_TCP);
}

TEST(core, says_504_while_the_next_hop_is_down_over_udp_and_recovers)
{
	recover(MW_UDP);
}

TEST(core, closes_its_link_when_nobody_has_used_it_for_five_minutes)
{
	struct world world = world_plan();
	struct peer *core, *wic, *link;
	char request[4096];

	world.hop = MW_TCP;
	world_open(&world);
	core = core_listen(&world);
	wic = wic_open(&world);
	link = registered(&world, core, wic, request);
	peer_free(&world, wic);
	world_pass(&world, 31); /* the grace of its connection: then the core is told */
	peer_take(&world, link);
	snprintf(request, sizeof(request), "%s", peer_text(link));
	EXPECT(strstr(request, "\r\nExpires: 0\r\n") != NULL);
	peer_drop(link, link->len);
	peer_put(&world, link, span_text(core_answer(request, "SIP/2.0 200 OK")));
	world_pass(&world, 290);
	peer_take(&world, link);
	EXPECT_EQ(0, link->len);
	EXPECT(!link->ended);
	world_pass(&world, 20);
	peer_take(&world, link);
	EXPECT(link->ended);
	peer_free(&world, link);
	EXPECT_EQ(0, worker_balance(world.worker[0]).links);
	peer_free(&world, core);
	world_close(&world);
}

TEST(core, is_reached_although_wics_hold_every_large_buffer)
{
	static uint8_t half[6000];
	struct world world = world_plan();
	struct peer *core, *wic, *link, *greedy;
	char request[4096];

	memcpy(half, "\x81\xfe\x20\x00\0\0\0\0", 8);
	memset(half + 8, 'a', sizeof(half) - 8);
	world.sizes.large_buffers = 1;
	world.hop = MW_TCP;
	world_open(&world);
	core = core_listen(&world);
	greedy = wic_open(&world);
	peer_put(&world, greedy, span_of(half, sizeof(half)));
	wic = wic_open(&world);
	link = registered(&world, core, wic, request);
	peer_free(&world, greedy);
	peer_free(&world, wic);
	peer_free(&world, link);
	peer_free(&world, core);
	world_close(&world);
}

/* ---- peers that are not what they should be ---------------------------------------------------
 */

TEST(core, does_not_hear_whoever_is_not_trusted)
{
	struct world world = world_plan();
	struct peer *stranger;

	world_open(&world);
	stranger = peer_connect_mw(&world, world.ours, MW_WORKER_PORT);
	peer_take(&world, stranger);
	EXPECT(stranger->ended);
	EXPECT_EQ(1, world_count(&world, mw_untrusted));
	EXPECT_EQ(0, worker_balance(world.worker[0]).links);
	peer_free(&world, stranger);
	world_close(&world);
}

TEST(core, cuts_a_link_with_garbage_on_it_and_counts_it_once)
{
	struct world world = world_plan();
	struct peer *back;

	world_open(&world);
	back = peer_connect_mw(&world, world.core, MW_WORKER_PORT);
	peer_put(&world, back, SPAN("garbage that is no SIP\r\n\r\nmore\r\n\r\n"));
	peer_take(&world, back);
	EXPECT(back->ended);
	EXPECT_EQ(0, worker_balance(world.worker[0]).links);
	EXPECT_EQ(1,
		  world_errors(&world, GW_SIP_START_LINE) + world_errors(&world, GW_SIP_VERSION));
	peer_free(&world, back);
	world_close(&world);
}

TEST(core, leaves_links_for_us_whatever_it_opens_itself)
{
	enum { LINKS = MW_LINKS_ACCEPTED_MAX + 2 };
	struct world world = world_plan();
	struct peer *core, *wic, *link, *back[LINKS];
	char request[4096];

	world.hop = MW_TCP;
	world_open(&world);
	core = core_listen(&world);
	for (int i = 0; i < LINKS; i++)
		back[i] = peer_connect_mw(&world, world.core, MW_WORKER_PORT);
	EXPECT_EQ(MW_LINKS_ACCEPTED_MAX, worker_balance(world.worker[0]).links);
	EXPECT_EQ(2, world_errors(&world, GW_CONN_LIMIT));
	wic = wic_open(&world);
	link = registered(&world, core, wic, request);
	for (int i = 0; i < LINKS; i++)
		peer_free(&world, back[i]);
	peer_free(&world, wic);
	peer_free(&world, link);
	peer_free(&world, core);
	world_close(&world);
}

TEST(core, answers_a_keep_alive_of_two_line_ends_with_one)
{
	struct world world = world_plan();
	struct peer *back;

	world_open(&world);
	back = peer_connect_mw(&world, world.core, MW_WORKER_PORT);
	peer_put(&world, back, SPAN("\r\n\r\n"));
	peer_take(&world, back);
	EXPECT_TEXT("\r\n", peer_text(back));
	peer_free(&world, back);
	world_close(&world);
}

TEST_MAIN("worker_core",
	  RUN(core, registers_over_udp_also_when_the_answer_reaches_the_other_worker),
	  RUN(core, registers_over_tcp),
	  RUN(core, pages_a_wic_through_its_own_and_through_the_other_worker),
	  RUN(core, pages_a_wic_over_tcp_byte_by_byte),
	  RUN(core, answers_on_a_connection_whose_peer_has_sent_its_end_already),
	  RUN(core, sends_on_a_new_link_when_the_core_has_closed_the_old_one),
	  RUN(core, answers_504_for_what_a_lost_link_carried), RUN(core, tells_of_its_links),
	  RUN(core, pings_a_silent_link_and_keeps_it_when_something_comes),
	  RUN(core, gives_a_link_up_whose_ping_nothing_answers),
	  RUN(core, says_504_while_the_next_hop_is_down_over_tcp_and_recovers),
	  RUN(core, says_504_while_the_next_hop_is_down_over_udp_and_recovers),
	  RUN(core, closes_its_link_when_nobody_has_used_it_for_five_minutes),
	  RUN(core, is_reached_although_wics_hold_every_large_buffer),
	  RUN(core, does_not_hear_whoever_is_not_trusted),
	  RUN(core, cuts_a_link_with_garbage_on_it_and_counts_it_once),
	  RUN(core, leaves_links_for_us_whatever_it_opens_itself),
	  RUN(core, answers_a_keep_alive_of_two_line_ends_with_one))
