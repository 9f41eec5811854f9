/* SPDX-License-Identifier: BSD-3-Clause */
#include "ping.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum {
	PING_WAIT_MS = 1200,  /* a worker answers within a second */
	PING_MARGIN_MS = 100, /* of the request's deadline, for its answer */
};

struct ping {
	struct errands *errands;
	uv_loop_t *loop;
	struct cli_request *request;
	struct endpoint peer;
	uint32_t count, sent, received;
	uint32_t rtt_us[PING_COUNT_MAX];
	uint64_t until_ms;
	struct row_pong last;
	enum gw_err lost; /* why the last one had no answer */
};

static const char *ping_address(const struct endpoint *peer, char text[INET6_ADDRSTRLEN])
{
	if (peer->sa.sa_family == AF_INET)
		return inet_ntop(AF_INET, &peer->v4.sin_addr, text, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, &peer->v6.sin6_addr, text, INET6_ADDRSTRLEN);
}

static const char *ping_silence(const struct ping *ping)
{
	if (ping->received > 0)
		return NULL;
	return ping->lost == GW_NET_UNRESOLVED ? "its next hop does not answer" : "no answer";
}

/** error NULL: none but that nothing came back. */
static void ping_finish(struct ping *ping, const char *error)
{
	char address[INET6_ADDRSTRLEN];
	json_t *rtts = json_array(), *answer;

	if (error == NULL)
		error = ping_silence(ping);
	for (uint32_t i = 0; i < ping->received; i++)
		json_array_append_new(rtts, json_integer(ping->rtt_us[i]));
	answer = json_pack("{s:s, s:I, s:I, s:o}", "address", ping_address(&ping->peer, address),
			   "sent", (json_int_t)ping->sent, "received", (json_int_t)ping->received,
			   "rtt_us", rtts);
	if (error != NULL)
		json_object_set_new(answer, "error", json_string(error));
	cli_reply(ping->request, json_pack("{s:o}", "ping", answer));
	free(ping);
}

static void ping_row(void *context, uint16_t worker, const void *row)
{
	struct ping *ping = context;

	memcpy(&ping->last, row, sizeof(ping->last));
}

static void ping_next(struct ping *ping);

static void ping_ended(void *context, enum gw_err err)
{
	struct ping *ping = context;

	if (err == GW_OK)
		err = ping->last.err;
	if (err == GW_OK)
		ping->rtt_us[ping->received++] = ping->last.rtt_us;
	else if (err == GW_TIMEOUT || err == GW_NET_UNRESOLVED)
		ping->lost = err;
	else {
		ping_finish(ping, gw_err_text(err));
		return;
	}
	ping->sent++;
	ping_next(ping);
}

static void ping_next(struct ping *ping)
{
	struct errand errand = {
		.what = COMMAND_PING,
		.peer = ping->peer,
		.workers = 1, /* worker 0 has the neighbours */
		.row_size = sizeof(struct row_pong),
		.deadline_ms = PING_WAIT_MS,
		.context = ping,
		.row = ping_row,
		.end = ping_ended,
	};
	bool late = ping->sent > 0 && uv_now(ping->loop) + PING_WAIT_MS > ping->until_ms;

	if (ping->sent == ping->count || late)
		ping_finish(ping, NULL);
	else if (errands_start(ping->errands, &errand) != GW_OK)
		ping_finish(ping, gw_err_text(GW_NO_MEMORY));
}

void ping_start(struct errands *errands, uv_loop_t *loop, struct cli_request *request,
		const struct endpoint *peer, uint32_t count)
{
	struct ping *ping = calloc(1, sizeof(*ping));

	if (ping == NULL) {
		cli_fail(request, "no memory");
		return;
	}
	*ping = (struct ping){
		.errands = errands,
		.loop = loop,
		.request = request,
		.peer = *peer,
		.count = count,
		.until_ms = uv_now(loop) + cli_deadline_ms(request) - PING_MARGIN_MS,
	};
	ping_next(ping);
}
