/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/wire.h"

bool l4_ports(struct span l4, uint16_t *src_port, uint16_t *dst_port)
{
	return span_u16_be(&l4, src_port) && span_u16_be(&l4, dst_port);
}

static bool sum_right(const struct ip_packet *packet, struct span datagram)
{
	uint64_t sum = checksum_pseudo(&packet->src, &packet->dst, IPPROTO_UDP, datagram.len);

	return checksum_fold(checksum_add(sum, datagram)) == 0;
}

/* field 0: the sender made no checksum. IPv4 allows it, whatever the device says of it, and IPv6
 * does not: nor do devices all see that it is missing. */
static bool sum_accepted(const struct ip_packet *packet, enum packet_checksum checksum,
			 uint16_t field, struct span datagram)
{
	if (field == 0)
		return !packet->v6;
	if (checksum != PACKET_CHECKSUM_UNKNOWN)
		return checksum_accept(checksum, 0);
	return sum_right(packet, datagram);
}

struct udp_packet udp_read(const struct ip_packet *packet, enum packet_checksum checksum)
{
	struct udp_packet udp = {.err = GW_UDP};
	struct span rest = packet->payload;
	uint16_t len, field;
	struct span datagram;

	if (packet->fragment || packet->protocol != IPPROTO_UDP)
		return udp;
	if (!span_u16_be(&rest, &udp.src_port) || !span_u16_be(&rest, &udp.dst_port) ||
	    !span_u16_be(&rest, &len) || !span_u16_be(&rest, &field))
		return udp;
	rest = packet->payload;
	if (!span_take(&rest, len, &datagram) || len < UDP_LEN)
		return udp;
	if (udp.src_port == 0 || udp.dst_port == 0)
		return udp;
	udp.payload = span_from(datagram, UDP_LEN);
	udp.err = sum_accepted(packet, checksum, field, datagram) ? GW_OK : GW_UDP_CHECKSUM;
	return udp;
}

/* RFC 768: a sum that comes out as zero is sent as the other zero, all ones. */
static uint16_t field_of(uint64_t pseudo, struct span header, struct span payload,
			 enum l4_checksum how)
{
	uint16_t folded;

	if (how == L4_CHECKSUM_PSEUDO)
		return (uint16_t)~checksum_fold(pseudo);
	folded = checksum_fold(checksum_add(checksum_add(pseudo, header), payload));
	return folded != 0 ? folded : 0xffff;
}

void udp_write(struct writer *w, const struct udp_ends *ends, struct span payload,
	       enum l4_checksum how)
{
	uint32_t mark = writer_len(w), len = UDP_LEN + payload.len;
	uint64_t pseudo;

	if (payload.len > UINT16_MAX - UDP_LEN) {
		w->full = true;
		return;
	}
	writer_u16_be(w, ends->src_port);
	writer_u16_be(w, ends->dst_port);
	writer_u16_be(w, (uint16_t)len);
	writer_u16_be(w, 0);
	pseudo = checksum_pseudo(ends->src, ends->dst, IPPROTO_UDP, len);
	writer_patch_u16_be(w, mark + UDP_LEN - 2,
			    field_of(pseudo, writer_since(w, mark), payload, how));
}
