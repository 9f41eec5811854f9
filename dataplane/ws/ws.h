/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WS_H
#define WS_H

#include "gw_err.h"
#include "span.h"
#include "writer.h"

/** HTTP upgrade to WebSocket (RFC 6455 4.2, RFC 7118 4) and WebSocket frames (RFC 6455 5), as bytes
 * in and bytes out. */

/** What the gateway serves; borrowed. */
struct ws_upgrade_policy {
	const struct span *hosts; /* served Host names without port; none = any */
	uint32_t host_count;
	const struct span *paths; /* exact, without query */
	uint32_t path_count;
	const struct span *origins; /* serialised origins in lower case without default port, exact
				       match (RFC 6454) */
	uint32_t origin_count;
	uint32_t max_head; /* bytes of request head */
};

/** Longest serialised Origin that is compared; a longer one is refused. */
#define WS_ORIGIN_MAX 256

/** An upgrade request as read. Spans point into the input; after a failure those of the checks
 * before it are set. */
struct ws_upgrade {
	enum gw_err err; /* GW_OK, GW_AGAIN, or the first check of PROTOCOL 2.1 that failed, in that
			    table's order */
	uint32_t used;	 /* bytes of the head, when complete */
	struct span path;      /* without query */
	struct span host;      /* without port */
	struct span origin;    /* as received */
	uint32_t origin_index; /* which of policy->origins it is, when GW_OK */
	struct span key;       /* Sec-WebSocket-Key */
};

/**
 * Reads one HTTP/1.1 upgrade request. GW_AGAIN until the empty line is there (GW_HTTP_TOO_LONG past
 * max_head, also when the end is there). Header names case-insensitive; obs-fold, bare CR or LF,
 * and anything that announces a body are refused. Origin is compared after ASCII lower-casing and
 * default-port elision, https only; exactly one Origin and one Key. An absolute request target is
 * read as RFC 9112 3.2.2 has it: its authority replaces Host. permessage-deflate and cookies are
 * ignored.
 *
 * GW_HTTP_SYNTAX, _METHOD, _HOST, GW_HTTP_NOT_UPGRADE (no Upgrade header), GW_HTTP_UPGRADE (one
 * that does not ask for websocket, or no Connection: upgrade), GW_WS_VERSION, _KEY, _PATH,
 * _SUBPROTOCOL, _ORIGIN.
 */
struct ws_upgrade ws_upgrade_read(struct span in, const struct ws_upgrade_policy *policy);

/**
 * Whether in, which has grown since the last call, holds the end of a head now: what says so before
 * ws_upgrade_read() looks at all of it, however many pieces it comes in. *seen: 0 before the first
 * call.
 */
bool ws_upgrade_ends(struct span in, uint32_t *seen);

/** Writes the 101 answer: Upgrade, Connection, Sec-WebSocket-Accept of key, Sec-WebSocket-Protocol:
 * sip. */
void ws_upgrade_accept(struct span key, struct writer *out);

/** HTTP status of PROTOCOL 2.1 for a failed upgrade, 431 for a head too long (RFC 6585 5), 429 for
 * a limit of its address (RFC 6585 4), 503 for another limit or a drain; 400 for anything else. */
uint16_t ws_upgrade_status(enum gw_err err);

/**
 * Writes an error answer with Connection: close and Content-Length: 0; 426 carries Upgrade:
 * websocket and Sec-WebSocket-Version: 13; 405 carries Allow: GET; retry_after_s > 0 adds
 * Retry-After.
 */
void ws_upgrade_refuse(uint16_t status, uint32_t retry_after_s, struct writer *out);

enum ws_opcode {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10
};

/** A frame's head. */
struct ws_frame {
	bool fin;
	enum ws_opcode opcode;
	uint64_t payload_len;
	uint8_t mask[4];
};

/**
 * Reads a client frame's head at the start of *in and moves in past it. GW_AGAIN (nothing consumed)
 * while incomplete; GW_WS_RESERVED, GW_WS_CONTROL, GW_WS_UNMASKED, GW_WS_LENGTH, or GW_WS_TOO_LONG
 * (data frames) as soon as the byte that shows it is there. *frame is set on GW_OK only.
 */
enum gw_err GW_MUST_CHECK ws_frame_read(struct span *in, uint32_t max_payload,
					struct ws_frame *frame);

