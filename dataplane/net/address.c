/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/wire.h"

#define V4_PREFIX_LEN 12u
#define V4_BITS 32u
#define V6_BITS 128u

static const uint8_t v4_prefix[V4_PREFIX_LEN] = {[10] = 0xff, [11] = 0xff};

const struct ip_address ip_address_all_nodes = {{0xff, 2, [15] = 1}};

struct ip_address ip_address_v4(const uint8_t bytes[4])
{
	struct ip_address a;

	memcpy(a.bytes, v4_prefix, V4_PREFIX_LEN);
	memcpy(a.bytes + V4_PREFIX_LEN, bytes, 4);
	return a;
}

bool ip_address_take_v4(struct span *in, struct ip_address *out)
{
	struct span bytes;

	if (!span_take(in, 4, &bytes))
		return false;
	*out = ip_address_v4(bytes.at);
	return true;
}

bool ip_address_is_v4(const struct ip_address *a)
{
	return memcmp(a->bytes, v4_prefix, V4_PREFIX_LEN) == 0;
}

struct ip_address ip_address_of(const struct endpoint *e)
{
	struct ip_address a = {{0}};

	if (e->sa.sa_family == AF_INET)
		return ip_address_v4((const uint8_t *)&e->v4.sin_addr);
	if (e->sa.sa_family == AF_INET6)
		memcpy(a.bytes, &e->v6.sin6_addr, sizeof(a.bytes));
	return a;
}

struct endpoint ip_address_endpoint(const struct ip_address *a, uint16_t port)
{
	struct endpoint e;

	memset(&e, 0, sizeof(e));
	if (ip_address_is_v4(a)) {
		e.v4.sin_family = AF_INET;
		e.v4.sin_port = htons(port);
		memcpy(&e.v4.sin_addr, ip_address_v4_bytes(a), 4);
	} else {
		e.v6.sin6_family = AF_INET6;
		e.v6.sin6_port = htons(port);
		memcpy(&e.v6.sin6_addr, a->bytes, sizeof(a->bytes));
	}
	return e;
}

bool ip_address_is_group(const struct ip_address *a)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};
	const uint8_t *v4 = ip_address_v4_bytes(a);

	if (ip_address_is_v4(a))
		return (v4[0] & 0xf0) == 0xe0 || memcmp(v4, broadcast, 4) == 0;
	return a->bytes[0] == 0xff;
}

bool ip_address_is_loopback(const struct ip_address *a)
{
	static const struct ip_address v6 = {{[15] = 1}};

	if (ip_address_is_v4(a))
		return ip_address_v4_bytes(a)[0] == 127;
	return ip_address_equal(a, &v6);
}

bool ip_address_is_unspecified(const struct ip_address *a)
{
	static const struct ip_address v6 = {{0}};

	if (ip_address_is_v4(a))
		return ip_address_v4_bytes(a)[0] == 0;
	return ip_address_equal(a, &v6);
}

bool ip_address_is_link_local(const struct ip_address *a)
{
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool ip_address_in(const struct ip_address *a, const struct ip_address *prefix, uint8_t bits)
{
	bool v4 = ip_address_is_v4(a);
	uint32_t max = v4 ? V4_BITS : V6_BITS;
	uint32_t whole, rest, mask;

	if (v4 != ip_address_is_v4(prefix))
		return false;
	rest = (bits < max ? bits : max) + (V6_BITS - max);
	whole = rest / 8;
	mask = 0xff00u >> rest % 8 & 0xff;
	if (memcmp(a->bytes, prefix->bytes, whole) != 0)
		return false;
	return mask == 0 || ((a->bytes[whole] ^ prefix->bytes[whole]) & mask) == 0;
}

struct ip_address ip_address_solicited_node(const struct ip_address *a)
{
	struct ip_address node = {{0xff, 0x02, [11] = 1, [12] = 0xff}};

	memcpy(node.bytes + 13, a->bytes + 13, 3);
	return node;
}

struct ip_address ip_address_link_local(const uint8_t mac[6])
{
	struct ip_address a = {{0xfe, 0x80, [11] = 0xff, [12] = 0xfe}};

	memcpy(a.bytes + 8, mac, 3);
	memcpy(a.bytes + 13, mac + 3, 3);
	a.bytes[8] ^= 0x02; /* RFC 4291 appendix A: the universal/local bit is inverted */
	return a;
}
