/* SPDX-License-Identifier: BSD-3-Clause */
#include "bio.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

/* The old signatures, not the _ex ones: "retry" must be -1. A _ex method can only say 0, which
 * SSL_shutdown() takes for done when half of its alert is out. */

static int bio_refuse(int reason)
{
	ERR_raise(ERR_LIB_SSL, reason);
	return -1;
}

static int bio_read(BIO *bio, char *to, int room)
{
	struct tls_wire *wire = BIO_get_data(bio);
	struct conn *conn = wire->conn;
	const void *run;
	uint32_t n, left = (uint32_t)room;

	BIO_clear_retry_flags(bio);
	if (wire->spent)
		return bio_refuse(SSL_R_TOO_MANY_KEY_UPDATES);
	for (; left > 0; to += n, left -= n) {
		run = conn_peek(conn, 0, &n);
		if (n == 0)
			break;
		if (n > left)
			n = left;
		if (!tls_flight_pass(&wire->flight, span_of(run, n)))
			return bio_refuse(SSL_R_EXCESSIVE_MESSAGE_SIZE);
		memcpy(to, run, n);
		conn_consume(conn, n);
	}
	if (left < (uint32_t)room)
		return room - (int)left;
	BIO_set_retry_read(bio);
	return -1;
}

static int bio_write(BIO *bio, const char *from, int len)
{
	struct conn *conn = ((const struct tls_wire *)BIO_get_data(bio))->conn;
	void *run;
	uint32_t n, left = (uint32_t)len;

	BIO_clear_retry_flags(bio);
	for (; left > 0; from += n, left -= n) {
		run = conn_tx_reserve(conn, &n);
		if (n == 0)
			break;
		if (n > left)
			n = left;
		memcpy(run, from, n);
		conn_tx_commit(conn, n);
	}
	if (left < (uint32_t)len)
		return len - (int)left;
	BIO_set_retry_write(bio);
	return -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	uint32_t n;

	switch (command) {
	case BIO_CTRL_FLUSH: /* the connection sends by itself */
		return 1;
	case BIO_CTRL_PENDING:
		conn_peek(((const struct tls_wire *)BIO_get_data(bio))->conn, 0, &n);
		return (long)n;
	default: /* BIO_CTRL_WPENDING: nothing is kept here; the rest: not supported */
		return 0;
	}
}

BIO_METHOD *tls_bio_method_new(void)
{
	/* No BIO_get_new_index(): there are 127 in a process, and a reload would use one up. */
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "conn");

	if (method == NULL)
		return NULL;
	BIO_meth_set_read(method, bio_read);
	BIO_meth_set_write(method, bio_write);
	BIO_meth_set_ctrl(method, bio_ctrl);
	return method;
}

BIO *tls_bio_new(OSSL_LIB_CTX *lib, const BIO_METHOD *method, struct tls_wire *wire)
{
	BIO *bio = BIO_new_ex(lib, method);

	if (bio == NULL)
		return NULL;
	BIO_set_data(bio, wire);
	BIO_set_init(bio, 1);
	return bio;
}
