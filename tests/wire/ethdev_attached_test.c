/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev_scene.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <rte_ip.h>

#include "../unit/test.h"

/*
 * The ethdev port on a device that leads to the kernel, which is the peer: 198.18.0.1 and
 * fd00:18::1 on interface PEER; we are 198.18.0.2 and fd00:18::2, and answer by hand.
 *
 * ethdev_attached_test QUEUES PEER DEVICE [VDEV...]: the network namespace is the caller's
 * (ethdev_inside.sh), and so are all links but a TAP's.
 */

#define OUR_PORT 5070u
#define PATIENCE 2000 /* tries of a millisecond */

struct world {
	struct ethdev_scene scene;
	const char *peer; /* the kernel's interface */
	int udp, udp6;	  /* its sockets */
};

struct arp_frame {
	struct ether_header eth;
	uint16_t hardware_be, protocol_be;
	uint8_t hardware_len, protocol_len;
	uint16_t operation_be;
	uint8_t sender_mac[6], sender_ip[4], target_mac[6], target_ip[4];
} __attribute__((packed));

struct udp_frame {
	struct ether_header eth;
	struct iphdr ip;
	struct udphdr udp;
	uint8_t data[8];
} __attribute__((packed));

/** Where the headers begin, aligned or not. */
static const void *ip_of(const struct udp_frame *frame)
{
	return (const uint8_t *)frame + offsetof(struct udp_frame, ip);
}

static const void *udp_of(const struct udp_frame *frame)
{
	return (const uint8_t *)frame + offsetof(struct udp_frame, udp);
}

static const uint8_t our_ip[4] = {198, 18, 0, 2};

static void pause_ms(void)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	nanosleep(&pause, NULL);
}

/* ---- the kernel's side ---------------------------------------------------------------------- */

static struct sockaddr_in us4(void)
{
	struct sockaddr_in us = {.sin_family = AF_INET, .sin_port = htons(OUR_PORT)};

	memcpy(&us.sin_addr, our_ip, 4);
	return us;
}

static void kernel_sends(int socket, const char data[8])
{
	struct sockaddr_in us = us4();

	EXPECT_EQ(8, sendto(socket, data, 8, 0, (struct sockaddr *)&us, sizeof(us)));
}

static int kernel_socket(void)
{
	struct sockaddr_in local = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "198.18.0.1", &local.sin_addr);
	EXPECT_EQ(0, bind(fd, (struct sockaddr *)&local, sizeof(local)));
	return fd;
}

/** A frame as it is, put on the kernel's interface towards us. */
static void kernel_sends_frame(const struct world *w, const void *frame, size_t len)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_ifindex = (int)if_nametoindex(w->peer)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	EXPECT(fd >= 0);
	EXPECT_EQ(len, sendto(fd, frame, len, 0, (struct sockaddr *)&to, sizeof(to)));
	close(fd);
}

