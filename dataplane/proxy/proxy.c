/* SPDX-License-Identifier: BSD-3-Clause */
#include "proxy/proxy.h"

/* doc/proxy-protocol.txt, section 2.2 */
#define SIGNATURE SPAN("\r\n\r\n\0\r\nQUIT\n")
#define HEAD_LEN 16 /* signature, version and command, family, length */
#define VERSION_LOCAL 0x20
#define VERSION_PROXY 0x21
#define FAMILY_TCP4 0x11
#define FAMILY_TCP6 0x21
#define TLV_CRC32C 0x03 /* section 2.2.3 */
#define CRC32C_LEN 4
#define CRC32C_REFLECTED 0x82F63B78u /* RFC 4960 appendix B: polynomial 0x1EDC6F41 */

/* What is there of the signature. */
static bool signature_begins(struct span in)
{
	struct span there = span_cut(in, 0, SIGNATURE.len);

	return span_equal(there, span_cut(SIGNATURE, 0, there.len));
}

static uint32_t crc32c_add(uint32_t crc, struct span bytes)
{
	for (uint32_t i = 0; i < bytes.len; i++) {
		crc ^= bytes.at[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? CRC32C_REFLECTED : 0);
	}
	return crc;
}

/* Of the whole header, its checksum field taken as zeros. */
static bool crc32c_holds(struct span header, struct span field)
{
	uint32_t at = (uint32_t)(field.at - header.at), sent, crc;

	crc = crc32c_add(UINT32_MAX, span_cut(header, 0, at));
	crc = crc32c_add(crc, SPAN("\0\0\0\0"));
	crc = ~crc32c_add(crc, span_from(header, at + CRC32C_LEN));
	return span_u32_be(&field, &sent) && sent == crc;
}

static bool tlv_take(struct span *rest, uint8_t *type, struct span *value)
{
	uint16_t len;

	return span_u8(rest, type) && span_u16_be(rest, &len) && span_take(rest, len, value);
}

static bool tlvs_hold(struct span header, struct span rest)
{
	bool checked = false;
	struct span value;
	uint8_t type;

	while (rest.len > 0) {
		if (!tlv_take(&rest, &type, &value))
			return false;
		if (type != TLV_CRC32C)
			continue;
		if (checked || value.len != CRC32C_LEN || !crc32c_holds(header, value))
			return false;
		checked = true;
	}
	return true;
}

/* Source and destination address, then source and destination port. */
static bool client_read(uint8_t family, struct span *block, struct endpoint *client)
{
	uint16_t port;

	memset(client, 0, sizeof(*client));
	if (family == FAMILY_TCP4) {
		client->sa.sa_family = AF_INET;
		if (!span_copy(block, &client->v4.sin_addr, 4) || !span_skip(block, 4))
			return false;
	} else if (family == FAMILY_TCP6) {
		client->sa.sa_family = AF_INET6;
		if (!span_copy(block, &client->v6.sin6_addr, 16) || !span_skip(block, 16))
			return false;
	} else {
		return false;
	}
	if (!span_u16_be(block, &port) || !span_skip(block, 2))
		return false;
	endpoint_set_port(client, port);
	return true;
}

static enum gw_err header_read(struct span in, struct proxy_header *header)
{
	struct span rest = span_from(in, SIGNATURE.len), block;
	uint8_t command, family;
	uint16_t len;

	if (!signature_begins(in))
		return GW_PROXY_HEADER;
	if (!span_u8(&rest, &command))
		return GW_AGAIN;
	if (command != VERSION_LOCAL && command != VERSION_PROXY)
		return GW_PROXY_HEADER;
	if (!span_u8(&rest, &family) || !span_u16_be(&rest, &len))
		return GW_AGAIN;
	if (len > PROXY_HEADER_MAX - HEAD_LEN)
		return GW_PROXY_HEADER; /* before waiting for what would be refused anyway */
	if (!span_take(&rest, len, &block))
		return GW_AGAIN;
	header->used = HEAD_LEN + len;
	header->local = command == VERSION_LOCAL;
	if (header->local)
		return GW_OK;
	if (!client_read(family, &block, &header->client) ||
	    !tlvs_hold(span_cut(in, 0, header->used), block))
		return GW_PROXY_HEADER;
	return GW_OK;
}

struct proxy_header proxy_read(struct span in)
{
	struct proxy_header header = {.err = GW_AGAIN};

	header.err = header_read(in, &header);
	if (header.err != GW_OK)
		return (struct proxy_header){.err = header.err};
	return header;
}
