/* SPDX-License-Identifier: BSD-3-Clause */
#include "event.h"

struct event_row {
	const char *name;
	enum log_level level;
	const char *behind; /* what the bytes behind the event are; NULL: not for the log */
};

static const struct event_row events[EVENT_KINDS] = {
	[EVENT_CONNECTION_OPEN] = {"connection_open", LOG_LEVEL_DEBUG, NULL},
	[EVENT_CONNECTION_CLOSE] = {"connection_close", LOG_LEVEL_DEBUG, NULL},
	[EVENT_UPGRADE_REFUSED] = {"upgrade_refused", LOG_LEVEL_WARNING, NULL},
	[EVENT_TLS_FAILED] = {"tls_failed", LOG_LEVEL_WARNING, "sni"},
	[EVENT_TOKEN_REFUSED] = {"token_refused", LOG_LEVEL_WARNING, NULL},
	[EVENT_REGISTERED] = {"registered", LOG_LEVEL_INFO, NULL},
	[EVENT_REGISTER_FAILED] = {"register_failed", LOG_LEVEL_WARNING, NULL},
	[EVENT_BINDING_LOST] = {"binding_lost", LOG_LEVEL_INFO, NULL},
	[EVENT_DEREGISTERED] = {"deregistered", LOG_LEVEL_INFO, NULL},
	[EVENT_BINDING_END] = {"binding_end", LOG_LEVEL_INFO, NULL},
	[EVENT_WILDCARD_USER] = {"wildcard_user", LOG_LEVEL_INFO, NULL},
	[EVENT_MW_TLS_FAILED] = {"mw_tls_failed", LOG_LEVEL_ERROR, NULL},
	[EVENT_MW_UP] = {"mw_up", LOG_LEVEL_INFO, NULL},
	[EVENT_MW_DOWN] = {"mw_down", LOG_LEVEL_ERROR, NULL},
	[EVENT_TNA_CHALLENGED] = {"tna_challenged", LOG_LEVEL_ERROR, NULL},
	[EVENT_POOL_CONFLICT] = {"pool_conflict", LOG_LEVEL_WARNING, NULL},
	[EVENT_BLOCK_UP] = {"block_up", LOG_LEVEL_INFO, NULL},
	[EVENT_BLOCK_FAILED] = {"block_failed", LOG_LEVEL_ERROR, NULL},
	[EVENT_BLOCK_DOWN] = {"block_down", LOG_LEVEL_ERROR, NULL},
	[EVENT_BLOCK_DIFFERS] = {"block_differs", LOG_LEVEL_WARNING, NULL},
	[EVENT_INVARIANT] = {"invariant", LOG_LEVEL_ERROR, NULL},
	[EVENT_DRAINED] = {"drained", LOG_LEVEL_INFO, NULL},
	[EVENT_CLOCK_STEPPED] = {"clock_stepped", LOG_LEVEL_WARNING, NULL},
	[EVENT_CONNECTION_BROKEN] = {"connection_broken", LOG_LEVEL_INFO, "trace"},
	[EVENT_CALL_ANSWERED] = {"call_answered", LOG_LEVEL_DEBUG, NULL},
	[EVENT_CALL_FAILED] = {"call_failed", LOG_LEVEL_DEBUG, NULL},
	[EVENT_CALL_ENDED] = {"call_ended", LOG_LEVEL_DEBUG, NULL},
	[EVENT_DESTINATION_REFUSED] = {"destination_refused", LOG_LEVEL_INFO, NULL},
	[EVENT_NET_ALARM] = {"net_alarm", LOG_LEVEL_WARNING, NULL},
};

const char *event_name(enum event_kind kind)
{
	return (unsigned)kind < EVENT_KINDS ? events[kind].name : NULL;
}

static void event_fields(struct log_line *line, const struct message_event *e)
{
	if (e->peer.sa.sa_family != AF_UNSPEC)
		log_endpoint(line, "peer", &e->peer);
	if (!handle_is_none(e->handle))
		log_number(line, "slot", e->handle.slot);
	if (e->impi_hash != 0)
		log_hash(line, "impi", e->impi_hash);
	if (e->impu_hash != 0)
		log_hash(line, "impu", e->impu_hash);
	if (e->status != 0)
		log_number(line, "status", e->status);
	if (e->seconds != 0)
		log_number(line, "seconds", e->seconds);
	if (e->err != GW_OK) {
		log_text(line, "error", gw_err_name(e->err));
		log_text(line, "why", gw_err_text(e->err));
	}
	if (e->text[0] != '\0')
		log_span(line, "text",
			 span_of(e->text, (uint32_t)strnlen(e->text, sizeof(e->text))));
}

void event_log(struct log *log, uint16_t worker, struct span message)
{
	struct message_event event;
	const struct event_row *row;
	struct log_line line;

	if (!span_copy(&message, &event, sizeof(event)) || event_name(event.what) == NULL) {
		log_event(log, LOG_LEVEL_ERROR, "event_malformed", NULL, NULL);
		return;
	}
	row = &events[event.what];
	log_begin(log, &line, row->level, row->name);
	log_number(&line, "worker", worker);
	event_fields(&line, &event);
	if (message.len > 0 && row->behind != NULL)
		log_span(&line, row->behind, message);
	log_end(&line);
}
