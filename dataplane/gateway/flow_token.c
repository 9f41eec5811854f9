/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base64url.h"
#include "gateway.h"

#define MAC_LEN 16
#define SIGNED_LEN 16
#define TOKEN_BYTES (SIGNED_LEN + MAC_LEN)
#define TOKEN_PREFIX SPAN("Ft1.")

static void flow_mac(const struct flow_key *key, const uint8_t *fields, uint8_t mac[MAC_LEN])
{
	uint8_t full[EVP_MAX_MD_SIZE];

	HMAC(EVP_sha256(), key->secret, sizeof(key->secret), fields, SIGNED_LEN, full, NULL);
	memcpy(mac, full, MAC_LEN);
}

void flow_token_write(const struct config_part *config, struct handle flow, struct writer *out)
{
	uint8_t bytes[TOKEN_BYTES];
	struct writer fields;

	writer_init(&fields, bytes, SIGNED_LEN);
	writer_u32_be(&fields, config->node_id);
	writer_u8(&fields, config->flow_key[0].id);
	writer_u8(&fields, FLOW_CONNECTION);
	writer_u16_be(&fields, flow.worker);
	writer_u32_be(&fields, flow.slot);
	writer_u32_be(&fields, flow.generation);
	flow_mac(&config->flow_key[0], bytes, bytes + SIGNED_LEN);
	writer_put(out, TOKEN_PREFIX);
	base64url_write(out, span_of(bytes, TOKEN_BYTES));
}

static const struct flow_key *flow_key_find(const struct config_part *config, uint8_t id)
{
	for (uint32_t i = 0; i < config->flow_key_count; i++)
		if (config->flow_key[i].id == id)
			return &config->flow_key[i];
	return NULL;
}

/** The fields after node and key: kind, worker, slot, generation. */
static bool flow_fields(struct span in, struct handle *flow)
{
	uint8_t kind;
	struct span b;

	if (!span_u8(&in, &kind) || kind != FLOW_CONNECTION || !span_take(&in, 10, &b))
		return false;
	*flow = (struct handle){
		.worker = (uint16_t)(b.at[0] << 8 | b.at[1]),
		.slot = (uint32_t)b.at[2] << 24 | (uint32_t)b.at[3] << 16 | (uint32_t)b.at[4] << 8 |
			b.at[5],
		.generation = (uint32_t)b.at[6] << 24 | (uint32_t)b.at[7] << 16 |
			      (uint32_t)b.at[8] << 8 | b.at[9],
	};
	return true;
}

enum gw_err flow_token_read(const struct config_part *config, struct span text, struct handle *flow)
{
	uint8_t bytes[TOKEN_BYTES], mac[MAC_LEN];
	const struct flow_key *key;
	struct span in;
	uint32_t len;

	if (text.len != FLOW_TOKEN_LEN || !span_starts(text, TOKEN_PREFIX))
		return GW_FLOW_FORGED;
	if (base64url_read(span_from(text, TOKEN_PREFIX.len), bytes, sizeof(bytes), &len) !=
		    BASE64URL_OK ||
	    len != TOKEN_BYTES)
		return GW_FLOW_FORGED;
	in = span_of(bytes, SIGNED_LEN);
	if (((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	     bytes[3]) != config->node_id)
		return GW_FLOW_FORGED;
	key = flow_key_find(config, bytes[4]);
	if (key == NULL)
		return GW_FLOW_GONE; /* our node, a key of before: 430 (PROTOCOL 10.1) */
	flow_mac(key, bytes, mac);
	if (CRYPTO_memcmp(mac, bytes + SIGNED_LEN, MAC_LEN) != 0)
		return GW_FLOW_FORGED;
	return flow_fields(span_from(in, 5), flow) ? GW_OK : GW_FLOW_FORGED;
}
