/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef POSIX_WORLD_H
#define POSIX_WORLD_H

#include "conn_conformance.h"

/** Two cores of net_posix on 127.0.0.1, 127.0.0.2 and ::1, with the real clock. */
extern const struct conn_world_ops posix_world;

#endif
