/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_device.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../test.h"

/* Steering, waiting and counting of the ethdev port, over a device that may be dishonest. */

#define TYPES_TCP (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP)
#define TYPES_UDP (RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP)

struct scene {
	struct port_config config;
	struct port *port;
	struct port_info info;
	char why[PORT_WHY_MAX];
};

static struct scene scene(uint16_t queues)
{
	fake_device_reset();
	return (struct scene){.config = {.queues = queues}};
}

static void start(struct scene *s)
{
	EXPECT_EQ(GW_OK, fake_device_start(&s->config, &s->port, &s->info, s->why));
}

/* ---- RSS ------------------------------------------------------------------------------------ */

static struct scene rss_scene(void)
{
	struct scene s = scene(3);

	fake_device()->info.hash_key_size = 52;
	fake_device()->info.reta_size = 128;
	fake_device()->info.flow_type_rss_offloads = UINT64_MAX;
	return s;
}

static void expect_rss(struct scene *s, uint8_t key_len)
{
	start(s);
	EXPECT_EQ(key_len, s->info.rss.key_len);
	EXPECT_EQ(key_len > 0 ? 128 : 0, s->info.rss.reta_size);
	if (key_len > 0)
		EXPECT_BYTES(s->config.secret, s->info.rss.key, key_len);
	for (uint16_t i = 0; i < s->info.rss.reta_size; i++)
		EXPECT_EQ(i % 3, s->info.rss.reta[i]);
	port_ethdev.close(s->port);
}

TEST(ethdev_rss, hashes_ports_under_our_key_and_neither_fragments_nor_icmp)
{
	struct scene s = rss_scene();

	expect_rss(&s, 52);
	EXPECT_EQ(TYPES_TCP | TYPES_UDP, fake_device()->hash_types);
	EXPECT_EQ(RTE_ETH_MQ_RX_RSS, fake_device()->conf.rxmode.mq_mode);
}

TEST(ethdev_rss, takes_a_key_from_either_call)
{
	struct scene s = rss_scene();

	fake_device()->key_only_at_configure = true;
	expect_rss(&s, 52);
	s = rss_scene();
	fake_device()->info.hash_key_size = 0; /* a driver that does not say */
	expect_rss(&s, 40);
}

TEST(ethdev_rss, is_not_reported_of_a_device_that_keeps_another_key)
{
	struct scene s = rss_scene();

	fake_device()->key_is_fixed = true;
	expect_rss(&s, 0);
	s = rss_scene();
	fake_device()->key_is_secret = true;
	expect_rss(&s, 0);
	s = rss_scene();
	fake_device()->info.hash_key_size = 0;
	fake_device()->key_only_at_configure = true;
	expect_rss(&s, 0);
}

TEST(ethdev_rss, is_not_reported_of_a_device_that_keeps_another_table)
{
	struct scene s = rss_scene();

	fake_device()->table_is_fixed = true;
	expect_rss(&s, 0);
	s = rss_scene();
	fake_device()->table_is_secret = true;
	expect_rss(&s, 0);
	s = rss_scene();
	fake_device()->table_error = -EINVAL;
	expect_rss(&s, 0);
	s = rss_scene();
	fake_device()->info.reta_size = PORT_RETA_MAX + 1;
	expect_rss(&s, 0);
	s = rss_scene();
	fake_device()->info.reta_size = 0;
	expect_rss(&s, 0);
}

TEST(ethdev_rss, needs_tcp_of_both_families_and_takes_udp_where_it_is)
{
	struct scene s = rss_scene();

	fake_device()->info.flow_type_rss_offloads = TYPES_TCP;
	expect_rss(&s, 52);
	EXPECT_EQ(TYPES_TCP, fake_device()->hash_types);
	s = rss_scene();
	fake_device()->info.flow_type_rss_offloads = TYPES_UDP | RTE_ETH_RSS_NONFRAG_IPV4_TCP;
	expect_rss(&s, 0);
	EXPECT_EQ(RTE_ETH_MQ_RX_NONE, fake_device()->conf.rxmode.mq_mode);
}

TEST(ethdev_rss, does_not_invent_a_key_longer_than_its_secret)
{
	struct scene s = rss_scene();

	fake_device()->info.hash_key_size = 65;
	expect_rss(&s, 0);
}

/* ---- rules ---------------------------------------------------------------------------------- */

