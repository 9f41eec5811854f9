/* SPDX-License-Identifier: BSD-3-Clause */
#include "end.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define RECEIVE_BYTES (4 << 20)

static bool complain(const char *what, const char *name)
{
	fprintf(stderr, "wirebox: %s %s: %s\n", what, name, strerror(errno));
	return false;
}

static bool open_tap(struct end *end)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};

	memcpy(request.ifr_name, end->name, sizeof(end->name));
	end->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return end->fd >= 0 && ioctl(end->fd, TUNSETIFF, &request) == 0;
}

static bool packet_option(int fd, int name, int value)
{
	return setsockopt(fd, SOL_PACKET, name, &value, sizeof(value)) == 0;
}

static bool open_packet(struct end *end)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_ALL),
				      .sll_ifindex = (int)if_nametoindex(end->name)};
	int bytes = RECEIVE_BYTES;

	/* protocol 0: nothing of other interfaces comes before it is bound */
	end->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return end->fd >= 0 && address.sll_ifindex > 0 &&
	       packet_option(end->fd, PACKET_VNET_HDR, 1) &&
	       packet_option(end->fd, PACKET_AUXDATA, 1) &&
	       packet_option(end->fd, PACKET_IGNORE_OUTGOING, 1) &&
	       setsockopt(end->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == 0 &&
	       bind(end->fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool promiscuous(const struct end *end)
{
	struct packet_mreq request = {.mr_type = PACKET_MR_PROMISC,
				      .mr_ifindex = (int)if_nametoindex(end->name)};

	return setsockopt(end->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)) ==
	       0;
}

bool end_open(struct end *end, const char *text)
{
	static const char *const kinds[] = {[END_TAP] = "tap:", [END_PACKET] = "packet:"};

	*end = (struct end){.fd = -1};
	for (enum end_kind kind = END_TAP; kind <= END_PACKET; kind++) {
		size_t prefix = strlen(kinds[kind]);

		if (strncmp(text, kinds[kind], prefix) != 0 || strlen(text) - prefix >= IFNAMSIZ)
			continue;
		end->kind = kind;
		memcpy(end->name, text + prefix, strlen(text) - prefix);
		if (kind == END_TAP ? open_tap(end) : open_packet(end) && promiscuous(end))
			return true;
		return complain("cannot open", text);
	}
	fprintf(stderr, "wirebox: %s is neither tap:NAME nor packet:NAME\n", text);
	return false;
}

void end_close(struct end *end)
{
	if (end->fd >= 0)
		close(end->fd);
	end->fd = -1;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/** A device that is down for now is no reason to end; one that was taken away is. */
static enum end_read read_failed(const struct end *end)
{
	if (errno == EAGAIN || errno == EINTR || errno == ENETDOWN || errno == EIO)
		return END_NOTHING;
	complain("cannot read", end->name);
	return END_GONE;
}

static enum end_read read_tap(const struct end *end, struct frame *frame)
{
	ssize_t n = read(end->fd, frame->bytes, FRAME_MAX);

	if (n < 0)
		return read_failed(end);
	frame->len = (uint32_t)n;
	return END_FRAME;
}

/** The VLAN tag that the kernel took out of the frame, put in again. */
static bool restore_tag(struct msghdr *message, struct frame *frame)
{
	struct tpacket_auxdata aux;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if ((aux.tp_status & TP_STATUS_VLAN_VALID) != 0)
			return frame_tag(frame, aux.tp_vlan_tci);
	}
	return true;
}

static enum end_read read_packet(const struct end *end, struct frame *frame)
{
	struct virtio_net_hdr head;
	struct iovec parts[] = {{&head, sizeof(head)}, {frame->bytes, FRAME_MAX}};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct msghdr message = {.msg_iov = parts,
				 .msg_iovlen = 2,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(end->fd, &message, 0);

	if (n < 0)
		return read_failed(end);
	if (n < (ssize_t)sizeof(head) || (message.msg_flags & MSG_TRUNC) != 0 ||
	    head.gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return END_REFUSED;
	frame->len = (uint32_t)n - (uint32_t)sizeof(head);
	if ((head.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0)
		frame_finish_checksum(frame, head.csum_start, head.csum_offset);
	return restore_tag(&message, frame) ? END_FRAME : END_REFUSED;
}

enum end_read end_read(const struct end *end, struct frame *frame)
{
	return end->kind == END_TAP ? read_tap(end, frame) : read_packet(end, frame);
}

bool end_write(const struct end *end, const struct frame *frame)
{
	struct virtio_net_hdr head = {0};
	struct iovec parts[] = {{&head, sizeof(head)},
				{(void *)(uintptr_t)frame->bytes, frame->len}};
	uint32_t skip = end->kind == END_TAP ? 1 : 0; /* a TAP of this kind has no such header */

	return writev(end->fd, parts + skip, 2 - (int)skip) > 0;
}
