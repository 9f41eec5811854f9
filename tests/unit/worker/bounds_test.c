/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

/* What happens at each bound, on reload and at the end. */

/* ---- a driver that finishes when it is told to ----------------------------------------------- */

#define HELD_MAX 8

static struct held {
	struct verify_job *job[HELD_MAX];
	uint32_t count;
	uint32_t release; /* so many of them, oldest first, at the next poll */
	enum gw_err verdict;
} held;

static enum gw_err held_open(const struct verifier_config *config, struct verifier **opened)
{
	held = (struct held){.verdict = GW_OK};
	*opened = (struct verifier *)&held;
	return GW_OK;
}

static bool held_can(const struct verifier *v, enum jws_alg alg)
{
	return true;
}

static uint16_t held_submit(struct verifier *v, struct verify_job *const jobs[], uint16_t n)
{
	uint16_t taken = 0;

	while (taken < n && held.count < HELD_MAX)
		held.job[held.count++] = jobs[taken++];
	return taken;
}

static uint16_t held_poll(struct verifier *v, struct verify_job *done[], uint16_t max)
{
	if (held.release == 0 || held.count == 0)
		return 0;
	held.release--;
	done[0] = held.job[0];
	done[0]->verdict = held.verdict;
	memmove(held.job, held.job + 1, --held.count * sizeof(held.job[0]));
	return 1;
}

static void held_close(struct verifier *v)
{
}

static const struct verifier_ops verifier_held = {
	.name = "held",
	.open = held_open,
	.can = held_can,
	.submit = held_submit,
	.poll = held_poll,
	.close = held_close,
};

/** The workers never rest while a verdict is owed: some turns are enough. */
static void turns(struct world *world)
{
	for (int i = 0; i < 20; i++)
		(void)worker_turn(world->worker[0]);
}

static void put_raw(struct world *world, struct peer *wic, const char *text)
{
	static const uint8_t head[] = {0x81, 0xfe};
	uint8_t bytes[4096];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	writer_bytes(&w, head, sizeof(head));
	writer_u16_be(&w, (uint16_t)strlen(text));
	writer_bytes(&w, "\0\0\0\0", 4); /* a mask that changes nothing */
	writer_text(&w, text);
	EXPECT_EQ(writer_len(&w), send(wic->fd, bytes, writer_len(&w), 0));
	turns(world);
}

static void release(struct world *world, enum gw_err verdict)
{
	held.verdict = verdict;
	held.release = 1;
	turns(world);
}

static bool has_answer(struct peer *wic, const char *status)
{
	ssize_t n = recv(wic->fd, wic->in, PEER_BYTES - 1, 0);

	wic->len = n > 0 ? (uint32_t)n : 0;
	return strstr(peer_text(wic) + (n > 4 ? 4 : 0), status) != NULL;
}

TEST(bounds, a_verdict_after_the_close_is_dropped)
{
	struct world world = world_plan();
	struct peer *wic;

	world.verifier = &verifier_held;
	world_open(&world);
	wic = wic_open(&world);
	put_raw(&world, wic, wic_register(&world, TOKEN_GOOD, 1));
	EXPECT_EQ(1, worker_balance(world.worker[0]).jobs);
	close(wic->fd);
	turns(&world);
	free(wic);
	/* the FIN waits for the verdict, and nothing is sent to nobody */
	release(&world, GW_TOKEN_SIGNATURE);
	world_close(&world);
}

TEST(bounds, a_reset_while_a_verdict_is_awaited_forgets_it)
{
	struct world world = world_plan();
	struct linger at_once = {1, 0};
	struct peer *wic;

	world.verifier = &verifier_held;
	world_open(&world);
	wic = wic_open(&world);
	put_raw(&world, wic, wic_register(&world, TOKEN_GOOD, 1));
	EXPECT_EQ(0, setsockopt(wic->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)));
	close(wic->fd);
	turns(&world);
	free(wic);
	EXPECT_EQ(0, world_count(&world, conn_live));
	release(&world, GW_OK);
	EXPECT_EQ(1, world_count(&world, mailbox_stale));
	EXPECT_EQ(0, world_count(&world, mw_requests_out));
	world_close(&world);
}

