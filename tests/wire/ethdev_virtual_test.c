/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev_scene.h"

#include <stdio.h>
#include <unistd.h>

#include "../unit/test.h"

/* The ethdev port on devices that are memory alone: no privilege, no interface, no peer. */

#define BURST 32u

static void start(struct ethdev_scene *s, const struct port_config *config)
{
	enum gw_err err = ethdev_scene_start(s, config);

	if (err != GW_OK)
		fprintf(stderr, "%s\n", s->why);
	EXPECT_EQ(GW_OK, err);
}

/** Sends count marked frames on a queue; all are taken. */
static void send_marked(struct ethdev_scene *s, uint16_t queue, uint16_t count)
{
	struct rte_mbuf *packets[BURST];

	for (uint16_t i = 0; i < count; i++) {
		packets[i] = ethdev_scene_frame(s, i);
		assert_non_null(packets[i]);
	}
	EXPECT_EQ(count, port_ethdev.tx_burst(s->port, queue, packets, count));
}

TEST(ethdev, says_why_when_the_device_is_absent)
{
	struct port_config config = ethdev_scene_config("net_ring77,nodeaction=x", 1);
	struct ethdev_scene s;

	EXPECT_EQ(GW_CONFIG, ethdev_scene_start(&s, &config));
	assert_null(s.port);
	assert_non_null(strstr(s.why, "net_ring77: DPDK has no such device"));
}

TEST(ethdev, says_why_when_a_pci_device_is_absent_under_its_long_name)
{
	struct port_config config = ethdev_scene_config("3b:00.0,rx_vec=1", 1);
	struct ethdev_scene s;

	EXPECT_EQ(GW_CONFIG, ethdev_scene_start(&s, &config));
	assert_non_null(strstr(s.why, "0000:3b:00.0: DPDK has no such device"));
}

TEST(ethdev, refuses_a_name_longer_than_dpdk_has)
{
	char name[100] = "";
	struct port_config config = ethdev_scene_config(name, 1);
	struct ethdev_scene s;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	EXPECT_EQ(GW_CONFIG, ethdev_scene_start(&s, &config));
	assert_non_null(strstr(s.why, "too long"));
}

TEST(ethdev, sets_rss_key_and_table_and_reads_them_back)
{
	struct port_config config = ethdev_scene_config("net_null0", 3);
	struct ethdev_scene s;

	start(&s, &config);
	EXPECT_EQ(3, s.info.queues);
	EXPECT_EQ(40, s.info.rss.key_len);
	EXPECT_BYTES(config.secret, s.info.rss.key, 40);
	EXPECT(s.info.rss.reta_size >= 64);
	for (uint16_t i = 0; i < s.info.rss.reta_size; i++)
		EXPECT_EQ(i % 3, s.info.rss.reta[i]);
	EXPECT_TEXT("net_null", s.info.driver);
	EXPECT(s.info.packets);
	ethdev_scene_end(&s);
}

TEST(ethdev, one_queue_has_no_rss_to_report)
{
	struct port_config config = ethdev_scene_config("net_null1", 1);
	struct ethdev_scene s;

	start(&s, &config);
	EXPECT_EQ(0, s.info.rss.key_len);
	EXPECT_EQ(0, s.info.rss.reta_size);
	ethdev_scene_end(&s);
}

TEST(ethdev, a_device_without_rss_and_rules_reports_neither)
{
	struct port_config config = ethdev_scene_config("net_ring0", 2);
	struct ethdev_scene s;

	config.steer_base = 5070;
	start(&s, &config);
	EXPECT_EQ(2, s.info.queues);
	EXPECT_EQ(0, s.info.rss.key_len);
	EXPECT(!s.info.steers);
	ethdev_scene_end(&s);
}

TEST(ethdev, one_queue_steers_by_having_no_other)
{
	struct port_config config = ethdev_scene_config("net_ring1", 1);
	struct ethdev_scene s;

	config.steer_base = 5070;
	start(&s, &config);
	EXPECT(s.info.steers);
	ethdev_scene_end(&s);
}

TEST(ethdev, what_is_sent_into_a_ring_comes_back_and_is_counted)
{
	struct port_config config = ethdev_scene_config("net_ring2", 1);
	struct rte_mbuf *packets[BURST];
	struct port_counters counters;
	struct ethdev_scene s;

	start(&s, &config);
	send_marked(&s, 0, 10);
	EXPECT_EQ(10, port_ethdev.rx_burst(s.port, 0, packets, BURST));
	for (uint32_t i = 0; i < 10; i++) {
		EXPECT_EQ(i, ethdev_scene_mark(packets[i]));
		packet_put(packets[i]);
	}
	EXPECT_EQ(0, port_ethdev.rx_burst(s.port, 0, packets, BURST));
	port_ethdev.counters(s.port, 0, &counters);
	EXPECT_EQ(10, counters.tx_packets);
	EXPECT_EQ(600, counters.tx_bytes);
	EXPECT_EQ(10, counters.rx_packets);
	EXPECT_EQ(600, counters.rx_bytes);
	EXPECT_EQ(0, counters.rx_errors + counters.tx_errors + counters.rx_no_buffer);
	EXPECT_EQ(0, packet_pool_live(s.pool));
	ethdev_scene_end(&s);
}

