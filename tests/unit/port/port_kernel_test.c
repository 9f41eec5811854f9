/* SPDX-License-Identifier: BSD-3-Clause */
#include "port.h"

#include "test.h"

static struct port *opened(void)
{
	struct port_config config = {.name = "access", .device = "kernel", .queues = 2};
	struct port *port = NULL;
	char why[PORT_WHY_MAX];

	EXPECT_EQ(GW_OK, port_kernel.open(&config, &port, why));
	return port;
}

TEST(port_kernel, refuses_a_device_that_is_not_kernel)
{
	struct port_config config = {.name = "access", .device = "tap:wic0", .queues = 1};
	struct port *port = NULL;
	char why[PORT_WHY_MAX];

	EXPECT_EQ(GW_CONFIG, port_kernel.open(&config, &port, why));
	EXPECT_TEXT("tap:wic0 is not kernel", why);
	EXPECT(port == NULL);
}

TEST(port_kernel, says_that_it_has_no_packets)
{
	struct port *port = opened();
	struct port_info info;
	char why[PORT_WHY_MAX];

	EXPECT_EQ(GW_OK, port_kernel.start(port, &info, why));
	EXPECT(!info.packets);
	EXPECT_EQ(2, info.queues);
	EXPECT_EQ(0, port_kernel.rx_burst(port, 0, NULL, 32));
	EXPECT_EQ(0, port_kernel.tx_burst(port, 0, NULL, 32));
	port_kernel.close(port);
}

TEST(port_kernel, cannot_be_waited_for)
{
	struct port *port = opened();

	EXPECT_EQ(GW_NOT_SUPPORTED, port_kernel.arm(port, 0));
	EXPECT_EQ(-1, port_kernel.wait_fd(port, 0));
	port_kernel.close(port);
}

TEST_MAIN("port_kernel", RUN(port_kernel, refuses_a_device_that_is_not_kernel),
	  RUN(port_kernel, says_that_it_has_no_packets), RUN(port_kernel, cannot_be_waited_for))
