/* SPDX-License-Identifier: BSD-3-Clause */
#include "sip.h"

#define NEVER UINT64_MAX

/** What an event leads to. A row that is not there absorbs it. */
struct step {
	enum sip_state to;
	uint8_t actions;
	bool known;
};

#define STEP(to, actions) \
	{ \
		to, actions, true \
	}

/* RFC 3261 figure 5, RFC 6026 8.4 */
static const struct step client_invite[SIP_STATES][SIP_EVENTS] = {
	[SIP_CALLING] =
		{
			[SIP_ON_PROVISIONAL] = STEP(SIP_PROCEEDING, SIP_DO_RESPONSE),
			[SIP_ON_SUCCESS] = STEP(SIP_ACCEPTED, SIP_DO_RESPONSE),
			[SIP_ON_FAILURE] = STEP(SIP_COMPLETED, SIP_DO_RESPONSE | SIP_DO_ACK),
			[SIP_ON_TIMER] = STEP(SIP_TERMINATED, SIP_DO_TIMEOUT), /* B */
			[SIP_ON_ERROR] = STEP(SIP_TERMINATED, SIP_DO_ERROR),
		},
	[SIP_PROCEEDING] =
		{
			[SIP_ON_PROVISIONAL] = STEP(SIP_PROCEEDING, SIP_DO_RESPONSE),
			[SIP_ON_SUCCESS] = STEP(SIP_ACCEPTED, SIP_DO_RESPONSE),
			[SIP_ON_FAILURE] = STEP(SIP_COMPLETED, SIP_DO_RESPONSE | SIP_DO_ACK),
			[SIP_ON_ERROR] = STEP(SIP_TERMINATED, SIP_DO_ERROR),
		},
	[SIP_ACCEPTED] =
		{
			[SIP_ON_SUCCESS] = STEP(SIP_ACCEPTED, SIP_DO_RESPONSE),
			[SIP_ON_TIMER] = STEP(SIP_TERMINATED, 0), /* M */
		},
	[SIP_COMPLETED] =
		{
			[SIP_ON_FAILURE] = STEP(SIP_COMPLETED, SIP_DO_ACK),
			[SIP_ON_TIMER] = STEP(SIP_TERMINATED, 0), /* D */
			[SIP_ON_ERROR] = STEP(SIP_TERMINATED, SIP_DO_ERROR),
		},
};

/* RFC 3261 figure 6 */
static const struct step client_other[SIP_STATES][SIP_EVENTS] = {
	[SIP_CALLING] =
		{
			[SIP_ON_PROVISIONAL] = STEP(SIP_PROCEEDING, SIP_DO_RESPONSE),
			[SIP_ON_SUCCESS] = STEP(SIP_COMPLETED, SIP_DO_RESPONSE),
			[SIP_ON_FAILURE] = STEP(SIP_COMPLETED, SIP_DO_RESPONSE),
			[SIP_ON_TIMER] = STEP(SIP_TERMINATED, SIP_DO_TIMEOUT), /* F */
			[SIP_ON_ERROR] = STEP(SIP_TERMINATED, SIP_DO_ERROR),
		},
	[SIP_PROCEEDING] =
		{
			[SIP_ON_PROVISIONAL] = STEP(SIP_PROCEEDING, SIP_DO_RESPONSE),
			[SIP_ON_SUCCESS] = STEP(SIP_COMPLETED, SIP_DO_RESPONSE),
			[SIP_ON_FAILURE] = STEP(SIP_COMPLETED, SIP_DO_RESPONSE),
			[SIP_ON_TIMER] = STEP(SIP_TERMINATED, SIP_DO_TIMEOUT), /* F */
			[SIP_ON_ERROR] = STEP(SIP_TERMINATED, SIP_DO_ERROR),
		},
	[SIP_COMPLETED] =
		{
			[SIP_ON_TIMER] = STEP(SIP_TERMINATED, 0), /* K */
		},
};

