/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

void home_deliver(struct gateway *gw, const struct mw_source *source, struct handle home)
{
	(void)home;
	terminate_no_flow(gw, source, GW_FLOW_GONE, false);
}