TEST(bounds, a_lost_verdict_is_given_up_after_two_seconds_with_503)
{
	struct world world = world_plan();
	struct peer *wic;

	world.verifier = &verifier_held;
	world_open(&world);
	wic = wic_open(&world);
	put_raw(&world, wic, wic_register(&world, TOKEN_GOOD, 1));
	world.now_us += 1900000;
	turns(&world);
	EXPECT(!has_answer(wic, "SIP/2.0 503"));
	world.now_us += 200000;
	turns(&world);
	EXPECT(has_answer(wic, "SIP/2.0 503"));
	release(&world, GW_OK);
	peer_free(&world, wic);
	world_close(&world);
}

TEST(bounds, a_late_verdict_does_not_speak_for_the_next_token)
{
	struct world world = world_plan();
	struct peer *wic;

	world.verifier = &verifier_held;
	world_open(&world);
	wic = wic_open(&world);
	put_raw(&world, wic, wic_register(&world, TOKEN_GOOD, 1));
	world.now_us += 2100000;
	turns(&world);
	EXPECT(has_answer(wic, "SIP/2.0 503"));
	put_raw(&world, wic, wic_register(&world, TOKEN_FORGED, 2));
	release(&world, GW_OK); /* of the first */
	EXPECT_EQ(0, world_count(&world, token_verified));
	release(&world, GW_TOKEN_SIGNATURE);
	EXPECT(has_answer(wic, "SIP/2.0 401"));
	peer_free(&world, wic);
	world_close(&world);
}

/** A REGISTER that waited for keys, which have come: its signature is being checked. */
static struct peer *resumed(struct world *world)
{
	struct key_issuer state = {.refetchable = true, .fetches = 1};
	struct peer *wic;

	world->verifier = &verifier_held;
	world_open(world);
	world_publish_keys(world, "k1", state);
	wic = wic_open(world);
	put_raw(world, wic, wic_register(world, TOKEN_ROTATED, 1));
	EXPECT_EQ(1, world_count(world, parked_live));
	state.fetches++;
	world_publish_keys(world, "k2", state);
	turns(world);
	EXPECT_EQ(1, worker_balance(world->worker[0]).jobs);
	return wic;
}

TEST(bounds, a_verdict_about_what_waited_for_keys_is_dropped_after_the_close)
{
	struct world world = world_plan();
	struct peer *wic = resumed(&world);

	close(wic->fd);
	turns(&world);
	free(wic);
	EXPECT_EQ(0, world_count(&world, parked_live));
	release(&world, GW_OK);
	EXPECT_EQ(1, world_count(&world, mailbox_stale));
	EXPECT_EQ(0, world_count(&world, mw_requests_out));
	world_close(&world);
}

TEST(bounds, a_lost_verdict_about_what_waited_for_keys_is_given_up_with_503)
{
	struct world world = world_plan();
	struct peer *wic = resumed(&world);

	world.now_us += 2100000;
	turns(&world);
	EXPECT(has_answer(wic, "SIP/2.0 503"));
	EXPECT_EQ(1, world_errors(&world, GW_VERIFIER_FAILED));
	release(&world, GW_OK);
	EXPECT_EQ(0, world_count(&world, token_verified));
	peer_free(&world, wic);
	world_close(&world);
}

TEST(bounds, no_free_verify_job_is_a_503)
{
	struct world world = world_plan();
	struct peer *first, *second;

	world.verifier = &verifier_held;
	world.sizes.verify_jobs = 1;
	world_open(&world);
	first = wic_open(&world);
	second = wic_open(&world);
	put_raw(&world, first, wic_register(&world, TOKEN_GOOD, 1));
	put_raw(&world, second, wic_register(&world, TOKEN_GOOD, 1));
	EXPECT(has_answer(second, "SIP/2.0 503"));
	EXPECT(strstr(peer_text(second) + 4, "Retry-After:") != NULL);
	release(&world, GW_TOKEN_SIGNATURE);
	EXPECT(has_answer(first, "SIP/2.0 401"));
	peer_free(&world, first);
	peer_free(&world, second);
	world_close(&world);
}

TEST(bounds, more_tokens_in_a_turn_than_a_batch_wait_for_the_next_turn)
{
	enum { WICS = 100 };
	struct world world = world_plan();
	struct peer *wic[WICS];
	const char *text;

	world.sizes.connections = WICS;
	world.sizes.verify_jobs = WICS;
	world_open(&world);
	for (int i = 0; i < WICS; i++)
		wic[i] = wic_open(&world);
	text = wic_register(&world, TOKEN_FORGED, 1);
	for (int i = 0; i < WICS; i++) {
		uint8_t head[8] = {0x81, 0xfe, (uint8_t)(strlen(text) >> 8), (uint8_t)strlen(text)};
		EXPECT_EQ(8, send(wic[i]->fd, head, 8, MSG_MORE));
		EXPECT_EQ(strlen(text), send(wic[i]->fd, text, strlen(text), 0));
	}
	world_run(&world);
	for (int i = 0; i < WICS; i++)
		EXPECT(has_answer(wic[i], "SIP/2.0 401"));
	EXPECT_EQ(0, world_errors(&world, GW_POOL_EMPTY));
	for (int i = 0; i < WICS; i++)
		peer_free(&world, wic[i]);
	world_close(&world);
}

