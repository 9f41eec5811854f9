/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "libssl.h"

/* Certificates between a peer's and the one that is trusted: each costs a signature. */
#define ISSUERS_MAX 8
/* Of the longest list of ciphers or groups. */
#define LIST_MAX 1024
/* 112 bits: no RSA key below 2048, no SHA-1 signature. */
#define SECURITY_LEVEL 2

static enum gw_err settings_refuse(struct tls_fault *fault, int of, struct span name,
				   const char *why)
{
	fault->of = of;
	snprintf(fault->why, sizeof(fault->why), "\"%.*s\": %s", (int)name.len, name.at, why);
	ERR_clear_error();
	return GW_CONFIG;
}

/* ---- ciphers -------------------------------------------------------------------------------- */

static bool is_tls_1_3(struct span name)
{
	return span_starts(name, SPAN("TLS_"));
}

/** The next name of a list "a:b:c". */
static bool list_next(struct span *list, struct span *name)
{
	uint32_t colon = span_find(*list, ':');

	if (list->len == 0)
		return false;
	(void)span_take(list, colon < list->len ? colon : list->len, name);
	(void)span_skip(list, 1);
	return true;
}

/** The names of one version, as libssl wants them. */
static void list_of(struct span list, bool tls_1_3, char only[LIST_MAX])
{
	struct span name;
	int len = 0;

	only[0] = '\0';
	while (list_next(&list, &name))
		if (is_tls_1_3(name) == tls_1_3)
			len += snprintf(only + len, LIST_MAX - (size_t)len, "%s%.*s",
					len > 0 ? ":" : "", (int)name.len, name.at);
}

static const SSL_CIPHER *cipher_named(const SSL_CTX *ctx, struct span name)
{
	STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);

	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
		if (span_equal(span_text(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i))), name))
			return sk_SSL_CIPHER_value(all, i);
	return NULL;
}

/* libssl skips names that it does not know, and takes words for whole families: neither here. */
static enum gw_err ciphers_check(const SSL_CTX *ctx, struct span list, struct tls_fault *fault)
{
	const SSL_CIPHER *cipher;
	struct span name;

	while (list_next(&list, &name)) {
		cipher = cipher_named(ctx, name);
		if (cipher == NULL)
			return settings_refuse(fault, TLS_FAULT_CIPHERS, name, "no such cipher");
		if (!is_tls_1_3(name) && (SSL_CIPHER_get_kx_nid(cipher) != NID_kx_ecdhe ||
					  SSL_CIPHER_is_aead(cipher) != 1))
			return settings_refuse(fault, TLS_FAULT_CIPHERS, name,
					       "not ECDHE with an AEAD cipher");
	}
	return GW_OK;
}

static enum gw_err settings_ciphers(SSL_CTX *ctx, const struct tls_config *config,
				    struct tls_fault *fault)
{
	struct span list =
		span_text(config->ciphers == NULL ? TLS_CIPHERS_DEFAULT : config->ciphers);
	char older[LIST_MAX], newer[LIST_MAX];

	if (list.len >= LIST_MAX)
		return settings_refuse(fault, TLS_FAULT_CIPHERS, span_cut(list, 0, 20), "too long");
	list_of(list, false, older);
	list_of(list, true, newer);
	if (newer[0] == '\0')
		return settings_refuse(fault, TLS_FAULT_CIPHERS, list, "none for TLS 1.3");
	if (older[0] == '\0' && config->min_version != TLS1_3_VERSION)
		return settings_refuse(fault, TLS_FAULT_CIPHERS, list, "none for TLS 1.2");
	if (SSL_CTX_set_ciphersuites(ctx, newer) != 1)
		return settings_refuse(fault, TLS_FAULT_CIPHERS, span_text(newer),
				       "no such cipher");
	if (older[0] != '\0' && SSL_CTX_set_cipher_list(ctx, older) != 1)
		return settings_refuse(fault, TLS_FAULT_CIPHERS, span_text(older),
				       "no such cipher");
	return ciphers_check(ctx, list, fault);
}

/* ---- groups and versions -------------------------------------------------------------------- */

static enum gw_err settings_groups(SSL_CTX *ctx, const struct tls_config *config,
				   struct tls_fault *fault)
{
	struct span list = span_text(config->groups == NULL ? TLS_GROUPS_DEFAULT : config->groups);
	char writable[LIST_MAX]; /* OpenSSL's macro wants it so */

	if (snprintf(writable, sizeof(writable), "%s", (const char *)list.at) < LIST_MAX &&
	    SSL_CTX_set1_groups_list(ctx, writable) == 1)
		return GW_OK;
	return settings_refuse(fault, TLS_FAULT_GROUPS, span_cut(list, 0, 64),
			       "not a list of groups");
}

static enum gw_err settings_versions(SSL_CTX *ctx, const struct tls_config *config,
				     struct tls_fault *fault)
{
	uint16_t version = config->min_version == 0 ? TLS1_2_VERSION : config->min_version;

	if (version >= TLS1_2_VERSION && version <= TLS1_3_VERSION &&
	    SSL_CTX_set_min_proto_version(ctx, version) == 1 &&
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1)
		return GW_OK;
	return settings_refuse(fault, TLS_FAULT_VERSION, SPAN("min_version"), "not TLS 1.2 or 1.3");
}

/* ---- the rest ------------------------------------------------------------------------------- */

static void settings_tickets(SSL_CTX *ctx, const struct tls_config *config)
{
	/* a session of a mutual context would let in who has lost his certificate since */
	uint8_t tickets = config->authorities.len > 0 ? 0 : config->tickets;

	SSL_CTX_set_num_tickets(ctx, tickets);
	if (tickets == 0) {
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		return;
	}
	SSL_CTX_set_timeout(ctx, (long)config->ticket_life_s);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, tls_ticket_key);
}

static void settings_tell(const SSL *ssl, const char *line)
{
	const struct tls_context *context = ((const struct tls *)SSL_get_app_data(ssl))->context;

	if (context->tell != NULL)
		context->tell(context->tell_to, span_text(line));
}

enum gw_err tls_settings_apply(SSL_CTX *ctx, const struct tls_config *config,
			       struct tls_fault *fault)
{
	enum gw_err err;

	SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (config->key_log)
		SSL_CTX_set_keylog_callback(ctx, settings_tell);
	err = settings_versions(ctx, config, fault);
	if (err == GW_OK)
		err = settings_ciphers(ctx, config, fault);
	if (err == GW_OK)
		err = settings_groups(ctx, config, fault);
	return err;
}

void tls_settings_serve(SSL_CTX *ctx, const struct tls_config *config)
{
	SSL_CTX_set_max_early_data(ctx, 0);
	SSL_CTX_set_client_hello_cb(ctx, tls_hello_host, NULL);
	SSL_CTX_set_tlsext_servername_callback(ctx, tls_hello_name);
	if (config->authorities.len == 0)
		SSL_CTX_set_alpn_select_cb(ctx, tls_hello_alpn, NULL);
	settings_tickets(ctx, config);
}

void tls_settings_demand(SSL_CTX *ctx, X509_STORE *authorities)
{
	X509_VERIFY_PARAM *rules = SSL_CTX_get0_param(ctx);

	SSL_CTX_set1_cert_store(ctx, authorities);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_verify_depth(ctx, ISSUERS_MAX);
	SSL_CTX_set_max_cert_list(ctx, TLS_FLIGHT_CHAIN_MAX);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	/* nodes have one certificate for both sides: it may say that it is for one */
	X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_ANY);
	X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
}
