/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

#include <stdio.h>

/*
 * Who is at the other end of a TLS connection with the core. That the authorities of mw.tls have
 * signed its certificate, the TLS layer has seen to; here it is looked at for whom.
 */

/** The next name that goes to this address, from *row of the hosts that control has looked up. */
static bool name_next(const struct mw_link *link, uint32_t *row, struct span *name)
{
	const struct peer_part *peers = link->worker->view.peers;

	for (; peers != NULL && *row < peers->count; (*row)++) {
		const struct peer_row *r = &peers->row[*row];

		for (uint32_t i = 0; i < r->count; i++) {
			struct mw_target one = {MW_TLS, r->address[i].address, 0};

			if (r->address[i].transport == NEXT_HOP_TLS &&
			    target_same(&one, &link->target)) {
				*name = r->name;
				(*row)++;
				return true;
			}
		}
	}
	return false;
}

/** Without port; text of ENDPOINT_TEXT_MAX. */
static struct span address_text(const struct endpoint *address, char *text)
{
	struct span all = span_text(endpoint_format(address, text));
	uint32_t end = all.len;

	while (end > 0 && all.at[end] != ':')
		end--;
	return span_cut(all, 0, end);
}

struct span mw_tls_name(const struct mw_link *link)
{
	struct span name = SPAN("");
	uint32_t row = 0;

	(void)name_next(link, &row, &name);
	return name;
}

/** One of mw.tls.peers. */
static bool is_listed(const struct mw_link *link)
{
	const struct mw_tls_config *tls = &worker_settings(link->worker)->mw_tls;

	for (uint32_t i = 0; i < tls->peer_count; i++)
		if (link->layer->peer_is(link->tls, tls->peer[i]))
			return true;
	return false;
}

/** Whom our URI has named: by a name as long as we know one for that address. */
static bool is_target(const struct mw_link *link)
{
	char text[ENDPOINT_TEXT_MAX];
	struct span name;
	uint32_t row = 0;

	while (name_next(link, &row, &name))
		if (link->layer->peer_is(link->tls, name))
			return true;
	return mw_tls_name(link).len == 0 &&
	       link->layer->peer_is(link->tls, address_text(&link->target.address, text));
}

bool mw_tls_knows(const struct mw_link *link)
{
	if (link->ours)
		return is_target(link) || is_listed(link);
	return worker_settings(link->worker)->mw_tls.peer_count == 0 || is_listed(link);
}

void mw_tls_refused(struct mw_link *link, enum gw_err err, const char *why)
{
	struct message_event event = {
		.what = EVENT_MW_TLS_FAILED,
		.err = err,
		.peer = conn_peer(link->conn),
	};

	snprintf(event.text, sizeof(event.text), "%s", why);
	worker_event(link->worker, &event);
	counter_add(&link->worker->counters.mw_tls_failures, 1);
	worker_count(link->worker, err);
}
