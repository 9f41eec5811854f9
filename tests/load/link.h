/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LINK_H
#define LINK_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "address.h"
#include "span.h"

/** One TLS connection on a non-blocking socket: bytes in, bytes out. */

/** Most bytes that may wait for the server to read. */
#define LINK_OUT_MAX 8192

enum link_state {
	LINK_READY,
	LINK_WAIT,  /* epoll will say when */
	LINK_ENDED, /* the server closed in order: close_notify or FIN */
	LINK_FAILED /* link->error: an errno, or 0 when it was TLS that failed */
};

/** How a connection is given up. */
enum link_end {
	LINK_IN_ORDER, /* close_notify, FIN */
	LINK_RESET     /* RST */
};

struct link_config {
	SSL_CTX *tls;
	int epoll;
	const struct address *target;
	const char *server_name; /* "": none */
	bool verify;
};

struct link {
	int fd; /* -1: none */
	int error;
	SSL *ssl;
	const struct link_config *config;
	void *owner;	  /* what epoll gives back */
	uint32_t watched; /* events epoll was asked for */
	uint32_t out_len;
	uint8_t out[LINK_OUT_MAX];
};

/** A context for TLS 1.3 clients. ca "": the system's authorities. NULL: TLS cannot be set up, or
 * ca cannot be read. */
SSL_CTX *link_tls_new(bool verify, const char *ca);

/** Starts to connect from source, or from anywhere when it is NULL. */
enum link_state link_open(struct link *l, const struct link_config *config,
			  const struct address *source, void *owner);
/** The socket became ready for the first time: is it connected? */
enum link_state link_connected(struct link *l);
/** One step of the TLS handshake. */
enum link_state link_handshake(struct link *l);
/** Reads up to room bytes. LINK_READY with *got > 0; repeat until LINK_WAIT. */
enum link_state link_read(struct link *l, uint8_t *to, uint32_t room, uint32_t *got);
/** Queues bytes; nothing goes out before link_flush(). False, nothing queued: no room. */
bool link_queue(struct link *l, struct span bytes);
/** Sends what is queued, as far as it goes. LINK_WAIT: the rest waits for epoll. */
enum link_state link_flush(struct link *l);
/** Gives everything back. Without a connection does nothing. */
void link_close(struct link *l, enum link_end how);

#endif
