/* SPDX-License-Identifier: BSD-3-Clause */
#include "sip/sip.h"
#include "test.h"

/*
 * The four transaction machines against a model that was written from RFC 3261 17 (figures 5 to 8)
 * and RFC 6026 7 and 8: arrows in tables, timers by their letters. The model and the machine take
 * the same random events at the same times, and must agree on state, actions and due time.
 */

#define MS 1000ull
#define S 1000000ull
#define NEVER UINT64_MAX

/* ---- the model's timers --------------------------------------------------------------------- */

enum letter { A, B, D, E, F, G, H, I, J, K, L, M, LETTERS, NONE };

/** How long a timer runs when it is started, over an unreliable transport and over a reliable
 * one. */
static const uint64_t runs[LETTERS][2] = {
	[A] = {500 * MS, NEVER}, [B] = {32 * S, 32 * S}, [D] = {32 * S, 0},
	[E] = {500 * MS, NEVER}, [F] = {32 * S, 32 * S}, [G] = {500 * MS, NEVER},
	[H] = {32 * S, 32 * S},	 [I] = {5 * S, 0},	 [J] = {32 * S, 0},
	[K] = {5 * S, 0},	 [L] = {32 * S, 32 * S}, [M] = {32 * S, 32 * S},
};

struct model {
	enum sip_machine_kind kind;
	enum sip_state state;
	bool reliable;
	uint64_t at[LETTERS]; /* when a timer fires */
	uint64_t wait;	      /* of A, E or G at its last start */
};

static void timer_start(struct model *m, enum letter timer, uint64_t now)
{
	uint64_t run = runs[timer][m->reliable ? 1 : 0];

	m->at[timer] = run == NEVER ? NEVER : now + run;
	if (timer == A || timer == E || timer == G)
		m->wait = run;
}

/* ---- its arrows ----------------------------------------------------------------------------- */

struct arrow {
	enum sip_machine_kind kind;
	enum sip_state from;
	enum sip_event event;
	enum letter fired; /* of SIP_ON_TIMER: which */
	enum sip_state to;
	uint32_t actions;
	enum letter first, second; /* timers that are started; all others stop when `to` is new */
};

#define UP SIP_DO_RESPONSE
#define SEND SIP_DO_RESPONSE
#define CI SIP_CLIENT_INVITE
#define CO SIP_CLIENT_OTHER
#define SI SIP_SERVER_INVITE
#define SO SIP_SERVER_OTHER
#define GOES_ON(event) SIP_ON_##event, NONE
#define FIRED(timer) SIP_ON_TIMER, timer

