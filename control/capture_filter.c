/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_filter.h"

#include <pcap/pcap.h>

static enum gw_err filter_take(const struct bpf_program *program, struct capture_filter *filter,
			       char *why, size_t why_size)
{
	if (program->bf_len > CAPTURE_INSNS_MAX) {
		snprintf(why, why_size, "the filter has %u instructions, at most %d are taken",
			 program->bf_len, CAPTURE_INSNS_MAX);
		return GW_CONFIG;
	}
	filter->count = program->bf_len;
	for (uint32_t i = 0; i < program->bf_len; i++) {
		const struct bpf_insn *insn = &program->bf_insns[i];

		filter->insn[i] = (struct capture_insn){insn->code, insn->jt, insn->jf, insn->k};
	}
	return GW_OK;
}

enum gw_err capture_filter_compile(const char *text, struct capture_filter *filter, char *why,
				   size_t why_size)
{
	struct bpf_program program;
	enum gw_err err = GW_CONFIG;
	pcap_t *pcap;

	filter->count = 0;
	filter->snap = CAPTURE_SNAP;
	if (text[0] == '\0')
		return GW_OK;
	pcap = pcap_open_dead(DLT_EN10MB, CAPTURE_SNAP);
	if (pcap == NULL) {
		snprintf(why, why_size, "out of memory");
		return GW_NO_MEMORY;
	}
	if (pcap_compile(pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN) == 0) {
		err = filter_take(&program, filter, why, why_size);
		pcap_freecode(&program);
	} else {
		snprintf(why, why_size, "filter: %s", pcap_geterr(pcap));
	}
	pcap_close(pcap);
	return err;
}
