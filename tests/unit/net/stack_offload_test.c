/* SPDX-License-Identifier: BSD-3-Clause */
#include "scene.h"

/* Checksums that a device fills in (packet.h). */

static const struct flow flow4 = {OURS4, PEER4, 5070, 5060};
static const struct flow flow6 = {OURS6, PEER6, 5070, 5060};

static struct scene *bound(const struct scene_config *config)
{
	struct scene *s = scene_ready(config);

	for (uint16_t w = 0; w < s->workers; w++) {
		scene_bind(s, w, OURS4, 5070);
		scene_bind(s, w, OURS6, 5070);
	}
	return s;
}

static uint16_t u16_at(struct span s, uint32_t i)
{
	return (uint16_t)(span_at(s, i) << 8 | span_at(s, i + 1));
}

/* Adds words as RFC 1071 says, without the last inversion. */
static uint16_t plain_sum(uint32_t sum, struct span bytes)
{
	for (uint32_t i = 0; i < bytes.len; i += 2)
		sum += (uint32_t)span_at(bytes, i) << 8 |
		       (i + 1 < bytes.len ? (uint32_t)span_at(bytes, i + 1) : 0);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The field holds the pseudo-header's sum; the device sums what is there and stores the inverse.
 * Then pseudo-header and datagram together are all ones. */
static void check_completes(struct span frame, uint32_t l2, uint32_t l3, uint32_t addresses)
{
	struct span ip = span_cut(frame, l2, l3), l4 = span_from(frame, l2 + l3);
	uint32_t pseudo = plain_sum(IPPROTO_UDP + l4.len, span_cut(ip, l3 - addresses, addresses));
	uint32_t field;

	EXPECT_EQ(pseudo, u16_at(l4, 6));
	field = (uint16_t)~plain_sum(0, l4);
	EXPECT_EQ(0xffff,
		  plain_sum(plain_sum(pseudo + field, span_cut(l4, 0, 6)), span_from(l4, 8)));
}

static void check_offload(const struct scene_config *config, const struct flow *flow)
{
	struct scene *s = bound(config);
	uint32_t l2 = config->vlan != 0 ? 18 : 14;
	bool v6 = flow == &flow6;
	const struct pipe_sent *sent;

	EXPECT_EQ(GW_OK, scene_send(s, 0, flow, SPAN("hello, world")));
	scene_work(s, 0);
	EXPECT_EQ(1, s->port[0]->sent_count);
	sent = &s->port[0]->sent[0];
	EXPECT(sent->offloaded);
	EXPECT_EQ(l2, sent->offload.l2_len);
	EXPECT_EQ(v6 ? 40 : 20, sent->offload.l3_len);
	EXPECT_EQ(v6, sent->offload.v6);
	EXPECT_EQ(config->l4_offload ? IPPROTO_UDP : 0, sent->offload.l4_protocol);
	EXPECT_EQ(config->ip_offload && !v6, sent->offload.ip_checksum);
	if (config->ip_offload && !v6)
		EXPECT_EQ(0, u16_at(pipe_sent_frame(s->port[0], 0), l2 + 10));
	if (config->l4_offload)
		check_completes(pipe_sent_frame(s->port[0], 0), l2, v6 ? 40 : 20, v6 ? 32 : 8);
	scene_free(s);
}

TEST(offload, leaves_the_pseudo_sum_and_the_lengths_for_the_device)
{
	struct scene_config config = {.l4_offload = true}, vlan = {.l4_offload = true, .vlan = 100};
	struct scene_config both = {.l4_offload = true, .ip_offload = true, .vlan = 7};

	check_offload(&config, &flow4);
	check_offload(&config, &flow6);
	check_offload(&vlan, &flow4);
	check_offload(&vlan, &flow6);
	check_offload(&both, &flow4);
	check_offload(&both, &flow6);
}

TEST(offload, of_the_ip_header_alone_leaves_udp_whole)
{
	struct scene_config config = {.ip_offload = true};

	check_offload(&config, &flow4);
}

TEST(offload, asks_nothing_of_a_device_that_offers_nothing)
{
	struct scene_config config = {0};
	struct scene *s = bound(&config);

	EXPECT_EQ(GW_OK, scene_send(s, 0, &flow4, SPAN("hello")));
	scene_work(s, 0);
	EXPECT(!s->port[0]->sent[0].offloaded || (s->port[0]->sent[0].offload.l4_protocol == 0 &&
						  !s->port[0]->sent[0].offload.ip_checksum));
	EXPECT_EQ(1, scene_seen(s, 0, SEEN_UDP, NULL)); /* and all is right */
	scene_free(s);
}

static void check_fragments(const struct flow *flow)
{
	struct scene_config config = {.l4_offload = true, .ip_offload = true};
	struct scene *s = bound(&config);
	static uint8_t joined[4096];
	struct udp_packet udp;
	struct ip_packet whole;
	struct seen seen;
	uint8_t data[3000];

	memset(data, 0x5a, sizeof(data));
	EXPECT_EQ(GW_OK, scene_send(s, 0, flow, span_of(data, sizeof(data))));
	scene_work(s, 0);
	EXPECT_EQ(3, s->port[0]->sent_count);
	for (uint32_t i = 0; i < 3; i++) {
		seen = scene_seen_at(s, 0, i);
		EXPECT_EQ(0, s->port[0]->sent[i].offload.l4_protocol);
		memcpy(joined + seen.ip.offset, seen.ip.payload.at, seen.ip.payload.len);
	}
	whole = seen.ip;
	whole.fragment = false;
	whole.payload = span_of(joined, 3008);
	udp = udp_read(&whole, PACKET_CHECKSUM_UNKNOWN);
	EXPECT_EQ(GW_OK, udp.err);
	EXPECT_EQ(3000, udp.payload.len);
	scene_free(s);
}

TEST(offload, makes_the_sum_of_fragments_itself)
{
	check_fragments(&flow4);
	check_fragments(&flow6);
}

TEST(offload, makes_the_sums_of_icmp_itself)
{
	struct scene_config config = {.l4_offload = true};
	struct scene *s = bound(&config);
	struct icmp_form ping = {FOREIGN4, OURS4, 8, 0, 1, 0},
			 ping6 = {FOREIGN6, OURS6, 128, 0, 1, 0};
	struct frame f;

	frame_icmp(&f, &s->in, &ping, SPAN("abcd"));
	scene_feed(s, 0, 0, &f);
	frame_icmp(&f, &s->in, &ping6, SPAN("abcd"));
	scene_feed(s, 0, 0, &f);
	scene_turn(s);
	EXPECT_EQ(2, scene_seen(s, 0, SEEN_ICMP, NULL)); /* checked there */
	EXPECT_EQ(0, s->port[0]->sent[0].offload.l4_protocol);
	EXPECT_EQ(0, s->port[0]->sent[1].offload.l4_protocol);
	scene_free(s);
}

TEST(offload, completes_a_frame_that_another_worker_sends_for_it)
{
	struct scene_config config = {.workers = 2,
				      .queues = 1,
				      .l4_offload = true,
				      .ip_offload = true};
	struct scene *s = bound(&config);
	struct ip_packet ip;
	struct udp_packet udp;

	EXPECT_EQ(GW_OK, scene_send(s, 1, &flow4, SPAN("hello")));
	scene_turns(s, 3);
	EXPECT_EQ(1, s->port[0]->sent_count);
	if (s->port[0]->sent[0].offloaded && s->port[0]->sent[0].offload.l4_protocol != 0) {
		check_completes(pipe_sent_frame(s->port[0], 0), 14, 20, 8);
	} else {
		ip = ip4_read(span_from(pipe_sent_frame(s->port[0], 0), 14),
			      PACKET_CHECKSUM_UNKNOWN);
		EXPECT_EQ(GW_OK, ip.err);
		udp = udp_read(&ip, PACKET_CHECKSUM_UNKNOWN);
		EXPECT_EQ(GW_OK, udp.err);
	}
	scene_free(s);
}

TEST_MAIN("net_stack_offload", RUN(offload, leaves_the_pseudo_sum_and_the_lengths_for_the_device),
	  RUN(offload, of_the_ip_header_alone_leaves_udp_whole),
	  RUN(offload, asks_nothing_of_a_device_that_offers_nothing),
	  RUN(offload, makes_the_sum_of_fragments_itself),
	  RUN(offload, makes_the_sums_of_icmp_itself),
	  RUN(offload, completes_a_frame_that_another_worker_sends_for_it))