static struct scene flow_scene(uint16_t queues, uint32_t valid, uint32_t room)
{
	struct scene s = scene(queues);

	s.config.steer_base = 5070;
	fake_device()->rules_valid = valid;
	fake_device()->rules_room = room;
	return s;
}

TEST(ethdev_flow, every_port_has_a_rule_for_each_family_and_protocol)
{
	struct scene s = flow_scene(3, FAKE_RULES, FAKE_RULES);
	uint32_t kinds[3] = {0};

	start(&s);
	EXPECT(s.info.steers);
	EXPECT_EQ(12, fake_device()->rules_live);
	for (uint32_t i = 0; i < 12; i++) {
		const struct fake_rule *rule = &fake_device()->rule[i];

		EXPECT(rule->queue < 3);
		EXPECT_EQ(5070 + rule->queue, rule->port);
		EXPECT_EQ(UINT16_MAX, rule->port_mask);
		kinds[rule->queue] |= 1u << ((rule->ip == RTE_FLOW_ITEM_TYPE_IPV6) * 2 +
					     (rule->l4 == RTE_FLOW_ITEM_TYPE_TCP));
	}
	for (uint32_t queue = 0; queue < 3; queue++)
		EXPECT_EQ(0xf, kinds[queue]);
	port_ethdev.close(s.port);
	EXPECT_EQ(0, fake_device()->rules_live);
}

TEST(ethdev_flow, one_rule_refused_is_none_kept)
{
	struct scene s = flow_scene(3, 11, FAKE_RULES);

	start(&s);
	EXPECT(!s.info.steers);
	EXPECT_EQ(11, fake_device()->rules);
	EXPECT_EQ(0, fake_device()->rules_live);
	port_ethdev.close(s.port);
	s = flow_scene(3, FAKE_RULES, 5);
	start(&s);
	EXPECT(!s.info.steers);
	EXPECT_EQ(0, fake_device()->rules_live);
	port_ethdev.close(s.port);
}

TEST(ethdev_flow, no_rule_is_made_where_none_is_needed)
{
	struct scene s = flow_scene(1, FAKE_RULES, FAKE_RULES);

	start(&s);
	EXPECT(s.info.steers); /* one queue: everything goes there */
	EXPECT_EQ(0, fake_device()->rules);
	port_ethdev.close(s.port);
	s = flow_scene(2, FAKE_RULES, FAKE_RULES);
	s.config.steer_base = 0;
	start(&s);
	EXPECT(!s.info.steers);
	EXPECT_EQ(0, fake_device()->rules);
	port_ethdev.close(s.port);
}

/* ---- waiting -------------------------------------------------------------------------------- */

static bool readable(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, 0) == 1;
}

/** A packet that nobody gives back to a pool: somebody else holds it too. */
static struct rte_mbuf packet_held(uint16_t segments)
{
	struct rte_mbuf packet = {.nb_segs = segments, .pkt_len = 60, .data_len = 60};

	rte_mbuf_refcnt_set(&packet, 100);
	return packet;
}

TEST(ethdev_wait, an_eventfd_is_waited_on_and_drained)
{
	struct scene s = scene(1);
	int fd = eventfd(0, 0);
	uint64_t one = 1;

	fake_device()->enable_error = 0;
	fake_device()->wait_fd = fd;
	start(&s);
	EXPECT(s.info.rx_interrupt);
	EXPECT_EQ(fd, port_ethdev.wait_fd(s.port, 0));
	EXPECT_EQ(0, fake_device()->enabled);
	EXPECT_EQ(GW_OK, port_ethdev.arm(s.port, 0));
	EXPECT_EQ(1, fake_device()->enabled);
	EXPECT(!readable(fd));
	EXPECT_EQ(8, write(fd, &one, sizeof(one)));
	port_ethdev.disarm(s.port, 0);
	EXPECT_EQ(0, fake_device()->enabled);
	EXPECT(!readable(fd));
	EXPECT_EQ(GW_OK, port_ethdev.arm(s.port, 0));
	port_ethdev.disarm(s.port, 0); /* nothing was written: it does not block on it */
	port_ethdev.close(s.port);
	close(fd);
}