/** Whether the kernel's table has our address with this MAC. */
static bool kernel_knows(const uint8_t mac[6])
{
	char line[256], wanted[32];
	bool found = false;
	FILE *table = fopen("/proc/net/arp", "r");

	snprintf(wanted, sizeof(wanted), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	while (table != NULL && !found && fgets(line, sizeof(line), table) != NULL)
		found = strncmp(line, "198.18.0.2 ", 11) == 0 && strstr(line, wanted) != NULL;
	if (table != NULL)
		fclose(table);
	return found;
}

/* ---- our side ------------------------------------------------------------------------------- */

typedef bool frame_match(struct span frame, const void *wanted);

/** The next packet that is wanted, of any queue; all others are dropped. NULL: it did not come. */
static struct rte_mbuf *receive(struct world *w, frame_match *match, const void *wanted)
{
	struct rte_mbuf *packet;

	for (int i = 0; i < PATIENCE; i++) {
		for (uint16_t queue = 0; queue < w->scene.info.queues; queue++) {
			if (port_ethdev.rx_burst(w->scene.port, queue, &packet, 1) == 0)
				continue;
			if (match(packet_span(packet), wanted))
				return packet;
			packet_put(packet);
		}
		pause_ms();
	}
	return NULL;
}

static bool is_arp_for_us(struct span frame, const void *wanted)
{
	const struct arp_frame *arp = (const void *)frame.at;

	return frame.len >= sizeof(*arp) && arp->eth.ether_type == htons(ETHERTYPE_ARP) &&
	       arp->operation_be == htons(1) && memcmp(arp->target_ip, our_ip, 4) == 0;
}

static bool is_datagram(struct span frame, const void *wanted)
{
	const struct udp_frame *datagram = (const void *)frame.at;

	return frame.len >= sizeof(*datagram) && datagram->eth.ether_type == htons(ETHERTYPE_IP) &&
	       datagram->ip.protocol == IPPROTO_UDP && datagram->udp.uh_dport == htons(OUR_PORT) &&
	       memcmp(datagram->data, wanted, 8) == 0;
}

static bool is_solicitation(struct span frame, const void *wanted)
{
	static const uint8_t group[6] = {0x33, 0x33, 0xff, 0x00, 0x00, 0x02};

	return frame.len >= 78 && memcmp(frame.at, group, 6) == 0 && frame.at[20] == 58 &&
	       frame.at[54] == 135;
}

static void transmit(struct world *w, struct rte_mbuf *packet)
{
	EXPECT_EQ(1, port_ethdev.tx_burst(w->scene.port, 0, &packet, 1));
}

static void answer_arp(struct world *w, struct rte_mbuf *request)
{
	struct arp_frame *arp = (void *)packet_data(request);

	memcpy(arp->target_mac, arp->sender_mac, 6);
	memcpy(arp->target_ip, arp->sender_ip, 4);
	memcpy(arp->sender_mac, w->scene.info.mac, 6);
	memcpy(arp->sender_ip, our_ip, 4);
	memcpy(arp->eth.ether_dhost, arp->target_mac, 6);
	memcpy(arp->eth.ether_shost, w->scene.info.mac, 6);
	arp->operation_be = htons(2);
	transmit(w, request);
}

/** The kernel has our MAC from here on, so that what follows needs no other test to run first. */
static void introduce(struct world *w)
{
	struct rte_mbuf *request;

	if (kernel_knows(w->scene.info.mac))
		return;
	kernel_sends(w->udp, "whois us");
	request = receive(w, is_arp_for_us, NULL);
	assert_non_null(request);
	answer_arp(w, request);
	for (int i = 0; i < PATIENCE && !kernel_knows(w->scene.info.mac); i++)
		pause_ms();
	EXPECT(kernel_knows(w->scene.info.mac));
}

/** Checksums by the device where it has said that it does them, else by us. */
static void finish_checksums(const struct world *w, struct rte_mbuf *packet)
{
	struct udp_frame *frame = (void *)packet_data(packet);
	struct packet_offload offload = {
		.l2_len = sizeof(frame->eth),
		.l3_len = sizeof(frame->ip),
		.ip_checksum = w->scene.info.tx_ip_checksum,
		.l4_protocol = w->scene.info.tx_l4_checksum ? IPPROTO_UDP : 0,
	};

	frame->ip.check = frame->udp.check = 0;
	if (!w->scene.info.tx_ip_checksum)
		frame->ip.check = rte_ipv4_cksum(ip_of(frame));
	if (w->scene.info.tx_l4_checksum)
		frame->udp.check = rte_ipv4_phdr_cksum(ip_of(frame), 0);
	else
		frame->udp.check = rte_ipv4_udptcp_cksum(ip_of(frame), udp_of(frame));
	if (offload.ip_checksum || offload.l4_protocol != 0)
		packet_set_offload(packet, &offload);
}

static void turn_round(struct world *w, struct rte_mbuf *packet)
{
	struct udp_frame *frame = (void *)packet_data(packet);
	uint32_t ip = frame->ip.saddr;
	uint16_t port = frame->udp.uh_sport;

	memcpy(frame->eth.ether_dhost, frame->eth.ether_shost, 6);
	memcpy(frame->eth.ether_shost, w->scene.info.mac, 6);
	frame->ip.saddr = frame->ip.daddr;
	frame->ip.daddr = ip;
	frame->udp.uh_sport = frame->udp.uh_dport;
	frame->udp.uh_dport = port;
	finish_checksums(w, packet);
	transmit(w, packet);
}

/** The kernel's socket gets data from us; it has looked at the checksums. */
static void kernel_receives(int fd, const char data[8])
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	char got[16];

	EXPECT_EQ(1, poll(&readable, 1, PATIENCE));
	EXPECT_EQ(8, recv(fd, got, sizeof(got), 0));
	EXPECT_BYTES(data, got, 8);
}

