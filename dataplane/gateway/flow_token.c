/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base64url.h"
#include "internal.h"

#define MAC_LEN 16
#define SIGNED_LEN 16
#define TOKEN_BYTES (SIGNED_LEN + MAC_LEN)
#define PREFIX_LEN 4

static struct span flow_prefix(enum flow_kind kind)
{
	if (kind == FLOW_SUBSCRIPTION)
		return SPAN("St1.");
	return kind == FLOW_HOME ? SPAN("Bt1.") : SPAN("Ft1.");
}

EVP_MAC_CTX *flow_mac_new(void)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	EVP_MAC_free(hmac); /* the context keeps it */
	if (mac == NULL || EVP_MAC_CTX_set_params(mac, params) == 1)
		return mac;
	EVP_MAC_CTX_free(mac);
	return NULL;
}

/** Of the fields and, behind them, the bound text: they have one length, so nothing is ambiguous.
 */
static bool flow_mac(const struct gateway *gw, const struct flow_key *key,
		     const uint8_t fields[SIGNED_LEN], struct span bound, uint8_t mac[MAC_LEN])
{
	uint8_t full[EVP_MAX_MD_SIZE];
	size_t len;

	if (bound.len > FLOW_BOUND_MAX ||
	    EVP_MAC_init(gw->flow_mac, key->secret, sizeof(key->secret), NULL) != 1 ||
	    EVP_MAC_update(gw->flow_mac, fields, SIGNED_LEN) != 1 ||
	    EVP_MAC_update(gw->flow_mac, bound.at, bound.len) != 1 ||
	    EVP_MAC_final(gw->flow_mac, full, &len, sizeof(full)) != 1)
		return false;
	memcpy(mac, full, MAC_LEN);
	return true;
}

void flow_token_write(const struct gateway *gw, const struct flow_token *token, struct span bound,
		      struct writer *out)
{
	const struct config_part *config = gw_config(gw);
	uint8_t bytes[TOKEN_BYTES];
	struct writer fields;

	writer_init(&fields, bytes, SIGNED_LEN);
	writer_u32_be(&fields, config->node_id);
	writer_u8(&fields, config->flow_key[0].id);
	writer_u8(&fields, (uint8_t)token->kind);
	writer_u16_be(&fields, token->handle.worker);
	writer_u32_be(&fields, token->handle.slot);
	writer_u32_be(&fields, token->handle.generation);
	if (!flow_mac(gw, &config->flow_key[0], bytes, bound, bytes + SIGNED_LEN)) {
		out->full = true;
		return;
	}
	writer_put(out, flow_prefix(token->kind));
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
static bool flow_fields(struct span in, struct flow_token *token)
{
	uint8_t kind;
	struct span b;

	if (!span_u8(&in, &kind) || kind < FLOW_CONNECTION || kind > FLOW_SUBSCRIPTION ||
	    !span_take(&in, 10, &b))
		return false;
	token->kind = kind;
	token->handle = (struct handle){
		.worker = (uint16_t)(b.at[0] << 8 | b.at[1]),
		.slot = (uint32_t)b.at[2] << 24 | (uint32_t)b.at[3] << 16 | (uint32_t)b.at[4] << 8 |
			b.at[5],
		.generation = (uint32_t)b.at[6] << 24 | (uint32_t)b.at[7] << 16 |
			      (uint32_t)b.at[8] << 8 | b.at[9],
	};
	return true;
}

/** Base64url behind one of the prefixes. */
static bool flow_bytes(struct span text, uint8_t bytes[TOKEN_BYTES])
{
	uint32_t len;

	return text.len == FLOW_TOKEN_LEN &&
	       base64url_read(span_from(text, PREFIX_LEN), bytes, TOKEN_BYTES, &len) ==
		       BASE64URL_OK &&
	       len == TOKEN_BYTES;
}

enum gw_err flow_token_read(const struct gateway *gw, struct span text, struct span bound,
			    struct flow_token *token)
{
	const struct config_part *config = gw_config(gw);
	uint8_t bytes[TOKEN_BYTES], mac[MAC_LEN];
	struct flow_token read;
	const struct flow_key *key;

	if (!flow_bytes(text, bytes))
		return GW_FLOW_FORGED;
	if (((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	     bytes[3]) != config->node_id)
		return GW_FLOW_FORGED;
	key = flow_key_find(config, bytes[4]);
	if (key == NULL)
		return GW_FLOW_GONE; /* our node, a key of before: 430 (PROTOCOL 10.1) */
	if (!flow_mac(gw, key, bytes, bound, mac) ||
	    CRYPTO_memcmp(mac, bytes + SIGNED_LEN, MAC_LEN) != 0)
		return GW_FLOW_FORGED;
	if (!flow_fields(span_from(span_of(bytes, SIGNED_LEN), 5), &read) ||
	    !span_starts(text, flow_prefix(read.kind)))
		return GW_FLOW_FORGED;
	*token = read;
	return GW_OK;
}
