/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernel_end.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>

#include "test.h"

void kernel_run(const char *format, ...)
{
	char command[512];
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(command, sizeof(command), format, list);
	va_end(list);
	EXPECT(n > 0 && (size_t)n < sizeof(command));
	if (system(command) != 0)
		fail_msg("%s", command);
}

/** The kernel makes the route to its own new address later, from a work queue. */
static void wait_for_own_route(void)
{
	kernel_run("for i in $(seq 200); do"
		   " ip -6 route get fd00:18::%u | grep -q ^local && exit 0; sleep 0.01;"
		   " done; exit 1",
		   WIRE_KERNEL);
}

void kernel_end_up(const char *interface, enum wire_family family, const uint8_t m[6])
{
	const char *version = family == WIRE_V4 ? "-4" : "-6";
	const char *net = family == WIRE_V4 ? "198.18.0." : "fd00:18::";

	if (family == WIRE_V6)
		kernel_run("echo 0 >/proc/sys/net/ipv6/conf/%s/disable_ipv6", interface);
	kernel_run("ip %s addr add %s%u/%u dev %s %s", version, net, WIRE_KERNEL,
		   family == WIRE_V4 ? 24 : 64, interface, family == WIRE_V6 ? "nodad" : "");
	kernel_run("ip %s neigh replace %s%u dev %s nud permanent "
		   "lladdr %02x:%02x:%02x:%02x:%02x:%02x",
		   version, net, WIRE_PORT, interface, m[0], m[1], m[2], m[3], m[4], m[5]);
	if (family == WIRE_V6)
		wait_for_own_route();
}

void kernel_end_mac(const char *interface, uint8_t mac[6])
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	EXPECT_EQ(0, ioctl(fd, SIOCGIFHWADDR, &request));
	memcpy(mac, request.ifr_hwaddr.sa_data, 6);
	close(fd);
}

socklen_t kernel_host(struct sockaddr_storage *storage, enum wire_family family, uint32_t host,
		      uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(0xc6120000u | host)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
				  .sin6_port = htons(port),
				  .sin6_addr.s6_addr = {0xfd, 0, 0, 0x18, [15] = (uint8_t)host}};

	if (family == WIRE_V4) {
		memcpy(storage, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(storage, &v6, sizeof(v6));
	return sizeof(v6);
}

int kernel_udp(enum wire_family family, uint16_t port, uint16_t to_port)
{
	int fd = socket(family == WIRE_V4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_storage address;
	socklen_t length = kernel_host(&address, family, WIRE_KERNEL, port);

	EXPECT_EQ(0, bind(fd, (struct sockaddr *)&address, length));
	length = kernel_host(&address, family, WIRE_PORT, to_port);
	EXPECT_EQ(0, connect(fd, (struct sockaddr *)&address, length));
	return fd;
}

void kernel_say(int socket, const char *text)
{
	EXPECT_EQ(strlen(text), send(socket, text, strlen(text), 0));
}

int kernel_receive(int socket, void *bytes, uint32_t size)
{
	struct pollfd wait = {.fd = socket, .events = POLLIN};

	if (poll(&wait, 1, 1000) != 1)
		return -1;
	return (int)recv(socket, bytes, size, 0);
}

int kernel_raw(const char *interface)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_ifindex = (int)if_nametoindex(interface)};

	EXPECT_EQ(0, bind(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

void kernel_raw_send(int raw, const struct wire_frame *frame)
{
	uint8_t bytes[WIRE_FRAME_MAX];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	wire_frame_write(&w, frame, SPAN("payload"));
	EXPECT_EQ(writer_len(&w), send(raw, bytes, writer_len(&w), 0));
}
