/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_SIP_PEERS_H
#define BENCH_SIP_PEERS_H

#include <stdbool.h>
#include <stddef.h>

/** The parsers we compare with, each parsing one message and freeing what it made. They stand in a
 * file of their own: their header files share names with ours. */
void peers_init(void);
bool peers_osip_parse(const char *text, size_t len);
bool peers_sofia_parse(const char *text, size_t len);

#endif
