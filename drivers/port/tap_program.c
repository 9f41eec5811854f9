/* SPDX-License-Identifier: BSD-3-Clause */
#include "bpf.h"
#include "tap_steer.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The steering program: the same steps as tap_steer.c, in the same order. It runs in the kernel for
 * each frame on its way to a queue and returns the queue. A load past the end of the frame returns
 * 0 by itself. The legacy packet loads are used because they also see what is not in the linear
 * part of the packet.
 */

#define IP_FRAGMENT 0x3fff
#define IPV6_HEADER 40
#define VERSION_4 4
#define VERSION_6 6

/* registers that survive a load; r6 is the context, r0 what was loaded */
#define NETWORK BPF_REG_7   /* offset of the IP header */
#define TRANSPORT BPF_REG_8 /* offset of the ports */
#define HASH BPF_REG_9

static void return_queue_0(struct bpf_program *p)
{
	bpf_alu_k(p, BPF_MOV, BPF_REG_0, 0);
	bpf_exit(p);
}

/** Goes on only when "r0 op value" is true. */
static void demand(struct bpf_program *p, uint8_t op, int32_t value)
{
	uint32_t good = bpf_jump_if(p, op, BPF_REG_0, value);

	return_queue_0(p);
	bpf_land(p, good);
}

/** r0 = the type of what follows, NETWORK = where it begins. A tag that the kernel has taken off
 * counts as one: what stands in the data then is the second. */
static void past_vlan(struct bpf_program *p)
{
	uint32_t customer, plain;

	bpf_alu_k(p, BPF_MOV, NETWORK, ETH_HLEN);
	bpf_load_abs(p, BPF_H, 12);
	customer = bpf_jump_if(p, BPF_JEQ, BPF_REG_0, ETH_P_8021Q);
	plain = bpf_jump_if(p, BPF_JNE, BPF_REG_0, ETH_P_8021AD);
	bpf_land(p, customer);
	bpf_load_context(p, BPF_REG_0, offsetof(struct __sk_buff, vlan_present));
	demand(p, BPF_JEQ, 0);
	bpf_alu_k(p, BPF_MOV, NETWORK, ETH_HLEN + 4);
	bpf_load_abs(p, BPF_H, 16);
	bpf_land(p, plain);
}

static void demand_ports(struct bpf_program *p, int32_t protocol_at)
{
	uint32_t tcp;

	bpf_load_ind(p, BPF_B, NETWORK, protocol_at);
	tcp = bpf_jump_if(p, BPF_JEQ, BPF_REG_0, IPPROTO_TCP);
	demand(p, BPF_JEQ, IPPROTO_UDP);
	bpf_land(p, tcp);
}

static void demand_version(struct bpf_program *p, int32_t version)
{
	bpf_load_ind(p, BPF_B, NETWORK, 0);
	bpf_alu_k(p, BPF_RSH, BPF_REG_0, 4);
	demand(p, BPF_JEQ, version);
}

/** Destination ports steer_base + q to queue q. */
static void steer_by_port(struct bpf_program *p, const struct tap_steer *steer)
{
	uint32_t other;

	if (steer->steer_base == 0)
		return;
	bpf_load_ind(p, BPF_H, TRANSPORT, 2);
	bpf_alu_k(p, BPF_SUB, BPF_REG_0, steer->steer_base);
	other = bpf_jump_if(p, BPF_JGE, BPF_REG_0,
			    steer->queues); /* unsigned: below the base too */
	bpf_exit(p);
	bpf_land(p, other);
}

static uint32_t key_word(const uint8_t *key)
{
	return (uint32_t)key[0] << 24 | key[1] << 16 | key[2] << 8 | key[3];
}

/** The 32 bits of the key that begin at its bit. */
static uint32_t key_window(const uint8_t *key, uint32_t bit)
{
	return bit == 0 ? key_word(key) : key_word(key) << bit | key_word(key + 4) >> (32 - bit);
}

/** HASH ^= the Toeplitz sum of the word at base + offset: each bit of the word times the bit's
 * window of the key. No branch, and no mask made by an arithmetic shift either: the verifier
 * follows both values of such a mask, for every bit anew, and gives up. */
