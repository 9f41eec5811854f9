/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "../token/mint.h"
#include "pair_table.h"
#include "world.h"

struct world world;

#define BRANCH "z9hG4bK7100"

static const struct span types[] = {{(const uint8_t *)"at+jwt", 6}, {(const uint8_t *)"jwt", 3}};

/* ---- pairs ---------------------------------------------------------------------------------- */

static const char *const allowed[][2] = {
	{"alice@ims.home1.net", "sip:alice@home1.net"},
	{"alice@ims.home1.net", "tel:+15551230001"},
	{"bob@ims.home1.net", "sip:bob@home1.net"},
	{"carol@ims.home2.net", "sip:carol@home2.net"},
};
static struct pair_table pair_table;

static void pairs_start(void)
{
	static const uint8_t key[16];
	struct pair_build build;

	EXPECT_EQ(GW_OK, pair_build_init(&build, PAIRS_LISTED, key, 0));
	for (uint32_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		EXPECT_EQ(GW_OK, pair_build_add(&build, span_text(allowed[i][0]),
						span_text(allowed[i][1]), i + 1));
	pair_table_free(&pair_table);
	EXPECT_EQ(GW_OK, pair_build_give(&build, &pair_table, NULL, NULL));
	world.pairs = (struct pair_part){.table = &pair_table, .count = 1};
}

/* ---- what the gateway asks for -------------------------------------------------------------- */

static struct sent *sent_add(enum sent_to to, struct span bytes)
{
	struct sent *s = &world.sent[world.count];

	assert_true(world.count < SENT_MAX && bytes.len <= SENT_TEXT_MAX);
	world.count++;
	memset(s, 0, offsetof(struct sent, text));
	s->to = to;
	s->at_us = world.now_us;
	s->len = bytes.len;
	memcpy(s->text, bytes.at, bytes.len);
	s->text[bytes.len] = 0;
	return s;
}

static uint64_t env_random(void *context)
{
	return ++world.randoms * 0x9e3779b97f4a7c15ull;
}

static struct wic *env_wic(void *context, struct handle flow)
{
	for (uint32_t i = 0; i < WICS; i++)
		if (!world.gone[i] && handle_equal(world.wic[i].flow, flow))
			return &world.wic[i];
	return NULL;
}

static enum gw_err env_to_wic(void *context, struct handle flow, struct span bytes)
{
	if (env_wic(context, flow) == NULL)
		return GW_STALE;
	if (world.to_wic_err == GW_OK)
		sent_add(TO_WIC, bytes)->flow = flow;
	return world.to_wic_err;
}

static enum gw_err env_to_mw(void *context, const struct mw_target *target, struct span bytes)
{
	if (world.mw_failures > 0) {
		world.mw_failures--;
		return GW_MW_DOWN;
	}
	if (world.to_mw_err == GW_OK)
		sent_add(TO_MW, bytes)->target = *target;
	return world.to_mw_err;
}

static enum gw_err env_to_source(void *context, const struct mw_source *source, struct span bytes)
{
	sent_add(TO_SOURCE, bytes)->source = *source;
	return GW_OK;
}

/** What workers say to each other about homes and leases is kept apart from what goes on the wire.
 */
static void letter_add(uint16_t worker, struct span head)
{
	struct letter *l = &world.letter[world.letters];

	assert_true(world.letters < SENT_MAX && head.len <= sizeof(l->bytes));
	world.letters++;
	l->worker = worker;
	memset(l->bytes, 0, sizeof(l->bytes));
	memcpy(l->bytes, head.at, head.len);
}

static enum gw_err journal_add(struct span head)
{
	struct message_journal *m = &world.journal[world.told];

	if (world.journal_full)
		return GW_QUEUE_FULL;
	assert_true(world.told < SENT_MAX && head.len <= sizeof(*m));
	memcpy(m, head.at, head.len);
	world.told++;
	return GW_OK;
}

static enum gw_err env_to_worker(void *context, uint16_t worker, struct span head,
				 struct span bytes)
{
	const struct message_head *said = (const void *)head.at;
	struct sent *s;

	if (world.to_worker_err != GW_OK)
		return world.to_worker_err;
	if (said->kind >= MESSAGE_ATTACH && said->kind <= MESSAGE_LEASE_ENDED) {
		letter_add(worker, head);
		return GW_OK;
	}
	if (said->kind == MESSAGE_JOURNAL) {
		EXPECT_EQ(2, worker);
		return journal_add(head);
	}
	if (said->kind == MESSAGE_PEER_WANTED && world.names_unheard)
		return GW_OK;
	s = sent_add(TO_WORKER, bytes);
	s->worker = worker;
	EXPECT(head.len <= sizeof(s->head));
	memcpy(s->head, head.at, head.len);
	return GW_OK;
}

static bool env_hop_up(void *context, const struct mw_target *target)
{
	for (uint32_t i = 0; i < world.config.next_hop_count; i++)
		if (endpoint_same_host(&world.hop[i].address, &target->address))
			return !world.hop_down[i];
	return true;
}

static void env_event(void *context, const struct message_event *event)
{
	if (world.events == SENT_MAX)
		return;
	memset(&world.audit[world.events], 0, sizeof(world.audit[0]));
	memcpy(&world.audit[world.events], event, event->head.len);
	world.event[world.events++] = *event;
}

static struct verify_job job;

static struct verify_job *env_job(void *context)
{
	if (world.no_job)
		return NULL;
	world.jobs++;
	return &job;
}

static void env_submit(void *context, struct verify_job *submitted)
{
	EXPECT(submitted == &job);
	world.jobs--;
	if (job.waiter == VERIFY_WAITER_PARKED && !handle_is_none(job.owner))
		world.parked_job = true;
}

/* ---- configuration -------------------------------------------------------------------------- */

static EVP_PKEY *private_key;
static struct key_row key_row;

static struct endpoint endpoint(const char *text)
{
	struct endpoint e;

	memset(&e, 0, sizeof(e));
	EXPECT(endpoint_parse(span_text(text), &e));
	return e;
}

static void issuers_start(void)
{
	world.issuer[0] = (struct issuer_config){
		.name = SPAN("waf"),
		.iss = SPAN("https://waf.home1.net"),
		.audience = SPAN("sip:ep1.home1.net"),
		.authz_server = SPAN("https://waf.home1.net/login"),
		.algorithms = 1u << JWS_ES256,
		.typ = types,
		.typ_count = 2,
		.leeway_s = 30,
	};
	world.issuer[1] = world.issuer[0];
	world.issuer[1].iss = SPAN("https://other.example");
	if (private_key == NULL)
		private_key = mint_key_new();
	key_row = (struct key_row){.issuer = 0, .kid = SPAN("waf-1")};
	mint_public(private_key, 1, &key_row.key);
	world.keys = (struct key_part){.row = &key_row, .count = 1};
	world.wwsf[0] = (struct wwsf_config){.name = SPAN("shop"), .max_bindings = 100};
	world.wwsf[1] = (struct wwsf_config){.name = SPAN("toys"), .issuer = 1, .pairs = 7};
}

static void config_start(void)
{
	world.realm[0] = (struct realm_config){
		.domain = SPAN("home1.net"),
		.visited_network = SPAN("home1.net"),
		.ioi = SPAN("home1.net"),
		.tna_value = SPAN("auth-done"),
	};
	world.realm[1] = (struct realm_config){
		.domain = SPAN("home2.net"),
		.visited_network = SPAN("visited2.net"),
		.ioi = SPAN("Type 1visited2.net"),
		.tna_value = SPAN("tls-yes"),
	};
	world.hop[0] = (struct next_hop_config){.address = endpoint("198.18.0.20:5060"),
						.transport = NEXT_HOP_TCP,
						.priority = 1,
						.weight = 1};
	world.hop[1] = (struct next_hop_config){.address = endpoint("198.18.0.21:5060"),
						.transport = NEXT_HOP_TCP,
						.priority = 2,
						.weight = 1};
	world.hop[2] = (struct next_hop_config){.address = endpoint("198.18.0.22:5060"),
						.transport = NEXT_HOP_TCP,
						.priority = 2,
						.weight = 3};
	world.hop[3] = (struct next_hop_config){.address = endpoint("198.18.0.23:5060"),
						.transport = NEXT_HOP_TCP,
						.priority = 2,
						.weight = 0};
	world.config = (struct config_part){
		.node_name = SPAN("ep1.home1.net"),
		.node_id = 0x01020304,
		.realm = world.realm,
		.realm_count = 2,
		.mw_address = endpoint("192.0.2.10:0"),
		.mw_host = SPAN("192.0.2.10"),
		.mw_sip_port = 5060,
		.mw_worker_port_base = 5070,
		.next_hop = world.hop,
		.next_hop_count = 2,
		.issuer = world.issuer,
		.issuer_count = 2,
		.wwsf = world.wwsf,
		.wwsf_count = 2,
		.flow_key = {{.id = 7, .secret = "current flow key"}},
		.flow_key_count = 1,
		.max_message = 65536,
		.max_token_bytes = VERIFY_TEXT_MAX,
		.max_token_lifetime_s = 86400,
		.min_grant_s = 60,
		.default_expires_s = 600,
		.timer_c_s = 185,
		.flow_grace_s = 30,
		.from_check = true,
	};
}

static void gateway_start(void)
{
	world.env = (struct gateway_env){
		.random = env_random,
		.wic = env_wic,
		.to_wic = env_to_wic,
		.to_mw = env_to_mw,
		.to_source = env_to_source,
		.to_worker = env_to_worker,
		.hop_up = env_hop_up,
		.event = env_event,
		.job = env_job,
		.submit = env_submit,
	};
	world.gateway_config = (struct gateway_config){
		.workers = 2,
		.max_bindings = 4,
		.max_transactions = 8,
		.max_message = 65536,
		.max_parked = 4,
		.max_held = 2,
		.verify_jobs = 4,
		.token_cache = 8,
		.token_refused = 8,
		.lease_tombstones = 8,
		.epoch = 1000,
		.now_us = world.now_us,
		.counters = &world.counters,
		.env = &world.env,
	};
	world.gw = gateway_new(&world.gateway_config);
	assert_non_null(world.gw);
}

struct gateway_time world_time(void)
{
	return (struct gateway_time){&world.view, world.now_us,
				     world.wall_s * 1000000 + world.wall_part_us};
}

static void turn(void)
{
	struct gateway_time time = world_time();

	gateway_turn(world.gw, &time);
}

void world_room(uint32_t transactions)
{
	gateway_free(world.gw);
	world.gateway_config.max_transactions = transactions;
	world.gw = gateway_new(&world.gateway_config);
	assert_non_null(world.gw);
	world_turn();
}

static void refuse(struct wic *wic, enum gw_err err)
{
	static uint8_t memory[SENT_TEXT_MAX];
	struct writer out;

	writer_init(&out, memory, sizeof(memory));
	if (gateway_refusal_write(world.gw, wic, err, &out) == GW_OK)
		sent_add(TO_WIC, writer_span(&out))->flow = wic->flow;
}

/** Parked requests go on as far as they can; the session's part is played here. */
static void resume(void)
{
	struct gateway_resumed r;

	while (gateway_resume(world.gw, &r)) {
		if (r.result.err != GW_OK)
			refuse(env_wic(NULL, r.flow), r.result.err);
		if (world.parked_job && !world.hold_verdict)
			gateway_parked_verdict(world.gw, job.owner, world.verdict);
		world.parked_job = false;
	}
}

/** A message that waits for its pair's home worker is kept as the session keeps it. */
static char waiting[WICS][SENT_TEXT_MAX];

static enum gw_err handled(uint32_t wic, struct span bytes, struct gateway_result r)
{
	if (r.err == GW_AGAIN) {
		EXPECT(bytes.len <= SENT_TEXT_MAX);
		memcpy(waiting[wic], bytes.at, bytes.len);
		world.waiting[wic] = bytes.len;
	} else if (r.err != GW_OK && r.request) {
		refuse(&world.wic[wic], r.err);
	}
	return r.err;
}

enum gw_err wic_goes_on(uint32_t wic)
{
	uint32_t len = world.waiting[wic];
	uint8_t *copy = malloc(len);
	struct span bytes = span_of(memcpy(copy, waiting[wic], len), len);
	struct gateway_result r;
	enum gw_err err;

	EXPECT(len > 0);
	world.waiting[wic] = 0;
	r = gateway_verified(world.gw, &world.wic[wic], bytes, GW_VERIFIER_FAILED);
	if (r.err == GW_AGAIN && world.wic[wic].pool.state == POOL_KEPT)
		r = gateway_verified(world.gw, &world.wic[wic], bytes, world.verdict);
	err = handled(wic, bytes, r);
	free(copy);
	return err;
}

void world_leased(void)
{
	struct handle flow;

	while (gateway_leased(world.gw, &flow))
		for (uint32_t i = 0; i < WICS; i++)
			if (!world.gone[i] && handle_equal(world.wic[i].flow, flow) &&
			    world.waiting[i] > 0)
				(void)wic_goes_on(i);
}

void world_turn(void)
{
	turn();
	world_leased();
	resume();
}

void world_fetchable(void)
{
	world.key_issuer[0] = (struct key_issuer){.refetchable = true, .fetches = 1};
	world.key_issuer[1] = world.key_issuer[0];
	world.keys.issuer = world.key_issuer;
	world.keys.issuer_count = 2;
	world.keys.part.generation++;
	world_turn();
}

void world_fetched(void)
{
	world.key_issuer[0].fetches++;
	world.key_issuer[0].refetchable = false; /* the cooldown */
	world.keys.part.generation++;
	world_turn();
}

void world_key_named(const char *kid)
{
	key_row.kid = span_text(kid);
	key_row.key.id++;
	world.keys.part.generation++;
}

static void taken_back(void)
{
	world.revocations.part.generation++;
	world.view.revocations = &world.revocations;
	turn();
}

void world_revoke(const char *jti)
{
	world.revoked[0] = jti_hash(world.config.hash_key, world.issuer[0].iss, span_text(jti));
	world.revocations.jti = world.revoked;
	world.revocations.jti_count = 1;
	taken_back();
}

void world_disable(const char *wwsf)
{
	world.disabled = span_text(wwsf);
	world.revocations.wwsf = &world.disabled;
	world.revocations.wwsf_count = 1;
	taken_back();
}

void world_start(void)
{
	gateway_free(world.gw);
	memset(&world, 0, offsetof(struct world, sent));
	world.events = 0;
	world.letters = 0;
	world.told = 0;
	world.journal_full = false;
	world.now_us = 5000000;
	world.wall_s = WORLD_WALL_S;
	issuers_start();
	config_start();
	pairs_start();
	world.view = (struct snapshot){.config = &world.config,
				       .keys = &world.keys,
				       .pairs = &world.pairs};
	for (uint32_t i = 0; i < WICS; i++)
		world.wic[i].flow = (struct handle){.slot = i, .generation = 77 + i};
	world.source = (struct mw_source){
		.transport = MW_TCP,
		.conn = {.slot = 5, .generation = 9},
		.local = endpoint("192.0.2.10:5070"),
		.peer = endpoint("198.18.0.20:40123"),
	};
	gateway_start();
	turn();
	world_home(0);
}

void world_home(uint16_t worker)
{
	struct span alice = span_text(allowed[0][0]);

	while (siphash(world.config.hash_key, alice) % 2 != worker)
		world.config.hash_key[0]++;
}

void world_start_udp(void)
{
	world_start();
	world.hop[0].transport = NEXT_HOP_UDP;
	world.hop[1].transport = NEXT_HOP_UDP;
	world.source.transport = MW_UDP;
	world.source.conn = handle_none();
	world_reload();
}

void world_start_tls(void)
{
	world_start();
	world.config.mw_tls = (struct mw_tls_config){.port = 5061, .worker_port_base = 5170};
	for (uint32_t i = 0; i < 2; i++) {
		world.hop[i].transport = NEXT_HOP_TLS;
		endpoint_set_port(&world.hop[i].address, 5061);
	}
	world.source.transport = MW_TLS;
	world_reload();
}

void world_reload(void)
{
	world.config.part.generation++;
	turn();
}

struct endpoint world_endpoint(const char *text)
{
	return endpoint(text);
}

void world_name(const char *name, const struct peer_address *addresses, uint32_t count)
{
	static struct peer_row row;
	static struct peer_part part;

	row = (struct peer_row){.name = span_text(name),
				.asked = NEXT_HOP_ANY,
				.address = addresses,
				.count = count};
	part.row = &row;
	part.count = 1;
	part.part.generation++;
	world.view.peers = &part;
	turn();
}

void world_one_hop(void)
{
	world.config.next_hop_count = 1;
	world_reload();
}

void world_clock(uint64_t us)
{
	uint64_t wall_us = world_time().wall_us + us;

	world.now_us += us;
	world.wall_s = wall_us / 1000000;
	world.wall_part_us = wall_us % 1000000;
}

void world_wait(uint64_t us)
{
	uint64_t end = world.now_us + us;

	while (world.now_us < end) {
		uint64_t next = gateway_next_us(world.gw);

		next = next > world.now_us ? next : world.now_us + 1000;
		world_clock((next < end ? next : end) - world.now_us);
		turn();
		while (gateway_timers(world.gw, 16) > 0)
			;
		world_leased();
		resume();
	}
}

void world_forget(void)
{
	world.count = 0;
	world.events = 0;
	world.letters = 0;
	world.told = 0;
}

const struct sent *world_sent(uint32_t n)
{
	assert_true(n < world.count);
	return &world.sent[n];
}

const char *world_only(enum sent_to to)
{
	EXPECT_EQ(1, world.count);
	EXPECT_EQ(to, world.sent[0].to);
	return world.sent[0].text;
}

/* ---- traffic -------------------------------------------------------------------------------- */

enum gw_err wic_sends(uint32_t wic, const char *text)
{
	struct span original = span_text(text);
	uint8_t *copy = malloc(original.len); /* of its true size: nothing is read past the end */
	struct span bytes = span_of(memcpy(copy, original.at, original.len), original.len);
	struct gateway_result r = gateway_from_wic(world.gw, &world.wic[wic], bytes);

	enum gw_err err;

	if (r.err == GW_AGAIN && world.wic[wic].pool.state != POOL_ASKED)
		r = gateway_verified(world.gw, &world.wic[wic], bytes, world.verdict);
	err = handled(wic, bytes, r);
	free(copy);
	return err;
}

void wic_leaves(uint32_t wic)
{
	gateway_flow_ended(world.gw, &world.wic[wic]);
	world.gone[wic] = true;
	world.waiting[wic] = 0;
}

static const struct sent *last(enum sent_to to)
{
	for (uint32_t i = world.count; i > 0; i--)
		if (world.sent[i - 1].to == to)
			return &world.sent[i - 1];
	fail_msg("nothing was sent there");
	return NULL;
}

/** Via, From, To, Call-ID and CSeq of a request as an answer has them. */
static const char *answer_to(const char *request, const char *status, const char *more)
{
	const char *vias = "";

	for (uint32_t i = 0; line_n(request, "Via", i) != NULL; i++)
		vias = format("%sVia: %s" CRLF, vias, line_n(request, "Via", i));
	return format("SIP/2.0 %s" CRLF "%sFrom: %s" CRLF "To: %s%s" CRLF "Call-ID: %s" CRLF
		      "CSeq: %s" CRLF "%sContent-Length: 0" CRLF CRLF,
		      status, vias, line(request, "From"), line(request, "To"),
		      contains(line(request, "To"), ";tag=") ? "" : ";tag=c0re",
		      line(request, "Call-ID"), line(request, "CSeq"), more);
}

void core_answers(const char *status, const char *more)
{
	core_sends(answer_to(last(TO_MW)->text, status, more));
}

const char *wic_answer(const char *status, const char *more)
{
	return answer_to(last(TO_WIC)->text, status, more);
}

void core_registers(uint32_t expires_s)
{
	const char *contact = line(last(TO_MW)->text, "Contact");
	int uri = contact != NULL ? (int)strcspn(contact, ">") + 1 : 0;

	assert_non_null(contact);
	core_answers("200 OK",
		     format("Contact: %.*s;reg-id=1;expires=%u" CRLF
			    "Service-Route: <sip:orig@198.18.0.30:6060;lr>" CRLF
			    "P-Associated-URI: <sip:alice@home1.net>, <tel:+15551230001>" CRLF,
			    uri, contact, expires_s));
}

/* ---- texts ---------------------------------------------------------------------------------- */

const char *format(const char *text, ...)
{
	static char buffers[256][SENT_TEXT_MAX];
	static uint32_t next;
	char *buffer = buffers[next++ % 256];
	va_list arguments;

	va_start(arguments, text);
	EXPECT(vsnprintf(buffer, SENT_TEXT_MAX, text, arguments) < SENT_TEXT_MAX);
	va_end(arguments);
	return buffer;
}

const char *token_of(const char *header, const char *payload)
{
	static struct minted token;

	mint(private_key, span_text(header), span_text(payload), &token);
	return format("%.*s", (int)token.len, (const char *)token.text);
}

const char *payload_of(const char *impi, const char *impu, int64_t lifetime_s)
{
	return format("{\"iss\":\"https://waf.home1.net\",\"aud\":\"sip:ep1.home1.net\","
		      "\"sub\":\"u1\",\"impi\":\"%s\",\"impu\":\"%s\",\"iat\":%lld,\"exp\":%lld}",
		      impi, impu, (long long)world.wall_s - 30,
		      (long long)world.wall_s + lifetime_s);
}

const char *token_alice(int64_t lifetime_s)
{
	return token_of(GOOD_HEADER,
			payload_of("alice@ims.home1.net", "sip:alice@home1.net", lifetime_s));
}

static const char *authorization(const char *token)
{
	return token != NULL ? format("Authorization: Bearer %s" CRLF, token) : "";
}

const char *register_jssip(const char *token, uint32_t expires_s)
{
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK4563742" CRLF
		      "Max-Forwards: 69" CRLF "To: <sip:alice@home1.net>" CRLF
		      "From: <sip:alice@home1.net>;tag=v1vr0ckug8" CRLF
		      "Call-ID: 2aq40ot07ov2fs5490acqa" CRLF "CSeq: 1 REGISTER" CRLF
		      "%sExpires: %u" CRLF
		      "Contact: <sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>;+sip.ice;reg-id=1;"
		      "+sip.instance=\"<urn:uuid:dacc2777-085b-4952-83a1-fd586f2f5565>\";"
		      "expires=%u" CRLF
		      "Allow: INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,REFER,INFO,NOTIFY" CRLF
		      "Supported: path,gruu,outbound" CRLF "User-Agent: JsSIP 3.13.8" CRLF
		      "Content-Length: 0" CRLF CRLF,
		      authorization(token), expires_s, expires_s);
}