static const struct arrow arrows[] = {
	/* figure 5, RFC 6026 figure 1 */
	{CI, SIP_CALLING, FIRED(A), SIP_CALLING, SIP_DO_AGAIN, A, NONE},
	{CI, SIP_CALLING, FIRED(B), SIP_TERMINATED, SIP_DO_TIMEOUT, NONE, NONE},
	{CI, SIP_CALLING, GOES_ON(ERROR), SIP_TERMINATED, SIP_DO_ERROR, NONE, NONE},
	{CI, SIP_CALLING, GOES_ON(PROVISIONAL), SIP_PROCEEDING, UP, NONE, NONE},
	{CI, SIP_CALLING, GOES_ON(SUCCESS), SIP_ACCEPTED, UP, M, NONE},
	{CI, SIP_CALLING, GOES_ON(FAILURE), SIP_COMPLETED, UP | SIP_DO_ACK, D, NONE},
	{CI, SIP_PROCEEDING, GOES_ON(PROVISIONAL), SIP_PROCEEDING, UP, NONE, NONE},
	{CI, SIP_PROCEEDING, GOES_ON(SUCCESS), SIP_ACCEPTED, UP, M, NONE},
	{CI, SIP_PROCEEDING, GOES_ON(FAILURE), SIP_COMPLETED, UP | SIP_DO_ACK, D, NONE},
	{CI, SIP_PROCEEDING, GOES_ON(ERROR), SIP_TERMINATED, SIP_DO_ERROR, NONE, NONE}, /* 17.1.4 */
	{CI, SIP_ACCEPTED, GOES_ON(SUCCESS), SIP_ACCEPTED, UP, NONE, NONE},
	{CI, SIP_ACCEPTED, FIRED(M), SIP_TERMINATED, 0, NONE, NONE},
	{CI, SIP_COMPLETED, GOES_ON(FAILURE), SIP_COMPLETED, SIP_DO_ACK, NONE, NONE},
	{CI, SIP_COMPLETED, GOES_ON(ERROR), SIP_TERMINATED, SIP_DO_ERROR, NONE, NONE},
	{CI, SIP_COMPLETED, FIRED(D), SIP_TERMINATED, 0, NONE, NONE},
	/* figure 6 */
	{CO, SIP_CALLING, FIRED(E), SIP_CALLING, SIP_DO_AGAIN, E, NONE},
	{CO, SIP_CALLING, FIRED(F), SIP_TERMINATED, SIP_DO_TIMEOUT, NONE, NONE},
	{CO, SIP_CALLING, GOES_ON(ERROR), SIP_TERMINATED, SIP_DO_ERROR, NONE, NONE},
	{CO, SIP_CALLING, GOES_ON(PROVISIONAL), SIP_PROCEEDING, UP, NONE, NONE},
	{CO, SIP_CALLING, GOES_ON(SUCCESS), SIP_COMPLETED, UP, K, NONE},
	{CO, SIP_CALLING, GOES_ON(FAILURE), SIP_COMPLETED, UP, K, NONE},
	{CO, SIP_PROCEEDING, FIRED(E), SIP_PROCEEDING, SIP_DO_AGAIN, E, NONE},
	{CO, SIP_PROCEEDING, FIRED(F), SIP_TERMINATED, SIP_DO_TIMEOUT, NONE, NONE},
	{CO, SIP_PROCEEDING, GOES_ON(ERROR), SIP_TERMINATED, SIP_DO_ERROR, NONE, NONE},
	{CO, SIP_PROCEEDING, GOES_ON(PROVISIONAL), SIP_PROCEEDING, UP, NONE, NONE},
	{CO, SIP_PROCEEDING, GOES_ON(SUCCESS), SIP_COMPLETED, UP, K, NONE},
	{CO, SIP_PROCEEDING, GOES_ON(FAILURE), SIP_COMPLETED, UP, K, NONE},
	{CO, SIP_COMPLETED, FIRED(K), SIP_TERMINATED, 0, NONE, NONE},
	/* figure 7, RFC 6026 figure 2 and 7.1: an error of the transport does not end it */
	{SI, SIP_PROCEEDING, GOES_ON(REQUEST), SIP_PROCEEDING, SIP_DO_AGAIN, NONE, NONE},
	{SI, SIP_PROCEEDING, GOES_ON(PROVISIONAL), SIP_PROCEEDING, SEND, NONE, NONE},
	{SI, SIP_PROCEEDING, GOES_ON(SUCCESS), SIP_ACCEPTED, SEND, L, NONE},
	{SI, SIP_PROCEEDING, GOES_ON(FAILURE), SIP_COMPLETED, SEND, G, H},
	{SI, SIP_PROCEEDING, GOES_ON(ERROR), SIP_PROCEEDING, SIP_DO_ERROR, NONE, NONE},
	{SI, SIP_ACCEPTED, GOES_ON(SUCCESS), SIP_ACCEPTED, SEND, NONE, NONE},
	{SI, SIP_ACCEPTED, GOES_ON(ERROR), SIP_ACCEPTED, SIP_DO_ERROR, NONE, NONE},
	{SI, SIP_ACCEPTED, FIRED(L), SIP_TERMINATED, 0, NONE, NONE},
	{SI, SIP_COMPLETED, GOES_ON(REQUEST), SIP_COMPLETED, SIP_DO_AGAIN, NONE, NONE},
	{SI, SIP_COMPLETED, FIRED(G), SIP_COMPLETED, SIP_DO_AGAIN, G, NONE},
	{SI, SIP_COMPLETED, FIRED(H), SIP_TERMINATED, SIP_DO_TIMEOUT, NONE, NONE},
	{SI, SIP_COMPLETED, GOES_ON(ACK), SIP_CONFIRMED, 0, I, NONE},
	{SI, SIP_COMPLETED, GOES_ON(ERROR), SIP_COMPLETED, SIP_DO_ERROR, NONE, NONE},
	{SI, SIP_CONFIRMED, FIRED(I), SIP_TERMINATED, 0, NONE, NONE},
	/* figure 8 */
	{SO, SIP_TRYING, GOES_ON(PROVISIONAL), SIP_PROCEEDING, SEND, NONE, NONE},
	{SO, SIP_TRYING, GOES_ON(SUCCESS), SIP_COMPLETED, SEND, J, NONE},
	{SO, SIP_TRYING, GOES_ON(FAILURE), SIP_COMPLETED, SEND, J, NONE},
	{SO, SIP_PROCEEDING, GOES_ON(REQUEST), SIP_PROCEEDING, SIP_DO_AGAIN, NONE, NONE},
	{SO, SIP_PROCEEDING, GOES_ON(PROVISIONAL), SIP_PROCEEDING, SEND, NONE, NONE},
	{SO, SIP_PROCEEDING, GOES_ON(SUCCESS), SIP_COMPLETED, SEND, J, NONE},
	{SO, SIP_PROCEEDING, GOES_ON(FAILURE), SIP_COMPLETED, SEND, J, NONE},
	{SO, SIP_PROCEEDING, GOES_ON(ERROR), SIP_TERMINATED, SIP_DO_ERROR, NONE, NONE},
	{SO, SIP_COMPLETED, GOES_ON(REQUEST), SIP_COMPLETED, SIP_DO_AGAIN, NONE, NONE},
	{SO, SIP_COMPLETED, GOES_ON(ERROR), SIP_TERMINATED, SIP_DO_ERROR, NONE, NONE},
	{SO, SIP_COMPLETED, FIRED(J), SIP_TERMINATED, 0, NONE, NONE},
};
#define ARROWS (sizeof(arrows) / sizeof(arrows[0]))

