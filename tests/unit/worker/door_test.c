/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

/* Tokens on a whole worker: what is counted, what is waited for, and that the connection stays. */

static const struct key_issuer fetchable = {.refetchable = true, .fetches = 1};
static const struct key_issuer fetched = {.fetches = 2};

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/** A ping is answered: the connection is open, and read. */
static void expect_open(struct world *world, struct peer *wic)
{
	uint8_t opcode = 0;
	struct span payload;

	wic_frame(world, wic, FRAME_FINAL, WS_PING, SPAN("there?"));
	EXPECT(wic_next(world, wic, &opcode, &payload));
	EXPECT_EQ(WS_PONG, opcode);
}

/** A WIC whose REGISTER names a key that the issuer's set may yet bring. */
static struct peer *parked(struct world *world)
{
	struct peer *wic;

	world_publish_keys(world, "k1", fetchable);
	wic = wic_open(world);
	wic_text(world, wic, wic_register(world, TOKEN_ROTATED, 1));
	EXPECT_EQ(1, world_count(world, parked_live));
	EXPECT_EQ(1, world->wanted);
	return wic;
}

/** The core says 200 to the REGISTER it got. */
static void core_accepts(struct world *world, struct peer *core, struct peer *wic)
{
	peer_take(world, core);
	EXPECT(begins(peer_text(core), "REGISTER "));
	core_send(world, core, MW_WORKER_PORT, core_answer(peer_text(core), "SIP/2.0 200 OK"));
	peer_drop(core, core->len);
	EXPECT(begins(wic_message(world, wic), "SIP/2.0 200"));
}

TEST(door, lets_a_known_token_in_without_a_signature)
{
	struct world world = world_plan();
	struct peer *core, *wic;
	const char *text;

	world_open(&world);
	core = core_udp(&world);
	wic = wic_open(&world);
	text = wic_register(&world, TOKEN_GOOD, 1);
	wic_text(&world, wic, text);
	core_accepts(&world, core, wic);
	wic_text(&world, wic, text);
	core_accepts(&world, core, wic);
	EXPECT_EQ(1, world_count(&world, verify_jobs));
	EXPECT_EQ(1, world_count(&world, token_cached));
	EXPECT_EQ(2, world_count(&world, token_verified));
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(door, turns_a_forged_token_away_twice_with_one_signature)
{
	struct world world = world_plan();
	struct peer *wic;
	const char *text;

	world_open(&world);
	wic = wic_open(&world);
	text = wic_register(&world, TOKEN_FORGED, 1);
	for (int i = 0; i < 3; i++) {
		wic_text(&world, wic, text);
		EXPECT(begins(wic_message(&world, wic), "SIP/2.0 401"));
	}
	EXPECT_EQ(1, world_count(&world, verify_jobs));
	EXPECT_EQ(2, world_count(&world, token_refused_again));
	EXPECT_EQ(3, world_count(&world, token_refused));
	EXPECT_EQ(3, world_errors(&world, GW_TOKEN_SIGNATURE));
	expect_open(&world, wic);
	peer_free(&world, wic);
	world_close(&world);
}

TEST(door, reads_on_while_a_request_waits_for_keys)
{
	struct world world = world_plan();
	struct peer *core, *wic;

	world_open(&world);
	core = core_udp(&world);
	wic = parked(&world);
	expect_open(&world, wic);
	wic_text(&world, wic, wic_page(2));
	EXPECT(begins(wic_message(&world, wic), "SIP/2.0 403"));
	world_publish_keys(&world, "k2", fetched);
	world_run(&world);
	core_accepts(&world, core, wic);
	EXPECT_EQ(0, world_count(&world, parked_live));
	EXPECT_EQ(1, world_count(&world, parked));
	EXPECT_EQ(1, world_count(&world, register_in));
	EXPECT_EQ(2, world_count(&world, sip_requests_in));
	peer_free(&world, wic);
	peer_free(&world, core);
	world_close(&world);
}

TEST(door, refuses_a_key_that_the_fetched_set_does_not_have_either)
{
	struct world world = world_plan();
	struct peer *wic;
	const char *answer;

	world_open(&world);
	wic = parked(&world);
	world_publish_keys(&world, "k1", fetched);
	world_run(&world);
	answer = wic_message(&world, wic);
	EXPECT(begins(answer, "SIP/2.0 401"));
	EXPECT(strstr(answer, "error=\"invalid_token\"") != NULL);
	EXPECT_EQ(1, world_errors(&world, GW_TOKEN_KID));
	EXPECT_EQ(1, world_count(&world, token_refused));
	EXPECT_EQ(1, world_count(&world, sip_refused));
	EXPECT_EQ(1, world.told[EVENT_TOKEN_REFUSED]);
	expect_open(&world, wic);
	peer_free(&world, wic);
	world_close(&world);
}

TEST(door, gives_keys_up_after_seven_seconds)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = parked(&world);
	world_pass(&world, 6);
	EXPECT_TEXT("", wic_message(&world, wic));
	world_pass(&world, 2);
	EXPECT(begins(wic_message(&world, wic), "SIP/2.0 401"));
	expect_open(&world, wic);
	peer_free(&world, wic);
	world_close(&world);
}