/* ---- connections and bytes --------------------------------------------------------------------
 */

TEST(bounds, a_wic_that_does_not_read_is_cut_once)
{
	enum { PINGS = 400, PING = 131 };
	static uint8_t many[PINGS * PING];
	struct world world = world_plan();
	struct peer *wic;

	for (uint32_t i = 0; i < PINGS; i++) {
		memset(many + i * PING, 0, PING);
		memcpy(many + i * PING, "\x89\xfd", 2);
	}
	world_open(&world);
	wic = wic_open(&world);
	for (int i = 0; i < 400 && world_count(&world, slow_output) == 0; i++) {
		(void)!send(wic->fd, many, sizeof(many), MSG_NOSIGNAL);
		world_run(&world);
	}
	EXPECT_EQ(1, world_count(&world, slow_output));
	EXPECT_EQ(1, world_errors(&world, GW_WS_SLOW));
	EXPECT_EQ(0, world_count(&world, conn_live));
	peer_free(&world, wic);
	world_close(&world);
}

/* ---- TLS that takes nothing, though there is room -------------------------------------------- */

static bool taking;

static struct tls_result moody_seal(struct tls *tls, struct span bytes)
{
	return taking ? tls_clear.seal(tls, bytes) : (struct tls_result){GW_AGAIN, 0};
}

TEST(bounds, what_tls_did_not_take_goes_out_behind_what_is_read_next)
{
	struct world world = world_plan();
	struct tls_ops moody = tls_clear;
	struct span payload;
	struct peer *wic;
	uint8_t opcode;

	moody.seal = moody_seal;
	world_open(&world);
	wic = wic_open(&world);
	world.worker[0]->tls = &moody;
	taking = false; /* half a KeyUpdate has come */
	wic_frame(&world, wic, FRAME_FINAL, WS_PING, SPAN("one"));
	EXPECT(!wic_next(&world, wic, &opcode, &payload));
	taking = true;
	wic_frame(&world, wic, FRAME_FINAL, WS_PONG, SPAN("and its end"));
	EXPECT(wic_next(&world, wic, &opcode, &payload));
	EXPECT_SPAN("one", payload);
	world.worker[0]->tls = &tls_clear;
	peer_free(&world, wic);
	world_close(&world);
}

TEST(bounds, a_connection_past_the_limit_is_refused_and_a_place_that_is_left_is_used)
{
	struct world world = world_plan();
	struct peer *wic[3];

	world.sizes.connections = 2;
	world_open(&world);
	wic[0] = wic_open(&world);
	wic[1] = wic_open(&world);
	wic[2] = peer_connect(&world);
	peer_take(&world, wic[2]);
	EXPECT(wic[2]->ended);
	EXPECT_EQ(1, world_count(&world, conn_refused));
	peer_free(&world, wic[0]);
	wic[0] = wic_open(&world);
	for (int i = 0; i < 3; i++)
		peer_free(&world, wic[i]);
	world_close(&world);
}

TEST(bounds, a_message_without_a_large_buffer_ends_its_connection_only)
{
	struct world world = world_plan();
	static uint8_t half[6000];
	struct peer *first, *second, *third;

	memcpy(half, "\x81\xfe\x20\x00\0\0\0\0", 8);
	memset(half + 8, 'a', sizeof(half) - 8);
	world.sizes.large_buffers = 1;
	world_open(&world);
	first = wic_open(&world);
	second = wic_open(&world);
	third = wic_open(&world);
	peer_put(&world, first, span_of(half, sizeof(half)));
	peer_put(&world, second, span_of(half, sizeof(half)));
	EXPECT_EQ(2, world_count(&world, session_live));
	EXPECT_EQ(1, world_errors(&world, GW_POOL_EMPTY));
	EXPECT_EQ(1011, wic_close_code(&world, second));
	wic_text(&world, third, wic_page(1)); /* its refusal needs none */
	EXPECT_EQ(0, strncmp(wic_message(&world, third), "SIP/2.0 403", 11));
	peer_free(&world, first);
	peer_free(&world, second);
	peer_free(&world, third);
	world_close(&world);
}