/* ---- its run -------------------------------------------------------------------------------- */

static void all_stop(struct model *m)
{
	for (uint32_t i = 0; i < LETTERS; i++)
		m->at[i] = NEVER;
}

static void model_start(struct model *m, enum sip_machine_kind kind, bool reliable, uint64_t now)
{
	static const enum sip_state first[] = {SIP_CALLING, SIP_CALLING, SIP_PROCEEDING,
					       SIP_TRYING};

	*m = (struct model){.kind = kind, .reliable = reliable, .state = first[kind]};
	all_stop(m);
	if (kind == CI) {
		timer_start(m, A, now);
		timer_start(m, B, now);
	} else if (kind == CO) {
		timer_start(m, E, now);
		timer_start(m, F, now);
	}
}

static uint64_t model_due(const struct model *m)
{
	uint64_t due = NEVER;

	for (uint32_t i = 0; i < LETTERS; i++)
		due = m->at[i] < due ? m->at[i] : due;
	return due;
}

/** Which timer fires now. What ends a transaction goes before what would only send again. */
static enum letter fires(const struct model *m, uint64_t now)
{
	enum letter again = NONE;

	for (uint32_t i = 0; i < LETTERS; i++) {
		if (m->at[i] > now)
			continue;
		if (i != A && i != E && i != G)
			return (enum letter)i;
		again = (enum letter)i;
	}
	return again;
}

/** A doubles without end, E and G up to T2; E is T2 at once after a provisional response. */
static void wait_again(struct model *m, enum letter timer, uint64_t now)
{
	m->wait *= 2;
	if (timer != A && (m->wait > 4 * S || m->state == SIP_PROCEEDING))
		m->wait = 4 * S;
	m->at[timer] = now + m->wait;
}

static bool enters(struct model *m, const struct arrow *arrow, uint64_t now)
{
	/* E and F go on over a provisional response; nothing else outlives its state */
	bool keep = m->kind == CO && arrow->to == SIP_PROCEEDING;

	if (!keep)
		all_stop(m);
	m->state = arrow->to;
	if (arrow->first != NONE)
		timer_start(m, arrow->first, now);
	if (arrow->second != NONE)
		timer_start(m, arrow->second, now);
	return arrow->first != NONE && m->at[arrow->first] <= now; /* a timer of 0 */
}

static uint32_t model_event(struct model *m, enum sip_event event, uint64_t now)
{
	enum letter fired = event == SIP_ON_TIMER ? fires(m, now) : NONE;

	if (event == SIP_ON_TIMER && fired == NONE)
		return 0;
	for (uint32_t i = 0; i < ARROWS; i++) {
		const struct arrow *a = &arrows[i];

		if (a->kind != m->kind || a->from != m->state || a->event != event ||
		    a->fired != fired)
			continue;
		if (a->to != a->from) {
			if (enters(m, a, now)) {
				m->state = SIP_TERMINATED;
				all_stop(m);
			}
		} else if (a->first != NONE) {
			wait_again(m, a->first, now);
		}
		return a->actions;
	}
	return 0;
}

/* ---- random events -------------------------------------------------------------------------- */

#define SEQUENCES 240000u
#define EVENTS_MAX 24

static uint64_t seed;

static uint64_t random_next(void)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)(random_next() % n);
}

