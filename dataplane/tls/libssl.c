/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "libssl.h"
#include "peer.h"

/* What a TLS 1.3 record adds: head, content type, tag (RFC 8446 section 5.2). */
#define RECORD_OVERHEAD (5 + 1 + 16)
/* Plaintext of the record that begins in a send buffer too small for a whole one. */
#define RECORD_SMALL 256
#define NO_ALERT (-1)
/* A KeyUpdate is 27 bytes that cost as much as ten records, and a server's ticket is as useless to
 * us: a peer has some, and one more for each so many bytes that it says. AEAD limits (RFC 8446
 * section 5.5) ask for far fewer. */
#define UPDATES_MAX 32
#define UPDATE_BYTES 65536

/* In TLS 1.3 the level means nothing (RFC 8446 section 6); before it a warning ends nothing. */
static bool alert_is_fatal(const SSL *ssl, int value)
{
	int level = value >> 8, alert = value & 0xFF;

	if (level == SSL3_AL_WARNING && SSL_version(ssl) != TLS1_3_VERSION)
		return false;
	return alert != SSL_AD_CLOSE_NOTIFY && alert != SSL_AD_USER_CANCELLED;
}

static void libssl_watch(const SSL *ssl, int where, int value)
{
	struct tls *tls = SSL_get_app_data(ssl);

	if ((where & SSL_CB_ALERT) == 0 || !alert_is_fatal(ssl, value))
		return;
	if ((where & SSL_CB_READ) != 0)
		tls->peer_alert = value & 0xFF;
	else
		tls->our_alert = value & 0xFF;
}

static void libssl_message(int sent, int version, int type, const void *bytes, size_t len, SSL *ssl,
			   void *context)
{
	struct span message = span_of(bytes, (uint32_t)len);
	struct tls *tls = context;

	if (sent || type != SSL3_RT_HANDSHAKE ||
	    (span_at(message, 0) != SSL3_MT_KEY_UPDATE &&
	     span_at(message, 0) != SSL3_MT_NEWSESSION_TICKET))
		return;
	if (tls->updates == 0)
		tls->wire.spent = true;
	else
		tls->updates--;
}

/** n more plaintext bytes have come. */
static void libssl_earn(struct tls *tls, uint32_t n)
{
	tls->opened += n;
	if (tls->opened < UPDATE_BYTES)
		return;
	tls->opened = 0;
	if (tls->updates < UPDATES_MAX)
		tls->updates++;
}

static void libssl_tickets(struct tls_context *context, const struct ticket_part *const *keys)
{
	context->keys = keys;
}

static void libssl_key_log(struct tls_context *context, tls_key_log *tell, void *to)
{
	context->tell = tell;
	context->tell_to = to;
}

/** One side of a connection, which ctx is for. */
static struct tls *libssl_start(struct tls_context *context, SSL_CTX *ctx, struct conn *conn)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	BIO *bio;

	if (tls == NULL)
		return NULL;
	tls->ssl = SSL_new(ctx);
	bio = tls_bio_new(context->lib, context->method, &tls->wire);
	if (tls->ssl == NULL || bio == NULL)
		goto free;
	tls->wire.conn = conn;
	tls->context = context;
	tls->peer_alert = NO_ALERT;
	tls->our_alert = NO_ALERT;
	tls->updates = UPDATES_MAX;
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_app_data(tls->ssl, tls);
	SSL_set_info_callback(tls->ssl, libssl_watch);
	SSL_set_msg_callback(tls->ssl, libssl_message);
	SSL_set_msg_callback_arg(tls->ssl, tls);
	context->connections++;
	return tls;

free:
	BIO_free(bio);
	SSL_free(tls->ssl);
	free(tls);
	ERR_clear_error();
	return NULL;
}

static struct tls *libssl_accept(struct tls_context *context, struct conn *conn)
{
	struct tls *tls = libssl_start(context, context->host[0].ctx, conn);

	if (tls == NULL)
		return NULL;
	SSL_set_accept_state(tls->ssl);
	if (tls_ticket_keys(context) == NULL) {
		SSL_set_options(tls->ssl, SSL_OP_NO_TICKET);
		SSL_set_num_tickets(tls->ssl, 0);
	}
	return tls;
}

static bool libssl_ready(const struct tls *tls)
{
	return tls->ready;
}

static void libssl_fin(struct tls *tls)
{
	tls->fin = true;
}

/** What was wrong with the peer's certificate, in words; "" when nothing was. */
static const char *libssl_verdict(const struct tls *tls)
{
	long verdict = SSL_get_verify_result(tls->ssl);

	return verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : "";
}

