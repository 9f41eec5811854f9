/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/rss.h"

#include "bytes.h"
#include "net/stack.h"
#include "port/tap_steer.h"

/* Toeplitz as devices do it, and the worker that follows from it. */

/* The key and the flows of the verification suite that is published for RSS. */
static const uint8_t vendors_key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
					0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
					0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
					0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static const struct published {
	const char *src, *dst;
	uint16_t src_port, dst_port;
	uint32_t hash;
} published[] = {
	{"66.9.149.187", "161.142.100.80", 2794, 1766, 0x51ccc178},
	{"199.92.111.2", "65.69.140.83", 14230, 4739, 0xc626b0ea},
	{"24.19.198.95", "12.22.207.184", 12898, 38024, 0x5c2b394a},
	{"38.27.205.30", "209.142.163.6", 48228, 2217, 0xafc7327f},
	{"153.39.163.191", "202.188.127.2", 44251, 1303, 0x10e828a2},
	{"3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x40207d3d},
	{"3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0xdde51bbf},
	{"3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024,
	 0x02d1feef},
};
#define PUBLISHED (sizeof(published) / sizeof(published[0]))

static struct port_rss vendors_rss(uint8_t key_len)
{
	struct port_rss rss = {.key_len = key_len, .reta_size = 2048};

	memcpy(rss.key, vendors_key, sizeof(vendors_key));
	for (uint16_t i = 0; i < rss.reta_size; i++)
		rss.reta[i] = i;
	return rss;
}

/* With a row for each, the queue is the low bits of the hash. */
TEST(rss, hashes_as_the_published_vectors_do)
{
	struct port_rss rss = vendors_rss(40);

	for (uint32_t i = 0; i < PUBLISHED; i++) {
		const struct published *p = &published[i];
		struct ip_address src = address(p->src), dst = address(p->dst);
		struct rss_flow flow = {&src, &dst, p->src_port, p->dst_port};
		uint16_t queue = UINT16_MAX;

		EXPECT(rss_queue(&rss, &flow, &queue));
		EXPECT_EQ(p->hash % 2048, queue);
	}
}

TEST(rss, hashes_bytes_as_the_published_vectors_do)
{
	struct span key = span_of(vendors_key, sizeof(vendors_key));

	EXPECT_EQ(0x323e8fc2, rss_toeplitz(key, SPAN("\x42\x09\x95\xbb\xa1\x8e\x64\x50")));
	EXPECT_EQ(0x51ccc178,
		  rss_toeplitz(key, SPAN("\x42\x09\x95\xbb\xa1\x8e\x64\x50\x0a\xea\x06\xe6")));
	EXPECT_EQ(0, rss_toeplitz(key, SPAN("")));
	EXPECT_EQ(0, rss_toeplitz(SPAN("\x6d\x5a\x56"), SPAN("\xff")));
}

TEST(rss, needs_a_key_as_long_as_the_flow_and_a_word_more)
{
	struct ip_address a4 = address("198.18.0.1"), b4 = address("198.18.0.2");
	struct ip_address a6 = address("fd00:18::1"), b6 = address("fd00:18::2");
	struct rss_flow v4 = {&a4, &b4, 1, 2}, v6 = {&a6, &b6, 1, 2};
	uint16_t queue, whole4, whole6;

	for (uint8_t len = 0; len <= 52; len++) {
		struct port_rss rss = vendors_rss(len);

		EXPECT_EQ(len >= 16, rss_queue(&rss, &v4, &queue));
		EXPECT_EQ(len >= 40, rss_queue(&rss, &v6, &queue));
	}
	for (uint8_t len = 40; len <= 64; len++) { /* what is longer counts for nothing */
		struct port_rss rss = vendors_rss(len), forty = vendors_rss(40);

		EXPECT(rss_queue(&forty, &v4, &whole4) && rss_queue(&rss, &v4, &queue));
		EXPECT_EQ(whole4, queue);
		EXPECT(rss_queue(&forty, &v6, &whole6) && rss_queue(&rss, &v6, &queue));
		EXPECT_EQ(whole6, queue);
	}
}

TEST(rss, says_nothing_without_a_table)
{
	struct ip_address a = address("198.18.0.1"), b = address("198.18.0.2");
	struct rss_flow flow = {&a, &b, 1, 2};
	struct port_rss rss = vendors_rss(40);
	uint16_t queue = 77;

	rss.reta_size = 0;
	EXPECT(!rss_queue(&rss, &flow, &queue));
	EXPECT_EQ(77, queue);
}

/* ---- the worker, and the queue of our own TAP ports ---------------------------------------------
 */

#define TUPLES 10000u
#define STEER_BASE 5070

/* As much of a stack as stack_tcp_worker() looks at: one interface with our two addresses. */
struct half_stack {
	struct tap_steer steer;
	struct net_shared shared;
	struct netif netif;
	struct stack_netif nif;
	struct stack stack;
	uint64_t random;
};

static uint64_t next(struct half_stack *h)
{
	h->random = h->random * 6364136223846793005ull + 1442695040888963407ull;
	return h->random >> 11;
}

/* What tap.c tells of a port with so many queues. */
static struct half_stack *half_stack_new(uint16_t queues, uint16_t workers)
{
	struct half_stack *h = calloc(1, sizeof(*h));
	struct port_info *info = &h->netif.info;

	EXPECT(h != NULL);
	h->random = queues;
	h->steer = (struct tap_steer){.steer_base = STEER_BASE, .queues = queues};
	for (uint32_t i = 0; i < TAP_STEER_KEY; i++)
		h->steer.key[i] = (uint8_t)next(h);
	info->queues = queues;
	info->steers = true;
	info->rss.key_len = TAP_STEER_KEY;
	memcpy(info->rss.key, h->steer.key, TAP_STEER_KEY);
	info->rss.reta_size = TAP_STEER_ROWS;
	for (uint16_t row = 0; row < TAP_STEER_ROWS; row++)
		info->rss.reta[row] = row % queues;
	h->netif.address_count = 2;
	h->nif = (struct stack_netif){.netif = &h->netif};
	h->nif.address[0] = address("198.18.0.1");
	h->nif.address[1] = address("fd00:18::1");
	h->stack = (struct stack){.shared = &h->shared,
				  .workers = workers,
				  .steer_base = STEER_BASE,
				  .netifs = 1,
				  .netif = &h->nif};
	return h;
}

/* A peer; ports of whom one in eight is a worker's own. */
struct tuple {
	struct ip_address local, remote;
	uint16_t local_port, remote_port;
};

static struct tuple random_tuple(struct half_stack *h)
{
	bool v6 = next(h) % 2 != 0;
	struct tuple t = {.local = h->nif.address[v6], .remote = h->nif.address[v6]};

	for (uint32_t i = v6 ? 8 : 13; i < 16; i++)
		t.remote.bytes[i] = (uint8_t)next(h);
	t.remote_port = (uint16_t)(next(h) % UINT16_MAX + 1);
	t.local_port = (uint16_t)(next(h) % UINT16_MAX + 1);
	if (next(h) % 8 == 0)
		t.local_port = (uint16_t)(STEER_BASE + next(h) % 80);
	return t;
}

/* The frame of a SYN from the peer, as it comes to the port. */
static uint16_t tap_queue_of(const struct half_stack *h, const struct tuple *t)
{
	struct ip_head head = {.src = t->remote,
			       .dst = t->local,
			       .protocol = IPPROTO_TCP,
			       .hop_limit = 64,
			       .payload_len = TCP_LEN,
			       .dont_fragment = true};
	struct tcp_packet syn = {.src_port = t->remote_port,
				 .dst_port = t->local_port,
				 .flags = TCP_SYN};
	static const uint8_t mac[6] = {2};
	uint8_t frame[128];
	struct writer w;

	writer_init(&w, frame, sizeof(frame));
	eth_write(&w, mac, mac, 0, ip_address_is_v4(&t->local) ? ETH_TYPE_IP4 : ETH_TYPE_IP6);
	ip_write(&w, &head, true);
	tcp_write(&w, &head.src, &head.dst, &syn, L4_CHECKSUM_WHOLE);
	EXPECT(writer_ok(&w));
	return tap_steer_queue(&h->steer, writer_span(&w));
}

static uint16_t worker_of(const struct half_stack *h, const struct tuple *t)
{
	return stack_tcp_worker(&h->stack, &t->local, t->local_port, &t->remote, t->remote_port);
}

TEST(rss, worker_is_the_one_to_whose_queue_a_tap_port_brings_the_segment)
{
	static const uint16_t counts[] = {1, 2, 3, 4, 7, 8, 13, 16, 64};

	for (uint32_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		struct half_stack *h = half_stack_new(counts[c], counts[c]);
		uint32_t of[64] = {0};

		for (uint32_t i = 0; i < TUPLES; i++) {
			struct tuple t = random_tuple(h);

			EXPECT_EQ(tap_queue_of(h, &t), worker_of(h, &t));
			of[worker_of(h, &t)]++;
		}
		for (uint16_t w = 0; w < counts[c]; w++)
			EXPECT(of[w] > TUPLES / counts[c] / 2);
		free(h);
	}
}

/* Also where the device tells nothing, or has too few queues: everybody has to find the same one.
 */
static void check_keyed(struct half_stack *h)
{
	uint32_t of[8] = {0};

	for (uint32_t i = 0; i < TUPLES; i++) {
		struct tuple t = random_tuple(h);
		uint16_t w = worker_of(h, &t), again;

		EXPECT(w < h->stack.workers);
		h->stack.worker = (uint16_t)(i % h->stack.workers);
		again = worker_of(h, &t);
		EXPECT_EQ(w, again);
		if (t.local_port >= STEER_BASE && t.local_port - STEER_BASE < h->stack.workers)
			EXPECT_EQ(t.local_port - STEER_BASE, w);
		of[w]++;
	}
	for (uint16_t w = 0; w < h->stack.workers; w++)
		EXPECT(of[w] > TUPLES / h->stack.workers / 2);
	free(h);
}

TEST(rss, worker_is_by_our_own_hash_where_the_device_does_not_spread)
{
	struct half_stack *h = half_stack_new(8, 8);

	h->netif.info.rss.key_len = 0;
	check_keyed(h);
	check_keyed(half_stack_new(4, 8));
	h = half_stack_new(8, 8);
	h->netif.info.rss.reta_size = 0;
	check_keyed(h);
	h = half_stack_new(8, 8);
	h->stack.netifs = 0; /* an address that is none of ours */
	check_keyed(h);
}

TEST(rss, keyed_hash_depends_on_the_key)
{
	struct half_stack *a = half_stack_new(4, 8), *b = half_stack_new(4, 8);
	uint32_t same = 0;

	b->shared.hash_key[0] = 1;
	for (uint32_t i = 0; i < 1000; i++) {
		struct tuple t = random_tuple(a);

		same += worker_of(a, &t) == worker_of(b, &t);
	}
	EXPECT(same < 500);
	free(a);
	free(b);
}

TEST_MAIN("net_rss", RUN(rss, hashes_as_the_published_vectors_do),
	  RUN(rss, hashes_bytes_as_the_published_vectors_do),
	  RUN(rss, needs_a_key_as_long_as_the_flow_and_a_word_more),
	  RUN(rss, says_nothing_without_a_table),
	  RUN(rss, worker_is_the_one_to_whose_queue_a_tap_port_brings_the_segment),
	  RUN(rss, worker_is_by_our_own_hash_where_the_device_does_not_spread),
	  RUN(rss, keyed_hash_depends_on_the_key))