/** Time until the next event: none, a little, up to the timer, past it, long. */
static uint64_t passes(uint64_t now, uint64_t due)
{
	switch (below(8)) {
	case 0:
		return 0;
	case 1:
		return below(1000);
	case 2:
		return below(600000);
	case 3:
		return below(40000000);
	case 4:
		return due != NEVER && due > now ? due - now - 1 : 0;
	case 5:
		return due != NEVER && due > now ? due - now + below(20000) : below(5000000);
	default:
		return due != NEVER && due > now ? due - now : 1;
	}
}

struct seen {
	uint32_t reached[SIP_MACHINE_KINDS][SIP_STATES];
	uint32_t taken[ARROWS];
};
static struct seen seen;

static void remember(const struct model *before, enum sip_event event, uint64_t now)
{
	enum letter fired = event == SIP_ON_TIMER ? fires(before, now) : NONE;

	for (uint32_t i = 0; i < ARROWS; i++)
		if (arrows[i].kind == before->kind && arrows[i].from == before->state &&
		    arrows[i].event == event && arrows[i].fired == fired)
			seen.taken[i]++;
}

static void one_sequence(uint32_t number)
{
	enum sip_machine_kind kind = (enum sip_machine_kind)(number % SIP_MACHINE_KINDS);
	bool reliable = (number / SIP_MACHINE_KINDS) % 2 == 1;
	struct sip_machine tested;
	struct model model;
	uint32_t length;
	uint64_t now;

	seed = number * 0x2545f4914f6cdd1dull + 1; /* each can be played by itself */
	now = number % 3 == 0 ? 0 : random_next() >> 20;
	length = 1 + below(EVENTS_MAX);
	sip_machine_start(&tested, kind, reliable, now);
	model_start(&model, kind, reliable, now);
	for (uint32_t i = 0; i <= length; i++) {
		enum sip_event event =
			below(3) == 0 ? (enum sip_event)below(SIP_EVENTS) : SIP_ON_TIMER;
		uint32_t wanted, got;

		if (tested.state != model.state || sip_machine_due(&tested) != model_due(&model))
			fail_msg("sequence %u, event %u, kind %d, %sreliable: state %d for %d, "
				 "due %+lld for %+lld",
				 number, i, kind, reliable ? "" : "un", tested.state, model.state,
				 (long long)(sip_machine_due(&tested) - now),
				 (long long)(model_due(&model) - now));
		now += passes(now, model_due(&model));
		remember(&model, event, now);
		wanted = model_event(&model, event, now);
		got = sip_machine_event(&tested, event, now);
		if (wanted != got)
			fail_msg("sequence %u, event %u, kind %d, %sreliable: on %d in a state now "
				 "%d actions %u for %u",
				 number, i, kind, reliable ? "" : "un", event, model.state, got,
				 wanted);
		seen.reached[kind][tested.state]++;
	}
}

TEST(machines, agree_with_the_model_over_random_events)
{
	memset(&seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < SEQUENCES; i++)
		one_sequence(i);
	for (uint32_t i = 0; i < ARROWS; i++)
		if (seen.taken[i] < 20)
			fail_msg("arrow %u was taken %u times", i, seen.taken[i]);
	for (uint32_t k = 0; k < SIP_MACHINE_KINDS; k++)
		EXPECT(seen.reached[k][SIP_TERMINATED] > 0);
}

/* ---- arrows, one by one --------------------------------------------------------------------- */

static struct sip_machine machine;

#define T0 (7 * S)

static void begins(enum sip_machine_kind kind, bool reliable)
{
	sip_machine_start(&machine, kind, reliable, T0);
}

/** An event at a time after T0, what it must lead to and what must be done. */
static void leads(enum sip_event event, uint64_t after, uint32_t actions, enum sip_state state)
{
	EXPECT_EQ(actions, sip_machine_event(&machine, event, T0 + after));
	EXPECT_EQ(state, machine.state);
}

/** The next timer is at this time after T0, or never. */
static void due(uint64_t after)
{
	if (after == NEVER)
		EXPECT(sip_machine_due(&machine) == NEVER);
	else
		EXPECT_EQ(T0 + after, sip_machine_due(&machine));
}

