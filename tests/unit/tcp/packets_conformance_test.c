/* SPDX-License-Identifier: BSD-3-Clause */
#include "packets_world.h"

/* The UDP half; the other one waits for TCP. */
int main(void)
{
	return udp_conformance("udp (packets)", &packets_world);
}