const char *register_sipjs(const char *token, uint32_t expires_s)
{
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS t2nsfi2bgmd9.invalid;branch=z9hG4bK5250011" CRLF
		      "To: <sip:alice@home1.net>" CRLF
		      "From: <sip:alice@home1.net>;tag=8caorcu35m" CRLF "CSeq: 2 REGISTER" CRLF
		      "Call-ID: d5783nbqbti5kn4jnvcg" CRLF "Max-Forwards: 70" CRLF "%s"
		      "Contact: <sip:l45tahiv@t2nsfi2bgmd9.invalid;transport=ws>;reg-id=1;"
		      "+sip.instance=\"<urn:uuid:accadba3-4e4a-42e7-9b75-5998a4ecbfb1>\";"
		      "expires=%u" CRLF
		      "Allow: ACK,CANCEL,INVITE,MESSAGE,BYE,OPTIONS,INFO,NOTIFY,REFER" CRLF
		      "Supported: outbound, path, gruu" CRLF "User-Agent: SIP.js/0.21.1" CRLF
		      "Content-Length: 0" CRLF CRLF,
		      authorization(token), expires_s);
}

static char registered_path[512];

const char *path_uri(void)
{
	return registered_path;
}

void path_remember(const char *request)
{
	const char *path = line(request, "Path");

	assert_non_null(path);
	EXPECT(path[0] == '<' && strlen(path) < sizeof(registered_path));
	memcpy(registered_path, path + 1, strlen(path));
	registered_path[strcspn(registered_path, ">")] = 0;
}

