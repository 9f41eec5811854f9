/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PACKETS_WORLD_H
#define PACKETS_WORLD_H

#include "conn_conformance.h"

/** Two cores of net_packets, each with a port of its own; a wire between them; a virtual clock. */
extern const struct conn_world_ops packets_world;

#endif
