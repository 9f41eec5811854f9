/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/eal_arguments.h"

#include "../test.h"
#include "netif.h"

#define MANY (64ull << 30) /* bytes of huge pages */
#define RX_PACKETS 12288   /* of a queue: 8192 of TCP and 4096 more */

/** A configuration of ports, cores and words, as much as the arguments look at. */
struct scene {
	struct config config;
	struct config_port port[8];
	struct option_number core[4];
	struct option_text word[130];
	struct eal_host host;
	struct eal_arguments made;
};

static struct scene *scene_new(uint64_t free_huge_bytes)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->config.ports.at = s->port;
	s->config.workers.cores.at = s->core;
	s->config.eal.at = s->word;
	s->config.tcp.held_packets.value = 8192;
	s->host.free_huge_bytes = free_huge_bytes;
	for (int cpu = 0; cpu < 4; cpu++)
		CPU_SET(cpu, &s->host.allowed);
	return s;
}

static void scene_core(struct scene *s, uint64_t core)
{
	s->core[s->config.workers.cores.count++].value = core;
}

static void scene_device(struct scene *s, const char *device)
{
	s->port[s->config.ports.count++].device.text = device;
}

static void scene_word(struct scene *s, const char *word)
{
	s->word[s->config.eal.count++].text = word;
}

static const struct eal_arguments *scene_make(struct scene *s)
{
	if (s->config.workers.cores.count == 0)
		scene_core(s, 1);
	eal_arguments_make(&s->config, &s->host, &s->made);
	EXPECT(!s->made.full);
	return &s->made;
}

/** Where word stands, or -1. */
static int place(const struct eal_arguments *a, const char *word)
{
	for (int i = 0; i < a->count; i++)
		if (strcmp(a->at[i], word) == 0)
			return i;
	return -1;
}

static bool has(const struct eal_arguments *a, const char *word)
{
	return place(a, word) >= 0;
}

TEST(eal_arguments, kernel_and_tap_ports_give_eal_no_device)
{
	struct scene *s = scene_new(MANY);
	const struct eal_arguments *a;

	scene_device(s, "kernel");
	scene_device(s, "tap:wic0");
	a = scene_make(s);
	EXPECT_TEXT("wicgate", a->at[0]);
	EXPECT(has(a, "--no-pci"));
	EXPECT(!has(a, "-a"));
	for (int i = 0; i < a->count; i++)
		EXPECT(strncmp(a->at[i], "--vdev", 6) != 0);
	assert_null(a->at[a->count]);
	free(s);
}

TEST(eal_arguments, a_pci_address_is_allowed_with_its_arguments_and_the_bus_is_probed)
{
	struct scene *s = scene_new(MANY);
	const struct eal_arguments *a;

	scene_device(s, "0000:3b:00.0,rx_vec=1");
	scene_device(s, "3b:00.1");
	a = scene_make(s);
	EXPECT(!has(a, "--no-pci"));
	EXPECT_TEXT("-a", a->at[place(a, "0000:3b:00.0,rx_vec=1") - 1]);
	EXPECT_TEXT("-a", a->at[place(a, "3b:00.1") - 1]);
	free(s);
}

TEST(eal_arguments, a_vdev_with_a_colon_in_its_arguments_is_still_a_vdev)
{
	struct scene *s = scene_new(MANY);
	const struct eal_arguments *a;

	scene_device(s, "net_memif0,socket=/run/a:b.sock");
	scene_device(s, "net_tap0,iface=dtap0");
	a = scene_make(s);
	EXPECT(has(a, "--vdev=net_memif0,socket=/run/a:b.sock"));
	EXPECT(has(a, "--vdev=net_tap0,iface=dtap0"));
	EXPECT(has(a, "--no-pci"));
	free(s);
}

TEST(eal_arguments, af_xdp_never_busy_polls_unless_it_is_told_to)
{
	struct scene *s = scene_new(MANY);
	const struct eal_arguments *a;

	scene_device(s, "net_af_xdp0,iface=veth0");
	scene_device(s, "net_af_xdp1,busy_budget=32,iface=veth1");
	scene_device(s, "net_af_xdp2");
	a = scene_make(s);
	EXPECT(has(a, "--vdev=net_af_xdp0,iface=veth0,busy_budget=0"));
	EXPECT(has(a, "--vdev=net_af_xdp1,busy_budget=32,iface=veth1"));
	EXPECT(has(a, "--vdev=net_af_xdp2,busy_budget=0"));
	free(s);
}

TEST(eal_arguments, huge_pages_are_taken_when_they_suffice)
{
	struct scene *s = scene_new(0);
	const struct eal_arguments *a;

	scene_device(s, "net_ring0");
	scene_core(s, 1);
	s->host.free_huge_bytes = eal_arguments_mib(&s->config) << 20;
	a = scene_make(s);
	EXPECT(has(a, "--in-memory"));
	EXPECT(!has(a, "--no-huge"));
	EXPECT(!has(a, "-m"));
	free(s);
}

TEST(eal_arguments, one_byte_of_huge_pages_too_few_is_no_huge_pages)
{
	struct scene *s = scene_new(0);
	const struct eal_arguments *a;
	char mib[16];

	scene_device(s, "net_ring0");
	scene_core(s, 1);
	s->host.free_huge_bytes = (eal_arguments_mib(&s->config) << 20) - 1;
	a = scene_make(s);
	EXPECT(!has(a, "--in-memory"));
	EXPECT(has(a, "--no-huge"));
	EXPECT(has(a, "--no-shconf"));
	EXPECT(has(a, "--iova-mode=va"));
	snprintf(mib, sizeof(mib), "%u", (unsigned int)eal_arguments_mib(&s->config));
	EXPECT_TEXT(mib, a->at[place(a, "-m") + 1]);
	free(s);
}

