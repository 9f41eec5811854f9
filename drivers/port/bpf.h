/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BPF_H
#define BPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

/**
 * A small assembler of eBPF: one function an instruction, forward jumps by the number of the
 * jump. Names are the kernel's, bpf-docs' "instruction set": K is an immediate, X a register.
 */
#define BPF_PROGRAM_MAX 4096u

struct bpf_program {
	struct bpf_insn at[BPF_PROGRAM_MAX];
	uint32_t count; /* past the end: it did not fit, see bpf_fits() */
};

static inline bool bpf_fits(const struct bpf_program *p)
{
	return p->count <= BPF_PROGRAM_MAX;
}

static inline uint32_t bpf_emit(struct bpf_program *p, struct bpf_insn insn)
{
	if (p->count < BPF_PROGRAM_MAX)
		p->at[p->count] = insn;
	return p->count++;
}

/** to = value, to &= value, ...: op is BPF_MOV, BPF_AND, ... */
static inline void bpf_alu_k(struct bpf_program *p, uint8_t op, uint8_t to, int32_t value)
{
	bpf_emit(p, (struct bpf_insn){.code = BPF_ALU64 | op | BPF_K, .dst_reg = to, .imm = value});
}

/** to = from, to ^= from, ... */
static inline void bpf_alu_x(struct bpf_program *p, uint8_t op, uint8_t to, uint8_t from)
{
	bpf_emit(p,
		 (struct bpf_insn){.code = BPF_ALU64 | op | BPF_X, .dst_reg = to, .src_reg = from});
}

/** r0 = the BPF_B, BPF_H or BPF_W of the packet at offset, in host order; the program returns 0
 * when the packet ends before. r6 is the context; r1 to r5 are lost. */
static inline void bpf_load_abs(struct bpf_program *p, uint8_t size, int32_t offset)
{
	bpf_emit(p, (struct bpf_insn){.code = BPF_LD | BPF_ABS | size, .imm = offset});
}

/** The same at base + offset. */
static inline void bpf_load_ind(struct bpf_program *p, uint8_t size, uint8_t base, int32_t offset)
{
	bpf_emit(p, (struct bpf_insn){.code = BPF_LD | BPF_IND | size,
				      .src_reg = base,
				      .imm = offset});
}

/** to = the 32-bit field of the context (r6) at offset. */
static inline void bpf_load_context(struct bpf_program *p, uint8_t to, size_t offset)
{
	bpf_emit(p, (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W,
				      .dst_reg = to,
				      .src_reg = BPF_REG_6,
				      .off = (int16_t)offset});
}

/** Jumps forward when "left op value" is true, op BPF_JEQ, BPF_JNE, BPF_JLT, ...; to where
 * bpf_land() is called for the number returned. */
static inline uint32_t bpf_jump_if(struct bpf_program *p, uint8_t op, uint8_t left, int32_t value)
{
	return bpf_emit(p, (struct bpf_insn){.code = BPF_JMP | op | BPF_K,
					     .dst_reg = left,
					     .imm = value});
}

static inline void bpf_land(struct bpf_program *p, uint32_t jump)
{
	if (jump < BPF_PROGRAM_MAX)
		p->at[jump].off = (int16_t)(p->count - jump - 1);
}

/** Returns r0. */
static inline void bpf_exit(struct bpf_program *p)
{
	bpf_emit(p, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
}

#endif
