/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap_device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>

#define TAP_FLAGS (IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE | IFF_VNET_HDR)

/** GW_SYSTEM: what was being done, and errno in words. */
static enum gw_err failed(const struct tap_device *device, const char *what, char why[PORT_WHY_MAX])
{
	snprintf(why, PORT_WHY_MAX, "tap:%s: %s: %m", device->name, what);
	return GW_SYSTEM;
}

/** What the kernel takes as a name and does not expand to another one. */
static bool name_ok(struct span name)
{
	if (name.len == 0 || name.len >= IFNAMSIZ || span_equal(name, SPAN(".")) ||
	    span_equal(name, SPAN("..")))
		return false;
	for (uint32_t i = 0; i < name.len; i++)
		if (name.at[i] <= ' ' || name.at[i] > '~' ||
		    strchr("/:%", (char)name.at[i]) != NULL)
			return false;
	return true;
}

static enum gw_err read_name(struct tap_device *device, const char *text, char why[PORT_WHY_MAX])
{
	struct span name = span_text(text);

	if (!span_starts(name, SPAN("tap:")) || !name_ok(span_from(name, 4))) {
		snprintf(why, PORT_WHY_MAX, "%.64s is not tap:IFACE", text);
		return GW_CONFIG;
	}
	snprintf(device->name, sizeof(device->name), "%s", text + 4);
	return GW_OK;
}

static int interface_call(const struct tap_device *device, unsigned long request,
			  struct ifreq *interface)
{
	snprintf(interface->ifr_name, sizeof(interface->ifr_name), "%s", device->name);
	return ioctl(device->control, request, interface);
}

bool tap_device_link(const struct tap_device *device)
{
	struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
	struct ifreq interface = {.ifr_data = (char *)&link};

	return interface_call(device, SIOCETHTOOL, &interface) == 0 && link.data != 0;
}

/** A TAP interface has a carrier as long as somebody holds a queue of it. */
static enum gw_err refuse_shared(const struct tap_device *device, char why[PORT_WHY_MAX])
{
	if (!tap_device_link(device))
		return GW_OK;
	snprintf(why, PORT_WHY_MAX, "tap:%s: another process has it, or it is no TAP interface",
		 device->name);
	return GW_SYSTEM;
}

static enum gw_err attach(const struct tap_device *device, int fd, char why[PORT_WHY_MAX])
{
	struct ifreq interface = {.ifr_flags = TAP_FLAGS};
	unsigned long offload = TUN_F_CSUM; /* never TSO or USO: a frame is a packet */
	int header = sizeof(struct virtio_net_hdr);

	memcpy(interface.ifr_name, device->name, sizeof(interface.ifr_name));
	if (ioctl(fd, TUNSETIFF, &interface) != 0)
		return failed(device,
			      errno == EINVAL ? "is not a TAP interface made with multi_queue"
					      : "attach a queue",
			      why);
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) != 0)
		return failed(device, "set the header's size", why);
	if (ioctl(fd, TUNSETOFFLOAD, offload) != 0)
		return failed(device, "offer checksums", why);
	return GW_OK;
}

static enum gw_err open_queue(struct tap_device *device, char why[PORT_WHY_MAX])
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return failed(device, "open /dev/net/tun", why);
	device->fd[device->queues++] = fd;
	return attach(device, fd, why);
}

enum gw_err tap_device_open(struct tap_device *device, const char *text, uint16_t queues,
			    char why[PORT_WHY_MAX])
{
	enum gw_err err;

	*device = (struct tap_device){.control = -1};
	err = read_name(device, text, why);
	if (err != GW_OK)
		return err;
	device->control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	err = device->control < 0 ? failed(device, "open a socket", why)
				  : refuse_shared(device, why);
	for (uint16_t q = 0; q < queues && err == GW_OK; q++)
		err = open_queue(device, why);
	if (err != GW_OK)
		tap_device_close(device);
	return err;
}

void tap_device_close(struct tap_device *device)
{
	for (uint16_t q = 0; q < device->queues; q++)
		close(device->fd[q]);
	device->queues = 0;
	if (device->control >= 0)
		close(device->control);
	device->control = -1;
}

enum gw_err tap_device_mtu(const struct tap_device *device, uint16_t wanted, uint32_t *mtu,
			   char why[PORT_WHY_MAX])
{
	struct ifreq interface = {0};

	if (interface_call(device, SIOCGIFMTU, &interface) != 0)
		return failed(device, "read the MTU", why);
	*mtu = (uint32_t)interface.ifr_mtu;
	if (wanted == 0 || wanted == *mtu)
		return GW_OK;
	interface.ifr_mtu = wanted;
	if (interface_call(device, SIOCSIFMTU, &interface) != 0)
		return failed(device, "set the MTU", why);
	*mtu = wanted;
	return GW_OK;
}

enum gw_err tap_device_mac(const struct tap_device *device, const uint8_t mac[6],
			   char why[PORT_WHY_MAX])
{
	struct ifreq interface = {0};

	if (interface_call(device, SIOCGIFHWADDR, &interface) != 0)
		return failed(device, "read the hardware address", why);
	if (memcmp(interface.ifr_hwaddr.sa_data, mac, 6) != 0)
		return GW_OK;
	snprintf(why, PORT_WHY_MAX, "tap:%s: its kernel end has our hardware address",
		 device->name);
	return GW_CONFIG;
}

bool tap_device_steer(const struct tap_device *device, const struct tap_steer *steer,
		      char why[PORT_WHY_MAX])
{
	int program = tap_steer_load(steer), none = -1;
	bool attached = program >= 0 && ioctl(device->fd[0], TUNSETSTEERINGEBPF, &program) == 0;

	if (!attached) {
		snprintf(why, PORT_WHY_MAX, "tap:%s does not steer: %m", device->name);
		/* nor by what an earlier holder of a persistent interface has left */
		ioctl(device->fd[0], TUNSETSTEERINGEBPF, &none);
	}
	if (program >= 0)
		close(program); /* the interface keeps it */
	return attached;
}

enum gw_err tap_device_up(const struct tap_device *device, char why[PORT_WHY_MAX])
{
	struct ifreq interface = {0};

	if (interface_call(device, SIOCGIFFLAGS, &interface) != 0)
		return failed(device, "read the flags", why);
	if ((interface.ifr_flags & IFF_UP) != 0)
		return GW_OK;
	interface.ifr_flags |= IFF_UP;
	if (interface_call(device, SIOCSIFFLAGS, &interface) != 0 && errno != EPERM)
		return failed(device, "take it up", why);
	return GW_OK;
}
