/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_link.h"

#include <openssl/err.h>
#include <stddef.h>

/* link.h over the wire of a ring: libssl between two buffers in memory. */

SSL_CTX *link_tls_new(bool verify, const char *ca)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	if (tls == NULL)
		return NULL;
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) == 1 && !verify && ca[0] == '\0')
		return tls;
	SSL_CTX_free(tls); /* nobody asks for what a ring cannot have: another server */
	return NULL;
}

static const struct ring_world *world_of(const struct link *l)
{
	return (const struct ring_world *)(const void *)((const char *)l->config -
							 offsetof(struct ring_world, wic.link));
}

enum link_state link_open(struct link *l, const struct link_config *config,
			  const struct address *source, void *owner)
{
	const struct ring_world *world;

	l->config = config;
	l->owner = owner;
	l->out_len = 0;
	world = world_of(l);
	l->fd = (int)((struct wic *)owner)->index;
	l->ssl = SSL_new(config->tls);
	if (l->ssl == NULL || world->peer[l->fd] == NULL)
		return LINK_FAILED;
	SSL_set_bio(l->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(l->ssl);
	return SSL_set_tlsext_host_name(l->ssl, config->server_name) == 1 ? LINK_WAIT : LINK_FAILED;
}

enum link_state link_connected(struct link *l)
{
	return LINK_READY;
}

/** What libssl wants sent goes out. */
static void drain(struct link *l)
{
	const struct ring_world *world = world_of(l);
	uint8_t bytes[16384];
	int n;

	while ((n = BIO_read(SSL_get_wbio(l->ssl), bytes, sizeof(bytes))) > 0)
		wire_send(world->wire, world->peer[l->fd], span_of(bytes, (uint32_t)n));
}

static enum link_state outcome(struct link *l, int result)
{
	switch (SSL_get_error(l->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return LINK_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return LINK_ENDED;
	default:
		return LINK_FAILED;
	}
}

enum link_state link_handshake(struct link *l)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(l->ssl);
	drain(l);
	return result == 1 ? LINK_READY : outcome(l, result);
}

enum link_state link_read(struct link *l, uint8_t *to, uint32_t room, uint32_t *got)
{
	int result;

	ERR_clear_error();
	result = SSL_read(l->ssl, to, (int)room);
	drain(l);
	if (result <= 0)
		return outcome(l, result);
	*got = (uint32_t)result;
	return LINK_READY;
}

bool link_queue(struct link *l, struct span bytes)
{
	if (bytes.len > LINK_OUT_MAX - l->out_len)
		return false;
	memcpy(l->out + l->out_len, bytes.at, bytes.len);
	l->out_len += bytes.len;
	return true;
}

enum link_state link_flush(struct link *l)
{
	int result;

	if (l->out_len == 0)
		return LINK_READY;
	ERR_clear_error();
	result = SSL_write(l->ssl, l->out, (int)l->out_len);
	drain(l);
	l->out_len = 0;
	return result > 0 ? LINK_READY : outcome(l, result);
}

void link_close(struct link *l, enum link_end how)
{
	if (l->fd < 0)
		return;
	SSL_free(l->ssl);
	l->ssl = NULL;
	l->fd = -1;
	l->out_len = 0;
}

void ring_link_received(struct link *l, struct span bytes)
{
	if (l->ssl != NULL)
		(void)BIO_write(SSL_get_rbio(l->ssl), bytes.at, (int)bytes.len);
}