TEST(ethdev, queues_are_apart_and_counted_apart)
{
	struct port_config config = ethdev_scene_config("net_ring3", 2);
	struct port_counters counters;
	struct rte_mbuf *packets[BURST];
	struct ethdev_scene s;

	start(&s, &config);
	send_marked(&s, 0, 3);
	send_marked(&s, 1, 5);
	for (uint16_t queue = 0; queue < 2; queue++) {
		uint16_t got = port_ethdev.rx_burst(s.port, queue, packets, BURST);

		EXPECT_EQ(queue == 0 ? 3 : 5, got);
		rte_pktmbuf_free_bulk(packets, got);
		port_ethdev.counters(s.port, queue, &counters);
		EXPECT_EQ(got, counters.rx_packets);
		EXPECT_EQ(got, counters.tx_packets);
	}
	ethdev_scene_end(&s);
}

TEST(ethdev, a_full_device_leaves_packets_with_the_caller)
{
	struct port_config config = ethdev_scene_config("net_ring4", 1);
	struct rte_mbuf *packets[BURST];
	struct port_counters counters;
	uint32_t taken = 0, left;
	struct ethdev_scene s;

	start(&s, &config);
	packet_pool_free(s.pool);
	s.pool = packet_pool_new("ethdev_many", 2048, 0, -1); /* the ring has 1024 places */
	for (;;) {
		uint16_t sent;

		for (uint32_t i = 0; i < BURST; i++)
			packets[i] = ethdev_scene_frame(&s, i);
		sent = port_ethdev.tx_burst(s.port, 0, packets, BURST);
		taken += sent;
		left = BURST - sent;
		rte_pktmbuf_free_bulk(packets + sent, left);
		if (left > 0)
			break;
		EXPECT(taken < 2048);
	}
	port_ethdev.counters(s.port, 0, &counters);
	EXPECT_EQ(taken, counters.tx_packets);
	EXPECT_EQ(60 * taken, counters.tx_bytes);
	for (uint16_t got = 1; got > 0;) {
		got = port_ethdev.rx_burst(s.port, 0, packets, BURST);
		rte_pktmbuf_free_bulk(packets, got);
	}
	EXPECT_EQ(0, packet_pool_live(s.pool));
	ethdev_scene_end(&s);
}

/** Two segments of 60 bytes each; the second ends with mark. */
static struct rte_mbuf *two_segments(struct ethdev_scene *s, struct rte_mempool *first_pool,
				     uint32_t mark)
{
	struct rte_mbuf *tail = ethdev_scene_frame(s, mark), *head = packet_get(first_pool);

	memset(packet_append(head, 60), 0xab, 60);
	head->next = tail;
	head->nb_segs = 2;
	head->pkt_len += tail->data_len;
	return head;
}

TEST(ethdev, a_packet_of_two_segments_becomes_one)
{
	struct port_config config = ethdev_scene_config("net_ring5", 1);
	struct rte_mbuf *packet;
	struct ethdev_scene s;

	start(&s, &config);
	packet = two_segments(&s, s.pool, 7);
	EXPECT_EQ(1, port_ethdev.tx_burst(s.port, 0, &packet, 1));
	packet = ethdev_scene_receive(&s, 0);
	assert_non_null(packet);
	EXPECT_EQ(1, packet->nb_segs);
	EXPECT_EQ(120, packet_len(packet));
	EXPECT_EQ(0xab, packet_data(packet)[59]);
	EXPECT_EQ(7, ethdev_scene_mark(packet));
	packet_put(packet);
	EXPECT_EQ(0, packet_pool_live(s.pool));
	ethdev_scene_end(&s);
}

