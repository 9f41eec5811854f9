/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LEASE_TEST_H
#define LEASE_TEST_H

#include "message.h"

#define LEASE_NOW_S 1795000000ull

/** What a worker tells of its n-th binding, which the core holds for ten minutes. */
struct message_journal lease_message(uint32_t n);

/** The same binding has gone. */
struct message_journal lease_over(uint32_t n);

#endif