static void hash_word(struct bpf_program *p, uint8_t base, int32_t offset, const uint8_t *key)
{
	bpf_load_ind(p, BPF_W, base, offset);
	for (uint32_t bit = 0; bit < 32; bit++) {
		bpf_alu_x(p, BPF_MOV, BPF_REG_1, BPF_REG_0);
		bpf_alu_k(p, BPF_RSH, BPF_REG_1, (int32_t)(31 - bit));
		bpf_alu_k(p, BPF_AND, BPF_REG_1, 1);
		bpf_alu_k(p, BPF_MUL, BPF_REG_1, (int32_t)key_window(key, bit));
		bpf_alu_x(p, BPF_XOR, HASH, BPF_REG_1);
	}
}

/** Both addresses, words of them from NETWORK + addresses_at on, then the ports. */
static void steer_by_hash(struct bpf_program *p, const struct tap_steer *steer,
			  int32_t addresses_at, int32_t words)
{
	bpf_alu_k(p, BPF_MOV, HASH, 0);
	for (int32_t i = 0; i < words; i++)
		hash_word(p, NETWORK, addresses_at + 4 * i, steer->key + 4 * i);
	hash_word(p, TRANSPORT, 0, steer->key + 4 * words);
	bpf_alu_k(p, BPF_AND, HASH, TAP_STEER_ROWS - 1);
	bpf_alu_k(p, BPF_MOD, HASH, steer->queues);
	bpf_alu_x(p, BPF_MOV, BPF_REG_0, HASH);
	bpf_exit(p);
}

static void steer_v4(struct bpf_program *p, const struct tap_steer *steer)
{
	demand_version(p, VERSION_4);
	bpf_load_ind(p, BPF_H, NETWORK, 6);
	bpf_alu_k(p, BPF_AND, BPF_REG_0, IP_FRAGMENT);
	demand(p, BPF_JEQ, 0);
	demand_ports(p, 9);
	bpf_load_ind(p, BPF_B, NETWORK, 0);
	bpf_alu_k(p, BPF_AND, BPF_REG_0, 15);
	demand(p, BPF_JGE, 5);
	bpf_alu_k(p, BPF_LSH, BPF_REG_0, 2);
	bpf_alu_x(p, BPF_MOV, TRANSPORT, BPF_REG_0);
	bpf_alu_x(p, BPF_ADD, TRANSPORT, NETWORK);
	steer_by_port(p, steer);
	steer_by_hash(p, steer, 12, 2);
}

static void steer_v6(struct bpf_program *p, const struct tap_steer *steer)
{
	demand_version(p, VERSION_6);
	demand_ports(p, 6);
	bpf_alu_x(p, BPF_MOV, TRANSPORT, NETWORK);
	bpf_alu_k(p, BPF_ADD, TRANSPORT, IPV6_HEADER);
	steer_by_port(p, steer);
	steer_by_hash(p, steer, 8, 8);
}

static void write_program(struct bpf_program *p, const struct tap_steer *steer)
{
	uint32_t not_v4;

	p->count = 0;
	bpf_alu_x(p, BPF_MOV, BPF_REG_6, BPF_REG_1);
	past_vlan(p);
	not_v4 = bpf_jump_if(p, BPF_JNE, BPF_REG_0, ETH_P_IP);
	steer_v4(p, steer);
	bpf_land(p, not_v4);
	demand(p, BPF_JEQ, ETH_P_IPV6);
	steer_v6(p, steer);
}

int tap_steer_load(const struct tap_steer *steer)
{
	struct bpf_program *program = malloc(sizeof(*program));
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .prog_name = "wicgate"};
	int fd = -1;

	if (program == NULL)
		return -1;
	write_program(program, steer);
	load.insns = (uintptr_t)program->at;
	load.insn_cnt = program->count;
	load.license = (uintptr_t) "BSD";
	if (bpf_fits(program))
		fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	else
		errno = E2BIG;
	free(program);
	return fd;
}
