/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/wire.h"

/* Writing the headers of both versions. */

#define IP4_VERSION_IHL 0x45 /* no options */
#define IP4_DONT_FRAGMENT 0x4000
#define IP4_MORE 0x2000
#define IP4_CHECKSUM_AT 10u
#define IP6_VERSION 0x60000000
#define IP6_MORE 0x0001

static uint16_t ip4_fragment(const struct ip_head *head)
{
	uint32_t field = head->dont_fragment ? IP4_DONT_FRAGMENT : 0;

	if (head->fragment)
		field |= (head->more ? IP4_MORE : 0) | head->offset / 8u;
	return (uint16_t)field;
}

static void ip4_write(struct writer *w, const struct ip_head *head, bool checksum)
{
	uint32_t mark = writer_len(w);

	writer_u8(w, IP4_VERSION_IHL);
	writer_u8(w, 0);
	writer_u16_be(w, (uint16_t)(IP4_LEN + head->payload_len));
	writer_u16_be(w, (uint16_t)head->id);
	writer_u16_be(w, ip4_fragment(head));
	writer_u8(w, head->hop_limit);
	writer_u8(w, head->protocol);
	writer_u16_be(w, 0);
	writer_bytes(w, ip_address_v4_bytes(&head->src), 4);
	writer_bytes(w, ip_address_v4_bytes(&head->dst), 4);
	if (checksum)
		writer_patch_u16_be(w, mark + IP4_CHECKSUM_AT,
				    checksum_fold(checksum_add(0, writer_since(w, mark))));
}

static void ip6_write_fragment(struct writer *w, const struct ip_head *head)
{
	writer_u8(w, head->protocol);
	writer_u8(w, 0);
	writer_u16_be(w, (uint16_t)((head->offset & ~7u) | (head->more ? IP6_MORE : 0)));
	writer_u32_be(w, head->id);
}

static void ip6_write(struct writer *w, const struct ip_head *head)
{
	writer_u32_be(w, IP6_VERSION);
	writer_u16_be(w, (uint16_t)(ip_head_len(head) - IP6_LEN + head->payload_len));
	writer_u8(w, head->fragment ? IPPROTO_FRAGMENT : head->protocol);
	writer_u8(w, head->hop_limit);
	writer_bytes(w, head->src.bytes, sizeof(head->src.bytes));
	writer_bytes(w, head->dst.bytes, sizeof(head->dst.bytes));
	if (head->fragment)
		ip6_write_fragment(w, head);
}

/* What the length field counts: IPv4 its header too, IPv6 the fragment header only. */
static bool fits(const struct ip_head *head)
{
	uint32_t counted = ip_head_len(head) - (ip_address_is_v4(&head->src) ? 0 : IP6_LEN);

	return head->payload_len <= UINT16_MAX - counted;
}

void ip_write(struct writer *w, const struct ip_head *head, bool checksum)
{
	if (!fits(head)) {
		w->full = true;
		return;
	}
	if (ip_address_is_v4(&head->src))
		ip4_write(w, head, checksum);
	else
		ip6_write(w, head);
}

uint32_t ip_head_len(const struct ip_head *head)
{
	if (ip_address_is_v4(&head->src))
		return IP4_LEN;
	return IP6_LEN + (head->fragment ? IP6_FRAGMENT_LEN : 0);
}
