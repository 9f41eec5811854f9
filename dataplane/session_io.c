/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

/*
 * The bytes of a session: the input buffer it is lent only while something is in it, and the output
 * that TLS has not taken yet, up to a bound past which the peer is cut.
 */

/* ---- input   -------------------------------------------------------------------------------- */

void session_buffer_put(struct slots *pool, void *buffer, struct worker *w)
{
	if (!slots_put(pool, buffer))
		counter_add(&w->counters.invariant_broken, 1);
}

void session_input_release(struct session *s)
{
	struct worker *w = s->worker;

	if (s->in != NULL)
		session_buffer_put(s->in_size == SMALL_BUFFER ? w->small : w->large, s->in, w);
	s->in = NULL;
	s->in_len = 0;
	s->in_size = 0;
}

/** Moves a message that outgrew the small buffer to a large one. */
static bool input_grow(struct session *s)
{
	struct worker *w = s->worker;
	uint8_t *large;

	if (s->in_size != SMALL_BUFFER)
		return false;
	large = slots_get_unzeroed(w->large);
	if (large == NULL)
		return false;
	memcpy(large, s->in, s->in_len);
	session_buffer_put(w->small, s->in, w);
	s->in = large;
	s->in_size = w->large_size;
	return true;
}

bool session_input_room(struct session *s)
{
	if (s->in == NULL) {
		s->in = slots_get_unzeroed(s->worker->small);
		s->in_size = SMALL_BUFFER;
		if (s->in == NULL)
			return false;
	}
	return s->in_len < s->in_size || input_grow(s);
}

/* ---- output --------------------------------------------------------------------------------- */

void session_output_flush(struct session *s)
{
	struct worker *w = s->worker;

	while (s->out != NULL && s->out_at < s->out_len) {
		struct span rest = span_of(s->out + s->out_at, s->out_len - s->out_at);
		struct tls_result r = w->tls->seal(s->tls, rest);

		s->out_at += r.n;
		if (r.err != GW_OK || r.n == 0)
			return;
	}
	if (s->out == NULL)
		return;
	session_buffer_put(w->large, s->out, w);
	s->out = NULL;
	s->out_at = 0;
	s->out_len = 0;
}

bool session_large_allowed(const struct session *s)
{
	const struct slots *large = s->worker->large;
	uint32_t capacity = slots_capacity(large);

	return !handle_is_none(s->wic.binding) || slots_live(large) < capacity - capacity / 2;
}

/** Keeps what TLS did not take. A peer that lets more than the bound wait is cut. */
static enum gw_err output_keep(struct session *s, struct span rest)
{
	struct worker *w = s->worker;

	if (s->out == NULL && session_large_allowed(s))
		s->out = slots_get_unzeroed(w->large);
	if (s->out_at > 0) { /* what was taken makes room again */
		s->out_len -= s->out_at;
		memmove(s->out, s->out + s->out_at, s->out_len);
		s->out_at = 0;
	}
	if (s->out == NULL) {
		session_cut(s, GW_POOL_EMPTY);
		return GW_POOL_EMPTY;
	}
	if (s->out_len + rest.len > worker_settings(w)->max_output ||
	    s->out_len + rest.len > w->large_size) {
		counter_add(&w->counters.slow_output, 1);
		session_cut(s, GW_WS_SLOW);
		return GW_WS_SLOW;
	}
	memcpy(s->out + s->out_len, rest.at, rest.len);
	s->out_len += rest.len;
	return GW_OK;
}

enum gw_err session_output(struct session *s, struct span bytes)
{
	struct tls_result r = {.err = GW_AGAIN};

	if (s->out == NULL)
		r = s->worker->tls->seal(s->tls, bytes);
	if (r.n == bytes.len)
		return GW_OK;
	if (r.err != GW_OK && r.err != GW_AGAIN) {
		session_cut(s, r.err);
		return r.err;
	}
	return output_keep(s, span_from(bytes, r.n));
}

enum gw_err session_output_frame(struct session *s, enum ws_opcode opcode, struct span payload)
{
	struct writer frame;

	writer_init(&frame, s->worker->scratch, s->worker->scratch_size);
	ws_head_write(opcode, payload.len, &frame);
	writer_put(&frame, payload);
	return writer_ok(&frame) ? session_output(s, writer_span(&frame)) : GW_NO_ROOM;
}
