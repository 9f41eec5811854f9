/* SPDX-License-Identifier: BSD-3-Clause */
#include "wic.h"

#include "clock.h"
#include "frame.h"

enum { CLOSE_NORMAL = 1000, CLOSE_GOING_AWAY = 1001, CLOSE_NO_CODE = 1005, CLOSE_REPLACED = 1008 };

/** A browser library comes back about 2 s after a loss. */
enum { COME_BACK_US = 2000000 };

/** limits.ws_silence of the gateway, preset, and an interval of its pings. */
enum { FROZEN_US = 90000000 };

void wic_init(struct wic *w, struct wic_world *world, uint32_t index, const struct pair *pair,
	      const struct address *source)
{
	w->world = world;
	w->index = w->name = w->page = w->instance = index;
	w->pair = pair;
	w->source = source;
	w->link.fd = -1;
}

uint64_t wic_now(struct wic *w)
{
	w->world->now_us = clock_us(CLOCK_MONOTONIC);
	return w->world->now_us;
}

bool wic_is_idle(const struct wic *w)
{
	return w->state == WIC_OPEN && w->registered && w->ask == ASK_NOTHING &&
	       w->exit == EXIT_NONE;
}

/** Nothing is left of the connection. */
static void wic_out(struct wic *w, enum link_end how)
{
	link_close(&w->link, how);
	w->state = WIC_OUT;
	w->ask = ASK_NOTHING;
	w->exit = EXIT_NONE;
	w->registered = false;
	w->deadline_us = 0;
	w->in_len = 0;
	w->due_us = w->world->now_us + w->away_us;
}

void wic_fail(struct wic *w, enum failure what, int32_t detail)
{
	tally_failure(w->world->tally, what, detail);
	w->away_us = COME_BACK_US + chance_below(&w->world->chance, COME_BACK_US);
	wic_out(w, LINK_RESET);
}

/** The next step may take as long as any. */
static void wic_step(struct wic *w, enum wic_state state)
{
	w->state = state;
	w->deadline_us = w->world->now_us + WIC_PATIENCE_US;
}

void wic_start(struct wic *w)
{
	w->due_us = 0;
	w->began_us = wic_now(w);
	w->away_us = 0;
	wic_step(w, WIC_CONNECTING);
	if (link_open(&w->link, &w->world->link, w->source, w) == LINK_FAILED)
		wic_fail(w, FAILURE_CONNECT, w->link.error);
}

/* ---- sending ------------------------------------------------------------------------------- */

static bool wic_flush(struct wic *w)
{
	switch (link_flush(&w->link)) {
	case LINK_READY:
	case LINK_WAIT:
		return true;
	case LINK_ENDED: /* reading will find out the same, in its order */
		return true;
	default:
		if (w->ask == ASK_REPLACED) /* the server has closed by right: reading says how */
			return true;
		wic_fail(w, FAILURE_RESET, w->link.error);
		return false;
	}
}

static bool wic_queue(struct wic *w, struct span bytes)
{
	if (link_queue(&w->link, bytes))
		return wic_flush(w);
	wic_fail(w, FAILURE_OUTPUT, 0);
	return false;
}

bool wic_send(struct wic *w, enum ws_opcode opcode, struct span payload)
{
	struct writer frame;

	writer_init(&frame, w->world->frame, sizeof(w->world->frame));
	frame_write(&frame, opcode, (uint32_t)chance_next(&w->world->chance), payload);
	if (writer_ok(&frame))
		return wic_queue(w, writer_span(&frame));
	wic_fail(w, FAILURE_OUTPUT, 0);
	return false;
}

void wic_close(struct wic *w, uint16_t code)
{
	const uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};

	w->registered = false;
	w->asked_us = wic_now(w);
	wic_step(w, WIC_CLOSING);
	(void)wic_send(w, WS_CLOSE, span_of(payload, sizeof(payload)));
}

/* ---- receiving ----------------------------------------------------------------------------- */

/** The server closes. When we asked for it, the end of the connection follows. */
static void close_received(struct wic *w, struct span payload)
{
	uint16_t code;

	if (w->state == WIC_CLOSING || w->state == WIC_FROZEN)
		return;
	if (!span_u16_be(&payload, &code))
		code = CLOSE_NO_CODE;
	if (w->ask == ASK_REPLACED && code == CLOSE_REPLACED) {
		tally_count(w->world->tally, COUNT_REPLACED);
		wic_close(w, code);
		return;
	}
	wic_fail(w, FAILURE_CLOSED, code);
}