static const char *alert_name(int alert)
{
	/* which OpenSSL does not know */
	return alert == SSL_AD_CERTIFICATE_REQUIRED ? "certificate required"
						    : SSL_alert_desc_string_long(alert);
}

static enum gw_err libssl_fail(struct tls *tls)
{
	const char *reason = tls_context_reason();
	const char *verdict = libssl_verdict(tls);

	if (tls->our_alert == SSL_AD_UNRECOGNIZED_NAME)
		reason = "no certificate for that server name"; /* libssl says: callback failed */
	tls->failed = tls->ready ? GW_TLS_RECORD : GW_TLS_HANDSHAKE;
	if (tls->peer_alert != NO_ALERT) {
		tls->failed = GW_TLS_ALERT;
		snprintf(tls->failure, sizeof(tls->failure), "peer sent alert %s",
			 alert_name(tls->peer_alert));
	} else if (tls->our_alert != NO_ALERT) {
		snprintf(tls->failure, sizeof(tls->failure), "we refused: %s%s%s (sent alert %s)",
			 reason, verdict[0] != 0 ? ": " : "", verdict, alert_name(tls->our_alert));
	} else {
		snprintf(tls->failure, sizeof(tls->failure), "we refused: %s", reason);
	}
	return tls->failed;
}

static enum gw_err libssl_peer_gone(struct tls *tls)
{
	if (tls->ready)
		return GW_TLS_CLOSED;
	tls->failed = GW_TLS_HANDSHAKE;
	snprintf(tls->failure, sizeof(tls->failure), "peer closed during the handshake");
	return tls->failed;
}

/* What a call to libssl that returned other than success means. */
static enum gw_err libssl_outcome(struct tls *tls, int returned)
{
	switch (SSL_get_error(tls->ssl, returned)) {
	case SSL_ERROR_WANT_READ:
		return tls->fin ? libssl_peer_gone(tls) : GW_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		return GW_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return libssl_peer_gone(tls);
	default:
		return libssl_fail(tls);
	}
}

static enum gw_err libssl_handshake(struct tls *tls)
{
	int returned;

	if (tls->failed != GW_OK)
		return tls->failed;
	if (tls->ready)
		return GW_OK;
	ERR_clear_error();
	returned = SSL_do_handshake(tls->ssl);
	/* TLS 1.2 has one ClientHello, and calls what it encrypts as it did in clear */
	if (returned == 1 || (SSL_is_server(tls->ssl) && SSL_version(tls->ssl) == TLS1_2_VERSION))
		tls->wire.flight.over = true;
	if (returned != 1)
		return libssl_outcome(tls, returned);
	tls->ready = true;
	return GW_OK;
}

static void libssl_free(struct tls *tls)
{
	struct tls_context *context;

	if (tls == NULL)
		return;
	context = tls->context;
	SSL_free(tls->ssl);
	free(tls);
	tls_context_put(context);
}

static struct tls *libssl_connect(struct tls_context *context, struct conn *conn, struct span name)
{
	char sni[TLS_NAME_MAX + 1];
	struct tls *tls;

	if (context->client == NULL)
		return NULL;
	tls = libssl_start(context, context->client, conn);
	if (tls == NULL)
		return NULL;
	tls->wire.flight.chain = true;
	SSL_set_connect_state(tls->ssl);
	if (tls_peer_sni(name, sni) && SSL_set_tlsext_host_name(tls->ssl, sni) != 1) {
		libssl_free(tls);
		ERR_clear_error();
		return NULL;
	}
	(void)libssl_handshake(tls); /* what fails here, open tells */
	return tls;
}

static bool libssl_peer_is(const struct tls *tls, struct span name)
{
	const X509 *peer = tls->ready ? SSL_get0_peer_certificate(tls->ssl) : NULL;

	return peer != NULL && SSL_get_verify_result(tls->ssl) == X509_V_OK &&
	       tls_peer_is(peer, name);
}

static struct tls_result libssl_open(struct tls *tls, uint8_t *to, uint32_t room)
{
	enum gw_err err = libssl_handshake(tls);
	size_t n = 0;
	int returned;

	if (err != GW_OK)
		return (struct tls_result){err, 0};
	if (room == 0)
		return (struct tls_result){GW_AGAIN, 0};
	ERR_clear_error();
	returned = SSL_read_ex(tls->ssl, to, room, &n);
	if (returned != 1)
		return (struct tls_result){libssl_outcome(tls, returned), 0};
	libssl_earn(tls, (uint32_t)n);
	return (struct tls_result){GW_OK, (uint32_t)n};
}

/* The plaintext of the next record: what makes the send buffer just full, so that the rest of a
 * record seldom waits inside libssl. 0: no room. */
