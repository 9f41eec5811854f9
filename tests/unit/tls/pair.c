/* SPDX-License-Identifier: BSD-3-Clause */
#include "pair.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

static void must(int ok)
{
	if (!ok)
		abort();
}

static void client_trust(struct pair *p, struct span pem)
{
	BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	must(X509_STORE_add_cert(SSL_CTX_get_cert_store(p->client_ctx), cert));
	X509_free(cert);
	BIO_free(bio);
}

static int client_keep(SSL *client, SSL_SESSION *session)
{
	struct pair *p = SSL_CTX_get_app_data(SSL_get_SSL_CTX(client));

	SSL_SESSION_free(p->session);
	p->session = session;
	return 1;
}

static void client_make(struct pair *p, const struct tls_config *config)
{
	p->client_ctx = SSL_CTX_new(TLS_client_method());
	must(p->client_ctx != NULL);
	for (uint32_t i = 0; i < config->certificates; i++)
		client_trust(p, config->certificate[i].chain);
	SSL_CTX_set_verify(p->client_ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_app_data(p->client_ctx, p);
	SSL_CTX_set_session_cache_mode(p->client_ctx,
				       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(p->client_ctx, client_keep);
}

static void pair_connect(struct pair *p, const char *name)
{
	SSL_SESSION *offered;

	p->tls = tls_libssl.accept(p->context, &p->fake.conn);
	must(p->tls != NULL);
	p->client = SSL_new(p->client_ctx);
	p->to_client = BIO_new(BIO_s_mem());
	p->from_client = BIO_new(BIO_s_mem());
	must(p->client != NULL && p->to_client != NULL && p->from_client != NULL);
	SSL_set_bio(p->client, p->to_client, p->from_client);
	must(SSL_set_tlsext_host_name(p->client, name) == 1);
	must(SSL_set_alpn_protos(p->client, (const uint8_t *)"\x08http/1.1", 9) == 0);
	if (p->session != NULL) { /* a copy: OpenSSL's clients spoil what they have used */
		offered = SSL_SESSION_dup(p->session);
		must(SSL_set_session(p->client, offered) == 1);
		SSL_SESSION_free(offered);
	}
	SSL_set_connect_state(p->client);
}

void pair_context(struct pair *p, struct tls_config config)
{
	struct tls_fault fault;

	if (config.certificate == NULL) {
		config.certificate = &p->own;
		config.certificates = 1;
	}
	tls_libssl.context_free(p->context);
	must(tls_libssl.context_new(&config, &fault, &p->context) == GW_OK);
	tls_libssl.tickets(p->context, &p->live);
}

struct pair *pair_new(struct tls_config config)
{
	struct pair *p = calloc(1, sizeof(*p));

	must(p != NULL);
	p->own = pem_make("DNS:ep1.home1.net", PEM_P256);
	fake_init(&p->fake);
	if (config.certificate == NULL) {
		config.certificate = &p->own;
		config.certificates = 1;
	}
	pair_context(p, config);
	client_make(p, &config);
	pair_connect(p, "ep1.home1.net");
	return p;
}

static void pair_disconnect(struct pair *p)
{
	tls_libssl.free(p->tls);
	SSL_set_shutdown(p->client, SSL_SENT_SHUTDOWN); /* a session of an open one is spoiled */
	SSL_free(p->client);
	fake_fini(&p->fake);
}

void pair_next(struct pair *p, const char *name)
{
	pair_disconnect(p);
	fake_init(&p->fake);
	pair_connect(p, name);
}

void pair_free(struct pair *p)
{
	pair_disconnect(p);
	SSL_SESSION_free(p->session);
	tls_libssl.context_free(p->context);
	SSL_CTX_free(p->client_ctx);
	pem_free(&p->own);
	free(p);
	ERR_clear_error();
}

bool pair_carry(struct pair *p, uint32_t n)
{
	uint8_t bytes[4096];
	uint32_t out = p->fake.tx_len < n ? p->fake.tx_len : n;
	int in;

	if (n > sizeof(bytes))
		n = sizeof(bytes);
	in = BIO_read(p->from_client, bytes, (int)n);
	if (in > 0)
		fake_arrive(&p->fake, span_of(bytes, (uint32_t)in));
	if (out > 0) {
		must(BIO_write(p->to_client, p->fake.tx, (int)out) == (int)out);
		fake_leave(&p->fake, out);
	}
	return in > 0 || out > 0;
}

enum gw_err pair_handshake(struct pair *p, uint32_t bytes_a_step)
{
	uint8_t to[1];
	enum gw_err err;

	do {
		ERR_clear_error();
		SSL_do_handshake(p->client);
		err = tls_libssl.open(p->tls, to, 0).err;
	} while (pair_carry(p, bytes_a_step));
	ERR_clear_error();
	return err;
}

void pair_meet(struct pair *p)
{
	uint8_t byte = 'x';

	must(pair_handshake(p, 100000) == GW_AGAIN && tls_libssl.ready(p->tls));
	must(SSL_write(p->client, &byte, 1) == 1);
	while (pair_carry(p, 100000))
		;
	must(tls_libssl.open(p->tls, &byte, 1).n == 1);
	must(tls_libssl.seal(p->tls, span_of(&byte, 1)).n == 1);
	while (pair_carry(p, 100000))
		;
	must(SSL_read(p->client, &byte, 1) == 1);
	if (SSL_version(p->client) == TLS1_2_VERSION) /* of a renewed ticket nobody is told */
		client_keep(p->client, SSL_get1_session(p->client));
}
