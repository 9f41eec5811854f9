/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_JOURNAL_H
#define SIM_JOURNAL_H

#include "message.h"
#include "sim.h"

/**
 * Control's journal of pool bindings, without its file: what workers have told outlives the gateway
 * in memory. That a crash may cost the last second of it is left out: what was told is known.
 */
struct journal_script;

struct journal_script *journal_script_new(void);
void journal_script_free(struct journal_script *journal);

/** Takes a MESSAGE_JOURNAL. */
void journal_script_take(struct sim *sim, const struct message_journal *m);
/** The gateway dies: takes what waits in control's rings. */
void journal_script_last(struct sim *sim);
/** It is back, and has not run yet: its workers get what was kept. */
void journal_script_restore(struct sim *sim);
/** Bindings that are kept. */
uint32_t journal_script_live(const struct sim *sim);

#endif