/* RFC 3261 figure 7, RFC 6026 8.5 and 8.7; an error does not end it, or a repeat of the request
 * would be taken for a new one (RFC 6026 7.1) */
static const struct step server_invite[SIP_STATES][SIP_EVENTS] = {
	[SIP_PROCEEDING] =
		{
			[SIP_ON_PROVISIONAL] = STEP(SIP_PROCEEDING, SIP_DO_RESPONSE),
			[SIP_ON_SUCCESS] = STEP(SIP_ACCEPTED, SIP_DO_RESPONSE),
			[SIP_ON_FAILURE] = STEP(SIP_COMPLETED, SIP_DO_RESPONSE),
			[SIP_ON_REQUEST] = STEP(SIP_PROCEEDING, SIP_DO_AGAIN),
			[SIP_ON_ERROR] = STEP(SIP_PROCEEDING, SIP_DO_ERROR),
		},
	[SIP_ACCEPTED] =
		{
			[SIP_ON_SUCCESS] = STEP(SIP_ACCEPTED, SIP_DO_RESPONSE),
			[SIP_ON_TIMER] = STEP(SIP_TERMINATED, 0), /* L */
			[SIP_ON_ERROR] = STEP(SIP_ACCEPTED, SIP_DO_ERROR),
		},
	[SIP_COMPLETED] =
		{
			[SIP_ON_REQUEST] = STEP(SIP_COMPLETED, SIP_DO_AGAIN),
			[SIP_ON_ACK] = STEP(SIP_CONFIRMED, 0),
			[SIP_ON_TIMER] = STEP(SIP_TERMINATED, SIP_DO_TIMEOUT), /* H */
			[SIP_ON_ERROR] = STEP(SIP_COMPLETED, SIP_DO_ERROR),
		},
	[SIP_CONFIRMED] =
		{
			[SIP_ON_TIMER] = STEP(SIP_TERMINATED, 0), /* I */
		},
};

/* RFC 3261 figure 8 */
static const struct step server_other[SIP_STATES][SIP_EVENTS] = {
	[SIP_TRYING] =
		{
			[SIP_ON_PROVISIONAL] = STEP(SIP_PROCEEDING, SIP_DO_RESPONSE),
			[SIP_ON_SUCCESS] = STEP(SIP_COMPLETED, SIP_DO_RESPONSE),
			[SIP_ON_FAILURE] = STEP(SIP_COMPLETED, SIP_DO_RESPONSE),
		},
	[SIP_PROCEEDING] =
		{
			[SIP_ON_PROVISIONAL] = STEP(SIP_PROCEEDING, SIP_DO_RESPONSE),
			[SIP_ON_SUCCESS] = STEP(SIP_COMPLETED, SIP_DO_RESPONSE),
			[SIP_ON_FAILURE] = STEP(SIP_COMPLETED, SIP_DO_RESPONSE),
			[SIP_ON_REQUEST] = STEP(SIP_PROCEEDING, SIP_DO_AGAIN),
			[SIP_ON_ERROR] = STEP(SIP_TERMINATED, SIP_DO_ERROR),
		},
	[SIP_COMPLETED] =
		{
			[SIP_ON_REQUEST] = STEP(SIP_COMPLETED, SIP_DO_AGAIN),
			[SIP_ON_TIMER] = STEP(SIP_TERMINATED, 0), /* J */
			[SIP_ON_ERROR] = STEP(SIP_TERMINATED, SIP_DO_ERROR),
		},
};

/** The timers that run in a state. */
struct timers {
	bool retry;	      /* A, E or G, on unreliable transports */
	bool capped;	      /* and it doubles up to T2 only */
	uint64_t end_us;      /* 0: none */
	uint64_t reliable_us; /* the same on reliable transports; 0: it ends at once */
};

struct machine {
	enum sip_state first;
	const struct step (*step)[SIP_EVENTS];
	struct timers timers[SIP_STATES];
};

