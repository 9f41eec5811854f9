/* SPDX-License-Identifier: BSD-3-Clause */
#include "mill.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/wire.h"

#define PACKETS 1024u
#define HOPS 12u

struct mill_queue {
	int fd;	      /* counts the frames that were asked for */
	uint64_t due; /* of them, taken from there and not made yet */
	bool asked;   /* for the peer's MAC */
	struct rte_mempool *pool;
	uint64_t random;
	uint32_t sequence[MILL_WORKERS];
	_Atomic uint64_t sent;
};

struct port {
	struct mill_queue queue[MILL_QUEUES];
};

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};
static const struct ip_address ours = {{[10] = 0xff, 0xff, 198, 18, 0, 1}};
static const struct ip_address peer = {{[10] = 0xff, 0xff, 198, 18, 0, 2}};

uint32_t mill_roll(uint64_t *random, uint32_t sides)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) % sides);
}

/* ---- frames ------------------------------------------------------------------------------------
 */

static void write_datagram(struct writer *w, struct mill_queue *queue, uint16_t self)
{
	uint16_t worker = (uint16_t)mill_roll(&queue->random, MILL_WORKERS);
	struct mill_word word = {.queue = self,
				 .hops = (uint16_t)mill_roll(&queue->random, HOPS),
				 .sequence = ++queue->sequence[worker]};
	struct ip_head head = {.src = peer,
			       .dst = ours,
			       .protocol = IPPROTO_UDP,
			       .hop_limit = 64,
			       .payload_len = UDP_LEN + sizeof(word)};

	eth_write(w, our_mac, peer_mac, 0, ETH_TYPE_IP4);
	ip_write(w, &head, true);
	udp_write(w, &(struct udp_ends){&peer, &ours, 4000, MILL_PORT + worker},
		  span_of(&word, sizeof(word)), L4_CHECKSUM_WHOLE);
	writer_bytes(w, &word, sizeof(word));
}

static void write_answer(struct writer *w)
{
	struct arp_packet answer = {.reply = true, .sender = peer, .target = ours};

	memcpy(answer.sender_mac, peer_mac, sizeof(peer_mac));
	memcpy(answer.target_mac, our_mac, sizeof(our_mac));
	eth_write(w, our_mac, peer_mac, 0, ETH_TYPE_ARP);
	arp_write(w, &answer);
}

static struct rte_mbuf *make_frame(struct mill_queue *queue, uint16_t self)
{
	uint8_t bytes[256];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	if (queue->asked) {
		write_answer(&w);
		queue->asked = false;
	} else {
		write_datagram(&w, queue, self);
		queue->due--;
	}
	return packet_copy(queue->pool, writer_span(&w));
}

static void look_at(struct mill_queue *queue, struct span frame)
{
	struct eth_frame eth = eth_read(frame);
	struct arp_packet arp = arp_read(eth.payload);

	if (eth.type == ETH_TYPE_IP4)
		atomic_fetch_add(&queue->sent, 1);
	else if (eth.type == ETH_TYPE_ARP && arp.err == GW_OK && !arp.reply &&
		 ip_address_equal(&arp.target, &peer))
		queue->asked = true;
}

/* ---- the port ----------------------------------------------------------------------------------
 */

static enum gw_err mill_open(const struct port_config *config, struct port **opened,
			     char why[PORT_WHY_MAX])
{
	return GW_NOT_SUPPORTED;
}

static enum gw_err mill_start(struct port *port, struct port_info *info, char why[PORT_WHY_MAX])
{
	*info = (struct port_info){.queues = MILL_QUEUES,
				   .mtu = 1500,
				   .packets = true,
				   .rx_interrupt = true,
				   .numa = -1,
				   .driver = "mill"};
	memcpy(info->mac, our_mac, sizeof(our_mac));
	return GW_OK;
}

static uint16_t mill_rx_burst(struct port *port, uint16_t queue, struct rte_mbuf **packets,
			      uint16_t n)
{
	struct mill_queue *q = &port->queue[queue];
	uint64_t more = 0;
	uint16_t made = 0;

	if (q->due == 0 && read(q->fd, &more, sizeof(more)) == sizeof(more))
		q->due = more;
	while (made < n && (q->due > 0 || q->asked))
		packets[made++] = make_frame(q, queue);
	return made;
}

static uint16_t mill_tx_burst(struct port *port, uint16_t queue, struct rte_mbuf **packets,
			      uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		look_at(&port->queue[queue], packet_span(packets[i]));
		packet_put(packets[i]);
	}
	return n;
}

static enum gw_err mill_arm(struct port *port, uint16_t queue)
{
	return GW_OK; /* the descriptor is readable as long as frames are asked for */
}

static void mill_disarm(struct port *port, uint16_t queue)
{
}

static int mill_wait_fd(struct port *port, uint16_t queue)
{
	return port->queue[queue].fd;
}

static void mill_counters(struct port *port, uint16_t queue, struct port_counters *counters)
{
	*counters = (struct port_counters){0};
}

static void mill_link(struct port *port, struct port_link *link)
{
	*link = (struct port_link){.up = true};
}

static void mill_close(struct port *port)
{
	for (uint16_t q = 0; port != NULL && q < MILL_QUEUES; q++) {
		if (port->queue[q].fd >= 0)
			close(port->queue[q].fd);
		packet_pool_free(port->queue[q].pool);
	}
	free(port);
}

const struct port_ops port_mill = {
	.name = "mill",
	.open = mill_open,
	.start = mill_start,
	.rx_burst = mill_rx_burst,
	.tx_burst = mill_tx_burst,
	.arm = mill_arm,
	.disarm = mill_disarm,
	.wait_fd = mill_wait_fd,
	.counters = mill_counters,
	.link = mill_link,
	.close = mill_close,
};

struct port *mill_new(uint64_t seed, struct port_info *info)
{
	struct port *port = calloc(1, sizeof(*port));
	char why[PORT_WHY_MAX];
	bool good = port != NULL && mill_start(port, info, why) == GW_OK;

	for (uint16_t q = 0; port != NULL && q < MILL_QUEUES; q++) {
		struct mill_queue *queue = &port->queue[q];

		queue->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		queue->pool = packet_pool_new("mill", PACKETS, 0, -1);
		queue->random = seed + q;
		good = good && queue->fd >= 0 && queue->pool != NULL;
	}
	if (good)
		return port;
	mill_close(port);
	return NULL;
}

void mill_feed(struct port *port, uint16_t queue, uint64_t n)
{
	ssize_t written = write(port->queue[queue].fd, &n, sizeof(n));

	(void)written; /* it would take 2^64 frames to be refused */
}

uint64_t mill_sent(const struct port *port, uint16_t queue)
{
	return atomic_load(&port->queue[queue].sent);
}
