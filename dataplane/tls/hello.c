/* SPDX-License-Identifier: BSD-3-Clause */
#include "libssl.h"

/** The host name of a server_name extension (RFC 6066 section 3); empty when there is none. What
 * is malformed libssl refuses itself, a little later. */
static struct span hello_name(SSL *ssl)
{
	const uint8_t *at;
	size_t len;
	struct span extension, list, name;
	uint16_t list_len, name_len;
	uint8_t type;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &at, &len) != 1)
		return SPAN("");
	extension = span_of(at, (uint32_t)len);
	if (!span_u16_be(&extension, &list_len) || !span_take(&extension, list_len, &list) ||
	    !span_u8(&list, &type) || type != TLSEXT_NAMETYPE_host_name ||
	    !span_u16_be(&list, &name_len) || !span_take(&list, name_len, &name))
		return SPAN("");
	return name;
}

/* Which ciphers there are: of TLS 1.2 a ticket says itself which one goes on, and libssl does not
 * look whether it is still configured. */
static bool hello_digest_ciphers(EVP_MD_CTX *digest, const struct tls_host *host)
{
	STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(host->ctx);
	uint32_t id;

	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
		id = SSL_CIPHER_get_id(sk_SSL_CIPHER_value(all, i));
		if (EVP_DigestUpdate(digest, &id, sizeof(id)) != 1)
			return false;
	}
	return true;
}

static bool hello_digest(EVP_MD_CTX *digest, const struct tls_host *host, struct span name)
{
	uint8_t lower[TLS_NAME_MAX];
	uint32_t len = name.len <= sizeof(lower) ? name.len : 0;

	for (uint32_t i = 0; i < len; i++)
		lower[i] = ascii_lower(name.at[i]);
	for (uint32_t i = 0; i < host->names.count; i++) /* with the zero that ends it */
		if (EVP_DigestUpdate(digest, host->names.name[i],
				     strlen(host->names.name[i]) + 1) != 1)
			return false;
	return EVP_DigestUpdate(digest, "", 1) == 1 && EVP_DigestUpdate(digest, lower, len) == 1;
}

/**
 * A ticket opens under the name it was made for, and under a certificate for the same names (RFC
 * 6066 section 3): others fall back to a full handshake. So do both after a reload that gave the
 * name to another host or changed the ciphers, but not when a certificate was renewed.
 */
static bool hello_bind_tickets(SSL *ssl, const struct tls_context *context,
			       const struct tls_host *host, struct span name)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	uint8_t bound[SSL_MAX_SID_CTX_LENGTH];
	unsigned int len = 0;
	bool good = digest != NULL && EVP_DigestInit_ex2(digest, context->digest, NULL) == 1 &&
		    hello_digest(digest, host, name) && hello_digest_ciphers(digest, host) &&
		    EVP_DigestFinal_ex(digest, bound, &len) == 1 &&
		    SSL_set_session_id_context(ssl, bound, len) == 1;

	EVP_MD_CTX_free(digest);
	return good;
}

/* Comes before libssl looks for a session to resume, which the servername callback does not. */
int tls_hello_host(SSL *ssl, int *alert, void *unused)
{
	const struct tls *tls = SSL_get_app_data(ssl);
	const struct tls_context *context = tls->context;
	struct span name = hello_name(ssl);
	const struct tls_host *host = tls_host_find(context->host, context->hosts, name);

	if (host == NULL)
		host = &context->host[0]; /* for no name; an unknown one is refused below */
	if (host->ctx != SSL_get_SSL_CTX(ssl) && SSL_set_SSL_CTX(ssl, host->ctx) == NULL)
		goto fail;
	if (hello_bind_tickets(ssl, context, host, name))
		return SSL_CLIENT_HELLO_SUCCESS;
fail:
	*alert = SSL_AD_INTERNAL_ERROR;
	return SSL_CLIENT_HELLO_ERROR;
}

/* PROTOCOL 2.1: an unknown server name of a WIC ends in a fatal alert. Known is what a certificate
 * says. */
int tls_hello_name(SSL *ssl, int *alert, void *unused)
{
	const struct tls *tls = SSL_get_app_data(ssl);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	if (name == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	if (tls_host_find(tls->context->host, tls->context->hosts, span_text(name)) != NULL)
		return SSL_TLSEXT_ERR_OK;
	if (tls->context->authorities != NULL)
		return SSL_TLSEXT_ERR_NOACK; /* a peer may call us what he likes: we are the first
					      */
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* RFC 7301 section 3.2: a client that offers ALPN without our protocol gets a fatal alert. */
int tls_hello_alpn(SSL *ssl, const uint8_t **chosen, uint8_t *chosen_len, const uint8_t *offer,
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