static void frame_received(struct wic *w, const struct frame *f)
{
	switch (f->opcode) {
	case WS_PING:
		if (w->state == WIC_OPEN && wic_send(w, WS_PONG, f->payload))
			tally_count(w->world->tally, COUNT_PING);
		break;
	case WS_CLOSE:
		close_received(w, f->payload);
		break;
	case WS_TEXT: /* a browser fails the connection for text that is not UTF-8 */
		if (!ws_is_utf8(f->payload)) {
			wic_fail(w, FAILURE_FRAME, GW_WS_UTF8);
			break;
		}
		/* fall through */
	case WS_BINARY:
		if (w->state == WIC_OPEN)
			wic_message(w, f->payload);
		else if (w->state == WIC_FROZEN)
			wic_overhear(w, f->payload);
		break;
	default: /* a pong nobody asked for is legal (RFC 6455 5.5.3) */
		break;
	}
}

/** Takes one frame off *rest. False: there is none, or the WIC is out. */
static bool frame_next(struct wic *w, struct span *rest)
{
	struct frame f;
	enum gw_err err = frame_read(rest, WIC_IN_MAX, &f);

	if (err == GW_AGAIN)
		return false;
	if (err != GW_OK)
		wic_fail(w, FAILURE_FRAME, err);
	else
		frame_received(w, &f);
	return w->state != WIC_OUT;
}

/** Takes the answer to the upgrade off *rest. False: it is not whole, or the WIC is out. */
static bool upgrade_next(struct wic *w, struct span *rest)
{
	struct upgrade_answer answer = upgrade_read(*rest, w->key);

	switch (answer.err) {
	case GW_AGAIN:
		return false;
	case GW_OK:
		tally_took(w->world->tally, DEED_CONNECT, w->world->now_us - w->began_us);
		*rest = span_from(*rest, answer.used);
		w->state = WIC_OPEN;
		wic_register(w);
		return w->state != WIC_OUT;
	case GW_HTTP_UPGRADE:
		wic_fail(w, FAILURE_UPGRADE_REFUSED, (int32_t)answer.status);
		return false;
	default:
		wic_fail(w, FAILURE_UPGRADE_MALFORMED, 0);
		return false;
	}
}

/** Handles all that is whole in the buffer and moves the rest to its start. */
static void wic_parse(struct wic *w)
{
	struct span rest = span_of(w->in, w->in_len);
	bool more = true;

	while (more)
		more = w->state == WIC_UPGRADING ? upgrade_next(w, &rest) : frame_next(w, &rest);
	if (w->state == WIC_OUT)
		return;
	memmove(w->in, rest.at, rest.len);
	w->in_len = rest.len;
	if (w->in_len == WIC_IN_MAX)
		wic_fail(w, FAILURE_FRAME, GW_WS_TOO_LONG);
}

/** The server ended the connection: what we waited for, or what it should not. */
static void ended(struct wic *w)
{
	if (w->state != WIC_CLOSING && w->state != WIC_FROZEN) {
		wic_fail(w, FAILURE_ENDED, 0);
		return;
	}
	if (w->state == WIC_CLOSING)
		tally_took(w->world->tally, DEED_CLOSE, wic_now(w) - w->asked_us);
	wic_out(w, LINK_IN_ORDER);
}

/** The connection is broken, which is how the server may end one that does not answer, or not at
 * once when it was told to close. */
static void broken(struct wic *w)
{
	if (w->state == WIC_FROZEN || (w->state == WIC_CLOSING && w->ask == ASK_REPLACED))
		wic_out(w, LINK_RESET);
	else
		wic_fail(w, FAILURE_RESET, w->link.error);
}

static void wic_read(struct wic *w)
{
	uint32_t got;

	while (w->state != WIC_OUT) {
		switch (link_read(&w->link, w->in + w->in_len, WIC_IN_MAX - w->in_len, &got)) {
		case LINK_READY:
			w->in_len += got;
			(void)wic_now(w);
			wic_parse(w);
			break;
		case LINK_WAIT:
			return;
		case LINK_ENDED:
			ended(w);
			return;
		default:
			broken(w);
			return;
		}
	}
}

/* ---- the states ---------------------------------------------------------------------------- */

static void secure(struct wic *w);

static void connected(struct wic *w)
{
	if (link_connected(&w->link) == LINK_FAILED) {
		wic_fail(w, FAILURE_CONNECT, w->link.error);
		return;
	}
	wic_step(w, WIC_SECURING);
	secure(w);
}

static void upgrade(struct wic *w)
{
	struct wic_world *world = w->world;
	struct writer text;

	upgrade_key(chance_next(&world->chance), chance_next(&world->chance), w->key);
	writer_init(&text, world->text, sizeof(world->text));
	upgrade_write(&text, world->host, world->options->path, world->options->origin, w->key);
	wic_step(w, WIC_UPGRADING);
	if (!writer_ok(&text))
		wic_fail(w, FAILURE_OUTPUT, 0);
	else if (wic_queue(w, writer_span(&text)))
		wic_read(w); /* the tickets may be there already */
}

