/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STACK_H
#define STACK_H

#include "core/core.h"
#include "mailbox.h"
#include "net/neighbour.h"
#include "net/net.h"
#include "net/path_mtu.h"
#include "net/reassembly.h"

/*
 * Inside of the stack; nobody outside net/ includes it. stack.c: life, turn and sleep. input.c: a
 * frame from Ethernet to whom it is for. output.c: an IP packet from route to device. udp_port.c:
 * UDP ports. tcp_port.c: what the layer of TCP has of it. owner.c: what worker 0 does for all (ARP,
 * neighbour discovery, ICMP). hand_over.c: rings between workers. mirror.c: copies for the capture.
 * shared.c: what workers share.
 */

#define STACK_BURST 32u
#define STACK_BURSTS 8u	    /* of one port in one turn */
#define STACK_HANDED 256u   /* packets of other workers in one turn */
#define STACK_LATE 16u	    /* times as many of both when the last turn was a long one */
#define STACK_DATAGRAMS 16u /* reassembled at a time */
#define STACK_PATHS 64u	    /* path MTUs known at a time */
#define STACK_PINGS 16u

/** A limit and what is left of it. */
struct rate {
	struct rate_limit limit;
	struct bucket bucket;
};

static inline bool GW_MUST_CHECK rate_take(struct rate *rate, uint64_t now_us)
{
	return bucket_take(&rate->bucket, &rate->limit, now_us);
}

/** What other workers hand on to worker 0: each at a rate of its own, so that none pushes out
 * another. */
enum forward_kind {
	FORWARD_LINK, /* ARP and discovery: of hosts on the link */
	FORWARD_ICMP, /* of anybody */
	FORWARD_FRAGMENT,
	FORWARD_KINDS
};

/** What a worker has of an interface. */
struct stack_netif {
	const struct netif *netif;
	uint32_t index;
	uint16_t queue;
	bool polled;  /* queue is ours alone; else our packets go by the ring to worker sender */
	bool more;    /* the last burst was full */
	bool blocked; /* the device took less than was offered */
	uint16_t sender;
	struct ip_address address[NETIF_ADDRESSES_MAX]; /* of netif->address */
	struct ip_address link_local;
	uint32_t backlog_at, backlog_count;
	struct rte_mbuf *backlog[STACK_BACKLOG]; /* a ring */
};

/** What waits for stack_run_ready(). */
enum ready_kind { READY_DATAGRAM, READY_FRAGMENT, READY_UNREACHABLE };

struct ready {
	enum ready_kind kind;
	uint32_t netif;
	struct rte_mbuf *packet;     /* owned; NULL for READY_UNREACHABLE */
	struct ip_packet ip;	     /* its spans point into packet */
	struct udp_packet udp;	     /* READY_DATAGRAM */
	struct endpoint local, peer; /* READY_UNREACHABLE */
};

struct udp_port {
	struct endpoint local;
	bool any; /* the wildcard address */
	const struct udp_ops *ops;
	void *context;
};

/** A frame on its way in, and where it is. */
struct input {
	struct stack_netif *nif;
	struct span frame;
	enum packet_checksum ip_checksum, l4_checksum;
	struct rte_mbuf **packet; /* who takes it sets NULL; NULL: handed over, frame is borrowed */
};

/** What an ICMP error says of a datagram of ours. */
struct icmp_error {
	struct endpoint local, peer;
	bool too_big;	   /* else the peer cannot be reached */
	uint32_t mtu;	   /* what would not be; 0: the router does not say */
	uint32_t sent_len; /* of the packet that was */
};

/** A ping under way; owner only. */
struct ping {
	bool used, sent;
	uint16_t sequence;
	uint32_t id;
	uint64_t until_us; /* given up */
	uint64_t sent_us;
	struct endpoint peer;
};

struct owner {
	struct neighbour_table *neighbours;
	/* of answers and alarms; none of what is heard, or a neighbour could be shouted down */
	struct rate arp, ndp, echo, conflict;
	struct rate errors;	/* ICMP errors that are believed */
	struct rate tcp_errors; /* those about TCP, of anybody: they use up none of the others */
	uint64_t neighbour_us;	/* when neighbour_run() is due */
	uint64_t announce_us;
	uint64_t defend_us; /* our addresses are not defended again before this */
	uint32_t announced; /* rounds done */
	uint16_t ping_id, ping_sequence;
	uint32_t pings;
	struct ping ping[STACK_PINGS];
};

