/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

#include <stdlib.h>

/* A ring of what happened to all connections of the worker. Writing costs one line of the cache. */

#define TRACE_EVENTS 65536u /* a power of two */

struct tracer {
	uint64_t written;
	struct tcp_trace event[TRACE_EVENTS];
};
_Static_assert(sizeof(struct tcp_trace) == 16, "four events in a cache line (TCP.md 9)");

enum gw_err trace_open(struct tcp *tcp)
{
	tcp->tracer = calloc(1, sizeof(*tcp->tracer));
	return tcp->tracer != NULL ? GW_OK : GW_NO_MEMORY;
}

void trace_close(struct tcp *tcp)
{
	free(tcp->tracer);
	tcp->tracer = NULL;
}

void trace(struct tcp *tcp, const struct tcb *tcb, enum tcp_event event, uint32_t value,
	   uint32_t more, uint8_t flags)
{
	struct tracer *tracer = tcp->tracer;

	tracer->event[tracer->written++ % TRACE_EVENTS] = (struct tcp_trace){
		.at_ms = tcp_now_ms(tcp),
		.slot = tcp_tcb_slot(tcp, tcb),
		.value = value,
		.more = (uint16_t)(more < UINT16_MAX ? more : UINT16_MAX),
		.event = (uint8_t)event,
		.flags = flags,
	};
}

uint32_t tcp_trace_of(const struct tcp *tcp, uint32_t slot, struct tcp_trace *events, uint32_t max)
{
	const struct tracer *tracer = tcp->tracer;
	uint64_t oldest = tracer->written > TRACE_EVENTS ? tracer->written - TRACE_EVENTS : 0;
	uint64_t at = tracer->written;
	uint32_t found = 0, copied = 0;

	while (at > oldest && found < max)
		found += tracer->event[--at % TRACE_EVENTS].slot == slot;
	for (; copied < found; at++)
		if (tracer->event[at % TRACE_EVENTS].slot == slot)
			events[copied++] = tracer->event[at % TRACE_EVENTS];
	return found;
}
