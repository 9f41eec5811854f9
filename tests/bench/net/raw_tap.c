/* SPDX-License-Identifier: BSD-3-Clause */
#include "raw_tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "space.h"

#define ARP_AT 14 /* offsets in an untagged frame */
#define IP_AT 14
#define UDP_AT 34

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 0x10};

int raw_tap_open(struct raw_tap *tap, const char *interface)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE};

	strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return tap->fd >= 0 && ioctl(tap->fd, TUNSETIFF, &request) == 0 ? 0 : -1;
}

static void swap(uint8_t *a, uint8_t *b, int n)
{
	for (int i = 0; i < n; i++) {
		uint8_t byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

/** The request for our address becomes the answer. */
static bool answer_arp(uint8_t *frame)
{
	uint8_t *arp = frame + ARP_AT;
	struct in_addr ours;

	inet_pton(AF_INET, SPACE_GATEWAY, &ours);
	if (arp[7] != 1 || memcmp(arp + 24, &ours, 4) != 0)
		return false;
	arp[7] = 2;
	memcpy(arp + 18, our_mac, 6);
	swap(arp + 8, arp + 18, 10);
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, our_mac, 6);
	return true;
}

/** Both ends change places: every checksum stays right. */
static bool answer_udp(uint8_t *frame)
{
	if (frame[12] != 8 || frame[13] != 0 || frame[23] != IPPROTO_UDP)
		return false;
	swap(frame, frame + 6, 6);
	swap(frame + IP_AT + 12, frame + IP_AT + 16, 4);
	swap(frame + UDP_AT, frame + UDP_AT + 2, 2);
	return true;
}

static void rest(struct raw_tap *tap)
{
	struct pollfd fd = {.fd = tap->fd, .events = POLLIN};

	if (!atomic_load(&tap->sleeps))
		return;
	poll(&fd, 1, 100);
	atomic_store(&tap->cpu_us, space_cpu_us());
}

void *raw_tap_run(void *context)
{
	struct raw_tap *tap = context;
	uint8_t frame[2048];

	space_pin(0);
	while (!atomic_load(&tap->stop)) {
		ssize_t n = read(tap->fd, frame, sizeof(frame));
		bool arp = n >= 42 && frame[12] == 8 && frame[13] == 6;

		if (n < 0)
			rest(tap);
		if (n < 42 || !(arp ? answer_arp(frame) : answer_udp(frame)))
			continue;
		if (write(tap->fd, frame, (size_t)n) != n)
			continue; /* the client counts it as lost */
	}
	return NULL;
}