TEST(ethdev, a_packet_that_does_not_fit_one_segment_is_dropped_and_counted)
{
	struct port_config config = ethdev_scene_config("net_ring6", 1);
	struct rte_mempool *small;
	struct port_counters counters;
	struct rte_mbuf *packets[2];
	struct ethdev_scene s;

	start(&s, &config);
	small = packet_pool_new("ethdev_small", 16, 64, -1);
	packets[0] = two_segments(&s, small, 1);
	packets[1] = ethdev_scene_frame(&s, 2);
	EXPECT_EQ(2, port_ethdev.tx_burst(s.port, 0, packets, 2));
	EXPECT_EQ(1, port_ethdev.rx_burst(s.port, 0, packets, 2));
	EXPECT_EQ(2, ethdev_scene_mark(packets[0]));
	packet_put(packets[0]);
	port_ethdev.counters(s.port, 0, &counters);
	EXPECT_EQ(1, counters.rx_packets);
	EXPECT_EQ(60, counters.rx_bytes);
	EXPECT_EQ(1, counters.rx_errors);
	EXPECT_EQ(0, packet_pool_live(s.pool));
	EXPECT_EQ(0, packet_pool_live(small));
	packet_pool_free(small);
	ethdev_scene_end(&s);
}

TEST(ethdev, an_mtu_that_the_driver_refuses_refuses_the_start)
{
	struct port_config config = ethdev_scene_config("net_ring7", 1);
	struct ethdev_scene s;

	config.mtu = 9000;
	EXPECT_EQ(GW_SYSTEM, ethdev_scene_start(&s, &config));
	assert_non_null(strstr(s.why, "net_ring7: MTU 9000 is refused"));
	ethdev_scene_end(&s);
}

TEST(ethdev, a_large_mtu_has_packets_of_its_size)
{
	struct port_config config = ethdev_scene_config("net_null2", 1);
	struct rte_mbuf *packet;
	struct ethdev_scene s;

	config.mtu = 9000;
	start(&s, &config);
	EXPECT_EQ(9000, s.info.mtu);
	EXPECT_EQ(1, port_ethdev.rx_burst(s.port, 0, &packet, 1));
	EXPECT(rte_pktmbuf_tailroom(packet) + packet_len(packet) >= 9000 + 18);
	packet_put(packet);
	ethdev_scene_end(&s);
}

TEST(ethdev, more_packets_than_there_is_memory_for_refuses_the_start)
{
	struct port_config config = ethdev_scene_config("net_null3", 1);
	struct ethdev_scene s;

	config.rx_packets = 1000000;
	EXPECT_EQ(GW_NO_MEMORY, ethdev_scene_start(&s, &config));
	assert_non_null(strstr(s.why, "no memory for 1000000 packets of queue 0"));
	ethdev_scene_end(&s);
}

TEST(ethdev, one_device_is_not_opened_twice)
{
	struct port_config config = ethdev_scene_config("net_ring8", 1);
	struct port *second = NULL;
	char why[PORT_WHY_MAX];
	struct ethdev_scene s;

	start(&s, &config);
	EXPECT_EQ(GW_CONFIG, port_ethdev.open(&config, &second, why));
	assert_non_null(strstr(why, "has this device already"));
	assert_null(second);
	ethdev_scene_end(&s);
}

TEST(ethdev, the_mac_is_the_configured_one_then_the_devices_then_ours)
{
	const uint8_t configured[6] = {0x02, 0, 0, 0, 0, 0x77}, none[6] = {0};
	struct port_config config = ethdev_scene_config("net_null4", 1);
	struct ethdev_scene s;

	memcpy(config.mac, configured, 6);
	start(&s, &config); /* net_null takes it */
	EXPECT_BYTES(configured, s.info.mac, 6);
	ethdev_scene_end(&s);
	config = ethdev_scene_config("net_null5", 1);
	start(&s, &config); /* has one of its own */
	assert_memory_not_equal(config.own_mac, s.info.mac, 6);
	assert_memory_not_equal(none, s.info.mac, 6);
	ethdev_scene_end(&s);
	config = ethdev_scene_config("net_ring9", 1);
	start(&s, &config); /* has none */
	EXPECT_BYTES(config.own_mac, s.info.mac, 6);
	ethdev_scene_end(&s);
}

TEST(ethdev, a_device_without_interrupts_says_so)
{
	struct port_config config = ethdev_scene_config("net_ring10", 2);
	struct ethdev_scene s;

	start(&s, &config);
	EXPECT(!s.info.rx_interrupt);
	for (uint16_t queue = 0; queue < 2; queue++) {
		EXPECT_EQ(-1, port_ethdev.wait_fd(s.port, queue));
		EXPECT_EQ(GW_NOT_SUPPORTED, port_ethdev.arm(s.port, queue));
		port_ethdev.disarm(s.port, queue);
	}
	ethdev_scene_end(&s);
}

TEST(ethdev, the_link_of_a_ring_is_up)
{
	struct port_config config = ethdev_scene_config("net_ring11", 1);
	struct port_link link = {0};
	struct ethdev_scene s;

	start(&s, &config);
	port_ethdev.link(s.port, &link);
	EXPECT(link.up);
	ethdev_scene_end(&s);
}

TEST(ethdev, closing_nothing_does_nothing)
{
	port_ethdev.close(NULL);
}

