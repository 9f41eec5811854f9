/* SPDX-License-Identifier: BSD-3-Clause */
#include <hs.h>
#include <stdio.h>

#include "block.h"
#include "pattern_table.h"

#define IMPI "block-shop@ims.home1.net"
#define IMPU "sip:block-shop@home1.net"
#define CALL "c1@home2.net"

static uint64_t hash_of(const char *text)
{
	return gateway_hash(world.config.hash_key, span_text(text));
}

/* guests are sip:guest!.*!@home1.net */
static const struct pattern_row guests[2] = {
	[0] = {.wildcard = SPAN("sip:guest!.*!@home1.net"),
	       .literal = SPAN("sip:guest!.*!@home1.net"),
	       .prefix = SPAN("sip:guest"),
	       .suffix = SPAN("@home1.net")},
};
static struct hs_scratch *scratch[2];
static struct pattern_database database = {.scratch = scratch, .workers = 1};
static struct pattern_part patterns;

static void patterns_start(void)
{
	hs_compile_error_t *fault;

	if (database.database == NULL) {
		EXPECT_EQ(HS_SUCCESS,
			  hs_compile("\\Asip:guest.*@home1\\.net\\z", HS_FLAG_SINGLEMATCH,
				     HS_MODE_BLOCK, NULL, &database.database, &fault));
		for (int w = 0; w < 2; w++)
			EXPECT_EQ(HS_SUCCESS, hs_alloc_scratch(database.database, &scratch[w]));
	}
	patterns = (struct pattern_part){.database = &database, .row = guests, .count = 2};
	world.view.patterns = &patterns;
}

void block_without_pattern(void)
{
	patterns.count = 0;
	patterns.part.generation++;
	world_turn();
}

static uint16_t guest_home;

static uint16_t call_home;

/** Where the hashes say: the block's, that of guest1, and that of the call. */
static void hash_to(uint16_t home)
{
	while (hash_of(IMPI) % 2 != home || hash_of(GUEST1) % 2 != guest_home ||
	       hash_of(CALL) % 2 != call_home || hash_of(GUEST2) % 2 != 0)
		world.config.hash_key[0]++;
}

struct registrar_key block_guest_key(void)
{
	return (struct registrar_key){hash_of(GUEST1), hash_of("shop")};
}

void block_call_home(uint16_t worker)
{
	call_home = worker;
}

void block_guest_home(uint16_t worker)
{
	guest_home = worker;
}

static void configure(uint16_t home)
{
	hash_to(home);
	patterns_start();
	world.wwsf[0].mode = WWSF_BLOCK;
	world.wwsf[0].registering_impi = SPAN(IMPI);
	world.wwsf[0].registering_impu = SPAN(IMPU);
	world.config.block_expires_s = 600000;
	world.config.block_retry_s = 30;
	world.config.block_retry_max_s = 1800;
	world.config.block_contacts = 3;
	world.config.absent = (struct absent_config){480, 20, SPAN("Subscriber absent")};
	world.config.unknown = (struct absent_config){404, 1, SPAN("")};
	world_reload();
}

void block_configure(void)
{
	configure(0);
}

void block_start_at(uint16_t home)
{
	world_start();
	configure(home);
}

void block_start(void)
{
	block_start_at(0);
}

struct row_block block_row(void)
{
	struct row_block rows[4];
	uint32_t cursor = 0;

	EXPECT_EQ(1, gateway_block_rows(world.gw, &cursor, 4, rows));
	EXPECT_EQ(0, cursor);
	EXPECT_TEXT("shop", rows[0].name);
	return rows[0];
}

void block_registers(uint32_t expires_s)
{
	world_wait(2000);
	core_answers(
		"200 OK",
		format("Contact: <sip:block-shop@192.0.2.10:5060;transport=tcp>;expires=%u" CRLF
		       "Service-Route: <sip:orig@198.18.0.30:6060;lr>" CRLF,
		       expires_s));
}

static const struct sent *word(uint32_t n)
{
	for (uint32_t i = 0; i < world.count; i++) {
		const struct message_head *head = (const void *)world.sent[i].head;

		if (world.sent[i].to == TO_WORKER && head->kind == MESSAGE_BLOCK && n-- == 0)
			return &world.sent[i];
	}
	return NULL;
}

uint32_t block_words(void)
{
	uint32_t n = 0;

	while (word(n) != NULL)
		n++;
	return n;
}

const struct message_block *block_word(uint32_t n)
{
	assert_non_null(word(n));
	EXPECT_EQ(1, word(n)->worker);
	return (const void *)word(n)->head;
}

const char *block_word_routes(uint32_t n)
{
	return word(n)->text;
}

struct message_block block_says(bool up)
{
	struct message_block m = {
		.head = {MESSAGE_BLOCK, sizeof(m)},
		.up = up,
		.impi_hash = hash_of(IMPI),
		.impu_hash = hash_of(IMPU),
		.until_us = world.now_us + 100000000,
	};

	snprintf(m.name, sizeof(m.name), "shop");
	return m;
}

struct message_block block_up_elsewhere(void)
{
	struct message_block m;