static const struct machine machines[SIP_MACHINE_KINDS] = {
	[SIP_CLIENT_INVITE] = {SIP_CALLING,
			       client_invite,
			       {[SIP_CALLING] = {true, false, SIP_64T1_US, SIP_64T1_US},
				[SIP_ACCEPTED] = {false, false, SIP_64T1_US, SIP_64T1_US},
				[SIP_COMPLETED] = {false, false, SIP_64T1_US, 0}}},
	[SIP_CLIENT_OTHER] = {SIP_CALLING,
			      client_other,
			      {[SIP_CALLING] = {true, true, SIP_64T1_US, SIP_64T1_US},
			       [SIP_COMPLETED] = {false, false, SIP_T4_US, 0}}},
	[SIP_SERVER_INVITE] = {SIP_PROCEEDING,
			       server_invite,
			       {[SIP_ACCEPTED] = {false, false, SIP_64T1_US, SIP_64T1_US},
				[SIP_COMPLETED] = {true, true, SIP_64T1_US, SIP_64T1_US},
				[SIP_CONFIRMED] = {false, false, SIP_T4_US, 0}}},
	[SIP_SERVER_OTHER] = {SIP_TRYING,
			      server_other,
			      {[SIP_COMPLETED] = {false, false, SIP_64T1_US, 0}}},
};

static void machine_enter(struct sip_machine *m, enum sip_state state, uint64_t now_us)
{
	const struct timers *timers = &machines[m->kind].timers[state];
	uint64_t end_us = m->reliable ? timers->reliable_us : timers->end_us;

	if (m->kind == SIP_CLIENT_OTHER && state == SIP_PROCEEDING) {
		/* E goes on at its slowest (17.1.2.2), F as it was */
		m->state = state;
		m->interval_us = (uint32_t)SIP_T2_US;
		return;
	}
	m->state = state;
	m->retry_us = NEVER;
	m->end_us = NEVER;
	if (timers->end_us > 0 && end_us == 0)
		m->state = SIP_TERMINATED;
	else if (end_us > 0)
		m->end_us = now_us + end_us;
	if (timers->retry && !m->reliable) {
		m->interval_us = (uint32_t)SIP_T1_US;
		m->retry_us = now_us + SIP_T1_US;
	}
}

void sip_machine_start(struct sip_machine *m, enum sip_machine_kind kind, bool reliable,
		       uint64_t now_us)
{
	*m = (struct sip_machine){.kind = kind, .reliable = reliable};
	machine_enter(m, machines[kind].first, now_us);
}

/** Timer A, E or G: again, after twice as long. */
static uint32_t machine_again(struct sip_machine *m, uint64_t now_us)
{
	bool capped = m->state == SIP_PROCEEDING || machines[m->kind].timers[m->state].capped;

	m->interval_us *= 2;
	if (capped && m->interval_us > SIP_T2_US)
		m->interval_us = (uint32_t)SIP_T2_US;
	m->retry_us = now_us + m->interval_us;
	return SIP_DO_AGAIN;
}

uint32_t sip_machine_event(struct sip_machine *m, enum sip_event event, uint64_t now_us)
{
	const struct step *step = &machines[m->kind].step[m->state][event];

	if (event == SIP_ON_TIMER && now_us < m->end_us)
		return now_us >= m->retry_us ? machine_again(m, now_us) : 0;
	if (!step->known)
		return 0;
	if (step->to != m->state)
		machine_enter(m, step->to, now_us);
	return step->actions;
}

enum sip_event sip_status_event(uint16_t status)
{
	if (status < 200)
		return SIP_ON_PROVISIONAL;
	return status < 300 ? SIP_ON_SUCCESS : SIP_ON_FAILURE;
}

uint64_t sip_machine_due(const struct sip_machine *m)
{
	return m->retry_us < m->end_us ? m->retry_us : m->end_us;
}
