/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TLS_LIBSSL_H
#define TLS_LIBSSL_H

#include <openssl/ssl.h>

#include "bio.h"
#include "host.h"
#include "tls.h"

/** What the connections of tls_libssl share: nothing of it is OpenSSL's global state. Owned by
 * whoever made it until context_free, then by its connections together. */
struct tls_context {
	OSSL_LIB_CTX *lib; /* freed last: everything else was made in it */
	BIO_METHOD *method;
	struct tls_host *host; /* [0] also serves who names no server */
	uint32_t hosts;
	X509_STORE *authorities;   /* of peers; NULL: they are asked for no certificate */
	SSL_CTX *client;	   /* with certificate[0]; NULL without authorities */
	EVP_MD *digest;		   /* SHA-256: of session contexts */
	EVP_CIPHER *ticket_cipher; /* AES-256-CBC */
	/* where the keys of this turn are; *keys NULL, or keys itself: no tickets */
	const struct ticket_part *const *keys;
	tls_key_log *tell; /* secrets; NULL: nobody */
	void *tell_to;
	uint32_t connections; /* that live */
	bool abandoned;	      /* by context_free: ends with the last connection */
};

/** One side of one connection. Its SSL's application data. */
struct tls {
	SSL *ssl;
	struct tls_wire wire;
	struct tls_context *context;
	enum gw_err failed; /* GW_OK while all is well */
	int peer_alert;
	int our_alert;
	uint32_t updates; /* KeyUpdates and tickets that the peer may still send */
	uint32_t opened;  /* plaintext bytes since that last grew */
	uint32_t retry;	  /* plaintext bytes of a record that is partly sent; not taken yet */
	bool ready;
	bool fin;     /* the peer's */
	bool closing; /* close was called: nothing more is sealed */
	bool closed;  /* and close_notify is sent */
	char failure[TLS_FAILURE_MAX];
};

/* context.c */

/** As tls_ops.context_new. */
enum gw_err tls_context_new(const struct tls_config *config, struct tls_fault *fault,
			    struct tls_context **made);

/** As tls_ops.context_free. */
void tls_context_free(struct tls_context *context);

/** A connection of context has ended. */
void tls_context_put(struct tls_context *context);

/** The reason of the first error in OpenSSL's queue of this thread, which it empties. A static
 * string. */
const char *tls_context_reason(void);

/* settings.c */

/** Puts what both sides have, but for certificates, into ctx. GW_CONFIG with *fault. */
enum gw_err tls_settings_apply(SSL_CTX *ctx, const struct tls_config *config,
			       struct tls_fault *fault);

/** Puts what only a server has into ctx. */
void tls_settings_serve(SSL_CTX *ctx, const struct tls_config *config);

/** Demands a certificate that authorities (shared) have signed of the peers of ctx. */
void tls_settings_demand(SSL_CTX *ctx, X509_STORE *authorities);

/* hello.c */

/** Picks the host of a ClientHello by the name in it; see SSL_CTX_set_client_hello_cb(). */
int tls_hello_host(SSL *ssl, int *alert, void *context);
/** Refuses a name that no host has; see SSL_CTX_set_tlsext_servername_callback(). */
int tls_hello_name(SSL *ssl, int *alert, void *context);
/** Agrees on http/1.1; see SSL_CTX_set_alpn_select_cb(). */
int tls_hello_alpn(SSL *ssl, const uint8_t **chosen, uint8_t *chosen_len, const uint8_t *offer,
		   unsigned int offer_len, void *context);

/* ticket.c */

/** The keys that tickets are made with and opened by now; NULL: none. */
const struct ticket_part *tls_ticket_keys(const struct tls_context *context);
/** Chooses a key for a ticket; see SSL_CTX_set_tlsext_ticket_key_evp_cb(). */
int tls_ticket_key(SSL *ssl, uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
		   int making);

#endif
