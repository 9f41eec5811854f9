/* SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

SSL_CTX *link_tls_new(bool verify, const char *ca)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	if (tls == NULL)
		return NULL;
	SSL_CTX_set_verify(tls, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) != 1 ||
	    (ca[0] != '\0' ? SSL_CTX_load_verify_file(tls, ca)
			   : SSL_CTX_set_default_verify_paths(tls)) != 1) {
		SSL_CTX_free(tls);
		return NULL;
	}
	return tls;
}

static enum link_state failed(struct link *l, int error)
{
	l->error = error;
	return LINK_FAILED;
}

/** Asks epoll for events, when that is not what it was asked for already. */
static bool watch(struct link *l, uint32_t events)
{
	struct epoll_event event = {.events = events, .data = {.ptr = l->owner}};

	if (events == l->watched)
		return true;
	if (epoll_ctl(l->config->epoll, l->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, l->fd,
		      &event) != 0)
		return false;
	l->watched = events;
	return true;
}

static bool socket_options(struct link *l, const struct address *source)
{
	const int on = 1;

	if (setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		return false;
	if (source == NULL)
		return true;
	/* the port is chosen by connect(), which may take one that is used towards elsewhere */
	return setsockopt(l->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == 0 &&
	       bind(l->fd, &source->any, source->len) == 0;
}

enum link_state link_open(struct link *l, const struct link_config *config,
			  const struct address *source, void *owner)
{
	l->config = config;
	l->owner = owner;
	l->watched = l->out_len = 0;
	l->ssl = NULL;
	l->fd = socket(config->target->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0);
	if (l->fd < 0)
		return failed(l, errno);
	if (!socket_options(l, source))
		return failed(l, errno);
	if (connect(l->fd, &config->target->any, config->target->len) != 0 && errno != EINPROGRESS)
		return failed(l, errno);
	return watch(l, EPOLLOUT) ? LINK_WAIT : failed(l, errno);
}

/** The certificate must name the server as it was called, or else by its address. */
static bool expect_server(struct link *l)
{
	char name[256]; /* libssl's macro wants it writable */
	char text[INET6_ADDRSTRLEN];
	const struct address *to = l->config->target;
	const void *at = to->any.sa_family == AF_INET ? (const void *)&to->v4.sin_addr
						      : (const void *)&to->v6.sin6_addr;

	snprintf(name, sizeof(name), "%s", l->config->server_name);
	if (name[0] != '\0' && SSL_set_tlsext_host_name(l->ssl, name) != 1)
		return false;
	if (!l->config->verify)
		return true;
	if (name[0] != '\0')
		return SSL_set1_host(l->ssl, name) == 1;
	return inet_ntop(to->any.sa_family, at, text, sizeof(text)) != NULL &&
	       X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(l->ssl), text) == 1;
}

enum link_state link_connected(struct link *l)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return failed(l, errno);
	if (error != 0)
		return failed(l, error);
	l->ssl = SSL_new(l->config->tls);
	if (l->ssl == NULL || SSL_set_fd(l->ssl, l->fd) != 1 || !expect_server(l))
		return failed(l, ENOMEM);
	SSL_set_connect_state(l->ssl);
	return LINK_READY;
}

/** What a libssl call that did not succeed means. */
static enum link_state outcome(struct link *l, int result)
{
	int error = errno;

	switch (SSL_get_error(l->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return watch(l, EPOLLIN) ? LINK_WAIT : failed(l, errno);
	case SSL_ERROR_WANT_WRITE:
		return watch(l, EPOLLIN | EPOLLOUT) ? LINK_WAIT : failed(l, errno);
	case SSL_ERROR_ZERO_RETURN:
		return LINK_ENDED;
	case SSL_ERROR_SYSCALL:
		return failed(l, error);
	default:
		if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
			return LINK_ENDED;
		return failed(l, 0);
	}
}

enum link_state link_handshake(struct link *l)
{
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(l->ssl);
	return result == 1 ? LINK_READY : outcome(l, result);
}

enum link_state link_read(struct link *l, uint8_t *to, uint32_t room, uint32_t *got)
{
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_read(l->ssl, to, (int)room);
	if (result <= 0) {
		enum link_state state = outcome(l, result);

		/* what waits to go out must not be forgotten for what is to come in */
		if (state == LINK_WAIT && l->out_len > 0 && !watch(l, EPOLLIN | EPOLLOUT))
			return failed(l, errno);
		return state;
	}
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
	while (l->out_len > 0) {
		int result;

		ERR_clear_error();
		errno = 0;
		result = SSL_write(l->ssl, l->out, (int)l->out_len);
		if (result <= 0)
			return outcome(l, result);
		l->out_len -= (uint32_t)result;
		memmove(l->out, l->out + result, l->out_len);
	}
	return watch(l, EPOLLIN) ? LINK_READY : failed(l, errno);
}

void link_close(struct link *l, enum link_end how)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	if (l->fd < 0)
		return;
	if (how == LINK_RESET)
		(void)setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	else if (l->ssl != NULL && SSL_is_init_finished(l->ssl))
		(void)SSL_shutdown(l->ssl);
	ERR_clear_error();
	SSL_free(l->ssl);
	close(l->fd); /* leaves epoll by that */
	l->ssl = NULL;
	l->fd = -1;
	l->watched = l->out_len = 0;
}
