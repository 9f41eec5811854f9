/* SPDX-License-Identifier: BSD-3-Clause */
#include "packets_world.h"

int main(void)
{
	return conn_conformance("conn (packets)", &packets_world);
}