/** Unmasks n bytes in place; offset is their place in the payload. */
void ws_unmask(uint8_t *bytes, uint32_t n, const uint8_t mask[4], uint32_t offset);

/**
 * Bytes a receive buffer needs beyond max_message: the longest control frame, which stays raw until
 * it is whole. A buffer of max_message + WS_READER_SLACK never is full after WS_NEED_MORE.
 */
#define WS_READER_SLACK 131

/**
 * Where a connection is in the message it is receiving. Works on one buffer that the session owns:
 * raw bytes from TLS are appended at its end. A message is unmasked in place, its fragments pulled
 * together, so that it lies contiguous; everything moves to the start of the buffer when more bytes
 * are needed, and only then: a buffer full of small frames costs one pass. Holds offsets, no
 * pointers: the session may copy the buffer elsewhere between calls. 32 bytes: part of an idle
 * session.
 */
struct ws_reader {
	uint32_t max_message; /* bytes of a reassembled message */
	uint32_t start;	      /* offset of the message in the buffer */
	uint32_t assembled;   /* unmasked message bytes from there */
	uint32_t raw;	      /* offset of the first byte not looked at yet */
	uint32_t frame_left;  /* payload bytes of the current data frame still to come */
	uint8_t mask[4];
	uint8_t mask_offset; /* place in the payload, modulo 4 */
	uint8_t opcode;	     /* of the message under way; 0 when none */
	bool fin;
	bool in_frame;
	uint8_t utf8_state; /* incremental validation of text messages */
	uint8_t failed;	    /* an enum gw_err: what WS_FAILED said, and will say again */
};

enum ws_kind {
	WS_NEED_MORE,
	WS_MESSAGE,
	WS_CONTROL_PING,
	WS_CONTROL_PONG,
	WS_CONTROL_CLOSE,
	WS_FAILED
};

/** What ws_read() found. */
struct ws_event {
	enum ws_kind kind;
	enum gw_err err;     /* WS_FAILED: why; else GW_OK */
	struct span payload; /* of the message, ping or pong, or the close reason: in the buffer,
				until the next call with this reader */
	bool text;	     /* the message came as text */
	uint16_t close_code; /* WS_CONTROL_CLOSE: 1005 when the frame had none */
};

void ws_reader_init(struct ws_reader *r, uint32_t max_message);

/**
 * Looks at the *len bytes in buffer and finds the next event. After WS_MESSAGE the caller handles
 * payload, then calls ws_read_done(); after a control frame it just goes on; it calls ws_read()
 * again until WS_NEED_MORE. Then what is left lies at the start of buffer and *len is that many:
 * part of a message, or nothing (the buffer may be given back). Fragments of one message may have
 * control frames between them. A message not yet done is given again. Bytes may be appended at
 * any time.
 *
 * WS_FAILED, which repeats: the errors of ws_frame_read(); GW_WS_FRAGMENT; GW_WS_TOO_LONG for the
 * message as a whole; GW_WS_UTF8 in a text message or a close reason, as soon as it can be known;
 * GW_WS_CLOSE_CODE for a close frame with one byte or a code that may not be sent.
 */
struct ws_event ws_read(struct ws_reader *r, uint8_t *buffer, uint32_t *len);

/** Drops the message that the last ws_read() gave. Without one does nothing. */
void ws_read_done(struct ws_reader *r);

/** Largest head of a server frame. */
#define WS_HEAD_MAX 10

/** Writes the head of an unmasked, final server frame with n payload bytes to follow (RFC
 * 6455 5.1, 5.2). */
void ws_head_write(enum ws_opcode opcode, uint32_t n, struct writer *out);

/** Writes a whole close frame. code 0: no payload. Never 1005, 1006 or 1015 (RFC 6455 7.4.1): those
 * become 1000. reason, UTF-8, is cut to the 123 bytes that fit, between characters. */
void ws_close_write(uint16_t code, struct span reason, struct writer *out);

/** Close code of PROTOCOL 2.2 for a failure: 1002, 1007, 1008, 1009, 1001, 1011; 1000 when it is
 * none. */
uint16_t ws_close_code(enum gw_err err);

/** The bytes are valid UTF-8 (RFC 3629, no surrogates): whether SIP may go out as text (RFC
 * 7118 4.2). */
bool ws_is_utf8(struct span bytes);

#endif
