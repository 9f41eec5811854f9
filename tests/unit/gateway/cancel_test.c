/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

TEST(x, y)
{
}

TEST_MAIN("x", RUN(x, y))
