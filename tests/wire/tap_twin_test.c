/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"
#include "port/bpf.h"
#include "tap_twin.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The steering program and its twin in C are one function. */

#define QUEUES 4

/* Random frames: whole ones, of which some bytes are something else, or the end is missing. */

static uint32_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static struct span random_frame(const struct tap_world *world, uint64_t *seed, uint8_t *bytes)
{
	struct wire_frame frame = tap_world_frame_in(world, draw(seed) & 1 ? WIRE_V6 : WIRE_V4,
						     (uint16_t)draw(seed), (uint16_t)draw(seed));
	struct writer w;

	if (draw(seed) % 4 == 0)
		frame.destination_port = TAP_STEER_BASE - 2 + draw(seed) % (QUEUES + 4);
	frame.protocol = draw(seed) & 1 ? IPPROTO_UDP : IPPROTO_TCP;
	frame.vlan = draw(seed) % 3 == 0 ? 5 : 0;
	frame.fragment = draw(seed) % 4 == 0 ? (uint16_t)draw(seed) : 0;
	writer_init(&w, bytes, WIRE_FRAME_MAX);
	wire_frame_write(&w, &frame, SPAN("payload"));
	for (uint32_t n = draw(seed) % 4; n > 0; n--)
		bytes[12 + draw(seed) % (writer_len(&w) - 12)] = (uint8_t)draw(seed);
	if (draw(seed) % 8 == 0) /* options, or a header that is too short */
		bytes[wire_frame_l3(&frame)] = (uint8_t)(0x40 | draw(seed) % 16);
	if (draw(seed) % 8 == 0)
		return span_cut(writer_span(&w), 0, 14 + draw(seed) % (writer_len(&w) - 14));
	return writer_span(&w);
}

TEST(tap_twin, agrees_with_the_kernel_on_random_frames)
{
	struct tap_world world = twin_world(QUEUES);
	struct twin_came came[QUEUES] = {0};
	int raw = kernel_raw(TAP_NAME);
	uint8_t bytes[WIRE_FRAME_MAX];
	uint64_t seed = 18;
	uint32_t sent = 0;

	for (uint32_t i = 0; i < 20000; i++) {
		struct span frame = random_frame(&world, &seed, bytes);

		if (send(raw, frame.at, frame.len, 0) == (ssize_t)frame.len)
			sent++; /* the socket refuses some: a tag that is cut */
		if (i % TWIN_CHUNK == 0)
			twin_collect(&world, came);
	}
	twin_collect(&world, came);
	EXPECT(sent > 15000);
	twin_expect(came, QUEUES, sent);
	close(raw);
	tap_world_close(&world);
}

/** What the program returns for a frame, or -1. A socket filter is run behind the Ethernet header
 * of its input: another one goes in front. */
static int run_program(int program, struct span frame)
{
	uint8_t input[14 + WIRE_FRAME_MAX] = {[12] = 0x88, [13] = 0xb5};
	union bpf_attr run = {.test = {.prog_fd = (uint32_t)program,
				       .data_in = (uintptr_t)input,
				       .data_size_in = 14 + frame.len,
				       .repeat = 1}};

	memcpy(input + 14, frame.at, frame.len);
	if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &run, sizeof(run)) != 0)
		return -1;
	return (int)run.test.retval;
}

TEST(tap_twin, agrees_with_the_program_alone)
{
	struct tap_world world = twin_world(QUEUES);
	uint8_t bytes[WIRE_FRAME_MAX];
	uint64_t seed = 20;

	for (uint16_t queues = 1; queues <= 16; queues++) {
		struct tap_steer steer = twin_of(queues);
		int program;

		steer.key[0] = (uint8_t)(queues * 31);
		steer.steer_base = queues % 3 == 0 ? 0 : TAP_STEER_BASE;
		program = tap_steer_load(&steer);
		EXPECT(program >= 0);
		for (uint32_t i = 0; i < 2000; i++) {
			struct span frame = random_frame(&world, &seed, bytes);

			EXPECT_EQ(tap_steer_queue(&steer, frame), run_program(program, frame));
		}
		close(program);
	}
	tap_world_close(&world);
}

/* A VLAN interface, or a program like this one, gives a packet a tag that is not in its bytes yet
 * when the queue is chosen. */

/** Loads a program that tags every packet with VLAN 5. */
static int load_tagger(void)
{
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_SCHED_CLS};
	struct bpf_program p = {.count = 0};

	bpf_alu_k(&p, BPF_MOV, BPF_REG_2, htons(0x8100));
	bpf_alu_k(&p, BPF_MOV, BPF_REG_3, 5);
	bpf_emit(&p, (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_skb_vlan_push});
	bpf_alu_k(&p, BPF_MOV, BPF_REG_0, 0);
	bpf_exit(&p);
	load.insns = (uintptr_t)p.at;
	load.insn_cnt = p.count;
	load.license = (uintptr_t) "BSD";
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
}

/** Puts it on the way to the interface for as long as the descriptor is open; -1: a kernel that
 * cannot. */
static int tag_all(void)
{
	int tagger = load_tagger(), link;
	union bpf_attr create = {
		.link_create = {.prog_fd = (uint32_t)tagger,
				.target_ifindex = if_nametoindex(TAP_NAME),
				.attach_type = 47 /* BPF_TCX_EGRESS, of Linux 6.6 */}};

	EXPECT(tagger >= 0);
	link = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &create, sizeof(create));
	close(tagger);
	return link;
}

static void expect_twin(struct tap_world *world, int raw, uint16_t vlan)
{
	struct twin_came came[QUEUES] = {0};

	for (uint16_t i = 0; i < 100; i++) {
		struct wire_frame frame =
			tap_world_frame_in(world, i & 1 ? WIRE_V6 : WIRE_V4, 1024 + i,
					   TAP_STEER_BASE + i % (2 * QUEUES));

		frame.vlan = vlan;
		kernel_raw_send(raw, &frame);
	}
	twin_collect(world, came);
	twin_expect(came, QUEUES, 100);
	EXPECT_EQ(vlan != 0, came[0].right == 100); /* two tags: all else */
}

TEST(tap_twin, sees_the_tag_that_the_kernel_adds_behind_the_program)
{
	struct tap_world world = twin_world(QUEUES);
	int raw = kernel_raw(TAP_NAME), tags = tag_all();

	if (tags < 0) {
		close(raw);
		tap_world_close(&world);
		skip();
	}
	expect_twin(&world, raw, 0);
	expect_twin(&world, raw, 7);
	close(tags);
	close(raw);
	tap_world_close(&world);
}

WIRE_MAIN("tap_twin", RUN(tap_twin, agrees_with_the_kernel_on_random_frames),
	  RUN(tap_twin, agrees_with_the_program_alone),
	  RUN(tap_twin, sees_the_tag_that_the_kernel_adds_behind_the_program))