	block_start_at(1);
	m = block_says(true);
	gateway_block(world.gw, &m, SPAN(""));
	return m;
}

const char *block_asked(const char *impu)
{
	for (uint32_t i = world.count; i > 0; i--)
		if (world.sent[i - 1].to == TO_MW &&
		    contains(line(world.sent[i - 1].text, "To"), impu))
			return world.sent[i - 1].text;
	fail_msg("nothing was asked for it");
	return NULL;
}

const struct sent *block_sent(const char *expires)
{
	for (uint32_t i = world.count; i > 0; i--)
		if (world.sent[i - 1].to == TO_MW &&
		    strcmp(line(world.sent[i - 1].text, "Expires"), expires) == 0)
			return &world.sent[i - 1];
	fail_msg("nothing with that was sent");
	return NULL;
}

/* ---- guests --------------------------------------------------------------------------------- */

void block_up(void)
{
	block_start();
	block_registers(7200);
	world_forget();
}

void block_goes_down(void)
{
	world_wait(6600000000ull + 2000); /* its refresh */
	core_answers("403 Forbidden", "");
	EXPECT_EQ(ROW_BLOCK_DOWN, block_row().state);
}

const char *token_guest(const char *impu, int64_t lifetime_s)
{
	return token_of(GOOD_HEADER,
			format("{\"iss\":\"https://waf.home1.net\",\"aud\":\"sip:ep1.home1.net\","
			       "\"sub\":\"u1\",\"impu\":\"%s\",\"jti\":\"j1\",\"iat\":%lld,"
			       "\"exp\":%lld}",
			       impu, (long long)world.wall_s - 30,
			       (long long)world.wall_s + lifetime_s));
}

const char *register_guest(const struct guest *g)
{
	const char *impu = g->impu != NULL ? g->impu : GUEST1;
	const char *contact = g->contact != NULL
				      ? g->contact
				      : format("<sip:c%u@c%u.invalid;transport=ws>", g->at, g->at);

	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS c%u.invalid;branch=z9hG4bK%u%u" CRLF "To: <%s>" CRLF
		      "From: <%s>;tag=v1" CRLF "Call-ID: call%u" CRLF "CSeq: %u REGISTER" CRLF
		      "%s%s%s%s%s%sMax-Forwards: 69" CRLF "Content-Length: 0" CRLF CRLF,
		      g->at, g->at, g->cseq, impu, impu, g->at, g->cseq,
		      g->token != NULL ? "Authorization: Bearer " : "",
		      g->token != NULL ? g->token : "", g->token != NULL ? CRLF : "",
		      g->fetch ? "" : format("Contact: %s" CRLF, contact),
		      g->fetch ? "" : format("Expires: %u" CRLF, g->expires_s),
		      g->lines != NULL ? g->lines : "");
}

enum gw_err guest_registers(const struct guest *g)
{
	return wic_sends(g->at, register_guest(g));
}

const char *guest_registered(const struct guest *g)
{
	world_forget();
	EXPECT_EQ(GW_OK, guest_registers(g));
	EXPECT_EQ(200, status_of(world_only(TO_WIC)));
	EXPECT_EQ(0, world.wic[g->at].transactions);
	return world_only(TO_WIC);
}

const struct sent *block_letter(enum message_kind kind)
{
	for (uint32_t i = 0; i < world.count; i++) {
		const struct message_head *head = (const void *)world.sent[i].head;

		if (world.sent[i].to == TO_WORKER && head->kind == kind)
			return &world.sent[i];
	}
	return NULL;
}

/* ---- calls ---------------------------------------------------------------------------------- */

const char *core_asks(const struct core_says *s)
{
	const char *method = s->method != NULL ? s->method : "INVITE";
	const char *called = s->called != NULL ? s->called : "<" GUEST1 ">";

	return format("%s %s SIP/2.0" CRLF "Via: SIP/2.0/%s 198.18.0.20:5060;branch=z9hG4bK%s" CRLF
		      "%sMax-Forwards: 60" CRLF "%s%s%sFrom: <sip:carol@home2.net>;tag=c" CRLF
		      "To: %s" CRLF "Call-ID: c1@home2.net" CRLF "CSeq: 1 %s" CRLF
		      "Contact: <sip:carol@192.0.2.7>" CRLF
		      "P-Charging-Vector: icid-value=\"sc-11\";orig-ioi=\"home1.net\"" CRLF
		      "%sContent-Length: 0" CRLF CRLF,
		      method,
		      s->uri != NULL ? s->uri : "sip:block-shop@192.0.2.10:5060;transport=tcp",
		      world.source.transport == MW_UDP ? "UDP" : "TCP",
		      s->branch != NULL ? s->branch : "s1",
		      s->route != NULL ? s->route
				       : "Route: <sip:192.0.2.10:5060;transport=tcp;lr>" CRLF,
		      called[0] != 0 ? "P-Called-Party-ID: " : "", called,
		      called[0] != 0 ? CRLF : "", s->to != NULL ? s->to : "<" GUEST1 ">", method,
		      s->lines != NULL ? s->lines : "");
}
