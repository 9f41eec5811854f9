/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_MODEL_H
#define TCP_MODEL_H

#include "net/wire.h"

/**
 * TCP.md 5.5's rules of options put down a second time, slowly and in another way: first all
 * options are listed, then each kind is looked for. For the unit tests and the fuzz targets.
 */
struct tcp_options tcp_model_options(struct span area, bool syn);
bool tcp_model_equal(const struct tcp_options *a, const struct tcp_options *b);
/** The header of a segment that is whole and whose offset is 5 or more; err and the checksum are
 * left out. */
struct tcp_packet tcp_model_head(struct span segment);
/** Everything but err and payload. */
bool tcp_model_head_equal(const struct tcp_packet *a, const struct tcp_packet *b);

#endif
