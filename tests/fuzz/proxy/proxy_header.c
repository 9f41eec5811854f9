/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "proxy/proxy.h"

/*
 * A header however it arrives. What must hold: each piece is either too short or decides for good,
 * and what decides names the same client as all of it; what is used is there; what follows changes
 * nothing.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void must_agree(const struct proxy_header *a, const struct proxy_header *b)
{
	must(a->err == b->err && a->used == b->used && a->local == b->local);
	must(a->err != GW_OK || a->local || endpoint_same_host(&a->client, &b->client));
	must(endpoint_port(&a->client) == endpoint_port(&b->client));
}

static void must_be_whole(struct span in, const struct proxy_header *h)
{
	must(h->used >= 16 && h->used <= in.len && h->used <= PROXY_HEADER_MAX);
	must(h->local || h->client.sa.sa_family == AF_INET || h->client.sa.sa_family == AF_INET6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct proxy_header whole = proxy_read(in);
	bool decided = false;

	if (whole.err == GW_OK)
		must_be_whole(in, &whole);
	for (uint32_t n = 0; n <= in.len && n <= PROXY_HEADER_MAX; n++) {
		struct proxy_header part = proxy_read(span_cut(in, 0, n));

		must(part.err == GW_AGAIN ? !decided : true);
		decided = part.err != GW_AGAIN;
		if (decided)
			must_agree(&part, &whole);
	}
	must(in.len < PROXY_HEADER_MAX || decided);
	return 0;
}
