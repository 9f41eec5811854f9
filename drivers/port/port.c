/* SPDX-License-Identifier: BSD-3-Clause */
#include "port.h"

const struct port_ops *port_driver(const char *device)
{
	struct span text = span_text(device);

	if (span_equal(text, SPAN("kernel")))
		return &port_kernel;
	if (span_starts(text, SPAN("tap:")))
		return &port_tap;
	return &port_ethdev;
}