/** A MESSAGE that fits no small buffer, and is refused for its From. */
static const char *long_page(void)
{
	static char text[8192];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s", wic_page(2));

	memset(text + n, 'i', sizeof(text) - 1 - n);
	memcpy(strstr(text, "Content-Length: 2"), "X-Length: 0000001", 17);
	memcpy(strstr(text, "From: <sip:a@"), "From: <sip:z@", 13);
	return text;
}

TEST(bounds, who_has_no_registration_leaves_large_buffers_to_those_who_have)
{
	struct world world = world_plan();
	static uint8_t half[6000], head[6000];
	struct peer *core, *first, *second, *third, *registered;

	memcpy(half, "\x81\xfe\x20\x00\0\0\0\0", 8);
	memset(half + 8, 'a', sizeof(half) - 8);
	memset(head, 'h', sizeof(head));
	memcpy(head, "GET /sip HTTP/1.1\r\nX: ", 22);
	world.sizes.large_buffers = 3;
	world_open(&world);
	core = core_udp(&world);
	registered = wic_open(&world);
	wic_text(&world, registered, wic_register(&world, TOKEN_GOOD, 1));
	peer_take(&world, core);
	core_send(&world, core, MW_WORKER_PORT, core_answer(peer_text(core), "SIP/2.0 200 OK"));
	EXPECT_EQ(0, strncmp(wic_message(&world, registered), "SIP/2.0 200", 11));
	first = wic_open(&world);
	second = wic_open(&world);
	third = peer_connect(&world);
	peer_put(&world, first, span_of(half, sizeof(half)));
	peer_put(&world, third, span_of(head, sizeof(head)));
	peer_put(&world, second, span_of(half, sizeof(half)));
	EXPECT_EQ(1011, wic_close_code(&world, second));
	wic_text(&world, registered, long_page());
	EXPECT_EQ(0, strncmp(wic_message(&world, registered), "SIP/2.0 403", 11));
	EXPECT_EQ(1, world_errors(&world, GW_IDENTITY_MISMATCH));
	peer_free(&world, first);
	peer_free(&world, second);
	peer_free(&world, third);
	peer_free(&world, registered);
	peer_free(&world, core);
	world_close(&world);
}

TEST(bounds, a_close_for_too_long_a_message_reaches_who_still_sends)
{
	struct world world = world_plan();
	static uint8_t bytes[8 + WORLD_MESSAGE_MAX + 4096];
	struct peer *wic;

	/* the first fragment is as long as a message may be, and what follows fills the buffer */
	memset(bytes, 'a', sizeof(bytes));
	memcpy(bytes, "\x01\xfe\x40\x00\0\0\0\0", 8);
	memcpy(bytes + 8 + WORLD_MESSAGE_MAX, "\x80\xfe\x10\x00\0\0\0\0", 8);
	world.max_output = world.sizes.max_output = 4096;
	world_open(&world);
	wic = wic_open(&world);
	peer_put(&world, wic, span_of(bytes, sizeof(bytes)));
	EXPECT_EQ(1009, wic_close_code(&world, wic));
	EXPECT_EQ(0, world_errors(&world, GW_POOL_EMPTY));
	peer_free(&world, wic);
	world_close(&world);
}

TEST(bounds, the_smallest_sizes_that_may_be_configured_work)
{
	struct world world = world_plan();
	static char head[9000];
	struct peer *wic;

	world.sizes.max_message = 2048;
	world.sizes.max_output = 4096;
	world.max_output = 4096;
	world_open(&world);
	wic = peer_connect(&world);
	memset(head, 'h', sizeof(head));
	memcpy(head, "GET /sip HTTP/1.1\r\nX: ", 22);
	peer_put(&world, wic, span_of(head, sizeof(head)));
	peer_take(&world, wic);
	EXPECT_EQ(0, strncmp(peer_text(wic), "HTTP/1.1 431", 12));
	peer_free(&world, wic);
	world_close(&world);
}

/* ---- reload and end ---------------------------------------------------------------------------
 */

TEST(bounds, a_reload_that_takes_the_origin_away_refuses_new_registrations_with_403)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = wic_open(&world);
	world_publish(&world, SITE_GONE);
	wic_text(&world, wic, wic_register(&world, TOKEN_GOOD, 1));
	EXPECT_EQ(0, strncmp(wic_message(&world, wic), "SIP/2.0 403", 11));
	EXPECT_EQ(0, world_count(&world, mw_requests_out));
	peer_free(&world, wic);
	world_close(&world);
}

