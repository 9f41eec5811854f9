/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STAGE_H
#define STAGE_H

#include "test.h"
#include "wic.h"

/** One WIC without a network, for tests: its link is stage.c, which keeps what is sent. */

#define STAGE_SENT_MAX 8

struct stage {
	struct {
		uint8_t text[STAGE_SENT_MAX][LINK_OUT_MAX]; /* of each frame, its mask taken off */
		uint32_t len[STAGE_SENT_MAX];
		uint32_t count;
	} sent;
	struct options options;
	struct tally tally;
	struct wic_world world;
	struct wic wic;
};
extern struct stage stage;

/** A registered WIC of this pair that has said nothing yet. */
void stage_start(const struct pair *pair);

/** The i-th frame that was sent, a SIP message. Good until the next call. */
struct sip_message *stage_message(uint32_t i);

/** The answer to what was sent as the i-th comes, with these further lines. */
void stage_answer(uint32_t i, uint16_t status, const char *extra);

#endif
