/* SPDX-License-Identifier: BSD-3-Clause */
#include "wic.h"

#include <stdlib.h>

#include "guest.h"
#include "member.h"
#include "net_sim.h"
#include "pool.h"

/* The scripted WICs: their connections and the frames on them. What they say is in wic_sip.c. */

#define HTTP_KEY "dGhlIHNhbXBsZSBub25jZQ=="

static void act_later(struct wic *w);

/* ---- frames -----------------------------------------------------------------------------------
 */

static void frame(struct wic *w, uint8_t first, struct span payload)
{
	uint8_t head[8], masked[4096];
	uint32_t word = (uint32_t)sim_random(w->sim), n = 2;

	head[0] = first;
	head[1] = (uint8_t)(0x80 | (payload.len < 126 ? payload.len : 126));
	if (payload.len >= 126) {
		head[2] = (uint8_t)(payload.len >> 8);
		head[3] = (uint8_t)payload.len;
		n = 4;
	}
	memcpy(head + n, &word, 4);
	for (uint32_t i = 0; i < payload.len; i++)
		masked[i] = payload.at[i] ^ head[n + i % 4];
	peer_send(&w->out, w->conn, span_of(head, n + 4));
	peer_send(&w->out, w->conn, span_of(masked, payload.len));
}

void wic_send(struct wic *w, struct span message)
{
	uint8_t opcode = sim_chance(w->sim, 70) ? 1 : 2;

	if (w->state != WIC_OPEN)
		return;
	while (sim_chance(w->sim, 20) && message.len > 0) {
		uint32_t n = sim_below(w->sim, message.len);

		frame(w, opcode, span_cut(message, 0, n));
		message = span_from(message, n);
		opcode = 0;
		if (sim_chance(w->sim, 20))
			frame(w, 0x89, SPAN("ping"));
	}
	frame(w, 0x80 | opcode, message);
}

/** Server frames: never masked, always whole. */
static bool take_frame(struct wic *w)
{
	struct span in = span_of(w->in, w->in_len);
	uint32_t len, head = 2;

	if (in.len < 2)
		return false;
	len = in.at[1] & 0x7f;
	if ((in.at[1] & 0x80) != 0 || (in.at[0] & 0x80) == 0 || len == 127) {
		sim_broken(w->sim, "wic-hears-frames", "wic %u: frame head %02x %02x", w->index,
			   in.at[0], in.at[1]);
		return false;
	}
	if (len == 126) {
		if (in.len < 4)
			return false;
		len = (uint32_t)(in.at[2] << 8 | in.at[3]);
		head = 4;
	}
	if (in.len < head + len)
		return false;
	if ((in.at[0] & 15) == 9 && sim_chance(w->sim, 95))
		frame(w, 0x8a, span_cut(in, head, len));
	else if ((in.at[0] & 15) == 8)
		w->closing = true;
	else if ((in.at[0] & 15) < 3)
		wic_message(w, span_cut(in, head, len));
	w->in_len -= head + len;
	memmove(w->in, w->in + head + len, w->in_len);
	return true;
}

/* ---- upgrade ----------------------------------------------------------------------------------
 */

