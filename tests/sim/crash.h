/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_CRASH_H
#define SIM_CRASH_H

/** From now on a crash, an abort or an alarm first writes to descriptor fd what crash_running() was
 * told last, and then ends the program as it would have. */
void crash_watch(int fd);
/** A line, with its end; at most 127 bytes of it are kept. */
void crash_running(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
