/* SPDX-License-Identifier: BSD-3-Clause */
#include "posix_world.h"

int main(void)
{
	return conn_conformance("conn (kernel sockets)", &posix_world);
}