/* ---- tests ---------------------------------------------------------------------------------- */

TEST(ethdev, the_kernel_asks_for_us_by_arp_and_believes_the_answer)
{
	struct world *w = *state;

	introduce(w);
}

TEST(ethdev, a_datagram_of_the_kernel_comes_back_with_checksums_that_it_accepts)
{
	struct rte_mbuf *packet;
	struct world *w = *state;

	introduce(w);
	kernel_sends(w->udp, "echo me!");
	packet = receive(w, is_datagram, "echo me!");
	assert_non_null(packet);
	EXPECT_EQ(1, packet->nb_segs);
	turn_round(w, packet);
	kernel_receives(w->udp, "echo me!");
}

/* A frame whose UDP checksum is wrong; all else is right. */
static void kernel_sends_bad_checksum(struct world *w)
{
	struct udp_frame frame = {
		.eth = {.ether_type = htons(ETHERTYPE_IP)},
		.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP},
		.udp = {.uh_sport = htons(9), .uh_dport = htons(OUR_PORT)},
		.data = "badbadba",
	};

	memcpy(frame.eth.ether_dhost, w->scene.info.mac, 6);
	memcpy(frame.eth.ether_shost, "\x02\x18\x00\x00\x00\x01", 6);
	frame.ip.tot_len = htons(sizeof(frame) - sizeof(frame.eth));
	memcpy(&frame.ip.saddr, "\xc6\x12\x00\x01", 4);
	memcpy(&frame.ip.daddr, our_ip, 4);
	frame.ip.check = rte_ipv4_cksum(ip_of(&frame));
	frame.udp.uh_ulen = htons(sizeof(frame.udp) + sizeof(frame.data));
	frame.udp.check = (uint16_t)(rte_ipv4_udptcp_cksum(ip_of(&frame), udp_of(&frame)) + 1);
	kernel_sends_frame(w, &frame, sizeof(frame));
}

TEST(ethdev, checksums_are_good_or_bad_where_the_device_says_so_and_unknown_where_not)
{
	bool told = ((struct world *)*state)->scene.info.rx_checksum;
	struct rte_mbuf *packet;
	struct world *w = *state;

	introduce(w);
	kernel_sends(w->udp, "good one");
	packet = receive(w, is_datagram, "good one");
	assert_non_null(packet);
	EXPECT_EQ(told ? PACKET_CHECKSUM_GOOD : PACKET_CHECKSUM_UNKNOWN,
		  packet_l4_checksum(packet));
	EXPECT_EQ(told ? PACKET_CHECKSUM_GOOD : PACKET_CHECKSUM_UNKNOWN,
		  packet_ip_checksum(packet));
	packet_put(packet);
	kernel_sends_bad_checksum(w);
	packet = receive(w, is_datagram, "badbadba");
	assert_non_null(packet);
	EXPECT_EQ(told ? PACKET_CHECKSUM_BAD : PACKET_CHECKSUM_UNKNOWN, packet_l4_checksum(packet));
	packet_put(packet);
}

TEST(ethdev, a_neighbour_solicitation_to_its_group_is_received)
{
	struct sockaddr_in6 us = {.sin6_family = AF_INET6, .sin6_port = htons(OUR_PORT)};
	struct rte_mbuf *packet;
	struct world *w = *state;

	inet_pton(AF_INET6, "fd00:18::2", &us.sin6_addr);
	EXPECT_EQ(8, sendto(w->udp6, "whois us", 8, 0, (struct sockaddr *)&us, sizeof(us)));
	packet = receive(w, is_solicitation, NULL);
	assert_non_null(packet);
	packet_put(packet);
}

