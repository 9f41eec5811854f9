/* SPDX-License-Identifier: BSD-3-Clause */
#include "space.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int shell(const char *format, const char *a, const char *b)
{
	char command[512];

	snprintf(command, sizeof(command), format, a, b);
	return system(command) == 0 ? 0 : -1;
}

int space_enter(void)
{
	return unshare(CLONE_NEWNET) == 0 ? shell("ip link set lo up%s%s", "", "") : -1;
}

int space_address(const char *interface)
{
	return shell("ip addr add " SPACE_PEER "/24 dev %s && ip link set %s up", interface,
		     interface);
}

int space_veth(const char *gateway_end, const char *peer_end)
{
	if (shell("ip link add %s type veth peer name %s", gateway_end, peer_end) != 0 ||
	    shell("ethtool -K %s tx off tso off gso off >/dev/null 2>&1%s", peer_end, "") != 0 ||
	    shell("ip link set %s arp off && ip link set %s up", gateway_end, gateway_end) != 0)
		return -1;
	return space_address(peer_end);
}

void space_pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	sched_setaffinity(0, sizeof(set), &set); /* where there is no such core: anywhere */
}

unsigned long space_cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (unsigned long)t.tv_sec * 1000000 + (unsigned long)t.tv_nsec / 1000;
}