TEST(door, stays_open_without_registration_for_as_long_as_keys_are_waited_for)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	world_publish_keys(&world, "k1", fetchable);
	wic = wic_open(&world);
	world_pass(&world, 28);
	wic_text(&world, wic, wic_register(&world, TOKEN_ROTATED, 1));
	world_pass(&world, 5);
	EXPECT_EQ(1, world_count(&world, session_live));
	world_pass(&world, 4);
	EXPECT(begins(wic_message(&world, wic), "SIP/2.0 401"));
	EXPECT_EQ(1008, wic_close_code(&world, wic));
	peer_free(&world, wic);
	world_close(&world);
}

TEST(door, forgets_what_waited_for_keys_when_its_connection_ends)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = parked(&world);
	peer_free(&world, wic);
	EXPECT_EQ(0, world_count(&world, parked_live));
	world_publish_keys(&world, "k2", fetched);
	world_run(&world);
	EXPECT_EQ(0, world_count(&world, mw_requests_out));
	world_close(&world);
}

/** A REGISTER whose token has a signature that is longer than any. */
static const char *long_signature(struct world *world, enum token_kind kind)
{
	static char credential[4096];
	const char *text = strstr(wic_register(world, kind, 1), "Authorization:");
	int upto = (int)(strrchr(text, '.') - text);
	char signature[1001];

	memset(signature, 'A', sizeof(signature) - 1);
	signature[sizeof(signature) - 1] = 0;
	snprintf(credential, sizeof(credential), "%.*s.%s\r\n", upto, text, signature);
	return wic_request("REGISTER", credential, 1);
}

TEST(door, gives_the_job_back_for_a_signature_that_is_longer_than_any)
{
	struct world world = world_plan();
	struct peer *wic;

	world_open(&world);
	wic = wic_open(&world);
	wic_text(&world, wic, long_signature(&world, TOKEN_GOOD));
	EXPECT(begins(wic_message(&world, wic), "SIP/2.0 401"));
	world_publish_keys(&world, "k1", fetchable);
	wic_text(&world, wic, long_signature(&world, TOKEN_ROTATED));
	EXPECT_EQ(1, world_count(&world, parked_live));
	world_publish_keys(&world, "k2", fetched);
	world_run(&world);
	EXPECT(begins(wic_message(&world, wic), "SIP/2.0 401"));
	EXPECT_EQ(2, world_errors(&world, GW_TOKEN_SIGNATURE));
	EXPECT_EQ(0, world_count(&world, verify_jobs));
	EXPECT_EQ(0, worker_balance(world.worker[0]).jobs);
	peer_free(&world, wic);
	world_close(&world);
}

TEST(door, resumes_more_requests_than_one_turn_takes)
{
	enum { WICS = 100 };
	struct world world = world_plan();
	struct peer *wic[WICS];

	world.sizes.connections = WICS;
	world.sizes.parked = 2 * WICS;
	world_open(&world);
	world_publish_keys(&world, "k1", fetchable);
	for (int i = 0; i < WICS; i++) {
		wic[i] = wic_open(&world);
		wic_text(&world, wic[i], wic_register(&world, TOKEN_ROTATED, 1));
	}
	EXPECT_EQ(WICS, world_count(&world, parked_live));
	EXPECT_EQ(1, world.wanted);
	world_publish_keys(&world, "k1", fetched);
	(void)worker_turn(world.worker[0]);
	EXPECT_EQ(WICS - 64, world_count(&world, parked_live));
	world_run(&world);
	for (int i = 0; i < WICS; i++) {
		EXPECT(begins(wic_message(&world, wic[i]), "SIP/2.0 401"));
		peer_free(&world, wic[i]);
	}
	world_close(&world);
}