static void secure(struct wic *w)
{
	switch (link_handshake(&w->link)) {
	case LINK_WAIT:
		break;
	case LINK_READY:
		upgrade(w);
		break;
	case LINK_ENDED:
		wic_fail(w, FAILURE_ENDED, 0);
		break;
	default:
		wic_fail(w, FAILURE_TLS, w->link.error);
	}
}

static void transfer(struct wic *w)
{
	if (w->link.out_len == 0 || wic_flush(w))
		wic_read(w);
}

static void nothing(struct wic *w)
{
}

void wic_ready(struct wic *w)
{
	static void (*const ready[WIC_STATE_COUNT])(struct wic *) = {
		[WIC_OUT] = nothing,	    [WIC_CONNECTING] = connected, [WIC_SECURING] = secure,
		[WIC_UPGRADING] = transfer, [WIC_OPEN] = transfer,	  [WIC_CLOSING] = transfer,
		[WIC_FROZEN] = transfer,
	};

	ready[w->state](w);
}

/* ---- time ---------------------------------------------------------------------------------- */

static void late(struct wic *w)
{
	static const enum failure by_state[WIC_STATE_COUNT] = {
		[WIC_CONNECTING] = FAILURE_CONNECT_TIMEOUT, [WIC_SECURING] = FAILURE_TLS_TIMEOUT,
		[WIC_UPGRADING] = FAILURE_UPGRADE_TIMEOUT,  [WIC_CLOSING] = FAILURE_CLOSE_TIMEOUT,
		[WIC_FROZEN] = FAILURE_FROZEN_TIMEOUT,
	};
	static const enum failure by_ask[ASK_COUNT] = {
		[ASK_REGISTER] = FAILURE_REGISTER_TIMEOUT,
		[ASK_REFRESH] = FAILURE_REFRESH_TIMEOUT,
		[ASK_UNREGISTER] = FAILURE_UNREGISTER_TIMEOUT,
		[ASK_MESSAGE] = FAILURE_MESSAGE_TIMEOUT,
		[ASK_OPTIONS] = FAILURE_OPTIONS_TIMEOUT,
		[ASK_INVITE] = FAILURE_INVITE_TIMEOUT,
		[ASK_BYE] = FAILURE_BYE_TIMEOUT,
		[ASK_REPLACED] = FAILURE_REPLACED_TIMEOUT,
	};

	wic_fail(w, w->state == WIC_OPEN ? by_ask[w->ask] : by_state[w->state], 0);
}

void wic_turn(struct wic *w)
{
	uint64_t now_us = w->world->now_us;

	if (w->state == WIC_OUT) {
		if (w->due_us != 0 && now_us >= w->due_us && !w->world->ending)
			wic_start(w);
	} else if (w->deadline_us != 0 && now_us >= w->deadline_us) {
		late(w);
	} else if (wic_is_idle(w) && now_us >= w->refresh_us) {
		wic_register(w);
	}
}

void wic_await_replaced(struct wic *w)
{
	w->ask = ASK_REPLACED;
	w->away_us = WIC_NEVER_US;
	w->deadline_us = wic_now(w) + WIC_PATIENCE_US;
}

/** All it does from now on is to hear. The server has to notice by itself. */
static void freeze(struct wic *w)
{
	tally_count(w->world->tally, COUNT_FROZEN);
	w->registered = false;
	wic_step(w, WIC_FROZEN);
	w->deadline_us += FROZEN_US;
}

void wic_leave(struct wic *w, enum wic_exit how, uint64_t away_us)
{
	if (w->state == WIC_OUT || w->state == WIC_CLOSING)
		return;
	w->away_us = away_us;
	if (how == EXIT_ABORT || w->state != WIC_OPEN || w->ask == ASK_REPLACED) {
		tally_count(w->world->tally, COUNT_ABORT);
		if (w->ask != ASK_NOTHING && w->ask != ASK_REPLACED)
			tally_count(w->world->tally, COUNT_CUT);
		wic_out(w, LINK_RESET);
	} else if (w->ask != ASK_NOTHING) {
		w->exit = how;
	} else if (how == EXIT_FREEZE) {
		freeze(w);
	} else if (how == EXIT_UNREGISTER && w->registered) {
		wic_unregister(w);
	} else {
		wic_close(w, how == EXIT_UNREGISTER ? CLOSE_NORMAL : CLOSE_GOING_AWAY);
	}
}