static uint32_t libssl_piece(const struct tls *tls, uint32_t left)
{
	uint32_t room = conn_tx_room(tls->wire.conn);
	uint32_t piece = RECORD_SMALL;

	if (room == 0)
		return 0;
	if (tls->retry > 0)
		return tls->retry; /* libssl wants to be asked the same again */
	if (room > RECORD_OVERHEAD + RECORD_SMALL)
		piece = room - RECORD_OVERHEAD;
	if (piece > SSL3_RT_MAX_PLAIN_LENGTH)
		piece = SSL3_RT_MAX_PLAIN_LENGTH;
	return piece < left ? piece : left;
}

static enum gw_err libssl_write(struct tls *tls, struct span *bytes)
{
	uint32_t piece = libssl_piece(tls, bytes->len);
	size_t n = 0;
	int returned;
	enum gw_err err;

	if (piece == 0)
		return GW_AGAIN;
	ERR_clear_error();
	returned = SSL_write_ex(tls->ssl, bytes->at, piece < bytes->len ? piece : bytes->len, &n);
	tls->retry = 0;
	if (returned == 1) {
		span_skip(bytes, (uint32_t)n);
		return GW_OK;
	}
	err = libssl_outcome(tls, returned);
	if (err == GW_AGAIN)
		tls->retry = piece;
	return err;
}

static struct tls_result libssl_seal(struct tls *tls, struct span bytes)
{
	struct tls_result result = {GW_OK, 0};
	struct span left = bytes;

	if (tls->failed != GW_OK)
		return (struct tls_result){tls->failed, 0};
	if (tls->closing)
		return (struct tls_result){GW_TLS_CLOSED, 0};
	if (!tls->ready)
		return (struct tls_result){GW_AGAIN, 0};
	while (left.len > 0 && result.err == GW_OK)
		result.err = libssl_write(tls, &left);
	result.n = bytes.len - left.len;
	return result;
}

static enum gw_err libssl_update(struct tls *tls)
{
	enum gw_err err;
	int returned;

	if (tls->failed != GW_OK)
		return tls->failed;
	if (!tls->ready || tls->retry > 0 || SSL_in_init(tls->ssl))
		return GW_AGAIN;
	if (SSL_version(tls->ssl) != TLS1_3_VERSION)
		return GW_NOT_SUPPORTED;
	ERR_clear_error();
	if (SSL_key_update(tls->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1)
		return libssl_fail(tls);
	returned = SSL_do_handshake(tls->ssl);
	if (returned == 1)
		return GW_OK;
	err = libssl_outcome(tls, returned);
	return err == GW_AGAIN ? GW_OK : err; /* no room: it goes before the next record */
}

static enum gw_err libssl_close(struct tls *tls)
{
	int returned;

	if (tls->failed != GW_OK || !tls->ready || tls->closed)
		return GW_OK;
	if (tls->retry > 0)
		return GW_AGAIN;
	tls->closing = true;
	ERR_clear_error();
	/* a change of keys that is half done comes first: libssl would call it an error */
	returned = SSL_in_init(tls->ssl) ? SSL_do_handshake(tls->ssl) : 1;
	if (returned == 1)
		returned = SSL_shutdown(tls->ssl);
	if (returned < 0)
		return libssl_outcome(tls, returned) == GW_AGAIN ? GW_AGAIN : GW_OK;
	tls->closed = true;
	return GW_OK;
}

static struct tls_info libssl_info(const struct tls *tls)
{
	const char *sni = SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);
	struct tls_info info = {
		.version = "-",
		.cipher = "-",
		.group = "-",
		.sni = sni == NULL ? "" : sni,
		.failure = tls->failure,
	};
	const char *group;

	if (!tls->ready)
		return info;
	info.resumed = SSL_session_reused(tls->ssl) == 1;
	info.version = SSL_get_version(tls->ssl);
	info.cipher = SSL_get_cipher_name(tls->ssl);
	group = SSL_group_to_name(tls->ssl, (int)SSL_get_negotiated_group(tls->ssl));
	if (group != NULL)
		info.group = group;
	return info;
}

const struct tls_ops tls_libssl = {
	.name = "libssl",
	.context_new = tls_context_new,
	.context_free = tls_context_free,
	.tickets = libssl_tickets,
	.key_log = libssl_key_log,
	.accept = libssl_accept,
	.connect = libssl_connect,
	.ready = libssl_ready,
	.peer_is = libssl_peer_is,
	.fin = libssl_fin,
	.open = libssl_open,
	.seal = libssl_seal,
	.update = libssl_update,
	.close = libssl_close,
	.info = libssl_info,
	.free = libssl_free,
};
