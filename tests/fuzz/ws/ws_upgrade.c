/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "ws/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static struct ws_upgrade read_request(struct span in)
{
	const struct span hosts[] = {SPAN("ep1.home1.net"), SPAN("[fd00::1]")};
	const struct span paths[] = {SPAN("/ws"), SPAN("/")};
	const struct span origins[] = {SPAN("https://a.example"), SPAN("https://b.example:8443")};
	const struct ws_upgrade_policy policy = {hosts, 2, paths, 2, origins, 2, 2048};

	return ws_upgrade_read(in, &policy);
}

static bool inside(struct span part, struct span in)
{
	return part.len == 0 || (part.at >= in.at && part.at + part.len <= in.at + in.len) ||
	       span_equal(part, SPAN("/")); /* the path of an absolute target without one */
}

static void check_answer(const struct ws_upgrade *u)
{
	uint8_t buffer[512];
	struct writer out;

	writer_init(&out, buffer, sizeof(buffer));
	if (u->err == GW_OK)
		ws_upgrade_accept(u->key, &out);
	else
		ws_upgrade_refuse(ws_upgrade_status(u->err), 1, &out);
	must(writer_ok(&out));
}

/* Nothing before its last byte ends a head, and what follows it changes nothing. */
static void check_cuts(struct span in, const struct ws_upgrade *u)
{
	struct ws_upgrade again;

	if (u->used == 0)
		return;
	must(read_request(span_cut(in, 0, u->used - 1)).err == GW_AGAIN);
	again = read_request(span_cut(in, 0, u->used));
	must(again.err == u->err && again.used == u->used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, (uint32_t)size);
	struct ws_upgrade u = read_request(in);

	must(u.used <= in.len);
	must(inside(u.path, in) && inside(u.host, in) && inside(u.origin, in) && inside(u.key, in));
	must(u.err != GW_OK || (u.used > 0 && u.origin_index < 2 && u.key.len == 24));
	check_answer(&u);
	check_cuts(in, &u);
	return 0;
}
