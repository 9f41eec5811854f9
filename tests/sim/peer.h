/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PEER_H
#define PEER_H

#include "sim.h"

/** Bytes on their way to a connection that may have no room: a script's side of a stream. */
struct peer_out {
	uint8_t bytes[65536];
	uint32_t len;
};

/** Keeps bytes and sends what there is room for. What does not fit is dropped whole. */
void peer_send(struct peer_out *out, struct conn *conn, struct span bytes);
void peer_flush(struct peer_out *out, struct conn *conn);

/** Takes what has arrived behind the len bytes in buffer; at most room in all. New length. */
uint32_t peer_take(struct conn *conn, uint8_t *buffer, uint32_t len, uint32_t room);

/* what the scripts tell each other */
/** WIC wic got the core's MESSAGE on its connection conn: whether that is right. */
void core_delivered(struct sim *sim, struct span message, uint32_t wic, uint32_t conn);
/** The core says 200 to user's REGISTER on connection conn; and whether it has. */
void wic_accepted(struct wic_script *wics, uint32_t wic, uint32_t conn, uint32_t user);
/** Whose registration its connection has had last; 0: nobody's, or it is no visitor. */
uint32_t wic_sub_here(const struct wic_script *wics, uint32_t wic);
/** It has changed its identity on the connection that it has. */
bool wic_mixed(const struct wic_script *wics, uint32_t wic);
bool wic_registered(const struct wic_script *wics, uint32_t wic, uint32_t conn, uint32_t user);

#endif
