/* SPDX-License-Identifier: BSD-3-Clause */
#include "port.h"

#include "test.h"

/* Its own tests have the real one; here only the choice counts. */
const struct port_ops port_ethdev = {.name = "ethdev"};

TEST(port_driver, is_chosen_by_the_device_string)
{
	EXPECT_TEXT("kernel", port_driver("kernel")->name);
	EXPECT_TEXT("tap", port_driver("tap:wic0")->name);
	EXPECT_TEXT("tap", port_driver("tap:")->name); /* which refuses it */
	EXPECT_TEXT("ethdev", port_driver("net_tap0,iface=wic0")->name);
	EXPECT_TEXT("ethdev", port_driver("0000:3b:00.0")->name);
	EXPECT_TEXT("ethdev", port_driver("kernel0")->name);
}

TEST_MAIN("port_driver", RUN(port_driver, is_chosen_by_the_device_string))