struct stack {
	struct net_config config;
	struct net_shared *shared;
	uint16_t worker;
	uint16_t steer_base;
	uint16_t workers;
	uint32_t netifs;
	uint32_t first; /* port that the last turn began with */
	struct stack_netif *netif;
	struct rte_mempool *pool;   /* packets we make; shared's */
	struct rte_mempool *handed; /* copies of segments from others; shared's */
	struct mailbox_hub *hub;    /* NULL: one worker */
	struct counters *counters;
	struct rate forward[FORWARD_KINDS];
	struct rate errors_out; /* ICMP errors that we send */
	int epoll_fd;
	bool hub_asleep;
	uint32_t armed;	   /* bit of each interface that is */
	uint64_t heard_us; /* last packet in */
	uint64_t turn_us;  /* the last stack_receive() */
	bool late;	   /* this turn began long after the last */
	uint32_t ready_at, ready_count;
	struct ready ready[STACK_READY];
	uint32_t udp_ports;
	struct udp_port udp_port[STACK_PORTS];
	uint32_t peers;
	struct ip_address peer[STACK_PEERS_MAX];
	struct reassembly *reassembly; /* the owner's, NULL with the others */
	struct path_mtu *paths;
	const struct stack_tcp_ops *tcp_ops; /* NULL: there is no TCP */
	void *tcp_context;
	struct capture_filter *filter; /* what is captured; NULL: nothing */
	struct owner *owner;	       /* NULL but in worker 0 */
};

static inline uint64_t stack_now(const struct stack *stack)
{
	return stack->config.clock->now_us;
}

static inline bool stack_is_owner(const struct stack *stack)
{
	return stack->owner != NULL;
}

/** Counts a packet that is dropped, or a refusal: the one place. Returns err. */
enum gw_err stack_count(struct stack *stack, enum gw_err err);
bool stack_trusts(const struct stack *stack, const struct ip_address *peer);
/** The next free entry of ready, or NULL when all are taken. */
struct ready *stack_ready_add(struct stack *stack, enum ready_kind kind);

/** A fragment of a trusted peer, worker 0 only; calls the datagram's user when it is whole. */
void stack_run_fragment(struct stack *stack, const struct ip_packet *fragment);

/* stack_netif.c */
void stack_netif_init(struct stack_netif *nif, const struct netif *netif, uint32_t index,
		      uint16_t worker);
/** address is one of ours there, the link-local one included. */
bool stack_netif_has(const struct stack_netif *nif, const struct ip_address *address);
/** address lies in a prefix of it, or is link-local. */
bool stack_netif_on_link(const struct stack_netif *nif, const struct ip_address *address);
/** The broadcast address of one of its IPv4 prefixes. */
bool stack_netif_is_broadcast(const struct stack_netif *nif, const struct ip_address *address);
/** Our address to ask or answer address from: of its prefix, else of its family; NULL: none. */
const struct ip_address *stack_netif_source(const struct stack_netif *nif,
					    const struct ip_address *address);
/** The router for address's family, or NULL. */
const struct endpoint *stack_netif_gateway(const struct stack_netif *nif,
					   const struct ip_address *address);
/** The interface that has address, or NULL. */
struct stack_netif *stack_netif_of(struct stack *stack, const struct ip_address *address);

/* input.c */
/** Works off one frame; counts what is dropped. Calls nobody above. */
void input_frame(struct stack *stack, const struct input *input);

/* output.c */
/** A way to an address. */
struct route {
	struct stack_netif *nif;
	uint8_t mac[6];
	uint32_t mtu; /* of the path, IP bytes */
};
/** From our address src. GW_NET_NO_ROUTE, GW_NET_UNRESOLVED. */
enum gw_err GW_MUST_CHECK output_route(struct stack *stack, const struct ip_address *src,
				       const struct ip_address *dst, struct route *route);
/**
 * The same, and to a host on the link that nobody configured by the gateway: nobody is asked for
 * because strangers write to us (TCP.md 4.5). mtu: of the link. nif and mtu are also set with
 * GW_NET_UNRESOLVED.
 */
enum gw_err GW_MUST_CHECK output_route_any(struct stack *stack, const struct ip_address *src,
					   const struct ip_address *dst, struct route *route);
/** What goes out: an IP head and what follows it. */
struct output {
	struct stack_netif *nif;
	const uint8_t *mac;
	struct ip_head head;
	struct span l4, data;	  /* one behind the other; head.payload_len is their sum */
	uint8_t offload_protocol; /* the device completes this one's checksum; 0: nothing to do */
};
/** One packet into the backlog. GW_NET_NO_PACKET, GW_NET_TX_FULL, GW_NET_TOO_BIG. */
enum gw_err GW_MUST_CHECK output_ip(struct stack *stack, const struct output *output);
/** The same, cut to mtu: all fragments or none; a worker without a queue may have handed some over
 * when its ring is full. */
