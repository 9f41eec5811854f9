/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

const struct handle pool_far_flow = {.worker = 1, .slot = 3, .generation = 9};
const struct handle pool_far_binding = {.worker = 1, .slot = 4, .generation = 9};

static struct message_lease_confirm confirmed; /* last */

void pool_start(uint16_t home)
{
	world_start();
	world.wwsf[0].mode = WWSF_POOL;
	world.config.max_pool_lifetime_s = 86400;
	world_home(home);
	world_reload();
	world_forget();
}

const char *pool_payload(const char *sub, const char *jti, int64_t iat_s, int64_t exp_s)
{
	return format("{\"iss\":\"https://waf.home1.net\",\"aud\":\"sip:ep1.home1.net\","
		      "\"sub\":\"%s\",\"impi\":\"alice@ims.home1.net\","
		      "\"impu\":\"sip:alice@home1.net\",\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld}",
		      sub, jti, (long long)(WORLD_WALL_S + iat_s),
		      (long long)(WORLD_WALL_S + exp_s));
}

const char *pool_token(const char *sub, const char *jti, int64_t iat_s, int64_t exp_s)
{
	return token_of(GOOD_HEADER, pool_payload(sub, jti, iat_s, exp_s));
}

enum gw_err pool_asks_with(uint32_t wic, const char *token)
{
	return wic_sends(wic, wic == 0 ? register_jssip(token, 600) : register_sipjs(token, 600));
}

enum gw_err pool_asks(uint32_t wic)
{
	return pool_asks_with(wic, wic == 0 ? pool_token("u1", "t-1", -10, 3000)
					    : pool_token("u1", "t-2", 0, 3000));
}

/* ---- what was said to worker 1 -------------------------------------------------------------- */

static const struct message_head *letter_head(uint32_t n)
{
	EXPECT_EQ(1, world.letter[n].worker);
	return (const void *)world.letter[n].bytes;
}

uint32_t letters_of(enum message_kind kind)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < world.letters; i++)
		n += letter_head(i)->kind == kind;
	return n;
}

const void *last_letter(enum message_kind kind)
{
	for (uint32_t i = world.letters; i > 0; i--)
		if (letter_head(i - 1)->kind == kind)
			return letter_head(i - 1);
	fail_msg("nothing of that kind was said");
	return NULL;
}

/* ---- worker 1 is home ----------------------------------------------------------------------- */

void home_says_granted(uint32_t generation, uint64_t deadline_us)
{
	const struct message_lease_reserve *asked = last_letter(MESSAGE_LEASE_RESERVE);
	struct message_lease_granted m = {.head = {MESSAGE_LEASE_GRANTED, sizeof(m)},
					  .id = {asked->impi, generation},
					  .flow = asked->flow,
					  .ticket = asked->ticket,
					  .deadline_us = deadline_us};

	gateway_lease_message(world.gw, &m.head);
}

void home_grants(uint32_t generation)
{
	home_says_granted(generation, world.now_us + LEASE_RESERVED_US);
	world_leased();
}

void home_refuses(enum gw_err err, bool conflict, uint32_t retry_s)
{
	const struct message_lease_reserve *asked = last_letter(MESSAGE_LEASE_RESERVE);
	struct message_lease_refused m = {.head = {MESSAGE_LEASE_REFUSED, sizeof(m)},
					  .impi = asked->impi,
					  .flow = asked->flow,
					  .ticket = asked->ticket,
					  .err = err,
					  .conflict = conflict,
					  .retry_s = retry_s};

	gateway_lease_message(world.gw, &m.head);
	world_leased();
}

void home_ends(enum lease_end why)
{
	struct message_lease_ended m = {.head = {MESSAGE_LEASE_ENDED, sizeof(m)},
					.id = confirmed.id,
					.why = why,
					.flow = confirmed.flow,
					.binding = confirmed.binding};

	gateway_lease_message(world.gw, &m.head);
}

void pool_holds(uint32_t wic, uint32_t generation)
{
	EXPECT_EQ(GW_AGAIN, pool_asks(wic));
	home_grants(generation);
	path_remember(last_to(TO_MW));
	core_registers(600);
	EXPECT_EQ(200, status_of(last_to(TO_WIC)));
	confirmed = *(const struct message_lease_confirm *)last_letter(MESSAGE_LEASE_CONFIRM);
	world_forget();
}

/* ---- worker 1 has a window ------------------------------------------------------------------ */

uint64_t pool_impi(void)
{
	return gateway_identity_hash(world.gw, SPAN("alice@ims.home1.net"));
}

struct lease_terms far_terms(uint64_t sub, int64_t iat_s, int64_t exp_s)
{
	return (struct lease_terms){
		.sub = sub,
		.jti = sub + (uint64_t)(iat_s + 100000),
		.iat_s = (uint64_t)(WORLD_WALL_S + iat_s),
		.exp_s = (uint64_t)(WORLD_WALL_S + exp_s),
	};
}

void far_asks(uint64_t impi, uint32_t ticket, const struct lease_terms *terms)
{
	struct message_lease_reserve m = {.head = {MESSAGE_LEASE_RESERVE, sizeof(m)},
					  .impi = impi,
					  .flow = pool_far_flow,
					  .ticket = ticket,
					  .terms = *terms};

	m.terms.exp_us = world.now_us + m.terms.exp_s * S - world_time().wall_us;
	gateway_lease_message(world.gw, &m.head);
	world_leased();
}

void far_confirms(struct lease_id id)
{
	struct message_lease_confirm m = {.head = {MESSAGE_LEASE_CONFIRM, sizeof(m)},
					  .id = id,
					  .flow = pool_far_flow,
					  .binding = pool_far_binding,
					  .contact = 77};

	gateway_lease_message(world.gw, &m.head);
	world_leased();
}

void far_cancels(struct lease_id id)
{
	struct message_lease_cancel m = {.head = {MESSAGE_LEASE_CANCEL, sizeof(m)}, .id = id};

	gateway_lease_message(world.gw, &m.head);
	world_leased();
}

void far_releases(struct lease_id id)
{
	struct message_lease_release m = {.head = {MESSAGE_LEASE_RELEASE, sizeof(m)},
					  .id = id,
					  .binding = pool_far_binding};

	gateway_lease_message(world.gw, &m.head);
	world_leased();
}

void pool_nothing_waits(void)
{
	EXPECT_EQ(0, gateway_lease_waits(world.gw));
	EXPECT_EQ(0, gateway_parked(world.gw));
	EXPECT_EQ(0, world_count(&world.counters.invariant_broken));
	for (uint32_t i = 0; i < WICS; i++) {
		EXPECT_EQ(0, world.waiting[i]);
		EXPECT_EQ(POOL_IDLE, world.wic[i].pool.state);
	}
}
