/* SPDX-License-Identifier: BSD-3-Clause */
#include "counters.h"
#include "tap_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/virtio_net.h>

#define HEADER sizeof(struct virtio_net_hdr)

/** Readies a packet for a read: the frame will lie where the data begins, and what the kernel says
 * of it in the headroom before. */
static bool open_spare(struct tap_queue *q)
{
	if (q->spare != NULL)
		return true;
	q->spare = packet_get(q->pool);
	if (q->spare == NULL) {
		counter_add(&q->rx_no_buffer, 1); /* the frames wait in the kernel's queue */
		return false;
	}
	if (packet_append(q->spare, q->room) != NULL && packet_prepend(q->spare, HEADER) != NULL)
		return true;
	packet_put(q->spare);
	q->spare = NULL;
	return false;
}

/** The interface has been deleted. Its descriptor would be readable for ever and keep the worker
 * awake: a silent one takes its number. */
static void lose(struct tap_queue *q)
{
	int silent = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	q->lost = true;
	if (silent < 0)
		return;
	if (dup3(silent, q->fd, O_CLOEXEC) < 0)
		errno = 0; /* stays readable: nothing better is left */
	close(silent);
}

static enum packet_checksum l4_checksum(const struct virtio_net_hdr *header)
{
	if ((header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0)
		return PACKET_CHECKSUM_NONE; /* never left this machine */
	if ((header->flags & VIRTIO_NET_HDR_F_DATA_VALID) != 0)
		return PACKET_CHECKSUM_GOOD;
	return PACKET_CHECKSUM_UNKNOWN;
}

/** Takes the frame of length bytes, header included, out of the spare. NULL, counted: not one that
 * we can have; the spare stays. A read that fills the room may have been cut. */
static struct rte_mbuf *take_frame(struct tap_queue *q, uint32_t length)
{
	struct rte_mbuf *packet = q->spare;
	uint32_t unused = packet_len(packet) - length;
	struct virtio_net_hdr header;

	memcpy(&header, packet_data(packet), HEADER);
	if (length < HEADER + ETH_HLEN || unused == 0 ||
	    header.gso_type != VIRTIO_NET_HDR_GSO_NONE || !packet_trim(packet, unused) ||
	    !packet_skip(packet, HEADER)) {
		counter_add(&q->rx_errors, 1);
		return NULL;
	}
	packet_set_checksums(packet, PACKET_CHECKSUM_UNKNOWN, l4_checksum(&header));
	counter_add(&q->rx_packets, 1);
	counter_add(&q->rx_bytes, length - HEADER);
	q->spare = NULL;
	return packet;
}

uint16_t tap_queue_receive(struct tap_queue *q, struct rte_mbuf **packets, uint16_t n)
{
	uint16_t received = 0;

	for (uint16_t i = 0; i < n && !q->lost && open_spare(q); i++) {
		ssize_t length = read(q->fd, packet_data(q->spare), packet_len(q->spare));

		if (length < 0) {
			if (errno == EBADFD)
				lose(q);
			break;
		}
		packets[received] = take_frame(q, (uint32_t)length);
		if (packets[received] != NULL)
			received++;
	}
	return received;
}

/** What the kernel shall know of a packet. False: it is asked for something it does not do. */
static bool write_header(const struct rte_mbuf *packet, struct virtio_net_hdr *header)
{
	struct packet_offload offload = packet_offload(packet);

	*header = (struct virtio_net_hdr){.gso_type = VIRTIO_NET_HDR_GSO_NONE};
	if (offload.l4_protocol != 0) {
		header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		header->csum_start = (uint16_t)(offload.l2_len + offload.l3_len);
		header->csum_offset = offload.l4_protocol == IPPROTO_UDP
					      ? offsetof(struct udphdr, uh_sum)
					      : offsetof(struct tcphdr, th_sum);
	}
	return !offload.ip_checksum;
}

/** 0: the kernel has it; EAGAIN: not now, the packet is as it was; else it is refused. The header
 * goes into the headroom: to write two pieces takes the kernel a tenth of a microsecond longer. */
static int send_frame(struct tap_queue *q, struct rte_mbuf *packet)
{
	struct virtio_net_hdr header;
	int refused = 0;

	if (q->lost)
		return EBADFD;
	if (!write_header(packet, &header) || packet_prepend(packet, HEADER) == NULL)
		return EINVAL;
	memcpy(packet_data(packet), &header, HEADER);
	if (write(q->fd, packet_data(packet), packet_len(packet)) < 0)
		refused = errno;
	return packet_skip(packet, HEADER) ? refused : EINVAL;
}

uint16_t tap_queue_send(struct tap_queue *q, struct rte_mbuf **packets, uint16_t n)
{
	uint16_t sent;

	for (sent = 0; sent < n; sent++) {
		int refused = send_frame(q, packets[sent]);

		if (refused == EAGAIN)
			break;
		counter_add(refused == 0 ? &q->tx_packets : &q->tx_errors, 1);
		counter_add(&q->tx_bytes, refused == 0 ? packet_len(packets[sent]) : 0);
		packet_put(packets[sent]);
	}
	return sent;
}

void tap_queue_counters(struct tap_queue *q, struct port_counters *counters)
{
	*counters = (struct port_counters){
		.rx_packets = counter_read(&q->rx_packets),
		.rx_bytes = counter_read(&q->rx_bytes),
		.rx_no_buffer = counter_read(&q->rx_no_buffer),
		.rx_errors = counter_read(&q->rx_errors),
		.tx_packets = counter_read(&q->tx_packets),
		.tx_bytes = counter_read(&q->tx_bytes),
		.tx_errors = counter_read(&q->tx_errors),
	};
}