static void expect_ended(const char *jti, const char *wwsf, enum gw_err why)
{
	struct world world = world_plan();
	struct peer *core, *wic, *other;

	world_open(&world);
	core = core_udp(&world);
	other = wic_open(&world); /* has no binding: it stays */
	wic = wic_open(&world);
	wic_text(&world, wic, wic_register(&world, TOKEN_GOOD, 1));
	core_accepts(&world, core, wic);
	world_publish_revocations(&world, jti, wwsf);
	EXPECT_EQ(1008, wic_close_code(&world, wic));
	EXPECT_EQ(1, world_count(&world, binding_revoked));
	EXPECT_EQ(0, world_count(&world, binding_lost));
	EXPECT_EQ(1, world_errors(&world, why));
	EXPECT_EQ(1, world.told[EVENT_BINDING_END]);
	EXPECT_EQ(1, world.told[EVENT_CONNECTION_CLOSE]);
	expect_open(&world, other);
	peer_free(&world, wic);
	peer_free(&world, other);
	peer_free(&world, core);
	world_close(&world);
}

TEST(door, shuts_with_1008_behind_a_revoked_token)
{
	expect_ended("t-1", NULL, GW_TOKEN_JTI);
}

TEST(door, shuts_with_1008_behind_a_disabled_site)
{
	expect_ended(NULL, "shop", GW_TOKEN_WWSF);
}

/* ---- each row of PROTOCOL 3.6 is counted, and its connection stays ------------------------------
 */

#define HEAD "{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"k1\"}"
#define ISS "\"iss\":\"https://waf.example\""
#define AUD "\"aud\":\"sip:ep1.home1.net\""
#define IDS "\"sub\":\"s\",\"impi\":\"a@ims.home1.net\",\"impu\":\"sip:a@home1.net\""
#define GOOD "{" ISS "," AUD "," IDS ",\"jti\":\"t-2\",%s}"
#define TIMES "\"iat\":%llu,\"exp\":%llu"

/** A token of this header and payload, whose %s are good times. */
static const char *minted(struct world *world, const char *header, const char *payload)
{
	char times[128], text[1024];

	snprintf(times, sizeof(times), TIMES, (unsigned long long)world->wall_s,
		 (unsigned long long)world->wall_s + 900);
	snprintf(text, sizeof(text), payload, times);
	return wic_bearer(world, header, text);
}

static const char *status_line(uint32_t status)
{
	static char text[16];

	snprintf(text, sizeof(text), "SIP/2.0 %u", status);
	return text;
}

static uint32_t other_status(uint32_t status)
{
	return status == 401 ? 407 : status;
}

/** Both columns; the counter of the error, and a connection that is read on. */
static void row(struct world *world, enum gw_err err, uint32_t status, const char *credential)
{
	uint64_t before = world_errors(world, err);
	struct peer *wic = wic_open(world);

	wic_text(world, wic, wic_request("REGISTER", credential, 1));
	EXPECT(begins(wic_message(world, wic), status_line(status)));
	EXPECT_EQ(before + 1, world_errors(world, err));
	wic_text(world, wic, wic_request("MESSAGE", credential, 2));
	EXPECT(begins(wic_message(world, wic), status_line(other_status(status))));
	EXPECT_EQ(before + 2, world_errors(world, err));
	expect_open(world, wic);
	peer_free(world, wic);
}

