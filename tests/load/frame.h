/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FRAME_H
#define FRAME_H

#include "gw_err.h"
#include "span.h"
#include "writer.h"
#include "ws/ws.h"

/** The client's half of WebSocket framing (RFC 6455 5.2): what ws/ does for the server. */

/** Writes one final, masked frame. */
void frame_write(struct writer *out, enum ws_opcode opcode, uint32_t mask, struct span payload);

/** A frame of the server. */
struct frame {
	enum ws_opcode opcode;
	struct span payload; /* into the input */
};

/**
 * Takes the next frame off *in. GW_AGAIN (nothing consumed) while it is incomplete. The server is
 * ours, and it writes whole messages: a fragment is refused (GW_WS_FRAGMENT). GW_WS_RESERVED, also
 * for a masked frame (RFC 6455 5.1); GW_WS_CONTROL; GW_WS_LENGTH; GW_WS_TOO_LONG past max_payload.
 */
enum gw_err GW_MUST_CHECK frame_read(struct span *in, uint32_t max_payload, struct frame *out);

#endif