void world_register(void)
{
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	path_remember(last(TO_MW)->text);
	core_registers(600);
	EXPECT_EQ(1, gateway_bindings(world.gw));
	EXPECT_EQ(0, world_transactions());
	world_forget();
}

const char *message_to(const char *uri, const char *more)
{
	static uint32_t requests; /* each a transaction of its own */

	return format("MESSAGE %s SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS v5e0bm0sd9mg.invalid;branch=z9hG4bK8%06u" CRLF
		      "Max-Forwards: 70" CRLF "%sFrom: <sip:alice@home1.net>;tag=m1" CRLF
		      "To: <sip:bob@home1.net>" CRLF "Call-ID: m1@v5e0bm0sd9mg.invalid" CRLF
		      "CSeq: 1 MESSAGE" CRLF "Content-Type: text/plain" CRLF
		      "Content-Length: 5" CRLF CRLF "hello",
		      uri, requests++, more);
}

const char *message_with(const char *more)
{
	return message_to("sip:bob@home1.net", more);
}

const char *core_message(const char *route, const char *more)
{
	return format("MESSAGE sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws SIP/2.0" CRLF
		      "Via: SIP/2.0/%s 198.18.0.20:5060;branch=z9hG4bKs9" CRLF
		      "Via: SIP/2.0/TCP as.home1.net;branch=z9hG4bKa1" CRLF "Route: <%s>" CRLF
		      "%sMax-Forwards: 60" CRLF "From: <sip:bob@home1.net>;tag=c9" CRLF
		      "To: <sip:alice@home1.net>" CRLF "Call-ID: c9@home1.net" CRLF
		      "CSeq: 4 MESSAGE" CRLF "Content-Type: text/plain" CRLF
		      "Content-Length: 2" CRLF CRLF "hi",
		      world.source.transport == MW_UDP ? "UDP" : "TCP", route, more);
}

const char *mw_register(const char *request)
{
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, request));
	return world_only(TO_MW);
}

const char *registered(const char *status, const char *more)
{
	uint32_t at;

	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	core_answers(status, more);
	/* a Service-Route with a name: control is asked for it on the way */
	at = 1 + (world_sent(1)->to == TO_WORKER);
	EXPECT_EQ(at + 1, world.count);
	EXPECT_EQ(TO_WIC, world_sent(at)->to);
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(0, world.wic[0].transactions);
	return world_sent(at)->text;
}