TEST(door, counts_each_row_and_keeps_the_connection)
{
	static const struct {
		enum gw_err err;
		uint32_t status;
		const char *header, *payload;
	} rows[] = {
		{GW_TOKEN_JSON, 401, "[]", "{%s}"},
		{GW_TOKEN_TYP, 401, "{\"typ\":\"logout+jwt\",\"alg\":\"ES256\",\"kid\":\"k1\"}",
		 GOOD},
		{GW_TOKEN_ALG, 401, "{\"typ\":\"at+jwt\",\"alg\":\"none\"}", GOOD},
		{GW_TOKEN_CRIT, 401,
		 "{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"k1\",\"crit\":[\"b64\"]}", GOOD},
		{GW_TOKEN_ISS, 401, HEAD, "{\"iss\":\"https://evil.example\"," AUD "," IDS ",%s}"},
		{GW_TOKEN_KID, 401, "{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"k9\"}", GOOD},
		{GW_TOKEN_AUD, 401, HEAD, "{" ISS "," IDS ",%s}"},
		{GW_TOKEN_EXPIRED, 401, HEAD,
		 "{" ISS "," AUD "," IDS ",\"iat\":1,\"exp\":2,\"x\":{%s}}"},
		{GW_TOKEN_TIME, 401, HEAD, "{" ISS "," AUD "," IDS ",\"nbf\":9999999999,%s}"},
		{GW_TOKEN_CLAIM, 401, HEAD, "{" ISS "," AUD ",\"sub\":\"s\",%s}"},
		{GW_TOKEN_WWSF, 403, HEAD, "{" ISS "," AUD "," IDS ",\"wwsf\":\"toys\",%s}"},
		{GW_TOKEN_SCENARIO, 403, HEAD, "{" ISS "," AUD "," IDS ",\"scn\":\"pool\",%s}"},
	};
	struct world world = world_plan();

	world_open(&world);
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		row(&world, rows[i].err, rows[i].status,
		    minted(&world, rows[i].header, rows[i].payload));
	row(&world, GW_TOKEN_SEVERAL, 400,
	    "Authorization: Bearer a.b.c\r\nAuthorization: Bearer a.b.d\r\n");
	row(&world, GW_TOKEN_SCHEME, 401, "Authorization: Basic eHg=\r\n");
	row(&world, GW_TOKEN_MALFORMED, 401, "Authorization: Bearer abc\r\n");
	world_publish_revocations(&world, "t-2", NULL);
	row(&world, GW_TOKEN_JTI, 401, minted(&world, HEAD, GOOD));
	world_publish_revocations(&world, NULL, "shop");
	row(&world, GW_TOKEN_WWSF, 403, minted(&world, HEAD, GOOD));
	world_publish_keys(&world, "k1", (struct key_issuer){.missing = true});
	row(&world, GW_TOKEN_KEYS_DOWN, 503, minted(&world, HEAD, GOOD));
	world_close(&world);
}

TEST(door, counts_a_scope_that_is_too_little_and_keeps_the_connection)
{
	struct world world = world_plan();

	world.scope = SPAN("ims.everything");
	world_open(&world);
	row(&world, GW_TOKEN_SCOPE, 401,
	    minted(&world, HEAD, "{" ISS "," AUD "," IDS ",\"scope\":\"ims.register\",%s}"));
	world_close(&world);
}

/* ---- what control is told of a token ------------------------------------------------------------
 */

static struct told {
	struct message_answer head;
	struct row_step rows[GATEWAY_STEPS_MAX];
	uint32_t count;
} told;

static void told_take(void *context, uint16_t from, struct span message)
{
	if (!span_copy(&message, &told.head, sizeof(told.head)) ||
	    told.head.head.kind != MESSAGE_ANSWER)
		return;
	told.count++;
	EXPECT_EQ(sizeof(told.rows[0]), told.head.row_size);
	EXPECT(told.head.rows <= GATEWAY_STEPS_MAX);
	EXPECT(span_copy(&message, told.rows, told.head.rows * (uint32_t)sizeof(told.rows[0])));
}

/** Control asks for an explanation; the worker has not turned yet. */
static void explain(struct world *world, uint32_t id, const char *origin, struct span token)
{
	struct message_command command = {.what = COMMAND_EXPLAIN, .id = id};
	struct explain_ask ask = {(uint16_t)strlen(origin)};
	uint8_t body[16384];
	struct writer w;

	writer_init(&w, body, sizeof(body));
	writer_bytes(&w, &ask, sizeof(ask));
	writer_text(&w, origin);
	writer_put(&w, token);
	command.head =
		(struct message_head){MESSAGE_COMMAND, (uint32_t)sizeof(command) + writer_len(&w)};
	EXPECT_EQ(GW_OK, mailbox_send(world->hub, world->workers, 0,
				      span_of(&command, sizeof(command)), writer_span(&w)));
}

static void turns(struct world *world)
{
	told.count = 0;
	for (int i = 0; i < 10; i++)
		(void)worker_turn(world->worker[0]);
	(void)mailbox_receive(world->hub, world->workers, 1000, told_take, NULL);
}

/** The token of a REGISTER. */
static struct span token_in(const char *text)
{
	const char *at = strstr(text, "Bearer ");

	assert_non_null(at);
	at += strlen("Bearer ");
	return span_of(at, (uint32_t)strcspn(at, "\r"));
}

