/* SPDX-License-Identifier: BSD-3-Clause */
#include "context.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "bio.h"

#define GROUPS_DEFAULT "X25519:P-256"
/* TLS 1.2, where it is allowed: forward secrecy and AEAD only. */
#define CIPHERS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"

const char *tls_context_reason(void)
{
	unsigned long code = ERR_peek_error();
	const char *reason;

	if (ERR_SYSTEM_ERROR(code))
		reason = strerrordesc_np(ERR_GET_REASON(code));
	else
		reason = ERR_reason_error_string(code);
	ERR_clear_error();
	return reason == NULL ? "unknown error" : reason;
}

static enum gw_err context_refuse(char *why, uint32_t why_len, const char *what, const char *name)
{
	snprintf(why, why_len, "%s %s: %s", what, name, tls_context_reason());
	return GW_CONFIG;
}

/* A key with a pass phrase is refused; the default would ask at the terminal. */
static int context_no_phrase(char *to, int room, int writing, void *unused)
{
	return -1;
}

/* RFC 7301 section 3.2: a client that offers ALPN without our protocol gets a fatal alert. */
static int context_alpn(SSL *ssl, const uint8_t **chosen, uint8_t *chosen_len, const uint8_t *offer,
			unsigned int offer_len, void *unused)
{
	static const uint8_t ours[] = "\x08http/1.1";
	uint8_t *match;

	if (SSL_select_next_proto(&match, chosen_len, ours, sizeof(ours) - 1, offer, offer_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*chosen = match;
	return SSL_TLSEXT_ERR_OK;
}

/* PROTOCOL 2.1: an unknown server name ends in a fatal alert. Known is what the certificate says.
 */
static int context_server_name(SSL *ssl, int *alert, void *unused)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	if (name == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	if (X509_check_host(SSL_get_certificate(ssl), name, 0, 0, NULL) == 1)
		return SSL_TLSEXT_ERR_OK;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool context_versions(SSL_CTX *ctx, uint16_t min_version)
{
	if (min_version == 0)
		min_version = TLS1_3_VERSION;
	return min_version >= TLS1_2_VERSION && min_version <= TLS1_3_VERSION &&
	       SSL_CTX_set_min_proto_version(ctx, min_version) &&
	       SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION);
}

/* OpenSSL's macro wants the list writable. */
static bool context_groups(SSL_CTX *ctx, const char *groups)
{
	char list[256];

	return snprintf(list, sizeof(list), "%s", groups) < (int)sizeof(list) &&
	       SSL_CTX_set1_groups_list(ctx, list);
}

static void context_set_modes(SSL_CTX *ctx)
{
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(ctx,
			    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_max_early_data(ctx, 0);
	SSL_CTX_set_default_passwd_cb(ctx, context_no_phrase);
	SSL_CTX_set_alpn_select_cb(ctx, context_alpn, NULL);
	SSL_CTX_set_tlsext_servername_callback(ctx, context_server_name);
}

static enum gw_err context_configure(SSL_CTX *ctx, const struct tls_config *config, char *why,
				     uint32_t why_len)
{
	const char *groups = config->groups == NULL ? GROUPS_DEFAULT : config->groups;

	context_set_modes(ctx);
	if (!context_versions(ctx, config->min_version)) {
		snprintf(why, why_len, "TLS version %#x: not 0x303 or 0x304", config->min_version);
		return GW_CONFIG;
	}
	if (!SSL_CTX_set_cipher_list(ctx, CIPHERS_1_2))
		return context_refuse(why, why_len, "ciphers", CIPHERS_1_2);
	if (!context_groups(ctx, groups))
		return context_refuse(why, why_len, "groups", groups);
	if (SSL_CTX_use_certificate_chain_file(ctx, config->certificate) != 1)
		return context_refuse(why, why_len, "certificate", config->certificate);
	if (SSL_CTX_use_PrivateKey_file(ctx, config->key, SSL_FILETYPE_PEM) != 1)
		return context_refuse(why, why_len, "key", config->key);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return context_refuse(why, why_len, "key", config->key);
	return GW_OK;
}

static void context_destroy(struct tls_context *context)
{
	SSL_CTX_free(context->ctx);
	BIO_meth_free(context->method);
	if (context->lib != NULL)
		OPENSSL_thread_stop_ex(context->lib);
	OSSL_LIB_CTX_free(context->lib);
	free(context);
}

enum gw_err tls_context_new(const struct tls_config *config, char *why, uint32_t why_len,
			    struct tls_context **made)
{
	struct tls_context *context = calloc(1, sizeof(*context));
	enum gw_err err = GW_NO_MEMORY;

	if (context == NULL)
		return GW_NO_MEMORY;
	ERR_clear_error();
	context->method = tls_bio_method_new();
	context->lib = OSSL_LIB_CTX_new();
	if (context->method == NULL || context->lib == NULL)
		goto destroy;
	context->ctx = SSL_CTX_new_ex(context->lib, NULL, TLS_server_method());
	if (context->ctx == NULL)
		goto destroy;
	err = context_configure(context->ctx, config, why, why_len);
	if (err != GW_OK)
		goto destroy;
	/* What this thread holds in lib must not outlive lib: the worker makes its own. */
	OPENSSL_thread_stop_ex(context->lib);
	*made = context;
	return GW_OK;

destroy:
	context_destroy(context);
	ERR_clear_error();
	return err;
}

void tls_context_free(struct tls_context *context)
{
	if (context == NULL)
		return;
	context->abandoned = true;
	if (context->connections == 0)
		context_destroy(context);
}

void tls_context_put(struct tls_context *context)
{
	context->connections--;
	if (context->abandoned && context->connections == 0)
		context_destroy(context);
}
