/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "libssl.h"

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

/* ---- hosts ---------------------------------------------------------------------------------- */

static struct tls_host *context_same_names(struct tls_context *context,
					   const struct tls_names *names)
{
	for (uint32_t i = 0; i < context->hosts; i++)
		if (tls_names_equal(&context->host[i].names, names))
			return &context->host[i];
	return NULL;
}

/** An SSL_CTX for one side, without certificates. */
static enum gw_err context_side(const struct tls_context *context, const struct tls_config *config,
				const SSL_METHOD *method, struct tls_fault *fault, SSL_CTX **side)
{
	SSL_CTX *ctx = SSL_CTX_new_ex(context->lib, NULL, method);
	enum gw_err err;

	if (ctx == NULL)
		return GW_NO_MEMORY;
	err = tls_settings_apply(ctx, config, fault);
	if (err != GW_OK) {
		SSL_CTX_free(ctx);
		return err;
	}
	if (context->authorities != NULL)
		tls_settings_demand(ctx, context->authorities);
	*side = ctx;
	return GW_OK;
}

/** The host of leaf's names, made when there is none yet. */
static enum gw_err context_host(struct tls_context *context, const struct tls_config *config,
				struct tls_leaf *leaf, struct tls_fault *fault,
				struct tls_host **host)
{
	SSL_CTX *ctx;
	enum gw_err err;

	*host = context_same_names(context, &leaf->names);
	if (*host != NULL)
		return GW_OK;
	err = context_side(context, config, TLS_server_method(), fault, &ctx);
	if (err != GW_OK)
		return err;
	tls_settings_serve(ctx, config);
	*host = &context->host[context->hosts++];
	tls_host_init(*host, ctx, leaf);
	return GW_OK;
}

/** Why a certificate that fits its key is not used all the same. */
static enum gw_err context_refuse(struct tls_fault *fault, uint32_t i)
{
	bool second = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_NOT_REPLACING_CERTIFICATE;

	fault->of = TLS_FAULT_CERTIFICATE;
	fault->certificate = i;
	snprintf(fault->why, sizeof(fault->why), "certificate: %s",
		 second ? "another has the same names and kind of key" : tls_context_reason());
	ERR_clear_error();
	return GW_CONFIG;
}

static enum gw_err context_use(SSL_CTX *ctx, const struct tls_leaf *leaf, uint32_t i,
			       struct tls_fault *fault)
{
	if (SSL_CTX_use_cert_and_key(ctx, leaf->leaf, leaf->key, leaf->chain, 0) == 1)
		return GW_OK;
	return context_refuse(fault, i);
}

/** The client side, of a context that has authorities. */
static enum gw_err context_client(struct tls_context *context, const struct tls_config *config,
				  const struct tls_leaf *first, struct tls_fault *fault)
{
	enum gw_err err;

	if (context->authorities == NULL)
		return GW_OK;
	err = context_side(context, config, TLS_client_method(), fault, &context->client);
	return err == GW_OK ? context_use(context->client, first, 0, fault) : err;
}

static enum gw_err context_add(struct tls_context *context, const struct tls_config *config,
			       uint32_t i, struct tls_fault *fault)
{
	struct tls_host *host;
	struct tls_leaf leaf;
	enum gw_err err = tls_leaf_read(context->lib, config, i, &leaf, fault);

	if (err == GW_OK)
		err = context_host(context, config, &leaf, fault, &host);
	if (err == GW_OK)
		err = context_use(host->ctx, &leaf, i, fault);
	if (err == GW_OK && i == 0)
		err = context_client(context, config, &leaf, fault);
	tls_leaf_fini(&leaf);
	return err;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void context_destroy(struct tls_context *context)
{
	for (uint32_t i = 0; i < context->hosts; i++)
		tls_host_fini(&context->host[i]);
	free(context->host);
	SSL_CTX_free(context->client);
	X509_STORE_free(context->authorities);
	BIO_meth_free(context->method);
	EVP_MD_free(context->digest);
	EVP_CIPHER_free(context->ticket_cipher);
	if (context->lib != NULL)
		OPENSSL_thread_stop_ex(context->lib);
	OSSL_LIB_CTX_free(context->lib);
	free(context);
}

static enum gw_err context_open(struct tls_context *context, const struct tls_config *config)
{
	context->host = calloc(config->certificates, sizeof(*context->host));
	context->method = tls_bio_method_new();
	context->lib = OSSL_LIB_CTX_new();
	if (context->host == NULL || context->method == NULL || context->lib == NULL)
		return GW_NO_MEMORY;
	context->digest = EVP_MD_fetch(context->lib, "SHA256", NULL);
	context->ticket_cipher = EVP_CIPHER_fetch(context->lib, "AES-256-CBC", NULL);
	return context->digest != NULL && context->ticket_cipher != NULL ? GW_OK : GW_NO_MEMORY;
}

enum gw_err tls_context_new(const struct tls_config *config, struct tls_fault *fault,
			    struct tls_context **made)
{
	struct tls_context *context = calloc(1, sizeof(*context));
	enum gw_err err;

	*fault = (struct tls_fault){.why = "out of memory"};
	if (context == NULL)
		return GW_NO_MEMORY;
	ERR_clear_error();
	err = context_open(context, config);
	if (err == GW_OK && config->authorities.len > 0)
		err = tls_authorities_read(context->lib, config->authorities, &context->authorities,
					   fault);
	for (uint32_t i = 0; err == GW_OK && i < config->certificates; i++)
		err = context_add(context, config, i, fault);
	ERR_clear_error();
	if (err != GW_OK) {
		context_destroy(context);
		return err;
	}
	/* What this thread holds in lib must not outlive lib: the worker makes its own. */
	OPENSSL_thread_stop_ex(context->lib);
	*made = context;
	return GW_OK;
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
