/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcpsim.h"

/* Segments as bytes, as a line of a log, and in a file that other tools read. */

#define LINKTYPE_RAW 101u

uint32_t segment_write(uint8_t *bytes, const struct ip_address *src, const struct ip_address *dst,
		       const struct tcp_packet *segment)
{
	struct ip_head head = {.src = *src,
			       .dst = *dst,
			       .protocol = 6,
			       .hop_limit = 64,
			       .payload_len = tcp_head_len(segment) + segment->payload.len,
			       .dont_fragment = true};
	struct writer w;

	writer_init(&w, bytes, SEGMENT_MAX);
	ip_write(&w, &head, true);
	tcp_write(&w, src, dst, segment, L4_CHECKSUM_WHOLE);
	writer_put(&w, segment->payload);
	return writer_ok(&w) ? writer_len(&w) : 0;
}

struct segment segment_read(struct span bytes)
{
	struct segment s = {.ip = span_at(bytes, 0) >> 4 == 4
					  ? ip4_read(bytes, PACKET_CHECKSUM_UNKNOWN)
					  : ip6_read(bytes)};

	if (s.ip.err == GW_OK && s.ip.protocol == 6 && !s.ip.fragment)
		s.tcp = tcp_read(&s.ip, PACKET_CHECKSUM_UNKNOWN);
	else
		s.tcp.err = GW_TCP;
	s.err = s.ip.err != GW_OK ? s.ip.err : s.tcp.err;
	return s;
}

static void options_log(const struct tcp_options *o)
{
	if (o->mss != 0)
		printf(" mss %u", o->mss);
	if (o->has_scale)
		printf(" scale %u", o->scale);
	if (o->sack_permitted)
		printf(" sackok");
	if (o->has_timestamps)
		printf(" ts %u/%u", o->ts_value, o->ts_echo);
	for (uint32_t i = 0; i < o->sacks; i++)
		printf(" sack %u-%u", o->sack[i].start, o->sack[i].end);
}

void segment_log(const struct world *world, const char *what, uint8_t from, struct span bytes)
{
	static const char letters[] = "FSRPAUEC";
	struct segment s = segment_read(bytes);
	char flags[9] = "";
	uint32_t n = 0;

	if (!world->verbose)
		return;
	for (uint32_t i = 0; i < 8; i++)
		if ((s.tcp.flags >> i & 1) != 0)
			flags[n++] = letters[i];
	printf("%12.6f %c %-9s", (double)world->now_us / 1e6, "AB"[from], what);
	if (s.err != GW_OK) {
		printf(" %s\n", gw_err_text(s.err));
		return;
	}
	printf(" %u>%u %-3s %u:%u(%u) ack %u win %u", s.tcp.src_port, s.tcp.dst_port, flags,
	       s.tcp.seq, s.tcp.seq + s.tcp.payload.len, s.tcp.payload.len, s.tcp.ack,
	       s.tcp.window);
	options_log(&s.tcp.options);
	printf("\n");
}

void pcap_begin(FILE *file)
{
	const uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, LINKTYPE_RAW};

	fwrite(head, sizeof(head), 1, file);
}

void pcap_packet(struct world *world, struct span bytes)
{
	const uint32_t head[4] = {(uint32_t)(world->now_us / 1000000),
				  (uint32_t)(world->now_us % 1000000), bytes.len, bytes.len};

	fwrite(head, sizeof(head), 1, world->pcap);
	fwrite(bytes.at, bytes.len, 1, world->pcap);
}