TEST(ethdev, every_flow_is_received_on_one_queue_or_another_and_counted_there)
{
	uint64_t before = 0, after = 0, bytes = 0;
	struct port_counters counters;
	struct world *w = *state;

	introduce(w);
	for (uint16_t queue = 0; queue < w->scene.info.queues; queue++) {
		port_ethdev.counters(w->scene.port, queue, &counters);
		before += counters.rx_packets;
	}
	for (uint32_t flow = 0; flow < 32; flow++) {
		struct rte_mbuf *packet;
		int fd = kernel_socket();
		char data[9];

		snprintf(data, sizeof(data), "flow %03u", flow);
		kernel_sends(fd, data);
		packet = receive(w, is_datagram, data);
		assert_non_null(packet);
		turn_round(w, packet);
		kernel_receives(fd, data);
		close(fd);
	}
	for (uint16_t queue = 0; queue < w->scene.info.queues; queue++) {
		port_ethdev.counters(w->scene.port, queue, &counters);
		printf("           queue %u: %lu received\n", queue,
		       (unsigned long)counters.rx_packets);
		after += counters.rx_packets;
		bytes += counters.rx_bytes;
		EXPECT_EQ(0, counters.rx_errors + counters.tx_errors + counters.rx_no_buffer);
	}
	EXPECT(after >= before + 32);
	EXPECT(bytes >= 32 * sizeof(struct udp_frame));
}

/** The interface below us keeps its MAC; we have our own, and receive for it. */
TEST(ethdev, our_mac_is_not_the_kernels)
{
	struct port_config config = ethdev_scene_config("", 1);
	struct world *w = *state;

	if (strcmp(w->scene.info.driver, "net_bonding") != 0)
		EXPECT_BYTES(config.own_mac, w->scene.info.mac, 6);
}

/** None of these drivers hashes under a key of ours or has rules: the stack dispatches. */
TEST(ethdev, what_the_device_does_not_do_is_not_promised)
{
	struct world *w = *state;

	EXPECT_EQ(0, w->scene.info.rss.key_len);
	EXPECT_EQ(w->scene.info.queues == 1, w->scene.info.steers);
}

/** Receives until nothing has come for 50 ms. */
static void drain(struct world *w)
{
	struct rte_mbuf *packet;

	for (int quiet = 0, tries = 0; quiet < 50 && tries < PATIENCE; quiet++, tries++) {
		for (uint16_t queue = 0; queue < w->scene.info.queues; queue++)
			while (port_ethdev.rx_burst(w->scene.port, queue, &packet, 1) == 1) {
				packet_put(packet);
				quiet = 0;
			}
		pause_ms();
	}
}

static void expect_no_interrupts(struct world *w)
{
	EXPECT(!w->scene.info.rx_interrupt);
	EXPECT_EQ(-1, port_ethdev.wait_fd(w->scene.port, 0));
	EXPECT_EQ(GW_NOT_SUPPORTED, port_ethdev.arm(w->scene.port, 0));
}

/** Armed, and nothing is there; the kernel's own packets (its solicitations) may come between. */
static bool sleeps(struct world *w, struct pollfd *wait)
{
	for (int i = 0; i < 20; i++) {
		if (port_ethdev.arm(w->scene.port, 0) != GW_OK)
			return false;
		if (poll(wait, 1, 20) == 0)
			return true;
		port_ethdev.disarm(w->scene.port, 0);
		drain(w);
	}
	return false;
}

/** One turn of a sleeping worker: nothing there, a packet comes, it is woken and receives it. */
static void sleep_and_wake(struct world *w)
{
	struct pollfd wait = {.fd = port_ethdev.wait_fd(w->scene.port, 0), .events = POLLIN};
	struct rte_mbuf *packet;

	EXPECT(sleeps(w, &wait));
	kernel_sends(w->udp, "wake up!");
	EXPECT_EQ(1, poll(&wait, 1, PATIENCE));
	port_ethdev.disarm(w->scene.port, 0);
	packet = receive(w, is_datagram, "wake up!");
	assert_non_null(packet);
	packet_put(packet);
}