static void upgrade(struct wic *w)
{
	uint32_t own = w->visitor  ? POOL_SITE
		       : w->guest  ? GUEST_SITE
		       : w->member ? BLOCK_SITE
				   : w->user / (SIM_USERS / 2);
	uint32_t site = sim_chance(w->sim, 96) ? own : 7;
	uint8_t text[1024];
	struct writer out;

	writer_init(&out, text, sizeof(text));
	if (sim_chance(w->sim, 2))
		text_add(&out, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	else
		text_add(&out,
			 "GET /sip HTTP/1.1\r\nHost: ep1.example\r\nUpgrade: websocket\r\n"
			 "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: " HTTP_KEY "\r\n"
			 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n"
			 "Origin: https://wwsf%u.example\r\n\r\n",
			 site);
	w->odd = site == 7;
	peer_send(&w->out, w->conn, writer_span(&out));
}

static void take_upgrade(struct wic *w)
{
	struct span in = span_of(w->in, w->in_len);
	const uint8_t *end = memmem(in.at, in.len, "\r\n\r\n", 4);
	uint32_t used;

	if (end == NULL)
		return;
	used = (uint32_t)(end - in.at) + 4;
	if (!span_starts(in, SPAN("HTTP/1.1 101 "))) {
		w->closing = true;
		return;
	}
	if (w->odd)
		sim_broken(w->sim, "origin-checked", "wic %u got in with a strange Origin",
			   w->index);
	w->state = WIC_OPEN;
	w->in_len -= used;
	memmove(w->in, w->in + used, w->in_len);
	act_later(w);
}

/* ---- connection -------------------------------------------------------------------------------
 */

static void finish(struct wic *w)
{
	if (!w->closing || w->conn == NULL)
		return;
	w->state = WIC_LEAVING;
	conn_shutdown_tx(w->conn);
}

static void on_readable(struct conn *conn, void *context)
{
	struct wic *w = context;

	w->in_len = peer_take(conn, w->in, w->in_len, sizeof(w->in));
	if (w->state == WIC_UPGRADING)
		take_upgrade(w);
	while (w->state == WIC_OPEN && !w->closing && take_frame(w))
		;
	if (w->state == WIC_LEAVING)
		w->in_len = 0;
	finish(w);
}

static void on_connected(struct conn *conn, void *context)
{
	struct wic *w = context;

	(void)conn;
	w->state = WIC_UPGRADING;
	if (sim_chance(w->sim, 98))
		upgrade(w);
}

static void on_writable(struct conn *conn, void *context)
{
	struct wic *w = context;

	peer_flush(&w->out, conn);
}

static void on_peer_fin(struct conn *conn, void *context)
{
	struct wic *w = context;

	on_readable(conn, w);
	w->closing = true;
	finish(w);
}

static void on_deadline(struct conn *conn, void *context)
{
	struct wic *w = context;

	if (w->silent)
		conn_abort(conn, GW_CONN_ABORTED); /* which nobody hears */
	else
		conn_resume_rx(conn); /* it was slow for a while */
}

static enum gw_err on_accept(struct conn *conn, void *listener_context, void **context)
{
	(void)conn;
	(void)listener_context;
	(void)context;
	return GW_NOT_SUPPORTED;
}

static void connect_again(struct sim *sim, void *context, uint64_t conn);

static void on_closed(struct conn *conn, void *context, enum gw_err why)
{
	struct wic *w = context;

	(void)conn;
	sim_note(w->sim, "wic %u.%u closed: %s", w->index, w->number, gw_err_name(why));
	w->conn = NULL;
	w->state = WIC_AWAY;
	if (w->home_lost_us == 0)
		w->home_lost_us = w->sim->now_us;
	if (!w->sim->draining)
		sim_at(w->sim, w->sim->now_us + sim_between(w->sim, 1000, sim_s(4)), connect_again,
		       w, w->number);
}

static const struct conn_ops wic_ops = {on_accept,   on_connected, on_readable, on_writable,
					on_peer_fin, on_deadline,  on_closed};

static void connect_again(struct sim *sim, void *context, uint64_t number)
{
	struct endpoint local = sim_endpoint("198.18.1.1:0"), peer = sim_endpoint(ADDRESS_ACCESS);
	struct conn_request request;
	struct wic *w = context;

	if (w->conn != NULL || number != w->number || sim->draining)
		return;
	w->number++;
	if (w->guest)
		guest_connects(w);
	else if (w->visitor)
		visitor_connects(w);
	else if (w->member)
		member_connects(w);
	else if (w->number == 1 || sim_chance(sim, 15))
		w->user = w->users[sim_below(sim, SIM_IDENTITIES)];
	w->authorised_exp_s = 0;
	w->bound_until_us = 0;
	w->told_until_us = 0;
	w->granted = NULL;
	w->registered = 0;
	w->sub_here = 0;
	w->open = 0;
	w->in_len = 0;
	w->out.len = 0;
	w->closing = false;
	w->silent = false;
	w->odd = false;
	w->mixed = false;
	w->state = WIC_CONNECTING;
	request = (struct conn_request){local, peer, &wic_ops, w, 5000};
	if (net_connect(sim->wic_host.core, &request, &w->conn) != GW_OK)
		sim_broken(sim, "sim", "wic %u cannot connect", w->index);
	sim_note(sim, "wic %u.%u connects as user%u", w->index, w->number, w->user);
}

/* ---- what it does next ------------------------------------------------------------------------
 */

void wic_leave(struct wic *w)
{
	if (w->home_lost_us == 0) /* the gateway may see it long before our end is closed */
		w->home_lost_us = w->sim->now_us;
	switch (sim_below(w->sim, 4)) {
	case 0:
		conn_abort(w->conn, GW_CONN_ABORTED);
		w->state = WIC_LEAVING;
		return;
	case 1:
		frame(w, 0x88, SPAN("\x03\xe8"));
		w->state = WIC_LEAVING;
		return;
	case 2:
		w->closing = true;
		finish(w);
		return;
	default:
		simnet_silence(w->conn);
		w->silent = true;
		conn_set_deadline(w->conn, (uint32_t)sim_between(w->sim, 1000, 20000));
	}
}

static void misbehave(struct wic *w)
{
	static const uint8_t unmasked[] = {0x81, 2, 'h', 'i'};

	member_in_doubt(w);
	switch (sim_below(w->sim, 5)) {
	case 0:
		peer_send(&w->out, w->conn, span_of(unmasked, sizeof(unmasked)));
		w->odd = true;
		return;
	case 1:
		wic_send(w, SPAN("this is not SIP\r\n\r\n"));
		return;
	case 2:
		wic_send(w, SPAN("\r\n\r\n"));
		return;
	case 3: /* slow: it does not read for a while */
		conn_pause_rx(w->conn);
		conn_set_deadline(w->conn, (uint32_t)sim_between(w->sim, 100, 3000));
		return;
	default:
		wic_garble(w);
	}
}

static void act(struct sim *sim, void *context, uint64_t number)
{
	struct wic *w = context;
	uint32_t what = sim_below(sim, 100);

	if (w->number != number || w->conn == NULL || w->state != WIC_OPEN || w->silent)
		return;
	if (w->guest && what < 90)
		guest_acts(w);
	else if (w->visitor && !visitor_ready(w))
		; /* it has nothing to show */
	else if (w->member && member_acts(w))
		;
	else if (what < (w->registered != 0 ? 32 : 75)) /* after a reconnect that comes first */
		wic_register(w);
	else if (what < 38)
		wic_deregister(w);
	else if (what < 70)
		wic_call(w);
	else if (what < 90)
		wic_say(w);
	else if (what < 95)
		misbehave(w);
	else
		wic_leave(w);
	net_transmit(sim->wic_host.core);
	act_later(w);
}

static void act_later(struct wic *w)
{
	uint64_t pause = sim_chance(w->sim, 15) ? sim_between(w->sim, 1, 1000)
						: sim_between(w->sim, 50000, sim_s(6));

	sim_at(w->sim, w->sim->now_us + pause, act, w, w->number);
	sim_arrived(w->sim, SIM_HOST_WICS);
}

/* ---- the script -------------------------------------------------------------------------------
 */

struct wic_script *wics_new(struct sim *sim)
{
	struct wic_script *s = table_new(sizeof(*s));

	s->count = sim->shape.wics;
	for (uint32_t i = 0; i < s->count; i++) {
		struct wic *w = &s->wic[i];

		w->sim = sim;
		w->index = i;
		w->visitor = i < sim->shape.visitors;
		w->guest = i < sim->shape.guests;
		w->member = !w->guest && i < sim->shape.guests + sim->shape.members;
		w->outbound = sim_chance(sim, 70);
		for (uint32_t k = 0; k < SIM_IDENTITIES; k++) /* odd ones are of the other site */
			w->users[k] = w->member
					      ? BLOCK_FIRST + sim_below(sim, sim->members->users)
					      : i * SIM_IDENTITIES + k + (i % 2) * (SIM_USERS / 2);
		sim_at(sim, sim_between(sim, 0, sim_s(3)), connect_again, w, 0);
	}
	return s;
}

void wics_free(struct wic_script *wics)
{
	table_free(wics, sizeof(*wics));
}

static const struct wic *wic_at(const struct wic_script *wics, uint32_t wic, uint32_t conn)
{
	const struct wic *w = &wics->wic[wic];

	return wic < wics->count && w->number == conn ? w : NULL;
}

bool wic_connected(const struct wic_script *wics, uint32_t wic, uint32_t conn)
{
	const struct wic *w = wic_at(wics, wic, conn);

	return w != NULL && w->conn != NULL && w->state == WIC_OPEN && !w->silent && !w->odd;
}

uint64_t wic_authorised_until_us(const struct wic_script *wics, uint32_t wic, uint32_t conn)
{
	const struct wic *w = wic_at(wics, wic, conn);

	return w != NULL ? sim_wall_at(w->sim, w->authorised_exp_s) : 0;
}

uint32_t wic_sub_here(const struct wic_script *wics, uint32_t wic)
{
	return wics->wic[wic].sub_here;
}

bool wic_mixed(const struct wic_script *wics, uint32_t wic)
{
	return wics->wic[wic].mixed;
}

bool wic_registered(const struct wic_script *wics, uint32_t wic, uint32_t conn, uint32_t user)
{
	const struct wic *w = wic_at(wics, wic, conn);

	for (uint32_t i = 0; w != NULL && i < SIM_IDENTITIES; i++)
		if (w->users[i] == user && (w->registered & 1u << i) != 0)
			return true;
	return false;
}

void wic_accepted(struct wic_script *wics, uint32_t wic, uint32_t conn, uint32_t user)
{
	struct wic *w = &wics->wic[wic];

	for (uint32_t i = 0; w->number == conn && i < SIM_IDENTITIES; i++)
		if (w->users[i] == user)
			w->registered |= 1u << i;
}

uint64_t wic_bound_until_us(const struct wic_script *wics, uint32_t wic, uint32_t conn)
{
	const struct wic *w = wic_at(wics, wic, conn);

	if (w == NULL)
		return 0;
	return w->bound_until_us > w->told_until_us ? w->bound_until_us : w->told_until_us;
}