/** Fires at each of these milliseconds and does actions; then nothing until end. */
static void fires_at(const uint32_t *ms, uint32_t count, uint64_t end)
{
	enum sip_state state = machine.state;

	for (uint32_t i = 0; i < count; i++) {
		due(ms[i] * MS);
		leads(SIP_ON_TIMER, ms[i] * MS - 1, 0, state);
		leads(SIP_ON_TIMER, ms[i] * MS, SIP_DO_AGAIN, state);
	}
	due(end);
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

TEST(timer, a_doubles_from_t1_until_b)
{
	static const uint32_t at[] = {500, 1500, 3500, 7500, 15500, 31500};

	begins(SIP_CLIENT_INVITE, false);
	fires_at(at, COUNT(at), 32 * S);
	leads(SIP_ON_TIMER, 32 * S, SIP_DO_TIMEOUT, SIP_TERMINATED);
	due(NEVER);
}

TEST(timer, a_is_not_used_on_reliable_transports_and_b_is)
{
	begins(SIP_CLIENT_INVITE, true);
	due(32 * S);
	leads(SIP_ON_TIMER, 32 * S - 1, 0, SIP_CALLING);
	leads(SIP_ON_TIMER, 32 * S, SIP_DO_TIMEOUT, SIP_TERMINATED);
}

TEST(timer, a_and_b_stop_at_a_provisional_response)
{
	begins(SIP_CLIENT_INVITE, false);
	leads(SIP_ON_PROVISIONAL, 100 * MS, SIP_DO_RESPONSE, SIP_PROCEEDING);
	due(NEVER);
	leads(SIP_ON_TIMER, 600 * MS, 0, SIP_PROCEEDING);
	leads(SIP_ON_TIMER, 33 * S, 0, SIP_PROCEEDING);
}

TEST(timer, d_is_32_s_on_unreliable_transports_and_0_on_reliable)
{
	begins(SIP_CLIENT_INVITE, false);
	leads(SIP_ON_FAILURE, S, SIP_DO_RESPONSE | SIP_DO_ACK, SIP_COMPLETED);
	due(33 * S);
	leads(SIP_ON_FAILURE, 10 * S, SIP_DO_ACK, SIP_COMPLETED);
	due(33 * S);
	leads(SIP_ON_TIMER, 33 * S - 1, 0, SIP_COMPLETED);
	leads(SIP_ON_TIMER, 33 * S, 0, SIP_TERMINATED);
	begins(SIP_CLIENT_INVITE, true);
	leads(SIP_ON_FAILURE, S, SIP_DO_RESPONSE | SIP_DO_ACK, SIP_TERMINATED);
	due(NEVER);
}

TEST(timer, e_doubles_from_t1_up_to_t2_until_f)
{
	static const uint32_t at[] = {500,   1500,  3500,  7500,  11500,
				      15500, 19500, 23500, 27500, 31500};

	begins(SIP_CLIENT_OTHER, false);
	fires_at(at, COUNT(at), 32 * S);
	leads(SIP_ON_TIMER, 32 * S, SIP_DO_TIMEOUT, SIP_TERMINATED);
}

TEST(timer, e_runs_on_after_a_provisional_response_and_is_t2_then)
{
	static const uint32_t at[] = {500, 4500, 8500, 12500, 16500, 20500, 24500, 28500};

	begins(SIP_CLIENT_OTHER, false);
	leads(SIP_ON_PROVISIONAL, 100 * MS, SIP_DO_RESPONSE, SIP_PROCEEDING);
	fires_at(at, COUNT(at), 32 * S);
	leads(SIP_ON_TIMER, 32 * S, SIP_DO_TIMEOUT, SIP_TERMINATED);
}

TEST(timer, e_is_not_used_on_reliable_transports_and_f_is)
{
	begins(SIP_CLIENT_OTHER, true);
	due(32 * S);
	leads(SIP_ON_PROVISIONAL, S, SIP_DO_RESPONSE, SIP_PROCEEDING);
	due(32 * S);
	leads(SIP_ON_TIMER, 32 * S, SIP_DO_TIMEOUT, SIP_TERMINATED);
}

TEST(timer, g_doubles_from_t1_up_to_t2_until_h)
{
	static const uint32_t at[] = {500,   1500,  3500,  7500,  11500,
				      15500, 19500, 23500, 27500, 31500};

	begins(SIP_SERVER_INVITE, false);
	due(NEVER);
	leads(SIP_ON_FAILURE, 0, SIP_DO_RESPONSE, SIP_COMPLETED);
	fires_at(at, COUNT(at), 32 * S);
	leads(SIP_ON_TIMER, 32 * S, SIP_DO_TIMEOUT, SIP_TERMINATED);
}

TEST(timer, g_is_not_used_on_reliable_transports_and_h_is)
{
	begins(SIP_SERVER_INVITE, true);
	leads(SIP_ON_FAILURE, S, SIP_DO_RESPONSE, SIP_COMPLETED);
	due(33 * S);
	leads(SIP_ON_TIMER, 33 * S, SIP_DO_TIMEOUT, SIP_TERMINATED);
}

TEST(timer, i_is_t4_on_unreliable_transports_and_0_on_reliable)
{
	begins(SIP_SERVER_INVITE, false);
	leads(SIP_ON_FAILURE, S, SIP_DO_RESPONSE, SIP_COMPLETED);
	leads(SIP_ON_ACK, 2 * S, 0, SIP_CONFIRMED);
	due(7 * S);
	leads(SIP_ON_TIMER, 7 * S, 0, SIP_TERMINATED);
	begins(SIP_SERVER_INVITE, true);
	leads(SIP_ON_FAILURE, S, SIP_DO_RESPONSE, SIP_COMPLETED);
	leads(SIP_ON_ACK, 2 * S, 0, SIP_TERMINATED);
}

TEST(timer, j_is_32_s_on_unreliable_transports_and_0_on_reliable)
{
	begins(SIP_SERVER_OTHER, false);
	due(NEVER);
	leads(SIP_ON_SUCCESS, S, SIP_DO_RESPONSE, SIP_COMPLETED);
	due(33 * S);
	leads(SIP_ON_TIMER, 33 * S, 0, SIP_TERMINATED);
	begins(SIP_SERVER_OTHER, true);
	leads(SIP_ON_SUCCESS, S, SIP_DO_RESPONSE, SIP_TERMINATED);
}

TEST(timer, k_is_t4_on_unreliable_transports_and_0_on_reliable)
{
	begins(SIP_CLIENT_OTHER, false);
	leads(SIP_ON_FAILURE, S, SIP_DO_RESPONSE, SIP_COMPLETED);
	due(6 * S);
	leads(SIP_ON_TIMER, 6 * S, 0, SIP_TERMINATED);
	begins(SIP_CLIENT_OTHER, true);
	leads(SIP_ON_SUCCESS, S, SIP_DO_RESPONSE, SIP_TERMINATED);
}

TEST(timer, l_is_32_s_on_all_transports)
{
	for (uint32_t reliable = 0; reliable < 2; reliable++) {
		begins(SIP_SERVER_INVITE, reliable != 0);
		leads(SIP_ON_SUCCESS, S, SIP_DO_RESPONSE, SIP_ACCEPTED);
		leads(SIP_ON_SUCCESS, 20 * S, SIP_DO_RESPONSE, SIP_ACCEPTED);
		due(33 * S);
		leads(SIP_ON_TIMER, 33 * S, 0, SIP_TERMINATED);
	}
}

TEST(timer, m_is_32_s_on_all_transports)
{
	for (uint32_t reliable = 0; reliable < 2; reliable++) {
		begins(SIP_CLIENT_INVITE, reliable != 0);
		leads(SIP_ON_SUCCESS, S, SIP_DO_RESPONSE, SIP_ACCEPTED);
		leads(SIP_ON_SUCCESS, 20 * S, SIP_DO_RESPONSE, SIP_ACCEPTED);
		due(33 * S);
		leads(SIP_ON_TIMER, 33 * S, 0, SIP_TERMINATED);
	}
}

TEST(timer, that_fires_late_sends_once_and_counts_from_then)
{
	begins(SIP_CLIENT_OTHER, false);
	leads(SIP_ON_TIMER, 9 * S, SIP_DO_AGAIN, SIP_CALLING);
	due(10 * S);
	leads(SIP_ON_TIMER, 40 * S, SIP_DO_TIMEOUT, SIP_TERMINATED);
}

/** Every arrow of the figures that the model has, taken by itself. */
static void walk_arrows(enum sip_machine_kind kind)
{
	for (uint32_t r = 0; r < 2; r++)
		for (uint32_t i = 0; i < ARROWS; i++) {
			const struct arrow *a = &arrows[i];
			struct model model;
			uint32_t wanted;
			enum sip_state from;

			if (a->kind != kind || a->event == SIP_ON_TIMER)
				continue;
			begins(kind, r != 0);
			model_start(&model, kind, r != 0, T0);
			if (a->from == SIP_PROCEEDING)
				leads(SIP_ON_PROVISIONAL, 0, SIP_DO_RESPONSE, SIP_PROCEEDING);
			if (a->from == SIP_ACCEPTED)
				leads(SIP_ON_SUCCESS, 0, SIP_DO_RESPONSE, SIP_ACCEPTED);
			if (a->from == SIP_COMPLETED && r == 0)
				EXPECT(sip_machine_event(&machine, SIP_ON_FAILURE, T0) != 0);
			from = machine.state;
			if (from != a->from)
				continue;
			wanted = a->actions;
			EXPECT_EQ(wanted, sip_machine_event(&machine, a->event, T0 + 1));
			if (r == 0)
				EXPECT_EQ(a->to, machine.state);
		}
}

TEST(client_invite, takes_the_arrows_of_figure_5)
{
	walk_arrows(SIP_CLIENT_INVITE);
}

TEST(client_other, takes_the_arrows_of_figure_6)
{
	walk_arrows(SIP_CLIENT_OTHER);
}

TEST(server_invite, takes_the_arrows_of_figure_7)
{
	walk_arrows(SIP_SERVER_INVITE);
}

TEST(server_other, takes_the_arrows_of_figure_8)
{
	walk_arrows(SIP_SERVER_OTHER);
}

TEST(client_invite, does_not_hand_up_a_failure_after_a_2xx)
{
	begins(SIP_CLIENT_INVITE, false);
	leads(SIP_ON_SUCCESS, 0, SIP_DO_RESPONSE, SIP_ACCEPTED);
	leads(SIP_ON_FAILURE, S, 0, SIP_ACCEPTED);
	leads(SIP_ON_PROVISIONAL, S, 0, SIP_ACCEPTED);
}

TEST(client_invite, does_not_hand_up_a_2xx_after_a_failure)
{
	begins(SIP_CLIENT_INVITE, false);
	leads(SIP_ON_FAILURE, 0, SIP_DO_RESPONSE | SIP_DO_ACK, SIP_COMPLETED);
	leads(SIP_ON_SUCCESS, S, 0, SIP_COMPLETED);
	leads(SIP_ON_PROVISIONAL, S, 0, SIP_COMPLETED);
}

TEST(client_other, absorbs_a_final_response_that_comes_again)
{
	begins(SIP_CLIENT_OTHER, false);
	leads(SIP_ON_SUCCESS, 0, SIP_DO_RESPONSE, SIP_COMPLETED);
	leads(SIP_ON_SUCCESS, S, 0, SIP_COMPLETED);
	leads(SIP_ON_FAILURE, S, 0, SIP_COMPLETED);
	due(5 * S);
}

TEST(server_invite, absorbs_the_request_and_does_not_repeat_a_2xx)
{
	begins(SIP_SERVER_INVITE, false);
	leads(SIP_ON_SUCCESS, 0, SIP_DO_RESPONSE, SIP_ACCEPTED);
	leads(SIP_ON_REQUEST, S, 0, SIP_ACCEPTED);
	leads(SIP_ON_ACK, S, 0, SIP_ACCEPTED);
}

TEST(server_invite, sends_no_second_failure)
{
	begins(SIP_SERVER_INVITE, false);
	leads(SIP_ON_FAILURE, 0, SIP_DO_RESPONSE, SIP_COMPLETED);
	leads(SIP_ON_FAILURE, S, 0, SIP_COMPLETED);
	leads(SIP_ON_SUCCESS, S, 0, SIP_COMPLETED);
	leads(SIP_ON_PROVISIONAL, S, 0, SIP_COMPLETED);
}

TEST(server_invite, absorbs_what_comes_after_the_ack)
{
	begins(SIP_SERVER_INVITE, false);
	leads(SIP_ON_FAILURE, 0, SIP_DO_RESPONSE, SIP_COMPLETED);
	leads(SIP_ON_ACK, S, 0, SIP_CONFIRMED);
	leads(SIP_ON_ACK, 2 * S, 0, SIP_CONFIRMED);
	leads(SIP_ON_REQUEST, 2 * S, 0, SIP_CONFIRMED);
	leads(SIP_ON_FAILURE, 2 * S, 0, SIP_CONFIRMED);
	due(6 * S);
}

TEST(server_other, absorbs_the_request_until_it_has_something_to_say)
{
	begins(SIP_SERVER_OTHER, false);
	leads(SIP_ON_REQUEST, S, 0, SIP_TRYING);
	leads(SIP_ON_PROVISIONAL, S, SIP_DO_RESPONSE, SIP_PROCEEDING);
	leads(SIP_ON_REQUEST, S, SIP_DO_AGAIN, SIP_PROCEEDING);
	leads(SIP_ON_FAILURE, S, SIP_DO_RESPONSE, SIP_COMPLETED);
	leads(SIP_ON_SUCCESS, S, 0, SIP_COMPLETED);
	leads(SIP_ON_REQUEST, S, SIP_DO_AGAIN, SIP_COMPLETED);
}

TEST(machine, that_has_terminated_does_nothing_any_more)
{
	for (uint32_t k = 0; k < SIP_MACHINE_KINDS; k++) {
		bool invite = k == SIP_CLIENT_INVITE || k == SIP_SERVER_INVITE;

		begins((enum sip_machine_kind)k, true);
		leads(SIP_ON_SUCCESS, 0, SIP_DO_RESPONSE, invite ? SIP_ACCEPTED : SIP_TERMINATED);
		if (invite)
			leads(SIP_ON_TIMER, 32 * S, 0, SIP_TERMINATED);
		for (uint32_t e = 0; e < SIP_EVENTS; e++)
			leads((enum sip_event)e, 100 * S, 0, SIP_TERMINATED);
		due(NEVER);
	}
}

TEST(server_invite, stays_in_its_state_when_the_transport_fails)
{
	begins(SIP_SERVER_INVITE, false);
	leads(SIP_ON_ERROR, 0, SIP_DO_ERROR, SIP_PROCEEDING);
	leads(SIP_ON_FAILURE, 0, SIP_DO_RESPONSE, SIP_COMPLETED);
	leads(SIP_ON_ERROR, 0, SIP_DO_ERROR, SIP_COMPLETED);
	due(500 * MS);
	leads(SIP_ON_REQUEST, 100 * MS, SIP_DO_AGAIN, SIP_COMPLETED);
}

TEST(machine, that_is_a_client_ignores_what_only_servers_get)
{
	for (uint32_t k = 0; k < 2; k++) {
		begins((enum sip_machine_kind)k, false);
		leads(SIP_ON_REQUEST, 0, 0, SIP_CALLING);
		leads(SIP_ON_ACK, 0, 0, SIP_CALLING);
		due(500 * MS);
	}
	begins(SIP_SERVER_OTHER, false);
	leads(SIP_ON_ACK, 0, 0, SIP_TRYING);
}

TEST(status, is_an_event_by_its_class)
{
	for (uint16_t status = 100; status < 700; status++)
		EXPECT_EQ(status < 200	 ? SIP_ON_PROVISIONAL
			  : status < 300 ? SIP_ON_SUCCESS
					 : SIP_ON_FAILURE,
			  sip_status_event(status));
}

TEST_MAIN("sip_machine", RUN(machines, agree_with_the_model_over_random_events),
	  RUN(timer, a_doubles_from_t1_until_b),
	  RUN(timer, a_is_not_used_on_reliable_transports_and_b_is),
	  RUN(timer, a_and_b_stop_at_a_provisional_response),
	  RUN(timer, d_is_32_s_on_unreliable_transports_and_0_on_reliable),
	  RUN(timer, e_doubles_from_t1_up_to_t2_until_f),
	  RUN(timer, e_runs_on_after_a_provisional_response_and_is_t2_then),
	  RUN(timer, e_is_not_used_on_reliable_transports_and_f_is),
	  RUN(timer, g_doubles_from_t1_up_to_t2_until_h),
	  RUN(timer, g_is_not_used_on_reliable_transports_and_h_is),
	  RUN(timer, i_is_t4_on_unreliable_transports_and_0_on_reliable),
	  RUN(timer, j_is_32_s_on_unreliable_transports_and_0_on_reliable),
	  RUN(timer, k_is_t4_on_unreliable_transports_and_0_on_reliable),
	  RUN(timer, l_is_32_s_on_all_transports), RUN(timer, m_is_32_s_on_all_transports),
	  RUN(timer, that_fires_late_sends_once_and_counts_from_then),
	  RUN(client_invite, takes_the_arrows_of_figure_5),
	  RUN(client_other, takes_the_arrows_of_figure_6),
	  RUN(server_invite, takes_the_arrows_of_figure_7),
	  RUN(server_other, takes_the_arrows_of_figure_8),
	  RUN(client_invite, does_not_hand_up_a_failure_after_a_2xx),
	  RUN(client_invite, does_not_hand_up_a_2xx_after_a_failure),
	  RUN(client_other, absorbs_a_final_response_that_comes_again),
	  RUN(server_invite, absorbs_the_request_and_does_not_repeat_a_2xx),
	  RUN(server_invite, sends_no_second_failure),
	  RUN(server_invite, absorbs_what_comes_after_the_ack),
	  RUN(server_other, absorbs_the_request_until_it_has_something_to_say),
	  RUN(server_invite, stays_in_its_state_when_the_transport_fails),
	  RUN(machine, that_has_terminated_does_nothing_any_more),
	  RUN(machine, that_is_a_client_ignores_what_only_servers_get),
	  RUN(status, is_an_event_by_its_class))