TEST(ethdev, a_worker_that_sleeps_is_woken_where_the_driver_has_interrupts)
{
	struct pollfd wait = {.events = POLLIN};
	struct world *w = *state;

	if (strcmp(w->scene.info.driver, "net_tap") != 0) {
		expect_no_interrupts(w);
		return;
	}
	EXPECT(w->scene.info.rx_interrupt);
	if (w->scene.info.queues > 1)
		return; /* the kernel chooses the queue; one is enough to see the wake */
	introduce(w);
	drain(w);
	for (int i = 0; i < 10; i++)
		sleep_and_wake(w);
	kernel_sends(w->udp, "is there"); /* before arm: the wait ends at once */
	EXPECT_EQ(GW_OK, port_ethdev.arm(w->scene.port, 0));
	wait.fd = port_ethdev.wait_fd(w->scene.port, 0);
	EXPECT_EQ(1, poll(&wait, 1, PATIENCE));
	port_ethdev.disarm(w->scene.port, 0);
	drain(w);
}

/* ---- the world ------------------------------------------------------------------------------ */

static bool give_addresses(const char *peer)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "ip link set %s up && ip addr add 198.18.0.1/24 dev %s && "
		 "ip addr add fd00:18::1/64 dev %s nodad",
		 peer, peer, peer);
	return system(command) == 0;
}

/** A bond takes packets only when it has found a member whose link is up. */
static bool link_comes_up(struct world *w)
{
	struct port_link link = {0};

	for (int i = 0; i < PATIENCE && !link.up; i++) {
		port_ethdev.link(w->scene.port, &link);
		pause_ms();
	}
	return link.up;
}

static bool world_open(struct world *w, char **argv)
{
	struct port_config config = ethdev_scene_config(argv[3], (uint16_t)atoi(argv[1]));
	enum gw_err err;

	config.rx_packets = 4096;
	config.steer_base = OUR_PORT;
	w->peer = argv[2];
	err = ethdev_scene_start(&w->scene, &config);
	if (err != GW_OK) {
		fprintf(stderr, "%s: %s\n", gw_err_text(err), w->scene.why);
		return false;
	}
	if (!give_addresses(w->peer) || !link_comes_up(w))
		return false;
	w->udp = kernel_socket();
	w->udp6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	printf("%s: %u queues, mtu %u, rx checksum %d, tx checksum %d %d, interrupts %d\n",
	       w->scene.info.driver, w->scene.info.queues, w->scene.info.mtu,
	       w->scene.info.rx_checksum, w->scene.info.tx_ip_checksum,
	       w->scene.info.tx_l4_checksum, w->scene.info.rx_interrupt);
	return true;
}

static void world_close(struct world *w)
{
	ethdev_scene_end(&w->scene);
	close(w->udp);
	close(w->udp6);
}

static void start_eal(int argc, char **argv)
{
	char text[8][128];
	const char *vdev[8];
	int n = 0;

	for (int i = 3; i < argc && n < 8; i++, n++) {
		snprintf(text[n], sizeof(text[0]), "--vdev=%s", argv[i]);
		vdev[n] = text[n];
	}
	ethdev_scene_eal(vdev, n);
}

#define HERE(sentence) \
	{ \
#sentence, ethdev_##sentence, NULL, NULL, &world \
	}

int main(int argc, char **argv)
{
	static struct world world;
	const struct CMUnitTest tests[] = {
		HERE(the_kernel_asks_for_us_by_arp_and_believes_the_answer),
		HERE(a_datagram_of_the_kernel_comes_back_with_checksums_that_it_accepts),
		HERE(checksums_are_good_or_bad_where_the_device_says_so_and_unknown_where_not),
		HERE(a_neighbour_solicitation_to_its_group_is_received),
		HERE(every_flow_is_received_on_one_queue_or_another_and_counted_there),
		HERE(our_mac_is_not_the_kernels),
		HERE(what_the_device_does_not_do_is_not_promised),
		HERE(a_worker_that_sleeps_is_woken_where_the_driver_has_interrupts),
	};
	int failed;

	if (argc == 2) { /* the word for a member of a bond */
		puts(ethdev_scene_member());
		return 0;
	}
	if (argc < 4)
		return 2;
	start_eal(argc, argv);
	if (!world_open(&world, argv))
		return 1;
	failed = cmocka_run_group_tests_name(argv[3], tests, NULL, NULL);
	world_close(&world);
	return failed;
}
