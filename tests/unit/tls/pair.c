/* SPDX-License-Identifier: BSD-3-Clause */
#include "pair.h"

#include <openssl/err.h>
#include <stdlib.h>

static void must(int ok)
{
	if (!ok)
		abort();
}

static void client_make(struct pair *p)
{
	p->client_ctx = SSL_CTX_new(TLS_client_method());
	must(p->client_ctx != NULL);
	must(SSL_CTX_load_verify_file(p->client_ctx, p->files.certificate));
	SSL_CTX_set_verify(p->client_ctx, SSL_VERIFY_PEER, NULL);
	p->client = SSL_new(p->client_ctx);
	p->to_client = BIO_new(BIO_s_mem());
	p->from_client = BIO_new(BIO_s_mem());
	must(p->client != NULL && p->to_client != NULL && p->from_client != NULL);
	SSL_set_bio(p->client, p->to_client, p->from_client);
	must(SSL_set_tlsext_host_name(p->client, "ep1.home1.net") == 1);
	must(SSL_set_alpn_protos(p->client, (const uint8_t *)"\x08http/1.1", 9) == 0);
	SSL_set_connect_state(p->client);
}

struct pair *pair_new(struct tls_config config)
{
	struct pair *p = malloc(sizeof(*p));
	char why[256];

	must(p != NULL);
	files_make(&p->files);
	fake_init(&p->fake);
	config.certificate = p->files.certificate;
	config.key = p->files.key;
	must(tls_libssl.context_new(&config, why, sizeof(why), &p->context) == GW_OK);
	p->tls = tls_libssl.accept(p->context, &p->fake.conn);
	must(p->tls != NULL);
	client_make(p);
	return p;
}

void pair_free(struct pair *p)
{
	tls_libssl.free(p->tls);
	tls_libssl.context_free(p->context);
	SSL_free(p->client);
	SSL_CTX_free(p->client_ctx);
	fake_fini(&p->fake);
	files_remove(&p->files);
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