TEST(eal_arguments, memory_grows_with_packet_ports_and_workers)
{
	struct scene *s = scene_new(0);
	uint64_t none, one, two, tap;

	scene_core(s, 1);
	scene_device(s, "kernel");
	none = eal_arguments_mib(&s->config);
	scene_device(s, "net_ring0");
	one = eal_arguments_mib(&s->config);
	scene_core(s, 2);
	two = eal_arguments_mib(&s->config);
	scene_device(s, "tap:wic0"); /* its packets are of the same memory */
	tap = eal_arguments_mib(&s->config);
	EXPECT(one >= none + (RX_PACKETS + net_shared_packets(1)) * 4096 /
				      (1 << 20)); /* a receive and a transmit pool */
	EXPECT_EQ(2 * (one - none), two - none);
	EXPECT(tap >= two + 2 * (RX_PACKETS + 1536) * 4096 / (1 << 20));
	s->config.tcp.send_packets.value = 16384; /* a page each, of each worker */
	EXPECT_EQ(tap + 2 * 64, eal_arguments_mib(&s->config));
	free(s);
}

/* A packet of 9000 bytes takes three pages of 4 KiB; every worker's own pools have room for it too.
 */
TEST(eal_arguments, memory_grows_with_the_mtu)
{
	struct scene *s = scene_new(0);
	uint64_t usual, jumbo;

	scene_core(s, 1);
	scene_core(s, 2);
	scene_device(s, "tap:wic0");
	scene_device(s, "net_ring0");
	usual = eal_arguments_mib(&s->config);
	s->port[0].mtu.value = 1500;
	EXPECT_EQ(usual, eal_arguments_mib(&s->config));
	s->port[0].mtu.value = 9000;
	jumbo = eal_arguments_mib(&s->config);
	EXPECT_EQ(usual + 2 * 2 * (RX_PACKETS + net_shared_packets(2) + net_shared_handed(8192)) *
				  4096 / (1 << 20),
		  jumbo);
	free(s);
}

TEST(eal_arguments, words_of_the_operator_come_last_and_overrule_the_memory)
{
	struct scene *s = scene_new(MANY);
	const struct eal_arguments *a;

	scene_device(s, "net_bonding0,mode=1,slave=net_ring0");
	scene_word(s, "--vdev=net_ring0");
	scene_word(s, "--huge-dir=/mnt/huge");
	a = scene_make(s);
	EXPECT_EQ(a->count - 1, place(a, "--huge-dir=/mnt/huge"));
	EXPECT_EQ(a->count - 2, place(a, "--vdev=net_ring0"));
	EXPECT(!has(a, "--in-memory"));
	EXPECT(!has(a, "--no-huge"));
	free(s);
}

TEST(eal_arguments, a_device_that_the_operator_allows_has_the_bus_probed)
{
	struct scene *s = scene_new(MANY);
	const struct eal_arguments *a;

	scene_device(s, "net_bonding0,mode=1,slave=0000:3b:00.0");
	scene_word(s, "-a");
	scene_word(s, "0000:3b:00.0");
	a = scene_make(s);
	EXPECT(!has(a, "--no-pci"));
	free(s);
}

TEST(eal_arguments, control_has_every_processor_that_no_worker_has)
{
	struct scene *s = scene_new(MANY);
	const struct eal_arguments *a;

	scene_device(s, "kernel");
	scene_core(s, 1);
	scene_core(s, 3);
	a = scene_make(s);
	EXPECT(has(a, "--lcores=0@(0,2),1@1,2@3"));
	EXPECT(has(a, "--main-lcore=0"));
	free(s);
}

TEST(eal_arguments, control_shares_all_processors_when_workers_have_each)
{
	struct scene *s = scene_new(MANY);
	const struct eal_arguments *a;

	scene_device(s, "kernel");
	for (uint64_t core = 0; core < 4; core++)
		scene_core(s, core);
	a = scene_make(s);
	EXPECT(has(a, "--lcores=0@(0,1,2,3),1@0,2@1,3@2,4@3"));
	free(s);
}

TEST(eal_arguments, more_words_than_fit_are_noticed)
{
	struct scene *s = scene_new(MANY);

	scene_core(s, 1);
	scene_device(s, "kernel");
	for (int i = 0; i < 130; i++)
		scene_word(s, "-v");
	eal_arguments_make(&s->config, &s->host, &s->made);
	EXPECT(s->made.full);
	free(s);
}

TEST_MAIN("eal_arguments", RUN(eal_arguments, kernel_and_tap_ports_give_eal_no_device),
	  RUN(eal_arguments, a_pci_address_is_allowed_with_its_arguments_and_the_bus_is_probed),
	  RUN(eal_arguments, a_vdev_with_a_colon_in_its_arguments_is_still_a_vdev),
	  RUN(eal_arguments, af_xdp_never_busy_polls_unless_it_is_told_to),
	  RUN(eal_arguments, huge_pages_are_taken_when_they_suffice),
	  RUN(eal_arguments, one_byte_of_huge_pages_too_few_is_no_huge_pages),
	  RUN(eal_arguments, memory_grows_with_packet_ports_and_workers),
	  RUN(eal_arguments, memory_grows_with_the_mtu),
	  RUN(eal_arguments, words_of_the_operator_come_last_and_overrule_the_memory),
	  RUN(eal_arguments, a_device_that_the_operator_allows_has_the_bus_probed),
	  RUN(eal_arguments, control_has_every_processor_that_no_worker_has),
	  RUN(eal_arguments, control_shares_all_processors_when_workers_have_each),
	  RUN(eal_arguments, more_words_than_fit_are_noticed))