TEST(ethdev_wait, what_arm_finds_ends_the_wait_and_is_received_once)
{
	struct rte_mbuf packet = packet_held(1), *got = NULL;
	struct port_counters counters;
	struct scene s = scene(1);
	int fd = eventfd(0, 0);

	fake_device()->enable_error = 0;
	fake_device()->wait_fd = fd;
	start(&s);
	fake_device()->next = &packet;
	EXPECT_EQ(GW_OK, port_ethdev.arm(s.port, 0));
	EXPECT(readable(fd));
	port_ethdev.disarm(s.port, 0);
	EXPECT_EQ(GW_OK, port_ethdev.arm(s.port, 0)); /* not taken yet: at once again */
	EXPECT(readable(fd));
	port_ethdev.disarm(s.port, 0);
	EXPECT_EQ(1, port_ethdev.rx_burst(s.port, 0, &got, 1));
	assert_ptr_equal(&packet, got);
	EXPECT_EQ(0, port_ethdev.rx_burst(s.port, 0, &got, 1));
	port_ethdev.counters(s.port, 0, &counters);
	EXPECT_EQ(1, counters.rx_packets);
	port_ethdev.close(s.port);
	close(fd);
}

TEST(ethdev_wait, a_driver_without_interrupts_is_not_asked_for_a_descriptor)
{
	struct scene s = scene(2);

	start(&s);
	EXPECT(!s.info.rx_interrupt);
	EXPECT_EQ(0, fake_device()->fds_asked);
	EXPECT_EQ(-1, port_ethdev.wait_fd(s.port, 1));
	EXPECT_EQ(GW_NOT_SUPPORTED, port_ethdev.arm(s.port, 1));
	port_ethdev.close(s.port);
}

TEST(ethdev_wait, a_descriptor_of_a_kind_that_we_do_not_know_is_not_waited_on)
{
	struct scene s = scene(1);
	int ends[2];

	EXPECT_EQ(0, pipe(ends));
	fake_device()->enable_error = 0;
	fake_device()->wait_fd = ends[0];
	start(&s);
	EXPECT(!s.info.rx_interrupt);
	EXPECT_EQ(-1, port_ethdev.wait_fd(s.port, 0));
	port_ethdev.close(s.port);
	close(ends[0]);
	close(ends[1]);
}

TEST(ethdev_wait, net_tap_is_readable_by_itself)
{
	struct scene s = scene(4);
	int ends[2];

	EXPECT_EQ(0, pipe(ends));
	fake_device()->info.driver_name = "net_tap";
	fake_device()->wait_fd = ends[0];
	start(&s);
	EXPECT(s.info.rx_interrupt);
	EXPECT_EQ(GW_OK, port_ethdev.arm(s.port, 0));
	EXPECT_EQ(1, write(ends[1], "x", 1));
	port_ethdev.disarm(s.port, 0);
	EXPECT(readable(ends[0])); /* what is in it are packets: not ours to read */
	port_ethdev.close(s.port);
	close(ends[0]);
	close(ends[1]);
}

TEST(ethdev_wait, an_interrupt_that_fails_later_is_not_relied_on)
{
	struct scene s = scene(1);
	int fd = eventfd(0, 0);

	fake_device()->enable_error = 0;
	fake_device()->wait_fd = fd;
	start(&s);
	fake_device()->enable_error = -EIO;
	EXPECT_EQ(GW_NOT_SUPPORTED, port_ethdev.arm(s.port, 0));
	port_ethdev.close(s.port);
	close(fd);
}

/* ---- packets -------------------------------------------------------------------------------- */

TEST(ethdev_run, a_packet_that_the_driver_will_never_take_is_dropped_and_counted)
{
	struct rte_mbuf a = packet_held(1), b = a, c = a, *packets[] = {&a, &b, &c};
	struct port_counters counters;
	struct scene s = scene(1);

	fake_device()->info.tx_offload_capa = UINT64_MAX;
	start(&s);
	fake_device()->unprepared = 1;
	EXPECT_EQ(2, port_ethdev.tx_burst(s.port, 0, packets, 3)); /* a is sent, b dropped */
	port_ethdev.counters(s.port, 0, &counters);
	EXPECT_EQ(1, counters.tx_packets);
	EXPECT_EQ(60, counters.tx_bytes);
	EXPECT_EQ(1, counters.tx_errors);
	EXPECT_EQ(99, rte_mbuf_refcnt_read(&b));
	EXPECT_EQ(100, rte_mbuf_refcnt_read(&c));
	fake_device()->takes = 0; /* full: then it is not yet clear what becomes of b */
	EXPECT_EQ(0, port_ethdev.tx_burst(s.port, 0, packets, 3));
	port_ethdev.close(s.port);
}

