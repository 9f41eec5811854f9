/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/stack.h"

#include <pcap/pcap.h>
#include <stdlib.h>

/*
 * Frames that an operator wants to see: libpcap's program over each frame, in and out. The copy
 * goes to control by the mailbox, bounded, and the packet goes its way.
 */

_Static_assert(sizeof(struct capture_insn) == sizeof(struct bpf_insn), "one is the other");

static const struct bpf_insn *mirror_program(const struct capture_filter *filter)
{
	return (const struct bpf_insn *)(const void *)filter->insn;
}

/**
 * Instructions that bpf_filter() knows: bpf_validate() lets others of their classes through, at
 * which it then aborts the process.
 */
static bool is_known(uint16_t code)
{
	switch (code) {
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
	case BPF_LD | BPF_H | BPF_IND:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_MSH | BPF_B:
	case BPF_LDX | BPF_IMM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
	case BPF_ALU | BPF_NEG:
	case BPF_JMP | BPF_JA:
		return true;
	case BPF_ALU | BPF_NEG | BPF_X:
	case BPF_JMP | BPF_JA | BPF_X:
		return false;
	default:
		/* else arithmetic and jumps, with a constant or X; bpf_validate() looks which */
		code &= (uint16_t) ~(0xf0 | BPF_X);
		return code == BPF_ALU || code == BPF_JMP;
	}
}

/** Without loops: bpf_validate() takes a jump back for one that wraps around. */
static bool is_program(const struct capture_filter *filter)
{
	if (filter->count > CAPTURE_INSNS_MAX)
		return false;
	for (uint32_t i = 0; i < filter->count; i++) {
		const struct capture_insn *insn = &filter->insn[i];

		if (!is_known(insn->code))
			return false;
		if (insn->code == (BPF_JMP | BPF_JA) && insn->k >= filter->count)
			return false;
	}
	return filter->count == 0 || bpf_validate(mirror_program(filter), (int)filter->count) != 0;
}

enum gw_err stack_capture(struct stack *stack, const struct capture_filter *filter)
{
	struct capture_filter *copy;

	if (filter != NULL && !is_program(filter))
		return GW_CONFIG;
	free(stack->filter); /* an operator's command, not a packet's: the one allocation */
	stack->filter = NULL;
	if (filter == NULL)
		return GW_OK;
	copy = malloc(sizeof(*copy));
	if (copy == NULL)
		return GW_NO_MEMORY;
	*copy = *filter;
	stack->filter = copy;
	return GW_OK;
}

void mirror_frame(struct stack *stack, const struct stack_netif *nif, struct span frame,
		  enum mirror_direction direction)
{
	const struct capture_filter *filter = stack->filter;
	struct captured captured = {.netif = nif->index,
				    .sent = direction == MIRROR_SENT,
				    .len = frame.len};

	if (filter == NULL)
		return;
	if (filter->count > 0 &&
	    bpf_filter(mirror_program(filter), frame.at, frame.len, frame.len) == 0)
		return;
	stack->config.events->captured(stack->config.context, &captured,
				       span_cut(frame, 0, filter->snap));
}