/** net_ring takes no MAC, which a bond's member must; net_null makes packets and swallows them. */
TEST(ethdev, a_bond_of_two_devices_passes_packets)
{
	struct port_config config = ethdev_scene_config("net_bonding0,mode=0", 1);
	struct port_counters counters;
	struct rte_mbuf *packet;
	struct ethdev_scene s;

	start(&s, &config);
	EXPECT_TEXT("net_bonding", s.info.driver);
	packet = ethdev_scene_receive(&s, 0);
	assert_non_null(packet);
	EXPECT_EQ(64, packet_len(packet));
	packet_put(packet);
	send_marked(&s, 0, 8);
	EXPECT_EQ(0, packet_pool_live(s.pool));
	port_ethdev.counters(s.port, 0, &counters);
	EXPECT_EQ(8, counters.tx_packets);
	EXPECT_EQ(1, counters.rx_packets);
	ethdev_scene_end(&s);
}

TEST(ethdev, packets_pass_from_one_memif_to_the_other)
{
	struct port_config config = ethdev_scene_config("net_memif0", 1);
	struct ethdev_scene server, client;
	struct port_link link = {0};
	struct rte_mbuf *packet;

	start(&server, &config);
	config.device = "net_memif1";
	start(&client, &config);
	for (int i = 0; i < 3000 && !link.up; i++) { /* a thread of EAL makes the connection */
		usleep(1000);
		port_ethdev.link(client.port, &link);
	}
	EXPECT(link.up);
	send_marked(&client, 0, 4);
	for (uint32_t i = 0; i < 4; i++) {
		packet = ethdev_scene_receive(&server, 0);
		assert_non_null(packet);
		EXPECT_EQ(i, ethdev_scene_mark(packet));
		packet_put(packet);
	}
	ethdev_scene_end(&client);
	ethdev_scene_end(&server);
}

/** net_ring0 to 11; net_null0 to 7, the last two for the bond; two ends of a memif. */
static void start_eal(void)
{
	const char *member = ethdev_scene_member();
	char text[24][128];
	const char *vdev[24];
	int n = 0;

	for (int i = 0; i < 12; i++)
		snprintf(text[n++], sizeof(text[0]), "--vdev=net_ring%d", i);
	for (int i = 0; i < 8; i++)
		snprintf(text[n++], sizeof(text[0]), "--vdev=net_null%d", i);
	for (int i = 0; i < 2; i++)
		snprintf(text[n++], sizeof(text[0]),
			 "--vdev=net_memif%d,role=%s,socket=/ethdev_test.%d", i,
			 i == 0 ? "server" : "client", getpid());
	snprintf(text[n++], sizeof(text[0]), "--vdev=net_bonding0,mode=0,%s=net_null6,%s=net_null7",
		 member, member);
	for (int i = 0; i < n; i++)
		vdev[i] = text[i];
	ethdev_scene_eal(vdev, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(ethdev, says_why_when_the_device_is_absent),
		RUN(ethdev, says_why_when_a_pci_device_is_absent_under_its_long_name),
		RUN(ethdev, refuses_a_name_longer_than_dpdk_has),
		RUN(ethdev, sets_rss_key_and_table_and_reads_them_back),
		RUN(ethdev, one_queue_has_no_rss_to_report),
		RUN(ethdev, a_device_without_rss_and_rules_reports_neither),
		RUN(ethdev, one_queue_steers_by_having_no_other),
		RUN(ethdev, what_is_sent_into_a_ring_comes_back_and_is_counted),
		RUN(ethdev, queues_are_apart_and_counted_apart),
		RUN(ethdev, a_full_device_leaves_packets_with_the_caller),
		RUN(ethdev, a_packet_of_two_segments_becomes_one),
		RUN(ethdev, a_packet_that_does_not_fit_one_segment_is_dropped_and_counted),
		RUN(ethdev, an_mtu_that_the_driver_refuses_refuses_the_start),
		RUN(ethdev, a_large_mtu_has_packets_of_its_size),
		RUN(ethdev, more_packets_than_there_is_memory_for_refuses_the_start),
		RUN(ethdev, one_device_is_not_opened_twice),
		RUN(ethdev, the_mac_is_the_configured_one_then_the_devices_then_ours),
		RUN(ethdev, a_device_without_interrupts_says_so),
		RUN(ethdev, the_link_of_a_ring_is_up),
		RUN(ethdev, a_bond_of_two_devices_passes_packets),
		RUN(ethdev, packets_pass_from_one_memif_to_the_other),
		RUN(ethdev, closing_nothing_does_nothing),
	};

	start_eal();
	return cmocka_run_group_tests_name("ethdev", tests, NULL, NULL);
}