TEST(bounds, a_reload_before_the_upgrade_disowns_nobody)
{
	struct world world = world_plan();
	struct peer *wic, *core;

	world_open(&world);
	core = core_udp(&world);
	wic = peer_connect(&world);
	world_publish(&world, SITE_SERVED);
	world_run(&world);
	wic_upgrade(&world, wic, ORIGIN);
	wic_text(&world, wic, wic_register(&world, TOKEN_GOOD, 1));
	EXPECT_EQ(1, world_count(&world, mw_requests_out));
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

static void drain(struct world *world)
{
	struct message_command command = {
		.head = {MESSAGE_COMMAND, sizeof(command)},
		.what = COMMAND_DRAIN,
	};

	EXPECT_EQ(GW_OK, mailbox_send(world->hub, world->workers, 0,
				      span_of(&command, sizeof(command)), SPAN("")));
	world_run(world);
}

TEST(bounds, a_drain_closes_with_1001_and_lets_nobody_in)
{
	struct world world = world_plan();
	struct peer *open, *early;
	struct endpoint to;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	world_open(&world);
	open = wic_open(&world);
	early = peer_connect(&world);
	drain(&world);
	EXPECT_EQ(1001, wic_close_code(&world, open));
	peer_take(&world, early);
	EXPECT(early->ended);
	to = world_endpoint(world.ours, ACCESS_PORT);
	EXPECT(connect(fd, &to.sa, sizeof(to.v4)) != 0);
	world_pass(&world, 3); /* who does not answer our close is cut */
	EXPECT_EQ(0, world_count(&world, conn_live));
	close(fd);
	peer_free(&world, open);
	peer_free(&world, early);
	world_close(&world);
}

TEST(bounds, a_drain_that_is_done_is_told_once)
{
	struct world world = world_plan();

	world_open(&world);
	drain(&world);
	world_run(&world);
	EXPECT_EQ(1, world.told[EVENT_DRAINED]);
	world_close(&world);
}

TEST(bounds, a_drain_takes_more_sessions_than_one_turn_closes)
{
	enum { WICS = 300 };
	struct world world = world_plan();
	struct peer *wic[WICS];

	world.sizes.connections = WICS;
	world_open(&world);
	for (int i = 0; i < WICS; i++)
		wic[i] = wic_open(&world);
	drain(&world);
	EXPECT_EQ(0, world_count(&world, session_live));
	for (int i = 0; i < WICS; i++)
		peer_free(&world, wic[i]);
	world_close(&world);
}

TEST_MAIN("worker_bounds", RUN(bounds, a_verdict_after_the_close_is_dropped),
	  RUN(bounds, a_reset_while_a_verdict_is_awaited_forgets_it),
	  RUN(bounds, a_lost_verdict_is_given_up_after_two_seconds_with_503),
	  RUN(bounds, a_late_verdict_does_not_speak_for_the_next_token),
	  RUN(bounds, a_verdict_about_what_waited_for_keys_is_dropped_after_the_close),
	  RUN(bounds, a_lost_verdict_about_what_waited_for_keys_is_given_up_with_503),
	  RUN(bounds, no_free_verify_job_is_a_503),
	  RUN(bounds, more_tokens_in_a_turn_than_a_batch_wait_for_the_next_turn),
	  RUN(bounds, a_wic_that_does_not_read_is_cut_once),
	  RUN(bounds, what_tls_did_not_take_goes_out_behind_what_is_read_next),
	  RUN(bounds, a_connection_past_the_limit_is_refused_and_a_place_that_is_left_is_used),
	  RUN(bounds, a_message_without_a_large_buffer_ends_its_connection_only),
	  RUN(bounds, who_has_no_registration_leaves_large_buffers_to_those_who_have),
	  RUN(bounds, a_close_for_too_long_a_message_reaches_who_still_sends),
	  RUN(bounds, the_smallest_sizes_that_may_be_configured_work),
	  RUN(bounds, a_reload_that_takes_the_origin_away_refuses_new_registrations_with_403),
	  RUN(bounds, a_reload_before_the_upgrade_disowns_nobody),
	  RUN(bounds, a_drain_closes_with_1001_and_lets_nobody_in),
	  RUN(bounds, a_drain_that_is_done_is_told_once),
	  RUN(bounds, a_drain_takes_more_sessions_than_one_turn_closes))
