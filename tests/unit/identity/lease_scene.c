/* SPDX-License-Identifier: BSD-3-Clause */
#include "lease_scene.h"

struct lease lease;
struct lease_said said;
uint32_t generations;
static uint32_t tickets;
struct lease_call now;

void lease_start(void)
{
	lease = (struct lease){0};
	said = (struct lease_said){0};
	generations = 40;
	tickets = 0;
	now = (struct lease_call){BEGUN_US, WALL_S, &generations};
}

void lease_wait(uint64_t us)
{
	now.now_us += us;
	now.wall_s = WALL_S + (now.now_us - BEGUN_US) / SECOND;
}

struct lease_terms token(uint64_t sub, int64_t iat_s, int64_t exp_s)
{
	return (struct lease_terms){
		.sub = sub,
		.jti = sub * 1000000 + (uint64_t)(iat_s + 5000) * 100 + (uint64_t)exp_s,
		.iat_s = WALL_S + (uint64_t)iat_s,
		.exp_s = WALL_S + (uint64_t)exp_s,
		.exp_us = BEGUN_US + (uint64_t)exp_s * SECOND,
	};
}

uint32_t asks(uint16_t n, struct lease_terms terms)
{
	struct message_lease_reserve m = {.impi = IMPI,
					  .flow = WINDOW(n),
					  .ticket = ++tickets,
					  .terms = terms};

	lease_reserve(&lease, &now, &m, &said);
	return tickets;
}

void granted(uint32_t at, uint16_t n, uint32_t ticket)
{
	const struct message_lease_granted *m = &said.message[at].granted;

	EXPECT(at < said.count);
	EXPECT_EQ(MESSAGE_LEASE_GRANTED, m->head.kind);
	EXPECT_EQ(sizeof(*m), m->head.len);
	EXPECT_EQ(IMPI, m->id.impi);
	EXPECT_EQ(generations, m->id.generation);
	EXPECT(handle_equal(WINDOW(n), m->flow));
	EXPECT_EQ(ticket, m->ticket);
	EXPECT_EQ(now.now_us + LEASE_RESERVED_US, m->deadline_us);
}

const struct message_lease_refused *refused(uint32_t at, uint16_t n, uint32_t ticket,
					    enum gw_err err)
{
	const struct message_lease_refused *m = &said.message[at].refused;

	EXPECT(at < said.count);
	EXPECT_EQ(MESSAGE_LEASE_REFUSED, m->head.kind);
	EXPECT_EQ(sizeof(*m), m->head.len);
	EXPECT_EQ(IMPI, m->impi);
	EXPECT(handle_equal(WINDOW(n), m->flow));
	EXPECT_EQ(ticket, m->ticket);
	EXPECT_EQ(err, m->err);
	return m;
}

void told_to_end(uint32_t at, uint32_t generation, uint16_t n, enum lease_end why)
{
	const struct message_lease_ended *m = &said.message[at].ended;

	EXPECT(at < said.count);
	EXPECT_EQ(MESSAGE_LEASE_ENDED, m->head.kind);
	EXPECT_EQ(sizeof(*m), m->head.len);
	EXPECT_EQ(IMPI, m->id.impi);
	EXPECT_EQ(generation, m->id.generation);
	EXPECT_EQ(why, m->why);
	EXPECT(handle_equal(WINDOW(n), m->flow));
	EXPECT(handle_equal(BINDING(n), m->binding));
}

void is_refused(uint16_t n, struct lease_terms terms, enum gw_err err, bool conflict,
		uint32_t retry_s)
{
	struct lease before = lease;
	uint32_t ticket = asks(n, terms);
	const struct message_lease_refused *m = refused(0, n, ticket, err);

	EXPECT_EQ(1, said.count);
	EXPECT_EQ(conflict, m->conflict);
	EXPECT_EQ(retry_s, m->retry_s);
	before.impi = IMPI;
	EXPECT_BYTES(&before, &lease, sizeof(lease));
}

void is_granted(uint16_t n, struct lease_terms terms)
{
	uint32_t ticket = asks(n, terms);

	EXPECT_EQ(1, said.count);
	granted(0, n, ticket);
}

uint32_t waits(uint16_t n, struct lease_terms terms)
{
	uint32_t ticket = asks(n, terms);

	EXPECT_EQ(0, said.count);
	EXPECT(lease.asker.waits);
	return ticket;
}

void confirms(uint32_t generation, uint16_t n, uint64_t contact, uint64_t instance)
{
	struct message_lease_confirm m = {.id = {IMPI, generation},
					  .flow = WINDOW(n),
					  .binding = BINDING(n),
					  .contact = contact,
					  .instance = instance};

	lease_confirm(&lease, &now, &m, &said);
}

void cancels(uint32_t generation)
{
	struct message_lease_cancel m = {.id = {IMPI, generation}};

	lease_cancel(&lease, &now, &m, &said);
}

void releases(uint32_t generation, struct handle binding)
{
	struct message_lease_release m = {.id = {IMPI, generation}, .binding = binding};

	lease_release(&lease, &now, &m, &said);
}

uint32_t holds(uint16_t n, struct lease_terms terms)
{
	is_granted(n, terms);
	confirms(generations, n, n, 0);
	EXPECT_EQ(0, said.count);
	EXPECT_EQ(LEASE_HELD, lease.holder.state);
	return generations;
}

void due_at(uint64_t us)
{
	struct lease before = lease;

	EXPECT_EQ(us, lease_next_us(&lease));
	now.now_us = us - 1;
	lease_due(&lease, &now, &said);
	EXPECT_EQ(0, said.count);
	EXPECT_BYTES(&before, &lease, sizeof(lease));
	now.now_us = us;
	lease_due(&lease, &now, &said);
}
