/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WALK_H
#define WALK_H

#include "net/wire.h"

/**
 * A frame walked from Ethernet up as the stack does it, with the device having looked at no
 * checksum, everything that comes being for us and nobody being trusted to send fragments: the
 * first error, or GW_OK.
 */
enum gw_err walk(struct span frame);

#endif