TEST(ethdev_run, without_offloads_the_driver_is_not_asked_to_prepare)
{
	struct rte_mbuf a = packet_held(1), *packets[] = {&a};
	struct scene s = scene(1);

	start(&s);
	fake_device()->unprepared = 0;
	EXPECT_EQ(1, port_ethdev.tx_burst(s.port, 0, packets, 1));
	port_ethdev.close(s.port);
}

TEST(ethdev_run, a_bond_has_its_turn_to_send_at_every_receive)
{
	struct rte_mbuf *packet;
	struct scene s = scene(1);

	fake_device()->info.driver_name = "net_bonding";
	start(&s);
	EXPECT_EQ(0, port_ethdev.rx_burst(s.port, 0, &packet, 1));
	EXPECT_EQ(1, fake_device()->tx_empty);
	port_ethdev.close(s.port);
	s = scene(1);
	start(&s);
	EXPECT_EQ(0, port_ethdev.rx_burst(s.port, 0, &packet, 1));
	EXPECT_EQ(0, fake_device()->tx_empty);
	port_ethdev.close(s.port);
}

TEST(ethdev_run, what_the_device_lost_is_told_with_queue_0)
{
	struct port_counters counters;
	struct scene s = scene(2);

	start(&s);
	fake_device()->stats = (struct rte_eth_stats){
		.ipackets = 99, .imissed = 3, .rx_nombuf = 4, .ierrors = 5, .oerrors = 6};
	port_ethdev.counters(s.port, 0, &counters);
	EXPECT_EQ(0, counters.rx_packets);
	EXPECT_EQ(7, counters.rx_no_buffer);
	EXPECT_EQ(5, counters.rx_errors);
	EXPECT_EQ(6, counters.tx_errors);
	port_ethdev.counters(s.port, 1, &counters);
	EXPECT_EQ(0, counters.rx_no_buffer + counters.rx_errors + counters.tx_errors);
	port_ethdev.close(s.port);
}

TEST(ethdev_run, a_link_of_unknown_speed_is_up_and_one_that_is_gone_is_down)
{
	struct port_link link = {.mbps = 7};
	struct scene s = scene(1);

	start(&s);
	port_ethdev.link(s.port, &link);
	EXPECT(link.up);
	EXPECT_EQ(0, link.mbps);
	fake_device()->absent = true;
	port_ethdev.link(s.port, &link);
	EXPECT(!link.up);
	port_ethdev.close(s.port);
}

TEST_MAIN("ethdev_run", RUN(ethdev_rss, hashes_ports_under_our_key_and_neither_fragments_nor_icmp),
	  RUN(ethdev_rss, takes_a_key_from_either_call),
	  RUN(ethdev_rss, is_not_reported_of_a_device_that_keeps_another_key),
	  RUN(ethdev_rss, is_not_reported_of_a_device_that_keeps_another_table),
	  RUN(ethdev_rss, needs_tcp_of_both_families_and_takes_udp_where_it_is),
	  RUN(ethdev_rss, does_not_invent_a_key_longer_than_its_secret),
	  RUN(ethdev_flow, every_port_has_a_rule_for_each_family_and_protocol),
	  RUN(ethdev_flow, one_rule_refused_is_none_kept),
	  RUN(ethdev_flow, no_rule_is_made_where_none_is_needed),
	  RUN(ethdev_wait, an_eventfd_is_waited_on_and_drained),
	  RUN(ethdev_wait, what_arm_finds_ends_the_wait_and_is_received_once),
	  RUN(ethdev_wait, a_driver_without_interrupts_is_not_asked_for_a_descriptor),
	  RUN(ethdev_wait, a_descriptor_of_a_kind_that_we_do_not_know_is_not_waited_on),
	  RUN(ethdev_wait, net_tap_is_readable_by_itself),
	  RUN(ethdev_wait, an_interrupt_that_fails_later_is_not_relied_on),
	  RUN(ethdev_run, a_packet_that_the_driver_will_never_take_is_dropped_and_counted),
	  RUN(ethdev_run, without_offloads_the_driver_is_not_asked_to_prepare),
	  RUN(ethdev_run, a_bond_has_its_turn_to_send_at_every_receive),
	  RUN(ethdev_run, what_the_device_lost_is_told_with_queue_0),
	  RUN(ethdev_run, a_link_of_unknown_speed_is_up_and_one_that_is_gone_is_down))