enum gw_err GW_MUST_CHECK output_fragments(struct stack *stack, const struct output *output,
					   uint32_t mtu);
/** A whole frame (ARP, or one of another worker). Errors as output_ip(). */
enum gw_err GW_MUST_CHECK output_frame(struct stack *stack, struct stack_netif *nif,
				       struct span frame);
/** Packets that the backlog of nif still takes. */
uint32_t output_room(const struct stack_netif *nif);
/** Offers the device the backlog. */
void output_flush(struct stack *stack, struct stack_netif *nif);

/* udp_port.c */
/** The port that a datagram to local is for, or NULL. */
struct udp_port *udp_port_find(struct stack *stack, const struct ip_address *address,
			       uint16_t port);
/** Hands a datagram up. */
void udp_port_deliver(struct stack *stack, const struct ip_packet *ip,
		      const struct udp_packet *udp);
/** Tells that peer cannot be reached, who has sent from local. */
void udp_port_unreachable(struct stack *stack, const struct endpoint *local,
			  const struct endpoint *peer);

/* tcp_port.c */
/** A segment to one of our addresses: to the layer of TCP, or the worker whose it is. */
void tcp_port_input(struct stack *stack, const struct input *input, const struct ip_packet *ip);
/** Tells the layer of TCP, if there is one. */
void tcp_port_error(struct stack *stack, const struct stack_tcp_error *error);

/* hand_over.c */
/** The worker to whose own port this is sent; ours when it is nobody's own. */
uint16_t hand_over_owner(const struct stack *stack, uint16_t dst_port);
/**
 * The same for a datagram that came in on nif; on a device with fewer queues than workers, what is
 * nobody's own is spread over the workers by a keyed hash of the flow.
 */
uint16_t hand_over_worker(const struct stack *stack, const struct stack_netif *nif,
			  const struct ip_packet *ip);
/** The worker of a flow by our keyed hash alone; ports: both, as in the header. */
uint16_t hand_over_flow(const struct stack *stack, const struct ip_address *src,
			const struct ip_address *dst, struct span ports);
/** A frame to the worker it belongs to. */
void hand_over_frame(struct stack *stack, const struct input *input, uint16_t to);
/** A datagram put together from fragments. */
void hand_over_datagram(struct stack *stack, const struct ip_packet *ip,
			const struct udp_packet *udp, uint16_t to);
/** A frame of ours, for a device of which we have no queue. GW_NET_TX_FULL. */
enum gw_err GW_MUST_CHECK hand_over_transmit(struct stack *stack, struct stack_netif *nif,
					     struct span frame);
/** An ICMP error about a UDP datagram of ours, to all other workers. */
void hand_over_error(struct stack *stack, const struct icmp_error *error);
/** The same about a TCP segment. */
void hand_over_tcp_error(struct stack *stack, const struct stack_tcp_error *error);
/** Takes what others have handed over, bounded; calls datagrams' users. */
void hand_over_receive(struct stack *stack);

/* icmp_error.c */
/** Believes what is said of a datagram to a trusted peer, from a port that is open or another
 * worker's. */
void icmp_error_learn(struct stack *stack, const struct icmp_error *error);
/** Answers a datagram of a trusted peer for a closed port (RFC 1122 4.1.3.1). */
void icmp_error_port(struct stack *stack, struct stack_netif *nif, const struct ip_packet *ip);

/* owner.c: worker 0 */
enum gw_err GW_MUST_CHECK owner_open(struct stack *stack);
void owner_arp(struct stack *stack, struct stack_netif *nif, const struct eth_frame *eth);
void owner_icmp(struct stack *stack, struct stack_netif *nif, const struct eth_frame *eth,
		const struct ip_packet *ip, enum packet_checksum checksum);
/** Timers. */
void owner_run(struct stack *stack);
uint64_t owner_next_us(const struct stack *stack);
/** Asks for the trusted peers on our links beforehand. */
void owner_peers(struct stack *stack);

/* mirror.c */
enum mirror_direction { MIRROR_RECEIVED, MIRROR_SENT };
/** Tells control of a frame that the filter lets through. */
void mirror_frame(struct stack *stack, const struct stack_netif *nif, struct span frame,
		  enum mirror_direction direction);

/* shared.c */
struct net_shared {
	uint32_t netifs;
	struct netif netif[NETIFS_MAX];
	struct neighbour_table *neighbours;
	struct mailbox_hub *hub; /* NULL: one worker */
	struct rte_mempool *
		*pool; /* of each worker: packets it makes. Here, for devices keep them a while */
	struct rte_mempool **handed; /* the same: segments that others have handed over. NULL: one
					worker */
	uint16_t workers;
	uint16_t steer_base;
	uint8_t hash_key[16];
};

#endif