static void expect_last(uint32_t id, const char *name, enum gw_err err)
{
	EXPECT_EQ(1, told.count);
	EXPECT_EQ(id, told.head.id);
	assert_in_range(told.head.rows, 1, GATEWAY_STEPS_MAX);
	EXPECT_TEXT(name, told.rows[told.head.rows - 1].name);
	EXPECT_EQ(err, told.rows[told.head.rows - 1].err);
}

TEST(explain, says_what_the_driver_finds_of_a_signature)
{
	struct world world = world_plan();

	world_open(&world);
	explain(&world, 7, ORIGIN, token_in(wic_register(&world, TOKEN_GOOD, 1)));
	turns(&world);
	expect_last(7, "allocation", GW_OK);
	explain(&world, 8, "", token_in(wic_register(&world, TOKEN_FORGED, 1)));
	turns(&world);
	expect_last(8, "signature", GW_TOKEN_SIGNATURE);
	EXPECT_EQ(0, world_count(&world, token_refused)); /* nobody was refused */
	world_close(&world);
}

TEST(explain, needs_no_driver_for_what_does_not_come_so_far)
{
	static uint8_t endless[9000];
	struct world world = world_plan();

	memset(endless, 'x', sizeof(endless));
	world_open(&world);
	explain(&world, 1, ORIGIN, SPAN("abc"));
	turns(&world);
	expect_last(1, "parts", GW_TOKEN_MALFORMED);
	explain(&world, 2, ORIGIN, span_of(endless, sizeof(endless)));
	turns(&world);
	expect_last(2, "parts", GW_TOKEN_MALFORMED);
	EXPECT_EQ(0, world_count(&world, verify_jobs));
	world_close(&world);
}

TEST(explain, counts_a_command_that_is_cut)
{
	struct message_command command = {.head = {MESSAGE_COMMAND, sizeof(command)},
					  .what = COMMAND_EXPLAIN,
					  .id = 3};
	struct world world = world_plan();
	struct explain_ask ask = {200};

	world_open(&world);
	EXPECT_EQ(GW_OK,
		  mailbox_send(world.hub, 1, 0, span_of(&command, sizeof(command)), SPAN("")));
	EXPECT_EQ(GW_OK, mailbox_send(world.hub, 1, 0, span_of(&command, sizeof(command)),
				      span_of(&ask, sizeof(ask))));
	turns(&world);
	EXPECT_EQ(0, told.count);
	EXPECT_EQ(2, world_errors(&world, GW_INVARIANT));
	world_close(&world);
}

TEST(explain, tells_of_the_last_token_that_was_asked_about)
{
	struct world world = world_plan();
	char first[1024];
	struct span token;

	world_open(&world);
	token = token_in(wic_register(&world, TOKEN_FORGED, 1));
	memcpy(first, token.at, token.len);
	explain(&world, 1, ORIGIN, span_of(first, token.len));
	explain(&world, 2, ORIGIN, token_in(wic_register(&world, TOKEN_GOOD, 2)));
	turns(&world);
	expect_last(2, "allocation", GW_OK);
	EXPECT_EQ(1, world_count(&world, mailbox_stale));
	world_close(&world);
}

TEST_MAIN("worker_door", RUN(door, lets_a_known_token_in_without_a_signature),
	  RUN(door, turns_a_forged_token_away_twice_with_one_signature),
	  RUN(door, reads_on_while_a_request_waits_for_keys),
	  RUN(door, refuses_a_key_that_the_fetched_set_does_not_have_either),
	  RUN(door, gives_keys_up_after_seven_seconds),
	  RUN(door, stays_open_without_registration_for_as_long_as_keys_are_waited_for),
	  RUN(door, forgets_what_waited_for_keys_when_its_connection_ends),
	  RUN(door, gives_the_job_back_for_a_signature_that_is_longer_than_any),
	  RUN(door, resumes_more_requests_than_one_turn_takes),
	  RUN(door, shuts_with_1008_behind_a_revoked_token),
	  RUN(door, shuts_with_1008_behind_a_disabled_site),
	  RUN(door, counts_each_row_and_keeps_the_connection),
	  RUN(door, counts_a_scope_that_is_too_little_and_keeps_the_connection),
	  RUN(explain, says_what_the_driver_finds_of_a_signature),
	  RUN(explain, needs_no_driver_for_what_does_not_come_so_far),
	  RUN(explain, counts_a_command_that_is_cut),
	  RUN(explain, tells_of_the_last_token_that_was_asked_about))
