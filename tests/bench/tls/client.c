/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * tls_client ADDRESS NAME 1.2|1.3 full|resumed SECONDS   one handshake after the other; prints how
 *                                                       many, and how many of them were resumed
 * tls_client ADDRESS NAME 1.2|1.3 hold N                opens N connections, prints "open", and
 *                                                       keeps them until its input ends
 * Port 443. In every handshake the client takes its ticket, so that servers do the same work.
 */

struct bench {
	struct sockaddr_in server;
	const char *name;
	SSL_CTX *ctx;
	SSL_SESSION *session; /* of the last ticket */
	unsigned long done, resumed;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct bench *b = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	SSL_SESSION_free(b->session);
	b->session = session;
	return 1;
}

static SSL_CTX *client_context(struct bench *b, const char *version)
{
	int number = strcmp(version, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, number) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, number) != 1)
		fail("SSL_CTX");
	SSL_CTX_set_app_data(ctx, b);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep_session);
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY); /* SSL_read returns after a ticket */
	return ctx;
}

static SSL *handshake(struct bench *b, SSL_SESSION *session)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl = SSL_new(b->ctx);

	if (fd < 0 || connect(fd, (struct sockaddr *)&b->server, sizeof(b->server)) != 0)
		fail("connect");
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 ||
	    SSL_set_tlsext_host_name(ssl, b->name) != 1 ||
	    (session != NULL && SSL_set_session(ssl, session) != 1) || SSL_connect(ssl) != 1)
		fail("handshake");
	b->done++;
	b->resumed += SSL_session_reused(ssl) == 1;
	return ssl;
}

/** A reset: no port waits. */
static void hang_up(SSL *ssl)
{
	struct linger reset = {.l_onoff = 1};
	int fd = SSL_get_fd(ssl);

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN);
	SSL_free(ssl);
	close(fd);
}

static void once(struct bench *b, SSL_SESSION *session)
{
	SSL *ssl = handshake(b, session);
	char byte;

	if (SSL_version(ssl) == TLS1_3_VERSION)
		SSL_read(ssl, &byte, 1);
	hang_up(ssl);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void handshakes(struct bench *b, const char *how, double seconds)
{
	double until = now_s() + seconds;

	while (now_s() < until) {
		SSL_SESSION *offered = NULL;

		if (strcmp(how, "resumed") == 0 && b->session != NULL)
			offered = SSL_SESSION_dup(b->session);
		once(b, offered);
		SSL_SESSION_free(offered);
	}
	printf("%lu %lu\n", b->done, b->resumed);
}

static void hold(struct bench *b, unsigned long n)
{
	char byte;

	while (b->done < n) {
		SSL *ssl = handshake(b, NULL);

		if (SSL_version(ssl) == TLS1_3_VERSION)
			SSL_read(ssl, &byte, 1);
	}
	printf("open\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
}

int main(int argc, char **argv)
{
	static struct bench bench = {.server = {.sin_family = AF_INET}};

	if (argc < 6 || inet_pton(AF_INET, argv[1], &bench.server.sin_addr) != 1) {
		fputs("usage: tls_client ADDRESS NAME 1.2|1.3 full|resumed SECONDS, or hold N\n",
		      stderr);
		return 2;
	}
	bench.server.sin_port = htons(443);
	bench.name = argv[2];
	bench.ctx = client_context(&bench, argv[3]);
	if (strcmp(argv[4], "hold") == 0)
		hold(&bench, strtoul(argv[5], NULL, 10));
	else
		handshakes(&bench, argv[4], strtod(argv[5], NULL));
	return 0;
}
