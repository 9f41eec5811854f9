/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TLS_H
#define TLS_H

#include "conn.h"
#include "gw_err.h"
#include "span.h"
#include "tls_context.h"

/**
 * TLS on a connection: {open, seal, update, close}. No SSL pointer shows, so that a TLS 1.3
 * connection can later move to the product's own record layer without its users noticing. Two
 * tables: tls_libssl, and tls_clear, which passes bytes through (the simulator starts above TLS).
 * One context per worker; nothing is shared between workers.
 */

struct tls;

#define TLS_FAILURE_MAX 128

/** What a call did. */
struct tls_result {
	enum gw_err err; /* GW_OK; GW_AGAIN: nothing now, call again at readable/writable;
			    GW_TLS_CLOSED: close_notify or FIN after the handshake;
			    GW_TLS_HANDSHAKE, GW_TLS_ALERT (the peer's), GW_TLS_RECORD: over, and
			    so says every later call. Our own alert then is in the send buffer:
			    conn_shutdown_tx() lets it out, conn_abort() drops it */
	uint32_t n;	 /* bytes given (open) or taken (seal) */
};

/** What an operator wants to know of a connection or a failure. Static strings or storage of the
 * tls object. */
struct tls_info {
	const char *version; /* "TLSv1.3", "-" before the handshake */
	const char *cipher;
	const char *group;
	const char *sni;     /* "" when none */
	bool resumed;	     /* by a ticket */
	const char *failure; /* "" or e.g. "peer sent alert certificate unknown" / "we refused: no
				shared cipher (sent alert handshake failure)" */
};

typedef void tls_key_log(void *to, struct span line);

/**
 * No entry is NULL. What the user of a connection does at its callbacks:
 * readable: open until GW_AGAIN. peer_fin: fin, then open until GW_TLS_CLOSED. writable: open while
 * not ready, then seal what waits. closed: free.
 */
struct tls_ops {
	const char *name;
	/**
	 * Parses certificates and keys in a library context of this worker's own. May run in
	 * another thread, before the worker knows of it. GW_CONFIG with *fault; GW_NO_MEMORY.
	 */
	enum gw_err (*context_new)(const struct tls_config *config, struct tls_fault *fault,
				   struct tls_context **made);
	/**
	 * Where to look for the keys of tickets, in each turn: *keys may change and be NULL, keys
	 * outlives the context and its connections. Before the first accept; without it nobody
	 * gets a ticket.
	 */
	void (*tickets)(struct tls_context *context, const struct ticket_part *const *keys);
	/**
	 * Whom to tell the secrets of connections where the configuration wants it: lines of the
	 * NSS key log, without their end, lent. Before the first accept.
	 */
	void (*key_log)(struct tls_context *context, tls_key_log *tell, void *to);
	/**
	 * Gives the context up. A context replaced by a reload may be freed while its connections
	 * live: it counts them, and goes with the last. In the worker's thread (OpenSSL keeps
	 * random generators per thread and library context), or when no worker has used it, or
	 * after that has ended. NULL does nothing.
	 */
	void (*context_free)(struct tls_context *context);
	/**
	 * Starts the server side on conn, which stays the caller's and must outlive the result.
	 * NULL: no memory.
	 */
	struct tls *(*accept)(struct tls_context *context, struct conn *conn);
	/**
	 * Starts the client side on conn, which has connected, stays the caller's and must outlive
	 * the result; the ClientHello is in its send buffer when this returns. name is borrowed:
	 * where it is a DNS name the server is told it (RFC 6066 section 3), an address literal or
	 * anything else is not sent. A server without a certificate that the context's authorities
	 * have signed is refused; whose certificate it is, peer_is tells. NULL: no memory, or the
	 * context has no authorities.
	 */
	struct tls *(*connect)(struct tls_context *context, struct conn *conn, struct span name);
	/** True once the handshake is finished. A client of TLS 1.3 is ready before the server has
	 * looked at its certificate: a refusal comes to open, as GW_TLS_ALERT. */
	bool (*ready)(const struct tls *tls);
	/**
	 * True when the peer's certificate, which has been verified, is for name: a DNS name, or an
	 * address literal, of IPv6 with or without brackets. See tls/peer.h for what is compared.
	 * False before ready, and in a context without authorities. tls_clear: always true, who is
	 * there is trusted by his address.
	 */
	bool (*peer_is)(const struct tls *tls, struct span name);
	/** The peer has sent FIN: once what came before it is read, open says GW_TLS_CLOSED, or
	 * GW_TLS_HANDSHAKE when it came too early. */
	void (*fin)(struct tls *tls);
	/**
	 * Goes on with the handshake, then gives up to room plaintext bytes at to, of one record
	 * at most. GW_AGAIN when conn holds no whole record (or room is 0). Level-triggered users
	 * call it until GW_AGAIN, else bytes stay inside.
	 */
	struct tls_result (*open)(struct tls *tls, uint8_t *to, uint32_t room);
	/**
	 * Takes plaintext and sends it as records as far as conn has room; GW_AGAIN with n <
	 * bytes.len when it has not, or before ready, or while half a KeyUpdate of the peer has
	 * come: again at writable, and after open. What was not taken must be the first that
	 * is offered next, unchanged, at any address and with any more behind it: part of it may
	 * be on its way in a record. So an ordered queue of bytes is what belongs before seal.
	 */
	struct tls_result (*seal)(struct tls *tls, struct span bytes);
	/** Changes the sending keys (TLS 1.3 KeyUpdate). GW_NOT_SUPPORTED before TLS 1.3; GW_AGAIN
	 * before ready or while a record is on its way. */
	enum gw_err (*update)(struct tls *tls);
	/**
	 * Sends close_notify, after all bytes were taken. The connection is not closed: GW_OK,
	 * conn_shutdown_tx() may follow (also when there was no handshake, or it failed, and
	 * nothing is sent); GW_AGAIN, no room: once more at writable. seal then says
	 * GW_TLS_CLOSED.
	 */
	enum gw_err (*close)(struct tls *tls);
	struct tls_info (*info)(const struct tls *tls);
	/** Wipes keys and frees; does not touch conn. NULL does nothing. */
	void (*free)(struct tls *tls);
};

/* tls_libssl (tls_context.h) is libssl over the connection. A session goes on by tickets that hold
 * its state (RFC 5077, RFC 8446 4.6.1); nothing of it is kept here. No renegotiation, compression
 * or early data. A server name that no certificate is for is refused with a fatal alert (PROTOCOL
 * 2.1), and so is a client that offers ALPN without http/1.1 (RFC 7301 3.2): but not where the
 * context is mutual. */
/** No TLS: what conn holds is plaintext; info names it "clear". */
extern const struct tls_ops tls_clear;

#endif
